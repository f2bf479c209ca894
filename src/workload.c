/*
 * workload.c
 *		Submitting workloads, and what state they are in.
 */
#include "postgres.h"

#include "arguments.h"
#include "bytes.h"
#include "dependency.h"
#include "document.h"
#include "pool.h"
#include "profiles.h"
#include "statement.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "workload.h"

PG_FUNCTION_INFO_V1(submit);
PG_FUNCTION_INFO_V1(submit_many);

/* --- state --- */

/* Returns the state of a workload, or NULL if there is none of that name. */
char *
workload_state(const char *pool, const char *workload_id, bool read_only)
{
	static Statement statement = {
		"SELECT state::text FROM hwsched.workload WHERE pool = $1 AND workload_id = $2",
		{TEXTOID, TEXTOID}
	};

	if (statement_run(&statement, read_only, TEXT_VALUE(pool), TEXT_VALUE(workload_id)) == 0)
		return NULL;
	return column_text(0, 1);
}

/* Raises that a workload is unknown, or not in the state that is needed. */
void
workload_not_in_state(const char *pool, const char *workload_id, const char *action, const char *needed)
{
	const char *state = workload_state(pool, workload_id, false);

	if (state == NULL)
	{
		pool_check(pool, false);
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("unknown workload \"%s\" in pool \"%s\"", workload_id, pool)));
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("workload \"%s\" is %s", workload_id, state),
			 errdetail("Only a workload that is %s can be %s.", needed, action)));
}

/* --- submitting --- */

/* The workloads of one call, column by column. */
typedef struct Batch
{
	int			count;
	Datum	   *workload_id;
	int		   *kind;			/* in kinds */
	Datum	   *priority;
	Datum	   *retries;
	Datum	   *expected;
	bool	   *expected_null;
	Datum	   *timeout;
	Datum	   *deadline;
	Datum	   *model_id;
	bool	   *model_id_null;
	Datum	   *model_family;
	bool	   *model_family_null;
	Datum	   *requirements;
	Datum	   *concurrency_key;
	bool	   *concurrency_key_null;
	bool		has_keys;
	Dependencies dependencies;
	int			nkinds;
	int			kinds_allocated;
	Datum	   *profile;		/* jsonb, by kind */
	Datum	   *demand;
	HTAB	   *kind_numbers;
	HTAB	   *ids;
} Batch;

static void *
allocate(int count, Size size)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, (count + 1) * size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static void
batch_begin(Batch *batch, int most)
{
	memset(batch, 0, sizeof(*batch));
	batch->workload_id = allocate(most, sizeof(Datum));
	batch->kind = allocate(most, sizeof(int));
	batch->priority = allocate(most, sizeof(Datum));
	batch->retries = allocate(most, sizeof(Datum));
	batch->expected = allocate(most, sizeof(Datum));
	batch->expected_null = allocate(most, sizeof(bool));
	batch->timeout = allocate(most, sizeof(Datum));
	batch->deadline = allocate(most, sizeof(Datum));
	batch->model_id = allocate(most, sizeof(Datum));
	batch->model_id_null = allocate(most, sizeof(bool));
	batch->model_family = allocate(most, sizeof(Datum));
	batch->model_family_null = allocate(most, sizeof(bool));
	batch->requirements = allocate(most, sizeof(Datum));
	batch->concurrency_key = allocate(most, sizeof(Datum));
	batch->concurrency_key_null = allocate(most, sizeof(bool));
	batch->kind_numbers = bytes_table("hwsched submitted kinds");
	batch->ids = bytes_table("hwsched submitted ids");
}

/* Refuses an allocation strategy that there is none of. */
static void
check_strategy(const WorkloadProfile *profile)
{
	if (strcmp(profile->allocation_strategy, "single") != 0 && strcmp(profile->allocation_strategy, "sharded") != 0 &&
		strcmp(profile->allocation_strategy, "replicated") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("allocation strategy \"%s\" is not supported in this version", profile->allocation_strategy)));
}

/* Raises an error for a name that is empty or too long. */
static void
check_name(const char *name, const char *path, const char *key)
{
	if (name[0] == '\0' || strlen(name) > 1000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"%s\": \"%.80s\"", document_path(path, key), name),
				 errdetail("Expected 1 to 1000 bytes.")));
}

static const char *
generated_id(void)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, DirectFunctionCall1(gen_random_uuid, (Datum) 0)));
}

/* Adds one document to the batch; what it keeps goes to the context keep. */
static void
batch_add(Batch *batch, Jsonb *requirements, const char *path, MemoryContext keep)
{
	Requirements read;
	WorkloadProfile profile;
	Demand		demand;
	StringInfoData key;
	const char *id;
	MemoryContext work;
	BytesEntry *entry;
	bool		found;
	int			i = batch->count;

	workload_profile_of(requirements, path, true, &read, &profile, &demand);
	check_strategy(&profile);
	id = read.test_id != NULL ? read.test_id : generated_id();
	check_name(id, path, "test_id");
	if (read.concurrency_key != NULL)
		check_name(read.concurrency_key, path, "concurrency_key");

	initStringInfo(&key);
	append_document_key(&key, &placement_profile_document, &profile);
	append_document_key(&key, &demand_document, &demand);

	work = MemoryContextSwitchTo(keep);
	bytes_enter(batch->ids, id, strlen(id), &found);
	if (found)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("workload \"%s\" is submitted twice in one call", id)));
	entry = bytes_enter(batch->kind_numbers, key.data, key.len, &found);
	if (!found)
	{
		if (batch->nkinds == batch->kinds_allocated)
		{
			batch->kinds_allocated = Max(16, batch->kinds_allocated * 2);
			batch->profile = batch->nkinds == 0 ? palloc(sizeof(Datum) * batch->kinds_allocated) :
				repalloc(batch->profile, sizeof(Datum) * batch->kinds_allocated);
			batch->demand = batch->nkinds == 0 ? palloc(sizeof(Datum) * batch->kinds_allocated) :
				repalloc(batch->demand, sizeof(Datum) * batch->kinds_allocated);
		}
		entry->number = batch->nkinds;
		batch->profile[batch->nkinds] = JsonbPGetDatum(document_write(&placement_profile_document, &profile));
		batch->demand[batch->nkinds++] = JsonbPGetDatum(document_write(&demand_document, &demand));
	}
	batch->kind[i] = entry->number;
	batch->workload_id[i] = CStringGetTextDatum(id);
	batch->priority[i] = Int32GetDatum(profile.priority);
	batch->retries[i] = Int32GetDatum(read.retries);
	/* a ready-made profile may say how long it takes where the test does not */
	batch->expected_null[i] = isnan(read.expected_duration) && isnan(profile.estimated_duration_seconds);
	batch->expected[i] = Float8GetDatum(isnan(read.expected_duration) ? profile.estimated_duration_seconds :
										read.expected_duration);
	batch->timeout[i] = Float8GetDatum(read.timeout);
	batch->deadline[i] = TimestampTzGetDatum(read.deadline);
	batch->model_id_null[i] = read.model_id == NULL;
	batch->model_id[i] = read.model_id ? CStringGetTextDatum(read.model_id) : (Datum) 0;
	batch->model_family_null[i] = read.model_family == NULL;
	batch->model_family[i] = read.model_family ? CStringGetTextDatum(read.model_family) : (Datum) 0;
	batch->requirements[i] = PointerGetDatum(PG_DETOAST_DATUM_COPY(JsonbPGetDatum(requirements)));
	batch->concurrency_key_null[i] = read.concurrency_key == NULL;
	batch->has_keys = batch->has_keys || read.concurrency_key != NULL;
	batch->concurrency_key[i] = read.concurrency_key ? CStringGetTextDatum(read.concurrency_key) : (Datum) 0;
	for (int d = 0; d < read.depends_on.count; d++)
		dependencies_note(&batch->dependencies, i, read.depends_on.names[d]);
	batch->count++;
	MemoryContextSwitchTo(work);
}

/* Returns the profile_id of each kind, after adding those that are new. */
static int64 *
profile_ids(const Batch *batch, const char *pool)
{
	static Statement find = {
		"SELECT k.ord::int, p.profile_id FROM unnest($2, $3) WITH ORDINALITY k(profile, demand, ord)"
		" JOIN hwsched.workload_profile p ON p.pool = $1"
		"  AND p.digest = sha256(convert_to(k.profile::text || k.demand::text, 'UTF8'))",
		{TEXTOID, JSONBARRAYOID, JSONBARRAYOID}
	};

	/* in the order of the digest, so that two callers never wait in a circle */
	static Statement add = {
		"INSERT INTO hwsched.workload_profile (pool, profile, demand, digest)"
		" SELECT $1, k.profile, k.demand, d.digest FROM unnest($2, $3) k(profile, demand)"
		" CROSS JOIN LATERAL (SELECT sha256(convert_to(k.profile::text || k.demand::text, 'UTF8')) AS digest) d"
		" WHERE NOT EXISTS (SELECT FROM hwsched.workload_profile p WHERE p.pool = $1 AND p.digest = d.digest)"
		" ORDER BY d.digest"
		" ON CONFLICT (pool, digest) DO NOTHING",
		{TEXTOID, JSONBARRAYOID, JSONBARRAYOID}
	};
	Parameter	profiles = array_value(JSONBOID, batch->profile, NULL, batch->nkinds);
	Parameter	demands = array_value(JSONBOID, batch->demand, NULL, batch->nkinds);
	int64	   *ids = palloc(sizeof(int64) * (batch->nkinds + 1));

	if (statement_run(&find, false, TEXT_VALUE(pool), profiles, demands) < batch->nkinds)
	{
		statement_run(&add, false, TEXT_VALUE(pool), profiles, demands);
		if (statement_run(&find, false, TEXT_VALUE(pool), profiles, demands) < batch->nkinds)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not serialize access due to a workload profile that was added at the same time")));
	}
	for (uint64 i = 0; i < SPI_processed; i++)
		ids[column_int(i, 1) - 1] = column_bigint(i, 2);
	return ids;
}

/*
 * Settles the pool if workloads of the batch may have been completed that are
 * open in the table still, as completing them is noted only.
 */
static void
settle_submitted(const char *pool, Parameter workload_ids)
{
	static Statement unsettled = {
		"SELECT FROM hwsched.unsettled WHERE pool = $1 LIMIT 1", {TEXTOID}
	};
	static Statement open = {
		"SELECT FROM hwsched.submission WHERE pool = $1 AND workload_id = ANY ($2) AND outcome IS NULL LIMIT 1",
		{TEXTOID, TEXTARRAYOID}
	};

	if (statement_run(&unsettled, false, TEXT_VALUE(pool)) > 0 &&
		statement_run(&open, false, TEXT_VALUE(pool), workload_ids) > 0)
		pool_lock(pool);
}

/*
 * Writes the batch: the submissions and the queue, in one statement.  A
 * workload that is closed is replaced by its next run; one that is still open
 * is refused.  (ON CONFLICT would do the same at three times the cost: each of
 * its insertions is tentative first.)  Rows are locked and inserted in the
 * order of their ids, so that two callers never wait in a circle.
 */
static void
batch_write(const Batch *batch, const char *pool)
{
#define WRITE_SQL(either) \
	"WITH given AS MATERIALIZED (SELECT nextval('hwsched.queue_no') AS queue_no, g.*" \
	"   FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11" either(", $13", "") ")" \
	"   AS g(workload_id, profile_id, priority, retries, expected, timeout, deadline, model_id, model_family, requirements" either(", concurrency_key", "") "))," \
	" closed AS MATERIALIZED (SELECT s.workload_id FROM hwsched.submission s" \
	"  WHERE s.pool = $1 AND s.workload_id = ANY ($2) AND s.outcome IS NOT NULL" \
	"  ORDER BY s.workload_id FOR NO KEY UPDATE)," \
	" again AS (UPDATE hwsched.submission s SET run = s.run + 1, queue_no = g.queue_no," \
	"   profile_id = g.profile_id, priority = g.priority, retries = g.retries, expected_seconds = g.expected," \
	"   timeout_seconds = g.timeout, deadline = g.deadline, model_id = g.model_id, model_family = g.model_family," \
	"   requirements = g.requirements, concurrency_key = " either("g.concurrency_key", "NULL") ", outcome = NULL, closed_at = NULL, submitted_at = now()" \
	"  FROM given g JOIN closed c ON c.workload_id = g.workload_id" \
	"  WHERE s.pool = $1 AND s.workload_id = g.workload_id AND s.outcome IS NOT NULL" \
	"  RETURNING s.priority, s.deadline, s.queue_no, s.profile_id, s.run, s.expected_seconds, s.workload_id, s.model_id, s.model_family" \
	either(", s.concurrency_key", "") ")," \
	" new AS (INSERT INTO hwsched.submission AS s (pool, workload_id, queue_no, profile_id, priority, retries," \
	"   expected_seconds, timeout_seconds, deadline, model_id, model_family, requirements" either(", concurrency_key", "") ")" \
	"  SELECT $1, workload_id, queue_no, profile_id, priority, retries, expected, timeout, deadline, model_id," \
	"   model_family, requirements" either(", concurrency_key", "") " FROM given g" \
	"  WHERE NOT EXISTS (SELECT FROM hwsched.submission o WHERE o.pool = $1 AND o.workload_id = g.workload_id)" \
	"  ORDER BY g.workload_id COLLATE \"C\"" \
	"  RETURNING s.priority, s.deadline, s.queue_no, s.profile_id, s.run, s.expected_seconds, s.workload_id, s.model_id, s.model_family" \
	either(", s.concurrency_key", "") ")," \
	" queued AS (INSERT INTO hwsched.pending (pool, priority, deadline, queue_no, profile_id, run, attempt, expected_seconds, workload_id," \
	"   model_id, model_family" either(", concurrency_key, ready_at", "") ")" \
	"  SELECT $1, priority, deadline, queue_no, profile_id, run, 1, expected_seconds, workload_id, model_id, model_family" \
	either(", concurrency_key, CASE WHEN workload_id IN (SELECT unnest($14)) THEN 'infinity'::timestamptz ELSE '-infinity' END", "") \
	"  FROM (SELECT * FROM again UNION ALL SELECT * FROM new) s ORDER BY queue_no RETURNING workload_id)" \
	" SELECT count(*), CASE WHEN count(*) < $12 THEN" \
	"   (SELECT workload_id FROM (SELECT workload_id FROM given EXCEPT SELECT workload_id FROM queued) open LIMIT 1) END" \
	" FROM queued"
#define WRITE_TYPES \
	{TEXTOID, TEXTARRAYOID, INT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, TIMESTAMPTZARRAYOID, \
	 TEXTARRAYOID, TEXTARRAYOID, JSONBARRAYOID, INT8OID, TEXTARRAYOID, TEXTARRAYOID}
#define ORDERED(with, without) with
#define PLAIN(with, without) without
	/* each column that is carried along costs, and most work has neither a key nor dependencies */
	static Statement ordered = {WRITE_SQL(ORDERED), WRITE_TYPES};
	static Statement plain = {WRITE_SQL(PLAIN), WRITE_TYPES};
	const int64 *ids = profile_ids(batch, pool);
	int			n = batch->count;
	Datum	   *profiles = allocate(n, sizeof(Datum));
	Parameter	workload_ids;

	for (int i = 0; i < n; i++)
		profiles[i] = Int64GetDatum(ids[batch->kind[i]]);
	workload_ids = array_value(TEXTOID, batch->workload_id, NULL, n);
	settle_submitted(pool, workload_ids);
	statement_run(batch->has_keys || batch->dependencies.count > 0 ? &ordered : &plain, false, TEXT_VALUE(pool), workload_ids,
				  array_value(INT8OID, profiles, NULL, n),
				  array_value(INT4OID, batch->priority, NULL, n),
				  array_value(INT4OID, batch->retries, NULL, n),
				  array_value(FLOAT8OID, batch->expected, batch->expected_null, n),
				  array_value(FLOAT8OID, batch->timeout, NULL, n),
				  array_value(TIMESTAMPTZOID, batch->deadline, NULL, n),
				  array_value(TEXTOID, batch->model_id, batch->model_id_null, n),
				  array_value(TEXTOID, batch->model_family, batch->model_family_null, n),
				  array_value(JSONBOID, batch->requirements, NULL, n),
				  BIGINT_VALUE(n),
				  array_value(TEXTOID, batch->concurrency_key, batch->concurrency_key_null, n),
				  dependents_array(&batch->dependencies, batch->workload_id));
	if (column_bigint(0, 1) < n)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("workload \"%s\" is already submitted and still open", column_text(0, 2)),
				 errhint("It can be submitted again once it is completed, cancelled or dead.")));
}

/*
 * Writes the batch and what it waits for.  Only what depends on others locks
 * the pool: so none of them completes meanwhile, unnoticed.
 */
static void
batch_submit(Batch *batch, const char *pool, bool in_array)
{
	if (batch->dependencies.count == 0)
	{
		batch_write(batch, pool);
		return;
	}
	pool_lock(pool);
	dependencies_resolve(&batch->dependencies, pool, batch->workload_id, batch->count, in_array);
	batch_write(batch, pool);
	dependencies_write(&batch->dependencies, pool, batch->workload_id);
}

/* submit(requirements jsonb, pool text) RETURNS text */
Datum
submit(PG_FUNCTION_ARGS)
{
	Jsonb	   *requirements = jsonb_argument(0);
	char	   *pool = text_argument(fcinfo, 1);
	MemoryContext caller = CurrentMemoryContext;
	Batch		batch;
	Datum		id;

	SPI_connect();
	pool_check(pool, false);
	batch_begin(&batch, 1);
	batch_add(&batch, requirements, NULL, CurrentMemoryContext);
	batch_submit(&batch, pool, false);
	MemoryContextSwitchTo(caller);
	id = PointerGetDatum(PG_DETOAST_DATUM_COPY(batch.workload_id[0]));
	SPI_finish();
	return id;
}

/* submit_many(requirements jsonb, pool text) RETURNS bigint */
Datum
submit_many(PG_FUNCTION_ARGS)
{
	Jsonb	   *array = jsonb_argument(0);
	char	   *pool = text_argument(fcinfo, 1);
	MemoryContext keep;
	MemoryContext work;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	Batch		batch;

	if (!JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"requirements\": %.80s", JsonbToCString(NULL, &array->root, VARSIZE(array))),
				 errdetail("Expected an array of requirements objects.")));

	SPI_connect();
	pool_check(pool, false);
	keep = CurrentMemoryContext;
	work = AllocSetContextCreate(keep, "hwsched submitted workload", ALLOCSET_DEFAULT_SIZES);
	batch_begin(&batch, JB_ROOT_COUNT(array));

	iterator = JsonbIteratorInit(&array->root);
	token = JsonbIteratorNext(&iterator, &value, true);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) == WJB_ELEM)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(work);
		MemoryContextSwitchTo(work);
		batch_add(&batch, JsonbValueToJsonb(&value), psprintf("[%d]", batch.count), keep);
		MemoryContextSwitchTo(keep);
	}

	if (batch.count > 0)
		batch_submit(&batch, pool, true);
	SPI_finish();
	PG_RETURN_INT64(batch.count);
}
