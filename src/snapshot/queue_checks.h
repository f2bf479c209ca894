/*
 * queue_checks.h
 *		What keeps work of the queue waiting whatever room there is.
 */
#ifndef HWSCHED_SNAPSHOT_QUEUE_CHECKS_H
#define HWSCHED_SNAPSHOT_QUEUE_CHECKS_H

#include "store/assignment.h"
#include "store/authz.h"

/*
 * A row for each check that work of a queue, a relation of rows like those of hwsched.pending of
 * the pool $1, fails whatever room there is, as SQL; none for what may be placed: the rule of
 * MAY_BE_PLACED in words.  The first reason of a workload is the one with the least ord and the
 * greatest urgency.  Each parent and each key is looked at once, however many wait.
 * Who sees the work of some tenants only (NULL: all) is not told who has a key.
 */
#define QUEUE_CHECKS_SQL(queue, tenants) \
	"SELECT p.queue_no, 1 AS ord, 0 AS urgency, NULL::text COLLATE \"C\" AS item," \
	"  'expires_at' AS check_name, NULL::float8 AS needed, NULL::float8 AS available," \
	"  NULL::float8 AS total, NULL::text AS unit, format('expired at %s', p.expires_at) AS reason" \
	" FROM " queue " p WHERE p.expires_at <= now()" \
	" UNION ALL" \
	" SELECT p.queue_no, 2," \
	"  coalesce(array_position(enum_range(NULL::hwsched.workload_state), s.state), 99)," \
	"  d.depends_on, 'depends_on', NULL, NULL, NULL, NULL," \
	"  format('waits for workload \"%s\", which is %s%s', d.depends_on," \
	"   coalesce(s.state::text, 'not known any more')," \
	"   CASE s.state WHEN 'dead' THEN ': retry_dead() or submitting that again lets it go on'" \
	"    WHEN 'cancelled' THEN ': submitting that again lets it go on' END)" \
	" FROM " queue " p" \
	" JOIN hwsched.dependency d ON d.pool = $1 AND d.workload_id = p.workload_id" \
	" LEFT JOIN hwsched.workload s ON s.pool = $1 AND s.workload_id = d.depends_on" \
	" WHERE p.ready_at = 'infinity' AND s.state IS DISTINCT FROM 'completed'" \
	" UNION ALL" \
	" SELECT p.queue_no, 3, 0, NULL, 'run_at', extract(epoch FROM p.run_at - now())::float8, 0," \
	"  NULL, 's', format('not before %s', p.run_at)" \
	" FROM " queue " p WHERE p.run_at > now()" \
	" UNION ALL" \
	" SELECT p.queue_no, 4, 0, y.worker_id, CASE WHEN y.worker_id IS NULL THEN 'retry_backoff'" \
	"   ELSE 'yield' END, extract(epoch FROM p.ready_at - now())::float8, 0, NULL, 's'," \
	"  CASE WHEN y.worker_id IS NULL THEN 'waits for its retry'" \
	"   ELSE format('waits for worker \"%s\" to yield it', y.worker_id) END" \
	" FROM " queue " p LEFT JOIN LATERAL (SELECT a.worker_id FROM hwsched.assignment a" \
	"   WHERE a.pool = $1 AND a.workload_id = p.workload_id AND a.run = p.run" \
	"    AND a.attempt = p.attempt AND a.error = '" PREEMPTED "'" \
	"   ORDER BY a.assignment_id DESC LIMIT 1) y ON true" \
	" WHERE p.ready_at > now() AND p.ready_at < 'infinity'" \
	"  AND p.ready_at IS DISTINCT FROM p.run_at" \
	" UNION ALL" \
	" SELECT k.queue_no, 5, 0, k.key, 'concurrency_key', k.units," \
	"  greatest(u.concurrent_limit - u.in_use, 0), u.concurrent_limit, 'units', CASE" \
	"   WHEN k.units > u.concurrent_limit THEN" \
	"    format('needs %s of its concurrency_key \"%s\", whose limit is %s'," \
	"     k.units, u.key, u.concurrent_limit)" \
	"   WHEN u.concurrent_limit = 1 AND u.in_use > 0 THEN" \
	"    format('waits for its concurrency_key \"%s\", which %s has', u.key," \
	"     CASE WHEN " tenants " IS NULL THEN format('workload \"%s\"', u.held_by)" \
	"      ELSE 'other work' END)" \
	"   WHEN u.in_use + k.units > u.concurrent_limit THEN" \
	"    format('waits for %s of its concurrency_key \"%s\": %s of %s are in use'," \
	"     k.units, u.key, u.in_use, u.concurrent_limit)" \
	"   ELSE format('waits for its concurrency_key \"%s\": placed %s times in a minute," \
	" limit %s', u.key, u.used_last_minute, u.per_minute_limit) END" \
	" FROM (SELECT q.queue_no, e.key, e.units FROM " queue " q" \
	"   CROSS JOIN LATERAL unnest(q.concurrency_keys, q.concurrency_units) e(key, units)" \
	"   WHERE q.concurrency_keys IS NOT NULL) k" \
	" JOIN hwsched.limit_usage u ON u.pool = $1 AND u.key = k.key" \
	" WHERE k.units + u.in_use > u.concurrent_limit OR u.used_last_minute >= u.per_minute_limit"

/* A check that one workload of the queue fails. */
typedef struct QueueCheck
{
	const char *name;
	const char *item; /* the parent or key; NULL: none */
	double needed; /* NAN, as the next: it has no such number */
	double available;
	double total;
	const char *unit; /* NULL: none */
	const char *text;
} QueueCheck;

extern int queue_checks(const Scope *scope, const char *pool, const char *workload_id,
						QueueCheck **found);

#endif /* HWSCHED_SNAPSHOT_QUEUE_CHECKS_H */
