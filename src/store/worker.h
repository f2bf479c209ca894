/*
 * worker.h
 *		Workers in their table: whether one is there, its lock, its signs of life.
 */
#ifndef HWSCHED_STORE_WORKER_H
#define HWSCHED_STORE_WORKER_H

#include "support/compat.h"

pg_noreturn extern void unknown_worker(const char *pool, const char *worker_id);
extern void worker_check(const char *pool, const char *worker_id);
extern void worker_lock(const char *pool, const char *worker_id);
extern void worker_seen(const char *pool, const char *worker_id);

#endif /* HWSCHED_STORE_WORKER_H */
