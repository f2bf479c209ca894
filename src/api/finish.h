/*
 * finish.h
 *		How work ends: for who completes some of it and does more in one call.
 */
#ifndef HWSCHED_API_FINISH_H
#define HWSCHED_API_FINISH_H

#include "utils/array.h"
#include "utils/jsonb.h"

extern int64 *distinct_bigints(ArrayType *array, int *count);
extern int complete_running(const char *pool, const char *worker_id, const int64 *ids, int count,
							Jsonb *results);

extern int64 cancel_open(const char *pool, const char *const *workload_ids, int count);
extern int64 revive_workloads(const char *pool, const char *const *workload_ids, int count);

#endif /* HWSCHED_API_FINISH_H */
