-- The instances, keyed by pool first throughout. What changes often is in
-- narrow rows apart from the documents that do not, each kind of row with one
-- writer: usage by the scheduler, load by the worker's reports.
--
-- There are no foreign keys. pg_restore -j loads the tables of an extension in any
-- order, with their constraints in force from the start, so it would lose what
-- refers to a row that comes later. A check per row would also cost more than the
-- row. Who writes holds the pool (pool_keep) or its lock instead; drop_pool() and
-- unregister_worker() remove all that is of a pool or a worker.

CREATE TABLE hwsched.pool (
    pool text COLLATE "C" PRIMARY KEY CHECK (octet_length(pool) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE hwsched.pool IS
  'Scheduling domains, each with its own workers, queue and settings.';
COMMENT ON COLUMN hwsched.pool.pool IS 'Name of the pool.';
COMMENT ON COLUMN hwsched.pool.created_at IS 'When it was created.';

CREATE TABLE hwsched.pool_activity (
    pool text COLLATE "C" NOT NULL,
    activity text COLLATE "C" NOT NULL
        CHECK (activity IN ('assign_pending', 'maintain', 'oldest_report', 'scaling_advice')),
    done_at timestamptz,
    error text,
    error_at timestamptz,
    detail jsonb,
    PRIMARY KEY (pool, activity)
) WITH (fillfactor = 50);
COMMENT ON TABLE hwsched.pool_activity IS
  'When each pool was last assigned and maintained, and what last went wrong; see pool_summary.';
COMMENT ON COLUMN hwsched.pool_activity.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.pool_activity.activity IS
  'assign_pending or maintain; oldest_report: no report of load is older than done_at; '
  'scaling_advice: maintain() has sought it.';
COMMENT ON COLUMN hwsched.pool_activity.done_at IS
  'When that was last done; of many batches in a second, the first of each session.';
COMMENT ON COLUMN hwsched.pool_activity.error IS
  'The last error of it, or of a part of it; NULL: there was none.';
COMMENT ON COLUMN hwsched.pool_activity.error_at IS 'When that was.';
COMMENT ON COLUMN hwsched.pool_activity.detail IS
  'What came of it: of scaling_advice, the changes that it advised.';

CREATE TABLE hwsched.settings_version (
    pool text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    settings jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by name NOT NULL DEFAULT session_user,
    reason text,
    PRIMARY KEY (pool, version)
);
COMMENT ON TABLE hwsched.settings_version IS
  'The settings of a pool that differ from their defaults; the greatest version is in force.';
COMMENT ON COLUMN hwsched.settings_version.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.settings_version.version IS 'Counts the changes of this pool from 1.';
COMMENT ON COLUMN hwsched.settings_version.settings IS
  'All settings that differ from their defaults; see pool_settings().';
COMMENT ON COLUMN hwsched.settings_version.changed_at IS 'When they came into force.';
COMMENT ON COLUMN hwsched.settings_version.changed_by IS 'The role that set them.';
COMMENT ON COLUMN hwsched.settings_version.reason IS 'Why, as they said; NULL: they did not.';

-- Types: what many devices and many workloads share. A row never changes.

CREATE TABLE hwsched.device_profile (
    pool text COLLATE "C" NOT NULL,
    profile_id bigint GENERATED ALWAYS AS IDENTITY,
    profile jsonb NOT NULL,
    hardware_class text COLLATE "C" NOT NULL
        GENERATED ALWAYS AS (profile ->> 'hardware_class') STORED,
    architecture text COLLATE "C" GENERATED ALWAYS AS (profile ->> 'architecture') STORED,
    vendor text COLLATE "C" GENERATED ALWAYS AS (profile ->> 'vendor') STORED,
    model_name text GENERATED ALWAYS AS (profile ->> 'model_name') STORED,
    memory_total_bytes bigint
        GENERATED ALWAYS AS ((profile ->> 'memory_total_bytes')::bigint) STORED,
    compute_units int GENERATED ALWAYS AS ((profile ->> 'compute_units')::int) STORED,
    digest bytea NOT NULL,
    PRIMARY KEY (pool, profile_id),
    UNIQUE (pool, digest)
);
CREATE INDEX device_profile_by_memory ON hwsched.device_profile (pool, memory_total_bytes);
COMMENT ON TABLE hwsched.device_profile IS 'Kinds of device: what many devices share.';
COMMENT ON COLUMN hwsched.device_profile.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.device_profile.profile_id IS 'Identifies the profile.';
COMMENT ON COLUMN hwsched.device_profile.profile IS 'The device profile as a document.';
COMMENT ON COLUMN hwsched.device_profile.hardware_class IS 'cpu, gpu, tpu, npu, ...';
COMMENT ON COLUMN hwsched.device_profile.architecture IS 'x86_64, gpu_cuda, ...';
COMMENT ON COLUMN hwsched.device_profile.vendor IS 'Its maker.';
COMMENT ON COLUMN hwsched.device_profile.model_name IS 'The model, as its worker names it.';
COMMENT ON COLUMN hwsched.device_profile.memory_total_bytes IS
  'Memory of one such device; of its worker if it has none of its own.';
COMMENT ON COLUMN hwsched.device_profile.compute_units IS 'Cores or multiprocessors.';
COMMENT ON COLUMN hwsched.device_profile.digest IS
  'SHA-256 of the document as text: equal documents are one profile.';

CREATE TABLE hwsched.workload_profile (
    pool text COLLATE "C" NOT NULL,
    profile_id bigint GENERATED ALWAYS AS IDENTITY,
    profile jsonb NOT NULL,
    demand jsonb NOT NULL,
    workload_type text COLLATE "C" NOT NULL
        GENERATED ALWAYS AS (profile ->> 'workload_type') STORED,
    cpu_millicores bigint NOT NULL
        GENERATED ALWAYS AS ((demand ->> 'cpu_millicores')::bigint) STORED,
    host_memory_bytes bigint NOT NULL
        GENERATED ALWAYS AS ((demand ->> 'host_memory_bytes')::bigint) STORED,
    device_memory_bytes bigint NOT NULL
        GENERATED ALWAYS AS ((profile ->> 'min_memory_bytes')::bigint) STORED,
    device_share int NOT NULL
        GENERATED ALWAYS AS (CASE WHEN (demand ->> 'share')::int > 0 THEN (demand ->> 'share')::int
                                  WHEN demand ? 'accelerators' THEN 1000000 ELSE 0 END) STORED,
    device_slots int NOT NULL
        GENERATED ALWAYS AS (CASE WHEN (demand ->> 'share')::int > 0 OR demand ? 'accelerators'
                                  THEN 0 ELSE 1 END) STORED,
    allocation_strategy text COLLATE "C" NOT NULL
        GENERATED ALWAYS
        AS (CASE WHEN profile ->> 'allocation_strategy' = 'replicated' THEN 'replicated'
                 WHEN profile ->> 'allocation_strategy' = 'sharded'
                     AND (profile ->> 'is_shardable')::boolean
                 THEN 'sharded' ELSE 'single' END) STORED,
    quorum int NOT NULL GENERATED ALWAYS AS (coalesce((demand ->> 'quorum')::int, 0)) STORED,
    tenant text COLLATE "C" NOT NULL
        GENERATED ALWAYS AS (coalesce(demand ->> 'tenant', '')) STORED,
    digest bytea NOT NULL,
    PRIMARY KEY (pool, profile_id),
    UNIQUE (pool, digest)
);
COMMENT ON TABLE hwsched.workload_profile IS
  'Kinds of workload: all that decides where one may run and what it takes there.';
COMMENT ON COLUMN hwsched.workload_profile.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.workload_profile.profile_id IS 'Identifies the profile.';
COMMENT ON COLUMN hwsched.workload_profile.profile IS
  'The workload profile as a document, without duration and priority.';
COMMENT ON COLUMN hwsched.workload_profile.demand IS
  'What it takes from its worker: cores, memory, accelerators, software; of a gang also its '
  'quorum, and whether its members may share a worker.';
COMMENT ON COLUMN hwsched.workload_profile.tenant IS 'On whose account it runs.';
COMMENT ON COLUMN hwsched.workload_profile.workload_type IS 'vision, nlp, training, ...';
COMMENT ON COLUMN hwsched.workload_profile.cpu_millicores IS
  'Thousandths of a core it reserves on its worker.';
COMMENT ON COLUMN hwsched.workload_profile.host_memory_bytes IS 'Memory it reserves on its worker.';
COMMENT ON COLUMN hwsched.workload_profile.device_memory_bytes IS
  'Memory it reserves on each of its devices.';
COMMENT ON COLUMN hwsched.workload_profile.device_share IS
  'Millionths it takes of each of its devices; 1000000 is the whole device.';
COMMENT ON COLUMN hwsched.workload_profile.device_slots IS
  'Slots (of max_concurrent) it takes of its device: 1, or 0 with accelerators or a share.';
COMMENT ON COLUMN hwsched.workload_profile.allocation_strategy IS
  'The strategy in force: single, sharded or replicated. What is not shardable is single instead '
  'of sharded.';
COMMENT ON COLUMN hwsched.workload_profile.quorum IS
  'Replicas that have to complete; 0 if it is not replicated.';
COMMENT ON COLUMN hwsched.workload_profile.digest IS
  'SHA-256 of both documents as text: equal ones are one profile.';

CREATE TABLE hwsched.hardware (
    pool text COLLATE "C" NOT NULL,
    hardware_id bigint GENERATED ALWAYS AS IDENTITY,
    cpu_millicores bigint NOT NULL,
    memory_bytes bigint NOT NULL,
    software_versions jsonb NOT NULL,
    device_profile_ids bigint[] NOT NULL,
    device_memory_bytes bigint[] NOT NULL,
    device_uses_host_memory boolean[] NOT NULL,
    device_nos int[] NOT NULL,
    digest bytea NOT NULL,
    PRIMARY KEY (pool, hardware_id),
    UNIQUE (pool, digest)
);
COMMENT ON TABLE hwsched.hardware IS
  'Kinds of worker: what workers with the same hardware and software share.';
COMMENT ON COLUMN hwsched.hardware.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.hardware.hardware_id IS 'Identifies the kind of worker.';
COMMENT ON COLUMN hwsched.hardware.cpu_millicores IS
  'Thousandths of a core that such a worker has.';
COMMENT ON COLUMN hwsched.hardware.memory_bytes IS 'Memory that it has; 0 when unknown.';
COMMENT ON COLUMN hwsched.hardware.software_versions IS 'Its installed software: {name: version}.';
COMMENT ON COLUMN hwsched.hardware.device_profile_ids IS
  'The device profile of each of its devices, in the order of device_nos.';
COMMENT ON COLUMN hwsched.hardware.device_memory_bytes IS
  'Memory of its own of each of its devices; -1 if it has its worker''s.';
COMMENT ON COLUMN hwsched.hardware.device_uses_host_memory IS
  'Of each of its devices, whether it uses its worker''s memory.';
COMMENT ON COLUMN hwsched.hardware.device_nos IS 'The numbers of its devices, in order.';
COMMENT ON COLUMN hwsched.hardware.digest IS
  'SHA-256 of all that as text: equal workers are of one kind.';

-- Workers and their devices.

CREATE TABLE hwsched.worker (
    pool text COLLATE "C" NOT NULL,
    worker_id text COLLATE "C" NOT NULL CHECK (octet_length(worker_id) BETWEEN 1 AND 1000),
    state hwsched.worker_state NOT NULL DEFAULT 'active',
    hostname text,
    cpu_millicores bigint NOT NULL,
    memory_bytes bigint NOT NULL,
    max_concurrent int,
    software_versions jsonb NOT NULL DEFAULT '{}',
    cost_per_hour float8,
    network_bandwidth float8,
    labels jsonb NOT NULL DEFAULT '{}',
    capabilities jsonb NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    health hwsched.worker_health NOT NULL DEFAULT 'healthy',
    health_since timestamptz NOT NULL DEFAULT now(),
    failures_in_row int NOT NULL DEFAULT 0,
    quarantines_in_row int NOT NULL DEFAULT 0,
    incarnation text,
    taints jsonb,
    drain_at timestamptz,
    drain_until timestamptz,
    PRIMARY KEY (pool, worker_id)
);
CREATE INDEX worker_window ON hwsched.worker (pool, worker_id) WHERE drain_until IS NOT NULL;
CREATE INDEX worker_unhealthy ON hwsched.worker (pool, health) WHERE health <> 'healthy';
-- among whom maintain() looks for silent ones
CREATE INDEX worker_online ON hwsched.worker (pool, worker_id) WHERE health <> 'offline';
COMMENT ON TABLE hwsched.worker IS 'Hosts that execute, as they registered.';
COMMENT ON COLUMN hwsched.worker.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.worker.worker_id IS 'Name of the worker, unique in its pool.';
COMMENT ON COLUMN hwsched.worker.state IS 'active, or draining: finishes what it has.';
COMMENT ON COLUMN hwsched.worker.hostname IS 'Its host name, as it says.';
COMMENT ON COLUMN hwsched.worker.cpu_millicores IS
  'Thousandths of a core that workloads may reserve.';
COMMENT ON COLUMN hwsched.worker.memory_bytes IS
  'Memory that workloads may reserve; 0 when unknown.';
COMMENT ON COLUMN hwsched.worker.max_concurrent IS
  'Most live assignments on the whole worker; NULL: no limit.';
COMMENT ON COLUMN hwsched.worker.software_versions IS 'Installed software: {name: version}.';
COMMENT ON COLUMN hwsched.worker.cost_per_hour IS
  'Price of an hour, in the currency of your choice.';
COMMENT ON COLUMN hwsched.worker.network_bandwidth IS 'Bandwidth, as the worker states it.';
COMMENT ON COLUMN hwsched.worker.labels IS 'What it can be selected by: {name: value}.';
COMMENT ON COLUMN hwsched.worker.taints IS
  'Only work that tolerates all of them goes there: {name: value}; NULL: none.';
COMMENT ON COLUMN hwsched.worker.capabilities IS 'The whole document it registered with.';
COMMENT ON COLUMN hwsched.worker.registered_at IS 'When it first registered.';
COMMENT ON COLUMN hwsched.worker.updated_at IS 'When it last registered.';
COMMENT ON COLUMN hwsched.worker.health IS
  'Whether it can be relied on; only a healthy one takes work, and one on probation a single '
  'workload.';
COMMENT ON COLUMN hwsched.worker.health_since IS 'Since when that holds.';
COMMENT ON COLUMN hwsched.worker.failures_in_row IS
  'Attempts that failed on it since one last succeeded.';
COMMENT ON COLUMN hwsched.worker.quarantines_in_row IS
  'How often it was quarantined since an attempt last succeeded: each lasts twice as long.';

COMMENT ON COLUMN hwsched.worker.drain_at IS
  'When its maintenance window begins: nothing starts there that is predicted (P90) to reach into '
  'it; NULL: it has none.';
COMMENT ON COLUMN hwsched.worker.drain_until IS 'When that is over.';
COMMENT ON COLUMN hwsched.worker.incarnation IS
  'Tells one start of it from another, as it says; its host name if it does not say.';

CREATE TABLE hwsched.device (
    pool text COLLATE "C" NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    device_no int NOT NULL CHECK (device_no >= 0),
    profile_id bigint NOT NULL,
    memory_bytes bigint,
    uses_host_memory boolean NOT NULL,
    device_id text COLLATE "C",
    state hwsched.worker_state NOT NULL DEFAULT 'active',
    health hwsched.worker_health NOT NULL DEFAULT 'healthy',
    health_since timestamptz NOT NULL DEFAULT now(),
    failures_in_row int NOT NULL DEFAULT 0,
    quarantines_in_row int NOT NULL DEFAULT 0,
    labels jsonb,
    PRIMARY KEY (pool, worker_id, device_no)
);
-- next to empty, so that successes cost nothing
CREATE INDEX device_failing ON hwsched.device (pool, worker_id, device_no)
    WHERE failures_in_row > 0 OR quarantines_in_row > 0 OR health <> 'healthy';
COMMENT ON TABLE hwsched.device IS
  'Pieces of hardware: a CPU, one GPU of eight, a browser''s adapter.';
COMMENT ON COLUMN hwsched.device.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.device.worker_id IS 'The worker it is in.';
COMMENT ON COLUMN hwsched.device.device_no IS
  'Its number in the worker, from 0: its place in device_profiles() when it first came.';
COMMENT ON COLUMN hwsched.device.profile_id IS 'Its device profile.';
COMMENT ON COLUMN hwsched.device.memory_bytes IS
  'Memory of its own that workloads may reserve; NULL if it has its worker''s.';
COMMENT ON COLUMN hwsched.device.uses_host_memory IS
  'Whether what is reserved on it comes out of its worker''s memory.';

COMMENT ON COLUMN hwsched.device.labels IS
  'What it can be selected by, beside the labels of its worker: {name: value}; NULL: nothing.';
COMMENT ON COLUMN hwsched.device.state IS 'active, or draining: see drain_device().';
COMMENT ON COLUMN hwsched.device.health IS
  'Whether it can be relied on: healthy, quarantined, or on probation with one workload at a '
  'time.';
COMMENT ON COLUMN hwsched.device.health_since IS 'Since when that holds.';
COMMENT ON COLUMN hwsched.device.failures_in_row IS
  'Attempts that failed on it since one last succeeded.';
COMMENT ON COLUMN hwsched.device.quarantines_in_row IS
  'How often it was quarantined since an attempt last succeeded.';
COMMENT ON COLUMN hwsched.device.device_id IS
  'Identifies it in its worker, whatever the order of devices; NULL: its number does.';

CREATE TABLE hwsched.worker_usage (
    pool text COLLATE "C" NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    assignments int NOT NULL DEFAULT 0,
    cpu_millicores bigint NOT NULL DEFAULT 0,
    host_memory_bytes bigint NOT NULL DEFAULT 0,
    total_assignments bigint NOT NULL DEFAULT 0,
    last_turn bigint NOT NULL DEFAULT 0,
    hardware_id bigint NOT NULL,
    is_full boolean NOT NULL DEFAULT false,
    ran_at timestamptz,
    PRIMARY KEY (pool, worker_id)
) WITH (fillfactor = 50);
CREATE INDEX worker_usage_least
    ON hwsched.worker_usage (pool, hardware_id, assignments, total_assignments, worker_id)
    WHERE NOT is_full;
-- where an idle worker looks for work that others have not started
CREATE INDEX worker_usage_most ON hwsched.worker_usage (pool, assignments) WHERE assignments > 1;
COMMENT ON TABLE hwsched.worker_usage IS 'The capacity of each worker that live assignments hold.';
COMMENT ON COLUMN hwsched.worker_usage.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.worker_usage.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.worker_usage.assignments IS 'Live assignments.';
COMMENT ON COLUMN hwsched.worker_usage.cpu_millicores IS 'Thousandths of a core reserved.';
COMMENT ON COLUMN hwsched.worker_usage.host_memory_bytes IS
  'Memory reserved as host_memory; what devices draw comes on top.';
COMMENT ON COLUMN hwsched.worker_usage.total_assignments IS
  'Assignments ever made to it: equal workers take turns by it.';
COMMENT ON COLUMN hwsched.worker_usage.last_turn IS
  'Grows with each assignment made in the pool, microseconds of the decision and then by one: '
  'whose is least has waited longest.';
COMMENT ON COLUMN hwsched.worker_usage.hardware_id IS 'The kind of worker it is.';
COMMENT ON COLUMN hwsched.worker_usage.is_full IS
  'Whether the last decision left no room on it for anything, and nothing was given back since.';

COMMENT ON COLUMN hwsched.worker_usage.ran_at IS
  'When something that it ran ended last, as it was settled.';

CREATE TABLE hwsched.device_usage (
    pool text COLLATE "C" NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    device_no int NOT NULL,
    slots int NOT NULL DEFAULT 0,
    share int NOT NULL DEFAULT 0,
    memory_bytes bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (pool, worker_id, device_no)
) WITH (fillfactor = 50);
COMMENT ON TABLE hwsched.device_usage IS 'The capacity of each device that live assignments hold.';
COMMENT ON COLUMN hwsched.device_usage.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.device_usage.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.device_usage.device_no IS 'The device.';
COMMENT ON COLUMN hwsched.device_usage.slots IS 'Of its max_concurrent slots, those taken.';
COMMENT ON COLUMN hwsched.device_usage.share IS
  'Millionths taken as shares; a whole accelerator is 1000000.';
COMMENT ON COLUMN hwsched.device_usage.memory_bytes IS 'Memory reserved.';

CREATE TABLE hwsched.worker_load (
    pool text COLLATE "C" NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    cpu_utilization float8,
    memory_utilization float8,
    gpu_utilization float8,
    io_utilization float8,
    network_utilization float8,
    active_tests int,
    queue_depth int,
    temperature float8,
    temperature_celsius float8,
    power_w float8,
    reported_at timestamptz,
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    names_runs boolean NOT NULL DEFAULT false,
    phase hwsched.thermal_phase NOT NULL DEFAULT 'normal',
    phase_since timestamptz,
    phase_duration interval,
    hardware_id bigint NOT NULL,
    cpu_readiness float8,
    accelerator_readiness float8,
    state_hash bigint NOT NULL,
    temperatures float8[],
    throttles_at float8[],
    busy_at timestamptz,
    high_since timestamptz,
    also_reported jsonb,
    PRIMARY KEY (pool, worker_id)
) WITH (fillfactor = 50);
CREATE INDEX worker_load_cpu
    ON hwsched.worker_load (pool, hardware_id, cpu_readiness, state_hash, worker_id)
    WHERE cpu_readiness IS NOT NULL;
CREATE INDEX worker_load_accelerator
    ON hwsched.worker_load (pool, hardware_id, accelerator_readiness, state_hash, worker_id)
    WHERE accelerator_readiness IS NOT NULL;
CREATE INDEX worker_load_cpu_of_all ON hwsched.worker_load (pool, cpu_readiness, worker_id)
    WHERE cpu_readiness IS NOT NULL;
CREATE INDEX worker_load_accelerator_of_all
    ON hwsched.worker_load (pool, accelerator_readiness, worker_id)
    WHERE accelerator_readiness IS NOT NULL;
COMMENT ON TABLE hwsched.worker_load IS
  'The last report of each worker; all NULL: none yet, and it counts as idle.';
COMMENT ON COLUMN hwsched.worker_load.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.worker_load.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.worker_load.cpu_utilization IS 'Percent.';
COMMENT ON COLUMN hwsched.worker_load.memory_utilization IS 'Percent.';
COMMENT ON COLUMN hwsched.worker_load.gpu_utilization IS 'Percent.';
COMMENT ON COLUMN hwsched.worker_load.io_utilization IS 'Percent.';
COMMENT ON COLUMN hwsched.worker_load.network_utilization IS 'Percent.';
COMMENT ON COLUMN hwsched.worker_load.active_tests IS 'Tests it says it runs.';
COMMENT ON COLUMN hwsched.worker_load.queue_depth IS 'Tests it says it has waiting.';
COMMENT ON COLUMN hwsched.worker_load.temperature IS '0 (idle) to 1 (throttling).';
COMMENT ON COLUMN hwsched.worker_load.temperature_celsius IS
  'Degrees; scaled by each device''s idle and throttle points.';
COMMENT ON COLUMN hwsched.worker_load.power_w IS 'Watts.';
COMMENT ON COLUMN hwsched.worker_load.reported_at IS 'When the load was reported.';
COMMENT ON COLUMN hwsched.worker_load.last_seen_at IS 'Last sign of life.';
COMMENT ON COLUMN hwsched.worker_load.names_runs IS
  'Whether its heartbeats name what it runs: then they renew these leases, and no other sign of '
  'life renews any.';
COMMENT ON COLUMN hwsched.worker_load.phase IS 'Thermal phase that was started last.';
COMMENT ON COLUMN hwsched.worker_load.phase_since IS 'When it started.';
COMMENT ON COLUMN hwsched.worker_load.phase_duration IS
  'How long it takes; after that the level is 1 again.';
COMMENT ON COLUMN hwsched.worker_load.hardware_id IS 'The kind of worker it is.';
COMMENT ON COLUMN hwsched.worker_load.cpu_readiness IS
  'What load and temperature leave of the efficiency of its CPU, 0..1, of the best if it has '
  'several; NULL: it has none.';
COMMENT ON COLUMN hwsched.worker_load.accelerator_readiness IS
  'The same of the best of its devices that are not a CPU.';
COMMENT ON COLUMN hwsched.worker_load.state_hash IS
  'Hash of load and temperature of all its devices: workers of one kind with equal ones are in '
  'the same state.';
COMMENT ON COLUMN hwsched.worker_load.temperatures IS
  'By device_no, of the devices for which the report tells no temperature: 0 (idle) to 1 '
  '(throttling), as modelled for the moment of the report; NULL: 0.';
COMMENT ON COLUMN hwsched.worker_load.throttles_at IS
  'By device_no: from which share of the way from idle to full power, in tenths, the device '
  'would throttle within the hour, by its thermal model; NULL: never, or not known.';
COMMENT ON COLUMN hwsched.worker_load.busy_at IS
  'When it last reported a load that was not idle (0.3 or more).';
COMMENT ON COLUMN hwsched.worker_load.also_reported IS
  'What it reported that is shown and not used: warming_state, reserved_memory, ...';
COMMENT ON COLUMN hwsched.worker_load.high_since IS
  'Since when all its reports are of a high load (more than 0.7); from the end of its cool-down, '
  'if one has begun since.';

CREATE TABLE hwsched.device_load (
    pool text COLLATE "C" NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    device_no int NOT NULL,
    utilization float8,
    temperature_celsius float8,
    power_w float8,
    PRIMARY KEY (pool, worker_id, device_no)
) WITH (fillfactor = 50);
COMMENT ON TABLE hwsched.device_load IS
  'The last report of single devices; without a row the worker''s values hold.';
COMMENT ON COLUMN hwsched.device_load.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.device_load.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.device_load.device_no IS 'The device.';
COMMENT ON COLUMN hwsched.device_load.utilization IS
  'Percent; in place of the worker''s cpu_utilization (a CPU) or gpu_utilization.';
COMMENT ON COLUMN hwsched.device_load.temperature_celsius IS 'Degrees.';
COMMENT ON COLUMN hwsched.device_load.power_w IS 'Watts.';

-- A login is kept by its identity, so that a binding survives that it is renamed
-- and does not pass to the next role of its name. In a dump it is a name, which a
-- regrole would refuse where there is no such role, and with it all other bindings.
CREATE TYPE hwsched.login_role;
CREATE FUNCTION hwsched_internal.login_role_in(cstring) RETURNS hwsched.login_role
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hwsched_login_role_in';
COMMENT ON FUNCTION hwsched_internal.login_role_in(cstring) IS
  'The login of a name; a WARNING and no login where there is no such role.';
CREATE FUNCTION hwsched_internal.login_role_out(hwsched.login_role) RETURNS cstring
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hwsched_login_role_out';
COMMENT ON FUNCTION hwsched_internal.login_role_out(hwsched.login_role) IS
  'The name that a login has now; a number if it was dropped.';
CREATE TYPE hwsched.login_role
    (INPUT = hwsched_internal.login_role_in, OUTPUT = hwsched_internal.login_role_out, LIKE = oid);
COMMENT ON TYPE hwsched.login_role IS 'A role, as regrole; one that is missing is no error.';
CREATE CAST (hwsched.login_role AS oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (oid AS hwsched.login_role) WITHOUT FUNCTION AS ASSIGNMENT;

CREATE TABLE hwsched.worker_login (
    pool text COLLATE "C" NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    login hwsched.login_role NOT NULL,
    PRIMARY KEY (pool, worker_id, login)
);
COMMENT ON TABLE hwsched.worker_login IS 'The logins that act for each worker; see grant_worker().';
COMMENT ON COLUMN hwsched.worker_login.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.worker_login.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.worker_login.login IS 'The role.';

CREATE FUNCTION hwsched_internal.skip_row() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'hwsched_skip_row';
COMMENT ON FUNCTION hwsched_internal.skip_row() IS 'Leaves a row out.';
CREATE TRIGGER lost_login BEFORE INSERT ON hwsched.worker_login
    FOR EACH ROW WHEN (NEW.login::oid = 0) EXECUTE FUNCTION hwsched_internal.skip_row();
-- a subscriber may lack roles, too
ALTER TABLE hwsched.worker_login ENABLE ALWAYS TRIGGER lost_login;

-- Who sees a pool and acts in it. One that nobody was granted access to is open to
-- all; a row of closed_pool says that it is not, so that neither a role that is
-- dropped, nor one that a restored database lacks, opens it again.

CREATE TABLE hwsched.closed_pool (
    pool text COLLATE "C" PRIMARY KEY,
    closed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE hwsched.closed_pool IS
  'Pools that only those see and act in who were granted that; see grant_pool().';
COMMENT ON COLUMN hwsched.closed_pool.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.closed_pool.closed_at IS 'When that was first granted.';

CREATE TABLE hwsched.pool_login (
    pool text COLLATE "C" NOT NULL,
    login hwsched.login_role NOT NULL,
    may text COLLATE "C" NOT NULL CHECK (may IN ('view', 'coordinate')),
    PRIMARY KEY (pool, login, may)
);
COMMENT ON TABLE hwsched.pool_login IS
  'The logins that see all of a pool, or act in all of it; see grant_pool().';
COMMENT ON COLUMN hwsched.pool_login.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.pool_login.login IS 'The login, or a group of logins.';
COMMENT ON COLUMN hwsched.pool_login.may IS 'view, or coordinate: view and act.';

CREATE TABLE hwsched.tenant_login (
    pool text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    login hwsched.login_role NOT NULL,
    PRIMARY KEY (pool, tenant, login)
);
COMMENT ON TABLE hwsched.tenant_login IS
  'The logins that see the work of a tenant in a pool and act for it; see grant_tenant().';
COMMENT ON COLUMN hwsched.tenant_login.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.tenant_login.tenant IS 'The tenant; empty: work that names none.';
COMMENT ON COLUMN hwsched.tenant_login.login IS 'The login, or a group of logins.';

CREATE TRIGGER lost_login BEFORE INSERT ON hwsched.pool_login
    FOR EACH ROW WHEN (NEW.login::oid = 0) EXECUTE FUNCTION hwsched_internal.skip_row();
CREATE TRIGGER lost_login BEFORE INSERT ON hwsched.tenant_login
    FOR EACH ROW WHEN (NEW.login::oid = 0) EXECUTE FUNCTION hwsched_internal.skip_row();
ALTER TABLE hwsched.pool_login ENABLE ALWAYS TRIGGER lost_login;
ALTER TABLE hwsched.tenant_login ENABLE ALWAYS TRIGGER lost_login;

CREATE FUNCTION hwsched_internal.grants_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'hwsched_grants_changed';
COMMENT ON FUNCTION hwsched_internal.grants_changed() IS
  'Makes sessions read anew who may see what.';
-- for each row: for a subscriber no others fire
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON hwsched.closed_pool
    FOR EACH ROW EXECUTE FUNCTION hwsched_internal.grants_changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON hwsched.pool_login
    FOR EACH ROW EXECUTE FUNCTION hwsched_internal.grants_changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON hwsched.tenant_login
    FOR EACH ROW EXECUTE FUNCTION hwsched_internal.grants_changed();
ALTER TABLE hwsched.closed_pool ENABLE ALWAYS TRIGGER changed;
ALTER TABLE hwsched.pool_login ENABLE ALWAYS TRIGGER changed;
ALTER TABLE hwsched.tenant_login ENABLE ALWAYS TRIGGER changed;

-- Work: as submitted, waiting, placed.

CREATE SEQUENCE hwsched.queue_no;
COMMENT ON SEQUENCE hwsched.queue_no IS 'Order of submission.';

CREATE TABLE hwsched.submission (
    pool text COLLATE "C" NOT NULL,
    workload_id text COLLATE "C" NOT NULL CHECK (octet_length(workload_id) BETWEEN 1 AND 1000),
    run int NOT NULL DEFAULT 1,
    queue_no bigint NOT NULL,
    profile_id bigint NOT NULL,
    priority smallint NOT NULL,
    retries int NOT NULL,
    expected_seconds float8,
    timeout_seconds float8 NOT NULL,
    deadline timestamptz NOT NULL DEFAULT 'infinity',
    model_id text,
    model_family text,
    outcome hwsched.workload_state CHECK (outcome IN ('completed', 'cancelled', 'dead')),
    submitted_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    requirements jsonb NOT NULL,
    concurrency_keys text[] COLLATE "C",
    concurrency_units int[],
    run_at timestamptz,
    expires_at timestamptz,
    start_timeout_seconds float8,
    on_failed_dependency text CHECK (on_failed_dependency IN ('cancel', 'run')),
    outcome_reason text,
    altered_at timestamptz,
    altered_reason text,
    PRIMARY KEY (pool, workload_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE hwsched.submission IS
  'Workloads as they were submitted, the latest run of each, and how they ended.';
COMMENT ON COLUMN hwsched.submission.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.submission.workload_id IS
  'Name of the workload, unique in its pool: its test_id, or generated.';
COMMENT ON COLUMN hwsched.submission.run IS 'Counts how often it was submitted.';
COMMENT ON COLUMN hwsched.submission.queue_no IS 'Order of submission.';
COMMENT ON COLUMN hwsched.submission.profile_id IS 'Its workload profile.';
COMMENT ON COLUMN hwsched.submission.priority IS '1 (highest) to 5.';
COMMENT ON COLUMN hwsched.submission.retries IS 'Attempts after the first.';
COMMENT ON COLUMN hwsched.submission.expected_seconds IS 'Duration its submitter expects.';
COMMENT ON COLUMN hwsched.submission.timeout_seconds IS 'Longest it may run.';
COMMENT ON COLUMN hwsched.submission.deadline IS
  'When it should be done; infinity if it has no deadline.';
COMMENT ON COLUMN hwsched.submission.model_id IS 'The model it runs.';
COMMENT ON COLUMN hwsched.submission.model_family IS 'The family of that model.';
COMMENT ON COLUMN hwsched.submission.outcome IS 'How it ended; NULL while it is open.';
COMMENT ON COLUMN hwsched.submission.submitted_at IS 'When it was submitted.';
COMMENT ON COLUMN hwsched.submission.altered_at IS
  'When alter_workload() last changed its requirements.';
COMMENT ON COLUMN hwsched.submission.altered_reason IS 'Why it did.';
COMMENT ON COLUMN hwsched.submission.closed_at IS 'When it ended.';
COMMENT ON COLUMN hwsched.submission.requirements IS 'The document it was submitted with.';
COMMENT ON COLUMN hwsched.submission.concurrency_keys IS
  'Keys whose limits hold for it, in order: see limit_usage.';
COMMENT ON COLUMN hwsched.submission.concurrency_units IS
  'How much it takes of each of concurrency_keys.';
COMMENT ON COLUMN hwsched.submission.run_at IS 'It is not placed before; NULL: at any time.';
COMMENT ON COLUMN hwsched.submission.expires_at IS
  'If it has not started by then, it is cancelled; NULL: never.';
COMMENT ON COLUMN hwsched.submission.start_timeout_seconds IS
  'Its start_timeout; NULL: the pool''s.';
COMMENT ON COLUMN hwsched.submission.on_failed_dependency IS
  'What becomes of it when a workload that it depends on is dead or cancelled: cancel, run; NULL: '
  'it waits.';
COMMENT ON COLUMN hwsched.submission.outcome_reason IS
  'Why it was cancelled, where nobody called cancel(): expired, or for a workload that it depends '
  'on.';

CREATE TABLE hwsched.dependency (
    pool text COLLATE "C" NOT NULL,
    workload_id text COLLATE "C" NOT NULL,
    depends_on text COLLATE "C" NOT NULL,
    PRIMARY KEY (pool, workload_id, depends_on)
);
CREATE INDEX dependency_dependents ON hwsched.dependency (pool, depends_on);
COMMENT ON TABLE hwsched.dependency IS
  'Pending workloads and the workloads that they wait for: those that have not completed yet.';
COMMENT ON COLUMN hwsched.dependency.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.dependency.workload_id IS 'The workload that waits.';
COMMENT ON COLUMN hwsched.dependency.depends_on IS 'The workload that it waits for.';

CREATE TABLE hwsched.pending (
    pool text COLLATE "C" NOT NULL,
    priority smallint NOT NULL,
    deadline timestamptz NOT NULL DEFAULT 'infinity',
    queue_no bigint NOT NULL,
    profile_id bigint NOT NULL,
    run int NOT NULL,
    attempt int NOT NULL,
    expected_seconds float8,
    timeout_seconds float8 NOT NULL,
    start_timeout_seconds float8,
    workload_id text COLLATE "C" NOT NULL,
    model_id text,
    model_family text,
    ready_at timestamptz NOT NULL DEFAULT '-infinity',
    concurrency_keys text[] COLLATE "C",
    concurrency_units int[],
    avoid_workers text[] COLLATE "C",
    retry_profile_id bigint,
    submitted_at timestamptz NOT NULL DEFAULT now(),
    alone boolean NOT NULL DEFAULT false,
    run_at timestamptz,
    expires_at timestamptz,
    PRIMARY KEY (pool, priority, deadline, queue_no)
);
CREATE INDEX pending_keyed ON hwsched.pending (pool, queue_no)
    WHERE concurrency_keys IS NOT NULL;
CREATE INDEX pending_expiring ON hwsched.pending (pool, expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX pending_waiting ON hwsched.pending (pool, ready_at)
    WHERE ready_at > '-infinity' AND ready_at < 'infinity';
-- For workers that ask for work of their own accord: see queue_profiles().
CREATE INDEX pending_profile ON hwsched.pending (pool, profile_id);
COMMENT ON TABLE hwsched.pending IS
  'The queue: workloads that wait for a place, in the order of the key. Rows are inserted and '
  'deleted; only the holder of the pool''s lock updates them.';
COMMENT ON COLUMN hwsched.pending.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.pending.priority IS '1 (highest) to 5.';
COMMENT ON COLUMN hwsched.pending.deadline IS
  'When it should be done; infinity if it has no deadline.';
COMMENT ON COLUMN hwsched.pending.queue_no IS 'Order of submission.';
COMMENT ON COLUMN hwsched.pending.profile_id IS 'The workload profile.';
COMMENT ON COLUMN hwsched.pending.run IS 'The run of the workload.';
COMMENT ON COLUMN hwsched.pending.attempt IS 'The attempt it waits for, from 1.';
COMMENT ON COLUMN hwsched.pending.expected_seconds IS 'Duration its submitter expects.';
COMMENT ON COLUMN hwsched.pending.timeout_seconds IS 'Longest it may run.';
COMMENT ON COLUMN hwsched.pending.start_timeout_seconds IS
  'Its start_timeout; NULL: the pool''s.';
COMMENT ON COLUMN hwsched.pending.workload_id IS 'The workload.';
COMMENT ON COLUMN hwsched.pending.model_id IS 'The model it runs.';
COMMENT ON COLUMN hwsched.pending.model_family IS 'The family of that model.';
COMMENT ON COLUMN hwsched.pending.ready_at IS
  'When it may be placed: a time after a failed attempt, or run_at; infinity while it depends on '
  'others.';
COMMENT ON COLUMN hwsched.pending.run_at IS 'It is not placed before; NULL: at any time.';
COMMENT ON COLUMN hwsched.pending.expires_at IS
  'If it has not started by then, it is cancelled; NULL: never, or it has started once.';
COMMENT ON COLUMN hwsched.pending.concurrency_keys IS 'Keys whose limits hold for it, in order.';
COMMENT ON COLUMN hwsched.pending.concurrency_units IS
  'How much it takes of each of concurrency_keys.';
COMMENT ON COLUMN hwsched.pending.submitted_at IS
  'When the workload was submitted; the setting ageing moves it forward as it waits.';
COMMENT ON COLUMN hwsched.pending.alone IS
  'Whether it gets a worker for itself: it was lost twice together with other work.';
COMMENT ON COLUMN hwsched.pending.retry_profile_id IS
  'The workload profile that answers what went wrong, in place of its own if any worker can meet '
  'it.';
COMMENT ON COLUMN hwsched.pending.avoid_workers IS
  'Workers on which it failed: it goes elsewhere, if there is anywhere else.';

CREATE TABLE hwsched.reserved_place (
    pool text COLLATE "C" NOT NULL,
    workload_id text COLLATE "C" NOT NULL,
    shard_no int NOT NULL,
    priority smallint NOT NULL,
    deadline timestamptz NOT NULL,
    queue_no bigint NOT NULL,
    profile_id bigint NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    device_nos int[] NOT NULL,
    starts_at timestamptz,
    backfill_until timestamptz NOT NULL,
    reserved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pool, workload_id, shard_no)
);
COMMENT ON TABLE hwsched.reserved_place IS
  'Places kept for the first work that has to wait: what stands behind it in the queue gets what '
  'is left beside it. See the view reservation.';
COMMENT ON COLUMN hwsched.reserved_place.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.reserved_place.workload_id IS 'The workload that waits.';
COMMENT ON COLUMN hwsched.reserved_place.shard_no IS 'The part of it, from 0, if it is a gang.';
COMMENT ON COLUMN hwsched.reserved_place.priority IS 'Its priority.';
COMMENT ON COLUMN hwsched.reserved_place.deadline IS 'Its deadline.';
COMMENT ON COLUMN hwsched.reserved_place.queue_no IS
  'Its place in the queue; a reservation holds while it waits there.';
COMMENT ON COLUMN hwsched.reserved_place.profile_id IS
  'The workload profile, which says how much is reserved.';
COMMENT ON COLUMN hwsched.reserved_place.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.reserved_place.device_nos IS 'The devices of it.';
COMMENT ON COLUMN hwsched.reserved_place.starts_at IS
  'When it can start there, by the expected ends of what runs; NULL if nobody knows.';
COMMENT ON COLUMN hwsched.reserved_place.backfill_until IS
  'What stands behind it and is over by then may use the place; the first such time, which is '
  'never put off.';
COMMENT ON COLUMN hwsched.reserved_place.reserved_at IS 'Since when it has a place reserved.';

CREATE TABLE hwsched.tenant_past (
    pool text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    accelerators float8 NOT NULL CHECK (accelerators >= 0),
    cpu_cores float8 NOT NULL CHECK (cpu_cores >= 0),
    memory_bytes float8 NOT NULL CHECK (memory_bytes >= 0),
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (pool, tenant)
) WITH (fillfactor = 50);
COMMENT ON TABLE hwsched.tenant_past IS
  'What ended work of each tenant held in the mean of the past, which weighs half as much each '
  'half_life of the setting fair_share; see the view tenant_usage.';
COMMENT ON COLUMN hwsched.tenant_past.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.tenant_past.tenant IS 'The tenant.';
COMMENT ON COLUMN hwsched.tenant_past.accelerators IS 'Accelerators.';
COMMENT ON COLUMN hwsched.tenant_past.cpu_cores IS 'Cores.';
COMMENT ON COLUMN hwsched.tenant_past.memory_bytes IS 'Memory of workers.';
COMMENT ON COLUMN hwsched.tenant_past.updated_at IS 'When that was so; it has decayed since.';

CREATE TABLE hwsched.assignment (
    pool text COLLATE "C" NOT NULL,
    assignment_id bigint GENERATED ALWAYS AS IDENTITY,
    workload_id text COLLATE "C" NOT NULL,
    run int NOT NULL,
    attempt int NOT NULL,
    shard_no int NOT NULL DEFAULT 0,
    worker_id text COLLATE "C" NOT NULL,
    device_nos int[] NOT NULL,
    state hwsched.assignment_state NOT NULL DEFAULT 'assigned',
    priority smallint NOT NULL,
    profile_id bigint NOT NULL,
    device_profile_id bigint NOT NULL,
    efficiency float8 NOT NULL,
    adjusted_efficiency float8 NOT NULL,
    score float8 NOT NULL,
    predicted_seconds float8 NOT NULL,
    assigned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    lease_until timestamptz,
    finished_at timestamptz,
    error text,
    result jsonb,
    error_class hwsched.error_class,
    is_gang boolean NOT NULL DEFAULT false,
    formula_seconds float8,
    model_id text,
    model_family text,
    device_ids text[],
    lost_with int,
    alone boolean NOT NULL DEFAULT false,
    expires_at timestamptz,
    p90_seconds float8,
    timeout_seconds float8 NOT NULL,
    start_timeout_seconds float8,
    decision bytea,
    PRIMARY KEY (pool, assignment_id)
) WITH (fillfactor = 80);
CREATE INDEX assignment_workload ON hwsched.assignment (pool, workload_id);
-- No index and no predicate has a column that claiming changes, so that it is a
-- heap-only update.
CREATE INDEX assignment_live ON hwsched.assignment (pool, worker_id, priority, assignment_id)
    WHERE finished_at IS NULL;
CREATE INDEX assignment_gang ON hwsched.assignment (pool, assignment_id)
    WHERE is_gang AND finished_at IS NULL;
CREATE INDEX assignment_alone ON hwsched.assignment (pool, worker_id)
    WHERE alone AND finished_at IS NULL;
CREATE INDEX assignment_expiring ON hwsched.assignment (pool, expires_at)
    WHERE expires_at IS NOT NULL AND finished_at IS NULL;
COMMENT ON TABLE hwsched.assignment IS
  'Placements: one workload, or one of its shards or replicas, on one worker, holding one or '
  'more of its devices. Ended ones stay as the history of execution.';
COMMENT ON COLUMN hwsched.assignment.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.assignment.assignment_id IS 'Identifies the assignment.';
COMMENT ON COLUMN hwsched.assignment.workload_id IS 'The workload.';
COMMENT ON COLUMN hwsched.assignment.run IS 'The run of the workload.';
COMMENT ON COLUMN hwsched.assignment.attempt IS 'The attempt of that run, from 1.';
COMMENT ON COLUMN hwsched.assignment.shard_no IS 'The shard or replica, from 0.';
COMMENT ON COLUMN hwsched.assignment.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.assignment.device_nos IS 'The worker''s devices that it holds.';
COMMENT ON COLUMN hwsched.assignment.state IS
  'assigned and running hold capacity; the others are final.';
COMMENT ON COLUMN hwsched.assignment.priority IS
  '1 (highest) to 5: what the setting ageing had made of its priority at the decision.';
COMMENT ON COLUMN hwsched.assignment.profile_id IS
  'The workload profile, which says what is reserved.';
COMMENT ON COLUMN hwsched.assignment.device_profile_id IS
  'The device profile of the first of its devices, as it was at the decision.';
COMMENT ON COLUMN hwsched.assignment.efficiency IS
  'Efficiency score 0..1 of the workload on these devices, mean.';
COMMENT ON COLUMN hwsched.assignment.adjusted_efficiency IS
  'Raw efficiency adjusted for load, thermal phase and temperature at the decision.';
COMMENT ON COLUMN hwsched.assignment.score IS
  'The policy''s weighted sum that won; an algorithm''s best candidate counts 1.';
COMMENT ON COLUMN hwsched.assignment.predicted_seconds IS 'Predicted duration.';
COMMENT ON COLUMN hwsched.assignment.p90_seconds IS
  'What nine in ten such runs take at most, as predicted; NULL: predicted_seconds.';
COMMENT ON COLUMN hwsched.assignment.timeout_seconds IS 'Longest it may run.';
COMMENT ON COLUMN hwsched.assignment.start_timeout_seconds IS
  'Its start_timeout; NULL: the pool''s.';
COMMENT ON COLUMN hwsched.assignment.decision IS
  'How the policy scored its place, and the best of the others, in a form that explain() reads; '
  'NULL: not kept (setting decision_detail).';
COMMENT ON COLUMN hwsched.assignment.formula_seconds IS
  'Duration by the profiles alone, in proportion to the one expected: what it takes is learned '
  'relative to it; NULL: the same as predicted.';
COMMENT ON COLUMN hwsched.assignment.model_id IS 'The model it runs.';
COMMENT ON COLUMN hwsched.assignment.model_family IS 'The family of that model.';
COMMENT ON COLUMN hwsched.assignment.assigned_at IS 'When it was decided.';
COMMENT ON COLUMN hwsched.assignment.started_at IS 'When it began to run.';
COMMENT ON COLUMN hwsched.assignment.lease_until IS
  'Until when the worker''s lease runs; signs of life renew it without changing this.';
COMMENT ON COLUMN hwsched.assignment.finished_at IS 'When it ended.';
COMMENT ON COLUMN hwsched.assignment.error IS
  'The worker''s words for what went wrong, or why the work was taken from it.';
COMMENT ON COLUMN hwsched.assignment.result IS 'The worker''s result.';
COMMENT ON COLUMN hwsched.assignment.error_class IS 'The kind of error.';
COMMENT ON COLUMN hwsched.assignment.is_gang IS
  'Whether it is one of several shards or replicas, whose workload does not end with it alone.';
COMMENT ON COLUMN hwsched.assignment.device_ids IS
  'The device_id of each of device_nos, as it was at the decision; NULL: none has one.';
COMMENT ON COLUMN hwsched.assignment.lost_with IS
  'How many others were lost together with it, with their worker; NULL: it was not lost so.';
COMMENT ON COLUMN hwsched.assignment.expires_at IS
  'If it has not started by then, it is cancelled; NULL: never, or it has started before.';
COMMENT ON COLUMN hwsched.assignment.alone IS
  'Whether its worker has nothing else while it is live.';

CREATE TABLE hwsched.key_holder (
    pool text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    assignment_id bigint NOT NULL,
    last_assignment_id bigint NOT NULL,
    workload_id text COLLATE "C" NOT NULL,
    units int NOT NULL,
    assigned_at timestamptz NOT NULL,
    PRIMARY KEY (pool, key, assignment_id)
);
CREATE INDEX key_holder_assignment ON hwsched.key_holder (pool, assignment_id);
COMMENT ON TABLE hwsched.key_holder IS
  'Placements of work with concurrency keys: those that are live, and for some minutes those that '
  'were; see key_use.';
COMMENT ON COLUMN hwsched.key_holder.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.key_holder.key IS 'The concurrency key.';
COMMENT ON COLUMN hwsched.key_holder.assignment_id IS 'The assignment; of a gang the first.';
COMMENT ON COLUMN hwsched.key_holder.last_assignment_id IS
  'The last of its gang: it holds the key while any of them is live.';
COMMENT ON COLUMN hwsched.key_holder.workload_id IS 'The workload.';
COMMENT ON COLUMN hwsched.key_holder.units IS 'How much of the key it holds while it is live.';
COMMENT ON COLUMN hwsched.key_holder.assigned_at IS 'When it was placed.';

CREATE TABLE hwsched.progress (
    pool text COLLATE "C" NOT NULL,
    assignment_id bigint NOT NULL,
    ratio float8 NOT NULL CHECK (ratio BETWEEN 0 AND 1),
    note jsonb,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pool, assignment_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE hwsched.progress IS
  'What workers last said of running assignments; see running_work.';
COMMENT ON COLUMN hwsched.progress.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.progress.assignment_id IS 'The assignment.';
COMMENT ON COLUMN hwsched.progress.ratio IS 'How much of the run is done, 0..1.';
COMMENT ON COLUMN hwsched.progress.note IS 'What else the worker said.';
COMMENT ON COLUMN hwsched.progress.at IS 'When the worker said so.';

CREATE TABLE hwsched.unsettled (
    pool text COLLATE "C" NOT NULL,
    assignment_id bigint NOT NULL,
    PRIMARY KEY (pool, assignment_id)
);
COMMENT ON TABLE hwsched.unsettled IS
  'Assignments completed, failed or given back by their worker that the next to lock the pool '
  'settles: their capacity is given back, their workload closed or queued again, and learned from.';
COMMENT ON COLUMN hwsched.unsettled.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.unsettled.assignment_id IS 'The assignment.';

-- What was learned and seen.

CREATE TABLE hwsched.track_record (
    pool text COLLATE "C" NOT NULL,
    workload_type text COLLATE "C" NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    preference float8 NOT NULL CHECK (preference BETWEEN 0 AND 1),
    samples bigint NOT NULL CHECK (samples BETWEEN 0 AND 1e15),
    updated_at timestamptz NOT NULL CHECK (isfinite(updated_at)),
    successes bigint NOT NULL DEFAULT 0 CHECK (successes BETWEEN 0 AND 1e15),
    failures bigint NOT NULL DEFAULT 0 CHECK (failures BETWEEN 0 AND 1e15),
    mean_seconds float8,
    squares float8,
    min_seconds float8,
    max_seconds float8,
    durations bigint[],
    PRIMARY KEY (pool, workload_type, worker_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE hwsched.track_record IS
  'How well a worker did on a type of work, learned from outcomes that are settled; see the view '
  'preference.';
CREATE INDEX track_record_best ON hwsched.track_record (pool, workload_type, preference, worker_id);
COMMENT ON COLUMN hwsched.track_record.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.track_record.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.track_record.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.track_record.preference IS
  '0..1; 0.5 is neutral, above it the worker was faster than others usually are.';
COMMENT ON COLUMN hwsched.track_record.samples IS 'Outcomes it was learned from.';
COMMENT ON COLUMN hwsched.track_record.updated_at IS 'When the last of them came.';
COMMENT ON COLUMN hwsched.track_record.successes IS 'How many of them were completed.';
COMMENT ON COLUMN hwsched.track_record.failures IS 'How many of them failed.';
COMMENT ON COLUMN hwsched.track_record.mean_seconds IS
  'Mean duration of those that were completed.';
COMMENT ON COLUMN hwsched.track_record.squares IS
  'Squared differences of these from the mean, added up.';
COMMENT ON COLUMN hwsched.track_record.min_seconds IS 'The shortest.';
COMMENT ON COLUMN hwsched.track_record.max_seconds IS 'The longest.';
COMMENT ON COLUMN hwsched.track_record.durations IS 'Their sketch, for sketch_quantile().';

CREATE TABLE hwsched.model_placement (
    pool text COLLATE "C" NOT NULL,
    model text COLLATE "C" NOT NULL,
    is_family boolean NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pool, model, is_family)
) WITH (fillfactor = 50);
COMMENT ON TABLE hwsched.model_placement IS
  'The last place of each model, and of each family of models.';
COMMENT ON COLUMN hwsched.model_placement.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.model_placement.model IS 'The model_id or model_family.';
COMMENT ON COLUMN hwsched.model_placement.is_family IS 'Which of the two it is.';
COMMENT ON COLUMN hwsched.model_placement.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.model_placement.placed_at IS 'When.';

INSERT INTO hwsched.pool (pool) VALUES ('default');
