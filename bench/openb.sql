-- The published placement experiment on the openb cluster (data/openb), entirely
-- through the SQL face: its nodes are registered; its tasks arrive in an order
-- that a seed shuffles, and random ones of them once more, until they ask for
-- 130 % of the GPUs; one batch places them in the order of arrival.  Prints what
-- share of the GPUs is allocated, beside what the experiment's own simulation
-- published for the same trace.
--
-- variables: trace, policy (JSON), seeds (how many), solver
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
-- the trace knows no memory of GPUs, which registering warns of
SET client_min_messages = error;

SELECT set_config('bench.policy', :'policy', false), set_config('bench.solver', :'solver', false) \g /dev/null

\ir openb_trace.sql
CREATE TEMP TABLE published (workload text, policy text, arrived int, mean numeric, sd numeric, n int);
\copy published FROM ../data/openb/published_alloc.csv CSV HEADER
CREATE TEMP TABLE result (seed int, allocated numeric, failed bigint, arrived bigint, ms float8);

-- Each step is committed before the next, as with a client.
CREATE PROCEDURE pg_temp.replay(in_seed int) LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz;
    took float8;
BEGIN
    CALL pg_temp.arrive(in_seed);
    -- What limits CPU work on a node is cores and memory, so slots are plenty.
    PERFORM hwsched.create_pool('bench_openb', jsonb_build_object('policy', current_setting('bench.policy')::jsonb,
        'solver', current_setting('bench.solver'), 'max_concurrent', 100000, 'notify', false));
    PERFORM hwsched.register_worker(sn, jsonb_build_object(
        'cpu_cores', cpu_milli / 1000.0, 'available_memory', memory_mib / 1024.0, 'supported_backends', '["cpu", "cuda"]'::jsonb,
        'available_accelerators', jsonb_build_object('gpu', gpu),
        'devices', jsonb_build_array(jsonb_build_object('hardware_class', 'gpu', 'vendor', 'nvidia', 'architecture', 'gpu_cuda',
            'model_name', model, 'count', gpu, 'supported_backends', '["cuda"]'::jsonb, 'compute_units', 80))), 'bench_openb')
    FROM node ORDER BY sn;
    COMMIT;
    PERFORM hwsched.submit_many((SELECT jsonb_agg(document ORDER BY no) FROM arrival), 'bench_openb');
    COMMIT;
    started := clock_timestamp();
    PERFORM hwsched.assign_pending(pool => 'bench_openb');
    took := 1000 * extract(epoch FROM clock_timestamp() - started);
    COMMIT;
    INSERT INTO result
    SELECT in_seed, 100.0 * sum(demand) FILTER (WHERE placed) / (SELECT 1000 * sum(gpu) FROM node),
           count(*) FILTER (WHERE NOT placed), count(*), took
    FROM (SELECT demand, EXISTS (SELECT FROM hwsched.assignment a WHERE a.pool = 'bench_openb' AND a.workload_id = name) AS placed FROM arrival) x;
    PERFORM hwsched.drop_pool('bench_openb');
END $$;

SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = 'bench_openb' \g /dev/null
SELECT format('CALL pg_temp.replay(%s)', seed) FROM generate_series(1, :seeds) seed \gexec

-- packing is a best fit, and fragmentation descends the gradient as FGD does; the
-- experiment places one task after the other, so only greedy compares
SELECT format('%-10s %-50s %6s (%4s) %7s %8s %7s   %s', :'trace',
              regexp_replace(translate(policy::text, '{":}', ''), '^(\w+) 1$', '\1') || CASE :'solver' WHEN 'greedy' THEN '' ELSE ', ' || :'solver' END,
              round(r.allocated, 2), coalesce(round(r.sd, 2)::text, '-'), round(r.failed), round(r.arrived), round(r.ms),
              coalesce((SELECT format('%s %s (%s)', substr(p.policy, 4), round(p.mean, 2), round(p.sd, 2)) FROM published p
                        WHERE p.workload = 'openb_pod_list_' || :'trace' AND p.arrived = 130 AND algorithms = 1 AND :'solver' = 'greedy'
                          AND p.policy = CASE algorithm WHEN 'packing' THEN '05-BestFit' WHEN 'fragmentation' THEN '06-FGD' END), '-'))
FROM (SELECT avg(allocated) AS allocated, stddev(allocated) AS sd, avg(failed) AS failed, avg(arrived) AS arrived,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms FROM result) r,
     (SELECT policy, min(key) AS algorithm, count(*) AS algorithms
      FROM (SELECT :'policy'::jsonb AS policy) x, jsonb_object_keys(policy) key GROUP BY policy) w;
