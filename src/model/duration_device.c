/*
 * duration_device.c
 *		A device profile's loadings: Bayesian linear regression of what it ran
 *		on the factors of the models, with the distribution of the other device
 *		profiles' loadings as the prior (empirical Bayes).  Some ten runs then
 *		place a new device among the known kinds.
 */
#include "model/duration_device.h"

/*
 * Variances about the regression that are weighed against each other: each is four times the
 * one before.
 */
#define NOISES 8
#define LEAST_NOISE 1e-5
/* The one that is expected (a standard deviation of 5 %), and how firmly, in steps. */
#define NOISE_EXPECTED 4
#define NOISE_DEVIATION 0.5

/* How many device profiles the prior below counts for against those known. */
#define PRIOR_WEIGHT 2.0

/*
 * How much the first device profiles count on a factor of their own: factors
 * have to differ in something to become different ones.
 */
#define LANDMARK 0.4

/* After about this many runs old ones are forgotten. */
#define MEMORY 100.0
/* What is left of doubtful ones. */
#define DOUBT 0.1

/* Variances of the loadings where no other device is known: level, factors. */
static const double prior_variance[DURATION_LOADINGS] = {1.0, 0.04, 0.04, 0.04};

/* Returns the variance with number k. */
static double
noise_at(int k)
{
	return ldexp(LEAST_NOISE, 2 * k);
}

/* Sets what is expected of a device's loadings before it has run: as the others' are. */
static void
expect(const DurationPool *pool, const DurationDevice *device, double *mean, double *covariance)
{
	bool entered = device->number > 0;
	double number = entered ? device->number : pool->numbers + 1;
	double n = entered ? pool->devices - 1 : pool->devices;
	double total = PRIOR_WEIGHT + n;
	double others[DURATION_LOADINGS];
	double base[DURATION_LOADINGS] = {0, 1};
	bool landmark = number < DURATION_FACTORS;

	if (landmark)
		base[1 + (int) number] = LANDMARK;
	for (int i = 0; i < DURATION_LOADINGS; i++)
	{
		others[i] = pool->loadings[i] - (entered ? device->loadings[i] : 0);
		mean[i] = (PRIOR_WEIGHT * base[i] + others[i]) / total;
	}
	for (int i = 0; i < DURATION_LOADINGS; i++)
		for (int j = 0; j <= i; j++)
		{
			double sum = AT(pool->products, i, j);

			if (entered)
				sum -= device->loadings[i] * device->loadings[j] + AT(device->covariance, i, j);
			sum += n * mean[i] * mean[j] - others[i] * mean[j] - mean[i] * others[j];
			sum += PRIOR_WEIGHT *
				   ((base[i] - mean[i]) * (base[j] - mean[j]) + (i == j ? prior_variance[i] : 0));
			AT(covariance, i, j) = sum / total;
		}
	/* Others pull a landmark's own factors together, which would make them one. */
	for (int i = 2; landmark && i < DURATION_LOADINGS; i++)
	{
		mean[i] = base[i];
		for (int j = 0; j <= i; j++)
			AT(covariance, i, j) = i == j ? prior_variance[i] : 0;
	}
}

/*
 * Solves the regression for one variance about it.  Returns the logarithm of
 * how likely that variance is.
 */
static double
fit_with_noise(const DurationDevice *device, const double *prior, const double *start, double noise,
			   double *loadings, double *covariance)
{
	double factor[TRIANGLE(DURATION_LOADINGS)];
	double score = device->weight * log(noise) + device->square / noise;
	double right[DURATION_LOADINGS];

	for (int i = 0; i < TRIANGLE(DURATION_LOADINGS); i++)
		factor[i] = prior[i] + device->precision[i] / noise;
	for (int i = 0; i < DURATION_LOADINGS; i++)
		loadings[i] = right[i] = start[i] + device->information[i] / noise;
	score += matrix_factorize(DURATION_LOADINGS, factor);
	matrix_solve(DURATION_LOADINGS, factor, loadings);
	matrix_invert(DURATION_LOADINGS, factor, covariance);
	for (int i = 0; i < DURATION_LOADINGS; i++)
		score -= right[i] * loadings[i];
	return -0.5 * score;
}

/*
 * Works out the loadings, their covariance and the variance about the
 * regression from its sums.  The variance is not known either: a phone may be
 * ten times as noisy as a server, and what ten runs say depends on it, so the
 * answers for some variances are averaged by how likely these are.
 */
void
duration_device_fit(const DurationPool *pool, DurationDevice *device)
{
	double mean[DURATION_LOADINGS];
	double covariance[TRIANGLE(DURATION_LOADINGS)];
	double prior[TRIANGLE(DURATION_LOADINGS)];
	double start[DURATION_LOADINGS] = {0};
	double fits[NOISES][DURATION_LOADINGS];
	double covariances[NOISES][TRIANGLE(DURATION_LOADINGS)];
	double scores[NOISES];
	double best = -INFINITY;
	double total = 0;

	expect(pool, device, mean, covariance);
	matrix_factorize(DURATION_LOADINGS, covariance);
	matrix_invert(DURATION_LOADINGS, covariance, prior);
	for (int i = 0; i < DURATION_LOADINGS; i++)
		for (int j = 0; j < DURATION_LOADINGS; j++)
			start[i] += AT(prior, i, j) * mean[j];
	for (int k = 0; k < NOISES; k++)
	{
		double steps = (k - NOISE_EXPECTED) / NOISE_DEVIATION;

		scores[k] = fit_with_noise(device, prior, start, noise_at(k), fits[k], covariances[k]) -
					0.5 * steps * steps;
		best = Max(best, scores[k]);
	}
	for (int k = 0; k < NOISES; k++)
		total += scores[k] = exp(scores[k] - best);
	memset(device->loadings, 0, sizeof(device->loadings));
	memset(device->covariance, 0, sizeof(device->covariance));
	device->noise = 0;
	for (int k = 0; k < NOISES; k++)
	{
		double weight = scores[k] / total;

		device->noise += weight * noise_at(k);
		for (int i = 0; i < DURATION_LOADINGS; i++)
			device->loadings[i] += weight * fits[k][i];
		for (int i = 0; i < TRIANGLE(DURATION_LOADINGS); i++)
			device->covariance[i] += weight * covariances[k][i];
	}
}

/* Adds a device's loadings to those of the pool, or with sign -1 takes them away. */
static void
add_to_pool(DurationPool *pool, const DurationDevice *device, int sign)
{
	pool->devices += sign;
	for (int i = 0; i < DURATION_LOADINGS; i++)
	{
		pool->loadings[i] += sign * device->loadings[i];
		for (int j = 0; j <= i; j++)
			AT(pool->products, i, j) +=
				sign * (device->loadings[i] * device->loadings[j] + AT(device->covariance, i, j));
	}
}

static void
refit(DurationPool *pool, DurationDevice *device)
{
	DurationDevice before = *device;

	duration_device_fit(pool, device);
	add_to_pool(pool, &before, -1);
	add_to_pool(pool, device, 1);
}

/* Gives a device profile its number, with its first run. */
void
duration_device_enter(DurationPool *pool, DurationDevice *device)
{
	duration_device_fit(pool, device);
	device->number = ++pool->numbers;
	add_to_pool(pool, device, 1);
}

/*
 * Takes in what a model with these factors took.  Again: it has been before,
 * and what is known of its factors is better now, so it replaces an average
 * run instead of counting as one more.
 */
void
duration_device_observe(DurationPool *pool, DurationDevice *device, const double *factors,
						double value, double weight, bool again)
{
	double keep = 1 - weight / (again ? Max(weight, device->weight) : MEMORY);
	double x[DURATION_LOADINGS] = {1};

	if (!(weight > 0))
		return;
	memcpy(x + 1, factors, sizeof(double) * DURATION_FACTORS);
	for (int i = 0; i < DURATION_LOADINGS; i++)
	{
		device->information[i] = keep * device->information[i] + weight * x[i] * value;
		for (int j = 0; j <= i; j++)
			AT(device->precision, i, j) = keep * AT(device->precision, i, j) + weight * x[i] * x[j];
	}
	device->square = keep * device->square + weight * value * value;
	device->weight = keep * device->weight + weight;
	refit(pool, device);
}

/* Lets what a device has run count for little, when its first runs turn out to mislead. */
void
duration_device_doubt(DurationPool *pool, DurationDevice *device)
{
	for (int i = 0; i < TRIANGLE(DURATION_LOADINGS); i++)
		device->precision[i] *= DOUBT;
	for (int i = 0; i < DURATION_LOADINGS; i++)
		device->information[i] *= DOUBT;
	device->square *= DOUBT;
	device->weight *= DOUBT;
	refit(pool, device);
}
