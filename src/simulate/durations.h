/*
 * durations.h
 *		What decisions know of the durations of a scenario's work, and how long it takes.
 */
#ifndef HWSCHED_SIMULATE_DURATIONS_H
#define HWSCHED_SIMULATE_DURATIONS_H

#include "simulate/scenario.h"

extern void know_durations(Scenario *scenario);
extern double run_seconds(const Scenario *scenario, int32 number, const Candidate *place,
						  double predicted, double p90, int attempt);
extern double chance(uint64 seed, int32 arrival, int attempt, int purpose);

#endif /* HWSCHED_SIMULATE_DURATIONS_H */
