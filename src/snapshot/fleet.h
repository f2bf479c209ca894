/*
 * fleet.h
 *		Reads the fleet into memory, with what decisions on it need.
 */
#ifndef HWSCHED_SNAPSHOT_FLEET_H
#define HWSCHED_SNAPSHOT_FLEET_H

#include "snapshot/snapshot.h"
#include "store/assignment.h"

extern void snapshot_begin(PoolSnapshot *snapshot, const PoolSettings *settings);
extern void snapshot_settings(PoolSnapshot *snapshot, const char *pool, bool read_only);
extern void fleet_give_back(Fleet *fleet, const EndedAssignment *holds, int times);
extern void snapshot_workers(PoolSnapshot *snapshot, const char *pool,
							 const char *const *worker_ids, int count, bool read_only);
extern void snapshot_worker(PoolSnapshot *snapshot, const char *pool, const char *worker_id,
							bool read_only);
extern void snapshot_fleet_alone(PoolSnapshot *snapshot, const char *pool, bool read_only);
extern void snapshot_knowledge(PoolSnapshot *snapshot, const char *pool, const char *only_worker,
							   bool read_only);
extern void snapshot_fleet(PoolSnapshot *snapshot, const char *pool, const char *only_worker,
						   bool read_only);

#endif /* HWSCHED_SNAPSHOT_FLEET_H */
