/*
 * workload.h
 *		Workloads in their table: the state of one.
 */
#ifndef HWSCHED_STORE_WORKLOAD_H
#define HWSCHED_STORE_WORKLOAD_H

#include "support/compat.h"

extern char *workload_state(const char *pool, const char *workload_id, bool read_only);
pg_noreturn extern void workload_not_in_state(const char *pool, const char *workload_id,
											  const char *action, const char *needed);

#endif /* HWSCHED_STORE_WORKLOAD_H */
