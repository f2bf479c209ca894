-- What would become of work on a fleet, which workers that lacks, and which settings would be
-- better. These have no search_path of their own: a table of arrivals is found, and read, as their
-- caller does.

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

CREATE FUNCTION hwsched.scaling_advice(scenario jsonb DEFAULT '{}', pool text DEFAULT 'default',
    OUT capabilities jsonb, OUT change int, OUT why text, OUT cost_per_hour float8,
    OUT wait_after_seconds float8)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 100000
    AS 'MODULE_PATHNAME', 'hwsched_scaling_advice';
COMMENT ON FUNCTION hwsched.scaling_advice(jsonb, text) IS
  'Returns which workers to buy or start for nothing to wait longer than the setting wait_target, '
  'at the least cost, and which to stop. maintain() tells by NOTIFY hwsched_scaling when that '
  'changes. Writes nothing.';

CREATE FUNCTION hwsched.tune(objective jsonb, scenario jsonb DEFAULT '{}',
    apply boolean DEFAULT false, pool text DEFAULT 'default',
    OUT settings jsonb, OUT gain float8, OUT low float8, OUT high float8,
    OUT on_held_back float8, OUT chosen boolean)
    RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 100000
    AS 'MODULE_PATHNAME', 'hwsched_tune';
COMMENT ON FUNCTION hwsched.tune(jsonb, jsonb, boolean, text) IS
  'Searches settings under which the history, or a scenario''s arrivals, would have had less of '
  'the objective. The objective is {column of simulate_summary(): weight}. Returns the gain as a '
  'part, its interval of 95 %, and the gain on the last third, which the search does not see. '
  'chosen: the best, if it is better in both; apply takes it into force.';
