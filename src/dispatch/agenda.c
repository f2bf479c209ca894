/*
 * agenda.c
 *		The pools of a database, and when there is something to do in each.
 *
 * A pool is assigned when it was changed, when work in it becomes ready, and once
 * a second while it has a queue: heat, load and windows change without a word.  It
 * is maintained once a second while anything in it may run out.  Of all others, one
 * statement finds once a minute where a worker has become silent; only those are
 * maintained.  Its history is kept once a minute while it is used, else once an hour.
 * So a thousand pools that nobody uses cost next to nothing.
 *
 * What takes long is done less often, so that neither a queue that nothing fits
 * nor the look at all pools occupies a core.
 *
 * Times are seconds of a clock that is never set.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "portability/instr_time.h"
#include "utils/memutils.h"

#include "dispatch/agenda.h"
#include "support/spi_plan.h"

/* Seconds between two times of the same task in a pool: with something to do, and without. */
static const double busy_interval[TASKS] = {[RECOVER] = 1, [ASSIGN] = 1, [KEEP_HISTORY] = 60};
static const double idle_interval[TASKS] = {
	[RECOVER] = INFINITY, [ASSIGN] = INFINITY, [KEEP_HISTORY] = 3600};

/* Seconds between two looks whether idle pools have to be maintained. */
#define IDLE_INTERVAL 60

/* A task takes at most this share of the time, unless it gets something done. */
#define SHARE_OF_TASK 0.1
/* The look at all pools likewise. */
#define SHARE_OF_LOOK 0.0025
#define LOOK_INTERVAL 1
#define LONGEST_LOOK_INTERVAL 10

/* Seconds until what failed is tried again; they double with each failure. */
#define ERROR_WAIT 1
#define LONGEST_ERROR_WAIT 60

double
monotonic_seconds(void)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	return INSTR_TIME_GET_DOUBLE(now);
}

/* --- looking --- */

/*
 * What a pool has to do: whether it has a queue, in how many seconds more of that becomes
 * ready, and whether there is anything that may run out.  Each is a look into an index.
 */
#define STATE_OF_POOLS \
	"SELECT p.pool," \
	" EXISTS (SELECT FROM hwsched.pending q WHERE q.pool = p.pool OFFSET 0)," \
	" extract(epoch FROM (SELECT q.ready_at FROM hwsched.pending q WHERE q.pool = p.pool" \
	"  AND q.ready_at > now() AND q.ready_at > '-infinity' AND q.ready_at < 'infinity'" \
	"  ORDER BY q.ready_at LIMIT 1) - clock_timestamp())::float8," \
	" EXISTS (SELECT FROM hwsched.assignment a WHERE a.pool = p.pool" \
	"  AND a.finished_at IS NULL OFFSET 0)" \
	" OR EXISTS (SELECT FROM hwsched.unsettled u WHERE u.pool = p.pool OFFSET 0)" \
	" OR EXISTS (SELECT FROM hwsched.worker w WHERE w.pool = p.pool" \
	"  AND w.health <> 'healthy' AND w.health = 'quarantined' OFFSET 0)" \
	" OR EXISTS (SELECT FROM hwsched.worker w WHERE w.pool = p.pool" \
	"  AND w.drain_until IS NOT NULL OFFSET 0)" \
	" OR EXISTS (SELECT FROM hwsched.device d WHERE d.pool = p.pool" \
	"  AND (d.failures_in_row > 0 OR d.quarantines_in_row > 0 OR d.health <> 'healthy')" \
	"  AND d.health = 'quarantined' OFFSET 0)" \
	" FROM hwsched.pool p"

/* Makes a task due at a time, if it is not sooner. */
static void
not_later(AgendaPool *pool, Task task, double at)
{
	if (pool->error_wait[task] == 0)
		pool->due_at[task] = Min(pool->due_at[task], at);
}

/* Reads a row of that, and makes due what has come to be needed. */
static void
read_state(AgendaPool *pool, int row)
{
	double now = monotonic_seconds();
	double ready_in = column_number(row, 3);
	bool waiting = column_bool(row, 2);
	bool active = waiting || column_bool(row, 4);

	if (waiting && !pool->waiting)
		not_later(pool, ASSIGN, now);
	if (active && !pool->active)
	{
		not_later(pool, RECOVER, now + busy_interval[RECOVER]);
		not_later(pool, KEEP_HISTORY, now + busy_interval[KEEP_HISTORY]);
	}
	pool->waiting = waiting;
	pool->active = active;
	pool->used |= active;
	pool->ready_at = isnan(ready_in) ? INFINITY : now + Max(ready_in, 0);
	not_later(pool, ASSIGN, pool->ready_at);
}

static int
compare_pools(const void *a, const void *b)
{
	return strcmp(((const AgendaPool *) a)->name, ((const AgendaPool *) b)->name);
}

/* Returns a pool by its name; NULL: it is not known. */
static AgendaPool *
find_pool(const Agenda *agenda, const char *name)
{
	AgendaPool wanted;

	if (agenda->count == 0)
		return NULL;
	strlcpy(wanted.name, name, sizeof(wanted.name));
	return bsearch(&wanted, agenda->pools, agenda->count, sizeof(AgendaPool), compare_pools);
}

/* Returns a pool that was not known: the history of many comes due one after the other. */
static AgendaPool
new_pool(const char *name)
{
	AgendaPool pool = {.bit = pool_bit(name)};

	strlcpy(pool.name, name, sizeof(pool.name));
	for (int t = 0; t < TASKS; t++)
		pool.due_at[t] = monotonic_seconds() + idle_interval[t];
	pool.due_at[KEEP_HISTORY] -=
		idle_interval[KEEP_HISTORY] * pg_prng_double(&pg_global_prng_state);
	return pool;
}

/*
 * Makes the recovery due of idle pools that need it: for a worker that has become silent, a
 * report of load that is too old, or a clock that was set back; and one after the other of those
 * that never were.  All others are noted as maintained, as there was nothing to do.
 */
static void
check_idle(Agenda *agenda)
{
	static SpiPlan find = {
		"SELECT p.pool, EXISTS (SELECT FROM hwsched.worker_load l WHERE l.pool = p.pool"
		"  AND (l.reported_at < now() - p.load_ttl OR l.last_seen_at > now() + interval '1 minute'"
		"   OR l.last_seen_at < now() - p.offline_after AND EXISTS (SELECT FROM hwsched.worker w"
		"    WHERE w.pool = l.pool AND w.worker_id = l.worker_id AND w.health <> 'offline'"
		"    OFFSET 0)) OFFSET 0),"
		" NOT EXISTS (SELECT FROM hwsched.pool_activity a WHERE a.pool = p.pool"
		"  AND a.activity = 'maintain')"
		" FROM hwsched_internal.patience p WHERE p.pool = ANY ($1)",
		{TEXTARRAYOID}};
	static SpiPlan note = {"SELECT hwsched_internal.note_maintained($1)", {TEXTARRAYOID}};
	double now = monotonic_seconds();
	const char **idle = palloc(sizeof(char *) * (agenda->count + 1));
	int nidle = 0;
	int nfine = 0;
	int n;

	for (int i = 0; i < agenda->count; i++)
		if (!agenda->pools[i].active)
			idle[nidle++] = agenda->pools[i].name;
	n = (int) spi_plan_run(&find, false, text_array(idle, nidle));
	for (int i = 0; i < n; i++)
	{
		AgendaPool *pool = find_pool(agenda, column_text(i, 1));

		if (pool == NULL)
			continue;
		if (column_bool(i, 2))
			not_later(pool, RECOVER, now);
		else if (column_bool(i, 3))
			not_later(pool, RECOVER, now + IDLE_INTERVAL * pg_prng_double(&pg_global_prng_state));
		else
			idle[nfine++] = pool->name;
	}
	if (nfine > 0)
		spi_plan_run(&note, false, text_array(idle, nfine));
	agenda->check_at = now + IDLE_INTERVAL;
}

/*
 * Brings the list of pools up to date, and what each has to do, within a transaction.
 * What was not noted is found here.
 */
void
agenda_look(Agenda *agenda)
{
	static SpiPlan statement = {STATE_OF_POOLS " ORDER BY p.pool", {InvalidOid}};
	double now = monotonic_seconds();
	double seconds;
	int n = (int) spi_plan_execute(&statement, false, NULL, 0);
	AgendaPool *pools = MemoryContextAllocHuge(TopMemoryContext, sizeof(AgendaPool) * (n + 1));

	for (int i = 0; i < n; i++)
	{
		const char *name = column_text(i, 1);
		AgendaPool *known = find_pool(agenda, name);

		pools[i] = known != NULL ? *known : new_pool(name);
		read_state(&pools[i], i);
		if (known == NULL && pools[i].active)
			pools[i].due_at[RECOVER] = now;
	}
	if (agenda->pools != NULL)
		pfree(agenda->pools);
	agenda->pools = pools;
	agenda->count = n;
	if (agenda->check_at <= now)
		check_idle(agenda);
	seconds = monotonic_seconds() - now;
	agenda->look_at = now + Min(Max(LOOK_INTERVAL, seconds / SHARE_OF_LOOK), LONGEST_LOOK_INTERVAL);
}

/* Looks at one pool, within the transaction of a task of its own. */
void
agenda_look_at(AgendaPool *pool)
{
	static SpiPlan statement = {STATE_OF_POOLS " WHERE p.pool = $1", {TEXTOID}};

	if (spi_plan_run(&statement, false, TEXT_VALUE(pool->name)) > 0)
		read_state(pool, 0);
}

/* Takes what others have changed, and makes it due. */
void
agenda_note_changes(Agenda *agenda)
{
	double now = monotonic_seconds();
	PoolSet changed;

	dispatcher_take(&changed);
	if (pool_set_has(&changed, LIST_OF_POOLS))
		agenda->look_at = now;
	for (int i = 0; i < agenda->count; i++)
		if (pool_set_has(&changed, agenda->pools[i].bit))
		{
			agenda->pools[i].used = true;
			not_later(&agenda->pools[i], ASSIGN, now);
			not_later(&agenda->pools[i], RECOVER, now + busy_interval[RECOVER]);
		}
}

/* --- what was done --- */

/* Notes that a task took so long, and whether it has more to do at once. */
void
agenda_done(AgendaPool *pool, Task task, double seconds, bool more)
{
	double now = monotonic_seconds();
	bool busy = task == ASSIGN ? pool->waiting : task == RECOVER ? pool->active : pool->used;
	double interval = busy ? busy_interval[task] : idle_interval[task];

	pool->error_wait[task] = 0;
	pool->due_at[task] = more ? now : now + Max(interval, seconds / SHARE_OF_TASK - seconds);
	if (task == KEEP_HISTORY)
		pool->used = pool->active;
	if (task == ASSIGN)
		not_later(pool, ASSIGN, pool->ready_at);
}

/* Notes that a task failed. */
void
agenda_failed(AgendaPool *pool, Task task)
{
	double wait = Min(Max(2 * pool->error_wait[task], ERROR_WAIT), LONGEST_ERROR_WAIT);

	pool->error_wait[task] = wait;
	pool->due_at[task] = monotonic_seconds() + wait;
}

/* Returns when there is something to do next. */
double
agenda_next(const Agenda *agenda)
{
	double next = agenda->look_at;

	for (int i = 0; i < agenda->count; i++)
		for (int t = 0; t < TASKS; t++)
			next = Min(next, agenda->pools[i].due_at[t]);
	return next;
}
