/*
 * pool.c
 *		Pools: creation, and the lock that orders decisions.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/timestamp.h"

#include "store/score_function.h"
#include "store/pool.h"
#include "support/compat.h"
#include "support/spi_plan.h"

/*
 * Our classes of advisory locks: the pool's lock, and that of its batch.  Those
 * that users take have class 1 or 2, so theirs and ours never meet.  (The view
 * pool_summary knows the first, too.)
 */
#define POOL_LOCK_CLASS 0x6877
#define BATCH_LOCK_CLASS 0x6878

/* So long somebody waits before being told whom for. */
#define NAME_HOLDER_AFTER_MS 1000

/* Raises ERRCODE_NO_DATA_FOUND: there is no such pool. */
void
unknown_pool(const char *pool)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND), errmsg("unknown pool \"%s\"", pool),
			 errhint("Create it with hwsched.create_pool(), or see the table hwsched.pool.")));
}

/* Returns the tag of a pool's lock of a class. */
static LOCKTAG
lock_tag(const char *pool, uint16 lock_class)
{
	uint64 key = DatumGetUInt64(hash_any_extended((const unsigned char *) pool, strlen(pool), 0));
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (key >> 32), (uint32) key, lock_class);
	return tag;
}

/* --- whom one waits for --- */

/* The pool whose lock this session waits for, and what is put back afterwards. */
static const char *awaited_pool;
static bool logs_lock_waits;
static emit_log_hook_type next_log_hook;

/* Returns the process that keeps us waiting; 0 if it has just gone. */
static int
holder_of_awaited(void)
{
	BlockedProcsData *data = GetBlockerStatusData(MyProcPid);

	for (int p = 0; p < data->nprocs; p++)
	{
		const LockInstanceData *locks = &data->locks[data->procs[p].first_lock];
		LOCKMASK conflicts = 0;

		for (int i = 0; i < data->procs[p].num_locks; i++)
			if (locks[i].pid == MyProcPid && locks[i].waitLockMode != NoLock)
				conflicts =
					GetLockTagsMethodTable(&locks[i].locktag)->conflictTab[locks[i].waitLockMode];
		for (int i = 0; i < data->procs[p].num_locks; i++)
			if (locks[i].pid != MyProcPid && (locks[i].holdMask & conflicts) != 0)
				return locks[i].pid;
	}
	return 0;
}

/* Returns when the transaction of a process began; 0 if it has none. */
static TimestampTz
transaction_start(int pid)
{
	pgstat_clear_backend_activity_snapshot();
	for (int i = 1; i <= pgstat_fetch_stat_numbackends(); i++)
	{
		const PgBackendStatus *status = &LOCAL_BACKEND_STATUS(i)->backendStatus;

		if (status->st_procpid == pid)
			return status->st_xact_start_timestamp;
	}
	return 0;
}

/*
 * Makes a NOTICE to the client of what PostgreSQL says to the log of a lock that
 * was waited for too long.  It is said in the middle of the wait, so it costs no
 * place in the lock's queue, as giving up after a second and asking again would.
 */
static void
name_holder(ErrorData *report)
{
	if (awaited_pool != NULL && report->elevel == LOG && report->message_id != NULL &&
		strncmp(report->message_id, "process %d ", 11) == 0)
	{
		int pid = strncmp(report->message_id, "process %d still waiting", 24) == 0 ?
					  holder_of_awaited() :
					  0;
		TimestampTz since = pid == 0 ? 0 : transaction_start(pid);
		MemoryContext caller = MemoryContextSwitchTo(report->assoc_context);

		if (pid != 0)
		{
			report->elevel = NOTICE;
			report->message = psprintf("pool \"%s\" is locked by process %d", awaited_pool, pid);
			report->detail =
				since == 0 ? NULL :
							 psprintf("Its transaction began at %s.", timestamptz_to_str(since));
			report->detail_log = NULL;
			report->hint = pstrdup("The call goes on once that transaction ends; see the view"
								   " hwsched.pool_summary.");
			report->output_to_client =
				whereToSendOutput == DestRemote && client_min_messages <= NOTICE;
		}
		MemoryContextSwitchTo(caller);
		/* the log gets it only where it would have had it without us */
		report->output_to_server = logs_lock_waits;
	}
	if (next_log_hook)
		next_log_hook(report);
}

/* Waits for a lock; who waits for longer than a second is told whom for. */
static void
wait_for_lock(const char *pool, const LOCKTAG *tag, LOCKMODE mode)
{
	int timeout = DeadlockTimeout;

	awaited_pool = pool;
	logs_lock_waits = log_lock_waits;
	next_log_hook = emit_log_hook;
	PG_TRY();
	{
		/* after deadlock_timeout PostgreSQL looks who has the lock */
		DeadlockTimeout = NAME_HOLDER_AFTER_MS;
		log_lock_waits = true;
		emit_log_hook = name_holder;
		(void) LockAcquire(tag, mode, false, false);
	}
	PG_FINALLY();
	{
		emit_log_hook = next_log_hook;
		log_lock_waits = logs_lock_waits;
		DeadlockTimeout = timeout;
		awaited_pool = NULL;
	}
	PG_END_TRY();
}

/* --- the lock --- */

/*
 * Takes the lock of a pool until the end of the transaction; returns false if
 * dont_wait and another session has it.
 */
bool
pool_acquire(const char *pool, LOCKMODE mode, bool dont_wait)
{
	LOCKTAG tag = lock_tag(pool, POOL_LOCK_CLASS);

	if (mode >= ExclusiveLock)
		refuse_in_score_function();
	if (LockAcquire(&tag, mode, false, true) != LOCKACQUIRE_NOT_AVAIL)
		return true;
	if (!dont_wait)
		wait_for_lock(pool, &tag, mode);
	return !dont_wait;
}

/*
 * Makes this transaction the one that runs the pool's batch, until it ends;
 * returns false if another is at it.
 */
bool
pool_begin_batch(const char *pool)
{
	LOCKTAG tag = lock_tag(pool, BATCH_LOCK_CLASS);

	return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
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
