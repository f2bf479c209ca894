/*
 * statement.c
 *		Runs fixed SQL statements through kept SPI plans.
 */
#include "postgres.h"

#include <math.h>

#include "nodes/execnodes.h"
#include "statement.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

/* Returns the statement's plan, prepared on first use in the session. */
static SPIPlanPtr
statement_plan(Statement *statement)
{
	if (statement->plan == NULL)
	{
		int			nargs = 0;
		SPIPlanPtr	plan;

		while (nargs < STATEMENT_PARAMETERS && statement->types[nargs] != InvalidOid)
			nargs++;
		plan = SPI_prepare(statement->text, nargs, statement->types);
		if (plan == NULL)
			elog(ERROR, "could not prepare \"%s\": %s", statement->text, SPI_result_code_string(SPI_result));
		if (SPI_keepplan(plan) != 0)
			elog(ERROR, "could not keep the plan of \"%s\"", statement->text);
		statement->plan = plan;
	}
	return statement->plan;
}

/* Runs a statement and returns the number of rows processed. */
uint64
statement_execute(Statement *statement, bool read_only, const Parameter *parameters, int count)
{
	Datum		values[STATEMENT_PARAMETERS];
	char		nulls[STATEMENT_PARAMETERS];
	int			guc_level = 0;
	int			result;

	Assert(count <= STATEMENT_PARAMETERS);
	for (int i = 0; i < count; i++)
	{
		values[i] = parameters[i].value;
		nulls[i] = parameters[i].isnull ? 'n' : ' ';
	}
	if (statement->joins_sets)
	{
		guc_level = NewGUCNestLevel();
		(void) set_config_option("enable_nestloop", "off", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
	result = SPI_execute_plan(statement_plan(statement), values, nulls, read_only, 0);
	if (guc_level > 0)
		AtEOXact_GUC(true, guc_level);
	if (result < 0)
		elog(ERROR, "could not run \"%s\": %s", statement->text, SPI_result_code_string(result));
	return SPI_processed;
}

Datum
column(uint64 row, int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, isnull);
}

char *
column_text(uint64 row, int number)
{
	bool		isnull;
	Datum		value = column(row, number, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

int64
column_bigint(uint64 row, int number)
{
	bool		isnull;
	Datum		value = column(row, number, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

int32
column_int(uint64 row, int number)
{
	bool		isnull;
	Datum		value = column(row, number, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

double
column_number(uint64 row, int number)
{
	bool		isnull;
	Datum		value = column(row, number, &isnull);

	return isnull ? NAN : DatumGetFloat8(value);
}

bool
column_bool(uint64 row, int number)
{
	bool		isnull;
	Datum		value = column(row, number, &isnull);

	return !isnull && DatumGetBool(value);
}

Jsonb *
column_jsonb(uint64 row, int number)
{
	bool		isnull;
	Datum		value = column(row, number, &isnull);

	return isnull ? NULL : DatumGetJsonbPCopy(value);
}

/*
 * Puts the rows in SPI_tuptable, whose columns are those of the function, into
 * the tuplestore that InitMaterializedSRF made.
 */
void
return_rows(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
}

/* Returns values as an array parameter; nulls may be NULL. */
Parameter
array_value(Oid type, const Datum *values, const bool *nulls, int count)
{
	int16		length;
	bool		byval;
	char		align;
	int			lower = 1;

	get_typlenbyvalalign(type, &length, &byval, &align);
	return VALUE(PointerGetDatum(construct_md_array((Datum *) values, (bool *) nulls, 1, &count, &lower,
													type, length, byval, align)));
}

/* Returns C strings as a text[] parameter. */
Parameter
text_array(const char *const *values, int count)
{
	Datum	   *datums = palloc(sizeof(Datum) * (count + 1));

	for (int i = 0; i < count; i++)
		datums[i] = CStringGetTextDatum(values[i]);
	return array_value(TEXTOID, datums, NULL, count);
}
