-- Work that changes its place: stealing, rebalancing, preemption.
SELECT hwsched.create_pool('moves', '{"max_concurrent": 4}');
CREATE TEMP VIEW went AS SELECT workload_id, attempt, worker_id, state, error FROM hwsched.assignment WHERE pool = 'moves' ORDER BY assignment_id;
CREATE TEMP VIEW held AS SELECT w.worker_id, u.assignments, count(a.assignment_id) AS live FROM hwsched.worker AS w JOIN hwsched.worker_reserved AS u USING (pool, worker_id)
	LEFT JOIN hwsched.assignment AS a ON a.pool = w.pool AND a.worker_id = w.worker_id AND a.finished_at IS NULL WHERE w.pool = 'moves' GROUP BY 1, 2 ORDER BY 1;

-- An idle worker takes what another has not started, but not what it is about to start
SELECT hwsched.register_worker('busy', '{"cpu_cores": 8, "available_memory": 32}', 'moves');
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', 's' || n, 'test_type', 'vision', 'priority', 1 + n % 2)), 'moves') FROM generate_series(1, 4) AS n;
SELECT hwsched.assign_pending(pool => 'moves');
SELECT count(*) AS started FROM hwsched.claim('busy', 1, pool => 'moves');
SELECT hwsched.register_worker('idle', '{"cpu_cores": 8, "available_memory": 32}', 'moves'), hwsched.register_worker('small', '{"cpu_cores": 8, "available_memory": 0.01, "supported_backends": ["tpu"]}', 'moves');
SELECT count(*) AS stolen FROM hwsched.claim('idle', 1, false, 'moves');
SELECT workload_id, worker_id, state FROM hwsched.claim('idle', 1, true, 'moves');
SELECT * FROM went;
SELECT * FROM held;
SELECT workload_id, worker_id FROM hwsched.claim('idle', 9, pool => 'moves');
SELECT * FROM held;
SELECT count(*) AS left_over FROM hwsched.claim('idle', 1, pool => 'moves');
SELECT workload_id, state, (SELECT count(*) FROM hwsched.assignment AS a WHERE a.pool = w.pool AND a.workload_id = w.workload_id AND a.finished_at IS NULL) AS live FROM hwsched.workload AS w WHERE pool = 'moves' ORDER BY 1;
SELECT count(hwsched.complete(assignment_id, pool => 'moves')) FROM hwsched.assignment WHERE pool = 'moves' AND state = 'running';
-- what it cannot run, and what failed on it, it leaves
SELECT hwsched.submit_many('[{"test_id": "f1", "test_type": "vision", "required_backend": "cpu"}, {"test_id": "f2", "test_type": "vision", "required_backend": "cpu"}, {"test_id": "f3", "test_type": "vision", "required_backend": "cpu"}]', 'moves');
SELECT hwsched.drain_worker('busy', 'moves'), hwsched.drain_worker('small', 'moves');
SELECT hwsched.alter_pool('moves', '{"retry_backoff": "0 s"}');
SELECT hwsched.assign_pending(pool => 'moves');
SELECT hwsched.fail(assignment_id, 'broken', 'moves') FROM hwsched.assignment WHERE pool = 'moves' AND workload_id = 'f1' AND finished_at IS NULL;
SELECT hwsched.resume_worker('busy', 'moves'), hwsched.drain_worker('idle', 'moves');
SELECT hwsched.assign_pending(pool => 'moves');
SELECT worker_id FROM went WHERE workload_id = 'f1';
SELECT hwsched.resume_worker('idle', 'moves');
SELECT hwsched.cancel(workload_id, 'moves') FROM hwsched.workload WHERE pool = 'moves' AND workload_id IN ('f2', 'f3');
SELECT hwsched.submit('{"test_id": "f4", "test_type": "vision", "required_backend": "cpu"}', 'moves');
SELECT hwsched.schedule('f4', 'moves') IS NOT NULL AS placed;
SELECT count(*) AS stolen FROM hwsched.claim('small', 9, pool => 'moves');
SELECT hwsched.cancel(workload_id, 'moves') FROM hwsched.workload WHERE pool = 'moves' AND state IN ('pending', 'assigned', 'running');

-- Rebalancing: from much to little, as long as that makes a difference
SELECT hwsched.drain_worker('idle', 'moves');
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', 'r' || n, 'test_type', 'vision', 'required_backend', 'cpu')), 'moves') FROM generate_series(1, 4) AS n;
SELECT hwsched.submit('{"test_id": "gang", "test_type": "vision", "required_backend": "cpu", "priority": 5, "custom_properties": {"is_shardable": true, "min_shards": 1, "allocation_strategy": "sharded"}}', 'moves');
SELECT hwsched.assign_pending(pool => 'moves');
SELECT hwsched.resume_worker('idle', 'moves');
SELECT count(*) AS started FROM hwsched.claim('busy', 1, pool => 'moves');
SELECT * FROM held;
SELECT hwsched.rebalance(0, 'moves');
SELECT hwsched.rebalance(1, 'moves');
SELECT * FROM held;
SELECT hwsched.rebalance(10, 'moves');
SELECT hwsched.rebalance(10, 'moves') AS again;
SELECT * FROM held;
SELECT workload_id, worker_id, state, attempt, error FROM went WHERE workload_id ~ '^r' AND error IS NOT NULL ORDER BY 1;
SELECT hwsched.rebalance(-1, 'moves');
SELECT hwsched.rebalance(1, 'nowhere');
SELECT hwsched.drop_pool('moves');
-- and not to where it has failed
SELECT hwsched.create_pool('moves', '{"max_concurrent": 9, "retry_backoff": "0 s"}');
SELECT hwsched.register_worker('bad', '{"cpu_cores": 8, "available_memory": 32}', 'moves');
SELECT hwsched.submit('{"test_id": "failed", "test_type": "vision", "priority": 5}', 'moves');
SELECT worker_id FROM hwsched.schedule('failed', 'moves');
SELECT hwsched.register_worker('good', '{"cpu_cores": 8, "available_memory": 32}', 'moves');
SELECT hwsched.fail(assignment_id, 'broken', 'moves') FROM hwsched.assignment WHERE pool = 'moves' AND finished_at IS NULL;
SELECT hwsched.drain_worker('bad', 'moves');
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', 'f' || n, 'test_type', 'vision', 'priority', 1)), 'moves') FROM generate_series(1, 4) AS n;
SELECT hwsched.assign_pending(pool => 'moves');
SELECT hwsched.resume_worker('bad', 'moves');
SELECT hwsched.rebalance(10, 'moves');
SELECT workload_id, worker_id, state FROM went WHERE state = 'assigned' ORDER BY 1;
SELECT hwsched.drop_pool('moves');

-- Preemption: off unless asked for; then the least important, and no more of it than needed
SELECT hwsched.create_pool('moves', '{"max_concurrent": 1}');
SELECT hwsched.register_worker('a', '{"cpu_cores": 8, "available_memory": 32}', 'moves'), hwsched.register_worker('b', '{"cpu_cores": 8, "available_memory": 32, "devices": [{"hardware_class": "cpu", "architecture": "x86_64"}]}', 'moves');
SELECT hwsched.register_worker('c', '{"cpu_cores": 8, "available_memory": 32}', 'moves');
SELECT hwsched.submit_many('[{"test_id": "p2", "test_type": "vision", "priority": 2}, {"test_id": "p4", "test_type": "vision", "priority": 4}, {"test_id": "p5", "test_type": "vision", "priority": 5}]', 'moves');
SELECT hwsched.assign_pending(pool => 'moves');
SELECT count(*) AS running FROM unnest('{a,b,c}'::text[]) AS w, hwsched.claim(w, pool => 'moves');
SELECT hwsched.submit_many('[{"test_id": "urgent", "test_type": "vision", "priority": 1}, {"test_id": "usual", "test_type": "vision", "priority": 3}, {"test_id": "last", "test_type": "vision", "priority": 5}]', 'moves');
SELECT hwsched.assign_pending(pool => 'moves');
SELECT hwsched.alter_pool('moves', '{"preemption": true}');
SELECT workload_id FROM hwsched.plan_pending(pool => 'moves');
SELECT hwsched.assign_pending(pool => 'moves');
SELECT workload_id, attempt, state, error FROM went WHERE error IS NOT NULL OR state = 'assigned';
SELECT workload_id, state FROM hwsched.workload WHERE pool = 'moves' ORDER BY 1;
SELECT workload_id, attempt, ready_at FROM hwsched.pending WHERE pool = 'moves' ORDER BY priority, queue_no;
SELECT * FROM held;
-- the victim's worker comes late
\set VERBOSITY sqlstate
SELECT hwsched.complete(assignment_id, pool => 'moves') FROM hwsched.assignment WHERE pool = 'moves' AND workload_id = 'p5' AND state = 'expired';
\set VERBOSITY default
-- schedule() makes room as well, for what is more important only
SELECT count(*) FROM hwsched.schedule('last', 'moves');
SELECT hwsched.submit('{"test_id": "second", "test_type": "vision", "priority": 1}', 'moves');
SELECT workload_id FROM hwsched.schedule('second', 'moves');
SELECT workload_id, state FROM hwsched.workload WHERE pool = 'moves' AND state IN ('pending', 'assigned', 'running') ORDER BY 1;
-- a big one takes as few as it can
SELECT hwsched.drop_pool('moves');
SELECT hwsched.create_pool('moves', '{"preemption": true, "max_concurrent": 10}');
SELECT hwsched.register_worker('a', '{"cpu_cores": 8, "available_memory": 32}', 'moves');
SELECT hwsched.submit_many('[{"test_id": "c1", "cpu_cores": 1, "priority": 5}, {"test_id": "c2", "cpu_cores": 2, "priority": 5}, {"test_id": "c4", "cpu_cores": 4, "priority": 4}, {"test_id": "c0", "cpu_cores": 1, "priority": 3}]', 'moves');
SELECT hwsched.assign_pending(pool => 'moves');
SELECT hwsched.submit('{"test_id": "big", "cpu_cores": 4, "priority": 2}', 'moves');
SELECT hwsched.assign_pending(pool => 'moves');
SELECT workload_id, state FROM hwsched.workload WHERE pool = 'moves' ORDER BY 1;
SELECT * FROM held;
SELECT hwsched.drop_pool('moves');
