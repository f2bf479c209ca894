-- Its attempts, shards and replicas, of all runs, with the last word of what runs.
SELECT a.assignment_id, a.run, a.attempt, a.shard_no, a.worker_id, a.device_nos, a.state, a.efficiency, a.adjusted_efficiency, a.score, a.predicted_seconds, a.p90_seconds,
       extract(epoch FROM coalesce(a.finished_at, now()) - a.started_at)::float8 AS seconds,
       a.assigned_at, a.started_at, a.finished_at, a.lease_until, a.error, a.error_class, a.result, d.model_name, r.progress_ratio, r.note, r.reported_at
FROM hwsched.assignment a
JOIN hwsched.device_profile d ON d.pool = a.pool AND d.profile_id = a.device_profile_id
LEFT JOIN hwsched.running_work r ON r.pool = a.pool AND r.assignment_id = a.assignment_id
WHERE a.pool = %(pool)s AND a.workload_id = %(workload)s ORDER BY a.assignment_id DESC LIMIT 100
