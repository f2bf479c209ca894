-- The decision: the place with every factor and the runners-up; of what waits, each place with all that is against it.
SELECT worker_id, device_nos, verdict, rank, score, factors, reasons
FROM hwsched.explain(%(workload)s, %(pool)s)
ORDER BY CASE verdict WHEN 'placed' THEN 0 WHEN 'fits' THEN 1 WHEN 'busy' THEN 2 ELSE 3 END, rank NULLS LAST, worker_id NULLS FIRST, device_nos LIMIT 40
