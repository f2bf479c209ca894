-- What sqlsmith plays with: three logins of few rights, pools with work in every
-- state, and values that our functions take something of.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION hwsched;
CREATE SCHEMA smith;
DO $$
BEGIN
	CREATE ROLE smith_viewer LOGIN IN ROLE hwsched_viewer;
	CREATE ROLE smith_worker LOGIN;
	CREATE ROLE smith_coordinator LOGIN IN ROLE hwsched_coordinator;
END $$;
GRANT USAGE ON SCHEMA smith TO hwsched_viewer, hwsched_worker;

SELECT hwsched.create_pool('p', '{"policy": {"hardware_aware": 0.7, "performance": 0.2, "round_robin": 0.1}, "retry_backoff": 0}');
SELECT hwsched.register_worker('w' || n, '{"cpu_cores": 8, "available_memory": 64, "supported_backends": ["cuda"], "available_accelerators": {"cuda": 2}}', pool) FROM generate_series(1, 4) AS n, unnest('{default,p}'::text[]) AS pool;
SELECT hwsched.update_load('w1', '{"cpu_utilization": 10, "temperature": 0.5, "devices": [{"device_no": 1, "utilization": 20}]}', 'p');
SELECT hwsched.grant_worker('w1', 'smith_worker', 'p');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 't' || n, 'test_type', (ARRAY['vision', 'text', 'x'])[1 + n % 3], 'model_id', 'm' || n % 4, 'required_backend', (ARRAY['cuda', 'cpu'])[1 + n % 2], 'priority', 1 + n % 5, 'retries', n % 3))
	FROM generate_series(1, 60) AS n), pool) FROM unnest('{default,p}'::text[]) AS pool;
SELECT hwsched.assign_pending(50, pool) FROM unnest('{default,p}'::text[]) AS pool;
SELECT count(*) FROM unnest('{w1,w2,w3}'::text[]) AS w, unnest('{default,p}'::text[]) AS pool, LATERAL hwsched.claim(w, 8, true, pool);
SELECT count(hwsched.complete(assignment_id, '{"x": 1}', pool)) FROM (SELECT * FROM hwsched.assignment WHERE state = 'running' ORDER BY assignment_id LIMIT 10) AS a;
SELECT count(hwsched.fail(assignment_id, 'out of memory', pool)) FROM (SELECT * FROM hwsched.assignment WHERE state = 'running' ORDER BY assignment_id LIMIT 6) AS a;
SELECT hwsched.cancel('t' || n, 'p') FROM generate_series(55, 60) AS n;

-- sqlsmith makes few values up: it takes them from columns
CREATE TABLE smith.sample AS
SELECT n, (ARRAY['p', 'p', 'p', 'default', 'no pool'])[1 + n % 5] AS pool, (ARRAY['w1', 'w1', 'w2', 'w3', 'nobody'])[1 + n % 5] AS worker_id, 't' || n AS workload_id, n::bigint AS assignment_id, ARRAY[n, n + 1, NULL]::bigint[] AS assignment_ids,
	(ARRAY['{}', '{"test_id": "s", "test_type": "vision"}', '{"cpu_cores": 4, "supported_backends": ["cuda"]}', '{"devices": [{"hardware_class": "gpu", "count": 3}]}', '[{}, {"required_accelerators": {"cuda": 2}}]', '{"cpu_utilization": 99, "devices": [{"device_no": 2, "utilization": 5}]}',
		'{"custom_properties": {"allocation_strategy": "replicated", "max_shards": 3, "quorum": 2}}', '{"priority": 9}', 'null', '[]', '"x"', '{"performance_profile": {"fp32_matmul": 1e15}, "memory_total_bytes": 1e10}'])[1 + n % 12]::jsonb AS document,
	(ARRAY[0, 1, -1, 0.5, 1e308, 'Infinity', '-Infinity', 'NaN'])[1 + n % 8]::float8 AS number, (ARRAY['1 s', '0', '-1 day', '100 years'])[1 + n % 4]::interval AS duration, (ARRAY['infinity', '-infinity', '2026-01-01'])[1 + n % 3]::timestamptz AS at,
	(ARRAY['warming', 'cooling', 'x'])[1 + n % 3] AS phase, n % 2 = 0 AS truth
FROM generate_series(1, 60) AS n;
GRANT SELECT ON smith.sample TO hwsched_viewer, hwsched_worker;

-- It calls no function that returns void or a set: so each has one beside it that
-- returns a text, and takes what the function refuses for an answer.
DO $$
DECLARE
	f record;
BEGIN
	FOR f IN SELECT p.oid, p.proname, p.pronargs, p.prokind, (SELECT string_agg(format_type(t, NULL), ', ' ORDER BY no) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, no)) AS types FROM pg_proc AS p
		WHERE p.pronamespace = 'hwsched'::regnamespace AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype AND (p.proretset OR p.prorettype = 'void'::regtype)
	LOOP
		EXECUTE format($f$CREATE FUNCTION smith.%I(%s) RETURNS text LANGUAGE plpgsql AS
			'BEGIN PERFORM * FROM hwsched.%I(%s); RETURN ''done''; EXCEPTION WHEN OTHERS THEN IF sqlstate LIKE ''XX%%'' THEN RAISE; END IF; RETURN sqlstate; END'$f$,
			f.proname, f.types, f.proname, (SELECT string_agg('$' || n, ', ') FROM generate_series(1, f.pronargs) AS n));
		EXECUTE format('REVOKE EXECUTE ON FUNCTION smith.%I FROM PUBLIC', f.proname);
		EXECUTE format('GRANT EXECUTE ON FUNCTION smith.%I TO %s', f.proname, (SELECT string_agg(rolname, ', ') FROM pg_roles WHERE rolname LIKE 'smith\_%' AND has_function_privilege(oid, f.oid, 'EXECUTE')));
	END LOOP;
END $$;

-- All that is there, and all that is not the worker's own
CREATE FUNCTION smith.digest(own text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	relation regclass; rows text; digest text := ''; is_own text;
BEGIN
	FOR relation IN SELECT c.oid FROM pg_class AS c WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind = 'r' ORDER BY c.oid LOOP
		-- what the work of all workers leads to is left out beside their own
		CONTINUE WHEN own IS NOT NULL AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = relation AND attname = 'worker_id');
		is_own := CASE WHEN own IS NULL THEN 'false' ELSE format('(pool = ''p'' AND worker_id = %L)', own) END;
		EXECUTE format('SELECT md5(string_agg(r::text, '','' ORDER BY r::text)) FROM %s AS r WHERE NOT %s', relation, is_own) INTO rows;
		digest := md5(digest || relation || coalesce(rows, ''));
	END LOOP;
	RETURN digest;
END $$;
-- pg_stat_user_functions tells what was called
ALTER ROLE smith_viewer SET log_error_verbosity = verbose;
ALTER ROLE smith_worker SET log_error_verbosity = verbose;
ALTER ROLE smith_coordinator SET log_error_verbosity = verbose;
ALTER ROLE smith_viewer SET track_functions = 'all';
ALTER ROLE smith_worker SET track_functions = 'all';
ALTER ROLE smith_coordinator SET track_functions = 'all';
ALTER ROLE smith_viewer SET statement_timeout = '2 s';
ALTER ROLE smith_worker SET statement_timeout = '2 s';
ALTER ROLE smith_coordinator SET statement_timeout = '2 s';
ANALYZE;
