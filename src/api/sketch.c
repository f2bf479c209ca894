/*
 * sketch.c
 *		Sketches of quantiles for SQL, where history is rolled up.
 */
#include "postgres.h"

#include "support/ddsketch_array.h"

PG_FUNCTION_INFO_V1(hwsched_sketch_quantile);
PG_FUNCTION_INFO_V1(hwsched_sketch_merge);
PG_FUNCTION_INFO_V1(hwsched_is_sketch);

/* Returns a sketch as an array. */
static Datum
array_of(const Sketch *sketch)
{
	return sketch_arrays(&sketch, 1).numbers.value;
}

/* sketch_quantile(sketch bigint[], q float8) RETURNS float8 */
Datum
hwsched_sketch_quantile(PG_FUNCTION_ARGS)
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

/* sketch_merge(bigint[], bigint[]) RETURNS bigint[] */
Datum
hwsched_sketch_merge(PG_FUNCTION_ARGS)
{
	Sketch sketch;
	Sketch other;

	sketch_read(PG_GETARG_DATUM(0), false, &sketch);
	sketch_read(PG_GETARG_DATUM(1), false, &other);
	sketch_merge(&sketch, &other);
	PG_RETURN_DATUM(array_of(&sketch));
}

/* is_sketch(sketch bigint[]) RETURNS boolean */
Datum
hwsched_is_sketch(PG_FUNCTION_ARGS)
{
	Sketch sketch;

	PG_RETURN_BOOL(sketch_read_any(PG_GETARG_DATUM(0), &sketch));
}
