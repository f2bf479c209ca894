-- Hostile neighbours: operators, functions, aggregates, types and relations
-- that a role plants under the names we use are never executed; text that means
-- something to a parser stays text; and nobody gets beyond his role.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

--
-- What is planted: whatever pg_catalog has, with the same arguments, in a
-- schema that stands before it. Who is caught calls a sequence, which no
-- rollback takes back, and says so.
--
CREATE ROLE regress_planter LOGIN IN ROLE hwsched_admin;
CREATE ROLE regress_bound LOGIN;
CREATE SCHEMA regress_planted AUTHORIZATION regress_planter;
CREATE SCHEMA cron AUTHORIZATION regress_planter;
CREATE SEQUENCE regress_planted.caught;
ALTER SEQUENCE regress_planted.caught OWNER TO regress_planter;
SET ROLE regress_planter;
SET search_path = pg_catalog;
DO $$
DECLARE
	-- arguments and results that PL/pgSQL knows
	known CONSTANT text := $q$ (t.typtype <> 'p' OR t.typname = 'void' OR (t.typname LIKE 'any%' AND t.typname <> 'any')) $q$;
	body text;
	r record;
	planted int := 0;
BEGIN
	-- functions, window functions among them
	FOR r IN SELECT p.oid, p.proname, p.prokind, pg_get_function_arguments(p.oid) AS args, pg_get_function_result(p.oid) AS result FROM pg_proc AS p
		WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'w') ORDER BY p.oid
	LOOP
		body := format('BEGIN PERFORM pg_catalog.nextval(''regress_planted.caught''); RAISE WARNING ''planted function %s''; RETURN%s; END',
			r.proname, CASE WHEN r.result ~ '^(SETOF|TABLE)' OR r.args ~ '\mOUT\M' OR r.result = 'void' THEN '' ELSE ' NULL' END);
		BEGIN
			EXECUTE format('CREATE FUNCTION regress_planted.%I(%s) RETURNS %s LANGUAGE plpgsql SET search_path = pg_catalog AS %L', r.proname, r.args, r.result, body);
			planted := planted + 1;
		EXCEPTION WHEN OTHERS THEN NULL; -- of types that it does not know
		END;
	END LOOP;
	RAISE WARNING 'functions planted: %', CASE WHEN planted > 1500 THEN 'enough' ELSE planted::text END;
	planted := 0;
	-- operators
	FOR r IN SELECT o.oid, o.oprname, nullif(o.oprleft, 0)::regtype AS l, o.oprright::regtype AS r, o.oprresult::regtype AS result FROM pg_operator AS o
		WHERE o.oprnamespace = 'pg_catalog'::regnamespace ORDER BY o.oid
	LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION regress_planted.operator_%s(%s) RETURNS %s LANGUAGE plpgsql SET search_path = pg_catalog AS %L', r.oid, concat_ws(', ', r.l, r.r), r.result,
				format('BEGIN PERFORM pg_catalog.nextval(''regress_planted.caught''); RAISE WARNING ''planted operator %s''; RETURN NULL; END', replace(r.oprname, '%', '%%')));
			EXECUTE format('CREATE OPERATOR regress_planted.%s (%s RIGHTARG = %s, FUNCTION = regress_planted.operator_%s)', r.oprname, 'LEFTARG = ' || r.l || ',', r.r, r.oid);
			planted := planted + 1;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END LOOP;
	RAISE WARNING 'operators planted: %', CASE WHEN planted > 500 THEN 'enough' ELSE planted::text END;
	planted := 0;
	-- aggregates, with a result that fits nowhere
	FOR r IN SELECT p.oid, p.proname, coalesce(nullif(replace(pg_get_function_arguments(p.oid), '"any"', 'anyelement'), ''), '*') AS args FROM pg_proc AS p
		WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'a' AND pg_get_function_arguments(p.oid) !~ 'ORDER BY|VARIADIC'
		UNION ALL VALUES (1, 'jsonb_object_agg', 'text, jsonb'), (2, 'jsonb_object_agg', 'anyelement, anycompatible'), (3, 'jsonb_agg', 'jsonb')
	LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION regress_planted.aggregate_%s(%s) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog AS %L', r.oid, concat_ws(', ', 'text', nullif(r.args, '*')),
				format('BEGIN PERFORM pg_catalog.nextval(''regress_planted.caught''); RAISE WARNING ''planted aggregate %s''; RETURN NULL; END', r.proname));
			EXECUTE format('CREATE AGGREGATE regress_planted.%I(%s) (SFUNC = regress_planted.aggregate_%s, STYPE = text)', r.proname, r.args, r.oid);
			planted := planted + 1;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END LOOP;
	RAISE WARNING 'aggregates planted: %', CASE WHEN planted > 100 THEN 'enough' ELSE planted::text END;
	-- types that catch whatever is cast to them
	CREATE FUNCTION regress_planted.catch(what pg_catalog.text) RETURNS pg_catalog.bool LANGUAGE plpgsql SET search_path = pg_catalog AS $f$
	BEGIN PERFORM pg_catalog.nextval('regress_planted.caught'); RAISE WARNING 'planted %', what; RETURN true; END $f$;
	FOR r IN SELECT name FROM unnest('{bool,bytea,date,float4,float8,int2,int4,int8,interval,jsonb,name,numeric,oid,regclass,regprocedure,regrole,text,tid,timestamptz,xid}'::text[]) AS name LOOP
		EXECUTE format('CREATE DOMAIN regress_planted.%I AS pg_catalog.%I CHECK (regress_planted.catch(%L))', r.name, r.name, 'type ' || r.name);
	END LOOP;
	-- what pg_cron would have, if it were here
	CREATE VIEW cron.job AS SELECT 1::bigint AS jobid, 'x'::text AS jobname, current_user AS username WHERE regress_planted.catch('relation cron.job');
	CREATE FUNCTION cron.unschedule(bigint) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN regress_planted.catch(''cron''); END';
	CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN PERFORM regress_planted.catch(''cron''); RETURN 1; END';
	-- relations and types of our own names
	FOR r IN SELECT relname FROM pg_class WHERE relnamespace = 'hwsched'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition LOOP
		EXECUTE format('CREATE VIEW regress_planted.%I AS SELECT r.*, regress_planted.catch(%L) AS caught FROM hwsched.%I AS r', r.relname, 'relation ' || r.relname, r.relname);
	END LOOP;
	FOR r IN SELECT typname FROM pg_type WHERE typnamespace = 'hwsched'::regnamespace AND typtype = 'e' LOOP
		EXECUTE format('CREATE TYPE regress_planted.%I AS ENUM ()', r.typname);
	END LOOP;
END $$;
RESET search_path;
RESET ROLE;

-- What is called: every function and view of ours, %s being a pool of its own
CREATE SCHEMA regress_calls;
GRANT USAGE ON SCHEMA regress_calls TO hwsched_admin;
CREATE TABLE regress_calls.call (no int GENERATED ALWAYS AS IDENTITY, call text);
GRANT SELECT ON regress_calls.call TO hwsched_admin;
-- the ids of a pool's assignments in a state, without a name that could be caught
CREATE FUNCTION regress_calls.assignment(of_pool text, of_state text) RETURNS bigint LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS 'SELECT min(assignment_id) FROM hwsched.assignment WHERE pool = of_pool AND state::text = of_state';
CREATE FUNCTION regress_calls.dead(of_pool text) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS 'SELECT min(workload_id) FROM hwsched.submission WHERE pool = of_pool AND outcome::text = ''dead''';
CREATE FUNCTION regress_calls.score(workload jsonb, device jsonb, state jsonb) RETURNS float8 LANGUAGE sql SET search_path = pg_catalog, pg_temp AS 'SELECT 0.5::float8';
INSERT INTO regress_calls.call (call) SELECT line FROM regexp_split_to_table($$
SELECT hwsched.create_pool('%s', '{"notify": true}')
SELECT hwsched.alter_pool('%s', '{"policies": {"vision": {"performance": 1, "affinity": 1, "round_robin": 1, "fragmentation": 1, "regress_calls.score(jsonb,jsonb,jsonb)": 1}}, "max_concurrent": 8}')
SELECT * FROM hwsched.pool_settings('%s')
SELECT hwsched.register_worker('w', '{"cpu_cores": 64, "available_memory": 512, "software_versions": {"python": "3.11"}, "supported_backends": ["cuda"], "available_accelerators": {"cuda": 4}}', '%s')
SELECT * FROM hwsched.check_requirements('{"a": 1}', '%s')
SELECT * FROM hwsched.check_capabilities('{"a": 1}', '%s')
SELECT hwsched.register_worker('v', '{"cpu_cores": 8, "devices": [{"hardware_class": "tpu", "model_name": "T"}]}', '%s')
SELECT hwsched.update_load('w', '{"cpu_utilization": 10, "temperature": 0.1, "devices": [{"device_no": 1, "utilization": 2}]}', '%s')
SELECT hwsched.update_load('w', '{"power_w": 100, "temperature_celsius": 50, "devices": [{"device_no": 2, "power_w": 30}]}', '%s')
SELECT hwsched.predict_temperature('w', 1, 100, NULL, '1 hour', '%s'), hwsched.predict_temperature('w', 2, NULL, 50, '1 hour', '%s')
SELECT * FROM hwsched.thermal_model
SELECT hwsched_internal.describe_heat('{1}')
SELECT hwsched.heartbeat('w', '%s'), hwsched.heartbeat('w', '{1}', '%s')
SELECT hwsched.start_warming('w', '1 ms', '%s')
SELECT hwsched.start_cooling('w', NULL, '%s')
SELECT hwsched.start_cooling('w', '0', '%s')
SELECT hwsched.drain_worker('v', '%s')
SELECT hwsched.drain_worker('v', '2099-01-01', '2099-01-02', '%s')
SELECT hwsched.resume_worker('v', '%s')
SELECT hwsched.pause_pool('%s')
SELECT hwsched.resume_pool('%s')
SELECT hwsched.grant_worker('w', 'regress_bound', '%s')
SELECT hwsched.grant_pool('regress_bound', 'view', '%s'), hwsched.grant_tenant('t', 'regress_bound', '%s'), hwsched.revoke_tenant('t', 'regress_bound', '%s'), hwsched.revoke_pool('regress_bound', 'view', '%s')
SELECT hwsched.submit('{"test_id": "a", "test_type": "vision", "model_id": "m", "model_family": "f", "retries": 0, "labels": {"a": 1}}', '%s')
SELECT hwsched.submit_many('[{"test_id": "b", "test_type": "vision", "minimum_memory": 1, "retries": 0}, {"test_id": "c", "retries": 0, "required_accelerators": {"cuda": 1}}, {"test_id": "d", "retries": 0, "accelerator_share": 0.5}, {"test_id": "e", "custom_properties": {"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2}}, {"test_id": "f", "retries": 0}, {"test_id": "g"}, {"test_id": "h", "required_backend": "tpu"}, {"test_id": "never", "minimum_memory": 100000}]', '%s')
SELECT * FROM hwsched.compatible_hardware('a', '%s')
SELECT * FROM hwsched.pareto('a', '%s')
SELECT hwsched.record_power('j', 'G', 100, 2, 90, '%s')
SELECT * FROM hwsched.suggest_power_limit('j', 0.1, '%s')
SELECT * FROM hwsched.explain_pending('%s')
SELECT * FROM hwsched.explain('a', '%s')
SELECT change, effect FROM hwsched.suggest('a', '%s')
SELECT * FROM hwsched.plan_pending(NULL, '%s')
SELECT * FROM hwsched.simulate('{}', '%s')
SELECT * FROM hwsched.simulate('{"arrivals": "history", "settings": {"policy": {"predicted_time": 1}}}', '%s')
SELECT * FROM hwsched.simulate_summary('{"fleet": [{"cpu_cores": 4, "labels": {"a": 1}}], "arrivals": [{"at": "2026-01-01", "required_labels": {"a": 1}, "concurrency_key": "k"}]}', '%s')
SELECT * FROM hwsched.scaling_advice('{}', '%s')
SELECT count(*) FROM hwsched.tune('{"cost": 1}', '{"arrivals": [], "fleet": []}', false, '%s')
SELECT * FROM hwsched.schedule('a', '%s')
SELECT hwsched.assign_pending(2, '%s')
SELECT hwsched.alter_pool('%s', '{"solver": "optimal"}')
SELECT * FROM hwsched.settings_history('%s')
SELECT hwsched.rollback_settings(2, '%s')
SELECT hwsched.assign_pending(NULL, '%s')
SELECT * FROM hwsched.claim('w', 3, true, '%s')
SELECT hwsched.extend_lease(regress_calls.assignment('%s', 'running'), '1 hour', '%s')
SELECT hwsched.complete(regress_calls.assignment('%s', 'running'), '{"a": 1}', '%s')
SELECT * FROM hwsched.predict('b', 'w', 0, '%s')
SELECT * FROM hwsched.performance_history('w', NULL, NULL, NULL, '%s')
SELECT * FROM hwsched.change_points('w', NULL, NULL, '%s')
SELECT * FROM hwsched.best_hardware('nlp', '%s')
SELECT * FROM hwsched.performance_ranking('matmul', 'fp32', '%s')
SELECT * FROM hwsched.fallback_workers('w', '%s')
SELECT hwsched.teach('[{"workload_type": "nlp", "device": {"hardware_class": "gpu", "model_name": "taught"}, "worker_id": "w", "seconds": 3}]', '%s')
SELECT hwsched_internal.sketch_quantile(hwsched_internal.sketch_sum(ARRAY[x, 1]::pg_catalog.int8[]), 0.5) FROM pg_catalog.generate_series(1, 3) x
SELECT * FROM hwsched.running_on('w', '%s')
SELECT hwsched.requirements(regress_calls.assignment('%s', 'running'), '%s')
SELECT * FROM hwsched.preference
SELECT hwsched.complete_many(ARRAY[regress_calls.assignment('%s', 'running')], '%s')
SELECT hwsched.start(regress_calls.assignment('%s', 'assigned'), '%s')
SELECT hwsched.fail(regress_calls.assignment('%s', 'running'), 'out of memory', '%s')
SELECT hwsched.fail(regress_calls.assignment('%s', 'running'), 'timeout', '%s')
SELECT hwsched.retry_dead(regress_calls.dead('%s'), '%s')
SELECT hwsched.cancel('never', '%s')
SELECT * FROM hwsched.next('w', '{}', 4, true, NULL, '%s')
SELECT hwsched.progress(regress_calls.assignment('%s', 'running'), 0.5, '{"a": 1}', '%s')
SELECT * FROM hwsched.running_work
SELECT hwsched.yield_work(regress_calls.assignment('%s', 'running'), '{"a": 1}', '%s')
SELECT * FROM hwsched.next('w', '{}', 4, true, NULL, '%s')
SELECT hwsched.fail(regress_calls.assignment('%s', 'running'), 'connection reset', '{"a": 1}', '%s')
SELECT hwsched.cancel_many('{"labels": {"a": "b"}, "state": ["pending"], "error_class": "memory", "submitted_before": "yesterday"}', '%s')
SELECT hwsched.retry_many('{"group": "g"}', '%s')
SELECT hwsched.submit('{"test_id": "altered"}', '%s')
SELECT hwsched.alter_workload('altered', '{"priority": 1}', 'because', '%s')
CALL hwsched.run_loop('20 ms', '10 ms', '%s')
SELECT hwsched.schedule_jobs('1 minute', '%s')
SELECT hwsched.unschedule_jobs('%s')
SELECT hwsched.stop_dispatcher()
SELECT hwsched.rebalance(10, '%s')
SELECT hwsched.record_assignment('h', 'w', 0.5, 'vision', 'yesterday', '%s')
SELECT hwsched.record_thermal_state('w', 0.5, true, false, 'yesterday', 1, '%s')
SELECT hwsched.record_resource_utilization('w', '{"cpu_utilization": 5}', 'yesterday', NULL, '%s')
SELECT hwsched.record_execution_time('h', 1, 2, 'vision', 'w', 'yesterday', '%s')
SELECT hwsched.load_history('{"efficiency_scores": {"h": [["2026-01-01", 0.5]]}}', '%s')
SELECT hwsched.load_history(hwsched.history_json('-infinity', 'infinity', '%s'), '%s')
SELECT hwsched.vega_spec(chart, NULL, NULL, '%s') FROM hwsched.chart
SELECT hwsched.summary_report(NULL, NULL, '%s')
SELECT * FROM hwsched.maintain('%s')
SELECT hwsched.unregister_worker('v', '%s')
CREATE TEMP TABLE learned AS SELECT hwsched.learning_json('%s') AS document
SELECT hwsched.reset_learning('w', '%s'), hwsched.reset_learning(NULL, '%s')
SELECT hwsched.load_learning(document, '%s') FROM pg_temp.learned
DROP TABLE pg_temp.learned
SELECT hwsched.workload_profile('{"test_type": "vision"}')
SELECT * FROM hwsched.device_profiles('{"cpu_cores": 4, "supported_backends": ["cuda"]}')
SELECT hwsched.is_compatible('{}', '{}'), hwsched.efficiency_score('{}', '{}'), hwsched.raw_efficiency('{}', '{}'), hwsched.predict_seconds('{}', '{}'), hwsched.predict_joules('{}', '{}', 1)
SELECT hwsched.load_score(1, 1, 1, 1, 1), hwsched.effective_load_score(1, 1, 1, 1, 1, true, false, 1), hwsched.adjusted_efficiency(1, 1, 1, 1, 1, 1, true, false, 1, 0), hwsched.preference_after(1, 1, 1)
SELECT hwsched.compatibility_score('{"hardware_class": "cpu"}', '{"hardware_class": "gpu"}'), hwsched.thermal_step(0, 1, 1), hwsched.thermal_at(0, 1, 1), hwsched.temperature_ratio(50, 30, 90)
SELECT hwsched.performance_level('warming', '2026-01-01', '1 min', '2026-01-01 00:00:30')
INSERT INTO hwsched.type_word (position, word, workload_type) VALUES (1, 'planted', 'nlp')
DELETE FROM hwsched.type_word WHERE word OPERATOR(pg_catalog.=) 'planted'
$$, '\n') WITH ORDINALITY AS l (line, no) WHERE line <> '' ORDER BY no;
CREATE TABLE regress_calls.relation AS
SELECT format('SELECT * FROM hwsched.%I LIMIT 100', relname) AS read FROM pg_class WHERE relnamespace = 'hwsched'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition;
GRANT SELECT ON regress_calls.relation TO hwsched_admin;
CREATE FUNCTION regress_calls.read_all() RETURNS void LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN FOR r IN SELECT read FROM regress_calls.relation LOOP EXECUTE r.read; END LOOP; END $$;
INSERT INTO regress_calls.call (call) VALUES ('SELECT regress_calls.read_all()');
INSERT INTO regress_calls.call (call) VALUES ($$SELECT hwsched.drop_pool('%s')$$);

-- An administrator who would be more, with his things before and behind what is
-- in pg_temp; a new session has no plans and no copies yet.
\c -
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET track_functions = 'all';
SET ROLE regress_planter;
CREATE TEMP VIEW worker AS SELECT w.*, regress_planted.catch('temporary worker') FROM hwsched.worker AS w;
CREATE TEMP VIEW pool AS SELECT p.*, regress_planted.catch('temporary pool') FROM hwsched.pool AS p;
CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (regress_planted.catch('temporary text'));
SET search_path = pg_temp, regress_planted, pg_catalog;
-- what is planted works
SELECT 1 = 1 AS planted, 'x'::text IS NULL AS planted;
SELECT count(*) FROM regress_planted.pool;
SELECT pg_catalog.setval('regress_planted.caught', 1, false);
\o /dev/null
SELECT pg_catalog.replace(call, '%s', 'planted 1') FROM regress_calls.call ORDER BY no \gexec
\o
RESET search_path;
RESET ROLE;
SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS caught FROM regress_planted.caught;

-- A superuser who has the schema in his path
\c -
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET track_functions = 'all';
SET search_path = regress_planted, public, pg_catalog;
\o /dev/null
SELECT pg_catalog.replace(call, '%s', 'planted 2') FROM regress_calls.call ORDER BY no \gexec
\o
RESET search_path;
SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS caught FROM regress_planted.caught;

-- All of it was called (and what needs pg_cron ended with an error), but what queries have become part of
SELECT pg_stat_force_next_flush();
SELECT p.proname AS never_called FROM pg_proc AS p WHERE p.pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace) AND coalesce(pg_stat_get_function_calls(p.oid), 0) = 0 AND p.prosqlbody IS NULL ORDER BY 1;

--
-- What is not seen at run time: no function without a search path but those that
-- run no SQL or whose SQL is parsed, and nothing in a view that is not ours or the system's
--
SELECT p.proname AS without_path, l.lanname, p.provolatile, p.prosecdef FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace) AND NOT coalesce(p.proconfig @> '{"search_path=pg_catalog, pg_temp"}', false) ORDER BY p.proname COLLATE "C";
SELECT r.ev_class::regclass AS view, d.refclassid::regclass, d.refobjid FROM pg_depend AS d JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid JOIN pg_class AS c ON c.oid = r.ev_class
LEFT JOIN pg_proc AS p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid LEFT JOIN pg_operator AS o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
LEFT JOIN pg_type AS t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid LEFT JOIN pg_class AS s ON d.refclassid = 'pg_class'::regclass AND s.oid = d.refobjid
WHERE c.relnamespace = 'hwsched'::regnamespace AND coalesce(p.pronamespace, o.oprnamespace, t.typnamespace, s.relnamespace) NOT IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace, 'pg_catalog'::regnamespace);

DROP OWNED BY regress_planter CASCADE;
DROP SCHEMA regress_calls CASCADE;
DROP ROLE regress_planter, regress_bound;

--
-- Text that means something to SQL, JSON, printf, terminals or HTML stays text
--
CREATE TEMP TABLE bad (no int GENERATED ALWAYS AS IDENTITY, what text, t text);
INSERT INTO bad (what, t) VALUES
	('quotes', '"; DROP SCHEMA hwsched CASCADE; --'), ('apostrophes', $t$'; DROP SCHEMA hwsched CASCADE; --$t$), ('backslashes', E'\\ \\" \\u0041 C:\\n'), ('dollars', '$1 $$ $t$ ${x}'),
	('controls', E'\x01\t\n\r\x07\x1b[31m\x7f'), ('unicode', U&'\00e9\4e2d\+01f600'), ('combining', U&'e\0301\200d\feff'), ('right to left', U&'\202eexe.txt\202c \05d0'), ('script', '</script><script>alert(1)</script>'), ('entities', '&lt;&amp;&#39;'),
	('percent', '%s%n%1$s%*d%%'), ('json', '{"a": [null, 1e999]}'), ('array', '{"a","b",NULL}'), ('row', '(1,"a")'), ('null', 'null'), ('space', ' '), ('dots', '../../etc/passwd'), ('comma', 'a,b;c|d'),
	('1000 bytes', repeat('x', 1000)), ('1000 bytes of characters', repeat('ü', 500)), ('lengthy quotes', repeat('"''\', 333));
-- runs a statement that must fail, and says whether its message has the text
CREATE FUNCTION pg_temp.message(statement text, t text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
BEGIN
	EXECUTE statement;
	RETURN 'no error: ' || statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
	RETURN CASE WHEN position(t IN message) > 0 THEN 'quoted' ELSE sqlstate || ' ' || message END;
END $$;
-- takes one text through all functions; returns where it did not come back as it was
CREATE FUNCTION pg_temp.through(t text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	of_pool CONSTANT text := 'p' || convert_from(substring(convert_to(t, 'UTF8') FROM 1 FOR 190), 'UTF8');
	a hwsched.assignment;
	j jsonb;
BEGIN
	PERFORM hwsched.create_pool(of_pool);
	PERFORM hwsched.register_worker(t, jsonb_build_object('hostname', t, 'cpu_cores', 2, 'labels', jsonb_build_object(t, t), 'software_versions', jsonb_build_object(t, t), 'hardware_specs', jsonb_build_object(t, t),
		'devices', jsonb_build_array(jsonb_build_object('hardware_class', 'gpu', 'model_name', t, 'memory_type', t, 'performance_profile', jsonb_build_object(t, 1)))), of_pool);
	PERFORM hwsched.update_load(t, jsonb_build_object('cpu_utilization', 1, 'queued_tests', t), of_pool);
	PERFORM hwsched.heartbeat(t, of_pool), hwsched.start_warming(t, '0', of_pool), hwsched.drain_worker(t, of_pool), hwsched.resume_worker(t, of_pool);
	RETURN QUERY SELECT 'worker' WHERE NOT EXISTS (SELECT FROM hwsched.worker AS w WHERE w.pool = of_pool AND w.worker_id = t AND w.hostname = t);
	RETURN QUERY SELECT 'device' WHERE NOT EXISTS (SELECT FROM hwsched.device_profile AS p WHERE p.pool = of_pool AND p.model_name = t AND p.profile ->> 'memory_type' = t AND p.profile -> 'performance_profile' ? t);
	RETURN QUERY SELECT 'software' WHERE NOT EXISTS (SELECT FROM hwsched.hardware AS h WHERE h.pool = of_pool AND h.software_versions ->> t = t);
	j := jsonb_build_object('test_id', t, 'model_id', t, 'model_family', t, 'test_type', t, 'concurrency_key', t, 'labels', jsonb_build_object(t, t), 'required_models', jsonb_build_array(t),
		'required_software', jsonb_build_object(t, ''), 'custom_properties', jsonb_build_object(t, t));
	RETURN QUERY SELECT 'submit' WHERE hwsched.submit(j, of_pool) <> t;
	PERFORM hwsched.submit(jsonb_build_object('test_id', 'd', 'depends_on', jsonb_build_array(t)), of_pool);
	RETURN QUERY SELECT 'depends_on' WHERE NOT EXISTS (SELECT FROM hwsched.dependency AS d WHERE d.pool = of_pool AND d.workload_id = 'd' AND d.depends_on = t);
	RETURN QUERY SELECT 'waits for' WHERE NOT EXISTS (SELECT FROM hwsched.explain_pending(of_pool) AS e WHERE e.reason ~ 'depend|wait');
	PERFORM hwsched.cancel('d', of_pool);
	RETURN QUERY SELECT 'requirements' WHERE NOT EXISTS (SELECT FROM hwsched.workload AS w WHERE w.pool = of_pool AND w.workload_id = t AND w.model_id = t AND w.model_family = t AND w.requirements = j);
	RETURN QUERY SELECT 'profile' WHERE NOT (SELECT p -> 'custom_properties' ->> 'model_id' = t AND p -> 'custom_properties' ->> t = t AND p ->> 'workload_id' = t FROM hwsched.workload_profile(j) AS p);
	RETURN QUERY SELECT 'compatible_hardware' WHERE NOT EXISTS (SELECT FROM hwsched.compatible_hardware(t, of_pool) AS c WHERE c.worker_id = t AND c.model_name = t);
	RETURN QUERY SELECT 'plan' WHERE NOT EXISTS (SELECT FROM hwsched.plan_pending(NULL, of_pool) AS p WHERE p.workload_id = t AND p.worker_id = t);
	RETURN QUERY SELECT 'schedule' WHERE NOT EXISTS (SELECT FROM hwsched.schedule(t, of_pool) AS s WHERE s.workload_id = t AND s.worker_id = t);
	SELECT * INTO a FROM hwsched.claim(t, 1, true, of_pool);
	RETURN QUERY SELECT 'claim' WHERE a.workload_id <> t OR a.worker_id <> t OR a.pool <> of_pool;
	PERFORM hwsched.fail(a.assignment_id, t, of_pool);
	RETURN QUERY SELECT 'error' WHERE NOT EXISTS (SELECT FROM hwsched.assignment AS f WHERE f.pool = of_pool AND f.assignment_id = a.assignment_id AND f.error = t);
	PERFORM hwsched.cancel(t, of_pool);
	PERFORM hwsched.submit(j, of_pool), hwsched.assign_pending(NULL, of_pool);
	SELECT * INTO a FROM hwsched.claim(t, 1, true, of_pool);
	PERFORM hwsched.complete(a.assignment_id, jsonb_build_object(t, t), of_pool);
	RETURN QUERY SELECT 'result' WHERE NOT EXISTS (SELECT FROM hwsched.assignment AS f WHERE f.pool = of_pool AND f.assignment_id = a.assignment_id AND f.result ->> t = t AND f.state = 'completed');
	PERFORM hwsched.maintain(of_pool);
	RETURN QUERY SELECT 'view' WHERE NOT EXISTS (SELECT FROM hwsched.execution_times AS e JOIN hwsched.worker_status AS s USING (pool, worker_id) WHERE e.pool = of_pool AND e.workload_id = t AND e.model_id = t AND s.hostname = t);
	-- messages
	RETURN QUERY SELECT call || ': ' || m FROM unnest(ARRAY['SELECT hwsched.heartbeat(%L)', 'SELECT hwsched.heartbeat(''x'', %L)', 'SELECT hwsched.cancel(%L)', 'SELECT * FROM hwsched.schedule(%L)', 'SELECT * FROM hwsched.claim(%L)',
		'SELECT hwsched.register_worker(''x'', ''{}'', %L)', 'SELECT hwsched.assign_pending(NULL, %L)', 'SELECT hwsched.drop_pool(%L)', 'SELECT hwsched.create_pool(''x'', jsonb_build_object(%L, 1))', 'SELECT hwsched.create_pool(''x'', jsonb_build_object(''solver'', %L::text))',
		'SELECT hwsched.submit(jsonb_build_object(%L, 1))', 'SELECT hwsched.register_worker(''x'', jsonb_build_object(%L, 1))', 'SELECT hwsched.submit(jsonb_build_object(''required_backend'', %L::text))', 'SELECT hwsched.submit(jsonb_build_object(''test_id'', %1$L::text, ''depends_on'', jsonb_build_array(%1$L::text)))', 'SELECT hwsched.create_pool(''x'', jsonb_build_object(''policy'', jsonb_build_object(%L, 1)))']) AS call
	CROSS JOIN LATERAL pg_temp.message(format(call, t), t) AS m WHERE m <> 'quoted';
	PERFORM hwsched.unregister_worker(t, of_pool), hwsched.drop_pool(of_pool);
END $$;
-- (what has a parenthesis is taken for a function, and refused by its parser)
SET client_min_messages = error;
SELECT b.no, b.what, p AS lost FROM bad AS b CROSS JOIN LATERAL pg_temp.through(b.t) AS p ORDER BY b.no;
RESET client_min_messages;
SELECT count(*) AS taken_through FROM bad;
-- longer ones are refused, and nothing is cut
SELECT left(pg_temp.message(format(call, repeat('y', 1001)), 'violates'), 60) FROM unnest(ARRAY['SELECT hwsched.register_worker(%L, ''{}'')', 'SELECT hwsched.submit(jsonb_build_object(''test_id'', %L::text))', 'SELECT hwsched.create_pool(%L)']) AS call;
-- roles with such names are bound as what they are
CREATE ROLE "regress ""; DROP SCHEMA hwsched; --" LOGIN;
CREATE ROLE "regress '%s'\" LOGIN;
SELECT hwsched.create_pool('hostile'), hwsched.register_worker('w', '{"cpu_cores": 1}', 'hostile');
SELECT hwsched.grant_worker('w', rolname, 'hostile') FROM pg_roles WHERE rolname LIKE 'regress %' ORDER BY rolname;
SELECT l.login::text FROM hwsched.worker_login AS l WHERE l.pool = 'hostile' ORDER BY 1;
SELECT m.rolname FROM pg_auth_members AS a JOIN pg_roles AS m ON m.oid = a.member WHERE a.roleid = 'hwsched_worker'::regrole AND m.rolname LIKE 'regress %' ORDER BY 1;
SET ROLE "regress ""; DROP SCHEMA hwsched; --";
SELECT hwsched.heartbeat('w', 'hostile');
SELECT hwsched.heartbeat('w');
RESET ROLE;
SELECT pg_temp.message($$SELECT hwsched.grant_worker('w', 'public', 'hostile')$$, 'role "public" does not exist'), pg_temp.message($$SELECT hwsched.grant_worker('w', 'regress nobody"', 'hostile')$$, 'role "regress nobody"" does not exist');
SELECT hwsched.drop_pool('hostile');
DROP ROLE "regress ""; DROP SCHEMA hwsched; --", "regress '%s'\";

--
-- Nor does what a caller has set change what is stored
--
CREATE TEMP TABLE asked AS SELECT w, c, hwsched.workload_profile(w) AS profile, (SELECT array_agg(d) FROM hwsched.device_profiles(c) AS d) AS devices
FROM (VALUES ('{"minimum_memory": 1.123456789012345, "expected_duration": 0.1, "timeout": "1 day -1 hour", "deadline": "2026-02-03 04:05:06+00", "custom_properties": {"a": 1.10}}'::jsonb,
	'{"cpu_cores": 2.5, "available_memory": 8, "devices": [{"hardware_class": "gpu", "memory_bandwidth_gbps": 1555.123456789, "performance_profile": {"fp32": 19.499999999999998}}]}'::jsonb)) AS v (w, c);
SELECT hwsched.create_pool('settings');
SELECT hwsched.register_worker('usual', c, 'settings'), hwsched.submit(w || '{"test_id": "usual"}', 'settings') FROM asked;
SET extra_float_digits = -15;
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = sql_standard;
SET bytea_output = escape;
SET quote_all_identifiers = on;
SET TimeZone = 'Asia/Kathmandu';
SET array_nulls = off;
SET transform_null_equals = on;
SET plan_cache_mode = force_custom_plan;
SET enable_seqscan = off;
SET enable_indexscan = off;
SET work_mem = '64kB';
SET default_transaction_isolation = 'serializable';
SELECT hwsched.workload_profile(w) = profile AS same_profile, (SELECT array_agg(d) FROM hwsched.device_profiles(c) AS d) = devices AS same_devices FROM asked;
SELECT hwsched.register_worker('odd', c, 'settings'), hwsched.submit(w || '{"test_id": "odd"}', 'settings') FROM asked;
SELECT hwsched.assign_pending(NULL, 'settings');
RESET ALL;
SET client_min_messages = warning;
SELECT (SELECT count(*) FROM hwsched.hardware WHERE pool = 'settings') AS kinds_of_worker, (SELECT count(*) FROM hwsched.device_profile WHERE pool = 'settings') AS kinds_of_device;
SELECT count(DISTINCT profile_id) AS kinds_of_work, count(DISTINCT deadline) AS deadlines, count(DISTINCT timeout_seconds) AS timeouts FROM hwsched.workload WHERE pool = 'settings';
SELECT hwsched.drop_pool('settings');

--
-- Nor do numbers at the end of what documents may say stop a pool
--
SELECT hwsched.create_pool('extreme', '{"retry_backoff": 0, "policy": {"predicted_time": 1}, "policies": {"vision": {"cost": 1, "energy": 1}}}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 4, "cost_per_hour": 1e308, "devices": [{"hardware_class": "gpu", "memory_total_bytes": 9007199254740991, "thermal_design_power_w": 1.7e308, "compute_units": 2147483647}]}', 'extreme') FROM unnest('{a,b}'::text[]) AS w;
SELECT hwsched.submit_many('[{"test_id": "big", "custom_properties": {"workload_profile": {"min_memory_bytes": 9007199254740991}}},
	{"test_id": "long", "expected_duration": 1.7e308, "custom_properties": {"workload_profile": {"min_compute_units": 4, "preferred_hardware_class": "tpu", "preferred_architecture": "tpu", "preferred_vendors": ["google"]}}},
	{"test_id": "dear", "test_type": "vision", "expected_duration": 1.7e308, "required_backend": "gpu"}]', 'extreme');
SELECT hwsched.assign_pending(NULL, 'extreme') AS placed;
SELECT workload_id, score, predicted_seconds < 'Infinity' AS finite FROM hwsched.assignment WHERE pool = 'extreme' ORDER BY 1;
-- asks for more memory than a number of a document can say
SELECT count(hwsched.fail(assignment_id, 'out of memory', 'extreme')) AS failed FROM hwsched.assignment WHERE pool = 'extreme' AND workload_id = 'big' AND finished_at IS NULL;
SELECT hwsched.assign_pending(NULL, 'extreme') AS placed;
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'extreme';
SELECT hwsched.drop_pool('extreme');
