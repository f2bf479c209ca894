/*
 * worker.c
 *		Workers: reporting, draining, leaving; api/register.c has how they come.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/timestamp.h"

#include "api/expires_at.h"
#include "api/settle.h"
#include "api/worker.h"
#include "document/infer.h"
#include "document/json.h"
#include "document/plausible.h"
#include "learn/heat_store.h"
#include "store/hardware.h"
#include "store/health.h"
#include "store/pool.h"
#include "store/usage.h"
#include "store/wakeup.h"
#include "store/worker.h"
#include "support/args.h"
#include "support/subtransaction.h"

PG_FUNCTION_INFO_V1(hwsched_unregister_worker);
PG_FUNCTION_INFO_V1(hwsched_drain_worker);
PG_FUNCTION_INFO_V1(hwsched_drain_worker_window);
PG_FUNCTION_INFO_V1(hwsched_resume_worker);
PG_FUNCTION_INFO_V1(hwsched_drain_device);
PG_FUNCTION_INFO_V1(hwsched_resume_device);
PG_FUNCTION_INFO_V1(hwsched_heartbeat);
PG_FUNCTION_INFO_V1(hwsched_heartbeat_running);
PG_FUNCTION_INFO_V1(hwsched_update_load);
PG_FUNCTION_INFO_V1(hwsched_device_temperature);
PG_FUNCTION_INFO_V1(hwsched_start_warming);
PG_FUNCTION_INFO_V1(hwsched_start_cooling);
PG_FUNCTION_INFO_V1(hwsched_grant_worker);

/* A time, 0: none. */
#define TIME_OR_NULL(at) ((at) == 0 ? NULL_VALUE : VALUE(TimestampTzGetDatum(at)))

/* --- the pool's lock and a worker's --- */

/* How often, and after how long each, somebody looks again who has found rows locked. */
#define MOST_LOOKS 200
#define LOOK_AGAIN_US 5000

/* What is locked together with a pool. */
typedef struct Beside
{
	const char *pool;
	Trial try_lock;
	void *argument;
} Beside;

static bool
lock_both(void *argument)
{
	const Beside *beside = argument;

	(void) pool_acquire(beside->pool, ExclusiveLock, false);
	return beside->try_lock(beside->argument);
}

/*
 * Locks a pool at a moment at which rows are free that others change without that lock;
 * the caller locks them then.  Whoever changes them may want the pool's lock in the same
 * transaction, so nobody may wait for them with it: await waits for them without keeping
 * them, and try_lock locks those that it can and says whether those are all.
 *
 * Where the pool is not free, much may be reported and started until it is ours: then
 * that is awaited without it, for a second or so; after that somebody who waits in a
 * circle is told.
 */
void
pool_lock_beside(const char *pool, Work await, Trial try_lock, void *argument)
{
	Beside beside = {pool, try_lock, argument};

	await(argument);
	if (!pool_acquire(pool, ExclusiveLock, true))
		for (int looks = 0; looks < MOST_LOOKS && !keep_if(lock_both, &beside); looks++)
		{
			CHECK_FOR_INTERRUPTS();
			pg_usleep(LOOK_AGAIN_US);
			await(argument);
		}
	pool_lock(pool);
}

typedef struct PoolWorker
{
	const char *pool;
	const char *worker_id;
} PoolWorker;

static void
await_worker(void *argument)
{
	const PoolWorker *key = argument;

	worker_await(key->pool, key->worker_id);
}

static bool
try_lock_worker(void *argument)
{
	const PoolWorker *key = argument;

	return worker_try_lock(key->pool, key->worker_id);
}

/* Locks a pool, and all that others change of one of its workers without that lock. */
void
pool_and_worker_lock(const char *pool, const char *worker_id)
{
	PoolWorker key = {pool, worker_id};

	pool_lock_beside(pool, await_worker, try_lock_worker, &key);
	worker_lock(pool, worker_id);
}

/* --- leaving and draining --- */

/* unregister_worker(worker_id text, pool text) RETURNS void */
Datum
hwsched_unregister_worker(PG_FUNCTION_ARGS)
{
#define REMOVE_FROM(table) \
	{ \
		"DELETE FROM hwsched." table " WHERE pool = $1 AND worker_id = $2", \
		{ \
			TEXTOID, TEXTOID \
		} \
	}
	/* the worker last, which tells whether it was there */
	static SpiPlan remove[] = {
		REMOVE_FROM("reserved_place"),
		REMOVE_FROM("track_record"),
		{"DELETE FROM hwsched.duration_record WHERE pool = $1 AND kind = 'worker' AND scope = $2",
		 {TEXTOID, TEXTOID}},
		REMOVE_FROM("device_heat"),
		REMOVE_FROM("device_load"),
		REMOVE_FROM("device_usage"),
		REMOVE_FROM("device"),
		REMOVE_FROM("worker_usage"),
		REMOVE_FROM("worker_load"),
		REMOVE_FROM("worker_login"),
		REMOVE_FROM("worker"),
	};
	static SpiPlan started = {
		"SELECT assignment_id FROM hwsched.assignment WHERE pool = $1 AND worker_id = $2"
		" AND finished_at IS NULL AND state = 'running'",
		{TEXTOID, TEXTOID}};
	char *worker_id = text_argument(fcinfo, 0);
	char *pool = text_argument(fcinfo, 1);
	EndedAssignment *ended;
	uint64 removed = 0;
	int64 *ids;
	int n;
	Caller caller = call_begin(fcinfo);

	authz_check_coordinate(&caller, pool);
	pool_check(pool, false);
	pool_and_worker_lock(pool, worker_id);
	/*
	 * what runs there counts as a failed attempt, what has not started does not (of a gang:
	 * nowhere)
	 */
	n = (int) spi_plan_run(&started, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
	ids = palloc(sizeof(int64) * (n + 1));
	for (int i = 0; i < n; i++)
		ids[i] = column_bigint(i, 1);
	n = end_assignments(pool, ids, n, "running", "expired", "the worker left", "worker", NULL,
						&ended);
	requeue(pool, ended, n, true);
	n = live_assignments(pool, worker_id, &ids);
	n = end_assignments(pool, ids, n, NULL, "expired", "the worker left", NULL, NULL, &ended);
	requeue(pool, ended, n, false);

	for (int i = 0; i < lengthof(remove); i++)
		removed = spi_plan_run(&remove[i], false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
	if (removed == 0)
		unknown_worker(pool, worker_id);
	call_end(&caller);
	PG_RETURN_VOID();
}

static Datum
set_state(FunctionCallInfo fcinfo, const char *state)
{
	static SpiPlan statement = {
		"UPDATE hwsched.worker SET state = $3::hwsched.worker_state,"
		"  drain_at = CASE $3 WHEN 'active' THEN NULL ELSE drain_at END,"
		"  drain_until = CASE $3 WHEN 'active' THEN NULL ELSE drain_until END"
		" WHERE pool = $1 AND worker_id = $2",
		{TEXTOID, TEXTOID, TEXTOID}};
	char *worker_id = text_argument(fcinfo, 0);
	char *pool = text_argument(fcinfo, 1);
	Caller caller = call_begin(fcinfo);

	authz_check_coordinate(&caller, pool);
	pool_check(pool, false);
	/*
	 * a batch may be about to give it work: whoever has drained a worker can rely on that it
	 * gets no more
	 */
	pool_lock(pool);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
					 TEXT_VALUE(state)) == 0)
		unknown_worker(pool, worker_id);
	wake_for_room(pool);
	call_end(&caller);
	PG_RETURN_VOID();
}

/* drain_worker(worker_id text, pool text) RETURNS void */
Datum
hwsched_drain_worker(PG_FUNCTION_ARGS)
{
	return set_state(fcinfo, "draining");
}

/* drain_worker(worker_id text, at timestamptz, until timestamptz, pool text) RETURNS void */
Datum
hwsched_drain_worker_window(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"UPDATE hwsched.worker SET drain_at = $3, drain_until = $4 WHERE pool = $1"
		" AND worker_id = $2",
		{TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID}};
	char *worker_id = text_argument(fcinfo, 0);
	TimestampTz at = DatumGetTimestampTz(argument(fcinfo, 1));
	TimestampTz until = DatumGetTimestampTz(argument(fcinfo, 2));
	char *pool = text_argument(fcinfo, 3);
	Caller caller;

	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"at\": %s", timestamptz_to_str(at)),
						errdetail("Expected the time at which the window begins.")));
	if (until <= at || until <= GetCurrentTransactionStartTimestamp())
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"until\": %s", timestamptz_to_str(until)),
						errdetail("Expected a time after \"at\" that is still to come.")));
	caller = call_begin(fcinfo);
	authz_check_coordinate(&caller, pool);
	pool_check(pool, false);
	pool_lock(pool);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
					 VALUE(TimestampTzGetDatum(at)), VALUE(TimestampTzGetDatum(until))) == 0)
		unknown_worker(pool, worker_id);
	leave_windows(pool);
	call_end(&caller);
	PG_RETURN_VOID();
}

/* resume_worker(worker_id text, pool text) RETURNS void */
Datum
hwsched_resume_worker(PG_FUNCTION_ARGS)
{
	return set_state(fcinfo, "active");
}

/* Changes a device by a statement; raises ERRCODE_NO_DATA_FOUND if there is none. */
static Datum
change_device(FunctionCallInfo fcinfo, SpiPlan *statement)
{
	char *worker_id = text_argument(fcinfo, 0);
	int32 device_no = int_argument(1);
	char *pool = text_argument(fcinfo, 2);
	Caller caller = call_begin(fcinfo);

	authz_check_coordinate(&caller, pool);
	pool_check(pool, false);
	pool_lock(pool);
	worker_check(pool, worker_id);
	if (spi_plan_run(statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
					 INT_VALUE(device_no)) == 0)
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						errmsg("unknown device %d of worker \"%s\" in pool \"%s\"", device_no,
							   worker_id, pool),
						errhint("See the table hwsched.device.")));
	wake_for_room(pool);
	call_end(&caller);
	PG_RETURN_VOID();
}

/* drain_device(worker_id text, device_no int, pool text) RETURNS void */
Datum
hwsched_drain_device(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {"UPDATE hwsched.device SET state = 'draining' WHERE pool = $1"
								" AND worker_id = $2 AND device_no = $3",
								{TEXTOID, TEXTOID, INT4OID}};

	return change_device(fcinfo, &statement);
}

/* resume_device(worker_id text, device_no int, pool text) RETURNS void: ends a quarantine, too */
Datum
hwsched_resume_device(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"WITH roomier AS (UPDATE hwsched.worker_usage SET is_full = false WHERE pool = $1"
		"  AND worker_id = $2 AND is_full)"
		" UPDATE hwsched.device SET state = 'active', failures_in_row = 0, quarantines_in_row = 0,"
		"  health_since = CASE health WHEN 'healthy' THEN health_since ELSE now() END,"
		"  health = 'healthy'"
		" WHERE pool = $1 AND worker_id = $2 AND device_no = $3",
		{TEXTOID, TEXTOID, INT4OID}};

	return change_device(fcinfo, &statement);
}

/* --- reporting --- */

/* Takes a worker back in that was offline and shows a sign of life. */
void
worker_back(const char *pool, const char *worker_id)
{
	PoolSettings settings;

	if (!health_is_offline(pool, worker_id))
		return;
	pool_settings_load(pool, false, &settings);
	pool_lock(pool);
	health_returned(pool, &settings, worker_id);
	wake_for_room(pool);
}

/* heartbeat(worker_id text, pool text) RETURNS void */
Datum
hwsched_heartbeat(PG_FUNCTION_ARGS)
{
	char *worker_id = text_argument(fcinfo, 0);
	char *pool = text_argument(fcinfo, 1);
	Caller caller;

	caller = call_begin(fcinfo);
	authz_check_worker(&caller, pool, worker_id);
	worker_back(pool, worker_id);
	worker_seen(pool, worker_id, SAID_ALL);
	call_end(&caller);
	PG_RETURN_VOID();
}

/*
 * Renews the leases of those assignments that run on a worker, but for those whose rows another
 * session has: it is ending them.
 */
static void
renew_leases(const char *pool, const char *worker_id, Parameter ids)
{
	static SpiPlan statement = {
		"UPDATE hwsched.assignment a"
		" SET lease_until = clock_timestamp() + make_interval(secs => $4)"
		" WHERE a.pool = $1 AND a.finished_at IS NULL AND a.ctid = ANY (ARRAY("
		"  SELECT b.ctid FROM hwsched.assignment b"
		"  WHERE b.pool = $1 AND b.assignment_id = ANY ($3) AND b.worker_id = $2"
		"   AND b.state = 'running' AND b.finished_at IS NULL"
		"   AND b.lease_until < clock_timestamp() + make_interval(secs => $4)"
		"  ORDER BY b.assignment_id FOR NO KEY UPDATE SKIP LOCKED))",
		{TEXTOID, TEXTOID, INT8ARRAYOID, FLOAT8OID}};
	PoolSettings settings;

	pool_settings_load(pool, false, &settings);
	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id), ids,
				 VALUE(Float8GetDatum(settings.lease)));
}

/*
 * heartbeat(worker_id text, running bigint[], pool text) RETURNS SETOF (assignment_id bigint,
 * action text, reason text)
 */
Datum
hwsched_heartbeat_running(PG_FUNCTION_ARGS)
{
	/* what does not run there, as far as the worker is told */
	static SpiPlan gone = {
		"SELECT n.id, CASE WHEN " MAY_HAND_OVER(
			"a") " THEN 'yield' ELSE 'stop' END,"
				 " CASE WHEN a.worker_id IS NULL THEN 'unknown assignment'"
				 "  WHEN a.state = 'assigned' THEN 'not started'"
				 "  ELSE coalesce(a.error, a.state::text) END"
				 " FROM (SELECT DISTINCT unnest($3) AS id) n LEFT JOIN hwsched.assignment a"
				 "  ON a.pool = $1 AND a.assignment_id = n.id AND a.worker_id = $2"
				 " WHERE n.id IS NOT NULL AND a.state IS DISTINCT FROM 'running' ORDER BY n.id",
		{TEXTOID, TEXTOID, INT8ARRAYOID}};
	char *worker_id = text_argument(fcinfo, 0);
	char *pool = text_argument(fcinfo, 2);
	Parameter running = VALUE(argument(fcinfo, 1));
	Caller caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	authz_check_worker(&caller, pool, worker_id);
	worker_back(pool, worker_id);
	worker_seen(pool, worker_id, SAID_SOME);
	renew_leases(pool, worker_id, running);
	spi_plan_run(&gone, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id), running);
	return_rows(fcinfo);
	call_end(&caller);
	return (Datum) 0;
}

/* In history: the thermal phase that a worker_load l is in, and what it leaves of performance. */
#define PHASE_NOW "hwsched_internal.phase_now(l.phase, l.phase_since, l.phase_duration)"
#define LEVEL_NOW \
	"CASE WHEN " PHASE_NOW " <> 'normal'" \
	" THEN hwsched.performance_level(l.phase::text, l.phase_since, l.phase_duration, now()) END"

/* Replaces what the worker reported of single devices, if it has reported any before. */
static void
write_device_loads(const char *pool, const char *worker_id, const LoadReport *load,
				   bool reported_any)
{
	static SpiPlan clear = {"DELETE FROM hwsched.device_load WHERE pool = $1 AND worker_id = $2",
							{TEXTOID, TEXTOID}};
	static SpiPlan write = {
		"WITH given AS (SELECT * FROM unnest($3, $4, $5, $6) g(device_no, utilization,"
		" temperature_celsius, power_w)"
		"   JOIN hwsched.device d USING (device_no) WHERE d.pool = $1 AND d.worker_id = $2),"
		" history AS (INSERT INTO hwsched.load_history (pool, worker_id, device_no, at,"
		" cpu_utilization, gpu_utilization,"
		"   temperature, temperature_celsius, power_w, phase, performance_level)"
		"  SELECT $1, $2, g.device_no, now(), CASE WHEN p.hardware_class = 'cpu'"
		" THEN g.utilization END,"
		"   CASE WHEN p.hardware_class <> 'cpu' THEN g.utilization END,"
		"   hwsched.temperature_ratio(g.temperature_celsius, coalesce((p.profile ->>"
		" 'idle_celsius')::float8, 'NaN'),"
		"    coalesce((p.profile ->> 'throttle_celsius')::float8, 'NaN')), g.temperature_celsius,"
		" g.power_w,"
		"   h.phase, h.performance_level"
		"  FROM given g JOIN hwsched.device_profile p ON p.pool = $1"
		" AND p.profile_id = g.profile_id"
		"  CROSS JOIN LATERAL (SELECT " PHASE_NOW ", " LEVEL_NOW
		" FROM hwsched.worker_load l WHERE l.pool = $1 AND l.worker_id = $2"
		"   AND (coalesce(g.temperature_celsius, g.power_w) IS NOT NULL OR " PHASE_NOW
		" <> 'normal')"
		"   UNION ALL SELECT NULL, NULL LIMIT 1) h(phase, performance_level))"
		" INSERT INTO hwsched.device_load AS l (pool, worker_id, device_no, utilization,"
		" temperature_celsius, power_w)"
		" SELECT $1, $2, device_no, utilization, temperature_celsius, power_w FROM given"
		" ON CONFLICT (pool, worker_id, device_no) DO UPDATE"
		" SET utilization = EXCLUDED.utilization,"
		"  temperature_celsius = EXCLUDED.temperature_celsius, power_w = EXCLUDED.power_w",
		{TEXTOID, TEXTOID, INT4ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID},
		IN_SETS};
	static SpiPlan missing = {
		"SELECT g.ord::int FROM unnest($3) WITH ORDINALITY g(device_no, ord) WHERE NOT EXISTS"
		" (SELECT FROM hwsched.device d WHERE d.pool = $1 AND d.worker_id = $2"
		" AND d.device_no = g.device_no) LIMIT 1",
		{TEXTOID, TEXTOID, INT4ARRAYOID},
		IN_SETS};
	const DeviceLoadReport *reports = load->devices.items;
	int count = load->devices.count;
	Datum *columns[4];
	bool *nulls[4];

	if (count == 0)
	{
		if (reported_any)
			spi_plan_run(&clear, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
		return;
	}
	for (int c = 0; c < lengthof(columns); c++)
	{
		columns[c] = palloc(sizeof(Datum) * count);
		nulls[c] = palloc0(sizeof(bool) * count);
	}
	for (int i = 0; i < count; i++)
	{
		const double values[] = {0, reports[i].utilization, reports[i].temperature_celsius,
								 reports[i].power_w};

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < i; j++)
			if (reports[j].device_no == reports[i].device_no)
				ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
								errmsg("invalid value for \"devices[%d].device_no\": %d", i,
									   reports[i].device_no),
								errdetail("Expected each device once.")));
		columns[0][i] = Int32GetDatum(reports[i].device_no);
		for (int c = 1; c < lengthof(columns); c++)
		{
			columns[c][i] = Float8GetDatum(values[c]);
			nulls[c][i] = isnan(values[c]);
		}
	}
	if (spi_plan_run(&missing, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
					 array_value(INT4OID, columns[0], NULL, count)) > 0)
	{
		int i = column_int(0, 1) - 1;

		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						reports[i].device_no < 0 ?
							errmsg("\"devices[%d].device_no\" is missing", i) :
							errmsg("invalid value for \"devices[%d].device_no\": %d", i,
								   reports[i].device_no),
						errdetail("Expected the number of a device of worker \"%s\".", worker_id),
						errhint("See the table hwsched.device.")));
	}
	if (reported_any)
		spi_plan_run(&clear, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
	spi_plan_run(&write, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
				 array_value(INT4OID, columns[0], NULL, count),
				 array_value(FLOAT8OID, columns[1], nulls[1], count),
				 array_value(FLOAT8OID, columns[2], nulls[2], count),
				 array_value(FLOAT8OID, columns[3], nulls[3], count));
}

/* update_load(worker_id text, load jsonb, pool text) RETURNS void */
Datum
hwsched_update_load(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"WITH updated AS (UPDATE hwsched.worker_load SET cpu_utilization = $3, memory_utilization"
		" = $4, gpu_utilization = $5,"
		"   io_utilization = $6, network_utilization = $7, active_tests = $8, queue_depth = $9,"
		" temperature = $10,"
		"   temperature_celsius = $11, power_w = $12, reported_at = now(),"
		"   last_seen_at = clock_timestamp(),"
		"   cpu_readiness = $13, accelerator_readiness = $14, state_hash = $15, temperatures ="
		" $16, throttles_at = $17,"
		"   busy_at = $18, high_since = $19, also_reported = $22,"
		"   phase = coalesce($20::hwsched.thermal_phase, phase),"
		"   phase_since = CASE WHEN $20 IS NULL THEN phase_since ELSE now() END,"
		"   phase_duration = CASE WHEN $20 IS NULL THEN phase_duration ELSE make_interval(secs =>"
		" $21) END"
		"  WHERE pool = $1 AND worker_id = $2 RETURNING *)"
		" INSERT INTO hwsched.load_history (pool, worker_id, at, cpu_utilization,"
		" memory_utilization, gpu_utilization,"
		"   io_utilization, network_utilization, temperature, temperature_celsius, power_w, phase,"
		" performance_level)"
		" SELECT pool, worker_id, reported_at, cpu_utilization, memory_utilization,"
		" gpu_utilization,"
		"   io_utilization, network_utilization, temperature, temperature_celsius, power_w,"
		"   CASE WHEN coalesce(temperature, temperature_celsius, power_w) IS NOT NULL"
		" OR " PHASE_NOW " <> 'normal' THEN " PHASE_NOW " END, " LEVEL_NOW " FROM updated l",
		{TEXTOID,		 TEXTOID,	FLOAT8OID, FLOAT8OID,	   FLOAT8OID,	   FLOAT8OID,
		 FLOAT8OID,		 INT4OID,	INT4OID,   FLOAT8OID,	   FLOAT8OID,	   FLOAT8OID,
		 FLOAT8OID,		 FLOAT8OID, INT8OID,   FLOAT8ARRAYOID, FLOAT8ARRAYOID, TIMESTAMPTZOID,
		 TIMESTAMPTZOID, TEXTOID,	FLOAT8OID, JSONBOID}};
	char *worker_id = text_argument(fcinfo, 0);
	Jsonb *document = jsonb_argument(1);
	char *pool = text_argument(fcinfo, 2);
	PoolSettings settings;
	Inspection inspection;
	LoadReport load;
	Jsonb *shown;
	const Hardware *hardware;
	DeviceStates before;
	DeviceStates after;
	Readiness readiness;
	Caller caller;

	caller = call_begin(fcinfo);
	authz_check_worker(&caller, pool, worker_id);
	/* dropping the pool waits for us from here on, and not we for that with the worker locked */
	pool_settings_load(pool, false, &settings);
	inspection_begin(&inspection, unknown_keys_of(&settings));
	document_read(&load_document, document, NULL, &inspection, &load);
	if (load_says_nothing(&load))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"load\" says nothing"),
						errhint("The last report stands. hwsched.heartbeat() is a sign of life"
								" without a report.")));
	doubt_load(&load, &inspection);
	inspection_end(&inspection);
	worker_back(pool, worker_id);
	if (!device_states_lock(pool, worker_id, &before))
		unknown_worker(pool, worker_id);
	hardware_get(pool, &before.hardware_id, 1, false, &hardware);
	device_states_report(&settings, hardware, &before, &load, &after);
	if (settings.learning)
		heat_store_report(pool, worker_id, hardware, &after);
	readiness = device_states_readiness(hardware, &after);
	shown = keys_to_show(&load_document, document);
	spi_plan_run(
		&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
		NUMBER_OR_NULL(load.cpu_utilization), NUMBER_OR_NULL(load.memory_utilization),
		NUMBER_OR_NULL(load.gpu_utilization), NUMBER_OR_NULL(load.io_utilization),
		NUMBER_OR_NULL(load.network_utilization),
		load.active_tests < 0 ? NULL_VALUE : INT_VALUE(load.active_tests),
		load.queue_depth < 0 ? NULL_VALUE : INT_VALUE(load.queue_depth),
		NUMBER_OR_NULL(load.temperature), NUMBER_OR_NULL(load.temperature_celsius),
		NUMBER_OR_NULL(load.power_w), NUMBER_OR_NULL(readiness.cpu),
		NUMBER_OR_NULL(readiness.accelerator), BIGINT_VALUE(readiness.state_hash),
		device_numbers_value(&after.temperatures), device_numbers_value(&after.throttles_at),
		TIME_OR_NULL(after.busy_at), TIME_OR_NULL(after.high_since),
		after.begins == PHASE_NORMAL ?
			NULL_VALUE :
			TEXT_VALUE(after.begins == PHASE_WARMING ? "warming" : "cooling"),
		VALUE(Float8GetDatum(after.begins == PHASE_WARMING ? settings.warming : settings.cooling)),
		shown != NULL ? VALUE(JsonbPGetDatum(shown)) : NULL_VALUE);
	write_device_loads(pool, worker_id, &load, before.load.devices.count > 0);
	call_end(&caller);
	PG_RETURN_VOID();
}

/* Returns a number of a row, NAN for NULL. */
static double
attribute_number(HeapTupleHeader row, const char *name)
{
	bool isnull;
	Datum value = GetAttributeByName(row, name, &isnull);

	return isnull ? NAN : DatumGetFloat8(value);
}

static DeviceNumbers
attribute_numbers(HeapTupleHeader row, const char *name)
{
	bool isnull;
	Datum value = GetAttributeByName(row, name, &isnull);

	return device_numbers(isnull ? (Datum) 0 : value);
}

/* Returns a number of a document, NAN if it has none. */
static double
key_number(Jsonb *document, const char *key)
{
	JsonbValue value;

	if (getKeyJsonValueFromContainer(&document->root, key, strlen(key), &value) == NULL ||
		value.type != jbvNumeric)
		return NAN;
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value.val.numeric)));
}

/* Returns what the temperature of a device depends on of its profile. */
static DeviceProfile
attribute_profile(HeapTupleHeader row)
{
	DeviceProfile profile = {.idle_celsius = NAN, .throttle_celsius = NAN};
	bool isnull;
	Datum value = GetAttributeByName(row, "hardware_class", &isnull);

	if (!isnull)
		profile.hardware_class = TextDatumGetCString(value);
	value = GetAttributeByName(row, "profile", &isnull);
	if (!isnull)
	{
		profile.idle_celsius = key_number(DatumGetJsonbP(value), "idle_celsius");
		profile.throttle_celsius = key_number(DatumGetJsonbP(value), "throttle_celsius");
	}
	return profile;
}

/*
 * device_temperature(profile device_profile, load worker_load, own device_load, device_no int)
 * RETURNS float8
 */
Datum
hwsched_device_temperature(PG_FUNCTION_ARGS)
{
	HeapTupleHeader load;
	HeapTupleHeader own = PG_ARGISNULL(2) ? NULL : PG_GETARG_HEAPTUPLEHEADER(2);
	DeviceProfile profile;
	Device device;
	Reported reported;
	Datum value;
	bool isnull;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3))
		PG_RETURN_NULL();
	profile = attribute_profile(PG_GETARG_HEAPTUPLEHEADER(0));
	load = PG_GETARG_HEAPTUPLEHEADER(1);
	memset(&reported, 0, sizeof(reported));
	reported.utilization =
		(Utilization){zero_if_absent(attribute_number(load, "cpu_utilization")),
					  zero_if_absent(attribute_number(load, "memory_utilization")),
					  zero_if_absent(attribute_number(load, "gpu_utilization")),
					  zero_if_absent(attribute_number(load, "io_utilization")),
					  zero_if_absent(attribute_number(load, "network_utilization"))};
	reported.temperature = attribute_number(load, "temperature");
	reported.celsius = attribute_number(load, "temperature_celsius");
	reported.temperatures = attribute_numbers(load, "temperatures");
	value = GetAttributeByName(load, "reported_at", &isnull);
	if (!isnull)
		reported.elapsed =
			Max(0, GetCurrentTransactionStartTimestamp() - DatumGetTimestampTz(value)) /
			(double) USECS_PER_SEC;
	memset(&device, 0, sizeof(device));
	device.device_no = PG_GETARG_INT32(3);
	set_device_state(&profile, &reported, own ? attribute_number(own, "utilization") : NAN,
					 own ? attribute_number(own, "temperature_celsius") : NAN, &device);
	PG_RETURN_FLOAT8(device.temperature);
}

static Datum
start_phase(FunctionCallInfo fcinfo, const char *phase)
{
	static const Interval nothing = {0, 0, 0};
	static const Interval one_day = {0, 1, 0};
	static SpiPlan statement = {
		"UPDATE hwsched.worker_load SET phase = $3::hwsched.thermal_phase,"
		"  phase_since = clock_timestamp(),"
		"  phase_duration = coalesce($4, make_interval(secs => $5)) WHERE pool = $1"
		" AND worker_id = $2",
		{TEXTOID, TEXTOID, TEXTOID, INTERVALOID, FLOAT8OID}};
	char *worker_id = text_argument(fcinfo, 0);
	char *pool = text_argument(fcinfo, 2);
	PoolSettings settings;
	Caller caller;

	if (!PG_ARGISNULL(1) && (DatumGetBool(DirectFunctionCall2(interval_lt, PG_GETARG_DATUM(1),
															  IntervalPGetDatum(&nothing))) ||
							 DatumGetBool(DirectFunctionCall2(interval_gt, PG_GETARG_DATUM(1),
															  IntervalPGetDatum(&one_day)))))
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for \"duration\": %s",
					DatumGetCString(DirectFunctionCall1(interval_out, PG_GETARG_DATUM(1)))),
			 errdetail("Expected an interval from 0 to 1 day, or NULL for the pool's setting.")));
	caller = call_begin(fcinfo);
	pool_settings_load(pool, false, &settings);
	authz_check_worker(&caller, pool, worker_id);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id), TEXT_VALUE(phase),
					 PG_ARGISNULL(1) ? NULL_VALUE : VALUE(PG_GETARG_DATUM(1)),
					 VALUE(Float8GetDatum(strcmp(phase, "warming") == 0 ? settings.warming :
																		  settings.cooling))) == 0)
		unknown_worker(pool, worker_id);
	call_end(&caller);
	PG_RETURN_VOID();
}

/* start_warming(worker_id text, duration interval, pool text) RETURNS void */
Datum
hwsched_start_warming(PG_FUNCTION_ARGS)
{
	return start_phase(fcinfo, "warming");
}

/* start_cooling(worker_id text, duration interval, pool text) RETURNS void */
Datum
hwsched_start_cooling(PG_FUNCTION_ARGS)
{
	return start_phase(fcinfo, "cooling");
}

/* --- access --- */

/* grant_worker(worker_id text, role name, pool text) RETURNS void */
Datum
hwsched_grant_worker(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {"INSERT INTO hwsched.worker_login (pool, worker_id, login)"
								" VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
								{TEXTOID, TEXTOID, OIDOID}};
	/* written, not only locked: unregister_worker() then sees the binding, or fails with 40001 */
	static SpiPlan hold = {"UPDATE hwsched.worker SET updated_at = updated_at WHERE pool = $1"
						   " AND worker_id = $2",
						   {TEXTOID, TEXTOID}};
	static const char *const groups[] = {"hwsched_admin", "hwsched_coordinator", "hwsched_worker",
										 "hwsched_viewer"};
	char *worker_id = text_argument(fcinfo, 0);
	Name role = DatumGetName(argument(fcinfo, 1));
	char *pool = text_argument(fcinfo, 2);
	Oid role_id = get_role_oid(NameStr(*role), false);
	Caller caller;

	for (int i = 0; i < lengthof(groups); i++)
		if (strcmp(NameStr(*role), groups[i]) == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("role \"%s\" cannot be bound to a worker", groups[i]),
							errdetail("All its members would speak for this worker."),
							errhint("Bind the login that the worker uses.")));
	caller = call_begin(fcinfo);
	authz_check_coordinate(&caller, pool);
	pool_keep(pool);
	if (spi_plan_run(&hold, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id)) == 0)
		unknown_worker(pool, worker_id);
	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
				 VALUE(ObjectIdGetDatum(role_id)));
	if (!is_member_of_role(role_id, get_role_oid("hwsched_worker", false)))
		SPI_execute(psprintf("GRANT hwsched_worker TO %s", quote_identifier(NameStr(*role))), false,
					0);
	call_end(&caller);
	PG_RETURN_VOID();
}
