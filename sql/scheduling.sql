-- Scheduling: which device gets what, and that capacity is never exceeded.
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
-- Everything that a decision may change, as one text
CREATE FUNCTION pg_temp.state_of(name text) RETURNS text LANGUAGE sql AS $$
	SELECT md5(concat_ws('|', (SELECT string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C") FROM hwsched.assignment AS t WHERE pool = name),
		(SELECT string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C") FROM hwsched.pending AS t WHERE pool = name),
		(SELECT string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C") FROM hwsched.submission AS t WHERE pool = name),
		(SELECT string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C") FROM hwsched.worker_usage AS t WHERE pool = name),
		(SELECT string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C") FROM hwsched.device_usage AS t WHERE pool = name),
		(SELECT string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C") FROM hwsched.worker AS t WHERE pool = name),
		(SELECT string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C") FROM hwsched.preference AS t WHERE pool = name))) $$;

--
-- The guide's five steps: profile, compatible hardware, capacity, adjustment, the best
--
SELECT pg_temp.pool('{"box": {"cpu_cores": 8, "available_memory": 16, "supported_backends": ["cuda"]}, "phone": {"available_memory": 4, "supported_backends": ["npu"]}, "tiny": {"available_memory": 1, "cpu_cores": 2}}',
	'[{"test_type": "vision", "minimum_memory": 2, "expected_duration": 200}]', '{}', 'sched', false);
SELECT hwsched.update_load('box', '{"cpu_utilization": 50, "gpu_utilization": 50, "temperature": 0.5}', 'sched');
-- compute 0.8: the GPU's 80 units give 0.9 x 1.2, less 0.3 of a load of 0.25, less 0.3 of 0.5; the CPU has 8 units, the NPU 4; tiny has no 2 GB
SELECT worker_id, device_no, rank, hardware_class, raw_efficiency_ratio, efficiency_ratio, load_ratio, effective_load_ratio, performance_level_ratio, temperature_ratio, preference, adjusted_efficiency_ratio, round(score::numeric, 6) AS score, predicted_seconds, reason
FROM hwsched.compatible_hardware('t001', 'sched');
SELECT hwsched.raw_efficiency(p, d) AS raw, hwsched.adjusted_efficiency(hwsched.raw_efficiency(p, d), 50, 0, 50, 0, 0, false, false, 1, 0.5) AS adjusted, hwsched.predict_seconds(p, d) AS seconds
FROM hwsched.workload AS w, hwsched.workload_profile(w.requirements) AS p, hwsched.device_profiles('{"supported_backends": ["cuda"], "available_memory": 16}') AS d WHERE pool = 'sched';
SELECT worker_id, device_nos, efficiency, adjusted_efficiency, score, predicted_seconds FROM hwsched.schedule('t001', 'sched');

--
-- Ranking: a free GPU beats a CPU for vision, a TPU both; the CPU where scores tie
--
SELECT pg_temp.pool('{"a_cpu": {"cpu_cores": 64, "available_memory": 64}, "z_gpu": {"supported_backends": ["cuda"], "available_memory": 64}}', '[{"test_type": "vision"}, {"test_type": "nlp"}, {"test_type": "audio"}, {}]'), pg_temp.went();
SELECT pg_temp.pool('{"w": {"cpu_cores": 4, "supported_backends": ["tpu", "npu", "cuda"]}}', '[{"test_type": "vision"}, {"test_type": "inference"}, {"test_type": "audio"}, {}]'), pg_temp.went();
-- the CPU also comes first across workers, whatever their names and use
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"]}, "b": {"cpu_cores": 4}}', pg_temp.times(4)), pg_temp.went();
-- but a CPU that is slower by any measure does not
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"]}, "b": {"cpu_cores": 4}}', '[{"expected_duration": 200}]'), pg_temp.went();
-- a preferred backend ranks, a required one decides
SELECT pg_temp.pool('{"a": {"supported_backends": ["webgpu"]}, "b": {"supported_backends": ["webnn"]}}', '[{"preferred_backend": "webnn"}, {"preferred_backend": "cuda"}, {"required_backend": "webnn"}, {"required_backend": "cuda"}]'), pg_temp.went();
-- preferred class, architecture and vendors of a ready-made profile match derived hardware
SELECT pg_temp.pool('{"amd": {"supported_backends": ["rocm"]}, "nv": {"supported_backends": ["cuda"]}, "npu": {"supported_backends": ["npu"]}}', (SELECT jsonb_agg(jsonb_build_object('custom_properties', jsonb_build_object('workload_profile', p::jsonb)))
	FROM unnest(ARRAY['{"preferred_vendors": ["NVIDIA"]}', '{"preferred_vendors": ["AMD"]}', '{"preferred_architecture": "GPU_CUDA"}', '{"preferred_architecture": "gpu_rocm"}', '{"preferred_hardware_class": "npu"}']) AS p)), pg_temp.went();
-- a class word is met by a device of that class alone, a model by its name
SELECT pg_temp.pool('{"a": {"cpu_cores": 4}, "b": {"supported_backends": ["cuda"]}, "c": {"supported_backends": ["tpu"]}}', '[{"required_backend": "gpu"}, {"required_backend": "cpu"}, {"required_backend": "TPU"}, {"required_backend": "npu"}]'), pg_temp.went();
SELECT pg_temp.pool(jsonb_build_object('a', jsonb_build_object('devices', jsonb_build_array(pg_temp.device('gpu', 16, '{"model_name": "A100"}'), pg_temp.device('gpu', 16, '{"model_name": "H100"}')))),
	'[{"required_models": ["H100"]}, {"required_models": ["T4", "A100"]}, {"required_models": ["T4"]}]'), pg_temp.went();

--
-- Capacity: memory of devices and workers
--
-- a 40 GB task never lands on a 4 GB device, even if another of the same model has 80 GB
SELECT pg_temp.pool(jsonb_build_object('a_small', jsonb_build_object('devices', jsonb_build_array(pg_temp.device('gpu', 4, '{"model_name": "X"}'))),
	'z_large', jsonb_build_object('devices', jsonb_build_array(pg_temp.device('gpu', 80, '{"model_name": "X"}')))), pg_temp.times(4, '{"minimum_memory": 40}')), pg_temp.went();
SELECT pg_temp.pool(jsonb_build_object('a', jsonb_build_object('available_memory', 1000, 'devices', jsonb_build_array(pg_temp.device('gpu', 4)))), '[{"minimum_memory": 40}, {"minimum_memory": 4.0000001}, {"minimum_memory": 4}, {"minimum_memory": 0.0000001}]'), pg_temp.went();
-- what is available of a device's memory counts, not its total
SELECT pg_temp.pool(jsonb_build_object('a', jsonb_build_object('devices', jsonb_build_array(pg_temp.device('gpu', 10, '{"memory_available_bytes": 3221225472}')))), '[{"minimum_memory": 2}, {"minimum_memory": 2}, {"minimum_memory": 4}, {"minimum_memory": 1}]'), pg_temp.went();
-- a device without memory of its own draws on its worker's, beside host_memory
SELECT pg_temp.pool('{"a": {"cpu_cores": 4, "available_memory": 10}}', '[{"minimum_memory": 6}, {"host_memory": 3}, {"minimum_memory": 1, "host_memory": 1}, {"minimum_memory": 1}, {"host_memory": 1}]'), pg_temp.went();
SELECT pg_temp.pool('{"a": {"cpu_cores": 4, "available_memory": 10}}', '[{"minimum_memory": 6, "host_memory": 6}, {"minimum_memory": 5, "host_memory": 5}]'), pg_temp.went();
SELECT pg_temp.pool('{"a": {"available_memory": 10, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}}', '[{"minimum_memory": 6, "required_accelerators": {"gpu": 2}}, {"minimum_memory": 5, "required_accelerators": {"gpu": 2}}]'), pg_temp.went();
-- a worker that says nothing of its memory has none to reserve; what asks for none runs
SELECT pg_temp.pool('{"a": {"cpu_cores": 4}}', '[{"host_memory": 1}, {"minimum_memory": 1}, {}]'), pg_temp.went();

--
-- Capacity: cores, fractions and all
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 1, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 3}}}', pg_temp.times(11, '{"cpu_cores": 0.1}')) AS ten_tenths;
SELECT pg_temp.pool('{"a": {"cpu_cores": 1.5}}', '[{"cpu_cores": 1}, {"cpu_cores": 0.6}, {"cpu_cores": 0.5}, {"cpu_cores": 0.001}, {"cpu_cores": 2}, {}]'), pg_temp.went();

--
-- Capacity: whole accelerators, all on one worker, by type, on empty devices
--
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}, "b": {"supported_backends": ["cuda"], "available_accelerators": {"gpu": 3}}}',
	'[{"required_accelerators": {"gpu": 4}}, {"required_accelerators": {"gpu": 3}}, {"required_accelerators": {"cuda": 2}}, {"required_accelerators": {"gpu": 1}}]'), pg_temp.went();
SELECT pg_temp.pool('{"a": {"cpu_cores": 8, "supported_backends": ["cuda", "tpu"], "available_accelerators": {"gpu": 2}}}',
	'[{"required_accelerators": {"gpu": 1, "tpu": 1}}, {"required_accelerators": {"npu": 1}}, {"required_accelerators": {"gpu": 1, "tpu": 1}}, {"required_accelerators": {"gpu": 0}}]'), pg_temp.went();
-- a slot taken makes a device not empty; a device taken whole has no slot
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"]}}', '[{}, {"required_accelerators": {"gpu": 1}}]'), pg_temp.went();
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"]}}', '[{"required_accelerators": {"gpu": 1}}, {}, {"accelerator_share": 0.01}]'), pg_temp.went();
-- minimum_memory is asked of each
SELECT pg_temp.pool(jsonb_build_object('a', jsonb_build_object('devices', jsonb_build_array(pg_temp.device('gpu', 16), pg_temp.device('gpu', 8)))), '[{"required_accelerators": {"gpu": 2}, "minimum_memory": 10}, {"required_accelerators": {"gpu": 2}, "minimum_memory": 8, "mixed_accelerators": true}]'), pg_temp.went();

--
-- Capacity: shares fill one device exactly, best fit, of the type that is named
--
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"]}}', pg_temp.times(4, '{"accelerator_share": 0.3333333333333333}')) AS three_thirds;
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"]}}', pg_temp.times(11, '{"accelerator_share": 0.1}')) AS ten_tenths;
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"]}}', pg_temp.times(8, '{"accelerator_share": 0.14285714285714285}')) AS seven_sevenths;
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"]}}', '[{"accelerator_share": 0.6}, {"accelerator_share": 0.5}, {"accelerator_share": 0.4}]'), pg_temp.went();
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"]}}', '[{"accelerator_share": 0.5}, {"accelerator_share": 0.5}, {"accelerator_share": 0.000001}]'), pg_temp.went();
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"]}}', '[{"accelerator_share": 1}, {"accelerator_share": 0.000001}]'), pg_temp.went();
-- the fullest device that has room; others stay whole
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"], "available_accelerators": {"gpu": 3}}}', '[{"accelerator_share": 0.3}, {"accelerator_share": 0.5}, {"accelerator_share": 0.6}, {"accelerator_share": 0.2}, {"accelerator_share": 0.4}, {"required_accelerators": {"gpu": 1}}]'), pg_temp.went();
SELECT pg_temp.pool('{"a": {"cpu_cores": 4, "supported_backends": ["cuda", "tpu"]}}', '[{"accelerator_share": 0.5, "required_accelerators": {"tpu": 1}}, {"accelerator_share": 0.5, "required_accelerators": {"gpu": 1}}, {"accelerator_share": 0.5, "required_accelerators": {"npu": 1}}, {"accelerator_share": 0.6, "required_accelerators": {"tpu": 1}}]'), pg_temp.went();
-- never a share of a CPU; never shares of two devices
SELECT pg_temp.pool('{"a": {"cpu_cores": 4}}', '[{"accelerator_share": 0.5}]'), pg_temp.went();
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}}', '[{"accelerator_share": 0.6}, {"accelerator_share": 0.6}, {"accelerator_share": 0.8}]'), pg_temp.went();
-- the device's memory limits shares, too
SELECT pg_temp.pool(jsonb_build_object('a', jsonb_build_object('devices', jsonb_build_array(pg_temp.device('gpu', 10)))), '[{"accelerator_share": 0.1, "minimum_memory": 6}, {"accelerator_share": 0.1, "minimum_memory": 6}, {"accelerator_share": 0.1, "minimum_memory": 4}]'), pg_temp.went();

--
-- Capacity: max_concurrent of each device (the pool's) and of the worker (its own)
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 4}}', pg_temp.times(7)) AS by_default, pg_temp.pool('{"a": {"cpu_cores": 4}}', pg_temp.times(7), '{"max_concurrent": 2}') AS two,
	pg_temp.pool('{"a": {"cpu_cores": 4, "max_concurrent": 3}}', pg_temp.times(7)) AS worker, pg_temp.pool('{"a": {"cpu_cores": 4, "supported_backends": ["cuda"]}}', pg_temp.times(11)) AS two_devices;
-- the worker's limit counts shares and whole accelerators, too
SELECT pg_temp.pool('{"a": {"cpu_cores": 4, "max_concurrent": 2, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 3}}}', '[{"required_accelerators": {"gpu": 1}}, {"accelerator_share": 0.1}, {}]'), pg_temp.went();

--
-- Software: least versions by number, not by text
--
SELECT pg_temp.pool('{"new": {"cpu_cores": 1, "software_versions": {"python": "3.11.2", "CUDA": "12.4-ubuntu"}}, "old": {"cpu_cores": 1, "software_versions": {"python": "3.9"}}}', (SELECT jsonb_agg(jsonb_build_object('required_software', s::jsonb))
	FROM unnest(ARRAY['{"python": "3.10"}', '{"python": "3.9"}', '{"python": "3.11.2"}', '{"python": "3.11.3"}', '{"cuda": "12"}', '{"python": "3.8", "cuda": "12.4"}', '{"rocm": "5"}']) AS s), '{"max_concurrent": 20}'), pg_temp.went();

--
-- Load above max_load takes a device out; no report is idle; a device's own report counts for it
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 4}, "b": {"cpu_cores": 4}, "c": {"cpu_cores": 4}}', pg_temp.times(12), '{"max_concurrent": 4}', 'sched', false);
SELECT hwsched.update_load('a', '{"cpu_utilization": 100, "memory_utilization": 100, "gpu_utilization": 100, "io_utilization": 100, "network_utilization": 1}', 'sched'), hwsched.update_load('b', '{"cpu_utilization": 100, "memory_utilization": 100, "gpu_utilization": 100, "io_utilization": 100}', 'sched');
SELECT hwsched.assign_pending(NULL, 'sched');
SELECT worker_id, load_ratio, assignments FROM hwsched.resource_utilization WHERE pool = 'sched' ORDER BY 1;
SELECT DISTINCT reason FROM hwsched.pending_workloads WHERE pool = 'sched';
-- idle before loaded: c, which never reported, is filled first
SELECT worker_id FROM hwsched.assignment WHERE pool = 'sched' ORDER BY assignment_id;
SELECT pg_temp.pool('{"a": {"supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}}', '[{}, {}]', '{}', 'sched', false);
SELECT hwsched.update_load('a', '{"cpu_utilization": 100, "memory_utilization": 100, "io_utilization": 100, "network_utilization": 100, "devices": [{"device_no": 0, "utilization": 90}, {"device_no": 1, "utilization": 10}]}', 'sched');
SELECT hwsched.assign_pending(NULL, 'sched'), pg_temp.went();
SELECT device_no, round(load_ratio::numeric, 6) AS load, reason FROM hwsched.compatible_hardware('t001', 'sched') ORDER BY 1;

--
-- Equal workers share the work: 100 over 5 are 20 each, 10 are 2 each
--
SELECT pg_temp.pool((SELECT jsonb_object_agg('w' || g, '{"cpu_cores": 4, "available_memory": 64}'::jsonb) FROM generate_series(1, 5) AS g), pg_temp.times(100), '{"max_concurrent": 20}');
SELECT worker_id, count(*) FROM hwsched.assignment WHERE pool = 'sched' GROUP BY 1 ORDER BY 1;
SELECT pg_temp.pool((SELECT jsonb_object_agg('w' || g, '{"cpu_cores": 4, "available_memory": 64}'::jsonb) FROM generate_series(1, 5) AS g), pg_temp.times(10), '{"max_concurrent": 20}');
SELECT worker_id, count(*) FROM hwsched.assignment WHERE pool = 'sched' GROUP BY 1 ORDER BY 1;
-- also one by one, and over time: who had least ever comes next
SELECT pg_temp.pool('{"w1": {"cpu_cores": 4}, "w2": {"cpu_cores": 4}, "w3": {"cpu_cores": 4}}', '[]', '{"preference_weight": 0}');
DO $$
BEGIN
	FOR i IN 1..9 LOOP
		PERFORM hwsched.submit(jsonb_build_object('test_id', i::text), 'sched');
		PERFORM hwsched.start(assignment_id, 'sched') FROM hwsched.schedule(i::text, 'sched');
		PERFORM hwsched.complete(assignment_id, NULL, 'sched') FROM hwsched.assignment WHERE pool = 'sched' AND state = 'running';
	END LOOP;
END $$;
SELECT worker_id, count(*) FROM hwsched.assignment WHERE pool = 'sched' GROUP BY 1 ORDER BY 1;

-- who has least now comes before who had least ever: b has one, a had three and is free
SELECT pg_temp.pool('{"a": {"cpu_cores": 4}}', pg_temp.times(3), '{"preference_weight": 0}');
SELECT hwsched.complete_many((SELECT array_agg(assignment_id) FROM hwsched.claim('a', 3, true, 'sched')), 'sched'), hwsched.register_worker('b', '{"cpu_cores": 4}', 'sched');
SELECT hwsched.submit_many('[{"test_id": "u1"}, {"test_id": "u2"}]', 'sched'), hwsched.assign_pending(NULL, 'sched');
SELECT workload_id, worker_id FROM hwsched.assignment WHERE pool = 'sched' AND state = 'assigned' ORDER BY 1;

--
-- Ties: the same input in two pools gives the same result, whatever the order of registration
--
CREATE FUNCTION pg_temp.fill(name text, backwards boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	worker record;
BEGIN
	PERFORM hwsched.create_pool(name, '{"retry_backoff": "0 s"}');
	FOR worker IN SELECT g FROM generate_series(0, 29) AS g ORDER BY CASE WHEN backwards THEN -g ELSE g END LOOP
		PERFORM hwsched.register_worker('w' || worker.g, jsonb_build_object('cpu_cores', 2 + worker.g % 3 * 7, 'available_memory', 8 * (1 + worker.g % 4),
			'supported_backends', (ARRAY['["cuda"]', '["rocm", "tpu"]', '["npu"]', '[]', '["webgpu", "webnn"]'])[1 + worker.g % 5]::jsonb), name);
	END LOOP;
	PERFORM hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 't' || g, 'priority', 1 + g % 5, 'minimum_memory', g % 7, 'expected_duration', g * 3 % 200,
		'test_type', (ARRAY['vision', 'nlp', 'audio', 'inference', 'mixed'])[1 + g % 5]) || (ARRAY['{}', '{"required_accelerators": {"gpu": 1}}', '{"accelerator_share": 0.25}', '{"cpu_cores": 1.5}', '{"preferred_backend": "webgpu"}'])[1 + g % 7 % 5]::jsonb ORDER BY g)
		FROM generate_series(1, 300) AS g), name);
	RETURN hwsched.assign_pending(NULL, name);
END $$;
SELECT pg_temp.fill('sched_1', false) = pg_temp.fill('sched_2', true) AS as_many;
SELECT pg_temp.went('sched_1') = pg_temp.went('sched_2') AS as_before, (SELECT count(*) BETWEEN 50 AND 300 FROM hwsched.assignment WHERE pool = 'sched_1') AS plausible;

--
-- Again without any change: nothing changes
--
SELECT pg_temp.state_of('sched_1') AS before \gset
SELECT hwsched.assign_pending(NULL, 'sched_1') AS placed_again;
SELECT pg_temp.state_of('sched_1') = :'before' AS unchanged;

--
-- A plan is what the batch then does; it writes nothing, needs no transaction id, and works where nothing can be written
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 8, "available_memory": 32, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 4}}, "b": {"cpu_cores": 8, "available_memory": 32}}',
	pg_temp.times(6, '{"test_type": "vision", "cpu_cores": 0.5}') || pg_temp.times(2, '{"required_accelerators": {"gpu": 2}}') || pg_temp.times(3, '{"accelerator_share": 0.4}') || pg_temp.times(2, '{"host_memory": 20}'), '{}', 'sched', false);
SELECT pg_temp.state_of('sched') AS before \gset
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SELECT count(*) AS planned FROM hwsched.plan_pending(NULL, 'sched');
SELECT count(*) > 0 AS shown FROM hwsched.compatible_hardware('t001', 'sched');
SELECT count(*) > 0 AS explained FROM hwsched.explain_pending('sched');
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
COMMIT;
SELECT pg_temp.state_of('sched') = :'before' AS unchanged;
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ;
CREATE TEMP TABLE planned AS SELECT * FROM hwsched.plan_pending(NULL, 'sched');
SELECT hwsched.assign_pending(NULL, 'sched') = (SELECT count(*) FROM planned) AS as_many;
CREATE TEMP TABLE done AS SELECT workload_id, worker_id, device_nos, shard_no, score, predicted_seconds FROM hwsched.assignment WHERE pool = 'sched' AND state = 'assigned';
SELECT (SELECT count(*) FROM (TABLE planned EXCEPT TABLE done) AS x) AS only_planned, (SELECT count(*) FROM (TABLE done EXCEPT TABLE planned) AS x) AS only_done;
COMMIT;
DROP TABLE planned, done;
-- a limit plans and places the same head of the queue
SELECT pg_temp.pool('{"a": {"cpu_cores": 8}}', '[{"required_backend": "cuda"}, {}, {}, {}]', '{}', 'sched', false);
SELECT array_agg(workload_id ORDER BY workload_id COLLATE "C") AS planned FROM hwsched.plan_pending(2, 'sched');
SELECT hwsched.assign_pending(2, 'sched');
SELECT array_agg(workload_id ORDER BY workload_id COLLATE "C") AS done FROM hwsched.assignment WHERE pool = 'sched';

--
-- An error in the middle of a batch leaves nothing behind
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 8}}', pg_temp.times(5), '{}', 'sched', false);
SELECT pg_temp.state_of('sched') AS before \gset
ALTER TABLE hwsched.assignment ADD CONSTRAINT regress_break CHECK (pool <> 'sched' OR workload_id <> 't004') NOT VALID;
SELECT pg_temp.error_of($$SELECT hwsched.assign_pending(NULL, 'sched')$$) ~ '^23514 ' AS broken;
SELECT pg_temp.state_of('sched') = :'before' AS unchanged;
ALTER TABLE hwsched.assignment DROP CONSTRAINT regress_break;
ALTER TABLE hwsched.device_usage ADD CONSTRAINT regress_break CHECK (pool <> 'sched' OR slots < 5) NOT VALID;
SELECT pg_temp.error_of($$SELECT hwsched.assign_pending(NULL, 'sched')$$) ~ '^23514 ' AS broken;
SELECT pg_temp.state_of('sched') = :'before' AS unchanged;
-- the same within a transaction that goes on
BEGIN;
SELECT pg_temp.error_of($$SELECT hwsched.assign_pending(NULL, 'sched')$$) ~ '^23514 ' AS broken;
SELECT hwsched.assign_pending(4, 'sched') AS after_the_error;
COMMIT;
ALTER TABLE hwsched.device_usage DROP CONSTRAINT regress_break;
SELECT hwsched.assign_pending(NULL, 'sched') AS the_rest;
SELECT slots FROM hwsched.device_usage WHERE pool = 'sched';
-- interrupted: by a time limit that the batch cannot meet
SELECT pg_temp.pool((SELECT jsonb_object_agg('w' || g, '{"cpu_cores": 4}'::jsonb) FROM generate_series(1, 50) AS g), '[]', '{"max_concurrent": 100000}');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', g::text)) FROM generate_series(1, 30000) AS g), 'sched');
\set VERBOSITY terse
SET statement_timeout = '20ms';
SELECT hwsched.assign_pending(NULL, 'sched');
RESET statement_timeout;
\set VERBOSITY default
SELECT (SELECT count(*) FROM hwsched.pending WHERE pool = 'sched') AS pending, (SELECT count(*) FROM hwsched.assignment WHERE pool = 'sched') AS assigned, (SELECT sum(assignments) FROM hwsched.worker_usage WHERE pool = 'sched') AS held;

--
-- What nobody can run waits with its reason, and holds nobody up
--
SELECT pg_temp.pool('{}', '[{}]'), pg_temp.went();
SELECT pg_temp.pool('{"a": {"cpu_cores": 2, "available_memory": 8, "supported_backends": ["cuda"]}}', (SELECT jsonb_agg(r::jsonb || '{"priority": 1}') FROM unnest(ARRAY[
	'{"required_backend": "tpu"}', '{"required_models": ["H100"]}', '{"custom_properties": {"workload_profile": {"required_precisions": ["int1"]}}}', '{"custom_properties": {"workload_profile": {"required_features": ["tsx"]}}}',
	'{"custom_properties": {"workload_profile": {"min_compute_units": 1000}}}', '{"minimum_memory": 9}', '{"required_accelerators": {"gpu": 2}}', '{"required_software": {"python": "3"}}', '{"cpu_cores": 3}', '{"host_memory": 9}']) AS r) || '[{}]');
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'sched';
SELECT workload_id FROM hwsched.assignment WHERE pool = 'sched';
SELECT reason, workloads FROM hwsched.explain_pending('sched') ORDER BY reason COLLATE "C";
-- schedule() of such work returns no row and leaves it pending
SELECT count(*) FROM hwsched.schedule('t001', 'sched');
SELECT state FROM hwsched.workload WHERE pool = 'sched' AND workload_id = 't001';
-- once somebody can, it goes
SELECT hwsched.register_worker('b', '{"supported_backends": ["tpu"]}', 'sched'), hwsched.assign_pending(NULL, 'sched') AS placed;

--
-- Warming, cooling and temperature lower the score
--
SELECT pg_temp.pool('{"cold": {"cpu_cores": 4}, "cooling": {"cpu_cores": 4}, "hot": {"cpu_cores": 4}, "warming": {"cpu_cores": 4}, "over": {"cpu_cores": 4}}', '[{}]', '{}', 'sched', false);
BEGIN;
SELECT hwsched.start_warming('warming', '1 hour', 'sched'), hwsched.start_cooling('cooling', '1 hour', 'sched'), hwsched.update_load('hot', '{"temperature": 1}', 'sched'), hwsched.start_warming('over', '0', 'sched');
SELECT worker_id, rank, effective_load_ratio, performance_level_ratio, temperature_ratio, round(adjusted_efficiency_ratio::numeric, 6) AS adjusted FROM hwsched.compatible_hardware('t001', 'sched');
COMMIT;
SELECT worker_id, phase, performance_level_ratio < 0.75 AS lowered FROM hwsched.thermal_states WHERE pool = 'sched' ORDER BY 1;
-- degrees between the idle and throttle points of the device: 35 and 90 unless it says
SELECT pg_temp.pool(jsonb_build_object('w', jsonb_build_object('devices', jsonb_build_array(pg_temp.device('gpu'), pg_temp.device('gpu', 16, '{"idle_celsius": 40, "throttle_celsius": 80}'), pg_temp.device('gpu', 16, '{"throttle_celsius": 135}')))), '[{}]', '{}', 'sched', false);
SELECT hwsched.update_load('w', '{"temperature_celsius": 62.5}', 'sched');
SELECT c.device_no, c.temperature_ratio, t.temperature_ratio AS in_the_view FROM hwsched.compatible_hardware('t001', 'sched') AS c JOIN hwsched.thermal_states AS t USING (worker_id, device_no) WHERE t.pool = 'sched' ORDER BY 1;
SELECT hwsched.update_load('w', '{"temperature": 0.25, "devices": [{"device_no": 1, "temperature_celsius": 200}, {"device_no": 2, "temperature_celsius": -20}]}', 'sched');
SELECT c.device_no, c.temperature_ratio, t.temperature_ratio AS in_the_view FROM hwsched.compatible_hardware('t001', 'sched') AS c JOIN hwsched.thermal_states AS t USING (worker_id, device_no) WHERE t.pool = 'sched' ORDER BY 1;
-- the view says what the decision reckons with, also where the points are 0 or the wrong way round
SELECT pg_temp.pool(jsonb_build_object('w', jsonb_build_object('devices', jsonb_build_array(pg_temp.device('gpu', 16, '{"idle_celsius": 0, "throttle_celsius": 100}'), pg_temp.device('gpu', 16, '{"idle_celsius": 90, "throttle_celsius": 80}'),
	pg_temp.device('gpu', 16, '{"idle_celsius": 90}'), pg_temp.device('gpu', 16, '{"throttle_celsius": 20}')))), '[{}]', '{}', 'sched', false);
SELECT hwsched.update_load('w', '{"temperature_celsius": 50}', 'sched');
SELECT c.device_no, c.temperature_ratio = t.temperature_ratio AS agree FROM hwsched.compatible_hardware('t001', 'sched') AS c JOIN hwsched.thermal_states AS t USING (worker_id, device_no) WHERE t.pool = 'sched' ORDER BY 1;
SELECT pg_temp.pool(jsonb_build_object('w', jsonb_build_object('devices', jsonb_build_array(pg_temp.device('gpu'), pg_temp.device('gpu'), pg_temp.device('gpu')))), '[{}]', '{}', 'sched', false);
SELECT hwsched.update_load('w', '{"temperature": 0.25, "devices": [{"device_no": 1, "temperature_celsius": 200}, {"device_no": 2, "temperature_celsius": -20}]}', 'sched');
-- a least score keeps work off them
SELECT hwsched.alter_pool('sched', '{"min_score": 0.95}'), hwsched.assign_pending(NULL, 'sched') AS placed, pg_temp.went();
SELECT hwsched.submit('{"test_id": "t002"}', 'sched'), hwsched.update_load('w', '{"temperature": 0.9}', 'sched'), hwsched.assign_pending(NULL, 'sched') AS placed;
SELECT pg_temp.went();

--
-- Preference: learned from outcomes, per type of work; it ranks, and can be switched off
--
SELECT pg_temp.pool('{"a": {"cpu_cores": 4}, "b": {"cpu_cores": 4}}', '[{"test_type": "nlp", "retries": 0}]', '{"preference_alpha": 0.5}');
SELECT hwsched.fail(assignment_id, 'x', 'sched') FROM hwsched.assignment WHERE pool = 'sched';
SELECT workload_type, worker_id, preference, samples FROM hwsched.preference WHERE pool = 'sched';
-- a is no longer the first of equals for nlp, but still is for audio
SELECT hwsched.submit_many('[{"test_id": "x1", "test_type": "nlp"}, {"test_id": "x2", "test_type": "nlp"}, {"test_id": "x3", "test_type": "nlp"}]', 'sched'), hwsched.assign_pending(NULL, 'sched'), pg_temp.went();
SELECT hwsched.submit('{"test_id": "audio", "test_type": "audio"}', 'sched');
SELECT worker_id, preference, round(score::numeric, 6) AS score FROM hwsched.compatible_hardware('audio', 'sched');
SELECT hwsched.submit('{"test_id": "nlp", "test_type": "nlp"}', 'sched');
SELECT worker_id, preference, round(score::numeric, 6) AS score FROM hwsched.compatible_hardware('nlp', 'sched');
SELECT hwsched.alter_pool('sched', '{"preference_weight": 0}');
SELECT worker_id, round(score::numeric, 6) AS score FROM hwsched.compatible_hardware('nlp', 'sched') ORDER BY 1;
-- what was faster than predicted (30 s here) earns more than 0.5, what was slower than that less
SELECT pg_temp.pool('{"a": {"cpu_cores": 4}, "b": {"cpu_cores": 4}}', '[{"test_type": "nlp"}, {"test_type": "nlp"}]', '{"preference_alpha": 1}');
SELECT count(*) FROM hwsched.claim('a', 1, true, 'sched') AS a, hwsched.claim('b', 1, true, 'sched') AS b;
BEGIN;
UPDATE hwsched.assignment SET started_at = now() - CASE worker_id WHEN 'a' THEN interval '10 s' ELSE interval '90 s' END WHERE pool = 'sched';
SELECT hwsched.complete(assignment_id, NULL, 'sched') FROM hwsched.assignment WHERE pool = 'sched' ORDER BY assignment_id;
SELECT expired FROM hwsched.maintain('sched');
SELECT worker_id, round(preference::numeric, 2) AS preference FROM hwsched.preference WHERE pool = 'sched' ORDER BY 1;
COMMIT;

--
-- What compatible_hardware() ranks first is what schedule() takes
--
CREATE TEMP TABLE compared AS SELECT NULL::text AS workload, NULL::text AS ranked, NULL::text AS chosen WHERE false;
DO $$
DECLARE
	workload text;
	ranked text;
	chosen text;
BEGIN
	PERFORM hwsched.create_pool('sched_rank', '{"retry_backoff": "0 s"}');
	FOR i IN 0..14 LOOP
		PERFORM hwsched.register_worker('w' || i, jsonb_build_object('cpu_cores', 2 + i % 3 * 7, 'available_memory', 16 * (1 + i % 4), 'available_accelerators', CASE i % 5 WHEN 0 THEN '{"cuda": 3}' ELSE '{}' END::jsonb,
			'supported_backends', (ARRAY['["cuda"]', '["rocm", "tpu"]', '["npu"]', '[]', '["webgpu", "webnn"]'])[1 + i % 5]::jsonb), 'sched_rank');
		PERFORM hwsched.update_load('w' || i, jsonb_build_object('cpu_utilization', i * 13 % 50, 'gpu_utilization', i * 7 % 30, 'temperature', (i % 4) / 4.0), 'sched_rank') WHERE i % 3 = 0;
	END LOOP;
	FOR g IN 1..120 LOOP
		workload := hwsched.submit(jsonb_build_object('test_id', 't' || g, 'minimum_memory', g % 7, 'expected_duration', g * 3 % 200, 'test_type', (ARRAY['vision', 'nlp', 'audio', 'inference', 'mixed'])[1 + g % 5])
			|| (ARRAY['{}', '{"required_accelerators": {"gpu": 1}}', '{"accelerator_share": 0.25}', '{"cpu_cores": 1.5}', '{"preferred_backend": "webgpu"}', '{"required_backend": "cuda"}'])[1 + g % 6]::jsonb, 'sched_rank');
		SELECT worker_id || ':' || device_no INTO ranked FROM hwsched.compatible_hardware(workload, 'sched_rank') WHERE rank = 1 AND reason IS NULL;
		SELECT worker_id || ':' || device_nos[1] INTO chosen FROM hwsched.schedule(workload, 'sched_rank');
		INSERT INTO compared VALUES (workload, ranked, chosen);
	END LOOP;
END $$;
SELECT count(*) AS compared, count(chosen) > 50 AS plausible, count(*) FILTER (WHERE ranked IS DISTINCT FROM chosen) AS differing FROM compared;
DROP TABLE compared;

--
-- No device and no worker of any of these pools holds more than it has
--
SELECT u.pool, u.worker_id FROM hwsched.worker_usage AS u JOIN hwsched.worker AS w USING (pool, worker_id)
WHERE u.pool LIKE 'sched%' AND (u.cpu_millicores > w.cpu_millicores OR u.host_memory_bytes > w.memory_bytes OR u.assignments > w.max_concurrent);
SELECT u.pool, u.worker_id, u.device_no FROM hwsched.device_usage AS u JOIN hwsched.device AS d USING (pool, worker_id, device_no)
WHERE u.pool LIKE 'sched%' AND (u.share > 1000000 OR u.memory_bytes > d.memory_bytes OR u.slots > (SELECT value::int FROM hwsched.pool_settings(u.pool) WHERE name = 'max_concurrent'));

--
-- The reason is that of the accelerators, not of the CPU beside them
--
SELECT hwsched.create_pool('sched_why', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker('srv', '{"cpu_cores": 64, "available_memory": 512, "devices": [{"hardware_class": "gpu", "compute_units": 108, "model_name": "A100",
    "memory_total_bytes": 42949672960, "supported_backends": ["cuda"], "supported_precisions": ["fp32"], "count": 2}]}', 'sched_why');
SELECT hwsched.submit_many('[
    {"test_id": "memory", "required_accelerators": {"gpu": 1}, "minimum_memory": 80}, {"test_id": "memory of a share", "accelerator_share": 0.5, "minimum_memory": 80},
    {"test_id": "backend", "required_accelerators": {"gpu": 1}, "required_backend": "onnx"}, {"test_id": "count", "required_accelerators": {"gpu": 3}},
    {"test_id": "model", "required_accelerators": {"gpu": 1}, "required_models": ["H100"]}, {"test_id": "type", "required_accelerators": {"tpu": 1}},
    {"test_id": "precision", "required_accelerators": {"gpu": 1}, "custom_properties": {"workload_profile": {"required_precisions": ["int8"]}}}]', 'sched_why');
SELECT hwsched.assign_pending(NULL, 'sched_why') AS none;
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'sched_why' ORDER BY queue_no;
SELECT reason, workloads, cardinality(profile_ids) AS profiles FROM hwsched.explain_pending('sched_why') ORDER BY reason COLLATE "C";

--
-- A device that does not say how many units it has is no worse off for the two that nobody asked for
--
SELECT hwsched.register_worker('plain', '{"cpu_cores": 4, "devices": [{"hardware_class": "gpu", "supported_backends": ["rocm"]}]}', 'sched_why');
SELECT hwsched.submit_many('[{"test_id": "two", "required_backend": "rocm"},
    {"test_id": "four", "required_backend": "rocm", "custom_properties": {"workload_profile": {"min_compute_units": 4}}}]', 'sched_why');
SELECT hwsched.assign_pending(NULL, 'sched_why') AS one;
SELECT workload_id, worker_id FROM hwsched.assignment WHERE pool = 'sched_why';

--
-- What a batch takes and books is found where it is, whatever the caller has set: a search for every row would cost the square of the batch
--
SELECT hwsched.create_pool('sched_plan', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker('w' || n, '{"cpu_cores": 4, "supported_backends": ["cuda"]}', 'sched_plan') FROM generate_series(1, 2) AS n \g /dev/null
SELECT hwsched.submit_many('[{"test_id": "a"}, {"test_id": "huge", "required_accelerators": {"gpu": 9}}, {"test_id": "b", "priority": 5}, {"test_id": "c", "required_accelerators": {"gpu": 1}}]', 'sched_plan');
CREATE TEMP VIEW scanned AS SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE relid IN ('hwsched.pending'::regclass, 'hwsched.worker_usage'::regclass, 'hwsched.device_usage'::regclass);
BEGIN;
SET LOCAL enable_tidscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off; DISCARD PLANS;
CREATE TEMP TABLE before AS SELECT * FROM scanned;
SELECT hwsched.assign_pending(NULL, 'sched_plan') AS three;
SELECT relname FROM scanned LEFT JOIN before USING (relname) WHERE scanned.seq_scan > coalesce(before.seq_scan, 0) ORDER BY relname;
COMMIT;
DROP TABLE before; DROP VIEW scanned;
SELECT workload_id, run, attempt, priority, device_nos FROM hwsched.assignment WHERE pool = 'sched_plan' ORDER BY assignment_id;
SELECT hwsched.cancel('b', 'sched_plan'); SELECT hwsched.submit('{"test_id": "b", "priority": 2}', 'sched_plan');
SELECT hwsched.start(assignment_id, 'sched_plan'), hwsched.fail(assignment_id, 'no', 'sched_plan') FROM hwsched.assignment WHERE pool = 'sched_plan' AND workload_id = 'a';
SELECT hwsched.assign_pending(NULL, 'sched_plan') AS two;
SELECT workload_id, run, attempt, priority FROM hwsched.assignment WHERE pool = 'sched_plan' AND state = 'assigned' ORDER BY assignment_id;
