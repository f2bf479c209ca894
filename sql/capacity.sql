-- Less room than was given: a limit that is lowered, a worker that registers
-- with less, a worker that is silent. What runs goes on, what has not started
-- goes back as far as it is too much, and nothing is claimed beyond what there is.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

CREATE VIEW pg_temp.went AS
SELECT a.pool, a.workload_id, a.state, a.worker_id, a.device_nos, a.error, w.state AS workload
FROM hwsched.assignment AS a JOIN hwsched.workload AS w USING (pool, workload_id);
CREATE FUNCTION pg_temp.work(n int, extra jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(jsonb_build_object('test_id', 't' || i) || extra) FROM generate_series(1, n) AS i $$;

--
-- max_concurrent of the pool: of four, one runs and one may stay
--
SELECT hwsched.create_pool('cap'), hwsched.register_worker('w', '{"cpu_cores": 4}', 'cap');
SELECT hwsched.submit_many(pg_temp.work(4), 'cap'), hwsched.assign_pending(pool => 'cap');
SELECT workload_id FROM hwsched.claim('w', pool => 'cap');
SELECT hwsched.alter_pool('cap', '{"max_concurrent": 2}');
SELECT workload_id, workload, state, error FROM pg_temp.went WHERE pool = 'cap' ORDER BY 1;
SELECT slots FROM hwsched.device_usage WHERE pool = 'cap';
SELECT workload_id, attempt FROM hwsched.pending WHERE pool = 'cap' ORDER BY 1;
SELECT count(*) AS claimed FROM hwsched.claim('w', 9, true, 'cap');
SELECT count(*) AS claimed FROM hwsched.claim('w', 9, true, 'cap');
-- below what runs: that goes on, and nothing comes until it is done
SELECT hwsched.alter_pool('cap', '{"max_concurrent": 1}');
SELECT count(*) AS running FROM pg_temp.went WHERE pool = 'cap' AND state = 'running';
SELECT hwsched.assign_pending(pool => 'cap');
SELECT hwsched.complete(min(assignment_id), pool => 'cap') FROM hwsched.assignment WHERE pool = 'cap' AND state = 'running';
SELECT count(*) AS claimed FROM hwsched.claim('w', 9, true, 'cap');
SELECT hwsched.complete(min(assignment_id), pool => 'cap') FROM hwsched.assignment WHERE pool = 'cap' AND state = 'running';
SELECT count(*) AS claimed FROM hwsched.claim('w', 9, true, 'cap');
-- raised again, there is room at once
SELECT hwsched.alter_pool('cap', '{"max_concurrent": null}');
SELECT hwsched.assign_pending(pool => 'cap');

--
-- The more urgent stays; other devices and other workers are left alone
--
SELECT hwsched.create_pool('cap_2');
SELECT hwsched.register_worker('a', '{"devices": [{"hardware_class": "cpu", "count": 2}]}', 'cap_2');
SELECT hwsched.submit_many(pg_temp.work(2, '{"priority": 4}'), 'cap_2'), hwsched.submit('{"test_id": "urgent", "priority": 1}', 'cap_2');
SELECT hwsched.assign_pending(pool => 'cap_2');
SELECT hwsched.alter_pool('cap_2', '{"max_concurrent": 1}');
SELECT workload_id, workload, device_nos FROM pg_temp.went WHERE pool = 'cap_2' ORDER BY 1;

--
-- A worker that registers with less: slots, cores, memory, a device's memory
--
SELECT hwsched.create_pool('cap_3');
CREATE FUNCTION pg_temp.less(capabilities jsonb) RETURNS SETOF pg_temp.went LANGUAGE plpgsql AS $$
BEGIN
	PERFORM hwsched.register_worker('w', '{"cpu_cores": 8, "available_memory": 64, "hostname": "h",
		"devices": [{"hardware_class": "gpu", "model_name": "g", "memory_total_bytes": 1000000000000, "count": 2}]}', 'cap_3');
	PERFORM hwsched.submit_many(pg_temp.work(2, '{"cpu_cores": 3, "host_memory": 20, "required_accelerators": {"gpu": 1}, "minimum_memory": 100}'), 'cap_3');
	PERFORM hwsched.assign_pending(pool => 'cap_3');
	PERFORM hwsched.register_worker('w', '{"cpu_cores": 8, "available_memory": 64, "hostname": "h",
		"devices": [{"hardware_class": "gpu", "model_name": "g", "memory_total_bytes": 1000000000000, "count": 2}]}' || capabilities, 'cap_3');
	RETURN QUERY SELECT * FROM pg_temp.went WHERE pool = 'cap_3' ORDER BY workload_id;
	PERFORM hwsched.cancel(workload_id, 'cap_3') FROM hwsched.workload WHERE pool = 'cap_3';
	DELETE FROM hwsched.assignment WHERE pool = 'cap_3';
END $$;
SELECT workload_id, state, error FROM pg_temp.less('{"max_concurrent": 1}');
SELECT workload_id, state, error FROM pg_temp.less('{"cpu_cores": 5}');
SELECT workload_id, state, error FROM pg_temp.less('{"available_memory": 39}');
SELECT workload_id, state, error FROM pg_temp.less('{"max_concurrent": 2, "cpu_cores": 6, "available_memory": 40}');
SELECT workload_id, state, error FROM pg_temp.less('{"devices": [{"hardware_class": "gpu", "model_name": "g", "memory_total_bytes": 1000000000000},
	{"hardware_class": "gpu", "model_name": "g", "memory_total_bytes": 1000000000000, "memory_available_bytes": 50000000000}]}');

--
-- A worker that is silent for offline_after gets nothing, though nobody maintains
--
SELECT hwsched.create_pool('cap_4', '{"offline_after": "90 s"}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 4}', 'cap_4') FROM unnest('{a,b}'::text[]) AS w;
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '91 s' WHERE pool = 'cap_4' AND worker_id = 'a';
SELECT hwsched.submit_many(pg_temp.work(2), 'cap_4');
SELECT DISTINCT worker_id FROM hwsched.plan_pending(pool => 'cap_4');
SELECT worker_id FROM hwsched.schedule('t1', 'cap_4');
SELECT hwsched.assign_pending(pool => 'cap_4');
SELECT DISTINCT worker_id FROM hwsched.assignment WHERE pool = 'cap_4';
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '91 s' WHERE pool = 'cap_4';
SELECT hwsched.submit('{"test_id": "late"}', 'cap_4'), hwsched.assign_pending(pool => 'cap_4');
SELECT reason FROM hwsched.pending_workloads WHERE pool = 'cap_4';
-- until it is heard of: who claims is not silent
SELECT workload_id FROM hwsched.claim('a', pool => 'cap_4');

SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool ~ '^cap';
