-- Functions that explain.

CREATE FUNCTION hwsched.compatible_hardware(workload_id text, pool text DEFAULT 'default',
    OUT worker_id text, OUT device_no int, OUT rank int, OUT hardware_class text,
    OUT model_name text, OUT efficiency_ratio float8, OUT raw_efficiency_ratio float8,
    OUT load_ratio float8, OUT effective_load_ratio float8, OUT performance_level_ratio float8,
    OUT temperature_ratio float8, OUT preference float8, OUT adjusted_efficiency_ratio float8,
    OUT score float8, OUT predicted_seconds float8, OUT reason text, OUT scores jsonb,
    OUT joules float8, OUT cost float8, OUT heat_factor float8)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_compatible_hardware';
COMMENT ON FUNCTION hwsched.compatible_hardware(text, text) IS
  'Returns the devices that can run a workload, best first, with every factor. reason tells why a'
  ' device cannot take it now, or why the workload itself has to wait; it is NULL for devices '
  'that can take it.';

CREATE FUNCTION hwsched.explain(workload_id text, pool text DEFAULT 'default',
    OUT worker_id text, OUT device_nos int[], OUT verdict text, OUT rank int, OUT score float8,
    OUT factors jsonb, OUT reasons jsonb)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_explain';
COMMENT ON FUNCTION hwsched.explain(text, text) IS
  'Returns why a workload waits: of each worker and device every check that fails, with numbers, '
  'or its rank and factors where it fits; rows without worker are what keeps it waiting wherever '
  'there is room. Of placed work: the place and the best of the others, as they were scored then.';

CREATE FUNCTION hwsched.explain_pending(pool text DEFAULT 'default', OUT reason text,
    OUT workloads bigint, OUT first_position bigint, OUT profile_ids bigint[], OUT ready boolean)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 10000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_explain_pending';
COMMENT ON FUNCTION hwsched.explain_pending(text) IS
  'Returns the reasons why the queue waits, with numbers, how many workloads wait for each, and '
  'the position of the first of them: the last check that the closest worker fails. profile_ids '
  'are their workload profiles; ready is false for workloads that wait for others, their retry or '
  'their concurrency_key, whatever room there is.';

CREATE FUNCTION hwsched.suggest(workload_id text, pool text DEFAULT 'default', OUT change jsonb,
    OUT effect text, OUT cost float8)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 1000 ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_suggest';
COMMENT ON FUNCTION hwsched.suggest(text, text) IS
  'Returns the least changes that would place a pending workload now: of its requirements, what to '
  'wait for, of the settings, or one more worker; each has been tried. cost is the seconds of a '
  'wait, the money per hour of a worker, else 0.';

-- Each change is made by the function that makes it otherwise, with the rights of the caller.
CREATE FUNCTION hwsched.apply_suggestion(workload_id text, change jsonb,
    pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind text;
    value jsonb;
BEGIN
    IF workload_id IS NULL OR change IS NULL OR pool IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = format('%s must not be NULL',
            CASE WHEN workload_id IS NULL THEN 'workload_id' WHEN change IS NULL THEN 'change'
            ELSE 'pool' END);
    END IF;
    IF jsonb_typeof(change) = 'object' AND (SELECT count(*) FROM jsonb_object_keys(change)) = 1 THEN
        SELECT e.key, e.value INTO kind, value FROM jsonb_each(change) e;
    END IF;
    CASE
        WHEN kind = 'requirements' THEN
            PERFORM hwsched.alter_workload(workload_id, value, 'suggested', pool);
        WHEN kind = 'settings' THEN
            PERFORM hwsched.alter_pool(pool, value,
                format('suggested for workload "%s"', workload_id));
        WHEN kind = 'register_worker' THEN
            PERFORM hwsched.register_worker(value ->> 'worker_id', value, pool);
        WHEN kind = 'wait_for' THEN
            RAISE NOTICE 'nothing to change: workload "%" waits for assignments to end', workload_id
                USING HINT = 'It is placed by the first assign_pending() after that.';
        ELSE
            RAISE invalid_parameter_value USING
                MESSAGE = format('invalid value for "change": %s', left(change::text, 80)),
                HINT = 'It is a change that suggest() returned: an object with one of the keys '
                    'requirements, wait_for, settings, register_worker.';
    END CASE;
END $$;
COMMENT ON FUNCTION hwsched.apply_suggestion(text, jsonb, text) IS
  'Makes a change that suggest() returned, with the rights of the caller: alter_workload() for '
  'requirements, alter_pool() for settings, register_worker() for a worker.';
