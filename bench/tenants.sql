-- Whether tenants get their shares: three with weights 1 : 1 : 2, whose bursts keep
-- work waiting, on 4 workers of 8 GPUs; and how much longer a small tenant that
-- comes late waits than in a fifth of the pool of its own.  Fails if a share is more than 5 %
-- off, or one of the late tenant's waits more than a mean run longer.
--
-- variables: solver
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\ir queueing.sql
SELECT setseed(0.5) \g /dev/null
SELECT set_config('bench.solver', :'solver', false) \g /dev/null

-- what held how much, while all three had work waiting
CREATE FUNCTION pg_temp.held(tenant text, since float8, until float8) RETURNS float8 LANGUAGE sql AS $$
    SELECT sum(greatest(0, least(r.ends, until) - greatest(r.started, since))) FROM pg_temp.run r JOIN pg_temp.arrival a USING (id) WHERE a.class = tenant $$;

-- runs take 100 s; bursts of 60 to 140 come each 500 s at the mean, more than there is room for
INSERT INTO arrival (id, class, at, seconds, requirements)
SELECT format('%s-%s-%s', class, burst, i), class, at, 100, jsonb_build_object('tenant', class, 'required_accelerators', '{"gpu": 1}'::jsonb, 'expected_duration', 100)
FROM (SELECT class, burst, weight * (60 + floor(random() * 80))::int AS size, CASE burst WHEN 1 THEN 0 ELSE sum(400 + random() * 200) OVER (PARTITION BY class ORDER BY burst) - 500 END AS at
      FROM (VALUES ('one', 1), ('two', 1), ('double', 2)) AS t (class, weight), generate_series(1, 8) AS burst) b, generate_series(1, size) AS i;

SELECT format('CALL pg_temp.begin(%L, 4, 8)', jsonb_build_object('solver', :'solver', 'fair_share', '{"half_life": "1 hour"}'::jsonb, 'tenants', '{"double": {"weight": 2}}'::jsonb)),
       'CALL pg_temp.pass(3000)' \gexec
CREATE TEMP TABLE share AS SELECT one / total AS one, two / total AS two, twice / total AS twice FROM (SELECT pg_temp.held('one', 0, 3000) AS one, pg_temp.held('two', 0, 3000) AS two, pg_temp.held('double', 0, 3000) AS twice) h, LATERAL (SELECT one + two + twice AS total) t;
SELECT format('%-8s shares while all have work waiting: one %s, two %s, double %s (0.25, 0.25, 0.5)', :'solver', round(one::numeric, 3), round(two::numeric, 3), round(twice::numeric, 3)) FROM share;

-- a fourth of weight 1 comes late, with a run each 40 s, far less than its share
CREATE TEMP TABLE late AS SELECT format('late-%s', i) AS id, 1000 + 40.0 * i AS at FROM generate_series(1, 40) i;
INSERT INTO arrival (id, class, at, seconds, requirements)
SELECT id, 'late', at, 100, '{"tenant": "late", "required_accelerators": {"gpu": 1}, "expected_duration": 100}' FROM late;
SELECT format('CALL pg_temp.begin(%L, 4, 8)', jsonb_build_object('solver', :'solver', 'fair_share', '{"half_life": "1 hour"}'::jsonb, 'tenants', '{"double": {"weight": 2}}'::jsonb)),
       'CALL pg_temp.pass(3000)' \gexec
CREATE TEMP TABLE shared AS SELECT id, r.started - l.at AS wait FROM late l LEFT JOIN pg_temp.run r USING (id);
DELETE FROM arrival WHERE class <> 'late';
SELECT format('CALL pg_temp.begin(%L, 1, 6)', jsonb_build_object('solver', :'solver')), 'CALL pg_temp.pass(3000)' \gexec
CREATE TEMP TABLE waited AS SELECT s.wait, r.started - l.at AS alone FROM late l JOIN shared s USING (id) LEFT JOIN pg_temp.run r USING (id);
SELECT format('%-8s a small tenant that comes late: %s of %s started, waits %s mean runs at the mean, %s at most; in a fifth of the pool of its own %s, %s',
    :'solver', count(wait), count(*), round((avg(wait) / 100)::numeric, 2), round((max(wait) / 100)::numeric, 2), round((avg(alone) / 100)::numeric, 2), round((max(alone) / 100)::numeric, 2)) FROM waited;
SELECT hwsched.drop_pool('bench_queueing') \g /dev/null
SELECT (SELECT greatest(abs(one / 0.25 - 1), abs(two / 0.25 - 1), abs(twice / 0.5 - 1)) <= 0.05 FROM share)
   AND (SELECT bool_and(wait <= alone + 100) IS TRUE AND count(wait) = count(*) FROM waited) AS fair \gset
\if :fair
\else
DO $$ BEGIN RAISE 'a tenant did not get its share'; END $$;
\endif
