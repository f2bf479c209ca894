-- Places reserved for the first work that has to wait, and what backfills them.
\set VERBOSITY terse
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN EXECUTE statement; RETURN 'no error';
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_DETAIL; RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(hint, '')); END $$;
-- A pool with nodes of four GPUs and eight cores; what is predicted is known: 60 s and more, whatever the GPU
CREATE FUNCTION pg_temp.nodes(n int, settings jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM hwsched.pool WHERE pool = 'big') THEN PERFORM hwsched.drop_pool('big'); END IF;
	PERFORM hwsched.create_pool('big', '{"max_concurrent": 20, "learning": false}' || settings);
	PERFORM hwsched.register_worker('n' || i, '{"cpu_cores": 8, "available_memory": 64, "supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": 4}}', 'big') FROM generate_series(1, n) AS i;
END $$;
CREATE FUNCTION pg_temp.work(id text, gpus int, seconds float8, more jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT hwsched.submit(jsonb_build_object('test_id', id, 'required_accelerators', jsonb_build_object('gpu', gpus), 'expected_duration', seconds) || more, 'big') $$;
-- What is reserved: when it starts, and until when others may use it, in units of the predicted time of 100 s
CREATE FUNCTION pg_temp.unit() RETURNS float8 LANGUAGE sql AS $$ SELECT predicted_seconds / 100 FROM hwsched.assignment WHERE pool = 'big' AND workload_id = 'hundred' LIMIT 1 $$;
CREATE FUNCTION pg_temp.reserved() RETURNS TABLE (workload_id text, worker_id text, device_nos int[], starts_in int, backfill_in int) LANGUAGE sql AS $$
	SELECT workload_id, worker_id, device_nos, round(extract(epoch FROM starts_at - assigned_at) / pg_temp.unit())::int, round(extract(epoch FROM backfill_until - assigned_at) / pg_temp.unit())::int
	FROM hwsched.reservation, (SELECT min(assigned_at) AS assigned_at FROM hwsched.assignment WHERE pool = 'big') AS a WHERE pool = 'big' ORDER BY workload_id, shard_no $$;
CREATE FUNCTION pg_temp.done(id text) RETURNS void LANGUAGE sql AS $$
	SELECT hwsched.complete(assignment_id, pool => 'big') FROM hwsched.assignment WHERE pool = 'big' AND workload_id = id AND state = 'running' $$;
CREATE FUNCTION pg_temp.live() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(workload_id || '@' || worker_id, ' ' ORDER BY assignment_id) FROM hwsched.assignment WHERE pool = 'big' AND finished_at IS NULL $$;

--
-- Where it can start first: the ends of what runs there, and not before all of them
--
SELECT pg_temp.nodes(2);
SELECT pg_temp.work('hundred', 2, 100), pg_temp.work('two', 2, 200), pg_temp.work('three', 2, 300);
SELECT hwsched.assign_pending(pool => 'big');
SELECT pg_temp.live();
SELECT pg_temp.work('four', 4, 50), pg_temp.work('short', 2, 90), pg_temp.work('long', 2, 500), pg_temp.work('cpu', 0, 500, '{"required_accelerators": {}, "cpu_cores": 1, "required_backend": "cpu"}');
-- the plan is the batch; what is over before may use the place, what is not waits; what takes nothing of it does not
SELECT workload_id, worker_id, device_nos FROM hwsched.plan_pending(pool => 'big') ORDER BY 1;
SELECT hwsched.assign_pending(pool => 'big');
SELECT pg_temp.live();
SELECT * FROM pg_temp.reserved();
SELECT workload_id, regexp_replace(reason, '\d{4}-.*', '...') AS reason FROM hwsched.pending_workloads WHERE pool = 'big' ORDER BY queue_no;
-- nobody else gets it: not one by one, not by claiming, not by moving
SELECT count(*) FROM hwsched.schedule('long', 'big');
SELECT count(*) FROM hwsched.claim('n2', 10, true, 'big');
SELECT count(*) FROM hwsched.claim('n1', 10, true, 'big');
SELECT pg_temp.done('short');
SELECT workload_id FROM hwsched.claim('n2', 10, true, 'big');
SELECT hwsched.rebalance(10, 'big');
SELECT pg_temp.live();
-- what is more urgent does
SELECT pg_temp.work('urgent', 2, 500, '{"priority": 1}'), (SELECT worker_id FROM hwsched.schedule('urgent', 'big'));
SELECT hwsched.cancel('urgent', 'big');
-- it starts as soon as all has ended; nothing is reserved any more for it, but for the next
SELECT pg_temp.done('three'), pg_temp.done('two'), pg_temp.done('hundred');
SELECT hwsched.assign_pending(pool => 'big');
SELECT pg_temp.live();
SELECT workload_id FROM hwsched.reservation WHERE pool = 'big';

--
-- The time that was promised is not put off by what is late
--
SELECT pg_temp.nodes(1);
SELECT pg_temp.work('hundred', 2, 100), hwsched.assign_pending(pool => 'big');
SELECT count(*) FROM hwsched.claim('n1', 1, true, 'big');
SELECT pg_temp.work('four', 4, 50), hwsched.assign_pending(pool => 'big');
SELECT * FROM pg_temp.reserved();
-- it takes longer than predicted
UPDATE hwsched.assignment SET assigned_at = assigned_at - interval '10 days', started_at = started_at - interval '10 days' WHERE pool = 'big';
UPDATE hwsched.reserved_place SET backfill_until = backfill_until - interval '10 days' WHERE pool = 'big';
SELECT pg_temp.work('short', 2, 0.001), hwsched.assign_pending(pool => 'big');
SELECT starts_at <= now() AS now, backfill_until < now() AS promised, count(*) OVER () FROM hwsched.reservation WHERE pool = 'big';
SELECT pg_temp.done('hundred'), hwsched.assign_pending(pool => 'big');
SELECT pg_temp.live();

--
-- As many as the setting says; 0: gangs only
--
SELECT pg_temp.nodes(3, '{"reservations": 2}');
SELECT pg_temp.work('hundred', 3, 100), pg_temp.work('b', 3, 200), pg_temp.work('c', 3, 300), hwsched.assign_pending(pool => 'big');
SELECT pg_temp.work('first', 4, 50), pg_temp.work('second', 4, 50), pg_temp.work('third', 4, 50), pg_temp.work('small', 1, 1000), hwsched.assign_pending(pool => 'big');
SELECT * FROM pg_temp.reserved();
SELECT pg_temp.live();
SELECT hwsched.alter_pool('big', '{"reservations": 1}'), hwsched.assign_pending(pool => 'big');
SELECT * FROM pg_temp.reserved();
SELECT hwsched.alter_pool('big', '{"reservations": 0}'), hwsched.assign_pending(pool => 'big');
SELECT * FROM pg_temp.reserved();
SELECT pg_temp.error_of($$SELECT hwsched.alter_pool('big', '{"reservations": -1}')$$);
SELECT pg_temp.error_of($$SELECT hwsched.alter_pool('big', '{"reservations": true}')$$);

--
-- What fits no empty worker gets none, and keeps nothing from who is next
--
SELECT pg_temp.nodes(1);
SELECT pg_temp.work('hundred', 2, 100), hwsched.assign_pending(pool => 'big');
SELECT pg_temp.work('never', 5, 50), pg_temp.work('four', 4, 50), hwsched.assign_pending(pool => 'big');
SELECT * FROM pg_temp.reserved();

--
-- The optimal solver: most are placed, and what was left is the first of the next batch
--
SELECT pg_temp.nodes(1, '{"solver": "optimal"}');
SELECT pg_temp.work('four', 4, 50), pg_temp.work('hundred', 2, 100), pg_temp.work('two', 2, 300), hwsched.assign_pending(pool => 'big');
SELECT pg_temp.live(), (SELECT count(*) FROM hwsched.claim('n1', 2, true, 'big'));
SELECT * FROM pg_temp.reserved();
SELECT pg_temp.done('hundred'), pg_temp.work('long', 2, 500), pg_temp.work('short', 1, 90), hwsched.assign_pending(pool => 'big');
SELECT pg_temp.live();
SELECT count(*) FROM hwsched.claim('n1', 2, true, 'big');
SELECT pg_temp.done('short'), pg_temp.done('two'), hwsched.assign_pending(pool => 'big');
SELECT pg_temp.live();

--
-- With preemption, who has a place reserved and finds one by that needs it no more
--
SELECT pg_temp.nodes(1, '{"preemption": true}');
SELECT pg_temp.work('hundred', 2, 100), hwsched.assign_pending(pool => 'big');
SELECT pg_temp.work('four', 4, 50, '{"priority": 2}'), hwsched.assign_pending(pool => 'big');
SELECT pg_temp.live();
SELECT workload_id FROM hwsched.reservation WHERE pool = 'big';

--
-- What keeps apart from its group, or is spread with it, gets a place reserved where it may go; and it backfills
--
SELECT pg_temp.nodes(3);
SELECT pg_temp.work('hundred', 2, 100), pg_temp.work('two', 2, 200, '{"group": "g"}'), pg_temp.work('three', 3, 300), hwsched.assign_pending(pool => 'big');
SELECT pg_temp.live();
-- beside "hundred" it could start first, were there not one of its group
SELECT pg_temp.work('of g', 1, 400, '{"group": "g", "required_labels": {"worker_id": "n1"}}'), hwsched.assign_pending(pool => 'big'), pg_temp.work('apart', 4, 50, '{"group": "g", "group_apart": true}'), pg_temp.work('small', 1, 500), hwsched.assign_pending(pool => 'big');
SELECT pg_temp.live();
SELECT * FROM pg_temp.reserved();
-- a gang, whose shards are apart, too, though they might share a worker
SELECT hwsched.cancel('apart', 'big'), pg_temp.work('gang', 2, 50, '{"group": "k", "group_apart": true, "share_worker": true, "allocation_strategy": "sharded", "min_shards": 3, "max_shards": 3}'), hwsched.assign_pending(pool => 'big');
SELECT * FROM pg_temp.reserved();
SELECT hwsched.cancel('small', 'big'), hwsched.cancel('gang', 'big'), pg_temp.work('spread', 4, 50, '{"group": "s", "spread_by": "worker_id"}'), hwsched.assign_pending(pool => 'big');
SELECT * FROM pg_temp.reserved();
-- what is over in time takes the place, but not beside one of its group
SELECT pg_temp.work('short ' || i, 1, 20, '{"group": "h", "group_apart": true, "required_labels": {"worker_id": "n2"}}') FROM generate_series(1, 2) AS i;
SELECT hwsched.assign_pending(pool => 'big');
SELECT pg_temp.live();
SELECT * FROM pg_temp.reserved();
SELECT hwsched.drop_pool('big');
