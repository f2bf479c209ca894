/*
 * workload.c
 *		Workloads in their table: the state of one, and who may know of it.
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

/* Raises that there is no such workload, as far as the caller is told. */
pg_noreturn static void
unknown_workload(const char *pool, const char *workload_id)
{
	ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
					errmsg("unknown workload \"%s\" in pool \"%s\"", workload_id, pool)));
}

/* Raises ERRCODE_NO_DATA_FOUND for a workload that there is, but not in a scope. */
void
workload_check_scope(const Scope *scope, const char *pool, const char *workload_id)
{
	static SpiPlan statement = {
		"SELECT FROM hwsched.submission s JOIN hwsched.workload_profile p"
		"  ON p.pool = s.pool AND p.profile_id = s.profile_id"
		" WHERE s.pool = $1 AND s.workload_id = $2 AND p.tenant <> ALL ($3)",
		{TEXTOID, TEXTOID, TEXTARRAYOID}};

	if (!scope->all && spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(workload_id),
									scope_tenants(scope)) > 0)
		unknown_workload(pool, workload_id);
}

/* Raises an error unless the caller sees a workload, if there is one. */
void
workload_check_seen(const Caller *caller, const char *pool, const char *workload_id)
{
	Scope scope = authz_seen(caller, pool);

	workload_check_scope(&scope, pool, workload_id);
}

/* Raises an error unless the caller acts for whom a workload is, if there is one. */
void
workload_check_acts(const Caller *caller, const char *pool, const char *workload_id)
{
	Scope scope = authz_acts_for(caller, pool);

	workload_check_scope(&scope, pool, workload_id);
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
		unknown_workload(pool, workload_id);
	}
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("workload \"%s\" is %s", workload_id, state),
					errdetail("Only a workload that is %s can be %s.", needed, action)));
}
