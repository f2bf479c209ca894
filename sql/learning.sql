-- What outcomes teach: preferences, durations, statistics; to be seen, moved,
-- forgotten and switched off.
SELECT hwsched.create_pool('learn', '{"retry_backoff": "0 s"}');
\set VERBOSITY terse

-- Runs a workload where the scheduler wants it; how long that takes is what the
-- worker is in this test: so many times 10 seconds for each layer of its model.
CREATE TEMP TABLE speed (worker_id text PRIMARY KEY, factor float8);
CREATE PROCEDURE pg_temp.run(test text, type text, model text, failing text DEFAULT NULL, outlier float8 DEFAULT 1, pool text DEFAULT 'learn')
LANGUAGE plpgsql AS $$
DECLARE
	a record;
BEGIN
	PERFORM hwsched.submit(jsonb_strip_nulls(jsonb_build_object('test_id', test, 'test_type', type, 'model_id', model, 'expected_duration', 100)), pool);
	FOR a IN SELECT * FROM hwsched.schedule(test, pool) LOOP
		PERFORM hwsched.start(a.assignment_id, pool);
		UPDATE hwsched.assignment b SET assigned_at = now() - interval '1 day',
			started_at = now() - make_interval(secs => outlier * 10 * coalesce(substring(model FROM '\d+')::int, 10) * (SELECT factor FROM speed s WHERE s.worker_id = a.worker_id))
		WHERE b.pool = run.pool AND b.assignment_id = a.assignment_id;
		IF a.worker_id = failing THEN
			PERFORM hwsched.fail(a.assignment_id, 'broken', pool);
			PERFORM hwsched.cancel(test, pool);
		ELSE
			PERFORM hwsched.complete(a.assignment_id, pool => pool);
		END IF;
	END LOOP;
END
$$;

--
-- Of two alike the one that is really faster wins after a few runs
--
SELECT hwsched.register_worker('a-slow', '{"cpu_cores": 8, "available_memory": 32}', 'learn'), hwsched.register_worker('b-fast', '{"cpu_cores": 8, "available_memory": 32}', 'learn');
INSERT INTO speed VALUES ('a-slow', 3), ('b-fast', 0.2);
SELECT format('CALL pg_temp.run(%L, ''nlp'', NULL)', 'r' || i) FROM generate_series(1, 8) i \gexec
SELECT attempt_no, worker_id FROM (SELECT row_number() OVER (ORDER BY assignment_id) AS attempt_no, worker_id FROM hwsched.assignment WHERE pool = 'learn') a ORDER BY 1;
SELECT expired FROM hwsched.maintain('learn');
SELECT worker_id, preference > 0.5 AS preferred, samples FROM hwsched.preference WHERE pool = 'learn' ORDER BY worker_id;
-- of another type of work nothing is known
SELECT hwsched.submit('{"test_id": "a", "test_type": "audio"}', 'learn');
SELECT worker_id, preference FROM hwsched.compatible_hardware('a', 'learn') ORDER BY worker_id;

-- wherever the one that is slower came first: what the profiles expect may be far too much, or too little
DO $$
DECLARE
	speeds float8[];
BEGIN
	FOREACH speeds SLICE 1 IN ARRAY '{{0.05,0.02}, {0.2,0.02}, {0.9,0.5}, {40,15}, {60,6}}'::float8[] LOOP
		PERFORM hwsched.create_pool('fast'), hwsched.register_worker('a-slow', '{"cpu_cores": 8}', 'fast'), hwsched.register_worker('b-fast', '{"cpu_cores": 8}', 'fast');
		UPDATE speed SET factor = speeds[CASE worker_id WHEN 'a-slow' THEN 1 ELSE 2 END];
		FOR i IN 1 .. 12 LOOP
			CALL pg_temp.run('r' || i, 'nlp', NULL, pool => 'fast');
		END LOOP;
		RAISE NOTICE '% and % of what is expected: of the last five, % on b-fast', speeds[1], speeds[2],
			(SELECT count(*) FILTER (WHERE worker_id = 'b-fast') FROM (SELECT worker_id FROM hwsched.assignment WHERE pool = 'fast' ORDER BY assignment_id DESC LIMIT 5) a);
		PERFORM hwsched.drop_pool('fast');
	END LOOP;
END
$$;
UPDATE speed SET factor = CASE worker_id WHEN 'a-slow' THEN 3 ELSE 0.2 END;

-- and one that fails loses
CALL pg_temp.run('f1', 'vision', NULL, 'a-slow');
CALL pg_temp.run('f2', 'vision', NULL, 'a-slow');
SELECT workload_id, worker_id, state FROM hwsched.assignment WHERE pool = 'learn' AND workload_id LIKE 'f_' ORDER BY assignment_id;
SELECT expired FROM hwsched.maintain('learn');
SELECT worker_id, preference, successes, failures, mean_seconds FROM hwsched.preference WHERE pool = 'learn' AND workload_type = 'vision' ORDER BY worker_id;

-- exactly as alpha says, from 0.5
SELECT preference = hwsched.preference_after(0.5, 0) AS by_alpha FROM hwsched.preference WHERE pool = 'learn' AND workload_type = 'vision' AND worker_id = 'a-slow';

-- what is stale fades toward neutral, half with each half-life
SELECT worker_id, preference AS now, round(hwsched_internal.preference_now(preference, now() - interval '7 days', 'learn')::numeric, 2) AS in_a_week,
	round(hwsched_internal.preference_now(preference, now() - interval '90 days', 'learn')::numeric, 2) AS in_a_season
FROM hwsched.preference WHERE pool = 'learn' AND workload_type = 'vision' AND worker_id = 'a-slow';
UPDATE hwsched.track_record SET updated_at = now() - interval '7 days' WHERE pool = 'learn' AND workload_type = 'vision';
SELECT round(preference::numeric, 2) AS faded FROM hwsched.preference WHERE pool = 'learn' AND workload_type = 'vision' AND worker_id = 'a-slow';
SELECT hwsched.submit('{"test_id": "v", "test_type": "vision"}', 'learn');
SELECT round(preference::numeric, 2) AS faded FROM hwsched.compatible_hardware('v', 'learn') WHERE worker_id = 'a-slow';
-- the next outcome goes on from there
CALL pg_temp.run('f3', 'vision', NULL, 'b-fast');
CALL pg_temp.run('f4', 'vision', NULL, 'a-slow');
SELECT count(*) FROM hwsched.preference p WHERE pool = 'learn' AND workload_type = 'vision' AND worker_id = 'a-slow' AND samples = 2
	AND abs(preference - hwsched.preference_after(0.5 - 0.15 * 2 ^ -0.99, 0)) < 1e-6;
SELECT hwsched.alter_pool('learn', '{"preference_half_life": "0 s"}');
SELECT hwsched.drop_pool('learn');

--
-- Durations: first the formula, then what was seen
--
SELECT hwsched.create_pool('learn', '{"policy": {"predicted_time": 1}, "offline_after": "1 day"}');
SELECT hwsched.register_worker('a-slow', '{"cpu_cores": 8, "available_memory": 32, "cost_per_hour": 3.6}', 'learn'), hwsched.register_worker('b-fast', '{"cpu_cores": 64, "available_memory": 64}', 'learn');
UPDATE speed SET factor = CASE worker_id WHEN 'a-slow' THEN 2 ELSE 0.5 END;
SELECT hwsched.submit('{"test_id": "q", "test_type": "nlp", "model_id": "net-7", "expected_duration": 100}', 'learn');
SELECT w.worker_id, p.p50_seconds = p.formula_seconds AS formula, p.p90_seconds = p.formula_seconds AS surely, p.reason FROM hwsched.worker w, hwsched.predict('q', w.worker_id, 0, 'learn') p WHERE pool = 'learn' ORDER BY 1;
SELECT hwsched.cancel('q', 'learn');
CREATE TEMP VIEW placed AS SELECT worker_id, count(*) FROM hwsched.assignment WHERE pool = 'learn' GROUP BY 1;
SELECT hwsched.drain_worker('b-fast', 'learn');
SELECT format('CALL pg_temp.run(%L, ''nlp'', %L)', 's' || i, 'net-' || 1 + i % 6) FROM generate_series(1, 12) i \gexec
SELECT hwsched.resume_worker('b-fast', 'learn'), hwsched.drain_worker('a-slow', 'learn');
SELECT format('CALL pg_temp.run(%L, ''nlp'', %L)', 't' || i, 'net-' || 1 + i % 6) FROM generate_series(1, 12) i \gexec
SELECT hwsched.resume_worker('a-slow', 'learn');
CALL pg_temp.run('t13', 'nlp', 'net-2');
-- a model that was seen, one of its family that was not, on both
SELECT hwsched.submit_many('[{"test_id": "seen", "test_type": "nlp", "model_id": "net-4", "expected_duration": 100}, {"test_id": "unseen", "test_type": "nlp", "model_id": "net-8", "expected_duration": 100}]', 'learn');
CREATE TEMP VIEW outlook AS
SELECT u.workload_id, w.worker_id, p.*, 10 * substring(u.model_id FROM '\d+')::int * s.factor AS truth
FROM hwsched.workload u, hwsched.worker w JOIN speed s USING (worker_id), hwsched.predict(u.workload_id, w.worker_id, 0, 'learn') p
WHERE u.pool = 'learn' AND u.state = 'pending' AND w.pool = 'learn';
SELECT workload_id, worker_id, abs(p50_seconds / truth - 1) < CASE workload_id WHEN 'seen' THEN 0.1 ELSE 0.35 END AS close,
	p90_seconds > p50_seconds AS wider, abs(formula_seconds / truth - 1) > 0.35 AS formula_is_off FROM outlook ORDER BY 1, 2;
-- the algorithm ranks by it, and the plan is told before the last run is settled
CREATE TEMP TABLE planned AS SELECT workload_id, worker_id, predicted_seconds FROM hwsched.plan_pending(pool => 'learn');
SELECT count(*) AS not_settled FROM hwsched.unsettled WHERE pool = 'learn';
SELECT hwsched.assign_pending(NULL, 'learn');
SELECT p.workload_id, p.worker_id, a.worker_id = p.worker_id AND a.predicted_seconds = p.predicted_seconds AS as_planned, a.formula_seconds <> a.predicted_seconds AS learned
FROM planned p JOIN hwsched.assignment a ON a.pool = 'learn' AND a.workload_id = p.workload_id ORDER BY 1;
SELECT hwsched.cancel(workload_id, 'learn') FROM hwsched.workload WHERE pool = 'learn' AND state = 'assigned';

-- statistics, as the runs themselves have them
SELECT p.worker_id, p.successes, p.failures, p.success_ratio, abs(p.mean_seconds - r.mean) < 1e-9 AS mean, abs(p.deviation_seconds - r.deviation) < 1e-9 AS deviation,
	p.min_seconds = r.min AS min, p.max_seconds = r.max AS max, abs(p.p50_seconds / r.p50 - 1) < 0.021 AS p50, abs(p.p90_seconds / r.p90 - 1) < 0.021 AS p90,
	p.min_seconds <= p.p50_seconds AND p.p99_seconds <= p.max_seconds AS within
FROM hwsched.performance p JOIN (SELECT worker_id, avg(s) AS mean, stddev_samp(s) AS deviation, min(s), max(s),
		percentile_disc(0.5) WITHIN GROUP (ORDER BY s) AS p50, percentile_disc(0.9) WITHIN GROUP (ORDER BY s) AS p90
	FROM (SELECT worker_id, extract(epoch FROM finished_at - started_at)::float8 AS s FROM hwsched.assignment WHERE pool = 'learn' AND state = 'completed') a GROUP BY 1) r USING (worker_id)
WHERE p.pool = 'learn' ORDER BY 1;
SELECT of_worker_id, sum(successes) AS successes, sum(failures) AS failures FROM hwsched.performance_history(workload_type => 'nlp', pool => 'learn') GROUP BY 1 ORDER BY 1;

-- the error over time: less than the formula's
SELECT sum(runs) AS runs, bool_and(median_error_ratio < formula_median_error_ratio / 2) AS better, bool_and(p90_error_ratio > median_error_ratio) AS spread FROM hwsched.model_accuracy WHERE pool = 'learn';

-- what is learned can be seen
SELECT kind, workload_type, model, model_name, worker_id, runs > 0 AS ran, factor_ratio IS NOT NULL AS known FROM hwsched.duration_model WHERE pool = 'learn' ORDER BY kind, workload_type, model, model_name, worker_id;

-- outliers do not matter, a change is followed
SELECT hwsched.drain_worker('a-slow', 'learn');
CALL pg_temp.run('o1', 'nlp', 'net-4', outlier => 50);
SELECT hwsched.submit('{"test_id": "after", "test_type": "nlp", "model_id": "net-4", "expected_duration": 100}', 'learn');
SELECT worker_id, abs(p50_seconds / truth - 1) < 0.15 AS close FROM outlook WHERE workload_id = 'after' ORDER BY 1;
SELECT hwsched.cancel('after', 'learn');
UPDATE speed SET factor = 1 WHERE worker_id = 'b-fast';
SELECT format('CALL pg_temp.run(%L, ''nlp'', %L)', 'u' || i, 'net-' || 1 + i % 6) FROM generate_series(1, 20) i \gexec
SELECT hwsched.submit('{"test_id": "after", "test_type": "nlp", "model_id": "net-4", "expected_duration": 100}', 'learn');
SELECT worker_id, abs(p50_seconds / truth - 1) < 0.1 AS close FROM outlook WHERE workload_id = 'after' AND worker_id = 'b-fast';
SELECT hwsched.resume_worker('a-slow', 'learn');

--
-- Switched off: nothing is used and nothing is learned, and nothing is lost
--
CREATE TEMP TABLE kept AS SELECT workload_id, worker_id, p50_seconds FROM outlook;
CREATE TEMP TABLE learned AS SELECT hwsched.learning_json('learn') AS document;
SELECT hwsched.alter_pool('learn', '{"learning": false}');
SELECT bool_and(p50_seconds = formula_seconds) AS formula FROM outlook;
CALL pg_temp.run('off', 'nlp', 'net-5');
SELECT hwsched.learning_json('learn') = document AS unchanged FROM learned;
-- nor seen in the views while it is not settled
CREATE TEMP VIEW seen AS SELECT (SELECT count(*) FROM hwsched.preference WHERE pool = 'learn') AS preferences, (SELECT sum(successes) FROM hwsched.performance WHERE pool = 'learn') AS successes, (SELECT sum(runs) FROM hwsched.model_accuracy WHERE pool = 'learn') AS runs;
SELECT count(*) AS unsettled FROM hwsched.unsettled WHERE pool = 'learn';
CREATE TEMP TABLE seen_before AS SELECT * FROM seen;
SELECT expired FROM hwsched.maintain('learn');
SELECT seen_before = seen AS unchanged FROM seen_before, seen;
SELECT hwsched.alter_pool('learn', '{"learning": true}');
SELECT bool_and(o.p50_seconds = k.p50_seconds) AS back FROM outlook o JOIN kept k USING (workload_id, worker_id);

--
-- Moved elsewhere, where device profiles have other ids
--
SELECT hwsched.create_pool('learn2');
SELECT hwsched.register_worker('b-fast', '{"cpu_cores": 64, "available_memory": 64}', 'learn2');
SELECT hwsched.load_learning(document, 'learn2') = jsonb_array_length(document -> 'durations') + 1 AS loaded FROM learned;
SELECT hwsched.submit('{"test_id": "after", "test_type": "nlp", "model_id": "net-4", "expected_duration": 100}', 'learn2');
SELECT abs(p.p50_seconds - k.p50_seconds) < 1e-9 AS same FROM kept k, hwsched.predict('after', 'b-fast', 0, 'learn2') p WHERE k.workload_id = 'after' AND k.worker_id = 'b-fast';
SELECT hwsched.load_learning(document, 'learn2') FROM learned;
SELECT hwsched.load_learning('{"durations": 1}', 'learn2');
SELECT hwsched.load_learning('[]', 'learn2');
SELECT hwsched.load_learning(NULL, 'learn2');
SELECT hwsched.drop_pool('learn2');

--
-- Forgotten: of a worker, of the pool
--
SELECT hwsched.reset_learning('b-fast', 'learn') AS records;
SELECT worker_id, count(*) FROM hwsched.duration_model WHERE pool = 'learn' AND kind = 'worker' GROUP BY 1;
SELECT worker_id FROM hwsched.preference WHERE pool = 'learn';
SELECT hwsched.reset_learning('nobody', 'learn');
SELECT hwsched.reset_learning(pool => 'learn') > 5 AS all;
SELECT bool_and(p50_seconds = formula_seconds) AS formula FROM outlook;
SELECT hwsched.learning_json('learn');

-- a record that cannot be right begins anew
SELECT hwsched.load_learning(document, 'learn') > 0 AS loaded FROM learned;
UPDATE hwsched.duration_record SET numbers = CASE kind WHEN 'model' THEN array_fill('NaN'::float8, ARRAY[13]) WHEN 'family' THEN '{1,2}' ELSE numbers END WHERE pool = 'learn';
SELECT bool_and(p50_seconds > 0 AND p90_seconds >= p50_seconds) AS numbers FROM outlook;
CALL pg_temp.run('again', 'nlp', 'net-2');
SELECT expired FROM hwsched.maintain('learn');
SELECT name, numbers[1] AS number_in_family FROM hwsched.duration_record WHERE pool = 'learn' AND kind = 'model' AND name = 'net-2';

-- kept as long as hours are: the errors, and what is known of models and workers that are not seen any more
UPDATE hwsched.prediction_error SET hour = hour - interval '401 days' WHERE pool = 'learn';
UPDATE hwsched.duration_record SET updated_at = now() - interval '401 days' WHERE pool = 'learn' AND name IN ('net-1', 'net-2');
DELETE FROM hwsched.history_progress WHERE pool = 'learn';
SELECT forgotten > 0 AS forgotten FROM hwsched.maintain('learn');
SELECT count(*) AS errors FROM hwsched.prediction_error WHERE pool = 'learn';
SELECT string_agg(name, ' ' ORDER BY name) AS models FROM hwsched.duration_record WHERE pool = 'learn' AND kind = 'model';

-- asking for what is not there, or what cannot run there
SELECT * FROM hwsched.predict('nothing', 'b-fast', 0, 'learn');
SELECT * FROM hwsched.predict('after', 'nobody', 0, 'learn');
SELECT * FROM hwsched.predict('after', 'b-fast', 7, 'learn');
SELECT hwsched.submit('{"test_id": "tpu", "required_backend": "tpu"}', 'learn');
SELECT * FROM hwsched.predict('tpu', 'b-fast', 0, 'learn');

-- the name of a model is no longer than any other
SELECT hwsched.submit(jsonb_build_object('model_id', repeat('m', 1001)), 'learn');
SELECT hwsched.submit(jsonb_build_object('model_family', repeat('f', 1001)), 'learn');

-- sketches
SELECT q, abs(hwsched_internal.sketch_quantile(hwsched_internal.sketch_sum(ARRAY[bucket, 1 + bucket % 2]), q) / (0.98 * (1.02 / 0.98) ^ (100 * q)) - 1) < 1e-9 AS in_its_bucket FROM generate_series(0, 100) AS bucket, unnest('{0,0.25,0.5,1}'::float8[]) AS q GROUP BY q ORDER BY q;
SELECT hwsched_internal.sketch_quantile('{}', 0.5);
SELECT hwsched_internal.sketch_quantile('{1,2}', 1.5);
SELECT hwsched_internal.sketch_quantile('{1,-2}', 0.5);
SELECT hwsched_internal.sketch_merge('{1,2}', '{{1},{2}}');
SELECT hwsched_internal.sketch_quantile('{99999999999,2}', 0.5);

SELECT hwsched.drop_pool('learn');

--
-- Many runs at once teach as one after the other: of each model and type by
-- itself, and beside what the runs before them took
--
SELECT hwsched.create_pool('learn', '{"max_concurrent": 99}');
SELECT hwsched.register_worker('a-slow', '{"cpu_cores": 8}', 'learn'), hwsched.register_worker('b-fast', '{"cpu_cores": 8}', 'learn');
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', m || t || n, 'test_type', t, 'model_id', m, 'expected_duration', 40000) ORDER BY t, m, n), 'learn')
FROM generate_series(1, 4) n, unnest('{nlp,audio}'::text[]) t, unnest('{alpha,beta}'::text[]) m;
SELECT hwsched.assign_pending(NULL, 'learn');
SELECT w.worker_id, count(*) FROM hwsched.worker w, hwsched.claim(w.worker_id, 99, false, 'learn') c WHERE w.pool = 'learn' GROUP BY 1 ORDER BY 1;
-- all are faster than the formula says; audio takes ten times as long as nlp, beta twice as long as alpha, and so does the slow worker
UPDATE hwsched.assignment a SET assigned_at = now() - interval '1 hour', started_at = now() - make_interval(secs =>
	200 * CASE WHEN workload_id LIKE '%audio%' THEN 10 ELSE 1 END * CASE a.model_id WHEN 'beta' THEN 2 ELSE 1 END * CASE a.worker_id WHEN 'a-slow' THEN 2 ELSE 1 END)
WHERE pool = 'learn';
SELECT min(formula) > 8000 AS all_faster FROM (SELECT coalesce(formula_seconds, predicted_seconds) AS formula FROM hwsched.assignment WHERE pool = 'learn') a;
SELECT hwsched.complete_many(array_agg(assignment_id), 'learn') FROM hwsched.assignment WHERE pool = 'learn';
SELECT expired FROM hwsched.maintain('learn');
SELECT kind, workload_type, model, runs > 1 AS ran FROM hwsched.duration_model WHERE pool = 'learn' AND kind IN ('workload_type', 'model') ORDER BY 1, 2, 3;
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', 'next ' || m || t, 'test_type', t, 'model_id', m, 'expected_duration', 40000)), 'learn')
FROM unnest('{nlp,audio}'::text[]) t, unnest('{alpha,beta}'::text[]) m;
SELECT w.workload_id, abs(ln(p.p50_seconds / (300 * CASE WHEN w.workload_type = 'audio' THEN 10 ELSE 1 END * CASE w.model_id WHEN 'beta' THEN 2 ELSE 1 END))) < 0.6 AS close
FROM hwsched.workload w, hwsched.predict(w.workload_id, 'b-fast', 0, 'learn') p WHERE w.pool = 'learn' AND w.state = 'pending' ORDER BY 1;
-- each beside what those before it took: beside the formula alone the fast worker would have less
SELECT workload_type, worker_id, preference > 0.59 AS preferred FROM hwsched.preference WHERE pool = 'learn' ORDER BY 1, 2;
SELECT hwsched.drop_pool('learn');
