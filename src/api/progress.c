/*
 * progress.c
 *		What workers say of what they run: how far it is, and that they give it
 *		back.
 *
 * Reports stand in a table of their own, so that a run which reports nothing
 * costs nothing, and one that reports often leaves no old versions of its
 * assignment behind.
 */
#include "postgres.h"

#include "api/progress.h"
#include "api/settle.h"
#include "api/transition.h"
#include "store/assignment.h"
#include "store/pool.h"
#include "store/settings.h"
#include "store/wakeup.h"
#include "store/worker.h"
#include "support/args.h"
#include "support/spi_plan.h"

PG_FUNCTION_INFO_V1(hwsched_progress);
PG_FUNCTION_INFO_V1(hwsched_yield_work);

/* Returns a note, NULL: none; raises ERRCODE_PROGRAM_LIMIT_EXCEEDED for one that is too large. */
static Jsonb *
note_argument(FunctionCallInfo fcinfo, int number)
{
	Jsonb *note = PG_ARGISNULL(number) ? NULL : jsonb_argument(number);

	if (note != NULL)
		check_size("note", VARSIZE_ANY_EXHDR(note));
	return note;
}

/* progress(assignment_id bigint, ratio float8, note jsonb, pool text) RETURNS void */
Datum
hwsched_progress(PG_FUNCTION_ARGS)
{
	static SpiPlan renew = {
		"UPDATE hwsched.assignment SET lease_until ="
		"  greatest(lease_until, clock_timestamp() + make_interval(secs => $3))"
		" WHERE pool = $1 AND assignment_id = $2 AND state = 'running' RETURNING worker_id",
		{TEXTOID, INT8OID, FLOAT8OID}};
	static SpiPlan report = {
		"INSERT INTO hwsched.progress AS p (pool, assignment_id, ratio, note)"
		" VALUES ($1, $2, $3, $4) ON CONFLICT (pool, assignment_id) DO UPDATE"
		"  SET ratio = EXCLUDED.ratio, note = coalesce(EXCLUDED.note, p.note), at = now()",
		{TEXTOID, INT8OID, FLOAT8OID, JSONBOID}};
	int64 assignment_id = bigint_argument(0);
	double ratio = limited_argument(fcinfo, 1, "ratio", 0, 1);
	Jsonb *note = note_argument(fcinfo, 2);
	char *pool = text_argument(fcinfo, 3);
	char *state;
	PoolSettings settings;
	Caller caller;

	caller = call_begin(fcinfo);
	pool_settings_load(pool, false, &settings);
	(void) find_assignment(&caller, pool, assignment_id, &state);
	lock_assignment(pool, assignment_id);
	if (spi_plan_run(&renew, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id),
					 VALUE(Float8GetDatum(settings.lease))) == 0)
		assignment_not_in_state(&caller, pool, assignment_id, "reported on", "running");
	worker_seen(pool, column_text(0, 1), SAID_NOTHING);
	spi_plan_run(&report, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id),
				 VALUE(Float8GetDatum(ratio)),
				 note == NULL ? NULL_VALUE : VALUE(JsonbPGetDatum(note)));
	call_end(&caller);
	PG_RETURN_VOID();
}

/* Forgets what was reported of work that has ended, but what it has done when it was given back. */
void
progress_forget(const char *pool)
{
	static SpiPlan statement = {
		"DELETE FROM hwsched.progress p WHERE p.pool = $1 AND NOT EXISTS (SELECT"
		" FROM hwsched.assignment a WHERE a.pool = $1 AND a.assignment_id = p.assignment_id"
		"  AND (a.finished_at IS NULL OR a.error = '" YIELDED "' AND EXISTS (SELECT"
		"   FROM hwsched.submission s WHERE s.pool = a.pool AND s.workload_id = a.workload_id"
		"    AND s.run = a.run AND s.outcome IS NULL)))",
		{TEXTOID}};

	spi_plan_run(&statement, false, TEXT_VALUE(pool));
}

/*
 * Takes what the next run goes on from, of work that gave way and is in the queue already;
 * returns false if it comes too late.
 */
static bool
hand_over(const char *pool, int64 assignment_id, Jsonb *note)
{
	static SpiPlan statement = {
		"WITH handed AS (UPDATE hwsched.assignment a SET error = '" YIELDED "', result = $3"
		"  WHERE a.pool = $1 AND a.assignment_id = $2 AND " MAY_HAND_OVER(
			"a") " RETURNING a.*),"
				 " ready AS (UPDATE hwsched.pending p"
				 "  SET ready_at = coalesce(p.run_at, '-infinity')"
				 "  FROM handed h, " QUEUED_AGAIN("h", "p") ")"
															" SELECT FROM handed",
		{TEXTOID, INT8OID, JSONBOID}};

	wake_for_work(pool);
	return spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id),
						note == NULL ? NULL_VALUE : VALUE(JsonbPGetDatum(note))) > 0;
}

/*
 * Ends running work that is given back, and notes it like what has failed; returns
 * whether it did.
 */
static bool
give_back(const char *pool, int64 assignment_id, Jsonb *note)
{
	static SpiPlan statement = {
		"WITH ended AS (UPDATE hwsched.assignment a SET state = 'expired', lease_until = NULL,"
		"   finished_at = greatest(now(), a.assigned_at, a.started_at), error = '" YIELDED "',"
		"   result = $3"
		"  WHERE a.pool = $1 AND a.assignment_id = $2 AND a.state = 'running'"
		"   AND a.finished_at IS NULL RETURNING a.assignment_id)"
		" INSERT INTO hwsched.unsettled (pool, assignment_id) SELECT $1, assignment_id FROM ended",
		{TEXTOID, INT8OID, JSONBOID}};

	return spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id),
						note == NULL ? NULL_VALUE : VALUE(JsonbPGetDatum(note))) > 0;
}

/*
 * yield_work(assignment_id bigint, note jsonb, pool text) RETURNS void: the note is the
 * result of this run, which the requirements of the next one show
 */
Datum
hwsched_yield_work(PG_FUNCTION_ARGS)
{
	int64 assignment_id = bigint_argument(0);
	Jsonb *note = note_argument(fcinfo, 1);
	char *pool = text_argument(fcinfo, 2);
	char *state;
	Caller caller;

	caller = call_begin(fcinfo);
	pool_check(pool, false);
	(void) find_assignment(&caller, pool, assignment_id, &state);
	if (give_back(pool, assignment_id, note))
	{
		wake_for_work(pool);
		pool_settle_if_free(pool);
	}
	else
	{
		/* it may have been told to give way, and then its work is in the queue */
		pool_lock(pool);
		if (!hand_over(pool, assignment_id, note))
			assignment_not_in_state(&caller, pool, assignment_id, "yielded", "running");
	}
	call_end(&caller);
	PG_RETURN_VOID();
}
