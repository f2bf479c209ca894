-- What would become of work on a fleet. These have no search_path of their own: a table of
-- arrivals is found, and read, as their caller does.

CREATE FUNCTION hwsched.simulate(scenario jsonb, pool text DEFAULT 'default',
    OUT workload_id text, OUT worker_id text, OUT device_nos int[], OUT submitted_at timestamptz,
    OUT started_at timestamptz, OUT finished_at timestamptz, OUT joules float8, OUT cost float8)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 100000
    AS 'MODULE_PATHNAME', 'hwsched_simulate';
COMMENT ON FUNCTION hwsched.simulate(jsonb, text) IS
  'Returns the runs that work would have on a fleet, by the decisions that the pool would make: '
  '{fleet, arrivals, settings, until, seed, failure_rate}. Writes nothing.';

CREATE FUNCTION hwsched.simulate_summary(scenario jsonb, pool text DEFAULT 'default',
    OUT makespan float8, OUT mean_wait float8, OUT p50_wait float8, OUT p90_wait float8,
    OUT p99_wait float8, OUT mean_completion float8, OUT p50_completion float8,
    OUT p90_completion float8, OUT p99_completion float8, OUT utilisation jsonb,
    OUT joules float8, OUT cost float8, OUT starved bigint, OUT moves bigint)
    RETURNS record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 100000
    AS 'MODULE_PATHNAME', 'hwsched_simulate_summary';
COMMENT ON FUNCTION hwsched.simulate_summary(jsonb, text) IS
  'Simulates a scenario as simulate() does, and returns what it comes to: seconds of waiting and '
  'until completion, use of the devices by hardware class, energy and cost. Writes nothing.';
