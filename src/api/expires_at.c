/*
 * expires_at.c
 *		Work that has not started by its expires_at is cancelled, and what cannot start
 *		any more before the maintenance window of its worker goes elsewhere.
 *
 * Nothing that has expired is placed or started (MAY_BE_PLACED, claim, start):
 * what is done here only says so, so a decision that does not get round to it is
 * as good.  What has started once is not given up any more.
 */
#include "postgres.h"

#include "api/expires_at.h"
#include "store/assignment.h"
#include "store/cancel.h"

/*
 * Ends what is assigned and has expired, and sets *workload_ids; returns how much.
 * Work is started without the pool's lock: what is being started goes on, and so
 * does a gang of which a member has started.
 */
static int
end_expired(const char *pool, int64 most, const char ***workload_ids)
{
	static SpiPlan lock = {
		"SELECT a.assignment_id FROM hwsched.assignment a WHERE a.pool = $1"
		" AND a.expires_at <= now() AND a.finished_at IS NULL AND a.state = 'assigned'"
		" AND NOT " NOT_EXPIRED(
			"a") " ORDER BY a.assignment_id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
		{TEXTOID, INT8OID}};
	static SpiPlan find = {
		"SELECT a.assignment_id FROM hwsched.assignment a WHERE a.pool = $1"
		" AND a.assignment_id = ANY ($2) AND (NOT a.is_gang OR NOT EXISTS (SELECT"
		"  FROM hwsched.assignment m WHERE m.pool = $1 AND m.workload_id = a.workload_id"
		"   AND m.run = a.run AND m.finished_at IS NULL AND m.assignment_id <> ALL ($2)))"
		" ORDER BY a.assignment_id",
		{TEXTOID, INT8ARRAYOID}};
	EndedAssignment *ended;
	int64 *ids;
	int n = (int) spi_plan_run(&lock, false, TEXT_VALUE(pool), BIGINT_VALUE(most));
	Parameter locked;

	if (n == 0)
		return 0;
	ids = fixed_array(INT8OID, sizeof(*ids), n, &locked);
	for (int i = 0; i < n; i++)
		ids[i] = column_bigint(i, 1);
	n = (int) spi_plan_run(&find, false, TEXT_VALUE(pool), locked);
	for (int i = 0; i < n; i++)
		ids[i] = column_bigint(i, 1);
	n = end_assignments(pool, ids, n, "assigned", "cancelled", "expired", NULL, NULL, &ended);
	*workload_ids = palloc(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		(*workload_ids)[i] = ended[i].workload_id;
	return n;
}

/*
 * Cancels work that has expired, most of it; the pool is locked.  Returns whether
 * there may be more.
 */
bool
cancel_expired(const char *pool, int64 most)
{
	static SpiPlan due = {"SELECT FROM hwsched.pending WHERE pool = $1 AND expires_at <= now()"
						  " UNION ALL SELECT FROM hwsched.assignment WHERE pool = $1"
						  " AND expires_at <= now() AND finished_at IS NULL"
						  " AND state = 'assigned' LIMIT 1",
						  {TEXTOID}};
	static SpiPlan waiting = {"SELECT workload_id FROM hwsched.pending WHERE pool = $1"
							  " AND expires_at <= now() ORDER BY expires_at LIMIT $2",
							  {TEXTOID, INT8OID}};
	const char **workload_ids;
	int nended;
	int nwaiting;

	if (spi_plan_run(&due, false, TEXT_VALUE(pool)) == 0)
		return false;
	nended = end_expired(pool, most, &workload_ids);
	if (nended > 0)
		cancel_workloads(pool, workload_ids, nended, "expired");
	nwaiting = (int) spi_plan_run(&waiting, false, TEXT_VALUE(pool), BIGINT_VALUE(most));
	workload_ids = palloc(sizeof(char *) * (nwaiting + 1));
	for (int i = 0; i < nwaiting; i++)
		workload_ids[i] = column_text(i, 1);
	if (nwaiting > 0)
		cancel_workloads(pool, workload_ids, nwaiting, "expired");
	return nended >= most || nwaiting >= most;
}

/*
 * Takes back what is assigned and would reach into the maintenance window of its worker;
 * forgets windows that are over.  The pool is locked.
 */
void
leave_windows(const char *pool)
{
	static SpiPlan any = {"SELECT FROM hwsched.worker WHERE pool = $1 AND drain_until IS NOT NULL"
						  " LIMIT 1",
						  {TEXTOID}};
	static SpiPlan over = {"UPDATE hwsched.worker SET drain_at = NULL, drain_until = NULL"
						   " WHERE pool = $1 AND drain_until IS NOT NULL AND drain_until <= now()",
						   {TEXTOID}};
	static SpiPlan statement = {
		"SELECT a.assignment_id FROM hwsched.worker v JOIN hwsched.assignment a"
		"  ON a.pool = v.pool AND a.worker_id = v.worker_id"
		" WHERE v.pool = $1 AND v.drain_until IS NOT NULL AND v.drain_until > now()"
		"  AND a.pool = $1 AND a.finished_at IS NULL AND a.state = 'assigned'"
		"  AND " REACHES_WINDOW("a", "a.pool", "a.worker_id") " ORDER BY a.assignment_id",
		{TEXTOID}};
	int64 *ids;
	int n;

	if (spi_plan_run(&any, false, TEXT_VALUE(pool)) == 0)
		return;
	spi_plan_run(&over, false, TEXT_VALUE(pool));
	n = (int) spi_plan_run(&statement, false, TEXT_VALUE(pool));
	ids = palloc(sizeof(int64) * (n + 1));
	for (int i = 0; i < n; i++)
		ids[i] = column_bigint(i, 1);
	requeue_unstarted(pool, ids, n, "the maintenance window of the worker is near");
}
