/*
 * submit.h
 *		Workloads as they are submitted and closed.
 */
#ifndef HWSCHED_API_SUBMIT_H
#define HWSCHED_API_SUBMIT_H

#include "postgres.h"

extern char *workload_state(const char *pool, const char *workload_id, bool read_only);
extern void workload_not_in_state(const char *pool, const char *workload_id,
								  const char *action, const char *needed) pg_attribute_noreturn();

#endif							/* HWSCHED_API_SUBMIT_H */
