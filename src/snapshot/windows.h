/*
 * windows.h
 *		Maintenance windows of workers: what would reach into one is not placed there.
 */
#ifndef HWSCHED_SNAPSHOT_WINDOWS_H
#define HWSCHED_SNAPSHOT_WINDOWS_H

#include "snapshot/snapshot.h"

extern bool has_windows(const char *pool, bool read_only);
extern void consider_windows(PoolSnapshot *snapshot);

#endif /* HWSCHED_SNAPSHOT_WINDOWS_H */
