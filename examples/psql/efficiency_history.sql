-- How well the hardware suited the work, by type over time.
--
--   psql -v pool=default -v since=yesterday -f examples/psql/efficiency_history.sql
\ir variables.psql

SELECT date_bin(:'step', time, 'epoch') AS time, coalesce(workload_type, 'unknown') AS workload_type, round(avg(efficiency_ratio)::numeric, 4) AS efficiency_ratio, count(*) AS assignments
FROM hwsched.efficiency_history
WHERE pool = :'pool' AND time >= :'since' AND time < :'until'
GROUP BY 1, 2
ORDER BY 1, 2;
