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

-- It calls no function that returns void or a set: so each has some beside it,
-- which return what queries ask for, know the pool, and take what the function
-- refuses for an answer.
DO $$
DECLARE
	f record;
BEGIN
	FOR f IN SELECT p.oid, p.proname, p.pronamespace, p.pronargs, result, format('smith.%I', p.proname || '_' || result) AS name, last.pool,
			coalesce((SELECT string_agg(format_type(t, NULL), ', ' ORDER BY no) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, no) WHERE no <= p.pronargs - last.pool), '') AS types
		FROM pg_proc AS p CROSS JOIN unnest('{text,boolean,integer,bigint,jsonb}'::text[]) AS result CROSS JOIN LATERAL (SELECT (p.proargnames[p.pronargs] = 'pool')::int AS pool) AS last
		WHERE p.pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace) AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype AND (has_function_privilege('smith_worker', p.oid, 'EXECUTE') OR has_function_privilege('smith_coordinator', p.oid, 'EXECUTE'))
	LOOP
		EXECUTE format('CREATE FUNCTION %s(%s) RETURNS %s LANGUAGE plpgsql AS %L', f.name, f.types, f.result, format('BEGIN PERFORM * FROM %s.%I(%s); RETURN 1; EXCEPTION WHEN OTHERS THEN IF sqlstate LIKE ''XX%%'' THEN RAISE; END IF; RETURN 0; END',
			f.pronamespace::regnamespace, f.proname, (SELECT string_agg(CASE WHEN n > f.pronargs - f.pool THEN quote_literal('p') ELSE '$' || n END, ', ') FROM generate_series(1, f.pronargs) AS n)));
		EXECUTE format('REVOKE EXECUTE ON FUNCTION %s(%s) FROM PUBLIC', f.name, f.types);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s(%s) TO %s', f.name, f.types, (SELECT string_agg(rolname, ', ') FROM pg_roles WHERE rolname LIKE 'smith\_%' AND has_function_privilege(oid, f.oid, 'EXECUTE')));
	END LOOP;
END $$;

-- sqlsmith rolls back what it does: so whoever writes what he may not is told on.
-- What a worker's login does leads to changes of the queue, and of what others'
-- completed work held; but another worker reports and runs for itself.
CREATE FUNCTION smith.tell() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF session_user = 'smith_viewer' THEN
		RAISE LOG 'trespass: a viewer does % on %', TG_OP, TG_TABLE_NAME;
	ELSIF session_user = 'smith_worker' AND TG_TABLE_NAME IN ('worker', 'device', 'worker_load', 'device_load', 'load_history_default', 'worker_login') AND (to_jsonb(coalesce(NEW, OLD)) ->> 'pool', to_jsonb(coalesce(NEW, OLD)) ->> 'worker_id') <> ('p', 'w1') THEN
		RAISE LOG 'trespass: a worker does % on % of another: %', TG_OP, TG_TABLE_NAME, coalesce(NEW, OLD);
	ELSIF session_user = 'smith_worker' AND TG_TABLE_NAME IN ('pool', 'settings_version', 'taxonomy', 'type_word', 'class_similarity', 'implied_device') THEN
		RAISE LOG 'trespass: a worker does % on %', TG_OP, TG_TABLE_NAME;
	ELSIF session_user = 'smith_worker' AND TG_TABLE_NAME = 'assignment' AND to_jsonb(coalesce(NEW, OLD)) ->> 'worker_id' <> 'w1' AND (TG_OP <> 'UPDATE' OR NEW.state IN ('running', 'completed', 'failed')) THEN
		RAISE LOG 'trespass: a worker does % on an assignment of another: %', TG_OP, coalesce(NEW, OLD);
	ELSIF session_user = 'smith_coordinator' AND TG_TABLE_NAME IN ('pool', 'settings_version', 'taxonomy', 'type_word', 'class_similarity', 'implied_device') THEN
		RAISE LOG 'trespass: a coordinator does % on %', TG_OP, TG_TABLE_NAME;
	END IF;
	RETURN coalesce(NEW, OLD);
END $$;
DO $$
DECLARE
	relation regclass;
BEGIN
	FOR relation IN SELECT oid FROM pg_class WHERE relnamespace = 'hwsched'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('CREATE TRIGGER tell BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION smith.tell()', relation);
	END LOOP;
END $$;

-- Where it looks for functions: ours are few among the system's
CREATE VIEW smith.pg_proc AS SELECT p.oid, p.proname, p.pronamespace, p.prorettype, p.proargtypes, p.proretset, p.prokind FROM pg_catalog.pg_proc AS p
WHERE (p.pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace, 'smith'::regnamespace) AND has_function_privilege(p.oid, 'EXECUTE')) OR p.proname IN ('length', 'now', 'count', 'max', 'jsonb_agg', 'to_jsonb', 'random');
GRANT SELECT ON smith.pg_proc TO hwsched_viewer, hwsched_worker;
-- Of operators it does not know which types they fit: most queries would end
-- there. This database is thrown away.
SET allow_system_table_mods = on;
DELETE FROM pg_operator WHERE EXISTS (SELECT FROM pg_type AS t WHERE t.oid IN (oprleft, oprright) AND (t.typname IN ('anyrange', 'anymultirange') OR t.typcategory = 'G'));

DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT rolname, setting FROM pg_roles, unnest(ARRAY['search_path = smith, pg_catalog', 'log_error_verbosity = verbose', 'track_functions = ''all''', 'statement_timeout = 2000', 'lock_timeout = 2000', 'client_min_messages = error']) AS setting WHERE rolname LIKE 'smith\_%' LOOP
		EXECUTE format('ALTER ROLE %I SET %s', r.rolname, r.setting);
	END LOOP;
END $$;
ANALYZE;
