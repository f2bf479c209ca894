/*
 * outcome.c
 *		How assignments end: what they held is given back, and their workloads
 *		are closed or queued again.
 */
#include "postgres.h"

#include "outcome.h"
#include "statement.h"
#include "usage.h"

typedef struct Release
{
	WorkerChange worker;
	DeviceChange device;		/* of one device; slots and the like per device */
	int			ndevices;
	int32	   *device_nos;
} Release;

static int
compare_releases(const void *a, const void *b)
{
	return strcmp(((const Release *) a)->worker.worker_id, ((const Release *) b)->worker.worker_id);
}

static int
compare_device_changes(const void *a, const void *b)
{
	const DeviceChange *x = a;
	const DeviceChange *y = b;
	int			order = strcmp(x->worker_id, y->worker_id);

	return order != 0 ? order : x->device_no - y->device_no;
}

/* Gives back what some assignments held. */
static void
release(const char *pool, Release *releases, int count)
{
	WorkerChange *workers = palloc(sizeof(WorkerChange) * (count + 1));
	DeviceChange *devices;
	int			nworkers = 0;
	int			total = 0;
	int			ndevices = 0;
	int			kept = 0;

	qsort(releases, count, sizeof(Release), compare_releases);
	for (int i = 0; i < count; i++)
	{
		const WorkerChange *change = &releases[i].worker;

		total += releases[i].ndevices;
		if (nworkers == 0 || strcmp(workers[nworkers - 1].worker_id, change->worker_id) != 0)
			workers[nworkers++] = (WorkerChange) {change->worker_id, 0, 0, 0, 0, 0};
		workers[nworkers - 1].assignments--;
		workers[nworkers - 1].cpu_millicores -= change->cpu_millicores;
		workers[nworkers - 1].host_memory_bytes -= change->host_memory_bytes;
	}
	devices = palloc(sizeof(DeviceChange) * (total + 1));
	for (int i = 0; i < count; i++)
		for (int d = 0; d < releases[i].ndevices; d++)
		{
			const DeviceChange *change = &releases[i].device;

			devices[ndevices++] = (DeviceChange) {releases[i].worker.worker_id, releases[i].device_nos[d],
				-change->slots, -change->share, -change->memory_bytes};
		}
	qsort(devices, ndevices, sizeof(DeviceChange), compare_device_changes);
	for (int i = 1; i < ndevices; i++)
	{
		if (compare_device_changes(&devices[kept], &devices[i]) != 0)
			devices[++kept] = devices[i];
		else
		{
			devices[kept].slots += devices[i].slots;
			devices[kept].share += devices[i].share;
			devices[kept].memory_bytes += devices[i].memory_bytes;
		}
	}
	usage_change(pool, workers, nworkers, devices, ndevices > 0 ? kept + 1 : 0);
}

/*
 * Ends live assignments (with started_only: running ones) in a final state and
 * gives back what they held.  Returns how many there were and sets *ended;
 * those that were not live any more are left out.  If they are of several
 * workers, the caller holds the pool's lock.
 */
int
end_assignments(const char *pool, const int64 *ids, int count, bool started_only,
				const char *state, const char *error, Jsonb *result, EndedAssignment **ended)
{
	static Statement statement = {
		"UPDATE hwsched.assignment a SET state = $4::hwsched.assignment_state, finished_at = now(),"
		"  error = $5, result = $6, lease_until = NULL"
		" FROM hwsched.workload_profile p"
		" WHERE a.pool = $1 AND a.assignment_id = ANY ($2) AND p.pool = a.pool AND p.profile_id = a.profile_id"
		"  AND CASE WHEN $3 THEN a.state = 'running' ELSE a.state IN ('assigned', 'running') END"
		" RETURNING a.assignment_id, a.worker_id, a.workload_id, p.workload_type, a.run, a.attempt,"
		"  a.predicted_seconds, extract(epoch FROM a.finished_at - a.started_at)::float8, a.device_nos,"
		"  p.cpu_millicores, p.host_memory_bytes, p.device_slots, p.device_share, p.device_memory_bytes",
		{TEXTOID, INT8ARRAYOID, BOOLOID, TEXTOID, TEXTOID, JSONBOID}
	};
	/* several are locked in the order of their ids, as everybody does */
	static Statement lock = {
		"SELECT FROM hwsched.assignment WHERE pool = $1 AND assignment_id = ANY ($2)"
		" ORDER BY assignment_id FOR NO KEY UPDATE",
		{TEXTOID, INT8ARRAYOID}
	};
	Datum	   *datums = palloc(sizeof(Datum) * (count + 1));
	Release    *releases;
	int			n;

	for (int i = 0; i < count; i++)
		datums[i] = Int64GetDatum(ids[i]);
	if (count > 1)
		statement_run(&lock, false, TEXT_VALUE(pool), array_value(INT8OID, datums, NULL, count));
	n = (int) statement_run(&statement, false, TEXT_VALUE(pool), array_value(INT8OID, datums, NULL, count),
							VALUE(BoolGetDatum(started_only)), TEXT_VALUE(state), TEXT_OR_NULL(error),
							result ? VALUE(JsonbPGetDatum(result)) : NULL_VALUE);
	*ended = palloc(sizeof(EndedAssignment) * (n + 1));
	releases = palloc(sizeof(Release) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		EndedAssignment *one = &(*ended)[i];
		ArrayType  *array;
		bool		isnull;

		one->assignment_id = column_bigint(i, 1);
		one->worker_id = column_text(i, 2);
		one->workload_id = column_text(i, 3);
		one->workload_type = column_text(i, 4);
		one->run = column_int(i, 5);
		one->attempt = column_int(i, 6);
		one->predicted_seconds = column_number(i, 7);
		one->actual_seconds = column_number(i, 8);
		array = DatumGetArrayTypePCopy(column(i, 9, &isnull));
		releases[i].ndevices = ARR_DIMS(array)[0];
		releases[i].device_nos = (int32 *) ARR_DATA_PTR(array);
		releases[i].worker = (WorkerChange) {one->worker_id, 1, column_bigint(i, 10), column_bigint(i, 11), 0, 0};
		releases[i].device = (DeviceChange) {one->worker_id, 0, column_int(i, 12), column_int(i, 13), column_bigint(i, 14)};
	}
	if (n > 0)
		release(pool, releases, n);
	return n;
}

/* Closes the workloads of ended assignments. */
void
close_workloads(const char *pool, const EndedAssignment *ended, int count, const char *outcome)
{
	static Statement statement = {
		"UPDATE hwsched.submission s SET outcome = $4::hwsched.workload_state, closed_at = now()"
		" FROM unnest($2, $3) c(workload_id, run)"
		" WHERE s.pool = $1 AND s.workload_id = c.workload_id AND s.run = c.run AND s.outcome IS NULL",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID, TEXTOID}
	};
	const char **ids = palloc(sizeof(char *) * (count + 1));
	Datum	   *runs = palloc(sizeof(Datum) * (count + 1));

	for (int i = 0; i < count; i++)
	{
		ids[i] = ended[i].workload_id;
		runs[i] = Int32GetDatum(ended[i].run);
	}
	statement_run(&statement, false, TEXT_VALUE(pool), text_array(ids, count),
				  array_value(INT4OID, runs, NULL, count), TEXT_VALUE(outcome));
}

/*
 * Puts the workloads of ended assignments back into the queue, in their old
 * place.  With failed, the attempt counts: after the last one the workload is
 * dead.
 */
void
requeue(const char *pool, const EndedAssignment *ended, int count, bool failed)
{
	static Statement queue = {
		"INSERT INTO hwsched.pending (pool, priority, queue_no, profile_id, run, attempt, expected_seconds, workload_id)"
		" SELECT s.pool, s.priority, s.queue_no, s.profile_id, s.run, e.attempt, s.expected_seconds, s.workload_id"
		" FROM unnest($2, $3, $4) e(workload_id, run, attempt)"
		" JOIN hwsched.submission s ON s.pool = $1 AND s.workload_id = e.workload_id AND s.run = e.run"
		" WHERE s.outcome IS NULL AND e.attempt <= s.retries + 1",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID}
	};
	static Statement bury = {
		"UPDATE hwsched.submission s SET outcome = 'dead', closed_at = now()"
		" FROM unnest($2, $3, $4) e(workload_id, run, attempt)"
		" WHERE s.pool = $1 AND s.workload_id = e.workload_id AND s.run = e.run"
		"  AND s.outcome IS NULL AND e.attempt > s.retries + 1",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID}
	};
	const char **ids = palloc(sizeof(char *) * (count + 1));
	Datum	   *runs = palloc(sizeof(Datum) * (count + 1));
	Datum	   *attempts = palloc(sizeof(Datum) * (count + 1));
	Parameter	id_array;
	Parameter	run_array;
	Parameter	attempt_array;

	for (int i = 0; i < count; i++)
	{
		ids[i] = ended[i].workload_id;
		runs[i] = Int32GetDatum(ended[i].run);
		attempts[i] = Int32GetDatum(ended[i].attempt + (failed ? 1 : 0));
	}
	id_array = text_array(ids, count);
	run_array = array_value(INT4OID, runs, NULL, count);
	attempt_array = array_value(INT4OID, attempts, NULL, count);
	if (statement_run(&queue, false, TEXT_VALUE(pool), id_array, run_array, attempt_array) < count)
		statement_run(&bury, false, TEXT_VALUE(pool), id_array, run_array, attempt_array);
}

/*
 * Finds the live assignments of a worker or of a workload (the other is NULL).
 * Returns their number and sets *ids.
 */
int
live_assignments(const char *pool, const char *worker_id, const char *workload_id, int64 **ids)
{
	static Statement of_worker = {
		"SELECT assignment_id FROM hwsched.assignment WHERE pool = $1 AND worker_id = $2"
		" AND state IN ('assigned', 'running') ORDER BY assignment_id",
		{TEXTOID, TEXTOID}
	};
	static Statement of_workload = {
		"SELECT assignment_id FROM hwsched.assignment WHERE pool = $1 AND workload_id = $2"
		" AND state IN ('assigned', 'running') ORDER BY assignment_id",
		{TEXTOID, TEXTOID}
	};
	int			n = (int) (worker_id != NULL ?
						   statement_run(&of_worker, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id)) :
						   statement_run(&of_workload, false, TEXT_VALUE(pool), TEXT_VALUE(workload_id)));

	*ids = palloc(sizeof(int64) * (n + 1));
	for (int i = 0; i < n; i++)
		(*ids)[i] = column_bigint(i, 1);
	return n;
}
