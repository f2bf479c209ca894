/*
 * retry.h
 *		What the next attempt does differently.
 */
#ifndef HWSCHED_RETRY_H
#define HWSCHED_RETRY_H

#include "statement.h"

extern void queue_attempts(const char *pool, int count, Parameter workload_ids, Parameter runs, Parameter attempts,
						   bool failed);

#endif							/* HWSCHED_RETRY_H */
