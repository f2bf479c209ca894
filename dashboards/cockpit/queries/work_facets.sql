-- What work can be filtered by.
SELECT workload_type, tenant FROM hwsched.workload_profile WHERE pool = %(pool)s GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 200
