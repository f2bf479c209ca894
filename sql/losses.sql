-- What is lost with a worker: restarts, two hosts of one name, and innocents
-- beside work that takes workers down.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

CREATE VIEW pg_temp.went AS
SELECT a.pool, a.assignment_id, a.workload_id, a.attempt, a.worker_id, a.state, a.error, a.lost_with, a.alone, w.state AS workload
FROM hwsched.assignment AS a JOIN hwsched.workload AS w USING (pool, workload_id);
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', state, message, nullif(regexp_replace(detail, '\d+ s old', 'N s old'), ''), nullif(hint, ''));
END $$;
CREATE FUNCTION pg_temp.silent(p text, w text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	UPDATE hwsched.worker_load SET last_seen_at = now() - interval '91 s' WHERE pool = p AND worker_id = coalesce(w, worker_id) $$;

--
-- One name, two hosts: the second is refused while the first is alive
--
SELECT hwsched.create_pool('loss', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker('vm', '{"hostname": "host-a", "cpu_cores": 4}', 'loss');
SELECT hwsched.submit('{"test_id": "j"}', 'loss');
SELECT workload_id FROM hwsched.claim('vm', pool => 'loss');
SELECT pg_temp.error_of($$SELECT hwsched.register_worker('vm', '{"hostname": "host-b", "cpu_cores": 4}', 'loss')$$);
SELECT hostname, incarnation FROM hwsched.worker WHERE pool = 'loss';
SELECT hwsched.complete(assignment_id, pool => 'loss') FROM hwsched.assignment WHERE pool = 'loss';
-- the same host again is nothing new
SELECT hwsched.submit_many('[{"test_id": "k", "retries": 0}, {"test_id": "l"}]', 'loss'), hwsched.assign_pending(pool => 'loss');
SELECT workload_id FROM hwsched.claim('vm', pool => 'loss');
SELECT hwsched.register_worker('vm', '{"hostname": "host-a", "cpu_cores": 4, "max_concurrent": 9}', 'loss');
SELECT workload_id, state FROM pg_temp.went WHERE pool = 'loss' AND workload_id IN ('k', 'l') ORDER BY workload_id;
-- another host once the first is silent: what that ran is lost at once, what has not started is not
SELECT pg_temp.silent('loss');
SELECT hwsched.register_worker('vm', '{"hostname": "host-b", "cpu_cores": 4}', 'loss');
SELECT workload_id, state, error, workload FROM pg_temp.went WHERE pool = 'loss' AND workload_id IN ('k', 'l') ORDER BY workload_id;
SELECT hostname, incarnation FROM hwsched.worker WHERE pool = 'loss';
--
-- A restart under the same name, told by its incarnation
--
SELECT hwsched.register_worker('r', '{"hostname": "h", "incarnation": "boot-1", "cpu_cores": 4}', 'loss');
SELECT hwsched.drain_worker('vm', 'loss'), hwsched.submit('{"test_id": "m", "priority": 1}', 'loss');
SELECT workload_id FROM hwsched.claim('r', pool => 'loss');
SELECT hwsched.register_worker('r', '{"hostname": "h", "incarnation": "boot-1", "cpu_cores": 4}', 'loss');
SELECT count(*) AS runs FROM hwsched.running_on('r', 'loss');
SELECT hwsched.register_worker('r', '{"hostname": "h", "incarnation": "boot-2", "cpu_cores": 4}', 'loss');
SELECT count(*) AS runs FROM hwsched.running_on('r', 'loss');
SELECT attempt, state, error, workload FROM pg_temp.went WHERE pool = 'loss' AND workload_id = 'm' ORDER BY assignment_id;
SELECT failures_in_row FROM hwsched.worker WHERE pool = 'loss' AND worker_id = 'r';
SELECT attempt FROM hwsched.pending WHERE pool = 'loss' AND workload_id = 'm';
-- who says nothing of itself goes on as it was
SELECT workload_id FROM hwsched.claim('r', pool => 'loss');
SELECT hwsched.register_worker('r', '{"cpu_cores": 4}', 'loss');
SELECT count(*) AS runs FROM hwsched.running_on('r', 'loss');
SELECT pg_temp.error_of(format('SELECT hwsched.register_worker(''r'', %L, ''loss'')', d)) FROM unnest(ARRAY['{"incarnation": 7}', '{"incarnation": {}}']) AS d;

--
-- A poison pill and its neighbours on the only worker: the first loss in company
-- counts for nobody, the second for all; after that each runs alone
--
SELECT hwsched.create_pool('poison', '{"retry_backoff": "0 s", "quarantine_after": 100, "max_concurrent": 10}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 8}', 'poison');
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', t, 'retries', 2)), 'poison') FROM unnest('{poison,one,two}'::text[]) AS t;
SELECT count(*) FROM hwsched.claim('w', 9, pool => 'poison');
SELECT pg_temp.silent('poison'), (hwsched.maintain('poison')).offline;
SELECT workload_id, attempt, alone FROM hwsched.pending WHERE pool = 'poison' ORDER BY queue_no;
SELECT count(*) FROM hwsched.claim('w', 9, pool => 'poison');
SELECT pg_temp.silent('poison'), (hwsched.maintain('poison')).offline;
SELECT workload_id, attempt, alone FROM hwsched.pending WHERE pool = 'poison' ORDER BY queue_no;
SELECT workload_id, lost_with FROM pg_temp.went WHERE pool = 'poison' ORDER BY assignment_id;
-- alone: nothing else comes, and it comes to nobody who has something
SELECT workload_id FROM hwsched.claim('w', 9, pool => 'poison');
SELECT hwsched.submit('{"test_id": "other"}', 'poison');
SELECT count(*) FROM hwsched.claim('w', 9, pool => 'poison');
SELECT hwsched.assign_pending(pool => 'poison');
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'poison' ORDER BY queue_no;
SELECT reason FROM hwsched.compatible_hardware('other', 'poison');
SELECT pg_temp.silent('poison'), (hwsched.maintain('poison')).offline;
-- the poison is found out; the others run, one after the other
SELECT workload_id, workload, lost_with FROM pg_temp.went WHERE pool = 'poison' AND workload_id = 'poison' ORDER BY assignment_id;
CREATE FUNCTION pg_temp.run_one() RETURNS text LANGUAGE sql AS $$
	WITH c AS (SELECT * FROM hwsched.claim('w', 9, pool => 'poison'))
	SELECT string_agg(workload_id, ', ') FROM c, LATERAL hwsched.complete(assignment_id, pool => 'poison') $$;
SELECT pg_temp.run_one();
SELECT pg_temp.run_one();
SELECT pg_temp.run_one();
SELECT workload_id, state FROM hwsched.workload WHERE pool = 'poison' ORDER BY queue_no;
-- who had failed before is not innocent, and who was the only one is not either
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', t, 'retries', 2)), 'poison') FROM unnest('{failed,new}'::text[]) AS t;
SELECT hwsched.fail(assignment_id, 'broken', 'poison') FROM hwsched.schedule('failed', 'poison');
SELECT count(*) FROM hwsched.claim('w', 9, pool => 'poison');
SELECT pg_temp.silent('poison'), (hwsched.maintain('poison')).offline;
SELECT workload_id, attempt FROM hwsched.pending WHERE pool = 'poison' ORDER BY queue_no;
SELECT workload_id FROM hwsched.claim('w', pool => 'poison');
SELECT pg_temp.silent('poison'), (hwsched.maintain('poison')).offline;
SELECT workload_id, attempt FROM hwsched.pending WHERE pool = 'poison' ORDER BY queue_no;
-- in a batch, too: a worker of its own, and one is kept free for it if there is none
SELECT hwsched.create_pool('alone', '{"retry_backoff": "0 s", "quarantine_after": 100}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 8}', 'alone') FROM unnest('{a,b}'::text[]) AS w;
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', 'x' || n)), 'alone') FROM generate_series(1, 2) AS n;
UPDATE hwsched.pending SET alone = true WHERE pool = 'alone' AND workload_id = 'x2';
SELECT workload_id, worker_id FROM hwsched.plan_pending(pool => 'alone');
SELECT hwsched.assign_pending(pool => 'alone');
SELECT workload_id, worker_id, alone FROM pg_temp.went WHERE pool = 'alone' ORDER BY 1;
SELECT hwsched.submit_many('[{"test_id": "y", "priority": 1}, {"test_id": "z"}]', 'alone');
UPDATE hwsched.pending SET alone = true WHERE pool = 'alone' AND workload_id = 'y';
SELECT hwsched.assign_pending(pool => 'alone');
SELECT workload_id, regexp_replace(reason, '\d{4}-.*', '...') AS reason FROM hwsched.pending_workloads WHERE pool = 'alone' ORDER BY 1;
SELECT worker_id, workload_id FROM hwsched.reservation WHERE pool = 'alone';
SELECT count(hwsched.complete(assignment_id, pool => 'alone')) FROM hwsched.claim('a', pool => 'alone');
SELECT hwsched.assign_pending(pool => 'alone');
SELECT workload_id, worker_id, alone FROM pg_temp.went WHERE pool = 'alone' AND state = 'assigned' ORDER BY 1;

-- what runs elsewhere meanwhile is not stolen away from it, nor moved to it
SELECT hwsched.rebalance(9, 'alone');
SELECT count(*) FROM hwsched.claim('b', 9, pool => 'alone');
SELECT count(*) FROM hwsched.claim('b', 9, pool => 'alone');

SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool IN ('loss', 'poison', 'alone');
