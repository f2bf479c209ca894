/*
 * threshold_search.h
 *		The best place for one workload, without reading the whole fleet.
 */
#ifndef HWSCHED_SNAPSHOT_THRESHOLD_SEARCH_H
#define HWSCHED_SNAPSHOT_THRESHOLD_SEARCH_H

#include "snapshot/snapshot.h"

extern bool seek_fleet(PoolSnapshot *snapshot, const char *pool);

#endif /* HWSCHED_SNAPSHOT_THRESHOLD_SEARCH_H */
