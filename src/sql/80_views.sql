-- Views for people and BI tools: base units in names, ratios 0..1, a new column
-- always last.

-- What assignments hold of workers and devices: what the tables say, less what
-- has ended and is not settled yet.
CREATE VIEW hwsched.worker_reserved AS
SELECT u.pool, u.worker_id, u.assignments - coalesce(e.assignments, 0)::int AS assignments,
       u.cpu_millicores - coalesce(e.cpu_millicores, 0)::bigint AS cpu_millicores,
       u.host_memory_bytes - coalesce(e.host_memory_bytes, 0)::bigint AS host_memory_bytes
FROM hwsched.worker_usage u
LEFT JOIN (SELECT a.pool, a.worker_id, count(*) AS assignments,
                  sum(p.cpu_millicores) AS cpu_millicores,
                  sum(p.host_memory_bytes) AS host_memory_bytes
           FROM hwsched.unsettled n
           JOIN hwsched.assignment a ON a.pool = n.pool AND a.assignment_id = n.assignment_id
           JOIN hwsched.workload_profile p ON p.pool = a.pool AND p.profile_id = a.profile_id
           GROUP BY a.pool, a.worker_id) e ON e.pool = u.pool AND e.worker_id = u.worker_id;
COMMENT ON VIEW hwsched.worker_reserved IS
  'The capacity of each worker that live assignments hold now.';
COMMENT ON COLUMN hwsched.worker_reserved.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.worker_reserved.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.worker_reserved.assignments IS 'Live assignments.';
COMMENT ON COLUMN hwsched.worker_reserved.cpu_millicores IS 'Thousandths of a core reserved.';
COMMENT ON COLUMN hwsched.worker_reserved.host_memory_bytes IS
  'Memory reserved as host_memory; what devices draw comes on top.';

CREATE VIEW hwsched.device_reserved AS
SELECT u.pool, u.worker_id, u.device_no, u.slots - coalesce(e.slots, 0)::int AS slots,
       u.share - coalesce(e.share, 0)::int AS share,
       u.memory_bytes - coalesce(e.memory_bytes, 0)::bigint AS memory_bytes
FROM hwsched.device_usage u
LEFT JOIN (SELECT a.pool, a.worker_id, d.device_no, sum(p.device_slots) AS slots,
                  sum(p.device_share) AS share,
                  sum(p.device_memory_bytes) AS memory_bytes
           FROM hwsched.unsettled n
           JOIN hwsched.assignment a ON a.pool = n.pool AND a.assignment_id = n.assignment_id
           JOIN hwsched.workload_profile p ON p.pool = a.pool AND p.profile_id = a.profile_id
           CROSS JOIN LATERAL unnest(a.device_nos) AS d(device_no)
           GROUP BY a.pool, a.worker_id, d.device_no) e
       ON e.pool = u.pool AND e.worker_id = u.worker_id AND e.device_no = u.device_no;
COMMENT ON VIEW hwsched.device_reserved IS
  'The capacity of each device that live assignments hold now.';
COMMENT ON COLUMN hwsched.device_reserved.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.device_reserved.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.device_reserved.device_no IS 'The device.';
COMMENT ON COLUMN hwsched.device_reserved.slots IS 'Of its max_concurrent slots, those taken.';
COMMENT ON COLUMN hwsched.device_reserved.share IS
  'Millionths taken as shares; a whole accelerator is 1000000.';
COMMENT ON COLUMN hwsched.device_reserved.memory_bytes IS 'Memory reserved on it.';

CREATE FUNCTION hwsched_internal.preference_now(preference float8, updated_at timestamptz,
    pool text DEFAULT 'default')
    RETURNS float8
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_preference_now';
COMMENT ON FUNCTION hwsched_internal.preference_now(float8, timestamptz, text) IS
  'What is left by now of a preference that was learned at a time, by the pool''s setting '
  'preference_half_life: it fades toward 0.5.';

CREATE VIEW hwsched.preference AS
SELECT r.pool, r.workload_type, r.worker_id,
       hwsched_internal.preference_now(r.preference, r.updated_at, r.pool) AS preference, r.samples,
       r.updated_at, r.successes, r.failures, r.mean_seconds
FROM hwsched.track_record r;
COMMENT ON VIEW hwsched.preference IS
  'How well a worker did on a type of work, learned from outcomes: what is completed counts once '
  'the pool is settled.';
COMMENT ON COLUMN hwsched.preference.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.preference.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.preference.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.preference.preference IS
  '0..1; 0.5 is neutral, above it the worker was faster than others usually are.';
COMMENT ON COLUMN hwsched.preference.samples IS 'Outcomes it was learned from.';
COMMENT ON COLUMN hwsched.preference.updated_at IS 'When the last of them came.';
COMMENT ON COLUMN hwsched.preference.successes IS 'How many of them were completed.';
COMMENT ON COLUMN hwsched.preference.failures IS 'How many of them failed.';
COMMENT ON COLUMN hwsched.preference.mean_seconds IS 'Mean duration of those that were completed.';

CREATE VIEW hwsched.workload AS
SELECT s.pool, s.workload_id, s.run,
       coalesce(s.outcome, runs.state::text::hwsched.workload_state, 'pending') AS state,
       s.priority, p.workload_type, s.model_id, s.model_family, s.expected_seconds,
       s.timeout_seconds, s.retries,
       nullif(s.deadline, 'infinity') AS deadline, s.submitted_at,
       coalesce(s.closed_at, runs.completed_at) AS closed_at, s.profile_id, s.queue_no,
       s.requirements, s.concurrency_keys, s.concurrency_units,
       coalesce(s.closed_at, runs.completed_at, now()) > s.deadline AS deadline_missed,
       s.run_at, s.expires_at, s.outcome_reason, s.altered_at, s.altered_reason
FROM hwsched.submission s
JOIN hwsched.workload_profile p ON p.pool = s.pool AND p.profile_id = s.profile_id
-- assigned, running, or completed and not settled yet; a gang runs until it is settled
LEFT JOIN LATERAL (SELECT max(CASE WHEN a.is_gang AND a.state = 'completed' THEN 'running'
                                   ELSE a.state END) AS state,
                          max(a.finished_at) FILTER (WHERE NOT a.is_gang) AS completed_at
                   FROM hwsched.assignment a
                   WHERE a.pool = s.pool AND a.workload_id = s.workload_id AND a.run = s.run
                     AND (a.finished_at IS NULL OR a.state = 'completed' AND (NOT a.is_gang
                          OR EXISTS (SELECT FROM hwsched.unsettled u WHERE u.pool = a.pool
                                       AND u.assignment_id = a.assignment_id)))) runs
       ON s.outcome IS NULL;
COMMENT ON VIEW hwsched.workload IS
  'Workloads, the latest run of each, with the state they are in.';
COMMENT ON COLUMN hwsched.workload.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.workload.workload_id IS 'Its test_id, or generated.';
COMMENT ON COLUMN hwsched.workload.run IS 'Counts how often it was submitted.';
COMMENT ON COLUMN hwsched.workload.state IS
  'pending, assigned, running, completed, cancelled or dead.';
COMMENT ON COLUMN hwsched.workload.priority IS '1 (highest) to 5.';
COMMENT ON COLUMN hwsched.workload.workload_type IS 'vision, nlp, training, ...';
COMMENT ON COLUMN hwsched.workload.model_id IS 'The model it runs.';
COMMENT ON COLUMN hwsched.workload.model_family IS 'The family of that model.';
COMMENT ON COLUMN hwsched.workload.expected_seconds IS 'Duration its submitter expects.';
COMMENT ON COLUMN hwsched.workload.timeout_seconds IS 'Longest it may run.';
COMMENT ON COLUMN hwsched.workload.retries IS 'Attempts after the first.';
COMMENT ON COLUMN hwsched.workload.deadline IS 'When it should be done.';
COMMENT ON COLUMN hwsched.workload.submitted_at IS 'When it was submitted.';
COMMENT ON COLUMN hwsched.workload.altered_at IS
  'When alter_workload() last changed its requirements.';
COMMENT ON COLUMN hwsched.workload.altered_reason IS 'Why it did.';
COMMENT ON COLUMN hwsched.workload.closed_at IS 'When it was completed, cancelled or given up.';
COMMENT ON COLUMN hwsched.workload.profile_id IS 'Its workload profile.';
COMMENT ON COLUMN hwsched.workload.queue_no IS 'Order of submission.';
COMMENT ON COLUMN hwsched.workload.requirements IS 'The document it was submitted with.';
COMMENT ON COLUMN hwsched.workload.concurrency_keys IS
  'Keys whose limits hold for it: see limit_usage.';
COMMENT ON COLUMN hwsched.workload.concurrency_units IS
  'How much it takes of each of concurrency_keys.';
COMMENT ON COLUMN hwsched.workload.deadline_missed IS
  'Whether it was still open when its deadline came.';
COMMENT ON COLUMN hwsched.workload.run_at IS 'It is not placed before.';
COMMENT ON COLUMN hwsched.workload.expires_at IS
  'If it has not started by then, it is cancelled.';
COMMENT ON COLUMN hwsched.workload.outcome_reason IS
  'Why it was cancelled, where nobody called cancel(): expired, or for a workload that it depends '
  'on.';

-- What decisions read of concurrency keys, too.
CREATE VIEW hwsched.key_use AS
SELECT h.pool, h.key, coalesce(sum(h.units) FILTER (WHERE h.is_live), 0)::int AS in_use,
       count(*) FILTER (WHERE h.is_recent)::int AS used_last_minute,
       min(h.workload_id) FILTER (WHERE h.is_live) AS held_by
FROM (SELECT k.*, k.assigned_at > now() - '60 s'::interval AS is_recent,
             EXISTS (SELECT FROM hwsched.assignment a
                     WHERE a.pool = k.pool AND a.workload_id = k.workload_id
                       AND a.assignment_id BETWEEN k.assignment_id AND k.last_assignment_id
                       AND a.finished_at IS NULL) AS is_live
      FROM hwsched.key_holder k) h
WHERE h.is_live OR h.is_recent
GROUP BY h.pool, h.key;
COMMENT ON VIEW hwsched.key_use IS
  'Concurrency keys in use: what live work holds, and how often work was placed lately.';
COMMENT ON COLUMN hwsched.key_use.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.key_use.key IS 'The concurrency key.';
COMMENT ON COLUMN hwsched.key_use.in_use IS 'What live work holds of it; a gang counts once.';
COMMENT ON COLUMN hwsched.key_use.used_last_minute IS
  'Placements of work with this key in the last 60 s, retries too.';
COMMENT ON COLUMN hwsched.key_use.held_by IS 'A workload that holds it; NULL: none does.';

CREATE VIEW hwsched.limit_usage AS
SELECT e.pool, e.key,
       CASE WHEN bool_or(e.is_named) THEN max(e.concurrent) ELSE 1 END AS concurrent_limit,
       coalesce(max(e.in_use), 0) AS in_use, max(e.per_minute) AS per_minute_limit,
       coalesce(max(e.used_last_minute), 0) AS used_last_minute,
       coalesce(sum(e.waiting), 0)::bigint AS waiting, max(e.held_by) AS held_by
FROM (SELECT p.pool, l.key COLLATE "C" AS key, true AS is_named,
             (l.value ->> 'concurrent')::int AS concurrent,
             (l.value ->> 'per_minute')::int AS per_minute, NULL::int AS in_use,
             NULL::int AS used_last_minute, NULL::bigint AS waiting, NULL::text AS held_by
      FROM hwsched.pool p
      CROSS JOIN LATERAL (SELECT v.value AS limits FROM hwsched.pool_settings(p.pool) v
                          WHERE v.name = 'limits') s
      CROSS JOIN LATERAL jsonb_each(s.limits) l
      UNION ALL
      SELECT u.pool, u.key, false, NULL, NULL, u.in_use, u.used_last_minute, NULL, u.held_by
      FROM hwsched.key_use u
      UNION ALL
      SELECT q.pool, k.key, false, NULL, NULL, NULL, NULL, count(*), NULL
      FROM hwsched.pending q CROSS JOIN LATERAL unnest(q.concurrency_keys) AS k(key)
      WHERE q.concurrency_keys IS NOT NULL
      GROUP BY q.pool, k.key) e
GROUP BY e.pool, e.key;
COMMENT ON VIEW hwsched.limit_usage IS
  'Concurrency keys with a limit of the setting limits, held, used lately or waited for.';
COMMENT ON COLUMN hwsched.limit_usage.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.limit_usage.key IS 'The concurrency key.';
COMMENT ON COLUMN hwsched.limit_usage.concurrent_limit IS
  'What live work may hold of it; 1 unless the setting limits names it; NULL: no limit.';
COMMENT ON COLUMN hwsched.limit_usage.in_use IS 'What live work holds of it; a gang counts once.';
COMMENT ON COLUMN hwsched.limit_usage.per_minute_limit IS
  'Placements that are allowed in any 60 s; NULL: no limit.';
COMMENT ON COLUMN hwsched.limit_usage.used_last_minute IS
  'Placements in the last 60 s, retries too.';
COMMENT ON COLUMN hwsched.limit_usage.waiting IS 'Workloads in the queue that have this key.';
COMMENT ON COLUMN hwsched.limit_usage.held_by IS 'A workload that holds it; NULL: none does.';

-- Made by one function, which knows how: a join of the queue that is planned by
-- statistics can take the square of its length.
CREATE FUNCTION hwsched_internal.queue_reasons(pool text DEFAULT 'default',
    OUT workload_id text, OUT profile_id bigint,
    OUT priority smallint, OUT workload_type text, OUT deadline timestamptz, OUT queue_no bigint,
    OUT attempt int, OUT submitted_at timestamptz, OUT expected_seconds float8,
    OUT ready_at timestamptz, OUT aged_priority smallint, OUT ready boolean, OUT reason text,
    OUT "position" bigint)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 100000 ROWS 10000
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_queue_reasons';
COMMENT ON FUNCTION hwsched_internal.queue_reasons(text) IS
  'The queue with the reason why each workload waits, for the view pending_workloads.';

CREATE VIEW hwsched.hardware_efficiency AS
SELECT a.pool, a.worker_id, dp.hardware_class, dp.model_name, wp.workload_type,
       count(*) AS assignments,
       avg(a.efficiency) AS efficiency_ratio,
       avg(a.adjusted_efficiency) AS adjusted_efficiency_ratio,
       min(a.efficiency) AS min_efficiency_ratio,
       max(a.efficiency) AS max_efficiency_ratio
FROM hwsched.assignment a
JOIN hwsched.workload_profile wp ON wp.pool = a.pool AND wp.profile_id = a.profile_id
JOIN hwsched.device_profile dp ON dp.pool = a.pool AND dp.profile_id = a.device_profile_id
GROUP BY a.pool, a.worker_id, dp.hardware_class, dp.model_name, wp.workload_type;
COMMENT ON VIEW hwsched.hardware_efficiency IS
  'How well the hardware suited what was placed on it: one row per worker, kind of device and '
  'workload type.';
COMMENT ON COLUMN hwsched.hardware_efficiency.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.hardware_efficiency.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.hardware_efficiency.hardware_class IS 'Class of the device.';
COMMENT ON COLUMN hwsched.hardware_efficiency.model_name IS 'Model of the device.';
COMMENT ON COLUMN hwsched.hardware_efficiency.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.hardware_efficiency.assignments IS 'Placements, live and ended.';
COMMENT ON COLUMN hwsched.hardware_efficiency.efficiency_ratio IS 'Mean efficiency score, 0..1.';
COMMENT ON COLUMN hwsched.hardware_efficiency.adjusted_efficiency_ratio IS
  'Mean efficiency adjusted for load and temperature at the decision; above 1 where the hardware '
  'is special for the work.';
COMMENT ON COLUMN hwsched.hardware_efficiency.min_efficiency_ratio IS 'Lowest efficiency score.';
COMMENT ON COLUMN hwsched.hardware_efficiency.max_efficiency_ratio IS 'Highest efficiency score.';

CREATE VIEW hwsched.workload_distribution AS
SELECT a.pool, wp.workload_type, a.worker_id, dp.hardware_class, a.state,
       count(*) AS assignments
FROM hwsched.assignment a
JOIN hwsched.workload_profile wp ON wp.pool = a.pool AND wp.profile_id = a.profile_id
JOIN hwsched.device_profile dp ON dp.pool = a.pool AND dp.profile_id = a.device_profile_id
GROUP BY a.pool, wp.workload_type, a.worker_id, dp.hardware_class, a.state;
COMMENT ON VIEW hwsched.workload_distribution IS
  'The hardware that the work went to: placements by workload type, worker and state.';
COMMENT ON COLUMN hwsched.workload_distribution.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.workload_distribution.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.workload_distribution.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.workload_distribution.hardware_class IS 'Class of the device.';
COMMENT ON COLUMN hwsched.workload_distribution.state IS 'State of the assignments.';
COMMENT ON COLUMN hwsched.workload_distribution.assignments IS 'Their number.';

CREATE FUNCTION hwsched_internal.device_temperature(profile hwsched.device_profile,
    load hwsched.worker_load, own hwsched.device_load, device_no int)
    RETURNS float8
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'hwsched_device_temperature';
COMMENT ON FUNCTION hwsched_internal.device_temperature(hwsched.device_profile,
    hwsched.worker_load, hwsched.device_load, int) IS
  'The temperature 0..1 of a device now, as decisions see it: from the last report of its worker '
  'and its own (NULL: none), for the view thermal_states.';

CREATE VIEW hwsched.thermal_states AS
SELECT d.pool, d.worker_id, d.device_no, p.hardware_class, p.model_name,
       hwsched_internal.device_temperature(p, l, dl, d.device_no) AS temperature_ratio,
       coalesce(dl.temperature_celsius, l.temperature_celsius) AS temperature_celsius,
       level.phase,
       hwsched.performance_level(level.phase::text, coalesce(l.phase_since, now()),
                                 coalesce(l.phase_duration, '0'), now())
           AS performance_level_ratio,
       CASE WHEN level.phase <> 'normal' THEN l.phase_since END AS phase_since,
       CASE WHEN level.phase <> 'normal' THEN l.phase_since + l.phase_duration END AS phase_until,
       l.reported_at,
       coalesce(dl.temperature_celsius, l.temperature, l.temperature_celsius) IS NULL
       AND l.reported_at IS NOT NULL AS is_modelled,
       l.throttles_at[d.device_no + 1] AS throttles_at_ratio
FROM hwsched.device d
JOIN hwsched.device_profile p ON p.pool = d.pool AND p.profile_id = d.profile_id
JOIN hwsched.worker_load l ON l.pool = d.pool AND l.worker_id = d.worker_id
LEFT JOIN hwsched.device_load dl
    ON dl.pool = d.pool AND dl.worker_id = d.worker_id AND dl.device_no = d.device_no
CROSS JOIN LATERAL (SELECT hwsched_internal.phase_now(l.phase, l.phase_since, l.phase_duration)
                               AS phase) level;
COMMENT ON VIEW hwsched.thermal_states IS 'Temperature and thermal phase of every device, now.';
COMMENT ON COLUMN hwsched.thermal_states.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.thermal_states.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.thermal_states.device_no IS 'The device.';
COMMENT ON COLUMN hwsched.thermal_states.hardware_class IS 'Class of the device.';
COMMENT ON COLUMN hwsched.thermal_states.model_name IS 'Model of the device.';
COMMENT ON COLUMN hwsched.thermal_states.temperature_ratio IS
  '0 (idle) to 1 (throttling), as decisions use it: as reported, else by the thermal law from '
  'load and time; 0 when nothing was reported.';
COMMENT ON COLUMN hwsched.thermal_states.temperature_celsius IS
  'Degrees, as reported for the device or its worker.';
COMMENT ON COLUMN hwsched.thermal_states.phase IS 'normal, warming or cooling.';
COMMENT ON COLUMN hwsched.thermal_states.performance_level_ratio IS
  'Share of its performance that it has in this phase.';
COMMENT ON COLUMN hwsched.thermal_states.phase_since IS 'When the phase began.';
COMMENT ON COLUMN hwsched.thermal_states.phase_until IS 'When it ends.';
COMMENT ON COLUMN hwsched.thermal_states.reported_at IS 'When the worker last reported.';
COMMENT ON COLUMN hwsched.thermal_states.is_modelled IS
  'Whether the last report told no temperature, so that temperature_ratio is modelled from load '
  'and time.';
COMMENT ON COLUMN hwsched.thermal_states.throttles_at_ratio IS
  'From which share of the way from idle to full power, in tenths, it would throttle within the '
  'hour, by its thermal model; NULL: never, or not known.';

CREATE VIEW hwsched.resource_utilization AS
SELECT w.pool, w.worker_id,
       l.cpu_utilization / 100 AS cpu_ratio, l.memory_utilization / 100 AS memory_ratio,
       l.gpu_utilization / 100 AS gpu_ratio,
       l.io_utilization / 100 AS io_ratio, l.network_utilization / 100 AS network_ratio,
       hwsched.load_score(coalesce(l.cpu_utilization, 0), coalesce(l.memory_utilization, 0),
                          coalesce(l.gpu_utilization, 0),
                          coalesce(l.io_utilization, 0),
                          coalesce(l.network_utilization, 0)) AS load_ratio,
       u.assignments,
       u.cpu_millicores / 1000.0::float8 AS reserved_cores,
       u.cpu_millicores::float8 / nullif(w.cpu_millicores, 0) AS reserved_cores_ratio,
       u.host_memory_bytes + coalesce(devices.drawn_bytes, 0) AS reserved_memory_bytes,
       (u.host_memory_bytes + coalesce(devices.drawn_bytes, 0))::float8
       / nullif(w.memory_bytes, 0) AS reserved_memory_ratio,
       devices.accelerators,
       devices.reserved_accelerators,
       l.reported_at
FROM hwsched.worker w
JOIN hwsched.worker_reserved u ON u.pool = w.pool AND u.worker_id = w.worker_id
JOIN hwsched.worker_load l ON l.pool = w.pool AND l.worker_id = w.worker_id
LEFT JOIN LATERAL (
    SELECT sum(du.memory_bytes) FILTER (WHERE d.uses_host_memory)::bigint AS drawn_bytes,
           count(*) FILTER (WHERE p.hardware_class <> 'cpu') AS accelerators,
           coalesce(sum(du.share) FILTER (WHERE p.hardware_class <> 'cpu'), 0)
           / 1000000.0::float8 AS reserved_accelerators
    FROM hwsched.device d
    JOIN hwsched.device_profile p ON p.pool = d.pool AND p.profile_id = d.profile_id
    JOIN hwsched.device_reserved du
        ON du.pool = d.pool AND du.worker_id = d.worker_id AND du.device_no = d.device_no
    WHERE d.pool = w.pool AND d.worker_id = w.worker_id) devices ON true;
COMMENT ON VIEW hwsched.resource_utilization IS
  'Load of every worker as it last reported, and what the scheduler has reserved on it.';
COMMENT ON COLUMN hwsched.resource_utilization.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.resource_utilization.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.resource_utilization.cpu_ratio IS 'CPU in use, 0..1, as reported.';
COMMENT ON COLUMN hwsched.resource_utilization.memory_ratio IS 'Memory in use, 0..1, as reported.';
COMMENT ON COLUMN hwsched.resource_utilization.gpu_ratio IS 'GPU in use, 0..1, as reported.';
COMMENT ON COLUMN hwsched.resource_utilization.io_ratio IS 'Input and output, 0..1, as reported.';
COMMENT ON COLUMN hwsched.resource_utilization.network_ratio IS 'Network, 0..1, as reported.';
COMMENT ON COLUMN hwsched.resource_utilization.load_ratio IS 'Load score, 0..1.';
COMMENT ON COLUMN hwsched.resource_utilization.assignments IS 'Live assignments.';
COMMENT ON COLUMN hwsched.resource_utilization.reserved_cores IS
  'Cores that live assignments hold.';
COMMENT ON COLUMN hwsched.resource_utilization.reserved_cores_ratio IS 'Share of its cores.';
COMMENT ON COLUMN hwsched.resource_utilization.reserved_memory_bytes IS
  'Memory of the worker that live assignments hold, that of its devices included.';
COMMENT ON COLUMN hwsched.resource_utilization.reserved_memory_ratio IS 'Share of its memory.';
COMMENT ON COLUMN hwsched.resource_utilization.accelerators IS 'Devices that are not a CPU.';
COMMENT ON COLUMN hwsched.resource_utilization.reserved_accelerators IS
  'Whole accelerators and shares that live assignments hold.';
COMMENT ON COLUMN hwsched.resource_utilization.reported_at IS 'When the worker last reported.';

CREATE VIEW hwsched.execution_times AS
SELECT a.pool, a.assignment_id, a.workload_id, a.run, a.attempt, wp.workload_type, a.worker_id,
       s.model_id,
       a.predicted_seconds,
       extract(epoch FROM a.finished_at - a.started_at)::float8 AS actual_seconds,
       extract(epoch FROM a.finished_at - a.started_at)::float8
       / nullif(a.predicted_seconds, 0) AS actual_to_predicted_ratio,
       extract(epoch FROM a.started_at - a.assigned_at)::float8 AS start_wait_seconds,
       a.started_at, a.finished_at
FROM hwsched.assignment a
JOIN hwsched.workload_profile wp ON wp.pool = a.pool AND wp.profile_id = a.profile_id
LEFT JOIN hwsched.submission s
    ON s.pool = a.pool AND s.workload_id = a.workload_id AND s.run = a.run
WHERE a.state = 'completed';
COMMENT ON VIEW hwsched.execution_times IS
  'Predicted and actual duration of every completed execution.';
COMMENT ON COLUMN hwsched.execution_times.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.execution_times.assignment_id IS 'The assignment.';
COMMENT ON COLUMN hwsched.execution_times.workload_id IS 'The workload.';
COMMENT ON COLUMN hwsched.execution_times.run IS 'The run of the workload.';
COMMENT ON COLUMN hwsched.execution_times.attempt IS 'The attempt of that run.';
COMMENT ON COLUMN hwsched.execution_times.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.execution_times.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.execution_times.model_id IS
  'The model, while this run is the workload''s latest.';
COMMENT ON COLUMN hwsched.execution_times.predicted_seconds IS
  'Duration predicted at the decision.';
COMMENT ON COLUMN hwsched.execution_times.actual_seconds IS 'Duration from start to completion.';
COMMENT ON COLUMN hwsched.execution_times.actual_to_predicted_ratio IS
  '1 is as predicted, above 1 is slower.';
COMMENT ON COLUMN hwsched.execution_times.start_wait_seconds IS 'From the decision to the start.';
COMMENT ON COLUMN hwsched.execution_times.started_at IS 'When it started.';
COMMENT ON COLUMN hwsched.execution_times.finished_at IS 'When it was completed.';

CREATE VIEW hwsched.running_work AS
SELECT a.pool, a.assignment_id, a.workload_id, a.shard_no, a.worker_id, a.device_nos, a.attempt,
       a.started_at,
       extract(epoch FROM greatest(now() - a.started_at, '0'))::float8 AS running_seconds,
       a.predicted_seconds, p.ratio AS progress_ratio, p.note, p.at AS reported_at, a.lease_until
FROM hwsched.assignment a
LEFT JOIN hwsched.progress p ON p.pool = a.pool AND p.assignment_id = a.assignment_id
WHERE a.finished_at IS NULL AND a.state = 'running';
COMMENT ON VIEW hwsched.running_work IS 'What runs, with what its workers say of it.';
COMMENT ON COLUMN hwsched.running_work.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.running_work.assignment_id IS 'The assignment.';
COMMENT ON COLUMN hwsched.running_work.workload_id IS 'The workload.';
COMMENT ON COLUMN hwsched.running_work.shard_no IS 'The shard or replica, from 0.';
COMMENT ON COLUMN hwsched.running_work.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.running_work.device_nos IS 'The worker''s devices that it holds.';
COMMENT ON COLUMN hwsched.running_work.attempt IS 'The attempt, from 1.';
COMMENT ON COLUMN hwsched.running_work.started_at IS 'When it was started.';
COMMENT ON COLUMN hwsched.running_work.running_seconds IS 'Time since then.';
COMMENT ON COLUMN hwsched.running_work.predicted_seconds IS 'Duration predicted at the decision.';
COMMENT ON COLUMN hwsched.running_work.progress_ratio IS
  'How much of it is done, 0..1, as its worker last said; NULL: it never did.';
COMMENT ON COLUMN hwsched.running_work.note IS 'What else its worker said.';
COMMENT ON COLUMN hwsched.running_work.reported_at IS 'When its worker said so.';
COMMENT ON COLUMN hwsched.running_work.lease_until IS
  'When it is taken back unless its worker gives a sign of life.';

CREATE VIEW hwsched.pending_workloads AS
SELECT e.pool, (e.q).workload_id, (e.q).priority, (e.q).workload_type, (e.q).reason, (e.q).attempt,
       (e.q).submitted_at,
       extract(epoch FROM greatest(now() - (e.q).submitted_at, '0'))::float8 AS wait_seconds,
       (e.q).expected_seconds, (e.q).deadline, (e.q).queue_no, (e.q).aged_priority,
       now() > coalesce((e.q).deadline, 'infinity') AS deadline_missed, (e.q).ready,
       (e.q).ready_at, (e.q).profile_id, (e.q)."position"
FROM (-- in the select list: once for each pool, and only for those asked for
      SELECT p.pool, hwsched_internal.queue_reasons(p.pool) AS q FROM hwsched.pool p) e
ORDER BY e.pool, (e.q).aged_priority, coalesce((e.q).deadline, 'infinity'), (e.q).queue_no;
COMMENT ON VIEW hwsched.pending_workloads IS
  'The queue, in its order, with the reason why each workload waits.';
COMMENT ON COLUMN hwsched.pending_workloads.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.pending_workloads.workload_id IS 'The workload.';
COMMENT ON COLUMN hwsched.pending_workloads.priority IS '1 (highest) to 5.';
COMMENT ON COLUMN hwsched.pending_workloads.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.pending_workloads.reason IS
  'The reason: another workload (of several, a dead or cancelled one), its retry or its '
  'concurrency_key; else the last check that the closest worker fails, or that the next batch '
  'will place it.';
COMMENT ON COLUMN hwsched.pending_workloads.attempt IS 'The attempt it waits for.';
COMMENT ON COLUMN hwsched.pending_workloads.submitted_at IS 'When it was submitted.';
COMMENT ON COLUMN hwsched.pending_workloads.wait_seconds IS 'Time since then.';
COMMENT ON COLUMN hwsched.pending_workloads.expected_seconds IS 'Duration its submitter expects.';
COMMENT ON COLUMN hwsched.pending_workloads.deadline IS 'When it should be done.';
COMMENT ON COLUMN hwsched.pending_workloads.queue_no IS 'Order of submission.';
COMMENT ON COLUMN hwsched.pending_workloads.aged_priority IS
  'Its priority after the setting ageing; the queue is in the order of it.';
COMMENT ON COLUMN hwsched.pending_workloads.deadline_missed IS 'Whether its deadline has passed.';
COMMENT ON COLUMN hwsched.pending_workloads.ready IS
  'Whether it waits for room alone; false: no amount of room helps it yet.';
COMMENT ON COLUMN hwsched.pending_workloads.ready_at IS
  'When its retry is due; NULL: it does not wait for that.';
COMMENT ON COLUMN hwsched.pending_workloads.profile_id IS 'Its workload profile.';
COMMENT ON COLUMN hwsched.pending_workloads."position" IS
  'Its place in the queue, from 1, by aged_priority, deadline and queue_no.';

CREATE VIEW hwsched.reservation AS
SELECT r.pool, r.workload_id, r.shard_no, r.worker_id, r.device_nos, r.starts_at, r.backfill_until,
       r.reserved_at
FROM hwsched.reserved_place r
JOIN hwsched.pending p ON p.pool = r.pool AND p.priority = r.priority
  AND p.deadline = r.deadline AND p.queue_no = r.queue_no;
COMMENT ON VIEW hwsched.reservation IS
  'The places that are kept for the first work that has to wait, as the last batch decided.';
COMMENT ON COLUMN hwsched.reservation.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.reservation.workload_id IS 'For whom.';
COMMENT ON COLUMN hwsched.reservation.shard_no IS 'For which part of it, from 0, if it is a gang.';
COMMENT ON COLUMN hwsched.reservation.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.reservation.device_nos IS 'Its devices.';
COMMENT ON COLUMN hwsched.reservation.starts_at IS
  'When it can start there, by the expected ends (P90, at most the timeout) of what runs; NULL if '
  'nobody knows.';
COMMENT ON COLUMN hwsched.reservation.backfill_until IS
  'What stands behind it and is expected to be over by then may use the place meanwhile; the '
  'first such time, which is never put off.';
COMMENT ON COLUMN hwsched.reservation.reserved_at IS 'Since when it has a place reserved.';

CREATE FUNCTION hwsched_internal.tenant_usage(pool text DEFAULT 'default',
    OUT tenant text, OUT weight float8, OUT workloads bigint, OUT workloads_quota float8,
    OUT accelerators float8, OUT accelerators_quota float8, OUT cores float8,
    OUT cores_quota float8, OUT memory_bytes bigint, OUT dominant_share_ratio float8,
    OUT past_share_ratio float8, OUT usage float8)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 100000 ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_tenant_usage';
COMMENT ON FUNCTION hwsched_internal.tenant_usage(text) IS
  'What tenants use and may use, as decisions see it, for the view tenant_usage.';

CREATE VIEW hwsched.tenant_usage AS
SELECT e.pool, (e.t).tenant, (e.t).weight, (e.t).workloads, (e.t).workloads_quota,
       (e.t).accelerators, (e.t).accelerators_quota, (e.t).cores, (e.t).cores_quota,
       (e.t).memory_bytes, (e.t).dominant_share_ratio, (e.t).past_share_ratio, (e.t).usage
FROM (SELECT p.pool, hwsched_internal.tenant_usage(p.pool) AS t FROM hwsched.pool p) e;
COMMENT ON VIEW hwsched.tenant_usage IS
  'What each tenant holds, held and may hold, in pools with the setting tenants or fair_share.';
COMMENT ON COLUMN hwsched.tenant_usage.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.tenant_usage.tenant IS 'The tenant; empty: work without one.';
COMMENT ON COLUMN hwsched.tenant_usage.weight IS 'How much it counts beside the others.';
COMMENT ON COLUMN hwsched.tenant_usage.workloads IS 'Its workloads that are assigned or running.';
COMMENT ON COLUMN hwsched.tenant_usage.workloads_quota IS 'Of these at most; NULL: no limit.';
COMMENT ON COLUMN hwsched.tenant_usage.accelerators IS
  'Whole accelerators and shares that they hold.';
COMMENT ON COLUMN hwsched.tenant_usage.accelerators_quota IS 'Of these at most; NULL: no limit.';
COMMENT ON COLUMN hwsched.tenant_usage.cores IS 'Cores that they hold.';
COMMENT ON COLUMN hwsched.tenant_usage.cores_quota IS 'Of these at most; NULL: no limit.';
COMMENT ON COLUMN hwsched.tenant_usage.memory_bytes IS 'Memory of workers that they hold.';
COMMENT ON COLUMN hwsched.tenant_usage.dominant_share_ratio IS
  'Of accelerators, cores and memory the largest part 0..1 that it holds of what healthy workers '
  'have.';
COMMENT ON COLUMN hwsched.tenant_usage.past_share_ratio IS
  'The same in the mean of the past, which weighs half as much each half_life; NULL without '
  'fair_share.';
COMMENT ON COLUMN hwsched.tenant_usage.usage IS
  'The sum of both, divided by the weight: within a priority the tenant with the least is next; '
  'NULL without fair_share.';

CREATE VIEW hwsched.worker_status AS
SELECT w.pool, w.worker_id, w.state, w.hostname,
       (SELECT count(*) FROM hwsched.device d WHERE d.pool = w.pool AND d.worker_id = w.worker_id)
       AS devices,
       w.cpu_millicores / 1000.0::float8 AS cores, w.memory_bytes,
       coalesce(live.assigned, 0) AS assigned, coalesce(live.running, 0) AS running,
       u.total_assignments,
       hwsched_internal.phase_now(l.phase, l.phase_since, l.phase_duration) AS phase,
       l.last_seen_at,
       extract(epoch FROM greatest(now() - l.last_seen_at, '0'))::float8 AS silent_seconds,
       w.registered_at, w.cost_per_hour,
       w.health, w.health_since, w.failures_in_row,
       (w.state = 'draining' OR coalesce(now() >= w.drain_at AND now() < w.drain_until, false))
       AND coalesce(live.assigned, 0) + coalesce(live.running, 0) = 0 AS is_drained,
       (SELECT count(*) FROM hwsched.device d WHERE d.pool = w.pool AND d.worker_id = w.worker_id
        AND d.health = 'quarantined') AS quarantined_devices,
       (SELECT count(*) FROM hwsched.device d WHERE d.pool = w.pool AND d.worker_id = w.worker_id
        AND d.state = 'draining') AS draining_devices,
       l.also_reported,
       CASE WHEN w.drain_until > now() THEN w.drain_at END AS drain_at,
       CASE WHEN w.drain_until > now() THEN w.drain_until END AS drain_until
FROM hwsched.worker w
JOIN hwsched.worker_usage u ON u.pool = w.pool AND u.worker_id = w.worker_id
JOIN hwsched.worker_load l ON l.pool = w.pool AND l.worker_id = w.worker_id
LEFT JOIN (SELECT pool, worker_id, count(*) FILTER (WHERE state = 'assigned') AS assigned,
                  count(*) FILTER (WHERE state = 'running') AS running
           FROM hwsched.assignment WHERE finished_at IS NULL GROUP BY pool, worker_id) live
       ON live.pool = w.pool AND live.worker_id = w.worker_id;
COMMENT ON VIEW hwsched.worker_status IS 'Every worker: its state, what it has and what it does.';
COMMENT ON COLUMN hwsched.worker_status.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.worker_status.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.worker_status.state IS 'active or draining.';
COMMENT ON COLUMN hwsched.worker_status.hostname IS 'Its host name.';
COMMENT ON COLUMN hwsched.worker_status.devices IS 'Number of its devices.';
COMMENT ON COLUMN hwsched.worker_status.cores IS 'Cores that workloads may reserve.';
COMMENT ON COLUMN hwsched.worker_status.memory_bytes IS 'Memory that workloads may reserve.';
COMMENT ON COLUMN hwsched.worker_status.assigned IS 'Assignments that wait for it to start them.';
COMMENT ON COLUMN hwsched.worker_status.running IS 'Assignments that it runs.';
COMMENT ON COLUMN hwsched.worker_status.total_assignments IS 'Assignments ever made to it.';
COMMENT ON COLUMN hwsched.worker_status.phase IS 'normal, warming or cooling.';
COMMENT ON COLUMN hwsched.worker_status.last_seen_at IS 'Last sign of life.';
COMMENT ON COLUMN hwsched.worker_status.silent_seconds IS 'Time since then.';
COMMENT ON COLUMN hwsched.worker_status.registered_at IS 'When it first registered.';
COMMENT ON COLUMN hwsched.worker_status.cost_per_hour IS 'Price of an hour.';
COMMENT ON COLUMN hwsched.worker_status.health IS 'healthy, offline, quarantined or on probation.';
COMMENT ON COLUMN hwsched.worker_status.health_since IS 'Since when.';
COMMENT ON COLUMN hwsched.worker_status.failures_in_row IS
  'Attempts that failed on it since one last succeeded.';
COMMENT ON COLUMN hwsched.worker_status.is_drained IS
  'Whether it is draining, or in its maintenance window, and has nothing left.';
COMMENT ON COLUMN hwsched.worker_status.quarantined_devices IS
  'Its devices that failed too often in a row.';
COMMENT ON COLUMN hwsched.worker_status.draining_devices IS 'Its devices that are draining.';
COMMENT ON COLUMN hwsched.worker_status.drain_at IS
  'When its maintenance window begins, or has begun; NULL: it has none.';
COMMENT ON COLUMN hwsched.worker_status.drain_until IS 'When that is over.';
COMMENT ON COLUMN hwsched.worker_status.also_reported IS
  'What it reported that is shown and not used: warming_state, reserved_memory, ...';

-- The lock of a pool is an advisory lock of class 26743 whose key is the hash of the name: see
-- store/pool.c.
CREATE FUNCTION hwsched_internal.lock_holders(pools text[], OUT pool text, OUT pid int,
    OUT since timestamptz)
    RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT p.pool, a.pid, a.xact_start
FROM unnest($1) AS p(pool)
CROSS JOIN LATERAL hashtextextended(p.pool, 0) AS k(key)
JOIN pg_locks AS l
    ON l.locktype = 'advisory' AND l.objsubid = 26743 AND l.granted
    AND l.mode IN ('ExclusiveLock', 'AccessExclusiveLock')
    AND l.classid = ((k.key >> 32) & 4294967295)::oid AND l.objid = (k.key & 4294967295)::oid
JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    -- it was locked by the statement that runs, or by one before the session became idle
    AND clock_timestamp() - CASE a.state WHEN 'active' THEN a.query_start ELSE a.state_change END
        > '1 second'
$$;
COMMENT ON FUNCTION hwsched_internal.lock_holders(text[]) IS
  'Sessions that hold the lock of a pool for longer than a second, and since when their '
  'transactions run; for the view pool_summary.';

CREATE VIEW hwsched.pool_summary AS
SELECT p.pool,
       coalesce(w.workers, 0) AS workers, coalesce(w.active, 0) AS active_workers,
       coalesce(d.devices, 0) AS devices,
       coalesce(d.accelerators, 0) AS accelerators,
       coalesce(d.reserved_accelerators, 0) AS reserved_accelerators,
       coalesce(q.pending, 0) AS pending, coalesce(a.assigned, 0) AS assigned,
       coalesce(a.running, 0) AS running,
       coalesce(s.completed, 0) + coalesce(n.completed, 0) AS completed,
       coalesce(s.cancelled, 0) AS cancelled, coalesce(s.dead, 0) AS dead,
       a.efficiency_ratio,
       coalesce(w.draining, 0) AS draining_workers, coalesce(w.offline, 0) AS offline_workers,
       coalesce(w.quarantined, 0) AS quarantined_workers,
       t.last_assigned_at, t.last_maintained_at, t.last_error, t.last_error_at,
       h.pid AS lock_holder_pid, h.since AS lock_holder_since,
       CASE WHEN hwsched_internal.sees_all(p.pool) THEN pause.since IS NOT NULL END AS is_paused,
       pause.since AS paused_since, pause.by AS paused_by
FROM hwsched.pool p
-- the first of the versions of its settings that pause it, up to the one in force
LEFT JOIN LATERAL (SELECT v.changed_at AS since, v.changed_by AS by
                   FROM hwsched.settings_version v
                   WHERE v.pool = p.pool AND (v.settings -> 'paused')::boolean
                     AND NOT EXISTS (SELECT FROM hwsched.settings_version w
                                     WHERE w.pool = p.pool AND w.version > v.version
                                       AND (w.settings -> 'paused')::boolean IS NOT TRUE)
                   ORDER BY v.version LIMIT 1) pause ON true
LEFT JOIN (SELECT pool,
                  max(done_at) FILTER (WHERE activity = 'assign_pending') AS last_assigned_at,
                  max(done_at) FILTER (WHERE activity = 'maintain') AS last_maintained_at,
                  (array_agg(activity || ': ' || error ORDER BY error_at DESC)
                      FILTER (WHERE error IS NOT NULL))[1] AS last_error,
                  max(error_at) AS last_error_at
           FROM hwsched.pool_activity GROUP BY pool) t ON t.pool = p.pool
LEFT JOIN (SELECT pool, count(*) AS workers,
                  count(*)
                      FILTER (WHERE state = 'active' AND health IN ('healthy', 'probation'))
                          AS active,
                  count(*) FILTER (WHERE state = 'draining') AS draining,
                  count(*) FILTER (WHERE health = 'offline') AS offline,
                  count(*) FILTER (WHERE health = 'quarantined') AS quarantined
           FROM hwsched.worker GROUP BY pool) w ON w.pool = p.pool
LEFT JOIN (SELECT d.pool, count(*) AS devices,
                  count(*) FILTER (WHERE dp.hardware_class <> 'cpu') AS accelerators,
                  sum(du.share) FILTER (WHERE dp.hardware_class <> 'cpu')
                  / 1000000.0::float8 AS reserved_accelerators
           FROM hwsched.device d
           JOIN hwsched.device_profile dp ON dp.pool = d.pool AND dp.profile_id = d.profile_id
           JOIN hwsched.device_reserved du
               ON du.pool = d.pool AND du.worker_id = d.worker_id AND du.device_no = d.device_no
           GROUP BY d.pool) d ON d.pool = p.pool
LEFT JOIN (SELECT pool, count(*) AS pending FROM hwsched.pending GROUP BY pool) q ON q.pool = p.pool
LEFT JOIN (SELECT pool, count(*) FILTER (WHERE state = 'assigned') AS assigned,
                  count(*) FILTER (WHERE state = 'running') AS running,
                  avg(efficiency) AS efficiency_ratio
           FROM hwsched.assignment GROUP BY pool) a ON a.pool = p.pool
LEFT JOIN (SELECT pool, count(*) FILTER (WHERE outcome = 'completed') AS completed,
                  count(*) FILTER (WHERE outcome = 'cancelled') AS cancelled,
                  count(*) FILTER (WHERE outcome = 'dead') AS dead
           FROM hwsched.submission GROUP BY pool) s ON s.pool = p.pool
LEFT JOIN (SELECT pool, count(*) AS completed
           FROM hwsched.unsettled JOIN hwsched.assignment USING (pool, assignment_id)
           WHERE state = 'completed' AND NOT is_gang GROUP BY pool) n ON n.pool = p.pool
LEFT JOIN hwsched_internal.lock_holders(ARRAY(SELECT o.pool FROM hwsched.pool o)) h
    ON h.pool = p.pool;
COMMENT ON VIEW hwsched.pool_summary IS 'Every pool in one line.';
COMMENT ON COLUMN hwsched.pool_summary.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.pool_summary.workers IS 'Workers registered.';
COMMENT ON COLUMN hwsched.pool_summary.active_workers IS 'Workers that take work.';
COMMENT ON COLUMN hwsched.pool_summary.devices IS 'Devices in them.';
COMMENT ON COLUMN hwsched.pool_summary.accelerators IS 'Devices that are not a CPU.';
COMMENT ON COLUMN hwsched.pool_summary.reserved_accelerators IS
  'Whole accelerators and shares that live assignments hold.';
COMMENT ON COLUMN hwsched.pool_summary.pending IS 'Workloads that wait.';
COMMENT ON COLUMN hwsched.pool_summary.assigned IS 'Assignments not started.';
COMMENT ON COLUMN hwsched.pool_summary.running IS 'Assignments that run.';
COMMENT ON COLUMN hwsched.pool_summary.completed IS 'Workloads completed.';
COMMENT ON COLUMN hwsched.pool_summary.cancelled IS 'Workloads cancelled.';
COMMENT ON COLUMN hwsched.pool_summary.dead IS 'Workloads given up after their last attempt.';
COMMENT ON COLUMN hwsched.pool_summary.efficiency_ratio IS
  'Mean efficiency score of all placements, 0..1.';
COMMENT ON COLUMN hwsched.pool_summary.draining_workers IS 'Workers that are draining.';
COMMENT ON COLUMN hwsched.pool_summary.offline_workers IS 'Workers that are silent.';
COMMENT ON COLUMN hwsched.pool_summary.quarantined_workers IS
  'Workers that failed too often in a row.';
COMMENT ON COLUMN hwsched.pool_summary.last_assigned_at IS
  'When assign_pending() was last done, to about a second; NULL: never.';
COMMENT ON COLUMN hwsched.pool_summary.last_maintained_at IS
  'When maintain() was last done; NULL: never.';
COMMENT ON COLUMN hwsched.pool_summary.last_error IS
  'The last error of a part of maintain(), or of a step of run_loop(); it may be over.';
COMMENT ON COLUMN hwsched.pool_summary.last_error_at IS 'When that was.';
COMMENT ON COLUMN hwsched.pool_summary.lock_holder_pid IS
  'The process that holds the pool''s lock for longer than a second; NULL: none.';
COMMENT ON COLUMN hwsched.pool_summary.lock_holder_since IS
  'Since when the transaction of that process runs.';
COMMENT ON COLUMN hwsched.pool_summary.is_paused IS
  'Whether nothing is placed or started: see pause_pool().';
COMMENT ON COLUMN hwsched.pool_summary.paused_since IS 'Since when; NULL: it is not paused.';
COMMENT ON COLUMN hwsched.pool_summary.paused_by IS 'The role that paused it.';
