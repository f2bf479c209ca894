-- Policies: which algorithm ranks, per pool and per workload type, and that each of them counts.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

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
-- Makes a pool anew with these workers and work, and assigns it; work without an id is numbered
CREATE FUNCTION pg_temp.pool(workers jsonb, work jsonb DEFAULT '[]', settings jsonb DEFAULT '{}', name text DEFAULT 'sched', assign boolean DEFAULT true) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	worker record;
BEGIN
	IF EXISTS (SELECT FROM hwsched.pool AS p WHERE p.pool = name) THEN
		PERFORM hwsched.drop_pool(name);
	END IF;
	PERFORM hwsched.create_pool(name, settings);
	FOR worker IN SELECT key, value FROM jsonb_each(workers) ORDER BY key COLLATE "C" LOOP
		PERFORM hwsched.register_worker(worker.key, worker.value, name);
	END LOOP;
	PERFORM hwsched.submit_many((SELECT coalesce(jsonb_agg(jsonb_build_object('test_id', 't' || lpad(no::text, 3, '0')) || w ORDER BY no), '[]')
		FROM jsonb_array_elements(work) WITH ORDINALITY AS e (w, no)), name);
	RETURN CASE WHEN assign THEN hwsched.assign_pending(NULL, name) END;
END $$;
-- Where everything went, in one line: t001=worker:devices, or why it waits
CREATE FUNCTION pg_temp.went(name text DEFAULT 'sched') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(w.workload_id || '=' || coalesce(a.worker_id || ':' || array_to_string(a.device_nos, '+'), '(' || p.reason || ')'), ' ' ORDER BY w.workload_id COLLATE "C")
	FROM hwsched.workload AS w
	LEFT JOIN hwsched.assignment AS a ON a.pool = w.pool AND a.workload_id = w.workload_id AND a.run = w.run AND a.state IN ('assigned', 'running')
	LEFT JOIN hwsched.pending_workloads AS p ON p.pool = w.pool AND p.workload_id = w.workload_id
	WHERE w.pool = name $$;
-- The same work so many times
CREATE FUNCTION pg_temp.times(n int, work jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(work) FROM generate_series(1, n) $$;
-- A described device
CREATE FUNCTION pg_temp.device(class text, gb float8 DEFAULT 16, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('hardware_class', class, 'compute_units', 80, 'memory_total_bytes', (gb * 1073741824)::bigint) || more $$;
-- What each algorithm says of each candidate
CREATE FUNCTION pg_temp.ranked(workload text, name text DEFAULT 'sched') RETURNS TABLE (rank int, candidate text, score numeric, scores jsonb) LANGUAGE sql AS $$
	SELECT rank, worker_id || ':' || device_no, round(score::numeric, 4), (SELECT jsonb_object_agg(key, round(value::numeric, 4)) FROM jsonb_each(scores))
	FROM hwsched.compatible_hardware(workload, name) WHERE reason IS NULL ORDER BY rank $$;

--
-- Every algorithm scores every candidate 0..1, and the weighted sum ranks
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 8, "available_memory": 16, "cost_per_hour": 2}, "b": {"cpu_cores": 8, "available_memory": 16, "supported_backends": ["cuda"], "cost_per_hour": 8}, "c": {"cpu_cores": 4, "available_memory": 16, "cost_per_hour": 1}}',
	'[{"test_type": "vision", "expected_duration": 200, "cpu_cores": 2, "priority": 4}]',
	'{"policy": {"hardware_aware": 0.5, "priority": 0.25, "round_robin": 0.125, "weighted_round_robin": 1, "performance": 1, "affinity": 1, "packing": 1, "fragmentation": 1, "energy": 1, "cost": 1, "predicted_time": 1}}', 'sched', false);
SELECT hwsched.update_load('a', '{"cpu_utilization": 50, "gpu_utilization": 50}', 'sched');
SELECT * FROM pg_temp.ranked('t001');
-- the score is the weighted sum, and the plan takes the first
SELECT bool_and(abs(score - (SELECT sum((p.value #>> '{}')::float8 * (h.scores ->> p.key)::float8) FROM jsonb_each((SELECT value FROM hwsched.pool_settings('sched') WHERE name = 'policy')) AS p)) < 1e-12) AS adds_up,
	bool_and((SELECT min(v::text::float8) >= 0 AND max(v::text::float8) <= 1 FROM jsonb_path_query(h.scores, '$.*') AS v)) AS within_0_and_1
FROM hwsched.compatible_hardware('t001', 'sched') AS h WHERE reason IS NULL;
SELECT p.worker_id || ':' || p.device_nos[1] = r.candidate AS plan_takes_the_first, round(p.score::numeric, 4) = r.score AS with_its_score
FROM hwsched.plan_pending(NULL, 'sched') AS p, pg_temp.ranked('t001') AS r WHERE r.rank = 1;

--
-- The guide's composite differs from its first part
--
SELECT pg_temp.pool('{"best": {"cpu_cores": 8, "supported_backends": ["cuda"], "available_memory": 16}, "idle": {"cpu_cores": 8, "available_memory": 16}}', '[]', '{"policy": {"hardware_aware": 1}}');
SELECT hwsched.update_load('best', '{"cpu_utilization": 40, "memory_utilization": 40, "gpu_utilization": 30}', 'sched');
SELECT hwsched.submit_many(pg_temp.times(4, '{"test_type": "vision", "expected_duration": 60, "priority": 4}'), 'sched');
SELECT count(*) FILTER (WHERE worker_id = 'best') AS best, count(*) FILTER (WHERE worker_id = 'idle') AS idle FROM hwsched.plan_pending(NULL, 'sched');
SELECT hwsched.alter_pool('sched', '{"policy": {"hardware_aware": 0.7, "priority": 0.2, "round_robin": 0.1}}');
SELECT count(*) FILTER (WHERE worker_id = 'best') AS best, count(*) FILTER (WHERE worker_id = 'idle') AS idle FROM hwsched.plan_pending(NULL, 'sched');
-- without a candidate there is no placement
SELECT hwsched.submit('{"test_id": "impossible", "required_backend": "tpu"}', 'sched');
SELECT count(*) FROM hwsched.plan_pending(NULL, 'sched') WHERE workload_id = 'impossible';
SELECT count(*) FROM hwsched.schedule('impossible', 'sched');

--
-- Round robin stays fair when tests differ in where they can run
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 8, "supported_backends": ["cuda"]}, "b": {"cpu_cores": 8, "supported_backends": ["cuda"]}, "c": {"cpu_cores": 8}, "d": {"cpu_cores": 8}}',
	(SELECT jsonb_agg(CASE WHEN i % 2 = 0 THEN '{"required_backend": "cuda"}' ELSE '{"required_backend": "cpu"}' END::jsonb) FROM generate_series(1, 40) AS i),
	'{"policy": {"round_robin": 1}, "max_concurrent": 100}');
SELECT worker_id, count(*) FROM hwsched.assignment WHERE pool = 'sched' GROUP BY 1 ORDER BY 1;
-- turns go on from one batch to the next, and with schedule() and claim()
SELECT pg_temp.pool('{"a": {"cpu_cores": 8}, "b": {"cpu_cores": 8}, "c": {"cpu_cores": 8}}', pg_temp.times(6), '{"policy": {"round_robin": 1}}', 'sched', false);
SELECT hwsched.assign_pending(1, 'sched');
SELECT worker_id FROM hwsched.schedule('t002', 'sched');
SELECT workload_id, worker_id FROM hwsched.claim('a', 1, true, 'sched');
SELECT workload_id, worker_id FROM hwsched.claim('a', 1, true, 'sched');
SELECT hwsched.assign_pending(NULL, 'sched');
SELECT pg_temp.went();

--
-- Performance and priority: what a worker has done counts
--
SELECT pg_temp.pool('{"fast": {"cpu_cores": 8}, "new": {"cpu_cores": 8}, "slow": {"cpu_cores": 8}, "weak": {"cpu_cores": 8}}', '[{"test_type": "nlp", "expected_duration": 60}]', '{"policy": {"performance": 1}}', 'sched', false);
INSERT INTO hwsched.track_record (pool, workload_type, worker_id, preference, samples, updated_at, successes, failures, mean_seconds)
VALUES ('sched', 'nlp', 'fast', 0.5, 20, now(), 20, 0, 30), ('sched', 'nlp', 'slow', 0.5, 20, now(), 20, 0, 200), ('sched', 'nlp', 'weak', 0.5, 20, now(), 5, 15, 30);
SELECT candidate, score FROM pg_temp.ranked('t001');
SELECT hwsched.update_load('fast', '{"cpu_utilization": 100, "memory_utilization": 100}', 'sched');
SELECT candidate, score FROM pg_temp.ranked('t001');
SELECT hwsched.alter_pool('sched', '{"policy": {"priority": 1}}');
SELECT hwsched.submit_many('[{"test_id": "p1", "test_type": "nlp", "expected_duration": 60, "priority": 1}, {"test_id": "p5", "test_type": "nlp", "expected_duration": 60, "priority": 5}]', 'sched');
SELECT id, candidate, score FROM unnest(ARRAY['p1', 't001', 'p5']) AS id, pg_temp.ranked(id);
-- outcomes fill the record
SELECT pg_temp.pool('{"w": {"cpu_cores": 8}}', pg_temp.times(3, '{"test_type": "nlp", "retries": 0}'), '{"policy": {"performance": 1}, "preference_alpha": 0}');
SELECT hwsched.complete(assignment_id, NULL, 'sched') FROM hwsched.claim('w', 1, true, 'sched');
SELECT hwsched.complete_many(array_agg(assignment_id), 'sched') FROM hwsched.claim('w', 1, true, 'sched');
SELECT hwsched.fail(assignment_id, 'broken', 'sched') FROM hwsched.claim('w', 1, true, 'sched');
SELECT workload_type, worker_id, preference, samples, successes, failures, mean_seconds FROM hwsched.preference WHERE pool = 'sched';

--
-- Affinity: where the model ran last, then where its family did; less load breaks ties
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 8}, "b": {"cpu_cores": 8}, "c": {"cpu_cores": 8}}', '[{"model_id": "bert-base", "model_family": "bert"}]', '{"policy": {"round_robin": 1}}');
SELECT model, is_family, worker_id FROM hwsched.model_placement WHERE pool = 'sched' ORDER BY 1;
SELECT hwsched.alter_pool('sched', '{"policy": {"affinity": 1}}');
SELECT hwsched.update_load('b', '{"cpu_utilization": 10}', 'sched');
SELECT hwsched.submit_many('[{"test_id": "same", "model_id": "bert-base"}, {"test_id": "family", "model_id": "bert-large", "model_family": "bert"}, {"test_id": "other", "model_id": "resnet"}, {"test_id": "none"}]', 'sched');
SELECT id, candidate, score FROM unnest(ARRAY['same', 'family', 'other', 'none']) AS id, pg_temp.ranked(id) WHERE rank <= 2;
SELECT hwsched.assign_pending(NULL, 'sched');
SELECT pg_temp.went();
SELECT model, is_family, worker_id FROM hwsched.model_placement WHERE pool = 'sched' ORDER BY 1, 2;

--
-- Packing fills what is used; fragmentation keeps whole accelerators for who needs them
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 8, "available_memory": 64, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}, "b": {"cpu_cores": 8, "available_memory": 64, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}}',
	pg_temp.times(4, '{"accelerator_share": 0.5, "cpu_cores": 1}'), '{"policy": {"packing": 1}}');
SELECT pg_temp.went();
SELECT pg_temp.pool('{"a": {"cpu_cores": 8, "available_memory": 64, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}, "b": {"cpu_cores": 8, "available_memory": 64, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}}',
	'[{"accelerator_share": 0.5, "cpu_cores": 1}, {"accelerator_share": 0.5, "cpu_cores": 1}, {"required_accelerators": {"gpu": 2}, "cpu_cores": 1}, {"required_accelerators": {"gpu": 1}, "cpu_cores": 1}]', '{"policy": {"fragmentation": 1}}');
SELECT pg_temp.went();

-- filling looks at the cores, too: those of "a" are needed for its accelerators
SELECT pg_temp.pool('{"a": {"cpu_cores": 6, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 4}}, "b": {"cpu_cores": 16, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 4}}}',
	pg_temp.times(30, '{"required_accelerators": {"gpu": 1}, "cpu_cores": 3}') || '[{"cpu_cores": 3}]', '{"policy": {"fragmentation": 1, "filling": 1}}', 'sched', false);
SELECT candidate, scores FROM pg_temp.ranked('t031') WHERE candidate LIKE '_:0';

--
-- Energy, cost, time: the least of the candidates counts 1
--
SELECT pg_temp.pool('{"cheap": {"cpu_cores": 2, "cost_per_hour": 1}, "dear": {"cpu_cores": 64, "cost_per_hour": 9}}', '[{"test_type": "training", "expected_duration": 600}]', '{"policy": {"cost": 1}}');
SELECT hwsched.alter_pool('sched', '{"policy": {"predicted_time": 1}}');
SELECT hwsched.submit('{"test_id": "soon", "test_type": "training", "expected_duration": 600}', 'sched');
SELECT hwsched.assign_pending(NULL, 'sched');
SELECT pg_temp.went();

--
-- Policies by workload type, changed while work waits
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 8}, "b": {"cpu_cores": 8}}', '[]', '{"policies": {"nlp": {"packing": 1}}, "max_concurrent": 4}');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', type || i, 'test_type', type)) FROM unnest(ARRAY['nlp', 'audio']) AS type, generate_series(1, 2) AS i), 'sched');
SELECT workload_id, worker_id FROM hwsched.plan_pending(NULL, 'sched');
SELECT hwsched.alter_pool('sched', '{"policies": {"audio": {"packing": 1}, "NLP": {"round_robin": 1}}}');
SELECT workload_id, worker_id FROM hwsched.plan_pending(NULL, 'sched');
SELECT hwsched.alter_pool('sched', '{"policies": null}');
SELECT workload_id, worker_id FROM hwsched.plan_pending(NULL, 'sched');

--
-- A user's own function
--
CREATE SCHEMA mine;
CREATE FUNCTION mine.likes_b(workload jsonb, device jsonb, state jsonb) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
	IF state ->> 'worker_id' = 'null' THEN RETURN NULL; END IF;
	IF state ->> 'worker_id' = 'nan' THEN RETURN 'NaN'; END IF;
	IF state ->> 'worker_id' = 'much' THEN RETURN 7; END IF;
	RETURN 0.5;
END $$;
CREATE FUNCTION mine.who(workload jsonb, device jsonb, state jsonb) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
	RAISE WARNING 'called by %, workload %, device %, state %', current_user, workload - 'metrics', device ->> 'model_name', state;
	RETURN 1;
END $$;
CREATE FUNCTION pg_temp.score(workload jsonb, device jsonb, state jsonb) RETURNS float8 LANGUAGE sql AS 'SELECT 1.0::float8';
CREATE FUNCTION mine.not_a_score(jsonb) RETURNS float8 LANGUAGE sql AS 'SELECT 1.0::float8';
CREATE FUNCTION mine.fails(workload jsonb, device jsonb, state jsonb) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no idea'; END $$;
SELECT pg_temp.pool('{"half": {"cpu_cores": 8}, "much": {"cpu_cores": 8}, "nan": {"cpu_cores": 8}, "null": {"cpu_cores": 8}}', '[{"priority": 2, "expected_duration": 30}]', '{"policy": {"mine.likes_b(jsonb,jsonb,jsonb)": 1}}', 'sched', false);
SELECT * FROM pg_temp.ranked('t001');
SELECT hwsched.assign_pending(NULL, 'sched');
SELECT pg_temp.went();
-- it sees the columns of compatible_hardware(), and runs with the rights of hwsched_admin
GRANT USAGE ON SCHEMA mine TO hwsched_admin;
SELECT pg_temp.pool('{"a": {"cpu_cores": 8}}', '[{"priority": 2, "expected_duration": 30}]', '{"policy": {"mine.who(jsonb, jsonb, jsonb)": 1}}');
-- what is no function, no score, temporary or not allowed is refused
SELECT settings, pg_temp.error_of(format('SELECT hwsched.alter_pool(''sched'', %L)', settings)) FROM unnest(ARRAY[
	'{"policy": {"mine.nothing(jsonb,jsonb,jsonb)": 1}}', '{"policy": {"mine.not_a_score(jsonb)": 1}}', '{"policy": {"pg_catalog.jsonb_array_length(jsonb)": 1}}',
	'{"policy": {"mine.who": 1}}', '{"policy": {"pg_temp.score(jsonb,jsonb,jsonb)": 1}}', '{"policies": {"nlp": {"magic": 1}}}', '{"policies": {"knitting": {"packing": 1}}}', '{"policies": {"nlp": {"packing": 0}}}', '{"policies": {"nlp": 1}}', '{"policies": []}',
	'{"policies": {"nlp": {"packing": -1}}}', '{"policy": {"packing": 1e308}}', '{"policies": {"nlp": {"packing": 1}, "NLP": {"packing": 1}}}', '{"solver": "simplex"}']) AS settings;
CREATE ROLE policy_admin IN ROLE hwsched_admin;
REVOKE EXECUTE ON FUNCTION mine.likes_b FROM PUBLIC;
SET ROLE policy_admin;
SELECT pg_temp.error_of($$ SELECT hwsched.alter_pool('sched', '{"policy": {"mine.likes_b(jsonb,jsonb,jsonb)": 1}}') $$);
RESET ROLE;
-- one that fails or was dropped costs its share and a warning, in its pool only
SELECT hwsched.alter_pool('sched', '{"policy": {"mine.fails(jsonb,jsonb,jsonb)": 1}}');
SELECT hwsched.submit('{"test_id": "waits"}', 'sched');
SELECT pg_temp.error_of($$ SELECT hwsched.assign_pending(NULL, 'sched') $$);
SELECT state FROM hwsched.workload WHERE pool = 'sched' AND workload_id = 'waits';
DROP FUNCTION mine.fails;
SELECT hwsched.submit('{"test_id": "waits, too"}', 'sched');
SELECT hwsched.assign_pending(NULL, 'sched');
SELECT hwsched.alter_pool('sched', '{"max_concurrent": 7}');
SELECT count(*) FROM hwsched.pool_summary WHERE pool = 'sched';
-- what is not its own error is passed on
CREATE FUNCTION mine.sleeps(workload jsonb, device jsonb, state jsonb) RETURNS float8 LANGUAGE sql AS 'SELECT 1.0::float8 FROM pg_sleep(60)';
SELECT hwsched.alter_pool('sched', '{"policy": {"mine.sleeps(jsonb,jsonb,jsonb)": 1}}');
SELECT hwsched.submit('{"test_id": "cancelled"}', 'sched');
SET statement_timeout = '500ms';
SELECT hwsched.assign_pending(NULL, 'sched');
RESET statement_timeout;
SELECT state FROM hwsched.workload WHERE pool = 'sched' AND workload_id = 'cancelled';
-- it only reads, whoever decides
CREATE TABLE mine.written (at timestamptz);
GRANT ALL ON mine.written TO PUBLIC;
CREATE FUNCTION mine.writes(workload jsonb, device jsonb, state jsonb) RETURNS float8 LANGUAGE sql AS 'INSERT INTO mine.written VALUES (now()) RETURNING 1.0::float8';
SELECT hwsched.alter_pool('sched', '{"policy": {"mine.writes(jsonb,jsonb,jsonb)": 1}}');
SELECT workload_id FROM hwsched.plan_pending(NULL, 'sched');
SELECT hwsched.assign_pending(NULL, 'sched');
SELECT count(*) FROM mine.written;
SHOW transaction_read_only;
SELECT hwsched.alter_pool('sched', '{"policy": null}');

-- it cannot leave settings behind, place or change anything
CREATE FUNCTION mine.sets(workload jsonb, device jsonb, state jsonb) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('search_path', 'mine', false); RETURN 1; END $$;
CREATE FUNCTION mine.places(workload jsonb, device jsonb, state jsonb) RETURNS float8 LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN hwsched.assign_pending(NULL, 'sched'); END $$;
SELECT hwsched.alter_pool('sched', '{"policy": {"mine.sets(jsonb,jsonb,jsonb)": 1}}');
SELECT hwsched.submit('{"test_id": "set"}', 'sched');
SELECT hwsched.assign_pending(NULL, 'sched');
SHOW search_path;
SELECT hwsched.alter_pool('sched', '{"policy": {"mine.places(jsonb,jsonb,jsonb)": 1}}');
SELECT hwsched.submit('{"test_id": "placed"}', 'sched');
SELECT pg_temp.error_of($$ SELECT hwsched.assign_pending(NULL, 'sched') $$);
SELECT hwsched.alter_pool('sched', '{"policy": null}');
SELECT hwsched.assign_pending(NULL, 'sched');

SELECT hwsched.drop_pool('sched');
DROP ROLE policy_admin;
SET client_min_messages = error;
DROP SCHEMA mine CASCADE;
