/*
 * given_fleet.h
 *		Fleets that scenarios describe.
 */
#ifndef HWSCHED_SIMULATE_GIVEN_FLEET_H
#define HWSCHED_SIMULATE_GIVEN_FLEET_H

#include "snapshot/snapshot.h"

extern const int32 *read_given_fleet(PoolSnapshot *snapshot, const char *pool, Jsonb *list);
extern void empty_fleet(PoolSnapshot *snapshot);

#endif /* HWSCHED_SIMULATE_GIVEN_FLEET_H */
