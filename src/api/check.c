/*
 * check.c
 *		What would become of a document: refused, warned of, inferred.  The same
 *		code reads it that reads what is submitted and registered.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "api/register.h"
#include "api/submission.h"
#include "store/authz.h"
#include "store/settings.h"
#include "support/args.h"
#include "support/spi_plan.h"

PG_FUNCTION_INFO_V1(hwsched_check_requirements);
PG_FUNCTION_INFO_V1(hwsched_check_capabilities);

/* Inspects a document for a pool, adding to a list of findings. */
typedef void (*Inspect)(Jsonb *document, const char *pool, Inspection *inspection);

static Datum
list_findings(FunctionCallInfo fcinfo, Inspect inspect)
{
	Jsonb *document = jsonb_argument(0);
	char *pool = text_argument(fcinfo, 1);
	ReturnSetInfo *result;
	PoolSettings settings;
	Inspection inspection;
	Caller caller;

	InitMaterializedSRF(fcinfo, 0);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	caller = call_begin(fcinfo);
	(void) authz_seen(&caller, pool);
	pool_settings_load(pool, true, &settings);
	inspection_begin(&inspection, unknown_keys_of(&settings));
	inspection_list(&inspection);
	inspect(document, pool, &inspection);
	for (int i = 0; i < inspection.count; i++)
	{
		const Finding *finding = &inspection.findings[i];
		Datum values[] = {CStringGetTextDatum(finding->path),
						  CStringGetTextDatum(finding->severity),
						  CStringGetTextDatum(finding->message),
						  finding->hint != NULL ? CStringGetTextDatum(finding->hint) : (Datum) 0};
		bool nulls[] = {false, false, false, finding->hint == NULL};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	call_end(&caller);
	PG_RETURN_NULL();
}

/* check_requirements(requirements jsonb, pool text) RETURNS SETOF record */
Datum
hwsched_check_requirements(PG_FUNCTION_ARGS)
{
	return list_findings(fcinfo, inspect_requirements);
}

/* check_capabilities(capabilities jsonb, pool text) RETURNS SETOF record */
Datum
hwsched_check_capabilities(PG_FUNCTION_ARGS)
{
	return list_findings(fcinfo, inspect_capabilities);
}
