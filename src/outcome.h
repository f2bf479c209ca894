/*
 * outcome.h
 *		How assignments end.
 */
#ifndef HWSCHED_OUTCOME_H
#define HWSCHED_OUTCOME_H

#include "postgres.h"

#include "utils/jsonb.h"

/* An assignment that has just ended, and what it gives back. */
typedef struct EndedAssignment
{
	int64		assignment_id;
	const char *worker_id;
	const char *workload_id;
	const char *workload_type;
	int32		run;
	int32		attempt;
	bool		gang;			/* a shard or replica */
	double		predicted_seconds;
	double		actual_seconds; /* NAN: it never ran */
} EndedAssignment;

extern int	end_assignments(const char *pool, const int64 *ids, int count, bool started_only,
							const char *state, const char *error, Jsonb *result,
							EndedAssignment **ended);
extern void complete_workloads(const char *pool, const EndedAssignment *ended, int count);
extern void requeue(const char *pool, const EndedAssignment *ended, int count, bool failed);
extern int	live_assignments(const char *pool, const char *worker_id, const char *workload_id,
							 int64 **ids);

#endif							/* HWSCHED_OUTCOME_H */
