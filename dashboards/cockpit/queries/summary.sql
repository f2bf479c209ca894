-- The pool in figures, for the head of a page.
SELECT s.*, q.oldest_seconds, h.completed AS completed_in_period, h.failed AS failed_in_period, w.p50_wait, w.p90_wait
FROM hwsched.pool_summary s
CROSS JOIN (SELECT extract(epoch FROM greatest(now() - min(submitted_at), '0'))::float8 AS oldest_seconds FROM hwsched.pending WHERE pool = %(pool)s) q
CROSS JOIN (SELECT count(*) FILTER (WHERE state = 'completed') AS completed, count(*) FILTER (WHERE state IN ('failed', 'expired')) AS failed
            FROM hwsched.execution_history WHERE pool = %(pool)s AND time BETWEEN %(since)s::timestamptz AND %(until)s::timestamptz) h
CROSS JOIN (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY wait_seconds) AS p50_wait, percentile_cont(0.9) WITHIN GROUP (ORDER BY wait_seconds) AS p90_wait
            FROM hwsched.assignment_history WHERE pool = %(pool)s AND time BETWEEN %(since)s::timestamptz AND %(until)s::timestamptz) w
WHERE s.pool = %(pool)s
