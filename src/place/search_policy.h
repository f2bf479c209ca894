/*
 * search_policy.h
 *		The search for the best candidate under any policy: the weighted sum of
 *		what its algorithms see in each candidate.
 */
#ifndef HWSCHED_PLACE_SEARCH_POLICY_H
#define HWSCHED_PLACE_SEARCH_POLICY_H

#include "place/placement.h"

extern void score_candidates(Search *search, WorkKind *kind, const Candidate *candidates, int count,
							 double *scores, double *parts);
extern bool scored_before(Search *search, WorkKind *kind, int device_a, double score_a,
						  int device_b, double score_b);
extern void policy_search_changed(Search *search, int worker);
extern void policy_search_took_turn(Search *search, int worker);
extern bool policy_search_best(Search *search, WorkKind *kind, Candidate *candidate, double *score);
extern const double *policy_search_scores(Search *search, WorkKind *kind);

#endif /* HWSCHED_PLACE_SEARCH_POLICY_H */
