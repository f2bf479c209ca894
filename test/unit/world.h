/*
 * world.h
 *		Small random fleets and queues, shared by the tests of the decision, and
 *		what it takes to run a search on one.  They are made of few values, so
 *		that ties and full devices are the rule.
 */
#ifndef HWSCHED_WORLD_H
#define HWSCHED_WORLD_H

#include "place/greedy.h"
#include "place/placement.h"
#include "tap.h"

#define GB (INT64_C(1) << 30)
#define NAMES(...) \
	((NameSet){lengthof(((const char *[]){__VA_ARGS__})), (const char *[]){__VA_ARGS__}})
#define ONE_OF(type, ...) \
	(((const type[]){__VA_ARGS__})[random_below(lengthof(((const type[]){__VA_ARGS__})))])

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
#define MOST_STATED 4
#define MOST_PARTS (MOST_STATED + 3) /* in force: see policy_in_force */
#define MOST_SHAPES 4
#define NMODELS 3 /* and as many families behind them */
#define NPROFILES 6

static const NameSet no_names = {0, NULL};

/* --- random worlds --- */

typedef struct World
{
	DeviceProfile profiles[NPROFILES];
	int nworkers;
	Worker workers[MOST_WORKERS];
	int ndevices;
	Device devices[MOST_DEVICES];
	int nkinds;
	WorkKind kinds[MOST_KINDS];
	double preferences[MOST_KINDS][MOST_WORKERS];
	PlacementSettings settings;
	PolicyPart part;
	Policy policy; /* of kinds that have none of their own */
	PolicyPart stated_parts[MOST_KINDS][MOST_STATED];
	Policy stated[MOST_KINDS];
	EnergyWeights objective;
	PolicyPart parts[MOST_KINDS][MOST_PARTS];
	Policy policies[MOST_KINDS]; /* in force */
	Performance performance[MOST_KINDS][MOST_WORKERS];
	int64 last_turn;
	int32 models[2 * NMODELS];
	int nshapes;
	Shape shapes[MOST_SHAPES];
	int nitems;
	QueueItem items[MOST_ITEMS];
} World;

/* What a world may hold; the rest of it is simple. */
typedef struct Traits
{
	bool whole; /* work that takes whole accelerators */
	bool shares; /* work that takes shares */
	bool min_score;
	bool host_devices; /* devices that draw on their worker's memory */
	bool slots_only; /* one kind, no demand but a slot */
	bool one_place; /* no demand but a slot, or a whole device */
	bool policies; /* policies of several algorithms */
	bool gangs; /* work that takes several workers */
} Traits;

static NamedText python_old[] = {{"python", "3.8.2"}};
static NamedText python_new[] = {{"cuda", "12.1"}, {"python", "3.11"}};
static NamedTexts software[] = {{0, NULL}, {1, python_old}, {2, python_new}};
static Condition python_wanted[] = {{.name = "python", .least = {"3.10", NAN}, .exists = -1}};

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
static NamedNumber cuda_and_onnx[] = {{"cuda", 1}, {"onnx", 2}};
static NamedNumber gpus_and_onnx[] = {{"gpu", 2}, {"onnx", 1}};
static const NamedNumbers accelerator_demands[] = {
	{1, one_gpu},	   {1, two_gpus},	   {1, one_cuda},	   {1, three_cuda},
	{1, one_tpu},	   {2, gpus_and_tpu},  {2, cuda_and_rocm}, {2, cuda_and_gpu},
	{2, gpu_and_rocm}, {2, cuda_and_onnx}, {2, gpus_and_onnx}};

static inline void
random_profiles(World *world)
{
	static const char *const classes[] = {"cpu", "gpu", "gpu", "tpu", "npu", "gpu"};
	const NameSet backends[] = {NAMES("cpu", "onnx"), NAMES("cuda", "onnx"), NAMES("rocm"),
								NAMES("jax"),		  NAMES("onnx", "qnn"),	 NAMES("cuda")};
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
		profile->supported_backends = (NameSet){backends[i].count, lasting[i]};
		if (random_below(4) > 0)
			profile->supported_precisions = (NameSet){2, fp16};
		if (i == 1 || i == 5)
			profile->features = (NameSet){1, tensor};
		profile->memory_total_bytes = ONE_OF(int64, 4, 8, 16) * GB;
		profile->compute_units = ONE_OF(int, 1, 50, 100);
		profile->thermal_design_power_w = ONE_OF(double, NAN, 0, 20, 250, 700);
		profile->idle_power_w = ONE_OF(double, NAN, 0, 5, 60, 300);
		profile->power_is_gradual = i % 3 == 2;
		profile->sockets = (world->nitems + i) % 4;
	}
}

static inline void
random_state(Device *device, bool calm)
{
	device->load = calm ? 0 : ONE_OF(double, 0, 0, 0.5, 0.95);
	device->temperature = calm ? 0 : ONE_OF(double, 0, 0, 0.5, 1);
	device->throttles_at = calm ? INFINITY : ONE_OF(double, INFINITY, INFINITY, 0.7, 0.8, 1);
	device->performance_level = 1;
	if (!calm && random_below(4) == 0)
	{
		device->warming = random_below(2) == 0;
		device->cooling = !device->warming;
		device->performance_level = ONE_OF(double, 0.6, 0.8);
	}
	device->effective_load =
		effective_load(device->load, device->warming || device->cooling, device->performance_level);
}

/* Workers are copies of a few, as in a real fleet, in various states. */
static inline void
random_fleet(World *world, const Traits *traits)
{
	int ntemplates = 1 + random_below(3);
	int counts[3];
	int profiles[3][MOST_WORKER_DEVICES];
	bool host[3];
	Worker templates[3];
	bool calm = random_below(2) == 0;
	bool fresh = random_below(2) == 0;
	bool cordoned = random_below(4) == 0;

	for (int t = 0; t < ntemplates; t++)
	{
		memset(&templates[t], 0, sizeof(Worker));
		counts[t] = random_below(10) == 0 ? 0 : 1 + random_below(MOST_WORKER_DEVICES);
		host[t] = traits->host_devices && random_below(2) == 0;
		for (int d = 0; d < counts[t]; d++)
			profiles[t][d] = d == 0 && random_below(4) > 0 ? 0 :
							 random_below(2) == 0 && d > 0 ? profiles[t][d - 1] :
															 random_below(NPROFILES);
		templates[t].cpu_millicores = ONE_OF(int64, 0, 2000, 8000);
		templates[t].memory_bytes = ONE_OF(int64, 0, 8, 32) * GB;
		templates[t].software = random_below(lengthof(software));
	}
	world->nworkers = random_below(30) == 0 ? 0 : 1 + random_below(MOST_WORKERS);
	world->ndevices = 0;
	for (int i = 0; i < world->nworkers; i++)
	{
		Worker *worker = &world->workers[i];
		int t = random_below(ntemplates);
		bool held;

		*worker = templates[t];
		if (random_below(4) == 0)
			worker->software = random_below(lengthof(software));
		worker->worker_id = "w";
		worker->accepting = random_below(10) > 0;
		worker->unhealthy = !worker->accepting && random_below(2) == 0;
		worker->cordoned = cordoned && random_below(3) == 0;
		worker->reported = random_below(4) > 0;
		worker->cost_per_hour = ONE_OF(double, 0, 1, 1, 2.5);
		worker->last_turn = fresh ? 0 : random_below(4);
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
			worker->memory_used = ONE_OF(int64, 0, 0, 5, 8) * GB;
			if (worker->memory_used > worker->memory_bytes)
				worker->memory_used = 0;
		}
		held = worker->cpu_used > 0 || worker->memory_used > 0;
		for (int d = 0; d < counts[t]; d++)
		{
			Device *device = &world->devices[world->ndevices++];
			const DeviceProfile *profile = &world->profiles[profiles[t][d]];

			memset(device, 0, sizeof(*device));
			device->device_no = d;
			device->profile = profiles[t][d];
			device->uses_host_memory = host[t] && d % 3 != 2;
			device->memory_bytes =
				device->uses_host_memory && d % 2 == 0 ? -1 : profile->memory_total_bytes;
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
					if (device->uses_host_memory &&
						worker->memory_used + device->memory_used <= worker->memory_bytes)
						worker->memory_used += device->memory_used;
					else if (device->uses_host_memory)
						device->memory_used = 0;
					break;
			}
			held = held || device->slots > 0 || device->share > 0 || device->memory_used > 0;
		}
		/* whatever is held is held by something */
		if (held && worker->assignments == 0)
		{
			worker->assignments = 1;
			worker->total_assignments++;
		}
	}
}

/* Lets work take several workers, as replicas or as shards. */
static inline void
make_gang(WorkKind *kind, int least, int more, bool sharded)
{
	kind->profile.allocation_strategy = sharded ? "sharded" : "replicated";
	kind->profile.is_shardable = sharded;
	kind->profile.min_shards = least;
	kind->profile.max_shards = least + more;
	kind->demand.quorum = sharded ? 0 : random_below(3);
	kind->demand.share_worker = random_below(2) == 0;
}

static inline void
random_demand(WorkKind *kind, const Traits *traits)
{
	static const NamedNumbers nothing = {0, NULL};
	Demand *demand = &kind->demand;
	int what = random_below(3);

	kind->profile.min_memory_bytes = ONE_OF(int64, 0, 0, 1, 3, 8) * GB;
	demand->cpu_millicores = ONE_OF(int64, 0, 0, 500, 1000, 4000);
	demand->host_memory_bytes = ONE_OF(int64, 0, 0, 1, 4) * GB;
	if (random_below(6) == 0)
		demand->software = (Conditions){1, python_wanted};
	if (what == 1 && traits->whole)
	{
		demand->accelerators = accelerator_demands[random_below(lengthof(accelerator_demands))];
		demand->mixed_accelerators = random_below(3) == 0;
	}
	else if (what == 2 && traits->shares)
	{
		demand->share = ONE_OF(int, 250000, 500000, WHOLE_SHARE, 333334);
		demand->accelerators =
			random_below(2) == 0 ? nothing : accelerator_demands[ONE_OF(int, 0, 2, 4)];
	}
}

static inline void
random_kind(World *world, int k, const Traits *traits)
{
	static const char *names[][1] = {{"cuda"}, {"gpu"}, {"cpu"}, {"onnx"}, {"rocm"}};
	static const char *both[] = {"cuda", "rocm"};
	static const char *fp16[] = {"fp16"};
	static const char *tensor[] = {"tensor_cores"};
	static const char *a100[] = {"A100"};
	static const char *amd[] = {"amd"};
	WorkKind *kind = &world->kinds[k];
	WorkloadProfile *profile = &kind->profile;
	double *metrics = (double *) &profile->metrics;

	memset(kind, 0, sizeof(*kind));
	kind->profile_id = k + 1;
	for (size_t i = 0; i < sizeof(Metrics) / sizeof(double); i++)
		metrics[i] = NAN;
	profile->workload_type = ONE_OF(char *const, "vision", "nlp", "inference", "mixed", "mixed");
	profile->required_backends = no_names;
	if (random_below(4) == 0)
		profile->required_backends = (NameSet){1, names[random_below(lengthof(names))]};
	if (random_below(traits->min_score ? 2 : 3) == 0)
		profile->preferred_backends = random_below(3) == 0 ?
										  (NameSet){2, both} :
										  (NameSet){1, names[random_below(lengthof(names))]};
	if (random_below(12) == 0)
		profile->required_precisions = (NameSet){1, fp16};
	if (random_below(12) == 0)
		profile->required_features = (NameSet){1, tensor};
	if (random_below(12) == 0)
		profile->required_models = (NameSet){1, a100};
	if (random_below(8) == 0)
		profile->preferred_vendors = (NameSet){1, amd};
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
	if (traits->one_place && traits->whole)
		kind->demand.accelerators = accelerator_demands[ONE_OF(int, 0, 2, 4)];
	if (!traits->slots_only && !traits->one_place)
		random_demand(kind, traits);
	if (traits->gangs && random_below(2) == 0)
		make_gang(kind, 1 + random_below(3), random_below(4), random_below(2) == 0);
}

/* Gives a kind of work a policy, and all that policies look at. */
static inline void
random_policy(World *world, int k)
{
	WorkKind *kind = &world->kinds[k];
	Policy *policy = &world->stated[k];
	const Policy *in_force;
	int nparts = 1 + random_below(MOST_STATED);
	bool used[ALGORITHM_FUNCTION + 1] = {0};

	*policy = (Policy){0, world->stated_parts[k]};
	while (policy->nparts < nparts)
	{
		Algorithm algorithm = random_below(ALGORITHM_FUNCTION + 1);

		/* of a user's functions there may be several */
		if (used[algorithm] && algorithm != ALGORITHM_FUNCTION)
			continue;
		used[algorithm] = true;
		policy->parts[policy->nparts++] = (PolicyPart){
			algorithm, ONE_OF(double, 1, 0.7, 0.2, 0.1, random_between(0.01, 5)), random_below(2)};
	}
	kind->profile.metrics.energy_sensitivity = ONE_OF(double, NAN, NAN, 0, 0.25, 0.8, 1);
	in_force = policy_in_force(policy, world->objective, kind->profile.metrics.energy_sensitivity);
	world->policies[k] = (Policy){in_force->nparts, world->parts[k]};
	memcpy(world->parts[k], in_force->parts, sizeof(PolicyPart) * in_force->nparts);
	if (in_force != policy)
	{
		pfree(in_force->parts);
		pfree((void *) in_force);
	}
	kind->policy = &world->policies[k];
	kind->priority = 1 + random_below(5);
	kind->expected_seconds = ONE_OF(double, NAN, 0.5, 30, 60, 500);
	kind->model = random_below(NMODELS + 1) - 1;
	kind->family = kind->model < 0 ? -1 : NMODELS + random_below(NMODELS);
	if (random_below(4) == 0)
		return;
	kind->performance = world->performance[k];
	for (int w = 0; w < world->nworkers; w++)
		world->performance[k][w] =
			(Performance){ONE_OF(int64, 0, 0, 1, 5, 30), ONE_OF(int64, 0, 0, 1, 4),
						  ONE_OF(double, 0.5, 20, 60, 100, 1000)};
}

/* Makes up what the pool's usual work looks like. */
static inline void
random_shapes(World *world, const Traits *traits)
{
	double total = 0;

	world->nshapes = random_below(MOST_SHAPES + 1);
	for (int s = 0; s < world->nshapes; s++)
	{
		world->shapes[s].kind = world->kinds[random_below(world->nkinds)];
		random_demand(&world->shapes[s].kind, traits);
		total += world->shapes[s].frequency = 1 + random_below(4);
	}
	for (int s = 0; s < world->nshapes; s++)
		world->shapes[s].frequency /= total;
}

static inline void
random_world(World *world, const Traits *traits)
{
	memset(world, 0, sizeof(*world));
	world->part = (PolicyPart){ALGORITHM_HARDWARE_AWARE, ONE_OF(double, 1, 0.7), 0};
	world->policy = (Policy){1, &world->part};
	world->settings.preference_weight = ONE_OF(double, 0, 0.2, 1);
	world->settings.min_score = traits->min_score ? ONE_OF(double, 0.3, 0.7, 1) : 0;
	world->settings.max_load = ONE_OF(double, 0.9, 0.9, 0.5);
	world->settings.max_concurrent = ONE_OF(int, 1, 2, 3, 5);
	world->settings.one_by_one = ONE_OF(bool, true, false);
	world->settings.spare_accelerators =
		ONE_OF(SpareMode, SPARE_NOTHING, SPARE_ACCELERATORS, SPARE_STRICTLY);
	world->settings.energy_price_per_kwh = ONE_OF(double, NAN, 0, 0.3, 20);
	world->settings.carbon_g_per_kwh = NAN;
	world->objective = (EnergyWeights){ONE_OF(double, 0, 1, 3), ONE_OF(double, 0, 0, 1),
									   ONE_OF(double, 0, 0, 0.5)};
	random_profiles(world);
	random_fleet(world, traits);
	world->nkinds = traits->slots_only ? 1 : 1 + random_below(MOST_KINDS);
	for (int k = 0; k < world->nkinds; k++)
	{
		random_kind(world, k, traits);
		world->kinds[k].model = world->kinds[k].family = -1;
		world->kinds[k].expected_seconds = NAN;
		if (traits->policies)
			random_policy(world, k);
	}
	for (int m = 0; m < 2 * NMODELS; m++)
		world->models[m] = world->nworkers == 0 ? -1 : random_below(world->nworkers + 1) - 1;
	for (int w = 0; w < world->nworkers; w++)
		world->last_turn = Max(world->last_turn, world->workers[w].last_turn);
	if (traits->policies)
		random_shapes(world, traits);
	world->nitems = random_below(MOST_ITEMS + 1);
	for (int i = 0; i < world->nitems; i++)
		world->items[i] = (QueueItem){.kind = random_below(world->nkinds),
									  .priority = 3,
									  .expected_seconds = ONE_OF(double, NAN, 30, 300)};
}

/* --- running the search on a copy of a world --- */

typedef struct Run
{
	Fleet fleet;
	Search search;
	WorkKind kinds[MOST_KINDS];
	QueueItem items[MOST_ITEMS];
	int32 models[2 * NMODELS];
	Shape shapes[MOST_SHAPES];
} Run;

static inline void
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
		if (run->kinds[k].policy == NULL)
			run->kinds[k].policy = &world->policy;
	}
	memcpy(run->models, world->models, sizeof(run->models));
	memcpy(run->shapes, world->shapes, sizeof(run->shapes));
	run->search.model_workers = run->models;
	run->search.nshapes = world->nshapes;
	run->search.shapes = world->nshapes > 0 ? run->shapes : NULL;
	run->search.fleet = &run->fleet;
	run->search.nkinds = world->nkinds;
	run->search.kinds = run->kinds;
	run->search.settings = world->settings;
	search_begin(&run->search);
	for (int d = 0; d < world->ndevices; d++)
		world->devices[d].sparing = run->fleet.devices[d].sparing;
}

/* Returns what was decided for an item, or NULL if it waits. */
static inline const Placement *
placement_of(const Run *run, int i)
{
	const QueueItem *item = &run->items[i];

	return item->nplacements == 0 ? NULL : &run->search.placements[item->first_placement];
}

static inline int
worker_of(const Run *run, int i)
{
	const Placement *placement = placement_of(run, i);

	return placement == NULL ? -1 : placement->worker;
}

static inline bool
same_decision(const Run *a, const Run *b, int i)
{
	const Placement *x = placement_of(a, i);
	const Placement *y = placement_of(b, i);

	if (x == NULL || y == NULL)
		return x == y;
	return x->worker == y->worker &&
		   (x->ndevices == y->ndevices && x->score == y->score &&
			x->adjusted_efficiency == y->adjusted_efficiency &&
			memcmp(&a->search.chosen[x->first_device], &b->search.chosen[y->first_device],
				   sizeof(int32) * x->ndevices) == 0);
}

/* Nothing is beyond what there is, counted from the decisions. */
static inline bool
within_capacity(const World *before, const Run *run)
{
	for (int w = 0; w < before->nworkers; w++)
	{
		const Worker *worker = &run->fleet.workers[w];
		int64 memory = worker->memory_used;

		if ((worker->cpu_used > worker->cpu_millicores &&
			 worker->cpu_used > before->workers[w].cpu_used) ||
			(memory > worker->memory_bytes && memory > before->workers[w].memory_used) ||
			(worker->max_concurrent > 0 && worker->assignments > worker->max_concurrent &&
			 worker->assignments > before->workers[w].assignments))
			return false;
		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		{
			const Device *device = &run->fleet.devices[d];
			const Device *was = &before->devices[d];
			double used = device->slots / (double) before->settings.max_concurrent +
						  device->share / (double) WHOLE_SHARE;

			if ((used > 1 + 1e-9 && (device->slots > was->slots || device->share > was->share)) ||
				(device->memory_bytes >= 0 && device->memory_used > device->memory_bytes &&
				 device->memory_used > was->memory_used))
				return false;
		}
	}
	return true;
}

/* Makes a small world by hand; kinds and items are still to be set. */
static inline void
plain_world(World *world, int nworkers, int profile, int ndevices)
{
	Traits traits = {0};

	random_world(world, &traits);
	memset(world->kinds, 0, sizeof(world->kinds));
	world->nshapes = 0;
	world->last_turn = 0;
	world->part = (PolicyPart){ALGORITHM_HARDWARE_AWARE, 1, 0};
	world->policy = (Policy){1, &world->part};
	world->settings = (PlacementSettings){
		.preference_weight = 0.2, .max_load = 0.9, .max_concurrent = 5, .solver_memory = 64 << 20};
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
			Device *device = &world->devices[world->ndevices++];

			memset(device, 0, sizeof(*device));
			device->device_no = d;
			device->profile = profile;
			device->memory_bytes = 16 * GB;
			device->performance_level = 1;
			device->throttles_at = INFINITY;
		}
	}
	world->nkinds = 1;
	for (size_t i = 0; i < sizeof(Metrics) / sizeof(double); i++)
		((double *) &world->kinds[0].profile.metrics)[i] = NAN;
	world->kinds[0].profile.workload_type = "mixed";
	world->kinds[0].model = world->kinds[0].family = -1;
	world->kinds[0].expected_seconds = NAN;
	world->nitems = 1;
	memset(world->items, 0, sizeof(world->items));
}

#endif /* HWSCHED_WORLD_H */
