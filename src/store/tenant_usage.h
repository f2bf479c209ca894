/*
 * tenant_usage.h
 *		What the work of tenants holds, and held.
 */
#ifndef HWSCHED_STORE_TENANT_USAGE_H
#define HWSCHED_STORE_TENANT_USAGE_H

#include "postgres.h"

/* Amounts of what tenants share. */
typedef struct TenantAmount
{
	double accelerators;
	double cores;
	double memory; /* bytes, of workers */
} TenantAmount;

typedef struct TenantUse
{
	const char *name; /* '': nobody's in particular */
	TenantAmount held; /* by live assignments */
	int64 workloads;
	TenantAmount past; /* in the mean of the past; zeros without fair shares */
} TenantUse;

extern int tenant_usage_read(const char *pool, double half_life, bool read_only, TenantUse **uses);
extern TenantAmount tenant_usage_whole(const char *pool, bool read_only);
extern void tenant_usage_ended(const char *pool, const int64 *assignment_ids, int count);

#endif /* HWSCHED_STORE_TENANT_USAGE_H */
