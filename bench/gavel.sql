-- The published experiment on a heterogeneous cluster (data/gavel), by simulate(): 36 V100, 36 P100
-- and 36 K80; jobs arrive by a Poisson process, so many an hour; what counts is the mean time to
-- completion of jobs 4,000 to 5,000 of each seed.  Arrivals go on behind job 6,000, by the first
-- jobs once more: else the last ones that count would find the cluster emptying.
--
-- variables: rate (jobs an hour), policy (an algorithm), published (hours), within (ratio)
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;

CREATE TEMP TABLE throughput (worker_type text, job_type text, scale_factor int, steps_per_s float8);
\copy throughput FROM ../data/gavel/throughputs_isolated.csv CSV HEADER
CREATE TEMP TABLE job (seed int, job_id int, arrival_unit float8, job_type text, scale_factor int, v100_duration_s float8, total_steps float8);
\copy job FROM ../data/gavel/continuous_single_gpu.csv CSV HEADER

CREATE TEMP TABLE arrival AS
SELECT seed, round * 6000 + job_id AS no,
       3600 * (round * (ends + 1) + arrival_unit) / :rate AS at, seconds_on,
       jsonb_build_object('test_id', 'job-' || round * 6000 + job_id, 'test_type', 'training', 'model_id', job_type,
                          'required_accelerators', jsonb_build_object('gpu', 1), 'timeout', 1e9, 'retries', 0, 'checkpointable', true) AS requirements
FROM job
JOIN (SELECT seed, max(arrival_unit) AS ends FROM job GROUP BY seed) e USING (seed)
JOIN LATERAL (SELECT jsonb_object_agg(worker_type, total_steps / steps_per_s) AS seconds_on FROM throughput t
              WHERE t.job_type = job.job_type AND t.scale_factor = 1 AND steps_per_s > 0) s ON true,
     generate_series(0, 1) round;
ANALYZE arrival;

CREATE TEMP TABLE fleet AS
SELECT jsonb_agg(jsonb_build_object('worker_id', model, 'count', 36, 'devices', jsonb_build_array(jsonb_build_object(
           'hardware_class', 'gpu', 'vendor', 'nvidia', 'architecture', 'gpu_cuda', 'model_name', model,
           'supported_backends', '["cuda"]'::jsonb, 'compute_units', 80)))) AS fleet
FROM unnest('{v100,p100,k80}'::text[]) model;

CREATE VIEW pg_temp.arrival_0 AS SELECT requirements, at, seconds_on FROM arrival WHERE seed = 0;
CREATE VIEW pg_temp.arrival_1 AS SELECT requirements, at, seconds_on FROM arrival WHERE seed = 1;
CREATE VIEW pg_temp.arrival_2 AS SELECT requirements, at, seconds_on FROM arrival WHERE seed = 2;

CREATE TEMP TABLE result AS
SELECT seed, avg(seconds) / 3600 AS hours
FROM generate_series(0, 2) seed, fleet,
     -- a job has a row for each place that it ran at
     LATERAL (SELECT extract(epoch FROM max(finished_at) - min(submitted_at)) AS seconds
              FROM hwsched.simulate(jsonb_build_object('fleet', fleet, 'arrivals', 'pg_temp.arrival_' || seed, 'seed', seed,
                  'move_cost', :move_cost::float8,
                  'settings', jsonb_build_object('policy', jsonb_build_object(:'policy', 1), 'reservations', 0)))
              WHERE substr(workload_id, 5)::int BETWEEN 4000 AND 4999
              GROUP BY workload_id) j
GROUP BY seed;

SELECT format('%-15s %5s %10s %10s %8s', :'policy', :rate, round(:published, 2), round(avg(hours)::numeric, 2),
              round(100 * (avg(hours)::numeric / :published - 1), 1) || ' %') FROM result;
SELECT abs(avg(hours) / :published - 1) <= :within AS agrees FROM result \gset
\if :agrees
\else
\echo 'outside' :within 'of what is published'
DO $$ BEGIN RAISE 'the published figure is not reproduced'; END $$;
\endif
