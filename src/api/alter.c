/*
 * alter.c
 *		Changing what a workload needs while it waits.
 *
 * It is submitted again with its changed requirements, so that everything is
 * read, checked and noted as at first, and then takes the place in the queue, the
 * run and the attempts of what it was.
 */
#include "postgres.h"

#include "api/settle.h"
#include "api/submit.h"
#include "document/document.h"
#include "store/assignment.h"
#include "store/dependency.h"
#include "store/pool.h"
#include "store/workload.h"
#include "support/args.h"
#include "support/spi_plan.h"

PG_FUNCTION_INFO_V1(hwsched_alter_workload);

/* Takes a workload that is assigned back to the queue; raises an error unless it waits then. */
static void
make_pending(const char *pool, const char *workload_id, const char *reason)
{
	static SpiPlan live = {"SELECT assignment_id FROM hwsched.assignment WHERE pool = $1"
						   " AND workload_id = $2 AND finished_at IS NULL",
						   {TEXTOID, TEXTOID}};
	char *state = workload_state(pool, workload_id, false);

	if (state != NULL && strcmp(state, "assigned") == 0)
	{
		int n = (int) spi_plan_run(&live, false, TEXT_VALUE(pool), TEXT_VALUE(workload_id));
		int64 *ids = palloc(sizeof(int64) * (n + 1));

		for (int i = 0; i < n; i++)
			ids[i] = column_bigint(i, 1);
		requeue_unstarted(pool, ids, n,
						  reason == NULL ? "altered" : psprintf("altered: %s", reason));
		state = workload_state(pool, workload_id, false);
	}
	if (state == NULL || strcmp(state, "pending") != 0)
		workload_not_in_state(pool, workload_id, "altered", "pending or assigned");
}

/*
 * Returns the requirements of a workload with the keys of changes in place of its own;
 * null removes a key.
 */
static Jsonb *
changed_requirements(const char *pool, const char *workload_id, Jsonb *changes)
{
	static SpiPlan statement = {
		"SELECT coalesce(jsonb_object_agg(e.key, e.value) FILTER (WHERE e.value <> 'null'), '{}')"
		"  || jsonb_build_object('test_id', s.workload_id)"
		" FROM hwsched.submission s LEFT JOIN LATERAL jsonb_each(s.requirements || $3) e ON true"
		" WHERE s.pool = $1 AND s.workload_id = $2 GROUP BY s.workload_id",
		{TEXTOID, TEXTOID, JSONBOID}};

	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(workload_id),
				 VALUE(JsonbPGetDatum(changes)));
	return column_jsonb(0, 1);
}

/* Raises ERRCODE_INVALID_PARAMETER_VALUE for changes that are no object, or of the id. */
static void
check_changes(const char *workload_id, Jsonb *changes)
{
	JsonbValue id;

	if (!JB_ROOT_IS_OBJECT(changes))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"changes\": %.80s",
							   JsonbToCString(NULL, &changes->root, VARSIZE(changes))),
						errdetail("Expected an object of requirements; null removes a key.")));
	if (getKeyJsonValueFromContainer(&changes->root, "test_id", strlen("test_id"), &id) != NULL &&
		!(id.type == jbvString && id.val.string.len == (int) strlen(workload_id) &&
		  memcmp(id.val.string.val, workload_id, id.val.string.len) == 0))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"test_id\" of workload \"%s\" cannot be altered", workload_id),
						errhint("Cancel it and submit another one.")));
}

/* alter_workload(workload_id text, changes jsonb, reason text, pool text) RETURNS void */
Datum
hwsched_alter_workload(PG_FUNCTION_ARGS)
{
#define ASKED RETRIES_ASKED("s", "$3")
	static SpiPlan close = {"WITH was AS (SELECT run, queue_no, submitted_at,"
							"   retries - " ASKED " AS granted"
							"  FROM hwsched.submission s WHERE pool = $1 AND workload_id = $2),"
							" closed AS (UPDATE hwsched.submission SET outcome = 'cancelled'"
							"  WHERE pool = $1 AND workload_id = $2)"
							" SELECT run, queue_no, submitted_at, granted FROM was",
							{TEXTOID, TEXTOID, INT4OID}};
	/* attempts that it was granted stay, and so does the one that waits, if it asks for fewer */
	static SpiPlan restore = {
		"UPDATE hwsched.submission SET run = $3, queue_no = $4, submitted_at = $5,"
		" altered_at = now(), altered_reason = $6, retries = greatest(retries + $7,"
		"  (SELECT attempt - 1 FROM hwsched.pending WHERE pool = $1 AND workload_id = $2"
		"   AND run = $3))"
		" WHERE pool = $1 AND workload_id = $2",
		{TEXTOID, TEXTOID, INT4OID, INT8OID, TIMESTAMPTZOID, TEXTOID, INT4OID}};
	/* its old row is in the queue still, beside the new one */
	static SpiPlan take_place = {
		"WITH was AS (DELETE FROM hwsched.pending WHERE pool = $1 AND workload_id = $2"
		"  AND run = $3 RETURNING *)"
		" UPDATE hwsched.pending p SET queue_no = was.queue_no, run = was.run,"
		"  attempt = was.attempt, submitted_at = was.submitted_at,"
		"  avoid_workers = was.avoid_workers, alone = was.alone,"
		"  ready_at = greatest(p.ready_at, CASE WHEN isfinite(was.ready_at)"
		"   AND was.ready_at IS DISTINCT FROM was.run_at THEN was.ready_at END)"
		" FROM was WHERE p.pool = $1 AND p.workload_id = $2 AND p.run = $3 + 1",
		{TEXTOID, TEXTOID, INT4OID}};
	const char *workload_id = text_argument(fcinfo, 0);
	Jsonb *changes = jsonb_argument(1);
	char *reason = PG_ARGISNULL(2) ? NULL : text_argument(fcinfo, 2);
	char *pool = text_argument(fcinfo, 3);
	Jsonb *requirements;
	int32 run;
	int32 granted;
	int64 queue_no;
	Datum submitted_at;
	bool isnull;
	Caller caller;
	Scope scope;

	check_changes(workload_id, changes);
	caller = call_begin(fcinfo);
	scope = authz_acts_for(&caller, pool);
	workload_check_scope(&scope, pool, workload_id);
	pool_check(pool, false);
	pool_lock(pool);
	make_pending(pool, workload_id, reason);
	requirements = changed_requirements(pool, workload_id, changes);
	dependencies_forget(pool, &workload_id, 1);
	spi_plan_run(&close, false, TEXT_VALUE(pool), TEXT_VALUE(workload_id),
				 INT_VALUE(DEFAULT_RETRIES));
	run = column_int(0, 1);
	queue_no = column_bigint(0, 2);
	submitted_at = column(0, 3, &isnull);
	granted = column_int(0, 4);
	submit_one(pool, &scope, requirements);
	spi_plan_run(&restore, false, TEXT_VALUE(pool), TEXT_VALUE(workload_id), INT_VALUE(run),
				 BIGINT_VALUE(queue_no), VALUE(submitted_at), TEXT_OR_NULL(reason),
				 INT_VALUE(granted));
	spi_plan_run(&take_place, false, TEXT_VALUE(pool), TEXT_VALUE(workload_id), INT_VALUE(run));
	call_end(&caller);
	PG_RETURN_VOID();
}
