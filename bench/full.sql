-- A queue that is larger than the fleet's room: calls of assign_pending(), each of at
-- most batch_window, until nothing more fits. A fifth of it has to wait. How long
-- the last call takes that places something, beside the first, and all of them together.
--
-- variables: workers (a multiple of 1000); there are ten times as many workloads
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;

SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = 'bench_full' \g /dev/null
-- four slots on each of one, two or three devices: the small are full first
SELECT hwsched.create_pool('bench_full', '{"max_concurrent": 4, "notify": false, "offline_after": "1 day", "load_ttl": "1 day"}') \g /dev/null
SELECT hwsched.register_worker(format('worker-%s', lpad(i::text, 7, '0')),
    format('{"cpu_cores": %s, "available_memory": %s}', 8 + i % 8, 32 + i % 7 * 16)::jsonb
    || CASE i % 3 WHEN 0 THEN '{"supported_backends": ["cpu"]}'
       ELSE format('{"supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": %s}}', i % 3)::jsonb END, 'bench_full')
FROM generate_series(1, 1000) i \g /dev/null
-- registering them all would take longer than the rest
SELECT format($$INSERT INTO hwsched.%1$I
    SELECT copy.* FROM generate_series(1, %2$s / 1000 - 1) thousand, hwsched.%1$I t,
         jsonb_populate_record(t, jsonb_build_object('worker_id', format('worker-%%s', lpad((1000 * thousand + substr(t.worker_id, 8)::int)::text, 7, '0')))) copy
    WHERE t.pool = 'bench_full' ORDER BY copy.worker_id$$, name, :workers)
FROM unnest('{worker,device,worker_usage,device_usage,worker_load}'::text[]) WITH ORDINALITY AS t (name, no) ORDER BY no \gexec
-- 200 kinds of workload, by type and memory
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', format('test-%s', i),
        'test_type', (ARRAY['nlp', 'vision', 'training', 'inference'])[1 + i % 4],
        'minimum_memory', (i % 50) / 10.0, 'expected_duration', 60, 'priority', 1 + i % 5))
    FROM generate_series(b * 1000 + 1, b * 1000 + 1000) i), 'bench_full')
FROM generate_series(0, :workers / 100 - 1) b \g /dev/null
VACUUM (ANALYZE) hwsched.pending, hwsched.worker, hwsched.device, hwsched.worker_usage, hwsched.device_usage;

CREATE TEMP TABLE call (no int GENERATED ALWAYS AS IDENTITY, placed bigint, ms float8);
CREATE PROCEDURE pg_temp.fill() LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz;
    placed bigint;
BEGIN
    LOOP
        started := clock_timestamp();
        placed := hwsched.assign_pending(pool => 'bench_full');
        COMMIT;
        INSERT INTO call (placed, ms) VALUES (placed, 1000 * extract(epoch FROM clock_timestamp() - started));
        EXIT WHEN placed = 0;
    END LOOP;
END $$;
CALL pg_temp.fill();

SELECT format('%7s workers %8s workloads: %s placed by %s calls in %s s; the first %s us a workload, the last that places any %s, one that places none %s ms',
              :workers, 10 * :workers, sum(placed), count(*), round((sum(ms) / 1000)::numeric, 1),
              round(1000 * max(ms / nullif(placed, 0)) FILTER (WHERE no = 1)), round(1000 * max(ms / nullif(placed, 0)) FILTER (WHERE no = last)),
              round(max(ms) FILTER (WHERE placed = 0)))
FROM call, (SELECT max(no) AS last FROM call WHERE placed > 0) l;
SELECT hwsched.drop_pool('bench_full') \g /dev/null
