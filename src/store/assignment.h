/*
 * assignment.h
 *		How assignments end.
 */
#ifndef HWSCHED_STORE_ASSIGNMENT_H
#define HWSCHED_STORE_ASSIGNMENT_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "support/spi_plan.h"

/* The error of an assignment that its worker gave back while it ran. */
#define YIELDED "yielded"

/* The error of one that gave way to another. */
#define PREEMPTED "preempted by more important work"

/*
 * Whether what ran as an assignment a gave way, and its worker may still hand over what the next
 * run goes on from: as long as that has not begun.
 */
#define MAY_HAND_OVER(a) \
	"(" a ".state = 'expired' AND " a ".error = '" PREEMPTED "'" \
	" AND " a ".started_at IS NOT NULL AND EXISTS (SELECT" \
	"  FROM hwsched.workload_profile p WHERE p.pool = " a ".pool" \
	"   AND p.profile_id = " a ".profile_id AND p.demand ? 'checkpointable')" \
	" AND EXISTS (SELECT FROM hwsched.submission s WHERE s.pool = " a ".pool" \
	"   AND s.workload_id = " a ".workload_id AND s.run = " a ".run AND s.outcome IS NULL)" \
	" AND NOT EXISTS (SELECT FROM hwsched.assignment later WHERE later.pool = " a ".pool" \
	"   AND later.workload_id = " a ".workload_id AND later.run = " a ".run" \
	"   AND later.assignment_id > " a ".assignment_id AND later.started_at IS NOT NULL))"

/* In FROM: the queue's row p of what ran as an assignment a. */
#define QUEUED_AGAIN(a, p) \
	"hwsched.submission again WHERE again.pool = " a ".pool" \
	" AND again.workload_id = " a ".workload_id AND again.run = " a ".run" \
	" AND " p ".pool = again.pool AND " p ".priority = again.priority" \
	" AND " p ".deadline = again.deadline AND " p ".queue_no = again.queue_no"

/* An assignment that has ended, and what it gives back. */
typedef struct EndedAssignment
{
	int64 assignment_id;
	const char *worker_id;
	const char *workload_id;
	const char *workload_type;
	int32 run;
	int32 attempt;
	bool gang; /* a shard or replica */
	double predicted_seconds;
	double formula_seconds; /* base_seconds(): durations are learned relative to them */
	double actual_seconds; /* NAN: it never ran */
	double usual_seconds; /* that such runs took before, wherever; NAN: not known */
	double age; /* seconds since it ended; 0 for what ends now */
	bool failed; /* as learning is told */
	int64 device_profile_id;
	const char *model_id; /* NULL: none */
	const char *model_family;
	int ndevices;
	int32 *device_nos;
	int64 cpu_millicores; /* held on the worker */
	int64 host_memory_bytes;
	int32 slots; /* held on each of the devices */
	int32 share;
	int64 device_memory_bytes;
} EndedAssignment;

/*
 * The row that read_ended reads, of a: assignment, p: its workload_profile; other
 * columns may follow, from number ended_row.count + 1 on.
 */
extern const RowType ended_row;

/*
 * The assignments u that are noted as completed, in the order in which they were assigned: what is
 * learned depends on it.
 */
#define ENDED_OF_NOTES \
	" JOIN hwsched.assignment a ON a.pool = $1 AND a.assignment_id = u.assignment_id" \
	" JOIN hwsched.workload_profile p ON p.pool = $1 AND p.profile_id = a.profile_id" \
	" ORDER BY a.assignment_id"

extern int read_ended(EndedAssignment **ended);
extern void release_capacity(const char *pool, const EndedAssignment *ended, int count);
extern int end_assignments(const char *pool, const int64 *ids, int count, const char *from,
						   const char *state, const char *error, const char *error_class,
						   Jsonb *result, EndedAssignment **ended);
extern void complete_workloads(const char *pool, const EndedAssignment *ended, int count);
extern void requeue(const char *pool, const EndedAssignment *ended, int count, bool failed);
extern void requeue_given_back(const char *pool, const EndedAssignment *ended, int count);
extern int live_assignments(const char *pool, const char *worker_id, int64 **ids);

extern int requeue_unstarted(const char *pool, const int64 *ids, int count, const char *reason);
extern void requeue_assigned(const char *pool, Parameter worker_ids, Parameter devices,
							 const char *reason);
extern int read_unsettled(const char *pool, bool read_only, EndedAssignment **ended);

#endif /* HWSCHED_STORE_ASSIGNMENT_H */
