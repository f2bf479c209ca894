-- How far predictions were off: after learning, and what the formula alone would have said.
SELECT time, workload_type, runs, median_error_ratio, p90_error_ratio, formula_median_error_ratio
FROM hwsched.model_accuracy WHERE pool = %(pool)s AND time >= date_trunc('hour', %(since)s::timestamptz) AND time <= %(until)s::timestamptz ORDER BY time, workload_type
