-- Records that come from elsewhere, and numbers that nobody means, do not keep a
-- pool from working: they are refused, or harmless.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;
\set VERBOSITY terse

-- Runs a workload for so many seconds.
CREATE PROCEDURE pg_temp.run(test text, seconds float8, pool text DEFAULT 'records') LANGUAGE plpgsql AS $$
DECLARE
	a record;
BEGIN
	PERFORM hwsched.submit(jsonb_build_object('test_id', test, 'test_type', 'nlp', 'model_id', 'net-' || length(test), 'expected_duration', 60), pool);
	FOR a IN SELECT * FROM hwsched.schedule(test, pool) LOOP
		PERFORM hwsched.start(a.assignment_id, pool);
		UPDATE hwsched.assignment b SET assigned_at = now() - interval '1 day', started_at = now() - make_interval(secs => seconds) WHERE b.pool = run.pool AND b.assignment_id = a.assignment_id;
		PERFORM hwsched.complete(a.assignment_id, pool => pool);
	END LOOP;
END
$$;
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', state, message, nullif(hint, ''));
END
$$;

SELECT hwsched.create_pool('records'), hwsched.register_worker('w1', '{"cpu_cores": 4}', 'records');
SELECT format('CALL pg_temp.run(%L, %s)', repeat('r', i), 50 + i) FROM generate_series(1, 6) i \gexec
SELECT expired FROM hwsched.maintain('records');
CREATE TEMP TABLE learned AS SELECT hwsched.learning_json('records') AS document;

--
-- What was learned: numbers of device profiles and the pool's count of them that
-- do not fit, and counts, times and sketches at their limits
--
CREATE TEMP TABLE strange (no serial, what text, document jsonb);
CREATE FUNCTION pg_temp.with_durations(kind text, at int, number float8) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_set(document, '{durations}', (SELECT jsonb_agg(CASE WHEN d ->> 'kind' = kind THEN jsonb_set(d, ARRAY['numbers', at::text], to_jsonb(number)) ELSE d END)
		FROM jsonb_array_elements(document -> 'durations') d)) FROM learned
$$;
CREATE FUNCTION pg_temp.with_tracks(changes jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_set(document, '{track_records}', (SELECT jsonb_agg(t || changes) FROM jsonb_array_elements(document -> 'track_records') t)) FROM learned
$$;
INSERT INTO strange (what, document) VALUES ('as it is', (SELECT document FROM learned)),
	('the pool has numbered none', pg_temp.with_durations('pool', 1, 0)), ('the pool has numbered too many', pg_temp.with_durations('pool', 1, 2147483647)),
	('the pool is no record', pg_temp.with_durations('pool', 0, 'NaN')), ('a number that takes gigabytes', pg_temp.with_durations('device', 0, 2147483647)),
	('a pair that was used in the future', pg_temp.with_durations('model', 11, 1e300)), ('and before the first run', pg_temp.with_durations('model', 11, -7)),
	('a worker a million times as slow', pg_temp.with_durations('worker', 1, 1e300)), ('a worker of no time at all', pg_temp.with_durations('worker', 1, -1e300)),
	('a full sketch', pg_temp.with_tracks(jsonb_build_object('durations', ARRAY[100, 1::bigint << 54]))), ('an overfull sketch', pg_temp.with_tracks(jsonb_build_object('durations', ARRAY[100, 1::bigint << 55]))),
	('less than none', pg_temp.with_tracks('{"samples": -1}')), ('all there are', pg_temp.with_tracks('{"successes": 9223372036854775807}')),
	('never', pg_temp.with_tracks('{"updated_at": "-infinity"}')), ('always', pg_temp.with_tracks('{"updated_at": "infinity"}')), ('no preference', pg_temp.with_tracks('{"preference": "NaN"}'));
-- another kind of device gets a number as well
CREATE FUNCTION pg_temp.use(document jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	loaded text;
BEGIN
	PERFORM hwsched.create_pool('records_2'), hwsched.register_worker('w1', '{"cpu_cores": 4}', 'records_2');
	loaded := pg_temp.error_of(format('SELECT hwsched.load_learning(%L, ''records_2'')', document));
	CALL pg_temp.run('r', 50, 'records_2');
	PERFORM count(*) FROM hwsched.plan_pending(pool => 'records_2');
	PERFORM hwsched.drain_worker('w1', 'records_2'), hwsched.register_worker('w2', '{"cpu_cores": 8}', 'records_2');
	CALL pg_temp.run('rr', 50, 'records_2');
	PERFORM hwsched.maintain('records_2');
	IF (SELECT count(*) < 2 FROM hwsched.duration_record WHERE pool = 'records_2' AND kind = 'worker') OR EXISTS (SELECT FROM hwsched.unsettled WHERE pool = 'records_2') THEN
		loaded := loaded || ' and nothing is learned';
	END IF;
	PERFORM hwsched.drop_pool('records_2');
	RETURN loaded;
END
$$;
SELECT what, pg_temp.use(document) FROM strange ORDER BY no;
-- each section says where it is wrong, and nothing of the document is loaded
SELECT hwsched.create_pool('records_2'), hwsched.register_worker('w1', '{"cpu_cores": 4}', 'records_2');
SELECT change, pg_temp.error_of(format('SELECT hwsched.load_learning(%L, ''records_2'')', (SELECT document FROM learned) || change::jsonb)) FROM unnest(ARRAY[
	'{"track_records": [7]}',
	'{"track_records": [{}]}',
	'{"track_records": [{"workload_type": "nlp", "worker_id": "w1", "preference": 1, "samples": 1.5, "successes": 1, "failures": 0, "updated_at": "2026-01-01T00:00:00Z"}]}',
	'{"track_records": [{"workload_type": "nlp", "worker_id": "w1", "preference": 1, "samples": 1, "successes": 1, "failures": 0, "updated_at": "2026-01-01T00:00:00Z", "mean_seconds": -5}]}',
	'{"track_records": [{"workload_type": "nlp", "worker_id": "w1", "preference": 1, "samples": 1, "successes": 1, "failures": 0, "updated_at": "2026-01-01T00:00:00Z", "durations": [1, -1]}]}',
	'{"durations": [{"kind": "pools", "scope": "", "name": "", "numbers": [], "updated_at": "2026-01-01T00:00:00Z"}]}',
	'{"durations": [{"kind": "worker", "scope": "w1", "name": "1", "numbers": [0, 0, 0, 0, 0], "updated_at": "2026-01-01T00:00:00Z"}]}',
	'{"durations": [{"kind": "worker", "scope": "w1", "name": "1", "numbers": [0, 0, 1e400, 0, 0, 0], "updated_at": "2026-01-01T00:00:00Z"}]}',
	'{"durations": [{"kind": "worker", "scope": "w1", "name": "1", "numbers": [0, 0, "NaN", 0, 0, 0], "updated_at": "2026-01-01T00:00:00Z"}]}',
	'{"device_profiles": {"1": {"hardware_class": "gpu", "memory_total_bytes": -1}}}',
	'{"device_profiles": {"1": {"vendor": "nvidia"}}}',
	'{"device_profiles": {"1": [1]}}',
	'{"power_measurements": [{"job": "j", "device_model": "m", "power_limit_w": 100, "seconds": 1e-400, "average_w": 90, "at": "2026-01-01T00:00:00Z"}]}',
	'{"power_measurements": [{"job": "j", "device_model": "m", "power_limit_w": 100, "seconds": 10, "average_w": 90, "at": "2126-01-01T00:00:00Z"}]}',
	'{"thermal_models": [{"worker_id": "w1", "device_no": 0, "profile_id": 1, "model": [1, 2], "updated_at": "2026-01-01T00:00:00Z"}]}',
	'{"thermal_models": [{"worker_id": "w1", "device_no": -1, "profile_id": 1, "model": [], "updated_at": "2026-01-01T00:00:00Z"}]}']) AS change;
SELECT (SELECT count(*) FROM hwsched.track_record WHERE pool = 'records_2') AS tracks, (SELECT count(*) FROM hwsched.duration_record WHERE pool = 'records_2') AS durations;
SELECT hwsched.drop_pool('records_2');
-- what was recorded, too
SELECT change, pg_temp.error_of(format('SELECT hwsched.load_history(%L, ''records'')', change)) FROM unnest(ARRAY[
	'{"assignments": [{"timestamp": "2026-01-01", "worker_id": "w", "workload_id": "t", "workload_type": "x", "efficiency_score": 0.5, "attempt": 99999999999}]}',
	'{"assignments": [{"timestamp": "2026-01-01", "worker_id": "w", "workload_id": "t", "workload_type": "x", "efficiency_score": 0.5, "attempt": 1.5}]}',
	'{"assignments": [{"timestamp": "2026-01-01", "worker_id": "w", "workload_id": "t", "workload_type": "x", "efficiency_score": "NaN"}]}',
	'{"assignments": [{"timestamp": "infinity", "worker_id": "w", "workload_id": "t", "workload_type": "x", "efficiency_score": 0.5}]}',
	'{"efficiency_scores": {"w": [["2026-01-01", 1e400]]}}',
	'{"thermal_states": {"w": [["2026-01-01", {"power_w": -1}]]}}',
	'{"resource_utilization": {"w": [["2026-01-01", {"cpu_utilization": 1e300}]]}}',
	'{"execution_times": {"t": {"timestamp": "2026-01-01", "worker_id": "w", "workload_type": "x", "estimated_time": 1, "actual_time": -1}}}',
	'{"execution_times": {"t": {"timestamp": "2026-01-01", "worker_id": "w", "workload_type": "x", "estimated_time": 1e300, "actual_time": 1}}}']) AS change;

--
-- Numbers that would overflow when they are added up
--
SELECT pg_temp.error_of($$SELECT hwsched.update_load('w1', '{"power_w": 1e300}', 'records')$$), pg_temp.error_of($$SELECT hwsched.update_load('w1', '{"devices": [{"device_no": 0, "power_w": 1.1e9}]}', 'records')$$);
SELECT hwsched.update_load('w1', '{"power_w": 1e9}', 'records'), hwsched.update_load('w1', '{"power_w": 1}', 'records');
SELECT hwsched.submit_many('[{"test_id": "long", "test_type": "nlp", "expected_duration": 1.7e308}, {"test_id": "longer", "test_type": "nlp", "expected_duration": 1.7e308}, {"test_id": "short", "test_type": "nlp"}]', 'records');
SELECT hwsched.assign_pending(NULL, 'records');
SELECT count(*) FROM hwsched.claim('w1', 3, pool => 'records');
SELECT hwsched.complete_many((SELECT array_agg(assignment_id) FROM hwsched.assignment WHERE pool = 'records' AND state = 'running'), 'records');
-- an hour that is over
UPDATE hwsched.load_history SET at = at - interval '1 hour' WHERE pool = 'records';
UPDATE hwsched.assignment SET assigned_at = now() - interval '2 hours', started_at = now() - interval '61 minutes', finished_at = now() - interval '1 hour' WHERE pool = 'records';
DELETE FROM hwsched.history_progress WHERE pool = 'records';
UPDATE hwsched.worker SET registered_at = now() - interval '3 hours' WHERE pool = 'records';
SELECT expired FROM hwsched.maintain('records');
SELECT max(power_watts) > 1e8 AS power FROM hwsched.thermal_hour WHERE pool = 'records';
SELECT sum(completed) AS completed, max(predicted_seconds) BETWEEN 1e9 AND 1e10 AS estimated FROM hwsched.execution_hour WHERE pool = 'records';
SELECT sum(runs) AS runs, max(predicted_seconds) <= 1e10 AS predicted FROM hwsched.model_accuracy WHERE pool = 'records';
-- and what is taken along can be loaded
SELECT hwsched.create_pool('records_2'), hwsched.load_history(hwsched.history_json(pool => 'records'), 'records_2') > 0 AS loaded;
SELECT hwsched.drop_pool('records_2');

--
-- What is nearly 0 is no float8 in SQL; and a time zone that there is not
--
SELECT hwsched.alter_pool('records', '{"retention": {"history": 1e-400, "hourly": 1e-400}, "ageing": 1e-400}');
SELECT history, hourly FROM hwsched_internal.retention WHERE pool = 'records';
SELECT count(*) FROM hwsched.pending_workloads WHERE pool = 'records';
SELECT expired FROM hwsched.maintain('records');
SELECT pg_temp.error_of($$SELECT hwsched.load_history('{"thermal_states": {"w": [["2024-01-01 00:00+99", {}]]}}', 'records')$$);

--
-- More hours to roll up than a timeout leaves time for: some are, and leases end nevertheless
--
SELECT hwsched.alter_pool('records', '{"retention": {"hourly": "90 years"}}');
INSERT INTO hwsched.history_late (pool, hour) SELECT 'records', date_bin('1 hour', now(), 'epoch') - make_interval(days => i) FROM generate_series(1, 15000) i;
SET statement_timeout = '3 s';
SELECT expired FROM hwsched.maintain('records');
RESET statement_timeout;
SELECT count(*) BETWEEN 1 AND 14999 AS left FROM hwsched.history_late WHERE pool = 'records';
SELECT hwsched.drop_pool('records');
