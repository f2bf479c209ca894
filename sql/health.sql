-- Sick workers: silent ones are offline, those that fail are quarantined and tried again.
SELECT hwsched.create_pool('health', '{"retry_backoff": "0 s", "quarantine_after": 2, "offline_after": "90 h"}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 4, "available_memory": 16, "max_concurrent": 3}', 'health') FROM unnest('{w1,w2}'::text[]) AS w;
CREATE TEMP VIEW status AS SELECT worker_id, state, health, failures_in_row AS failures, assigned, running, is_drained FROM hwsched.worker_status WHERE pool = 'health' ORDER BY 1;
CREATE TEMP VIEW went AS SELECT workload_id, attempt, worker_id, state, error FROM hwsched.assignment WHERE pool = 'health' ORDER BY assignment_id;
CREATE FUNCTION pg_temp.fail_one(worker text) RETURNS void LANGUAGE sql AS $$
	SELECT hwsched.fail((SELECT min(assignment_id) FROM hwsched.assignment WHERE pool = 'health' AND worker_id = worker AND state = 'running'), 'broken', 'health') $$;
CREATE FUNCTION pg_temp.complete_one(worker text) RETURNS void LANGUAGE sql AS $$
	SELECT hwsched.complete((SELECT min(assignment_id) FROM hwsched.assignment WHERE pool = 'health' AND worker_id = worker AND state = 'running'), pool => 'health') $$;

-- A silent worker: what runs there failed, what has not started did not
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', 't' || n, 'test_type', 'vision', 'retries', 5)), 'health') FROM generate_series(1, 6) AS n;
SELECT hwsched.assign_pending(pool => 'health');
SELECT count(*) AS started FROM hwsched.claim('w1', pool => 'health');
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '91 h' WHERE pool = 'health' AND worker_id = 'w1';
SELECT offline FROM hwsched.maintain('health');
SELECT offline FROM hwsched.maintain('health');
SELECT * FROM status;
SELECT * FROM went WHERE worker_id = 'w1';
SELECT workload_id, attempt FROM hwsched.pending WHERE pool = 'health' ORDER BY 1;
-- it gets nothing, and says why
SELECT DISTINCT worker_id FROM hwsched.plan_pending(pool => 'health');
SELECT worker_id, reason FROM hwsched.compatible_hardware('t1', 'health') ORDER BY 1;
SELECT hwsched.drain_worker('w2', 'health');
SELECT reason, workloads FROM hwsched.explain_pending('health');
SELECT hwsched.resume_worker('w2', 'health');
-- until it is heard of again: by a heartbeat, a load, a claim or by registering
SELECT hwsched.heartbeat('w1', 'health');
SELECT health FROM status WHERE worker_id = 'w1';
UPDATE hwsched.worker SET health = 'offline' WHERE pool = 'health' AND worker_id = 'w1';
SELECT hwsched.update_load('w1', '{"cpu_utilization": 1}', 'health');
SELECT health FROM status WHERE worker_id = 'w1';
UPDATE hwsched.worker SET health = 'offline' WHERE pool = 'health' AND worker_id = 'w1';
SELECT hwsched.register_worker('w1', '{"cpu_cores": 4, "available_memory": 16, "max_concurrent": 3}', 'health');
SELECT health FROM status WHERE worker_id = 'w1';
UPDATE hwsched.worker SET health = 'offline' WHERE pool = 'health' AND worker_id = 'w1';
SELECT count(*) AS started FROM hwsched.claim('w1', pool => 'health');
SELECT * FROM status;

-- A worker that fails: the loss above was the first in a row. What has not started goes elsewhere
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', 'u' || n, 'test_type', 'vision', 'retries', 5)), 'health') FROM generate_series(1, 6) AS n;
SELECT hwsched.assign_pending(pool => 'health');
SELECT pg_temp.fail_one('w1');
SELECT * FROM status;
SELECT * FROM went WHERE worker_id = 'w1' AND error ~ 'quarantine';
SELECT DISTINCT worker_id FROM hwsched.plan_pending(pool => 'health');
SELECT count(*) AS started FROM hwsched.claim('w1', pool => 'health');
-- tried again after a minute, with one workload at a time
SELECT tried_again FROM hwsched.maintain('health');
UPDATE hwsched.worker SET health_since = now() - interval '90 s' WHERE pool = 'health';
SELECT tried_again FROM hwsched.maintain('health');
SELECT count(*) AS started FROM hwsched.claim('w1', 3, pool => 'health');
SELECT health, failures, running FROM status WHERE worker_id = 'w1';
-- it fails again: for two minutes this time
SELECT pg_temp.fail_one('w1');
UPDATE hwsched.worker SET health_since = now() - interval '90 s' WHERE pool = 'health';
SELECT tried_again FROM hwsched.maintain('health');
UPDATE hwsched.worker SET health_since = now() - interval '121 s' WHERE pool = 'health';
SELECT tried_again FROM hwsched.maintain('health');
-- and comes back on success
SELECT count(*) AS started FROM hwsched.claim('w1', 3, pool => 'health');
SELECT pg_temp.complete_one('w1');
SELECT expired FROM hwsched.maintain('health');
SELECT health, failures FROM status WHERE worker_id = 'w1';
SELECT quarantines_in_row FROM hwsched.worker WHERE pool = 'health' AND worker_id = 'w1';
SELECT hwsched.assign_pending(pool => 'health') > 0 AS placed;
SELECT count(*) > 1 AS several FROM hwsched.claim('w1', 3, pool => 'health');
-- one failure between successes is nothing
SELECT pg_temp.fail_one('w1');
SELECT pg_temp.complete_one('w1');
SELECT count(*) AS started FROM hwsched.claim('w1', 3, pool => 'health');
SELECT pg_temp.fail_one('w1');
SELECT health, failures FROM status WHERE worker_id = 'w1';

-- Draining: what it has is finished, nothing new comes
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', 'd' || n, 'test_type', 'vision')), 'health') FROM generate_series(1, 3) AS n;
SELECT hwsched.assign_pending(pool => 'health') > 0 AS placed;
SELECT hwsched.drain_worker('w1', 'health');
SELECT worker_id, state, is_drained FROM status;
SELECT count(*) > 0 AS started FROM hwsched.claim('w1', 9, pool => 'health');
SELECT count(hwsched.complete(assignment_id, pool => 'health')) > 0 AS completed FROM hwsched.assignment WHERE pool = 'health' AND worker_id = 'w1' AND state = 'running';
SELECT hwsched.submit('{"test_id": "late", "test_type": "vision"}', 'health');
SELECT count(*) AS started FROM hwsched.claim('w1', 9, pool => 'health');
SELECT state, assigned, running, is_drained FROM status WHERE worker_id = 'w1';

-- The dead are revived with a new budget of attempts
SELECT hwsched.alter_pool('health', '{"quarantine_after": 100}');
SELECT hwsched.unregister_worker('w1', 'health');
SELECT hwsched.submit('{"test_id": "mortal", "test_type": "vision", "retries": 1, "priority": 1}', 'health');
CREATE PROCEDURE pg_temp.fail_mortal() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM hwsched.schedule('mortal', 'health');
	PERFORM hwsched.fail(max(assignment_id), 'broken', 'health') FROM hwsched.assignment WHERE pool = 'health' AND workload_id = 'mortal';
END $$;
SELECT count(hwsched.complete_many(ARRAY(SELECT assignment_id FROM hwsched.claim('w2', 9, pool => 'health')), 'health'));
SELECT hwsched.retry_dead('mortal', 'health');
CALL pg_temp.fail_mortal();
CALL pg_temp.fail_mortal();
SELECT state, retries FROM hwsched.workload WHERE pool = 'health' AND workload_id = 'mortal';
SELECT hwsched.retry_dead('mortal', 'health');
SELECT state, retries, run FROM hwsched.workload WHERE pool = 'health' AND workload_id = 'mortal';
SELECT attempt FROM hwsched.pending WHERE pool = 'health' AND workload_id = 'mortal';
CALL pg_temp.fail_mortal();
SELECT state FROM hwsched.workload WHERE pool = 'health' AND workload_id = 'mortal';
CALL pg_temp.fail_mortal();
SELECT state FROM hwsched.workload WHERE pool = 'health' AND workload_id = 'mortal';
SELECT attempt, state FROM went WHERE workload_id = 'mortal';
SELECT hwsched.retry_dead('nobody', 'health');
-- whatever the document calls their number, and though its history is forgotten
SELECT hwsched.submit('{"test_id": "old", "test_type": "vision", "retries": 0.0, "priority": 1}', 'health');
SELECT hwsched.fail(assignment_id, 'broken', 'health') FROM hwsched.schedule('old', 'health');
DELETE FROM hwsched.assignment WHERE pool = 'health' AND workload_id = 'old';
SELECT hwsched.retry_dead('old', 'health');
SELECT hwsched.fail(assignment_id, 'broken', 'health') FROM hwsched.schedule('old', 'health');
SELECT w.state, a.attempt FROM hwsched.workload AS w JOIN hwsched.assignment AS a USING (pool, workload_id) WHERE pool = 'health' AND workload_id = 'old';

-- Who succeeds in quarantine with what it still ran stays there for its minute
SELECT hwsched.create_pool('health_2', '{"quarantine_after": 1}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 4}', 'health_2') FROM unnest('{w1,w2,w3,w4}'::text[]) AS w;
UPDATE hwsched.worker SET health = 'quarantined', quarantines_in_row = 0, health_since = now() - interval '31 s' WHERE pool = 'health_2' AND worker_id = 'w1';
SELECT tried_again FROM hwsched.maintain('health_2');
UPDATE hwsched.worker SET health_since = now() - interval '60 s' WHERE pool = 'health_2' AND worker_id = 'w1';
SELECT tried_again FROM hwsched.maintain('health_2');
-- each quarantine in a row is twice as long as the one before, an hour at most
SELECT hwsched.create_pool('health_3');
SELECT count(hwsched.register_worker(n::text, '{"cpu_cores": 4}', 'health_3')) FROM generate_series(1, 40) AS n;
UPDATE hwsched.worker SET health = 'quarantined', quarantines_in_row = worker_id::int, health_since = now() - least(interval '1 hour', interval '1 min' * 2 ^ least(worker_id::int - 1, 9)) + interval '30 s' WHERE pool = 'health_3';
SELECT tried_again FROM hwsched.maintain('health_3');
UPDATE hwsched.worker SET health_since = health_since - interval '30 s' WHERE pool = 'health_3';
SELECT tried_again FROM hwsched.maintain('health_3');
-- the pool as a whole: who takes work, and why not
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '1 hour' WHERE pool = 'health_2' AND worker_id = 'w2';
SELECT offline FROM hwsched.maintain('health_2');
SELECT hwsched.drain_worker('w3', 'health_2');
UPDATE hwsched.worker SET health = 'quarantined' WHERE pool = 'health_2' AND worker_id = 'w4';
SELECT workers, active_workers, draining_workers, offline_workers, quarantined_workers FROM hwsched.pool_summary WHERE pool = 'health_2';
SELECT hwsched.drain_worker('nobody', 'health_2');
SELECT hwsched.drain_worker('w1', 'nowhere');
-- Who is drained, offline or quarantined takes nothing from others either
SELECT hwsched.create_pool('health_5');
SELECT hwsched.register_worker(w, '{"cpu_cores": 4}', 'health_5') FROM unnest('{w1,w2}'::text[]) AS w;
SELECT hwsched.drain_worker('w2', 'health_5');
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', 'x' || n)), 'health_5') FROM generate_series(1, 4) AS n;
SELECT hwsched.assign_pending(pool => 'health_5');
SELECT count(*) FROM hwsched.claim('w2', pool => 'health_5');
SELECT hwsched.rebalance(9, 'health_5');
SELECT hwsched.resume_worker('w2', 'health_5');
UPDATE hwsched.worker SET health = 'quarantined' WHERE pool = 'health_5' AND worker_id = 'w2';
SELECT count(*) FROM hwsched.claim('w2', pool => 'health_5');
SELECT hwsched.rebalance(9, 'health_5');
UPDATE hwsched.worker SET health = 'probation' WHERE pool = 'health_5' AND worker_id = 'w2';
SELECT hwsched.rebalance(9, 'health_5');
SELECT count(*) FROM hwsched.claim('w2', 9, pool => 'health_5');
SELECT worker_id, assigned, running FROM hwsched.worker_status WHERE pool = 'health_5' ORDER BY 1;
-- What is lost with a worker counts once, however busy it was; what fails there by itself each time
SELECT hwsched.create_pool('health_4', '{"quarantine_after": 3, "lease": "60 h", "offline_after": "90 h"}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 4}', 'health_4');
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', 'x' || n, 'timeout', 216000)), 'health_4') FROM generate_series(1, 8) AS n;
SELECT count(*) FROM hwsched.claim('w', 4, pool => 'health_4');
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '91 h' WHERE pool = 'health_4';
SELECT offline FROM hwsched.maintain('health_4');
SELECT hwsched.heartbeat('w', 'health_4');
SELECT health, failures_in_row FROM hwsched.worker_status WHERE pool = 'health_4';
SELECT count(*) FROM hwsched.claim('w', 4, pool => 'health_4');
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '75 h' WHERE pool = 'health_4';
UPDATE hwsched.assignment SET lease_until = now() WHERE pool = 'health_4' AND state = 'running' AND assignment_id % 2 = 0;
SELECT expired FROM hwsched.maintain('health_4');
SELECT health, failures_in_row FROM hwsched.worker_status WHERE pool = 'health_4';
SELECT hwsched.heartbeat('w', 'health_4');
UPDATE hwsched.assignment SET started_at = now() - interval '75 h' WHERE pool = 'health_4' AND state = 'running';
SELECT timed_out FROM hwsched.maintain('health_4');
SELECT health, failures_in_row FROM hwsched.worker_status WHERE pool = 'health_4';
-- silence is no way out of quarantine
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '91 h' WHERE pool = 'health_4';
SELECT offline FROM hwsched.maintain('health_4');
SELECT health, failures_in_row FROM hwsched.worker_status WHERE pool = 'health_4';
SELECT hwsched.heartbeat('w', 'health_4');
SELECT health, failures_in_row FROM hwsched.worker_status WHERE pool = 'health_4';
-- A call decides and takes back only so much, and says whether there is more
SELECT hwsched.create_pool('health_6', '{"maintain_batch": 3, "batch_window": 4, "lease": "60 h", "offline_after": "90 h", "retry_backoff": 0}');
SELECT hwsched.register_worker('w' || n, '{"cpu_cores": 4, "max_concurrent": 2}', 'health_6') FROM generate_series(1, 4) AS n;
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', 'x' || n)), 'health_6') FROM generate_series(1, 8) AS n;
SELECT count(*) FROM hwsched.plan_pending(pool => 'health_6');
SELECT count(*) FROM hwsched.plan_pending(3, 'health_6');
SELECT hwsched.assign_pending(NULL, 'health_6') FROM generate_series(1, 3);
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '91 h' WHERE pool = 'health_6';
SELECT offline, more FROM generate_series(1, 5) AS n, LATERAL (SELECT n) AS call, hwsched.maintain('health_6' || left(call.n::text, 0));
SELECT count(*) FROM hwsched.pending WHERE pool = 'health_6';
SELECT hwsched.heartbeat('w' || n, 'health_6') FROM generate_series(1, 4) AS n;
-- the loop repeats both until nothing is left, each call in a transaction of its own
CALL hwsched.run_loop('0 s', '1 s', 'health_6');
SELECT count(*) AS live, count(DISTINCT xmin::text) AS batches FROM hwsched.assignment WHERE pool = 'health_6' AND finished_at IS NULL;
SELECT count(*) FROM generate_series(1, 4) AS n, hwsched.claim('w' || n, 2, pool => 'health_6');
UPDATE hwsched.assignment SET lease_until = now() WHERE pool = 'health_6' AND state = 'running';
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '75 h' WHERE pool = 'health_6';
SELECT expired, more FROM hwsched.maintain('health_6');
SELECT expired, more FROM hwsched.maintain('health_6');
UPDATE hwsched.assignment SET started_at = now() - interval '75 h' WHERE pool = 'health_6' AND state = 'running';
UPDATE hwsched.submission SET timeout_seconds = 3600 WHERE pool = 'health_6';
UPDATE hwsched.assignment SET lease_until = 'infinity' WHERE pool = 'health_6' AND state = 'running';
SELECT timed_out, more FROM hwsched.maintain('health_6');
-- a worker that has more than that is taken back at once, as there is no other way
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', 'y' || n)), 'health_6') FROM generate_series(1, 6) AS n;
SELECT hwsched.register_worker('big', '{"cpu_cores": 4, "max_concurrent": 6}', 'health_6');
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '91 h' WHERE pool = 'health_6' AND worker_id <> 'big';
SELECT offline, more FROM hwsched.maintain('health_6');
SELECT offline, more FROM hwsched.maintain('health_6');
CALL hwsched.run_loop('0 s', '1 s', 'health_6');
SELECT worker_id, health, assigned FROM hwsched.worker_status WHERE pool = 'health_6' ORDER BY 1;
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '91 h' WHERE pool = 'health_6';
SELECT offline, more FROM hwsched.maintain('health_6');
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool ~ '^health';
