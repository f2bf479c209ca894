-- Who is next, and how long each of them has waited.
SELECT q."position", q.workload_id, q.priority, q.aged_priority, q.workload_type, p.tenant, q.reason, q.ready, q.ready_at, q.attempt, q.wait_seconds, q.submitted_at, q.deadline, q.deadline_missed
FROM (SELECT * FROM hwsched.pending_workloads WHERE pool = %(pool)s ORDER BY CASE WHEN %(order)s = 'wait' THEN submitted_at END, "position" LIMIT 50) q
LEFT JOIN hwsched.workload_profile p ON p.pool = q.pool AND p.profile_id = q.profile_id
ORDER BY CASE WHEN %(order)s = 'wait' THEN q.submitted_at END, q."position"
