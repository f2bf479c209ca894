/*
 * submit.c
 *		Submitting workloads, and what state they are in.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "api/settle.h"
#include "api/submit.h"
#include "document/infer.h"
#include "document/json.h"
#include "store/cancel.h"
#include "store/dependency.h"
#include "store/hardware.h"
#include "store/pool.h"
#include "store/settings.h"
#include "store/wakeup.h"
#include "store/worker.h"
#include "support/args.h"
#include "support/subtransaction.h"
#include "support/spi_plan.h"
#include "support/strtab.h"

PG_FUNCTION_INFO_V1(hwsched_submit);
PG_FUNCTION_INFO_V1(hwsched_submit_many);

/* --- submitting --- */

/* The workloads of one call, column by column. */
typedef struct SubmitBatch
{
	int count;
	Datum *workload_id;
	int64 *queue_no;
	int32 *run;
	int *kind; /* in kinds */
	int16 *priority;
	int32 *retries;
	float8 *expected; /* NAN: unknown */
	float8 *timeout;
	TimestampTz *deadline;
	TimestampTz *run_at; /* DT_NOBEGIN: at once */
	TimestampTz *expires_at; /* DT_NOEND: never */
	float8 *start_timeout; /* NAN: the pool's */
	Datum *on_failed_dependency;
	bool *on_failed_dependency_null; /* it waits */
	Datum *model_id;
	bool *model_id_null;
	Datum *model_family;
	bool *model_family_null;
	Datum *requirements;
	Datum *concurrency_keys; /* an array as text, as the next one */
	Datum *concurrency_units;
	bool *concurrency_keys_null;
	Dependencies dependencies;
	int nkinds;
	int kinds_allocated;
	Datum *profile; /* jsonb, by kind */
	Datum *demand;
	int64 *profile_id;
	HTAB *kind_numbers;
	HTAB *ids;
	const char *pool;
	const Scope *scope; /* for whom the caller acts */
	Inspection inspection;
	int64 most_memory; /* the greatest minimum_memory, in bytes, and whose it is */
	const char *most_memory_path;
	bool skip_duplicates;
	HTAB *open; /* ids that are open, which are skipped then */
} SubmitBatch;

static void *
allocate(int count, Size size)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, (count + 1) * size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static void
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

/* What one document of requirements amounts to. */
typedef struct Submission
{
	Jsonb *requirements;
	const char *path;
	Inspection *inspection;
	Requirements read;
	WorkloadProfile profile;
	Demand demand;
} Submission;

/* Refuses an allocation strategy that there is none of. */
static void
check_strategy(const WorkloadProfile *profile)
{
	if (strcmp(profile->allocation_strategy, "single") != 0 &&
		strcmp(profile->allocation_strategy, "sharded") != 0 &&
		strcmp(profile->allocation_strategy, "replicated") != 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("allocation strategy \"%s\" is not supported in this version",
							   profile->allocation_strategy)));
}

/* Raises an error for a name that is empty or too long. */
static void
check_name(const char *name, const char *path, const char *key)
{
	if (name[0] == '\0' || strlen(name) > 1000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"%s\": \"%.80s\"", document_path(path, key), name),
				 errdetail("Expected 1 to 1000 bytes."), errpath(document_path(path, key))));
}

/* Refuses times that would keep a workload from ever running, and unknown words. */
static void
check_conditions(const Requirements *read, const char *path)
{
	const char *word = read->on_failed_dependency;

	if (TIMESTAMP_IS_NOEND(read->run_at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"%s\": infinity", document_path(path, "run_at")),
				 errdetail("Expected a time that comes."), errpath(document_path(path, "run_at"))));
	if (read->expires_at <= read->run_at && !TIMESTAMP_IS_NOBEGIN(read->run_at))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"%s\": %s", document_path(path, "expires_at"),
							   timestamptz_to_str(read->expires_at)),
						errdetail("Expected a time after \"run_at\", which is %s.",
								  pstrdup(timestamptz_to_str(read->run_at))),
						errpath(document_path(path, "expires_at"))));
	if (word != NULL && strcmp(word, "wait") != 0 && strcmp(word, "cancel") != 0 &&
		strcmp(word, "run") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"%s\": \"%s\"",
							   document_path(path, "on_failed_dependency"), word),
						errhint("It is one of: wait, cancel, run."),
						errpath(document_path(path, "on_failed_dependency"))));
}

/* Reads and checks the requirements of a Submission. */
static void
read_submission(void *argument)
{
	Submission *submission = argument;
	Requirements *read = &submission->read;
	const char *path = submission->path;

	infer_workload_profile(submission->requirements, path, submission->inspection, read,
						   &submission->profile);
	infer_demand(submission->requirements, path, submission->inspection, read, &submission->profile,
				 &submission->demand);
	check_strategy(&submission->profile);
	if (read->test_id != NULL)
		check_name(read->test_id, path, "test_id");
	for (int i = 0; i < read->concurrency_key.count; i++)
		check_name(read->concurrency_key.items[i].name, path, "concurrency_key");
	if (read->group != NULL)
		check_name(read->group, path, "group");
	if (read->spread_by != NULL)
		check_name(read->spread_by, path, "spread_by");
	/* an empty one is none */
	if (read->tenant != NULL && read->tenant[0] != '\0')
		check_name(read->tenant, path, "tenant");
	/* an empty one is none; a longer one would not fit into an index */
	if (read->model_id != NULL && read->model_id[0] != '\0')
		check_name(read->model_id, path, "model_id");
	if (read->model_family != NULL && read->model_family[0] != '\0')
		check_name(read->model_family, path, "model_family");
	check_conditions(read, path);
}

/* Warns of work that needs a larger device than the pool ever had. */
static void
doubt_memory(const char *pool, int64 bytes, const char *path, Inspection *inspection)
{
	int64 greatest = bytes == 0 ? 0 : greatest_memory_below(pool, bytes, inspection->lists);

	if (greatest > 0)
		inspection_warn(inspection, document_path(path, "minimum_memory"),
						"It is a number of GB. The workload waits until such a device registers.",
						"\"%s\" is %.15g GB, and the largest device that the pool ever had has"
						" %.15g GB",
						document_path(path, "minimum_memory"), bytes / BYTES_PER_GB,
						greatest / BYTES_PER_GB);
}

/* Warns of labels that describe the work where they were probably meant to choose its worker. */
static void
doubt_labels(const char *pool, Jsonb *requirements, const char *path, Inspection *inspection)
{
	Jsonb *labels = object_at(requirements, "labels");
	JsonbIterator *iterator;
	JsonbValue key;
	JsonbValue value;

	if (labels == NULL)
		return;
	iterator = JsonbIteratorInit(&labels->root);
	(void) JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		const char *name = pnstrdup(key.val.string.val, key.val.string.len);
		const char *place = document_path(document_path(path, "labels"), name);

		(void) JsonbIteratorNext(&iterator, &value, true);
		if (is_label_name(pool, name, inspection->lists))
			inspection_warn(inspection, place, "\"required_labels\" chooses workers.",
							"\"%s\" describes the work and chooses no worker, though workers have"
							" a label of that name",
							place);
	}
}

/* Lists what submit() would find in requirements, and what it would infer from them. */
void
inspect_requirements(Jsonb *requirements, const char *pool, Inspection *inspection)
{
	Submission submission = {requirements, NULL, inspection};
	const WorkloadProfile *profile = &submission.profile;

	inspection_try(inspection, read_submission, &submission);
	doubt_memory(pool, profile->min_memory_bytes, NULL, inspection);
	doubt_labels(pool, requirements, NULL, inspection);
	if (submission.read.test_id == NULL)
		inspection_inform(inspection, "test_id", "is generated");
	if (profile->workload_type != NULL)
		inspection_inform(inspection, "test_type", "the workload type is %s",
						  profile->workload_type);
	if (profile->allocation_strategy != NULL && strcmp(profile->allocation_strategy, "single") != 0)
		inspection_inform(inspection, "allocation_strategy", "%s: %d to %d at once",
						  profile->allocation_strategy, gang_least(profile, &submission.demand),
						  gang_most(profile, &submission.demand));
}

/* Reads requirements as submit() does; returns false where it would refuse them. */
bool
requirements_read(Jsonb *requirements, WorkloadProfile *profile, Demand *demand)
{
	Inspection inspection;
	Submission submission = {requirements, NULL, &inspection};

	inspection_begin(&inspection, UNKNOWN_KEEP);
	inspection_list(&inspection);
	inspection_try(&inspection, read_submission, &submission);
	for (int i = 0; i < inspection.count; i++)
		if (strcmp(inspection.findings[i].severity, "error") == 0)
			return false;
	*profile = submission.profile;
	*demand = submission.demand;
	return true;
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
static void
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

	read_submission(&submission);
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

/* Returns the profile_id of each kind, after adding those that are new. */
static int64 *
profile_ids(const SubmitBatch *batch, const char *pool)
{
	static SpiPlan find = {
		"SELECT k.ord::int, p.profile_id FROM unnest($2, $3) WITH ORDINALITY k(profile, demand,"
		" ord)"
		" JOIN hwsched.workload_profile p ON p.pool = $1"
		"  AND p.digest = hwsched_internal.profile_digest(k.profile, k.demand)",
		{TEXTOID, JSONBARRAYOID, JSONBARRAYOID}};

	/* in the order of the digest, so that two callers never wait in a circle */
	static SpiPlan add = {
		"INSERT INTO hwsched.workload_profile (pool, profile, demand, digest)"
		" SELECT $1, k.profile, k.demand, d.digest FROM unnest($2, $3) k(profile, demand)"
		" CROSS JOIN LATERAL (SELECT hwsched_internal.profile_digest(k.profile, k.demand)"
		" AS digest) d"
		" WHERE NOT EXISTS (SELECT FROM hwsched.workload_profile p WHERE p.pool = $1"
		" AND p.digest = d.digest)"
		" ORDER BY d.digest"
		" ON CONFLICT (pool, digest) DO NOTHING",
		{TEXTOID, JSONBARRAYOID, JSONBARRAYOID}};
	Parameter profiles = array_value(JSONBOID, batch->profile, NULL, batch->nkinds);
	Parameter demands = array_value(JSONBOID, batch->demand, NULL, batch->nkinds);
	int64 *ids = palloc(sizeof(int64) * (batch->nkinds + 1));

	if (spi_plan_run(&find, false, TEXT_VALUE(pool), profiles, demands) < batch->nkinds)
	{
		spi_plan_run(&add, false, TEXT_VALUE(pool), profiles, demands);
		if (spi_plan_run(&find, false, TEXT_VALUE(pool), profiles, demands) < batch->nkinds)
			ereport(
				ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to a workload profile that was added at the"
						" same time")));
	}
	for (uint64 i = 0; i < SPI_processed; i++)
		ids[column_int(i, 1) - 1] = column_bigint(i, 2);
	return ids;
}

/* --- writing --- */

/* The parameters of the statements that write workloads, beside the pool. */
enum
{
	POOL,
	WORKLOAD,
	QUEUE_NO,
	RUN,
	PROFILE,
	PRIORITY,
	RETRIES,
	EXPECTED,
	TIMEOUT,
	DEADLINE,
	MODEL,
	FAMILY,
	REQUIREMENTS,
	KEY,
	READY_AT,
	RUN_AT,
	EXPIRES_AT,
	START_TIMEOUT,
	ON_FAILED_DEPENDENCY,
	KEY_UNITS,
	NPARAMETERS
};

#define GIVEN_TYPES \
	{ \
		TEXTOID, TEXTARRAYOID, INT8ARRAYOID, INT4ARRAYOID, INT8ARRAYOID, INT2ARRAYOID, \
			INT4ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, \
			TEXTARRAYOID, JSONBARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, \
			TIMESTAMPTZARRAYOID, FLOAT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID \
	}

/*
 * Arrays are read by subscript, which is the cheapest; but those of texts and
 * documents have to be walked along.
 */
#define GIVEN_SQL \
	"(SELECT unnest($2) AS workload_id, unnest($11) AS model_id, unnest($12) AS model_family," \
	" unnest($13) AS requirements," \
	"  unnest($14) AS keys, unnest($20) AS units, unnest($19) AS on_failed_dependency," \
	" generate_subscripts($2, 1) AS i) g"

/* Returns some texts of the batch as a parameter, NULL if there are none at all. */
static Parameter
texts_of(const Datum *values, const bool *nulls, const int *which, int n)
{
	Datum *chosen = allocate(n, sizeof(Datum));
	bool *absent = allocate(n, sizeof(bool));
	int present = 0;

	for (int i = 0; i < n; i++)
	{
		chosen[i] = values[which[i]];
		absent[i] = nulls != NULL && nulls[which[i]];
		present += !absent[i];
	}
	return present == 0 ? NULL_VALUE : array_value(TEXTOID, chosen, present < n ? absent : NULL, n);
}

/* Returns some times of the batch as a parameter, NULL if all of them are the one for none. */
static Parameter
times_of(const TimestampTz *values, TimestampTz none, const int *which, int n)
{
	Parameter array;
	TimestampTz *chosen;
	int i = 0;

	while (i < n && values[which[i]] == none)
		i++;
	if (i == n)
		return NULL_VALUE;
	chosen = fixed_array(TIMESTAMPTZOID, sizeof(*chosen), n, &array);
	for (i = 0; i < n; i++)
		chosen[i] = values[which[i]];
	return array;
}

/* Describes some workloads of the batch in parameters[], with their documents or without. */
static void
describe(const SubmitBatch *batch, const int *which, int n, bool documents, Parameter *parameters)
{
	int64 *queue_no = fixed_array(INT8OID, sizeof(*queue_no), n, &parameters[QUEUE_NO]);
	int32 *run = fixed_array(INT4OID, sizeof(*run), n, &parameters[RUN]);
	int64 *profile = fixed_array(INT8OID, sizeof(*profile), n, &parameters[PROFILE]);
	int16 *priority = fixed_array(INT2OID, sizeof(*priority), n, &parameters[PRIORITY]);
	int32 *retries = fixed_array(INT4OID, sizeof(*retries), n, &parameters[RETRIES]);
	float8 *expected = fixed_array(FLOAT8OID, sizeof(*expected), n, &parameters[EXPECTED]);
	float8 *timeout = fixed_array(FLOAT8OID, sizeof(*timeout), n, &parameters[TIMEOUT]);
	TimestampTz *deadline =
		fixed_array(TIMESTAMPTZOID, sizeof(*deadline), n, &parameters[DEADLINE]);
	float8 *start_timeout =
		fixed_array(FLOAT8OID, sizeof(*start_timeout), n, &parameters[START_TIMEOUT]);

	for (int i = 0; i < n; i++)
	{
		int w = which[i];

		queue_no[i] = batch->queue_no[w];
		run[i] = batch->run[w];
		profile[i] = batch->profile_id[batch->kind[w]];
		priority[i] = batch->priority[w];
		retries[i] = batch->retries[w];
		expected[i] = batch->expected[w];
		timeout[i] = batch->timeout[w];
		deadline[i] = batch->deadline[w];
		start_timeout[i] = batch->start_timeout[w];
	}
	parameters[WORKLOAD] = texts_of(batch->workload_id, NULL, which, n);
	parameters[MODEL] = texts_of(batch->model_id, batch->model_id_null, which, n);
	parameters[FAMILY] = texts_of(batch->model_family, batch->model_family_null, which, n);
	parameters[KEY] = texts_of(batch->concurrency_keys, batch->concurrency_keys_null, which, n);
	parameters[KEY_UNITS] =
		texts_of(batch->concurrency_units, batch->concurrency_keys_null, which, n);
	parameters[RUN_AT] = times_of(batch->run_at, DT_NOBEGIN, which, n);
	parameters[EXPIRES_AT] = times_of(batch->expires_at, DT_NOEND, which, n);
	parameters[ON_FAILED_DEPENDENCY] =
		texts_of(batch->on_failed_dependency, batch->on_failed_dependency_null, which, n);
	parameters[REQUIREMENTS] = NULL_VALUE;
	if (documents)
	{
		Datum *chosen = allocate(n, sizeof(Datum));

		for (int i = 0; i < n; i++)
			chosen[i] = batch->requirements[which[i]];
		parameters[REQUIREMENTS] = array_value(JSONBOID, chosen, NULL, n);
	}
}

static int
compare_ids(const void *a, const void *b, void *batch)
{
	Datum x = ((const SubmitBatch *) batch)->workload_id[*(const int *) a];
	Datum y = ((const SubmitBatch *) batch)->workload_id[*(const int *) b];
	int lx = VARSIZE(x) - VARHDRSZ;
	int ly = VARSIZE(y) - VARHDRSZ;
	int order = memcmp(VARDATA(x), VARDATA(y), Min(lx, ly));

	return order != 0 ? order : lx - ly;
}

pg_noreturn static void
still_open(const char *workload_id)
{
	ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
					errmsg("workload \"%s\" is already submitted and still open", workload_id),
					errhint("It can be submitted again once it is completed, cancelled or dead.")));
}

/* Raises that an id is another tenant's, and no more of it. */
pg_noreturn static void
id_is_taken(const char *workload_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION), errmsg("workload id \"%s\" is taken", workload_id),
			 errhint("Ids are unique in a pool: begin them with the name of the tenant.")));
}

/* Raises ERRCODE_UNIQUE_VIOLATION if an id is of work that the caller does not act for. */
static void
refuse_taken(const char *pool, const Scope *scope, Parameter ids)
{
	static SpiPlan statement = {
		"SELECT s.workload_id FROM hwsched.submission s JOIN hwsched.workload_profile p"
		"  ON p.pool = s.pool AND p.profile_id = s.profile_id"
		" WHERE s.pool = $1 AND s.workload_id = ANY ($2) AND p.tenant <> ALL ($3)"
		" ORDER BY s.workload_id LIMIT 1",
		{TEXTOID, TEXTARRAYOID, TEXTARRAYOID}};

	if (!scope->all &&
		spi_plan_run(&statement, false, TEXT_VALUE(pool), ids, scope_tenants(scope)) > 0)
		id_is_taken(column_text(0, 1));
}

/* Returns the workload of the batch that a row's first column names. */
static int
submitted_number(const SubmitBatch *batch, int row)
{
	char *id = column_text(row, 1);
	StrtabEntry *entry = strtab_find(batch->ids, id, strlen(id));

	Assert(entry != NULL);
	return entry->number;
}

/*
 * Finds which of some workloads were submitted before, and leaves them in
 * SPI_tuptable; one that is still open is refused.  Returns their number.
 */
static int
find_known(const char *pool, Parameter ids)
{
	static SpiPlan known = {
		"SELECT workload_id, outcome IS NULL FROM hwsched.submission WHERE pool = $1"
		" AND workload_id = ANY ($2)",
		{TEXTOID, TEXTARRAYOID}};
	static SpiPlan unsettled = {"SELECT FROM hwsched.unsettled WHERE pool = $1 LIMIT 1", {TEXTOID}};

	for (bool settled = false;; settled = true)
	{
		int n = (int) spi_plan_run(&known, false, TEXT_VALUE(pool), ids);
		int row = 0;
		char *open;

		while (row < n && !column_bool(row, 2))
			row++;
		if (row == n)
			return n;
		/* it may have been completed, which is noted only until the pool is settled */
		open = column_text(row, 1);
		if (settled || spi_plan_run(&unsettled, false, TEXT_VALUE(pool)) == 0)
			still_open(open);
		pool_lock(pool);
	}
}

/*
 * Returns whether some workload has an id between two: for ids that count on
 * from those before them, looking once is enough.
 */
static bool
any_between(const char *pool, Datum first, Datum last)
{
	static SpiPlan statement = {
		"SELECT FROM hwsched.submission WHERE pool = $1 AND workload_id >= $2"
		" AND workload_id <= $3 LIMIT 1",
		{TEXTOID, TEXTOID, TEXTOID}};

	return spi_plan_run(&statement, false, TEXT_VALUE(pool), VALUE(first), VALUE(last)) > 0;
}

/*
 * Begins the next run of those workloads of the batch that were submitted
 * before, ids being all of its ids in order, and sets the run of each.
 */
static void
run_again(SubmitBatch *batch, const char *pool, Parameter ids)
{
	static SpiPlan lock = {
		"SELECT FROM hwsched.submission WHERE pool = $1 AND workload_id = ANY ($2)"
		" AND outcome IS NOT NULL"
		" ORDER BY workload_id FOR NO KEY UPDATE",
		{TEXTOID, TEXTARRAYOID}};
	static SpiPlan again = {
		"UPDATE hwsched.submission s SET run = s.run + 1, queue_no = ($3)[i], profile_id ="
		" ($5)[i], priority = ($6)[i],"
		"   retries = ($7)[i], expected_seconds = nullif(($8)[i], 'NaN'), timeout_seconds ="
		" ($9)[i], deadline = ($10)[i],"
		"   model_id = g.model_id, model_family = g.model_family, requirements = g.requirements,"
		"   concurrency_keys = g.keys::text[], concurrency_units = g.units::int[],"
		" run_at = nullif(($16)[i], '-infinity'), expires_at = nullif(($17)[i], 'infinity'),"
		"   start_timeout_seconds = nullif(($18)[i], 'NaN'),"
		" on_failed_dependency = g.on_failed_dependency, outcome_reason = NULL,"
		"   outcome = NULL, closed_at = NULL, altered_at = NULL, altered_reason = NULL,"
		"   submitted_at = now()"
		" FROM " GIVEN_SQL
		" WHERE s.pool = $1 AND s.workload_id = g.workload_id AND s.outcome IS NOT NULL"
		" RETURNING s.workload_id, s.run",
		GIVEN_TYPES, BY_KEY_ONLY};
	Parameter parameters[NPARAMETERS] = {[POOL] = TEXT_VALUE(pool)};
	int *which;
	int n;

	refuse_taken(pool, batch->scope, ids);
	n = find_known(pool, ids);
	if (n == 0)
		return;
	which = allocate(n, sizeof(int));
	for (int i = 0; i < n; i++)
	{
		which[i] = submitted_number(batch, i);
		batch->run[which[i]] = 0;
	}
	qsort_arg(which, n, sizeof(int), compare_ids, batch);
	describe(batch, which, n, true, parameters);
	spi_plan_run(&lock, false, TEXT_VALUE(pool), parameters[WORKLOAD]);
	/* once more, now that they stay as they are */
	refuse_taken(pool, batch->scope, parameters[WORKLOAD]);
	spi_plan_execute(&again, false, parameters, NPARAMETERS);
	for (uint64 i = 0; i < SPI_processed; i++)
		batch->run[submitted_number(batch, i)] = column_int(i, 2);
	for (int i = 0; i < n; i++)
		if (batch->run[which[i]] == 0)
			still_open(TextDatumGetCString(batch->workload_id[which[i]]));
}

/* Returns when all the workloads of the batch may be placed, NULL if they may at once. */
static Parameter
ready_times(const SubmitBatch *batch, const int *all)
{
	TimestampTz *ready_at = allocate(batch->count, sizeof(*ready_at));

	memcpy(ready_at, batch->run_at, sizeof(*ready_at) * batch->count);
	for (int d = 0; d < batch->dependencies.count; d++)
		TIMESTAMP_NOEND(ready_at[batch->dependencies.waiting[d]]);
	return times_of(ready_at, DT_NOBEGIN, all, batch->count);
}

/*
 * Writes the batch: the submissions and the queue.  A workload that is closed
 * is replaced by its next run; one that is still open is refused.  (ON CONFLICT
 * would do the same at three times the cost: each of its insertions is
 * tentative first.)  Submissions are locked and inserted in the order of their
 * ids, so that two callers never wait in a circle.
 */
static void
batch_write(SubmitBatch *batch, const char *pool)
{
	static SpiPlan submit = {
		"INSERT INTO hwsched.submission (pool, workload_id, queue_no, profile_id, priority,"
		" retries,"
		"   expected_seconds, timeout_seconds, deadline, model_id, model_family, requirements,"
		" concurrency_keys, concurrency_units, run_at, expires_at, start_timeout_seconds,"
		" on_failed_dependency)"
		" SELECT $1, workload_id, ($3)[i], ($5)[i], ($6)[i], ($7)[i], nullif(($8)[i], 'NaN'),"
		" ($9)[i], ($10)[i],"
		"   model_id, model_family, requirements, keys::text[], units::int[],"
		"   nullif(($16)[i], '-infinity'),"
		"   nullif(($17)[i], 'infinity'), nullif(($18)[i], 'NaN'), on_failed_dependency"
		" FROM " GIVEN_SQL,
		GIVEN_TYPES};
	static SpiPlan queue = {
		"INSERT INTO hwsched.pending (pool, priority, deadline, queue_no, profile_id, run,"
		" attempt, expected_seconds, timeout_seconds,"
		"   start_timeout_seconds, workload_id, model_id, model_family, concurrency_keys,"
		"   concurrency_units, ready_at,"
		"   run_at, expires_at)"
		" SELECT $1, ($6)[i], ($10)[i], ($3)[i], ($5)[i], ($4)[i], 1, nullif(($8)[i], 'NaN'),"
		" ($9)[i], nullif(($18)[i], 'NaN'), workload_id, model_id, model_family,"
		"   keys::text[], units::int[], coalesce(($15)[i], '-infinity'),"
		"   nullif(($16)[i], '-infinity'),"
		"   nullif(($17)[i], 'infinity') FROM " GIVEN_SQL,
		GIVEN_TYPES};
	Parameter parameters[NPARAMETERS] = {[POOL] = TEXT_VALUE(pool)};
	Oid sequence = get_relname_relid("queue_no", get_namespace_oid("hwsched", false));
	int n = batch->count;
	int *which = allocate(n, sizeof(int));
	int fresh = 0;

	batch->profile_id = profile_ids(batch, pool);
	for (int i = 0; i < n; i++)
	{
		batch->queue_no[i] = nextval_internal(sequence, false);
		batch->run[i] = 1;
		which[i] = i;
	}
	qsort_arg(which, n, sizeof(int), compare_ids, batch);
	if (n == 1 || any_between(pool, batch->workload_id[which[0]], batch->workload_id[which[n - 1]]))
		run_again(batch, pool, texts_of(batch->workload_id, NULL, which, n));
	for (int i = 0; i < n; i++)
		if (batch->run[which[i]] == 1)
			which[fresh++] = which[i];
	if (fresh > 0)
	{
		describe(batch, which, fresh, true, parameters);
		spi_plan_execute(&submit, false, parameters, NPARAMETERS);
	}
	for (int i = 0; i < n; i++)
		which[i] = i;
	describe(batch, which, n, false, parameters);
	parameters[READY_AT] = ready_times(batch, which);
	spi_plan_execute(&queue, false, parameters, NPARAMETERS);
	wake_for_work(pool);
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
static void
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
	batch_write(batch, pool);
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
