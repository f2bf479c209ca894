/*
 * device_state.c
 *		The condition of a worker's devices: load, thermal phase and temperature.
 *
 * All of it is a function of the last report and of time, so it is right at
 * any moment without a tick.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "utils/timestamp.h"

#include "store/device_state.h"
#include "support/columns.h"

double
zero_if_absent(double x)
{
	return isnan(x) ? 0 : x;
}

/* --- a number for each device --- */

static DeviceNumbers
no_numbers(int count)
{
	DeviceNumbers numbers = {count, palloc(sizeof(double) * (count + 1))};

	for (int d = 0; d < count; d++)
		numbers.values[d] = NAN;
	return numbers;
}

static double
device_number(const DeviceNumbers *numbers, int device_no)
{
	return device_no < numbers->count ? numbers->values[device_no] : NAN;
}

/* Reads a float8[] whose nulls are absent numbers; 0: there is none. */
DeviceNumbers
device_numbers(Datum array)
{
	DeviceNumbers numbers = {0, NULL};
	Datum *datums;
	bool *nulls;
	int count;

	if (array == (Datum) 0)
		return numbers;
	deconstruct_array(DatumGetArrayTypeP(array), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &datums, &nulls, &count);
	numbers = no_numbers(count);
	for (int d = 0; d < count; d++)
		if (!nulls[d])
			numbers.values[d] = DatumGetFloat8(datums[d]);
	return numbers;
}

/* Makes such an array; NULL if all are absent. */
Parameter
device_numbers_value(const DeviceNumbers *numbers)
{
	Datum *datums = palloc(sizeof(Datum) * (numbers->count + 1));
	bool *nulls = palloc(sizeof(bool) * (numbers->count + 1));
	bool any = false;

	for (int d = 0; d < numbers->count; d++)
	{
		nulls[d] = isnan(numbers->values[d]);
		datums[d] = nulls[d] ? (Datum) 0 : Float8GetDatum(numbers->values[d]);
		any = any || !nulls[d];
	}
	return any ? array_value(FLOAT8OID, datums, nulls, numbers->count) : NULL_VALUE;
}

/* --- one device --- */

/* Returns the load of a device; utilization is its own in percent, NAN: its worker's holds. */
static double
load_of(const DeviceProfile *profile, const Utilization *of_worker, double utilization)
{
	Utilization load = *of_worker;

	if (isnan(utilization))
		return load_score(&load);
	if (same_name(profile->hardware_class, "cpu"))
		load.cpu = utilization;
	else
		load.gpu = utilization;
	return load_score(&load);
}

/*
 * Returns the temperature 0..1 that was reported of a device, by itself or by its worker; NAN:
 * none.
 */
static double
reported_temperature(const DeviceProfile *profile, double temperature, double of_worker,
					 double celsius)
{
	if (isnan(celsius) && !isnan(temperature))
		return temperature;
	if (isnan(celsius))
		celsius = of_worker;
	return isnan(celsius) ?
			   NAN :
			   celsius_to_temperature(celsius, profile->idle_celsius, profile->throttle_celsius);
}

/* Sets a device's state from what was reported of its worker, and of it (NAN: nothing). */
void
set_device_state(const DeviceProfile *profile, const Reported *report, double utilization,
				 double celsius, Device *device)
{
	double temperature =
		reported_temperature(profile, report->temperature, report->celsius, celsius);
	double throttles_at = device_number(&report->throttles_at, device->device_no);

	device->load = load_of(profile, &report->utilization, utilization);
	device->warming = report->phase == PHASE_WARMING;
	device->cooling = report->phase == PHASE_COOLING;
	device->performance_level = report->performance_level;
	device->effective_load =
		effective_load(device->load, device->warming || device->cooling, device->performance_level);
	device->temperature =
		!isnan(temperature) ?
			temperature :
			thermal_at(zero_if_absent(device_number(&report->temperatures, device->device_no)),
					   device->load, report->elapsed);
	device->throttles_at = isnan(throttles_at) ? INFINITY : throttles_at;
}

/* --- the devices of a worker when it reports --- */

/* Sets the condition of a worker that has not reported anything. */
void
device_states_begin(DeviceStates *condition, int64 hardware_id)
{
	memset(condition, 0, sizeof(*condition));
	condition->hardware_id = hardware_id;
	condition->load = (LoadReport){NAN, NAN, NAN, NAN, NAN, -1, -1, NAN, NAN, NAN, {0, NULL}};
}

/* Reads what was last reported of single devices. */
static void
read_device_loads(const char *pool, const char *worker_id, LoadReport *load)
{
	static SpiPlan statement = {
		"SELECT device_no, utilization, temperature_celsius FROM hwsched.device_load"
		" WHERE pool = $1 AND worker_id = $2",
		{TEXTOID, TEXTOID}};
	int n = (int) spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
	DeviceLoadReport *devices = palloc(sizeof(DeviceLoadReport) * (n + 1));

	for (int i = 0; i < n; i++)
		devices[i] =
			(DeviceLoadReport){column_int(i, 1), column_number(i, 2), column_number(i, 3), NAN};
	load->devices = (DocumentList){n, devices};
}

#define LOAD(member) \
	{ \
#member, FLOAT8OID, offsetof(DeviceStatesRow, states.load.member) \
	}

/* A row of worker_load. */
typedef struct DeviceStatesRow
{
	DeviceStates states;
	Datum temperatures;
	Datum throttles_at;
} DeviceStatesRow;

static const Column state_columns[] = {
	{"hardware_id", INT8OID, offsetof(DeviceStatesRow, states.hardware_id)},
	LOAD(cpu_utilization),
	LOAD(memory_utilization),
	LOAD(gpu_utilization),
	LOAD(io_utilization),
	LOAD(network_utilization),
	LOAD(temperature),
	LOAD(temperature_celsius),
	{"reported_at", TIMESTAMPTZOID, offsetof(DeviceStatesRow, states.reported_at)},
	{"temperatures", FLOAT8ARRAYOID, offsetof(DeviceStatesRow, temperatures)},
	{"throttles_at", FLOAT8ARRAYOID, offsetof(DeviceStatesRow, throttles_at)},
	{"busy_at", TIMESTAMPTZOID, offsetof(DeviceStatesRow, states.busy_at)},
	{"high_since", TIMESTAMPTZOID, offsetof(DeviceStatesRow, states.high_since)},
	{"hwsched_internal.phase_now(phase, phase_since, phase_duration) <> 'normal'", BOOLOID,
	 offsetof(DeviceStatesRow, states.in_phase)},
};

static const RowType states_row = ROW_TYPE(DeviceStatesRow, state_columns);

/*
 * Reads the condition of a worker, and locks it until the end of the
 * transaction; returns false for an unknown worker.
 */
bool
device_states_lock(const char *pool, const char *worker_id, DeviceStates *condition)
{
	static SpiPlan statement = {
		"SELECT " ROW_COLUMNS
		" FROM hwsched.worker_load WHERE pool = $1 AND worker_id = $2 FOR NO KEY UPDATE",
		{TEXTOID, TEXTOID},
		.row = &states_row};
	DeviceStatesRow *row;

	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id)) == 0)
		return false;
	row = read_rows(&states_row, 1);
	*condition = row->states;
	condition->load.active_tests = condition->load.queue_depth = -1;
	condition->load.power_w = NAN;
	condition->temperatures = device_numbers(row->temperatures);
	condition->throttles_at = device_numbers(row->throttles_at);
	if (condition->reported_at != 0)
		read_device_loads(pool, worker_id, &condition->load);
	return true;
}

static Utilization
utilization_of(const LoadReport *load)
{
	return (Utilization){
		zero_if_absent(load->cpu_utilization), zero_if_absent(load->memory_utilization),
		zero_if_absent(load->gpu_utilization), zero_if_absent(load->io_utilization),
		zero_if_absent(load->network_utilization)};
}

/* What there is of a device at the moment of a report. */
typedef struct AtReport
{
	double load;
	double temperature; /* 0..1 */
	bool is_modelled; /* that is, not reported */
} AtReport;

/* Returns that of each device of a worker. */
static AtReport *
at_report(const Hardware *hardware, const DeviceStates *condition)
{
	const LoadReport *load = &condition->load;
	const DeviceLoadReport *reports = load->devices.items;
	Utilization utilization = utilization_of(load);
	AtReport *devices = palloc(sizeof(AtReport) * (hardware->ndevices + 1));
	DeviceNumbers own_utilization = no_numbers(hardware_numbers(hardware));
	DeviceNumbers own_celsius = no_numbers(hardware_numbers(hardware));

	for (int i = 0; i < load->devices.count; i++)
		if (reports[i].device_no >= 0 && reports[i].device_no < own_celsius.count)
		{
			own_utilization.values[reports[i].device_no] = reports[i].utilization;
			own_celsius.values[reports[i].device_no] = reports[i].temperature_celsius;
		}
	for (int d = 0; d < hardware->ndevices; d++)
	{
		const DeviceProfile *profile = hardware->profiles[d];
		int number = hardware->device_nos[d];
		double temperature = reported_temperature(
			profile, load->temperature, load->temperature_celsius, own_celsius.values[number]);

		devices[d].load = load_of(profile, &utilization, own_utilization.values[number]);
		devices[d].is_modelled = isnan(temperature);
		devices[d].temperature =
			devices[d].is_modelled ?
				zero_if_absent(device_number(&condition->temperatures, number)) :
				temperature;
	}
	return devices;
}

/* Returns the seconds from a time to another; those from no time (0) are infinite. */
static double
seconds_since(TimestampTz since, TimestampTz at)
{
	return since == 0 ? INFINITY : (at - since) / (double) USECS_PER_SEC;
}

/* Finds out what a report means for the phases of a worker. */
static void
report_phases(const PoolSettings *settings, const DeviceStates *before, double load,
			  DeviceStates *after)
{
	TimestampTz now = after->reported_at;
	TimestampTz cooled = now + (TimestampTz) (settings->cooling * USECS_PER_SEC);
	PhaseCourse course = {
		.in_phase = before->in_phase,
		.was_idle = before->reported_at != 0 && before->busy_at != before->reported_at,
		.since_busy = seconds_since(before->busy_at, now),
		.high_for = before->high_since == 0 ? 0 : seconds_since(before->high_since, now),
	};

	after->begins = phase_that_begins(&course, load, settings->warming, settings->cooling);
	after->busy_at = load_is_idle(load) ? before->busy_at : now;
	after->high_since = 0;
	if (!load_is_high(load))
		return;
	after->high_since =
		before->high_since == 0 || before->high_since > cooled ? now : before->high_since;
	/* the count begins anew when the phase is over */
	if (after->begins == PHASE_COOLING)
		after->high_since = cooled;
}

/*
 * Sets what becomes of a worker's condition with a report: where it tells no
 * temperature, that goes on from the one there was.
 */
void
device_states_report(const PoolSettings *settings, const Hardware *hardware,
					 const DeviceStates *before, const LoadReport *load, DeviceStates *after)
{
	AtReport *old = at_report(hardware, before);
	AtReport *new;
	double elapsed;
	double greatest;
	Utilization utilization = utilization_of(load);

	device_states_begin(after, before->hardware_id);
	after->load = *load;
	after->reported_at = GetCurrentTransactionStartTimestamp();
	after->temperatures = no_numbers(hardware_numbers(hardware));
	after->throttles_at = no_numbers(hardware_numbers(hardware));
	new = at_report(hardware, after);
	elapsed = before->reported_at == 0 ? 0 : seconds_since(before->reported_at, after->reported_at);
	greatest = hardware->ndevices == 0 ? load_score(&utilization) : 0;
	for (int d = 0; d < hardware->ndevices; d++)
	{
		double temperature = thermal_at(old[d].temperature, old[d].load, elapsed);

		if (new[d].is_modelled && temperature > 0)
			after->temperatures.values[hardware->device_nos[d]] = temperature;
		greatest = Max(greatest, new[d].load);
	}
	report_phases(settings, before, greatest, after);
}

/* --- readiness --- */

/*
 * Returns what load and temperature leave of the efficiency of a worker's
 * devices, whatever is assigned to it and apart from its thermal phase.
 *
 * A phase takes more away, until it is over, and so does the heat that work
 * would cause; a temperature that changes counts as the coldest it will be.  So
 * this is a bound for as long as the worker reports nothing else.
 */
Readiness
device_states_readiness(const Hardware *hardware, const DeviceStates *condition)
{
	enum
	{
		LOAD,
		TEMPERATURE,
		SINCE,
		THROTTLES_AT,
		NSTATES
	};
	Readiness readiness = {NAN, NAN, 0};
	double *states = palloc(sizeof(double) * (hardware->ndevices * NSTATES + 1));
	AtReport *devices = at_report(hardware, condition);

	for (int d = 0; d < hardware->ndevices; d++)
	{
		const AtReport *device = &devices[d];
		double *state = &states[d * NSTATES];
		double *best = same_name(hardware->profiles[d]->hardware_class, "cpu") ?
						   &readiness.cpu :
						   &readiness.accelerator;
		bool changes = device->is_modelled && thermal_at(device->temperature, device->load,
														 INFINITY) != device->temperature;
		double left = adjusted_efficiency(
			1.0, device->load, false, false, 1.0,
			changes ? thermal_coldest(device->temperature, device->load) : device->temperature);

		if (isnan(*best) || left > *best)
			*best = left;
		/* adding 0 makes -0 the same as 0 */
		state[LOAD] = device->load + 0.0;
		state[TEMPERATURE] = device->temperature + 0.0;
		state[SINCE] = changes ? (double) condition->reported_at : 0;
		state[THROTTLES_AT] =
			zero_if_absent(device_number(&condition->throttles_at, hardware->device_nos[d]));
	}
	readiness.state_hash = (int64) DatumGetUInt64(hash_any_extended(
		(const unsigned char *) states, sizeof(double) * NSTATES * hardware->ndevices, 0));
	pfree(states);
	return readiness;
}

/* Writes the readiness of a worker of some hardware anew, after its row has been changed. */
void
device_states_renew(const char *pool, const char *worker_id, int64 hardware_id)
{
	static SpiPlan statement = {
		"UPDATE hwsched.worker_load SET hardware_id = $3, cpu_readiness = $4,"
		" accelerator_readiness = $5, state_hash = $6"
		" WHERE pool = $1 AND worker_id = $2 AND (hardware_id, cpu_readiness,"
		" accelerator_readiness, state_hash)"
		"  IS DISTINCT FROM ($3, $4, $5, $6)",
		{TEXTOID, TEXTOID, INT8OID, FLOAT8OID, FLOAT8OID, INT8OID}};
	const Hardware *hardware;
	DeviceStates condition;
	Readiness readiness;

	if (!device_states_lock(pool, worker_id, &condition))
		elog(ERROR, "pool \"%s\" lost worker \"%s\" while it was locked", pool, worker_id);
	hardware_get(pool, &hardware_id, 1, false, &hardware);
	readiness = device_states_readiness(hardware, &condition);
	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
				 BIGINT_VALUE(hardware_id), NUMBER_OR_NULL(readiness.cpu),
				 NUMBER_OR_NULL(readiness.accelerator), BIGINT_VALUE(readiness.state_hash));
}

/* Returns whether a report of the pool may be older than load_ttl and not be forgotten yet. */
bool
device_states_may_expire(const char *pool, const PoolSettings *settings)
{
	static SpiPlan statement = {"SELECT FROM hwsched.pool_activity WHERE pool = $1"
								" AND activity = 'oldest_report'"
								" AND done_at >= now() - make_interval(secs => $2)",
								{TEXTOID, FLOAT8OID}};

	return spi_plan_run(&statement, false, TEXT_VALUE(pool),
						VALUE(Float8GetDatum(settings->load_ttl))) == 0;
}

/* Notes how old the oldest report is now: until that is too old, there is nothing to forget. */
static void
note_oldest_report(const char *pool)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.pool_activity (pool, activity, done_at)"
		" SELECT $1, 'oldest_report', least(now(), min(reported_at)) FROM hwsched.worker_load"
		" WHERE pool = $1"
		" ON CONFLICT (pool, activity) DO UPDATE SET done_at = EXCLUDED.done_at",
		{TEXTOID}};

	spi_plan_run(&statement, false, TEXT_VALUE(pool));
}

/*
 * Forgets reports that are older than load_ttl: decisions take them for none,
 * and so must the orders in which they look for workers.  Costs a look while
 * none can be that old.  Workers that report just now are left alone.
 */
void
device_states_expire(const char *pool, const PoolSettings *settings)
{
#define OLD_REPORTS(columns) \
	"SELECT " columns " FROM hwsched.worker_load" \
	" WHERE pool = $1 AND reported_at < now() - make_interval(secs => $2)"
	static SpiPlan kinds = {OLD_REPORTS("DISTINCT hardware_id"), {TEXTOID, FLOAT8OID}, IN_SETS};
	static SpiPlan forget = {
		"WITH forgotten AS (UPDATE hwsched.worker_load SET cpu_utilization = NULL,"
		"   memory_utilization = NULL, gpu_utilization = NULL, io_utilization = NULL,"
		"   network_utilization = NULL, active_tests = NULL, queue_depth = NULL,"
		"   temperature = NULL, temperature_celsius = NULL, power_w = NULL, reported_at = NULL,"
		"   temperatures = NULL, throttles_at = NULL, busy_at = NULL, high_since = NULL,"
		"   cpu_readiness = $4, accelerator_readiness = $5, state_hash = $6"
		"  WHERE pool = $1 AND ctid = ANY (ARRAY(" OLD_REPORTS(
			"ctid") " AND hardware_id = $3 FOR NO KEY UPDATE SKIP LOCKED)) RETURNING worker_id)"
					" DELETE FROM hwsched.device_load WHERE pool = $1"
					" AND worker_id IN (SELECT worker_id FROM forgotten)",
		{TEXTOID, FLOAT8OID, INT8OID, FLOAT8OID, FLOAT8OID, INT8OID}};
	Parameter age = VALUE(Float8GetDatum(settings->load_ttl));
	int64 *ids;
	const Hardware **hardware;
	int n;

	if (!device_states_may_expire(pool, settings))
		return;
	n = (int) spi_plan_run(&kinds, false, TEXT_VALUE(pool), age);
	ids = palloc(sizeof(int64) * (n + 1));
	hardware = palloc(sizeof(Hardware *) * (n + 1));
	for (int i = 0; i < n; i++)
		ids[i] = column_bigint(i, 1);
	hardware_get(pool, ids, n, false, hardware);
	for (int i = 0; i < n; i++)
	{
		DeviceStates nothing;
		Readiness readiness;

		CHECK_FOR_INTERRUPTS();
		device_states_begin(&nothing, ids[i]);
		readiness = device_states_readiness(hardware[i], &nothing);
		spi_plan_run(&forget, false, TEXT_VALUE(pool), age, BIGINT_VALUE(ids[i]),
					 NUMBER_OR_NULL(readiness.cpu), NUMBER_OR_NULL(readiness.accelerator),
					 BIGINT_VALUE(readiness.state_hash));
	}
	note_oldest_report(pool);
}
