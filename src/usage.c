/*
 * usage.c
 *		Keeps what live assignments hold of workers and devices.
 *
 * A worker's usage row is the gate to all of its usage: whoever changes it has
 * that row locked before touching the devices' rows.  Whoever changes several
 * workers holds the pool's lock, so that two such never wait for each other.
 * Changes are relative: releasing needs no picture of the whole.
 */
#include "postgres.h"

#include "statement.h"
#include "usage.h"

/* Adds changes, one per worker and one per device, to the usage. */
void
usage_change(const char *pool, const WorkerChange *workers, int nworkers,
			 const DeviceChange *devices, int ndevices)
{
	static Statement change_workers = {
		"UPDATE hwsched.worker_usage u SET assignments = u.assignments + c.assignments,"
		"  cpu_millicores = u.cpu_millicores + c.cpu_millicores,"
		"  host_memory_bytes = u.host_memory_bytes + c.host_memory_bytes,"
		"  total_assignments = u.total_assignments + c.made,"
		"  is_full = CASE WHEN c.assignments < 0 THEN false ELSE u.is_full OR u.assignments = c.full_from END"
		" FROM unnest($2, $3, $4, $5, $6, $7) AS c(worker_id, assignments, cpu_millicores, host_memory_bytes, made, full_from)"
		" WHERE u.pool = $1 AND u.worker_id = c.worker_id",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID}
	};
	static Statement change_devices = {
		"UPDATE hwsched.device_usage u SET slots = u.slots + c.slots, share = u.share + c.share,"
		"  memory_bytes = u.memory_bytes + c.memory_bytes"
		" FROM unnest($2, $3, $4, $5, $6) AS c(worker_id, device_no, slots, share, memory_bytes)"
		" WHERE u.pool = $1 AND u.worker_id = c.worker_id AND u.device_no = c.device_no",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT8ARRAYOID}
	};
	int			most = Max(nworkers, ndevices);
	Datum	   *columns[6];

	for (int c = 0; c < lengthof(columns); c++)
		columns[c] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (most + 1));

	for (int i = 0; i < nworkers; i++)
	{
		columns[0][i] = CStringGetTextDatum(workers[i].worker_id);
		columns[1][i] = Int32GetDatum(workers[i].assignments);
		columns[2][i] = Int64GetDatum(workers[i].cpu_millicores);
		columns[3][i] = Int64GetDatum(workers[i].host_memory_bytes);
		columns[4][i] = Int32GetDatum(workers[i].made);
		columns[5][i] = Int32GetDatum(workers[i].full_from);
	}
	statement_run(&change_workers, false, TEXT_VALUE(pool),
				  array_value(TEXTOID, columns[0], NULL, nworkers),
				  array_value(INT4OID, columns[1], NULL, nworkers),
				  array_value(INT8OID, columns[2], NULL, nworkers),
				  array_value(INT8OID, columns[3], NULL, nworkers),
				  array_value(INT4OID, columns[4], NULL, nworkers),
				  array_value(INT4OID, columns[5], NULL, nworkers));

	for (int i = 0; i < ndevices; i++)
	{
		columns[0][i] = CStringGetTextDatum(devices[i].worker_id);
		columns[1][i] = Int32GetDatum(devices[i].device_no);
		columns[2][i] = Int32GetDatum(devices[i].slots);
		columns[3][i] = Int32GetDatum(devices[i].share);
		columns[4][i] = Int64GetDatum(devices[i].memory_bytes);
	}
	statement_run(&change_devices, false, TEXT_VALUE(pool),
				  array_value(TEXTOID, columns[0], NULL, ndevices),
				  array_value(INT4OID, columns[1], NULL, ndevices),
				  array_value(INT4OID, columns[2], NULL, ndevices),
				  array_value(INT4OID, columns[3], NULL, ndevices),
				  array_value(INT8OID, columns[4], NULL, ndevices));
}

/*
 * Counts a worker's usage anew from its live assignments, after its devices
 * have changed; the gate is locked.
 */
void
usage_rebuild(const char *pool, const char *worker_id)
{
	static Statement worker = {
		"UPDATE hwsched.worker_usage u SET assignments = h.assignments, is_full = false,"
		"  cpu_millicores = h.cpu_millicores, host_memory_bytes = h.host_memory_bytes"
		" FROM (SELECT count(*)::int AS assignments, coalesce(sum(p.cpu_millicores), 0)::bigint AS cpu_millicores,"
		"              coalesce(sum(p.host_memory_bytes), 0)::bigint AS host_memory_bytes"
		"       FROM hwsched.assignment a JOIN hwsched.workload_profile p USING (pool, profile_id)"
		"       WHERE a.pool = $1 AND a.worker_id = $2 AND a.state IN ('assigned', 'running')) h"
		" WHERE u.pool = $1 AND u.worker_id = $2",
		{TEXTOID, TEXTOID}
	};
	static Statement devices = {
		"UPDATE hwsched.device_usage u SET slots = h.slots, share = h.share, memory_bytes = h.memory_bytes"
		" FROM (SELECT d.device_no, coalesce(sum(p.device_slots), 0)::int AS slots,"
		"              coalesce(sum(p.device_share), 0)::int AS share,"
		"              coalesce(sum(p.device_memory_bytes), 0)::bigint AS memory_bytes"
		"       FROM hwsched.device d"
		"       LEFT JOIN hwsched.assignment a ON a.pool = d.pool AND a.worker_id = d.worker_id"
		"            AND a.state IN ('assigned', 'running') AND d.device_no = ANY (a.device_nos)"
		"       LEFT JOIN hwsched.workload_profile p ON p.pool = a.pool AND p.profile_id = a.profile_id"
		"       WHERE d.pool = $1 AND d.worker_id = $2 GROUP BY d.device_no) h"
		" WHERE u.pool = $1 AND u.worker_id = $2 AND u.device_no = h.device_no",
		{TEXTOID, TEXTOID}, true
	};

	statement_run(&worker, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
	statement_run(&devices, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
}

/* Returns whether live assignments hold more of a worker, its devices apart, than there is. */
bool
usage_exceeds(const char *pool, const char *worker_id)
{
	static Statement statement = {
		"SELECT u.assignments > w.max_concurrent OR u.cpu_millicores > w.cpu_millicores"
		"  OR u.host_memory_bytes + coalesce(sum(du.memory_bytes) FILTER (WHERE d.uses_host_memory), 0) > w.memory_bytes"
		" FROM hwsched.worker w"
		" JOIN hwsched.worker_usage u ON u.pool = w.pool AND u.worker_id = w.worker_id"
		" LEFT JOIN hwsched.device d ON d.pool = w.pool AND d.worker_id = w.worker_id"
		" LEFT JOIN hwsched.device_usage du ON du.pool = d.pool AND du.worker_id = d.worker_id AND du.device_no = d.device_no"
		" WHERE w.pool = $1 AND w.worker_id = $2"
		" GROUP BY u.assignments, w.max_concurrent, u.cpu_millicores, w.cpu_millicores, u.host_memory_bytes, w.memory_bytes",
		{TEXTOID, TEXTOID}, true
	};

	return statement_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id)) > 0 && column_bool(0, 1);
}
