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
SET client_min_messages = warning;

SELECT set_config('bench.policy', :'policy', false), set_config('bench.solver', :'solver', false) \g /dev/null

-- The lists differ in their columns: the first five are in all of them.  \copy
-- expands no variables, a variable that holds all of it does.
CREATE TEMP TABLE line (line text);
\set copy '\\copy line FROM ../data/openb/openb_pod_list_' :trace '.csv (FORMAT csv, HEADER, DELIMITER E''\\x01'')'
:copy
CREATE TEMP TABLE task AS
SELECT row_number() OVER (ORDER BY field[1]) AS no, field[1] AS name, field[2]::bigint AS cpu_milli, field[3]::bigint AS memory_mib,
       field[4]::int AS num_gpu, field[5]::int AS gpu_milli, field[4]::bigint * field[5]::bigint AS demand,
       string_to_array(nullif(field[6], ''), '|') AS models
FROM line, string_to_array(line, ',') AS field;
CREATE TEMP TABLE node (sn text PRIMARY KEY, cpu_milli bigint, memory_mib bigint, gpu int, model text);
\copy node FROM ../data/openb/openb_node_list_gpu_node.csv CSV HEADER
CREATE TEMP TABLE published (workload text, policy text, arrived int, mean numeric, sd numeric, n int);
\copy published FROM ../data/openb/published_alloc.csv CSV HEADER
CREATE TEMP TABLE arrival (no bigint, name text, demand bigint, document jsonb);
CREATE TEMP TABLE result (seed int, allocated numeric, failed bigint, arrived bigint, ms float8);
ANALYZE task, node;

-- md5 shuffles the same way everywhere.
CREATE FUNCTION pg_temp.random_order(seed int, what text) RETURNS bigint LANGUAGE sql AS $$
    SELECT ('x' || substr(md5(seed || ' ' || what), 1, 15))::bit(60)::bigint
$$;

-- Fills arrival: every task once, then as many random ones as it takes.
CREATE PROCEDURE pg_temp.arrive(in_seed int) LANGUAGE plpgsql AS $$
DECLARE
    target bigint := 1300 * (SELECT sum(gpu) FROM node);
BEGIN
    TRUNCATE arrival;
    WITH drawn AS (
        SELECT row_number() OVER (ORDER BY pg_temp.random_order(in_seed, name)) AS draw, task.* FROM task
        UNION ALL
        SELECT draw, task.* FROM (SELECT count(*) AS tasks FROM task) c, generate_series(tasks + 1, 5 * tasks) draw, task
        WHERE task.no = 1 + pg_temp.random_order(in_seed, 'draw ' || draw) % tasks),
    summed AS (SELECT *, sum(demand) OVER (ORDER BY draw) - demand AS before FROM drawn)
    INSERT INTO arrival
    SELECT draw, format('%s-%s', lpad(draw::text, 6, '0'), name), demand, jsonb_strip_nulls(jsonb_build_object(
               'test_id', format('%s-%s', lpad(draw::text, 6, '0'), name),
               'test_type', 'training', 'expected_duration', 60, 'minimum_memory', 0,
               'cpu_cores', cpu_milli / 1000.0, 'host_memory', memory_mib / 1024.0,
               'required_accelerators', CASE WHEN num_gpu > 0 THEN jsonb_build_object('gpu', num_gpu) END,
               'accelerator_share', CASE WHEN num_gpu = 1 AND gpu_milli < 1000 THEN gpu_milli / 1000.0 END,
               'required_models', to_jsonb(models)))
    FROM summed WHERE before < target;
    IF (SELECT sum(demand) < target FROM arrival) THEN
        RAISE EXCEPTION 'five times this trace do not ask for 130 %% of the GPUs';
    END IF;
END $$;

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
