/*
 * assign.c
 *		The batch: lock the pool, read it, decide in memory, write the decisions
 *		with a few statements.  And the same decision without writing it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/async.h"
#include "funcapi.h"
#include "utils/snapmgr.h"

#include "api/assign.h"
#include "api/preempt.h"
#include "api/settle.h"
#include "place/candidate.h"
#include "place/greedy.h"
#include "place/optimal.h"
#include "snapshot/context.h"
#include "snapshot/fleet.h"
#include "snapshot/queue.h"
#include "store/pool.h"
#include "store/usage.h"
#include "support/args.h"

PG_FUNCTION_INFO_V1(hwsched_assign_pending);
PG_FUNCTION_INFO_V1(hwsched_plan_pending);

/* --- writing --- */

/* Sums up, per worker and per device, what the decisions take. */
static void
write_usage(const PoolSnapshot *snapshot, const char *pool)
{
	const Fleet *fleet = &snapshot->fleet;
	const Search *search = &snapshot->search;
	WorkerChange *workers = MemoryContextAllocExtended(CurrentMemoryContext,
													   sizeof(WorkerChange) * (fleet->nworkers + 1),
													   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	DeviceChange *devices = MemoryContextAllocExtended(CurrentMemoryContext,
													   sizeof(DeviceChange) * (fleet->ndevices + 1),
													   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int nworkers = 0;
	int ndevices = 0;

	for (int i = 0; i < search->nplacements; i++)
	{
		const Placement *placement = &search->placements[i];
		const WorkKind *kind = &search->kinds[snapshot->items[placement->item].kind];
		Occupancy occupancy = demand_occupancy(&kind->demand);
		WorkerChange *worker = &workers[placement->worker];

		worker->worker_id = fleet->workers[placement->worker].worker_id;
		worker->assignments++;
		worker->made++;
		worker->last_turn = fleet->workers[placement->worker].last_turn;
		worker->cpu_millicores += kind->demand.cpu_millicores;
		worker->host_memory_bytes += kind->demand.host_memory_bytes;
		for (int d = 0; d < placement->ndevices; d++)
		{
			int index = search->chosen[placement->first_device + d];
			DeviceChange *device = &devices[index];

			device->worker_id = worker->worker_id;
			device->device_no = fleet->devices[index].device_no;
			device->slots += occupancy == OCCUPY_SLOT;
			device->share += occupancy == OCCUPY_SHARE ? kind->demand.share :
							 occupancy == OCCUPY_WHOLE ? WHOLE_SHARE :
														 0;
			device->memory_bytes += kind->profile.min_memory_bytes;
		}
	}
	/* keep what was touched */
	for (int i = 0; i < fleet->nworkers; i++)
		if (workers[i].worker_id != NULL)
		{
			workers[i].full_from = worker_is_full(search, i) ?
									   fleet->workers[i].assignments - workers[i].assignments :
									   -1;
			workers[nworkers++] = workers[i];
		}
	for (int i = 0; i < fleet->ndevices; i++)
		if (devices[i].worker_id != NULL)
			devices[ndevices++] = devices[i];
	usage_change(pool, workers, nworkers, devices, ndevices);
}

/*
 * Takes the placed items out of the queue.  They are found by their ctids: the
 * pool's lock keeps others from taking or updating them, and the caller's
 * snapshot keeps their places from being used again.
 */
static void
leave_queue(const PoolSnapshot *snapshot, const char *pool, int count)
{
	static SpiPlan statement = {"DELETE FROM hwsched.pending WHERE ctid = ANY ($2) AND pool = $1",
								{TEXTOID, TIDARRAYOID},
								BY_CTID};
	Parameter tids;
	ItemPointerData *tid = fixed_array(TIDOID, sizeof(*tid), count, &tids);
	uint64 left;

	for (int i = 0; i < snapshot->nitems; i++)
		if (snapshot->items[i].nplacements > 0)
			*tid++ = snapshot->rows[i].tid;
	left = spi_plan_run(&statement, false, TEXT_VALUE(pool), tids);
	if (left != count)
		elog(ERROR, "pool \"%s\" lost %d of its queue while it was locked", pool,
			 (int) (count - left));
}

/* The parameters of the statement that makes assignments. */
enum
{
	POOL,
	WORKLOAD,
	RUN,
	ATTEMPT,
	SHARD,
	PRIORITY,
	PROFILE,
	WORKER,
	DEVICE_NOS,
	FIRST,
	LAST,
	DEVICE_PROFILE,
	EFFICIENCY,
	ADJUSTED,
	SCORE,
	PREDICTED,
	GANG,
	KEY,
	FORMULA,
	MODEL,
	FAMILY,
	NPARAMETERS
};

/* Returns the concurrency keys of the placements, or NULL if there are none. */
static Parameter
keys_array(const PoolSnapshot *snapshot)
{
	const Search *search = &snapshot->search;
	int n = search->nplacements;
	Datum *keys;
	bool *nulls;

	if (search->nkeys == 0)
		return NULL_VALUE;
	keys = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * n);
	nulls = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(bool) * n);
	for (int i = 0; i < n; i++)
	{
		keys[i] = snapshot->rows[search->placements[i].item].concurrency_key;
		nulls[i] = keys[i] == (Datum) 0;
	}
	return array_value(TEXTOID, keys, nulls, n);
}

/* Returns what the formula alone says of the placements, or NULL if nothing else was learned. */
static Parameter
formula_array(const Search *search)
{
	int n = search->nplacements;
	Datum *seconds;
	bool *nulls;

	if (search->forecast == NULL)
		return NULL_VALUE;
	seconds = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * n);
	nulls = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(bool) * n);
	for (int i = 0; i < n; i++)
	{
		seconds[i] = Float8GetDatum(search->placements[i].formula_seconds);
		nulls[i] = search->placements[i].formula_seconds == search->placements[i].predicted_seconds;
	}
	return array_value(FLOAT8OID, seconds, nulls, n);
}

/* Returns the models, or their families, of the placements, or NULL if there are none. */
static Parameter
models_array(const PoolSnapshot *snapshot, bool families)
{
	int n = snapshot->search.nplacements;
	Datum *names;
	Datum *models;
	bool *nulls;

	if (snapshot->nmodels == 0)
		return NULL_VALUE;
	names = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(Datum) * snapshot->nmodels,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	models = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * n);
	nulls = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(bool) * n);
	for (int i = 0; i < n; i++)
	{
		const QueueRow *row = &snapshot->rows[snapshot->search.placements[i].item];
		int32 model = families ? row->family : row->model;

		nulls[i] = model < 0;
		if (model >= 0 && names[model] == (Datum) 0)
			names[model] = CStringGetTextDatum(snapshot->models[model].name);
		models[i] = model < 0 ? (Datum) 0 : names[model];
	}
	return array_value(TEXTOID, models, nulls, n);
}

/*
 * Raises a serialization failure if a concurrency key of the placements is held
 * by now: an old snapshot (REPEATABLE READ) does not show who has taken it.
 */
void
check_keys(const PoolSnapshot *snapshot, const char *pool)
{
	static SpiPlan statement = {
		"SELECT concurrency_key FROM hwsched.assignment"
		" WHERE pool = $1 AND concurrency_key = ANY ($2) AND finished_at IS NULL LIMIT 1",
		{TEXTOID, TEXTARRAYOID}};

	if (snapshot->search.nkeys == 0 || !IsolationUsesXactSnapshot())
		return;
	PushActiveSnapshot(GetLatestSnapshot());
	if (spi_plan_run(&statement, true, TEXT_VALUE(pool), keys_array(snapshot)) > 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to work with the same concurrency_key \"%s\"",
					column_text(0, 1))));
	PopActiveSnapshot();
}

/* Describes the placements in parameters[]. */
static void
describe_placements(const PoolSnapshot *snapshot, Parameter *parameters)
{
	const Search *search = &snapshot->search;
	const Fleet *fleet = &snapshot->fleet;
	int n = search->nplacements;
	Datum *workload = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * n);
	int32 *run = fixed_array(INT4OID, sizeof(*run), n, &parameters[RUN]);
	int32 *attempt = fixed_array(INT4OID, sizeof(*attempt), n, &parameters[ATTEMPT]);
	int32 *shard = fixed_array(INT4OID, sizeof(*shard), n, &parameters[SHARD]);
	int16 *priority = fixed_array(INT2OID, sizeof(*priority), n, &parameters[PRIORITY]);
	int64 *profile = fixed_array(INT8OID, sizeof(*profile), n, &parameters[PROFILE]);
	Datum *worker = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * n);
	int32 *device_no =
		fixed_array(INT4OID, sizeof(*device_no), search->nchosen, &parameters[DEVICE_NOS]);
	int32 *first = fixed_array(INT4OID, sizeof(*first), n, &parameters[FIRST]);
	int32 *last = fixed_array(INT4OID, sizeof(*last), n, &parameters[LAST]);
	int64 *device_profile =
		fixed_array(INT8OID, sizeof(*device_profile), n, &parameters[DEVICE_PROFILE]);
	float8 *efficiency = fixed_array(FLOAT8OID, sizeof(*efficiency), n, &parameters[EFFICIENCY]);
	float8 *adjusted = fixed_array(FLOAT8OID, sizeof(*adjusted), n, &parameters[ADJUSTED]);
	float8 *score = fixed_array(FLOAT8OID, sizeof(*score), n, &parameters[SCORE]);
	float8 *predicted = fixed_array(FLOAT8OID, sizeof(*predicted), n, &parameters[PREDICTED]);
	bool *gang = fixed_array(BOOLOID, sizeof(*gang), n, &parameters[GANG]);
	Datum *worker_ids =
		MemoryContextAllocExtended(CurrentMemoryContext, sizeof(Datum) * (fleet->nworkers + 1),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int i = 0; i < search->nchosen; i++)
		device_no[i] = fleet->devices[search->chosen[i]].device_no;
	for (int i = 0; i < n; i++)
	{
		const Placement *placement = &search->placements[i];
		const QueueItem *item = &snapshot->items[placement->item];
		const QueueRow *row = &snapshot->rows[placement->item];

		if (worker_ids[placement->worker] == (Datum) 0)
			worker_ids[placement->worker] =
				CStringGetTextDatum(fleet->workers[placement->worker].worker_id);
		workload[i] = row->workload_id;
		run[i] = row->run;
		attempt[i] = row->attempt;
		shard[i] = placement->shard_no;
		priority[i] = item->priority;
		profile[i] = search->kinds[item->kind].profile_id;
		worker[i] = worker_ids[placement->worker];
		first[i] = placement->first_device + 1;
		last[i] = placement->first_device + placement->ndevices;
		device_profile[i] =
			snapshot->device_profile_ids[fleet->devices[search->chosen[placement->first_device]]
											 .profile];
		efficiency[i] = placement->efficiency;
		adjusted[i] = placement->adjusted_efficiency;
		score[i] = placement->score;
		predicted[i] = placement->predicted_seconds;
		gang[i] = profile_strategy(&search->kinds[item->kind].profile) != STRATEGY_SINGLE;
	}
	parameters[KEY] = keys_array(snapshot);
	parameters[FORMULA] = formula_array(search);
	parameters[MODEL] = models_array(snapshot, false);
	parameters[FAMILY] = models_array(snapshot, true);
	parameters[WORKLOAD] = array_value(TEXTOID, workload, NULL, n);
	parameters[WORKER] = array_value(TEXTOID, worker, NULL, n);
}

/*
 * Takes the placed items out of the queue, makes assignments of them and books
 * what they hold.  With returning, the assignments are left in SPI_tuptable.
 * Returns how many workloads were placed.
 *
 * All that an assignment is made of was read before, so it is made from arrays
 * alone: joining them to what a DELETE returns cost a third of the batch.
 * Arrays are read by subscript, which is the cheapest; but those of texts have
 * to be walked along.
 */
int64
write_decisions(PoolSnapshot *snapshot, const char *pool, bool returning)
{
#define MAKE_SQL \
	"INSERT INTO hwsched.assignment (pool, workload_id, run, attempt, shard_no, priority," \
	" profile_id, worker_id, device_nos," \
	"    device_profile_id, efficiency, adjusted_efficiency, score, predicted_seconds, is_gang," \
	" concurrency_key," \
	"    formula_seconds, model_id, model_family)" \
	" SELECT $1, workload_id, ($3)[i], ($4)[i], ($5)[i], ($6)[i], ($7)[i], worker_id," \
	" ($9)[($10)[i]:($11)[i]]," \
	"    ($12)[i], ($13)[i], ($14)[i], ($15)[i], ($16)[i], ($17)[i], concurrency_key, ($19)[i]," \
	" model_id, model_family" \
	" FROM (SELECT unnest($18) AS concurrency_key, unnest($20) AS model_id, unnest($21) AS" \
	" model_family, unnest($2) AS workload_id, unnest($8) AS worker_id, generate_subscripts($2," \
	" 1) AS i) d"
#define MAKE_TYPES \
	{ \
		TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT2ARRAYOID, \
			INT8ARRAYOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT8ARRAYOID, \
			FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, BOOLARRAYOID, \
			TEXTARRAYOID, FLOAT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID \
	}
	static SpiPlan make = {MAKE_SQL, MAKE_TYPES};
	static SpiPlan make_returning = {MAKE_SQL " RETURNING *", MAKE_TYPES};
	Parameter parameters[NPARAMETERS] = {[POOL] = TEXT_VALUE(pool)};
	int placed = 0;

	for (int i = 0; i < snapshot->nitems; i++)
		placed += snapshot->items[i].nplacements > 0;
	if (placed == 0)
		return 0;
	check_keys(snapshot, pool);
	write_usage(snapshot, pool);
	write_models(snapshot, pool);
	describe_placements(snapshot, parameters);
	leave_queue(snapshot, pool, placed);
	spi_plan_execute(returning ? &make_returning : &make, false, parameters, NPARAMETERS);
	return placed;
}

/*
 * Tells who listens that a pool has new assignments, once this transaction
 * commits.  Only a hint: workers ask without it, too, just less often.
 */
void
notify_assigned(const PoolSettings *settings, const char *pool)
{
	if (settings->notify)
		Async_Notify("hwsched_assigned", pool);
}

/* --- deciding --- */

/* Decides on the queue as the pool's solver does. */
static void
decide(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	if (snapshot->nitems == 0)
		return;
	snapshot_fleet(snapshot, pool, NULL, read_only);
	snapshot->search.reserves = true;
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

/* --- SQL --- */

/* The limit of a batch: -1 for NULL; raises an error for a negative one. */
static int64
batch_limit(FunctionCallInfo fcinfo, int argument)
{
	int32 limit;

	if (PG_ARGISNULL(argument))
		return -1;
	limit = PG_GETARG_INT32(argument);
	if (limit < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"max_workloads\": %d", limit),
						errdetail("Expected a number that is not negative, or NULL for all.")));
	return limit;
}

/* assign_pending(max_workloads int, pool text) RETURNS bigint */
Datum
hwsched_assign_pending(PG_FUNCTION_ARGS)
{
	int64 limit = batch_limit(fcinfo, 0);
	char *pool = text_argument(fcinfo, 1);
	PoolSnapshot snapshot;
	Settled settled;
	int64 *victims;
	int nvictims;
	int64 placed = 0;

	SPI_connect();
	pool_check(pool, false);
	if (pool_try_lock_to_decide(pool, &settled))
	{
		snapshot_settings(&snapshot, pool, false);
		snapshot_queue(&snapshot, pool, limit, false);
		decide(&snapshot, pool, false);
		nvictims = preempt(&snapshot, pool, false, &victims);
		evict(pool, victims, nvictims, &settled);
		placed = write_decisions(&snapshot, pool, false);
		if (placed > 0)
			notify_assigned(&snapshot.settings, pool);
		write_reservations(&snapshot, pool, limit >= 0 && snapshot.nitems == limit);
		learn_settled(pool, &settled);
	}
	SPI_finish();
	PG_RETURN_INT64(placed);
}

/* plan_pending(max_workloads int, pool text) RETURNS TABLE: the same, unwritten */
Datum
hwsched_plan_pending(PG_FUNCTION_ARGS)
{
	int64 limit = batch_limit(fcinfo, 0);
	char *pool = text_argument(fcinfo, 1);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PoolSnapshot snapshot;
	int64 *victims;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	snapshot_settings(&snapshot, pool, true);
	snapshot_queue(&snapshot, pool, limit, true);
	decide(&snapshot, pool, true);
	(void) preempt(&snapshot, pool, true, &victims);
	for (int i = 0; i < snapshot.search.nplacements; i++)
	{
		const Placement *placement = &snapshot.search.placements[i];
		Datum values[6];
		bool nulls[6] = {0};
		Datum *devices = palloc(sizeof(Datum) * placement->ndevices);

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
	SPI_finish();
	return (Datum) 0;
}
