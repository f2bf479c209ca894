-- How many waited at the end of each step, and how long what was placed in it had waited, by priority or by tenant.
WITH step AS (SELECT GREATEST((%(until)s::timestamptz - %(since)s::timestamptz) / 120, interval '1 second') AS width),
waited AS (
  SELECT s.submitted_at AS since, coalesce(f.placed_at, s.closed_at) AS until, f.placed_at,
         CASE WHEN %(by)s = 'tenant' THEN p.tenant ELSE s.priority::text END AS key
  FROM hwsched.submission s
  JOIN hwsched.workload_profile p USING (pool, profile_id)
  LEFT JOIN LATERAL (SELECT min(a.assigned_at) AS placed_at FROM hwsched.assignment a WHERE a.pool = s.pool AND a.workload_id = s.workload_id AND a.run = s.run) f ON true
  WHERE s.pool = %(pool)s AND s.submitted_at <= %(until)s::timestamptz AND coalesce(s.closed_at, 'infinity') >= %(since)s::timestamptz
  UNION ALL
  SELECT h.time - make_interval(secs => h.wait_seconds), h.time, h.time, CASE WHEN %(by)s = 'tenant' THEN '' ELSE h.priority::text END
  FROM hwsched.assignment_history h
  WHERE h.pool = %(pool)s AND h.assignment_id IS NULL AND h.wait_seconds IS NOT NULL AND h.attempt IS NOT DISTINCT FROM 1
    AND h.time BETWEEN %(since)s::timestamptz AND %(until)s::timestamptz),
-- of a step: what came and what went before its end
event AS (
  SELECT key, greatest(ceil(extract(epoch FROM at - %(since)s::timestamptz) / extract(epoch FROM step.width)), 0)::int AS no, sum(change) AS change,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY wait) AS p50, percentile_cont(0.9) WITHIN GROUP (ORDER BY wait) AS p90
  FROM step, waited w CROSS JOIN LATERAL (
    VALUES (w.since, 1, NULL::float8),
           (w.until, -1, CASE WHEN w.placed_at IS NOT NULL THEN extract(epoch FROM greatest(w.placed_at - w.since, '0')) END::float8)) AS e (at, change, wait)
  WHERE e.at <= %(until)s::timestamptz GROUP BY 1, 2)
SELECT coalesce(k.key, '') AS key, %(since)s::timestamptz + n.no * step.width AS time,
       sum(coalesce(e.change, 0)) OVER (PARTITION BY k.key ORDER BY n.no)::bigint AS depth, e.p50, e.p90
FROM step CROSS JOIN (SELECT DISTINCT key FROM event ORDER BY key LIMIT 12) k CROSS JOIN generate_series(0, 120) AS n (no)
LEFT JOIN event e ON e.key IS NOT DISTINCT FROM k.key AND e.no = n.no
ORDER BY 1, 2
