-- Workloads, the latest first: all, or those that a filter finds.
SELECT w.queue_no::text AS queue_no, w.workload_id, w.run, w.state, w.priority, w.workload_type, w.model_id, p.tenant, w.submitted_at, w.closed_at, w.deadline_missed,
       extract(epoch FROM coalesce(w.closed_at, now()) - w.submitted_at)::float8 AS seconds, a.worker_id, a.attempt, left(a.error, 120) AS error
FROM (SELECT * FROM hwsched.workload
      WHERE pool = %(pool)s AND (%(state)s::text IS NULL OR state::text = %(state)s)
        AND (%(type)s::text IS NULL OR workload_type = %(type)s)
        AND (%(priority)s::text IS NULL OR priority::text = %(priority)s)
        AND (%(q)s::text IS NULL OR strpos(lower(workload_id || ' ' || coalesce(model_id, '')), lower(%(q)s)) > 0)
        AND (%(before)s::text IS NULL OR queue_no < %(before)s::bigint)
        AND (%(tenant)s::text IS NULL OR profile_id IN (SELECT profile_id FROM hwsched.workload_profile WHERE pool = %(pool)s AND tenant = %(tenant)s))
      ORDER BY queue_no DESC LIMIT 100) w
JOIN hwsched.workload_profile p USING (pool, profile_id)
LEFT JOIN LATERAL (SELECT worker_id, attempt, error FROM hwsched.assignment a WHERE a.pool = w.pool AND a.workload_id = w.workload_id AND a.run = w.run
                   ORDER BY a.assignment_id DESC LIMIT 1) a ON true
ORDER BY w.queue_no DESC
