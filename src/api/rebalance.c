/*
 * rebalance.c
 *		Work that changes its place before it has started: an idle worker takes
 *		it, or it is moved to where less is going on.
 *
 * The old assignment ends as expired, and the workload goes through the queue,
 * within one transaction: what is written is what any decision writes.
 */
#include "postgres.h"

#include "api/assign.h"
#include "api/expires_at.h"
#include "api/rebalance.h"
#include "api/settle.h"
#include "document/document.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/greedy.h"
#include "place/reservation.h"
#include "place/spare.h"
#include "snapshot/policy_context.h"
#include "snapshot/decision_writer.h"
#include "snapshot/fleet.h"
#include "snapshot/queue.h"
#include "snapshot/reservations.h"
#include "store/notice.h"
#include "store/pool.h"
#include "support/args.h"

PG_FUNCTION_INFO_V1(hwsched_rebalance);

/*
 * Among how many others a worker looks for something to steal, and how far down the backlog of
 * each, unless it is to get more.
 */
#define MOST_STOLEN_FROM 10

/* Work that is assigned and has not started; gangs stay where they are. */
typedef struct WaitingAssignment
{
	int64 assignment_id;
	const char *workload_id;
	const char *worker_id;
	int64 profile_id;
	int32 beside; /* live assignments of its worker, itself included */
	bool on_cpu;
	Datum failed_on; /* a text[] of the workers on which this run has failed; 0: none */
	EndedAssignment holds;
} WaitingAssignment;

#define WAITING_SQL \
	"SELECT " ROW_COLUMNS ", a.profile_id, u.assignments, d.hardware_class = 'cpu'," \
	" (SELECT array_agg(f.worker_id) FROM hwsched.assignment f WHERE f.pool = a.pool" \
	"   AND f.workload_id = a.workload_id AND f.run = a.run AND f.error_class IS NOT NULL)" \
	" FROM hwsched.assignment a" \
	" JOIN hwsched.device_profile d ON d.pool = a.pool AND d.profile_id = a.device_profile_id" \
	" JOIN hwsched.workload_profile p ON p.pool = a.pool AND p.profile_id = a.profile_id" \
	" JOIN hwsched.worker_usage u ON u.pool = a.pool AND u.worker_id = a.worker_id" \
	" WHERE a.pool = $1 AND a.finished_at IS NULL AND a.state = 'assigned' AND NOT a.is_gang" \
	" AND NOT p.demand ?| '{group_apart,spread_by}'" \
	" AND " MAY_START("a", "a.pool", "a.worker_id") /* nor into a minute that is full */ \
		" AND NOT EXISTS (SELECT FROM hwsched.key_holder h" \
		"  WHERE h.pool = a.pool AND h.assignment_id = a.assignment_id AND h.key = ANY (ARRAY(" \
		"   SELECT u.key FROM hwsched.limit_usage u WHERE u.pool = $1" \
		"    AND u.used_last_minute >= u.per_minute_limit)))"

/* Reads the rows of WAITING_SQL; returns their number and sets *waiting. */
static int
read_waiting(WaitingAssignment **waiting)
{
	EndedAssignment *holds;
	int n = read_ended(&holds);

	*waiting = palloc(sizeof(WaitingAssignment) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		bool isnull;
		Datum failed_on = column(i, ended_row.count + 4, &isnull);

		(*waiting)[i] = (WaitingAssignment){
			holds[i].assignment_id,
			holds[i].workload_id,
			holds[i].worker_id,
			column_bigint(i, ended_row.count + 1),
			column_int(i, ended_row.count + 2),
			column_bool(i, ended_row.count + 3),
			isnull ? (Datum) 0 : PointerGetDatum(DatumGetArrayTypePCopy(failed_on)),
			holds[i]};
	}
	return n;
}

/*
 * Returns whether some work has failed on a worker: it does not go there while it has a place
 * elsewhere.
 */
static bool
has_failed_on(const WaitingAssignment *waiting, const char *worker_id)
{
	Datum *workers;
	int n;

	if (waiting->failed_on == (Datum) 0)
		return false;
	deconstruct_array(DatumGetArrayTypeP(waiting->failed_on), TEXTOID, -1, false, TYPALIGN_INT,
					  &workers, NULL, &n);
	for (int i = 0; i < n; i++)
		if (strcmp(TextDatumGetCString(workers[i]), worker_id) == 0)
			return true;
	return false;
}

/*
 * Locks an assignment, unless it has started or somebody is at it: work is
 * started without the pool being locked.
 */
static bool
lock_assigned(const char *pool, int64 assignment_id)
{
	static SpiPlan statement = {
		"SELECT FROM hwsched.assignment WHERE pool = $1 AND assignment_id = $2"
		" AND state = 'assigned' AND finished_at IS NULL"
		" FOR NO KEY UPDATE SKIP LOCKED",
		{TEXTOID, INT8OID}};

	return spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id)) > 0;
}

/*
 * Puts work that waits on one worker onto another; returns whether it went
 * there.  If it does not fit after all, it is in the queue.
 */
static bool
move_to(const char *pool, const WaitingAssignment *waiting, const char *worker_id,
		const char *reason)
{
	EndedAssignment *ended;
	PoolSnapshot snapshot;
	int n;

	if (!lock_assigned(pool, waiting->assignment_id))
		return false;
	n = end_assignments(pool, &waiting->assignment_id, 1, "assigned", "expired", reason, NULL, NULL,
						&ended);
	requeue(pool, ended, n, false);
	snapshot_settings(&snapshot, pool, false);
	if (!snapshot_queued(&snapshot, pool, waiting->workload_id, false))
		return false;
	snapshot_fleet(&snapshot, pool, worker_id, false);
	load_reservations(&snapshot, pool, false);
	search_place(&snapshot.search, snapshot.items, snapshot.nitems, 1);
	return write_decisions(&snapshot, pool, false) > 0;
}

/* Reads some kinds of work, by their profiles, and the fleet or one worker of it. */
static void
snapshot_waiting(PoolSnapshot *snapshot, const char *pool, const int64 *profiles, int count,
				 const char *only_worker, bool read_only)
{
	snapshot_settings(snapshot, pool, read_only);
	if (read_only)
		snapshot->settings.offline_after = MOST_SECONDS; /* for a worker that asks */
	snapshot_profiles(snapshot, pool, profiles, count, read_only);
	snapshot_fleet(snapshot, pool, only_worker, read_only);
}

/* Returns the kind of work of a profile. */
static WorkKind *
kind_of(PoolSnapshot *snapshot, int64 profile_id)
{
	for (int k = 0; k < snapshot->search.nkinds; k++)
		if (snapshot->search.kinds[k].profile_id == profile_id)
			return &snapshot->search.kinds[k];
	elog(ERROR, "workload profile %lld is missing", (long long) profile_id);
}

/*
 * Returns whether a worker takes some work that waits, and how.  Work that asks for no
 * accelerator leaves no CPU for one, nor opens one.
 */
static bool
takes_over(Search *search, WorkKind *kind, const WaitingAssignment *waiting, int worker,
		   Candidate *candidate)
{
	if (spared_candidate(search, kind, worker, candidate) != FITS)
		return false;
	return !spares_accelerators(search, kind) || candidate->sparing > 0 ||
		   (!waiting->on_cpu && is_in_use(&search->fleet->devices[candidate->devices[0]]));
}

/* --- stealing --- */

/*
 * Finds what a worker could take of the work that others have not started: from those with the
 * longest backlog, so much of each that the search costs the same however much there is.  Returns
 * how much, and sets *stealable to the ids; reads the worker and the kinds of work on the way.
 */
static int
find_stealable(PoolSnapshot *snapshot, const char *pool, const char *worker_id, int n,
			   bool read_only, Parameter *stealable)
{
	static SpiPlan statement = {
		"SELECT a.assignment_id, a.profile_id FROM (SELECT worker_id FROM hwsched.worker_usage"
		"  WHERE pool = $1 AND assignments > 1 AND worker_id <> $2"
		"  ORDER BY assignments DESC LIMIT $3) u"
		" CROSS JOIN LATERAL (SELECT b.assignment_id, b.profile_id FROM hwsched.assignment b"
		"  WHERE b.pool = $1 AND b.worker_id = u.worker_id AND b.finished_at IS NULL"
		"   AND b.state = 'assigned' AND NOT b.is_gang"
		"  ORDER BY b.priority, b.assignment_id LIMIT $4) a",
		{TEXTOID, TEXTOID, INT4OID, INT4OID},
		ALONG_INDEX};
	int found =
		(int) spi_plan_run(&statement, read_only, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
						   INT_VALUE(MOST_STOLEN_FROM), INT_VALUE(Max(n, MOST_STOLEN_FROM)));
	int64 *ids = palloc(sizeof(int64) * (found + 1));
	int64 *profiles = palloc(sizeof(int64) * (found + 1));
	Datum *fitting = palloc(sizeof(Datum) * (found + 1));
	Candidate candidate;
	int nfitting = 0;

	if (found == 0)
		return 0;
	for (int i = 0; i < found; i++)
	{
		ids[i] = column_bigint(i, 1);
		profiles[i] = column_bigint(i, 2);
	}
	snapshot_waiting(snapshot, pool, profiles, found, worker_id, read_only);
	/* it may have left */
	if (snapshot->fleet.nworkers == 0)
		return 0;
	load_reservations(snapshot, pool, read_only);
	reservations_book(&snapshot->search, NULL, PG_INT32_MAX);
	for (int i = 0; i < found; i++)
		if (spared_candidate(&snapshot->search, kind_of(snapshot, profiles[i]), 0, &candidate) ==
			FITS)
			fitting[nfitting++] = Int64GetDatum(ids[i]);
	*stealable = array_value(INT8OID, fitting, NULL, nfitting);
	return nfitting;
}

/*
 * Lets an idle worker take up to n of what others have not started, from those
 * with the longest backlog, as long as that leaves them no less than it has
 * itself then.  It does not get what has failed on it before.  Returns how
 * much.  With read_only it only says how much that would be; else the pool is
 * locked.
 */
int64
steal(const char *pool, const char *worker_id, int n, bool read_only)
{
	static SpiPlan statement = {WAITING_SQL
								" AND a.assignment_id = ANY ($2) AND u.assignments > 1"
								" ORDER BY u.assignments DESC, a.priority, a.assignment_id",
								{TEXTOID, INT8ARRAYOID},
								.row = &ended_row};
	WaitingAssignment *waiting;
	PoolSnapshot snapshot;
	Parameter stealable;
	Candidate candidate;
	int64 stolen = 0;
	int count;

	if (find_stealable(&snapshot, pool, worker_id, n, read_only, &stealable) == 0)
		return 0;
	spi_plan_run(&statement, read_only, TEXT_VALUE(pool), stealable);
	count = read_waiting(&waiting);
	for (int i = 0; i < count && stolen < n; i++)
	{
		WorkKind *kind = kind_of(&snapshot, waiting[i].profile_id);

		/* who is about to be serviced takes nothing over */
		if (snapshot.fleet.workers[0].window_in < INFINITY)
			break;
		if (waiting[i].beside - stolen <= snapshot.fleet.workers[0].assignments + 1 ||
			has_failed_on(&waiting[i], worker_id) ||
			!takes_over(&snapshot.search, kind, &waiting[i], 0, &candidate))
			continue;
		if (!read_only && !move_to(pool, &waiting[i], worker_id,
								   psprintf("taken over by worker \"%s\"", worker_id)))
			continue;
		fleet_occupy(&snapshot.fleet, kind, 0, candidate.devices, candidate.ndevices, 1);
		stolen++;
	}
	return stolen;
}

/* --- rebalancing --- */

/*
 * Finds the best worker for some work among those that would still have less
 * to do than the one that it waits on; returns its index, or -1.
 */
static int
find_idler(PoolSnapshot *snapshot, const WaitingAssignment *waiting, int from)
{
	Search *search = &snapshot->search;
	WorkKind *kind = kind_of(snapshot, waiting->profile_id);
	Candidate candidate;
	double best_value = 0;
	int best = -1;

	for (int w = 0; w < snapshot->fleet.nworkers; w++)
	{
		const Worker *worker = &snapshot->fleet.workers[w];

		CHECK_FOR_INTERRUPTS();
		if (worker->assignments + 1 >= snapshot->fleet.workers[from].assignments ||
			worker->window_in < INFINITY)
			continue;
		if (best >= 0 && worker->assignments > snapshot->fleet.workers[best].assignments)
			continue;
		if (has_failed_on(waiting, worker->worker_id) ||
			!takes_over(search, kind, waiting, w, &candidate))
			continue;
		if (best < 0 || worker->assignments < snapshot->fleet.workers[best].assignments ||
			candidate.value > best_value)
		{
			best = w;
			best_value = candidate.value;
		}
	}
	if (best >= 0)
	{
		(void) takes_over(search, kind, waiting, best, &candidate);
		fleet_occupy(&snapshot->fleet, kind, best, candidate.devices, candidate.ndevices, 1);
		fleet_give_back(&snapshot->fleet, &waiting->holds, 1);
	}
	return best;
}

/* rebalance(max_moves int, pool text) RETURNS bigint */
Datum
hwsched_rebalance(PG_FUNCTION_ARGS)
{
	/* where most is going on, what would start last */
	static SpiPlan statement = {
		WAITING_SQL
		" AND u.assignments > 1 ORDER BY u.assignments DESC, a.priority DESC, a.assignment_id DESC"
		" LIMIT $2",
		{TEXTOID, INT8OID},
		.row = &ended_row};
	int32 most = int_argument(0);
	char *pool = text_argument(fcinfo, 1);
	WaitingAssignment *waiting;
	PoolSettings settings;
	PoolSnapshot snapshot;
	Settled settled;
	int64 moved = 0;
	int count;
	Caller caller;

	if (most < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"max_moves\": %d", most),
						errdetail("Expected a number that is not negative.")));
	caller = call_begin(fcinfo);
	authz_check_coordinate(&caller, pool);
	pool_check(pool, false);
	pool_lock_to_decide(pool, &settled);
	pool_settings_load(pool, false, &settings);
	if (settings.paused)
		most = 0;
	/* more than can be moved, as not all of it fits elsewhere */
	spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(most * (int64) 10));
	count = read_waiting(&waiting);
	if (count > 0)
	{
		int64 *profiles = palloc(sizeof(int64) * count);

		for (int i = 0; i < count; i++)
			profiles[i] = waiting[i].profile_id;
		snapshot_waiting(&snapshot, pool, profiles, count, NULL, false);
		load_reservations(&snapshot, pool, false);
		reservations_book(&snapshot.search, NULL, PG_INT32_MAX);
	}
	for (int i = 0; i < count && moved < most; i++)
	{
		int from = fleet_worker(&snapshot.fleet, waiting[i].worker_id);
		int to = from < 0 ? -1 : find_idler(&snapshot, &waiting[i], from);

		if (to >= 0 && move_to(pool, &waiting[i], snapshot.fleet.workers[to].worker_id,
							   "moved to where less is going on"))
			moved++;
	}
	/* who steals knows, but those that got something here do not */
	if (moved > 0)
		notify_assigned(pool);
	learn_settled(pool, &settled);
	call_end(&caller);
	PG_RETURN_INT64(moved);
}
