/*
 * forecast.c
 *		How long work is expected to take on the devices of a fleet.
 *
 * What a decision asks for is worked out when it first asks: of all pairs of
 * work and device profile, most decisions look at few.
 */
#include "model/forecast.h"
#include "support/arena.h"

/* An estimate this far from the formula, either way, is not believed. */
#define MOST_FACTOR 1e6

/* Returns the records of a subject on a device of the fleet. */
static DurationRecords
records_of(const Forecast *forecast, int subject, int profile, DurationWorker *worker)
{
	const ForecastSubject *s = &forecast->subjects[subject];
	DurationRecords records = {forecast->pool,
							   s->type,
							   s->family,
							   s->model,
							   forecast->profiles[profile],
							   worker,
							   forecast->devices,
							   forecast->ndevices,
							   s->size};

	return records;
}

/* Estimates what a subject takes on a device profile, on some worker. */
static DurationEstimate
estimate(Forecast *forecast, int subject, int profile, DurationWorker *worker,
		 double formula_seconds)
{
	ForecastSubject *s = &forecast->subjects[subject];
	DurationRecords records = records_of(forecast, subject, profile, worker);

	if (!s->expected_known)
	{
		duration_expect(&records, &s->expected);
		s->expected_known = true;
	}
	return duration_estimate(&records, &s->expected, formula_seconds);
}

/* Returns a factor, or 1 if it is out of all proportion. */
static double
believable(double factor)
{
	return factor <= MOST_FACTOR && factor >= 1 / MOST_FACTOR ? factor : 1.0;
}

/* Works out what a subject takes on a device profile, unless that has been done. */
static void
know_factor(Forecast *forecast, int subject, int profile)
{
	static DurationWorker nobody;
	ForecastSubject *s = &forecast->subjects[subject];
	DurationEstimate seconds;

	if (s->factors == NULL)
	{
		/* who tries a plan frees what it has allocated, but what is worked out here stays */
		s->factors =
			palloc_beside(forecast->subjects, sizeof(double) * 2 * (forecast->nprofiles + 1));
		s->spreads = s->factors + forecast->nprofiles + 1;
		for (int i = 0; i < forecast->nprofiles; i++)
			s->factors[i] = NAN;
	}
	if (!isnan(s->factors[profile]))
		return;
	seconds = estimate(forecast, subject, profile, &nobody, 1.0);
	s->factors[profile] = believable(seconds.p50);
	s->spreads[profile] = seconds.p90 >= seconds.p50 ? believable(seconds.p90 / seconds.p50) : 1.0;
}

/*
 * Returns how many times as long as the formula says a subject is expected to
 * take on a device of the fleet, which is of that profile.
 */
double
forecast_factor(Forecast *forecast, int subject, int profile, int device)
{
	ForecastSubject *s = &forecast->subjects[subject];

	know_factor(forecast, subject, profile);
	return believable(s->factors[profile] * exp(forecast->workers[device]->shift.level));
}

/* The same, whatever the worker. */
double
forecast_usual(Forecast *forecast, int subject, int profile)
{
	know_factor(forecast, subject, profile);
	return forecast->subjects[subject].factors[profile];
}

/*
 * Returns how many times as long as the P50 of a subject's seconds on a device profile its P90
 * is, whatever the worker.
 */
double
forecast_spread(Forecast *forecast, int subject, int profile)
{
	know_factor(forecast, subject, profile);
	return forecast->subjects[subject].spreads[profile];
}

/*
 * Returns the seconds that a subject is expected to take there, P50 and P90, given what the
 * formula says.
 */
DurationEstimate
forecast_estimate(Forecast *forecast, int subject, int profile, int device, double formula_seconds)
{
	DurationEstimate result =
		estimate(forecast, subject, profile, forecast->workers[device], formula_seconds);

	result.p50 = formula_seconds * forecast_factor(forecast, subject, profile, device);
	if (!(result.p90 >= result.p50 && result.p90 <= result.p50 * MOST_FACTOR))
		result.p90 = result.p50;
	return result;
}
