/*
 * requeue.h
 *		What the next attempt does differently.
 */
#ifndef HWSCHED_STORE_REQUEUE_H
#define HWSCHED_STORE_REQUEUE_H

#include "store/settings.h"
#include "support/spi_plan.h"

extern void queue_attempts(const char *pool, int count, Parameter workload_ids, Parameter runs,
						   Parameter attempts, bool failed);
extern double most_backoff(const PoolSettings *settings);

#endif /* HWSCHED_STORE_REQUEUE_H */
