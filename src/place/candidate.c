/*
 * candidate.c
 *		How one worker would take a workload: what keeps it from it, which of
 *		its devices it would use, and what that is worth.
 */
#include "document/version.h"
#include "model/heat_penalty.h"
#include "place/candidate.h"

/* Work that prefers a backend counts devices without it for this much. */
#define NOT_PREFERRED 0.9

/* --- one device --- */

/* Returns what is known of a kind of work on a device profile. */
const ProfilePair *
pair_of(Search *search, WorkKind *kind, int profile)
{
	ProfilePair *pair = &kind->state->pairs[profile];

	if (!pair->known)
	{
		const DeviceProfile *device = &search->fleet->profiles[profile];

		pair->known = true;
		pair->mismatch = device_mismatch(&kind->profile, device);
		if (pair->mismatch == MISMATCH_UNITS && device->compute_units == 0 &&
			kind->profile.min_compute_units <= INFERRED_COMPUTE_UNITS)
		{
			/* nobody asked for the inferred units, and nobody knows how many there are */
			WorkloadProfile undemanding = kind->profile;

			undemanding.min_compute_units = 0;
			pair->mismatch = device_mismatch(&undemanding, device);
		}
		if (pair->mismatch == MATCHES && kind->demand.avoid_class != NULL &&
			same_name(device->hardware_class, kind->demand.avoid_class))
			pair->mismatch = MISMATCH_CLASS;
		if (pair->mismatch == MATCHES)
			pair->raw_efficiency = raw_efficiency(&kind->profile, device);
		search->pairs_scored++;
	}
	return pair;
}

/* Returns whether a device is a CPU. */
bool
is_cpu(const DeviceProfile *profile)
{
	return same_name(profile->hardware_class, "cpu");
}

/* Returns whether a device is an accelerator of a type; NULL: of any. */
bool
is_accelerator(const DeviceProfile *profile, const char *type)
{
	if (type == NULL)
		return !is_cpu(profile);
	return same_name(profile->hardware_class, type) ||
		   names_contain(&profile->supported_backends, type);
}

/* Returns what is held of a device, in the units of device_room. */
int64
device_held(const Device *device, int64 max_concurrent)
{
	return device->slots * (int64) WHOLE_SHARE + device->share * max_concurrent;
}

/*
 * Returns what is free of a device, in units of which a slot takes
 * WHOLE_SHARE and the whole device WHOLE_SHARE x max_concurrent: so slots and
 * shares add up to one device at most.  Nothing is free of one that takes
 * nothing.
 */
int64
device_room(const Device *device, int64 max_concurrent)
{
	if (device->draining || device->quarantined ||
		(device->on_probation && (device->slots > 0 || device->share > 0)))
		return 0;
	return WHOLE_SHARE * max_concurrent - device_held(device, max_concurrent);
}

/* Returns how much of that a workload takes of each of its devices. */
int64
demanded_room(const Demand *demand, int64 max_concurrent)
{
	switch (demand_occupancy(demand))
	{
		case OCCUPY_SLOT:
			return WHOLE_SHARE;
		case OCCUPY_SHARE:
			return demand->share * max_concurrent;
		case OCCUPY_WHOLE:
			break;
	}
	return WHOLE_SHARE * max_concurrent;
}

/* Returns how many devices of its worker a workload takes. */
int
demanded_devices(const Demand *demand)
{
	double devices = 0;

	if (demand_occupancy(demand) != OCCUPY_WHOLE)
		return 1;
	for (int t = 0; t < demand->accelerators.count; t++)
		devices += demand->accelerators.items[t].value;
	return (int) devices;
}

/*
 * Returns why one device of a worker would never take its part of a workload,
 * or FITS.  others is how many devices the workload already has there.
 */
FilterReason
device_unsuitable(Search *search, WorkKind *kind, const Worker *worker, const Device *device,
				  const char *type, int others)
{
	static const FilterReason of_mismatch[] = {
		[MATCHES] = FITS,
		[MISMATCH_BACKEND] = FILTERED_BACKEND,
		[MISMATCH_MODEL] = FILTERED_MODEL,
		[MISMATCH_PRECISION] = FILTERED_PRECISION,
		[MISMATCH_FEATURE] = FILTERED_FEATURE,
		[MISMATCH_UNITS] = FILTERED_UNITS,
		[MISMATCH_MEMORY] = FILTERED_MEMORY,
		[MISMATCH_CLASS] = FILTERED_CLASS,
	};
	const ProfilePair *pair = pair_of(search, kind, device->profile);
	int64 memory = kind->profile.min_memory_bytes;

	if (demand_occupancy(&kind->demand) != OCCUPY_SLOT &&
		!is_accelerator(&search->fleet->profiles[device->profile], type))
		return FILTERED_ACCELERATORS;
	if (pair->mismatch != MATCHES)
		return of_mismatch[pair->mismatch];
	if (device->memory_bytes >= 0 && memory > device->memory_bytes)
		return FILTERED_MEMORY;
	if (device->uses_host_memory &&
		kind->demand.host_memory_bytes + memory * (others + 1) > worker->memory_bytes)
		return FILTERED_HOST_MEMORY;
	return FITS;
}

static double
device_adjusted(const ProfilePair *pair, const Device *device)
{
	return adjusted_efficiency(pair->raw_efficiency, device->effective_load, device->warming,
							   device->cooling, device->performance_level, device->temperature);
}

/* The same for now: it may be loaded or taken, too. */
static FilterReason
device_filter(Search *search, WorkKind *kind, const Worker *worker, const Device *device,
			  const char *type, int others)
{
	int64 memory = kind->profile.min_memory_bytes;
	int64 host_memory = kind->demand.host_memory_bytes;
	FilterReason reason = device_unsuitable(search, kind, worker, device, type, others);

	if (reason != FITS)
		return reason;
	if (device->uses_host_memory)
		host_memory += memory * (others + 1);
	if (device->quarantined)
		return FILTERED_DEVICE_HEALTH;
	if (device->draining)
		return FILTERED_DEVICE_DRAINING;
	if (device->load > search->settings.max_load)
		return FILTERED_LOAD;
	if (host_memory > 0 && worker->memory_used + host_memory > worker->memory_bytes)
		return FILTERED_HOST_MEMORY_BUSY;
	if (demanded_room(&kind->demand, search->settings.max_concurrent) >
		device_room(device, search->settings.max_concurrent))
		return FILTERED_DEVICE_BUSY;
	if (device->memory_bytes >= 0 && memory > 0 &&
		device->memory_used + memory > device->memory_bytes)
		return FILTERED_DEVICE_MEMORY_BUSY;
	if (device_adjusted(pair_of(search, kind, device->profile), device) <
		search->settings.min_score)
		return FILTERED_SCORE;
	return FITS;
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

/* Returns the factor 0.5..1 of the heat that a kind of work would cause on a device. */
double
device_heat_factor(const WorkKind *kind, const Device *device)
{
	if (isinf(device->throttles_at))
		return 1.0;
	return heat_share_factor(work_intensity(&kind->profile), device->throttles_at);
}

/* Returns what a device is worth for a kind of work, before its worker's part. */
static double
device_value(Search *search, WorkKind *kind, const Device *device)
{
	double value = device_adjusted(pair_of(search, kind, device->profile), device) *
				   device_heat_factor(kind, device);

	return is_preferred(kind, &search->fleet->profiles[device->profile]) ? value :
																		   value * NOT_PREFERRED;
}

/* --- one worker --- */

/* Returns why a worker, its devices apart, would never take a workload. */
FilterReason
worker_unsuitable(Search *search, WorkKind *kind, const Worker *worker)
{
	const Demand *demand = &kind->demand;

	if (demand->software.count > 0 &&
		!software_suffices(&search->fleet->software[worker->software], &demand->software))
		return FILTERED_SOFTWARE;
	if (demand->cpu_millicores > worker->cpu_millicores)
		return FILTERED_CPU_CORES;
	if (demand->host_memory_bytes > worker->memory_bytes)
		return FILTERED_HOST_MEMORY;
	return FITS;
}

/* The same for now. */
static FilterReason
worker_filter(Search *search, WorkKind *kind, const Worker *worker)
{
	const Demand *demand = &kind->demand;
	FilterReason reason = worker_unsuitable(search, kind, worker);

	if (reason != FITS)
		return reason;
	if (!worker->accepting)
		return worker->unhealthy ? FILTERED_HEALTH : FILTERED_DRAINING;
	if (worker->cordoned)
		return FILTERED_RESERVED;
	if (worker->runs_alone)
		return FILTERED_ALONE;
	if (worker->max_concurrent > 0 && worker->assignments >= worker->max_concurrent)
		return FILTERED_CONCURRENT;
	if (demand->cpu_millicores > 0 &&
		worker->cpu_used + demand->cpu_millicores > worker->cpu_millicores)
		return FILTERED_CPU_BUSY;
	if (demand->host_memory_bytes > 0 &&
		worker->memory_used + demand->host_memory_bytes > worker->memory_bytes)
		return FILTERED_HOST_MEMORY_BUSY;
	return FITS;
}

/* Returns what a learned preference (0..1, 0.5 is neutral) means, as a factor. */
double
factor_of_preference(const PlacementSettings *settings, double preference)
{
	return 1.0 + settings->preference_weight * (2.0 * preference - 1.0);
}

/* Returns what was learned of a worker for a kind of work, as a factor. */
double
preference_factor(const Search *search, const WorkKind *kind, int worker)
{
	if (kind->preference == NULL)
		return 1.0;
	return factor_of_preference(&search->settings, kind->preference[worker]);
}

/*
 * Returns whether nothing at all fits on a worker, whatever it asks for: it
 * has all the assignments that it takes, or each of its devices is full.
 */
bool
worker_is_full(const Search *search, int worker_index)
{
	const Worker *worker = &search->fleet->workers[worker_index];

	if (worker->max_concurrent > 0 && worker->assignments >= worker->max_concurrent)
		return true;
	for (int i = worker->first_device; i < worker->first_device + worker->ndevices; i++)
		if (device_room(&search->fleet->devices[i], search->settings.max_concurrent) > 0)
			return false;
	return true;
}

/*
 * Returns what a device is worth for a kind of work once its worker's thermal
 * phase is over and nothing is assigned there, or -1 if it takes none of it.
 */
static double
device_bound(Search *search, WorkKind *kind, const Worker *worker, const Device *device)
{
	const NamedNumbers *types = &kind->demand.accelerators;
	Device free_device = *device;
	FilterReason reason = FILTERED_NO_WORKER;

	for (int t = 0; t < Max(types->count, 1); t++)
		reason = Max(reason, device_unsuitable(search, kind, worker, device,
											   types->count > 0 ? types->items[t].name : NULL, 0));
	if (reason != FITS || device->load > search->settings.max_load)
		return -1;
	free_device.effective_load = device->load;
	free_device.warming = free_device.cooling = false;
	free_device.performance_level = 1.0;
	if (device_adjusted(pair_of(search, kind, device->profile), &free_device) <
		search->settings.min_score)
		return -1;
	return device_value(search, kind, &free_device);
}

/*
 * Returns the most that a candidate of a worker can be worth for a kind of
 * work while its load and temperature stay as they are, before its worker's
 * preference: on its CPUs, or on its other devices.  -1: it takes none of it.
 *
 * The value of a candidate is the mean over its devices.  Here all of them
 * are as good as the best one, and as rounding is monotone, no sum of lesser
 * values in any order comes out above theirs.
 */
double
search_bound(Search *search, WorkKind *kind, int worker_index, bool cpu)
{
	const Worker *worker = &search->fleet->workers[worker_index];
	double best = -1;
	double sum = 0;
	int wanted = 0;

	if (worker_unsuitable(search, kind, worker) != FITS)
		return -1;
	for (int i = worker->first_device; i < worker->first_device + worker->ndevices; i++)
	{
		const Device *device = &search->fleet->devices[i];

		if (is_cpu(&search->fleet->profiles[device->profile]) == cpu)
			best = Max(best, device_bound(search, kind, worker, device));
	}
	if (best < 0 || demand_occupancy(&kind->demand) != OCCUPY_WHOLE)
		return best;
	for (int t = 0; t < kind->demand.accelerators.count; t++)
		wanted += (int) kind->demand.accelerators.items[t].value;
	for (int i = 0; i < wanted; i++)
		sum += best;
	return sum / wanted;
}

/*
 * Returns what no candidate is worth less than, before its worker's preference and the heat it
 * would cause.
 */
double
least_value(const Search *search)
{
	return search->settings.min_score * NOT_PREFERRED;
}

/*
 * Returns whether a kind of work takes device a of a worker before device b:
 * the more valuable one; of equal ones a CPU, for work that asks for no
 * accelerator; then, for a share, the fuller one, so that others stay whole,
 * and for a slot the emptier one; then the one with the lower device_no.
 */
bool
device_before(Search *search, WorkKind *kind, int a, int b)
{
	const Fleet *fleet = search->fleet;
	Occupancy occupancy = demand_occupancy(&kind->demand);
	double value_a = device_value(search, kind, &fleet->devices[a]);
	double value_b = device_value(search, kind, &fleet->devices[b]);
	int64 room_a = device_room(&fleet->devices[a], search->settings.max_concurrent);
	int64 room_b = device_room(&fleet->devices[b], search->settings.max_concurrent);

	if (value_a != value_b)
		return value_a > value_b;
	if (occupancy == OCCUPY_SLOT)
	{
		bool cpu_a = is_cpu(&fleet->profiles[fleet->devices[a].profile]);
		bool cpu_b = is_cpu(&fleet->profiles[fleet->devices[b].profile]);

		if (cpu_a != cpu_b)
			return cpu_a;
	}
	if (occupancy != OCCUPY_WHOLE && room_a != room_b)
		return occupancy == OCCUPY_SHARE ? room_a < room_b : room_a > room_b;
	return a < b;
}

/* Chooses the one device of a worker for work that takes a slot or a share. */
static FilterReason
choose_device(Search *search, WorkKind *kind, const Worker *worker, int32 *chosen)
{
	const char *type =
		kind->demand.accelerators.count > 0 ? kind->demand.accelerators.items[0].name : NULL;
	FilterReason furthest = FILTERED_NO_WORKER;

	*chosen = -1;
	for (int i = worker->first_device; i < worker->first_device + worker->ndevices; i++)
	{
		FilterReason reason =
			device_filter(search, kind, worker, &search->fleet->devices[i], type, 0);

		furthest = Max(furthest, reason);
		if (reason == FITS && (*chosen < 0 || device_before(search, kind, i, *chosen)))
			*chosen = i;
	}
	return furthest;
}

/* Orders the types that a kind asks for: the rarest in this worker first. */
static void
order_types(Search *search, const NamedNumbers *types, const Worker *worker, int *order)
{
	int *matching = palloc0(sizeof(int) * (types->count + 1));

	for (int t = 0; t < types->count; t++)
	{
		int at = t;

		for (int i = worker->first_device; i < worker->first_device + worker->ndevices; i++)
			matching[t] += is_accelerator(
				&search->fleet->profiles[search->fleet->devices[i].profile], types->items[t].name);
		for (; at > 0 && matching[t] < matching[order[at - 1]]; at--)
			order[at] = order[at - 1];
		order[at] = t;
	}
	pfree(matching);
}

/*
 * Chooses wanted devices of one type, the most valuable ones, equal ones by
 * device_no; *hosts of them, so far, use their worker's memory.  Devices that
 * are chosen already are left out.  Returns FITS, or the refusal of the device
 * that is missing.
 */
static FilterReason
choose_of_type(Search *search, WorkKind *kind, const Worker *worker, const char *type, int wanted,
			   int32 *chosen, int *nchosen, int64 *hosts)
{
	SearchState *state = search->state;
	int64 memory = kind->profile.min_memory_bytes;
	int64 host_memory = worker->memory_bytes - kind->demand.host_memory_bytes;
	int first = *nchosen;
	int nfitting = 0;
	int nrefusals = 0;
	int64 hosts_before = *hosts;
	int64 owners = 0; /* devices that would do, by whose memory they use */
	int64 drawers = 0;

	for (int i = worker->first_device; i < worker->first_device + worker->ndevices; i++)
	{
		const Device *device = &search->fleet->devices[i];
		bool taken = false;
		FilterReason reason;
		int at;

		for (int j = 0; j < first && !taken; j++)
			taken = chosen[j] == i;
		if (taken)
			continue;

		reason = device_filter(search, kind, worker, device, type, 0);
		if (reason > FILTERED_HOST_MEMORY)
		{
			if (memory > 0 && device->uses_host_memory)
				drawers++;
			else
				owners++;
		}
		if (reason == FITS)
		{
			double value = device_value(search, kind, device);

			for (at = nfitting++; at > 0 && value > state->scratch_values[at - 1]; at--)
			{
				state->scratch_values[at] = state->scratch_values[at - 1];
				state->scratch_fitting[at] = state->scratch_fitting[at - 1];
			}
			state->scratch_values[at] = value;
			state->scratch_fitting[at] = i;
		}
		for (at = nrefusals++; at > 0 && reason > state->scratch_reasons[at - 1]; at--)
			state->scratch_reasons[at] = state->scratch_reasons[at - 1];
		state->scratch_reasons[at] = reason;
	}

	/* together they may draw more on their worker's memory than it has */
	for (int f = 0; f < nfitting; f++)
	{
		bool draws =
			memory > 0 && search->fleet->devices[state->scratch_fitting[f]].uses_host_memory;

		if (*nchosen - first < wanted &&
			(!draws || (*hosts + 1) * memory <= host_memory - worker->memory_used))
		{
			*hosts += draws;
			chosen[(*nchosen)++] = state->scratch_fitting[f];
		}
	}
	if (*nchosen - first == wanted)
		return FITS;
	if (owners + drawers >= wanted && drawers > 0 &&
		(wanted - owners + hosts_before) * memory > host_memory)
		return FILTERED_HOST_MEMORY;
	if (nfitting >= wanted)
		return FILTERED_HOST_MEMORY_BUSY;
	if (nrefusals >= wanted)
		return state->scratch_reasons[wanted - 1];
	return nrefusals > 0 ? Min(FILTERED_ACCELERATORS, state->scratch_reasons[0]) :
						   FILTERED_ACCELERATORS;
}

/*
 * Chooses the whole accelerators of a worker, of each type as many as are
 * asked for.  Types may overlap (a rocm device is a gpu, too), so the rarest
 * chooses first.
 */
static FilterReason
choose_accelerators(Search *search, WorkKind *kind, const Worker *worker, int32 *chosen,
					int *nchosen)
{
	const NamedNumbers *types = &kind->demand.accelerators;
	FilterReason result = FITS;
	int64 hosts = 0;
	int only = 0;
	int *order = &only;

	if (types->count > 1)
	{
		order = palloc(sizeof(int) * types->count);
		order_types(search, types, worker, order);
	}
	*nchosen = 0;
	for (int t = 0; t < types->count; t++)
	{
		const NamedNumber *type = &types->items[order[t]];
		FilterReason reason = choose_of_type(search, kind, worker, type->name, (int) type->value,
											 chosen, nchosen, &hosts);

		result = Min(result, reason);
	}
	if (types->count > 1)
		pfree(order);
	/* as they stand in the worker, whatever they were chosen for */
	for (int i = 1; i < *nchosen; i++)
	{
		int32 device = chosen[i];
		int at = i;

		for (; at > 0 && device < chosen[at - 1]; at--)
			chosen[at] = chosen[at - 1];
		chosen[at] = device;
	}
	return result;
}

/* Values a candidate, whose worker and devices are set. */
void
value_candidate(Search *search, WorkKind *kind, Candidate *candidate)
{
	double raw = 0;
	double adjusted = 0;
	double value = 0;
	bool cpu = demand_occupancy(&kind->demand) == OCCUPY_SLOT;

	for (int i = 0; i < candidate->ndevices; i++)
	{
		const Device *device = &search->fleet->devices[candidate->devices[i]];
		const ProfilePair *pair = pair_of(search, kind, device->profile);

		raw += pair->raw_efficiency;
		adjusted += device_adjusted(pair, device);
		value += device_value(search, kind, device);
		cpu = cpu && is_cpu(&search->fleet->profiles[device->profile]);
	}
	candidate->raw_efficiency = raw / candidate->ndevices;
	candidate->adjusted_efficiency = adjusted / candidate->ndevices;
	candidate->value =
		value / candidate->ndevices * preference_factor(search, kind, candidate->worker);
	candidate->spares_accelerators = cpu;
	search->candidates_scored++;
}

/*
 * Finds how a worker would take a workload now.  Returns FITS and fills
 * candidate, whose devices stay valid until the next call, or the reason why
 * it would not.
 */
FilterReason
search_candidate(Search *search, WorkKind *kind, int worker_index, Candidate *candidate)
{
	const Worker *worker = &search->fleet->workers[worker_index];
	FilterReason reason = worker_filter(search, kind, worker);
	FilterReason of_devices;

	candidate->worker = worker_index;
	candidate->devices = search->state->scratch;
	candidate->ndevices = 1;
	if (demand_occupancy(&kind->demand) == OCCUPY_WHOLE)
		of_devices =
			choose_accelerators(search, kind, worker, candidate->devices, &candidate->ndevices);
	else
		of_devices = choose_device(search, kind, worker, &candidate->devices[0]);
	reason = Min(reason, of_devices);
	if (reason != FITS)
		return reason;
	value_candidate(search, kind, candidate);
	return FITS;
}

/*
 * The same for one device, for work that takes no more than one; the reason is
 * not the furthest one.
 */
FilterReason
device_candidate(Search *search, WorkKind *kind, int worker_index, int device, Candidate *candidate)
{
	const Worker *worker = &search->fleet->workers[worker_index];
	const char *type =
		kind->demand.accelerators.count > 0 ? kind->demand.accelerators.items[0].name : NULL;
	FilterReason reason = worker_filter(search, kind, worker);

	if (reason == FITS)
		reason = device_filter(search, kind, worker, &search->fleet->devices[device], type, 0);
	if (reason != FITS)
		return reason;
	candidate->worker = worker_index;
	candidate->ndevices = 1;
	candidate->devices = &search->state->scratch[0];
	candidate->devices[0] = device;
	value_candidate(search, kind, candidate);
	return FITS;
}

/*
 * The same for one device of a worker, whatever the others offer: what the
 * ranking of compatible hardware shows.  device is an index in Fleet.devices.
 * The candidate is filled whenever the device's profile matches.
 */
FilterReason
search_device(Search *search, WorkKind *kind, int worker_index, int device, Candidate *candidate)
{
	const Worker *worker = &search->fleet->workers[worker_index];
	const NamedNumbers *types = &kind->demand.accelerators;
	FilterReason reason = FILTERED_NO_WORKER;
	Candidate whole;

	for (int t = 0; t < Max(types->count, 1); t++)
		reason = Max(reason, device_filter(search, kind, worker, &search->fleet->devices[device],
										   types->count > 0 ? types->items[t].name : NULL, 0));
	reason = Min(reason, worker_filter(search, kind, worker));
	if (reason == FITS && demand_occupancy(&kind->demand) == OCCUPY_WHOLE)
		reason = search_candidate(search, kind, worker_index, &whole);

	candidate->worker = worker_index;
	candidate->ndevices = 1;
	candidate->devices = &search->state->scratch[0];
	candidate->devices[0] = device;
	if (pair_of(search, kind, search->fleet->devices[device].profile)->mismatch == MATCHES)
		value_candidate(search, kind, candidate);
	return reason;
}

/*
 * Returns how close the fleet is to taking a kind of work: FITS, or the reason
 * of the worker that is closest; of a gang, of the last worker that it needs.
 */
FilterReason
search_filter_reason(Search *search, WorkKind *kind)
{
	int needed = is_gang(kind) ? workers_needed(kind) : 1;
	int count[FITS + 1] = {0};
	int reached = 0;
	Candidate candidate;

	for (int i = 0; i < search->fleet->nworkers && count[FITS] < needed; i++)
	{
		count[search_candidate(search, kind, i, &candidate)]++;
		CHECK_FOR_INTERRUPTS();
	}
	for (int reason = FITS; reason > FILTERED_NO_WORKER; reason--)
	{
		bool some = reached > 0;

		reached += count[reason];
		if (reached >= needed)
			return reason <= FILTERED_NEVER && some ? FILTERED_WORKERS : (FilterReason) reason;
	}
	return reached > 0 ? FILTERED_WORKERS : FILTERED_NO_WORKER;
}

/* Returns whether a kind of work is placed on several workers at once. */
bool
is_gang(const WorkKind *kind)
{
	return profile_strategy(&kind->profile) != STRATEGY_SINGLE;
}

/* Replicas are for when a worker fails, so they never share one. */
bool
may_share_worker(const WorkKind *kind)
{
	return kind->demand.share_worker && profile_strategy(&kind->profile) == STRATEGY_SHARDED;
}

/* Returns how many workers a gang takes at the least. */
int
workers_needed(const WorkKind *kind)
{
	return may_share_worker(kind) ? 1 : gang_least(&kind->profile, &kind->demand);
}
