-- Running unattended: a loop of its own, and pg_cron. All of this runs as its
-- caller, but the steps of the loop.

CREATE FUNCTION hwsched_internal.recover(pool text DEFAULT 'default') RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_recover';
COMMENT ON FUNCTION hwsched_internal.recover(text) IS
  'The first half of maintain(): takes work back, and tries workers again; true: there is more.';

CREATE FUNCTION hwsched_internal.assign_batch(pool text DEFAULT 'default') RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_assign_batch';
COMMENT ON FUNCTION hwsched_internal.assign_batch(text) IS
  'A batch of assign_pending(); true: the queue has more than one batch decides.';

CREATE FUNCTION hwsched_internal.keep_history(pool text DEFAULT 'default') RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_keep_history';
COMMENT ON FUNCTION hwsched_internal.keep_history(text) IS
  'The second half of maintain(): rolls history up, and deletes what is old; true: there is more.';

CREATE FUNCTION hwsched_internal.note_failure(activity text, error text,
    pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_note_failure';
COMMENT ON FUNCTION hwsched_internal.note_failure(text, text, text) IS
  'Notes the error of a step of run_loop(), for pool_summary.';

CREATE VIEW hwsched_internal.patience AS
SELECT p.pool, max(t.lasts) FILTER (WHERE t.name = 'offline_after') AS offline_after,
       max(t.lasts) FILTER (WHERE t.name = 'load_ttl') AS load_ttl
FROM hwsched.pool p
LEFT JOIN LATERAL (SELECT v.settings FROM hwsched.settings_version v
                   WHERE v.pool = p.pool ORDER BY v.version DESC LIMIT 1) own ON true
CROSS JOIN LATERAL (SELECT s.name, CASE jsonb_typeof(c.chosen)
                                        WHEN 'number' THEN make_interval(secs => c.chosen::float8)
                                        ELSE (c.chosen #>> '{}')::interval END AS lasts
                    FROM hwsched_internal.setting s
                    CROSS JOIN LATERAL (SELECT coalesce(nullif(own.settings -> s.name, 'null'),
                                                        s.default_value) AS chosen) c
                    WHERE s.name IN ('offline_after', 'load_ttl')) t
GROUP BY p.pool;
COMMENT ON VIEW hwsched_internal.patience IS
  'How long each pool waits for a sign of life of its workers.';
COMMENT ON COLUMN hwsched_internal.patience.pool IS 'The pool.';
COMMENT ON COLUMN hwsched_internal.patience.offline_after IS
  'The time without any after which a worker is offline.';
COMMENT ON COLUMN hwsched_internal.patience.load_ttl IS
  'The time for which a report of load counts.';

CREATE FUNCTION hwsched_internal.note_maintained(pools text[]) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_note_maintained';
COMMENT ON FUNCTION hwsched_internal.note_maintained(text[]) IS
  'Notes pools as maintained in which there was nothing to do.';

CREATE FUNCTION hwsched.start_dispatcher() RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_start_dispatcher';
COMMENT ON FUNCTION hwsched.start_dispatcher() IS
  'Starts the background worker that maintains and assigns all pools of this database; false: it '
  'has one.';

CREATE FUNCTION hwsched.stop_dispatcher() RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_stop_dispatcher';
COMMENT ON FUNCTION hwsched.stop_dispatcher() IS
  'Stops that background worker until start_dispatcher() or the next start of the server; returns '
  'whether there was one.';

CREATE FUNCTION hwsched_internal.wake_launcher() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_wake_launcher';
COMMENT ON FUNCTION hwsched_internal.wake_launcher() IS
  'Has the launcher of dispatchers look at once for databases with the extension.';

-- It commits, so it cannot set its own search path: every name says its schema.
CREATE PROCEDURE hwsched.run_loop(duration interval, tick interval, pool text DEFAULT 'default')
    LANGUAGE plpgsql AS $$
DECLARE
    ends pg_catalog.timestamptz;
    next_tick pg_catalog.timestamptz := pg_catalog.clock_timestamp();
    -- days and months are of no fixed length
    seconds pg_catalog.float8 := extract(epoch FROM tick);
    behind pg_catalog.float8;
    pause pg_catalog.float8;
    step pg_catalog.int4;
    more pg_catalog.bool;
    target pg_catalog.text;
BEGIN
    IF (duration OPERATOR(pg_catalog.>=) '0'::interval
        AND duration OPERATOR(pg_catalog.<=) '100 years'::interval) IS NOT TRUE THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = pg_catalog.format('invalid value for "duration": %s',
                                        coalesce(duration::pg_catalog.text, 'NULL')),
            DETAIL = 'Expected an interval from 0 to 100 years.';
    END IF;
    IF (tick OPERATOR(pg_catalog.>=) '10 milliseconds'::interval
        AND tick OPERATOR(pg_catalog.<=) '100 years'::interval) IS NOT TRUE THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = pg_catalog.format('invalid value for "tick": %s',
                                        coalesce(tick::pg_catalog.text, 'NULL')),
            DETAIL = 'Expected an interval from 10 ms to 100 years.';
    END IF;
    ends := pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) duration;
    -- raises an error for an unknown pool; one that is dropped later ends the loop
    IF pool IS NOT NULL THEN
        PERFORM hwsched.pool_settings(pool);
    END IF;
    LOOP
        FOREACH target IN ARRAY CASE
            WHEN pool IS NOT NULL THEN ARRAY[pool]
            ELSE ARRAY(SELECT p.pool FROM hwsched.pool AS p ORDER BY p.pool) END
        LOOP
            -- each by itself: whatever fails, lost work is taken back
            step := 1;
            WHILE step OPERATOR(pg_catalog.<=) 3 LOOP
                more := false;
                BEGIN
                    IF step OPERATOR(pg_catalog.=) 1 THEN
                        more := hwsched_internal.recover(target);
                    ELSIF step OPERATOR(pg_catalog.=) 2 THEN
                        more := hwsched_internal.assign_batch(target);
                    ELSE
                        more := hwsched_internal.keep_history(target);
                    END IF;
                EXCEPTION WHEN OTHERS THEN
                    IF NOT EXISTS (SELECT FROM hwsched.pool AS p
                                   WHERE p.pool OPERATOR(pg_catalog.=) target) THEN
                        EXIT WHEN pool IS NULL;
                        RAISE NOTICE USING
                            MESSAGE = pg_catalog.format('pool "%s" is gone, so the loop ends',
                                                        target);
                        RETURN;
                    END IF;
                    more := false;
                    RAISE WARNING USING ERRCODE = SQLSTATE,
                        MESSAGE = pg_catalog.format('pool "%s": %s', target, SQLERRM),
                        HINT = 'The loop goes on with its next tick.';
                    BEGIN
                        PERFORM hwsched_internal.note_failure(
                            CASE step WHEN 2 THEN 'assign_pending' ELSE 'maintain' END,
                            pg_catalog.format('%s (%s)', SQLERRM, SQLSTATE), target);
                    EXCEPTION WHEN OTHERS THEN
                        RAISE WARNING USING ERRCODE = SQLSTATE,
                            MESSAGE = pg_catalog.format('pool "%s": %s', target, SQLERRM);
                    END;
                END;
                COMMIT;
                IF NOT more THEN
                    step := step OPERATOR(pg_catalog.+) 1;
                END IF;
            END LOOP;
        END LOOP;
        -- the next tick that is still to come; what was missed is not made up for
        behind := extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) next_tick);
        next_tick := next_tick OPERATOR(pg_catalog.+)
            pg_catalog.make_interval(secs => seconds OPERATOR(pg_catalog.*) (
                pg_catalog.floor(behind OPERATOR(pg_catalog./) seconds)
                OPERATOR(pg_catalog.+) 1));
        -- a clock that was set back does not make the loop any longer
        ends := least(ends, pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) duration);
        EXIT WHEN next_tick OPERATOR(pg_catalog.>) ends;
        LOOP
            -- more than a tick is left only if the clock was set back
            pause := extract(epoch FROM next_tick
                                        OPERATOR(pg_catalog.-) pg_catalog.clock_timestamp());
            EXIT WHEN (pause OPERATOR(pg_catalog.>) 0) IS NOT TRUE
                OR pause OPERATOR(pg_catalog.>) (seconds OPERATOR(pg_catalog.+) 1);
            PERFORM pg_catalog.pg_sleep(least(pause, 1));
            -- a snapshot held for longer would keep vacuum from removing anything
            COMMIT;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE hwsched.run_loop(interval, interval, text) IS
  'Calls maintain() and assign_pending() at each tick for some time, and commits: CALL '
  'hwsched.run_loop(''55 s'', ''1 s'') each minute dispatches each second. With NULL it does so '
  'for all pools in turn. A failure in a tick is'
  ' a warning; a cancel, or the end of the pool, ends the loop.';

CREATE FUNCTION hwsched.unschedule_jobs(pool text DEFAULT 'default') RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- as much as pg_cron keeps of a name; the hash of a long one
    job_name text := concat_ws(' ', 'hwsched',
                            CASE WHEN octet_length(pool) <= 55 THEN pool
                                 ELSE left(encode(sha256(convert_to(pool, 'UTF8')), 'hex'), 55)
                            END);
    jobs bigint;
BEGIN
    -- not the schema: anybody's may have that name where pg_cron is not
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'pg_cron is not installed in this database',
            HINT = 'Add it to shared_preload_libraries and CREATE EXTENSION pg_cron, or CALL '
                   'hwsched.run_loop() from elsewhere.';
    END IF;
    EXECUTE 'SELECT count(cron.unschedule(jobid)) FROM cron.job '
            'WHERE jobname = $1 AND username = current_user'
        INTO jobs USING job_name;
    RETURN jobs > 0;
END
$$;
COMMENT ON FUNCTION hwsched.unschedule_jobs(text) IS
  'Ends the job of schedule_jobs() for a pool, or with NULL that for all; returns whether there '
  'was one.';

CREATE FUNCTION hwsched.schedule_jobs(every text DEFAULT '1 minute', pool text DEFAULT 'default')
    RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts text[] := regexp_match(lower(every),
        '^[[:space:]]*([0-9]{1,4})[[:space:]]*'
        '(s|secs?|seconds?|m|mins?|minutes?|h|hours?|days?)[[:space:]]*$');
    seconds int := parts[1]::int
        * CASE left(parts[2], 1) WHEN 's' THEN 1 WHEN 'm' THEN 60 WHEN 'h' THEN 3600 ELSE 86400 END;
    minutes int := seconds / 60;
    job_name text := concat_ws(' ', 'hwsched',
                            CASE WHEN octet_length(pool) <= 55 THEN pool
                                 ELSE left(encode(sha256(convert_to(pool, 'UTF8')), 'hex'), 55)
                            END);
    cron text;
    job_id bigint;
BEGIN
    IF every IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
            MESSAGE = '"every" of hwsched.schedule_jobs() must not be NULL';
    END IF;
    -- raises an error for an unknown pool
    IF pool IS NOT NULL THEN
        PERFORM hwsched.pool_settings(pool);
    END IF;
    -- cron itself knows no seconds: the loop does
    cron := CASE
        WHEN parts IS NULL THEN every
        WHEN seconds BETWEEN 1 AND 60 THEN '* * * * *'
        WHEN seconds % 60 <> 0 OR seconds = 0 THEN NULL
        WHEN 60 % minutes = 0 AND minutes < 60 THEN format('*/%s * * * *', minutes)
        WHEN 1440 % minutes = 0 AND minutes % 60 = 0 THEN format('0 */%s * * *', minutes / 60)
    END;
    IF cron IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('invalid value for "every": "%s"', every),
            DETAIL = 'Expected 1 to 59 seconds, minutes that divide an hour, hours that divide a '
                     'day, or a schedule of cron.';
    END IF;
    PERFORM hwsched.unschedule_jobs(pool);
    EXECUTE 'SELECT cron.schedule($1, $2, $3)' INTO job_id
        USING job_name, cron,
            CASE WHEN seconds < 60
                 THEN format('CALL hwsched.run_loop(''55 s'', ''%s s'', %L)', seconds, pool)
                 ELSE format('CALL hwsched.run_loop(''0 s'', ''1 s'', %L)', pool) END;
    RETURN job_id;
END
$$;
COMMENT ON FUNCTION hwsched.schedule_jobs(text, text) IS
  'Lets pg_cron call maintain() and assign_pending() at an interval (1 minute, 10 seconds, or a '
  'schedule of cron), as the caller, for a pool or with NULL for all; returns the id of the job, '
  'which replaces an earlier one.';
