/*
 * claim.c
 *		What workers do with what they are to run: claiming and starting it,
 *		keeping its lease, and asking about it, as they cannot read the tables.
 *
 * What is done most, starting work that is assigned, changes the assignment and
 * nothing else; for all that touches usage or the queue the pool is locked.
 * A lease counts from when it is granted, not from the begin of a transaction
 * that may have done other things or waited before.
 * The functions that ask write nothing and are volatile all the same, so that
 * they see what claim() in the same statement has just placed.
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "storage/proc.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "api/claim.h"
#include "api/expires_at.h"
#include "api/progress.h"
#include "api/rebalance.h"
#include "api/settle.h"
#include "api/transition.h"
#include "api/worker.h"
#include "document/document.h"
#include "place/booking.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/greedy.h"
#include "place/search_policy.h"
#include "place/spare.h"
#include "snapshot/policy_context.h"
#include "snapshot/decision_writer.h"
#include "snapshot/fleet.h"
#include "snapshot/queue.h"
#include "snapshot/reservations.h"
#include "store/assignment.h"
#include "store/pool.h"
#include "store/worker.h"
#include "support/args.h"
#include "support/subtransaction.h"

PG_FUNCTION_INFO_V1(hwsched_claim);
PG_FUNCTION_INFO_V1(hwsched_start);
PG_FUNCTION_INFO_V1(hwsched_extend_lease);
PG_FUNCTION_INFO_V1(hwsched_requirements);
PG_FUNCTION_INFO_V1(hwsched_running_on);

/* Raises an error for an assignment that must not start any more, though it is assigned. */
static void
refuse_to_start(const char *pool, int64 assignment_id)
{
	static SpiPlan statement = {
		"SELECT a.expires_at::text, NOT " NOT_EXPIRED(
			"a") ", w.worker_id, w.drain_at::text"
				 " FROM hwsched.assignment a"
				 " JOIN hwsched.worker w ON w.pool = a.pool AND w.worker_id = a.worker_id"
				 " WHERE a.pool = $1 AND a.assignment_id = $2 AND a.state = 'assigned'"
				 "  AND NOT (" MAY_START("a", "a.pool", "a.worker_id") ")",
		{TEXTOID, INT8OID}};

	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id)) == 0)
		return;
	if (column_bool(0, 2))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("assignment %lld has expired", (long long) assignment_id),
						errdetail("It was to start by its expires_at, %s.", column_text(0, 1)),
						errhint("The next call of maintain() or assign_pending() cancels it.")));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("assignment %lld would reach into the maintenance window of worker \"%s\"",
					(long long) assignment_id, column_text(0, 3)),
			 errdetail("The window begins at %s.", column_text(0, 4)),
			 errhint("The next call of maintain() takes it back for another worker.")));
}

/* start(assignment_id bigint, pool text) RETURNS void */
Datum
hwsched_start(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"UPDATE hwsched.assignment a SET state = 'running', started_at ="
		" greatest(clock_timestamp(), assigned_at),"
		"  lease_until = clock_timestamp() + make_interval(secs => $3)"
		" WHERE a.pool = $1 AND a.assignment_id = $2"
		" AND a.state = 'assigned' AND " MAY_START("a", "a.pool", "a.worker_id"),
		{TEXTOID, INT8OID, FLOAT8OID}};
	int64 assignment_id = bigint_argument(0);
	char *pool = text_argument(fcinfo, 1);
	char *state;
	PoolSettings settings;
	Caller caller;

	caller = call_begin(fcinfo);
	pool_settings_load(pool, false, &settings);
	(void) find_assignment(&caller, pool, assignment_id, &state);
	if (settings.paused)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("pool \"%s\" is paused", pool),
						errhint("Nothing is started until hwsched.resume_pool() is called.")));
	lock_assignment(pool, assignment_id);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id),
					 VALUE(Float8GetDatum(settings.lease))) == 0)
	{
		refuse_to_start(pool, assignment_id);
		assignment_not_in_state(&caller, pool, assignment_id, "started", "assigned");
	}
	call_end(&caller);
	PG_RETURN_VOID();
}

/* extend_lease(assignment_id bigint, by interval, pool text) RETURNS void */
Datum
hwsched_extend_lease(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"UPDATE hwsched.assignment SET lease_until = greatest(lease_until, clock_timestamp() + $3)"
		" WHERE pool = $1 AND assignment_id = $2 AND state = 'running'",
		{TEXTOID, INT8OID, INTERVALOID}};
	int64 assignment_id = bigint_argument(0);
	Datum by = argument(fcinfo, 1);
	static const Interval nothing = {0, 0, 0};
	static const Interval one_year = {0, 0, 12};
	char *pool = text_argument(fcinfo, 2);
	char *state;
	Caller caller;

	if (DatumGetBool(DirectFunctionCall2(interval_le, by, IntervalPGetDatum(&nothing))) ||
		DatumGetBool(DirectFunctionCall2(interval_gt, by, IntervalPGetDatum(&one_year))))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"by\": %s",
							   DatumGetCString(DirectFunctionCall1(interval_out, by))),
						errdetail("Expected an interval above 0, of at most a year.")));
	caller = call_begin(fcinfo);
	(void) find_assignment(&caller, pool, assignment_id, &state);
	lock_assignment(pool, assignment_id);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id), VALUE(by)) ==
		0)
		assignment_not_in_state(&caller, pool, assignment_id, "extended", "running");
	call_end(&caller);
	PG_RETURN_VOID();
}

/* --- claiming --- */

/*
 * Up to where a session has claimed a worker's work.  What is claimed and done
 * stays in the index until it is vacuumed, which it is not while a snapshot
 * elsewhere is held open; walking past all of it, from the beginning each time,
 * would make claiming slower and slower.
 *
 * It is forgotten after a moment: another session may have left something
 * behind, and more urgent work may have come.  A walk that took long is
 * repeated less often, so that walking takes a small part of the time.
 */
typedef struct ClaimMark
{
	char pool[201];
	char worker_id[1001];
	int32 priority;
	int64 assignment_id;
	TimestampTz good_until;
} ClaimMark;

#define MARK_LASTS_US 100000
#define MARK_LASTS_WALKS 20
#define MARK_LASTS_AT_MOST_US 1000000

static ClaimMark mark;

static bool
mark_is_good(const char *pool, const char *worker_id, TimestampTz now)
{
	/* nor is one from the future: the clock has been set back */
	return now < mark.good_until && now >= mark.good_until - MARK_LASTS_AT_MOST_US &&
		   strcmp(mark.pool, pool) == 0 && strcmp(mark.worker_id, worker_id) == 0;
}

/* Moves the mark to the last of the assignments in SPI_tuptable. */
static void
move_mark(const char *pool, const char *worker_id, uint64 started, TimestampTz now)
{
	TupleDesc description = SPI_tuptable->tupdesc;
	bool isnull;

	if (!mark_is_good(pool, worker_id, now))
	{
		if (strlcpy(mark.pool, pool, sizeof(mark.pool)) >= sizeof(mark.pool) ||
			strlcpy(mark.worker_id, worker_id, sizeof(mark.worker_id)) >= sizeof(mark.worker_id))
			return;
		mark.good_until =
			now + Min(MARK_LASTS_US + MARK_LASTS_WALKS * (GetCurrentTimestamp() - now),
					  MARK_LASTS_AT_MOST_US);
	}
	mark.priority =
		DatumGetInt16(column(started - 1, SPI_fnumber(description, "priority"), &isnull));
	mark.assignment_id = column_bigint(started - 1, SPI_fnumber(description, "assignment_id"));
}

/* Does what start_assigned() does where priorities age: they do while work is assigned, too. */
static uint64
start_aged(const char *pool, const char *worker_id, int n, const PoolSettings *settings)
{
#define AGED(a) "hwsched_internal.aged_priority(" a ".priority, " a ".assigned_at, $5)"
	static SpiPlan statement = {
		"WITH started AS (UPDATE hwsched.assignment a SET state = 'running', started_at ="
		" greatest(clock_timestamp(), a.assigned_at),"
		"  lease_until = clock_timestamp() + make_interval(secs => $4)"
		" WHERE a.pool = $1 AND a.finished_at IS NULL AND a.ctid = ANY (ARRAY("
		"  SELECT b.ctid FROM hwsched.assignment b"
		"  WHERE b.pool = $1 AND b.worker_id = $2 AND b.finished_at IS NULL"
		" AND b.state = 'assigned' AND " MAY_START("b", "$1", "$2") "  ORDER BY " AGED(
			"b") ", b.assignment_id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)) RETURNING a.*)"
				 " SELECT s.* FROM started s ORDER BY " AGED("s") ", s.assignment_id",
		{TEXTOID, TEXTOID, INT4OID, FLOAT8OID, FLOAT8OID}};

	return spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id), INT_VALUE(n),
						VALUE(Float8GetDatum(settings->lease)),
						VALUE(Float8GetDatum(settings->ageing)));
}

/* Starts up to n of the worker's assigned work; leaves the rows in SPI_tuptable. */
static uint64
start_assigned(const char *pool, const char *worker_id, int n, const PoolSettings *settings)
{
#define START_SQL(which) \
	"UPDATE hwsched.assignment a SET state = 'running', started_at =" \
	" greatest(clock_timestamp(), a.assigned_at)," \
	"  lease_until = clock_timestamp() + make_interval(secs => $4)" \
	" WHERE a.pool = $1 AND a.finished_at IS NULL AND a.ctid = " which "(" \
	"  SELECT b.ctid FROM hwsched.assignment b" \
	"  WHERE b.pool = $1 AND b.worker_id = $2 AND b.finished_at IS NULL AND b.state = 'assigned'" \
	"   AND " MAY_START( \
		"b", "$1", \
		"$2") "   AND (b.priority, b.assignment_id) > ($5, $6)" \
			  "  ORDER BY b.priority, b.assignment_id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)"
#define START_TYPES \
	{ \
		TEXTOID, TEXTOID, INT4OID, FLOAT8OID, INT4OID, INT8OID \
	}
	/* one needs no order, and is most often asked for */
	static SpiPlan one = {START_SQL("") " RETURNING a.*", START_TYPES};
	static SpiPlan some = {
		"WITH started AS (" START_SQL(
			"ANY (ARRAY") ") RETURNING a.*)"
						  " SELECT * FROM started ORDER BY priority, assignment_id",
		START_TYPES};
	TimestampTz now = GetCurrentTimestamp();
	bool marked = mark_is_good(pool, worker_id, now);
	uint64 started;

	if (settings->ageing > 0)
		return start_aged(pool, worker_id, n, settings);
	started = spi_plan_run(n == 1 ? &one : &some, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
						   INT_VALUE(n), VALUE(Float8GetDatum(settings->lease)),
						   INT_VALUE(marked ? mark.priority : 0),
						   BIGINT_VALUE(marked ? mark.assignment_id : 0));
	if (started == 0 && marked)
	{
		mark.good_until = 0;
		return start_assigned(pool, worker_id, n, settings);
	}
	if (started > 0)
		move_mark(pool, worker_id, started, now);
	return started;
}

/* What start_assigned() is asked, and what it did. */
typedef struct Start
{
	const char *pool;
	const char *worker_id;
	int n;
	const PoolSettings *settings;
	uint64 started;
} Start;

static bool
start_any(void *argument)
{
	Start *start = argument;

	start->started = start_assigned(start->pool, start->worker_id, start->n, start->settings);
	return start->started > 0;
}

/*
 * Does so while the pool is not locked.  Returns false if nothing was started
 * and the caller must not wait for the pool: what another has just claimed is
 * not started, but may well have been locked by the time that is known.
 */
static bool
start_assigned_first(const char *pool, const char *worker_id, int n, const PoolSettings *settings,
					 uint64 *started)
{
	Start start = {pool, worker_id, n, settings};

	if (!TransactionIdIsValid(GetCurrentTransactionIdIfAny()))
	{
		/* whoever has locked a row has a transaction id */
		*started = start_assigned(pool, worker_id, n, settings);
		return *started > 0 || !TransactionIdIsValid(GetCurrentTransactionIdIfAny());
	}
	/* in a longer transaction, a lock is given up again with a part of it */
	(void) keep_if(start_any, &start);
	*started = start.started;
	return true;
}

/* Leaves one worker as the only one that gets anything. */
static void
bar_others(PoolSnapshot *snapshot, const char *worker_id)
{
	int keep = fleet_worker(&snapshot->fleet, worker_id);

	for (int w = 0; w < snapshot->fleet.nworkers; w++)
		if (w != keep)
			search_cordon(&snapshot->search, w);
	snapshot->search.partial = true;
	snapshot->search.claimant = keep + 1;
}

/*
 * Begins a snapshot for a worker that asks for work.  It is there, as it asks;
 * but that is noted only once nothing has to be waited for any more.
 */
static void
begin_claim(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	snapshot_settings(snapshot, pool, read_only);
	if (read_only)
		snapshot->settings.offline_after = MOST_SECONDS;
}

/*
 * Finds which profiles of the queue's work a worker has room for; returns their
 * number and sets *profile_ids.  Gangs are for who sees the whole fleet.
 */
static int
fitting_profiles(const char *pool, const char *worker_id, bool read_only, int64 **profile_ids)
{
	PoolSnapshot snapshot;
	Candidate candidate;
	int kept = 0;
	int n = queue_profiles(pool, read_only, profile_ids);

	if (n == 0)
		return 0;
	begin_claim(&snapshot, pool, read_only);
	snapshot_profiles(&snapshot, pool, *profile_ids, n, read_only);
	snapshot_worker(&snapshot, pool, worker_id, read_only);
	for (int k = 0; k < snapshot.search.nkinds && snapshot.fleet.nworkers > 0; k++)
	{
		WorkKind *kind = &snapshot.search.kinds[k];

		if (!is_gang(kind) && search_candidate(&snapshot.search, kind, 0, &candidate) == FITS)
			(*profile_ids)[kept++] = kind->profile_id;
	}
	return kept;
}

/*
 * Keeps from a worker what it would open an accelerator for, while something elsewhere
 * spares it: a CPU, or an accelerator that is in use.
 */
static void
bar_sparing_kinds(PoolSnapshot *snapshot, int worker)
{
	Search *search = &snapshot->search;

	for (int k = 0; k < search->nkinds; k++)
	{
		WorkKind *kind = &search->kinds[k];
		Candidate candidate;
		double score;

		if (!spares_accelerators(search, kind) ||
			spared_candidate(search, kind, worker, &candidate) != FITS || candidate.sparing > 0 ||
			is_in_use(&snapshot->fleet.devices[candidate.devices[0]]))
			continue;
		kind->barred =
			policy_search_best(search, kind, &candidate, &score) && candidate.worker != worker &&
			(candidate.sparing > 0 || is_in_use(&snapshot->fleet.devices[candidate.devices[0]]));
	}
}

/*
 * Returns whether a decision takes accelerators that were not in use for work that is to spare
 * them.
 */
static bool
opens_accelerators(const PoolSnapshot *snapshot)
{
	const Search *search = &snapshot->search;

	for (int i = 0; i < search->nplacements; i++)
	{
		const Placement *placement = &search->placements[i];
		const Device *device = &snapshot->fleet.devices[search->chosen[placement->first_device]];

		if (spares_accelerators(search, &search->kinds[snapshot->items[placement->item].kind]) &&
			device->sparing == 0 && device->share == 0 && device->slots <= search->nplacements)
			return true;
	}
	return false;
}

/*
 * Decides which of the queue's work of some profiles a worker gets, n at most,
 * from the first most that may be placed, looking at the whole fleet or not;
 * returns how much.
 */
static int
decide_for(PoolSnapshot *snapshot, const char *pool, const char *worker_id,
		   const int64 *profile_ids, int count, int64 most, int n, bool whole, bool read_only)
{
	begin_claim(snapshot, pool, read_only);
	snapshot_queue_of(snapshot, pool, profile_ids, count, most, read_only);
	if (snapshot->nitems == 0)
		return 0;
	/* whether a retry has anywhere else to go, only the whole fleet tells */
	whole = whole || snapshot->nretries > 0;
	snapshot_fleet(snapshot, pool, whole ? NULL : worker_id, read_only);
	load_reservations(snapshot, pool, read_only);
	if (whole && fleet_worker(&snapshot->fleet, worker_id) >= 0)
		bar_sparing_kinds(snapshot, fleet_worker(&snapshot->fleet, worker_id));
	if (whole)
		bar_others(snapshot, worker_id);
	search_place(&snapshot->search, snapshot->items, snapshot->nitems, n);
	return snapshot->search.nplacements;
}

/*
 * Assigns up to n of the pending work to a worker; returns how much.  With
 * read_only it only says how much that would be; else the pool is locked.
 */
static int64
pull(const char *pool, const char *worker_id, int n, bool read_only)
{
	/* The head of the queue will do, unless none of it may be placed there. */
	static const int64 heads[] = {1000, -1};
	int64 *profile_ids;
	int count = fitting_profiles(pool, worker_id, read_only, &profile_ids);

	for (int i = 0; i < lengthof(heads) && count > 0; i++)
	{
		PoolSnapshot snapshot;
		int placed = decide_for(&snapshot, pool, worker_id, profile_ids, count, heads[i], n, false,
								read_only);

		/* whether that is spared elsewhere, only the whole fleet tells */
		if (opens_accelerators(&snapshot))
			placed = decide_for(&snapshot, pool, worker_id, profile_ids, count, heads[i], n, true,
								read_only);
		if (placed > 0)
			return read_only ? placed : write_decisions(&snapshot, pool, false);
		if (snapshot.nitems < heads[i])
			break;
	}
	return 0;
}

/*
 * Returns whether a worker would get anything if it locked the pool.  Idle
 * workers ask again and again: only who has something to take may keep others
 * from the lock.
 */
static bool
finds_work(const char *pool, const char *worker_id, int n, bool may_steal)
{
	bool found;

	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	found =
		pull(pool, worker_id, n, true) > 0 || (may_steal && steal(pool, worker_id, n, true) > 0);
	PopActiveSnapshot();
	return found;
}

/* How often who must not wait for a pool's lock looks whether it is free. */
#define LOOK_EVERY_US 1000

/*
 * Locks a pool for who holds other locks that the pool's holder may be waiting
 * for: gives up when the two would have been found to wait in a circle.
 */
static bool
lock_in_time(const char *pool, Settled *settled)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), DeadlockTimeout);

	while (!pool_try_lock_to_decide(pool, settled))
	{
		if (GetCurrentTimestamp() >= until)
			return false;
		CHECK_FOR_INTERRUPTS();
		pg_usleep(LOOK_EVERY_US);
	}
	return true;
}

/*
 * Claims up to n assignments of a worker and returns their rows from the SQL
 * function.  It takes what the worker was assigned, else pending work and, with
 * may_steal, what others have not started.  With has_completed, the caller has
 * locked assignments that it completes in the same call; what those held is free.
 */
void
claim_work(FunctionCallInfo fcinfo, const char *pool, const char *worker_id, int n,
		   PoolSettings *settings, bool may_steal, bool has_completed)
{
	uint64 started;
	bool may_wait = false;
	bool locked;
	bool seen = mark_is_good(pool, worker_id, GetCurrentTimestamp()); /* a moment ago */
	Settled settled = {0};

	if (!seen)
		worker_back(pool, worker_id);
	if (has_completed)
		started = start_assigned(pool, worker_id, settings->paused ? 0 : n, settings);
	else
		may_wait =
			start_assigned_first(pool, worker_id, settings->paused ? 0 : n, settings, &started);
	if (started == 0)
	{
		worker_check(pool, worker_id);
		if (may_wait)
			worker_back(pool, worker_id);
		if (!settings->paused && finds_work(pool, worker_id, n, may_steal))
		{
			locked = may_wait;
			if (may_wait)
				pool_lock_to_decide(pool, &settled);
			else
				locked = has_completed ? lock_in_time(pool, &settled) :
										 pool_try_lock_to_decide(pool, &settled);
			if (locked)
			{
				/* who has been silent gets nothing, and now it is not */
				worker_seen(pool, worker_id, SAID_NOTHING);
				seen = true;
				/* whom we waited for may have had something for us, or have paused the pool */
				pool_settings_load(pool, false, settings);
				n = settings->paused ? 0 : n;
				started = start_assigned(pool, worker_id, n, settings);
				if (started == 0 && (pull(pool, worker_id, n, false) > 0 ||
									 (may_steal && steal(pool, worker_id, n, false) > 0)))
					started = start_assigned(pool, worker_id, n, settings);
			}
		}
	}
	if (started > 0)
		return_rows(fcinfo);
	learn_settled(pool, &settled);
	if (!seen)
		worker_seen(pool, worker_id, SAID_NOTHING);
}

/* Raises ERRCODE_INVALID_PARAMETER_VALUE for a number of assignments that nobody can ask for. */
int
most_assignments_argument(FunctionCallInfo fcinfo, int number)
{
	int n = DatumGetInt32(argument(fcinfo, number));

	if (n < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"max_assignments\": %d", n),
						errdetail("Expected a number above 0.")));
	return n;
}

/* claim(worker_id text, max_assignments int, steal boolean, pool text) RETURNS SETOF assignment */
Datum
hwsched_claim(PG_FUNCTION_ARGS)
{
	char *worker_id = text_argument(fcinfo, 0);
	int n = most_assignments_argument(fcinfo, 1);
	bool may_steal = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	char *pool = text_argument(fcinfo, 3);
	PoolSettings settings;
	Caller caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	pool_settings_load(pool, false, &settings);
	authz_check_worker(&caller, pool, worker_id);
	claim_work(fcinfo, pool, worker_id, n, &settings, may_steal, false);
	call_end(&caller);
	return (Datum) 0;
}

/* --- asking --- */

/* requirements(assignment_id bigint, pool text) RETURNS jsonb: of a live one */
Datum
hwsched_requirements(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"SELECT a.worker_id, a.state::text, a.finished_at IS NULL,"
		"  s.requirements || pg_catalog.jsonb_build_object('test_id', s.workload_id, 'timeout',"
		" s.timeout_seconds)"
		"  || coalesce((SELECT pg_catalog.jsonb_build_object('note', y.result)"
		"    FROM hwsched.assignment y WHERE y.pool = a.pool AND y.workload_id = a.workload_id"
		"     AND y.run = a.run AND y.error = '" YIELDED "' AND y.result IS NOT NULL"
		"    ORDER BY y.assignment_id DESC LIMIT 1), '{}')"
		" FROM hwsched.assignment a LEFT JOIN hwsched.submission s"
		"  ON s.pool = a.pool AND s.workload_id = a.workload_id AND s.run = a.run"
		" AND a.finished_at IS NULL"
		" WHERE a.pool = $1 AND a.assignment_id = $2",
		{TEXTOID, INT8OID}};
	int64 assignment_id = bigint_argument(0);
	char *pool = text_argument(fcinfo, 1);
	Caller caller = call_begin(fcinfo);
	char *worker_id;
	char *state;
	bool live;
	Datum result;

	authz_check_runs(&caller, pool);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id)) == 0)
	{
		pool_check(pool, false);
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND), errmsg("unknown assignment %lld in pool \"%s\"",
														(long long) assignment_id, pool)));
	}
	worker_id = column_text(0, 1);
	state = column_text(0, 2);
	live = column_bool(0, 3);
	result = live ? SPI_datumTransfer(JsonbPGetDatum(column_jsonb(0, 4)), false, -1) : (Datum) 0;
	authz_check_worker(&caller, pool, worker_id);
	if (!live)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("assignment %lld is %s", (long long) assignment_id, state),
				 errdetail("What it is to run can be asked while it is assigned or running.")));
	call_end(&caller);
	PG_RETURN_DATUM(result);
}

/* running_on(worker_id text, pool text) RETURNS SETOF assignment */
Datum
hwsched_running_on(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"SELECT * FROM hwsched.assignment WHERE pool = $1 AND worker_id = $2"
		" AND finished_at IS NULL AND state = 'running'"
		" ORDER BY priority, assignment_id",
		{TEXTOID, TEXTOID}};
	char *worker_id = text_argument(fcinfo, 0);
	char *pool = text_argument(fcinfo, 1);
	Caller caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	authz_check_worker(&caller, pool, worker_id);
	worker_check(pool, worker_id);
	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
	return_rows(fcinfo);
	call_end(&caller);
	return (Datum) 0;
}
