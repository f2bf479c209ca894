SELECT d.device_no, d.device_id, t.hardware_class, t.model_name, d.state, d.health, d.failures_in_row, t.temperature_ratio, t.temperature_celsius, t.phase, t.performance_level_ratio, t.is_modelled,
       t.reported_at, l.utilization / 100 AS load_ratio, l.power_w AS power_watts, r.slots, r.share / 1e6 AS share_ratio, r.memory_bytes, p.memory_total_bytes
FROM hwsched.device d
JOIN hwsched.device_profile p USING (pool, profile_id)
JOIN hwsched.thermal_states t USING (pool, worker_id, device_no)
LEFT JOIN hwsched.device_load l USING (pool, worker_id, device_no)
LEFT JOIN hwsched.device_reserved r USING (pool, worker_id, device_no)
WHERE d.pool = %(pool)s AND d.worker_id = %(worker)s ORDER BY d.device_no LIMIT 64
