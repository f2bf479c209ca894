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
#include "place/group.h"
#include "place/order.h"
#include "place/reservation.h"
#include "place/search_hardware.h"
#include "place/search_policy.h"
#include "place/spare.h"

/* Tells, of each device of a worker, what using it spares. */
static void
tell_sparing(Fleet *fleet, const Worker *worker)
{
	Device *devices = &fleet->devices[worker->first_device];
	bool any_accelerator = false;

	for (int d = 0; d < worker->ndevices; d++)
	{
		devices[d].sparing = is_cpu(&fleet->profiles[devices[d].profile]);
		any_accelerator = any_accelerator || devices[d].sparing == 0;
	}
	for (int d = 0; d < worker->ndevices && !any_accelerator; d++)
		devices[d].sparing = 2;
}

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
	search->scored = NOT_SCORED;
	search->npart_scores = search->part_scores_allocated = 0;
	search->part_scores = NULL;
	search->nchosen = search->chosen_allocated = 0;
	search->chosen = NULL;
	search->pairs_scored = search->candidates_scored = search->steps = 0;
	for (int i = 0; i < fleet->nworkers; i++)
	{
		most_devices = Max(most_devices, fleet->workers[i].ndevices);
		search->last_turn = Max(search->last_turn, fleet->workers[i].last_turn);
		tell_sparing(fleet, &fleet->workers[i]);
	}
	state->versions = palloc0(sizeof(uint32) * (fleet->nworkers + 1));
	state->scratch = palloc(sizeof(int32) * (most_devices + 1));
	state->scratch_values = palloc(sizeof(double) * (most_devices + 1));
	state->scratch_reasons = palloc(sizeof(FilterReason) * (most_devices + 1));
	state->scratch_profiles = palloc(sizeof(int32) * (most_devices + 1));
	state->scratch_draws = palloc(sizeof(bool) * (most_devices + 1));
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
	if (!policy_is_hardware_aware(kind->policy) || kind->demand.accelerators.count > 1 ||
		(search->refills && demanded_devices(&kind->demand) > 1))
		return policy_search_best(search, kind, candidate, score);
	return hardware_search_best(search, kind, candidate, score);
}

/*
 * Finds the place that a kind of work would get now, and its score; returns false if there is
 * none.  The candidate's devices stay valid until the next call.
 */
bool
find_place(Search *search, WorkKind *kind, Candidate *candidate, double *score)
{
	return best_candidate(search, kind, candidate, score);
}

/*
 * Finds the best candidate for an item among the workers and devices that it does
 * not avoid and, if it runs alone, that have nothing.  Lanes do not take back who
 * is cordoned for a moment, rankings do.
 */
static bool
best_unavoided(Search *search, const QueueItem *item, WorkKind *kind, Candidate *candidate,
			   double *score)
{
	Fleet *fleet = search->fleet;
	int32 *cordoned =
		palloc_huge(sizeof(int32) * (item->navoided + (item->alone ? fleet->nworkers : 0) + 1));
	int n = cordon_avoided(search, item, cordoned);
	bool found;

	for (int w = 0; item->alone && w < fleet->nworkers; w++)
		if (fleet->workers[w].assignments > 0 && !fleet->workers[w].cordoned)
		{
			cordoned[n++] = w;
			cordon_worker(search, w, true);
		}
	avoid_devices(search, item, true);
	found = group_search_best(search, kind, item->group, NULL, 0, candidate, score);
	avoid_devices(search, item, false);
	for (int i = 0; i < n; i++)
		cordon_worker(search, cordoned[i], false);
	pfree(cordoned);
	return found;
}

/*
 * Decides for one item of the queue.  If it is one of the first that have to wait, it gets a
 * place reserved, and its concurrency key: nothing behind it takes the key, or the place, unless it
 * is over in time.
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
	search->scored = NOT_SCORED;
	if (!keys_have_room(search->key_rooms, &item->keys) || (kind->barred && !is_gang(kind)) ||
		quota_is_met(search, kind))
		return;
	if (is_gang(kind))
	{
		if (search->partial)
			return;
		place_gang(search, items, index);
	}
	else if (is_choosy(item) ? best_unavoided(search, item, kind, &best, &score) :
							   best_candidate(search, kind, &best, &score))
	{
		reserve_item(search, items, index, &best, score);
		note_place(search, item, best.worker, best.devices[0]);
		item->nplacements = 1;
	}
	else if (!item->alone)
	{
		avoid_devices(search, item, true);
		item->nplacements = backfill(search, items, index);
		avoid_devices(search, item, false);
	}
	if (item->nplacements == 0)
	{
		avoid_devices(search, item, true);
		reserve_place(search, items, index);
		avoid_devices(search, item, false);
	}
	if (item->nplacements > 0)
	{
		take_keys(search->key_rooms, &item->keys);
		tenant_takes(search, kind, item->nplacements, 1);
	}
}

/*
 * Returns where the items end that are decided together with the first: they
 * have one priority, and all may use a reserved place or none may.
 */
int
band_end(const Search *search, const QueueItem *items, int nitems, int first)
{
	int last = first + 1;

	while (last < nitems && items[last].priority == items[first].priority)
		last++;
	return reservation_boundary(search, first, last);
}

/*
 * Places the items of one priority one after the other: first those that ask for
 * accelerators, if others are to spare them.
 */
static void
place_band(Search *search, QueueItem *items, int first, int last, int most)
{
	for (int i = first; i < last; i++)
		items[i].nplacements = 0;
	for (int later = 0; later < 2; later++)
	{
		ItemOrder order = order_begin(search, items, first, last, later);
		int i;

		while ((most < 0 || search->nplacements < most) && (i = order_next(search, &order)) >= 0)
			place_item(search, items, i);
	}
}

/*
 * Decides for each item of the queue, in its order, which workers and devices
 * it gets; the fleet is booked accordingly, and search->placements tells in
 * the order of the items.  most limits the placements (< 0: no limit).
 *
 * What is in search->reservations was reserved before, for who may not be among the items.
 */
void
search_place(Search *search, QueueItem *items, int nitems, int most)
{
	for (int first = 0, last; first < nitems; first = last)
	{
		last = band_end(search, items, nitems, first);
		reservations_book(search, items, first);
		place_band(search, items, first, last, most);
		if (search->band_decided != NULL)
			search->band_decided(search, items, first, last);
	}
	reservations_give_back(search);
	order_placements(search, items);
}
