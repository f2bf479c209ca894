-- Whether big work waits for ever where small work keeps coming: 4 workers of 8
-- GPUs at 0.9 of their capacity, a quarter of that in work of 8 GPUs.  With and without reservations, by both solvers, on the same arrivals.
--
-- variables: durations, 'alike' or 'exponential'; runs, the length in mean runs
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\ir queueing.sql
SELECT setseed(0.5) \g /dev/null
SELECT set_config('bench.durations', :'durations', false), set_config('bench.runs', :'runs', false) \g /dev/null

-- a mean run takes 100 s; arrivals of each class are a Poisson process
INSERT INTO arrival (id, class, at, seconds, requirements)
SELECT id, class, at, seconds, jsonb_build_object('required_accelerators', jsonb_build_object('gpu', gpus), 'expected_duration', seconds)
FROM (SELECT format('%s-%s', class, i) AS id, class, gpus, sum(-ln(1 - random()) * 100 / rate) OVER (PARTITION BY class ORDER BY i) AS at,
             CASE current_setting('bench.durations') WHEN 'alike' THEN 100 ELSE greatest(1, -ln(1 - random()) * 100) END AS seconds
      FROM (VALUES ('big', 8, 0.25 * 0.9 * 32 / 8), ('small', 1, 0.75 * 0.9 * 32)) AS c (class, gpus, rate),
           generate_series(1, (rate * current_setting('bench.runs')::int * 1.2)::int) AS i) a
WHERE at < 100 * current_setting('bench.runs')::int;

CREATE FUNCTION pg_temp.say(name text) RETURNS text LANGUAGE sql AS $$
    SELECT format('%-8s %-20s big: %4s, %3s not started in 10, mean wait %6s, longest %6s   small: %5s, mean wait %5s   utilisation %s',
        current_setting('bench.durations'), name, count(*) FILTER (WHERE class = 'big'), count(*) FILTER (WHERE class = 'big' AND wait > 1000),
        round((avg(wait) FILTER (WHERE class = 'big') / 100)::numeric, 2), round((max(wait) FILTER (WHERE class = 'big') / 100)::numeric, 1),
        count(*) FILTER (WHERE class = 'small'), round((avg(wait) FILTER (WHERE class = 'small') / 100)::numeric, 2),
        round((sum(CASE class WHEN 'big' THEN 8 ELSE 1 END * (least(ends, horizon) - started)) / (32 * max(horizon)))::numeric, 3))
    FROM (SELECT a.class, r.started, r.ends, coalesce(r.started, horizon) - a.at AS wait, horizon
          FROM (SELECT 100.0 * current_setting('bench.runs')::int AS horizon) h, pg_temp.arrival a LEFT JOIN pg_temp.run r USING (id)) w $$;

SELECT format('CALL pg_temp.begin(%L, 4, 8)', jsonb_build_object('solver', solver, 'reservations', reservations)),
       format('CALL pg_temp.pass(%s)', 100 * current_setting('bench.runs')::int),
       format('SELECT pg_temp.say(%L)', format('%s, %s reserved', solver, reservations))
FROM unnest('{greedy,optimal}'::text[]) WITH ORDINALITY AS s (solver, s), unnest('{0,1}'::int[]) AS reservations ORDER BY s, reservations \gexec
SELECT hwsched.drop_pool('bench_queueing') \g /dev/null
