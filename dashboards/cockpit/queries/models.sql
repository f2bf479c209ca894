SELECT kind, workload_type, model, model_name, worker_id, runs, factor_ratio, updated_at
FROM hwsched.duration_model WHERE pool = %(pool)s AND factor_ratio IS NOT NULL AND runs > 0 ORDER BY runs DESC LIMIT 40
