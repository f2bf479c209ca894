/*
 * greedy.c
 *		Which device runs what: the decision, in memory, one workload of the
 *		queue after the other.
 *
 * Where only the hardware counts, place/search_hardware.c finds the best candidate; under
 * other policies place/search_policy.c does; for work that takes several workers, place/gang.c.
 */
#include "place/booking.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/fragmentation.h"
#include "place/gang.h"
#include "place/greedy.h"
#include "place/search_hardware.h"
#include "place/search_policy.h"

/*
 * Prepares looking at single workers: search->fleet, kinds, settings and what
 * the kinds' policies look at are set.
 */
void
search_prepare(Search *search)
{
	Fleet *fleet = search->fleet;
	SearchState *state = palloc0(sizeof(SearchState));
	int most_devices = 1;

	search->state = state;
	search->nplacements = search->placements_allocated = 0;
	search->placements = NULL;
	search->nchosen = search->chosen_allocated = 0;
	search->chosen = NULL;
	search->blocked_gang = -1;
	search->pairs_scored = search->candidates_scored = 0;
	for (int i = 0; i < fleet->nworkers; i++)
	{
		most_devices = Max(most_devices, fleet->workers[i].ndevices);
		search->last_turn = Max(search->last_turn, fleet->workers[i].last_turn);
	}
	state->scratch = palloc(sizeof(int32) * (most_devices + 1));
	state->scratch_values = palloc(sizeof(double) * (most_devices + 1));
	state->scratch_fitting = palloc(sizeof(int32) * (most_devices + 1));
	state->scratch_reasons = palloc(sizeof(FilterReason) * (most_devices + 1));
	for (int i = 0; i < search->nkinds; i++)
		kind_begin(search, &search->kinds[i]);
}

/*
 * Prepares a search over the whole fleet.  The fleet's arrays may be grown; its
 * counts stay as they are.
 */
void
search_begin(Search *search)
{
	bool needs_lanes = false;

	search_prepare(search);
	for (int i = 0; i < search->nkinds; i++)
		needs_lanes = needs_lanes || policy_is_hardware_aware(search->kinds[i].policy);
	if (needs_lanes)
		hardware_search_begin(search);
	fragmentation_begin(search);
}

/* Finds the best candidate for work that runs on one worker. */
static bool
best_candidate(Search *search, WorkKind *kind, Candidate *candidate, double *score)
{
	if (!policy_is_hardware_aware(kind->policy))
		return policy_search_best(search, kind, candidate, score);
	/* an algorithm's best candidate has score 1 */
	*score = kind->policy->parts[0].weight;
	return hardware_search_best(search, kind, candidate);
}

/* Keeps the workers that are reserved for a gang from those behind it. */
static void
cordon_reserved(Search *search)
{
	for (int w = 0; w < search->fleet->nworkers; w++)
		if (search->fleet->workers[w].reserved && !search->fleet->workers[w].cordoned)
			cordon_worker(search, w, true);
}

/*
 * Finds the best candidate for an item among the workers that it does not
 * avoid and, if it runs alone, that have nothing.  Lanes do not take back who
 * is cordoned for a moment, rankings do.
 */
static bool
best_unavoided(Search *search, const QueueItem *item, WorkKind *kind, Candidate *candidate,
			   double *score)
{
	Fleet *fleet = search->fleet;
	int32 *cordoned =
		palloc_huge(sizeof(int32) * (item->navoided + (item->alone ? fleet->nworkers : 0) + 1));
	int n = 0;
	bool found;

	for (int i = 0; i < item->navoided; i++)
		if (!fleet->workers[item->avoided[i]].cordoned)
		{
			cordoned[n++] = item->avoided[i];
			cordon_worker(search, item->avoided[i], true);
		}
	for (int w = 0; item->alone && w < fleet->nworkers; w++)
		if (fleet->workers[w].assignments > 0 && !fleet->workers[w].cordoned)
		{
			cordoned[n++] = w;
			cordon_worker(search, w, true);
		}
	found = policy_search_best(search, kind, candidate, score);
	for (int i = 0; i < n; i++)
		cordon_worker(search, cordoned[i], false);
	pfree(cordoned);
	return found;
}

/*
 * Decides for one item of the queue.  The first gang, or the first that runs
 * alone, that has to wait gets workers reserved: nothing behind it is placed
 * there.
 */
void
place_item(Search *search, QueueItem *items, int index)
{
	QueueItem *item = &items[index];
	WorkKind *kind = &search->kinds[item->kind];
	Candidate best;
	double score;

	item->first_placement = search->nplacements;
	item->nplacements = 0;
	if (key_is_taken(search, item))
		return;
	if (is_gang(kind))
	{
		if (search->partial)
			return;
		place_gang(search, items, index);
	}
	else if (item->navoided > 0 || item->alone ? best_unavoided(search, item, kind, &best, &score) :
												 best_candidate(search, kind, &best, &score))
	{
		reserve_item(search, items, index, &best, score);
		item->nplacements = 1;
		if (item->alone)
		{
			search->fleet->workers[best.worker].runs_alone = true;
			worker_changed(search, best.worker);
		}
	}
	if (item->nplacements == 0 && (is_gang(kind) || item->alone) && search->blocked_gang < 0 &&
		search->reserves)
		reserve_for_gang(search, items, index);
	if (item->nplacements > 0)
		take_key(search, item);
}

/*
 * Decides for each item of the queue, in its order, which workers and devices
 * it gets; the fleet is booked accordingly, and search->placements tells in
 * the order of the items.  most limits the placements (< 0: no limit).
 *
 * search->reserved_from is the first item that stands behind a gang for which
 * workers were reserved before.
 */
void
search_place(Search *search, QueueItem *items, int nitems, int most)
{
	for (int i = 0; i < nitems; i++)
	{
		if (i == search->reserved_from)
			cordon_reserved(search);
		items[i].nplacements = 0;
		if (most < 0 || search->nplacements < most)
			place_item(search, items, i);
	}
}
