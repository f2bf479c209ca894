/*
 * submit_writer.c
 *		Writes the workloads of one call: submissions, which are the next run where the id was
 *		submitted before, and the queue.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "api/settle.h"
#include "api/submit_writer.h"
#include "store/wakeup.h"
#include "support/args.h"
#include "support/spi_plan.h"
#include "support/standalone.h"

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
	Datum *chosen = palloc_huge(sizeof(Datum) * (n + 1));
	bool *absent = palloc_huge(sizeof(bool) * (n + 1));
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
		Datum *chosen = palloc_huge(sizeof(Datum) * (n + 1));

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
void
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
	which = palloc_huge(sizeof(int) * (n + 1));
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
	TimestampTz *ready_at = palloc_huge(sizeof(*ready_at) * (batch->count + 1));

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
void
submit_write(SubmitBatch *batch, const char *pool)
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
	int *which = palloc_huge(sizeof(int) * (n + 1));
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
