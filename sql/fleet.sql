-- The fleet: registering and re-registering, load, heartbeats, draining,
-- leaving, pools and their settings.
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
-- What live assignments hold, and where each workload is
CREATE VIEW pg_temp.held AS
SELECT u.pool, u.worker_id, u.device_no, u.slots, u.share, u.memory_bytes FROM hwsched.device_usage AS u;
CREATE VIEW pg_temp.place AS
SELECT w.pool, w.workload_id, w.state, a.worker_id, a.device_nos, a.state AS assignment, a.attempt, a.error
FROM hwsched.workload AS w LEFT JOIN hwsched.assignment AS a USING (pool, workload_id, run);

SELECT hwsched.create_pool('fleet'), hwsched.create_pool('fleet_ids');

--
-- Ids: underscores (the reference cut them off there), quotes, unicode, 200 characters
--
CREATE TEMP TABLE ids AS SELECT no, id FROM unnest(ARRAY['a_b_c', '_', 'a', 'o''brien "x" \ $1 %s', E'tab\tline\nend', '工人-żółw-🚀',
	repeat('x', 200), repeat('ż', 200), ' padded ', '{"json": 1}', 'NULL']) WITH ORDINALITY AS i (id, no);
SELECT count(hwsched.register_worker(id, '{"cpu_cores": 1, "max_concurrent": 1}', 'fleet_ids')) FROM ids;
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', id) ORDER BY no) FROM ids), 'fleet_ids');
SELECT hwsched.assign_pending(NULL, 'fleet_ids');
-- each got one of the equal tests
SELECT count(DISTINCT a.worker_id) AS workers, count(*) AS assignments, bool_and(a.worker_id = i.id) IS NOT NULL AS known
FROM hwsched.assignment AS a JOIN ids AS i ON i.id = a.worker_id WHERE a.pool = 'fleet_ids';
SELECT id FROM ids WHERE NOT EXISTS (SELECT FROM hwsched.worker AS w WHERE w.pool = 'fleet_ids' AND w.worker_id = ids.id);
SELECT count(*) AS claimed FROM ids, hwsched.claim(id, 1, true, 'fleet_ids') AS c WHERE c.worker_id = id;
SELECT count(hwsched.update_load(id, '{"cpu_utilization": 1}', 'fleet_ids')) AS loads, count(hwsched.heartbeat(id, 'fleet_ids')) AS beats FROM ids;
SELECT count(hwsched.unregister_worker(id, 'fleet_ids')) AS left_again FROM ids;
SELECT count(*) AS workers FROM hwsched.worker WHERE pool = 'fleet_ids';
SELECT pg_temp.error_of($$SELECT hwsched.register_worker('', '{}', 'fleet_ids')$$);
SELECT pg_temp.error_of(format('SELECT hwsched.register_worker(%L, ''{}'', ''fleet_ids'')', repeat('x', 1001))) ~ '^22023 .*Expected 1 to 1000 bytes' AS too_long;

--
-- Registering: what the worker says is kept, and its devices are rows
--
SELECT hwsched.register_worker('w1', '{"hostname": "node-1", "cpu_cores": 7.5, "cpu_threads": 16, "available_memory": 0.5, "supported_backends": ["cuda"],
	"available_accelerators": {"cuda": 2}, "software_versions": {"python": "3.11"}, "hardware_specs": {"bios": 1}, "network_bandwidth": 10,
	"cost_per_hour": 1.25, "max_concurrent": 3, "labels": {"zone": "a"}, "hardware_specs": {"colour": "red"}}', 'fleet');
SELECT worker_id, state, hostname, cpu_millicores, memory_bytes, max_concurrent, software_versions, cost_per_hour, network_bandwidth, labels, capabilities #>> '{hardware_specs,colour}' AS colour
FROM hwsched.worker WHERE pool = 'fleet';
SELECT device_no, hardware_class, p.model_name, p.compute_units, p.memory_total_bytes, d.memory_bytes, uses_host_memory
FROM hwsched.device AS d JOIN hwsched.device_profile AS p USING (pool, profile_id) WHERE pool = 'fleet' AND worker_id = 'w1' ORDER BY 1;
-- equal devices share a profile, of the pool they are in
SELECT hwsched.register_worker('w2', (SELECT capabilities FROM hwsched.worker WHERE pool = 'fleet' AND worker_id = 'w1'), 'fleet');
SELECT count(*) AS devices, count(DISTINCT profile_id) AS profiles FROM hwsched.device WHERE pool = 'fleet';
-- a bad document leaves no worker behind
SELECT pg_temp.error_of($$SELECT hwsched.register_worker('bad', '{"devices": [{}, {"memory_total_bytes": -1}]}', 'fleet')$$);
SELECT count(*) FROM hwsched.worker WHERE pool = 'fleet' AND worker_id = 'bad';

--
-- Registering again: other hardware counts at once, work not started on it goes back
--
SELECT hwsched.create_pool('fleet_again', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 4, "available_memory": 32, "devices": [
	{"hardware_class": "gpu", "model_name": "A", "supported_backends": ["cuda"], "compute_units": 80, "memory_total_bytes": 17179869184, "count": 3}]}', 'fleet_again');
SELECT hwsched.submit_many('[{"test_id": "started", "required_accelerators": {"gpu": 1}, "minimum_memory": 8}, {"test_id": "waiting", "required_accelerators": {"gpu": 1}, "minimum_memory": 8},
	{"test_id": "stays", "required_accelerators": {"gpu": 1}, "minimum_memory": 8}]', 'fleet_again');
SELECT hwsched.assign_pending(NULL, 'fleet_again');
SELECT workload_id, state, device_nos FROM pg_temp.place WHERE pool = 'fleet_again' ORDER BY 1;
SELECT count(hwsched.start(assignment_id, 'fleet_again')) FROM hwsched.assignment WHERE pool = 'fleet_again' AND workload_id = 'started';
-- the same again changes nothing, in whatever order the keys are
SELECT hwsched.register_worker('w', '{"available_memory": 32.0, "cpu_cores": 4, "devices": [
	{"model_name": "A", "supported_backends": ["cuda"], "hardware_class": "gpu", "compute_units": 80, "memory_total_bytes": 17179869184, "count": 3}]}', 'fleet_again');
SELECT workload_id, state, device_nos FROM pg_temp.place WHERE pool = 'fleet_again' ORDER BY 1;
-- devices 1 and 2 become another model: what runs there is lost; device 3 stays
SELECT hwsched.register_worker('w', '{"cpu_cores": 4, "available_memory": 32, "devices": [
	{"hardware_class": "gpu", "model_name": "B", "supported_backends": ["rocm"], "compute_units": 80, "memory_total_bytes": 4294967296, "count": 2},
	{"hardware_class": "gpu", "model_name": "A", "supported_backends": ["cuda"], "compute_units": 80, "memory_total_bytes": 17179869184}]}', 'fleet_again');
SELECT workload_id, state, device_nos, assignment, attempt, error FROM pg_temp.place WHERE pool = 'fleet_again' ORDER BY 1, attempt, assignment;
SELECT device_no, slots, share, memory_bytes FROM pg_temp.held WHERE pool = 'fleet_again' ORDER BY 1;
SELECT workload_id, attempt FROM hwsched.pending WHERE pool = 'fleet_again' ORDER BY 1;
-- nothing with 8 GB is free any more: it waits, and says why
SELECT hwsched.assign_pending(NULL, 'fleet_again') AS placed;
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'fleet_again' ORDER BY 1;
-- fewer devices: what was on those that are gone goes back, too
SELECT hwsched.register_worker('w', '{"cpu_cores": 4, "available_memory": 32}', 'fleet_again');
SELECT workload_id, state FROM hwsched.workload WHERE pool = 'fleet_again' ORDER BY 1;
SELECT device_no, slots, share, memory_bytes FROM pg_temp.held WHERE pool = 'fleet_again' ORDER BY 1;
SELECT assignments, cpu_millicores FROM hwsched.worker_reserved WHERE pool = 'fleet_again';

--
-- A worker that comes back smaller keeps no more waiting work than it can hold
--
SELECT hwsched.create_pool('fleet_smaller', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 8, "available_memory": 64, "max_concurrent": 9, "software_versions": {"python": "3.11"},
	"devices": [{"hardware_class": "gpu", "compute_units": 80, "memory_total_bytes": 1000, "count": 2}]}', 'fleet_smaller');
SELECT hwsched.submit_many('[{"test_id": "a", "required_accelerators": {"gpu": 1}, "cpu_cores": 4, "host_memory": 30}, {"test_id": "b", "required_accelerators": {"gpu": 1}, "cpu_cores": 4, "host_memory": 30}]', 'fleet_smaller');
SELECT hwsched.assign_pending(NULL, 'fleet_smaller');
SELECT hwsched.register_worker('w', '{"cpu_cores": 5, "available_memory": 40, "devices": [{"hardware_class": "gpu", "compute_units": 80, "memory_total_bytes": 1000, "count": 2}]}', 'fleet_smaller');
SELECT u.cpu_millicores <= w.cpu_millicores AND u.host_memory_bytes <= w.memory_bytes AS within_capacity
FROM hwsched.worker AS w JOIN hwsched.worker_usage AS u USING (pool, worker_id) WHERE pool = 'fleet_smaller';

--
-- Load: a report replaces the one before, whole; it is also a sign of life
--
CREATE FUNCTION pg_temp.seen(worker text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', cpu_utilization, memory_utilization, gpu_utilization, io_utilization, network_utilization, active_tests, queue_depth, temperature, temperature_celsius, power_w,
		CASE WHEN reported_at IS NULL THEN 'never' ELSE 'reported' END) FROM hwsched.worker_load WHERE pool = 'fleet' AND worker_id = worker $$;
SELECT pg_temp.seen('w1');
SELECT hwsched.update_load('w1', '{"cpu_utilization": 10, "memory_utilization": 20, "gpu_utilization": 30, "io_utilization": 40, "network_utilization": 50,
	"active_tests": 6, "queue_depth": 7, "temperature": 0.8, "power_w": 90, "warming_state": false, "queued_tests": 4, "devices": [{"device_no": 1, "utilization": 55, "temperature_celsius": 60, "power_w": 70}, {"device_no": 2, "utilization": 5}]}', 'fleet');
SELECT pg_temp.seen('w1');
SELECT device_no, utilization, temperature_celsius, power_w FROM hwsched.device_load WHERE pool = 'fleet' ORDER BY 1;
SELECT hwsched.update_load('w1', '{"temperature_celsius": 44, "devices": [{"device_no": 2, "utilization": 6}]}', 'fleet');
SELECT pg_temp.seen('w1');
SELECT device_no, utilization, temperature_celsius, power_w FROM hwsched.device_load WHERE pool = 'fleet' ORDER BY 1;
SELECT hwsched.update_load('w1', '{"active_tests": 0}', 'fleet');
SELECT pg_temp.seen('w1'), (SELECT count(*) FROM hwsched.device_load WHERE pool = 'fleet') AS device_loads;
-- every report stays in the history
SELECT count(*) FILTER (WHERE device_no IS NULL) AS workers, count(*) FILTER (WHERE device_no IS NOT NULL) AS devices FROM hwsched.load_history WHERE pool = 'fleet';
-- bad reports change nothing
SELECT pg_temp.error_of(format('SELECT hwsched.update_load(%L, %L, %L)', 'w1', load, 'fleet')) FROM unnest(ARRAY[
	'[]', '{"cpu_utilization": 101}', '{"cpu_utilization": -1}', '{"gpu_utilization": "50%"}', '{"active_tests": 1.5}', '{"queue_depth": -1}', '{"temperature": 2}',
	'{"temperature_celsius": 5000}', '{"power_w": -1}', '{"devices": {"device_no": 1}}', '{"devices": [{"device_no": 3, "utilization": 5}]}', '{"devices": [{"device_no": -1}]}',
	'{"devices": [{"device_no": 1, "utilization": 5}, {"device_no": 1}]}', '{"devices": [{"utilization": 5}]}', '{"devices": [{"device_no": 1, "utilization": 500}]}', '{"devices": [{"device_no": 1.5}]}'
	]) WITH ORDINALITY AS l (load, no) ORDER BY no;
SELECT pg_temp.seen('w1'), (SELECT count(*) FROM hwsched.load_history WHERE pool = 'fleet') AS history;
-- heartbeats
UPDATE hwsched.worker_load SET last_seen_at = '2020-01-01' WHERE pool = 'fleet';
SELECT hwsched.heartbeat('w1', 'fleet');
SELECT worker_id, last_seen_at >= now() AS seen_now FROM hwsched.worker_load WHERE pool = 'fleet' AND last_seen_at > '2020-01-02';
BEGIN;
UPDATE hwsched.worker_load SET last_seen_at = '2020-01-01' WHERE pool = 'fleet';
SELECT hwsched.update_load('w2', '{"active_tests": 0}', 'fleet');
SELECT worker_id, last_seen_at >= now() AS seen_now FROM hwsched.worker_load WHERE pool = 'fleet' AND last_seen_at > '2020-01-02';
ROLLBACK;

--
-- Draining: no new work, what is there is finished; resuming
--
SELECT hwsched.create_pool('fleet_drain', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 4}', 'fleet_drain');
SELECT hwsched.submit_many('[{"test_id": "before"}]', 'fleet_drain'), hwsched.assign_pending(NULL, 'fleet_drain');
SELECT hwsched.drain_worker('w', 'fleet_drain');
SELECT hwsched.submit('{"test_id": "after"}', 'fleet_drain');
SELECT hwsched.assign_pending(NULL, 'fleet_drain') AS placed;
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'fleet_drain';
SELECT workload_id, state FROM hwsched.claim('w', 5, true, 'fleet_drain');
SELECT count(*) AS nothing_more FROM hwsched.claim('w', 5, true, 'fleet_drain');
-- registering again does not end it
SELECT hwsched.register_worker('w', '{"cpu_cores": 4}', 'fleet_drain');
SELECT state FROM hwsched.worker WHERE pool = 'fleet_drain';
SELECT count(hwsched.complete(assignment_id, NULL, 'fleet_drain')) FROM hwsched.assignment WHERE pool = 'fleet_drain' AND state = 'running';
SELECT hwsched.resume_worker('w', 'fleet_drain'), hwsched.assign_pending(NULL, 'fleet_drain') AS placed;

--
-- Leaving: what had not started keeps its attempt, what ran has lost one; with the last it is dead
--
SELECT hwsched.create_pool('fleet_leave', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 4}', 'fleet_leave'), hwsched.register_worker('idle', '{"supported_backends": ["tpu"]}', 'fleet_leave');
SELECT hwsched.submit_many('[{"test_id": "1 ran"}, {"test_id": "2 ran its last", "retries": 0}, {"test_id": "3 waited"}]', 'fleet_leave');
SELECT hwsched.assign_pending(NULL, 'fleet_leave'), (SELECT count(*) FROM hwsched.claim('w', 2, true, 'fleet_leave')) AS claimed;
SELECT hwsched.unregister_worker('w', 'fleet_leave');
SELECT workload_id, state, assignment, attempt, error FROM pg_temp.place WHERE pool = 'fleet_leave' ORDER BY 1;
SELECT workload_id, attempt FROM hwsched.pending WHERE pool = 'fleet_leave' ORDER BY priority, queue_no;
SELECT (SELECT count(*) FROM hwsched.worker WHERE pool = 'fleet_leave') AS workers, (SELECT count(*) FROM hwsched.device WHERE pool = 'fleet_leave') AS devices,
	(SELECT count(*) FROM hwsched.device_usage WHERE pool = 'fleet_leave') AS usages, (SELECT count(*) FROM hwsched.worker_load WHERE pool = 'fleet_leave') AS loads;
-- the late result of a worker that left is refused
SELECT pg_temp.error_of(format('SELECT hwsched.complete(%s, NULL, %L)', 999999999, 'fleet_leave'));
SELECT regexp_replace(pg_temp.error_of(format('SELECT hwsched.complete(%s, NULL, %L)', assignment_id, 'fleet_leave')), '\d+ is', 'N is')
FROM hwsched.assignment WHERE pool = 'fleet_leave' AND workload_id = '1 ran';
-- it may come back and is new
SELECT hwsched.register_worker('w', '{"cpu_cores": 4}', 'fleet_leave'), hwsched.assign_pending(NULL, 'fleet_leave') AS placed;
SELECT total_assignments FROM hwsched.worker_usage WHERE pool = 'fleet_leave' AND worker_id = 'w';

--
-- Phases: the pool's duration unless one is given
--
SELECT hwsched.start_warming('w1', NULL, 'fleet'), hwsched.start_cooling('w2', '90 s', 'fleet');
SELECT worker_id, phase, phase_duration, phase_since = (SELECT max(phase_since) FROM hwsched.worker_load WHERE pool = 'fleet' AND worker_id = l.worker_id) AS since
FROM hwsched.worker_load AS l WHERE pool = 'fleet' ORDER BY 1;
SELECT hwsched.start_cooling('w1', pool => 'fleet');
SELECT phase, phase_duration FROM hwsched.worker_load WHERE pool = 'fleet' AND worker_id = 'w1';

--
-- Pools: one of a name, isolated from each other, settings with versions
--
SELECT pg_temp.error_of($$SELECT hwsched.create_pool('fleet')$$);
SELECT pg_temp.error_of($$SELECT hwsched.create_pool('')$$);
SELECT pg_temp.error_of(format('SELECT hwsched.create_pool(%L)', repeat('p', 201))) ~ '^22023 ' AS too_long;
SELECT pg_temp.error_of($$SELECT hwsched.drop_pool('default')$$);
SELECT pg_temp.error_of($$SELECT hwsched.drop_pool('nowhere')$$);
-- one name in two pools: two workers, two workloads
SELECT hwsched.create_pool('pool "A"'), hwsched.create_pool('pool_B');
SELECT hwsched.register_worker('same', '{"cpu_cores": 1}', p), hwsched.submit('{"test_id": "same"}', p) FROM unnest('{"pool \"A\"",pool_B}'::text[]) AS p;
SELECT hwsched.assign_pending(NULL, 'pool_B') AS placed;
SELECT pool, state FROM hwsched.workload WHERE workload_id = 'same' ORDER BY pool COLLATE "C";
SELECT pg_temp.error_of(format('SELECT hwsched.start(%s, %L)', assignment_id, 'pool "A"')) ~ '^P0002 ' AS unknown_in_the_other FROM hwsched.assignment WHERE pool = 'pool_B';
SELECT hwsched.drop_pool('pool_B');
-- no table keeps a row of it, and the other one is as it was
CREATE FUNCTION pg_temp.rows_of(pool_name text) RETURNS TABLE (relation text, rows bigint) LANGUAGE plpgsql AS $$
BEGIN
	FOR relation IN SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'pool'
		WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname COLLATE "C" LOOP
		EXECUTE format('SELECT count(*) FROM hwsched.%I WHERE pool = $1', relation) INTO rows USING pool_name;
		RETURN NEXT;
	END LOOP;
END $$;
SELECT * FROM pg_temp.rows_of('pool_B') WHERE rows > 0;
SELECT * FROM pg_temp.rows_of('pool "A"') WHERE rows > 0;

-- Settings: the defaults, changed ones, null resets, unknown keys and bad values change nothing
SELECT name, value = default_value AS by_default, default_value FROM hwsched.pool_settings('fleet') ORDER BY name COLLATE "C";
SELECT hwsched.alter_pool('fleet', '{"max_concurrent": 7, "lease": "2 min", "max_load": 0.5}');
SELECT hwsched.alter_pool('fleet', '{"max_concurrent": null, "lease": 90}');
SELECT name, value FROM hwsched.pool_settings('fleet') WHERE value <> default_value ORDER BY name COLLATE "C";
SELECT version, settings FROM hwsched.settings_version WHERE pool = 'fleet' ORDER BY version;
SELECT pg_temp.error_of(format('SELECT hwsched.alter_pool(%L, %L)', 'fleet', settings)) FROM unnest(ARRAY[
	'{"max_concurent": 7}', '{"max_concurrent": 0}', '{"max_concurrent": 1.5}', '{"max_load": 1.5}', '{"lease": "0 s"}', '{"lease": "soon"}', '{"preference_alpha": -1}',
	'{"preference_weight": 2}', '{"solver": "magic"}', '{"policy": {"magic": 1}}', '{"policy": {"hardware_aware": 0}}', '{"policy": {"hardware_aware": -1}}', '{"notify": "yes"}', '[]', '7']) WITH ORDINALITY AS s (settings, no) ORDER BY no;
SELECT max(version) AS still FROM hwsched.settings_version WHERE pool = 'fleet';

-- what became of them: who, why, old and new; and back
SELECT hwsched.alter_pool('fleet', '{"max_load": null, "solver": "optimal"}', 'a long queue');
SELECT version, changed_at <= now() AS at, changed_by = session_user AS by_me, reason, changes FROM hwsched.settings_history('fleet') ORDER BY version;
SELECT hwsched.rollback_settings(2, 'fleet') AS version;
SELECT name, value FROM hwsched.pool_settings('fleet') WHERE value <> default_value ORDER BY name COLLATE "C";
SELECT reason, changes FROM hwsched.settings_history('fleet') ORDER BY version DESC LIMIT 1;
-- nothing to change is a version, too; 0 is before the first; a pause stays
SELECT hwsched.rollback_settings(2, 'fleet') AS version;
SELECT hwsched.pause_pool('fleet');
SELECT hwsched.rollback_settings(0, 'fleet') AS version;
SELECT version, reason, changes FROM hwsched.settings_history('fleet') WHERE version > 5 ORDER BY version;
SELECT name, value FROM hwsched.pool_settings('fleet') WHERE value <> default_value;
SELECT hwsched.resume_pool('fleet'), hwsched.rollback_settings(3, 'fleet') AS version;
SELECT pg_temp.error_of(statement) FROM unnest(ARRAY[
	$$SELECT hwsched.rollback_settings(99, 'fleet')$$, $$SELECT hwsched.rollback_settings(-1, 'fleet')$$, $$SELECT hwsched.rollback_settings(NULL, 'fleet')$$, $$SELECT hwsched.rollback_settings(1, 'nowhere')$$,
	$$SELECT * FROM hwsched.settings_history('nowhere')$$, $$SELECT hwsched.alter_pool('fleet', '{}', '')$$]) AS statement;
-- fewer slots are fewer, whichever way they came
SELECT hwsched.create_pool('fleet_back', '{"max_concurrent": 1}'), hwsched.alter_pool('fleet_back', '{"max_concurrent": 2}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 1}', 'fleet_back'), hwsched.submit_many('[{"test_id": "a"}, {"test_id": "b"}]', 'fleet_back');
SELECT hwsched.assign_pending(NULL, 'fleet_back') AS placed;
SELECT hwsched.rollback_settings(1, 'fleet_back') AS version;
SELECT state, count(*) FROM hwsched.workload WHERE pool = 'fleet_back' GROUP BY 1 ORDER BY 1;
-- what was in force during the last 400 days is kept
UPDATE hwsched.settings_version SET changed_at = now() - (500 - version * 30) * interval '1 day' WHERE pool = 'fleet';
SELECT hwsched_internal.history_forget(1000, 'fleet') AS forgotten;
SELECT version, changes IS NULL AS before_not_known FROM hwsched.settings_history('fleet') ORDER BY version;
SELECT hwsched.drop_pool('fleet_back');
-- null is the default in a new pool, too
SELECT hwsched.create_pool('fleet_null', '{"max_concurrent": null}');
SELECT value FROM hwsched.pool_settings('fleet_null') WHERE name = 'max_concurrent';
SELECT hwsched.register_worker('w', '{"cpu_cores": 1}', 'fleet_null'), hwsched.submit('{"test_id": "t"}', 'fleet_null');
SELECT hwsched.assign_pending(NULL, 'fleet_null') AS placed;
-- the default pool is there from the start, and is what is meant where none is named
SELECT hwsched.register_worker('fleet_w', '{"cpu_cores": 1}');
SELECT hwsched.submit('{"test_id": "fleet_t"}');
SELECT pool, worker_id FROM hwsched.schedule('fleet_t');
SELECT hwsched.cancel('fleet_t');
SELECT hwsched.unregister_worker('fleet_w');

--
-- Binding a login to a worker
--
CREATE ROLE regress_hwsched_login LOGIN;
SELECT hwsched.grant_worker('w1', 'regress_hwsched_login', 'fleet');
SELECT hwsched.grant_worker('w1', 'regress_hwsched_login', 'fleet') AS twice;
SELECT pool, worker_id, login FROM hwsched.worker_login WHERE pool = 'fleet';
SELECT pg_has_role('regress_hwsched_login', 'hwsched_worker', 'MEMBER') AS is_worker;
SELECT pg_temp.error_of($$SELECT hwsched.grant_worker('nobody', 'regress_hwsched_login', 'fleet')$$);
SELECT pg_temp.error_of($$SELECT hwsched.grant_worker('w1', 'regress_no_such_role', 'fleet')$$);
SELECT hwsched.unregister_worker('w1', 'fleet');
SELECT count(*) AS bindings_left FROM hwsched.worker_login WHERE pool = 'fleet';
DROP ROLE regress_hwsched_login;

--
-- Settings that are well-formed and mean nothing
--
SELECT pg_temp.error_of(format('SELECT hwsched.create_pool(''fleet_none'', %L)', settings)) FROM unnest(ARRAY[
	'{"policy": {}}', '{"policy": {"hardware_aware": 0}}', '{"retention": {"foo": "1 day"}}', '{"retention": {"history": "banana"}}',
	'{"policies": {"vision": {"hardware_aware": 1}}}']) AS settings;
