-- How hot each device was, the highest of each step of time, and in which phase: the lines and bands of the chart.
--
--   psql -v pool=default -v since=yesterday -f examples/psql/thermal_states.sql
\ir variables.psql

SELECT worker_id || coalesce(' #' || device_no, '') AS device, date_bin(:'step', time, 'epoch') AS time,
       round(max(temperature_ratio)::numeric, 4) AS temperature_ratio, round(max(temperature_celsius)::numeric, 2) AS temperature_celsius,
       coalesce(min(phase) FILTER (WHERE phase <> 'normal'), min(phase)) AS phase
FROM hwsched.thermal_history
WHERE pool = :'pool' AND time >= :'since' AND time < :'until' AND temperature_ratio IS NOT NULL
GROUP BY worker_id, device_no, 2
ORDER BY max(max(temperature_ratio)) OVER (PARTITION BY worker_id, device_no) DESC, device, time;
