/*
 * explain.h
 *		What the answers about candidates share.
 */
#ifndef HWSCHED_API_EXPLAIN_H
#define HWSCHED_API_EXPLAIN_H

#include "snapshot/snapshot.h"

extern const char *filter_reason_text(FilterReason reason);
extern void snapshot_candidates(PoolSnapshot *snapshot, const char *pool, const char *workload_id);

#endif /* HWSCHED_API_EXPLAIN_H */
