/*
 * network_simplex.h
 *		The best batch: kinds of work over lanes of alike devices, so that the
 *		most work is placed and, of all ways to do that, the total score is the
 *		greatest.  Pure.
 */
#ifndef HWSCHED_PLACE_NETWORK_SIMPLEX_H
#define HWSCHED_PLACE_NETWORK_SIMPLEX_H

#include "support/standalone.h"

/* The capacity of what has no limit of its own. */
#define TRANSPORT_UNLIMITED INT64_MAX

/*
 * What is to be placed where.  All arrays are the caller's, and only read.
 * Numbers of units are not negative; the sum of the supplies fits an int64.
 */
typedef struct TransportProblem
{
	int32 nkinds;
	int32 nlanes;
	int32 ngroups;
	const int64 *supply; /* [nkinds] units of the kind that wait */
	const int64 *capacity; /* [nlanes] units the lane takes */
	const int32 *group; /* [nlanes] the lane's group; NULL: no groups */
	const int64 *group_capacity; /* [ngroups] units its lanes take together */
	/* [nkinds * nlanes], a kind's lanes side by side; >= 0, finite; NAN: not compatible */
	const double *score;
} TransportProblem;

typedef struct TransportFlow
{
	int32 kind;
	int32 lane;
	int64 amount; /* units, > 0 */
} TransportFlow;

typedef struct TransportPlan
{
	int64 placed; /* sum of the amounts */
	double score; /* sum of amount * score */
	int32 nflows; /* < nkinds + nlanes */
	TransportFlow *flows; /* by kind, then lane */
	/* how much work it was, for tests */
	int64 pivots;
	int64 arcs_seen;
} TransportPlan;

extern size_t network_simplex_memory(int32 nkinds, int32 nlanes, int32 ngroups);
extern void network_simplex_solve(const TransportProblem *problem, TransportPlan *plan);

#endif /* HWSCHED_PLACE_NETWORK_SIMPLEX_H */
