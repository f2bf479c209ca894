/*
 * pool_activity.h
 *		When each pool was last assigned and maintained, and what went wrong.
 */
#ifndef HWSCHED_STORE_POOL_ACTIVITY_H
#define HWSCHED_STORE_POOL_ACTIVITY_H

#include "support/compat.h"

extern void activity_assigned(const char *pool);
extern void activity_maintained(const char *pool, const char *error);

#endif /* HWSCHED_STORE_POOL_ACTIVITY_H */
