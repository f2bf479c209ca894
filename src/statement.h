/*
 * statement.h
 *		Fixed SQL statements, planned once in a session and kept.
 *
 * A statement is a static Statement: its text (schema-qualified names, $n
 * parameters) and the types of its parameters.  statement_run connects nothing:
 * the SQL-callable function around it does SPI_connect and SPI_finish.
 */
#ifndef HWSCHED_STATEMENT_H
#define HWSCHED_STATEMENT_H

#include "compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#define STATEMENT_PARAMETERS 24

typedef struct Statement
{
	const char *text;
	Oid			types[STATEMENT_PARAMETERS];	/* ends with 0 */
	bool		joins_sets;		/* never join row by row, whatever the caller set */
	SPIPlanPtr	plan;
} Statement;

/* A parameter that may be NULL. */
typedef struct Parameter
{
	Datum		value;
	bool		isnull;
} Parameter;

#define VALUE(datum) ((Parameter) {(datum), false})
#define NULL_VALUE ((Parameter) {(Datum) 0, true})
#define TEXT_VALUE(cstring) VALUE(CStringGetTextDatum(cstring))
#define TEXT_OR_NULL(cstring) ((cstring) ? TEXT_VALUE(cstring) : NULL_VALUE)
#define INT_VALUE(n) VALUE(Int32GetDatum(n))
#define BIGINT_VALUE(n) VALUE(Int64GetDatum(n))
#define NUMBER_OR_NULL(x) (isnan(x) ? NULL_VALUE : VALUE(Float8GetDatum(x)))

/* Runs a Statement with its parameters: statement_run(&q, read_only, VALUE(a), ...). */
#define statement_run(statement, read_only, ...) \
	statement_execute((statement), (read_only), (Parameter[]) {__VA_ARGS__}, \
				  lengthof(((Parameter[]) {__VA_ARGS__})))

extern uint64 statement_execute(Statement *statement, bool read_only, const Parameter *parameters, int count);

/* Columns of the rows that the last statement_run left in SPI_tuptable. */
extern Datum column(uint64 row, int number, bool *isnull);
extern char *column_text(uint64 row, int number);	/* NULL for NULL */
extern int64 column_bigint(uint64 row, int number);	/* 0 for NULL */
extern int32 column_int(uint64 row, int number);	/* 0 for NULL */
extern double column_number(uint64 row, int number);	/* NAN for NULL */
extern bool column_bool(uint64 row, int number);	/* false for NULL */
extern Jsonb *column_jsonb(uint64 row, int number); /* NULL for NULL */

/* Puts those rows into the tuplestore of a set-returning function. */
extern void return_rows(FunctionCallInfo fcinfo);

/* Arrays as parameters. */
extern Parameter array_value(Oid type, const Datum *values, const bool *nulls, int count);
extern Parameter text_array(const char *const *values, int count);

#endif							/* HWSCHED_STATEMENT_H */
