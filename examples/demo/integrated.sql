-- All of it, from registering to the report: three workers run three dozen tests of a
-- second or a few, with warm-ups, reports of their load, and a test that fails
-- once. The durations are real, so that the report's predictions are judged by them.
--
-- Run it in the top directory: psql -X -q -v ON_ERROR_STOP=1 -f examples/demo/integrated.sql
\set pool demo_integrated
\pset pager off
\pset footer off
\pset null '-'
SET client_min_messages = warning;

\o /dev/null
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = :'pool';
SELECT hwsched.create_pool(:'pool', '{"max_concurrent": 2, "retry_backoff": "0 s"}');

-- register
SELECT hwsched.register_worker('server-1', '{"cpu_cores": 32, "available_memory": 128, "supported_backends": ["cpu"]}', pool => :'pool');
SELECT hwsched.register_worker('gpu-1', '{"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 2}}', pool => :'pool');
SELECT hwsched.register_worker('phone-1', '{"cpu_cores": 8, "available_memory": 8, "supported_backends": ["qnn"]}', pool => :'pool');
SELECT hwsched.start_warming('gpu-1', '4 s', pool => :'pool');

-- submit
SELECT hwsched.submit_many((
  SELECT jsonb_agg(jsonb_build_object('test_id', format('%s-%s', t.word, i), 'test_type', t.word, 'expected_duration', 4 + 5 * i % 20) ORDER BY i, t.word)
  FROM unnest('{vision,nlp,inference,audio}'::text[]) AS t (word), generate_series(1, 9) AS i), pool => :'pool');

-- run: what is claimed takes about as long as predicted, a CPU longer. One step is
-- what a tick of coordinator and workers would do.
CREATE TEMP TABLE job (assignment_id bigint, workload_id text, worker_id text, ends_at timestamptz, fails boolean);
CREATE PROCEDURE pg_temp.step(pool text) LANGUAGE plpgsql AS $$
DECLARE
  ended record;
BEGIN
  FOR ended IN DELETE FROM job WHERE ends_at <= clock_timestamp() RETURNING * LOOP
    IF ended.fails THEN
      PERFORM hwsched.fail(ended.assignment_id, 'exit status 1', pool => step.pool);
    ELSE
      PERFORM hwsched.complete(ended.assignment_id, '{"passed": true}', pool => step.pool);
    END IF;
  END LOOP;
  PERFORM hwsched.maintain(pool => step.pool);
  PERFORM hwsched.assign_pending(pool => step.pool);
  INSERT INTO job
  SELECT c.assignment_id, c.workload_id, c.worker_id,
         clock_timestamp() + c.predicted_seconds * (0.7 + 0.6 * random()) * CASE WHEN c.worker_id = 'phone-1' THEN 1.6 ELSE 1 END * interval '1 s',
         c.workload_id = 'nlp-2' AND c.attempt = 1
  FROM hwsched.worker w CROSS JOIN LATERAL hwsched.claim(w.worker_id, 10, pool => w.pool) c WHERE w.pool = step.pool;
  PERFORM hwsched.update_load(w.worker_id, jsonb_build_object('cpu_utilization', least(95, 10 + 15 * w.jobs), 'memory_utilization', 20 + 8 * w.jobs,
            'gpu_utilization', least(95, 20 * w.jobs), 'io_utilization', 5 + 3 * w.jobs, 'network_utilization', 4, 'temperature', least(0.9, 0.2 + 0.12 * w.jobs)), pool => step.pool)
  FROM (SELECT w.worker_id, count(j.assignment_id) AS jobs FROM hwsched.worker w LEFT JOIN job j ON j.worker_id = w.worker_id
        WHERE w.pool = step.pool GROUP BY w.worker_id) w;
  COMMIT;
  PERFORM pg_sleep(0.25);
END;
$$;
CREATE PROCEDURE pg_temp.run(pool text) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. 240 LOOP
    CALL pg_temp.step(run.pool);
    EXIT WHEN NOT EXISTS (SELECT FROM job) AND NOT EXISTS (SELECT FROM hwsched.pending q WHERE q.pool = run.pool);
  END LOOP;
END;
$$;
SELECT setseed(0.2);
CALL pg_temp.run(:'pool');
\o

\echo
\echo Three workers have run 36 tests: registered, submitted, placed, claimed, completed, one after a retry.
\echo
SELECT worker_id AS worker, workload_type AS type, count(*) AS completed, round(avg(predicted_seconds)::numeric, 1) AS predicted_s, round(avg(actual_seconds)::numeric, 1) AS actual_s
FROM hwsched.execution_times WHERE pool = :'pool' GROUP BY 1, 2 ORDER BY 1, 2;
\echo What was learned of them: above 0.5, faster than predicted.
\echo
SELECT worker_id AS worker, workload_type AS type, round(preference::numeric, 2) AS preference, samples, successes, failures
FROM hwsched.preference WHERE pool = :'pool' ORDER BY 1, 2;
SELECT workers, completed, dead, pending, round(efficiency_ratio::numeric, 2) AS efficiency_ratio FROM hwsched.pool_summary WHERE pool = :'pool';

DO $$ BEGIN
  IF (SELECT count(*) FILTER (WHERE state = 'completed') <> 36 FROM hwsched.workload WHERE pool = 'demo_integrated')
     OR (SELECT count(*) <> 1 FROM hwsched.assignment WHERE pool = 'demo_integrated' AND state = 'failed') THEN
    RAISE EXCEPTION 'not all tests were completed, or the retry is missing';
  END IF;
END $$;
