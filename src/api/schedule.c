/*
 * schedule.c
 *		Placing one workload now: the same decision as the batch's, with
 *		statements made for one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "support/args.h"
#include "api/assign.h"
#include "snapshot/context.h"
#include "funcapi.h"
#include "api/preempt.h"
#include "snapshot/threshold_search.h"
#include "support/spi_plan.h"
#include "utils/snapmgr.h"
#include "api/submit.h"

PG_FUNCTION_INFO_V1(schedule);

/* Books what the one decision takes of its worker and devices. */
static void
write_usage(const Picture *picture, const char *pool)
{
	static Statement worker_statement = {
		"UPDATE hwsched.worker_usage SET assignments = assignments + 1, cpu_millicores = cpu_millicores + $3,"
		"  host_memory_bytes = host_memory_bytes + $4, total_assignments = total_assignments + 1,"
		"  last_turn = greatest(last_turn, $6), is_full = is_full OR assignments = $5"
		" WHERE pool = $1 AND worker_id = $2",
		{TEXTOID, TEXTOID, INT8OID, INT8OID, INT4OID, INT8OID}
	};
	static Statement device_statement = {
		"UPDATE hwsched.device_usage SET slots = slots + $4, share = share + $5, memory_bytes = memory_bytes + $6"
		" WHERE pool = $1 AND worker_id = $2 AND device_no = ANY ($3)",
		{TEXTOID, TEXTOID, INT4ARRAYOID, INT4OID, INT4OID, INT8OID}
	};
	const Placement *placement = &picture->search.placements[0];
	const Worker *worker = &picture->fleet.workers[placement->worker];
	const WorkKind *kind = &picture->search.kinds[0];
	Occupancy	occupancy = demand_occupancy(&kind->demand);
	int			full_from = worker_is_full(&picture->search, placement->worker) ? worker->assignments - 1 : -1;
	Datum	   *device_nos = palloc(sizeof(Datum) * placement->ndevices);

	for (int d = 0; d < placement->ndevices; d++)
		device_nos[d] = Int32GetDatum(picture->fleet.devices[picture->search.chosen[placement->first_device + d]].device_no);
	statement_run(&worker_statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker->worker_id),
				  BIGINT_VALUE(kind->demand.cpu_millicores), BIGINT_VALUE(kind->demand.host_memory_bytes),
				  INT_VALUE(full_from), BIGINT_VALUE(worker->last_turn));
	statement_run(&device_statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker->worker_id),
				  array_value(INT4OID, device_nos, NULL, placement->ndevices),
				  INT_VALUE(occupancy == OCCUPY_SLOT),
				  INT_VALUE(occupancy == OCCUPY_SHARE ? kind->demand.share : occupancy == OCCUPY_WHOLE ? WHOLE_SHARE : 0),
				  BIGINT_VALUE(kind->profile.min_memory_bytes));
}

/*
 * Takes the workload out of the queue and makes an assignment of it, whose row
 * is left in SPI_tuptable.
 */
static void
write_assignment(const Picture *picture, const char *pool)
{
	static Statement statement = {
		"WITH moved AS (DELETE FROM hwsched.pending WHERE ctid = $2 AND pool = $1 AND queue_no = $3"
		"  RETURNING workload_id, run, attempt, profile_id, concurrency_key, model_id, model_family)"
		" INSERT INTO hwsched.assignment (pool, workload_id, run, attempt, worker_id, device_nos, priority, profile_id,"
		"    device_profile_id, efficiency, adjusted_efficiency, score, predicted_seconds, concurrency_key, formula_seconds,"
		"    model_id, model_family)"
		" SELECT $1, workload_id, run, attempt, $4, $5, $11, profile_id, $6, $7, $8, $9, $10, concurrency_key, nullif($12, $10), model_id, model_family"
		" FROM moved RETURNING *",
		{TEXTOID, TIDOID, INT8OID, TEXTOID, INT4ARRAYOID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, INT2OID,
			FLOAT8OID}
	};
	const Placement *placement = &picture->search.placements[0];
	const QueueRow *row = &picture->rows[0];
	const int32 *chosen = &picture->search.chosen[placement->first_device];
	const Device *devices = picture->fleet.devices;
	Datum	   *device_nos = palloc(sizeof(Datum) * placement->ndevices);

	for (int d = 0; d < placement->ndevices; d++)
		device_nos[d] = Int32GetDatum(devices[chosen[d]].device_no);
	if (statement_run(&statement, false, TEXT_VALUE(pool), VALUE(PointerGetDatum(&row->tid)), BIGINT_VALUE(row->queue_no),
					  TEXT_VALUE(picture->fleet.workers[placement->worker].worker_id),
					  array_value(INT4OID, device_nos, NULL, placement->ndevices),
					  BIGINT_VALUE(picture->device_profile_ids[devices[chosen[0]].profile]),
					  VALUE(Float8GetDatum(placement->efficiency)), VALUE(Float8GetDatum(placement->adjusted_efficiency)),
					  VALUE(Float8GetDatum(placement->score)), VALUE(Float8GetDatum(placement->predicted_seconds)),
					  VALUE(Int16GetDatum(picture->items[0].priority)),
					  VALUE(Float8GetDatum(placement->formula_seconds))) != 1)
		elog(ERROR, "pool \"%s\" lost workload \"%s\" while it was locked", pool, TextDatumGetCString(row->workload_id));
}

/* Reads the whole fleet. */
static void
read_all(Picture *picture, const char *pool)
{
	picture_fleet(picture, pool, NULL, true);
	load_reservations(picture, pool, true);
}

/* schedule(workload_id text, pool text) RETURNS SETOF assignment */
Datum
schedule(PG_FUNCTION_ARGS)
{
	char	   *workload_id = text_argument(fcinfo, 0);
	char	   *pool = text_argument(fcinfo, 1);
	Picture		picture;
	bool		sought;
	int64	   *victims;
	int			nvictims;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	pool_check(pool, false);
	pool_lock(pool);

	/* one snapshot for all that is read, taken under the lock */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	picture_settings(&picture, pool, true);
	if (!picture_queued(&picture, pool, workload_id, true))
	{
		const char *state = workload_state(pool, workload_id, true);

		if (state == NULL || strcmp(state, "pending") != 0)
			workload_not_in_state(pool, workload_id, "scheduled", "pending");
		/* it waits for its retry, for other workloads or for its concurrency key */
		PopActiveSnapshot();
		SPI_finish();
		return (Datum) 0;
	}
	sought = picture.nretries == 0 && !picture.settings.preemption && !has_reservations(pool, true) && seek_fleet(&picture, pool);
	if (!sought)
		read_all(&picture, pool);
	PopActiveSnapshot();

	search_place(&picture.search, picture.items, picture.nitems, -1);
	if (!sought)
	{
		nvictims = preempt(&picture, pool, false, &victims);
		evict(pool, victims, nvictims);
		/* it may be a gang, with several assignments */
		if (write_decisions(&picture, pool, true) > 0)
			return_rows(fcinfo);
	}
	else if (picture.search.nplacements > 0)
	{
		check_keys(&picture, pool);
		write_usage(&picture, pool);
		write_models(&picture, pool);
		write_assignment(&picture, pool);
		return_rows(fcinfo);
	}
	if (picture.search.nplacements > 0)
		notify_assigned(&picture.settings, pool);
	SPI_finish();
	return (Datum) 0;
}
