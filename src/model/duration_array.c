/*
 * duration_array.c
 *		The records of model/duration.h as arrays of numbers, as tables keep them: how
 *		long they are, and what is wrong with one that comes from elsewhere.
 */
#include "model/duration_array.h"

#include <float.h>

/*
 * No pool has more device profiles: what finds them by their numbers takes memory by the
 * greatest.
 */
#define MOST_DEVICES 1e6

#define NUMBERS(type) ((int) (sizeof(type) / sizeof(double)))

/* Returns how many numbers a whole record has. */
int
duration_record_size(DurationKind kind)
{
	static const int sizes[] = {
		[DURATION_POOL] = NUMBERS(DurationPool),	 [DURATION_TYPE] = NUMBERS(DurationType),
		[DURATION_FAMILY] = NUMBERS(DurationFamily), [DURATION_MODEL] = NUMBERS(DurationModel),
		[DURATION_DEVICE] = NUMBERS(DurationDevice), [DURATION_WORKER] = NUMBERS(DurationWorker),
	};

	return sizes[kind];
}

/* Returns how many of them are in use: of the others nothing is to be kept. */
int
duration_record_used(DurationKind kind, const double *record)
{
	if (kind == DURATION_FAMILY)
		return (int) (offsetof(DurationFamily, samples) / sizeof(double)) +
			   (int) ((const DurationFamily *) record)->nsamples * NUMBERS(DurationSample);
	if (kind == DURATION_MODEL)
		return (int) (offsetof(DurationModel, pairs) / sizeof(double)) +
			   (int) ((const DurationModel *) record)->npairs * NUMBERS(DurationPair);
	return duration_record_size(kind);
}

/*
 * What some numbers of a record may be, where that is less than any number.  Logarithms of
 * durations beyond e^1000 are taken for mistakes, as are sums and counts beyond MOST.
 */
typedef struct Range
{
	int first;
	int count;
	double least;
	double most;
	bool whole;
	bool optional; /* NAN where there is none */
} Range;

#define MOST 1e15
#define MOST_LOG 1000.0

#define NUMBER_OF(type, member) ((int) (offsetof(type, member) / sizeof(double)))
#define BETWEEN(type, member, low, high) \
	.first = NUMBER_OF(type, member), .count = 1, .least = low, .most = high
#define COUNT(type, member, most) \
	{ \
		BETWEEN(type, member, 0, most), .whole = true \
	}
#define NUMBER(type, member) \
	{ \
		BETWEEN(type, member, 1, MOST_DEVICES), .whole = true \
	}
#define WEIGHT(type, member) \
	{ \
		BETWEEN(type, member, 0, MOST) \
	}
#define SOME_WEIGHT(type, member) \
	{ \
		BETWEEN(type, member, DBL_MIN, MOST) \
	}
#define LOGARITHM(type, member) \
	{ \
		BETWEEN(type, member, -MOST_LOG, MOST_LOG) \
	}
#define SIZE(type, member) \
	{ \
		BETWEEN(type, member, -MOST, MOST), .optional = true \
	}
#define SHIFT(type) \
	COUNT(type, shift.runs, MOST), LOGARITHM(type, shift.level), WEIGHT(type, shift.variance), \
		WEIGHT(type, shift.slower), WEIGHT(type, shift.faster), LOGARITHM(type, shift.last)
#define RANGES(array) array, lengthof(array)

static const Range pool_ranges[] = {COUNT(DurationPool, runs, MOST),
									COUNT(DurationPool, numbers, MOST_DEVICES),
									COUNT(DurationPool, devices, MOST)};
static const Range type_ranges[] = {COUNT(DurationType, runs, MOST), LOGARITHM(DurationType, level),
									WEIGHT(DurationType, noise), WEIGHT(DurationType, noise_weight),
									LOGARITHM(DurationType, quantile)};
static const Range family_ranges[] = {COUNT(DurationFamily, models, MOST),
									  COUNT(DurationFamily, runs, MOST),
									  {.first = NUMBER_OF(DurationFamily, center),
									   .count = DURATION_FACTORS,
									   .least = -MOST_LOG,
									   .most = MOST_LOG},
									  COUNT(DurationFamily, next, DURATION_SAMPLES - 1),
									  COUNT(DurationFamily, nsamples, DURATION_SAMPLES)};
static const Range sample_ranges[] = {
	COUNT(DurationSample, model, MOST), SIZE(DurationSample, size), NUMBER(DurationSample, device),
	SOME_WEIGHT(DurationSample, weight), LOGARITHM(DurationSample, mean)};
static const Range model_ranges[] = {COUNT(DurationModel, number, MOST), SIZE(DurationModel, size),
									 COUNT(DurationModel, npairs, DURATION_PAIRS)};
static const Range pair_ranges[] = {
	NUMBER(DurationPair, device),  SOME_WEIGHT(DurationPair, weight),
	LOGARITHM(DurationPair, mean), COUNT(DurationPair, streak, MOST),
	LOGARITHM(DurationPair, last), COUNT(DurationPair, used, MOST)};
static const Range device_ranges[] = {
	COUNT(DurationDevice, number, MOST_DEVICES), WEIGHT(DurationDevice, weight),
	WEIGHT(DurationDevice, square), WEIGHT(DurationDevice, noise), SHIFT(DurationDevice)};
static const Range worker_ranges[] = {SHIFT(DurationWorker)};

/* The layout of a record: what comes once, and what is repeated behind it. */
static const struct
{
	const Range *ranges;
	int nranges;
	int size; /* of the part that comes once */
	const Range *repeated;
	int nrepeated;
	int stride;
} layouts[] = {
	[DURATION_POOL] = {RANGES(pool_ranges), .size = NUMBERS(DurationPool)},
	[DURATION_TYPE] = {RANGES(type_ranges), .size = NUMBERS(DurationType)},
	[DURATION_FAMILY] = {RANGES(family_ranges), NUMBER_OF(DurationFamily, samples),
						 RANGES(sample_ranges), NUMBERS(DurationSample)},
	[DURATION_MODEL] = {RANGES(model_ranges), NUMBER_OF(DurationModel, pairs), RANGES(pair_ranges),
						NUMBERS(DurationPair)},
	[DURATION_DEVICE] = {RANGES(device_ranges), .size = NUMBERS(DurationDevice)},
	[DURATION_WORKER] = {RANGES(worker_ranges), .size = NUMBERS(DurationWorker)},
};

/* Returns which of some numbers is the first that cannot be, by ranges; -1: none. */
static int
fault_in(const double *numbers, int count, const Range *ranges, int nranges)
{
	for (int i = 0; i < count; i++)
	{
		Range range = {.least = -MOST, .most = MOST};

		for (int r = 0; r < nranges; r++)
			if (i >= ranges[r].first && i < ranges[r].first + ranges[r].count)
				range = ranges[r];
		if (isnan(numbers[i]) && range.optional)
			continue;
		if (!(numbers[i] >= range.least && numbers[i] <= range.most) ||
			(range.whole && numbers[i] != floor(numbers[i])))
			return i;
	}
	return -1;
}

/*
 * Returns which of some numbers is the first that cannot be in a record, or count if they are
 * too few or too many; -1 for what can be one.  What is within its range, names no records that
 * are not there and overruns nothing is good enough: estimates from it may be wrong, and
 * whoever uses them looks whether they are numbers.
 */
int
duration_record_fault(DurationKind kind, const double *numbers, int count)
{
	int once = layouts[kind].size;
	int fault;

	if (count < once || count > duration_record_size(kind))
		return count;
	fault = fault_in(numbers, once, layouts[kind].ranges, layouts[kind].nranges);
	if (fault >= 0)
		return fault;
	if (count != duration_record_used(kind, numbers))
		return count;
	for (int at = once; at < count; at += layouts[kind].stride)
	{
		fault = fault_in(numbers + at, layouts[kind].stride, layouts[kind].repeated,
						 layouts[kind].nrepeated);
		if (fault >= 0)
			return at + fault;
	}
	return -1;
}
