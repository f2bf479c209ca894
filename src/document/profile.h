/*
 * profile.h
 *		The types everything else speaks of: what a kind of work asks for and
 *		what a kind of hardware offers.
 *
 * Names (classes, backends, features ...) are lower-case strings, not numbers:
 * the pure functions then need no catalogue, and a score is computed once per
 * pair of profiles, so comparing strings costs nothing that matters.
 *
 * Absent means: NULL for a text, NAN for a metric, 0 for a count or a size, an
 * empty set for names.
 */
#ifndef HWSCHED_DOCUMENT_PROFILE_H
#define HWSCHED_DOCUMENT_PROFILE_H

#include "support/standalone.h"

#define BYTES_PER_GB ((double) (INT64_C(1) << 30))

/*
 * An inferred workload profile always asks for this many compute units.  It is
 * a default and not a wish, so it never excludes a worker's own CPU.
 */
#define INFERRED_COMPUTE_UNITS 2

/* A whole accelerator, in the unit in which shares of one are kept. */
#define WHOLE_SHARE 1000000

/* A set of names, sorted by strcmp, without duplicates. */
typedef struct NameSet
{
	int count;
	const char **names;
} NameSet;

/* The guide's metrics, 0..1 or NAN.  The order is that of metric_names. */
typedef struct Metrics
{
	double compute_intensity;
	double memory_intensity;
	double io_intensity;
	double network_intensity;
	double model_size;
	double batch_size;
	double latency_sensitivity;
	double throughput_sensitivity;
	double parallelism;
	double temperature;
	double energy_sensitivity;
} Metrics;

typedef struct WorkloadProfile
{
	const char *workload_type;
	NameSet required_backends; /* backends or hardware classes */
	NameSet preferred_backends;
	NameSet required_precisions;
	NameSet required_features;
	NameSet required_models; /* model names as given: any of them */
	int64 min_memory_bytes;
	int32 min_compute_units;
	Metrics metrics;
	const char *preferred_hardware_class;
	const char *preferred_architecture;
	NameSet preferred_vendors;
	double estimated_duration_seconds;
	int32 priority;
	bool is_shardable;
	int32 min_shards;
	int32 max_shards;
	const char *allocation_strategy;
} WorkloadProfile;

/* Operations a second by kind of operation, as a device profile lists them. */
typedef struct NamedNumber
{
	const char *name;
	double value;
} NamedNumber;

typedef struct NamedNumbers
{
	int count;
	NamedNumber *items;
} NamedNumbers;

/* Tables of numbers by name: {"vision": {"packing": 1}}. */
typedef struct NamedTable
{
	const char *name;
	NamedNumbers numbers;
} NamedTable;

typedef struct NamedTables
{
	int count;
	NamedTable *items;
} NamedTables;

typedef struct DeviceProfile
{
	const char *hardware_class;
	const char *architecture;
	const char *vendor;
	const char *model_name;
	NameSet supported_backends;
	NameSet supported_precisions;
	NameSet features;
	int64 memory_total_bytes;
	int64 memory_available_bytes;
	double memory_bandwidth_gbps;
	bool memory_is_shared;
	const char *memory_type;
	int32 memory_hierarchy_levels;
	bool memory_has_unified;
	int32 compute_units;
	int32 clock_speed_mhz;
	double thermal_design_power_w;
	double idle_power_w;
	bool power_is_gradual; /* an accelerator draws by its load, not all as soon as it has any */
	int32 sockets; /* of a CPU, each of which is awake or not; 0: one */
	double idle_celsius;
	double throttle_celsius;
	NamedNumbers performance_profile;
} DeviceProfile;

/* A named text, such as a software version: {"python", "3.11.7"}. */
typedef struct NamedText
{
	const char *name;
	const char *value;
} NamedText;

typedef struct NamedTexts
{
	int count;
	NamedText *items;
} NamedTexts;

/* A text, as a label has it or a condition compares with. */
typedef struct LabelValue
{
	const char *text;
	double number; /* the same, where it was given as a number; else NAN */
} LabelValue;

typedef struct LabelValues
{
	int count;
	LabelValue *items;
} LabelValues;

/* What workers and devices can be selected by: {"zone": "eu", "tags": ["a", "b"]}. */
typedef struct Label
{
	const char *name;
	LabelValues values;
} Label;

typedef struct Labels
{
	int count;
	Label *items;
} Labels;

/* What a label, or a version, has to be like. */
typedef struct Condition
{
	const char *name;
	LabelValues any; /* one of them; none: any value */
	LabelValues none; /* none of them */
	LabelValue least; /* NULL: no bound */
	LabelValue most;
	int32 exists; /* 1: it has to, 0: it must not, -1: not said */
} Condition;

typedef struct Conditions
{
	int count;
	Condition *items;
} Conditions;

/*
 * What a workload takes from its worker beside a place on a device.
 *
 * accelerators counts whole accelerators by type (a hardware class or a
 * backend).  With share > 0 the workload takes that share of ONE accelerator
 * instead, of the type in accelerators[0] if there is one.
 *
 * Several accelerators are of one device profile, if only one type is asked for
 * and mixed_accelerators does not say otherwise.
 *
 * quorum and share_worker are of work that takes several workers at once.
 */
typedef struct Demand
{
	int64 cpu_millicores;
	int64 host_memory_bytes;
	int32 share; /* millionths of one accelerator */
	NamedNumbers accelerators; /* whole numbers */
	Conditions software; /* on the versions installed */
	int32 quorum; /* replicas that have to complete; 0: not replicated */
	bool share_worker; /* shards may share one worker */
	bool mixed_accelerators; /* of one type, they may be of several device profiles */
	const char *tenant; /* on whose account; NULL: nobody's in particular */
	const char *avoid_class; /* a hardware class that was too slow for it; NULL: none */
	Conditions required_labels; /* of its devices */
	Conditions preferred_labels;
	NameSet tolerations; /* of taints of its workers */
	bool exclusive; /* its worker has nothing else, before and while */
	bool group_apart; /* on no worker that has one of its group */
	const char *spread_by; /* the label over whose values a group, or gang, is spread; NULL: none */
	bool checkpointable; /* it may be stopped while it runs, and goes on elsewhere */
} Demand;

/* How a workload occupies the devices it is given. */
typedef enum Occupancy
{
	OCCUPY_SLOT, /* one of the device's max_concurrent places */
	OCCUPY_SHARE, /* a share of one accelerator */
	OCCUPY_WHOLE /* whole accelerators */
} Occupancy;

static inline Occupancy
demand_occupancy(const Demand *demand)
{
	if (demand->share > 0)
		return OCCUPY_SHARE;
	return demand->accelerators.count > 0 ? OCCUPY_WHOLE : OCCUPY_SLOT;
}

/*
 * Returns the slots that a workload takes of each of its devices, and below the
 * share of each in millionths.  What ends is given back by the columns
 * device_slots and device_share of hwsched.workload_profile, which say the same.
 */
static inline int32
demanded_slots(const Demand *demand)
{
	return demand_occupancy(demand) == OCCUPY_SLOT ? 1 : 0;
}

static inline int32
demanded_share(const Demand *demand)
{
	switch (demand_occupancy(demand))
	{
		case OCCUPY_SLOT:
			break;
		case OCCUPY_SHARE:
			return demand->share;
		case OCCUPY_WHOLE:
			return WHOLE_SHARE;
	}
	return 0;
}

/* Whether a workload is one piece, or a gang placed on several workers at once. */
typedef enum Strategy
{
	STRATEGY_SINGLE,
	STRATEGY_SHARDED, /* each runs a part; all of them complete */
	STRATEGY_REPLICATED /* each runs the whole; a quorum completes */
} Strategy;

/* Returns the strategy in force: what is not shardable is not sharded. */
static inline Strategy
profile_strategy(const WorkloadProfile *profile)
{
	if (profile->allocation_strategy == NULL)
		return STRATEGY_SINGLE;
	if (strcmp(profile->allocation_strategy, "replicated") == 0)
		return STRATEGY_REPLICATED;
	return profile->is_shardable && strcmp(profile->allocation_strategy, "sharded") == 0 ?
			   STRATEGY_SHARDED :
			   STRATEGY_SINGLE;
}

/* Returns the least number of shards or replicas that a placement may have. */
static inline int32
gang_least(const WorkloadProfile *profile, const Demand *demand)
{
	switch (profile_strategy(profile))
	{
		case STRATEGY_SHARDED:
			return Max(1, profile->min_shards);
		case STRATEGY_REPLICATED:
			return Max(Max(2, profile->min_shards), demand->quorum);
		case STRATEGY_SINGLE:
			break;
	}
	return 1;
}

/* Returns the greatest number of them. */
static inline int32
gang_most(const WorkloadProfile *profile, const Demand *demand)
{
	int32 least = gang_least(profile, demand);

	return profile_strategy(profile) == STRATEGY_SINGLE ? 1 : Max(least, profile->max_shards);
}

/* Returns whether a set holds a name. */
static inline bool
names_contain(const NameSet *set, const char *name)
{
	if (name != NULL)
		for (int i = 0; i < set->count; i++)
			if (strcmp(set->names[i], name) == 0)
				return true;
	return false;
}

/*
 * Returns an ASCII letter in lower case, any other byte as it is: no locale changes what is
 * equal.
 */
static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* Returns whether a set of texts holds one, whatever the case of ASCII letters. */
static inline bool
texts_contain(const NameSet *set, const char *text)
{
	if (text != NULL)
		for (int i = 0; i < set->count; i++)
		{
			const char *a = set->names[i];
			const char *b = text;

			while (*a != '\0' && ascii_lower(*a) == ascii_lower(*b))
			{
				a++;
				b++;
			}
			if (*a == '\0' && *b == '\0')
				return true;
		}
	return false;
}

/* Returns whether two texts are both given and equal. */
static inline bool
same_name(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

#endif /* HWSCHED_DOCUMENT_PROFILE_H */
