-- Nobody gets beyond his role: a worker's login sees and changes what is its
-- own, in whatever state another's is; a viewer changes nothing by any way; a
-- coordinator becomes no administrator.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;
CREATE ROLE regress_mine LOGIN;
CREATE ROLE regress_theirs LOGIN;
CREATE ROLE regress_reader LOGIN IN ROLE hwsched_viewer;
CREATE ROLE regress_runner LOGIN IN ROLE hwsched_coordinator;
CREATE SCHEMA regress_runner AUTHORIZATION regress_runner;

-- The state a statement ends with; what it did is undone
CREATE SCHEMA regress_access;
GRANT USAGE ON SCHEMA regress_access TO hwsched_viewer, hwsched_worker;
CREATE FUNCTION regress_access.state(statement text) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN EXECUTE statement; RAISE SQLSTATE 'DONE0'; EXCEPTION WHEN SQLSTATE 'DONE0' THEN RETURN 'allowed'; WHEN OTHERS THEN RETURN sqlstate; END $$;
-- all there is, for comparison
CREATE FUNCTION regress_access.everything(OUT digest text) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation regclass; rows text;
BEGIN
	digest := '';
	FOR relation IN SELECT c.oid FROM pg_class AS c WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.oid LOOP
		EXECUTE format('SELECT md5(string_agg(r::text, E''\n'' ORDER BY r::text)) FROM %s AS r', relation) INTO rows;
		digest := md5(digest || relation || coalesce(rows, ''));
	END LOOP;
END $$;

SELECT hwsched.create_pool('access', '{"max_concurrent": 20, "retry_backoff": 0, "offline_after": 1000}'), hwsched.create_pool('access_2');
SELECT hwsched.register_worker(w, '{"cpu_cores": 4}', p) FROM unnest('{mine,theirs}'::text[]) AS w, unnest('{access,access_2}'::text[]) AS p;
SELECT hwsched.grant_worker('mine', 'regress_mine', 'access'), hwsched.grant_worker('theirs', 'regress_theirs', 'access');
-- of both workers, assignments in every state
SELECT count(hwsched.submit(jsonb_build_object('test_id', 't' || n, 'retries', 0), 'access')) AS submitted FROM generate_series(1, 14) AS n;
SELECT hwsched.assign_pending(NULL, 'access') AS placed;
CREATE TABLE regress_access.assignment AS SELECT row_number() OVER (PARTITION BY worker_id ORDER BY assignment_id) AS no, worker_id, assignment_id, workload_id FROM hwsched.assignment WHERE pool = 'access';
GRANT SELECT ON regress_access.assignment TO hwsched_worker;
SELECT worker_id, count(*) FROM regress_access.assignment GROUP BY 1 ORDER BY 1;
SELECT count(hwsched.start(assignment_id, 'access')) AS started FROM regress_access.assignment WHERE no >= 2;
SELECT count(hwsched.complete(assignment_id, NULL, 'access')) AS completed FROM regress_access.assignment WHERE no = 3;
SELECT count(hwsched.fail(assignment_id, 'x', 'access')) AS failed FROM regress_access.assignment WHERE no = 4;
SELECT count(hwsched.cancel(workload_id, 'access')) AS cancelled FROM regress_access.assignment WHERE no = 5;
UPDATE hwsched.assignment SET lease_until = '-infinity' WHERE pool = 'access' AND assignment_id IN (SELECT assignment_id FROM regress_access.assignment WHERE no = 6);
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '100 s' WHERE pool = 'access';
SELECT count(*) AS maintained FROM hwsched.maintain('access');
SELECT r.no, a.worker_id, a.state FROM hwsched.assignment AS a JOIN regress_access.assignment AS r USING (assignment_id) ORDER BY 2, 1;

--
-- A worker's login
--
SELECT regress_access.everything() AS before \gset
SET SESSION AUTHORIZATION regress_mine;
-- another's assignment: not even its state is told
SELECT call, array_agg(DISTINCT regress_access.state(format(call, r.assignment_id))) AS theirs FROM regress_access.assignment AS r,
	unnest(ARRAY['SELECT hwsched.start(%s, ''access'')', 'SELECT hwsched.extend_lease(%s, ''1 min'', ''access'')', 'SELECT hwsched.complete(%s, NULL, ''access'')', 'SELECT hwsched.complete_many(ARRAY[%s]::bigint[], ''access'')', 'SELECT hwsched.fail(%s, NULL, ''access'')', 'SELECT hwsched.fail(%s, NULL, ''{}''::jsonb, ''access'')', 'SELECT hwsched.progress(%s, 1, NULL, ''access'')', 'SELECT hwsched.yield_work(%s, NULL, ''access'')', 'SELECT * FROM hwsched.next(''mine'', ARRAY[%s]::bigint[], 1, true, NULL, ''access'')', 'SELECT hwsched.requirements(%s, ''access'')']) AS call
WHERE r.worker_id = 'theirs' GROUP BY call ORDER BY call;
-- its own and another's together: neither
SELECT regress_access.state(format('SELECT hwsched.complete_many(ARRAY[%s]::bigint[], ''access'')', string_agg(assignment_id::text, ','))) AS both FROM regress_access.assignment WHERE no = 2;
-- another worker, the same name in another pool, a worker that is not there
SELECT call, regress_access.state(format(call, 'theirs', 'access')) AS theirs, regress_access.state(format(call, 'mine', 'access_2')) AS elsewhere, regress_access.state(format(call, 'nobody', 'access')) AS unknown
FROM unnest(ARRAY['SELECT hwsched.register_worker(%L, ''{}'', %L)', 'SELECT hwsched.update_load(%L, ''{}'', %L)', 'SELECT hwsched.heartbeat(%L, %L)', 'SELECT hwsched.start_warming(%L, NULL, %L)', 'SELECT hwsched.start_cooling(%L, NULL, %L)', 'SELECT * FROM hwsched.claim(%L, 1, true, %L)', 'SELECT * FROM hwsched.next(%L, pool => %L)', 'SELECT * FROM hwsched.running_on(%L, %L)']) AS call;
-- what is not a worker's is refused by privilege, whatever it names
SELECT count(*) > 10 AS functions, array_agg(DISTINCT has_function_privilege(oid, 'EXECUTE')) AS allowed FROM pg_proc WHERE pronamespace = 'hwsched'::regnamespace AND provolatile = 'v' AND prorettype <> 'trigger'::regtype
	AND proname <> ALL ('{register_worker,update_load,heartbeat,start_warming,start_cooling,claim,start,extend_lease,complete,complete_many,next,progress,yield_work,fail,requirements,running_on}');
-- tables: none but the taxonomy's is read, none is written
SELECT string_agg(c.relname, ' ' ORDER BY c.relname COLLATE "C") AS read FROM pg_class AS c WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND regress_access.state(format('SELECT FROM hwsched.%I LIMIT 1', c.relname)) = 'allowed';
SELECT count(*) > 100 AS relations, array_agg(DISTINCT regress_access.state(format(call, c.relname))) AS written FROM pg_class AS c, unnest(ARRAY['DELETE FROM hwsched.%I', 'TRUNCATE hwsched.%I', 'UPDATE hwsched.%I SET pool = ''x''', 'INSERT INTO hwsched.%I DEFAULT VALUES', 'LOCK TABLE hwsched.%I']) AS call
WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT IN ('taxonomy', 'type_word', 'class_similarity', 'implied_device');
-- not as the group either, which is bound to no worker
SELECT regress_access.state('SET ROLE hwsched_worker'), regress_access.state('SET ROLE hwsched_coordinator'), regress_access.state('SET ROLE regress_theirs');
SET ROLE hwsched_worker;
SELECT regress_access.state('SELECT hwsched.heartbeat(''mine'', ''access'')') AS as_group;
RESET SESSION AUTHORIZATION;
SELECT regress_access.everything() = :'before' AS unchanged;
-- its own: allowed, and seen
SET SESSION AUTHORIZATION regress_mine;
SELECT regress_access.state(format('SELECT hwsched.extend_lease(%s, ''1 min'', ''access'')', assignment_id)) AS own FROM regress_access.assignment WHERE worker_id = 'mine' AND no = 2;
SELECT worker_id, workload_id = (SELECT workload_id FROM regress_access.assignment WHERE worker_id = 'mine' AND no = 1) AS own FROM hwsched.claim('mine', 1, false, 'access');
SELECT r.assignment_id IN (SELECT assignment_id FROM regress_access.assignment WHERE worker_id = 'mine') AS own, r.state FROM hwsched.running_on('mine', 'access') AS r;
-- states of its own are told
SELECT no, regress_access.state(format('SELECT hwsched.start(%s, ''access'')', assignment_id)) AS start, regress_access.state(format('SELECT hwsched.extend_lease(%s, ''1 min'', ''access'')', assignment_id)) AS extend FROM regress_access.assignment WHERE worker_id = 'mine' AND no > 2 ORDER BY no;
RESET SESSION AUTHORIZATION;

--
-- A viewer
--
SELECT regress_access.everything() AS before \gset
-- has no function that writes
SELECT count(*) > 15 AS functions, array_agg(DISTINCT has_function_privilege('regress_reader', oid, 'EXECUTE')) AS allowed FROM pg_proc WHERE pronamespace = 'hwsched'::regnamespace AND provolatile = 'v';
SET SESSION AUTHORIZATION regress_reader;
-- what it has works where nothing can be written
BEGIN READ ONLY;
SELECT count(*) >= 0 AS works FROM hwsched.plan_pending(NULL, 'access');
SELECT count(*) >= 0 AS works FROM hwsched.compatible_hardware('t1', 'access');
SELECT count(*) >= 0 AS works FROM hwsched.explain_pending('access');
SELECT count(*) > 0 AS works FROM hwsched.pool_settings('access');
SELECT txid_current_if_assigned() IS NULL AS untouched;
COMMIT;
-- neither tables nor views take anything
SELECT array_agg(DISTINCT regress_access.state(format(call, c.relname))) AS written FROM pg_class AS c, unnest(ARRAY['DELETE FROM hwsched.%I', 'UPDATE hwsched.%I SET pool = ''x''', 'INSERT INTO hwsched.%I DEFAULT VALUES', 'SELECT FROM hwsched.%I FOR UPDATE']) AS call
WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT IN ('taxonomy', 'type_word', 'class_similarity', 'implied_device');
SELECT array_agg(DISTINCT has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')) AS writes FROM pg_class AS c WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S');
-- nor does it become somebody else
SELECT role, regress_access.state('SET ROLE ' || role) AS set, regress_access.state(format('GRANT %s TO regress_reader', role)) AS granted FROM unnest('{hwsched_worker,hwsched_coordinator,hwsched_admin,regress_mine,regress_runner}'::text[]) AS role;
SELECT regress_access.state('SELECT * FROM hwsched.worker_login') AS bound;
RESET SESSION AUTHORIZATION;
SELECT regress_access.everything() = :'before' AS unchanged;

--
-- A coordinator
--
SET SESSION AUTHORIZATION regress_runner;
SELECT regress_access.state(statement) || ' <- ' || statement AS refused FROM unnest(ARRAY[
	'SET ROLE hwsched_admin', 'GRANT hwsched_admin TO regress_runner', 'GRANT hwsched_coordinator TO regress_reader', 'GRANT hwsched_worker TO regress_reader', 'ALTER ROLE hwsched_coordinator SUPERUSER', 'ALTER ROLE hwsched_worker LOGIN', 'DROP ROLE hwsched_admin',
	'SELECT hwsched.create_pool(''x'')', 'SELECT hwsched.alter_pool(''access'', ''{}'')', 'SELECT hwsched.alter_pool(''access'', ''{"policy": {"regress_runner.score(jsonb,jsonb,jsonb)": 1}}'')', 'SELECT hwsched.drop_pool(''access_2'')',
	'INSERT INTO hwsched.settings_version (pool, version, settings) VALUES (''access'', 99, ''{}'')', 'UPDATE hwsched_internal.setting SET default_value = ''1''', 'INSERT INTO hwsched.worker_login VALUES (''access'', ''mine'', ''regress_runner'')', 'INSERT INTO hwsched.implied_device (name, position, words, profile) VALUES (''x'', 1, ''{}'', ''{}'')',
	'CREATE FUNCTION hwsched.x() RETURNS int LANGUAGE sql AS ''SELECT 1''', 'CREATE OR REPLACE FUNCTION hwsched.heartbeat(worker_id text, pool text DEFAULT ''default'') RETURNS void LANGUAGE sql AS ''SELECT''', 'ALTER FUNCTION hwsched.heartbeat(text, text) SECURITY DEFINER', 'ALTER FUNCTION hwsched.submit(jsonb, text) RESET search_path',
	'GRANT EXECUTE ON FUNCTION hwsched.alter_pool TO regress_runner', 'CREATE TABLE hwsched.x ()', 'CREATE TRIGGER x BEFORE INSERT ON hwsched.pending EXECUTE FUNCTION suppress_redundant_updates_trigger()', 'CREATE RULE x AS ON INSERT TO hwsched.pending DO NOTHING', 'CREATE INDEX ON hwsched.pending (workload_id)',
	'ALTER TABLE hwsched.pending DISABLE TRIGGER ALL', 'DROP VIEW hwsched.pool_summary', 'ALTER EXTENSION hwsched DROP VIEW hwsched.pool_summary', 'DROP EXTENSION hwsched', 'SELECT nextval(''hwsched.queue_no'')', 'SELECT setval(''hwsched.queue_no'', 1)', 'CREATE FUNCTION regress_runner.c() RETURNS void LANGUAGE c AS ''hwsched'', ''drop_pool''',
	'CREATE OPERATOR CLASS regress_runner.o DEFAULT FOR TYPE hwsched.worker_state USING btree AS STORAGE hwsched.worker_state', 'CREATE CAST (text AS hwsched.worker_state) WITH INOUT AS IMPLICIT', 'COMMENT ON VIEW hwsched.pool_summary IS NULL']) WITH ORDINALITY AS s (statement, no) ORDER BY no;
-- binding logins lends no rights but a worker's, and not to all of a group at once
SELECT role, regress_access.state(format('SELECT hwsched.grant_worker(''mine'', %L, ''access'')', role)) AS bound FROM unnest('{hwsched_viewer,hwsched_worker,hwsched_coordinator,hwsched_admin,regress_reader,regress_runner}'::text[]) AS role;
RESET SESSION AUTHORIZATION;

SELECT hwsched.drop_pool('access'), hwsched.drop_pool('access_2');
DROP OWNED BY regress_runner;
DROP SCHEMA regress_access CASCADE;
DROP ROLE regress_mine, regress_theirs, regress_reader, regress_runner;
