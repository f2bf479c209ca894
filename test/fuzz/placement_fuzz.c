/*
 * placement_fuzz.c
 *		The decision on small worlds made of the input: nothing beyond its
 *		capacity, gangs whole, scores in range and never NaN, the same decisions
 *		every time.  Where the unit tests' brute force applies, it decides too.
 *
 * Worlds are those of the unit tests (world.h).  Some are then made wild: with
 * values at the limits of what documents and settings may say.
 */
#include "fuzz.h"

#define diag(...) ((void) 0)
/* what a run takes goes with all else */
#define malloc(size) palloc(size)

#include "brute_policy.h"
#include "place/candidate.h"
#include "place/greedy.h"
#include "place/optimal.h"
#include "place/search.h"

#undef malloc

/* The greatest whole number a document may hold, and a worker's memory at the most. */
#define MOST_EXACT INT64_C(9007199254740991)
#define MOST_BYTES (INT64_C(1000000) << 30)
#define MOST_MILLICORES INT64_C(1000000000)

/* --- wild worlds --- */

static int64
wild_integer(int64 most)
{
	switch (random_below(4))
	{
		case 0:
			return most;
		case 1:
			return random_below(3);
		case 2:
			return most - random_below(3);
		default:
			return (int64) (random_bits() % (uint64) most);
	}
}

static double
wild_ratio(void)
{
	return ONE_OF(double, 0, 1, 1e-300, 0.5, 0.9999999999999999, random_unit());
}

/* A number that documents let pass: not negative, finite. */
static double
wild_number(void)
{
	return ONE_OF(double, 0, 1e-300, 4.9e-324, 1, 1e300, 1.7976931348623157e308,
				  random_unit() * 1000);
}

static void
wild_profile(DeviceProfile *profile)
{
	profile->memory_total_bytes = wild_integer(MOST_EXACT);
	profile->compute_units = (int32) wild_integer(INT32_MAX);
	profile->thermal_design_power_w = wild_number();
	profile->idle_power_w = wild_number();
}

static void
wild_device(const World *world, Device *device)
{
	if (device->memory_bytes >= 0)
		device->memory_bytes = wild_integer(MOST_EXACT);
	device->load = wild_ratio();
	device->temperature = wild_ratio();
	device->throttles_at = wild_ratio() > 0.5 ? INFINITY : wild_ratio();
	device->performance_level = 0.6 + 0.4 * wild_ratio();
	device->effective_load =
		effective_load(device->load, device->warming || device->cooling, device->performance_level);
	device->slots = device->share > 0 ? 0 : (int32) wild_integer(world->settings.max_concurrent);
	device->memory_used = 0;
}

static void
wild_worker(Worker *worker)
{
	worker->cpu_millicores = wild_integer(MOST_MILLICORES);
	worker->cpu_used = Min(worker->cpu_used, worker->cpu_millicores);
	worker->memory_bytes = wild_integer(MOST_BYTES);
	worker->memory_used = Min(worker->memory_used, worker->memory_bytes);
	worker->max_concurrent = (int32) wild_integer(1000000);
	worker->assignments = (int32) wild_integer(1000000);
	worker->total_assignments = worker->assignments + wild_integer(INT64_C(1) << 40);
	worker->cost_per_hour = wild_number();
}

static void
wild_kind(World *world, WorkKind *kind)
{
	double *metrics = (double *) &kind->profile.metrics;

	kind->profile.min_memory_bytes = wild_integer(random_below(2) ? MOST_EXACT : MOST_BYTES);
	kind->profile.min_compute_units = (int32) wild_integer(INT32_MAX);
	kind->demand.cpu_millicores = wild_integer(MOST_MILLICORES);
	kind->demand.host_memory_bytes = wild_integer(MOST_BYTES);
	if (kind->demand.share > 0)
		kind->demand.share = 1 + (int32) wild_integer(WHOLE_SHARE - 1);
	kind->profile.min_shards = 1 + (int32) wild_integer(9999);
	kind->profile.max_shards = (int32) wild_integer(10000);
	kind->profile.max_shards = Max(kind->profile.min_shards, kind->profile.max_shards);
	if (kind->demand.quorum > 0)
		kind->demand.quorum = 1 + (int32) wild_integer(Max(2, kind->profile.max_shards) - 1);
	for (int i = 0; i < sizeof(Metrics) / sizeof(double); i++)
		metrics[i] = random_below(2) ? NAN : wild_ratio();
	kind->expected_seconds = wild_number();
}

static void
wild_policy(Policy *policy)
{
	for (int p = 0; p < policy->nparts; p++)
		policy->parts[p].weight = ONE_OF(double, 1e6, 1e-300, 4.9e-324, 1, 0.1);
}

static void
make_wild(World *world)
{
	for (int changes = random_below(24); changes > 0; changes--)
	{
		int k = random_below(world->nkinds);

		switch (random_below(7))
		{
			case 0:
				wild_profile(&world->profiles[random_below(NPROFILES)]);
				break;
			case 1:
				if (world->ndevices > 0)
					wild_device(world, &world->devices[random_below(world->ndevices)]);
				break;
			case 2:
				if (world->nworkers > 0)
					wild_worker(&world->workers[random_below(world->nworkers)]);
				break;
			case 3:
				wild_kind(world, &world->kinds[k]);
				break;
			case 4:
				wild_policy(world->kinds[k].policy == NULL ? &world->policy : &world->policies[k]);
				break;
			case 5:
				world->settings.energy_price_per_kwh = wild_number();
				world->settings.preference_weight = wild_ratio();
				world->settings.min_score = wild_ratio() * 10;
				world->settings.max_load = wild_ratio();
				world->settings.max_concurrent = 1 + (int32) wild_integer(999999);
				break;
			case 6:
				if (world->nitems > 0)
					world->items[random_below(world->nitems)].expected_seconds = wild_number();
				for (int w = 0; w < world->nworkers; w++)
					world->performance[k][w] =
						(Performance){wild_integer(INT64_C(1) << 40),
									  wild_integer(INT64_C(1) << 40), wild_number()};
				break;
		}
	}
}

/* Lets some work keep away from workers, devices or a class, as retries do. */
static void
make_avoid(World *world)
{
	static int32 workers[2 * MOST_WORKERS];
	static int32 devices[MOST_DEVICES];

	/* one of them twice, where it failed twice */
	for (int w = 0; w < 2 * MOST_WORKERS; w++)
		workers[w] = w / 2;
	for (int d = 0; d < MOST_DEVICES; d++)
		devices[d] = d;
	for (int i = 0; i < world->nitems; i++)
	{
		int first =
			random_below(4) == 0 ? random_below(2 * world->nworkers + 1) : 2 * world->nworkers;

		world->items[i].avoided = &workers[first];
		world->items[i].navoided = 1 + random_below(3);
		world->items[i].navoided = Min(world->items[i].navoided, 2 * world->nworkers - first);
		first = random_below(4) == 0 ? random_below(world->ndevices + 1) : world->ndevices;
		world->items[i].avoided_devices = &devices[first];
		world->items[i].navoided_devices = Min(1 + random_below(3), world->ndevices - first);
	}
	for (int k = 0; k < world->nkinds; k++)
		world->kinds[k].demand.avoid_class = ONE_OF(char *const, NULL, NULL, "cpu", "gpu", "tpu");
}

/* --- what holds of all decisions --- */

static void
check_placement(const World *world, const Run *run, const Placement *placement)
{
	const Policy *policy = run->kinds[world->items[placement->item].kind].policy;
	const Worker *worker;
	double weights = 0;

	for (int p = 0; p < policy->nparts; p++)
		weights += policy->parts[p].weight;
	CHECK(placement->worker >= 0 && placement->worker < world->nworkers, "placed on worker %d",
		  placement->worker);
	worker = &world->workers[placement->worker];
	CHECK(worker->accepting && !worker->cordoned, "placed on a worker that takes nothing");
	CHECK(placement->ndevices > 0 && placement->ndevices <= worker->ndevices,
		  "placed on %d devices", placement->ndevices);
	for (int d = 0; d < placement->ndevices; d++)
	{
		int32 device = run->search.chosen[placement->first_device + d];

		CHECK(device >= worker->first_device && device < worker->first_device + worker->ndevices,
			  "placed on another worker's device");
		for (int e = 0; e < d; e++)
			CHECK(run->search.chosen[placement->first_device + e] != device,
				  "placed twice on one device");
	}
	CHECK(placement->efficiency >= 0 && placement->efficiency <= 1, "efficiency %g",
		  placement->efficiency);
	CHECK(placement->adjusted_efficiency >= 0 && placement->adjusted_efficiency <= 1.3 * 1.0000001,
		  "adjusted efficiency %g", placement->adjusted_efficiency);
	CHECK(placement->score >= 0 && placement->score <= weights * (1 + 1e-9), "score %g of %g",
		  placement->score, weights);
	CHECK(placement->predicted_seconds > 0, "predicted %g seconds", placement->predicted_seconds);
}

static void
check_run(const World *world, const Run *run)
{
	for (int i = 0; i < world->nitems; i++)
	{
		const QueueItem *item = &run->items[i];
		const WorkKind *kind = &world->kinds[item->kind];
		bool apart =
			profile_strategy(&kind->profile) == STRATEGY_REPLICATED || !kind->demand.share_worker;

		CHECK(item->nplacements == 0 ||
				  (item->nplacements >= gang_least(&kind->profile, &kind->demand) &&
				   item->nplacements <= gang_most(&kind->profile, &kind->demand)),
			  "%d placements of one workload", item->nplacements);
		for (int p = 0; p < item->nplacements; p++)
		{
			const Placement *placement = &run->search.placements[item->first_placement + p];

			CHECK(placement->item == i && placement->shard_no == p,
				  "a placement of something else");
			check_placement(world, run, placement);
			/* a gang goes where it fits as a whole */
			for (int a = 0; a < item->navoided && !is_gang(kind); a++)
				CHECK(placement->worker != item->avoided[a], "placed on a worker that it avoids");
			for (int d = 0; d < placement->ndevices && !is_gang(kind); d++)
				for (int a = 0; a < item->navoided_devices; a++)
					CHECK(run->search.chosen[placement->first_device + d] !=
							  item->avoided_devices[a],
						  "placed on a device that it avoids");
			for (int q = 0; q < p; q++)
				CHECK(!apart || placement[q - p].worker != placement->worker,
					  "two members of a gang on one worker");
		}
	}
	CHECK(within_capacity(world, run), "more than there is");
	for (int w = 0; w < world->nworkers; w++)
		CHECK(run->fleet.workers[w].cordoned == world->workers[w].cordoned,
			  "worker %d is barred for good", w);
}

static void
check_same(const World *world, const Run *a, const Run *b)
{
	for (int i = 0; i < world->nitems; i++)
	{
		CHECK(a->items[i].nplacements == b->items[i].nplacements,
			  "another time another number of members");
		CHECK(same_decision(a, b, i), "another time another decision");
	}
}

/* Compares greedy decisions on single work with brute force. */
static void
check_brute(const World *world, const Run *run)
{
	static World trial;
	int order[MOST_ITEMS];

	trial = *world;
	brute_order(world, order);
	for (int n = 0; n < world->nitems; n++)
	{
		int i = order[n];
		const WorkKind *kind = &world->kinds[world->items[i].kind];
		const Policy *policy = run->kinds[world->items[i].kind].policy;
		const Placement *placement = placement_of(run, i);
		ScoredChoice best;
		bool found = brute_policy_best(&trial, kind, policy, &best);

		CHECK(found == (placement != NULL), "item %d: %s by brute force", i,
			  found ? "placed" : "not placed");
		if (!found)
			continue;
		CHECK(placement->worker == best.choice.worker &&
				  placement->ndevices == best.choice.ndevices && placement->score == best.score,
			  "item %d: on worker %d with %.17g, by brute force on %d with %.17g", i,
			  placement->worker, placement->score, best.choice.worker, best.score);
		brute_decide(&trial, kind, &best.choice);
	}
}

/* 0: for gangs only */
static int most_reservations;

static void
begin(Run *run, World *world)
{
	begin_run(run, world);
	run->search.last_turn = world->last_turn;
	run->search.score_function = run_function;
	run->search.reserves = true;
	run->search.most_reservations = most_reservations;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static World world;
	static Run run;
	static Run again;
	Traits traits = {0};
	bool wild;
	bool avoids;
	bool twice;
	int priority = 1;

	fuzz_begin(data, size);
	traits.whole = random_below(2);
	traits.shares = random_below(2);
	traits.min_score = random_below(2);
	traits.host_devices = random_below(2);
	traits.policies = random_below(2);
	traits.gangs = random_below(2);
	most_reservations = random_below(3);
	wild = random_below(2);
	twice = random_below(4) == 0;
	avoids = random_below(4) == 0;
	random_world(&world, &traits);
	world.settings.solver_memory = random_below(4) == 0 ? 4096 : 64 << 20;
	if (wild)
		make_wild(&world);
	if (avoids)
		make_avoid(&world);
	for (int i = 0; i < world.nitems; i++)
	{
		priority += priority < 5 && random_below(8) == 0;
		world.items[i].priority = priority;
	}

	begin(&run, &world);
	for (int k = 0; k < world.nkinds; k++)
		(void) search_filter_reason(&run.search, &run.kinds[k]);
	search_place(&run.search, run.items, world.nitems, -1);
	check_run(&world, &run);
	if (!wild && !avoids && !traits.gangs && most_reservations == 0)
		check_brute(&world, &run);
	if (twice)
	{
		begin(&again, &world);
		search_place(&again.search, again.items, world.nitems, -1);
		check_same(&world, &run, &again);
	}

	begin(&run, &world);
	search_solve(&run.search, run.items, world.nitems);
	check_run(&world, &run);
	if (twice)
	{
		begin(&again, &world);
		search_solve(&again.search, again.items, world.nitems);
		check_same(&world, &run, &again);
	}
	return 0;
}
