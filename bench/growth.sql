-- How assign_pending() grows with the queue and with the fleet: medians, how many
-- times the time of the size before each size takes, and that factor divided by
-- the one of n log n: up to 1 it grows no faster.
--
-- variables: policies (a JSON array of policies), fixed (the number of workers
-- while workloads grow, and of workloads while workers grow), sizes (JSON array,
-- ascending), runs
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
SET synchronous_commit = on;

SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = 'bench_growth' \g /dev/null
-- twenty slots on each of two devices: there is room for everything
SELECT hwsched.create_pool('bench_growth', '{"max_concurrent": 20, "notify": false}') \g /dev/null

CREATE TEMP TABLE size AS SELECT no, n::int FROM jsonb_array_elements_text(:'sizes') WITH ORDINALITY AS s (n, no);
CREATE TEMP TABLE policy AS SELECT no, policy FROM jsonb_array_elements(:'policies') WITH ORDINALITY AS p (policy, no);
CREATE TEMP TABLE took (policy jsonb, grows text, n int, ms float8);
CREATE TEMP TABLE queue (LIKE hwsched.pending);

-- 100 kinds of worker, with a GPU each; those that are not there yet.  The first
-- thousand are registered, the rest are copies of them, row by row: registering a
-- hundred thousand would take longer than all the rest.
CREATE PROCEDURE pg_temp.register(workers int) LANGUAGE plpgsql AS $$
DECLARE
    present int := (SELECT count(*) FROM hwsched.worker WHERE pool = 'bench_growth');
    table_name text;
BEGIN
    IF present = 0 THEN
        PERFORM hwsched.register_worker(format('worker-%s', lpad(i::text, 7, '0')),
            format('{"cpu_cores": %s, "available_memory": %s, "supported_backends": ["cpu", "cuda"]}', 8 + i % 10, 200 + i / 10 % 10)::jsonb, 'bench_growth')
        FROM generate_series(1, 1000) i;
        present := 1000;
    ELSE
        CALL pg_temp.reset(0);
    END IF;
    FOREACH table_name IN ARRAY ARRAY['worker', 'device', 'worker_usage', 'device_usage', 'worker_load'] LOOP
        EXECUTE format($f$
            INSERT INTO hwsched.%1$I
            SELECT copy.* FROM generate_series($1 / 1000, $2 / 1000 - 1) thousand, hwsched.%1$I t,
                 jsonb_populate_record(t, jsonb_build_object('worker_id', format('worker-%%s', lpad((1000 * thousand + substr(t.worker_id, 8)::int)::text, 7, '0')))) copy
            WHERE t.pool = 'bench_growth' AND t.worker_id <= 'worker-0001000' ORDER BY copy.worker_id $f$, table_name) USING present, workers;
        COMMIT;
    END LOOP;
    DROP TABLE IF EXISTS idle_worker, idle_device;
    CREATE TEMP TABLE idle_worker AS TABLE hwsched.worker_usage;
    CREATE TEMP TABLE idle_device AS TABLE hwsched.device_usage;
    ANALYZE hwsched.worker, hwsched.device, hwsched.worker_load;
END $$;

-- 500 kinds of workload by type and memory; every fifth one asks for a share of a GPU
CREATE PROCEDURE pg_temp.submit(workloads int) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object(
        'test_id', format('test-%s', lpad(i::text, 7, '0')),
        'test_type', (ARRAY['vision', 'nlp', 'audio', 'training', 'inference'])[1 + i % 5],
        'minimum_memory', (i % 500) / 1000.0, 'expected_duration', 60, 'priority', 1 + i % 5)
        || CASE i % 5 WHEN 0 THEN '{"accelerator_share": 0.25}'::jsonb ELSE '{}' END)
        FROM generate_series(1, workloads) i), 'bench_growth');
    INSERT INTO queue SELECT * FROM hwsched.pending WHERE pool = 'bench_growth';
    ANALYZE queue;
END $$;

-- Empties the fleet, and puts the first workloads of the queue back into it.
CREATE PROCEDURE pg_temp.reset(workloads int) LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE hwsched.pending, hwsched.assignment, hwsched.worker_usage, hwsched.device_usage;
    INSERT INTO hwsched.pending SELECT * FROM queue WHERE workload_id <= format('test-%s', lpad(workloads::text, 7, '0')) ORDER BY priority, queue_no;
    INSERT INTO hwsched.worker_usage TABLE idle_worker;
    INSERT INTO hwsched.device_usage TABLE idle_device;
END $$;

CREATE PROCEDURE pg_temp.batch(in_policy jsonb, in_grows text, in_n int, workloads int) LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz;
    placed bigint;
BEGIN
    PERFORM hwsched.alter_pool('bench_growth', jsonb_build_object('policy', in_policy));
    COMMIT;
    started := clock_timestamp();
    placed := hwsched.assign_pending(pool => 'bench_growth');
    COMMIT;
    INSERT INTO took VALUES (in_policy, in_grows, in_n, 1000 * extract(epoch FROM clock_timestamp() - started));
    IF placed <> workloads THEN
        RAISE EXCEPTION 'placed % of % workloads by %', placed, workloads, in_policy;
    END IF;
END $$;

CALL pg_temp.register(1000);
SELECT greatest(max(n), :fixed) AS most FROM size \gset
CALL pg_temp.submit(:most);

-- Each column of each row is one command.  The fleet only grows, so what is
-- measured on one fleet comes together.
SELECT CASE WHEN row_number() OVER (PARTITION BY workers ORDER BY grows, n, p.no, run) = 1 THEN format('CALL pg_temp.register(%s)', workers) END,
       format('CALL pg_temp.reset(%s)', workloads),
       'VACUUM (ANALYZE) hwsched.pending, hwsched.assignment, hwsched.worker_usage, hwsched.device_usage',
       'CHECKPOINT',
       format('CALL pg_temp.batch(%L, %L, %s, %s)', policy, grows, n, workloads)
FROM (SELECT 'workloads' AS grows, n, :fixed AS workers, n AS workloads FROM size
      UNION ALL SELECT 'workers', n, n, :fixed FROM size) s, policy p, generate_series(1, :runs) run
ORDER BY workers, grows, n, p.no, run \gexec

SELECT format('%-50s %7s workers %7s workloads %6s ms', regexp_replace(translate(policy::text, '{":}', ''), '^(\w+) 1$', '\1'), workers, workloads, round(ms))
       || CASE WHEN before IS NULL THEN '' ELSE format('  %5s times, %s of n log n', round((ms / before)::numeric, 1),
                                                       round((ms / before / (n * ln(n) / (n_before * ln(n_before))))::numeric, 2)) END
FROM (SELECT *, CASE grows WHEN 'workers' THEN n ELSE :fixed END AS workers, CASE grows WHEN 'workers' THEN :fixed ELSE n END AS workloads,
             lag(ms) OVER grown AS before, lag(n) OVER grown AS n_before
      FROM (SELECT policy, grows, n::float8, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms FROM took GROUP BY policy, grows, n) m
      WINDOW grown AS (PARTITION BY policy, grows ORDER BY n)) m
JOIN policy p USING (policy) ORDER BY p.no, grows DESC, n;
SELECT hwsched.drop_pool('bench_growth') \g /dev/null
