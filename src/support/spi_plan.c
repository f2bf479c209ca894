/*
 * spi_plan.c
 *		Runs fixed SQL statements through kept SPI plans.
 */
#include "postgres.h"

#include <math.h>

#include "executor/tuptable.h"
#include "jit/jit.h"
#include "nodes/execnodes.h"
#include "nodes/params.h"
#include "optimizer/cost.h"
#include "optimizer/paths.h"
#include "optimizer/plancat.h"
#include "storage/shmem.h"
#include "tcop/dest.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

#include "support/spi_plan.h"

/* Sets one of the planner's switches, unless it is set so; *level is 0 before the first. */
static void
set_planner(int *level, const char *setting, bool now, bool wanted)
{
	if (now == wanted)
		return;
	if (*level == 0)
		*level = NewGUCNestLevel();
	(void) set_config_option(setting, wanted ? "on" : "off", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Sets what a statement asks of the planner, whatever the caller has set;
 * returns the level of settings that ends it, or 0.
 */
static int
guide_planner(Access access)
{
#define SET_PLANNER(setting, wanted) set_planner(&level, #setting, setting, wanted)
	int level = 0;

	/* what is forbidden looks costly, and nothing here is worth compiling */
	set_planner(&level, "jit", jit_enabled, false);
	SET_PLANNER(enable_seqscan, access == IN_ORDER || access == IN_SETS);
	SET_PLANNER(enable_indexscan, true);
	SET_PLANNER(enable_tidscan, true);
	SET_PLANNER(enable_bitmapscan, access != ALONG_INDEX);
	SET_PLANNER(enable_sort, access != ALONG_INDEX && access != IN_ORDER);
	SET_PLANNER(enable_nestloop, access != IN_ORDER && access != IN_SETS);
	SET_PLANNER(enable_hashjoin, access != BY_KEY_ONLY && access != IN_ORDER);
	SET_PLANNER(enable_mergejoin, access != BY_KEY_ONLY);
	return level;
}

/* Makes sure that the statement is analyzed. */
static void
prepare(SpiPlan *statement)
{
	int nargs = 0;
	SPIPlanPtr plan;

	if (statement->plan != NULL)
		return;
	while (nargs < STATEMENT_PARAMETERS && statement->types[nargs] != InvalidOid)
		nargs++;
	plan = SPI_prepare_cursor(statement->text, nargs, statement->types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", statement->text,
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the plan of \"%s\"", statement->text);
	statement->plan = plan;
}

/* Rows and pages that tables are planned for, if they have less. */
#define MANY_ROWS 1000000
#define MANY_PAGES 20000

static get_relation_info_hook_type next_relation_info;

/*
 * Makes a table look large.  For a small one it seems cheap to read all of the
 * pool in an index and to filter what comes, which is ruinous when it has grown.
 */
static void
expect_many_rows(PlannerInfo *root, Oid relation, bool inherits, RelOptInfo *info)
{
	ListCell *cell;

	if (next_relation_info)
		next_relation_info(root, relation, inherits, info);
	info->tuples = Max(info->tuples, MANY_ROWS);
	info->pages = Max(info->pages, MANY_PAGES);
	foreach (cell, info->indexlist)
	{
		IndexOptInfo *index = lfirst_node(IndexOptInfo, cell);

		index->tuples = Max(index->tuples, MANY_ROWS);
		index->pages = Max(index->pages, MANY_PAGES / 4);
	}
}

/* Runs the statement; what is planned meanwhile is planned for large tables. */
static pg_noinline int
run_for_many_rows(const SpiPlan *statement, const SPIExecuteOptions *options)
{
	get_relation_info_hook_type others = get_relation_info_hook;
	volatile int result = 0;

	if (others != expect_many_rows)
	{
		next_relation_info = others;
		get_relation_info_hook = expect_many_rows;
	}
	PG_TRY();
	{
		result = SPI_execute_plan_extended(statement->plan, options);
	}
	PG_FINALLY();
	{
		get_relation_info_hook = others;
	}
	PG_END_TRY();
	return result;
}

/* Runs the statement, and guides the planner if it is going to be asked. */
static uint64
run(SpiPlan *statement, const SPIExecuteOptions *options)
{
	int result;

	prepare(statement);
	if (statement->planned && plan_cache_mode != PLAN_CACHE_MODE_FORCE_CUSTOM_PLAN &&
		SPI_plan_is_valid(statement->plan))
		result = SPI_execute_plan_extended(statement->plan, options);
	else
	{
		int level = guide_planner(statement->access);

		result = run_for_many_rows(statement, options);
		if (level > 0)
			AtEOXact_GUC(true, level);
	}
	if (result < 0)
		elog(ERROR, "could not run \"%s\": %s", statement->text, SPI_result_code_string(result));
	statement->planned = true;
	return SPI_processed;
}

static ParamListInfo
parameter_list(const SpiPlan *statement, const Parameter *parameters, int count)
{
	ParamListInfo list = makeParamList(count);

	Assert(count <= STATEMENT_PARAMETERS);
	for (int i = 0; i < count; i++)
	{
		list->params[i].value = parameters[i].value;
		list->params[i].isnull = parameters[i].isnull;
		list->params[i].pflags = PARAM_FLAG_CONST;
		list->params[i].ptype = statement->types[i];
	}
	return list;
}

/* Runs a statement and returns the number of rows processed. */
uint64
spi_plan_execute(SpiPlan *statement, bool read_only, const Parameter *parameters, int count)
{
	SPIExecuteOptions options = {.params = parameter_list(statement, parameters, count),
								 .read_only = read_only};

	return run(statement, &options);
}

/* Hands each row of a result to a reader, as it comes. */
typedef struct RowReceiver
{
	DestReceiver base;
	RowReader read;
	void *reader;
	MemoryContext context; /* the reader's */
} RowReceiver;

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext executor = MemoryContextSwitchTo(receiver->context);
	Row row;

	slot_getallattrs(slot);
	row.values = slot->tts_values;
	row.nulls = slot->tts_isnull;
	receiver->read(receiver->reader, &row);
	MemoryContextSwitchTo(executor);
	return true;
}

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc description)
{
}

static void
receiver_ignore(DestReceiver *self)
{
}

/*
 * Runs a query and hands its rows to a reader, which must run no statement;
 * returns their number.  For many rows: SPI would copy each of them, and
 * getting at the columns of a copy costs as much again.
 */
uint64
spi_plan_stream(SpiPlan *statement, bool read_only, RowReader read, void *reader,
				const Parameter *parameters, int count)
{
	RowReceiver receiver = {
		{receive_row, receiver_startup, receiver_ignore, receiver_ignore, DestNone},
		read,
		reader,
		CurrentMemoryContext};
	SPIExecuteOptions options = {.params = parameter_list(statement, parameters, count),
								 .read_only = read_only,
								 .dest = &receiver.base};

	return run(statement, &options);
}

Datum
column(uint64 row, int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, isnull);
}

char *
column_text(uint64 row, int number)
{
	bool isnull;
	Datum value = column(row, number, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

int64
column_bigint(uint64 row, int number)
{
	bool isnull;
	Datum value = column(row, number, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

int32
column_int(uint64 row, int number)
{
	bool isnull;
	Datum value = column(row, number, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

double
column_number(uint64 row, int number)
{
	bool isnull;
	Datum value = column(row, number, &isnull);

	return isnull ? NAN : DatumGetFloat8(value);
}

bool
column_bool(uint64 row, int number)
{
	bool isnull;
	Datum value = column(row, number, &isnull);

	return !isnull && DatumGetBool(value);
}

Jsonb *
column_jsonb(uint64 row, int number)
{
	bool isnull;
	Datum value = column(row, number, &isnull);

	return isnull ? NULL : DatumGetJsonbPCopy(value);
}

/*
 * Puts the rows in SPI_tuptable, whose columns are those of the function, into
 * the tuplestore that InitMaterializedSRF made.
 */
void
return_rows(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
}

/* Returns values as an array parameter; nulls may be NULL. */
Parameter
array_value(Oid type, const Datum *values, const bool *nulls, int count)
{
	int16 length;
	bool byval;
	char align;
	int lower = 1;

	get_typlenbyvalalign(type, &length, &byval, &align);
	return VALUE(PointerGetDatum(construct_md_array((Datum *) values, (bool *) nulls, 1, &count,
													&lower, type, length, byval, align)));
}

/*
 * Makes an array parameter of count elements of a fixed length, without
 * nulls; returns where they go.
 */
void *
fixed_array(Oid type, int length, int count, Parameter *parameter)
{
	Size size = add_size(ARR_OVERHEAD_NONULLS(1), mul_size(length, count));
	ArrayType *array = palloc0(size);

	if (count == 0)
	{
		*parameter = VALUE(PointerGetDatum(construct_empty_array(type)));
		return array;
	}
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->elemtype = type;
	ARR_DIMS(array)[0] = count;
	ARR_LBOUND(array)[0] = 1;
	*parameter = VALUE(PointerGetDatum(array));
	return ARR_DATA_PTR(array);
}

/* Returns C strings as a text[] parameter. */
Parameter
text_array(const char *const *values, int count)
{
	Datum *datums = palloc(sizeof(Datum) * (count + 1));

	for (int i = 0; i < count; i++)
		datums[i] = CStringGetTextDatum(values[i]);
	return array_value(TEXTOID, datums, NULL, count);
}
