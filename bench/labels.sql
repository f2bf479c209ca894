-- How much more a batch costs with labels: ten on each worker, one of them its own,
-- and conditions on half of the work; against the same fleet and work without.  bench.sh
-- calls bench_batch() in turns for both, in sessions of their own: the memory that a session
-- keeps from one side would count for more than labels.
--
-- variables: workers, workloads, kinds
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;

SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool IN ('plain', 'labelled') \g /dev/null
SELECT hwsched.create_pool(p, '{"max_concurrent": 20, "offline_after": "1 day"}') FROM unnest('{plain,labelled}'::text[]) p \g /dev/null

SELECT count(hwsched.register_worker(format('worker-%s', lpad(i::text, 7, '0')),
    jsonb_build_object('cpu_cores', 8 + i % 10, 'available_memory', 200 + i / 10 % 10, 'supported_backends', '["cpu", "cuda"]'::jsonb)
    || CASE p WHEN 'labelled' THEN jsonb_build_object('labels', jsonb_build_object('zone', 'z' || i % 4, 'rack', 'r' || i / 20, 'os', (ARRAY['linux', 'windows', 'macos'])[1 + i % 3],
        'browser', format('%s.0.%s', 100 + i % 20, i % 50), 'slots', i % 8, 'team', 't' || i % 10, 'ssd', i % 2 = 0, 'tags', jsonb_build_array('a', 'b' || i % 3), 'site', 's' || i % 7, 'serial', i))
       ELSE '{}' END, p))
FROM generate_series(1, :workers) i, unnest('{plain,labelled}'::text[]) p \g /dev/null

SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object(
    'test_id', format('test-%s', lpad(i::text, 7, '0')),
    'test_type', (ARRAY['vision', 'nlp', 'audio', 'training', 'inference'])[1 + i % 5],
    'minimum_memory', (i % :kinds) / 1000.0, 'expected_duration', 60, 'priority', 1 + i % 5)
    || CASE WHEN p = 'labelled' AND i % :kinds % 2 = 0 THEN jsonb_build_object('required_labels', (ARRAY['{"zone": "z1"}', '{"zone": ["z2", "z3"], "ssd": true}',
        '{"browser": {"min": "105", "max": "115"}}', '{"os": "linux", "slots": {"min": 2}}', '{"tags": "b1"}'])[1 + i % :kinds / 2 % 5]::jsonb) ELSE '{}' END)
    FROM generate_series(1, :workloads) i), p) FROM unnest('{plain,labelled}'::text[]) p \g /dev/null
VACUUM ANALYZE;

DROP TABLE IF EXISTS bench_took;
CREATE TABLE bench_took (side text, ms float8, placed bigint);
-- the second batch of a session, undone by an error of its own
CREATE OR REPLACE PROCEDURE bench_batch(pool text) LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz;
    ms float8;
    placed bigint;
BEGIN
    FOR i IN 1 .. 2 LOOP
        BEGIN
            began := clock_timestamp();
            placed := hwsched.assign_pending(pool => pool);
            ms := extract(epoch FROM clock_timestamp() - began) * 1000;
            RAISE EXCEPTION USING ERRCODE = 'ZZ000';
        EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        END;
    END LOOP;
    INSERT INTO bench_took VALUES (pool, ms, placed);
END $$;
