-- The views for now: what each says of one small pool whose story is known.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

SELECT hwsched.create_pool('views', '{"retry_backoff": "0 s"}'), hwsched.create_pool('views_empty');
SELECT hwsched.register_worker('cpu', '{"hostname": "c1", "cpu_cores": 8, "available_memory": 32, "cost_per_hour": 0.5}', 'views'),
	hwsched.register_worker('gpu', '{"hostname": "g1", "cpu_cores": 4, "available_memory": 64, "devices": [{"hardware_class": "gpu", "vendor": "nvidia", "model_name": "A100", "supported_backends": ["cuda"],
		"compute_units": 108, "memory_total_bytes": 42949672960, "idle_celsius": 30, "throttle_celsius": 80, "count": 2}]}', 'views'),
	hwsched.register_worker('old', '{"cpu_cores": 1}', 'views');
SELECT hwsched.drain_worker('old', 'views');
SELECT hwsched.update_load('gpu', '{"cpu_utilization": 20, "memory_utilization": 40, "gpu_utilization": 60, "io_utilization": 0, "network_utilization": 80, "temperature_celsius": 55,
	"devices": [{"device_no": 2, "utilization": 10, "temperature_celsius": 70}]}', 'views');
-- vision 1 completed in 20 s, vision 2 runs, train waits on the GPUs, text 1 failed once, text 2 was cancelled, dead died, huge fits nowhere
SELECT hwsched.submit_many('[{"test_id": "vision 1", "test_type": "vision", "model_id": "vit", "expected_duration": 30, "required_backend": "cuda", "minimum_memory": 10, "required_accelerators": {"gpu": 1}},
	{"test_id": "vision 2", "test_type": "vision", "expected_duration": 30, "accelerator_share": 0.25, "minimum_memory": 8, "cpu_cores": 1, "host_memory": 16},
	{"test_id": "text 1", "test_type": "text", "required_backend": "cpu", "cpu_cores": 2, "minimum_memory": 4, "host_memory": 4},
	{"test_id": "text 2", "test_type": "text", "required_backend": "cpu"}, {"test_id": "dead", "test_type": "text", "required_backend": "cpu", "retries": 0},
	{"test_id": "huge", "test_type": "training", "minimum_memory": 1000, "expected_duration": 500, "deadline": "2030-01-01 00:00:00+00", "priority": 1}]', 'views');
SELECT hwsched.assign_pending(NULL, 'views') AS placed;
SELECT count(hwsched.start(assignment_id, 'views')) AS started FROM hwsched.assignment WHERE pool = 'views' AND workload_id IN ('vision 1', 'vision 2', 'text 1');
UPDATE hwsched.assignment SET assigned_at = started_at - interval '25 s', started_at = started_at - interval '20 s' WHERE pool = 'views' AND workload_id = 'vision 1';
SELECT count(hwsched.complete(assignment_id, NULL, 'views')) AS completed FROM hwsched.assignment WHERE pool = 'views' AND workload_id = 'vision 1';
UPDATE hwsched.assignment SET started_at = finished_at - interval '20 s', assigned_at = finished_at - interval '25 s' WHERE pool = 'views' AND workload_id = 'vision 1';
SELECT count(hwsched.fail(assignment_id, 'no luck', 'views')) AS failed FROM hwsched.assignment WHERE pool = 'views' AND workload_id IN ('text 1', 'dead');
SELECT count(*) AS again FROM hwsched.schedule('text 1', 'views');
SELECT hwsched.cancel('text 2', 'views');
SELECT hwsched.submit('{"test_id": "train", "test_type": "training", "required_accelerators": {"gpu": 2}}', 'views');

-- Every workload, and where it stands
SELECT workload_id, run, state, priority, workload_type, model_id, retries, deadline AT TIME ZONE 'UTC' AS deadline, closed_at IS NOT NULL AS closed FROM hwsched.workload WHERE pool = 'views' ORDER BY 1;

-- How well hardware suited what was placed on it
SELECT worker_id, hardware_class, model_name, workload_type, assignments, efficiency_ratio, min_efficiency_ratio, max_efficiency_ratio, round(adjusted_efficiency_ratio::numeric, 4) AS adjusted
FROM hwsched.hardware_efficiency WHERE pool = 'views' ORDER BY worker_id, hardware_class, workload_type;

-- Which types of work went where
SELECT workload_type, worker_id, hardware_class, state, assignments FROM hwsched.workload_distribution WHERE pool = 'views' ORDER BY workload_type, worker_id, hardware_class, state;

-- Temperatures and phases: a device's own report before its worker's; 30..80 degrees
SELECT hwsched.start_warming('old', '1 hour', 'views'), hwsched.start_cooling('cpu', '0', 'views');
SELECT worker_id, device_no, hardware_class, model_name, round(temperature_ratio::numeric, 6) AS temperature, temperature_celsius AS celsius, phase, round(performance_level_ratio::numeric, 2) AS level,
	phase_until - phase_since AS lasts, reported_at IS NOT NULL AS reported
FROM hwsched.thermal_states WHERE pool = 'views' ORDER BY worker_id, device_no;
-- the level is what the decision reckons with
BEGIN;
SELECT count(*) AS compared, count(*) FILTER (WHERE (c.temperature_ratio, c.performance_level_ratio) IS DISTINCT FROM (t.temperature_ratio, t.performance_level_ratio)) AS differing
FROM hwsched.compatible_hardware('text 1', 'views') AS c JOIN hwsched.thermal_states AS t USING (worker_id, device_no) WHERE t.pool = 'views';
COMMIT;

-- What is reported, and what is reserved; what was not reported is NULL
SELECT worker_id, cpu_ratio, memory_ratio, gpu_ratio, io_ratio, network_ratio, round(load_ratio::numeric, 6) AS load_ratio, assignments, reserved_cores, reserved_cores_ratio, reserved_memory_bytes, reserved_memory_ratio,
	accelerators, reserved_accelerators, reported_at IS NOT NULL AS reported
FROM hwsched.resource_utilization WHERE pool = 'views' ORDER BY worker_id;

-- Predicted and actual time
SELECT workload_id, run, attempt, workload_type, worker_id, model_id, predicted_seconds, round(actual_seconds::numeric) AS actual, round(actual_to_predicted_ratio::numeric, 1) AS ratio, round(start_wait_seconds::numeric) AS waited,
	started_at < finished_at AS in_order
FROM hwsched.execution_times WHERE pool = 'views';

-- The queue with reasons, in its order
SELECT workload_id, priority, workload_type, reason, attempt, wait_seconds BETWEEN 0 AND 3600 AS waiting, expected_seconds, deadline AT TIME ZONE 'UTC' AS deadline FROM hwsched.pending_workloads WHERE pool = 'views';
-- agrees with the reasons summed up
SELECT (SELECT sum(workloads) FROM hwsched.explain_pending('views')) = (SELECT count(*) FROM hwsched.pending_workloads WHERE pool = 'views') AS agree;

-- Every worker
SELECT worker_id, state, hostname, devices, cores, memory_bytes, assigned, running, total_assignments, phase, silent_seconds BETWEEN 0 AND 3600 AS seen, cost_per_hour
FROM hwsched.worker_status WHERE pool = 'views' ORDER BY worker_id;

-- Every pool in one line, an empty one too
SELECT pool, workers, active_workers, devices, accelerators, reserved_accelerators, pending, assigned, running, completed, cancelled, dead, efficiency_ratio
FROM hwsched.pool_summary WHERE pool IN ('views', 'views_empty') ORDER BY pool;

-- Ratios are ratios, whatever the pool; the pool comes first in every view
SELECT count(*) AS beyond FROM hwsched.resource_utilization WHERE pool !~ '^fleet' AND (load_ratio NOT BETWEEN 0 AND 1 OR reserved_cores_ratio NOT BETWEEN 0 AND 1 OR reserved_memory_ratio NOT BETWEEN 0 AND 1);
SELECT count(*) AS beyond FROM hwsched.thermal_states WHERE temperature_ratio NOT BETWEEN 0 AND 1 OR performance_level_ratio NOT BETWEEN 0.6 AND 1;
SELECT count(*) AS beyond FROM hwsched.hardware_efficiency WHERE efficiency_ratio NOT BETWEEN 0 AND 1;
SELECT c.relname AS view, a.attname AS first_column FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = 1
WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind = 'v' ORDER BY c.relname COLLATE "C";
-- A worker that left keeps its past
SELECT hwsched.unregister_worker('gpu', 'views');
SELECT worker_id, hardware_class, workload_type, assignments FROM hwsched.hardware_efficiency WHERE pool = 'views' AND worker_id = 'gpu';
SELECT workload_id, worker_id FROM hwsched.execution_times WHERE pool = 'views';
