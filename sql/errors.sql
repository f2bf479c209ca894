-- Errors: NULL, the wrong thing, the impossible. Nothing crashes, nothing is
-- half done, and each SQLSTATE says what kind of mistake it was.
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
CREATE FUNCTION pg_temp.state_of(statement text) RETURNS text LANGUAGE sql AS $$ SELECT split_part(pg_temp.error_of(statement), ' | ', 1) $$;

SELECT hwsched.create_pool('errors');
SELECT hwsched.register_worker('w', '{"cpu_cores": 2}', 'errors'), hwsched.submit_many('[{"test_id": "e1"}, {"test_id": "e2"}]', 'errors'), hwsched.assign_pending(NULL, 'errors');

--
-- NULL for any one argument of any function: an error of the caller or no effect, never a crash
--
CREATE TABLE pg_temp.null_calls AS
SELECT p.proname, a.no, format('SELECT * FROM %s.%I(%s)', p.pronamespace::regnamespace, p.proname, (SELECT string_agg(CASE WHEN n = a.no THEN 'NULL' ELSE
		CASE t::regtype::text WHEN 'text' THEN CASE p.proargnames[n] WHEN 'pool' THEN '''errors''' WHEN 'worker_id' THEN '''w''' WHEN 'phase' THEN '''normal''' ELSE '''e1''' END WHEN 'jsonb' THEN '''{}'''
			WHEN 'bigint' THEN '0' WHEN 'bigint[]' THEN '''{0}''' WHEN 'integer' THEN '1' WHEN 'interval' THEN '''1 s''' WHEN 'boolean' THEN 'true' WHEN 'double precision' THEN '0.5' WHEN 'double precision[]' THEN '''{0.5}''' WHEN 'name' THEN '''postgres''' WHEN 'timestamp with time zone' THEN '''2026-01-01''' END || '::' || t::regtype END, ', ' ORDER BY n)
	FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS u (t, n))) AS call
FROM pg_proc AS p, generate_series(1, p.pronargs) AS a (no) WHERE p.pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace) AND p.prorettype <> ALL (ARRAY['trigger'::regtype, 'internal'::regtype]) AND p.prokind = 'f';
CREATE TABLE pg_temp.before_nulls AS SELECT (SELECT count(*) FROM hwsched.assignment) AS assignments, (SELECT count(*) FROM hwsched.pending) AS pending, (SELECT count(*) FROM hwsched.worker) AS workers, (SELECT count(*) FROM hwsched.pool) AS pools, (SELECT count(*) FROM hwsched.submission) AS submissions;
-- the pure ones and those that only read give NULL or no rows; the others refuse a NULL that has no meaning (22004)
SELECT proname, string_agg(no || ':' || pg_temp.state_of(call), ' ' ORDER BY no, call) AS with_null FROM pg_temp.null_calls WHERE proname <> ALL ('{drop_pool,alter_workload}') GROUP BY proname ORDER BY proname COLLATE "C";
SELECT b.assignments = (SELECT count(*) FROM hwsched.assignment) AND b.pending = (SELECT count(*) FROM hwsched.pending) AND b.workers = (SELECT count(*) FROM hwsched.worker) AND b.pools = (SELECT count(*) FROM hwsched.pool)
	AND b.submissions = (SELECT count(*) FROM hwsched.submission) AS unchanged FROM pg_temp.before_nulls AS b;

--
-- Wrong pools, workers, assignments
--
SELECT pg_temp.state_of(statement) || ' <- ' || statement FROM unnest(ARRAY[
	'SELECT hwsched.register_worker(''w'', ''{}'', ''no pool'')', 'SELECT hwsched.update_load(''w'', ''{"power_w": 1}'', ''no pool'')', 'SELECT hwsched.pause_pool(''no pool'')', 'SELECT hwsched.drain_worker(''w'', ''2099-01-01'', ''2099-01-02'', ''no pool'')', 'SELECT hwsched.resume_pool(''no pool'')', 'SELECT hwsched.heartbeat(''w'', ''no pool'')', 'SELECT hwsched.drain_worker(''w'', ''no pool'')', 'SELECT hwsched.resume_worker(''w'', ''no pool'')', 'SELECT hwsched.unregister_worker(''w'', ''no pool'')',
	'SELECT hwsched.start_warming(''w'', NULL, ''no pool'')', 'SELECT hwsched.start_cooling(''w'', NULL, ''no pool'')', 'SELECT hwsched.grant_worker(''w'', ''postgres'', ''no pool'')', 'SELECT hwsched.alter_pool(''no pool'', ''{}'')', 'SELECT * FROM hwsched.pool_settings(''no pool'')',
	'SELECT hwsched.update_load(''no worker'', ''{"power_w": 1}'', ''errors'')', 'SELECT hwsched.heartbeat(''no worker'', ''errors'')', 'SELECT hwsched.drain_worker(''no worker'', ''errors'')', 'SELECT hwsched.resume_worker(''no worker'', ''errors'')', 'SELECT hwsched.unregister_worker(''no worker'', ''errors'')',
	'SELECT hwsched.start_warming(''no worker'', NULL, ''errors'')', 'SELECT hwsched.start_cooling(''no worker'', ''1 s'', ''errors'')',
	'SELECT hwsched.start(9223372036854775807, ''errors'')', 'SELECT hwsched.complete(-1, NULL, ''errors'')', 'SELECT hwsched.fail(-9223372036854775808, NULL, ''errors'')']) WITH ORDINALITY AS s (statement, no) ORDER BY no;
SELECT pg_temp.error_of($$SELECT hwsched.drain_worker('o''neil "x"', 'errors')$$);

--
-- Limits and intervals that make no sense
--
SELECT pg_temp.error_of(statement) FROM unnest(ARRAY['SELECT hwsched.assign_pending(-1, ''errors'')', 'SELECT * FROM hwsched.plan_pending(-2147483648, ''errors'')', 'SELECT * FROM hwsched.claim(''w'', 0, true, ''errors'')', 'SELECT * FROM hwsched.claim(''w'', -1, true, ''errors'')']) WITH ORDINALITY AS s (statement, no) ORDER BY no;
SELECT min(assignment_id) AS id FROM hwsched.assignment WHERE pool = 'errors' AND state = 'assigned' \gset
SELECT hwsched.start(:id, 'errors');
SELECT lease_until AS lease FROM hwsched.assignment WHERE assignment_id = :id \gset
SELECT pg_temp.state_of(format('SELECT hwsched.extend_lease(%s, ''-1 day'', ''errors'')', :id)) IN ('22023', 'no error') AS answered;
SELECT lease_until = :'lease' AS not_shortened FROM hwsched.assignment WHERE assignment_id = :id;
SELECT pg_temp.state_of(format('SELECT hwsched.extend_lease(%s, ''200000000 days'', ''errors'')', :id)) AS beyond_time;
-- so is more time than could be added to a clock: in work, settings and loops
SELECT value AS timeout, pg_temp.state_of(format('SELECT hwsched.submit(%L, ''errors'')', jsonb_build_object('test_id', 'endless', 'timeout', value))) AS state
FROM unnest('{1e20,3153600001,"\"102 years\"","\"170000000 years\""}'::jsonb[]) AS value;
SELECT field, pg_temp.state_of(format('SELECT hwsched.alter_pool(''errors'', %L)', jsonb_build_object(field, '1000 years'))) AS state
FROM unnest('{lease,warming,cooling,offline_after,retry_backoff,preference_half_life,wait_target}'::text[]) AS field
UNION ALL SELECT field, pg_temp.state_of(format('SELECT hwsched.alter_pool(''errors'', %L)', jsonb_build_object('retention', jsonb_build_object(field, '1000 years')))) FROM unnest('{history,hourly}'::text[]) AS field;
SELECT pg_temp.state_of('CALL hwsched.run_loop(''170000000 years'', ''1 s'', ''errors'')') AS loop, pg_temp.state_of('CALL hwsched.run_loop(''0 s'', ''170000000 years'', ''errors'')') AS tick,
	pg_temp.state_of('SELECT hwsched.start_warming(''w'', ''170000000 years'', ''errors'')') AS warming, pg_temp.state_of('SELECT hwsched.start_cooling(''w'', ''170000000 years'', ''errors'')') AS cooling;
-- the largest numbers that fit are taken, and counted right
SELECT hwsched.assign_pending(2147483647, 'errors'), (SELECT count(*) FROM hwsched.plan_pending(2147483647, 'errors')), (SELECT count(*) FROM hwsched.claim('w', 2147483647, true, 'errors'));
SELECT hwsched.register_worker('huge', '{"cpu_cores": 1000000, "available_memory": 1000000, "max_concurrent": 1000000, "devices": [{"hardware_class": "gpu", "compute_units": 2147483647, "memory_total_bytes": 9007199254740991, "clock_speed_mhz": 2147483647}]}', 'errors');
SELECT hwsched.submit('{"test_id": "huge", "minimum_memory": 1000000, "host_memory": 1000000, "cpu_cores": 1000000, "required_accelerators": {"gpu": 1}, "expected_duration": 1e300, "timeout": 3153600000, "retries": 1000}', 'errors');
SELECT worker_id, device_nos FROM hwsched.schedule('huge', 'errors');
SELECT cpu_millicores, host_memory_bytes FROM hwsched.worker_usage WHERE pool = 'errors' AND worker_id = 'huge';
SELECT count(*) FROM hwsched.resource_utilization WHERE pool = 'errors';
SELECT count(*) AS claimed FROM hwsched.claim('huge', pool => 'errors');
SELECT expired, timed_out FROM hwsched.maintain('errors');
SELECT hwsched.cancel('huge', 'errors');
SELECT cpu_millicores, host_memory_bytes FROM hwsched.worker_usage WHERE pool = 'errors' AND worker_id = 'huge';

--
-- The same device, worker or workload twice in one statement
--
SELECT pg_temp.state_of($$SELECT hwsched.update_load('w', '{"devices": [{"device_no": 0}, {"device_no": 0}]}', 'errors')$$);
SELECT hwsched.register_worker('w', '{"cpu_cores": 2}', 'errors'), hwsched.register_worker('w', '{"cpu_cores": 3}', 'errors');
SELECT cpu_millicores FROM hwsched.worker WHERE pool = 'errors' AND worker_id = 'w';
SELECT pg_temp.state_of($$SELECT hwsched.submit('{"test_id": "dup"}', 'errors'), hwsched.submit('{"test_id": "dup"}', 'errors')$$);
SELECT count(*) AS none FROM hwsched.submission WHERE pool = 'errors' AND workload_id = 'dup';

--
-- An error takes everything of its transaction back, and the next call works
--
BEGIN;
SELECT hwsched.submit('{"test_id": "undone"}', 'errors');
SAVEPOINT s;
SELECT hwsched.submit('{"test_id": "undone too", "priority": 7}', 'errors');
ROLLBACK TO s;
SELECT hwsched.register_worker('undone', '{"cpu_cores": 1}', 'errors'), hwsched.assign_pending(NULL, 'errors');
ROLLBACK;
SELECT (SELECT count(*) FROM hwsched.submission WHERE pool = 'errors' AND workload_id ~ '^undone') AS submitted, (SELECT count(*) FROM hwsched.worker WHERE pool = 'errors' AND worker_id = 'undone') AS registered;
-- read-only transactions are told so
BEGIN READ ONLY;
SELECT pg_temp.state_of($$SELECT hwsched.submit('{}', 'errors')$$) AS submit;
ROLLBACK;
BEGIN READ ONLY;
SELECT pg_temp.state_of($$SELECT hwsched.heartbeat('w', 'errors')$$) IN ('25006', 'no error') AS heartbeat, pg_temp.state_of($$SELECT hwsched.update_load('w', '{"power_w": 1}', 'errors')$$) AS load;
ROLLBACK;
-- functions that return rows can be asked in any place of a query
SELECT (hwsched.plan_pending(NULL, 'errors')).workload_id;
SELECT hwsched.device_profiles('{"cpu_cores": 1}') ->> 'model_name' AS in_the_target_list;
SELECT pool, device FROM unnest('{a,b}'::text[]) AS pool, LATERAL (SELECT count(*) AS device FROM hwsched.device_profiles('{"cpu_cores": 1, "supported_backends": ["cuda"]}')) AS d;

--
-- Documents with absurdly many entries are refused before anything compares them
--
SELECT left(pg_temp.state_of(format('SELECT hwsched.is_compatible(''{}'', %L)', jsonb_build_object('performance_profile', (SELECT jsonb_object_agg(i, 1) FROM generate_series(1, 60001) i)))), 5) AS numbers;
SELECT left(pg_temp.state_of(format('SELECT hwsched.update_load(''w'', %L, ''errors'')', jsonb_build_object('devices', (SELECT jsonb_agg(jsonb_build_object('device_no', i)) FROM generate_series(1, 10001) i)))), 5) AS devices;
SELECT left(pg_temp.state_of(format('SELECT hwsched.submit(%L, ''errors'')', jsonb_build_object('required_models', (SELECT jsonb_agg(i::text) FROM generate_series(1, 1001) i)))), 5) AS models;
SELECT left(pg_temp.state_of(format('SELECT hwsched.submit(%L, ''errors'')', jsonb_build_object('required_software', (SELECT jsonb_object_agg(i, '1') FROM generate_series(1, 1001) i)))), 5) AS software;
SELECT left(pg_temp.state_of('INSERT INTO hwsched.implied_device (name, words, position, profile) VALUES (''bad'', ARRAY[''zap'', NULL], 5, ''{"hardware_class": "gpu"}'')'), 5) AS null_word;
SELECT left(pg_temp.state_of('SELECT hwsched.start_warming(''w'', ''178000000 years'', ''errors'')'), 5) AS eternal_warming;


--
-- The extension goes without a trace; its roles, which may be another database's, stay
--
DROP EXTENSION hwsched;
SELECT count(*) AS schemas FROM pg_namespace WHERE nspname LIKE 'hwsched%';
SELECT count(*) AS roles FROM pg_roles WHERE rolname LIKE 'hwsched\_%';
