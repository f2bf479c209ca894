/*
 * cancel.h
 *		How workloads are cancelled, and what that means for those that depend on them.
 */
#ifndef HWSCHED_STORE_CANCEL_H
#define HWSCHED_STORE_CANCEL_H

extern int cancel_workloads(const char *pool, const char *const *workload_ids, int count,
							const char *reason);
extern void dependencies_failed(const char *pool, const char *const *workload_ids, int count);

#endif /* HWSCHED_STORE_CANCEL_H */
