-- What was learned: predictions from it, moving it elsewhere, forgetting it.

CREATE FUNCTION hwsched.predict(workload_id text, worker_id text, device_no int,
    pool text DEFAULT 'default',
    OUT p50_seconds float8, OUT p90_seconds float8, OUT joules float8, OUT cost float8,
    OUT carbon_g float8, OUT formula_seconds float8, OUT reason text)
    RETURNS record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_predict';
COMMENT ON FUNCTION hwsched.predict(text, text, int, text) IS
  'Returns how long a workload will take on a device, by runs like it: half of all runs take at '
  'most p50_seconds, nine of ten at most p90_seconds; the energy and cost of p50_seconds; and the'
  ' prediction of the profiles alone. NULL, with the reason, where it never runs.';

CREATE FUNCTION hwsched.reset_learning(worker_id text DEFAULT NULL, pool text DEFAULT 'default')
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_reset_learning';
COMMENT ON FUNCTION hwsched.reset_learning(text, text) IS
  'Forgets what was learned of one worker, or with NULL in the whole pool; returns the number of '
  'records. A single worker''s contribution to models and device profiles stays.';

CREATE FUNCTION hwsched.learning_json(pool text DEFAULT 'default') RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
    SET extra_float_digits = '1' AS $$
SELECT jsonb_build_object(
    'track_records', coalesce((
        SELECT jsonb_agg(to_jsonb(r) - 'pool' ORDER BY r.workload_type, r.worker_id)
        FROM hwsched.track_record r WHERE r.pool = $1), '[]'),
    -- device profiles by what they are: their ids are this pool's own
    'device_profiles', coalesce((
        SELECT jsonb_object_agg(p.profile_id, p.profile) FROM hwsched.device_profile p
        WHERE p.pool = $1
            AND p.profile_id IN (SELECT CASE r.kind WHEN 'device' THEN r.scope
                                             ELSE r.name END::bigint
                                 FROM hwsched.duration_record r
                                 WHERE r.pool = $1 AND r.kind IN ('device', 'worker')
                                 UNION SELECT h.profile_id FROM hwsched.device_heat h
                                 WHERE h.pool = $1)), '{}'),
    'durations', coalesce((
        SELECT jsonb_agg(to_jsonb(r) - 'pool' ORDER BY r.kind, r.scope, r.name)
        FROM hwsched.duration_record r WHERE r.pool = $1), '[]'),
    'power_measurements', coalesce((
        SELECT jsonb_agg(to_jsonb(m) - 'pool' ORDER BY m.job, m.device_model, m.power_limit_w)
        FROM hwsched.power_measurement m WHERE m.pool = $1), '[]'),
    'thermal_models', coalesce((
        SELECT jsonb_agg(to_jsonb(h) - 'pool' ORDER BY h.worker_id, h.device_no)
        FROM hwsched.device_heat h WHERE h.pool = $1), '[]'))
$$;
COMMENT ON FUNCTION hwsched.learning_json(text) IS
  'Returns what was learned of workers, durations, power limits and temperatures in a pool, as '
  'one document for load_learning().';

CREATE FUNCTION hwsched.load_learning(document jsonb, pool text DEFAULT 'default') RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    loaded bigint;
    more bigint;
    wrong text;
BEGIN
    IF document IS NULL OR pool IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
            MESSAGE = format('"%s" of hwsched.load_learning() must not be NULL',
                             CASE WHEN document IS NULL THEN 'document' ELSE 'pool' END);
    END IF;
    PERFORM hwsched.pool_settings(pool);
    SELECT k.key INTO wrong
    FROM (VALUES ('track_records', 'array'), ('device_profiles', 'object'), ('durations', 'array'),
              ('power_measurements', 'array'), ('thermal_models', 'array')) k(key, type)
    WHERE jsonb_typeof(document) <> 'object'
        OR jsonb_typeof(document -> k.key) IS DISTINCT FROM k.type
    LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('invalid value for "%s": %s', wrong,
                             left(coalesce((document -> wrong)::text, 'missing'), 80)),
            HINT = 'Expected a document as hwsched.learning_json() makes it.';
    END IF;
    -- locks the pool, and settles what is completed: nobody learns of it meanwhile
    PERFORM hwsched.rebalance(0, pool);
    -- its records refer to each other, so they do not mix with others
    IF EXISTS (SELECT FROM hwsched.duration_record r WHERE r.pool = load_learning.pool) THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('pool "%s" has already learned of durations', pool),
            HINT = 'Forget that with hwsched.reset_learning() first.';
    END IF;
    SELECT e.key INTO wrong FROM jsonb_each(document -> 'device_profiles') e
    WHERE hwsched.is_compatible('{}', e.value) IS NULL OR e.value ->> 'hardware_class' IS NULL
    LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('invalid value for "device_profiles.%s"', wrong),
            HINT = 'Expected a device profile.';
    END IF;
    INSERT INTO hwsched.device_profile (pool, profile, digest)
    SELECT load_learning.pool, e.value, hwsched_internal.profile_digest(e.value, NULL)
    FROM jsonb_each(document -> 'device_profiles') e
    ON CONFLICT DO NOTHING;

    INSERT INTO hwsched.track_record AS t
    SELECT load_learning.pool, r.workload_type, r.worker_id, r.preference, r.samples, r.updated_at,
           r.successes, r.failures, r.mean_seconds,
           r.squares, r.min_seconds, r.max_seconds, r.durations
    FROM jsonb_populate_recordset(NULL::hwsched.track_record, document -> 'track_records') r
    WHERE EXISTS (SELECT FROM hwsched.worker w
                  WHERE w.pool = load_learning.pool AND w.worker_id = r.worker_id)
      AND r.preference BETWEEN 0 AND 1
      AND (r.durations IS NULL OR hwsched_internal.sketch_merge(r.durations, '{}') IS NOT NULL)
    ON CONFLICT ON CONSTRAINT track_record_pkey DO NOTHING;
    GET DIAGNOSTICS loaded = ROW_COUNT;

    INSERT INTO hwsched.duration_record (pool, kind, scope, name, number, numbers, updated_at)
    SELECT load_learning.pool, r.kind,
           CASE r.kind WHEN 'device' THEN p.profile_id::text ELSE r.scope END,
           CASE r.kind WHEN 'worker' THEN p.profile_id::text ELSE r.name END,
           -- the number that the record itself has, if it is one
           CASE WHEN r.kind = 'device' AND r.numbers[array_lower(r.numbers, 1)] BETWEEN 1 AND 1e6
                    THEN r.numbers[array_lower(r.numbers, 1)]::int END,
           r.numbers, r.updated_at
    FROM jsonb_populate_recordset(NULL::hwsched.duration_record, document -> 'durations') r
    LEFT JOIN jsonb_each(document -> 'device_profiles') e
        ON e.key = CASE r.kind WHEN 'device' THEN r.scope WHEN 'worker' THEN r.name END
    LEFT JOIN hwsched.device_profile p
        ON p.pool = load_learning.pool
            AND p.digest = hwsched_internal.profile_digest(e.value, NULL)
    WHERE r.kind NOT IN ('device', 'worker') OR p.profile_id IS NOT NULL;
    GET DIAGNOSTICS more = ROW_COUNT;
    loaded := loaded + more;

    INSERT INTO hwsched.power_measurement (pool, job, device_model, power_limit_w, seconds,
                                           average_w, at)
    SELECT load_learning.pool, m.job, m.device_model, m.power_limit_w, m.seconds, m.average_w, m.at
    FROM jsonb_populate_recordset(NULL::hwsched.power_measurement,
                                  document -> 'power_measurements') m
    ON CONFLICT ON CONSTRAINT power_measurement_pkey DO NOTHING;
    GET DIAGNOSTICS more = ROW_COUNT;
    loaded := loaded + more;

    INSERT INTO hwsched.device_heat (pool, worker_id, device_no, profile_id, model, updated_at)
    SELECT load_learning.pool, d.worker_id, d.device_no, d.profile_id, r.model, r.updated_at
    FROM jsonb_populate_recordset(NULL::hwsched.device_heat, document -> 'thermal_models') r
    JOIN jsonb_each(document -> 'device_profiles') e ON e.key = r.profile_id::text
    JOIN hwsched.device_profile p
        ON p.pool = load_learning.pool
            AND p.digest = hwsched_internal.profile_digest(e.value, NULL)
    JOIN hwsched.device d
        ON d.pool = load_learning.pool AND d.worker_id = r.worker_id AND d.device_no = r.device_no
            AND d.profile_id = p.profile_id
    WHERE (hwsched_internal.describe_heat(r.model)).reports IS NOT NULL
    ON CONFLICT ON CONSTRAINT device_heat_pkey DO NOTHING;
    GET DIAGNOSTICS more = ROW_COUNT;
    RETURN loaded + more;
EXCEPTION
    -- what the tables would not take
    WHEN check_violation OR unique_violation OR not_null_violation OR data_exception
        OR cardinality_violation OR program_limit_exceeded THEN
        IF SQLSTATE IN ('22023', '22004') THEN
            RAISE;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('invalid value in "document": %s', SQLERRM),
            HINT = 'Expected a document as hwsched.learning_json() makes it.';
END
$$;
COMMENT ON FUNCTION hwsched.load_learning(jsonb, text) IS
  'Loads a document of learning_json() into a pool that has learned nothing of durations; returns'
  ' the number of records. Records of workers and devices that are not registered are left out.';
