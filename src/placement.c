/*
 * placement.c
 *		Which device runs what: the decision, in memory.
 *
 * Workloads are taken in the order of the queue, and each gets the candidate
 * with the greatest value; equal values go to a CPU if the work asks for no
 * accelerator, then to the least used worker, then to the lowest worker_id.
 *
 * What makes it fast and still exact:
 *
 * - The efficiency of a workload on a device depends on their two profiles,
 *	 so it is computed once per pair of profiles (pair_of).
 * - Workers with the same hardware form a group.  A group is judged by an
 *	 ideal member: idle, cool, with the best state of any.  No member can have
 *	 a greater value, so a group is looked into only when its ideal member
 *	 comes first (the heap's closed entries).
 * - Within a batch a worker only ever gets fuller, so its value for a kind of
 *	 work only falls.  A heap whose entries are checked when they come out on
 *	 top therefore yields the true best.
 */
#include "placement.h"

#include "version.h"

/* Work that prefers a backend counts devices without it for this much. */
#define NOT_PREFERRED 0.9

typedef struct Pair
{
	bool		known;
	Mismatch	mismatch;
	double		raw_efficiency;
} Pair;

/* A worker, or a group not yet looked into, as a candidate for a kind. */
typedef struct Entry
{
	double		value;
	bool		closed;			/* worker is a group */
	bool		spares_accelerators;
	int32		worker;
	int32		assignments;
	int64		total_assignments;
} Entry;

typedef struct KindState
{
	Pair	   *pairs;			/* by device profile */
	bool		prepared;
	int			nentries;
	int			allocated;
	Entry	   *entries;		/* a heap, best first */
} KindState;

typedef struct SearchState
{
	int			ngroups;
	int		   *group_start;	/* in group_members; ngroups + 1 of them */
	int		   *group_members;	/* workers, by group */
	int32	   *scratch;		/* device indices, as many as any worker has */
	double	   *scratch_values;
	Refusal    *scratch_refusals;
} SearchState;

/* --- one device --- */

static const Pair *
pair_of(Search *search, WorkKind *kind, int profile)
{
	Pair	   *pair = &kind->state->pairs[profile];

	if (!pair->known)
	{
		const DeviceProfile *device = &search->fleet->profiles[profile];

		pair->known = true;
		pair->mismatch = device_mismatch(&kind->profile, device);
		if (pair->mismatch == MATCHES)
			pair->raw_efficiency = raw_efficiency(&kind->profile, device);
		search->pairs_scored++;
	}
	return pair;
}

static bool
is_cpu(const DeviceProfile *profile)
{
	return same_name(profile->hardware_class, "cpu");
}

/* Returns whether a device is an accelerator of a type; NULL: of any. */
static bool
is_accelerator(const DeviceProfile *profile, const char *type)
{
	if (type == NULL)
		return !is_cpu(profile);
	return same_name(profile->hardware_class, type) ||
		names_contain(&profile->supported_backends, type);
}

/*
 * Returns whether a device has room, beside what it runs.  A slot is one
 * max_concurrent-th of its device, so that slots and shares add up to one
 * device at most; a whole accelerator has to be empty.
 */
static bool
device_has_room(const Device *device, const Demand *demand, int64 max_concurrent)
{
	int64		used = device->slots * (int64) WHOLE_SHARE + device->share * max_concurrent;
	int64		asked = WHOLE_SHARE;

	switch (demand_occupancy(demand))
	{
		case OCCUPY_SLOT:
			asked = WHOLE_SHARE;
			break;
		case OCCUPY_SHARE:
			asked = demand->share * max_concurrent;
			break;
		case OCCUPY_WHOLE:
			asked = WHOLE_SHARE * max_concurrent;
			break;
	}
	return used + asked <= WHOLE_SHARE * max_concurrent;
}

/*
 * Returns why one device of a worker does not take its part of a workload.
 * others is how many devices the workload already has there.
 */
static Refusal
device_refusal(Search *search, WorkKind *kind, const Worker *worker,
			   const Device *device, const char *type, int others)
{
	static const Refusal of_mismatch[] = {
		[MATCHES] = FITS,
		[MISMATCH_BACKEND] = REFUSED_BACKEND,
		[MISMATCH_MODEL] = REFUSED_MODEL,
		[MISMATCH_PRECISION] = REFUSED_PRECISION,
		[MISMATCH_FEATURE] = REFUSED_FEATURE,
		[MISMATCH_UNITS] = REFUSED_UNITS,
		[MISMATCH_MEMORY] = REFUSED_MEMORY,
	};
	const DeviceProfile *profile = &search->fleet->profiles[device->profile];
	const Pair *pair = pair_of(search, kind, device->profile);
	int64		memory = kind->profile.min_memory_bytes;
	int64		host_memory = kind->demand.host_memory_bytes;

	if (pair->mismatch != MATCHES)
		return of_mismatch[pair->mismatch];
	if (device->memory_bytes >= 0 && memory > device->memory_bytes)
		return REFUSED_MEMORY;
	if (demand_occupancy(&kind->demand) != OCCUPY_SLOT && !is_accelerator(profile, type))
		return REFUSED_ACCELERATORS;
	if (device->uses_host_memory)
	{
		host_memory += memory * (others + 1);
		if (host_memory > worker->memory_bytes)
			return REFUSED_HOST_MEMORY;
	}

	if (device->load > search->settings.max_load)
		return REFUSED_LOAD;
	if (host_memory > 0 && worker->memory_used + host_memory > worker->memory_bytes)
		return REFUSED_HOST_MEMORY_BUSY;
	if (!device_has_room(device, &kind->demand, search->settings.max_concurrent))
		return REFUSED_DEVICE_BUSY;
	if (device->memory_bytes >= 0 && memory > 0 && device->memory_used + memory > device->memory_bytes)
		return REFUSED_DEVICE_MEMORY_BUSY;
	return FITS;
}

static double
device_adjusted(const Pair *pair, const Device *device)
{
	return adjusted_efficiency(pair->raw_efficiency, device->effective_load,
							   device->warming, device->cooling,
							   device->performance_level, device->temperature);
}

static bool
is_preferred(const WorkKind *kind, const DeviceProfile *profile)
{
	const NameSet *preferred = &kind->profile.preferred_backends;

	for (int i = 0; i < preferred->count; i++)
		if (names_contain(&profile->supported_backends, preferred->names[i]) ||
			same_name(profile->hardware_class, preferred->names[i]))
			return true;
	return preferred->count == 0;
}

/* Returns what a device is worth for a kind of work, before its worker's part. */
static double
device_value(Search *search, WorkKind *kind, const Device *device)
{
	double		adjusted = device_adjusted(pair_of(search, kind, device->profile), device);

	return is_preferred(kind, &search->fleet->profiles[device->profile]) ? adjusted : adjusted * NOT_PREFERRED;
}

/* --- one worker --- */

/* Returns why a worker, its devices apart, does not take a workload. */
static Refusal
worker_refusal(Search *search, WorkKind *kind, const Worker *worker)
{
	const Demand *demand = &kind->demand;

	if (demand->software.count > 0 &&
		!software_suffices(&search->fleet->software[worker->software], &demand->software))
		return REFUSED_SOFTWARE;
	if (demand->cpu_millicores > worker->cpu_millicores)
		return REFUSED_CPU_CORES;
	if (demand->host_memory_bytes > worker->memory_bytes)
		return REFUSED_HOST_MEMORY;
	if (!worker->accepting)
		return REFUSED_DRAINING;
	if (worker->max_concurrent > 0 && worker->assignments >= worker->max_concurrent)
		return REFUSED_CONCURRENT;
	if (demand->cpu_millicores > 0 && worker->cpu_used + demand->cpu_millicores > worker->cpu_millicores)
		return REFUSED_CPU_BUSY;
	if (demand->host_memory_bytes > 0 &&
		worker->memory_used + demand->host_memory_bytes > worker->memory_bytes)
		return REFUSED_HOST_MEMORY_BUSY;
	return FITS;
}

static double
preference_factor(const Search *search, const WorkKind *kind, int worker)
{
	if (kind->preference == NULL)
		return 1.0;
	return 1.0 + search->settings.preference_weight * (2.0 * kind->preference[worker] - 1.0);
}

/*
 * Chooses the one device of a worker for work that takes a slot or a share.
 * Equal values: a CPU for work that asks for no accelerator; then, for a
 * share, the fullest device, so that others stay whole, and for a slot the
 * emptiest; then the lowest device_no.
 */
static Refusal
choose_device(Search *search, WorkKind *kind, const Worker *worker, int32 *chosen)
{
	Fleet	   *fleet = search->fleet;
	Occupancy	occupancy = demand_occupancy(&kind->demand);
	const char *type = kind->demand.accelerators.count > 0 ? kind->demand.accelerators.items[0].name : NULL;
	Refusal		best_refusal = REFUSED_NO_WORKER;
	double		best_value = 0;
	int64		best_used = 0;
	int			best = -1;

	for (int i = worker->first_device; i < worker->first_device + worker->ndevices; i++)
	{
		const Device *device = &fleet->devices[i];
		Refusal		refusal = device_refusal(search, kind, worker, device, type, 0);
		double		value;
		int64		used;

		best_refusal = Max(best_refusal, refusal);
		if (refusal != FITS)
			continue;
		value = device_value(search, kind, device);
		used = device->slots * (int64) WHOLE_SHARE + device->share * (int64) search->settings.max_concurrent;
		if (occupancy == OCCUPY_SHARE)
			used = -used;
		if (best >= 0)
		{
			bool		cpu = occupancy == OCCUPY_SLOT && is_cpu(&fleet->profiles[device->profile]);
			bool		best_cpu = occupancy == OCCUPY_SLOT && is_cpu(&fleet->profiles[fleet->devices[best].profile]);

			if (value < best_value ||
				(value == best_value &&
				 (cpu < best_cpu || (cpu == best_cpu && used >= best_used))))
				continue;
		}
		best = i;
		best_value = value;
		best_used = used;
	}
	*chosen = best;
	return best_refusal;
}

/*
 * Chooses the whole accelerators of a worker: of each type as many as are
 * asked for, the most valuable ones, equal ones by device_no.  Returns FITS
 * and the number of devices, or the refusal of the device that is missing.
 */
static Refusal
choose_accelerators(Search *search, WorkKind *kind, const Worker *worker, int32 *chosen, int *nchosen)
{
	const NamedNumbers *types = &kind->demand.accelerators;
	SearchState *state = search->state;
	Refusal		result = FITS;

	*nchosen = 0;
	for (int t = 0; t < types->count; t++)
	{
		int			wanted = (int) types->items[t].value;
		int			first = *nchosen;

		/* the refusals of the devices that are closest to fitting */
		int			nrefusals = 0;

		for (int i = worker->first_device; i < worker->first_device + worker->ndevices; i++)
		{
			const Device *device = &search->fleet->devices[i];
			bool		taken = false;
			Refusal		refusal;
			int			at;

			for (int j = 0; j < first && !taken; j++)
				taken = chosen[j] == i;
			if (taken)
				continue;
			refusal = device_refusal(search, kind, worker, device, types->items[t].name,
									 first + wanted - 1);
			if (refusal == FITS)
			{
				double		value = device_value(search, kind, device);

				/* insert among the best so far */
				for (at = *nchosen; at > first && value > state->scratch_values[at - 1]; at--)
					;
				if (at < first + wanted)
				{
					int			last = Min(*nchosen, first + wanted - 1);

					for (int j = last; j > at; j--)
					{
						chosen[j] = chosen[j - 1];
						state->scratch_values[j] = state->scratch_values[j - 1];
					}
					chosen[at] = i;
					state->scratch_values[at] = value;
					*nchosen = last + 1;
				}
			}
			for (at = nrefusals; at > 0 && refusal > state->scratch_refusals[at - 1]; at--)
				state->scratch_refusals[at] = state->scratch_refusals[at - 1];
			state->scratch_refusals[at] = refusal;
			nrefusals++;
		}
		if (*nchosen - first < wanted)
			result = Min(result, nrefusals >= wanted ? state->scratch_refusals[wanted - 1] :
						 nrefusals > 0 ? Min(REFUSED_ACCELERATORS, state->scratch_refusals[0]) :
						 REFUSED_ACCELERATORS);
	}
	return result;
}

static void
value_candidate(Search *search, WorkKind *kind, Candidate *candidate)
{
	double		raw = 0;
	double		adjusted = 0;
	double		value = 0;
	bool		cpu = demand_occupancy(&kind->demand) == OCCUPY_SLOT;

	for (int i = 0; i < candidate->ndevices; i++)
	{
		const Device *device = &search->fleet->devices[candidate->devices[i]];
		const Pair *pair = pair_of(search, kind, device->profile);

		raw += pair->raw_efficiency;
		adjusted += device_adjusted(pair, device);
		value += device_value(search, kind, device);
		cpu = cpu && is_cpu(&search->fleet->profiles[device->profile]);
	}
	candidate->raw_efficiency = raw / candidate->ndevices;
	candidate->adjusted_efficiency = adjusted / candidate->ndevices;
	candidate->value = value / candidate->ndevices * preference_factor(search, kind, candidate->worker);
	candidate->spares_accelerators = cpu;
	search->candidates_scored++;
}

/*
 * Finds how a worker would take a workload now.  Returns FITS and fills
 * candidate, whose devices stay valid until the next call, or the reason why
 * it would not.
 */
Refusal
search_candidate(Search *search, WorkKind *kind, int worker_index, Candidate *candidate)
{
	const Worker *worker = &search->fleet->workers[worker_index];
	Refusal		refusal = worker_refusal(search, kind, worker);
	Refusal		of_devices;

	candidate->worker = worker_index;
	candidate->devices = search->state->scratch;
	candidate->ndevices = 1;
	if (demand_occupancy(&kind->demand) == OCCUPY_WHOLE)
		of_devices = choose_accelerators(search, kind, worker, candidate->devices, &candidate->ndevices);
	else
		of_devices = choose_device(search, kind, worker, &candidate->devices[0]);
	refusal = Min(refusal, of_devices);
	if (refusal != FITS)
		return refusal;
	value_candidate(search, kind, candidate);
	return candidate->adjusted_efficiency < search->settings.min_score ? REFUSED_SCORE : FITS;
}

/*
 * The same for one device of a worker, whatever the others offer: what the
 * ranking of compatible hardware shows.  device is an index in Fleet.devices.
 * The candidate is filled whenever the device's profile matches.
 */
Refusal
search_device(Search *search, WorkKind *kind, int worker_index, int device, Candidate *candidate)
{
	const Worker *worker = &search->fleet->workers[worker_index];
	const NamedNumbers *types = &kind->demand.accelerators;
	Refusal		refusal = REFUSED_NO_WORKER;
	Candidate	whole;

	for (int t = 0; t < Max(types->count, 1); t++)
		refusal = Max(refusal, device_refusal(search, kind, worker, &search->fleet->devices[device],
											  types->count > 0 ? types->items[t].name : NULL, 0));
	refusal = Min(refusal, worker_refusal(search, kind, worker));
	if (refusal == FITS && demand_occupancy(&kind->demand) == OCCUPY_WHOLE)
		refusal = search_candidate(search, kind, worker_index, &whole);

	candidate->worker = worker_index;
	candidate->ndevices = 1;
	candidate->devices = &search->state->scratch[0];
	candidate->devices[0] = device;
	if (pair_of(search, kind, search->fleet->devices[device].profile)->mismatch == MATCHES)
	{
		value_candidate(search, kind, candidate);
		if (refusal == FITS && candidate->adjusted_efficiency < search->settings.min_score)
			refusal = REFUSED_SCORE;
	}
	return refusal;
}

/* Returns how close the fleet is to taking a kind of work: FITS or a reason. */
Refusal
search_refusal(Search *search, WorkKind *kind)
{
	Refusal		best = REFUSED_NO_WORKER;
	Candidate	candidate;

	for (int i = 0; i < search->fleet->nworkers && best != FITS; i++)
	{
		Refusal		refusal = search_candidate(search, kind, i, &candidate);

		best = Max(best, refusal);
		CHECK_FOR_INTERRUPTS();
	}
	return best;
}

/* --- groups of workers with the same hardware --- */

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
	uint64		hash = UINT64_C(1469598103934665603);

	hash = (hash ^ worker->cpu_millicores) * UINT64_C(1099511628211);
	hash = (hash ^ worker->memory_bytes) * UINT64_C(1099511628211);
	hash = (hash ^ worker->software) * UINT64_C(1099511628211);
	for (int i = 0; i < worker->ndevices; i++)
		hash = (hash ^ fleet->devices[worker->first_device + i].profile) * UINT64_C(1099511628211);
	return (uint32) (hash ^ (hash >> 32));
}

/*
 * Groups the workers, and appends to the fleet one ideal worker per group:
 * nothing assigned, and each device in the best state that any member has.
 */
static void
make_groups(Search *search)
{
	Fleet	   *fleet = search->fleet;
	SearchState *state = search->state;
	int			nworkers = fleet->nworkers;
	int			nbuckets = 16;
	int		   *buckets;
	int		   *next = palloc(sizeof(int) * (nworkers + 1));
	int		   *first = palloc(sizeof(int) * (nworkers + 1));
	int			ndevices = fleet->ndevices;

	while (nbuckets < nworkers * 2)
		nbuckets *= 2;
	buckets = palloc(sizeof(int) * nbuckets);
	for (int i = 0; i < nbuckets; i++)
		buckets[i] = -1;

	/* a group is known by its first member; groups chain in the buckets */
	state->ngroups = 0;
	for (int i = 0; i < nworkers; i++)
	{
		Worker	   *worker = &fleet->workers[i];
		int		   *bucket = &buckets[hardware_hash(fleet, worker) & (nbuckets - 1)];
		int			group = *bucket;

		while (group >= 0 && !same_hardware(fleet, &fleet->workers[first[group]], worker))
			group = next[group];
		if (group < 0)
		{
			group = state->ngroups++;
			first[group] = i;
			next[group] = *bucket;
			*bucket = group;
			ndevices += worker->ndevices;
		}
		worker->group = group;
	}

	/* members by group, in the order of workers */
	state->group_start = palloc0(sizeof(int) * (state->ngroups + 2));
	state->group_members = palloc(sizeof(int) * (nworkers + 1));
	for (int i = 0; i < nworkers; i++)
		state->group_start[fleet->workers[i].group + 2]++;
	for (int g = 0; g < state->ngroups; g++)
		state->group_start[g + 2] += state->group_start[g + 1];
	for (int i = 0; i < nworkers; i++)
		state->group_members[state->group_start[fleet->workers[i].group + 1]++] = i;

	fleet->workers = repalloc(fleet->workers, sizeof(Worker) * (nworkers + state->ngroups + 1));
	fleet->devices = repalloc(fleet->devices, sizeof(Device) * (ndevices + 1));
	ndevices = fleet->ndevices;
	for (int g = 0; g < state->ngroups; g++)
	{
		Worker	   *ideal = &fleet->workers[nworkers + g];

		*ideal = fleet->workers[first[g]];
		ideal->accepting = true;
		ideal->assignments = 0;
		ideal->max_concurrent = 0;
		ideal->cpu_used = ideal->memory_used = 0;
		ideal->first_device = ndevices;
		for (int d = 0; d < ideal->ndevices; d++)
		{
			Device	   *best = &fleet->devices[ndevices++];

			*best = fleet->devices[fleet->workers[first[g]].first_device + d];
			best->slots = best->share = 0;
			best->memory_used = 0;
			best->warming = best->cooling = false;
			best->performance_level = 1.0;
			for (int m = state->group_start[g]; m < state->group_start[g + 1]; m++)
			{
				const Device *member = &fleet->devices[fleet->workers[state->group_members[m]].first_device + d];

				best->load = Min(best->load, member->load);
				best->effective_load = Min(best->effective_load, member->effective_load);
				best->temperature = Min(best->temperature, member->temperature);
			}
		}
	}
	pfree(buckets);
	pfree(next);
	pfree(first);
}

/*
 * Prepares a search: search->fleet, kinds and settings are set.  The fleet's
 * arrays are grown for the ideal workers; its counts stay as they are.
 */
void
search_begin(Search *search)
{
	Fleet	   *fleet = search->fleet;
	SearchState *state = palloc0(sizeof(SearchState));
	int			most_devices = 1;

	search->state = state;
	search->nchosen = search->chosen_allocated = 0;
	search->chosen = NULL;
	search->pairs_scored = search->candidates_scored = 0;
	for (int i = 0; i < fleet->nworkers; i++)
		most_devices = Max(most_devices, fleet->workers[i].ndevices);
	state->scratch = palloc(sizeof(int32) * (most_devices + 1));
	state->scratch_values = palloc(sizeof(double) * (most_devices + 1));
	state->scratch_refusals = palloc(sizeof(Refusal) * (most_devices + 1));
	for (int i = 0; i < search->nkinds; i++)
	{
		search->kinds[i].state = palloc0(sizeof(KindState));
		search->kinds[i].state->pairs = palloc0(sizeof(Pair) * (fleet->nprofiles + 1));
	}
	make_groups(search);
}

/* --- the heap of a kind's candidates --- */

/* Returns whether entry a comes before entry b. */
static bool
entry_before(const Entry *a, const Entry *b)
{
	if (a->value != b->value)
		return a->value > b->value;
	/* A member of a closed group may be as good, so look into it first. */
	if (a->closed != b->closed)
		return a->closed;
	if (a->spares_accelerators != b->spares_accelerators)
		return a->spares_accelerators;
	if (a->assignments != b->assignments)
		return a->assignments < b->assignments;
	if (a->total_assignments != b->total_assignments)
		return a->total_assignments < b->total_assignments;
	return a->worker < b->worker;
}

/* Orders candidates as the search does: best first. */
int
candidate_compare(const Search *search, const Candidate *a, const Candidate *b)
{
	const Worker *x = &search->fleet->workers[a->worker];
	const Worker *y = &search->fleet->workers[b->worker];
	Entry		left = {a->value, false, a->spares_accelerators, a->worker, x->assignments, x->total_assignments};
	Entry		right = {b->value, false, b->spares_accelerators, b->worker, y->assignments, y->total_assignments};

	return entry_before(&left, &right) ? -1 : entry_before(&right, &left) ? 1 : 0;
}

static void
sift_down(KindState *state, int at)
{
	Entry		entry = state->entries[at];

	for (;;)
	{
		int			child = 2 * at + 1;

		if (child >= state->nentries)
			break;
		if (child + 1 < state->nentries && entry_before(&state->entries[child + 1], &state->entries[child]))
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
	int			at = state->nentries;

	if (state->nentries == state->allocated)
	{
		state->allocated = Max(16, state->allocated * 2);
		state->entries = state->entries == NULL ? palloc(sizeof(Entry) * state->allocated) :
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

static Entry
entry_of(const Search *search, const Candidate *candidate)
{
	const Worker *worker = &search->fleet->workers[candidate->worker];

	return (Entry) {candidate->value, false, candidate->spares_accelerators,
		candidate->worker, worker->assignments, worker->total_assignments};
}

/* Fills a kind's heap with the groups whose ideal member would take it. */
static void
prepare_kind(Search *search, WorkKind *kind)
{
	SearchState *state = search->state;

	kind->state->prepared = true;
	for (int g = 0; g < state->ngroups; g++)
	{
		int			ideal = search->fleet->nworkers + g;
		const double *preference = kind->preference;
		Candidate	candidate;
		Refusal		refusal;
		double		factor = 1.0;

		/* the ideal worker has the best preference of any member */
		kind->preference = NULL;
		refusal = search_candidate(search, kind, ideal, &candidate);
		kind->preference = preference;
		if (refusal != FITS)
			continue;
		if (preference != NULL)
		{
			factor = 0;
			for (int m = state->group_start[g]; m < state->group_start[g + 1]; m++)
				factor = Max(factor, preference_factor(search, kind, state->group_members[m]));
		}
		push_entry(kind->state, (Entry) {candidate.value * factor, true, false, g, 0, 0});
		CHECK_FOR_INTERRUPTS();
	}
}

static void
open_group(Search *search, WorkKind *kind, int group)
{
	for (int m = search->state->group_start[group]; m < search->state->group_start[group + 1]; m++)
	{
		Candidate	candidate;

		if (search_candidate(search, kind, search->state->group_members[m], &candidate) == FITS)
			push_entry(kind->state, entry_of(search, &candidate));
		CHECK_FOR_INTERRUPTS();
	}
}

/* Finds the best candidate for a kind of work; returns false if none fits. */
static bool
best_candidate(Search *search, WorkKind *kind, Candidate *candidate)
{
	KindState  *state = kind->state;

	if (!state->prepared)
		prepare_kind(search, kind);
	while (state->nentries > 0)
	{
		Entry		top = state->entries[0];
		Entry		now;

		CHECK_FOR_INTERRUPTS();
		if (top.closed)
		{
			pop_entry(state);
			open_group(search, kind, top.worker);
			continue;
		}
		if (search_candidate(search, kind, top.worker, candidate) != FITS)
		{
			/* It only gets fuller: out for the rest of the batch. */
			pop_entry(state);
			continue;
		}
		now = entry_of(search, candidate);
		Assert(now.value <= top.value);
		if (!entry_before(&top, &now))
			return true;
		state->entries[0] = now;
		sift_down(state, 0);
	}
	return false;
}

/* --- the batch --- */

/* Books a workload on devices of a worker, in memory. */
void
fleet_occupy(Fleet *fleet, const WorkKind *kind, int worker_index,
			 const int32 *devices, int ndevices)
{
	Worker	   *worker = &fleet->workers[worker_index];

	worker->assignments++;
	worker->total_assignments++;
	worker->cpu_used += kind->demand.cpu_millicores;
	worker->memory_used += kind->demand.host_memory_bytes;
	for (int i = 0; i < ndevices; i++)
	{
		Device	   *device = &fleet->devices[devices[i]];

		switch (demand_occupancy(&kind->demand))
		{
			case OCCUPY_SLOT:
				device->slots++;
				break;
			case OCCUPY_SHARE:
				device->share += kind->demand.share;
				break;
			case OCCUPY_WHOLE:
				device->share += WHOLE_SHARE;
				break;
		}
		device->memory_used += kind->profile.min_memory_bytes;
		if (device->uses_host_memory)
			worker->memory_used += kind->profile.min_memory_bytes;
	}
}

static int32 *
add_chosen(Search *search, int count)
{
	while (search->nchosen + count > search->chosen_allocated)
	{
		search->chosen_allocated = Max(64, search->chosen_allocated * 2);
		search->chosen = search->chosen == NULL ? palloc(sizeof(int32) * search->chosen_allocated) :
			repalloc(search->chosen, sizeof(int32) * search->chosen_allocated);
	}
	search->nchosen += count;
	return &search->chosen[search->nchosen - count];
}

/*
 * Decides for each item of the queue, in its order, which worker and devices
 * it gets; the fleet is booked accordingly.  Items that nothing fits, and all
 * after most placements (most < 0: no limit), have worker -1.  Time: n log n in items, and in workers per kind that needs them.
 */
void
search_place(Search *search, QueueItem *items, int nitems, int most)
{
	int			placed = 0;

	for (int i = 0; i < nitems; i++)
	{
		QueueItem  *item = &items[i];
		WorkKind   *kind = &search->kinds[item->kind];
		Candidate	best;

		item->worker = -1;
		if (placed == most || !best_candidate(search, kind, &best))
			continue;
		placed++;
		item->worker = best.worker;
		item->ndevices = best.ndevices;
		item->first_device = search->nchosen;
		memcpy(add_chosen(search, best.ndevices), best.devices, sizeof(int32) * best.ndevices);
		item->efficiency = clamp01(best.raw_efficiency);
		item->adjusted_efficiency = best.adjusted_efficiency;
		/* an algorithm's best candidate has score 1 */
		item->score = search->settings.hardware_aware;
		fleet_occupy(search->fleet, kind, best.worker, best.devices, best.ndevices);
	}
}
