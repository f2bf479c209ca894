/*
 * finish.c
 *		How work ends: it is completed, fails, is cancelled; and how dead work is
 *		tried again.
 *
 * An assignment goes from assigned to running to one of its final states.
 * Each step is one UPDATE that names the state it starts from, so of two
 * callers one takes the step and the other is told the state.  Locks are taken
 * in the order pool, assignments, load.  Completing and failing change the
 * assignment and wait for nothing else (see api/settle.c).  Times are in the order
 * of the steps, even if a transaction that takes one began before the step before was
 * taken.
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "api/finish.h"
#include "api/settle.h"
#include "api/transition.h"
#include "document/document.h"
#include "document/error_class.h"
#include "learn/track_record.h"
#include "store/cancel.h"
#include "store/health.h"
#include "store/pool.h"
#include "store/wakeup.h"
#include "store/workload.h"
#include "support/args.h"

PG_FUNCTION_INFO_V1(hwsched_complete);
PG_FUNCTION_INFO_V1(hwsched_complete_many);
PG_FUNCTION_INFO_V1(hwsched_fail);
PG_FUNCTION_INFO_V1(hwsched_fail_with_result);
PG_FUNCTION_INFO_V1(hwsched_cancel);
PG_FUNCTION_INFO_V1(hwsched_retry_dead);

/* --- completing --- */

/*
 * Completes a running assignment and notes it for whoever settles the pool next;
 * returns whether it did, and in SPI_tuptable whether it is a member of a gang.
 */
static bool
finish(const char *pool, int64 assignment_id, Parameter result)
{
	static SpiPlan statement = {
		"WITH ended AS (UPDATE hwsched.assignment a SET state = 'completed', lease_until = NULL,"
		"   finished_at = greatest(now(), a.assigned_at, a.started_at), result = $3"
		"  WHERE a.pool = $1 AND a.assignment_id = $2 AND a.state = 'running'"
		" AND a.finished_at IS NULL"
		"  RETURNING a.assignment_id, a.is_gang)"
		" INSERT INTO hwsched.unsettled (pool, assignment_id) SELECT $1, assignment_id FROM ended"
		" RETURNING (SELECT is_gang FROM ended)",
		{TEXTOID, INT8OID, JSONBOID}};

	wake_for_room(pool);
	return spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id), result) >
		   0;
}

/* complete(assignment_id bigint, result jsonb, pool text) RETURNS void */
Datum
hwsched_complete(PG_FUNCTION_ARGS)
{
	int64 assignment_id = bigint_argument(0);
	char *pool = text_argument(fcinfo, 2);
	Jsonb *result = PG_ARGISNULL(1) ? NULL : jsonb_argument(1);
	char *state;
	Caller caller;

	if (result != NULL)
		check_size("result", VARSIZE_ANY_EXHDR(result));
	caller = call_begin(fcinfo);
	pool_keep(pool);
	if (!authz_coordinates(&caller, pool))
		(void) find_assignment(&caller, pool, assignment_id, &state);
	if (!finish(pool, assignment_id, result == NULL ? NULL_VALUE : VALUE(JsonbPGetDatum(result))))
		assignment_not_in_state(&caller, pool, assignment_id, "completed", "running");
	/* it may end others */
	if (column_bool(0, 1))
		pool_settle_if_free(pool);
	call_end(&caller);
	PG_RETURN_VOID();
}

/* Returns the different numbers of an array in order, and sets *count. */
int64 *
distinct_bigints(ArrayType *array, int *count)
{
	Datum *elements;
	bool *nulls;
	int64 *numbers;
	int nelements;
	int n = 0;
	int kept = 0;

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements,
					  &nulls, &nelements);
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

/*
 * Completes running assignments of a worker (NULL: of any), with their results
 * in an object by assignment_id, or none (NULL).  Returns how many there were;
 * if not all, the ids of those are in SPI_tuptable.
 */
int
complete_running(const char *pool, const char *worker_id, const int64 *ids, int count,
				 Jsonb *results)
{
	/* along the index, so that two callers never wait in a circle */
	static SpiPlan finish_all = {
		"UPDATE hwsched.assignment SET state = 'completed', lease_until = NULL,"
		"  finished_at = greatest(now(), assigned_at, started_at),"
		"  result = $4 -> assignment_id::text"
		" WHERE pool = $1 AND assignment_id = ANY ($2) AND ($3 IS NULL OR worker_id = $3)"
		"  AND state = 'running' AND finished_at IS NULL"
		" RETURNING assignment_id, is_gang",
		{TEXTOID, INT8ARRAYOID, TEXTOID, JSONBOID},
		ALONG_INDEX};
	static SpiPlan note = {
		"INSERT INTO hwsched.unsettled (pool, assignment_id) SELECT $1, unnest($2)",
		{TEXTOID, INT8ARRAYOID}};
	Parameter worker = TEXT_OR_NULL(worker_id);
	Parameter array = bigint_array(ids, count);
	Parameter documents = results == NULL ? NULL_VALUE : VALUE(JsonbPGetDatum(results));
	bool any_gang = false;
	int n;

	if (count == 0)
		return 0;
	n = (int) spi_plan_run(&finish_all, false, TEXT_VALUE(pool), array, worker, documents);
	if (n < count)
		return n;
	for (int i = 0; i < n && !any_gang; i++)
		any_gang = column_bool(i, 2);
	spi_plan_run(&note, false, TEXT_VALUE(pool), array);
	wake_for_room(pool);
	/* some may end others */
	if (any_gang)
		pool_settle_if_free(pool);
	return n;
}

/*
 * Raises that one of some assignments, whose ids are in order, is not running: the first
 * without a row in SPI_tuptable.
 */
pg_noreturn static void
some_not_running(const Caller *caller, const char *pool, const int64 *ids)
{
	int64 *found = palloc(sizeof(int64) * (SPI_processed + 1));
	int n = (int) SPI_processed;
	int missing = 0;

	for (int i = 0; i < n; i++)
		found[i] = column_bigint(i, 1);
	qsort(found, n, sizeof(int64), compare_bigints);
	while (missing < n && found[missing] == ids[missing])
		missing++;
	assignment_not_in_state(caller, pool, ids[missing], "completed", "running");
}

/* complete_many(assignment_ids bigint[], pool text) RETURNS bigint: all or nothing */
Datum
hwsched_complete_many(PG_FUNCTION_ARGS)
{
	static SpiPlan check = {"SELECT DISTINCT worker_id FROM hwsched.assignment WHERE pool = $1"
							" AND assignment_id = ANY ($2)",
							{TEXTOID, INT8ARRAYOID}};
	char *pool = text_argument(fcinfo, 1);
	int count;
	int64 *ids = distinct_bigints(DatumGetArrayTypeP(argument(fcinfo, 0)), &count);
	Caller caller;

	caller = call_begin(fcinfo);
	pool_check(pool, false);
	if (!authz_coordinates(&caller, pool))
	{
		int nworkers;
		char **workers;

		authz_check_runs(&caller, pool);
		nworkers = (int) spi_plan_run(&check, false, TEXT_VALUE(pool), bigint_array(ids, count));
		workers = palloc(sizeof(char *) * (nworkers + 1));
		for (int i = 0; i < nworkers; i++)
			workers[i] = column_text(i, 1);
		for (int i = 0; i < nworkers; i++)
			authz_check_worker(&caller, pool, workers[i]);
	}
	if (complete_running(pool, NULL, ids, count, NULL) < count)
		some_not_running(&caller, pool, ids);
	call_end(&caller);
	PG_RETURN_INT64(count);
}

/* --- failing and cancelling --- */

/*
 * Fails a live assignment, with what the run left, and notes it like what is
 * completed.  Where the pool is free it is settled at once: who fails work wants to
 * see what becomes of it.
 */
static void
fail_run(FunctionCallInfo fcinfo, int64 assignment_id, const char *error, Jsonb *result,
		 const char *pool)
{
	static SpiPlan statement = {
		"WITH ended AS (UPDATE hwsched.assignment a SET state = 'failed', lease_until = NULL,"
		"   finished_at = greatest(now(), a.assigned_at, a.started_at), error = $3,"
		"   error_class = $4::hwsched.error_class, result = $5"
		"  WHERE a.pool = $1 AND a.assignment_id = $2 AND a.finished_at IS NULL"
		"  RETURNING a.assignment_id)"
		" INSERT INTO hwsched.unsettled (pool, assignment_id) SELECT $1, assignment_id FROM ended",
		{TEXTOID, INT8OID, TEXTOID, TEXTOID, JSONBOID}};
	char *state;
	Caller caller;

	if (error != NULL)
		check_size("error", strlen(error));
	if (result != NULL)
		check_size("result", VARSIZE_ANY_EXHDR(result));
	caller = call_begin(fcinfo);
	pool_check(pool, false);
	(void) find_assignment(&caller, pool, assignment_id, &state);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id),
					 TEXT_OR_NULL(error), TEXT_OR_NULL(error_class_of(error)),
					 result == NULL ? NULL_VALUE : VALUE(JsonbPGetDatum(result))) == 0)
		assignment_not_in_state(&caller, pool, assignment_id, "failed", "assigned or running");
	/* there may be another attempt, once this one is settled */
	wake_for_work(pool);
	pool_settle_if_free(pool);
	call_end(&caller);
}

/* fail(assignment_id bigint, error text, pool text) RETURNS void */
Datum
hwsched_fail(PG_FUNCTION_ARGS)
{
	fail_run(fcinfo, bigint_argument(0), PG_ARGISNULL(1) ? NULL : text_argument(fcinfo, 1), NULL,
			 text_argument(fcinfo, 2));
	PG_RETURN_VOID();
}

/* fail(assignment_id bigint, error text, result jsonb, pool text) RETURNS void */
Datum
hwsched_fail_with_result(PG_FUNCTION_ARGS)
{
	fail_run(fcinfo, bigint_argument(0), PG_ARGISNULL(1) ? NULL : text_argument(fcinfo, 1),
			 PG_ARGISNULL(2) ? NULL : jsonb_argument(2), text_argument(fcinfo, 3));
	PG_RETURN_VOID();
}

/*
 * Cancels those of some workloads that are open, and returns how many those were.
 * The pool is locked.
 *
 * Work leaves the live assignments for the queue, never the other way round while
 * the pool is locked, so looking in this order misses nothing.
 */
int64
cancel_open(const char *pool, const char *const *workload_ids, int count)
{
	static SpiPlan statement = {"SELECT a.assignment_id FROM unnest($2) e(workload_id)"
								" JOIN hwsched.assignment a ON a.pool = $1"
								"  AND a.workload_id = e.workload_id AND a.finished_at IS NULL",
								{TEXTOID, TEXTARRAYOID}};
	EndedAssignment *ended;
	Settled settled = {0};
	int n =
		(int) spi_plan_run(&statement, false, TEXT_VALUE(pool), text_array(workload_ids, count));
	int64 *ids = palloc(sizeof(int64) * (n + 1));

	for (int i = 0; i < n; i++)
		ids[i] = column_bigint(i, 1);
	end_assignments(pool, ids, n, NULL, "cancelled", NULL, NULL, NULL, &ended);
	/* what was completed before we got at it */
	settle(pool, &settled);
	learn_settled(pool, &settled);
	return cancel_workloads(pool, workload_ids, count, NULL);
}

/* cancel(workload_id text, pool text) RETURNS void */
Datum
hwsched_cancel(PG_FUNCTION_ARGS)
{
	const char *workload_id = text_argument(fcinfo, 0);
	char *pool = text_argument(fcinfo, 1);
	Caller caller = call_begin(fcinfo);

	workload_check_acts(&caller, pool, workload_id);
	pool_check(pool, false);
	pool_lock(pool);
	if (cancel_open(pool, &workload_id, 1) == 0)
		workload_not_in_state(pool, workload_id, "cancelled", "pending, assigned or running");
	call_end(&caller);
	PG_RETURN_VOID();
}

/*
 * Puts those of some workloads that are dead back into the queue, and
 * returns how many those were.  The last attempt of each was the last that it was
 * allowed; after it come as many as it was given at first.  The pool is locked.
 */
int64
revive_workloads(const char *pool, const char *const *workload_ids, int count)
{
#define GIVEN "(1 + " RETRIES_ASKED("s", "$3") ")"
	static SpiPlan statement = {
		"WITH revived AS (UPDATE hwsched.submission s SET outcome = NULL, closed_at = NULL,"
		" retries = s.retries + " GIVEN
		"  WHERE s.pool = $1 AND s.workload_id = ANY ($2) AND s.outcome = 'dead' RETURNING s.*,"
		" s.retries + 2 - " GIVEN " AS attempt)"
		" INSERT INTO hwsched.pending (pool, priority, deadline, queue_no, profile_id, run,"
		" attempt, expected_seconds, timeout_seconds,"
		" start_timeout_seconds, workload_id,"
		"  model_id, model_family, concurrency_keys, concurrency_units, submitted_at, ready_at,"
		" run_at)"
		" SELECT pool, priority, deadline, queue_no, profile_id, run, attempt, expected_seconds,"
		" timeout_seconds,"
		" start_timeout_seconds, workload_id,"
		"  model_id, model_family, concurrency_keys, concurrency_units, submitted_at,"
		" coalesce(run_at, '-infinity'),"
		"  run_at FROM revived",
		{TEXTOID, TEXTARRAYOID, INT4OID}};

	wake_for_work(pool);
	return (int64) spi_plan_run(&statement, false, TEXT_VALUE(pool),
								text_array(workload_ids, count), INT_VALUE(DEFAULT_RETRIES));
}

/* retry_dead(workload_id text, pool text) RETURNS void */
Datum
hwsched_retry_dead(PG_FUNCTION_ARGS)
{
	const char *workload_id = text_argument(fcinfo, 0);
	char *pool = text_argument(fcinfo, 1);
	Caller caller = call_begin(fcinfo);

	workload_check_acts(&caller, pool, workload_id);
	pool_check(pool, false);
	pool_lock(pool);
	if (revive_workloads(pool, &workload_id, 1) == 0)
		workload_not_in_state(pool, workload_id, "retried", "dead");
	call_end(&caller);
	PG_RETURN_VOID();
}
