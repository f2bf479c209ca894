/*
 * worker.c
 *		Workers in their table: whether one is there, its lock, its signs of life.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "store/pool.h"
#include "store/worker.h"
#include "support/subtransaction.h"
#include "support/spi_plan.h"
#include "support/strtab.h"

/* Raises ERRCODE_NO_DATA_FOUND: there is no such worker, or no such pool. */
void
unknown_worker(const char *pool, const char *worker_id)
{
	pool_check(pool, false);
	ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
					errmsg("unknown worker \"%s\" in pool \"%s\"", worker_id, pool),
					errhint("Workers register with hwsched.register_worker().")));
}

/* Raises ERRCODE_NO_DATA_FOUND if there is no such worker. */
void
worker_check(const char *pool, const char *worker_id)
{
	static SpiPlan statement = {"SELECT FROM hwsched.worker WHERE pool = $1 AND worker_id = $2",
								{TEXTOID, TEXTOID}};

	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id)) == 0)
		unknown_worker(pool, worker_id);
}

typedef struct WorkerKey
{
	const char *pool;
	const char *worker_id;
} WorkerKey;

/* Locks what a worker reports in, not to keep it. */
static bool
lock_load(void *argument)
{
	static SpiPlan statement = {
		"SELECT FROM hwsched.worker_load WHERE pool = $1 AND worker_id = $2 FOR NO KEY UPDATE",
		{TEXTOID, TEXTOID}};
	const WorkerKey *key = argument;

	spi_plan_run(&statement, false, TEXT_VALUE(key->pool), TEXT_VALUE(key->worker_id));
	return false;
}

/*
 * Waits for a transaction that has reported of a worker and is still open: it may
 * want the pool's lock before it ends, so nobody may wait for it with that.  The
 * worker's row is locked in a part of our transaction that is then given up, lest
 * we keep it from who has the pool's lock.
 */
void
worker_await(const char *pool, const char *worker_id)
{
	WorkerKey key = {pool, worker_id};

	(void) keep_if(lock_load, &key);
}

/*
 * Locks all that others change of a worker without holding the pool's lock, in
 * the order in which they do: its live assignments, its usage, its load.
 */
void
worker_lock(const char *pool, const char *worker_id)
{
	static SpiPlan statements[] = {
		{"SELECT FROM hwsched.assignment WHERE pool = $1 AND worker_id = $2 AND finished_at IS NULL"
		 " ORDER BY assignment_id FOR NO KEY UPDATE",
		 {TEXTOID, TEXTOID}},
		{"SELECT FROM hwsched.worker_usage WHERE pool = $1 AND worker_id = $2 FOR NO KEY UPDATE",
		 {TEXTOID, TEXTOID}},
		{"SELECT FROM hwsched.worker_load WHERE pool = $1 AND worker_id = $2 FOR NO KEY UPDATE",
		 {TEXTOID, TEXTOID}},
	};

	for (int i = 0; i < lengthof(statements); i++)
		spi_plan_run(&statements[i], false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
}

/* Locks them likewise, but for those that another session has; returns whether it has all. */
bool
worker_try_lock(const char *pool, const char *worker_id)
{
#define LOCKS_ALL(table, condition, order) \
	{ \
		"SELECT (SELECT count(*) FROM (SELECT FROM hwsched." table \
		"  WHERE pool = $1 AND worker_id = $2" condition " ORDER BY " order \
		"  FOR NO KEY UPDATE SKIP LOCKED) locked) = (SELECT count(*) FROM hwsched." table \
		"  WHERE pool = $1 AND worker_id = $2" condition ")", \
		{ \
			TEXTOID, TEXTOID \
		} \
	}
	static SpiPlan statements[] = {
		LOCKS_ALL("assignment", " AND finished_at IS NULL", "assignment_id"),
		LOCKS_ALL("worker_usage", "", "worker_id"),
		LOCKS_ALL("worker_load", "", "worker_id"),
	};

	for (int i = 0; i < lengthof(statements); i++)
	{
		spi_plan_run(&statements[i], false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
		if (!column_bool(0, 1))
			return false;
	}
	return true;
}

/*
 * Notes a sign of life, at most five a second.  It renews the leases of all that
 * runs on the worker, unless that has taken to naming what it runs (see
 * api/maintain.c).  Does not wait for a session that writes the worker's row: that
 * one is a sign of life itself.  Raises ERRCODE_NO_DATA_FOUND for an unknown worker.
 */
void
worker_seen(const char *pool, const char *worker_id, RunsSaid said)
{
	static SpiPlan statement = {
		"WITH known AS (SELECT last_seen_at FROM hwsched.worker_load WHERE pool = $1"
		" AND worker_id = $2),"
		" free AS (SELECT FROM hwsched.worker_load WHERE pool = $1 AND worker_id = $2"
		"   AND (last_seen_at < clock_timestamp() - interval '200 milliseconds'"
		"    OR names_runs <> $3)"
		"   FOR NO KEY UPDATE SKIP LOCKED),"
		" seen AS (UPDATE hwsched.worker_load SET last_seen_at = clock_timestamp(),"
		"   names_runs = coalesce($3, names_runs)"
		"   WHERE pool = $1 AND worker_id = $2 AND EXISTS (SELECT FROM free))"
		" SELECT FROM known",
		{TEXTOID, TEXTOID, BOOLOID}};

	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
					 said == SAID_NOTHING ? NULL_VALUE : VALUE(BoolGetDatum(said == SAID_SOME))) ==
		0)
		unknown_worker(pool, worker_id);
}

/* --- names of labels --- */

/*
 * The names of labels that workers and devices of a pool have, as a session last read
 * them.  They are for warnings only, so they may be some seconds old.
 */
typedef struct LabelNames
{
	MemoryContext context;
	char *pool;
	TimestampTz read_at;
	HTAB *names;
} LabelNames;

#define LABEL_NAMES_LAST_MS 10000

static LabelNames *label_names = NULL;

/* Makes this session read the names of labels anew when they are asked for. */
void
label_names_forget(void)
{
	if (label_names != NULL)
		MemoryContextDelete(label_names->context);
	label_names = NULL;
}

static void
read_label_names(const char *pool, bool read_only)
{
	static SpiPlan statement = {
		"SELECT DISTINCT k FROM hwsched.worker w CROSS JOIN jsonb_object_keys(w.labels) k"
		" WHERE w.pool = $1"
		" UNION SELECT k FROM hwsched.device d CROSS JOIN jsonb_object_keys(d.labels) k"
		" WHERE d.pool = $1 AND d.labels IS NOT NULL",
		{TEXTOID}};
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hwsched label names", ALLOCSET_SMALL_SIZES);
	LabelNames *names = MemoryContextAlloc(context, sizeof(LabelNames));
	uint64 n = spi_plan_run(&statement, read_only, TEXT_VALUE(pool));
	MemoryContext caller = MemoryContextSwitchTo(context);

	names->context = context;
	names->pool = pstrdup(pool);
	names->read_at = GetCurrentTransactionStartTimestamp();
	names->names = strtab_create("hwsched label names");
	for (uint64 i = 0; i < n; i++)
	{
		char *name = column_text(i, 1);
		bool found;

		(void) strtab_enter(names->names, name, strlen(name), &found);
	}
	MemoryContextSwitchTo(caller);
	label_names_forget();
	MemoryContextSetParent(context, TopMemoryContext);
	label_names = names;
}

/* Returns whether some worker or device of a pool has a label of a name. */
bool
is_label_name(const char *pool, const char *name, bool read_only)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();

	if (label_names == NULL || strcmp(label_names->pool, pool) != 0 ||
		TimestampDifferenceExceeds(label_names->read_at, now, LABEL_NAMES_LAST_MS))
		read_label_names(pool, read_only);
	return strtab_find(label_names->names, name, strlen(name)) != NULL;
}
