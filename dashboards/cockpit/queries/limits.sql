SELECT key, in_use, concurrent_limit, used_last_minute, per_minute_limit, waiting, held_by FROM hwsched.limit_usage WHERE pool = %(pool)s ORDER BY waiting DESC, key LIMIT 100
