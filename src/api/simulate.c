/*
 * simulate.c
 *		What would become of work on a fleet under some settings.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "api/simulate.h"
#include "simulate/simulation.h"
#include "simulate/summary.h"
#include "support/args.h"
#include "support/spi_plan.h"

PG_FUNCTION_INFO_V1(hwsched_simulate);
PG_FUNCTION_INFO_V1(hwsched_simulate_summary);

/* Where runs go as they end. */
typedef struct RunRows
{
	const Scenario *scenario;
	ReturnSetInfo *result;
} RunRows;

/* Returns a time of the simulation, counted from its beginning. */
static Datum
time_of(const Scenario *scenario, int64 since)
{
	return TimestampTzGetDatum(scenario->begins + since);
}

static void
return_run(void *reader, const SimulatedRun *run)
{
	RunRows *rows = reader;
	const Scenario *scenario = rows->scenario;
	const Fleet *fleet = &scenario->snapshot.fleet;
	Datum values[8] = {0};
	bool nulls[8] = {false, true, true, false, true, true, true, true};

	values[0] = CStringGetTextDatum(scenario->arrivals[run->arrival].workload_id);
	values[3] = TimestampTzGetDatum(scenario->arrivals[run->arrival].submitted_at);
	if (run->worker >= 0)
	{
		Datum *devices = palloc(sizeof(Datum) * (run->ndevices + 1));

		for (int d = 0; d < run->ndevices; d++)
			devices[d] = Int32GetDatum(fleet->devices[run->devices[d]].device_no);
		memset(nulls, false, sizeof(nulls));
		values[1] = CStringGetTextDatum(fleet->workers[run->worker].worker_id);
		values[2] = array_value(INT4OID, devices, NULL, run->ndevices).value;
		values[4] = time_of(scenario, run->started);
		nulls[5] = run->finished == PG_INT64_MAX;
		if (!nulls[5])
			values[5] = time_of(scenario, run->finished);
		values[6] = Float8GetDatum(run->joules);
		values[7] = Float8GetDatum(run->cost);
		pfree(devices);
	}
	tuplestore_putvalues(rows->result->setResult, rows->result->setDesc, values, nulls);
	for (int i = 0; i < 3; i++)
		if (!nulls[i])
			pfree(DatumGetPointer(values[i]));
}

/*
 * Begins a call: as the extension's owner, with a search_path that nobody else chooses.  The
 * functions have none of their own, as they would hide the caller's, by which a table of arrivals
 * is found.  Returns what end_simulating() wants to know.
 */
int
begin_simulating(FunctionCallInfo fcinfo, Caller *caller, const char **callers_path)
{
	int level;

	*callers_path = pstrdup(GetConfigOption("search_path", false, false));
	*caller = call_begin(fcinfo);
	level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	return level;
}

/* Ends such a call. */
void
end_simulating(const Caller *caller, int level)
{
	AtEOXact_GUC(true, level);
	call_end(caller);
}

/* simulate(scenario jsonb, pool text) RETURNS TABLE */
Datum
hwsched_simulate(PG_FUNCTION_ARGS)
{
	Jsonb *document = jsonb_argument(0);
	char *pool = text_argument(fcinfo, 1);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Scenario scenario;
	RunRows rows = {&scenario, result};
	Caller caller;
	const char *path;
	int level;

	InitMaterializedSRF(fcinfo, 0);
	level = begin_simulating(fcinfo, &caller, &path);
	authz_check_view(&caller, pool);
	scenario_read(&caller, path, document, pool, &scenario);
	simulate(&scenario, return_run, &rows);
	end_simulating(&caller, level);
	return (Datum) 0;
}

/* Sets a column, NULL if it is not known. */
static void
set_number(Datum *values, bool *nulls, int column, double number)
{
	nulls[column] = isnan(number);
	values[column] = Float8GetDatum(number);
}

static void
set_seconds(Datum *values, bool *nulls, int column, const SecondsSummary *seconds)
{
	set_number(values, nulls, column, seconds->mean);
	set_number(values, nulls, column + 1, seconds->p50);
	set_number(values, nulls, column + 2, seconds->p90);
	set_number(values, nulls, column + 3, seconds->p99);
}

/* simulate_summary(scenario jsonb, pool text) RETURNS record */
Datum
hwsched_simulate_summary(PG_FUNCTION_ARGS)
{
	Jsonb *document = jsonb_argument(0);
	char *pool = text_argument(fcinfo, 1);
	TupleDesc description;
	Scenario scenario;
	Summary summary;
	Caller caller;
	const char *path;
	int level;
	Datum values[14] = {0};
	bool nulls[14] = {0};
	MemoryContext keep = CurrentMemoryContext;
	Datum row;

	if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "simulate_summary must return a row");
	description = BlessTupleDesc(description);
	level = begin_simulating(fcinfo, &caller, &path);
	authz_check_view(&caller, pool);
	scenario_read(&caller, path, document, pool, &scenario);
	simulate_summary(&scenario, &summary);
	set_number(values, nulls, 0, summary.makespan);
	set_seconds(values, nulls, 1, &summary.wait);
	set_seconds(values, nulls, 5, &summary.completion);
	values[9] = JsonbPGetDatum(summary_utilisation(&summary));
	set_number(values, nulls, 10, summary.joules);
	set_number(values, nulls, 11, summary.cost);
	values[12] = Int64GetDatum(summary.starved);
	values[13] = Int64GetDatum(summary.moves);
	MemoryContextSwitchTo(keep);
	row = HeapTupleGetDatum(heap_form_tuple(description, values, nulls));
	end_simulating(&caller, level);
	PG_RETURN_DATUM(row);
}
