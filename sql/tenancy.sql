-- Who was granted nothing sees and does nothing: a login of one tenant of another's, one
-- of another pool, a worker. Each goes through all tables, views and functions there are
-- by the catalog, so that a new one is among them: if a table has nothing of the other
-- yet, the list of those says so.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;
CREATE ROLE regress_a LOGIN;
CREATE ROLE regress_b LOGIN;
CREATE ROLE regress_far LOGIN;
CREATE ROLE regress_far_view LOGIN;
CREATE ROLE regress_view LOGIN IN ROLE hwsched_coordinator;
CREATE ROLE regress_w LOGIN;
CREATE ROLE regress_nobody LOGIN IN ROLE hwsched_coordinator;
CREATE ROLE regress_team;
CREATE ROLE regress_member LOGIN IN ROLE regress_team;
CREATE SCHEMA regress_tenancy;
GRANT USAGE ON SCHEMA regress_tenancy TO public;

-- The state a statement ends with, and what is said; what it did is undone
CREATE FUNCTION regress_tenancy.state(statement text) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN EXECUTE statement; RAISE SQLSTATE 'DONE0'; EXCEPTION WHEN SQLSTATE 'DONE0' THEN RETURN 'allowed'; WHEN OTHERS THEN RETURN sqlstate || ' ' || sqlerrm; END $$;

--
-- Two pools: one that tenants a and b share, one that is far. What is of b says so by
-- "hidden", or by an id that others may guess; what is in the other pool is far.
--
SELECT hwsched.create_pool('shared', '{"learning": true, "offline_after": 1000, "tenants": {"guess-b": {"weight": 2, "quota": {"workloads": 90}}, "a": {"weight": 1}}, "fair_share": {"half_life": "1 hour"}, "limits": {"lic": {"concurrent": 3}}}'), hwsched.create_pool('far', '{"limits": {"far-key": {"concurrent": 1}}}');
SELECT hwsched.grant_tenant('a', 'regress_a', 'shared'), hwsched.grant_tenant('guess-b', 'regress_b', 'shared'), hwsched.grant_pool('regress_view', 'view', 'shared'), hwsched.grant_pool('regress_far', 'coordinate', 'far'), hwsched.grant_pool('regress_far_view', 'view', 'far');
SELECT g.rolname AS made_member_of, m.rolname FROM pg_auth_members AS x JOIN pg_roles AS g ON g.oid = x.roleid JOIN pg_roles AS m ON m.oid = x.member WHERE m.rolname LIKE 'regress\_%' ORDER BY 2, 1;
SELECT count(hwsched.register_worker(w, jsonb_build_object('cpu_cores', 16, 'available_memory', 64, 'supported_backends', '["cpu", "cuda"]'::jsonb, 'available_accelerators', '{"gpu": 2}'::jsonb, 'labels', jsonb_build_object('of', w)), 'shared')) FROM unnest('{w1,w2}'::text[]) AS w;
SELECT hwsched.register_worker('far-worker', '{"cpu_cores": 8, "available_memory": 32, "hostname": "far-host", "supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": 2}}', 'far');
SELECT hwsched.grant_worker('w2', 'regress_w', 'shared');
SELECT count(hwsched.update_load(w, '{"cpu_utilization": 10, "temperature_celsius": 50, "power_w": 100, "devices": [{"device_no": 1, "utilization": 20, "temperature_celsius": 60, "power_w": 50}]}', p)) FROM (VALUES ('w1', 'shared'), ('w2', 'shared'), ('far-worker', 'far')) AS v(w, p);
SELECT count(hwsched.submit(jsonb_build_object('test_id', id, 'test_type', 'training', 'tenant', tenant, 'model_id', mark || '-model', 'model_family', mark || '-family', 'labels', jsonb_build_object('l', mark), 'group', mark || '-group', 'retries', 0, 'expected_duration', 10,
	'concurrency_key', CASE WHEN id LIKE '%wait' THEN jsonb_build_object(mark || '-key', 2) WHEN id LIKE '%run' THEN jsonb_build_object('lic', 1, mark || '-free', 1) ELSE '[]' END, 'required_labels', CASE pool WHEN 'shared' THEN jsonb_build_object('of', worker) ELSE '{}' END,
	'depends_on', CASE WHEN id LIKE '%after' THEN jsonb_build_array(replace(id, 'after', 'wait')) ELSE '[]' END), pool))
FROM (VALUES ('guess', 'guess-b', 'hidden', 'w1', 'shared'), ('own', 'a', 'mine', 'w2', 'shared'), ('far', 'far', 'far', 'far-worker', 'far')) AS t(prefix, tenant, mark, worker, pool),
	unnest('{run,done,dead,over,wait,after}'::text[]) WITH ORDINALITY AS k(kind, no), LATERAL (SELECT prefix || '-' || kind AS id) AS i;
SELECT hwsched.assign_pending(10, 'shared'), hwsched.assign_pending(10, 'far');
SELECT count(*) FROM (VALUES ('w1', 'shared'), ('w2', 'shared'), ('far-worker', 'far')) AS v(w, p), LATERAL hwsched.claim(w, 9, false, p);
SELECT count(hwsched.progress(assignment_id, 0.5, jsonb_build_object('n', split_part(workload_id, '-', 1)), pool)) FROM hwsched.assignment WHERE pool IN ('shared', 'far') AND workload_id LIKE '%run';
SELECT count(hwsched.complete(assignment_id, jsonb_build_object('r', split_part(workload_id, '-', 1) || ' word'), pool)) FROM hwsched.assignment WHERE pool IN ('shared', 'far') AND workload_id LIKE '%done';
SELECT count(hwsched.fail(assignment_id, split_part(workload_id, '-', 1) || ' word', pool)) FROM hwsched.assignment WHERE pool IN ('shared', 'far') AND workload_id LIKE '%dead';
SELECT hwsched.maintain('shared') IS NULL, hwsched.maintain('far') IS NULL;
-- not settled, and so not maintained
SELECT count(hwsched.complete(assignment_id, NULL, pool)) FROM hwsched.assignment WHERE pool IN ('shared', 'far') AND workload_id LIKE '%over';
SELECT hwsched.record_power('hidden', 'hidden', 100, 1, 100, 'shared'), hwsched.record_power('far', 'far', 100, 1, 100, 'far'),
	hwsched.record_assignment('guess-recorded', 'w1', 0.5, 'hidden', now(), 'shared'), hwsched.record_assignment('far', 'far-worker', 0.5, 'far', now(), 'far'),
	hwsched.record_execution_time('guess-recorded', 1, 1, 'hidden', 'w1', now() - interval '2 days', 'shared'), hwsched.record_execution_time('far', 1, 1, 'far', 'far-worker', now() - interval '2 days', 'far');
INSERT INTO hwsched.reserved_place (pool, workload_id, shard_no, priority, deadline, queue_no, profile_id, worker_id, device_nos, backfill_until)
SELECT q.pool, q.workload_id, 0, q.priority, q.deadline, q.queue_no, q.profile_id, w.worker_id, '{1}', '2099-01-01' FROM hwsched.pending AS q JOIN hwsched.worker AS w USING (pool) WHERE q.pool IN ('shared', 'far') AND q.workload_id LIKE '%wait' AND w.worker_id IN ('w1', 'far-worker');
INSERT INTO hwsched.tenant_past VALUES ('shared', 'guess-b', 1, 1, 1, now()), ('shared', 'a', 1, 1, 1, now()), ('far', 'far', 1, 1, 1, now()) ON CONFLICT DO NOTHING;
INSERT INTO hwsched.utilization_hour (pool, hour, worker_id, device_no, samples) VALUES ('far', '2026-01-01', 'far-worker', -1, 1);
INSERT INTO hwsched.thermal_hour (pool, hour, worker_id, device_no, samples) VALUES ('far', '2026-01-01', 'far-worker', -1, 1);
INSERT INTO hwsched.assignment_hour (pool, hour, worker_id, workload_type, assignments, efficiency_ratio, min_efficiency_ratio, max_efficiency_ratio) VALUES ('far', '2026-01-01', 'far-worker', 'far', 1, 1, 1, 1), ('shared', '2026-01-01', 'w1', 'hidden', 1, 1, 1, 1);
INSERT INTO hwsched.execution_hour (pool, hour, worker_id, workload_type, completed, failed) VALUES ('far', '2026-01-01', 'far-worker', 'far', 1, 0), ('shared', '2026-01-01', 'w1', 'hidden', 1, 0);
INSERT INTO hwsched.device_heat (pool, worker_id, device_no, profile_id, model, updated_at) SELECT pool, worker_id, device_no, profile_id, '{1}', now() FROM hwsched.device WHERE pool = 'far' ON CONFLICT DO NOTHING;
INSERT INTO hwsched.history_late (pool, hour) VALUES ('far', '2026-01-01');
INSERT INTO hwsched.pool_activity (pool, activity, error) VALUES ('shared', 'oldest_report', 'hidden') ON CONFLICT (pool, activity) DO UPDATE SET error = 'hidden';

--
-- The attack
--
-- What of a text is none of the caller's business
CREATE FUNCTION regress_tenancy.leaks(what text, foreign_words text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT what ~ foreign_words';
-- What there is to read; a table of a worker's own would be read by its columns
CREATE TABLE regress_tenancy.relation AS SELECT c.oid::regclass AS relation, c.relkind, EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'pool' AND NOT a.attisdropped) AS of_pool
FROM pg_class AS c WHERE c.relnamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace) AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition;
CREATE FUNCTION regress_tenancy.read_all(foreign_words text, OUT relations bigint, OUT refused bigint, OUT leaks text) LANGUAGE plpgsql AS $$
DECLARE r record; n bigint;
BEGIN
	relations := 0; refused := 0;
	FOR r IN SELECT relation FROM regress_tenancy.relation ORDER BY relation::text LOOP
		BEGIN
			EXECUTE format('SELECT count(*) FROM %s AS r WHERE r::text ~ $1', r.relation) INTO n USING foreign_words;
			relations := relations + 1;
			IF n > 0 THEN leaks := concat_ws(' ', leaks, r.relation); END IF;
		EXCEPTION WHEN insufficient_privilege THEN refused := refused + 1;
		END;
	END LOOP;
END $$;
-- What is told of a row's value by what a cheap function of the reader's own is shown
CREATE FUNCTION regress_tenancy.peek(what text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN IF what ~ 'guess|hidden|far-' THEN RAISE WARNING 'peeked: %', what; END IF; RETURN true; END $$;

-- All calls: each function with the arguments that name what is the other's
CREATE TABLE regress_tenancy.call AS
WITH named(name, expressions) AS (VALUES
	('pool', '{''shared'',''far''}'::text[]), ('workload_id', '{''guess-run'',''guess-wait'',''guess-dead'',''far-wait''}'), ('worker_id', '{''w1'',''far-worker''}'), ('device_no', '{1}'), ('profile_id', '{1}'),
	('assignment_id', '{(SELECT run FROM regress_tenancy.id),(SELECT far FROM regress_tenancy.id)}'), ('assignment_ids', '{(SELECT ARRAY[run] FROM regress_tenancy.id)}'), ('finished', '{(SELECT ARRAY[run] FROM regress_tenancy.id)}'), ('running', '{(SELECT ARRAY[run] FROM regress_tenancy.id)}'),
	('requirements', ARRAY[$$'{"test_id": "guess-run", "tenant": "a"}'$$, $$'{"test_id": "guess-done", "tenant": "a"}'$$, $$'{"test_id": "new", "tenant": "guess-b"}'$$, $$'{"test_id": "new", "tenant": "a", "depends_on": ["guess-run"]}'$$,
		$$'[{"test_id": "guess-run", "tenant": "a"}]'$$, $$'[{"test_id": "guess-done", "tenant": "a"}]'$$, $$'[{"test_id": "new", "tenant": "guess-b"}]'$$]),
	('on_duplicate', '{''error'',''skip''}'), ('filter', ARRAY[$$'{}'$$, $$'{"tenant": "guess-b"}'$$]), ('changes', ARRAY[$$'{"priority": 1}'$$]), ('role', '{''regress_w''}'), ('right', '{''coordinate''}'), ('tenant', '{''guess-b''}'), ('activity', '{''maintain''}'), ('every', '{''1 minute''}'),
	('capabilities', ARRAY[$$'{"cpu_cores": 1}'$$]), ('load', ARRAY[$$'{"cpu_utilization": 1}'$$]), ('utilization', ARRAY[$$'{"cpu_utilization": 1}'$$]), ('pools', ARRAY[$$'{shared,far}'$$]), ('chart', '{''assignments''}'), ('settings', ARRAY[$$'{}'$$]), ('document', ARRAY[$$'{}'$$]),
	('job', '{''hidden''}'), ('device_model', '{''G''}')),
typed(type, expression) AS (VALUES ('text', '''x'''), ('bigint', '1'), ('integer', '1'), ('smallint', '1::smallint'), ('double precision', '0.5'), ('jsonb', '''{}'''), ('boolean', 'true'), ('interval', '''1 min'''), ('timestamp with time zone', 'now()'), ('name', '''regress_w'''),
	('bigint[]', '''{1}'''), ('text[]', '''{x}'''), ('double precision[]', '''{1}''')),
-- one row for each argument; those with a default are given if they are named
argument AS (SELECT p.oid, a.no, a.name, coalesce(n.expressions, ARRAY[coalesce(t.expression, 'NULL')]) AS expressions
	FROM pg_proc AS p CROSS JOIN LATERAL (SELECT u.no, p.proargnames[u.no] AS name, format_type(u.type, NULL) AS type FROM unnest(p.proargtypes) WITH ORDINALITY AS u(type, no)) AS a
	LEFT JOIN named AS n ON n.name = a.name LEFT JOIN typed AS t ON t.type = a.type
	WHERE p.pronamespace IN ('hwsched'::regnamespace, 'hwsched_internal'::regnamespace) AND (n.name IS NOT NULL OR a.no <= p.pronargs - p.pronargdefaults)),
-- the variants of a function: as many as its argument with most has, all of them for each pool
variant AS (SELECT p.oid, v, w FROM pg_proc AS p JOIN (SELECT oid, max(cardinality(expressions)) AS most FROM argument GROUP BY oid) AS a USING (oid), generate_series(1, a.most) AS v, generate_series(1, 2) AS w
	WHERE p.prokind = 'f' AND p.prorettype NOT IN ('trigger'::regtype, 'internal'::regtype) AND NOT 'internal'::regtype = ANY (p.proargtypes) AND NOT 'cstring'::regtype = ANY (p.proargtypes))
SELECT DISTINCT v.oid::regprocedure AS function, (SELECT provolatile = 'v' FROM pg_proc AS p WHERE p.oid = v.oid) AS writes, format('SELECT string_agg(r::text, E''\n'') FROM %s(%s) AS r', v.oid::regproc, string_agg(concat(quote_ident(a.name) || ' => ', a.expressions[1 + (CASE a.name WHEN 'pool' THEN w ELSE v END - 1) % cardinality(a.expressions)]), ', ' ORDER BY a.no)) AS call
FROM variant AS v JOIN argument AS a USING (oid) GROUP BY v.oid, v.v, v.w;
CREATE TABLE regress_tenancy.id AS SELECT min(assignment_id) FILTER (WHERE workload_id = 'guess-run') AS run, min(assignment_id) FILTER (WHERE workload_id = 'far-run') AS far FROM hwsched.assignment;
-- what is the other's, to see that nobody changed it
CREATE FUNCTION regress_tenancy.others(foreign_words text) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT md5(string_agg(row, E'\n' ORDER BY row)) FROM (
	SELECT r::text FROM hwsched.submission AS r UNION ALL SELECT r::text FROM hwsched.pending AS r UNION ALL SELECT r::text FROM hwsched.assignment AS r UNION ALL SELECT r::text FROM hwsched.dependency AS r UNION ALL SELECT r::text FROM hwsched.progress AS r
	UNION ALL SELECT r::text FROM hwsched.worker AS r UNION ALL SELECT r::text FROM hwsched.device AS r UNION ALL SELECT r::text FROM hwsched.worker_load AS r UNION ALL SELECT r::text FROM hwsched.settings_version AS r UNION ALL SELECT r::text FROM hwsched.pool AS r
	UNION ALL SELECT r::text FROM hwsched.track_record AS r UNION ALL SELECT r::text FROM hwsched.recorded_execution AS r UNION ALL SELECT r::text FROM hwsched.power_measurement AS r UNION ALL SELECT r::text FROM hwsched.pool_login AS r UNION ALL SELECT r::text FROM hwsched.tenant_login AS r UNION ALL SELECT r::text FROM hwsched.worker_login AS r) AS all_rows(row)
WHERE row ~ foreign_words OR row ~ 'w1'; $$;
CREATE TABLE regress_tenancy.answer (role name DEFAULT current_user, function text, call text, state text, answer text, changed boolean);
GRANT SELECT ON ALL TABLES IN SCHEMA regress_tenancy TO public;
GRANT INSERT, SELECT ON regress_tenancy.answer TO public;
CREATE FUNCTION regress_tenancy.call_all(foreign_words text, functions text DEFAULT '') RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE c record; result text; said text; ended text; before text := regress_tenancy.others(foreign_words); has_changed boolean;
BEGIN
	FOR c IN SELECT * FROM regress_tenancy.call WHERE function::text ~ functions ORDER BY call LOOP
		has_changed := false; result := NULL;
		BEGIN
			EXECUTE c.call INTO result;
			has_changed := c.writes AND regress_tenancy.others(foreign_words) IS DISTINCT FROM before;
			RAISE SQLSTATE 'DONE0';
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS ended = RETURNED_SQLSTATE, said = MESSAGE_TEXT;
			IF ended <> 'DONE0' THEN result := said; END IF;
		END;
		INSERT INTO regress_tenancy.answer (function, call, state, answer, changed) VALUES (c.function, c.call, ended, result, has_changed);
	END LOOP;
END $$;
-- What came out: what is the other's and was not in the call; errors that tell a state
CREATE VIEW regress_tenancy.leak AS SELECT role, function, call, state, left(answer, 300) AS answer, changed
FROM regress_tenancy.answer, LATERAL (SELECT CASE WHEN role = 'regress_view' THEN 'far[-a-z]*' WHEN role LIKE 'regress_far%' THEN '(?:hidden|guess)[-a-z]*' ELSE '(?:hidden|guess|far)[-a-z]*' END AS words) AS w
WHERE (role NOT LIKE 'regress_far%' OR call !~ 'pool => ''far''')
	AND (changed OR EXISTS (SELECT FROM regexp_matches(answer, w.words, 'g') AS m(word) WHERE position(m.word[1] IN call) = 0) OR role <> 'regress_view' AND state <> 'DONE0' AND replace(answer, 'running_on', '') ~ 'completed|running|is dead|still open|already');

-- a superuser sees and changes it all: so much can be found
SELECT relation AS with_nothing_of_the_other_pool FROM regress_tenancy.relation WHERE relkind <> 'v' AND of_pool AND NOT relation::text = ANY (string_to_array((SELECT leaks FROM regress_tenancy.read_all('far')), ' ')) ORDER BY relation::text;
SELECT relation AS with_nothing_of_b FROM regress_tenancy.relation WHERE relation::text ~ '(submission|pending|assignment|workload_profile|dependency|key_holder|progress|reserved_place|unsettled|tenant_past|settings_version|pool_activity|track_record|recorded_assignment|recorded_execution|power_measurement|duration_record|model_placement)$' AND NOT relation::text = ANY (string_to_array((SELECT leaks FROM regress_tenancy.read_all('hidden|guess|^\(shared')), ' ')) ORDER BY relation::text;
-- what is completed is settled by whoever comes first
SELECT hwsched.rebalance(0, 'shared'), hwsched.rebalance(0, 'far');
SELECT regress_tenancy.call_all('hidden|guess|far', '(explain_pending|queue_reasons|tenant_usage|pool_settings|history_json|learning_json|requirements|cancel|submit|plan_pending|retry_dead)\(');
SELECT count(DISTINCT function) AS leak, count(DISTINCT function) FILTER (WHERE changed) AS change FROM regress_tenancy.leak WHERE role = session_user;
DELETE FROM regress_tenancy.answer;

-- a login of tenant a
SET SESSION AUTHORIZATION regress_a;
SELECT relations > 60 AS read, leaks FROM regress_tenancy.read_all('hidden|guess|far');
SELECT regress_tenancy.call_all('hidden|guess|far');
SELECT count(DISTINCT function) > 100 AS called FROM regress_tenancy.answer;
-- with a function that is called as early as can be
SELECT count(*) FROM hwsched.assignment WHERE regress_tenancy.peek(workload_id) AND workload_id ~ 'guess|far-';
SELECT count(*) FROM hwsched.workload AS w WHERE regress_tenancy.peek(w.workload_id) AND w.workload_id ~ 'guess|far-';
SELECT count(*) FROM pg_stats WHERE schemaname = 'hwsched' AND tablename NOT IN ('taxonomy', 'type_word', 'class_similarity', 'implied_device');
RESET SESSION AUTHORIZATION;
SELECT * FROM regress_tenancy.leak WHERE role = 'regress_a';
-- a coordinator and a viewer of the other pool
SET SESSION AUTHORIZATION regress_far;
SELECT relations > 60 AS read, leaks FROM regress_tenancy.read_all('hidden|guess');
SELECT regress_tenancy.call_all('hidden|guess');
SET SESSION AUTHORIZATION regress_far_view;
SELECT relations > 60 AS read, leaks FROM regress_tenancy.read_all('hidden|guess');
SELECT regress_tenancy.call_all('hidden|guess|far');
RESET SESSION AUTHORIZATION;
SELECT * FROM regress_tenancy.leak WHERE role LIKE 'regress_far%';
-- a coordinator who was granted nothing here
SET SESSION AUTHORIZATION regress_nobody;
SELECT relations > 60 AS read, leaks FROM regress_tenancy.read_all('hidden|guess|far');
SELECT regress_tenancy.call_all('hidden|guess|far');
RESET SESSION AUTHORIZATION;
SELECT * FROM regress_tenancy.leak WHERE role = 'regress_nobody';
-- a worker
SET SESSION AUTHORIZATION regress_w;
SELECT leaks FROM regress_tenancy.read_all('hidden|guess|far');
SELECT regress_tenancy.call_all('hidden|guess|far');
RESET SESSION AUTHORIZATION;
SELECT * FROM regress_tenancy.leak WHERE role = 'regress_w';
-- who may view all of the shared pool does, and changes nothing, though it coordinates elsewhere
SET SESSION AUTHORIZATION regress_view;
SELECT relations > 60 AS read, leaks ~ 'hwsched.assignment' AS sees_b FROM regress_tenancy.read_all('hidden|guess');
SELECT leaks FROM regress_tenancy.read_all('far');
SELECT regress_tenancy.call_all('hidden|guess|far');
RESET SESSION AUTHORIZATION;
SELECT * FROM regress_tenancy.leak WHERE role = 'regress_view';
SELECT count(DISTINCT function) AS refused FROM regress_tenancy.answer WHERE role = 'regress_view' AND state = '42501' AND call ~ 'shared' AND function ~ '^hwsched\.(assign_pending|maintain|submit|cancel|pause_pool|claim|register_worker|drain_worker|grant_worker|rebalance|reset_learning)\(';

--
-- What is one's own is seen, and done
--
-- the worker runs what it is given
SET SESSION AUTHORIZATION regress_w;
SELECT hwsched.heartbeat('w2', 'shared');
SELECT workload_id FROM hwsched.running_on('w2', 'shared');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_a;
SELECT pool FROM hwsched.pool WHERE pool IN ('shared', 'far');
SELECT workload_id, state FROM hwsched.workload WHERE pool = 'shared' ORDER BY 1;
SELECT workload_id, progress_ratio FROM hwsched.running_work;
SELECT worker_id, devices FROM hwsched.worker_status WHERE pool = 'shared' ORDER BY 1;
SELECT tenant, weight, workloads FROM hwsched.tenant_usage WHERE pool = 'shared';
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'shared' ORDER BY 1;
SELECT reason, workloads FROM hwsched.explain_pending('shared');
SELECT key, concurrent_limit, in_use FROM hwsched.limit_usage WHERE pool = 'shared' ORDER BY 1;
SELECT value FROM hwsched.pool_settings('shared') WHERE name = 'tenants';
SELECT pending, running, is_paused FROM hwsched.pool_summary WHERE pool = 'shared';
SELECT count(*) > 0 AS hours, bool_and(worker_id = 'w2') AS own FROM hwsched.execution_history_hourly WHERE pool = 'shared';
SELECT length(hwsched.summary_report(pool => 'shared')) > 1000 AS report;
SELECT hwsched.submit('{"test_id": "own-new", "tenant": "a"}', 'shared');
SELECT count(*) FROM hwsched.schedule('own-new', 'shared');
SELECT hwsched.alter_workload('own-new', '{"priority": 1}', pool => 'shared');
SELECT hwsched.cancel('own-new', 'shared');
SELECT hwsched.submit_many('[{"test_id": "own-1", "tenant": "a"}, {"test_id": "own-2", "tenant": "a", "depends_on": ["own-1"]}]', 'shared');
SELECT count(*) FROM hwsched.plan_pending(pool => 'shared');
SELECT hwsched.cancel_many('{}', 'shared'), hwsched.retry_many('{}', 'shared');
SELECT regress_tenancy.state(statement) FROM unnest(ARRAY['SELECT hwsched.submit(''{"test_id": "x"}'', ''shared'')', 'SELECT hwsched.submit(''{"test_id": "x", "tenant": "c"}'', ''shared'')', 'SELECT hwsched.submit_many(''[{"test_id": "x"}]'', ''shared'')', 'SELECT hwsched.submit(''{"test_id": "guess-run", "tenant": "a"}'', ''shared'')',
	'SELECT hwsched.submit(''{"test_id": "guess-done", "tenant": "a"}'', ''shared'')', 'SELECT hwsched.submit_many(''[{"test_id": "guess-run", "tenant": "a"}]'', ''shared'', ''skip'')', 'SELECT hwsched.submit(''{"test_id": "x", "tenant": "a", "depends_on": ["guess-run"]}'', ''shared'')', 'SELECT hwsched.alter_workload(''own-dead'', ''{"tenant": "guess-b"}'', pool => ''shared'')',
	'SELECT hwsched.cancel(''guess-wait'', ''shared'')', 'SELECT hwsched.cancel(''nothing'', ''shared'')', 'SELECT hwsched.retry_dead(''guess-dead'', ''shared'')', 'SELECT hwsched.assign_pending(pool => ''shared'')', 'SELECT hwsched.claim(''w2'', pool => ''shared'')', 'SELECT hwsched.complete(1, pool => ''shared'')', 'SELECT hwsched.submit(''{}'', ''far'')', 'SELECT * FROM hwsched.pool_settings(''far'')', 'SELECT hwsched.submit(''{}'', ''no such pool'')', 'SELECT hwsched.grant_tenant(''guess-b'', ''regress_a'', ''shared'')']) AS statement;
RESET SESSION AUTHORIZATION;
--
-- Granting and revoking
--
SELECT regress_tenancy.state(statement) FROM unnest(ARRAY['SELECT hwsched.grant_pool(''regress_none'', ''view'', ''shared'')', 'SELECT hwsched.grant_pool(''regress_a'', ''all'', ''shared'')', 'SELECT hwsched.grant_pool(''regress_a'', ''view'', ''none'')', 'SELECT hwsched.grant_tenant(repeat(''t'', 1001), ''regress_a'', ''shared'')', 'SELECT hwsched.revoke_tenant(''c'', ''regress_a'', ''shared'')', 'SELECT hwsched.revoke_pool(''regress_a'', ''view'', ''shared'')']) AS statement;
-- to a group, for work of no tenant, at once and in a session that has read before
SELECT hwsched.submit('{"test_id": "nobodys"}', 'shared'), hwsched.grant_tenant('', 'regress_team', 'shared');
SET SESSION AUTHORIZATION regress_member;
SELECT workload_id FROM hwsched.workload WHERE pool = 'shared';
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT workload_id FROM hwsched.workload WHERE pool = 'shared';
RESET SESSION AUTHORIZATION;
SELECT hwsched.revoke_tenant('', 'regress_team', 'shared');
SET SESSION AUTHORIZATION regress_member;
SELECT workload_id FROM hwsched.workload WHERE pool = 'shared';
ROLLBACK;
SET SESSION AUTHORIZATION regress_member;
SELECT workload_id FROM hwsched.workload WHERE pool = 'shared';
RESET SESSION AUTHORIZATION;
-- who may no more, and a pool that everybody has left, which does not open
SELECT hwsched.revoke_tenant('', 'regress_team', 'shared'), hwsched.revoke_tenant('a', 'regress_a', 'shared'), hwsched.revoke_tenant('guess-b', 'regress_b', 'shared'), hwsched.revoke_pool('regress_view', 'view', 'shared');
SELECT count(*) FROM hwsched.tenant_login WHERE pool = 'shared';
SET SESSION AUTHORIZATION regress_a;
SELECT count(*) FROM hwsched.assignment WHERE pool = 'shared';
SELECT regress_tenancy.state('SELECT hwsched.cancel(''own-run'', ''shared'')');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_nobody;
SELECT count(*) FROM hwsched.assignment WHERE pool = 'shared';
RESET SESSION AUTHORIZATION;
-- all coordinators: as if it were open
SELECT hwsched.grant_pool('hwsched_coordinator', 'coordinate', 'shared');
SET SESSION AUTHORIZATION regress_nobody;
SELECT count(*) > 5 AS sees FROM hwsched.assignment WHERE pool = 'shared';
SELECT hwsched.cancel('guess-wait', 'shared');
RESET SESSION AUTHORIZATION;
-- with a role goes what it was granted, not that the pool is closed
SELECT hwsched.grant_pool('regress_view', 'view', 'far'), hwsched.revoke_pool('regress_far', 'coordinate', 'far'), hwsched.revoke_pool('regress_far_view', 'view', 'far');
DROP ROLE regress_view;
SET SESSION AUTHORIZATION regress_nobody;
SELECT count(*) FROM hwsched.worker WHERE pool = 'far';
RESET SESSION AUTHORIZATION;
-- a pool of the same name starts open
SELECT hwsched.drop_pool('far'), hwsched.create_pool('far');
SELECT count(*) FROM hwsched.pool_login WHERE pool = 'far';
SET SESSION AUTHORIZATION regress_nobody;
SELECT hwsched.submit('{"test_id": "open"}', 'far');
RESET SESSION AUTHORIZATION;

SELECT hwsched.drop_pool('far'), hwsched.drop_pool('shared');
DROP SCHEMA regress_tenancy CASCADE;
DROP ROLE regress_a, regress_b, regress_far, regress_far_view, regress_w, regress_nobody, regress_member, regress_team;
