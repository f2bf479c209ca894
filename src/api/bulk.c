/*
 * bulk.c
 *		Cancelling and retrying all workloads that a filter selects.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "api/finish.h"
#include "api/settle.h"
#include "document/inspection.h"
#include "document/json.h"
#include "store/authz.h"
#include "store/pool.h"
#include "support/args.h"
#include "support/spi_plan.h"

PG_FUNCTION_INFO_V1(hwsched_cancel_many);
PG_FUNCTION_INFO_V1(hwsched_retry_many);

/* What workloads have to be; what is empty, or infinity, does not matter. */
typedef struct WorkloadFilter
{
	NameSet state;
	NameSet workload_type;
	NameSet tenant;
	NameSet group;
	NameSet error_class; /* of the last attempt that failed */
	int64 submitted_before;
} WorkloadFilter;

static void
filter_preset(void *values)
{
	((WorkloadFilter *) values)->submitted_before = DT_NOEND;
}

#define LISTED(m) \
	{ \
#m, FIELD_TEXTS, offsetof(WorkloadFilter, m) \
	}
static const Field filter_fields[] = {
	LISTED(state),
	LISTED(workload_type),
	LISTED(tenant),
	LISTED(group),
	LISTED(error_class),
	{"labels", FIELD_ANY_OBJECT, 0},
	{"submitted_before", FIELD_TIME, offsetof(WorkloadFilter, submitted_before)},
};
static const Document filter_document = {"filter", sizeof(WorkloadFilter), filter_fields,
										 lengthof(filter_fields), filter_preset};

static bool
is_key(const JsonbValue *value, const char *key)
{
	return value->val.string.len == (int) strlen(key) &&
		   memcmp(value->val.string.val, key, strlen(key)) == 0;
}

/* Returns a filter in which each text is a list of one. */
static Jsonb *
listed(Jsonb *filter)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;
	JsonbParseState *state = NULL;
	JsonbValue *result = NULL;
	bool is_list = false;

	if (!JB_ROOT_IS_OBJECT(filter))
		return filter;
	iterator = JsonbIteratorInit(&filter->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			is_list = !is_key(&value, "labels") && !is_key(&value, "submitted_before");
		if (token == WJB_VALUE && value.type == jbvString && is_list)
		{
			pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
			pushJsonbValue(&state, WJB_ELEM, &value);
			result = pushJsonbValue(&state, WJB_END_ARRAY, NULL);
		}
		else
			result = pushJsonbValue(&state, token, token < WJB_BEGIN_ARRAY ? &value : NULL);
	}
	return JsonbValueToJsonb(result);
}

/* Returns names as a text[], NULL for none. */
static Parameter
names_or_null(const NameSet *names)
{
	return names->count == 0 ? NULL_VALUE : text_array(names->names, names->count);
}

/* Raises ERRCODE_INVALID_PARAMETER_VALUE for a state or an error class that there is not. */
static void
check_names(const WorkloadFilter *filter)
{
	static SpiPlan statement = {
		"SELECT n.key, n.name, n.known FROM ("
		"  SELECT 'state', unnest($1),"
		"   array_to_string(enum_range(NULL::hwsched.workload_state), ', ')"
		"  UNION ALL SELECT 'error_class', unnest($2),"
		"   array_to_string(enum_range(NULL::hwsched.error_class), ', ')) n(key, name, known)"
		" WHERE n.name <> ALL (string_to_array(n.known, ', ')) LIMIT 1",
		{TEXTARRAYOID, TEXTARRAYOID}};

	if (spi_plan_run(&statement, false, names_or_null(&filter->state),
					 names_or_null(&filter->error_class)) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown name for \"%s\": \"%s\"", column_text(0, 1), column_text(0, 2)),
				 errhint("Known names are: %s.", column_text(0, 3))));
}

/*
 * Finds the open workloads, or with dead the dead ones, that a filter selects and the
 * caller acts for.
 * Returns their number and sets *workload_ids; raises
 * ERRCODE_INVALID_PARAMETER_VALUE for a filter that is none.
 */
static int
select_workloads(const char *pool, const Scope *scope, Jsonb *document, bool dead,
				 const char ***workload_ids)
{
	static SpiPlan statement = {
		"SELECT w.workload_id FROM hwsched.workload w"
		" WHERE w.pool = $1"
		"  AND w.state IN ('pending', 'assigned', 'running', 'dead') AND (w.state = 'dead') = $2"
		"  AND ($3 IS NULL OR w.state::text = ANY ($3))"
		"  AND ($4 IS NULL OR w.workload_type = ANY ($4))"
		"  AND ($5 IS NULL OR coalesce(w.requirements ->> 'tenant', '') = ANY ($5))"
		"  AND ($6 IS NULL OR w.requirements ->> 'group' = ANY ($6))"
		"  AND w.submitted_at < $7"
		"  AND ($8 IS NULL OR NOT EXISTS (SELECT FROM jsonb_each($8) l"
		"   WHERE NOT coalesce(l.value @> (w.requirements -> 'labels' -> l.key), false)))"
		"  AND ($9 IS NULL OR (SELECT a.error_class::text FROM hwsched.assignment a"
		"   WHERE a.pool = w.pool AND a.workload_id = w.workload_id AND a.run = w.run"
		"    AND a.error_class IS NOT NULL"
		"   ORDER BY a.assignment_id DESC LIMIT 1) = ANY ($9))"
		"  AND ($10 IS NULL OR EXISTS (SELECT FROM hwsched.workload_profile p"
		"   WHERE p.pool = w.pool AND p.profile_id = w.profile_id AND p.tenant = ANY ($10)))",
		{TEXTOID, BOOLOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID,
		 JSONBOID, TEXTARRAYOID, TEXTARRAYOID},
		IN_SETS};
	WorkloadFilter filter;
	Inspection inspection;
	JsonbValue labels;
	JsonbValue *found;
	int n;

	inspection_begin(&inspection, UNKNOWN_REFUSE);
	document_read(&filter_document, listed(document), NULL, &inspection, &filter);
	check_names(&filter);
	found = getKeyJsonValueFromContainer(&document->root, "labels", strlen("labels"), &labels);
	n = (int) spi_plan_run(&statement, false, TEXT_VALUE(pool), VALUE(BoolGetDatum(dead)),
						   names_or_null(&filter.state), names_or_null(&filter.workload_type),
						   names_or_null(&filter.tenant), names_or_null(&filter.group),
						   VALUE(TimestampTzGetDatum(filter.submitted_before)),
						   found == NULL || found->type != jbvBinary ?
							   NULL_VALUE :
							   VALUE(JsonbPGetDatum(JsonbValueToJsonb(found))),
						   names_or_null(&filter.error_class), scope_tenants(scope));
	*workload_ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		(*workload_ids)[i] = column_text(i, 1);
	return n;
}

/* cancel_many(filter jsonb, pool text) RETURNS bigint */
Datum
hwsched_cancel_many(PG_FUNCTION_ARGS)
{
	Jsonb *filter = jsonb_argument(0);
	char *pool = text_argument(fcinfo, 1);
	const char **workload_ids;
	int64 cancelled;
	int n;
	Caller caller = call_begin(fcinfo);
	Scope scope = authz_acts_for(&caller, pool);

	pool_check(pool, false);
	pool_lock(pool);
	n = select_workloads(pool, &scope, filter, false, &workload_ids);
	cancelled = n == 0 ? 0 : cancel_open(pool, workload_ids, n);
	call_end(&caller);
	PG_RETURN_INT64(cancelled);
}

/* retry_many(filter jsonb, pool text) RETURNS bigint */
Datum
hwsched_retry_many(PG_FUNCTION_ARGS)
{
	Jsonb *filter = jsonb_argument(0);
	char *pool = text_argument(fcinfo, 1);
	const char **workload_ids;
	int64 revived;
	int n;
	Caller caller = call_begin(fcinfo);
	Scope scope = authz_acts_for(&caller, pool);

	pool_check(pool, false);
	pool_lock(pool);
	n = select_workloads(pool, &scope, filter, true, &workload_ids);
	revived = n == 0 ? 0 : revive_workloads(pool, workload_ids, n);
	call_end(&caller);
	PG_RETURN_INT64(revived);
}
