-- Heat over a day: six hours in which four workers warm up, work, and cool down,
-- recorded as a caller with sensors of its own would; then what heat does to a
-- decision.
--
-- Run it in the top directory: psql -X -q -v ON_ERROR_STOP=1 -f examples/demo/thermal.sql
\set pool demo_thermal
\pset pager off
\pset footer off
\pset null '-'
SET client_min_messages = warning;

\o /dev/null
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = :'pool';
SELECT hwsched.create_pool(:'pool');
SELECT hwsched.register_worker(format('gpu-%s', i), '{"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cuda"]}', pool => :'pool') FROM generate_series(1, 4) i;

-- Each worker idles, is loaded for a while, and idles again; gpu-4 all the time a
-- little. Temperatures follow thermal_at(), a second of it for a minute:
-- a rack is slower than a chip.
SELECT date_trunc('minute', now()) - interval '6 hours' AS began \gset
CREATE TEMP TABLE reading AS
WITH RECURSIVE plan (worker, busy_from, busy_until, busy, idle) AS (
  VALUES ('gpu-1', 30, 150, 0.95, 0.05), ('gpu-2', 90, 240, 0.85, 0.1), ('gpu-3', 180, 330, 0.75, 0.1), ('gpu-4', 0, 360, 0.45, 0.2)),
reading (worker, minute, load, temperature) AS (
  SELECT worker, 0, idle::float8, 0.15::float8 FROM plan
  UNION ALL
  SELECT r.worker, r.minute + 1, next.load, hwsched.thermal_at(r.temperature, next.load, 1)
  FROM reading r JOIN plan p ON p.worker = r.worker
  CROSS JOIN LATERAL (SELECT CASE WHEN r.minute BETWEEN p.busy_from AND p.busy_until - 1 THEN p.busy ELSE p.idle END::float8 AS load) next
  WHERE r.minute < 360)
SELECT r.worker, timestamptz :'began' + r.minute * interval '1 minute' AS at, r.load, r.temperature,
       r.load > 0.7 AND r.temperature < 0.6 AS warming, r.load < 0.3 AND r.temperature > 0.2 AS cooling
FROM reading r;
SELECT hwsched.record_thermal_state(worker, temperature, warming, cooling, at, pool => :'pool') FROM reading ORDER BY at, worker;
SELECT hwsched.record_resource_utilization(worker, jsonb_build_object('cpu_utilization', round((20 + 40 * load)::numeric), 'memory_utilization', round((30 + 30 * load)::numeric),
         'gpu_utilization', round((100 * load)::numeric), 'io_utilization', round((5 + 20 * load)::numeric), 'network_utilization', round((3 + 10 * load)::numeric)),
         at, pool => :'pool')
FROM reading ORDER BY at, worker;
\o

\echo
\echo Six hours of four GPU servers, by the half hour: temperature from 0 (idle) to 1 (throttling), w: warming up, c: cooling down.
\echo
SELECT to_char(time, 'HH24:MI') AS time,
       max(state) FILTER (WHERE worker_id = 'gpu-1') AS "gpu-1",
       max(state) FILTER (WHERE worker_id = 'gpu-2') AS "gpu-2",
       max(state) FILTER (WHERE worker_id = 'gpu-3') AS "gpu-3",
       max(state) FILTER (WHERE worker_id = 'gpu-4') AS "gpu-4"
FROM (SELECT time, worker_id, round(temperature_ratio::numeric, 2) || CASE phase WHEN 'normal' THEN '' ELSE ' ' || left(phase, 1) END AS state
      FROM hwsched.thermal_history WHERE pool = :'pool' AND extract(epoch FROM time - :'began'::timestamptz)::int % 1800 = 0) t
GROUP BY t.time ORDER BY t.time;

\o /dev/null
-- What is recorded is history; decisions go by what workers report and do now.
SELECT hwsched.update_load(worker, jsonb_build_object('gpu_utilization', 100 * load, 'temperature', temperature), pool => :'pool')
FROM (SELECT DISTINCT ON (worker) * FROM reading ORDER BY worker, at DESC) latest;
SELECT hwsched.start_warming('gpu-1', '10 minutes', pool => :'pool');
SELECT hwsched.start_cooling('gpu-3', '10 minutes', pool => :'pool');
SELECT hwsched.submit('{"test_id": "next", "test_type": "vision", "expected_duration": 300, "required_backend": "cuda"}', pool => :'pool');
\o
\echo The next vision test: gpu-1 has begun to warm up and gpu-3 to cool down, gpu-4 is loaded a little. Who gets it?
\echo
SELECT rank, worker_id AS worker, model_name AS device, round(raw_efficiency_ratio::numeric, 2) AS efficiency, round(effective_load_ratio::numeric, 2) AS load,
       round(performance_level_ratio::numeric, 2) AS level, round(temperature_ratio::numeric, 2) AS temperature, round(adjusted_efficiency_ratio::numeric, 2) AS adjusted
FROM hwsched.compatible_hardware('next', :'pool') WHERE raw_efficiency_ratio IS NOT NULL ORDER BY rank;
SELECT worker_id AS placed_on FROM hwsched.schedule('next', :'pool');

DO $$ BEGIN
  IF (SELECT worker_id IN ('gpu-1', 'gpu-3') FROM hwsched.assignment WHERE pool = 'demo_thermal') IS NOT FALSE THEN
    RAISE EXCEPTION 'the test went where heat is in the way';
  END IF;
END $$;
