/*
 * expires_at.h
 *		Work that has not started by its expires_at.
 */
#ifndef HWSCHED_API_EXPIRES_AT_H
#define HWSCHED_API_EXPIRES_AT_H

/*
 * Whether an assignment that has not started may still start, as SQL: a gang of
 * which a member has started goes on.
 */
#define MAY_START(a) \
	"(" a ".expires_at IS NULL OR " a ".expires_at > now() OR (" a ".is_gang AND EXISTS (SELECT" \
	" FROM hwsched.assignment m WHERE m.pool = " a ".pool AND m.workload_id = " a ".workload_id" \
	" AND m.run = " a ".run AND m.attempt = " a ".attempt AND m.started_at IS NOT NULL)))"

extern bool cancel_expired(const char *pool, int64 most);

#endif /* HWSCHED_API_EXPIRES_AT_H */
