/*
 * decision_writer.c
 *		Writes down what was decided on a snapshot: assignments, what they hold
 *		and where models run from now on.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "place/candidate.h"
#include "snapshot/decision_detail.h"
#include "snapshot/policy_context.h"
#include "snapshot/decision_writer.h"
#include "snapshot/tenants.h"
#include "snapshot/keys.h"
#include "store/usage.h"
#include "support/columns.h"

/* An assignment to be. */
typedef struct AssignmentRow
{
	Datum workload_id;
	Datum worker_id;
	Datum model_id; /* 0: none, as of the next */
	Datum model_family;
	Datum device_ids; /* as a text */
	Datum decision; /* a bytea; 0: not kept */
	int32 run;
	int32 attempt;
	int32 shard_no;
	int16 priority;
	bool is_gang;
	bool alone;
	int32 first_device; /* in the numbers of all chosen devices, from 1 */
	int32 last_device;
	int64 profile_id;
	int64 device_profile_id;
	TimestampTz expires_at;
	double efficiency;
	double adjusted_efficiency;
	double score;
	double predicted_seconds;
	double p90_seconds; /* NAN: the same */
	double timeout_seconds;
	double start_timeout_seconds; /* NAN: the pool's */
	double formula_seconds; /* NAN: nothing else was learned */
} AssignmentRow;

#define COLUMN(type, member) \
	{ \
#member, type, offsetof(AssignmentRow, member) \
	}

static const Column columns[] = {
	COLUMN(TEXTOID, workload_id),
	COLUMN(TEXTOID, worker_id),
	COLUMN(TEXTOID, model_id),
	COLUMN(TEXTOID, model_family),
	COLUMN(INT4OID, run),
	COLUMN(INT4OID, attempt),
	COLUMN(INT4OID, shard_no),
	COLUMN(INT2OID, priority),
	COLUMN(BOOLOID, is_gang),
	COLUMN(INT8OID, profile_id),
	COLUMN(INT8OID, device_profile_id),
	COLUMN(FLOAT8OID, efficiency),
	COLUMN(FLOAT8OID, adjusted_efficiency),
	COLUMN(FLOAT8OID, score),
	COLUMN(FLOAT8OID, predicted_seconds),
	COLUMN(FLOAT8OID, formula_seconds),
	COLUMN(BOOLOID, alone),
	COLUMN(TIMESTAMPTZOID, expires_at),
	COLUMN(FLOAT8OID, p90_seconds),
	COLUMN(FLOAT8OID, timeout_seconds),
	COLUMN(FLOAT8OID, start_timeout_seconds),
};

/* Where the parameters are that are no column: the pool, and the devices of each assignment. */
enum
{
	POOL,
	DEVICE_NOS,
	FIRST_DEVICE,
	LAST_DEVICE,
	DEVICE_IDS,
	DECISIONS,
	FIRST_COLUMN,
	NPARAMETERS = FIRST_COLUMN + lengthof(columns)
};

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
			device->slots += demanded_slots(&kind->demand);
			device->share += demanded_share(&kind->demand);
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

/*
 * Returns the statement that makes assignments of the columns' arrays.  Arrays
 * are read by subscript, which is the cheapest; but those of texts have to be
 * walked along.
 */
static SpiPlan
make_statement(const char *returning)
{
	SpiPlan plan = {.types = {[POOL] = TEXTOID,
							  [DEVICE_NOS] = INT4ARRAYOID,
							  [FIRST_DEVICE] = INT4ARRAYOID,
							  [LAST_DEVICE] = INT4ARRAYOID,
							  [DEVICE_IDS] = TEXTARRAYOID,
							  [DECISIONS] = BYTEAARRAYOID}};
	StringInfoData names;
	StringInfoData values;
	StringInfoData walked;

	initStringInfo(&names);
	initStringInfo(&values);
	initStringInfo(&walked);
	for (int c = 0; c < lengthof(columns); c++)
	{
		int parameter = FIRST_COLUMN + c + 1;

		plan.types[FIRST_COLUMN + c] = get_array_type(columns[c].type);
		appendStringInfo(&names, ", %s", columns[c].name);
		if (columns[c].type == TEXTOID)
		{
			appendStringInfo(&values, ", %s", columns[c].name);
			appendStringInfo(&walked, "unnest($%d) AS %s, ", parameter, columns[c].name);
		}
		else
			appendStringInfo(&values, ", ($%d)[i]", parameter);
	}
	plan.text = MemoryContextStrdup(
		TopMemoryContext, psprintf("INSERT INTO hwsched.assignment (pool, device_nos, device_ids,"
								   " decision%s)"
								   " SELECT $1, ($2)[($3)[i]:($4)[i]], device_ids::text[],"
								   " decision%s"
								   " FROM (SELECT unnest($5) AS device_ids,"
								   " unnest($6) AS decision,"
								   " %sgenerate_subscripts($3, 1) AS i) d%s",
								   names.data, values.data, walked.data, returning));
	return plan;
}

/*
 * Returns the device_ids of a placement's devices, as a text, as arrays of
 * arrays cannot be taken apart; 0 if none has one.
 */
static Datum
device_ids_text(const Search *search, const Placement *placement)
{
	const int32 *chosen = &search->chosen[placement->first_device];
	const Device *devices = search->fleet->devices;
	Datum *ids;
	bool *nulls;
	bool any = false;
	Oid output;
	bool varlena;

	for (int d = 0; d < placement->ndevices && !any; d++)
		any = devices[chosen[d]].device_id != NULL;
	if (!any)
		return (Datum) 0;
	ids = palloc(sizeof(Datum) * placement->ndevices);
	nulls = palloc(sizeof(bool) * placement->ndevices);
	for (int d = 0; d < placement->ndevices; d++)
	{
		const char *id = devices[chosen[d]].device_id;

		nulls[d] = id == NULL;
		ids[d] = nulls[d] ? (Datum) 0 : CStringGetTextDatum(id);
	}
	getTypeOutputInfo(TEXTARRAYOID, &output, &varlena);
	return CStringGetTextDatum(
		OidOutputFunctionCall(output, array_value(TEXTOID, ids, nulls, placement->ndevices).value));
}

/* Returns what is to be written of the placements. */
static AssignmentRow *
describe_placements(const PoolSnapshot *snapshot)
{
	const Search *search = &snapshot->search;
	const Fleet *fleet = &snapshot->fleet;
	int n = search->nplacements;
	AssignmentRow *rows =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(AssignmentRow) * (n + 1));
	Datum *worker_ids =
		MemoryContextAllocExtended(CurrentMemoryContext, sizeof(Datum) * (fleet->nworkers + 1),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	Datum *models =
		MemoryContextAllocExtended(CurrentMemoryContext, sizeof(Datum) * (snapshot->nmodels + 1),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int m = 0; m < snapshot->nmodels; m++)
		models[m] = CStringGetTextDatum(snapshot->models[m].name);
	for (int i = 0; i < n; i++)
	{
		const Placement *placement = &search->placements[i];
		const QueueItem *item = &snapshot->items[placement->item];
		const QueueRow *row = &snapshot->rows[placement->item];
		const Device *device = &fleet->devices[search->chosen[placement->first_device]];
		const WorkKind *kind = &search->kinds[item->kind];

		if (worker_ids[placement->worker] == (Datum) 0)
			worker_ids[placement->worker] =
				CStringGetTextDatum(fleet->workers[placement->worker].worker_id);
		rows[i] = (AssignmentRow){
			.workload_id = row->workload_id,
			.worker_id = worker_ids[placement->worker],
			.model_id = row->model < 0 ? (Datum) 0 : models[row->model],
			.model_family = row->family < 0 ? (Datum) 0 : models[row->family],
			.run = row->run,
			.attempt = row->attempt,
			.shard_no = placement->shard_no,
			.priority = item->priority,
			.is_gang = is_gang(kind),
			.alone = item->alone,
			.device_ids = device_ids_text(search, placement),
			.decision = search->keeps_scores ?
							decision_detail_write(snapshot, placement, search->keeps_second) :
							(Datum) 0,
			.first_device = placement->first_device + 1,
			.last_device = placement->first_device + placement->ndevices,
			.profile_id = kind->profile_id,
			.expires_at = row->expires_at,
			.timeout_seconds = row->timeout_seconds,
			.start_timeout_seconds = row->start_timeout_seconds,
			.device_profile_id = snapshot->device_profile_ids[device->profile],
			.efficiency = placement->efficiency,
			.adjusted_efficiency = placement->adjusted_efficiency,
			.score = placement->score,
			.predicted_seconds = placement->predicted_seconds,
			.p90_seconds = placement->p90_seconds == placement->predicted_seconds ?
							   NAN :
							   placement->p90_seconds,
			.formula_seconds = placement->formula_seconds == placement->predicted_seconds ?
								   NAN :
								   placement->formula_seconds,
		};
	}
	return rows;
}

/* Returns the numbers of all chosen devices, in the order of the placements. */
static Parameter
device_numbers_array(const PoolSnapshot *snapshot)
{
	const Search *search = &snapshot->search;
	Parameter array;
	int32 *device_nos = fixed_array(INT4OID, sizeof(int32), search->nchosen, &array);

	for (int i = 0; i < search->nchosen; i++)
		device_nos[i] = snapshot->fleet.devices[search->chosen[i]].device_no;
	return array;
}

/*
 * Takes the placed items out of the queue, makes assignments of them and books
 * what they hold.  With returning, the assignments are left in SPI_tuptable.
 * Returns how many workloads were placed.  Raises
 * ERRCODE_T_R_SERIALIZATION_FAILURE where an old snapshot (REPEATABLE READ) does
 * not show that a concurrency key has been taken.
 *
 * All that an assignment is made of was read before, so it is made from arrays
 * alone: joining them to what a DELETE returns cost a third of the batch.
 */
int64
write_decisions(PoolSnapshot *snapshot, const char *pool, bool returning)
{
	static const Column first_device = {"first", INT4OID, offsetof(AssignmentRow, first_device)};
	static const Column last_device = {"last", INT4OID, offsetof(AssignmentRow, last_device)};
	static const Column device_ids = {"device_ids", TEXTOID, offsetof(AssignmentRow, device_ids)};
	static const Column decision = {"decision", BYTEAOID, offsetof(AssignmentRow, decision)};
	static SpiPlan statements[2]; /* by returning */
	int n = snapshot->search.nplacements;
	Parameter parameters[NPARAMETERS];
	AssignmentRow *rows;
	SPITupleTable *written;
	uint64 nwritten;
	int placed = 0;

	for (int i = 0; i < snapshot->nitems; i++)
		placed += snapshot->items[i].nplacements > 0;
	if (placed == 0)
		return 0;
	if (statements[returning].text == NULL)
		statements[returning] = make_statement(returning ? " RETURNING *" : "");
	rows = describe_placements(snapshot);
	keys_check_latest(snapshot, pool);
	check_tenants(snapshot, pool);
	write_usage(snapshot, pool);
	write_models(snapshot, pool);
	leave_queue(snapshot, pool, placed);

	parameters[POOL] = TEXT_VALUE(pool);
	parameters[DEVICE_NOS] = device_numbers_array(snapshot);
	parameters[FIRST_DEVICE] = column_array(&first_device, rows, sizeof(AssignmentRow), n);
	parameters[LAST_DEVICE] = column_array(&last_device, rows, sizeof(AssignmentRow), n);
	parameters[DEVICE_IDS] = column_array(&device_ids, rows, sizeof(AssignmentRow), n);
	parameters[DECISIONS] = column_array(&decision, rows, sizeof(AssignmentRow), n);
	for (int c = 0; c < lengthof(columns); c++)
		parameters[FIRST_COLUMN + c] = column_array(&columns[c], rows, sizeof(AssignmentRow), n);
	spi_plan_execute(&statements[returning], false, parameters, NPARAMETERS);
	written = SPI_tuptable;
	nwritten = SPI_processed;
	keys_hold(snapshot, pool);
	SPI_tuptable = written;
	SPI_processed = nwritten;
	return placed;
}
