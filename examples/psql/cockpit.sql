-- A pool's figures in the terminal, again every few seconds until Ctrl-C:
--
--   psql -v pool=default -v every=2 -f examples/psql/cockpit.sql
\if :{?pool} \else \set pool default \endif
\if :{?every} \else \set every 2 \endif
\set QUIET on
\pset pager off
\pset footer off
\pset null '-'

SELECT line.about, line.value, line.note
FROM hwsched.pool_summary s
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'completed') AS completed, count(*) FILTER (WHERE state IN ('failed', 'expired')) AS failed
    FROM hwsched.execution_history WHERE pool = s.pool AND time >= now() - interval '1 hour') done
CROSS JOIN LATERAL (
    SELECT percentile_cont('{0.5,0.9}'::float8[]) WITHIN GROUP (ORDER BY wait_seconds) AS seconds
    FROM hwsched.assignment_history WHERE pool = s.pool AND time >= now() - interval '1 hour') wait
CROSS JOIN LATERAL (SELECT max(now() - submitted_at) AS longest FROM hwsched.pending WHERE pool = s.pool) queue
CROSS JOIN LATERAL (
    SELECT avg(cpu_ratio) AS cpu, avg(gpu_ratio) AS gpu, avg(memory_ratio) AS memory FROM hwsched.resource_utilization WHERE pool = s.pool) load
CROSS JOIN LATERAL (
    SELECT max(temperature_ratio) AS temperature, count(*) FILTER (WHERE phase <> 'normal') AS changing FROM hwsched.thermal_states WHERE pool = s.pool) heat
CROSS JOIN LATERAL (
    VALUES (1, 'workers', s.active_workers::text, format('of %s; %s offline, %s quarantined, %s draining', s.workers, s.offline_workers, s.quarantined_workers, s.draining_workers)),
           (2, 'accelerators in use', round(s.reserved_accelerators::numeric, 1)::text, format('of %s', s.accelerators)),
           (3, 'waiting', s.pending::text, 'the longest for ' || date_trunc('second', queue.longest)),
           (4, 'assigned', s.assigned::text, 'not started'),
           (5, 'running', s.running::text, NULL),
           (6, 'completed', done.completed::text, format('in the last hour; %s failed, %s dead', done.failed, s.dead)),
           (7, 'success', round(100.0 * done.completed / nullif(done.completed + done.failed, 0), 1) || ' %', 'of what ended in the last hour'),
           (8, 'wait', round(wait.seconds[1]::numeric, 1) || ' s', 'half at most; nine of ten ' || round(wait.seconds[2]::numeric, 1) || ' s'),
           (9, 'CPU', round(100 * load.cpu) || ' %', rpad(repeat('#', round(20 * load.cpu)::int), 20, '.')),
           (10, 'memory', round(100 * load.memory) || ' %', rpad(repeat('#', round(20 * load.memory)::int), 20, '.')),
           (11, 'GPU', round(100 * load.gpu) || ' %', rpad(repeat('#', round(20 * load.gpu)::int), 20, '.')),
           (12, 'hottest', round(heat.temperature::numeric, 2)::text, format('1 throttles; %s devices warm up or cool down', heat.changing))
    UNION ALL
    -- in order of weight, what the queue waits for
    (SELECT 12 + row_number() OVER (ORDER BY workloads DESC, reason), 'waits', workloads::text, reason FROM hwsched.explain_pending(s.pool) ORDER BY 1 LIMIT 5)
) AS line (no, about, value, note)
WHERE s.pool = :'pool'
ORDER BY line.no
\watch :every
