/*
 * greedy.h
 *		Which device runs what: the decision, in memory, one workload of the
 *		queue after the other.
 */
#ifndef HWSCHED_PLACE_GREEDY_H
#define HWSCHED_PLACE_GREEDY_H

#include "place/placement.h"

extern void search_prepare(Search *search);
extern void search_begin(Search *search);
extern void search_place(Search *search, QueueItem *items, int nitems, int most);
extern int band_end(const Search *search, const QueueItem *items, int nitems, int first);
extern bool find_place(Search *search, WorkKind *kind, Candidate *candidate, double *score);
extern void place_item(Search *search, QueueItem *items, int index);

#endif /* HWSCHED_PLACE_GREEDY_H */
