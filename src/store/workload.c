/*
 * workload.c
 *		Workloads in their table: the state of one.
 */
#include "postgres.h"

#include "store/pool.h"
#include "store/workload.h"
#include "support/spi_plan.h"

/* Returns the state of a workload, or NULL if there is none of that name. */
char *
workload_state(const char *pool, const char *workload_id, bool read_only)
{
	static SpiPlan statement = {
		"SELECT state::text FROM hwsched.workload WHERE pool = $1 AND workload_id = $2",
		{TEXTOID, TEXTOID}};

	if (spi_plan_run(&statement, read_only, TEXT_VALUE(pool), TEXT_VALUE(workload_id)) == 0)
		return NULL;
	return column_text(0, 1);
}

/* Raises that a workload is unknown, or not in the state that is needed. */
void
workload_not_in_state(const char *pool, const char *workload_id, const char *action,
					  const char *needed)
{
	const char *state = workload_state(pool, workload_id, false);

	if (state == NULL)
	{
		pool_check(pool, false);
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						errmsg("unknown workload \"%s\" in pool \"%s\"", workload_id, pool)));
	}
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("workload \"%s\" is %s", workload_id, state),
					errdetail("Only a workload that is %s can be %s.", needed, action)));
}
