/*
 * settings.h
 *		The settings of pools: their document, and a session's copy of those in
 *		force.
 */
#ifndef HWSCHED_STORE_SETTINGS_H
#define HWSCHED_STORE_SETTINGS_H

#include "utils/jsonb.h"

#include "document/document.h"
#include "document/inspection.h"
#include "place/placement.h"
#include "store/authz.h"

/* What a tenant may hold at once; INFINITY: no limit. */
typedef struct TenantQuota
{
	double accelerators;
	double cpu_cores;
	double workloads;
} TenantQuota;

typedef struct TenantSettings
{
	double weight;
	TenantQuota quota;
} TenantSettings;

/* The settings of a pool; hwsched_internal.setting has their defaults and meaning. */
typedef struct PoolSettings
{
	NamedNumbers policy;
	NamedTables policies;
	EnergyWeights objective;
	const char *solver;
	double preference_alpha;
	double preference_weight;
	double preference_half_life; /* seconds */
	bool learning; /* from outcomes and reports, and using it */
	double min_score;
	double max_load;
	int32 max_concurrent;
	NamedTables limits; /* of concurrency keys: concurrent, per_minute */
	double lease; /* seconds, as the other durations */
	double warming;
	double cooling;
	double offline_after;
	double load_ttl;
	double start_timeout;
	double retry_backoff;
	int32 quarantine_after;
	double ageing; /* priority steps for an hour of waiting */
	bool preemption;
	bool paused; /* nothing is placed or started */
	const char *order; /* submission, shortest or least_served */
	double order_wait; /* seconds */
	DocumentMap tenants; /* of TenantSettings */
	double fair_share; /* half-life in seconds; 0: it is off */
	int32 reservations; /* of work that waits; 0: of the first gang only */
	const char *spare_accelerators; /* true, false or strict */
	bool notify;
	const char *decision_detail; /* what is kept of a decision: none, winner or second */
	int32 batch_window; /* workloads that a batch decides at most */
	int32 maintain_batch; /* assignments that a call of maintain() takes back at most */
	double energy_price_per_kwh; /* NAN: not known */
	double carbon_g_per_kwh; /* NAN: not known */
	const char *vega_url; /* NULL: none */
	double wait_target; /* seconds that scaling advice lets work wait */
	double stop_idle_after; /* seconds without work after which it may advise to stop a worker */
	double scaling_every; /* seconds after which maintain() seeks it anew; 0: never */
	const char *unknown_keys; /* of documents: refuse, warn or keep */
} PoolSettings;

extern void pool_settings_load(const char *pool, bool read_only, PoolSettings *settings);
extern int64 settings_change(const Caller *caller, const char *pool, Jsonb *changes,
							 const char *reason);
extern Jsonb *settings_changes_back(const char *pool, int64 version);
extern void settings_tried(const Caller *caller, const char *pool, Jsonb *changes, const char *path,
						   PoolSettings *settings);
extern UnknownKeys unknown_keys_of(const PoolSettings *settings);
extern void settings_forget(void);
extern bool solver_is_optimal(const PoolSettings *settings);
extern void placement_settings(const PoolSettings *settings, PlacementSettings *placement);

#endif /* HWSCHED_STORE_SETTINGS_H */
