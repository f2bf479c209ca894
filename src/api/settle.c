/*
 * settle.c
 *		What completed assignments leave to be done: their capacity is given
 *		back, their workloads are closed, and the pool learns from them.
 *
 * complete() is called as often as there is work, by many at once, and all of
 * them would change the same few rows.  So it only ends the assignment and notes
 * it in hwsched.unsettled; whoever locks the pool next settles all that is noted
 * in one go.  Until then the tables of usage and the submissions are behind by
 * just those notes: who reads them without the lock takes the notes into
 * account (read_unsettled, and the views).
 */
#include "postgres.h"

#include "access/xact.h"
#include "support/args.h"
#include "funcapi.h"
#include "store/health.h"
#include "learn/track_record.h"
#include "store/pool.h"
#include "api/settle.h"
#include "support/ddsketch_array.h"
#include "support/spi_plan.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(unsettled_records);

/* In the order in which they were assigned: what is learned depends on it. */
#define OF_NOTES \
	" JOIN hwsched.assignment a ON a.pool = $1 AND a.assignment_id = u.assignment_id" \
	" JOIN hwsched.workload_profile p ON p.pool = $1 AND p.profile_id = a.profile_id ORDER BY a.assignment_id"

/* Settles what has been completed in a pool, which is locked. */
void
settle(const char *pool)
{
	static SpiPlan take = {
		"WITH u AS (DELETE FROM hwsched.unsettled WHERE pool = $1 RETURNING assignment_id)"
		" SELECT " ENDED_COLUMNS " FROM u" OF_NOTES,
		{TEXTOID}
	};
	EndedAssignment *ended;
	PoolSettings settings;
	int			n;

	if (spi_plan_run(&take, false, TEXT_VALUE(pool)) == 0)
		return;
	n = read_ended(&ended);
	pool_settings_load(pool, false, &settings);
	release_capacity(pool, ended, n);
	complete_workloads(pool, ended, n);
	learn_from(pool, &settings, ended, n, true);
	health_succeeded(pool, ended, n);
}

/* Reads what has been completed and not settled; returns how much and sets *ended. */
int
read_unsettled(const char *pool, bool read_only, EndedAssignment **ended)
{
	static SpiPlan statement = {
		"SELECT " ENDED_COLUMNS " FROM (SELECT assignment_id FROM hwsched.unsettled WHERE pool = $1) u" OF_NOTES,
		{TEXTOID}
	};

	spi_plan_run(&statement, read_only, TEXT_VALUE(pool));
	return read_ended(ended);
}

/* unsettled_records(pool text) RETURNS SETOF track_record: as they will be */
Datum
unsettled_records(PG_FUNCTION_ARGS)
{
	char	   *pool = text_argument(fcinfo, 0);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PoolSettings settings;
	EndedAssignment *ended;
	Learned    *learned;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	pool_settings_load(pool, true, &settings);
	n = read_unsettled(pool, true, &ended);
	if (!settings.learning)
		n = 0;
	if (n > 0)
		n = learn(pool, &settings, ended, n, true, true, &learned);
	for (int i = 0; i < n; i++)
	{
		const Sketch *durations = learned[i].durations;
		Datum		values[] = {
			CStringGetTextDatum(pool), CStringGetTextDatum(learned[i].workload_type), CStringGetTextDatum(learned[i].worker_id),
			Float8GetDatum(learned[i].preference), Int64GetDatum(learned[i].samples),
			TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), Int64GetDatum(learned[i].successes),
			Int64GetDatum(learned[i].failures), Float8GetDatum(learned[i].mean_seconds), Float8GetDatum(learned[i].squares),
			Float8GetDatum(learned[i].min_seconds), Float8GetDatum(learned[i].max_seconds), sketch_arrays(&durations, 1).numbers.value
		};
		bool		nulls[lengthof(values)] = {false};

		for (int c = 8; c < 12; c++)
			nulls[c] = isnan(learned[i].mean_seconds);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}
