/*
 * reclaim.c
 *		Takes work back whose lease or time has run out, and that of silent workers.
 */
#include "postgres.h"

#include "api/lost_runs.h"
#include "api/reclaim.h"
#include "learn/track_record.h"
#include "store/assignment.h"
#include "store/health.h"

/*
 * Finds assignments, given the pool, a time in seconds and how many at most; returns
 * their number, which is of the quota, and sets *ids.
 *
 * They are locked, but for those that another session has: it is starting, extending
 * or ending them, and may want the pool's lock in the same transaction.
 */
static int
find_ids(SpiPlan *statement, const char *pool, double seconds, Quota *quota, int64 **ids)
{
	int n = (int) spi_plan_run(statement, false, TEXT_VALUE(pool), VALUE(Float8GetDatum(seconds)),
							   BIGINT_VALUE(quota->left + 1));

	quota->more |= n > quota->left;
	n = (int) Min(n, quota->left);
	quota->left -= n;
	*ids = palloc(sizeof(int64) * (n + 1));
	for (int i = 0; i < n; i++)
		(*ids)[i] = column_bigint(i, 1);
	return n;
}

/*
 * Takes back what runs without a lease; returns how many assignments.  A lease
 * runs until lease_until, and as long after any sign of life of its worker, unless
 * that names what it runs.
 */
int64
reclaim_lost_leases(const char *pool, const PoolSettings *settings, Quota *quota)
{
	static SpiPlan statement = {
		"SELECT a.assignment_id FROM hwsched.assignment a"
		" JOIN hwsched.worker_load l ON l.pool = a.pool AND l.worker_id = a.worker_id"
		" WHERE a.pool = $1 AND a.finished_at IS NULL AND a.state = 'running'"
		" AND a.lease_until < now()"
		"  AND (l.names_runs OR l.last_seen_at < now() - make_interval(secs => $2))"
		" ORDER BY a.assignment_id LIMIT $3 FOR NO KEY UPDATE OF a SKIP LOCKED",
		{TEXTOID, FLOAT8OID, INT8OID},
		IN_SETS};
	int64 *ids;
	int n = find_ids(&statement, pool, settings->lease, quota, &ids);

	return lose_runs(pool, settings, ids, n, "the lease ran out");
}

/* Takes back what has run for longer than its timeout; returns how many assignments. */
int64
reclaim_timed_out(const char *pool, const PoolSettings *settings, Quota *quota)
{
	static SpiPlan statement = {
		"SELECT a.assignment_id FROM hwsched.assignment a"
		" WHERE a.pool = $1 AND a.finished_at IS NULL AND a.state = 'running'"
		"  AND now() - a.started_at > make_interval(secs => a.timeout_seconds)"
		" ORDER BY a.assignment_id LIMIT $3 FOR NO KEY UPDATE OF a SKIP LOCKED",
		{TEXTOID, FLOAT8OID, INT8OID},
		IN_SETS};
	EndedAssignment *ended;
	int64 *ids;
	int n = find_ids(&statement, pool, settings->lease, quota, &ids);

	n = end_assignments(pool, ids, n, "running", "expired", "the timeout ran out", "timeout", NULL,
						&ended);
	requeue(pool, ended, n, true);
	learn_from(pool, settings, ended, n, false);
	health_failed(pool, settings, ended, n);
	return n;
}

/*
 * Takes back what has not started for start_timeout while its worker, though
 * alive, ran nothing; returns how many assignments.  No attempt counts, and the
 * next avoids that worker.  The time begins anew when a pause of the pool is over.
 */
int64
reclaim_unstarted(const char *pool, const PoolSettings *settings, Quota *quota)
{
	static SpiPlan statement = {
		"WITH idle AS MATERIALIZED (SELECT u.worker_id,"
		"   greatest(u.ran_at, (SELECT min(v.changed_at)"
		"    FROM hwsched.settings_version v WHERE v.pool = $1 AND v.version > (SELECT"
		"     max(w.version) FROM hwsched.settings_version w WHERE w.pool = $1"
		"      AND (w.settings -> 'paused')::boolean))) AS since"
		"  FROM hwsched.worker_usage u WHERE u.pool = $1 AND u.assignments > 0"
		"  AND NOT EXISTS (SELECT FROM hwsched.assignment r WHERE r.pool = $1"
		"   AND r.worker_id = u.worker_id AND r.finished_at IS NULL AND r.state = 'running'))"
		" SELECT a.assignment_id FROM idle u JOIN hwsched.assignment a"
		"  ON a.pool = $1 AND a.worker_id = u.worker_id"
		" WHERE a.finished_at IS NULL AND a.state = 'assigned' AND greatest(a.assigned_at, u.since)"
		"   < now() - make_interval(secs => coalesce(a.start_timeout_seconds, $2))"
		" ORDER BY a.assignment_id LIMIT $3 FOR NO KEY UPDATE OF a SKIP LOCKED",
		{TEXTOID, FLOAT8OID, INT8OID}};
	EndedAssignment *ended;
	int64 *ids;
	int n = find_ids(&statement, pool, settings->start_timeout, quota, &ids);

	n = end_assignments(pool, ids, n, "assigned", "expired", "not started in time", "unstarted",
						NULL, &ended);
	requeue(pool, ended, n, false);
	return n;
}

/*
 * Takes back all that silent workers have; returns how many workers.  What has
 * not started goes first: work is started without the pool's lock, and what was
 * started in between is then found among what runs.
 */
int64
reclaim_from_silent(const char *pool, const PoolSettings *settings, Quota *quota)
{
	static SpiPlan running = {
		"SELECT assignment_id FROM hwsched.assignment WHERE pool = $1 AND worker_id = ANY ($2)"
		" AND finished_at IS NULL"
		" AND state = 'running' ORDER BY assignment_id",
		{TEXTOID, TEXTARRAYOID}};
	const char **workers;
	int nworkers = health_silent(pool, settings, &quota->left, &quota->more, &workers);
	int64 *ids;
	int n;

	if (nworkers == 0)
		return 0;
	requeue_assigned(pool, text_array(workers, nworkers), NULL_VALUE, "the worker is silent");
	n = (int) spi_plan_run(&running, false, TEXT_VALUE(pool), text_array(workers, nworkers));
	ids = palloc(sizeof(int64) * (n + 1));
	for (int i = 0; i < n; i++)
		ids[i] = column_bigint(i, 1);
	lose_runs(pool, settings, ids, n, "the worker is silent");
	return nworkers;
}
