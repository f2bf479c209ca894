-- The published power experiment on the openb cluster (data/openb), through the SQL face: what the
-- cluster draws while work arrives, under a policy and under descent of fragmentation.
--
-- The power model is the published one (PWR, CCGrid 2025): a GPU draws its full power as soon as
-- anything runs on it, else its idle power; 16 cores of two threads are a socket, which draws 120 W
-- as soon as any of its cores is taken, else 15 W.  Saved is the mean over loads of 10 to 80 %.
--
-- variables: trace, policy (JSON), seed, solver, wanted and allocated (%, '' for none)
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
-- the trace knows no memory of GPUs, which registering warns of
SET client_min_messages = error;

SELECT set_config('bench.policy', :'policy', false), set_config('bench.solver', :'solver', false) \g /dev/null

\ir openb_trace.sql
CREATE TEMP TABLE watts (model text PRIMARY KEY, idle int, busy int);
INSERT INTO watts VALUES ('T4', 10, 70), ('A10', 30, 150), ('G2', 30, 150), ('P100', 25, 250), ('V100M16', 30, 300),
    ('V100M32', 30, 300), ('A100', 50, 400), ('G3', 50, 400);
CREATE TEMP TABLE run (side text, no bigint, sn text, device_nos int[], cpu_milli bigint);
CREATE TEMP TABLE curve (side text, load int, watts float8, used bigint);

CREATE PROCEDURE pg_temp.replay(in_side text, policy jsonb, solver text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM hwsched.create_pool('bench_energy', jsonb_build_object('policy', policy, 'solver', solver,
        'max_concurrent', 100000, 'notify', false));
    PERFORM hwsched.register_worker(sn, jsonb_build_object(
        'cpu_cores', cpu_milli / 1000.0, 'available_memory', memory_mib / 1024.0, 'supported_backends', '["cpu", "cuda"]'::jsonb,
        'available_accelerators', jsonb_build_object('gpu', gpu), 'devices', jsonb_build_array(
            jsonb_build_object('hardware_class', 'cpu', 'architecture', 'x86_64', 'vendor', 'intel', 'model_name', 'Xeon',
                'compute_units', cpu_milli / 1000, 'idle_power_w', 15 * sockets, 'thermal_design_power_w', 120 * sockets),
            jsonb_build_object('hardware_class', 'gpu', 'vendor', 'nvidia', 'architecture', 'gpu_cuda', 'model_name', model,
                'count', gpu, 'supported_backends', '["cuda"]'::jsonb, 'compute_units', 80,
                'idle_power_w', idle, 'thermal_design_power_w', busy))), 'bench_energy')
    FROM (SELECT *, ceil(ceil(cpu_milli / 2000.0) / 16) AS sockets FROM node JOIN watts USING (model)) n ORDER BY sn;
    COMMIT;
    PERFORM hwsched.submit_many((SELECT jsonb_agg(document ORDER BY no) FROM arrival), 'bench_energy');
    COMMIT;
    PERFORM hwsched.assign_pending(pool => 'bench_energy');
    INSERT INTO run SELECT in_side, r.no, a.worker_id, CASE WHEN r.demand > 0 THEN a.device_nos ELSE '{}' END,
        1000 * coalesce((r.document ->> 'cpu_cores')::numeric, 0)
    FROM arrival r JOIN hwsched.assignment a ON a.pool = 'bench_energy' AND a.workload_id = r.name;
    PERFORM hwsched.drop_pool('bench_energy');
    COMMIT;
END $$;

SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = 'bench_energy' \g /dev/null
CALL pg_temp.arrive(:seed);
CALL pg_temp.replay('reference', '{"fragmentation": 1}', 'greedy');
CALL pg_temp.replay('policy', current_setting('bench.policy')::jsonb, current_setting('bench.solver'));

ANALYZE arrival, run;

INSERT INTO curve
WITH capacity AS (SELECT 1000 * sum(gpu) AS milli FROM node),
arrived AS (SELECT no, sum(demand) OVER (ORDER BY no) AS milli FROM arrival),
checkpoint AS (SELECT load, (SELECT min(no) FROM arrived a, capacity c WHERE a.milli >= c.milli * load / 100) AS no
    FROM generate_series(10, 130, 10) load),
woken AS (SELECT side, sn, d, min(no) AS no FROM run, unnest(device_nos) d GROUP BY side, sn, d),
awake AS (SELECT c.load, w.side, w.sn, count(*) AS gpus FROM checkpoint c JOIN woken w ON w.no <= c.no GROUP BY 1, 2, 3),
cores AS (SELECT c.load, r.side, r.sn, sum(r.cpu_milli) AS cpu_milli FROM checkpoint c JOIN run r ON r.no <= c.no GROUP BY 1, 2, 3),
taken AS (SELECT load, side, sn, coalesce(gpus, 0) AS awake, cpu_milli FROM cores LEFT JOIN awake USING (load, side, sn)),
placed AS (SELECT c.load, r.side, sum(a.demand) AS used FROM checkpoint c JOIN run r ON r.no <= c.no JOIN arrival a ON a.no = r.no GROUP BY 1, 2)
SELECT s.side, c.load, sum(coalesce(t.awake, 0) * w.busy + (n.gpu - coalesce(t.awake, 0)) * w.idle + sockets * 15
        + ceil((cores - floor((n.cpu_milli - coalesce(t.cpu_milli, 0)) / 2000)) / 16) * 105),
    max(p.used)
FROM checkpoint c CROSS JOIN (VALUES ('reference'), ('policy')) s (side)
CROSS JOIN (SELECT *, ceil(cpu_milli / 2000.0) AS cores, ceil(ceil(cpu_milli / 2000.0) / 16) AS sockets FROM node) n
JOIN watts w USING (model) LEFT JOIN taken t ON t.load = c.load AND t.side = s.side AND t.sn = n.sn
JOIN placed p ON p.load = c.load AND p.side = s.side
GROUP BY s.side, c.load;

SELECT format('%-8s %-45s saved %5s %% (%s), allocated %6s %% beside %s %%%s', :'trace',
    translate(current_setting('bench.policy'), '{":}', '') || CASE :'solver' WHEN 'greedy' THEN '' ELSE ', ' || :'solver' END,
    round(saved, 2), by_load, round(allocated, 2), round(reference, 2),
    CASE WHEN saved < nullif(:'wanted', '')::numeric OR allocated < nullif(:'allocated', '')::numeric
         THEN format(': missed, wanted %s %% and %s %%', :'wanted', coalesce(nullif(:'allocated', ''), 'any')) END)
FROM (SELECT avg(100 * (1 - p.watts / r.watts)) FILTER (WHERE load <= 80)::numeric AS saved,
        string_agg(round((100 * (1 - p.watts / r.watts))::numeric, 1)::text, ' ' ORDER BY load) FILTER (WHERE load <= 80) AS by_load,
        100.0 * max(p.used) / (SELECT 1000 * sum(gpu) FROM node) AS allocated,
        100.0 * max(r.used) / (SELECT 1000 * sum(gpu) FROM node) AS reference
    FROM curve p JOIN curve r USING (load) WHERE p.side = 'policy' AND r.side = 'reference') x;
