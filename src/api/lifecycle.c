/*
 * lifecycle.c
 *		What workers and coordinators do with assignments: claiming, starting,
 *		completing, failing and cancelling.
 *
 * An assignment goes from assigned to running to one of its final states.
 * Each step is one UPDATE that names the state it starts from, so of two
 * callers one takes the step and the other is told the state.  Locks are taken
 * in the order pool, assignments, load.  What is done most, starting work that
 * is assigned and completing it, changes the assignment and nothing else (see
 * api/settle.c); for all that touches usage or the queue the pool is locked.  Times are in the order of the steps, even if a
 * transaction that takes one began before the step before was taken.
 */
#include "postgres.h"

#include "store/authz.h"
#include "access/xact.h"
#include "support/args.h"
#include "api/assign.h"
#include "snapshot/context.h"
#include "document/error_class.h"
#include "store/dependency.h"
#include "funcapi.h"
#include "store/health.h"
#include "learn/track_record.h"
#include "api/rebalance.h"
#include "store/assignment.h"
#include "api/settle.h"
#include "support/spi_plan.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"
#include "api/worker.h"
#include "api/submit.h"

PG_FUNCTION_INFO_V1(claim);
PG_FUNCTION_INFO_V1(start_assignment);
PG_FUNCTION_INFO_V1(extend_lease);
PG_FUNCTION_INFO_V1(complete);
PG_FUNCTION_INFO_V1(complete_many);
PG_FUNCTION_INFO_V1(fail);
PG_FUNCTION_INFO_V1(cancel);
PG_FUNCTION_INFO_V1(retry_dead);

/* --- one assignment, by its id --- */

/*
 * Finds the state of an assignment and checks that the caller may act for its
 * worker.  Returns whether it is a member of a gang.  Raises
 * ERRCODE_NO_DATA_FOUND for an unknown one.
 */
static bool
find_assignment(const Caller *caller, const char *pool, int64 assignment_id, char **state)
{
	static SpiPlan statement = {
		"SELECT worker_id, state::text, is_gang FROM hwsched.assignment WHERE pool = $1 AND assignment_id = $2",
		{TEXTOID, INT8OID}
	};
	char	   *worker_id;
	bool		gang;

	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id)) == 0)
	{
		pool_check(pool, false);
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("unknown assignment %lld in pool \"%s\"", (long long) assignment_id, pool)));
	}
	worker_id = column_text(0, 1);
	*state = column_text(0, 2);
	gang = column_bool(0, 3);
	authz_check_worker(caller, pool, worker_id);
	return gang;
}

/* Raises that an assignment is not in the state that a step starts from. */
static void pg_attribute_noreturn()
assignment_not_in_state(const Caller *caller, const char *pool, int64 assignment_id, const char *action, const char *needed)
{
	char	   *state;

	(void) find_assignment(caller, pool, assignment_id, &state);
	if (strcmp(state, "expired") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("assignment %lld is expired: its lease is lost", (long long) assignment_id),
				 errdetail("The work was taken back and may run elsewhere."),
				 errhint("Drop the result and claim new work.")));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("assignment %lld is %s", (long long) assignment_id, state),
			 errdetail("Only an assignment that is %s can be %s.", needed, action)));
}

/* start(assignment_id bigint, pool text) RETURNS void */
Datum
start_assignment(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"UPDATE hwsched.assignment SET state = 'running', started_at = greatest(now(), assigned_at),"
		"  lease_until = now() + make_interval(secs => $3)"
		" WHERE pool = $1 AND assignment_id = $2 AND state = 'assigned'",
		{TEXTOID, INT8OID, FLOAT8OID}
	};
	int64		assignment_id = bigint_argument(0);
	char	   *pool = text_argument(fcinfo, 1);
	char	   *state;
	PoolSettings settings;
	Caller		caller;

	caller = call_begin(fcinfo);
	pool_settings_load(pool, false, &settings);
	(void) find_assignment(&caller, pool, assignment_id, &state);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id),
					  VALUE(Float8GetDatum(settings.lease))) == 0)
		assignment_not_in_state(&caller, pool, assignment_id, "started", "assigned");
	call_end(&caller);
	PG_RETURN_VOID();
}

/* extend_lease(assignment_id bigint, by interval, pool text) RETURNS void */
Datum
extend_lease(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"UPDATE hwsched.assignment SET lease_until = greatest(lease_until, now() + $3)"
		" WHERE pool = $1 AND assignment_id = $2 AND state = 'running'",
		{TEXTOID, INT8OID, INTERVALOID}
	};
	int64		assignment_id = bigint_argument(0);
	Datum		by = argument(fcinfo, 1);
	static const Interval nothing = {0, 0, 0};
	static const Interval one_year = {0, 0, 12};
	char	   *pool = text_argument(fcinfo, 2);
	char	   *state;
	Caller		caller;

	if (DatumGetBool(DirectFunctionCall2(interval_le, by, IntervalPGetDatum(&nothing))) ||
		DatumGetBool(DirectFunctionCall2(interval_gt, by, IntervalPGetDatum(&one_year))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"by\": %s", DatumGetCString(DirectFunctionCall1(interval_out, by))),
				 errdetail("Expected an interval above 0, of at most a year.")));
	caller = call_begin(fcinfo);
	(void) find_assignment(&caller, pool, assignment_id, &state);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id), VALUE(by)) == 0)
		assignment_not_in_state(&caller, pool, assignment_id, "extended", "running");
	call_end(&caller);
	PG_RETURN_VOID();
}

/* --- completing --- */

/*
 * Completes a running assignment that is no member of a gang, and notes it for
 * whoever settles the pool next; returns whether it did.
 */
static bool
finish(const char *pool, int64 assignment_id, Parameter result)
{
	static SpiPlan statement = {
		"WITH ended AS (UPDATE hwsched.assignment a SET state = 'completed', lease_until = NULL,"
		"   finished_at = greatest(now(), a.assigned_at, a.started_at), result = $3"
		"  WHERE a.pool = $1 AND a.assignment_id = $2 AND a.state = 'running' AND a.finished_at IS NULL AND NOT a.is_gang"
		"  RETURNING a.assignment_id)"
		" INSERT INTO hwsched.unsettled (pool, assignment_id) SELECT $1, assignment_id FROM ended",
		{TEXTOID, INT8OID, JSONBOID}
	};

	return spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id), result) > 0;
}

/* Completes members of gangs, which may end others, and settles at once; the pool is locked. */
static int
finish_members(const char *pool, const int64 *ids, int count, Jsonb *result)
{
	PoolSettings settings;
	EndedAssignment *ended;
	int			n = end_assignments(pool, ids, count, true, "completed", NULL, NULL, result, &ended);

	pool_settings_load(pool, false, &settings);
	complete_workloads(pool, ended, n);
	learn_from(pool, &settings, ended, n, true);
	health_succeeded(pool, ended, n);
	return n;
}

/* complete(assignment_id bigint, result jsonb, pool text) RETURNS void */
Datum
complete(PG_FUNCTION_ARGS)
{
	int64		assignment_id = bigint_argument(0);
	char	   *pool = text_argument(fcinfo, 2);
	Jsonb	   *result = PG_ARGISNULL(1) ? NULL : jsonb_argument(1);
	char	   *state;
	Caller		caller;

	caller = call_begin(fcinfo);
	pool_keep(pool);
	if (authz_is_limited(&caller))
		(void) find_assignment(&caller, pool, assignment_id, &state);
	if (!finish(pool, assignment_id, result == NULL ? NULL_VALUE : VALUE(JsonbPGetDatum(result))))
	{
		if (find_assignment(&caller, pool, assignment_id, &state))
			pool_lock(pool);
		if (finish_members(pool, &assignment_id, 1, result) == 0)
			assignment_not_in_state(&caller, pool, assignment_id, "completed", "running");
	}
	call_end(&caller);
	PG_RETURN_VOID();
}

static int
compare_bigints(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* Returns the different numbers of an array in order, and sets *count. */
static int64 *
distinct_bigints(ArrayType *array, int *count)
{
	Datum	   *elements;
	bool	   *nulls;
	int64	   *numbers;
	int			nelements;
	int			n = 0;
	int			kept = 0;

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &nelements);
	numbers = palloc(sizeof(int64) * (nelements + 1));
	for (int i = 0; i < nelements; i++)
		if (!nulls[i])
			numbers[n++] = DatumGetInt64(elements[i]);
	qsort(numbers, n, sizeof(int64), compare_bigints);
	for (int i = 0; i < n; i++)
		if (i == 0 || numbers[i] != numbers[i - 1])
			numbers[kept++] = numbers[i];
	*count = kept;
	return numbers;
}

/* Raises that one of some assignments, whose ids are in order, is not running: the first without a row in SPI_tuptable. */
static void pg_attribute_noreturn()
some_not_running(const Caller *caller, const char *pool, const int64 *ids)
{
	int64	   *found = palloc(sizeof(int64) * (SPI_processed + 1));
	int			n = (int) SPI_processed;
	int			missing = 0;

	for (int i = 0; i < n; i++)
		found[i] = column_bigint(i, 1);
	qsort(found, n, sizeof(int64), compare_bigints);
	while (missing < n && found[missing] == ids[missing])
		missing++;
	assignment_not_in_state(caller, pool, ids[missing], "completed", "running");
}

/*
 * Completes running assignments, some of which are members of gangs: all are
 * locked in the order of their ids, as everybody does, under the pool's lock.
 */
static void
finish_gangs(const Caller *caller, const char *pool, const int64 *ids, int count, Parameter array)
{
	static SpiPlan lock = {
		"SELECT assignment_id FROM hwsched.assignment WHERE pool = $1 AND assignment_id = ANY ($2)"
		"  AND state = 'running' AND finished_at IS NULL ORDER BY assignment_id FOR NO KEY UPDATE",
		{TEXTOID, INT8ARRAYOID}
	};

	pool_lock(pool);
	if (spi_plan_run(&lock, false, TEXT_VALUE(pool), array) < count)
		some_not_running(caller, pool, ids);
	finish_members(pool, ids, count, NULL);
}

/* complete_many(assignment_ids bigint[], pool text) RETURNS bigint: all or nothing */
Datum
complete_many(PG_FUNCTION_ARGS)
{
	static SpiPlan check = {
		"SELECT DISTINCT worker_id FROM hwsched.assignment WHERE pool = $1 AND assignment_id = ANY ($2)",
		{TEXTOID, INT8ARRAYOID}
	};
	/* in an index that is next to empty */
	static SpiPlan members = {
		"SELECT FROM hwsched.assignment WHERE pool = $1 AND assignment_id = ANY ($2) AND is_gang AND finished_at IS NULL LIMIT 1",
		{TEXTOID, INT8ARRAYOID}
	};
	/* along the index, so that two callers never wait in a circle */
	static SpiPlan finish_all = {
		"UPDATE hwsched.assignment SET state = 'completed', lease_until = NULL,"
		"  finished_at = greatest(now(), assigned_at, started_at)"
		" WHERE pool = $1 AND assignment_id = ANY ($2) AND state = 'running' AND finished_at IS NULL"
		" RETURNING assignment_id",
		{TEXTOID, INT8ARRAYOID}, ALONG_INDEX
	};
	static SpiPlan note = {
		"INSERT INTO hwsched.unsettled (pool, assignment_id) SELECT $1, unnest($2)", {TEXTOID, INT8ARRAYOID}
	};
	char	   *pool = text_argument(fcinfo, 1);
	int			count;
	int64	   *ids = distinct_bigints(DatumGetArrayTypeP(argument(fcinfo, 0)), &count);
	Datum	   *datums = palloc(sizeof(Datum) * (count + 1));
	Parameter	array;
	Caller		caller;

	caller = call_begin(fcinfo);
	pool_check(pool, false);
	for (int i = 0; i < count; i++)
		datums[i] = Int64GetDatum(ids[i]);
	array = array_value(INT8OID, datums, NULL, count);
	if (authz_is_limited(&caller))
	{
		int			nworkers = (int) spi_plan_run(&check, false, TEXT_VALUE(pool), array);
		char	  **workers = palloc(sizeof(char *) * (nworkers + 1));

		for (int i = 0; i < nworkers; i++)
			workers[i] = column_text(i, 1);
		for (int i = 0; i < nworkers; i++)
			authz_check_worker(&caller, pool, workers[i]);
	}
	if (spi_plan_run(&members, false, TEXT_VALUE(pool), array) > 0)
		finish_gangs(&caller, pool, ids, count, array);
	else if (count > 0)
	{
		if (spi_plan_run(&finish_all, false, TEXT_VALUE(pool), array) < count)
			some_not_running(&caller, pool, ids);
		spi_plan_run(&note, false, TEXT_VALUE(pool), array);
	}
	call_end(&caller);
	PG_RETURN_INT64(count);
}

/* --- failing and cancelling --- */

/* fail(assignment_id bigint, error text, pool text) RETURNS void */
Datum
fail(PG_FUNCTION_ARGS)
{
	int64		assignment_id = bigint_argument(0);
	char	   *pool = text_argument(fcinfo, 2);
	char	   *error = NULL;
	char	   *state;
	PoolSettings settings;
	EndedAssignment *ended;
	Caller		caller;

	caller = call_begin(fcinfo);
	if (!PG_ARGISNULL(1))
		error = text_argument(fcinfo, 1);
	pool_settings_load(pool, false, &settings);
	(void) find_assignment(&caller, pool, assignment_id, &state);
	pool_lock(pool);
	if (end_assignments(pool, &assignment_id, 1, false, "failed", error, error_class_of(error), NULL, &ended) == 0)
		assignment_not_in_state(&caller, pool, assignment_id, "failed", "assigned or running");
	requeue(pool, ended, 1, true);
	learn_from(pool, &settings, ended, 1, false);
	health_failed(pool, &settings, ended, 1);
	call_end(&caller);
	PG_RETURN_VOID();
}

/* cancel(workload_id text, pool text) RETURNS void */
Datum
cancel(PG_FUNCTION_ARGS)
{
	/*
	 * Work leaves the live assignments for the queue, never the other way round
	 * while the pool is locked, so looking in this order misses nothing.  Who
	 * submits it again does not lock the pool: so what was closed is closed
	 * before the queue is looked at.
	 */
	static SpiPlan dequeue = {
		"DELETE FROM hwsched.pending p USING hwsched.submission s WHERE s.pool = $1 AND s.workload_id = $2"
		" AND p.pool = s.pool AND p.priority = s.priority AND p.deadline = s.deadline AND p.queue_no = s.queue_no",
		{TEXTOID, TEXTOID}
	};
	static SpiPlan close = {
		"UPDATE hwsched.submission SET outcome = 'cancelled', closed_at = greatest(now(), submitted_at)"
		" WHERE pool = $1 AND workload_id = $2 AND outcome IS NULL",
		{TEXTOID, TEXTOID}
	};
	char	   *workload_id = text_argument(fcinfo, 0);
	char	   *pool = text_argument(fcinfo, 1);
	EndedAssignment *ended;
	int64	   *ids;
	int			n;

	SPI_connect();
	pool_check(pool, false);
	pool_lock(pool);
	n = live_assignments(pool, NULL, workload_id, &ids);
	end_assignments(pool, ids, n, false, "cancelled", NULL, NULL, NULL, &ended);
	/* what was completed before we got at it */
	settle(pool);
	if (spi_plan_run(&close, false, TEXT_VALUE(pool), TEXT_VALUE(workload_id)) == 0)
		workload_not_in_state(pool, workload_id, "cancelled", "pending, assigned or running");
	spi_plan_run(&dequeue, false, TEXT_VALUE(pool), TEXT_VALUE(workload_id));
	dependencies_forget(pool, workload_id);
	SPI_finish();
	PG_RETURN_VOID();
}

/* retry_dead(workload_id text, pool text) RETURNS void */
Datum
retry_dead(PG_FUNCTION_ARGS)
{
	/* Its last attempt was the last that it was allowed; after it come as many as it was given at first. */
#define GIVEN "(1 + coalesce(nullif(s.requirements -> 'retries', 'null')::int, $3))"
	static SpiPlan revive = {
		"WITH revived AS (UPDATE hwsched.submission s SET outcome = NULL, closed_at = NULL, retries = s.retries + " GIVEN
		"  WHERE s.pool = $1 AND s.workload_id = $2 AND s.outcome = 'dead' RETURNING s.*, s.retries + 2 - " GIVEN " AS attempt)"
		" INSERT INTO hwsched.pending (pool, priority, deadline, queue_no, profile_id, run, attempt, expected_seconds, workload_id,"
		"  model_id, model_family, concurrency_key, submitted_at)"
		" SELECT pool, priority, deadline, queue_no, profile_id, run, attempt, expected_seconds, workload_id,"
		"  model_id, model_family, concurrency_key, submitted_at FROM revived",
		{TEXTOID, TEXTOID, INT4OID}
	};
	char	   *workload_id = text_argument(fcinfo, 0);
	char	   *pool = text_argument(fcinfo, 1);

	SPI_connect();
	pool_check(pool, false);
	pool_lock(pool);
	if (spi_plan_run(&revive, false, TEXT_VALUE(pool), TEXT_VALUE(workload_id), INT_VALUE(DEFAULT_RETRIES)) == 0)
		workload_not_in_state(pool, workload_id, "retried", "dead");
	SPI_finish();
	PG_RETURN_VOID();
}

/* --- claiming --- */

/*
 * Up to where a session has claimed a worker's work.  What is claimed and done
 * stays in the index until it is vacuumed, which it is not while a snapshot
 * elsewhere is held open; walking past all of it, from the beginning each time,
 * would make claiming slower and slower.
 *
 * It is forgotten after a moment: another session may have left something
 * behind, and more urgent work may have come.  A walk that took long is
 * repeated less often, so that walking takes a small part of the time.
 */
typedef struct ClaimMark
{
	char		pool[201];
	char		worker_id[1001];
	int32		priority;
	int64		assignment_id;
	TimestampTz good_until;
} ClaimMark;

#define MARK_LASTS_US 100000
#define MARK_LASTS_WALKS 20
#define MARK_LASTS_AT_MOST_US 1000000

static ClaimMark mark;

static bool
mark_is_good(const char *pool, const char *worker_id, TimestampTz now)
{
	/* nor is one from the future: the clock has been set back */
	return now < mark.good_until && now >= mark.good_until - MARK_LASTS_AT_MOST_US &&
		strcmp(mark.pool, pool) == 0 && strcmp(mark.worker_id, worker_id) == 0;
}

/* Moves the mark to the last of the assignments in SPI_tuptable. */
static void
move_mark(const char *pool, const char *worker_id, uint64 started, TimestampTz now)
{
	TupleDesc	description = SPI_tuptable->tupdesc;
	bool		isnull;

	if (!mark_is_good(pool, worker_id, now))
	{
		if (strlcpy(mark.pool, pool, sizeof(mark.pool)) >= sizeof(mark.pool) ||
			strlcpy(mark.worker_id, worker_id, sizeof(mark.worker_id)) >= sizeof(mark.worker_id))
			return;
		mark.good_until = now + Min(MARK_LASTS_US + MARK_LASTS_WALKS * (GetCurrentTimestamp() - now), MARK_LASTS_AT_MOST_US);
	}
	mark.priority = DatumGetInt16(column(started - 1, SPI_fnumber(description, "priority"), &isnull));
	mark.assignment_id = column_bigint(started - 1, SPI_fnumber(description, "assignment_id"));
}

/* Does what start_assigned() does where priorities age: they do while work is assigned, too. */
static uint64
start_aged(const char *pool, const char *worker_id, int n, const PoolSettings *settings)
{
#define AGED(a) "greatest(1, " a ".priority - floor($5 * date_part('epoch', now() - " a ".assigned_at) / 3600))"
	static SpiPlan statement = {
		"WITH started AS (UPDATE hwsched.assignment a SET state = 'running', started_at = greatest(now(), a.assigned_at),"
		"  lease_until = now() + make_interval(secs => $4)"
		" WHERE a.pool = $1 AND a.finished_at IS NULL AND a.ctid = ANY (ARRAY("
		"  SELECT b.ctid FROM hwsched.assignment b"
		"  WHERE b.pool = $1 AND b.worker_id = $2 AND b.finished_at IS NULL AND b.state = 'assigned'"
		"  ORDER BY " AGED("b") ", b.assignment_id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)) RETURNING a.*)"
		" SELECT s.* FROM started s ORDER BY " AGED("s") ", s.assignment_id",
		{TEXTOID, TEXTOID, INT4OID, FLOAT8OID, FLOAT8OID}
	};

	return spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id), INT_VALUE(n),
						 VALUE(Float8GetDatum(settings->lease)), VALUE(Float8GetDatum(settings->ageing)));
}

/* Starts up to n of the worker's assigned work; leaves the rows in SPI_tuptable. */
static uint64
start_assigned(const char *pool, const char *worker_id, int n, const PoolSettings *settings)
{
#define START_SQL(which) \
	"UPDATE hwsched.assignment a SET state = 'running', started_at = greatest(now(), a.assigned_at)," \
	"  lease_until = now() + make_interval(secs => $4)" \
	" WHERE a.pool = $1 AND a.finished_at IS NULL AND a.ctid = " which "(" \
	"  SELECT b.ctid FROM hwsched.assignment b" \
	"  WHERE b.pool = $1 AND b.worker_id = $2 AND b.finished_at IS NULL AND b.state = 'assigned'" \
	"   AND (b.priority, b.assignment_id) > ($5, $6)" \
	"  ORDER BY b.priority, b.assignment_id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)"
#define START_TYPES {TEXTOID, TEXTOID, INT4OID, FLOAT8OID, INT4OID, INT8OID}
	/* one needs no order, and is most often asked for */
	static SpiPlan one = {START_SQL("") " RETURNING a.*", START_TYPES};
	static SpiPlan some = {
		"WITH started AS (" START_SQL("ANY (ARRAY") ") RETURNING a.*)"
		" SELECT * FROM started ORDER BY priority, assignment_id", START_TYPES
	};
	TimestampTz now = GetCurrentTimestamp();
	bool		marked = mark_is_good(pool, worker_id, now);
	uint64		started;

	if (settings->ageing > 0)
		return start_aged(pool, worker_id, n, settings);
	started = spi_plan_run(n == 1 ? &one : &some, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id), INT_VALUE(n),
							VALUE(Float8GetDatum(settings->lease)), INT_VALUE(marked ? mark.priority : 0),
							BIGINT_VALUE(marked ? mark.assignment_id : 0));
	if (started == 0 && marked)
	{
		mark.good_until = 0;
		return start_assigned(pool, worker_id, n, settings);
	}
	if (started > 0)
		move_mark(pool, worker_id, started, now);
	return started;
}

/*
 * Does so while the pool is not locked.  Returns false if nothing was started
 * and the caller must not wait for the pool: what another has just claimed is
 * not started, but may well have been locked by the time that is known.
 */
static bool
start_assigned_first(const char *pool, const char *worker_id, int n, const PoolSettings *settings, uint64 *started)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	if (!TransactionIdIsValid(GetCurrentTransactionIdIfAny()))
	{
		/* whoever has locked a row has a transaction id */
		*started = start_assigned(pool, worker_id, n, settings);
		return *started > 0 || !TransactionIdIsValid(GetCurrentTransactionIdIfAny());
	}
	/* in a longer transaction, a lock is given up again with a part of it */
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	*started = start_assigned(pool, worker_id, n, settings);
	if (*started > 0)
		ReleaseCurrentSubTransaction();
	else
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return true;
}

/* Leaves one worker as the only one that gets anything. */
static void
bar_others(PoolSnapshot *snapshot, const char *worker_id)
{
	int			keep = fleet_worker(&snapshot->fleet, worker_id);

	for (int w = 0; w < snapshot->fleet.nworkers; w++)
		if (w != keep)
			search_cordon(&snapshot->search, w);
	snapshot->search.partial = true;
}

/* Assigns pending work that fits to a worker; the pool is locked.  Returns how much. */
static uint64
pull(const char *pool, const char *worker_id, int n)
{
	/* The head of the queue will do, unless all of it is for others. */
	static const int64 heads[] = {1000, -1};
	uint64		pulled = 0;

	for (int i = 0; i < lengthof(heads) && pulled == 0; i++)
	{
		PoolSnapshot		snapshot;

		snapshot_settings(&snapshot, pool, false);
		snapshot_queue(&snapshot, pool, heads[i], false);
		if (snapshot.nitems == 0)
			break;
		/* whether a retry has anywhere else to go, only the whole fleet tells */
		snapshot_fleet(&snapshot, pool, snapshot.nretries == 0 ? worker_id : NULL, false);
		load_reservations(&snapshot, pool, false);
		if (snapshot.nretries > 0)
			bar_others(&snapshot, worker_id);
		search_place(&snapshot.search, snapshot.items, snapshot.nitems, n);
		pulled = write_decisions(&snapshot, pool, false);
		if (snapshot.nitems < heads[i])
			break;
	}
	return pulled;
}

/* claim(worker_id text, max_assignments int, steal boolean, pool text) RETURNS SETOF assignment */
Datum
claim(PG_FUNCTION_ARGS)
{
	char	   *worker_id = text_argument(fcinfo, 0);
	int			n = int_argument(1);
	bool		may_steal = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	char	   *pool = text_argument(fcinfo, 3);
	PoolSettings settings;
	uint64		started;
	bool		may_wait;
	bool		seen;			/* by this session, a moment ago */
	Caller		caller;

	if (n < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"max_assignments\": %d", n),
				 errdetail("Expected a number above 0.")));
	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	pool_settings_load(pool, false, &settings);
	authz_check_worker(&caller, pool, worker_id);
	seen = mark_is_good(pool, worker_id, GetCurrentTimestamp());
	if (!seen)
		worker_back(pool, worker_id);
	may_wait = start_assigned_first(pool, worker_id, n, &settings, &started);
	if (started == 0)
	{
		worker_check(pool, worker_id);
		/* the batch that we may have to wait for may have something for us */
		if (may_wait)
		{
			worker_back(pool, worker_id);
			pool_lock(pool);
		}
		if (may_wait || pool_try_lock(pool))
		{
			started = start_assigned(pool, worker_id, n, &settings);
			if (started == 0 && (pull(pool, worker_id, n) > 0 || (may_steal && steal(pool, worker_id, n) > 0)))
				started = start_assigned(pool, worker_id, n, &settings);
		}
	}
	if (started > 0)
		return_rows(fcinfo);
	if (!seen || started == 0)
		worker_seen(pool, worker_id);
	call_end(&caller);
	return (Datum) 0;
}
