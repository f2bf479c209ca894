-- Order between workloads: what depends on others, concurrency keys, deadlines, ageing, and what may not be placed yet.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

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
CREATE FUNCTION pg_temp.latest(workload text) RETURNS bigint LANGUAGE sql AS $$
	SELECT max(assignment_id) FROM hwsched.assignment WHERE pool = 'order' AND workload_id = workload $$;
-- Runs one of the assigned workloads to its end
CREATE PROCEDURE pg_temp.run(workload text) LANGUAGE plpgsql AS $$
BEGIN
	IF (SELECT state FROM hwsched.assignment WHERE pool = 'order' AND assignment_id = pg_temp.latest(workload)) = 'assigned' THEN
		PERFORM hwsched.start(pg_temp.latest(workload), 'order');
	END IF;
	PERFORM hwsched.complete(pg_temp.latest(workload), NULL, 'order');
END $$;
-- What is placed, and what waits for what
CREATE VIEW pg_temp.stands AS SELECT w.workload_id, w.state, p.reason FROM hwsched.workload AS w LEFT JOIN hwsched.pending_workloads AS p USING (pool, workload_id) WHERE pool = 'order';
-- A plan is what the batch of the same moment does; shows the batch
CREATE FUNCTION pg_temp.batch(most int DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan text; batch text; before bigint;
BEGIN
	SELECT coalesce(max(assignment_id), 0) INTO before FROM hwsched.assignment WHERE pool = 'order';
	SELECT string_agg(concat_ws(' ', workload_id, worker_id, device_nos, shard_no), ', ' ORDER BY workload_id, shard_no) INTO plan FROM hwsched.plan_pending(most, 'order');
	PERFORM hwsched.assign_pending(most, 'order');
	SELECT string_agg(concat_ws(' ', workload_id, worker_id, device_nos, shard_no), ', ' ORDER BY workload_id, shard_no) INTO batch FROM hwsched.assignment WHERE pool = 'order' AND assignment_id > before;
	IF plan IS DISTINCT FROM batch THEN
		RAISE EXCEPTION 'planned %, placed %', plan, batch;
	END IF;
	RETURN (SELECT string_agg(DISTINCT workload_id, ' ' ORDER BY workload_id) FROM hwsched.assignment WHERE pool = 'order' AND assignment_id > before);
END $$;

-- Makes work of the queue older than it is
CREATE PROCEDURE pg_temp.age(pattern text, by interval) LANGUAGE plpgsql AS $$
BEGIN
	UPDATE hwsched.submission SET submitted_at = submitted_at - by WHERE pool = 'order' AND workload_id LIKE pattern;
	UPDATE hwsched.pending SET submitted_at = submitted_at - by WHERE pool = 'order' AND workload_id LIKE pattern;
END $$;
-- Cancels all that is open
CREATE FUNCTION pg_temp.cancel_all() RETURNS void LANGUAGE sql AS $$
	SELECT count(hwsched.cancel(workload_id, 'order')) FROM (SELECT workload_id FROM hwsched.workload WHERE pool = 'order' AND state IN ('pending', 'assigned', 'running') OFFSET 0) AS w $$;

SELECT hwsched.create_pool('order', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 8, "available_memory": 16}', 'order');

--
-- depends_on: in any order within a call; nothing runs before what it needs
--
SELECT hwsched.submit_many('[{"test_id": "last", "depends_on": ["left", "right"]}, {"test_id": "left", "depends_on": ["first"]}, {"test_id": "first"}, {"test_id": "right", "depends_on": ["first", "first"]}]', 'order');
SELECT workload_id, depends_on FROM hwsched.dependency WHERE pool = 'order' ORDER BY 1, 2;
SELECT * FROM pg_temp.stands ORDER BY 1;
SELECT reason, workloads, cardinality(profile_ids) AS profiles, ready FROM hwsched.explain_pending('order');
SELECT worker_id, score, reason FROM hwsched.compatible_hardware('left', 'order');
SELECT count(*) AS not_yet FROM hwsched.schedule('left', 'order');
SELECT pg_temp.batch();
SELECT count(*) AS claimed FROM hwsched.claim('w', 9, true, 'order');
SELECT count(*) AS nothing_to_pull FROM hwsched.claim('w', 9, true, 'order');
CALL pg_temp.run('first');
-- it is completed and not settled: who looks sees both ready, and so does a plan
SELECT count(*) AS noted FROM hwsched.unsettled WHERE pool = 'order';
SELECT * FROM pg_temp.stands ORDER BY 1;
SELECT pg_temp.batch(1), pg_temp.batch();
CALL pg_temp.run('left');
SELECT * FROM pg_temp.stands WHERE workload_id = 'last';
SELECT pg_temp.batch();
CALL pg_temp.run('right');
-- claim() pulls what has become ready
SELECT workload_id FROM hwsched.claim('w', 9, true, 'order');
SELECT count(*) AS left_over FROM hwsched.dependency WHERE pool = 'order';
-- what is completed already is met at once, settled or not
CALL pg_temp.run('last');
SELECT hwsched.submit('{"test_id": "after", "depends_on": ["last", "first"]}', 'order');
SELECT ready_at FROM hwsched.pending WHERE pool = 'order';
SELECT hwsched.cancel('after', 'order');
-- both dependencies completed between two batches: it is freed once
SELECT hwsched.submit_many('[{"test_id": "p"}, {"test_id": "q"}, {"test_id": "both", "depends_on": ["p", "q"]}]', 'order'), pg_temp.batch();
SELECT count(*) FROM hwsched.claim('w', 9, true, 'order');
SELECT hwsched.complete_many(ARRAY[pg_temp.latest('p'), pg_temp.latest('q')], 'order'), pg_temp.batch();
SELECT hwsched.cancel('both', 'order');

-- unknown ids name themselves and their key; nothing of the call is kept
SELECT pg_temp.error_of($$SELECT hwsched.submit('{"test_id": "x", "depends_on": ["first", "nobody"]}', 'order')$$);
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{"test_id": "x"}, {"test_id": "y", "depends_on": ["x", "nobody"]}]', 'order')$$);
SELECT pg_temp.error_of($$SELECT hwsched.submit('{"depends_on": [""]}', 'order')$$);
-- cycles name all of themselves: of one, within a call, through what was there before
SELECT pg_temp.error_of($$SELECT hwsched.submit('{"test_id": "x", "depends_on": ["x"]}', 'order')$$);
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{"test_id": "c", "depends_on": ["a"]}, {"test_id": "a", "depends_on": ["last", "b"]}, {"test_id": "b", "depends_on": ["c"]}]', 'order')$$);
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{"test_id": "in", "depends_on": ["a"]}, {"test_id": "a", "depends_on": ["b"]}, {"test_id": "b", "depends_on": ["a"]}]', 'order')$$);
SELECT hwsched.submit('{"test_id": "again"}', 'order'), hwsched.submit('{"test_id": "waits", "depends_on": ["again"]}', 'order'), hwsched.submit('{"test_id": "waits too", "depends_on": ["waits"]}', 'order');
SELECT hwsched.cancel('again', 'order');
SELECT pg_temp.error_of($$SELECT hwsched.submit('{"test_id": "again", "depends_on": ["waits too"]}', 'order')$$);
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{"test_id": "new"}, {"test_id": "between", "depends_on": ["waits"]}, {"test_id": "again", "depends_on": ["between"]}]', 'order')$$);
SELECT count(*) AS of_refused FROM hwsched.submission WHERE pool = 'order' AND workload_id IN ('x', 'y', 'a', 'b', 'c', 'in', 'new', 'between');
SELECT workload_id, depends_on FROM hwsched.dependency WHERE pool = 'order' ORDER BY 1;
-- two ways to the same are no cycle; a long chain is none either, and is checked without recursion
SELECT hwsched.submit_many('[{"test_id": "d", "depends_on": ["e", "f"]}, {"test_id": "e", "depends_on": ["g"]}, {"test_id": "f", "depends_on": ["e", "g"]}, {"test_id": "g"}]', 'order');
SELECT hwsched.create_pool('chain');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'c' || n, 'depends_on', CASE WHEN n < 20000 THEN jsonb_build_array('c' || n + 1) ELSE '[]' END)) FROM generate_series(1, 20000) AS n), 'chain');
SELECT length(pg_temp.error_of(format('SELECT hwsched.submit_many(%L, %L)', (SELECT jsonb_agg(jsonb_build_object('test_id', 'r' || n, 'depends_on', jsonb_build_array('r' || n % 20000 + 1))) FROM generate_series(1, 20000) AS n), 'chain'))) > 20000 * 6 AS all_of_the_ring;
SELECT hwsched.drop_pool('chain');

-- what depends on something cancelled or dead goes on waiting, and says so, until that is run again
SELECT * FROM pg_temp.stands WHERE workload_id LIKE 'waits%' ORDER BY 1;
SELECT pg_temp.batch();
SELECT hwsched.submit('{"test_id": "again", "retries": 0}', 'order'), pg_temp.batch();
SELECT hwsched.fail(pg_temp.latest('again'), 'broken', 'order');
SELECT * FROM pg_temp.stands WHERE workload_id LIKE 'waits%' ORDER BY 1;
SELECT reason, workloads FROM hwsched.explain_pending('order') WHERE reason LIKE '%dead';
SELECT hwsched.retry_dead('again', 'order'), pg_temp.batch();
CALL pg_temp.run('again');
SELECT pg_temp.batch();
-- history forgets no workload that somebody waits for
SELECT hwsched.submit('{"test_id": "old", "retries": 0}', 'order'), hwsched.submit('{"test_id": "needs old", "depends_on": ["old"]}', 'order'), hwsched.submit('{"test_id": "old too", "retries": 0}', 'order'), pg_temp.batch();
SELECT hwsched.fail(pg_temp.latest(w), 'broken', 'order') FROM unnest('{old,old too}'::text[]) AS w;
UPDATE hwsched.submission SET closed_at = now() - interval '31 days' WHERE pool = 'order' AND workload_id LIKE 'old%';
UPDATE hwsched.assignment SET assigned_at = now() - interval '31 days', finished_at = now() - interval '31 days' WHERE pool = 'order' AND finished_at IS NOT NULL;
SELECT forgotten > 0 AS forgotten FROM hwsched.maintain('order');
SELECT workload_id, outcome FROM hwsched.submission WHERE pool = 'order' AND workload_id LIKE 'old%';
SELECT * FROM pg_temp.stands WHERE workload_id = 'needs old';

SELECT hwsched.drop_pool('order');
SELECT count(*) AS left_over FROM hwsched.dependency WHERE pool = 'order';
SELECT hwsched.create_pool('order', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 8, "available_memory": 16}', 'order');

--
-- concurrency_key: one at a time, the first that fits
--
SELECT hwsched.submit_many('[{"test_id": "k1", "concurrency_key": "db"}, {"test_id": "k2", "concurrency_key": "db"}, {"test_id": "free"}, {"test_id": "k3", "concurrency_key": "db"}, {"test_id": "l1", "concurrency_key": "disk"}]', 'order');
SELECT pg_temp.batch();
SELECT workload_id, key FROM hwsched.key_holder WHERE pool = 'order' ORDER BY 1;
SELECT * FROM pg_temp.stands WHERE state = 'pending' ORDER BY 1;
SELECT workload_id, concurrency_keys FROM hwsched.workload WHERE pool = 'order' ORDER BY 1;
SELECT worker_id, reason FROM hwsched.compatible_hardware('k2', 'order');
SELECT count(*) AS held FROM hwsched.schedule('k2', 'order');
SELECT count(*) AS claimed FROM hwsched.claim('w', 9, true, 'order');
SELECT count(*) AS nothing_to_pull FROM hwsched.claim('w', 9, true, 'order');
-- it is free as soon as its holder ends, in any way
CALL pg_temp.run('k1');
SELECT pg_temp.batch();
SELECT hwsched.fail(pg_temp.latest('k2'), 'broken', 'order');
SELECT workload_id FROM hwsched.schedule('k3', 'order');
SELECT count(*) AS held FROM hwsched.schedule('k2', 'order');
SELECT hwsched.cancel('k3', 'order');
SELECT workload_id, attempt FROM hwsched.schedule('k2', 'order');
CALL pg_temp.run('k2');
-- what a batch sets first and cannot place does not keep the others from the key; claim() pulls one
SELECT hwsched.submit_many('[{"test_id": "m1", "concurrency_key": "db", "required_backend": "gpu"}, {"test_id": "m2", "concurrency_key": "db"}, {"test_id": "m3", "concurrency_key": "db"}]', 'order');
SELECT workload_id FROM hwsched.claim('w', 9, true, 'order');
CALL pg_temp.run('m2');
SELECT pg_temp.batch();
SELECT hwsched.cancel(w, 'order') FROM unnest('{m1,m3}'::text[]) AS w;
-- one without a key in its next run has none any more
SELECT hwsched.submit('{"test_id": "m1"}', 'order'), (SELECT concurrency_keys FROM hwsched.submission WHERE pool = 'order' AND workload_id = 'm1') AS before;
SELECT concurrency_keys FROM hwsched.submission WHERE pool = 'order' AND workload_id = 'm1';
SELECT hwsched.cancel('m1', 'order');
-- a gang holds its key with any member that is left
SELECT hwsched.register_worker('v', '{"cpu_cores": 8, "available_memory": 16}', 'order');
SELECT hwsched.submit_many('[{"test_id": "gang", "concurrency_key": "db", "cpu_cores": 1, "custom_properties": {"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2}}, {"test_id": "n", "concurrency_key": "db"}]', 'order');
SELECT pg_temp.batch();
SELECT hwsched.start(assignment_id, 'order') FROM hwsched.assignment WHERE pool = 'order' AND workload_id = 'gang';
SELECT hwsched.complete(min(assignment_id), NULL, 'order') FROM hwsched.assignment WHERE pool = 'order' AND workload_id = 'gang';
SELECT pg_temp.batch();
SELECT hwsched.complete(pg_temp.latest('gang'), NULL, 'order');
SELECT pg_temp.batch();
SELECT pg_temp.error_of($$SELECT hwsched.submit('{"concurrency_key": ""}', 'order')$$), left(pg_temp.error_of(format('SELECT hwsched.submit(%L, %L)', jsonb_build_object('concurrency_key', repeat('x', 1001)), 'order')), 60);
-- both at once: the key is asked for once the dependency is met
SELECT hwsched.submit('{"test_id": "o", "concurrency_key": "db", "depends_on": ["free"]}', 'order');
CALL pg_temp.run('free');
SELECT * FROM pg_temp.stands WHERE workload_id = 'o';
SELECT hwsched.assign_pending(NULL, 'order');
CALL pg_temp.run('n');
SELECT pg_temp.batch();
-- the solver takes one of each key, too
SELECT hwsched.drop_pool('order'), hwsched.create_pool('order', '{"solver": "optimal", "retry_backoff": "0 s"}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 8, "available_memory": 16}', 'order');
SELECT hwsched.submit_many('[{"test_id": "k1", "concurrency_key": "db", "required_backend": "gpu"}, {"test_id": "k2", "concurrency_key": "db"}, {"test_id": "k3", "concurrency_key": "db"}, {"test_id": "l1", "concurrency_key": "disk", "priority": 4}, {"test_id": "l2", "concurrency_key": "disk", "priority": 5}]', 'order');
SELECT pg_temp.batch(), pg_temp.batch() AS nothing_more;

SELECT hwsched.drop_pool('order'), hwsched.create_pool('order', '{"retry_backoff": "0 s", "max_concurrent": 1}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 8, "available_memory": 16}', 'order');

--
-- Deadlines: the earliest first within a priority, none last; a missed one shows
--
SELECT hwsched.submit_many('[{"test_id": "none"}, {"test_id": "late", "deadline": "2100-01-02 00:00:00+00"}, {"test_id": "early", "deadline": "2100-01-01 00:00:00+00"}, {"test_id": "missed", "deadline": "2020-01-01 00:00:00+00"}, {"test_id": "urgent", "priority": 1}]', 'order');
SELECT workload_id, deadline_missed FROM hwsched.pending_workloads WHERE pool = 'order';
SELECT pg_temp.batch();
CALL pg_temp.run('urgent');
SELECT pg_temp.batch();
CALL pg_temp.run('missed');
SELECT pg_temp.batch();
CALL pg_temp.run('early');
SELECT pg_temp.batch();
CALL pg_temp.run('late');
SELECT pg_temp.batch();
-- what was closed in time stays so
UPDATE hwsched.submission SET deadline = '2100-01-01', closed_at = CASE workload_id WHEN 'late' THEN timestamptz '2100-01-02' ELSE closed_at END WHERE pool = 'order' AND workload_id IN ('late', 'early');
SELECT workload_id, state, deadline_missed FROM hwsched.workload WHERE pool = 'order' ORDER BY 1;
CALL pg_temp.run('none');
SELECT deadline_missed FROM hwsched.workload WHERE pool = 'order' AND workload_id = 'none';

--
-- Ageing: each hour of waiting is worth some steps of priority
--
SELECT hwsched.submit_many('[{"test_id": "fresh 2", "priority": 2}, {"test_id": "old 5", "priority": 5}, {"test_id": "old 3"}, {"test_id": "young 5", "priority": 5}]', 'order');
CALL pg_temp.age('old 5', '205 min');
CALL pg_temp.age('old 3', '61 min');
CALL pg_temp.age('young 5', '30 min');
SELECT workload_id FROM hwsched.pending_workloads WHERE pool = 'order';
SELECT hwsched.alter_pool('order', '{"ageing": 1}');
SELECT workload_id, priority, aged_priority FROM hwsched.pending_workloads WHERE pool = 'order';
SELECT workload_id FROM hwsched.plan_pending(1, 'order');
-- never above 1, and nothing gets less urgent if the clock is set back
CALL pg_temp.age('old 5', '10 years');
CALL pg_temp.age('young 5', '-10 years');
SELECT workload_id, priority, aged_priority FROM hwsched.pending_workloads WHERE pool = 'order';
SELECT pg_temp.batch();
-- the assignment has the priority that it got its place by
SELECT workload_id, priority FROM hwsched.assignment WHERE pool = 'order' AND finished_at IS NULL;
-- what waits keeps its age when it goes back into the queue
SELECT hwsched.fail(pg_temp.latest('old 5'), 'broken', 'order');
SELECT workload_id, priority, aged_priority, attempt FROM hwsched.pending_workloads WHERE pool = 'order' ORDER BY 1;
SELECT pg_temp.cancel_all();

-- Nothing starves: there is more urgent work than there are places, all the time
CREATE FUNCTION pg_temp.rounds_until_placed(rounds int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	PERFORM hwsched.submit('{"test_id": "patient", "priority": 5}', 'order');
	FOR round IN 1 .. rounds LOOP
		PERFORM hwsched.submit_many(jsonb_build_array(jsonb_build_object('priority', 1), jsonb_build_object('priority', 1)), 'order');
		-- half an hour goes by
		CALL pg_temp.age('%', '30 min');
		PERFORM hwsched.assign_pending(NULL, 'order');
		IF (SELECT state FROM hwsched.workload WHERE pool = 'order' AND workload_id = 'patient') = 'assigned' THEN
			RETURN round;
		END IF;
		PERFORM hwsched.complete(assignment_id, NULL, 'order') FROM hwsched.claim('w', 1, true, 'order');
	END LOOP;
	RETURN NULL;
END $$;
SELECT hwsched.alter_pool('order', '{"ageing": 0}');
SELECT pg_temp.rounds_until_placed(20) AS starves;
SELECT pg_temp.cancel_all();
SELECT hwsched.alter_pool('order', '{"ageing": 1}');
-- as urgent as the others after 8 half hours; then those before it have to be done
SELECT pg_temp.rounds_until_placed(40) AS has_its_turn;
SELECT pg_temp.cancel_all();

-- Nor does it once it is assigned: a worker that takes one at a time starts the aged one
SELECT hwsched.alter_pool('order', '{"max_concurrent": 5}');
SELECT hwsched.submit_many('[{"test_id": "tired", "priority": 5}, {"test_id": "quick 1", "priority": 2}, {"test_id": "quick 2", "priority": 2}]', 'order'), pg_temp.batch();
UPDATE hwsched.assignment SET assigned_at = now() - interval '4 hours' WHERE pool = 'order' AND workload_id = 'tired';
SELECT workload_id FROM hwsched.claim('w', 2, true, 'order');
SELECT workload_id FROM hwsched.claim('w', 2, true, 'order');
SELECT pg_temp.cancel_all();

-- The solver's bands are of aged priorities, and claim() pulls in that order
SELECT hwsched.alter_pool('order', '{"max_concurrent": 1, "solver": "optimal"}');
SELECT hwsched.submit_many('[{"test_id": "b2", "priority": 2}, {"test_id": "b5", "priority": 5}, {"test_id": "b4", "priority": 4}]', 'order');
CALL pg_temp.age('b5', '5 hours');
CALL pg_temp.age('b4', '3 hours');
SELECT pg_temp.batch();
CALL pg_temp.run('b5');
SELECT workload_id FROM hwsched.claim('w', 1, true, 'order');
CALL pg_temp.run('b4');
SELECT hwsched.cancel('b2', 'order');
-- schedule() gives it the same priority
SELECT hwsched.submit('{"test_id": "s5", "priority": 5}', 'order');
CALL pg_temp.age('s5', '2 hours');
SELECT workload_id, priority FROM hwsched.schedule('s5', 'order');
SELECT hwsched.cancel('s5', 'order');

-- What is reserved for a gang is kept from what stands behind it by now
SELECT hwsched.drop_pool('order'), hwsched.create_pool('order', '{"max_concurrent": 1, "ageing": 1}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 8, "available_memory": 16}', 'order') FROM unnest('{w,x}'::text[]) AS w;
SELECT hwsched.submit('{"test_id": "runs"}', 'order'), pg_temp.batch();
SELECT hwsched.submit('{"test_id": "gang", "priority": 4, "custom_properties": {"allocation_strategy": "replicated", "min_shards": 2}}', 'order'), hwsched.assign_pending(NULL, 'order');
SELECT worker_id, workload_id FROM hwsched.reservation WHERE pool = 'order' ORDER BY 1;
SELECT hwsched.submit('{"test_id": "third", "priority": 3}', 'order');
-- third stands before the gang, until that has aged
SELECT workload_id FROM hwsched.plan_pending(NULL, 'order');
CALL pg_temp.age('gang', '2 hours');
SELECT workload_id FROM hwsched.plan_pending(NULL, 'order');
SELECT count(*) AS reserved FROM hwsched.schedule('third', 'order');
SELECT count(*) AS reserved FROM hwsched.claim('x', 1, true, 'order');
-- a batch of what stands before it leaves its workers reserved
SELECT hwsched.submit('{"test_id": "first", "priority": 1}', 'order'), hwsched.assign_pending(1, 'order');
SELECT worker_id FROM hwsched.reservation WHERE pool = 'order' ORDER BY 1;

-- nor are workers kept for a gang that has to wait for something else
SELECT hwsched.drop_pool('order'), hwsched.create_pool('order', '{"max_concurrent": 1}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 8, "available_memory": 16}', 'order') FROM unnest('{w,x,y}'::text[]) AS w;
SELECT hwsched.submit('{"test_id": "runs"}', 'order'), pg_temp.batch();
SELECT hwsched.submit('{"test_id": "gang", "concurrency_key": "k", "custom_properties": {"allocation_strategy": "replicated", "min_shards": 3}}', 'order'), pg_temp.batch();
SELECT hwsched.submit('{"test_id": "behind"}', 'order'), hwsched.submit('{"test_id": "holder", "concurrency_key": "k", "priority": 1}', 'order');
SELECT count(*) AS reserved FROM hwsched.schedule('behind', 'order');
SELECT workload_id FROM hwsched.schedule('holder', 'order');
SELECT * FROM pg_temp.stands WHERE state = 'pending' ORDER BY 1;
SELECT workload_id FROM hwsched.schedule('behind', 'order');

--
-- ready_at: what backs off is not placed, and says so
--
SELECT hwsched.drop_pool('order'), hwsched.create_pool('order', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 8, "available_memory": 16}', 'order');
SELECT hwsched.submit_many('[{"test_id": "backs off"}, {"test_id": "ready"}]', 'order');
UPDATE hwsched.pending SET ready_at = now() + interval '1 hour' WHERE pool = 'order' AND workload_id = 'backs off';
SELECT * FROM pg_temp.stands ORDER BY 1;
SELECT workload_id, reason, ready_at IS NOT NULL AS until FROM hwsched.pending_workloads WHERE pool = 'order' AND NOT ready;
SELECT count(*) AS not_yet FROM hwsched.schedule('backs off', 'order');
SELECT pg_temp.batch(), pg_temp.batch() AS nothing_more;
SELECT count(*) AS only_assigned FROM hwsched.claim('w', 9, true, 'order');
SELECT count(*) AS nothing_to_pull FROM hwsched.claim('w', 9, true, 'order');
-- of the first two that may be placed, not of the first two
SELECT hwsched.submit_many('[{"test_id": "r1"}, {"test_id": "r2"}]', 'order'), pg_temp.batch(2);
UPDATE hwsched.pending SET ready_at = now() - interval '1 s' WHERE pool = 'order';
SELECT pg_temp.batch();

--
-- cancel() in every state: pending, backing off, blocked, waiting for a key, assigned, running
--
SELECT pg_temp.cancel_all();
SELECT hwsched.submit_many('[{"test_id": "c assigned", "concurrency_key": "c"}, {"test_id": "c running"}]', 'order'), pg_temp.batch();
SELECT hwsched.start(pg_temp.latest('c running'), 'order');
SELECT hwsched.submit_many('[{"test_id": "c pending"}, {"test_id": "c backs off"}, {"test_id": "c blocked", "depends_on": ["c pending", "c running"]}, {"test_id": "c key", "concurrency_key": "c"}, {"test_id": "c after", "depends_on": ["c blocked"]}]', 'order');
UPDATE hwsched.pending SET ready_at = now() + interval '1 hour' WHERE pool = 'order' AND workload_id = 'c backs off';
SELECT * FROM pg_temp.stands WHERE workload_id LIKE 'c %' ORDER BY 1;
SELECT hwsched.cancel(w, 'order') FROM unnest('{c assigned,c running,c pending,c backs off,c blocked,c key}'::text[]) AS w;
SELECT * FROM pg_temp.stands WHERE workload_id LIKE 'c %' ORDER BY 1;
SELECT workload_id, depends_on FROM hwsched.dependency WHERE pool = 'order';
SELECT pg_temp.error_of(format('SELECT hwsched.cancel(%L, %L)', w, 'order')) FROM unnest('{c assigned,c running,c pending,c backs off,c blocked,c key,r1}'::text[]) WITH ORDINALITY AS x (w, no) WHERE w LIKE 'c %' ORDER BY no;
SELECT count(*) AS live FROM hwsched.assignment WHERE pool = 'order' AND workload_id LIKE 'c %' AND finished_at IS NULL;
SELECT hwsched.cancel('c after', 'order'), (SELECT count(*) FROM hwsched.dependency WHERE pool = 'order') AS before;
SELECT count(*) AS left_over FROM hwsched.dependency WHERE pool = 'order';

SELECT hwsched.drop_pool('order');
