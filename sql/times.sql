-- When work may start and until when: run_at, expires_at, start_timeout; and what becomes of it when a dependency fails.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

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
CREATE FUNCTION pg_temp.refused(requirements jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.error_of(format('SELECT hwsched.submit(%L, ''times'')', requirements)) $$;
CREATE VIEW pg_temp.stands AS SELECT w.workload_id, w.state, w.outcome_reason, p.reason FROM hwsched.workload AS w LEFT JOIN hwsched.pending_workloads AS p USING (pool, workload_id) WHERE pool = 'times';
CREATE VIEW pg_temp.went AS SELECT workload_id, attempt, worker_id, state, error FROM hwsched.assignment WHERE pool = 'times';
-- Moves what the pool knows of time into the past
CREATE FUNCTION pg_temp.pass(by interval) RETURNS void LANGUAGE sql AS $$
	UPDATE hwsched.submission SET run_at = run_at - by, expires_at = expires_at - by WHERE pool = 'times';
	UPDATE hwsched.pending SET run_at = run_at - by, expires_at = expires_at - by, ready_at = ready_at - by WHERE pool = 'times';
	UPDATE hwsched.assignment SET expires_at = expires_at - by WHERE pool = 'times' $$;
CREATE FUNCTION pg_temp.clear() RETURNS void LANGUAGE sql AS $$
	SELECT count(hwsched.cancel(workload_id, 'times')) FROM (SELECT workload_id FROM hwsched.workload WHERE pool = 'times' AND state IN ('pending', 'assigned', 'running') OFFSET 0) AS w $$;

SELECT hwsched.create_pool('times', '{"retry_backoff": "0 s", "offline_after": "1 day"}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 8, "available_memory": 16}', 'times') FROM unnest('{a,b}'::text[]) AS w;

--
-- run_at: nobody places it before
--
SELECT hwsched.submit_many('[{"test_id": "later", "run_at": "2099-01-01 12:00Z", "priority": 1}, {"test_id": "now"}, {"test_id": "was", "run_at": "2001-01-01"}, {"test_id": "gang", "run_at": "2099-01-01 12:00Z", "custom_properties": {"allocation_strategy": "replicated", "min_shards": 2}}]', 'times');
SELECT workload_id FROM hwsched.plan_pending(pool => 'times') ORDER BY 1;
SELECT count(*) FROM hwsched.schedule('later', 'times');
SELECT count(*) FROM hwsched.schedule('gang', 'times');
SELECT workload_id FROM hwsched.claim('a', 10, pool => 'times') ORDER BY 1;
SELECT hwsched.assign_pending(pool => 'times');
SELECT * FROM pg_temp.stands ORDER BY 1;
SELECT reason, workloads, ready FROM hwsched.explain_pending('times') ORDER BY 1;
SELECT DISTINCT reason FROM hwsched.compatible_hardware('later', 'times');
SELECT workload_id, run_at, expires_at FROM hwsched.workload WHERE pool = 'times' ORDER BY 1;
-- the clock that was set back does not bring it near
SELECT expired FROM hwsched.maintain('times');
SELECT workload_id, ready_at FROM hwsched.pending WHERE pool = 'times' ORDER BY 1;
SELECT pg_temp.pass('98 years');
SELECT workload_id FROM hwsched.plan_pending(pool => 'times') GROUP BY 1 ORDER BY 1;
SELECT hwsched.assign_pending(pool => 'times');
SELECT workload_id, state FROM pg_temp.went ORDER BY 1, 2;
SELECT pg_temp.clear();
-- it waits for both: what it depends on, and its time
SELECT hwsched.submit_many('[{"test_id": "parent"}, {"test_id": "child", "depends_on": ["parent"], "run_at": "2099-01-01 12:00Z"}, {"test_id": "late child", "depends_on": ["parent"], "run_at": "2001-01-01"}]', 'times');
SELECT hwsched.assign_pending(pool => 'times');
SELECT hwsched.complete(assignment_id, NULL, 'times') FROM hwsched.claim('a', pool => 'times') UNION ALL SELECT hwsched.complete(assignment_id, NULL, 'times') FROM hwsched.claim('b', pool => 'times', steal => false);
-- what is completed and not settled yet counts
SELECT workload_id FROM hwsched.plan_pending(pool => 'times');
SELECT hwsched.assign_pending(pool => 'times');
SELECT * FROM pg_temp.stands WHERE workload_id LIKE '%child' ORDER BY 1;
SELECT pg_temp.pass('98 years');
SELECT hwsched.assign_pending(pool => 'times');
SELECT pg_temp.clear();
-- judged at the time of the transaction
BEGIN;
SELECT hwsched.submit(jsonb_build_object('test_id', 'soon', 'run_at', now() + interval '1 ms'), 'times');
SELECT pg_sleep(0.01);
SELECT hwsched.assign_pending(pool => 'times');
COMMIT;
SELECT hwsched.assign_pending(pool => 'times');
SELECT pg_temp.clear();
SELECT pg_temp.refused('{"run_at": "infinity"}');
SELECT pg_temp.refused('{"run_at": "tomorrow night"}');
SELECT pg_temp.refused('{"run_at": 5}');
SELECT pg_temp.refused('{"run_at": "2099-01-01", "expires_at": "2098-01-01"}');

--
-- expires_at: what has not started by then is cancelled, and nobody starts it
--
SELECT hwsched.submit_many('[{"test_id": "past", "expires_at": "2001-01-01"}, {"test_id": "placed", "expires_at": "2099-01-01"}, {"test_id": "started", "expires_at": "2099-01-01"}, {"test_id": "open", "expires_at": "2099-01-01", "cpu_cores": 99}, {"test_id": "free"}]', 'times');
SELECT workload_id FROM hwsched.plan_pending(pool => 'times') ORDER BY 1;
SELECT * FROM pg_temp.stands WHERE workload_id = 'past';
SELECT hwsched.assign_pending(pool => 'times');
SELECT * FROM pg_temp.stands WHERE workload_id IN ('past', 'placed', 'started', 'open', 'free') ORDER BY 1;
SELECT hwsched.start(assignment_id, 'times') FROM hwsched.assignment WHERE pool = 'times' AND workload_id = 'started' AND finished_at IS NULL;
SELECT pg_temp.pass('98 years');
SELECT hwsched.fail(assignment_id, 'crashed', 'times') FROM hwsched.assignment WHERE pool = 'times' AND workload_id = 'started' AND state = 'running';
SELECT regexp_replace(pg_temp.error_of(format('SELECT hwsched.start(%s, ''times'')', assignment_id)), '\d+ has', 'N has') FROM hwsched.assignment WHERE pool = 'times' AND workload_id = 'placed';
SELECT workload_id FROM hwsched.claim('a', 10, false, 'times') UNION ALL SELECT workload_id FROM hwsched.claim('b', 10, false, 'times') ORDER BY 1;
SELECT hwsched.rebalance(10, 'times');
SELECT expired FROM hwsched.maintain('times');
-- a run that has started is tried again
SELECT * FROM pg_temp.stands WHERE workload_id IN ('past', 'placed', 'started', 'open', 'free') ORDER BY 1;
SELECT * FROM pg_temp.went WHERE workload_id IN ('placed', 'started') ORDER BY 1, 2;
SELECT assignments, cpu_millicores FROM hwsched.worker_usage WHERE pool = 'times' ORDER BY 1;
SELECT pg_temp.clear();
-- a gang goes as a whole, unless a member has started
SELECT hwsched.submit_many('[{"test_id": "gang 1", "expires_at": "2099-01-01", "custom_properties": {"allocation_strategy": "replicated", "min_shards": 2}}, {"test_id": "gang 2", "expires_at": "2099-01-01", "custom_properties": {"allocation_strategy": "replicated", "min_shards": 2}}]', 'times');
SELECT hwsched.assign_pending(pool => 'times');
SELECT hwsched.start(min(assignment_id), 'times') FROM hwsched.assignment WHERE pool = 'times' AND workload_id = 'gang 2' AND finished_at IS NULL;
SELECT pg_temp.pass('98 years');
SELECT hwsched.assign_pending(pool => 'times');
SELECT workload_id, state, error FROM pg_temp.went WHERE workload_id LIKE 'gang _' ORDER BY 1, 2;
SELECT workload_id, state, outcome_reason FROM pg_temp.stands WHERE workload_id LIKE 'gang _' ORDER BY 1;
SELECT workload_id FROM hwsched.claim('a', 10, false, 'times') UNION ALL SELECT workload_id FROM hwsched.claim('b', 10, false, 'times');
SELECT pg_temp.clear();
-- submitted again, it is a run without a past; schedule() leaves what has expired
SELECT hwsched.submit('{"test_id": "past"}', 'times');
SELECT * FROM pg_temp.stands WHERE workload_id = 'past';
SELECT hwsched.cancel('past', 'times'), hwsched.submit('{"test_id": "past", "expires_at": "2001-01-01"}', 'times');
SELECT count(*) FROM hwsched.schedule('past', 'times');
SELECT expired FROM hwsched.maintain('times');
SELECT * FROM pg_temp.stands WHERE workload_id = 'past';

--
-- start_timeout of one workload, as a typed value
--
SELECT hwsched.submit_many('[{"test_id": "s1", "start_timeout": "1 min"}, {"test_id": "s2", "start_timeout": 90}, {"test_id": "s3"}]', 'times');
SELECT workload_id, start_timeout_seconds FROM hwsched.submission WHERE pool = 'times' AND workload_id LIKE 's_' ORDER BY 1;
SELECT pg_temp.clear();

--
-- on_failed_dependency
--
SELECT hwsched.submit_many('[{"test_id": "build", "retries": 0}, {"test_id": "test", "depends_on": ["build"], "on_failed_dependency": "cancel"}, {"test_id": "report", "depends_on": ["test", "build"], "on_failed_dependency": "cancel"}, {"test_id": "cleanup", "depends_on": ["test"], "on_failed_dependency": "run"}, {"test_id": "keeper", "depends_on": ["build"], "on_failed_dependency": "wait"}, {"test_id": "both", "depends_on": ["build", "keeper"], "on_failed_dependency": "run"}]', 'times');
SELECT hwsched.assign_pending(pool => 'times');
SELECT hwsched.fail(assignment_id, 'compile error', 'times') FROM hwsched.assignment WHERE pool = 'times' AND workload_id = 'build' AND finished_at IS NULL;
SELECT * FROM pg_temp.stands WHERE workload_id IN ('build', 'test', 'report', 'cleanup', 'keeper', 'both') ORDER BY 1;
SELECT workload_id, depends_on FROM hwsched.dependency WHERE pool = 'times' ORDER BY 1, 2;
SELECT hwsched.assign_pending(pool => 'times');
SELECT workload_id, state FROM pg_temp.went WHERE workload_id = 'cleanup';
-- the dead one, tried again, lets on what waits
SELECT hwsched.retry_dead('build', 'times'), hwsched.assign_pending(pool => 'times');
SELECT state FROM pg_temp.stands WHERE workload_id = 'keeper';
-- what is submitted later
SELECT hwsched.cancel('build', 'times');
SET client_min_messages = notice;
SELECT hwsched.submit_many('[{"test_id": "late", "depends_on": ["build"]}, {"test_id": "late run", "depends_on": ["build"], "on_failed_dependency": "run"}, {"test_id": "late cancel", "depends_on": ["build"], "on_failed_dependency": "cancel"}, {"test_id": "late child", "depends_on": ["late cancel"], "on_failed_dependency": "cancel"}]', 'times');
SET client_min_messages = warning;
SELECT * FROM pg_temp.stands WHERE workload_id LIKE 'late%' ORDER BY 1;
SELECT hwsched.assign_pending(pool => 'times');
SELECT state FROM pg_temp.stands WHERE workload_id = 'late run';
-- what has expired has failed
SELECT hwsched.submit_many('[{"test_id": "gone", "expires_at": "2001-01-01"}, {"test_id": "after gone", "depends_on": ["gone"], "on_failed_dependency": "run"}]', 'times');
SELECT hwsched.maintain('times') IS NOT NULL AS maintained;
SELECT * FROM pg_temp.stands WHERE workload_id LIKE '%gone' ORDER BY 1;
SELECT pg_temp.refused('{"depends_on": ["build"], "on_failed_dependency": "retry"}');
SELECT hwsched.drop_pool('times');
