/*
 * learning.c
 *		Learning for SQL: what is known, and forgetting it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "api/settle.h"
#include "api/worker.h"
#include "learn/duration_store.h"
#include "learn/heat_store.h"
#include "learn/track_record.h"
#include "model/duration_array.h"
#include "store/pool.h"
#include "store/worker.h"
#include "support/args.h"
#include "support/ddsketch_array.h"

PG_FUNCTION_INFO_V1(hwsched_reset_learning);
PG_FUNCTION_INFO_V1(hwsched_preference_now);
PG_FUNCTION_INFO_V1(hwsched_predict_temperature);
PG_FUNCTION_INFO_V1(hwsched_describe_heat);
PG_FUNCTION_INFO_V1(hwsched_learned_fault);

/* Whose models are forgotten. */
typedef struct Forgotten
{
	const char *pool;
	const char *worker_id; /* NULL: of all */
	const char *reporting; /* a worker that another session reports of */
} Forgotten;

static bool
try_lock_reports(void *argument)
{
	Forgotten *whose = argument;

	whose->reporting = heat_store_lock_free(whose->pool, whose->worker_id);
	return whose->reporting == NULL;
}

static bool
look_for_reports(void *argument)
{
	(void) try_lock_reports(argument);
	return false;
}

/* Waits for transactions that have reported and are still open, one by one. */
static void
await_reports(void *argument)
{
	const Forgotten *whose = argument;

	while (keep_if(look_for_reports, argument), whose->reporting != NULL)
		worker_await(whose->pool, whose->reporting);
}

/* reset_learning(worker_id text, pool text) RETURNS bigint: how many records were forgotten */
Datum
hwsched_reset_learning(PG_FUNCTION_ARGS)
{
	static SpiPlan of_worker[] = {
		{"DELETE FROM hwsched.track_record WHERE pool = $1 AND worker_id = $2", {TEXTOID, TEXTOID}},
		{"DELETE FROM hwsched.duration_record WHERE pool = $1 AND kind = 'worker' AND scope = $2",
		 {TEXTOID, TEXTOID}},
	};
	static SpiPlan of_pool[] = {
		{"DELETE FROM hwsched.track_record WHERE pool = $1 AND $2 IS NULL", {TEXTOID, TEXTOID}},
		{"DELETE FROM hwsched.duration_record WHERE pool = $1 AND $2 IS NULL", {TEXTOID, TEXTOID}},
	};
	/* they are of jobs and device models, and so of no worker */
	static SpiPlan measurements = {
		"DELETE FROM hwsched.power_measurement WHERE pool = $1 AND $2 IS NULL", {TEXTOID, TEXTOID}};
	char *worker_id = PG_ARGISNULL(0) ? NULL : text_argument(fcinfo, 0);
	char *pool = text_argument(fcinfo, 1);
	int64 forgotten = 0;
	Forgotten whose = {pool, worker_id, NULL};
	Caller caller = call_begin(fcinfo);

	authz_check_coordinate(&caller, pool);
	pool_check(pool, false);
	/* what is completed is learned from before it is forgotten */
	pool_lock_beside(pool, await_reports, try_lock_reports, &whose);
	if (worker_id != NULL)
		worker_check(pool, worker_id);
	for (int i = 0; i < lengthof(of_worker); i++)
		forgotten += spi_plan_run(worker_id != NULL ? &of_worker[i] : &of_pool[i], false,
								  TEXT_VALUE(pool), TEXT_OR_NULL(worker_id));
	forgotten += spi_plan_run(&measurements, false, TEXT_VALUE(pool), TEXT_OR_NULL(worker_id));
	forgotten += heat_store_forget(pool, worker_id);
	call_end(&caller);
	PG_RETURN_INT64(forgotten);
}

/* preference_now(preference float8, updated_at timestamptz, pool text) RETURNS float8 */
Datum
hwsched_preference_now(PG_FUNCTION_ARGS)
{
	TimestampTz updated_at = PG_GETARG_TIMESTAMPTZ(1);
	double age =
		((double) GetCurrentTransactionStartTimestamp() - (double) updated_at) / USECS_PER_SEC;
	char *pool = text_to_cstring(PG_GETARG_TEXT_PP(2));
	PoolSettings settings;
	Caller caller = call_begin(fcinfo);

	authz_check_view(&caller, pool);
	pool_settings_load(pool, true, &settings);
	call_end(&caller);
	PG_RETURN_FLOAT8(preference_aged(PG_GETARG_FLOAT8(0), age, settings.preference_half_life));
}

/* Returns an argument that may be NULL (NAN), after checking its range. */
static double
optional_argument(FunctionCallInfo fcinfo, int number, const char *name, double most)
{
	double value;

	if (PG_ARGISNULL(number))
		return NAN;
	value = PG_GETARG_FLOAT8(number);
	if (!(value >= 0 && value <= most))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"%s\": %g", name, value),
				 errdetail("Expected a number from 0 to %g, or NULL for what it is now.", most)));
	return value;
}

/*
 * predict_temperature(worker_id text, device_no int, power_w float8, utilization float8,
 * after interval, pool text) RETURNS float8
 */
Datum
hwsched_predict_temperature(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"SELECT h.model, extract(epoch FROM $4)::float8 FROM hwsched.device d LEFT"
		" JOIN hwsched.device_heat h ON h.pool = d.pool"
		"  AND h.worker_id = d.worker_id AND h.device_no = d.device_no"
		" AND h.profile_id = d.profile_id"
		" WHERE d.pool = $1 AND d.worker_id = $2 AND d.device_no = $3",
		{TEXTOID, TEXTOID, INT4OID, INTERVALOID}};
	char *worker_id = text_argument(fcinfo, 0);
	int32 device_no = int_argument(1);
	HeatLoad load = {optional_argument(fcinfo, 2, "power_w", 100000),
					 optional_argument(fcinfo, 3, "utilization", 100) / 100};
	Datum after = argument(fcinfo, 4);
	char *pool = text_argument(fcinfo, 5);
	double celsius = NAN;
	double seconds;
	PoolSettings settings;
	Heat heat;
	Datum model;
	bool isnull;
	Caller caller = call_begin(fcinfo);

	(void) authz_seen(&caller, pool);
	pool_settings_load(pool, true, &settings);
	if (spi_plan_run(&statement, true, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
					 INT_VALUE(device_no), VALUE(after)) == 0)
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						errmsg("unknown device %d of worker \"%s\" in pool \"%s\"", device_no,
							   worker_id, pool),
						errhint("See the table hwsched.device.")));
	seconds = column_number(0, 2);
	if (!(seconds >= 0))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"after\": %g seconds", seconds),
						errdetail("Expected an interval that is not negative.")));
	model = column(0, 1, &isnull);
	if (settings.learning && read_heat(model, isnull, &heat))
	{
		seconds += Max(0, seconds_of(GetCurrentTransactionStartTimestamp()) - heat.seconds);
		celsius = heat_predict(&heat, load, seconds);
	}
	call_end(&caller);
	if (isnan(celsius))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(celsius);
}

/* describe_heat(model float8[]) RETURNS record: see the view thermal_model */
Datum
hwsched_describe_heat(PG_FUNCTION_ARGS)
{
	TupleDesc description;
	Datum values[8] = {0};
	bool nulls[8];
	Heat heat;

	if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "describe_heat() returns a row");
	memset(nulls, true, sizeof(nulls));
	if (read_heat(PG_GETARG_DATUM(0), false, &heat))
	{
		const double numbers[] = {
			heat_time_constant(&heat),			 heat_resistance(&heat), heat_error(&heat),
			heat_error_persistence(&heat),		 heat_watts(&heat, 0.0), heat.full_watts,
			heat_settled(&heat, heat.full_watts)};

		values[0] = Int64GetDatum((int64) heat.reports);
		nulls[0] = false;
		for (int i = 0; i < lengthof(numbers); i++)
		{
			nulls[i + 1] = isnan(numbers[i]);
			values[i + 1] = Float8GetDatum(numbers[i]);
		}
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}

/*
 * learned_fault(kind text, numbers float8[]) RETURNS int: which of the numbers, from 0, cannot be
 * in a record of a kind of hwsched.duration_kind, or in a thermal model ('heat')
 */
Datum
hwsched_learned_fault(PG_FUNCTION_ARGS)
{
	char *kind = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(1);
	int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const double *numbers = (const double *) ARR_DATA_PTR(array);
	int fault = -1;
	Heat heat;

	if (ARR_HASNULL(array) || ARR_NDIM(array) > 1)
		fault = 0;
	else if (strcmp(kind, "heat") != 0)
		fault = duration_record_fault(duration_kind(kind), numbers, count);
	else if (count != HEAT_SIZE)
		fault = count;
	else
	{
		memcpy(&heat, numbers, sizeof(Heat));
		fault = heat_fault(&heat);
	}
	if (fault < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(fault);
}
