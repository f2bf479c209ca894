/*
 * sketch_test.c
 *		Sketches: quantiles close to those of the numbers themselves, whatever
 *		the order and however they are merged, in bounded memory.
 */
#include "support/ddsketch.h"
#include "tap.h"

#define NUMBERS 5000

static double numbers[NUMBERS];

static int
compare(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Returns the number that a share q of all is not above. */
static double
true_quantile(double q)
{
	int rank = (int) ceil(q * NUMBERS);

	return numbers[rank > 0 ? rank - 1 : 0];
}

/* Returns the greatest relative error of the quantiles from q on. */
static double
worst_error(const Sketch *sketch, double from)
{
	double worst = 0;

	for (double q = from; q <= 1; q += 0.01)
		worst = Max(worst, fabs(sketch_quantile(sketch, q) / true_quantile(q) - 1));
	return worst;
}

static int64
total(const Sketch *sketch)
{
	int64 sum = 0;

	for (int i = 0; i < sketch->n; i++)
		sum += sketch->counts[i];
	return sum;
}

static void
test_accuracy(void)
{
	static const double spreads[] = {0, 0.3, 1, 2};

	for (int s = 0; s < (int) lengthof(spreads); s++)
	{
		Sketch sketch = {0};
		Sketch parts[3] = {{0}};
		Sketch merged = {0};

		for (int i = 0; i < NUMBERS; i++)
		{
			numbers[i] =
				60 * exp(spreads[s] * (random_unit() + random_unit() + random_unit() - 1.5));
			sketch_add(&sketch, numbers[i]);
			sketch_add(&parts[i % 3], numbers[i]);
		}
		for (int p = 2; p >= 0; p--)
			sketch_merge(&merged, &parts[p]);
		qsort(numbers, NUMBERS, sizeof(double), compare);
		ok(worst_error(&sketch, 0) <= SKETCH_ACCURACY,
		   "quantiles are within the accuracy, spread %g", spreads[s]);
		ok(sketch.first == merged.first && sketch.n == merged.n &&
			   memcmp(sketch.counts, merged.counts, sizeof(int64) * sketch.n) == 0,
		   "merged from parts it is the same");
		ok(sketch_is_sane(&sketch) && total(&sketch) == NUMBERS, "and counts each once");
	}
}

static void
test_extremes(void)
{
	static const double strange[] = {0, -1, -INFINITY, INFINITY, 1e300, 1e-300};
	Sketch sketch = {0};
	Sketch empty = {0};

	ok(isnan(sketch_quantile(&empty, 0.5)) && sketch_is_sane(&empty),
	   "there is no quantile of nothing");
	sketch_add(&sketch, NAN);
	is_int(sketch.n, 0, "what is no number is not counted");
	for (int i = 0; i < (int) lengthof(strange); i++)
		sketch_add(&sketch, strange[i]);
	ok(sketch_is_sane(&sketch) && total(&sketch) == (int64) lengthof(strange),
	   "the strangest numbers are counted");
	is_near(sketch_quantile(&sketch, 1), 1e9, 3e7, "what is greatest is kept apart");

	/* more than it has room for: the least are put together, in any order */
	for (int way = 0; way < 2; way++)
	{
		Sketch wide = {0};

		for (int i = 0; i < NUMBERS; i++)
		{
			numbers[i] = exp(18.0 * (way == 0 ? i : NUMBERS - 1 - i) / NUMBERS);
			sketch_add(&wide, numbers[i]);
		}
		qsort(numbers, NUMBERS, sizeof(double), compare);
		ok(sketch_is_sane(&wide) && wide.n <= SKETCH_BUCKETS && total(&wide) == NUMBERS,
		   "a wide range takes no more room");
		ok(worst_error(&wide, 0.5) <= SKETCH_ACCURACY, "and its upper half is as accurate");
	}
}

static void
test_sanity(void)
{
	Sketch sketch = {.first = 1, .n = 2, .counts = {1, 2}};

	ok(sketch_is_sane(&sketch), "a sketch is one");
	sketch.counts[1] = -1;
	ok(!sketch_is_sane(&sketch), "one that counts less than nothing is not");
	sketch.counts[1] = INT64_MAX;
	ok(!sketch_is_sane(&sketch), "nor one that would overflow");
	sketch = (Sketch){.first = 1, .n = 1, .counts = {(int64) 1 << 54}};
	sketch_merge(&sketch, &sketch);
	sketch_add(&sketch, 1);
	ok(sketch_is_sane(&sketch), "one that has counted all it can stays one");
	sketch = (Sketch){.first = INT32_MAX, .n = 2};
	ok(!sketch_is_sane(&sketch), "nor one of buckets that no number is in");
	sketch = (Sketch){.n = SKETCH_BUCKETS + 1};
	ok(!sketch_is_sane(&sketch), "nor one that is too long");
}

int
main(void)
{
	test_accuracy();
	test_extremes();
	test_sanity();
	return done_testing();
}
