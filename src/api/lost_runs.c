/*
 * lost_runs.c
 *		Running work that is lost with its worker, or with a part of it.
 *
 * One of several runs that are lost together may have brought the worker down,
 * and nobody knows which.  So the loss counts as an attempt for those only that
 * had failed or been lost before, and whoever is lost in company a second time
 * runs alone after that (see store/requeue.c): what takes a worker down alone
 * is found out, and its neighbours live.
 */
#include "postgres.h"

#include "api/lost_runs.h"
#include "learn/track_record.h"
#include "store/assignment.h"
#include "store/health.h"
#include "support/args.h"

static int
compare_workers(const void *a, const void *b)
{
	const EndedAssignment *x = a;
	const EndedAssignment *y = b;
	int order = strcmp(x->worker_id, y->worker_id);

	return order != 0 ?
			   order :
			   (x->assignment_id > y->assignment_id) - (x->assignment_id < y->assignment_id);
}

/*
 * Notes how many others each of some lost runs, in the order of their workers,
 * was lost with.  Returns how many had not failed nor been lost before, and
 * sets innocent[] to their ids in order.
 */
static int
note_company(const char *pool, const EndedAssignment *lost, int count, int64 *innocent)
{
	static SpiPlan statement = {
		"UPDATE hwsched.assignment a SET lost_with = c.others"
		" FROM unnest($2, $3) c(assignment_id, others)"
		" WHERE a.pool = $1 AND a.assignment_id = c.assignment_id"
		" RETURNING a.assignment_id, a.is_gang OR EXISTS (SELECT FROM hwsched.assignment b"
		"  WHERE b.pool = a.pool AND b.workload_id = a.workload_id AND b.run = a.run"
		"   AND b.error_class <> 'unstarted' AND b.assignment_id <> a.assignment_id)",
		{TEXTOID, INT8ARRAYOID, INT4ARRAYOID}};
	Datum *ids = palloc(sizeof(Datum) * (count + 1));
	Datum *others = palloc(sizeof(Datum) * (count + 1));
	int n = 0;
	int ninnocent = 0;

	for (int first = 0, next; first < count; first = next)
	{
		for (next = first + 1; next < count; next++)
			if (strcmp(lost[next].worker_id, lost[first].worker_id) != 0)
				break;
		for (int i = first; i < next && next - first > 1; i++)
		{
			ids[n] = Int64GetDatum(lost[i].assignment_id);
			others[n++] = Int32GetDatum(next - first - 1);
		}
	}
	if (n == 0)
		return 0;
	n = (int) spi_plan_run(&statement, false, TEXT_VALUE(pool), array_value(INT8OID, ids, NULL, n),
						   array_value(INT4OID, others, NULL, n));
	for (int i = 0; i < n; i++)
		if (!column_bool(i, 2))
			innocent[ninnocent++] = column_bigint(i, 1);
	qsort(innocent, ninnocent, sizeof(int64), compare_bigints);
	return ninnocent;
}

/*
 * Ends running assignments as lost, all that are lost of a worker in one call,
 * and queues their work again; returns how many there were.  The pool is locked.
 */
int
lose_runs(const char *pool, const PoolSettings *settings, const int64 *ids, int count,
		  const char *error)
{
	EndedAssignment *ended;
	EndedAssignment *again;
	int64 *innocent;
	int n;
	int ninnocent;
	int nagain = 0;
	int ncounted = 0;

	if (count == 0)
		return 0;
	n = end_assignments(pool, ids, count, "running", "expired", error, "worker", NULL, &ended);
	learn_from(pool, settings, ended, n, false);
	health_failed(pool, settings, ended, n);
	qsort(ended, n, sizeof(EndedAssignment), compare_workers);
	innocent = palloc(sizeof(int64) * (n + 1));
	ninnocent = note_company(pool, ended, n, innocent);
	again = palloc(sizeof(EndedAssignment) * (n + 1));
	for (int i = 0; i < n; i++)
		if (bsearch(&ended[i].assignment_id, innocent, ninnocent, sizeof(int64), compare_bigints))
			again[nagain++] = ended[i];
		else
			ended[ncounted++] = ended[i];
	requeue(pool, ended, ncounted, true);
	requeue(pool, again, nagain, false);
	return n;
}
