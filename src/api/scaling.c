/*
 * scaling.c
 *		Which workers a pool lacks or could spare; autoscalers are told when that changes.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/builtins.h"

#include "api/scaling.h"
#include "api/simulate.h"
#include "document/jsonb_writer.h"
#include "simulate/scaling.h"
#include "store/notice.h"
#include "support/args.h"

PG_FUNCTION_INFO_V1(hwsched_scaling_advice);

/* scaling_advice(scenario jsonb, pool text) RETURNS TABLE */
Datum
hwsched_scaling_advice(PG_FUNCTION_ARGS)
{
	Jsonb *document = jsonb_argument(0);
	char *pool = text_argument(fcinfo, 1);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Caller caller;
	const char *path;
	Advice *advice;
	int level;
	int n;

	InitMaterializedSRF(fcinfo, 0);
	level = begin_simulating(fcinfo, &caller, &path);
	authz_check_view(&caller, pool);
	advice = scaling_advice(&caller, path, document, pool, &n);
	for (int i = 0; i < n; i++)
	{
		const Advice *one = &advice[i];
		Datum values[] = {one->capabilities ? JsonbPGetDatum(one->capabilities) : (Datum) 0,
						  Int32GetDatum((int32) one->change), CStringGetTextDatum(one->why),
						  Float8GetDatum(one->cost_per_hour), Float8GetDatum(one->wait_after)};
		bool nulls[] = {one->capabilities == NULL, false, false, isnan(one->cost_per_hour),
						isnan(one->wait_after)};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	end_simulating(&caller, level);
	return (Datum) 0;
}

/*
 * Milliseconds that a call has to have for seeking advice: what a short statement_timeout ends is
 * all of maintain(), and would be again at the next.
 */
#define ENOUGH_TIME 10000

/* The longest queue of which maintain() seeks advice: what is simulated of it takes a second. */
#define LONGEST_QUEUE 5000

/*
 * Returns whether a pool's advice was not sought for as long as its settings say, and there is
 * the time for it.
 */
static bool
is_due(const char *pool, const PoolSettings *settings)
{
	static SpiPlan statement = {
		"SELECT NOT EXISTS (SELECT FROM hwsched.pool_activity WHERE pool = $1"
		" AND activity = 'scaling_advice' AND done_at > now() - make_interval(secs => $2))"
		" AND NOT EXISTS (SELECT FROM hwsched.pending WHERE pool = $1 OFFSET $3 LIMIT 1)",
		{TEXTOID, FLOAT8OID, INT8OID}};

	if (settings->scaling_every == 0 || (StatementTimeout > 0 && StatementTimeout < ENOUGH_TIME))
		return false;
	spi_plan_run(&statement, false, TEXT_VALUE(pool),
				 VALUE(Float8GetDatum(settings->scaling_every)), BIGINT_VALUE(LONGEST_QUEUE));
	return column_bool(0, 1);
}

/* Returns what of advice tells whether it has changed. */
static Jsonb *
gist_of(const Advice *advice, int count)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
	{
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		push_key(&state, "change");
		push_integer(&state, advice[i].change);
		if (advice[i].capabilities != NULL)
		{
			JsonbValue capabilities;

			push_key(&state, "capabilities");
			JsonbToJsonbValue(advice[i].capabilities, &capabilities);
			pushJsonbValue(&state, WJB_VALUE, &capabilities);
		}
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* Seeks a pool's advice if it is due, and tells who listens if it is not what it was. */
void
scaling_renew(const Caller *caller, const char *pool, const PoolSettings *settings)
{
	static SpiPlan statement = {
		"WITH before AS (SELECT detail FROM hwsched.pool_activity"
		"  WHERE pool = $1 AND activity = 'scaling_advice')"
		" INSERT INTO hwsched.pool_activity AS a (pool, activity, done_at, detail)"
		" VALUES ($1, 'scaling_advice', now(), $2)"
		" ON CONFLICT (pool, activity) DO UPDATE SET done_at = now(), detail = EXCLUDED.detail"
		" RETURNING coalesce((SELECT detail FROM before), '[]') <> $2",
		{TEXTOID, JSONBOID}};
	Advice *advice;
	int n;

	if (!is_due(pool, settings))
		return;
	advice = scaling_advice(caller, "pg_catalog",
							DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"))),
							pool, &n);
	spi_plan_run(&statement, false, TEXT_VALUE(pool), VALUE(JsonbPGetDatum(gist_of(advice, n))));
	if (column_bool(0, 1))
		notify_scaling(pool);
}
