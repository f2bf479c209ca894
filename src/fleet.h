/*
 * fleet.h
 *		Pictures of the tables in memory, for decisions to be made on.
 */
#ifndef HWSCHED_FLEET_H
#define HWSCHED_FLEET_H

#include "placement.h"
#include "pool.h"
#include "storage/itemptr.h"

/* A row of the queue, beside its QueueItem. */
typedef struct QueueRow
{
	ItemPointerData tid;
	int16		priority;
	int32		run;
	int32		attempt;
	double		expected_seconds;
	Datum		workload_id;	/* text */
} QueueRow;

/* A pool as it stands, ready to decide on. */
typedef struct Picture
{
	PoolSettings settings;
	Fleet		fleet;
	int64	   *device_profile_ids; /* as fleet.profiles */
	Search		search;
	int			nitems;
	QueueItem  *items;
	QueueRow   *rows;			/* as items */
} Picture;

extern void picture_settings(Picture *picture, const char *pool, bool read_only);
extern void picture_queue(Picture *picture, const char *pool, int64 limit, bool read_only);
extern bool picture_queued(Picture *picture, const char *pool, const char *workload_id, bool read_only);
extern void picture_kinds(Picture *picture, const char *pool, bool read_only);
extern void picture_kind(Picture *picture, const char *pool, int64 profile_id, bool read_only);
extern void picture_fleet(Picture *picture, const char *pool, const char *only_worker, bool read_only);

#endif							/* HWSCHED_FLEET_H */
