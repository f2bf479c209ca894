/*
 * assign.h
 *		Deciding and writing the decision down.
 */
#ifndef HWSCHED_API_ASSIGN_H
#define HWSCHED_API_ASSIGN_H

#include "snapshot/snapshot.h"

extern void check_keys(const PoolSnapshot *snapshot, const char *pool);
extern int64 write_decisions(PoolSnapshot *snapshot, const char *pool, bool returning);
extern void notify_assigned(const PoolSettings *settings, const char *pool);

#endif /* HWSCHED_API_ASSIGN_H */
