/*
 * submit.c
 *		Submitting workloads: one, or an array of them.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "api/submit.h"
#include "api/submit_batch.h"
#include "api/submit_writer.h"
#include "document/json.h"
#include "store/authz.h"
#include "support/args.h"
#include "support/spi_plan.h"
#include "support/strtab.h"
#include "support/subtransaction.h"

PG_FUNCTION_INFO_V1(hwsched_submit);
PG_FUNCTION_INFO_V1(hwsched_submit_many);

/* Submits one workload for a caller who acts for some, and returns its id, a text. */
Datum
submit_one(const char *pool, const Scope *scope, Jsonb *requirements)
{
	SubmitBatch batch;

	batch_begin(&batch, pool, scope, 1);
	batch_add(&batch, requirements, NULL, CurrentMemoryContext);
	batch_submit(&batch, pool, false);
	return batch.workload_id[0];
}

/* submit(requirements jsonb, pool text) RETURNS text */
Datum
hwsched_submit(PG_FUNCTION_ARGS)
{
	Jsonb *requirements = jsonb_argument(0);
	char *pool = text_argument(fcinfo, 1);
	Caller caller = call_begin(fcinfo);
	Scope scope = authz_acts_for(&caller, pool);
	Datum id = SPI_datumTransfer(submit_one(pool, &scope, requirements), false, -1);

	call_end(&caller);
	return id;
}

/* An array of workloads on its way into a pool. */
typedef struct SubmitCall
{
	Jsonb *requirements;
	const char *pool;
	const Scope *scope;
	bool skip_duplicates;
	int64 submitted;
} SubmitCall;

/* Notes which of the workloads in an array are open. */
static void
find_open(SubmitBatch *batch, const SubmitCall *call)
{
	static SpiPlan statement = {
		"SELECT DISTINCT w.workload_id, $3 IS NULL OR p.tenant = ANY ($3)"
		" FROM jsonb_array_elements($2) e"
		" JOIN hwsched.workload w ON w.pool = $1 AND w.workload_id = e ->> 'test_id'"
		" JOIN hwsched.workload_profile p ON p.pool = $1 AND p.profile_id = w.profile_id"
		" WHERE w.state IN ('pending', 'assigned', 'running')",
		{TEXTOID, JSONBOID, TEXTARRAYOID}};
	int n =
		(int) spi_plan_run(&statement, false, TEXT_VALUE(call->pool),
						   VALUE(JsonbPGetDatum(call->requirements)), scope_tenants(call->scope));
	bool found;

	for (int i = 0; i < n; i++)
	{
		char *id = column_text(i, 1);

		/* another's is not what is to be submitted here */
		if (!column_bool(i, 2))
			id_is_taken(id);
		(void) strtab_enter(batch->open, id, strlen(id), &found);
	}
}

/* Submits the workloads of an array. */
static void
submit_array(void *argument)
{
	SubmitCall *call = argument;
	MemoryContext keep = CurrentMemoryContext;
	MemoryContext work =
		AllocSetContextCreate(keep, "hwsched submitted workload", ALLOCSET_DEFAULT_SIZES);
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;
	SubmitBatch batch;
	int n = 0;

	batch_begin(&batch, call->pool, call->scope, JB_ROOT_COUNT(call->requirements));
	if (call->skip_duplicates)
	{
		batch.skip_duplicates = true;
		batch.open = strtab_create("hwsched open workloads");
		find_open(&batch, call);
	}
	iterator = JsonbIteratorInit(&call->requirements->root);
	token = JsonbIteratorNext(&iterator, &value, true);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) == WJB_ELEM)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(work);
		MemoryContextSwitchTo(work);
		batch_add(&batch, JsonbValueToJsonb(&value), psprintf("[%d]", n++), keep);
		MemoryContextSwitchTo(keep);
	}
	if (batch.count > 0)
		batch_submit(&batch, call->pool, true);
	call->submitted = batch.count;
}

/* How often it is tried to submit what is new while others submit the same. */
#define SUBMIT_TRIES 10

/* Submits what is not open.  What others submit meanwhile is, once they have committed. */
static void
submit_new(SubmitCall *call)
{
	for (int tries = 1;; tries++)
	{
		ErrorData *error = attempt(submit_array, call);

		if (error == NULL)
			return;
		if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION || IsolationUsesXactSnapshot() ||
			tries == SUBMIT_TRIES)
			ReThrowError(error);
	}
}

/* Returns whether what on_duplicate says is to skip; raises ERRCODE_INVALID_PARAMETER_VALUE. */
static bool
skip_argument(FunctionCallInfo fcinfo, int number)
{
	char *word = text_argument(fcinfo, number);

	if (strcmp(word, "error") != 0 && strcmp(word, "skip") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown name for \"on_duplicate\": \"%s\"", word),
						errhint("Known names are: error, skip.")));
	return strcmp(word, "skip") == 0;
}

/* submit_many(requirements jsonb, pool text, on_duplicate text) RETURNS bigint */
Datum
hwsched_submit_many(PG_FUNCTION_ARGS)
{
	SubmitCall call = {.requirements = jsonb_argument(0), .pool = text_argument(fcinfo, 1)};
	Caller caller;
	Scope scope;

	call.skip_duplicates = skip_argument(fcinfo, 2);
	if (!JB_ROOT_IS_ARRAY(call.requirements) || JB_ROOT_IS_SCALAR(call.requirements))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"requirements\": %.80s",
						JsonbToCString(NULL, &call.requirements->root, VARSIZE(call.requirements))),
				 errdetail("Expected an array of requirements objects.")));
	caller = call_begin(fcinfo);
	scope = authz_acts_for(&caller, call.pool);
	call.scope = &scope;
	if (!call.skip_duplicates)
		submit_array(&call);
	else
		submit_new(&call);
	call_end(&caller);
	PG_RETURN_INT64(call.submitted);
}
