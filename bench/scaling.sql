-- What scaling_advice() costs beside the bound of the linear program in which requests may be
-- split, and how long it takes, for a queue of so many different requests.
--
-- variables: workloads, world
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = error;

CREATE EXTENSION IF NOT EXISTS hwsched;
SELECT hwsched.create_pool('scaling') \g /dev/null
CREATE TEMP TABLE offer AS SELECT * FROM (VALUES
    (1, 16, 64, 0, 0.8::float8), (2, 16, 128, 0, 1.1), (3, 64, 256, 0, 3.0), (4, 48, 192, 4, 4.2), (5, 96, 768, 8, 12.0)) o (no, cores, memory, gpus, cost);
SELECT hwsched.register_worker('type-' || no, jsonb_build_object('cpu_cores', cores, 'available_memory', memory, 'cost_per_hour', cost, 'devices', CASE WHEN gpus > 0 THEN
    jsonb_build_array(jsonb_build_object('hardware_class', 'gpu', 'model_name', 'G' || gpus, 'count', gpus, 'memory_total_bytes', 17179869184)) ELSE '[]' END), 'scaling')
FROM offer \g /dev/null
SELECT hwsched.drain_worker('type-' || no, 'scaling') FROM offer \g /dev/null
SELECT setseed(0.5) \g /dev/null
CREATE TEMP TABLE request AS
SELECT i, CASE :'world' WHEN 'services' THEN round((0.25 + 4 * random())::numeric, 2) ELSE 1 + floor(16 * random()) END::float8 AS cores,
       CASE :'world' WHEN 'services' THEN round((0.5 + 12 * random())::numeric, 2) ELSE round((1 + 63 * random())::numeric, 2) END::float8 AS memory,
       CASE WHEN :'world' <> 'services' AND random() < 0.33 THEN 1 + floor(4 * random()) ELSE 0 END::float8 AS gpus FROM generate_series(1, :workloads) i;
SELECT hwsched.alter_pool('scaling', '{"max_concurrent": 1000}') \g /dev/null
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('minimum_memory', 0, 'cpu_cores', cores, 'host_memory', memory, 'expected_duration', 36000) ||
    CASE WHEN gpus > 0 THEN jsonb_build_object('required_accelerators', jsonb_build_object('gpu', gpus)) ELSE '{}' END) FROM request), 'scaling') \g /dev/null
-- the problem, for the peer
SELECT concat_ws(' ', 'type', cost, cores, memory, gpus) FROM offer ORDER BY no;
SELECT concat_ws(' ', 'request', cores, memory, gpus) FROM request ORDER BY i;
SELECT count(*) FROM hwsched.scaling_advice(pool => 'scaling') \g /dev/null
SELECT set_config('bench.began', clock_timestamp()::text, false) \g /dev/null
CREATE TEMP TABLE advice AS SELECT * FROM hwsched.scaling_advice(pool => 'scaling');
SELECT format('advice %s %s', (SELECT sum(cost_per_hour) FROM advice), extract(epoch FROM clock_timestamp() - current_setting('bench.began')::timestamptz));
SELECT hwsched.drop_pool('scaling') \g /dev/null
