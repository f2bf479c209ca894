/*
 * experience.h
 *		What completed runs have taught of durations: its records in the tables,
 *		moved on by outcomes, and the forecasts that decisions make of them.
 */
#ifndef HWSCHED_EXPERIENCE_H
#define HWSCHED_EXPERIENCE_H

#include "fleet.h"
#include "outcome.h"

extern void learn_durations(const char *pool, EndedAssignment *ended, int count, bool read_only);
extern void load_forecast(Picture *picture, const char *pool, EndedAssignment *unsettled, int nunsettled,
						  bool read_only);

#endif							/* HWSCHED_EXPERIENCE_H */
