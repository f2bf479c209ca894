/*
 * checks.h
 *		Every check that keeps a device from taking a workload, with its numbers.
 */
#ifndef HWSCHED_SNAPSHOT_CHECKS_H
#define HWSCHED_SNAPSHOT_CHECKS_H

#include "snapshot/snapshot.h"

/* The workload, and the device of a worker that is asked whether it would take it. */
typedef struct Place
{
	PoolSnapshot *snapshot;
	WorkKind *kind;
	const QueueItem *item;
	int worker; /* in the fleet */
	int device; /* in Fleet.devices */
} Place;

/* A check that a place fails. */
typedef struct Refusal
{
	const struct Check *check;
	FilterReason reason; /* what a decision calls it */
	bool never; /* as the fleet is; else: not now */
	/* in the check's unit; NAN: it has no such number */
	double needed;
	double available;
	double total;
	const char *text; /* NULL: what the numbers say */
	const char *wanted; /* the part of the text that is about the work; NULL: none */
} Refusal;

typedef struct Check
{
	const char *name; /* the key of the requirements, or the setting, that it is about */
	const char *unit; /* of its numbers; NULL: none */
	const char *holder; /* whose the greatest number is: "the largest device" */
	double scale; /* how many of what is counted make one of the unit */
	/* why the decision refuses, for ever or for now */
	FilterReason never;
	FilterReason busy;
	/* Returns whether the place fails; sets what of *refusal it knows, numbers as counted. */
	bool (*fails)(const Place *place, Refusal *refusal);
} Check;

#define MOST_REFUSALS 32

extern int place_refusals(const Place *place, Refusal *refusals);
extern bool refusal_of_reason(const Place *place, FilterReason reason, Refusal *refusal);
extern void load_absences(PoolSnapshot *snapshot, const char *pool);
extern const char *amount_text(double number, const char *unit);
extern const char *refusal_text(const Refusal *refusal);
extern const char *number_text(double number);

#endif /* HWSCHED_SNAPSHOT_CHECKS_H */
