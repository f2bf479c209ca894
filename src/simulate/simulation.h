/*
 * simulation.h
 *		What becomes of a scenario.
 */
#ifndef HWSCHED_SIMULATE_SIMULATION_H
#define HWSCHED_SIMULATE_SIMULATION_H

#include "simulate/scenario.h"

/* A run, or that there was none. */
typedef struct SimulatedRun
{
	int32 arrival; /* in Scenario.arrivals */
	int32 worker; /* -1: it was never placed */
	int32 ndevices;
	const int32 *devices; /* in Fleet.devices */
	int64 started; /* microseconds from the beginning */
	int64 finished; /* INT64_MAX: it runs when the simulation ends */
	double joules; /* until then */
	double cost;
	bool is_last; /* the workload has completed with it */
	bool moved; /* it goes on elsewhere */
} SimulatedRun;

typedef void (*RunReader)(void *reader, const SimulatedRun *run);

extern void simulate(Scenario *scenario, RunReader read, void *reader);

#endif /* HWSCHED_SIMULATE_SIMULATION_H */
