/*
 * requeue.c
 *		What the next attempt does differently: it waits for a while, avoids the
 *		workers on which the work failed, asks for more memory where that ran
 *		out, and for another class of hardware where time did; what was lost
 *		twice with others runs alone.
 *
 * All of it follows from the attempts that the run has had, so nothing is lost
 * when work goes back to the queue for another reason.  And all of it holds only
 * where the fleet has something else to offer: see consider_retries.
 */
#include "postgres.h"

#include "store/cancel.h"
#include "store/notice.h"
#include "store/requeue.h"
#include "store/wakeup.h"

/* The longest wait before a retry, in seconds, unless the first one is longer. */
#define MOST_BACKOFF 300.0

/* How much more memory is asked for after it ran out, and how much at the least. */
#define MORE_MEMORY "1.5"
#define LEAST_MEMORY "1073741824"

/* The most that a document may say: what is beyond it could not be read again. */
#define MOST_MEMORY "9007199254740991"

/*
 * The profile that answers the last attempt of e(workload_id, run, attempt) that failed for want of
 * memory or time; no row if none did.  Before a first attempt none can have: nobody looks then.
 */
#define ANSWERED_SQL \
	"LATERAL (SELECT f.retry_profile, f.retry_demand," \
	"  hwsched_internal.profile_digest(f.retry_profile, f.retry_demand) AS digest" \
	" FROM (SELECT CASE a.error_class WHEN 'memory'" \
	"    THEN jsonb_set(p.profile, '{min_memory_bytes}'," \
	"     to_jsonb(least(" MOST_MEMORY ", greatest(" LEAST_MEMORY \
	", floor((p.profile ->> 'min_memory_bytes')::numeric * " MORE_MEMORY ")))::bigint))" \
	"    ELSE p.profile END AS retry_profile," \
	"   CASE a.error_class WHEN 'timeout' THEN p.demand || jsonb_build_object('avoid_class'," \
	" d.hardware_class)" \
	"    ELSE p.demand END AS retry_demand" \
	"  FROM hwsched.assignment a" \
	"  JOIN hwsched.workload_profile p ON p.pool = $1 AND p.profile_id = a.profile_id" \
	"  JOIN hwsched.device_profile d ON d.pool = $1 AND d.profile_id = a.device_profile_id" \
	"  WHERE e.attempt > 1 AND a.pool = $1 AND a.workload_id = e.workload_id AND a.run = e.run" \
	"   AND a.error_class IN ('memory', 'timeout') AND NOT a.is_gang" \
	"  ORDER BY a.assignment_id DESC LIMIT 1) f) r"

/* Returns the longest wait before a retry, in seconds. */
double
most_backoff(const PoolSettings *settings)
{
	return Max(MOST_BACKOFF, settings->retry_backoff);
}

/*
 * Puts attempts of workloads back into the queue, in their old places; those
 * that are beyond the last one are dead.  With failed, they wait first: for
 * retry_backoff, doubled with each attempt, and less by a random part of up to
 * a half, so that what failed together does not come back together.
 */
void
queue_attempts(const char *pool, int count, Parameter workload_ids, Parameter runs,
			   Parameter attempts, bool failed)
{
	static SpiPlan add_profiles = {
		"INSERT INTO hwsched.workload_profile (pool, profile, demand, digest)"
		" SELECT DISTINCT ON (r.digest) $1, r.retry_profile, r.retry_demand, r.digest"
		" FROM unnest($2, $3, $4) e(workload_id, run, attempt) CROSS JOIN " ANSWERED_SQL
		" WHERE NOT EXISTS (SELECT FROM hwsched.workload_profile p WHERE p.pool = $1"
		" AND p.digest = r.digest)"
		" ORDER BY r.digest ON CONFLICT (pool, digest) DO NOTHING",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID}};
	static SpiPlan queue = {
		"INSERT INTO hwsched.pending (pool, priority, deadline, queue_no, profile_id, run,"
		" attempt, expected_seconds, timeout_seconds, start_timeout_seconds, workload_id,"
		"  model_id, model_family, concurrency_keys, concurrency_units, submitted_at, ready_at,"
		" avoid_workers,"
		" retry_profile_id, alone, run_at, expires_at)"
		" SELECT s.pool, s.priority, s.deadline, s.queue_no, s.profile_id, s.run, e.attempt,"
		" s.expected_seconds, s.timeout_seconds, s.start_timeout_seconds, s.workload_id,"
		"  s.model_id, s.model_family, s.concurrency_keys, s.concurrency_units, s.submitted_at,"
		"  greatest(CASE WHEN $5 > 0 THEN clock_timestamp() + make_interval(secs => least($6,"
		" $5 * 2 ^ least(greatest(e.attempt - 2, 0), 30)) * (1 - random() / 2))"
		"   ELSE '-infinity' END, s.run_at),"
		" h.avoid_workers,"
		"  (SELECT p.profile_id FROM hwsched.workload_profile p WHERE p.pool = $1"
		" AND p.digest = r.digest),"
		" h.times_in_company >= 2, s.run_at, CASE WHEN NOT h.has_begun THEN s.expires_at END"
		" FROM unnest($2, $3, $4) e(workload_id, run, attempt)"
		" JOIN hwsched.submission s ON s.pool = $1 AND s.workload_id = e.workload_id"
		" AND s.run = e.run"
		" CROSS JOIN LATERAL (SELECT"
		"   array_agg(DISTINCT a.worker_id) FILTER (WHERE a.error_class IS NOT NULL"
		"    AND NOT a.is_gang) AS avoid_workers,"
		"   count(*) FILTER (WHERE a.lost_with > 0 AND NOT a.is_gang) AS times_in_company,"
		"   coalesce(bool_or(a.started_at IS NOT NULL), false) AS has_begun"
		"  FROM hwsched.assignment a WHERE a.pool = $1 AND a.workload_id = e.workload_id"
		"   AND a.run = e.run) h"
		" LEFT JOIN " ANSWERED_SQL " ON true"
		" WHERE s.outcome IS NULL AND e.attempt <= s.retries + 1",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID, FLOAT8OID, FLOAT8OID}};
	static SpiPlan mark_dead = {
		"UPDATE hwsched.submission s SET outcome = 'dead', closed_at = greatest(now(),"
		" s.submitted_at)"
		" FROM unnest($2, $3, $4) e(workload_id, run, attempt)"
		" WHERE s.pool = $1 AND s.workload_id = e.workload_id AND s.run = e.run"
		"  AND s.outcome IS NULL AND e.attempt > s.retries + 1 RETURNING s.workload_id",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID}};
	PoolSettings settings;
	const char **dead;
	int ndead;

	wake_for_work(pool);
	pool_settings_load(pool, false, &settings);
	spi_plan_run(&add_profiles, false, TEXT_VALUE(pool), workload_ids, runs, attempts);
	if (spi_plan_run(&queue, false, TEXT_VALUE(pool), workload_ids, runs, attempts,
					 VALUE(Float8GetDatum(failed ? settings.retry_backoff : 0)),
					 VALUE(Float8GetDatum(most_backoff(&settings)))) == count)
		return;
	ndead = (int) spi_plan_run(&mark_dead, false, TEXT_VALUE(pool), workload_ids, runs, attempts);
	dead = palloc(sizeof(char *) * (ndead + 1));
	for (int i = 0; i < ndead; i++)
		dead[i] = column_text(i, 1);
	if (ndead > 0)
		notify_changed(pool);
	dependencies_failed(pool, dead, ndead);
}
