-- How much was assigned, by type over time.
--
--   psql -v pool=default -v since=yesterday -f examples/psql/assignment_history.sql
\ir variables.psql

SELECT date_bin(:'step', time, 'epoch') AS time, coalesce(workload_type, 'unknown') AS workload_type, count(*) AS assignments
FROM hwsched.assignment_history
WHERE pool = :'pool' AND time >= :'since' AND time < :'until'
GROUP BY 1, 2
ORDER BY 1, 2;
