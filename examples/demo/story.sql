-- A story in one pool: work is submitted, placed and run; the pool learns, and its predictions
-- become right; a hot GPU is avoided; large work gets a place reserved; and what another policy would have made of it. A week of history stands
-- behind it. A second stands for a minute.
--
-- Run it in the top directory: psql -X -q -v ON_ERROR_STOP=1 -f examples/demo/story.sql
\set pool demo_story
\pset pager off
\pset footer off
\pset null '-'
SET client_min_messages = warning;

\o /dev/null
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = :'pool';
SELECT hwsched.create_pool(:'pool', '{"max_concurrent": 3, "retry_backoff": "2 s", "lease": "30 s", "energy_price_per_kwh": 0.3,
  "tenants": {"search": {"weight": 2}, "assistant": {}, "research": {"weight": 1, "quota": {"accelerators": 6}}}, "fair_share": {"half_life": "10 minutes"}}');
SELECT hwsched.alter_pool(:'pool', '{"limits": {"licence": {"concurrent": 2}}}', 'two licences were bought');
\ir crew.psql

CREATE TEMP TABLE model (name text, document jsonb);
INSERT INTO model VALUES
  ('A100', '{"hardware_class": "gpu", "architecture": "gpu_cuda", "vendor": "nvidia", "model_name": "A100", "supported_backends": ["cuda", "pytorch", "onnx"], "supported_precisions": ["fp32", "fp16", "bf16", "int8"], "features": ["tensor_cores"],
    "compute_units": 108, "memory_total_bytes": 42949672960, "thermal_design_power_w": 400, "idle_power_w": 50, "throttle_celsius": 88}'),
  ('T4', '{"hardware_class": "gpu", "architecture": "gpu_cuda", "vendor": "nvidia", "model_name": "T4", "supported_backends": ["cuda", "pytorch", "onnx"], "supported_precisions": ["fp32", "fp16", "int8"], "features": ["tensor_cores"],
    "compute_units": 40, "memory_total_bytes": 17179869184, "thermal_design_power_w": 70, "idle_power_w": 10, "throttle_celsius": 85}'),
  ('TPU', '{"hardware_class": "tpu", "architecture": "tpu", "vendor": "google", "model_name": "TPU v3", "supported_backends": ["tensorflow", "onnx"], "supported_precisions": ["fp32", "bf16", "int8"],
    "compute_units": 8, "memory_total_bytes": 34359738368, "thermal_design_power_w": 220, "idle_power_w": 40}');
CREATE TEMP TABLE host AS
SELECT * FROM (VALUES ('a100-1', 'a', 'A100', 4, 64, 512, 12.0), ('a100-2', 'b', 'A100', 4, 64, 512, 12.0), ('t4-1', 'a', 'T4', 2, 16, 64, 1.2), ('t4-2', 'b', 'T4', 2, 16, 64, 1.2), ('t4-3', 'b', 'T4', 2, 16, 64, 1.2),
  ('tpu-1', 'a', 'TPU', 2, 32, 192, 6.0), ('cpu-1', 'a', NULL, 0, 64, 256, 2.1), ('cpu-2', 'b', NULL, 0, 64, 256, 2.1), ('old-1', 'b', 'T4', 1, 8, 32, 0.6)) AS h (name, zone, model, n, cores, memory, cost);
SELECT hwsched.register_worker(h.name, jsonb_strip_nulls(jsonb_build_object('hostname', 'rack-' || h.zone || '-' || h.name, 'cpu_cores', h.cores, 'available_memory', h.memory, 'cost_per_hour', h.cost, 'labels', jsonb_build_object('zone', h.zone),
         'supported_backends', CASE WHEN h.model IS NULL THEN '["cpu"]'::jsonb END, 'devices', CASE WHEN h.n > 0 THEN jsonb_build_array(m.document || jsonb_build_object('count', h.n)) END)), :'pool')
FROM host h LEFT JOIN model m ON m.name = h.model WHERE h.name <> 'old-1';

-- A week of it, as it was recorded: predictions that became better, days and nights, a device that ran hot.
SELECT setseed(0.4);
CREATE TEMP TABLE past AS
SELECT i, format('%s-week-%s', k.name, i) AS workload_id, k.name AS kind, hwsched.workload_profile(k.document) ->> 'workload_type' AS type, k.document ->> 'model_id' AS model_id, k.expected * 60 AS expected, h.name AS worker, h.model, at,
       coalesce((k.truth ->> coalesce(h.model, 'cpu'))::float8, 3) * 60 * (0.85 + 0.3 * random()) AS seconds, random() < 0.03 AS failed, (k.document ->> 'priority')::int AS priority,
       (20 + 400 * random() * greatest(0, sin((extract(epoch FROM at) / 86400 - 0.25) * 6.283)))::float8 AS wait, 0.6 * exp(-extract(epoch FROM at - (now() - interval '7 days')) / 130000) + 0.06 AS off
FROM (SELECT i, now() - interval '7 days' + (i + random()) * interval '7 days' / 3200 - interval '10 minutes' AS at, random() AS r FROM generate_series(0, 3199) i) t
CROSS JOIN LATERAL (SELECT * FROM host h WHERE h.name <> 'old-1' ORDER BY hashtext(h.name || t.i) LIMIT 1) h
CROSS JOIN LATERAL (SELECT * FROM kind k WHERE k.truth ? coalesce(h.model, 'cpu') ORDER BY hashtext(k.name || t.i) / k.share LIMIT 1) k
-- fewer at night
WHERE random() < 0.35 + 0.65 * greatest(0, sin((extract(epoch FROM at) / 86400 - 0.25) * 6.283));
SELECT hwsched.load_history(jsonb_build_object(
  'execution_times', (SELECT jsonb_object_agg(workload_id, jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('timestamp', at, 'worker_id', worker, 'workload_type', type, 'model_id', model_id, 'model_name', CASE model WHEN 'TPU' THEN 'TPU v3' ELSE model END, 'expected_duration', expected,
      'hardware_class', CASE WHEN model IS NULL THEN 'cpu' WHEN model = 'TPU' THEN 'tpu' ELSE 'gpu' END, 'state', CASE WHEN failed THEN 'failed' ELSE 'completed' END, 'attempt', 1, 'run', 1,
      'estimated_time', seconds * (1 + off * (random() - 0.3) * 2), 'actual_time', CASE WHEN failed THEN seconds * 0.3 ELSE seconds END)))) FROM past),
  'assignments', (SELECT jsonb_agg(jsonb_build_object('timestamp', at - make_interval(secs => seconds), 'worker_id', worker, 'workload_id', workload_id, 'workload_type', type, 'attempt', 1, 'run', 1, 'shard_no', 0, 'state', 'completed', 'priority', coalesce(priority, 3),
      'hardware_class', CASE WHEN model IS NULL THEN 'cpu' WHEN model = 'TPU' THEN 'tpu' ELSE 'gpu' END, 'wait_seconds', wait, 'efficiency_score', least(1, 0.5 + 0.5 * random()), 'adjusted_efficiency', 0.5 + 0.4 * random())) FROM past),
  'thermal_states', (SELECT jsonb_object_agg(name, list) FROM (SELECT h.name, jsonb_agg(jsonb_build_array(s.at, jsonb_build_object('device_no', d, 'temperature', least(1, greatest(0, (c - 35) / 52)), 'temperature_celsius', round(c::numeric, 1), 'power_w', round((w * (0.2 + 0.7 * busy))::numeric),
      'warming_state', busy > 0.85 AND random() < 0.2, 'cooling_state', busy < 0.2 AND random() < 0.3))) AS list
      FROM host h CROSS JOIN generate_series(1, h.n) d CROSS JOIN generate_series(now() - interval '7 days', now() - interval '1 minute', interval '20 minutes') AS s (at)
      CROSS JOIN LATERAL (SELECT greatest(0.05, least(1, 0.35 + 0.5 * sin((extract(epoch FROM s.at) / 86400 - 0.25) * 6.283) + 0.3 * (random() - 0.5))) AS busy, CASE h.model WHEN 'A100' THEN 400 WHEN 'TPU' THEN 220 ELSE 70 END AS w) b
      CROSS JOIN LATERAL (SELECT 36 + 32 * busy + CASE WHEN h.name = 'a100-2' AND d = 3 THEN 14 ELSE 0 END + 3 * random() AS c) t WHERE h.name <> 'old-1' GROUP BY h.name) q),
  'resource_utilization', (SELECT jsonb_object_agg(name, list) FROM (SELECT h.name, jsonb_agg(jsonb_build_array(s.at, jsonb_build_object('cpu_utilization', round((10 + 60 * busy)::numeric, 1), 'memory_utilization', round((25 + 30 * busy)::numeric, 1), 'gpu_utilization', CASE WHEN h.n > 0 THEN round((95 * busy)::numeric, 1) END))) AS list
      FROM host h CROSS JOIN generate_series(now() - interval '7 days', now() - interval '1 minute', interval '20 minutes') AS s (at)
      CROSS JOIN LATERAL (SELECT greatest(0.05, least(1, 0.35 + 0.5 * sin((extract(epoch FROM s.at) / 86400 - 0.25) * 6.283) + 0.3 * (random() - 0.5))) AS busy) b WHERE h.name <> 'old-1' GROUP BY h.name) q)),
  :'pool');
SELECT pg_temp.report(:'pool');
\o
SELECT count(DISTINCT workload_id) AS runs, count(DISTINCT worker_id) AS workers, min(time)::date AS since FROM hwsched.execution_history WHERE pool = :'pool' \gset
\echo
\echo A week of history is loaded: :runs runs on :workers workers since :since. Now eight workers are here, and work comes.
\echo
\echo 1. The pool learns. Four rounds of the same mix; after each, how far the predictions were off. A second stands for a minute.
\echo
CREATE TEMP TABLE round (no int, last bigint);
INSERT INTO round SELECT 0, coalesce(max(assignment_id), 0) FROM hwsched.assignment;
\o /dev/null
SELECT hwsched.submit_many(pg_temp.some_work('one', 30), :'pool');
CALL pg_temp.crew(:'pool', 12);
INSERT INTO round SELECT 1, max(assignment_id) FROM hwsched.assignment;
SELECT hwsched.submit_many(pg_temp.some_work('two', 30), :'pool');
CALL pg_temp.crew(:'pool', 12);
INSERT INTO round SELECT 2, max(assignment_id) FROM hwsched.assignment;
SELECT hwsched.submit_many(pg_temp.some_work('three', 30), :'pool');
CALL pg_temp.crew(:'pool', 12);
INSERT INTO round SELECT 3, max(assignment_id) FROM hwsched.assignment;
SELECT hwsched.submit_many(pg_temp.some_work('four', 30), :'pool');
CALL pg_temp.crew(:'pool', 12);
INSERT INTO round SELECT 4, max(assignment_id) FROM hwsched.assignment;
\o
SELECT r.no AS round, count(*) AS completed, round((100 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(e.predicted_seconds - e.actual_seconds) / e.actual_seconds))::numeric) AS "half were off by at most %",
       round((100 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(a.formula_seconds - e.actual_seconds) / e.actual_seconds))::numeric) AS "the formula alone %",
       round(avg(extract(epoch FROM a.finished_at - s.submitted_at))::numeric, 1) AS "seconds until done"
FROM (SELECT no, last, lag(last) OVER (ORDER BY no) AS after FROM round) r
JOIN hwsched.execution_times e ON e.pool = :'pool' AND e.assignment_id > r.after AND e.assignment_id <= r.last
JOIN hwsched.assignment a ON a.pool = e.pool AND a.assignment_id = e.assignment_id
JOIN hwsched.submission s ON s.pool = a.pool AND s.workload_id = a.workload_id
WHERE e.actual_seconds > 0 GROUP BY r.no ORDER BY r.no;

\echo 2. A hot GPU is avoided. Device 3 of a100-2 reports 87 degrees, one below throttling; where would a run of chat go?
\echo
\o /dev/null
SELECT hwsched.update_load('a100-2', '{"cpu_utilization": 20, "devices": [{"device_no": 1, "utilization": 20, "temperature_celsius": 46, "power_w": 90}, {"device_no": 2, "utilization": 20, "temperature_celsius": 46, "power_w": 90},
  {"device_no": 3, "utilization": 95, "temperature_celsius": 87, "power_w": 390}, {"device_no": 4, "utilization": 20, "temperature_celsius": 46, "power_w": 90}]}', :'pool');
SELECT hwsched.submit('{"test_id": "chat-cool-1", "test_type": "chat", "model_id": "llama-8b", "minimum_memory": 12, "expected_duration": 3, "required_backend": "cuda", "required_labels": {"worker_id": "a100-2"}}', :'pool');
\o
SELECT rank, worker_id, device_no, round(temperature_ratio::numeric, 2) AS heat, round(score::numeric, 2) AS score
FROM hwsched.compatible_hardware('chat-cool-1', :'pool') WHERE hardware_class <> 'cpu' ORDER BY rank LIMIT 4;

\echo 3. Large work gets a place reserved: four A100 at once, while all are in use. What is short may still go before it.
\echo
\o /dev/null
SELECT hwsched.submit_many(jsonb_agg(k.document || jsonb_build_object('test_id', 'finetune-now-' || i, 'expected_duration', 12, 'timeout', 600, 'tenant', 'search')), :'pool') FROM kind k, generate_series(1, 8) i WHERE k.name = 'finetune';
SELECT hwsched.assign_pending(pool => :'pool');
SELECT hwsched.submit('{"test_id": "pretrain-1", "test_type": "training", "model_id": "gpt-mini", "minimum_memory": 30, "expected_duration": 20, "priority": 2, "tenant": "search", "required_accelerators": {"gpu": 4}, "required_models": ["A100"]}', :'pool');
SELECT hwsched.assign_pending(pool => :'pool');
\o
SELECT workload_id, worker_id, device_nos, round(extract(epoch FROM starts_at - now())) AS "in seconds" FROM hwsched.reservation WHERE pool = :'pool';
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = :'pool' ORDER BY "position" LIMIT 3;

\o /dev/null
CALL pg_temp.crew(:'pool', 22);
\o
\echo Some seconds later it has run there, all four devices at once:
\echo
SELECT workload_id, worker_id, device_nos, state, round(extract(epoch FROM finished_at - started_at)::numeric, 1) AS seconds FROM hwsched.assignment WHERE pool = :'pool' AND workload_id = 'pretrain-1';

\echo 4. What if? The work of this story under other policies, simulated:
\echo
SELECT v.name AS policy, round(s.mean_wait::numeric, 1) AS "mean wait", round(s.mean_completion::numeric, 1) AS "mean completion", round((s.joules / 3600)::numeric) AS "Wh"
FROM (VALUES ('as it is', '{}'), ('soonest done', '{"policy": {"predicted_time": 1}}'), ('least energy', '{"policy": {"energy": 1}}'), ('shortest first', '{"order": "shortest"}')) AS v (name, settings)
CROSS JOIN LATERAL hwsched.simulate_summary(jsonb_build_object('arrivals', 'history', 'settings', v.settings::jsonb), :'pool') s;

-- What nobody can run, so that there is something that waits, and why; and a worker that will fall silent.
\o /dev/null
SELECT hwsched.register_worker(h.name, jsonb_build_object('hostname', 'rack-b-old-1', 'cpu_cores', h.cores, 'available_memory', h.memory, 'labels', '{"zone": "b"}'::jsonb, 'devices', jsonb_build_array(m.document)), :'pool')
FROM host h JOIN model m ON m.name = h.model WHERE h.name = 'old-1';
SELECT hwsched.submit_many('[{"test_id": "llm-70b", "test_type": "inference", "model_id": "llama-70b", "minimum_memory": 140, "expected_duration": 30, "priority": 1, "required_backend": "cuda", "tenant": "assistant"},
  {"test_id": "eight-gpus", "test_type": "training", "expected_duration": 60, "required_accelerators": {"gpu": 8}, "tenant": "research"},
  {"test_id": "cuda-13", "test_type": "inference", "expected_duration": 20, "required_software": {"cuda": "13.0"}, "tenant": "search"}]', :'pool');
\o
DO $$ BEGIN
  IF (SELECT count(*) < 100 FROM hwsched.execution_times WHERE pool = 'demo_story') THEN RAISE EXCEPTION 'too little was run'; END IF;
  IF NOT EXISTS (SELECT FROM hwsched.assignment WHERE pool = 'demo_story' AND workload_id = 'pretrain-1' AND state = 'completed') THEN RAISE EXCEPTION 'the large work did not run'; END IF;
END $$;
