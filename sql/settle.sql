-- Completing notes; whoever locks the pool settles. Nobody sees a difference.
SELECT hwsched.create_pool('settle', '{"retry_backoff": "0 s", "warming": "0 s"}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 4, "available_memory": 16, "supported_backends": ["cuda"], "available_accelerators": {"cuda": 2}}', 'settle') FROM unnest('{w1,w2}'::text[]) AS w;
-- What the tables hold of each worker once all is settled, and what the views say
CREATE TEMP VIEW booked AS SELECT worker_id, u.assignments, u.cpu_millicores, u.host_memory_bytes, (SELECT sum(slots)::int FROM hwsched.device_usage AS d WHERE d.pool = u.pool AND d.worker_id = u.worker_id) AS slots,
	(SELECT sum(share)::int FROM hwsched.device_usage AS d WHERE d.pool = u.pool AND d.worker_id = u.worker_id) AS share FROM hwsched.worker_usage AS u WHERE pool = 'settle';
CREATE TEMP VIEW seen AS SELECT worker_id, u.assignments, u.cpu_millicores, u.host_memory_bytes, (SELECT sum(slots)::int FROM hwsched.device_reserved AS d WHERE d.pool = u.pool AND d.worker_id = u.worker_id) AS slots,
	(SELECT sum(share)::int FROM hwsched.device_reserved AS d WHERE d.pool = u.pool AND d.worker_id = u.worker_id) AS share FROM hwsched.worker_reserved AS u WHERE pool = 'settle';
CREATE TEMP VIEW summed AS SELECT w.pool, w.worker_id, count(a.pool)::int AS assignments FROM hwsched.worker AS w LEFT JOIN hwsched.assignment AS a ON a.pool = w.pool AND a.worker_id = w.worker_id AND a.state IN ('assigned', 'running') WHERE w.pool = 'settle' GROUP BY 1, 2;

-- a whole accelerator, a share, cores and memory, and plain slots
SELECT hwsched.submit_many('[{"test_id": "whole", "test_type": "training", "required_accelerators": {"cuda": 1}}, {"test_id": "share", "test_type": "nlp", "required_accelerators": {"cuda": 1}, "accelerator_share": 0.5},
	{"test_id": "cores", "test_type": "vision", "cpu_cores": 1, "host_memory": 2}, {"test_id": "slot", "test_type": "vision"}, {"test_id": "stays", "test_type": "vision"}]', 'settle');
SELECT hwsched.assign_pending(pool => 'settle');
SELECT count(*) AS running FROM unnest('{w1,w2}'::text[]) AS w, hwsched.claim(w, 9, pool => 'settle');
UPDATE hwsched.assignment SET started_at = now() - interval '20 s' WHERE pool = 'settle';
SELECT count(hwsched.complete(assignment_id, '{"ok": true}', 'settle')) AS completed FROM hwsched.assignment WHERE pool = 'settle' AND workload_id <> 'stays';
SELECT count(*) AS noted FROM hwsched.unsettled WHERE pool = 'settle';
-- the tables are behind by the notes, what one looks at is not
SELECT (SELECT sum(assignments) FROM booked) AS booked, (SELECT sum(assignments) FROM seen) AS seen, (SELECT sum(share) FROM booked) AS shares_booked, (SELECT sum(share) FROM seen) AS shares_seen;
SELECT workload_id, state, closed_at IS NOT NULL AS closed FROM hwsched.workload WHERE pool = 'settle' ORDER BY 1;
SELECT pending, assigned, running, completed, reserved_accelerators FROM hwsched.pool_summary WHERE pool = 'settle';
SELECT sum(assignments) AS assignments, sum(reserved_cores) AS cores, sum(reserved_accelerators) AS accelerators FROM hwsched.resource_utilization WHERE pool = 'settle';
CREATE TEMP TABLE seen_before AS SELECT * FROM seen;
-- nor does it teach before
SELECT (SELECT count(*) FROM hwsched.preference WHERE pool = 'settle') AS preferences, (SELECT count(*) FROM hwsched.performance WHERE pool = 'settle') AS performances,
	(SELECT count(*) FROM hwsched.model_accuracy WHERE pool = 'settle') AS accuracies;
SELECT * FROM hwsched.maintain('settle');
SELECT count(*) AS noted FROM hwsched.unsettled WHERE pool = 'settle';
SELECT * FROM seen_before EXCEPT SELECT * FROM booked;
SELECT count(*) AS preferences, sum(samples) AS samples FROM hwsched.preference WHERE pool = 'settle';
SELECT workload_id, outcome, closed_at IS NOT NULL AS closed FROM hwsched.submission WHERE pool = 'settle' ORDER BY 1;

-- A plan made before settling is the batch made after it: what is completed gives room to both and
-- teaches neither, that its worker is well included
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', 'fill' || n, 'test_type', 'vision')), 'settle') FROM generate_series(1, 40) AS n;
SELECT hwsched.assign_pending(pool => 'settle') AS placed, (SELECT count(*) FROM hwsched.pending WHERE pool = 'settle') AS wait;
SELECT count(*) AS running FROM unnest('{w1,w2}'::text[]) AS w, hwsched.claim(w, 6, pool => 'settle');
UPDATE hwsched.assignment SET started_at = now() - CASE worker_id WHEN 'w1' THEN interval '1 s' ELSE interval '900 s' END WHERE pool = 'settle' AND state = 'running';
SELECT hwsched.complete_many(array_agg(assignment_id), 'settle') > 5 AS several FROM hwsched.assignment WHERE pool = 'settle' AND state = 'running';
UPDATE hwsched.worker SET health = 'probation' WHERE pool = 'settle' AND worker_id = 'w1';
CREATE TEMP TABLE learned_before AS SELECT worker_id, samples FROM hwsched.preference WHERE pool = 'settle';
BEGIN ISOLATION LEVEL REPEATABLE READ;
CREATE TEMP TABLE planned AS SELECT * FROM hwsched.plan_pending(pool => 'settle');
SELECT count(*) > 5 AS several FROM planned;
SELECT hwsched.assign_pending(pool => 'settle') = (SELECT count(*) FROM planned) AS as_many;
SELECT workload_id, worker_id, device_nos, score FROM planned EXCEPT SELECT workload_id, worker_id, device_nos, score FROM hwsched.assignment WHERE pool = 'settle' AND state = 'assigned';
COMMIT;
SELECT (SELECT sum(samples) FROM hwsched.preference WHERE pool = 'settle') > (SELECT sum(samples) FROM learned_before) AS learned_then, health FROM hwsched.worker WHERE pool = 'settle' AND worker_id = 'w1';
SELECT worker_id FROM booked JOIN summed USING (worker_id) WHERE booked.assignments <> summed.assignments;

-- What is completed can be submitted again and not be cancelled, at once
SELECT count(*) AS running FROM hwsched.claim('w1', 2, pool => 'settle');
SELECT min(assignment_id) AS one, max(assignment_id) AS other FROM hwsched.assignment WHERE pool = 'settle' AND state = 'running' AND worker_id = 'w1' \gset
SELECT workload_id AS id FROM hwsched.assignment WHERE pool = 'settle' AND assignment_id = :one \gset
SELECT hwsched.complete(:one, pool => 'settle');
\set VERBOSITY sqlstate
SELECT hwsched.complete(:one, pool => 'settle');
SELECT hwsched.fail(:one, 'late', 'settle');
\set VERBOSITY default
SELECT hwsched.complete(:other, pool => 'settle');
SELECT hwsched.submit(jsonb_build_object('test_id', :'id', 'test_type', 'vision'), 'settle') = :'id' AS submitted;
SELECT run, state FROM hwsched.workload WHERE pool = 'settle' AND workload_id = :'id';
SELECT assignment_id AS one, workload_id AS id FROM hwsched.claim('w1', 1, pool => 'settle') \gset
SELECT hwsched.complete(:one, pool => 'settle');
\set VERBOSITY sqlstate
SELECT hwsched.cancel(:'id', 'settle');
\set VERBOSITY default
SELECT state FROM hwsched.workload WHERE pool = 'settle' AND workload_id = :'id';

-- Registering counts anew what is held: what is completed and noted meanwhile is given back once
SELECT assignment_id AS one FROM hwsched.claim('w1', 1, pool => 'settle') LIMIT 1 \gset
SELECT hwsched.complete(:one, pool => 'settle');
SELECT hwsched.register_worker('w1', '{"cpu_cores": 6, "available_memory": 24, "supported_backends": ["cuda"], "available_accelerators": {"cuda": 3}}', 'settle');
SELECT count(hwsched.maintain('settle'));
SELECT worker_id FROM booked JOIN summed USING (worker_id) WHERE booked.assignments <> summed.assignments OR booked.assignments < 0;
-- one that left is not learned of
SELECT count(*) > 0 AS running FROM hwsched.claim('w2', 1, pool => 'settle');
SELECT count(hwsched.complete(assignment_id, pool => 'settle')) FROM hwsched.assignment WHERE pool = 'settle' AND worker_id = 'w2' AND state = 'running';
SELECT hwsched.unregister_worker('w2', 'settle');
SELECT count(hwsched.maintain('settle'));
SELECT count(*) AS learned FROM hwsched.preference WHERE pool = 'settle' AND worker_id = 'w2';

-- A transaction that fails later leaves no note
SELECT assignment_id AS one FROM hwsched.claim('w1', 1, pool => 'settle') LIMIT 1 \gset
BEGIN;
SELECT hwsched.complete(:one, pool => 'settle');
ROLLBACK;
SELECT (SELECT state FROM hwsched.assignment WHERE pool = 'settle' AND assignment_id = :one) AS state, (SELECT count(*) FROM hwsched.unsettled WHERE pool = 'settle') AS noted;
-- and dropping a pool leaves none
SELECT hwsched.complete(:one, pool => 'settle');
SELECT hwsched.drop_pool('settle');
SELECT count(*) FROM hwsched.unsettled WHERE pool = 'settle';
