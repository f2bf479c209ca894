SELECT reason, "position", ready, ready_at, wait_seconds, aged_priority FROM hwsched.pending_workloads WHERE pool = %(pool)s AND workload_id = %(workload)s
