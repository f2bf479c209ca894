/*
 * change_points.c
 *		Since when runs take longer or shorter, from the history of executions:
 *		model/change_point.h on the runs of each type of work on each device model.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "model/change_point.h"
#include "store/authz.h"
#include "store/pool.h"
#include "store/worker.h"
#include "support/columns.h"
#include "support/strtab.h"

PG_FUNCTION_INFO_V1(hwsched_change_points);

/* Less is not measured: runs as short as this are alike. */
#define LEAST_SECONDS 0.001

/* A completed run, as it is read. */
typedef struct RunRow
{
	const char *model_name;
	const char *workload_type;
	const char *worker_id;
	const char *work; /* the model that it ran, and whether it was recorded */
	double base; /* seconds that it was thought to take, without what was learned; NAN: not known */
	double seconds;
	TimestampTz at;
} RunRow;

/*
 * Runs elsewhere were estimated by who recorded them.  Where that is not known, the seconds
 * themselves are compared.
 */
static const Column run_columns[] = {
	{"coalesce(model_name, '')", CSTRINGOID, offsetof(RunRow, model_name)},
	{"workload_type", CSTRINGOID, offsetof(RunRow, workload_type)},
	{"worker_id", CSTRINGOID, offsetof(RunRow, worker_id)},
	{"work", CSTRINGOID, offsetof(RunRow, work)},
	{"base", FLOAT8OID, offsetof(RunRow, base)},
	{"seconds", FLOAT8OID, offsetof(RunRow, seconds)},
	{"at", TIMESTAMPTZOID, offsetof(RunRow, at)},
};

static const RowType run_row = ROW_TYPE(RunRow, run_columns);

/* A change, and the names of what it is about. */
typedef struct FoundChange
{
	TimestampTz at;
	const char *worker_id; /* NULL: several workers at once */
	const char *model_name;
	const char *workload_type;
	double before_seconds;
	double after_seconds;
} FoundChange;

/* What is asked for, the runs of the group that is being read, and what was found so far. */
typedef struct ChangeReader
{
	const char *only_worker; /* NULL: all */
	TimestampTz since;
	MemoryContext group; /* holds what is known of the group */
	MemoryContext result;
	char *model_name; /* of the group; NULL: none is being read */
	char *workload_type;
	HTAB *workers;
	HTAB *strata;
	StringInfoData key;
	int nworkers;
	int nstrata;
	int workers_allocated;
	const char **worker_ids;
	int count;
	int allocated;
	ChangeRun *runs;
	TimestampTz *times;
	bool seen_worker;
	int nfound;
	int found_allocated;
	FoundChange *found;
} ChangeReader;

/* --- groups --- */

/* Begins the runs of a type of work on a device model. */
static void
begin_group(ChangeReader *reader, const RunRow *row)
{
	MemoryContext caller = MemoryContextSwitchTo(reader->group);

	reader->model_name = pstrdup(row->model_name);
	reader->workload_type = pstrdup(row->workload_type);
	reader->workers = strtab_create("hwsched workers of runs");
	reader->strata = strtab_create("hwsched strata of runs");
	initStringInfo(&reader->key);
	reader->nworkers = reader->nstrata = reader->count = 0;
	reader->workers_allocated = reader->allocated = 256;
	reader->worker_ids = palloc(sizeof(char *) * reader->workers_allocated);
	reader->runs = palloc(sizeof(ChangeRun) * reader->allocated);
	reader->times = palloc(sizeof(TimestampTz) * reader->allocated);
	MemoryContextSwitchTo(caller);
}

/* Keeps a change that was found, if it is one that is asked for. */
static void
keep_change(ChangeReader *reader, const ChangePoint *change)
{
	TimestampTz at = reader->times[change->run];
	const char *worker_id = change->worker < 0 ? NULL : reader->worker_ids[change->worker];

	if (at < reader->since || (reader->only_worker != NULL && worker_id != NULL &&
							   strcmp(worker_id, reader->only_worker) != 0))
		return;
	MemoryContextSwitchTo(reader->result);
	if (reader->nfound == reader->found_allocated)
	{
		reader->found_allocated = Max(64, 2 * reader->found_allocated);
		reader->found = reader->found == NULL ?
							palloc(sizeof(FoundChange) * reader->found_allocated) :
							repalloc(reader->found, sizeof(FoundChange) * reader->found_allocated);
	}
	reader->found[reader->nfound++] = (FoundChange){at,
													worker_id == NULL ? NULL : pstrdup(worker_id),
													pstrdup(reader->model_name),
													pstrdup(reader->workload_type),
													change->before_seconds,
													change->after_seconds};
	MemoryContextSwitchTo(reader->group);
}

/* Ends a group: finds its changes, and forgets its runs. */
static void
end_group(ChangeReader *reader)
{
	MemoryContext caller;
	ChangePoint *changes;
	bool is_asked_for;
	int n;

	if (reader->model_name == NULL)
		return;
	caller = MemoryContextSwitchTo(reader->group);
	is_asked_for = reader->only_worker == NULL || strtab_find(reader->workers, reader->only_worker,
															  strlen(reader->only_worker)) != NULL;
	reader->seen_worker = reader->seen_worker || is_asked_for;
	n = is_asked_for ? find_change_points(reader->runs, reader->count, reader->nworkers,
										  reader->nstrata, &changes) :
					   0;
	for (int i = 0; i < n; i++)
		keep_change(reader, &changes[i]);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(reader->group);
	reader->model_name = NULL;
}

/* Returns the number of a worker of the group. */
static int
worker_number(ChangeReader *reader, const char *worker_id)
{
	bool found;
	StrtabEntry *entry = strtab_enter(reader->workers, worker_id, strlen(worker_id), &found);

	if (found)
		return entry->number;
	if (reader->nworkers == reader->workers_allocated)
	{
		reader->workers_allocated *= 2;
		reader->worker_ids =
			repalloc_huge(reader->worker_ids, sizeof(char *) * reader->workers_allocated);
	}
	reader->worker_ids[reader->nworkers] = pstrdup(worker_id);
	return entry->number = reader->nworkers++;
}

/*
 * Returns the number of a run's stratum: runs of a worker that are alike are of the same model and
 * were thought to take as long, to a factor of two.
 */
static int
stratum_number(ChangeReader *reader, int worker, const RunRow *row)
{
	bool found;
	StrtabEntry *entry;

	resetStringInfo(&reader->key);
	appendStringInfo(&reader->key, "%d %d %s", worker,
					 row->base > 0 ? (int) floor(log2(row->base)) : INT_MIN, row->work);
	entry = strtab_enter(reader->strata, reader->key.data, reader->key.len, &found);
	if (!found)
		entry->number = reader->nstrata++;
	return entry->number;
}

/* Reads a run; those of a group come one after the other, in the order in which they ended. */
static bool
read_run(void *arg, const Row *row)
{
	ChangeReader *reader = arg;
	MemoryContext caller;
	RunRow run;
	double seconds;
	int worker;

	read_row(&run_row, row, &run);
	if (reader->model_name != NULL && (strcmp(reader->model_name, run.model_name) != 0 ||
									   strcmp(reader->workload_type, run.workload_type) != 0))
		end_group(reader);
	if (reader->model_name == NULL)
		begin_group(reader, &run);
	caller = MemoryContextSwitchTo(reader->group);
	if (reader->count == reader->allocated)
	{
		reader->allocated *= 2;
		reader->runs = repalloc_huge(reader->runs, sizeof(ChangeRun) * reader->allocated);
		reader->times = repalloc_huge(reader->times, sizeof(TimestampTz) * reader->allocated);
	}
	worker = worker_number(reader, run.worker_id);
	seconds = Max(LEAST_SECONDS, run.seconds);
	reader->runs[reader->count] =
		(ChangeRun){worker, stratum_number(reader, worker, &run),
					log(run.base > 0 ? seconds / run.base : seconds), run.seconds};
	reader->times[reader->count++] = run.at;
	MemoryContextSwitchTo(caller);
	return true;
}

/* --- for SQL --- */

static int
compare_found(const void *a, const void *b)
{
	const FoundChange *x = a;
	const FoundChange *y = b;
	int order = (x->at > y->at) - (x->at < y->at);

	if (order == 0)
		order = strcmp(x->model_name, y->model_name);
	if (order == 0)
		order = strcmp(x->workload_type, y->workload_type);
	return order != 0 ? order :
						strcmp(x->worker_id != NULL ? x->worker_id : "",
							   y->worker_id != NULL ? y->worker_id : "");
}

/*
 * change_points(worker_id, workload_type text, since timestamptz, pool text) RETURNS SETOF
 * record
 */
Datum
hwsched_change_points(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"SELECT " ROW_COLUMNS " FROM (SELECT d.model_name, w.workload_type, a.worker_id,"
		"   coalesce(a.model_id, a.model_family, '') AS work,"
		"   coalesce(a.formula_seconds, a.predicted_seconds) AS base,"
		"   extract(epoch FROM a.finished_at - a.started_at)::float8 AS seconds,"
		"   a.finished_at AS at, a.assignment_id"
		"  FROM hwsched.assignment a"
		"  JOIN hwsched.workload_profile w ON w.pool = $1 AND w.profile_id = a.profile_id"
		"  JOIN hwsched.device_profile d ON d.pool = $1 AND d.profile_id = a.device_profile_id"
		"  WHERE a.pool = $1 AND a.state = 'completed' AND a.started_at IS NOT NULL"
		"   AND a.finished_at IS NOT NULL"
		"  UNION ALL SELECT r.model_name, r.workload_type, r.worker_id,"
		"   'recorded ' || coalesce(r.model_id, r.model_family, ''),"
		"   coalesce(nullif(r.predicted_seconds, 0), r.expected_seconds), r.actual_seconds, r.at,"
		"   NULL"
		"  FROM hwsched.recorded_execution r WHERE r.pool = $1 AND r.state = 'completed') run"
		" WHERE $2 IS NULL OR workload_type = $2"
		" ORDER BY coalesce(model_name, '') COLLATE \"C\", workload_type, at, assignment_id",
		{TEXTOID, TEXTOID},
		IN_SETS,
		.row = &run_row};
	ChangeReader reader = {0};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char *pool;
	Caller caller;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(3))
		return (Datum) 0;
	pool = text_to_cstring(PG_GETARG_TEXT_PP(3));
	reader.only_worker = PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));
	reader.since = PG_ARGISNULL(2) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(2);
	caller = call_begin(fcinfo);
	authz_check_view(&caller, pool);
	pool_check(pool, true);
	reader.result = CurrentMemoryContext;
	reader.group = AllocSetContextCreate(CurrentMemoryContext, "hwsched runs of a device model",
										 ALLOCSET_DEFAULT_SIZES);
	spi_plan_each(&statement, true, read_run, &reader, TEXT_VALUE(pool),
				  PG_ARGISNULL(1) ? NULL_VALUE : VALUE(PG_GETARG_DATUM(1)));
	end_group(&reader);
	/* one that has run elsewhere need not be registered */
	if (reader.only_worker != NULL && !reader.seen_worker)
		worker_check(pool, reader.only_worker);
	if (reader.nfound > 1)
		qsort(reader.found, reader.nfound, sizeof(FoundChange), compare_found);
	for (int i = 0; i < reader.nfound; i++)
	{
		const FoundChange *change = &reader.found[i];
		Datum values[6] = {TimestampTzGetDatum(change->at),
						   change->worker_id == NULL ? (Datum) 0 :
													   CStringGetTextDatum(change->worker_id),
						   CStringGetTextDatum(change->model_name),
						   CStringGetTextDatum(change->workload_type),
						   Float8GetDatum(change->before_seconds),
						   Float8GetDatum(change->after_seconds)};
		bool nulls[6] = {false, change->worker_id == NULL};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	call_end(&caller);
	return (Datum) 0;
}
