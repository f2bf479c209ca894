-- How far predictions were off by the median, in at most 60 steps: as learned, and by the formula alone where that is known.
WITH step AS (SELECT GREATEST((%(until)s::timestamptz - %(since)s::timestamptz) / 60, interval '1 second') AS width)
SELECT date_bin(step.width, h.time, %(since)s::timestamptz) + step.width / 2 AS time, count(*) AS runs,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(h.predicted_seconds - h.actual_seconds) / h.actual_seconds) AS median_error_ratio,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(a.formula_seconds - h.actual_seconds) / h.actual_seconds) AS formula_median_error_ratio
FROM step CROSS JOIN hwsched.execution_history h
LEFT JOIN hwsched.assignment a ON a.pool = h.pool AND a.assignment_id = h.assignment_id
WHERE h.pool = %(pool)s AND h.state = 'completed' AND h.predicted_seconds > 0 AND h.actual_seconds > 0 AND h.time >= %(since)s::timestamptz AND h.time < %(until)s::timestamptz
GROUP BY 1 ORDER BY 1
