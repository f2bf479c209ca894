/*
 * optimal.h
 *		The optimal batch: in each priority band the most workloads, and of all
 *		ways to place so many the one with the greatest total score.
 */
#ifndef HWSCHED_PLACE_OPTIMAL_H
#define HWSCHED_PLACE_OPTIMAL_H

#include "place/placement.h"

extern void search_solve(Search *search, QueueItem *items, int nitems);

#endif /* HWSCHED_PLACE_OPTIMAL_H */
