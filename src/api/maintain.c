/*
 * maintain.c
 *		What has to be done as time goes by: work whose lease or time has run out
 *		and that of silent workers is taken back, sick workers are tried again,
 *		what is old is forgotten.  And as time goes back, now and then: what then
 *		lies ahead is brought near again.
 *
 * Time is that of the transaction, so one tick sees everything at one moment.
 *
 * Each part is a subtransaction: a full disk of one table, a trigger of a user,
 * a privilege that was taken away must not keep lost work from being taken back.
 * What is urgent comes first.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "api/expires_at.h"
#include "api/history.h"
#include "api/lost_runs.h"
#include "api/progress.h"
#include "api/reclaim.h"
#include "api/scaling.h"
#include "api/settle.h"
#include "learn/track_record.h"
#include "store/pool_activity.h"
#include "store/device_state.h"
#include "store/health.h"
#include "store/pool.h"
#include "store/requeue.h"
#include "support/args.h"
#include "support/subtransaction.h"

PG_FUNCTION_INFO_V1(hwsched_maintain);
PG_FUNCTION_INFO_V1(hwsched_recover);
PG_FUNCTION_INFO_V1(hwsched_keep_history);

/* Rows of each table that one tick forgets at most. */
#define FORGET_AT_ONCE 10000

/* --- a clock that was set back --- */

/*
 * Brings near what was noted while the clock was ahead: else nobody would be
 * silent, no lease run out and no retry come before the clock is there again.
 * What is ahead by less than a minute will be past soon enough.  Ahead of the
 * clock, that is: other transactions go on while this one waits for the pool.
 */
static void
follow_clock(const char *pool, const PoolSettings *settings)
{
	static SpiPlan seen = {"UPDATE hwsched.worker_load SET last_seen_at = $2 WHERE pool = $1"
						   " AND last_seen_at > $2 + interval '1 minute'",
						   {TEXTOID, TIMESTAMPTZOID},
						   IN_SETS};
	static SpiPlan health = {
		"UPDATE hwsched.worker SET health_since = $2"
		" WHERE pool = $1 AND health <> 'healthy' AND health_since > $2 + interval '1 minute'",
		{TEXTOID, TIMESTAMPTZOID}};
	static SpiPlan live = {
		"UPDATE hwsched.assignment SET assigned_at = least(assigned_at, $2),"
		"  started_at = CASE WHEN started_at > $2 THEN $2 ELSE started_at END,"
		"  lease_until = CASE WHEN started_at > $2 THEN $2 + (lease_until - started_at)"
		" ELSE lease_until END"
		" WHERE pool = $1 AND finished_at IS NULL AND assignment_id = ANY (ARRAY("
		"  SELECT assignment_id FROM hwsched.assignment WHERE pool = $1 AND finished_at IS NULL"
		"   AND greatest(assigned_at, started_at) > $2 + interval '1 minute'"
		"  ORDER BY assignment_id FOR NO KEY UPDATE SKIP LOCKED))",
		{TEXTOID, TIMESTAMPTZOID}};
	static SpiPlan waits = {
		"UPDATE hwsched.pending SET ready_at = coalesce(run_at, '-infinity')"
		" WHERE pool = $1 AND ready_at > '-infinity' AND ready_at < 'infinity'"
		" AND ready_at > $2 + make_interval(secs => $3) AND ready_at IS DISTINCT FROM run_at",
		{TEXTOID, TIMESTAMPTZOID, FLOAT8OID},
		IN_SETS};
	static SpiPlan keys = {"UPDATE hwsched.key_holder SET assigned_at = $2 WHERE pool = $1"
						   " AND assigned_at > $2 + interval '1 minute'",
						   {TEXTOID, TIMESTAMPTZOID}};
	Parameter now = VALUE(TimestampTzGetDatum(GetCurrentTimestamp()));

	spi_plan_run(&seen, false, TEXT_VALUE(pool), now);
	spi_plan_run(&health, false, TEXT_VALUE(pool), now);
	spi_plan_run(&live, false, TEXT_VALUE(pool), now);
	spi_plan_run(&keys, false, TEXT_VALUE(pool), now);
	spi_plan_run(&waits, false, TEXT_VALUE(pool), now,
				 VALUE(Float8GetDatum(most_backoff(settings) + 60)));
}

/* --- forgetting --- */

/*
 * Deletes the oldest assignments that ended longer ago than history is kept,
 * and their workloads, once they are rolled up.  Assignments are in the order of
 * time, so the oldest are found without looking at the others.
 */
static int64
forget_work(const char *pool)
{
	static SpiPlan statement = {
		"WITH kept AS (SELECT now() - history AS since FROM hwsched_internal.retention"
		"   WHERE pool = $1),"
		" oldest AS (SELECT assignment_id, workload_id, run, finished_at"
		" FROM hwsched.assignment"
		"   WHERE pool = $1 ORDER BY assignment_id LIMIT $2),"
		" old AS (SELECT * FROM oldest WHERE finished_at < least((SELECT since FROM kept),"
		"    (SELECT rolled_until FROM hwsched.history_progress WHERE pool = $1))"
		"   AND NOT EXISTS (SELECT FROM hwsched.unsettled u WHERE u.pool = $1"
		" AND u.assignment_id = oldest.assignment_id)),"
		" workloads AS (DELETE FROM hwsched.submission s USING (SELECT DISTINCT workload_id, run"
		" FROM old) o"
		"   WHERE s.pool = $1 AND s.workload_id = o.workload_id AND s.run = o.run"
		"    AND s.closed_at < (SELECT since FROM kept)"
		"    AND NOT EXISTS (SELECT FROM hwsched.dependency d WHERE d.pool = $1"
		" AND d.depends_on = s.workload_id))"
		" DELETE FROM hwsched.assignment a USING old WHERE a.pool = $1"
		" AND a.assignment_id = old.assignment_id",
		{TEXTOID, INT4OID}};

	return (int64) spi_plan_run(&statement, false, TEXT_VALUE(pool), INT_VALUE(FORGET_AT_ONCE));
}

/* --- parts --- */

/* What a call of maintain() is about, and what it has done. */
typedef struct Tick
{
	const char *pool;
	Caller caller;
	PoolSettings settings;
	Quota quota;
	int64 expired;
	int64 timed_out;
	int64 offline;
	int64 tried_again;
	int64 forgotten;
	char *error; /* of the last part that failed; NULL: none did */
} Tick;

static void
settle_completed(void *tick)
{
	pool_lock(((Tick *) tick)->pool);
}

static void
mind_the_clock(void *tick)
{
	follow_clock(((Tick *) tick)->pool, &((Tick *) tick)->settings);
}

static void
take_lost(void *argument)
{
	Tick *tick = argument;

	tick->expired = reclaim_lost_leases(tick->pool, &tick->settings, &tick->quota);
}

static void
take_timed_out(void *argument)
{
	Tick *tick = argument;

	tick->timed_out = reclaim_timed_out(tick->pool, &tick->settings, &tick->quota);
}

static void
take_unstarted(void *argument)
{
	Tick *tick = argument;

	if (!tick->settings.paused)
		tick->expired += reclaim_unstarted(tick->pool, &tick->settings, &tick->quota);
}

static void
cancel_late(void *argument)
{
	Tick *tick = argument;

	tick->quota.more |= cancel_expired(tick->pool, tick->settings.maintain_batch);
}

static void
empty_windows(void *tick)
{
	leave_windows(((Tick *) tick)->pool);
}

static void
forget_reports(void *tick)
{
	device_states_expire(((Tick *) tick)->pool, &((Tick *) tick)->settings);
}

static void
take_from_silent(void *argument)
{
	Tick *tick = argument;

	tick->offline = reclaim_from_silent(tick->pool, &tick->settings, &tick->quota);
}

static void
try_again(void *argument)
{
	Tick *tick = argument;

	tick->tried_again = health_try_again(tick->pool);
}

static void
roll_up(void *tick)
{
	history_roll_up(((Tick *) tick)->pool, 20);
}

static void
roll_up_briefly(void *tick)
{
	history_roll_up(((Tick *) tick)->pool, 2);
}

/* Counts what has been forgotten. */
static void
forgotten(Tick *tick, int64 rows)
{
	tick->forgotten += rows;
	tick->quota.more |= rows >= FORGET_AT_ONCE;
}

static void
forget_closed(void *argument)
{
	Tick *tick = argument;

	forgotten(tick, forget_work(tick->pool));
}

static void
forget_progress(void *tick)
{
	progress_forget(((Tick *) tick)->pool);
}

static void
forget_history(void *argument)
{
	Tick *tick = argument;

	forgotten(tick, history_forget(tick->pool, FORGET_AT_ONCE));
}

static void
renew_partitions(void *tick)
{
	history_renew(((Tick *) tick)->pool);
}

static void
seek_advice(void *argument)
{
	Tick *tick = argument;

	scaling_renew(&tick->caller, tick->pool, &tick->settings);
}

/* The parts of maintain(), in their order; its name says in a WARNING which of them failed. */
typedef struct Part
{
	const char *name;
	Work work;
} Part;

static const Part recovery[] = {
	{"settling what has ended", settle_completed},
	/* of a fleet that is silent the other parts would find what this one takes */
	{"taking work from silent workers", take_from_silent},
	{"following the clock", mind_the_clock},
	{"cancelling what has expired", cancel_late},
	{"taking back what would reach into a maintenance window", empty_windows},
	{"taking back what lost its lease", take_lost},
	{"taking back what took too long", take_timed_out},
	{"taking back what is not started", take_unstarted},
	{"forgetting old load reports", forget_reports},
	{"trying workers again", try_again},
};

/* before the pool is locked: it reads, and may take a while */
static const Part advising[] = {{"seeking scaling advice", seek_advice}};

/* while nobody waits for us, and while others wait for the pool's lock */
static const Part rolling_up[] = {{"rolling up history", roll_up}};
static const Part rolling_up_briefly[] = {{"rolling up history", roll_up_briefly}};

static const Part forgetting[] = {
	{"forgetting closed work", forget_closed},
	{"forgetting progress", forget_progress},
	{"forgetting history", forget_history},
	/* last, as its locks are everybody's */
	{"renewing partitions", renew_partitions},
};

/*
 * Does some parts, each by itself: one that fails is undone, and the next goes on.
 * Once no more may be taken back, the rest is left to the next call: it would look
 * through all live work once more in each.
 */
static void
do_parts(Tick *tick, const Part *parts, int count)
{
	for (int i = 0; i < count; i++)
	{
		ErrorData *error;

		if (tick->quota.left == 0)
		{
			tick->quota.more = true;
			return;
		}
		error = attempt(parts[i].work, tick);
		if (error == NULL)
			continue;
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("pool \"%s\": %s failed: %s", tick->pool, parts[i].name, error->message),
				 error->detail ? errdetail_internal("%s", error->detail) : 0,
				 errhint("What else maintain() does goes on. It tries this again with"
						 " the next call.")));
		tick->error = psprintf("%s: %s (%s)", parts[i].name, error->message,
							   unpack_sql_state(error->sqlerrcode));
	}
}

static void
begin_tick(FunctionCallInfo fcinfo, Tick *tick)
{
	*tick = (Tick){.pool = text_argument(fcinfo, 0)};
	PreventCommandIfReadOnly("hwsched.maintain()");
	tick->caller = call_begin(fcinfo);
	authz_check_coordinate(&tick->caller, tick->pool);
	pool_settings_load(tick->pool, false, &tick->settings);
	tick->quota.left = tick->settings.maintain_batch;
}

/* Returns whether the next call is worth its while; not after an error, which it may repeat. */
static bool
has_more(const Tick *tick)
{
	return tick->quota.more && tick->error == NULL;
}

static void
end_tick(Tick *tick)
{
	activity_maintained(tick->pool, tick->error);
	call_end(&tick->caller);
}

/* Takes the lock that parts need, which a part that is undone must not give back. */
static void
lock_for_parts(const Tick *tick)
{
	(void) pool_acquire(tick->pool, ExclusiveLock, false);
}

/*
 * maintain(pool text) RETURNS record (expired, timed_out, offline, tried_again, forgotten
 * bigint, more boolean)
 */
Datum
hwsched_maintain(PG_FUNCTION_ARGS)
{
	Tick tick;
	TupleDesc description;
	Datum values[6];
	bool nulls[6] = {0};

	if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "maintain must return a row");
	begin_tick(fcinfo, &tick);
	/* not in the middle of an outage, whose work is to be taken back first */
	if (!health_any_silent(tick.pool, &tick.settings))
		do_parts(&tick, advising, lengthof(advising));
	lock_for_parts(&tick);
	do_parts(&tick, recovery, lengthof(recovery));
	do_parts(&tick, rolling_up_briefly, lengthof(rolling_up_briefly));
	do_parts(&tick, forgetting, lengthof(forgetting));
	end_tick(&tick);
	values[0] = Int64GetDatum(tick.expired);
	values[1] = Int64GetDatum(tick.timed_out);
	values[2] = Int64GetDatum(tick.offline);
	values[3] = Int64GetDatum(tick.tried_again);
	values[4] = Int64GetDatum(tick.forgotten);
	values[5] = BoolGetDatum(has_more(&tick));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}

/* recover(pool text) RETURNS boolean: what of maintain() others wait for; true: there is more */
Datum
hwsched_recover(PG_FUNCTION_ARGS)
{
	Tick tick;

	begin_tick(fcinfo, &tick);
	lock_for_parts(&tick);
	do_parts(&tick, recovery, lengthof(recovery));
	end_tick(&tick);
	PG_RETURN_BOOL(has_more(&tick));
}

/*
 * keep_history(pool text) RETURNS boolean: the rest, with the pool locked only after the long
 * part; true: there is more
 */
Datum
hwsched_keep_history(PG_FUNCTION_ARGS)
{
	Tick tick;

	begin_tick(fcinfo, &tick);
	do_parts(&tick, advising, lengthof(advising));
	do_parts(&tick, rolling_up, lengthof(rolling_up));
	lock_for_parts(&tick);
	do_parts(&tick, forgetting, lengthof(forgetting));
	end_tick(&tick);
	PG_RETURN_BOOL(has_more(&tick));
}
