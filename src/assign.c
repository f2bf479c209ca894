/*
 * assign.c
 *		The batch: lock the pool, read it, decide in memory, write the decisions
 *		with three statements.  And the same decision without writing it.
 */
#include "postgres.h"

#include "arguments.h"
#include "assign.h"
#include "funcapi.h"
#include "predict.h"
#include "statement.h"
#include "usage.h"

PG_FUNCTION_INFO_V1(assign_pending);
PG_FUNCTION_INFO_V1(plan_pending);

/* Returns the predicted duration of an item on its devices: of the slowest. */
double
predicted_seconds(const Picture *picture, int i)
{
	const QueueItem *item = &picture->items[i];
	const Fleet *fleet = &picture->fleet;
	double		slowest = 0;

	for (int d = 0; d < item->ndevices; d++)
	{
		const Device *device = &fleet->devices[picture->search.chosen[item->first_device + d]];

		slowest = Max(slowest, predict_seconds(&picture->search.kinds[item->kind].profile,
											   &fleet->profiles[device->profile],
											   picture->rows[i].expected_seconds));
	}
	return slowest;
}

/* --- writing --- */

/* Sums up, per worker and per device, what the decisions take. */
static void
write_usage(const Picture *picture, const char *pool)
{
	const Fleet *fleet = &picture->fleet;
	const Search *search = &picture->search;
	WorkerChange *workers = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(WorkerChange) * (fleet->nworkers + 1),
													   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	DeviceChange *devices = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(DeviceChange) * (fleet->ndevices + 1),
													   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int			nworkers = 0;
	int			ndevices = 0;

	for (int i = 0; i < picture->nitems; i++)
	{
		const QueueItem *item = &picture->items[i];
		const WorkKind *kind = &search->kinds[item->kind];
		Occupancy	occupancy = demand_occupancy(&kind->demand);
		WorkerChange *worker;

		if (item->worker < 0)
			continue;
		worker = &workers[item->worker];
		worker->worker_id = fleet->workers[item->worker].worker_id;
		worker->assignments++;
		worker->made++;
		worker->cpu_millicores += kind->demand.cpu_millicores;
		worker->host_memory_bytes += kind->demand.host_memory_bytes;
		for (int d = 0; d < item->ndevices; d++)
		{
			int			index = search->chosen[item->first_device + d];
			DeviceChange *device = &devices[index];

			device->worker_id = worker->worker_id;
			device->device_no = fleet->devices[index].device_no;
			device->slots += occupancy == OCCUPY_SLOT;
			device->share += occupancy == OCCUPY_SHARE ? kind->demand.share :
				occupancy == OCCUPY_WHOLE ? WHOLE_SHARE : 0;
			device->memory_bytes += kind->profile.min_memory_bytes;
		}
	}
	/* keep what was touched */
	for (int i = 0; i < fleet->nworkers; i++)
		if (workers[i].worker_id != NULL)
		{
			workers[i].full_from = worker_is_full(search, i) ? fleet->workers[i].assignments - workers[i].assignments : -1;
			workers[nworkers++] = workers[i];
		}
	for (int i = 0; i < fleet->ndevices; i++)
		if (devices[i].worker_id != NULL)
			devices[ndevices++] = devices[i];
	usage_change(pool, workers, nworkers, devices, ndevices);
}

/*
 * Takes the placed items out of the queue, makes assignments of them and books
 * what they hold.  With returning, the assignments are left in SPI_tuptable.
 * Returns their number.
 *
 * A queue row is found by its ctid: rows are never updated, and the pool's
 * lock keeps others from taking them.
 */
uint64
write_decisions(Picture *picture, const char *pool, bool returning)
{
#define MOVE_SQL \
	"WITH moved AS (DELETE FROM hwsched.pending p" \
	"  USING unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)" \
	"    AS d(tid, queue_no, worker_id, device_profile_id, efficiency, adjusted, score, predicted, first_device, last_device)" \
	"  WHERE p.ctid = d.tid AND p.pool = $1 AND p.queue_no = d.queue_no" \
	"  RETURNING p.workload_id, p.run, p.attempt, p.priority, p.profile_id," \
	"    d.worker_id, d.device_profile_id, d.efficiency, d.adjusted, d.score, d.predicted, d.first_device, d.last_device)" \
	" INSERT INTO hwsched.assignment (pool, workload_id, run, attempt, worker_id, device_nos, priority, profile_id," \
	"    device_profile_id, efficiency, adjusted_efficiency, score, predicted_seconds)" \
	" SELECT $1, workload_id, run, attempt, worker_id, ($12)[first_device:last_device], priority, profile_id," \
	"    device_profile_id, efficiency, adjusted, score, predicted FROM moved"
#define MOVE_TYPES \
	{TEXTOID, TIDARRAYOID, INT8ARRAYOID, TEXTARRAYOID, INT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, \
	 FLOAT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID}
	static Statement move = {MOVE_SQL, MOVE_TYPES};
	static Statement move_returning = {MOVE_SQL " RETURNING *", MOVE_TYPES};
	enum
	{
		TID, QUEUE_NO, WORKER, DEVICE_PROFILE, EFFICIENCY, ADJUSTED, SCORE, PREDICTED, FIRST, LAST, NCOLUMNS
	};
	Datum	   *columns[NCOLUMNS];
	const Search *search = &picture->search;
	Datum	   *device_nos = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (search->nchosen + 1));
	Datum	   *worker_ids = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(Datum) * (picture->fleet.nworkers + 1),
														MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int			n = 0;
	uint64		moved;

	for (int c = 0; c < NCOLUMNS; c++)
		columns[c] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (picture->nitems + 1));
	for (int i = 0; i < search->nchosen; i++)
		device_nos[i] = Int32GetDatum(picture->fleet.devices[search->chosen[i]].device_no);
	for (int i = 0; i < picture->nitems; i++)
	{
		const QueueItem *item = &picture->items[i];

		if (item->worker < 0)
			continue;
		if (worker_ids[item->worker] == (Datum) 0)
			worker_ids[item->worker] = CStringGetTextDatum(picture->fleet.workers[item->worker].worker_id);
		columns[TID][n] = PointerGetDatum(&picture->rows[i].tid);
		columns[QUEUE_NO][n] = Int64GetDatum(picture->rows[i].queue_no);
		columns[WORKER][n] = worker_ids[item->worker];
		columns[DEVICE_PROFILE][n] =
			Int64GetDatum(picture->device_profile_ids[picture->fleet.devices[search->chosen[item->first_device]].profile]);
		columns[EFFICIENCY][n] = Float8GetDatum(item->efficiency);
		columns[ADJUSTED][n] = Float8GetDatum(item->adjusted_efficiency);
		columns[SCORE][n] = Float8GetDatum(item->score);
		columns[PREDICTED][n] = Float8GetDatum(predicted_seconds(picture, i));
		columns[FIRST][n] = Int32GetDatum(item->first_device + 1);
		columns[LAST][n] = Int32GetDatum(item->first_device + item->ndevices);
		n++;
	}
	if (n == 0)
		return 0;

	write_usage(picture, pool);
	moved = statement_run(returning ? &move_returning : &move, false, TEXT_VALUE(pool),
						  array_value(TIDOID, columns[TID], NULL, n),
						  array_value(INT8OID, columns[QUEUE_NO], NULL, n),
						  array_value(TEXTOID, columns[WORKER], NULL, n),
						  array_value(INT8OID, columns[DEVICE_PROFILE], NULL, n),
						  array_value(FLOAT8OID, columns[EFFICIENCY], NULL, n),
						  array_value(FLOAT8OID, columns[ADJUSTED], NULL, n),
						  array_value(FLOAT8OID, columns[SCORE], NULL, n),
						  array_value(FLOAT8OID, columns[PREDICTED], NULL, n),
						  array_value(INT4OID, columns[FIRST], NULL, n),
						  array_value(INT4OID, columns[LAST], NULL, n),
						  array_value(INT4OID, device_nos, NULL, search->nchosen));
	if (moved != n)
		elog(ERROR, "pool \"%s\" lost %d of its queue while it was locked", pool, (int) (n - moved));
	return moved;
}

/* --- SQL --- */

/* The limit of a batch: -1 for NULL; raises an error for a negative one. */
static int64
batch_limit(FunctionCallInfo fcinfo, int argument)
{
	int32		limit;

	if (PG_ARGISNULL(argument))
		return -1;
	limit = PG_GETARG_INT32(argument);
	if (limit < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"max_workloads\": %d", limit),
				 errdetail("Expected a number that is not negative, or NULL for all.")));
	return limit;
}

/* assign_pending(max_workloads int, pool text) RETURNS bigint */
Datum
assign_pending(PG_FUNCTION_ARGS)
{
	int64		limit = batch_limit(fcinfo, 0);
	char	   *pool = text_argument(fcinfo, 1);
	Picture		picture;
	int64		placed = 0;

	SPI_connect();
	pool_check(pool, false);
	if (pool_try_lock(pool))
	{
		picture_settings(&picture, pool, false);
		picture_queue(&picture, pool, limit, false);
		if (picture.nitems > 0)
		{
			picture_fleet(&picture, pool, NULL, false);
			search_place(&picture.search, picture.items, picture.nitems, -1);
			placed = write_decisions(&picture, pool, false);
		}
	}
	SPI_finish();
	PG_RETURN_INT64(placed);
}

/* plan_pending(max_workloads int, pool text) RETURNS TABLE: the same, unwritten */
Datum
plan_pending(PG_FUNCTION_ARGS)
{
	int64		limit = batch_limit(fcinfo, 0);
	char	   *pool = text_argument(fcinfo, 1);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Picture		picture;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	picture_settings(&picture, pool, true);
	picture_queue(&picture, pool, limit, true);
	if (picture.nitems > 0)
	{
		picture_fleet(&picture, pool, NULL, true);
		search_place(&picture.search, picture.items, picture.nitems, -1);
	}
	for (int i = 0; i < picture.nitems; i++)
	{
		const QueueItem *item = &picture.items[i];
		Datum		values[6];
		bool		nulls[6] = {0};
		Datum	   *devices;

		if (item->worker < 0)
			continue;
		devices = palloc(sizeof(Datum) * item->ndevices);
		for (int d = 0; d < item->ndevices; d++)
			devices[d] = Int32GetDatum(picture.fleet.devices[picture.search.chosen[item->first_device + d]].device_no);
		values[0] = CStringGetTextDatum(picture.rows[i].workload_id);
		values[1] = CStringGetTextDatum(picture.fleet.workers[item->worker].worker_id);
		values[2] = array_value(INT4OID, devices, NULL, item->ndevices).value;
		values[3] = Int32GetDatum(0);
		values[4] = Float8GetDatum(item->score);
		values[5] = Float8GetDatum(predicted_seconds(&picture, i));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}
