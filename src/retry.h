/*
 * retry.h
 *		What the next attempt does differently.
 */
#ifndef HWSCHED_RETRY_H
#define HWSCHED_RETRY_H

#include "pool.h"
#include "statement.h"

extern void queue_attempts(const char *pool, int count, Parameter workload_ids, Parameter runs, Parameter attempts,
						   bool failed);
extern double most_backoff(const PoolSettings *settings);

#endif							/* HWSCHED_RETRY_H */
