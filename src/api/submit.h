/*
 * submit.h
 *		Workloads as they are submitted and closed.
 */
#ifndef HWSCHED_API_SUBMIT_H
#define HWSCHED_API_SUBMIT_H

#include "postgres.h"

#include "document/inspection.h"
#include "store/authz.h"

extern Datum submit_one(const char *pool, const Scope *scope, Jsonb *requirements);
extern bool requirements_read(Jsonb *requirements, WorkloadProfile *profile, Demand *demand);
extern void inspect_requirements(Jsonb *requirements, const char *pool, Inspection *inspection);

#endif /* HWSCHED_API_SUBMIT_H */
