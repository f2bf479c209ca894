/*
 * optimal.c
 *		The optimal batch: in each priority band the most workloads, and of all
 *		ways to place so many the one with the greatest total score.
 *
 * The scores are those at the beginning of the band.  Work that takes one slot
 * of a device, or one whole device, is a transportation problem between kinds
 * of work and lanes of alike devices, which place/optimal_flow.c solves exactly.  Where
 * work takes several resources at once, that solution may not fit; so it only
 * proposes, other plans compete with it, the greedy one among them, and the
 * best one counts.
 *
 * More workloads are placed if small ones pass by a big one, and so it would never
 * have its turn.  That is why what was left has a place reserved, and is the first to be decided
 * of its band in the next batch.  No plan may leave out a gang that the greedy plan
 * places, and a gang that has to wait ends its band: what stands behind it
 * is decided after workers have been reserved.
 */
#include "place/booking.h"
#include "place/candidate.h"
#include "place/greedy.h"
#include "place/group.h"
#include "place/optimal.h"
#include "place/optimal_flow.h"
#include "place/order.h"
#include "place/reservation.h"
#include "place/search_policy.h"
#include "place/spare.h"
#include "place/trial.h"
#include "support/arena.h"

/* A decision of a plan. */
typedef struct Decision
{
	int32 item;
	int32 shard_no;
	int32 worker;
	int32 ndevices;
	int32 *devices;
	double score; /* at the beginning of the band */
	double predicted_seconds;
	double p90_seconds;
	double formula_seconds;
	bool backfill;
} Decision;

typedef struct SolverPlan
{
	int placed; /* workloads */
	double score; /* their total; of a gang, the mean of its members */
	int ndecisions;
	Decision *decisions; /* in the order of the queue */
	int32 blocked; /* the item that a place was reserved for; -1: none */
} SolverPlan;

/* --- trying out --- */

/* Returns a search on a copy of the fleet, to try a plan on. */
static Search *
copy_search(const Search *search)
{
	Search *copy = search_copy(search);

	search_begin(copy);
	reservations_copy(copy);
	/* what else waits is known when the band is decided */
	copy->most_reservations = 0;
	return copy;
}

/*
 * Takes the decisions of a trial, which began with so many reservations, into a plan, in the
 * order of the queue.
 */
static void
take_plan(const Search *trial, int nreservations, SolverPlan *plan)
{
	plan->ndecisions = trial->nplacements;
	plan->decisions = palloc_huge(sizeof(Decision) * (plan->ndecisions + 1));
	if (trial->nplacements > 0)
		qsort(trial->placements, trial->nplacements, sizeof(Placement), placement_compare);
	for (int i = 0; i < trial->nplacements; i++)
	{
		const Placement *placement = &trial->placements[i];
		Decision *decision = &plan->decisions[i];

		decision->item = placement->item;
		decision->shard_no = placement->shard_no;
		decision->worker = placement->worker;
		decision->ndevices = placement->ndevices;
		decision->devices = copy_array(&trial->chosen[placement->first_device],
									   sizeof(int32) * placement->ndevices);
		decision->predicted_seconds = placement->predicted_seconds;
		decision->p90_seconds = placement->p90_seconds;
		decision->backfill = placement->backfill;
		decision->formula_seconds = placement->formula_seconds;
	}
	plan->blocked = trial->nreservations == nreservations ?
						-1 :
						trial->reservations[trial->nreservations - 1].item;
}

/* Gives each decision its score at the beginning of the band, and adds up. */
static void
score_plan(Search *search, const QueueItem *items, SolverPlan *plan)
{
	int *start = palloc_huge(sizeof(int) * (search->nkinds + 2));
	int *by_kind = palloc_huge(sizeof(int) * (plan->ndecisions + 1));

	memset(start, 0, sizeof(int) * (search->nkinds + 2));
	for (int i = 0; i < plan->ndecisions; i++)
		start[items[plan->decisions[i].item].kind + 2]++;
	for (int k = 0; k < search->nkinds; k++)
		start[k + 2] += start[k + 1];
	for (int i = 0; i < plan->ndecisions; i++)
		by_kind[start[items[plan->decisions[i].item].kind + 1]++] = i;
	for (int k = 0; k < search->nkinds; k++)
	{
		WorkKind *kind = &search->kinds[k];
		bool several = demanded_devices(&kind->demand) > 1;
		const double *scores;

		if (start[k] == start[k + 1])
			continue;
		scores = policy_search_scores(search, kind);
		for (int i = start[k]; i < start[k + 1]; i++)
		{
			Decision *decision = &plan->decisions[by_kind[i]];
			double score = scores[several ? search->fleet->workers[decision->worker].first_device :
											decision->devices[0]];

			decision->score = isnan(score) ? 0 : score;
		}
	}
	plan->placed = 0;
	plan->score = 0;
	for (int i = 0, j; i < plan->ndecisions; i = j)
	{
		double sum = 0;

		for (j = i; j < plan->ndecisions && plan->decisions[j].item == plan->decisions[i].item; j++)
			sum += plan->decisions[j].score;
		plan->placed++;
		plan->score += sum / (j - i);
	}
	pfree(start);
	pfree(by_kind);
}

/* --- greedy plans --- */

/* How much of all there is a kind of work takes: the most of any resource. */
static double
dominant_share(const Search *search, const WorkKind *kind)
{
	const Fleet *fleet = search->fleet;
	double cores = 1;
	double memory = 1;
	double count = 1;
	double accelerators = 0;
	double share;

	for (int w = 0; w < fleet->nworkers; w++)
	{
		cores += fleet->workers[w].cpu_millicores;
		memory += fleet->workers[w].memory_bytes;
	}
	for (int d = 0; d < fleet->ndevices; d++)
		count += !is_cpu(&fleet->profiles[fleet->devices[d].profile]);
	/* of an accelerator, shares of one size take what stays empty, too */
	if (demand_occupancy(&kind->demand) == OCCUPY_SHARE)
		accelerators = 1.0 / (WHOLE_SHARE / kind->demand.share);
	else if (demand_occupancy(&kind->demand) == OCCUPY_WHOLE)
		accelerators = demanded_devices(&kind->demand);
	share = accelerators / count;
	share = Max(share, kind->demand.cpu_millicores / cores);
	share = Max(share, kind->demand.host_memory_bytes / memory);
	return share * gang_least(&kind->profile, &kind->demand);
}

/* The order in which a greedy plan takes the work of a band. */
typedef enum PlanOrder
{
	ORDER_QUEUE,
	ORDER_LEAST, /* what takes least of all there is */
	ORDER_FULLEST /* what leaves least of its accelerators empty */
} PlanOrder;

/*
 * Returns how much of an accelerator stays empty when it is filled with work of
 * one kind; a little more for what takes several, and most for what takes none:
 * it finds its place beside the others.
 */
static double
emptiness(const WorkKind *kind)
{
	switch (demand_occupancy(&kind->demand))
	{
		case OCCUPY_SHARE:
			return (double) (WHOLE_SHARE % kind->demand.share) / WHOLE_SHARE;
		case OCCUPY_WHOLE:
			return demanded_devices(&kind->demand) > 1 ? 0.001 : 0.0;
		case OCCUPY_SLOT:
			break;
	}
	return 1.0;
}

typedef struct Ordered
{
	int32 item;
	bool later; /* it is to spare what others ask for */
	double key;
} Ordered;

static int
compare_ordered(const void *a, const void *b)
{
	const Ordered *x = a;
	const Ordered *y = b;

	if (x->later != y->later)
		return x->later - y->later;
	return x->key != y->key ? (x->key < y->key ? -1 : 1) : x->item - y->item;
}

/* Returns the items of a band in an order. */
static Ordered *
order_items(const Search *search, const QueueItem *items, int first, int last, PlanOrder by)
{
	Ordered *order = palloc_huge(sizeof(Ordered) * (last - first + 1));
	double *keys = palloc_huge(sizeof(double) * (search->nkinds + 1));

	for (int k = 0; k < search->nkinds; k++)
		keys[k] = by == ORDER_LEAST	  ? dominant_share(search, &search->kinds[k]) :
				  by == ORDER_FULLEST ? emptiness(&search->kinds[k]) :
										0;
	for (int i = first; i < last; i++)
		order[i - first] = (Ordered){i, spares_accelerators(search, &search->kinds[items[i].kind]),
									 keys[items[i].kind]};
	qsort(order, last - first, sizeof(Ordered), compare_ordered);
	pfree(keys);
	return order;
}

/*
 * Puts filling in the place of fragmentation in the policies of a trial: it is
 * made for work that comes in an order that suits it.
 */
static void
look_ahead(Search *trial)
{
	for (int k = 0; k < trial->nkinds; k++)
	{
		Policy *policy = copy_array(trial->kinds[k].policy, sizeof(Policy));

		policy->parts = copy_array(policy->parts, sizeof(PolicyPart) * policy->nparts);
		for (int p = 0; p < policy->nparts; p++)
			if (policy->parts[p].algorithm == ALGORITHM_FRAGMENTATION)
				policy->parts[p].algorithm = ALGORITHM_FILLING;
		trial->kinds[k].policy = policy;
	}
}

/* Tries to place a band one by one, in an order. */
static void
try_greedy(const Search *search, const QueueItem *items, int first, int last, PlanOrder by,
		   SolverPlan *plan)
{
	void *scope = arena_begin("hwsched greedy plan");
	Search *trial = copy_search(search);
	QueueItem *copy = copy_array(items, sizeof(QueueItem) * last);
	Ordered *order = order_items(search, items, first, last, by);

	if (by != ORDER_QUEUE)
		look_ahead(trial);
	for (int i = 0; i < last - first; i++)
		if (!copy[order[i].item].held_back)
			place_item(trial, copy, order[i].item);
	arena_leave(scope);
	take_plan(trial, search->nreservations, plan);
	arena_free(scope);
}

/* --- the plan of the flow --- */

/* Returns whether an item may be a unit of a flow. */
static bool
fits_flow(const QueueItem *item, const WorkKind *kind)
{
	return !is_gang(kind) && !is_choosy(item) && demand_occupancy(&kind->demand) != OCCUPY_SHARE &&
		   demanded_devices(&kind->demand) <= 1;
}

/* Tries the plan of the best flow; returns false if that would take too much memory. */
static bool
try_flow(const Search *search, const QueueItem *items, int first, int last, SolverPlan *plan)
{
	void *scope = arena_begin("hwsched flow plan");
	Search *trial = copy_search(search);
	QueueItem *copy = copy_array(items, sizeof(QueueItem) * last);
	bool solved;

	/* what takes several devices, or shares, finds the least room: it comes first */
	for (int i = first; i < last; i++)
	{
		WorkKind *kind = &trial->kinds[copy[i].kind];

		if (copy[i].held_back)
			continue;
		copy[i].nplacements = 0;
		if (!fits_flow(&copy[i], kind) && !spares_accelerators(trial, kind))
			place_item(trial, copy, i);
	}
	solved = place_flow(trial, copy, first, last, OCCUPY_WHOLE);
	for (int i = first; i < last && solved; i++)
	{
		WorkKind *kind = &trial->kinds[copy[i].kind];

		if (!copy[i].held_back && !fits_flow(&copy[i], kind) && spares_accelerators(trial, kind))
			place_item(trial, copy, i);
	}
	solved = solved && place_flow(trial, copy, first, last, OCCUPY_SLOT);
	/* where the flow did not fit, something else may */
	for (int i = first; i < last && solved; i++)
		if (!copy[i].held_back && copy[i].nplacements == 0 && !is_gang(&trial->kinds[copy[i].kind]))
			place_item(trial, copy, i);
	arena_leave(scope);
	if (solved)
		take_plan(trial, search->nreservations, plan);
	arena_free(scope);
	return solved;
}

/* --- the best plan --- */

/* Books the decisions of a plan, and what it reserves. */
static void
carry_out(Search *search, QueueItem *items, const SolverPlan *plan)
{
	for (int i = 0; i < plan->ndecisions; i++)
	{
		const Decision *decision = &plan->decisions[i];
		QueueItem *item = &items[decision->item];
		WorkKind *kind = &search->kinds[item->kind];
		Candidate candidate = {.worker = decision->worker,
							   .ndevices = decision->ndevices,
							   .devices = decision->devices};
		Placement *placement;

		tenant_takes(search, kind, 1, item->nplacements == 0);
		if (item->nplacements++ == 0)
		{
			item->first_placement = search->nplacements;
			take_keys(search->key_rooms, &item->keys);
		}
		value_candidate(search, kind, &candidate);
		placement =
			decision->backfill ?
				backfill_reserve(search, kind, decision->item, &candidate, decision->score) :
				reserve_candidate(search, kind, decision->item, &candidate, decision->score);
		note_place(search, item, decision->worker, decision->devices[0]);
		placement->shard_no = decision->shard_no;
		placement->predicted_seconds = decision->predicted_seconds;
		placement->p90_seconds = decision->p90_seconds;
		placement->formula_seconds = decision->formula_seconds;
	}
	if (plan->blocked >= 0)
		reserve_place(search, items, plan->blocked);
}

/* Returns whether a plan is better than another: more placed, or as many and worth more. */
static bool
better_plan(const SolverPlan *a, const SolverPlan *b)
{
	if (a->placed != b->placed)
		return a->placed > b->placed;
	return a->score > b->score;
}

/* Returns whether a plan leaves out a gang that another one places. */
static bool
leaves_out_gang(const Search *search, const QueueItem *items, const SolverPlan *plan,
				const SolverPlan *other)
{
	int at = 0;

	for (int i = 0; i < other->ndecisions; i++)
	{
		int item = other->decisions[i].item;

		if (!is_gang(&search->kinds[items[item].kind]))
			continue;
		while (at < plan->ndecisions && plan->decisions[at].item < item)
			at++;
		if (at == plan->ndecisions || plan->decisions[at].item != item)
			return true;
	}
	return false;
}

/* Returns whether an order differs from that of the queue. */
static bool
reorders(const Search *search, const QueueItem *items, int first, int last, PlanOrder by)
{
	Ordered *order = order_items(search, items, first, last, by);
	bool differs = false;

	for (int i = first; i < last && !differs; i++)
		differs = order[i - first].item != i;
	pfree(order);
	return differs;
}

/* Takes out of a greedy plan all that stands behind an item. */
static void
cut_plan(SolverPlan *plan, int item)
{
	while (plan->ndecisions > 0 && plan->decisions[plan->ndecisions - 1].item > item)
		plan->ndecisions--;
}

/*
 * Decides what a place was promised to before all else of its band: it gets a place, or has one
 * reserved again.
 */
static void
decide_promised(Search *search, QueueItem *items, int first, int last)
{
	for (int i = 0; i < search->npromises; i++)
	{
		int item = search->promises[i].item;

		if (item < first || item >= last || items[item].held_back)
			continue;
		place_item(search, items, item);
		items[item].held_back = true;
	}
}

/* Reads what runs before plans are tried, as what they read is gone with them. */
static void
prepare_reserving(Search *search, const QueueItem *items, int first, int last)
{
	for (int i = first; i < last && search->reserves && !search->running_known; i++)
		if (is_gang(&search->kinds[items[i].kind]) || items[i].alone)
			running_prepare(search, items, i);
}

/*
 * Places one priority band, or its beginning up to a gang for which workers
 * have to be reserved.  Returns the first item that is still to be decided.
 */
static int
solve_band(Search *search, QueueItem *items, int first, int last)
{
	void *scope;
	SolverPlan plans[4];
	int nplans = 0;
	int best = 0;

	prepare_reserving(search, items, first, last);
	scope = arena_begin("hwsched plans");
	try_greedy(search, items, first, last, ORDER_QUEUE, &plans[nplans++]);
	if (plans[0].blocked >= 0)
	{
		last = plans[0].blocked + 1;
		cut_plan(&plans[0], last - 1);
	}
	if (try_flow(search, items, first, last, &plans[nplans]))
		nplans++;
	else
		search->solver_gave_up = true;
	for (PlanOrder by = ORDER_LEAST; by <= ORDER_FULLEST; by++)
		if (reorders(search, items, first, last, by))
			try_greedy(search, items, first, last, by, &plans[nplans++]);
	arena_leave(scope);
	for (int p = 0; p < nplans; p++)
	{
		score_plan(search, items, &plans[p]);
		if (better_plan(&plans[p], &plans[best]) &&
			!leaves_out_gang(search, items, &plans[p], &plans[0]))
			best = p;
	}
	carry_out(search, items, &plans[best]);
	for (int i = first; i < last; i++)
		if (!items[i].held_back && items[i].nplacements == 0 && !is_reserved_for(search, i) &&
			keys_have_room(search->key_rooms, &items[i].keys))
			reserve_place(search, items, i);
	arena_free(scope);
	return last;
}

/*
 * Places one priority band in turns, as fair shares and quotas allow: each item is tried once.
 */
static void
solve_turns(Search *search, QueueItem *items, int first, int last)
{
	bool *tried = palloc_huge(sizeof(bool) * (last - first + 1));
	bool *turn = palloc_huge(sizeof(bool) * (last - first + 1));

	for (int i = first; i < last; i++)
	{
		tried[i - first] = items[i].held_back;
		items[i].held_back = true;
	}
	while (order_turn(search, items, first, last, tried, turn) > 0)
	{
		int solved;

		for (int i = first; i < last; i++)
			items[i].held_back = !turn[i - first];
		solved = solve_band(search, items, first, last);
		for (int i = first; i < last; i++)
		{
			tried[i - first] = tried[i - first] || (turn[i - first] && i < solved);
			items[i].held_back = true;
		}
	}
	pfree(tried);
	pfree(turn);
}

/*
 * Decides for the whole queue, band by band of its priority; otherwise as
 * search_place().  search->solver_gave_up tells whether memory kept it from
 * looking for the best flow.
 */
void
search_solve(Search *search, QueueItem *items, int nitems)
{
	search->solver_gave_up = false;
	for (int i = 0; i < nitems; i++)
		items[i].nplacements = 0;
	for (int first = 0, last; first < nitems; first = last)
	{
		reservations_book(search, items, first);
		last = band_end(search, items, nitems, first);
		decide_promised(search, items, first, last);
		if (order_has_turns(search))
			solve_turns(search, items, first, last);
		else
			last = solve_band(search, items, first, last);
		if (search->band_decided != NULL)
			search->band_decided(search, items, first, last);
	}
	for (int i = 0; i < nitems; i++)
		items[i].held_back = false;
	reservations_give_back(search);
}
