/*
 * track_record.h
 *		What outcomes teach.
 */
#ifndef HWSCHED_LEARN_TRACK_RECORD_H
#define HWSCHED_LEARN_TRACK_RECORD_H

#include "store/assignment.h"
#include "store/settings.h"
#include "support/ddsketch.h"

/* What is known of how a worker does on a type of work. */
typedef struct Learned
{
	const char *workload_type;
	const char *worker_id;
	double preference;
	int64 samples;
	int64 successes;
	int64 failures;
	/* of the successes; NAN: none */
	double mean_seconds;
	double squares; /* of the differences from the mean, added up */
	double min_seconds;
	double max_seconds;
	Sketch *durations;
} Learned;

extern int learn_outcomes(const char *pool, const PoolSettings *settings, EndedAssignment *ended,
						  int count, bool succeeded, bool read_only, Learned **learned);
extern void learn_from(const char *pool, const PoolSettings *settings, EndedAssignment *ended,
					   int count, bool succeeded);

#endif /* HWSCHED_LEARN_TRACK_RECORD_H */
