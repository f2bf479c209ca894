-- Gangs: sharded and replicated workloads, from the document to the end of the
-- last shard or replica.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

-- Says how a statement ended. Numbers of assignments differ from run to run: 7 becomes N
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN regexp_replace(concat_ws(' | ', state, message, nullif(detail, ''), nullif(hint, '')), 'assignment \d+', 'assignment N');
END $$;
-- Places a pending workload with one member on each of these workers, as a decision would
CREATE FUNCTION pg_temp.place(workload text, workers text[], devices int[] DEFAULT '{0}') RETURNS bigint LANGUAGE sql AS $$
	WITH moved AS (DELETE FROM hwsched.pending WHERE pool = 'gangs' AND workload_id = workload RETURNING *),
	placed AS (INSERT INTO hwsched.assignment (pool, workload_id, run, attempt, shard_no, worker_id, device_nos, priority, profile_id, device_profile_id, efficiency, adjusted_efficiency, score, predicted_seconds, timeout_seconds, is_gang)
		SELECT m.pool, m.workload_id, m.run, m.attempt, w.no - 1, w.worker_id, devices, m.priority, m.profile_id, d.profile_id, 1, 1, 1, 10, m.timeout_seconds, true
		FROM moved AS m, unnest(workers) WITH ORDINALITY AS w (worker_id, no), hwsched.device AS d WHERE d.pool = m.pool AND d.worker_id = w.worker_id AND d.device_no = devices[1] ORDER BY w.no RETURNING *),
	held AS (SELECT a.worker_id, count(*) AS n, sum(cpu_millicores) AS cpu, sum(host_memory_bytes) AS host_memory, sum(device_slots) AS slots, sum(device_share) AS share, sum(device_memory_bytes) AS memory
		FROM placed AS a JOIN hwsched.workload_profile AS p USING (pool, profile_id) GROUP BY a.worker_id),
	on_workers AS (UPDATE hwsched.worker_usage AS u SET assignments = u.assignments + n, cpu_millicores = u.cpu_millicores + cpu, host_memory_bytes = u.host_memory_bytes + host_memory, total_assignments = u.total_assignments + n
		FROM held AS h WHERE u.pool = 'gangs' AND u.worker_id = h.worker_id),
	on_devices AS (UPDATE hwsched.device_usage AS u SET slots = u.slots + h.slots, share = u.share + h.share, memory_bytes = u.memory_bytes + h.memory
		FROM held AS h WHERE u.pool = 'gangs' AND u.worker_id = h.worker_id AND u.device_no = ANY (devices))
	SELECT count(*) FROM placed $$;
-- The latest assignment of a shard or replica
CREATE FUNCTION pg_temp.member(workload text, shard int) RETURNS bigint LANGUAGE sql AS $$
	SELECT max(assignment_id) FROM hwsched.assignment WHERE pool = 'gangs' AND workload_id = workload AND shard_no = shard $$;
-- Submits a gang, places it on these workers and starts the members of which that is said
CREATE PROCEDURE pg_temp.gang(workload text, properties jsonb, workers text[], starts int[] DEFAULT '{0,1,2,3}', more jsonb DEFAULT '{"cpu_cores": 1, "host_memory": 2, "minimum_memory": 1}', devices int[] DEFAULT '{0}') LANGUAGE plpgsql AS $$
BEGIN
	PERFORM hwsched.submit(more || jsonb_build_object('test_id', workload, 'custom_properties', properties), 'gangs');
	PERFORM pg_temp.place(workload, workers, devices);
	PERFORM hwsched.start(pg_temp.member(workload, shard), 'gangs') FROM unnest(starts) AS shard WHERE shard < cardinality(workers);
END $$;
CREATE FUNCTION pg_temp.state(workload text) RETURNS hwsched.workload_state LANGUAGE sql AS $$ SELECT state FROM hwsched.workload WHERE pool = 'gangs' AND workload_id = $1 $$;
CREATE VIEW pg_temp.stands AS
SELECT w.workload_id, w.state, p.attempt AS waits_for, a.attempt, a.shard_no AS shard, a.worker_id AS worker, a.state AS member, a.error
FROM hwsched.workload AS w LEFT JOIN hwsched.pending AS p USING (pool, workload_id, run) LEFT JOIN hwsched.assignment AS a USING (pool, workload_id, run) WHERE w.pool = 'gangs';
-- What must hold at any time; a row says what does not
CREATE VIEW pg_temp.wrong AS
WITH live AS (SELECT * FROM hwsched.assignment JOIN hwsched.workload_profile USING (pool, profile_id) WHERE state IN ('assigned', 'running'))
SELECT 'worker ' || worker_id AS what, (u.assignments, u.cpu_millicores, u.host_memory_bytes)::text AS booked, (coalesce(l.n, 0), coalesce(l.cpu, 0), coalesce(l.memory, 0))::text AS held
FROM hwsched.worker_reserved AS u LEFT JOIN (SELECT pool, worker_id, count(*) AS n, sum(cpu_millicores) AS cpu, sum(host_memory_bytes) AS memory FROM live GROUP BY 1, 2) AS l USING (pool, worker_id) WHERE pool = 'gangs'
UNION ALL
SELECT concat_ws(' ', 'device', worker_id, device_no), (u.slots, u.share, u.memory_bytes)::text, (coalesce(l.slots, 0), coalesce(l.share, 0), coalesce(l.memory, 0))::text
FROM hwsched.device_reserved AS u LEFT JOIN (SELECT pool, worker_id, device_no, sum(device_slots) AS slots, sum(device_share) AS share, sum(device_memory_bytes) AS memory
	FROM live, unnest(device_nos) AS device_no GROUP BY 1, 2, 3) AS l USING (pool, worker_id, device_no) WHERE pool = 'gangs'
UNION ALL
-- open work is in the queue once, or has one live attempt; closed work has neither
SELECT 'workload ' || s.workload_id, 1::text, ((SELECT count(*) FROM hwsched.pending AS p WHERE p.pool = s.pool AND p.workload_id = s.workload_id) + (SELECT count(DISTINCT (run, attempt)) FROM live AS l WHERE l.pool = s.pool AND l.workload_id = s.workload_id) + (s.outcome IS NOT NULL)::int)::text
FROM hwsched.submission AS s WHERE s.pool = 'gangs';
CREATE FUNCTION pg_temp.wrong() RETURNS SETOF pg_temp.wrong LANGUAGE sql AS $$ SELECT * FROM pg_temp.wrong WHERE booked <> held $$;

SELECT hwsched.create_pool('gangs', '{"retry_backoff": "0 s"}');
SELECT count(hwsched.register_worker('w' || i, '{"cpu_cores": 8, "available_memory": 64, "supported_backends": ["cuda"]}', 'gangs')) AS workers FROM generate_series(1, 4) AS i;

--
-- The document: the strategy in force, and what of the keys makes a kind of its own
--
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', lpad(no::text, 2, '0'), 'custom_properties', properties::jsonb)), 'gangs') FROM unnest(ARRAY[
	'{}', '{"quorum": 2, "share_worker": true}', '{"allocation_strategy": "single", "min_shards": 2, "quorum": 5}',
	'{"allocation_strategy": "sharded", "min_shards": 2, "quorum": 9, "share_worker": true}', '{"allocation_strategy": "SHARDED", "is_shardable": true, "min_shards": 2, "quorum": 9}',
	'{"allocation_strategy": "sharded", "is_shardable": true, "max_shards": 4, "share_worker": true}', '{"allocation_strategy": "sharded", "is_shardable": true, "max_shards": 4, "share_worker": false}',
	'{"allocation_strategy": "replicated"}', '{"allocation_strategy": "replicated", "quorum": 2}', '{"allocation_strategy": "replicated", "max_shards": 5, "quorum": 5, "share_worker": true}',
	'{"workload_profile": {"allocation_strategy": "replicated", "max_shards": 3}, "quorum": 3}',
	'{"workload_profile": {"allocation_strategy": "replicated", "max_shards": 3, "custom_properties": {"quorum": 3, "share_worker": true}}}',
	'{"workload_profile": {"allocation_strategy": "replicated", "max_shards": 3, "custom_properties": {"quorum": 3, "share_worker": true}}, "quorum": 2, "share_worker": null}',
	'{"allocation_strategy": "replicated", "quorum": null}']) WITH ORDINALITY AS p (properties, no);
SELECT s.workload_id AS no, p.allocation_strategy, p.quorum, p.demand FROM hwsched.submission AS s JOIN hwsched.workload_profile AS p USING (pool, profile_id) WHERE pool = 'gangs' ORDER BY 1;
-- a default is as good as absent: 14 asks for what 08 does
SELECT string_agg(workload_id, ' ' ORDER BY workload_id) AS kind FROM hwsched.submission WHERE pool = 'gangs' GROUP BY profile_id HAVING count(*) > 1 ORDER BY 1;
SELECT hwsched.workload_profile('{"custom_properties": {"allocation_strategy": "replicated", "quorum": 2, "share_worker": true}}') -> 'custom_properties' AS kept;
SELECT count(hwsched.cancel(workload_id, 'gangs')) FROM hwsched.submission WHERE pool = 'gangs';
-- what cannot be
SELECT pg_temp.error_of(format('SELECT hwsched.submit(%L, %L)', jsonb_build_object('custom_properties', properties::jsonb), 'gangs')) FROM unnest(ARRAY[
	'{"quorum": 0}', '{"quorum": 1.5}', '{"quorum": "2"}', '{"quorum": 10001}', '{"share_worker": 1}', '{"share_worker": "yes"}',
	'{"allocation_strategy": "replicated", "quorum": 3}', '{"allocation_strategy": "replicated", "min_shards": 2, "max_shards": 4, "quorum": 5}',
	'{"workload_profile": {"custom_properties": {"quorum": 0}}}', '{"workload_profile": {"allocation_strategy": "replicated", "custom_properties": {"quorum": 4}}}'
	]) WITH ORDINALITY AS p (properties, no) ORDER BY no;
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{}, {"custom_properties": {"allocation_strategy": "replicated", "quorum": 3}}]', 'gangs')$$);
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{}, {"custom_properties": {"workload_profile": {"custom_properties": {"share_worker": 2}}}}]', 'gangs')$$);
-- a strategy that only the taxonomy knows
BEGIN;
INSERT INTO hwsched.taxonomy (kind, name) VALUES ('allocation_strategy', 'scattered');
SELECT pg_temp.error_of($$SELECT hwsched.submit('{"custom_properties": {"allocation_strategy": "scattered"}}', 'gangs')$$);
ROLLBACK;

--
-- Shards: each is claimed, started, extended and completed for itself; the last completes the workload
--
SELECT hwsched.submit('{"test_id": "s", "cpu_cores": 1, "host_memory": 2, "minimum_memory": 1, "custom_properties": {"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2, "max_shards": 4}}', 'gangs');
SELECT pg_temp.state('s');
SELECT pg_temp.place('s', '{w1,w2,w3}'), pg_temp.state('s');
SELECT workload_id, shard_no, state FROM hwsched.claim('w2', 1, true, 'gangs');
SELECT pg_temp.state('s');
SELECT hwsched.extend_lease(pg_temp.member('s', 1), '1 hour', 'gangs'), hwsched.complete(pg_temp.member('s', 1), '{"part": 1}', 'gangs');
-- two are left, which have not started; then one that runs
SELECT state, closed_at FROM hwsched.workload WHERE pool = 'gangs' AND workload_id = 's';
SELECT pg_temp.error_of(format('SELECT hwsched.complete(%s, NULL, ''gangs'')', pg_temp.member('s', shard))) FROM unnest('{0,1}'::int[]) AS shard;
SELECT hwsched.start(pg_temp.member('s', 0), 'gangs'), hwsched.start(pg_temp.member('s', 2), 'gangs');
SELECT hwsched.complete(pg_temp.member('s', 2), '{"part": 2}', 'gangs');
SELECT * FROM pg_temp.stands WHERE workload_id = 's' ORDER BY attempt, shard;
SELECT * FROM pg_temp.wrong();
SELECT hwsched.complete(pg_temp.member('s', 0), '{"part": 0}', 'gangs');
SELECT w.state, w.closed_at = a.finished_at AS closed, a.shard_no, a.result FROM hwsched.workload AS w JOIN hwsched.assignment AS a USING (pool, workload_id, run) WHERE pool = 'gangs' AND workload_id = 's' ORDER BY a.shard_no;
SELECT * FROM pg_temp.wrong();
SELECT worker_id, samples FROM hwsched.preference WHERE pool = 'gangs' ORDER BY 1;
-- one shard alone is a gang, too
CALL pg_temp.gang('alone', '{"allocation_strategy": "sharded", "is_shardable": true}', '{w4}', '{0}');
SELECT hwsched.complete(pg_temp.member('alone', 0), NULL, 'gangs'), pg_temp.state('alone');

--
-- A shard that fails takes the others along; the workload goes back to its place, until it is dead
--
CALL pg_temp.gang('f', '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 3}', '{w1,w2,w3}', '{0,1}', '{"retries": 1, "cpu_cores": 1, "minimum_memory": 2}');
SELECT hwsched.submit('{"test_id": "behind"}', 'gangs'), hwsched.complete(pg_temp.member('f', 0), NULL, 'gangs'), hwsched.fail(pg_temp.member('f', 1), 'out of memory', 'gangs');
SELECT * FROM pg_temp.stands WHERE workload_id = 'f' ORDER BY attempt, shard;
SELECT workload_id, attempt FROM hwsched.pending WHERE pool = 'gangs' ORDER BY priority, queue_no;
SELECT * FROM pg_temp.wrong();
-- what comes late is told the state
SELECT pg_temp.error_of(format(statement, pg_temp.member('f', 2))) FROM unnest(ARRAY['SELECT hwsched.start(%s, ''gangs'')', 'SELECT hwsched.complete(%s, NULL, ''gangs'')', 'SELECT hwsched.fail(%s, NULL, ''gangs'')',
	'SELECT hwsched.extend_lease(%s, ''1 s'', ''gangs'')', 'SELECT hwsched.complete_many(ARRAY[%s], ''gangs'')']) WITH ORDINALITY AS s (statement, no) ORDER BY no;
-- again, with other workers and fewer of them; what has not started can fail, too, and an earlier attempt's shards are not mixed up
SELECT pg_temp.place('f', '{w4,w1}'), hwsched.fail(pg_temp.member('f', 1), NULL, 'gangs');
SELECT * FROM pg_temp.stands WHERE workload_id = 'f' ORDER BY attempt, shard;
SELECT * FROM pg_temp.wrong();
SELECT pg_temp.error_of($$SELECT hwsched.cancel('f', 'gangs')$$);
-- a second attempt that succeeds needs its own shards only
CALL pg_temp.gang('g', '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2}', '{w1,w2}');
SELECT hwsched.complete(pg_temp.member('g', 0), NULL, 'gangs'), hwsched.fail(pg_temp.member('g', 1), NULL, 'gangs'), pg_temp.place('g', '{w3,w4}');
SELECT hwsched.start(pg_temp.member('g', shard), 'gangs'), hwsched.complete(pg_temp.member('g', shard), NULL, 'gangs'), pg_temp.state('g') FROM unnest('{0,1}'::int[]) AS shard;
SELECT * FROM pg_temp.stands WHERE workload_id = 'g' ORDER BY attempt, shard;
-- what failed teaches, what was cancelled does not
SELECT worker_id, samples FROM hwsched.preference WHERE pool = 'gangs' ORDER BY 1;

--
-- Replicas: a quorum of them completes the workload, and cancels the rest
--
CALL pg_temp.gang('r', '{"allocation_strategy": "replicated", "max_shards": 4, "quorum": 2}', '{w1,w2,w3,w4}');
SELECT hwsched.complete(pg_temp.member('r', 2), '{"answer": 42}', 'gangs'), pg_temp.state('r');
SELECT hwsched.complete(pg_temp.member('r', 0), '{"answer": 42}', 'gangs'), pg_temp.state('r');
SELECT * FROM pg_temp.stands WHERE workload_id = 'r' ORDER BY attempt, shard;
SELECT * FROM pg_temp.wrong();
SELECT pg_temp.error_of(format('SELECT hwsched.complete(%s, NULL, ''gangs'')', pg_temp.member('r', shard))) FROM unnest('{1,3}'::int[]) AS shard;
SELECT pg_temp.error_of(format('SELECT hwsched.fail(%s, NULL, ''gangs'')', pg_temp.member('r', 1)));
-- one will do
CALL pg_temp.gang('any', '{"allocation_strategy": "replicated"}', '{w1,w2}', '{1}');
SELECT hwsched.complete(pg_temp.member('any', 1), NULL, 'gangs');
SELECT * FROM pg_temp.stands WHERE workload_id = 'any' ORDER BY attempt, shard;
-- those that completed teach, those that were cancelled do not
SELECT worker_id, samples FROM hwsched.preference WHERE pool = 'gangs' ORDER BY 1;

--
-- A replica may fail while the others make a quorum; the one too many ends them all
--
CALL pg_temp.gang('rf', '{"allocation_strategy": "replicated", "max_shards": 4, "quorum": 2}', '{w1,w2,w3,w4}', '{0,1,3}');
SELECT hwsched.complete(pg_temp.member('rf', 0), NULL, 'gangs'), hwsched.fail(pg_temp.member('rf', 1), 'first', 'gangs'), hwsched.fail(pg_temp.member('rf', 2), 'second', 'gangs');
SELECT * FROM pg_temp.stands WHERE workload_id = 'rf' ORDER BY attempt, shard;
SELECT * FROM pg_temp.wrong();
SELECT hwsched.fail(pg_temp.member('rf', 3), 'third', 'gangs');
SELECT * FROM pg_temp.stands WHERE workload_id = 'rf' ORDER BY attempt, shard;
-- the replica that completed then does not count now
SELECT pg_temp.place('rf', '{w1,w2,w3}'), hwsched.start(pg_temp.member('rf', 0), 'gangs'), hwsched.complete(pg_temp.member('rf', 0), NULL, 'gangs'), hwsched.fail(pg_temp.member('rf', 1), NULL, 'gangs');
SELECT * FROM pg_temp.stands WHERE workload_id = 'rf' AND attempt = 2 ORDER BY attempt, shard;
SELECT hwsched.start(pg_temp.member('rf', 2), 'gangs'), hwsched.complete(pg_temp.member('rf', 2), NULL, 'gangs'), pg_temp.state('rf');
-- all of them needed: the first that fails ends them
CALL pg_temp.gang('both', '{"allocation_strategy": "replicated", "quorum": 2}', '{w1,w2}', '{0}', '{"retries": 0}');
SELECT hwsched.fail(pg_temp.member('both', 1), NULL, 'gangs');
SELECT * FROM pg_temp.stands WHERE workload_id = 'both' ORDER BY attempt, shard;
SELECT * FROM pg_temp.wrong();

--
-- Many at once: several shards of one gang, several gangs, single work among them
--
CALL pg_temp.gang('m1', '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 3}', '{w1,w2,w3}');
CALL pg_temp.gang('m2', '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2}', '{w1,w2}', '{0,1}');
CALL pg_temp.gang('m3', '{"allocation_strategy": "replicated", "max_shards": 3}', '{w2,w3,w4}', '{0,1}');
CALL pg_temp.gang('m4', '{}', '{w4}', '{0}');
-- all or none: a shard that has not started, one that is not there
SELECT pg_temp.error_of(format('SELECT hwsched.complete_many(%L, ''gangs'')', ARRAY[pg_temp.member('m1', 0), pg_temp.member('m3', 2)]));
SELECT pg_temp.error_of(format('SELECT hwsched.complete_many(%L, ''gangs'')', ARRAY[pg_temp.member('m1', 0), 999999999]));
SELECT DISTINCT workload_id, state, member FROM pg_temp.stands WHERE workload_id ~ '^m' ORDER BY 1, 3;
SELECT hwsched.complete_many(ARRAY[pg_temp.member('m1', 0), pg_temp.member('m1', 1), pg_temp.member('m2', 0), pg_temp.member('m2', 1), pg_temp.member('m3', 0), pg_temp.member('m3', 1), pg_temp.member('m4', 0), pg_temp.member('m2', 1)], 'gangs');
SELECT * FROM pg_temp.stands WHERE workload_id ~ '^m' ORDER BY 1, attempt, shard;
SELECT * FROM pg_temp.wrong();
SELECT hwsched.complete_many(ARRAY[pg_temp.member('m1', 2)], 'gangs'), pg_temp.state('m1');

--
-- Cancelling: all that lives
--
CALL pg_temp.gang('c', '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 3}', '{w1,w2,w3}', '{0,1}');
SELECT hwsched.complete(pg_temp.member('c', 0), NULL, 'gangs'), hwsched.cancel('c', 'gangs');
SELECT * FROM pg_temp.stands WHERE workload_id = 'c' ORDER BY attempt, shard;
SELECT * FROM pg_temp.wrong();
-- and submitted again it starts anew
SELECT hwsched.submit('{"test_id": "c", "custom_properties": {"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2}}', 'gangs'), pg_temp.place('c', '{w1,w2}');
SELECT hwsched.start(pg_temp.member('c', shard), 'gangs'), hwsched.complete(pg_temp.member('c', shard), NULL, 'gangs') FROM unnest('{0,1}'::int[]) AS shard;
SELECT w.run, w.state, a.run, a.shard_no, a.state FROM hwsched.workload AS w JOIN hwsched.assignment AS a USING (pool, workload_id) WHERE pool = 'gangs' AND workload_id = 'c' ORDER BY a.run, a.shard_no;

--
-- A worker that leaves: its shards take the others along, its replicas only if they are needed
--
CALL pg_temp.gang('u1', '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 3}', '{w1,w2,w4}', '{0,2}');
CALL pg_temp.gang('u2', '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2}', '{w1,w4}', '{}');
CALL pg_temp.gang('u3', '{"allocation_strategy": "replicated", "max_shards": 3}', '{w1,w2,w4}', '{2}');
CALL pg_temp.gang('u4', '{"allocation_strategy": "replicated", "quorum": 2}', '{w1,w4}', '{0}');
CALL pg_temp.gang('u5', '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 3, "share_worker": true}', '{w4,w4,w1}', '{0}');
CALL pg_temp.gang('u6', '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2}', '{w1,w2}');
SELECT * FROM pg_temp.wrong();
SELECT hwsched.unregister_worker('w4', 'gangs');
-- what had begun anywhere counts as an attempt, u2 does not
SELECT * FROM pg_temp.stands WHERE workload_id ~ '^u' ORDER BY 1, attempt, shard;
SELECT workload_id, attempt FROM hwsched.pending WHERE pool = 'gangs' ORDER BY priority, queue_no;
SELECT * FROM pg_temp.wrong();
SELECT count(hwsched.cancel(workload_id, 'gangs')) FROM hwsched.workload WHERE pool = 'gangs' AND workload_id ~ '^u';

--
-- A worker that registers with a device gone, or with too little: likewise
--
SELECT hwsched.register_worker('w4', '{"cpu_cores": 8, "available_memory": 64, "supported_backends": ["cuda"]}', 'gangs');
-- d1 and d3 on the GPUs
CALL pg_temp.gang('d1', '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2}', '{w1,w2}', '{}', '{"required_accelerators": {"gpu": 1}}', '{1}');
CALL pg_temp.gang('d2', '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2}', '{w2,w3}', '{}');
CALL pg_temp.gang('d3', '{"allocation_strategy": "replicated", "max_shards": 3}', '{w3,w4}', '{}', '{"required_accelerators": {"gpu": 1}}', '{1}');
SELECT hwsched.register_worker('w1', '{"cpu_cores": 8, "available_memory": 64}', 'gangs'), hwsched.register_worker('w3', '{"cpu_cores": 8, "available_memory": 64}', 'gangs');
SELECT * FROM pg_temp.stands WHERE workload_id ~ '^d' ORDER BY 1, attempt, shard;
SELECT * FROM pg_temp.wrong();
-- placed again, it is in the same attempt: nothing had started
SELECT pg_temp.place('d1', '{w2,w4}', '{1}'), hwsched.start(pg_temp.member('d1', 0), 'gangs');
SELECT * FROM pg_temp.stands WHERE workload_id = 'd1' AND member IN ('assigned', 'running') ORDER BY attempt, shard;
-- now something has, so that it counts; what runs on the worker itself runs on, but not alone
SELECT hwsched.complete(pg_temp.member('d1', 0), NULL, 'gangs'), hwsched.register_worker('w4', '{"cpu_cores": 8, "available_memory": 64}', 'gangs');
SELECT DISTINCT workload_id, state, waits_for FROM pg_temp.stands WHERE workload_id ~ '^d[13]' ORDER BY 1;
CALL pg_temp.gang('d4', '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 3, "share_worker": true}', '{w1,w1,w2}', '{0,2}', '{"cpu_cores": 3, "minimum_memory": 1}');
SELECT * FROM pg_temp.wrong();
SELECT hwsched.register_worker('w1', '{"cpu_cores": 4, "available_memory": 64}', 'gangs');
SELECT * FROM pg_temp.stands WHERE workload_id = 'd4' ORDER BY attempt, shard;
SELECT * FROM pg_temp.wrong();

--
-- A worker's login ends its own shard, with what that means for the others', and no other
--
CREATE ROLE regress_hwsched_shard LOGIN;
SELECT hwsched.grant_worker('w2', 'regress_hwsched_shard', 'gangs');
CALL pg_temp.gang('l', '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2}', '{w1,w2}', '{0}');
SELECT pg_temp.member('l', 0) AS other, pg_temp.member('l', 1) AS own \gset
SET ROLE regress_hwsched_shard;
SELECT pg_temp.error_of(format(statement, :other)) FROM unnest(ARRAY['SELECT hwsched.complete(%s, NULL, ''gangs'')', 'SELECT hwsched.fail(%s, NULL, ''gangs'')', 'SELECT hwsched.complete_many(ARRAY[%s], ''gangs'')']) WITH ORDINALITY AS s (statement, no) ORDER BY no;
SELECT hwsched.start(:own, 'gangs'), hwsched.fail(:own, 'mine', 'gangs');
RESET ROLE;
SELECT * FROM pg_temp.stands WHERE workload_id = 'l' ORDER BY attempt, shard;
SELECT * FROM pg_temp.wrong();
DROP ROLE regress_hwsched_shard;

-- Nothing is held in the end
SELECT count(hwsched.cancel(workload_id, 'gangs')) > 0 AS cancelled FROM hwsched.workload WHERE pool = 'gangs' AND state IN ('pending', 'assigned', 'running');
SELECT * FROM pg_temp.wrong();
SELECT sum(assignments) AS assignments, sum(cpu_millicores) AS cpu, sum(host_memory_bytes) AS memory FROM hwsched.worker_reserved WHERE pool = 'gangs';
SELECT sum(slots) AS slots, sum(share) AS share, sum(memory_bytes) AS memory FROM hwsched.device_reserved WHERE pool = 'gangs';
SELECT hwsched.drop_pool('gangs');
