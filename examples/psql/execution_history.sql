-- How long executions took and should have taken, over time, and how many failed.
--
--   psql -v pool=default -v since=yesterday -f examples/psql/execution_history.sql
\ir variables.psql

SELECT h.time, s.series, round(s.seconds::numeric, 3) AS mean_seconds, h.completed, h.failed
FROM (SELECT date_bin(:'step', time, 'epoch') AS time, count(*) FILTER (WHERE state = 'completed') AS completed,
             count(*) FILTER (WHERE state IN ('failed', 'expired')) AS failed, avg(predicted_seconds) FILTER (WHERE state = 'completed') AS estimated,
             avg(actual_seconds) FILTER (WHERE state = 'completed') AS actual
      FROM hwsched.execution_history
      WHERE pool = :'pool' AND time >= :'since' AND time < :'until'
      GROUP BY 1) h
CROSS JOIN LATERAL (VALUES ('estimated', h.estimated), ('actual', h.actual)) AS s (series, seconds)
ORDER BY h.time, s.series DESC;
