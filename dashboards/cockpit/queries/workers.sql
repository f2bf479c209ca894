-- Workers: all, or those that a filter finds.
SELECT s.worker_id, s.hostname, s.state, s.health, s.devices, s.cores, s.memory_bytes, s.assigned, s.running, s.phase, s.silent_seconds, s.failures_in_row, s.quarantined_devices, s.draining_devices,
       u.load_ratio, u.accelerators, u.reserved_accelerators, u.reserved_cores_ratio, u.reserved_memory_ratio
FROM (SELECT pool, worker_id FROM hwsched.worker
      WHERE pool = %(pool)s AND (%(q)s::text IS NULL OR strpos(lower(worker_id || ' ' || coalesce(hostname, '') || ' ' || labels::text), lower(%(q)s)) > 0)
        AND (%(health)s::text IS NULL OR health::text = %(health)s OR state::text = %(health)s)
        AND (%(after)s::text IS NULL OR worker_id > %(after)s)
      ORDER BY worker_id LIMIT 100) w
JOIN hwsched.worker_status s USING (pool, worker_id) JOIN hwsched.resource_utilization u USING (pool, worker_id)
ORDER BY worker_id
