/*
 * fleet.c
 *		The fleet in memory: finding a worker of it, and what work takes of one.
 */
#include "place/fleet.h"
#include "place/search.h"

/* Books a workload on devices of a worker, in memory; times -1 takes it back. */
void
fleet_occupy(Fleet *fleet, const WorkKind *kind, int worker_index, const int32 *devices,
			 int ndevices, int times)
{
	Worker *worker = &fleet->workers[worker_index];

	worker->assignments += times;
	worker->total_assignments += times;
	worker->cpu_used += times * kind->demand.cpu_millicores;
	worker->memory_used += times * kind->demand.host_memory_bytes;
	for (int i = 0; i < ndevices; i++)
	{
		Device *device = &fleet->devices[devices[i]];

		device->slots += times * demanded_slots(&kind->demand);
		device->share += times * demanded_share(&kind->demand);
		device->memory_used += times * kind->profile.min_memory_bytes;
		if (device->uses_host_memory)
			worker->memory_used += times * kind->profile.min_memory_bytes;
	}
}

/* Prepares what the search knows of a kind of work. */
void
kind_begin(const Search *search, WorkKind *kind)
{
	kind->state = palloc0(sizeof(KindState));
	kind->state->pairs = palloc0(sizeof(ProfilePair) * (search->fleet->nprofiles + 1));
}

static int
compare_worker_id(const void *key, const void *worker)
{
	return strcmp(key, ((const Worker *) worker)->worker_id);
}

/* Returns the index of a worker in the fleet, or -1. */
int
fleet_worker(const Fleet *fleet, const char *worker_id)
{
	const Worker *worker =
		bsearch(worker_id, fleet->workers, fleet->nworkers, sizeof(Worker), compare_worker_id);

	return worker == NULL ? -1 : worker - fleet->workers;
}

/* Returns the index of a device of a worker, or -1. */
int
fleet_device(const Fleet *fleet, const char *worker_id, int device_no)
{
	int w = fleet_worker(fleet, worker_id);

	if (w < 0)
		return -1;
	for (int d = 0; d < fleet->workers[w].ndevices; d++)
		if (fleet->devices[fleet->workers[w].first_device + d].device_no == device_no)
			return fleet->workers[w].first_device + d;
	return -1;
}

/* Returns the index of the worker that a device is of. */
int
worker_of_device(const Fleet *fleet, int device)
{
	int low = 0;
	int high = fleet->nworkers - 1;

	while (low < high)
	{
		int middle = low + (high - low + 1) / 2;

		if (fleet->workers[middle].first_device <= device)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* Compares what decides the value of a device beside its hardware. */
int
compare_state(const Device *a, const Device *b)
{
#define COMPARE(m) \
	if (a->m != b->m) \
	return a->m < b->m ? -1 : 1
	COMPARE(selection);
	COMPARE(draining);
	COMPARE(quarantined);
	COMPARE(on_probation);
	COMPARE(load);
	COMPARE(effective_load);
	COMPARE(warming);
	COMPARE(cooling);
	COMPARE(performance_level);
	COMPARE(temperature);
	COMPARE(throttles_at);
	return 0;
}
