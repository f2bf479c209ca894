-- What ran where: each execution that overlaps the period, its wait before it, and what ended without having started.
WITH own AS (
  SELECT a.worker_id, a.device_nos, a.workload_id, p.workload_type, p.tenant, a.state::text AS state, a.priority, a.attempt, a.shard_no, a.assigned_at, a.started_at, a.finished_at,
         left(a.error, 200) AS error, a.lease_until, a.predicted_seconds, d.model_name
  FROM hwsched.assignment a
  JOIN hwsched.workload_profile p ON p.pool = a.pool AND p.profile_id = a.profile_id
  JOIN hwsched.device_profile d ON d.pool = a.pool AND d.profile_id = a.device_profile_id
  WHERE a.pool = %(pool)s AND a.assigned_at <= %(until)s::timestamptz AND coalesce(a.finished_at, 'infinity') >= %(since)s::timestamptz
    AND (%(worker)s::text IS NULL OR a.worker_id = %(worker)s) AND (%(type)s::text IS NULL OR p.workload_type = %(type)s)),
elsewhere AS (
  SELECT h.worker_id, NULL::int[], h.workload_id, h.workload_type, '', h.state::text, NULL::smallint, h.attempt, 0, NULL::timestamptz, h.time - make_interval(secs => h.actual_seconds), h.time,
         left(h.error, 200), NULL::timestamptz, h.predicted_seconds, h.model_name
  FROM hwsched.execution_history h
  WHERE h.pool = %(pool)s AND h.assignment_id IS NULL AND h.time >= %(since)s::timestamptz
    AND h.time - make_interval(secs => h.actual_seconds) <= %(until)s::timestamptz
    AND (%(worker)s::text IS NULL OR h.worker_id = %(worker)s) AND (%(type)s::text IS NULL OR h.workload_type = %(type)s))
SELECT * FROM (SELECT * FROM own UNION ALL SELECT * FROM elsewhere) b
ORDER BY coalesce(b.finished_at, 'infinity') DESC LIMIT 20000
