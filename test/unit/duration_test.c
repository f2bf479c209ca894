/*
 * duration_test.c
 *		The learned duration: that it starts with the formula, generalises to
 *		pairs never seen, follows changes, and is not led astray by outliers.
 *
 * The worlds are made up: models and devices with two factors, so that what is
 * right is known.  How well it does on measured ones is bench/accuracy's.
 */
#include "model/duration.h"
#include "tap.h"

#define DEVICES 40
#define MODELS 160
#define FORMULA 60.0

static DurationPool pool;
static DurationType type;
static DurationFamily families[MODELS];
static DurationModel models[MODELS];
static DurationDevice devices[DEVICES];
static DurationWorker workers[DEVICES + 1];
static DurationDevice *numbered[2 * DEVICES];

/* what is true */
static double model_factor[MODELS][2];
static double device_loading[DEVICES][3];

static double
random_normal(void)
{
	return sqrt(-2 * log(1 - random_unit())) * cos(6.283185307179586 * random_unit());
}

static void
new_world(void)
{
	memset(&pool, 0, sizeof(pool));
	memset(&type, 0, sizeof(type));
	memset(families, 0, sizeof(families));
	memset(models, 0, sizeof(models));
	memset(devices, 0, sizeof(devices));
	memset(workers, 0, sizeof(workers));
	memset(numbered, 0, sizeof(numbered));
	for (int m = 0; m < MODELS; m++)
		for (int i = 0; i < 2; i++)
			model_factor[m][i] = 0.3 * random_normal();
	for (int d = 0; d < DEVICES; d++)
	{
		device_loading[d][0] = 0.7 * random_normal();
		device_loading[d][1] = 1 + 0.2 * random_normal();
		device_loading[d][2] = 0.5 * random_normal();
	}
}

static double
true_seconds(int m, int d)
{
	return FORMULA * exp(device_loading[d][0] + device_loading[d][1] * model_factor[m][0] +
						 device_loading[d][2] * model_factor[m][1]);
}

static DurationRecords
records_of(int family, int m, int d, int worker)
{
	DurationRecords r = {&pool,
						 &type,
						 &families[family],
						 &models[m],
						 &devices[d],
						 &workers[worker],
						 numbered,
						 (int) pool.numbers,
						 NAN};

	return r;
}

static void
run_on(int family, int m, int d, int worker, double seconds)
{
	DurationRecords r = records_of(family, m, d, worker);

	duration_learn(&r, FORMULA, seconds);
	if (devices[d].number > 0)
		numbered[(int) devices[d].number - 1] = &devices[d];
}

static void
run(int m, int d, double seconds)
{
	run_on(0, m, d, d, seconds);
}

static DurationEstimate
estimate(int m, int d)
{
	DurationRecords r = records_of(0, m, d, d);

	return duration_predict(&r, FORMULA);
}

/* Returns how far an estimate is from the truth, as a logarithm. */
static double
error_of(int m, int d, double truth)
{
	return fabs(log(estimate(m, d).p50 / truth));
}

static void
test_nothing_known(void)
{
	DurationEstimate e;
	DurationPool before;

	new_world();
	e = estimate(0, 0);
	is_exactly(e.p50, FORMULA, "nothing known: the formula");
	ok(e.p90 > FORMULA && e.p90 <= 4 * FORMULA, "and a P90 of the same order");
	before = pool;
	run(0, 0, 0);
	run(0, 0, -1);
	run(0, 0, NAN);
	run(0, 0, INFINITY);
	ok(memcmp(&before, &pool, sizeof(pool)) == 0 && devices[0].number == 0 && models[0].number == 0,
	   "no time, less, and for ever teach nothing");
	is_exactly(estimate(0, 0).p50, FORMULA, "so it is still the formula");
}

static void
test_repetition(void)
{
	int above = 0;
	int below = 0;

	new_world();
	run(0, 0, 120);
	is_near(estimate(0, 0).p50, 120, 6, "one run is believed");
	for (int i = 0; i < 400; i++)
	{
		double seconds = 120 * exp(0.2 * random_normal());

		if (i >= 100)
		{
			above += seconds > estimate(0, 0).p90;
			below += seconds < estimate(0, 0).p50;
		}
		run(0, 0, seconds);
	}
	is_near(estimate(0, 0).p50, 120, 120 * 0.2, "many are averaged");
	ok(above >= 15 && above <= 48, "one in ten is above the P90 (%d of 300)", above);
	ok(below >= 110 && below <= 190, "and half below the P50 (%d of 300)", below);
	is_near(log(estimate(0, 0).p90 / estimate(0, 0).p50), 1.28 * 0.2, 0.1,
			"the P90 is as wide as the runs scatter");
}

/* Returns the median error on pairs of a new device, after so many runs on it. */
static double
new_device_error(int known_devices, int runs, double outliers)
{
	int d = known_devices;
	int within = 0;
	double middle = 0;

	new_world();
	for (int i = 0; i < MODELS * known_devices; i++)
	{
		/* all pairs, in an order that jumps about */
		int pair = (int) (i * 7919L % (MODELS * known_devices));
		double outlier = random_unit() < outliers ? (random_below(2) ? 10 : 0.1) : 1;

		run(pair / known_devices, pair % known_devices,
			true_seconds(pair / known_devices, pair % known_devices) * exp(0.01 * random_normal()) *
				outlier);
	}
	for (int i = 0; i < runs; i++)
		run(i, d, true_seconds(i, d) * exp(0.01 * random_normal()));
	/* the error that half of them are within */
	for (middle = 0.002; within * 2 < MODELS - runs; middle *= 1.1)
	{
		within = 0;
		for (int m = runs; m < MODELS; m++)
			within += error_of(m, d, true_seconds(m, d)) < middle;
	}
	return middle;
}

static void
test_new_device(void)
{
	double none = 0;
	double ten = 0;
	double dirty = 0;

	for (int i = 0; i < 2; i++)
	{
		none += new_device_error(10, 0, 0) / 2;
		ten += new_device_error(10, 10, 0) / 2;
		dirty += new_device_error(10, 10, 0.05) / 2;
	}
	if (!ok(ten < 0.08, "ten runs are enough to know a new device"))
		diag("median error %g", ten);
	if (!ok(ten < 0.3 * none, "without them it is not known"))
		diag("median error %g instead of %g", ten, none);
	if (!ok(dirty < 0.08 && dirty < ten + 0.03, "outliers of a factor of ten change little"))
		diag("median error %g instead of %g", dirty, ten);
}

static void
test_new_model(void)
{
	double alone = 0;
	double plain = 0;

	new_world();
	for (int i = 0; i < 120 * 8; i++)
		run(i * 7 % 120, i * 7 / 120 % 8, true_seconds(i * 7 % 120, i * 7 / 120 % 8));
	for (int m = 120; m < MODELS; m++)
	{
		for (int d = 0; d < 8; d++)
			plain += error_of(m, d, true_seconds(m, d));
		for (int d = 0; d < 3; d++)
			run(m, d, true_seconds(m, d));
		for (int d = 3; d < 8; d++)
			alone += error_of(m, d, true_seconds(m, d)) / 5 * 8;
	}
	if (!ok(alone < 0.3 * plain, "a model that ran on three devices is known on the others"))
		diag("%g instead of %g", alone / 400, plain / 400);
}

/* Names with sizes: what is between two sizes is between their durations. */
static void
test_sizes(void)
{
	char family[64];
	DurationRecords r;

	is_near(duration_family("ResNet-50 (batch size 32)", family, sizeof(family)), 5, 0,
			"a batch size in a name");
	ok(strcmp(family, "ResNet-50 (batch size #)") == 0, "and the family that is left: %s", family);
	is_near(duration_family("llama-1.5b", family, sizeof(family)), log2(1.5), 1e-15, "a fraction");
	ok(strcmp(family, "llama-#b") == 0, "with its family: %s", family);
	is_near(duration_family("v1..25", family, sizeof(family)), log2(25), 0,
			"two dots are not a fraction");
	is_near(duration_family("A3C", family, sizeof(family)), log2(3), 1e-15,
			"any digit is a number");
	ok(isnan(duration_family("CycleGAN", family, sizeof(family))) &&
		   strcmp(family, "CycleGAN") == 0,
	   "a name without a number is a family of its own");
	ok(isnan(duration_family("x0", family, sizeof(family))), "nought has no logarithm");
	ok(isnan(duration_family("", family, sizeof(family))) && family[0] == '\0', "no name");
	duration_family("abcdefgh 12 ijkl", family, 6);
	ok(strcmp(family, "abcde") == 0, "a long name is cut: %s", family);
	is_near(duration_family("size 8", NULL, 0), 3, 0, "the family need not be asked for");

	new_world();
	for (int size = 0; size < 10; size++)
		for (int d = 0; d < 2; d++)
			if (size != 5)
			{
				r = records_of(0, size, d, d);
				r.size = size;
				duration_learn(&r, FORMULA, 10 * exp(0.6 * size) * (1 + d));
				numbered[(int) devices[d].number - 1] = &devices[d];
			}
	r = records_of(0, 5, 1, 1);
	r.size = 5;
	is_near(log(duration_predict(&r, FORMULA).p50), log(20 * exp(3.0)), 0.1,
			"a size never seen is between its neighbours");
}

static void
test_change(void)
{
	static const double factors[] = {3, 1.5, 1.2, 0.8, 0.5, 0.2};

	for (size_t f = 0; f < lengthof(factors); f++)
	{
		double error = 0;
		double others = 0;

		new_world();
		for (int i = 0; i < 800; i++)
		{
			int m = random_below(30);
			int d = random_below(5);

			run(m, d, true_seconds(m, d) * exp(0.05 * random_normal()));
		}
		for (int i = 0; i < 20; i++)
		{
			int m = random_below(30);

			run(m, 0, factors[f] * true_seconds(m, 0) * exp(0.05 * random_normal()));
		}
		for (int m = 0; m < 30; m++)
		{
			error += error_of(m, 0, factors[f] * true_seconds(m, 0)) / 30;
			others += error_of(m, 1, true_seconds(m, 1)) / 30;
		}
		if (!ok(error < 0.08, "a device that takes %g times as long is followed in 20 runs",
				factors[f]))
			diag("mean error %g", error);
		if (!ok(others < 0.05, "the other devices are as they were"))
			diag("mean error %g", others);
	}
}

/* One of three workers with the same device profile gets another driver. */
static void
test_worker_change(void)
{
	DurationRecords r;
	double changed = 0;
	double same = 0;

	new_world();
	for (int i = 0; i < 600; i++)
		run_on(0, i % 20, 0, random_below(3),
			   true_seconds(i % 20, 0) * exp(0.05 * random_normal()));
	for (int i = 0; i < 60; i++)
	{
		int m = random_below(20);
		int w = i % 3;

		run_on(0, m, 0, w, (w == 1 ? 1.6 : 1) * true_seconds(m, 0) * exp(0.05 * random_normal()));
	}
	for (int m = 0; m < 20; m++)
	{
		r = records_of(0, m, 0, 1);
		changed += fabs(log(duration_predict(&r, FORMULA).p50 / true_seconds(m, 0) / 1.6)) / 20;
		r = records_of(0, m, 0, 2);
		same += fabs(log(duration_predict(&r, FORMULA).p50 / true_seconds(m, 0))) / 20;
	}
	if (!ok(changed < 0.08, "a worker that changes is followed"))
		diag("mean error %g", changed);
	if (!ok(same < 0.08, "the others with such devices are not dragged along"))
		diag("mean error %g", same);
}

/* What runs usually take: of a model on all its devices alike, else of its type. */
static void
test_usual(void)
{
	DurationRecords r = records_of(0, 0, 0, 0);

	new_world();
	r.ndevices = 2;
	ok(isnan(duration_usual(&r, FORMULA)), "usual: nothing is known");
	for (int i = 0; i < 30; i++)
		run(0, 0, FORMULA / 4 * exp(0.01 * random_normal()));
	is_near(log(duration_usual(&r, FORMULA) / FORMULA), log(0.25), 0.05,
			"usual: what the model took");
	for (int i = 0; i < 3; i++)
		run(0, 1, FORMULA * 4 * exp(0.01 * random_normal()));
	is_near(log(duration_usual(&r, FORMULA) / FORMULA), 0, 0.05,
			"usual: each device profile counts once");
	r = records_of(0, 1, 0, 0);
	is_near(log(duration_usual(&r, FORMULA) / FORMULA), (30 * log(0.25) + 3 * log(4)) / 33, 0.05,
			"usual: of a new model, as of its type");
}

/* Only one model becomes faster on one device. */
static void
test_pair_change(void)
{
	new_world();
	for (int i = 0; i < 600; i++)
		run(i % 20, i / 20 % 5, true_seconds(i % 20, i / 20 % 5) * exp(0.05 * random_normal()));
	for (int i = 0; i < 100; i++)
	{
		int m = i % 5 == 0 ? 3 : 4 + random_below(16);

		run(m, 0, (m == 3 ? 0.5 : 1) * true_seconds(m, 0) * exp(0.05 * random_normal()));
	}
	is_near(log(estimate(3, 0).p50 / true_seconds(3, 0)), log(0.5), 0.1,
			"a model that changes on a device is followed in 20 runs");
	is_near(log(estimate(5, 0).p50 / true_seconds(5, 0)), 0, 0.1,
			"the others there are as they were");
	is_near(log(estimate(3, 1).p50 / true_seconds(3, 1)), 0, 0.15, "and so is it elsewhere");
}

/* Each outlier at a time when all is known, and what it leaves behind. */
static void
test_outliers(void)
{
	double worst = 0;

	new_world();
	for (int i = 0; i < 600; i++)
		run(i % 20, i / 20 % 5, true_seconds(i % 20, i / 20 % 5) * exp(0.03 * random_normal()));
	for (int i = 0; i < 2000; i++)
	{
		int m = random_below(20);
		int d = random_below(5);
		double outlier = random_unit() < 0.05 ? exp(random_between(-8, 8)) : 1;

		run(m, d, true_seconds(m, d) * exp(0.03 * random_normal()) * outlier);
		if (i % 20 == 0)
			for (m = 0; m < 20; m++)
				worst = fmax(worst, error_of(m, i / 20 % 5, true_seconds(m, i / 20 % 5)));
	}
	if (!ok(worst < 0.2, "outliers among the runs never lead astray"))
		diag("worst error %g", worst);
}

/* More devices than a model remembers, some of which are gone; absurd numbers. */
static void
test_limits(void)
{
	bool finite = true;

	new_world();
	for (int round = 0; round < 3; round++)
		for (int d = 0; d < DEVICES; d++)
			for (int m = 0; m < 3; m++)
				run(m, d, true_seconds(m, d));
	is_int((long) models[0].npairs, DURATION_PAIRS, "a model remembers so many devices");
	is_int((long) families[0].nsamples, 3 * 6, "a family so many runs of one model");
	is_near(log(estimate(0, DEVICES - 1).p50 / true_seconds(0, DEVICES - 1)), 0, 0.05,
			"the last of them");
	numbered[3] = NULL;
	finite = finite && isfinite(estimate(0, 5).p50);
	for (int i = 0; i < 20000; i++)
	{
		int m = random_below(MODELS);
		int d = random_below(DEVICES);
		DurationEstimate e;

		run_on(0, m, d, random_below(DEVICES), FORMULA * exp(random_between(-40, 40)));
		e = estimate(m, d);
		finite = finite && isfinite(e.p50) && isfinite(e.p90) && e.p50 > 0 && e.p90 >= e.p50;
	}
	ok(finite, "whatever is learned, estimates are numbers");
	for (int i = 0; i < 4000; i++)
		run(i % 3, 0, 77);
	is_near(log(estimate(0, 0).p50 / 77), 0, 0.7, "and it comes back from nonsense");
}

static void
test_matrix(void)
{
	double worst = 0;

	for (int round = 0; round < 200; round++)
	{
		int n = 1 + random_below(24);
		double a[TRIANGLE(24)];
		double factor[TRIANGLE(24)];
		double inverse[TRIANGLE(24)];
		double x[24];
		double y[24];

		for (int i = 0; i < n; i++)
		{
			x[i] = y[i] = random_between(-1, 1);
			for (int j = 0; j <= i; j++)
				AT(a, i, j) = i == j ? n : random_between(-1, 1);
		}
		memcpy(factor, a, sizeof(a));
		matrix_factorize(n, factor);
		matrix_solve(n, factor, y);
		matrix_invert(n, factor, inverse);
		for (int i = 0; i < n; i++)
		{
			double product = -x[i];
			double solved = -y[i];

			for (int j = 0; j < n; j++)
			{
				product += AT(a, i, j) * y[j];
				solved += AT(inverse, i, j) * x[j];
			}
			worst = fmax(worst, fmax(fabs(product), fabs(solved)));
		}
		matrix_forward(n, factor, x);
		{
			double square = 0;

			for (int i = 0; i < n; i++)
				square += x[i] * x[i];
			worst = fmax(worst, fabs(square - matrix_quadratic(n, a, y)));
		}
	}
	ok(worst < 1e-12, "systems are solved");
}

int
main(void)
{
	test_matrix();
	test_nothing_known();
	test_repetition();
	test_new_device();
	test_new_model();
	test_sizes();
	test_change();
	test_worker_change();
	test_usual();
	test_pair_change();
	test_outliers();
	test_limits();
	return done_testing();
}
