/*
 * assign.c
 *		The batch: lock the pool, read it, decide in memory, write the decisions
 *		with four statements.  And the same decision without writing it.
 */
#include "postgres.h"

#include "arguments.h"
#include "assign.h"
#include "funcapi.h"
#include "predict.h"
#include "statement.h"
#include "usage.h"
#include "workload.h"

PG_FUNCTION_INFO_V1(assign_pending);
PG_FUNCTION_INFO_V1(plan_pending);
PG_FUNCTION_INFO_V1(schedule);

/* Returns the predicted duration of an item on its devices: of the slowest. */
static double
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
			workers[nworkers++] = workers[i];
	for (int i = 0; i < fleet->ndevices; i++)
		if (devices[i].worker_id != NULL)
			devices[ndevices++] = devices[i];
	usage_change(pool, workers, nworkers, devices, ndevices);
}

/*
 * Takes rows out of the queue.  They are found by their ctids: rows are never
 * updated, the pool's lock keeps others from taking them, and the caller's
 * snapshot keeps their places from being used again.
 */
static void
leave_queue(const char *pool, Parameter tids, int n)
{
	static Statement statement = {
		"DELETE FROM hwsched.pending WHERE ctid = ANY ($2) AND pool = $1",
		{TEXTOID, TIDARRAYOID}, .by_ctid = true
	};
	uint64		left = statement_run(&statement, false, TEXT_VALUE(pool), tids);

	if (left != n)
		elog(ERROR, "pool \"%s\" lost %d of its queue while it was locked", pool, (int) (n - left));
}

/* The parameters of the statement that makes assignments. */
enum
{
	POOL, WORKLOAD, RUN, ATTEMPT, PRIORITY, PROFILE, WORKER, DEVICE_NOS, FIRST, LAST,
	DEVICE_PROFILE, EFFICIENCY, ADJUSTED, SCORE, PREDICTED, NPARAMETERS
};

/* Describes the n items that were placed: *tids in the queue, and parameters[]. */
static void
describe_decisions(const Picture *picture, int n, Parameter *tids, Parameter *parameters)
{
	const Search *search = &picture->search;
	const Fleet *fleet = &picture->fleet;
	ItemPointerData *tid = fixed_array(TIDOID, sizeof(*tid), n, tids);
	Datum	   *workload = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * n);
	int32	   *run = fixed_array(INT4OID, sizeof(*run), n, &parameters[RUN]);
	int32	   *attempt = fixed_array(INT4OID, sizeof(*attempt), n, &parameters[ATTEMPT]);
	int16	   *priority = fixed_array(INT2OID, sizeof(*priority), n, &parameters[PRIORITY]);
	int64	   *profile = fixed_array(INT8OID, sizeof(*profile), n, &parameters[PROFILE]);
	Datum	   *worker = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * n);
	int32	   *device_no = fixed_array(INT4OID, sizeof(*device_no), search->nchosen, &parameters[DEVICE_NOS]);
	int32	   *first = fixed_array(INT4OID, sizeof(*first), n, &parameters[FIRST]);
	int32	   *last = fixed_array(INT4OID, sizeof(*last), n, &parameters[LAST]);
	int64	   *device_profile = fixed_array(INT8OID, sizeof(*device_profile), n, &parameters[DEVICE_PROFILE]);
	float8	   *efficiency = fixed_array(FLOAT8OID, sizeof(*efficiency), n, &parameters[EFFICIENCY]);
	float8	   *adjusted = fixed_array(FLOAT8OID, sizeof(*adjusted), n, &parameters[ADJUSTED]);
	float8	   *score = fixed_array(FLOAT8OID, sizeof(*score), n, &parameters[SCORE]);
	float8	   *predicted = fixed_array(FLOAT8OID, sizeof(*predicted), n, &parameters[PREDICTED]);
	Datum	   *worker_ids = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(Datum) * (fleet->nworkers + 1),
														MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int			to = 0;

	for (int i = 0; i < search->nchosen; i++)
		device_no[i] = fleet->devices[search->chosen[i]].device_no;
	for (int i = 0; i < picture->nitems; i++)
	{
		const QueueItem *item = &picture->items[i];
		const QueueRow *row = &picture->rows[i];

		if (item->worker < 0)
			continue;
		if (worker_ids[item->worker] == (Datum) 0)
			worker_ids[item->worker] = CStringGetTextDatum(fleet->workers[item->worker].worker_id);
		tid[to] = row->tid;
		workload[to] = row->workload_id;
		run[to] = row->run;
		attempt[to] = row->attempt;
		priority[to] = row->priority;
		profile[to] = search->kinds[item->kind].profile_id;
		worker[to] = worker_ids[item->worker];
		first[to] = item->first_device + 1;
		last[to] = item->first_device + item->ndevices;
		device_profile[to] = picture->device_profile_ids[fleet->devices[search->chosen[item->first_device]].profile];
		efficiency[to] = item->efficiency;
		adjusted[to] = item->adjusted_efficiency;
		score[to] = item->score;
		predicted[to] = predicted_seconds(picture, i);
		to++;
	}
	Assert(to == n);
	parameters[WORKLOAD] = array_value(TEXTOID, workload, NULL, n);
	parameters[WORKER] = array_value(TEXTOID, worker, NULL, n);
}

/*
 * Takes the placed items out of the queue, makes assignments of them and books
 * what they hold.  With returning, the assignments are left in SPI_tuptable.
 * Returns their number.
 *
 * All that an assignment is made of was read before, so it is made from arrays
 * alone: joining them to what a DELETE returns cost a third of the batch.
 * Arrays are read by subscript, which is the cheapest; but those of texts have
 * to be walked along.
 */
uint64
write_decisions(Picture *picture, const char *pool, bool returning)
{
#define MAKE_SQL \
	"INSERT INTO hwsched.assignment (pool, workload_id, run, attempt, priority, profile_id, worker_id, device_nos," \
	"    device_profile_id, efficiency, adjusted_efficiency, score, predicted_seconds)" \
	" SELECT $1, workload_id, ($3)[i], ($4)[i], ($5)[i], ($6)[i], worker_id, ($8)[($9)[i]:($10)[i]]," \
	"    ($11)[i], ($12)[i], ($13)[i], ($14)[i], ($15)[i]" \
	" FROM (SELECT unnest($2) AS workload_id, unnest($7) AS worker_id, generate_subscripts($2, 1) AS i) d"
#define MAKE_TYPES \
	{TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT2ARRAYOID, INT8ARRAYOID, TEXTARRAYOID, INT4ARRAYOID, \
	 INT4ARRAYOID, INT4ARRAYOID, INT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID}
	static Statement make = {MAKE_SQL, MAKE_TYPES, .from_arrays = true};
	static Statement make_returning = {MAKE_SQL " RETURNING *", MAKE_TYPES, .from_arrays = true};
	Parameter	tids;
	Parameter	parameters[NPARAMETERS] = {[POOL] = TEXT_VALUE(pool)};
	int			n = 0;

	for (int i = 0; i < picture->nitems; i++)
		n += picture->items[i].worker >= 0;
	if (n == 0)
		return 0;
	write_usage(picture, pool);
	describe_decisions(picture, n, &tids, parameters);
	leave_queue(pool, tids, n);
	return statement_execute(returning ? &make_returning : &make, false, parameters, NPARAMETERS);
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
		values[0] = picture.rows[i].workload_id;
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

/* schedule(workload_id text, pool text) RETURNS SETOF assignment */
Datum
schedule(PG_FUNCTION_ARGS)
{
	char	   *workload_id = text_argument(fcinfo, 0);
	char	   *pool = text_argument(fcinfo, 1);
	Picture		picture;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	pool_check(pool, false);
	pool_lock(pool);
	picture_settings(&picture, pool, false);
	if (!picture_queued(&picture, pool, workload_id, false))
		workload_not_in_state(pool, workload_id, "scheduled", "pending");
	picture_fleet(&picture, pool, NULL, false);
	search_place(&picture.search, picture.items, picture.nitems, -1);
	if (write_decisions(&picture, pool, true) > 0)
		return_rows(fcinfo);
	SPI_finish();
	return (Datum) 0;
}
