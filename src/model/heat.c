/*
 * heat.c
 *		The thermal model of a device: see model/heat.h for the law.
 *
 * The filter's gain comes from how far off a prediction may be: by what time
 * does to the offset, by what a change of power does to it, and by what is not
 * known of the law.  What is more of a surprise than that is put down to the
 * offset, not to the law, so that a burst, a sensor's whim or a fan that fails
 * does not unlearn it.
 */
#include "model/energy.h"
#include "model/heat.h"
#include "model/heat_penalty.h"

/* Places in the state. */
#define TEMPERATURE 0
#define OFFSET 1
#define LAW 2
#define LOG_TAU (LAW + HEAT_LAW_TERMS)

/* The full power of a device that does not say, and how it is raised. */
#define DEFAULT_FULL_WATTS 100.0
#define FULL_EXCEEDED 1.25
#define FULL_RAISE 1.5

/*
 * Where the law bends, as shares of the full power.  Its terms are the
 * temperature at no power and the slope of each piece; the last has no end.
 */
static const double knots[HEAT_LAW_TERMS] = {0.0, 0.2, 0.4, 2.0 / 3.0, 1.0};

/* What is assumed of any device: degrees, and degrees at full power. */
#define PRIOR_BASE 28.0
#define PRIOR_RISE 45.0
#define PRIOR_BASE_DEVIATION 5.0
#define PRIOR_RISE_DEVIATION 15.0
#define PRIOR_OFFSET_DEVIATION 20.0
#define PRIOR_TAU 120.0
#define PRIOR_LOG_TAU_DEVIATION 1.0

/* Adopted from another device: that much more is not known. */
#define ADOPTED_DOUBT 4.0

/* Limits that physics sets, and sensors. */
#define LEAST_SLOPE 1.0 /* degrees by full power: more power is hotter */
#define LEAST_TAU 2.0
#define MOST_TAU 3600.0
#define MOST_OFFSET 60.0
#define LEAST_CELSIUS (-40.0)
#define MOST_CELSIUS 150.0
#define LEAST_FULL_WATTS 0.01
#define MOST_WATTS 100000.0
#define MOST_NUMBER 1e15 /* of any number of a model, which may come from elsewhere */

/* Fading: the offset by time and by change of power, the law by excitement. */
#define OFFSET_SECONDS (100.0 * 3600.0)
#define OFFSET_POWER (1.0 / 6.0)
#define LAW_FORGETTING 0.99
#define EXCITING_CHANGE 5.0
#define LONGEST_GAP (48.0 * 3600.0)

/*
 * Deviations in degrees: of a reading, as sensors say whole degrees; of the
 * offset by hour and by full power.
 */
#define READING_DEVIATION 0.3
#define HOUR_DEVIATION 0.3
#define POWER_DEVIATION 10.0
#define SURPRISE 1.5

/* The time constant is not moved by more than this factor (a logarithm) at once. */
#define MOST_TAU_STEP 0.2

/* So that rounding never makes a variance negative. */
#define LEAST_VARIANCE 1e-9

/* Degrees below which a change is not plain, or hardly one; and what came of them. */
#define PLAIN_CHANGE 0.5
#define SMALL_CHANGE 2.0
#define CHANGE_FADING 0.8
#define CHANGE_PRIOR 8.0
#define LEAST_DEGREES 0.3
#define USUAL_MISS 0.25
#define MOST_SHARE 1.2

/* Power by utilisation: shares of the full power, where nothing was seen yet. */
#define ASSUMED_IDLE 0.15
#define ASSUMED_SLOPE 0.8
#define ASSUMED_VARIANCE 0.001
#define SAME_UTILISATION 0.1
#define MOMENT_RATE 0.02

#define ERROR_RATE 0.01

/* What a prediction is made of, for the filter to learn from. */
typedef struct HeatForecast
{
	double law[HEAT_LAW_TERMS]; /* the law's terms at the power */
	double elapsed;
	double moved; /* change of power, of the full one */
	double kept; /* share of the offset that stays */
	double reached; /* share of the way that time suffices for */
	double distance; /* to the settled temperature */
	double change; /* reached x distance */
	double celsius; /* before and after what usually comes of it */
	double expected;
} HeatForecast;

/* Returns the covariance of two places of the state, to read or to write. */
static double *
covariance(Heat *heat, int i, int j)
{
	return i >= j ? &heat->covariance[i * (i + 1) / 2 + j] : &heat->covariance[j * (j + 1) / 2 + i];
}

/* Returns a value within bounds; the lower one for NAN. */
static double
bounded(double value, double least, double most)
{
	return value > least ? Min(value, most) : least;
}

/* Returns whether a number can be a device's power. */
static bool
is_watts(double watts)
{
	return watts >= 0.0 && watts <= MOST_WATTS;
}

/* Gives the terms of the law at a share of the full power. */
static void
law_terms(double share, double *terms)
{
	terms[0] = 1.0;
	for (int i = 1; i < HEAT_LAW_TERMS; i++)
	{
		double most = i < HEAT_LAW_TERMS - 1 ? Min(share, knots[i]) : share;

		terms[i] = Max(0.0, most - knots[i - 1]);
	}
}

/* Returns the temperature of the law alone at so many watts. */
static double
law_at(const Heat *heat, double watts)
{
	double terms[HEAT_LAW_TERMS];
	double celsius = 0.0;

	law_terms(watts / heat->full_watts, terms);
	for (int i = 0; i < HEAT_LAW_TERMS; i++)
		celsius += terms[i] * heat->state[LAW + i];
	return celsius;
}

/* Returns how uncertain a place of the state is a priori: its variance. */
static double
prior_variance(int place)
{
	double deviation = PRIOR_RISE_DEVIATION;

	if (place == TEMPERATURE)
		deviation = READING_DEVIATION;
	else if (place == OFFSET)
		deviation = PRIOR_OFFSET_DEVIATION;
	else if (place == LAW)
		deviation = PRIOR_BASE_DEVIATION;
	else if (place == LOG_TAU)
		deviation = PRIOR_LOG_TAU_DEVIATION;
	/* Each slope differs from the one before by as much as the first may. */
	return deviation * deviation * (place > LAW && place < LOG_TAU ? place - LAW + 1.0 : 1.0);
}

/* Forgets what is known of how sure the law is. */
static void
doubt_law(Heat *heat)
{
	for (int i = LAW; i < LAW + HEAT_LAW_TERMS; i++)
		for (int j = 0; j < HEAT_STATES; j++)
			*covariance(heat, i, j) = 0.0;
	*covariance(heat, LAW, LAW) = prior_variance(LAW);
	for (int i = LAW + 1; i < LAW + HEAT_LAW_TERMS; i++)
		for (int j = LAW + 1; j <= i; j++)
			*covariance(heat, i, j) = prior_variance(j);
}

/*
 * Makes a model that knows nothing of its device but the power it is designed
 * for (0 or NAN: not even that).
 */
void
heat_start(Heat *heat, double thermal_design_power_w)
{
	memset(heat, 0, sizeof(Heat));
	heat->full_watts =
		thermal_design_power_w >= LEAST_FULL_WATTS && is_watts(thermal_design_power_w) ?
			thermal_design_power_w :
			DEFAULT_FULL_WATTS;
	heat->celsius = NAN;
	heat->watts = NAN;
	heat->utilisation = NAN;
	heat->state[LAW] = PRIOR_BASE;
	for (int i = 1; i < HEAT_LAW_TERMS; i++)
		heat->state[LAW + i] = PRIOR_RISE;
	heat->state[LOG_TAU] = log(PRIOR_TAU);
	doubt_law(heat);
	*covariance(heat, TEMPERATURE, TEMPERATURE) = prior_variance(TEMPERATURE);
	*covariance(heat, OFFSET, OFFSET) = prior_variance(OFFSET);
	*covariance(heat, LOG_TAU, LOG_TAU) = prior_variance(LOG_TAU);
	for (int i = 0; i < HEAT_CHANGES; i++)
		heat->came[i] = heat->foretold[i] = CHANGE_PRIOR;
	heat->mean_watts = NAN;
	heat->mean_utilisation = NAN;
}

/*
 * Makes a model for a device of the same kind as one that has been learned:
 * with its law and habits, of which the new device is less sure, but with
 * nothing of its temperature or surroundings.
 */
void
heat_adopt(Heat *heat, const Heat *elder)
{
	heat_start(heat, elder->full_watts);
	memcpy(heat->state, elder->state, sizeof(heat->state));
	heat->state[TEMPERATURE] = heat->state[OFFSET] = 0.0;
	memcpy(heat->covariance, elder->covariance, sizeof(heat->covariance));
	for (int i = LAW; i < HEAT_STATES; i++)
	{
		*covariance(heat, i, TEMPERATURE) = 0.0;
		*covariance(heat, i, OFFSET) = 0.0;
		*covariance(heat, i, i) =
			Max(*covariance(heat, i, i),
				Min(ADOPTED_DOUBT * *covariance(heat, i, i), prior_variance(i)));
	}
	*covariance(heat, TEMPERATURE, TEMPERATURE) = prior_variance(TEMPERATURE);
	*covariance(heat, OFFSET, TEMPERATURE) = 0.0;
	*covariance(heat, OFFSET, OFFSET) = prior_variance(OFFSET);
	memcpy(heat->came, elder->came, sizeof(heat->came));
	memcpy(heat->foretold, elder->foretold, sizeof(heat->foretold));
	heat->mean_watts = elder->mean_watts;
	heat->mean_utilisation = elder->mean_utilisation;
	heat->covariance_watts = elder->covariance_watts;
	heat->variance_utilisation = elder->variance_utilisation;
}

/* Which number of a model a member is, or its first element. */
#define NUMBER_OF(member) ((int) (offsetof(Heat, member) / sizeof(double)))

/*
 * Returns which of the numbers of a model that came from outside is the first that cannot be:
 * they are finite where they must be, within bounds and with variances that are not negative.
 * -1: none.
 */
int
heat_fault(const Heat *heat)
{
	const double *numbers = (const double *) heat;
	double tau = heat->state[LOG_TAU];

	for (int i = 0; i < HEAT_SIZE; i++)
		if (fabs(numbers[i]) > MOST_NUMBER)
			return i;
	if (!(heat->reports >= 0.0))
		return NUMBER_OF(reports);
	if (heat->reports > 0.0 && isnan(heat->seconds))
		return NUMBER_OF(seconds);
	if (heat->reports > 0.0 && isnan(heat->celsius))
		return NUMBER_OF(celsius);
	if (!(heat->full_watts >= LEAST_FULL_WATTS))
		return NUMBER_OF(full_watts);
	for (int i = 0; i < HEAT_STATES; i++)
		if (isnan(heat->state[i]))
			return NUMBER_OF(state) + i;
	if (tau < log(LEAST_TAU) - 1e-9 || tau > log(MOST_TAU) + 1e-9)
		return NUMBER_OF(state) + LOG_TAU;
	for (int i = 0; i < HEAT_STATES; i++)
		if (!(heat->covariance[i * (i + 1) / 2 + i] >= 0.0))
			return NUMBER_OF(covariance) + i * (i + 1) / 2 + i;
	for (int i = 0; i < HEAT_COVARIANCES; i++)
		if (isnan(heat->covariance[i]))
			return NUMBER_OF(covariance) + i;
	for (int i = 0; i < HEAT_CHANGES; i++)
	{
		if (isnan(heat->came[i]))
			return NUMBER_OF(came) + i;
		if (!(heat->foretold[i] > 0.0))
			return NUMBER_OF(foretold) + i;
	}
	return -1;
}

/*
 * Returns the power at a utilisation (0..1), by the slope seen so far.  A
 * small change of utilisation is counted from the last report, a large one
 * from the mean: another work runs then.
 */
double
heat_watts(const Heat *heat, double utilisation)
{
	double assumed = ASSUMED_SLOPE * heat->full_watts;
	double slope = (heat->covariance_watts + ASSUMED_VARIANCE * assumed) /
				   (heat->variance_utilisation + ASSUMED_VARIANCE);
	double used = bounded(utilisation, 0.0, 1.0);
	double watts = ASSUMED_IDLE * heat->full_watts + assumed * used;

	slope = Max(0.0, slope);
	if (!isnan(heat->mean_watts))
		watts = heat->mean_watts + slope * (used - heat->mean_utilisation);
	if (!isnan(heat->watts) && !isnan(heat->utilisation))
	{
		double moved = used - heat->utilisation;
		double same = exp(-fabs(moved) / SAME_UTILISATION);

		watts = same * (heat->watts + slope * moved) + (1.0 - same) * watts;
	}
	return bounded(watts, 0.0, FULL_EXCEEDED * heat->full_watts);
}

/* Returns the power of a load; that of the last report where it is not known. */
static double
load_watts(const Heat *heat, HeatLoad load)
{
	if (is_watts(load.watts))
		return load.watts;
	if (!isnan(load.utilisation))
		return heat_watts(heat, load.utilisation);
	return heat->watts;
}

/* Returns what kind of change a predicted one is. */
static int
kind_of_change(double change)
{
	if (fabs(change) < SMALL_CHANGE)
		return 0;
	return change > 0.0 ? 1 : 2;
}

/*
 * Predicts from the last report the temperature after some time at a power.
 * Where the power is not known to change, neither is the offset.
 */
static void
forecast(const Heat *heat, double watts, bool known, double dt_seconds, HeatForecast *cast)
{
	double dt = Min(dt_seconds, LONGEST_GAP);
	double before = isnan(heat->watts) ? watts : heat->watts;
	double share;

	cast->elapsed = dt;
	cast->moved = fabs(watts - before) / heat->full_watts;
	cast->reached = -expm1(-dt / exp(heat->state[LOG_TAU]));
	cast->kept =
		known ? exp(-dt / OFFSET_SECONDS - cast->reached * cast->moved / OFFSET_POWER) : 1.0;
	law_terms(watts / heat->full_watts, cast->law);
	cast->distance =
		cast->kept * heat->state[OFFSET] + law_at(heat, watts) - heat->state[TEMPERATURE];
	cast->change = cast->reached * cast->distance;
	cast->celsius = heat->state[TEMPERATURE] + cast->change;

	/* Of a short step all comes; of one that is long enough, what came before. */
	share = heat->came[kind_of_change(cast->change)] / heat->foretold[kind_of_change(cast->change)];
	share = 1.0 + cast->reached * (bounded(share, 0.0, MOST_SHARE) - 1.0);
	cast->expected =
		bounded(heat->state[TEMPERATURE] + share * cast->change, LEAST_CELSIUS, MOST_CELSIUS);
}

/*
 * Returns the temperature that a device will have so many seconds after its
 * last report, if it has this load from then on (the mean of an hour, for a
 * model that has been told hourly means).  NAN where nothing was reported.
 *
 * A load of which nothing is known is taken to go on as it is: but for what
 * the device is plainly still on its way to, no better guess than the present
 * temperature was found.
 */
double
heat_predict(const Heat *heat, HeatLoad load, double dt_seconds)
{
	bool known = is_watts(load.watts) || !isnan(load.utilisation);
	HeatForecast cast;
	double watts;

	if (!(heat->reports > 0.0))
		return NAN;
	watts = load_watts(heat, load);
	if (isnan(watts) || !(dt_seconds > 0.0))
		return heat->celsius;
	forecast(heat, watts, known, dt_seconds, &cast);
	return known || fabs(cast.change) >= PLAIN_CHANGE ? cast.expected : heat->celsius;
}

/*
 * Raises the power that the law is scaled by, keeping the law's temperatures
 * at its new bends; how sure they are is forgotten.
 */
static void
raise_full_watts(Heat *heat, double watts)
{
	double celsius[HEAT_LAW_TERMS];
	double full = heat->full_watts;

	while (watts > FULL_EXCEEDED * full)
		full *= FULL_RAISE;
	for (int i = 0; i < HEAT_LAW_TERMS; i++)
		celsius[i] = law_at(heat, knots[i] * full);
	for (int i = 1; i < HEAT_LAW_TERMS; i++)
		heat->state[LAW + i] = (celsius[i] - celsius[i - 1]) / (knots[i] - knots[i - 1]);
	heat->full_watts = full;
	doubt_law(heat);
}

/* Keeps the state within what physics allows: heat from power, a time constant. */
static void
constrain(Heat *heat)
{
	heat->state[TEMPERATURE] = bounded(heat->state[TEMPERATURE], LEAST_CELSIUS, MOST_CELSIUS);
	heat->state[OFFSET] = bounded(heat->state[OFFSET], -MOST_OFFSET, MOST_OFFSET);
	heat->state[LOG_TAU] = bounded(heat->state[LOG_TAU], log(LEAST_TAU), log(MOST_TAU));
	for (int i = 1; i < HEAT_LAW_TERMS; i++)
		heat->state[LAW + i] = Max(heat->state[LAW + i], LEAST_SLOPE);
}

/* Lets the law be less certain, by how much the step will teach of it. */
static void
forget_law(Heat *heat, const HeatForecast *cast)
{
	double excitement = Min(1.0, fabs(cast->change) / EXCITING_CHANGE);
	double forget = pow(LAW_FORGETTING, -0.5 * excitement);

	for (int i = LAW; i < LAW + HEAT_LAW_TERMS; i++)
	{
		double variance = *covariance(heat, i, i);
		double factor = forget;

		/* Nobody knows less than at the start. */
		if (variance * factor * factor > prior_variance(i))
			factor = variance > 0.0 ? Max(1.0, sqrt(prior_variance(i) / variance)) : 1.0;
		for (int j = 0; j < HEAT_STATES; j++)
			*covariance(heat, i, j) *= j == i ? factor * factor : factor;
	}
}

/*
 * Moves the filter on to the time of a report, by the forecast of it: the
 * offset fades and drifts, the temperature goes where it was forecast.
 */
static void
step(Heat *heat, const HeatForecast *cast, bool learn)
{
	double by_power = POWER_DEVIATION * cast->moved;
	double hours = cast->elapsed / 3600.0;
	double slope[HEAT_STATES] = {0.0}; /* of the temperature, by each place */
	double spread[HEAT_STATES];
	double variance = 0.0;

	if (learn)
		forget_law(heat, cast);
	heat->state[OFFSET] *= cast->kept;
	for (int j = 0; j < HEAT_STATES; j++)
		*covariance(heat, OFFSET, j) *= j == OFFSET ? cast->kept * cast->kept : cast->kept;
	*covariance(heat, OFFSET, OFFSET) +=
		HOUR_DEVIATION * HOUR_DEVIATION * hours + by_power * by_power * cast->reached;

	slope[TEMPERATURE] = 1.0 - cast->reached;
	slope[OFFSET] = cast->reached;
	for (int i = 0; i < HEAT_LAW_TERMS && learn; i++)
		slope[LAW + i] = cast->reached * cast->law[i];
	if (learn)
		slope[LOG_TAU] =
			-cast->distance * (1.0 - cast->reached) * cast->elapsed / exp(heat->state[LOG_TAU]);
	for (int i = 0; i < HEAT_STATES; i++)
	{
		spread[i] = 0.0;
		for (int j = 0; j < HEAT_STATES; j++)
			spread[i] += *covariance(heat, i, j) * slope[j];
	}
	for (int i = 0; i < HEAT_STATES; i++)
		variance += spread[i] * slope[i];
	for (int i = 0; i < HEAT_STATES; i++)
		*covariance(heat, TEMPERATURE, i) = i == TEMPERATURE ? variance : spread[i];
	heat->state[TEMPERATURE] = cast->celsius;
}

/*
 * Puts a surprise down to the offset, as far as a step this long can tell, and
 * the rest to the sensor: makes the filter as uncertain as the error is large.
 * Returns the variance of the error.
 */
static double
allow_surprise(Heat *heat, const HeatForecast *cast, double error)
{
	double variance =
		*covariance(heat, TEMPERATURE, TEMPERATURE) + READING_DEVIATION * READING_DEVIATION;
	double surprise = fabs(error) * sqrt(variance) / SURPRISE - variance;
	double reached = cast->reached;
	double of_offset = PRIOR_OFFSET_DEVIATION * PRIOR_OFFSET_DEVIATION * reached * reached;

	if (!(surprise > 0.0))
		return variance;
	of_offset = Min(of_offset, surprise);
	if (reached > 0.0)
	{
		*covariance(heat, OFFSET, OFFSET) += of_offset / (reached * reached);
		*covariance(heat, OFFSET, TEMPERATURE) += of_offset / reached;
		*covariance(heat, TEMPERATURE, TEMPERATURE) += of_offset;
	}
	return variance + surprise;
}

/*
 * Corrects the filter, moved on to the time of a report, by the temperature
 * reported.  Without learning only temperature and offset follow.
 */
static void
correct(Heat *heat, const HeatForecast *cast, double celsius, bool learn)
{
	double error = celsius - heat->state[TEMPERATURE];
	double variance = allow_surprise(heat, cast, error);
	double log_tau = heat->state[LOG_TAU];
	double spread[HEAT_STATES];

	for (int i = 0; i < HEAT_STATES; i++)
		spread[i] = *covariance(heat, i, TEMPERATURE);
	for (int i = 0; i < HEAT_STATES; i++)
	{
		if (learn || i < LAW)
			heat->state[i] += spread[i] / variance * error;
		for (int j = 0; j <= i; j++)
			if (learn || j < LAW)
				*covariance(heat, i, j) -= spread[i] * spread[j] / variance;
	}
	for (int i = 0; i < HEAT_STATES; i++)
		*covariance(heat, i, i) = Max(*covariance(heat, i, i), LEAST_VARIANCE);
	heat->state[LOG_TAU] =
		bounded(heat->state[LOG_TAU], log_tau - MOST_TAU_STEP, log_tau + MOST_TAU_STEP);
}

/*
 * Notes how much came of a change that was predicted, for its kind: a fading
 * fit of the least absolute error, by weights.
 */
static void
note_change(Heat *heat, const HeatForecast *cast, double celsius)
{
	int kind = kind_of_change(cast->change);
	double share = heat->came[kind] / heat->foretold[kind];
	double came = celsius - heat->celsius;
	double usual = Max(LEAST_DEGREES, USUAL_MISS * fabs(cast->change));
	double weight = 1.0 / Max(usual, fabs(came - share * cast->change));
	double fading = pow(CHANGE_FADING, Min(1.0, fabs(cast->change) / 5.0));
	double renewed = (1.0 - fading) * CHANGE_PRIOR;

	/* Short steps tell of the time constant, not of this. */
	if (cast->reached < 0.5)
		return;
	heat->came[kind] = fading * heat->came[kind] + renewed + weight * came * cast->change;
	heat->foretold[kind] =
		fading * heat->foretold[kind] + renewed + weight * cast->change * cast->change;
}

/* Notes the power at a utilisation, both reported. */
static void
note_watts(Heat *heat, double watts, double utilisation)
{
	double by_watts;
	double by_utilisation;

	if (isnan(heat->mean_watts))
	{
		heat->mean_watts = watts;
		heat->mean_utilisation = utilisation;
		return;
	}
	by_watts = watts - heat->mean_watts;
	by_utilisation = utilisation - heat->mean_utilisation;
	heat->mean_watts += MOMENT_RATE * by_watts;
	heat->mean_utilisation += MOMENT_RATE * by_utilisation;
	heat->covariance_watts +=
		MOMENT_RATE * ((1.0 - MOMENT_RATE) * by_watts * by_utilisation - heat->covariance_watts);
	heat->variance_utilisation +=
		MOMENT_RATE *
		((1.0 - MOMENT_RATE) * by_utilisation * by_utilisation - heat->variance_utilisation);
}

/* Notes how far off the prediction was, and how far no prediction. */
static void
note_error(Heat *heat, double predicted, double celsius)
{
	heat->error_weight += ERROR_RATE * (1.0 - heat->error_weight);
	heat->error += ERROR_RATE * (fabs(predicted - celsius) - heat->error);
	heat->error_persistence +=
		ERROR_RATE * (fabs(heat->celsius - celsius) - heat->error_persistence);
}

/*
 * Takes a report and learns from it, or without learning only follows it.
 * Returns false, and does nothing, for one without a temperature that can be
 * or that is not newer than the last.
 */
bool
heat_report(Heat *heat, HeatReport report, bool learn)
{
	HeatLoad load = {report.watts, report.utilisation};
	bool has_watts = is_watts(report.watts);
	bool first = !(heat->reports > 0.0);
	HeatForecast cast;
	double watts;

	if (!(report.celsius >= LEAST_CELSIUS && report.celsius <= MOST_CELSIUS) ||
		!isfinite(report.seconds) || (!first && !(report.seconds > heat->seconds)))
		return false;
	if (!(report.utilisation >= 0.0 && report.utilisation <= 1.0))
		report.utilisation = load.utilisation = NAN;
	if (has_watts && report.watts > FULL_EXCEEDED * heat->full_watts)
		raise_full_watts(heat, report.watts);

	watts = load_watts(heat, load);
	if (isnan(watts))
		watts = heat_watts(heat, 0.0);
	if (first)
	{
		/* A step that was long enough, from wherever. */
		heat->celsius = heat->state[TEMPERATURE] = report.celsius;
		forecast(heat, watts, true, LONGEST_GAP, &cast);
		cast.elapsed = 0.0;
		heat->error = heat->error_persistence = 0.0;
	}
	else
	{
		forecast(heat, watts, true, report.seconds - heat->seconds, &cast);
		note_error(heat, cast.expected, report.celsius);
	}
	if (learn && !first)
		note_change(heat, &cast, report.celsius);
	if (learn && has_watts && !isnan(report.utilisation))
		note_watts(heat, report.watts, report.utilisation);
	step(heat, &cast, learn);
	correct(heat, &cast, report.celsius, learn);
	constrain(heat);

	heat->reports += 1.0;
	heat->seconds = report.seconds;
	heat->celsius = report.celsius;
	heat->watts = watts;
	heat->utilisation = report.utilisation;
	return true;
}

/* Returns the temperature that a device would settle at under so many watts. */
double
heat_settled(const Heat *heat, double watts)
{
	return bounded(law_at(heat, watts) + heat->state[OFFSET], LEAST_CELSIUS, MOST_CELSIUS);
}

/* Returns the seconds in which 1 - 1/e of a change comes. */
double
heat_time_constant(const Heat *heat)
{
	return exp(heat->state[LOG_TAU]);
}

/* Returns the degrees by watt, on the mean from nothing to full power. */
double
heat_resistance(const Heat *heat)
{
	return (law_at(heat, heat->full_watts) - law_at(heat, 0.0)) / heat->full_watts;
}

/* Returns the usual error of a prediction, in degrees; NAN where none was made. */
double
heat_error(const Heat *heat)
{
	return heat->error_weight > 0.0 ? heat->error / heat->error_weight : NAN;
}

/* Returns the same of taking the last temperature for the next one. */
double
heat_error_persistence(const Heat *heat)
{
	return heat->error_weight > 0.0 ? heat->error_persistence / heat->error_weight : NAN;
}

/*
 * Returns from which share of its power range, in tenths of the way from idle
 * to full power, a device is past its throttling point when the share is drawn
 * until so many seconds after its last report; INFINITY where it never is.
 * Powers that are not known (0 or NAN) are the model's.
 */
double
heat_throttles_at(const Heat *heat, double idle_watts, double full_watts, double throttle_celsius,
				  double dt_seconds)
{
	double idle = idle_watts > 0.0 ? idle_watts : heat_watts(heat, 0.0);
	double full = full_watts > 0.0 ? full_watts : heat->full_watts;
	int tenth = 10;

	for (; tenth >= 0; tenth--)
	{
		HeatLoad load = {energy_watts(idle, full, tenth / 10.0), NAN};

		if (!heat_overheats(heat_predict(heat, load, dt_seconds), throttle_celsius))
			break;
	}
	return tenth == 10 ? INFINITY : (tenth + 1) / 10.0;
}
