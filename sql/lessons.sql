--
-- What was learned, asked: the best hardware, changes of durations, and learning from elsewhere
--
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text; hint text; path text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, path = COLUMN_NAME;
	RETURN concat_ws(' | ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''), 'at ' || nullif(path, ''));
END $$;
SELECT hwsched.create_pool('lessons');
SELECT hwsched.register_worker(w, jsonb_build_object('cpu_cores', 8, 'available_memory', 64, 'devices', jsonb_build_array(jsonb_build_object(
		'hardware_class', 'gpu', 'model_name', model, 'vendor', 'nvidia', 'supported_backends', ARRAY['cuda'], 'supported_precisions', ARRAY['fp32', 'fp16'],
		'memory_total_bytes', 80000000000, 'compute_units', 108, 'performance_profile', jsonb_build_object('fp32_matmul', fp32, 'fp16_matmul', fp32 * 16)))), 'lessons')
FROM (VALUES ('a1', 'A100', 19.5e12), ('a2', 'A100', 19.5e12), ('t1', 'T4', 8.1e12)) AS f (w, model, fp32);
SELECT hwsched.register_worker('c1', '{"cpu_cores": 4, "available_memory": 8}', 'lessons');

--
-- By operation and precision, greatest first; what does not say it is left out
--
SELECT * FROM hwsched.performance_ranking('matmul', 'fp32', 'lessons');
SELECT * FROM hwsched.performance_ranking('matmul', 'int4', 'lessons');
-- Who stands in: the same device, then the other GPU, then a CPU; who takes no work does not
SELECT worker_id, round(score::numeric, 3) AS score FROM hwsched.fallback_workers('a1', 'lessons');
SELECT worker_id, round(score::numeric, 3) AS score FROM hwsched.fallback_workers('c1', 'lessons');
SELECT hwsched.drain_worker('a2', 'lessons');
SELECT worker_id FROM hwsched.fallback_workers('a1', 'lessons');
SELECT hwsched.resume_worker('a2', 'lessons');
-- By type of work: by the formula until something is known
SELECT model_name, hardware_class, round(efficiency::numeric, 3) AS efficiency, round(predicted_seconds) AS predicted, runs FROM hwsched.best_hardware('vision', 'lessons');

--
-- Runs elsewhere teach: durations, and workers if they are named
--
SELECT hwsched.teach((SELECT jsonb_agg(jsonb_build_object('workload_type', 'vision', 'model_id', 'net-' || i % 3, 'device', d.device, 'worker_id', d.w, 'expected_duration', 60,
		'seconds', d.seconds * (1 + i % 3), 'at', '2026-01-01'::timestamptz + i * interval '1 hour'))
	FROM generate_series(1, 12) AS i, (VALUES ('T4', 't1', 10), ('A100', 'a1', 30), ('A100', NULL, 30)) AS d (device, w, seconds)), 'lessons') AS taught;
SELECT model_name, round(predicted_seconds) AS predicted, runs FROM hwsched.best_hardware('vision', 'lessons');
SELECT hwsched.submit('{"test_id": "next", "test_type": "vision", "model_id": "net-1", "expected_duration": 60, "required_backend": "gpu"}', 'lessons');
SELECT w, round(p.p50_seconds) AS p50 FROM unnest('{a1,a2,t1}'::text[]) AS w, hwsched.predict('next', w, 1, 'lessons') AS p;
SELECT worker_id, workload_type, successes, failures, round(mean_seconds) AS mean FROM hwsched.performance WHERE pool = 'lessons' ORDER BY 1;
-- what was taught at 60 s tells of 600 s, and of 6 s
SELECT hwsched.submit(jsonb_build_object('test_id', 'next-' || s, 'test_type', 'vision', 'model_id', 'net-1', 'expected_duration', s, 'required_backend', 'gpu'), 'lessons') FROM unnest('{6,600}'::int[]) AS s;
SELECT s, w, p.p50_seconds / s BETWEEN 0.98 * k AND 1.02 * k AS in_proportion FROM unnest('{6,600}'::int[]) AS s, (VALUES ('a1', 1), ('t1', 1/3.0)) AS d (w, k), hwsched.predict('next-' || s, w, 1, 'lessons') AS p ORDER BY 1, 2;
-- also where the formula counts what takes longer as compute-intensive, and there are few units: within 5 %
SELECT hwsched.teach((SELECT jsonb_agg(jsonb_build_object('workload_type', 'embedding', 'model_id', 'e', 'device', 'CPU-4cores', 'worker_id', 'c1', 'expected_duration', 100, 'seconds', 80)) FROM generate_series(1, 10)), 'lessons') AS taught;
SELECT hwsched.submit(jsonb_build_object('test_id', 'embed-' || s, 'test_type', 'embedding', 'model_id', 'e', 'expected_duration', s), 'lessons') FROM unnest('{100,1000}'::int[]) AS s;
SELECT s, round(p.p50_seconds::numeric / s, 2) AS ratio, round(p.formula_seconds::numeric / s, 2) AS of_the_formula FROM unnest('{100,1000}'::int[]) AS s, hwsched.predict('embed-' || s, 'c1', 0, 'lessons') AS p ORDER BY 1;
-- it was long ago: what is preferred is nearly forgotten
SELECT worker_id, round(preference::numeric, 2) AS preference FROM hwsched.preference WHERE pool = 'lessons' ORDER BY 1;
-- a run just now counts in full, whatever the order in the document; a failure teaches who fails
SELECT hwsched.teach(jsonb_build_array('{"workload_type": "vision", "device": "A100", "worker_id": "a1", "ok": false}'::jsonb,
	jsonb_build_object('workload_type', 'vision', 'device', 'A100', 'worker_id', 'a1', 'seconds', 1, 'at', '2026-02-01')), 'lessons') AS taught;
SELECT worker_id, round(preference::numeric, 2) AS preference, successes, failures FROM hwsched.preference WHERE pool = 'lessons' ORDER BY 1;
-- a device profile, known or not
SELECT hwsched.teach(jsonb_build_array(jsonb_build_object('workload_type', 'nlp', 'seconds', 5, 'device', p.profile), '{"workload_type": "nlp", "seconds": 7, "device": {"hardware_class": "tpu", "model_name": "v9"}}'::jsonb), 'lessons') AS taught
FROM hwsched.device_profile AS p WHERE p.pool = 'lessons' AND p.model_name = 'T4';
SELECT model_name, count(*) FROM hwsched.device_profile WHERE pool = 'lessons' GROUP BY model_name ORDER BY model_name COLLATE "C";
-- all or nothing, and nothing in silence
CREATE TEMP TABLE before AS SELECT (SELECT count(*) FROM hwsched.duration_record WHERE pool = 'lessons') AS records, (SELECT sum(samples) FROM hwsched.track_record WHERE pool = 'lessons') AS samples;
SELECT pg_temp.error_of(format('SELECT hwsched.teach(%L, ''lessons'')', '[{"workload_type": "nlp", "seconds": 5, "device": "T4", "worker_id": "t1"}, ' || wrong || ']')) FROM unnest(ARRAY[
	'{"device": "T4", "seconds": 1}', '{"workload_type": "nlp", "seconds": 1}', '{"workload_type": "nlp", "device": "T4"}', '{"workload_type": "nlp", "device": "T4", "second": 1}',
	'{"workload_type": "nlp", "device": "T4", "seconds": 0}', '{"workload_type": "nlp", "device": "T4", "seconds": -1}', '{"workload_type": "nlp", "device": "T4", "seconds": 1e11}',
	'{"workload_type": "nlp", "device": "T4", "seconds": "1 min"}', '{"workload_type": "poetry", "device": "T4", "seconds": 1}', '{"workload_type": "nlp", "device": "A10O", "seconds": 1}',
	'{"workload_type": "nlp", "device": "something else", "seconds": 1}', '{"workload_type": "nlp", "device": 4, "seconds": 1}', '{"workload_type": "nlp", "device": {"model_name": "X"}, "seconds": 1}',
	'{"workload_type": "nlp", "device": {"hardware_class": "gpu", "compute_unit": 4}, "seconds": 1}', '{"workload_type": "nlp", "device": {"hardware_class": "gpu", "compute_units": -4}, "seconds": 1}',
	'{"workload_type": "nlp", "device": "T4", "seconds": 1, "worker_id": "nobody"}', '{"workload_type": "nlp", "device": "T4", "seconds": 1, "worker_id": ""}',
	'{"workload_type": "nlp", "device": "T4", "seconds": 1, "at": "soon"}', '{"workload_type": "nlp", "device": "T4", "seconds": 1, "at": "2999-01-01"}', '{"workload_type": "nlp", "device": "T4", "seconds": 1, "at": "1960-01-01"}',
	'{"workload_type": "nlp", "device": "T4", "seconds": 1, "at": "infinity"}', '{"workload_type": "nlp", "device": "T4", "seconds": 1, "ok": "yes"}',
	'{"workload_type": "nlp", "device": "T4", "seconds": 1, "model_id": ""}', '{"workload_type": "nlp", "device": "T4", "seconds": 1, "expected_duration": -1}', '7', 'null', '[]']) AS wrong;
SELECT pg_temp.error_of(statement) FROM unnest(ARRAY['SELECT hwsched.teach(''{}'', ''lessons'')', 'SELECT hwsched.teach(''7'', ''lessons'')', 'SELECT hwsched.teach(NULL, ''lessons'')', 'SELECT hwsched.teach(''[]'', NULL)', 'SELECT hwsched.teach(''[]'', ''nowhere'')']) AS statement;
SELECT b.records = (SELECT count(*) FROM hwsched.duration_record WHERE pool = 'lessons') AND b.samples = (SELECT sum(samples) FROM hwsched.track_record WHERE pool = 'lessons') AS nothing_half_done FROM before AS b;
SELECT hwsched.teach('[]', 'lessons') AS nothing;
SELECT hwsched.teach('[{"workload_type": "nlp", "device": "T4", "seconds": 60000, "expected_duration": 60}]', 'lessons') AS surely_milliseconds;
SELECT hwsched.alter_pool('lessons', '{"learning": false}');
SELECT hwsched.teach('[{"workload_type": "nlp", "device": "T4", "seconds": 60}]', 'lessons') AS not_learning;
SELECT model_name, round(predicted_seconds) AS by_the_formula FROM hwsched.best_hardware('vision', 'lessons');
SELECT hwsched.alter_pool('lessons', '{"learning": null}');

--
-- A history that is loaded teaches if it is asked to: what of it is new, and is known here
--
CREATE TEMP TABLE document AS SELECT jsonb_build_object('execution_times', jsonb_build_object(
	'long', (SELECT jsonb_agg(jsonb_build_object('worker_id', 'a2', 'workload_type', 'audio', 'timestamp', '2026-02-01'::timestamptz + i * interval '1 hour', 'estimated_time', 60, 'actual_time', 240,
		'model_name', 'A100', 'model_id', 'voice', 'expected_duration', 120)) FROM generate_series(1, 6) AS i),
	'first', '{"worker_id": "t1", "workload_type": "Audio", "timestamp": "2026-02-02", "estimated_time": 60, "actual_time": 30}'::jsonb,
	'failed', '{"worker_id": "t1", "workload_type": "audio", "timestamp": "2026-02-03", "estimated_time": 60, "actual_time": 3, "state": "failed", "error": "x"}'::jsonb,
	'elsewhere', '{"worker_id": "far", "workload_type": "audio", "timestamp": "2026-02-03", "estimated_time": 60, "actual_time": 30, "model_name": "T4"}'::jsonb,
	'cancelled', '{"worker_id": "t1", "workload_type": "audio", "timestamp": "2026-02-03", "estimated_time": 60, "actual_time": 3, "state": "cancelled"}'::jsonb,
	'unknown', '{"worker_id": "far", "workload_type": "audio", "timestamp": "2026-02-03", "estimated_time": 60, "actual_time": 30, "model_name": "H900"}'::jsonb,
	'poem', '{"worker_id": "t1", "workload_type": "poetry", "timestamp": "2026-02-03", "estimated_time": 60, "actual_time": 30, "model_name": "T4"}'::jsonb)) AS document;
SELECT hwsched.load_history(document, true, 'lessons') AS loaded FROM document;
SELECT worker_id, successes, failures, round(mean_seconds) AS mean FROM hwsched.performance WHERE pool = 'lessons' AND workload_type = 'audio' ORDER BY 1;
SELECT model_name, runs FROM hwsched.duration_model WHERE pool = 'lessons' AND kind = 'device' AND model_name IN ('A100', 'T4') ORDER BY 1;
SELECT hwsched.submit('{"test_id": "voice", "test_type": "audio", "model_id": "voice", "expected_duration": 120}', 'lessons');
SELECT round(p50_seconds) AS p50 FROM hwsched.predict('voice', 'a1', 1, 'lessons');
-- what is there already teaches nothing more
SELECT hwsched.load_history(document, true, 'lessons') AS again FROM document;
SELECT sum(samples) AS samples FROM hwsched.track_record WHERE pool = 'lessons' AND workload_type = 'audio';
-- and nothing does without being asked
SELECT hwsched.load_history('{"execution_times": {"silent": {"worker_id": "t1", "workload_type": "audio", "timestamp": "2026-02-04", "estimated_time": 60, "actual_time": 30}}}', false, 'lessons') AS loaded;
SELECT sum(samples) AS samples FROM hwsched.track_record WHERE pool = 'lessons' AND workload_type = 'audio';
SELECT model_id, expected_seconds, count(*) FROM hwsched.execution_history WHERE pool = 'lessons' AND workload_type = 'audio' GROUP BY 1, 2 ORDER BY 1;
SELECT pg_temp.error_of(statement) FROM unnest(ARRAY['SELECT hwsched.load_history(NULL, true, ''lessons'')', 'SELECT hwsched.load_history(''{}'', NULL::boolean, ''lessons'')', 'SELECT hwsched.load_history(''{}'', true, NULL)', 'SELECT hwsched.load_history(''{}'', true, ''nowhere'')',
	'SELECT hwsched.load_history(''{"execution_times": {"x": {"worker_id": "t1", "workload_type": "audio", "timestamp": "2026-02-04", "estimated_time": 60, "actual_time": 30, "expected_duration": -1}}}'', true, ''lessons'')']) AS statement;

--
-- Since when: one worker, all workers with a device model, or nobody
--
SELECT hwsched.load_history(jsonb_build_object('execution_times', (SELECT jsonb_object_agg(id, runs) FROM (
	SELECT 'job-' || w AS id, jsonb_agg(jsonb_build_object('worker_id', w, 'workload_type', 'training', 'timestamp', '2026-03-01'::timestamptz + i * interval '1 minute', 'estimated_time', 100,
		'model_name', model, 'hardware_class', 'gpu', 'actual_time',
		-- a scatter of some 3 %, the same in each run of the test
		round((120 * (1 + 0.05 * (hashint4(i * 7 + length(w) + ascii(right(w, 1))) % 1000) / 1000.0) * CASE WHEN i > at THEN slower ELSE 1 END)::numeric, 3))) AS runs
	FROM generate_series(1, 100) AS i, (VALUES ('p1', 'P', 85, 1.3), ('p2', 'P', 999, 1), ('p3', 'P', 999, 1), ('q1', 'Q', 60, 1.2), ('q2', 'Q', 60, 1.2), ('q3', 'Q', 60, 1.2), ('r1', 'R', 999, 1)) AS s (w, model, at, slower) GROUP BY w) AS job)), 'lessons') AS loaded;
SELECT abs(extract(epoch FROM time - CASE model_name WHEN 'P' THEN '2026-03-01 01:26'::timestamptz ELSE '2026-03-01 01:01' END)) <= 180 AS since_then, worker_id, model_name, workload_type,
	round(before_seconds) AS before, round(after_seconds) AS after FROM hwsched.change_points(pool => 'lessons');
-- of one worker what concerns it, of its device model, too
SELECT worker_id, model_name FROM hwsched.change_points('p1', pool => 'lessons');
SELECT worker_id, model_name FROM hwsched.change_points('p2', pool => 'lessons');
SELECT worker_id, model_name FROM hwsched.change_points('q2', pool => 'lessons');
SELECT worker_id, model_name FROM hwsched.change_points(since => '2026-03-01 01:15', pool => 'lessons');
SELECT count(*) AS of_another_type FROM hwsched.change_points(workload_type => 'nlp', pool => 'lessons');
SELECT count(*) AS registered_but_idle FROM hwsched.change_points('c1', pool => 'lessons');
SELECT pg_temp.error_of(statement) FROM unnest(ARRAY[$$SELECT * FROM hwsched.change_points('nobody', pool => 'lessons')$$, $$SELECT * FROM hwsched.change_points(pool => 'nowhere')$$,
	$$SELECT * FROM hwsched.best_hardware('poetry', 'lessons')$$, $$SELECT * FROM hwsched.best_hardware('nlp', 'nowhere')$$, $$SELECT * FROM hwsched.performance_ranking('matmul', 'fp32', 'nowhere')$$,
	$$SELECT * FROM hwsched.fallback_workers('nobody', 'lessons')$$, $$SELECT * FROM hwsched.fallback_workers('a1', 'nowhere')$$]) AS statement;
SELECT hwsched.drop_pool('lessons');
