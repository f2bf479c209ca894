/*
 * tuning.h
 *		Settings under which work of the past would have fared better.
 */
#ifndef HWSCHED_SIMULATE_TUNING_H
#define HWSCHED_SIMULATE_TUNING_H

#include "simulate/scenario.h"

/* Settings that were tried, and how much better they are than those in force: parts of that. */
typedef struct TunedSettings
{
	int number; /* in the order of trials */
	Jsonb *settings;
	double gain;
	double low; /* of the gain's interval of 95 % */
	double high;
	double on_held_back; /* the gain where they were not sought */
	bool chosen; /* at most of one */
} TunedSettings;

extern TunedSettings *tune(const Caller *caller, const char *callers_path, Jsonb *objective,
						   Jsonb *document, const char *pool, int *count);

#endif /* HWSCHED_SIMULATE_TUNING_H */
