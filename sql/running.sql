-- A worker's step in one call, what it says of what it runs, and what is done in bulk.
SET client_min_messages = warning;
SELECT hwsched.create_pool('running', '{"notify": false, "quarantine_after": 100}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 4, "available_memory": 16, "max_concurrent": 2}', 'running');
SELECT hwsched.register_worker('v', '{"cpu_cores": 4, "available_memory": 16, "max_concurrent": 1}', 'running');
\set ECHO errors
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', sqlstate, regexp_replace(regexp_replace(sqlerrm, 'assignment \d+', 'assignment N', 'g'), '\d{3,}', 'N', 'g'), nullif(regexp_replace(regexp_replace(detail, 'Assignment \d+', 'Assignment N', 'g'), '\d{3,}', 'N', 'g'), ''), nullif(hint, ''));
END $$;
CREATE FUNCTION pg_temp.id(name text) RETURNS bigint LANGUAGE sql AS $$
	SELECT max(assignment_id) FROM hwsched.assignment WHERE pool = 'running' AND workload_id = name
$$;
\set ECHO all

-- next(): the room of what is finished is there for what comes
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'n' || n, 'cpu_cores', 4)) FROM generate_series(1, 5) n), 'running');
SELECT hwsched.drain_worker('v', 'running');
SELECT workload_id, state FROM hwsched.next('w', pool => 'running');
SELECT count(*) FROM hwsched.next('w', pool => 'running');
SELECT workload_id FROM hwsched.next('w', ARRAY[pg_temp.id('n1')], results => jsonb_build_object(pg_temp.id('n1'), '{"passed": true}'::jsonb), pool => 'running');
SELECT workload_id, state, result FROM hwsched.assignment WHERE pool = 'running' AND workload_id = 'n1';
-- assigned work comes first, and needs no lock
SELECT hwsched.assign_pending(pool => 'running');
SELECT workload_id FROM hwsched.next('w', ARRAY[pg_temp.id('n2'), pg_temp.id('n2'), NULL], 5, pool => 'running');
-- all or nothing
SELECT pg_temp.error_of(format($$SELECT * FROM hwsched.next('w', ARRAY[%s, %s, 0], pool => 'running')$$, pg_temp.id('n1'), pg_temp.id('n3')));
SELECT state FROM hwsched.assignment WHERE pool = 'running' AND workload_id = 'n3';
SELECT pg_temp.error_of(format($$SELECT * FROM hwsched.next('v', ARRAY[%s], pool => 'running')$$, pg_temp.id('n3')));
SELECT pg_temp.error_of(format($$SELECT * FROM hwsched.next('w', ARRAY[%s], %s, pool => 'running')$$, pg_temp.id('n3'), rest))
FROM unnest('{"0","1, true, ''7''","1, true, ''{\"7\": 1}''","1, true, ''{\"x\": 1}''","NULL"}'::text[]) rest;
SELECT pg_temp.error_of(format($$SELECT * FROM hwsched.next('w', ARRAY[%s], results => jsonb_build_object(%s, repeat('x', 1048577)), pool => 'running')$$, pg_temp.id('n3'), pg_temp.id('n3')));
SELECT pg_temp.error_of($$SELECT * FROM hwsched.next('nobody', pool => 'running')$$);
SELECT pg_temp.error_of($$SELECT * FROM hwsched.next('w', NULL, pool => 'running')$$);
SELECT workload_id FROM hwsched.next('w', ARRAY[pg_temp.id('n3')], pool => 'running');

-- progress(): a sign of life that is seen
UPDATE hwsched.assignment SET lease_until = now() WHERE pool = 'running' AND state = 'running';
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '1 hour' WHERE pool = 'running' AND worker_id = 'w';
SELECT hwsched.progress(pg_temp.id('n4'), 0.25, '{"step": 100}', 'running');
SELECT workload_id, worker_id, progress_ratio, note, lease_until > now() + interval '5 s' AS leased FROM hwsched.running_work WHERE pool = 'running';
SELECT now() - last_seen_at < interval '1 minute' AS seen FROM hwsched.worker_load WHERE pool = 'running' AND worker_id = 'w';
SELECT hwsched.progress(pg_temp.id('n4'), 0.5, pool => 'running');
SELECT progress_ratio, note FROM hwsched.running_work WHERE pool = 'running';
SELECT pg_temp.error_of(format($$SELECT hwsched.progress(%s, %s, pool => 'running')$$, id, ratio)) FROM (VALUES (pg_temp.id('n4'), '1.5'), (pg_temp.id('n4'), '''NaN'''), (pg_temp.id('n4'), 'NULL'), (pg_temp.id('n1'), '1'), (99, '1')) v (id, ratio);
SELECT pg_temp.error_of(format($$SELECT hwsched.progress(%s, 1, to_jsonb(repeat('x', 1048577)), 'running')$$, pg_temp.id('n4')));

-- yield_work(): back in its place, with a note for the next run, and no attempt lost
SELECT hwsched.yield_work(pg_temp.id('n4'), '{"checkpoint": "/n4/100"}', 'running');
SELECT state, error, error_class, result FROM hwsched.assignment WHERE pool = 'running' AND assignment_id = pg_temp.id('n4');
SELECT attempt, ready_at, avoid_workers FROM hwsched.pending WHERE pool = 'running' AND workload_id = 'n4';
SELECT pg_temp.error_of(format($$SELECT hwsched.yield_work(%s, pool => 'running')$$, id)) FROM unnest(ARRAY[pg_temp.id('n4'), pg_temp.id('n1'), 99]) id;
SELECT workload_id, hwsched.requirements(assignment_id, 'running') -> 'note' AS note FROM hwsched.next('w', pool => 'running');
-- what was said is forgotten with the run
SELECT count(*) FROM hwsched.progress WHERE pool = 'running';
SELECT forgotten FROM hwsched.maintain('running');
SELECT count(*) FROM hwsched.progress WHERE pool = 'running';
-- a worker that drains does not get it again
SELECT hwsched.resume_worker('v', 'running'), hwsched.drain_worker('w', 'running');
SELECT hwsched.yield_work(pg_temp.id('n4'), pool => 'running');
SELECT count(*) FROM hwsched.next('w', pool => 'running');
SELECT workload_id, hwsched.requirements(assignment_id, 'running') -> 'note' AS note FROM hwsched.next('v', pool => 'running');

-- fail() with what the run left
SELECT hwsched.fail(pg_temp.id('n4'), 'out of memory', '{"log": "n4.txt"}', 'running');
SELECT state, error_class, result FROM hwsched.assignment WHERE pool = 'running' AND assignment_id = pg_temp.id('n4');
SELECT pg_temp.error_of(format($$SELECT hwsched.fail(%s, repeat('x', 1048577), 'running')$$, pg_temp.id('n4')));
SELECT pg_temp.error_of(format($$SELECT hwsched.fail(%s, 'x', to_jsonb(repeat('x', 1048577)), 'running')$$, pg_temp.id('n4')));
SELECT pg_temp.error_of(format($$SELECT hwsched.complete(%s, to_jsonb(repeat('x', 1048577)), 'running')$$, pg_temp.id('n4')));

-- in bulk
SELECT hwsched.cancel_many('{}', 'running');
SELECT state, count(*) FROM hwsched.workload WHERE pool = 'running' GROUP BY state ORDER BY state;
SELECT count(*) FROM hwsched.pending WHERE pool = 'running';
SELECT hwsched.resume_worker('w', 'running');
SELECT hwsched.submit_many('[{"test_id": "a", "test_type": "vision", "labels": {"team": "x", "suite": "smoke"}, "retries": 0}, {"test_id": "b", "test_type": "nlp", "labels": {"team": "x"}, "retries": 0},
	{"test_id": "c", "test_type": "nlp", "group": "g", "labels": {"team": "y"}, "retries": 0}, {"test_id": "d", "test_type": "audio", "tenant": "t", "retries": 0}, {"test_id": "e", "depends_on": ["a"]}]', 'running');
SELECT hwsched.assign_pending(1, 'running');
CREATE FUNCTION pg_temp.would(filter jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	names text;
	n bigint;
BEGIN
	BEGIN
		n := hwsched.cancel_many(filter, 'running');
		names := (SELECT string_agg(workload_id, ' ' ORDER BY workload_id) FROM hwsched.workload WHERE pool = 'running' AND state = 'cancelled' AND workload_id ~ '^[a-e]$');
		RAISE EXCEPTION 'undone' USING ERRCODE = 'UN000';
	EXCEPTION WHEN SQLSTATE 'UN000' THEN
		RETURN n || ': ' || coalesce(names, '');
	END;
END $$;
SELECT f AS filter, pg_temp.would(f) FROM unnest(ARRAY['{}', '{"state": "pending"}', '{"state": ["assigned", "running"]}', '{"state": "dead"}', '{"workload_type": "nlp"}', '{"workload_type": ["nlp", "audio"], "state": "pending"}',
	'{"tenant": "t"}', '{"tenant": ""}', '{"group": ["g", "h"]}', '{"labels": {"team": "x"}}', '{"labels": {"team": ["x", "y"]}}', '{"labels": {"team": "x", "suite": "smoke"}}',
	'{"submitted_before": "2020-01-01"}', '{"submitted_before": "2999-01-01"}', '{"error_class": "memory"}', '{"labels": {}}', '{"state": null}']::jsonb[]) f;
SELECT pg_temp.error_of(format('SELECT hwsched.cancel_many(%L, ''running'')', f)) FROM unnest(ARRAY['[]', '7', '{"stat": "pending"}', '{"state": 7}', '{"state": "waiting"}', '{"error_class": ["oom"]}', '{"labels": "x"}', '{"submitted_before": "soon"}', '{"state": {"a": 1}}']) f;
SELECT pg_temp.error_of('SELECT hwsched.cancel_many(NULL, ''running'')'), pg_temp.error_of('SELECT hwsched.retry_many(''{}'', ''nowhere'')');
-- dead work
DO $$
DECLARE
	why text;
BEGIN
	FOREACH why IN ARRAY '{out of memory,assertion failed,connection reset,out of memory}'::text[] LOOP
		PERFORM hwsched.fail(assignment_id, why, 'running') FROM hwsched.next('w', pool => 'running');
	END LOOP;
END $$;
SELECT w.workload_id, w.state, a.error_class FROM hwsched.workload w JOIN hwsched.assignment a USING (pool, workload_id, run) WHERE w.pool = 'running' AND w.state = 'dead' ORDER BY 1;
SELECT hwsched.cancel_many('{"workload_type": "nlp"}', 'running');
SELECT hwsched.retry_many('{"error_class": "memory", "workload_type": "nlp"}', 'running');
SELECT hwsched.retry_many('{}', 'running'), hwsched.retry_many('{}', 'running');
SELECT workload_id, attempt FROM hwsched.pending WHERE pool = 'running' ORDER BY 1;

-- submit_many() that passes over what is open
SELECT hwsched.submit_many('[{"test_id": "a"}, {"test_id": "f"}, {"test_id": "f", "priority": 1}, {"test_id": "g", "depends_on": ["f", "a"]}, {}]', 'running', 'skip');
SELECT hwsched.submit_many('[{"test_id": "a"}, {"test_id": "f"}]', 'running', on_duplicate => 'skip');
SELECT hwsched.cancel('f', 'running');
SELECT hwsched.submit_many('[{"test_id": "a"}, {"test_id": "f", "priority": 1}]', 'running', 'skip');
SELECT workload_id, run, priority FROM hwsched.workload WHERE pool = 'running' AND workload_id IN ('f', 'g') ORDER BY 1;
SELECT pg_temp.error_of(format('SELECT hwsched.submit_many(%L, ''running'', %L)', d, o)) FROM (VALUES ('[{"test_id": "a"}]', 'error'), ('[]', 'ignore'), ('[]', NULL), ('[{"test_id": "new"}, {"priority": 9}]', 'skip'), ('{}', 'skip')) v (d, o);
SELECT count(*) FROM hwsched.workload WHERE pool = 'running' AND workload_id = 'new';

-- alter_workload(): what it needs changes, its place and its attempts do not
SELECT hwsched.cancel_many('{}', 'running') > 0 AS cancelled;
SELECT hwsched.drain_worker('v', 'running');
SELECT hwsched.submit_many('[{"test_id": "p", "cpu_cores": 3, "labels": {"a": "b"}}, {"test_id": "q", "cpu_cores": 64, "timeout": 9}, {"test_id": "r", "depends_on": ["q"]}, {"test_id": "s", "cpu_cores": 64}]', 'running');
SELECT hwsched.assign_pending(pool => 'running');
SELECT queue_no AS place, submitted_at AS since FROM hwsched.workload WHERE pool = 'running' AND workload_id = 'q' \gset
SELECT hwsched.alter_workload('q', '{"cpu_cores": 1, "timeout": null, "priority": 1, "labels": {"c": "d"}}', 'too large', 'running');
SELECT run, state, priority, timeout_seconds, requirements, altered_at IS NOT NULL AS altered, altered_reason, queue_no = :place AS same_place, submitted_at = :'since' AS same_time FROM hwsched.workload WHERE pool = 'running' AND workload_id = 'q';
SELECT workload_id, attempt, run, priority FROM hwsched.pending WHERE pool = 'running' ORDER BY priority, queue_no;
-- one that is assigned goes back; and what it waits for is replaced, too
SELECT state FROM hwsched.workload WHERE pool = 'running' AND workload_id = 'p';
SELECT hwsched.alter_workload('p', '{"cpu_cores": 2, "depends_on": ["q"]}', pool => 'running');
SELECT state, error FROM hwsched.assignment WHERE pool = 'running' AND workload_id = 'p';
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'running' ORDER BY 1;
SELECT hwsched.alter_workload('p', '{"depends_on": null}', pool => 'running'), hwsched.alter_workload('r', '{"depends_on": ["p", "q"]}', pool => 'running');
SELECT workload_id, depends_on FROM hwsched.dependency WHERE pool = 'running' ORDER BY 1, 2;
SELECT hwsched.assign_pending(pool => 'running');
SELECT workload_id FROM hwsched.next('w', pool => 'running');
SELECT pg_temp.error_of(format('SELECT hwsched.alter_workload(%L, %L, pool => ''running'')', w, c)) FROM (VALUES ('q', '{"priority": 1}'), ('a', '{}'), ('nobody', '{}'), ('r', '[]'), ('r', '{"test_id": "x"}'), ('r', '{"priority": 9}'), ('r', '{"priorty": 1}'),
	('r', '{"depends_on": ["r"]}'), ('r', NULL), (NULL, '{}')) v (w, c);
SELECT requirements FROM hwsched.workload WHERE pool = 'running' AND workload_id = 'r';
-- attempts that it had count, and so does what it is to avoid
SELECT hwsched.fail(pg_temp.id('q'), 'segmentation fault', 'running');
SELECT hwsched.alter_workload('q', '{"priority": 2}', pool => 'running');
SELECT run, attempt, avoid_workers, ready_at > now() AS waits FROM hwsched.pending WHERE pool = 'running' AND workload_id = 'q';
SELECT hwsched.resume_worker('v', 'running');

-- a gang: its quorum is reached by the one that is finished, with its result
SELECT hwsched.cancel_many('{}', 'running') > 0 AS cancelled;
SELECT hwsched.submit('{"test_id": "gang", "cpu_cores": 0.5, "custom_properties": {"is_shardable": true, "min_shards": 2, "max_shards": 2, "allocation_strategy": "replicated", "quorum": 1, "share_worker": true}}', 'running');
SELECT hwsched.assign_pending(pool => 'running');
SELECT workload_id, shard_no FROM hwsched.next('w', '{}', 5, pool => 'running');
SELECT assignment_id AS first FROM hwsched.running_on('w', 'running') \gset
SELECT count(*) FROM hwsched.next('w', ARRAY[:first], results => jsonb_build_object(:first, 42), pool => 'running');
SELECT shard_no, state, result, error FROM hwsched.assignment WHERE pool = 'running' AND workload_id = 'gang' ORDER BY shard_no;
SELECT state FROM hwsched.workload WHERE pool = 'running' AND workload_id = 'gang';
-- a gang that a worker gives back goes back as a whole; no attempt of it counts as failed
SELECT hwsched.submit('{"test_id": "given back", "retries": 0, "cpu_cores": 0.5, "custom_properties": {"is_shardable": true, "min_shards": 2, "max_shards": 2, "allocation_strategy": "sharded", "share_worker": true}}', 'running');
SELECT hwsched.assign_pending(pool => 'running');
SELECT workload_id, shard_no FROM hwsched.next('w', '{}', 5, pool => 'running');
SELECT hwsched.yield_work(min(assignment_id), '{"at": 3}', 'running') FROM hwsched.running_on('w', 'running');
SELECT shard_no, state, error, error_class FROM hwsched.assignment WHERE pool = 'running' AND workload_id = 'given back' ORDER BY shard_no;
SELECT state FROM hwsched.workload WHERE pool = 'running' AND workload_id = 'given back';
SELECT hwsched.assign_pending(pool => 'running');
SELECT workload_id, shard_no, attempt FROM hwsched.next('w', '{}', 5, pool => 'running');
-- what fails does, in its last attempt
SELECT hwsched.fail(min(assignment_id), 'broken', 'running') FROM hwsched.running_on('w', 'running');
SELECT state FROM hwsched.workload WHERE pool = 'running' AND workload_id = 'given back';

-- what gives way while it runs hands over how far it is, if it can, until the next run begins
SELECT hwsched.create_pool('yield', '{"notify": false, "preemption": true, "max_concurrent": 1}');
SELECT hwsched.register_worker('w' || n, '{"cpu_cores": 4}', 'yield') FROM generate_series(1, 3) n;
SELECT hwsched.submit_many('[{"test_id": "can", "priority": 5, "checkpointable": true}, {"test_id": "cannot", "priority": 5},
  {"test_id": "too late", "priority": 5, "custom_properties": {"checkpointable": true}}]', 'yield');
SELECT hwsched.assign_pending(pool => 'yield');
SELECT worker_id, workload_id FROM generate_series(1, 3) n, hwsched.claim('w' || n, pool => 'yield') ORDER BY 1;
SELECT array_agg(assignment_id ORDER BY assignment_id) AS ids FROM hwsched.assignment WHERE pool = 'yield' \gset
SELECT hwsched.submit_many('[{"test_id": "u1", "priority": 1}, {"test_id": "u2", "priority": 1}, {"test_id": "u3", "priority": 1}]', 'yield');
SELECT hwsched.assign_pending(pool => 'yield');
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'yield' ORDER BY 1;
SELECT reason, workloads FROM hwsched.explain_pending('yield') ORDER BY 1;
SELECT DISTINCT reasons #>> '{0,check}' AS check_name, reasons #>> '{0,text}' AS reason FROM hwsched.explain('can', 'yield') ORDER BY 1;
-- who is told to yield does, with what the next run needs
SELECT h.action, h.reason, a.workload_id FROM generate_series(1, 3) n, hwsched.heartbeat('w' || n, :'ids', 'yield') h JOIN hwsched.assignment a USING (assignment_id) WHERE a.pool = 'yield' AND a.worker_id = 'w' || n ORDER BY 3;
SELECT hwsched.yield_work(assignment_id, '{"step": 7}', 'yield') FROM hwsched.assignment WHERE pool = 'yield' AND workload_id = 'can';
SELECT pg_temp.error_of(format($$SELECT hwsched.yield_work(%s, pool => 'yield')$$, assignment_id)) FROM hwsched.assignment WHERE pool = 'yield' AND workload_id IN ('can', 'cannot') ORDER BY workload_id;
SELECT h.action, h.reason, a.workload_id FROM generate_series(1, 3) n, hwsched.heartbeat('w' || n, :'ids', 'yield') h JOIN hwsched.assignment a USING (assignment_id) WHERE a.pool = 'yield' AND a.worker_id = 'w' || n ORDER BY 3;
SELECT hwsched.register_worker('x' || n, '{"cpu_cores": 4}', 'yield') FROM generate_series(1, 3) n;
SELECT hwsched.assign_pending(pool => 'yield');
UPDATE hwsched.pending SET ready_at = now() WHERE pool = 'yield';
SELECT hwsched.assign_pending(pool => 'yield');
SELECT workload_id, attempt, hwsched.requirements(assignment_id, 'yield') -> 'note' AS note FROM generate_series(1, 3) n, hwsched.claim('x' || n, pool => 'yield') ORDER BY 1;
SELECT h.action, h.reason, a.workload_id FROM generate_series(1, 3) n, hwsched.heartbeat('w' || n, :'ids', 'yield') h JOIN hwsched.assignment a USING (assignment_id) WHERE a.pool = 'yield' AND a.worker_id = 'w' || n ORDER BY 3;
SELECT pg_temp.error_of(format($$SELECT hwsched.yield_work(%s, pool => 'yield')$$, min(assignment_id))) FROM hwsched.assignment WHERE pool = 'yield' AND workload_id = 'too late';
SELECT workload_id, state, error, result FROM hwsched.assignment WHERE pool = 'yield' AND assignment_id = ANY (:'ids') ORDER BY 1;
SELECT hwsched.drop_pool('yield');
SELECT hwsched.drop_pool('running');

-- altered work keeps the attempts that it was granted, and the one that waits if it asks for fewer
SELECT hwsched.create_pool('granted') \g /dev/null
SELECT hwsched.register_worker('w', '{"cpu_cores": 2}', 'granted') \g /dev/null
SELECT hwsched.submit_many('[{"test_id": "g", "retries": 0}, {"test_id": "h"}]', 'granted') \g /dev/null
SELECT hwsched.fail(assignment_id, 'segmentation fault', 'granted') FROM hwsched.claim('w', 2, pool => 'granted') \g /dev/null
SELECT hwsched.retry_dead('g', 'granted') \g /dev/null
SELECT hwsched.alter_workload('g', '{"priority": 2}', pool => 'granted'), hwsched.alter_workload('h', '{"retries": 0}', pool => 'granted') \g /dev/null
SELECT workload_id, attempt, retries FROM hwsched.pending JOIN hwsched.submission USING (pool, workload_id) WHERE pool = 'granted' ORDER BY 1;
SELECT hwsched.alter_workload('g', '{"retries": 2}', pool => 'granted') \g /dev/null
SELECT workload_id, attempt, retries FROM hwsched.pending JOIN hwsched.submission USING (pool, workload_id) WHERE pool = 'granted' ORDER BY 1;
SELECT hwsched.drop_pool('granted');
