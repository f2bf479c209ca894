/*
 * array_columns.c
 *		Rows of structs as array parameters, one for each column.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "support/array_columns.h"

/* Returns whether a value stands for NULL: a text that is not there, NAN, infinity as a time. */
static bool
is_absent(const ArrayColumn *column, const char *value)
{
	if (column->type == TEXTOID)
		return *(const Datum *) value == (Datum) 0;
	if (column->type == TIMESTAMPTZOID)
		return TIMESTAMP_IS_NOEND(*(const TimestampTz *) value);
	return column->type == FLOAT8OID && isnan(*(const double *) value);
}

/* Returns the datum of a value of a fixed length. */
static Datum
fetch(const ArrayColumn *column, const char *value)
{
	if (column->type == TEXTOID)
		return *(const Datum *) value;
	return column->type == TIMESTAMPTZOID ? TimestampTzGetDatum(*(const TimestampTz *) value) :
											Float8GetDatum(*(const double *) value);
}

/*
 * Returns a column of count rows, size bytes each, as an array parameter; NULL
 * if all of its values are.
 */
Parameter
column_array(const ArrayColumn *column, const void *rows, size_t size, int count)
{
	const char *first = (const char *) rows + column->offset;
	int nabsent = 0;
	Datum *values;
	bool *nulls;
	int16 length;

	for (int i = 0; i < count; i++)
		nabsent += is_absent(column, first + size * i);
	if (nabsent == count)
		return NULL_VALUE;
	length = get_typlen(column->type);
	if (nabsent == 0 && length > 0)
	{
		Parameter array;
		char *elements = fixed_array(column->type, length, count, &array);

		for (int i = 0; i < count; i++)
			memcpy(elements + length * i, first + size * i, length);
		return array;
	}
	values = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * count);
	nulls = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(bool) * count);
	for (int i = 0; i < count; i++)
	{
		nulls[i] = is_absent(column, first + size * i);
		values[i] = nulls[i] ? (Datum) 0 : fetch(column, first + size * i);
	}
	return array_value(column->type, values, nulls, count);
}
