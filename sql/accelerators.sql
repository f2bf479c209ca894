-- Accelerators: which of them belong together, and which are spared by work that asks for none.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', state, message, nullif(detail, ''), nullif(hint, ''));
END $$;
-- Makes a pool anew with these workers and work, and assigns it; work without an id is numbered
CREATE FUNCTION pg_temp.pool(workers jsonb, work jsonb DEFAULT '[]', settings jsonb DEFAULT '{}', name text DEFAULT 'sched', assign boolean DEFAULT true) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	worker record;
BEGIN
	IF EXISTS (SELECT FROM hwsched.pool AS p WHERE p.pool = name) THEN
		PERFORM hwsched.drop_pool(name);
	END IF;
	PERFORM hwsched.create_pool(name, '{"retry_backoff": "0 s"}' || settings);
	FOR worker IN SELECT key, value FROM jsonb_each(workers) ORDER BY key COLLATE "C" LOOP
		PERFORM hwsched.register_worker(worker.key, worker.value, name);
	END LOOP;
	PERFORM hwsched.submit_many((SELECT coalesce(jsonb_agg(jsonb_build_object('test_id', 't' || lpad(no::text, 3, '0')) || w ORDER BY no), '[]')
		FROM jsonb_array_elements(work) WITH ORDINALITY AS e (w, no)), name);
	RETURN CASE WHEN assign THEN hwsched.assign_pending(NULL, name) END;
END $$;
-- Where everything went, in one line: t001=worker:devices, or why it waits
CREATE FUNCTION pg_temp.went(name text DEFAULT 'sched') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(w.workload_id || '=' || coalesce(a.worker_id || ':' || array_to_string(a.device_nos, '+'), '(' || p.reason || ')'), ' ' ORDER BY w.workload_id COLLATE "C")
	FROM hwsched.workload AS w
	LEFT JOIN hwsched.assignment AS a ON a.pool = w.pool AND a.workload_id = w.workload_id AND a.run = w.run AND a.state IN ('assigned', 'running')
	LEFT JOIN hwsched.pending_workloads AS p ON p.pool = w.pool AND p.workload_id = w.workload_id
	WHERE w.pool = name $$;
-- The same work so many times
CREATE FUNCTION pg_temp.times(n int, work jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(work) FROM generate_series(1, n) $$;
-- A described device
CREATE FUNCTION pg_temp.device(class text, gb float8 DEFAULT 16, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('hardware_class', class, 'compute_units', 80, 'memory_total_bytes', (gb * 1073741824)::bigint) || more $$;

--
-- Several for one workload are of one device profile
--
SELECT pg_temp.pool('{"n": {"cpu_cores": 64, "devices": [{"hardware_class": "gpu", "model_name": "T4", "memory_total_bytes": 17179869184}, {"hardware_class": "gpu", "model_name": "A100", "memory_total_bytes": 85899345920, "count": 2}, {"hardware_class": "gpu", "model_name": "slice", "memory_total_bytes": 10737418240}]}}',
	'[{"required_accelerators": {"gpu": 2}}, {"required_accelerators": {"gpu": 2}}, {"required_accelerators": {"gpu": 3}}, {"required_accelerators": {"gpu": 5}}]'), pg_temp.went();
-- unlike ones only if the work says so, in either place
SELECT pg_temp.pool('{"n": {"devices": [{"hardware_class": "gpu", "model_name": "T4", "memory_total_bytes": 17179869184}, {"hardware_class": "gpu", "model_name": "A100", "memory_total_bytes": 17179869184}, {"hardware_class": "gpu", "model_name": "V100", "memory_total_bytes": 17179869184, "count": 2}]}}',
	'[{"required_accelerators": {"gpu": 2}}, {"required_accelerators": {"gpu": 2}, "mixed_accelerators": true}]'), pg_temp.went();
SELECT pg_temp.pool('{"n": {"devices": [{"hardware_class": "gpu", "model_name": "T4", "memory_total_bytes": 17179869184}, {"hardware_class": "gpu", "model_name": "A100", "memory_total_bytes": 17179869184}]}}',
	'[{"required_accelerators": {"gpu": 2}}, {"required_accelerators": {"gpu": 2}, "custom_properties": {"mixed_accelerators": true}}]'), pg_temp.went();
SELECT pg_temp.error_of($$SELECT hwsched.submit('{"mixed_accelerators": true, "custom_properties": {"mixed_accelerators": false}}', 'sched')$$);
SELECT pg_temp.error_of($$SELECT hwsched.submit('{"mixed_accelerators": "yes"}', 'sched')$$);
-- what takes one is of the same kind, whatever it says
SELECT hwsched.submit('{"test_id": "one", "required_accelerators": {"gpu": 1}}', 'sched'), hwsched.submit('{"test_id": "other", "required_accelerators": {"gpu": 1}, "mixed_accelerators": true}', 'sched');
SELECT count(DISTINCT profile_id) AS kinds FROM hwsched.workload WHERE pool = 'sched' AND workload_id IN ('one', 'other');
-- the pair that is worth more, or the one that is free
SELECT pg_temp.pool(jsonb_build_object('n', jsonb_build_object('devices', jsonb_build_array(pg_temp.device('gpu', 16, '{"model_name": "plain", "count": 2}'), pg_temp.device('gpu', 16, '{"model_name": "special", "vendor": "nvidia", "architecture": "gpu_cuda", "supported_backends": ["cuda"], "features": ["tensor_cores"], "supported_precisions": ["fp16"], "count": 2}')))),
	'[{"test_type": "vision", "preferred_backend": "cuda", "required_accelerators": {"gpu": 2}}, {"test_type": "vision", "preferred_backend": "cuda", "required_accelerators": {"gpu": 2}}]'), pg_temp.went();

--
-- Types that overlap: whoever can have them all, gets them all
--
SELECT pg_temp.pool('{"w": {"cpu_cores": 0, "devices": [{"hardware_class": "gpu", "supported_backends": ["cuda"], "memory_total_bytes": 17179869184, "compute_units": 50}, {"hardware_class": "gpu", "supported_backends": ["cuda", "onnx"], "memory_total_bytes": 17179869184, "compute_units": 100}, {"hardware_class": "gpu", "supported_backends": ["onnx"], "memory_total_bytes": 17179869184, "compute_units": 100}]}}',
	'[{"required_accelerators": {"cuda": 1, "onnx": 2}, "expected_duration": 200}]'), pg_temp.went();
-- where one is busy there is no way, now; where one is missing, never
SELECT pg_temp.pool('{"w": {"cpu_cores": 0, "devices": [{"hardware_class": "gpu", "supported_backends": ["cuda"], "memory_total_bytes": 17179869184}, {"hardware_class": "gpu", "supported_backends": ["cuda", "onnx"], "memory_total_bytes": 17179869184}, {"hardware_class": "gpu", "supported_backends": ["onnx"], "memory_total_bytes": 17179869184}]}}',
	'[{"required_backend": "onnx", "accelerator_share": 0.1}, {"required_accelerators": {"cuda": 1, "onnx": 2}}, {"required_accelerators": {"cuda": 2, "onnx": 2}}]'), pg_temp.went();
-- some draw on their worker's memory: 8 GB are enough for one of the two that do, not for both
SELECT pg_temp.pool('{"w": {"cpu_cores": 0, "available_memory": 8, "devices": [{"hardware_class": "npu", "supported_backends": ["qnn", "onnx"]}, {"hardware_class": "npu", "supported_backends": ["qnn"]}, {"hardware_class": "gpu", "supported_backends": ["onnx"], "memory_total_bytes": 17179869184}]}}',
	'[{"required_accelerators": {"onnx": 1, "qnn": 2}, "minimum_memory": 5}, {"required_accelerators": {"onnx": 1, "qnn": 1}, "minimum_memory": 5}, {"required_accelerators": {"qnn": 1}, "minimum_memory": 5}]'), pg_temp.went();

--
-- Work that asks for no accelerator: where scores tie, it goes where there are none
--
SELECT pg_temp.pool('{"a-gpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": 4}}, "b-cpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu"]}}',
	pg_temp.times(8, '{"test_type": "unit", "cpu_cores": 2}'), '{"max_concurrent": 100}'), pg_temp.went();
SELECT hwsched.submit_many('[{"test_id": "g1", "test_type": "training", "cpu_cores": 4, "required_accelerators": {"gpu": 1}}, {"test_id": "g2", "test_type": "training", "cpu_cores": 4, "required_accelerators": {"gpu": 1}}, {"test_id": "g3", "test_type": "training", "cpu_cores": 4, "required_accelerators": {"gpu": 1}}, {"test_id": "g4", "test_type": "training", "cpu_cores": 4, "required_accelerators": {"gpu": 1}}]', 'sched'), hwsched.assign_pending(NULL, 'sched');
-- where an accelerator scores higher, it shares one that is in use, and opens the next when that is full
SELECT pg_temp.pool('{"b-cpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu"]}, "a-gpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": 4}}}',
	pg_temp.times(4, '{"test_type": "vision"}'), '{"max_concurrent": 3}'), pg_temp.went();
SELECT hwsched.submit('{"test_id": "train", "test_type": "training", "required_accelerators": {"gpu": 2}}', 'sched'), hwsched.assign_pending(NULL, 'sched');
-- what the decision takes is shown first
SELECT hwsched.submit('{"test_id": "next", "test_type": "vision"}', 'sched');
SELECT worker_id, device_no, hardware_class, rank, reason FROM hwsched.compatible_hardware('next', 'sched') WHERE rank <= 2 ORDER BY rank;
SELECT worker_id, device_nos FROM hwsched.schedule('next', 'sched');
-- one by one the same, and as planned
SELECT pg_temp.pool('{"b-cpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu"]}, "a-gpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": 4}}}',
	pg_temp.times(4, '{"test_type": "vision"}'), '{"max_concurrent": 3}', 'sched', false);
SELECT string_agg(workload_id || '=' || worker_id || ':' || device_nos::text, ' ' ORDER BY workload_id) AS planned FROM hwsched.plan_pending(NULL, 'sched');
SELECT w.workload_id, s.worker_id, s.device_nos FROM hwsched.workload AS w CROSS JOIN LATERAL hwsched.schedule(w.workload_id, 'sched') AS s WHERE w.pool = 'sched' ORDER BY 1;
-- strictly: no accelerator while a CPU has room; not at all: the score, and then the least used
SELECT pg_temp.pool('{"b-cpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu"]}, "a-gpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": 4}}}',
	pg_temp.times(8, '{"test_type": "vision"}'), '{"max_concurrent": 3, "spare_accelerators": "strict"}'), pg_temp.went();
SELECT pg_temp.pool('{"b-cpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu"]}, "a-gpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": 4}}}',
	pg_temp.times(4, '{"test_type": "vision"}'), '{"max_concurrent": 3, "spare_accelerators": false}'), pg_temp.went();
SELECT pg_temp.error_of($$SELECT hwsched.alter_pool('sched', '{"spare_accelerators": "sometimes"}')$$);
SELECT pg_temp.error_of($$SELECT hwsched.alter_pool('sched', '{"spare_accelerators": 1}')$$);
-- the optimal solver, and policies, spare them as well
SELECT pg_temp.pool('{"b-cpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu"]}, "a-gpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": 4}}}',
	pg_temp.times(4, '{"test_type": "vision"}') || pg_temp.times(2, '{"test_type": "unit"}'), '{"max_concurrent": 3, "solver": "optimal"}'), pg_temp.went();
SELECT pg_temp.pool('{"b-cpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu"]}, "a-gpu": {"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": 4}}}',
	pg_temp.times(4, '{"test_type": "vision"}'), '{"max_concurrent": 3, "policy": {"hardware_aware": 0.7, "priority": 0.2, "round_robin": 0.1}}'), pg_temp.went();
-- of a batch, what asks for whole ones in the same priority is served first, and claimed in the queue's order
SELECT pg_temp.pool('{"only": {"cpu_cores": 0, "available_memory": 64, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}}',
	'[{"test_type": "vision"}, {"required_accelerators": {"gpu": 1}}, {"required_accelerators": {"gpu": 1}}, {"required_accelerators": {"gpu": 1}, "priority": 4}]'), pg_temp.went();
SELECT pg_temp.pool('{"only": {"cpu_cores": 0, "available_memory": 64, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}}',
	'[{"test_type": "vision"}, {"required_accelerators": {"gpu": 1}}]'), pg_temp.went();
SELECT string_agg(workload_id, ' ') AS claimed FROM hwsched.claim('only', 2, false, 'sched');

-- a worker that asks opens no accelerator while a CPU elsewhere has room; nor is work moved to one
SELECT pg_temp.pool('{"cpu": {"cpu_cores": 4}, "gpu": {"cpu_cores": 0, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 1}}}', '[{}, {}]', '{"max_concurrent": 2}', 'sched', false);
SELECT count(*) AS claimed FROM hwsched.claim('gpu', 1, true, 'sched');
SELECT hwsched.assign_pending(NULL, 'sched');
SELECT pg_temp.went();
SELECT count(*) AS stolen FROM hwsched.claim('gpu', 1, true, 'sched');
SELECT hwsched.rebalance(2, 'sched') AS moved;
SELECT hwsched.submit('{}', 'sched') IS NOT NULL AS third;
SELECT worker_id, device_nos FROM hwsched.claim('gpu', 1, true, 'sched');

--
-- Preemption: what the same batch would place gives way at once
--
SELECT pg_temp.pool('{"w": {"cpu_cores": 64, "available_memory": 256, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 4}}}',
	pg_temp.times(4, '{"test_type": "training", "priority": 5, "required_accelerators": {"gpu": 1}}'), '{"preemption": true}'), (SELECT count(*) FROM hwsched.claim('w', 4, false, 'sched')) AS running;
SELECT hwsched.complete(assignment_id, NULL, 'sched') FROM hwsched.assignment WHERE pool = 'sched' AND workload_id = 't001';
SELECT hwsched.submit_many('[{"test_id": "new", "priority": 5, "required_accelerators": {"gpu": 1}}, {"test_id": "big", "priority": 1, "required_accelerators": {"gpu": 4}}]', 'sched');
SELECT workload_id FROM hwsched.plan_pending(NULL, 'sched');
SELECT hwsched.assign_pending(NULL, 'sched');
SELECT (SELECT string_agg(workload_id, ' ' ORDER BY workload_id) FROM hwsched.assignment WHERE pool = 'sched' AND finished_at IS NULL) AS live;
-- by the optimal solver, too
SELECT pg_temp.pool('{"w": {"cpu_cores": 64, "available_memory": 256, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 4}}}',
	pg_temp.times(3, '{"test_type": "training", "priority": 5, "required_accelerators": {"gpu": 1}}'), '{"preemption": true, "solver": "optimal"}');
SELECT hwsched.submit_many('[{"test_id": "new", "priority": 5, "required_accelerators": {"gpu": 1}}, {"test_id": "big", "priority": 1, "required_accelerators": {"gpu": 4}}]', 'sched');
SELECT hwsched.assign_pending(NULL, 'sched');
SELECT (SELECT string_agg(workload_id, ' ' ORDER BY workload_id) FROM hwsched.assignment WHERE pool = 'sched' AND finished_at IS NULL) AS live;

--
-- A gang that waits keeps its concurrency key from what stands behind it
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 4, "software_versions": {"big": "1"}}, "b": {"cpu_cores": 4, "software_versions": {"big": "1"}}, "c": {"cpu_cores": 4, "software_versions": {"small": "1"}}}',
	'[{"required_software": {"big": "1"}}]', '{"max_concurrent": 1}'), pg_temp.went();
SELECT hwsched.submit_many('[{"test_id": "gang", "priority": 1, "required_software": {"big": "1"}, "concurrency_key": "k", "custom_properties": {"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2}}, {"test_id": "small", "priority": 5, "required_software": {"small": "1"}, "concurrency_key": "k"}]', 'sched');
SELECT hwsched.assign_pending(NULL, 'sched');
SELECT (SELECT count(*) FROM hwsched.reservation WHERE pool = 'sched') AS reserved;
-- nor does a worker that asks get it, nor schedule()
SELECT count(*) AS claimed FROM hwsched.claim('c', 1, false, 'sched');
SELECT count(*) AS scheduled FROM hwsched.schedule('small', 'sched');
SELECT hwsched.complete(c.assignment_id, NULL, 'sched') FROM hwsched.claim('a', 1, false, 'sched') AS c;
SELECT hwsched.complete(c.assignment_id, NULL, 'sched') FROM hwsched.claim('b', 1, false, 'sched') AS c;
SELECT hwsched.assign_pending(NULL, 'sched');
SELECT a.workload_id, a.shard_no, a.worker_id FROM hwsched.assignment AS a WHERE pool = 'sched' AND finished_at IS NULL ORDER BY 1, 2;
--
-- Each shard has the score of its own place beside all that the gang could have
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 4}, "b": {"cpu_cores": 4}, "c": {"cpu_cores": 4}}', '[]');
SELECT hwsched.update_load('a', '{"cpu_utilization": 0}', 'sched'), hwsched.update_load('b', '{"cpu_utilization": 60}', 'sched'), hwsched.update_load('c', '{"cpu_utilization": 90}', 'sched');
SELECT hwsched.submit('{"test_id": "gang", "custom_properties": {"allocation_strategy": "replicated", "min_shards": 3, "max_shards": 3}}', 'sched'), hwsched.assign_pending(NULL, 'sched');
SELECT a.shard_no, a.worker_id, a.score = c.score AS as_ranked, a.score < lag(a.score) OVER (ORDER BY a.shard_no) AS less
FROM hwsched.assignment AS a JOIN hwsched.compatible_hardware('gang', 'sched') AS c USING (worker_id) WHERE a.pool = 'sched' ORDER BY 1;

--
-- Versions mean at least; anything else is refused
--
SELECT pg_temp.pool('{"new": {"cpu_cores": 4, "software_versions": {"python": "3.11.7"}}}', '[{"required_software": {"python": "3.11"}}, {"required_software": {"python": ">= 3.11"}}, {"required_software": {"python": ">=3.12"}}]'), pg_temp.went();
SELECT v, pg_temp.error_of(format($$SELECT hwsched.submit('{"required_software": {"python": %s}}', 'sched')$$, to_jsonb(v)::text))
FROM unnest(ARRAY['<3.12', '==3.11', '~=3.11', '^3.11', '!=3.11', '>3.11', '3.*', '3.x', '>=3.9,<4', '3.9 - 3.12']) AS v;
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{}, {"required_software": {"python": "<3"}}]', 'sched')$$);
-- models, whatever their case
SELECT pg_temp.pool('{"a": {"devices": [{"hardware_class": "gpu", "model_name": "A100"}]}}', '[{"required_models": ["a100"]}, {"required_models": ["A10"]}]'), pg_temp.went();
--
-- Two faults: what one worker lacks another one has
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 4, "supported_backends": ["cuda"], "software_versions": {"python": "3.8"}}, "b": {"cpu_cores": 4, "software_versions": {"python": "3.12"}}}',
	'[{"required_accelerators": {"gpu": 1}, "required_software": {"python": "3.11"}}, {"required_software": {"python": "3.13"}}, {"required_accelerators": {"gpu": 1}, "required_software": {"python": "3.13"}}]'), pg_temp.went();
SELECT hwsched.drop_pool('sched');
