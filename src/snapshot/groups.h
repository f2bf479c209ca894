/*
 * groups.h
 *		Reads which groups the queue's work is of, and where others of them are.
 */
#ifndef HWSCHED_SNAPSHOT_GROUPS_H
#define HWSCHED_SNAPSHOT_GROUPS_H

#include "snapshot/snapshot.h"

extern void load_groups(PoolSnapshot *snapshot, const char *pool, bool read_only);

#endif /* HWSCHED_SNAPSHOT_GROUPS_H */
