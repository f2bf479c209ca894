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
#include "place/candidate.h"
#include "place/greedy.h"
#include "snapshot/context.h"
#include "snapshot/fleet.h"
#include "snapshot/queue.h"
#include "snapshot/threshold_search.h"
#include "store/pool.h"
#include "store/workload.h"
#include "support/args.h"

PG_FUNCTION_INFO_V1(hwsched_schedule);

/* Books what the one decision takes of its worker and devices. */
static void
write_usage(const PoolSnapshot *snapshot, const char *pool)
{
	static SpiPlan worker_statement = {
		"UPDATE hwsched.worker_usage SET assignments = assignments + 1, cpu_millicores ="
		" cpu_millicores + $3,"
		"  host_memory_bytes = host_memory_bytes + $4, total_assignments = total_assignments + 1,"
		"  last_turn = greatest(last_turn, $6), is_full = is_full OR assignments = $5"
		" WHERE pool = $1 AND worker_id = $2",
		{TEXTOID, TEXTOID, INT8OID, INT8OID, INT4OID, INT8OID}};
	static SpiPlan device_statement = {
		"UPDATE hwsched.device_usage SET slots = slots + $4, share = share + $5, memory_bytes ="
		" memory_bytes + $6"
		" WHERE pool = $1 AND worker_id = $2 AND device_no = ANY ($3)",
		{TEXTOID, TEXTOID, INT4ARRAYOID, INT4OID, INT4OID, INT8OID}};
	const Placement *placement = &snapshot->search.placements[0];
	const Worker *worker = &snapshot->fleet.workers[placement->worker];
	const WorkKind *kind = &snapshot->search.kinds[0];
	Occupancy occupancy = demand_occupancy(&kind->demand);
	int full_from =
		worker_is_full(&snapshot->search, placement->worker) ? worker->assignments - 1 : -1;
	Datum *device_nos = palloc(sizeof(Datum) * placement->ndevices);

	for (int d = 0; d < placement->ndevices; d++)
		device_nos[d] = Int32GetDatum(
			snapshot->fleet.devices[snapshot->search.chosen[placement->first_device + d]]
				.device_no);
	spi_plan_run(&worker_statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker->worker_id),
				 BIGINT_VALUE(kind->demand.cpu_millicores),
				 BIGINT_VALUE(kind->demand.host_memory_bytes), INT_VALUE(full_from),
				 BIGINT_VALUE(worker->last_turn));
	spi_plan_run(&device_statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker->worker_id),
				 array_value(INT4OID, device_nos, NULL, placement->ndevices),
				 INT_VALUE(occupancy == OCCUPY_SLOT),
				 INT_VALUE(occupancy == OCCUPY_SHARE ? kind->demand.share :
						   occupancy == OCCUPY_WHOLE ? WHOLE_SHARE :
													   0),
				 BIGINT_VALUE(kind->profile.min_memory_bytes));
}

/*
 * Takes the workload out of the queue and makes an assignment of it, whose row
 * is left in SPI_tuptable.
 */
static void
write_assignment(const PoolSnapshot *snapshot, const char *pool)
{
	static SpiPlan statement = {
		"WITH moved AS (DELETE FROM hwsched.pending WHERE ctid = $2 AND pool = $1 AND queue_no = $3"
		"  RETURNING workload_id, run, attempt, profile_id, concurrency_key, model_id,"
		" model_family)"
		" INSERT INTO hwsched.assignment (pool, workload_id, run, attempt, worker_id, device_nos,"
		" priority, profile_id,"
		"    device_profile_id, efficiency, adjusted_efficiency, score, predicted_seconds,"
		" concurrency_key, formula_seconds,"
		"    model_id, model_family)"
		" SELECT $1, workload_id, run, attempt, $4, $5, $11, profile_id, $6, $7, $8, $9, $10,"
		" concurrency_key, nullif($12, $10), model_id, model_family"
		" FROM moved RETURNING *",
		{TEXTOID, TIDOID, INT8OID, TEXTOID, INT4ARRAYOID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID,
		 FLOAT8OID, INT2OID, FLOAT8OID}};
	const Placement *placement = &snapshot->search.placements[0];
	const QueueRow *row = &snapshot->rows[0];
	const int32 *chosen = &snapshot->search.chosen[placement->first_device];
	const Device *devices = snapshot->fleet.devices;
	Datum *device_nos = palloc(sizeof(Datum) * placement->ndevices);

	for (int d = 0; d < placement->ndevices; d++)
		device_nos[d] = Int32GetDatum(devices[chosen[d]].device_no);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), VALUE(PointerGetDatum(&row->tid)),
					 BIGINT_VALUE(row->queue_no),
					 TEXT_VALUE(snapshot->fleet.workers[placement->worker].worker_id),
					 array_value(INT4OID, device_nos, NULL, placement->ndevices),
					 BIGINT_VALUE(snapshot->device_profile_ids[devices[chosen[0]].profile]),
					 VALUE(Float8GetDatum(placement->efficiency)),
					 VALUE(Float8GetDatum(placement->adjusted_efficiency)),
					 VALUE(Float8GetDatum(placement->score)),
					 VALUE(Float8GetDatum(placement->predicted_seconds)),
					 VALUE(Int16GetDatum(snapshot->items[0].priority)),
					 VALUE(Float8GetDatum(placement->formula_seconds))) != 1)
		elog(ERROR, "pool \"%s\" lost workload \"%s\" while it was locked", pool,
			 TextDatumGetCString(row->workload_id));
}

/* Reads the whole fleet. */
static void
read_all(PoolSnapshot *snapshot, const char *pool)
{
	snapshot_fleet(snapshot, pool, NULL, true);
	load_reservations(snapshot, pool, true);
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
	int64 *victims;
	int nvictims;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	pool_check(pool, false);
	pool_lock_to_decide(pool, &settled);

	/* one snapshot for all that is read, taken under the lock */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	snapshot_settings(&snapshot, pool, true);
	if (!snapshot_queued(&snapshot, pool, workload_id, true))
	{
		const char *state = workload_state(pool, workload_id, true);

		if (state == NULL || strcmp(state, "pending") != 0)
			workload_not_in_state(pool, workload_id, "scheduled", "pending");
		/* it waits for its retry, for other workloads or for its concurrency key */
		PopActiveSnapshot();
		learn_settled(pool, &settled);
		SPI_finish();
		return (Datum) 0;
	}
	sought = snapshot.nretries == 0 && !snapshot.settings.preemption &&
			 !has_reservations(pool, true) && seek_fleet(&snapshot, pool);
	if (!sought)
		read_all(&snapshot, pool);
	PopActiveSnapshot();

	search_place(&snapshot.search, snapshot.items, snapshot.nitems, -1);
	if (!sought)
	{
		nvictims = preempt(&snapshot, pool, false, &victims);
		evict(pool, victims, nvictims, &settled);
		/* it may be a gang, with several assignments */
		if (write_decisions(&snapshot, pool, true) > 0)
			return_rows(fcinfo);
	}
	else if (snapshot.search.nplacements > 0)
	{
		check_keys(&snapshot, pool);
		write_usage(&snapshot, pool);
		write_models(&snapshot, pool);
		write_assignment(&snapshot, pool);
		return_rows(fcinfo);
	}
	if (snapshot.search.nplacements > 0)
		notify_assigned(&snapshot.settings, pool);
	learn_settled(pool, &settled);
	SPI_finish();
	return (Datum) 0;
}
