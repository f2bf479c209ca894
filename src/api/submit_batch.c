/*
 * submit_batch.c
 *		Collects the workloads of one call, column by column, and submits them together.
 */
#include "postgres.h"

#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "api/settle.h"
#include "api/submission.h"
#include "api/submit_batch.h"
#include "api/submit_writer.h"
#include "document/json.h"
#include "store/cancel.h"
#include "store/settings.h"
#include "support/args.h"
#include "support/spi_plan.h"

static void *
allocate(int count, Size size)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, (count + 1) * size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Begins a batch of so many workloads at most, of a caller who acts for some tenants. */
void
batch_begin(SubmitBatch *batch, const char *pool, const Scope *scope, int most)
{
	PoolSettings settings;

	memset(batch, 0, sizeof(*batch));
	batch->pool = pool;
	batch->scope = scope;
	pool_settings_load(pool, false, &settings);
	inspection_begin(&batch->inspection, unknown_keys_of(&settings));
	batch->workload_id = allocate(most, sizeof(Datum));
	batch->queue_no = allocate(most, sizeof(int64));
	batch->run = allocate(most, sizeof(int32));
	batch->kind = allocate(most, sizeof(int));
	batch->priority = allocate(most, sizeof(int16));
	batch->retries = allocate(most, sizeof(int32));
	batch->expected = allocate(most, sizeof(float8));
	batch->timeout = allocate(most, sizeof(float8));
	batch->deadline = allocate(most, sizeof(TimestampTz));
	batch->run_at = allocate(most, sizeof(TimestampTz));
	batch->expires_at = allocate(most, sizeof(TimestampTz));
	batch->start_timeout = allocate(most, sizeof(float8));
	batch->on_failed_dependency = allocate(most, sizeof(Datum));
	batch->on_failed_dependency_null = allocate(most, sizeof(bool));
	batch->model_id = allocate(most, sizeof(Datum));
	batch->model_id_null = allocate(most, sizeof(bool));
	batch->model_family = allocate(most, sizeof(Datum));
	batch->model_family_null = allocate(most, sizeof(bool));
	batch->requirements = allocate(most, sizeof(Datum));
	batch->concurrency_keys = allocate(most, sizeof(Datum));
	batch->concurrency_units = allocate(most, sizeof(Datum));
	batch->concurrency_keys_null = allocate(most, sizeof(bool));
	batch->kind_numbers = strtab_create("hwsched submitted kinds");
	batch->ids = strtab_create("hwsched submitted ids");
}

static const char *
generated_id(void)
{
	return DatumGetCString(
		DirectFunctionCall1(uuid_out, DirectFunctionCall1(gen_random_uuid, (Datum) 0)));
}

/* Returns an array as a text, as arrays of arrays cannot be taken apart in SQL. */
static Datum
array_text(Oid array_type, Parameter array)
{
	Oid output;
	bool varlena;

	getTypeOutputInfo(array_type, &output, &varlena);
	return CStringGetTextDatum(OidOutputFunctionCall(output, array.value));
}

/* Notes the concurrency keys of a workload of the batch. */
static void
add_keys(SubmitBatch *batch, int i, const NamedNumbers *keys)
{
	Datum *names;
	Datum *units;

	batch->concurrency_keys_null[i] = keys->count == 0;
	if (keys->count == 0)
		return;
	names = palloc(sizeof(Datum) * keys->count);
	units = palloc(sizeof(Datum) * keys->count);
	for (int k = 0; k < keys->count; k++)
	{
		names[k] = CStringGetTextDatum(keys->items[k].name);
		units[k] = Int32GetDatum((int32) keys->items[k].value);
	}
	batch->concurrency_keys[i] =
		array_text(TEXTARRAYOID, array_value(TEXTOID, names, NULL, keys->count));
	batch->concurrency_units[i] =
		array_text(INT4ARRAYOID, array_value(INT4OID, units, NULL, keys->count));
}

/* Raises ERRCODE_INSUFFICIENT_PRIVILEGE unless the caller acts for a tenant. */
static void
check_tenant(const SubmitBatch *batch, const char *tenant, const char *path)
{
	if (scope_has(batch->scope, tenant))
		return;
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					tenant == NULL || tenant[0] == '\0' ?
						errmsg("\"%s\" is missing, and work of no tenant is not yours",
							   path == NULL ? "tenant" : psprintf("%s.tenant", path)) :
						errmsg("work of tenant \"%s\" is not yours", tenant),
					errhint("In this pool you submit work with \"tenant\" \"%s\".",
							batch->scope->tenants[0])));
}

/*
 * Adds one document to the batch, unless duplicates are skipped and it is one; what it
 * keeps goes to the context keep.
 */
void
batch_add(SubmitBatch *batch, Jsonb *requirements, const char *path, MemoryContext keep)
{
	Submission submission = {requirements, path, &batch->inspection};
	const Requirements *read = &submission.read;
	StringInfoData key;
	const char *id;
	MemoryContext work;
	StrtabEntry *entry;
	bool found;
	int i = batch->count;

	submission_read(&submission);
	check_tenant(batch, submission.demand.tenant, path);
	doubt_labels(batch->pool, requirements, path, &batch->inspection);
	id = read->test_id != NULL ? read->test_id : generated_id();
	if (submission.profile.min_memory_bytes > batch->most_memory)
	{
		batch->most_memory = submission.profile.min_memory_bytes;
		batch->most_memory_path = path != NULL ? MemoryContextStrdup(keep, path) : NULL;
	}
	if (batch->inspection.unknown_keys != UNKNOWN_REFUSE)
		requirements = keep_unknown_keys(&requirements_document, requirements);

	initStringInfo(&key);
	append_document_key(&key, &placement_profile_document, &submission.profile);
	append_document_key(&key, &demand_document, &submission.demand);

	if (batch->skip_duplicates && (strtab_find(batch->open, id, strlen(id)) != NULL ||
								   strtab_find(batch->ids, id, strlen(id)) != NULL))
		return;
	work = MemoryContextSwitchTo(keep);
	strtab_enter(batch->ids, id, strlen(id), &found)->number = i;
	if (found)
		ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
						errmsg("workload \"%s\" is submitted twice in one call", id)));
	entry = strtab_enter(batch->kind_numbers, key.data, key.len, &found);
	if (!found)
	{
		if (batch->nkinds == batch->kinds_allocated)
		{
			batch->kinds_allocated = Max(16, batch->kinds_allocated * 2);
			batch->profile = batch->nkinds == 0 ?
								 palloc(sizeof(Datum) * batch->kinds_allocated) :
								 repalloc(batch->profile, sizeof(Datum) * batch->kinds_allocated);
			batch->demand = batch->nkinds == 0 ?
								palloc(sizeof(Datum) * batch->kinds_allocated) :
								repalloc(batch->demand, sizeof(Datum) * batch->kinds_allocated);
		}
		entry->number = batch->nkinds;
		batch->profile[batch->nkinds] =
			JsonbPGetDatum(document_write(&placement_profile_document, &submission.profile));
		batch->demand[batch->nkinds++] =
			JsonbPGetDatum(document_write(&demand_document, &submission.demand));
	}
	batch->kind[i] = entry->number;
	batch->workload_id[i] = CStringGetTextDatum(id);
	batch->priority[i] = submission.profile.priority;
	batch->retries[i] = read->retries;
	/* a ready-made profile may say how long it takes where the test does not */
	batch->expected[i] = isnan(read->expected_duration) ?
							 submission.profile.estimated_duration_seconds :
							 read->expected_duration;
	batch->timeout[i] = read->timeout;
	batch->deadline[i] = read->deadline;
	batch->run_at[i] = read->run_at;
	batch->expires_at[i] = read->expires_at;
	batch->start_timeout[i] = read->start_timeout;
	batch->on_failed_dependency_null[i] =
		read->on_failed_dependency == NULL || strcmp(read->on_failed_dependency, "wait") == 0;
	batch->on_failed_dependency[i] = batch->on_failed_dependency_null[i] ?
										 (Datum) 0 :
										 CStringGetTextDatum(read->on_failed_dependency);
	batch->model_id_null[i] = read->model_id == NULL;
	batch->model_id[i] = read->model_id ? CStringGetTextDatum(read->model_id) : (Datum) 0;
	batch->model_family_null[i] = read->model_family == NULL;
	batch->model_family[i] =
		read->model_family ? CStringGetTextDatum(read->model_family) : (Datum) 0;
	batch->requirements[i] = PointerGetDatum(PG_DETOAST_DATUM_COPY(JsonbPGetDatum(requirements)));
	add_keys(batch, i, &read->concurrency_key);
	for (int d = 0; d < read->depends_on.count; d++)
		dependencies_note(&batch->dependencies, i, read->depends_on.names[d]);
	batch->count++;
	MemoryContextSwitchTo(work);
}

/* Tells of each workload of the batch whether it says what to do if a dependency is dead. */
static const bool *
goes_on(const SubmitBatch *batch)
{
	bool *result = allocate(batch->count, sizeof(bool));

	for (int i = 0; i < batch->count; i++)
		result[i] = !batch->on_failed_dependency_null[i];
	return result;
}

/*
 * Writes the batch and what it waits for.  Only what depends on others locks
 * the pool: so none of them completes meanwhile, unnoticed.
 */
void
batch_submit(SubmitBatch *batch, const char *pool, bool in_array)
{
	if (batch->dependencies.count > 0)
	{
		pool_lock(pool);
		dependencies_resolve(&batch->dependencies, pool, batch->scope, batch->ids, batch->count,
							 goes_on(batch), in_array);
	}
	doubt_memory(pool, batch->most_memory, batch->most_memory_path, &batch->inspection);
	inspection_end(&batch->inspection);
	submit_write(batch, pool);
	if (batch->dependencies.count > 0)
		dependencies_write(&batch->dependencies, pool, batch->workload_id);
	if (batch->dependencies.failed != NIL)
	{
		int n = list_length(batch->dependencies.failed);
		const char **failed = palloc(sizeof(char *) * n);

		for (int i = 0; i < n; i++)
			failed[i] = list_nth(batch->dependencies.failed, i);
		dependencies_failed(pool, failed, n);
	}
}
