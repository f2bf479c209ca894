/*
 * expires_at.h
 *		Work that has not started by its expires_at.
 */
#ifndef HWSCHED_API_EXPIRES_AT_H
#define HWSCHED_API_EXPIRES_AT_H

/*
 * Whether an assignment a, whose pool and worker stand beside, would reach into the
 * maintenance window of the worker if it started now, as SQL; NULL where there is
 * none.  Where these are parameters, the window is read once for all rows.
 */
#define REACHES_WINDOW(a, pool, worker) \
	"(extract(epoch FROM (SELECT w.drain_at FROM hwsched.worker w WHERE w.pool = " pool \
	" AND w.worker_id = " worker " AND w.drain_until > now()) - now())" \
	" < coalesce(" a ".p90_seconds, " a ".predicted_seconds))"

/* Whether an assignment that has not started may still start, as SQL. */
#define MAY_START(a, pool, worker) \
	NOT_EXPIRED(a) " AND " REACHES_WINDOW(a, pool, worker) " IS NOT TRUE"

/* Whether it has not expired, as SQL: a gang of which a member has started goes on. */
#define NOT_EXPIRED(a) \
	"(" a ".expires_at IS NULL OR " a ".expires_at > now() OR (" a ".is_gang AND EXISTS (SELECT" \
	" FROM hwsched.assignment m WHERE m.pool = " a ".pool AND m.workload_id = " a ".workload_id" \
	" AND m.run = " a ".run AND m.attempt = " a ".attempt AND m.started_at IS NOT NULL)))"

extern bool cancel_expired(const char *pool, int64 most);
extern void leave_windows(const char *pool);

#endif /* HWSCHED_API_EXPIRES_AT_H */
