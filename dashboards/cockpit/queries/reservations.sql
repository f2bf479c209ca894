SELECT workload_id, shard_no, worker_id, device_nos, starts_at, backfill_until FROM hwsched.reservation WHERE pool = %(pool)s ORDER BY starts_at NULLS LAST, workload_id LIMIT 30
