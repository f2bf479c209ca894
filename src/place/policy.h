/*
 * policy.h
 *		Policies: which algorithms rank the candidates of a workload, and how
 *		much each of them counts.
 */
#ifndef HWSCHED_PLACE_POLICY_H
#define HWSCHED_PLACE_POLICY_H

#include "model/energy.h"
#include "model/score.h"

/* The order is that of algorithm_traits in place/policy.c. */
typedef enum Algorithm
{
	ALGORITHM_HARDWARE_AWARE,
	ALGORITHM_PRIORITY,
	ALGORITHM_ROUND_ROBIN,
	ALGORITHM_WEIGHTED_ROUND_ROBIN,
	ALGORITHM_PERFORMANCE,
	ALGORITHM_AFFINITY,
	ALGORITHM_PACKING,
	ALGORITHM_FRAGMENTATION,
	ALGORITHM_FILLING,
	ALGORITHM_ENERGY,
	ALGORITHM_COST,
	ALGORITHM_PREDICTED_TIME,
	ALGORITHM_OBJECTIVE, /* the pool's trade of the three before: see policy_in_force */
	ALGORITHM_FUNCTION /* a user's own */
} Algorithm;

/* How the value of one candidate becomes its score 0..1 among the others. */
typedef enum Scale
{
	SCALE_NONE, /* the value is the score */
	SCALE_GREATEST, /* divided by the greatest value */
	SCALE_LEAST /* the least value divided by it */
} Scale;

/* What an algorithm looks at beside the kind of work and the device's state. */
#define USES_PRIORITY 1 /* the workload's priority */
#define USES_EXPECTED 2 /* the duration its submitter expects */
#define USES_PERFORMANCE 4 /* how the worker did on such work */
#define USES_MODEL 8 /* where the model ran last, or how long it took */
#define USES_TURN 16 /* when the worker last got something */
#define USES_SHAPES 32 /* what the pool's work looks like */
#define USES_COST 64 /* the worker's price */

typedef struct AlgorithmTraits
{
	const char *name;
	Scale scale;
	int uses;
	bool fixed; /* stays as it is until the worker gets something to do */
	bool first_worker; /* equal scores go to the lowest worker_id at once */
} AlgorithmTraits;

typedef struct PolicyPart
{
	Algorithm algorithm;
	double weight; /* above 0 */
	int32 function; /* of ALGORITHM_FUNCTION: as score_function numbers them */
} PolicyPart;

typedef struct Policy
{
	int nparts; /* at least 1 */
	PolicyPart *parts;
} Policy;

/* How a worker did on a type of work. */
typedef struct Performance
{
	int64 successes;
	int64 failures;
	double mean_seconds; /* of the successes */
} Performance;

extern const AlgorithmTraits algorithm_traits[];
extern const int algorithm_count; /* of those with a name */

struct Search;
struct WorkKind;
struct Candidate;

extern bool policy_is_hardware_aware(const Policy *policy);
extern int policy_uses(const Policy *policy);
extern bool policy_takes_first_worker(const Policy *policy);
extern bool policy_has(const Policy *policy, Algorithm algorithm);
extern const Policy *policy_in_force(const Policy *stated, EnergyWeights objective,
									 double energy_sensitivity);
extern double part_value(struct Search *search, struct WorkKind *kind, const PolicyPart *part,
						 const struct Candidate *candidate);
extern double part_score(const PolicyPart *part, double value, double extreme);
extern double time_score(double mean_seconds, double expected_seconds);
extern double performance_score(const Performance *performance, double expected_seconds,
								bool reported, double effective_load);
extern double priority_score(int priority, const Performance *performance, double expected_seconds,
							 bool reported, double effective_load);

extern double candidate_p90(const struct Search *search, const struct Candidate *candidate,
							double seconds, int subject);
extern double candidate_seconds(const struct Search *search, const struct WorkKind *kind,
								const struct Candidate *candidate, double expected_seconds,
								int subject);
extern double candidate_base_seconds(const struct Search *search, const struct WorkKind *kind,
									 const struct Candidate *candidate, double expected_seconds);
extern EnergyUse candidate_use(const struct Search *search, const struct WorkKind *kind,
							   const struct Candidate *candidate, double expected_seconds,
							   int subject);
extern EnergyUse device_use(const struct Search *search, const struct WorkKind *kind, int worker,
							int device, double expected_seconds, int subject);
extern double candidate_load(const struct Search *search, const struct Candidate *candidate);

#endif /* HWSCHED_PLACE_POLICY_H */
