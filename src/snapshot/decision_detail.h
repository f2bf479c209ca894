/*
 * decision_detail.h
 *		What is kept of a decision with its assignment: how the policy scored the place that
 *		was chosen, and the best of the others.
 */
#ifndef HWSCHED_SNAPSHOT_DECISION_DETAIL_H
#define HWSCHED_SNAPSHOT_DECISION_DETAIL_H

#include "snapshot/snapshot.h"

/* What a part of a policy gave a place. */
typedef struct Factor
{
	Algorithm algorithm;
	Oid function; /* of ALGORITHM_FUNCTION */
	double weight;
	double score;
	double value; /* in the part's own unit; NAN: not known */
} Factor;

/* A decision as it was. */
typedef struct DecisionDetail
{
	int nfactors;
	Factor *chosen;
	Factor *second; /* NULL: no other place was scored */
	double second_score;
	const char *second_worker;
	int second_ndevices;
	int32 *second_device_nos;
} DecisionDetail;

extern Datum decision_detail_write(const PoolSnapshot *snapshot, const Placement *placement,
								   bool with_second);
extern DecisionDetail decision_detail_read(bytea *stored);
extern const char *factor_name(const Factor *factor);
extern const char *factor_text(const Factor *factor);

#endif /* HWSCHED_SNAPSHOT_DECISION_DETAIL_H */
