-- What placing one workload costs on a fleet of some size: each call of
-- schedule() in a transaction of its own, with its commit. The fleet has 100
-- kinds of hardware.
--
-- variables: workers, calls, loads (1: every worker reports a load and a
-- temperature of its own, and some warm up; 0: all idle, so all tied)
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
SET synchronous_commit = on;

SELECT set_config('bench.workers', :'workers', false), set_config('bench.calls', :'calls', false) \g /dev/null
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = 'bench' \g /dev/null
SELECT hwsched.create_pool('bench') \g /dev/null
CREATE TEMP TABLE took (what text, us float8);

CREATE OR REPLACE PROCEDURE pg_temp.prepare() LANGUAGE plpgsql AS $$
DECLARE
    n int := current_setting('bench.workers');
    began timestamptz := clock_timestamp();
BEGIN
    PERFORM hwsched.register_worker('worker-' || lpad(i::text, 7, '0'),
        format('{"cpu_cores": %s, "available_memory": %s, "supported_backends": ["cpu", "cuda"]}', 8 + i % 10, 200 + i / 10 % 10)::jsonb, 'bench')
    FROM generate_series(1, n) i;
    INSERT INTO took VALUES ('register', 1e6 * extract(epoch FROM clock_timestamp() - began) / n);
END $$;

CREATE OR REPLACE PROCEDURE pg_temp.report() LANGUAGE plpgsql AS $$
DECLARE
    n int := current_setting('bench.workers');
    began timestamptz := clock_timestamp();
BEGIN
    PERFORM setseed(0.5);
    PERFORM hwsched.update_load('worker-' || lpad(i::text, 7, '0'),
        jsonb_build_object('cpu_utilization', random() * 100, 'memory_utilization', random() * 100, 'gpu_utilization', random() * 100,
                           'temperature', random()), 'bench')
    FROM generate_series(1, n) i;
    INSERT INTO took VALUES ('report', 1e6 * extract(epoch FROM clock_timestamp() - began) / n);
    PERFORM hwsched.start_warming('worker-' || lpad(i::text, 7, '0'), '10 minutes', 'bench') FROM generate_series(1, n, 10) i;
END $$;

CREATE OR REPLACE PROCEDURE pg_temp.calls() LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz;
    placed int;
BEGIN
    PERFORM hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'test-' || i,
        'test_type', (ARRAY['vision', 'nlp', 'audio', 'training', 'inference'])[1 + i % 5],
        'minimum_memory', i % 20 / 10.0, 'expected_duration', 60, 'priority', 1 + i % 5))
        FROM generate_series(1, current_setting('bench.calls')::int) i), 'bench');
    COMMIT;
    FOR i IN 1 .. current_setting('bench.calls')::int LOOP
        began := clock_timestamp();
        SELECT count(*) INTO placed FROM hwsched.schedule('test-' || i, 'bench');
        COMMIT;
        -- the first ones plan the statements
        IF i > 20 THEN
            INSERT INTO took VALUES ('schedule', 1e6 * extract(epoch FROM clock_timestamp() - began));
        END IF;
        IF placed <> 1 THEN
            RAISE EXCEPTION 'test-% was not placed', i;
        END IF;
    END LOOP;
END $$;

CALL pg_temp.prepare();
\if :loads
CALL pg_temp.report();
\endif
-- as autovacuum does within minutes of so many reports
VACUUM hwsched.worker_load, hwsched.worker_usage, hwsched.device_usage;
CALL pg_temp.calls();

SELECT format('%7s workers, %s: schedule p50 %7s us, p99 %7s us; register %s us%s', :workers,
              CASE :loads WHEN 1 THEN 'loaded' ELSE 'idle  ' END, round(p50), round(p99), round(registered), '; report ' || round(reported) || ' us')
FROM (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY us) FILTER (WHERE what = 'schedule') AS p50,
             percentile_cont(0.99) WITHIN GROUP (ORDER BY us) FILTER (WHERE what = 'schedule') AS p99,
             max(us) FILTER (WHERE what = 'register') AS registered, max(us) FILTER (WHERE what = 'report') AS reported FROM took) t;
SELECT hwsched.drop_pool('bench') \g /dev/null
