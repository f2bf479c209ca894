-- pause_pool(): nothing is placed or started, what runs goes on, and everything says so.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', state, message, nullif(hint, ''));
END $$;

SELECT hwsched.create_pool('pause', '{"offline_after": "1 day", "max_concurrent": 2, "retry_backoff": "0 s"}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 4}', 'pause') FROM unnest('{a,b}'::text[]) AS w;
SELECT hwsched.submit_many('[{"test_id": "runs"}, {"test_id": "fails"}, {"test_id": "assigned"}, {"test_id": "assigned 2"}]', 'pause');
SELECT hwsched.assign_pending(pool => 'pause');
SELECT workload_id FROM hwsched.claim('a', pool => 'pause', steal => false) UNION ALL SELECT workload_id FROM hwsched.claim('b', pool => 'pause', steal => false) ORDER BY 1;
SELECT is_paused, paused_since, paused_by FROM hwsched.pool_summary WHERE pool = 'pause';
SELECT hwsched.pause_pool('pause');
SELECT is_paused, paused_since IS NOT NULL AS since, paused_by = session_user AS by_us FROM hwsched.pool_summary WHERE pool = 'pause';
SELECT value FROM hwsched.pool_settings('pause') WHERE name = 'paused';

-- nothing is placed or started
SELECT hwsched.submit_many('[{"test_id": "new"}, {"test_id": "too big", "cpu_cores": 99}, {"test_id": "child", "depends_on": ["runs"]}]', 'pause');
SELECT hwsched.register_worker('idle', '{"cpu_cores": 4}', 'pause');
SELECT hwsched.assign_pending(pool => 'pause');
SELECT count(*) FROM hwsched.plan_pending(pool => 'pause');
SELECT count(*) FROM hwsched.schedule('new', 'pause');
SELECT count(*) FROM hwsched.claim('a', 10, pool => 'pause');
SELECT count(*) FROM hwsched.claim('idle', 10, pool => 'pause');
SELECT hwsched.rebalance(10, 'pause');
SELECT DISTINCT pg_temp.error_of(format('SELECT hwsched.start(%s, ''pause'')', assignment_id)) FROM hwsched.assignment WHERE pool = 'pause' AND state = 'assigned';
SELECT pg_temp.error_of('SELECT hwsched.schedule(''nothing'', ''pause'')'), pg_temp.error_of('SELECT hwsched.start(0, ''pause'')');

-- everything says so, and says what would be so without the pause
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'pause' ORDER BY 1;
SELECT reason, workloads, ready FROM hwsched.explain_pending('pause') ORDER BY 1;
SELECT DISTINCT reason FROM hwsched.compatible_hardware('new', 'pause');

-- what runs goes on; what it leaves behind waits
SELECT hwsched.heartbeat('a', 'pause');
SELECT hwsched.extend_lease(assignment_id, '1 min', 'pause') FROM hwsched.assignment WHERE pool = 'pause' AND state = 'running' AND workload_id = 'runs';
SELECT hwsched.complete(assignment_id, NULL, 'pause') FROM hwsched.assignment WHERE pool = 'pause' AND workload_id = 'runs';
SELECT hwsched.fail(assignment_id, 'oops', 'pause') FROM hwsched.assignment WHERE pool = 'pause' AND workload_id = 'fails';
SELECT hwsched.assign_pending(pool => 'pause');
SELECT workload_id, state FROM hwsched.workload WHERE pool = 'pause' ORDER BY 1;
-- nobody is to blame for what could not start
UPDATE hwsched.assignment SET assigned_at = now() - interval '1 hour' WHERE pool = 'pause';
UPDATE hwsched.worker_usage SET ran_at = now() - interval '1 hour' WHERE pool = 'pause';
SELECT expired FROM hwsched.maintain('pause');

-- twice is once
SELECT count(*) AS versions FROM hwsched.settings_version WHERE pool = 'pause';
SELECT hwsched.pause_pool('pause'), count(*) AS versions FROM hwsched.settings_version WHERE pool = 'pause';
-- other settings change meanwhile, and the pause began when it began
SELECT hwsched.alter_pool('pause', '{"max_load": 0.8}');
SELECT paused_since = (SELECT changed_at FROM hwsched.settings_version WHERE pool = 'pause' AND version = 2) AS since_then FROM hwsched.pool_summary WHERE pool = 'pause';
SELECT hwsched.resume_pool('pause');
SELECT is_paused, paused_since FROM hwsched.pool_summary WHERE pool = 'pause';
SELECT hwsched.resume_pool('pause'), count(*) AS versions FROM hwsched.settings_version WHERE pool = 'pause';
-- the time to start begins anew
SELECT expired FROM hwsched.maintain('pause');
UPDATE hwsched.settings_version SET changed_at = changed_at - interval '1 hour' WHERE pool = 'pause';
SELECT hwsched.alter_pool('pause', '{"max_load": 0.7}');
SELECT expired FROM hwsched.maintain('pause');
SELECT hwsched.assign_pending(pool => 'pause');
SELECT workload_id, state FROM hwsched.workload WHERE pool = 'pause' ORDER BY 1;
-- who may alter the pool may say it as a setting; a pause that is undone was none
SELECT hwsched.alter_pool('pause', '{"paused": true}');
SELECT count(*) FROM hwsched.plan_pending(pool => 'pause');
SELECT hwsched.resume_pool('pause');
BEGIN;
SELECT hwsched.pause_pool('pause');
SELECT count(*) FROM hwsched.claim('a', 10, pool => 'pause');
ROLLBACK;
SELECT count(*) > 0 AS claims FROM hwsched.claim('a', 10, pool => 'pause');
SELECT pg_temp.error_of('SELECT hwsched.pause_pool(''nowhere'')'), pg_temp.error_of('SELECT hwsched.resume_pool(NULL)');
SELECT hwsched.drop_pool('pause');
