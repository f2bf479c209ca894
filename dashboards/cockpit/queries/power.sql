-- Power drawn by all workers together, by the hour: the sum of their means.
SELECT time, sum(power_watts) AS power_watts, max(max_temperature_ratio) AS temperature_ratio
FROM hwsched.thermal_history_hourly WHERE pool = %(pool)s AND time BETWEEN date_trunc('hour', %(since)s::timestamptz) AND %(until)s::timestamptz
GROUP BY time ORDER BY time
