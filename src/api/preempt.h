/*
 * preempt.h
 *		Lower priorities that give way.
 */
#ifndef HWSCHED_API_PREEMPT_H
#define HWSCHED_API_PREEMPT_H

#include "api/settle.h"
#include "snapshot/snapshot.h"

/* The work that gives way in one decision. */
typedef struct Preemption
{
	PoolSnapshot *snapshot;
	const char *pool;
	bool read_only;
	int nlive; /* -1: not read so far */
	struct Victim *live;
	int tried; /* workloads that have looked for a place that way */
} Preemption;

extern void preempt_begin(Preemption *preemption, PoolSnapshot *snapshot, const char *pool,
						  bool read_only);
extern int preempt_victims(const Preemption *preemption, int64 **victims);
extern void evict(const char *pool, const int64 *victims, int count, Settled *settled);

#endif /* HWSCHED_API_PREEMPT_H */
