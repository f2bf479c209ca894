/*
 * pool.c
 *		Pools: creation, and the lock that orders decisions.
 */
#include "postgres.h"

#include "store/authz.h"
#include "access/xact.h"
#include "support/args.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "store/policy_settings.h"
#include "store/pool.h"
#include "api/settle.h"
#include "support/spi_plan.h"
#include "storage/lock.h"
#include "utils/inval.h"

/*
 * Our class of advisory locks.  Those that users take have class 1 or 2, so
 * theirs and ours never meet.
 */
#define LOCK_CLASS 0x6877

PG_FUNCTION_INFO_V1(create_pool);
PG_FUNCTION_INFO_V1(alter_pool);
PG_FUNCTION_INFO_V1(drop_pool);

/* Raises ERRCODE_NO_DATA_FOUND: there is no such pool. */
void
unknown_pool(const char *pool)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("unknown pool \"%s\"", pool),
			 errhint("Create it with hwsched.create_pool(), or see the table hwsched.pool.")));
}

/* --- the lock --- */

static LockAcquireResult
lock_pool(const char *pool, LOCKMODE mode, bool dont_wait)
{
	uint64		key = DatumGetUInt64(hash_any_extended((const unsigned char *) pool, strlen(pool), 0));
	LOCKTAG		tag;

	if (mode >= ExclusiveLock)
		refuse_in_score_function();
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (key >> 32), (uint32) key, LOCK_CLASS);
	return LockAcquire(&tag, mode, false, dont_wait);
}

/*
 * Locks a pool until the end of the transaction, and settles what has been
 * completed in it.  Waits for who holds it: one batch at most, if everybody
 * commits after each call.
 */
void
pool_lock(const char *pool)
{
	(void) lock_pool(pool, ExclusiveLock, false);
	settle(pool);
}

/* Does so unless another session has the lock; returns whether it did. */
bool
pool_try_lock(const char *pool)
{
	if (lock_pool(pool, ExclusiveLock, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	settle(pool);
	return true;
}

/* Keeps a pool from being dropped until the end of the transaction. */
void
pool_keep(const char *pool)
{
	(void) lock_pool(pool, AccessShareLock, false);
	AcceptInvalidationMessages();
}

/*
 * Raises ERRCODE_NO_DATA_FOUND if there is no such pool.  Unless we only read,
 * the pool then stays until the end of the transaction: dropping it waits.
 */
void
pool_check(const char *pool, bool read_only)
{
	static SpiPlan statement = {"SELECT FROM hwsched.pool WHERE pool = $1", {TEXTOID}};

	if (!read_only)
		pool_keep(pool);
	if (spi_plan_run(&statement, read_only, TEXT_VALUE(pool)) == 0)
		unknown_pool(pool);
}

/* --- SQL --- */

/* create_pool(pool text, settings jsonb) RETURNS void */
Datum
create_pool(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.pool (pool) VALUES ($1) ON CONFLICT DO NOTHING", {TEXTOID}
	};
	char	   *pool = text_argument(fcinfo, 0);
	Jsonb	   *settings = jsonb_argument(1);
	Caller		caller;

	if (pool[0] == '\0' || strlen(pool) > 200)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid name of a pool: \"%s\"", pool),
				 errdetail("Expected 1 to 200 bytes.")));
	caller = call_begin(fcinfo);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("pool \"%s\" already exists", pool),
				 errhint("Change its settings with hwsched.alter_pool().")));
	settings_change(&caller, pool, settings);
	call_end(&caller);
	PG_RETURN_VOID();
}

/* alter_pool(pool text, settings jsonb) RETURNS void; null resets a setting */
Datum
alter_pool(PG_FUNCTION_ARGS)
{
	/* an old snapshot does not see who has become full, so there it is any row */
	static SpiPlan roomier = {
		"UPDATE hwsched.worker_usage SET is_full = false WHERE pool = $1 AND (is_full OR $2)", {TEXTOID, BOOLOID}
	};
	JsonbValue	found;
	char	   *pool = text_argument(fcinfo, 0);
	Jsonb	   *settings = jsonb_argument(1);
	Caller		caller = call_begin(fcinfo);

	pool_check(pool, false);
	pool_lock(pool);
	settings_change(&caller, pool, settings);
	/* devices may have more slots now */
	if (getKeyJsonValueFromContainer(&settings->root, "max_concurrent", strlen("max_concurrent"), &found) != NULL)
		spi_plan_run(&roomier, false, TEXT_VALUE(pool), VALUE(BoolGetDatum(IsolationUsesXactSnapshot())));
	call_end(&caller);
	PG_RETURN_VOID();
}

/* drop_pool(pool text) RETURNS void: and all that is in it */
Datum
drop_pool(PG_FUNCTION_ARGS)
{
	/* first who loads history; assignments and devices before the profiles they refer to */
	static SpiPlan statements[] = {
		{"SELECT FROM hwsched.pool WHERE pool = $1 FOR UPDATE", {TEXTOID}},
		{"DELETE FROM hwsched.reservation WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.unsettled WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.dependency WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.pending WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.assignment WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.submission WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.load_history WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.recorded_assignment WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.recorded_execution WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.history_late WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.worker WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.hardware WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.pool WHERE pool = $1", {TEXTOID}},
	};
	char	   *pool = text_argument(fcinfo, 0);

	if (strcmp(pool, "default") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pool \"default\" cannot be dropped"),
				 errhint("It is there as long as the extension is.")));
	SPI_connect();
	(void) lock_pool(pool, AccessExclusiveLock, false);
	pool_check(pool, false);
	for (int i = 0; i < lengthof(statements); i++)
		spi_plan_run(&statements[i], false, TEXT_VALUE(pool));
	settings_forget();
	SPI_finish();
	PG_RETURN_VOID();
}
