/*
 * places.c
 *		The places that work might have, in the order in which a decision takes them.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "api/places.h"
#include "place/candidate.h"
#include "place/reservation.h"
#include "place/search_hardware.h"
#include "place/search_policy.h"
#include "place/spare.h"

/* What qsort() compares for. */
static Search *ranking;
static WorkKind *ranked_kind;

/* What fits comes first, as the policy ranks it; then the rest by what it is worth. */
static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *x = a;
	const Ranked *y = b;
	int order;

	if ((x->reason == FITS) != (y->reason == FITS))
		return x->reason == FITS ? -1 : 1;
	if (x->reason == FITS && x->turn != y->turn)
		return x->turn - y->turn;
	if (x->reason == FITS)
		return scored_before(ranking, ranked_kind, x->device, x->score, y->device, y->score) ? -1 :
																							   1;
	order = candidate_compare(ranking, &x->candidate, &y->candidate);
	if (order != 0)
		return order;
	return device_before(ranking, ranked_kind, x->device, y->device) ? -1 : 1;
}

/*
 * Finds how a device would take the only workload, and what keeps it from that: also that
 * its place is reserved for who stands before items[0].
 */
static FilterReason
look_at_device(Search *search, const QueueItem *items, int worker, int device, Candidate *candidate)
{
	WorkKind *kind = &search->kinds[items[0].kind];
	FilterReason reason = search_device(search, kind, worker, device, candidate);

	if (reason != FITS || !search->fleet->workers[worker].reserved)
		return reason;
	reservations_book(search, items, 0);
	if (search_device(search, kind, worker, device, candidate) != FITS)
		reason = FILTERED_RESERVED;
	reservations_give_back(search);
	(void) search_device(search, kind, worker, device, candidate);
	return reason;
}

/*
 * Ranks places, of which those that fit are scored beside each other: these come first, as the
 * policy ranks them, then the rest by what it is worth.
 */
void
rank_fitting(Search *search, WorkKind *kind, Ranked *ranked, int count)
{
	const Fleet *fleet = search->fleet;
	int nparts = kind->policy->nparts;
	Candidate *candidates =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Candidate) * (count + 1));
	double *scores = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * (count + 1));
	double *parts =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * (count + 1) * nparts);
	double best_cpu = NAN;
	int accelerator = -1; /* the best of them */
	int nfit = 0;

	for (int i = 0; i < count; i++)
		if (ranked[i].reason == FITS)
		{
			candidates[nfit] = ranked[i].candidate;
			/* devices of a search's scratch space are the last ones that were looked at */
			if (candidates[nfit].ndevices == 1)
				candidates[nfit].devices = &ranked[i].device;
			nfit++;
		}
	score_candidates(search, kind, candidates, nfit, scores, parts);
	nfit = 0;
	for (int i = 0; i < count; i++)
		if (ranked[i].reason == FITS)
		{
			ranked[i].score = scores[nfit];
			ranked[i].parts = &parts[nfit++ * nparts];
			if (fleet->devices[ranked[i].device].sparing > 0)
				best_cpu = Max(best_cpu, ranked[i].score);
			else if (accelerator < 0 ||
					 scored_before(search, kind, ranked[i].device, ranked[i].score,
								   ranked[accelerator].device, ranked[accelerator].score))
				accelerator = i;
		}
	for (int i = 0; i < count; i++)
		ranked[i].turn =
			ranked[i].reason == FITS && spares_accelerators(search, kind) ?
				spare_turn(search->settings.spare_accelerators, &fleet->devices[ranked[i].device],
						   ranked[i].score, best_cpu,
						   accelerator < 0 ? -1 :
											 fleet->devices[ranked[accelerator].device].profile) :
				0;
	ranking = search;
	ranked_kind = kind;
	qsort(ranked, count, sizeof(Ranked), compare_ranked);
}

/* Ranks the devices for the only workload, items[0], those that it may have some day. */
int
rank_devices(Search *search, const QueueItem *items, Ranked *ranked)
{
	const Fleet *fleet = search->fleet;
	int count = 0;

	for (int w = 0; w < fleet->nworkers; w++)
		for (int d = fleet->workers[w].first_device;
			 d < fleet->workers[w].first_device + fleet->workers[w].ndevices; d++)
		{
			Ranked *row = &ranked[count];

			CHECK_FOR_INTERRUPTS();
			row->device = d;
			row->reason = look_at_device(search, items, w, d, &row->candidate);
			/* what would never take it is not compatible; what is busy is */
			if (row->reason > FILTERED_NEVER)
				count++;
		}
	rank_fitting(search, &search->kinds[items[0].kind], ranked, count);
	return count;
}
