/*
 * brute.h
 *		The decision by brute force: every worker and every device of a world is
 *		looked at for every workload, by the rules as they are documented.
 *
 * The scores of hardware have their own tests; here they are taken for granted.
 */
#ifndef HWSCHED_BRUTE_H
#define HWSCHED_BRUTE_H

#include "model/heat_penalty.h"
#include "model/heat.h"
#include "document/label.h"
#include "world.h"

/* --- where only the hardware counts --- */

/* What it knows is the world, which it books its own decisions into. */
typedef struct Choice
{
	int worker;
	int ndevices;
	int devices[MOST_WORKER_DEVICES]; /* indices in world->devices */
	double value;
	double adjusted;
	int sparing; /* 2: a CPU of a worker without accelerators; 1: another CPU; 0: the rest */
} Choice;

static inline bool
has_name(NameSet set, const char *name)
{
	for (int i = 0; i < set.count; i++)
		if (strcmp(set.names[i], name) == 0)
			return true;
	return false;
}

static inline bool
of_type(const DeviceProfile *profile, const char *type)
{
	return strcmp(profile->hardware_class, type) == 0 ||
		   has_name(profile->supported_backends, type);
}

static inline double
brute_adjusted(const World *world, const WorkKind *kind, const Device *device)
{
	return adjusted_efficiency(raw_efficiency(&kind->profile, &world->profiles[device->profile]),
							   device->effective_load, device->warming, device->cooling,
							   device->performance_level, device->temperature);
}

/* What the heat that the work would cause leaves. */
static inline double
brute_heat(const WorkKind *kind, const Device *device)
{
	const Metrics *metrics = &kind->profile.metrics;
	double share = fmax(
		0.7, fmax(0.3 + 0.7 * metrics->compute_intensity, 0.3 + 0.7 * metrics->memory_intensity));

	return heat_share_factor(share, device->throttles_at);
}

static inline double
brute_value(const World *world, const WorkKind *kind, const Device *device)
{
	const DeviceProfile *profile = &world->profiles[device->profile];
	bool wanted = kind->profile.preferred_backends.count == 0;

	for (int i = 0; i < kind->profile.preferred_backends.count; i++)
		wanted = wanted || of_type(profile, kind->profile.preferred_backends.names[i]);
	return brute_adjusted(world, kind, device) * brute_heat(kind, device) * (wanted ? 1.0 : 0.9);
}

/* How full a device is, of WHOLE_SHARE * max_concurrent. */
static inline int64
brute_used(const World *world, const Device *device)
{
	return device->slots * (int64) WHOLE_SHARE +
		   device->share * (int64) world->settings.max_concurrent;
}

/* The checks of a worker that its devices have no part in. */
static inline FilterReason
brute_worker_refusal(const WorkKind *kind, const Worker *worker)
{
	const Demand *demand = &kind->demand;
	int64 host = demand->host_memory_bytes;
	bool fails[FITS + 1] = {0};

	fails[FILTERED_SOFTWARE] = !software_suffices(&software[worker->software], &demand->software);
	fails[FILTERED_CPU_CORES] = demand->cpu_millicores > worker->cpu_millicores;
	fails[FILTERED_HOST_MEMORY] = host > worker->memory_bytes;
	fails[FILTERED_HEALTH] = !worker->accepting && worker->unhealthy;
	fails[FILTERED_DRAINING] = !worker->accepting && !worker->unhealthy;
	fails[FILTERED_RESERVED] = worker->cordoned;
	fails[FILTERED_CONCURRENT] =
		worker->max_concurrent > 0 && worker->assignments + 1 > worker->max_concurrent;
	fails[FILTERED_CPU_BUSY] = demand->cpu_millicores > 0 &&
							   worker->cpu_used + demand->cpu_millicores > worker->cpu_millicores;
	fails[FILTERED_HOST_MEMORY_BUSY] =
		host > 0 && worker->memory_used + host > worker->memory_bytes;
	for (int r = 0; r < FITS; r++)
		if (fails[r])
			return r;
	return FITS;
}

/*
 * Every check of one device, each by itself; returns the first that fails in
 * the order of FilterReason.
 */
static inline FilterReason
brute_device_refusal(const World *world, const WorkKind *kind, const Worker *worker,
					 const Device *device, const char *type)
{
	static const struct
	{
		Mismatch mismatch;
		FilterReason reason;
	} mismatches[] = {
		{MISMATCH_BACKEND, FILTERED_BACKEND},	  {MISMATCH_MODEL, FILTERED_MODEL},
		{MISMATCH_PRECISION, FILTERED_PRECISION}, {MISMATCH_FEATURE, FILTERED_FEATURE},
		{MISMATCH_UNITS, FILTERED_UNITS},		  {MISMATCH_MEMORY, FILTERED_MEMORY}};
	const DeviceProfile *profile = &world->profiles[device->profile];
	const Demand *demand = &kind->demand;
	int64 memory = kind->profile.min_memory_bytes;
	int64 host = demand->host_memory_bytes + (device->uses_host_memory ? memory : 0);
	int64 whole = (int64) WHOLE_SHARE * world->settings.max_concurrent;
	int64 asked = demand->share > 0 ? demand->share * (int64) world->settings.max_concurrent :
				  demand->accelerators.count > 0 ? whole :
												   WHOLE_SHARE;
	bool fails[FITS + 1] = {0};
	Mismatch mismatch = device_mismatch(&kind->profile, profile);

	fails[FILTERED_HOST_MEMORY] = device->uses_host_memory && host > worker->memory_bytes;
	fails[FILTERED_HOST_MEMORY_BUSY] =
		host > 0 && worker->memory_used + host > worker->memory_bytes;
	fails[FILTERED_CLASS] =
		demand->avoid_class != NULL && strcmp(demand->avoid_class, profile->hardware_class) == 0;
	for (size_t i = 0; i < lengthof(mismatches); i++)
		if (mismatch == mismatches[i].mismatch)
			fails[mismatches[i].reason] = true;
	if (device->memory_bytes >= 0)
	{
		if (memory > device->memory_bytes)
			fails[FILTERED_MEMORY] = true;
		fails[FILTERED_DEVICE_MEMORY_BUSY] =
			memory > 0 && device->memory_used + memory > device->memory_bytes;
	}
	if (demand->share > 0 || demand->accelerators.count > 0)
		fails[FILTERED_ACCELERATORS] =
			type != NULL ? !of_type(profile, type) : strcmp(profile->hardware_class, "cpu") == 0;
	fails[FILTERED_LOAD] = device->load > world->settings.max_load;
	fails[FILTERED_DEVICE_BUSY] = brute_used(world, device) + asked > whole;
	if (demand->share == 0 && demand->accelerators.count == 0 && device->share == 0)
	{
		/* nothing but its slots is taken */
		fails[FILTERED_SLOTS_BUSY] = fails[FILTERED_DEVICE_BUSY];
		fails[FILTERED_DEVICE_BUSY] = false;
	}
	fails[FILTERED_SCORE] =
		mismatch == MATCHES && brute_adjusted(world, kind, device) < world->settings.min_score;
	for (int r = 0; r < FITS; r++)
		if (fails[r])
			return r;
	return FITS;
}

static inline bool
brute_is_cpu(const World *world, int d)
{
	return strcmp(world->profiles[world->devices[d].profile].hardware_class, "cpu") == 0;
}

/* Whether it counts which accelerators a kind of work takes a slot of. */
static inline bool
brute_spares(const World *world, const WorkKind *kind)
{
	return world->settings.spare_accelerators != SPARE_NOTHING && kind->demand.share == 0 &&
		   kind->demand.accelerators.count == 0;
}

static inline int
brute_sparing(const World *world, const WorkKind *kind, int w, int device)
{
	const Worker *worker = &world->workers[w];

	if (!brute_spares(world, kind) || !brute_is_cpu(world, device))
		return 0;
	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		if (!brute_is_cpu(world, d))
			return 1;
	return 2;
}

/* Which device's turn it is, whatever the scores: 0 comes first. */
static inline int
brute_turn_of(const World *world, const WorkKind *kind, int device, double score, double best_cpu,
			  int accelerator)
{
	bool cpu = brute_is_cpu(world, device);
	/* such an accelerator as scores best, and in use */
	bool used = brute_used(world, &world->devices[device]) > 0 && accelerator >= 0 &&
				world->devices[device].profile == world->devices[accelerator].profile;

	if (!brute_spares(world, kind))
		return 0;
	if (world->settings.spare_accelerators == SPARE_STRICTLY)
		return cpu ? 0 : used ? 1 : 2;
	/* one that is in use comes first where it beats the CPUs */
	return !cpu && used && (isnan(best_cpu) || score > best_cpu) ? 0 : 1;
}

/* What ranks a worker, from its devices: their mean, with what was learned. */
static inline void
brute_rank(const World *world, const WorkKind *kind, Choice *choice)
{
	double value = 0;
	double adjusted = 0;

	for (int i = 0; i < choice->ndevices; i++)
	{
		value += brute_value(world, kind, &world->devices[choice->devices[i]]);
		adjusted += brute_adjusted(world, kind, &world->devices[choice->devices[i]]);
	}
	value /= choice->ndevices;
	choice->adjusted = adjusted / choice->ndevices;
	if (kind->preference != NULL)
		value *= 1.0 +
				 world->settings.preference_weight * (2.0 * kind->preference[choice->worker] - 1.0);
	choice->value = value;
	choice->sparing = brute_sparing(world, kind, choice->worker, choice->devices[0]);
}

/* One device for a slot or a share: the better of two, by all the rules. */
static inline bool
better_device(const World *world, const WorkKind *kind, int a, int b)
{
	const Device *x = &world->devices[a];
	const Device *y = &world->devices[b];
	double by_value = brute_value(world, kind, x) - brute_value(world, kind, y);
	bool share = kind->demand.share > 0;
	bool x_cpu = brute_spares(world, kind) && brute_is_cpu(world, a);
	bool y_cpu = brute_spares(world, kind) && brute_is_cpu(world, b);
	int64 by_use = brute_used(world, x) - brute_used(world, y);

	if (by_value != 0)
		return by_value > 0;
	if (x_cpu != y_cpu)
		return x_cpu;
	if (by_use != 0)
		return share ? by_use > 0 : by_use < 0;
	return a < b;
}

static inline FilterReason
brute_single(const World *world, const WorkKind *kind, int w, Choice *choice)
{
	const Worker *worker = &world->workers[w];
	const char *type =
		kind->demand.accelerators.count > 0 ? kind->demand.accelerators.items[0].name : NULL;
	FilterReason furthest = FILTERED_NO_WORKER;
	int best = -1;

	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
	{
		FilterReason reason = brute_device_refusal(world, kind, worker, &world->devices[d], type);

		furthest = Max(furthest, reason);
		if (reason == FITS && (best < 0 || better_device(world, kind, d, best)))
			best = d;
	}
	if (best < 0)
		return furthest;
	*choice = (Choice){.worker = w, .ndevices = 1, .devices = {best}};
	brute_rank(world, kind, choice);
	return FITS;
}

/*
 * Whole accelerators of one worker: what each device says to each type, and who may be had for
 * what.
 */
typedef struct BruteWhole
{
	const World *world;
	const WorkKind *kind;
	const Worker *worker;
	FilterReason reasons[2][MOST_WORKER_DEVICES];
	double values[MOST_WORKER_DEVICES];
	int only[2]; /* the profile that a type is kept to; -1: any */
} BruteWhole;

static inline const Device *
brute_device(const BruteWhole *whole, int d)
{
	return &whole->world->devices[whole->worker->first_device + d];
}

/*
 * Whether a set of devices, as bits, is all that is asked for, as far as a check and those
 * before it go.
 */
static inline bool
brute_set_reaches(const BruteWhole *whole, int set, int reason)
{
	const NamedNumbers *types = &whole->kind->demand.accelerators;
	int64 memory = whole->kind->profile.min_memory_bytes;
	int64 host = whole->worker->memory_bytes - whole->kind->demand.host_memory_bytes;
	int64 drawn = 0;
	int wanted[2] = {(int) types->items[0].value,
					 types->count > 1 ? (int) types->items[1].value : 0};
	bool alike = true;
	int one = -1;

	for (int d = 0; d < whole->worker->ndevices; d++)
		if (set & (1 << d))
		{
			drawn += brute_device(whole, d)->uses_host_memory ? memory : 0;
			alike = alike && (one < 0 ||
							  brute_device(whole, d)->profile == brute_device(whole, one)->profile);
			one = d;
		}
	if (drawn > 0 && reason > FILTERED_HOST_MEMORY && drawn > host)
		return false;
	if (drawn > 0 && reason > FILTERED_HOST_MEMORY_BUSY &&
		drawn > host - whole->worker->memory_used)
		return false;
	if (!alike && types->count == 1 && reason > FILTERED_ALIKE &&
		!whole->kind->demand.mixed_accelerators)
		return false;
	/* some of them for the first type, the others for the second */
	for (int first = 0; first < 1 << whole->worker->ndevices; first++)
	{
		int count[2] = {0, 0};
		bool fits = (first & ~set) == 0;

		for (int d = 0; d < whole->worker->ndevices && fits; d++)
		{
			int t = first & (1 << d) ? 0 : 1;

			if (!(set & (1 << d)))
				continue;
			count[t]++;
			fits = t < types->count && (int) whole->reasons[t][d] >= reason &&
				   (whole->only[t] < 0 || brute_device(whole, d)->profile == whole->only[t]);
		}
		if (fits && count[0] == wanted[0] && count[1] == wanted[1])
			return true;
	}
	return false;
}

/* The set that has the most valuable device, then the next; 0: there is none. */
static inline int
brute_best_set(const BruteWhole *whole)
{
	int best = 0;

	for (int set = 1; set < 1 << whole->worker->ndevices; set++)
	{
		int differ = -1;

		if (!brute_set_reaches(whole, set, FITS))
			continue;
		/* the most valuable of those that only one of both has decides */
		for (int d = 0; d < whole->worker->ndevices; d++)
			if (((set ^ best) & (1 << d)) &&
				(differ < 0 || whole->values[d] > whole->values[differ]))
				differ = d;
		if (best == 0 || (set & (1 << differ)))
			best = set;
	}
	return best;
}

static inline double
brute_worth(const BruteWhole *whole, int set, int *lowest)
{
	double worth = 0;

	*lowest = -1;
	for (int d = 0; d < whole->worker->ndevices; d++)
		if (set & (1 << d))
		{
			worth += whole->values[d];
			if (*lowest < 0)
				*lowest = d;
		}
	return worth;
}

/* Keeps a type to the most valuable profile with which there is a set, if there is one. */
static inline void
brute_keep_alike(BruteWhole *whole, int t)
{
	BruteWhole alone = *whole;
	WorkKind kind = *whole->kind;
	bool tried[NPROFILES] = {0};

	/* what a profile is worth is what it would give to that type alone */
	kind.demand.accelerators = (NamedNumbers){1, &whole->kind->demand.accelerators.items[t]};
	alone.kind = &kind;
	memcpy(alone.reasons[0], whole->reasons[t], sizeof(alone.reasons[0]));
	for (;;)
	{
		int profile = -1;
		double best = 0;
		int best_lowest = 0;

		for (int p = 0; p < NPROFILES; p++)
		{
			int lowest;
			double worth;
			int set;

			alone.only[0] = p;
			set = tried[p] ? 0 : brute_best_set(&alone);
			if (set == 0)
				continue;
			worth = brute_worth(whole, set, &lowest);
			if (profile < 0 || worth > best || (worth == best && lowest < best_lowest))
			{
				profile = p;
				best = worth;
				best_lowest = lowest;
			}
		}
		whole->only[t] = profile;
		if (profile < 0 || brute_best_set(whole) != 0)
			return;
		tried[profile] = true;
	}
}

/*
 * Whole accelerators: of one type alike ones, of the profile that is worth most; of
 * several types, each alike if that can be had.
 */
static inline FilterReason
brute_whole(const World *world, const WorkKind *kind, int w, Choice *choice)
{
	const NamedNumbers *types = &kind->demand.accelerators;
	BruteWhole whole = {world, kind, &world->workers[w], {{0}}, {0}, {-1, -1}};
	FilterReason result = FILTERED_ACCELERATORS;
	int set;

	for (int d = 0; d < whole.worker->ndevices; d++)
		for (int t = 0; t < types->count; t++)
		{
			whole.reasons[t][d] = brute_device_refusal(
				world, kind, whole.worker, brute_device(&whole, d), types->items[t].name);
			if (whole.reasons[t][d] == FITS)
				whole.values[d] = brute_value(world, kind, brute_device(&whole, d));
		}
	for (set = 1; set < 1 << whole.worker->ndevices; set++)
		while (result < FITS && brute_set_reaches(&whole, set, (int) result + 1))
			result = (FilterReason) (result + 1);
	if (result != FITS)
		return result;
	for (int t = 0; t < types->count && !kind->demand.mixed_accelerators; t++)
		if (types->items[t].value > 1)
			brute_keep_alike(&whole, t);
	set = brute_best_set(&whole);
	*choice = (Choice){.worker = w};
	for (int d = 0; d < whole.worker->ndevices; d++)
		if (set & (1 << d))
			choice->devices[choice->ndevices++] = whole.worker->first_device + d;
	brute_rank(world, kind, choice);
	return FITS;
}

static inline FilterReason
brute_worker(const World *world, const WorkKind *kind, int w, Choice *choice)
{
	FilterReason reason;

	if (kind->demand.share == 0 && kind->demand.accelerators.count > 0)
		reason = brute_whole(world, kind, w, choice);
	else
		reason = brute_single(world, kind, w, choice);
	return Min(reason, brute_worker_refusal(kind, &world->workers[w]));
}

/* The order in which a queue is decided: of each priority first what nobody has to spare for. */
static inline void
brute_order(const World *world, int *order)
{
	int n = 0;

	for (int priority = 1; priority <= 5; priority++)
		for (int spares = 0; spares <= 1; spares++)
			for (int i = 0; i < world->nitems; i++)
				if (world->items[i].priority == priority &&
					brute_spares(world, &world->kinds[world->items[i].kind]) == spares)
					order[n++] = i;
}

/* Whether a choice comes before another, once it is known whose turn it is. */
static inline bool
brute_choice_before(const World *world, const WorkKind *kind, const Choice *a, const Choice *b)
{
	const Worker *x = &world->workers[a->worker];
	const Worker *y = &world->workers[b->worker];

	if (a->value != b->value)
		return a->value > b->value;
	if (a->sparing != b->sparing)
		return a->sparing > b->sparing;
	if (x->assignments != y->assignments)
		return x->assignments < y->assignments;
	if (x->total_assignments != y->total_assignments)
		return x->total_assignments < y->total_assignments;
	if (a->worker != b->worker)
		return a->worker < b->worker;
	return better_device(world, kind, a->devices[0], b->devices[0]);
}

/* The best place of all, or false; *reason is the furthest check of any worker. */
static inline bool
brute_best(const World *world, const WorkKind *kind, Choice *best, FilterReason *reason,
		   double *greatest)
{
	bool spares = brute_spares(world, kind);
	static Choice all[MOST_DEVICES];
	double best_cpu = NAN;
	int accelerator = -1; /* the best */
	int best_turn = 0;
	int count = 0;
	bool found = false;

	*reason = FILTERED_NO_WORKER;
	*greatest = -INFINITY;
	for (int w = 0; w < world->nworkers; w++)
	{
		const Worker *worker = &world->workers[w];
		FilterReason of_worker = brute_worker(world, kind, w, &all[count]);

		*reason = Max(*reason, of_worker);
		if (of_worker != FITS)
			continue;
		if (!spares)
		{
			count++;
			continue;
		}
		/* what is worth most in the worker may not be what it gives */
		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
			if (brute_device_refusal(world, kind, worker, &world->devices[d], NULL) == FITS)
			{
				all[count] = (Choice){.worker = w, .ndevices = 1, .devices = {d}};
				brute_rank(world, kind, &all[count++]);
				if (brute_is_cpu(world, d))
					best_cpu = fmax(best_cpu, all[count - 1].value);
			}
	}
	for (int i = 0; i < count; i++)
		if (!brute_is_cpu(world, all[i].devices[0]) &&
			(accelerator < 0 || brute_choice_before(world, kind, &all[i], &all[accelerator])))
			accelerator = i;
	for (int i = 0; i < count; i++)
	{
		int turn = brute_turn_of(world, kind, all[i].devices[0], all[i].value, best_cpu,
								 accelerator < 0 ? -1 : all[accelerator].devices[0]);

		*greatest = fmax(*greatest, all[i].value);
		if (!found || turn < best_turn ||
			(turn == best_turn && brute_choice_before(world, kind, &all[i], best)))
		{
			*best = all[i];
			best_turn = turn;
			found = true;
		}
	}
	return found;
}

static inline void
brute_book(World *world, const WorkKind *kind, const Choice *choice)
{
	Worker *worker = &world->workers[choice->worker];

	worker->assignments++;
	worker->total_assignments++;
	worker->cpu_used += kind->demand.cpu_millicores;
	worker->memory_used += kind->demand.host_memory_bytes;
	for (int i = 0; i < choice->ndevices; i++)
	{
		Device *device = &world->devices[choice->devices[i]];

		if (kind->demand.share > 0)
			device->share += kind->demand.share;
		else if (kind->demand.accelerators.count > 0)
			device->share += WHOLE_SHARE;
		else
			device->slots++;
		device->memory_used += kind->profile.min_memory_bytes;
		if (device->uses_host_memory)
			worker->memory_used += kind->profile.min_memory_bytes;
	}
}

#endif /* HWSCHED_BRUTE_H */
