-- Which kind of device is preferred for which type of work, and how fast it was.
SELECT f.worker_id, f.workload_type, f.preference, p.successes, p.failures, p.p50_seconds
FROM hwsched.preference f LEFT JOIN hwsched.performance p USING (pool, worker_id, workload_type)
WHERE f.pool = %(pool)s ORDER BY abs(f.preference - 0.5) DESC, f.worker_id, f.workload_type LIMIT 100
