-- Who may do what: four group roles, a login bound to its worker, nothing for
-- PUBLIC, and functions of the extension that no search path can fool.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;

-- Says what a statement does in this role: its rows, or SQLSTATE and message
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text;
BEGIN
	EXECUTE statement;
	RETURN 'allowed';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
	RETURN concat_ws(' | ', state, message);
END $$;

SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname LIKE 'hwsched\_%' ORDER BY 1;
SELECT r.rolname AS role, m.rolname AS member FROM pg_auth_members AS a JOIN pg_roles AS r ON r.oid = a.roleid JOIN pg_roles AS m ON m.oid = a.member
WHERE r.rolname LIKE 'hwsched\_%' AND m.rolname LIKE 'hwsched\_%' ORDER BY 1, 2;

CREATE ROLE regress_hwsched_nobody LOGIN;
CREATE ROLE regress_hwsched_viewer LOGIN IN ROLE hwsched_viewer;
CREATE ROLE regress_hwsched_coordinator LOGIN IN ROLE hwsched_coordinator;
CREATE ROLE regress_hwsched_admin LOGIN IN ROLE hwsched_admin;
CREATE ROLE regress_hwsched_own LOGIN;
CREATE ROLE regress_hwsched_other LOGIN IN ROLE hwsched_worker;
SELECT hwsched.create_pool('roles'), hwsched.create_pool('roles_2');
SELECT hwsched.register_worker('own', '{"cpu_cores": 4}', 'roles'), hwsched.register_worker('else', '{"cpu_cores": 4}', 'roles'), hwsched.register_worker('own', '{"cpu_cores": 4}', 'roles_2');
SELECT hwsched.grant_worker('own', 'regress_hwsched_own', 'roles');
SELECT hwsched.submit_many('[{"test_id": "r1"}, {"test_id": "r2"}, {"test_id": "r3"}, {"test_id": "r4"}]', 'roles'), hwsched.assign_pending(NULL, 'roles'), hwsched.submit('{"test_id": "waits"}', 'roles');

--
-- What each role may execute, by the privilege itself
--
CREATE TEMP TABLE who AS SELECT no, role FROM unnest('{regress_hwsched_nobody,hwsched_viewer,hwsched_worker,hwsched_coordinator,hwsched_admin}'::text[]) WITH ORDINALITY AS w (role, no);
SELECT p.proname AS function, string_agg(CASE WHEN has_function_privilege(role, p.oid, 'EXECUTE') THEN replace(replace(role, 'regress_hwsched_', ''), 'hwsched_', '') END, ' ' ORDER BY no) AS may
FROM pg_proc AS p CROSS JOIN who WHERE p.pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace) GROUP BY p.oid, p.proname ORDER BY p.proname COLLATE "C", p.oid::regprocedure::text COLLATE "C";
SELECT c.relname AS relation, string_agg(CASE WHEN has_table_privilege(role, c.oid, 'SELECT') THEN replace(replace(role, 'regress_hwsched_', ''), 'hwsched_', '') END, ' ' ORDER BY no) AS may_read,
	string_agg(CASE WHEN has_table_privilege(role, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') THEN replace(role, 'hwsched_', '') END, ' ' ORDER BY no) AS may_write
FROM pg_class AS c CROSS JOIN who WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition GROUP BY c.oid, c.relname ORDER BY c.relname COLLATE "C";
SELECT role, has_schema_privilege(role, 'hwsched', 'USAGE') AS usage, has_schema_privilege(role, 'hwsched', 'CREATE') AS creates FROM who ORDER BY no;
SELECT count(*) AS sequences_granted FROM pg_class AS c CROSS JOIN who WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind = 'S' AND has_sequence_privilege(role, c.oid, 'USAGE, UPDATE');

--
-- PUBLIC: nothing
--
SET ROLE regress_hwsched_nobody;
SELECT pg_temp.try(statement) FROM unnest(ARRAY['SELECT * FROM hwsched.worker', 'SELECT * FROM hwsched.pool_summary', 'SELECT hwsched.load_score(1, 1, 1, 1, 1)', 'SELECT hwsched.assign_pending()', 'SELECT ''pending''::hwsched.workload_state']) AS statement;
RESET ROLE;

--
-- A viewer reads all views and read-only functions, and changes nothing
--
SET ROLE regress_hwsched_viewer;
DO $$
DECLARE
	relation regclass;
	rows bigint;
BEGIN
	FOR relation IN SELECT c.oid FROM pg_class AS c WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND c.relname NOT IN ('worker_login', 'closed_pool', 'pool_login', 'tenant_login') LOOP
		EXECUTE format('SELECT count(*) FROM (SELECT * FROM %s LIMIT 10) AS r', relation) INTO rows;
	END LOOP;
END $$;
SELECT pg_temp.try(statement) || ' <- ' || statement FROM unnest(ARRAY[
	'SELECT * FROM hwsched.plan_pending(NULL, ''roles'')', 'SELECT * FROM hwsched.compatible_hardware(''waits'', ''roles'')', 'SELECT * FROM hwsched.explain_pending(''roles'')', 'SELECT * FROM hwsched.pareto(''waits'', ''roles'')', 'SELECT * FROM hwsched.suggest_power_limit(''x'', 0.1, ''roles'')', 'SELECT hwsched.record_power(''x'', ''G'', 1, 1, 1, ''roles'')', 'SELECT * FROM hwsched.pool_settings(''roles'')',
	'SELECT hwsched.workload_profile(''{}'')', 'SELECT * FROM hwsched.device_profiles(''{}'')', 'SELECT * FROM hwsched.worker_login',
	'SELECT hwsched.submit(''{}'', ''roles'')', 'SELECT hwsched.assign_pending(NULL, ''roles'')', 'SELECT hwsched.register_worker(''x'', ''{}'', ''roles'')', 'SELECT hwsched.cancel(''waits'', ''roles'')', 'SELECT hwsched.claim(''own'', 1, true, ''roles'')',
	'SELECT hwsched.create_pool(''x'')', 'SELECT hwsched.grant_worker(''own'', ''regress_hwsched_viewer'', ''roles'')', 'UPDATE hwsched.worker SET hostname = NULL', 'DELETE FROM hwsched.pending', 'INSERT INTO hwsched.type_word VALUES (1, ''x'', ''nlp'')', 'CREATE TABLE hwsched.x ()'
	]) WITH ORDINALITY AS s (statement, no) ORDER BY no;
RESET ROLE;

--
-- A worker's login acts for its own worker, in its own pool, and for no other
--
SELECT min(assignment_id) FILTER (WHERE worker_id = 'own') AS own, max(assignment_id) FILTER (WHERE worker_id = 'own') AS own_2, min(assignment_id) FILTER (WHERE worker_id = 'else') AS other FROM hwsched.assignment WHERE pool = 'roles' \gset
SET ROLE regress_hwsched_own;
SELECT regexp_replace(pg_temp.try(statement), 'assignment \d+', 'assignment N') || ' <- ' || regexp_replace(statement, '\d+(,\d+)?(?=[,}])', 'N') FROM unnest(ARRAY[
	'SELECT hwsched.register_worker(''own'', ''{"cpu_cores": 4}'', ''roles'')', 'SELECT hwsched.update_load(''own'', ''{"power_w": 1}'', ''roles'')', 'SELECT hwsched.heartbeat(''own'', ''roles'')', 'SELECT hwsched.running_on(''own'', ''roles'')', 'SELECT hwsched.start_warming(''own'', ''0'', ''roles'')',
	format('SELECT hwsched.start(%s, ''roles'')', :own), format('SELECT hwsched.extend_lease(%s, ''1 min'', ''roles'')', :own), format('SELECT hwsched.requirements(%s, ''roles'')', :own), format('SELECT hwsched.complete(%s, NULL, ''roles'')', :own), format('SELECT hwsched.fail(%s, NULL, ''roles'')', :own_2), 'SELECT * FROM hwsched.claim(''own'', 1, true, ''roles'')',
	'SELECT hwsched.register_worker(''else'', ''{}'', ''roles'')', 'SELECT hwsched.register_worker(''new'', ''{}'', ''roles'')', 'SELECT hwsched.update_load(''else'', ''{"power_w": 1}'', ''roles'')', 'SELECT hwsched.heartbeat(''else'', ''roles'')', 'SELECT hwsched.running_on(''else'', ''roles'')',
	'SELECT hwsched.start_warming(''else'', ''0'', ''roles'')', 'SELECT hwsched.start_cooling(''else'', NULL, ''roles'')', 'SELECT * FROM hwsched.claim(''else'', 1, true, ''roles'')',
	format('SELECT hwsched.start(%s, ''roles'')', :other), format('SELECT hwsched.complete(%s, NULL, ''roles'')', :other), format('SELECT hwsched.fail(%s, NULL, ''roles'')', :other), format('SELECT hwsched.extend_lease(%s, ''1 s'', ''roles'')', :other), format('SELECT hwsched.requirements(%s, ''roles'')', :other), format('SELECT hwsched.complete_many(''{%s,%s}'', ''roles'')', :own, :other),
	'SELECT hwsched.heartbeat(''own'', ''roles_2'')', 'SELECT * FROM hwsched.claim(''own'', 1, true, ''roles_2'')',
	'SELECT hwsched.submit(''{}'', ''roles'')', 'SELECT hwsched.assign_pending(NULL, ''roles'')', 'SELECT hwsched.drain_worker(''own'', ''roles'')', 'SELECT hwsched.unregister_worker(''own'', ''roles'')', 'SELECT hwsched.cancel(''waits'', ''roles'')', 'SELECT * FROM hwsched.worker', 'SELECT * FROM hwsched.assignment'
	]) WITH ORDINALITY AS s (statement, no) ORDER BY no;
RESET ROLE;
-- none of which changed the other
SELECT worker_id, state FROM hwsched.assignment WHERE pool = 'roles' AND worker_id = 'else' ORDER BY assignment_id;
-- a role that is a worker but bound to nothing may do nothing; a role in the bound one may
SET ROLE regress_hwsched_other;
SELECT pg_temp.try('SELECT hwsched.heartbeat(''own'', ''roles'')');
RESET ROLE;
GRANT regress_hwsched_own TO regress_hwsched_other;
SET ROLE regress_hwsched_other;
SELECT pg_temp.try('SELECT hwsched.heartbeat(''own'', ''roles'')');
RESET ROLE;
-- with the role goes what it was bound to: one of the same name starts from nothing
DROP ROLE regress_hwsched_own;
CREATE ROLE regress_hwsched_own LOGIN IN ROLE hwsched_worker;
SET ROLE regress_hwsched_own;
SELECT pg_temp.try('SELECT hwsched.heartbeat(''own'', ''roles'')');
RESET ROLE;

--
-- A coordinator runs fleet and work, not pools and taxonomy; an administrator all
--
SET ROLE regress_hwsched_coordinator;
SELECT pg_temp.try(statement) || ' <- ' || statement FROM unnest(ARRAY[
	'SELECT hwsched.register_worker(''c'', ''{}'', ''roles'')', 'SELECT hwsched.update_load(''c'', ''{"power_w": 1}'', ''roles'')', 'SELECT hwsched.drain_worker(''c'', ''2099-01-01'', ''2099-01-02'', ''roles'')', 'SELECT hwsched.pause_pool(''roles'')', 'SELECT hwsched.resume_pool(''roles'')', 'SELECT hwsched.drain_worker(''c'', ''roles'')', 'SELECT hwsched.resume_worker(''c'', ''roles'')', 'SELECT hwsched.submit(''{"test_id": "c"}'', ''roles'')', 'SELECT hwsched.schedule(''c'', ''roles'')',
	'SELECT hwsched.assign_pending(NULL, ''roles'')', 'SELECT hwsched.claim(''else'', 1, true, ''roles'')', 'SELECT hwsched.cancel(''c'', ''roles'')', 'SELECT hwsched.unregister_worker(''c'', ''roles'')', 'SELECT hwsched.grant_worker(''else'', ''regress_hwsched_other'', ''roles'')', 'SELECT * FROM hwsched.worker_status',
	'SELECT hwsched.create_pool(''c'')', 'SELECT hwsched.alter_pool(''roles'', ''{}'')', 'SELECT hwsched.drop_pool(''roles'')', 'INSERT INTO hwsched.type_word VALUES (1, ''x'', ''nlp'')', 'DELETE FROM hwsched.assignment', 'SELECT * FROM hwsched.worker_login'
	]) WITH ORDINALITY AS s (statement, no) ORDER BY no;
-- grant_worker gives a worker's rights to whom it names, and never more
SELECT pg_temp.try('SELECT hwsched.grant_worker(''else'', ''regress_hwsched_nobody'', ''roles'')');
RESET ROLE;
SELECT r.rolname FROM pg_auth_members AS a JOIN pg_roles AS r ON r.oid = a.roleid WHERE a.member = 'regress_hwsched_nobody'::regrole AND NOT a.admin_option;
SET ROLE regress_hwsched_admin;
SELECT pg_temp.try(statement) || ' <- ' || statement FROM unnest(ARRAY[
	'SELECT hwsched.create_pool(''roles_3'', ''{"max_concurrent": 2}'')', 'SELECT hwsched.alter_pool(''roles_3'', ''{"lease": "1 min"}'')', 'SELECT hwsched.register_worker(''a'', ''{"cpu_cores": 1}'', ''roles_3'')', 'SELECT hwsched.submit(''{}'', ''roles_3'')', 'SELECT hwsched.assign_pending(NULL, ''roles_3'')',
	'SELECT hwsched.claim(''a'', 1, true, ''roles_3'')', 'SELECT * FROM hwsched.worker_login', 'SELECT hwsched.drop_pool(''roles_3'')', 'INSERT INTO hwsched.type_word (position, word, workload_type) VALUES (1, ''x'', ''nlp'')', 'DELETE FROM hwsched.type_word WHERE word = ''x''', 'DELETE FROM hwsched.assignment', 'UPDATE hwsched.device_usage SET slots = 0'
	]) WITH ORDINALITY AS s (statement, no) ORDER BY no;
-- who changed the settings is the caller, not the owner of the function
SELECT hwsched.alter_pool('roles', '{"lease": 70}');
RESET ROLE;
SELECT version, changed_by = session_user AS by_session FROM hwsched.settings_version WHERE pool = 'roles' ORDER BY version;

--
-- A hostile search path: operators, functions, casts and tables of a role's own are not looked at
--
CREATE SCHEMA regress_hostile AUTHORIZATION regress_hwsched_coordinator;
SET ROLE regress_hwsched_coordinator;
SET search_path = regress_hostile, pg_catalog;
CREATE TABLE regress_hostile.stolen (what text);
CREATE FUNCTION regress_hostile.spy(what text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO regress_hostile.stolen VALUES (what || ' as ' || current_user); END $$;
CREATE FUNCTION regress_hostile.text_equal(a text, b text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_hostile.spy('='); RETURN true; END $$;
CREATE OPERATOR regress_hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = regress_hostile.text_equal);
CREATE FUNCTION regress_hostile.int_equal(a bigint, b bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_hostile.spy('= int'); RETURN true; END $$;
CREATE OPERATOR regress_hostile.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = regress_hostile.int_equal);
CREATE FUNCTION regress_hostile.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_hostile.spy('now'); RETURN '2000-01-01'; END $$;
CREATE FUNCTION regress_hostile.unnest(anyarray) RETURNS SETOF anyelement LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_hostile.spy('unnest'); RETURN; END $$;
CREATE FUNCTION regress_hostile.sha256(bytea) RETURNS bytea LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_hostile.spy('sha256'); RETURN ''; END $$;
CREATE FUNCTION regress_hostile.collect(names text[], name text) RETURNS text[] LANGUAGE sql AS $$ SELECT pg_catalog.array_append(coalesce(names, '{planted}'), name) $$;
CREATE AGGREGATE regress_hostile.array_agg(text) (SFUNC = regress_hostile.collect, STYPE = text[]);
CREATE TABLE regress_hostile.pool (pool text);
CREATE TABLE regress_hostile.worker (pool text, worker_id text);
CREATE TEMP TABLE worker (pool text, worker_id text);
CREATE TEMP TABLE taxonomy (kind text, name text);
-- a new session has no plans and no copy of the taxonomy yet: all are made under this path
RESET ROLE;
\c -
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.state(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 'allowed'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
SET ROLE regress_hwsched_coordinator;
CREATE TEMP TABLE worker (pool pg_catalog.text, worker_id pg_catalog.text);
SET search_path = regress_hostile, pg_temp, pg_catalog;
SELECT hwsched.efficiency_score('{}', '{}') AS score, (hwsched.workload_profile('{"test_type": "vision"}') OPERATOR(pg_catalog.->>) 'workload_type') AS type;
SELECT pg_temp.state($$SELECT hwsched.workload_profile('{"required_backend": "planted"}')$$) AS planted, pg_temp.state($$SELECT hwsched.submit('{"test_id": "planted", "required_backend": "planted"}', 'roles_2')$$) AS planted;
SELECT hwsched.register_worker('h', '{"cpu_cores": 4, "supported_backends": ["cuda"]}', 'roles_2'), hwsched.update_load('h', '{"cpu_utilization": 1, "devices": [{"device_no": 1, "utilization": 2}]}', 'roles_2'), hwsched.heartbeat('h', 'roles_2');
SELECT hwsched.submit('{"test_id": "h1", "test_type": "vision"}', 'roles_2'), hwsched.submit_many('[{"test_id": "h2"}, {"test_id": "h3"}]', 'roles_2');
SELECT pg_catalog.count(*) FROM hwsched.plan_pending(NULL, 'roles_2');
SELECT worker_id, device_no FROM hwsched.compatible_hardware('h1', 'roles_2') LIMIT 1;
SELECT pg_catalog.count(*) FROM hwsched.schedule('h1', 'roles_2');
SELECT hwsched.assign_pending(NULL, 'roles_2'), hwsched.start_warming('h', '1 s', 'roles_2');
CREATE TEMP TABLE got AS SELECT * FROM hwsched.claim('h', 1, true, 'roles_2');
SELECT hwsched.complete(assignment_id, NULL, 'roles_2') FROM got;
SELECT hwsched.cancel('h2', 'roles_2'), hwsched.grant_worker('h', 'regress_hwsched_other', 'roles_2'), hwsched.drain_worker('h', 'roles_2'), hwsched.unregister_worker('h', 'roles_2');
SELECT pg_catalog.count(*) > 0 AS seen FROM hwsched.pool_summary;
SELECT * FROM regress_hostile.stolen;
RESET search_path;
RESET ROLE;
SELECT workload_id, state FROM hwsched.workload WHERE pool = 'roles_2' ORDER BY 1;

-- A worker's code that somebody mightier runs acts for its own worker only: an
-- index expression that ANALYZE by a superuser calls.
SELECT hwsched.register_worker('mine', '{"cpu_cores": 1}', 'roles_2'), hwsched.register_worker('theirs', '{"cpu_cores": 1}', 'roles_2');
SELECT hwsched.grant_worker('mine', 'regress_hwsched_other', 'roles_2');
CREATE SCHEMA regress_index AUTHORIZATION regress_hwsched_other;
SET ROLE regress_hwsched_other;
CREATE TABLE regress_index.t (i int);
INSERT INTO regress_index.t VALUES (1);
CREATE FUNCTION regress_index.f(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN i; END $$;
CREATE INDEX ON regress_index.t (regress_index.f(i));
CREATE OR REPLACE FUNCTION regress_index.f(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN PERFORM hwsched.update_load('mine', '{"cpu_utilization": 11}', 'roles_2'); PERFORM hwsched.update_load('theirs', '{"cpu_utilization": 99}', 'roles_2'); RETURN i; END $$;
RESET ROLE;
SELECT pg_temp.state('ANALYZE regress_index.t');
SELECT worker_id, cpu_utilization FROM hwsched.worker_load WHERE pool = 'roles_2' AND worker_id IN ('mine', 'theirs') ORDER BY 1;
-- and the caller is itself again afterwards, also after an error
SET ROLE regress_hwsched_other;
SELECT hwsched.heartbeat('mine', 'roles_2'), current_user;
SELECT pg_temp.state($$SELECT hwsched.heartbeat('theirs', 'roles_2')$$), current_user;
RESET ROLE;
DROP SCHEMA regress_index CASCADE;

DROP TABLE worker, got;
DROP SCHEMA regress_hostile CASCADE;
DROP ROLE regress_hwsched_nobody, regress_hwsched_viewer, regress_hwsched_coordinator, regress_hwsched_admin, regress_hwsched_own, regress_hwsched_other;
