-- How many placements simulate() makes in a minute on the nodes of data/openb, whose tasks arrive
-- at random and take a minute each.
--
-- variables: workloads, load (of the GPUs), settings (JSON)
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;

CREATE TEMP TABLE line (line text);
\copy line FROM ../data/openb/openb_pod_list_default.csv (FORMAT csv, HEADER, DELIMITER E'\x01')
CREATE TEMP TABLE task AS
SELECT row_number() OVER (ORDER BY field[1]) AS no, field[2]::bigint AS cpu_milli, field[3]::bigint AS memory_mib,
       field[4]::int AS num_gpu, field[5]::int AS gpu_milli, string_to_array(nullif(field[6], ''), '|') AS models
FROM line, string_to_array(line, ',') AS field;
CREATE TEMP TABLE node (sn text PRIMARY KEY, cpu_milli bigint, memory_mib bigint, gpu int, model text);
\copy node FROM ../data/openb/openb_node_list_gpu_node.csv CSV HEADER

CREATE TEMP TABLE arrival AS
SELECT i * 60 * need / ((SELECT sum(gpu) FROM node) * :load) AS at, '{"G2": 60, "G3": 60, "T4": 60, "P100": 60, "V100M16": 60, "V100M32": 60, "A10": 60, "CPU": 60}'::jsonb AS seconds_on,
       jsonb_strip_nulls(jsonb_build_object('test_type', 'training', 'minimum_memory', 0, 'cpu_cores', cpu_milli / 1000.0,
           'host_memory', memory_mib / 1024.0, 'required_accelerators', CASE WHEN num_gpu > 0 THEN jsonb_build_object('gpu', num_gpu) END,
           'accelerator_share', CASE WHEN num_gpu = 1 AND gpu_milli < 1000 THEN gpu_milli / 1000.0 END,
           'required_models', to_jsonb(models))) AS requirements
FROM (SELECT count(*) AS tasks, avg(num_gpu * gpu_milli / 1000.0) AS need FROM task) a, generate_series(1, :workloads) i
JOIN task ON no = 1 + ('x' || substr(md5(i::text), 1, 15))::bit(60)::bigint % (SELECT count(*) FROM task);
ANALYZE arrival;

SELECT set_config('bench.began', clock_timestamp()::text, false) \g /dev/null
CREATE TEMP TABLE summary AS
SELECT s.* FROM hwsched.simulate_summary(jsonb_build_object('arrivals', 'pg_temp.arrival',
    'settings', jsonb_build_object('max_concurrent', 100000) || :'settings'::jsonb,
    'fleet', (SELECT jsonb_agg(jsonb_build_object('worker_id', sn, 'cpu_cores', cpu_milli / 1000.0, 'available_memory', memory_mib / 1024.0,
        'supported_backends', '["cpu", "cuda"]'::jsonb, 'available_accelerators', jsonb_build_object('gpu', gpu),
        'devices', jsonb_build_array(jsonb_build_object('hardware_class', 'gpu', 'vendor', 'nvidia', 'architecture', 'gpu_cuda',
            'model_name', model, 'count', gpu, 'supported_backends', '["cuda"]'::jsonb, 'compute_units', 80)))) FROM node))) s;
SELECT format('%-24s %9s %6s %12s %10s %8s', :'settings', :workloads, round(100 * (utilisation ->> 'gpu')::numeric), round(mean_wait::numeric, 2),
              round(seconds::numeric, 1), round((:workloads / seconds * 60)::numeric))
FROM summary, (SELECT extract(epoch FROM clock_timestamp() - current_setting('bench.began')::timestamptz) AS seconds) t;
