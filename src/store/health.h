/*
 * health.h
 *		Whether workers can be relied on.
 */
#ifndef HWSCHED_STORE_HEALTH_H
#define HWSCHED_STORE_HEALTH_H

#include "store/assignment.h"
#include "store/settings.h"

extern void health_failed(const char *pool, const PoolSettings *settings,
						  const EndedAssignment *ended, int count);
extern void health_succeeded(const char *pool, const EndedAssignment *ended, int count);
extern bool health_is_offline(const char *pool, const char *worker_id);
extern void health_returned(const char *pool, const PoolSettings *settings, const char *worker_id);
extern bool health_any_silent(const char *pool, const PoolSettings *settings);
extern int health_silent(const char *pool, const PoolSettings *settings, int64 *quota, bool *more,
						 const char ***worker_ids);
extern int64 health_try_again(const char *pool);

#endif /* HWSCHED_STORE_HEALTH_H */
