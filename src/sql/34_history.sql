-- History: what happened, partitioned by day (UTC), and the hours it was rolled
-- up to, which are kept for much longer.
--
-- maintain() makes the partitions of the coming days and drops those that no pool
-- keeps any more. They are no members of the extension: pg_dump takes them along
-- as the tables they are, and they go with their parent when the extension does.
-- That is why the parents have no indexes (a restored partition would get each
-- twice); every partition has its own. What no day's partition was made for is in
-- the default one: old times, and what came before the first maintain().

CREATE TABLE hwsched.load_history (
    pool text COLLATE "C" NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    device_no int,
    at timestamptz NOT NULL,
    cpu_utilization float8,
    memory_utilization float8,
    gpu_utilization float8,
    io_utilization float8,
    network_utilization float8,
    temperature float8,
    temperature_celsius float8,
    power_w float8,
    phase hwsched.thermal_phase,
    performance_level float8
) PARTITION BY RANGE (at);
COMMENT ON TABLE hwsched.load_history IS
  'Every load that was reported or recorded, of workers and of single devices.';
COMMENT ON COLUMN hwsched.load_history.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.load_history.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.load_history.device_no IS 'The device; NULL: the whole worker.';
COMMENT ON COLUMN hwsched.load_history.at IS 'When it was so.';
COMMENT ON COLUMN hwsched.load_history.cpu_utilization IS 'Percent.';
COMMENT ON COLUMN hwsched.load_history.memory_utilization IS 'Percent.';
COMMENT ON COLUMN hwsched.load_history.gpu_utilization IS
  'Percent; of one device that is not a CPU: its own.';
COMMENT ON COLUMN hwsched.load_history.io_utilization IS 'Percent.';
COMMENT ON COLUMN hwsched.load_history.network_utilization IS 'Percent.';
COMMENT ON COLUMN hwsched.load_history.temperature IS '0 (idle) to 1 (throttling).';
COMMENT ON COLUMN hwsched.load_history.temperature_celsius IS 'Degrees.';
COMMENT ON COLUMN hwsched.load_history.power_w IS 'Watts.';
COMMENT ON COLUMN hwsched.load_history.phase IS
  'Thermal phase of the worker at that time; NULL: nothing was said of heat.';
COMMENT ON COLUMN hwsched.load_history.performance_level IS
  'What that phase left of its performance, 0..1; NULL: not known, or no phase.';

CREATE TABLE hwsched.recorded_assignment (
    pool text COLLATE "C" NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    workload_id text COLLATE "C",
    workload_type text COLLATE "C",
    efficiency float8 NOT NULL,
    adjusted_efficiency float8,
    run int,
    attempt int,
    shard_no int,
    priority smallint,
    state hwsched.assignment_state,
    hardware_class text COLLATE "C",
    model_name text,
    wait_seconds float8
) PARTITION BY RANGE (at);
COMMENT ON TABLE hwsched.recorded_assignment IS
  'Placements that others made and recorded here, or that were loaded; our own are in assignment.';
COMMENT ON COLUMN hwsched.recorded_assignment.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.recorded_assignment.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.recorded_assignment.at IS 'When it was assigned.';
COMMENT ON COLUMN hwsched.recorded_assignment.workload_id IS
  'The workload; NULL: only the score was recorded.';
COMMENT ON COLUMN hwsched.recorded_assignment.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.recorded_assignment.efficiency IS 'Efficiency score 0..1.';
COMMENT ON COLUMN hwsched.recorded_assignment.adjusted_efficiency IS
  'Efficiency adjusted for load and temperature, if known.';
COMMENT ON COLUMN hwsched.recorded_assignment.run IS 'The run of the workload, if known.';
COMMENT ON COLUMN hwsched.recorded_assignment.attempt IS 'The attempt of that run, if known.';
COMMENT ON COLUMN hwsched.recorded_assignment.shard_no IS 'The shard or replica, if known.';
COMMENT ON COLUMN hwsched.recorded_assignment.priority IS '1 (highest) to 5, if known.';
COMMENT ON COLUMN hwsched.recorded_assignment.state IS 'Its state when it was recorded, if known.';
COMMENT ON COLUMN hwsched.recorded_assignment.hardware_class IS
  'Class of the device; where nobody said, of the worker''s first accelerator, or its CPU.';
COMMENT ON COLUMN hwsched.recorded_assignment.model_name IS 'Model of that device.';
COMMENT ON COLUMN hwsched.recorded_assignment.wait_seconds IS
  'From submission to assignment, if known.';

CREATE TABLE hwsched.recorded_execution (
    pool text COLLATE "C" NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    workload_id text COLLATE "C" NOT NULL,
    workload_type text COLLATE "C" NOT NULL,
    predicted_seconds float8 NOT NULL,
    actual_seconds float8 NOT NULL,
    run int,
    attempt int,
    state hwsched.assignment_state NOT NULL DEFAULT 'completed',
    error text,
    hardware_class text COLLATE "C",
    model_name text,
    model_id text,
    model_family text,
    expected_seconds float8
) PARTITION BY RANGE (at);
COMMENT ON TABLE hwsched.recorded_execution IS
  'Executions elsewhere that were recorded here, or loaded; our own are in assignment.';
COMMENT ON COLUMN hwsched.recorded_execution.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.recorded_execution.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.recorded_execution.at IS 'When it ended.';
COMMENT ON COLUMN hwsched.recorded_execution.workload_id IS 'The workload.';
COMMENT ON COLUMN hwsched.recorded_execution.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.recorded_execution.predicted_seconds IS
  'Duration that was estimated; 0: none was.';
COMMENT ON COLUMN hwsched.recorded_execution.actual_seconds IS 'Duration that it took.';
COMMENT ON COLUMN hwsched.recorded_execution.run IS 'The run of the workload, if known.';
COMMENT ON COLUMN hwsched.recorded_execution.attempt IS 'The attempt of that run, if known.';
COMMENT ON COLUMN hwsched.recorded_execution.state IS 'How it ended.';
COMMENT ON COLUMN hwsched.recorded_execution.error IS 'What went wrong.';
COMMENT ON COLUMN hwsched.recorded_execution.hardware_class IS
  'Class of the device; where nobody said, of the worker''s first accelerator, or its CPU.';
COMMENT ON COLUMN hwsched.recorded_execution.model_name IS 'Model of that device.';
COMMENT ON COLUMN hwsched.recorded_execution.model_id IS 'The model that was run, if known.';
COMMENT ON COLUMN hwsched.recorded_execution.model_family IS 'Its family, if known.';
COMMENT ON COLUMN hwsched.recorded_execution.expected_seconds IS
  'Duration that its submitter expected, if known.';

CREATE TABLE hwsched.load_history_default (LIKE hwsched.load_history INCLUDING ALL);
CREATE TABLE hwsched.recorded_assignment_default (LIKE hwsched.recorded_assignment INCLUDING ALL);
CREATE TABLE hwsched.recorded_execution_default (LIKE hwsched.recorded_execution INCLUDING ALL);
ALTER TABLE hwsched.load_history ATTACH PARTITION hwsched.load_history_default DEFAULT;
ALTER TABLE hwsched.recorded_assignment ATTACH PARTITION hwsched.recorded_assignment_default
    DEFAULT;
ALTER TABLE hwsched.recorded_execution ATTACH PARTITION hwsched.recorded_execution_default DEFAULT;
-- Events have no key. Without an identity nothing could be deleted once the
-- database is published; each day's partition gets its own.
ALTER TABLE hwsched.load_history REPLICA IDENTITY FULL;
ALTER TABLE hwsched.recorded_assignment REPLICA IDENTITY FULL;
ALTER TABLE hwsched.recorded_execution REPLICA IDENTITY FULL;
ALTER TABLE hwsched.load_history_default REPLICA IDENTITY FULL;
ALTER TABLE hwsched.recorded_assignment_default REPLICA IDENTITY FULL;
ALTER TABLE hwsched.recorded_execution_default REPLICA IDENTITY FULL;
CREATE INDEX ON hwsched.load_history_default (pool, worker_id, at);
CREATE INDEX ON hwsched.load_history_default (pool, at);
CREATE INDEX ON hwsched.recorded_assignment_default (pool, worker_id, at);
CREATE INDEX ON hwsched.recorded_assignment_default (pool, at);
CREATE INDEX ON hwsched.recorded_execution_default (pool, worker_id, at);
CREATE INDEX ON hwsched.recorded_execution_default (pool, at);
COMMENT ON TABLE hwsched.load_history_default IS
  'Of load_history, the days without a partition of their own.';
COMMENT ON TABLE hwsched.recorded_assignment_default IS
  'Of recorded_assignment, the days without a partition of their own.';
COMMENT ON TABLE hwsched.recorded_execution_default IS
  'Of recorded_execution, the days without a partition of their own.';

-- Our own placements of a day, or of an hour, without reading all of them. With
-- the pool in front, or of what is live, such an index would be taken for others'
-- work, which is to find a few rows by their key.
CREATE INDEX assignment_assigned ON hwsched.assignment
    USING brin (assigned_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX assignment_finished ON hwsched.assignment
    USING brin (finished_at) WITH (pages_per_range = 32, autosummarize = on)
    WHERE finished_at IS NOT NULL;

-- The hours. A row never changes; an hour in which something turns up late is
-- rolled up again. One worker's hours are found by the key, the fleet's by the
-- other index.

CREATE TABLE hwsched.utilization_hour (
    pool text COLLATE "C" NOT NULL,
    hour timestamptz NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    device_no int NOT NULL,
    samples bigint NOT NULL,
    cpu_ratio float8,
    memory_ratio float8,
    gpu_ratio float8,
    io_ratio float8,
    network_ratio float8,
    max_cpu_ratio float8,
    max_memory_ratio float8,
    max_gpu_ratio float8,
    max_io_ratio float8,
    max_network_ratio float8,
    PRIMARY KEY (pool, worker_id, device_no, hour)
);
CREATE INDEX ON hwsched.utilization_hour (pool, hour);
COMMENT ON TABLE hwsched.utilization_hour IS
  'Utilization by the hour; see utilization_history_hourly.';
COMMENT ON COLUMN hwsched.utilization_hour.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.utilization_hour.hour IS 'When the hour began.';
COMMENT ON COLUMN hwsched.utilization_hour.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.utilization_hour.device_no IS 'The device; -1: the whole worker.';
COMMENT ON COLUMN hwsched.utilization_hour.samples IS 'Reports in that hour.';
COMMENT ON COLUMN hwsched.utilization_hour.cpu_ratio IS 'Mean, 0..1.';
COMMENT ON COLUMN hwsched.utilization_hour.memory_ratio IS 'Mean, 0..1.';
COMMENT ON COLUMN hwsched.utilization_hour.gpu_ratio IS 'Mean, 0..1.';
COMMENT ON COLUMN hwsched.utilization_hour.io_ratio IS 'Mean, 0..1.';
COMMENT ON COLUMN hwsched.utilization_hour.network_ratio IS 'Mean, 0..1.';
COMMENT ON COLUMN hwsched.utilization_hour.max_cpu_ratio IS 'Greatest, 0..1.';
COMMENT ON COLUMN hwsched.utilization_hour.max_memory_ratio IS 'Greatest, 0..1.';
COMMENT ON COLUMN hwsched.utilization_hour.max_gpu_ratio IS 'Greatest, 0..1.';
COMMENT ON COLUMN hwsched.utilization_hour.max_io_ratio IS 'Greatest, 0..1.';
COMMENT ON COLUMN hwsched.utilization_hour.max_network_ratio IS 'Greatest, 0..1.';

CREATE TABLE hwsched.thermal_hour (
    pool text COLLATE "C" NOT NULL,
    hour timestamptz NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    device_no int NOT NULL,
    samples bigint NOT NULL,
    temperature_ratio float8,
    max_temperature_ratio float8,
    temperature_celsius float8,
    max_temperature_celsius float8,
    power_watts float8,
    PRIMARY KEY (pool, worker_id, device_no, hour)
);
CREATE INDEX ON hwsched.thermal_hour (pool, hour);
COMMENT ON TABLE hwsched.thermal_hour IS
  'Temperature and power by the hour; see thermal_history_hourly.';
COMMENT ON COLUMN hwsched.thermal_hour.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.thermal_hour.hour IS 'When the hour began.';
COMMENT ON COLUMN hwsched.thermal_hour.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.thermal_hour.device_no IS 'The device; -1: the whole worker.';
COMMENT ON COLUMN hwsched.thermal_hour.samples IS 'Reports in that hour.';
COMMENT ON COLUMN hwsched.thermal_hour.temperature_ratio IS 'Mean, 0 (idle) to 1 (throttling).';
COMMENT ON COLUMN hwsched.thermal_hour.max_temperature_ratio IS 'Greatest, 0 to 1.';
COMMENT ON COLUMN hwsched.thermal_hour.temperature_celsius IS 'Mean, degrees.';
COMMENT ON COLUMN hwsched.thermal_hour.max_temperature_celsius IS 'Greatest, degrees.';
COMMENT ON COLUMN hwsched.thermal_hour.power_watts IS 'Mean.';

CREATE TABLE hwsched.assignment_hour (
    pool text COLLATE "C" NOT NULL,
    hour timestamptz NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    workload_type text COLLATE "C" NOT NULL,
    assignments bigint NOT NULL,
    efficiency_ratio float8 NOT NULL,
    min_efficiency_ratio float8 NOT NULL,
    max_efficiency_ratio float8 NOT NULL,
    wait_seconds float8,
    max_wait_seconds float8,
    PRIMARY KEY (pool, worker_id, workload_type, hour)
);
CREATE INDEX ON hwsched.assignment_hour (pool, hour);
COMMENT ON TABLE hwsched.assignment_hour IS
  'Assignments and their efficiency by the hour; see assignment_history_hourly and '
  'efficiency_history_hourly.';
COMMENT ON COLUMN hwsched.assignment_hour.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.assignment_hour.hour IS 'When the hour began.';
COMMENT ON COLUMN hwsched.assignment_hour.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.assignment_hour.workload_type IS 'The type of work; empty: not known.';
COMMENT ON COLUMN hwsched.assignment_hour.assignments IS
  'Assignments made in that hour; 0: only scores were recorded.';
COMMENT ON COLUMN hwsched.assignment_hour.efficiency_ratio IS 'Mean efficiency score, 0..1.';
COMMENT ON COLUMN hwsched.assignment_hour.min_efficiency_ratio IS 'Least of them.';
COMMENT ON COLUMN hwsched.assignment_hour.max_efficiency_ratio IS 'Greatest of them.';
COMMENT ON COLUMN hwsched.assignment_hour.wait_seconds IS
  'Mean wait from submission to assignment, of those known.';
COMMENT ON COLUMN hwsched.assignment_hour.max_wait_seconds IS 'Longest of them.';

CREATE TABLE hwsched.execution_hour (
    pool text COLLATE "C" NOT NULL,
    hour timestamptz NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    workload_type text COLLATE "C" NOT NULL,
    completed bigint NOT NULL,
    failed bigint NOT NULL,
    predicted_seconds float8,
    actual_seconds float8,
    max_actual_seconds float8,
    PRIMARY KEY (pool, worker_id, workload_type, hour)
);
CREATE INDEX ON hwsched.execution_hour (pool, hour);
COMMENT ON TABLE hwsched.execution_hour IS
  'Executions by the hour in which they ended; see execution_history_hourly.';
COMMENT ON COLUMN hwsched.execution_hour.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.execution_hour.hour IS 'When the hour began.';
COMMENT ON COLUMN hwsched.execution_hour.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.execution_hour.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.execution_hour.completed IS 'Executions that were completed.';
COMMENT ON COLUMN hwsched.execution_hour.failed IS 'Executions that failed or expired.';
COMMENT ON COLUMN hwsched.execution_hour.predicted_seconds IS 'Mean estimate for those completed.';
COMMENT ON COLUMN hwsched.execution_hour.actual_seconds IS 'Mean duration of those completed.';
COMMENT ON COLUMN hwsched.execution_hour.max_actual_seconds IS 'Longest of them.';

CREATE TABLE hwsched.history_progress (
    pool text COLLATE "C" PRIMARY KEY,
    rolled_until timestamptz NOT NULL,
    complete_from timestamptz NOT NULL
);
COMMENT ON TABLE hwsched.history_progress IS
  'How far the history of each pool is rolled up and forgotten.';
COMMENT ON COLUMN hwsched.history_progress.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.history_progress.rolled_until IS 'The hours before this are rolled up.';
COMMENT ON COLUMN hwsched.history_progress.complete_from IS
  'What was before this may be gone, so that its hours stay as they are.';

-- The key has the transaction, so that a mark is there for others exactly when
-- what it marks is, and writers never wait for each other.
CREATE TABLE hwsched.history_late (
    pool text COLLATE "C" NOT NULL,
    hour timestamptz NOT NULL,
    recorded_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (pool, hour, recorded_by)
);
COMMENT ON TABLE hwsched.history_late IS
  'Hours in which something was recorded after they were over: maintain() rolls them up again.';
COMMENT ON COLUMN hwsched.history_late.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.history_late.hour IS 'When the hour began.';
COMMENT ON COLUMN hwsched.history_late.recorded_by IS 'The transaction that did so.';

-- Views that look into each pool would be planned for a thousand of them.
ANALYZE hwsched.pool;
