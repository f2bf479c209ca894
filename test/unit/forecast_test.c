/*
 * forecast_test.c
 *		Forecasts for a fleet, and the records of durations as arrays.
 *
 * How good the estimates are is duration_test's; here it counts that a forecast
 * is what duration_predict says of the same records, whoever asks first.
 */
#include "model/duration_array.h"
#include "model/forecast.h"
#include "tap.h"

#define PROFILES 3
#define MODELS 4
#define WORKERS 2

static DurationPool pool;
static DurationType type;
static DurationFamily family;
static DurationModel models[MODELS + 1]; /* the last one never runs */
static DurationDevice profiles[PROFILES];
static DurationWorker workers[PROFILES * WORKERS];
static DurationDevice *numbered[PROFILES];

static DurationRecords
records_of(int model, int profile, int device)
{
	DurationRecords r = {&pool,
						 &type,
						 &family,
						 &models[model],
						 &profiles[profile],
						 &workers[device],
						 numbered,
						 (int) pool.numbers,
						 NAN};

	return r;
}

/* Lets every model but the last run on every device; the second worker of each profile is slow. */
static void
learn(void)
{
	for (int round = 0; round < 8; round++)
		for (int m = 0; m < MODELS; m++)
			for (int d = 0; d < PROFILES * WORKERS; d++)
			{
				int p = d / WORKERS;
				DurationRecords r = records_of(m, p, d);

				duration_learn(&r, 60, 60 * (m + 1) * (p + 1) * (d % WORKERS == 0 ? 1 : 1.5));
				numbered[(int) profiles[p].number - 1] = &profiles[p];
			}
}

static void
test_forecast(void)
{
	DurationDevice *by_profile[PROFILES];
	DurationWorker *by_device[PROFILES * WORKERS];
	ForecastSubject subjects[MODELS + 1] = {{0}};
	Forecast forecast = {&pool,		 (int) pool.numbers, numbered,	 PROFILES,
						 by_profile, by_device,			 MODELS + 1, subjects};
	bool same = true;
	bool wider = true;
	bool factors = true;

	for (int p = 0; p < PROFILES; p++)
		by_profile[p] = &profiles[p];
	for (int d = 0; d < PROFILES * WORKERS; d++)
		by_device[d] = &workers[d];
	for (int m = 0; m <= MODELS; m++)
		subjects[m] =
			(ForecastSubject){.type = &type, .family = &family, .model = &models[m], .size = NAN};
	for (int d = PROFILES * WORKERS - 1; d >= 0; d--)
		for (int m = MODELS; m >= 0; m--)
		{
			DurationRecords r = records_of(m, d / WORKERS, d);
			DurationEstimate alone = duration_predict(&r, 60);
			DurationEstimate together = forecast_estimate(&forecast, m, d / WORKERS, d, 60);

			same = same && fabs(alone.p50 / together.p50 - 1) < 1e-12 &&
				   fabs(alone.p90 / together.p90 - 1) < 1e-9;
			wider = wider && together.p90 > together.p50;
			factors = factors && fabs(together.p50 -
									  60 * forecast_factor(&forecast, m, d / WORKERS, d)) < 1e-9;
		}
	ok(same, "a forecast is what its records say");
	ok(wider, "the P90 is above the P50");
	ok(factors, "a factor is the same, over the formula");
	is_near(forecast_factor(&forecast, 1, 2, 4), 6, 0.6, "and it is close to the truth");
	ok(forecast_factor(&forecast, 1, 2, 5) > 1.2 * forecast_factor(&forecast, 1, 2, 4),
	   "the slow worker is known");

	/* what cannot be right is not used */
	workers[0].shift.level = 1e4;
	is_exactly(forecast_factor(&forecast, 0, 0, 0), 1,
			   "a worker out of all proportion counts as the formula");
	workers[0].shift.level = NAN;
	is_exactly(forecast_factor(&forecast, 0, 0, 0), 1, "and one that is no number");
	for (int m = 0; m <= MODELS; m++)
		pfree(subjects[m].factors);
}

/* Returns whether a record comes back whole from as many numbers as are in use. */
static bool
comes_back(DurationKind kind, const void *record)
{
	int used = duration_record_used(kind, record);

	return used >= 1 && used <= duration_record_size(kind) &&
		   duration_record_fault(kind, record, used) < 0;
}

/* Puts strange numbers in some places of a record; returns whether that is still one. */
static bool
make_strange(DurationKind kind, void *record)
{
	static const double values[] = {0, 1, -1, 3, 1e300, -1e300, 1e-300, 32, 24, 5, 1e15, 0.5};
	int used = duration_record_used(kind, record);

	for (int i = (int) (random_unit() * 6); i > 0; i--)
		((double *) record)[(int) (random_unit() * used)] =
			values[(int) (random_unit() * lengthof(values))];
	return duration_record_fault(kind, record, used) < 0;
}

/* Predicts by, and learns into, records that come from elsewhere. */
static void
use_strange_records(void)
{
	DurationRecords r = records_of(0, 0, 1);
	DurationPool strange_pool = pool;
	DurationType strange_type = type;
	DurationFamily strange_family = family;
	DurationModel strange_model = models[0];
	DurationDevice strange_device = profiles[0];
	DurationWorker strange_worker = workers[1];

	/* more of one model than usual, and none of its runs is quite believed */
	for (int i = 0; i < strange_family.nsamples; i++)
		strange_family.samples[i].model = strange_model.number;
	for (int i = 0; i < strange_model.npairs; i++)
		strange_model.pairs[i].weight = 0.5;
	if (!make_strange(DURATION_POOL, &strange_pool) ||
		!make_strange(DURATION_TYPE, &strange_type) ||
		!make_strange(DURATION_FAMILY, &strange_family) ||
		!make_strange(DURATION_MODEL, &strange_model) ||
		!make_strange(DURATION_DEVICE, &strange_device) ||
		!make_strange(DURATION_WORKER, &strange_worker))
		return;
	r.pool = &strange_pool;
	r.type = &strange_type;
	r.family = &strange_family;
	r.model = &strange_model;
	r.device = &strange_device;
	r.worker = &strange_worker;
	duration_predict(&r, 60);
	duration_learn(&r, 60, 50);
}

static void
test_records(void)
{
	DurationModel model;
	DurationFamily other;
	DurationDevice device;

	ok(comes_back(DURATION_POOL, &pool) && comes_back(DURATION_TYPE, &type) &&
		   comes_back(DURATION_FAMILY, &family) && comes_back(DURATION_MODEL, &models[0]) &&
		   comes_back(DURATION_DEVICE, &profiles[0]) && comes_back(DURATION_WORKER, &workers[1]),
	   "what was learned is sane");
	ok(isnan(models[0].size), "also without a size");
	is_int(duration_record_used(DURATION_MODEL, (double *) &models[0]), 6 + 6 * PROFILES,
		   "a model is as long as its pairs");
	ok(duration_record_fault(DURATION_MODEL, (double *) &models[0], 6 + 6 * PROFILES - 1) ==
		   6 + 6 * PROFILES - 1,
	   "one that is cut is not sane");
	ok(duration_record_fault(DURATION_MODEL, (double *) &models[0], 0) == 0, "nor is nothing");

	model = models[0];
	model.npairs = DURATION_PAIRS + 1;
	ok(duration_record_fault(DURATION_MODEL, (double *) &model,
							 duration_record_size(DURATION_MODEL)) == 5,
	   "too many pairs");
	model.npairs = 0.5;
	ok(duration_record_fault(DURATION_MODEL, (double *) &model, 6) == 5, "half a pair");
	model = models[0];
	model.pairs[0].device = 0;
	ok(duration_record_fault(DURATION_MODEL, (double *) &model, 6 + 6 * PROFILES) == 6,
	   "a pair without a device");
	model = models[0];
	model.pairs[0].mean = NAN;
	ok(duration_record_fault(DURATION_MODEL, (double *) &model, 6 + 6 * PROFILES) == 8,
	   "a mean that is no number");
	other = family;
	other.next = DURATION_SAMPLES;
	ok(duration_record_fault(DURATION_FAMILY, (double *) &other,
							 duration_record_used(DURATION_FAMILY, (double *) &family)) == 8,
	   "a next sample that is beyond the last");

	model = models[0];
	model.pairs[0].used = -1;
	ok(duration_record_fault(DURATION_MODEL, (double *) &model, 6 + 6 * PROFILES) == 11,
	   "a pair that was used before the first run");
	device = profiles[0];
	device.number = 2e6;
	ok(duration_record_fault(DURATION_DEVICE, (double *) &device,
							 duration_record_size(DURATION_DEVICE)) == 0,
	   "a device profile with a number that no pool comes to");

	/* whatever is let through can be used */
	for (int round = 0; round < 100000; round++)
		use_strange_records();
	ok(true, "records with strange numbers overrun nothing");
}

int
main(void)
{
	memset(&pool, 0, sizeof(pool));
	learn();
	test_forecast();
	test_records();
	return done_testing();
}
