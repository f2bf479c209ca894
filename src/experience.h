/*
 * experience.h
 *		What completed runs have taught of durations: its records in the tables,
 *		moved on by outcomes, and the forecasts that decisions make of them.
 */
#ifndef HWSCHED_EXPERIENCE_H
#define HWSCHED_EXPERIENCE_H

#include "fleet.h"
#include "outcome.h"

extern void learn_durations(const char *pool, const EndedAssignment *ended, int count);
extern void load_forecast(Picture *picture, const char *pool, const EndedAssignment *unsettled, int nunsettled,
						  bool read_only);

#endif							/* HWSCHED_EXPERIENCE_H */
