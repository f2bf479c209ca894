/*
 * submit.h
 *		Submitting a workload.
 */
#ifndef HWSCHED_API_SUBMIT_H
#define HWSCHED_API_SUBMIT_H

#include "postgres.h"

#include "store/authz.h"

extern Datum submit_one(const char *pool, const Scope *scope, Jsonb *requirements);

#endif /* HWSCHED_API_SUBMIT_H */
