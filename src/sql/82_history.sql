-- Views over time: what happened, one row each, and by the hour. Our own
-- placements are in assignment, those of others in recorded_assignment and
-- recorded_execution. Conditions on time, pool and worker_id reach the tables.

CREATE VIEW hwsched_internal.retention AS
SELECT p.pool,
       -- what is nearly 0 is no float8
       CASE jsonb_typeof(r.history)
            WHEN 'number'
                THEN make_interval(secs => least(round(r.history::numeric, 6), 3e9)::float8)
            ELSE least((r.history #>> '{}')::interval, '100 years') END AS history,
       CASE jsonb_typeof(r.hourly)
            WHEN 'number'
                THEN make_interval(secs => least(round(r.hourly::numeric, 6), 3e9)::float8)
            ELSE least((r.hourly #>> '{}')::interval, '100 years') END AS hourly
FROM hwsched.pool p
CROSS JOIN hwsched_internal.setting s
LEFT JOIN LATERAL (SELECT v.settings -> 'retention' AS retention FROM hwsched.settings_version v
                   WHERE v.pool = p.pool ORDER BY v.version DESC LIMIT 1) own ON true
CROSS JOIN LATERAL (SELECT coalesce(nullif(own.retention -> 'history', 'null'),
                                    s.default_value -> 'history') AS history,
                           coalesce(nullif(own.retention -> 'hourly', 'null'),
                                    s.default_value -> 'hourly') AS hourly) r
WHERE s.name = 'retention';
COMMENT ON VIEW hwsched_internal.retention IS 'How long each pool keeps its history.';
COMMENT ON COLUMN hwsched_internal.retention.pool IS 'The pool.';
COMMENT ON COLUMN hwsched_internal.retention.history IS 'How long it keeps what happened.';
COMMENT ON COLUMN hwsched_internal.retention.hourly IS
  'How long it keeps the hours that this was rolled up to.';

CREATE VIEW hwsched.efficiency_history AS
SELECT a.assigned_at AS time, a.pool, a.worker_id, a.workload_id, wp.workload_type,
       dp.hardware_class, dp.model_name,
       a.efficiency AS efficiency_ratio, a.adjusted_efficiency AS adjusted_efficiency_ratio
FROM hwsched.assignment a
JOIN hwsched.workload_profile wp ON wp.pool = a.pool AND wp.profile_id = a.profile_id
JOIN hwsched.device_profile dp ON dp.pool = a.pool AND dp.profile_id = a.device_profile_id
UNION ALL
SELECT r.at, r.pool, r.worker_id, r.workload_id, r.workload_type, r.hardware_class, r.model_name,
       r.efficiency, r.adjusted_efficiency
FROM hwsched.recorded_assignment r;
COMMENT ON VIEW hwsched.efficiency_history IS
  'How well the hardware suited what was placed on it, one row per placement.';
COMMENT ON COLUMN hwsched.efficiency_history.time IS 'When it was assigned.';
COMMENT ON COLUMN hwsched.efficiency_history.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.efficiency_history.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.efficiency_history.workload_id IS
  'The workload; NULL: only its score was recorded.';
COMMENT ON COLUMN hwsched.efficiency_history.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.efficiency_history.hardware_class IS 'Class of the device.';
COMMENT ON COLUMN hwsched.efficiency_history.model_name IS 'Model of the device.';
COMMENT ON COLUMN hwsched.efficiency_history.efficiency_ratio IS 'Efficiency score, 0..1.';
COMMENT ON COLUMN hwsched.efficiency_history.adjusted_efficiency_ratio IS
  'Adjusted for load and temperature at the decision; above 1 where the hardware is special for '
  'the work.';

CREATE VIEW hwsched.assignment_history AS
SELECT a.assigned_at AS time, a.pool, a.assignment_id, a.workload_id, a.run, a.attempt, a.shard_no,
       a.worker_id, wp.workload_type,
       dp.hardware_class, a.priority, a.state, a.efficiency AS efficiency_ratio,
       extract(epoch FROM greatest(a.assigned_at - s.submitted_at, '0'))::float8 AS wait_seconds
FROM hwsched.assignment a
JOIN hwsched.workload_profile wp ON wp.pool = a.pool AND wp.profile_id = a.profile_id
JOIN hwsched.device_profile dp ON dp.pool = a.pool AND dp.profile_id = a.device_profile_id
LEFT JOIN hwsched.submission s
    ON s.pool = a.pool AND s.workload_id = a.workload_id AND s.run = a.run
UNION ALL
SELECT r.at, r.pool, NULL, r.workload_id, r.run, r.attempt, r.shard_no, r.worker_id,
       r.workload_type, r.hardware_class, r.priority, r.state,
       r.efficiency, r.wait_seconds
FROM hwsched.recorded_assignment r
WHERE r.workload_id IS NOT NULL;
COMMENT ON VIEW hwsched.assignment_history IS
  'Every placement: what was assigned where, and how long it had waited.';
COMMENT ON COLUMN hwsched.assignment_history.time IS 'When it was assigned.';
COMMENT ON COLUMN hwsched.assignment_history.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.assignment_history.assignment_id IS
  'The assignment; NULL: it was recorded.';
COMMENT ON COLUMN hwsched.assignment_history.workload_id IS 'The workload.';
COMMENT ON COLUMN hwsched.assignment_history.run IS 'The run of the workload.';
COMMENT ON COLUMN hwsched.assignment_history.attempt IS 'The attempt of that run.';
COMMENT ON COLUMN hwsched.assignment_history.shard_no IS 'The shard or replica.';
COMMENT ON COLUMN hwsched.assignment_history.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.assignment_history.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.assignment_history.hardware_class IS 'Class of the device.';
COMMENT ON COLUMN hwsched.assignment_history.priority IS '1 (highest) to 5.';
COMMENT ON COLUMN hwsched.assignment_history.state IS
  'State of the assignment; of one that was recorded, the state then.';
COMMENT ON COLUMN hwsched.assignment_history.efficiency_ratio IS 'Efficiency score, 0..1.';
COMMENT ON COLUMN hwsched.assignment_history.wait_seconds IS
  'From submission to assignment, where the submission is known.';

CREATE VIEW hwsched.thermal_history AS
SELECT h.at AS time, h.pool, h.worker_id, h.device_no,
       coalesce(h.temperature, hwsched.temperature_ratio(h.temperature_celsius, 'NaN', 'NaN'))
       AS temperature_ratio,
       h.temperature_celsius, h.power_w AS power_watts, h.phase::text AS phase,
       coalesce(h.performance_level, CASE WHEN h.phase = 'normal' THEN 1 END)
       AS performance_level_ratio
FROM hwsched.load_history h
WHERE h.phase IS NOT NULL;
COMMENT ON VIEW hwsched.thermal_history IS
  'Temperature, power and thermal phase, as reported or recorded.';
COMMENT ON COLUMN hwsched.thermal_history.time IS 'When it was so.';
COMMENT ON COLUMN hwsched.thermal_history.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.thermal_history.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.thermal_history.device_no IS 'The device; NULL: the whole worker.';
COMMENT ON COLUMN hwsched.thermal_history.temperature_ratio IS '0 (idle) to 1 (throttling).';
COMMENT ON COLUMN hwsched.thermal_history.temperature_celsius IS 'Degrees.';
COMMENT ON COLUMN hwsched.thermal_history.power_watts IS 'Power drawn.';
COMMENT ON COLUMN hwsched.thermal_history.phase IS 'normal, warming or cooling.';
COMMENT ON COLUMN hwsched.thermal_history.performance_level_ratio IS
  'Share of its performance that it had in this phase, if known.';

CREATE VIEW hwsched.utilization_history AS
SELECT h.at AS time, h.pool, h.worker_id, h.device_no, h.cpu_utilization / 100 AS cpu_ratio,
       h.memory_utilization / 100 AS memory_ratio,
       h.gpu_utilization / 100 AS gpu_ratio, h.io_utilization / 100 AS io_ratio,
       h.network_utilization / 100 AS network_ratio
FROM hwsched.load_history h
WHERE coalesce(h.cpu_utilization, h.memory_utilization, h.gpu_utilization, h.io_utilization,
               h.network_utilization) IS NOT NULL;
COMMENT ON VIEW hwsched.utilization_history IS
  'Utilization of workers and devices, as reported or recorded.';
COMMENT ON COLUMN hwsched.utilization_history.time IS 'When it was so.';
COMMENT ON COLUMN hwsched.utilization_history.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.utilization_history.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.utilization_history.device_no IS 'The device; NULL: the whole worker.';
COMMENT ON COLUMN hwsched.utilization_history.cpu_ratio IS 'CPU in use, 0..1.';
COMMENT ON COLUMN hwsched.utilization_history.memory_ratio IS 'Memory in use, 0..1.';
COMMENT ON COLUMN hwsched.utilization_history.gpu_ratio IS
  'GPU in use, 0..1; of one device that is not a CPU: its own.';
COMMENT ON COLUMN hwsched.utilization_history.io_ratio IS 'Input and output, 0..1.';
COMMENT ON COLUMN hwsched.utilization_history.network_ratio IS 'Network, 0..1.';

CREATE VIEW hwsched.execution_history AS
SELECT a.finished_at AS time, a.pool, a.assignment_id, a.workload_id, a.run, a.attempt, a.worker_id,
       wp.workload_type, dp.hardware_class,
       dp.model_name, a.state, least(a.predicted_seconds, 1e10) AS predicted_seconds,
       extract(epoch FROM greatest(a.finished_at - a.started_at, '0'))::float8 AS actual_seconds,
       a.error, a.model_id, a.model_family,
       least(s.expected_seconds, 1e10) AS expected_seconds
FROM hwsched.assignment a
JOIN hwsched.workload_profile wp ON wp.pool = a.pool AND wp.profile_id = a.profile_id
JOIN hwsched.device_profile dp ON dp.pool = a.pool AND dp.profile_id = a.device_profile_id
-- read only by who asks for what it says
LEFT JOIN hwsched.submission s
    ON s.pool = a.pool AND s.workload_id = a.workload_id AND s.run = a.run
WHERE a.finished_at IS NOT NULL AND a.started_at IS NOT NULL
UNION ALL
SELECT r.at, r.pool, NULL, r.workload_id, r.run, r.attempt, r.worker_id, r.workload_type,
       r.hardware_class, r.model_name, r.state,
       r.predicted_seconds, r.actual_seconds, r.error, r.model_id, r.model_family,
       r.expected_seconds
FROM hwsched.recorded_execution r;
COMMENT ON VIEW hwsched.execution_history IS
  'Every execution that has ended, however it did: estimated and actual duration.';
COMMENT ON COLUMN hwsched.execution_history.time IS 'When it ended.';
COMMENT ON COLUMN hwsched.execution_history.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.execution_history.assignment_id IS
  'The assignment; NULL: it was recorded.';
COMMENT ON COLUMN hwsched.execution_history.workload_id IS 'The workload.';
COMMENT ON COLUMN hwsched.execution_history.run IS 'The run of the workload.';
COMMENT ON COLUMN hwsched.execution_history.attempt IS 'The attempt of that run.';
COMMENT ON COLUMN hwsched.execution_history.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.execution_history.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.execution_history.hardware_class IS 'Class of the device.';
COMMENT ON COLUMN hwsched.execution_history.model_name IS 'Model of the device.';
COMMENT ON COLUMN hwsched.execution_history.state IS 'completed, failed, expired or cancelled.';
COMMENT ON COLUMN hwsched.execution_history.predicted_seconds IS
  'Duration predicted at the decision, 1e10 at most; 0: none was.';
COMMENT ON COLUMN hwsched.execution_history.actual_seconds IS 'Duration from start to end.';
COMMENT ON COLUMN hwsched.execution_history.error IS 'What went wrong.';
COMMENT ON COLUMN hwsched.execution_history.model_id IS 'The model that was run; NULL: not known.';
COMMENT ON COLUMN hwsched.execution_history.model_family IS 'Its family; NULL: not known.';
COMMENT ON COLUMN hwsched.execution_history.expected_seconds IS
  'Duration that its submitter expected, 1e10 at most; NULL: not known, as of runs before the '
  'latest.';

-- What an hour is rolled up to, of a pool from one hour (inclusive) to another
-- (exclusive): for maintain(), and for the views of the hours that it has not
-- come to yet.

CREATE FUNCTION hwsched_internal.utilization_by_hour(since timestamptz, until timestamptz,
    pool text DEFAULT 'default')
    RETURNS SETOF hwsched.utilization_hour
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT h.pool, date_bin('1 hour', h.time, 'epoch') AS hour, h.worker_id,
           coalesce(h.device_no, -1) AS device_no, count(*) AS samples,
           avg(h.cpu_ratio) AS cpu_ratio, avg(h.memory_ratio) AS memory_ratio,
           avg(h.gpu_ratio) AS gpu_ratio, avg(h.io_ratio) AS io_ratio,
           avg(h.network_ratio) AS network_ratio, max(h.cpu_ratio) AS max_cpu_ratio,
           max(h.memory_ratio) AS max_memory_ratio,
           max(h.gpu_ratio) AS max_gpu_ratio, max(h.io_ratio) AS max_io_ratio,
           max(h.network_ratio) AS max_network_ratio
    FROM hwsched.utilization_history h
    WHERE h.pool = $3 AND h.time >= $1 AND h.time < $2
    GROUP BY 1, 2, 3, 4;
END;
COMMENT ON FUNCTION hwsched_internal.utilization_by_hour(timestamptz, timestamptz, text) IS
  'Rolls utilization up by the hour; see utilization_history_hourly.';

CREATE FUNCTION hwsched_internal.thermal_by_hour(since timestamptz, until timestamptz,
    pool text DEFAULT 'default')
    RETURNS SETOF hwsched.thermal_hour
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT h.pool, date_bin('1 hour', h.time, 'epoch') AS hour, h.worker_id,
           coalesce(h.device_no, -1) AS device_no, count(*) AS samples,
           avg(h.temperature_ratio) AS temperature_ratio,
           max(h.temperature_ratio) AS max_temperature_ratio,
           avg(h.temperature_celsius) AS temperature_celsius,
           max(h.temperature_celsius) AS max_temperature_celsius,
           avg(h.power_watts) AS power_watts
    FROM hwsched.thermal_history h
    WHERE h.pool = $3 AND h.time >= $1 AND h.time < $2
    GROUP BY 1, 2, 3, 4;
END;
COMMENT ON FUNCTION hwsched_internal.thermal_by_hour(timestamptz, timestamptz, text) IS
  'Rolls temperature and power up by the hour; see thermal_history_hourly.';

CREATE FUNCTION hwsched_internal.assignment_by_hour(since timestamptz, until timestamptz,
    pool text DEFAULT 'default')
    RETURNS SETOF hwsched.assignment_hour
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT h.pool, date_bin('1 hour', h.time, 'epoch') AS hour, h.worker_id,
           coalesce(h.workload_type, '') AS workload_type,
           count(h.workload_id) AS assignments, avg(h.efficiency_ratio) AS efficiency_ratio,
           min(h.efficiency_ratio) AS min_efficiency_ratio,
           max(h.efficiency_ratio) AS max_efficiency_ratio, avg(h.wait_seconds) AS wait_seconds,
           max(h.wait_seconds) AS max_wait_seconds
    FROM (SELECT a.time, a.pool, a.worker_id, a.workload_id, a.workload_type, a.efficiency_ratio,
                 a.wait_seconds
          FROM hwsched.assignment_history a
          UNION ALL
          SELECT r.at, r.pool, r.worker_id, NULL, NULL, r.efficiency, NULL
          FROM hwsched.recorded_assignment r WHERE r.workload_id IS NULL) h
    WHERE h.pool = $3 AND h.time >= $1 AND h.time < $2
    GROUP BY 1, 2, 3, 4;
END;
COMMENT ON FUNCTION hwsched_internal.assignment_by_hour(timestamptz, timestamptz, text) IS
  'Rolls assignments up by the hour; see assignment_history_hourly and efficiency_history_hourly.';

CREATE FUNCTION hwsched_internal.execution_by_hour(since timestamptz, until timestamptz,
    pool text DEFAULT 'default')
    RETURNS SETOF hwsched.execution_hour
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT h.pool, date_bin('1 hour', h.time, 'epoch') AS hour, h.worker_id, h.workload_type,
           count(*) FILTER (WHERE h.state = 'completed') AS completed,
           count(*) FILTER (WHERE h.state IN ('failed', 'expired')) AS failed,
           avg(h.predicted_seconds) FILTER (WHERE h.state = 'completed') AS predicted_seconds,
           avg(h.actual_seconds) FILTER (WHERE h.state = 'completed') AS actual_seconds,
           max(h.actual_seconds) FILTER (WHERE h.state = 'completed') AS max_actual_seconds
    FROM hwsched.execution_history h
    WHERE h.pool = $3 AND h.time >= $1 AND h.time < $2
    GROUP BY 1, 2, 3, 4;
END;
COMMENT ON FUNCTION hwsched_internal.execution_by_hour(timestamptz, timestamptz, text) IS
  'Rolls executions up by the hour; see execution_history_hourly.';

CREATE VIEW hwsched_internal.history_unrolled AS
SELECT p.pool, coalesce(r.rolled_until, '-infinity') AS since
FROM hwsched.pool p LEFT JOIN hwsched.history_progress r ON r.pool = p.pool;
COMMENT ON VIEW hwsched_internal.history_unrolled IS
  'The first hour of each pool that is not rolled up yet.';
COMMENT ON COLUMN hwsched_internal.history_unrolled.pool IS 'The pool.';
COMMENT ON COLUMN hwsched_internal.history_unrolled.since IS
  'The hours from this on are not rolled up.';

CREATE VIEW hwsched.efficiency_history_hourly AS
SELECT h.hour AS time, h.pool, h.worker_id, nullif(h.workload_type, '') AS workload_type,
       h.assignments, h.efficiency_ratio, h.min_efficiency_ratio, h.max_efficiency_ratio
FROM hwsched.assignment_hour h
UNION ALL
SELECT h.hour, u.pool, h.worker_id, nullif(h.workload_type, '') AS workload_type, h.assignments,
       h.efficiency_ratio, h.min_efficiency_ratio, h.max_efficiency_ratio
FROM hwsched_internal.history_unrolled u
CROSS JOIN LATERAL hwsched_internal.assignment_by_hour(u.since, 'infinity', u.pool) h;
COMMENT ON VIEW hwsched.efficiency_history_hourly IS
  'How well the hardware suited what was placed on it, by the hour.';
COMMENT ON COLUMN hwsched.efficiency_history_hourly.time IS 'When the hour began, in UTC.';
COMMENT ON COLUMN hwsched.efficiency_history_hourly.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.efficiency_history_hourly.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.efficiency_history_hourly.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.efficiency_history_hourly.assignments IS 'Placements in that hour.';
COMMENT ON COLUMN hwsched.efficiency_history_hourly.efficiency_ratio IS
  'Mean efficiency score, 0..1.';
COMMENT ON COLUMN hwsched.efficiency_history_hourly.min_efficiency_ratio IS 'Least of them.';
COMMENT ON COLUMN hwsched.efficiency_history_hourly.max_efficiency_ratio IS 'Greatest of them.';

CREATE VIEW hwsched.assignment_history_hourly AS
SELECT h.hour AS time, h.pool, h.worker_id, nullif(h.workload_type, '') AS workload_type,
       h.assignments, h.wait_seconds, h.max_wait_seconds
FROM hwsched.assignment_hour h
WHERE h.assignments > 0
UNION ALL
SELECT h.hour, u.pool, h.worker_id, nullif(h.workload_type, '') AS workload_type, h.assignments,
       h.wait_seconds, h.max_wait_seconds
FROM hwsched_internal.history_unrolled u
CROSS JOIN LATERAL hwsched_internal.assignment_by_hour(u.since, 'infinity', u.pool) h
WHERE h.assignments > 0;
COMMENT ON VIEW hwsched.assignment_history_hourly IS
  'Placements by the hour, and how long they had waited.';
COMMENT ON COLUMN hwsched.assignment_history_hourly.time IS 'When the hour began, in UTC.';
COMMENT ON COLUMN hwsched.assignment_history_hourly.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.assignment_history_hourly.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.assignment_history_hourly.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.assignment_history_hourly.assignments IS 'Placements in that hour.';
COMMENT ON COLUMN hwsched.assignment_history_hourly.wait_seconds IS
  'Mean wait from submission to assignment, of those known.';
COMMENT ON COLUMN hwsched.assignment_history_hourly.max_wait_seconds IS 'Longest of them.';

CREATE VIEW hwsched.thermal_history_hourly AS
SELECT h.hour AS time, h.pool, h.worker_id, nullif(h.device_no, -1) AS device_no, h.samples,
       h.temperature_ratio, h.max_temperature_ratio, h.temperature_celsius,
       h.max_temperature_celsius, h.power_watts
FROM hwsched.thermal_hour h
UNION ALL
SELECT h.hour, u.pool, h.worker_id, nullif(h.device_no, -1) AS device_no, h.samples,
       h.temperature_ratio, h.max_temperature_ratio, h.temperature_celsius,
       h.max_temperature_celsius, h.power_watts
FROM hwsched_internal.history_unrolled u
CROSS JOIN LATERAL hwsched_internal.thermal_by_hour(u.since, 'infinity', u.pool) h;
COMMENT ON VIEW hwsched.thermal_history_hourly IS 'Temperature and power by the hour.';
COMMENT ON COLUMN hwsched.thermal_history_hourly.time IS 'When the hour began, in UTC.';
COMMENT ON COLUMN hwsched.thermal_history_hourly.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.thermal_history_hourly.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.thermal_history_hourly.device_no IS 'The device; NULL: the whole worker.';
COMMENT ON COLUMN hwsched.thermal_history_hourly.samples IS 'Reports in that hour.';
COMMENT ON COLUMN hwsched.thermal_history_hourly.temperature_ratio IS
  'Mean, 0 (idle) to 1 (throttling).';
COMMENT ON COLUMN hwsched.thermal_history_hourly.max_temperature_ratio IS 'Greatest, 0 to 1.';
COMMENT ON COLUMN hwsched.thermal_history_hourly.temperature_celsius IS 'Mean, degrees.';
COMMENT ON COLUMN hwsched.thermal_history_hourly.max_temperature_celsius IS 'Greatest, degrees.';
COMMENT ON COLUMN hwsched.thermal_history_hourly.power_watts IS 'Mean power drawn.';

CREATE VIEW hwsched.utilization_history_hourly AS
SELECT h.hour AS time, h.pool, h.worker_id, nullif(h.device_no, -1) AS device_no, h.samples,
       h.cpu_ratio, h.memory_ratio, h.gpu_ratio, h.io_ratio, h.network_ratio, h.max_cpu_ratio,
       h.max_gpu_ratio, h.max_memory_ratio, h.max_io_ratio, h.max_network_ratio
FROM hwsched.utilization_hour h
UNION ALL
SELECT h.hour, u.pool, h.worker_id, nullif(h.device_no, -1) AS device_no, h.samples, h.cpu_ratio,
       h.memory_ratio, h.gpu_ratio, h.io_ratio, h.network_ratio, h.max_cpu_ratio, h.max_gpu_ratio,
       h.max_memory_ratio, h.max_io_ratio, h.max_network_ratio
FROM hwsched_internal.history_unrolled u
CROSS JOIN LATERAL hwsched_internal.utilization_by_hour(u.since, 'infinity', u.pool) h;
COMMENT ON VIEW hwsched.utilization_history_hourly IS 'Utilization by the hour.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.time IS 'When the hour began, in UTC.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.device_no IS
  'The device; NULL: the whole worker.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.samples IS 'Reports in that hour.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.cpu_ratio IS 'Mean, 0..1.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.memory_ratio IS 'Mean, 0..1.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.gpu_ratio IS 'Mean, 0..1.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.io_ratio IS 'Mean, 0..1.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.network_ratio IS 'Mean, 0..1.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.max_cpu_ratio IS 'Greatest, 0..1.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.max_gpu_ratio IS 'Greatest, 0..1.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.max_memory_ratio IS 'Greatest, 0..1.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.max_io_ratio IS 'Greatest, 0..1.';
COMMENT ON COLUMN hwsched.utilization_history_hourly.max_network_ratio IS 'Greatest, 0..1.';

CREATE VIEW hwsched.execution_history_hourly AS
SELECT h.hour AS time, h.pool, h.worker_id, nullif(h.workload_type, '') AS workload_type,
       h.completed, h.failed, h.predicted_seconds, h.actual_seconds, h.max_actual_seconds
FROM hwsched.execution_hour h
UNION ALL
SELECT h.hour, u.pool, h.worker_id, nullif(h.workload_type, '') AS workload_type, h.completed,
       h.failed, h.predicted_seconds, h.actual_seconds, h.max_actual_seconds
FROM hwsched_internal.history_unrolled u
CROSS JOIN LATERAL hwsched_internal.execution_by_hour(u.since, 'infinity', u.pool) h;
COMMENT ON VIEW hwsched.execution_history_hourly IS 'Executions by the hour in which they ended.';
COMMENT ON COLUMN hwsched.execution_history_hourly.time IS 'When the hour began, in UTC.';
COMMENT ON COLUMN hwsched.execution_history_hourly.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.execution_history_hourly.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.execution_history_hourly.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.execution_history_hourly.completed IS 'Executions that were completed.';
COMMENT ON COLUMN hwsched.execution_history_hourly.failed IS 'Executions that failed or expired.';
COMMENT ON COLUMN hwsched.execution_history_hourly.predicted_seconds IS
  'Mean estimate for those completed.';
COMMENT ON COLUMN hwsched.execution_history_hourly.actual_seconds IS
  'Mean duration of those completed.';
COMMENT ON COLUMN hwsched.execution_history_hourly.max_actual_seconds IS 'Longest of them.';
