/*
 * next.c
 *		A worker's whole step in one call: it says what it has finished and takes
 *		what comes next.
 *
 * The capacity that was in use is free for what it takes, and a client that dies
 * between the two steps of its own loses nothing: there is only one.
 */
#include "postgres.h"

#include "funcapi.h"

#include "api/claim.h"
#include "api/finish.h"
#include "document/json.h"
#include "store/authz.h"
#include "store/pool.h"
#include "support/args.h"
#include "support/spi_plan.h"

PG_FUNCTION_INFO_V1(hwsched_next);

/*
 * Raises ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE with the assignments, whose ids are in
 * order, that a worker cannot complete: all but those in SPI_tuptable.  Of others'
 * assignments it says no more than of unknown ones.
 */
pg_noreturn static void
some_are_lost(const char *pool, const char *worker_id, const int64 *ids, int count)
{
	static SpiPlan statement = {
		"SELECT string_agg(CASE WHEN a.state IS NULL"
		"   THEN format('Assignment %s is none of worker \"%s\".', e.id, $3)"
		"  ELSE format('Assignment %s is %s.', e.id, a.state) END, ' ' ORDER BY e.id)"
		" FROM unnest($2) e(id) LEFT JOIN hwsched.assignment a ON a.pool = $1"
		"  AND a.assignment_id = e.id AND a.worker_id = $3",
		{TEXTOID, INT8ARRAYOID, TEXTOID}};
	int64 *found = palloc(sizeof(int64) * (SPI_processed + 1));
	Datum *lost = palloc(sizeof(Datum) * count);
	int nfound = (int) SPI_processed;
	int nlost = 0;

	for (int i = 0; i < nfound; i++)
		found[i] = column_bigint(i, 1);
	qsort(found, nfound, sizeof(int64), compare_bigints);
	for (int i = 0; i < count; i++)
		if (bsearch(&ids[i], found, nfound, sizeof(int64), compare_bigints) == NULL)
			lost[nlost++] = Int64GetDatum(ids[i]);
	spi_plan_run(&statement, false, TEXT_VALUE(pool), array_value(INT8OID, lost, NULL, nlost),
				 TEXT_VALUE(worker_id));
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("%d of %d finished assignments cannot be completed", nlost, count),
					errdetail("%s", column_text(0, 1)),
					errhint("Drop their results and call again without them; nothing was completed"
							" or claimed.")));
}

/*
 * Raises ERRCODE_INVALID_PARAMETER_VALUE unless results is an object whose keys are among
 * the assignments.
 */
static void
check_results(Jsonb *results, const int64 *ids, int count)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;

	if (!JB_ROOT_IS_OBJECT(results))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"results\": not an object"),
						errhint("Expected {\"assignment_id\": result, ...}.")));
	iterator = JsonbIteratorInit(&results->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char *key;
		char *end;
		int64 id;

		if (token == WJB_VALUE)
			check_size("result", value.type == jbvBinary ? value.val.binary.len :
								 value.type == jbvString ? value.val.string.len :
														   0);
		if (token != WJB_KEY)
			continue;
		key = pnstrdup(value.val.string.val, value.val.string.len);
		id = strtoll(key, &end, 10);
		if (*key == '\0' || *end != '\0' ||
			bsearch(&id, ids, count, sizeof(int64), compare_bigints) == NULL)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("unknown key in \"results\": \"%s\"", key),
							errhint("The keys are ids of assignments in \"finished\".")));
	}
}

/*
 * next(worker_id text, finished bigint[], max_assignments int, steal boolean, results jsonb,
 * pool text) RETURNS SETOF assignment
 */
Datum
hwsched_next(PG_FUNCTION_ARGS)
{
	char *worker_id = text_argument(fcinfo, 0);
	int count;
	int64 *ids = distinct_bigints(DatumGetArrayTypeP(argument(fcinfo, 1)), &count);
	int n = most_assignments_argument(fcinfo, 2);
	bool may_steal = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	Jsonb *results = PG_ARGISNULL(4) ? NULL : jsonb_argument(4);
	char *pool = text_argument(fcinfo, 5);
	PoolSettings settings;
	Caller caller;

	if (results != NULL)
		check_results(results, ids, count);
	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	pool_settings_load(pool, false, &settings);
	authz_check_worker(&caller, pool, worker_id);
	if (complete_running(pool, worker_id, ids, count, results) < count)
		some_are_lost(pool, worker_id, ids, count);
	claim_work(fcinfo, pool, worker_id, n, &settings, may_steal, count > 0);
	call_end(&caller);
	return (Datum) 0;
}
