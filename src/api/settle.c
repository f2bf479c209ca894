/*
 * settle.c
 *		What completed assignments leave to be done: their capacity is given
 *		back, their workloads are closed, and the pool learns from them.
 *
 * complete() is called as often as there is work, by many at once, and all of
 * them would change the same few rows.  So it only ends the assignment and notes
 * it in hwsched.unsettled; whoever locks the pool next settles all that is noted
 * in one go.  Until then the tables of usage and the submissions are behind by
 * just those notes: who reads them without the lock takes the notes into
 * account (read_unsettled, and the views).
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "utils/timestamp.h"

#include "api/settle.h"
#include "learn/track_record.h"
#include "store/health.h"
#include "store/pool.h"

/* Settles what has been completed in a pool, which is locked. */
void
settle(const char *pool)
{
	static SpiPlan take = {
		"WITH u AS (DELETE FROM hwsched.unsettled WHERE pool = $1 RETURNING assignment_id)"
		" SELECT " ENDED_COLUMNS " FROM u" ENDED_OF_NOTES,
		{TEXTOID}};
	EndedAssignment *ended;
	PoolSettings settings;
	int n;

	if (spi_plan_run(&take, false, TEXT_VALUE(pool)) == 0)
		return;
	n = read_ended(&ended);
	pool_settings_load(pool, false, &settings);
	release_capacity(pool, ended, n);
	complete_workloads(pool, ended, n);
	learn_from(pool, &settings, ended, n, true);
	health_succeeded(pool, ended, n);
}

/*
 * Locks a pool until the end of the transaction, and settles what has been
 * completed in it.  Waits for who holds it: one batch at most, if everybody
 * commits after each call.
 */
void
pool_lock(const char *pool)
{
	(void) pool_acquire(pool, ExclusiveLock, false);
	settle(pool);
}

/* Does so unless another session has the lock; returns whether it did. */
bool
pool_try_lock(const char *pool)
{
	if (!pool_acquire(pool, ExclusiveLock, true))
		return false;
	settle(pool);
	return true;
}
