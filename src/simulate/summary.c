/*
 * summary.c
 *		What a simulation comes to, in a few numbers.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "document/jsonb_writer.h"
#include "simulate/summary.h"

/* A summary while runs are told. */
typedef struct Accumulator
{
	const Scenario *scenario;
	Summary *summary;
	int64 last_end;
	int nwaits;
	double *waits; /* seconds */
	int ncompletions;
	double *completions;
	int64 *started; /* by arrival: when it first was; -1: not so far */
	int32 *classes; /* by device profile */
} Accumulator;

/* Numbers the hardware classes of the fleet. */
static void
number_classes(Accumulator *accumulator)
{
	const Fleet *fleet = &accumulator->scenario->snapshot.fleet;
	Summary *summary = accumulator->summary;

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
		accumulator->summary
			->classes[accumulator->classes[search->fleet->devices[run->devices[i]].profile]]
			.busy += part * seconds;
}

static void
add_run(void *reader, const SimulatedRun *run)
{
	Accumulator *accumulator = reader;
	Summary *summary = accumulator->summary;
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
	accumulator->last_end = Max(accumulator->last_end, end);
	add_use(accumulator, run, (end - run->started) / (double) USECS_PER_SEC);
	if (accumulator->started[run->arrival] < 0)
	{
		accumulator->started[run->arrival] = run->started;
		accumulator->waits[accumulator->nwaits++] =
			(begins + run->started - arrival->submitted_at) / (double) USECS_PER_SEC;
	}
	if (run->is_last)
		accumulator->completions[accumulator->ncompletions++] =
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

static SecondsSummary
summarize(double *seconds, int count)
{
	double sum = 0;

	if (count == 0)
		return (SecondsSummary){NAN, NAN, NAN, NAN};
	qsort(seconds, count, sizeof(double), compare_seconds);
	for (int i = 0; i < count; i++)
		sum += seconds[i];
	return (SecondsSummary){sum / count, quantile(seconds, count, 0.5),
							quantile(seconds, count, 0.9), quantile(seconds, count, 0.99)};
}

/* Simulates a scenario, which is used up, and sums up what becomes of it. */
void
simulate_summary(Scenario *scenario, Summary *summary)
{
	Accumulator accumulator = {.scenario = scenario, .summary = summary};
	int n = scenario->narrivals;

	memset(summary, 0, sizeof(*summary));
	number_classes(&accumulator);
	accumulator.waits = palloc_huge(sizeof(double) * (n + 1));
	accumulator.completions = palloc_huge(sizeof(double) * (n + 1));
	accumulator.started = palloc_huge(sizeof(int64) * (n + 1));
	for (int i = 0; i < n; i++)
		accumulator.started[i] = -1;
	simulate(scenario, add_run, &accumulator);
	summary->makespan = accumulator.last_end / (double) USECS_PER_SEC;
	summary->wait = summarize(accumulator.waits, accumulator.nwaits);
	summary->completion = summarize(accumulator.completions, accumulator.ncompletions);
	summary->completed = accumulator.ncompletions;
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
