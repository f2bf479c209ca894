-- Running unattended: a loop of its own, and pg_cron. All of this runs as its
-- caller.

-- It commits, so it cannot set its own search path: every name says its schema.
CREATE PROCEDURE hwsched.run_loop(duration interval, tick interval, pool text DEFAULT 'default')
    LANGUAGE plpgsql AS $$
DECLARE
    ends pg_catalog.timestamptz := pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) duration;
    next_tick pg_catalog.timestamptz := pg_catalog.clock_timestamp();
    behind interval;
BEGIN
    IF (duration OPERATOR(pg_catalog.>=) '0'::interval) IS NOT TRUE THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = pg_catalog.format('invalid value for "duration": %s', coalesce(duration::pg_catalog.text, 'NULL')),
            DETAIL = 'Expected an interval that is not negative.';
    END IF;
    IF (tick OPERATOR(pg_catalog.>=) '10 milliseconds'::interval) IS NOT TRUE THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = pg_catalog.format('invalid value for "tick": %s', coalesce(tick::pg_catalog.text, 'NULL')),
            DETAIL = 'Expected an interval of at least 10 ms.';
    END IF;
    LOOP
        BEGIN
            PERFORM hwsched.maintain(pool);
            PERFORM hwsched.assign_pending(NULL, pool);
        EXCEPTION
            -- the pool has been dropped, or never was there
            WHEN no_data_found THEN
                RAISE;
            -- what another transaction is to blame for is tried again
            WHEN OTHERS THEN
                RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = pg_catalog.format('pool "%s": %s', pool, SQLERRM),
                    HINT = 'The loop goes on with its next tick.';
        END;
        COMMIT;
        -- the next tick that is still to come; what was missed is not made up for
        behind := pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) next_tick;
        next_tick := next_tick OPERATOR(pg_catalog.+) (tick OPERATOR(pg_catalog.*)
            (pg_catalog.floor(extract(epoch FROM behind) OPERATOR(pg_catalog./) extract(epoch FROM tick)) OPERATOR(pg_catalog.+) 1)::pg_catalog.float8);
        EXIT WHEN next_tick OPERATOR(pg_catalog.>) ends;
        PERFORM pg_catalog.pg_sleep(extract(epoch FROM (next_tick OPERATOR(pg_catalog.-) pg_catalog.clock_timestamp()))::pg_catalog.float8);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE hwsched.run_loop(interval, interval, text) IS 'For so long, calls maintain() and assign_pending() each tick and commits: CALL hwsched.run_loop(''55 s'', ''1 s'') each minute dispatches each second. An error of a tick is a warning; a cancel ends the loop.';

CREATE FUNCTION hwsched.unschedule_jobs(pool text DEFAULT 'default') RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    jobs bigint;
BEGIN
    IF to_regprocedure('cron.unschedule(bigint)') IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'pg_cron is not installed in this database',
            HINT = 'Add it to shared_preload_libraries and CREATE EXTENSION pg_cron, or CALL hwsched.run_loop() from elsewhere.';
    END IF;
    EXECUTE 'SELECT count(cron.unschedule(jobid)) FROM cron.job WHERE jobname = $1 AND username = current_user'
        INTO jobs USING concat('hwsched ', pool);
    RETURN jobs > 0;
END
$$;
COMMENT ON FUNCTION hwsched.unschedule_jobs(text) IS 'Ends what schedule_jobs() began; returns whether there was anything.';

CREATE FUNCTION hwsched.schedule_jobs(every text DEFAULT '1 minute', pool text DEFAULT 'default') RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts text[] := regexp_match(lower(every), '^\s*(\d{1,4})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hours?)\s*$');
    n int := parts[1];
    unit text := left(parts[2], 1);
    cron text;
    command text := format('SELECT hwsched.maintain(%1$L), hwsched.assign_pending(NULL, %1$L)', pool);
    job_id bigint;
BEGIN
    -- raises an error for an unknown pool
    PERFORM hwsched.pool_settings(pool);
    cron := CASE
        WHEN parts IS NULL THEN every
        WHEN unit = 's' AND n BETWEEN 1 AND 59 THEN '* * * * *'
        WHEN unit = 'm' AND n BETWEEN 1 AND 59 AND 60 % greatest(n, 1) = 0 THEN format('*/%s * * * *', n)
        WHEN unit = 'h' AND n BETWEEN 1 AND 23 AND 24 % greatest(n, 1) = 0 THEN format('0 */%s * * *', n)
    END;
    IF cron IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('invalid value for "every": "%s"', every),
            DETAIL = 'Expected 1 to 59 seconds, minutes that divide an hour, hours that divide a day, or a schedule of cron.';
    END IF;
    IF unit = 's' THEN
        -- cron itself knows no seconds
        command := format('CALL hwsched.run_loop(''55 s'', ''%s s'', %L)', n, pool);
    END IF;
    PERFORM hwsched.unschedule_jobs(pool);
    EXECUTE 'SELECT cron.schedule($1, $2, $3)' INTO job_id USING concat('hwsched ', pool), cron, command;
    RETURN job_id;
END
$$;
COMMENT ON FUNCTION hwsched.schedule_jobs(text, text) IS 'Has pg_cron call maintain() and assign_pending() so often (1 minute, 10 seconds, or a schedule of cron), as the caller; returns the id of the job, which replaces an earlier one.';
