/*
 * duration.c
 *		How long work takes, learned from the runs that completed: estimates, and
 *		what one more run changes.  model/duration.h has the model; the device
 *		profiles' part of it is in model/duration_device.c.
 *
 * What a model is remembered to have taken is kept as it was and not as what it
 * meant: its factors are worked out anew each time, with the loadings as they
 * are known by then.
 */
#include "model/duration.h"
#include "model/duration_device.h"

/* Variance of repeated runs while few have been seen, and what it counts for against those. */
#define EXPECTED_NOISE (0.05 * 0.05)
#define EXPECTED_NOISE_WEIGHT 2.0
#define FEW_REPEATS 5.0
/* After about this many runs old ones are forgotten: of a pair, of the noise. */
#define PAIR_MEMORY 12.0
#define NOISE_MEMORY 1000.0

/*
 * A run that is further from what was expected, in standard deviations, is a
 * surprise and counts less; so many in a row that agree are not outliers but the truth.
 */
#define SURPRISE 2.5
#define STREAK 3
#define LEAST_WEIGHT 1e-6
/* How many samples of a family may be outliers, and from where on. */
#define FAMILY_OUTLIERS 2
#define FAMILY_SURPRISE 3.0

/* How many of a family's samples may be of one model. */
#define OWN_SAMPLES 6

/* A shift moves when surprises beyond the slack add up to the limit. */
#define EVIDENCE_MOST 3.0
#define EVIDENCE_SLACK 0.75
#define EVIDENCE_LIMIT 5.0
/* How many standard deviations two runs may differ that agree. */
#define AGREEMENT 3.0
#define SHIFT_VARIANCE (0.02 * 0.02)
#define SHIFT_DRIFT 1e-7
/* A device this new has not changed: its first runs have misled. */
#define NEW_DEVICE_RUNS 12

#define NORMAL_P90 1.2815515655446004
/*
 * What a model takes on a device profile where it has not run is twice as uncertain as it seems
 * after so many runs of others: how noisy the device is, is a guess by then.
 */
#define UNCERTAIN_RUNS 7.0
/* An estimate is trusted to be of the right order: P90 is not above 3.6 times the P50. */
#define LARGEST_DEVIATION 1.0

/*
 * How the models of a family vary, of the first factor and of the others: what
 * they all share, what those of like size share, what each has of its own (and
 * how many models that counts for against those seen); and how much longer they
 * may take as the size doubles.
 */
static const double shared_variance[DURATION_FACTORS] = {3.0, 1.2, 1.2};
static const double alike_variance[DURATION_FACTORS] = {0.15, 0.5, 0.5};
static const double spread_variance[DURATION_FACTORS] = {0.01, 0.05, 0.05};
#define SPREAD_WEIGHT 4.0
/* More models than this are not all among the samples: then their mean is what they share. */
#define FEW_MODELS 8
#define CENTER_MEMORY 200.0
#define SLOPE_VARIANCE 0.3
/* Sizes this much apart, in doublings, are still alike. */
#define ALIKE_DOUBLINGS 2.0

/*
 * What is expected of a model on a device profile, as logarithms over the formula, without the
 * shifts.
 */
typedef struct Expectation
{
	DurationFactors factors; /* of the model, had it not run here */
	double unseen_mean; /* what they say */
	double unseen_variance;
	double mean; /* with what is known of the pair */
	double variance; /* of the next run */
	DurationPair *pair; /* NULL: none */
} Expectation;

/* Returns the device profile with a number, NULL if it is not known. */
static DurationDevice *
numbered_device(const DurationRecords *r, double number)
{
	if (number == r->device->number)
		return r->device;
	return number > r->ndevices ? NULL : r->devices[(int) number - 1];
}

/* Returns the variance of runs of one model on one device profile. */
static double
run_noise(const DurationType *type, const DurationDevice *device)
{
	double noise = (EXPECTED_NOISE_WEIGHT * EXPECTED_NOISE + type->noise) /
				   (EXPECTED_NOISE_WEIGHT + type->noise_weight);

	return type->noise_weight < FEW_REPEATS ? Min(noise, 0.5 * device->noise) : noise;
}

/* Returns the variance of how far a pair is from what the factors say. */
static double
pair_variance(const DurationDevice *device, double noise)
{
	return Max(device->noise - noise, 0.25 * device->noise);
}

/* Returns the variance of a remembered mean about what the factors of a model like this say. */
static double
mean_variance(const DurationType *type, const DurationDevice *device, double weight,
			  const double *factors)
{
	double noise = run_noise(type, device);
	double pair = pair_variance(device, noise);
	double x[DURATION_LOADINGS] = {1};

	memcpy(x + 1, factors, sizeof(double) * DURATION_FACTORS);
	return (weight < 1 ? (pair + noise) / weight : pair + noise / weight) +
		   matrix_quadratic(DURATION_LOADINGS, device->covariance, x);
}

/* Returns the variance of a factor within a family, of what a model has of its own. */
static double
family_spread(const DurationFamily *family, const DurationModel *model, int factor)
{
	bool counted = model->number > 0 && model->number <= family->models;
	double others = Max(0, family->spread[factor] - model->spread[factor]);

	return (SPREAD_WEIGHT * spread_variance[factor] + others) /
		   (SPREAD_WEIGHT + family->models - (counted ? 1 : 0));
}

/* Returns how many models a family has beyond those that its samples stand for. */
static double
family_excess(const DurationFamily *family)
{
	return Max(0, family->models - FEW_MODELS);
}

/* Returns the covariance of a factor in two models of a family, by their sizes. */
static double
family_covariance(const DurationFamily *family, int factor, double size, double other)
{
	double doublings = (size - other) / ALIKE_DOUBLINGS;
	double likeness = 1 / (1 + 0.5 * doublings * doublings);

	/* What has no size is like what has none, too. */
	if (isnan(doublings))
		likeness = isnan(size) && isnan(other) ? 1 : 0;
	return shared_variance[factor] / (1 + family_excess(family)) +
		   alike_variance[factor] * likeness;
}

/*
 * Tells outliers among the samples of a family, by what the others expect of
 * each, and lets them count less: adds to the diagonal of the covariance.
 */
static void
discount_outliers(int n, double *covariance, const double *values)
{
	for (int round = 0; round < FAMILY_OUTLIERS; round++)
	{
		double factor[TRIANGLE(DURATION_SAMPLES)];
		double solved[DURATION_SAMPLES];
		double worst = FAMILY_SURPRISE;
		double variance = 0;
		int outlier = -1;

		memcpy(factor, covariance, sizeof(double) * TRIANGLE(n));
		memcpy(solved, values, sizeof(double) * n);
		matrix_factorize(n, factor);
		matrix_solve(n, factor, solved);
		for (int i = 0; i < n; i++)
		{
			double x[DURATION_SAMPLES] = {0};
			double precision = 0; /* of this one, given the others */

			x[i] = 1;
			matrix_forward(n, factor, x);
			for (int j = i; j < n; j++)
				precision += x[j] * x[j];
			if (fabs(solved[i]) / sqrt(precision) > worst)
			{
				worst = fabs(solved[i]) / sqrt(precision);
				variance = 1 / precision;
				outlier = i;
			}
		}
		if (outlier < 0)
			return;
		AT(covariance, outlier, outlier) += variance * (pow(worst / 2, 4) - 1);
	}
}

/* Sets the covariance of samples of a family; size is where its slope has its level. */
static void
sample_covariance(const DurationRecords *r, double size, const double *level, int n,
				  const DurationSample **samples, DurationDevice **devices, double *covariance)
{
	double spread[DURATION_FACTORS];

	for (int a = 0; a < DURATION_FACTORS; a++)
		spread[a] = family_spread(r->family, r->model, a);
	for (int i = 0; i < n; i++)
	{
		const double *loadings = devices[i]->loadings + 1;

		for (int j = 0; j <= i; j++)
		{
			const double *others = devices[j]->loadings + 1;
			bool same_model = samples[i]->model == samples[j]->model;
			double slopes = (samples[i]->size - size) * (samples[j]->size - size);
			double sum = isnan(slopes) ? 0 : SLOPE_VARIANCE * slopes * loadings[0] * others[0];

			for (int a = 0; a < DURATION_FACTORS; a++)
				sum += loadings[a] * others[a] *
					   (family_covariance(r->family, a, samples[i]->size, samples[j]->size) +
						(same_model ? spread[a] : 0));
			AT(covariance, i, j) = sum;
		}
		AT(covariance, i, i) += mean_variance(r->type, devices[i], samples[i]->weight, level);
	}
}

/*
 * Sets what is to be expected of the factors of a model of this family and
 * size, from what the other models of the family took.
 */
void
duration_expect(const DurationRecords *r, DurationFactors *factors)
{
	double size = r->model->number > 0 ? r->model->size : r->size;
	DurationDevice *devices[DURATION_SAMPLES];
	const DurationSample *samples[DURATION_SAMPLES];
	double covariance[TRIANGLE(DURATION_SAMPLES)];
	double values[DURATION_SAMPLES];
	double cross[DURATION_FACTORS][DURATION_SAMPLES];
	int n = 0;

	memset(factors, 0, sizeof(*factors));
	for (int a = 0; a < DURATION_FACTORS; a++)
	{
		factors->mean[a] =
			((a == 0 ? r->type->level : 0) + family_excess(r->family) * r->family->center[a]) /
			(1 + family_excess(r->family));
		AT(factors->covariance, a, a) = family_covariance(r->family, a, size, size);
	}
	for (int i = 0; i < r->family->nsamples; i++)
	{
		samples[n] = &r->family->samples[i];
		devices[n] = numbered_device(r, samples[n]->device);
		if (devices[n] == NULL || samples[n]->model == r->model->number)
			continue;
		values[n] = samples[n]->mean - devices[n]->loadings[0];
		for (int a = 0; a < DURATION_FACTORS; a++)
		{
			values[n] -= devices[n]->loadings[1 + a] * factors->mean[a];
			cross[a][n] = devices[n]->loadings[1 + a] *
						  family_covariance(r->family, a, size, samples[n]->size);
		}
		n++;
	}
	sample_covariance(r, size, factors->mean, n, samples, devices, covariance);
	discount_outliers(n, covariance, values);
	matrix_factorize(n, covariance);
	matrix_forward(n, covariance, values);
	for (int a = 0; a < DURATION_FACTORS; a++)
	{
		matrix_forward(n, covariance, cross[a]);
		for (int i = 0; i < n; i++)
			factors->mean[a] += cross[a][i] * values[i];
		for (int b = 0; b <= a; b++)
			for (int i = 0; i < n; i++)
				AT(factors->covariance, a, b) -= cross[a][i] * cross[b][i];
	}
}

/*
 * Sets what is known of a model's factors: what its family lets expect, with a
 * spread of its own, and what it took itself, but for one pair (NULL: for none).
 */
static void
know_factors(const DurationRecords *r, const DurationFactors *family, const DurationPair *without,
			 DurationFactors *known)
{
	double prior[TRIANGLE(DURATION_FACTORS)];
	double precision[TRIANGLE(DURATION_FACTORS)];

	memcpy(prior, family->covariance, sizeof(prior));
	for (int i = 0; i < DURATION_FACTORS; i++)
		AT(prior, i, i) += family_spread(r->family, r->model, i);
	matrix_factorize(DURATION_FACTORS, prior);
	matrix_invert(DURATION_FACTORS, prior, precision);
	for (int i = 0; i < DURATION_FACTORS; i++)
	{
		known->mean[i] = 0;
		for (int j = 0; j < DURATION_FACTORS; j++)
			known->mean[i] += AT(precision, i, j) * family->mean[j];
	}
	for (int p = 0; p < r->model->npairs; p++)
	{
		const DurationPair *pair = &r->model->pairs[p];
		const DurationDevice *device = numbered_device(r, pair->device);
		double variance;

		if (pair == without || device == NULL)
			continue;
		variance = mean_variance(r->type, device, pair->weight, family->mean);
		for (int i = 0; i < DURATION_FACTORS; i++)
		{
			known->mean[i] +=
				device->loadings[1 + i] * (pair->mean - device->loadings[0]) / variance;
			for (int j = 0; j <= i; j++)
				AT(precision, i, j) += device->loadings[1 + i] * device->loadings[1 + j] / variance;
		}
	}
	matrix_factorize(DURATION_FACTORS, precision);
	matrix_solve(DURATION_FACTORS, precision, known->mean);
	matrix_invert(DURATION_FACTORS, precision, known->covariance);
}

/* Sets what is expected of a model on a device profile. */
static void
expect_run(const DurationRecords *r, const DurationDevice *device, const DurationFactors *family,
		   Expectation *e)
{
	double noise = run_noise(r->type, device);
	double x[DURATION_LOADINGS] = {1};

	e->pair = NULL;
	for (int i = 0; i < r->model->npairs; i++)
		if (r->model->pairs[i].device == device->number)
			e->pair = &r->model->pairs[i];
	know_factors(r, family, e->pair, &e->factors);
	memcpy(x + 1, e->factors.mean, sizeof(e->factors.mean));
	e->unseen_mean = 0;
	for (int i = 0; i < DURATION_LOADINGS; i++)
		e->unseen_mean += device->loadings[i] * x[i];
	e->unseen_variance =
		pair_variance(device, noise) +
		matrix_quadratic(DURATION_FACTORS, e->factors.covariance, device->loadings + 1) +
		matrix_quadratic(DURATION_LOADINGS, device->covariance, x);
	for (int i = 0; i < DURATION_FACTORS; i++)
		for (int j = 0; j < DURATION_FACTORS; j++)
			e->unseen_variance +=
				AT(e->factors.covariance, i, j) * AT(device->covariance, 1 + i, 1 + j);
	e->mean = e->unseen_mean;
	e->variance = e->unseen_variance;
	if (e->pair != NULL)
	{
		double weight = e->pair->weight;
		double seen = weight < 1 ? (pair_variance(device, noise) + noise) / weight : noise / weight;
		double gain = e->variance / (e->variance + seen);

		e->mean += gain * (e->pair->mean - e->mean);
		e->variance *= 1 - gain;
	}
	e->variance += noise;
	e->unseen_variance += noise;
}

static double
shift_variance(const DurationShift *shift)
{
	return shift->runs > 0 ? shift->variance + SHIFT_DRIFT : SHIFT_VARIANCE;
}

/*
 * Returns the seconds that a run is expected to take, given what the formula
 * says and what duration_expect() does.
 */
DurationEstimate
duration_estimate(const DurationRecords *r, const DurationFactors *expected, double formula_seconds)
{
	DurationDevice device = *r->device;
	Expectation e;
	double deviation;
	DurationEstimate estimate;

	if (device.number == 0)
		duration_device_fit(r->pool, &device);
	expect_run(r, &device, expected, &e);
	deviation =
		sqrt(e.variance + shift_variance(&device.shift) + shift_variance(&r->worker->shift)) *
		(1 + UNCERTAIN_RUNS / Max(1, device.shift.runs) / (1 + (e.pair ? e.pair->weight : 0)));
	estimate.p50 = formula_seconds * exp(e.mean + device.shift.level + r->worker->shift.level);
	estimate.p90 =
		estimate.p50 * exp((NORMAL_P90 + r->type->quantile) * Min(deviation, LARGEST_DEVIATION));
	return estimate;
}

/* Returns the seconds that a run is expected to take, given what the formula says. */
DurationEstimate
duration_predict(const DurationRecords *r, double formula_seconds)
{
	DurationFactors expected;

	duration_expect(r, &expected);
	return duration_estimate(r, &expected, formula_seconds);
}

/*
 * Returns the seconds that runs of the model usually take, given what the formula
 * says: the mean of the device profiles that it ran on, however often; of a
 * model that has not run, the mean of its type of work.  NAN: nothing is known.
 */
double
duration_usual(const DurationRecords *r, double formula_seconds)
{
	double weight = 0;
	double sum = 0;

	for (int i = 0; i < r->model->npairs; i++)
	{
		const DurationPair *pair = &r->model->pairs[i];
		const DurationDevice *device = numbered_device(r, pair->device);

		if (device == NULL)
			continue;
		weight += Min(1, pair->weight);
		sum += Min(1, pair->weight) * (pair->mean + device->shift.level);
	}
	if (weight > 0)
		return formula_seconds * exp(sum / weight);
	return r->type->runs > 0 ? formula_seconds * exp(r->type->level) : NAN;
}

/* Returns how much something so many standard deviations away counts, 0..1. */
static double
robust_weight(double surprise)
{
	double excess = fabs(surprise) / SURPRISE;

	return excess <= 1 ? 1 : Max(LEAST_WEIGHT, 1 / (excess * excess * excess * excess));
}

/*
 * Adds a surprise to the evidence (CUSUM) and returns whether that is enough.
 * Runs after a change agree with each other, outliers do not.
 */
static bool
gather_evidence(DurationShift *shift, double innovation, double deviation)
{
	double limited = Max(-EVIDENCE_MOST, Min(EVIDENCE_MOST, innovation / deviation));
	bool agrees = fabs(innovation - shift->last) <= AGREEMENT * deviation;

	shift->slower = Max(0, shift->slower + limited - EVIDENCE_SLACK);
	shift->faster = Max(0, shift->faster - limited - EVIDENCE_SLACK);
	shift->last = innovation;
	return agrees && (shift->slower > EVIDENCE_LIMIT || shift->faster > EVIDENCE_LIMIT);
}

/*
 * Finds out whether the device profile or the worker has changed, and makes it
 * ready to move if so.  Of a worker that is not the only one with such a
 * device it is the worker unless the others have given evidence, too: then the
 * device's evidence is complete before any worker's.
 */
static bool
notice_change(const DurationRecords *r, double innovation, double deviation)
{
	DurationShift *device = &r->device->shift;
	DurationShift *worker = &r->worker->shift;
	bool device_moved = gather_evidence(device, innovation, deviation);
	bool worker_moved =
		gather_evidence(worker, innovation, deviation) && worker->runs < device->runs;

	if (!device_moved && !worker_moved)
		return false;
	device->slower = device->faster = worker->slower = worker->faster = 0;
	if (worker_moved)
		worker->variance = Max(worker->variance, innovation * innovation);
	else if (device->runs < NEW_DEVICE_RUNS)
		duration_device_doubt(r->pool, r->device);
	else
		device->variance = Max(device->variance, innovation * innovation);
	return true;
}

/* Moves a shift (a Kalman filter of one number). */
static void
move_shift(DurationShift *shift, double innovation, double variance, double weight)
{
	double own = shift_variance(shift);
	double gain = weight * own / variance;

	shift->level += gain * innovation;
	shift->variance = own * (1 - gain);
	shift->runs++;
}

/*
 * Moves the P90 of a workload type so that one run in ten is above it.  It stays at least where
 * a normal distribution has it: what scatters little would pay for what scatters much.
 */
static void
learn_quantile(DurationType *type, double deviations)
{
	double step = Max(0.02, 1 / (10 + type->runs));
	bool above = deviations > NORMAL_P90 + type->quantile;

	type->quantile = Max(0, Min(4, type->quantile + step * (above ? 0.9 : -0.1)));
}

/*
 * Learns where the models of this family are, and how far each is from it: the
 * expected square of what this one has of its own, given all that is known of
 * its factors.
 */
static void
learn_family(const DurationRecords *r, const DurationFactors *family)
{
	double prior[TRIANGLE(DURATION_FACTORS)];
	DurationFactors known;

	r->family->runs++;
	know_factors(r, family, NULL, &known);
	memcpy(prior, family->covariance, sizeof(prior));
	for (int i = 0; i < DURATION_FACTORS; i++)
		AT(prior, i, i) += family_spread(r->family, r->model, i);
	matrix_factorize(DURATION_FACTORS, prior);
	for (int i = 0; i < DURATION_FACTORS; i++)
	{
		double spread = family_spread(r->family, r->model, i);
		double share[DURATION_FACTORS] = {0};
		double own = 0;
		double square;

		share[i] = spread;
		matrix_solve(DURATION_FACTORS, prior, share);
		for (int j = 0; j < DURATION_FACTORS; j++)
			own += share[j] * (known.mean[j] - family->mean[j]);
		square =
			own * own + Max(0, spread - spread * share[i] +
								   matrix_quadratic(DURATION_FACTORS, known.covariance, share));
		r->family->spread[i] += square - r->model->spread[i];
		r->model->spread[i] = square;
		r->family->center[i] +=
			(known.mean[i] - r->family->center[i]) / Min(r->family->runs, CENTER_MEMORY);
	}
}

/*
 * Lets the family remember a pair, in the place of an older one if there are too
 * many; of one model there are only some, so that one that runs on many devices
 * does not drive out the others.
 */
static void
remember(DurationFamily *family, const DurationModel *model, const DurationPair *pair)
{
	int place = -1;
	int own[DURATION_SAMPLES];
	int nown = 0;

	for (int i = 0; i < family->nsamples; i++)
		if (family->samples[i].model == model->number)
		{
			own[nown++] = i;
			if (family->samples[i].device == pair->device)
				place = i;
		}
	if (place < 0 && nown >= OWN_SAMPLES)
		place = own[(int64) pair->used % nown];
	else if (place < 0 && family->nsamples < DURATION_SAMPLES)
		place = (int) family->nsamples++;
	else if (place < 0)
	{
		place = (int) family->next;
		family->next = (place + 1) % DURATION_SAMPLES;
	}
	family->samples[place] =
		(DurationSample){model->number, model->size, pair->device, pair->weight, pair->mean};
}

/* Returns a new pair, in the place of the oldest if there are too many. */
static DurationPair *
add_pair(DurationModel *model, double device)
{
	DurationPair *pair = &model->pairs[0];

	if (model->npairs < DURATION_PAIRS)
		pair = &model->pairs[(int) model->npairs++];
	else
		for (int i = 1; i < DURATION_PAIRS; i++)
			if (model->pairs[i].used < pair->used)
				pair = &model->pairs[i];
	*pair = (DurationPair){.device = device};
	return pair;
}

/*
 * Learns what a model took on a device profile; value is without the shifts,
 * deviation what it may be off.  Sets how much the run counts.
 */
static DurationPair *
learn_pair(const DurationRecords *r, DurationPair *pair, double value, double deviation,
		   double surprise, double *weight)
{
	if (pair == NULL)
		pair = add_pair(r->model, r->device->number);
	else if (fabs(surprise) <= SURPRISE)
		pair->streak = 0;
	else
	{
		bool agrees = pair->streak > 0 && fabs(value - pair->last) <= AGREEMENT * deviation;

		pair->streak = agrees ? pair->streak + 1 : 1;
		pair->last = value;
	}
	if (pair->streak >= STREAK)
	{
		/* Counts as two, as it was not seen just once. */
		*weight = 1;
		pair->weight = 1;
		pair->mean = value;
		pair->streak = 0;
	}
	else if (pair->weight >= 1)
	{
		double difference = value - pair->mean;

		r->type->noise += *weight * difference * difference / (1 + 1 / pair->weight) -
						  r->type->noise / NOISE_MEMORY;
		r->type->noise_weight += *weight - r->type->noise_weight / NOISE_MEMORY;
	}
	pair->weight = Min(pair->weight + *weight, PAIR_MEMORY);
	pair->mean += *weight / pair->weight * (value - pair->mean);
	pair->used = r->pool->runs;
	return pair;
}

/* Lets a device profile learn from what a model took on it. */
static void
learn_loadings(const DurationRecords *r, DurationDevice *device, const Expectation *e, double value,
			   double weight, bool again)
{
	double unsure = matrix_quadratic(DURATION_FACTORS, e->factors.covariance, device->loadings + 1);

	duration_device_observe(r->pool, device, e->factors.mean, value,
							weight / (1 + unsure / device->noise), again);
}

/*
 * Looks again at one of a model's pairs, as its factors are known better by
 * now.  One that was run just once may turn out to be an outlier, or not to
 * be one.
 */
static void
look_again(const DurationRecords *r, const DurationFactors *family, DurationPair *pair)
{
	DurationDevice *device = numbered_device(r, pair->device);
	Expectation e;
	double weight;

	if (device == NULL)
		return;
	expect_run(r, device, family, &e);
	weight = robust_weight((pair->mean - e.unseen_mean) / sqrt(e.unseen_variance));
	if (pair->weight <= 1)
	{
		pair->weight = weight;
		remember(r->family, r->model, pair);
	}
	learn_loadings(r, device, &e, pair->mean, weight * Min(1, pair->weight), true);
}

/*
 * Learns from a run that completed.  What took no time or for ever is not
 * believed.
 */
void
duration_learn(const DurationRecords *r, double formula_seconds, double actual_seconds)
{
	double value = log(actual_seconds / formula_seconds);
	bool first = r->device->number == 0 || r->family->models == 0;
	DurationFactors family;
	Expectation e;
	double innovation;
	double variance;
	double deviation;
	double surprise;
	double weight;
	DurationPair *pair;

	if (!isfinite(value))
		return;
	r->pool->runs++;
	r->type->runs++;
	r->type->level += (value - r->type->level) / r->type->runs;
	if (r->device->number == 0)
		duration_device_enter(r->pool, r->device);
	if (r->model->number == 0)
	{
		r->model->number = r->family->models + 1;
		r->model->size = r->size;
	}
	duration_expect(r, &family);
	expect_run(r, r->device, &family, &e);
	innovation = value - e.mean - r->device->shift.level - r->worker->shift.level;
	variance = e.variance + shift_variance(&r->device->shift) + shift_variance(&r->worker->shift);
	learn_quantile(r->type, innovation / sqrt(variance));
	/* Where runs scatter more than they should they surprise less. */
	deviation = sqrt(variance) * Max(1, 1 + r->type->quantile / NORMAL_P90);
	surprise = innovation / deviation;
	if (notice_change(r, innovation, deviation))
	{
		variance =
			e.variance + shift_variance(&r->device->shift) + shift_variance(&r->worker->shift);
		surprise = 0;
	}
	weight = first ? 1 : robust_weight(surprise);
	move_shift(&r->device->shift, innovation, variance, weight);
	move_shift(&r->worker->shift, innovation, variance, weight);
	value -= r->device->shift.level + r->worker->shift.level;

	pair = learn_pair(r, e.pair, value, deviation, surprise, &weight);
	/* What a pair repeats says ever less about others. */
	learn_loadings(r, r->device, &e, value, weight / Max(1, pair->weight), false);
	learn_family(r, &family);
	r->family->models = Max(r->family->models, r->model->number);
	remember(r->family, r->model, pair);
	for (int i = 0; i < 2; i++)
		look_again(r, &family,
				   &r->model->pairs[((int64) r->pool->runs + 7 * i) % (int64) r->model->npairs]);
}

/*
 * Splits the name of a model: writes the name of its family, which is that of
 * the model with its last number replaced, and returns log2 of that number:
 * "ResNet-50 (batch size 32)" is 5 in "ResNet-50 (batch size #)".  NAN where
 * there is no number.
 */
double
duration_family(const char *model_id, char *family, Size family_size)
{
	Size length = strlen(model_id);
	Size end = length;
	Size start;
	Size n = 0;
	double number;

	while (end > 0 && (model_id[end - 1] < '0' || model_id[end - 1] > '9'))
		end--;
	start = end;
	while (start > 0 && model_id[start - 1] >= '0' && model_id[start - 1] <= '9')
		start--;
	/* a fraction */
	if (start > 1 && model_id[start - 1] == '.' && model_id[start - 2] >= '0' &&
		model_id[start - 2] <= '9')
		for (start--; start > 0 && model_id[start - 1] >= '0' && model_id[start - 1] <= '9';)
			start--;
	for (Size i = 0; i < length && n + 1 < family_size; i++)
	{
		if (i == start && end > start)
		{
			family[n++] = '#';
			i = end - 1;
		}
		else
			family[n++] = model_id[i];
	}
	if (family_size > 0)
		family[n] = '\0';
	number = end > start ? strtod(model_id + start, NULL) : 0;
	return number > 0 && isfinite(number) ? log2(number) : NAN;
}
