-- Which workers a pool lacks, and which it could spare.
SET client_min_messages = warning;
SELECT hwsched.create_pool('scaling', '{"scaling_every": 0}');
SELECT hwsched.register_worker('cpu-1', '{"cpu_cores": 16, "available_memory": 64, "cost_per_hour": 0.8}', 'scaling'),
       hwsched.register_worker('gpu-1', '{"cpu_cores": 32, "available_memory": 128, "cost_per_hour": 4, "devices": [{"hardware_class": "gpu", "model_name": "T4", "count": 4, "memory_total_bytes": 17179869184}]}', 'scaling'),
       hwsched.register_worker('gpu-2', '{"cpu_cores": 32, "available_memory": 128, "cost_per_hour": 4, "devices": [{"hardware_class": "gpu", "model_name": "T4", "count": 4, "memory_total_bytes": 17179869184}]}', 'scaling');
SELECT hwsched.drain_worker('gpu-2', 'scaling');
CREATE VIEW advice AS SELECT capabilities -> 'cpu_cores' AS cores, change, why, cost_per_hour AS cost, wait_after_seconds AS wait FROM hwsched.scaling_advice(pool => 'scaling');

-- Nothing waits, and nobody has been idle for long.
SELECT * FROM advice;

-- 20 GPUs are asked for: 4 are free, 16 lacking, 4 of which are off.
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'train ' || i, 'minimum_memory', 8, 'expected_duration', 36000, 'required_accelerators', '{"gpu": 2}'::jsonb))
                            FROM generate_series(1, 10) i), 'scaling');
SELECT * FROM advice;
-- What the advice buys is enough: with it nothing waits.
SELECT starved, p99_wait FROM hwsched.simulate_summary('{"fleet": [{"cpu_cores": 32, "available_memory": 128, "count": 5, "devices": [{"hardware_class": "gpu", "model_name": "T4", "count": 4, "memory_total_bytes": 17179869184}]}], "until": 60}', 'scaling');
-- Work that is soon over takes turns: 6 of 10 s begin within a minute on one device.
SELECT change, why, wait_after_seconds FROM hwsched.scaling_advice('{"fleet": [{"cpu_cores": 8, "cost_per_hour": 1, "count": 0}], "arrivals": [{"at": 0, "cpu_cores": 8, "seconds_on": {"CPU-8cores": 10}}, {"at": 0, "cpu_cores": 8, "seconds_on": {"CPU-8cores": 10}}, {"at": 0, "cpu_cores": 8, "seconds_on": {"CPU-8cores": 10}}]}', 'scaling');
SELECT change, why, wait_after_seconds FROM hwsched.scaling_advice('{"fleet": [{"cpu_cores": 8, "cost_per_hour": 1, "count": 0}], "settings": {"wait_target": 0}, "arrivals": [{"at": 0, "cpu_cores": 8, "seconds_on": {"CPU-8cores": 10}}, {"at": 0, "cpu_cores": 8, "seconds_on": {"CPU-8cores": 10}}, {"at": 0, "cpu_cores": 8, "seconds_on": {"CPU-8cores": 10}}]}', 'scaling');
-- Over time: two at once at the busiest; one of the three workers has nothing to do.
SELECT change, why, cost_per_hour FROM hwsched.scaling_advice('{"fleet": [{"worker_id": "w", "cpu_cores": 8, "cost_per_hour": 1, "count": 3}], "arrivals": [{"at": 0, "cpu_cores": 8, "seconds_on": {"CPU-8cores": 600}}, {"at": 300, "cpu_cores": 8, "seconds_on": {"CPU-8cores": 600}}, {"at": 1000, "cpu_cores": 8, "seconds_on": {"CPU-8cores": 600}}]}', 'scaling');
-- The cheapest that does: of work for 4 cores, five go to a CPU of 64 cores, the setting max_concurrent, for 2; two to one of 8 for 1.
SELECT capabilities -> 'cpu_cores' AS cores, change, cost_per_hour FROM hwsched.scaling_advice(jsonb_build_object('fleet', '[{"cpu_cores": 8, "cost_per_hour": 1, "count": 0}, {"cpu_cores": 64, "cost_per_hour": 2, "count": 0}]'::jsonb,
  'arrivals', (SELECT jsonb_agg('{"at": 0, "cpu_cores": 4, "expected_duration": 36000}'::jsonb) FROM generate_series(1, 8))), 'scaling');
-- Members of a gang run on workers of their own.
SELECT change, why FROM hwsched.scaling_advice('{"fleet": [{"cpu_cores": 64, "cost_per_hour": 2, "count": 0}], "arrivals": [{"at": 0, "cpu_cores": 1, "custom_properties": {"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 3}}]}', 'scaling');

-- What waits for something else than room asks for no worker: its key, its tenant's quota, a pause.
SELECT count(*) FROM hwsched.scaling_advice('{"fleet": [{"cpu_cores": 8, "count": 0}], "arrivals": [{"at": 0, "tenant": "t"}], "settings": {"tenants": {"t": {"quota": {"workloads": 0}}}}}', 'scaling');
SELECT change, why FROM hwsched.scaling_advice('{"fleet": [{"cpu_cores": 8, "count": 0}], "arrivals": [{"at": 0, "cpu_cores": 8, "concurrency_key": "k"}, {"at": 0, "cpu_cores": 8, "concurrency_key": "k"}]}', 'scaling');
SELECT hwsched.pause_pool('scaling');
SELECT * FROM advice;
SELECT hwsched.resume_pool('scaling');

-- What no worker could take comes as it asks; a worker that has been idle for long, and costs something, may go.
SELECT hwsched.submit('{"test_id": "large", "cpu_cores": 100, "host_memory": 500}', 'scaling');
UPDATE hwsched.worker SET registered_at = now() - interval '1 hour' WHERE pool = 'scaling';
SELECT * FROM advice;
SELECT hwsched.alter_pool('scaling', '{"stop_idle_after": "2 h"}');
SELECT count(*) FROM advice WHERE change < 0;

-- maintain() tells when it changes, and only then; notices of this session alone.
SELECT hwsched.alter_pool('scaling', '{"scaling_every": "5 min", "stop_idle_after": "10 min"}');
SELECT more FROM hwsched.maintain('scaling');
SELECT done_at = now() AS sought, jsonb_path_query_array(detail, '$[*].change') AS changes FROM hwsched.pool_activity WHERE pool = 'scaling' AND activity = 'scaling_advice';
BEGIN;
SELECT hwsched.cancel_many('{}', 'scaling');
SELECT more FROM hwsched.maintain('scaling');
SELECT done_at < now() AS not_due, jsonb_path_query_array(detail, '$[*].change') AS changes FROM hwsched.pool_activity WHERE pool = 'scaling' AND activity = 'scaling_advice';
UPDATE hwsched.pool_activity SET done_at = now() - interval '6 min' WHERE pool = 'scaling' AND activity = 'scaling_advice';
SELECT more FROM hwsched.maintain('scaling');
SELECT done_at = now() AS sought, jsonb_path_query_array(detail, '$[*].change') AS changes FROM hwsched.pool_activity WHERE pool = 'scaling' AND activity = 'scaling_advice';
COMMIT;
-- It leaves that to others where it would take long: a short statement_timeout would end all of it, again and again.
UPDATE hwsched.pool_activity SET done_at = now() - interval '6 min' WHERE pool = 'scaling' AND activity = 'scaling_advice';
SET statement_timeout = '9s';
SELECT more FROM hwsched.maintain('scaling');
RESET statement_timeout;
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'many ' || i, 'run_at', '2100-01-01')) FROM generate_series(1, 5001) i), 'scaling');
SELECT more FROM hwsched.maintain('scaling');
SELECT done_at < now() - interval '5 min' AS left_out FROM hwsched.pool_activity WHERE pool = 'scaling' AND activity = 'scaling_advice';
SELECT hwsched.cancel('many 1', 'scaling');
SELECT more FROM hwsched.maintain('scaling');
SELECT done_at < now() - interval '5 min' AS left_out FROM hwsched.pool_activity WHERE pool = 'scaling' AND activity = 'scaling_advice';

-- What is refused.
SELECT hwsched.scaling_advice('{"fleat": []}', 'scaling');
SELECT hwsched.scaling_advice(pool => 'nowhere');
DROP VIEW advice;
SELECT hwsched.drop_pool('scaling');
