/*
 * spi_plan.c
 *		Runs fixed SQL statements through kept SPI plans.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_statistic.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "nodes/params.h"
#include "optimizer/plancat.h"
#include "optimizer/planner.h"
#include "storage/shmem.h"
#include "tcop/dest.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "support/spi_plan.h"
#include "support/sql_version.h"

/* --- planning --- */

/*
 * A kept plan is made within its execution, and made anew there after any
 * ANALYZE or change of a table.  What guides the planner must be over by then:
 * a user's trigger may run, whose statements are kept as well.  So guidance
 * is that of the hooks below, and they act while the planner works for one of
 * our statements, which they know by its text.
 *
 * Guided, the planner sees neither what the caller has set nor how large the
 * tables are or what ANALYZE has found: a statement has the same plan on tables
 * that are empty, full, or never analyzed.
 */

/* The statements that the session has prepared. */
static SpiPlan *kept = NULL;

/* The statement that is being planned, or NULL. */
static const SpiPlan *planned = NULL;

static planner_hook_type next_planner;
static get_relation_info_hook_type next_relation_info;
static get_relation_stats_hook_type next_relation_stats;
static get_index_stats_hook_type next_index_stats;

/* Rows and pages that each table is planned for, and the bytes of a column. */
#define ROWS 1000000
#define PAGES 20000
#define WIDTH 16

/*
 * Makes a table look large.  For a small one it seems cheap to read all of the
 * pool in an index and to filter what comes, which is ruinous when it has grown.
 */
static void
relation_info(PlannerInfo *root, Oid relation, bool inherits, RelOptInfo *info)
{
	ListCell *cell;

	if (next_relation_info)
		next_relation_info(root, relation, inherits, info);
	if (planned == NULL)
		return;
	info->tuples = ROWS;
	info->pages = PAGES;
	info->allvisfrac = 0;
	info->statlist = NIL;
	for (int i = 0; i <= info->max_attr - info->min_attr; i++)
		info->attr_widths[i] = WIDTH;
	foreach (cell, info->indexlist)
	{
		IndexOptInfo *index = lfirst_node(IndexOptInfo, cell);

		index->tuples = ROWS;
		index->pages = PAGES / 4;
		index->tree_height = 2;
	}
}

/*
 * Returns what a column is planned for: all rows are of one pool, and all else
 * tells them apart, so that a key seems worth more than anything else; what may
 * be NULL is so in half of them, so that a partial index seems no smaller than
 * others.
 */
static HeapTuple
column_statistics(Oid relation, AttrNumber column)
{
	Size header = MAXALIGN(SizeofHeapTupleHeader);
	HeapTuple made = palloc0(HEAPTUPLESIZE + header + sizeof(FormData_pg_statistic));
	HeapTuple attribute =
		SearchSysCache2(ATTNUM, ObjectIdGetDatum(relation), Int16GetDatum(column));
	Form_pg_statistic statistics;

	/* the fixed part is all that is read where no kind of slot is given */
	made->t_len = header + sizeof(FormData_pg_statistic);
	made->t_data = (HeapTupleHeader) ((char *) made + HEAPTUPLESIZE);
	made->t_data->t_hoff = header;
	statistics = (Form_pg_statistic) GETSTRUCT(made);
	statistics->stadistinct = -1;
	statistics->stawidth = WIDTH;
	if (HeapTupleIsValid(attribute))
	{
		Form_pg_attribute form = (Form_pg_attribute) GETSTRUCT(attribute);

		if (!form->attnotnull)
			statistics->stanullfrac = 0.5;
		if (strcmp(NameStr(form->attname), "pool") == 0)
			statistics->stadistinct = 1;
		ReleaseSysCache(attribute);
	}
	return made;
}

/* Gives such statistics, whatever ANALYZE has found. */
static bool
relation_stats(PlannerInfo *root, RangeTblEntry *rte, AttrNumber column, VariableStatData *data)
{
	if (planned == NULL || rte->rtekind != RTE_RELATION)
		return next_relation_stats && next_relation_stats(root, rte, column, data);
	data->statsTuple = column_statistics(rte->relid, column);
	data->freefunc = heap_freetuple;
	return true;
}

/* The same for an expression of an index. */
static bool
index_stats(PlannerInfo *root, Oid index, AttrNumber column, VariableStatData *data)
{
	if (planned == NULL)
		return next_index_stats && next_index_stats(root, index, column, data);
	data->statsTuple = column_statistics(index, column);
	data->freefunc = heap_freetuple;
	return true;
}

/* Sets what a statement asks of the planner, whatever the caller has set. */
static void
set_planner(Access access)
{
	const struct
	{
		const char *name;
		const char *value;
	} settings[] = {
	/* what is forbidden looks costly; a table has rows of other pools, and of times gone by */
#define SWITCH(name, on) {name, (on) ? "on" : "off"}
		SWITCH("enable_seqscan", false),
		SWITCH("enable_bitmapscan", access != ALONG_INDEX),
		SWITCH("enable_sort", access != ALONG_INDEX && access != IN_ORDER),
		SWITCH("enable_nestloop", access != IN_ORDER && access != IN_SETS),
		SWITCH("enable_hashjoin", access != BY_KEY_ONLY && access != IN_ORDER),
		SWITCH("enable_mergejoin", access != BY_KEY_ONLY),
		SWITCH("enable_indexscan", true),
		SWITCH("enable_indexonlyscan", true),
		SWITCH("enable_tidscan", true),
		SWITCH("enable_hashagg", true),
		SWITCH("enable_incremental_sort", true),
		SWITCH("enable_material", true),
		SWITCH("enable_memoize", true),
		SWITCH("geqo", false),
		/* nothing here is worth compiling */
		SWITCH("jit", false),
#undef SWITCH
		/* PostgreSQL's defaults */
		{"seq_page_cost", "1"},
		{"random_page_cost", "4"},
		{"cpu_tuple_cost", "0.01"},
		{"cpu_index_tuple_cost", "0.005"},
		{"cpu_operator_cost", "0.0025"},
		{"effective_cache_size", "4GB"},
		{"work_mem", "4MB"},
		{"hash_mem_multiplier", "2"},
		{"from_collapse_limit", "8"},
		{"join_collapse_limit", "8"},
	};

	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i].name, settings[i].value, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}

/* Returns the statement whose text this is, or NULL: a text is known by where it is. */
static const SpiPlan *
find_kept(const char *text)
{
	for (const SpiPlan *statement = kept; statement != NULL; statement = statement->next)
		if (statement->kept_text == text)
			return statement;
	return NULL;
}

/* Plans a statement of ours under guidance or, with NULL, a query without any. */
static pg_noinline PlannedStmt *
plan_as(const SpiPlan *statement, Query *query, const char *text, int options,
		ParamListInfo parameters)
{
	planner_hook_type plan = next_planner ? next_planner : standard_planner;
	const SpiPlan *outer = planned;
	PlannedStmt *volatile result = NULL;
	int level = NewGUCNestLevel();

	PG_TRY();
	{
		planned = statement;
		if (statement != NULL)
			set_planner(statement->access);
		result = plan(query, text, options, parameters);
	}
	PG_FINALLY();
	{
		planned = outer;
	}
	PG_END_TRY();
	/* after an error, the end of the transaction does this */
	AtEOXact_GUC(true, level);
	return result;
}

static PlannedStmt *
plan_query(Query *query, const char *text, int options, ParamListInfo parameters)
{
	planner_hook_type plan = next_planner ? next_planner : standard_planner;
	const SpiPlan *statement = find_kept(text);

	if (statement == NULL && planned == NULL)
		return plan(query, text, options, parameters);
	return plan_as(statement, query, text, options, parameters);
}

/* Installs the hooks; they last as long as the session. */
void
spi_plan_init(void)
{
	next_planner = planner_hook;
	planner_hook = plan_query;
	next_relation_info = get_relation_info_hook;
	get_relation_info_hook = relation_info;
	next_relation_stats = get_relation_stats_hook;
	get_relation_stats_hook = relation_stats;
	next_index_stats = get_index_stats_hook;
	get_index_stats_hook = index_stats;
}

/* --- running --- */

/* Returns the text of a statement, with the columns of its row. */
static const char *
complete_text(const SpiPlan *statement)
{
	const char *mark = statement->row == NULL ? NULL : strstr(statement->text, ROW_COLUMNS);
	StringInfoData text;

	if (mark == NULL)
		return statement->text;
	initStringInfo(&text);
	appendBinaryStringInfo(&text, statement->text, mark - statement->text);
	for (int i = 0; i < statement->row->count; i++)
		appendStringInfo(&text, i == 0 ? "%s" : ", %s", statement->row->columns[i].name);
	appendStringInfoString(&text, mark + strlen(ROW_COLUMNS));
	return text.data;
}

/* Makes sure that what a statement returns is what its row is read as. */
static void
check_row(const SpiPlan *statement, TupleDesc result)
{
	for (int i = 0; statement->row != NULL && i < statement->row->count; i++)
	{
		const Column *column = &statement->row->columns[i];
		Oid type = column->type == CSTRINGOID ? TEXTOID : column->type;

		if (result == NULL || i >= result->natts || TupleDescAttr(result, i)->atttypid != type)
			elog(ERROR, "\"%s\" is not of the type that it is read as", column->name);
	}
}

/* Makes sure that the statement is analyzed. */
static void
prepare(SpiPlan *statement)
{
	const char *text;
	int nargs = 0;
	SPIPlanPtr plan;
	CachedPlanSource *source;

	if (statement->plan != NULL)
		return;
	while (nargs < STATEMENT_PARAMETERS && statement->types[nargs] != InvalidOid)
		nargs++;
	text = complete_text(statement);
	plan = SPI_prepare_cursor(text, nargs, statement->types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", statement->text,
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the plan of \"%s\"", statement->text);
	source = linitial(SPI_plan_get_plan_sources(plan));
	check_row(statement, source->resultDesc);
	statement->plan = plan;
	statement->kept_text = source->query_string;
	statement->next = kept;
	kept = statement;
}

static uint64
run(SpiPlan *statement, const SPIExecuteOptions *options)
{
	int result;

	require_sql_version();
	prepare(statement);
	result = SPI_execute_plan_extended(statement->plan, options);
	if (result < 0)
		elog(ERROR, "could not run \"%s\": %s", statement->text, SPI_result_code_string(result));
	return SPI_processed;
}

static ParamListInfo
parameter_list(const SpiPlan *statement, const Parameter *parameters, int count)
{
	ParamListInfo list;

	/* as SPI_execute_plan() passes no list; there are planners that fail with an empty one */
	if (count == 0)
		return NULL;
	list = makeParamList(count);
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
	bool more;

	slot_getallattrs(slot);
	row.values = slot->tts_values;
	row.nulls = slot->tts_isnull;
	more = receiver->read(receiver->reader, &row);
	MemoryContextSwitchTo(executor);
	return more;
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

/* Returns numbers as a bigint[] parameter. */
Parameter
bigint_array(const int64 *numbers, int count)
{
	Datum *datums = palloc(sizeof(Datum) * (count + 1));

	for (int i = 0; i < count; i++)
		datums[i] = Int64GetDatum(numbers[i]);
	return array_value(INT8OID, datums, NULL, count);
}
