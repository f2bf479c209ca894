/*
 * load.c
 *		Loading what was learned or happened elsewhere: the work is done by functions
 *		in SQL, which do not know their caller.
 */
#include "postgres.h"

#include "store/authz.h"
#include "support/args.h"

PG_FUNCTION_INFO_V1(hwsched_load_history);
PG_FUNCTION_INFO_V1(hwsched_load_history_teaching);
PG_FUNCTION_INFO_V1(hwsched_load_learning);

/* This is no SpiPlan: what guides its planning would hold for all that is planned within. */
static Datum
load(FunctionCallInfo fcinfo, const char *text, Datum document, bool teach, char *pool)
{
	Oid types[] = {JSONBOID, BOOLOID, TEXTOID};
	Datum values[] = {document, BoolGetDatum(teach), CStringGetTextDatum(pool)};
	Caller caller = call_begin(fcinfo);
	int result;
	int64 loaded;

	authz_check_coordinate(&caller, pool);
	result = SPI_execute_with_args(text, lengthof(types), types, values, NULL, false, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\": %s", text, SPI_result_code_string(result));
	loaded = column_bigint(0, 1);
	call_end(&caller);
	PG_RETURN_INT64(loaded);
}

#define LOAD_HISTORY "SELECT hwsched_internal.load_history($1, $2, $3)"

/* load_history(document jsonb, pool text) RETURNS bigint: how many records */
Datum
hwsched_load_history(PG_FUNCTION_ARGS)
{
	Datum document = argument(fcinfo, 0);

	return load(fcinfo, LOAD_HISTORY, document, false, text_argument(fcinfo, 1));
}

/* load_history(document jsonb, teach boolean, pool text) RETURNS bigint: how many records */
Datum
hwsched_load_history_teaching(PG_FUNCTION_ARGS)
{
	Datum document = argument(fcinfo, 0);
	bool teach = DatumGetBool(argument(fcinfo, 1));

	return load(fcinfo, LOAD_HISTORY, document, teach, text_argument(fcinfo, 2));
}

/* load_learning(document jsonb, pool text) RETURNS bigint: how many records */
Datum
hwsched_load_learning(PG_FUNCTION_ARGS)
{
	Datum document = argument(fcinfo, 0);

	return load(fcinfo, "SELECT hwsched_internal.load_learning($1, $3)", document, false,
				text_argument(fcinfo, 1));
}
