/*
 * scaling.h
 *		Scaling advice, and who is told that it has changed.
 */
#ifndef HWSCHED_API_SCALING_H
#define HWSCHED_API_SCALING_H

#include "store/authz.h"
#include "store/settings.h"

extern void scaling_renew(const Caller *caller, const char *pool, const PoolSettings *settings);

#endif /* HWSCHED_API_SCALING_H */
