-- Functions on work: submitting, deciding, running.

CREATE FUNCTION hwsched.submit(requirements jsonb, pool text DEFAULT 'default') RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_submit';
COMMENT ON FUNCTION hwsched.submit(jsonb, text) IS
  'Submits a workload and returns its id. An id that is still open is a unique violation; its '
  'dependencies have to be known, and must not depend on it.';

CREATE FUNCTION hwsched.check_requirements(requirements jsonb, pool text DEFAULT 'default',
    OUT path text, OUT severity text, OUT message text, OUT hint text)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_check_requirements';
COMMENT ON FUNCTION hwsched.check_requirements(jsonb, text) IS
  'Returns what submit() would refuse (error), warn of (warning) and infer (info).';

CREATE FUNCTION hwsched.submit_many(requirements jsonb, pool text DEFAULT 'default',
    on_duplicate text DEFAULT 'error')
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_submit_many';
COMMENT ON FUNCTION hwsched.submit_many(jsonb, text, text) IS
  'Submits an array of workloads, all or none, and returns their number. They may depend on each '
  'other, in any order. With on_duplicate skip, those that are open or stand twice in the array '
  'are passed over.';

CREATE FUNCTION hwsched.schedule(workload_id text, pool text DEFAULT 'default')
    RETURNS SETOF hwsched.assignment
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_schedule';
COMMENT ON FUNCTION hwsched.schedule(text, text) IS
  'Places one pending workload now. Returns no row if nothing fits or it has to wait for others; '
  'it then stays pending.';

CREATE FUNCTION hwsched.assign_pending(max_workloads int DEFAULT NULL, pool text DEFAULT 'default')
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_assign_pending';
COMMENT ON FUNCTION hwsched.assign_pending(int, text) IS
  'Places the queue, or its first max_workloads, in one batch, at most the pool''s batch_window; '
  'returns the number of placed workloads. Returns 0 at once when another batch is at work in this '
  'pool; waits for whoever else has locked it.';

CREATE FUNCTION hwsched.plan_pending(max_workloads int DEFAULT NULL, pool text DEFAULT 'default',
    OUT workload_id text, OUT worker_id text, OUT device_nos int[], OUT shard_no int,
    OUT score float8, OUT predicted_seconds float8)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_plan_pending';
COMMENT ON FUNCTION hwsched.plan_pending(int, text) IS
  'Returns the placements that assign_pending() would make now; writes nothing.';

CREATE FUNCTION hwsched.claim(worker_id text, max_assignments int DEFAULT 1,
    steal boolean DEFAULT true, pool text DEFAULT 'default')
    RETURNS SETOF hwsched.assignment
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_claim';
COMMENT ON FUNCTION hwsched.claim(text, int, boolean, text) IS
  'Starts and leases up to max_assignments assignments of a worker. If it has none, it takes '
  'pending work that fits and, with steal, work that other workers have not started.';

CREATE FUNCTION hwsched.start(assignment_id bigint, pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_start';
COMMENT ON FUNCTION hwsched.start(bigint, text) IS 'Starts an assigned assignment and leases it.';

CREATE FUNCTION hwsched.extend_lease(assignment_id bigint, by interval, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_extend_lease';
COMMENT ON FUNCTION hwsched.extend_lease(bigint, interval, text) IS
  'Extends the lease of a running assignment to some time from now, if that is later.';

CREATE FUNCTION hwsched.requirements(assignment_id bigint, pool text DEFAULT 'default')
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET extra_float_digits = '1'
    AS 'MODULE_PATHNAME', 'hwsched_requirements';
COMMENT ON FUNCTION hwsched.requirements(bigint, text) IS
  'Returns the requirements of a live assignment as submitted, with test_id and timeout filled '
  'in. A worker reads those of its own assignments.';

CREATE FUNCTION hwsched.running_on(worker_id text, pool text DEFAULT 'default')
    RETURNS SETOF hwsched.assignment
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_running_on';
COMMENT ON FUNCTION hwsched.running_on(text, text) IS
  'Returns the running assignments of a worker, as the server has them. A worker that comes back '
  'asks, and fails those that it does not know: its own reports would keep their leases.';

CREATE FUNCTION hwsched.complete(assignment_id bigint, result jsonb DEFAULT NULL,
    pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_complete';
COMMENT ON FUNCTION hwsched.complete(bigint, jsonb, text) IS
  'Completes a running assignment, with a result, and its workload: a sharded one with the last '
  'of its shards, a replicated one with its quorum; the other replicas are then cancelled.';

CREATE FUNCTION hwsched.complete_many(assignment_ids bigint[], pool text DEFAULT 'default')
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_complete_many';
COMMENT ON FUNCTION hwsched.complete_many(bigint[], text) IS
  'Completes running assignments as complete() does, all or none, and returns their number.';

CREATE FUNCTION hwsched.next(worker_id text, finished bigint[] DEFAULT '{}',
    max_assignments int DEFAULT 1, steal boolean DEFAULT true, results jsonb DEFAULT NULL,
    pool text DEFAULT 'default')
    RETURNS SETOF hwsched.assignment
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_next';
COMMENT ON FUNCTION hwsched.next(text, bigint[], int, boolean, jsonb, text) IS
  'Completes what a worker has finished, with results by assignment_id, and claims what comes '
  'next as claim() does, in one transaction: all or nothing.';

CREATE FUNCTION hwsched.fail(assignment_id bigint, error text, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_fail';
COMMENT ON FUNCTION hwsched.fail(bigint, text, text) IS
  'Fails a live assignment. The workload goes back to its place in the queue, or is dead after '
  'its last attempt; its other shards are cancelled, or its other replicas if they make no '
  'quorum any more.';

CREATE FUNCTION hwsched.fail(assignment_id bigint, error text, result jsonb,
    pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_fail_with_result';
COMMENT ON FUNCTION hwsched.fail(bigint, text, jsonb, text) IS
  'Fails a live assignment likewise, and keeps what the run left as its result.';

CREATE FUNCTION hwsched.progress(assignment_id bigint, ratio float8, note jsonb DEFAULT NULL,
    pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_progress';
COMMENT ON FUNCTION hwsched.progress(bigint, float8, jsonb, text) IS
  'Reports how much of a running assignment is done, 0..1, with a note; both stand in '
  'running_work. A sign of life, which renews the assignment''s lease. A note stays until the '
  'next one.';

CREATE FUNCTION hwsched.yield_work(assignment_id bigint, note jsonb DEFAULT NULL,
    pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_yield_work';
COMMENT ON FUNCTION hwsched.yield_work(bigint, jsonb, text) IS
  'Gives running work back to its place in the queue, without a failed attempt and without '
  'waiting. The note stands in requirements() of the next run, under the key note. What '
  'heartbeat() tells to yield is in the queue already, and only leaves its note.';

CREATE FUNCTION hwsched.cancel(workload_id text, pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_cancel';
COMMENT ON FUNCTION hwsched.cancel(text, text) IS
  'Cancels a workload that is pending, assigned or running. Workloads that depend on it do what '
  'their on_failed_dependency says; by default they wait until it runs again and is completed.';

CREATE FUNCTION hwsched.alter_workload(workload_id text, changes jsonb, reason text DEFAULT NULL,
    pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_alter_workload';
COMMENT ON FUNCTION hwsched.alter_workload(text, jsonb, text, text) IS
  'Changes the requirements of a workload that is pending; one that is assigned goes back to the '
  'queue first. Each key of changes replaces that of the requirements, and null removes it. The '
  'workload keeps its place in the queue and its attempts.';

CREATE FUNCTION hwsched.cancel_many(filter jsonb, pool text DEFAULT 'default') RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_cancel_many';
COMMENT ON FUNCTION hwsched.cancel_many(jsonb, text) IS
  'Cancels all open workloads that meet a filter, and returns their number. Its keys: state, '
  'workload_type, tenant, group, error_class (a name or several), labels, submitted_before; all '
  'of them are met, and {} by every open workload.';

CREATE FUNCTION hwsched.retry_many(filter jsonb, pool text DEFAULT 'default') RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_retry_many';
COMMENT ON FUNCTION hwsched.retry_many(jsonb, text) IS
  'Puts all dead workloads that meet a filter, as in cancel_many(), back into the queue as '
  'retry_dead() does, and returns their number.';

CREATE FUNCTION hwsched.rebalance(max_moves int, pool text DEFAULT 'default') RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_rebalance';
COMMENT ON FUNCTION hwsched.rebalance(int, text) IS
  'Moves up to max_moves assignments that have not started from busy workers to less busy ones, '
  'and returns their number.';

CREATE FUNCTION hwsched.retry_dead(workload_id text, pool text DEFAULT 'default') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_retry_dead';
COMMENT ON FUNCTION hwsched.retry_dead(text, text) IS
  'Puts a dead workload back into its place in the queue, with as many attempts as it had at '
  'first.';

CREATE FUNCTION hwsched.maintain(pool text DEFAULT 'default', OUT expired bigint,
    OUT timed_out bigint, OUT offline bigint, OUT tried_again bigint, OUT forgotten bigint,
    OUT more boolean)
    RETURNS record
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_maintain';
COMMENT ON FUNCTION hwsched.maintain(text) IS
  'Does what is due: takes back work whose lease has run out (expired), that has run for too long'
  ' (timed_out), or that is on a silent worker (offline); cancels what has not started by its '
  'expires_at; tries workers again whose quarantine is over (tried_again); deletes rows older than '
  'the pool''s retention (forgotten; days that no pool keeps are dropped beside that); rolls '
  'history up. Takes back the pool''s maintain_batch at most; more says whether something is left '
  'for the next call.';
