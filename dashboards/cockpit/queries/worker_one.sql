SELECT s.*, w.labels, w.taints, w.software_versions, w.capabilities, u.load_ratio, u.cpu_ratio, u.memory_ratio, u.gpu_ratio, u.io_ratio, u.network_ratio, u.reserved_cores, u.reserved_cores_ratio,
       u.reserved_memory_bytes, u.reserved_memory_ratio, u.accelerators, u.reserved_accelerators, u.reported_at
FROM hwsched.worker_status s JOIN hwsched.worker w USING (pool, worker_id) JOIN hwsched.resource_utilization u USING (pool, worker_id)
WHERE s.pool = %(pool)s AND s.worker_id = %(worker)s
