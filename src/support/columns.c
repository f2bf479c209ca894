/*
 * columns.c
 *		Members of structs as columns: rows that are written, and rows that are read.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "support/columns.h"

/* Returns whether a value stands for NULL: a text that is not there, NAN, infinity as a time. */
static bool
is_absent(const Column *column, const char *value)
{
	if (column->type == TEXTOID || column->type == BYTEAOID)
		return *(const Datum *) value == (Datum) 0;
	if (column->type == TIMESTAMPTZOID)
		return TIMESTAMP_IS_NOEND(*(const TimestampTz *) value);
	return column->type == FLOAT8OID && isnan(*(const double *) value);
}

/* Returns the datum of a value of a fixed length. */
static Datum
fetch(const Column *column, const char *value)
{
	if (column->type == TEXTOID || column->type == BYTEAOID)
		return *(const Datum *) value;
	return column->type == TIMESTAMPTZOID ? TimestampTzGetDatum(*(const TimestampTz *) value) :
											Float8GetDatum(*(const double *) value);
}

/*
 * Returns a column of count rows, size bytes each, as an array parameter; NULL
 * if all of its values are.
 */
Parameter
column_array(const Column *column, const void *rows, size_t size, int count)
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

/* Reads one column into its member. */
static void
read_column(const Column *column, Datum value, bool isnull, char *member)
{
	switch (column->type)
	{
		case BOOLOID:
			*(bool *) member = !isnull && DatumGetBool(value);
			break;
		case INT2OID:
			*(int16 *) member = isnull ? 0 : DatumGetInt16(value);
			break;
		case INT4OID:
			*(int32 *) member = isnull ? 0 : DatumGetInt32(value);
			break;
		case INT8OID:
		case TIMESTAMPTZOID:
			*(int64 *) member = isnull ? 0 : DatumGetInt64(value);
			break;
		case FLOAT8OID:
			*(double *) member = isnull ? NAN : DatumGetFloat8(value);
			break;
		case TIDOID:
			*(ItemPointer) member = *(ItemPointer) DatumGetPointer(value);
			break;
		case CSTRINGOID:
			*(const char **) member = isnull ? NULL : TextDatumGetCString(value);
			break;
		default:
			*(Datum *) member = isnull ? (Datum) 0 : PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	}
}

/* Reads a row into a struct; what the struct has besides columns is left as it is. */
void
read_row(const RowType *type, const Row *row, void *into)
{
	for (int i = 0; i < type->count; i++)
		read_column(&type->columns[i], row->values[i], row->nulls[i],
					(char *) into + type->columns[i].offset);
}

/*
 * Returns the first count rows that the last spi_plan_run left in SPI_tuptable as
 * an array of structs; what these have besides columns is 0.
 */
void *
read_rows(const RowType *type, uint64 count)
{
	TupleDesc description = SPI_tuptable->tupdesc;
	Datum *values = palloc(sizeof(Datum) * description->natts);
	bool *nulls = palloc(sizeof(bool) * description->natts);
	char *rows = MemoryContextAllocExtended(CurrentMemoryContext, type->size * (count + 1),
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	Row row = {values, nulls};

	for (uint64 i = 0; i < count; i++)
	{
		heap_deform_tuple(SPI_tuptable->vals[i], description, values, nulls);
		read_row(type, &row, rows + type->size * i);
	}
	pfree(values);
	pfree(nulls);
	return rows;
}
