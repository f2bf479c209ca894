/*
 * pool.c
 *		Pools for SQL: created, altered, dropped, and their settings shown.
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "miscadmin.h"

#include "api/capacity.h"
#include "api/settle.h"
#include "store/pool.h"
#include "store/settings.h"
#include "store/wakeup.h"
#include "support/args.h"
#include "support/spi_plan.h"

PG_FUNCTION_INFO_V1(hwsched_create_pool);
PG_FUNCTION_INFO_V1(hwsched_alter_pool);
PG_FUNCTION_INFO_V1(hwsched_pause_pool);
PG_FUNCTION_INFO_V1(hwsched_resume_pool);
PG_FUNCTION_INFO_V1(hwsched_drop_pool);
PG_FUNCTION_INFO_V1(hwsched_pool_settings);
PG_FUNCTION_INFO_V1(hwsched_settings_history);
PG_FUNCTION_INFO_V1(hwsched_rollback_settings);

/* create_pool(pool text, settings jsonb) RETURNS void */
Datum
hwsched_create_pool(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.pool (pool) VALUES ($1) ON CONFLICT DO NOTHING", {TEXTOID}};
	char *pool = text_argument(fcinfo, 0);
	Jsonb *settings = jsonb_argument(1);
	Caller caller;

	if (pool[0] == '\0' || strlen(pool) > 200)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid name of a pool: \"%s\"", pool),
						errdetail("Expected 1 to 200 bytes.")));
	caller = call_begin(fcinfo);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION), errmsg("pool \"%s\" already exists", pool),
				 errhint("Change its settings with hwsched.alter_pool().")));
	settings_change(&caller, pool, settings, NULL);
	wake_for_pools();
	call_end(&caller);
	PG_RETURN_VOID();
}

/*
 * Changes settings of a pool, which is locked, and what follows from them at once; returns the
 * number of the version.
 */
static int64
change_settings(const Caller *caller, const char *pool, Jsonb *changes, const char *reason)
{
	/*
	 * an old snapshot does not see who has become full, or got more than it takes now: there it
	 * is any row, so that whatever has changed since fails with 40001
	 */
	static SpiPlan roomier = {
		"UPDATE hwsched.worker_usage SET is_full = false WHERE pool = $1 AND (is_full OR $2)",
		{TEXTOID, BOOLOID}};
	JsonbValue found;
	int64 version = settings_change(caller, pool, changes, reason);

	/* devices may have more slots now, or less */
	if (getKeyJsonValueFromContainer(&changes->root, "max_concurrent", strlen("max_concurrent"),
									 &found) != NULL)
	{
		spi_plan_run(&roomier, false, TEXT_VALUE(pool),
					 VALUE(BoolGetDatum(IsolationUsesXactSnapshot())));
		requeue_exceeding(pool, NULL, "the pool's max_concurrent was lowered");
	}
	return version;
}

/*
 * alter_pool(pool text, settings jsonb, reason text) RETURNS void; null resets a setting, and a
 * reason that is NULL is none
 */
Datum
hwsched_alter_pool(PG_FUNCTION_ARGS)
{
	char *pool = text_argument(fcinfo, 0);
	Jsonb *settings = jsonb_argument(1);
	char *reason = PG_ARGISNULL(2) ? NULL : name_argument(fcinfo, 2, "reason");
	Caller caller = call_begin(fcinfo);

	pool_check(pool, false);
	pool_lock(pool);
	change_settings(&caller, pool, settings, reason);
	call_end(&caller);
	PG_RETURN_VOID();
}

/* rollback_settings(version bigint, pool text) RETURNS bigint: the version that it makes */
Datum
hwsched_rollback_settings(PG_FUNCTION_ARGS)
{
	int64 version = bigint_argument(0);
	char *pool = text_argument(fcinfo, 1);
	Caller caller = call_begin(fcinfo);
	int64 made;

	pool_check(pool, false);
	pool_lock(pool);
	made = change_settings(&caller, pool, settings_changes_back(pool, version),
						   psprintf("rollback to version " INT64_FORMAT, version));
	call_end(&caller);
	PG_RETURN_INT64(made);
}

/* Sets whether a pool is paused, to what change says, unless it is so already. */
static Datum
set_paused(FunctionCallInfo fcinfo, bool paused, const char *change)
{
	char *pool = text_argument(fcinfo, 0);
	Caller caller = call_begin(fcinfo);
	PoolSettings settings;

	authz_check_coordinate(&caller, pool);
	pool_check(pool, false);
	/* who decides has committed then: nothing is placed any more once this is */
	pool_lock(pool);
	pool_settings_load(pool, false, &settings);
	if (settings.paused != paused)
		settings_change(&caller, pool,
						DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(change))),
						NULL);
	call_end(&caller);
	PG_RETURN_VOID();
}

/* pause_pool(pool text) RETURNS void */
Datum
hwsched_pause_pool(PG_FUNCTION_ARGS)
{
	return set_paused(fcinfo, true, "{\"paused\": true}");
}

/* resume_pool(pool text) RETURNS void */
Datum
hwsched_resume_pool(PG_FUNCTION_ARGS)
{
	return set_paused(fcinfo, false, "{\"paused\": null}");
}

/* drop_pool(pool text) RETURNS void: and all that is in it */
Datum
hwsched_drop_pool(PG_FUNCTION_ARGS)
{
#define REMOVE_FROM(table) \
	{ \
		"DELETE FROM hwsched." table " WHERE pool = $1", \
		{ \
			TEXTOID \
		} \
	}
	static SpiPlan statements[] = {
		/* waits for who loads history */
		{"SELECT FROM hwsched.pool WHERE pool = $1 FOR UPDATE", {TEXTOID}},
		REMOVE_FROM("reserved_place"),
		REMOVE_FROM("key_holder"),
		REMOVE_FROM("tenant_past"),
		REMOVE_FROM("unsettled"),
		REMOVE_FROM("dependency"),
		REMOVE_FROM("pending"),
		REMOVE_FROM("progress"),
		REMOVE_FROM("assignment"),
		REMOVE_FROM("submission"),
		REMOVE_FROM("device_heat"),
		REMOVE_FROM("device_load"),
		REMOVE_FROM("device_usage"),
		REMOVE_FROM("device"),
		REMOVE_FROM("worker_usage"),
		REMOVE_FROM("worker_load"),
		REMOVE_FROM("worker_login"),
		REMOVE_FROM("worker"),
		REMOVE_FROM("hardware"),
		REMOVE_FROM("workload_profile"),
		REMOVE_FROM("device_profile"),
		REMOVE_FROM("track_record"),
		REMOVE_FROM("duration_record"),
		REMOVE_FROM("prediction_error"),
		REMOVE_FROM("model_placement"),
		REMOVE_FROM("power_measurement"),
		REMOVE_FROM("load_history"),
		REMOVE_FROM("recorded_assignment"),
		REMOVE_FROM("recorded_execution"),
		REMOVE_FROM("utilization_hour"),
		REMOVE_FROM("thermal_hour"),
		REMOVE_FROM("assignment_hour"),
		REMOVE_FROM("execution_hour"),
		REMOVE_FROM("history_progress"),
		REMOVE_FROM("history_late"),
		REMOVE_FROM("settings_version"),
		REMOVE_FROM("pool_activity"),
		REMOVE_FROM("pool_login"),
		REMOVE_FROM("tenant_login"),
		REMOVE_FROM("closed_pool"),
		REMOVE_FROM("pool"),
	};
	char *pool = text_argument(fcinfo, 0);
	Caller caller;

	if (strcmp(pool, "default") == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("pool \"default\" cannot be dropped"),
						errhint("It is there as long as the extension is.")));
	caller = call_begin(fcinfo);
	(void) pool_acquire(pool, AccessExclusiveLock, false);
	pool_check(pool, false);
	for (int i = 0; i < lengthof(statements); i++)
		spi_plan_run(&statements[i], false, TEXT_VALUE(pool));
	settings_forget();
	call_end(&caller);
	wake_for_pools();
	PG_RETURN_VOID();
}

/* pool_settings(pool text) RETURNS TABLE (name, value, default_value, description) */
Datum
hwsched_pool_settings(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"SELECT s.name, coalesce("
		"  CASE WHEN $2 IS NULL OR s.name <> 'tenants' THEN v.settings -> s.name"
		"   ELSE (SELECT jsonb_object_agg(e.key, e.value)"
		"    FROM jsonb_each(v.settings -> 'tenants') e WHERE e.key = ANY ($2)) END,"
		"  s.default_value), s.default_value, s.description"
		" FROM hwsched_internal.setting s"
		" LEFT JOIN LATERAL (SELECT settings FROM hwsched.settings_version"
		"  WHERE pool = $1 ORDER BY version DESC LIMIT 1) v ON true ORDER BY s.name",
		{TEXTOID, TEXTARRAYOID}};
	char *pool = text_argument(fcinfo, 0);
	Caller caller;
	Scope scope;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	scope = authz_seen(&caller, pool);
	pool_check(pool, true);
	spi_plan_run(&statement, true, TEXT_VALUE(pool), scope_tenants(&scope));
	return_rows(fcinfo);
	call_end(&caller);
	return (Datum) 0;
}

/*
 * settings_history(pool text) RETURNS TABLE (version, changed_at, changed_by, reason, changes).  A
 * setting that a version does not have counts with its default.  What the oldest version that is
 * kept has changed is not known, unless it is the first.
 */
Datum
hwsched_settings_history(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"SELECT v.version, v.changed_at, v.changed_by, v.reason,"
		" CASE WHEN v.version = 1 OR v.before IS NOT NULL THEN c.changes END"
		" FROM (SELECT s.*, lag(s.settings) OVER (ORDER BY s.version) AS before"
		"  FROM hwsched.settings_version s WHERE s.pool = $1) v"
		" CROSS JOIN LATERAL (SELECT coalesce(jsonb_object_agg(k.name,"
		"   jsonb_build_object('old', k.old, 'new', k.new)), '{}') AS changes"
		"  FROM (SELECT n.name, coalesce(v.before -> n.name, d.default_value) AS old,"
		"    coalesce(v.settings -> n.name, d.default_value) AS new"
		"   FROM jsonb_object_keys(coalesce(v.before, '{}') || v.settings) n (name)"
		"   LEFT JOIN hwsched_internal.setting d ON d.name = n.name) k"
		"  WHERE k.old IS DISTINCT FROM k.new) c ORDER BY v.version",
		{TEXTOID},
		IN_SETS};
	char *pool = text_argument(fcinfo, 0);
	Caller caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	authz_check_view(&caller, pool);
	pool_check(pool, true);
	spi_plan_run(&statement, true, TEXT_VALUE(pool));
	return_rows(fcinfo);
	call_end(&caller);
	return (Datum) 0;
}
