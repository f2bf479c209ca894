/*
 * formulas.c
 *		The SQL faces of the pure functions: arguments are read and checked
 *		here, the arithmetic is that of model/score.c, model/thermal.c and model/formula.c, which
 *		is also what placement calls.
 *
 * All of them are strict, so no argument is NULL.  Names in the documents are
 * not looked up in the taxonomy where a function is IMMUTABLE.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "document/infer.h"
#include "document/json.h"
#include "model/formula.h"
#include "model/score.h"
#include "model/thermal.h"

#define DAYS_PER_PHASE_MONTH 30.0

PG_FUNCTION_INFO_V1(hwsched_workload_profile);
PG_FUNCTION_INFO_V1(hwsched_device_profiles);
PG_FUNCTION_INFO_V1(hwsched_is_compatible);
PG_FUNCTION_INFO_V1(hwsched_efficiency_score);
PG_FUNCTION_INFO_V1(hwsched_raw_efficiency);
PG_FUNCTION_INFO_V1(hwsched_load_score);
PG_FUNCTION_INFO_V1(hwsched_effective_load_score);
PG_FUNCTION_INFO_V1(hwsched_adjusted_efficiency);
PG_FUNCTION_INFO_V1(hwsched_preference_after);
PG_FUNCTION_INFO_V1(hwsched_predict_seconds);
PG_FUNCTION_INFO_V1(hwsched_predict_joules);
PG_FUNCTION_INFO_V1(hwsched_compatibility_score);
PG_FUNCTION_INFO_V1(hwsched_thermal_step);
PG_FUNCTION_INFO_V1(hwsched_thermal_at);
PG_FUNCTION_INFO_V1(hwsched_performance_level);
PG_FUNCTION_INFO_V1(hwsched_temperature_ratio);

/*
 * Returns a number argument, which must be finite: NaN and infinity would
 * pass through the formulas and rank a device first or last without a reason.
 */
static double
number_argument(FunctionCallInfo fcinfo, int argno, const char *name)
{
	double value = PG_GETARG_FLOAT8(argno);

	if (!isfinite(value))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"%s\" must be a finite number, not %g", name, value)));
	return value;
}

/* Returns a number of seconds, which must not be negative. */
static double
seconds_argument(FunctionCallInfo fcinfo, int argno, const char *name)
{
	double value = number_argument(fcinfo, argno, name);

	if (value < 0.0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"%s\" must not be negative, but is %g", name, value)));
	return value;
}

/* Returns the utilization in the five arguments that start at first. */
static Utilization
utilization_arguments(FunctionCallInfo fcinfo, int first)
{
	Utilization load;

	load.cpu = number_argument(fcinfo, first, "cpu");
	load.memory = number_argument(fcinfo, first + 1, "memory");
	load.gpu = number_argument(fcinfo, first + 2, "gpu");
	load.io = number_argument(fcinfo, first + 3, "io");
	load.network = number_argument(fcinfo, first + 4, "network");
	return load;
}

/* Reads a workload profile argument. */
static void
workload_argument(FunctionCallInfo fcinfo, int argno, WorkloadProfile *workload)
{
	document_read(&workload_profile_document, PG_GETARG_JSONB_P(argno), "workload", NULL, workload);
}

/* Reads a device profile argument; name is how messages call it. */
static void
device_argument(FunctionCallInfo fcinfo, int argno, const char *name, DeviceProfile *device)
{
	document_read(&device_profile_document, PG_GETARG_JSONB_P(argno), name, NULL, device);
}

/* Returns the workload profile that requirements mean. */
Datum
hwsched_workload_profile(PG_FUNCTION_ARGS)
{
	Jsonb *requirements = PG_GETARG_JSONB_P(0);
	Requirements read;
	WorkloadProfile profile;
	WorkloadProfile placed;
	Demand demand;

	infer_workload_profile(requirements, NULL, inspect_names(), &read, &profile);
	/* what it would take is checked, and a strategy that is not in force is shown as given */
	placed = profile;
	infer_demand(requirements, NULL, inspect_names(), &read, &placed, &demand);
	PG_RETURN_JSONB_P(workload_profile_jsonb(requirements, &read, &profile));
}

/* Returns one row for each device that capabilities list or imply. */
Datum
hwsched_device_profiles(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result;
	Capabilities capabilities;
	DeviceSpec *specs;
	int count;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	result = (ReturnSetInfo *) fcinfo->resultinfo;

	document_read(&capabilities_document, PG_GETARG_JSONB_P(0), NULL, inspect_names(),
				  &capabilities);
	count = infer_devices(&capabilities, &specs);
	for (int i = 0; i < count; i++)
	{
		Datum value;
		bool isnull = false;

		CHECK_FOR_INTERRUPTS();
		value = JsonbPGetDatum(document_write(&device_profile_document, &specs[i].profile));
		tuplestore_putvalues(result->setResult, result->setDesc, &value, &isnull);
		pfree(DatumGetPointer(value));
	}
	PG_RETURN_NULL();
}

/* Returns whether a device meets each demand of a workload. */
Datum
hwsched_is_compatible(PG_FUNCTION_ARGS)
{
	WorkloadProfile workload;
	DeviceProfile device;

	workload_argument(fcinfo, 0, &workload);
	device_argument(fcinfo, 1, "device", &device);
	PG_RETURN_BOOL(device_mismatch(&workload, &device) == MATCHES);
}

/* Returns how well a device suits a workload, 0..1. */
Datum
hwsched_efficiency_score(PG_FUNCTION_ARGS)
{
	WorkloadProfile workload;
	DeviceProfile device;

	workload_argument(fcinfo, 0, &workload);
	device_argument(fcinfo, 1, "device", &device);
	PG_RETURN_FLOAT8(clamp01(raw_efficiency(&workload, &device)));
}

/* Returns the same before it is limited to 1. */
Datum
hwsched_raw_efficiency(PG_FUNCTION_ARGS)
{
	WorkloadProfile workload;
	DeviceProfile device;

	workload_argument(fcinfo, 0, &workload);
	device_argument(fcinfo, 1, "device", &device);
	PG_RETURN_FLOAT8(raw_efficiency(&workload, &device));
}

/* Returns the load 0..1 that five utilizations in percent make. */
Datum
hwsched_load_score(PG_FUNCTION_ARGS)
{
	Utilization load = utilization_arguments(fcinfo, 0);

	PG_RETURN_FLOAT8(load_score(&load));
}

/* Returns that load with what a phase adds to it, 0..1. */
Datum
hwsched_effective_load_score(PG_FUNCTION_ARGS)
{
	Utilization load = utilization_arguments(fcinfo, 0);
	bool in_phase = PG_GETARG_BOOL(5) || PG_GETARG_BOOL(6);
	double level = number_argument(fcinfo, 7, "performance_level");

	PG_RETURN_FLOAT8(effective_load(load_score(&load), in_phase, level));
}

/* Returns an efficiency less what load, phase and temperature take away. */
Datum
hwsched_adjusted_efficiency(PG_FUNCTION_ARGS)
{
	double efficiency = number_argument(fcinfo, 0, "efficiency");
	Utilization load = utilization_arguments(fcinfo, 1);
	bool warming = PG_GETARG_BOOL(6);
	bool cooling = PG_GETARG_BOOL(7);
	double level = number_argument(fcinfo, 8, "performance_level");
	double temperature = number_argument(fcinfo, 9, "temperature");
	double effective = effective_load(load_score(&load), warming || cooling, level);

	PG_RETURN_FLOAT8(
		adjusted_efficiency(efficiency, effective, warming, cooling, level, temperature));
}

/* Returns a preference after one more observation. */
Datum
hwsched_preference_after(PG_FUNCTION_ARGS)
{
	double old = number_argument(fcinfo, 0, "old");
	double observed = number_argument(fcinfo, 1, "observed");
	double alpha = number_argument(fcinfo, 2, "alpha");

	if (alpha < 0.0 || alpha > 1.0)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"alpha\" must be between 0 and 1, but is %g", alpha),
			 errhint(
				 "It is the share of the newest observation: 0 learns nothing, 1 keeps nothing.")));
	PG_RETURN_FLOAT8(preference_after(old, observed, alpha));
}

/* Returns the seconds that a workload is expected to take on a device. */
Datum
hwsched_predict_seconds(PG_FUNCTION_ARGS)
{
	WorkloadProfile workload;
	DeviceProfile device;

	workload_argument(fcinfo, 0, &workload);
	device_argument(fcinfo, 1, "device", &device);
	PG_RETURN_FLOAT8(predict_seconds(&workload, &device, workload.estimated_duration_seconds));
}

/* Returns the joules that a workload is expected to use on a device. */
Datum
hwsched_predict_joules(PG_FUNCTION_ARGS)
{
	WorkloadProfile workload;
	DeviceProfile device;
	double seconds = seconds_argument(fcinfo, 2, "seconds");

	workload_argument(fcinfo, 0, &workload);
	device_argument(fcinfo, 1, "device", &device);
	PG_RETURN_FLOAT8(predict_joules(&workload, &device, seconds));
}

/* Returns how well one device stands in for another, 0..1. */
Datum
hwsched_compatibility_score(PG_FUNCTION_ARGS)
{
	DeviceProfile device;
	DeviceProfile other;
	double similarity;

	device_argument(fcinfo, 0, "device", &device);
	device_argument(fcinfo, 1, "other", &other);
	similarity = taxonomy_class_similarity(device.hardware_class, other.hardware_class);
	PG_RETURN_FLOAT8(stand_in_score(similarity, &device, &other));
}

/* Returns the temperature one step of the reference later, 0..1. */
Datum
hwsched_thermal_step(PG_FUNCTION_ARGS)
{
	double temperature = number_argument(fcinfo, 0, "temperature");
	double load = number_argument(fcinfo, 1, "load");
	double dt_seconds = seconds_argument(fcinfo, 2, "dt_seconds");

	PG_RETURN_FLOAT8(thermal_step(temperature, load, dt_seconds));
}

/* Returns the temperature after some time at a constant load, 0..1. */
Datum
hwsched_thermal_at(PG_FUNCTION_ARGS)
{
	double temperature = number_argument(fcinfo, 0, "temperature");
	double load = number_argument(fcinfo, 1, "load");
	double dt_seconds = seconds_argument(fcinfo, 2, "dt_seconds");

	PG_RETURN_FLOAT8(thermal_at(temperature, load, dt_seconds));
}

/* Returns the phase of that name; an idle device is in none. */
static ThermalPhase
phase_named(const char *name)
{
	if (strcmp(name, "normal") == 0 || strcmp(name, "idle") == 0)
		return PHASE_NORMAL;
	if (strcmp(name, "warming") == 0)
		return PHASE_WARMING;
	if (strcmp(name, "cooling") == 0)
		return PHASE_COOLING;
	ereport(
		ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid phase \"%s\"", name),
		 errdetail("A device is in one of the phases normal, idle, warming and cooling."),
		 errhint("Write the phase in lower case, for example performance_level('warming', ...).")));
	return PHASE_NORMAL; /* keep the compiler quiet */
}

/* Returns an interval in seconds, with months of 30 and days of 24 hours. */
static double
interval_seconds(const Interval *interval)
{
	double days = interval->month * DAYS_PER_PHASE_MONTH + interval->day;

	return days * SECS_PER_DAY + (double) interval->time / USECS_PER_SEC;
}

/*
 * Returns the seconds from one time to another.  Infinite times are far away
 * from all others and no time away from themselves.  In doubles, because the
 * earliest and the latest timestamp are further apart than an int64 counts.
 */
static double
seconds_between(TimestampTz since, TimestampTz at)
{
	if (since == at)
		return 0.0;
	if (TIMESTAMP_IS_NOBEGIN(since) || TIMESTAMP_IS_NOEND(at))
		return INFINITY;
	if (TIMESTAMP_IS_NOEND(since) || TIMESTAMP_IS_NOBEGIN(at))
		return -INFINITY;
	return ((double) at - (double) since) / USECS_PER_SEC;
}

/* Returns the share of its performance that a device in a phase has at a time. */
Datum
hwsched_performance_level(PG_FUNCTION_ARGS)
{
	ThermalPhase phase = phase_named(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	double elapsed = seconds_between(PG_GETARG_TIMESTAMPTZ(1), PG_GETARG_TIMESTAMPTZ(3));
	double duration = interval_seconds(PG_GETARG_INTERVAL_P(2));

	PG_RETURN_FLOAT8(phase_performance_level(phase, elapsed, duration));
}

/* temperature_ratio(celsius, idle_celsius, throttle_celsius) RETURNS float8 */
Datum
hwsched_temperature_ratio(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(celsius_to_temperature(number_argument(fcinfo, 0, "celsius"),
											PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2)));
}
