/*
 * arrivals.c
 *		The work of a scenario: what arrives, and when.
 *
 * It comes from the queue, from the pool's history, from documents in the scenario or from a
 * table.  Much of it is alike, so requirements are read once for all that say the same, and an
 * arrival is a name, a time and the number of a template.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/regproc.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "document/infer.h"
#include "document/json.h"
#include "simulate/arrivals.h"
#include "snapshot/keys.h"
#include "store/profile_cache.h"
#include "support/columns.h"
#include "support/strtab.h"

/* Times that are numbers count from here, so that a scenario always gives the same. */
#define YEAR_2000 ((TimestampTz) 0) /* 2000-01-01 00:00 UTC */

/* So many rows of a table are fetched at once. */
#define FETCHED 1000

/* Durations that differ by no more than this are one to policies. */
#define ALIKE 1e-3

/* What tells kinds of work apart; compared as bytes. */
typedef struct KindKey
{
	double expected_seconds; /* -1: not looked at, as below */
	int32 work;
	int32 priority;
	int32 model;
	int32 family;
	int32 pace;
	int32 unused;
} KindKey;

/* The work while it is read; each table numbers what it has seen. */
typedef struct WorkReader
{
	Scenario *scenario;
	bool absolute; /* some time is a time, and no number of seconds */
	int narrivals_allocated;
	int kinds_allocated;
	int models_allocated;
	HTAB *works;
	HTAB *templates;
	HTAB *seconds;
	HTAB *models;
	HTAB *kinds;
	HTAB *stems; /* of what is known of durations */
	HTAB *paces;
	int stems_allocated;
	MemoryContext keep;
	MemoryContext scratch;
} WorkReader;

/* Makes room for one more in an array that doubles. */
static void *
grow(void *array, int count, int *allocated, Size size)
{
	if (count < *allocated)
		return array;
	*allocated = Max(64, *allocated * 2);
	return array == NULL ? palloc_huge(size * *allocated) : repalloc_huge(array, size * *allocated);
}

/* The same for one whose allocation is a power of two that the count tells. */
static void *
grow_by_count(void *array, int count, Size size)
{
	int allocated = count;

	return count > 0 && (count & (count - 1)) != 0 ? array : grow(array, count, &allocated, size);
}

/* --- what requirements amount to --- */

/* Numbers a profile and demand of work. */
static int32
work_number(WorkReader *reader, const Work *work)
{
	Scenario *scenario = reader->scenario;
	StringInfoData key;
	StrtabEntry *entry;
	bool found;
	int n = scenario->nworks;

	initStringInfo(&key);
	append_document_key(&key, &placement_profile_document, &work->profile);
	append_document_key(&key, &demand_document, &work->demand);
	entry = strtab_enter(reader->works, key.data, key.len, &found);
	pfree(key.data);
	if (found)
		return entry->number;
	scenario->works = grow_by_count(scenario->works, n, sizeof(Work));
	scenario->works[n] = *work;
	if (work->profile_id == 0)
		scenario->works[n].profile_id = -(n + 1);
	scenario->nworks++;
	return entry->number = n;
}

/* Numbers a model or a family; NULL has number -1. */
static int32
model_number(WorkReader *reader, const char *name, bool is_family)
{
	PoolSnapshot *snapshot = &reader->scenario->snapshot;
	const char *key;
	StrtabEntry *entry;
	bool found;
	int n = snapshot->nmodels;

	if (name == NULL)
		return -1;
	key = psprintf("%c%s", is_family ? 'f' : 'm', name);
	entry = strtab_enter(reader->models, key, strlen(key), &found);
	if (found)
		return entry->number;
	snapshot->models = grow(snapshot->models, n, &reader->models_allocated, sizeof(Model));
	snapshot->models[n] = (Model){entry->key.data + 1, is_family};
	snapshot->nmodels++;
	return entry->number = n;
}

/* Returns what a workload takes of its concurrency keys. */
static KeyDemand
keys_of(WorkReader *reader, const NamedNumbers *keys)
{
	Datum *names = palloc(sizeof(Datum) * (keys->count + 1));
	Datum *units = palloc(sizeof(Datum) * (keys->count + 1));

	if (keys->count == 0)
		return (KeyDemand){0, NULL};
	for (int i = 0; i < keys->count; i++)
	{
		names[i] = CStringGetTextDatum(keys->items[i].name);
		units[i] = Int32GetDatum((int32) keys->items[i].value);
	}
	return key_demand(&reader->scenario->snapshot,
					  array_value(TEXTOID, names, NULL, keys->count).value,
					  array_value(INT4OID, units, NULL, keys->count).value);
}

/* Adds a template; returns its number. */
static int32
add_template(WorkReader *reader, const WorkTemplate *template)
{
	Scenario *scenario = reader->scenario;
	int n = scenario->ntemplates;

	scenario->templates = grow_by_count(scenario->templates, n, sizeof(WorkTemplate));
	scenario->templates[n] = *template;
	return scenario->ntemplates++;
}

/* Returns a document without some keys. */
static Jsonb *
without_keys(Jsonb *document, const char *const *keys, int count)
{
	for (int i = 0; i < count; i++)
	{
		JsonbValue value;

		if (getKeyJsonValueFromContainer(&document->root, keys[i], strlen(keys[i]), &value) != NULL)
			document = DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(document),
														  CStringGetTextDatum(keys[i])));
	}
	return document;
}

/*
 * Returns the template of requirements that stand at a path; those that say the same but for their
 * name share one.
 */
static int32
template_of(WorkReader *reader, Jsonb *requirements, const char *path)
{
	static const char *const beside[] = {"test_id", "at", "seconds_on"};
	Jsonb *same = without_keys(requirements, beside, lengthof(beside));
	Requirements read;
	Work work = {0};
	WorkTemplate template;
	StrtabEntry *entry;
	bool found;

	MemoryContextSwitchTo(reader->keep);
	entry = strtab_enter(reader->templates, (char *) same, VARSIZE(same), &found);
	if (found)
		return entry->number;
	entry->number = -1;
	infer_workload_profile(requirements, path, inspect_names(), &read, &work.profile);
	infer_demand(requirements, path, inspect_names(), &read, &work.profile, &work.demand);
	template = (WorkTemplate){.work = work_number(reader, &work),
							  .model = model_number(reader, read.model_id, false),
							  .family = model_number(reader, read.model_family, true),
							  .priority = work.profile.priority,
							  .alone = work.demand.exclusive,
							  .checkpointable = work.demand.checkpointable,
							  .retries = read.retries,
							  .expected_seconds = isnan(read.expected_duration) ?
													  work.profile.estimated_duration_seconds :
													  read.expected_duration,
							  .timeout = read.timeout,
							  .deadline = read.deadline,
							  .run_at = read.run_at,
							  .keys = keys_of(reader, &read.concurrency_key)};
	return entry->number = add_template(reader, &template);
}

/* --- seconds on models --- */

static int
compare_models(const void *a, const void *b)
{
	return strcmp(((const ModelSeconds *) a)->model_name, ((const ModelSeconds *) b)->model_name);
}

/* Refuses a value of a scenario. */
pg_noreturn static void
refuse(const char *path, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid value for \"%s\"", path),
			 errdetail("Expected %s.", expected), errpath(path)));
}

static double
number_of(const JsonbValue *value)
{
	return DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
}

/* Numbers what a scenario says of durations, {model name: seconds}; -1: nothing. */
static int32
seconds_number(WorkReader *reader, Jsonb *seconds, const char *path)
{
	Scenario *scenario = reader->scenario;
	StrtabEntry *entry;
	bool found;
	int n = scenario->nseconds;
	SecondsOn *said;
	JsonbIterator *iterator;
	JsonbValue key;
	JsonbValue value;

	if (seconds == NULL)
		return -1;
	if (!JB_ROOT_IS_OBJECT(seconds))
		refuse(path, "an object {model name: seconds}");
	if (JB_ROOT_COUNT(seconds) == 0)
		return -1;
	MemoryContextSwitchTo(reader->keep);
	entry = strtab_enter(reader->seconds, (char *) seconds, VARSIZE(seconds), &found);
	if (found)
		return entry->number;
	scenario->seconds = grow_by_count(scenario->seconds, n, sizeof(SecondsOn));
	said = &scenario->seconds[n];
	*said = (SecondsOn){0, palloc(sizeof(ModelSeconds) * JB_ROOT_COUNT(seconds)), NULL};
	iterator = JsonbIteratorInit(&seconds->root);
	(void) JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		const char *name = pnstrdup(key.val.string.val, key.val.string.len);

		(void) JsonbIteratorNext(&iterator, &value, true);
		if (value.type == jbvNull)
			continue;
		if (value.type != jbvNumeric || !(number_of(&value) > 0) ||
			!(number_of(&value) <= MOST_SECONDS))
			refuse(document_path(path, name),
				   psprintf("a number of seconds above 0, at most %.15g", MOST_SECONDS));
		said->models[said->count++] = (ModelSeconds){name, number_of(&value)};
	}
	qsort(said->models, said->count, sizeof(ModelSeconds), compare_models);
	if (said->count == 0)
		return entry->number = -1;
	scenario->nseconds++;
	return entry->number = n;
}

/*
 * Numbers the pace of some work: how its seconds on the models of device relate to each other,
 * as near as policies look.
 */
static int32
pace_number(WorkReader *reader, int32 work, int32 seconds_on)
{
	Scenario *scenario = reader->scenario;
	const SecondsOn *seconds = &scenario->seconds[seconds_on];
	StringInfoData key;
	StrtabEntry *entry;
	bool found;

	initStringInfo(&key);
	appendBinaryStringInfo(&key, (const char *) &work, sizeof(work));
	for (int i = 0; i < seconds->count; i++)
	{
		double ratio = log(seconds->models[i].seconds / seconds->models[0].seconds);
		int32 step = (int32) rint(ratio / ALIKE);

		appendBinaryStringInfo(&key, (const char *) &step, sizeof(step));
		appendBinaryStringInfo(&key, seconds->models[i].model_name,
							   strlen(seconds->models[i].model_name) + 1);
	}
	entry = strtab_enter(reader->paces, key.data, key.len, &found);
	pfree(key.data);
	if (found)
		return entry->number;
	scenario->paces = grow_by_count(scenario->paces, scenario->npaces, sizeof(Pace));
	scenario->paces[scenario->npaces] = (Pace){work, seconds_on};
	return entry->number = scenario->npaces++;
}

/* --- arrivals --- */

/* Adds an arrival of a template. */
static Arrival *
add_arrival(WorkReader *reader, const char *workload_id, int32 template, int32 seconds_on)
{
	Scenario *scenario = reader->scenario;
	int n = scenario->narrivals;

	if (n == PG_INT32_MAX / 4)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many arrivals")));
	scenario->arrivals = grow(scenario->arrivals, n, &reader->narrivals_allocated, sizeof(Arrival));
	scenario->arrivals[n] = (Arrival){.workload_id = workload_id,
									  .template = template,
									  .subject = -1,
									  .seconds_on = seconds_on,
									  .took = NAN,
									  .slowness = NAN};
	scenario->narrivals++;
	return &scenario->arrivals[n];
}

/* Reads when something arrives: a time, or a number of seconds from the beginning. */
static TimestampTz
read_at(WorkReader *reader, const JsonbValue *value, const char *path)
{
	if (value == NULL || value->type == jbvNull)
		return YEAR_2000;
	if (value->type == jbvNumeric && number_of(value) >= 0 && number_of(value) <= MOST_SECONDS)
		return YEAR_2000 + (int64) rint(number_of(value) * USECS_PER_SEC);
	if (value->type == jbvString)
	{
		char *text = pnstrdup(value->val.string.val, value->val.string.len);
		TimestampTz at = DatumGetTimestampTz(
			DirectFunctionCall3(timestamptz_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
								Int32GetDatum(-1)));

		reader->absolute = true;
		if (!TIMESTAMP_NOT_FINITE(at))
			return at;
	}
	refuse(path, "a time, or a number of seconds from the beginning that is not negative");
}

/* Adds what a document of requirements says, with what stands beside it. */
static void
add_document(WorkReader *reader, Jsonb *requirements, const JsonbValue *at, Jsonb *seconds,
			 const char *path)
{
	MemoryContext caller = MemoryContextSwitchTo(reader->scratch);
	TimestampTz arrives = read_at(reader, at, document_path(path, "at"));
	JsonbValue value;
	const char *workload_id = NULL;
	int32 template;
	int32 seconds_on;

	if (!JB_ROOT_IS_OBJECT(requirements))
		refuse(path, "an object of requirements");
	template = template_of(reader, requirements, path);
	MemoryContextSwitchTo(reader->scratch);
	seconds_on = seconds_number(reader, seconds, document_path(path, "seconds_on"));
	MemoryContextSwitchTo(reader->keep);
	if (getKeyJsonValueFromContainer(&requirements->root, "test_id", 7, &value) != NULL &&
		value.type == jbvString && value.val.string.len > 0)
		workload_id = pnstrdup(value.val.string.val, value.val.string.len);
	else
		workload_id = psprintf("workload-%d", reader->scenario->narrivals + 1);
	add_arrival(reader, workload_id, template, seconds_on)->submitted_at = arrives;
	MemoryContextSwitchTo(caller);
	MemoryContextReset(reader->scratch);
	CHECK_FOR_INTERRUPTS();
}

/* Reads a list of requirements, with at and seconds_on among their keys or beside them. */
static void
read_documents(WorkReader *reader, Jsonb *list)
{
	JsonbIterator *iterator = JsonbIteratorInit(&list->root);
	JsonbValue element;
	int i = 0;

	(void) JsonbIteratorNext(&iterator, &element, true);
	while (JsonbIteratorNext(&iterator, &element, true) == WJB_ELEM)
	{
		MemoryContext caller = MemoryContextSwitchTo(reader->scratch);
		const char *path = psprintf("arrivals[%d]", i++);
		Jsonb *document;
		Jsonb *requirements;
		JsonbValue at;
		bool has_at;

		if (element.type != jbvBinary || !JsonContainerIsObject(element.val.binary.data))
			refuse(path, "an object of requirements");
		document = JsonbValueToJsonb(&element);
		requirements = object_at(document, "requirements");
		has_at = getKeyJsonValueFromContainer(&document->root, "at", 2, &at) != NULL;
		if (object_has_key(document, "seconds_on") && object_at(document, "seconds_on") == NULL)
			refuse(document_path(path, "seconds_on"), "an object {model name: seconds}");
		add_document(reader, requirements != NULL ? requirements : document, has_at ? &at : NULL,
					 object_at(document, "seconds_on"),
					 requirements != NULL ? document_path(path, "requirements") : path);
		MemoryContextSwitchTo(caller);
	}
}

/* --- a table, as its reader may read it --- */

/* What of the caller's is put aside while we act as the extension's owner. */
typedef struct AsCaller
{
	Oid user;
	int sec_context;
	int level; /* of settings that the caller's are put over */
} AsCaller;

/* Becomes the caller for as long as its table is read. */
static AsCaller
become_caller(const Scenario *scenario)
{
	AsCaller owner;

	GetUserIdAndSecContext(&owner.user, &owner.sec_context);
	SetUserIdAndSecContext(scenario->caller->user, scenario->caller->sec_context);
	owner.level = NewGUCNestLevel();
	(void) set_config_option("search_path", scenario->callers_path, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	return owner;
}

static void
become_owner(const AsCaller *owner)
{
	AtEOXact_GUC(true, owner->level);
	SetUserIdAndSecContext(owner->user, owner->sec_context);
}

/* Returns the statement that reads a table; raises an error if it has not the columns. */
static char *
table_statement(const char *name, Oid table)
{
	static const char *const needed[] = {"requirements", "at"};
	bool has_seconds = get_attnum(table, "seconds_on") != InvalidAttrNumber;

	for (int i = 0; i < lengthof(needed); i++)
		if (get_attnum(table, needed[i]) == InvalidAttrNumber)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("\"%s\" has no column \"%s\"", name, needed[i]),
							errdetail("A table of arrivals has the columns requirements, at and, "
									  "where it says how long work takes, seconds_on."),
							errpath("arrivals")));
	return psprintf("SELECT pg_catalog.to_jsonb(a.requirements), pg_catalog.to_jsonb(a.at), %s"
					" FROM %s a ORDER BY a.at",
					has_seconds ? "pg_catalog.to_jsonb(a.seconds_on)" : "NULL::pg_catalog.jsonb",
					quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)),
											   get_rel_name(table)));
}

/* Adds a row of a table. */
static void
add_row(WorkReader *reader, HeapTuple row, TupleDesc description, int64 number)
{
	Datum values[3];
	bool nulls[3];
	const char *path = psprintf("arrivals[" INT64_FORMAT "]", number);
	JsonbValue at;
	Jsonb *scalar;

	for (int i = 0; i < 3; i++)
		values[i] = SPI_getbinval(row, description, i + 1, &nulls[i]);
	if (nulls[0])
		refuse(path, "an object of requirements");
	scalar = nulls[1] ? NULL : DatumGetJsonbP(values[1]);
	if (scalar != NULL && (!JB_ROOT_IS_SCALAR(scalar) || !JsonbExtractScalar(&scalar->root, &at)))
		refuse(document_path(path, "at"), "a time, or a number of seconds from the beginning");
	add_document(
		reader, DatumGetJsonbP(values[0]), scalar == NULL ? NULL : &at,
		nulls[2] || JB_ROOT_IS_SCALAR(DatumGetJsonbP(values[2])) ? NULL : DatumGetJsonbP(values[2]),
		path);
}

/*
 * Reads a table or view with the rights of the caller, who may not see more of it than otherwise.
 */
static void
read_table(WorkReader *reader, const char *name)
{
	AsCaller owner = become_caller(reader->scenario);
	Oid table = DatumGetObjectId(DirectFunctionCall1(regclassin, CStringGetDatum(name)));
	SPIPlanPtr plan;
	Portal portal;
	int64 number = 0;

	if (!OidIsValid(table) || get_rel_name(table) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation \"%s\" does not exist", name),
				 errhint("\"arrivals\" is \"queue\", \"history\", a list of requirements, or "
						 "a table or view."),
				 errpath("arrivals")));
	plan = SPI_prepare(table_statement(name, table), 0, NULL);
	if (plan == NULL)
		elog(ERROR, "could not prepare reading \"%s\": %s", name,
			 SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	for (;;)
	{
		SPITupleTable *rows;
		uint64 fetched;

		SPI_cursor_fetch(portal, true, FETCHED);
		fetched = SPI_processed;
		rows = SPI_tuptable;
		if (fetched == 0)
			break;
		become_owner(&owner);
		for (uint64 i = 0; i < fetched; i++)
		{
			MemoryContext caller = MemoryContextSwitchTo(reader->scratch);

			add_row(reader, rows->vals[i], rows->tupdesc, number++);
			MemoryContextSwitchTo(caller);
		}
		SPI_freetuptable(rows);
		owner = become_caller(reader->scenario);
	}
	SPI_cursor_close(portal);
	become_owner(&owner);
}

/* --- the pool's own work --- */

/* A row of the pool's own work. */
typedef struct OwnRow
{
	const char *workload_id;
	int64 profile_id;
	int16 priority;
	bool alone;
	int32 retries;
	double expected_seconds;
	double timeout;
	TimestampTz deadline;
	TimestampTz submitted_at;
	TimestampTz at;
	const char *model_id;
	const char *model_family;
	Datum keys; /* a text[]; 0: none */
	Datum units; /* as int[] */
	double took;
	int64 took_profile;
} OwnRow;

static const Column own_columns[] = {
	{"s.workload_id", CSTRINGOID, offsetof(OwnRow, workload_id)},
	{"s.profile_id", INT8OID, offsetof(OwnRow, profile_id)},
	{"s.priority", INT2OID, offsetof(OwnRow, priority)},
	{"coalesce(p.alone, false)", BOOLOID, offsetof(OwnRow, alone)},
	{"s.retries - coalesce(p.attempt - 1, 0)", INT4OID, offsetof(OwnRow, retries)},
	{"s.expected_seconds", FLOAT8OID, offsetof(OwnRow, expected_seconds)},
	{"s.timeout_seconds", FLOAT8OID, offsetof(OwnRow, timeout)},
	{"s.deadline", TIMESTAMPTZOID, offsetof(OwnRow, deadline)},
	{"s.submitted_at", TIMESTAMPTZOID, offsetof(OwnRow, submitted_at)},
	{"greatest(p.ready_at, s.submitted_at, s.run_at)", TIMESTAMPTZOID, offsetof(OwnRow, at)},
	{"s.model_id", CSTRINGOID, offsetof(OwnRow, model_id)},
	{"s.model_family", CSTRINGOID, offsetof(OwnRow, model_family)},
	{"s.concurrency_keys", TEXTARRAYOID, offsetof(OwnRow, keys)},
	{"s.concurrency_units", INT4ARRAYOID, offsetof(OwnRow, units)},
	{"extract(epoch FROM a.finished_at - a.started_at)::float8", FLOAT8OID, offsetof(OwnRow, took)},
	{"a.device_profile_id", INT8OID, offsetof(OwnRow, took_profile)},
};

static const RowType own_row = ROW_TYPE(OwnRow, own_columns);

/* The rows while they are read: no statement may run meanwhile. */
typedef struct OwnRows
{
	int count;
	int allocated;
	OwnRow *rows;
} OwnRows;

static bool
read_own_row(void *arg, const Row *row)
{
	OwnRows *own = arg;
	OwnRow read = {0};

	read_row(&own_row, row, &read);
	own->rows = grow(own->rows, own->count, &own->allocated, sizeof(OwnRow));
	own->rows[own->count++] = read;
	return true;
}

/* Returns the work of a profile of the pool. */
static int32
pool_work(WorkReader *reader, int64 profile_id)
{
	const char *key = psprintf("#" INT64_FORMAT, profile_id);
	bool found;
	StrtabEntry *entry = strtab_enter(reader->works, key, strlen(key), &found);
	WorkKind kind = {.profile_id = profile_id};
	Work work = {.profile_id = profile_id};
	int number;

	if (found)
		return entry->number;
	work_kinds_get(reader->scenario->pool, &kind, 1, true);
	work.profile = kind.profile;
	work.demand = kind.demand;
	number = work_number(reader, &work);
	/* the table may have moved */
	strtab_find(reader->works, key, strlen(key))->number = number;
	return number;
}

/* Returns the template of a row of the pool's own work. */
static int32
own_template(WorkReader *reader, const OwnRow *row)
{
	WorkTemplate template = {.work = pool_work(reader, row->profile_id),
							 .model = model_number(reader, row->model_id, false),
							 .family = model_number(reader, row->model_family, true),
							 .priority = row->priority,
							 .retries = Max(row->retries, 0),
							 .expected_seconds = row->expected_seconds,
							 .timeout = row->timeout,
							 .deadline = row->deadline,
							 .run_at = DT_NOBEGIN};
	StringInfoData key;
	StrtabEntry *entry;
	bool found;

	template.alone = row->alone || reader->scenario->works[template.work].demand.exclusive;
	if (row->keys != (Datum) 0)
	{
		template.keys = key_demand(&reader->scenario->snapshot, row->keys, row->units);
		return add_template(reader, &template);
	}
	initStringInfo(&key);
#define ADD(m) appendBinaryStringInfo(&key, (const char *) &template.m, sizeof(template.m))
	ADD(work);
	ADD(model);
	ADD(family);
	ADD(priority);
	ADD(alone);
	ADD(retries);
	ADD(expected_seconds);
	ADD(timeout);
	ADD(deadline);
	entry = strtab_enter(reader->templates, key.data, key.len, &found);
	pfree(key.data);
	return found ? entry->number : (entry->number = add_template(reader, &template));
}

/*
 * Reads the queue, or what was submitted in the past; of that what was cancelled is left out, as
 * nobody knows how long it would have taken.
 */
static void
read_own_work(WorkReader *reader, bool history)
{
	Scenario *scenario = reader->scenario;
	static SpiPlan queue = {
		"SELECT " ROW_COLUMNS " FROM hwsched.pending p"
		" JOIN hwsched.submission s ON s.pool = p.pool AND s.workload_id = p.workload_id"
		" LEFT JOIN (SELECT NULL::timestamptz AS started_at, NULL::timestamptz AS finished_at,"
		"  NULL::bigint AS device_profile_id) a ON true"
		" WHERE p.pool = $1 AND p.ready_at < 'infinity'"
		" ORDER BY p.priority, p.deadline, p.queue_no",
		{TEXTOID},
		IN_SETS,
		&own_row};
	static SpiPlan past = {
		"SELECT " ROW_COLUMNS " FROM hwsched.submission s"
		" LEFT JOIN hwsched.assignment a ON a.pool = s.pool AND a.workload_id = s.workload_id"
		"  AND a.run = s.run AND a.state = 'completed' AND NOT a.is_gang"
		"  AND a.started_at IS NOT NULL"
		" LEFT JOIN (SELECT NULL::timestamptz AS ready_at, NULL::int AS attempt,"
		"  NULL::boolean AS alone) p ON true"
		" WHERE s.pool = $1 AND s.outcome IS DISTINCT FROM 'cancelled'"
		" ORDER BY s.submitted_at, s.queue_no",
		{TEXTOID},
		IN_SETS,
		&own_row};
	OwnRows own = {0};

	(void) spi_plan_each(history ? &past : &queue, true, read_own_row, &own,
						 TEXT_VALUE(reader->scenario->pool));
	for (int i = 0; i < own.count; i++)
	{
		const OwnRow *row = &own.rows[i];
		Arrival *arrival = add_arrival(reader, row->workload_id, 0, -1);

		CHECK_FOR_INTERRUPTS();
		arrival->template = own_template(reader, row);
		arrival->submitted_at = row->submitted_at;
		arrival->at = row->at;
		if (row->took > 0)
		{
			arrival->took = row->took;
			arrival->took_profile = row->took_profile;
		}
	}
	reader->absolute = scenario->own_work = true;
	if (own.rows != NULL)
		pfree(own.rows);
}

/* --- kinds of work --- */

/* Returns the number of the kind that an arrival is of, after adding it if it is new. */
static int32
kind_of(WorkReader *reader, const WorkTemplate *template, int32 pace)
{
	PoolSnapshot *snapshot = &reader->scenario->snapshot;
	Search *search = &snapshot->search;
	const Work *work = &reader->scenario->works[template->work];
	const Policy *policy = policy_for(&snapshot->policies, &work->profile);
	int uses = snapshot->policies.uses | policy_uses(policy);
	KindKey key = {-1, template->work, 0, -1, -1, -1, 0};
	StrtabEntry *entry;
	WorkKind *kind;
	bool found;

	if ((uses & USES_EXPECTED) && !isnan(template->expected_seconds))
		key.expected_seconds = template->expected_seconds;
	if (uses & USES_PRIORITY)
		key.priority = template->priority;
	if (uses & USES_MODEL)
	{
		key.model = template->model;
		key.family = template->family;
		key.pace = pace;
	}
	entry = strtab_enter(reader->kinds, (const char *) &key, sizeof(key), &found);
	if (found)
		return entry->number;
	search->kinds = grow(search->kinds, search->nkinds, &reader->kinds_allocated, sizeof(WorkKind));
	kind = &search->kinds[search->nkinds];
	*kind = (WorkKind){.profile_id = work->profile_id,
					   .profile = work->profile,
					   .demand = work->demand,
					   .policy = policy,
					   .tenant = -1,
					   .tolerates = -1,
					   .priority = key.priority,
					   .expected_seconds = key.expected_seconds < 0 ? NAN : key.expected_seconds,
					   .model = key.model,
					   .family = key.family,
					   /* for know_durations() to replace */
					   .subject = -1};
	reader->scenario->kind_paces =
		grow_by_count(reader->scenario->kind_paces, search->nkinds, sizeof(int32));
	reader->scenario->kind_paces[search->nkinds] = key.pace;
	return entry->number = search->nkinds++;
}

/* Returns the number of the item that stands for all work whose durations are known alike. */
static int32
stem_of(WorkReader *reader, int32 kind, const WorkTemplate *template)
{
	PoolSnapshot *snapshot = &reader->scenario->snapshot;
	int32 key[] = {template->work, template->model, template->family};
	bool found;
	StrtabEntry *entry = strtab_enter(reader->stems, (const char *) key, sizeof(key), &found);
	int n = snapshot->nitems;

	if (found)
		return entry->number;
	if (n == reader->stems_allocated)
	{
		int allocated = reader->stems_allocated;

		snapshot->items = grow(snapshot->items, n, &allocated, sizeof(QueueItem));
		snapshot->rows = grow(snapshot->rows, n, &reader->stems_allocated, sizeof(QueueRow));
	}
	snapshot->items[n] = (QueueItem){.kind = kind, .expected_seconds = NAN, .subject = -1};
	snapshot->rows[n] = (QueueRow){.model = template->model,
								   .family = template->family,
								   .own_kind = -1,
								   .submitted_at = reader->scenario->begins};
	snapshot->nitems++;
	return entry->number = n;
}

/* Sorts the arrivals into kinds of work. */
static void
sort_into_kinds(WorkReader *reader)
{
	Scenario *scenario = reader->scenario;
	bool learning = scenario->snapshot.settings.learning;

	for (int i = 0; i < scenario->narrivals; i++)
	{
		Arrival *arrival = &scenario->arrivals[i];
		const WorkTemplate *template = &scenario->templates[arrival->template];

		CHECK_FOR_INTERRUPTS();
		arrival->pace = -1;
		arrival->expected_seconds = template->expected_seconds;
		if (learning && arrival->seconds_on >= 0)
		{
			arrival->pace = pace_number(reader, template->work, arrival->seconds_on);
			/* who has learned predicts by what it takes on the first of the models */
			arrival->expected_seconds = scenario->seconds[arrival->seconds_on].models[0].seconds;
		}
		arrival->kind = kind_of(reader, template, arrival->pace);
		arrival->item = stem_of(reader, arrival->kind, template);
	}
}

/* --- times --- */

static int
compare_arrivals(const void *a, const void *b)
{
	const Arrival *x = a;
	const Arrival *y = b;

	return (x->submitted_at > y->submitted_at) - (x->submitted_at < y->submitted_at);
}

/* Puts the arrivals into the order of submission; equals stay as they came. */
static void
sort_arrivals(Arrival *arrivals, int count)
{
	Arrival *merged;
	bool sorted = true;

	for (int i = 1; i < count && sorted; i++)
		sorted = compare_arrivals(&arrivals[i - 1], &arrivals[i]) <= 0;
	if (sorted)
		return;
	merged = palloc_huge(sizeof(Arrival) * count);
	for (int width = 1; width < count; width *= 2)
	{
		for (int low = 0; low < count; low += 2 * width)
		{
			int middle = Min(low + width, count);
			int high = Min(low + 2 * width, count);
			int i = low;
			int j = middle;

			for (int k = low; k < high; k++)
				merged[k] =
					i < middle && (j >= high || compare_arrivals(&arrivals[i], &arrivals[j]) <= 0) ?
						arrivals[i++] :
						arrivals[j++];
		}
		memcpy(arrivals, merged, sizeof(Arrival) * count);
	}
	pfree(merged);
}

/* Finds out when the simulation begins, and when from then on each workload arrives. */
static void
settle_times(WorkReader *reader)
{
	Scenario *scenario = reader->scenario;

	if (!scenario->live)
	{
		scenario->begins = YEAR_2000;
		for (int i = 0; i < scenario->narrivals && reader->absolute; i++)
			if (i == 0 || scenario->arrivals[i].submitted_at < scenario->begins)
				scenario->begins = scenario->arrivals[i].submitted_at;
	}
	for (int i = 0; i < scenario->narrivals; i++)
	{
		Arrival *arrival = &scenario->arrivals[i];
		TimestampTz at = Max(arrival->at, arrival->submitted_at);
		TimestampTz run_at = scenario->templates[arrival->template].run_at;

		if (!TIMESTAMP_IS_NOBEGIN(run_at))
			at = Max(at, run_at);
		arrival->submitted = Max(arrival->submitted_at - scenario->begins, 0);
		arrival->at = Max(at - scenario->begins, 0);
	}
	sort_arrivals(scenario->arrivals, scenario->narrivals);
}

/* --- reading --- */

/* Reads the work of a scenario as "arrivals" says, and sorts it into kinds. */
void
read_arrivals(Scenario *scenario, Jsonb *document)
{
	WorkReader *reader = palloc0(sizeof(WorkReader));
	JsonbValue arrivals;
	bool given = getKeyJsonValueFromContainer(&document->root, "arrivals", 8, &arrivals) != NULL &&
				 arrivals.type != jbvNull;

	reader->scenario = scenario;
	reader->keep = CurrentMemoryContext;
	reader->scratch =
		AllocSetContextCreate(CurrentMemoryContext, "hwsched arrivals", ALLOCSET_DEFAULT_SIZES);
	reader->works = strtab_create("hwsched given work");
	reader->templates = strtab_create("hwsched work templates");
	reader->seconds = strtab_create("hwsched given seconds");
	reader->models = strtab_create("hwsched given models");
	reader->kinds = strtab_create("hwsched given kinds");
	reader->stems = strtab_create("hwsched given subjects");
	reader->paces = strtab_create("hwsched given paces");
	scenario->snapshot.items = palloc(sizeof(QueueItem));
	scenario->snapshot.rows = palloc(sizeof(QueueRow));
	scenario->snapshot.search.kinds = palloc(sizeof(WorkKind));
	scenario->snapshot.models = palloc(sizeof(Model));
	scenario->templates = palloc(sizeof(WorkTemplate));
	keys_begin(&scenario->snapshot);

	if (!given || (arrivals.type == jbvString && arrivals.val.string.len == 5 &&
				   memcmp(arrivals.val.string.val, "queue", 5) == 0))
	{
		scenario->live = !scenario->own_fleet;
		keys_load(&scenario->snapshot, scenario->pool, NULL, true);
		read_own_work(reader, false);
	}
	else if (arrivals.type == jbvString && arrivals.val.string.len == 7 &&
			 memcmp(arrivals.val.string.val, "history", 7) == 0)
		read_own_work(reader, true);
	else if (arrivals.type == jbvString)
		read_table(reader, pnstrdup(arrivals.val.string.val, arrivals.val.string.len));
	else if (arrivals.type == jbvBinary && JsonContainerIsArray(arrivals.val.binary.data))
		read_documents(reader, JsonbValueToJsonb(&arrivals));
	else
		refuse("arrivals", "\"queue\", \"history\", a list of requirements, or the name of a table "
						   "or view");
	settle_times(reader);
	sort_into_kinds(reader);
	MemoryContextDelete(reader->scratch);
}
