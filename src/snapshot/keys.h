/*
 * keys.h
 *		The concurrency keys of the queue: what their limits leave.
 */
#ifndef HWSCHED_SNAPSHOT_KEYS_H
#define HWSCHED_SNAPSHOT_KEYS_H

#include "snapshot/snapshot.h"

extern void keys_begin(PoolSnapshot *snapshot);
extern void keys_load(PoolSnapshot *snapshot, const char *pool, const char *workload_id,
					  bool read_only);
extern KeyDemand key_demand_now(PoolSnapshot *snapshot, const char *pool, Datum keys, Datum units,
								bool read_only);
extern int32 key_named(const PoolSnapshot *snapshot, const char *name);
extern KeyDemand key_demand(PoolSnapshot *snapshot, Datum keys, Datum units);
extern void keys_check_latest(const PoolSnapshot *snapshot, const char *pool);
extern void keys_hold(const PoolSnapshot *snapshot, const char *pool);

#endif /* HWSCHED_SNAPSHOT_KEYS_H */
