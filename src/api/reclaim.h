/*
 * reclaim.h
 *		Takes work back whose lease or time has run out, and that of silent workers.
 */
#ifndef HWSCHED_API_RECLAIM_H
#define HWSCHED_API_RECLAIM_H

#include "store/settings.h"

/*
 * What one call may still take back, so that it fits statement_timeout and
 * memory however much is lost at once; the next one goes on.
 */
typedef struct Quota
{
	int64 left;
	bool more; /* something is left for the next call */
} Quota;

extern int64 reclaim_lost_leases(const char *pool, const PoolSettings *settings, Quota *quota);
extern int64 reclaim_timed_out(const char *pool, const PoolSettings *settings, Quota *quota);
extern int64 reclaim_unstarted(const char *pool, const PoolSettings *settings, Quota *quota);
extern int64 reclaim_from_silent(const char *pool, const PoolSettings *settings, Quota *quota);

#endif /* HWSCHED_API_RECLAIM_H */
