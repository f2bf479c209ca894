/*
 * search_hardware.c
 *		The search for the best candidate where only the hardware counts (the
 *		policy hardware_aware): equal values go to what spares accelerators
 *		(place/spare.h), then to the least used worker, then to the lowest
 *		worker_id.
 *
 * What makes it fast and still exact:
 *
 * - The efficiency of a workload on a device depends on their two profiles,
 *	 so it is computed once per pair of profiles (pair_of).
 * - Workers with the same hardware are judged by an ideal member: idle, cool,
 *	 with the best state of any.  No member can have a greater value, so they
 *	 are looked into only when their ideal member comes first.
 * - Workers with the same hardware in the same state form a group, and alike
 *	 devices of a group's workers a lane.  A kind of work has one value for a
 *	 whole lane, and it stays the same for the batch.
 * - The lanes that are worth the same to a kind form a band: a tree of their
 *	 workers, the least used first, that passes those without room by whole subtrees
 *	 (place/usage_tree.c).  Other kinds that see the same lanes alike share it.
 * - Within a batch a worker only ever gets fuller, so a band that has no place
 *	 for a kind has none for the rest of the batch.  (What evictions leave free
 *	 beside those that they were for may have to wait for the next one.  A search
 *	 that refills goes on over many batches, and keeps its bands.)
 *
 * Work that takes several accelerators may find them in different lanes, and then
 * has no such fixed value: its candidates are single workers, looked at again when
 * they come out on top of the heap, as their values only fall.
 *
 * Work that asks for several types of accelerator is not searched for here: what
 * it is worth may rise when a worker gets something else to do.
 */
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/search_hardware.h"
#include "place/spare.h"
#include "place/usage_tree.h"

/* Alike devices of a group's workers: positions in the worker's devices. */
typedef struct Lane
{
	int32 group;
	int32 npositions;
	int32 first_position; /* in SearchState.positions */
} Lane;

/* The workers of some lanes, for the kinds to which these are worth the same. */
typedef struct LaneSet
{
	struct LaneSet *next; /* in its bucket */
	int nlanes;
	int32 *lanes;
	UsageTree tree;
} LaneSet;

/* --- workers with the same hardware, in the same state; their lanes --- */

static bool
same_hardware(const Fleet *fleet, const Worker *a, const Worker *b)
{
	if (a->ndevices != b->ndevices || a->cpu_millicores != b->cpu_millicores ||
		a->memory_bytes != b->memory_bytes || a->software != b->software)
		return false;
	for (int i = 0; i < a->ndevices; i++)
	{
		const Device *x = &fleet->devices[a->first_device + i];
		const Device *y = &fleet->devices[b->first_device + i];

		if (x->profile != y->profile || x->memory_bytes != y->memory_bytes ||
			x->uses_host_memory != y->uses_host_memory)
			return false;
	}
	return true;
}

static uint32
hardware_hash(const Fleet *fleet, const Worker *worker)
{
	uint64 hash = UINT64_C(1469598103934665603);

	hash = (hash ^ worker->cpu_millicores) * UINT64_C(1099511628211);
	hash = (hash ^ worker->memory_bytes) * UINT64_C(1099511628211);
	hash = (hash ^ worker->software) * UINT64_C(1099511628211);
	for (int i = 0; i < worker->ndevices; i++)
		hash = (hash ^ fleet->devices[worker->first_device + i].profile) * UINT64_C(1099511628211);
	return (uint32) (hash ^ (hash >> 32));
}

/* Compares the state of two workers, by index, with the same hardware. */
static int
compare_worker_state(const Search *search, int32 i, int32 j)
{
	const Fleet *fleet = search->fleet;
	const SearchState *state = search->state;
	const Worker *a = &fleet->workers[i];
	const Worker *b = &fleet->workers[j];

	if (a->accepting != b->accepting)
		return a->accepting < b->accepting ? -1 : 1;
	if (a->unhealthy != b->unhealthy)
		return a->unhealthy < b->unhealthy ? -1 : 1;
	for (int d = 0; d < a->ndevices; d++)
	{
		int order = compare_state(&fleet->devices[a->first_device + d],
								  &fleet->devices[b->first_device + d]);

		if (order != 0)
			return order;
	}
	for (int p = 0; p < state->npreferences; p++)
		if (state->preferences[p][i] != state->preferences[p][j])
			return state->preferences[p][i] < state->preferences[p][j] ? -1 : 1;
	return 0;
}

static const Search *sorting;

/* Orders workers of the same hardware by state, then by index. */
static int
compare_members(const void *a, const void *b)
{
	int32 i = *(const int32 *) a;
	int32 j = *(const int32 *) b;
	int order = compare_worker_state(sorting, i, j);

	return order != 0 ? order : i - j;
}

/* Collects what was learned of the workers, each workload type once. */
static void
collect_preferences(Search *search)
{
	SearchState *state = search->state;

	state->preferences = palloc(sizeof(double *) * (search->nkinds + 1));
	for (int k = 0; k < search->nkinds; k++)
	{
		bool known = search->kinds[k].preference == NULL;

		for (int p = 0; p < state->npreferences && !known; p++)
			known = state->preferences[p] == search->kinds[k].preference;
		if (!known)
			state->preferences[state->npreferences++] = search->kinds[k].preference;
	}
}

/*
 * Sorts the workers into hardware; returns, by worker, the number of its
 * hardware, and sets first[] to a member of each.
 */
static int32 *
number_hardware(Search *search, int32 *first)
{
	Fleet *fleet = search->fleet;
	int nbuckets = 16;
	int32 *buckets;
	int32 *next = palloc(sizeof(int32) * (fleet->nworkers + 1));
	int32 *hardware = palloc(sizeof(int32) * (fleet->nworkers + 1));
	int count = 0;

	while (nbuckets < fleet->nworkers * 2)
		nbuckets *= 2;
	buckets = palloc(sizeof(int32) * nbuckets);
	for (int i = 0; i < nbuckets; i++)
		buckets[i] = -1;
	for (int i = 0; i < fleet->nworkers; i++)
	{
		int32 *bucket = &buckets[hardware_hash(fleet, &fleet->workers[i]) & (nbuckets - 1)];
		int h = *bucket;

		while (h >= 0 && !same_hardware(fleet, &fleet->workers[first[h]], &fleet->workers[i]))
			h = next[h];
		if (h < 0)
		{
			h = count++;
			first[h] = i;
			next[h] = *bucket;
			*bucket = h;
		}
		hardware[i] = h;
	}
	search->state->nhardware = count;
	pfree(buckets);
	pfree(next);
	return hardware;
}

/* Makes the groups: members by hardware and state, in the order of workers. */
static void
make_groups(Search *search)
{
	Fleet *fleet = search->fleet;
	SearchState *state = search->state;
	int n = fleet->nworkers;
	int32 *first = palloc(sizeof(int32) * (n + 1));
	int32 *hardware = number_hardware(search, first);
	int *start = palloc0(sizeof(int) * (state->nhardware + 2));

	state->members = palloc(sizeof(int32) * (n + 1));
	for (int i = 0; i < n; i++)
		start[hardware[i] + 2]++;
	for (int h = 0; h < state->nhardware; h++)
		start[h + 2] += start[h + 1];
	for (int i = 0; i < n; i++)
		state->members[start[hardware[i] + 1]++] = i;

	state->hardware_start = palloc(sizeof(int) * (state->nhardware + 1));
	state->group_start = palloc(sizeof(int) * (n + 1));
	state->ngroups = 0;
	for (int h = 0; h < state->nhardware; h++)
	{
		sorting = search;
		qsort(&state->members[start[h]], start[h + 1] - start[h], sizeof(int32), compare_members);
		state->hardware_start[h] = state->ngroups;
		for (int m = start[h]; m < start[h + 1]; m++)
			if (m == start[h] ||
				compare_worker_state(search, state->members[m - 1], state->members[m]) != 0)
				state->group_start[state->ngroups++] = m;
	}
	state->hardware_start[state->nhardware] = state->ngroups;
	state->group_start[state->ngroups] = n;
	pfree(start);
	pfree(hardware);
	pfree(first);
}

/*
 * Appends to the fleet one ideal worker per hardware: nothing assigned, and
 * each device in the best state that any member has.
 */
static void
make_ideals(Search *search)
{
	Fleet *fleet = search->fleet;
	SearchState *state = search->state;
	int ndevices = fleet->ndevices;

	for (int h = 0; h < state->nhardware; h++)
		ndevices +=
			fleet->workers[state->members[state->group_start[state->hardware_start[h]]]].ndevices;
	fleet->workers =
		repalloc(fleet->workers, sizeof(Worker) * (fleet->nworkers + state->nhardware + 1));
	fleet->devices = repalloc(fleet->devices, sizeof(Device) * (ndevices + 1));

	ndevices = fleet->ndevices;
	for (int h = 0; h < state->nhardware; h++)
	{
		int first = state->group_start[state->hardware_start[h]];
		Worker *ideal = &fleet->workers[fleet->nworkers + h];
		int of_first = fleet->workers[state->members[first]].first_device;

		*ideal = fleet->workers[state->members[first]];
		ideal->accepting = true;
		ideal->cordoned = ideal->runs_alone = false;
		ideal->assignments = 0;
		ideal->max_concurrent = 0;
		ideal->cpu_used = ideal->memory_used = 0;
		ideal->first_device = ndevices;
		for (int d = 0; d < ideal->ndevices; d++)
		{
			Device *best = &fleet->devices[ndevices++];

			*best = fleet->devices[of_first + d];
			best->draining = best->quarantined = best->on_probation = false;
			best->selection = 0;
			best->slots = best->share = 0;
			best->memory_used = 0;
			best->warming = best->cooling = false;
			best->performance_level = 1.0;
			/* one member of each group will do: the others are in the same state */
			for (int g = state->hardware_start[h]; g < state->hardware_start[h + 1]; g++)
			{
				const Device *member =
					&fleet->devices
						 [fleet->workers[state->members[state->group_start[g]]].first_device + d];

				best->load = Min(best->load, member->load);
				best->effective_load = Min(best->effective_load, member->effective_load);
				best->temperature = Min(best->temperature, member->temperature);
				best->throttles_at = Max(best->throttles_at, member->throttles_at);
			}
		}
	}
}

/* Makes the lanes of each group from its first member's devices. */
static void
make_lanes(Search *search)
{
	Fleet *fleet = search->fleet;
	SearchState *state = search->state;
	int most = 0;
	int npositions = 0;
	bool *done;

	for (int g = 0; g < state->ngroups; g++)
		most += fleet->workers[state->members[state->group_start[g]]].ndevices;
	state->lanes = palloc(sizeof(Lane) * (most + 1));
	state->positions = palloc(sizeof(int32) * (most + 1));
	state->lane_start = palloc(sizeof(int) * (state->ngroups + 1));
	done = palloc(sizeof(bool) * (most + 1));
	state->nlanes = 0;
	for (int g = 0; g < state->ngroups; g++)
	{
		const Worker *worker = &fleet->workers[state->members[state->group_start[g]]];
		const Device *devices = &fleet->devices[worker->first_device];

		state->lane_start[g] = state->nlanes;
		memset(done, 0, sizeof(bool) * worker->ndevices);
		for (int d = 0; d < worker->ndevices; d++)
		{
			Lane *lane;

			if (done[d])
				continue;
			lane = &state->lanes[state->nlanes++];
			lane->group = g;
			lane->first_position = npositions;
			for (int e = d; e < worker->ndevices; e++)
				if (!done[e] && devices[d].profile == devices[e].profile &&
					devices[d].memory_bytes == devices[e].memory_bytes &&
					devices[d].uses_host_memory == devices[e].uses_host_memory &&
					compare_state(&devices[d], &devices[e]) == 0)
				{
					done[e] = true;
					state->positions[npositions++] = e;
				}
			lane->npositions = npositions - lane->first_position;
		}
	}
	state->lane_start[state->ngroups] = state->nlanes;
	pfree(done);
}

/*
 * Prepares the search: the fleet's arrays are grown for the ideal workers; its
 * counts stay as they are.
 */
void
hardware_search_begin(Search *search)
{
	SearchState *state = search->state;

	state->nbuckets = 256;
	state->buckets = palloc0(sizeof(LaneSet *) * state->nbuckets);
	state->nodes = palloc0(sizeof(UsageNode *) * (search->fleet->nworkers + 1));
	collect_preferences(search);
	make_groups(search);
	make_ideals(search);
	make_lanes(search);
	state->has_lanes = true;
}

/* --- bands --- */

/* Returns where a worker stands with one of its lanes. */
static Usage
usage_of(const Search *search, int32 worker_index, int32 lane)
{
	const Worker *worker = &search->fleet->workers[worker_index];

	return (Usage){worker->assignments, worker_index, worker->total_assignments, lane};
}

/* Returns what a worker has free in one of its lanes; nothing if it takes nothing any more. */
static Free
free_of(const Search *search, int32 worker_index, int32 lane_index)
{
	const Fleet *fleet = search->fleet;
	const Worker *worker = &fleet->workers[worker_index];
	const Lane *lane = &search->state->lanes[lane_index];
	int64 whole = WHOLE_SHARE * (int64) search->settings.max_concurrent;
	Free free = {-1,
				 INT64_MIN,
				 -1,
				 INT64_MIN,
				 worker->cpu_millicores - worker->cpu_used,
				 worker->memory_bytes - worker->memory_used,
				 0};

	if (!worker->accepting || worker->cordoned || worker->runs_alone ||
		(worker->max_concurrent > 0 && worker->assignments >= worker->max_concurrent))
		return free;
	for (int p = 0; p < lane->npositions; p++)
	{
		const Device *device = &fleet->devices[worker->first_device +
											   search->state->positions[lane->first_position + p]];
		int64 room = device_room(device, search->settings.max_concurrent);
		int64 memory =
			device->memory_bytes < 0 ? INT64_MAX : device->memory_bytes - device->memory_used;

		if (room <= 0)
			continue;
		if (device->uses_host_memory)
			memory = Min(memory, free.host_memory);
		free.room = Max(free.room, room);
		free.memory = Max(free.memory, memory);
		if (is_in_use(device))
		{
			free.used_room = Max(free.used_room, room);
			free.used_memory = Max(free.used_memory, memory);
		}
		free.empty += room == whole;
	}
	return free;
}

/* Makes the tree of the workers of some lanes. */
static void
fill_lane_set(Search *search, LaneSet *set)
{
	SearchState *state = search->state;
	UsageTree *tree = &set->tree;
	int n = 0;

	for (int l = 0; l < set->nlanes; l++)
	{
		int group = state->lanes[set->lanes[l]].group;

		tree->nnodes += state->group_start[group + 1] - state->group_start[group];
	}
	tree->nodes = palloc_huge(sizeof(UsageNode) * (tree->nnodes + 1));
	for (int l = 0; l < set->nlanes; l++)
	{
		int lane = set->lanes[l];
		int group = state->lanes[lane].group;

		for (int m = state->group_start[group]; m < state->group_start[group + 1]; m++)
		{
			UsageNode *node = &tree->nodes[n++];

			node->usage = usage_of(search, state->members[m], lane);
			node->free = free_of(search, state->members[m], lane);
		}
	}
	usage_tree_build(tree);
	for (int i = 0; i < n; i++)
	{
		UsageNode *node = &tree->nodes[i];

		node->next = state->nodes[node->usage.worker];
		state->nodes[node->usage.worker] = node;
	}
}

static int
compare_lanes(const void *a, const void *b)
{
	return *(const int32 *) a - *(const int32 *) b;
}

/* Returns the tree of some lanes, made on first use. */
static UsageTree *
tree_of(Search *search, int32 *lanes, int nlanes)
{
	SearchState *state = search->state;
	uint64 hash = UINT64_C(1469598103934665603);
	LaneSet **bucket;
	LaneSet *set;

	qsort(lanes, nlanes, sizeof(int32), compare_lanes);
	for (int l = 0; l < nlanes; l++)
		hash = (hash ^ lanes[l]) * UINT64_C(1099511628211);
	bucket = &state->buckets[(hash ^ (hash >> 32)) % state->nbuckets];
	for (set = *bucket; set != NULL; set = set->next)
		if (set->nlanes == nlanes && memcmp(set->lanes, lanes, sizeof(int32) * nlanes) == 0)
			return &set->tree;
	set = palloc0(sizeof(LaneSet));
	set->nlanes = nlanes;
	set->lanes = palloc(sizeof(int32) * nlanes);
	memcpy(set->lanes, lanes, sizeof(int32) * nlanes);
	fill_lane_set(search, set);
	set->next = *bucket;
	*bucket = set;
	return &set->tree;
}

/*
 * Notes that a worker has changed.  Its places in the trees are brought up to date when these are
 * looked into, which many never are again: other priorities ask for other labels.
 */
void
hardware_search_changed(Search *search, int worker)
{
	for (UsageNode *node = search->state->nodes[worker]; node != NULL; node = node->next)
		if (!node->stale)
		{
			node->stale = true;
			node->next_stale = node->tree->stale;
			node->tree->stale = node;
		}
}

/* Returns the tree of a band, up to date. */
static const UsageTree *
tree_of_band(Search *search, Band *band)
{
	UsageNode *node = band->tree->stale;

	for (; node != NULL; node = node->next_stale)
	{
		Usage usage = usage_of(search, node->usage.worker, node->usage.lane);
		Free free = free_of(search, node->usage.worker, node->usage.lane);

		node->stale = false;
		usage_tree_update(node, &usage, &free);
	}
	band->tree->stale = NULL;
	return band->tree;
}

/* Returns what a workload needs of a worker; with in_use, of a device that is in use. */
static Free
need_of(const Search *search, const WorkKind *kind, bool in_use)
{
	const Demand *demand = &kind->demand;
	int64 memory = kind->profile.min_memory_bytes > 0 ? kind->profile.min_memory_bytes : INT64_MIN;
	int64 room = demanded_room(demand, search->settings.max_concurrent);

	return (Free){
		room,
		memory,
		in_use ? room : INT64_MIN,
		in_use ? memory : INT64_MIN,
		demand->cpu_millicores > 0 ? demand->cpu_millicores : INT64_MIN,
		demand->host_memory_bytes > 0 ? demand->host_memory_bytes : INT64_MIN,
		demand_occupancy(demand) == OCCUPY_WHOLE ? (int32) demand->accelerators.items[0].value : 0};
}

/* What is looked for in a band, and what was found. */
typedef struct BandSearch
{
	WorkKind *kind;
	double value; /* of the band */
	int sparing;
	int like; /* only devices of this profile that are in use; -1: any */
	bool in_use; /* whether it looks for such */
	bool later; /* a worker that was passed may have a place later */
	Candidate candidate;
	int32 device; /* the first of its devices: others that are looked at use the scratch space */
} BandSearch;

static bool
belongs_to_band(const Search *search, const BandSearch *look, const Candidate *candidate)
{
	/* An equal value: of its lanes, only those of the band are left for the kind. */
	const Device *device = &search->fleet->devices[candidate->devices[0]];

	return candidate->value == look->value && candidate->sparing == look->sparing &&
		   (!look->in_use || (is_in_use(device) && device->profile == look->like));
}

/*
 * Finds how a worker takes a kind of work at the band's value.  Work that spares accelerators
 * may not take what is worth most there.
 */
static bool
candidate_of_band(Search *search, BandSearch *look, int worker_index, Candidate *candidate)
{
	const Worker *worker = &search->fleet->workers[worker_index];
	int best = -1;

	if (search_candidate(search, look->kind, worker_index, candidate) != FITS)
		return false;
	if (belongs_to_band(search, look, candidate))
		return true;
	if (!spares_accelerators(search, look->kind))
	{
		look->later = true;
		return false;
	}
	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		if (device_candidate(search, look->kind, worker_index, d, candidate) == FITS &&
			belongs_to_band(search, look, candidate) &&
			(best < 0 || device_before(search, look->kind, d, best)))
			best = d;
	return best >= 0 && device_candidate(search, look->kind, worker_index, best, candidate) == FITS;
}

/*
 * Looks for the least used worker of a band that takes a kind of work, with like on a device of
 * that profile that is in use; returns whether there is one.  Who has no place for a kind has none
 * for the rest of the batch, and only moves back: the next search goes on where this one ends,
 * unless something was given back meanwhile.
 */
static bool
find_in_band(Search *search, WorkKind *kind, Band *band, int like, BandSearch *look)
{
	const UsageTree *tree = tree_of_band(search, band);
	Free need = need_of(search, kind, like >= 0);
	bool goes_on = like < 0 && band->passed && band->given_back == tree->given_back;
	Usage from = goes_on ? band->from : (Usage){INT32_MIN, INT32_MIN, INT64_MIN, INT32_MIN};
	const UsageNode *node;

	*look = (BandSearch){.kind = kind,
						 .value = band->value,
						 .sparing = band->sparing,
						 .like = like,
						 .in_use = like >= 0};
	while ((node = usage_tree_first(search, tree, &from, &need)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		from = node->usage;
		if (candidate_of_band(search, look, node->usage.worker, &look->candidate))
			break;
		from.lane++;
	}
	if (node == NULL)
		return false;
	look->device = look->candidate.devices[0];
	if (like < 0 && !look->later)
	{
		band->passed = true;
		band->from = from;
		band->given_back = tree->given_back;
	}
	return true;
}

/* --- the heap of what a kind may still look at --- */

/* Returns whether entry a comes before entry b. */
static bool
entry_before(const Entry *a, const Entry *b)
{
	if (a->value != b->value)
		return a->value > b->value;
	/* What is closed may hold something as good, so look into it first. */
	if ((a->type == ENTRY_HARDWARE) != (b->type == ENTRY_HARDWARE))
		return a->type == ENTRY_HARDWARE;
	if (a->sparing != b->sparing)
		return a->sparing > b->sparing;
	return less_used(a->assignments, a->total_assignments, a->index, b->assignments,
					 b->total_assignments, b->index);
}

static Entry
entry_of(const Search *search, const Candidate *candidate)
{
	const Worker *worker = &search->fleet->workers[candidate->worker];

	return (Entry){candidate->value,  ENTRY_WORKER,		   candidate->sparing,
				   candidate->worker, worker->assignments, worker->total_assignments};
}

/* Orders candidates as the search does: best first. */
int
candidate_compare(const Search *search, const Candidate *a, const Candidate *b)
{
	Entry left = entry_of(search, a);
	Entry right = entry_of(search, b);

	return entry_before(&left, &right) ? -1 : entry_before(&right, &left) ? 1 : 0;
}

static void
sift_down(KindState *state, int at)
{
	Entry entry = state->entries[at];

	for (;;)
	{
		int child = 2 * at + 1;

		if (child >= state->nentries)
			break;
		if (child + 1 < state->nentries &&
			entry_before(&state->entries[child + 1], &state->entries[child]))
			child++;
		if (!entry_before(&state->entries[child], &entry))
			break;
		state->entries[at] = state->entries[child];
		at = child;
	}
	state->entries[at] = entry;
}

static void
push_entry(KindState *state, Entry entry)
{
	int at = state->nentries;

	if (state->nentries == state->allocated)
	{
		state->allocated = Max(16, state->allocated * 2);
		state->entries = state->entries == NULL ?
							 palloc(sizeof(Entry) * state->allocated) :
							 repalloc(state->entries, sizeof(Entry) * state->allocated);
	}
	state->nentries++;
	while (at > 0 && entry_before(&entry, &state->entries[(at - 1) / 2]))
	{
		state->entries[at] = state->entries[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	state->entries[at] = entry;
}

static void
pop_entry(KindState *state)
{
	state->entries[0] = state->entries[--state->nentries];
	if (state->nentries > 0)
		sift_down(state, 0);
}

/* --- one kind of work --- */

/* Returns the device profile of a lane. */
static int
lane_profile(const Search *search, int lane)
{
	const SearchState *state = search->state;
	const Lane *of = &state->lanes[lane];
	const Worker *worker = &search->fleet->workers[state->members[state->group_start[of->group]]];

	return search->fleet->devices[worker->first_device + state->positions[of->first_position]]
		.profile;
}

/*
 * Returns whether the devices a kind takes of one worker may differ, so that
 * what a worker is worth depends on which of them are free.
 */
static bool
is_mixed(const Search *search, const WorkKind *kind)
{
	const SearchState *state = search->state;
	const NamedNumbers *types = &kind->demand.accelerators;

	if (demand_occupancy(&kind->demand) != OCCUPY_WHOLE)
		return false;
	if (types->items[0].value == 1)
		return false;
	for (int g = 0; g < state->ngroups; g++)
	{
		for (int l = state->lane_start[g]; l < state->lane_start[g + 1]; l++)
		{
			int profile = lane_profile(search, l);

			if (!is_accelerator(&search->fleet->profiles[profile], types->items[0].name))
				continue;
			for (int m = state->lane_start[g]; m < l; m++)
				if (kind->demand.mixed_accelerators ?
						is_accelerator(&search->fleet->profiles[lane_profile(search, m)],
									   types->items[0].name) :
						lane_profile(search, m) == profile)
					return true;
		}
	}
	return false;
}

/* Fills a kind's heap with the hardware whose ideal member would take it. */
static void
prepare_kind(Search *search, WorkKind *kind)
{
	SearchState *state = search->state;

	kind->state->prepared = true;
	kind->state->mixed = is_mixed(search, kind);
	for (int h = 0; h < state->nhardware; h++)
	{
		const double *preference = kind->preference;
		Candidate candidate;
		FilterReason reason;
		double factor = 1.0;

		/* the ideal worker has the best preference of any member */
		kind->preference = NULL;
		reason = search_candidate(search, kind, search->fleet->nworkers + h, &candidate);
		kind->preference = preference;
		if (reason != FITS)
			continue;
		if (preference != NULL)
		{
			factor = 0;
			for (int g = state->hardware_start[h]; g < state->hardware_start[h + 1]; g++)
				factor = Max(
					factor, preference_factor(search, kind, state->members[state->group_start[g]]));
		}
		push_entry(kind->state, (Entry){candidate.value * factor, ENTRY_HARDWARE, 0, h, 0, 0});
		CHECK_FOR_INTERRUPTS();
	}
}

/* Adds the lanes of a group that are of use to a kind, each with its value. */
static void
add_lanes(Search *search, WorkKind *kind, int group)
{
	SearchState *state = search->state;
	const NamedNumbers *types = &kind->demand.accelerators;
	const char *type = types->count > 0 ? types->items[0].name : NULL;
	int wanted = demand_occupancy(&kind->demand) == OCCUPY_WHOLE ? (int) types->items[0].value : 1;
	int first = state->members[state->group_start[group]];
	const Worker *worker = &search->fleet->workers[first];

	if (!worker->accepting || worker_unsuitable(search, kind, worker) != FITS)
		return;
	for (int l = state->lane_start[group]; l < state->lane_start[group + 1]; l++)
	{
		const int32 *positions = &state->positions[state->lanes[l].first_position];
		const Device *device = &search->fleet->devices[worker->first_device + positions[0]];
		Candidate candidate = {.worker = first, .ndevices = wanted, .devices = state->scratch};

		if (wanted > state->lanes[l].npositions || device->load > search->settings.max_load ||
			device_unsuitable(search, kind, worker, device, type, wanted - 1) != FITS)
			continue;
		for (int i = 0; i < wanted; i++)
			candidate.devices[i] = worker->first_device + positions[i];
		value_candidate(search, kind, &candidate);
		if (candidate.adjusted_efficiency >= search->settings.min_score)
			push_entry(kind->state,
					   (Entry){candidate.value, ENTRY_LANE, candidate.sparing, l, 0, 0});
	}
}

/* Looks into a hardware: its lanes, or single workers, become entries. */
static void
open_hardware(Search *search, WorkKind *kind, int hardware)
{
	SearchState *state = search->state;

	for (int g = state->hardware_start[hardware]; g < state->hardware_start[hardware + 1]; g++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!kind->state->mixed)
		{
			add_lanes(search, kind, g);
			continue;
		}
		for (int m = state->group_start[g]; m < state->group_start[g + 1]; m++)
		{
			Candidate candidate;

			if (search_candidate(search, kind, state->members[m], &candidate) == FITS)
				push_entry(kind->state, entry_of(search, &candidate));
		}
	}
}

/* Takes the best lanes, all of one value, off the heap as a kind's next band. */
static void
add_band(Search *search, WorkKind *kind)
{
	KindState *state = kind->state;
	Entry top = state->entries[0];
	int allocated = 16;
	int nlanes = 0;
	int32 *lanes = palloc(sizeof(int32) * allocated);

	while (state->nentries > 0 && state->entries[0].type == ENTRY_LANE &&
		   state->entries[0].value == top.value && state->entries[0].sparing == top.sparing)
	{
		if (nlanes == allocated)
			lanes = repalloc(lanes, sizeof(int32) * (allocated *= 2));
		lanes[nlanes++] = state->entries[0].index;
		pop_entry(state);
	}
	if (state->nbands == state->bands_allocated)
	{
		state->bands_allocated = Max(4, state->bands_allocated * 2);
		state->bands = state->bands == NULL ?
						   palloc(sizeof(Band) * state->bands_allocated) :
						   repalloc(state->bands, sizeof(Band) * state->bands_allocated);
	}
	state->bands[state->nbands++] =
		(Band){.value = top.value, .sparing = top.sparing, .tree = tree_of(search, lanes, nlanes)};
	pfree(lanes);
}

/* Returns a kind's band of that number, best first, or NULL if there are no more. */
static Band *
band_at(Search *search, WorkKind *kind, int number)
{
	KindState *state = kind->state;

	while (number >= state->nbands)
	{
		CHECK_FOR_INTERRUPTS();
		if (state->nentries == 0)
			return NULL;
		if (state->entries[0].type == ENTRY_HARDWARE)
		{
			int hardware = state->entries[0].index;

			pop_entry(state);
			open_hardware(search, kind, hardware);
		}
		else
			add_band(search, kind);
	}
	return &state->bands[number];
}

/* Takes out a band: its workers only get fuller, so it has nothing for the rest of the batch. */
static void
drop_band(KindState *state, int number)
{
	memmove(&state->bands[number], &state->bands[number + 1],
			sizeof(Band) * (state->nbands - number - 1));
	state->nbands--;
}

/*
 * Finds the best place in the bands, and sets *greatest to what the most valuable
 * candidate is worth.  Without sparing, the first band that has room has both.  With
 * it, the turn of place/spare.h comes first: an accelerator that is in use is looked
 * for down to the first CPU.
 */
static bool
best_of_bands(Search *search, WorkKind *kind, BandSearch *best, double *greatest)
{
	bool spares = spares_accelerators(search, kind);
	bool strictly = search->settings.spare_accelerators == SPARE_STRICTLY;
	bool found = false; /* an accelerator, so far */
	int like = -1; /* its profile */
	Band *band;
	int number = 0;

	while ((band = band_at(search, kind, number)) != NULL)
	{
		BandSearch look;
		bool cpu = spares && band->sparing > 0;

		if (!found || cpu)
		{
			if (!find_in_band(search, kind, band, -1, &look))
			{
				if (search->refills)
					number++;
				else
					drop_band(kind->state, number);
				continue;
			}
			/* an accelerator that was found scores higher than any CPU behind it */
			if (found && !strictly)
				return true;
			*greatest = found ? *greatest : band->value;
			*best = look;
			if (!spares || cpu)
				return true;
			found = true;
			like = search->fleet->devices[look.device].profile;
		}
		if (!best->in_use && find_in_band(search, kind, band, like, &look))
		{
			*best = look;
			if (!strictly)
				return true;
		}
		number++;
	}
	return found;
}

/* Finds the best of single workers, for work whose devices may differ. */
static bool
best_of_workers(Search *search, WorkKind *kind, Candidate *candidate)
{
	KindState *state = kind->state;

	while (state->nentries > 0)
	{
		Entry top = state->entries[0];
		Entry now;

		CHECK_FOR_INTERRUPTS();
		if (top.type == ENTRY_HARDWARE)
		{
			pop_entry(state);
			open_hardware(search, kind, top.index);
			continue;
		}
		if (search_candidate(search, kind, top.index, candidate) != FITS)
		{
			pop_entry(state);
			continue;
		}
		now = entry_of(search, candidate);
		if (!entry_before(&top, &now))
			return true;
		state->entries[0] = now;
		sift_down(state, 0);
	}
	return false;
}

/* So many workers of a band are looked at for the best of the others, at most. */
#define MOST_OTHERS 8

/*
 * Finds the most valuable candidate on any other worker than one; of work whose devices may differ,
 * as it was last looked at.  Returns false if there is none.
 */
static bool
best_elsewhere(Search *search, WorkKind *kind, int worker, int32 *device, int32 *other,
			   double *value)
{
	KindState *state = kind->state;
	Band *band;
	Candidate candidate;

	for (int number = 0; !state->mixed && (band = band_at(search, kind, number)) != NULL; number++)
	{
		BandSearch look = {
			.kind = kind, .value = band->value, .sparing = band->sparing, .like = -1};
		const UsageTree *tree = tree_of_band(search, band);
		Free need = need_of(search, kind, false);
		bool goes_on = band->passed && band->given_back == tree->given_back;
		Usage from = goes_on ? band->from : (Usage){INT32_MIN, INT32_MIN, INT64_MIN, INT32_MIN};
		const UsageNode *node;

		for (int tried = 0;
			 tried < MOST_OTHERS && (node = usage_tree_first(search, tree, &from, &need)) != NULL;
			 tried++)
		{
			from = node->usage;
			from.lane++;
			if (node->usage.worker == worker ||
				!candidate_of_band(search, &look, node->usage.worker, &candidate))
				continue;
			*device = candidate.devices[0];
			*other = node->usage.worker;
			*value = band->value;
			return true;
		}
	}
	/* the second of a heap is one of the first two below its top */
	for (int at = 1; state->mixed && at <= 2 && at < state->nentries; at++)
		if (state->entries[at].type == ENTRY_WORKER &&
			search_candidate(search, kind, state->entries[at].index, &candidate) == FITS)
		{
			*device = candidate.devices[0];
			*other = candidate.worker;
			*value = candidate.value;
			return true;
		}
	return false;
}

/* Keeps what the best candidate is worth, and the best of the others, for who asks later. */
static void
keep_scores(Search *search, WorkKind *kind, const Candidate *best, double greatest, double score)
{
	const PolicyPart *part = &kind->policy->parts[0];
	const Worker *worker = &search->fleet->workers[best->worker];
	Scored *scored = &search->scored;
	PartScore *parts;
	double value = -1;
	const double own = best->value;
	const int32 chosen = best->devices[0];

	*scored = NOT_SCORED;
	if (!search->keeps_second)
		return;
	(void) best_elsewhere(search, kind, best->worker, &scored->second_device,
						  &scored->second_worker, &value);
	for (int d = worker->first_device;
		 best->ndevices == 1 && d < worker->first_device + worker->ndevices; d++)
	{
		Candidate other;

		if (d != chosen && device_candidate(search, kind, best->worker, d, &other) == FITS &&
			other.value > value)
		{
			scored->second_worker = best->worker;
			scored->second_device = d;
			value = other.value;
		}
	}
	if (scored->second_worker < 0)
		return;
	greatest = Max(greatest, Max(own, value));
	parts = add_part_scores(search, 2, &scored->parts);
	parts[0] = (PartScore){(float) own, (float) (score / part->weight)};
	parts[1] = (PartScore){(float) value, (float) part_score(part, value, greatest)};
	scored->second_score = part->weight * parts[1].score;
}

/* The same, and sets *most to what the most valuable candidate is worth; 0: not known. */
static bool
find_best(Search *search, WorkKind *kind, Candidate *candidate, double *score, double *most)
{
	const PolicyPart *part = &kind->policy->parts[0];
	BandSearch best = {.kind = kind};
	double greatest = 0;

	if (!kind->state->prepared)
		prepare_kind(search, kind);
	*score = part->weight;
	*most = 0;
	if (kind->state->mixed)
		return best_of_workers(search, kind, candidate);
	if (!best_of_bands(search, kind, &best, &greatest))
		return false;
	*most = greatest;
	/* the most valuable one has score 1, whatever it is worth */
	if (best.value < greatest)
		*score = part->weight * part_score(part, best.value, greatest);
	*candidate = best.candidate;
	if (candidate->ndevices == 1)
	{
		candidate->devices[0] = best.device;
		return true;
	}
	return search_candidate(search, kind, best.candidate.worker, candidate) == FITS;
}

/*
 * Finds the best candidate for a kind of work and its score; returns false if none fits.  Its
 * devices stay valid until the next call.
 */
bool
hardware_search_best(Search *search, WorkKind *kind, Candidate *candidate, double *score)
{
	double greatest;

	if (!find_best(search, kind, candidate, score, &greatest))
		return false;
	if (search->keeps_second)
	{
		int32 device = candidate->devices[0];

		keep_scores(search, kind, candidate, greatest, *score);
		/* who looked at others used the same space for their devices */
		candidate->devices[0] = device;
		if (candidate->ndevices > 1)
			return search_candidate(search, kind, candidate->worker, candidate) == FITS;
	}
	return true;
}
