-- Which hardware suits which work: seven kinds of device, nine types of work, one
-- batch of each, and the report that shows where it went and how well it suits.
--
-- Run it in the top directory: psql -X -q -v ON_ERROR_STOP=1 -f examples/demo/efficiency.sql
\set pool demo_efficiency
\pset pager off
\pset footer off
\pset null '-'
SET client_min_messages = warning;

\o /dev/null
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = :'pool';
SELECT hwsched.create_pool(:'pool', '{"max_concurrent": 6}');
SELECT hwsched.register_worker(name, hardware::jsonb, pool => :'pool') FROM (VALUES
  ('xeon-1', '{"cpu_cores": 64, "available_memory": 256, "supported_backends": ["cpu"]}'),
  ('xeon-2', '{"cpu_cores": 64, "available_memory": 256, "supported_backends": ["cpu"]}'),
  ('old-pc', '{"cpu_cores": 4, "available_memory": 8, "supported_backends": ["cpu"]}'),
  ('gpu-a100', '{"cpu_cores": 16, "available_memory": 256, "devices": [{"hardware_class": "gpu", "architecture": "gpu_cuda", "vendor": "nvidia", "model_name": "A100",
    "count": 4, "supported_backends": ["cuda", "pytorch", "tensorflow", "onnx"], "supported_precisions": ["fp32", "fp16", "int8"], "features": ["tensor_cores"],
    "compute_units": 108, "memory_total_bytes": 42949672960}]}'),
  ('gpu-rx', '{"cpu_cores": 8, "available_memory": 32, "devices": [{"hardware_class": "gpu", "architecture": "gpu_rocm", "vendor": "amd", "model_name": "RX 6700",
    "supported_backends": ["rocm", "pytorch", "onnx"], "supported_precisions": ["fp32", "fp16"], "compute_units": 36, "memory_total_bytes": 12884901888}]}'),
  ('tpu-1', '{"cpu_cores": 8, "available_memory": 192, "supported_backends": ["tpu"], "available_accelerators": {"tpu": 4}}'),
  ('phone-1', '{"cpu_cores": 8, "available_memory": 8, "supported_backends": ["qnn"]}'),
  ('fpga-1', '{"cpu_cores": 8, "available_memory": 32, "devices": [{"hardware_class": "fpga", "architecture": "fpga_xilinx", "vendor": "xilinx", "model_name": "Alveo U50",
    "supported_backends": ["onnx", "opencl"], "supported_precisions": ["int8", "int4"], "features": ["quantization"], "compute_units": 32, "memory_total_bytes": 8589934592}]}'),
  ('tab-1', '{"available_memory": 8, "supported_backends": ["webgpu", "webnn"]}')) AS worker (name, hardware);

-- 14 of each type: short ones and long ones (which are taken for compute bound),
-- small ones and large ones (memory bound).
SELECT hwsched.submit_many((
  SELECT jsonb_agg(jsonb_build_object('test_id', format('%s-%s', t.word, i), 'test_type', t.word, 'expected_duration', (ARRAY[5, 60, 300])[1 + i % 3],
                                      'minimum_memory', (ARRAY[0.5, 4, 14])[1 + i % 3]) ORDER BY i, t.word)
  FROM unnest('{vision,nlp,audio,multimodal,training,inference,embedding,conversational,batch}'::text[]) AS t (word), generate_series(1, 14) AS i), pool => :'pool');
\o

\echo
\echo How well does each kind of device suit each type of work? The raw efficiency of long work of 14 GB, before load and heat:
\echo
SELECT r.device, max(r.score) FILTER (WHERE r.type = 'vision') AS vision, max(r.score) FILTER (WHERE r.type = 'nlp') AS nlp,
       max(r.score) FILTER (WHERE r.type = 'audio') AS audio, max(r.score) FILTER (WHERE r.type = 'training') AS training,
       max(r.score) FILTER (WHERE r.type = 'inference') AS inference, max(r.score) FILTER (WHERE r.type = 'embedding') AS embedding
FROM (SELECT h.worker_id || ' ' || h.model_name AS device, split_part(q.workload_id, '-', 1) AS type, round(h.raw_efficiency_ratio::numeric, 2) AS score
      FROM hwsched.pending q CROSS JOIN LATERAL hwsched.compatible_hardware(q.workload_id, q.pool) h
      WHERE q.pool = :'pool' AND q.workload_id ~ '-2$') r
GROUP BY r.device ORDER BY max(r.score) DESC, r.device;

SELECT hwsched.assign_pending(pool => :'pool') AS placed \gset
\echo :placed of 126 are placed in one batch. Which class of hardware got which type, and how well does it suit?
\echo
SELECT hardware_class AS class, workload_type AS type, sum(assignments) AS assignments,
       round((sum(efficiency_ratio * assignments) / sum(assignments))::numeric, 2) AS efficiency
FROM hwsched.hardware_efficiency WHERE pool = :'pool' GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2;

\echo The least efficient: where something better was full.
\echo
SELECT a.workload_id AS workload, a.worker_id AS worker, round(a.efficiency::numeric, 2) AS efficiency
FROM hwsched.assignment a WHERE a.pool = :'pool' ORDER BY a.efficiency, a.assignment_id LIMIT 5;

DO $$ BEGIN
  IF (SELECT count(*) < 100 OR count(DISTINCT hardware_class) < 5 FROM hwsched.efficiency_history WHERE pool = 'demo_efficiency') THEN
    RAISE EXCEPTION 'too little was placed';
  END IF;
END $$;
