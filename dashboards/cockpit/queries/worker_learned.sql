-- What was learned of a worker, by type of work.
SELECT p.workload_type, p.successes, p.failures, p.success_ratio, p.p50_seconds, p.p90_seconds, p.updated_at, f.preference
FROM hwsched.performance p
LEFT JOIN hwsched.preference f USING (pool, worker_id, workload_type)
WHERE p.pool = %(pool)s AND p.worker_id = %(worker)s ORDER BY p.workload_type
