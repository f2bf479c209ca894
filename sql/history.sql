-- History: what is recorded, what views make of it by the time and by the hour,
-- how long it is kept, and its JSON.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;
SET timezone = 'Asia/Kolkata';
SET datestyle = 'ISO, DMY';
SET intervalstyle = 'postgres';

CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', state, message, nullif(detail, ''));
END $$;

SELECT hwsched.create_pool('history', '{"retention": {"history": "20 days"}, "offline_after": "1 day"}'), hwsched.create_pool('history_2'), hwsched.create_pool('history_3');
SELECT hwsched.register_worker('w1', '{"cpu_cores": 4, "devices": [{"hardware_class": "gpu", "model_name": "A100", "supported_backends": ["cuda"], "memory_total_bytes": 1e10, "idle_celsius": 30, "throttle_celsius": 80}]}', 'history'),
	hwsched.register_worker('w2', '{"cpu_cores": 4}', 'history');
-- the hour that is not over
SELECT date_bin('1 hour', now(), 'epoch') AS hour \gset

--
-- Reports: what was said, of the worker and its devices, and the phase it was in
--
SELECT hwsched.update_load('w1', '{"cpu_utilization": 20, "memory_utilization": 40, "temperature": 0.25, "power_w": 100, "devices": [{"device_no": 0, "utilization": 30}, {"device_no": 1, "utilization": 80, "temperature_celsius": 55}]}', 'history');
SELECT hwsched.update_load('w2', '{"cpu_utilization": 1}', 'history');
SELECT hwsched.start_cooling('w2', '1 hour', 'history');
SELECT hwsched.update_load('w2', '{"temperature_celsius": 90}', 'history');
SELECT worker_id, device_no, cpu_ratio, memory_ratio, gpu_ratio, io_ratio, network_ratio, time <= now() AND time > now() - interval '1 min' AS just_now FROM hwsched.utilization_history WHERE pool = 'history' ORDER BY worker_id, device_no NULLS FIRST, time;
SELECT worker_id, device_no, temperature_ratio, temperature_celsius, power_watts, phase, round(performance_level_ratio::numeric, 2) AS level FROM hwsched.thermal_history WHERE pool = 'history' ORDER BY worker_id, device_no NULLS FIRST;
DELETE FROM hwsched.load_history WHERE pool = 'history';

--
-- Recording: yesterday 1 and 2 hours before this one
--
SELECT :'hour'::timestamptz - interval '25 hours' AS one, :'hour'::timestamptz - interval '26 hours' AS two \gset
SELECT hwsched.record_resource_utilization('w1', '{"cpu_utilization": 10, "gpu_utilization": 90}', :'one', pool => 'history'), hwsched.record_resource_utilization('w1', '{"cpu_utilization": 30, "io_utilization": 5}', :'one'::timestamptz + interval '59 min', pool => 'history'),
	hwsched.record_resource_utilization('w1', '{"gpu_utilization": 70}', :'one', 1, 'history'), hwsched.record_resource_utilization('w2', '{"network_utilization": 100}', :'two', pool => 'history');
SELECT hwsched.record_thermal_state('w1', 0.5, false, false, :'one', pool => 'history'), hwsched.record_thermal_state('w1', 0.7, true, false, :'one'::timestamptz + interval '1 min', pool => 'history'), hwsched.record_thermal_state('w1', 1, true, true, :'two', 1, 'history');
SELECT hwsched.record_assignment('a', 'w1', 0.8, 'vision', :'one', 'history'), hwsched.record_assignment('b', 'w1', 0.6, 'vision', :'one', 'history'), hwsched.record_assignment('c', 'w2', 1, 'nlp', :'two', 'history');
SELECT hwsched.record_execution_time('a', 10, 12, 'vision', 'w1', :'one', 'history'), hwsched.record_execution_time('a', 10, 14, 'vision', 'w1', :'one'::timestamptz + interval '5 min', 'history'), hwsched.record_execution_time('c', 0, 3.5, 'nlp', 'w2', :'two', 'history');
-- and just now
SELECT hwsched.record_resource_utilization('w1', '{"cpu_utilization": 50}', pool => 'history'), hwsched.record_thermal_state('w1', 0.1, false, true, pool => 'history'), hwsched.record_assignment('d', 'w1', 0.1, 'mixed', pool => 'history'), hwsched.record_execution_time('d', 1, 1, 'mixed', 'w1', pool => 'history');
CREATE FUNCTION pg_temp.ago(hour timestamptz, at timestamptz) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN at >= hour THEN 'now' ELSE (hour - at)::text END $$;
SELECT pg_temp.ago(:'hour', time) AS ago, worker_id, device_no, cpu_ratio, memory_ratio, gpu_ratio, io_ratio, network_ratio FROM hwsched.utilization_history WHERE pool = 'history' ORDER BY time, device_no NULLS FIRST;
SELECT pg_temp.ago(:'hour', time) AS ago, worker_id, device_no, temperature_ratio, temperature_celsius, power_watts, phase, performance_level_ratio FROM hwsched.thermal_history WHERE pool = 'history' ORDER BY time;
SELECT pg_temp.ago(:'hour', time) AS ago, assignment_id, workload_id, run, worker_id, workload_type, hardware_class, priority, state, efficiency_ratio, wait_seconds FROM hwsched.assignment_history WHERE pool = 'history' ORDER BY time, workload_id;
SELECT pg_temp.ago(:'hour', time) AS ago, worker_id, workload_id, workload_type, hardware_class, model_name, efficiency_ratio, adjusted_efficiency_ratio FROM hwsched.efficiency_history WHERE pool = 'history' ORDER BY time, workload_id;
SELECT pg_temp.ago(:'hour', time) AS ago, assignment_id, workload_id, worker_id, workload_type, hardware_class, model_name, state, predicted_seconds, actual_seconds, error FROM hwsched.execution_history WHERE pool = 'history' ORDER BY time;
-- a past day has its partition, today may not
SELECT count(*) FILTER (WHERE tableoid <> 'hwsched.load_history_default'::regclass) AS in_a_day FROM hwsched.load_history WHERE pool = 'history' AND at < :'hour'::timestamptz - interval '24 hours 1 min';
-- what is refused
SELECT pg_temp.error_of(statement) || ' <- ' || statement FROM unnest(ARRAY[
	$$SELECT hwsched.record_assignment('a', 'nobody', 0.5, 'vision', pool => 'history')$$, $$SELECT hwsched.record_assignment('a', 'w1', 0.5, 'vision', pool => 'nowhere')$$,
	$$SELECT hwsched.record_assignment('a', 'w1', 1.5, 'vision', pool => 'history')$$, $$SELECT hwsched.record_assignment('a', 'w1', 'NaN', 'vision', pool => 'history')$$,
	$$SELECT hwsched.record_assignment('', 'w1', 0.5, 'vision', pool => 'history')$$, $$SELECT hwsched.record_assignment('a', 'w1', 0.5, NULL, pool => 'history')$$,
	$$SELECT hwsched.record_assignment('a', 'w1', 0.5, 'vision', 'infinity', 'history')$$, $$SELECT hwsched.record_assignment('a', 'w1', 0.5, 'vision', '1969-12-31 23:59:59+00', 'history')$$,
	$$SELECT hwsched.record_thermal_state('nobody', 0.5, false, false, pool => 'history')$$, $$SELECT hwsched.record_thermal_state('w1', -0.1, false, false, pool => 'history')$$, $$SELECT hwsched.record_thermal_state('w1', 'NaN', false, false, pool => 'history')$$,
	$$SELECT hwsched.record_thermal_state('w1', 0.1, NULL, false, pool => 'history')$$, $$SELECT hwsched.record_thermal_state('w1', 0.1, false, false, device_no => 2, pool => 'history')$$, $$SELECT hwsched.record_thermal_state('nobody', 0.1, false, false, device_no => 2, pool => 'history')$$,
	$$SELECT hwsched.record_resource_utilization('w1', '{"cpu_utilization": 101}', pool => 'history')$$, $$SELECT hwsched.record_resource_utilization('w1', '{"cpu_utilization": "x"}', pool => 'history')$$, $$SELECT hwsched.record_resource_utilization('w1', '[]', pool => 'history')$$,
	$$SELECT hwsched.record_resource_utilization('w1', '{}', pool => 'history')$$, $$SELECT hwsched.record_resource_utilization('w1', '{"cpu_utilization": 1}', device_no => -1, pool => 'history')$$, $$SELECT hwsched.record_resource_utilization('nobody', '{"cpu_utilization": 1}', pool => 'history')$$,
	$$SELECT hwsched.record_execution_time('a', -1, 1, 'vision', 'w1', pool => 'history')$$, $$SELECT hwsched.record_execution_time('a', 1, 'Infinity', 'vision', 'w1', pool => 'history')$$, $$SELECT hwsched.record_execution_time('a', 1, 1, 'vision', 'nobody', pool => 'history')$$]) WITH ORDINALITY AS s (statement, no) ORDER BY no;
SELECT pg_temp.error_of($$SELECT hwsched.record_assignment('a', 'w1', 0.5, 'vision', now() + interval '25 hours', 'history')$$) ~ '^22023 . invalid value for "at"' AS future;

--
-- By the hour: the same before maintain() has rolled it up and afterwards, and once more
--
SELECT pg_temp.ago(:'hour', time) AS ago, worker_id, device_no, samples, cpu_ratio, gpu_ratio, io_ratio, network_ratio, max_cpu_ratio, max_gpu_ratio FROM hwsched.utilization_history_hourly WHERE pool = 'history' ORDER BY time, worker_id, device_no NULLS FIRST;
SELECT pg_temp.ago(:'hour', time) AS ago, worker_id, device_no, samples, temperature_ratio, max_temperature_ratio, temperature_celsius, power_watts FROM hwsched.thermal_history_hourly WHERE pool = 'history' ORDER BY time, worker_id, device_no NULLS FIRST;
SELECT pg_temp.ago(:'hour', time) AS ago, worker_id, workload_type, assignments, efficiency_ratio, min_efficiency_ratio, max_efficiency_ratio FROM hwsched.efficiency_history_hourly WHERE pool = 'history' ORDER BY time, worker_id;
SELECT pg_temp.ago(:'hour', time) AS ago, worker_id, workload_type, assignments, wait_seconds, max_wait_seconds FROM hwsched.assignment_history_hourly WHERE pool = 'history' ORDER BY time, worker_id;
SELECT pg_temp.ago(:'hour', time) AS ago, worker_id, workload_type, completed, failed, predicted_seconds, actual_seconds, max_actual_seconds FROM hwsched.execution_history_hourly WHERE pool = 'history' ORDER BY time, worker_id;
CREATE VIEW pg_temp.hourly AS
SELECT 'utilization' AS kind, to_jsonb(h) AS row FROM hwsched.utilization_history_hourly AS h WHERE pool = 'history' UNION ALL SELECT 'thermal', to_jsonb(h) FROM hwsched.thermal_history_hourly AS h WHERE pool = 'history'
UNION ALL SELECT 'efficiency', to_jsonb(h) FROM hwsched.efficiency_history_hourly AS h WHERE pool = 'history' UNION ALL SELECT 'assignment', to_jsonb(h) FROM hwsched.assignment_history_hourly AS h WHERE pool = 'history'
UNION ALL SELECT 'execution', to_jsonb(h) FROM hwsched.execution_history_hourly AS h WHERE pool = 'history';
CREATE TEMP TABLE live AS SELECT * FROM pg_temp.hourly;
CREATE TEMP VIEW rolled AS SELECT (SELECT count(*) FROM hwsched.utilization_hour WHERE pool = 'history' AND hour < :'hour') AS utilization, (SELECT count(*) FROM hwsched.thermal_hour WHERE pool = 'history' AND hour < :'hour') AS thermal,
	(SELECT count(*) FROM hwsched.assignment_hour WHERE pool = 'history' AND hour < :'hour') AS assignment, (SELECT count(*) FROM hwsched.execution_hour WHERE pool = 'history' AND hour < :'hour') AS execution, (SELECT count(*) FROM hwsched.history_late WHERE pool = 'history') AS late;
SELECT * FROM rolled;
SELECT forgotten FROM hwsched.maintain('history');
SELECT * FROM rolled;
(TABLE live EXCEPT TABLE pg_temp.hourly) UNION ALL (TABLE pg_temp.hourly EXCEPT TABLE live);
SELECT forgotten FROM hwsched.maintain('history');
(TABLE live EXCEPT TABLE pg_temp.hourly) UNION ALL (TABLE pg_temp.hourly EXCEPT TABLE live);
-- what is rolled up is read there, whatever becomes of the rest
SELECT rolled_until >= :'hour' AS rolled_up FROM hwsched.history_progress WHERE pool = 'history';
-- an hour in which something turns up late is rolled up again, and only that
UPDATE hwsched.utilization_hour SET samples = 1000 WHERE pool = 'history';
SELECT hwsched.record_resource_utilization('w1', '{"cpu_utilization": 80}', :'one'::timestamptz + interval '10 min', pool => 'history');
SELECT forgotten FROM hwsched.maintain('history');
SELECT pg_temp.ago(:'hour', hour) AS ago, worker_id, device_no, samples, round(cpu_ratio::numeric, 3) AS cpu, max_cpu_ratio FROM hwsched.utilization_hour WHERE pool = 'history' AND hour < :'hour' ORDER BY hour, worker_id, device_no;
UPDATE hwsched.utilization_hour SET samples = 1 WHERE pool = 'history' AND samples = 1000;
-- an hour of which the rest may be gone by now stays as it is
SELECT :'hour'::timestamptz - interval '25 days' AS old \gset
SELECT hwsched.record_resource_utilization('w1', '{"cpu_utilization": 80}', :'old', pool => 'history');
SELECT forgotten FROM hwsched.maintain('history');
SELECT hwsched.record_resource_utilization('w1', '{"cpu_utilization": 20}', :'old', pool => 'history'), hwsched.record_resource_utilization('w2', '{"cpu_utilization": 20}', :'old', pool => 'history');
SELECT forgotten FROM hwsched.maintain('history');
SELECT worker_id, samples, cpu_ratio FROM hwsched.utilization_history_hourly WHERE pool = 'history' AND time = :'old' ORDER BY 1;
SELECT count(*) AS raw FROM hwsched.utilization_history WHERE pool = 'history' AND time = :'old';
-- a clock that was ahead
UPDATE hwsched.history_progress SET rolled_until = :'hour'::timestamptz + interval '5 hours' WHERE pool = 'history';
INSERT INTO hwsched.utilization_hour (pool, hour, worker_id, device_no, samples) VALUES ('history', :'hour'::timestamptz + interval '3 hours', 'w1', -1, 1);
SELECT forgotten FROM hwsched.maintain('history');
SELECT count(*) AS ahead FROM hwsched.utilization_hour WHERE pool = 'history' AND hour > :'hour'::timestamptz + interval '2 hours';
SELECT rolled_until < :'hour'::timestamptz + interval '2 hours' AS brought_back FROM hwsched.history_progress WHERE pool = 'history';

--
-- Our own work: in history without recording it
--
SELECT hwsched.submit_many('[{"test_id": "o1", "test_type": "vision", "required_backend": "cuda", "expected_duration": 30}, {"test_id": "o2", "test_type": "nlp", "required_backend": "cpu", "retries": 0}]', 'history');
UPDATE hwsched.submission SET submitted_at = now() - interval '1 min' WHERE pool = 'history';
SELECT hwsched.assign_pending(NULL, 'history');
SELECT count(hwsched.start(assignment_id, 'history')) AS started FROM hwsched.assignment WHERE pool = 'history';
UPDATE hwsched.assignment SET started_at = started_at - interval '20 s' WHERE pool = 'history';
SELECT hwsched.complete(assignment_id, NULL, 'history') FROM hwsched.assignment WHERE pool = 'history' AND workload_id = 'o1';
SELECT hwsched.fail(assignment_id, 'broken', 'history') FROM hwsched.assignment WHERE pool = 'history' AND workload_id = 'o2';
SELECT workload_id, assignment_id IS NOT NULL AS ours, run, attempt, shard_no, workload_type, hardware_class, priority, state, efficiency_ratio, wait_seconds BETWEEN 60 AND 3600 AS waited FROM hwsched.assignment_history WHERE pool = 'history' AND workload_id ~ '^o' ORDER BY 1;
SELECT workload_id, assignment_id IS NOT NULL AS ours, run, attempt, workload_type, hardware_class, state, predicted_seconds, actual_seconds BETWEEN 20 AND 3600 AS ran, error FROM hwsched.execution_history WHERE pool = 'history' AND workload_id ~ '^o' ORDER BY 1;
SELECT workload_type, sum(completed) AS completed, sum(failed) AS failed FROM hwsched.execution_history_hourly WHERE pool = 'history' AND time >= :'hour' GROUP BY 1 ORDER BY 1;

--
-- JSON: there and back, twice; in another time zone
--
SELECT hwsched.history_json(pool => 'history') AS document \gset
SELECT hwsched.load_history(:'document', 'history_2') > 20 AS loaded;
SELECT hwsched.history_json(pool => 'history_2') = :'document' AS same;
SET timezone = 'America/St_Johns';
SELECT hwsched.load_history(:'document', 'history_2') AS loaded_again, hwsched.load_history(:'document', 'history') AS loaded_where_it_is_from;
SELECT hwsched.history_json(pool => 'history_2') = :'document' AS same;
SELECT count(*) AS workers FROM hwsched.worker WHERE pool = 'history_2';
SELECT jsonb_array_length(hwsched.history_json(:'two', :'one', 'history') -> 'assignments') AS between, hwsched.history_json(:'hour'::timestamptz - interval '10 days', :'hour'::timestamptz - interval '9 days', 'history') AS nothing;
-- each of the executions of a workload by itself
SELECT jsonb_array_length(hwsched.history_json(pool => 'history_2') -> 'execution_times' -> 'a') AS executions;
-- what was loaded is rolled up, too
SELECT hwsched.maintain('history_2') IS NOT NULL AS maintained;
SELECT count(*) FROM (SELECT time, worker_id, workload_type, completed, failed FROM hwsched.execution_history_hourly WHERE pool = 'history' EXCEPT SELECT time, worker_id, workload_type, completed, failed FROM hwsched.execution_history_hourly WHERE pool = 'history_2') AS differ;
SET timezone = 'UTC';
-- the format of others: one execution for each workload, times without a zone, scores without an assignment
SELECT hwsched.load_history('{"assignments": [{"timestamp": "2024-05-01T10:00:00.123456", "workload_id": "t_1", "worker_id": "gpu_1", "efficiency_score": 0.9, "workload_type": "VISION"}],
	"efficiency_scores": {"gpu_1": [["2024-05-01T10:00:00.123456", 0.9], ["2024-05-01T11:00:00", 0.5]]},
	"thermal_states": {"gpu_1": [["2024-05-01T10:00:00", {"temperature": 0.25, "warming_state": true, "cooling_state": false}]], "cpu_1": []},
	"resource_utilization": {"gpu_1": [["2024-05-01T10:00:00", {"cpu_utilization": 10, "memory_utilization": 20.5, "gpu_utilization": 30, "io_utilization": 0, "network_utilization": 100}]]},
	"execution_times": {"t_1": {"timestamp": "2024-05-01T10:05:00", "estimated_time": 60, "actual_time": 66.5, "workload_type": "VISION", "worker_id": "gpu_1"}}}', 'history_3');
SELECT jsonb_pretty(hwsched.history_json(pool => 'history_3'));
SELECT count(*) AS in_the_default FROM hwsched.load_history_default WHERE pool = 'history_3';
-- rolled up first, and then gone, but for the hours
SELECT hwsched.alter_pool('history_3', '{"retention": {"hourly": "9000 days"}}');
SELECT forgotten FROM hwsched.maintain('history_3');
SELECT time, worker_id, workload_type, assignments, efficiency_ratio FROM hwsched.efficiency_history_hourly WHERE pool = 'history_3' ORDER BY time;
SELECT time, worker_id, samples, temperature_ratio FROM hwsched.thermal_history_hourly WHERE pool = 'history_3';
SELECT time, worker_id, completed, predicted_seconds, actual_seconds FROM hwsched.execution_history_hourly WHERE pool = 'history_3';
SELECT hwsched.history_json(pool => 'history_3') AS nothing;
SELECT hwsched.alter_pool('history_3', '{"retention": {"hourly": 86400}}');
SELECT forgotten FROM hwsched.maintain('history_3');
SELECT count(*) FROM hwsched.efficiency_history_hourly WHERE pool = 'history_3';
-- an id is a text, whatever is in it
SELECT hwsched.load_history(jsonb_build_object('efficiency_scores', jsonb_build_object(E'<b>"x"</b>\n; DROP TABLE', '[["2024-05-01T11:00:00Z", 0.5]]'::jsonb)), 'history_3');
SELECT hwsched.history_json(pool => 'history_3') -> 'efficiency_scores';
-- what is refused: with its path, and nothing of the document is kept
SELECT pg_temp.error_of(format('SELECT hwsched.load_history(%L, %L)', document, 'history_3')) || ' <- ' || document FROM unnest(ARRAY[
	'[]', 'null', '"x"', '{"foo": []}', '{"assignments": {}}', '{"assignments": [1]}', '{"assignments": [{}]}', '{"thermal_states": []}', '{"thermal_states": {"w": {}}}', '{"thermal_states": {"w": [1]}}', '{"thermal_states": {"w": [["2024-01-01", 1]]}}', '{"thermal_states": {"w": [["2024-01-01"]]}}',
	'{"thermal_states": {"w": [["yesterday", {}]]}}', '{"thermal_states": {"w": [["2024-13-01", {}]]}}', '{"thermal_states": {"w": [["2024-01-01 25:00", {}]]}}', '{"thermal_states": {"w": [["1969-01-01", {}]]}}', '{"thermal_states": {"w": [["9999-01-01", {}]]}}', '{"thermal_states": {"w": [[1704067200, {}]]}}', '{"thermal_states": {"w": [[null, {}]]}}',
	'{"thermal_states": {"w": [["2024-01-01", {"temperature": 1.5}]]}}', '{"thermal_states": {"w": [["2024-01-01", {"temperature": "hot"}]]}}', '{"thermal_states": {"w": [["2024-01-01", {"temperature": 1e-400}]]}}', '{"thermal_states": {"w": [["2024-01-01", {"warming_state": 1}]]}}', '{"thermal_states": {"w": [["2024-01-01", {"device_no": 1.5}]]}}', '{"thermal_states": {"w": [["2024-01-01", {"device_no": 1e10}]]}}',
	'{"thermal_states": {"": [["2024-01-01", {"temperature": 0.5}]]}}', '{"resource_utilization": {"w": [["2024-01-01", {"cpu_utilization": 1}], ["2024-01-01", {"io_utilization": 1e999}]]}}', '{"resource_utilization": {"w": [["2024-01-01", {"cpu_utilization": -1}]]}}',
	'{"efficiency_scores": {"w": [["2024-01-01", 2]]}}', '{"efficiency_scores": {"w": [["2024-01-01", null]]}}', '{"efficiency_scores": {"w": {"x": 1}}}',
	'{"execution_times": {"t": 1}}', '{"execution_times": {"t": [1]}}', '{"execution_times": {"t": {"timestamp": "2024-01-01", "worker_id": "w", "workload_type": "x", "estimated_time": 1}}}', '{"execution_times": {"t": {"timestamp": "2024-01-01", "worker_id": "w", "workload_type": "x", "estimated_time": 1, "actual_time": -1}}}',
	'{"execution_times": {"t": [{"timestamp": "2024-01-01", "worker_id": "w", "workload_type": "x", "estimated_time": 1, "actual_time": 1, "state": "running"}]}}', '{"execution_times": {"t": [{"timestamp": "2024-01-01", "worker_id": "w", "workload_type": "x", "estimated_time": 1, "actual_time": 1, "run": 0}]}}',
	'{"assignments": [{"timestamp": "2024-01-01", "worker_id": "w", "workload_id": "t", "workload_type": "x", "efficiency_score": 0.5}, {"timestamp": "2024-01-01", "worker_id": "w", "workload_id": "t", "workload_type": "x", "efficiency_score": 0.5, "state": "x"}]}',
	'{"assignments": [{"timestamp": "2024-01-01", "worker_id": 5, "workload_id": "t", "workload_type": "x", "efficiency_score": 0.5}]}']) WITH ORDINALITY AS d (document, no) ORDER BY no;
SELECT pg_temp.error_of('SELECT hwsched.load_history(NULL)'), pg_temp.error_of($$SELECT hwsched.load_history('{}', 'nowhere')$$), pg_temp.error_of($$SELECT hwsched.history_json(pool => 'nowhere')$$);
SELECT count(*) AS kept FROM hwsched.assignment_history WHERE pool = 'history_3';

--
-- A view finds its rows by index, in the partitions of the time that is asked for
--
CREATE FUNCTION pg_temp.scans(query text) RETURNS TABLE (scans bigint, by_worker bigint) LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_bitmapscan = off;
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN QUERY SELECT count(*), count(*) FILTER (WHERE n ->> 'Index Cond' ~ 'worker_id = ' AND n ->> 'Index Cond' ~ 'pool = ' AND n ->> 'Index Cond' ~ '\(at [<>]') FROM jsonb_path_query(plan, 'strict $.**') AS n WHERE jsonb_typeof(n) = 'object' AND n ->> 'Relation Name' ~ 'load_history';
END $$;
SELECT * FROM pg_temp.scans(format($$SELECT * FROM hwsched.utilization_history WHERE pool = 'history' AND worker_id = 'w1' AND time >= %L AND time < %L$$, :'one'::timestamptz::date, :'one'::timestamptz::date + 1));
SELECT * FROM pg_temp.scans(format($$SELECT * FROM hwsched.thermal_history WHERE pool = 'history' AND worker_id = 'w1' AND time >= %L AND time < %L$$, :'one'::timestamptz::date, :'one'::timestamptz::date + 1));

SELECT hwsched.drop_pool('history'), hwsched.drop_pool('history_2'), hwsched.drop_pool('history_3');
SELECT count(*) AS left FROM (SELECT pool FROM hwsched.load_history UNION ALL SELECT pool FROM hwsched.recorded_assignment UNION ALL SELECT pool FROM hwsched.recorded_execution UNION ALL SELECT pool FROM hwsched.utilization_hour
	UNION ALL SELECT pool FROM hwsched.history_late UNION ALL SELECT pool FROM hwsched.history_progress) AS p WHERE pool LIKE 'history%';
