/*
 * pool.c
 *		Pools: creation, and the lock that orders decisions.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/inval.h"

#include "store/policy_settings.h"
#include "store/pool.h"
#include "support/spi_plan.h"

/*
 * Our class of advisory locks.  Those that users take have class 1 or 2, so
 * theirs and ours never meet.
 */
#define LOCK_CLASS 0x6877

/* Raises ERRCODE_NO_DATA_FOUND: there is no such pool. */
void
unknown_pool(const char *pool)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND), errmsg("unknown pool \"%s\"", pool),
			 errhint("Create it with hwsched.create_pool(), or see the table hwsched.pool.")));
}

/*
 * Takes the lock of a pool until the end of the transaction; returns false if
 * dont_wait and another session has it.
 */
bool
pool_acquire(const char *pool, LOCKMODE mode, bool dont_wait)
{
	uint64 key = DatumGetUInt64(hash_any_extended((const unsigned char *) pool, strlen(pool), 0));
	LOCKTAG tag;

	if (mode >= ExclusiveLock)
		refuse_in_score_function();
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (key >> 32), (uint32) key, LOCK_CLASS);
	return LockAcquire(&tag, mode, false, dont_wait) != LOCKACQUIRE_NOT_AVAIL;
}

/* Keeps a pool from being dropped until the end of the transaction. */
void
pool_keep(const char *pool)
{
	(void) pool_acquire(pool, AccessShareLock, false);
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
