-- Functions on pools and workers. They run as the extension's owner, with a
-- search path that nobody else can put anything into. Those that workers call
-- become the owner by themselves, as they have to know their caller (store/authz.c).

CREATE FUNCTION hwsched.create_pool(pool text, settings jsonb DEFAULT '{}') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_create_pool';
COMMENT ON FUNCTION hwsched.create_pool(text, jsonb) IS
  'Creates a pool with settings that differ from their defaults.';

CREATE FUNCTION hwsched.alter_pool(pool text, settings jsonb, reason text DEFAULT NULL)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_alter_pool';
COMMENT ON FUNCTION hwsched.alter_pool(text, jsonb, text) IS
  'Changes settings of a pool, at once; null resets one to its default.';

CREATE FUNCTION hwsched.rollback_settings(version bigint, pool text DEFAULT 'default')
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_rollback_settings';
COMMENT ON FUNCTION hwsched.rollback_settings(bigint, text) IS
  'Makes the settings of a pool again what they were after a version; returns the number of the '
  'version that this is.';

CREATE FUNCTION hwsched.pause_pool(pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_pause_pool';
COMMENT ON FUNCTION hwsched.pause_pool(text) IS
  'Stops a pool: nothing is placed or started until resume_pool(). What runs goes on, and work can '
  'be submitted. It is the setting paused.';

CREATE FUNCTION hwsched.resume_pool(pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_resume_pool';
COMMENT ON FUNCTION hwsched.resume_pool(text) IS 'Lets a pool go on that pause_pool() stopped.';

CREATE FUNCTION hwsched.drop_pool(pool text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_drop_pool';
COMMENT ON FUNCTION hwsched.drop_pool(text) IS
  'Drops a pool and all that is in it. Pool default stays.';

CREATE FUNCTION hwsched.pool_settings(pool text DEFAULT 'default', OUT name text, OUT value jsonb,
    OUT default_value jsonb, OUT description text)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_pool_settings';
COMMENT ON FUNCTION hwsched.pool_settings(text) IS
  'Returns the settings in force in a pool, beside their defaults.';

CREATE FUNCTION hwsched.settings_history(pool text DEFAULT 'default', OUT version bigint,
    OUT changed_at timestamptz, OUT changed_by name, OUT reason text, OUT changes jsonb)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_settings_history';
COMMENT ON FUNCTION hwsched.settings_history(text) IS
  'Returns the changes of a pool''s settings, the oldest first: when, by whom, why, and of each '
  'setting that changed the old and the new value.';

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
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
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
  'only. Returns those of them that it is to stop, or, where it can hand over how far it is, to '
  'yield, and why; no rows: go on.';

CREATE FUNCTION hwsched.drain_worker(worker_id text, pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_drain_worker';
COMMENT ON FUNCTION hwsched.drain_worker(text, text) IS
  'Gives a worker no new work; it finishes what it has.';

CREATE FUNCTION hwsched.drain_worker(worker_id text, at timestamptz, until timestamptz,
    pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_drain_worker_window';
COMMENT ON FUNCTION hwsched.drain_worker(text, timestamptz, timestamptz, text) IS
  'Gives a worker a maintenance window: nothing is started there that is predicted (P90) to reach '
  'into it, and what is assigned and would goes back to the queue. It ends by itself, or with '
  'resume_worker().';

CREATE FUNCTION hwsched.resume_worker(worker_id text, pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_resume_worker';
COMMENT ON FUNCTION hwsched.resume_worker(text, text) IS
  'Ends draining, and takes back a maintenance window.';

CREATE FUNCTION hwsched.drain_device(worker_id text, device_no int, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_drain_device';
COMMENT ON FUNCTION hwsched.drain_device(text, int, text) IS
  'Gives one device of a worker no new work; what it has is finished.';

CREATE FUNCTION hwsched.resume_device(worker_id text, device_no int, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_resume_device';
COMMENT ON FUNCTION hwsched.resume_device(text, int, text) IS
  'Ends draining of a device, and its quarantine if it is in one.';

CREATE FUNCTION hwsched.unregister_worker(worker_id text, pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
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
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_grant_worker';
COMMENT ON FUNCTION hwsched.grant_worker(text, name, text) IS
  'Binds a login to a worker: it may then register, report, claim, start, extend, complete and '
  'fail for that worker only.';
