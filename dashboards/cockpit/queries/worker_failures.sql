SELECT time, workload_id, attempt, workload_type, state, actual_seconds, left(error, 300) AS error
FROM hwsched.execution_history
WHERE pool = %(pool)s AND worker_id = %(worker)s AND state IN ('failed', 'expired') AND time BETWEEN %(since)s::timestamptz AND %(until)s::timestamptz
ORDER BY time DESC LIMIT 20
