/*
 * policy_context.h
 *		What policies look at beside workers and their state.
 */
#ifndef HWSCHED_SNAPSHOT_POLICY_CONTEXT_H
#define HWSCHED_SNAPSHOT_POLICY_CONTEXT_H

#include "snapshot/snapshot.h"

extern void set_shapes(Search *search, Shape *work, int n);
extern void load_context(PoolSnapshot *snapshot, const char *pool, bool read_only);
extern void write_models(const PoolSnapshot *snapshot, const char *pool);

#endif /* HWSCHED_SNAPSHOT_POLICY_CONTEXT_H */
