-- State invariants: they hold all along several hundred operations, chosen at
-- random but the same every time, on two pools at once.
BEGIN;
SELECT plan(16);
SET LOCAL client_min_messages = warning;

-- What must hold at any time; a row is a violation
\set invariants `cat test/invariants.sql`
CREATE TEMP VIEW violation AS :invariants

SELECT is_empty('TABLE violation', 'nothing is wrong before');

CREATE TEMP TABLE found (step int, operation text, what text, detail text);
CREATE TEMP TABLE operation (operation text, outcome text);

-- A small repeatable generator: setseed() alone would do, but not across versions
CREATE TEMP SEQUENCE dice;
CREATE FUNCTION pg_temp.roll(n int) RETURNS int LANGUAGE sql AS $$ SELECT (('x' || substr(md5('b' || nextval('pg_temp.dice')), 1, 7))::bit(28)::int % n) $$;
CREATE FUNCTION pg_temp.hardware() RETURNS jsonb LANGUAGE sql AS $$
	SELECT (ARRAY['{"cpu_cores": 8, "available_memory": 64}', '{"cpu_cores": 4, "available_memory": 32, "supported_backends": ["cuda"], "available_accelerators": {"cuda": 4}}',
		'{"cpu_cores": 16, "available_memory": 128, "max_concurrent": 6, "devices": [{"hardware_class": "gpu", "supported_backends": ["cuda"], "compute_units": 108, "memory_total_bytes": 17179869184, "count": 3}]}',
		'{"cpu_cores": 3, "available_memory": 16, "max_concurrent": 2, "devices": [{"hardware_class": "gpu", "supported_backends": ["cuda"], "compute_units": 108, "memory_total_bytes": 17179869184, "count": 3}]}',
		'{"supported_backends": ["webgpu", "webnn"], "available_memory": 8}', '{"cpu_cores": 2.5, "available_memory": 16, "supported_backends": ["tpu", "npu"]}'])[1 + pg_temp.roll(6)]::jsonb $$;
CREATE FUNCTION pg_temp.demand() RETURNS jsonb LANGUAGE sql AS $$
	SELECT (ARRAY['{}', '{"minimum_memory": 3.5}', '{"cpu_cores": 0.7, "host_memory": 2}', '{"required_accelerators": {"gpu": 1}, "minimum_memory": 10}', '{"required_accelerators": {"gpu": 2}, "cpu_cores": 2}',
		'{"accelerator_share": 0.3333333333333333}', '{"accelerator_share": 0.5, "minimum_memory": 6}', '{"required_backend": "tpu"}', '{"required_backend": "cuda", "minimum_memory": 2}', '{"minimum_memory": 5000}',
		'{"preferred_backend": "webgpu"}', '{"cpu_cores": 3, "minimum_memory": 1, "host_memory": 9.25}', '{"custom_properties": {"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2, "max_shards": 3}}',
		'{"custom_properties": {"allocation_strategy": "replicated", "max_shards": 3}}'])[1 + pg_temp.roll(14)]::jsonb
	|| jsonb_build_object('test_type', (ARRAY['vision', 'nlp', 'audio', 'inference'])[1 + pg_temp.roll(4)], 'priority', 1 + pg_temp.roll(5), 'retries', pg_temp.roll(3), 'expected_duration', pg_temp.roll(300)) $$;
-- A live, or any, assignment of a pool
CREATE FUNCTION pg_temp.some_assignment(in_pool text, states text) RETURNS bigint LANGUAGE sql AS $$
	SELECT assignment_id FROM hwsched.assignment WHERE pool = in_pool AND state::text ~ states ORDER BY md5(concat_ws('/', workload_id, run, attempt, (SELECT last_value FROM pg_temp.dice))) COLLATE "C" LIMIT 1 $$;

-- Places the first gang of the queue, a member on each of up to three workers that have room for it
CREATE PROCEDURE pg_temp.spread(in_pool text) LANGUAGE plpgsql AS $$
DECLARE
	gang record;
	most int := (SELECT value::int FROM hwsched.pool_settings(in_pool) WHERE name = 'max_concurrent');
	member record;
	shard int := 0;
BEGIN
	SELECT p.*, k.profile INTO STRICT gang FROM hwsched.pending AS p JOIN hwsched.workload_profile AS k USING (pool, profile_id) WHERE p.pool = in_pool AND k.allocation_strategy <> 'single' AND p.ready_at <= now() AND p.concurrency_keys IS NULL ORDER BY p.priority, p.queue_no LIMIT 1;
	FOR member IN SELECT DISTINCT ON (worker_id) worker_id, device_no, d.profile_id FROM hwsched.worker AS w JOIN hwsched.worker_usage AS u USING (pool, worker_id) JOIN hwsched.device AS d USING (pool, worker_id)
		JOIN hwsched.device_usage AS g USING (pool, worker_id, device_no) JOIN hwsched.device_profile AS p ON p.pool = d.pool AND p.profile_id = d.profile_id
		WHERE w.pool = in_pool AND w.state = 'active' AND u.assignments < coalesce(w.max_concurrent, most) AND (g.slots + 1) * 1000000::bigint + g.share * most::bigint <= 1000000::bigint * most AND hwsched.is_compatible(gang.profile, p.profile)
		ORDER BY worker_id, device_no LIMIT 3
	LOOP
		INSERT INTO hwsched.assignment (pool, workload_id, run, attempt, shard_no, worker_id, device_nos, priority, profile_id, device_profile_id, efficiency, adjusted_efficiency, score, predicted_seconds, timeout_seconds, is_gang)
		VALUES (in_pool, gang.workload_id, gang.run, gang.attempt, shard, member.worker_id, ARRAY[member.device_no], gang.priority, gang.profile_id, member.profile_id, 1, 1, 1, 10, 3600, true);
		UPDATE hwsched.worker_usage SET assignments = assignments + 1, total_assignments = total_assignments + 1 WHERE pool = in_pool AND worker_id = member.worker_id;
		UPDATE hwsched.device_usage SET slots = slots + 1 WHERE pool = in_pool AND worker_id = member.worker_id AND device_no = member.device_no;
		shard := shard + 1;
	END LOOP;
	IF shard < 2 THEN
		RAISE no_data_found;
	END IF;
	DELETE FROM hwsched.pending WHERE pool = in_pool AND queue_no = gang.queue_no;
END $$;

-- What a workload waits for, now and then: another one, known or not, or its turn
CREATE FUNCTION pg_temp.order_of() RETURNS jsonb LANGUAGE sql AS $$
	SELECT CASE WHEN pg_temp.roll(4) = 0 THEN jsonb_build_object('depends_on', jsonb_build_array('t' || pg_temp.roll(100))) ELSE '{}' END
		|| CASE WHEN pg_temp.roll(4) = 0 THEN jsonb_build_object('concurrency_key', CASE pg_temp.roll(3) WHEN 0 THEN jsonb_build_object('l', 1 + pg_temp.roll(2)) WHEN 1 THEN jsonb_build_array('l', 'k' || pg_temp.roll(3)) ELSE to_jsonb('k' || pg_temp.roll(3)) END) ELSE '{}' END $$;
CREATE PROCEDURE pg_temp.operate(step int, in_pool text) LANGUAGE plpgsql AS $$
DECLARE
	chosen int := pg_temp.roll(100);
	worker text := 'w' || pg_temp.roll(8);
	test text := 't' || pg_temp.roll(100);
	done text;
BEGIN
	BEGIN
		CASE
			WHEN chosen < 5 THEN done := 'spread'; CALL pg_temp.spread(in_pool);
			WHEN chosen < 30 THEN done := 'submit'; PERFORM hwsched.submit(pg_temp.demand() || pg_temp.order_of() || jsonb_build_object('test_id', test), in_pool);
			WHEN chosen < 40 THEN done := 'assign_pending'; PERFORM hwsched.assign_pending(nullif(pg_temp.roll(6), 0), in_pool);
			WHEN chosen < 43 THEN done := 'schedule'; PERFORM hwsched.schedule(test, in_pool);
			WHEN chosen < 53 THEN done := 'claim'; PERFORM hwsched.claim(worker, 1 + pg_temp.roll(4), true, in_pool);
			WHEN chosen < 58 THEN done := 'start'; PERFORM hwsched.start(pg_temp.some_assignment(in_pool, 'assigned'), in_pool);
			WHEN chosen < 66 THEN done := 'complete'; PERFORM hwsched.complete(pg_temp.some_assignment(in_pool, 'running'), '{"ok": true}', in_pool);
			WHEN chosen < 68 THEN done := 'complete_many'; PERFORM hwsched.complete_many((SELECT array_agg(assignment_id) FROM hwsched.assignment WHERE pool = in_pool AND state = 'running' AND md5(workload_id || step) < '8'), in_pool);
			WHEN chosen < 74 THEN done := 'fail'; PERFORM hwsched.fail(pg_temp.some_assignment(in_pool, 'running|assigned'), 'unlucky', in_pool);
			WHEN chosen < 78 THEN done := 'cancel'; PERFORM hwsched.cancel(test, in_pool);
			WHEN chosen < 80 THEN done := 'too late'; PERFORM hwsched.complete(pg_temp.some_assignment(in_pool, 'completed|failed|expired|cancelled'), NULL, in_pool);
			WHEN chosen < 88 THEN done := 'register'; PERFORM hwsched.register_worker(worker, pg_temp.hardware(), in_pool);
			WHEN chosen < 90 THEN done := 'unregister'; PERFORM hwsched.unregister_worker(worker, in_pool);
			WHEN chosen < 91 THEN done := 'drain'; PERFORM hwsched.drain_worker(worker, in_pool);
			WHEN chosen < 94 THEN done := 'resume'; PERFORM hwsched.resume_worker(worker, in_pool);
			WHEN chosen < 97 THEN done := 'load'; PERFORM hwsched.update_load(worker, jsonb_build_object('cpu_utilization', pg_temp.roll(101), 'memory_utilization', pg_temp.roll(101), 'gpu_utilization', pg_temp.roll(101))
				|| CASE pg_temp.roll(3) WHEN 0 THEN jsonb_build_object('temperature', pg_temp.roll(11) / 10.0) WHEN 1 THEN jsonb_build_object('temperature_celsius', 20 + pg_temp.roll(90), 'power_w', pg_temp.roll(300)) ELSE '{}' END, in_pool);
			ELSE done := 'broken batch'; PERFORM hwsched.submit_many(jsonb_build_array(pg_temp.demand(), pg_temp.demand(), '{"priority": 99}'), in_pool);
		END CASE;
		INSERT INTO operation VALUES (done, 'done');
	EXCEPTION WHEN no_data_found OR object_not_in_prerequisite_state OR unique_violation OR null_value_not_allowed OR invalid_parameter_value THEN
		INSERT INTO operation VALUES (done, SQLSTATE);
	END;
	IF step % 5 = 0 AND NOT EXISTS (SELECT FROM found) THEN
		INSERT INTO found SELECT step, done, v.what, v.detail FROM violation AS v;
	END IF;
END $$;

SELECT lives_ok($$
	DO $do$
	BEGIN
		PERFORM hwsched.create_pool('tap_1', '{"max_concurrent": 3, "retry_backoff": "0 s", "limits": {"l": {"concurrent": 3}}}'), hwsched.create_pool('tap_2', '{"retry_backoff": "0 s", "limits": {"l": {"concurrent": 2, "per_minute": 40}}}');
		FOR i IN 0..7 LOOP
			PERFORM hwsched.register_worker('w' || i, pg_temp.hardware(), 'tap_1'), hwsched.register_worker('w' || i, pg_temp.hardware(), 'tap_2');
		END LOOP;
		FOR step IN 1..800 LOOP
			CALL pg_temp.operate(step, 'tap_' || 1 + step % 2);
		END LOOP;
	END $do$ $$, '800 operations raise nothing that is not expected of them');
SELECT is_empty('SELECT * FROM found ORDER BY step', 'no invariant broke on the way');
-- The test would prove nothing if nothing had happened
SELECT cmp_ok((SELECT count(*) FROM operation WHERE outcome = 'done'), '>', 400::bigint, 'most operations did something');
SELECT is((SELECT count(DISTINCT operation) FROM operation WHERE outcome = 'done'), 15::bigint, 'every kind of operation was done, but those that must not be');
SELECT is_empty($$SELECT DISTINCT operation FROM operation WHERE outcome = 'done' AND operation IN ('too late', 'broken batch')$$, 'what is late or broken is refused every time');
SELECT bag_eq($$SELECT DISTINCT state::text FROM hwsched.assignment WHERE pool LIKE 'tap%'$$, '{assigned,cancelled,completed,expired,failed,running}'::text[], 'assignments in every state');
SELECT bag_eq($$SELECT DISTINCT state::text FROM hwsched.workload WHERE pool LIKE 'tap%'$$, '{assigned,cancelled,completed,dead,pending,running}'::text[], 'workloads in every state');

SELECT cmp_ok((SELECT count(*) FROM hwsched.dependency WHERE pool LIKE 'tap%'), '>', 0::bigint, 'some wait for others');
SELECT cmp_ok((SELECT sum(in_use) FROM hwsched.limit_usage WHERE pool LIKE 'tap%'), '>', 0::bigint, 'some hold their key');
SELECT cmp_ok((SELECT sum(waiting) FROM hwsched.limit_usage WHERE pool LIKE 'tap%' AND key = 'l'), '>', 0::numeric, 'some wait for a limit');
SELECT bag_eq($$SELECT DISTINCT error FROM hwsched.assignment WHERE pool LIKE 'tap%' AND state = 'cancelled'$$, ARRAY[NULL, 'the quorum is reached', 'another member of the gang was lost'], 'members of gangs were cancelled for every reason');

-- At the end everything can be finished, and then nothing is held
DO $$
DECLARE
	one record;
BEGIN
	FOR one IN SELECT pool, workload_id FROM hwsched.workload WHERE pool LIKE 'tap%' AND state IN ('pending', 'assigned', 'running') ORDER BY 1, 2 LOOP
		PERFORM hwsched.cancel(one.workload_id, one.pool);
	END LOOP;
END $$;
SELECT is_empty('TABLE violation', 'nothing is wrong after');
SELECT is((SELECT count(*) FROM hwsched.worker_reserved WHERE pool LIKE 'tap%' AND (assignments, cpu_millicores, host_memory_bytes) <> (0, 0, 0)), 0::bigint, 'no worker holds anything');
SELECT is((SELECT count(*) FROM hwsched.device_reserved WHERE pool LIKE 'tap%' AND (slots, share, memory_bytes) <> (0, 0, 0)), 0::bigint, 'no device holds anything');
SELECT is((SELECT count(*) FROM hwsched.pending WHERE pool LIKE 'tap%') + (SELECT count(*) FROM hwsched.dependency WHERE pool LIKE 'tap%'), 0::bigint, 'nothing waits');

SELECT * FROM finish();
ROLLBACK;
