/*
 * candidate.c
 *		How one worker would take a workload: what keeps it from it, which of
 *		its devices it would use, and what that is worth.
 */
#include "document/label.h"
#include "model/heat_penalty.h"
#include "place/accelerators.h"
#include "place/candidate.h"
#include "place/spare.h"

/* Work that prefers a backend counts devices without it for this much. */
#define NOT_PREFERRED 0.9

/* And so does work that prefers labels, for each that a device lacks. */
#define LABEL_LACKING 0.9

/* --- labels --- */

/* Returns whether a device meets a condition of some kind of work. */
static bool
meets(const Fleet *fleet, const Device *device, int condition)
{
	const uint64 *bits = &fleet->selections[(Size) fleet->selection_words * device->selection];

	return device->selection == 0 || (bits[condition / 64] >> (condition % 64) & 1) != 0;
}

/* Returns why a device may not be chosen, whatever it is, or FITS. */
static FilterReason
unselected(const Fleet *fleet, const WorkKind *kind, const Device *device)
{
	if (device->selection == 0)
		return FITS;
	for (int i = 0; i < kind->nrequired; i++)
		if (!meets(fleet, device, kind->required[i]))
			return FILTERED_LABELS;
	return kind->tolerates >= 0 && !meets(fleet, device, kind->tolerates) ? FILTERED_TAINTS : FITS;
}

/* Returns what a device is worth for the labels that a kind of work prefers. */
static double
label_factor(const Fleet *fleet, const WorkKind *kind, const Device *device)
{
	double factor = 1.0;

	for (int i = 0; i < kind->npreferred; i++)
		if (!meets(fleet, device, kind->preferred[i]))
			factor *= LABEL_LACKING;
	return factor;
}

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
	return demanded_slots(demand) * (int64) WHOLE_SHARE + demanded_share(demand) * max_concurrent;
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
	FilterReason reason = unselected(search->fleet, kind, device);

	if (device->avoided)
		return FILTERED_NO_WORKER;
	if (reason != FITS)
		return reason;
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
		return demand_occupancy(&kind->demand) == OCCUPY_SLOT && device->share == 0 ?
				   FILTERED_SLOTS_BUSY :
				   FILTERED_DEVICE_BUSY;
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

	if (kind->npreferred > 0)
		value *= label_factor(search->fleet, kind, device);
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
	if (demand->exclusive && worker->assignments > 0)
		return FILTERED_EXCLUSIVE;
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
 * the more valuable one; of equal ones the one that spares accelerators; then, for a share, the
 * fuller one, so that others stay whole, and for a slot the emptier one; then the one with the
 * lower device_no.
 */
bool
device_before(Search *search, WorkKind *kind, int a, int b)
{
	const Fleet *fleet = search->fleet;
	Occupancy occupancy = demand_occupancy(&kind->demand);
	int sparing_a = device_sparing(search, kind, a);
	int sparing_b = device_sparing(search, kind, b);
	double value_a = device_value(search, kind, &fleet->devices[a]);
	double value_b = device_value(search, kind, &fleet->devices[b]);
	int64 room_a = device_room(&fleet->devices[a], search->settings.max_concurrent);
	int64 room_b = device_room(&fleet->devices[b], search->settings.max_concurrent);

	if (value_a != value_b)
		return value_a > value_b;
	if (sparing_a != sparing_b)
		return sparing_a > sparing_b;
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

/* Returns of how many devices at once the memory can be drawn from so much of a worker's. */
static int32
drawers_within(int64 memory, int64 free)
{
	return memory <= 0 ? UNLIMITED_DRAWERS : (int32) Min(Max(free, 0) / memory, UNLIMITED_DRAWERS);
}

/*
 * Chooses the whole accelerators of a worker that a workload takes, of each
 * type as many as it asks for.
 */
static FilterReason
choose_accelerators(Search *search, WorkKind *kind, const Worker *worker, int32 *chosen,
					int *nchosen)
{
	const NamedNumbers *types = &kind->demand.accelerators;
	const Device *devices = &search->fleet->devices[worker->first_device];
	SearchState *state = search->state;
	int64 memory = kind->profile.min_memory_bytes;
	int64 host_memory = worker->memory_bytes - kind->demand.host_memory_bytes;
	int ndevices = worker->ndevices;
	FilterReason *reasons = types->count == 1 ?
								state->scratch_reasons :
								palloc(sizeof(FilterReason) * types->count * ndevices);
	AcceleratorProblem problem = {.types = types,
								  .alike = !kind->demand.mixed_accelerators,
								  .ndevices = ndevices,
								  .profiles = state->scratch_profiles,
								  .reasons = reasons,
								  .values = state->scratch_values,
								  .draws = state->scratch_draws,
								  .drawers_ever = drawers_within(memory, host_memory),
								  .drawers_now =
									  drawers_within(memory, host_memory - worker->memory_used)};
	FilterReason result;

	for (int d = 0; d < ndevices; d++)
	{
		bool fits = false;

		for (int t = 0; t < types->count; t++)
		{
			FilterReason *reason = &reasons[t * ndevices + d];

			*reason = device_filter(search, kind, worker, &devices[d], types->items[t].name, 0);
			fits = fits || *reason == FITS;
		}
		state->scratch_profiles[d] = devices[d].profile;
		state->scratch_values[d] = fits ? device_value(search, kind, &devices[d]) : 0;
		state->scratch_draws[d] = memory > 0 && devices[d].uses_host_memory;
	}
	result = accelerators_choose(&problem, chosen, nchosen);
	for (int i = 0; i < *nchosen && result == FITS; i++)
		chosen[i] += worker->first_device;
	if (types->count > 1)
		pfree(reasons);
	return result;
}

/* Values a candidate, whose worker and devices are set. */
void
value_candidate(Search *search, WorkKind *kind, Candidate *candidate)
{
	double raw = 0;
	double adjusted = 0;
	double value = 0;

	for (int i = 0; i < candidate->ndevices; i++)
	{
		const Device *device = &search->fleet->devices[candidate->devices[i]];
		const ProfilePair *pair = pair_of(search, kind, device->profile);

		raw += pair->raw_efficiency;
		adjusted += device_adjusted(pair, device);
		value += device_value(search, kind, device);
	}
	candidate->raw_efficiency = raw / candidate->ndevices;
	candidate->adjusted_efficiency = adjusted / candidate->ndevices;
	candidate->value =
		value / candidate->ndevices * preference_factor(search, kind, candidate->worker);
	candidate->sparing = device_sparing(search, kind, candidate->devices[0]);
	search->candidates_scored++;
}

/*
 * Finds how a worker would take a workload now, by the score and what decides among
 * equal ones.  Returns FITS and fills candidate, whose devices stay valid until the next call, or
 * the reason why it would not.
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
 * Finds how a worker would take a workload if it were the only one: as
 * search_candidate(), but work that asks for no accelerator spares those of this worker.
 */
FilterReason
spared_candidate(Search *search, WorkKind *kind, int worker_index, Candidate *candidate)
{
	const Worker *worker = &search->fleet->workers[worker_index];
	const Device *devices = search->fleet->devices;
	FilterReason reason = search_candidate(search, kind, worker_index, candidate);
	double best_cpu = NAN;
	int best = candidate->devices[0];
	int like = devices[best].profile;
	Candidate other;

	if (reason != FITS || !spares_accelerators(search, kind) || candidate->sparing > 0)
		return reason;
	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		if (devices[d].sparing > 0 &&
			device_candidate(search, kind, worker_index, d, &other) == FITS)
			best_cpu = Max(best_cpu, other.value);
	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
	{
		int turn;
		int best_turn;

		if (device_candidate(search, kind, worker_index, d, &other) != FITS)
			continue;
		turn = spare_turn(search->settings.spare_accelerators, &devices[d], other.value, best_cpu,
						  like);
		(void) device_candidate(search, kind, worker_index, best, candidate);
		best_turn = spare_turn(search->settings.spare_accelerators, &devices[best],
							   candidate->value, best_cpu, like);
		if (turn != best_turn ? turn < best_turn : device_before(search, kind, d, best))
			best = d;
	}
	return device_candidate(search, kind, worker_index, best, candidate);
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

/* Replicas are for when a worker fails, so they never share one, nor does what keeps apart. */
bool
may_share_worker(const WorkKind *kind)
{
	return kind->demand.share_worker && !kind->demand.group_apart &&
		   profile_strategy(&kind->profile) == STRATEGY_SHARDED;
}

/* Returns how many workers a gang takes at the least. */
int
workers_needed(const WorkKind *kind)
{
	return may_share_worker(kind) ? 1 : gang_least(&kind->profile, &kind->demand);
}
