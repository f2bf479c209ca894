/*
 * queue.h
 *		Reads the queue into memory: items in its order, and the kinds of work
 *		they are of.
 */
#ifndef HWSCHED_SNAPSHOT_QUEUE_H
#define HWSCHED_SNAPSHOT_QUEUE_H

#include "snapshot/horizon.h"
#include "snapshot/snapshot.h"

extern void snapshot_queue(PoolSnapshot *snapshot, const char *pool, Horizon *horizon,
						   bool read_only);
extern void snapshot_queue_of(PoolSnapshot *snapshot, const char *pool, const int64 *profile_ids,
							  int count, int64 limit, bool read_only);
extern int queue_profiles(const char *pool, bool read_only, int64 **profile_ids);
extern bool snapshot_queued(PoolSnapshot *snapshot, const char *pool, const char *workload_id,
							bool read_only);
extern void snapshot_submitted(PoolSnapshot *snapshot, const char *pool, const char *workload_id,
							   bool read_only);
extern void snapshot_profiles(PoolSnapshot *snapshot, const char *pool, const int64 *profile_ids,
							  int count, bool read_only);

#endif /* HWSCHED_SNAPSHOT_QUEUE_H */
