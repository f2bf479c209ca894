/*
 * claim.h
 *		What workers do with what they are to run: for who claims in a larger call.
 */
#ifndef HWSCHED_API_CLAIM_H
#define HWSCHED_API_CLAIM_H

#include "fmgr.h"

#include "store/settings.h"

extern int most_assignments_argument(FunctionCallInfo fcinfo, int number);
extern void claim_work(FunctionCallInfo fcinfo, const char *pool, const char *worker_id, int n,
					   PoolSettings *settings, bool may_steal, bool has_completed);

#endif /* HWSCHED_API_CLAIM_H */
