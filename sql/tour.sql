CREATE EXTENSION hwsched;

-- Four workers say what they are: a plain server, one with two GPUs, a phone, a browser.
SELECT count(hwsched.register_worker(name, hardware::jsonb)) AS registered FROM (VALUES
    ('server-1', '{"cpu_cores": 32, "available_memory": 128, "supported_backends": ["cpu"]}'),
    ('gpu-1',    '{"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": 2}}'),
    ('phone-1',  '{"cpu_cores": 8, "available_memory": 8, "supported_backends": ["cpu", "qnn"]}'),
    ('tab-1',    '{"supported_backends": ["webgpu", "webnn"]}')) AS worker(name, hardware);

-- What they have: hwsched infers the devices from their words.
SELECT worker_id, device_no, hardware_class, vendor, model_name
FROM hwsched.device JOIN hwsched.device_profile USING (pool, profile_id) ORDER BY worker_id, device_no;

-- Six tests, each with its own wishes.
SELECT hwsched.submit_many('[
    {"test_id": "detect",  "test_type": "vision_detection", "minimum_memory": 4, "expected_duration": 180, "priority": 1},
    {"test_id": "bert",    "test_type": "nlp", "minimum_memory": 16, "expected_duration": 60},
    {"test_id": "unit",    "test_type": "unit", "cpu_cores": 2},
    {"test_id": "shader",  "test_type": "image", "required_backend": "webgpu"},
    {"test_id": "quant",   "test_type": "inference", "required_backend": "npu"},
    {"test_id": "huge",    "test_type": "training", "required_accelerators": {"gpu": 8}}]');

-- Where could "detect" run, and why there? The raw efficiency ranks, so a GPU beats a CPU for vision.
SELECT rank, worker_id, device_no, model_name, raw_efficiency, round(load::numeric, 2) AS load, temperature, round(score::numeric, 3) AS score
FROM hwsched.compatible_hardware('detect');

-- gpu-1 gets hot and busy; the same question has another answer.
SELECT hwsched.update_load('gpu-1', '{"cpu_utilization": 70, "memory_utilization": 80, "gpu_utilization": 95, "temperature": 1}');
SELECT rank, worker_id, device_no, model_name, raw_efficiency, round(load::numeric, 2) AS load, temperature, round(score::numeric, 3) AS score
FROM hwsched.compatible_hardware('detect') WHERE rank <= 3;

-- Decide: one transaction, the whole queue.
SELECT hwsched.assign_pending();
SELECT workload_id, worker_id, device_nos, efficiency, round(adjusted_efficiency::numeric, 3) AS adjusted, round(predicted_seconds) AS predicted_seconds
FROM hwsched.assignment ORDER BY assignment_id;

-- What waits says why.
SELECT workload_id, reason FROM hwsched.pending_workloads;

-- The phone takes its work, runs it, and reports.
SELECT assignment_id, workload_id, device_nos, state FROM hwsched.claim('phone-1', 5);
SELECT hwsched.complete(assignment_id, '{"passed": true}')
FROM hwsched.assignment WHERE worker_id = 'phone-1' AND state = 'running';
SELECT workload_id, state FROM hwsched.workload ORDER BY queue_no;

-- One line a pool, for the wall.
SELECT workers, devices, pending, assigned, running, completed FROM hwsched.pool_summary WHERE pool = 'default';
