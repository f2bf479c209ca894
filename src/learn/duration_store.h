/*
 * duration_store.h
 *		What completed runs have taught of durations: its records in the tables,
 *		moved on by outcomes, and the forecasts that decisions make of them.
 */
#ifndef HWSCHED_LEARN_DURATION_STORE_H
#define HWSCHED_LEARN_DURATION_STORE_H

#include "snapshot/snapshot.h"
#include "store/assignment.h"

extern void learn_durations(const char *pool, EndedAssignment *ended, int count, bool read_only);
extern void load_forecast(PoolSnapshot *snapshot, const char *pool, EndedAssignment *unsettled, int nunsettled,
						  bool read_only);

#endif							/* HWSCHED_LEARN_DURATION_STORE_H */
