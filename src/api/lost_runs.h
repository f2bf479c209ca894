/*
 * lost_runs.h
 *		Running work that is lost with its worker, or with a part of it.
 */
#ifndef HWSCHED_API_LOST_RUNS_H
#define HWSCHED_API_LOST_RUNS_H

#include "store/settings.h"

extern int lose_runs(const char *pool, const PoolSettings *settings, const int64 *ids, int count,
					 const char *error);

#endif /* HWSCHED_API_LOST_RUNS_H */
