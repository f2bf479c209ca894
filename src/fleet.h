/*
 * fleet.h
 *		Pictures of the tables in memory, for decisions to be made on.
 */
#ifndef HWSCHED_FLEET_H
#define HWSCHED_FLEET_H

#include "definitions.h"
#include "document.h"
#include "placement.h"
#include "policies.h"
#include "pool.h"
#include "storage/itemptr.h"

/* A row of the queue, beside its QueueItem. */
typedef struct QueueRow
{
	ItemPointerData tid;
	TimestampTz deadline;
	int64		queue_no;
	Datum		workload_id;	/* a text */
	int32		run;
	int32		attempt;
	int32		model;			/* in Picture.models; -1: none */
	int32		family;			/* the same */
} QueueRow;

/* A model, or a family of models, that work of the queue runs. */
typedef struct Model
{
	const char *name;
	bool		is_family;
} Model;

/* A pool as it stands, ready to decide on. */
typedef struct Picture
{
	PoolSettings settings;
	Policies	policies;
	Fleet		fleet;
	int64	   *device_profile_ids; /* as fleet.profiles */
	Search		search;
	int			nitems;
	QueueItem  *items;
	QueueRow   *rows;			/* as items */
	int			nmodels;
	Model	   *models;			/* as search.model_workers */
} Picture;

/*
 * What load and temperature leave of the efficiency of a worker's devices,
 * 0..1: the most of any CPU, and of any other device; NAN: there is none.
 */
typedef struct Readiness
{
	double		cpu;
	double		accelerator;
	int64		state_hash;		/* of load and temperature of all devices */
} Readiness;

extern Readiness readiness_stored(const char *pool, const char *worker_id);
extern Readiness readiness_reported(const Hardware *hardware, const LoadReport *load);

/* queue.c */
extern void picture_queue(Picture *picture, const char *pool, int64 limit, bool read_only);
extern bool picture_queued(Picture *picture, const char *pool, const char *workload_id, bool read_only);
extern void picture_submitted(Picture *picture, const char *pool, const char *workload_id, bool read_only);
extern void picture_profiles(Picture *picture, const char *pool, const int64 *profile_ids, int count, bool read_only);

/* fleet.c */
extern void picture_settings(Picture *picture, const char *pool, bool read_only);
extern int	fleet_worker(const Fleet *fleet, const char *worker_id);
extern void picture_workers(Picture *picture, const char *pool, const char *const *worker_ids, int count, bool read_only);
extern void picture_fleet(Picture *picture, const char *pool, const char *only_worker, bool read_only);

#endif							/* HWSCHED_FLEET_H */
