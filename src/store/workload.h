/*
 * workload.h
 *		Workloads in their table: the state of one, and who may know of it.
 */
#ifndef HWSCHED_STORE_WORKLOAD_H
#define HWSCHED_STORE_WORKLOAD_H

#include "store/authz.h"
#include "support/compat.h"

/* The retries that a row s of hwsched.submission asked for, as SQL; if it did not, the fallback. */
#define RETRIES_ASKED(s, fallback) \
	"coalesce(nullif(" s ".requirements -> 'retries', 'null')::int, " fallback ")"

extern char *workload_state(const char *pool, const char *workload_id, bool read_only);
extern void workload_check_scope(const Scope *scope, const char *pool, const char *workload_id);
extern void workload_check_seen(const Caller *caller, const char *pool, const char *workload_id);
extern void workload_check_acts(const Caller *caller, const char *pool, const char *workload_id);
pg_noreturn extern void workload_not_in_state(const char *pool, const char *workload_id,
											  const char *action, const char *needed);

#endif /* HWSCHED_STORE_WORKLOAD_H */
