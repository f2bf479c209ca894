-- simulate(): what would become of work on a fleet.
CREATE EXTENSION IF NOT EXISTS hwsched;
SET timezone = 'UTC';

-- A fleet and work of documents: two workers of four cores.
SELECT workload_id, worker_id, device_nos, to_char(submitted_at, 'MI:SS') AS submitted, to_char(started_at, 'MI:SS') AS started,
       to_char(finished_at, 'MI:SS') AS finished, round(joules) AS joules, round(cost::numeric, 3) AS cost
FROM hwsched.simulate('{"fleet": [{"worker_id": "w", "count": 2, "cpu_cores": 4, "supported_backends": ["cpu"], "available_memory": 8, "cost_per_hour": 6}],
  "arrivals": [{"test_id": "first", "at": 0, "cpu_cores": 4, "seconds_on": {"CPU-4cores": 30}},
    {"test_id": "second", "at": 5, "cpu_cores": 3, "seconds_on": {"CPU-4cores": 60}},
    {"test_id": "has to wait", "at": 6, "cpu_cores": 2, "seconds_on": {"CPU-4cores": 20}},
    {"test_id": "urgent", "at": 7, "cpu_cores": 4, "priority": 1, "seconds_on": {"CPU-4cores": 10}},
    {"requirements": {"test_id": "fits nowhere", "cpu_cores": 8}, "at": "2000-01-01 00:00:08+00"}]}');
-- numbers count from the year 2000, so the same scenario always gives the same
SELECT min(submitted_at) FROM hwsched.simulate('{"fleet": [], "arrivals": [{}]}');

-- summed up
SELECT makespan, mean_wait, p50_wait, p90_wait, mean_completion, p99_completion, utilisation, starved, moves
FROM hwsched.simulate_summary('{"fleet": [{"worker_id": "w", "count": 2, "cpu_cores": 4, "supported_backends": ["cpu"]}],
  "settings": {"max_concurrent": 1}, "arrivals": [{"seconds_on": {"CPU-4cores": 10}}, {"seconds_on": {"CPU-4cores": 20}}, {"seconds_on": {"CPU-4cores": 30}}, {"cpu_cores": 9}]}');
SELECT * FROM hwsched.simulate_summary('{"fleet": [], "arrivals": []}');

-- until a time: what has not arrived is left out, what runs has no end
SELECT workload_id, started_at IS NOT NULL AS started, finished_at FROM hwsched.simulate('{"fleet": [{"cpu_cores": 1, "supported_backends": ["cpu"]}],
  "settings": {"max_concurrent": 1}, "until": 50, "arrivals": [{"at": 0}, {"at": 20, "seconds_on": {"CPU-1cores": 40}}, {"at": 30}, {"at": 60}]}') ORDER BY 1;

-- The pool: its queue and what it runs, or its history.
SELECT hwsched.create_pool('simulated', '{"notify": false}');
SELECT hwsched.register_worker('w' || i, '{"cpu_cores": 2, "supported_backends": ["cpu"]}', 'simulated') FROM generate_series(1, 2) i;
SELECT hwsched.submit_many('[{"test_id": "runs", "cpu_cores": 2}, {"test_id": "q1", "cpu_cores": 2}, {"test_id": "q2", "cpu_cores": 2}, {"test_id": "q3", "cpu_cores": 1}]', 'simulated');
SELECT hwsched.assign_pending(1, 'simulated');
SELECT workload_id, worker_id, started_at = now() AS at_once FROM hwsched.simulate('{}', 'simulated') ORDER BY started_at, workload_id;
SELECT state, count(*) FROM hwsched.workload WHERE pool = 'simulated' GROUP BY 1 ORDER BY 1;
SELECT hwsched.complete(assignment_id, NULL, 'simulated') FROM hwsched.claim('w1', pool => 'simulated');
SELECT count(*), count(started_at), min(started_at) = min(submitted_at) AS at_once FROM hwsched.simulate('{"arrivals": "history"}', 'simulated');

-- A view, read as the caller may.
CREATE VIEW arrivals AS SELECT jsonb_build_object('test_id', 'v' || i, 'required_accelerators', '{"gpu": 1}'::jsonb) AS requirements, 10 * i AS at,
  '{"A": 100, "b": 50}'::jsonb AS seconds_on FROM generate_series(1, 3) i;
\set gpus '[{"worker_id": "a", "devices": [{"hardware_class": "gpu", "model_name": "a"}]}, {"worker_id": "b", "devices": [{"hardware_class": "gpu", "model_name": "B"}]}]'
SELECT workload_id, worker_id, finished_at - started_at AS took FROM hwsched.simulate(jsonb_build_object('fleet', :'gpus'::jsonb, 'arrivals', 'arrivals'::regclass,
  'settings', '{"policy": {"predicted_time": 1}}'::jsonb)) ORDER BY 1;
-- checkpointable work moves to what becomes free, if it ends sooner there
SELECT workload_id, worker_id, to_char(started_at, 'MI:SS') AS started, to_char(finished_at, 'MI:SS') AS finished FROM hwsched.simulate(jsonb_build_object('fleet', :'gpus'::jsonb, 'move_cost', 10,
  'settings', '{"policy": {"predicted_time": 1}}'::jsonb, 'arrivals', '[{"test_id": "stays", "at": 0, "seconds_on": {"a": 60, "b": 30}, "required_accelerators": {"gpu": 1}},
   {"test_id": "moves", "at": 10, "checkpointable": true, "seconds_on": {"a": 200, "b": 100}, "required_accelerators": {"gpu": 1}}]'::jsonb)) ORDER BY 3;
SELECT moves FROM hwsched.simulate_summary(jsonb_build_object('fleet', :'gpus'::jsonb, 'move_cost', 100,
  'arrivals', '[{"seconds_on": {"a": 60, "b": 30}}, {"at": 10, "checkpointable": true, "seconds_on": {"a": 200, "b": 100}}]'::jsonb));
CREATE TABLE secret (requirements jsonb, at float8);
CREATE ROLE simulating IN ROLE hwsched_viewer;
CREATE FUNCTION best(jsonb, jsonb, jsonb) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT 1.0::float8';
SET ROLE simulating;
SELECT count(*) FROM hwsched.simulate('{"fleet": [], "arrivals": "secret"}');
SELECT count(*) FROM hwsched.simulate('{"fleet": [], "arrivals": [{}]}');
SELECT count(*) FROM hwsched.simulate('{"fleet": [], "arrivals": [{}], "settings": {"policy": {"public.best(jsonb,jsonb,jsonb)": 1}}}');
RESET ROLE;
GRANT SELECT ON secret TO simulating;
SET ROLE simulating;
SET search_path = pg_temp, public;
BEGIN READ ONLY;
SELECT count(*) FROM hwsched.simulate('{"fleet": [], "arrivals": "secret"}');
COMMIT;
RESET search_path;
RESET ROLE;
SELECT current_user = session_user AS ourselves, current_setting('search_path');
DROP TABLE secret;
DROP FUNCTION best;
DROP ROLE simulating;

-- Failures: a run that fails is repeated, and a seed repeats a simulation.
CREATE TEMP TABLE runs AS SELECT * FROM hwsched.simulate(jsonb_build_object('fleet', '[{"cpu_cores": 64, "count": 3, "supported_backends": ["cpu"]}]'::jsonb,
  'failure_rate', 0.5, 'seed', 1, 'arrivals', (SELECT jsonb_agg(jsonb_build_object('at', i, 'retries', 5)) FROM generate_series(1, 200) i)));
SELECT count(*) BETWEEN 330 AND 470 AS as_often_as_expected, count(DISTINCT workload_id), max(n) <= 6 AS no_more_than_retries
FROM runs JOIN (SELECT workload_id, count(*) AS n FROM runs GROUP BY 1) r USING (workload_id);
SELECT count(*) AS different FROM (SELECT * FROM runs EXCEPT SELECT * FROM hwsched.simulate(jsonb_build_object('fleet', '[{"cpu_cores": 64, "count": 3, "supported_backends": ["cpu"]}]'::jsonb,
  'failure_rate', 0.5, 'seed', 1, 'arrivals', (SELECT jsonb_agg(jsonb_build_object('at', i, 'retries', 5)) FROM generate_series(1, 200) i)))) d;
SELECT count(*) > 0 AS another_seed_differs FROM (SELECT * FROM runs EXCEPT SELECT * FROM hwsched.simulate(jsonb_build_object('fleet', '[{"cpu_cores": 64, "count": 3, "supported_backends": ["cpu"]}]'::jsonb,
  'failure_rate', 0.5, 'seed', 2, 'arrivals', (SELECT jsonb_agg(jsonb_build_object('at', i, 'retries', 5)) FROM generate_series(1, 200) i)))) d;

-- Limits, gangs, exclusive work, a timeout.
SELECT workload_id, worker_id, to_char(started_at, 'MI:SS') AS started, to_char(finished_at, 'MI:SS') AS finished
FROM hwsched.simulate('{"fleet": [{"worker_id": "w", "count": 3, "cpu_cores": 4, "supported_backends": ["cpu"]}], "arrivals": [
  {"test_id": "key 1", "concurrency_key": "k", "seconds_on": {"CPU-4cores": 10}}, {"test_id": "key 2", "concurrency_key": "k", "seconds_on": {"CPU-4cores": 10}},
  {"test_id": "gang", "at": 30, "custom_properties": {"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 3}, "seconds_on": {"CPU-4cores": 5}},
  {"test_id": "alone", "at": 31, "exclusive": true, "seconds_on": {"CPU-4cores": 5}},
  {"test_id": "timeout", "at": 50, "timeout": 7, "retries": 0, "seconds_on": {"CPU-4cores": 9}}]}');

-- What is refused.
SELECT hwsched.simulate('{"fleat": []}');
SELECT hwsched.simulate('[]');
SELECT hwsched.simulate('{"fleet": "mine"}');
SELECT hwsched.simulate('{"fleet": [{"count": 1.5}]}');
SELECT hwsched.simulate('{"fleet": [{"worker_id": "a"}, {"worker_id": "a"}]}');
SELECT hwsched.simulate('{"fleet": [{"cpu_cores": "four"}]}');
SELECT hwsched.simulate('{"arrivals": "no_such_table"}');
SELECT hwsched.simulate('{"arrivals": "pg_class"}');
SELECT hwsched.simulate('{"arrivals": 5}');
SELECT hwsched.simulate('{"arrivals": [5]}');
SELECT hwsched.simulate('{"arrivals": [{"at": -1}]}');
SELECT hwsched.simulate('{"arrivals": [{"at": "infinity"}]}');
SELECT hwsched.simulate('{"arrivals": [{"seconds_on": 5}]}');
SELECT hwsched.simulate('{"arrivals": [{"seconds_on": {"a": 0}}]}');
SELECT hwsched.simulate('{"arrivals": [{"minimum_memory": "much"}]}');
SELECT hwsched.simulate('{"settings": {"max_lod": 1}}');
SELECT hwsched.simulate('{"settings": {"solver": "best"}}');
SELECT hwsched.simulate('{"until": "soon"}');
SELECT hwsched.simulate('{"seed": 1.5}');
SELECT hwsched.simulate('{"failure_rate": 2}');
SELECT hwsched.simulate('{}', 'nowhere');

DROP VIEW arrivals;
SELECT hwsched.drop_pool('simulated');
