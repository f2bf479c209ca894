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
 * Devices have the same health, offline apart.  One that fails while others of
 * its worker do not is quarantined by itself.
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
 * Counts failed attempts for the devices that they were on.  One that has
 * failed too often in a row, while another of its worker has not failed at all,
 * is quarantined.  Returns how many those are, and sets *workers to theirs.
 */
static int
devices_failed(const char *pool, const PoolSettings *settings, Parameter ids, const char ***workers)
{
	static SpiPlan statement = {
		"WITH failed AS (SELECT a.worker_id, n.device_no, count(*)::int AS failures"
		"  FROM hwsched.assignment a CROSS JOIN LATERAL unnest(a.device_nos) n(device_no)"
		"  WHERE a.pool = $1 AND a.assignment_id = ANY ($2)"
		"   AND a.error_class IS DISTINCT FROM 'worker' GROUP BY a.worker_id, n.device_no),"
		" counted AS (SELECT d.worker_id, d.device_no, d.failures_in_row + f.failures AS failures,"
		"   (d.health = 'probation' OR d.health = 'healthy' AND d.failures_in_row + f.failures >="
		" $3)"
		"   AND EXISTS (SELECT FROM hwsched.device o WHERE o.pool = $1"
		" AND o.worker_id = d.worker_id"
		"    AND o.health = 'healthy' AND o.failures_in_row = 0 AND NOT EXISTS (SELECT"
		" FROM failed x"
		"     WHERE x.worker_id = o.worker_id AND x.device_no = o.device_no)) AS is_enough"
		"  FROM failed f JOIN hwsched.device d ON d.pool = $1 AND d.worker_id = f.worker_id"
		"   AND d.device_no = f.device_no)"
		" UPDATE hwsched.device d SET failures_in_row = c.failures,"
		"  health = CASE WHEN c.is_enough THEN 'quarantined' ELSE d.health END,"
		"  health_since = CASE WHEN c.is_enough THEN now() ELSE d.health_since END,"
		"  quarantines_in_row = d.quarantines_in_row + c.is_enough::int"
		" FROM counted c WHERE d.pool = $1 AND d.worker_id = c.worker_id"
		"  AND d.device_no = c.device_no RETURNING d.worker_id, d.device_no, c.is_enough",
		{TEXTOID, INT8ARRAYOID, INT4OID}};
	int n = (int) spi_plan_run(&statement, false, TEXT_VALUE(pool), ids,
							   INT_VALUE(settings->quarantine_after));
	Datum *devices = palloc(sizeof(Datum) * (n + 1));
	int count = 0;

	*workers = palloc(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		if (column_bool(i, 3))
		{
			(*workers)[count] = column_text(i, 1);
			devices[count++] = Int32GetDatum(column_int(i, 2));
		}
	for (int i = 0; i < count; i++)
		requeue_assigned(pool, text_array(&(*workers)[i], 1),
						 array_value(INT4OID, &devices[i], NULL, 1), "the device is quarantined");
	return count;
}

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
		" counted AS (SELECT w.worker_id, CASE WHEN w.worker_id = ANY ($4) THEN 0"
		"   ELSE w.failures_in_row + f.failures END AS failures,"
		"   w.worker_id <> ALL ($4) AND (w.health = 'probation' OR (w.health = 'healthy'"
		"    AND w.failures_in_row + f.failures >= $3)) AS is_enough"
		"  FROM failed f JOIN hwsched.worker w ON w.pool = $1 AND w.worker_id = f.worker_id)"
		" UPDATE hwsched.worker w SET failures_in_row = c.failures,"
		"  health = CASE WHEN c.is_enough THEN 'quarantined' ELSE w.health END,"
		"  health_since = CASE WHEN c.is_enough THEN clock_timestamp() ELSE w.health_since END,"
		"  quarantines_in_row = w.quarantines_in_row + c.is_enough::int"
		" FROM counted c WHERE w.pool = $1 AND w.worker_id = c.worker_id RETURNING w.worker_id,"
		" c.is_enough",
		{TEXTOID, INT8ARRAYOID, INT4OID, TEXTARRAYOID}};
	Datum *ids = palloc(sizeof(Datum) * (count + 1));
	const char **singled_out; /* workers, for one of their devices */
	int nsingled_out;
	int n;
	const char **quarantined;
	int nquarantined = 0;

	if (count == 0)
		return;
	for (int i = 0; i < count; i++)
		ids[i] = Int64GetDatum(ended[i].assignment_id);
	nsingled_out =
		devices_failed(pool, settings, array_value(INT8OID, ids, NULL, count), &singled_out);
	n = (int) spi_plan_run(
		&statement, false, TEXT_VALUE(pool), array_value(INT8OID, ids, NULL, count),
		INT_VALUE(settings->quarantine_after), text_array(singled_out, nsingled_out));
	quarantined = palloc(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		if (column_bool(i, 2))
			quarantined[nquarantined++] = column_text(i, 1);
	if (nquarantined > 0)
		requeue_assigned(pool, text_array(quarantined, nquarantined), NULL_VALUE,
						 "the worker is quarantined");
}

/* Forgets the failures of workers, and of devices, that have completed something. */
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
	static SpiPlan devices = {
		"UPDATE hwsched.device d SET failures_in_row = 0, quarantines_in_row = 0,"
		"  health_since = CASE d.health WHEN 'probation' THEN now() ELSE d.health_since END,"
		"  health = CASE d.health WHEN 'probation' THEN 'healthy' ELSE d.health END"
		" WHERE d.pool = $1"
		"  AND (d.failures_in_row > 0 OR d.quarantines_in_row > 0 OR d.health <> 'healthy')"
		"  AND EXISTS (SELECT FROM hwsched.assignment a WHERE a.pool = $1"
		"   AND a.assignment_id = ANY ($2) AND a.worker_id = d.worker_id"
		"   AND d.device_no = ANY (a.device_nos) OFFSET 0)",
		{TEXTOID, INT8ARRAYOID}};
	const char **workers = palloc(sizeof(char *) * (count + 1));
	Datum *ids = palloc(sizeof(Datum) * (count + 1));

	for (int i = 0; i < count; i++)
	{
		workers[i] = ended[i].worker_id;
		ids[i] = Int64GetDatum(ended[i].assignment_id);
	}
	if (count == 0)
		return;
	spi_plan_run(&statement, false, TEXT_VALUE(pool), text_array(workers, count));
	spi_plan_run(&devices, false, TEXT_VALUE(pool), array_value(INT8OID, ids, NULL, count));
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

/* Returns whether workers are silent that are not noted as offline yet. */
bool
health_any_silent(const char *pool, const PoolSettings *settings)
{
	static SpiPlan statement = {
		"SELECT FROM (SELECT worker_id FROM hwsched.worker"
		"   WHERE pool = $1 AND health <> 'offline' ORDER BY worker_id OFFSET 0) w"
		" CROSS JOIN LATERAL (SELECT FROM hwsched.worker_load l WHERE l.pool = $1"
		"  AND l.worker_id = w.worker_id"
		"  AND l.last_seen_at < now() - make_interval(secs => $2) OFFSET 0) l LIMIT 1",
		{TEXTOID, FLOAT8OID},
		BY_KEY_ONLY};

	return spi_plan_run(&statement, true, TEXT_VALUE(pool),
						VALUE(Float8GetDatum(settings->offline_after))) > 0;
}

/* How many silent workers are noted at a time. */
#define MOST_SILENT 5000

/*
 * Notes as offline who has been silent for too long.  Returns how many workers
 * that are, and sets *worker_ids: what they have is to be taken back.  That is
 * taken from *quota, in assignments, and one at least for a worker; if that is not
 * enough for all, *more is set, and nothing left of it.
 */
int
health_silent(const char *pool, const PoolSettings *settings, int64 *quota, bool *more,
			  const char ***worker_ids)
{
	/* from those that are not offline on, or each call would pass all that the others noted */
	static SpiPlan find = {
		"SELECT w.worker_id, u.assignments FROM (SELECT worker_id FROM hwsched.worker"
		"   WHERE pool = $1 AND health <> 'offline' ORDER BY worker_id OFFSET 0) w"
		" CROSS JOIN LATERAL (SELECT FROM hwsched.worker_load l WHERE l.pool = $1"
		"  AND l.worker_id = w.worker_id"
		"  AND l.last_seen_at < now() - make_interval(secs => $2) OFFSET 0) l"
		" JOIN hwsched.worker_usage u ON u.pool = $1 AND u.worker_id = w.worker_id"
		" ORDER BY w.worker_id LIMIT $3",
		{TEXTOID, FLOAT8OID, INT8OID},
		BY_KEY_ONLY};
	static SpiPlan leave = {"UPDATE hwsched.worker SET health = 'offline', health_since = now()"
							" WHERE pool = $1 AND worker_id = ANY ($2)",
							{TEXTOID, TEXTARRAYOID}};
	int64 before = *quota;
	int found = (int) spi_plan_run(&find, false, TEXT_VALUE(pool),
								   VALUE(Float8GetDatum(settings->offline_after)),
								   BIGINT_VALUE(Min(*quota, MOST_SILENT) + 1));
	int n = 0;

	*worker_ids = palloc(sizeof(char *) * (found + 1));
	while (n < Min(found, MOST_SILENT))
	{
		int64 cost = Max(column_int(n, 2), 1);

		/* one that is beyond any quota is taken by itself */
		if (cost > *quota && !(n == 0 && before == settings->maintain_batch))
			break;
		*quota = Max(*quota - cost, 0);
		(*worker_ids)[n] = column_text(n, 1);
		n++;
	}
	if (n < found)
	{
		*more = true;
		*quota = 0;
	}
	if (n > 0)
		spi_plan_run(&leave, false, TEXT_VALUE(pool), text_array(*worker_ids, n));
	return n;
}

/*
 * Puts workers and devices on probation whose quarantine is over; returns how many.  None is
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

	static SpiPlan devices = {
		"WITH again AS (UPDATE hwsched.device SET health = 'probation', health_since = now()"
		"  WHERE pool = $1 AND health = 'quarantined'"
		"   AND (failures_in_row > 0 OR quarantines_in_row > 0 OR health <> 'healthy')"
		"   AND now() - health_since >= make_interval(secs => least($3,"
		"    $2 * 2 ^ least(greatest(quarantines_in_row - 1, 0), 20))) RETURNING worker_id),"
		" roomier AS (UPDATE hwsched.worker_usage SET is_full = false WHERE pool = $1 AND is_full"
		"  AND worker_id IN (SELECT worker_id FROM again))"
		" SELECT FROM again",
		{TEXTOID, FLOAT8OID, FLOAT8OID}};
	Parameter first = VALUE(Float8GetDatum(QUARANTINE_SECONDS));
	Parameter most = VALUE(Float8GetDatum(QUARANTINE_MOST_SECONDS));

	return (int64) (spi_plan_run(&statement, false, TEXT_VALUE(pool), first, most) +
					spi_plan_run(&devices, false, TEXT_VALUE(pool), first, most));
}
