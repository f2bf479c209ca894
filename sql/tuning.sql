-- Settings under which work of the past would have fared better.
SET client_min_messages = warning;
SELECT hwsched.create_pool('tuning');
-- Jobs that are three times as fast on one model, and a policy that does not look at that.
CREATE VIEW arrivals AS
SELECT '{"required_accelerators": {"gpu": 1}}'::jsonb AS requirements, 25.0 * i AS at, jsonb_build_object('A', 60 + i % 7, 'B', CASE WHEN i % 2 = 0 THEN 200 ELSE 65 END) AS seconds_on
FROM generate_series(1, 240) i;
CREATE TABLE tuned AS SELECT * FROM hwsched.tune('{"mean_completion": 1}', '{"arrivals": "arrivals", "settings": {"policy": {"round_robin": 1}}, "fleet": [{"worker_id": "a", "count": 3, "devices": [{"hardware_class": "gpu", "model_name": "A"}]}, {"worker_id": "b", "count": 3, "devices": [{"hardware_class": "gpu", "model_name": "B"}]}]}', pool => 'tuning');
SELECT count(*) FILTER (WHERE chosen) AS chosen, bool_and(low <= gain AND gain <= high) AS within, max(gain) = (array_agg(gain))[1] AS best_first FROM tuned;
SELECT settings ? 'policy' AS of_policy, gain > 0.1 AS is_better, low > 0 AS surely, on_held_back > 0.1 AS there_too FROM tuned WHERE chosen;
-- The gain is what the simulation says: of the last third, in one.
SELECT abs(1 - (SELECT avg(extract(epoch FROM finished_at - submitted_at)) FROM hwsched.simulate(jsonb_build_object('arrivals', 'arrivals', 'settings', settings, 'fleet', f), 'tuning') WHERE substr(workload_id, 10)::int > 160)
             / (SELECT avg(extract(epoch FROM finished_at - submitted_at)) FROM hwsched.simulate(jsonb_build_object('arrivals', 'arrivals', 'settings', '{"policy": {"round_robin": 1}}'::jsonb, 'fleet', f), 'tuning') WHERE substr(workload_id, 10)::int > 160)
           - on_held_back) < 0.001 AS agrees
FROM tuned, (SELECT '[{"worker_id": "a", "count": 3, "devices": [{"hardware_class": "gpu", "model_name": "A"}]}, {"worker_id": "b", "count": 3, "devices": [{"hardware_class": "gpu", "model_name": "B"}]}]'::jsonb AS f) f WHERE chosen;
-- Where nothing can be better, nothing is chosen.
SELECT count(*) > 10 AS tried, max(gain) AS gain, bool_or(chosen) AS chosen FROM hwsched.tune('{"mean_wait": 1}', jsonb_build_object('fleet', '[{"cpu_cores": 64, "count": 3}]'::jsonb,
  'arrivals', (SELECT jsonb_agg(jsonb_build_object('at', 100 * i, 'seconds_on', '{"CPU-64cores": 5}'::jsonb)) FROM generate_series(1, 60) i)), pool => 'tuning');

-- Of the pool's own past, and taken into force.
SELECT hwsched.alter_pool('tuning', '{"policy": {"round_robin": 1}}', 'a poor choice');
SELECT hwsched.register_worker('fast', '{"cpu_cores": 4, "available_memory": 16, "cost_per_hour": 10, "devices": [{"hardware_class": "gpu", "model_name": "A100", "compute_units": 108, "memory_total_bytes": 17179869184}]}', 'tuning'),
       hwsched.register_worker('slow', '{"cpu_cores": 4, "available_memory": 16, "cost_per_hour": 1, "devices": [{"hardware_class": "gpu", "model_name": "K80", "compute_units": 13, "memory_total_bytes": 17179869184}]}', 'tuning');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'w' || i, 'required_accelerators', '{"gpu": 1}'::jsonb, 'expected_duration', 60)) FROM generate_series(1, 72) i), 'tuning');
-- as if they had come one after the other
UPDATE hwsched.submission SET submitted_at = now() - interval '10 h' + queue_no % 1000 * interval '6 min' WHERE pool = 'tuning';
SELECT count(*) FILTER (WHERE chosen) AS chosen FROM hwsched.tune('{"cost": 1}', apply => true, pool => 'tuning');
SELECT version, reason LIKE 'tuned for {"cost": 1}: % better, % on work held back' AS tuned, reason = 'a poor choice' AS poor, changes -> 'policy' -> 'old' AS old FROM hwsched.settings_history('tuning');
SELECT hwsched.rollback_settings(2, 'tuning');
SELECT value FROM hwsched.pool_settings('tuning') WHERE name = 'policy';

-- What is refused.
SELECT hwsched.tune('{"mean_wayt": 1}', pool => 'tuning');
SELECT hwsched.tune('{"utilisation": 1}', pool => 'tuning');
SELECT hwsched.tune('{}', pool => 'tuning');
SELECT hwsched.tune('{"mean_wait": 1}', '{"arrivals": []}', pool => 'tuning');
SELECT hwsched.tune('{"mean_wait": 1}', '{"fleat": []}', pool => 'tuning');
SELECT hwsched.tune('{"mean_wait": 1}', pool => 'nowhere');
DROP VIEW arrivals;
DROP TABLE tuned;
SELECT hwsched.drop_pool('tuning');
