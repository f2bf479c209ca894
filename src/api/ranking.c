/*
 * ranking.c
 *		Hardware in an order: the best for a type of work, the fastest at an
 *		operation, and workers that stand in for another.
 */
#include "postgres.h"

#include "funcapi.h"

#include "document/infer.h"
#include "document/taxonomy.h"
#include "learn/duration_store.h"
#include "model/formula.h"
#include "model/score.h"
#include "store/authz.h"
#include "store/pool.h"
#include "store/profile_cache.h"
#include "store/settings.h"
#include "store/worker.h"
#include "support/args.h"

PG_FUNCTION_INFO_V1(hwsched_best_hardware);
PG_FUNCTION_INFO_V1(hwsched_performance_ranking);
PG_FUNCTION_INFO_V1(hwsched_fallback_workers);

/* --- the best hardware for a type of work --- */

/* A device profile for a type of work. */
typedef struct RankedProfile
{
	const DeviceProfile *profile;
	double efficiency; /* raw */
	double seconds;
	int64 runs;
} RankedProfile;

/* Orders device profiles: the quickest first, then the better suited. */
static int
compare_profiles(const void *a, const void *b)
{
	const RankedProfile *x = a;
	const RankedProfile *y = b;

	if (x->seconds != y->seconds)
		return x->seconds < y->seconds ? -1 : 1;
	if (x->efficiency != y->efficiency)
		return x->efficiency > y->efficiency ? -1 : 1;
	return strcmp(x->profile->model_name != NULL ? x->profile->model_name : "",
				  y->profile->model_name != NULL ? y->profile->model_name : "");
}

/* Puts a device profile into the result. */
static void
put_profile(ReturnSetInfo *result, const RankedProfile *ranked)
{
	const DeviceProfile *profile = ranked->profile;
	Datum values[5] = {
		profile->model_name == NULL ? (Datum) 0 : CStringGetTextDatum(profile->model_name),
		CStringGetTextDatum(profile->hardware_class), Float8GetDatum(ranked->efficiency),
		Float8GetDatum(ranked->seconds), Int64GetDatum(ranked->runs)};
	bool nulls[5] = {profile->model_name == NULL};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* best_hardware(workload_type text, pool text) RETURNS SETOF record */
Datum
hwsched_best_hardware(PG_FUNCTION_ARGS)
{
	/* runs elsewhere are of a model by its name */
	static SpiPlan find = {
		"SELECT p.profile_id, coalesce(a.runs, 0) + coalesce(r.runs, 0)"
		" FROM hwsched.device_profile p"
		" LEFT JOIN (SELECT a.device_profile_id, count(*) AS runs FROM hwsched.assignment a"
		"   JOIN hwsched.workload_profile w ON w.pool = a.pool AND w.profile_id = a.profile_id"
		"   WHERE a.pool = $1 AND a.state = 'completed' AND w.workload_type = $2 GROUP BY 1) a"
		"  ON a.device_profile_id = p.profile_id"
		" LEFT JOIN (SELECT r.model_name, count(*) AS runs FROM hwsched.recorded_execution r"
		"   WHERE r.pool = $1 AND r.state = 'completed' AND r.workload_type = $2 GROUP BY 1) r"
		"  ON r.model_name = p.model_name"
		" WHERE p.pool = $1 AND p.profile_id IN (SELECT d.profile_id FROM hwsched.device d"
		"  WHERE d.pool = $1)",
		{TEXTOID, TEXTOID},
		IN_SETS};
	char *workload_type = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *pool = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PoolSettings settings;
	WorkloadProfile workload;
	DeviceProfile *profiles;
	RankedProfile *ranked;
	int64 *ids;
	double *bases;
	double *seconds;
	int n;
	Caller caller;

	if (!taxonomy_knows(NAME_WORKLOAD_TYPE, workload_type))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown workload type \"%s\"", workload_type),
						errhint("Known names are: %s.", taxonomy_list(NAME_WORKLOAD_TYPE))));
	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	authz_check_view(&caller, pool);
	pool_settings_load(pool, true, &settings);
	n = (int) spi_plan_run(&find, true, TEXT_VALUE(pool), TEXT_VALUE(workload_type));
	ids = palloc(sizeof(int64) * (n + 1));
	bases = palloc(sizeof(double) * (n + 1));
	seconds = palloc(sizeof(double) * (n + 1));
	profiles = palloc(sizeof(DeviceProfile) * (n + 1));
	ranked = palloc(sizeof(RankedProfile) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		ids[i] = column_bigint(i, 1);
		ranked[i].runs = column_bigint(i, 2);
	}
	device_profiles_get(pool, ids, n, true, profiles);
	infer_typical_profile(workload_type, NAN, &workload);
	for (int i = 0; i < n; i++)
	{
		ranked[i].profile = &profiles[i];
		ranked[i].efficiency = raw_efficiency(&workload, &profiles[i]);
		seconds[i] = predict_seconds(&workload, &profiles[i], NAN);
		bases[i] = base_seconds(&workload, &profiles[i], NAN);
	}
	if (settings.learning)
		expect_typical(pool, workload_type, ids, n, bases, seconds);
	for (int i = 0; i < n; i++)
		ranked[i].seconds = seconds[i];
	qsort(ranked, n, sizeof(RankedProfile), compare_profiles);
	for (int i = 0; i < n; i++)
		if (device_mismatch(&workload, ranked[i].profile) == MATCHES)
			put_profile(result, &ranked[i]);
	call_end(&caller);
	return (Datum) 0;
}

/* --- the fastest at an operation --- */

/* performance_ranking(operation text, "precision" text, pool text) RETURNS SETOF record */
Datum
hwsched_performance_ranking(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"SELECT p.model_name, p.hardware_class,"
		" (p.profile -> 'performance_profile' -> ($3 || '_' || $2))::float8, d.devices"
		" FROM (SELECT profile_id, count(*) AS devices FROM hwsched.device WHERE pool = $1"
		"  GROUP BY profile_id) d"
		" JOIN hwsched.device_profile p ON p.pool = $1 AND p.profile_id = d.profile_id"
		" WHERE p.profile -> 'performance_profile' ? ($3 || '_' || $2)"
		" ORDER BY 3 DESC, p.model_name COLLATE \"C\", p.profile_id",
		{TEXTOID, TEXTOID, TEXTOID},
		IN_SETS};
	char *pool = text_to_cstring(PG_GETARG_TEXT_PP(2));
	Caller caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	(void) authz_seen(&caller, pool);
	pool_check(pool, true);
	spi_plan_run(&statement, true, TEXT_VALUE(pool), VALUE(PG_GETARG_DATUM(0)),
				 VALUE(PG_GETARG_DATUM(1)));
	return_rows(fcinfo);
	call_end(&caller);
	return (Datum) 0;
}

/* --- workers that stand in for another --- */

/*
 * fallback_workers(worker_id text, pool text) RETURNS TABLE (worker_id, score).  What has to be
 * stood in for are the worker's accelerators, or its CPU where it has none, each by the best of
 * the other's devices; the score is their mean.
 */
Datum
hwsched_fallback_workers(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"WITH own AS MATERIALIZED (SELECT p.profile_id, p.profile"
		"  FROM (SELECT DISTINCT profile_id FROM hwsched.device"
		"   WHERE pool = $1 AND worker_id = $2) d"
		"  JOIN hwsched.device_profile p ON p.pool = $1 AND p.profile_id = d.profile_id"
		"  ORDER BY p.hardware_class = 'cpu'"
		"  FETCH FIRST 1 ROW WITH TIES),"
		" other AS MATERIALIZED (SELECT DISTINCT d.worker_id, d.profile_id FROM hwsched.device d"
		"  JOIN hwsched.worker w ON w.pool = $1 AND w.worker_id = d.worker_id"
		"  WHERE d.pool = $1 AND d.worker_id <> $2 AND w.state = 'active'"
		"   AND w.health IN ('healthy', 'probation')),"
		" pair AS MATERIALIZED (SELECT own.profile_id AS own, p.profile_id AS other,"
		"   hwsched.compatibility_score(own.profile, p.profile) AS score"
		"  FROM own, hwsched.device_profile p"
		"  WHERE p.pool = $1 AND p.profile_id IN (SELECT profile_id FROM other))"
		" SELECT b.worker_id, avg(b.score) FROM (SELECT other.worker_id, max(pair.score) AS score"
		"  FROM other JOIN pair ON pair.other = other.profile_id"
		"  GROUP BY other.worker_id, pair.own) b"
		" GROUP BY b.worker_id ORDER BY 2 DESC, b.worker_id",
		{TEXTOID, TEXTOID},
		IN_SETS};
	char *worker_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *pool = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Caller caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	(void) authz_seen(&caller, pool);
	pool_check(pool, true);
	worker_check(pool, worker_id);
	spi_plan_run(&statement, true, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
	return_rows(fcinfo);
	call_end(&caller);
	return (Datum) 0;
}
