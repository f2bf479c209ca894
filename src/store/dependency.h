/*
 * dependency.h
 *		Workloads that wait for others to complete.
 */
#ifndef HWSCHED_STORE_DEPENDENCY_H
#define HWSCHED_STORE_DEPENDENCY_H

#include "nodes/pg_list.h"
#include "utils/hsearch.h"

#include "store/authz.h"

/* What the workloads of one call depend on, in the order of the call. */
typedef struct Dependencies
{
	int count;
	int allocated;
	int32 *waiting; /* the workload that waits, by its place in the call */
	const char **depends_on;
	List *failed; /* of ids: those that are dead or cancelled */
} Dependencies;

/* As they are submitted: noted, checked, written; the pool is locked. */
extern void dependencies_note(Dependencies *dependencies, int waiting, const char *depends_on);
extern void dependencies_resolve(Dependencies *dependencies, const char *pool, const Scope *scope,
								 HTAB *workload_ids, int count, const bool *goes_on, bool in_array);
extern void dependencies_write(const Dependencies *dependencies, const char *pool,
							   const Datum *workload_ids);

/* As workloads end; the pool is locked. */
extern void dependencies_met(const char *pool, const char *const *workload_ids, int count);
extern void dependencies_dropped(const char *pool, const char *const *workload_ids, int count);
extern void dependencies_forget(const char *pool, const char *const *workload_ids, int count);

#endif /* HWSCHED_STORE_DEPENDENCY_H */
