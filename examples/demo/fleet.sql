-- Five kinds of worker in a pool of their own, and a day's mix of tests: which
-- test goes where and why, which waits and why, and then the day runs.
--
-- Run it in the top directory: psql -X -q -v ON_ERROR_STOP=1 -f examples/demo/fleet.sql
\set pool demo_fleet
\pset pager off
\pset footer off
\pset null '-'
SET client_min_messages = warning;

-- The result of a call that returns nothing is nothing to look at.
\o /dev/null
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = :'pool';
SELECT hwsched.create_pool(:'pool', '{"max_concurrent": 4, "retry_backoff": "0 s"}');

-- A worker says what it has. What it does not describe is inferred: cpu_cores
-- mean a CPU, "tpu" means a TPU, "webgpu" a browser's adapter.
SELECT hwsched.register_worker('cpu-1', '{
  "hostname": "rack1-07", "cpu_cores": 32, "available_memory": 128, "supported_backends": ["cpu"],
  "software_versions": {"pytorch": "2.1"}, "cost_per_hour": 1.2}', pool => :'pool');
SELECT hwsched.register_worker('cpu-2', '{
  "hostname": "rack1-08", "cpu_cores": 64, "available_memory": 256, "supported_backends": ["cpu"],
  "software_versions": {"pytorch": "2.1"}, "cost_per_hour": 2.1}', pool => :'pool');
SELECT hwsched.register_worker('gpu-1', '{
  "hostname": "rack2-01", "cpu_cores": 64, "available_memory": 512, "supported_backends": ["cpu", "cuda"],
  "available_accelerators": {"gpu": 4}, "software_versions": {"cuda": "12.2", "pytorch": "2.1"}, "cost_per_hour": 14,
  "devices": [{"hardware_class": "gpu", "architecture": "gpu_cuda", "vendor": "nvidia", "model_name": "A100", "count": 4,
               "supported_backends": ["cuda", "pytorch", "tensorflow", "onnx"], "supported_precisions": ["fp32", "fp16", "bf16", "int8"],
               "features": ["tensor_cores"], "compute_units": 108, "memory_total_bytes": 42949672960,
               "thermal_design_power_w": 400}]}', pool => :'pool');
SELECT hwsched.register_worker('gpu-2', '{
  "hostname": "rack2-02", "cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu", "cuda"],
  "available_accelerators": {"gpu": 2}, "software_versions": {"cuda": "11.8", "pytorch": "2.0"}, "cost_per_hour": 1.5,
  "devices": [{"hardware_class": "gpu", "architecture": "gpu_cuda", "vendor": "nvidia", "model_name": "T4", "count": 2,
               "supported_backends": ["cuda", "pytorch", "tensorflow", "onnx"], "supported_precisions": ["fp32", "fp16", "int8"],
               "features": ["tensor_cores"], "compute_units": 40, "memory_total_bytes": 17179869184,
               "thermal_design_power_w": 70}]}', pool => :'pool');
SELECT hwsched.register_worker('tpu-1', '{
  "hostname": "rack3-01", "cpu_cores": 16, "available_memory": 192, "supported_backends": ["tpu"],
  "available_accelerators": {"tpu": 2}, "cost_per_hour": 6}', pool => :'pool');
SELECT hwsched.register_worker('page-1', '{
  "hostname": "desk-12", "available_memory": 8, "supported_backends": ["webgpu", "webnn"]}', pool => :'pool');
SELECT hwsched.register_worker('phone-1', '{
  "hostname": "shelf-3", "available_memory": 8, "supported_backends": ["qnn"],
  "devices": [{"hardware_class": "cpu", "architecture": "arm64", "vendor": "arm", "model_name": "Cortex-X3",
               "supported_backends": ["tflite", "onnx"], "supported_precisions": ["fp32", "int8"], "features": ["neon"],
               "compute_units": 8},
              {"hardware_class": "npu", "architecture": "npu_qualcomm", "vendor": "qualcomm", "model_name": "Hexagon",
               "supported_backends": ["qnn", "onnx"], "supported_precisions": ["fp16", "int8", "int4"],
               "features": ["quantization"], "compute_units": 4, "thermal_design_power_w": 6,
               "throttle_celsius": 70}]}', pool => :'pool');

-- Some report how they are; who reports nothing counts as idle and cool.
SELECT hwsched.update_load('cpu-1', '{"cpu_utilization": 20, "memory_utilization": 30, "temperature_celsius": 45}', pool => :'pool');
SELECT hwsched.update_load('cpu-2', '{"cpu_utilization": 85, "memory_utilization": 70, "temperature_celsius": 71}', pool => :'pool');
SELECT hwsched.update_load('gpu-1', '{"cpu_utilization": 10, "memory_utilization": 15, "temperature_celsius": 40,
  "devices": [{"device_no": 1, "utilization": 95, "temperature_celsius": 84, "power_w": 390},
              {"device_no": 2, "utilization": 5, "temperature_celsius": 41, "power_w": 60}]}', pool => :'pool');
SELECT hwsched.start_warming('gpu-2', '2 minutes', pool => :'pool');
SELECT hwsched.update_load('phone-1', '{"cpu_utilization": 30, "temperature_celsius": 48}', pool => :'pool');
SELECT hwsched.start_cooling('phone-1', pool => :'pool');
\o

\echo
\echo The fleet: CPU servers, GPU servers with several GPUs, a TPU host, a browser page and a phone with an NPU.
\echo Some have reported load and heat; gpu-2 is warming up and phone-1 is cooling down, below their full performance.
\echo
SELECT t.worker_id AS worker, t.hardware_class AS class, t.model_name AS device,
       count(*) AS count, p.compute_units AS units, round(p.memory_total_bytes / 2.0 ^ 30) AS memory_gb,
       round(100 * u.load_ratio) AS "worker load %", t.temperature_celsius AS celsius, t.phase,
       round(t.performance_level_ratio::numeric, 1) AS level
FROM hwsched.thermal_states t
JOIN hwsched.device d USING (pool, worker_id, device_no)
JOIN hwsched.device_profile p USING (pool, profile_id)
JOIN hwsched.resource_utilization u USING (pool, worker_id)
WHERE t.pool = :'pool'
GROUP BY t.worker_id, t.hardware_class, t.model_name, p.compute_units, p.memory_total_bytes, u.load_ratio,
         t.temperature_celsius, t.phase, t.performance_level_ratio
ORDER BY t.worker_id, min(d.device_no);

-- How many, what, and whether some worker of this fleet can ever run it.
CREATE TEMP TABLE kind (no int GENERATED ALWAYS AS IDENTITY, name text, copies int, possible boolean, document jsonb);
INSERT INTO kind (copies, name, possible, document) VALUES
  (4, 'label-image', true, '{"test_type": "vision", "model_id": "resnet50", "minimum_memory": 2, "expected_duration": 60, "priority": 2}'),
  (3, 'detect-video', true, '{"test_type": "video", "model_id": "yolov8", "minimum_memory": 6, "expected_duration": 600}'),
  (4, 'label-text', true, '{"test_type": "nlp", "model_id": "bert-base", "minimum_memory": 1, "expected_duration": 40, "priority": 2}'),
  (3, 'translate', true, '{"test_type": "language", "model_id": "t5-large", "minimum_memory": 4, "expected_duration": 400}'),
  (3, 'transcribe', true, '{"test_type": "speech", "model_id": "whisper-small", "minimum_memory": 3, "expected_duration": 90}'),
  (3, 'embed-docs', true, '{"test_type": "embedding", "model_id": "bge-base", "minimum_memory": 1, "expected_duration": 8, "priority": 4}'),
  (3, 'infer-small', true, '{"test_type": "inference", "model_id": "mobilenet", "minimum_memory": 1, "expected_duration": 30}'),
  (3, 'chat', true, '{"test_type": "chat", "model_id": "llama-8b", "minimum_memory": 16, "expected_duration": 120, "priority": 1, "preferred_backend": "cuda"}'),
  (3, 'caption', true, '{"test_type": "multimodal", "model_id": "llava-13b", "minimum_memory": 8, "expected_duration": 240, "required_backend": "cuda"}'),
  (2, 'finetune', true, '{"test_type": "training", "model_id": "llama-8b", "minimum_memory": 24, "expected_duration": 1800, "priority": 4, "required_accelerators": {"gpu": 1}, "cpu_cores": 8, "host_memory": 64}'),
  (1, 'pretrain', true, '{"test_type": "training", "model_id": "gpt-mini", "minimum_memory": 30, "expected_duration": 1200, "priority": 5, "required_accelerators": {"gpu": 4}, "cpu_cores": 32, "host_memory": 128}'),
  (2, 'quarter-gpu', true, '{"test_type": "inference", "model_id": "sdxl", "minimum_memory": 4, "expected_duration": 90, "accelerator_share": 0.25, "required_accelerators": {"gpu": 1}}'),
  (2, 'on-a-t4', true, '{"test_type": "vision", "model_id": "resnet50", "minimum_memory": 2, "expected_duration": 60, "required_models": ["T4", "L4"]}'),
  (1, 'newest-cuda', true, '{"test_type": "inference", "model_id": "fp8-kernels", "minimum_memory": 2, "expected_duration": 60, "required_backend": "cuda", "required_software": {"cuda": "12.0"}}'),
  (1, 'whole-genome', true, '{"test_type": "batch", "expected_duration": 900, "cpu_cores": 24, "host_memory": 300, "required_backend": "cpu"}'),
  (3, 'page-webgpu', true, '{"test_type": "vision", "model_id": "mobilenet", "minimum_memory": 0.5, "expected_duration": 20, "required_backend": "webgpu"}'),
  (2, 'page-webnn', true, '{"test_type": "text", "model_id": "distilbert", "minimum_memory": 0.5, "expected_duration": 20, "required_backend": "webnn"}'),
  (3, 'app-qnn', true, '{"test_type": "audio", "model_id": "keyword-spotting", "minimum_memory": 0.2, "expected_duration": 15, "required_backend": "qnn"}'),
  (1, 'llm-70b', false, '{"test_type": "inference", "model_id": "llama-70b", "minimum_memory": 140, "expected_duration": 300, "priority": 1, "required_backend": "cuda"}'),
  (1, 'page-40-gb', false, '{"test_type": "vision", "model_id": "sam-huge", "minimum_memory": 40, "expected_duration": 60, "required_backend": "webgpu"}'),
  (1, 'on-an-fpga', false, '{"test_type": "inference", "expected_duration": 60, "required_accelerators": {"fpga": 1}}'),
  (1, 'on-an-h100', false, '{"test_type": "training", "expected_duration": 600, "required_accelerators": {"gpu": 1}, "required_models": ["H100"]}'),
  (1, 'cuda-13', false, '{"test_type": "inference", "expected_duration": 60, "required_backend": "cuda", "required_software": {"cuda": "13.0"}}'),
  (1, 'two-terabytes', false, '{"test_type": "batch", "expected_duration": 900, "host_memory": 2048}');
CREATE TEMP TABLE test AS
SELECT row_number() OVER (ORDER BY copy, kind.no) AS no, kind.name || CASE WHEN copies > 1 THEN '-' || copy ELSE '' END AS name, possible, document
FROM kind, generate_series(1, copies) copy;
CREATE TEMP TABLE timing (no int GENERATED ALWAYS AS IDENTITY, step text, things bigint, seconds float8);

SELECT clock_timestamp() AS started \gset
SELECT hwsched.submit_many(jsonb_agg(document || jsonb_build_object('test_id', name) ORDER BY no), pool => :'pool') AS submitted FROM test \gset
INSERT INTO timing (step, things, seconds)
VALUES ('submit the tests', :submitted, extract(epoch FROM clock_timestamp() - :'started'));
\echo :submitted tests of the day are submitted. Where could one of them, detect-video-1, run? A long vision test:
\echo efficiency is what the hardware is worth for it; load, thermal phase and temperature turn it into adjusted.
\echo
SELECT rank, worker_id AS worker, device_no AS no, model_name AS device, round(raw_efficiency_ratio::numeric, 2) AS efficiency,
       round(effective_load_ratio::numeric, 2) AS load, round(performance_level_ratio::numeric, 2) AS level, round(temperature_ratio::numeric, 2) AS temperature,
       round(adjusted_efficiency_ratio::numeric, 2) AS adjusted, round(predicted_seconds) AS seconds, reason AS why_not
FROM hwsched.compatible_hardware('detect-video-1', :'pool') ORDER BY rank;

-- What each test could choose from before any of them was placed.
CREATE TEMP TABLE ranking AS
SELECT q.workload_id, h.* FROM hwsched.pending q CROSS JOIN LATERAL hwsched.compatible_hardware(q.workload_id, q.pool) h WHERE q.pool = :'pool';

SELECT clock_timestamp() AS started \gset
SELECT hwsched.assign_pending(pool => :'pool') AS placed \gset
INSERT INTO timing (step, things, seconds)
VALUES ('place the tests', :submitted, extract(epoch FROM clock_timestamp() - :'started'));
\echo assign_pending() places :placed of the :submitted in one batch, urgent ones first. Which test went where, and why?
\echo The runner-up is the best other kind of device for it, and "its adj" its adjusted efficiency, before the batch.
\echo Reasons: it suits best; only kind that can run it; backend the test prefers; among equals a CPU, so that
\echo accelerators stay free, else the least used; or what is better is full by now.
\echo
SELECT a.workload_id AS test, w.workload_type AS type, a.worker_id AS worker, c.model_name AS device,
       round(a.efficiency::numeric, 2) AS eff, round(a.adjusted_efficiency::numeric, 2) AS adj,
       r.worker_id || ' ' || r.model_name AS runner_up, round(r.adjusted_efficiency::numeric, 2) AS "its adj",
       CASE WHEN r.worker_id IS NULL THEN 'only kind'
            WHEN a.adjusted_efficiency > r.adjusted_efficiency THEN 'suits best'
            WHEN w.requirements ? 'preferred_backend' THEN 'preferred'
            WHEN a.adjusted_efficiency < r.adjusted_efficiency THEN 'better is full'
            WHEN c.hardware_class = 'cpu' AND r.hardware_class <> 'cpu' THEN 'equal, a CPU'
            ELSE 'equal, less used' END AS why
FROM hwsched.assignment a
JOIN hwsched.workload w USING (pool, workload_id)
JOIN ranking c ON c.workload_id = a.workload_id AND c.worker_id = a.worker_id AND c.device_no = a.device_nos[1]
LEFT JOIN LATERAL (SELECT * FROM ranking r
                   WHERE r.workload_id = a.workload_id AND (r.worker_id, r.model_name) IS DISTINCT FROM (a.worker_id, c.model_name)
                     AND r.reason IS NULL
                   ORDER BY r.rank LIMIT 1) r ON true
WHERE a.pool = :'pool' ORDER BY a.assignment_id;

\echo What waits, and why: some for a device to become free, some for hardware that this fleet does not have.
\echo
SELECT workload_id AS test, priority AS pri, workload_type AS type, reason
FROM hwsched.pending_workloads WHERE pool = :'pool' ORDER BY priority, queue_no;

-- What each placement holds of its worker and devices, by the tests' documents.
CREATE TEMP TABLE placement AS
SELECT t.name, t.possible, t.document, a.worker_id, a.device_nos, a.device_nos[1] AS device_no, p.profile AS device,
       coalesce((t.document ->> 'minimum_memory')::float8, 0) * 2 ^ 30 AS memory
FROM test t
LEFT JOIN hwsched.assignment a ON a.pool = :'pool' AND a.workload_id = t.name
LEFT JOIN hwsched.device d ON d.pool = a.pool AND d.worker_id = a.worker_id AND d.device_no = a.device_nos[1]
LEFT JOIN hwsched.device_profile p ON p.pool = d.pool AND p.profile_id = d.profile_id;

CREATE TEMP TABLE verdict (no int GENERATED ALWAYS AS IDENTITY, rule text, checked bigint, broken bigint);
INSERT INTO verdict (rule, checked, broken)
SELECT 'every test is either placed once or in the queue once', count(*), count(*) FILTER (WHERE found IS DISTINCT FROM 1)
FROM test t LEFT JOIN (SELECT workload_id, count(*) AS found
                       FROM (SELECT workload_id FROM hwsched.assignment WHERE pool = :'pool'
                             UNION ALL SELECT workload_id FROM hwsched.pending WHERE pool = :'pool') w
                       GROUP BY workload_id) w ON w.workload_id = t.name;
INSERT INTO verdict (rule, checked, broken)
SELECT 'what nobody can run is in the queue', count(*), count(worker_id) FROM placement WHERE NOT possible;
INSERT INTO verdict (rule, checked, broken)
SELECT 'the device has the required backend and is of a required model', count(*), count(*) FILTER (
         WHERE NOT (document ->> 'required_backend' IS NULL OR device -> 'supported_backends' ? (document ->> 'required_backend')
                    OR device ->> 'hardware_class' = document ->> 'required_backend')
            OR NOT (document -> 'required_models' IS NULL OR document -> 'required_models' ? (device ->> 'model_name')))
FROM placement WHERE worker_id IS NOT NULL;
INSERT INTO verdict (rule, checked, broken)
SELECT 'no device gives more memory than it has', count(*), count(*) FILTER (WHERE asked > has)
FROM (SELECT sum(memory) AS asked, max((device ->> 'memory_total_bytes')::float8) AS has
      FROM placement WHERE worker_id IS NOT NULL GROUP BY worker_id, device_no) d;
INSERT INTO verdict (rule, checked, broken)
SELECT 'no device runs more than 4 tests at once, a share counting as its part', count(*), count(*) FILTER (WHERE used > 1)
FROM (SELECT sum(coalesce((document ->> 'accelerator_share')::numeric, CASE WHEN document ? 'required_accelerators' THEN 1 ELSE 0.25 END)) AS used
      FROM placement p, unnest(device_nos) d (no) GROUP BY worker_id, d.no) d;
INSERT INTO verdict (rule, checked, broken)
SELECT 'no worker gives more cores or memory than it has', count(*), count(*) FILTER (WHERE p.cores > w.cpu_millicores / 1000.0 OR p.memory > w.memory_bytes)
FROM hwsched.worker w
JOIN (SELECT p.worker_id, sum((document ->> 'cpu_cores')::float8) AS cores,
             sum(coalesce((document ->> 'host_memory')::float8 * 2 ^ 30, 0) + CASE WHEN d.uses_host_memory THEN memory ELSE 0 END) AS memory
      FROM placement p JOIN hwsched.device d ON d.pool = :'pool' AND (d.worker_id, d.device_no) = (p.worker_id, p.device_no)
      GROUP BY p.worker_id) p USING (worker_id)
WHERE w.pool = :'pool';
INSERT INTO verdict (rule, checked, broken)
SELECT 'deciding again places nothing', count(*), hwsched.assign_pending(pool => :'pool') FROM placement WHERE worker_id IS NULL;

\echo Now the day runs: workers claim what they were given, complete it, and take what waits.
\echo A second stands for ten minutes. One test on the phone fails and is tried again.
\echo
CREATE TEMP TABLE day (minute float8, running bigint, waiting bigint, done bigint);
SELECT clock_timestamp() AS started \gset
DO $$
DECLARE
  began timestamptz := clock_timestamp();
  failed bigint;
BEGIN
  LOOP
    PERFORM hwsched.assign_pending(pool => 'demo_fleet');
    PERFORM count(*) FROM hwsched.worker w, hwsched.claim(w.worker_id, 100, pool => 'demo_fleet') WHERE w.pool = 'demo_fleet';
    IF failed IS NULL THEN
      SELECT min(assignment_id) INTO failed FROM hwsched.assignment WHERE pool = 'demo_fleet' AND worker_id = 'phone-1' AND state = 'running';
      PERFORM hwsched.fail(failed, 'the app was closed', pool => 'demo_fleet');
    END IF;
    INSERT INTO day
    SELECT extract(epoch FROM clock_timestamp() - began) * 10, s.running, s.pending, s.completed
    FROM hwsched.pool_summary s WHERE s.pool = 'demo_fleet';
    COMMIT;
    EXIT WHEN NOT EXISTS (SELECT FROM test t JOIN hwsched.workload w ON w.pool = 'demo_fleet' AND w.workload_id = t.name
                          WHERE t.possible AND w.state IN ('pending', 'assigned', 'running'));
    IF clock_timestamp() > began + '1 minute'::interval THEN RAISE EXCEPTION 'the day does not end'; END IF;
    PERFORM pg_sleep(0.02);
    -- Each is done when its predicted time is over, give or take a fifth.
    PERFORM hwsched.complete(a.assignment_id, '{"passed": true}', pool => 'demo_fleet')
    FROM hwsched.assignment a
    WHERE a.pool = 'demo_fleet' AND a.state = 'running' AND extract(epoch FROM clock_timestamp() - a.started_at) * 600
          >= a.predicted_seconds * (0.8 + 0.4 * abs(hashtext(a.workload_id) % 100) / 100);
    COMMIT;
  END LOOP;
END $$;
SELECT count(*) AS completed FROM hwsched.assignment WHERE pool = :'pool' AND state = 'completed' \gset
INSERT INTO timing (step, things, seconds) VALUES ('run the day', :completed, extract(epoch FROM clock_timestamp() - :'started'));
SELECT round(min(minute)::numeric, 1) AS from_minute, running, waiting, done
FROM day GROUP BY running, waiting, done ORDER BY min(minute);

\echo What had to wait for a device, or was tried twice:
\echo
SELECT a.workload_id AS test, a.attempt, a.worker_id AS worker, p.model_name AS device, cardinality(a.device_nos) AS devices, a.state,
       round((extract(epoch FROM a.assigned_at - s.submitted_at) * 10)::numeric, 1) AS waited_minutes, a.error
FROM hwsched.assignment a
JOIN hwsched.submission s USING (pool, workload_id)
JOIN hwsched.device d ON d.pool = a.pool AND d.worker_id = a.worker_id AND d.device_no = a.device_nos[1]
JOIN hwsched.device_profile p ON p.pool = d.pool AND p.profile_id = d.profile_id
WHERE a.pool = :'pool' AND (a.attempt > 1 OR a.state = 'failed' OR a.workload_id IN (SELECT name FROM placement WHERE worker_id IS NULL))
ORDER BY a.assignment_id;

INSERT INTO verdict (rule, checked, broken)
SELECT 'at the end all that somebody can run is completed, the rest waits', count(*),
       count(*) FILTER (WHERE w.state::text IS DISTINCT FROM CASE WHEN t.possible THEN 'completed' ELSE 'pending' END)
FROM test t LEFT JOIN hwsched.workload w ON w.pool = :'pool' AND w.workload_id = t.name;
INSERT INTO verdict (rule, checked, broken)
SELECT 'at the end nothing is booked on any device', count(*), count(*) FILTER (WHERE slots <> 0 OR share <> 0 OR memory_bytes <> 0)
FROM hwsched.device_usage WHERE pool = :'pool';

\echo The views for now: the head of each, and of their columns the most telling.
\echo
\echo pool_summary: every pool in one line.
\echo
SELECT workers, devices, accelerators, reserved_accelerators, pending, assigned, running, completed,
       round(efficiency_ratio::numeric, 2) AS efficiency_ratio
FROM hwsched.pool_summary WHERE pool = :'pool';
\echo worker_status: every worker, what it has and what it does.
\echo
SELECT worker_id, state, hostname, devices, cores, round(memory_bytes / 2.0 ^ 30) AS memory_gb, total_assignments, phase,
       cost_per_hour
FROM hwsched.worker_status WHERE pool = :'pool' ORDER BY worker_id;
\echo resource_utilization: the load of every worker as it last reported, and what is reserved on it.
\echo
SELECT worker_id, cpu_ratio, memory_ratio, gpu_ratio, round(load_ratio::numeric, 2) AS load_ratio, assignments,
       reserved_cores, reserved_accelerators
FROM hwsched.resource_utilization WHERE pool = :'pool' ORDER BY worker_id;
\echo thermal_states: the temperature of every device, 0 idle and 1 throttling.
\echo
SELECT worker_id, device_no, model_name, temperature_celsius, round(temperature_ratio::numeric, 2) AS temperature_ratio,
       phase, round(performance_level_ratio::numeric, 2) AS performance_level
FROM hwsched.thermal_states WHERE pool = :'pool' ORDER BY temperature_ratio DESC, worker_id, device_no LIMIT 6;
\echo hardware_efficiency: how well the hardware suited what was placed on it.
\echo
SELECT worker_id, model_name, workload_type, assignments, round(efficiency_ratio::numeric, 2) AS efficiency_ratio,
       round(adjusted_efficiency_ratio::numeric, 2) AS adjusted_efficiency_ratio
FROM hwsched.hardware_efficiency WHERE pool = :'pool' ORDER BY adjusted_efficiency_ratio DESC, worker_id, workload_type LIMIT 6;
\echo workload_distribution: which hardware the work went to.
\echo
SELECT workload_type, worker_id, hardware_class, state, assignments
FROM hwsched.workload_distribution WHERE pool = :'pool' ORDER BY assignments DESC, workload_type, worker_id LIMIT 6;
\echo execution_times: predicted and actual duration; times 600, as a second stood for ten minutes.
\echo
SELECT workload_id, attempt, workload_type, worker_id, model_id, round(predicted_seconds) AS predicted_seconds,
       round((actual_seconds * 600)::numeric) AS "actual_seconds x 600"
FROM hwsched.execution_times WHERE pool = :'pool' ORDER BY predicted_seconds DESC, workload_id LIMIT 6;
\echo pending_workloads: the queue, in its order, and why each one waits.
\echo
SELECT workload_id, priority, workload_type, reason, expected_seconds
FROM hwsched.pending_workloads WHERE pool = :'pool' ORDER BY priority, queue_no LIMIT 6;

\echo Are the rules kept? Checked against the documents of tests and workers:
\echo
SELECT rule, checked, broken, CASE WHEN broken = 0 THEN 'ok' ELSE 'BROKEN' END AS verdict FROM verdict ORDER BY no;
DO $$ BEGIN
  IF (SELECT count(*) <> 9 OR bool_or(broken <> 0) FROM verdict) THEN RAISE EXCEPTION 'a rule is broken'; END IF;
END $$;

\echo Seconds, by the clock of the server:
\echo
SELECT step, things AS tests, round(seconds::numeric, 3) AS seconds FROM timing ORDER BY no;
