-- Tenants: quotas and fair shares; the order of work within a priority.
\set VERBOSITY terse
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN EXECUTE statement; RETURN 'no error';
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT; RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, '')); END $$;
-- One node of n GPUs and n cores
CREATE FUNCTION pg_temp.node(n int, settings jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM hwsched.pool WHERE pool = 'shared') THEN PERFORM hwsched.drop_pool('shared'); END IF;
	PERFORM hwsched.create_pool('shared', '{"max_concurrent": 20, "learning": false}' || settings);
	PERFORM hwsched.register_worker('node', jsonb_build_object('cpu_cores', n, 'available_memory', 64, 'supported_backends', '["cpu", "cuda"]'::jsonb, 'available_accelerators', jsonb_build_object('gpu', n)), 'shared');
END $$;
-- n workloads of a tenant, a GPU each
CREATE FUNCTION pg_temp.work(tenant text, n int, more jsonb DEFAULT '{}') RETURNS bigint LANGUAGE sql AS $$
	SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', tenant || lpad(i::text, 2, '0'), 'tenant', tenant, 'required_accelerators', '{"gpu": 1}'::jsonb, 'expected_duration', 100) || more), 'shared') FROM generate_series(1, n) i $$;
CREATE FUNCTION pg_temp.live() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(workload_id, ' ' ORDER BY assignment_id) FROM hwsched.assignment WHERE pool = 'shared' AND finished_at IS NULL $$;

-- what settings and documents may say
SELECT pg_temp.node(4);
SELECT pg_temp.error_of(format('SELECT hwsched.alter_pool(''shared'', %L)', s)) FROM unnest(ARRAY['{"order": "random"}', '{"order_wait": -1}', '{"fair_share": true}', '{"fair_share": {"half_life": 0}}',
	'{"fair_share": {"half_lief": 1}}', '{"tenants": ["a"]}', '{"tenants": {"a": 1}}', '{"tenants": {"a": {"weight": 0}}}', '{"tenants": {"a": {"quota": {"gpus": 1}}}}', '{"tenants": {"a": {"quota": {"accelerators": -1}}}}']) AS s;
SELECT pg_temp.error_of($$SELECT hwsched.submit('{"tenant": 7}', 'shared')$$);
SELECT pg_temp.error_of(format('SELECT hwsched.submit(%L, ''shared'')', jsonb_build_object('tenant', repeat('t', 2000))));
-- without settings tenants count nothing, and none are shown
SELECT pg_temp.work('a', 1), hwsched.assign_pending(pool => 'shared'), (SELECT count(*) FROM hwsched.tenant_usage WHERE pool = 'shared');

--
-- Quotas: of accelerators, cores and workloads, assigned and running ones; whoever decides
--
SELECT pg_temp.node(8, '{"tenants": {"a": {"quota": {"accelerators": 2}}, "b": {"quota": {"workloads": 1}}, "c": {"quota": {"cpu_cores": 3}}}}');
SELECT pg_temp.work('a', 3), pg_temp.work('b', 2), pg_temp.work('c', 2, '{"cpu_cores": 2}'), pg_temp.work('d', 1);
SELECT workload_id FROM hwsched.plan_pending(pool => 'shared');
SELECT hwsched.assign_pending(pool => 'shared'), pg_temp.live();
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'shared' ORDER BY 1;
SELECT reason, workloads FROM hwsched.explain_pending('shared') ORDER BY 1;
SELECT tenant, weight, workloads, workloads_quota, accelerators, accelerators_quota, cores, cores_quota, dominant_share_ratio, past_share_ratio FROM hwsched.tenant_usage WHERE pool = 'shared' ORDER BY 1;
SELECT count(*) FROM hwsched.schedule('a03', 'shared');
SELECT count(*) FROM hwsched.claim('node', 9, pool => 'shared');
SELECT count(*) FROM hwsched.claim('node', 9, pool => 'shared');
-- one ends, one begins; a share of an accelerator counts as that
SELECT hwsched.complete(assignment_id, pool => 'shared') FROM hwsched.assignment WHERE pool = 'shared' AND workload_id = 'a01';
SELECT hwsched.submit('{"test_id": "half", "tenant": "a", "accelerator_share": 0.5, "priority": 1}', 'shared');
SELECT workload_id FROM hwsched.claim('node', 9, pool => 'shared');
SELECT accelerators FROM hwsched.tenant_usage WHERE pool = 'shared' AND tenant = 'a';
-- the optimal solver, gangs and preemption keep to it
SELECT pg_temp.node(8, '{"solver": "optimal", "preemption": true, "tenants": {"a": {"quota": {"accelerators": 3, "workloads": 2}}}}');
SELECT pg_temp.work('a', 5), pg_temp.work('z', 2), hwsched.assign_pending(pool => 'shared'), pg_temp.live();
SELECT pg_temp.node(4, '{"preemption": true, "tenants": {"a": {"quota": {"accelerators": 1}}}}');
SELECT pg_temp.work('z', 4, '{"priority": 5}'), hwsched.assign_pending(pool => 'shared'), pg_temp.work('a', 2, '{"priority": 1}'), hwsched.assign_pending(pool => 'shared'), pg_temp.live();
SELECT pg_temp.node(4, '{"tenants": {"a": {"quota": {"accelerators": 2}}}}');
SELECT hwsched.submit('{"test_id": "gang", "tenant": "a", "required_accelerators": {"gpu": 1}, "allocation_strategy": "sharded", "share_worker": true, "min_shards": 1, "max_shards": 4}', 'shared'), hwsched.assign_pending(pool => 'shared');
SELECT count(*) AS shards, (SELECT accelerators FROM hwsched.tenant_usage WHERE pool = 'shared' AND tenant = 'a') FROM hwsched.assignment WHERE pool = 'shared';
SELECT hwsched.submit('{"test_id": "larger", "tenant": "a", "required_accelerators": {"gpu": 1}, "allocation_strategy": "sharded", "share_worker": true, "min_shards": 3}', 'shared'), hwsched.assign_pending(pool => 'shared');
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'shared';

--
-- Fair shares: who uses least for its weight is next
--
SELECT pg_temp.node(8, '{"fair_share": {"half_life": "1 hour"}, "tenants": {"c": {"weight": 2}}}');
SELECT pg_temp.work('a', 9), pg_temp.work('b', 9), pg_temp.work('c', 9);
SELECT workload_id FROM hwsched.plan_pending(pool => 'shared');
SELECT hwsched.assign_pending(pool => 'shared'), pg_temp.live();
SELECT tenant, weight, accelerators, dominant_share_ratio, past_share_ratio < 0.01 AS past, round(usage::numeric, 2) AS usage FROM hwsched.tenant_usage WHERE pool = 'shared' ORDER BY 1;
-- what is more urgent is so for everybody
SELECT pg_temp.work('x', 1), pg_temp.work('y', 1, '{"priority": 1}');
SELECT hwsched.complete(assignment_id, pool => 'shared') FROM hwsched.claim('node', 9, pool => 'shared') WHERE workload_id IN ('a01', 'b01', 'c01');
SELECT hwsched.assign_pending(pool => 'shared'), pg_temp.live();
-- the past: a ran for an hour, which counts one half; an hour later a quarter
SELECT pg_temp.node(2, '{"fair_share": {"half_life": "1 hour"}}');
SELECT pg_temp.work('a', 2), hwsched.assign_pending(pool => 'shared'), (SELECT count(*) FROM hwsched.claim('node', 2, pool => 'shared'));
UPDATE hwsched.assignment SET assigned_at = assigned_at - interval '1 hour', started_at = started_at - interval '1 hour' WHERE pool = 'shared';
SELECT dominant_share_ratio, round(past_share_ratio::numeric, 2) AS past, round(usage::numeric, 2) AS usage FROM hwsched.tenant_usage WHERE pool = 'shared';
SELECT hwsched.complete(assignment_id, pool => 'shared') FROM hwsched.assignment WHERE pool = 'shared';
SELECT hwsched.assign_pending(pool => 'shared');
SELECT tenant, dominant_share_ratio, round(past_share_ratio::numeric, 2) AS past FROM hwsched.tenant_usage WHERE pool = 'shared';
UPDATE hwsched.tenant_past SET updated_at = updated_at - interval '1 hour' WHERE pool = 'shared';
SELECT tenant, round(past_share_ratio::numeric, 2) AS past FROM hwsched.tenant_usage WHERE pool = 'shared';
SELECT hwsched.submit_many('[{"test_id": "a1", "tenant": "a", "required_accelerators": {"gpu": 2}}, {"test_id": "b1", "tenant": "b", "required_accelerators": {"gpu": 2}}]', 'shared'), hwsched.assign_pending(pool => 'shared'), pg_temp.live();
-- the optimal solver solves in turns
SELECT pg_temp.node(8, '{"solver": "optimal", "fair_share": {"half_life": "1 hour"}, "tenants": {"c": {"weight": 2}}}');
SELECT pg_temp.work('a', 9), pg_temp.work('b', 9), pg_temp.work('c', 9), hwsched.assign_pending(pool => 'shared');
SELECT tenant, accelerators FROM hwsched.tenant_usage WHERE pool = 'shared' ORDER BY 1;

--
-- The order within a priority
--
SELECT pg_temp.node(1, '{"order": "shortest"}');
SELECT hwsched.submit_many('[{"test_id": "long", "expected_duration": 500, "required_accelerators": {"gpu": 1}}, {"test_id": "short", "expected_duration": 10, "required_accelerators": {"gpu": 1}}, {"test_id": "urgent", "expected_duration": 900, "priority": 1, "required_accelerators": {"gpu": 1}}]', 'shared');
SELECT workload_id FROM hwsched.plan_pending(pool => 'shared');
SELECT hwsched.cancel('urgent', 'shared'), hwsched.assign_pending(pool => 'shared'), pg_temp.live();
-- what has waited for too long comes first
SELECT hwsched.alter_pool('shared', '{"order_wait": "1 hour"}'), hwsched.submit('{"test_id": "shorter", "expected_duration": 1, "required_accelerators": {"gpu": 1}}', 'shared');
UPDATE hwsched.pending SET submitted_at = submitted_at - interval '2 hours' WHERE pool = 'shared' AND workload_id = 'long';
SELECT hwsched.complete(assignment_id, pool => 'shared') FROM hwsched.claim('node', 1, pool => 'shared');
SELECT hwsched.assign_pending(pool => 'shared'), pg_temp.live();
-- of what was given back, what is left counts
SELECT pg_temp.node(1, '{"order": "shortest"}');
SELECT hwsched.submit('{"test_id": "most done", "expected_duration": 1000, "required_accelerators": {"gpu": 1}}', 'shared'), hwsched.assign_pending(pool => 'shared');
SELECT hwsched.progress(assignment_id, 0.9, pool => 'shared') FROM hwsched.claim('node', 1, pool => 'shared');
SELECT hwsched.submit_many('[{"test_id": "shorter", "expected_duration": 50, "required_accelerators": {"gpu": 1}}, {"test_id": "longer", "expected_duration": 200, "required_accelerators": {"gpu": 1}}]', 'shared');
SELECT hwsched.yield_work(assignment_id, pool => 'shared') FROM hwsched.running_on('node', 'shared');
SELECT hwsched.maintain('shared') IS NOT NULL AS maintained;
SELECT hwsched.assign_pending(pool => 'shared'), pg_temp.live();
SELECT hwsched.cancel('shorter', 'shared'), hwsched.assign_pending(pool => 'shared'), pg_temp.live();
SELECT hwsched.cancel('most done', 'shared'), hwsched.maintain('shared') IS NOT NULL AS maintained;
SELECT count(*) FROM hwsched.progress WHERE pool = 'shared';
-- who has run least
SELECT pg_temp.node(1, '{"order": "least_served", "retry_backoff": 0}');
SELECT hwsched.submit('{"test_id": "ran", "required_accelerators": {"gpu": 1}}', 'shared'), hwsched.assign_pending(pool => 'shared'), (SELECT count(*) FROM hwsched.claim('node', 1, pool => 'shared'));
UPDATE hwsched.assignment SET started_at = started_at - interval '1 minute', assigned_at = assigned_at - interval '1 minute' WHERE pool = 'shared';
SELECT hwsched.fail(assignment_id, 'once', 'shared') FROM hwsched.assignment WHERE pool = 'shared';
SELECT hwsched.submit('{"test_id": "fresh", "required_accelerators": {"gpu": 1}}', 'shared'), hwsched.assign_pending(pool => 'shared'), pg_temp.live();
SELECT hwsched.drop_pool('shared'), (SELECT count(*) FROM hwsched.tenant_past WHERE pool = 'shared');
