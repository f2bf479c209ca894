/*
 * scaling.h
 *		Which workers a fleet lacks, and which it could spare.
 */
#ifndef HWSCHED_SIMULATE_SCALING_H
#define HWSCHED_SIMULATE_SCALING_H

#include "simulate/scenario.h"

/* What to do with workers of some capabilities. */
typedef struct Advice
{
	Jsonb *capabilities; /* NULL: there are none that would help */
	int64 change; /* so many more of them; below 0: less */
	const char *why;
	double cost_per_hour; /* of the change; NAN: not known */
	double wait_after; /* seconds; NAN: not known */
} Advice;

extern Advice *scaling_advice(const Caller *caller, const char *callers_path, Jsonb *document,
							  const char *pool, int *count);

#endif /* HWSCHED_SIMULATE_SCALING_H */
