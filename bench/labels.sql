-- How much more a batch costs with labels: ten on each worker, one of them its own,
-- and conditions on half of the work; against the same fleet and work without. In
-- one run, in turns, medians of :runs; each batch is rolled back.
--
-- variables: workers, workloads, kinds, runs
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;

SELECT set_config('bench.workers', :'workers', false), set_config('bench.workloads', :'workloads', false),
       set_config('bench.runs', :'runs', false) \g /dev/null
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

CREATE TEMP TABLE took (side text, ms float8, placed bigint);
-- a batch whose work is undone by an error of its own
CREATE PROCEDURE pg_temp.batch(pool text) LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz;
    ms float8;
    placed bigint;
BEGIN
    BEGIN
        began := clock_timestamp();
        placed := hwsched.assign_pending(pool => pool);
        ms := extract(epoch FROM clock_timestamp() - began) * 1000;
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    END;
    INSERT INTO took VALUES (pool, ms, placed);
END $$;
-- the first of each is not counted
SELECT format('CALL pg_temp.batch(%L)', p) FROM generate_series(0, :runs) r, unnest('{plain,labelled}'::text[]) p ORDER BY r
\gexec

SELECT format('%s workers, %s workloads of %s kinds: %s ms without labels, %s ms with (%s placed): %s times',
              :'workers', :'workloads', :'kinds', round(plain), round(labelled), placed, round((labelled / plain)::numeric, 2))
FROM (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE side = 'plain') AS plain,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE side = 'labelled') AS labelled, max(placed) FILTER (WHERE side = 'labelled') AS placed
      FROM (SELECT *, row_number() OVER (PARTITION BY side) AS turn FROM took) t WHERE turn > 1) m;
