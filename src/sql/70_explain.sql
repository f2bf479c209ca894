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

CREATE FUNCTION hwsched.explain_pending(pool text DEFAULT 'default', OUT reason text,
    OUT workloads bigint, OUT profile_ids bigint[], OUT ready boolean)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 10000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_explain_pending';
COMMENT ON FUNCTION hwsched.explain_pending(text) IS
  'Returns the reasons why the queue waits, with the number of workloads: the last check that the'
  ' closest worker fails. profile_ids are their workload profiles; ready is false for workloads '
  'that wait for others, their retry or their concurrency_key, whatever room there is.';
