/*
 * forecast_reader.h
 *		Reads what is known of durations for the decisions on a snapshot.
 */
#ifndef HWSCHED_SNAPSHOT_FORECAST_READER_H
#define HWSCHED_SNAPSHOT_FORECAST_READER_H

#include "snapshot/snapshot.h"
#include "store/assignment.h"

extern void load_forecast(PoolSnapshot *snapshot, const char *pool, bool read_only);

#endif /* HWSCHED_SNAPSHOT_FORECAST_READER_H */
