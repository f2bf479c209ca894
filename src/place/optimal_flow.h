/*
 * optimal_flow.h
 *		The exact part of the optimal batch: work that takes one slot of a
 *		device, or one whole device, as a transportation problem between kinds
 *		of work and lanes of alike devices (place/network_simplex.c), and the decisions of
 *		its solution.
 */
#ifndef HWSCHED_PLACE_OPTIMAL_FLOW_H
#define HWSCHED_PLACE_OPTIMAL_FLOW_H

#include "place/placement.h"

extern bool place_flow(Search *search, QueueItem *items, int first, int last, Occupancy occupancy);

#endif /* HWSCHED_PLACE_OPTIMAL_FLOW_H */
