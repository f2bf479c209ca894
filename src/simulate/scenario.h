/*
 * scenario.h
 *		What is simulated: a fleet, work that arrives, settings.
 */
#ifndef HWSCHED_SIMULATE_SCENARIO_H
#define HWSCHED_SIMULATE_SCENARIO_H

#include "snapshot/snapshot.h"

/* How long work takes on devices of a model, as the scenario says. */
typedef struct ModelSeconds
{
	const char *model_name;
	double seconds;
} ModelSeconds;

typedef struct SecondsOn
{
	int count;
	ModelSeconds *models; /* by name */
	double *by_profile; /* of the fleet; NAN: not said */
} SecondsOn;

/* How the seconds of some work on the models of device relate, as near as policies look. */
typedef struct Pace
{
	int32 work; /* in Scenario.works */
	int32 seconds_on; /* in Scenario.seconds: the first such work's */
} Pace;

/* Work that arrives, as far as others are like it. */
typedef struct WorkTemplate
{
	int32 work; /* in Scenario.works */
	int32 model; /* in PoolSnapshot.models; -1: none */
	int32 family;
	int16 priority;
	bool alone;
	bool checkpointable;
	int32 retries;
	double expected_seconds; /* NAN: not said */
	double timeout;
	TimestampTz deadline;
	TimestampTz run_at; /* DT_NOBEGIN: at once */
	KeyDemand keys;
} WorkTemplate;

/* A workload that arrives. */
typedef struct Arrival
{
	const char *workload_id;
	TimestampTz submitted_at;
	int64 submitted; /* microseconds from the beginning */
	int64 at; /* the same: from when on it may be placed */
	int32 template;
	int32 kind; /* in Search.kinds */
	int32 pace; /* in Scenario.paces; -1: none, it is an item */
	int32 item; /* in PoolSnapshot.items: it stands for all whose durations are known alike */
	int32 subject; /* in Search.forecast; -1: none */
	int32 seconds_on; /* in Scenario.seconds; -1: as predicted */
	double expected_seconds; /* NAN: not known */
	double took; /* seconds, in the past; NAN: not known */
	int64 took_profile; /* on a device of that profile_id */
	double slowness; /* seconds there by those predicted; NAN: as chance has it */
} Arrival;

/* A profile and demand of work. */
typedef struct Work
{
	int64 profile_id; /* below 0: it stands in the scenario only */
	WorkloadProfile profile;
	Demand demand;
} Work;

typedef struct Scenario
{
	const char *pool;
	const Caller *caller;
	const char *callers_path; /* search_path */
	PoolSnapshot snapshot; /* the fleet, the kinds of work and what is known of them */
	bool own_work; /* the work that arrives is the pool's own */
	Scope seen; /* whose of that the caller sees */
	bool live; /* it begins with what runs and waits in the pool */
	bool own_fleet; /* it has workers of its own */
	const int32 *entries; /* of those, by worker: which of the scenario's list it is one of */
	TimestampTz begins;
	int64 until; /* microseconds from then; INT64_MAX: to the end */
	uint64 seed;
	double failure_rate; /* of runs; NAN: as learned of the workers */
	double move_cost; /* seconds that a move of running work takes; NAN: none moves */
	int nworks;
	Work *works;
	int ntemplates;
	WorkTemplate *templates;
	int nseconds;
	SecondsOn *seconds;
	int npaces;
	Pace *paces;
	int32 *kind_paces; /* by kind of work; -1: of none in particular */
	int narrivals;
	Arrival *arrivals; /* in the order of submission */
} Scenario;

extern void scenario_read(const Caller *caller, const char *callers_path, Jsonb *document,
						  const char *pool, Scenario *scenario);

#endif /* HWSCHED_SIMULATE_SCENARIO_H */
