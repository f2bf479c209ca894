/*
 * learn.h
 *		What outcomes teach.
 */
#ifndef HWSCHED_LEARN_H
#define HWSCHED_LEARN_H

#include "outcome.h"
#include "pool.h"

/* What is known of how a worker does on a type of work. */
typedef struct Learned
{
	const char *workload_type;
	const char *worker_id;
	double		preference;
	int64		samples;
	int64		successes;
	int64		failures;
	double		mean_seconds;	/* of the successes; NAN: none */
} Learned;

extern int	learn(const char *pool, const PoolSettings *settings, const EndedAssignment *ended, int count,
				  bool succeeded, bool read_only, Learned **learned);
extern void learn_preferences(const char *pool, const PoolSettings *settings,
							  const EndedAssignment *ended, int count, bool succeeded);

#endif							/* HWSCHED_LEARN_H */
