/*
 * pool.h
 *		Pools: whether one is there, and its lock.
 */
#ifndef HWSCHED_STORE_POOL_H
#define HWSCHED_STORE_POOL_H

#include "storage/lockdefs.h"

#include "support/compat.h"

extern bool pool_acquire(const char *pool, LOCKMODE mode, bool dont_wait);
extern bool pool_begin_batch(const char *pool);
extern void pool_keep(const char *pool);
pg_noreturn extern void unknown_pool(const char *pool);
extern void pool_check(const char *pool, bool read_only);

#endif /* HWSCHED_STORE_POOL_H */
