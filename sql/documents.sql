-- JSON documents in: requirements become a workload profile, capabilities
-- become device profiles, the taxonomy says which names there are.
SET client_min_messages = warning;

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
CREATE FUNCTION pg_temp.refused(document text, reader text DEFAULT 'workload_profile') RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.error_of(format('SELECT hwsched.%s(%L)', reader, document)) $$;
CREATE FUNCTION pg_temp.type_of(test_type text) RETURNS text LANGUAGE sql AS $$
	SELECT hwsched.workload_profile(jsonb_build_object('test_type', test_type)) ->> 'workload_type' $$;
-- Devices in short: class, architecture, model, backends
CREATE FUNCTION pg_temp.devices(capabilities jsonb) RETURNS TABLE (device_no bigint, class text, architecture text, vendor text, model text, backends jsonb) LANGUAGE sql AS $$
	SELECT no - 1, d ->> 'hardware_class', d ->> 'architecture', d ->> 'vendor', d ->> 'model_name', d -> 'supported_backends'
	FROM hwsched.device_profiles(capabilities) WITH ORDINALITY AS p (d, no) ORDER BY no $$;

--
-- Requirements: what each key becomes
--
SELECT jsonb_pretty(hwsched.workload_profile('{}'));
SELECT jsonb_pretty(hwsched.workload_profile('{"test_id": "t1", "test_type": "vision", "model_id": "vit-base",
	"model_family": "vit", "minimum_memory": 8, "expected_duration": 200, "priority": 1,
	"required_backend": "CUDA", "preferred_backend": "onnx", "required_models": ["H100", "A100"],
	"custom_properties": {"is_shardable": true, "min_shards": 2, "max_shards": 4, "allocation_strategy": "Sharded"}}'));
-- Durations: 0.8 above 120 s, 0.3 below 10 s, 0.5 between; memory full at 16 GB
SELECT seconds, p -> 'metrics' ->> 'compute_intensity' AS compute_intensity, p ->> 'estimated_duration_seconds' AS estimated
FROM unnest(ARRAY[0, 9.99, 10, 120, 120.5]) AS seconds, hwsched.workload_profile(jsonb_build_object('expected_duration', seconds)) AS p;
SELECT gb, p -> 'metrics' ->> 'memory_intensity' AS memory_intensity, p ->> 'min_memory_bytes' AS bytes
FROM unnest(ARRAY[0, 0.1, 4, 16, 40]) AS gb, hwsched.workload_profile(jsonb_build_object('minimum_memory', gb)) AS p;
-- A maximum of shards defaults to the minimum and is not below it
SELECT p ->> 'min_shards' AS least, p ->> 'max_shards' AS most
FROM hwsched.workload_profile('{"custom_properties": {"min_shards": 3}}') AS p;
SELECT pg_temp.refused('{"custom_properties": {"min_shards": 3, "max_shards": 2}}');

--
-- A test_type is read by whole words: "television" is not vision
--
SELECT test_type, pg_temp.type_of(test_type)
FROM unnest('{vision,VISION,"Image classification",image-classification,television,revision,input,output,context_switch,text_generation,"nlp benchmark",
	audio,speech2text,speech_to_text,embedding,embeddings,training,constraining,inference,conversational,chat,multimodal,multi_gpu,multi_modal,
	"language vision","training inference",cuda,"",  " ","视觉","vision视觉","vision.nlp","unknown words"}'::text[]) WITH ORDINALITY AS t (test_type, no)
ORDER BY no;

--
-- A preferred backend is a preference, a required one a demand
--
SELECT p -> 'required_backends' AS required, p -> 'preferred_backends' AS preferred
FROM hwsched.workload_profile('{"preferred_backend": "webgpu"}') AS p
UNION ALL SELECT p -> 'required_backends', p -> 'preferred_backends'
FROM hwsched.workload_profile('{"required_backend": "GPU", "preferred_backend": "Cuda"}') AS p;
-- A class word stays, and is met by a device of that class alone
SELECT word, device, hwsched.is_compatible(hwsched.workload_profile(jsonb_build_object('required_backend', word)),
	jsonb_build_object('hardware_class', device, 'compute_units', 2, 'supported_backends', '["onnx"]'::jsonb)) AS fits
FROM unnest('{cpu,gpu,onnx}'::text[]) AS word, unnest('{cpu,gpu}'::text[]) AS device;
-- Unknown names are refused, with the known ones as a hint
SELECT pg_temp.refused('{"required_backend": "cudda"}');
SELECT pg_temp.refused('{"preferred_backend": ""}');
SELECT pg_temp.refused('{"required_accelerators": {"warp_drive": 1}}');
SELECT pg_temp.refused('{"custom_properties": {"allocation_strategy": "scattered"}}');
SELECT pg_temp.refused('{"custom_properties": {"workload_profile": {"required_precisions": ["fp32", "fp33"]}}}');
SELECT pg_temp.refused('{"custom_properties": {"workload_profile": {"workload_type": "visions"}}}');
SELECT pg_temp.refused('{"custom_properties": {"workload_profile": {"preferred_vendors": ["nvidia", 7]}}}');

--
-- A ready-made profile is honoured whole, in any case; what it does not say is inferred
--
SELECT jsonb_pretty(hwsched.workload_profile('{"test_id": "ready", "test_type": "audio", "minimum_memory": 1, "priority": 5, "expected_duration": 30,
	"custom_properties": {"note": "kept", "workload_profile": {"workload_type": "VISION", "required_backends": ["CUDA", "GPU"],
		"preferred_backends": ["ONNX"], "required_precisions": ["FP16", "INT8"], "required_features": ["TENSOR_CORES"],
		"required_models": ["A100"], "min_memory_bytes": 42949672960, "min_compute_units": 40,
		"metrics": {"compute_intensity": 0.9, "memory_intensity": 0.1, "io_intensity": 0.2, "network_intensity": 0.3, "model_size": 0.4,
			"batch_size": 0.5, "latency_sensitivity": 0.6, "throughput_sensitivity": 0.7, "parallelism": 0.8, "temperature": 0.15, "energy_sensitivity": 1},
		"preferred_hardware_class": "GPU", "preferred_architecture": "GPU_CUDA", "preferred_vendors": ["NVIDIA", "AMD"],
		"estimated_duration_seconds": 90.5, "priority": 2, "is_shardable": true, "min_shards": 2, "max_shards": 8, "allocation_strategy": "REPLICATED"}}}'));
SELECT p ->> 'workload_type' AS inferred, p ->> 'min_memory_bytes' AS inferred, p ->> 'preferred_hardware_class' AS ready_made
FROM hwsched.workload_profile('{"test_type": "audio", "minimum_memory": 1,
	"custom_properties": {"workload_profile": {"preferred_hardware_class": "npu", "workload_type": null}}}') AS p;
-- Its own custom properties are kept like the others
SELECT hwsched.workload_profile('{"custom_properties": {"workload_profile": {"custom_properties": {"model_id": "bert", "x": 1}}}}') -> 'custom_properties' @> '{"model_id": "bert", "x": 1}' AS kept;
-- Keys that nothing reads are kept, those of both levels
SELECT hwsched.workload_profile('{"model_id": "m", "team": "a\"b", "nested": {"x": [1, {"y": null}]}, "Priority": 1,
	"custom_properties": {"owner": "żółw", "cost": 1.50}}') -> 'custom_properties' AS kept;

--
-- Bad values: the path of the key, the value, what was expected
--
SELECT pg_temp.refused(document) FROM unnest(ARRAY[
	'[]', '"text"', '7', 'null', 'true',
	'{"test_id": 7}', '{"test_type": ["vision"]}', '{"model_id": {}}', '{"model_family": false}',
	'{"minimum_memory": -1}', '{"minimum_memory": "8"}', '{"minimum_memory": 1000001}', '{"minimum_memory": 1e30}',
	'{"expected_duration": -0.5}', '{"expected_duration": "1 min"}',
	'{"priority": 0}', '{"priority": 6}', '{"priority": 2.5}', '{"priority": "high"}',
	'{"required_backend": 7}', '{"required_backend": ["cuda"]}',
	'{"required_accelerators": ["gpu"]}', '{"required_accelerators": {"gpu": -1}}', '{"required_accelerators": {"gpu": 1.5}}',
	'{"required_accelerators": {"gpu": "two"}}', '{"required_accelerators": {"gpu": 1, "GPU": 2}}',
	'{"accelerator_share": 1.5}', '{"accelerator_share": -0.5}', '{"accelerator_share": 0.5, "required_accelerators": {"gpu": 2}}',
	'{"accelerator_share": 0.5, "required_accelerators": {"gpu": 1, "tpu": 1}}',
	'{"cpu_cores": -1}', '{"cpu_cores": true}', '{"host_memory": "lots"}',
	'{"required_models": "A100"}', '{"required_models": ["A100", 100]}', '{"required_models": [null]}',
	'{"required_software": {"python": 3.11}}', '{"required_software": ["python"]}',
	'{"timeout": -1}', '{"timeout": "a while"}', '{"timeout": "-5 min"}', '{"timeout": [5]}',
	'{"retries": -1}', '{"retries": 1.5}', '{"retries": 99999999999}',
	'{"concurrency_key": 7}', '{"deadline": "someday"}', '{"deadline": 7}', '{"depends_on": "other"}', '{"depends_on": [1]}',
	'{"labels": ["a"]}', '{"custom_properties": []}', '{"custom_properties": {"is_shardable": "yes"}}', '{"custom_properties": {"min_shards": 0}}',
	'{"custom_properties": {"workload_profile": "vision"}}',
	'{"custom_properties": {"workload_profile": {"metrics": {"parallelism": 1.01}}}}',
	'{"custom_properties": {"workload_profile": {"metrics": [0.5]}}}',
	'{"custom_properties": {"workload_profile": {"min_memory_bytes": 1.5}}}',
	'{"custom_properties": {"workload_profile": {"is_shardable": 1}}}',
	'{"custom_properties": {"workload_profile": {"estimated_duration_seconds": -3}}}'
]) WITH ORDINALITY AS d (document, no) ORDER BY no;
-- The value is shown in part when it is long, and whole characters of it
SELECT pg_temp.refused(jsonb_build_object('priority', repeat('ż', 200))::text);
SELECT pg_temp.refused('{"priority": "quote \" and \\ and \u0007"}');
-- null is as good as absent, whatever the key
SELECT hwsched.workload_profile('{"test_id": null, "minimum_memory": null, "priority": null, "required_accelerators": null, "required_models": null,
	"timeout": null, "deadline": null, "labels": null, "custom_properties": null}') - 'custom_properties' = hwsched.workload_profile('{}') - 'custom_properties' AS as_absent;
-- Numbers and nesting that a C parser could stumble over
SELECT document, pg_temp.refused(document) FROM unnest(ARRAY[
	'{"minimum_memory": 0.' || repeat('3', 20) || '}',
	'{"minimum_memory": 1e-300}']) AS document;
-- what a double cannot hold is refused, and shown as it was given
SELECT message ~ '^22023 .*"minimum_memory": ' AS refused, message !~ 'null' AS shown FROM pg_temp.refused('{"minimum_memory": 1e400}') AS message;
SELECT pg_temp.refused('{"custom_properties": {"workload_profile": {"min_memory_bytes": 9007199254740993}}}') ~ '^22023 ' AS refused;
SELECT pg_temp.refused('{"minimum_memory": ' || repeat('9', 400) || '}') ~ '^22023 ' AS refused_long;
SELECT pg_temp.refused('{"custom_properties": {"x": ' || repeat('[', 5000) || repeat(']', 5000) || '}}') ~ '^(22023|54001) ' AS refused_deep;
SELECT length(hwsched.workload_profile(jsonb_build_object('custom_properties', jsonb_build_object('x', repeat('y', 1000000))))::text) > 1000000 AS long_text_kept;
-- Seconds may be intervals, a deadline any timestamp
SELECT pg_temp.refused('{"timeout": "5 min", "deadline": "2026-01-31 12:00:00+00"}');
SELECT pg_temp.refused('{"timeout": 0.5, "deadline": "infinity"}');
-- After many errors the next document is read as before
DO $$
BEGIN
	FOR i IN 1..1000 LOOP
		BEGIN
			PERFORM hwsched.workload_profile('{"priority": 9}');
		EXCEPTION WHEN invalid_parameter_value THEN NULL;
		END;
	END LOOP;
END $$;
SELECT hwsched.workload_profile('{"priority": 2}') ->> 'priority' AS priority;

--
-- Capabilities: the devices that words imply, in order
--
SELECT no, words, d.* FROM (VALUES
	(1, '["cuda"]'), (2, '["CUDA", "gpu", "pytorch"]'), (3, '["cuda:0", "cuda:1"]'), (4, '["rocm"]'), (5, '["cuda", "rocm"]'), (6, '["rocm", "gpu"]'),
	(7, '["mps"]'), (8, '["metal", "mps", "gpu"]'), (9, '["tpu"]'), (10, '["npu", "qnn"]'), (11, '["qnn"]'),
	(12, '["webgpu"]'), (13, '["webnn"]'), (14, '["webgpu", "webnn"]'), (15, '["tpu", "webnn", "cuda", "npu"]'),
	(16, '["input", "output", "cudart", "tput"]'), (17, '["cpu", "onnx"]'), (18, '[]')) AS b (no, words),
	pg_temp.devices(jsonb_build_object('supported_backends', words::jsonb)) AS d
ORDER BY no, device_no;
-- The CPU that cpu_cores imply comes first; a fraction of a core is one unit
SELECT cores, d ->> 'model_name' AS model, d ->> 'compute_units' AS units
FROM unnest(ARRAY[0.5, 1, 7.9, 64]) AS cores, hwsched.device_profiles(jsonb_build_object('cpu_cores', cores)) AS d;
-- Nothing known at all: a generic CPU with those backends that are known
SELECT jsonb_pretty(d) FROM hwsched.device_profiles('{"supported_backends": ["ONNX", "tvm", "nothing", "cpu"], "available_memory": 2}') AS d;
-- How many there are of a kind; a class is shared out among its kinds
SELECT accelerators, d.* FROM (VALUES
	(1, '["cuda"]', '{"cuda": 2}'), (2, '["cuda"]', '{"gpu": 2}'), (3, '[]', '{"gpu": 2}'), (4, '["cuda", "rocm"]', '{"gpu": 3}'),
	(5, '["cuda", "rocm"]', '{"cuda": 1, "rocm": 2}'), (6, '["npu"]', '{"qnn": 2}'), (7, '["cuda"]', '{"tpu": 1}'), (8, '["cuda"]', '{"cuda": 0}'), (9, '["cuda"]', '{"CUDA": 2}')
	) AS b (no, words, accelerators),
	pg_temp.devices(jsonb_build_object('supported_backends', words::jsonb, 'available_accelerators', accelerators::jsonb)) AS d
ORDER BY no, device_no;
-- Each default of each implied device
SELECT name, jsonb_pretty(d) FROM (VALUES ('1 gpu', '["cuda"]'), ('2 tpu', '["tpu"]'), ('3 npu', '["npu"]'), ('4 browser', '["webgpu", "webnn"]')) AS b (name, words),
	hwsched.device_profiles(jsonb_build_object('available_memory', 10, 'supported_backends', words::jsonb)) AS d ORDER BY name COLLATE "C";
-- Described devices are believed, count and all; the CPU is still implied unless there is one
SELECT d.* FROM pg_temp.devices('{"cpu_cores": 8, "supported_backends": ["tpu"], "devices": [
	{"hardware_class": "GPU", "architecture": "gpu_cuda", "vendor": "NVIDIA", "model_name": "A100", "supported_backends": ["CUDA", "onnx"], "count": 2},
	{"model_name": "box"}]}') AS d;
SELECT d.* FROM pg_temp.devices('{"cpu_cores": 8, "devices": [{"hardware_class": "cpu", "model_name": "Xeon"}]}') AS d;
SELECT jsonb_pretty(d) FROM hwsched.device_profiles('{"devices": [{"hardware_class": "gpu", "architecture": "gpu_cuda", "vendor": "nvidia",
	"model_name": "A100", "supported_backends": ["cuda"], "supported_precisions": ["fp16"], "features": ["tensor_cores"],
	"memory_total_bytes": 42949672960, "memory_available_bytes": 42000000000, "memory_bandwidth_gbps": 1555.5, "memory_is_shared": false,
	"memory_type": "HBM2", "memory_hierarchy_levels": 3, "memory_has_unified": true, "compute_units": 108, "clock_speed_mhz": 1410,
	"thermal_design_power_w": 400, "idle_power_w": 50, "idle_celsius": 30, "throttle_celsius": 85,
	"performance_profile": {"fp32_matmul": 19.5e12}}]}') AS d;
-- Bad capabilities
SELECT pg_temp.refused(document, 'device_profiles') FROM unnest(ARRAY[
	'[]', '{"hostname": 7}', '{"cpu_cores": -1}', '{"cpu_cores": "8"}', '{"cpu_threads": 1.5}', '{"available_memory": -1}',
	'{"supported_backends": "cuda"}', '{"supported_backends": [7]}', '{"available_accelerators": ["gpu"]}', '{"available_accelerators": {"gpu": 0.5}}',
	'{"available_accelerators": {"fpga": 1}}', '{"available_accelerators": {"warp": 1}}', '{"available_accelerators": {"gpu": 999999}}',
	'{"software_versions": {"python": 3}}', '{"hardware_specs": "fast"}', '{"network_bandwidth": -1}', '{"cost_per_hour": "free"}',
	'{"max_concurrent": 0}', '{"max_concurrent": 2.5}', '{"labels": 7}', '{"devices": {}}', '{"devices": [7]}', '{"devices": [{"hardware_class": "warp"}]}',
	'{"devices": [{}, {"memory_total_bytes": -1}]}', '{"devices": [{}, {"memory_total_bytes": 1.5}]}', '{"devices": [{}, {"memory_total_bytes": "4 GB"}]}',
	'{"devices": [{"memory_total_bytes": 10, "memory_available_bytes": 11}]}', '{"devices": [{"count": 0}]}', '{"devices": [{"count": 10000}, {"count": 1}]}',
	'{"devices": [{"features": ["tensor_cores", "magic"]}]}', '{"devices": [{"performance_profile": {"fp32_matmul": "quick"}}]}',
	'{"devices": [{"throttle_celsius": 1001}]}', '{"devices": [{"model_name": ["A100"]}]}'
]) WITH ORDINALITY AS d (document, no) ORDER BY no;

--
-- The taxonomy: an administrator's row takes effect at once, here and elsewhere
--
SELECT pg_temp.type_of('cartography');
SELECT pg_temp.refused('{"required_backend": "warp9"}') ~ '^22023' AS unknown_yet;
SET ROLE hwsched_admin;
INSERT INTO hwsched.taxonomy (kind, name) VALUES ('workload_type', 'mapping'), ('backend', 'warp9'), ('hardware_class', 'warp'), ('feature', 'warp_core'),
	('vendor', 'cochrane'), ('architecture', 'warp_coil'), ('precision', 'fp4');
INSERT INTO hwsched.type_word (position, word, workload_type) VALUES (5, 'cartography', 'mapping');
INSERT INTO hwsched.class_similarity (class_1, class_2, similarity) VALUES ('warp', 'gpu', 0.25);
INSERT INTO hwsched.implied_device (name, position, words, absorbs, profile) VALUES ('warp', 80, '{warp9,warp}', '{warp9,warp}',
	'{"hardware_class": "warp", "architecture": "warp_coil", "vendor": "cochrane", "model_name": "Warp-", "supported_backends": ["warp9"], "features": ["warp_core"], "compute_units": 9}');
SELECT pg_temp.type_of('vision cartography') AS first_by_position;
RESET ROLE;
SELECT pg_temp.type_of('cartography'), hwsched.workload_profile('{"required_backend": "warp9"}') -> 'required_backends' AS required;
SELECT d.* FROM pg_temp.devices('{"cpu_cores": 1, "supported_backends": ["warp9"], "available_accelerators": {"warp": 2}}') AS d;
SELECT hwsched.workload_profile('{"custom_properties": {"workload_profile": {"required_features": ["warp_core"], "required_precisions": ["fp4"],
	"preferred_vendors": ["cochrane"], "preferred_architecture": "warp_coil", "preferred_hardware_class": "warp"}}}') -> 'required_features' AS features;
SELECT hwsched.compatibility_score('{"hardware_class": "gpu"}', '{"hardware_class": "warp"}') AS a_quarter_of_a_half;
-- In a session that begins now, and in one that had read the taxonomy before
\c -
CREATE FUNCTION pg_temp.type_of(test_type text) RETURNS text LANGUAGE sql AS $$
	SELECT hwsched.workload_profile(jsonb_build_object('test_type', test_type)) ->> 'workload_type' $$;
SELECT pg_temp.type_of('cartography') AS in_another_session;
\setenv TAXONOMY_DB :DBNAME
\! psql -qX -d "$TAXONOMY_DB" -c "UPDATE hwsched.type_word SET word = 'cartographer' WHERE word = 'cartography'" </dev/null
SELECT pg_temp.type_of('cartography') AS changed_elsewhere, pg_temp.type_of('a cartographer') AS changed_elsewhere;
-- Taken back with its transaction
BEGIN;
DELETE FROM hwsched.type_word WHERE word = 'cartographer';
SELECT pg_temp.type_of('a cartographer') AS deleted;
ROLLBACK;
SELECT pg_temp.type_of('a cartographer') AS rolled_back;
BEGIN;
SAVEPOINT s;
INSERT INTO hwsched.type_word (position, word, workload_type) VALUES (1, 'fleeting', 'nlp');
SELECT pg_temp.type_of('fleeting') AS inserted;
ROLLBACK TO s;
SELECT pg_temp.type_of('fleeting') AS rolled_back;
COMMIT;
-- The extension's own rows are not the administrator's to change, nor to fake
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; rows bigint;
BEGIN
	EXECUTE statement;
	GET DIAGNOSTICS rows = ROW_COUNT;
	RETURN rows || ' rows';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
	RETURN concat_ws(' | ', state, message);
END $$;
SET ROLE hwsched_admin;
SELECT outcome FROM unnest(ARRAY[
	$$DELETE FROM hwsched.taxonomy WHERE name = 'cuda'$$,
	$$UPDATE hwsched.type_word SET workload_type = 'nlp' WHERE word = 'vision'$$,
	$$UPDATE hwsched.implied_device SET position = 0 WHERE builtin$$,
	$$DELETE FROM hwsched.class_similarity WHERE builtin$$,
	$$INSERT INTO hwsched.taxonomy (kind, name, builtin) VALUES ('backend', 'fake', true)$$,
	$$UPDATE hwsched.taxonomy SET builtin = true WHERE name = 'warp9'$$,
	$$TRUNCATE hwsched.taxonomy$$,
	$$INSERT INTO hwsched.taxonomy (kind, name) VALUES ('backend', 'Upper Case')$$,
	$$INSERT INTO hwsched.taxonomy (kind, name) VALUES ('backend', 'cuda')$$,
	$$INSERT INTO hwsched.type_word (position, word, workload_type) VALUES (1, 'two words', 'nlp')$$,
	$$INSERT INTO hwsched.class_similarity (class_1, class_2, similarity) VALUES ('tpu', 'npu', 2)$$
]) WITH ORDINALITY AS s (statement, no), pg_temp.error_of(statement) AS outcome ORDER BY no;
RESET ROLE;
-- A row that makes no sense does not take the others along: it is refused, or harms no one else
BEGIN;
SELECT pg_temp.error_of($$INSERT INTO hwsched.implied_device (name, position, words, profile) VALUES ('bad', 90, '{bad}', '{"hardware_class": 7}')$$) IS NOT NULL AS tried;
SELECT pg_temp.error_of($$SELECT hwsched.workload_profile('{}')$$) AS everything_else, pg_temp.error_of($$SELECT hwsched.device_profiles('{"cpu_cores": 1}')$$) AS everything_else;
ROLLBACK;
DELETE FROM hwsched.type_word WHERE NOT builtin;
DELETE FROM hwsched.taxonomy WHERE NOT builtin;
DELETE FROM hwsched.class_similarity WHERE NOT builtin;
DELETE FROM hwsched.implied_device WHERE NOT builtin;
SELECT pg_temp.type_of('cartographer') AS forgotten;
