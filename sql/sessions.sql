-- The same results whatever a session has set: each chapter's main functions run in
-- a session with every setting that changes how SQL is read, or values are written,
-- and in a plain one.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;
CREATE SCHEMA regress_sessions;

-- No function has in it what a session with standard_conforming_strings off reads otherwise:
-- a backslash outside of E''. What there is in E'' is the end of a line, or a backslash for a reader elsewhere.
SELECT proname FROM pg_proc WHERE pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace)
	AND regexp_replace(regexp_replace(prosrc, 'E''([^''\\]|\\.|'''')*''(\s*''([^''\\]|\\.|'''')*'')*', '', 'g'), '--[^\n]*', '', 'g') ~ '\\';

CREATE TABLE regress_sessions.call (no serial, call text);
INSERT INTO regress_sessions.call (call) SELECT line FROM regexp_split_to_table($calls$
SELECT hwsched.create_pool('%s', '{"retry_backoff": "0 s", "lease": "90.5 s", "retention": {"history": "400 days"}, "policies": {"nlp": {"regress_sessions.rank(jsonb,jsonb,jsonb)": 1, "hardware_aware": 0.3}}, "energy_price_per_kwh": 0.123456789012}') IS NOT NULL AS done
SELECT name, value, default_value FROM hwsched.pool_settings('%s')
SELECT hwsched.register_worker('w1', $j${"cpu_cores": 8.123456789, "available_memory": 64.1, "cost_per_hour": 0.1234567890123, "network_bandwidth": 1e9, "supported_backends": ["cpu", "cuda"], "available_accelerators": {"cuda": 2}, "software_versions": {"driver": "550.54.14"}, "hostname": "w\\1 \u0022x\u0022"}$j$, '%s') IS NOT NULL AS done
SELECT hwsched.register_worker('w2', $j${"cpu_cores": 4, "devices": [{"hardware_class": "gpu", "vendor": "nvidia", "model_name": "A100\\\" 1/3", "memory_total_bytes": 85899345920, "memory_bandwidth_gbps": 2039.123456789, "compute_units": 108, "supported_backends": ["cuda"], "idle_power_w": 51.00000000001, "thermal_design_power_w": 400, "performance_profile": {"fp32_matmul": 19500000000000.123}, "device_id": "GPU-1"}]}$j$, '%s') IS NOT NULL AS done
SELECT hwsched.update_load('w1', '{"cpu_utilization": 12.3456789012345, "memory_utilization": 20, "devices": [{"device_no": 1, "utilization": 33.3333333333333, "power_w": 123.456789012345}]}', '%s') IS NOT NULL AS done
SELECT hwsched.start_cooling('w2', '1:02:03', '%s') IS NOT NULL AS done
SELECT hwsched.submit($j${"test_id": "a\\1", "test_type": "nlp", "model_id": "bert", "expected_duration": 123.456789012345, "minimum_memory": 1.23456789, "cpu_cores": 0.1, "deadline": "2026-03-04 05:06:07.123456+00", "timeout": "1 day 01:02:03.5", "labels": {"x": 1.10}, "custom_properties": {"k": "\\d\u0027"}}$j$, '%s')
SELECT hwsched.submit_many($j$[{"test_id": "b", "test_type": "vision", "required_accelerators": {"cuda": 1}, "concurrency_key": "k\\"}, {"test_id": "c", "depends_on": ["b"], "host_memory": 0.333333333333}, {"test_id": "d", "cpu_cores": 99.5}, {"test_id": "e", "required_accelerators": {"cuda": 1}, "concurrency_key": "k\\"}, {"test_id": "f", "accelerator_share": 0.3333}]$j$, '%s')
SELECT workload_id, worker_id, hwsched.predict_seconds(w, d) AS seconds FROM (VALUES ('{"estimated_duration_seconds": 7.1234567890123}'::jsonb, '{"hardware_class": "gpu", "compute_units": 77}'::jsonb, 'x', 'y')) v (w, d, workload_id, worker_id)
SELECT workload_id, worker_id, device_nos, shard_no, score, predicted_seconds FROM hwsched.plan_pending(pool => '%s')
SELECT worker_id, device_no, score FROM hwsched.compatible_hardware($j$a\1$j$, '%s')
SELECT hwsched.assign_pending(NULL, '%s')
SELECT workload_id, worker_id, device_nos, state, efficiency, adjusted_efficiency, score, predicted_seconds, device_ids FROM hwsched.assignment WHERE pool = '%s' ORDER BY workload_id
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = '%s' ORDER BY workload_id
SELECT reason, workloads FROM hwsched.explain_pending('%s') ORDER BY reason
SELECT workload_id, worker_id, priority FROM hwsched.claim('w1', 5, pool => '%s')
SELECT round(extract(epoch FROM lease_until - started_at)) AS lease FROM hwsched.assignment WHERE pool = '%s' AND state = 'running' ORDER BY workload_id
SELECT hwsched.extend_lease(min(assignment_id), '1 day 2:03:04', '%s') IS NOT NULL AS done FROM hwsched.assignment WHERE pool = '%s' AND state = 'running'
SELECT hwsched.requirements(min(assignment_id), '%s') FROM hwsched.assignment WHERE pool = '%s' AND workload_id = $j$a\1$j$
SELECT hwsched.fail(min(assignment_id), E'out of memory \\ 1', '%s') IS NOT NULL AS done FROM hwsched.assignment WHERE pool = '%s' AND state = 'running'
SELECT hwsched.cancel('d', '%s') IS NOT NULL AS done
SELECT expired, timed_out, offline FROM hwsched.maintain('%s')
SELECT workload_id, worker_id, state, error, error_class FROM hwsched.assignment WHERE pool = '%s' ORDER BY assignment_id
SELECT workload_id, run, state, requirements FROM hwsched.workload WHERE pool = '%s' ORDER BY workload_id
SELECT worker_id, hostname, cost_per_hour FROM hwsched.worker WHERE pool = '%s' ORDER BY worker_id
SELECT profile FROM hwsched.device_profile WHERE pool = '%s' ORDER BY profile_id
SELECT profile, demand, encode(digest, 'hex') AS digest FROM hwsched.workload_profile WHERE pool = '%s' ORDER BY profile_id
SELECT count(*) AS kinds FROM hwsched.hardware WHERE pool = '%s'
SELECT hwsched.record_thermal_state('w1', 0.123456789012345, true, false, '2026-03-04 05:06:07+00', 1, '%s') IS NOT NULL AS done
SELECT hwsched.record_resource_utilization('w1', '{"cpu_utilization": 12.3456789012345}', '2026-03-04 05:06:07.5+00', NULL, '%s') IS NOT NULL AS done
SELECT hwsched.record_execution_time($j$t\1$j$, 1.1, 2.2000000000000002, 'nlp', 'w2', '2026-03-04 05:06:07.5+00', '%s') IS NOT NULL AS done
SELECT hwsched.record_assignment($j$t\1$j$, 'w2', 0.1234567890123456, 'nlp', '2026-03-04 05:06:07.5+00', '%s') IS NOT NULL AS done
SELECT hwsched.load_history($j${"assignments": [{"timestamp": "2026-01-02T03:04:05.678+00", "worker_id": "h", "workload_id": "t\\", "workload_type": "x", "efficiency_score": 0.1234567890123, "run": 2}], "efficiency_scores": {"v": [["2026-01-02T03:04:05Z", 0.3333333333333333]]}, "thermal_states": {"v": [["2026-01-02 03:04:05+00", {"temperature": 0.1}]]}, "execution_times": {"t\\1": {"timestamp": "2026-01-02 03:04:05-05", "worker_id": "v", "workload_type": "x", "estimated_time": 0.1, "actual_time": 0.3333333333333333}}}$j$, '%s')
SELECT hwsched_internal.history_roll_up(10, '%s') IS NOT NULL AS done
SELECT hour, worker_id FROM hwsched.assignment_hour WHERE pool = '%s' AND hour < '2026-04-01+00' ORDER BY 1, 2
SELECT hwsched.history_json('2026-01-01+00', '2026-03-05+00', '%s')
SELECT chart, hwsched.vega_spec(chart, '2026-01-01+00', '2026-03-05+00', '%s') FROM hwsched.chart
SELECT regexp_replace(regexp_replace(hwsched.summary_report('2026-01-01+00', '2026-03-05+00', '%s'), 'Made [^.]*', ''), '<h2>Running work.*?</section>', '')
SELECT hwsched.load_learning(document, '%s') FROM regress_sessions.learned
SELECT regexp_replace(hwsched.learning_json('%s')::text, '"(scope|name|profile_id)": "?[0-9]+"?|"updated_at": "[^"]*"|"[0-9]+": {', 'id', 'g') AS learned
SELECT p50_seconds, p90_seconds, joules, cost FROM hwsched.predict('c', 'w1', 0, '%s')
SELECT hwsched.record_power($j$job\1$j$, 'A100', 200, 1.00000000000001, 150.123456789, '%s') IS NOT NULL AS done
SELECT * FROM hwsched.suggest_power_limit($j$job\1$j$, pool => '%s')
SELECT hwsched.workload_profile('{"test_type": "nlp", "minimum_memory": 1.23456789, "expected_duration": 0.1}')
SELECT hwsched.device_profiles('{"cpu_cores": 3.7, "supported_backends": ["webgpu"]}')
SELECT hwsched.efficiency_score('{"workload_type": "vision"}', '{"hardware_class": "gpu", "compute_units": 77}') AS score, hwsched.thermal_at(0.1, 0.9, 12.345) AS thermal, hwsched.performance_level('warming', '2026-01-01+00', '1 day', '2026-01-01 10:00+00') AS level
SELECT hwsched.unregister_worker('w2', '%s') IS NOT NULL AS done
SELECT hwsched.alter_pool('%s', '{"lease": null, "wait_target": "1:00:00"}') IS NOT NULL AS done
SELECT settings FROM hwsched.settings_version WHERE pool = '%s' ORDER BY version
$calls$, '\n') WITH ORDINALITY AS l (line, no) WHERE line <> '' ORDER BY no;

CREATE FUNCTION regress_sessions.rank(workload jsonb, device jsonb, state jsonb) RETURNS float8 LANGUAGE sql AS $$ SELECT 1 / (1 + (state ->> 'adjusted_efficiency')::float8) $$;

-- What was learned comes from a third pool.
SELECT hwsched.create_pool('teacher'), hwsched.register_worker('w1', '{"cpu_cores": 8, "available_memory": 64}', 'teacher');
DO $$
DECLARE
	a record;
BEGIN
	FOR i IN 1 .. 7 LOOP
		PERFORM hwsched.submit(jsonb_build_object('test_id', 't' || i, 'test_type', 'nlp', 'model_id', 'net-' || i % 3, 'expected_duration', 10), 'teacher'), hwsched.assign_pending(NULL, 'teacher');
		FOR a IN SELECT * FROM hwsched.claim('w1', pool => 'teacher') LOOP
			UPDATE hwsched.assignment b SET assigned_at = now() - interval '1 hour', started_at = now() - make_interval(secs => 10.0 + i / 3.0) WHERE b.pool = 'teacher' AND b.assignment_id = a.assignment_id;
			PERFORM hwsched.complete(a.assignment_id, pool => 'teacher');
		END LOOP;
	END LOOP;
	PERFORM hwsched.maintain('teacher');
END
$$;
CREATE TABLE regress_sessions.learned AS SELECT hwsched.learning_json('teacher') AS document;

-- Runs all calls for a pool; the result of each becomes a table.
CREATE FUNCTION regress_sessions.run(pool text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT * FROM regress_sessions.call ORDER BY no LOOP
		BEGIN
			EXECUTE format('CREATE TABLE regress_sessions.%I AS SELECT * FROM (%s) AS result', pool || '_' || c.no, replace(c.call, '%s', pool));
		EXCEPTION WHEN OTHERS THEN
			EXECUTE format('CREATE TABLE regress_sessions.%I AS SELECT %L AS error', pool || '_' || c.no, replace(SQLERRM, pool, '%s'));
		END;
	END LOOP;
END
$$;
-- Reads a result, with times of day that are not the same twice left out.
CREATE FUNCTION regress_sessions.result(pool text, no int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rows text;
BEGIN
	EXECUTE format('SELECT string_agg(to_jsonb(r)::text, E''\n'') FROM regress_sessions.%I AS r', pool || '_' || no) INTO rows;
	RETURN replace(regexp_replace(rows, to_char(now(), 'YYYY-MM-DD') || 'T[0-9:.]*', 'today', 'g'), pool, '%s');
END
$$;

\c -
SET client_min_messages = warning;
SELECT regress_sessions.run('pool_1');

\c -
SET client_min_messages = warning;
SET escape_string_warning = on;
SET standard_conforming_strings = off;
SET backslash_quote = off;
SET quote_all_identifiers = on;
SET datestyle = 'SQL, DMY';
SET intervalstyle = 'sql_standard';
SET timezone = 'Asia/Kathmandu';
SET extra_float_digits = -15;
SET bytea_output = 'escape';
SET array_nulls = off;
SET transform_null_equals = on;
SET plan_cache_mode = force_generic_plan;
SET search_path = '';
-- a locale with a decimal comma, where there is one
DO $$
BEGIN
	PERFORM pg_catalog.set_config('lc_numeric', 'de_DE.UTF-8', false);
EXCEPTION WHEN OTHERS THEN
	NULL;
END
$$;
SELECT regress_sessions.run('pool_2');

\c -
SET client_min_messages = warning;
SELECT call, plain, other FROM (SELECT no, call, regress_sessions.result('pool_1', no) AS plain, regress_sessions.result('pool_2', no) AS other FROM regress_sessions.call) AS c
WHERE plain IS DISTINCT FROM other ORDER BY no;
-- and they are results
SELECT no, left(call, 60) AS call, regress_sessions.result('pool_1', no) AS error FROM regress_sessions.call WHERE regress_sessions.result('pool_1', no) LIKE '{"error": "%' AND call NOT LIKE '% error,%' ORDER BY no;
SELECT count(*) > 40 AS calls, count(*) FILTER (WHERE length(regress_sessions.result('pool_1', no)) > 20) > 25 AS say_something FROM regress_sessions.call;

SELECT hwsched.drop_pool(pool) FROM unnest(ARRAY['teacher', 'pool_1', 'pool_2']) AS pool;
DROP SCHEMA regress_sessions CASCADE;
