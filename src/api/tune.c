/*
 * tune.c
 *		Searches better settings on work of the past, and takes them into force if asked to.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "api/simulate.h"
#include "simulate/tuning.h"
#include "support/args.h"

PG_FUNCTION_INFO_V1(hwsched_tune);

/* Takes settings into force, as alter_pool() does. */
static void
take_into_force(const char *pool, const TunedSettings *tuned, Jsonb *objective)
{
	static SpiPlan statement = {"SELECT hwsched.alter_pool($1, $2, $3)",
								{TEXTOID, JSONBOID, TEXTOID}};
	char *text = JsonbToCString(NULL, &objective->root, VARSIZE(objective));

	spi_plan_run(&statement, false, TEXT_VALUE(pool), VALUE(JsonbPGetDatum(tuned->settings)),
				 TEXT_VALUE(psprintf("tuned for %s: %.1f %% better, %.1f %% on work held back",
									 text, 100 * tuned->gain, 100 * tuned->on_held_back)));
}

/* tune(objective jsonb, scenario jsonb, apply boolean, pool text) RETURNS TABLE */
Datum
hwsched_tune(PG_FUNCTION_ARGS)
{
	Jsonb *objective = jsonb_argument(0);
	Jsonb *document = jsonb_argument(1);
	bool apply = DatumGetBool(argument(fcinfo, 2));
	char *pool = text_argument(fcinfo, 3);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Caller caller;
	const char *path;
	TunedSettings *tuned;
	int level;
	int n;

	InitMaterializedSRF(fcinfo, 0);
	if (apply)
		PreventCommandIfReadOnly("hwsched.tune(apply => true)");
	level = begin_simulating(fcinfo, &caller, &path);
	tuned = tune(&caller, path, objective, document, pool, &n);
	for (int i = 0; i < n; i++)
	{
		Datum values[] = {JsonbPGetDatum(tuned[i].settings),	 Float8GetDatum(tuned[i].gain),
						  Float8GetDatum(tuned[i].low),			 Float8GetDatum(tuned[i].high),
						  Float8GetDatum(tuned[i].on_held_back), BoolGetDatum(tuned[i].chosen)};
		bool nulls[6] = {0};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		if (tuned[i].chosen && apply)
			take_into_force(pool, &tuned[i], objective);
	}
	end_simulating(&caller, level);
	return (Datum) 0;
}
