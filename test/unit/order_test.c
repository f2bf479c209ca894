/*
 * order_test.c
 *		Which workload of a priority is next, what tenants may hold, and places
 *		that are reserved for who waits.
 */
#include "place/greedy.h"
#include "place/optimal.h"
#include "place/order.h"
#include "place/reservation.h"
#include "world.h"

#define HOUR 3600.0

/*
 * A worker with so many GPUs: kinds 0 to 2 take a GPU for the tenants of these numbers, kind 3
 * takes all of them.
 */
static void
gpu_world(World *world, int nworkers, int ngpus)
{
	static NamedNumber all_gpus[] = {{"gpu", 0}};

	plain_world(world, nworkers, 1, ngpus);
	world->settings.max_load = 1;
	all_gpus[0].value = ngpus;
	world->nkinds = 4;
	for (int k = 0; k < 4; k++)
	{
		world->kinds[k] = world->kinds[0];
		world->kinds[k].profile_id = k + 1;
		world->kinds[k].tenant = k < 3 ? k : -1;
		world->kinds[k].demand.accelerators = (NamedNumbers){1, k < 3 ? one_gpu : all_gpus};
	}
}

static void
add_items(World *world, int kind, int count, double seconds)
{
	for (int i = 0; i < count; i++)
		world->items[world->nitems++] =
			(QueueItem){.kind = kind, .priority = 3, .expected_seconds = seconds};
}

static Tenant
tenant(double weight, double most_accelerators, double past)
{
	return (Tenant){.name = "",
					.weight = weight,
					.most_accelerators = most_accelerators,
					.most_cores = INFINITY,
					.most_workloads = INFINITY,
					.past = past};
}

static void
decide(Run *run, World *world, bool optimal)
{
	run->search.settings.solver_memory = 64 << 20;
	if (optimal)
		search_solve(&run->search, run->items, world->nitems);
	else
		search_place(&run->search, run->items, world->nitems, -1);
}

/* Shares by weight, by what was used before, and within quotas, by both solvers. */
static void
test_tenants(void)
{
	static World world;

	for (int optimal = 0; optimal < 2; optimal++)
	{
		const char *solver = optimal ? "optimal" : "greedy";
		Tenant tenants[3] = {tenant(1, INFINITY, 0), tenant(1, INFINITY, 0),
							 tenant(2, INFINITY, 0)};
		Run run;

		gpu_world(&world, 1, 8);
		world.nitems = 0;
		for (int k = 0; k < 3; k++)
			add_items(&world, k, 10, 60);
		begin_run(&run, &world);
		run.search.fair_share = true;
		run.search.ntenants = 3;
		run.search.tenants = tenants;
		run.search.whole = (Tenant){.accelerators = 8};
		decide(&run, &world, optimal);
		ok(tenants[0].accelerators == 2 && tenants[1].accelerators == 2 &&
			   tenants[2].accelerators == 4,
		   "%s: shares are as the weights", solver);

		/* who has used 0.5 of all there is in the past is behind by four GPUs */
		tenants[0] = tenant(1, INFINITY, 0.5);
		tenants[1] = tenant(1, INFINITY, 0);
		tenants[2] = tenant(1, 1, 0);
		begin_run(&run, &world);
		run.search.fair_share = true;
		run.search.ntenants = 3;
		run.search.tenants = tenants;
		run.search.whole = (Tenant){.accelerators = 8};
		decide(&run, &world, optimal);
		ok(tenants[2].accelerators == 1, "%s: no more than the quota", solver);
		ok(tenants[1].accelerators - tenants[0].accelerators >= 3 &&
			   tenants[0].accelerators + tenants[1].accelerators == 7,
		   "%s: the past counts (%g, %g)", solver, tenants[0].accelerators,
		   tenants[1].accelerators);
	}
}

/* The shortest first, or who has run least; but what has waited too long before that. */
static void
test_order(void)
{
	static World world;
	Run run;

	gpu_world(&world, 1, 1);
	world.nitems = 0;
	add_items(&world, 3, 1, 500);
	add_items(&world, 3, 1, 50);
	add_items(&world, 3, 1, 5);
	world.items[1].served = 10;
	world.items[2].served = 20;
	for (int order = ORDER_SUBMISSION; order <= ORDER_LEAST_SERVED; order++)
		for (int overdue = 0; overdue < 2; overdue++)
		{
			int expected = overdue && order != ORDER_SUBMISSION ? 1 :
						   order == ORDER_SHORTEST				? 2 :
																  0;

			world.items[1].overdue = overdue;
			begin_run(&run, &world);
			run.search.order = order;
			search_place(&run.search, run.items, world.nitems, -1);
			ok(run.search.nplacements == 1 && run.search.placements[0].item == expected,
			   "order %d, overdue %d: %d is first", order, overdue, expected);
		}
}

/* What is running while a search decides. */
static int nlive;
static Running live[8];

static void
read_live(Search *search)
{
	search->running = live;
	search->nrunning = nlive;
}

/* Begins a decision on a worker of four GPUs, two of which are in use for an hour. */
static void
begin_reserving(Run *run, World *world)
{
	static const int32 used[] = {1, 2};

	gpu_world(world, 1, 4);
	for (int i = 0; i < 2; i++)
		world->devices[used[i]].share = WHOLE_SHARE;
	world->workers[0].assignments = 1;
	live[0] = (Running){.assignment_id = 1,
						.worker = 0,
						.ends_in = HOUR,
						.ndevices = 2,
						.devices = used,
						.share = WHOLE_SHARE};
	nlive = 1;
	world->nitems = 0;
	begin_run(run, world);
	run->search.reserves = true;
	run->search.most_reservations = 1;
	run->search.read_running = read_live;
}

static void
test_reservation(void)
{
	static World world;
	Run run;
	double seconds;
	int waits;

	/* the first takes all four; of what stands behind, only what is short gets a GPU */
	for (int optimal = 0; optimal < 2; optimal++)
	{
		const char *solver = optimal ? "optimal" : "greedy";
		Promise promise = {0, HOUR, 0, NULL};

		begin_reserving(&run, &world);
		add_items(&world, 3, 1, 60);
		add_items(&world, 0, 1, 100 * HOUR);
		add_items(&world, 0, 1, 1);
		memcpy(run.items, world.items, sizeof(run.items));
		run.search.npromises = optimal;
		run.search.promises = &promise;
		decide(&run, &world, optimal);
		ok(run.items[0].nplacements == 0 && run.items[1].nplacements == 0 &&
			   run.items[2].nplacements == 1,
		   "%s: short work backfills, long work waits", solver);
		ok(run.search.nreservations == 1 && run.search.reservations[0].item == 0 &&
			   run.search.reservations[0].starts_in == HOUR &&
			   run.search.reservations[0].nplaces == 1,
		   "%s: who is first has a place when the hour is over", solver);
		ok(run.fleet.workers[0].assignments == 2, "%s: nothing stays booked for who waits", solver);
	}

	/* a promise is not put off: what would be over by the new time, and not by the old, waits */
	begin_reserving(&run, &world);
	add_items(&world, 3, 1, 60);
	add_items(&world, 0, 1, HOUR);
	memcpy(run.items, world.items, sizeof(run.items));
	run.search.npromises = 1;
	run.search.promises = &(Promise){0, 1.0, 1, (int32[]){0}};
	decide(&run, &world, false);
	ok(run.items[1].nplacements == 0 && run.search.reservations[0].starts_in == HOUR &&
		   run.search.reservations[0].backfill_in == 1.0,
	   "what was promised first is not put off");

	/* without reservations the small ones take everything */
	begin_reserving(&run, &world);
	run.search.most_reservations = 0;
	add_items(&world, 3, 1, 60);
	add_items(&world, 0, 3, 100 * HOUR);
	memcpy(run.items, world.items, sizeof(run.items));
	decide(&run, &world, false);
	is_int(run.search.nplacements, 2, "with none, small work takes what is free");

	/* what ends takes away what is kept: four GPUs, two that end, are two that are kept */
	begin_reserving(&run, &world);
	add_items(&world, 3, 1, 60);
	memcpy(run.items, world.items, sizeof(run.items));
	place_item(&run.search, run.items, 0);
	seconds = run.search.reservations[0].places[0].booked.assignments;
	waits = 0;
	for (int d = 0; d < 4; d++)
		waits += run.fleet.devices[d].share == WHOLE_SHARE;
	ok(seconds == 0 && waits == 4, "each GPU is kept or in use, and none twice");
}

/* Of a fleet where very much runs, only who has the least to end is looked at. */
static void
test_busy_fleet(void)
{
	static const int32 used[] = {4, 5};
	static World world;
	Run run;

	for (int busy = 0; busy < 2; busy++)
	{
		gpu_world(&world, 3, 4);
		for (int d = 0; d < world.ndevices; d++)
			world.devices[d].share = WHOLE_SHARE;
		world.workers[0].assignments = busy ? 9999 : 2;
		world.workers[1].assignments = 4;
		world.workers[2].assignments = busy ? 9999 : 2;
		live[0] = (Running){1, 0, 60, 0, 0, 4, (int32[]){0, 1, 2, 3}, 0, WHOLE_SHARE, 0};
		live[1] = (Running){2, 1, HOUR, 0, 0, 2, used, 0, WHOLE_SHARE, 0};
		live[2] = (Running){3, 1, HOUR, 0, 0, 2, (int32[]){6, 7}, 0, WHOLE_SHARE, 0};
		nlive = 3;
		world.nitems = 0;
		begin_run(&run, &world);
		run.search.reserves = true;
		run.search.most_reservations = 1;
		run.search.read_running = read_live;
		add_items(&world, 3, 1, 60);
		memcpy(run.items, world.items, sizeof(run.items));
		place_item(&run.search, run.items, 0);
		ok(run.search.nreservations == 1 && run.search.reservations[0].places[0].worker == busy,
		   "%s fleet: worker %d is waited for", busy ? "a busy" : "an idle", busy);
		ok(busy == (run.search.told != NULL && !run.search.told[0] && run.search.told[1]),
		   "... and what is looked at is %s", busy ? "who has little" : "all");
	}
}

int
main(void)
{
	test_tenants();
	test_order();
	test_reservation();
	test_busy_fleet();
	return done_testing();
}
