/*
 * power.c
 *		Power limits: what jobs took at them, and the one at which a job should
 *		run.
 *
 * A suggestion looks at the job itself and at the jobs that were measured last,
 * so what it takes does not grow with the table.
 */
#include "postgres.h"

#include "funcapi.h"

#include "model/power_limit.h"
#include "store/pool.h"
#include "store/settings.h"
#include "support/args.h"
#include "support/columns.h"

PG_FUNCTION_INFO_V1(hwsched_record_power);
PG_FUNCTION_INFO_V1(hwsched_suggest_power_limit);

/*
 * The other jobs that count, the rows that are read of them, and the settings that are told
 * apart.
 */
#define MOST_JOBS 500
#define MOST_ROWS 20000
#define MOST_SETTINGS 256

/*
 * record_power(job text, device_model text, power_limit_w float8, seconds float8, average_w
 * float8, pool text) RETURNS void
 */
Datum
hwsched_record_power(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.power_measurement AS m (pool, job, device_model, power_limit_w,"
		" seconds, average_w)"
		" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (pool, job, device_model, power_limit_w) DO"
		" UPDATE"
		" SET seconds = EXCLUDED.seconds, average_w = EXCLUDED.average_w, at = EXCLUDED.at",
		{TEXTOID, TEXTOID, TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID}};
	char *job = name_argument(fcinfo, 0, "job");
	char *model = name_argument(fcinfo, 1, "device_model");
	double limit = limited_argument(fcinfo, 2, "power_limit_w", 0.001, 1e6);
	double seconds = limited_argument(fcinfo, 3, "seconds", 1e-9, 1e12);
	double watts = limited_argument(fcinfo, 4, "average_w", 0.001, 1e6);
	char *pool = text_argument(fcinfo, 5);
	Caller caller = call_begin(fcinfo);

	authz_check_coordinate(&caller, pool);
	pool_check(pool, false);
	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(job), TEXT_VALUE(model),
				 VALUE(Float8GetDatum(limit)), VALUE(Float8GetDatum(seconds)),
				 VALUE(Float8GetDatum(watts)));
	call_end(&caller);
	PG_RETURN_VOID();
}

/* --- suggesting --- */

/* A measurement, by the numbers of its job (0: the one that is asked for) and setting. */
typedef struct Measurement
{
	int job;
	int setting;
	double seconds;
	double watts;
} Measurement;

typedef struct Measurements
{
	int count;
	Measurement *items;
	int jobs;
	const char *last_job; /* that was numbered */
	int settings;
	int device[MOST_SETTINGS];
	double limit_watts[MOST_SETTINGS];
	int ndevices;
	const char *devices[MOST_SETTINGS];
} Measurements;

/* Returns the number of a setting, a new one if there is room, or -1. */
static int
setting_number(Measurements *all, const char *model, double limit)
{
	int device = 0;

	while (device < all->ndevices && strcmp(all->devices[device], model) != 0)
		device++;
	for (int s = 0; s < all->settings; s++)
		if (all->device[s] == device && all->limit_watts[s] == limit)
			return s;
	if (all->settings == MOST_SETTINGS)
		return -1;
	if (device == all->ndevices)
		all->devices[all->ndevices++] = pstrdup(model);
	all->device[all->settings] = device;
	all->limit_watts[all->settings] = limit;
	return all->settings++;
}

/* A row of a measurement. */
typedef struct MeasurementRow
{
	const char *job;
	const char *device_model;
	double limit_watts;
	double seconds;
	double average_watts;
} MeasurementRow;

static const Column measurement_columns[] = {
	{"m.job", CSTRINGOID, offsetof(MeasurementRow, job)},
	{"m.device_model", CSTRINGOID, offsetof(MeasurementRow, device_model)},
	{"m.power_limit_w", FLOAT8OID, offsetof(MeasurementRow, limit_watts)},
	{"m.seconds", FLOAT8OID, offsetof(MeasurementRow, seconds)},
	{"m.average_w", FLOAT8OID, offsetof(MeasurementRow, average_watts)},
};

static const RowType measurement_row = ROW_TYPE(MeasurementRow, measurement_columns);

/* Adds a measurement. */
static bool
read_measurement(void *arg, const Row *row)
{
	Measurements *all = arg;
	MeasurementRow read;
	int setting;

	read_row(&measurement_row, row, &read);
	setting = setting_number(all, read.device_model, read.limit_watts);
	if (setting < 0)
		return true;
	if (all->last_job == NULL || strcmp(all->last_job, read.job) != 0)
	{
		all->last_job = read.job;
		all->jobs++;
	}
	all->items[all->count++] =
		(Measurement){all->jobs - 1, setting, read.seconds, read.average_watts};
	return true;
}

/* Reads what a job took, and unless only_job the jobs that were measured last beside it. */
static Measurements *
read_measurements(const char *pool, const char *job, bool only_job)
{
	static SpiPlan own = {
		"SELECT " ROW_COLUMNS " FROM hwsched.power_measurement m"
		" WHERE m.pool = $1 AND m.job = $2 ORDER BY m.at DESC, m.device_model, m.power_limit_w"
		" LIMIT $3",
		{TEXTOID, TEXTOID, INT8OID},
		.row = &measurement_row};
	static SpiPlan others = {
		"SELECT " ROW_COLUMNS " FROM (SELECT r.job, max(r.at) AS at"
		"  FROM (SELECT job, at FROM hwsched.power_measurement WHERE pool = $1 ORDER BY at DESC,"
		" job DESC LIMIT $3) r"
		"  WHERE r.job <> $2 GROUP BY r.job ORDER BY max(r.at) DESC, r.job DESC LIMIT $4) j"
		" JOIN hwsched.power_measurement m ON m.pool = $1 AND m.job = j.job"
		" ORDER BY j.at DESC, m.job DESC, m.device_model, m.power_limit_w LIMIT $3",
		{TEXTOID, TEXTOID, INT8OID, INT8OID},
		.row = &measurement_row};
	Measurements *all = palloc0(sizeof(Measurements));

	all->items = palloc(sizeof(Measurement) * (MOST_SETTINGS + MOST_ROWS));
	spi_plan_each(&own, true, read_measurement, all, TEXT_VALUE(pool), TEXT_VALUE(job),
				  BIGINT_VALUE(MOST_SETTINGS));
	if (all->count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("job \"%s\" was never measured in pool \"%s\"", job, pool),
				 errhint("Measure it at a power limit or two and call hwsched.record_power().")));
	if (!only_job)
		spi_plan_each(&others, true, read_measurement, all, TEXT_VALUE(pool), TEXT_VALUE(job),
					  BIGINT_VALUE(MOST_ROWS), BIGINT_VALUE(MOST_JOBS));
	return all;
}

/* Returns whether a setting is one of a device model; NULL: of any. */
static bool
is_of_model(const Measurements *all, int setting, const char *device_model)
{
	return device_model == NULL || strcmp(all->devices[all->device[setting]], device_model) == 0;
}

/*
 * Returns the setting to measure the job at next: on the device model that is suggested, else on
 * another; -1: none.
 */
static int
next_setting(const Measurements *all, const PowerHistory *history, const PowerJob *job, int chosen)
{
	int next = chosen < 0 ? -1 : power_next(history, job, all->device[chosen]);

	for (int d = 0; d < all->ndevices && next < 0; d++)
		next = power_next(history, job, d);
	return next;
}

/*
 * Chooses the setting for the first of the jobs, among those of one device model if it is named;
 * gives what is expected of each, and the setting to measure the job at next (-1: none).
 */
static int
choose_setting(const Measurements *all, const char *device_model, double slowdown,
			   PowerGuess *guesses, int *next)
{
	Size cells = (Size) all->jobs * all->settings;
	double *seconds = palloc(sizeof(double) * cells);
	double *watts = palloc(sizeof(double) * cells);
	PowerHistory history = {all->jobs - 1,	  all->settings,		   all->device,
							all->limit_watts, seconds + all->settings, watts + all->settings};
	bool allowed[MOST_SETTINGS];
	PowerJob job = {seconds, watts, allowed, NULL, slowdown, POWER_CAUTION};
	int chosen;

	for (int s = 0; s < all->settings; s++)
		allowed[s] = is_of_model(all, s, device_model);

	for (Size i = 0; i < cells; i++)
		seconds[i] = watts[i] = NAN;
	for (int i = 0; i < all->count; i++)
	{
		const Measurement *one = &all->items[i];

		seconds[(Size) one->job * all->settings + one->setting] = one->seconds;
		watts[(Size) one->job * all->settings + one->setting] = one->watts;
	}
	chosen = power_choose(&history, &job, guesses);
	*next = next_setting(all, &history, &job, chosen);
	return chosen;
}

static const Measurements *sorting;

/* By device model and power limit. */
static int
compare_settings(const void *a, const void *b)
{
	int i = *(const int *) a;
	int j = *(const int *) b;
	int order = strcmp(sorting->devices[sorting->device[i]], sorting->devices[sorting->device[j]]);

	return order != 0 ? order :
						(sorting->limit_watts[i] > sorting->limit_watts[j]) -
							(sorting->limit_watts[i] < sorting->limit_watts[j]);
}

/* suggest_power_limit(job text, slowdown float8, pool text, device_model text) RETURNS TABLE */
Datum
hwsched_suggest_power_limit(PG_FUNCTION_ARGS)
{
	char *job = text_argument(fcinfo, 0);
	double slowdown = limited_argument(fcinfo, 1, "slowdown", 0, 1000);
	char *pool = text_argument(fcinfo, 2);
	char *device_model = PG_ARGISNULL(3) ? NULL : text_argument(fcinfo, 3);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PoolSettings settings;
	Measurements *all;
	PowerGuess guesses[MOST_SETTINGS];
	bool measured[MOST_SETTINGS] = {0};
	int order[MOST_SETTINGS];
	int rows = 0;
	int chosen;
	int next;
	Caller caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	authz_check_view(&caller, pool);
	pool_settings_load(pool, true, &settings);
	all = read_measurements(pool, job, !settings.learning);
	chosen = choose_setting(all, device_model, slowdown, guesses, &next);
	/* what was measured is known as it was, and not by way of logarithms */
	for (int i = 0; i < all->count && all->items[i].job == 0; i++)
	{
		measured[all->items[i].setting] = true;
		guesses[all->items[i].setting].seconds = all->items[i].seconds;
		guesses[all->items[i].setting].watts = all->items[i].watts;
	}
	for (int s = 0; s < all->settings; s++)
		if (is_of_model(all, s, device_model))
			order[rows++] = s;
	if (rows == 0)
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						errmsg("device model \"%s\" was never measured in pool \"%s\"",
							   device_model, pool),
						errhint("Measure jobs on it and call hwsched.record_power().")));
	sorting = all;
	qsort(order, rows, sizeof(int), compare_settings);
	for (int i = 0; i < rows; i++)
	{
		int s = order[i];
		bool unknown = isnan(guesses[s].seconds);

		Datum values[] = {CStringGetTextDatum(all->devices[all->device[s]]),
						  Float8GetDatum(all->limit_watts[s]),
						  Float8GetDatum(guesses[s].seconds),
						  Float8GetDatum(guesses[s].watts),
						  Float8GetDatum(guesses[s].seconds * guesses[s].watts),
						  Float8GetDatum(guesses[s].risk),
						  BoolGetDatum(s == chosen),
						  BoolGetDatum(measured[s]),
						  BoolGetDatum(s == next)};
		bool nulls[] = {false, false, unknown, unknown, unknown, unknown, false, false, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	call_end(&caller);
	return (Datum) 0;
}
