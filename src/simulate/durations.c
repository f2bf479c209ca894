/*
 * durations.c
 *		What decisions know of the durations of a scenario's work, and how long it takes.
 *
 * Where the scenario says how long work takes on models of device, a pool that learns would have
 * come to know it: its predictions are those.  Without learning they are the formula's.
 */
#include "postgres.h"

#include "model/formula.h"
#include "simulate/durations.h"

/* The z-score of nine in ten. */
#define Z_OF_P90 1.2815515655446004

/* So long a base that the formula's least, a second, does not show. */
#define LONG_BASE 1e9

static bool
same_text(const char *a, const char *b)
{
	while (*a != '\0' && ascii_lower(*a) == ascii_lower(*b))
	{
		a++;
		b++;
	}
	return *a == '\0' && *b == '\0';
}

/* Finds, by device profile of the fleet, what was said of models. */
static void
find_seconds(const Fleet *fleet, SecondsOn *seconds)
{
	seconds->by_profile = palloc(sizeof(double) * (fleet->nprofiles + 1));
	for (int p = 0; p < fleet->nprofiles; p++)
	{
		seconds->by_profile[p] = NAN;
		for (int m = 0; m < seconds->count && fleet->profiles[p].model_name != NULL; m++)
			if (same_text(seconds->models[m].model_name, fleet->profiles[p].model_name))
				seconds->by_profile[p] = seconds->models[m].seconds;
	}
}

/* Makes a subject of a pace: its factors are known. */
static ForecastSubject
known_subject(const Scenario *scenario, const Pace *pace)
{
	const Fleet *fleet = &scenario->snapshot.fleet;
	const SecondsOn *seconds = &scenario->seconds[pace->seconds_on];
	const WorkloadProfile *profile = &scenario->works[pace->work].profile;
	ForecastSubject subject = {NULL};

	subject.factors = palloc(sizeof(double) * 2 * (fleet->nprofiles + 1));
	subject.spreads = subject.factors + fleet->nprofiles + 1;
	for (int p = 0; p < fleet->nprofiles; p++)
	{
		double formula = predict_seconds(profile, &fleet->profiles[p], LONG_BASE) / LONG_BASE;

		subject.factors[p] = isnan(seconds->by_profile[p]) ?
								 1.0 :
								 seconds->by_profile[p] / seconds->models[0].seconds / formula;
		subject.spreads[p] = 1.0;
	}
	return subject;
}

/* Adds the paces to what is known of durations; returns the subject of the first. */
static int
add_paces(Scenario *scenario)
{
	static DurationWorker nobody;
	PoolSnapshot *snapshot = &scenario->snapshot;
	Forecast *forecast = snapshot->search.forecast;
	int n;
	ForecastSubject *subjects;

	if (scenario->npaces == 0)
		return 0;
	if (forecast == NULL)
	{
		forecast = palloc0(sizeof(Forecast));
		forecast->nprofiles = snapshot->fleet.nprofiles;
		forecast->workers = palloc_huge(sizeof(DurationWorker *) * (snapshot->fleet.ndevices + 1));
		for (int d = 0; d < snapshot->fleet.ndevices; d++)
			forecast->workers[d] = &nobody;
		snapshot->search.forecast = forecast;
	}
	n = forecast->nsubjects;
	subjects = palloc_huge(sizeof(ForecastSubject) * (n + scenario->npaces));
	if (n > 0)
		memcpy(subjects, forecast->subjects, sizeof(ForecastSubject) * n);
	for (int i = 0; i < scenario->npaces; i++)
		subjects[n + i] = known_subject(scenario, &scenario->paces[i]);
	forecast->subjects = subjects;
	forecast->nsubjects = n + scenario->npaces;
	return n;
}

/* Returns how many times as long as predicted some work took in the past; NAN: nobody knows. */
static double
past_slowness(Scenario *scenario, const Arrival *arrival)
{
	PoolSnapshot *snapshot = &scenario->snapshot;
	const WorkloadProfile *profile = &snapshot->search.kinds[arrival->kind].profile;

	if (isnan(arrival->took))
		return NAN;
	for (int p = 0; p < snapshot->fleet.nprofiles; p++)
		if (snapshot->device_profile_ids[p] == arrival->took_profile)
		{
			double predicted =
				predict_seconds(profile, &snapshot->fleet.profiles[p], arrival->expected_seconds);

			if (snapshot->search.forecast != NULL && arrival->subject >= 0)
				predicted *= forecast_usual(snapshot->search.forecast, arrival->subject, p);
			return arrival->took / predicted;
		}
	return NAN;
}

/*
 * Works out what decisions know of the durations of all arrivals; the fleet has been read, and
 * what was learned of the items that stand for them.
 */
void
know_durations(Scenario *scenario)
{
	PoolSnapshot *snapshot = &scenario->snapshot;
	Search *search = &snapshot->search;
	int first;

	for (int i = 0; i < scenario->nseconds; i++)
		find_seconds(&snapshot->fleet, &scenario->seconds[i]);
	first = add_paces(scenario);
	for (int k = 0; k < search->nkinds; k++)
		if (scenario->kind_paces[k] >= 0)
			search->kinds[k].subject = first + scenario->kind_paces[k];
	for (int i = 0; i < scenario->narrivals; i++)
	{
		Arrival *arrival = &scenario->arrivals[i];

		arrival->subject =
			arrival->pace >= 0 ? first + arrival->pace : snapshot->items[arrival->item].subject;
		arrival->slowness = past_slowness(scenario, arrival);
	}
}

/* --- chance --- */

/* Returns a number from 0 to below 1 that depends on nothing but its arguments (splitmix64). */
double
chance(uint64 seed, int32 arrival, int attempt, int purpose)
{
	uint64 x = seed * UINT64CONST(0x9E3779B97F4A7C15) + (uint64) arrival;

	x = x * UINT64CONST(0xBF58476D1CE4E5B9) + (uint64) attempt * 8 + (uint64) purpose;
	for (int i = 0; i < 2; i++)
	{
		x += UINT64CONST(0x9E3779B97F4A7C15);
		x = (x ^ (x >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
		x = (x ^ (x >> 27)) * UINT64CONST(0x94D049BB133111EB);
		x ^= x >> 31;
	}
	return (double) (x >> 11) / (double) (UINT64CONST(1) << 53);
}

/* Returns a number of the standard normal distribution (Box and Muller). */
static double
normal_chance(uint64 seed, int32 arrival, int attempt)
{
	double a = 1.0 - chance(seed, arrival, attempt, 1);
	double b = chance(seed, arrival, attempt, 2);

	return sqrt(-2.0 * log(a)) * cos(2.0 * M_PI * b);
}

/*
 * Returns how many seconds a run takes on the devices of a place, at least a microsecond: as the
 * scenario says; else as it did in the past, by how devices differ; else as predicted, spread
 * around that as such runs are.
 */
double
run_seconds(const Scenario *scenario, int32 number, const Candidate *place, double predicted,
			double p90, int attempt)
{
	const Search *search = &scenario->snapshot.search;
	const Arrival *arrival = &scenario->arrivals[number];
	double seconds = 0;

	if (arrival->seconds_on >= 0)
		for (int d = 0; d < place->ndevices; d++)
			/* those whose model it does not name say nothing */
			seconds =
				fmax(seconds, scenario->seconds[arrival->seconds_on]
								  .by_profile[search->fleet->devices[place->devices[d]].profile]);
	if (seconds > 0)
		return seconds;
	seconds = predicted;
	if (!isnan(arrival->slowness))
		seconds *= arrival->slowness;
	else if (p90 > predicted)
		seconds *= pow(p90 / predicted, normal_chance(scenario->seed, number, attempt) / Z_OF_P90);
	return Max(seconds, 1e-6);
}
