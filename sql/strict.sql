-- Documents that people write: unknown keys, values that cannot be meant so, and what would become of a document.
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	hint text;
	path text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, path = COLUMN_NAME;
	RETURN sqlstate || ' | ' || message || ' | ' || coalesce(path, '') || coalesce(' | ' || regexp_replace(nullif(hint, ''), 'Known keys are: .*\.', 'Known keys are: ...'), '');
END $$;
SELECT hwsched.create_pool('strict');
SELECT hwsched.register_worker('w', '{"cpu_cores": 8, "available_memory": 64}', 'strict');

--
-- Unknown keys of every document are refused, with the nearest one that is known
--
SELECT pg_temp.error_of(format('SELECT hwsched.submit(%L, %L)', d, 'strict')) FROM unnest(ARRAY[
	'{"minimun_memory": 9000}', '{"Priority": 1}', '{"minimumMemory": 1}', '{"retires": 1}', '{"something_else": 1}', '{"": 1}', '{"cpu_cores": 1, "host-memory": 1}',
	'{"custom_properties": {"mine": 1, "workload_profile": {"mine": 1, "custom_properties": {"mine": 1}}}}', '{"labels": {"mine": 1}}', '{"nothing_at_all": null}']) WITH ORDINALITY AS t (d, no) ORDER BY no;
SELECT pg_temp.error_of($$SELECT hwsched.submit_many('[{"cpu_cores": 1}, {"cpu_core": 1}]', 'strict')$$);
SELECT pg_temp.error_of(format('SELECT hwsched.register_worker(%L, %L, %L)', 'u', d, 'strict')) FROM unnest(ARRAY[
	'{"cpu_core": 8}', '{"cpu_cores": 8, "devices": [{"hardware_class": "cpu"}, {"hardware_clas": "gpu"}]}', '{"devices": [{"counts": 2}]}', '{"devices": [{"device": "x"}]}', '{"gpu_memory": 16}',
	'{"hardware_specs": {"mine": 1}, "labels": {"mine": 1}, "storage_capacity": 100, "available_disk": 10, "worker_id": "u", "cpu_cores": 1}', '{"worker_id": "w"}']) WITH ORDINALITY AS t (d, no) ORDER BY no;
SELECT pg_temp.error_of(format('SELECT hwsched.update_load(%L, %L, %L)', 'w', d, 'strict')) FROM unnest(ARRAY[
	'{"cpu_utilisation": 8}', '{"cpu_utilization": 8, "devices": [{"device_no": 0, "gpu_utilization": 1}]}', '{"cpu": 8}',
	'{"cpu_utilization": 8, "warming_state": true, "cooling_state": false, "performance_level": 0.9, "reserved_memory": 4, "queued_tests": 2}']) WITH ORDINALITY AS t (d, no) ORDER BY no;
-- the guide's own are shown
SELECT worker_id, also_reported FROM hwsched.worker_status WHERE pool = 'strict' ORDER BY 1;
SELECT pg_temp.error_of(format('SELECT hwsched.alter_pool(%L, %L)', 'strict', d)) FROM unnest(ARRAY[
	'{"max_concurent": 7}', '{"retention": {"hour": "1 day"}}', '{"objective": {"times": 1}}', '{"unknown_keys": "ignore"}', '{"unknown_keys": 7}']) WITH ORDINALITY AS t (d, no) ORDER BY no;
-- nothing of that was taken
SELECT count(*) FROM hwsched.workload WHERE pool = 'strict';
SELECT worker_id FROM hwsched.worker WHERE pool = 'strict' ORDER BY 1;
SELECT name, value FROM hwsched.pool_settings('strict') WHERE value IS DISTINCT FROM default_value;

--
-- Pure functions do not mind, nor what was recorded
--
SELECT hwsched.workload_profile('{"minimun_memory": 9000}') #> '{custom_properties,minimun_memory}' AS kept, hwsched.workload_profile('{"custom_properties": {"mine": 1}}') -> 'custom_properties' AS own;
SELECT count(*) FROM hwsched.device_profiles('{"cpu_cores": 1, "colour": "red"}');
SELECT hwsched.is_compatible('{"mine": 1}', '{"mine": 1}'), hwsched.record_resource_utilization('w', '{"cpu_utilization": 5, "mine": 1}', now(), NULL, 'strict');

--
-- With a setting they are warned of or kept, where the user's own goes
--
SELECT hwsched.alter_pool('strict', '{"unknown_keys": "warn"}');
SELECT hwsched.submit('{"test_id": "warned", "minimun_memory": 9000, "custom_properties": {"mine": 1}}', 'strict');
SELECT hwsched.register_worker('warned', '{"cpu_cores": 8, "colour": "red", "hardware_specs": {"mine": 1}, "devices": [{"hardware_class": "cpu", "model_name": "C", "memory_total_bytes": 1000, "colour": "blue"}]}', 'strict');
SELECT hwsched.update_load('warned', '{"cpu_utilization": 50, "mood": "fine"}', 'strict');
SELECT hwsched.alter_pool('strict', '{"max_concurent": 7, "lease": "70 s"}');
-- a call raises ten of them
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'm' || i, 'mood', i)) FROM generate_series(1, 12) AS i), 'strict');
SELECT hwsched.alter_pool('strict', '{"unknown_keys": "keep", "max_loaf": 1}');
SELECT hwsched.submit('{"test_id": "kept", "minimun_memory": 9000, "mine": 2, "custom_properties": {"mine": 1}}', 'strict'), hwsched.submit('{"test_id": "kept too", "minimun_memory": 9000}', 'strict');
SELECT hwsched.register_worker('kept', '{"cpu_cores": 8, "colour": "red"}', 'strict');
-- where the user's own has no place they are dropped
SELECT hwsched.register_worker('dropped', '{"cpu_cores": 8, "colour": "red", "devices": [{"hardware_class": "gpu", "colour": "blue", "labels": {"of": "the user"}, "memory_total_bytes": 1000000000}]}', 'strict');
SELECT capabilities FROM hwsched.worker WHERE pool = 'strict' AND worker_id = 'dropped';
SELECT workload_id, requirements FROM hwsched.workload WHERE pool = 'strict' AND workload_id ~ 'warned|kept' ORDER BY 1;
SELECT worker_id, capabilities FROM hwsched.worker WHERE pool = 'strict' AND worker_id ~ 'warned|kept' ORDER BY 1;
SELECT name, value FROM hwsched.pool_settings('strict') WHERE value IS DISTINCT FROM default_value ORDER BY 1;
-- what it says holds for itself
SELECT pg_temp.error_of($$SELECT hwsched.alter_pool('strict', '{"unknown_keys": null, "max_loaf": 1}')$$);
SELECT hwsched.alter_pool('strict', '{"unknown_keys": null}');
-- what was taken before is never looked at again
SELECT hwsched.assign_pending(NULL, 'strict');

--
-- Values of another unit, and what cannot be meant so
--
SELECT pg_temp.error_of(format('SELECT hwsched.submit(%L, %L)', d, 'strict')) FROM unnest(ARRAY['{"minimum_memory": "16GB"}', '{"host_memory": "16GB"}']) AS t (d);
SELECT hwsched.submit('{"test_id": "bytes", "minimum_memory": 16384}', 'strict');
SELECT hwsched.submit_many('[{"minimum_memory": 60}, {"minimum_memory": 70}, {"minimum_memory": 80}]', 'strict');
-- where no worker ever was, nothing is too much
SELECT hwsched.create_pool('strict2'), hwsched.submit('{"test_id": "bytes", "minimum_memory": 16384}', 'strict2');
SELECT pg_temp.error_of(format('SELECT hwsched.update_load(%L, %L, %L)', 'w', d, 'strict')) FROM unnest(ARRAY['{"temperature": 70}', '{}', '{"cpu_utilization": null}', '{"devices": []}', '{"devices": [{"device_no": 0}]}', '{"warming_state": true}']) AS t (d);
-- the report before still stands
SELECT cpu_utilization, also_reported FROM hwsched.worker_load WHERE pool = 'strict' AND worker_id = 'w';
SELECT hwsched.update_load('w', '{"cpu_utilization": 0.95, "memory_utilization": 0.5}', 'strict');
SELECT hwsched.update_load('w', '{"cpu_utilization": 0.95, "memory_utilization": 50}', 'strict'), hwsched.update_load('w', '{"cpu_utilization": 0, "memory_utilization": 1}', 'strict');
SELECT hwsched.register_worker('doubt', '{"cpu_cores": 8, "supported_backends": ["cuda:0", "cuba", "CPU"], "hardware_specs": {"gpu_memory": 16}}', 'strict');
SELECT hwsched.register_worker('doubt', '{"cpu_cores": 8, "devices": [{"hardware_class": "gpu", "model_name": "A"}]}', 'strict');
SELECT hwsched.register_worker('doubt', '{"cpu_cores": 8, "available_memory": 4, "devices": [{"hardware_class": "gpu", "model_name": "A"}, {"hardware_class": "npu", "memory_is_shared": true}, {"hardware_class": "gpu", "memory_total_bytes": 1000}]}', 'strict');
SELECT pg_temp.error_of(c) FROM unnest(ARRAY['SELECT hwsched.history_json(''2026-01-01'', ''2026-01-01'')', 'SELECT hwsched.vega_spec(''efficiency'', ''2026-01-02'', ''2026-01-01'')', 'SELECT hwsched.summary_report(''2026-01-02'', ''2026-01-01'')',
	'SELECT * FROM hwsched.performance_history(since => ''2026-01-02'', until => ''2026-01-01'')']) AS t (c);

--
-- How work is split, at the top or among the custom properties
--
SELECT hwsched.submit_many('[{"test_id": "s1", "allocation_strategy": "sharded", "min_shards": 2}, {"test_id": "s2", "allocation_strategy": "replicated", "max_shards": 3, "quorum": 2},
	{"test_id": "s3", "allocation_strategy": "sharded", "min_shards": 2, "custom_properties": {"allocation_strategy": "SHARDED", "share_worker": true}},
	{"test_id": "s4", "custom_properties": {"allocation_strategy": "sharded", "min_shards": 2}}]', 'strict');
SELECT hwsched.submit('{"test_id": "s5", "allocation_strategy": "replicated", "min_shards": 2, "is_shardable": false}', 'strict');
SELECT w.workload_id, p.profile ->> 'allocation_strategy' AS strategy, p.profile ->> 'is_shardable' AS is_shardable, p.profile -> 'min_shards' AS least, p.profile -> 'max_shards' AS most, p.demand -> 'quorum' AS quorum, p.demand -> 'share_worker' AS share_worker
FROM hwsched.submission AS w JOIN hwsched.workload_profile AS p USING (pool, profile_id) WHERE w.pool = 'strict' AND w.workload_id ~ '^s[0-9]' ORDER BY 1;
SELECT p ->> 'is_shardable' AS is_shardable, p ->> 'allocation_strategy' AS strategy, p -> 'min_shards' AS least FROM hwsched.workload_profile('{"allocation_strategy": "sharded", "min_shards": 2}') AS p;
SELECT pg_temp.error_of(format('SELECT hwsched.submit(%L, %L)', d, 'strict')) FROM unnest(ARRAY[
	'{"min_shards": 2, "custom_properties": {"min_shards": 3}}', '{"allocation_strategy": "single", "custom_properties": {"allocation_strategy": "sharded"}}', '{"quorum": 1, "custom_properties": {"quorum": 2}}',
	'{"is_shardable": true, "custom_properties": {"is_shardable": false}}', '{"share_worker": true, "custom_properties": {"share_worker": null}}', '{"allocation_strategy": "replicated", "quorum": 9}']) WITH ORDINALITY AS t (d, no) ORDER BY no;

--
-- What would become of a document: by the same code, all at once
--
SELECT path, severity, message, regexp_replace(hint, 'Known (keys|names) are: .*\.', 'Known \1 are: ...') AS hint FROM hwsched.check_requirements('{"minimun_memory": 9000, "priority": 9, "required_backend": "cuba", "cpu_cores": -1, "minimum_memory": 16384,
	"required_software": {"python": "<3"}, "test_type": "vision", "custom_properties": {"quorum": "x"}, "depends_on": [1]}', 'strict');
SELECT * FROM hwsched.check_requirements('{"test_id": "x", "allocation_strategy": "sharded", "is_shardable": false}', 'strict');
SELECT * FROM hwsched.check_requirements('{"test_type": "image_classification", "allocation_strategy": "sharded", "max_shards": 4}');
SELECT * FROM hwsched.check_requirements('{"test_id": "", "min_shards": 1, "custom_properties": {"min_shards": 2}}');
SELECT path, severity, message, regexp_replace(hint, 'Known (keys|names) are: .*\.', 'Known \1 are: ...') AS hint FROM hwsched.check_capabilities('{"cpu_core": 8, "available_memory": -1, "supported_backends": ["cuda:0", "cuba"], "hardware_specs": {"gpu_memory": 16},
	"devices": [{"hardware_class": "gpo"}, {"hardware_class": "gpu", "memory_total_bytes": 1073741824, "count": 2}]}', 'strict');
SELECT * FROM hwsched.check_capabilities('{"cpu_cores": 8, "available_memory": 16, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}');
SELECT * FROM hwsched.check_capabilities('{"available_accelerators": {"npu": 1, "fpga": 2}}');
SELECT * FROM hwsched.check_requirements('[]');
SELECT pg_temp.error_of($$SELECT hwsched.check_requirements('{}', 'no pool')$$);
-- they write nothing
BEGIN READ ONLY;
SELECT count(*) FROM hwsched.check_requirements('{"minimum_memory": 16384}', 'strict'), hwsched.check_capabilities('{}', 'strict');
COMMIT;
SELECT hwsched.drop_pool('strict'), hwsched.drop_pool('strict2');
