-- Work: submitting, the queue, claiming, finishing, failing, cancelling.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', state, message, nullif(detail, ''), nullif(hint, ''));
END $$;
-- Numbers of assignments differ from run to run: 7 becomes N
CREATE FUNCTION pg_temp.error_on(statement text) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(pg_temp.error_of(statement), 'assignment \d+', 'assignment N') $$;
CREATE VIEW pg_temp.place AS
SELECT w.pool, w.workload_id, w.run, w.state, a.worker_id, a.state AS assignment, a.attempt, a.error
FROM hwsched.workload AS w LEFT JOIN hwsched.assignment AS a USING (pool, workload_id, run);
-- The latest assignment of a workload
CREATE FUNCTION pg_temp.latest(workload text, in_pool text DEFAULT 'work') RETURNS bigint LANGUAGE sql AS $$
	SELECT max(assignment_id) FROM hwsched.assignment WHERE pool = in_pool AND workload_id = workload $$;

SELECT hwsched.create_pool('work', '{"quarantine_after": 1000, "retry_backoff": "0 s"}');

--
-- Submitting: what is kept, ids of one's own and generated ones
--
SELECT hwsched.submit('{"test_id": "t1", "test_type": "vision", "model_id": "vit", "model_family": "vit-family", "expected_duration": 12.5, "priority": 2, "retries": 1,
	"timeout": "10 min", "deadline": "2030-01-01 00:00:00+00", "custom_properties": {"note": "kept"}}', 'work');
SELECT workload_id, run, state, priority, workload_type, model_id, model_family, expected_seconds, timeout_seconds, retries, deadline AT TIME ZONE 'UTC' AS deadline, closed_at, requirements
FROM hwsched.workload WHERE pool = 'work';
SELECT hwsched.submit('{}', 'work') ~ '^[0-9a-f-]{36}$' AS generated;
SELECT state, priority, retries, timeout_seconds, expected_seconds, deadline FROM hwsched.workload WHERE pool = 'work' AND workload_id <> 't1';
SELECT hwsched.cancel(workload_id, 'work') FROM hwsched.workload WHERE pool = 'work';
-- an id once only while it is open, here and in one call
SELECT hwsched.submit('{"test_id": "twice"}', 'work');
SELECT pg_temp.error_of($$SELECT hwsched.submit('{"test_id": "twice"}', 'work')$$);
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{"test_id": "new"}, {"test_id": "twice"}]', 'work')$$);
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{"test_id": "new"}, {"test_id": "new"}]', 'work')$$);
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{"test_id": "new"}, {"priority": 9}]', 'work')$$);
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{"test_id": "new"}, 7]', 'work')$$);
SELECT pg_temp.error_of(format('SELECT hwsched.submit_many(%L, %L)', array_document, 'work')) FROM unnest(ARRAY['{"test_id": "new"}', '7', 'null', '"text"']) AS array_document;
SELECT pg_temp.error_of($$SELECT hwsched.submit('{"test_id": ""}', 'work')$$);
SELECT pg_temp.error_of(format('SELECT hwsched.submit(%L, %L)', jsonb_build_object('test_id', repeat('x', 1001)), 'work')) ~ '^22023 .*Expected 1 to 1000 bytes' AS too_long;
-- all or nothing: none of them is there
SELECT count(*) AS none FROM hwsched.submission WHERE pool = 'work' AND workload_id = 'new';
SELECT count(*) AS one FROM hwsched.pending WHERE pool = 'work';
SELECT hwsched.submit_many('[]', 'work') AS empty;
-- what the error is about is named by its place
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{}, {}, {"retries": -1}]', 'work')$$);
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{}, {"custom_properties": {"workload_profile": {"metrics": {"parallelism": 2}}}}]', 'work')$$);
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{}, {"depends_on": ["a"]}]', 'work')$$);
SELECT hwsched.cancel('twice', 'work');

--
-- The queue: priority first, then submission, the order of the array in submit_many
--
SELECT hwsched.submit('{"test_id": "q0 5", "priority": 5}', 'work'), hwsched.submit_many('[{"test_id": "q1 3"}, {"test_id": "q2 1", "priority": 1}, {"test_id": "q3 3"}, {"test_id": "q4 1", "priority": 1}]', 'work'),
	hwsched.submit('{"test_id": "q5 3"}', 'work');
SELECT workload_id FROM hwsched.pending WHERE pool = 'work' ORDER BY priority, queue_no;
SELECT workload_id FROM hwsched.pending_workloads WHERE pool = 'work';
-- batches of two take them in that order; a plan says so beforehand
SELECT hwsched.register_worker('w', '{"cpu_cores": 4}', 'work');
SELECT workload_id FROM hwsched.plan_pending(2, 'work');
SELECT hwsched.assign_pending(2, 'work'), hwsched.assign_pending(0, 'work') AS none;
SELECT workload_id FROM hwsched.pending WHERE pool = 'work' ORDER BY priority, queue_no;
SELECT workload_id, state FROM hwsched.workload WHERE pool = 'work' AND state = 'assigned' ORDER BY 1;

--
-- Claiming: what is assigned first, by priority; pending work when there is none
--
SELECT hwsched.assign_pending(1, 'work');
SELECT workload_id, state, lease_until - interval '60 s' BETWEEN now() AND clock_timestamp() AS leased, started_at BETWEEN now() AND clock_timestamp() AS started FROM hwsched.claim('w', 1, true, 'work');
SELECT workload_id FROM hwsched.claim('w', 10, true, 'work') ORDER BY 1;
SELECT workload_id FROM hwsched.claim('w', 1, true, 'work');
SELECT workload_id FROM hwsched.claim('w', 10, true, 'work') ORDER BY 1;
SELECT count(*) AS all_claimed FROM hwsched.claim('w', 10, true, 'work');
-- only what fits this worker is pulled
SELECT hwsched.submit_many('[{"test_id": "for gpus", "required_backend": "gpu", "priority": 1}, {"test_id": "for cpus"}]', 'work');
SELECT hwsched.complete_many((SELECT array_agg(assignment_id) FROM hwsched.assignment WHERE pool = 'work' AND state = 'running'), 'work');
SELECT workload_id FROM hwsched.claim('w', 10, true, 'work');
SELECT workload_id, state FROM hwsched.workload WHERE pool = 'work' AND workload_id = 'for gpus';
-- and no more than the worker takes at once
SELECT hwsched.register_worker('narrow', '{"cpu_cores": 4, "max_concurrent": 2}', 'work'), hwsched.drain_worker('w', 'work');
SELECT hwsched.submit_many('[{"test_id": "n1"}, {"test_id": "n2"}, {"test_id": "n3"}]', 'work');
SELECT count(*) FROM hwsched.claim('narrow', 3, true, 'work');
SELECT pg_temp.error_of($$SELECT * FROM hwsched.claim('w', 0, true, 'work')$$);
SELECT pg_temp.error_of($$SELECT * FROM hwsched.claim('nobody', 1, true, 'work')$$);
SELECT hwsched.drop_pool('work'), hwsched.create_pool('work', '{"lease": "2 min", "quarantine_after": 1000, "retry_backoff": "0 s"}');

--
-- A life: assigned, running, completed, each step from the state before it
--
SELECT hwsched.register_worker('w', '{"cpu_cores": 4}', 'work'), hwsched.submit('{"test_id": "life"}', 'work');
SELECT pool, workload_id, run, attempt, shard_no, worker_id, device_nos, state, priority, started_at, finished_at FROM hwsched.schedule('life', 'work');
SELECT pg_temp.error_of($$SELECT hwsched.schedule('life', 'work')$$);
SELECT pg_temp.error_on(format('SELECT hwsched.complete(%s, NULL, %L)', pg_temp.latest('life'), 'work'));
SELECT pg_temp.error_on(format('SELECT hwsched.extend_lease(%s, %L, %L)', pg_temp.latest('life'), '1 min', 'work'));
SELECT hwsched.start(pg_temp.latest('life'), 'work');
SELECT state, date_trunc('second', lease_until - started_at) AS leased FROM hwsched.assignment WHERE pool = 'work';
SELECT pg_temp.error_on(format('SELECT hwsched.start(%s, %L)', pg_temp.latest('life'), 'work'));
-- a lease only ever gets longer
SELECT hwsched.extend_lease(pg_temp.latest('life'), '1 s', 'work'), (SELECT date_trunc('second', lease_until - started_at) = '2 min' FROM hwsched.assignment WHERE pool = 'work') AS as_before;
SELECT hwsched.extend_lease(pg_temp.latest('life'), '1 hour', 'work');
SELECT lease_until > started_at + interval '59 min' AS extended FROM hwsched.assignment WHERE pool = 'work';
-- what it is to run, also in the statement that claims it
SELECT hwsched.requirements(pg_temp.latest('life'), 'work');
SELECT hwsched.complete(pg_temp.latest('life'), '{"accuracy": 0.9}', 'work');
SELECT w.state, a.state AS assignment, a.result, a.lease_until, w.closed_at = a.finished_at AS closed, a.error FROM hwsched.workload AS w JOIN hwsched.assignment AS a USING (pool, workload_id) WHERE pool = 'work';
SELECT pg_temp.error_on(format(statement, pg_temp.latest('life'), 'work')) FROM unnest(ARRAY['SELECT hwsched.start(%s, %L)', 'SELECT hwsched.complete(%s, NULL, %L)', 'SELECT hwsched.fail(%s, NULL, %L)',
	'SELECT hwsched.extend_lease(%s, ''1 s'', %L)', 'SELECT hwsched.complete_many(ARRAY[%s], %L)', 'SELECT hwsched.requirements(%s, %L)']) WITH ORDINALITY AS s (statement, no) ORDER BY no;
SELECT hwsched.submit('{"test_id": "to run", "timeout": 12.5, "custom_properties": {"command": ["true"]}}', 'work');
SELECT hwsched.requirements(a.assignment_id, 'work') FROM hwsched.claim('w', 1, true, 'work') AS a;
SELECT pg_temp.error_of($$SELECT hwsched.requirements(0, 'work')$$), pg_temp.error_of($$SELECT hwsched.requirements(NULL, 'work')$$);
-- and what a worker runs that has forgotten
SELECT workload_id, state FROM hwsched.running_on('w', 'work');
SELECT pg_temp.error_of($$SELECT hwsched.running_on('nobody', 'work')$$), pg_temp.error_of($$SELECT hwsched.running_on('w', 'nowhere')$$);
SELECT hwsched.cancel('to run', 'work');
SELECT pg_temp.error_of(statement) FROM unnest(ARRAY[$$SELECT hwsched.cancel('life', 'work')$$, $$SELECT hwsched.schedule('life', 'work')$$]) AS statement;
-- it may run again: the view shows the latest run, the assignments keep all
SELECT hwsched.submit('{"test_id": "life", "priority": 1}', 'work');
SELECT run, state, priority, closed_at FROM hwsched.workload WHERE pool = 'work' AND workload_id = 'life';
SELECT hwsched.assign_pending(NULL, 'work');
SELECT run, attempt, state FROM hwsched.assignment WHERE pool = 'work' AND workload_id = 'life' ORDER BY assignment_id;

--
-- Many at once: all or none
--
SELECT hwsched.submit_many('[{"test_id": "m1"}, {"test_id": "m2"}, {"test_id": "m3"}]', 'work'), hwsched.assign_pending(NULL, 'work');
SELECT hwsched.cancel('life', 'work');
SELECT count(*) AS running FROM hwsched.claim('w', 2, true, 'work');
SELECT pg_temp.error_on(format('SELECT hwsched.complete_many(%L, %L)', ARRAY[pg_temp.latest('m1'), pg_temp.latest('m2'), pg_temp.latest('m3')], 'work'));
SELECT pg_temp.error_of(format('SELECT hwsched.complete_many(%L, %L)', ARRAY[pg_temp.latest('m1'), 999999999], 'work'));
SELECT workload_id, state FROM hwsched.workload WHERE pool = 'work' AND workload_id LIKE 'm_' ORDER BY 1;
SELECT assignments FROM hwsched.worker_reserved WHERE pool = 'work';
-- each counts once, however often it is named
SELECT hwsched.complete_many(ARRAY[pg_temp.latest('m1'), pg_temp.latest('m2'), pg_temp.latest('m1')], 'work');
SELECT hwsched.complete_many('{}', 'work') AS none;
SELECT workload_id, state FROM hwsched.workload WHERE pool = 'work' AND workload_id LIKE 'm_' ORDER BY 1;
SELECT assignments FROM hwsched.worker_reserved WHERE pool = 'work';

--
-- Failing: back to its place in the queue, dead after the last attempt
--
SELECT hwsched.cancel('m3', 'work'), hwsched.submit('{"test_id": "fails", "retries": 2}', 'work'), hwsched.submit('{"test_id": "behind"}', 'work');
CREATE PROCEDURE pg_temp.attempt(message text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM hwsched.schedule('fails', 'work');
	PERFORM hwsched.start(pg_temp.latest('fails'), 'work');
	PERFORM hwsched.fail(pg_temp.latest('fails'), message, 'work');
END $$;
CALL pg_temp.attempt('out of memory');
SELECT workload_id, attempt FROM hwsched.pending WHERE pool = 'work' ORDER BY priority, queue_no;
CALL pg_temp.attempt(NULL);
CALL pg_temp.attempt('again');
SELECT workload_id, state, attempt, assignment, error FROM pg_temp.place WHERE pool = 'work' AND workload_id = 'fails' ORDER BY attempt;
SELECT closed_at IS NOT NULL AS closed FROM hwsched.workload WHERE pool = 'work' AND workload_id = 'fails';
SELECT workload_id, attempt FROM hwsched.pending WHERE pool = 'work' ORDER BY priority, queue_no;
SELECT pg_temp.error_of($$CALL pg_temp.attempt('dead')$$);
-- what has not started can fail, too
SELECT count(*) FROM hwsched.schedule('behind', 'work');
SELECT hwsched.fail(pg_temp.latest('behind'), 'never started', 'work');
SELECT workload_id, state, assignment, error FROM pg_temp.place WHERE pool = 'work' AND workload_id = 'behind';
-- without retries the first is the last; dead work may be submitted again
SELECT hwsched.submit('{"test_id": "once", "retries": 0}', 'work'), (SELECT count(*) FROM hwsched.schedule('once', 'work'));
SELECT hwsched.fail(pg_temp.latest('once'), 'x', 'work');
SELECT state FROM hwsched.workload WHERE pool = 'work' AND workload_id = 'once';
SELECT hwsched.submit('{"test_id": "once", "retries": 0}', 'work');
SELECT run, state FROM hwsched.workload WHERE pool = 'work' AND workload_id = 'once';
SELECT attempt FROM hwsched.pending WHERE pool = 'work' AND workload_id = 'once';

--
-- Cancelling in every state: what it held is free, it leaves the queue
--
SELECT hwsched.cancel('behind', 'work'), hwsched.cancel('once', 'work');
SELECT hwsched.submit_many('[{"test_id": "c1"}, {"test_id": "c2"}, {"test_id": "c3"}]', 'work');
SELECT count(*) FROM hwsched.schedule('c2', 'work') AS c2, hwsched.schedule('c3', 'work') AS c3;
SELECT hwsched.start(pg_temp.latest('c3'), 'work');
SELECT hwsched.cancel(id, 'work') FROM unnest('{c1,c2,c3}'::text[]) AS id;
SELECT workload_id, state, assignment, error FROM pg_temp.place WHERE pool = 'work' AND workload_id LIKE 'c_' ORDER BY 1;
SELECT (SELECT count(*) FROM hwsched.pending WHERE pool = 'work') AS pending, assignments FROM hwsched.worker_reserved WHERE pool = 'work';
SELECT sum(slots) AS slots, sum(share) AS share, sum(memory_bytes) AS memory FROM hwsched.device_reserved WHERE pool = 'work';
SELECT pg_temp.error_on(format('SELECT hwsched.complete(%s, NULL, %L)', pg_temp.latest('c3'), 'work'));
-- closed in every way: each says how
SELECT pg_temp.error_of(format('SELECT hwsched.cancel(%L, %L)', id, 'work')) FROM unnest('{c1,fails,m1}'::text[]) WITH ORDINALITY AS i (id, no) ORDER BY no;

--
-- What is not there is P0002, with its name
--
SELECT pg_temp.error_of(statement) FROM unnest(ARRAY[
	$$SELECT hwsched.submit('{}', 'nowhere')$$, $$SELECT hwsched.submit_many('[{}]', 'nowhere')$$, $$SELECT hwsched.submit_many('[]', 'nowhere')$$,
	$$SELECT hwsched.assign_pending(NULL, 'nowhere')$$, $$SELECT * FROM hwsched.plan_pending(NULL, 'nowhere')$$, $$SELECT * FROM hwsched.explain_pending('nowhere')$$,
	$$SELECT hwsched.schedule('x', 'work')$$, $$SELECT hwsched.schedule('x', 'nowhere')$$, $$SELECT hwsched.cancel('x', 'work')$$, $$SELECT hwsched.cancel('x', 'nowhere')$$,
	$$SELECT * FROM hwsched.compatible_hardware('x', 'work')$$, $$SELECT * FROM hwsched.compatible_hardware('x', 'nowhere')$$,
	$$SELECT hwsched.start(0, 'work')$$, $$SELECT hwsched.complete(0, NULL, 'work')$$, $$SELECT hwsched.fail(0, NULL, 'work')$$, $$SELECT hwsched.extend_lease(0, '1 s', 'work')$$,
	$$SELECT hwsched.complete_many('{0}', 'work')$$, $$SELECT hwsched.complete_many('{0}', 'nowhere')$$, $$SELECT hwsched.start(0, 'nowhere')$$,
	$$SELECT hwsched.claim('w', 1, true, 'nowhere')$$
]) WITH ORDINALITY AS s (statement, no) ORDER BY no;
