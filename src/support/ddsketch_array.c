/*
 * ddsketch_array.c
 *		Sketches as arrays.
 */
#include "postgres.h"

#include "support/ddsketch_array.h"

/* Reads a sketch; returns false for an array that is none. */
bool
sketch_read_any(Datum array, Sketch *sketch)
{
	ArrayType *numbers = DatumGetArrayTypeP(array);
	int count = ArrayGetNItems(ARR_NDIM(numbers), ARR_DIMS(numbers));
	const int64 *values;

	memset(sketch, 0, offsetof(Sketch, counts));
	if (count == 0)
		return true;
	if (ARR_NDIM(numbers) != 1 || ARR_HASNULL(numbers) || count > SKETCH_BUCKETS + 1)
		return false;
	values = (const int64 *) ARR_DATA_PTR(numbers);
	if (values[0] < PG_INT32_MIN || values[0] > PG_INT32_MAX)
		return false;
	sketch->first = (int32) values[0];
	sketch->n = count - 1;
	memcpy(sketch->counts, values + 1, sizeof(int64) * (count - 1));
	return sketch_is_sane(sketch);
}

/* Reads a sketch; raises ERRCODE_INVALID_PARAMETER_VALUE for an array that is none. */
void
sketch_read(Datum array, bool isnull, Sketch *sketch)
{
	if (isnull)
		memset(sketch, 0, offsetof(Sketch, counts));
	else if (!sketch_read_any(array, sketch))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid sketch"),
						errdetail("Expected a bigint[] with the first bucket and at most %d counts"
								  " that are not negative.",
								  SKETCH_BUCKETS)));
}

/* Returns how many numbers an array of a sketch has. */
static int
numbers_of(const Sketch *sketch)
{
	return sketch->n == 0 ? 0 : sketch->n + 1;
}

/* Writes a sketch as numbers; returns where the next one's go. */
static int64 *
write_numbers(const Sketch *sketch, int64 *numbers)
{
	if (sketch->n == 0)
		return numbers;
	*numbers++ = sketch->first;
	memcpy(numbers, sketch->counts, sizeof(int64) * sketch->n);
	return numbers + sketch->n;
}

/* Returns some sketches as parameters; an empty one ends before it begins. */
SketchArrays
sketch_arrays(const Sketch *const *sketches, int count)
{
	SketchArrays arrays;
	int total = 0;
	int at = 0;
	int32 *first = fixed_array(INT4OID, sizeof(int32), count, &arrays.first);
	int32 *last = fixed_array(INT4OID, sizeof(int32), count, &arrays.last);
	int64 *numbers;

	for (int i = 0; i < count; i++)
		total += numbers_of(sketches[i]);
	numbers = fixed_array(INT8OID, sizeof(int64), total, &arrays.numbers);
	for (int i = 0; i < count; i++)
	{
		first[i] = at + 1;
		at += numbers_of(sketches[i]);
		last[i] = at;
		numbers = write_numbers(sketches[i], numbers);
	}
	return arrays;
}
