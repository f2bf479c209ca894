/*
 * placement.h
 *		Which device runs what: the decision, on a snapshot of the fleet and the
 *		queue in memory.  Pure; it reads no table and writes none.
 */
#ifndef HWSCHED_PLACE_PLACEMENT_H
#define HWSCHED_PLACE_PLACEMENT_H

#include "model/forecast.h"
#include "place/policy.h"

/*
 * Why a worker or device does not take a workload: the first check, in this
 * order, that fails.  What is furthest down the list is closest to fitting.
 */
typedef enum FilterReason
{
	/* never, as the fleet is; the last of these is FILTERED_NEVER */
	FILTERED_NO_WORKER,
	FILTERED_LABELS,
	FILTERED_TAINTS,
	FILTERED_ACCELERATORS,
	FILTERED_BACKEND,
	FILTERED_MODEL,
	FILTERED_PRECISION,
	FILTERED_FEATURE,
	FILTERED_UNITS,
	FILTERED_MEMORY,
	FILTERED_CLASS,
	FILTERED_SOFTWARE,
	FILTERED_CPU_CORES,
	FILTERED_HOST_MEMORY,
	FILTERED_ALIKE,
	FILTERED_WORKERS,
	/* not now */
	FILTERED_HEALTH,
	FILTERED_DRAINING,
	FILTERED_DEVICE_HEALTH,
	FILTERED_DEVICE_DRAINING,
	FILTERED_RESERVED,
	FILTERED_ALONE,
	FILTERED_EXCLUSIVE,
	FILTERED_LOAD,
	FILTERED_CONCURRENT,
	FILTERED_CPU_BUSY,
	FILTERED_HOST_MEMORY_BUSY,
	FILTERED_DEVICE_BUSY,
	FILTERED_SLOTS_BUSY,
	FILTERED_DEVICE_MEMORY_BUSY,
	FILTERED_SCORE,
	FILTERED_GROUP, /* the reason of an item; its kind fits */
	FITS,
	/* of what fits: no search says so, but who explains */
	FILTERED_WINDOW,
	FILTERED_PAUSED,
	FILTERED_QUOTA
} FilterReason;

#define FILTERED_NEVER FILTERED_WORKERS

/* Whether accelerators are kept for the work that asks for them: see place/spare.h. */
typedef enum SpareMode
{
	SPARE_NOTHING, /* the score alone decides */
	SPARE_ACCELERATORS,
	SPARE_STRICTLY
} SpareMode;

/* The settings of a pool that decide placements. */
typedef struct PlacementSettings
{
	double preference_weight;
	double min_score;
	double max_load;
	int32 max_concurrent; /* of each device */
	SpareMode spare_accelerators;
	bool one_by_one; /* in the order of the queue, not many at once */
	Size solver_memory; /* bytes that the optimal solver may take for one flow */
	double energy_price_per_kwh; /* NAN: not known */
	double carbon_g_per_kwh; /* NAN: not known */
} PlacementSettings;

typedef struct Device
{
	int32 device_no;
	const char *device_id; /* NULL: none */
	int32 profile; /* index in Fleet.profiles */
	int64 memory_bytes; /* of its own, or -1 */
	bool uses_host_memory;
	bool draining;
	bool quarantined;
	bool on_probation; /* it takes one workload at a time */
	bool avoided; /* by the item that is being decided: it is none for that */
	int32 selection; /* the conditions it meets: in Fleet.selections; 0: all there are */
	int32 sparing; /* 0: an accelerator; a CPU: 1 beside accelerators, 2 where there are none */
	/* state */
	double load; /* 0..1, as reported */
	double effective_load; /* with its thermal phase */
	bool warming;
	bool cooling;
	double performance_level;
	double temperature;
	double throttles_at; /* share of its power range from which it would; INFINITY: never */
	/* what live assignments hold */
	int32 slots;
	int32 share; /* millionths; WHOLE_SHARE: exclusively */
	int64 memory_used;
} Device;

typedef struct Worker
{
	const char *worker_id;
	bool accepting;
	bool unhealthy; /* the reason if it is not */
	int64 cpu_millicores;
	int64 memory_bytes;
	int32 max_concurrent; /* of the worker; 0: no limit */
	int32 software; /* index in Fleet.software */
	int32 first_device; /* index in Fleet.devices */
	int32 ndevices;
	/* what live assignments hold */
	int32 assignments;
	int64 cpu_used;
	int64 memory_used; /* also by devices that use the host's memory */
	int64 total_assignments; /* ever */
	int64 last_turn; /* grows with each assignment; 0: never had one */
	double cost_per_hour; /* 0: not known */
	bool reported; /* has said how loaded it is */
	bool reserved; /* for work that waits: see place/reservation.h */
	bool cordoned; /* gets nothing for now, whatever it has free */
	double window_in; /* seconds until its maintenance window begins; INFINITY: none */
	bool runs_alone; /* what it has is to be the only thing that it has */
} Worker;

/*
 * Workers in the order of their ids, devices in the order of workers and
 * device_no.
 */
typedef struct Fleet
{
	int nprofiles;
	DeviceProfile *profiles;
	int nsoftware;
	NamedTexts *software;
	int nworkers;
	Worker *workers;
	int ndevices;
	Device *devices;
	int selection_words; /* of each selection */
	const uint64 *selections; /* a bit for each condition of the kinds of work */
} Fleet;

/*
 * All workloads that share a profile and a demand, and whatever else their
 * policy looks at.
 */
typedef struct WorkKind
{
	int64 profile_id;
	WorkloadProfile profile;
	Demand demand;
	const Policy *policy;
	int32 tenant; /* in Search.tenants; -1: nobody counts it */
	bool barred; /* none of it is placed, for now */
	int nrequired; /* conditions on labels, in Fleet.selections */
	int32 *required;
	int npreferred;
	int32 *preferred;
	int32 tolerates; /* the same for its tolerations; -1: nothing is tainted */
	int nspread; /* values of the label that it is spread over */
	const int32 *spread; /* by device: which one it has, -1: none; NULL: it is not spread */
	int32 priority; /* with USES_PRIORITY */
	double expected_seconds; /* with USES_EXPECTED; NAN: not known */
	int32 model; /* with USES_MODEL: in Search.model_workers; -1: none */
	int32 family; /* the same */
	int32 subject; /* with USES_MODEL: in Search.forecast; -1: none */
	const double *preference; /* by worker; NULL: neutral for all */
	const Performance *performance; /* by worker; NULL: nothing known */
	struct KindState *state; /* the search's own */
} WorkKind;

/* A kind of work as fragmentation sees it: how much of all work is like this. */
typedef struct Shape
{
	WorkKind kind;
	double frequency; /* 0..1 */
} Shape;

/* What is left of a concurrency key; INT32_MAX: there is no limit. */
typedef struct KeyRoom
{
	int32 units; /* that live work may take */
	int32 placements; /* in this minute */
} KeyRoom;

/* What a workload takes of a concurrency key. */
typedef struct KeyUnits
{
	int32 key; /* in Search.key_rooms */
	int32 units;
} KeyUnits;

/* The concurrency keys of a workload. */
typedef struct KeyDemand
{
	int32 count; /* 0: none */
	const KeyUnits *items;
} KeyDemand;

/* A workload of the queue, and what was decided for it. */
typedef struct QueueItem
{
	int32 kind;
	int32 priority; /* with ageing */
	KeyDemand keys;
	double expected_seconds; /* NAN: not known */
	bool overdue; /* it has waited for so long that it comes first, whatever the order */
	double served; /* with ORDER_LEAST_SERVED: seconds that it has run */
	double done; /* with ORDER_SHORTEST: the part of it that is done, 0..1 */
	int32 subject; /* in Search.forecast; -1: none */
	bool alone; /* on a worker that has nothing else, before and while */
	bool grouped; /* looks at where others of its group are */
	int32 group; /* in Search.groups; 0: none */
	bool held_back; /* it is not its turn: no plan of the optimal solver has it */
	int32 navoided; /* workers on which it failed, where others could run it; with windows */
	const int32 *avoided;
	int32 navoided_devices; /* devices on which it failed, where only others could run it */
	const int32 *avoided_devices; /* in Fleet.devices */
	int32 first_placement; /* in Search.placements */
	int32 nplacements; /* 0: it waits; more than 1: a gang */
} QueueItem;

/* What a part of a policy gave a candidate. */
typedef struct PartScore
{
	float value; /* in the part's own unit; NAN: a rank, which has none */
	float score; /* 0..1 among all candidates */
} PartScore;

/* How a policy scored the candidate that it chose, and the best of the others. */
typedef struct Scored
{
	int32 parts; /* in Search.part_scores: of the one, then of the other; -1: not known */
	int32 second_worker; /* -1: no other was scored */
	int32 second_device; /* the first, if it takes several */
	double second_score;
} Scored;

#define NOT_SCORED ((Scored){-1, -1, -1, 0})

/* One worker's part of a decision: an assignment to be. */
typedef struct Placement
{
	int32 item;
	int32 shard_no;
	int32 worker;
	int32 first_device; /* in Search.chosen */
	int32 ndevices;
	double efficiency; /* raw, clamped to 0..1; mean over the devices */
	double adjusted_efficiency;
	double score;
	double value; /* as of candidates */
	Scored scored;
	double predicted_seconds;
	double p90_seconds; /* nine in ten such runs are over by then */
	double formula_seconds; /* base_seconds(): what it takes is learned relative to them */
	bool backfill; /* it uses a place that is reserved for later */
} Placement;

/* How one worker would take a workload. */
typedef struct Candidate
{
	int32 worker;
	double raw_efficiency; /* means over the devices */
	double adjusted_efficiency;
	double value; /* what ranks: adjusted, with the preferences */
	int sparing; /* as its device's, where that counts; see place/spare.h */
	int32 ndevices;
	int32 *devices; /* indices in Fleet.devices */
} Candidate;

/* Where work of a group is, or was placed. */
typedef struct GroupMember
{
	int32 worker;
	int32 device; /* the first of its devices */
} GroupMember;

typedef struct WorkGroup
{
	int count;
	int allocated;
	GroupMember *members;
} WorkGroup;

/* What comes first within a priority. */
typedef enum QueueOrder
{
	ORDER_SUBMISSION,
	ORDER_SHORTEST,
	ORDER_LEAST_SERVED
} QueueOrder;

/* Who work is run for: what it may hold, and does. */
typedef struct Tenant
{
	const char *name;
	double weight;
	/* at most; INFINITY: no limit */
	double most_accelerators;
	double most_cores;
	double most_workloads;
	/* what live work holds, and what was decided in this search */
	double accelerators;
	double cores;
	double memory; /* bytes */
	double workloads;
	double past; /* mean dominant share of the past */
} Tenant;

typedef struct Search
{
	Fleet *fleet;
	int nkinds;
	WorkKind *kinds;
	PlacementSettings settings;
	/* what policies look at, if any of them does */
	int nshapes;
	Shape *shapes;
	int32 *model_workers; /* where each model, or family, ran last; -1: nowhere */
	Forecast *forecast; /* of durations; NULL: nothing was learned */
	QueueOrder order;
	bool fair_share; /* the tenant is next that uses least for its weight */
	int ntenants;
	Tenant *tenants;
	Tenant whole; /* what healthy workers have: of which tenants have shares */
	int nkeys;
	KeyRoom *key_rooms;
	int ngroups;
	WorkGroup *groups; /* by group of the items, from 1 */
	int32 claimant; /* 1 + the only worker that gets anything; 0: all do */
	int64 last_turn; /* the greatest that any worker has */
	double (*score_function)(struct Search *search, WorkKind *kind, const Candidate *candidate,
							 int function);
	void *score_context; /* its own */
	/* called when a priority is decided, before what is less important is; or NULL */
	void (*band_decided)(struct Search *search, QueueItem *items, int first, int last);
	void *band_context; /* its own */
	/* decisions, and their device indices one behind the other */
	int nplacements;
	int placements_allocated;
	Placement *placements;
	int nchosen;
	int chosen_allocated;
	int32 *chosen;
	bool partial; /* the fleet is only a part of it: gangs are for who sees all */
	bool refills; /* workers lose what they have between decisions: see simulate/ */
	/* places kept for the first work that has to wait: see place/reservation.h */
	bool reserves; /* whether any such work gets a reservation */
	int32 most_reservations; /* 0: one, for gangs and what runs alone only */
	int nreservations;
	int reservations_allocated;
	struct Reservation *reservations;
	int npromises;
	const struct Promise *promises;
	/* what runs, read when it is first needed */
	bool running_known;
	const bool *told; /* by worker: of whom it is known; NULL: of all */
	int nrunning;
	struct Running *running;
	void (*read_running)(struct Search *search);
	/* instead, with refills: what runs on one worker; returns how many, in any order */
	int (*running_of)(struct Search *search, int worker, struct Running **running);
	void *running_context; /* its own */
	int64 clock; /* with refills: microseconds, by which the ends of what runs are told */
	bool solver_gave_up; /* for want of memory */
	/* what decisions looked at, for who asks later */
	bool keeps_scores;
	bool keeps_second; /* of the best of the others, too */
	Scored scored; /* of the candidate that was found last */
	int npart_scores;
	int part_scores_allocated;
	PartScore *part_scores;
	/* how many scores were computed, for tests: pairs of profiles, and candidates */
	int64 pairs_scored;
	int64 candidates_scored;
	int64 steps; /* of the search for hardware, through its trees */
	struct SearchState *state;
} Search;

#endif /* HWSCHED_PLACE_PLACEMENT_H */
