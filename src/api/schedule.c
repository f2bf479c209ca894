/*
 * schedule.c
 *		Placing one workload now: the same decision as the batch's, with
 *		statements made for one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "utils/snapmgr.h"

#include "api/assign.h"
#include "api/preempt.h"
#include "api/settle.h"
#include "place/greedy.h"
#include "snapshot/policy_context.h"
#include "snapshot/decision_writer.h"
#include "snapshot/fleet.h"
#include "snapshot/queue.h"
#include "snapshot/reservations.h"
#include "snapshot/tenants.h"
#include "snapshot/threshold_search.h"
#include "snapshot/windows.h"
#include "store/device_state.h"
#include "store/notice.h"
#include "store/pool.h"
#include "store/workload.h"
#include "support/args.h"

PG_FUNCTION_INFO_V1(hwsched_schedule);

/* Reads the whole fleet. */
static void
read_all(PoolSnapshot *snapshot, const char *pool)
{
	snapshot->settled = true;
	snapshot_fleet(snapshot, pool, NULL, true);
	load_reservations(snapshot, pool, true);
}

/*
 * Decides on a workload by the ordered lists, without reading the whole fleet; returns false
 * if that does not tell, as where places are reserved.
 */
static bool
decide_by_lists(PoolSnapshot *snapshot, const char *pool)
{
	bool reserved;

	if (snapshot->nretries > 0 || has_windows(pool, true) || snapshot->settings.preemption)
		return false;
	reserved = has_reservations(pool, true);
	load_tenants(snapshot, pool, true);
	/* who waits keeps its key, too */
	if ((reserved && snapshot->items[0].keys.count > 0) || !seek_fleet(snapshot, pool))
		return false;
	search_place(&snapshot->search, snapshot->items, snapshot->nitems, -1);
	if (!reserved)
		return true;
	/* what is left elsewhere is the same */
	for (int i = 0; i < snapshot->search.nplacements; i++)
		if (is_reserved(pool,
						snapshot->fleet.workers[snapshot->search.placements[i].worker].worker_id))
			return false;
	return snapshot->search.nplacements > 0;
}

/* schedule(workload_id text, pool text) RETURNS SETOF assignment */
Datum
hwsched_schedule(PG_FUNCTION_ARGS)
{
	char *workload_id = text_argument(fcinfo, 0);
	char *pool = text_argument(fcinfo, 1);
	PoolSnapshot snapshot;
	Settled settled;
	bool sought;
	Preemption preemption;
	int64 *victims;
	int nvictims;
	Caller caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	workload_check_acts(&caller, pool, workload_id);
	pool_check(pool, false);
	pool_lock_to_decide(pool, &settled);

	snapshot_settings(&snapshot, pool, false);
	/* who has an old snapshot may not write what others have written since */
	if (!IsolationUsesXactSnapshot())
		device_states_expire(pool, &snapshot.settings);

	/* one snapshot for all that is read, taken under the lock */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	if (snapshot.settings.paused || !snapshot_queued(&snapshot, pool, workload_id, true))
	{
		const char *state = workload_state(pool, workload_id, true);

		if (state == NULL || strcmp(state, "pending") != 0)
			workload_not_in_state(pool, workload_id, "scheduled", "pending");
		/* it waits for its time, for other work or its concurrency key, or the pool is paused */
		PopActiveSnapshot();
		learn_settled(pool, &settled);
		call_end(&caller);
		return (Datum) 0;
	}
	sought = !(IsolationUsesXactSnapshot() && device_states_may_expire(pool, &snapshot.settings)) &&
			 decide_by_lists(&snapshot, pool);
	if (!sought)
	{
		snapshot_settings(&snapshot, pool, true);
		(void) snapshot_queued(&snapshot, pool, workload_id, true);
		read_all(&snapshot, pool);
	}
	PopActiveSnapshot();

	if (!sought)
	{
		preempt_begin(&preemption, &snapshot, pool, false);
		search_place(&snapshot.search, snapshot.items, snapshot.nitems, -1);
		nvictims = preempt_victims(&preemption, &victims);
		evict(pool, victims, nvictims, &settled);
	}
	/* it may be a gang, with several assignments */
	if (write_decisions(&snapshot, pool, true) > 0)
	{
		return_rows(fcinfo);
		notify_assigned(pool);
	}
	learn_settled(pool, &settled);
	call_end(&caller);
	return (Datum) 0;
}
