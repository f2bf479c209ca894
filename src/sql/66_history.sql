-- History: recording what happened elsewhere, keeping it for as long as it is to
-- be kept, and taking it along as JSON.

CREATE FUNCTION hwsched.record_assignment(workload_id text, worker_id text, efficiency_score float8,
    workload_type text, at timestamptz DEFAULT now(), pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_record_assignment';
COMMENT ON FUNCTION hwsched.record_assignment(text, text, float8, text, timestamptz, text) IS
  'Records a placement that another scheduler decided. This scheduler''s own are in history by '
  'themselves.';

CREATE FUNCTION hwsched.record_thermal_state(worker_id text, temperature float8,
    warming_state boolean, cooling_state boolean, at timestamptz DEFAULT now(),
    device_no int DEFAULT NULL, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_record_thermal_state';
COMMENT ON FUNCTION hwsched.record_thermal_state(text, float8, boolean, boolean, timestamptz, int,
                                                 text) IS
  'Records the temperature (0..1) and thermal phase of a worker or one of its devices, for '
  'history only; both states set count as cooling.';

CREATE FUNCTION hwsched.record_resource_utilization(worker_id text, utilization jsonb,
    at timestamptz DEFAULT now(), device_no int DEFAULT NULL, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_record_resource_utilization';
COMMENT ON FUNCTION hwsched.record_resource_utilization(text, jsonb, timestamptz, int, text) IS
  'Records the utilization of a worker or one of its devices, with the keys of a load, for '
  'history only: decisions go by update_load().';

CREATE FUNCTION hwsched.record_execution_time(workload_id text, estimated_time float8,
    actual_time float8, workload_type text, worker_id text, at timestamptz DEFAULT now(),
    pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_record_execution_time';
COMMENT ON FUNCTION hwsched.record_execution_time(text, float8, float8, text, text, timestamptz,
                                                  text) IS
  'Records an execution elsewhere: estimated (0: not at all) and actual seconds. This '
  'scheduler''s own are in history by themselves.';

-- Partitions. What waits for a lock gives up at once and comes again with the
-- next tick: nobody else is to wait behind it.

CREATE FUNCTION hwsched_internal.history_make_day(history text, day date,
    take_over boolean DEFAULT false)
    RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '50ms' SET extra_float_digits = 1 AS $$
DECLARE
    partition text := format('%s_%s', history, to_char(day, 'YYYYMMDD'));
    since timestamptz := day::timestamp AT TIME ZONE 'UTC';
    till timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
    today date := (now() AT TIME ZONE 'UTC')::date;
    strays bigint;
    moved jsonb;
BEGIN
    IF to_regclass(format('hwsched.%I', partition)) IS NOT NULL THEN
        RETURN true;
    END IF;
    -- a day that is not kept for long, or one too many
    IF day > today + 2 OR day < today - 400
        OR till <= now() - (SELECT max(r.history) FROM hwsched_internal.retention AS r) THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM hwsched.pool AS p CROSS JOIN LATERAL '
                   '(SELECT FROM hwsched.%I AS d WHERE d.pool = p.pool AND d.at >= $1 '
                   'AND d.at < $2 LIMIT 10001) AS d LIMIT 10001) AS d',
                   history || '_default') INTO strays USING since, till;
    IF strays > 10000 OR (strays > 0 OR day = today) AND NOT take_over THEN
        RETURN false;
    END IF;
    -- a writer that has found its way to the default partition must not come there any more;
    -- what forgets there may, as it only reads and deletes
    EXECUTE format('LOCK TABLE ONLY hwsched.%I IN %s MODE', history,
                   CASE WHEN take_over AND (strays > 0 OR day = today) THEN 'SHARE ROW EXCLUSIVE'
                        ELSE 'SHARE UPDATE EXCLUSIVE' END);
    IF to_regclass(format('hwsched.%I', partition)) IS NOT NULL THEN
        RETURN true;
    END IF;
    EXECUTE format('CREATE TABLE hwsched.%I (LIKE hwsched.%I INCLUDING ALL)', partition, history);
    EXECUTE format('ALTER TABLE hwsched.%I REPLICA IDENTITY FULL', partition);
    EXECUTE format('COMMENT ON TABLE hwsched.%I IS %L', partition,
                   format('Of %s, the day %s (UTC).', history, to_char(day, 'YYYY-MM-DD')));
    IF take_over THEN
        EXECUTE format('WITH strays AS (DELETE FROM hwsched.%I WHERE at >= $1 AND at < $2 '
                       'RETURNING *) SELECT jsonb_agg(to_jsonb(strays)) FROM strays',
                       history || '_default')
            INTO moved USING since, till;
    END IF;
    EXECUTE format('CREATE INDEX ON hwsched.%I (pool, worker_id, at)', partition);
    EXECUTE format('CREATE INDEX ON hwsched.%I USING brin (pool, at) WITH (pages_per_range = 32, '
                   'autosummarize = on)', partition);
    EXECUTE format('ALTER TABLE hwsched.%I ATTACH PARTITION hwsched.%I FOR VALUES FROM (%L) TO '
                   '(%L)', history, partition,
        -- as a text that means the same in any time zone and date style
        to_char(day, 'YYYY-MM-DD 00:00:00+00'), to_char(day + 1, 'YYYY-MM-DD 00:00:00+00'));
    -- not before it is attached: a subscriber that gets the whole has no such table
    IF moved IS NOT NULL THEN
        EXECUTE format('INSERT INTO hwsched.%I '
                       'SELECT * FROM jsonb_populate_recordset(NULL::hwsched.%1$I, $1)', history)
            USING moved;
    END IF;
    RETURN false;
EXCEPTION WHEN lock_not_available OR deadlock_detected OR object_in_use OR check_violation THEN
    -- also: the default partition has got something of that day meanwhile, which an old
    -- snapshot may not see, but attaching does
    RETURN false;
END
$$;
COMMENT ON FUNCTION hwsched_internal.history_make_day(text, date, boolean) IS
  'Makes the partition of a day, if it is one that is kept and nobody is in the way; returns '
  'whether it has been there before. With take_over also of today, and of a day of which the '
  'default partition has some rows: they move.';

CREATE FUNCTION hwsched_internal.history_renew() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '50ms' AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    keeps_from date := ((now() - (SELECT max(r.history) FROM hwsched_internal.retention AS r))
                        AT TIME ZONE 'UTC')::date;
    old regclass;
BEGIN
    PERFORM hwsched_internal.history_make_day(h.history, today + d.days, true)
    FROM unnest('{load_history,recorded_assignment,recorded_execution}'::text[]) AS h(history)
    CROSS JOIN generate_series(0, 2) AS d(days)
    WHERE to_regclass(format('hwsched.%I',
                             format('%s_%s', h.history, to_char(today + d.days, 'YYYYMMDD'))))
        IS NULL;
    -- dropping locks the parent, so it comes last
    FOR old IN
        SELECT c.oid FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = ANY ('{hwsched.load_history,hwsched.recorded_assignment,'
                                   'hwsched.recorded_execution}'::regclass[])
            AND c.relname ~ '_[0-9]{8}$' AND right(c.relname, 8)::date < keeps_from
        -- each takes some locks, of which there are not so many; the next tick goes on
        ORDER BY right(c.relname, 8), c.relname LIMIT 30
    LOOP
        BEGIN
            EXECUTE format('DROP TABLE %s', old);
        EXCEPTION
            WHEN lock_not_available OR deadlock_detected OR object_in_use OR undefined_table THEN
                RETURN;
            WHEN dependent_objects_still_exist THEN
                RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM,
                    HINT = 'Take what depends on it from its parent instead.';
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION hwsched_internal.history_renew() IS
  'Makes the partitions of today and the coming days, and drops those that no pool keeps any '
  'more; part of maintain().';

-- Hours are rolled up when they are over and nobody is left who might still write
-- something that happened in them. Whoever records it later leaves a mark.

CREATE FUNCTION hwsched_internal.history_over(hour timestamptz) RETURNS timestamptz
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
    -- who has written here is waited for, for a day; others for a quarter of an hour
    SELECT least(coalesce((
        SELECT greatest(date_bin('1 hour', a.xact_start, 'epoch'), $1 - '1 day'::interval)
        FROM pg_stat_activity AS a
        WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start < $1
            AND a.backend_type NOT LIKE 'autovacuum%'
            AND (now() < $1 + '15 minutes'::interval
                OR EXISTS (SELECT FROM pg_locks AS l
                           WHERE l.pid = a.pid AND l.mode = 'RowExclusiveLock'
                               AND l.relation = ANY (
                                   '{hwsched.load_history,hwsched.assignment,'
                                   'hwsched.recorded_assignment,'
                                   'hwsched.recorded_execution}'::regclass[])))
        ORDER BY a.xact_start LIMIT 1), $1),
        -- a prepared transaction does not say when it began
        (SELECT $1 - '1 day'::interval
         FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
         WHERE l.pid IS NULL AND d.datname = current_database() AND l.mode = 'RowExclusiveLock'
             AND l.relation = ANY (
                 '{hwsched.load_history,hwsched.assignment,hwsched.recorded_assignment,'
                 'hwsched.recorded_execution}'::regclass[])
         LIMIT 1))
$$;
COMMENT ON FUNCTION hwsched_internal.history_over(timestamptz) IS
  'Up to which hour nothing can be written any more as having just happened, up to the given one '
  'at most.';

CREATE FUNCTION hwsched_internal.history_roll_hours(since timestamptz, until timestamptz,
    complete_from timestamptz, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['utilization', 'thermal', 'assignment', 'execution'] LOOP
        EXECUTE format('DELETE FROM hwsched.%I WHERE pool = $1 AND hour >= $2 AND hour < $3',
                       kind || '_hour')
            USING pool, greatest(since, complete_from), until;
        EXECUTE format('INSERT INTO hwsched.%I SELECT * FROM hwsched_internal.%I($2, $3, $1) '
                       'ON CONFLICT DO NOTHING', kind || '_hour', kind || '_by_hour')
            USING pool, since, until;
    END LOOP;
END
$$;
COMMENT ON FUNCTION hwsched_internal.history_roll_hours(timestamptz, timestamptz, timestamptz, text)
    IS
  'Rolls some hours of a pool up, again or for the first time; what is older than complete_from '
  'is only added to.';

CREATE FUNCTION hwsched_internal.history_roll_up(most_seconds int, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    -- else a timeout would undo it all each time, and with it all else that maintain() does
    timeout interval := nullif(current_setting('statement_timeout'), '0')::interval;
    stop_at timestamptz := least(clock_timestamp() + make_interval(secs => most_seconds),
                                 statement_timestamp() + timeout / 2);
    this_hour timestamptz := date_bin('1 hour', now(), 'epoch');
    kept hwsched_internal.retention;
    progress hwsched.history_progress;
    over timestamptz;
    till timestamptz;
    rolled_from timestamptz;
    late record;
BEGIN
    -- most of the time there is nothing to do, and nothing is written
    SELECT p.* INTO progress FROM hwsched.history_progress AS p WHERE p.pool = $2;
    IF progress.rolled_until = this_hour
        AND NOT EXISTS (SELECT FROM hwsched.history_late AS l WHERE l.pool = $2) THEN
        RETURN;
    END IF;
    over := hwsched_internal.history_over(this_hour);
    IF progress.rolled_until BETWEEN over AND this_hour
        AND NOT EXISTS (SELECT FROM hwsched.history_late AS l WHERE l.pool = $2) THEN
        RETURN;
    END IF;
    SELECT r.* INTO kept FROM hwsched_internal.retention AS r WHERE r.pool = $2;
    -- a restored pool default is older than it says; what was recorded of earlier times is marked
    INSERT INTO hwsched.history_progress (pool, rolled_until, complete_from)
    SELECT p.pool,
           date_bin('1 hour', greatest(this_hour - kept.hourly, least(this_hour, p.created_at,
               (SELECT a.assigned_at FROM hwsched.assignment AS a WHERE a.pool = $2
                ORDER BY a.assignment_id LIMIT 1),
               (SELECT min(w.registered_at) FROM hwsched.worker AS w WHERE w.pool = $2))), 'epoch'),
               '-infinity'
    FROM hwsched.pool AS p WHERE p.pool = $2
    ON CONFLICT DO NOTHING;
    SELECT p.* INTO progress FROM hwsched.history_progress AS p WHERE p.pool = $2
        FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        -- another session is at it
        RETURN;
    END IF;
    IF progress.rolled_until > this_hour THEN
        -- the clock was set back
        DELETE FROM hwsched.utilization_hour AS h WHERE h.pool = $2 AND h.hour >= this_hour;
        DELETE FROM hwsched.thermal_hour AS h WHERE h.pool = $2 AND h.hour >= this_hour;
        DELETE FROM hwsched.assignment_hour AS h WHERE h.pool = $2 AND h.hour >= this_hour;
        DELETE FROM hwsched.execution_hour AS h WHERE h.pool = $2 AND h.hour >= this_hour;
        progress.rolled_until := this_hour;
    END IF;
    rolled_from := greatest(progress.rolled_until, over - '1 day'::interval);
    -- a day at least, so that many calls come to an end however slow one is
    WHILE progress.rolled_until < over LOOP
        till := least(over, date_bin('1 day', progress.rolled_until, 'epoch') + '1 day'::interval);
        PERFORM hwsched_internal.history_roll_hours(progress.rolled_until, till, '-infinity', $2);
        progress.rolled_until := till;
        EXIT WHEN clock_timestamp() > stop_at;
    END LOOP;
    UPDATE hwsched.history_progress AS p SET rolled_until = progress.rolled_until,
        -- what is forgotten until the next time included
        complete_from = greatest(progress.complete_from,
                                 date_bin('1 hour', now() - kept.history, 'epoch')
                                     + '2 hours'::interval)
    WHERE p.pool = $2;
    DELETE FROM hwsched.history_late AS l WHERE l.pool = $2 AND l.hour < now() - kept.hourly;
    -- models and workers that have not been seen for as long; what is left of them in others does
    -- no harm
    DELETE FROM hwsched.duration_record AS d
    WHERE d.pool = $2 AND d.kind IN ('family', 'model', 'worker')
        AND d.updated_at < now() - kept.hourly;
    FOR late IN
        SELECT min(l.hour) AS since, max(l.hour) + '1 hour'::interval AS till
        FROM hwsched.history_late AS l
        WHERE l.pool = $2 GROUP BY date_bin('1 day', l.hour, 'epoch') ORDER BY 1
    LOOP
        -- first the marks, so that what they mark is seen for sure; hours to come are rolled up in
        -- their turn
        DELETE FROM hwsched.history_late AS l
        WHERE l.pool = $2 AND l.hour >= late.since AND l.hour < late.till;
        PERFORM hwsched_internal.history_roll_hours(late.since,
                                                    least(late.till, progress.rolled_until),
                                           progress.complete_from, $2);
        EXIT WHEN clock_timestamp() > stop_at;
    END LOOP;
    -- an old snapshot may lack what was written when the hour was just over: the next one has it
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        INSERT INTO hwsched.history_late (pool, hour)
        SELECT $2, h
        FROM generate_series(rolled_from, progress.rolled_until - '1 hour'::interval, '1 hour') AS h
        ON CONFLICT DO NOTHING;
    END IF;
END
$$;
COMMENT ON FUNCTION hwsched_internal.history_roll_up(int, text) IS
  'Rolls up the hours of a pool that are over, and those in which something turned up late, for '
  'about so long, or half of statement_timeout, at most; part of maintain().';

CREATE FUNCTION hwsched_internal.history_forget(max_rows int, pool text DEFAULT 'default')
    RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    kept hwsched_internal.retention;
    keeps_from timestamptz;
    others_keep_from timestamptz;
    history text;
    kind text;
    found record;
    count bigint;
    forgotten bigint := 0;
BEGIN
    SELECT r.* INTO kept FROM hwsched_internal.retention AS r WHERE r.pool = $2;
    FOREACH kind IN ARRAY ARRAY['utilization_hour', 'thermal_hour', 'assignment_hour',
                                'execution_hour', 'prediction_error'] LOOP
        EXECUTE format('DELETE FROM hwsched.%1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM '
                       'hwsched.%1$I WHERE pool = $1 AND hour < $2 ORDER BY pool, hour LIMIT $3)) '
                       'AND pool = $1', kind)
            USING $2, now() - kept.hourly, $1;
        GET DIAGNOSTICS count = ROW_COUNT;
        forgotten := forgotten + count;
    END LOOP;
    -- of settings, what was in force since then stays
    DELETE FROM hwsched.settings_version AS v
    WHERE v.pool = $2 AND v.version < (SELECT max(s.version) FROM hwsched.settings_version AS s
                                       WHERE s.pool = $2 AND s.changed_at < now() - kept.hourly);
    GET DIAGNOSTICS count = ROW_COUNT;
    forgotten := forgotten + count;
    -- not before it is rolled up; of what is kept for days, whole days
    IF EXISTS (SELECT FROM hwsched.history_late AS l WHERE l.pool = $2) THEN
        RETURN forgotten;
    END IF;
    keeps_from := least(now() - kept.history,
                        (SELECT p.rolled_until FROM hwsched.history_progress AS p
                         WHERE p.pool = $2));
    IF kept.history >= '2 days' THEN
        keeps_from := date_bin('1 day', keeps_from, 'epoch');
    END IF;
    -- what is older than this goes with its partition
    others_keep_from := date_bin('1 day',
                                 now() - (SELECT max(r.history)
                                          FROM hwsched_internal.retention AS r),
                                 'epoch');
    FOREACH history IN ARRAY ARRAY['load_history', 'recorded_assignment', 'recorded_execution'] LOOP
        EXECUTE format('DELETE FROM hwsched.%1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM '
                       'hwsched.%1$I WHERE pool = $1 AND at < $2 LIMIT $3)) AND pool = $1',
                       history || '_default')
            USING $2, keeps_from, $1;
        GET DIAGNOSTICS count = ROW_COUNT;
        forgotten := forgotten + count;
        CONTINUE WHEN others_keep_from >= keeps_from;
        FOR found IN EXECUTE format('SELECT old.tableoid::regclass AS partition, '
                                    'array_agg(old.ctid) AS ctids FROM (SELECT h.tableoid, h.ctid '
                                    'FROM hwsched.%I AS h WHERE h.pool = $1 AND h.at >= $2 AND '
                                    'h.at < $3 LIMIT $4) AS old GROUP BY 1', history)
            USING $2, others_keep_from, keeps_from, $1
        LOOP
            EXECUTE format('DELETE FROM %s WHERE ctid = ANY ($1) AND pool = $2', found.partition)
                USING found.ctids, $2;
            GET DIAGNOSTICS count = ROW_COUNT;
            forgotten := forgotten + count;
        END LOOP;
    END LOOP;
    RETURN forgotten;
END
$$;
COMMENT ON FUNCTION hwsched_internal.history_forget(int, text) IS
  'Deletes up to max_rows rows of each history table that the pool does not keep any more and '
  'that no dropped partition took along; part of maintain().';

CREATE FUNCTION hwsched_internal.check_period(since timestamptz, until timestamptz) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF since >= until THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('the period from %s up to %s is empty', since, until),
            HINT = '"since" is its first instant, and "until" the first behind it.';
    END IF;
END
$$;
COMMENT ON FUNCTION hwsched_internal.check_period(timestamptz, timestamptz) IS
  'Refuses a period in which there is no instant; NULL means no bound.';

-- JSON: all of a pool's history as a document, and back.

CREATE FUNCTION hwsched.history_json(since timestamptz DEFAULT '-infinity',
    until timestamptz DEFAULT 'infinity', pool text DEFAULT 'default')
    RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC' SET jit = off SET extra_float_digits = '1' AS $$
#variable_conflict use_column
BEGIN
    -- raises an error for an unknown pool
    PERFORM hwsched.pool_settings(coalesce($3, ''));
    PERFORM hwsched_internal.check_period(since, until);
    RETURN (
        WITH assignment AS (
            SELECT a.assigned_at AS at, a.workload_id, a.worker_id, a.efficiency,
                jsonb_strip_nulls(jsonb_build_object(
                'timestamp', a.assigned_at, 'workload_id', a.workload_id, 'worker_id', a.worker_id,
                'efficiency_score', a.efficiency,
                'workload_type', wp.workload_type, 'adjusted_efficiency', a.adjusted_efficiency,
                'hardware_class', dp.hardware_class,
                'model_name', dp.model_name, 'run', a.run, 'attempt', a.attempt,
                'shard_no', a.shard_no, 'priority', a.priority, 'state', a.state,
                'wait_seconds',
                extract(epoch FROM greatest(a.assigned_at - s.submitted_at, '0'))::float8)) AS entry
            FROM hwsched.assignment AS a
            JOIN hwsched.workload_profile AS wp ON wp.pool = a.pool AND wp.profile_id = a.profile_id
            JOIN hwsched.device_profile AS dp
                ON dp.pool = a.pool AND dp.profile_id = a.device_profile_id
            LEFT JOIN hwsched.submission AS s
                ON s.pool = a.pool AND s.workload_id = a.workload_id AND s.run = a.run
            WHERE a.pool = $3 AND a.assigned_at >= $1 AND a.assigned_at < $2
            UNION ALL
            SELECT r.at, r.workload_id, r.worker_id, r.efficiency,
                jsonb_strip_nulls(jsonb_build_object(
                'timestamp', r.at, 'workload_id', r.workload_id, 'worker_id', r.worker_id,
                'efficiency_score', r.efficiency,
                'workload_type', r.workload_type, 'adjusted_efficiency', r.adjusted_efficiency,
                'hardware_class', r.hardware_class,
                'model_name', r.model_name, 'run', r.run, 'attempt', r.attempt,
                'shard_no', r.shard_no, 'priority', r.priority, 'state', r.state,
                'wait_seconds', r.wait_seconds))
            FROM hwsched.recorded_assignment AS r
            WHERE r.pool = $3 AND r.at >= $1 AND r.at < $2
        ), score AS (
            SELECT a.worker_id,
                   jsonb_agg(jsonb_build_array(a.at, a.efficiency) ORDER BY a.at, a.efficiency)
                       AS entries
            FROM assignment AS a GROUP BY a.worker_id
        ), thermal AS (
            SELECT e.worker_id,
                   jsonb_agg(jsonb_build_array(e.time, e.entry) ORDER BY e.time, e.entry) AS entries
            FROM (SELECT h.worker_id, h.time, jsonb_strip_nulls(jsonb_build_object(
                      'temperature', h.temperature_ratio,
                      'warming_state', h.phase = 'warming', 'cooling_state', h.phase = 'cooling',
                      'device_no', h.device_no,
                      'temperature_celsius', h.temperature_celsius, 'power_w', h.power_watts,
                      'performance_level',
                      nullif(h.performance_level_ratio, CASE WHEN h.phase = 'normal' THEN 1 END)
                      )) AS entry
                  FROM hwsched.thermal_history AS h
                  WHERE h.pool = $3 AND h.time >= $1 AND h.time < $2) AS e
            GROUP BY e.worker_id
        ), utilization AS (
            SELECT e.worker_id,
                   jsonb_agg(jsonb_build_array(e.at, e.entry) ORDER BY e.at, e.entry) AS entries
            FROM (SELECT h.worker_id, h.at, jsonb_strip_nulls(jsonb_build_object(
                      'cpu_utilization', h.cpu_utilization,
                      'memory_utilization', h.memory_utilization,
                      'gpu_utilization', h.gpu_utilization, 'io_utilization', h.io_utilization,
                      'network_utilization', h.network_utilization,
                      'device_no', h.device_no)) AS entry
                  FROM hwsched.load_history AS h WHERE h.pool = $3 AND h.at >= $1 AND h.at < $2
                      AND coalesce(h.cpu_utilization, h.memory_utilization, h.gpu_utilization,
                                   h.io_utilization, h.network_utilization) IS NOT NULL) AS e
            GROUP BY e.worker_id
        ), execution AS (
            SELECT e.workload_id, jsonb_agg(e.entry ORDER BY e.time, e.entry) AS entries
            FROM (SELECT h.workload_id, h.time, jsonb_strip_nulls(jsonb_build_object(
                      'timestamp', h.time, 'estimated_time', h.predicted_seconds,
                      'actual_time', h.actual_seconds, 'workload_type', h.workload_type,
                      'worker_id', h.worker_id, 'run', h.run, 'attempt', h.attempt,
                      'state', h.state, 'error', h.error, 'hardware_class', h.hardware_class,
                      'model_name', h.model_name, 'model_id', h.model_id,
                      'model_family', h.model_family,
                      'expected_duration', h.expected_seconds)) AS entry
                  FROM hwsched.execution_history AS h
                  WHERE h.pool = $3 AND h.time >= $1 AND h.time < $2) AS e
            GROUP BY e.workload_id
        )
        SELECT jsonb_build_object(
            'assignments',
            coalesce((SELECT jsonb_agg(a.entry ORDER BY a.at, a.entry) FROM assignment AS a
                      WHERE a.workload_id IS NOT NULL), '[]'),
            'efficiency_scores',
            coalesce((SELECT jsonb_object_agg(s.worker_id, s.entries) FROM score AS s), '{}'),
            'thermal_states',
            coalesce((SELECT jsonb_object_agg(t.worker_id, t.entries) FROM thermal AS t), '{}'),
            'resource_utilization',
            coalesce((SELECT jsonb_object_agg(u.worker_id, u.entries) FROM utilization AS u), '{}'),
            'execution_times',
            coalesce((SELECT jsonb_object_agg(e.workload_id, e.entries) FROM execution AS e),
                     '{}')));
END
$$;
COMMENT ON FUNCTION hwsched.history_json(timestamptz, timestamptz, text) IS
  'The history of a pool from one time (inclusive) to another (exclusive) as a document that '
  'load_history() reads: assignments, efficiency_scores, thermal_states, resource_utilization '
  'and execution_times, each execution of a workload by itself.';

CREATE FUNCTION hwsched_internal.history_entries(document jsonb)
    RETURNS TABLE (section text, path text, entry jsonb, expected text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 100000 SET search_path = pg_catalog, pg_temp AS $$
    WITH kind (section, type, members, key) AS (
        VALUES ('assignments', 'array', NULL, NULL),
            ('efficiency_scores', 'object', 'array', 'worker_id'),
            ('thermal_states', 'object', 'array', 'worker_id'),
            ('resource_utilization', 'object', 'array', 'worker_id'),
            ('execution_times', 'object', NULL, 'workload_id')
    ), part AS (
        SELECT d.key AS section, d.value, k.type, k.members, k.key AS named,
               jsonb_typeof(d.value) AS is
        FROM jsonb_each(CASE WHEN jsonb_typeof($1) = 'object' THEN $1 ELSE '{}' END) AS d
        LEFT JOIN kind AS k ON k.section = d.key
    ), member AS (
        -- of each worker or workload, its entries
        SELECT p.section, p.section || '.' || m.key AS path, m.value, p.named, m.key AS name,
               p.members
        FROM part AS p
        CROSS JOIN LATERAL jsonb_each(CASE WHEN p.is = 'object' AND p.type = 'object' THEN p.value
                                           ELSE '{}' END) AS m
        UNION ALL
        SELECT p.section, p.section, p.value, NULL, NULL, NULL FROM part AS p
        WHERE p.is = 'array' AND p.type = 'array'
    ), item AS (
        SELECT m.section, m.path || '[' || i.no - 1 || ']' AS path, i.value, m.named, m.name,
               m.members
        FROM member AS m
        CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(m.value) = 'array'
                                                         THEN m.value
                                                     ELSE '[]' END) WITH ORDINALITY AS i (value, no)
        UNION ALL
        SELECT m.section, m.path, m.value, m.named, m.name, NULL FROM member AS m
        WHERE m.section = 'execution_times' AND jsonb_typeof(m.value) = 'object'
    )
    SELECT 'document', 'document', $1, 'an object' WHERE jsonb_typeof($1) <> 'object'
    UNION ALL
    SELECT p.section, p.section, p.value,
        CASE WHEN p.type IS NULL
             THEN 'assignments, efficiency_scores, thermal_states, resource_utilization or '
                  'execution_times as key'
             ELSE 'an ' || p.type END
    FROM part AS p WHERE p.is IS DISTINCT FROM p.type
    UNION ALL
    SELECT m.section, m.path, m.value,
           CASE WHEN m.members IS NULL THEN 'an object or an array of objects'
                ELSE 'an array of pairs of a time and a value' END
    FROM member AS m
    WHERE jsonb_typeof(m.value) <> 'array'
        AND NOT (m.section = 'execution_times' AND jsonb_typeof(m.value) = 'object')
    UNION ALL
    SELECT i.section, i.path,
        CASE WHEN i.members IS NULL AND jsonb_typeof(i.value) = 'object'
                 THEN i.value
                     || CASE WHEN i.named IS NULL THEN '{}'
                             ELSE jsonb_build_object(i.named, i.name) END
             WHEN jsonb_typeof(i.value) <> 'array'
                 OR jsonb_array_length(CASE WHEN jsonb_typeof(i.value) = 'array' THEN i.value
                                            ELSE '[]' END) <> 2 THEN i.value
             WHEN i.section = 'efficiency_scores'
                 THEN jsonb_build_object('worker_id', i.name, 'timestamp', i.value -> 0,
                                         'efficiency_score', i.value -> 1)
             WHEN jsonb_typeof(i.value -> 1) = 'object'
                 THEN (i.value -> 1)
                     || jsonb_build_object('worker_id', i.name, 'timestamp', i.value -> 0)
             ELSE i.value END,
        CASE WHEN i.members IS NULL
                 THEN CASE WHEN jsonb_typeof(i.value) <> 'object' THEN 'an object' END
             WHEN jsonb_typeof(i.value) <> 'array'
                 OR jsonb_array_length(CASE WHEN jsonb_typeof(i.value) = 'array' THEN i.value
                                            ELSE '[]' END) <> 2 THEN 'a pair of a time and a value'
             WHEN i.section <> 'efficiency_scores' AND jsonb_typeof(i.value -> 1) <> 'object'
                 THEN 'a pair of a time and an object' END
    FROM item AS i
$$;
COMMENT ON FUNCTION hwsched_internal.history_entries(jsonb) IS
  'The entries of a document of history, each as one object; expected says what is wrong with '
  'one that is none. Part of load_history().';

CREATE FUNCTION hwsched_internal.history_time(value jsonb) RETURNS timestamptz
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    read timestamptz;
BEGIN
    IF jsonb_typeof(value) = 'string'
        AND value #>> '{}' ~ '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T]|$)' THEN
        read := (value #>> '{}')::timestamptz;
    END IF;
    RETURN CASE WHEN read BETWEEN '1970-01-01 00:00:00+00' AND now() + '1 day'::interval
                    THEN read END;
EXCEPTION
    WHEN invalid_datetime_format OR datetime_field_overflow OR invalid_parameter_value
        OR invalid_time_zone_displacement_value THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION hwsched_internal.history_time(jsonb) IS
  'A time of a document, in the session''s time zone where it has none; NULL for what is no '
  'time, or none that can be past.';

CREATE FUNCTION hwsched_internal.load_history(document jsonb, teach boolean,
    pool text DEFAULT 'default')
    RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET jit = off AS $$
#variable_conflict use_column
DECLARE
    wrong record;
    loaded bigint;
    runs jsonb;
    mute bigint;
BEGIN
    IF $1 IS NULL OR $2 IS NULL OR $3 IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
            MESSAGE = format('"%s" of hwsched.load_history() must not be NULL',
                             CASE WHEN $1 IS NULL THEN 'document' WHEN $2 IS NULL THEN 'teach'
                                  ELSE 'pool' END);
    END IF;
    -- whoever teaches locks the pool, and before its row: that is the order of all
    IF $2 THEN
        PERFORM hwsched.rebalance(0, $3);
    END IF;
    -- the pool stays, and of two who load the same the second sees what the first has loaded
    PERFORM FROM hwsched.pool AS p WHERE p.pool = $3 FOR NO KEY UPDATE;
    -- raises an error for an unknown pool, also for one that was dropped meanwhile
    PERFORM hwsched.pool_settings($3);

    -- what its fields may be; the first that is something else is refused
    WITH field (key, type, sections, required, least, most, expected) AS (VALUES
        ('timestamp', 'time',
         '{assignments,efficiency_scores,thermal_states,resource_utilization,'
         'execution_times}'::text[],
         true, 0, 0, 'a time, not before 1970 and not in the future'),
        ('worker_id', 'name',
         '{assignments,efficiency_scores,thermal_states,resource_utilization,execution_times}',
         true, 1, 1000, '1 to 1000 bytes'),
        ('workload_id', 'name', '{assignments,execution_times}', true, 1, 1000, '1 to 1000 bytes'),
        ('workload_type', 'name', '{assignments,execution_times}', true, 1, 1000,
         '1 to 1000 bytes'),
        ('efficiency_score', 'number', '{assignments,efficiency_scores}', true, 0, 1,
         'a number from 0 to 1'),
        ('adjusted_efficiency', 'number', '{assignments}', false, 0, 10, 'a number from 0 to 10'),
        ('wait_seconds', 'number', '{assignments}', false, 0, 1e10,
         'a number that is not negative'),
        ('run', 'integer', '{assignments,execution_times}', false, 1, 2147483647,
         'a whole number from 1'),
        ('attempt', 'integer', '{assignments,execution_times}', false, 1, 2147483647,
         'a whole number from 1'),
        ('shard_no', 'integer', '{assignments}', false, 0, 2147483647, 'a whole number from 0'),
        ('priority', 'integer', '{assignments}', false, 1, 5, 'a whole number from 1 to 5'),
        ('state', 'state', '{assignments}', false, 0, 0, 'a state of assignments'),
        ('state', 'state', '{execution_times}', false, 0, 1, 'a final state of assignments'),
        ('hardware_class', 'name', '{assignments,execution_times}', false, 1, 1000,
         '1 to 1000 bytes'),
        ('model_name', 'name', '{assignments,execution_times}', false, 0, 1000, 'up to 1000 bytes'),
        ('error', 'name', '{execution_times}', false, 0, 100000000, 'a text'),
        ('model_id', 'name', '{execution_times}', false, 0, 1000, 'up to 1000 bytes'),
        ('model_family', 'name', '{execution_times}', false, 0, 1000, 'up to 1000 bytes'),
        ('expected_duration', 'number', '{execution_times}', false, 0, 1e10,
         'a number of seconds that is not negative'),
        ('estimated_time', 'number', '{execution_times}', true, 0, 1e10,
         'a number of seconds that is not negative'),
        ('actual_time', 'number', '{execution_times}', true, 0, 1e10,
         'a number of seconds that is not negative'),
        ('temperature', 'number', '{thermal_states}', false, 0, 1, 'a number from 0 to 1'),
        ('temperature_celsius', 'number', '{thermal_states}', false, -100, 1000,
         'a number from -100 to 1000'),
        ('power_w', 'number', '{thermal_states}', false, 0, 1e9, 'a number that is not negative'),
        ('performance_level', 'number', '{thermal_states}', false, 0, 1, 'a number from 0 to 1'),
        ('warming_state', 'boolean', '{thermal_states}', false, 0, 0, 'true or false'),
        ('cooling_state', 'boolean', '{thermal_states}', false, 0, 0, 'true or false'),
        ('device_no', 'integer', '{thermal_states,resource_utilization}', false, 0, 2147483647,
         'a whole number from 0'),
        ('cpu_utilization', 'number', '{resource_utilization}', false, 0, 100,
         'a number from 0 to 100'),
        ('memory_utilization', 'number', '{resource_utilization}', false, 0, 100,
         'a number from 0 to 100'),
        ('gpu_utilization', 'number', '{resource_utilization}', false, 0, 100,
         'a number from 0 to 100'),
        ('io_utilization', 'number', '{resource_utilization}', false, 0, 100,
         'a number from 0 to 100'),
        ('network_utilization', 'number', '{resource_utilization}', false, 0, 100,
         'a number from 0 to 100')
    ), of_section AS (
        SELECT s.section, f.* FROM field AS f CROSS JOIN unnest(f.sections) AS s (section)
    ), entry AS MATERIALIZED (
        SELECT row_number() OVER () AS no, e.section, e.path, e.entry, e.expected,
               hwsched_internal.history_time(e.entry -> 'timestamp') AS at
        FROM hwsched_internal.history_entries($1) AS e
    ), wrong AS (
        SELECT e.path
               || CASE WHEN e.expected IS NOT NULL THEN ''
                       WHEN e.section IN ('assignments', 'execution_times') THEN '.' || f.key
                       WHEN f.key = 'timestamp' THEN '[0]'
                       WHEN e.section = 'efficiency_scores' THEN '[1]'
                       ELSE '[1].' || f.key END AS path,
               left(coalesce(v.value, e.entry)::text, 80) AS value,
               coalesce(e.expected, f.expected) AS expected,
               e.expected IS NULL AND v.value IS NULL AS is_missing
        FROM entry AS e
        LEFT JOIN of_section AS f ON e.expected IS NULL AND f.section = e.section
        CROSS JOIN LATERAL (SELECT nullif(e.entry -> f.key, 'null') AS value) AS v
        WHERE e.expected IS NOT NULL
            OR CASE WHEN v.value IS NULL THEN f.required
                    WHEN f.type = 'time' THEN e.at IS NULL
                    WHEN f.type = 'boolean' THEN jsonb_typeof(v.value) <> 'boolean'
                    WHEN f.type IN ('number', 'integer')
                        THEN CASE WHEN jsonb_typeof(v.value) <> 'number' THEN true
                        -- what is nearly 0 is no float8
                        ELSE v.value::numeric NOT BETWEEN f.least AND f.most
                            OR v.value::numeric <> 0 AND abs(v.value::numeric) < 1e-300
                            OR f.type = 'integer' AND v.value::text !~ '^[0-9]+$' END
                    WHEN jsonb_typeof(v.value) <> 'string' THEN true
                    WHEN f.type = 'name'
                        THEN octet_length(v.value #>> '{}') NOT BETWEEN f.least AND f.most
                    ELSE v.value #>> '{}'
                            <> ALL (enum_range(NULL::hwsched.assignment_state)::text[])
                        OR f.most = 1 AND v.value #>> '{}' IN ('assigned', 'running') END
        ORDER BY e.no, f.key LIMIT 1
    )
    SELECT w.*,
           (SELECT array_agg(DISTINCT concat(
                to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD '),
                CASE WHEN e.section IN ('assignments', 'efficiency_scores')
                     THEN 'recorded_assignment'
                     WHEN e.section = 'execution_times' THEN 'recorded_execution'
                     ELSE 'load_history' END))
            FROM entry AS e) AS days
    INTO wrong
    FROM (VALUES (true)) AS always LEFT JOIN wrong AS w ON true;
    IF wrong.path IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = CASE WHEN wrong.is_missing THEN format('"%s" is missing', wrong.path)
                           ELSE format('invalid value for "%s": %s', wrong.path, wrong.value) END,
            DETAIL = format('Expected %s.', wrong.expected),
            HINT = 'Expected a document as hwsched.history_json() makes it.';
    END IF;

    -- each past day in its own partition, as far as it is kept, but not so many that locks run out
    PERFORM hwsched_internal.history_make_day(split_part(d.day, ' ', 2),
                                              split_part(d.day, ' ', 1)::date)
    FROM (SELECT d.day FROM unnest(wrong.days) AS d (day) ORDER BY d.day DESC LIMIT 100) AS d;
    -- whoever is making one is waited for
    LOCK TABLE hwsched.load_history_default, hwsched.recorded_assignment_default,
        hwsched.recorded_execution_default IN ROW EXCLUSIVE MODE;

    -- what is there already is not there twice
    WITH entry AS MATERIALIZED (
        SELECT e.section, e.entry, (e.entry ->> 'timestamp')::timestamptz AS at
        FROM hwsched_internal.history_entries($1) AS e
    ), assignment AS (
        INSERT INTO hwsched.recorded_assignment (
            pool, worker_id, at, workload_id, workload_type, efficiency, adjusted_efficiency, run,
            attempt, shard_no, priority, state, hardware_class, model_name, wait_seconds)
        SELECT $3, a.worker_id, e.at, a.workload_id, a.workload_type, a.efficiency_score,
               a.adjusted_efficiency, a.run, a.attempt, a.shard_no, a.priority,
               a.state, a.hardware_class, a.model_name, a.wait_seconds
        FROM entry AS e
        CROSS JOIN LATERAL jsonb_to_record(e.entry) AS a (
            worker_id text, workload_id text, workload_type text, efficiency_score float8,
            adjusted_efficiency float8, run int, attempt int, shard_no int, priority smallint,
            state hwsched.assignment_state, hardware_class text,
            model_name text, wait_seconds float8)
        WHERE e.section = 'assignments'
            AND NOT EXISTS (SELECT FROM hwsched.assignment_history AS h
                            WHERE h.pool = $3 AND h.worker_id = a.worker_id AND h.time = e.at
                                AND h.workload_id = a.workload_id
                                AND h.shard_no IS NOT DISTINCT FROM a.shard_no)
        RETURNING 1
    ), score AS (
        -- those of assignments, unless somebody has kept only them
        INSERT INTO hwsched.recorded_assignment (pool, worker_id, at, efficiency)
        SELECT $3, e.entry ->> 'worker_id', e.at, (e.entry -> 'efficiency_score')::float8
        FROM entry AS e
        WHERE e.section = 'efficiency_scores'
            AND NOT EXISTS (SELECT FROM entry AS a
                            WHERE a.section = 'assignments'
                                AND a.entry ->> 'worker_id' = e.entry ->> 'worker_id'
                                AND a.at = e.at
                                AND a.entry -> 'efficiency_score' = e.entry -> 'efficiency_score')
            AND NOT EXISTS (SELECT FROM hwsched.efficiency_history AS h
                            WHERE h.pool = $3 AND h.worker_id = e.entry ->> 'worker_id'
                                AND h.time = e.at
                                AND h.efficiency_ratio = (e.entry -> 'efficiency_score')::float8)
        RETURNING 1
    ), thermal AS (
        INSERT INTO hwsched.load_history (
            pool, worker_id, device_no, at, temperature, temperature_celsius, power_w, phase,
            performance_level)
        SELECT $3, a.worker_id, a.device_no, e.at, a.temperature, a.temperature_celsius, a.power_w,
               CASE WHEN a.cooling_state THEN 'cooling' WHEN a.warming_state THEN 'warming'
                    ELSE 'normal' END::hwsched.thermal_phase, a.performance_level
        FROM entry AS e
        CROSS JOIN LATERAL jsonb_to_record(e.entry) AS a (
            worker_id text, device_no int, temperature float8, temperature_celsius float8,
            power_w float8, warming_state boolean, cooling_state boolean, performance_level float8)
        WHERE e.section = 'thermal_states'
            AND NOT EXISTS (SELECT FROM hwsched.thermal_history AS h
                            WHERE h.pool = $3 AND h.worker_id = a.worker_id AND h.time = e.at
                                AND h.device_no IS NOT DISTINCT FROM a.device_no)
        RETURNING 1
    ), utilization AS (
        INSERT INTO hwsched.load_history (
            pool, worker_id, device_no, at, cpu_utilization, memory_utilization, gpu_utilization,
            io_utilization, network_utilization)
        SELECT $3, a.worker_id, a.device_no, e.at, a.cpu_utilization, a.memory_utilization,
               a.gpu_utilization, a.io_utilization, a.network_utilization
        FROM entry AS e
        CROSS JOIN LATERAL jsonb_to_record(e.entry) AS a (
            worker_id text, device_no int, cpu_utilization float8, memory_utilization float8,
            gpu_utilization float8, io_utilization float8, network_utilization float8)
        WHERE e.section = 'resource_utilization'
            AND NOT EXISTS (SELECT FROM hwsched.utilization_history AS h
                            WHERE h.pool = $3 AND h.worker_id = a.worker_id AND h.time = e.at
                                AND h.device_no IS NOT DISTINCT FROM a.device_no)
        RETURNING 1
    ), execution AS (
        INSERT INTO hwsched.recorded_execution (
            pool, worker_id, at, workload_id, workload_type, predicted_seconds, actual_seconds, run,
            attempt, state, error, hardware_class, model_name, model_id, model_family,
            expected_seconds)
        SELECT $3, a.worker_id, e.at, a.workload_id, a.workload_type, a.estimated_time,
               a.actual_time, a.run, a.attempt, coalesce(a.state, 'completed'),
               a.error, a.hardware_class, a.model_name, a.model_id, a.model_family,
               a.expected_duration
        FROM entry AS e
        CROSS JOIN LATERAL jsonb_to_record(e.entry) AS a (
            worker_id text, workload_id text, workload_type text, estimated_time float8,
            actual_time float8, run int, attempt int, state hwsched.assignment_state, error text,
            hardware_class text, model_name text, model_id text, model_family text,
            expected_duration float8)
        WHERE e.section = 'execution_times'
            AND NOT EXISTS (SELECT FROM hwsched.execution_history AS h
                            WHERE h.pool = $3 AND h.worker_id = a.worker_id AND h.time = e.at
                                AND h.workload_id = a.workload_id)
        RETURNING *
    ), lesson AS (
        -- on which device model of the pool it was: the one it names, or the worker's first
        SELECT x.*, w.worker_id AS own_worker_id, d.model_name AS device
        FROM execution AS x
        LEFT JOIN hwsched.worker AS w ON w.pool = x.pool AND w.worker_id = x.worker_id
        LEFT JOIN LATERAL (
            SELECT p.model_name
            FROM hwsched.device_profile AS p
            LEFT JOIN hwsched.device AS o
                ON o.pool = p.pool AND o.profile_id = p.profile_id AND o.worker_id = x.worker_id
            WHERE p.pool = x.pool
                AND CASE WHEN x.model_name IS NULL THEN o.worker_id IS NOT NULL
                         ELSE p.model_name = x.model_name END
            ORDER BY o.worker_id IS NULL, p.hardware_class = 'cpu', o.device_no LIMIT 1) AS d ON $2
        WHERE $2 AND x.state <> 'cancelled' AND (x.state <> 'completed' OR x.actual_seconds > 0)
    ), taught AS (
        SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                   'workload_type', l.workload_type, 'device', l.device,
                   'worker_id', l.own_worker_id, 'model_id', nullif(l.model_id, ''),
                   'model_family', nullif(l.model_family, ''),
                   'expected_duration', coalesce(l.expected_seconds,
                                                 nullif(l.predicted_seconds, 0)),
                   'seconds', CASE WHEN l.state = 'completed' THEN l.actual_seconds END,
                   'at', l.at, 'ok', l.state = 'completed')))
                   FILTER (WHERE l.device IS NOT NULL AND t.name IS NOT NULL) AS runs,
               count(*) FILTER (WHERE l.device IS NULL OR t.name IS NULL) AS mute
        FROM lesson AS l
        LEFT JOIN hwsched.taxonomy AS t
            ON t.kind = 'workload_type' AND t.name = lower(l.workload_type)
    ), late AS (
        INSERT INTO hwsched.history_late (pool, hour)
        SELECT DISTINCT $3, date_bin('1 hour', e.at, 'epoch') FROM entry AS e
        ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM assignment) + (SELECT count(*) FROM score)
           + (SELECT count(*) FROM thermal) + (SELECT count(*) FROM utilization)
        + (SELECT count(*) FROM execution), t.runs, t.mute
    INTO loaded, runs, mute FROM taught AS t;
    IF runs IS NOT NULL THEN
        PERFORM hwsched.teach(runs, $3);
    END IF;
    IF mute > 0 THEN
        RAISE WARNING USING
            MESSAGE = format('%s of the executions loaded into pool "%s" teach nothing', mute, $3),
            DETAIL = 'Their type of work, or their device and worker, are not known there.',
            HINT = 'Register workers with such devices first.';
    END IF;
    RETURN loaded;
END
$$;
COMMENT ON FUNCTION hwsched_internal.load_history(jsonb, boolean, text) IS
  'load_history(), once it is clear that its caller may.';

CREATE FUNCTION hwsched.load_history(document jsonb, teach boolean, pool text DEFAULT 'default')
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_load_history_teaching';
COMMENT ON FUNCTION hwsched.load_history(jsonb, boolean, text) IS
  'Loads a document as load_history() does, and if asked to teaches the pool what it loads of '
  'executions, as teach() does.';

CREATE FUNCTION hwsched.load_history(document jsonb, pool text DEFAULT 'default') RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_load_history';
COMMENT ON FUNCTION hwsched.load_history(jsonb, text) IS
  'Loads a document of history_json(), or one with a single object for each of execution_times, '
  'all or nothing; returns how many rows are new. Workers need not be registered.';
