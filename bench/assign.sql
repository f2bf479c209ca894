-- How much more a batch costs than writing its result down: assign_pending()
-- against ONE bare statement that deletes the same rows from a queue of the same
-- shape and inserts what the DELETE returned into assignments of the same shape,
-- columns and indexes. In one run, in turns, medians of :runs.
--
-- variables: workers, workloads, kinds, runs
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
SET synchronous_commit = on;

SELECT set_config('bench.workers', :'workers', false), set_config('bench.workloads', :'workloads', false),
       set_config('bench.kinds', :'kinds', false), set_config('bench.runs', :'runs', false) \g /dev/null
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = 'bench' \g /dev/null
-- twenty slots on each of two devices: there is room for everything
SELECT hwsched.create_pool('bench', '{"max_concurrent": 20}') \g /dev/null

-- 100 kinds of worker, with a GPU each
SELECT count(hwsched.register_worker(format('worker-%s', lpad(i::text, 7, '0')),
    format('{"cpu_cores": %s, "available_memory": %s, "supported_backends": ["cpu", "cuda"]}',
           8 + i % 10, 200 + i / 10 % 10)::jsonb, 'bench'))
FROM generate_series(1, :workers) i \g /dev/null

-- kinds of workload differ in type and memory
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object(
    'test_id', format('test-%s', lpad(i::text, 7, '0')),
    'test_type', (ARRAY['vision', 'nlp', 'audio', 'training', 'inference'])[1 + i % 5],
    'minimum_memory', (i % :kinds) / 1000.0, 'expected_duration', 60, 'priority', 1 + i % 5))
    FROM generate_series(1, :workloads) i), 'bench') \g /dev/null

CREATE TEMP TABLE queue AS SELECT * FROM hwsched.pending WHERE pool = 'bench';
CREATE TEMP TABLE took (side text, ms float8);
CREATE TABLE IF NOT EXISTS public.bare_pending (LIKE hwsched.pending INCLUDING ALL);
CREATE TABLE IF NOT EXISTS public.bare_assignment (LIKE hwsched.assignment INCLUDING ALL);

CREATE OR REPLACE PROCEDURE pg_temp.reset() LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE hwsched.pending, hwsched.assignment, public.bare_pending, public.bare_assignment;
    INSERT INTO hwsched.pending SELECT * FROM queue ORDER BY priority, queue_no;
    INSERT INTO public.bare_pending SELECT * FROM queue ORDER BY priority, queue_no;
    DELETE FROM hwsched.worker_usage; INSERT INTO hwsched.worker_usage (pool, worker_id, hardware_id) SELECT pool, worker_id, hardware_id FROM hwsched.worker_load;
    DELETE FROM hwsched.device_usage; INSERT INTO hwsched.device_usage (pool, worker_id, device_no) SELECT pool, worker_id, device_no FROM hwsched.device;
END $$;

CREATE OR REPLACE PROCEDURE pg_temp.bare() LANGUAGE plpgsql AS $$
BEGIN
    WITH moved AS (DELETE FROM public.bare_pending WHERE pool = 'bench' RETURNING *)
    INSERT INTO public.bare_assignment (pool, workload_id, run, attempt, worker_id, device_nos, priority, profile_id,
                                        device_profile_id, efficiency, adjusted_efficiency, score, predicted_seconds)
    SELECT pool, workload_id, run, attempt, 'worker-' || lpad((queue_no % 10000)::text, 7, '0'), '{0}', priority, profile_id,
           1, 1, 1, 1, 60 FROM moved;
END $$;

-- each column of each row is one command
SELECT 'CALL pg_temp.reset()',
       'VACUUM (ANALYZE) hwsched.pending, hwsched.assignment, hwsched.worker_usage, hwsched.device_usage, public.bare_pending, public.bare_assignment',
       'CHECKPOINT',
       $c$DO $d$ DECLARE t timestamptz := clock_timestamp(); BEGIN CALL pg_temp.bare();
         INSERT INTO took VALUES ('bare', 1000 * extract(epoch FROM clock_timestamp() - t)); END $d$ $c$,
       'CHECKPOINT',
       $c$DO $d$ DECLARE t timestamptz := clock_timestamp(); n bigint; BEGIN n := hwsched.assign_pending(pool => 'bench');
         INSERT INTO took VALUES ('assign', 1000 * extract(epoch FROM clock_timestamp() - t));
         IF n <> current_setting('bench.workloads')::int THEN RAISE EXCEPTION 'placed % of %', n, current_setting('bench.workloads'); END IF; END $d$ $c$
FROM generate_series(1, :runs) run \gexec

SELECT format('%8s workers %9s workloads %5s kinds   bare %8s ms   assign_pending %8s ms   ratio %s',
              :workers, :workloads, :kinds, round(bare), round(assign), round((assign / bare)::numeric, 2))
FROM (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE side = 'bare') AS bare,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE side = 'assign') AS assign FROM took) m;
DROP TABLE public.bare_pending, public.bare_assignment;
SELECT hwsched.drop_pool('bench') \g /dev/null
