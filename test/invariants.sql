-- What must hold at any time, whatever was killed; each row says what does not.
-- It only reads, in one snapshot, so it may be asked of a busy server, and of a
-- standby: psql -f test/invariants.sql
WITH unsettled AS NOT MATERIALIZED (
    SELECT a.* FROM hwsched.unsettled AS u JOIN hwsched.assignment AS a USING (pool, assignment_id)
),
-- what holds capacity: what is live, and what has completed and is not settled yet
held AS NOT MATERIALIZED (
    SELECT a.*, p.cpu_millicores, p.host_memory_bytes, p.device_memory_bytes, p.device_share, p.device_slots, p.allocation_strategy
    FROM (SELECT * FROM hwsched.assignment WHERE finished_at IS NULL UNION ALL SELECT * FROM unsettled) AS a
    JOIN hwsched.workload_profile AS p USING (pool, profile_id)
),
live AS NOT MATERIALIZED (
    SELECT a.*, p.cpu_millicores, p.host_memory_bytes, p.device_memory_bytes, p.device_share, p.device_slots, p.allocation_strategy
    FROM hwsched.assignment AS a JOIN hwsched.workload_profile AS p USING (pool, profile_id) WHERE a.finished_at IS NULL
),
slot AS (
    SELECT p.pool, s.value::bigint AS most FROM hwsched.pool AS p, hwsched.pool_settings(p.pool) AS s WHERE s.name = 'max_concurrent'
),
violation (what, detail) AS (
    -- usage of workers and of devices is the sum of what holds them
    SELECT 'worker usage', concat_ws(' ', pool, worker_id, u.assignments, u.cpu_millicores, u.host_memory_bytes, 'held', h.n, h.cpu, h.memory)
    FROM hwsched.worker_usage AS u
    LEFT JOIN (SELECT pool, worker_id, count(*) AS n, sum(cpu_millicores) AS cpu, sum(host_memory_bytes) AS memory
               FROM held GROUP BY pool, worker_id) AS h USING (pool, worker_id)
    WHERE (u.assignments, u.cpu_millicores, u.host_memory_bytes) IS DISTINCT FROM (coalesce(h.n, 0)::int, coalesce(h.cpu, 0)::bigint, coalesce(h.memory, 0)::bigint)
    UNION ALL
    SELECT 'device usage', concat_ws(' ', pool, worker_id, device_no, u.slots, u.share, u.memory_bytes, 'held', h.slots, h.share, h.memory)
    FROM hwsched.device_usage AS u
    LEFT JOIN (SELECT pool, worker_id, device_no, sum(device_slots) AS slots, sum(device_share) AS share, sum(device_memory_bytes) AS memory
               FROM held, unnest(device_nos) AS device_no GROUP BY pool, worker_id, device_no) AS h USING (pool, worker_id, device_no)
    WHERE (u.slots, u.share, u.memory_bytes) IS DISTINCT FROM (coalesce(h.slots, 0)::int, coalesce(h.share, 0)::int, coalesce(h.memory, 0)::bigint)
    UNION ALL
    -- and what the views say of them is what is live
    SELECT 'worker reserved', concat_ws(' ', pool, worker_id, r.assignments, r.cpu_millicores, r.host_memory_bytes, 'live', l.n, l.cpu, l.memory)
    FROM hwsched.worker_reserved AS r
    LEFT JOIN (SELECT pool, worker_id, count(*) AS n, sum(cpu_millicores) AS cpu, sum(host_memory_bytes) AS memory
               FROM live GROUP BY pool, worker_id) AS l USING (pool, worker_id)
    WHERE (r.assignments, r.cpu_millicores, r.host_memory_bytes) IS DISTINCT FROM (coalesce(l.n, 0)::int, coalesce(l.cpu, 0)::bigint, coalesce(l.memory, 0)::bigint)
    UNION ALL
    SELECT 'device reserved', concat_ws(' ', pool, worker_id, device_no, r.slots, r.share, r.memory_bytes, 'live', l.slots, l.share, l.memory)
    FROM hwsched.device_reserved AS r
    LEFT JOIN (SELECT pool, worker_id, device_no, sum(device_slots) AS slots, sum(device_share) AS share, sum(device_memory_bytes) AS memory
               FROM live, unnest(device_nos) AS device_no GROUP BY pool, worker_id, device_no) AS l USING (pool, worker_id, device_no)
    WHERE (r.slots, r.share, r.memory_bytes) IS DISTINCT FROM (coalesce(l.slots, 0)::int, coalesce(l.share, 0)::int, coalesce(l.memory, 0)::bigint)
    UNION ALL
    SELECT 'missing usage', concat_ws(' ', pool, worker_id, device_no)
    FROM hwsched.device AS d LEFT JOIN hwsched.device_usage AS u USING (pool, worker_id, device_no) WHERE u.pool IS NULL
    UNION ALL
    -- no device holds more than it has: slots and shares together, and memory. What
    -- runs on when its hardware is replaced may; what has not started goes elsewhere
    SELECT 'device capacity', concat_ws(' ', pool, worker_id, device_no, u.slots, u.share, u.memory_bytes)
    FROM hwsched.device_usage AS u JOIN hwsched.device AS d USING (pool, worker_id, device_no) JOIN slot AS s USING (pool)
    WHERE least(u.slots, u.share, u.memory_bytes) < 0 OR EXISTS (
        SELECT FROM live AS l WHERE l.pool = u.pool AND l.worker_id = u.worker_id AND u.device_no = ANY (l.device_nos) AND l.state = 'assigned'
        AND (u.slots * 1000000::bigint + u.share * s.most > 1000000 * s.most OR (u.memory_bytes > d.memory_bytes AND l.device_memory_bytes > 0)))
    UNION ALL
    -- nor does a worker: cores, memory with what its devices draw, assignments
    SELECT 'worker capacity', concat_ws(' ', pool, worker_id, u.assignments, u.cpu_millicores, u.host_memory_bytes, drawn)
    FROM hwsched.worker_usage AS u JOIN hwsched.worker AS w USING (pool, worker_id), LATERAL (
        SELECT coalesce(sum(g.memory_bytes), 0) AS drawn FROM hwsched.device_usage AS g JOIN hwsched.device AS d USING (pool, worker_id, device_no)
        WHERE g.pool = u.pool AND g.worker_id = u.worker_id AND d.uses_host_memory) AS m
    WHERE least(u.assignments, u.cpu_millicores, u.host_memory_bytes) < 0 OR EXISTS (
        SELECT FROM live AS l WHERE l.pool = u.pool AND l.worker_id = u.worker_id AND l.state = 'assigned'
        AND (u.assignments > w.max_concurrent OR (u.cpu_millicores > w.cpu_millicores AND l.cpu_millicores > 0)
             OR (u.host_memory_bytes + drawn > w.memory_bytes AND l.host_memory_bytes > 0)))
    UNION ALL
    -- who counts as full has no room for anything, or all the assignments it takes; a
    -- device that is out of use has none, and what is on probation takes one
    SELECT 'full', concat_ws(' ', pool, worker_id)
    FROM hwsched.worker_usage AS u JOIN hwsched.worker AS w USING (pool, worker_id) JOIN slot AS s USING (pool)
    WHERE u.is_full AND u.assignments < coalesce(CASE w.health WHEN 'probation' THEN 1 ELSE w.max_concurrent END, u.assignments + 1) AND EXISTS (
        SELECT FROM hwsched.device AS d JOIN hwsched.device_usage AS g USING (pool, worker_id, device_no)
        WHERE d.pool = u.pool AND d.worker_id = u.worker_id AND d.state = 'active' AND d.health <> 'quarantined'
        AND g.slots * 1000000::bigint + g.share * s.most < CASE d.health WHEN 'probation' THEN 1 ELSE 1000000 * s.most END)
    UNION ALL
    -- who is offline has lost its work
    SELECT 'offline', concat_ws(' ', w.pool, w.worker_id, count(*)) FROM hwsched.worker AS w JOIN live AS l USING (pool, worker_id)
    WHERE w.health = 'offline' GROUP BY w.pool, w.worker_id
    UNION ALL
    -- an open workload is in exactly one place: the queue, one attempt that is live,
    -- or an end of it that is not settled yet; a closed one in none
    SELECT 'place', concat_ws(' ', s.pool, s.workload_id, s.run, s.outcome, 'pending', p.n, 'live', l.n, 'unsettled', u.n)
    FROM hwsched.submission AS s
    LEFT JOIN (SELECT pool, workload_id, run, count(*) AS n FROM hwsched.pending GROUP BY 1, 2, 3) AS p USING (pool, workload_id, run)
    LEFT JOIN (SELECT pool, workload_id, run, count(DISTINCT attempt) AS n FROM live GROUP BY 1, 2, 3) AS l USING (pool, workload_id, run)
    LEFT JOIN (SELECT pool, workload_id, run, count(*) AS n FROM unsettled GROUP BY 1, 2, 3) AS u USING (pool, workload_id, run)
    WHERE (coalesce(p.n, 0) + coalesce(l.n, 0) + coalesce(u.n, 0) <> CASE WHEN s.outcome IS NULL THEN 1 ELSE 0 END
           -- members of a gang end one by one, some when it has been decided
           AND NOT EXISTS (SELECT FROM unsettled AS g WHERE g.pool = s.pool AND g.workload_id = s.workload_id AND g.run = s.run AND g.is_gang))
        OR (s.outcome IS NULL) <> (s.closed_at IS NULL)
    UNION ALL
    -- the queue has each workload where its submission says
    SELECT 'queue', concat_ws(' ', p.pool, p.workload_id, p.run, p.queue_no) FROM hwsched.pending AS p
    LEFT JOIN hwsched.submission AS s USING (pool, workload_id, run)
    WHERE (s.priority, s.deadline, s.queue_no, s.concurrency_keys, s.concurrency_units, s.run_at) IS DISTINCT FROM (p.priority, p.deadline, p.queue_no, p.concurrency_keys, p.concurrency_units, p.run_at)
    UNION ALL
    -- nothing is live of an older run, or of what nobody submitted, or in a pool that is gone
    SELECT 'stray', concat_ws(' ', pool, workload_id, run) FROM live
    WHERE NOT EXISTS (SELECT FROM hwsched.submission AS s WHERE s.pool = live.pool AND s.workload_id = live.workload_id AND s.run = live.run)
    UNION ALL
    SELECT 'no such pool', pool FROM (
        SELECT DISTINCT pool FROM hwsched.submission UNION SELECT pool FROM hwsched.pending UNION SELECT pool FROM hwsched.assignment
        UNION SELECT pool FROM hwsched.dependency UNION SELECT pool FROM hwsched.unsettled UNION SELECT pool FROM hwsched.load_history
        UNION SELECT pool FROM hwsched.recorded_assignment UNION SELECT pool FROM hwsched.recorded_execution UNION SELECT pool FROM hwsched.history_late) AS x
    WHERE pool NOT IN (SELECT pool FROM hwsched.pool)
    UNION ALL
    -- no two live members of a gang are the same, or on one worker; single work has one
    SELECT 'members', concat_ws(' ', pool, workload_id, run, count(*)) FROM live GROUP BY pool, workload_id, run
    HAVING count(DISTINCT shard_no) < count(*) OR count(DISTINCT worker_id) < count(*) OR (count(*) > 1 AND min(allocation_strategy) = 'single')
    UNION ALL
    -- no half gang: shards live on only while none of them is lost, replicas while they
    -- can make their quorum and have not; what is completed has all of it, or a quorum
    SELECT 'half gang', concat_ws(' ', pool, workload_id, run, attempt, strategy, outcome, lives, lost, completed, quorum)
    FROM (SELECT pool, workload_id, run, attempt, min(p.allocation_strategy) AS strategy, max(p.quorum) AS quorum, s.outcome,
              count(*) FILTER (WHERE a.finished_at IS NULL) AS lives,
              count(*) FILTER (WHERE a.state IN ('failed', 'expired', 'cancelled') AND started_at IS NOT NULL) AS lost,
              count(*) FILTER (WHERE a.state = 'completed') AS completed, max(attempt) OVER (PARTITION BY pool, workload_id, run) AS latest
          FROM hwsched.assignment AS a JOIN hwsched.workload_profile AS p USING (pool, profile_id) JOIN hwsched.submission AS s USING (pool, workload_id, run)
          WHERE p.allocation_strategy <> 'single'
          AND NOT EXISTS (SELECT FROM unsettled AS u WHERE u.pool = a.pool AND u.workload_id = a.workload_id AND u.run = a.run)
          GROUP BY pool, workload_id, run, attempt, s.outcome) AS gang
    WHERE (strategy = 'sharded' AND ((lives > 0 AND lost > 0) OR (outcome = 'completed' AND attempt = latest AND (completed = 0 OR lost > 0))))
        OR (strategy = 'replicated' AND ((lives > 0 AND (completed >= quorum OR completed + lives < quorum))
                                         OR (outcome = 'completed' AND attempt = latest AND completed < quorum)))
    UNION ALL
    -- each attempt of each shard ends in one way, or goes on
    SELECT 'attempt twice', concat_ws(' ', pool, workload_id, run, attempt, shard_no, count(*)) FROM hwsched.assignment
    WHERE state IN ('assigned', 'running', 'completed', 'failed') GROUP BY pool, workload_id, run, attempt, shard_no HAVING count(*) > 1
    UNION ALL
    -- attempts are 1 + retries at most; dead work has had them all
    SELECT 'attempts', concat_ws(' ', pool, workload_id, run, a.attempt) FROM hwsched.submission AS s
    JOIN (SELECT pool, workload_id, run, attempt FROM hwsched.assignment UNION ALL SELECT pool, workload_id, run, attempt FROM hwsched.pending) AS a
        USING (pool, workload_id, run) WHERE a.attempt > s.retries + 1
    UNION ALL
    SELECT 'died early', concat_ws(' ', s.pool, s.workload_id, s.run) FROM hwsched.submission AS s WHERE s.outcome = 'dead' AND NOT EXISTS (
        SELECT FROM hwsched.assignment AS a WHERE a.pool = s.pool AND a.workload_id = s.workload_id AND a.run = s.run
        AND a.attempt = s.retries + 1 AND a.state IN ('failed', 'expired'))
    UNION ALL
    -- what is completed is completed: its run is closed, or about to be, and was never placed again
    SELECT 'completion lost', concat_ws(' ', a.pool, a.workload_id, a.run, a.assignment_id, s.outcome)
    FROM hwsched.assignment AS a JOIN hwsched.workload_profile AS p USING (pool, profile_id) JOIN hwsched.submission AS s USING (pool, workload_id, run)
    WHERE a.state = 'completed' AND p.allocation_strategy = 'single' AND s.outcome IS DISTINCT FROM 'completed'
        AND NOT EXISTS (SELECT FROM hwsched.unsettled AS u WHERE u.pool = a.pool AND u.assignment_id = a.assignment_id)
    UNION ALL
    SELECT 'run again', concat_ws(' ', a.pool, a.workload_id, a.run, a.assignment_id, b.assignment_id)
    FROM hwsched.assignment AS a JOIN hwsched.workload_profile AS p USING (pool, profile_id)
    JOIN hwsched.assignment AS b ON b.pool = a.pool AND b.workload_id = a.workload_id AND b.run = a.run AND b.assignment_id > a.assignment_id
    WHERE a.state = 'completed' AND p.allocation_strategy = 'single'
    UNION ALL
    -- what is not settled has completed, failed or been given back, once, and waits for nothing else
    SELECT 'unsettled', concat_ws(' ', u.pool, u.assignment_id, a.state) FROM hwsched.unsettled AS u LEFT JOIN hwsched.assignment AS a USING (pool, assignment_id)
    WHERE a.state IS NULL OR a.state NOT IN ('completed', 'failed') AND (a.state, a.error) IS DISTINCT FROM ('expired', 'yielded')
    UNION ALL
    -- dependencies are of what waits, and on what has not completed; who has some is not ready
    SELECT 'dependency', concat_ws(' ', d.pool, d.workload_id, d.depends_on, s.outcome) FROM hwsched.dependency AS d
    LEFT JOIN hwsched.pending AS p USING (pool, workload_id) LEFT JOIN hwsched.submission AS s ON s.pool = d.pool AND s.workload_id = d.depends_on
    WHERE p.ready_at IS DISTINCT FROM 'infinity' OR s.outcome = 'completed'
    UNION ALL
    SELECT 'waits for nothing', concat_ws(' ', pool, workload_id) FROM hwsched.pending AS p
    WHERE ready_at = 'infinity' AND NOT EXISTS (SELECT FROM hwsched.dependency AS d WHERE d.pool = p.pool AND d.workload_id = p.workload_id)
    UNION ALL
    -- no more is held of a concurrency key than its limit, unless that was lowered; who is live holds its keys, once
    SELECT 'concurrency key', concat_ws(' ', u.pool, u.key, u.in_use, u.concurrent_limit, u.used_last_minute, u.per_minute_limit) FROM hwsched.limit_usage AS u
    WHERE (u.in_use > u.concurrent_limit OR u.used_last_minute > u.per_minute_limit)
        AND NOT EXISTS (SELECT FROM hwsched.settings_version AS v WHERE v.pool = u.pool AND v.version > 1)
    UNION ALL
    SELECT 'holder', concat_ws(' ', l.pool, l.workload_id, l.assignment_id, k.key) FROM live AS l
    JOIN hwsched.submission AS s USING (pool, workload_id, run) CROSS JOIN LATERAL unnest(s.concurrency_keys, s.concurrency_units) AS k(key, units)
    WHERE 1 <> (SELECT count(*) FROM hwsched.key_holder AS h WHERE h.pool = l.pool AND h.key = k.key AND h.units = k.units AND h.workload_id = l.workload_id
        AND l.assignment_id BETWEEN h.assignment_id AND h.last_assignment_id)
    UNION ALL
    -- a worker's kind of hardware is what it registered with, in both rows
    SELECT 'hardware', concat_ws(' ', w.pool, w.worker_id) FROM hwsched.worker AS w
    JOIN hwsched.worker_usage AS u USING (pool, worker_id) JOIN hwsched.worker_load AS l USING (pool, worker_id)
    LEFT JOIN hwsched.hardware AS h ON h.pool = w.pool AND h.hardware_id = u.hardware_id
    WHERE u.hardware_id <> l.hardware_id OR (h.cpu_millicores, h.memory_bytes, h.software_versions) IS DISTINCT FROM (w.cpu_millicores, w.memory_bytes, w.software_versions)
        OR h.device_profile_ids IS DISTINCT FROM ARRAY(SELECT d.profile_id FROM hwsched.device AS d WHERE d.pool = w.pool AND d.worker_id = w.worker_id ORDER BY d.device_no)
    UNION ALL
    -- times are in order and agree with the state
    SELECT 'times', concat_ws(' ', pool, assignment_id, state) FROM hwsched.assignment
    WHERE (finished_at IS NOT NULL) <> (state NOT IN ('assigned', 'running')) OR (state = 'running' AND (started_at IS NULL OR lease_until IS NULL))
        OR (state = 'assigned' AND started_at IS NOT NULL) OR (state <> 'running' AND lease_until IS NOT NULL)
        OR started_at < assigned_at OR finished_at < coalesce(started_at, assigned_at) OR (state = 'completed' AND started_at IS NULL)
    UNION ALL
    -- what is live is on devices that suit it, of a worker that is there; the 2 units
    -- that any work asks for are not asked of a device that does not say how many it has
    SELECT 'unsuited', concat_ws(' ', l.pool, l.assignment_id) FROM live AS l
    WHERE NOT EXISTS (SELECT FROM hwsched.worker AS w WHERE w.pool = l.pool AND w.worker_id = l.worker_id) OR (l.state = 'assigned' AND (
        SELECT bool_and(hwsched.is_compatible(CASE WHEN dp.compute_units = 0 AND p.profile @> '{"min_compute_units": 2}'
                   THEN p.profile || '{"min_compute_units": 0}' ELSE p.profile END, dp.profile)) AND count(*) = cardinality(l.device_nos)
        FROM hwsched.workload_profile AS p, unnest(l.device_nos) AS no
        JOIN hwsched.device AS d ON d.pool = l.pool AND d.worker_id = l.worker_id AND d.device_no = no
        JOIN hwsched.device_profile AS dp ON dp.pool = d.pool AND dp.profile_id = d.profile_id
        WHERE p.pool = l.pool AND p.profile_id = l.profile_id) IS NOT TRUE)
)
SELECT what, detail FROM violation ORDER BY what, detail;
