-- The pure functions by examples worked out by hand, and what the catalogue
-- says of every function, view and table of the extension.
SET client_min_messages = warning;
CREATE EXTENSION hwsched;

CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', state, message, nullif(detail, ''), nullif(hint, ''));
END $$;

--
-- Compatibility: each demand alone, met and not met
--
SELECT no, hwsched.is_compatible(demand::jsonb, '{"hardware_class": "gpu", "model_name": "A100",
		"supported_backends": ["cuda", "onnx"], "supported_precisions": ["fp16", "fp32"],
		"features": ["tensor_cores"], "compute_units": 80, "memory_total_bytes": 4294967296}') AS fits, demand
FROM (VALUES
	(1, '{}'),
	(2, '{"required_backends": ["cuda"]}'), (3, '{"required_backends": ["cuda", "rocm"]}'),
	(4, '{"required_backends": ["gpu"]}'), (5, '{"required_backends": ["cpu"]}'),
	(6, '{"required_precisions": ["fp16"]}'), (7, '{"required_precisions": ["int8"]}'),
	(8, '{"required_features": ["tensor_cores"]}'), (9, '{"required_features": ["ray_tracing"]}'),
	(10, '{"required_models": ["H100", "A100"]}'), (11, '{"required_models": ["a100"]}'),
	(12, '{"min_memory_bytes": 4294967296}'), (13, '{"min_memory_bytes": 4294967297}'),
	(14, '{"min_compute_units": 80}'), (15, '{"min_compute_units": 81}')) AS d (no, demand)
ORDER BY no;
-- The default of an inferred profile does not exclude a CPU of one core; more does
SELECT hwsched.is_compatible('{"min_compute_units": 2}', '{"hardware_class": "cpu", "compute_units": 1}') AS default_units,
	hwsched.is_compatible('{"min_compute_units": 3}', '{"hardware_class": "cpu", "compute_units": 1}') AS more_units,
	hwsched.is_compatible('{"min_compute_units": 2}', '{"hardware_class": "gpu", "compute_units": 1}') AS not_a_cpu;
-- The memory is what the device has, not what is free of it
SELECT hwsched.is_compatible('{"min_memory_bytes": 100}', '{"memory_total_bytes": 100, "memory_available_bytes": 1}');

--
-- Efficiency: each factor alone, all together, and the limit that hides it
--
SELECT no, hwsched.raw_efficiency(workload::jsonb, device::jsonb) AS raw,
	hwsched.efficiency_score(workload::jsonb, device::jsonb) AS score, workload, device
FROM (VALUES
	(1, '{}', '{}'),
	(2, '{"preferred_hardware_class": "gpu"}', '{"hardware_class": "cpu"}'),
	(3, '{"preferred_architecture": "arm64"}', '{"architecture": "x86_64"}'),
	(4, '{"preferred_vendors": ["amd", "intel"]}', '{"vendor": "nvidia"}'),
	(5, '{"preferred_vendors": ["amd", "intel"]}', '{"vendor": "intel"}'),
	(6, '{"metrics": {"compute_intensity": 0.8}}', '{"compute_units": 50}'),
	(7, '{"metrics": {"compute_intensity": 0.7}}', '{"compute_units": 50}'),
	(8, '{"metrics": {"memory_intensity": 0.8}}', '{"memory_total_bytes": 8589934592}'),
	(9, '{"workload_type": "vision"}', '{"hardware_class": "gpu"}'),
	(10, '{"workload_type": "nlp"}', '{"hardware_class": "gpu"}'),
	(11, '{"workload_type": "nlp"}', '{"hardware_class": "gpu", "features": ["tensor_cores"]}'),
	(12, '{"workload_type": "nlp"}', '{"hardware_class": "tpu"}'),
	(13, '{"workload_type": "inference"}', '{"hardware_class": "npu"}'),
	(14, '{"workload_type": "audio"}', '{"hardware_class": "tpu"}'),
	(15, '{"workload_type": "vision", "preferred_hardware_class": "tpu", "metrics": {"compute_intensity": 0.9}}',
		'{"hardware_class": "gpu", "compute_units": 80}')) AS e (no, workload, device)
ORDER BY no;

--
-- Load, with the limits, and what it takes away
--
SELECT hwsched.load_score(100, 100, 100, 100, 100) AS full, hwsched.load_score(0, 0, 0, 0, 0) AS idle,
	hwsched.load_score(50, 0, 0, 0, 0) AS cpu, hwsched.load_score(0, 50, 0, 0, 0) AS memory,
	hwsched.load_score(0, 0, 50, 0, 0) AS gpu, hwsched.load_score(0, 0, 0, 50, 0) AS io,
	hwsched.load_score(0, 0, 0, 0, 50) AS network,
	hwsched.load_score(900, 0, 0, 0, 0) AS beyond, hwsched.load_score(-5, 0, 0, 0, 0) AS below;
SELECT hwsched.effective_load_score(50, 0, 0, 0, 0, false, false, 0.6) AS normal,
	hwsched.effective_load_score(50, 0, 0, 0, 0, true, false, 0.75) AS warming,
	hwsched.effective_load_score(50, 0, 0, 0, 0, true, true, 0.75) AS counted_once,
	hwsched.effective_load_score(100, 100, 100, 0, 0, false, true, 0.5) AS limited;
SELECT hwsched.adjusted_efficiency(1, 0, 0, 0, 0, 0, false, false, 1, 0) AS nothing,
	hwsched.adjusted_efficiency(1, 100, 100, 100, 100, 100, false, false, 1, 0) AS loaded,
	hwsched.adjusted_efficiency(1, 0, 0, 0, 0, 0, false, false, 1, 1) AS hot,
	hwsched.adjusted_efficiency(1, 0, 0, 0, 0, 0, true, false, 0.5, 0) AS warming,
	hwsched.adjusted_efficiency(1, 0, 0, 0, 0, 0, true, true, 0.5, 0) AS both,
	hwsched.adjusted_efficiency(1.2, 0, 0, 0, 0, 0, false, false, 1, 0) AS not_limited;

--
-- Preference, prediction, standing in
--
SELECT hwsched.preference_after(0.5, 1) AS better, hwsched.preference_after(0.5, 0, 0.5) AS worse,
	hwsched.preference_after(0.5, 1, 0) AS nothing_learned, hwsched.preference_after(0.2, 0.9, 1) AS only_the_last;
-- 60 s by default, times 1.5 less the efficiency, which is 1 here
SELECT hwsched.predict_seconds('{}', '{}') AS by_default,
	hwsched.predict_seconds('{"estimated_duration_seconds": 100}', '{}') AS estimated,
	hwsched.predict_seconds('{"estimated_duration_seconds": 100, "min_compute_units": 40}', '{"compute_units": 50}') AS ample_units,
	hwsched.predict_seconds('{"estimated_duration_seconds": 100, "min_compute_units": 40}', '{"compute_units": 4000}') AS at_best,
	hwsched.predict_seconds('{"estimated_duration_seconds": 100, "min_compute_units": 40}', '{}') AS unknown_units,
	hwsched.predict_seconds('{"estimated_duration_seconds": 100, "min_memory_bytes": 40}', '{}') AS unknown_memory,
	hwsched.predict_seconds('{"estimated_duration_seconds": 1}', '{}') AS at_least_a_second;
SELECT hwsched.predict_joules('{}', '{}', 10) AS by_default,
	hwsched.predict_joules('{"metrics": {"compute_intensity": 1}}', '{"thermal_design_power_w": 300}', 10) AS intense,
	hwsched.predict_joules('{"metrics": {"energy_sensitivity": 1}}', '{}', 10) AS a_wish_changes_nothing;
SELECT hwsched.compatibility_score('{"hardware_class": "gpu"}', '{"hardware_class": "gpu"}') AS gpus,
	hwsched.compatibility_score('{"hardware_class": "tpu"}', '{"hardware_class": "tpu"}') AS tpus,
	hwsched.compatibility_score('{"hardware_class": "cpu"}', '{"hardware_class": "gpu"}') AS cpu_gpu,
	hwsched.compatibility_score('{"hardware_class": "gpu"}', '{"hardware_class": "cpu"}') AS gpu_cpu,
	hwsched.compatibility_score('{"hardware_class": "tpu"}', '{"hardware_class": "npu"}') AS strangers,
	hwsched.compatibility_score('{"hardware_class": "cpu", "supported_backends": ["onnx"], "supported_precisions": ["fp32"]}',
		'{"hardware_class": "cpu", "supported_backends": ["onnx", "tvm"], "supported_precisions": ["fp32"]}') AS cpus;

--
-- Temperature: the reference's step with its cap, and the law itself
--
SELECT hwsched.thermal_step(0, 1, 1) AS heats, hwsched.thermal_step(0, 1, 60) AS capped, hwsched.thermal_step(0.5, 0.7, 60) AS bound_above,
	hwsched.thermal_step(0.5, 0.3, 60) AS bound_below, hwsched.thermal_step(0.5, 0, 10) AS cools, hwsched.thermal_step(0.1, 0, 600) AS at_rest;
-- 1 - exp(-0.02 x 50) and 2 exp(-0.01 x 10) - 1
SELECT round(hwsched.thermal_at(0, 1, 50)::numeric, 12) AS heats, round((1 - exp(-1.0))::numeric, 12) AS expected,
	round(hwsched.thermal_at(1, 0, 10)::numeric, 12) AS cools, round((2 * exp(-0.1) - 1)::numeric, 12) AS expected,
	hwsched.thermal_at(0.5, 0.5, 1000) AS keeps, hwsched.thermal_at(0.5, 0, 1e6) AS cold, hwsched.thermal_at(0.5, 1, 1e6) AS hot;
-- 5 s twice are 10 s once, from any temperature at any load
SELECT count(*) AS compared,
	count(*) FILTER (WHERE abs(hwsched.thermal_at(hwsched.thermal_at(t, load, 5), load, 5) - hwsched.thermal_at(t, load, 10)) > 1e-12) AS differing
FROM generate_series(0, 1, 0.05) AS t, generate_series(0, 1, 0.05) AS load;

--
-- Performance level: linear from 0.6 or 0.7 to 1, never beyond, never falling
--
SELECT seconds,
	hwsched.performance_level('warming', '2026-01-01 00:00+00', '30 s', '2026-01-01 00:00+00'::timestamptz + seconds * interval '1 s') AS warming,
	hwsched.performance_level('cooling', '2026-01-01 00:00+00', '60 s', '2026-01-01 00:00+00'::timestamptz + seconds * interval '1 s') AS cooling,
	hwsched.performance_level('normal', '2026-01-01 00:00+00', '60 s', '2026-01-01 00:00+00'::timestamptz + seconds * interval '1 s') AS normal
FROM unnest(ARRAY[-10, 0, 15, 30, 45, 60, 600]) AS seconds;
SELECT hwsched.performance_level('warming', now(), '0', now()) AS no_duration;
SELECT bool_and(level >= before) AS never_falls FROM (
	SELECT level, lag(level, 1, 0::float8) OVER (PARTITION BY phase ORDER BY s) AS before
	FROM unnest(ARRAY['warming', 'cooling']) AS phase, generate_series(0, 100) AS s,
		LATERAL (SELECT hwsched.performance_level(phase, 'epoch', '60 s', 'epoch'::timestamptz + s * interval '1 s')) AS l (level)) AS x;

--
-- What makes no sense is refused, what is NULL gives NULL
--
SELECT pg_temp.error_of($$SELECT hwsched.load_score('NaN', 0, 0, 0, 0)$$);
SELECT pg_temp.error_of($$SELECT hwsched.adjusted_efficiency('Infinity', 0, 0, 0, 0, 0, false, false, 1, 0)$$);
SELECT pg_temp.error_of($$SELECT hwsched.preference_after(0.5, 0.5, 1.5)$$);
SELECT pg_temp.error_of($$SELECT hwsched.thermal_at(0, 1, -1)$$);
SELECT pg_temp.error_of($$SELECT hwsched.predict_joules('{}', '{}', -1)$$);
SELECT pg_temp.error_of($$SELECT hwsched.performance_level('melting', now(), '1 s', now())$$);
SELECT pg_temp.error_of($$SELECT hwsched.efficiency_score('[]', '{}')$$);
SELECT pg_temp.error_of($$SELECT hwsched.efficiency_score('{}', '{"compute_units": "many"}')$$);
SELECT pg_temp.error_of($$SELECT hwsched.is_compatible('{"metrics": {"compute_intensity": 1.5}}', '{}')$$);
SELECT hwsched.load_score(NULL, 0, 0, 0, 0) IS NULL AND hwsched.efficiency_score(NULL, '{}') IS NULL
	AND hwsched.workload_profile(NULL) IS NULL AND hwsched.performance_level('warming', NULL, '1 s', now()) IS NULL AS null_is_null,
	(SELECT count(*) FROM hwsched.device_profiles(NULL)) AS devices_of_null;

--
-- Parallel workers compute the same, taxonomy and all
--
CREATE TABLE public.many AS SELECT 'vision ' || g AS test_type FROM generate_series(1, 20000) AS g;
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
DO $$
DECLARE
	line text;
BEGIN
	FOR line IN EXPLAIN SELECT count(*) FROM public.many WHERE hwsched.workload_profile(jsonb_build_object('test_type', test_type)) IS NOT NULL LOOP
		IF line LIKE '%Workers Planned%' THEN
			RETURN;
		END IF;
	END LOOP;
	RAISE EXCEPTION 'the plan is not parallel';
END $$;
SELECT count(*), count(*) FILTER (WHERE hwsched.workload_profile(jsonb_build_object('test_type', test_type)) ->> 'workload_type' = 'vision') AS vision
FROM public.many;
COMMIT;
DROP TABLE public.many;

--
-- The catalogue: name, volatility, strictness, parallel safety of every function
--
SELECT p.proname AS function,
	CASE p.prokind WHEN 'p' THEN 'procedure' ELSE CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END END AS volatility,
	p.proisstrict AS strict, CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END AS parallel,
	p.prosecdef AS definer
FROM pg_proc AS p WHERE p.pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace)
ORDER BY p.proname COLLATE "C", oid;

-- What is good, a warning and poor; of what is not known, nothing
SELECT e AS efficiency, hwsched.efficiency_rating(e) FROM unnest('{1,0.7,0.699,0.4,0.399,0,NULL}'::float8[]) AS e;
SELECT r AS ratio, hwsched.prediction_rating(r) FROM unnest('{0,0.49,0.5,0.79,0.8,1,1.25,1.26,2,2.01,NaN,NULL}'::float8[]) AS r;

-- What writes runs with a search path that nobody can put anything into (tune() sets it itself, once it knows its caller's)
SELECT oid::regprocedure FROM pg_proc
WHERE pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace) AND (prosecdef OR provolatile = 'v') AND prorettype <> 'trigger'::regtype
	AND NOT coalesce(proconfig @> '{"search_path=pg_catalog, pg_temp"}', false) ORDER BY proname;
-- Definers do not know their caller: only what looks at nothing of a pool is one
SELECT oid::regprocedure FROM pg_proc WHERE pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace) AND prosecdef ORDER BY proname COLLATE "C";

-- The pool is the last argument of every function that has one, and 'default'
SELECT oid::regprocedure FROM pg_proc AS p
WHERE pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace) AND 'pool' = ANY (proargnames)
	AND proname NOT IN ('create_pool', 'alter_pool', 'drop_pool', 'submit_many', 'suggest_power_limit')
	AND (proargnames[pronargs] <> 'pool' OR pg_get_function_arg_default(oid, pronargs) <> '''default''::text');

-- Everything has a comment (no rows)
SELECT oid::regprocedure FROM pg_proc WHERE pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace)
	AND coalesce(obj_description(oid, 'pg_proc'), '') = '';
SELECT oid::regclass FROM pg_class WHERE relnamespace = 'hwsched'::regnamespace AND relkind IN ('r', 'v', 'p', 'm')
	AND coalesce(obj_description(oid, 'pg_class'), '') = '';
SELECT attrelid::regclass, attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind IN ('r', 'v', 'p', 'm') AND attnum > 0 AND NOT attisdropped
	AND coalesce(col_description(attrelid, attnum), '') = '';
SELECT oid::regtype FROM pg_type WHERE typnamespace = 'hwsched'::regnamespace AND typtype = 'e'
	AND coalesce(obj_description(oid, 'pg_type'), '') = '';

-- Nothing is granted to PUBLIC (no rows), by default or otherwise
SELECT 'schema' AS what, nspname::text AS name FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) AS a
WHERE nspname LIKE 'hwsched%' AND a.grantee = 0
UNION ALL SELECT 'relation', c.oid::regclass::text
FROM pg_class AS c, aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))) AS a
WHERE relnamespace::regnamespace::text LIKE 'hwsched%' AND a.grantee = 0
UNION ALL SELECT 'function', p.oid::regprocedure::text
FROM pg_proc AS p, aclexplode(coalesce(proacl, acldefault('f', proowner))) AS a
WHERE pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace) AND a.grantee = 0
UNION ALL SELECT 'column', attrelid::regclass || '.' || attname
FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid, aclexplode(attacl) AS a
WHERE relnamespace = 'hwsched'::regnamespace AND a.grantee = 0
UNION ALL SELECT 'type', t.oid::regtype::text
FROM pg_type AS t, aclexplode(coalesce(typacl, acldefault('T', typowner))) AS a
WHERE typnamespace = 'hwsched'::regnamespace AND typtype = 'e' AND a.grantee = 0;

-- The extension cannot be moved, and puts nothing outside of its schema
SELECT extrelocatable, extnamespace::regnamespace FROM pg_extension WHERE extname = 'hwsched';
SELECT DISTINCT n.nspname FROM pg_depend AS d JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hwsched') ORDER BY 1;
