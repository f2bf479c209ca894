/*
 * tuning.c
 *		Settings under which work of the past would have fared better.
 *
 * Each of the settings that are tried replays the same arrivals, in one simulation.  Those are cut,
 * in their order, into batches of as many each; the objective is worked out for each batch, and
 * compared with that under the settings in force: so both sides meet the same work, and how the
 * differences scatter tells how sure their mean is (batch means, with Student's t).  The search
 * looks at the first batches only.  The last ones are held back: what is best must be better there,
 * too, to be chosen.
 *
 * The search goes along one setting after the other, each time from the best so far.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "document/json.h"
#include "simulate/summary.h"
#include "simulate/tuning.h"

#define BATCHES 12
#define HELD_BACK 4 /* the last of them */
#define SEARCHED (BATCHES - HELD_BACK)

/* Least arrivals in each batch. */
#define LEAST_OF_BATCH 5

/* Student's t for 95 % with SEARCHED - 1 degrees of freedom. */
#define STUDENT_T 2.365

#define MOST_TRIALS 64

/* --- the objective --- */

/* The columns of simulate_summary() that are numbers: the value of each, or its weight. */
typedef struct Figures
{
	double makespan;
	double mean_wait;
	double p50_wait;
	double p90_wait;
	double p99_wait;
	double mean_completion;
	double p50_completion;
	double p90_completion;
	double p99_completion;
	double joules;
	double cost;
	double starved;
	double moves;
} Figures;

#define MOST_WEIGHT 1e12
#define FIGURE(m) \
	{ \
#m, FIELD_NUMBER, offsetof(Figures, m), NAME_FREE, -MOST_WEIGHT, MOST_WEIGHT \
	}

static const Field objective_fields[] = {
	FIGURE(makespan),		FIGURE(mean_wait),		 FIGURE(p50_wait),		 FIGURE(p90_wait),
	FIGURE(p99_wait),		FIGURE(mean_completion), FIGURE(p50_completion), FIGURE(p90_completion),
	FIGURE(p99_completion), FIGURE(joules),			 FIGURE(cost),			 FIGURE(starved),
	FIGURE(moves),
};

static void
preset_objective(void *values)
{
	*(Figures *) values = (Figures){0};
}

static const Document objective_document = {"objective", sizeof(Figures), objective_fields,
											lengthof(objective_fields), preset_objective};

/* Returns what of a summary the objective weighs, summed up; what is not known counts nothing. */
static double
weigh(const Figures *weights, const Summary *summary)
{
	const Figures figures = {
		summary->makespan,		 summary->wait.mean,	  summary->wait.p50,
		summary->wait.p90,		 summary->wait.p99,		  summary->completion.mean,
		summary->completion.p50, summary->completion.p90, summary->completion.p99,
		summary->joules,		 summary->cost,			  (double) summary->starved,
		(double) summary->moves};
	double sum = 0;

	for (int i = 0; i < lengthof(objective_fields); i++)
	{
		double figure = *(const double *) ((const char *) &figures + objective_fields[i].offset);
		double weight = *(const double *) ((const char *) weights + objective_fields[i].offset);

		if (weight != 0 && !isnan(figure))
			sum += weight * figure;
	}
	return sum;
}

/* --- what is tried --- */

/* A setting, and the values that it may take, as JSON. */
typedef struct Knob
{
	const char *name;
	const char *values[10];
} Knob;

/*
 * What may be better is not what somebody is owed: tenants, limits and priorities stay.  What
 * takes the simulation too long is left out, too: fragmentation, filling, the optimal solver.
 */
static const Knob knobs[] = {
	{"policy",
	 {"{\"hardware_aware\": 1}", "{\"predicted_time\": 1}", "{\"performance\": 1}",
	  "{\"packing\": 1}", "{\"energy\": 1}", "{\"cost\": 1}", "{\"objective\": 1}",
	  "{\"predicted_time\": 0.7, \"packing\": 0.3}", "{\"predicted_time\": 0.5, \"energy\": 0.5}",
	  "{\"predicted_time\": 0.5, \"cost\": 0.5}"}},
	{"order", {"\"submission\"", "\"shortest\"", "\"least_served\""}},
	{"reservations", {"0", "1", "4"}},
	{"spare_accelerators", {"true", "\"strict\"", "false"}},
	{"preference_weight", {"0", "0.2", "0.5"}},
};

typedef struct Tuning
{
	const Caller *caller;
	const char *callers_path;
	Jsonb *document;
	const char *pool;
	Figures weights;
	double base[BATCHES]; /* the objective under the settings in force */
	int ntrials;
	TunedSettings trials[MOST_TRIALS];
	MemoryContext scratch;
} Tuning;

/* Returns the scenario with settings over its own. */
static Jsonb *
scenario_with(const Tuning *tuning, Jsonb *settings)
{
	static SpiPlan statement = {"SELECT '{\"arrivals\": \"history\"}' || $1"
								" || jsonb_build_object('settings',"
								"  coalesce(nullif($1 -> 'settings', 'null'), '{}') || $2)",
								{JSONBOID, JSONBOID}};

	spi_plan_run(&statement, true, VALUE(JsonbPGetDatum(tuning->document)),
				 VALUE(JsonbPGetDatum(settings)));
	return column_jsonb(0, 1);
}

/* Works the objective out for each batch under some settings. */
static void
try_settings(Tuning *tuning, Jsonb *settings, double *batches)
{
	MemoryContext caller = MemoryContextSwitchTo(tuning->scratch);
	Scenario scenario;
	Summary summaries[BATCHES];
	int32 *stretches;

	CHECK_FOR_INTERRUPTS();
	scenario_read(tuning->caller, tuning->callers_path, scenario_with(tuning, settings),
				  tuning->pool, &scenario);
	if (scenario.narrivals < BATCHES * LEAST_OF_BATCH)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("too little work to judge settings by: %d workloads", scenario.narrivals),
				 errdetail("At least %d are needed.", BATCHES * LEAST_OF_BATCH),
				 errhint("Name other \"arrivals\" in the scenario.")));
	stretches = palloc_huge(sizeof(int32) * (scenario.narrivals + 1));
	for (int i = 0; i < scenario.narrivals; i++)
		stretches[i] = (int32) ((int64) i * BATCHES / scenario.narrivals);
	simulate_summaries(&scenario, stretches, BATCHES, summaries);
	for (int b = 0; b < BATCHES; b++)
		batches[b] = weigh(&tuning->weights, &summaries[b]);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(tuning->scratch);
}

/* Returns a difference as a part of what it is compared with; of nothing, as it is. */
static double
part_of(double difference, double whole)
{
	return whole == 0 ? difference : difference / fabs(whole);
}

/* Compares the batches of a trial with those under the settings in force. */
static void
judge(const Tuning *tuning, const double *batches, TunedSettings *trial)
{
	double base = 0;
	double mean = 0;
	double squares = 0;
	double held_base = 0;
	double held = 0;
	double error;

	for (int b = 0; b < SEARCHED; b++)
	{
		base += tuning->base[b] / SEARCHED;
		mean += (tuning->base[b] - batches[b]) / SEARCHED;
	}
	for (int b = 0; b < SEARCHED; b++)
	{
		double off = tuning->base[b] - batches[b] - mean;

		squares += off * off;
	}
	for (int b = SEARCHED; b < BATCHES; b++)
	{
		held_base += tuning->base[b];
		held += tuning->base[b] - batches[b];
	}
	error = STUDENT_T * sqrt(squares / (SEARCHED - 1) / SEARCHED);
	trial->gain = part_of(mean, base);
	trial->low = part_of(mean - error, base);
	trial->high = part_of(mean + error, base);
	trial->on_held_back = part_of(held, held_base);
}

/* Returns settings with one of them changed; NULL: it has that value. */
static Jsonb *
with_value(const Tuning *tuning, Jsonb *settings, const char *name, const char *value)
{
	static SpiPlan statement = {
		"SELECT CASE WHEN coalesce($1 -> $2, $4 -> 'settings' -> $2, s.value) <> $3::jsonb THEN"
		"  $1 || jsonb_build_object($2, $3::jsonb) END"
		" FROM hwsched.pool_settings($5) s WHERE s.name = $2",
		{JSONBOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID}};

	spi_plan_run(&statement, true, VALUE(JsonbPGetDatum(settings)), TEXT_VALUE(name),
				 TEXT_VALUE(value), VALUE(JsonbPGetDatum(tuning->document)),
				 TEXT_VALUE(tuning->pool));
	return column_jsonb(0, 1);
}

/* The best first; of equals, what was tried first. */
static int
compare_trials(const void *a, const void *b)
{
	const TunedSettings *x = a;
	const TunedSettings *y = b;

	if (x->gain != y->gain)
		return x->gain > y->gain ? -1 : 1;
	return x->number - y->number;
}

/*
 * Searches settings under which the objective would be less, over the work of a scenario, which is
 * that of the history if it does not say; SPI is connected.  Returns what was tried, the best
 * first.  Raises the errors of scenario_read(), ERRCODE_INVALID_PARAMETER_VALUE for an objective
 * that weighs nothing, and ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE if there is too little work.
 */
TunedSettings *
tune(const Caller *caller, const char *callers_path, Jsonb *objective, Jsonb *document,
	 const char *pool, int *count)
{
	Tuning *tuning = palloc0(sizeof(Tuning));
	Jsonb *best = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	double best_gain = 0;
	Inspection inspection;
	bool weighs = false;

	inspection_begin(&inspection, UNKNOWN_REFUSE);
	document_read(&objective_document, objective, "objective", &inspection, &tuning->weights);
	for (int i = 0; i < lengthof(objective_fields); i++)
		weighs |=
			*(const double *) ((const char *) &tuning->weights + objective_fields[i].offset) != 0;
	if (!weighs)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"objective\""),
						errdetail("Expected weights of columns of simulate_summary()."),
						errhint("For example {\"mean_wait\": 1}."), errpath("objective")));
	tuning->caller = caller;
	tuning->callers_path = callers_path;
	tuning->document = document;
	tuning->pool = pool;
	tuning->scratch =
		AllocSetContextCreate(CurrentMemoryContext, "hwsched tuning", ALLOCSET_DEFAULT_SIZES);
	try_settings(tuning, best, tuning->base);
	for (int k = 0; k < lengthof(knobs); k++)
	{
		Jsonb *from = best;

		for (int v = 0; v < lengthof(knobs[k].values) && knobs[k].values[v] != NULL; v++)
		{
			TunedSettings *trial = &tuning->trials[tuning->ntrials];
			double batches[BATCHES];

			trial->settings = with_value(tuning, from, knobs[k].name, knobs[k].values[v]);
			if (trial->settings == NULL)
				continue;
			trial->number = tuning->ntrials++;
			try_settings(tuning, trial->settings, batches);
			judge(tuning, batches, trial);
			if (trial->gain > best_gain)
			{
				best_gain = trial->gain;
				best = trial->settings;
			}
		}
	}
	for (int i = 0; i < tuning->ntrials; i++)
		tuning->trials[i].chosen = tuning->trials[i].settings == best &&
								   tuning->trials[i].low > 0 && tuning->trials[i].on_held_back > 0;
	qsort(tuning->trials, tuning->ntrials, sizeof(TunedSettings), compare_trials);
	*count = tuning->ntrials;
	return tuning->trials;
}
