-- The batch as a whole: gangs, what is reserved for them, and the optimal solver.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

-- Makes a pool anew with so many alike workers
CREATE FUNCTION pg_temp.fleet(workers jsonb, settings jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM hwsched.pool AS p WHERE p.pool = 'batch') THEN
		PERFORM hwsched.drop_pool('batch');
	END IF;
	PERFORM hwsched.create_pool('batch', settings);
	PERFORM hwsched.register_worker(key, value, 'batch') FROM jsonb_each(workers);
END $$;
-- Where everything went: test=worker:devices/worker:devices, or why it waits
CREATE FUNCTION pg_temp.went() RETURNS TABLE (workload_id text, state hwsched.workload_state, members text) LANGUAGE sql AS $$
	SELECT w.workload_id, w.state, coalesce((SELECT string_agg(a.shard_no || '@' || a.worker_id || ':' || array_to_string(a.device_nos, '+'), ' ' ORDER BY a.shard_no)
		FROM hwsched.assignment AS a WHERE a.pool = w.pool AND a.workload_id = w.workload_id AND a.run = w.run AND a.state IN ('assigned', 'running')), '(' || regexp_replace(p.reason, '\d{4}-.*', '...') || ')')
	FROM hwsched.workload AS w LEFT JOIN hwsched.pending_workloads AS p USING (pool, workload_id) WHERE w.pool = 'batch' ORDER BY w.queue_no $$;
CREATE FUNCTION pg_temp.gang(id text, strategy text, min_shards int, max_shards int, more jsonb DEFAULT '{}', properties jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT hwsched.submit(jsonb_build_object('test_id', id, 'expected_duration', 100, 'custom_properties',
		jsonb_build_object('allocation_strategy', strategy, 'is_shardable', CASE strategy WHEN 'sharded' THEN true END, 'min_shards', min_shards, 'max_shards', max_shards) || properties) || more, 'batch') $$;

--
-- Sharded: all or none, on distinct workers, as many as give the least predicted time
--
SELECT pg_temp.fleet('{"a": {"cpu_cores": 4}, "b": {"cpu_cores": 4}, "c": {"cpu_cores": 4}, "slow": {"devices": [{"hardware_class": "cpu", "compute_units": 1, "memory_total_bytes": 1000}]}}');
SELECT pg_temp.gang('two', 'sharded', 2, 2);
SELECT pg_temp.gang('up to four', 'sharded', 1, 4);
SELECT pg_temp.gang('five', 'sharded', 5, 8);
SELECT hwsched.assign_pending(pool => 'batch');
SELECT * FROM pg_temp.went();
-- the time of a gang is that of the slowest / n * (1 + 0.1 n)
SELECT workload_id, count(*) AS n, min(predicted_seconds) = max(predicted_seconds) AS alike, round((min(predicted_seconds))::numeric, 4) AS seconds,
	round((max(hwsched.predict_seconds(p.profile || '{"estimated_duration_seconds": 100}', d.profile)) / count(*) * (1 + 0.1 * count(*)))::numeric, 4) AS expected
FROM hwsched.assignment AS a JOIN hwsched.workload_profile AS p USING (pool, profile_id) JOIN hwsched.device_profile AS d ON d.pool = a.pool AND d.profile_id = a.device_profile_id
WHERE a.pool = 'batch' GROUP BY workload_id ORDER BY 1;
-- a slow fourth would cost more than it brings
SELECT pg_temp.fleet('{"a": {"cpu_cores": 4}, "b": {"cpu_cores": 4}, "c": {"cpu_cores": 4}, "slow": {"devices": [{"hardware_class": "cpu", "compute_units": 1}]}}', '{"policy": {"predicted_time": 1}}');
SELECT pg_temp.gang('any', 'sharded', 1, 4);
SELECT pg_temp.gang('all four', 'sharded', 4, 4);
SELECT workload_id, shard_no, worker_id, round(predicted_seconds::numeric, 2) AS seconds FROM hwsched.plan_pending(pool => 'batch');
-- one worker will do where the workload says so
SELECT pg_temp.fleet('{"a": {"cpu_cores": 4, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 4}}}');
SELECT pg_temp.gang('apart', 'sharded', 3, 3, '{"required_accelerators": {"gpu": 1}}');
SELECT pg_temp.gang('together', 'sharded', 3, 3, '{"required_accelerators": {"gpu": 1}}', '{"share_worker": true}');
SELECT hwsched.assign_pending(pool => 'batch');
SELECT * FROM pg_temp.went();

--
-- Replicated: at least two, on distinct workers, whatever it says
--
SELECT pg_temp.fleet('{"a": {"cpu_cores": 4, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}, "b": {"cpu_cores": 4}, "c": {"cpu_cores": 4}}');
SELECT pg_temp.gang('pair', 'replicated', 1, 1, '{"minimum_memory": 0}', '{"share_worker": true}');
SELECT pg_temp.gang('vote', 'replicated', 1, 3, '{}', '{"quorum": 2}');
SELECT pg_temp.gang('gpus', 'replicated', 1, 1, '{"required_accelerators": {"gpu": 1}}');
SELECT hwsched.assign_pending(pool => 'batch');
SELECT * FROM pg_temp.went();
-- two of three make the quorum; the third is cancelled, and its place is free again
SELECT count(hwsched.start(assignment_id, 'batch')) FROM hwsched.assignment WHERE pool = 'batch' AND workload_id = 'vote';
SELECT hwsched.complete((SELECT assignment_id FROM hwsched.assignment WHERE pool = 'batch' AND workload_id = 'vote' AND shard_no = n), NULL, 'batch') FROM generate_series(0, 1) AS n;
SELECT workload_id, shard_no, state, error FROM hwsched.assignment WHERE pool = 'batch' AND workload_id = 'vote' ORDER BY shard_no;
SELECT state FROM hwsched.workload WHERE pool = 'batch' AND workload_id = 'vote';
SELECT sum(assignments) FROM hwsched.worker_reserved WHERE pool = 'batch';
-- a gang is for who sees the whole fleet: no worker takes a part of it
SELECT pg_temp.fleet('{"a": {"cpu_cores": 4}, "b": {"cpu_cores": 4}}');
SELECT pg_temp.gang('two', 'sharded', 1, 2);
SELECT count(*) FROM hwsched.claim('a', 1, true, 'batch');
SELECT workload_id, shard_no, worker_id FROM hwsched.schedule('two', 'batch');
SELECT workload_id, shard_no, worker_id, state FROM hwsched.claim('a', 1, true, 'batch');

--
-- The first gang that waits gets workers reserved: small work does not starve it
--
SELECT pg_temp.fleet('{"a": {"cpu_cores": 4}, "b": {"cpu_cores": 4}, "c": {"cpu_cores": 4}}', '{"max_concurrent": 1}');
SELECT hwsched.submit_many('[{"test_id": "first", "cpu_cores": 4, "expected_duration": 60}]', 'batch');
SELECT hwsched.assign_pending(pool => 'batch');
SELECT pg_temp.gang('three', 'sharded', 3, 3, '{"cpu_cores": 4}');
SELECT pg_temp.gang('later', 'sharded', 2, 2, '{"cpu_cores": 4}');
SELECT hwsched.submit_many('[{"test_id": "small", "expected_duration": 600}, {"test_id": "urgent", "priority": 1, "expected_duration": 10}]', 'batch');
SELECT workload_id, worker_id FROM hwsched.plan_pending(pool => 'batch');
SELECT hwsched.assign_pending(pool => 'batch');
SELECT * FROM pg_temp.went();
SELECT worker_id, workload_id FROM hwsched.reservation WHERE pool = 'batch' ORDER BY 1;
-- nobody else gets what is reserved, but what stands before the gang does
SELECT count(*) FROM hwsched.schedule('small', 'batch');
SELECT count(*) FROM hwsched.claim('c', 1, true, 'batch');
SELECT reason FROM hwsched.compatible_hardware('small', 'batch');
SELECT regexp_replace(reason, '\d+-.*', '...') AS reason, workloads FROM hwsched.explain_pending('batch') ORDER BY workloads;
SELECT hwsched.submit('{"test_id": "urgent too", "priority": 1}', 'batch');
SELECT worker_id FROM hwsched.schedule('urgent too', 'batch');
SELECT hwsched.cancel(id, 'batch') FROM unnest(ARRAY['first', 'urgent', 'urgent too']) AS id;
SELECT hwsched.assign_pending(pool => 'batch');
SELECT * FROM pg_temp.went() WHERE workload_id IN ('three', 'later', 'small');
SELECT worker_id, workload_id FROM hwsched.reservation WHERE pool = 'batch' ORDER BY 1;
-- a batch of the head of the queue leaves what is reserved for who is further back
SELECT hwsched.submit('{"test_id": "head", "priority": 1, "required_backend": "tpu"}', 'batch');
SELECT hwsched.assign_pending(1, 'batch');
SELECT worker_id, workload_id FROM hwsched.reservation WHERE pool = 'batch' ORDER BY 1;
-- and a gang that is cancelled leaves nothing behind
SELECT hwsched.cancel('later', 'batch');
SELECT hwsched.assign_pending(pool => 'batch');
SELECT count(*) FROM hwsched.reservation WHERE pool = 'batch' AND workload_id = 'later';
-- what would not fit an empty fleet reserves nothing
SELECT pg_temp.fleet('{"a": {"cpu_cores": 4}, "b": {"cpu_cores": 4}}', '{"max_concurrent": 1}');
SELECT pg_temp.gang('ten', 'sharded', 10, 10);
SELECT hwsched.submit('{"test_id": "small"}', 'batch');
SELECT hwsched.assign_pending(pool => 'batch');
SELECT * FROM pg_temp.went();

--
-- The optimal solver: first the most placed, then the greatest total score
--
-- greedy gives the GPU to whom it suits a little better, and the other waits
SELECT pg_temp.fleet('{"cpu": {"cpu_cores": 8, "available_memory": 4}, "gpu": {"devices": [{"hardware_class": "gpu", "compute_units": 80, "memory_total_bytes": 17179869184, "supported_backends": ["cuda"]}]}}', '{"max_concurrent": 1}');
SELECT hwsched.submit_many('[{"test_id": "either", "test_type": "vision"}, {"test_id": "only gpu", "test_type": "audio", "minimum_memory": 10}]', 'batch');
SELECT workload_id, worker_id, round(score::numeric, 3) AS score FROM hwsched.plan_pending(pool => 'batch');
SELECT hwsched.alter_pool('batch', '{"solver": "optimal"}');
SELECT workload_id, worker_id, round(score::numeric, 3) AS score FROM hwsched.plan_pending(pool => 'batch');
SELECT hwsched.assign_pending(pool => 'batch');
SELECT workload_id, worker_id, round(score::numeric, 3) AS score FROM hwsched.assignment WHERE pool = 'batch' ORDER BY assignment_id;
-- bands are strict: the more urgent one gets its best, whatever it costs the others
SELECT hwsched.cancel(workload_id, 'batch') FROM hwsched.assignment WHERE pool = 'batch' AND state = 'assigned';
SELECT hwsched.submit_many('[{"test_id": "urgent", "test_type": "vision", "priority": 1}, {"test_id": "only gpu", "test_type": "audio", "minimum_memory": 10}]', 'batch');
SELECT workload_id, worker_id, round(score::numeric, 3) AS score FROM hwsched.plan_pending(pool => 'batch');
-- as many score points as there are to be had: every assignment of five tests to five devices is looked at
SELECT pg_temp.fleet((SELECT jsonb_object_agg('w' || i, jsonb_build_object('cpu_cores', 10 * i, 'available_memory', 4 * i)) FROM generate_series(1, 5) AS i), '{"max_concurrent": 1, "solver": "optimal"}');
SELECT hwsched.update_load('w' || i, jsonb_build_object('cpu_utilization', (i * 37) % 90, 'temperature', (i * 7 % 10) / 10.0), 'batch') FROM generate_series(1, 5) AS i \g /dev/null
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 't' || i, 'expected_duration', CASE WHEN i < 3 THEN 300 ELSE 20 END, 'minimum_memory', 3 * i)) FROM generate_series(1, 5) AS i), 'batch');
CREATE TEMP TABLE score AS SELECT substr(id, 2)::int AS test, substr(worker_id, 2)::int AS worker, h.score FROM unnest(ARRAY['t1', 't2', 't3', 't4', 't5']) AS id, hwsched.compatible_hardware(id, 'batch') AS h;
WITH RECURSIVE plan AS (
	SELECT 0 AS test, ARRAY[]::int[] AS taken, 0 AS placed, 0::float8 AS total
	UNION ALL SELECT p.test + 1, p.taken || s.worker, p.placed + (s.worker IS NOT NULL)::int, p.total + coalesce(s.score, 0)
	FROM plan AS p CROSS JOIN LATERAL (SELECT worker, score FROM score WHERE score.test = p.test + 1 AND worker <> ALL (array_remove(p.taken, NULL)) UNION ALL SELECT NULL, NULL) AS s WHERE p.test < 5)
SELECT max(placed) AS placed, round(max(total) FILTER (WHERE placed = (SELECT max(placed) FROM plan WHERE test = 5))::numeric, 9) AS best FROM plan WHERE test = 5;
SELECT count(*) AS placed, round(sum(score)::numeric, 9) AS found FROM hwsched.plan_pending(pool => 'batch');
-- the plan is what is assigned
CREATE TEMP TABLE plan AS SELECT * FROM hwsched.plan_pending(pool => 'batch');
SELECT hwsched.assign_pending(pool => 'batch');
SELECT count(*) AS other_than_planned FROM plan FULL JOIN (SELECT * FROM hwsched.assignment WHERE pool = 'batch') AS a USING (workload_id, worker_id, device_nos, shard_no, score, predicted_seconds) WHERE plan.workload_id IS NULL OR a.workload_id IS NULL;
-- gangs and work that takes several resources, too, and never worse than greedy
SELECT pg_temp.fleet((SELECT jsonb_object_agg('w' || i, jsonb_build_object('cpu_cores', 8 + i % 3, 'available_memory', 16, 'supported_backends', ARRAY['cuda'], 'available_accelerators', jsonb_build_object('gpu', 1 + i % 4))) FROM generate_series(1, 12) AS i));
SELECT hwsched.submit_many((SELECT jsonb_agg(CASE i % 4 WHEN 0 THEN jsonb_build_object('cpu_cores', i % 5, 'host_memory', i % 7) WHEN 1 THEN jsonb_build_object('required_accelerators', jsonb_build_object('gpu', 1 + i % 3))
	WHEN 2 THEN jsonb_build_object('accelerator_share', (1 + i % 9) / 10.0) ELSE jsonb_build_object('cpu_cores', 1, 'custom_properties', jsonb_build_object('allocation_strategy', 'replicated')) END || jsonb_build_object('test_id', 't' || i, 'priority', 1 + i % 2) ORDER BY i) FROM generate_series(1, 80) AS i), 'batch');
CREATE TEMP TABLE greedy AS SELECT * FROM hwsched.plan_pending(pool => 'batch');
SELECT hwsched.alter_pool('batch', '{"solver": "optimal"}');
CREATE TEMP TABLE optimal AS SELECT * FROM hwsched.plan_pending(pool => 'batch');
SELECT count(DISTINCT o.workload_id) >= (SELECT count(DISTINCT workload_id) FROM greedy) AS no_fewer FROM optimal AS o;
SELECT hwsched.assign_pending(pool => 'batch') = (SELECT count(DISTINCT workload_id) FROM optimal) AS as_planned;
SELECT count(*) AS over_committed FROM hwsched.device_usage WHERE pool = 'batch' AND slots * 200000 + share > 1000000;
-- shares that leave an accelerator half empty come last: three placed where two would be
SELECT pg_temp.fleet('{"a": {"cpu_cores": 8, "available_memory": 16, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}}', '{"policy": {"filling": 1}}');
SELECT hwsched.submit_many('[{"test_id": "large", "accelerator_share": 0.8}, {"test_id": "large too", "accelerator_share": 0.8}, {"test_id": "whole", "required_accelerators": {"gpu": 1}}, {"test_id": "half", "accelerator_share": 0.5}, {"test_id": "other half", "accelerator_share": 0.5}]', 'batch');
SELECT workload_id, device_nos FROM hwsched.plan_pending(pool => 'batch');
SELECT hwsched.alter_pool('batch', '{"solver": "optimal"}');
SELECT workload_id, device_nos FROM hwsched.plan_pending(pool => 'batch');
-- what has no room keeps nothing from what is behind it, however much of it stands first
SELECT pg_temp.fleet('{"a": {"cpu_cores": 8, "available_memory": 16}, "b": {"cpu_cores": 8, "available_memory": 16, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 1}}}', '{"batch_window": 1500, "max_concurrent": 2}');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'tpu ' || i, 'priority', 1, 'required_accelerators', '{"tpu": 1}'::jsonb)) FROM generate_series(1, 4000) AS i), 'batch');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'cpu ' || i, 'priority', 2, 'minimum_memory', i % 3)) FROM generate_series(1, 1600) AS i), 'batch');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'gpu ' || i, 'priority', 2, 'required_accelerators', '{"gpu": 1}'::jsonb)) FROM generate_series(1, 10) AS i), 'batch');
SELECT hwsched.assign_pending(1600, 'batch') AS of_the_first;
SELECT workload_id, worker_id FROM hwsched.plan_pending(pool => 'batch') ORDER BY workload_id;
SELECT hwsched.assign_pending(pool => 'batch');
-- a session that has just placed little looks at less, and decides the same
SELECT hwsched.assign_pending(pool => 'batch');
SELECT count(hwsched.complete_many(ARRAY(SELECT assignment_id FROM hwsched.claim(worker, 2, pool => 'batch')), 'batch')) FROM unnest('{a,b}'::text[]) AS worker;
SELECT hwsched.alter_pool('batch', '{"learning": false}');
CREATE TEMP TABLE little AS SELECT * FROM hwsched.plan_pending(pool => 'batch');
SELECT hwsched.alter_pool('batch', '{"batch_window": 100000}');
SELECT count(*), count(*) FILTER (WHERE l.workload_id IS NULL OR w.workload_id IS NULL) AS differ FROM little AS l FULL JOIN hwsched.plan_pending(100000, 'batch') AS w USING (workload_id, worker_id, device_nos);
-- without memory for the flow it says so, and places all the same
SET client_min_messages = notice;
SELECT pg_temp.fleet((SELECT jsonb_object_agg('w' || i, jsonb_build_object('cpu_cores', i)) FROM generate_series(1, 200) AS i), '{"solver": "optimal"}');
SELECT hwsched.update_load('w' || i, jsonb_build_object('cpu_utilization', i / 3.0), 'batch') FROM generate_series(1, 200) AS i \g /dev/null
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 't' || i, 'minimum_memory', 0, 'cpu_cores', i / 100.0)) FROM generate_series(1, 900) AS i), 'batch');
SET maintenance_work_mem = '1MB';
SELECT hwsched.assign_pending(pool => 'batch');
RESET maintenance_work_mem;

SELECT hwsched.drop_pool('batch');
