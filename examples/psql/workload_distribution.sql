-- Which work went to which worker, the busiest first: the stacked bars of the chart.
--
--   psql -v pool=default -v since=yesterday -f examples/psql/workload_distribution.sql
\ir variables.psql

SELECT worker_id AS worker, coalesce(workload_type, 'unknown') AS workload_type, count(*) AS assignments
FROM hwsched.assignment_history
WHERE pool = :'pool' AND time >= :'since' AND time < :'until'
GROUP BY 1, 2
ORDER BY sum(count(*)) OVER (PARTITION BY worker_id) DESC, worker, workload_type;
