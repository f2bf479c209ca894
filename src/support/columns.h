/*
 * columns.h
 *		Members of structs as columns: rows that are written, and rows that are read.
 *
 * One table of columns tells how a struct is read and what a statement selects,
 * or what the parameters of a statement are that writes many.
 */
#ifndef HWSCHED_SUPPORT_COLUMNS_H
#define HWSCHED_SUPPORT_COLUMNS_H

#include "support/spi_plan.h"

/*
 * The types of members, and what stands for NULL: INT2OID, INT4OID, INT8OID and
 * TIMESTAMPTZOID (0), BOOLOID (false), FLOAT8OID (NAN), CSTRINGOID (NULL; a text of
 * SQL as a C string), TIDOID (not NULL); else a Datum of a type like text, an array or
 * jsonb (0).  Written are those of a fixed length, text and bytea; infinity as a time is NULL.
 */

extern Parameter column_array(const Column *column, const void *rows, size_t size, int count);
extern void read_row(const RowType *type, const Row *row, void *into);
extern void *read_rows(const RowType *type, uint64 count);

#endif /* HWSCHED_SUPPORT_COLUMNS_H */
