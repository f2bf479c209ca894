-- The openb cluster of Alibaba's cluster-trace-gpu-v2023 (data/openb), placed by
-- hwsched: its nodes are registered, its tasks submitted in the order in which
-- they arrived, and all of them placed in one batch.
--
-- Run it in the top directory: psql -X -q -v ON_ERROR_STOP=1 -f examples/demo/openb.sql
\set pool demo_openb
\pset pager off
\pset footer off
\pset null '-'
SET client_min_messages = warning;

-- The result of a call that returns nothing is nothing to look at.
\o /dev/null
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = :'pool';
-- What limits CPU work on a node is cores and memory, so slots are plenty.
SELECT hwsched.create_pool(:'pool', '{"max_concurrent": 1000}');
\o

CREATE TEMP TABLE node (sn text PRIMARY KEY, cpu_milli bigint, memory_mib bigint, gpu int, model text);
CREATE TEMP TABLE task (
  name text PRIMARY KEY, cpu_milli bigint, memory_mib bigint, num_gpu int, gpu_milli int, gpu_spec text, qos text,
  pod_phase text, creation_time bigint, deletion_time bigint, scheduled_time bigint);
CREATE TEMP TABLE timing (no int GENERATED ALWAYS AS IDENTITY, step text, things bigint, seconds float8);
\copy node FROM 'data/openb/openb_node_list_gpu_node.csv' CSV HEADER
\copy task FROM 'data/openb/openb_pod_list_default.csv' CSV HEADER
ALTER TABLE node ADD no int;
UPDATE node SET no = n.no FROM (SELECT sn, row_number() OVER (ORDER BY sn) AS no FROM node) n WHERE n.sn = node.sn;
ALTER TABLE task ADD no int;
UPDATE task SET no = t.no FROM (SELECT name, row_number() OVER (ORDER BY creation_time, name) AS no FROM task) t
WHERE t.name = task.name;
ANALYZE node;
ANALYZE task;

-- What the vendor publishes of the models that the trace names; G1 to G3 are
-- the trace's own names for models it does not disclose.
CREATE TEMP TABLE gpu_model (model text PRIMARY KEY, memory_gb int, tdp_w int);
INSERT INTO gpu_model VALUES ('P100', 16, 250), ('V100M16', 16, 300), ('V100M32', 32, 300), ('T4', 16, 70), ('A10', 24, 150);

-- Nodes and tasks as the documents that hwsched takes.
CREATE TEMP VIEW node_document AS
SELECT n.no, n.sn, jsonb_build_object(
         'cpu_cores', n.cpu_milli / 1000.0,
         'available_memory', n.memory_mib / 1024.0,
         'supported_backends', '["cpu", "cuda"]'::jsonb,
         'available_accelerators', jsonb_build_object('gpu', n.gpu),
         'devices', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
           'hardware_class', 'gpu', 'architecture', 'gpu_cuda', 'vendor', 'nvidia', 'model_name', n.model, 'count', n.gpu,
           'supported_backends', '["cuda"]'::jsonb, 'compute_units', 80,
           'memory_total_bytes', m.memory_gb * 2::bigint ^ 30, 'thermal_design_power_w', m.tdp_w)))) AS document
FROM node n LEFT JOIN gpu_model m USING (model);

-- A task without a GPU asks for a CPU, so that it does not sit on a GPU. How
-- long it ran in the trace stands for how long its submitter expects. The trace
-- has no priorities; its quality of service stands for one, as it is meant:
-- who is sensitive to latency comes before best effort.
CREATE TEMP VIEW task_document AS
SELECT t.no, t.name, jsonb_strip_nulls(jsonb_build_object(
         'test_id', t.name,
         'test_type', 'training',
         'cpu_cores', t.cpu_milli / 1000.0,
         'host_memory', t.memory_mib / 1024.0,
         'required_backend', CASE WHEN t.num_gpu = 0 THEN 'cpu' END,
         'required_accelerators', CASE WHEN t.num_gpu > 0 THEN jsonb_build_object('gpu', t.num_gpu) END,
         'accelerator_share', CASE WHEN t.num_gpu = 1 AND t.gpu_milli < 1000 THEN t.gpu_milli / 1000.0 END,
         'required_models', to_jsonb(string_to_array(t.gpu_spec, '|')),
         'expected_duration', CASE WHEN t.deletion_time > t.scheduled_time THEN t.deletion_time - t.scheduled_time END,
         'priority', CASE t.qos WHEN 'Guaranteed' THEN 2 WHEN 'LS' THEN 2 WHEN 'Burstable' THEN 3 WHEN 'BE' THEN 4 END,
         'labels', jsonb_build_object('qos', t.qos))) AS document
FROM task t;

-- What tasks ask for, in words.
CREATE TEMP VIEW shape AS
SELECT t.*, num_gpu * gpu_milli / 1000.0 AS gpus,
       CASE WHEN num_gpu = 0 THEN 'no GPU' WHEN num_gpu = 1 AND gpu_milli < 1000 THEN 'a share of a GPU'
            WHEN num_gpu = 1 THEN '1 GPU' ELSE num_gpu || ' GPUs' END AS asks_for,
       CASE qos WHEN 'LS' THEN 'latency sensitive' WHEN 'BE' THEN 'best effort' ELSE lower(qos) END AS service
FROM task t;

\echo
\echo The cluster. What is published of a GPU goes into its profile; G1 to G3 are models the trace does not disclose.
\echo
SELECT n.model AS gpu, count(*) AS nodes, sum(n.gpu) AS gpus,
       CASE WHEN min(n.gpu) < max(n.gpu) THEN min(n.gpu) || ' to ' ELSE '' END || max(n.gpu) AS per_node,
       (sum(n.cpu_milli) / 1000)::bigint AS cores, round(sum(n.memory_mib) / 1048576, 1) AS memory_tb,
       m.memory_gb AS gpu_memory_gb, m.tdp_w AS gpu_watts
FROM node n LEFT JOIN gpu_model m USING (model) GROUP BY n.model, m.memory_gb, m.tdp_w ORDER BY gpus DESC;

\echo The work. The trace has no priorities: guaranteed ones and those for latency are made 2, burstable ones 3, best effort 4.
\echo
SELECT asks_for, count(*) AS tasks, round(sum(gpus)) AS gpus, (sum(cpu_milli) / 1000)::bigint AS cores,
       round(sum(memory_mib) / 1048576, 1) AS memory_tb,
       count(*) FILTER (WHERE qos IN ('LS', 'Guaranteed')) AS "priority 2",
       count(*) FILTER (WHERE qos = 'Burstable') AS "priority 3",
       count(*) FILTER (WHERE qos = 'BE') AS "priority 4"
FROM shape GROUP BY asks_for, num_gpu ORDER BY num_gpu, asks_for DESC;

\echo Registering the nodes, one register_worker() each:
PREPARE register(int, int) AS
SELECT format('  %s of %s nodes', $1 - 1 + count(registered), (SELECT count(*) FROM node))
FROM (SELECT hwsched.register_worker(sn, document, pool => :'pool')::text AS registered
      FROM node_document WHERE no BETWEEN $1 AND $2 ORDER BY no) done;
\pset tuples_only on
\pset format unaligned
SELECT clock_timestamp() AS started \gset
SELECT format('EXECUTE register(%s, %s)', no, no + 249) FROM generate_series(1, (SELECT count(*) FROM node), 250) no \gexec
INSERT INTO timing (step, things, seconds)
SELECT 'register the nodes', count(*), extract(epoch FROM clock_timestamp() - :'started') FROM node;

\echo
\echo Submitting the tasks, a thousand to a submit_many():
PREPARE submit(int, int) AS
SELECT format('  %s of %s tasks', $1 - 1 + sum(submitted), (SELECT count(*) FROM task))
FROM (SELECT hwsched.submit_many(jsonb_agg(document ORDER BY no), pool => :'pool') AS submitted
      FROM task_document WHERE no BETWEEN $1 AND $2) done;
SELECT clock_timestamp() AS started \gset
SELECT format('EXECUTE submit(%s, %s)', no, no + 999) FROM generate_series(1, (SELECT count(*) FROM task), 1000) no \gexec
INSERT INTO timing (step, things, seconds)
SELECT 'submit the tasks', count(*), extract(epoch FROM clock_timestamp() - :'started') FROM task;

\pset format aligned
\pset tuples_only off
\echo
\echo What would be placed under which policy and solver? plan_pending() decides and writes nothing.
\echo
CREATE TEMP TABLE plan (no int GENERATED ALWAYS AS IDENTITY, policy jsonb, solver text, tasks bigint, gpus numeric, seconds numeric);
CREATE PROCEDURE pg_temp.try_plan(pool_name text, in_policy jsonb, in_solver text) LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz;
BEGIN
    PERFORM hwsched.alter_pool(pool_name, jsonb_build_object('policy', in_policy, 'solver', in_solver));
    started := clock_timestamp();
    INSERT INTO plan (policy, solver, tasks, gpus)
    SELECT in_policy, in_solver, count(*), sum(s.gpus)
    FROM hwsched.plan_pending(pool => pool_name) p JOIN shape s ON s.name = p.workload_id;
    UPDATE plan SET seconds = extract(epoch FROM clock_timestamp() - started) WHERE plan.seconds IS NULL;
END $$;
CALL pg_temp.try_plan(:'pool', '{"hardware_aware": 1}', 'greedy');
CALL pg_temp.try_plan(:'pool', '{"packing": 1}', 'greedy');
CALL pg_temp.try_plan(:'pool', '{"fragmentation": 1}', 'greedy');
CALL pg_temp.try_plan(:'pool', '{"filling": 1}', 'greedy');
CALL pg_temp.try_plan(:'pool', '{"filling": 1}', 'optimal');
SELECT policy, solver, tasks AS tasks_placed, round(gpus, 1) AS gpus, round(100 * gpus / (SELECT sum(gpu) FROM node), 1) AS "% of gpus",
       round(seconds, 2) AS seconds FROM plan ORDER BY no;
\pset tuples_only on
\pset format unaligned

\echo Placing them all as the last one planned, one assign_pending():
SELECT clock_timestamp() AS started \gset
SELECT hwsched.assign_pending(pool => :'pool') AS placed \gset
INSERT INTO timing (step, things, seconds)
SELECT 'place the tasks', count(*), extract(epoch FROM clock_timestamp() - :'started') FROM task;
SELECT format('  %s of %s tasks placed, %s left in the queue', :'placed', count(*), count(*) - :'placed'::int) FROM task;
\pset format aligned
\pset tuples_only off

-- Where every task is, from the assignments alone.
CREATE TEMP TABLE placement AS
SELECT t.*, a.worker_id, a.device_nos, a.worker_id IS NOT NULL AS placed
FROM shape t LEFT JOIN hwsched.assignment a ON a.pool = :'pool' AND a.workload_id = t.name;
ANALYZE placement;

\echo
\echo GPU allocation: what the placed tasks hold, of what there is and of what was asked for.
\echo
SELECT n.gpus AS gpus, round(p.demanded, 1) AS demanded, round(p.allocated, 1) AS allocated,
       round(100 * p.allocated / n.gpus, 1) AS "% of gpus", round(100 * p.allocated / p.demanded, 1) AS "% of demanded",
       p.placed AS tasks_placed, p.waiting AS tasks_not_placed
FROM (SELECT sum(gpu) AS gpus FROM node) n,
     (SELECT sum(gpus) AS demanded, sum(gpus) FILTER (WHERE placed) AS allocated,
             count(*) FILTER (WHERE placed) AS placed, count(*) FILTER (WHERE NOT placed) AS waiting FROM placement) p;

\echo By what they ask for, and by their quality of service:
\echo
SELECT asks_for, count(*) AS tasks, count(*) FILTER (WHERE placed) AS placed, count(*) FILTER (WHERE NOT placed) AS not_placed,
       trunc(100.0 * count(*) FILTER (WHERE placed) / count(*), 1) AS "% placed"
FROM placement GROUP BY asks_for, num_gpu ORDER BY num_gpu, asks_for DESC;
SELECT service, count(*) AS tasks, count(*) FILTER (WHERE placed) AS placed, count(*) FILTER (WHERE NOT placed) AS not_placed,
       trunc(100.0 * count(*) FILTER (WHERE placed) / count(*), 1) AS "% placed"
FROM placement GROUP BY service ORDER BY tasks DESC;

\echo Not placed, by reason. The reason is what the node that comes closest lacks.
\echo
SELECT w.reason, p.asks_for, count(*) AS tasks, round(sum(p.gpus), 1) AS gpus
FROM hwsched.pending_workloads w JOIN placement p ON p.name = w.workload_id
WHERE w.pool = :'pool' GROUP BY w.reason, p.asks_for ORDER BY tasks DESC, w.reason, p.asks_for;

-- What the placed tasks hold of every GPU and node, by the trace.
CREATE TEMP TABLE gpu_held AS
SELECT p.worker_id, d.device_no, sum(p.gpu_milli) AS milli
FROM placement p CROSS JOIN unnest(p.device_nos) AS d (device_no) WHERE p.num_gpu > 0 GROUP BY p.worker_id, d.device_no;
ANALYZE gpu_held;
CREATE TEMP TABLE node_held AS
SELECT n.*, coalesce(p.cpu, 0) AS cpu_held, coalesce(p.memory, 0) AS memory_held, coalesce(p.tasks, 0) AS tasks,
       n.gpu - coalesce(g.touched, 0) AS gpus_empty, coalesce(g.touched - g.milli / 1000, 0) AS left_over,
       CASE WHEN n.gpu > coalesce(g.touched, 0) THEN 1000 ELSE g.largest END AS largest_share
FROM node n
LEFT JOIN (SELECT worker_id, sum(cpu_milli) AS cpu, sum(memory_mib) AS memory, count(*) AS tasks
           FROM placement WHERE placed GROUP BY worker_id) p ON p.worker_id = n.sn
LEFT JOIN (SELECT worker_id, count(*) AS touched, max(1000 - milli) AS largest, sum(milli) AS milli FROM gpu_held GROUP BY worker_id) g ON g.worker_id = n.sn;
ANALYZE node_held;

\echo By GPU model. What is idle is whole GPUs, or what shares have left of theirs.
\echo
SELECT n.model AS gpu, sum(n.gpu) AS gpus, round(sum(n.gpu) - sum(n.gpus_empty) - sum(n.left_over), 1) AS allocated,
       trunc(100 - 100 * (sum(n.gpus_empty) + sum(n.left_over)) / sum(n.gpu), 1) AS "% of gpus",
       sum(n.gpus_empty) AS idle_whole, round(sum(n.left_over), 1) AS idle_left_over,
       round(100 * sum(n.cpu_held) / sum(n.cpu_milli), 1) AS "% of cores", sum(n.tasks) AS tasks
FROM node_held n GROUP BY n.model ORDER BY gpus DESC;

-- The rules, checked from the trace and the assignments, not from what the
-- scheduler believes. Each row counts what was looked at and what breaks it.
CREATE TEMP TABLE verdict (no int GENERATED ALWAYS AS IDENTITY, rule text, checked bigint, broken bigint);
INSERT INTO verdict (rule, checked, broken)
SELECT 'every node is registered with its GPUs', count(*), count(*) FILTER (WHERE n.gpu IS DISTINCT FROM d.gpus)
FROM node n LEFT JOIN (SELECT d.worker_id, count(*) AS gpus FROM hwsched.device d JOIN hwsched.device_profile p USING (pool, profile_id)
                       WHERE d.pool = :'pool' AND p.hardware_class = 'gpu' GROUP BY d.worker_id) d ON d.worker_id = n.sn;
INSERT INTO verdict (rule, checked, broken)
SELECT 'every task is either placed once or in the queue once', count(*), count(*) FILTER (WHERE found IS DISTINCT FROM 1)
FROM task t LEFT JOIN (SELECT workload_id, count(*) AS found
                       FROM (SELECT workload_id FROM hwsched.assignment WHERE pool = :'pool'
                             UNION ALL SELECT workload_id FROM hwsched.pending WHERE pool = :'pool') w
                       GROUP BY workload_id) w ON w.workload_id = t.name;
INSERT INTO verdict (rule, checked, broken)
SELECT 'no node gives more cores or memory than it has', count(*), count(*) FILTER (WHERE cpu_held > cpu_milli OR memory_held > memory_mib)
FROM node_held;
INSERT INTO verdict (rule, checked, broken)
SELECT 'no GPU is given out more than once', count(*), count(*) FILTER (WHERE milli > 1000) FROM gpu_held;
INSERT INTO verdict (rule, checked, broken)
SELECT 'each task has as many GPUs as it asks for, of a model it allows', count(*),
       count(*) FILTER (WHERE d.gpus <> p.num_gpu OR NOT (p.gpu_spec IS NULL OR n.model = ANY (string_to_array(p.gpu_spec, '|'))))
FROM placement p JOIN node n ON n.sn = p.worker_id
CROSS JOIN LATERAL (SELECT count(*) AS gpus FROM hwsched.device d JOIN hwsched.device_profile dp USING (pool, profile_id)
                    WHERE d.pool = :'pool' AND d.worker_id = p.worker_id AND d.device_no = ANY (p.device_nos)
                      AND dp.hardware_class = 'gpu') d;
INSERT INTO verdict (rule, checked, broken)
SELECT 'no task in the queue would fit on any node', count(DISTINCT p.name), count(DISTINCT p.name) FILTER (
         WHERE n.cpu_held + p.cpu_milli <= n.cpu_milli AND n.memory_held + p.memory_mib <= n.memory_mib
           AND CASE WHEN p.num_gpu = 0 THEN true WHEN p.gpu_milli < 1000 THEN n.largest_share >= p.gpu_milli
                    ELSE n.gpus_empty >= p.num_gpu END
           AND (p.gpu_spec IS NULL OR n.model = ANY (string_to_array(p.gpu_spec, '|'))))
FROM placement p CROSS JOIN node_held n WHERE NOT p.placed;
INSERT INTO verdict (rule, checked, broken)
SELECT 'what hwsched has booked on a GPU is what its tasks hold', count(*),
       count(*) FILTER (WHERE u.share IS DISTINCT FROM coalesce(g.milli, 0) * 1000)
FROM hwsched.device d JOIN hwsched.device_profile p USING (pool, profile_id)
JOIN hwsched.device_usage u USING (pool, worker_id, device_no)
LEFT JOIN gpu_held g USING (worker_id, device_no) WHERE d.pool = :'pool' AND p.hardware_class = 'gpu';
INSERT INTO verdict (rule, checked, broken)
SELECT 'what hwsched has booked on a node is what its tasks hold', count(*),
       count(*) FILTER (WHERE (u.assignments, u.cpu_millicores, u.host_memory_bytes) IS DISTINCT FROM (n.tasks, n.cpu_held, n.memory_held * 1048576))
FROM node_held n LEFT JOIN hwsched.worker_usage u ON u.pool = :'pool' AND u.worker_id = n.sn;
INSERT INTO verdict (rule, checked, broken)
SELECT 'deciding again places nothing', count(*), hwsched.assign_pending(pool => :'pool') FROM placement WHERE NOT placed;

\echo Are the rules kept? Checked against the trace itself:
\echo
SELECT rule, checked, broken, CASE WHEN broken = 0 THEN 'ok' ELSE 'BROKEN' END AS verdict FROM verdict ORDER BY no;
DO $$ BEGIN
  IF (SELECT count(*) <> 9 OR bool_or(broken <> 0) FROM verdict) THEN RAISE EXCEPTION 'a rule is broken'; END IF;
END $$;

\echo Some of it runs: 200 nodes claim and so start their tasks, 100 of them complete what took an hour at most in the
\echo trace. A demo has no hour to wait, so these runs teach nothing, and what they took in the trace is taught instead;
\echo then the queue gets a turn.
\echo
SELECT clock_timestamp() AS started \gset
CREATE TEMP TABLE ran AS
SELECT n.no, c.assignment_id FROM node n CROSS JOIN LATERAL hwsched.claim(n.sn, 1000, pool => :'pool') c WHERE n.no <= 200;
INSERT INTO timing (step, things, seconds)
SELECT 'claim the tasks of 200 nodes', count(*), extract(epoch FROM clock_timestamp() - :'started') FROM ran;
CREATE TEMP TABLE done AS
SELECT ran.assignment_id, make_interval(secs => t.deletion_time - t.scheduled_time) AS took
FROM ran JOIN hwsched.assignment a ON a.pool = :'pool' AND a.assignment_id = ran.assignment_id
JOIN task t ON t.name = a.workload_id AND t.deletion_time - t.scheduled_time BETWEEN 1 AND 3600
WHERE ran.no <= 100;
SELECT hwsched.alter_pool(:'pool', '{"learning": false}', 'runs that take no time') \g /dev/null
SELECT clock_timestamp() AS started \gset
SELECT hwsched.complete_many(array_agg(assignment_id), pool => :'pool') AS completed FROM done \gset
INSERT INTO timing (step, things, seconds)
VALUES ('complete the tasks of 100 nodes', :completed, extract(epoch FROM clock_timestamp() - :'started'));
-- settles them, before learning goes on
SELECT hwsched.rebalance(0, :'pool') \g /dev/null
SELECT hwsched.alter_pool(:'pool', '{"learning": null}', 'what comes now is from the trace') \g /dev/null
SELECT clock_timestamp() AS started \gset
SELECT hwsched.teach(jsonb_agg(jsonb_build_object(
         'workload_type', 'training', 'device', p.model_name, 'worker_id', a.worker_id,
         'expected_duration', extract(epoch FROM done.took), 'seconds', extract(epoch FROM done.took))
         ORDER BY a.assignment_id), :'pool') AS taught
FROM done JOIN hwsched.assignment a ON a.pool = :'pool' AND a.assignment_id = done.assignment_id
JOIN hwsched.device_profile p ON p.pool = a.pool AND p.profile_id = a.device_profile_id \gset
INSERT INTO timing (step, things, seconds)
VALUES ('teach what they took', :taught, extract(epoch FROM clock_timestamp() - :'started'));
SELECT clock_timestamp() AS started \gset
SELECT hwsched.assign_pending(pool => :'pool') AS placed_now \gset
INSERT INTO timing (step, things, seconds)
SELECT 'place what waited', count(*), extract(epoch FROM clock_timestamp() - :'started') FROM placement WHERE NOT placed;
SELECT :completed AS completed, :placed_now AS then_placed_from_the_queue, count(*) AS still_waiting
FROM hwsched.pending WHERE pool = :'pool';

\echo What the taught runs tell: how long those just placed are expected to take, and took in the trace.
\echo
SELECT a.workload_id, round(a.formula_seconds) AS by_the_formula, round(a.predicted_seconds) AS learned, t.deletion_time - t.scheduled_time AS in_the_trace
FROM hwsched.assignment a JOIN task t ON t.name = a.workload_id AND t.deletion_time > t.scheduled_time
WHERE a.pool = :'pool' AND a.formula_seconds IS NOT NULL ORDER BY a.assignment_id LIMIT 5;

\echo The views for now: the head of each, and of their columns the most telling.
\echo
\echo pool_summary: every pool in one line.
\echo
SELECT workers, devices, accelerators, round(reserved_accelerators::numeric, 1) AS reserved_accelerators,
       pending, assigned, running, completed, round(efficiency_ratio::numeric, 2) AS efficiency_ratio
FROM hwsched.pool_summary WHERE pool = :'pool';
\echo worker_status: every worker, what it has and what it does.
\echo
SELECT worker_id, state, devices, cores, assigned, running, total_assignments, phase, round(silent_seconds::numeric, 1) AS silent_seconds
FROM hwsched.worker_status WHERE pool = :'pool' ORDER BY running DESC, worker_id LIMIT 5;
\echo resource_utilization: what is reserved on every worker, and its load if it reports one; these do not.
\echo
SELECT worker_id, load_ratio, assignments, round(reserved_cores_ratio::numeric, 2) AS reserved_cores_ratio,
       round(reserved_memory_ratio::numeric, 2) AS reserved_memory_ratio,
       round(reserved_accelerators::numeric, 2) AS reserved_accelerators
FROM hwsched.resource_utilization WHERE pool = :'pool' ORDER BY assignments DESC, worker_id LIMIT 5;
\echo hardware_efficiency: how well the hardware suits what was placed on it.
\echo
SELECT worker_id, hardware_class, model_name, workload_type, assignments, round(efficiency_ratio::numeric, 2) AS efficiency_ratio
FROM hwsched.hardware_efficiency WHERE pool = :'pool' ORDER BY worker_id, hardware_class LIMIT 5;
\echo workload_distribution: which hardware the work went to.
\echo
SELECT workload_type, worker_id, hardware_class, state, assignments
FROM hwsched.workload_distribution WHERE pool = :'pool' ORDER BY assignments DESC, worker_id, hardware_class LIMIT 5;
\echo thermal_states: the temperature of every device; the trace has none, so all count as cool.
\echo
SELECT worker_id, device_no, hardware_class, model_name, temperature_ratio, phase, performance_level_ratio
FROM hwsched.thermal_states WHERE pool = :'pool' ORDER BY worker_id, device_no LIMIT 5;
\echo execution_times: predicted and actual duration of what is completed; here it took no time.
\echo
SELECT workload_id, workload_type, worker_id, round(predicted_seconds) AS predicted_seconds,
       round(actual_seconds::numeric, 2) AS actual_seconds, round(start_wait_seconds::numeric, 2) AS start_wait_seconds
FROM hwsched.execution_times WHERE pool = :'pool' ORDER BY workload_id LIMIT 5;
\echo pending_workloads: the queue, in its order, and why each one waits.
\echo
SELECT workload_id, priority, workload_type, reason, round(wait_seconds::numeric, 1) AS wait_seconds,
       round(expected_seconds) AS expected_seconds
FROM hwsched.pending_workloads WHERE pool = :'pool' ORDER BY priority, queue_no LIMIT 5;

\echo Seconds, by the clock of the server:
\echo
SELECT step, things, round(seconds::numeric, 2) AS seconds, round((things / seconds)::numeric) AS per_second FROM timing ORDER BY no;
