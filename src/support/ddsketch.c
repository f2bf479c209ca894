/*
 * ddsketch.c
 *		Quantiles of many numbers in little memory: counts in buckets whose
 *		limits grow by a constant factor (Masson, Rim and Lee, "DDSketch", VLDB
 *		2019).  Two sketches are merged by adding their counts, whatever the order.
 */
#include "support/ddsketch.h"

#define GROWTH ((1 + SKETCH_ACCURACY) / (1 - SKETCH_ACCURACY))

/* What is less, also below 0, counts as this; and no number is above its reciprocal. */
#define LEAST_NUMBER 1e-9

/* No count comes near this by counting, and the sum of all does not overflow. */
#define MOST_COUNT ((int64) 1 << 54)

/* Returns the bucket of a number: that of all up to GROWTH to its power. */
static int32
bucket_of(double value)
{
	double limited = value > LEAST_NUMBER ? Min(value, 1 / LEAST_NUMBER) : LEAST_NUMBER;

	return (int32) ceil(log(limited) / log(GROWTH));
}

/* Adds to a count, which stays one that is sane. */
static void
add(int64 *count, int64 times)
{
	*count = Min(*count + times, MOST_COUNT);
}

/* Adds so many to a bucket, and puts together the least if there are too many. */
static void
count(Sketch *sketch, int32 bucket, int64 times)
{
	int32 last = sketch->n == 0 ? bucket : Max(bucket, sketch->first + sketch->n - 1);
	int32 first = sketch->n == 0 ? bucket : Min(bucket, sketch->first);
	int64 counts[SKETCH_BUCKETS] = {0};

	first = Max(first, last - SKETCH_BUCKETS + 1);
	if (sketch->n > 0 && first == sketch->first && last == sketch->first + sketch->n - 1)
	{
		add(&sketch->counts[Max(bucket, first) - first], times);
		return;
	}
	for (int32 i = 0; i < sketch->n; i++)
		add(&counts[Max(sketch->first + i, first) - first], sketch->counts[i]);
	add(&counts[Max(bucket, first) - first], times);
	sketch->first = first;
	sketch->n = last - first + 1;
	memcpy(sketch->counts, counts, sizeof(int64) * sketch->n);
}

/* Adds a number; NAN is none. */
void
sketch_add(Sketch *sketch, double value)
{
	if (!isnan(value))
		count(sketch, bucket_of(value), 1);
}

/* Adds all that another sketch has seen. */
void
sketch_merge(Sketch *sketch, const Sketch *other)
{
	for (int32 i = 0; i < other->n; i++)
		if (other->counts[i] > 0)
			count(sketch, other->first + i, other->counts[i]);
}

/*
 * Returns the number that a share q (0..1) of all numbers is not above, to
 * SKETCH_ACCURACY of it; NAN where there is none.
 */
double
sketch_quantile(const Sketch *sketch, double q)
{
	double total = 0;
	double rank;
	double passed = 0;

	for (int32 i = 0; i < sketch->n; i++)
		total += sketch->counts[i];
	if (!(total > 0))
		return NAN;
	rank = Max(0, Min(q, 1)) * total;
	for (int32 i = 0; i < sketch->n; i++)
	{
		passed += sketch->counts[i];
		/* the middle of a bucket, as far from both its limits */
		if (passed > 0 && passed >= rank)
			return 2 * pow(GROWTH, sketch->first + i) / (GROWTH + 1);
	}
	Assert(false);
	return NAN;
}

/* Returns whether a sketch that comes from elsewhere is one. */
bool
sketch_is_sane(const Sketch *sketch)
{
	int32 most = bucket_of(INFINITY);

	if (sketch->n < 0 || sketch->n > SKETCH_BUCKETS)
		return false;
	if (sketch->n > 0 && (sketch->first < -most || sketch->first > most - sketch->n + 1))
		return false;
	for (int32 i = 0; i < sketch->n; i++)
		if (sketch->counts[i] < 0 || sketch->counts[i] > MOST_COUNT)
			return false;
	return true;
}
