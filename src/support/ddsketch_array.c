/*
 * ddsketch_array.c
 *		Sketches as arrays, and what SQL does with them.
 */
#include "postgres.h"

#include "support/ddsketch_array.h"

PG_FUNCTION_INFO_V1(sql_sketch_quantile);
PG_FUNCTION_INFO_V1(sql_sketch_of);
PG_FUNCTION_INFO_V1(sql_sketch_merge);

/* Reads a sketch; raises ERRCODE_INVALID_PARAMETER_VALUE for an array that is none. */
void
sketch_read(Datum array, bool isnull, Sketch *sketch)
{
	ArrayType *numbers;
	const int64 *values;
	int count;

	memset(sketch, 0, offsetof(Sketch, counts));
	if (isnull)
		return;
	numbers = DatumGetArrayTypeP(array);
	count = ArrayGetNItems(ARR_NDIM(numbers), ARR_DIMS(numbers));
	if (count == 0)
		return;
	values = (const int64 *) ARR_DATA_PTR(numbers);
	if (ARR_NDIM(numbers) == 1 && !ARR_HASNULL(numbers) && count <= SKETCH_BUCKETS + 1 &&
		values[0] >= PG_INT32_MIN && values[0] <= PG_INT32_MAX)
	{
		sketch->first = (int32) values[0];
		sketch->n = count - 1;
		memcpy(sketch->counts, values + 1, sizeof(int64) * (count - 1));
		if (sketch_is_sane(sketch))
			return;
	}
	ereport(
		ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid sketch"),
		 errdetail("Expected a bigint[] with the first bucket and at most %d counts that are not"
				   " negative.",
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

/* sketch_quantile(sketch bigint[], q float8) RETURNS float8 */
Datum
sql_sketch_quantile(PG_FUNCTION_ARGS)
{
	double q = PG_GETARG_FLOAT8(1);
	Sketch sketch;
	double quantile;

	if (!(q >= 0 && q <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid value for \"q\": %g", q),
				 errdetail("Expected a number from 0 to 1.")));
	sketch_read(PG_GETARG_DATUM(0), false, &sketch);
	quantile = sketch_quantile(&sketch, q);
	if (isnan(quantile))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(quantile);
}

/* Returns a sketch as an array. */
static Datum
array_of(const Sketch *sketch)
{
	Parameter result;

	write_numbers(sketch, fixed_array(INT8OID, sizeof(int64), numbers_of(sketch), &result));
	return result.value;
}

/* sketch_of(number float8) RETURNS bigint[] */
Datum
sql_sketch_of(PG_FUNCTION_ARGS)
{
	Sketch sketch = {0};

	sketch_add(&sketch, PG_GETARG_FLOAT8(0));
	PG_RETURN_DATUM(array_of(&sketch));
}

/* sketch_merge(bigint[], bigint[]) RETURNS bigint[] */
Datum
sql_sketch_merge(PG_FUNCTION_ARGS)
{
	Sketch sketch;
	Sketch other;

	sketch_read(PG_GETARG_DATUM(0), false, &sketch);
	sketch_read(PG_GETARG_DATUM(1), false, &other);
	sketch_merge(&sketch, &other);
	PG_RETURN_DATUM(array_of(&sketch));
}
