/*
 * pool.h
 *		Pools: their settings and their lock.
 */
#ifndef HWSCHED_STORE_POOL_H
#define HWSCHED_STORE_POOL_H

#include "store/authz.h"
#include "document/document.h"
#include "model/energy.h"
#include "place/placement.h"

/* The settings of a pool; hwsched.setting has their defaults and meaning. */
typedef struct PoolSettings
{
	NamedNumbers policy;
	NamedTables policies;
	EnergyWeights objective;
	const char *solver;
	double		preference_alpha;
	double		preference_weight;
	double		preference_half_life;	/* seconds */
	bool		learning;		/* from outcomes and reports, and using it */
	double		min_score;
	double		max_load;
	int32		max_concurrent;
	double		lease;			/* seconds, as the other durations */
	double		warming;
	double		cooling;
	double		offline_after;
	double		retry_backoff;
	int32		quarantine_after;
	double		ageing;			/* priority steps for an hour of waiting */
	bool		preemption;
	bool		notify;
	double		energy_price_per_kwh;	/* NAN: not known */
	double		carbon_g_per_kwh;	/* NAN: not known */
	const char *vega_url;		/* NULL: none */
	struct
	{
		double		history;
		double		hourly;
	}			retention;
} PoolSettings;

/*
 * The lock of a pool, held until the end of the transaction.  Whoever reserves
 * or gives back capacity, or changes the queue other than by adding to it, holds
 * it alone (pool_lock), and so does who submits what depends on others; taking
 * it settles what has been completed.  Whoever else
 * writes only keeps the pool from being dropped (pool_keep, pool_check).
 * Different pools never meet.
 */
extern void pool_lock(const char *pool);
extern bool pool_try_lock(const char *pool);

extern void pool_keep(const char *pool);
extern void unknown_pool(const char *pool) pg_attribute_noreturn();
extern void pool_check(const char *pool, bool read_only);
extern void pool_settings_load(const char *pool, bool read_only, PoolSettings *settings);
extern void settings_change(const Caller *caller, const char *pool, Jsonb *changes);
extern void settings_forget(void);
extern bool solver_is_optimal(const PoolSettings *settings);
extern void placement_settings(const PoolSettings *settings, PlacementSettings *placement);

#endif							/* HWSCHED_STORE_POOL_H */
