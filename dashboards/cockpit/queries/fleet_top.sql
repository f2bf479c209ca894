-- The hottest devices, as reported or by the thermal law.
SELECT t.worker_id, t.device_no, t.hardware_class, t.model_name, t.temperature_ratio, t.temperature_celsius, t.phase, t.performance_level_ratio, t.is_modelled,
       l.power_w AS power_watts, l.utilization / 100 AS load_ratio
FROM hwsched.thermal_states t
LEFT JOIN hwsched.device_load l USING (pool, worker_id, device_no)
WHERE t.pool = %(pool)s AND t.reported_at IS NOT NULL AND t.temperature_ratio > 0
ORDER BY t.temperature_ratio DESC, t.worker_id, t.device_no LIMIT 12
