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
#include "document/version.h"
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
	bool cpu;
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
	fails[FILTERED_SCORE] =
		mismatch == MATCHES && brute_adjusted(world, kind, device) < world->settings.min_score;
	for (int r = 0; r < FITS; r++)
		if (fails[r])
			return r;
	return FITS;
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
	choice->cpu = demand_occupancy(&kind->demand) == OCCUPY_SLOT &&
				  strcmp(world->profiles[world->devices[choice->devices[0]].profile].hardware_class,
						 "cpu") == 0;
}

/* One device for a slot or a share: the better of two, by all the rules. */
static inline bool
better_device(const World *world, const WorkKind *kind, int a, int b)
{
	const Device *x = &world->devices[a];
	const Device *y = &world->devices[b];
	double by_value = brute_value(world, kind, x) - brute_value(world, kind, y);
	bool share = kind->demand.share > 0;
	bool x_cpu = !share && strcmp(world->profiles[x->profile].hardware_class, "cpu") == 0;
	bool y_cpu = !share && strcmp(world->profiles[y->profile].hardware_class, "cpu") == 0;
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
 * Of each type the most valuable devices, equal ones by number; the type that
 * fewest of the worker's devices have comes first.  What devices draw on the
 * worker's memory, they draw together.
 */
static inline FilterReason
brute_whole(const World *world, const WorkKind *kind, int w, Choice *choice)
{
	const Worker *worker = &world->workers[w];
	const NamedNumbers *types = &kind->demand.accelerators;
	int64 memory = kind->profile.min_memory_bytes;
	int64 host_ever = worker->memory_bytes - kind->demand.host_memory_bytes;
	int64 host_now = host_ever - worker->memory_used;
	FilterReason result = FITS;
	bool taken[MOST_DEVICES] = {0};
	bool done[2] = {0};

	*choice = (Choice){.worker = w};
	for (int turn = 0; turn < types->count; turn++)
	{
		int reach[FITS + 1] = {0}; /* devices that get this far */
		bool seen[MOST_DEVICES] = {0};
		int present = 0;
		int drawing = 0; /* that would do, some time */
		int owning = 0;
		int now = 0;
		int rarest = -1;
		int fewest = 0;
		int wanted;
		const char *type;
		FilterReason furthest = FILTERED_NO_WORKER;
		FilterReason refusals[MOST_DEVICES];

		for (int t = 0; t < types->count; t++)
		{
			int count = 0;

			for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
				count += of_type(&world->profiles[world->devices[d].profile], types->items[t].name);
			if (!done[t] && (rarest < 0 || count < fewest))
			{
				rarest = t;
				fewest = count;
			}
		}
		done[rarest] = true;
		wanted = (int) types->items[rarest].value;
		type = types->items[rarest].name;

		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
			if (!taken[d])
			{
				refusals[d] = brute_device_refusal(world, kind, worker, &world->devices[d], type);
				present++;
				furthest = Max(furthest, refusals[d]);
				for (int r = 0; r <= (int) refusals[d]; r++)
					reach[r]++;
				if (refusals[d] > FILTERED_HOST_MEMORY)
				{
					if (memory > 0 && world->devices[d].uses_host_memory)
						drawing++;
					else
						owning++;
				}
			}
		for (int n = 0; n < reach[FITS] && now < wanted; n++)
		{
			int best = -1;
			int64 draws;

			for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
				if (!taken[d] && !seen[d] && refusals[d] == FITS &&
					(best < 0 || brute_value(world, kind, &world->devices[d]) >
									 brute_value(world, kind, &world->devices[best])))
					best = d;
			seen[best] = true;
			draws = world->devices[best].uses_host_memory ? memory : 0;
			if (draws > 0 && draws > host_now)
				continue;
			now++;
			host_now -= draws;
			taken[best] = true;
		}

		if (now == wanted)
			; /* they fit */
		else if (drawing + owning >= wanted && drawing > 0 &&
				 (wanted - owning) * memory > host_ever)
			result = Min(result, FILTERED_HOST_MEMORY); /* not even if nothing else ran */
		else if (reach[FITS] >= wanted)
			result = Min(result, FILTERED_HOST_MEMORY_BUSY);
		else if (present < wanted)
			result = Min(result, present > 0 ? Min(furthest, FILTERED_ACCELERATORS) :
											   FILTERED_ACCELERATORS);
		else
			for (int r = FITS; r >= 0; r--)
				if (reach[r] >= wanted)
				{
					result = Min(result, (FilterReason) r);
					break;
				}
		/* the next type sees what was chosen, not what was only looked at */
		host_ever = host_now + worker->memory_used;
	}
	/* listed as they stand in the worker */
	for (int n = choice->ndevices = 0, d = worker->first_device;
		 d < worker->first_device + worker->ndevices; d++)
		if (taken[d])
		{
			choice->devices[n++] = d;
			choice->ndevices = n;
		}
	if (result == FITS)
		brute_rank(world, kind, choice);
	return result;
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

/* The best worker of all, or false; *refusal is the furthest check of any. */
static inline bool
brute_best(const World *world, const WorkKind *kind, Choice *best, FilterReason *reason)
{
	bool found = false;

	*reason = FILTERED_NO_WORKER;
	for (int w = 0; w < world->nworkers; w++)
	{
		Choice choice;
		FilterReason of_worker = brute_worker(world, kind, w, &choice);
		const Worker *x = &world->workers[w];
		const Worker *y;

		*reason = Max(*reason, of_worker);
		if (of_worker != FITS)
			continue;
		y = &world->workers[best->worker];
		if (!found || choice.value > best->value ||
			(choice.value == best->value &&
			 (choice.cpu != best->cpu		   ? choice.cpu :
			  x->assignments != y->assignments ? x->assignments < y->assignments :
												 x->total_assignments < y->total_assignments)))
			*best = choice;
		found = true;
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
