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

#include <time.h>

#include "place/candidate.h"
#include "place/greedy.h"
#include "brute.h"

#define ROUNDS 3000

static void
show_item(int round, const World *world, const Run *run, int i, bool found, const Choice *choice)
{
	const Placement *item = placement_of(run, i);

	diag("round %d: item %d of %d, %d workers, max_concurrent %d, min_score %g", round, i,
		 world->nitems, world->nworkers, world->settings.max_concurrent, world->settings.min_score);
	if (item == NULL)
		diag("the search does not place it");
	else
		diag("the search: worker %d, %d devices from %d, adjusted %.17g", item->worker,
			 item->ndevices, run->search.chosen[item->first_device], item->adjusted_efficiency);
	if (found)
		diag("brute force: worker %d, %d devices from %d, value %.17g, adjusted %.17g",
			 choice->worker, choice->ndevices, choice->devices[0], choice->value, choice->adjusted);
	else
		diag("brute force does not place it");
}

/* --- tests --- */

/* how often a kind of work was refused for what, over all tests */
static int64 refused[FITS + 1];

static void
test_decisions(const char *name, Traits traits)
{
	bool decisions = true, refusals = true, devices = true, capacity = true, repeatable = true,
		 limited = true, booked = true, pairs = true;
	int placed = 0, items = 0, ties = 0;

	for (int round = 0; round < ROUNDS; round++)
	{
		static World before;
		static World world;
		Run run;
		Run again;
		Run first;
		int most = random_below(10);
		int seen = 0;
		int order[MOST_ITEMS];

		random_world(&before, &traits);
		world = before;
		begin_run(&run, &before);

		/* what is refused, before anything is placed */
		for (int k = 0; k < world.nkinds; k++)
		{
			Choice best = {0};
			FilterReason expected;
			double greatest;
			bool found = brute_best(&world, &world.kinds[k], &best, &expected, &greatest);
			FilterReason got = search_filter_reason(&run.search, &run.kinds[k]);

			refused[expected]++;
			if (refusals && (got != expected || (got == FITS) != found))
			{
				refusals = false;
				diag("round %d: kind %d is refused for %d, expected %d", round, k, got, expected);
			}
			for (int w = 0;
				 w < world.nworkers && demand_occupancy(&world.kinds[k].demand) != OCCUPY_WHOLE;
				 w++)
				for (int d = world.workers[w].first_device;
					 d < world.workers[w].first_device + world.workers[w].ndevices; d++)
				{
					const NamedNumbers *types = &world.kinds[k].demand.accelerators;
					Candidate candidate;

					expected =
						Min(brute_device_refusal(&world, &world.kinds[k], &world.workers[w],
												 &world.devices[d],
												 types->count > 0 ? types->items[0].name : NULL),
							brute_worker_refusal(&world.kinds[k], &world.workers[w]));
					got = search_device(&run.search, &run.kinds[k], w, d, &candidate);
					if (devices && got != expected)
					{
						devices = false;
						diag("round %d: kind %d on device %d is refused for %d, expected %d", round,
							 k, d, got, expected);
					}
				}
		}

		search_place(&run.search, run.items, world.nitems, -1);
		brute_order(&world, order);
		for (int n = 0; n < world.nitems; n++)
		{
			int i = order[n];
			const WorkKind *kind = &world.kinds[world.items[i].kind];
			const Placement *item = placement_of(&run, i);
			Choice choice = {0};
			FilterReason reason;
			double greatest;
			bool found = brute_best(&world, kind, &choice, &reason, &greatest);
			bool same = found == (item != NULL);

			items++;
			if (found)
			{
				double value = choice.value;

				for (int w = choice.worker + 1; w < world.nworkers; w++)
				{
					Choice other;

					if (brute_worker(&world, kind, w, &other) == FITS && other.value == value)
					{
						ties++;
						break;
					}
				}
				same = same && item->worker == choice.worker && item->ndevices == choice.ndevices &&
					   item->adjusted_efficiency == choice.adjusted &&
					   item->score == (choice.value < greatest ?
										   world.part.weight * (choice.value / greatest) :
										   world.part.weight);
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
				booked =
					booked && run.fleet.workers[w].assignments == world.workers[w].assignments &&
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
		for (int n = 0; n < world.nitems; n++)
		{
			int i = order[n];

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
	ok(refusals, "%s: the furthest refusal of any worker, FITS if and only if there is a candidate",
	   name);
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
	bool all = true;

	for (int r = FILTERED_NO_WORKER; r <= FITS; r++)
		/*
		 * too few workers is for gangs, and a class to avoid for retries, which have tests of
		 * their own; what runs alone, devices that are out, labels, taints and groups are left
		 * to those of the server
		 */
		if (refused[r] == 0 && r != FILTERED_WORKERS && r != FILTERED_CLASS &&
			r != FILTERED_ALONE && r != FILTERED_DEVICE_HEALTH && r != FILTERED_DEVICE_DRAINING &&
			r != FILTERED_LABELS && r != FILTERED_TAINTS && r != FILTERED_EXCLUSIVE &&
			r != FILTERED_GROUP)
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
	Traits traits = {.slots_only = true};
	bool all_used = true;
	bool monotone = true;

	for (int round = 0; round < ROUNDS; round++)
	{
		static World world;
		Run run;
		int free_slots = 0;
		int placed = 0;
		int fewer = 0;

		random_world(&world, &traits);
		for (int w = 0; w < world.nworkers; w++)
		{
			const Worker *worker = &world.workers[w];
			int of_worker = 0;

			for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
				if (brute_worker_refusal(&world.kinds[0], worker) == FITS &&
					brute_device_refusal(&world, &world.kinds[0], worker, &world.devices[d],
										 NULL) == FITS)
					of_worker += (WHOLE_SHARE * (int64) world.settings.max_concurrent -
								  brute_used(&world, &world.devices[d])) /
								 WHOLE_SHARE;
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

static void
test_cases(void)
{
	static World world;
	Run run;
	int counts[5] = {0};
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
	world.kinds[0].demand.accelerators = (NamedNumbers){2, gpu_and_rocm};
	begin_run(&run, &world);
	search_place(&run.search, run.items, 1, -1);
	is_int(worker_of(&run, 0), 0, "types that overlap: a gpu and a rocm device are both there");

	/* of three cards, one AMD: there are two ways to serve both types */
	plain_world(&world, 2, 2, 2);
	world.devices[0].profile = world.devices[2].profile = 1;
	world.devices[0].temperature = world.devices[3].temperature = 0.5;
	world.kinds[0].demand.accelerators = (NamedNumbers){2, gpu_and_rocm};
	world.nitems = 2;
	begin_run(&run, &world);
	search_place(&run.search, run.items, 2, -1);
	ok(worker_of(&run, 0) >= 0 && worker_of(&run, 1) >= 0 &&
		   worker_of(&run, 0) != worker_of(&run, 1),
	   "types that overlap: a member of a group fits though its ideal would choose otherwise");

	/*
	 * The preferred device does not reach min_score, the other one does.
	 */
	plain_world(&world, 1, 1, 2);
	world.devices[0].temperature = 0.5;
	world.devices[1].temperature = 0.3;
	world.devices[1].profile = 2;
	world.kinds[0].profile.preferred_backends = (NameSet){1, cuda};
	world.settings.min_score = 0.88;
	begin_run(&run, &world);
	is_int(search_filter_reason(&run.search, &run.kinds[0]), FITS,
		   "a device that reaches min_score is not hidden by one that does not");
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
	world.kinds[0].demand.accelerators = (NamedNumbers){1, two_gpus};
	begin_run(&run, &world);
	is_int(search_filter_reason(&run.search, &run.kinds[0]), FITS,
		   "whole accelerators: memory of a card of its own is not asked of its worker");

	/* two that both draw on it need it twice, now and ever */
	plain_world(&world, 1, 1, 3);
	world.devices[0].uses_host_memory = world.devices[1].uses_host_memory = true;
	world.devices[2].profile = 0;
	world.kinds[0].profile.min_memory_bytes = 5 * GB;
	world.kinds[0].demand.accelerators = (NamedNumbers){1, two_gpus};
	begin_run(&run, &world);
	is_int(search_filter_reason(&run.search, &run.kinds[0]), FILTERED_HOST_MEMORY,
		   "whole accelerators: their memory adds up");
	world.workers[0].memory_bytes = 12 * GB;
	begin_run(&run, &world);
	is_int(search_filter_reason(&run.search, &run.kinds[0]), FITS,
		   "whole accelerators: and fits if there is enough");
	world.workers[0].memory_used = 3 * GB;
	begin_run(&run, &world);
	is_int(search_filter_reason(&run.search, &run.kinds[0]), FILTERED_HOST_MEMORY_BUSY,
		   "whole accelerators: unless others hold it");
	search_place(&run.search, run.items, 1, -1);
	is_int(worker_of(&run, 0), -1, "whole accelerators: then they wait");
}

/* A production-sized fleet: what the search saves. */
static void
test_large(void)
{
	enum
	{
		NWORKERS = 10000,
		NLARGE_PROFILES = 20,
		NITEMS = 20000,
		NLARGE_KINDS = 50
	};
	static DeviceProfile profiles[NLARGE_PROFILES];
	static WorkKind kinds[NLARGE_KINDS];
	PolicyPart part = {ALGORITHM_HARDWARE_AWARE, 1, 0};
	Policy hardware_aware = {1, &part};
	QueueItem *items = calloc(NITEMS, sizeof(QueueItem));
	Fleet fleet = {0};
	Search search = {0};
	int placed = 0;
	double brute = 0;
	clock_t start;

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
		Worker *worker = &fleet.workers[w];
		Device *device = &fleet.devices[w];

		worker->worker_id = "w";
		worker->accepting = true;
		worker->cpu_millicores = 16000;
		worker->memory_bytes = 64 * GB;
		worker->first_device = w;
		worker->ndevices = 1;
		device->profile = w % NLARGE_PROFILES;
		device->memory_bytes = profiles[device->profile].memory_total_bytes;
		device->performance_level = 1;
		device->throttles_at = INFINITY;
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
	search.settings = (PlacementSettings){
		.preference_weight = 0.2, .max_load = 0.9, .max_concurrent = 5, .solver_memory = 64 << 20};

	start = clock();
	search_begin(&search);
	search_place(&search, items, NITEMS, -1);
	for (int i = 0; i < NITEMS; i++)
		placed += items[i].nplacements;
	brute = (double) NITEMS * NWORKERS;
	diag("%d workers of %d profiles, %d items of %d kinds: %d placed in %.2f s of CPU time (with"
		 " sanitizers)",
		 NWORKERS, NLARGE_PROFILES, NITEMS, NLARGE_KINDS, placed,
		 (double) (clock() - start) / CLOCKS_PER_SEC);
	diag("pairs of profiles scored: %lld, candidates scored: %lld; brute force looks at %.0f"
		 " candidates, %.0f times as many",
		 (long long) search.pairs_scored, (long long) search.candidates_scored, brute,
		 brute / search.candidates_scored);
	is_int(placed, NITEMS, "a large fleet takes all");
	ok(search.pairs_scored <= NLARGE_KINDS * NLARGE_PROFILES,
	   "each pair of profiles is scored once at most");
	ok(brute / search.candidates_scored >= 20,
	   "a twentieth of brute force's candidates is scored at most");
}

/*
 * More work than the fleet takes: however full it is, and however small those are that are
 * used least, an item looks at no more than a few workers more than the depth of a tree.
 */
static void
test_full(void)
{
	enum
	{
		NWORKERS = 4096,
		NFULL_KINDS = 8,
		NPARTS = 10,
		SLOTS = 4
	};
	DeviceProfile profile = {.hardware_class = "gpu", .vendor = "nvidia", .memory_total_bytes = GB};
	WorkKind kinds[NFULL_KINDS] = {0};
	PolicyPart part = {ALGORITHM_HARDWARE_AWARE, 1, 0};
	Policy hardware_aware = {1, &part};
	Fleet fleet = {0};
	Search search = {0};
	QueueItem *items;
	int nitems;
	int64 most = 0;
	int placed = 0;

	fleet.nprofiles = fleet.nsoftware = 1;
	fleet.profiles = &profile;
	fleet.software = software;
	fleet.nworkers = NWORKERS;
	fleet.workers = calloc(NWORKERS, sizeof(Worker));
	fleet.devices = calloc(NWORKERS * 3, sizeof(Device));
	/* those with one device are full first; others have too little memory, or CPU, for most */
	for (int w = 0; w < NWORKERS; w++)
	{
		fleet.workers[w] = (Worker){.worker_id = "w",
									.accepting = true,
									.cpu_millicores = w % 5 == 0 ? 2000 : 64000,
									.memory_bytes = 64 * GB,
									.first_device = fleet.ndevices,
									.ndevices = 1 + w % 3};
		for (int d = 0; d <= w % 3; d++)
			fleet.devices[fleet.ndevices++] = (Device){
				.memory_bytes = (1 + w % 7) * GB, .performance_level = 1, .throttles_at = INFINITY};
	}
	for (int k = 0; k < NFULL_KINDS; k++)
	{
		for (size_t i = 0; i < sizeof(Metrics) / sizeof(double); i++)
			((double *) &kinds[k].profile.metrics)[i] = NAN;
		kinds[k].profile_id = k + 1;
		kinds[k].policy = &hardware_aware;
		kinds[k].model = kinds[k].family = -1;
		kinds[k].profile.workload_type = "nlp";
		kinds[k].profile.min_memory_bytes = k % 4 * (GB / 2);
		kinds[k].demand.cpu_millicores = k % 2 * 1000;
	}
	nitems = fleet.ndevices * SLOTS * 5 / 4;
	items = calloc(nitems, sizeof(QueueItem));
	search.fleet = &fleet;
	search.nkinds = NFULL_KINDS;
	search.kinds = kinds;
	search.settings = (PlacementSettings){.preference_weight = 0.2,
										  .max_load = 0.9,
										  .max_concurrent = SLOTS,
										  .solver_memory = 64 << 20};
	search_begin(&search);
	for (int p = 0; p < NPARTS; p++)
	{
		int first = (int) ((int64) nitems * p / NPARTS);
		int last = (int) ((int64) nitems * (p + 1) / NPARTS);
		int64 steps = search.steps;

		for (int i = first; i < last; i++)
		{
			items[i].kind = random_below(NFULL_KINDS);
			place_item(&search, items, i);
			placed += items[i].nplacements;
		}
		steps = (search.steps - steps) / (last - first);
		most = Max(most, steps);
		diag("items %d to %d: %lld steps each", first, last, (long long) steps);
	}
	ok(placed < nitems && placed > nitems / 2, "a fleet is full before its queue is empty");
	ok(most <= 60, "no tenth of the queue takes more than five steps an item per level of a tree");
}

int
main(void)
{
	test_decisions("slots", (Traits){0});
	test_decisions("slots on worker's memory", (Traits){.host_devices = true});
	test_decisions("shares", (Traits){.shares = true});
	test_decisions("whole accelerators", (Traits){.whole = true});
	test_decisions("whole accelerators on worker's memory",
				   (Traits){.whole = true, .host_devices = true});
	test_decisions(
		"everything",
		(Traits){.whole = true, .shares = true, .host_devices = true, .min_score = true});
	test_refusals_occurred();
	test_slots();
	test_cases();
	test_large();
	test_full();
	return done_testing();
}
