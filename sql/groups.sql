-- Work that has a worker for itself, keeps apart from its group, or is spread over the values of a label.
\set VERBOSITY terse
SELECT hwsched.create_pool('groups', '{"max_concurrent": 8}');
SELECT hwsched.register_worker('w' || i, jsonb_build_object('cpu_cores', 16, 'available_memory', 64, 'labels', jsonb_build_object('zone', (ARRAY['a', 'a', 'a', 'b', 'b', 'c'])[i])), 'groups') FROM generate_series(1, 6) AS i;
CREATE VIEW pg_temp.live AS SELECT a.workload_id, a.worker_id, w.labels ->> 'zone' AS zone, s.requirements ->> 'group' AS "group"
FROM hwsched.assignment AS a JOIN hwsched.worker AS w USING (pool, worker_id) JOIN hwsched.submission AS s USING (pool, workload_id) WHERE a.pool = 'groups' AND a.finished_at IS NULL;
CREATE PROCEDURE pg_temp.clear() LANGUAGE sql AS $$ SELECT hwsched.cancel(workload_id, 'groups') FROM hwsched.workload WHERE pool = 'groups' AND state IN ('pending', 'assigned', 'running') $$;

--
-- Exclusive: the worker has nothing else, before and while
--
SELECT hwsched.submit_many('[{"test_id": "s1"}, {"test_id": "s2"}, {"test_id": "s3"}, {"test_id": "x1", "exclusive": true}, {"test_id": "x2", "exclusive": true}, {"test_id": "x3", "exclusive": true}, {"test_id": "x4", "exclusive": true}, {"test_id": "s4"}]', 'groups');
SELECT count(*) AS planned FROM hwsched.plan_pending(NULL, 'groups');
SELECT hwsched.assign_pending(NULL, 'groups');
SELECT worker_id, string_agg(workload_id, ' ' ORDER BY workload_id) AS has FROM pg_temp.live GROUP BY 1 ORDER BY 1;
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'groups';
-- neither schedule(), nor who asks for work, nor the other solver puts anything beside it
SELECT hwsched.submit_many('[{"test_id": "s5", "cpu_cores": 16}, {"test_id": "s6", "cpu_cores": 16}, {"test_id": "s7", "cpu_cores": 16}]', 'groups'), (SELECT worker_id FROM hwsched.schedule('x4', 'groups')) AS x4;
SELECT count(*) AS claimed FROM pg_temp.live AS l CROSS JOIN LATERAL hwsched.claim(l.worker_id, 5, true, 'groups') AS c WHERE l.workload_id IN ('x1', 'x2') AND c.workload_id NOT IN ('x1', 'x2', 'x3');
SELECT hwsched.alter_pool('groups', '{"solver": "optimal"}'), hwsched.assign_pending(NULL, 'groups');
SELECT count(*) AS broken FROM (SELECT worker_id FROM pg_temp.live GROUP BY 1 HAVING count(*) > 1 AND bool_or(workload_id LIKE 'x%')) AS b;
SELECT hwsched.alter_pool('groups', '{"solver": null}');
CALL pg_temp.clear();
-- a gang, too
SELECT hwsched.submit_many('[{"test_id": "small"}, {"test_id": "pair", "exclusive": true, "allocation_strategy": "sharded", "min_shards": 5, "max_shards": 5}, {"test_id": "later"}]', 'groups'), hwsched.assign_pending(NULL, 'groups');
SELECT worker_id, string_agg(workload_id, ' ' ORDER BY workload_id) AS has FROM pg_temp.live GROUP BY 1 ORDER BY 1;
CALL pg_temp.clear();

--
-- Apart: on no worker that has one of the group
--
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'g' || i, 'group', 'g', 'group_apart', true)) FROM generate_series(1, 8) AS i), 'groups'),
	hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'h' || i, 'group', 'h', 'group_apart', true)) FROM generate_series(1, 2) AS i), 'groups'), hwsched.submit('{"test_id": "free"}', 'groups');
SELECT hwsched.assign_pending(4, 'groups'), hwsched.assign_pending(NULL, 'groups');
SELECT count(*) AS planned FROM hwsched.plan_pending(NULL, 'groups');
SELECT "group", count(*), count(DISTINCT worker_id) AS workers FROM pg_temp.live GROUP BY 1 ORDER BY 1;
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'groups' ORDER BY 1;
SELECT count(*) AS scheduled FROM hwsched.schedule('g7', 'groups');
SELECT count(*) AS claimed FROM generate_series(1, 6) AS i CROSS JOIN LATERAL hwsched.claim('w' || i, 9, true, 'groups') AS c WHERE c.workload_id IN ('g7', 'g8');
-- one ends, and the next takes its place
SELECT hwsched.complete(assignment_id, NULL, 'groups') FROM hwsched.assignment WHERE pool = 'groups' AND workload_id = 'g3' AND finished_at IS NULL;
SELECT hwsched.assign_pending(NULL, 'groups');
SELECT "group", count(*), count(DISTINCT worker_id) AS workers FROM pg_temp.live GROUP BY 1 ORDER BY 1;
CALL pg_temp.clear();
-- the shards of such a gang, though they may share a worker, and under the other solver
SELECT hwsched.alter_pool('groups', '{"solver": "optimal"}');
SELECT hwsched.submit_many('[{"test_id": "a", "group": "k", "group_apart": true}, {"test_id": "b", "group": "k", "group_apart": true, "share_worker": true, "allocation_strategy": "sharded", "min_shards": 3, "max_shards": 3}, {"test_id": "c", "group": "k", "group_apart": true}]', 'groups'), hwsched.assign_pending(NULL, 'groups');
SELECT "group", count(*), count(DISTINCT worker_id) AS workers FROM pg_temp.live GROUP BY 1 ORDER BY 1;
SELECT hwsched.alter_pool('groups', '{"solver": null}');
CALL pg_temp.clear();

-- priority by priority, under both solvers: what came before counts, and what is exclusive has its worker for itself
SELECT hwsched.create_pool('groups_2'), hwsched.register_worker('w1', '{"cpu_cores": 8}', 'groups_2'), hwsched.register_worker('w2', '{"cpu_cores": 8}', 'groups_2'), hwsched.register_worker('slow', '{"cpu_cores": 1}', 'groups_2');
CREATE FUNCTION pg_temp.decided(solver text, work jsonb) RETURNS TABLE (workload_id text, worker_id text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM hwsched.cancel_many('{}', 'groups_2'), hwsched.alter_pool('groups_2', jsonb_build_object('solver', solver)), hwsched.submit_many(work, 'groups_2'), hwsched.assign_pending(NULL, 'groups_2');
	RETURN QUERY SELECT a.workload_id, a.worker_id FROM hwsched.assignment AS a WHERE pool = 'groups_2' AND finished_at IS NULL;
END $$;
SELECT solver, count(*) AS placed, count(DISTINCT worker_id) AS workers FROM unnest('{greedy,optimal}'::text[]) AS solver,
	pg_temp.decided(solver, '[{"test_id": "a", "priority": 1, "group": "g", "group_apart": true}, {"test_id": "x1", "priority": 2}, {"test_id": "x2", "priority": 2}, {"test_id": "b", "priority": 2, "group": "g", "group_apart": true}, {"test_id": "c", "priority": 3, "group": "g", "group_apart": true}, {"test_id": "d", "priority": 4, "group": "g", "group_apart": true}]') WHERE workload_id !~ 'x' GROUP BY 1 ORDER BY 1;
SELECT solver, count(*) AS placed, count(DISTINCT worker_id) AS workers FROM unnest('{greedy,optimal}'::text[]) AS solver,
	pg_temp.decided(solver, '[{"test_id": "a", "priority": 1, "exclusive": true}, {"test_id": "b", "priority": 2, "exclusive": true}, {"test_id": "c", "priority": 3, "exclusive": true}, {"test_id": "d", "priority": 4}]') GROUP BY 1 ORDER BY 1;
SELECT hwsched.drop_pool('groups_2');

--
-- Spread: over the values of a label, before any score
--
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'z' || i, 'group', 'z', 'spread_by', 'zone')) FROM generate_series(1, 6) AS i), 'groups'), hwsched.assign_pending(4, 'groups');
SELECT zone, count(*) FROM pg_temp.live GROUP BY 1 ORDER BY 1;
SELECT hwsched.assign_pending(NULL, 'groups');
SELECT zone, count(*) FROM pg_temp.live GROUP BY 1 ORDER BY 1;
-- one by one; a value without room is passed over
SELECT hwsched.drain_worker('w6', 'groups'), hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'y' || i, 'group', 'z', 'spread_by', 'zone')) FROM generate_series(1, 4) AS i), 'groups');
SELECT (SELECT count(*) FROM hwsched.schedule('y' || i, 'groups')) AS scheduled FROM generate_series(1, 4) AS i;
SELECT zone, count(*) FROM pg_temp.live GROUP BY 1 ORDER BY 1;
SELECT hwsched.resume_worker('w6', 'groups');
CALL pg_temp.clear();
-- who asks for work leaves it to who should have it
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'p' || i, 'group', 'p', 'spread_by', 'zone')) FROM generate_series(1, 3) AS i), 'groups');
SELECT (SELECT count(*) FROM hwsched.claim('w1', 3, true, 'groups')) AS w1, (SELECT count(*) FROM hwsched.claim('w4', 3, true, 'groups')) AS w4, (SELECT count(*) FROM hwsched.claim('w2', 3, true, 'groups')) AS w2, (SELECT count(*) FROM hwsched.claim('w6', 3, true, 'groups')) AS w6;
CALL pg_temp.clear();
-- shards and replicas; by worker; under another policy, and the other solver
SELECT hwsched.alter_pool('groups', '{"policy": {"packing": 1}}');
SELECT hwsched.submit_many('[{"test_id": "r", "allocation_strategy": "replicated", "min_shards": 3, "spread_by": "zone"}, {"test_id": "s", "allocation_strategy": "sharded", "min_shards": 4, "max_shards": 4, "share_worker": true, "spread_by": "worker_id"}]', 'groups'), hwsched.assign_pending(NULL, 'groups');
SELECT workload_id, count(*), count(DISTINCT zone) AS zones, count(DISTINCT worker_id) AS workers FROM pg_temp.live GROUP BY 1 ORDER BY 1;
CALL pg_temp.clear();
SELECT hwsched.alter_pool('groups', '{"solver": "optimal"}');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'o' || i, 'group', 'o', 'spread_by', 'zone', 'required_labels', '{"zone": {"not": "c"}}'::jsonb)) FROM generate_series(1, 6) AS i), 'groups'), hwsched.assign_pending(NULL, 'groups');
SELECT zone, count(*) FROM pg_temp.live GROUP BY 1 ORDER BY 1;
CALL pg_temp.clear();

-- what has no effect is said
SELECT hwsched.submit('{"test_id": "n", "group_apart": true, "spread_by": "zone"}', 'groups');
SELECT hwsched.drop_pool('groups');
