/*
 * summary.c
 *		What a simulation comes to, in a few numbers.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "document/jsonb_writer.h"
#include "simulate/summary.h"

/* Summaries while runs are told. */
typedef struct Accumulator
{
	const Scenario *scenario;
	const int32 *stretches; /* by arrival: whose of the summaries it is; NULL: of the only one */
	Summary *summaries;
	int64 *last_ends; /* by summary */
	double *waits; /* by arrival: seconds; NAN: it was not placed so far */
	double *completions; /* the same until its end */
	int32 *classes; /* by device profile */
} Accumulator;

/* Returns the summary that an arrival counts in. */
static int
stretch_of(const Accumulator *accumulator, int32 arrival)
{
	return accumulator->stretches == NULL ? 0 : accumulator->stretches[arrival];
}

/* Numbers the hardware classes of the fleet, in one of the summaries. */
static void
number_classes(Accumulator *accumulator, Summary *summary)
{
	const Fleet *fleet = &accumulator->scenario->snapshot.fleet;

	summary->classes = palloc0(sizeof(ClassUse) * (fleet->nprofiles + 1));
	accumulator->classes = palloc(sizeof(int32) * (fleet->nprofiles + 1));
	for (int p = 0; p < fleet->nprofiles; p++)
	{
		const char *name = fleet->profiles[p].hardware_class;
		int c = 0;

		name = name == NULL ? "" : name;
		while (c < summary->nclasses && strcmp(summary->classes[c].hardware_class, name) != 0)
			c++;
		if (c == summary->nclasses)
			summary->classes[summary->nclasses++].hardware_class = name;
		accumulator->classes[p] = c;
	}
	for (int d = 0; d < fleet->ndevices; d++)
		summary->classes[accumulator->classes[fleet->devices[d].profile]].devices++;
}

/* Adds for how long a run has used its devices. */
static void
add_use(Accumulator *accumulator, const SimulatedRun *run, double seconds)
{
	const Scenario *scenario = accumulator->scenario;
	const Search *search = &scenario->snapshot.search;
	const Demand *demand = &search->kinds[scenario->arrivals[run->arrival].kind].demand;
	double part = demand_occupancy(demand) == OCCUPY_SLOT ?
					  1.0 / search->settings.max_concurrent :
					  (double) demanded_share(demand) / WHOLE_SHARE;

	for (int i = 0; i < run->ndevices; i++)
		accumulator->summaries[stretch_of(accumulator, run->arrival)]
			.classes[accumulator->classes[search->fleet->devices[run->devices[i]].profile]]
			.busy += part * seconds;
}

static void
add_run(void *reader, const SimulatedRun *run)
{
	Accumulator *accumulator = reader;
	int stretch = stretch_of(accumulator, run->arrival);
	Summary *summary = &accumulator->summaries[stretch];
	const Arrival *arrival = &accumulator->scenario->arrivals[run->arrival];
	TimestampTz begins = accumulator->scenario->begins;
	int64 end = run->finished == PG_INT64_MAX ? accumulator->scenario->until : run->finished;

	if (run->worker < 0)
	{
		summary->starved++;
		return;
	}
	summary->moves += run->moved;
	summary->joules += run->joules;
	summary->cost += run->cost;
	accumulator->last_ends[stretch] = Max(accumulator->last_ends[stretch], end);
	add_use(accumulator, run, (end - run->started) / (double) USECS_PER_SEC);
	if (isnan(accumulator->waits[run->arrival]))
		accumulator->waits[run->arrival] =
			(begins + run->started - arrival->submitted_at) / (double) USECS_PER_SEC;
	if (run->is_last)
		accumulator->completions[run->arrival] =
			(begins + run->finished - arrival->submitted_at) / (double) USECS_PER_SEC;
}

static int
compare_seconds(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Returns a quantile of sorted numbers: the least that so many of them do not exceed. */
static double
quantile(const double *sorted, int count, double q)
{
	return sorted[Max((int) ceil(q * count), 1) - 1];
}

/* Sums up what is known of the seconds of a summary's arrivals. */
static SecondsSummary
summarize(const Accumulator *accumulator, int stretch, const double *by_arrival, double *sorted,
		  int64 *known)
{
	double sum = 0;
	int n = 0;

	for (int i = 0; i < accumulator->scenario->narrivals; i++)
		if (stretch_of(accumulator, i) == stretch && !isnan(by_arrival[i]))
		{
			sum += by_arrival[i];
			sorted[n++] = by_arrival[i];
		}
	*known = n;
	if (n == 0)
		return (SecondsSummary){NAN, NAN, NAN, NAN};
	qsort(sorted, n, sizeof(double), compare_seconds);
	return (SecondsSummary){sum / n, quantile(sorted, n, 0.5), quantile(sorted, n, 0.9),
							quantile(sorted, n, 0.99)};
}

/*
 * Simulates a scenario, which is used up, and sums up what becomes of the arrivals of each stretch;
 * NULL: all are of the only one.
 */
void
simulate_summaries(Scenario *scenario, const int32 *stretches, int nstretches, Summary *summaries)
{
	Accumulator accumulator = {
		.scenario = scenario, .stretches = stretches, .summaries = summaries};
	int n = scenario->narrivals;
	double *sorted = palloc_huge(sizeof(double) * (n + 1));
	int64 placed;

	memset(summaries, 0, sizeof(Summary) * nstretches);
	for (int s = 0; s < nstretches; s++)
		number_classes(&accumulator, &summaries[s]);
	accumulator.last_ends = palloc0(sizeof(int64) * (nstretches + 1));
	accumulator.waits = palloc_huge(sizeof(double) * (n + 1));
	accumulator.completions = palloc_huge(sizeof(double) * (n + 1));
	for (int i = 0; i < n; i++)
		accumulator.waits[i] = accumulator.completions[i] = NAN;
	simulate(scenario, add_run, &accumulator);
	for (int s = 0; s < nstretches; s++)
	{
		Summary *summary = &summaries[s];

		summary->makespan = accumulator.last_ends[s] / (double) USECS_PER_SEC;
		summary->wait = summarize(&accumulator, s, accumulator.waits, sorted, &placed);
		summary->completion =
			summarize(&accumulator, s, accumulator.completions, sorted, &summary->completed);
	}
	pfree(sorted);
}

/* Simulates a scenario, which is used up, and sums up what becomes of it. */
void
simulate_summary(Scenario *scenario, Summary *summary)
{
	simulate_summaries(scenario, NULL, 1, summary);
}

/* Returns how much of the devices was in use until the last end, {class: ratio 0..1}. */
Jsonb *
summary_utilisation(const Summary *summary)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int c = 0; c < summary->nclasses; c++)
	{
		double all = summary->classes[c].devices * summary->makespan;

		push_key(&state, summary->classes[c].hardware_class);
		push_double(&state, all > 0 ? summary->classes[c].busy / all : 0);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
