/*
 * power_limit.c
 *		The device model and power limit at which a job should run, from what
 *		other jobs took at every setting and this one at a few.
 *
 * Every other job is a guess at this one: its curve of seconds over settings,
 * moved to this job's scale.  A guess counts by how well it agrees with what
 * was measured, in the shape of the time and in the watts (which tell how much
 * a limit will hurt), and where it does not quite agree it is bent towards it.
 * The guesses together give for each setting not only what to expect but the
 * probability of being too slow, so that the margin to the limit is as wide as
 * jobs like this one differ, and no wider.
 */
#include "model/power_limit.h"

/* How much alike jobs agree: deviations of the logarithms of time and power. */
#define TIME_DEVIATION 0.02
#define WATTS_DEVIATION 0.06

/* Where even the best guess is further off than this, all of them are doubted. */
#define USUAL_MISFIT 2.0

/* How much of a disagreement a guess is corrected by. */
#define CORRECTION 0.75

/*
 * Jobs differ most in what they take where a limit begins to hurt: at this share of what they
 * draw unlimited.
 */
#define TELLING_SHARE 0.8

/* No setting can be judged as more than so many times worse. */
#define MOST_REGRET 5.0

/* The logarithms by job and setting, and what each job counts. */
typedef struct Guesses
{
	int jobs;
	int settings;
	double *seconds;
	double *watts;
	double *weight;
} Guesses;

/* Returns the logarithm of a measure; NAN for what is none. */
static double
logarithm(double value)
{
	return value > 0.0 && isfinite(value) ? log(value) : NAN;
}

/*
 * Returns a row's value at the limit of a setting: from the limits next to it
 * that have one, on the same device.  Where they are on one side only it is
 * the nearest one's, if that will do, or NAN.
 */
static double
between(const PowerHistory *history, const double *row, int setting, bool nearest_will_do)
{
	double limit = history->limit_watts[setting];
	int below = -1;
	int above = -1;
	double span;

	for (int s = 0; s < history->settings; s++)
	{
		double other = history->limit_watts[s];

		if (isnan(row[s]) || history->device[s] != history->device[setting])
			continue;
		if (other <= limit && (below < 0 || other > history->limit_watts[below]))
			below = s;
		if (other >= limit && (above < 0 || other < history->limit_watts[above]))
			above = s;
	}
	if (below < 0 || above < 0)
	{
		int nearest = Max(below, above);

		return nearest_will_do && nearest >= 0 ? row[nearest] : NAN;
	}
	span = log(history->limit_watts[above] / history->limit_watts[below]);
	if (!(span > 0.0))
		return row[below];
	return row[below] + log(limit / history->limit_watts[below]) / span * (row[above] - row[below]);
}

/* Fills in the settings at which a job was not measured where others allow it. */
static void
interpolate(const PowerHistory *history, double *row, double *scratch)
{
	memcpy(scratch, row, sizeof(double) * history->settings);
	for (int s = 0; s < history->settings; s++)
		if (isnan(scratch[s]))
			row[s] = between(history, scratch, s, false);
}

/* Returns whether the job was measured at a setting. */
static bool
is_measured(const PowerJob *job, int setting)
{
	return !isnan(logarithm(job->seconds[setting])) && !isnan(logarithm(job->watts[setting]));
}

/*
 * Corrects one measure of a guess by what was measured of it on the same
 * device: in part at other limits, fully where it was measured.
 */
static void
correct_guess(const PowerHistory *history, const PowerJob *job, const double *measures, double *row,
			  double *scratch)
{
	for (int s = 0; s < history->settings; s++)
		scratch[s] = is_measured(job, s) ? log(measures[s]) - row[s] : NAN;
	for (int s = 0; s < history->settings; s++)
	{
		double off = between(history, scratch, s, true);

		if (is_measured(job, s))
			row[s] = log(measures[s]);
		else if (!isnan(off))
			row[s] += CORRECTION * off;
	}
}

/*
 * Moves a guess to the job's scale.  Returns how badly it agrees with what was
 * measured, INFINITY for one that was not measured there itself.
 */
static double
misfit(const PowerJob *job, int settings, double *seconds, const double *watts)
{
	double scale = 0.0;
	double sum = 0.0;
	int measured = 0;

	for (int s = 0; s < settings; s++)
	{
		if (!is_measured(job, s))
			continue;
		if (isnan(seconds[s]) || isnan(watts[s]))
			return INFINITY;
		scale += log(job->seconds[s]) - seconds[s];
		measured++;
	}
	if (measured == 0)
		return 0.0;
	scale /= measured;
	for (int s = 0; s < settings; s++)
	{
		double by_time;
		double by_watts;

		seconds[s] += scale;
		if (!is_measured(job, s))
			continue;
		by_time = (log(job->seconds[s]) - seconds[s]) / TIME_DEVIATION;
		by_watts = (log(job->watts[s]) - watts[s]) / WATTS_DEVIATION;
		sum += by_time * by_time + by_watts * by_watts;
	}
	return sum;
}

/* Turns misfits into weights that sum to 1. */
static void
weigh(double *weight, int jobs)
{
	double least = INFINITY;
	double doubt;
	double sum = 0.0;

	for (int j = 0; j < jobs; j++)
		least = Min(least, weight[j]);
	doubt = Max(1.0, least / USUAL_MISFIT);
	for (int j = 0; j < jobs; j++)
	{
		weight[j] = isinf(weight[j]) ? 0.0 : exp(-0.5 * (weight[j] - least) / doubt);
		sum += weight[j];
	}
	for (int j = 0; j < jobs; j++)
		weight[j] /= sum;
}

/*
 * Makes a guess of every job that was measured where this one was; those that
 * were not are left out.  There is room for one even if there are none.
 */
static Guesses
make_guesses(const PowerHistory *history, const PowerJob *job)
{
	int n = history->settings;
	Size cells = (Size) Max(history->jobs, 1) * Max(n, 1);
	Guesses guesses = {0, n, palloc(sizeof(double) * cells), palloc(sizeof(double) * cells),
					   palloc(sizeof(double) * Max(history->jobs, 1))};
	double *scratch = palloc(sizeof(double) * Max(n, 1));

	for (int j = 0; j < history->jobs; j++)
	{
		double *seconds = guesses.seconds + (Size) guesses.jobs * n;
		double *watts = guesses.watts + (Size) guesses.jobs * n;
		double off;

		CHECK_FOR_INTERRUPTS();
		for (int s = 0; s < n; s++)
		{
			seconds[s] = logarithm(history->seconds[(Size) j * n + s]);
			watts[s] = logarithm(history->watts[(Size) j * n + s]);
			if (isnan(seconds[s]) || isnan(watts[s]))
				seconds[s] = watts[s] = NAN;
		}
		interpolate(history, seconds, scratch);
		interpolate(history, watts, scratch);
		off = misfit(job, n, seconds, watts);
		if (isinf(off))
			continue;
		correct_guess(history, job, job->seconds, seconds, scratch);
		correct_guess(history, job, job->watts, watts, scratch);
		guesses.weight[guesses.jobs++] = off;
	}
	if (guesses.jobs > 0)
		weigh(guesses.weight, guesses.jobs);
	pfree(scratch);
	return guesses;
}

/* Takes what was measured for the only guess, where no other job helps. */
static void
guess_measured(Guesses *guesses, const PowerJob *job)
{
	guesses->jobs = 1;
	guesses->weight[0] = 1.0;
	for (int s = 0; s < guesses->settings; s++)
	{
		bool measured = is_measured(job, s);

		guesses->seconds[s] = measured ? log(job->seconds[s]) : NAN;
		guesses->watts[s] = measured ? log(job->watts[s]) : NAN;
	}
}

/* Returns whether a setting may be chosen, and a guess says what it takes. */
static bool
is_open(const PowerJob *job, const double *seconds, int setting)
{
	return (job->allowed == NULL || job->allowed[setting]) && !isnan(seconds[setting]);
}

/*
 * Adds to every setting what one guess says of it: seconds and watts (still as
 * logarithms), whether it is too slow, and its joules beyond the best.
 */
static void
add_guess(const Guesses *guesses, int number, const PowerJob *job, PowerGuess *sums, double *seen)
{
	const double *seconds = guesses->seconds + (Size) number * guesses->settings;
	const double *watts = guesses->watts + (Size) number * guesses->settings;
	double weight = guesses->weight[number];
	double fastest = INFINITY;
	double best = INFINITY;
	double slowest;

	for (int s = 0; s < guesses->settings; s++)
		if (is_open(job, seconds, s) && (job->reference == NULL || job->reference[s]))
			fastest = Min(fastest, seconds[s]);
	/* Where the reference is not known, nothing is too slow. */
	slowest = fastest + log1p(Max(0.0, job->slowdown)) + 1e-12;
	for (int s = 0; s < guesses->settings; s++)
		if (is_open(job, seconds, s) && seconds[s] <= slowest)
			best = Min(best, seconds[s] + watts[s]);
	for (int s = 0; s < guesses->settings; s++)
	{
		double regret = MOST_REGRET;

		if (!is_open(job, seconds, s))
		{
			sums[s].risk += weight;
			sums[s].regret += weight * MOST_REGRET;
			continue;
		}
		regret = Min(regret, expm1(Min(seconds[s] + watts[s] - best, 10.0)));
		sums[s].seconds += weight * seconds[s];
		sums[s].watts += weight * watts[s];
		sums[s].risk += seconds[s] > slowest ? weight : 0.0;
		sums[s].regret += weight * Max(0.0, regret);
		seen[s] += weight;
	}
}

/*
 * Returns the setting at which the job should run: the one with the least
 * expected joules beyond the best setting within the slowdown limit, plus
 * caution times the probability of breaking that limit (a caution of 0.4 takes
 * a certain break for as bad as 40 % more joules).  -1 where nothing is known
 * of any setting that is allowed.
 *
 * Gives what is expected of each setting; NAN where nothing is.
 */
int
power_choose(const PowerHistory *history, const PowerJob *job, PowerGuess *guesses)
{
	Guesses all = make_guesses(history, job);
	double *seen = palloc0(sizeof(double) * Max(history->settings, 1));
	double least = INFINITY;
	int chosen = -1;

	if (all.jobs == 0)
		guess_measured(&all, job);
	memset(guesses, 0, sizeof(PowerGuess) * history->settings);
	for (int j = 0; j < all.jobs; j++)
		if (all.weight[j] > 0.0)
			add_guess(&all, j, job, guesses, seen);
	for (int s = 0; s < history->settings; s++)
	{
		double cost = guesses[s].regret + job->caution * guesses[s].risk;

		guesses[s].seconds = seen[s] > 0.0 ? exp(guesses[s].seconds / seen[s]) : NAN;
		guesses[s].watts = seen[s] > 0.0 ? exp(guesses[s].watts / seen[s]) : NAN;
		if (seen[s] > 0.0 && cost < least)
		{
			least = cost;
			chosen = s;
		}
	}
	pfree(all.seconds);
	pfree(all.watts);
	pfree(all.weight);
	pfree(seen);
	return chosen;
}

/*
 * Returns the setting of a device at which measuring the job tells most: the highest limit, then
 * the one nearest to 80 % of what the job draws there, whichever it was not measured at; -1 where
 * neither is left.
 */
int
power_next(const PowerHistory *history, const PowerJob *job, int device)
{
	int highest = -1;
	int telling = -1;
	double wanted;

	for (int s = 0; s < history->settings; s++)
		if (history->device[s] == device && (job->allowed == NULL || job->allowed[s]) &&
			(highest < 0 || history->limit_watts[s] > history->limit_watts[highest]))
			highest = s;
	if (highest < 0 || !is_measured(job, highest))
		return highest;
	wanted = TELLING_SHARE * job->watts[highest];
	for (int s = 0; s < history->settings; s++)
		if (history->device[s] == device && s != highest &&
			(job->allowed == NULL || job->allowed[s]) &&
			(telling < 0 ||
			 fabs(history->limit_watts[s] - wanted) < fabs(history->limit_watts[telling] - wanted)))
			telling = s;
	return telling < 0 || is_measured(job, telling) ? -1 : telling;
}
