-- What was learned: predictions from it, moving it elsewhere, forgetting it.

CREATE FUNCTION hwsched.predict(workload_id text, worker_id text, device_no int,
    pool text DEFAULT 'default',
    OUT p50_seconds float8, OUT p90_seconds float8, OUT joules float8, OUT cost float8,
    OUT carbon_g float8, OUT formula_seconds float8, OUT reason text)
    RETURNS record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_predict';
COMMENT ON FUNCTION hwsched.predict(text, text, int, text) IS
  'Returns how long a workload will take on a device, by runs like it: half of all runs take at '
  'most p50_seconds, nine of ten at most p90_seconds; the energy and cost of p50_seconds; and the'
  ' prediction of the profiles alone. NULL, with the reason, where it never runs.';

CREATE FUNCTION hwsched.reset_learning(worker_id text DEFAULT NULL, pool text DEFAULT 'default')
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_reset_learning';
COMMENT ON FUNCTION hwsched.reset_learning(text, text) IS
  'Forgets what was learned of one worker, or with NULL in the whole pool; returns the number of '
  'records. A single worker''s contribution to models and device profiles stays.';

CREATE FUNCTION hwsched.teach(runs jsonb, pool text DEFAULT 'default') RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_teach';
COMMENT ON FUNCTION hwsched.teach(jsonb, text) IS
  'Learns from runs that were not this pool''s, in the order of their times, all or nothing; '
  'returns how many have taught.';

CREATE FUNCTION hwsched.learning_json(pool text DEFAULT 'default') RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC' SET extra_float_digits = '1' AS $$
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

CREATE FUNCTION hwsched_internal.learned_fault(kind text, numbers float8[]) RETURNS int
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'hwsched_learned_fault';
COMMENT ON FUNCTION hwsched_internal.learned_fault(text, float8[]) IS
  'Which of some numbers, from 0, cannot be in a record of duration_record of a kind, or in a '
  'thermal model (kind heat); NULL: none.';

CREATE FUNCTION hwsched_internal.learning_faults(document jsonb)
    RETURNS TABLE (path text, value text, expected text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH field (section, key, type, required, least, most, expected) AS (VALUES
        ('track_records', 'workload_type', 'text', true, 1, 2500, 'a text'),
        ('track_records', 'worker_id', 'text', true, 1, 1000, '1 to 1000 bytes'),
        ('track_records', 'preference', 'number', true, 0, 1, 'a number from 0 to 1'),
        ('track_records', 'samples', 'integer', true, 0, 1e15, 'a count, 1e15 at most'),
        ('track_records', 'successes', 'integer', true, 0, 1e15, 'a count, 1e15 at most'),
        ('track_records', 'failures', 'integer', true, 0, 1e15, 'a count, 1e15 at most'),
        ('track_records', 'mean_seconds', 'number', false, 0, 1e12, 'seconds, 1e12 at most'),
        ('track_records', 'squares', 'number', false, 0, 1e40, 'a number from 0 to 1e40'),
        ('track_records', 'min_seconds', 'number', false, 0, 1e12, 'seconds, 1e12 at most'),
        ('track_records', 'max_seconds', 'number', false, 0, 1e12, 'seconds, 1e12 at most'),
        ('track_records', 'durations', 'sketch', false, 0, 0,
         'the first bucket and counts that are not negative'),
        ('track_records', 'updated_at', 'time', true, 0, 0,
         'a time, not before 1970 and not in the future'),
        ('durations', 'kind', 'kind', true, 0, 0, 'a kind of duration_record'),
        ('durations', 'scope', 'text', true, 0, 2500, 'a text'),
        ('durations', 'name', 'text', true, 0, 2500, 'a text'),
        ('durations', 'numbers', 'numbers', true, 0, 0, 'numbers of such a record'),
        ('durations', 'updated_at', 'time', true, 0, 0,
         'a time, not before 1970 and not in the future'),
        ('power_measurements', 'job', 'text', true, 1, 1000, '1 to 1000 bytes'),
        ('power_measurements', 'device_model', 'text', true, 1, 1000, '1 to 1000 bytes'),
        ('power_measurements', 'power_limit_w', 'number', true, 0.001, 1e6,
         'watts from 0.001 to 1e6'),
        ('power_measurements', 'seconds', 'number', true, 1e-9, 1e12, 'seconds, 1e12 at most'),
        ('power_measurements', 'average_w', 'number', true, 0.001, 1e6, 'watts from 0.001 to 1e6'),
        ('power_measurements', 'at', 'time', true, 0, 0,
         'a time, not before 1970 and not in the future'),
        ('thermal_models', 'worker_id', 'text', true, 1, 1000, '1 to 1000 bytes'),
        ('thermal_models', 'device_no', 'integer', true, 0, 2147483647, 'a whole number from 0'),
        ('thermal_models', 'profile_id', 'integer', true, 1, 9223372036854775807,
         'a whole number from 1'),
        ('thermal_models', 'model', 'numbers', true, 0, 0, 'numbers of a thermal model'),
        ('thermal_models', 'updated_at', 'time', true, 0, 0,
         'a time, not before 1970 and not in the future')
    ), entry AS (
        SELECT s.section, s.section || '[' || e.no - 1 || ']' AS path, e.value AS entry
        FROM unnest('{track_records,durations,power_measurements,thermal_models}'::text[])
            AS s (section)
        CROSS JOIN LATERAL jsonb_array_elements($1 -> s.section) WITH ORDINALITY AS e (value, no)
    ), field_value AS (
        SELECT e.path || '.' || f.key AS path, e.entry, f.type, f.required, f.least, f.most,
               f.expected, v.value, jsonb_typeof(v.value) AS is,
               CASE WHEN jsonb_typeof(v.value) = 'array' THEN v.value ELSE '[]' END AS members
        FROM entry AS e JOIN field AS f ON f.section = e.section
        CROSS JOIN LATERAL (SELECT nullif(e.entry -> f.key, 'null') AS value) AS v
        WHERE jsonb_typeof(e.entry) = 'object'
    ), numbers AS (
        -- what is no number of float8 is beyond all that can be
        SELECT v.path, v.expected, v.members,
               hwsched_internal.learned_fault(v.kind, ARRAY(
                   SELECT CASE WHEN m.value = '"NaN"' THEN 'NaN'
                               WHEN jsonb_typeof(m.value) <> 'number' THEN 'Infinity'
                               WHEN m.value::numeric NOT BETWEEN -1e300 AND 1e300
                                   OR abs(m.value::numeric) < 1e-323 AND m.value::numeric <> 0
                                   THEN 'Infinity'
                               ELSE (m.value #>> '{}')::float8 END
                   FROM jsonb_array_elements(v.members) WITH ORDINALITY AS m (value, no)
                   ORDER BY m.no)) AS fault
        FROM (SELECT n.*, CASE WHEN n.expected LIKE '%thermal%' THEN 'heat'
                               ELSE n.entry ->> 'kind' END AS kind
              FROM field_value AS n WHERE n.type = 'numbers' AND n.is = 'array') AS v
        WHERE v.kind = 'heat'
            OR v.kind = ANY (enum_range(NULL::hwsched.duration_kind)::text[])
    )
    SELECT e.path, left(e.entry::text, 80), 'an object' FROM entry AS e
    WHERE jsonb_typeof(e.entry) <> 'object'
    UNION ALL
    SELECT v.path, left(v.value::text, 80), v.expected FROM field_value AS v
    WHERE CASE WHEN v.value IS NULL THEN v.required
               WHEN v.type = 'time' THEN hwsched_internal.history_time(v.value) IS NULL
               WHEN v.type IN ('number', 'integer')
                   THEN CASE WHEN v.is <> 'number' THEN true
                             ELSE v.value::numeric NOT BETWEEN v.least AND v.most
                                 OR abs(v.value::numeric) < 1e-323 AND v.value::numeric <> 0
                                 OR v.type = 'integer' AND v.value::text !~ '^[0-9]+$' END
               WHEN v.type = 'numbers' THEN v.is <> 'array'
               WHEN v.type = 'sketch'
                   THEN CASE WHEN EXISTS (SELECT FROM jsonb_array_elements(v.members) AS m (value)
                                          WHERE m.value::text !~ '^-?[0-9]{1,18}$') THEN true
                             ELSE NOT hwsched_internal.is_sketch(ARRAY(
                                 SELECT m.value::text::bigint
                                 FROM jsonb_array_elements(v.members)
                                     WITH ORDINALITY AS m (value, no) ORDER BY m.no)) END
                       OR v.is <> 'array'
               WHEN v.is <> 'string' THEN true
               WHEN v.type = 'text'
                   THEN octet_length(v.value #>> '{}') NOT BETWEEN v.least AND v.most
               ELSE v.value #>> '{}' <> ALL (enum_range(NULL::hwsched.duration_kind)::text[]) END
    UNION ALL
    SELECT n.path || '[' || n.fault || ']', left((n.members -> n.fault)::text, 80), n.expected
    FROM numbers AS n WHERE n.fault IS NOT NULL
$$;
COMMENT ON FUNCTION hwsched_internal.learning_faults(jsonb) IS
  'What is wrong in the sections of a document of learning_json(), each with its path; a NULL '
  'value is missing. Part of load_learning().';

CREATE FUNCTION hwsched_internal.load_learning(document jsonb, pool text DEFAULT 'default')
    RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    loaded bigint;
    more bigint;
    wrong text;
    fault record;
    profile jsonb;
    detail text;
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
    SELECT f.* INTO fault FROM hwsched_internal.learning_faults(document) AS f LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = CASE WHEN fault.value IS NULL THEN format('"%s" is missing', fault.path)
                           ELSE format('invalid value for "%s": %s', fault.path, fault.value) END,
            DETAIL = format('Expected %s.', fault.expected),
            HINT = 'Expected a document as hwsched.learning_json() makes it.';
    END IF;
    FOR wrong, profile IN SELECT e.key, e.value FROM jsonb_each(document -> 'device_profiles') e
    LOOP
        BEGIN
            PERFORM hwsched.is_compatible('{}', profile);
            IF profile ->> 'hardware_class' IS NULL THEN
                RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
                    MESSAGE = '"device.hardware_class" is missing';
            END IF;
        EXCEPTION WHEN invalid_parameter_value THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
                MESSAGE = overlay(SQLERRM PLACING '"device_profiles.' || wrong
                                  FROM position('"device' IN SQLERRM) FOR length('"device')),
                DETAIL = detail, HINT = 'Expected a document as hwsched.learning_json() makes it.';
        END;
    END LOOP;
    -- locks the pool, and settles what is completed: nobody learns of it meanwhile
    PERFORM hwsched.rebalance(0, pool);
    -- its records refer to each other, so they do not mix with others
    IF EXISTS (SELECT FROM hwsched.duration_record r WHERE r.pool = load_learning.pool) THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('pool "%s" has already learned of durations', pool),
            HINT = 'Forget that with hwsched.reset_learning() first.';
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
    ON CONFLICT ON CONSTRAINT track_record_pkey DO NOTHING;
    GET DIAGNOSTICS loaded = ROW_COUNT;

    INSERT INTO hwsched.duration_record (pool, kind, scope, name, number, numbers, updated_at)
    SELECT load_learning.pool, r.kind,
           CASE r.kind WHEN 'device' THEN p.profile_id::text ELSE r.scope END,
           CASE r.kind WHEN 'worker' THEN p.profile_id::text ELSE r.name END,
           -- the number that the record itself has, if it has run
           CASE WHEN r.kind = 'device' THEN nullif(r.numbers[1], 0)::int END,
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
COMMENT ON FUNCTION hwsched_internal.load_learning(jsonb, text) IS
  'load_learning(), once it is clear that its caller may.';

CREATE FUNCTION hwsched.load_learning(document jsonb, pool text DEFAULT 'default') RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_load_learning';
COMMENT ON FUNCTION hwsched.load_learning(jsonb, text) IS
  'Loads a document of learning_json() into a pool that has learned nothing of durations; returns'
  ' the number of records. Records of workers and devices that are not registered are left out.';
