-- Maintenance windows: nothing is started on a worker that is predicted to reach into one; it ends by itself.
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
	RETURN regexp_replace(concat_ws(' | ', state, message, nullif(detail, '')), '\d+ would|at [A-Z0-9].*$', 'N', 'g');
END $$;
CREATE VIEW pg_temp.went AS SELECT workload_id, attempt, worker_id, state, error FROM hwsched.assignment WHERE pool = 'windows';
CREATE FUNCTION pg_temp.clear() RETURNS void LANGUAGE sql AS $$
	SELECT count(hwsched.cancel(workload_id, 'windows')) FROM (SELECT workload_id FROM hwsched.workload WHERE pool = 'windows' AND state IN ('pending', 'assigned', 'running') OFFSET 0) AS w;
	DELETE FROM hwsched.assignment WHERE pool = 'windows' $$;
-- A window so far ahead, in minutes, for so long
CREATE FUNCTION pg_temp.window(worker text, ahead int, lasts int) RETURNS void LANGUAGE sql AS $$
	SELECT hwsched.drain_worker(worker, now() + make_interval(mins => ahead), now() + make_interval(mins => ahead + lasts), 'windows') $$;

SELECT hwsched.create_pool('windows', '{"offline_after": "1 day", "max_concurrent": 3, "learning": false}');
SELECT hwsched.register_worker('a', '{"cpu_cores": 8}', 'windows');
SELECT pg_temp.window('a', 30, 60);
SELECT worker_id, state, is_drained, drain_at - now() > '29 min' AS begins, drain_until - drain_at AS lasts FROM hwsched.worker_status WHERE pool = 'windows';

-- before it: what is over in time is placed, by every way, and nothing else
SELECT hwsched.submit_many('[{"test_id": "short", "expected_duration": 60}, {"test_id": "long", "expected_duration": 36000}, {"test_id": "gang", "expected_duration": 36000, "allocation_strategy": "replicated", "min_shards": 2, "share_worker": true}]', 'windows');
SELECT workload_id FROM hwsched.plan_pending(pool => 'windows');
SELECT count(*) FROM hwsched.schedule('long', 'windows');
SELECT count(*) FROM hwsched.schedule('gang', 'windows');
SELECT workload_id FROM hwsched.schedule('short', 'windows');
SELECT hwsched.submit('{"test_id": "short 2", "expected_duration": 60}', 'windows');
SELECT workload_id FROM hwsched.claim('a', 10, pool => 'windows') UNION ALL SELECT workload_id FROM hwsched.claim('a', 10, pool => 'windows');
SELECT hwsched.assign_pending(pool => 'windows');
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'windows' ORDER BY 1;
SELECT DISTINCT reason FROM hwsched.compatible_hardware('long', 'windows');
-- it registers again, and keeps its window
SELECT hwsched.register_worker('a', '{"cpu_cores": 8}', 'windows');
SELECT drain_at IS NOT NULL AS kept FROM hwsched.worker_status WHERE pool = 'windows';
-- another worker takes what is too long
SELECT hwsched.register_worker('b', '{"cpu_cores": 8}', 'windows');
SELECT hwsched.assign_pending(pool => 'windows');
SELECT workload_id, worker_id, state FROM pg_temp.went ORDER BY 1, 2;
SELECT pg_temp.clear();

-- what is assigned when the window is made, or comes near, goes back and elsewhere
SELECT hwsched.resume_worker('a', 'windows'), hwsched.drain_worker('b', 'windows');
SELECT hwsched.submit_many('[{"test_id": "runs", "expected_duration": 36000}, {"test_id": "long", "expected_duration": 36000}]', 'windows');
SELECT hwsched.assign_pending(pool => 'windows');
SELECT workload_id FROM hwsched.claim('a', pool => 'windows');
SELECT pg_temp.window('a', 30, 60);
SELECT workload_id, worker_id, state, error FROM pg_temp.went ORDER BY 1;
SELECT hwsched.resume_worker('a', 'windows');
SELECT drain_at FROM hwsched.worker_status WHERE pool = 'windows' AND worker_id = 'a';
SELECT hwsched.assign_pending(pool => 'windows');
UPDATE hwsched.worker SET drain_at = now() + interval '30 min', drain_until = now() + interval '90 min' WHERE pool = 'windows' AND worker_id = 'a';
SELECT count(*) FROM hwsched.claim('a', pool => 'windows');
SELECT DISTINCT pg_temp.error_of(format('SELECT hwsched.start(%s, ''windows'')', assignment_id)) FROM hwsched.assignment WHERE pool = 'windows' AND state = 'assigned';
SELECT expired FROM hwsched.maintain('windows');
SELECT workload_id, worker_id, state, error FROM pg_temp.went ORDER BY 1, error;
SELECT pg_temp.clear();

-- in it: nothing at all; what runs goes on
SELECT pg_temp.window('a', -1, 60);
SELECT hwsched.submit('{"test_id": "short", "expected_duration": 1}', 'windows');
SELECT hwsched.assign_pending(pool => 'windows'), (SELECT count(*) FROM hwsched.claim('a', pool => 'windows')) AS claimed;
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'windows';
SELECT worker_id, is_drained FROM hwsched.worker_status WHERE pool = 'windows' AND worker_id = 'a';
-- over: by itself
UPDATE hwsched.worker SET drain_until = now() - interval '1 s' WHERE pool = 'windows' AND worker_id = 'a';
SELECT drain_at, drain_until, is_drained FROM hwsched.worker_status WHERE pool = 'windows' AND worker_id = 'a';
SELECT hwsched.assign_pending(pool => 'windows');
SELECT expired FROM hwsched.maintain('windows');
SELECT drain_at, drain_until FROM hwsched.worker WHERE pool = 'windows' AND worker_id = 'a';
-- the optimal solver avoids it, too
SELECT pg_temp.clear(), hwsched.alter_pool('windows', '{"solver": "optimal"}'), pg_temp.window('a', 30, 60), hwsched.resume_worker('b', 'windows');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'o' || i, 'expected_duration', 36000)) FROM generate_series(1, 6) AS i), 'windows');
SELECT hwsched.assign_pending(pool => 'windows');
SELECT worker_id, count(*) FROM pg_temp.went WHERE state = 'assigned' GROUP BY 1;
-- nobody in a window to come takes work over
SELECT count(*) FROM hwsched.claim('a', pool => 'windows');
SELECT hwsched.rebalance(10, 'windows');

-- what is refused
SELECT pg_temp.error_of('SELECT hwsched.drain_worker(''a'', ''2099-01-02'', ''2099-01-01'', ''windows'')');
SELECT pg_temp.error_of('SELECT hwsched.drain_worker(''a'', ''2001-01-02'', ''2001-01-03'', ''windows'')');
SELECT pg_temp.error_of('SELECT hwsched.drain_worker(''a'', ''infinity'', ''infinity'', ''windows'')');
SELECT pg_temp.error_of('SELECT hwsched.drain_worker(''nobody'', ''2099-01-01'', ''2099-01-02'', ''windows'')');
SELECT pg_temp.error_of('SELECT hwsched.drain_worker(''a'', NULL, ''2099-01-02'', ''windows'')');
SELECT hwsched.drop_pool('windows');
