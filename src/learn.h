/*
 * learn.h
 *		What outcomes teach.
 */
#ifndef HWSCHED_LEARN_H
#define HWSCHED_LEARN_H

#include "outcome.h"
#include "pool.h"

extern void learn_preferences(const char *pool, const PoolSettings *settings,
							  const EndedAssignment *ended, int count, bool succeeded);

#endif							/* HWSCHED_LEARN_H */
