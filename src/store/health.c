/*
 * health.c
 *		Whether workers can be relied on.
 *
 *	healthy      takes work
 *	offline      silent for the pool's offline_after; any sign of life ends it
 *	quarantined  failed quarantine_after times in a row; ends after a while
 *	probation    tried again with one workload at a time: success makes it
 *				 healthy, failure quarantines it again, for twice as long
 *
 * All of it changes under the pool's lock, and a decision looks at what is
 * written here and not at the clock: time passes in maintain().
 */
#include "postgres.h"

#include "store/health.h"

/* How long the first quarantine in a row lasts, and how long any at most. */
#define QUARANTINE_SECONDS 60
#define QUARANTINE_MOST_SECONDS 3600

/*
 * Counts failed attempts.  Who has failed too often in a row is quarantined,
 * and what has not started there goes back to the queue.
 *
 * All that is lost together with a worker counts once: a worker that is back
 * after an outage is not sick because it was busy.
 */
void
health_failed(const char *pool, const PoolSettings *settings, const EndedAssignment *ended,
			  int count)
{
	static SpiPlan statement = {
		"WITH failed AS (SELECT a.worker_id, (count(*) FILTER (WHERE a.error_class IS DISTINCT"
		" FROM 'worker')"
		"    + (count(*) FILTER (WHERE a.error_class = 'worker') > 0)::int)::int AS failures"
		"  FROM hwsched.assignment a WHERE a.pool = $1 AND a.assignment_id = ANY ($2)"
		" GROUP BY a.worker_id),"
		" counted AS (SELECT w.worker_id, w.failures_in_row + f.failures AS failures,"
		"   w.health = 'probation' OR (w.health = 'healthy' AND w.failures_in_row + f.failures >="
		" $3) AS is_enough"
		"  FROM failed f JOIN hwsched.worker w ON w.pool = $1 AND w.worker_id = f.worker_id)"
		" UPDATE hwsched.worker w SET failures_in_row = c.failures,"
		"  health = CASE WHEN c.is_enough THEN 'quarantined' ELSE w.health END,"
		"  health_since = CASE WHEN c.is_enough THEN clock_timestamp() ELSE w.health_since END,"
		"  quarantines_in_row = w.quarantines_in_row + c.is_enough::int"
		" FROM counted c WHERE w.pool = $1 AND w.worker_id = c.worker_id RETURNING w.worker_id,"
		" c.is_enough",
		{TEXTOID, INT8ARRAYOID, INT4OID}};
	Datum *ids = palloc(sizeof(Datum) * (count + 1));
	int n;
	const char **quarantined;
	int nquarantined = 0;

	if (count == 0)
		return;
	for (int i = 0; i < count; i++)
		ids[i] = Int64GetDatum(ended[i].assignment_id);
	n = (int) spi_plan_run(&statement, false, TEXT_VALUE(pool),
						   array_value(INT8OID, ids, NULL, count),
						   INT_VALUE(settings->quarantine_after));
	quarantined = palloc(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		if (column_bool(i, 2))
			quarantined[nquarantined++] = column_text(i, 1);
	if (nquarantined > 0)
		requeue_assigned(pool, text_array(quarantined, nquarantined), NULL_VALUE,
						 "the worker is quarantined");
}

/* Forgets the failures of workers that have completed something. */
void
health_succeeded(const char *pool, const EndedAssignment *ended, int count)
{
	static SpiPlan statement = {
		"UPDATE hwsched.worker w SET failures_in_row = 0, quarantines_in_row = 0,"
		"  health_since = CASE w.health WHEN 'probation' THEN now() ELSE w.health_since END,"
		"  health = CASE w.health WHEN 'probation' THEN 'healthy' ELSE w.health END"
		" WHERE w.pool = $1 AND w.worker_id = ANY ($2)"
		"  AND (w.failures_in_row > 0 OR w.quarantines_in_row > 0 OR w.health = 'probation')",
		{TEXTOID, TEXTARRAYOID}};
	const char **workers = palloc(sizeof(char *) * (count + 1));

	for (int i = 0; i < count; i++)
		workers[i] = ended[i].worker_id;
	if (count > 0)
		spi_plan_run(&statement, false, TEXT_VALUE(pool), text_array(workers, count));
}

/* Returns whether a worker is taken to be offline. */
bool
health_is_offline(const char *pool, const char *worker_id)
{
	static SpiPlan statement = {
		"SELECT FROM hwsched.worker WHERE pool = $1 AND worker_id = $2 AND health = 'offline'",
		{TEXTOID, TEXTOID}};

	return spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id)) > 0;
}

/* Takes a worker that was offline back in; one that failed too often goes to quarantine. */
void
health_returned(const char *pool, const PoolSettings *settings, const char *worker_id)
{
	static SpiPlan statement = {
		"UPDATE hwsched.worker SET health_since = clock_timestamp(),"
		"  health = CASE WHEN failures_in_row >= $3 THEN 'quarantined'::hwsched.worker_health"
		" ELSE 'healthy' END,"
		"  quarantines_in_row = greatest(quarantines_in_row, (failures_in_row >= $3)::int)"
		" WHERE pool = $1 AND worker_id = $2 AND health = 'offline'",
		{TEXTOID, TEXTOID, INT4OID}};

	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
				 INT_VALUE(settings->quarantine_after));
}

/*
 * Notes as offline who has been silent for too long.  Returns how many workers
 * that are, and sets *worker_ids: what they have is to be taken back.
 */
int
health_silent(const char *pool, const PoolSettings *settings, const char ***worker_ids)
{
	static SpiPlan statement = {
		"UPDATE hwsched.worker w SET health = 'offline', health_since = now()"
		" FROM hwsched.worker_load l"
		" WHERE w.pool = $1 AND l.pool = w.pool AND l.worker_id = w.worker_id"
		" AND w.health <> 'offline'"
		"  AND l.last_seen_at < now() - make_interval(secs => $2) RETURNING w.worker_id",
		{TEXTOID, FLOAT8OID},
		IN_SETS};
	int n = (int) spi_plan_run(&statement, false, TEXT_VALUE(pool),
							   VALUE(Float8GetDatum(settings->offline_after)));

	*worker_ids = palloc(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		(*worker_ids)[i] = column_text(i, 1);
	return n;
}

/*
 * Puts those on probation whose quarantine is over; returns how many.  None is
 * counted of those that completed meanwhile what they ran: this was their first.
 */
int64
health_try_again(const char *pool)
{
	static SpiPlan statement = {
		"UPDATE hwsched.worker SET health = 'probation', health_since = now()"
		" WHERE pool = $1 AND health = 'quarantined'"
		"  AND now() - health_since >= make_interval(secs => least($3,"
		" $2 * 2 ^ least(greatest(quarantines_in_row - 1, 0), 20)))",
		{TEXTOID, FLOAT8OID, FLOAT8OID}};

	return (int64) spi_plan_run(&statement, false, TEXT_VALUE(pool),
								VALUE(Float8GetDatum(QUARANTINE_SECONDS)),
								VALUE(Float8GetDatum(QUARANTINE_MOST_SECONDS)));
}
