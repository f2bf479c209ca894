/*
 * cancel.c
 *		How workloads are cancelled, and what becomes of those that depend on what is
 *		cancelled or dead: they wait, are cancelled as well, or go on, as they say.
 *
 * The pool is locked.  Who submits a workload again does not lock it: so what is
 * cancelled is closed before the queue is looked at.
 */
#include "postgres.h"

#include "utils/snapmgr.h"

#include "store/cancel.h"
#include "store/dependency.h"
#include "store/notice.h"
#include "support/spi_plan.h"

/* Reads texts in a column of SPI_tuptable; returns their number and sets *texts. */
static int
read_texts(int number, const char ***texts)
{
	int n = (int) SPI_processed;

	*texts = palloc(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		(*texts)[i] = column_text(i, number);
	return n;
}

/*
 * Closes open workloads without live assignments as cancelled, for a reason each
 * (a text[]; NULL: none), and takes them out of the queue.  Returns how many were
 * open, and sets *closed to their ids.
 */
static int
close_cancelled(const char *pool, Parameter workload_ids, Parameter reasons, const char ***closed)
{
	/* in the order of the ids, as everybody locks them */
	static SpiPlan lock = {
		"SELECT FROM hwsched.submission WHERE pool = $1 AND workload_id = ANY ($2)"
		" AND outcome IS NULL ORDER BY workload_id FOR NO KEY UPDATE",
		{TEXTOID, TEXTARRAYOID}};
	static SpiPlan close = {
		"UPDATE hwsched.submission s SET outcome = 'cancelled', closed_at = greatest(now(),"
		" s.submitted_at), outcome_reason = c.reason"
		" FROM unnest($2, $3) c(workload_id, reason)"
		" WHERE s.pool = $1 AND s.workload_id = c.workload_id AND s.outcome IS NULL"
		" RETURNING s.workload_id",
		{TEXTOID, TEXTARRAYOID, TEXTARRAYOID}};
	static SpiPlan dequeue = {
		"DELETE FROM hwsched.pending p USING hwsched.submission s WHERE s.pool = $1"
		" AND s.workload_id = ANY ($2) AND p.pool = s.pool AND p.priority = s.priority"
		" AND p.deadline = s.deadline AND p.queue_no = s.queue_no",
		{TEXTOID, TEXTARRAYOID}};
	int n;

	spi_plan_run(&lock, false, TEXT_VALUE(pool), workload_ids);
	spi_plan_run(&close, false, TEXT_VALUE(pool), workload_ids, reasons);
	n = read_texts(1, closed);
	if (n == 0)
		return 0;
	notify_changed(pool);
	spi_plan_run(&dequeue, false, TEXT_VALUE(pool), text_array(*closed, n));
	dependencies_forget(pool, *closed, n);
	return n;
}

/*
 * Cancels open workloads without live assignments (reason may be NULL), and what
 * depends on them, if it says so.  Returns how many of those named were open.
 */
int
cancel_workloads(const char *pool, const char *const *workload_ids, int count, const char *reason)
{
	const char **reasons = palloc(sizeof(char *) * (count + 1));
	const char **closed;
	int n;

	for (int i = 0; i < count; i++)
		reasons[i] = reason;
	n = close_cancelled(pool, text_array(workload_ids, count),
						reason == NULL ? NULL_VALUE : text_array(reasons, count), &closed);
	dependencies_failed(pool, closed, n);
	return n;
}

/* What waits for a workload that is dead or cancelled, and says what it does then. */
typedef struct Dependents
{
	int count;
	const char **workload_ids;
	const char **depends_on;
	const char **reasons;
} Dependents;

/*
 * Finds what waits for workloads that are dead or cancelled, whose ids are given
 * (others are passed over), and does one thing then: cancel or run.  Whoever submits
 * what depends on others has locked the pool, so a new snapshot shows it all.
 */
static Dependents
find_dependents(const char *pool, Parameter failed, const char *does)
{
	/* most pools have no dependencies, which takes one look */
	static SpiPlan statement = {
		"SELECT d.workload_id, d.depends_on,"
		"  format('depends on workload \"%s\", which is %s', d.depends_on, f.outcome)"
		" FROM hwsched.dependency d"
		" JOIN hwsched.submission s ON s.pool = $1 AND s.workload_id = d.workload_id"
		" JOIN hwsched.submission f ON f.pool = $1 AND f.workload_id = d.depends_on"
		" WHERE EXISTS (SELECT FROM hwsched.dependency WHERE pool = $1)"
		"  AND d.pool = $1 AND d.depends_on = ANY ($2) AND s.on_failed_dependency = $3"
		"  AND f.outcome IN ('dead', 'cancelled') ORDER BY d.workload_id, d.depends_on",
		{TEXTOID, TEXTARRAYOID, TEXTOID}};
	Dependents found;

	PushActiveSnapshot(GetLatestSnapshot());
	spi_plan_run(&statement, true, TEXT_VALUE(pool), failed, TEXT_VALUE(does));
	PopActiveSnapshot();
	found.count = read_texts(1, &found.workload_ids);
	(void) read_texts(2, &found.depends_on);
	(void) read_texts(3, &found.reasons);
	return found;
}

/* Keeps the first of each workload, which are in order. */
static void
keep_distinct(Dependents *found)
{
	int kept = 0;

	for (int i = 0; i < found->count; i++)
		if (i == 0 || strcmp(found->workload_ids[i], found->workload_ids[kept - 1]) != 0)
		{
			found->workload_ids[kept] = found->workload_ids[i];
			found->reasons[kept++] = found->reasons[i];
		}
	found->count = kept;
}

/*
 * Sees to what depends on workloads that are dead or cancelled, whose ids are given:
 * with on_failed_dependency run it waits for them no longer; with cancel it is
 * cancelled, and then comes what depends on it in turn.
 */
void
dependencies_failed(const char *pool, const char *const *workload_ids, int count)
{
	static SpiPlan drop = {
		"DELETE FROM hwsched.dependency d USING unnest($2, $3) r(workload_id, depends_on)"
		" WHERE d.pool = $1 AND d.workload_id = r.workload_id AND d.depends_on = r.depends_on",
		{TEXTOID, TEXTARRAYOID, TEXTARRAYOID}};

	while (count > 0)
	{
		Parameter failed = text_array(workload_ids, count);
		Dependents found = find_dependents(pool, failed, "run");
		const char **closed;

		if (found.count > 0)
		{
			spi_plan_run(&drop, false, TEXT_VALUE(pool),
						 text_array(found.workload_ids, found.count),
						 text_array(found.depends_on, found.count));
			dependencies_dropped(pool, found.workload_ids, found.count);
		}
		found = find_dependents(pool, failed, "cancel");
		if (found.count == 0)
			return;
		keep_distinct(&found);
		count = close_cancelled(pool, text_array(found.workload_ids, found.count),
								text_array(found.reasons, found.count), &closed);
		workload_ids = closed;
	}
}
