/*
 * wakeup.h
 *		The dispatcher of each database, and what wakes it.
 */
#ifndef HWSCHED_STORE_WAKEUP_H
#define HWSCHED_STORE_WAKEUP_H

#include "support/compat.h"

/* --- those who change something --- */

extern void wake_for_work(const char *pool);
extern void wake_for_room(const char *pool);
extern void wake_for_pools(void);
extern void wake_launcher(void);

/* --- the dispatcher of a database --- */

/* Pools by the hash of their names, and a bit for the list of pools. */
#define POOL_BITS 512
#define POOL_WORDS (POOL_BITS / 64)

typedef struct PoolSet
{
	uint64 words[POOL_WORDS];
} PoolSet;

extern int pool_bit(const char *pool);
extern bool pool_set_has(const PoolSet *set, int bit);

/* The bit that stands for the list of pools itself. */
#define LIST_OF_POOLS 0

extern bool dispatcher_enter(Oid database);
extern void dispatcher_ready(void);
extern void dispatcher_take(PoolSet *changed);
extern void dispatcher_waits(int bit, bool waits);
extern void dispatcher_forget_own(void);

/* --- those who start and stop dispatchers --- */

extern bool dispatchers_attach(void);
extern void dispatchers_init(void);
extern int dispatcher_pid(Oid database, bool *ready);
extern void dispatcher_allow(Oid database, bool allowed);
extern bool dispatcher_is_allowed(Oid database);
extern bool dispatcher_end(Oid database);

extern void launcher_enter(void);
extern bool launcher_is_wanted(bool *died);

#endif /* HWSCHED_STORE_WAKEUP_H */
