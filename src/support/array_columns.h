/*
 * array_columns.h
 *		Rows of structs as array parameters, one for each column.
 */
#ifndef HWSCHED_SUPPORT_ARRAY_COLUMNS_H
#define HWSCHED_SUPPORT_ARRAY_COLUMNS_H

#include "support/spi_plan.h"

/* A member of a struct that is a column of a table. */
typedef struct ArrayColumn
{
	const char *name;
	Oid type; /* of a fixed length, or text: a Datum, 0 for NULL */
	size_t offset;
} ArrayColumn;

extern Parameter column_array(const ArrayColumn *column, const void *rows, size_t size, int count);

#endif /* HWSCHED_SUPPORT_ARRAY_COLUMNS_H */
