/*
 * capacity.c
 *		What becomes of work where there is less room than it was given: a worker
 *		has registered with less, or the pool's max_concurrent was lowered.
 *
 * What runs goes on, and may hold more than there is until it ends.  What has
 * not started goes back to the queue as far as it is too much, the least urgent
 * first.  As whoever lowers a limit holds the pool's lock, nothing is ever
 * assigned beyond it, and so nothing claimed.
 */
#include "postgres.h"

#include "api/capacity.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "snapshot/fleet.h"
#include "store/usage.h"

/* Returns whether a device is one of those that an assignment holds. */
static bool
holds_device(const EndedAssignment *holds, int32 device_no)
{
	for (int i = 0; i < holds->ndevices; i++)
		if (holds->device_nos[i] == device_no)
			return true;
	return false;
}

/* Returns whether an assignment holds some of what is held beyond what there is. */
static bool
holds_too_much(const Search *search, const EndedAssignment *holds)
{
	const Fleet *fleet = search->fleet;
	const Worker *worker = &fleet->workers[fleet_worker(fleet, holds->worker_id)];
	bool uses_memory = holds->host_memory_bytes > 0;

	if (worker->max_concurrent > 0 && worker->assignments > worker->max_concurrent)
		return true;
	if (holds->cpu_millicores > 0 && worker->cpu_used > worker->cpu_millicores)
		return true;
	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
	{
		const Device *device = &fleet->devices[d];

		if (!holds_device(holds, device->device_no))
			continue;
		if (device_held(device, search->settings.max_concurrent) >
			WHOLE_SHARE * (int64) search->settings.max_concurrent)
			return true;
		if (holds->device_memory_bytes == 0)
			continue;
		if (device->memory_bytes >= 0 && device->memory_used > device->memory_bytes)
			return true;
		uses_memory = uses_memory || device->uses_host_memory;
	}
	return uses_memory && worker->memory_used > worker->memory_bytes;
}

/*
 * Puts back what is too much, as it is now.  Returns whether some of it had
 * started by then: that goes on, and more has to go back in its place.
 */
static bool
requeue_excess(const char *pool, const char *worker_id, const char *reason)
{
	static SpiPlan statement = {
		"SELECT " ROW_COLUMNS " FROM hwsched.assignment a"
		" JOIN hwsched.workload_profile p ON p.pool = a.pool AND p.profile_id = a.profile_id"
		" WHERE a.pool = $1 AND a.worker_id = ANY ($2) AND a.finished_at IS NULL"
		" AND a.state = 'assigned'"
		" ORDER BY a.priority DESC, a.assignment_id DESC",
		{TEXTOID, TEXTARRAYOID},
		.row = &ended_row};
	PoolSnapshot snapshot;
	EndedAssignment *waiting;
	const char **workers;
	int64 *ids;
	int nworkers;
	int nwaiting;
	int n = 0;

	snapshot_settings(&snapshot, pool, false);
	nworkers = usage_exceeding(pool, worker_id, snapshot.settings.max_concurrent, &workers);
	if (nworkers == 0)
		return false;
	snapshot_workers(&snapshot, pool, workers, nworkers, false);
	(void) spi_plan_run(&statement, false, TEXT_VALUE(pool), text_array(workers, nworkers));
	nwaiting = read_ended(&waiting);
	ids = palloc(sizeof(int64) * (nwaiting + 1));
	for (int i = 0; i < nwaiting; i++)
		if (holds_too_much(&snapshot.search, &waiting[i]))
		{
			fleet_give_back(&snapshot.fleet, &waiting[i], 1);
			ids[n++] = waiting[i].assignment_id;
		}
	return requeue_unstarted(pool, ids, n, reason) < n;
}

/*
 * Puts back into the queue what has not started where live assignments hold
 * more than there is, on one worker or, with NULL, anywhere in the pool.  The
 * pool is locked.
 */
void
requeue_exceeding(const char *pool, const char *worker_id, const char *reason)
{
	while (requeue_excess(pool, worker_id, reason))
		;
}
