/*
 * what_if.c
 *		Whether a workload would be placed if something were otherwise: the decision itself,
 *		on a changed copy of what was read.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "document/infer.h"
#include "document/json.h"
#include "place/booking.h"
#include "place/fleet.h"
#include "place/greedy.h"
#include "place/order.h"
#include "place/reservation.h"
#include "place/trial.h"
#include "snapshot/fleet.h"
#include "snapshot/labels.h"
#include "snapshot/retry_rules.h"
#include "snapshot/what_if.h"
#include "snapshot/windows.h"
#include "store/device_state.h"

/* What one more worker is called while it is tried. */
#define ONE_MORE "one more worker"

/* Whether there is a place does not depend on the policy, which may call functions of users. */
static PolicyPart any_part = {ALGORITHM_HARDWARE_AWARE, 1.0, -1};
static const Policy any_policy = {1, &any_part};

/* Returns what changes nothing. */
WhatIf
nothing_else(void)
{
	return (WhatIf){.settings = {.max_load = NAN, .min_score = NAN}};
}

/* Adds a worker of some capabilities to the fleet of a trial, which has just registered. */
static void
add_worker(PoolSnapshot *trial, Jsonb *document, MemoryContext kept)
{
	Fleet *fleet = &trial->fleet;
	Capabilities capabilities;
	DeviceSpec *specs;
	MemoryContext caller = MemoryContextSwitchTo(kept);
	Reported nothing = {0};
	Worker *worker;
	Jsonb *labels;
	Jsonb *taints;
	int n;

	document_read(&capabilities_document, document, NULL, NULL, &capabilities);
	n = infer_devices(&capabilities, &specs);
	labels = object_at(document, "labels");
	taints = object_at(document, "taints");
	labels_of_worker(trial->labels, fleet->nworkers, labels ? JsonbPGetDatum(labels) : (Datum) 0,
					 taints ? JsonbPGetDatum(taints) : (Datum) 0, capabilities.hostname);
	for (int d = 0; d < n; d++)
		labels_of_device(trial->labels, fleet->ndevices + d, (Datum) 0);
	MemoryContextSwitchTo(caller);

	fleet->workers = repalloc_huge(fleet->workers, sizeof(Worker) * (fleet->nworkers + 1));
	fleet->devices = repalloc_huge(fleet->devices, sizeof(Device) * (fleet->ndevices + n + 1));
	fleet->profiles = memcpy(palloc(sizeof(DeviceProfile) * (fleet->nprofiles + n + 1)),
							 fleet->profiles, sizeof(DeviceProfile) * fleet->nprofiles);
	fleet->software = memcpy(palloc(sizeof(NamedTexts) * (fleet->nsoftware + 1)), fleet->software,
							 sizeof(NamedTexts) * fleet->nsoftware);
	fleet->software[fleet->nsoftware] = capabilities.software_versions;
	worker = &fleet->workers[fleet->nworkers++];
	*worker = (Worker){.worker_id = ONE_MORE,
					   .accepting = true,
					   .cpu_millicores = (int64) floor(capabilities.cpu_cores * 1000 + 1e-6),
					   .memory_bytes = isnan(capabilities.available_memory) ?
										   0 :
										   (int64) (capabilities.available_memory * BYTES_PER_GB),
					   .max_concurrent = capabilities.max_concurrent,
					   .software = fleet->nsoftware++,
					   .first_device = fleet->ndevices,
					   .ndevices = n,
					   .window_in = INFINITY};
	nothing.temperature = nothing.celsius = NAN;
	nothing.performance_level = 1.0;
	for (int d = 0; d < n; d++)
	{
		Device *device = &fleet->devices[fleet->ndevices++];
		/* devices that an entry counts share its strings, and are alike */
		bool same =
			d > 0 && memcmp(&specs[d].profile, &specs[d - 1].profile, sizeof(DeviceProfile)) == 0;

		if (!same)
			fleet->profiles[fleet->nprofiles++] = specs[d].profile;
		*device = (Device){.device_no = d,
						   .profile = fleet->nprofiles - 1,
						   .memory_bytes = specs[d].memory_bytes,
						   .uses_host_memory = specs[d].uses_host_memory};
		set_device_state(&specs[d].profile, &nothing, NAN, NAN, device);
	}
	/* what was learned is by the worker or device of the fleet as it is */
	trial->search.forecast = NULL;
	trial->items[0].subject = -1;
}

/* Takes what an assignment holds out of what ends before reservations start: it has ended. */
static void
ends_no_more(const PoolSnapshot *trial, const EndedAssignment *holds)
{
	const Search *search = &trial->search;
	int worker = fleet_worker(&trial->fleet, holds->worker_id);

	for (int r = 0; r < search->nreservations; r++)
		for (int p = 0; p < search->reservations[r].nplaces; p++)
		{
			ReservedPlace *place = &search->reservations[r].places[p];
			const Worker *of = &trial->fleet.workers[place->worker];

			if (place->worker != worker)
				continue;
			/* who waits for it may then start at once: nothing is over before */
			search->reservations[r].backfill_in = Min(search->reservations[r].backfill_in, 0);
			place->ends.assignments = Max(0, place->ends.assignments - 1);
			place->ends.cpu = Max(0, place->ends.cpu - holds->cpu_millicores);
			place->ends.memory = Max(0, place->ends.memory - holds->host_memory_bytes);
			for (int d = 0; d < of->ndevices; d++)
				for (int k = 0; k < holds->ndevices; k++)
				{
					const Device *device = &trial->fleet.devices[of->first_device + d];
					DeviceAmount *amount = &place->ends.devices[d];

					if (device->device_no != holds->device_nos[k])
						continue;
					amount->slots = Max(0, amount->slots - holds->slots);
					amount->share = Max(0, amount->share - holds->share);
					amount->memory = Max(0, amount->memory - holds->device_memory_bytes);
					if (device->uses_host_memory)
						place->ends.memory =
							Max(0, place->ends.memory - holds->device_memory_bytes);
				}
		}
}

/*
 * Returns whether an assignment that ends is the last live one of its workload: a gang keeps its
 * keys, and counts for its tenant, until all of it has ended.
 */
static bool
is_last_of_workload(const WhatIf *change, int which)
{
	const LiveAssignment *one = change->ended[which];
	int before = 0;

	for (int i = 0; i < which && one->members > 1; i++)
		before += strcmp(change->ended[i]->holds.workload_id, one->holds.workload_id) == 0;
	return before + 1 == one->members;
}

/* Lets assignments be over in a trial. */
static void
end_assignments_of(PoolSnapshot *trial, const WhatIf *change)
{
	Search *search = &trial->search;

	for (int i = 0; i < change->nended; i++)
	{
		const LiveAssignment *live = change->ended[i];
		const EndedAssignment *holds = &live->holds;
		int worker = fleet_worker(&trial->fleet, holds->worker_id);
		bool last = is_last_of_workload(change, i);

		fleet_give_back(&trial->fleet, holds, 1);
		ends_no_more(trial, holds);
		if (worker >= 0 && live->alone)
			trial->fleet.workers[worker].runs_alone = false;
		for (int t = 0; t < search->ntenants; t++)
			if (strcmp(search->tenants[t].name, live->tenant ? live->tenant : "") == 0)
			{
				Tenant *tenant = &search->tenants[t];

				tenant->workloads -= last;
				tenant->cores -= holds->cpu_millicores / 1000.0;
				tenant->accelerators -= holds->ndevices * (double) holds->share / WHOLE_SHARE;
			}
		if (last && live->key >= 0 && search->key_rooms[live->key].units < INT32_MAX)
			search->key_rooms[live->key].units += live->key_units;
		if (live->of_group && trial->items[0].group > 0)
		{
			WorkGroup *group = &search->groups[trial->items[0].group];

			for (int m = 0; m < group->count; m++)
				if (group->members[m].worker == worker)
				{
					group->members[m] = group->members[--group->count];
					break;
				}
		}
	}
}

/* Lets settings be otherwise in a trial. */
static void
change_settings(PoolSnapshot *trial, const WorkKind *kind, const SettingsIf *settings)
{
	Search *search = &trial->search;

	if (!isnan(settings->max_load))
		search->settings.max_load = settings->max_load;
	if (!isnan(settings->min_score))
		search->settings.min_score = settings->min_score;
	if (settings->max_concurrent > 0)
		search->settings.max_concurrent = settings->max_concurrent;
	for (int k = 0; k < search->nkeys && settings->more_units; k++)
		search->key_rooms[k] = (KeyRoom){INT32_MAX, INT32_MAX};
	if (settings->more_quota && search->ntenants > 0 && kind->tenant >= 0)
	{
		Tenant *tenant = &search->tenants[kind->tenant];

		tenant->most_accelerators = tenant->most_cores = tenant->most_workloads = INFINITY;
	}
}

/* Decides on the copy. */
static bool
try_it(PoolSnapshot *snapshot, const char *pool, const WhatIf *change, MemoryContext kept,
	   WouldBe *where)
{
	PoolSnapshot trial = *snapshot;
	QueueItem item = snapshot->items[0];
	QueueRow row = snapshot->rows[0];
	WorkKind *kind = palloc(sizeof(WorkKind));

	*kind = snapshot->search.kinds[item.kind];
	if (change->profile != NULL)
	{
		kind->profile = *change->profile;
		kind->demand = *change->demand;
	}
	kind->policy = &any_policy;
	kind->model = kind->family = -1;
	kind->preference = NULL;
	kind->performance = NULL;
	item.kind = 0;
	item.nplacements = 0;
	item.navoided = item.navoided_devices = 0;
	item.grouped = kind->demand.group_apart || kind->demand.spread_by != NULL;
	if (change->profile != NULL)
		item.alone = snapshot->items[0].alone &&
					 (kind->demand.exclusive ||
					  !snapshot->search.kinds[snapshot->items[0].kind].demand.exclusive);
	if (change->without_keys)
		item.keys = (KeyDemand){0, NULL};
	row.own_kind = -1;

	trial.items = &item;
	trial.rows = &row;
	trial.search = *search_copy(&snapshot->search);
	trial.fleet = *trial.search.fleet;
	trial.search.fleet = &trial.fleet;
	trial.search.nkinds = 1;
	trial.search.kinds = kind;
	trial.search.reserves = trial.search.keeps_scores = trial.search.keeps_second = false;
	if (change->capabilities != NULL)
		add_worker(&trial, change->capabilities, kept);
	if (change->profile != NULL || change->capabilities != NULL)
	{
		trial.labels->snapshot = &trial;
		labels_select(trial.labels);
		trial.labels->snapshot = snapshot;
	}
	change_settings(&trial, kind, &change->settings);
	reservations_copy(&trial.search);
	end_assignments_of(&trial, change);
	search_begin(&trial.search);
	consider_retries(&trial, pool, true);
	consider_windows(&trial);
	if (trial.settings.paused && !change->settings.resumed)
		return false;
	search_place(&trial.search, &item, 1, -1);
	if (item.nplacements == 0)
		return false;
	where->nworkers = Min(item.nplacements, lengthof(where->workers));
	for (int i = 0; i < where->nworkers; i++)
		where->workers[i] = trial.search.placements[item.first_placement + i].worker;
	where->worker_id = trial.fleet.workers[where->workers[0]].worker_id;
	return true;
}

/*
 * Returns whether the workload of a snapshot, its only item, would be placed by schedule() now if
 * something were otherwise, and sets *where to where; the snapshot stays as it is.
 */
bool
would_place(PoolSnapshot *snapshot, const char *pool, const WhatIf *change, WouldBe *where)
{
	MemoryContext kept = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(kept, "hwsched what if", ALLOCSET_DEFAULT_SIZES);
	bool placed;

	CHECK_FOR_INTERRUPTS();
	MemoryContextSwitchTo(scratch);
	placed = try_it(snapshot, pool, change, kept, where);
	MemoryContextSwitchTo(kept);
	if (placed)
		where->worker_id = pstrdup(where->worker_id);
	MemoryContextDelete(scratch);
	return placed;
}
