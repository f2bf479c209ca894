/*
 * track_record.h
 *		What outcomes teach.
 */
#ifndef HWSCHED_LEARN_TRACK_RECORD_H
#define HWSCHED_LEARN_TRACK_RECORD_H

#include "store/assignment.h"
#include "store/settings.h"

extern void learn_from(const char *pool, const PoolSettings *settings, EndedAssignment *ended,
					   int count, bool succeeded);
extern int learn_from_elsewhere(const char *pool, const PoolSettings *settings,
								EndedAssignment *runs, int count);

#endif /* HWSCHED_LEARN_TRACK_RECORD_H */
