/*
 * what_if.h
 *		Whether a workload would be placed if something were otherwise: the decision itself,
 *		on a changed copy of what was read.
 */
#ifndef HWSCHED_SNAPSHOT_WHAT_IF_H
#define HWSCHED_SNAPSHOT_WHAT_IF_H

#include "snapshot/snapshot.h"
#include "store/assignment.h"

/* A live assignment that might be over. */
typedef struct LiveAssignment
{
	EndedAssignment holds;
	int32 members; /* live assignments of its workload; more than 1: a gang */
	double ends_in; /* seconds from now, as predicted (P90); not below 0 */
	const char *tenant; /* NULL: nobody's in particular */
	bool alone; /* runs on a worker that has nothing else */
	bool of_group; /* of the group of the workload that waits */
	bool of_parent; /* the workload depends on it */
	int32 key; /* in Search.key_rooms, which it holds; -1: none that counts */
	int32 key_units;
} LiveAssignment;

/* The pool settings that keep work from a place. */
typedef struct SettingsIf
{
	double max_load; /* NAN, and 0 below: as it is */
	double min_score;
	int32 max_concurrent;
	bool resumed; /* the pool is not paused any more */
	bool more_units; /* of concurrency keys as many as it takes */
	bool more_quota; /* the tenant may have what it takes */
} SettingsIf;

/* What would be otherwise; what is NULL or 0 is as it is. */
typedef struct WhatIf
{
	const WorkloadProfile *profile; /* with demand */
	const Demand *demand;
	bool without_keys; /* it has no concurrency keys */
	SettingsIf settings;
	int nended;
	const LiveAssignment *const *ended;
	Jsonb *capabilities; /* of one more worker */
} WhatIf;

/* Where it would be placed. */
typedef struct WouldBe
{
	int nworkers;
	int32 workers[16]; /* the first of them, in the fleet */
	const char *worker_id; /* of the first */
} WouldBe;

extern WhatIf nothing_else(void);
extern bool would_place(PoolSnapshot *snapshot, const char *pool, const WhatIf *change,
						WouldBe *where);

#endif /* HWSCHED_SNAPSHOT_WHAT_IF_H */
