-- Leases and timeouts: work is taken back, and nothing is completed twice.
SELECT hwsched.create_pool('leases', '{"lease": "100 h", "retry_backoff": "0 s", "offline_after": "1000 h"}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 4, "available_memory": 16}', 'leases') FROM unnest('{w1,w2}'::text[]) AS w;
CREATE TEMP VIEW attempts AS SELECT workload_id, attempt, worker_id, state, error, round(extract(epoch FROM lease_until - now()) / 3600) AS lease_hours FROM hwsched.assignment WHERE pool = 'leases' ORDER BY assignment_id;
SELECT hwsched.submit('{"test_id": "a", "test_type": "vision", "retries": 1, "timeout": 180000}', 'leases');
SELECT hwsched.assign_pending(pool => 'leases');
SELECT assignment_id AS one, worker_id AS w FROM hwsched.claim((SELECT worker_id FROM hwsched.assignment WHERE pool = 'leases'), pool => 'leases') \gset
SELECT * FROM attempts \gx
-- a sign of life of its worker renews it, that of another does not
UPDATE hwsched.assignment SET lease_until = now() - interval '1 s' WHERE pool = 'leases';
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '101 h' WHERE pool = 'leases';
SELECT hwsched.heartbeat(:'w', 'leases');
SELECT expired FROM hwsched.maintain('leases');
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '101 h' WHERE pool = 'leases';
SELECT hwsched.update_load(:'w', '{"cpu_utilization": 10}', 'leases');
SELECT expired FROM hwsched.maintain('leases');
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '101 h' WHERE pool = 'leases';
SELECT hwsched.heartbeat(CASE :'w' WHEN 'w1' THEN 'w2' ELSE 'w1' END, 'leases');
SELECT hwsched.extend_lease(:one, '10 days', 'leases');
SELECT lease_hours FROM attempts;
SELECT * FROM hwsched.maintain('leases');
-- it runs out
UPDATE hwsched.assignment SET lease_until = now() - interval '1 s' WHERE pool = 'leases';
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '99 h' WHERE pool = 'leases';
SELECT expired FROM hwsched.maintain('leases');
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '101 h' WHERE pool = 'leases';
SELECT * FROM hwsched.maintain('leases');
SELECT workload_id, attempt, state, error FROM attempts;
SELECT state FROM hwsched.workload WHERE pool = 'leases';
SELECT attempt, priority FROM hwsched.pending WHERE pool = 'leases';
-- and comes late
\set VERBOSITY sqlstate
SELECT hwsched.complete(:one, pool => 'leases');
SELECT hwsched.complete_many(ARRAY[:one]::bigint[], 'leases');
SELECT hwsched.extend_lease(:one, '1 min', 'leases');
SELECT hwsched.fail(:one, 'late', 'leases');
\set VERBOSITY default
-- both count against the worker, as failures do
SELECT failures, preference < 0.5 AS less FROM hwsched.preference WHERE pool = 'leases';
-- the second and last attempt takes too long, whatever its lease
SELECT hwsched.assign_pending(pool => 'leases');
SELECT assignment_id AS two FROM hwsched.assignment WHERE pool = 'leases' AND state = 'assigned' \gset
SELECT hwsched.start(:two, 'leases');
UPDATE hwsched.assignment SET started_at = now() - interval '49 h' WHERE pool = 'leases' AND assignment_id = :two;
SELECT * FROM hwsched.maintain('leases');
UPDATE hwsched.assignment SET started_at = now() - interval '51 h' WHERE pool = 'leases' AND assignment_id = :two;
SELECT * FROM hwsched.maintain('leases');
SELECT workload_id, attempt, state, error FROM attempts;
SELECT state, closed_at IS NOT NULL AS closed FROM hwsched.workload WHERE pool = 'leases';
SELECT sum(failures) AS failures FROM hwsched.preference WHERE pool = 'leases';
SELECT count(*) AS held FROM hwsched.worker_usage WHERE pool = 'leases' AND assignments <> 0;
-- a shard whose lease is lost takes its gang along, once
SELECT hwsched.submit('{"test_id": "gang", "test_type": "training", "custom_properties": {"is_shardable": true, "min_shards": 2, "allocation_strategy": "sharded"}}', 'leases');
SELECT hwsched.assign_pending(pool => 'leases');
SELECT count(*) FROM unnest('{w1,w2}'::text[]) AS w, hwsched.claim(w, pool => 'leases');
UPDATE hwsched.assignment SET lease_until = now() - interval '1 s' WHERE pool = 'leases' AND state = 'running';
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '101 h' WHERE pool = 'leases';
SELECT * FROM hwsched.maintain('leases');
SELECT workload_id, attempt, state, error FROM attempts WHERE workload_id = 'gang';
SELECT workload_id, attempt FROM hwsched.pending WHERE pool = 'leases';
-- what is old is forgotten, and only that
SELECT hwsched.alter_pool('leases', '{"retention": {"history": "1 hour"}}');
SELECT * FROM hwsched.maintain('leases');
UPDATE hwsched.assignment SET finished_at = now() - interval '61 min' WHERE pool = 'leases' AND workload_id = 'a';
UPDATE hwsched.submission SET closed_at = now() - interval '61 min' WHERE pool = 'leases' AND workload_id = 'a';
UPDATE hwsched.load_history SET at = now() - interval '61 min' WHERE pool = 'leases';
-- (what is not said of the retention has its default)
SELECT hwsched.alter_pool('leases', '{"retention": {"hourly": "100 days"}}');
SELECT forgotten FROM hwsched.maintain('leases');
SELECT hwsched.alter_pool('leases', '{"retention": {"history": "1 hour"}}');
SELECT * FROM hwsched.maintain('leases');
SELECT (SELECT count(*) FROM hwsched.assignment WHERE pool = 'leases') AS assignments, (SELECT string_agg(workload_id, ' ') FROM hwsched.submission WHERE pool = 'leases') AS workloads, (SELECT count(*) FROM hwsched.load_history WHERE pool = 'leases') AS loads;
SELECT hwsched.maintain('nowhere');
SELECT hwsched.drop_pool('leases');

--
-- What is granted late in a transaction counts from then
--
SELECT hwsched.create_pool('late', '{"lease": "1 h", "retry_backoff": "0.2 s", "quarantine_after": 1}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 4, "max_concurrent": 2}', 'late'), hwsched.submit_many('[{"test_id": "a"}, {"test_id": "b"}, {"test_id": "c"}]', 'late');
BEGIN;
SELECT FROM pg_sleep(0.5);
SELECT now() + interval '0.5 s' AS late \gset
SELECT hwsched.assign_pending(pool => 'late');
SELECT count(*) AS claimed FROM hwsched.claim('w', pool => 'late');
SELECT hwsched.start(assignment_id, 'late') FROM hwsched.assignment WHERE pool = 'late' AND state = 'assigned';
SELECT workload_id, assigned_at >= :'late'::timestamptz AS assigned, started_at >= assigned_at AS started, lease_until >= started_at + interval '1 h' AS leased FROM hwsched.assignment WHERE pool = 'late' ORDER BY 1;
SELECT hwsched.extend_lease(assignment_id, '2 h', 'late') FROM hwsched.assignment WHERE pool = 'late' AND workload_id = 'a';
SELECT hwsched.fail(assignment_id, 'broken', 'late') FROM hwsched.assignment WHERE pool = 'late' AND workload_id = 'b';
SELECT (SELECT lease_until >= :'late'::timestamptz + interval '2 h' FROM hwsched.assignment WHERE pool = 'late' AND workload_id = 'a') AS extended,
	(SELECT ready_at >= :'late'::timestamptz + interval '0.1 s' FROM hwsched.pending WHERE pool = 'late' AND workload_id = 'b') AS retried,
	(SELECT health_since >= :'late'::timestamptz FROM hwsched.worker WHERE pool = 'late') AS quarantined,
	(SELECT last_seen_at >= :'late'::timestamptz FROM hwsched.worker_load WHERE pool = 'late') AS seen;
SELECT hwsched.start_warming('w', '1 min', 'late');
SELECT (SELECT phase_since >= :'late'::timestamptz FROM hwsched.worker_load WHERE pool = 'late') AS warming;
COMMIT;
-- time that runs out, too, by now
SELECT expired, timed_out, offline FROM hwsched.maintain('late');
SELECT hwsched.drop_pool('late');

--
-- A worker that names what it runs renews the leases of that, and is told what to stop
--
SELECT hwsched.create_pool('named', '{"lease": "100 h", "retry_backoff": "0 s"}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 8, "max_concurrent": 8}', 'named'), hwsched.register_worker('v', '{"cpu_cores": 1}', 'named');
SELECT hwsched.drain_worker('v', 'named');
SELECT hwsched.submit_many('[{"test_id": "a"}, {"test_id": "b"}, {"test_id": "c"}, {"test_id": "d"}, {"test_id": "e"}]', 'named'), hwsched.assign_pending(pool => 'named');
SELECT count(*) AS claimed FROM hwsched.claim('w', 4, pool => 'named');
CREATE FUNCTION pg_temp.ids(VARIADIC names text[]) RETURNS bigint[] LANGUAGE sql AS
	$$ SELECT array_agg(assignment_id) FROM hwsched.assignment WHERE pool = 'named' AND workload_id = ANY (names) $$;
CREATE PROCEDURE pg_temp.wait_lease() LANGUAGE sql AS $$
	UPDATE hwsched.assignment SET lease_until = lease_until - interval '99 h 59 min' WHERE pool = 'named' AND state = 'running';
	UPDATE hwsched.worker_load SET last_seen_at = now() - interval '101 h' WHERE pool = 'named' AND worker_id = 'w'; $$;
-- nothing to stop; what was not named is not renewed, nor by other signs of life
CALL pg_temp.wait_lease();
SELECT * FROM hwsched.heartbeat('w', pg_temp.ids('a', 'b', 'c') || NULL::bigint || pg_temp.ids('a'), 'named');
SELECT workload_id, lease_until > now() + interval '99 h' AS renewed FROM hwsched.assignment WHERE pool = 'named' AND state = 'running' ORDER BY 1;
UPDATE hwsched.assignment SET lease_until = lease_until - interval '1 h' WHERE pool = 'named' AND state = 'running';
SELECT hwsched.update_load('w', '{"cpu_utilization": 5}', 'named'), count(*) AS claimed FROM hwsched.claim('w', pool => 'named');
SELECT expired, offline FROM hwsched.maintain('named');
SELECT workload_id, state, error FROM hwsched.assignment WHERE pool = 'named' ORDER BY assignment_id;
-- what is not running there is to be stopped, whatever it is: expired, cancelled, completed, never started, of another, of nobody
SELECT hwsched.cancel('a', 'named'), hwsched.complete((pg_temp.ids('b'))[1], pool => 'named');
SELECT hwsched.submit('{"test_id": "f"}', 'named'), hwsched.assign_pending(pool => 'named');
SELECT (SELECT string_agg(workload_id, ' ') FROM hwsched.assignment a WHERE a.assignment_id = h.assignment_id) AS workload_id, action, reason
FROM hwsched.heartbeat('w', pg_temp.ids('a', 'b', 'c', 'd', 'e', 'f') || '{0,-1,9223372036854775807}'::bigint[], 'named') AS h ORDER BY h.assignment_id;
SELECT DISTINCT action, reason FROM hwsched.heartbeat('v', pg_temp.ids('c', 'e'), 'named');
-- a plain heartbeat, or to register again, speaks for all again
CALL pg_temp.wait_lease();
UPDATE hwsched.assignment SET lease_until = now() - interval '1 s' WHERE pool = 'named' AND state = 'running';
SELECT hwsched.heartbeat('w', 'named');
SELECT expired, offline FROM hwsched.maintain('named');
SELECT * FROM hwsched.heartbeat('w', '{}', 'named');
SELECT hwsched.register_worker('w', '{"cpu_cores": 8, "max_concurrent": 8}', 'named');
SELECT expired, offline FROM hwsched.maintain('named');
SELECT hwsched.heartbeat('w', '{}', 'named');
SELECT expired, offline FROM hwsched.maintain('named');
SELECT workload_id, state FROM hwsched.assignment WHERE pool = 'named' AND workload_id IN ('c', 'e') ORDER BY assignment_id;
-- old calls mean what they did, and faults are told
SELECT pg_typeof(hwsched.heartbeat('w', 'named')), pg_typeof(hwsched.heartbeat('w', pool => 'named'));
SELECT hwsched.heartbeat('w', NULL::bigint[], 'named');
SELECT hwsched.heartbeat('nobody', '{}', 'named');
SELECT hwsched.heartbeat('w', '{}', 'nowhere');
SELECT hwsched.drop_pool('named');
