/*
 * policy.c
 *		The algorithms that rank candidates: what each of them sees in one
 *		candidate, and how that becomes a score 0..1.
 *
 * The formulas of performance and priority are the guide's
 * (test/golden/README.md); those of the other algorithms stand with them.
 */
#include "place/candidate.h"
#include "place/fragmentation.h"
#include "place/policy.h"
#include "place/spare.h"

const AlgorithmTraits algorithm_traits[] = {
	[ALGORITHM_HARDWARE_AWARE] = {"hardware_aware", SCALE_GREATEST, 0, true, false},
	[ALGORITHM_PRIORITY] = {"priority", SCALE_NONE,
							USES_PRIORITY | USES_EXPECTED | USES_PERFORMANCE, true, false},
	[ALGORITHM_ROUND_ROBIN] = {"round_robin", SCALE_NONE, USES_TURN, false, false},
	[ALGORITHM_WEIGHTED_ROUND_ROBIN] = {"weighted_round_robin", SCALE_NONE, 0, true, false},
	[ALGORITHM_PERFORMANCE] = {"performance", SCALE_NONE, USES_EXPECTED | USES_PERFORMANCE, true,
							   false},
	[ALGORITHM_AFFINITY] = {"affinity", SCALE_NONE, USES_MODEL, false, false},
	[ALGORITHM_PACKING] = {"packing", SCALE_NONE, 0, true, true},
	[ALGORITHM_FRAGMENTATION] = {"fragmentation", SCALE_NONE, USES_SHAPES, true, true},
	[ALGORITHM_FILLING] = {"filling", SCALE_NONE, USES_SHAPES, true, true},
	[ALGORITHM_ENERGY] = {"energy", SCALE_LEAST, USES_EXPECTED | USES_MODEL, true, false},
	[ALGORITHM_COST] = {"cost", SCALE_LEAST, USES_EXPECTED | USES_MODEL | USES_COST, true, false},
	[ALGORITHM_PREDICTED_TIME] = {"predicted_time", SCALE_LEAST, USES_EXPECTED | USES_MODEL, true,
								  false},
	[ALGORITHM_OBJECTIVE] = {"objective", SCALE_NONE, USES_EXPECTED | USES_MODEL | USES_COST, true,
							 false},
	[ALGORITHM_FUNCTION] = {NULL, SCALE_NONE, USES_PRIORITY | USES_EXPECTED | USES_MODEL, true,
							false},
};

const int algorithm_count = ALGORITHM_FUNCTION;

/* --- policies --- */

/* Returns whether nothing but the hardware-aware score ranks. */
bool
policy_is_hardware_aware(const Policy *policy)
{
	return policy->nparts == 1 && policy->parts[0].algorithm == ALGORITHM_HARDWARE_AWARE;
}

/* Returns what a policy looks at, as a set of USES_ bits. */
int
policy_uses(const Policy *policy)
{
	int uses = 0;

	for (int p = 0; p < policy->nparts; p++)
		uses |= algorithm_traits[policy->parts[p].algorithm].uses;
	return uses;
}

/*
 * Returns whether equal scores go to the lowest worker_id, used or not.  What saves energy goes to
 * the least used instead, which on the published trace (make bench ARGS=energy) saves more and
 * leaves less unused; but packing keeps workers empty.
 */
bool
policy_takes_first_worker(const Policy *policy)
{
	if (policy_has(policy, ALGORITHM_ENERGY) && !policy_has(policy, ALGORITHM_PACKING))
		return false;
	for (int p = 0; p < policy->nparts; p++)
		if (algorithm_traits[policy->parts[p].algorithm].first_worker)
			return true;
	return false;
}

/* Returns whether an algorithm is part of a policy. */
bool
policy_has(const Policy *policy, Algorithm algorithm)
{
	for (int p = 0; p < policy->nparts; p++)
		if (policy->parts[p].algorithm == algorithm)
			return true;
	return false;
}

/* Adds a part to a policy, or its weight to what there is of the same algorithm. */
static void
add_part(Policy *policy, PolicyPart part)
{
	int p = 0;

	if (!(part.weight > 0.0))
		return;
	while (p < policy->nparts &&
		   (part.algorithm == ALGORITHM_FUNCTION || policy->parts[p].algorithm != part.algorithm))
		p++;
	if (p < policy->nparts)
		policy->parts[p].weight += part.weight;
	else
		policy->parts[policy->nparts++] = part;
}

/*
 * Returns the policy that ranks for some work: the one that is stated, with
 * objective as the pool weighs time, energy and cost, and with the share of all
 * weight for energy that the work's energy sensitivity (0..1; NAN: none) says.
 * So the sum of the weights stays, as with energy_weights.
 */
const Policy *
policy_in_force(const Policy *stated, EnergyWeights objective, double energy_sensitivity)
{
	double sensitivity = energy_sensitivity > 0.0 ? Min(1.0, energy_sensitivity) : 0.0;
	EnergyWeights weights = energy_weights(objective, 0.0);
	double weights_sum = weights.time + weights.energy + weights.cost;
	double sum = 0.0;
	Policy *policy;

	if (sensitivity == 0.0 && !policy_has(stated, ALGORITHM_OBJECTIVE))
		return stated;
	policy = palloc(sizeof(Policy));
	*policy = (Policy){0, palloc(sizeof(PolicyPart) * (stated->nparts + 4))};
	for (int p = 0; p < stated->nparts; p++)
	{
		PolicyPart part = stated->parts[p];

		sum += part.weight;
		part.weight *= 1.0 - sensitivity;
		if (part.algorithm == ALGORITHM_OBJECTIVE)
		{
			add_part(policy, (PolicyPart){ALGORITHM_PREDICTED_TIME,
										  weights.time / weights_sum * part.weight, -1});
			add_part(policy, (PolicyPart){ALGORITHM_ENERGY,
										  weights.energy / weights_sum * part.weight, -1});
			add_part(policy,
					 (PolicyPart){ALGORITHM_COST, weights.cost / weights_sum * part.weight, -1});
		}
		else
			add_part(policy, part);
	}
	add_part(policy, (PolicyPart){ALGORITHM_ENERGY, sensitivity * sum, -1});
	Assert(policy->nparts > 0);
	return policy;
}

/* --- what a worker has done so far --- */

/*
 * Returns 0..1: 1 for work that took no longer than expected, 0 for work that
 * took four times as long.
 */
double
time_score(double mean_seconds, double expected_seconds)
{
	double expected = expected_seconds > 1.0 ? expected_seconds : 1.0;

	return clamp01(1.0 - (mean_seconds / expected - 1.0) / 3.0);
}

static double
success_ratio(const Performance *performance)
{
	return (double) performance->successes / (performance->successes + performance->failures);
}

static bool
knows_nothing(const Performance *performance)
{
	return performance == NULL || performance->successes + performance->failures == 0;
}

/* A worker that has only failed has no duration; it is as slow as can be. */
static double
known_time_score(const Performance *performance, double expected_seconds)
{
	return performance->successes > 0 ? time_score(performance->mean_seconds, expected_seconds) :
										0.0;
}

/*
 * Returns how well a worker did on a type of work, 0..1, less what its load
 * takes; performance may be NULL.  A worker that never reported a load is
 * judged by its record alone.
 */
double
performance_score(const Performance *performance, double expected_seconds, bool reported,
				  double effective_load)
{
	double score = 0.5;

	if (!knows_nothing(performance))
	{
		double samples = (performance->successes + performance->failures) / 10.0;

		score = 0.3 * success_ratio(performance) +
				0.3 * known_time_score(performance, expected_seconds) + 0.1 * Min(1.0, samples);
	}
	return reported ? 0.7 * score + 0.3 * (1.0 - effective_load) : score;
}

/*
 * Returns the same for a workload of a priority: the more urgent, the more a
 * worker's speed counts; the least urgent (4 and 5) go where there is time.
 */
double
priority_score(int priority, const Performance *performance, double expected_seconds, bool reported,
			   double effective_load)
{
	double success_weight = priority <= 2 ? 0.2 : 0.3;
	double time_weight = priority <= 2 ? 0.6 : 0.3;
	double record_weight = priority <= 2 ? 0.8 : 0.6;
	double load_weight = priority <= 2 ? 0.2 : 0.4;
	double score = 0.5;

	if (priority >= 4)
		return 1.0 - effective_load;
	if (!knows_nothing(performance))
		score = success_weight * success_ratio(performance) +
				time_weight * known_time_score(performance, expected_seconds);
	return reported ? record_weight * score + load_weight * (1.0 - effective_load) : score;
}

/* --- one candidate --- */

/* Returns the mean effective load of a candidate's devices. */
double
candidate_load(const Search *search, const Candidate *candidate)
{
	double sum = 0;

	for (int i = 0; i < candidate->ndevices; i++)
		sum += search->fleet->devices[candidate->devices[i]].effective_load;
	return sum / candidate->ndevices;
}

/*
 * Returns the predicted duration in seconds: that of the slowest device.  With
 * subject -1 it is the formula's, without what was learned of work like it.
 */
double
candidate_seconds(const Search *search, const WorkKind *kind, const Candidate *candidate,
				  double expected_seconds, int subject)
{
	double slowest = 0;

	for (int i = 0; i < candidate->ndevices; i++)
	{
		int index = candidate->devices[i];
		int profile = search->fleet->devices[index].profile;
		const DeviceProfile *device = &search->fleet->profiles[profile];
		double seconds = search->forecast == NULL || subject < 0 ?
							 predict_seconds(&kind->profile, device, expected_seconds) :
							 base_seconds(&kind->profile, device, expected_seconds) *
								 forecast_factor(search->forecast, subject, profile, index);

		slowest = Max(slowest, seconds);
	}
	return slowest;
}

/* Returns the seconds that what a candidate takes is learned relative to. */
double
candidate_base_seconds(const Search *search, const WorkKind *kind, const Candidate *candidate,
					   double expected_seconds)
{
	double slowest = 0;

	for (int i = 0; i < candidate->ndevices; i++)
	{
		int profile = search->fleet->devices[candidate->devices[i]].profile;

		slowest = Max(slowest, base_seconds(&kind->profile, &search->fleet->profiles[profile],
											expected_seconds));
	}
	return slowest;
}

/*
 * Returns the P90 of a candidate's seconds, given those that candidate_seconds() predicts: nine
 * in ten such runs are over by then.  Where nothing was learned, the two are the same.
 */
double
candidate_p90(const Search *search, const Candidate *candidate, double seconds, int subject)
{
	double spread = 1.0;

	for (int i = 0; i < candidate->ndevices && search->forecast != NULL && subject >= 0; i++)
		spread =
			Max(spread, forecast_spread(search->forecast, subject,
										search->fleet->devices[candidate->devices[i]].profile));
	return seconds * spread;
}

/* As candidate_seconds(), for a kind of work whose policy looks at durations. */
static double
kind_seconds(const Search *search, const WorkKind *kind, const Candidate *candidate)
{
	return candidate_seconds(search, kind, candidate, kind->expected_seconds, kind->subject);
}

/* Returns the profile of a worker's CPU, NULL if it has none, and sets *busy to whether it runs
 * anything.  Several are alike, and parts of one. */
static const DeviceProfile *
worker_cpu(const Fleet *fleet, const Worker *worker, bool *busy)
{
	const DeviceProfile *cpu = NULL;

	*busy = worker->cpu_used > 0;
	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
	{
		const DeviceProfile *profile = &fleet->profiles[fleet->devices[d].profile];

		if (!is_cpu(profile))
			continue;
		cpu = cpu == NULL ? profile : cpu;
		*busy = *busy || fleet->devices[d].slots > 0;
	}
	return cpu;
}

/*
 * Units of a socket where a profile does not say how many sockets its CPU has: 16 cores of two
 * threads each, as the published power model counts (Power- and Fragmentation-aware Online
 * Scheduling for GPU Datacenters, CCGrid 2025).
 */
#define SOCKET_UNITS 32

/* The sockets of a CPU: how many there are, and what wakes each. */
typedef struct Sockets
{
	int64 count;
	int64 millicores; /* of each; the last may have less */
} Sockets;

static Sockets
sockets_of(const DeviceProfile *cpu, const Worker *worker)
{
	int64 units = cpu->compute_units > 0 ? cpu->compute_units : worker->cpu_millicores / 1000;

	if (cpu->sockets > 0)
		return (Sockets){cpu->sockets, Max(1, 1000 * units / cpu->sockets)};
	return (Sockets){Max(1, (units + SOCKET_UNITS - 1) / SOCKET_UNITS), 1000 * SOCKET_UNITS};
}

/* Returns how many of them are awake while so many millicores are taken, each before the next. */
static int64
sockets_awake(const Sockets *sockets, int64 millicores)
{
	return Min(sockets->count, (millicores + sockets->millicores - 1) / sockets->millicores);
}

/* Returns the watts by which the CPU of a candidate's worker draws more with the work there. */
static double
extra_cpu_watts(const Search *search, const WorkKind *kind, const Candidate *candidate)
{
	const Fleet *fleet = search->fleet;
	const Worker *worker = &fleet->workers[candidate->worker];
	bool busy;
	const DeviceProfile *cpu = worker_cpu(fleet, worker, &busy);
	Sockets sockets;
	int64 before;
	int64 after;

	if (cpu == NULL)
		return 0.0;
	sockets = sockets_of(cpu, worker);
	before = sockets_awake(&sockets, worker->cpu_used);
	after = sockets_awake(&sockets, worker->cpu_used + kind->demand.cpu_millicores);
	/* what runs on the CPU takes some core of it, whether it says so or not */
	if (busy)
		before = Max(before, 1);
	if (is_cpu(&fleet->profiles[fleet->devices[candidate->devices[0]].profile]))
		after = Max(after, 1);
	return Max(0, after - before) / (double) sockets.count *
		   energy_range(cpu->idle_power_w, full_watts(cpu));
}

/*
 * Returns the watts that the cluster draws more with a kind of work on a candidate, which stands
 * for so many alike, than without it.  An accelerator with binary power draws all of it as soon
 * as anything runs there, and no more for whatever comes beside that; one without draws more by
 * the work's share and intensity.  A CPU wakes socket by socket, whatever device the work is on.
 */
static double
extra_watts(const Search *search, const WorkKind *kind, const Candidate *candidate, double share,
			double alike)
{
	double watts = 0.0;

	for (int i = 0; i < candidate->ndevices; i++)
	{
		const Device *device = &search->fleet->devices[candidate->devices[i]];
		const DeviceProfile *profile = &search->fleet->profiles[device->profile];
		double range = energy_range(profile->idle_power_w, full_watts(profile));

		if (is_cpu(profile))
			continue;
		if (profile->power_is_gradual)
			watts += share * work_intensity(&kind->profile) * range;
		else if (!is_in_use(device))
			watts += range;
	}
	return alike * watts + extra_cpu_watts(search, kind, candidate);
}

/*
 * Returns what a kind of work takes on a candidate: the power of its devices
 * at the work's intensity, for as long as the work takes there, and the price of
 * the worker meanwhile.  Of a share of a device it takes that share of all.  A
 * candidate of one device stands for as many like it as the work asks for.
 */
EnergyUse
candidate_use(const Search *search, const WorkKind *kind, const Candidate *candidate,
			  double expected_seconds, int subject)
{
	EnergyRates rates = {search->fleet->workers[candidate->worker].cost_per_hour,
						 search->settings.energy_price_per_kwh, search->settings.carbon_g_per_kwh};
	double share = demand_occupancy(&kind->demand) == OCCUPY_SHARE ?
					   (double) kind->demand.share / WHOLE_SHARE :
					   1.0;
	double alike = (double) demanded_devices(&kind->demand) / candidate->ndevices;
	double intensity = work_intensity(&kind->profile);
	double load = 0;

	for (int i = 0; i < candidate->ndevices; i++)
	{
		const DeviceProfile *profile =
			&search->fleet->profiles[search->fleet->devices[candidate->devices[i]].profile];

		load += energy_watts(profile->idle_power_w, full_watts(profile), intensity);
	}
	return energy_use(alike * load, extra_watts(search, kind, candidate, share, alike), share,
					  candidate_seconds(search, kind, candidate, expected_seconds, subject),
					  &rates);
}

/* The same for a kind of work whose policy looks at it. */
static EnergyUse
kind_use(const Search *search, const WorkKind *kind, const Candidate *candidate)
{
	return candidate_use(search, kind, candidate, kind->expected_seconds, kind->subject);
}

/*
 * Returns what a kind of work takes on one device of a worker, or on as many like it as it asks
 * for.
 */
EnergyUse
device_use(const Search *search, const WorkKind *kind, int worker, int device,
		   double expected_seconds, int subject)
{
	int32 devices[] = {device};
	Candidate candidate = {.worker = worker, .ndevices = 1, .devices = devices};

	return candidate_use(search, kind, &candidate, expected_seconds, subject);
}

/* Returns the used share 0..1 of the accelerators of the asked types, with the candidate's. */
static double
used_accelerators(const Search *search, const WorkKind *kind, const Worker *worker, int taken)
{
	const NamedNumbers *types = &kind->demand.accelerators;
	int64 whole = WHOLE_SHARE * (int64) search->settings.max_concurrent;
	double used = taken;
	int count = 0;

	for (int i = worker->first_device; i < worker->first_device + worker->ndevices; i++)
	{
		const Device *device = &search->fleet->devices[i];
		bool asked = false;

		for (int t = 0; t < types->count && !asked; t++)
			asked = is_accelerator(&search->fleet->profiles[device->profile], types->items[t].name);
		if (!asked)
			continue;
		count++;
		used += (double) (whole - device_room(device, search->settings.max_concurrent)) / whole;
	}
	return used / Max(count, 1);
}

/*
 * Returns the mean used share 0..1 of the resources that the work asks for, as
 * it would be with the work in place: cores, the worker's memory, the memory
 * of its devices, and the devices themselves.
 */
static double
packing_score(const Search *search, const WorkKind *kind, const Candidate *candidate)
{
	const Worker *worker = &search->fleet->workers[candidate->worker];
	int64 max_concurrent = search->settings.max_concurrent;
	int64 memory = kind->profile.min_memory_bytes;
	int64 host_memory = kind->demand.host_memory_bytes;
	double own_memory = 0;
	int owners = 0;
	double sum = 0;
	int resources = 0;

	for (int i = 0; i < candidate->ndevices; i++)
	{
		const Device *device = &search->fleet->devices[candidate->devices[i]];

		if (device->uses_host_memory)
			host_memory += memory;
		if (memory > 0 && device->memory_bytes > 0)
		{
			own_memory += (double) (device->memory_used + memory) / device->memory_bytes;
			owners++;
		}
	}
	if (kind->demand.cpu_millicores > 0)
	{
		sum += (double) (worker->cpu_used + kind->demand.cpu_millicores) / worker->cpu_millicores;
		resources++;
	}
	if (host_memory > 0)
	{
		sum += (double) (worker->memory_used + host_memory) / worker->memory_bytes;
		resources++;
	}
	if (owners > 0)
	{
		sum += own_memory / owners;
		resources++;
	}
	if (demand_occupancy(&kind->demand) == OCCUPY_WHOLE)
		sum += used_accelerators(search, kind, worker, candidate->ndevices);
	else
	{
		int64 whole = WHOLE_SHARE * max_concurrent;
		int64 room = device_room(&search->fleet->devices[candidate->devices[0]], max_concurrent);

		sum += (double) (whole - room + demanded_room(&kind->demand, max_concurrent)) / whole;
	}
	return sum / (resources + 1);
}

/*
 * Returns 1 where the workload's model ran last, 0.5 where another of its
 * family did, else 0.
 */
static double
affinity_score(const Search *search, const WorkKind *kind, int worker)
{
	if (kind->model >= 0 && search->model_workers[kind->model] == worker)
		return 1.0;
	if (kind->family >= 0 && search->model_workers[kind->family] == worker)
		return 0.5;
	return 0.0;
}

/*
 * Returns what one part of a policy sees in a candidate, in the part's own
 * unit.  Round robin is not among them: its score is a rank, which only all
 * candidates together give; nor is objective: policies in force have its parts.
 */
double
part_value(Search *search, WorkKind *kind, const PolicyPart *part, const Candidate *candidate)
{
	const Worker *worker = &search->fleet->workers[candidate->worker];
	const Performance *performance =
		kind->performance ? &kind->performance[candidate->worker] : NULL;

	switch (part->algorithm)
	{
		case ALGORITHM_HARDWARE_AWARE:
			return candidate->value;
		case ALGORITHM_PRIORITY:
			return priority_score(kind->priority, performance, kind->expected_seconds,
								  worker->reported, candidate_load(search, candidate));
		case ALGORITHM_WEIGHTED_ROUND_ROBIN:
			return 1.0 - candidate_load(search, candidate);
		case ALGORITHM_PERFORMANCE:
			return performance_score(performance, kind->expected_seconds, worker->reported,
									 candidate_load(search, candidate));
		case ALGORITHM_AFFINITY:
			return affinity_score(search, kind, candidate->worker);
		case ALGORITHM_PACKING:
			return packing_score(search, kind, candidate);
		case ALGORITHM_FRAGMENTATION:
			return fragmentation_score(search, kind, candidate);
		case ALGORITHM_FILLING:
			return filling_score(search, kind, candidate);
		case ALGORITHM_ENERGY:
			return energy_compared(kind_use(search, kind, candidate).extra_joules);
		case ALGORITHM_COST:
			return kind_use(search, kind, candidate).money;
		case ALGORITHM_PREDICTED_TIME:
			return kind_seconds(search, kind, candidate);
		case ALGORITHM_FUNCTION:
			return clamp01(search->score_function(search, kind, candidate, part->function));
		case ALGORITHM_ROUND_ROBIN:
		case ALGORITHM_OBJECTIVE:
			break;
	}
	Assert(false);
	return 0.0;
}

/*
 * Returns the score 0..1 of a value beside the extreme one of all candidates:
 * the greatest or the least, as the part's scale says.
 */
double
part_score(const PolicyPart *part, double value, double extreme)
{
	switch (algorithm_traits[part->algorithm].scale)
	{
		case SCALE_NONE:
			break;
		case SCALE_GREATEST:
			return extreme > 0.0 ? value / extreme : 0.0;
		case SCALE_LEAST:
			/* also of what costs without end */
			return value > extreme ? extreme / value : 1.0;
	}
	return value;
}
