-- Estimated and actual duration of what was completed, the furthest off first: the points of the chart.
--
--   psql -v pool=default -v since=yesterday -f examples/psql/execution_times.sql
\ir variables.psql

SELECT workload_id, worker_id, coalesce(workload_type, 'unknown') AS workload_type, predicted_seconds, actual_seconds, ratio,
       hwsched.prediction_rating(ratio) AS rating
FROM hwsched.execution_history
CROSS JOIN LATERAL (SELECT greatest(actual_seconds, 0.001) / greatest(predicted_seconds, 0.001) AS ratio) r
CROSS JOIN LATERAL (SELECT greatest(ratio, 1 / ratio) AS off) o
WHERE pool = :'pool' AND time >= :'since' AND time < :'until' AND state = 'completed' AND predicted_seconds > 0
ORDER BY off DESC, workload_id;
