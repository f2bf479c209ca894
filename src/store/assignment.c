/*
 * assignment.c
 *		How assignments end: what they held is given back, and their workloads
 *		are closed or queued again.
 *
 * A sharded or replicated workload is placed as a gang: one assignment for each
 * shard or replica, which live and end one by one until one of them decides
 * for all.  Who decides has the pool locked, so the members count one after the
 * other, and the last knows that it is the last.
 */
#include "postgres.h"

#include "access/xact.h"

#include "store/assignment.h"
#include "store/dependency.h"
#include "store/notice.h"
#include "store/requeue.h"
#include "store/tenant_usage.h"
#include "store/usage.h"
#include "store/wakeup.h"
#include "support/columns.h"

/* --- giving back --- */

/* A row of an assignment. */
typedef struct EndedRow
{
	EndedAssignment ended;
	Datum device_nos;
} EndedRow;

static const Column ended_columns[] = {
	{"a.assignment_id", INT8OID, offsetof(EndedRow, ended.assignment_id)},
	{"a.worker_id", CSTRINGOID, offsetof(EndedRow, ended.worker_id)},
	{"a.workload_id", CSTRINGOID, offsetof(EndedRow, ended.workload_id)},
	{"p.workload_type", CSTRINGOID, offsetof(EndedRow, ended.workload_type)},
	{"a.run", INT4OID, offsetof(EndedRow, ended.run)},
	{"a.attempt", INT4OID, offsetof(EndedRow, ended.attempt)},
	{"a.is_gang", BOOLOID, offsetof(EndedRow, ended.gang)},
	{"a.predicted_seconds", FLOAT8OID, offsetof(EndedRow, ended.predicted_seconds)},
	{"coalesce(a.formula_seconds, a.predicted_seconds)", FLOAT8OID,
	 offsetof(EndedRow, ended.formula_seconds)},
	{"extract(epoch FROM a.finished_at - a.started_at)::float8", FLOAT8OID,
	 offsetof(EndedRow, ended.actual_seconds)},
	{"a.device_profile_id", INT8OID, offsetof(EndedRow, ended.device_profile_id)},
	{"a.model_id", CSTRINGOID, offsetof(EndedRow, ended.model_id)},
	{"a.model_family", CSTRINGOID, offsetof(EndedRow, ended.model_family)},
	{"a.device_nos", INT4ARRAYOID, offsetof(EndedRow, device_nos)},
	{"p.cpu_millicores", INT8OID, offsetof(EndedRow, ended.cpu_millicores)},
	{"p.host_memory_bytes", INT8OID, offsetof(EndedRow, ended.host_memory_bytes)},
	{"p.device_slots", INT4OID, offsetof(EndedRow, ended.slots)},
	{"p.device_share", INT4OID, offsetof(EndedRow, ended.share)},
	{"p.device_memory_bytes", INT8OID, offsetof(EndedRow, ended.device_memory_bytes)},
};

const RowType ended_row = ROW_TYPE(EndedRow, ended_columns);

/* Reads the rows in SPI_tuptable, of ended_row; returns their number and sets *ended. */
int
read_ended(EndedAssignment **ended)
{
	int n = (int) SPI_processed;
	EndedRow *rows = read_rows(&ended_row, n);

	*ended = palloc(sizeof(EndedAssignment) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		ArrayType *array = DatumGetArrayTypeP(rows[i].device_nos);

		(*ended)[i] = rows[i].ended;
		(*ended)[i].usual_seconds = NAN;
		(*ended)[i].age = 0;
		(*ended)[i].failed = false;
		(*ended)[i].ndevices = ARR_DIMS(array)[0];
		(*ended)[i].device_nos = (int32 *) ARR_DATA_PTR(array);
	}
	pfree(rows);
	return n;
}

static int
compare_worker_changes(const void *a, const void *b)
{
	return strcmp(((const WorkerChange *) a)->worker_id, ((const WorkerChange *) b)->worker_id);
}

static int
compare_device_changes(const void *a, const void *b)
{
	const DeviceChange *x = a;
	const DeviceChange *y = b;
	int order = strcmp(x->worker_id, y->worker_id);

	return order != 0 ? order : x->device_no - y->device_no;
}

/* Gives back what ended assignments held; the pool is locked. */
void
release_capacity(const char *pool, const EndedAssignment *ended, int count)
{
	WorkerChange *workers = palloc(sizeof(WorkerChange) * (count + 1));
	DeviceChange *devices;
	int nworkers = 0;
	int total = 0;
	int ndevices = 0;
	int64 *ids;

	wake_for_room(pool);
	for (int i = 0; i < count; i++)
	{
		total += ended[i].ndevices;
		workers[i] =
			(WorkerChange){ended[i].worker_id, -1, -ended[i].cpu_millicores,
						   -ended[i].host_memory_bytes, .ran = !isnan(ended[i].actual_seconds)};
	}
	qsort(workers, count, sizeof(WorkerChange), compare_worker_changes);
	for (int i = 0; i < count; i++)
	{
		WorkerChange *last = nworkers > 0 ? &workers[nworkers - 1] : NULL;

		if (last == NULL || strcmp(last->worker_id, workers[i].worker_id) != 0)
			workers[nworkers++] = workers[i];
		else
		{
			last->assignments += workers[i].assignments;
			last->cpu_millicores += workers[i].cpu_millicores;
			last->host_memory_bytes += workers[i].host_memory_bytes;
			last->ran = last->ran || workers[i].ran;
		}
	}
	devices = palloc(sizeof(DeviceChange) * (total + 1));
	for (int i = 0, n = 0; i < count; i++)
		for (int d = 0; d < ended[i].ndevices; d++)
			devices[n++] =
				(DeviceChange){ended[i].worker_id, ended[i].device_nos[d], -ended[i].slots,
							   -ended[i].share, -ended[i].device_memory_bytes};
	qsort(devices, total, sizeof(DeviceChange), compare_device_changes);
	for (int i = 0; i < total; i++)
	{
		DeviceChange *last = ndevices > 0 ? &devices[ndevices - 1] : NULL;

		if (last == NULL || compare_device_changes(last, &devices[i]) != 0)
			devices[ndevices++] = devices[i];
		else
		{
			last->slots += devices[i].slots;
			last->share += devices[i].share;
			last->memory_bytes += devices[i].memory_bytes;
		}
	}
	usage_change(pool, workers, nworkers, devices, ndevices);
	ids = palloc(sizeof(int64) * (count + 1));
	for (int i = 0; i < count; i++)
		ids[i] = ended[i].assignment_id;
	tenant_usage_ended(pool, ids, count);
}

/* --- ending --- */

/*
 * Ends assignments that are in a state, "assigned" or "running" (NULL: either),
 * in a final one and gives back what they held.  Returns how many there were
 * and sets *ended; those that were in another state by then are left out.  The
 * pool is locked.
 */
int
end_assignments(const char *pool, const int64 *ids, int count, const char *from, const char *state,
				const char *error, const char *error_class, Jsonb *result, EndedAssignment **ended)
{
	/* along the index: several are locked in the order of their ids, as everybody does */
	static SpiPlan statement = {
		"UPDATE hwsched.assignment a SET state = $4::hwsched.assignment_state,"
		"  finished_at = greatest(now(), a.assigned_at, a.started_at), error = $5, result = $6,"
		"  lease_until = NULL, error_class = $7::hwsched.error_class"
		" FROM hwsched.workload_profile p"
		" WHERE a.pool = $1 AND a.assignment_id = ANY ($2) AND a.finished_at IS NULL"
		"  AND ($3 IS NULL OR a.state = $3::hwsched.assignment_state)"
		"  AND p.pool = $1 AND p.profile_id = a.profile_id"
		" RETURNING " ROW_COLUMNS,
		{TEXTOID, INT8ARRAYOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID},
		ALONG_INDEX,
		.row = &ended_row};
	int n;

	spi_plan_run(&statement, false, TEXT_VALUE(pool), bigint_array(ids, count), TEXT_OR_NULL(from),
				 TEXT_VALUE(state), TEXT_OR_NULL(error),
				 result ? VALUE(JsonbPGetDatum(result)) : NULL_VALUE, TEXT_OR_NULL(error_class));
	n = read_ended(ended);
	if (n > 0)
		release_capacity(pool, *ended, n);
	return n;
}

/* --- gangs --- */

/* How a gang, the shards or replicas of one attempt, stands. */
typedef struct Gang
{
	const char *workload_id;
	int32 run;
	int32 attempt;
	int32 quorum; /* 0: sharded, it needs all */
	int32 completed;
	bool begun; /* some member has started, or failed */
	bool lost; /* some member has begun and ended, and not completed */
	int nlive;
	int64 *live; /* assignment_ids */
	bool ends; /* set by whoever decides it */
} Gang;

/* Attempts of runs, column by column, as statements take them. */
typedef struct AttemptList
{
	int count;
	const char **workload_ids;
	Datum *runs;
	Datum *attempts;
} AttemptList;

static AttemptList
attempts_begin(int most)
{
	AttemptList list = {0, palloc(sizeof(char *) * (most + 1)), palloc(sizeof(Datum) * (most + 1)),
						palloc(sizeof(Datum) * (most + 1))};

	return list;
}

static void
attempts_add(AttemptList *list, const char *workload_id, int32 run, int32 attempt)
{
	list->workload_ids[list->count] = workload_id;
	list->runs[list->count] = Int32GetDatum(run);
	list->attempts[list->count++] = Int32GetDatum(attempt);
}

/*
 * Reads how the gangs of ended assignments stand, each once, but for those that
 * have been decided: their workload is closed, queued again, or placed again.
 * Returns their number and sets *gangs.
 *
 * Members are completed and fail without the pool's lock.  One that does so after
 * we have looked is settled later, and by then the gang has been decided, or is to
 * be decided by that one.  An old snapshot (REPEATABLE READ) may lack what others
 * have decided: locking the rows then fails if they have changed since.
 */
static int
read_gangs(const char *pool, const EndedAssignment *ended, int count, Gang **gangs)
{
#define ATTEMPTS_SQL \
	"(SELECT DISTINCT * FROM unnest($2, $3, $4) e(workload_id, run, attempt)) g" \
	" JOIN hwsched.assignment a ON a.pool = $1 AND a.workload_id = g.workload_id" \
	" AND a.run = g.run AND a.attempt = g.attempt"
	static SpiPlan lock = {"SELECT FROM " ATTEMPTS_SQL
						   " ORDER BY a.assignment_id FOR NO KEY UPDATE OF a",
						   {TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID}};
	static SpiPlan read = {
		"SELECT a.workload_id, a.run, a.attempt, max(p.quorum),"
		" (count(*) FILTER (WHERE a.state = 'completed'))::int,"
		"  bool_or(a.started_at IS NOT NULL OR a.state = 'failed'),"
		"  array_agg(a.assignment_id) FILTER (WHERE a.finished_at IS NULL),"
		"  bool_or(a.finished_at IS NOT NULL AND a.state <> 'completed'"
		"   AND (a.started_at IS NOT NULL OR a.state = 'failed'))"
		" FROM " ATTEMPTS_SQL
		" JOIN hwsched.workload_profile p ON p.pool = a.pool AND p.profile_id = a.profile_id"
		" JOIN hwsched.submission s ON s.pool = a.pool AND s.workload_id = a.workload_id"
		"  AND s.run = a.run AND s.outcome IS NULL"
		" WHERE NOT EXISTS (SELECT FROM hwsched.pending q WHERE q.pool = s.pool"
		"   AND q.priority = s.priority AND q.deadline = s.deadline AND q.queue_no = s.queue_no)"
		"  AND NOT EXISTS (SELECT FROM hwsched.assignment b WHERE b.pool = a.pool"
		"   AND b.workload_id = a.workload_id AND b.run = a.run AND b.attempt > a.attempt)"
		" GROUP BY a.workload_id, a.run, a.attempt",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID}};
	AttemptList list = attempts_begin(count);
	Parameter ids;
	Parameter runs;
	Parameter attempts;
	int n;

	for (int i = 0; i < count; i++)
		if (ended[i].gang)
			attempts_add(&list, ended[i].workload_id, ended[i].run, ended[i].attempt);
	if (list.count == 0)
		return 0;
	ids = text_array(list.workload_ids, list.count);
	runs = array_value(INT4OID, list.runs, NULL, list.count);
	attempts = array_value(INT4OID, list.attempts, NULL, list.count);
	if (IsolationUsesXactSnapshot())
		spi_plan_run(&lock, false, TEXT_VALUE(pool), ids, runs, attempts);
	n = (int) spi_plan_run(&read, false, TEXT_VALUE(pool), ids, runs, attempts);
	*gangs = palloc0(sizeof(Gang) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		Gang *gang = &(*gangs)[i];
		bool isnull;
		Datum live = column(i, 7, &isnull);

		gang->workload_id = column_text(i, 1);
		gang->run = column_int(i, 2);
		gang->attempt = column_int(i, 3);
		gang->quorum = column_int(i, 4);
		gang->completed = column_int(i, 5);
		gang->begun = column_bool(i, 6);
		gang->lost = column_bool(i, 8);
		if (!isnull)
		{
			ArrayType *array = DatumGetArrayTypePCopy(live);

			gang->nlive = ARR_DIMS(array)[0];
			gang->live = (int64 *) ARR_DATA_PTR(array);
		}
	}
	return n;
}

/* Cancels what is live of the gangs that end. */
static void
cancel_rest(const char *pool, const Gang *gangs, int count, const char *error)
{
	EndedAssignment *cancelled;
	int64 *ids;
	int total = 0;
	int n = 0;

	for (int i = 0; i < count; i++)
		total += gangs[i].ends ? gangs[i].nlive : 0;
	if (total == 0)
		return;
	ids = palloc(sizeof(int64) * total);
	for (int i = 0; i < count; i++)
		for (int j = 0; gangs[i].ends && j < gangs[i].nlive; j++)
			ids[n++] = gangs[i].live[j];
	end_assignments(pool, ids, n, NULL, "cancelled", error, NULL, NULL, &cancelled);
}

/* --- workloads --- */

/*
 * Completes the workloads of completed assignments: a sharded one with the last
 * of its shards, a replicated one with its quorum, which cancels the rest.  The
 * pool is locked.
 */
void
complete_workloads(const char *pool, const EndedAssignment *ended, int count)
{
	static SpiPlan close = {
		"UPDATE hwsched.submission s SET outcome = 'completed', closed_at = greatest(now(),"
		" s.submitted_at)"
		" FROM unnest($2, $3) c(workload_id, run)"
		" WHERE s.pool = $1 AND s.workload_id = c.workload_id AND s.run = c.run"
		" AND s.outcome IS NULL",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID}};
	AttemptList closed = attempts_begin(count);
	Gang *gangs;
	int ngangs = read_gangs(pool, ended, count, &gangs);

	for (int i = 0; i < count; i++)
		if (!ended[i].gang)
			attempts_add(&closed, ended[i].workload_id, ended[i].run, ended[i].attempt);
	for (int i = 0; i < ngangs; i++)
	{
		Gang *gang = &gangs[i];

		gang->ends =
			gang->quorum > 0 ? gang->completed >= gang->quorum : gang->nlive == 0 && !gang->lost;
		if (gang->ends)
			attempts_add(&closed, gang->workload_id, gang->run, gang->attempt);
	}
	cancel_rest(pool, gangs, ngangs, "the quorum is reached");
	if (closed.count > 0)
		notify_changed(pool);
	if (closed.count > 0)
		spi_plan_run(&close, false, TEXT_VALUE(pool), text_array(closed.workload_ids, closed.count),
					 array_value(INT4OID, closed.runs, NULL, closed.count));
	dependencies_met(pool, closed.workload_ids, closed.count);
}

/* Gives workloads of gangs an attempt more than they were allowed. */
static void
allow_attempt(const char *pool, const Gang *gangs, int count)
{
	static SpiPlan statement = {
		"UPDATE hwsched.submission SET retries = retries + 1"
		" WHERE pool = $1 AND workload_id = $2 AND run = $3 AND outcome IS NULL",
		{TEXTOID, TEXTOID, INT4OID}};

	for (int i = 0; i < count; i++)
		if (gangs[i].ends && gangs[i].begun)
			spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(gangs[i].workload_id),
						 INT_VALUE(gangs[i].run));
}

/*
 * Puts the workloads of ended assignments back into the queue, in their old
 * place.  With failed, the attempt counts: after the last one the workload is
 * dead.
 *
 * A gang goes back as one, and what is left of it is cancelled, unless its
 * other replicas still make a quorum.  It counts as an attempt, too, if any
 * member had started or failed: results of one attempt are then of one placement.  If it was
 * given back, it is allowed another attempt for that.  The pool is locked.
 */
static void
put_back(const char *pool, const EndedAssignment *ended, int count, bool failed, bool given_back)
{
	AttemptList next = attempts_begin(count);
	Gang *gangs;
	int ngangs = read_gangs(pool, ended, count, &gangs);

	for (int i = 0; i < count; i++)
		if (!ended[i].gang)
			attempts_add(&next, ended[i].workload_id, ended[i].run,
						 ended[i].attempt + (failed ? 1 : 0));
	for (int i = 0; i < ngangs; i++)
	{
		Gang *gang = &gangs[i];

		gang->ends = gang->quorum == 0 || gang->completed + gang->nlive < gang->quorum;
		if (gang->ends)
			attempts_add(&next, gang->workload_id, gang->run,
						 gang->attempt + (failed || gang->begun ? 1 : 0));
	}
	cancel_rest(pool, gangs, ngangs,
				given_back ? "another member of the gang was given back" :
							 "another member of the gang was lost");
	if (next.count == 0)
		return;
	if (given_back)
		allow_attempt(pool, gangs, ngangs);
	queue_attempts(pool, next.count, text_array(next.workload_ids, next.count),
				   array_value(INT4OID, next.runs, NULL, next.count),
				   array_value(INT4OID, next.attempts, NULL, next.count), failed);
}

/*
 * Puts the workloads of ended assignments back into the queue; with failed, the attempt
 * counts.  The pool is locked.
 */
void
requeue(const char *pool, const EndedAssignment *ended, int count, bool failed)
{
	put_back(pool, ended, count, failed, false);
}

/* The same for what was given back, whose attempt never counts. */
void
requeue_given_back(const char *pool, const EndedAssignment *ended, int count)
{
	put_back(pool, ended, count, false, true);
}

/* Finds the live assignments of a worker.  Returns their number and sets *ids. */
int
live_assignments(const char *pool, const char *worker_id, int64 **ids)
{
	static SpiPlan statement = {
		"SELECT assignment_id FROM hwsched.assignment WHERE pool = $1 AND worker_id = $2"
		" AND finished_at IS NULL ORDER BY assignment_id",
		{TEXTOID, TEXTOID}};
	int n = (int) spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));

	*ids = palloc(sizeof(int64) * (n + 1));
	for (int i = 0; i < n; i++)
		(*ids)[i] = column_bigint(i, 1);
	return n;
}

/* Reads what has ended and is not settled; returns how much and sets *ended. */
int
read_unsettled(const char *pool, bool read_only, EndedAssignment **ended)
{
	static SpiPlan statement = {
		"SELECT " ROW_COLUMNS
		" FROM (SELECT assignment_id FROM hwsched.unsettled WHERE pool = $1) u" ENDED_OF_NOTES,
		{TEXTOID},
		BY_KEY_ONLY,
		.row = &ended_row};

	spi_plan_run(&statement, read_only, TEXT_VALUE(pool));
	return read_ended(ended);
}

/*
 * Puts assignments that have not started back into the queue, and returns how
 * many; those that have by then go on.  Members of gangs may take others along
 * that have, here and elsewhere.
 */
int
requeue_unstarted(const char *pool, const int64 *ids, int count, const char *reason)
{
	EndedAssignment *ended;
	int n = end_assignments(pool, ids, count, "assigned", "expired", reason, NULL, NULL, &ended);

	requeue(pool, ended, n, false);
	return n;
}

/*
 * Does so with all that has not started on some workers (a text[]), on some of
 * their devices or, with NULL, on any.
 */
void
requeue_assigned(const char *pool, Parameter worker_ids, Parameter devices, const char *reason)
{
	static SpiPlan statement = {
		"SELECT assignment_id FROM hwsched.assignment WHERE pool = $1 AND worker_id = ANY ($2)"
		" AND finished_at IS NULL AND state = 'assigned' AND ($3 IS NULL OR device_nos && $3)",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID}};
	int n = (int) spi_plan_run(&statement, false, TEXT_VALUE(pool), worker_ids, devices);
	int64 *ids = palloc(sizeof(int64) * (n + 1));

	for (int i = 0; i < n; i++)
		ids[i] = column_bigint(i, 1);
	requeue_unstarted(pool, ids, n, reason);
}
