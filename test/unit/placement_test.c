/*
 * placement_test.c
 *		The search beside a brute force that looks at every worker and every
 *		device for every item of the queue: on thousands of small random fleets
 *		both must take the very same decisions.  The fleets are made of few
 *		values, so that ties and full devices are the rule.
 *
 * The scores themselves have their own test; here they are taken for granted.
 */
#include <time.h>

#include "placement.h"
#include "tap.h"
#include "version.h"

#define ROUNDS 3000

#define GB (INT64_C(1) << 30)
#define NAMES(...) \
	((NameSet) {lengthof(((const char *[]) {__VA_ARGS__})), (const char *[]) {__VA_ARGS__}})
#define ONE_OF(type, ...) \
	(((const type[]) {__VA_ARGS__})[random_below(lengthof(((const type[]) {__VA_ARGS__})))])

/* A search frees nothing: in the server its memory context goes as a whole. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

#define MOST_WORKERS 12
#define MOST_WORKER_DEVICES 5
#define MOST_DEVICES (MOST_WORKERS * MOST_WORKER_DEVICES)
#define MOST_KINDS 5
#define MOST_ITEMS 40
#define NPROFILES 6

static const NameSet no_names = {0, NULL};

/* --- random worlds --- */

typedef struct World
{
	DeviceProfile profiles[NPROFILES];
	int			nworkers;
	Worker		workers[MOST_WORKERS];
	int			ndevices;
	Device		devices[MOST_DEVICES];
	int			nkinds;
	WorkKind	kinds[MOST_KINDS];
	double		preferences[MOST_KINDS][MOST_WORKERS];
	PlacementSettings settings;
	PolicyPart	part;
	Policy		policy;
	int			nitems;
	QueueItem	items[MOST_ITEMS];
} World;

/* What a world may hold; the rest of it is simple. */
typedef struct Traits
{
	bool		whole;			/* work that takes whole accelerators */
	bool		shares;			/* work that takes shares */
	bool		min_score;
	bool		host_devices;	/* devices that draw on their worker's memory */
	bool		slots_only;		/* one kind, no demand but a slot */
} Traits;

static NamedText python_old[] = {{"python", "3.8.2"}};
static NamedText python_new[] = {{"cuda", "12.1"}, {"python", "3.11"}};
static NamedTexts software[] = {{0, NULL}, {1, python_old}, {2, python_new}};
static NamedText python_wanted[] = {{"python", "3.10"}};

/* sorted by name, as the reader does; a cuda or rocm device is a gpu, too */
static NamedNumber one_gpu[] = {{"gpu", 1}};
static NamedNumber two_gpus[] = {{"gpu", 2}};
static NamedNumber one_cuda[] = {{"cuda", 1}};
static NamedNumber three_cuda[] = {{"cuda", 3}};
static NamedNumber one_tpu[] = {{"tpu", 1}};
static NamedNumber gpus_and_tpu[] = {{"gpu", 2}, {"tpu", 1}};
static NamedNumber cuda_and_rocm[] = {{"cuda", 1}, {"rocm", 1}};
static NamedNumber cuda_and_gpu[] = {{"cuda", 1}, {"gpu", 1}};
static NamedNumber gpu_and_rocm[] = {{"gpu", 1}, {"rocm", 1}};
static const NamedNumbers accelerator_demands[] = {
	{1, one_gpu}, {1, two_gpus}, {1, one_cuda}, {1, three_cuda}, {1, one_tpu}, {2, gpus_and_tpu}, {2, cuda_and_rocm},
	{2, cuda_and_gpu}, {2, gpu_and_rocm}
};

static void
random_profiles(World *world)
{
	static const char *const classes[] = {"cpu", "gpu", "gpu", "tpu", "npu", "gpu"};
	const NameSet backends[] = {
		NAMES("cpu", "onnx"), NAMES("cuda", "onnx"), NAMES("rocm"), NAMES("jax"), NAMES("onnx", "qnn"), NAMES("cuda")
	};
	static const char *onnx[] = {"cpu", "onnx"};
	static const char *cuda_onnx[] = {"cuda", "onnx"};
	static const char *rocm[] = {"rocm"};
	static const char *jax[] = {"jax"};
	static const char *onnx_qnn[] = {"onnx", "qnn"};
	static const char *cuda[] = {"cuda"};
	static const char **const lasting[] = {onnx, cuda_onnx, rocm, jax, onnx_qnn, cuda};
	static const char *fp16[] = {"fp16", "fp32"};
	static const char *tensor[] = {"tensor_cores"};

	for (int i = 0; i < NPROFILES; i++)
	{
		DeviceProfile *profile = &world->profiles[i];

		memset(profile, 0, sizeof(*profile));
		profile->hardware_class = classes[i];
		profile->architecture = i == 0 ? "x86_64" : i == 2 ? "gpu_rocm" : "gpu_cuda";
		profile->vendor = i == 2 ? "amd" : i == 0 ? "intel" : "nvidia";
		profile->model_name = i == 1 ? "A100" : "other";
		profile->supported_backends = (NameSet) {backends[i].count, lasting[i]};
		if (random_below(4) > 0)
			profile->supported_precisions = (NameSet) {2, fp16};
		if (i == 1 || i == 5)
			profile->features = (NameSet) {1, tensor};
		profile->memory_total_bytes = ONE_OF(int64, 4, 8, 16) * GB;
		profile->compute_units = ONE_OF(int, 1, 50, 100);
	}
}

static void
random_state(Device *device, bool calm)
{
	device->load = calm ? 0 : ONE_OF(double, 0, 0, 0.5, 0.95);
	device->temperature = calm ? 0 : ONE_OF(double, 0, 0, 0.5, 1);
	device->performance_level = 1;
	if (!calm && random_below(4) == 0)
	{
		device->warming = random_below(2) == 0;
		device->cooling = !device->warming;
		device->performance_level = ONE_OF(double, 0.6, 0.8);
	}
	device->effective_load = effective_load(device->load, device->warming || device->cooling,
											device->performance_level);
}

/* Workers are copies of a few, as in a real fleet, in various states. */
static void
random_fleet(World *world, const Traits *traits)
{
	int			ntemplates = 1 + random_below(3);
	int			counts[3];
	int			profiles[3][MOST_WORKER_DEVICES];
	bool		host[3];
	Worker		templates[3];
	bool		calm = random_below(2) == 0;
	bool		fresh = random_below(2) == 0;

	for (int t = 0; t < ntemplates; t++)
	{
		memset(&templates[t], 0, sizeof(Worker));
		counts[t] = random_below(10) == 0 ? 0 : 1 + random_below(MOST_WORKER_DEVICES);
		host[t] = traits->host_devices && random_below(2) == 0;
		for (int d = 0; d < counts[t]; d++)
			profiles[t][d] = d == 0 && random_below(4) > 0 ? 0 :
				random_below(2) == 0 && d > 0 ? profiles[t][d - 1] : random_below(NPROFILES);
		templates[t].cpu_millicores = ONE_OF(int64, 0, 2000, 8000);
		templates[t].memory_bytes = ONE_OF(int64, 0, 8, 32) * GB;
		templates[t].software = random_below(lengthof(software));
	}
	world->nworkers = random_below(30) == 0 ? 0 : 1 + random_below(MOST_WORKERS);
	world->ndevices = 0;
	for (int i = 0; i < world->nworkers; i++)
	{
		Worker	   *worker = &world->workers[i];
		int			t = random_below(ntemplates);

		*worker = templates[t];
		if (random_below(4) == 0)
			worker->software = random_below(lengthof(software));
		worker->worker_id = "w";
		worker->accepting = random_below(10) > 0;
		worker->max_concurrent = ONE_OF(int, 0, 0, 0, 1, 3, 10);
		worker->first_device = world->ndevices;
		worker->ndevices = counts[t];
		if (!fresh)
		{
			worker->assignments = random_below(3);
			worker->total_assignments = worker->assignments + random_below(3);
			worker->cpu_used = ONE_OF(int64, 0, 0, 1000, 2000);
			if (worker->cpu_used > worker->cpu_millicores)
				worker->cpu_used = 0;
		}
		for (int d = 0; d < counts[t]; d++)
		{
			Device	   *device = &world->devices[world->ndevices++];
			const DeviceProfile *profile = &world->profiles[profiles[t][d]];

			memset(device, 0, sizeof(*device));
			device->device_no = d;
			device->profile = profiles[t][d];
			device->uses_host_memory = host[t] && d % 3 != 2;
			device->memory_bytes = device->uses_host_memory && d % 2 == 0 ? -1 : profile->memory_total_bytes;
			random_state(device, calm);
			if (fresh)
				continue;
			switch (random_below(5))
			{
				case 0:
					device->slots = random_below(world->settings.max_concurrent + 1);
					break;
				case 1:
					device->share = ONE_OF(int, 250000, 750000, WHOLE_SHARE);
					break;
				case 2:
					if (device->memory_bytes >= 0)
						device->memory_used = ONE_OF(int64, 1, 4) * GB;
					if (device->uses_host_memory && worker->memory_used + device->memory_used <= worker->memory_bytes)
						worker->memory_used += device->memory_used;
					else if (device->uses_host_memory)
						device->memory_used = 0;
					break;
			}
		}
	}
}

static void
random_kind(World *world, int k, const Traits *traits)
{
	static const char *names[][1] = {{"cuda"}, {"gpu"}, {"cpu"}, {"onnx"}, {"rocm"}};
	static const char *both[] = {"cuda", "rocm"};
	static const char *fp16[] = {"fp16"};
	static const char *tensor[] = {"tensor_cores"};
	static const char *a100[] = {"A100"};
	static const char *amd[] = {"amd"};
	static const NamedNumbers nothing = {0, NULL};
	WorkKind   *kind = &world->kinds[k];
	WorkloadProfile *profile = &kind->profile;
	Demand	   *demand = &kind->demand;
	double	   *metrics = (double *) &profile->metrics;
	int			what = random_below(3);

	memset(kind, 0, sizeof(*kind));
	kind->profile_id = k + 1;
	for (size_t i = 0; i < sizeof(Metrics) / sizeof(double); i++)
		metrics[i] = NAN;
	profile->workload_type = ONE_OF(char *const, "vision", "nlp", "inference", "mixed", "mixed");
	profile->required_backends = no_names;
	if (random_below(4) == 0)
		profile->required_backends = (NameSet) {1, names[random_below(lengthof(names))]};
	if (random_below(traits->min_score ? 2 : 3) == 0)
		profile->preferred_backends = random_below(3) == 0 ? (NameSet) {2, both} :
			(NameSet) {1, names[random_below(lengthof(names))]};
	if (random_below(12) == 0)
		profile->required_precisions = (NameSet) {1, fp16};
	if (random_below(12) == 0)
		profile->required_features = (NameSet) {1, tensor};
	if (random_below(12) == 0)
		profile->required_models = (NameSet) {1, a100};
	if (random_below(8) == 0)
		profile->preferred_vendors = (NameSet) {1, amd};
	if (random_below(8) == 0)
		profile->preferred_hardware_class = ONE_OF(char *const, "cpu", "gpu", "tpu");
	if (random_below(4) == 0)
		profile->metrics.compute_intensity = 0.8;
	if (random_below(4) == 0)
		profile->metrics.memory_intensity = 0.8;
	profile->min_compute_units = ONE_OF(int, 0, 0, 2, 50);
	if (random_below(3) == 0)
	{
		for (int w = 0; w < world->nworkers; w++)
			world->preferences[k][w] = ONE_OF(double, 0.5, 0.5, 0.1, 0.9, 1);
		kind->preference = world->preferences[k];
	}
	if (traits->slots_only)
		return;

	profile->min_memory_bytes = ONE_OF(int64, 0, 0, 1, 3, 8) * GB;
	demand->cpu_millicores = ONE_OF(int64, 0, 0, 500, 1000, 4000);
	demand->host_memory_bytes = ONE_OF(int64, 0, 0, 1, 4) * GB;
	if (random_below(6) == 0)
		demand->software = (NamedTexts) {1, python_wanted};
	if (what == 1 && traits->whole)
		demand->accelerators = accelerator_demands[random_below(lengthof(accelerator_demands))];
	else if (what == 2 && traits->shares)
	{
		demand->share = ONE_OF(int, 250000, 500000, WHOLE_SHARE, 333334);
		demand->accelerators = random_below(2) == 0 ? nothing :
			accelerator_demands[ONE_OF(int, 0, 2, 4)];
	}
}

static void
random_world(World *world, const Traits *traits)
{
	memset(world, 0, sizeof(*world));
	world->part = (PolicyPart) {ALGORITHM_HARDWARE_AWARE, ONE_OF(double, 1, 0.7), 0};
	world->policy = (Policy) {1, &world->part};
	world->settings.preference_weight = ONE_OF(double, 0, 0.2, 1);
	world->settings.min_score = traits->min_score ? ONE_OF(double, 0.3, 0.7, 1) : 0;
	world->settings.max_load = ONE_OF(double, 0.9, 0.9, 0.5);
	world->settings.max_concurrent = ONE_OF(int, 1, 2, 3, 5);
	random_profiles(world);
	random_fleet(world, traits);
	world->nkinds = traits->slots_only ? 1 : 1 + random_below(MOST_KINDS);
	for (int k = 0; k < world->nkinds; k++)
		random_kind(world, k, traits);
	world->nitems = random_below(MOST_ITEMS + 1);
	for (int i = 0; i < world->nitems; i++)
		world->items[i].kind = random_below(world->nkinds);
}

/* --- the brute force --- */

/* What it knows is the world, which it books its own decisions into. */
typedef struct Choice
{
	int			worker;
	int			ndevices;
	int			devices[MOST_WORKER_DEVICES];	/* indices in world->devices */
	double		value;
	double		adjusted;
	bool		cpu;
} Choice;

static bool
has_name(NameSet set, const char *name)
{
	for (int i = 0; i < set.count; i++)
		if (strcmp(set.names[i], name) == 0)
			return true;
	return false;
}

static bool
of_type(const DeviceProfile *profile, const char *type)
{
	return strcmp(profile->hardware_class, type) == 0 || has_name(profile->supported_backends, type);
}

static double
brute_adjusted(const World *world, const WorkKind *kind, const Device *device)
{
	return adjusted_efficiency(raw_efficiency(&kind->profile, &world->profiles[device->profile]),
							   device->effective_load, device->warming, device->cooling,
							   device->performance_level, device->temperature);
}

static double
brute_value(const World *world, const WorkKind *kind, const Device *device)
{
	const DeviceProfile *profile = &world->profiles[device->profile];
	bool		wanted = kind->profile.preferred_backends.count == 0;

	for (int i = 0; i < kind->profile.preferred_backends.count; i++)
		wanted = wanted || of_type(profile, kind->profile.preferred_backends.names[i]);
	return brute_adjusted(world, kind, device) * (wanted ? 1.0 : 0.9);
}

/* How full a device is, of WHOLE_SHARE * max_concurrent. */
static int64
brute_used(const World *world, const Device *device)
{
	return device->slots * (int64) WHOLE_SHARE + device->share * (int64) world->settings.max_concurrent;
}

/* The checks of a worker that its devices have no part in. */
static Refusal
brute_worker_refusal(const WorkKind *kind, const Worker *worker)
{
	const Demand *demand = &kind->demand;
	int64		host = demand->host_memory_bytes;
	bool		fails[FITS + 1] = {0};

	fails[REFUSED_SOFTWARE] = !software_suffices(&software[worker->software], &demand->software);
	fails[REFUSED_CPU_CORES] = demand->cpu_millicores > worker->cpu_millicores;
	fails[REFUSED_HOST_MEMORY] = host > worker->memory_bytes;
	fails[REFUSED_DRAINING] = !worker->accepting;
	fails[REFUSED_CONCURRENT] = worker->max_concurrent > 0 && worker->assignments + 1 > worker->max_concurrent;
	fails[REFUSED_CPU_BUSY] = demand->cpu_millicores > 0 &&
		worker->cpu_used + demand->cpu_millicores > worker->cpu_millicores;
	fails[REFUSED_HOST_MEMORY_BUSY] = host > 0 && worker->memory_used + host > worker->memory_bytes;
	for (int r = 0; r < FITS; r++)
		if (fails[r])
			return r;
	return FITS;
}

/*
 * Every check of one device, each by itself; returns the first that fails in
 * the order of Refusal.
 */
static Refusal
brute_device_refusal(const World *world, const WorkKind *kind, const Worker *worker,
					 const Device *device, const char *type)
{
	static const struct
	{
		Mismatch	mismatch;
		Refusal		refusal;
	}			mismatches[] = {
		{MISMATCH_BACKEND, REFUSED_BACKEND}, {MISMATCH_MODEL, REFUSED_MODEL},
		{MISMATCH_PRECISION, REFUSED_PRECISION}, {MISMATCH_FEATURE, REFUSED_FEATURE},
		{MISMATCH_UNITS, REFUSED_UNITS}, {MISMATCH_MEMORY, REFUSED_MEMORY}
	};
	const DeviceProfile *profile = &world->profiles[device->profile];
	const Demand *demand = &kind->demand;
	int64		memory = kind->profile.min_memory_bytes;
	int64		host = demand->host_memory_bytes + (device->uses_host_memory ? memory : 0);
	int64		whole = (int64) WHOLE_SHARE * world->settings.max_concurrent;
	int64		asked = demand->share > 0 ? demand->share * (int64) world->settings.max_concurrent :
		demand->accelerators.count > 0 ? whole : WHOLE_SHARE;
	bool		fails[FITS + 1] = {0};
	Mismatch	mismatch = device_mismatch(&kind->profile, profile);

	fails[REFUSED_HOST_MEMORY] = device->uses_host_memory && host > worker->memory_bytes;
	fails[REFUSED_HOST_MEMORY_BUSY] = host > 0 && worker->memory_used + host > worker->memory_bytes;
	for (size_t i = 0; i < lengthof(mismatches); i++)
		if (mismatch == mismatches[i].mismatch)
			fails[mismatches[i].refusal] = true;
	if (device->memory_bytes >= 0)
	{
		if (memory > device->memory_bytes)
			fails[REFUSED_MEMORY] = true;
		fails[REFUSED_DEVICE_MEMORY_BUSY] = memory > 0 && device->memory_used + memory > device->memory_bytes;
	}
	if (demand->share > 0 || demand->accelerators.count > 0)
		fails[REFUSED_ACCELERATORS] = type != NULL ? !of_type(profile, type) :
			strcmp(profile->hardware_class, "cpu") == 0;
	fails[REFUSED_LOAD] = device->load > world->settings.max_load;
	fails[REFUSED_DEVICE_BUSY] = brute_used(world, device) + asked > whole;
	fails[REFUSED_SCORE] = mismatch == MATCHES && brute_adjusted(world, kind, device) < world->settings.min_score;
	for (int r = 0; r < FITS; r++)
		if (fails[r])
			return r;
	return FITS;
}

/* What ranks a worker, from its devices: their mean, with what was learned. */
static void
brute_rank(const World *world, const WorkKind *kind, Choice *choice)
{
	double		value = 0;
	double		adjusted = 0;

	for (int i = 0; i < choice->ndevices; i++)
	{
		value += brute_value(world, kind, &world->devices[choice->devices[i]]);
		adjusted += brute_adjusted(world, kind, &world->devices[choice->devices[i]]);
	}
	value /= choice->ndevices;
	choice->adjusted = adjusted / choice->ndevices;
	if (kind->preference != NULL)
		value *= 1.0 + world->settings.preference_weight * (2.0 * kind->preference[choice->worker] - 1.0);
	choice->value = value;
	choice->cpu = demand_occupancy(&kind->demand) == OCCUPY_SLOT &&
		strcmp(world->profiles[world->devices[choice->devices[0]].profile].hardware_class, "cpu") == 0;
}

/* One device for a slot or a share: the better of two, by all the rules. */
static bool
better_device(const World *world, const WorkKind *kind, int a, int b)
{
	const Device *x = &world->devices[a];
	const Device *y = &world->devices[b];
	double		by_value = brute_value(world, kind, x) - brute_value(world, kind, y);
	bool		share = kind->demand.share > 0;
	bool		x_cpu = !share && strcmp(world->profiles[x->profile].hardware_class, "cpu") == 0;
	bool		y_cpu = !share && strcmp(world->profiles[y->profile].hardware_class, "cpu") == 0;
	int64		by_use = brute_used(world, x) - brute_used(world, y);

	if (by_value != 0)
		return by_value > 0;
	if (x_cpu != y_cpu)
		return x_cpu;
	if (by_use != 0)
		return share ? by_use > 0 : by_use < 0;
	return a < b;
}

static Refusal
brute_single(const World *world, const WorkKind *kind, int w, Choice *choice)
{
	const Worker *worker = &world->workers[w];
	const char *type = kind->demand.accelerators.count > 0 ? kind->demand.accelerators.items[0].name : NULL;
	Refusal		furthest = REFUSED_NO_WORKER;
	int			best = -1;

	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
	{
		Refusal		refusal = brute_device_refusal(world, kind, worker, &world->devices[d], type);

		furthest = Max(furthest, refusal);
		if (refusal == FITS && (best < 0 || better_device(world, kind, d, best)))
			best = d;
	}
	if (best < 0)
		return furthest;
	*choice = (Choice) {.worker = w, .ndevices = 1, .devices = {best}};
	brute_rank(world, kind, choice);
	return FITS;
}

/*
 * Of each type the most valuable devices, equal ones by number; the type that
 * fewest of the worker's devices have comes first.  What devices draw on the
 * worker's memory, they draw together.
 */
static Refusal
brute_whole(const World *world, const WorkKind *kind, int w, Choice *choice)
{
	const Worker *worker = &world->workers[w];
	const NamedNumbers *types = &kind->demand.accelerators;
	int64		memory = kind->profile.min_memory_bytes;
	int64		host_ever = worker->memory_bytes - kind->demand.host_memory_bytes;
	int64		host_now = host_ever - worker->memory_used;
	Refusal		result = FITS;
	bool		taken[MOST_DEVICES] = {0};
	bool		done[2] = {0};

	*choice = (Choice) {.worker = w};
	for (int turn = 0; turn < types->count; turn++)
	{
		int			reach[FITS + 1] = {0};	/* devices that get this far */
		bool		seen[MOST_DEVICES] = {0};
		int			present = 0;
		int			drawing = 0;	/* that would do, some time */
		int			owning = 0;
		int			now = 0;
		int			rarest = -1;
		int			fewest = 0;
		int			wanted;
		const char *type;
		Refusal		furthest = REFUSED_NO_WORKER;
		Refusal		refusals[MOST_DEVICES];

		for (int t = 0; t < types->count; t++)
		{
			int			count = 0;

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
				if (refusals[d] > REFUSED_HOST_MEMORY)
				{
					if (memory > 0 && world->devices[d].uses_host_memory)
						drawing++;
					else
						owning++;
				}
			}
		for (int n = 0; n < reach[FITS] && now < wanted; n++)
		{
			int			best = -1;
			int64		draws;

			for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
				if (!taken[d] && !seen[d] && refusals[d] == FITS &&
					(best < 0 || brute_value(world, kind, &world->devices[d]) > brute_value(world, kind, &world->devices[best])))
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
			;					/* they fit */
		else if (drawing + owning >= wanted && drawing > 0 && (wanted - owning) * memory > host_ever)
			result = Min(result, REFUSED_HOST_MEMORY);	/* not even if nothing else ran */
		else if (reach[FITS] >= wanted)
			result = Min(result, REFUSED_HOST_MEMORY_BUSY);
		else if (present < wanted)
			result = Min(result, present > 0 ? Min(furthest, REFUSED_ACCELERATORS) : REFUSED_ACCELERATORS);
		else
			for (int r = FITS; r >= 0; r--)
				if (reach[r] >= wanted)
				{
					result = Min(result, (Refusal) r);
					break;
				}
		/* the next type sees what was chosen, not what was only looked at */
		host_ever = host_now + worker->memory_used;
	}
	/* listed as they stand in the worker */
	for (int n = choice->ndevices = 0, d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		if (taken[d])
		{
			choice->devices[n++] = d;
			choice->ndevices = n;
		}
	if (result == FITS)
		brute_rank(world, kind, choice);
	return result;
}

static Refusal
brute_worker(const World *world, const WorkKind *kind, int w, Choice *choice)
{
	Refusal		refusal;

	if (kind->demand.share == 0 && kind->demand.accelerators.count > 0)
		refusal = brute_whole(world, kind, w, choice);
	else
		refusal = brute_single(world, kind, w, choice);
	return Min(refusal, brute_worker_refusal(kind, &world->workers[w]));
}

/* The best worker of all, or false; *refusal is the furthest check of any. */
static bool
brute_best(const World *world, const WorkKind *kind, Choice *best, Refusal *refusal)
{
	bool		found = false;

	*refusal = REFUSED_NO_WORKER;
	for (int w = 0; w < world->nworkers; w++)
	{
		Choice		choice;
		Refusal		of_worker = brute_worker(world, kind, w, &choice);
		const Worker *x = &world->workers[w];
		const Worker *y;

		*refusal = Max(*refusal, of_worker);
		if (of_worker != FITS)
			continue;
		y = &world->workers[best->worker];
		if (!found ||
			choice.value > best->value ||
			(choice.value == best->value &&
			 (choice.cpu != best->cpu ? choice.cpu :
			  x->assignments != y->assignments ? x->assignments < y->assignments :
			  x->total_assignments < y->total_assignments)))
			*best = choice;
		found = true;
	}
	return found;
}

static void
brute_book(World *world, const WorkKind *kind, const Choice *choice)
{
	Worker	   *worker = &world->workers[choice->worker];

	worker->assignments++;
	worker->total_assignments++;
	worker->cpu_used += kind->demand.cpu_millicores;
	worker->memory_used += kind->demand.host_memory_bytes;
	for (int i = 0; i < choice->ndevices; i++)
	{
		Device	   *device = &world->devices[choice->devices[i]];

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

/* --- running the search on a copy of a world --- */

typedef struct Run
{
	Fleet		fleet;
	Search		search;
	WorkKind	kinds[MOST_KINDS];
	QueueItem	items[MOST_ITEMS];
} Run;

static void
begin_run(Run *run, World *world)
{
	memset(run, 0, sizeof(*run));
	run->fleet.nprofiles = NPROFILES;
	run->fleet.profiles = world->profiles;
	run->fleet.nsoftware = lengthof(software);
	run->fleet.software = software;
	run->fleet.nworkers = world->nworkers;
	run->fleet.workers = malloc(sizeof(Worker) * (world->nworkers + 1));
	memcpy(run->fleet.workers, world->workers, sizeof(Worker) * world->nworkers);
	run->fleet.ndevices = world->ndevices;
	run->fleet.devices = malloc(sizeof(Device) * (world->ndevices + 1));
	memcpy(run->fleet.devices, world->devices, sizeof(Device) * world->ndevices);
	memcpy(run->kinds, world->kinds, sizeof(run->kinds));
	memcpy(run->items, world->items, sizeof(run->items));
	for (int k = 0; k < world->nkinds; k++)
	{
		run->kinds[k].policy = &world->policy;
		run->kinds[k].model = run->kinds[k].family = -1;
	}
	run->search.reserved_from = -1;
	run->search.fleet = &run->fleet;
	run->search.nkinds = world->nkinds;
	run->search.kinds = run->kinds;
	run->search.settings = world->settings;
	search_begin(&run->search);
}

/* Returns what was decided for an item, or NULL if it waits. */
static const Placement *
placement_of(const Run *run, int i)
{
	const QueueItem *item = &run->items[i];

	return item->nplacements == 0 ? NULL : &run->search.placements[item->first_placement];
}

static int
worker_of(const Run *run, int i)
{
	const Placement *placement = placement_of(run, i);

	return placement == NULL ? -1 : placement->worker;
}

static bool
same_decision(const Run *a, const Run *b, int i)
{
	const Placement *x = placement_of(a, i);
	const Placement *y = placement_of(b, i);

	if (x == NULL || y == NULL)
		return x == y;
	return x->worker == y->worker &&
		(x->ndevices == y->ndevices && x->score == y->score && x->adjusted_efficiency == y->adjusted_efficiency &&
		 memcmp(&a->search.chosen[x->first_device], &b->search.chosen[y->first_device], sizeof(int32) * x->ndevices) == 0);
}

/* Nothing is beyond what there is, counted from the decisions. */
static bool
within_capacity(const World *before, const Run *run)
{
	for (int w = 0; w < before->nworkers; w++)
	{
		const Worker *worker = &run->fleet.workers[w];
		int64		memory = worker->memory_used;

		if ((worker->cpu_used > worker->cpu_millicores && worker->cpu_used > before->workers[w].cpu_used) ||
			(memory > worker->memory_bytes && memory > before->workers[w].memory_used) ||
			(worker->max_concurrent > 0 && worker->assignments > worker->max_concurrent &&
			 worker->assignments > before->workers[w].assignments))
			return false;
		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		{
			const Device *device = &run->fleet.devices[d];
			const Device *was = &before->devices[d];
			double		used = device->slots / (double) before->settings.max_concurrent +
				device->share / (double) WHOLE_SHARE;

			if ((used > 1 + 1e-9 && (device->slots > was->slots || device->share > was->share)) ||
				(device->memory_bytes >= 0 && device->memory_used > device->memory_bytes &&
				 device->memory_used > was->memory_used))
				return false;
		}
	}
	return true;
}

static void
show_item(int round, const World *world, const Run *run, int i, bool found, const Choice *choice)
{
	const Placement *item = placement_of(run, i);

	diag("round %d: item %d of %d, %d workers, max_concurrent %d, min_score %g",
		 round, i, world->nitems, world->nworkers, world->settings.max_concurrent, world->settings.min_score);
	if (item == NULL)
		diag("the search does not place it");
	else
		diag("the search: worker %d, %d devices from %d, adjusted %.17g", item->worker, item->ndevices,
			 run->search.chosen[item->first_device], item->adjusted_efficiency);
	if (found)
		diag("brute force: worker %d, %d devices from %d, value %.17g, adjusted %.17g", choice->worker,
			 choice->ndevices, choice->devices[0], choice->value, choice->adjusted);
	else
		diag("brute force does not place it");
}

/* --- tests --- */

/* how often a kind of work was refused for what, over all tests */
static int64 refused[FITS + 1];

static void
test_decisions(const char *name, Traits traits)
{
	bool		decisions = true,
				refusals = true,
				devices = true,
				capacity = true,
				repeatable = true,
				limited = true,
				booked = true,
				pairs = true;
	int			placed = 0,
				items = 0,
				ties = 0;

	for (int round = 0; round < ROUNDS; round++)
	{
		static World before;
		static World world;
		Run			run;
		Run			again;
		Run			first;
		int			most = random_below(10);
		int			seen = 0;

		random_world(&before, &traits);
		world = before;
		begin_run(&run, &before);

		/* what is refused, before anything is placed */
		for (int k = 0; k < world.nkinds; k++)
		{
			Choice		best = {0};
			Refusal		expected;
			bool		found = brute_best(&world, &world.kinds[k], &best, &expected);
			Refusal		got = search_refusal(&run.search, &run.kinds[k]);

			refused[expected]++;
			if (refusals && (got != expected || (got == FITS) != found))
			{
				refusals = false;
				diag("round %d: kind %d is refused for %d, expected %d", round, k, got, expected);
			}
			for (int w = 0; w < world.nworkers && demand_occupancy(&world.kinds[k].demand) != OCCUPY_WHOLE; w++)
				for (int d = world.workers[w].first_device; d < world.workers[w].first_device + world.workers[w].ndevices; d++)
				{
					const NamedNumbers *types = &world.kinds[k].demand.accelerators;
					Candidate	candidate;

					expected = Min(brute_device_refusal(&world, &world.kinds[k], &world.workers[w], &world.devices[d],
														types->count > 0 ? types->items[0].name : NULL),
								   brute_worker_refusal(&world.kinds[k], &world.workers[w]));
					got = search_device(&run.search, &run.kinds[k], w, d, &candidate);
					if (devices && got != expected)
					{
						devices = false;
						diag("round %d: kind %d on device %d is refused for %d, expected %d", round, k, d, got, expected);
					}
				}
		}

		search_place(&run.search, run.items, world.nitems, -1);
		for (int i = 0; i < world.nitems; i++)
		{
			const WorkKind *kind = &world.kinds[world.items[i].kind];
			const Placement *item = placement_of(&run, i);
			Choice		choice = {0};
			Refusal		refusal;
			bool		found = brute_best(&world, kind, &choice, &refusal);
			bool		same = found == (item != NULL);

			items++;
			if (found)
			{
				double		value = choice.value;

				for (int w = choice.worker + 1; w < world.nworkers; w++)
				{
					Choice		other;

					if (brute_worker(&world, kind, w, &other) == FITS && other.value == value)
					{
						ties++;
						break;
					}
				}
				same = same && item->worker == choice.worker && item->ndevices == choice.ndevices &&
					item->adjusted_efficiency == choice.adjusted && item->score == world.part.weight;
				for (int d = 0; same && d < choice.ndevices; d++)
					same = run.search.chosen[item->first_device + d] == choice.devices[d];
				placed++;
				brute_book(&world, kind, &choice);
			}
			if (decisions && !same)
			{
				decisions = false;
				show_item(round, &world, &run, i, found, &choice);
			}
			if (!same)
				break;
		}
		if (decisions)
		{
			for (int w = 0; w < world.nworkers; w++)
				booked = booked && run.fleet.workers[w].assignments == world.workers[w].assignments &&
					run.fleet.workers[w].total_assignments == world.workers[w].total_assignments &&
					run.fleet.workers[w].cpu_used == world.workers[w].cpu_used &&
					run.fleet.workers[w].memory_used == world.workers[w].memory_used;
			for (int d = 0; d < world.ndevices; d++)
				booked = booked && run.fleet.devices[d].slots == world.devices[d].slots &&
					run.fleet.devices[d].share == world.devices[d].share &&
					run.fleet.devices[d].memory_used == world.devices[d].memory_used;
		}
		capacity = capacity && within_capacity(&before, &run);
		pairs = pairs && run.search.pairs_scored <= world.nkinds * NPROFILES;

		/* once more; and with a limit, then the rest */
		begin_run(&again, &before);
		search_place(&again.search, again.items, world.nitems, -1);
		begin_run(&first, &before);
		search_place(&first.search, first.items, world.nitems, most);
		for (int i = 0; i < world.nitems; i++)
		{
			repeatable = repeatable && same_decision(&run, &again, i);
			if (worker_of(&run, i) >= 0 && seen < most)
			{
				seen++;
				limited = limited && same_decision(&run, &first, i);
			}
			else
				limited = limited && worker_of(&first, i) == -1;
		}
	}
	ok(decisions, "%s: the same decisions as brute force", name);
	ok(booked, "%s: the same bookings", name);
	ok(refusals, "%s: the furthest refusal of any worker, FITS if and only if there is a candidate", name);
	ok(devices, "%s: the refusal of each single device", name);
	ok(capacity, "%s: nothing beyond its capacity", name);
	ok(repeatable, "%s: the same decisions every time", name);
	ok(limited, "%s: a limit cuts the same decisions short", name);
	ok(pairs, "%s: no pair of profiles is scored twice", name);
	/* a generator that places nothing, or all, would test nothing */
	ok(placed > items / 15 && placed < items * 9 / 10 && ties > placed / 8,
	   "%s: %d of %d placed, %d of them with ties", name, placed, items, ties);
}

static void
test_refusals_occurred(void)
{
	bool		all = true;

	for (int r = REFUSED_NO_WORKER; r <= FITS; r++)
		if (refused[r] == 0)
		{
			all = false;
			diag("no kind of work was refused for %d", r);
		}
	ok(all, "every refusal occurred");
}

/* One kind that takes slots only: as many are placed as there are free slots. */
static void
test_slots(void)
{
	Traits		traits = {.slots_only = true};
	bool		all_used = true;
	bool		monotone = true;

	for (int round = 0; round < ROUNDS; round++)
	{
		static World world;
		Run			run;
		int			free_slots = 0;
		int			placed = 0;
		int			fewer = 0;

		random_world(&world, &traits);
		for (int w = 0; w < world.nworkers; w++)
		{
			const Worker *worker = &world.workers[w];
			int			of_worker = 0;

			for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
				if (brute_worker_refusal(&world.kinds[0], worker) == FITS &&
					brute_device_refusal(&world, &world.kinds[0], worker, &world.devices[d], NULL) == FITS)
					of_worker += (WHOLE_SHARE * (int64) world.settings.max_concurrent -
								  brute_used(&world, &world.devices[d])) / WHOLE_SHARE;
			if (worker->max_concurrent > 0)
				of_worker = Min(of_worker, Max(0, worker->max_concurrent - worker->assignments));
			free_slots += of_worker;
		}
		begin_run(&run, &world);
		search_place(&run.search, run.items, world.nitems, -1);
		for (int i = 0; i < world.nitems; i++)
			placed += worker_of(&run, i) >= 0;
		all_used = all_used && placed == Min(free_slots, world.nitems);

		if (world.nworkers > 0)
		{
			world.nworkers--;
			world.ndevices -= world.workers[world.nworkers].ndevices;
			begin_run(&run, &world);
			search_place(&run.search, run.items, world.nitems, -1);
			for (int i = 0; i < world.nitems; i++)
				fewer += worker_of(&run, i) >= 0;
			monotone = monotone && fewer <= placed;
		}
	}
	ok(all_used, "one kind in slots: no slot stays free while work waits");
	ok(monotone, "one kind in slots: a worker more never means less work placed");
}

/* Makes a small world by hand; kinds and items are still to be set. */
static void
plain_world(World *world, int nworkers, int profile, int ndevices)
{
	Traits		traits = {0};

	random_world(world, &traits);
	memset(world->kinds, 0, sizeof(world->kinds));
	world->part = (PolicyPart) {ALGORITHM_HARDWARE_AWARE, 1, 0};
	world->policy = (Policy) {1, &world->part};
	world->settings = (PlacementSettings) {0.2, 0, 0.9, 5, 64 << 20};
	for (int i = 0; i < NPROFILES; i++)
	{
		world->profiles[i].memory_total_bytes = 16 * GB;
		world->profiles[i].compute_units = 100;
	}
	world->nworkers = nworkers;
	world->ndevices = 0;
	for (int w = 0; w < nworkers; w++)
	{
		memset(&world->workers[w], 0, sizeof(Worker));
		world->workers[w].worker_id = "w";
		world->workers[w].accepting = true;
		world->workers[w].cpu_millicores = 8000;
		world->workers[w].memory_bytes = 8 * GB;
		world->workers[w].first_device = world->ndevices;
		world->workers[w].ndevices = ndevices;
		for (int d = 0; d < ndevices; d++)
		{
			Device	   *device = &world->devices[world->ndevices++];

			memset(device, 0, sizeof(*device));
			device->device_no = d;
			device->profile = profile;
			device->memory_bytes = 16 * GB;
			device->performance_level = 1;
		}
	}
	world->nkinds = 1;
	for (size_t i = 0; i < sizeof(Metrics) / sizeof(double); i++)
		((double *) &world->kinds[0].profile.metrics)[i] = NAN;
	world->kinds[0].profile.workload_type = "mixed";
	world->nitems = 1;
	memset(world->items, 0, sizeof(world->items));
}

static void
test_cases(void)
{
	static World world;
	Run			run;
	int			counts[5] = {0};
	const char *cuda[] = {"cuda"};

	/* equal workers share equally */
	plain_world(&world, 5, 0, 4);
	world.nitems = MOST_ITEMS;
	begin_run(&run, &world);
	search_place(&run.search, run.items, world.nitems, -1);
	for (int i = 0; i < world.nitems; i++)
		counts[worker_of(&run, i)]++;
	for (int w = 0; w < 5; w++)
		is_int(counts[w], MOST_ITEMS / 5, "equal workers share equally");
	for (int d = 0; d < run.fleet.ndevices; d++)
		if (run.fleet.devices[d].slots != 2)
			ok(false, "device %d has %d of the work, not 2", d, run.fleet.devices[d].slots);

	/* the longest unused of equals comes first, then the lowest id */
	plain_world(&world, 3, 0, 1);
	world.workers[0].total_assignments = 7;
	world.workers[1].total_assignments = 3;
	world.workers[2].total_assignments = 3;
	begin_run(&run, &world);
	search_place(&run.search, run.items, 1, -1);
	is_int(worker_of(&run, 0), 1, "the least used of equals, then the lowest id");

	/* shares pack, slots spread */
	plain_world(&world, 1, 1, 2);
	world.kinds[0].demand.share = 400000;
	world.nitems = 3;
	begin_run(&run, &world);
	search_place(&run.search, run.items, 3, -1);
	ok(run.search.chosen[0] == 0 && run.search.chosen[1] == 0 && run.search.chosen[2] == 1,
	   "shares fill one device before they open the next");

	/*
	 * Types that overlap: the AMD card is a gpu, too, and better because it is
	 * cooler; but rocm needs it, so the gpu has to be the other card.
	 */
	plain_world(&world, 1, 1, 2);
	world.devices[1].profile = 2;
	world.devices[0].temperature = 0.5;
	world.kinds[0].demand.accelerators = (NamedNumbers) {2, gpu_and_rocm};
	begin_run(&run, &world);
	search_place(&run.search, run.items, 1, -1);
	is_int(worker_of(&run, 0), 0, "types that overlap: a gpu and a rocm device are both there");

	/* of three cards, one AMD: there are two ways to serve both types */
	plain_world(&world, 2, 2, 2);
	world.devices[0].profile = world.devices[2].profile = 1;
	world.devices[0].temperature = world.devices[3].temperature = 0.5;
	world.kinds[0].demand.accelerators = (NamedNumbers) {2, gpu_and_rocm};
	world.nitems = 2;
	begin_run(&run, &world);
	search_place(&run.search, run.items, 2, -1);
	ok(worker_of(&run, 0) >= 0 && worker_of(&run, 1) >= 0 && worker_of(&run, 0) != worker_of(&run, 1),
	   "types that overlap: a member of a group fits though its ideal would choose otherwise");

	/*
	 * The preferred device does not reach min_score, the other one does.
	 */
	plain_world(&world, 1, 1, 2);
	world.devices[0].temperature = 0.5;
	world.devices[1].temperature = 0.3;
	world.devices[1].profile = 2;
	world.kinds[0].profile.preferred_backends = (NameSet) {1, cuda};
	world.settings.min_score = 0.88;
	begin_run(&run, &world);
	is_int(search_refusal(&run.search, &run.kinds[0]), FITS, "a device that reaches min_score is not hidden by one that does not");
	search_place(&run.search, run.items, 1, -1);
	is_int(worker_of(&run, 0), 0, "and gets the work");

	/*
	 * Two cards, one with memory of its own, one that draws on its worker's:
	 * only the latter's part counts there.
	 */
	plain_world(&world, 1, 1, 2);
	world.devices[1].uses_host_memory = true;
	world.devices[1].memory_bytes = -1;
	world.kinds[0].profile.min_memory_bytes = 8 * GB;
	world.kinds[0].demand.accelerators = (NamedNumbers) {1, two_gpus};
	begin_run(&run, &world);
	is_int(search_refusal(&run.search, &run.kinds[0]), FITS,
		   "whole accelerators: memory of a card of its own is not asked of its worker");

	/* two that both draw on it need it twice, now and ever */
	plain_world(&world, 1, 1, 3);
	world.devices[0].uses_host_memory = world.devices[1].uses_host_memory = true;
	world.devices[2].profile = 0;
	world.kinds[0].profile.min_memory_bytes = 5 * GB;
	world.kinds[0].demand.accelerators = (NamedNumbers) {1, two_gpus};
	begin_run(&run, &world);
	is_int(search_refusal(&run.search, &run.kinds[0]), REFUSED_HOST_MEMORY, "whole accelerators: their memory adds up");
	world.workers[0].memory_bytes = 12 * GB;
	begin_run(&run, &world);
	is_int(search_refusal(&run.search, &run.kinds[0]), FITS, "whole accelerators: and fits if there is enough");
	world.workers[0].memory_used = 3 * GB;
	begin_run(&run, &world);
	is_int(search_refusal(&run.search, &run.kinds[0]), REFUSED_HOST_MEMORY_BUSY, "whole accelerators: unless others hold it");
	search_place(&run.search, run.items, 1, -1);
	is_int(worker_of(&run, 0), -1, "whole accelerators: then they wait");
}

/* A production-sized fleet: what the search saves. */
static void
test_large(void)
{
	enum
	{
		NWORKERS = 10000, NLARGE_PROFILES = 20, NITEMS = 20000, NLARGE_KINDS = 50
	};
	static DeviceProfile profiles[NLARGE_PROFILES];
	static WorkKind kinds[NLARGE_KINDS];
	PolicyPart	part = {ALGORITHM_HARDWARE_AWARE, 1, 0};
	Policy		hardware_aware = {1, &part};
	QueueItem  *items = calloc(NITEMS, sizeof(QueueItem));
	Fleet		fleet = {0};
	Search		search = {0};
	int			placed = 0;
	double		brute = 0;
	clock_t		start;

	for (int p = 0; p < NLARGE_PROFILES; p++)
	{
		profiles[p].hardware_class = p % 4 == 0 ? "cpu" : p % 4 == 3 ? "tpu" : "gpu";
		profiles[p].vendor = p % 2 == 0 ? "nvidia" : "amd";
		profiles[p].memory_total_bytes = (4 + 4 * (p % 5)) * GB;
		profiles[p].compute_units = 10 * (p + 1);
	}
	fleet.nprofiles = NLARGE_PROFILES;
	fleet.profiles = profiles;
	fleet.nsoftware = 1;
	fleet.software = software;
	fleet.nworkers = fleet.ndevices = NWORKERS;
	fleet.workers = calloc(NWORKERS, sizeof(Worker));
	fleet.devices = calloc(NWORKERS, sizeof(Device));
	for (int w = 0; w < NWORKERS; w++)
	{
		Worker	   *worker = &fleet.workers[w];
		Device	   *device = &fleet.devices[w];

		worker->worker_id = "w";
		worker->accepting = true;
		worker->cpu_millicores = 16000;
		worker->memory_bytes = 64 * GB;
		worker->first_device = w;
		worker->ndevices = 1;
		device->profile = w % NLARGE_PROFILES;
		device->memory_bytes = profiles[device->profile].memory_total_bytes;
		device->performance_level = 1;
	}
	for (int k = 0; k < NLARGE_KINDS; k++)
	{
		for (size_t i = 0; i < sizeof(Metrics) / sizeof(double); i++)
			((double *) &kinds[k].profile.metrics)[i] = NAN;
		kinds[k].profile_id = k + 1;
		kinds[k].policy = &hardware_aware;
		kinds[k].model = kinds[k].family = -1;
		kinds[k].profile.workload_type = ONE_OF(char *const, "vision", "nlp", "mixed", "training");
		kinds[k].profile.min_memory_bytes = (k % 5) * GB;
		kinds[k].profile.metrics.compute_intensity = k % 3 == 0 ? 0.8 : 0.3;
		kinds[k].profile.metrics.memory_intensity = k % 7 == 0 ? 0.8 : 0.3;
		kinds[k].profile.min_compute_units = 1 + k;
		kinds[k].demand.cpu_millicores = 1000 * (k % 4);
	}
	for (int i = 0; i < NITEMS; i++)
		items[i].kind = random_below(NLARGE_KINDS);
	search.fleet = &fleet;
	search.nkinds = NLARGE_KINDS;
	search.kinds = kinds;
	search.settings = (PlacementSettings) {0.2, 0, 0.9, 5, 64 << 20};
	search.reserved_from = -1;

	start = clock();
	search_begin(&search);
	search_place(&search, items, NITEMS, -1);
	for (int i = 0; i < NITEMS; i++)
		placed += items[i].nplacements;
	brute = (double) NITEMS * NWORKERS;
	diag("%d workers of %d profiles, %d items of %d kinds: %d placed in %.2f s of CPU time (with sanitizers)",
		 NWORKERS, NLARGE_PROFILES, NITEMS, NLARGE_KINDS, placed, (double) (clock() - start) / CLOCKS_PER_SEC);
	diag("pairs of profiles scored: %lld, candidates scored: %lld; brute force looks at %.0f candidates, %.0f times as many",
		 (long long) search.pairs_scored, (long long) search.candidates_scored, brute,
		 brute / search.candidates_scored);
	is_int(placed, NITEMS, "a large fleet takes all");
	ok(search.pairs_scored <= NLARGE_KINDS * NLARGE_PROFILES, "each pair of profiles is scored once at most");
	ok(brute / search.candidates_scored >= 20, "a twentieth of brute force's candidates is scored at most");
}

int
main(void)
{
	test_decisions("slots", (Traits) {0});
	test_decisions("slots on worker's memory", (Traits) {.host_devices = true});
	test_decisions("shares", (Traits) {.shares = true});
	test_decisions("whole accelerators", (Traits) {.whole = true});
	test_decisions("whole accelerators on worker's memory", (Traits) {.whole = true, .host_devices = true});
	test_decisions("everything", (Traits) {.whole = true, .shares = true, .host_devices = true, .min_score = true});
	test_refusals_occurred();
	test_slots();
	test_cases();
	test_large();
	return done_testing();
}
