-- Since when something takes longer, or less long, than before.
SELECT time, worker_id, model_name, workload_type, before_seconds, after_seconds
FROM hwsched.change_points(since => %(since)s::timestamptz, pool => %(pool)s) ORDER BY time DESC LIMIT 30
