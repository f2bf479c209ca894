/*
 * solver_test.c
 *		The optimal batch.  Where each workload takes one place, a flow that is
 *		found in the plainest way says how many can be placed and what they are
 *		worth at most; elsewhere it is never worse than the greedy batch.
 */
#include "brute_policy.h"
#include "place/candidate.h"
#include "place/greedy.h"
#include "place/optimal.h"
#include "place/search.h"

#define ROUNDS 700
#define BANDS 3
#define MEMORY (64 << 20)

/* --- the best flow, by the shortest path for one unit after the other --- */

#define MOST_NODES (2 + MOST_KINDS + MOST_DEVICES + MOST_WORKERS)
#define MOST_EDGES (2 * (MOST_KINDS + MOST_KINDS * MOST_DEVICES + MOST_DEVICES + MOST_WORKERS))

typedef struct Edge
{
	int from;
	int to;
	int capacity;
	double cost;
} Edge;

typedef struct Network
{
	int nedges; /* an edge and its way back stand side by side */
	Edge edges[MOST_EDGES];
} Network;

static void
add_edge(Network *network, int from, int to, int capacity, double cost)
{
	network->edges[network->nedges++] = (Edge){from, to, capacity, cost};
	network->edges[network->nedges++] = (Edge){to, from, 0, -cost};
}

/* Sends what it can from node 0 to node 1, the cheapest way; returns how much, and sets *cost. */
static int
cheapest_flow(Network *network, double *cost)
{
	int flow = 0;

	*cost = 0;
	for (;;)
	{
		double distance[MOST_NODES];
		int came[MOST_NODES];
		bool changed = true;

		for (int n = 0; n < MOST_NODES; n++)
			distance[n] = n == 0 ? 0 : INFINITY;
		while (changed)
		{
			changed = false;
			for (int e = 0; e < network->nedges; e++)
			{
				const Edge *edge = &network->edges[e];

				/* so much is rounding */
				if (edge->capacity > 0 &&
					distance[edge->from] + edge->cost < distance[edge->to] - 1e-11)
				{
					distance[edge->to] = distance[edge->from] + edge->cost;
					came[edge->to] = e;
					changed = true;
				}
			}
		}
		if (isinf(distance[1]))
			return flow;
		for (int n = 1; n != 0; n = network->edges[came[n]].from)
		{
			network->edges[came[n]].capacity--;
			network->edges[came[n] ^ 1].capacity++;
		}
		*cost += distance[1];
		flow++;
	}
}

/* --- scores at the beginning of a band --- */

typedef struct Scores
{
	double scores[MOST_KINDS][MOST_DEVICES]; /* of work on several devices: by its worker's first */
} Scores;

static bool
takes_several(const WorkKind *kind)
{
	return demanded_devices(&kind->demand) > 1;
}

static void
band_scores(World *world, const Run *run, Scores *scores)
{
	for (int k = 0; k < world->nkinds; k++)
	{
		ScoredChoice all[MOST_DEVICES];
		int count = brute_scores(world, &world->kinds[k], run->kinds[k].policy, all);

		for (int d = 0; d < world->ndevices; d++)
			scores->scores[k][d] = NAN;
		for (int i = 0; i < count; i++)
			scores->scores[k][takes_several(&world->kinds[k]) ?
								  world->workers[all[i].choice.worker].first_device :
								  all[i].choice.devices[0]] = all[i].score;
	}
}

static double
start_score(const World *world, const Run *run, const Scores *scores, const Placement *placement)
{
	int k = run->items[placement->item].kind;

	return scores->scores[k][takes_several(&world->kinds[k]) ?
								 world->workers[placement->worker].first_device :
								 run->search.chosen[placement->first_device]];
}

/* Returns how many items from first on are placed, and sets *total to what they are worth. */
static int
worth(const World *world, const Run *run, const Scores *scores, int first, int last, double *total)
{
	int placed = 0;

	*total = 0;
	for (int i = first; i < last; i++)
	{
		const QueueItem *item = &run->items[i];
		double sum = 0;

		for (int p = 0; p < item->nplacements; p++)
			sum +=
				start_score(world, run, scores, &run->search.placements[item->first_placement + p]);
		placed += item->nplacements > 0;
		*total += item->nplacements > 0 ? sum / item->nplacements : 0;
	}
	return placed;
}

/*
 * Returns how many items from first on can be placed, and sets *total to the most they can be
 * worth.
 */
static int
optimum(const World *world, const Scores *scores, int first, int last, double *total)
{
	static Network network;
	int supply[MOST_KINDS] = {0};
	int64 whole = (int64) WHOLE_SHARE * world->settings.max_concurrent;
	double cost;
	int placed;

	network.nedges = 0;
	for (int i = first; i < last; i++)
		supply[world->items[i].kind]++;
	for (int k = 0; k < world->nkinds; k++)
	{
		add_edge(&network, 0, 2 + k, supply[k], 0);
		for (int d = 0; d < world->ndevices && supply[k] > 0; d++)
			if (!isnan(scores->scores[k][d]))
				add_edge(&network, 2 + k, 2 + MOST_KINDS + d, supply[k], -scores->scores[k][d]);
	}
	for (int w = 0; w < world->nworkers; w++)
	{
		const Worker *worker = &world->workers[w];
		int node = 2 + MOST_KINDS + MOST_DEVICES + w;

		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		{
			int64 room = whole - brute_used(world, &world->devices[d]);

			add_edge(&network, 2 + MOST_KINDS + d, node,
					 world->kinds[0].demand.accelerators.count > 0 ? room == whole :
																	 room / WHOLE_SHARE,
					 0);
		}
		add_edge(&network, node, 1,
				 worker->max_concurrent == 0 ? MOST_ITEMS :
											   Max(0, worker->max_concurrent - worker->assignments),
				 0);
	}
	placed = cheapest_flow(&network, &cost);
	*total = -cost;
	return placed;
}

/* --- running it --- */

static void
begin_solver_run(Run *run, World *world, Size memory)
{
	/* the optimum is that of the scores alone; what spares has a test of its own */
	world->settings.spare_accelerators = SPARE_NOTHING;
	begin_run(run, world);
	run->search.score_function = run_function;
	run->search.settings.solver_memory = memory;
}

static void
random_bands(World *world, int nbands)
{
	int priority = 1;

	for (int i = 0; i < world->nitems; i++)
	{
		if (nbands > 1 && priority < nbands && random_below(world->nitems) < nbands)
			priority++;
		world->items[i].priority = priority;
	}
}

/* Makes workers that differ in how many assignments they have, and may still have few. */
static void
random_limits(World *world)
{
	for (int w = 0; w < world->nworkers; w++)
	{
		Worker *worker = &world->workers[w];

		worker->accepting = true;
		worker->assignments = random_below(4);
		worker->total_assignments = worker->assignments + random_below(3);
		worker->max_concurrent = worker->assignments + 1 + random_below(2);
	}
}

/* Books what was decided for some items. */
static void
book_items(World *world, const Run *run, int first, int last)
{
	for (int i = first; i < last; i++)
		for (int p = 0; p < run->items[i].nplacements; p++)
		{
			const Placement *placement = &run->search.placements[run->items[i].first_placement + p];
			Choice choice = {.worker = placement->worker, .ndevices = placement->ndevices};

			memcpy(choice.devices, &run->search.chosen[placement->first_device],
				   sizeof(int32) * placement->ndevices);
			brute_decide(world, &world->kinds[run->items[i].kind], &choice);
		}
}

static bool
same_run(const World *world, const Run *a, const Run *b, int last)
{
	for (int i = 0; i < last; i++)
	{
		if (a->items[i].nplacements != b->items[i].nplacements || !same_decision(a, b, i))
			return false;
		for (int p = 0; p < a->items[i].nplacements; p++)
		{
			const Placement *x = &a->search.placements[a->items[i].first_placement + p];
			const Placement *y = &b->search.placements[b->items[i].first_placement + p];

			if (x->worker != y->worker || x->shard_no != y->shard_no ||
				x->predicted_seconds != y->predicted_seconds)
				return false;
		}
	}
	return last <= world->nitems;
}

/* --- tests --- */

/* Each workload takes one place: nothing is better, in any band. */
static void
test_optimum(const char *name, Traits traits, bool limits)
{
	bool most = true, greatest = true, scored = true, predicted = true, capacity = true,
		 repeatable = true, strict = true;
	int bands = 0, more = 0, better = 0;

	traits.one_place = true;
	for (int round = 0; round < ROUNDS; round++)
	{
		static World before;
		static World world;
		static Scores scores;
		Run run;
		Run again;

		random_world(&before, &traits);
		random_bands(&before, BANDS);
		if (limits)
			random_limits(&before);
		world = before;
		begin_solver_run(&run, &world, MEMORY);
		search_solve(&run.search, run.items, world.nitems);
		capacity = capacity && within_capacity(&before, &run) && !run.search.solver_gave_up;
		begin_solver_run(&again, &before, MEMORY);
		search_solve(&again.search, again.items, world.nitems);
		repeatable = repeatable && same_run(&world, &run, &again, world.nitems);
		for (int first = 0, last; first < world.nitems; first = last)
		{
			Run greedy;
			double total;
			double possible;
			double of_greedy;
			int placed;
			int expected;
			int by_greedy;

			for (last = first;
				 last < world.nitems && world.items[last].priority == world.items[first].priority;
				 last++)
				;
			/* what stands behind is of no matter */
			begin_solver_run(&again, &before, MEMORY);
			search_solve(&again.search, again.items, last);
			strict = strict && same_run(&world, &run, &again, last);

			band_scores(&world, &run, &scores);
			placed = worth(&world, &run, &scores, first, last, &total);
			expected = optimum(&world, &scores, first, last, &possible);
			begin_solver_run(&greedy, &world, MEMORY);
			search_place(&greedy.search, &greedy.items[first], last - first, -1);
			by_greedy = worth(&world, &greedy, &scores, first, last, &of_greedy);
			bands++;
			more += placed > by_greedy;
			better += placed == by_greedy && total > of_greedy + 1e-9;
			if (most && greatest && (placed != expected || fabs(total - possible) > 1e-9))
				diag("round %d, items %d to %d of %d: %d placed, worth %.17g; possible: %d,"
					 " worth %.17g",
					 round, first, last - 1, world.nitems, placed, total, expected, possible);
			most = most && placed == expected;
			greatest = greatest && (placed != expected || fabs(total - possible) <= 1e-9);
			for (int i = first; i < last; i++)
			{
				const Placement *placement = placement_of(&run, i);
				Choice choice = {.ndevices = 1};

				if (placement == NULL)
					continue;
				choice.devices[0] = run.search.chosen[placement->first_device];
				scored = scored && placement->item == i &&
						 placement->score == start_score(&world, &run, &scores, placement);
				predicted =
					predicted && placement->predicted_seconds ==
									 brute_seconds(&world, &world.kinds[world.items[i].kind],
												   &choice, world.items[i].expected_seconds);
			}
			book_items(&world, &run, first, last);
		}
	}
	ok(most, "%s: in every band as many are placed as can be", name);
	ok(greatest, "%s: and they are worth as much as they can be", name);
	ok(scored, "%s: scores are those at the beginning of the band", name);
	ok(predicted, "%s: predicted for the device that was chosen", name);
	ok(capacity, "%s: nothing beyond its capacity", name);
	ok(repeatable, "%s: the same decisions every time", name);
	ok(strict, "%s: no band looks at those behind it", name);
	ok(more > 0 && better > bands / 500,
	   "%s: of %d bands greedy places less in %d, and worse in %d", name, bands, more, better);
}

/* Any work, in one band: at least as good as greedy, however little memory there is. */
static void
test_not_worse(const char *name, Traits traits)
{
	bool not_worse = true, capacity = true, repeatable = true, gave_up = true, booked = true;
	int better = 0, given_up = 0;

	for (int round = 0; round < ROUNDS; round++)
	{
		static World before;
		static World world;
		static Scores scores;
		Run greedy;
		double of_greedy;
		int by_greedy;

		random_world(&before, &traits);
		world = before;
		begin_solver_run(&greedy, &world, MEMORY);
		band_scores(&world, &greedy, &scores);
		search_place(&greedy.search, greedy.items, world.nitems, -1);
		by_greedy = worth(&before, &greedy, &scores, 0, world.nitems, &of_greedy);
		for (int little = 0; little < 2; little++)
		{
			Size memory = little == 0 ? MEMORY : random_below(2000);
			Run run;
			Run again;
			double total;
			int placed;
			bool flows = false;

			world = before;
			begin_solver_run(&run, &world, memory);
			search_solve(&run.search, run.items, world.nitems);
			placed = worth(&before, &run, &scores, 0, world.nitems, &total);
			if (not_worse &&
				(placed < by_greedy || (placed == by_greedy && total < of_greedy - 1e-9)))
			{
				not_worse = false;
				diag("round %d: %d placed, worth %.17g; greedy: %d, worth %.17g", round, placed,
					 total, by_greedy, of_greedy);
			}
			better += placed > by_greedy || (placed == by_greedy && total > of_greedy + 1e-9);
			capacity = capacity && within_capacity(&before, &run);
			for (int i = 0; i < world.nitems; i++)
				flows = flows || (!is_gang(&world.kinds[world.items[i].kind]) &&
								  demand_occupancy(&world.kinds[world.items[i].kind].demand) !=
									  OCCUPY_SHARE &&
								  !takes_several(&world.kinds[world.items[i].kind]));
			given_up += run.search.solver_gave_up;
			gave_up = gave_up &&
					  (little == 0 || memory > 64 || run.search.solver_gave_up == flows) &&
					  (little == 1 || !run.search.solver_gave_up);
			begin_solver_run(&again, &before, memory);
			search_solve(&again.search, again.items, world.nitems);
			repeatable = repeatable && same_run(&world, &run, &again, world.nitems);

			book_items(&world, &run, 0, world.nitems);
			for (int w = 0; w < world.nworkers; w++)
				booked = booked &&
						 run.fleet.workers[w].assignments == world.workers[w].assignments &&
						 run.fleet.workers[w].cpu_used == world.workers[w].cpu_used &&
						 run.fleet.workers[w].last_turn == world.workers[w].last_turn &&
						 run.fleet.workers[w].memory_used == world.workers[w].memory_used &&
						 run.fleet.workers[w].cordoned == world.workers[w].cordoned;
			for (int d = 0; d < world.ndevices; d++)
				booked =
					booked && memcmp(&run.fleet.devices[d], &world.devices[d], sizeof(Device)) == 0;
			booked = booked && memcmp(run.models, world.models, sizeof(run.models)) == 0;
		}
	}
	ok(not_worse, "%s: never worse than greedy", name);
	ok(capacity, "%s: nothing beyond its capacity", name);
	ok(booked, "%s: the fleet is booked as it was decided", name);
	ok(repeatable, "%s: the same decisions every time", name);
	ok(gave_up && given_up > 0, "%s: it says when memory does not suffice, %d times", name,
	   given_up);
	ok(better > ROUNDS / 50, "%s: better than greedy %d times", name, better);
}

/* --- concurrency keys --- */

#define NKEYS 3

/* One unit of each key; none of key 0. */
static const KeyUnits one_unit[NKEYS + 1] = {{0, 1}, {1, 1}, {2, 1}, {3, 1}};

static KeyDemand
one_of_key(int key)
{
	return key == 0 ? (KeyDemand){0, NULL} : (KeyDemand){1, &one_unit[key]};
}

static int
key_of(const QueueItem *item)
{
	return item->keys.count == 0 ? 0 : item->keys.items[0].key;
}

static void
begin_keyed_run(Run *run, World *world, KeyRoom *rooms)
{
	begin_solver_run(run, world, MEMORY);
	for (int key = 0; key <= NKEYS; key++)
		rooms[key] = (KeyRoom){1, INT32_MAX};
	run->search.nkeys = NKEYS + 1;
	run->search.key_rooms = rooms;
}

static int
count_placed(const Run *run, int nitems)
{
	int placed = 0;

	for (int i = 0; i < nitems; i++)
		placed += run->items[i].nplacements > 0;
	return placed;
}

/* Returns whether no key was placed twice, and none that is free has an item that still fits. */
static bool
keys_hold(Run *run, int nitems)
{
	int placed[NKEYS + 1] = {0};

	for (int i = 0; i < nitems; i++)
		placed[key_of(&run->items[i])] += run->items[i].nplacements > 0;
	for (int key = 1; key <= NKEYS; key++)
		if (run->search.key_rooms[key].units != 1 - placed[key] || placed[key] > 1)
			return false;
	for (int i = 0; i < nitems; i++)
	{
		QueueItem *item = &run->items[i];

		if (item->nplacements > 0 || key_of(item) == 0 || placed[key_of(item)] > 0)
			continue;
		place_item(&run->search, run->items, i);
		if (item->nplacements > 0)
			return false;
	}
	return true;
}

/* Returns whether greedy decides as if those were not there whose key an earlier one got. */
static bool
as_without_the_others(const World *before, const Run *run)
{
	static World fewer;
	static World world;
	Run other;
	bool taken[NKEYS + 1] = {false};
	bool same = true;

	fewer = *before;
	fewer.nitems = 0;
	for (int i = 0; i < before->nitems; i++)
	{
		const QueueItem *item = &run->items[i];

		if (key_of(item) > 0 && taken[key_of(item)])
		{
			same = same && item->nplacements == 0;
			continue;
		}
		taken[key_of(item)] = taken[key_of(item)] || item->nplacements > 0;
		fewer.items[fewer.nitems] = before->items[i];
		fewer.items[fewer.nitems++].keys = one_of_key(0);
	}
	world = fewer;
	begin_solver_run(&other, &world, MEMORY);
	search_place(&other.search, other.items, fewer.nitems, -1);
	memset(taken, 0, sizeof(taken));
	for (int i = 0, n = 0; i < before->nitems; i++)
	{
		const QueueItem *item = &run->items[i];

		if (key_of(item) > 0 && taken[key_of(item)])
			continue;
		taken[key_of(item)] = taken[key_of(item)] || item->nplacements > 0;
		same = same && other.items[n].nplacements == item->nplacements &&
			   worker_of(&other, n) == worker_of(run, i);
		n++;
	}
	return same;
}

static void
test_keys(const char *name, Traits traits)
{
	bool greedy_holds = true, as_without = true, solver_holds = true, not_fewer = true;
	int shared = 0;

	for (int round = 0; round < ROUNDS; round++)
	{
		static World before;
		static World world;
		Run greedy;
		Run run;
		KeyRoom greedy_rooms[NKEYS + 1];
		KeyRoom rooms[NKEYS + 1];

		random_world(&before, &traits);
		random_bands(&before, 1 + random_below(2));
		for (int i = 0; i < before.nitems; i++)
			before.items[i].keys = one_of_key(random_below(NKEYS + 1));
		world = before;
		begin_keyed_run(&greedy, &world, greedy_rooms);
		search_place(&greedy.search, greedy.items, before.nitems, -1);
		world = before;
		begin_keyed_run(&run, &world, rooms);
		search_solve(&run.search, run.items, before.nitems);
		if (before.nitems > 0 &&
			before.items[0].priority == before.items[before.nitems - 1].priority)
			not_fewer = not_fewer &&
						count_placed(&run, before.nitems) >= count_placed(&greedy, before.nitems);
		shared += count_placed(&greedy, before.nitems) < before.nitems;
		as_without = as_without && as_without_the_others(&before, &greedy);
		greedy_holds = greedy_holds && keys_hold(&greedy, before.nitems);
		solver_holds = solver_holds && keys_hold(&run, before.nitems);
	}
	ok(greedy_holds && shared > 0, "%s: greedy places one of each key, if any fits", name);
	ok(as_without, "%s: as if the others with its key were not there", name);
	ok(solver_holds, "%s: so does the solver", name);
	ok(not_fewer, "%s: which places as many", name);
}

/* Of a key with room for three, work that takes two units leaves one; a gang takes its units once. */
static void
test_units(void)
{
	static const KeyUnits two = {0, 2};
	static const KeyUnits one = {0, 1};
	bool optimal_too = true;

	for (int optimal = 0; optimal < 2; optimal++)
	{
		static World world;
		KeyRoom rooms[] = {{3, INT32_MAX}};
		Run run;

		plain_world(&world, 6, 1, 1);
		world.nitems = 4;
		for (int i = 0; i < world.nitems; i++)
			world.items[i] = (QueueItem){
				.priority = 1 + i, .expected_seconds = NAN, .keys = {1, i < 2 ? &two : &one}};
		begin_solver_run(&run, &world, MEMORY);
		run.search.nkeys = 1;
		run.search.key_rooms = rooms;
		if (optimal)
			search_solve(&run.search, run.items, world.nitems);
		else
			search_place(&run.search, run.items, world.nitems, -1);
		optimal_too = optimal_too && run.items[0].nplacements == 1 &&
					  run.items[1].nplacements == 0 && run.items[2].nplacements == 1 &&
					  run.items[3].nplacements == 0 && rooms[0].units == 0;
		/* the same with placements */
		rooms[0] = (KeyRoom){INT32_MAX, 2};
		plain_world(&world, 6, 1, 1);
		world.nitems = 4;
		for (int i = 0; i < world.nitems; i++)
			world.items[i] = (QueueItem){.priority = 1, .expected_seconds = NAN, .keys = {1, &two}};
		begin_solver_run(&run, &world, MEMORY);
		run.search.nkeys = 1;
		run.search.key_rooms = rooms;
		if (optimal)
			search_solve(&run.search, run.items, world.nitems);
		else
			search_place(&run.search, run.items, world.nitems, -1);
		optimal_too = optimal_too && count_placed(&run, world.nitems) == 2 &&
					  rooms[0].placements == 0 && rooms[0].units == INT32_MAX;
	}
	ok(optimal_too, "units and placements of a key are taken as far as there are any");
}

/* Reserved workers get nothing, in later bands either; their like are not lost. */
static void
test_reserved_bands(void)
{
	static World world;
	Run run;

	/* each worker has one of its two devices taken, and the gang needs both of three workers */
	plain_world(&world, 5, 1, 2);
	world.nkinds = 2;
	world.kinds[1] = world.kinds[0];
	world.kinds[0].demand.accelerators = (NamedNumbers){1, two_gpus};
	world.kinds[1].demand.accelerators = (NamedNumbers){1, one_gpu};
	make_gang(&world.kinds[0], 3, 0, true);
	world.kinds[0].demand.share_worker = false;
	for (int w = 0; w < 5; w++)
	{
		world.devices[2 * w].share = WHOLE_SHARE;
		world.workers[w].assignments = 1;
	}
	world.nitems = 4;
	for (int i = 0; i < world.nitems; i++)
		world.items[i] = (QueueItem){.kind = i > 0, .priority = 1 + i, .expected_seconds = NAN};
	begin_solver_run(&run, &world, MEMORY);
	run.search.reserves = true;
	search_solve(&run.search, run.items, world.nitems);
	ok(run.search.nplacements == 2 && worker_of(&run, 1) == 3 && worker_of(&run, 2) == 4 &&
		   worker_of(&run, 3) == -1,
	   "what is reserved for a gang is kept from later bands, and nothing else is");
}

/* --- what spares accelerators --- */

/*
 * The best value of a kind of work on the CPUs, or on the accelerators, that have room in the
 * end.
 */
static double
best_left(Run *run, WorkKind *kind, bool cpu)
{
	double best = -INFINITY;

	for (int w = 0; w < run->fleet.nworkers; w++)
		for (int d = run->fleet.workers[w].first_device;
			 d < run->fleet.workers[w].first_device + run->fleet.workers[w].ndevices; d++)
		{
			Candidate candidate;

			if ((run->fleet.devices[d].sparing > 0) == cpu &&
				device_candidate(&run->search, kind, w, d, &candidate) == FITS)
				best = fmax(best, candidate.value);
		}
	return best;
}

/*
 * Work that asks for no accelerator, under the optimal solver: none of it is on an
 * accelerator that a CPU would have taken, and no two accelerators were opened of
 * which one had been enough.
 */
static void
test_sparing(SpareMode mode)
{
	Traits traits = {.slots_only = true};
	bool cpus_first = true;
	bool few_opened = true;
	int on_accelerators = 0;
	int on_cpus = 0;

	for (int round = 0; round < ROUNDS; round++)
	{
		static World world;
		Run run;
		/* accelerators that have got something first, and still have room, by profile */
		int opened[NPROFILES] = {0};

		random_world(&world, &traits);
		begin_solver_run(&run, &world, 64 << 20);
		run.search.settings.spare_accelerators = mode;
		search_solve(&run.search, run.items, world.nitems);
		for (int i = 0; i < world.nitems; i++)
		{
			const Placement *placement = placement_of(&run, i);
			WorkKind *kind = &run.kinds[world.items[i].kind];
			Candidate candidate;
			int32 device;
			double left;

			if (placement == NULL)
				continue;
			device = run.search.chosen[placement->first_device];
			if (run.fleet.devices[device].sparing > 0)
			{
				on_cpus++;
				continue;
			}
			on_accelerators++;
			left = best_left(&run, kind, true);
			candidate = (Candidate){.worker = placement->worker, .ndevices = 1, .devices = &device};
			value_candidate(&run.search, kind, &candidate);
			cpus_first = cpus_first &&
						 (left == -INFINITY || (mode != SPARE_STRICTLY && candidate.value > left));
		}
		for (int w = 0; w < world.nworkers && world.nkinds == 1; w++)
			for (int d = world.workers[w].first_device;
				 d < world.workers[w].first_device + world.workers[w].ndevices; d++)
			{
				Candidate candidate;

				opened[world.devices[d].profile] +=
					world.devices[d].slots == 0 && world.devices[d].share == 0 &&
					run.fleet.devices[d].slots > 0 && run.fleet.devices[d].sparing == 0 &&
					device_candidate(&run.search, &run.kinds[0], w, d, &candidate) == FITS &&
					candidate.value > best_left(&run, &run.kinds[0], true);
			}
		for (int p = 0; p < NPROFILES; p++)
			few_opened = few_opened && opened[p] <= 1;
	}
	ok(cpus_first, "%s: CPUs that are as good come before accelerators",
	   mode == SPARE_STRICTLY ? "strictly" : "sparing");
	ok(few_opened && on_accelerators > 100 && on_cpus > 100,
	   "%s: no accelerator is opened while another one that is open would do",
	   mode == SPARE_STRICTLY ? "strictly" : "sparing");
}

int
main(void)
{
	test_optimum("slots", (Traits){0}, false);
	test_optimum("slots of limited workers", (Traits){0}, true);
	test_optimum("slots under policies", (Traits){.policies = true}, false);
	test_optimum("whole devices", (Traits){.whole = true}, false);
	test_optimum("whole devices under policies",
				 (Traits){.whole = true, .policies = true, .min_score = true}, false);
	test_not_worse("everything", (Traits){.whole = true, .shares = true, .host_devices = true});
	test_not_worse("everything under policies",
				   (Traits){.whole = true, .shares = true, .policies = true});
	test_not_worse("gangs",
				   (Traits){.whole = true, .shares = true, .gangs = true, .policies = true});
	test_units();
	test_reserved_bands();
	test_keys("keys, slots", (Traits){0});
	test_keys("keys, everything",
			  (Traits){.whole = true, .shares = true, .gangs = true, .policies = true});
	test_sparing(SPARE_ACCELERATORS);
	test_sparing(SPARE_STRICTLY);
	return done_testing();
}
