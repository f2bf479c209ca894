/*
 * args.c
 *		Arguments of SQL functions that must not be NULL, or beyond their limits.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "support/args.h"

/* Returns an argument; raises ERRCODE_NULL_VALUE_NOT_ALLOWED if it is NULL. */
Datum
argument(FunctionCallInfo fcinfo, int number)
{
	HeapTuple tuple;
	Oid *types;
	char **names;
	char *modes;

	if (!PG_ARGISNULL(number))
		return PG_GETARG_DATUM(number);

	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(fcinfo->flinfo->fn_oid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", fcinfo->flinfo->fn_oid);
	if (get_func_arg_info(tuple, &types, &names, &modes) <= number || names == NULL)
		elog(ERROR, "function %u has no name for argument %d", fcinfo->flinfo->fn_oid, number);
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("\"%s\" of hwsched.%s() must not be NULL", names[number],
						   get_func_name(fcinfo->flinfo->fn_oid))));
}

/* The same as a C string. */
char *
text_argument(FunctionCallInfo fcinfo, int number)
{
	return TextDatumGetCString(argument(fcinfo, number));
}

/*
 * The same for a name, which may become part of a key; raises
 * ERRCODE_INVALID_PARAMETER_VALUE for one that is empty or too long.
 */
char *
name_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	char *text = text_argument(fcinfo, number);

	if (text[0] == '\0' || strlen(text) > MOST_NAME)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"%s\": \"%.80s\"", name, text),
						errdetail("Expected 1 to %d bytes.", MOST_NAME)));
	return text;
}

/*
 * Returns a number argument; raises ERRCODE_INVALID_PARAMETER_VALUE for one that is beyond its
 * limits.
 */
double
limited_argument(FunctionCallInfo fcinfo, int number, const char *name, double least, double most)
{
	double value = DatumGetFloat8(argument(fcinfo, number));

	if (!(value >= least && value <= most))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"%s\": %g", name, value),
						errdetail("Expected a number from %g to %g.", least, most)));
	return value;
}

/* Raises ERRCODE_PROGRAM_LIMIT_EXCEEDED for what is too large to be kept with a run. */
void
check_size(const char *name, Size bytes)
{
	if (bytes > MOST_REPORT)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("\"%s\" is too large: %zu bytes", name, bytes),
						errdetail("It may have %d bytes.", MOST_REPORT),
						errhint("Keep it elsewhere, and say here where that is.")));
}

/* Orders numbers of 64 bits, for qsort() and bsearch(). */
int
compare_bigints(const void *a, const void *b)
{
	int64 x = *(const int64 *) a;
	int64 y = *(const int64 *) b;

	return (x > y) - (x < y);
}
