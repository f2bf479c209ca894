-- Retries: they wait, go elsewhere, and ask for what was missing.
SELECT hwsched.create_pool('retries', '{"retry_backoff": "8 s", "quarantine_after": 1000}');
SELECT hwsched.register_worker('cpu1', '{"cpu_cores": 8, "available_memory": 4}', 'retries'), hwsched.register_worker('cpu2', '{"cpu_cores": 8, "available_memory": 16}', 'retries'),
	hwsched.register_worker('gpu', '{"cpu_cores": 8, "available_memory": 64, "supported_backends": ["cuda"], "available_accelerators": {"cuda": 1}}', 'retries');
CREATE TEMP VIEW attempts AS SELECT a.workload_id, a.attempt, a.worker_id, d.hardware_class AS class, a.state, a.error_class FROM hwsched.assignment AS a
	JOIN hwsched.device_profile AS d ON d.pool = a.pool AND d.profile_id = a.device_profile_id WHERE a.pool = 'retries' ORDER BY a.assignment_id;
CREATE TEMP VIEW waits AS SELECT q.workload_id, q.attempt, ceil(log(2, (extract(epoch FROM nullif(q.ready_at, '-infinity') - f.failed_at) / 8)::numeric)) AS doublings, q.avoid_workers,
	round((p.profile ->> 'min_memory_bytes')::numeric / 1073741824, 3) AS memory, p.demand ->> 'avoid_class' AS avoid_class
	FROM hwsched.pending AS q LEFT JOIN hwsched.workload_profile AS p ON p.pool = q.pool AND p.profile_id = q.retry_profile_id
	LEFT JOIN LATERAL (SELECT max(a.finished_at) AS failed_at FROM hwsched.assignment AS a WHERE a.pool = q.pool AND a.workload_id = q.workload_id) AS f ON true WHERE q.pool = 'retries' ORDER BY 1;
CREATE PROCEDURE pg_temp.fails(workload text, why text) LANGUAGE plpgsql AS $$
BEGIN
	UPDATE hwsched.pending SET ready_at = '-infinity' WHERE pool = 'retries' AND workload_id = workload;
	PERFORM hwsched.schedule(workload, 'retries');
	PERFORM hwsched.fail(assignment_id, why, 'retries') FROM hwsched.assignment WHERE pool = 'retries' AND workload_id = workload AND finished_at IS NULL;
END $$;

-- The wait is doubled each time, and shorter by up to a half: doublings of 8 s, rounded up
SELECT hwsched.submit('{"test_id": "wait", "test_type": "vision", "retries": 20, "required_backend": "cpu"}', 'retries');
CALL pg_temp.fails('wait', 'broken');
SELECT workload_id, attempt, doublings FROM waits;
UPDATE hwsched.pending SET ready_at = ready_at + interval '1 hour' WHERE pool = 'retries';
SELECT count(*) AS planned FROM hwsched.plan_pending(pool => 'retries');
SELECT reason FROM hwsched.pending_workloads WHERE pool = 'retries';
CALL pg_temp.fails('wait', 'broken');
CALL pg_temp.fails('wait', 'broken');
SELECT workload_id, attempt, doublings FROM waits;
CALL pg_temp.fails('wait', 'broken');
CALL pg_temp.fails('wait', 'broken');
CALL pg_temp.fails('wait', 'broken');
CALL pg_temp.fails('wait', 'broken');
-- at most five minutes
SELECT attempt, ready_at - failed_at BETWEEN interval '150 s' AND interval '300 s' AS capped FROM hwsched.pending, (SELECT max(finished_at) AS failed_at FROM hwsched.assignment WHERE pool = 'retries') AS f WHERE pool = 'retries';
SELECT hwsched.cancel('wait', 'retries');
SELECT hwsched.alter_pool('retries', '{"retry_backoff": "0 s"}');

-- It goes where it has not failed, by every way, and anywhere once it has failed everywhere
SELECT hwsched.submit('{"test_id": "go", "test_type": "vision", "retries": 20, "required_backend": "cpu"}', 'retries');
CALL pg_temp.fails('go', 'connection reset by peer');
SELECT avoid_workers FROM waits;
SELECT worker_id = ANY (avoid_workers) AS again FROM hwsched.plan_pending(pool => 'retries'), waits;
SELECT hwsched.alter_pool('retries', '{"solver": "optimal"}');
SELECT worker_id = ANY (avoid_workers) AS again FROM hwsched.plan_pending(pool => 'retries'), waits;
SELECT hwsched.alter_pool('retries', '{"solver": "greedy"}');
SELECT worker_id AS sick FROM attempts WHERE workload_id = 'go' \gset
SELECT count(*) AS claimed FROM hwsched.claim(:'sick', pool => 'retries');
-- others that are busy, or offline, are waited for
UPDATE hwsched.worker SET health = 'offline' WHERE pool = 'retries' AND worker_id <> :'sick';
SELECT count(*) AS planned FROM hwsched.plan_pending(pool => 'retries');
UPDATE hwsched.worker SET health = 'healthy' WHERE pool = 'retries';
CALL pg_temp.fails('go', 'broken');
CALL pg_temp.fails('go', 'broken');
SELECT count(DISTINCT worker_id) AS workers, count(*) AS attempts FROM attempts WHERE workload_id = 'go';
SELECT cardinality(avoid_workers) AS avoided, (SELECT count(*) FROM hwsched.plan_pending(pool => 'retries')) AS planned FROM waits;
CALL pg_temp.fails('go', NULL);
SELECT attempt, error_class FROM attempts WHERE workload_id = 'go';
-- and it keeps nobody else from them
SELECT hwsched.submit_many('[{"test_id": "first", "test_type": "vision", "required_backend": "cpu", "priority": 1}, {"test_id": "next", "test_type": "vision", "required_backend": "cpu", "host_memory": 50}]', 'retries');
CALL pg_temp.fails('first', 'broken');
UPDATE hwsched.worker SET health = 'offline' WHERE pool = 'retries' AND worker_id <> (SELECT avoid_workers[1] FROM waits WHERE workload_id = 'first');
SELECT hwsched.register_worker(worker_id, '{"cpu_cores": 8, "available_memory": 64}', 'retries') FROM hwsched.worker WHERE pool = 'retries' AND health = 'healthy';
SELECT workload_id FROM hwsched.plan_pending(pool => 'retries') WHERE workload_id IN ('first', 'next');
UPDATE hwsched.worker SET health = 'healthy' WHERE pool = 'retries';
SELECT hwsched.cancel('first', 'retries'), hwsched.cancel('next', 'retries');
-- what goes back for another reason still avoids them, and counts no attempt
SELECT hwsched.submit('{"test_id": "moved", "test_type": "vision", "required_backend": "cpu"}', 'retries');
SELECT hwsched.cancel('go', 'retries');
CALL pg_temp.fails('moved', 'broken');
SELECT count(*) FROM hwsched.schedule('moved', 'retries');
SELECT worker_id AS other FROM attempts WHERE workload_id = 'moved' AND state = 'assigned' \gset
SELECT hwsched.register_worker(:'other', '{"cpu_cores": 16, "available_memory": 16}', 'retries');
SELECT attempt, cardinality(avoid_workers) AS avoided FROM waits;
SELECT hwsched.cancel('moved', 'retries');

-- Out of memory: half as much again, and again, as long as there is so much
SELECT hwsched.submit('{"test_id": "hungry", "test_type": "vision", "minimum_memory": 4, "retries": 9, "required_backend": "cpu"}', 'retries');
CALL pg_temp.fails('hungry', 'RuntimeError: CUDA out of memory. Tried to allocate 2 GiB');
SELECT attempt, memory FROM waits;
SELECT min(worker_id) AS least FROM hwsched.compatible_hardware('hungry', 'retries');
SELECT worker_id <> 'cpu1' AS elsewhere FROM hwsched.plan_pending(pool => 'retries');
CALL pg_temp.fails('hungry', 'java.lang.OutOfMemoryError: heap');
SELECT attempt, memory FROM waits;
SELECT worker_id FROM hwsched.schedule('hungry', 'retries');
SELECT sum(memory_bytes) / 1073741824 AS held FROM hwsched.device_reserved WHERE pool = 'retries';
SELECT hwsched.fail(assignment_id, 'MemoryError', 'retries') FROM hwsched.assignment WHERE pool = 'retries' AND finished_at IS NULL;
CALL pg_temp.fails('hungry', 'exit code 137');
CALL pg_temp.fails('hungry', 'OOMKilled');
CALL pg_temp.fails('hungry', 'std::bad_alloc');
CALL pg_temp.fails('hungry', 'std::bad_alloc');
SELECT attempt, memory FROM waits;
SELECT count(*) AS planned FROM hwsched.plan_pending(pool => 'retries');
SELECT hwsched.cancel('hungry', 'retries');

-- Out of time: another class of hardware, where there is one
SELECT hwsched.submit('{"test_id": "slow", "test_type": "vision", "timeout": 10, "retries": 9}', 'retries');
SELECT hwsched.assign_pending(pool => 'retries');
SELECT count(*) AS started FROM hwsched.claim((SELECT worker_id FROM attempts WHERE workload_id = 'slow'), pool => 'retries');
UPDATE hwsched.assignment SET started_at = now() - interval '11 s' WHERE pool = 'retries' AND state = 'running';
SELECT timed_out FROM hwsched.maintain('retries');
SELECT class, error_class FROM attempts WHERE workload_id = 'slow';
SELECT attempt, avoid_class FROM waits;
SELECT hwsched.assign_pending(pool => 'retries');
SELECT count(DISTINCT class) AS classes FROM attempts WHERE workload_id = 'slow';
SELECT hwsched.cancel('slow', 'retries');
SELECT hwsched.submit('{"test_id": "stuck", "test_type": "vision", "required_backend": "cpu", "retries": 9}', 'retries');
CALL pg_temp.fails('stuck', 'deadline exceeded');
SELECT avoid_class, (SELECT count(*) FROM hwsched.plan_pending(pool => 'retries')) AS planned FROM waits;
CALL pg_temp.fails('stuck', 'subprocess.TimeoutExpired: command timed out');
SELECT attempt, class, error_class FROM attempts WHERE workload_id = 'stuck';
SELECT hwsched.drop_pool('retries');

-- A worker that is the only one: the next attempt goes to another device of it, and anywhere once all have been tried
SELECT hwsched.create_pool('devices', '{"retry_backoff": "0 s", "quarantine_after": 1000, "max_concurrent": 4}');
SELECT hwsched.register_worker('one', '{"cpu_cores": 8, "devices": [{"hardware_class": "gpu", "vendor": "nvidia", "supported_backends": ["cuda"], "memory_total_bytes": 17179869184, "compute_units": 80, "count": 3}]}', 'devices');
CREATE PROCEDURE pg_temp.fails_there(workload text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM hwsched.schedule(workload, 'devices');
	PERFORM hwsched.fail(assignment_id, 'broken', 'devices') FROM hwsched.assignment WHERE pool = 'devices' AND workload_id = workload AND finished_at IS NULL;
END $$;
CREATE FUNCTION pg_temp.devices_tried(requirements jsonb, times int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM hwsched.submit(requirements || '{"retries": 20}', 'devices');
	FOR i IN 1 .. times LOOP
		CALL pg_temp.fails_there(requirements ->> 'test_id');
	END LOOP;
	PERFORM hwsched.cancel(requirements ->> 'test_id', 'devices');
	RETURN (SELECT string_agg(device_nos::text, ' ' ORDER BY assignment_id) FROM hwsched.assignment WHERE pool = 'devices' AND workload_id = requirements ->> 'test_id');
END $$;
SELECT pg_temp.devices_tried('{"test_id": "slot", "required_backend": "cuda"}', 3), pg_temp.devices_tried('{"test_id": "share", "required_backend": "cuda", "accelerator_share": 0.5}', 3),
	pg_temp.devices_tried('{"test_id": "whole", "required_accelerators": {"cuda": 1}}', 3);
SELECT length(pg_temp.devices_tried('{"test_id": "everywhere", "required_accelerators": {"cuda": 1}}', 5)) AS tried_on, pg_temp.devices_tried('{"test_id": "cpu", "required_backend": "cpu"}', 3);
-- of three, two others than those that failed together there are not
SELECT pg_temp.devices_tried('{"test_id": "two", "required_accelerators": {"cuda": 2}}', 2);
-- one that is busy, or out of order, is waited for; by every way; and nobody else is kept from the first
SELECT hwsched.submit('{"test_id": "waits", "retries": 20, "required_accelerators": {"cuda": 1}}', 'devices');
CALL pg_temp.fails_there('waits');
SELECT device_nos[1] AS sick FROM hwsched.assignment WHERE pool = 'devices' AND workload_id = 'waits' \gset
SELECT hwsched.drain_device('one', device_no, 'devices') FROM hwsched.device WHERE pool = 'devices' AND device_no NOT IN (0, :sick);
SELECT count(*) AS planned FROM hwsched.plan_pending(pool => 'devices');
SELECT count(*) AS claimed FROM hwsched.claim('one', pool => 'devices');
SELECT hwsched.submit('{"test_id": "other", "required_accelerators": {"cuda": 1}}', 'devices');
SELECT workload_id, device_nos = ARRAY[:sick] AS there FROM hwsched.plan_pending(pool => 'devices');
SELECT hwsched.alter_pool('devices', '{"solver": "optimal"}');
SELECT workload_id, device_nos = ARRAY[:sick] AS there FROM hwsched.plan_pending(pool => 'devices');
SELECT workload_id, device_nos = ARRAY[:sick] AS there FROM hwsched.claim('one', 5, pool => 'devices');
SELECT hwsched.resume_device('one', device_no, 'devices') FROM hwsched.device WHERE pool = 'devices';
SELECT workload_id, device_nos = ARRAY[:sick] AS there FROM hwsched.claim('one', 5, pool => 'devices');
SELECT hwsched.drop_pool('devices');
