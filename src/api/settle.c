/*
 * settle.c
 *		What completed assignments leave to be done: their capacity is given
 *		back and their workloads are closed; then the pool learns from them.
 *
 * complete() is called as often as there is work, by many at once, and all of
 * them would change the same few rows.  So it only ends the assignment and notes
 * it in hwsched.unsettled; whoever locks the pool next settles all that is noted
 * in one go.  Until then the tables of usage and the submissions are behind by
 * just those notes: who reads them without the lock takes the notes into
 * account (read_unsettled, and the views).
 *
 * Whoever decides learns only after the decision is written.  So a decision
 * depends on what earlier holders of the lock have learned and on nothing else,
 * and a plan, which learns nothing, agrees with it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "utils/timestamp.h"

#include "api/settle.h"
#include "learn/track_record.h"
#include "store/health.h"
#include "store/pool.h"

/*
 * Settles what has been completed in a pool, which is locked, and adds it to
 * what the caller has settled.
 */
void
settle(const char *pool, Settled *settled)
{
	static SpiPlan take = {
		"WITH u AS (DELETE FROM hwsched.unsettled WHERE pool = $1 RETURNING assignment_id)"
		" SELECT " ROW_COLUMNS " FROM u" ENDED_OF_NOTES,
		{TEXTOID},
		BY_KEY_ONLY,
		.row = &ended_row};
	EndedAssignment *ended;
	int n;

	if (spi_plan_run(&take, false, TEXT_VALUE(pool)) == 0)
		return;
	n = read_ended(&ended);
	release_capacity(pool, ended, n);
	complete_workloads(pool, ended, n);
	if (settled->count == 0)
		settled->ended = ended;
	else
	{
		settled->ended =
			repalloc_huge(settled->ended, sizeof(EndedAssignment) * (settled->count + n));
		memcpy(&settled->ended[settled->count], ended, sizeof(EndedAssignment) * n);
	}
	settled->count += n;
}

/* Learns from what the caller has settled in a pool, which is still locked. */
void
learn_settled(const char *pool, const Settled *settled)
{
	PoolSettings settings;

	if (settled->count == 0)
		return;
	pool_settings_load(pool, false, &settings);
	learn_from(pool, &settings, settled->ended, settled->count, true);
	health_succeeded(pool, settled->ended, settled->count);
}

/*
 * Locks a pool until the end of the transaction, and settles what has been
 * completed in it.  The caller decides, and calls learn_settled() afterwards.
 * Waits for who holds the lock: one batch at most, if everybody commits after
 * each call.
 */
void
pool_lock_to_decide(const char *pool, Settled *settled)
{
	(void) pool_acquire(pool, ExclusiveLock, false);
	*settled = (Settled){0};
	settle(pool, settled);
}

/* Does so unless another session has the lock; returns whether it did. */
bool
pool_try_lock_to_decide(const char *pool, Settled *settled)
{
	if (!pool_acquire(pool, ExclusiveLock, true))
		return false;
	*settled = (Settled){0};
	settle(pool, settled);
	return true;
}

/* Locks a pool likewise, for who decides nothing: what is completed teaches at once. */
void
pool_lock(const char *pool)
{
	Settled settled;

	pool_lock_to_decide(pool, &settled);
	learn_settled(pool, &settled);
}
