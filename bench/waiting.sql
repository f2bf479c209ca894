-- Whether big work waits for ever where small work keeps coming: 4 workers of 8
-- GPUs at 0.9 of their capacity, a quarter of that in work of 8 GPUs.  With and without reservations, by both solvers, on the same arrivals.
-- Fails if with one reservation big work does not start, or waits for more than 10 mean runs at the mean, small
-- work for more than one, or less of the GPUs is used than without by more than a hundredth.
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

-- what became of it, in mean runs
CREATE TEMP TABLE result (solver text, reservations int, big bigint, late bigint, big_wait float8, longest float8, small bigint, small_wait float8, used float8);
CREATE FUNCTION pg_temp.say(solver text, reservations int) RETURNS text LANGUAGE sql AS $$
    INSERT INTO pg_temp.result SELECT solver, reservations, count(*) FILTER (WHERE class = 'big'), count(*) FILTER (WHERE class = 'big' AND wait > 1000),
        avg(wait) FILTER (WHERE class = 'big') / 100, max(wait) FILTER (WHERE class = 'big') / 100,
        count(*) FILTER (WHERE class = 'small'), avg(wait) FILTER (WHERE class = 'small') / 100,
        sum(CASE class WHEN 'big' THEN 8 ELSE 1 END * (least(ends, horizon) - started)) / (32 * max(horizon))
    FROM (SELECT a.class, r.started, r.ends, coalesce(r.started, horizon) - a.at AS wait, horizon
          FROM (SELECT 100.0 * current_setting('bench.runs')::int AS horizon) h, pg_temp.arrival a LEFT JOIN pg_temp.run r USING (id)) w;
    SELECT format('%-11s %-7s, %s reserved  big: %4s, %3s not started in 10, mean wait %6s, longest %6s   small: %5s, mean wait %5s   utilisation %s',
        current_setting('bench.durations'), r.solver, r.reservations, big, late, round(big_wait::numeric, 2), round(longest::numeric, 1), small, round(small_wait::numeric, 2), round(used::numeric, 3))
    FROM pg_temp.result r WHERE r.solver = $1 AND r.reservations = $2 $$;

SELECT format('CALL pg_temp.begin(%L, 4, 8)', jsonb_build_object('solver', solver, 'reservations', reservations)),
       format('CALL pg_temp.pass(%s)', 100 * current_setting('bench.runs')::int),
       format('SELECT pg_temp.say(%L, %s)', solver, reservations)
FROM unnest('{greedy,optimal}'::text[]) WITH ORDINALITY AS s (solver, s), unnest('{0,1}'::int[]) AS reservations ORDER BY s, reservations \gexec
SELECT hwsched.drop_pool('bench_queueing') \g /dev/null
SELECT bool_and(r.late = 0 AND r.big_wait <= 10 AND r.small_wait <= 1 AND r.used >= without.used - 0.01) IS TRUE AS met
FROM result r JOIN result without USING (solver) WHERE r.reservations = 1 AND without.reservations = 0 \gset
\if :met
\else
DO $$ BEGIN RAISE 'big work waits for too long, or small work for it'; END $$;
\endif
