/*
 * preempt.h
 *		Lower priorities that give way.
 */
#ifndef HWSCHED_API_PREEMPT_H
#define HWSCHED_API_PREEMPT_H

#include "api/settle.h"
#include "snapshot/snapshot.h"

extern int preempt(PoolSnapshot *snapshot, const char *pool, bool read_only, int64 **victims);
extern void evict(const char *pool, const int64 *victims, int count, Settled *settled);

#endif /* HWSCHED_API_PREEMPT_H */
