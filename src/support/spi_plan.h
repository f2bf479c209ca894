/*
 * spi_plan.h
 *		Fixed SQL statements, planned once in a session and kept.
 *
 * A statement is a static Statement: its text (schema-qualified names, $n
 * parameters) and the types of its parameters.  spi_plan_run connects nothing:
 * the SQL-callable function around it does SPI_connect and SPI_finish.
 */
#ifndef HWSCHED_SUPPORT_SPI_PLAN_H
#define HWSCHED_SUPPORT_SPI_PLAN_H

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "support/compat.h"

#define STATEMENT_PARAMETERS 32

/*
 * How a statement finds its rows.  It is planned once in a session, for any
 * parameters and for tables that may grow a thousandfold before the next
 * ANALYZE, so this is not left to what the planner believes of them, nor to
 * what the caller set: see "planning" in spi_plan.c.
 */
typedef enum Access
{
	BY_KEY, /* a few rows, each in an index; no table is scanned */
	BY_KEY_ONLY, /* the same, joined row by row and in no other way */
	BY_CTID, /* where they are */
	ALONG_INDEX, /* the first rows in the order of an index */
	IN_ORDER, /* all rows of a pool, joined along the indexes, whose order is the result's */
	IN_SETS /* all rows, never joined row by row */
} Access;

/* A member of a struct that is a column: of a table, or of what a statement returns. */
typedef struct Column
{
	const char *name; /* or an SQL expression */
	Oid type; /* see columns.h */
	size_t offset;
} Column;

/* The struct that a row of a statement is read into. */
typedef struct RowType
{
	size_t size;
	int count;
	const Column *columns;
} RowType;

#define ROW_TYPE(type, columns) \
	{ \
		sizeof(type), lengthof(columns), (columns) \
	}

/* Stands for the columns of its row in the text of a statement. */
#define ROW_COLUMNS "{columns}"

typedef struct SpiPlan
{
	const char *text;
	Oid types[STATEMENT_PARAMETERS]; /* ends with 0 */
	Access access;
	const RowType *row; /* its first columns; NULL: it has them in its text */
	SPIPlanPtr plan; /* NULL: not prepared yet */
	const char *kept_text; /* the plan's copy of the text */
	struct SpiPlan *next; /* that was prepared before */
} SpiPlan;

/* A parameter that may be NULL. */
typedef struct Parameter
{
	Datum value;
	bool isnull;
} Parameter;

/* Makes the planner follow Access; to be called once, when the library is loaded. */
extern void spi_plan_init(void);

#define VALUE(datum) ((Parameter){(datum), false})
#define NULL_VALUE ((Parameter){(Datum) 0, true})
#define TEXT_VALUE(cstring) VALUE(CStringGetTextDatum(cstring))
#define TEXT_OR_NULL(cstring) ((cstring) ? TEXT_VALUE(cstring) : NULL_VALUE)
#define INT_VALUE(n) VALUE(Int32GetDatum(n))
#define BIGINT_VALUE(n) VALUE(Int64GetDatum(n))
#define NUMBER_OR_NULL(x) (isnan(x) ? NULL_VALUE : VALUE(Float8GetDatum(x)))

/* Runs a Statement with its parameters: spi_plan_run(&q, read_only, VALUE(a), ...). */
#define spi_plan_run(statement, read_only, ...) \
	spi_plan_execute((statement), (read_only), (Parameter[]){__VA_ARGS__}, \
					 lengthof(((Parameter[]){__VA_ARGS__})))

extern uint64 spi_plan_execute(SpiPlan *statement, bool read_only, const Parameter *parameters,
							   int count);

/* A row that spi_plan_each passes on; it lasts until the reader returns. */
typedef struct Row
{
	const Datum *values;
	const bool *nulls;
} Row;

typedef bool (*RowReader)(void *reader, const Row *row); /* false: no more rows */

/* As spi_plan_run, but calls read for each row instead of keeping the rows. */
#define spi_plan_each(statement, read_only, read, reader, ...) \
	spi_plan_stream((statement), (read_only), (read), (reader), (Parameter[]){__VA_ARGS__}, \
					lengthof(((Parameter[]){__VA_ARGS__})))

extern uint64 spi_plan_stream(SpiPlan *statement, bool read_only, RowReader read, void *reader,
							  const Parameter *parameters, int count);

/* Columns of the rows that the last spi_plan_run left in SPI_tuptable. */
extern Datum column(uint64 row, int number, bool *isnull);
extern char *column_text(uint64 row, int number); /* NULL for NULL */
extern int64 column_bigint(uint64 row, int number); /* 0 for NULL */
extern int32 column_int(uint64 row, int number); /* 0 for NULL */
extern double column_number(uint64 row, int number); /* NAN for NULL */
extern bool column_bool(uint64 row, int number); /* false for NULL */
extern Jsonb *column_jsonb(uint64 row, int number); /* NULL for NULL */

/* Puts those rows into the tuplestore of a set-returning function. */
extern void return_rows(FunctionCallInfo fcinfo);

/* Arrays as parameters. */
extern Parameter array_value(Oid type, const Datum *values, const bool *nulls, int count);
extern void *fixed_array(Oid type, int length, int count, Parameter *parameter);
extern Parameter text_array(const char *const *values, int count);
extern Parameter bigint_array(const int64 *numbers, int count);

#endif /* HWSCHED_SUPPORT_SPI_PLAN_H */
