-- Temperatures and thermal phases: modelled where nothing is reported, learned
-- where it is, begun and ended by themselves, and decided by.
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
-- Lets time pass in a pool: all that has happened is so much longer ago
CREATE FUNCTION pg_temp.pass(took interval, in_pool text DEFAULT 'thermal') RETURNS void LANGUAGE sql AS $$
	UPDATE hwsched.worker_load SET reported_at = reported_at - took, busy_at = busy_at - took, high_since = high_since - took, phase_since = phase_since - took WHERE pool = in_pool;
	UPDATE hwsched.device_heat SET model[2] = model[2] - extract(epoch FROM took), updated_at = updated_at - took WHERE pool = in_pool;
$$;
-- A load of 0..1 in every respect
CREATE FUNCTION pg_temp.report(worker text, load float8, more jsonb DEFAULT '{}', in_pool text DEFAULT 'thermal') RETURNS void LANGUAGE sql AS $$
	SELECT hwsched.update_load(worker, jsonb_build_object('cpu_utilization', load * 100, 'memory_utilization', load * 100, 'gpu_utilization', load * 100,
		'io_utilization', load * 100, 'network_utilization', load * 100) || more, in_pool) $$;
CREATE VIEW pg_temp.now_at AS SELECT worker_id, device_no, round(temperature_ratio::numeric, 6) AS temperature, is_modelled FROM hwsched.thermal_states WHERE pool = 'thermal' ORDER BY 1, 2;

SELECT hwsched.create_pool('thermal', '{"retry_backoff": "0 s", "warming": "0 s", "cooling": "0 s"}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 4, "devices": [{"hardware_class": "gpu", "supported_backends": ["cuda"], "compute_units": 100, "idle_celsius": 30, "throttle_celsius": 80}]}', 'thermal'),
	hwsched.register_worker('v', '{"cpu_cores": 4}', 'thermal');
SELECT hwsched.submit('{"test_id": "t"}', 'thermal');

--
-- A worker that reports only loads has a temperature, at any moment: that of thermal_at()
--
BEGIN;
TABLE pg_temp.now_at;
SELECT pg_temp.report('w', 0.95);
TABLE pg_temp.now_at;
SELECT pg_temp.pass('40 s');
TABLE pg_temp.now_at;
SELECT round(hwsched.thermal_at(0, 0.95, 40)::numeric, 6) AS law;
-- decisions have the same one
SELECT count(*) AS compared, count(*) FILTER (WHERE c.temperature_ratio <> t.temperature_ratio) AS differing FROM hwsched.compatible_hardware('t', 'thermal') AS c JOIN hwsched.thermal_states AS t USING (worker_id, device_no) WHERE t.pool = 'thermal';
-- a report does not change it, but from then on it goes where the new load takes it: it stays, cools, is cold
SELECT pg_temp.report('w', 0.5), pg_temp.pass('1000 s');
TABLE pg_temp.now_at;
SELECT pg_temp.report('w', 0.1), pg_temp.pass('20 s');
TABLE pg_temp.now_at;
SELECT round(hwsched.thermal_at(hwsched.thermal_at(0, 0.95, 40), 0.1, 20)::numeric, 6) AS law;
SELECT pg_temp.report('w', 0.1), pg_temp.pass('10 s'), pg_temp.report('w', 0.2);
TABLE pg_temp.now_at;
SELECT round(hwsched.thermal_at(hwsched.thermal_at(0, 0.95, 40), 0.1, 30)::numeric, 6) AS law;
SELECT pg_temp.pass('100 s');
TABLE pg_temp.now_at;
-- by the clock, not by the number of reports
SELECT pg_temp.report('w', 0.8), pg_temp.report('w', 0.8), pg_temp.report('w', 0.8);
TABLE pg_temp.now_at;
-- a clock that was set back unheats nothing
SELECT pg_temp.pass('10 s'), pg_temp.report('w', 0.1), pg_temp.pass('-1 hour');
TABLE pg_temp.now_at;
COMMIT;

--
-- What is reported wins, of a device, then of its worker; each on its own scale; it holds until the next report
--
BEGIN;
SELECT pg_temp.report('w', 0.95, '{"temperature": 0.25, "devices": [{"device_no": 1, "temperature_celsius": 55}]}'), pg_temp.pass('40 s');
TABLE pg_temp.now_at;
SELECT pg_temp.report('w', 0.95, '{"temperature_celsius": 62.5}'), pg_temp.pass('40 s');
TABLE pg_temp.now_at;
-- what is reported no more goes on from the last known one, by the load since: here 40 s of 0.95
SELECT pg_temp.report('w', 0.5, '{"devices": [{"device_no": 0, "temperature_celsius": 90}]}');
TABLE pg_temp.now_at;
SELECT round(hwsched.thermal_at(0.65, 0.95, 40)::numeric, 6) AS law;
-- a device may be loaded more than its worker
SELECT pg_temp.report('w', 0.75, '{"devices": [{"device_no": 1, "utilization": 0}]}'), pg_temp.pass('10 s');
SELECT t.device_no, round((t.temperature_ratio - hwsched.thermal_at(s.start, s.load, 10))::numeric, 9) AS off_the_law
FROM hwsched.thermal_states AS t JOIN (VALUES (0, 1.0, 0.75), (1, hwsched.thermal_at(0.65, 0.95, 40), 0.6)) AS s (device_no, start, load) USING (device_no) WHERE pool = 'thermal' AND worker_id = 'w' ORDER BY 1;
-- other hardware begins anew
SELECT hwsched.register_worker('w', '{"cpu_cores": 4, "devices": [{"hardware_class": "gpu", "supported_backends": ["cuda"], "compute_units": 50}]}', 'thermal');
SELECT worker_id, temperatures FROM hwsched.worker_load WHERE pool = 'thermal' AND temperatures IS NOT NULL;
COMMIT;

--
-- schedule() sees a temperature that falls: its lists have the coldest it will be
--
SELECT hwsched.create_pool('thermal_seek', '{"warming": "0 s", "cooling": "0 s", "retry_backoff": "0 s"}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 4}', 'thermal_seek') FROM unnest('{a,b,c}'::text[]) AS w \g /dev/null
SELECT hwsched.submit(jsonb_build_object('test_id', 's' || n), 'thermal_seek') FROM generate_series(1, 3) AS n \g /dev/null
BEGIN;
-- a was hot and idles, b is loaded for good, c heats up
SELECT pg_temp.report('a', 0.9, '{"temperature": 1}', 'thermal_seek'), pg_temp.report('a', 0.1, '{}', 'thermal_seek'), pg_temp.report('b', 0.45, '{}', 'thermal_seek'), pg_temp.report('c', 0.71, '{}', 'thermal_seek');
SELECT worker_id, round(cpu_readiness::numeric, 6) AS at_most FROM hwsched.worker_load WHERE pool = 'thermal_seek' ORDER BY 1;
SELECT worker_id AS while_a_is_hot FROM hwsched.schedule('s1', 'thermal_seek');
SELECT worker_id, round(adjusted_efficiency_ratio::numeric, 6) AS adjusted FROM hwsched.compatible_hardware('s2', 'thermal_seek');
SELECT pg_temp.pass('70 s', 'thermal_seek');
SELECT worker_id AS when_it_is_cold FROM hwsched.schedule('s2', 'thermal_seek');
SELECT worker_id, round(adjusted_efficiency_ratio::numeric, 6) AS adjusted FROM hwsched.compatible_hardware('s3', 'thermal_seek');
COMMIT;

-- workers that reported the same, one after the other, are as cold as they have had time: c08 is first, whoever is looked at first
SELECT hwsched.create_pool('thermal_same', '{"warming": "0 s", "cooling": "0 s", "retry_backoff": "0 s"}');
SELECT hwsched.register_worker('c0' || n, '{"cpu_cores": 4}', 'thermal_same') FROM generate_series(1, 8) AS n \g /dev/null
SELECT hwsched.submit('{"test_id": "same"}', 'thermal_same');
SELECT pg_temp.report('c08', 0.9, '{"temperature": 1}', 'thermal_same'), pg_temp.report('c08', 0.1, '{}', 'thermal_same'), pg_temp.pass('5 s', 'thermal_same') \g /dev/null
SELECT pg_temp.report('c07', 0.9, '{"temperature": 1}', 'thermal_same'), pg_temp.report('c07', 0.1, '{}', 'thermal_same'), pg_temp.pass('5 s', 'thermal_same') \g /dev/null
SELECT pg_temp.report('c06', 0.9, '{"temperature": 1}', 'thermal_same'), pg_temp.report('c06', 0.1, '{}', 'thermal_same'), pg_temp.pass('5 s', 'thermal_same') \g /dev/null
SELECT pg_temp.report('c05', 0.9, '{"temperature": 1}', 'thermal_same'), pg_temp.report('c05', 0.1, '{}', 'thermal_same'), pg_temp.pass('5 s', 'thermal_same') \g /dev/null
SELECT pg_temp.report('c04', 0.9, '{"temperature": 1}', 'thermal_same'), pg_temp.report('c04', 0.1, '{}', 'thermal_same'), pg_temp.pass('5 s', 'thermal_same') \g /dev/null
SELECT pg_temp.report('c03', 0.9, '{"temperature": 1}', 'thermal_same'), pg_temp.report('c03', 0.1, '{}', 'thermal_same'), pg_temp.pass('5 s', 'thermal_same') \g /dev/null
SELECT pg_temp.report('c02', 0.9, '{"temperature": 1}', 'thermal_same'), pg_temp.report('c02', 0.1, '{}', 'thermal_same'), pg_temp.pass('5 s', 'thermal_same') \g /dev/null
SELECT pg_temp.report('c01', 0.9, '{"temperature": 1}', 'thermal_same'), pg_temp.report('c01', 0.1, '{}', 'thermal_same'), pg_temp.pass('5 s', 'thermal_same') \g /dev/null
SELECT count(DISTINCT cpu_readiness) AS bounds, count(DISTINCT state_hash) AS states FROM hwsched.worker_load WHERE pool = 'thermal_same';
SELECT worker_id FROM hwsched.schedule('same', 'thermal_same');

--
-- Phases begin with a report, and end by themselves
--
SELECT hwsched.alter_pool('thermal', '{"warming": "30 s", "cooling": "60 s"}');
CREATE FUNCTION pg_temp.phase(worker text) RETURNS text LANGUAGE sql AS $$
	SELECT phase || CASE WHEN phase_since = now() THEN ' begins' ELSE '' END || ' ' || round(performance_level_ratio::numeric, 2) FROM hwsched.thermal_states WHERE pool = 'thermal' AND worker_id = worker AND device_no = 0 $$;
-- Reports loads, each so long after the one before; says what phase there is after each
CREATE FUNCTION pg_temp.story(worker text, events text) RETURNS TABLE (after_s int, load float8, phase text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM hwsched.register_worker(worker, '{"cpu_cores": 1}', 'thermal');
	FOR after_s, load IN SELECT split_part(e, ':', 1), split_part(e, ':', 2) FROM regexp_split_to_table(events, ' ') AS e LOOP
		PERFORM pg_temp.pass(make_interval(secs => after_s));
		PERFORM pg_temp.report(worker, load);
		phase := pg_temp.phase(worker);
		RETURN NEXT;
	END LOOP;
	PERFORM hwsched.unregister_worker(worker, 'thermal');
END $$;
-- idle, then busy: a warm-up. Not again while it runs, nor for a pause shorter than one
SELECT * FROM pg_temp.story('p', '0:0.1 10:0.5 15:0.5 15:0.5 5:0 10:0.5 10:0.29 31:0.3 10:0.2 25:0.5');
-- who has never said that it idles needs none
SELECT * FROM pg_temp.story('p', '0:0.5 100:0.5');
-- high for as long as a cool-down takes: a cool-down, and then the count begins anew
SELECT * FROM pg_temp.story('p', '0:0.8 30:0.9 30:0.8 30:0.8 30:0.8 30:0.8 30:0.8 60:0.8');
-- a lower report in between breaks it off; not while a phase runs
SELECT * FROM pg_temp.story('p', '0:0.8 30:0.9 20:0.7 20:0.8 59:0.8 1:0.8');
SELECT * FROM pg_temp.story('p', '0:0.1 100:0.8 20:0.8 20:0.8 20:0.8');
-- the devices' own loads count
SELECT hwsched.register_worker('p', '{"cpu_cores": 1}', 'thermal');
SELECT pg_temp.report('p', 0.05);
BEGIN;
SELECT hwsched.update_load('p', '{"memory_utilization": 50, "devices": [{"device_no": 0, "utilization": 100}]}', 'thermal');
SELECT pg_temp.phase('p');
COMMIT;
SELECT hwsched.unregister_worker('p', 'thermal');
-- 0 switches them off
SELECT hwsched.alter_pool('thermal', '{"warming": "0 s", "cooling": "0 s"}');
SELECT * FROM pg_temp.story('p', '0:0.1 50:0.8 100:0.8');

--
-- Learning: a device of a known law, 28 degrees and 0.15 a watt, with a time constant of 200 s
--
SELECT hwsched.create_pool('thermal_model', '{"warming": "0 s", "cooling": "0 s", "retry_backoff": "0 s"}');
CREATE FUNCTION pg_temp.gpu(model text) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('devices', jsonb_build_array(jsonb_build_object('hardware_class', 'gpu', 'model_name', model,
	'supported_backends', '["cuda"]'::jsonb, 'compute_units', 100, 'memory_total_bytes', 17179869184, 'thermal_design_power_w', 400, 'idle_power_w', 40, 'idle_celsius', 34, 'throttle_celsius', 80))) $$;
CREATE FUNCTION pg_temp.measure(worker text, watts float8, celsius float8, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT hwsched.update_load(worker, jsonb_build_object('gpu_utilization', 20, 'devices', jsonb_build_array(jsonb_build_object('device_no', 0, 'power_w', watts, 'temperature_celsius', round(celsius)))) || more, 'thermal_model') $$;
-- Runs a device through changing power, reporting each minute, and returns its temperature at the end
CREATE FUNCTION pg_temp.live(worker text, minutes int, by_watt float8, seed int DEFAULT 0) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	celsius float8 := 34;
	watts float8;
BEGIN
	FOR i IN 1..minutes LOOP
		watts := 40 + (('x' || substr(md5(seed || '/' || i / 15), 1, 7))::bit(28)::int % 360);
		celsius := celsius + (28 + by_watt * watts - celsius) * (1 - exp(-60 / 200.0));
		PERFORM pg_temp.pass('1 min', 'thermal_model'), pg_temp.measure(worker, watts, celsius);
	END LOOP;
	RETURN celsius;
END $$;
SELECT hwsched.register_worker('lab', pg_temp.gpu('L'), 'thermal_model');
SELECT hwsched.predict_temperature('lab', 0, 400, pool => 'thermal_model') AS nothing_known;
SELECT pg_temp.live('lab', 600, 0.15) IS NOT NULL AS lived;
SELECT device_no, reports, time_constant_seconds BETWEEN 150 AND 250 AS time_constant, resistance_celsius_per_watt BETWEEN 0.13 AND 0.17 AS resistance, error_celsius < 1 AS is_close, persistence_error_celsius > 2 * error_celsius AS beats_persistence,
	full_watts, settled_full_celsius BETWEEN 84 AND 92 AS settled, updated_at = (SELECT reported_at FROM hwsched.worker_load WHERE pool = 'thermal_model') AS up_to_date
FROM hwsched.thermal_model WHERE pool = 'thermal_model';
-- the coming hour at 40, 200 and 350 W
SELECT watts, abs(hwsched.predict_temperature('lab', 0, watts, pool => 'thermal_model') - (28 + 0.15 * watts)) < 2 AS within_2_degrees FROM unnest(ARRAY[40, 200, 350]) AS watts;
-- at once it is what it is, and what is to come takes time
BEGIN;
SELECT pg_temp.pass((SELECT reported_at - now() FROM hwsched.worker_load WHERE pool = 'thermal_model'), 'thermal_model');
SELECT abs(hwsched.predict_temperature('lab', 0, 400, NULL, '0', 'thermal_model') - round(d.temperature_celsius)) < 1 AS now, hwsched.predict_temperature('lab', 0, 400, NULL, '1 min', 'thermal_model') < hwsched.predict_temperature('lab', 0, 400, NULL, '5 min', 'thermal_model') AS later
FROM hwsched.device_load AS d WHERE pool = 'thermal_model';
ROLLBACK;
-- within the hour it would throttle from some share of its power on: 28 + 0.15 x (40 + share x 360) reaches 80 at 0.85
SELECT throttles_at_ratio FROM hwsched.thermal_states WHERE pool = 'thermal_model';
-- a load alone tells no degrees, and nothing is known then
SELECT hwsched.update_load('lab', '{"gpu_utilization": 50, "power_w": 100}', 'thermal_model');
SELECT throttles_at_ratio FROM hwsched.thermal_states WHERE pool = 'thermal_model';
SELECT reports FROM hwsched.thermal_model WHERE pool = 'thermal_model';

--
-- A device that the work would push past its throttling point is avoided where another is nearly as good
--
SELECT hwsched.register_worker('cool', pg_temp.gpu('C'), 'thermal_model'), hwsched.register_worker('hot', pg_temp.gpu('H'), 'thermal_model');
SELECT pg_temp.live('cool', 60, 0.08) < 80 AS cool, pg_temp.live('hot', 200, 0.16, 1) < 90 AS hot;
SELECT hwsched.drain_worker('lab', 'thermal_model');
-- both idle now, and hot is even a little cooler and less loaded at the moment
BEGIN;
SELECT pg_temp.pass('1 min', 'thermal_model'), pg_temp.measure('cool', 60, 38, '{"memory_utilization": 10}'), pg_temp.measure('hot', 60, 38);
SELECT worker_id, throttles_at_ratio, round(temperature_ratio::numeric, 3) AS temperature FROM hwsched.thermal_states WHERE pool = 'thermal_model' AND worker_id <> 'lab' ORDER BY 1;
-- intense work goes to cool, though hot has the better adjusted efficiency; what draws less is not avoided as much
SELECT hwsched.submit_many('[{"test_id": "intense", "required_backend": "cuda", "expected_duration": 500, "custom_properties": {"workload_profile": {"required_backends": ["cuda"], "metrics": {"compute_intensity": 1}}}},
	{"test_id": "light", "required_backend": "cuda"}]', 'thermal_model');
SELECT rank, worker_id, round(adjusted_efficiency_ratio::numeric, 4) AS adjusted, round(heat_factor::numeric, 2) AS heat_factor, round(score::numeric, 4) AS score FROM hwsched.compatible_hardware('intense', 'thermal_model') WHERE worker_id <> 'lab';
SELECT rank, worker_id, round(heat_factor::numeric, 2) AS heat_factor FROM hwsched.compatible_hardware('light', 'thermal_model') WHERE worker_id <> 'lab';
SAVEPOINT decided;
SELECT worker_id, round(adjusted_efficiency::numeric, 4) AS adjusted FROM hwsched.schedule('intense', 'thermal_model');
ROLLBACK TO decided;
SELECT workload_id, worker_id FROM hwsched.plan_pending(NULL, 'thermal_model') ORDER BY 1;
-- alone it is still used
SELECT hwsched.drain_worker('cool', 'thermal_model');
SELECT worker_id FROM hwsched.schedule('intense', 'thermal_model');
ROLLBACK TO decided;
-- nothing learned is used without learning, and none is learned
SELECT hwsched.alter_pool('thermal_model', '{"learning": false}');
SELECT rank, worker_id, heat_factor FROM hwsched.compatible_hardware('intense', 'thermal_model') WHERE worker_id <> 'lab';
SELECT worker_id FROM hwsched.schedule('intense', 'thermal_model');
SELECT hwsched.predict_temperature('hot', 0, 400, pool => 'thermal_model') AS not_used;
CREATE TEMP TABLE before AS SELECT * FROM hwsched.device_heat;
SELECT pg_temp.pass('1 min', 'thermal_model'), pg_temp.measure('cool', 100, 99);
SELECT count(*) AS models, count(*) FILTER (WHERE h.model[1] <> b.model[1]) AS touched FROM hwsched.device_heat AS h JOIN before AS b USING (pool, worker_id, device_no) WHERE pool = 'thermal_model';
SELECT throttles_at_ratio FROM hwsched.thermal_states WHERE pool = 'thermal_model' AND worker_id = 'cool';
ROLLBACK;

-- one of many that throttles differs from them in nothing else
BEGIN;
SELECT hwsched.drain_worker(w, 'thermal_model') FROM unnest('{lab,cool,hot}'::text[]) AS w \g /dev/null
SELECT hwsched.register_worker('h0' || n, pg_temp.gpu('H'), 'thermal_model') FROM generate_series(1, 8) AS n \g /dev/null
SELECT pg_temp.measure('h0' || n, CASE WHEN n < 8 THEN 60 END, 38, '{"gpu_utilization": null, "memory_utilization": 10}') FROM generate_series(1, 8) AS n \g /dev/null
SELECT count(DISTINCT accelerator_readiness) AS bounds, count(DISTINCT state_hash) AS states FROM hwsched.worker_load WHERE pool = 'thermal_model' AND worker_id ~ '^h0';
SELECT hwsched.submit('{"test_id": "intense", "expected_duration": 500, "custom_properties": {"workload_profile": {"required_backends": ["cuda"], "metrics": {"compute_intensity": 1}}}}', 'thermal_model');
SELECT worker_id FROM hwsched.schedule('intense', 'thermal_model');
ROLLBACK;

--
-- A new device begins with what is known of its kind, another kind with nothing
--
BEGIN;
SELECT hwsched.register_worker('twin', pg_temp.gpu('L'), 'thermal_model'), hwsched.register_worker('other', pg_temp.gpu('O'), 'thermal_model');
SELECT pg_temp.measure('twin', 40, 34), pg_temp.measure('other', 40, 34);
SELECT worker_id, reports, abs(hwsched.predict_temperature(worker_id, 0, 350, pool => 'thermal_model') - (28 + 0.15 * 350)) < 2 AS within_2_degrees FROM hwsched.thermal_model WHERE pool = 'thermal_model' AND worker_id IN ('twin', 'other') ORDER BY 1;
-- a device that becomes another one begins anew, and so does one whose model makes no sense
SELECT hwsched.register_worker('twin', pg_temp.gpu('T'), 'thermal_model');
SELECT count(*) AS of_what_it_was FROM hwsched.thermal_model WHERE pool = 'thermal_model' AND worker_id = 'twin';
UPDATE hwsched.device_heat SET model = '{1,2,3}' WHERE pool = 'thermal_model' AND worker_id = 'other';
SELECT reports, settled_full_celsius FROM hwsched.thermal_model WHERE pool = 'thermal_model' AND worker_id = 'other';
SELECT hwsched.predict_temperature('other', 0, 350, pool => 'thermal_model') AS unknown;
SELECT pg_temp.pass('1 min', 'thermal_model'), pg_temp.measure('twin', 40, 34), pg_temp.measure('other', 40, 34);
SELECT worker_id, reports FROM hwsched.thermal_model WHERE pool = 'thermal_model' AND worker_id IN ('twin', 'other') ORDER BY 1;
-- two reports at one time are one
SELECT pg_temp.measure('other', 40, 36);
SELECT reports FROM hwsched.thermal_model WHERE pool = 'thermal_model' AND worker_id = 'other';
-- a clock that was set back a day: what it knows of the device stays, and it goes on
SELECT pg_temp.pass('-1 day', 'thermal_model'), pg_temp.measure('lab', 40, 34);
SELECT reports, abs(hwsched.predict_temperature('lab', 0, 350, pool => 'thermal_model') - (28 + 0.15 * 350)) < 2 AS within_2_degrees FROM hwsched.thermal_model WHERE pool = 'thermal_model' AND worker_id = 'lab';
ROLLBACK;

--
-- Moved elsewhere, to the devices that are there and what they were; forgotten, of a worker and of the pool
--
BEGIN;
SELECT pg_temp.pass('1 min', 'thermal_model'), pg_temp.measure('lab', 60, 38), pg_temp.measure('hot', 60, 38);
CREATE TEMP TABLE learned AS SELECT hwsched.learning_json('thermal_model') AS document;
SELECT hwsched.create_pool('thermal_moved');
SELECT hwsched.register_worker('lab', pg_temp.gpu('L'), 'thermal_moved'), hwsched.register_worker('cool', pg_temp.gpu('?'), 'thermal_moved');
SELECT hwsched.load_learning(document, 'thermal_moved') AS loaded FROM learned;
SELECT worker_id, m.model = o.model AS the_same FROM hwsched.device_heat AS m JOIN hwsched.device_heat AS o USING (worker_id, device_no) WHERE m.pool = 'thermal_moved' AND o.pool = 'thermal_model';
SELECT hwsched.drop_pool('thermal_moved');
SELECT hwsched.reset_learning('hot', 'thermal_model') AS forgotten;
SELECT worker_id, reports, throttles_at_ratio FROM hwsched.thermal_states AS t LEFT JOIN hwsched.thermal_model AS m USING (pool, worker_id, device_no) WHERE pool = 'thermal_model' ORDER BY 1;
-- what is left is the state that it would have with a report of today
CREATE TEMP TABLE state AS SELECT state_hash FROM hwsched.worker_load WHERE pool = 'thermal_model' AND worker_id = 'hot';
SELECT hwsched.alter_pool('thermal_model', '{"learning": false}'), pg_temp.measure('hot', 60, 38);
SELECT state_hash = (TABLE state) AS same_state FROM hwsched.worker_load WHERE pool = 'thermal_model' AND worker_id = 'hot';
SELECT hwsched.reset_learning(pool => 'thermal_model') AS forgotten;
SELECT (SELECT count(*) FROM hwsched.device_heat WHERE pool = 'thermal_model') AS models, (SELECT count(*) FROM hwsched.worker_load WHERE pool = 'thermal_model' AND throttles_at IS NOT NULL) AS shares;
ROLLBACK;

--
-- The worker's values hold for devices that it does not name; utilisation will do for power; only what has degrees is learned
--
SELECT hwsched.register_worker('box', '{"cpu_cores": 4, "devices": [{"hardware_class": "gpu", "supported_backends": ["cuda"], "compute_units": 50, "count": 3}]}', 'thermal_model');
SELECT hwsched.update_load('box', '{"cpu_utilization": 50, "power_w": 100}', 'thermal_model');
SELECT hwsched.update_load('box', '{"cpu_utilization": 50, "temperature": 0.5}', 'thermal_model');
SELECT hwsched.update_load('box', '{"temperature_celsius": 50}', 'thermal_model');
SELECT hwsched.update_load('box', '{"devices": [{"device_no": 1, "temperature_celsius": 50}, {"device_no": 2, "power_w": 50}, {"device_no": 3, "temperature_celsius": 50, "utilization": 5}]}', 'thermal_model');
SELECT device_no, reports FROM hwsched.thermal_model WHERE pool = 'thermal_model' AND worker_id = 'box' ORDER BY 1;
SELECT hwsched.update_load('box', '{"temperature_celsius": 45, "power_w": 50, "cpu_utilization": 10, "devices": [{"device_no": 2, "temperature_celsius": 60}]}', 'thermal_model');
SELECT device_no, reports, round(hwsched.predict_temperature('box', device_no, NULL, NULL, '0', 'thermal_model')) AS celsius FROM hwsched.thermal_model WHERE pool = 'thermal_model' AND worker_id = 'box' ORDER BY 1;
-- what goes takes its model along
SELECT hwsched.register_worker('box', '{"cpu_cores": 4}', 'thermal_model');
SELECT device_no FROM hwsched.device_heat WHERE pool = 'thermal_model' AND worker_id = 'box' ORDER BY 1;
SELECT hwsched.unregister_worker('box', 'thermal_model');
SELECT count(*) AS left_of_it FROM hwsched.device_heat WHERE pool = 'thermal_model' AND worker_id = 'box';

-- Errors
SELECT pg_temp.error_of(format('SELECT hwsched.predict_temperature(%s)', a)) FROM unnest(ARRAY[
	$$'lab', 1, pool => 'thermal_model'$$, $$'nobody', 0, pool => 'thermal_model'$$, $$'lab', 0, pool => 'nowhere'$$, $$'lab', 0, -1, pool => 'thermal_model'$$, $$'lab', 0, 'NaN', pool => 'thermal_model'$$,
	$$'lab', 0, NULL, 101, pool => 'thermal_model'$$, $$'lab', 0, after => '-1 s', pool => 'thermal_model'$$, $$NULL, 0, pool => 'thermal_model'$$]) AS a;
SELECT (d).* FROM (SELECT hwsched_internal.describe_heat(m) AS d FROM (VALUES ('{}'::float8[]), (array_fill(0::float8, ARRAY[63])), (array_fill('Infinity'::float8, ARRAY[63])), (array_fill(NULL::float8, ARRAY[63]))) AS v (m)) AS s;
SELECT hwsched.drop_pool('thermal_model'), hwsched.drop_pool('thermal_seek'), hwsched.drop_pool('thermal_same'), hwsched.drop_pool('thermal');
SELECT count(*) AS left_of_it FROM hwsched.device_heat WHERE pool = 'thermal_model';
