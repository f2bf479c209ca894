/*
 * assign.c
 *		The batch: lock the pool, read it, decide in memory, write the decisions
 *		with a few statements.  And the same decision without writing it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "api/assign.h"
#include "api/expires_at.h"
#include "api/preempt.h"
#include "api/settle.h"
#include "place/greedy.h"
#include "place/optimal.h"
#include "snapshot/policy_context.h"
#include "snapshot/decision_writer.h"
#include "snapshot/fleet.h"
#include "snapshot/horizon.h"
#include "snapshot/queue.h"
#include "snapshot/reservations.h"
#include "store/authz.h"
#include "store/notice.h"
#include "store/pool_activity.h"
#include "store/score_function.h"
#include "store/pool.h"
#include "support/args.h"

PG_FUNCTION_INFO_V1(hwsched_assign_pending);
PG_FUNCTION_INFO_V1(hwsched_assign_batch);
PG_FUNCTION_INFO_V1(hwsched_plan_pending);

/* --- deciding --- */

/* Decides on what was read of the queue as the pool's solver does, and on what gives way. */
static void
decide(PoolSnapshot *snapshot, const char *pool, bool read_only, Preemption *preemption)
{
	if (snapshot->nitems > 0)
		snapshot_fleet(snapshot, pool, NULL, read_only);
	preempt_begin(preemption, snapshot, pool, read_only);
	if (snapshot->nitems == 0)
		return;
	prepare_reservations(snapshot, pool, read_only);
	if (solver_is_optimal(&snapshot->settings))
	{
		search_solve(&snapshot->search, snapshot->items, snapshot->nitems);
		if (snapshot->search.solver_gave_up)
			ereport(
				NOTICE,
				(errmsg(
					 "pool \"%s\" has too many kinds of work and hardware for the optimal solver",
					 pool),
				 errdetail("The best of the other plans was taken."),
				 errhint("Raise maintenance_work_mem.")));
	}
	else
		search_place(&snapshot->search, snapshot->items, snapshot->nitems, -1);
}

/*
 * Reads a pool's queue, whose settings the snapshot has, as far as it has to be seen for most
 * placements (INT32_MAX: as many as a batch makes), and decides on it.
 *
 * Each look begins with the snapshot as it was, in memory of its own.
 */
static void
decide_on_queue(PoolSnapshot *snapshot, const char *pool, int64 most, bool read_only,
				Horizon *horizon, Preemption *preemption)
{
	PoolSnapshot begun = *snapshot;
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hwsched batch", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = CurrentMemoryContext;
	bool again;

	/* the first workloads of the queue are what was asked for, whether they have room or not */
	horizon_begin(horizon, snapshot, pool, Min(most, snapshot->settings.batch_window),
				  most == PG_INT32_MAX);
	do
	{
		MemoryContextReset(context);
		MemoryContextSwitchTo(context);
		*snapshot = begun;
		snapshot_queue(snapshot, pool, horizon, read_only);
		decide(snapshot, pool, read_only, preemption);
		MemoryContextSwitchTo(old);
		again = horizon_extend(horizon, snapshot, pool, read_only);
	} while (again);
	MemoryContextSwitchTo(context);
}

/* --- SQL --- */

/*
 * The limit that the caller gives a batch: INT32_MAX for NULL; raises an error for a
 * negative one.
 */
static int64
batch_limit(FunctionCallInfo fcinfo, int argument)
{
	int32 limit;

	if (PG_ARGISNULL(argument))
		return PG_INT32_MAX;
	limit = PG_GETARG_INT32(argument);
	if (limit < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"max_workloads\": %d", limit),
						errdetail("Expected a number that is not negative, or NULL for all.")));
	return limit;
}

/*
 * Runs a batch of a pool; returns how many placements it made, and sets *more if
 * that was all that one batch decides.
 */
static int64
run_batch(FunctionCallInfo fcinfo, const char *pool, int64 limit, bool *more)
{
	PoolSnapshot snapshot;
	Settled settled;
	Horizon horizon;
	Preemption preemption;
	int64 *victims;
	int nvictims;
	int64 placed = 0;
	Caller caller = call_begin(fcinfo);

	*more = false;
	authz_check_coordinate(&caller, pool);
	pool_check(pool, false);
	/* a second batch would find nothing left to do; but it waits for who does anything else */
	if (pool_begin_batch(pool))
	{
		refuse_in_score_function();
		PreventCommandIfReadOnly("hwsched.assign_pending()");
		pool_lock_to_decide(pool, &settled);
		snapshot_settings(&snapshot, pool, false);
		cancel_expired(pool, snapshot.settings.maintain_batch);
		if (snapshot.settings.paused)
			limit = 0;
		decide_on_queue(&snapshot, pool, limit, false, &horizon, &preemption);
		nvictims = preempt_victims(&preemption, &victims);
		evict(pool, victims, nvictims, &settled);
		placed = write_decisions(&snapshot, pool, false);
		if (placed > 0)
			notify_assigned(pool);
		horizon_end(&horizon, pool, placed);
		write_reservations(&snapshot, pool, &horizon);
		learn_settled(pool, &settled);
		activity_assigned(pool);
		*more = placed > 0 && horizon.cut;
	}
	call_end(&caller);
	return placed;
}

/* assign_pending(max_workloads int, pool text) RETURNS bigint */
Datum
hwsched_assign_pending(PG_FUNCTION_ARGS)
{
	int64 limit = batch_limit(fcinfo, 0);
	bool more;

	PG_RETURN_INT64(run_batch(fcinfo, text_argument(fcinfo, 1), limit, &more));
}

/* assign_batch(pool text) RETURNS boolean: the same; true: the next call finds more */
Datum
hwsched_assign_batch(PG_FUNCTION_ARGS)
{
	bool more;

	(void) run_batch(fcinfo, text_argument(fcinfo, 0), PG_INT32_MAX, &more);
	PG_RETURN_BOOL(more);
}

/* plan_pending(max_workloads int, pool text) RETURNS TABLE: the same, unwritten */
Datum
hwsched_plan_pending(PG_FUNCTION_ARGS)
{
	int64 limit = batch_limit(fcinfo, 0);
	char *pool = text_argument(fcinfo, 1);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PoolSnapshot snapshot;
	Horizon horizon;
	Preemption preemption;
	Caller caller;
	Scope scope;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	scope = authz_seen(&caller, pool);
	snapshot_settings(&snapshot, pool, true);
	if (snapshot.settings.paused)
		limit = 0;
	decide_on_queue(&snapshot, pool, limit, true, &horizon, &preemption);
	for (int i = 0; i < snapshot.search.nplacements; i++)
	{
		const Placement *placement = &snapshot.search.placements[i];
		Datum values[6];
		bool nulls[6] = {0};
		Datum *devices;

		if (!scope_has(&scope,
					   snapshot.search.kinds[snapshot.items[placement->item].kind].demand.tenant))
			continue;
		devices = palloc(sizeof(Datum) * placement->ndevices);
		for (int d = 0; d < placement->ndevices; d++)
			devices[d] = Int32GetDatum(
				snapshot.fleet.devices[snapshot.search.chosen[placement->first_device + d]]
					.device_no);
		values[0] = snapshot.rows[placement->item].workload_id;
		values[1] = CStringGetTextDatum(snapshot.fleet.workers[placement->worker].worker_id);
		values[2] = array_value(INT4OID, devices, NULL, placement->ndevices).value;
		values[3] = Int32GetDatum(placement->shard_no);
		values[4] = Float8GetDatum(placement->score);
		values[5] = Float8GetDatum(placement->predicted_seconds);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	call_end(&caller);
	return (Datum) 0;
}
