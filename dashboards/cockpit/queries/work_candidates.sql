-- Of what waits: how the first of the places compare, in seconds, energy and money.
SELECT worker_id, device_no, rank, model_name, efficiency_ratio, load_ratio, temperature_ratio, performance_level_ratio, preference, heat_factor, score, predicted_seconds, joules, cost, reason
FROM hwsched.compatible_hardware(%(workload)s, %(pool)s) ORDER BY rank LIMIT 12
