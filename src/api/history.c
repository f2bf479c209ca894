/*
 * history.c
 *		History that others write: recording one thing at a time.  What it is
 *		kept in, and how it is rolled up, is SQL (34_history.sql and what follows).
 */
#include "postgres.h"

#include <math.h>

#include "datatype/timestamp.h"
#include "utils/timestamp.h"

#include "api/history.h"
#include "document/json.h"
#include "store/authz.h"
#include "store/pool.h"
#include "store/worker.h"
#include "support/args.h"
#include "support/spi_plan.h"

PG_FUNCTION_INFO_V1(hwsched_record_assignment);
PG_FUNCTION_INFO_V1(hwsched_record_thermal_state);
PG_FUNCTION_INFO_V1(hwsched_record_resource_utilization);
PG_FUNCTION_INFO_V1(hwsched_record_execution_time);

/* Durations beyond this, some three centuries, are taken for mistakes. */
#define MOST_RECORDED_SECONDS 1e10

/* The tables, each with its partitions by day. */
typedef enum HistorySeries
{
	LOAD_HISTORY,
	RECORDED_ASSIGNMENT,
	RECORDED_EXECUTION
} HistorySeries;

static const char *const history_names[] = {"load_history", "recorded_assignment",
											"recorded_execution"};

/* --- arguments --- */

/*
 * Returns when something happened: not before 1970, and not in the future, but for clocks that
 * differ.
 */
static TimestampTz
time_argument(FunctionCallInfo fcinfo, int number)
{
	TimestampTz at = DatumGetTimestampTz(argument(fcinfo, number));

	if (TIMESTAMP_NOT_FINITE(at) ||
		at < (UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY ||
		at > GetCurrentTimestamp() + USECS_PER_DAY)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"at\": %s", timestamptz_to_str(at)),
						errdetail("Expected a time, not before 1970 and not in the future.")));
	return at;
}

/* --- recording --- */

/* Rounds down to a multiple, also before the year 2000. */
static TimestampTz
round_down(TimestampTz at, int64 multiple)
{
	int64 rest = at % multiple;

	return at - (rest < 0 ? rest + multiple : rest);
}

/*
 * Has a partition made for the day of what is about to be recorded, if it is not
 * today's.  Which day was there last is remembered; should it be gone by now, the
 * row is kept with those that have no day.  Nobody makes its partition any more
 * while we write there: who has just done so is waited for.
 */
static void
prepare_day(HistorySeries history, TimestampTz at)
{
	static SpiPlan make = {
		"SELECT hwsched_internal.history_make_day($1, ($2 AT TIME ZONE 'UTC')::date)",
		{TEXTOID, TIMESTAMPTZOID}};
	static SpiPlan keep[] = {
		{"LOCK TABLE hwsched.load_history_default IN ROW EXCLUSIVE MODE"},
		{"LOCK TABLE hwsched.recorded_assignment_default IN ROW EXCLUSIVE MODE"},
		{"LOCK TABLE hwsched.recorded_execution_default IN ROW EXCLUSIVE MODE"},
	};
	static TimestampTz known[lengthof(history_names)];
	TimestampTz day = round_down(at, USECS_PER_DAY);

	if (day == known[history] || day == round_down(GetCurrentTimestamp(), USECS_PER_DAY))
		return;
	spi_plan_run(&make, false, TEXT_VALUE(history_names[history]), VALUE(TimestampTzGetDatum(at)));
	if (column_bool(0, 1))
		known[history] = day;
	else
		spi_plan_execute(&keep[history], false, NULL, 0);
}

/*
 * Has an hour rolled up again that is over.  This comes after the writing: whoever
 * finds then that it is not over is waited for (history_over).
 */
static void
mark_late(const char *pool, TimestampTz at)
{
	static SpiPlan mark = {
		"INSERT INTO hwsched.history_late (pool, hour) VALUES ($1, $2) ON CONFLICT DO NOTHING",
		{TEXTOID, TIMESTAMPTZOID}};
	TimestampTz hour = round_down(at, USECS_PER_HOUR);

	if (hour < round_down(GetCurrentTimestamp(), USECS_PER_HOUR))
		spi_plan_run(&mark, false, TEXT_VALUE(pool), VALUE(TimestampTzGetDatum(hour)));
}

/* Raises an error for a worker that is not there, or a device of it. */
pg_noreturn static void
nothing_recorded(const char *pool, const char *worker_id, Parameter device_no)
{
	worker_check(pool, worker_id);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid value for \"device_no\": %d", DatumGetInt32(device_no.value)),
					errdetail("Expected the number of a device of worker \"%s\".", worker_id),
					errhint("See the table hwsched.device.")));
}

/* The class and model that a record is taken to be about: the first accelerator, or the CPU. */
#define FIRST_DEVICE \
	" LEFT JOIN LATERAL (SELECT p.hardware_class, p.model_name FROM hwsched.device d" \
	"  JOIN hwsched.device_profile p ON p.pool = d.pool AND p.profile_id = d.profile_id" \
	"  WHERE d.pool = w.pool AND d.worker_id = w.worker_id ORDER BY p.hardware_class = 'cpu'," \
	" d.device_no LIMIT 1) first ON true"

/*
	 * record_assignment(workload_id text, worker_id text, efficiency_score float8,
	 * workload_type text, at timestamptz, pool text) RETURNS void
	 */
Datum
hwsched_record_assignment(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.recorded_assignment (pool, worker_id, at, workload_id, workload_type,"
		" efficiency, hardware_class, model_name)"
		" SELECT w.pool, w.worker_id, $3, $4, $5, $6, first.hardware_class, first.model_name"
		" FROM hwsched.worker w" FIRST_DEVICE " WHERE w.pool = $1 AND w.worker_id = $2",
		{TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, FLOAT8OID}};
	char *workload_id = name_argument(fcinfo, 0, "workload_id");
	char *worker_id = text_argument(fcinfo, 1);
	double efficiency = limited_argument(fcinfo, 2, "efficiency_score", 0, 1);
	char *workload_type = name_argument(fcinfo, 3, "workload_type");
	TimestampTz at = time_argument(fcinfo, 4);
	char *pool = text_argument(fcinfo, 5);
	Caller caller = call_begin(fcinfo);

	authz_check_coordinate(&caller, pool);
	pool_keep(pool);
	prepare_day(RECORDED_ASSIGNMENT, at);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
					 VALUE(TimestampTzGetDatum(at)), TEXT_VALUE(workload_id),
					 TEXT_VALUE(workload_type), VALUE(Float8GetDatum(efficiency))) == 0)
		unknown_worker(pool, worker_id);
	mark_late(pool, at);
	call_end(&caller);
	PG_RETURN_VOID();
}

/*
 * record_execution_time(workload_id text, estimated_time, actual_time float8, workload_type,
 * worker_id text, at timestamptz, pool text) RETURNS void
 */
Datum
hwsched_record_execution_time(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.recorded_execution (pool, worker_id, at, workload_id, workload_type,"
		" predicted_seconds, actual_seconds,"
		"  hardware_class, model_name)"
		" SELECT w.pool, w.worker_id, $3, $4, $5, $6, $7, first.hardware_class, first.model_name"
		" FROM hwsched.worker w" FIRST_DEVICE " WHERE w.pool = $1 AND w.worker_id = $2",
		{TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, FLOAT8OID, FLOAT8OID}};
	char *workload_id = name_argument(fcinfo, 0, "workload_id");
	double estimated = limited_argument(fcinfo, 1, "estimated_time", 0, MOST_RECORDED_SECONDS);
	double actual = limited_argument(fcinfo, 2, "actual_time", 0, MOST_RECORDED_SECONDS);
	char *workload_type = name_argument(fcinfo, 3, "workload_type");
	char *worker_id = text_argument(fcinfo, 4);
	TimestampTz at = time_argument(fcinfo, 5);
	char *pool = text_argument(fcinfo, 6);
	Caller caller = call_begin(fcinfo);

	authz_check_coordinate(&caller, pool);
	pool_keep(pool);
	prepare_day(RECORDED_EXECUTION, at);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
					 VALUE(TimestampTzGetDatum(at)), TEXT_VALUE(workload_id),
					 TEXT_VALUE(workload_type), VALUE(Float8GetDatum(estimated)),
					 VALUE(Float8GetDatum(actual))) == 0)
		unknown_worker(pool, worker_id);
	mark_late(pool, at);
	call_end(&caller);
	PG_RETURN_VOID();
}

/* The worker, or the device, that a load is recorded of. */
#define OF_WORKER " FROM hwsched.worker w WHERE w.pool = $1 AND w.worker_id = $2"
#define OF_DEVICE \
	" FROM hwsched.device w WHERE w.pool = $1 AND w.worker_id = $2 AND w.device_no = $4"

/*
 * record_thermal_state(worker_id text, temperature float8, warming_state, cooling_state
 * boolean, at timestamptz, device_no int, pool text) RETURNS void
 */
Datum
hwsched_record_thermal_state(PG_FUNCTION_ARGS)
{
#define THERMAL(of) \
	{ \
		"INSERT INTO hwsched.load_history (pool, worker_id, at, device_no, temperature, phase)" \
		" SELECT w.pool, w.worker_id, $3, $4, $5, $6::hwsched.thermal_phase" of, \
		{ \
			TEXTOID, TEXTOID, TIMESTAMPTZOID, INT4OID, FLOAT8OID, TEXTOID \
		} \
	}
	static SpiPlan statements[] = {THERMAL(OF_WORKER), THERMAL(OF_DEVICE)};
	char *worker_id = text_argument(fcinfo, 0);
	double temperature = limited_argument(fcinfo, 1, "temperature", 0, 1);
	bool warming = DatumGetBool(argument(fcinfo, 2));
	bool cooling = DatumGetBool(argument(fcinfo, 3));
	TimestampTz at = time_argument(fcinfo, 4);
	Parameter device_no = PG_ARGISNULL(5) ? NULL_VALUE : VALUE(PG_GETARG_DATUM(5));
	char *pool = text_argument(fcinfo, 6);
	Caller caller = call_begin(fcinfo);

	authz_check_coordinate(&caller, pool);
	pool_keep(pool);
	prepare_day(LOAD_HISTORY, at);
	if (spi_plan_run(&statements[device_no.isnull ? 0 : 1], false, TEXT_VALUE(pool),
					 TEXT_VALUE(worker_id), VALUE(TimestampTzGetDatum(at)), device_no,
					 VALUE(Float8GetDatum(temperature)),
					 TEXT_VALUE(cooling ? "cooling" :
								warming ? "warming" :
										  "normal")) == 0)
		nothing_recorded(pool, worker_id, device_no);
	mark_late(pool, at);
	call_end(&caller);
	PG_RETURN_VOID();
}

/*
 * record_resource_utilization(worker_id text, utilization jsonb, at timestamptz, device_no int,
 * pool text) RETURNS void
 */
Datum
hwsched_record_resource_utilization(PG_FUNCTION_ARGS)
{
#define UTILIZATION(of) \
	{ \
		"INSERT INTO hwsched.load_history (pool, worker_id, at, device_no, cpu_utilization," \
		" memory_utilization, gpu_utilization," \
		"  io_utilization, network_utilization)" \
		" SELECT w.pool, w.worker_id, $3, $4, $5, $6, $7, $8, $9" of, \
		{ \
			TEXTOID, TEXTOID, TIMESTAMPTZOID, INT4OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, \
				FLOAT8OID \
		} \
	}
	static SpiPlan statements[] = {UTILIZATION(OF_WORKER), UTILIZATION(OF_DEVICE)};
	char *worker_id = text_argument(fcinfo, 0);
	Jsonb *utilization = jsonb_argument(1);
	TimestampTz at = time_argument(fcinfo, 2);
	Parameter device_no = PG_ARGISNULL(3) ? NULL_VALUE : VALUE(PG_GETARG_DATUM(3));
	char *pool = text_argument(fcinfo, 4);
	LoadReport load;
	Caller caller = call_begin(fcinfo);

	authz_check_coordinate(&caller, pool);
	document_read(&load_document, utilization, NULL, inspect_names(), &load);
	if (isnan(load.cpu_utilization) && isnan(load.memory_utilization) &&
		isnan(load.gpu_utilization) && isnan(load.io_utilization) &&
		isnan(load.network_utilization))
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"utilization\" says nothing"),
			 errdetail(
				 "Expected cpu_utilization, memory_utilization, gpu_utilization, io_utilization or"
				 " network_utilization.")));
	pool_keep(pool);
	prepare_day(LOAD_HISTORY, at);
	if (spi_plan_run(&statements[device_no.isnull ? 0 : 1], false, TEXT_VALUE(pool),
					 TEXT_VALUE(worker_id), VALUE(TimestampTzGetDatum(at)), device_no,
					 NUMBER_OR_NULL(load.cpu_utilization), NUMBER_OR_NULL(load.memory_utilization),
					 NUMBER_OR_NULL(load.gpu_utilization), NUMBER_OR_NULL(load.io_utilization),
					 NUMBER_OR_NULL(load.network_utilization)) == 0)
		nothing_recorded(pool, worker_id, device_no);
	mark_late(pool, at);
	call_end(&caller);
	PG_RETURN_VOID();
}

/* --- what maintain() does --- */

/*
 * Calls one of the functions in SQL.  This is no Statement: the planner's switches
 * that go with one would hold for all that is planned within the function.
 */
static void
call(const char *text, const char *pool, int most)
{
	Oid types[] = {TEXTOID, INT4OID};
	Datum values[] = {CStringGetTextDatum(pool), Int32GetDatum(most)};
	int result = SPI_execute_with_args(text, lengthof(types), types, values, NULL, false, 0);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\": %s", text, SPI_result_code_string(result));
}

/* Rolls up the hours of a pool that are over, for some seconds at most. */
void
history_roll_up(const char *pool, int most_seconds)
{
	call("SELECT hwsched_internal.history_roll_up($2, $1)", pool, most_seconds);
}

/* Deletes what a pool does not keep any more; returns how many rows. */
int64
history_forget(const char *pool, int max_rows)
{
	call("SELECT hwsched_internal.history_forget($2, $1)", pool, max_rows);
	return column_bigint(0, 1);
}

/* Makes partitions ahead and drops old ones, of all pools. */
void
history_renew(const char *pool)
{
	call("SELECT hwsched_internal.history_renew()", pool, 0);
}
