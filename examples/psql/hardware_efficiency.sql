-- How well the hardware suited what was placed on it: the bars of the chart.
--
--   psql -v pool=default -v since=yesterday -f examples/psql/hardware_efficiency.sql
\ir variables.psql

SELECT format('%s / %s', worker_id, coalesce(hardware_class::text, 'unknown')) AS hardware, round(avg(efficiency_ratio)::numeric, 4) AS efficiency_ratio,
       hwsched.efficiency_rating(avg(efficiency_ratio)) AS rating, count(*) AS assignments
FROM hwsched.efficiency_history
WHERE pool = :'pool' AND time >= :'since' AND time < :'until'
GROUP BY worker_id, coalesce(hardware_class::text, 'unknown')
ORDER BY avg(efficiency_ratio) DESC, hardware;
