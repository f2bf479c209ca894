-- Devices that come back: in another order, fewer, others; with and without a
-- device_id.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

CREATE VIEW pg_temp.held AS
SELECT d.pool, d.worker_id, d.device_no, d.device_id, p.model_name, u.slots, u.share, u.memory_bytes
FROM hwsched.device AS d JOIN hwsched.device_usage AS u USING (pool, worker_id, device_no)
JOIN hwsched.device_profile AS p USING (pool, profile_id);
CREATE VIEW pg_temp.went AS
SELECT a.pool, a.workload_id, a.attempt, a.state, a.device_nos, a.device_ids, a.error, w.state AS workload
FROM hwsched.assignment AS a JOIN hwsched.workload AS w USING (pool, workload_id);
-- A card by its letter: a and b have 16 GB, the others 80
CREATE FUNCTION pg_temp.cards(letters text, ids boolean) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('cpu_cores', 8, 'devices', jsonb_agg(jsonb_build_object('hardware_class', 'gpu', 'vendor', 'nvidia', 'supported_backends', '["cuda"]'::jsonb,
		'model_name', CASE WHEN l IN ('a', 'b') THEN 'T4' ELSE 'A100' END, 'memory_total_bytes', CASE WHEN l IN ('a', 'b') THEN 16 ELSE 80 END * 1073741824::bigint)
		|| CASE WHEN ids THEN jsonb_build_object('device_id', 'GPU-' || l) ELSE '{}' END ORDER BY n))
	FROM string_to_table(letters, NULL) WITH ORDINALITY AS t (l, n) $$;
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

--
-- With a device_id: the number stays with the device, and work with both
--
SELECT hwsched.create_pool('dev', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker('n', pg_temp.cards('cad', true), 'dev');
SELECT device_no, device_id, model_name FROM pg_temp.held WHERE pool = 'dev' ORDER BY 1;
SELECT hwsched.submit_many('[{"test_id": "big", "required_accelerators": {"gpu": 2}, "minimum_memory": 40}, {"test_id": "small", "required_accelerators": {"gpu": 1}}]', 'dev');
SELECT hwsched.assign_pending(pool => 'dev');
SELECT workload_id FROM hwsched.claim('n', pool => 'dev');
SELECT workload_id, state, device_nos, device_ids FROM pg_temp.went WHERE pool = 'dev' ORDER BY 1;
-- the other way round, with a new one in front
SELECT hwsched.register_worker('n', pg_temp.cards('bdac', true), 'dev');
SELECT device_no, device_id, model_name, share, memory_bytes FROM pg_temp.held WHERE pool = 'dev' ORDER BY 1;
SELECT workload_id, state, device_nos FROM pg_temp.went WHERE pool = 'dev' ORDER BY 1;
-- a report names devices by their number, and the one that is free is the new one
SELECT hwsched.update_load('n', '{"devices": [{"device_no": 4, "utilization": 50}, {"device_no": 1, "utilization": 10}]}', 'dev');
SELECT worker_id, device_no, load_ratio FROM hwsched.compatible_hardware('small', 'dev') WHERE device_no IN (1, 4) ORDER BY 2;
SELECT hwsched.submit('{"test_id": "next", "required_accelerators": {"gpu": 1}}', 'dev'), hwsched.assign_pending(pool => 'dev');
SELECT device_nos, device_ids FROM pg_temp.went WHERE pool = 'dev' AND workload_id = 'next';
-- one that is gone takes what runs on it along, and leaves a gap; what it had of it elsewhere is free
SELECT hwsched.register_worker('n', pg_temp.cards('acb', true), 'dev');
SELECT device_no, device_id, share FROM pg_temp.held WHERE pool = 'dev' ORDER BY 1;
SELECT workload_id, attempt, state, error, workload FROM pg_temp.went WHERE pool = 'dev' ORDER BY 1;
SELECT device_nos FROM hwsched.hardware JOIN hwsched.worker_usage USING (pool, hardware_id) WHERE pool = 'dev';
-- loads and temperatures are told by numbers, whatever gaps there are
SELECT hwsched.update_load('n', '{"gpu_utilization": 20, "devices": [{"device_no": 4, "utilization": 60, "temperature_celsius": 50}]}', 'dev');
SELECT device_no, round((load_ratio)::numeric, 3) AS load, round(temperature_ratio::numeric, 3) AS temperature FROM hwsched.compatible_hardware('next', 'dev') WHERE device_no > 0 ORDER BY 1;
SELECT pg_temp.error_of($$SELECT hwsched.update_load('n', '{"devices": [{"device_no": 3, "utilization": 50}]}', 'dev')$$);
-- back again: a number of its own, and the same kind of worker whatever the order
SELECT hwsched.register_worker('n', pg_temp.cards('dcba', true), 'dev');
SELECT device_no, device_id FROM pg_temp.held WHERE pool = 'dev' ORDER BY 1;
SELECT hwsched.register_worker('n', pg_temp.cards('abcd', true), 'dev');
SELECT count(*) AS kinds_of_four FROM hwsched.hardware WHERE pool = 'dev' AND cardinality(device_nos) = 5;
SELECT workload_id FROM hwsched.schedule('big', 'dev');
SELECT device_nos, device_ids FROM pg_temp.went WHERE pool = 'dev' AND workload_id = 'big' AND state = 'assigned';

--
-- Without: place and make tell. Another order is another set of devices
--
SELECT hwsched.create_pool('dev_2', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker('n', pg_temp.cards('ca', false), 'dev_2');
SELECT hwsched.submit_many('[{"test_id": "runs", "required_accelerators": {"gpu": 1}, "minimum_memory": 40}, {"test_id": "waits", "required_accelerators": {"gpu": 1}}, {"test_id": "cpu", "required_backend": "cpu"}]', 'dev_2');
SELECT hwsched.assign_pending(pool => 'dev_2');
SELECT hwsched.start(assignment_id, 'dev_2') FROM hwsched.assignment WHERE pool = 'dev_2' AND workload_id IN ('runs', 'cpu');
SELECT hwsched.register_worker('n', pg_temp.cards('ac', false), 'dev_2');
SELECT workload_id, state, error, workload FROM pg_temp.went WHERE pool = 'dev_2' ORDER BY 1;
SELECT device_no, model_name, slots, share FROM pg_temp.held WHERE pool = 'dev_2' ORDER BY 1;
SELECT pg_temp.error_of($$SELECT hwsched.complete(assignment_id, pool => 'dev_2') FROM hwsched.assignment WHERE pool = 'dev_2' AND workload_id = 'runs'$$) ~ 'its lease is lost' AS is_lost;
-- of the same make, a device stays what it is with other software, or less of its worker's memory
SELECT hwsched.assign_pending(pool => 'dev_2');
SELECT workload_id FROM hwsched.claim('n', 9, pool => 'dev_2') ORDER BY 1;
SELECT hwsched.register_worker('n', jsonb_set(pg_temp.cards('ac', false), '{devices,1,supported_backends}', '["cuda", "opencl"]') || '{"available_memory": 8, "cpu_cores": 4}', 'dev_2');
SELECT workload_id, state FROM pg_temp.went WHERE pool = 'dev_2' AND state <> 'expired' ORDER BY 1;
-- it may give its devices names later: they stay what they are
SELECT hwsched.register_worker('n', pg_temp.cards('ac', true), 'dev_2');
SELECT workload_id, state FROM pg_temp.went WHERE pool = 'dev_2' AND state <> 'expired' ORDER BY 1;
SELECT hwsched.register_worker('n', pg_temp.cards('ca', true), 'dev_2');
SELECT workload_id, state FROM pg_temp.went WHERE pool = 'dev_2' AND state <> 'expired' ORDER BY 1;
SELECT device_no, device_id, model_name, slots, share FROM pg_temp.held WHERE pool = 'dev_2' ORDER BY 1;

--
-- What identifies nothing is refused
--
SELECT pg_temp.error_of(format('SELECT hwsched.register_worker(''x'', %L, ''dev'')', d)) FROM unnest(ARRAY[
	'{"devices": [{"hardware_class": "gpu", "device_id": "a"}, {"hardware_class": "gpu", "device_id": "a"}]}',
	'{"devices": [{"hardware_class": "gpu", "device_id": "a", "count": 2}]}',
	'{"devices": [{"hardware_class": "gpu", "device_id": ""}]}',
	'{"devices": [{"hardware_class": "gpu", "device_id": 7}]}']) AS d;
--
-- One broken device of a healthy worker is quarantined by itself
--
SELECT hwsched.create_pool('dev_3', '{"retry_backoff": "0 s", "quarantine_after": 2}');
SELECT hwsched.register_worker('n', pg_temp.cards('aab', false), 'dev_3');
CREATE VIEW pg_temp.sick AS SELECT device_no, state, health, failures_in_row AS failures, quarantines_in_row AS quarantines FROM hwsched.device
WHERE pool = 'dev_3' AND (state, health, failures_in_row) IS DISTINCT FROM ('active', 'healthy', 0) ORDER BY 1;
-- runs one on card 1 (the others are taken), to a given end
CREATE FUNCTION pg_temp.run(id text, ends text) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
	a record;
BEGIN
	PERFORM hwsched.submit(jsonb_build_object('test_id', id, 'retries', 0, 'required_accelerators', '{"gpu": 1}'::jsonb), 'dev_3');
	SELECT * INTO a FROM hwsched.schedule(id, 'dev_3');
	PERFORM hwsched.start(a.assignment_id, 'dev_3') WHERE a.assignment_id IS NOT NULL;
	IF ends = 'fail' THEN PERFORM hwsched.fail(a.assignment_id, 'broken', 'dev_3');
	ELSIF ends = 'complete' THEN PERFORM hwsched.complete(a.assignment_id, pool => 'dev_3'); END IF;
	RETURN a.device_nos;
END $$;
SELECT pg_temp.run('f1', 'fail'), pg_temp.run('f2', 'fail');
SELECT * FROM pg_temp.sick;
SELECT health, failures_in_row, quarantined_devices, draining_devices FROM hwsched.worker_status WHERE pool = 'dev_3';
-- the others go on, and it gets nothing
SELECT pg_temp.run('g1', 'keep'), pg_temp.run('g2', 'keep'), pg_temp.run('g3', 'keep');
SELECT device_no, reason FROM hwsched.compatible_hardware('g3', 'dev_3') ORDER BY 1;
-- tried again after a minute, with success
UPDATE hwsched.device SET health_since = now() - interval '61 s' WHERE pool = 'dev_3';
SELECT tried_again FROM hwsched.maintain('dev_3');
SELECT * FROM pg_temp.sick;
SELECT workload_id, device_nos FROM hwsched.schedule('g3', 'dev_3');
SELECT hwsched.start(assignment_id, 'dev_3'), hwsched.complete(assignment_id, pool => 'dev_3') FROM hwsched.assignment WHERE pool = 'dev_3' AND workload_id = 'g3';
SELECT expired FROM hwsched.maintain('dev_3');
SELECT * FROM pg_temp.sick;
-- what fails on all its devices is the worker's fault
SELECT hwsched.complete_many(array_agg(assignment_id), 'dev_3') FROM hwsched.assignment WHERE pool = 'dev_3' AND state = 'running';
SELECT hwsched.drain_device('n', 0, 'dev_3'), hwsched.drain_device('n', 2, 'dev_3'), hwsched.drain_device('n', 3, 'dev_3');
UPDATE hwsched.device SET failures_in_row = 1 WHERE pool = 'dev_3' AND device_no <> 1;
SELECT pg_temp.run('h1', 'fail'), pg_temp.run('h2', 'fail');
SELECT * FROM pg_temp.sick;
SELECT health FROM hwsched.worker_status WHERE pool = 'dev_3';
UPDATE hwsched.worker SET health = 'healthy' WHERE pool = 'dev_3';
-- draining by hand, until it is resumed; that ends a quarantine, too
SELECT hwsched.drain_device('n', 1, 'dev_3');
SELECT pg_temp.run('i1', 'keep');
SELECT reason FROM hwsched.pending_workloads WHERE pool = 'dev_3';
SELECT quarantined_devices, draining_devices FROM hwsched.worker_status WHERE pool = 'dev_3';
UPDATE hwsched.device SET health = 'quarantined', quarantines_in_row = 3 WHERE pool = 'dev_3' AND device_no = 2;
SELECT hwsched.resume_device('n', 2, 'dev_3');
SELECT * FROM pg_temp.sick;
SELECT device_nos FROM hwsched.schedule('i1', 'dev_3');
SELECT pg_temp.error_of($$SELECT hwsched.drain_device('n', 9, 'dev_3')$$);
SELECT pg_temp.error_of($$SELECT hwsched.resume_device('m', 1, 'dev_3')$$);

SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool ~ '^dev';
