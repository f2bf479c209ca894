/*
 * horizon.h
 *		How far a batch looks into the queue.
 */
#ifndef HWSCHED_SNAPSHOT_HORIZON_H
#define HWSCHED_SNAPSHOT_HORIZON_H

#include "snapshot/snapshot.h"

/* Which rows of the queue a batch looks at, and what it has found out about the others. */
typedef struct Horizon
{
	int64 most; /* workloads that a batch places */
	bool may_pass; /* what has no room may be passed over for what is behind it */
	int64 depth; /* rows of this look that the one before did not see */
	int64 limit; /* rows of this look, without those that are kept */
	bool cut; /* there may be rows behind those; of each other profile there is one item more */
	int nseen; /* items without these */
	int npassed; /* profiles whose work has no room, which are passed over ... */
	int64 *passed; /* in order */
	int nkept; /* ... but for these rows */
	ItemPointerData *kept;
} Horizon;

extern void horizon_begin(Horizon *horizon, const PoolSnapshot *snapshot, const char *pool,
						  int64 most, bool may_pass);
extern bool horizon_extend(Horizon *horizon, const PoolSnapshot *snapshot, const char *pool,
						   bool read_only);
extern int horizon_last(const Horizon *horizon, const PoolSnapshot *snapshot);
extern void horizon_end(const Horizon *horizon, const char *pool, int64 placed);

#endif /* HWSCHED_SNAPSHOT_HORIZON_H */
