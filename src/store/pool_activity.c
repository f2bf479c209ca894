/*
 * pool_activity.c
 *		When each pool was last assigned and maintained, and what went wrong.
 *
 * A narrow row for each of the two, so that a batch and a tick never meet in one
 * under an old snapshot.  A transaction that fails leaves no trace in it:
 * run_loop(), which has called it, notes that afterwards.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/timestamp.h"

#include "store/authz.h"
#include "store/pool_activity.h"
#include "store/pool.h"
#include "support/args.h"
#include "support/spi_plan.h"

PG_FUNCTION_INFO_V1(hwsched_note_failure);
PG_FUNCTION_INFO_V1(hwsched_note_maintained);

/* A session notes one batch of a pool in this time at most: batches may be many a second. */
#define NOTE_EVERY_MS 1000

/* Notes that a pool was maintained, and what went wrong, unless that is NULL. */
void
activity_maintained(const char *pool, const char *error)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.pool_activity AS a (pool, activity, done_at, error, error_at)"
		" VALUES ($1, 'maintain', now(), $2, CASE WHEN $2 IS NOT NULL THEN now() END)"
		" ON CONFLICT (pool, activity) DO UPDATE SET done_at = now(),"
		"  error = coalesce(EXCLUDED.error, a.error),"
		"  error_at = coalesce(EXCLUDED.error_at, a.error_at)",
		{TEXTOID, TEXTOID}};

	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_OR_NULL(error));
}

/* Notes that a pool was assigned, unless this session has just done so. */
void
activity_assigned(const char *pool)
{
	static SpiPlan statement = {"INSERT INTO hwsched.pool_activity (pool, activity, done_at)"
								" VALUES ($1, 'assign_pending', now())"
								" ON CONFLICT (pool, activity) DO UPDATE SET done_at = now()",
								{TEXTOID}};
	static char noted[256] = "";
	static TimestampTz noted_at = 0;
	TimestampTz now = GetCurrentTransactionStartTimestamp();

	if (strcmp(noted, pool) == 0 && now >= noted_at &&
		!TimestampDifferenceExceeds(noted_at, now, NOTE_EVERY_MS))
		return;
	spi_plan_run(&statement, false, TEXT_VALUE(pool));
	strlcpy(noted, pool, sizeof(noted));
	noted_at = now;
}

/*
 * note_failure(activity text, error text, pool text) RETURNS void: of a call that
 * failed as a whole
 */
Datum
hwsched_note_failure(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.pool_activity (pool, activity, error, error_at)"
		" SELECT p.pool, $2, $3, now() FROM hwsched.pool p WHERE p.pool = $1"
		" ON CONFLICT (pool, activity) DO UPDATE SET error = EXCLUDED.error, error_at = now()",
		{TEXTOID, TEXTOID, TEXTOID}};
	char *activity = text_argument(fcinfo, 0);
	char *error = text_argument(fcinfo, 1);
	char *pool = text_argument(fcinfo, 2);
	Caller caller = call_begin(fcinfo);

	authz_check_coordinate(&caller, pool);
	pool_keep(pool);
	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(activity), TEXT_VALUE(error));
	call_end(&caller);
	PG_RETURN_VOID();
}

/*
 * note_maintained(pools text[]) RETURNS void: of pools that were looked at together; waits for
 * nobody who maintains one of them just now
 */
Datum
hwsched_note_maintained(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"UPDATE hwsched.pool_activity SET done_at = now()"
		" WHERE activity = 'maintain' AND ctid = ANY (ARRAY(SELECT ctid FROM hwsched.pool_activity"
		"  WHERE pool = ANY ($1) AND activity = 'maintain' FOR NO KEY UPDATE SKIP LOCKED))",
		{TEXTARRAYOID}};
	Datum pools = argument(fcinfo, 0);
	Caller caller = call_begin(fcinfo);

	spi_plan_run(&statement, false, VALUE(pools));
	call_end(&caller);
	PG_RETURN_VOID();
}
