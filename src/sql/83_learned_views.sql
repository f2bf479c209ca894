-- Views on what was learned.

CREATE VIEW hwsched.performance AS
SELECT r.pool, r.worker_id, r.workload_type, r.successes, r.failures,
       r.successes::float8 / nullif(r.successes + r.failures, 0) AS success_ratio,
       r.mean_seconds,
       CASE WHEN r.successes > 1 THEN sqrt(r.squares / (r.successes - 1)) END AS deviation_seconds,
       r.min_seconds,
       least(r.max_seconds,
             greatest(r.min_seconds, hwsched_internal.sketch_quantile(r.durations, 0.5)))
           AS p50_seconds,
       least(r.max_seconds,
             greatest(r.min_seconds, hwsched_internal.sketch_quantile(r.durations, 0.9)))
           AS p90_seconds,
       least(r.max_seconds,
             greatest(r.min_seconds, hwsched_internal.sketch_quantile(r.durations, 0.99)))
           AS p99_seconds, r.max_seconds, r.updated_at
FROM hwsched.track_record r;
COMMENT ON VIEW hwsched.performance IS
  'How workers do on types of work: successes and failures, and durations of what was completed.';
COMMENT ON COLUMN hwsched.performance.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.performance.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.performance.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.performance.successes IS 'Runs completed.';
COMMENT ON COLUMN hwsched.performance.failures IS 'Runs that failed.';
COMMENT ON COLUMN hwsched.performance.success_ratio IS 'Share of those that were completed, 0..1.';
COMMENT ON COLUMN hwsched.performance.mean_seconds IS 'Mean duration.';
COMMENT ON COLUMN hwsched.performance.deviation_seconds IS 'Standard deviation of durations.';
COMMENT ON COLUMN hwsched.performance.min_seconds IS 'The shortest.';
COMMENT ON COLUMN hwsched.performance.p50_seconds IS 'Half took no longer, to 2 percent.';
COMMENT ON COLUMN hwsched.performance.p90_seconds IS 'Nine of ten took no longer, to 2 percent.';
COMMENT ON COLUMN hwsched.performance.p99_seconds IS
  'All but one of a hundred took no longer, to 2 percent.';
COMMENT ON COLUMN hwsched.performance.max_seconds IS 'The longest.';
COMMENT ON COLUMN hwsched.performance.updated_at IS 'When the last outcome came.';

CREATE VIEW hwsched.model_accuracy AS
SELECT e.hour AS time, e.pool, e.workload_type, sum(e.runs)::bigint AS runs,
       sum(e.runs * e.predicted_seconds) / sum(e.runs)::float8 AS predicted_seconds,
       sum(e.runs * e.formula_seconds) / sum(e.runs)::float8 AS formula_seconds,
       sum(e.runs * e.actual_seconds) / sum(e.runs)::float8 AS actual_seconds,
       hwsched_internal.sketch_quantile(hwsched_internal.sketch_sum(e.errors), 0.5)
       AS median_error_ratio,
       hwsched_internal.sketch_quantile(hwsched_internal.sketch_sum(e.errors), 0.9)
       AS p90_error_ratio,
       hwsched_internal.sketch_quantile(hwsched_internal.sketch_sum(e.formula_errors), 0.5)
       AS formula_median_error_ratio
FROM hwsched.prediction_error e
GROUP BY e.hour, e.pool, e.workload_type;
COMMENT ON VIEW hwsched.model_accuracy IS
  'How well durations were foretold, by hour and type of work; beside it, what the profiles'' '
  'formula alone would have made of them.';
COMMENT ON COLUMN hwsched.model_accuracy.time IS 'Begin of the hour.';
COMMENT ON COLUMN hwsched.model_accuracy.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.model_accuracy.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.model_accuracy.runs IS 'Completed runs.';
COMMENT ON COLUMN hwsched.model_accuracy.predicted_seconds IS 'Their mean predicted duration.';
COMMENT ON COLUMN hwsched.model_accuracy.formula_seconds IS 'Their mean duration by the formula.';
COMMENT ON COLUMN hwsched.model_accuracy.actual_seconds IS 'Their mean actual duration.';
COMMENT ON COLUMN hwsched.model_accuracy.median_error_ratio IS
  'Half of the predictions were off by no more than this share of the actual duration.';
COMMENT ON COLUMN hwsched.model_accuracy.p90_error_ratio IS
  'Nine of ten were off by no more than this share.';
COMMENT ON COLUMN hwsched.model_accuracy.formula_median_error_ratio IS
  'The median for the formula.';

CREATE VIEW hwsched.duration_model AS
SELECT r.pool, r.kind,
       CASE WHEN r.kind IN ('workload_type', 'family', 'model') THEN r.scope END AS workload_type,
       CASE WHEN r.kind IN ('family', 'model') THEN r.name END AS model,
       profile.id AS profile_id, p.model_name,
       CASE WHEN r.kind = 'worker' THEN r.scope END AS worker_id,
       -- numbers[i]: see src/model/duration.h
       CASE r.kind WHEN 'family' THEN r.numbers[2] WHEN 'model' THEN pairs.runs
            WHEN 'device' THEN r.numbers[33] ELSE r.numbers[1] END AS runs,
       CASE WHEN numbers_say.log < 700 THEN exp(numbers_say.log) END AS factor_ratio, r.updated_at
FROM hwsched.duration_record r
CROSS JOIN LATERAL (SELECT CASE r.kind WHEN 'device' THEN r.scope
                                WHEN 'worker' THEN r.name END::bigint AS id) profile
LEFT JOIN hwsched.device_profile p ON p.pool = r.pool AND p.profile_id = profile.id
LEFT JOIN LATERAL (SELECT sum(r.numbers[8 + 6 * i]) AS runs,
                          sum(r.numbers[8 + 6 * i] * r.numbers[9 + 6 * i]) AS logs
                   FROM generate_series(0,
                                        CASE WHEN r.kind = 'model' THEN r.numbers[6]::int - 1
                                             ELSE -1 END) i) pairs ON true
CROSS JOIN LATERAL (SELECT CASE r.kind WHEN 'workload_type' THEN r.numbers[2]
                                WHEN 'worker' THEN r.numbers[2]
                                       WHEN 'device' THEN r.numbers[19] + r.numbers[34]
                                WHEN 'model' THEN pairs.logs / nullif(pairs.runs, 0)
                           END AS log) numbers_say;
COMMENT ON VIEW hwsched.duration_model IS
  'What was learned of durations, by type of work, model, device profile and worker: the factor '
  'between the runs'' durations and the formula''s.';
COMMENT ON COLUMN hwsched.duration_model.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.duration_model.kind IS 'What the row is about.';
COMMENT ON COLUMN hwsched.duration_model.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.duration_model.model IS
  'The model, or the family of models; empty: work that names none.';
COMMENT ON COLUMN hwsched.duration_model.profile_id IS 'The device profile.';
COMMENT ON COLUMN hwsched.duration_model.model_name IS 'The model of the device.';
COMMENT ON COLUMN hwsched.duration_model.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.duration_model.runs IS
  'Runs that it was learned from; of a model, old ones and outliers count less.';
COMMENT ON COLUMN hwsched.duration_model.factor_ratio IS
  'How many times as long as the formula says: of a device profile, for the average model; of a '
  'worker, beside others with such devices; NULL for a family.';
COMMENT ON COLUMN hwsched.duration_model.updated_at IS 'When a run last changed it.';

CREATE FUNCTION hwsched.performance_history(worker_id text DEFAULT NULL,
    workload_type text DEFAULT NULL, since timestamptz DEFAULT NULL,
    until timestamptz DEFAULT NULL, pool text DEFAULT 'default',
    OUT "time" timestamptz, OUT of_worker_id text, OUT of_workload_type text, OUT successes bigint,
    OUT failures bigint, OUT success_ratio float8, OUT mean_seconds float8,
    OUT deviation_seconds float8, OUT p50_seconds float8, OUT p90_seconds float8,
    OUT predicted_seconds float8)
    RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
SELECT hwsched_internal.check_period($3, $4);
SELECT date_trunc('hour', h.time, 'UTC'), h.worker_id, h.workload_type,
       count(*) FILTER (WHERE h.state = 'completed'),
       count(*) FILTER (WHERE h.state <> 'completed'),
       avg((h.state = 'completed')::int)::float8, avg(d.seconds), stddev_samp(d.seconds),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY d.seconds),
       percentile_cont(0.9) WITHIN GROUP (ORDER BY d.seconds),
       avg(h.predicted_seconds) FILTER (WHERE h.state = 'completed')
FROM hwsched.execution_history h
CROSS JOIN LATERAL (SELECT CASE WHEN h.state = 'completed' THEN h.actual_seconds END AS seconds) d
WHERE h.pool = $5 AND h.state IN ('completed', 'failed', 'expired')
    AND ($1 IS NULL OR h.worker_id = $1)
  -- as conditions that indexes and partitions know
  AND ($2 IS NULL OR h.workload_type = $2) AND h.time >= coalesce($3, '-infinity')
      AND h.time < coalesce($4, 'infinity')
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
$$;
COMMENT ON FUNCTION hwsched.performance_history(text, text, timestamptz, timestamptz, text) IS
  'Returns how workers did on types of work, by the hour: of one worker, of one type, in a span '
  'of time; NULL means all. Durations are of completed runs only.';

CREATE FUNCTION hwsched.change_points(worker_id text DEFAULT NULL,
    workload_type text DEFAULT NULL, since timestamptz DEFAULT NULL,
    pool text DEFAULT 'default',
    OUT "time" timestamptz, OUT worker_id text, OUT model_name text, OUT workload_type text,
    OUT before_seconds float8, OUT after_seconds float8)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_change_points';
COMMENT ON FUNCTION hwsched.change_points(text, text, timestamptz, text) IS
  'Returns since when a worker, or all workers with a device model, have been slower or faster at '
  'a type of work, from the history of executions; a worker of NULL is several at once.';

CREATE FUNCTION hwsched.best_hardware(workload_type text, pool text DEFAULT 'default',
    OUT model_name text, OUT hardware_class text, OUT efficiency float8,
    OUT predicted_seconds float8, OUT runs bigint)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_best_hardware';
COMMENT ON FUNCTION hwsched.best_hardware(text, text) IS
  'Returns the device profiles of a pool for a type of work, the best first: how well they suit '
  'it, what a minute of it takes there by all that was learned, and the runs completed.';

CREATE FUNCTION hwsched.performance_ranking(operation text, "precision" text,
    pool text DEFAULT 'default',
    OUT model_name text, OUT hardware_class text, OUT ops_per_second float8, OUT devices bigint)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_performance_ranking';
COMMENT ON FUNCTION hwsched.performance_ranking(text, text, text) IS
  'Returns the device profiles of a pool that say how fast they are at an operation, the fastest '
  'first, and how many such devices there are.';

CREATE FUNCTION hwsched.fallback_workers(worker_id text, pool text DEFAULT 'default',
    OUT worker_id text, OUT score float8)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_fallback_workers';
COMMENT ON FUNCTION hwsched.fallback_workers(text, text) IS
  'Returns the workers that take work and can stand in for one, the best first, by the '
  'compatibility_score() of their devices.';
