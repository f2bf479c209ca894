/*
 * worker.h
 *		Workers as they register and report.
 */
#ifndef HWSCHED_API_WORKER_H
#define HWSCHED_API_WORKER_H

#include "postgres.h"

#include "support/subtransaction.h"

extern void worker_back(const char *pool, const char *worker_id);
extern void pool_lock_beside(const char *pool, Work await, Trial try_lock, void *argument);
extern void pool_and_worker_lock(const char *pool, const char *worker_id);

#endif /* HWSCHED_API_WORKER_H */
