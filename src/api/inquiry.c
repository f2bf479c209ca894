/*
 * inquiry.c
 *		What a worker may ask about its work: it cannot read the tables.
 *
 * These functions write nothing and are volatile all the same: so they see what
 * claim() in the same statement has just placed.
 */
#include "postgres.h"

#include "store/authz.h"
#include "support/args.h"
#include "funcapi.h"
#include "store/pool.h"
#include "support/spi_plan.h"
#include "api/worker.h"

PG_FUNCTION_INFO_V1(requirements);
PG_FUNCTION_INFO_V1(running_on);

/* requirements(assignment_id bigint, pool text) RETURNS jsonb: of a live one */
Datum
requirements(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"SELECT a.worker_id, a.state::text, a.finished_at IS NULL,"
		"  s.requirements || pg_catalog.jsonb_build_object('test_id', s.workload_id, 'timeout', s.timeout_seconds)"
		" FROM hwsched.assignment a LEFT JOIN hwsched.submission s"
		"  ON s.pool = a.pool AND s.workload_id = a.workload_id AND s.run = a.run AND a.finished_at IS NULL"
		" WHERE a.pool = $1 AND a.assignment_id = $2",
		{TEXTOID, INT8OID}
	};
	int64		assignment_id = bigint_argument(0);
	char	   *pool = text_argument(fcinfo, 1);
	Caller		caller = call_begin(fcinfo);
	char	   *worker_id;
	char	   *state;
	bool		live;
	Datum		result;

	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id)) == 0)
	{
		pool_check(pool, false);
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("unknown assignment %lld in pool \"%s\"", (long long) assignment_id, pool)));
	}
	worker_id = column_text(0, 1);
	state = column_text(0, 2);
	live = column_bool(0, 3);
	result = live ? SPI_datumTransfer(JsonbPGetDatum(column_jsonb(0, 4)), false, -1) : (Datum) 0;
	authz_check_worker(&caller, pool, worker_id);
	if (!live)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("assignment %lld is %s", (long long) assignment_id, state),
				 errdetail("What it is to run can be asked while it is assigned or running.")));
	call_end(&caller);
	PG_RETURN_DATUM(result);
}

/* running_on(worker_id text, pool text) RETURNS SETOF assignment */
Datum
running_on(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"SELECT * FROM hwsched.assignment WHERE pool = $1 AND worker_id = $2 AND finished_at IS NULL AND state = 'running'"
		" ORDER BY priority, assignment_id",
		{TEXTOID, TEXTOID}
	};
	char	   *worker_id = text_argument(fcinfo, 0);
	char	   *pool = text_argument(fcinfo, 1);
	Caller		caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	authz_check_worker(&caller, pool, worker_id);
	worker_check(pool, worker_id);
	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
	return_rows(fcinfo);
	call_end(&caller);
	return (Datum) 0;
}
