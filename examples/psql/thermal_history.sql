-- The temperature of all devices over time: the hottest, and the mean.
--
--   psql -v pool=default -v since=yesterday -f examples/psql/thermal_history.sql
\ir variables.psql

SELECT h.time, s.series, round(s.ratio::numeric, 4) AS temperature_ratio, h.samples
FROM (SELECT date_bin(:'step', time, 'epoch') AS time, count(*) AS samples, max(temperature_ratio) AS hottest, avg(temperature_ratio) AS mean
      FROM hwsched.thermal_history
      WHERE pool = :'pool' AND time >= :'since' AND time < :'until' AND temperature_ratio IS NOT NULL
      GROUP BY 1) h
CROSS JOIN LATERAL (VALUES ('hottest', h.hottest), ('mean', h.mean)) AS s (series, ratio)
ORDER BY h.time, s.series;
