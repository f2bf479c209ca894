/*
 * forecast.h
 *		How long work is expected to take on the devices of a fleet, by what was
 *		learned of runs like it.  Pure.
 */
#ifndef HWSCHED_MODEL_FORECAST_H
#define HWSCHED_MODEL_FORECAST_H

#include "model/duration.h"

/* Work that is alike as far as durations go: a model, run by a type of work. */
typedef struct ForecastSubject
{
	DurationType *type;
	DurationFamily *family;
	DurationModel *model;
	double size; /* as duration_family says */
	bool expected_known;
	DurationFactors expected;
	double *factors; /* by device profile of the fleet; NAN: not worked out so far */
	double *spreads; /* the same: P90 over P50 */
} ForecastSubject;

/* None of the records is NULL; one that knows nothing is zeros. */
typedef struct Forecast
{
	DurationPool *pool;
	int ndevices; /* device profiles by the numbers that runs gave them, from 1; NULL: unknown */
	DurationDevice **devices;
	int nprofiles;
	DurationDevice **profiles; /* by device profile of the fleet */
	DurationWorker **workers; /* by device of the fleet: its worker on such devices */
	int nsubjects;
	ForecastSubject *subjects;
} Forecast;

extern double forecast_factor(Forecast *forecast, int subject, int profile, int device);
extern double forecast_usual(Forecast *forecast, int subject, int profile);
extern double forecast_spread(Forecast *forecast, int subject, int profile);
extern DurationEstimate forecast_estimate(Forecast *forecast, int subject, int profile, int device,
										  double formula_seconds);

#endif /* HWSCHED_MODEL_FORECAST_H */
