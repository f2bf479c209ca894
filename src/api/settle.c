/*
 * settle.c
 *		What assignments that have ended leave to be done: their capacity is
 *		given back and their workloads are closed or queued again; then the pool
 *		learns from them.
 *
 * complete() is called as often as there is work, by many at once, and all of
 * them would change the same few rows.  So it only ends the assignment and notes
 * it in hwsched.unsettled; whoever locks the pool next settles all that is noted
 * in one go.  So do fail() and yield_work(), and where the pool is free settle it at
 * once, as do members of gangs, which may end others.  Until then the tables of usage, the
 * queue and the submissions are behind by just those notes: who reads them without
 * the lock takes the notes into account (read_unsettled, and the views).
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

static void
add_ended(EndedList *list, const EndedAssignment *ended, int count)
{
	if (count == 0)
		return;
	if (list->count == 0)
		list->items = palloc_extended(sizeof(EndedAssignment) * count, MCXT_ALLOC_HUGE);
	else
		list->items = repalloc_huge(list->items, sizeof(EndedAssignment) * (list->count + count));
	memcpy(&list->items[list->count], ended, sizeof(EndedAssignment) * count);
	list->count += count;
}

/*
 * Settles what is noted in a pool, which is locked, and adds it to what the caller
 * has settled.
 */
void
settle(const char *pool, Settled *settled)
{
	static SpiPlan take = {
		"WITH u AS (DELETE FROM hwsched.unsettled WHERE pool = $1 RETURNING assignment_id)"
		" SELECT " ROW_COLUMNS ", a.state = 'failed', a.state = 'expired' FROM u" ENDED_OF_NOTES,
		{TEXTOID},
		BY_KEY_ONLY,
		.row = &ended_row};
	EndedAssignment *ended;
	EndedAssignment *failed;
	EndedAssignment *yielded;
	bool *has_failed;
	bool *has_yielded;
	int n;
	int ncompleted = 0;
	int nfailed = 0;
	int nyielded = 0;

	if (spi_plan_run(&take, false, TEXT_VALUE(pool)) == 0)
		return;
	n = read_ended(&ended);
	has_failed = palloc(sizeof(bool) * n);
	has_yielded = palloc(sizeof(bool) * n);
	for (int i = 0; i < n; i++)
	{
		has_failed[i] = column_bool(i, ended_row.count + 1);
		has_yielded[i] = column_bool(i, ended_row.count + 2);
	}
	release_capacity(pool, ended, n);
	failed = palloc_extended(sizeof(EndedAssignment) * n, MCXT_ALLOC_HUGE);
	yielded = palloc_extended(sizeof(EndedAssignment) * n, MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
		if (has_failed[i])
			failed[nfailed++] = ended[i];
		else if (has_yielded[i])
			yielded[nyielded++] = ended[i];
		else
			ended[ncompleted++] = ended[i];
	complete_workloads(pool, ended, ncompleted);
	requeue(pool, failed, nfailed, true);
	/* nothing to learn from: it has not ended */
	requeue_given_back(pool, yielded, nyielded);
	add_ended(&settled->completed, ended, ncompleted);
	add_ended(&settled->failed, failed, nfailed);
}

/* Learns from what the caller has settled in a pool, which is still locked. */
void
learn_settled(const char *pool, const Settled *settled)
{
	const EndedList *completed = &settled->completed;
	const EndedList *failed = &settled->failed;
	PoolSettings settings;

	if (completed->count + failed->count == 0)
		return;
	pool_settings_load(pool, false, &settings);
	learn_from(pool, &settings, completed->items, completed->count, true);
	learn_from(pool, &settings, failed->items, failed->count, false);
	health_succeeded(pool, completed->items, completed->count);
	health_failed(pool, &settings, failed->items, failed->count);
}

/*
 * Locks a pool until the end of the transaction, and settles what is noted in
 * it.  The caller decides, and calls learn_settled() afterwards.
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

/* Locks a pool likewise, for who decides nothing: what is settled teaches at once. */
void
pool_lock(const char *pool)
{
	Settled settled;

	pool_lock_to_decide(pool, &settled);
	learn_settled(pool, &settled);
}

/* Settles what is noted in a pool, if no other session has locked it, and keeps it locked. */
void
pool_settle_if_free(const char *pool)
{
	Settled settled;

	if (pool_try_lock_to_decide(pool, &settled))
		learn_settled(pool, &settled);
}
