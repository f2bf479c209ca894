/*
 * brute_policy.h
 *		The best candidate under any policy, and the members of gangs, by brute
 *		force: every candidate is scored anew for every workload, from the
 *		formulas as they are documented.
 *
 * Terms are added in the order of the documentation, so scores are compared to
 * the last bit.
 */
#ifndef HWSCHED_BRUTE_POLICY_H
#define HWSCHED_BRUTE_POLICY_H

#include "brute.h"
#include "place/placement.h"
#include "model/formula.h"

/* A candidate beside the others. */
typedef struct ScoredChoice
{
	Choice choice;
	double parts[MOST_PARTS]; /* 0..1, by algorithm */
	double score; /* their weighted sum */
	double rank; /* what ranks: of a single algorithm what it sees, before scaling rounds it */
	double load;
	double seconds;
} ScoredChoice;

/* --- what one algorithm sees --- */

/* A user's function: whatever it says, even nonsense, depends on its arguments alone. */
static inline double
user_function(int64 kind, const Worker *worker, const Device *device, int function)
{
	uint64 hash = UINT64_C(0x9E3779B97F4A7C15) * (kind * 31 + function + 1);

	hash = (hash ^ device->device_no ^ ((uint64) device->slots << 8) ^
			((uint64) device->share << 16)) *
		   UINT64_C(0xBF58476D1CE4E5B9);
	hash = (hash ^ (hash >> 29) ^ worker->assignments ^ ((uint64) worker->memory_used >> 20)) *
		   UINT64_C(0x94D049BB133111EB);
	hash = (hash >> 32) % 24;
	return hash == 0 ? NAN : hash == 1 ? -3 : hash == 2 ? 7 : hash / 24.0;
}

static inline double
run_function(Search *search, WorkKind *kind, const Candidate *candidate, int function)
{
	return user_function(kind->profile_id, &search->fleet->workers[candidate->worker],
						 &search->fleet->devices[candidate->devices[0]], function);
}

/* What is left of a worker's record: shares of success, speed and experience. */
static inline double
brute_record(const WorkKind *kind, int worker, double for_success, double for_speed,
			 double for_samples)
{
	const Performance *record = kind->performance == NULL ? NULL : &kind->performance[worker];
	double expected = isnan(kind->expected_seconds) ? 1.0 : fmax(1.0, kind->expected_seconds);
	double samples;
	double speed = 0.0;

	if (record == NULL || record->successes + record->failures == 0)
		return 0.5;
	samples = record->successes + record->failures;
	if (record->successes > 0)
		speed = fmax(0.0, fmin(1.0, 1.0 - (record->mean_seconds / expected - 1.0) / 3.0));
	return for_success * (record->successes / samples) + for_speed * speed +
		   for_samples * fmin(1.0, samples / 10.0);
}

static inline double
brute_priority(const WorkKind *kind, const Worker *worker, int w, double load)
{
	if (kind->priority > 3)
		return 1.0 - load;
	if (kind->priority == 3)
		return worker->reported ? 0.6 * brute_record(kind, w, 0.3, 0.3, 0) + 0.4 * (1.0 - load) :
								  brute_record(kind, w, 0.3, 0.3, 0);
	return worker->reported ? 0.8 * brute_record(kind, w, 0.2, 0.6, 0) + 0.2 * (1.0 - load) :
							  brute_record(kind, w, 0.2, 0.6, 0);
}

/* The mean used share of what the work asks for, with the work in place. */
static inline double
brute_packing(const World *world, const WorkKind *kind, const Choice *choice)
{
	const Worker *worker = &world->workers[choice->worker];
	const Demand *demand = &kind->demand;
	int64 memory = kind->profile.min_memory_bytes;
	int64 host = demand->host_memory_bytes;
	double whole = (double) WHOLE_SHARE * world->settings.max_concurrent;
	double shares[4];
	int n = 0;
	double sum = 0;
	double of_devices = 0;
	int owners = 0;

	for (int i = 0; i < choice->ndevices; i++)
	{
		const Device *device = &world->devices[choice->devices[i]];

		host += device->uses_host_memory ? memory : 0;
		if (memory > 0 && device->memory_bytes > 0 && ++owners > 0)
			of_devices += (double) (device->memory_used + memory) / device->memory_bytes;
	}
	if (demand->cpu_millicores > 0)
		shares[n++] = (double) (worker->cpu_used + demand->cpu_millicores) / worker->cpu_millicores;
	if (host > 0)
		shares[n++] = (double) (worker->memory_used + host) / worker->memory_bytes;
	if (owners > 0)
		shares[n++] = of_devices / owners;
	if (demand->share == 0 && demand->accelerators.count > 0)
	{
		double used = choice->ndevices;
		int count = 0;

		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		{
			const DeviceProfile *profile = &world->profiles[world->devices[d].profile];

			if (of_type(profile, demand->accelerators.items[0].name) ||
				(demand->accelerators.count > 1 &&
				 of_type(profile, demand->accelerators.items[1].name)))
			{
				used += brute_used(world, &world->devices[d]) / whole;
				count++;
			}
		}
		shares[n++] = used / count;
	}
	else
		shares[n++] = (brute_used(world, &world->devices[choice->devices[0]]) +
					   (demand->share > 0 ? demand->share * (int64) world->settings.max_concurrent :
											WHOLE_SHARE)) /
					  whole;
	for (int i = 0; i < n; i++)
		sum += shares[i];
	return sum / n;
}

/*
 * Idle accelerators of a worker, in thousandths, that usual work cannot use;
 * ahead is how much of it counts what stays when the worker is full of it.
 */
static inline double
brute_fragmentation(const World *world, const Worker *worker, double ahead)
{
	int64 whole = (int64) WHOLE_SHARE * world->settings.max_concurrent;
	double idle = 0;
	double sum = 0;

	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		if (strcmp(world->profiles[world->devices[d].profile].hardware_class, "cpu") != 0)
			idle += whole - brute_used(world, &world->devices[d]);
	idle = 1000.0 * idle / whole;
	for (int s = 0; s < world->nshapes; s++)
	{
		const WorkKind *kind = &world->shapes[s].kind;
		const NamedNumbers *types = &kind->demand.accelerators;
		int64 asked = kind->demand.share > 0 ?
						  kind->demand.share * (int64) world->settings.max_concurrent :
						  whole;
		double devices = kind->demand.share > 0 ? 1 : 0;
		double usable = 0;
		int64 fit = 0;
		int count = 0;

		for (int t = 0; kind->demand.share == 0 && t < types->count; t++)
			devices += types->items[t].value;
		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		{
			const DeviceProfile *profile = &world->profiles[world->devices[d].profile];
			bool matches = types->count == 0 && strcmp(profile->hardware_class, "cpu") != 0;

			for (int t = 0; t < types->count; t++)
				matches = matches || of_type(profile, types->items[t].name);
			if (!matches || device_mismatch(&kind->profile, profile) != MATCHES ||
				whole - brute_used(world, &world->devices[d]) < asked)
				continue;
			usable += whole - brute_used(world, &world->devices[d]);
			fit += (whole - (int64) brute_used(world, &world->devices[d])) / asked;
			count++;
		}
		usable = 1000.0 * usable / whole;
		if (ahead > 0 && devices > 0)
		{
			fit /= (int64) devices;
			while (fit > 0 &&
				   worker->cpu_used + fit * kind->demand.cpu_millicores > worker->cpu_millicores)
				fit--;
			usable =
				(1.0 - ahead) * usable + ahead * (1000.0 * (fit * (int64) devices * asked) / whole);
		}
		if (devices == 0 || count < devices ||
			worker->cpu_used + kind->demand.cpu_millicores > worker->cpu_millicores)
			usable = 0;
		sum += world->shapes[s].frequency * (idle - usable);
	}
	return sum;
}

static inline double
brute_fragmentation_score(World *world, const WorkKind *kind, const Choice *choice, double ahead)
{
	Worker *worker = &world->workers[choice->worker];
	Device *devices = &world->devices[worker->first_device];
	Worker saved = *worker;
	Device saved_devices[MOST_WORKER_DEVICES];
	double before = brute_fragmentation(world, worker, ahead);
	double after;

	if (world->nshapes == 0)
		return 0.5;
	memcpy(saved_devices, devices, sizeof(Device) * worker->ndevices);
	brute_book(world, kind, choice);
	after = brute_fragmentation(world, worker, ahead);
	*worker = saved;
	memcpy(devices, saved_devices, sizeof(Device) * worker->ndevices);
	return ahead > 0 ? 1.0 / (1.0 + exp((after - before) / 1000.0)) :
					   floor(100.0 / (1.0 + exp((after - before) / 1000.0))) / 100.0;
}

static inline double
brute_seconds(const World *world, const WorkKind *kind, const Choice *choice, double expected)
{
	double slowest = 0;

	for (int i = 0; i < choice->ndevices; i++)
		slowest = fmax(slowest,
					   predict_seconds(&kind->profile,
									   &world->profiles[world->devices[choice->devices[i]].profile],
									   expected));
	return slowest;
}

/* What the devices draw at the work's intensity, or the work's share of it, for so long. */
static inline double
brute_joules(const World *world, const WorkKind *kind, const ScoredChoice *scored)
{
	double compute = kind->profile.metrics.compute_intensity;
	double memory = kind->profile.metrics.memory_intensity;
	double intensity = fmax(0.7, fmax(0.3 + 0.7 * compute, 0.3 + 0.7 * memory));
	double watts = 0;

	for (int i = 0; i < scored->choice.ndevices; i++)
	{
		const DeviceProfile *profile =
			&world->profiles[world->devices[scored->choice.devices[i]].profile];
		double idle = profile->idle_power_w > 0 ? profile->idle_power_w : 0;
		double full = profile->thermal_design_power_w > 0 ? profile->thermal_design_power_w : 100;

		watts += full > idle ? idle + intensity * (full - idle) : idle;
	}
	return (kind->demand.share > 0 ? kind->demand.share / 1e6 : 1.0) * watts * scored->seconds;
}

static inline double
brute_range(const DeviceProfile *profile)
{
	double idle = profile->idle_power_w > 0 ? profile->idle_power_w : 0;
	double full = profile->thermal_design_power_w > 0 ? profile->thermal_design_power_w : 100;

	return full > idle ? full - idle : 0;
}

/* How many of a CPU's sockets so many millicores of its worker keep awake; with one, one at least. */
static inline int
brute_awake(const DeviceProfile *cpu, const Worker *worker, int64 millicores, bool one, int *of)
{
	int units = cpu->compute_units > 0 ? cpu->compute_units : (int) (worker->cpu_millicores / 1000);
	int sockets = cpu->sockets > 0 ? cpu->sockets : (int) fmax(1, ceil(units / 32.0));
	double each = cpu->sockets > 0 ? fmax(1, floor(units * 1000.0 / sockets)) : 32000;
	int awake = 0;

	for (int s = 0; s < sockets; s++)
		awake += millicores > s * each || (s == 0 && one);
	*of = sockets;
	return awake;
}

/* What the devices, and the worker's first CPU, draw more than without the work. */
static inline double
brute_extra_joules(const World *world, const WorkKind *kind, const ScoredChoice *scored)
{
	const Worker *worker = &world->workers[scored->choice.worker];
	const DeviceProfile *cpu = NULL;
	bool busy = false;
	bool here = false;
	double watts = 0;

	for (int i = 0; i < scored->choice.ndevices; i++)
	{
		const Device *device = &world->devices[scored->choice.devices[i]];
		const DeviceProfile *profile = &world->profiles[device->profile];

		if (strcmp(profile->hardware_class, "cpu") == 0)
			continue;
		if (profile->power_is_gradual)
			watts += (kind->demand.share > 0 ? kind->demand.share / 1e6 : 1.0) *
					 work_intensity(&kind->profile) * brute_range(profile);
		else if (device->slots == 0 && device->share == 0)
			watts += brute_range(profile);
	}
	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
	{
		const DeviceProfile *profile = &world->profiles[world->devices[d].profile];

		if (strcmp(profile->hardware_class, "cpu") != 0)
			continue;
		cpu = cpu == NULL ? profile : cpu;
		busy = busy || world->devices[d].slots > 0;
		here = here || scored->choice.devices[0] == d;
	}
	if (cpu != NULL)
	{
		int sockets;
		int before = brute_awake(cpu, worker, worker->cpu_used, busy, &sockets);
		int after = brute_awake(cpu, worker, worker->cpu_used + kind->demand.cpu_millicores, here,
								&sockets);

		if (after > before)
			watts += (double) (after - before) / sockets * brute_range(cpu);
	}
	return watts * scored->seconds;
}

/* The worker's price for the time, or the work's share of it, and that of the energy. */
static inline double
brute_money(const World *world, const WorkKind *kind, const ScoredChoice *scored)
{
	double part = kind->demand.share > 0 ? kind->demand.share / 1e6 : 1.0;
	double money =
		part * world->workers[scored->choice.worker].cost_per_hour * scored->seconds / 3600.0;

	return world->settings.energy_price_per_kwh > 0 ?
			   money + world->settings.energy_price_per_kwh *
						   (brute_joules(world, kind, scored) / 3.6e6) :
			   money;
}

static inline double
brute_affinity(const World *world, const WorkKind *kind, int worker)
{
	if (kind->model >= 0 && world->models[kind->model] == worker)
		return 1.0;
	return kind->family >= 0 && world->models[kind->family] == worker ? 0.5 : 0.0;
}

/* What an algorithm sees in a candidate, before it is compared with the others. */
static inline double
brute_part(World *world, const WorkKind *kind, const PolicyPart *part, const ScoredChoice *scored)
{
	const Choice *choice = &scored->choice;
	const Worker *worker = &world->workers[choice->worker];
	double value;

	switch (part->algorithm)
	{
		case ALGORITHM_HARDWARE_AWARE:
			return choice->value;
		case ALGORITHM_PRIORITY:
			return brute_priority(kind, worker, choice->worker, scored->load);
		case ALGORITHM_WEIGHTED_ROUND_ROBIN:
			return 1.0 - scored->load;
		case ALGORITHM_PERFORMANCE:
			value = brute_record(kind, choice->worker, 0.3, 0.3, 0.1);
			return worker->reported ? 0.7 * value + 0.3 * (1.0 - scored->load) : value;
		case ALGORITHM_AFFINITY:
			return brute_affinity(world, kind, choice->worker);
		case ALGORITHM_PACKING:
			return brute_packing(world, kind, choice);
		case ALGORITHM_FRAGMENTATION:
			return brute_fragmentation_score(world, kind, choice, 0);
		case ALGORITHM_FILLING:
			value = brute_fragmentation_score(world, kind, choice, 0.15);
			return world->settings.one_by_one && kind->policy->nparts > 1 && world->nshapes > 0 ?
					   floor(200.0 * value) / 200.0 :
					   value;
		case ALGORITHM_ENERGY:
			return brute_extra_joules(world, kind, scored) + 1.0;
		case ALGORITHM_COST:
			return brute_money(world, kind, scored);
		case ALGORITHM_PREDICTED_TIME:
			return scored->seconds;
		case ALGORITHM_FUNCTION:
			value = user_function(kind->profile_id, worker, &world->devices[choice->devices[0]],
								  part->function);
			return isnan(value) ? 0.0 : fmax(0.0, fmin(1.0, value));
		case ALGORITHM_ROUND_ROBIN:
		case ALGORITHM_OBJECTIVE:
			break;
	}
	return 0.0;
}

/* --- all candidates --- */

/* Lists every candidate, not scored yet: of single devices each, of several one per worker. */
static inline int
brute_candidates(const World *world, const WorkKind *kind, ScoredChoice *all)
{
	const Demand *demand = &kind->demand;
	const char *type = demand->accelerators.count > 0 ? demand->accelerators.items[0].name : NULL;
	bool several =
		demand->share == 0 && (demand->accelerators.count > 1 ||
							   (type != NULL && demand->accelerators.items[0].value > 1));
	int count = 0;

	for (int w = 0; w < world->nworkers; w++)
	{
		const Worker *worker = &world->workers[w];

		if (brute_worker_refusal(kind, worker) != FITS)
			continue;
		if (several)
		{
			if (brute_worker(world, kind, w, &all[count].choice) == FITS)
				count++;
			continue;
		}
		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
			if (brute_device_refusal(world, kind, worker, &world->devices[d], type) == FITS)
			{
				all[count].choice = (Choice){.worker = w, .ndevices = 1, .devices = {d}};
				brute_rank(world, kind, &all[count++].choice);
			}
	}
	return count;
}

/* 1 - rank of a worker by its last turn / number of workers, among those with candidates. */
static inline double
brute_turn(const World *world, const ScoredChoice *all, int count, int worker)
{
	int workers = 0;
	int before = 0;

	for (int i = 0; i < count; i++)
		if (i == 0 || all[i].choice.worker != all[i - 1].choice.worker)
		{
			workers++;
			before +=
				world->workers[all[i].choice.worker].last_turn < world->workers[worker].last_turn;
		}
	return 1.0 - (double) before / workers;
}

/* Scores every candidate; returns their number. */
static inline int
brute_scores(World *world, const WorkKind *kind, const Policy *policy, ScoredChoice *all)
{
	int count = brute_candidates(world, kind, all);

	for (int i = 0; i < count; i++)
	{
		const Choice *choice = &all[i].choice;
		double load = 0;

		for (int d = 0; d < choice->ndevices; d++)
			load += world->devices[choice->devices[d]].effective_load;
		all[i].load = load / choice->ndevices;
		all[i].seconds = brute_seconds(world, kind, choice, kind->expected_seconds);
		all[i].score = 0;
	}
	for (int p = 0; p < policy->nparts; p++)
	{
		const PolicyPart *part = &policy->parts[p];
		bool greatest = part->algorithm == ALGORITHM_HARDWARE_AWARE;
		bool least = part->algorithm == ALGORITHM_ENERGY || part->algorithm == ALGORITHM_COST ||
					 part->algorithm == ALGORITHM_PREDICTED_TIME;
		double most = 0;
		double fewest = INFINITY;

		for (int i = 0; i < count; i++)
		{
			all[i].parts[p] = brute_part(world, kind, part, &all[i]);
			most = fmax(most, all[i].parts[p]);
			fewest = fmin(fewest, all[i].parts[p]);
		}
		for (int i = 0; i < count; i++)
		{
			double *score = &all[i].parts[p];

			all[i].rank = least ? -*score : *score;
			if (part->algorithm == ALGORITHM_ROUND_ROBIN)
				*score = all[i].rank = brute_turn(world, all, count, all[i].choice.worker);
			else if (greatest)
				*score = most > 0 ? *score / most : 0;
			else if (least)
				*score = *score > 0 ? fewest / *score : 1;
			all[i].score += part->weight * *score;
			if (policy->nparts > 1)
				all[i].rank = all[i].score;
		}
	}
	return count;
}

static inline bool
has_part(const Policy *policy, Algorithm algorithm)
{
	for (int p = 0; p < policy->nparts; p++)
		if (policy->parts[p].algorithm == algorithm)
			return true;
	return false;
}

/* Whether candidate a comes before candidate b. */
static inline bool
brute_before(const World *world, const WorkKind *kind, const Policy *policy, const ScoredChoice *a,
			 const ScoredChoice *b)
{
	const Worker *x = &world->workers[a->choice.worker];
	const Worker *y = &world->workers[b->choice.worker];

	if (a->rank != b->rank)
		return a->rank > b->rank;
	if (has_part(policy, ALGORITHM_AFFINITY) && a->load != b->load)
		return a->load < b->load;
	if (a->choice.sparing != b->choice.sparing)
		return a->choice.sparing > b->choice.sparing;
	if (x == y)
		return better_device(world, kind, a->choice.devices[0], b->choice.devices[0]);
	if (!has_part(policy, ALGORITHM_PACKING) &&
		(has_part(policy, ALGORITHM_ENERGY) ||
		 (!has_part(policy, ALGORITHM_FRAGMENTATION) && !has_part(policy, ALGORITHM_FILLING))))
	{
		if (x->assignments != y->assignments)
			return x->assignments < y->assignments;
		if (x->total_assignments != y->total_assignments)
			return x->total_assignments < y->total_assignments;
	}
	return a->choice.worker < b->choice.worker;
}

/* Finds the best candidate of all; false: none fits. */
static inline bool
brute_policy_best(World *world, const WorkKind *kind, const Policy *policy, ScoredChoice *best)
{
	ScoredChoice all[MOST_DEVICES];
	int count = brute_scores(world, kind, policy, all);
	double best_cpu = NAN;
	int accelerator = -1; /* the best */
	int best_turn = 0;

	for (int i = 0; i < count; i++)
		if (brute_is_cpu(world, all[i].choice.devices[0]))
			best_cpu = fmax(best_cpu, all[i].rank);
		else if (accelerator < 0 || brute_before(world, kind, policy, &all[i], &all[accelerator]))
			accelerator = i;
	for (int i = 0; i < count; i++)
	{
		int turn = brute_turn_of(world, kind, all[i].choice.devices[0], all[i].rank, best_cpu,
								 accelerator < 0 ? -1 : all[accelerator].choice.devices[0]);

		if (i == 0 || turn < best_turn ||
			(turn == best_turn && brute_before(world, kind, policy, &all[i], best)))
		{
			*best = all[i];
			best_turn = turn;
		}
	}
	return count > 0;
}

/* Books a decision for good: its worker has had its turn, and the model is there. */
static inline void
brute_decide(World *world, const WorkKind *kind, const Choice *choice)
{
	brute_book(world, kind, choice);
	world->workers[choice->worker].last_turn = ++world->last_turn;
	if (kind->model >= 0)
		world->models[kind->model] = choice->worker;
	if (kind->family >= 0)
		world->models[kind->family] = choice->worker;
}

#endif /* HWSCHED_BRUTE_POLICY_H */
