/*
 * booking.c
 *		Writes decisions down in memory: what a placement reserves, who is cordoned,
 *		and which concurrency keys are taken.
 */
#include "place/booking.h"
#include "place/fleet.h"
#include "place/search.h"
#include "place/search_hardware.h"
#include "place/search_policy.h"

/* Notes that a worker got something, lost it or was cordoned. */
void
worker_changed(Search *search, int worker)
{
	search->state->versions[worker]++;
	if (search->state->has_lanes)
		hardware_search_changed(search, worker);
	policy_search_changed(search, worker);
}

/* Keeps a worker from getting anything, or lets it again. */
void
cordon_worker(Search *search, int worker, bool cordoned)
{
	search->fleet->workers[worker].cordoned = cordoned;
	worker_changed(search, worker);
}

/*
 * Takes the workers that an item avoids out of the search; returns how many, and writes
 * them to cordoned, for the caller to put them back.
 */
int
cordon_avoided(Search *search, const QueueItem *item, int32 *cordoned)
{
	int n = 0;

	for (int i = 0; i < item->navoided; i++)
		if (!search->fleet->workers[item->avoided[i]].cordoned)
		{
			cordoned[n++] = item->avoided[i];
			cordon_worker(search, item->avoided[i], true);
		}
	return n;
}

/* Keeps a worker from getting anything in this search. */
void
search_cordon(Search *search, int worker)
{
	cordon_worker(search, worker, true);
}

/* Returns whether an item may not take all that others of its kind may. */
bool
is_choosy(const QueueItem *item)
{
	return item->navoided > 0 || item->navoided_devices > 0 || item->alone || item->grouped;
}

/*
 * Takes the devices that an item avoids out of the search, or puts them back.  Lanes, which look
 * for many items, do not come to know of it.
 */
void
avoid_devices(Search *search, const QueueItem *item, bool avoided)
{
	for (int i = 0; i < item->navoided_devices; i++)
		search->fleet->devices[item->avoided_devices[i]].avoided = avoided;
	for (int i = 0; i < item->navoided_devices; i++)
		policy_search_changed(search, worker_of_device(search->fleet, item->avoided_devices[i]));
}

/* Returns whether the limits of concurrency keys leave room for a workload. */
bool
keys_have_room(const KeyRoom *rooms, const KeyDemand *demand)
{
	for (int i = 0; i < demand->count; i++)
	{
		const KeyRoom *room = &rooms[demand->items[i].key];

		if (room->units < demand->items[i].units || room->placements < 1)
			return false;
	}
	return true;
}

/* Takes what a workload that was placed holds of its concurrency keys. */
void
take_keys(KeyRoom *rooms, const KeyDemand *demand)
{
	for (int i = 0; i < demand->count; i++)
	{
		KeyRoom *room = &rooms[demand->items[i].key];

		if (room->units < INT32_MAX)
			room->units -= demand->items[i].units;
		if (room->placements < INT32_MAX)
			room->placements--;
	}
}

/*
 * Writes a decision down in memory: the candidate's devices are booked for an
 * item of the queue.  Returns the placement; it stays valid until the next one.
 */
Placement *
reserve_candidate(Search *search, WorkKind *kind, int item, const Candidate *candidate,
				  double score)
{
	Placement *placement;

	if (search->nplacements == search->placements_allocated)
	{
		search->placements_allocated = Max(64, search->placements_allocated * 2);
		search->placements =
			search->placements == NULL ?
				palloc_huge(sizeof(Placement) * search->placements_allocated) :
				repalloc_huge(search->placements, sizeof(Placement) * search->placements_allocated);
	}
	while (search->nchosen + candidate->ndevices > search->chosen_allocated)
	{
		search->chosen_allocated = Max(64, search->chosen_allocated * 2);
		search->chosen =
			search->chosen == NULL ?
				palloc_huge(sizeof(int32) * search->chosen_allocated) :
				repalloc_huge(search->chosen, sizeof(int32) * search->chosen_allocated);
	}
	placement = &search->placements[search->nplacements++];
	placement->item = item;
	placement->shard_no = 0;
	placement->worker = candidate->worker;
	placement->first_device = search->nchosen;
	placement->ndevices = candidate->ndevices;
	placement->efficiency = clamp01(candidate->raw_efficiency);
	placement->adjusted_efficiency = candidate->adjusted_efficiency;
	placement->score = score;
	placement->backfill = false;
	placement->value = candidate->value;
	placement->scored = search->scored;
	search->scored = NOT_SCORED;
	memcpy(&search->chosen[search->nchosen], candidate->devices,
		   sizeof(int32) * candidate->ndevices);
	search->nchosen += candidate->ndevices;

	fleet_occupy(search->fleet, kind, candidate->worker, candidate->devices, candidate->ndevices,
				 1);
	policy_search_took_turn(search, candidate->worker);
	if (kind->model >= 0)
		search->model_workers[kind->model] = candidate->worker;
	if (kind->family >= 0)
		search->model_workers[kind->family] = candidate->worker;
	worker_changed(search, candidate->worker);
	return placement;
}

/* Books a candidate for items[index], which is no gang, with the time it is to take. */
void
reserve_item(Search *search, const QueueItem *items, int index, const Candidate *candidate,
			 double score)
{
	const QueueItem *item = &items[index];
	WorkKind *kind = &search->kinds[item->kind];
	double seconds =
		candidate_seconds(search, kind, candidate, item->expected_seconds, item->subject);
	double base = candidate_base_seconds(search, kind, candidate, item->expected_seconds);
	Placement *placement = reserve_candidate(search, kind, index, candidate, score);

	placement->predicted_seconds = seconds;
	placement->p90_seconds = candidate_p90(search, candidate, seconds, item->subject);
	placement->formula_seconds = base;
}

/* Compares placements as they stand in the queue. */
int
placement_compare(const void *a, const void *b)
{
	const Placement *x = a;
	const Placement *y = b;

	return x->item != y->item ? x->item - y->item : x->shard_no - y->shard_no;
}

/* Puts the decisions into the order of the queue, whatever order they were made in. */
void
order_placements(Search *search, QueueItem *items)
{
	const Placement *placements = search->placements;
	int n = search->nplacements;
	int sorted = 1;

	while (sorted < n && placement_compare(&placements[sorted - 1], &placements[sorted]) < 0)
		sorted++;
	if (sorted >= n)
		return;
	qsort(search->placements, n, sizeof(Placement), placement_compare);
	for (int i = n - 1; i >= 0; i--)
		items[placements[i].item].first_placement = i;
}
