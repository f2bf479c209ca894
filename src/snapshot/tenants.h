/*
 * tenants.h
 *		What decisions look at of tenants, and of the order of work.
 */
#ifndef HWSCHED_SNAPSHOT_TENANTS_H
#define HWSCHED_SNAPSHOT_TENANTS_H

#include "snapshot/snapshot.h"

extern void load_tenants(PoolSnapshot *snapshot, const char *pool, bool read_only);
extern void check_tenants(const PoolSnapshot *snapshot, const char *pool);
extern void load_order(PoolSnapshot *snapshot, const char *pool, bool read_only);

#endif /* HWSCHED_SNAPSHOT_TENANTS_H */
