/*
 * search.h
 *		What the modules of the decision share; nobody else needs it.
 */
#ifndef HWSCHED_PLACE_SEARCH_H
#define HWSCHED_PLACE_SEARCH_H

#include "place/placement.h"

/* What is known of a kind of work on a device profile. */
typedef struct ProfilePair
{
	bool known;
	Mismatch mismatch;
	double raw_efficiency;
} ProfilePair;

/* A candidate, or several, of a kind of work: see place/search_hardware.c. */
typedef enum EntryType
{
	ENTRY_HARDWARE, /* a group of workers, not yet looked into */
	ENTRY_LANE,
	ENTRY_WORKER
} EntryType;

typedef struct Entry
{
	double value; /* at most this; of a lane, exactly */
	EntryType type;
	int sparing; /* as of candidates */
	int32 index; /* of the group, lane or worker */
	int32 assignments; /* of a worker */
	int64 total_assignments;
} Entry;

/* Where a worker with one of its lanes stands: see less_used(). */
typedef struct Usage
{
	int32 assignments;
	int32 worker;
	int64 total_assignments;
	int32 lane;
} Usage;

/* The lanes that are worth the same to a kind of work. */
typedef struct Band
{
	double value;
	int sparing;
	struct UsageTree *tree;
	/* those before this have no place for the kind, unless something is given back */
	bool passed;
	Usage from;
	int64 given_back; /* as it was in the tree */
} Band;

typedef struct KindState
{
	ProfilePair *pairs; /* by device profile */
	bool prepared;
	bool mixed; /* its candidates are workers, not lanes */
	bool never_starts; /* no worker could take it if it were empty */
	struct Outlook *outlook; /* by worker, with refills: see place/reservation.c */
	int found_no_place; /* among so many reservations, even if it were over in time */
	int nentries;
	int allocated;
	Entry *entries; /* a heap, best first */
	int nbands;
	int bands_allocated;
	Band *bands; /* those that may have room, best first */
	struct Ranking *ranking; /* see place/search_policy.c; NULL: not ranked so far */
} KindState;

typedef struct SearchState
{
	/* what was learned, by workload type: arrays by worker */
	int npreferences;
	const double **preferences;
	/* workers with the same hardware; ideal members stand behind the workers */
	int nhardware;
	int *hardware_start; /* in groups; nhardware + 1 of them */
	/* of those, workers in the same state */
	int ngroups;
	int *group_start; /* in members; ngroups + 1 of them */
	int32 *members; /* workers, by hardware, group and index */
	/* alike devices of a group's workers */
	int nlanes;
	struct Lane *lanes;
	int *lane_start; /* by group, in lanes; ngroups + 1 of them */
	int32 *positions; /* of devices in their worker, by lane */
	/* trees over the workers of lanes that are worth the same to somebody */
	int nbuckets;
	struct LaneSet **buckets;
	struct UsageNode **nodes; /* by worker: its places in those trees */
	bool has_lanes;
	/* for place/search_policy.c */
	uint32 *versions; /* by worker: changes whenever what it has free does */
	bool has_rankings;
	const bool *masked; /* by device: out of question for now; NULL: none is */
	int32 *device_workers; /* by device */
	int64 nchanges; /* workers that got something, lost it or were cordoned */
	int32 *changes; /* the last of them, as many as there are workers: a ring */
	int32 *next_turn; /* by worker: a list, longest ago first */
	int32 *previous_turn;
	int32 first_turn;
	int32 latest_turn;
	double *totals; /* by device */
	double *fragments; /* by worker: its fragmentation; NAN: look again */
	double *unfilled; /* the same for filling */
	bool *shape_matches; /* by shape and device profile */
	Size ranking_bytes;
	int64 clock; /* counts uses of rankings */
	int32 *scratch; /* device indices, as many as any worker has */
	double *scratch_values;
	FilterReason *scratch_reasons;
	int32 *scratch_profiles;
	bool *scratch_draws;
} SearchState;

/* Returns whether a comes before b among equal values: the less used worker. */
static inline bool
less_used(int32 assignments_a, int64 total_a, int32 worker_a, int32 assignments_b, int64 total_b,
		  int32 worker_b)
{
	if (assignments_a != assignments_b)
		return assignments_a < assignments_b;
	if (total_a != total_b)
		return total_a < total_b;
	return worker_a < worker_b;
}

/* Returns room for the scores of so many parts of a policy, and sets *first to where it is. */
static inline PartScore *
add_part_scores(Search *search, int count, int32 *first)
{
	while (search->npart_scores + count > search->part_scores_allocated)
	{
		search->part_scores_allocated = Max(256, search->part_scores_allocated * 2);
		search->part_scores = search->part_scores == NULL ?
								  palloc_huge(sizeof(PartScore) * search->part_scores_allocated) :
								  repalloc_huge(search->part_scores,
												sizeof(PartScore) * search->part_scores_allocated);
	}
	*first = search->npart_scores;
	search->npart_scores += count;
	return &search->part_scores[*first];
}

#endif /* HWSCHED_PLACE_SEARCH_H */
