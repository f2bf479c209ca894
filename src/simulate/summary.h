/*
 * summary.h
 *		What a simulation comes to, in a few numbers.
 */
#ifndef HWSCHED_SIMULATE_SUMMARY_H
#define HWSCHED_SIMULATE_SUMMARY_H

#include "simulate/simulation.h"

/* Mean and quantiles of some seconds; NAN: there are none. */
typedef struct SecondsSummary
{
	double mean;
	double p50;
	double p90;
	double p99;
} SecondsSummary;

/* How much of the devices of a hardware class was in use. */
typedef struct ClassUse
{
	const char *hardware_class;
	double busy; /* device seconds */
	int64 devices;
} ClassUse;

typedef struct Summary
{
	double makespan; /* seconds from the beginning to the last end */
	SecondsSummary wait; /* from submission to the first start */
	SecondsSummary completion; /* from submission to the end */
	int nclasses;
	ClassUse *classes;
	double joules;
	double cost;
	int64 starved; /* workloads that were never placed */
	int64 completed;
	int64 moves;
} Summary;

extern void simulate_summary(Scenario *scenario, Summary *summary);
extern void simulate_summaries(Scenario *scenario, const int32 *stretches, int nstretches,
							   Summary *summaries);
extern Jsonb *summary_utilisation(const Summary *summary);

#endif /* HWSCHED_SIMULATE_SUMMARY_H */
