/*
 * settle.h
 *		What assignments that have ended leave to be done.
 */
#ifndef HWSCHED_API_SETTLE_H
#define HWSCHED_API_SETTLE_H

#include "store/assignment.h"

/* Assignments, in the order in which they were settled. */
typedef struct EndedList
{
	int count;
	EndedAssignment *items;
} EndedList;

/* What somebody who holds a pool's lock has settled, and is to learn from. */
typedef struct Settled
{
	EndedList completed;
	EndedList failed;
} Settled;

extern void settle(const char *pool, Settled *settled);
extern void learn_settled(const char *pool, const Settled *settled);

/*
 * The lock of a pool, held until the end of the transaction.  Whoever reserves
 * or gives back capacity, or changes the queue other than by adding to it, holds
 * it alone (pool_lock), and so does who submits what depends on others; taking
 * it settles what has been completed.  Whoever else
 * writes only keeps the pool from being dropped (pool_keep, pool_check).
 * Different pools never meet.
 */
extern void pool_lock(const char *pool);
extern void pool_settle_if_free(const char *pool);
extern void pool_lock_to_decide(const char *pool, Settled *settled);
extern bool pool_try_lock_to_decide(const char *pool, Settled *settled);

#endif /* HWSCHED_API_SETTLE_H */
