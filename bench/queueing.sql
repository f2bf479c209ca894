-- A pool over simulated time: work arrives, runs for as long as it does, and is
-- decided on whenever something has ended or come.  The clock is moved by moving
-- what is live, pending and reserved into the past, so hours pass in seconds.
-- waiting.sql and tenants.sql fill pg_temp.arrival and ask what became of it.
CREATE TEMP TABLE arrival (id text PRIMARY KEY, class text, at float8, seconds float8, requirements jsonb, submitted boolean DEFAULT false);
CREATE TEMP TABLE run (id text PRIMARY KEY, assignment_id bigint, worker_id text, started float8, ends float8, done boolean DEFAULT false);

-- n workers of so many GPUs each, and nothing learned or left of another scenario
CREATE PROCEDURE pg_temp.begin(settings jsonb, n int, gpus int) LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM hwsched.pool WHERE pool = 'bench_queueing') THEN PERFORM hwsched.drop_pool('bench_queueing'); END IF;
    PERFORM hwsched.create_pool('bench_queueing', '{"max_concurrent": 100, "offline_after": "1 day", "lease": "1 day", "load_ttl": "1 day", "notify": false}' || settings);
    PERFORM hwsched.register_worker('worker-' || i, jsonb_build_object('cpu_cores', 64, 'available_memory', 512, 'supported_backends', '["cuda"]'::jsonb,
        'available_accelerators', jsonb_build_object('gpu', gpus)), 'bench_queueing') FROM generate_series(1, n) i;
    TRUNCATE pg_temp.run;
    UPDATE pg_temp.arrival SET submitted = false;
END $$;

-- Lets the time pass up to the horizon.
CREATE PROCEDURE pg_temp.pass(horizon float8) LANGUAGE plpgsql AS $$
DECLARE
    now_at float8 := 0;
    next_at float8;
    step interval;
    due bigint[];
BEGIN
    LOOP
        SELECT min(e) INTO next_at FROM (SELECT min(a.at) AS e FROM pg_temp.arrival a WHERE NOT submitted
                                      UNION ALL SELECT min(ends) FROM pg_temp.run WHERE NOT done) e;
        EXIT WHEN next_at IS NULL OR next_at > horizon;
        step := make_interval(secs => next_at - now_at);
        now_at := next_at;
        UPDATE hwsched.assignment SET assigned_at = assigned_at - step, started_at = started_at - step WHERE pool = 'bench_queueing' AND finished_at IS NULL;
        UPDATE hwsched.pending SET submitted_at = submitted_at - step WHERE pool = 'bench_queueing';
        UPDATE hwsched.reserved_place SET starts_at = starts_at - step, backfill_until = backfill_until - step WHERE pool = 'bench_queueing';
        SELECT array_agg(assignment_id) INTO due FROM pg_temp.run WHERE NOT done AND ends <= now_at;
        IF due IS NOT NULL THEN
            PERFORM hwsched.complete_many(due, 'bench_queueing');
            UPDATE pg_temp.run SET done = true WHERE assignment_id = ANY (due);
        END IF;
        PERFORM hwsched.submit_many(jsonb_agg(requirements || jsonb_build_object('test_id', id, 'timeout', 1000000) ORDER BY a.at, id), 'bench_queueing')
        FROM pg_temp.arrival a WHERE NOT submitted AND a.at <= now_at HAVING count(*) > 0;
        UPDATE pg_temp.arrival a SET submitted = true WHERE NOT submitted AND a.at <= now_at;
        COMMIT;
        PERFORM hwsched.assign_pending(pool => 'bench_queueing');
        COMMIT;
        INSERT INTO pg_temp.run SELECT c.workload_id, c.assignment_id, c.worker_id, now_at, now_at + a.seconds
        FROM hwsched.worker w, hwsched.claim(w.worker_id, 100, false, 'bench_queueing') c JOIN pg_temp.arrival a ON a.id = c.workload_id
        WHERE w.pool = 'bench_queueing';
        COMMIT;
    END LOOP;
END $$;
