-- Workers that are alive and say little: reports that grow old, and work that is
-- never started.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

CREATE VIEW pg_temp.went AS
SELECT a.pool, a.workload_id, a.attempt, a.worker_id, a.state, a.error, a.error_class, w.state AS workload
FROM hwsched.assignment AS a JOIN hwsched.workload AS w USING (pool, workload_id);

--
-- load_ttl: an old report counts as none, to batches at once and to all once it is maintained
--
SELECT hwsched.create_pool('ttl', '{"offline_after": "1 day"}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 4}', 'ttl');
SELECT hwsched.update_load('w', '{"cpu_utilization": 100, "memory_utilization": 100, "gpu_utilization": 100, "io_utilization": 100, "network_utilization": 100,
	"temperature": 0.9, "devices": [{"device_no": 0, "utilization": 100}]}', 'ttl');
SELECT hwsched.submit_many('[{"test_id": "a"}, {"test_id": "b"}]', 'ttl'), hwsched.assign_pending(pool => 'ttl');
SELECT load_ratio, temperature_ratio, reason FROM hwsched.compatible_hardware('a', 'ttl');
UPDATE hwsched.worker_load SET reported_at = now() - interval '4 min' WHERE pool = 'ttl';
SELECT hwsched.heartbeat('w', 'ttl');
SELECT hwsched.assign_pending(pool => 'ttl');
UPDATE hwsched.worker_load SET reported_at = now() - interval '301 s' WHERE pool = 'ttl';
SELECT load_ratio, temperature_ratio, reason FROM hwsched.compatible_hardware('a', 'ttl');
SELECT hwsched.assign_pending(1, 'ttl');
SELECT worker_id FROM hwsched.schedule('b', 'ttl');
SELECT expired FROM hwsched.maintain('ttl');
SELECT cpu_utilization, reported_at, cpu_readiness FROM hwsched.worker_load WHERE pool = 'ttl';
SELECT count(*) FROM hwsched.device_load WHERE pool = 'ttl';
-- the next report counts again
SELECT hwsched.update_load('w', '{"cpu_utilization": 40}', 'ttl');
SELECT load_ratio > 0 AS loaded FROM hwsched.compatible_hardware('a', 'ttl');

--
-- start_timeout: a worker that reports and never claims
--
SELECT hwsched.create_pool('start', '{"offline_after": "1 day", "max_concurrent": 1}');
SELECT hwsched.register_worker('lazy', '{"cpu_cores": 4}', 'start');
SELECT hwsched.submit_many('[{"test_id": "slow"}, {"test_id": "fast", "start_timeout": "1 min"}]', 'start');
SELECT hwsched.alter_pool('start', '{"max_concurrent": 2}'), hwsched.assign_pending(pool => 'start');
UPDATE hwsched.assignment SET assigned_at = now() - interval '2 min' WHERE pool = 'start';
SELECT expired FROM hwsched.maintain('start');
SELECT workload_id, attempt, state, error, error_class, workload FROM pg_temp.went WHERE pool = 'start' ORDER BY 1;
SELECT workload_id, attempt, avoid_workers, ready_at FROM hwsched.pending WHERE pool = 'start';
-- to another worker if one can
SELECT hwsched.register_worker('busy', '{"cpu_cores": 2}', 'start');
SELECT hwsched.assign_pending(pool => 'start');
SELECT worker_id FROM pg_temp.went WHERE pool = 'start' AND workload_id = 'fast' AND state = 'assigned';
-- who runs something it claimed has time, and so has who has just done so
UPDATE hwsched.assignment SET assigned_at = now() - interval '11 min' WHERE pool = 'start' AND state = 'assigned';
SELECT hwsched.submit('{"test_id": "other", "priority": 1}', 'start');
SELECT workload_id FROM hwsched.claim('busy', pool => 'start');
SELECT hwsched.start(assignment_id, 'start') FROM hwsched.assignment WHERE pool = 'start' AND workload_id = 'slow';
SELECT expired FROM hwsched.maintain('start');
SELECT hwsched.submit('{"test_id": "next"}', 'start'), hwsched.assign_pending(pool => 'start');
UPDATE hwsched.assignment SET assigned_at = now() - interval '11 min' WHERE pool = 'start' AND state = 'assigned';
SELECT expired FROM hwsched.maintain('start');
SELECT hwsched.complete_many(array_agg(assignment_id), 'start') FROM hwsched.assignment WHERE pool = 'start' AND state = 'running';
SELECT expired FROM hwsched.maintain('start');
UPDATE hwsched.worker_usage SET ran_at = now() - interval '11 min' WHERE pool = 'start';
SELECT expired FROM hwsched.maintain('start');
SELECT hwsched.submit(jsonb_build_object('test_id', 'x', 'start_timeout', v), 'start') FROM (VALUES (0)) AS t (v);
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool IN ('ttl', 'start');
