-- Functions on pools and workers. They run as the extension's owner, with a
-- search path that nobody else can put anything into. Those that workers call
-- become the owner by themselves, as they have to know their caller (store/authz.c).

-- The settings of a pool and their defaults. Those whose description ends in
-- "(kept)" are checked and kept, and take effect with the feature they are for.
CREATE VIEW hwsched_internal.setting AS
SELECT * FROM (VALUES
    ('policy', '{"hardware_aware": 1}'::jsonb,
     'Algorithms and their weights; the weighted sum of their scores ranks the candidates.'),
    ('policies', '{}',
     'Policies by workload type, in place of policy: {"training": {"packing": 1}}.'),
    ('objective', '{"cost": 0, "time": 1, "energy": 0}',
     'What the algorithm objective weighs: predicted time, energy and cost.'),
    ('solver', '"greedy"',
     'greedy: one workload at a time in the order of the queue, each to its best candidate; '
     'optimal: in each priority the most workloads, then the greatest total score.'),
    ('preference_alpha', '0.3', 'How fast preferences follow outcomes, 0..1; 0: not at all.'),
    ('preference_weight', '0.2',
     'How much preferences count: score x (1 + weight x (2 x preference - 1)); 0: learned but not '
     'used.'),
    ('preference_half_life', '"7 days"',
     'Time after which half of a preference is forgotten, if nothing new is learned.'),
    ('learning', 'true',
     'Whether outcomes and reports are learned from, and what was learned is used; false: the '
     'formulas alone, and what was learned before is kept as it is.'),
    ('min_score', '0', 'Least adjusted efficiency that a placement may have.'),
    ('max_load', '0.9', 'Load score above which a device gets no work.'),
    ('max_concurrent', '5',
     'Slots of each device: workloads without accelerators or share that run on it at once.'),
    ('limits', '{}',
     'Limits of concurrency keys: {key: {"concurrent": n, "per_minute": n}}, either or both: what '
     'live work may hold of it, and placements in any 60 s. Of a key that is not named one is live '
     'at a time.'),
    ('lease', '"60 s"', 'How long a claim is leased.'),
    ('warming', '"30 s"', 'Duration of a warm-up.'),
    ('cooling', '"60 s"', 'Duration of a cool-down.'),
    ('offline_after', '"90 s"',
     'Silence after which a worker gets nothing new, is offline, and its work is taken back.'),
    ('load_ttl', '"5 min"',
     'Age from which a load report counts as none, though the worker is alive.'),
    ('start_timeout', '"10 min"',
     'Time after which work goes back to the queue that its worker, which runs nothing else, has '
     'not started.'),
    ('retry_backoff', '"5 s"',
     'Wait before the first retry, doubled with each up to 5 minutes, and up to a half shorter by '
     'chance.'),
    ('notify', 'true',
     'Whether NOTIFY tells of placements (hwsched_assigned) and of closed work (hwsched_changed).'),
    ('retention', '{"history": "30 days", "hourly": "400 days"}', 'How long history is kept.'),
    ('quarantine_after', '5', 'Failures in a row after which a worker is quarantined.'),
    ('ageing', '0',
     'Priority steps that an hour of waiting is worth: it comes earlier in the queue, as if it had '
     'been submitted with that priority.'),
    ('preemption', 'false', 'Whether work that finds no place takes that of lower priorities.'),
    ('paused', 'false',
     'Whether nothing is placed or started, while what runs goes on: see pause_pool().'),
    ('order', '"submission"',
     'What comes first within a priority: "submission" (and before that its deadline); "shortest": '
     'what is predicted to take least; "least_served": what has run for the shortest time.'),
    ('order_wait', '"1 day"',
     'With another order than submission, what has waited for longer comes first.'),
    ('tenants', '{}',
     'Tenants that count for more or less than others, or have quotas: {name: {"weight": 1, '
     '"quota": {"accelerators", "cpu_cores", "workloads"}}}.'),
    ('fair_share', 'false',
     'Whether within a priority the tenant is next that uses least for its weight, now and in the '
     'past, which counts half as much each half_life: {"half_life": "1 hour"}.'),
    ('reservations', '1',
     'For how many of the first workloads that have to wait a place is reserved, where what '
     'stands behind gets only what is over in time; 0: only for the first gang.'),
    ('spare_accelerators', 'true',
     'Whether work that asks for no accelerator spares them: true: among equal scores it goes '
     'where there are none, and shares those in use before it opens another; "strict": it '
     'takes none while a CPU has room; false: the score alone decides.'),
    ('carbon_g_per_kwh', 'null',
     'Grams of carbon dioxide per kWh: pareto() then shows that of a workload.'),
    ('energy_price_per_kwh', 'null',
     'Price of a kWh, in the currency of cost_per_hour; it is part of what work costs.'),
    ('wait_target', '"60 s"', 'Wait that scaling advice aims at. (kept)'),
    ('vega_url', 'null',
     'Where reports load Vega from when it is not installed: a URL below which packages of npm are '
     'found, such as https://cdn.jsdelivr.net/npm.'),
    ('unknown_keys', '"refuse"',
     'What is done with keys of documents that nothing reads: refuse; warn, or keep: they then '
     'stand in custom_properties of requirements and hardware_specs of capabilities.'),
    ('batch_window', '100000', 'Workloads that a batch decides at most, the first of the queue.'),
    ('maintain_batch', '10000',
     'Assignments that a call of maintain() takes back at most; its column more tells of the rest.')
) AS s (name, default_value, description);
COMMENT ON VIEW hwsched_internal.setting IS 'The settings that a pool has, and their defaults.';
COMMENT ON COLUMN hwsched_internal.setting.name IS 'Key of the settings document.';
COMMENT ON COLUMN hwsched_internal.setting.default_value IS
  'Value in force where a pool does not set one.';
COMMENT ON COLUMN hwsched_internal.setting.description IS 'Its effect.';

CREATE FUNCTION hwsched.create_pool(pool text, settings jsonb DEFAULT '{}') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_create_pool';
COMMENT ON FUNCTION hwsched.create_pool(text, jsonb) IS
  'Creates a pool with settings that differ from their defaults.';

CREATE FUNCTION hwsched.alter_pool(pool text, settings jsonb) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_alter_pool';
COMMENT ON FUNCTION hwsched.alter_pool(text, jsonb) IS
  'Changes settings of a pool, at once; null resets one to its default.';

CREATE FUNCTION hwsched.pause_pool(pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_pause_pool';
COMMENT ON FUNCTION hwsched.pause_pool(text) IS
  'Stops a pool: nothing is placed or started until resume_pool(). What runs goes on, and work can '
  'be submitted. It is the setting paused.';

CREATE FUNCTION hwsched.resume_pool(pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_resume_pool';
COMMENT ON FUNCTION hwsched.resume_pool(text) IS 'Lets a pool go on that pause_pool() stopped.';

CREATE FUNCTION hwsched.drop_pool(pool text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_drop_pool';
COMMENT ON FUNCTION hwsched.drop_pool(text) IS
  'Drops a pool and all that is in it. Pool default stays.';

CREATE FUNCTION hwsched.pool_settings(pool text DEFAULT 'default', OUT name text, OUT value jsonb,
    OUT default_value jsonb, OUT description text)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_pool_settings';
COMMENT ON FUNCTION hwsched.pool_settings(text) IS
  'Returns the settings in force in a pool, beside their defaults.';

CREATE FUNCTION hwsched.register_worker(worker_id text, capabilities jsonb,
    pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_register_worker';
COMMENT ON FUNCTION hwsched.register_worker(text, jsonb, text) IS
  'Registers a worker with its hardware, or updates it: other hardware takes effect at once.';

CREATE FUNCTION hwsched.check_capabilities(capabilities jsonb, pool text DEFAULT 'default',
    OUT path text, OUT severity text, OUT message text, OUT hint text)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_check_capabilities';
COMMENT ON FUNCTION hwsched.check_capabilities(jsonb, text) IS
  'Returns what register_worker() would refuse (error), warn of (warning) and infer (info).';

CREATE FUNCTION hwsched.update_load(worker_id text, load jsonb, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_update_load';
COMMENT ON FUNCTION hwsched.update_load(text, jsonb, text) IS
  'Reports the load and temperature of a worker; also a sign of life. A report replaces the one '
  'before. Warm-ups and cool-downs begin with it, and thermal models learn from it.';

CREATE FUNCTION hwsched.heartbeat(worker_id text, pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_heartbeat';
COMMENT ON FUNCTION hwsched.heartbeat(text, text) IS
  'Tells that a worker is alive: this renews all its leases, and ends its being offline.';

CREATE FUNCTION hwsched.heartbeat(worker_id text, running bigint[], pool text DEFAULT 'default',
    OUT assignment_id bigint, OUT action text, OUT reason text) RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_heartbeat_running';
COMMENT ON FUNCTION hwsched.heartbeat(text, bigint[], text) IS
  'Tells that a worker is alive and what it runs: this renews the leases of these assignments '
  'only. Returns those of them that it is to stop, and why; no rows: go on.';

CREATE FUNCTION hwsched.drain_worker(worker_id text, pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_drain_worker';
COMMENT ON FUNCTION hwsched.drain_worker(text, text) IS
  'Gives a worker no new work; it finishes what it has.';

CREATE FUNCTION hwsched.resume_worker(worker_id text, pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_resume_worker';
COMMENT ON FUNCTION hwsched.resume_worker(text, text) IS 'Ends draining.';

CREATE FUNCTION hwsched.drain_device(worker_id text, device_no int, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_drain_device';
COMMENT ON FUNCTION hwsched.drain_device(text, int, text) IS
  'Gives one device of a worker no new work; what it has is finished.';

CREATE FUNCTION hwsched.resume_device(worker_id text, device_no int, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_resume_device';
COMMENT ON FUNCTION hwsched.resume_device(text, int, text) IS
  'Ends draining of a device, and its quarantine if it is in one.';

CREATE FUNCTION hwsched.unregister_worker(worker_id text, pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_unregister_worker';
COMMENT ON FUNCTION hwsched.unregister_worker(text, text) IS
  'Removes a worker. Its assignments go back into the queue, a shard with all of its workload; a '
  'running one counts as a failed attempt.';

CREATE FUNCTION hwsched.start_warming(worker_id text, duration interval DEFAULT NULL,
    pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_start_warming';
COMMENT ON FUNCTION hwsched.start_warming(text, interval, text) IS
  'Starts a warm-up: the performance level rises from 0.6 to 1 over the duration (NULL: the '
  'pool''s setting).';

CREATE FUNCTION hwsched.start_cooling(worker_id text, duration interval DEFAULT NULL,
    pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_start_cooling';
COMMENT ON FUNCTION hwsched.start_cooling(text, interval, text) IS
  'Starts a cool-down: the performance level rises from 0.7 to 1 over the duration (NULL: the '
  'pool''s setting).';

CREATE FUNCTION hwsched.grant_worker(worker_id text, role name, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_grant_worker';
COMMENT ON FUNCTION hwsched.grant_worker(text, name, text) IS
  'Binds a login to a worker: it may then register, report, claim, start, extend, complete and '
  'fail for that worker only.';
