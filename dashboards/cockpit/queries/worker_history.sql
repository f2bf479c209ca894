-- Load, temperature and power of a worker and its devices, in at most 240 steps; device NULL: the worker itself.
WITH step AS (SELECT GREATEST((%(until)s::timestamptz - %(since)s::timestamptz) / 240, interval '1 second') AS width)
SELECT device_no, %(since)s::timestamptz + no * step.width AS time, avg(load) AS load_ratio, max(heat) AS temperature_ratio, max(celsius) AS temperature_celsius, avg(watts) AS power_watts,
       max(phase) FILTER (WHERE phase <> 'normal') AS phase
FROM step CROSS JOIN LATERAL (
  SELECT device_no, time, CASE WHEN device_no IS NULL THEN greatest(cpu_ratio, gpu_ratio) ELSE coalesce(gpu_ratio, cpu_ratio) END AS load, NULL::float8 AS heat, NULL::float8 AS celsius, NULL::float8 AS watts, NULL AS phase
  FROM hwsched.utilization_history WHERE pool = %(pool)s AND worker_id = %(worker)s AND time BETWEEN %(since)s::timestamptz AND %(until)s::timestamptz
  UNION ALL
  SELECT device_no, time, NULL, temperature_ratio, temperature_celsius, power_watts, phase
  FROM hwsched.thermal_history WHERE pool = %(pool)s AND worker_id = %(worker)s AND time BETWEEN %(since)s::timestamptz AND %(until)s::timestamptz) h
CROSS JOIN LATERAL (SELECT floor(extract(epoch FROM h.time - %(since)s::timestamptz) / extract(epoch FROM step.width)) AS no) n
GROUP BY device_no, no, step.width ORDER BY device_no NULLS FIRST, 2
