/*
 * capacity.h
 *		What becomes of work where there is less room than it was given.
 */
#ifndef HWSCHED_API_CAPACITY_H
#define HWSCHED_API_CAPACITY_H

#include "postgres.h"

extern void requeue_exceeding(const char *pool, const char *worker_id, const char *reason);

#endif /* HWSCHED_API_CAPACITY_H */
