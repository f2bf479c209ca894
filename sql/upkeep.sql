-- maintain() in parts: one that fails is undone and told, the next goes on; what
-- was last done and what went wrong is seen.
SET client_min_messages = warning;
\set VERBOSITY default
SELECT hwsched.create_pool('upkeep', '{"lease": "1 s", "offline_after": "1 s", "retention": {"history": "2 days"}}');
SELECT last_assigned_at, last_maintained_at, last_error, last_error_at FROM hwsched.pool_summary WHERE pool = 'upkeep';
SELECT hwsched.register_worker(w, '{"cpu_cores": 4}', 'upkeep') FROM unnest('{lost,silent}'::text[]) AS w;
SELECT hwsched.submit_many('[{"test_id": "a"}, {"test_id": "b"}]', 'upkeep');
SELECT hwsched.assign_pending(pool => 'upkeep');
SELECT last_assigned_at = now() AS now, last_maintained_at FROM hwsched.pool_summary WHERE pool = 'upkeep';
SELECT count(*) FROM hwsched.claim('lost', 1, true, 'upkeep');
SELECT hwsched.record_resource_utilization('lost', '{"cpu_utilization": 50}', now() - days * interval '1 day', NULL, 'upkeep') FROM generate_series(1, 9) AS days;

-- a trigger of a user on a table that only housekeeping writes
CREATE FUNCTION regress_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'not %', TG_TABLE_NAME USING ERRCODE = TG_ARGV[0], DETAIL = 'Somebody wants it so.';
END
$$;
CREATE TRIGGER refuse BEFORE INSERT ON hwsched.utilization_hour FOR EACH ROW EXECUTE FUNCTION regress_refuse('P0001');
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '1 hour' WHERE pool = 'upkeep';
UPDATE hwsched.assignment SET lease_until = now() - interval '1 hour' WHERE pool = 'upkeep' AND state = 'running';
SELECT expired, offline FROM hwsched.maintain('upkeep');
SELECT last_maintained_at = last_error_at AS both, last_error FROM hwsched.pool_summary WHERE pool = 'upkeep';
SELECT state, count(*) FROM hwsched.assignment WHERE pool = 'upkeep' GROUP BY 1;
SELECT count(*) FROM hwsched.utilization_hour WHERE pool = 'upkeep';
-- another part, and a first one: the others are done
CREATE TRIGGER refuse BEFORE UPDATE ON hwsched.worker FOR EACH ROW WHEN (NEW.health = 'offline') EXECUTE FUNCTION regress_refuse('53100');
UPDATE hwsched.worker SET health = 'healthy' WHERE pool = 'upkeep';
UPDATE hwsched.pending SET ready_at = '-infinity' WHERE pool = 'upkeep';
DROP TRIGGER refuse ON hwsched.utilization_hour;
SELECT expired, offline, forgotten > 0 AS forgotten FROM hwsched.maintain('upkeep');
SELECT last_error FROM hwsched.pool_summary WHERE pool = 'upkeep';
SELECT count(*) > 0 AS rolled_up FROM hwsched.utilization_hour WHERE pool = 'upkeep';
DROP TRIGGER refuse ON hwsched.worker;
SELECT offline FROM hwsched.maintain('upkeep');
-- the last error stays, with its time
SELECT last_maintained_at > last_error_at AS over, last_error FROM hwsched.pool_summary WHERE pool = 'upkeep';

-- what only the caller can answer ends the call: a cancel, a deadlock, a serialization failure
\set VERBOSITY terse
\set SHOW_CONTEXT never
DO $$
DECLARE
	code text;
BEGIN
	FOREACH code IN ARRAY '{57014,40001,40P01,23514}'::text[] LOOP
		EXECUTE format('CREATE TRIGGER refuse BEFORE UPDATE ON hwsched.worker FOR EACH ROW WHEN (NEW.health = ''offline'') EXECUTE FUNCTION regress_refuse(%L)', code);
		UPDATE hwsched.worker SET health = 'healthy' WHERE pool = 'upkeep';
		BEGIN
			PERFORM hwsched.maintain('upkeep');
			RAISE INFO '% is a warning', code;
		EXCEPTION WHEN OTHERS OR query_canceled THEN
			RAISE INFO '% is passed on', SQLSTATE;
		END;
		DROP TRIGGER refuse ON hwsched.worker;
	END LOOP;
END
$$;

-- a call that fails as a whole is noted by the loop, which goes on
CREATE TRIGGER refuse BEFORE UPDATE ON hwsched.pool_activity FOR EACH ROW WHEN (NEW.error IS NULL) EXECUTE FUNCTION regress_refuse('P0001');
SELECT hwsched.create_pool('upkeep_2');
SELECT hwsched.maintain('upkeep_2');
CALL hwsched.run_loop('0 s', '1 s', 'upkeep_2');
SELECT last_error FROM hwsched.pool_summary WHERE pool = 'upkeep_2';
DROP TRIGGER refuse ON hwsched.pool_activity;
CALL hwsched.run_loop('0 s', '1 s', 'upkeep_2');
SELECT last_error, last_assigned_at >= last_error_at AS assigned, last_maintained_at >= last_error_at AS maintained FROM hwsched.pool_summary WHERE pool = 'upkeep_2';
SELECT hwsched.drop_pool('upkeep_2');
SELECT count(*) FROM hwsched.pool_activity WHERE pool = 'upkeep_2';

-- history under an old snapshot: rolled up and forgotten, in one call more
\set VERBOSITY default
SELECT hwsched.create_pool(p, '{"retention": {"history": "2 days"}}'), hwsched.register_worker('w', '{"cpu_cores": 4}', p) FROM unnest('{upkeep_rr,upkeep_s}'::text[]) AS p;
SELECT count(hwsched.record_resource_utilization('w', '{"cpu_utilization": 50}', now() - hours * interval '1 hour', NULL, p)) FROM unnest('{upkeep_rr,upkeep_s}'::text[]) AS p, generate_series(1, 100) AS hours;
SET default_transaction_isolation = 'repeatable read';
SELECT hwsched.maintain('upkeep_rr') IS NULL AS missing;
SELECT hwsched.maintain('upkeep_rr') IS NULL AS missing;
SET default_transaction_isolation = 'serializable';
SELECT hwsched.maintain('upkeep_s') IS NULL AS missing;
SELECT hwsched.maintain('upkeep_s') IS NULL AS missing;
RESET default_transaction_isolation;
SELECT pool, max(now() - at) < '3 days' AS forgotten, (SELECT count(*) FROM hwsched.utilization_hour AS h WHERE h.pool = l.pool) AS hours FROM hwsched.load_history AS l WHERE pool IN ('upkeep_rr', 'upkeep_s') GROUP BY 1 ORDER BY 1;
SET default_transaction_read_only = on;
SELECT hwsched.maintain('upkeep');
SELECT hwsched.assign_pending(pool => 'upkeep');
RESET default_transaction_read_only;
SELECT count(hwsched.drop_pool(p)) FROM unnest('{upkeep,upkeep_rr,upkeep_s}'::text[]) AS p;
DROP FUNCTION regress_refuse;
