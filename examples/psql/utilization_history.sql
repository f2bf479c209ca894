-- Mean utilization of all workers' resources over time.
--
--   psql -v pool=default -v since=yesterday -f examples/psql/utilization_history.sql
\ir variables.psql

SELECT date_bin(:'step', h.time, 'epoch') AS time, r.resource, round(avg(r.ratio)::numeric, 4) AS utilization_ratio, count(*) AS samples
FROM hwsched.utilization_history h
CROSS JOIN LATERAL (VALUES (1, 'CPU', h.cpu_ratio), (2, 'memory', h.memory_ratio), (3, 'GPU', h.gpu_ratio), (4, 'I/O', h.io_ratio),
                           (5, 'network', h.network_ratio)) AS r (no, resource, ratio)
WHERE h.pool = :'pool' AND h.time >= :'since' AND h.time < :'until' AND r.ratio IS NOT NULL
GROUP BY 1, r.no, r.resource
ORDER BY 1, r.no;
