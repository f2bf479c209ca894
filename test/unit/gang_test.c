/*
 * gang_test.c
 *		Work that takes several workers: all of it or nothing, beside brute
 *		force; and what is kept for it while it waits.
 */
#include "brute_policy.h"
#include "place/candidate.h"
#include "place/greedy.h"
#include "place/optimal.h"
#include "place/reservation.h"
#include "place/search.h"

#define ROUNDS 2000

/* --- brute force --- */

/* A gang as brute force would place it. */
typedef struct BruteGang
{
	int count; /* 0: it waits */
	double seconds; /* of all, if sharded */
	ScoredChoice members[16];
} BruteGang;

static bool
brute_shares_worker(const WorkKind *kind)
{
	return kind->demand.share_worker && strcmp(kind->profile.allocation_strategy, "sharded") == 0;
}

/* The score of a candidate beside all that a gang has before it gets any. */
static double
brute_score_among_all(const World *world, const WorkKind *kind, const Policy *policy,
					  const ScoredChoice *member)
{
	static World trial;
	ScoredChoice all[MOST_DEVICES];
	int count;

	trial = *world;
	count = brute_scores(&trial, kind, policy, all);
	for (int i = 0; i < count; i++)
		if (all[i].choice.worker == member->choice.worker &&
			(demanded_devices(&kind->demand) > 1 ||
			 all[i].choice.devices[0] == member->choice.devices[0]))
			return all[i].score;
	return NAN;
}

/*
 * The best member that is left, then the next, until there are enough; then how many are
 * quickest.
 */
static void
brute_gang(const World *world, const WorkKind *kind, const Policy *policy, double expected,
		   BruteGang *gang)
{
	static World trial;
	bool sharded = strcmp(kind->profile.allocation_strategy, "sharded") == 0;
	int least = sharded ? Max(kind->profile.min_shards, 1) :
						  Max(Max(kind->profile.min_shards, 2), kind->demand.quorum);
	int most = Max(least, kind->profile.max_shards);
	int found = 0;
	double slowest = 0;

	trial = *world;
	memset(gang, 0, sizeof(*gang));
	while (found < most && brute_policy_best(&trial, kind, policy, &gang->members[found]))
	{
		ScoredChoice *member = &gang->members[found++];

		member->seconds = brute_seconds(&trial, kind, &member->choice, expected);
		brute_book(&trial, kind, &member->choice);
		if (!brute_shares_worker(kind))
			trial.workers[member->choice.worker].cordoned = true;
	}
	if (found < least)
		return;
	for (int m = 0; m < found; m++)
		gang->members[m].score = brute_score_among_all(world, kind, policy, &gang->members[m]);
	gang->count = found;
	if (!sharded)
		return;
	gang->seconds = INFINITY;
	for (int n = 1; n <= found; n++)
	{
		slowest = fmax(slowest, gang->members[n - 1].seconds);
		if (n >= least && slowest / n * (1.0 + 0.1 * n) < gang->seconds)
		{
			gang->seconds = slowest / n * (1.0 + 0.1 * n);
			gang->count = n;
		}
	}
}

/* How many members of a gang a worker could take if nothing ran there, limit at the most. */
static int
brute_members_when_empty(const World *world, const WorkKind *kind, int w, int limit)
{
	static World trial;
	Worker *worker;
	Choice choice;
	int members = 0;

	trial = *world;
	worker = &trial.workers[w];
	worker->assignments = 0;
	worker->cpu_used = worker->memory_used = 0;
	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
	{
		trial.devices[d].slots = trial.devices[d].share = trial.devices[d].memory_used = 0;
		if (world->workers[w].assignments > 0)
			trial.devices[d].load = 0;
	}
	for (; members < limit && brute_worker(&trial, kind, w, &choice) == FITS; members++)
		brute_book(&trial, kind, &choice);
	return members;
}

/* --- random worlds --- */

typedef struct Outcome
{
	bool same; /* as brute force */
	bool distinct;
	bool in_order; /* shard numbers, and all of one item together */
	bool reserved_right;
	int gangs;
	int placed;
	int fewer_than_most;
	int together; /* members on one worker */
	int reserved;
} Outcome;

/* Returns the item that the first reservation is for, or -1. */
static int
reserved_item(const Run *run)
{
	return run->search.nreservations > 0 ? run->search.reservations[0].item : -1;
}

/* Compares a placed gang, or one that waits, with brute force, and books it. */
static void
check_gang(World *world, const Run *run, int i, Outcome *outcome)
{
	WorkKind *kind = &world->kinds[world->items[i].kind];
	const Policy *policy = run->kinds[world->items[i].kind].policy;
	const QueueItem *item = &run->items[i];
	bool sharded = profile_strategy(&kind->profile) == STRATEGY_SHARDED;
	BruteGang gang;

	brute_gang(world, kind, policy, item->expected_seconds, &gang);
	outcome->gangs++;
	outcome->placed += gang.count > 0;
	outcome->fewer_than_most +=
		gang.count > 0 && gang.count < gang_most(&kind->profile, &kind->demand);
	outcome->same = outcome->same && item->nplacements == gang.count;
	for (int m = 0; outcome->same && m < gang.count; m++)
	{
		const Placement *placement = &run->search.placements[item->first_placement + m];
		const ScoredChoice *member = &gang.members[m];

		outcome->same = placement->worker == member->choice.worker &&
						placement->ndevices == member->choice.ndevices &&
						memcmp(&run->search.chosen[placement->first_device], member->choice.devices,
							   sizeof(int32) * member->choice.ndevices) == 0 &&
						placement->score == member->score &&
						placement->adjusted_efficiency == member->choice.adjusted &&
						placement->predicted_seconds == (sharded ? gang.seconds : member->seconds);
		outcome->in_order = outcome->in_order && placement->item == i && placement->shard_no == m;
		for (int n = 0; n < m; n++)
			if (run->search.placements[item->first_placement + n].worker == placement->worker)
			{
				outcome->together++;
				outcome->distinct = outcome->distinct && brute_shares_worker(kind);
			}
	}
	for (int m = 0; m < gang.count; m++)
		brute_decide(world, kind, &gang.members[m].choice);
}

/*
 * Checks what was reserved for the gang at i, which waits: workers that it
 * could have, enough of them and none too many; and books what is kept in the world.
 */
static void
check_reservation(World *world, const Run *run, int i, Outcome *outcome)
{
	const WorkKind *kind = &world->kinds[world->items[i].kind];
	int least = gang_least(&kind->profile, &kind->demand);
	int limit = brute_shares_worker(kind) ? least : 1;
	int possible = 0;
	int kept = 0;
	int fewest = MOST_WORKERS + least;
	int nkept = 0;

	for (int w = 0; w < world->nworkers; w++)
	{
		int members = brute_members_when_empty(world, kind, w, limit);

		possible += members;
		if (!run->fleet.workers[w].reserved)
			continue;
		nkept++;
		kept += members;
		fewest = Min(fewest, members);
	}
	if (possible < least)
		outcome->reserved_right = outcome->reserved_right && nkept == 0 && reserved_item(run) < 0;
	else
	{
		outcome->reserved++;
		outcome->reserved_right = outcome->reserved_right && fewest > 0 && kept >= least &&
								  (limit > 1 || kept == least) && reserved_item(run) == i;
	}
	for (int w = 0; w < world->nworkers; w++)
		if (run->fleet.workers[w].reserved)
		{
			Worker *worker = &world->workers[w];

			worker->assignments = run->fleet.workers[w].assignments;
			worker->cpu_used = run->fleet.workers[w].cpu_used;
			worker->memory_used = run->fleet.workers[w].memory_used;
			memcpy(&world->devices[worker->first_device], &run->fleet.devices[worker->first_device],
				   sizeof(Device) * worker->ndevices);
		}
	/* brute force knows nothing of what is over in time */
	if (reserved_item(run) == i)
		run->search.reservations[0].backfill_in = -1;
}

static void
test_gangs(const char *name, Traits traits, bool reserves)
{
	Outcome outcome = {true, true, true, true, 0, 0, 0, 0, 0};
	bool others = true, capacity = true, unchanged = true;

	traits.gangs = true;
	for (int round = 0; round < ROUNDS; round++)
	{
		static World before;
		static World world;
		Run run;

		random_world(&before, &traits);
		for (int w = 0; w < before.nworkers; w++)
			before.workers[w].accepting = true;
		world = before;
		begin_run(&run, &world);
		run.search.score_function = run_function;
		run.search.reserves = reserves;
		for (int i = 0; i < world.nitems && outcome.same && others; i++)
		{
			WorkKind *kind = &world.kinds[world.items[i].kind];
			ScoredChoice best;
			const Placement *placement;

			place_item(&run.search, run.items, i);
			if (is_gang(kind))
			{
				bool first = reserved_item(&run) < 0 || reserved_item(&run) == i;

				check_gang(&world, &run, i, &outcome);
				if (run.items[i].nplacements == 0 && reserves && first)
					check_reservation(&world, &run, i, &outcome);
				for (int w = 0; w < world.nworkers && run.items[i].nplacements == 0; w++)
				{
					Worker now = run.fleet.workers[w];

					now.reserved = world.workers[w].reserved;
					unchanged = unchanged && now.cordoned == world.workers[w].cordoned &&
								now.assignments == world.workers[w].assignments &&
								now.total_assignments == world.workers[w].total_assignments &&
								now.cpu_used == world.workers[w].cpu_used &&
								now.memory_used == world.workers[w].memory_used &&
								now.last_turn == world.workers[w].last_turn;
				}
				for (int d = 0; d < world.ndevices && run.items[i].nplacements == 0; d++)
					unchanged = unchanged && memcmp(&run.fleet.devices[d], &world.devices[d],
													sizeof(Device)) == 0;
				if (!outcome.same)
					diag("round %d: the gang %d of %d is placed differently", round, i,
						 world.nitems);
				continue;
			}
			placement = placement_of(&run, i);
			others = brute_policy_best(&world, kind, run.kinds[world.items[i].kind].policy,
									   &best) == (placement != NULL) &&
					 (placement == NULL ||
					  (placement->worker == best.choice.worker &&
					   run.search.chosen[placement->first_device] == best.choice.devices[0]));
			if (placement != NULL)
				brute_decide(&world, kind, &best.choice);
		}
		capacity = capacity && within_capacity(&before, &run);
	}
	ok(outcome.same, "%s: all or nothing, as brute force", name);
	ok(others, "%s: work beside gangs, as brute force", name);
	ok(outcome.distinct, "%s: distinct workers, unless they may be shared", name);
	ok(outcome.in_order, "%s: members are numbered from 0", name);
	ok(capacity, "%s: nothing beyond its capacity", name);
	ok(unchanged, "%s: a gang that waits changes nothing", name);
	if (reserves)
		ok(outcome.reserved_right && outcome.reserved > outcome.gangs / 100,
		   "%s: what is reserved would do, and no more; nothing for what never fits (%d times)",
		   name, outcome.reserved);
	ok(outcome.placed > outcome.gangs / 25 && outcome.placed < outcome.gangs * 9 / 10 &&
		   outcome.fewer_than_most > outcome.placed / 20 && outcome.together > outcome.placed / 20,
	   "%s: %d of %d placed, %d not in full, %d members beside each other", name, outcome.placed,
	   outcome.gangs, outcome.fewer_than_most, outcome.together);
}

/* Why a gang waits: enough workers get at least this far. */
static void
test_refusals(void)
{
	Traits traits = {.whole = true, .shares = true, .gangs = true, .host_devices = true};
	bool right = true;
	int too_few = 0;

	for (int round = 0; round < ROUNDS; round++)
	{
		static World world;
		Run run;

		random_world(&world, &traits);
		begin_run(&run, &world);
		for (int k = 0; k < world.nkinds; k++)
		{
			const WorkKind *kind = &world.kinds[k];
			int needed = !is_gang(kind) || brute_shares_worker(kind) ?
							 1 :
							 gang_least(&kind->profile, &kind->demand);
			int known = 0;
			int reach[FITS + 1] = {0};
			FilterReason expected = FILTERED_NO_WORKER;

			for (int w = 0; w < world.nworkers; w++)
			{
				Choice choice;
				FilterReason reason = brute_worker(&world, kind, w, &choice);

				known += reason > FILTERED_NO_WORKER;
				for (int r = 0; r <= (int) reason; r++)
					reach[r]++;
			}
			for (int r = 1; r <= FITS; r++)
				if (reach[r] >= needed)
					expected = r;
			/* some would do, but fewer than it takes: whoever else comes */
			if (expected <= FILTERED_NEVER && known > 0 &&
				(reach[expected + 1] > 0 || expected == FILTERED_NO_WORKER))
				expected = FILTERED_WORKERS;
			too_few += expected == FILTERED_WORKERS;
			if (right && search_filter_reason(&run.search, &run.kinds[k]) != expected)
			{
				right = false;
				diag("round %d: kind %d is refused for %d, expected %d", round, k,
					 search_filter_reason(&run.search, &run.kinds[k]), expected);
			}
		}
	}
	ok(right && too_few > ROUNDS / 10, "why gangs wait, %d times for want of workers", too_few);
}

/* --- by hand --- */

static void
test_cases(void)
{
	static World world;
	Run run;

	/* the sixth worker is so slow that five are quicker */
	plain_world(&world, 6, 1, 1);
	make_gang(&world.kinds[0], 2, 4, true);
	world.kinds[0].demand.share_worker = false;
	world.kinds[0].profile.min_compute_units = 100;
	world.profiles[5] = world.profiles[1];
	world.kinds[0].profile.min_memory_bytes = GB;
	world.profiles[5].memory_total_bytes = GB;
	world.devices[5].profile = 5;
	world.devices[5].memory_bytes = GB;
	world.items[0].expected_seconds = 600;
	begin_run(&run, &world);
	search_place(&run.search, run.items, 1, -1);
	is_int(run.items[0].nplacements, 5,
		   "a slow worker is left out where the others are quicker without it");
	is_near(placement_of(&run, 0)->predicted_seconds, 600 * 0.7 * 0.5 / 5 * 1.5, 1e-9,
			"shards share the time, and lose a tenth for each");

	/* replicas never share a worker, and are two at least */
	plain_world(&world, 1, 1, 4);
	make_gang(&world.kinds[0], 1, 0, false);
	world.kinds[0].demand.share_worker = true;
	begin_run(&run, &world);
	run.search.reserves = true;
	search_place(&run.search, run.items, 1, -1);
	ok(run.search.nplacements == 0 && reserved_item(&run) == -1,
	   "replicas need two workers, and reserve none where there is one");
	plain_world(&world, 3, 1, 1);
	make_gang(&world.kinds[0], 1, 0, false);
	world.kinds[0].demand.quorum = 0;
	begin_run(&run, &world);
	search_place(&run.search, run.items, 1, -1);
	ok(run.items[0].nplacements == 2 &&
		   run.search.placements[0].worker != run.search.placements[1].worker,
	   "replicas are two by themselves, on two workers");
}

/* --- time passes --- */

enum
{
	SMALL,
	GANG,
	OTHER_GANG
};

typedef struct Live
{
	int kind;
	int worker;
	int device;
	int age;
} Live;

/* A pool over many batches. */
typedef struct Story
{
	World world;
	int nlive;
	Live live[MOST_DEVICES];
	int waiting[3]; /* by kind; of SMALL there is no end */
	int placed[3]; /* the batch in which the last of a kind was placed; 0: none */
	bool optimal;
	bool reserves;
	bool right;
} Story;

static void
begin_story(Story *story, bool optimal, bool reserves, int gang, int other)
{
	World *world = &story->world;

	memset(story, 0, sizeof(*story));
	plain_world(world, 8, 1, 2);
	world->nkinds = 3;
	for (int k = 1; k < 3; k++)
		world->kinds[k] = world->kinds[0];
	for (int k = 0; k < 3; k++)
	{
		world->kinds[k].profile_id = k + 1;
		world->kinds[k].demand.accelerators = (NamedNumbers){1, k == SMALL ? one_gpu : two_gpus};
		if (k != SMALL)
			make_gang(&world->kinds[k], k == GANG ? gang : other, 0, true);
		world->kinds[k].demand.share_worker = false;
	}
	story->optimal = optimal;
	story->reserves = reserves;
	story->waiting[GANG] = gang > 0;
	story->waiting[OTHER_GANG] = other > 0;
	story->right = true;
}

/* Ends some work, submits more, and decides. */
static void
next_batch(Story *story, int batch)
{
	World *world = &story->world;
	Run run;
	int kept = 0;

	for (int l = 0; l < story->nlive; l++)
	{
		Live *live = &story->live[l];

		if (random_below(5) > 0 && ++live->age < 20)
			story->live[kept++] = *live;
		else
		{
			world->workers[live->worker].assignments--;
			world->devices[live->device].share -= WHOLE_SHARE;
		}
	}
	story->nlive = kept;
	world->nitems = 0;
	for (int k = GANG; k <= OTHER_GANG; k++)
		for (int i = 0; i < story->waiting[k]; i++)
			world->items[world->nitems++] =
				(QueueItem){.kind = k, .priority = 3, .expected_seconds = 60};
	while (world->nitems < 30)
		world->items[world->nitems++] =
			(QueueItem){.kind = SMALL, .priority = 3, .expected_seconds = 60};
	begin_run(&run, world);
	run.search.settings.solver_memory = 64 << 20;
	run.search.reserves = story->reserves;
	if (story->optimal)
		search_solve(&run.search, run.items, world->nitems);
	else
		search_place(&run.search, run.items, world->nitems, -1);
	story->right = story->right && within_capacity(world, &run);
	for (int p = 0; p < run.search.nplacements; p++)
	{
		const Placement *placement = &run.search.placements[p];
		int kind = run.items[placement->item].kind;

		if (kind == SMALL && run.fleet.workers[placement->worker].reserved)
			story->right = false;
		if (kind != SMALL && placement->shard_no == 0)
		{
			story->waiting[kind]--;
			story->placed[kind] = batch;
		}
		for (int d = 0; d < placement->ndevices; d++)
			story->live[story->nlive++] =
				(Live){kind, placement->worker, run.search.chosen[placement->first_device + d], 0};
	}
	memcpy(world->workers, run.fleet.workers, sizeof(Worker) * world->nworkers);
	memcpy(world->devices, run.fleet.devices, sizeof(Device) * world->ndevices);
	/* one live entry per device; an assignment ends with its first */
	for (int w = 0; w < world->nworkers; w++)
	{
		world->workers[w].reserved = world->workers[w].cordoned = false;
		world->workers[w].assignments = 0;
	}
	for (int l = 0; l < story->nlive; l++)
		world->workers[story->live[l].worker].assignments++;
}

/* Tells many stories; returns the latest batch that placed a gang, batches + 1 if one never was. */
static int
slowest_story(bool optimal, bool reserves, int gang, int other, int batches, bool *right)
{
	int slowest = 0;

	for (int i = 0; i < 60; i++)
	{
		static Story story;

		begin_story(&story, optimal, reserves, gang, other);
		/* the fleet is busy before the gang comes */
		story.waiting[GANG] = story.waiting[OTHER_GANG] = 0;
		next_batch(&story, 0);
		story.waiting[GANG] = gang > 0;
		story.waiting[OTHER_GANG] = other > 0;
		for (int batch = 1; batch <= batches && story.waiting[GANG] + story.waiting[OTHER_GANG] > 0;
			 batch++)
			next_batch(&story, batch);
		*right = *right && story.right;
		slowest = Max(slowest, story.waiting[GANG] + story.waiting[OTHER_GANG] > 0 ?
								   batches + 1 :
								   Max(story.placed[GANG], story.placed[OTHER_GANG]));
	}
	return slowest;
}

static void
test_waiting(void)
{
	for (int optimal = 0; optimal < 2; optimal++)
	{
		const char *solver = optimal ? "optimal" : "greedy";
		bool right = true;
		int slowest;

		/* nothing runs longer than 20 batches */
		slowest = slowest_story(optimal, true, 5, 0, 100, &right);
		ok(slowest <= 25,
		   "%s: an endless stream of small work holds a gang up for %d batches at most", solver,
		   slowest);
		slowest = slowest_story(optimal, true, 8, 0, 100, &right);
		ok(slowest <= 25, "%s: nor one that takes all workers: %d", solver, slowest);
		slowest = slowest_story(optimal, true, 5, 6, 100, &right);
		ok(slowest <= 50, "%s: nor two that each take more than half of them: %d", solver, slowest);
		slowest = slowest_story(optimal, true, 9, 5, 100, &right);
		ok(slowest == 101, "%s: a gang that never fits waits for ever", solver);
		slowest = slowest_story(optimal, false, 5, 0, 100, &right);
		ok(slowest == 101, "%s: without reservations the stream starves it", solver);
		ok(right,
		   "%s: what is reserved gets nothing that stands behind, and nothing is beyond its"
		   " capacity",
		   solver);
	}
}

/* A gang that never fits keeps nothing from the next one, nor from other work. */
static void
test_never(void)
{
	static Story story;
	int most = 0;

	begin_story(&story, false, true, 9, 5);
	for (int batch = 1; batch <= 100; batch++)
	{
		next_batch(&story, batch);
		most = Max(most, story.nlive);
	}
	ok(story.waiting[GANG] == 1 && story.waiting[OTHER_GANG] == 0,
	   "a gang behind one that never fits has its turn");
	is_int(most, 16, "a gang that never fits keeps no worker idle");
}

int
main(void)
{
	test_gangs("slots", (Traits){0}, false);
	test_gangs("everything", (Traits){.whole = true, .shares = true, .host_devices = true}, false);
	test_gangs("everything, reserving",
			   (Traits){.whole = true, .shares = true, .host_devices = true}, true);
	test_gangs("policies", (Traits){.whole = true, .shares = true, .policies = true}, false);
	test_gangs("policies, reserving", (Traits){.policies = true}, true);
	test_refusals();
	test_cases();
	test_waiting();
	test_never();
	return done_testing();
}
