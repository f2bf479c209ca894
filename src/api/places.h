/*
 * places.h
 *		The places that work might have, in the order in which a decision takes them.
 */
#ifndef HWSCHED_API_PLACES_H
#define HWSCHED_API_PLACES_H

#include "place/placement.h"

/* A device and how it would take the work; of several devices, the first of them. */
typedef struct Ranked
{
	Candidate candidate;
	FilterReason reason;
	int device;
	double score; /* of those that fit */
	int turn; /* of those that fit, before their score counts: see place/spare.h */
	double *parts; /* by algorithm of the policy */
} Ranked;

extern int rank_devices(Search *search, const QueueItem *items, Ranked *ranked);
extern void rank_fitting(Search *search, WorkKind *kind, Ranked *ranked, int count);

#endif /* HWSCHED_API_PLACES_H */
