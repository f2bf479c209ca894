/*
 * duration_array.c
 *		The records of model/duration.h as arrays of numbers, as tables keep them: how
 *		long they are, and whether one that comes from elsewhere is any.
 */
#include "model/duration_array.h"

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

/* Returns whether a number counts something, up to a limit. */
static bool
counts(double number, double most)
{
	return number >= 0 && number <= most && number == floor(number);
}

/* Returns whether a number may stand for a size, which not every model has. */
static bool
may_be_absent(DurationKind kind, int i)
{
	const int samples = (int) (offsetof(DurationFamily, samples) / sizeof(double));

	if (kind == DURATION_MODEL)
		return i == (int) (offsetof(DurationModel, size) / sizeof(double));
	return kind == DURATION_FAMILY && i >= samples &&
		   (i - samples) % NUMBERS(DurationSample) ==
			   (int) (offsetof(DurationSample, size) / sizeof(double));
}

/*
 * Returns whether some numbers can be a record.  What does not name records that
 * are not there and overruns nothing is good enough: estimates from it may be
 * wrong, and whoever uses them looks whether they are numbers.
 */
bool
duration_record_is_sane(DurationKind kind, const double *numbers, int count)
{
	const double most = 1e15;

	if (count < 1 || count > duration_record_size(kind))
		return false;
	for (int i = 0; i < count; i++)
		if (!isfinite(numbers[i]) && !(isnan(numbers[i]) && may_be_absent(kind, i)))
			return false;
	if (kind == DURATION_FAMILY)
	{
		const DurationFamily *family = (const DurationFamily *) numbers;

		if (count < (int) (offsetof(DurationFamily, samples) / sizeof(double)) ||
			!counts(family->models, most) || !counts(family->next, DURATION_SAMPLES - 1) ||
			!counts(family->nsamples, DURATION_SAMPLES) ||
			count != duration_record_used(kind, numbers))
			return false;
		for (int i = 0; i < family->nsamples; i++)
			if (!counts(family->samples[i].model, most) ||
				!counts(family->samples[i].device, MOST_DEVICES) || family->samples[i].device < 1 ||
				!(family->samples[i].weight > 0))
				return false;
		return true;
	}
	if (kind == DURATION_MODEL)
	{
		const DurationModel *model = (const DurationModel *) numbers;

		if (count < (int) (offsetof(DurationModel, pairs) / sizeof(double)) ||
			!counts(model->number, most) || !counts(model->npairs, DURATION_PAIRS) ||
			count != duration_record_used(kind, numbers))
			return false;
		for (int i = 0; i < model->npairs; i++)
			if (!counts(model->pairs[i].device, MOST_DEVICES) || model->pairs[i].device < 1 ||
				!(model->pairs[i].weight > 0) || !counts(model->pairs[i].used, most))
				return false;
		return true;
	}
	if (count != duration_record_size(kind))
		return false;
	if (kind == DURATION_POOL)
		return counts(((const DurationPool *) numbers)->numbers, MOST_DEVICES) &&
			   counts(((const DurationPool *) numbers)->runs, most);
	if (kind == DURATION_DEVICE)
		return counts(((const DurationDevice *) numbers)->number, MOST_DEVICES);
	return true;
}
