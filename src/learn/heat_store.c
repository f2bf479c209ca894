/*
 * heat_store.c
 *		The thermal models of devices: learning them from reports, and asking
 *		them.  Only here a row of hwsched.device_heat is a Heat.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/timestamp.h"

#include "learn/heat_store.h"

/* How far ahead a device has to stay below its throttling point. */
#define HORIZON_SECONDS 3600.0

/* A report older than the last one by more is a clock that was set back. */
#define CLOCK_SECONDS 60.0

/* Reads a model; returns false for numbers that are none. */
bool
read_heat(Datum model, bool isnull, Heat *heat)
{
	ArrayType *array;

	if (isnull)
		return false;
	array = DatumGetArrayTypeP(model);
	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != HEAT_SIZE || ARR_HASNULL(array))
		return false;
	memcpy(heat, ARR_DATA_PTR(array), sizeof(Heat));
	return heat_fault(heat) < 0;
}

double
seconds_of(TimestampTz at)
{
	return at / (double) USECS_PER_SEC;
}

/* --- learning --- */

/* A device that has reported what a model learns from. */
typedef struct Measured
{
	int device; /* in its worker's hardware */
	int device_no;
	int64 profile_id;
	HeatReport report;
	Heat heat;
} Measured;

/*
 * Finds the devices for which a report tells degrees and power or utilisation;
 * where it says nothing of a device itself, its worker's values hold.
 */
static int
find_measured(const Hardware *hardware, const LoadReport *load, double seconds, Measured **measured)
{
	const DeviceLoadReport **own =
		palloc0(sizeof(DeviceLoadReport *) * (hardware_numbers(hardware) + 1));
	int count = 0;

	for (int i = 0; i < load->devices.count; i++)
	{
		const DeviceLoadReport *report = (const DeviceLoadReport *) load->devices.items + i;

		if (report->device_no >= 0 && report->device_no < hardware_numbers(hardware))
			own[report->device_no] = report;
	}
	*measured = palloc(sizeof(Measured) * (hardware->ndevices + 1));
	for (int d = 0; d < hardware->ndevices; d++)
	{
		const DeviceLoadReport *of_device = own[hardware->device_nos[d]];
		HeatReport report = {seconds, load->power_w,
							 same_name(hardware->profiles[d]->hardware_class, "cpu") ?
								 load->cpu_utilization :
								 load->gpu_utilization,
							 load->temperature_celsius};

		if (of_device != NULL && !isnan(of_device->power_w))
			report.watts = of_device->power_w;
		if (of_device != NULL && !isnan(of_device->utilization))
			report.utilisation = of_device->utilization;
		if (of_device != NULL && !isnan(of_device->temperature_celsius))
			report.celsius = of_device->temperature_celsius;
		report.utilisation /= 100.0;
		if (!isnan(report.celsius) && !(isnan(report.watts) && isnan(report.utilisation)))
			(*measured)[count++] = (Measured){d, hardware->device_nos[d], 0, report};
	}
	pfree(own);
	return count;
}

/*
 * Reads the models of devices.  One that has none, or not of the kind that it
 * is, begins with what was learned of another of its kind.
 */
static void
read_models(const char *pool, const char *worker_id, const Hardware *hardware, Measured *measured,
			int count)
{
	static SpiPlan statement = {
		"SELECT n.ord::int, d.profile_id, h.model, e.model"
		" FROM unnest($3) WITH ORDINALITY n(device_no, ord)"
		" CROSS JOIN LATERAL (SELECT * FROM hwsched.device x"
		"  WHERE x.pool = $1 AND x.worker_id = $2 AND x.device_no = n.device_no OFFSET 0) d"
		" LEFT JOIN LATERAL (SELECT * FROM hwsched.device_heat x WHERE x.pool = $1"
		" AND x.worker_id = $2"
		"  AND x.device_no = n.device_no AND x.profile_id = d.profile_id OFFSET 0) h ON true"
		/* of a few, the one that knows most */
		" LEFT JOIN LATERAL (SELECT f.model FROM (SELECT x.model FROM hwsched.device_heat x"
		"   WHERE h.model IS NULL AND x.pool = $1 AND x.profile_id = d.profile_id"
		" ORDER BY x.worker_id, x.device_no LIMIT 8) f"
		"  ORDER BY f.model[1] DESC LIMIT 1) e ON true",
		{TEXTOID, TEXTOID, INT4ARRAYOID},
		ALONG_INDEX};
	Datum *device_nos = palloc(sizeof(Datum) * count);
	uint64 n;

	for (int i = 0; i < count; i++)
		device_nos[i] = Int32GetDatum(measured[i].device_no);
	n = spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
					 array_value(INT4OID, device_nos, NULL, count));
	for (uint64 row = 0; row < n; row++)
	{
		Measured *device = &measured[column_int(row, 1) - 1];
		Heat elder;
		Datum model;
		bool isnull;

		device->profile_id = column_bigint(row, 2);
		model = column(row, 3, &isnull);
		if (read_heat(model, isnull, &device->heat))
			continue;
		model = column(row, 4, &isnull);
		if (read_heat(model, isnull, &elder))
			heat_adopt(&device->heat, &elder);
		else
			heat_start(&device->heat, hardware->profiles[device->device]->thermal_design_power_w);
	}
}

static void
write_heats(const char *pool, const char *worker_id, const Measured *measured, int count)
{
	/* the models one behind the other, as arrays of arrays cannot be taken apart */
	static SpiPlan statement = {
		"INSERT INTO hwsched.device_heat AS h (pool, worker_id, device_no, profile_id, model,"
		" updated_at)"
		" SELECT $1, $2, n.device_no, n.profile_id, $5[(n.ord::int - 1) * $6 + 1 : n.ord::int *"
		" $6], now()"
		" FROM unnest($3, $4) WITH ORDINALITY n(device_no, profile_id, ord)"
		" ON CONFLICT (pool, worker_id, device_no) DO UPDATE SET profile_id = EXCLUDED.profile_id,"
		"  model = EXCLUDED.model, updated_at = EXCLUDED.updated_at",
		{TEXTOID, TEXTOID, INT4ARRAYOID, INT8ARRAYOID, FLOAT8ARRAYOID, INT4OID}};
	Parameter device_nos;
	Parameter profile_ids;
	Parameter models;
	int32 *number = fixed_array(INT4OID, sizeof(int32), count, &device_nos);
	int64 *profile_id = fixed_array(INT8OID, sizeof(int64), count, &profile_ids);
	Heat *model = fixed_array(FLOAT8OID, sizeof(Heat), count, &models);

	ARR_DIMS(DatumGetArrayTypeP(models.value))[0] = count * HEAT_SIZE;
	for (int i = 0; i < count; i++)
	{
		number[i] = measured[i].device_no;
		profile_id[i] = measured[i].profile_id;
		model[i] = measured[i].heat;
	}
	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id), device_nos,
				 profile_ids, models, INT_VALUE(HEAT_SIZE));
}

/*
 * Lets the models of a worker's devices learn from its report, and sets from
 * which share of their power on they would throttle within the hour.  Devices
 * for which it tells no degrees cost nothing.
 */
void
heat_store_report(const char *pool, const char *worker_id, const Hardware *hardware,
				  DeviceStates *condition)
{
	double seconds = seconds_of(condition->reported_at);
	Measured *measured;
	int count = find_measured(hardware, &condition->load, seconds, &measured);
	int nlearned = 0;

	if (count == 0)
		return;
	read_models(pool, worker_id, hardware, measured, count);
	for (int i = 0; i < count; i++)
	{
		Measured *device = &measured[i];
		const DeviceProfile *profile = hardware->profiles[device->device];
		double share;

		/* of the time between, and of what the device had come to, nothing is known any more */
		if (device->heat.reports > 0 && device->heat.seconds > seconds + CLOCK_SECONDS)
		{
			Heat before = device->heat;

			heat_adopt(&device->heat, &before);
		}
		if (heat_report(&device->heat, device->report, true))
			measured[nlearned++] = *device;
		share =
			heat_throttles_at(&device->heat, profile->idle_power_w, profile->thermal_design_power_w,
							  profile->throttle_celsius, HORIZON_SECONDS);
		condition->throttles_at.values[device->device_no] = isinf(share) ? NAN : share;
	}
	if (nlearned > 0)
		write_heats(pool, worker_id, measured, nlearned);
}

#define REPORTED "FROM hwsched.worker_load WHERE pool = $1 AND ($2 IS NULL OR worker_id = $2)"

/* Locks what a worker reports in, or with NULL all of the pool's do: before their models. */
void
heat_store_lock(const char *pool, const char *worker_id)
{
	static SpiPlan statement = {"SELECT " REPORTED " ORDER BY worker_id FOR NO KEY UPDATE",
								{TEXTOID, TEXTOID}};

	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_OR_NULL(worker_id));
}

/*
 * Locks it likewise, but for what another session has; returns the first worker of whom
 * that is, NULL: of none.
 */
char *
heat_store_lock_free(const char *pool, const char *worker_id)
{
	static SpiPlan statement = {"WITH free AS MATERIALIZED (SELECT worker_id " REPORTED
								"  ORDER BY worker_id FOR NO KEY UPDATE SKIP LOCKED)"
								" SELECT min(worker_id) " REPORTED
								"  AND worker_id NOT IN (SELECT worker_id FROM free)",
								{TEXTOID, TEXTOID}};

	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_OR_NULL(worker_id));
	return column_text(0, 1);
}

/*
 * Forgets the models of a worker's devices, or with NULL of all in the pool;
 * returns how many those were.
 */
int64
heat_store_forget(const char *pool, const char *worker_id)
{
	static SpiPlan models = {
		"DELETE FROM hwsched.device_heat WHERE pool = $1 AND ($2 IS NULL OR worker_id = $2)",
		{TEXTOID, TEXTOID}};
	static SpiPlan shares = {
		"UPDATE hwsched.worker_load SET throttles_at = NULL WHERE pool = $1 AND ($2 IS NULL"
		" OR worker_id = $2)"
		" AND throttles_at IS NOT NULL RETURNING worker_id, hardware_id",
		{TEXTOID, TEXTOID}};
	int64 forgotten;
	int n;
	SPITupleTable *rows;

	heat_store_lock(pool, worker_id);
	forgotten = spi_plan_run(&models, false, TEXT_VALUE(pool), TEXT_OR_NULL(worker_id));
	n = (int) spi_plan_run(&shares, false, TEXT_VALUE(pool), TEXT_OR_NULL(worker_id));
	rows = SPI_tuptable;
	for (int i = 0; i < n; i++)
	{
		SPI_tuptable = rows;
		device_states_renew(pool, column_text(i, 1), column_bigint(i, 2));
		CHECK_FOR_INTERRUPTS();
	}
	return forgotten;
}
