-- Concurrency keys and their limits: how much may be live, how often in a minute, and what says so.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', state, message, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE FUNCTION pg_temp.limits(limits jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.error_of(format('SELECT hwsched.alter_pool(''limits'', %L)', jsonb_build_object('limits', limits))) $$;
CREATE FUNCTION pg_temp.refused(key jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.error_of(format('SELECT hwsched.submit(%L, ''limits'')', jsonb_build_object('concurrency_key', key))) $$;
CREATE VIEW pg_temp.usage AS SELECT key, concurrent_limit AS most, in_use, per_minute_limit AS rate, used_last_minute AS used, waiting, held_by FROM hwsched.limit_usage WHERE pool = 'limits';
CREATE VIEW pg_temp.waits AS SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'limits';
CREATE FUNCTION pg_temp.live(pattern text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(DISTINCT workload_id, ' ' ORDER BY workload_id) FROM hwsched.assignment WHERE pool = 'limits' AND workload_id LIKE pattern AND finished_at IS NULL $$;
-- A plan is what the batch of the same moment does; shows the batch
CREATE FUNCTION pg_temp.batch() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan text; batch text; before bigint;
BEGIN
	SELECT coalesce(max(assignment_id), 0) INTO before FROM hwsched.assignment WHERE pool = 'limits';
	SELECT string_agg(DISTINCT workload_id, ' ' ORDER BY workload_id) INTO plan FROM hwsched.plan_pending(pool => 'limits');
	PERFORM hwsched.assign_pending(pool => 'limits');
	SELECT string_agg(DISTINCT workload_id, ' ' ORDER BY workload_id) INTO batch FROM hwsched.assignment WHERE pool = 'limits' AND assignment_id > before;
	IF plan IS DISTINCT FROM batch THEN
		RAISE EXCEPTION 'planned %, placed %', plan, batch;
	END IF;
	RETURN batch;
END $$;
CREATE FUNCTION pg_temp.clear() RETURNS void LANGUAGE sql AS $$
	SELECT count(hwsched.cancel(workload_id, 'limits')) FROM (SELECT workload_id FROM hwsched.workload WHERE pool = 'limits' AND state IN ('pending', 'assigned', 'running') OFFSET 0) AS w;
	DELETE FROM hwsched.key_holder WHERE pool = 'limits' $$;
CREATE FUNCTION pg_temp.submit(prefix text, n int, key jsonb, more jsonb DEFAULT '{}') RETURNS bigint LANGUAGE sql AS $$
	SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', prefix || i, 'concurrency_key', key) || more ORDER BY i) FROM generate_series(1, n) AS i), 'limits') $$;

SELECT hwsched.create_pool('limits', '{"retry_backoff": "0 s", "offline_after": "1 day", "max_concurrent": 20}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 64}', 'limits') FROM unnest('{a,b}'::text[]) AS w;
SELECT pg_temp.limits('{"db": {"concurrent": 3}, "License": {"concurrent": 5}, "api": {"per_minute": 2}, "both": {"concurrent": 2, "per_minute": 3}, "shut": {"concurrent": 0}}');

--
-- concurrent: a text, texts, units; a key that is not named has one
--
SELECT pg_temp.submit('db', 5, '"db"'), pg_temp.submit('one', 2, '"unnamed"'), pg_temp.submit('shut', 1, '"shut"');
SELECT pg_temp.batch();
SELECT * FROM pg_temp.usage ORDER BY 1;
SELECT * FROM pg_temp.waits ORDER BY 1;
SELECT reason, workloads, ready FROM hwsched.explain_pending('limits') ORDER BY 1;
SELECT DISTINCT reason FROM hwsched.compatible_hardware('db4', 'limits');
-- what was placed by other ways counts as well
SELECT count(*) FROM hwsched.schedule('db4', 'limits');
SELECT workload_id FROM hwsched.claim('a', 20, pool => 'limits') UNION ALL SELECT workload_id FROM hwsched.claim('b', 20, pool => 'limits') ORDER BY 1;
SELECT hwsched.complete(assignment_id, NULL, 'limits') FROM hwsched.assignment WHERE pool = 'limits' AND workload_id = 'db2';
SELECT workload_id FROM hwsched.claim('a', 20, pool => 'limits');
SELECT hwsched.fail(assignment_id, 'oops', 'limits') FROM hwsched.assignment WHERE pool = 'limits' AND workload_id = 'db1' AND finished_at IS NULL;
SELECT workload_id FROM hwsched.schedule('db5', 'limits');
SELECT pg_temp.batch(), pg_temp.live('db%');
-- lowering takes nothing back
SELECT pg_temp.limits('{"db": {"concurrent": 1}, "License": {"concurrent": 5}, "api": {"per_minute": 2}, "both": {"concurrent": 2, "per_minute": 3}}');
SELECT pg_temp.batch(), pg_temp.live('db%');
SELECT * FROM pg_temp.usage WHERE key = 'db';
SELECT * FROM pg_temp.waits WHERE workload_id LIKE 'db%';
SELECT pg_temp.clear();
-- licences, several keys, and what can never be
SELECT hwsched.submit_many('[{"test_id": "l3", "concurrency_key": {"License": 3}}, {"test_id": "l3 too", "concurrency_key": {"License": 3}}, {"test_id": "l2", "concurrency_key": {"License": 2, "db": 1}}, {"test_id": "l1", "concurrency_key": ["db", "License", "db"]}, {"test_id": "l6", "concurrency_key": {"License": 6}}, {"test_id": "free"}]', 'limits');
SELECT workload_id, concurrency_keys, concurrency_units FROM hwsched.workload WHERE pool = 'limits' AND workload_id LIKE 'l%' ORDER BY 1;
SELECT pg_temp.batch();
SELECT * FROM pg_temp.usage WHERE key IN ('db', 'License') ORDER BY 1;
SELECT * FROM pg_temp.waits ORDER BY 1;
SELECT pg_temp.clear();
-- a gang counts once, until the last of it has ended
SELECT hwsched.submit_many('[{"test_id": "gang", "concurrency_key": {"License": 4}, "allocation_strategy": "replicated", "min_shards": 2, "quorum": 2}, {"test_id": "l4", "concurrency_key": {"License": 4}}, {"test_id": "l1", "concurrency_key": "License"}]', 'limits');
SELECT pg_temp.batch();
SELECT in_use, used, waiting FROM pg_temp.usage WHERE key = 'License';
SELECT hwsched.start(assignment_id, 'limits') FROM hwsched.assignment WHERE pool = 'limits' AND workload_id = 'gang';
SELECT hwsched.complete(min(assignment_id), NULL, 'limits') FROM hwsched.assignment WHERE pool = 'limits' AND workload_id = 'gang';
SELECT pg_temp.batch(), in_use FROM pg_temp.usage WHERE key = 'License';
SELECT hwsched.complete(max(assignment_id), NULL, 'limits') FROM hwsched.assignment WHERE pool = 'limits' AND workload_id = 'gang';
SELECT in_use FROM pg_temp.usage WHERE key = 'License';
SELECT pg_temp.limits('{"License": {"concurrent": 6}, "api": {"per_minute": 2}, "both": {"concurrent": 2, "per_minute": 3}}');
SELECT pg_temp.batch(), in_use FROM pg_temp.usage WHERE key = 'License';
SELECT pg_temp.clear();
-- the queue's head that waits for a key is passed over, however long it is
SELECT hwsched.alter_pool('limits', '{"batch_window": 3}');
SELECT pg_temp.submit('head', 9, '"head"'), hwsched.submit_many('[{"test_id": "behind 1"}, {"test_id": "behind 2"}, {"test_id": "behind 3"}]', 'limits');
SELECT pg_temp.batch();
SELECT pg_temp.batch();
SELECT hwsched.alter_pool('limits', '{"batch_window": null, "solver": "optimal"}'), pg_temp.clear();
-- the same by the optimal solver
SELECT pg_temp.submit('l', 4, '{"License": 2}'), pg_temp.submit('o', 3, '"both"', '{"priority": 2}'), pg_temp.submit('p', 2, '"both"');
SELECT pg_temp.batch();
SELECT key, in_use, used FROM pg_temp.usage ORDER BY 1;
SELECT hwsched.alter_pool('limits', '{"solver": null}'), pg_temp.clear();

--
-- per_minute: placements in any 60 s, retries too
--
SELECT pg_temp.submit('api', 5, '"api"');
SELECT pg_temp.batch();
SELECT * FROM pg_temp.usage WHERE key = 'api';
SELECT * FROM pg_temp.waits ORDER BY 1 LIMIT 1;
SELECT count(*) FROM hwsched.schedule('api3', 'limits');
SELECT count(*) FROM hwsched.claim('a', 20, pool => 'limits') AS c WHERE workload_id NOT IN ('api1', 'api2');
-- what has ended counts for the minute
SELECT hwsched.complete(assignment_id, NULL, 'limits') FROM hwsched.assignment WHERE pool = 'limits' AND state = 'running' AND workload_id LIKE 'api%';
SELECT pg_temp.batch(), in_use <= 1 AS held, used FROM pg_temp.usage WHERE key = 'api';
UPDATE hwsched.key_holder SET assigned_at = assigned_at - interval '59 s' WHERE pool = 'limits';
SELECT pg_temp.batch(), used FROM pg_temp.usage WHERE key = 'api';
UPDATE hwsched.key_holder SET assigned_at = assigned_at - interval '2 s' WHERE pool = 'limits';
SELECT pg_temp.batch(), used FROM pg_temp.usage WHERE key = 'api';
SELECT pg_temp.clear();
SELECT pg_temp.submit('retry', 1, '"api"', '{"retries": 9}');
SELECT workload_id, attempt FROM hwsched.claim('a', pool => 'limits');
SELECT hwsched.fail(assignment_id, 'again', 'limits') FROM hwsched.assignment WHERE pool = 'limits' AND workload_id = 'retry1' AND finished_at IS NULL;
SELECT workload_id, attempt FROM hwsched.claim('b', pool => 'limits');
SELECT hwsched.fail(assignment_id, 'again', 'limits') FROM hwsched.assignment WHERE pool = 'limits' AND workload_id = 'retry1' AND finished_at IS NULL;
SELECT workload_id, attempt FROM hwsched.claim('a', pool => 'limits');
SELECT * FROM pg_temp.waits;
-- rows that count for nothing any more go
UPDATE hwsched.key_holder SET assigned_at = assigned_at - interval '11 min' WHERE pool = 'limits';
SELECT workload_id, attempt FROM hwsched.claim('a', pool => 'limits');
SELECT count(*) FROM hwsched.key_holder WHERE pool = 'limits';
SELECT pg_temp.clear();
-- nobody takes work over whose minute has no room for one more placement
SELECT hwsched.drain_worker('b', 'limits'), pg_temp.submit('stay', 2, '"api"'), pg_temp.submit('go', 1, '"goes"');
SELECT pg_temp.batch();
SELECT hwsched.resume_worker('b', 'limits');
SELECT workload_id FROM hwsched.claim('b', 20, pool => 'limits');
SELECT hwsched.rebalance(10, 'limits');
SELECT pg_temp.live('%'), (SELECT count(*) FROM pg_temp.waits) AS waiting;
SELECT pg_temp.clear();

--
-- What is refused, and how
--
SELECT pg_temp.refused('7'), pg_temp.refused('""'), pg_temp.refused('[1]');
SELECT pg_temp.refused('{"a": 0}'), pg_temp.refused('{"a": 1.5}'), pg_temp.refused('{"a": "x"}');
SELECT pg_temp.limits('{"a": {"concurent": 1}}');
SELECT pg_temp.limits('{"a": {"concurrent": 1.5}}');
SELECT pg_temp.limits('{"a": {"per_minute": -1}}');
SELECT pg_temp.limits('{"a": 3}');
SELECT pg_temp.limits('{"": {"concurrent": 1}}');
SELECT pg_temp.refused('[]'), pg_temp.refused('{}'), pg_temp.refused('null');
SELECT concurrency_keys FROM hwsched.workload WHERE pool = 'limits' AND state = 'pending';
SELECT hwsched.drop_pool('limits');
