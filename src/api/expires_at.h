/*
 * expires_at.h
 *		Work that has not started by its expires_at.
 */
#ifndef HWSCHED_API_EXPIRES_AT_H
#define HWSCHED_API_EXPIRES_AT_H

/*
 * Whether an assignment would reach into the maintenance window of its worker if it
 * started now, as SQL; NULL where there is none.
 */
#define REACHES_WINDOW(a) \
	"(SELECT extract(epoch FROM w.drain_at - now())" \
	"   < coalesce(" a ".p90_seconds, " a ".predicted_seconds)" \
	"  FROM hwsched.worker w WHERE w.pool = " a ".pool AND w.worker_id = " a ".worker_id" \
	"   AND w.drain_until IS NOT NULL AND w.drain_until > now())"

/*
 * Whether an assignment that has not started may still start, as SQL.
 */
#define MAY_START(a) NOT_EXPIRED(a) " AND " REACHES_WINDOW(a) " IS NOT TRUE"

/* Whether it has not expired, as SQL: a gang of which a member has started goes on. */
#define NOT_EXPIRED(a) \
	"(" a ".expires_at IS NULL OR " a ".expires_at > now() OR (" a ".is_gang AND EXISTS (SELECT" \
	" FROM hwsched.assignment m WHERE m.pool = " a ".pool AND m.workload_id = " a ".workload_id" \
	" AND m.run = " a ".run AND m.attempt = " a ".attempt AND m.started_at IS NOT NULL)))"

extern bool cancel_expired(const char *pool, int64 most);
extern void leave_windows(const char *pool);

#endif /* HWSCHED_API_EXPIRES_AT_H */
