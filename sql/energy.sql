-- Energy and money: what work takes where, that it decides, the trade of it with time, and power limits.
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
-- A worker with some GPUs of one model
CREATE FUNCTION pg_temp.gpus(worker text, model text, idle float8, full_w float8, units int, price float8, count int DEFAULT 1) RETURNS void LANGUAGE sql AS $$
	SELECT hwsched.register_worker(worker, jsonb_strip_nulls(jsonb_build_object('cost_per_hour', price, 'devices', jsonb_build_array(jsonb_build_object('hardware_class', 'gpu', 'model_name', model,
		'supported_backends', '["cuda"]'::jsonb, 'compute_units', units, 'memory_total_bytes', 17179869184, 'idle_power_w', idle, 'thermal_design_power_w', full_w, 'count', count)))), 'energy') $$;
-- Some work, with an energy sensitivity or without
CREATE FUNCTION pg_temp.work(id text, sensitivity float8 DEFAULT NULL, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('test_id', id, 'test_type', 'training', 'expected_duration', 600, 'required_accelerators', '{"gpu": 1}'::jsonb) || more ||
		CASE WHEN sensitivity IS NULL THEN '{}' ELSE jsonb_build_object('custom_properties', jsonb_build_object('workload_profile',
			jsonb_build_object('metrics', jsonb_build_object('compute_intensity', 0.8, 'energy_sensitivity', sensitivity)))) END $$;
-- Makes the pool anew
CREATE FUNCTION pg_temp.pool(settings jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM hwsched.pool WHERE pool = 'energy') THEN
		PERFORM hwsched.drop_pool('energy');
	END IF;
	PERFORM hwsched.create_pool('energy', settings);
END $$;

--
-- Joules, money and carbon: idle power and load, the worker's price, that of the energy
--
SELECT pg_temp.pool();
SELECT pg_temp.gpus('fast', 'F', 60, 400, 100, 4), pg_temp.gpus('frugal', 'S', 5, 70, 40, 1), pg_temp.gpus('old', 'O', 100, 300, 40, 6), pg_temp.gpus('silent', 'U', NULL, NULL, 40, NULL);
SELECT hwsched.submit(pg_temp.work('w'), 'energy');
SELECT worker_id, predicted_seconds, round(joules) AS joules, round(cost::numeric, 6) AS cost, carbon_g, on_front, rank, round(score::numeric, 4) AS score, model_name, reason FROM hwsched.pareto('w', 'energy');
-- by the formulas: watts are idle + intensity x (full - idle), with 100 W where nothing is known
WITH priced AS (SELECT d.worker_id, hwsched.workload_profile(s.requirements) AS work, p.profile, coalesce((p.profile ->> 'idle_power_w')::float8, 0) AS idle, coalesce((p.profile ->> 'thermal_design_power_w')::float8, 100) AS watts, w.cost_per_hour
	FROM hwsched.device AS d JOIN hwsched.device_profile AS p USING (pool, profile_id) JOIN hwsched.worker AS w USING (pool, worker_id) JOIN hwsched.submission AS s USING (pool) WHERE pool = 'energy' AND s.workload_id = 'w')
SELECT p.worker_id, x.predicted_seconds = t.seconds AS seconds, abs(x.joules / (t.seconds * (idle + 0.86 * (watts - idle))) - 1) < 1e-12 AS joules, abs(x.cost - t.seconds * coalesce(cost_per_hour, 0) / 3600) < 1e-12 AS cost,
	(c.joules, c.cost) = (x.joules, x.cost) AS as_compatible_hardware
FROM priced AS p CROSS JOIN LATERAL (SELECT hwsched.predict_seconds(work, profile) AS seconds) AS t JOIN hwsched.pareto('w', 'energy') AS x USING (worker_id) JOIN hwsched.compatible_hardware('w', 'energy') AS c USING (worker_id) ORDER BY 1;
-- a price of energy and the carbon of it
SELECT hwsched.alter_pool('energy', '{"energy_price_per_kwh": 0.36, "carbon_g_per_kwh": 400}');
SELECT worker_id, abs(x.cost - (x.predicted_seconds * coalesce(w.cost_per_hour, 0) / 3600 + 0.36 * x.joules / 3.6e6)) < 1e-12 AS cost, abs(x.carbon_g - 400 * x.joules / 3.6e6) < 1e-9 AS carbon
FROM hwsched.pareto('w', 'energy') AS x JOIN hwsched.worker AS w USING (worker_id) WHERE w.pool = 'energy' ORDER BY 1;
-- a share pays its part, several devices all of them, and a slot the device
SELECT pg_temp.gpus('pair', 'S', 5, 70, 40, 1, 2);
SELECT hwsched.submit_many(jsonb_build_array(pg_temp.work('share') || '{"accelerator_share": 0.25}', pg_temp.work('two') || '{"required_accelerators": {"gpu": 2}, "priority": 1}', pg_temp.work('slot') - 'required_accelerators'), 'energy');
SELECT x.worker_id, share.joules / x.joules AS share, share.cost / x.cost AS of_the_price, slot.joules / x.joules AS slot
FROM hwsched.pareto('w', 'energy') AS x JOIN hwsched.pareto('share', 'energy') AS share USING (worker_id, device_no) JOIN hwsched.pareto('slot', 'energy') AS slot USING (worker_id, device_no) WHERE x.device_no = 0 ORDER BY 1;
SELECT worker_id, device_no, two.predicted_seconds / x.predicted_seconds AS seconds, two.joules / x.joules AS joules, round(((two.cost - x.cost) * 1e7 / x.joules)::numeric, 6) AS more_energy_but_one_worker
FROM hwsched.pareto('two', 'energy') AS two JOIN hwsched.pareto('w', 'energy') AS x USING (worker_id, device_no) ORDER BY 1, 2;
-- what is decided is what was shown
SELECT hwsched.alter_pool('energy', '{"policy": {"energy": 1}}');
SELECT p.worker_id, p.device_nos, p.score, p.predicted_seconds = x.predicted_seconds AS seconds FROM hwsched.plan_pending(NULL, 'energy') AS p JOIN hwsched.pareto('two', 'energy') AS x ON x.worker_id = p.worker_id AND x.device_no = 0 WHERE p.workload_id = 'two';

--
-- The algorithms: the least of any candidate / this one's; of energy, what is drawn more than without the work, and a joule
--
SELECT pg_temp.pool('{"policy": {"energy": 1, "cost": 1, "predicted_time": 1}}');
SELECT pg_temp.gpus('fast', 'F', 60, 400, 100, 4), pg_temp.gpus('frugal', 'S', 5, 70, 40, 1), pg_temp.gpus('old', 'O', 100, 300, 40, 6);
SELECT hwsched.submit(pg_temp.work('w'), 'energy');
WITH x AS (SELECT *, min(predicted_seconds * watts + 1) OVER () AS least_extra, min(cost) OVER () AS least_cost, min(predicted_seconds) OVER () AS least_seconds FROM hwsched.pareto('w', 'energy') JOIN (VALUES ('fast', 340), ('frugal', 65), ('old', 200)) AS drawn (worker_id, watts) USING (worker_id))
SELECT c.worker_id, c.rank, (SELECT jsonb_object_agg(key, round(value::numeric, 4)) FROM jsonb_each(c.scores)) AS scores,
	abs((scores ->> 'energy')::float8 - least_extra / (x.predicted_seconds * watts + 1)) + abs((scores ->> 'cost')::float8 - least_cost / x.cost) + abs((scores ->> 'predicted_time')::float8 - least_seconds / x.predicted_seconds) < 1e-12 AS least_over_its_own
FROM hwsched.compatible_hardware('w', 'energy') AS c JOIN x USING (worker_id) ORDER BY c.rank;
-- what is awake draws no more, and what is to be woken all of it: a GPU that is shared, one that draws by its load, a socket of a CPU
SELECT pg_temp.pool('{"policy": {"energy": 1}}');
SELECT hwsched.register_worker(w, d, 'energy') FROM (VALUES
	('asleep', '{"cpu_cores": 64, "devices": [{"hardware_class": "gpu", "model_name": "G", "compute_units": 40, "memory_total_bytes": 17179869184, "idle_power_w": 20, "thermal_design_power_w": 120}]}'::jsonb),
	('awake', '{"cpu_cores": 64, "devices": [{"hardware_class": "gpu", "model_name": "G", "compute_units": 40, "memory_total_bytes": 17179869184, "idle_power_w": 20, "thermal_design_power_w": 120}]}'),
	('gradual', '{"cpu_cores": 64, "devices": [{"hardware_class": "gpu", "model_name": "L", "compute_units": 40, "memory_total_bytes": 17179869184, "idle_power_w": 20, "thermal_design_power_w": 120, "power_is_binary": false}]}'),
	('sockets', '{"cpu_cores": 64, "devices": [{"hardware_class": "cpu", "model_name": "C", "compute_units": 64, "sockets": 4, "memory_total_bytes": 17179869184, "idle_power_w": 40, "thermal_design_power_w": 440}]}')) AS x (w, d);
SELECT hwsched.submit(pg_temp.work('on awake', NULL, '{"accelerator_share": 0.5, "priority": 1, "required_labels": {"worker_id": "awake"}}'), 'energy'),
	hwsched.submit(pg_temp.work('15 cores', NULL, '{"cpu_cores": 15, "priority": 1, "required_labels": {"worker_id": "sockets"}}') - 'required_accelerators', 'energy'), hwsched.assign_pending(pool => 'energy');
SELECT hwsched.submit(pg_temp.work('share', NULL, '{"accelerator_share": 0.25}'), 'energy');
SELECT hwsched.submit(pg_temp.work(n || ' cores', NULL, jsonb_build_object('cpu_cores', n)) - 'required_accelerators', 'energy') FROM unnest(ARRAY[1, 2, 18]) AS n;
SELECT worker_id, round((1 / (scores ->> 'energy')::float8 - 1) / predicted_seconds) AS watts_more FROM hwsched.compatible_hardware('share', 'energy') ORDER BY rank;
-- of 64 units in 4 sockets of 100 W 15 are taken; the GPUs' workers have a CPU of 100 W and 64 units, in 2 sockets
SELECT w AS workload, worker_id, round((scores ->> 'energy')::numeric, 3) AS energy FROM unnest(ARRAY['1 cores', '2 cores', '18 cores']) AS w, hwsched.compatible_hardware(w, 'energy') WHERE worker_id IN ('awake', 'sockets') AND hardware_class = 'cpu' ORDER BY w COLLATE "C", 2;
-- no price anywhere: money speaks for nobody, and work is spread as always
SELECT pg_temp.pool('{"policy": {"cost": 1}}');
SELECT count(pg_temp.gpus(w, 'S', 5, 70, 40, NULL)) FROM unnest(ARRAY['a', 'b', 'c']) AS w;
SELECT hwsched.submit_many((SELECT jsonb_agg(pg_temp.work('w' || i)) FROM generate_series(1, 3) AS i), 'energy');
SELECT workload_id, worker_id, score FROM hwsched.plan_pending(NULL, 'energy');
SELECT worker_id, cost, carbon_g, on_front FROM hwsched.pareto('w1', 'energy');
-- with a price of energy alone the one that needs least of it costs least
SELECT pg_temp.gpus('d', 'T', 5, 60, 40, NULL), hwsched.alter_pool('energy', '{"energy_price_per_kwh": 0.3}');
SELECT workload_id, worker_id, score FROM hwsched.plan_pending(1, 'energy');

--
-- Energy sensitivity saves energy, whatever places the work
--
SELECT pg_temp.pool();
SELECT count(pg_temp.gpus('fast' || i, 'F', 60, 400, 100, 4)), count(pg_temp.gpus('frugal' || i, 'S', 5, 70, 40, 1)) FROM generate_series(1, 4) AS i;
SELECT hwsched.submit_many(jsonb_build_array(pg_temp.work('a', 0.6), pg_temp.work('b'), pg_temp.work('c', 0), pg_temp.work('d', 1)), 'energy');
SELECT workload_id, worker_id, round(score::numeric, 4) AS score FROM hwsched.plan_pending(NULL, 'energy');
SELECT workload_id, worker_id, (SELECT jsonb_object_agg(key, round(value::numeric, 4)) FROM jsonb_each(scores)) AS scores, round(score::numeric, 4) AS score
FROM unnest(ARRAY['a', 'b', 'c', 'd']) AS workload_id, hwsched.compatible_hardware(workload_id, 'energy') WHERE worker_id IN ('fast1', 'frugal1') ORDER BY 1, 2;
-- the score is the sum with the share of energy in it
SELECT workload_id, bool_and(abs(h.score - ((1 - s) * (h.scores ->> 'hardware_aware')::float8 + s * (h.scores ->> 'energy')::float8)) < 1e-12) AS adds_up
FROM (VALUES ('a', 0.6::float8)) AS w (workload_id, s), hwsched.compatible_hardware(workload_id, 'energy') AS h GROUP BY 1;
SELECT s.workload_id, a.worker_id FROM unnest(ARRAY['a', 'b']) AS s (workload_id), hwsched.schedule(s.workload_id, 'energy') AS a;
SELECT hwsched.alter_pool('energy', '{"solver": "optimal"}');
SELECT workload_id, worker_id FROM hwsched.plan_pending(NULL, 'energy');
SELECT hwsched.assign_pending(NULL, 'energy');
SELECT workload_id, worker_id FROM hwsched.assignment WHERE pool = 'energy' ORDER BY workload_id;
-- the more of it, the fewer joules; the sum of the weights stays
SELECT pg_temp.pool('{"policy": {"hardware_aware": 0.7, "predicted_time": 0.2, "round_robin": 0.1}}');
SELECT count(pg_temp.gpus('g' || units, 'M' || units, 5, watts, units, NULL)) FROM (VALUES (99, 400), (95, 200), (80, 120), (60, 75), (40, 50)) AS g (units, watts);
SELECT hwsched.submit_many((SELECT jsonb_agg(pg_temp.work('s' || lpad(i::text, 2, '0'), i / 10.0) - 'required_accelerators') FROM generate_series(0, 10) AS i), 'energy');
SELECT workload_id, c.worker_id, round(c.joules) AS joules, round(c.score::numeric, 4) AS score FROM hwsched.submission AS s, hwsched.compatible_hardware(s.workload_id, 'energy') AS c WHERE s.pool = 'energy' AND c.rank = 1 ORDER BY 1;
-- a policy of the type is changed the same way
SELECT hwsched.alter_pool('energy', '{"policy": null, "policies": {"mixed": {"packing": 1}}}');
SELECT workload_id, jsonb_object_keys(scores) AS algorithm FROM unnest(ARRAY['s00', 's05', 's10']) AS workload_id, hwsched.compatible_hardware(workload_id, 'energy') WHERE rank = 1 ORDER BY 1, 2;

--
-- What was learned of durations counts for energy, too
--
SELECT pg_temp.pool();
SELECT pg_temp.gpus('one', 'S', 5, 70, 40, 3.6), pg_temp.gpus('other', 'T', 5, 70, 40, 3.6);
DO $$
DECLARE
	a record;
BEGIN
	-- of two models each is quick where the other is slow
	FOR i IN 0..15 LOOP
		PERFORM hwsched.drain_worker(CASE WHEN i % 2 = 0 THEN 'one' ELSE 'other' END, 'energy'), hwsched.submit(pg_temp.work('run ' || i, NULL, jsonb_build_object('model_id', CASE WHEN i % 4 < 2 THEN 'm' ELSE 'n' END)), 'energy');
		SELECT * INTO STRICT a FROM hwsched.schedule('run ' || i, 'energy');
		PERFORM hwsched.start(a.assignment_id, 'energy');
		UPDATE hwsched.assignment SET started_at = now() - CASE WHEN i % 4 IN (0, 3) THEN interval '100 s' ELSE interval '400 s' END WHERE pool = 'energy' AND assignment_id = a.assignment_id;
		PERFORM hwsched.complete(a.assignment_id, NULL, 'energy'), hwsched.resume_worker(CASE WHEN i % 2 = 0 THEN 'one' ELSE 'other' END, 'energy');
	END LOOP;
END $$;
-- by default, for work with a sensitivity alone: told apart by its model and duration
SELECT hwsched.submit_many(jsonb_build_array(pg_temp.work('m', 0.9, '{"model_id": "m"}'), pg_temp.work('n', 0.9, '{"model_id": "n"}'), pg_temp.work('plain', NULL, '{"model_id": "m"}')), 'energy');
SELECT workload_id, worker_id, p.joules < avg(p.joules) OVER same AS less, abs((c.scores ->> 'energy')::float8 - (min(p50_seconds) OVER same * 65 + 1) / (p50_seconds * 65 + 1)) < 1e-9 AS energy, abs(p.joules - p50_seconds * 60.9) < 1e-6 AND abs(p.cost - p50_seconds / 1000) < 1e-9 AND carbon_g IS NULL AS predicted,
	c.joules = p.joules AS shown, p50_seconds <> formula_seconds AS learned
FROM unnest(ARRAY['m', 'n']) AS workload_id, hwsched.compatible_hardware(workload_id, 'energy') AS c CROSS JOIN LATERAL hwsched.predict(workload_id, worker_id, 0, 'energy') AS p WINDOW same AS (PARTITION BY workload_id) ORDER BY 1, 2;
SELECT p.workload_id, p.worker_id, p.score = c.score AS as_shown FROM hwsched.plan_pending(2, 'energy') AS p, hwsched.compatible_hardware(p.workload_id, 'energy') AS c WHERE c.worker_id = p.worker_id ORDER BY 1;
SELECT workload_id, worker_id FROM hwsched.schedule('m', 'energy');
SELECT hwsched.alter_pool('energy', '{"learning": false}');
SELECT count(DISTINCT joules) AS alike FROM hwsched.pareto('n', 'energy');

--
-- The objective: what a pool weighs
--
SELECT pg_temp.pool('{"policy": {"objective": 1}}');
SELECT pg_temp.gpus('fast', 'F', 60, 400, 100, 4), pg_temp.gpus('frugal', 'S', 5, 70, 40, 3), pg_temp.gpus('cheap', 'O', 100, 300, 40, 0.5);
SELECT hwsched.submit_many(jsonb_build_array(pg_temp.work('w'), pg_temp.work('green', 0.9)), 'energy');
CREATE TABLE pg_temp.choices (objective jsonb, workload text, worker text, as_pareto boolean);
DO $$
DECLARE
	weights jsonb;
BEGIN
	FOREACH weights IN ARRAY ARRAY[NULL, '{"time": 1}', '{"energy": 2}', '{"cost": 0.1}', '{"time": 1, "energy": 1}', '{"time": 1, "cost": 3}', '{"time": 1, "energy": 1, "cost": 1}']::jsonb[] LOOP
		PERFORM hwsched.alter_pool('energy', jsonb_build_object('objective', weights));
		INSERT INTO pg_temp.choices SELECT weights, workload, (SELECT worker_id FROM hwsched.compatible_hardware(workload, 'energy') WHERE rank = 1),
			(SELECT bool_and(abs(c.score - p.score) < 1e-12) AND count(*) = 3 FROM hwsched.compatible_hardware(workload, 'energy') AS c JOIN hwsched.pareto(workload, 'energy') AS p USING (worker_id)) FROM unnest(ARRAY['w', 'green']) AS workload;
	END LOOP;
END $$;
SELECT * FROM pg_temp.choices;
-- as a part of a policy it counts its weight, beside what there is of energy already
SELECT hwsched.alter_pool('energy', '{"policy": {"objective": 2, "energy": 1, "round_robin": 0.5}, "objective": {"time": 3, "energy": 1}}');
SELECT bool_and(abs(score - (1.5 * (scores ->> 'predicted_time')::float8 + 1.5 * (scores ->> 'energy')::float8 + 0.5 * (scores ->> 'round_robin')::float8)) < 1e-12) AS adds_up, count(*) FROM hwsched.compatible_hardware('w', 'energy');
SELECT pg_temp.error_of(format('SELECT hwsched.alter_pool(''energy'', %L)', settings)) FROM unnest(ARRAY['{"objective": {"time": 0}}', '{"objective": {"speed": 1}}', '{"objective": {"time": -1}}', '{"objective": {"energy": 1e7}}', '{"objective": 1}', '{"energy_price_per_kwh": -1}', '{"carbon_g_per_kwh": "much"}']) AS settings;

--
-- The front: nothing on it is worse than another in all, and everything else is
--
SELECT pg_temp.pool();
SELECT setseed(0.5) IS NOT NULL AS seeded;
SELECT count(pg_temp.gpus('n' || lpad(i::text, 2, '0'), 'M' || i % 25, 5 + 40 * random(), 50 + 400 * random(), 5 + (95 * random())::int, 1 + (9 * random())::int)) FROM generate_series(1, 40) AS i;
SELECT hwsched.submit(pg_temp.work('w'), 'energy');
CREATE TABLE pg_temp.front AS SELECT * FROM hwsched.pareto('w', 'energy');
SELECT count(*), count(*) FILTER (WHERE on_front) BETWEEN 2 AND 20 AS some_on_the_front,
	bool_and(on_front <> EXISTS (SELECT FROM pg_temp.front AS o WHERE o.predicted_seconds <= f.predicted_seconds AND o.joules <= f.joules AND o.cost <= f.cost AND (o.predicted_seconds < f.predicted_seconds OR o.joules < f.joules OR o.cost < f.cost))) AS right,
	bool_and(rank = (SELECT count(*) FROM pg_temp.front AS o WHERE (NOT o.on_front, -o.score, o.worker_id COLLATE "C") <= (NOT f.on_front, -f.score, f.worker_id COLLATE "C"))) AS in_order
FROM pg_temp.front AS f;
-- what is busy stays on it, and says so; what can never run it is not there
SELECT worker_id AS first FROM pg_temp.front WHERE rank = 1 \gset
SELECT hwsched.drain_worker(:'first', 'energy');
SELECT hwsched.register_worker('cpu only', '{"cpu_cores": 8}', 'energy');
SELECT worker_id = :'first' AS first, on_front, reason FROM hwsched.pareto('w', 'energy') WHERE rank = 1;
SELECT count(*) FROM hwsched.pareto('w', 'energy');
SELECT pg_temp.error_of(statement) FROM unnest(ARRAY['SELECT * FROM hwsched.pareto(''nothing'', ''energy'')', 'SELECT * FROM hwsched.pareto(''w'', ''nowhere'')']) AS statement;
SELECT count(*) FROM hwsched.pareto(NULL, 'energy');

--
-- Power limits, on made-up jobs: their watts follow the limit, and the heavier the job, the more a limit hurts
--
SELECT pg_temp.pool();
CREATE FUNCTION pg_temp.seconds(weight float8, power_limit float8) RETURNS float8 LANGUAGE sql AS $$ SELECT 100 * (1 + greatest(0, 300 * weight - power_limit) / 300) $$;
SELECT count(hwsched.record_power('job ' || i, 'G', l, pg_temp.seconds(0.4 + 0.05 * i, l), least(l, 300 * (0.4 + 0.05 * i)), 'energy')) FROM generate_series(1, 10) AS i, generate_series(100, 300, 50) AS l;
-- a new job, measured once: its watts tell which others it is like
SELECT hwsched.record_power('new', 'G', 300, pg_temp.seconds(0.7, 300) * 7, 210, 'energy');
SELECT device_model, power_limit_w, round(predicted_seconds) AS seconds, round(predicted_w) AS w, round(joules) AS joules, round(slowdown_risk::numeric, 2) AS risk, chosen, measured FROM hwsched.suggest_power_limit('new', pool => 'energy');
-- no slowdown, or as much as it takes
SELECT s, (SELECT power_limit_w FROM hwsched.suggest_power_limit('new', s, 'energy') WHERE chosen) FROM unnest(ARRAY[0, 0.1, 0.2, 10]::float8[]) AS s;
-- a second measurement, which disagrees, counts; and again replaces it
SELECT hwsched.record_power('new', 'G', 200, 1400, 190, 'energy');
SELECT power_limit_w, predicted_seconds = 1400 AS as_measured, round(slowdown_risk::numeric, 2) AS risk FROM hwsched.suggest_power_limit('new', pool => 'energy') WHERE power_limit_w = 200;
SELECT hwsched.record_power('new', 'G', 200, 720, 199, 'energy');
SELECT power_limit_w, predicted_seconds, predicted_w FROM hwsched.suggest_power_limit('new', pool => 'energy') WHERE chosen;
-- alone, with one setting: that is all that is known
SELECT hwsched.record_power('alone', 'H', 150, 10, 140, 'energy');
SELECT * FROM hwsched.suggest_power_limit('alone', pool => 'energy') WHERE device_model = 'H' OR chosen;
-- of one device model; measured next: the highest limit, then about 80 % of what was drawn there
SELECT device_model, power_limit_w, chosen, measured, measure_next FROM hwsched.suggest_power_limit('new', pool => 'energy', device_model => 'H');
SELECT hwsched.record_power('asks', 'G', 200, 10, 160, 'energy');
SELECT power_limit_w, measured FROM hwsched.suggest_power_limit('asks', pool => 'energy', device_model => 'G') WHERE measure_next;
SELECT hwsched.record_power('asks', 'G', 300, 9, 180, 'energy');
SELECT power_limit_w, measured FROM hwsched.suggest_power_limit('asks', pool => 'energy', device_model => 'G') WHERE measure_next;
SELECT hwsched.record_power('asks', 'G', 150, 12, 150, 'energy');
SELECT device_model, power_limit_w FROM hwsched.suggest_power_limit('asks', pool => 'energy') WHERE measure_next;
SELECT count(*) FROM hwsched.suggest_power_limit('asks', pool => 'energy', device_model => 'G') WHERE measure_next;
SELECT * FROM hwsched.suggest_power_limit('asks', pool => 'energy', device_model => 'I');
DELETE FROM hwsched.power_measurement WHERE job = 'asks';
SELECT count(*), count(predicted_seconds) AS known FROM hwsched.suggest_power_limit('alone', pool => 'energy');
-- it goes where what was learned goes, and is forgotten with it
SELECT hwsched.create_pool('energy_2'), hwsched.load_learning(hwsched.learning_json('energy'), 'energy_2') AS loaded;
SELECT count(*) FROM (SELECT job, device_model, power_limit_w, seconds, average_w, at FROM hwsched.power_measurement WHERE pool = 'energy' INTERSECT SELECT job, device_model, power_limit_w, seconds, average_w, at FROM hwsched.power_measurement WHERE pool = 'energy_2') AS both_have;
SELECT hwsched.reset_learning(pool => 'energy_2') AS forgotten;
SELECT count(*) FROM hwsched.power_measurement WHERE pool = 'energy_2';
SELECT hwsched.drop_pool('energy_2');
-- who does not learn uses no other job
SELECT hwsched.alter_pool('energy', '{"learning": false}');
SELECT * FROM hwsched.suggest_power_limit('new', pool => 'energy');
SELECT pg_temp.error_of(statement) FROM unnest(ARRAY['SELECT * FROM hwsched.suggest_power_limit(''never'', 0.1, ''energy'')', 'SELECT * FROM hwsched.suggest_power_limit(''new'', 0.1, ''nowhere'')', 'SELECT * FROM hwsched.suggest_power_limit(NULL)', 'SELECT * FROM hwsched.suggest_power_limit(''new'', NULL)', 'SELECT * FROM hwsched.suggest_power_limit(''new'', -1, ''energy'')', 'SELECT * FROM hwsched.suggest_power_limit(''new'', ''NaN'', ''energy'')',
	'SELECT hwsched.record_power('''', ''G'', 1, 1, 1, ''energy'')', 'SELECT hwsched.record_power(''x'', repeat(''y'', 1001), 1, 1, 1, ''energy'')', 'SELECT hwsched.record_power(''x'', ''G'', 0, 1, 1, ''energy'')', 'SELECT hwsched.record_power(''x'', ''G'', 1, ''Infinity'', 1, ''energy'')', 'SELECT hwsched.record_power(''x'', ''G'', 1, 1, ''NaN'', ''energy'')', 'SELECT hwsched.record_power(''x'', NULL, 1, 1, 1, ''energy'')', 'SELECT hwsched.record_power(''x'', ''G'', 1, 1, NULL, ''energy'')', 'SELECT hwsched.record_power(''x'', ''G'', 1, 1, 1, ''nowhere'')']) WITH ORDINALITY AS s (statement, no) ORDER BY no;

--
-- Published jobs (data/power): the choice for each that ran at all settings, as never seen and then measured at two
--
SELECT pg_temp.pool();
CREATE TABLE pg_temp.published (dataset text, network text, batch_size text, optimizer text, power_limit float8, time_per_epoch float8, average_power float8, gpu text DEFAULT 'v100');
\copy pg_temp.published (dataset, network, batch_size, optimizer, power_limit, time_per_epoch, average_power) from 'data/power/summary_power_v100.csv' csv header
ALTER TABLE pg_temp.published ALTER gpu SET DEFAULT 'a40';
\copy pg_temp.published (dataset, network, batch_size, optimizer, power_limit, time_per_epoch, average_power) from 'data/power/summary_power_a40.csv' csv header
ALTER TABLE pg_temp.published ALTER gpu SET DEFAULT 'p100';
\copy pg_temp.published (dataset, network, batch_size, optimizer, power_limit, time_per_epoch, average_power) from 'data/power/summary_power_p100.csv' csv header
CREATE TABLE pg_temp.took AS SELECT concat_ws(' ', dataset, network, batch_size, optimizer) AS job, gpu, power_limit, time_per_epoch AS seconds, average_power AS watts FROM pg_temp.published;
SELECT count(hwsched.record_power(job, gpu, power_limit, seconds, watts, 'energy')), count(DISTINCT job) AS jobs FROM pg_temp.took;
CREATE TABLE pg_temp.chosen (job text, choice text, seconds float8, joules float8);
DO $$
DECLARE
	unseen text;
BEGIN
	FOR unseen IN SELECT job FROM pg_temp.took GROUP BY job HAVING count(*) = 22 ORDER BY job COLLATE "C" LOOP
		DELETE FROM hwsched.power_measurement WHERE pool = 'energy' AND job = unseen;
		PERFORM hwsched.record_power(job, gpu, power_limit, seconds, watts, 'energy') FROM pg_temp.took WHERE job = unseen AND (gpu, power_limit) IN (('v100', 175), ('a40', 225));
		INSERT INTO pg_temp.chosen SELECT unseen, gpu || ' ' || power_limit, seconds, seconds * watts FROM hwsched.suggest_power_limit(unseen, pool => 'energy') AS s JOIN pg_temp.took AS t ON t.job = unseen AND t.gpu = s.device_model AND t.power_limit = s.power_limit_w WHERE s.chosen;
		PERFORM hwsched.record_power(job, gpu, power_limit, seconds, watts, 'energy') FROM pg_temp.took WHERE job = unseen;
	END LOOP;
END $$;
-- beside the least energy of any setting that is no more than 10 % slower than the fastest
SELECT c.job, c.choice, b.best, round((c.joules / b.joules - 1)::numeric, 3) AS more_energy, c.seconds > 1.1 * b.fastest AS too_slow
FROM pg_temp.chosen AS c CROSS JOIN LATERAL (SELECT gpu || ' ' || power_limit AS best, seconds * watts AS joules, fastest FROM (SELECT *, min(seconds) OVER () AS fastest FROM pg_temp.took AS t WHERE t.job = c.job) AS t
	WHERE seconds <= 1.1 * fastest ORDER BY seconds * watts LIMIT 1) AS b ORDER BY c.job COLLATE "C";

--
-- What a pool has goes with it
--
SELECT hwsched.drop_pool('energy');
SELECT count(*) FROM hwsched.power_measurement WHERE pool = 'energy';
