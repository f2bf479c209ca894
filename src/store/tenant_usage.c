/*
 * tenant_usage.c
 *		What the work of tenants holds, and held.
 *
 * What an assignment held from s to t counts at the time n as the part
 * 2^-((n - t) / h) - 2^-((n - s) / h) of it in the mean of a past that weighs half as much each
 * half-life h.  Of ended work the sums decay alike, so one number of each is kept; live work is
 * counted as if it ended now.
 */
#include "postgres.h"

#include "store/settings.h"
#include "store/tenant_usage.h"
#include "support/spi_plan.h"

/* The accelerators that an assignment a of the profile p holds, as SQL. */
#define ACCELERATORS "(cardinality(a.device_nos) * (p.device_share / 1e6::float8))"

/* What counts by now of something at a time: 0..1, as SQL. */
#define SINCE(time, half_life) \
	"(2::float8 ^ greatest(-greatest(extract(epoch FROM now() - " time \
	")::float8, 0) / " half_life ", -1000::float8))"

/*
 * Reads what tenants with live work, or a past, hold and held.  half_life is in seconds; 0: the
 * past does not count.  Returns their number and sets *uses, in the order of their names.
 */
int
tenant_usage_read(const char *pool, double half_life, bool read_only, TenantUse **uses)
{
	static SpiPlan statement = {
		"SELECT u.tenant, coalesce(sum(u.accelerators), 0), coalesce(sum(u.cores), 0),"
		"  coalesce(sum(u.memory), 0), coalesce(sum(u.workloads), 0)::bigint,"
		"  coalesce(sum(u.past_accelerators), 0), coalesce(sum(u.past_cores), 0),"
		"  coalesce(sum(u.past_memory), 0)"
		" FROM (SELECT l.tenant, l.accelerators, l.cores, l.memory, l.workloads,"
		"        l.accelerators * l.part AS past_accelerators, l.cores * l.part AS past_cores,"
		"        l.memory * l.part AS past_memory"
		"  FROM (SELECT p.tenant, " ACCELERATORS " AS accelerators,"
		"         p.cpu_millicores / 1000.0::float8 AS cores,"
		"         p.host_memory_bytes::float8 AS memory,"
		/* a gang is one workload */
		"         CASE WHEN a.is_gang AND EXISTS (SELECT FROM hwsched.assignment b"
		"           WHERE b.pool = a.pool AND b.workload_id = a.workload_id"
		"            AND b.shard_no < a.shard_no AND b.finished_at IS NULL) THEN 0 ELSE 1 END"
		" AS workloads,"
		"         CASE WHEN $2 > 0 THEN 1 - " SINCE(
			"a.assigned_at",
			"$2") " ELSE 0 END AS part"
				  "   FROM hwsched.assignment a JOIN hwsched.workload_profile p"
				  "    ON p.pool = a.pool AND p.profile_id = a.profile_id"
				  "   WHERE a.pool = $1 AND a.finished_at IS NULL) l"
				  " UNION ALL"
				  "  SELECT t.tenant, 0, 0, 0, 0, t.accelerators * t.part, t.cpu_cores * t.part,"
				  "   t.memory_bytes * t.part"
				  "  FROM (SELECT *, " SINCE("updated_at",
											 "$2") " AS part FROM hwsched.tenant_past"
												   "   WHERE pool = $1 AND $2 > 0) t) u"
												   " GROUP BY u.tenant ORDER BY u.tenant",
		{TEXTOID, FLOAT8OID},
		IN_SETS};
	int n = (int) spi_plan_run(&statement, read_only, TEXT_VALUE(pool),
							   VALUE(Float8GetDatum(half_life)));

	*uses = palloc(sizeof(TenantUse) * (n + 1));
	for (int i = 0; i < n; i++)
		(*uses)[i] = (TenantUse){column_text(i, 1),
								 {column_number(i, 2), column_number(i, 3), column_number(i, 4)},
								 column_bigint(i, 5),
								 {column_number(i, 6), column_number(i, 7), column_number(i, 8)}};
	return n;
}

/* Returns what the healthy workers of a pool have. */
TenantAmount
tenant_usage_whole(const char *pool, bool read_only)
{
	static SpiPlan statement = {
		"SELECT (SELECT count(*)::float8 FROM hwsched.worker w"
		"  JOIN hwsched.device d ON d.pool = w.pool AND d.worker_id = w.worker_id"
		"  JOIN hwsched.device_profile p ON p.pool = d.pool AND p.profile_id = d.profile_id"
		"  WHERE w.pool = $1 AND w.state = 'active' AND w.health IN ('healthy', 'probation')"
		"   AND p.hardware_class <> 'cpu'),"
		" coalesce(sum(w.cpu_millicores), 0)::float8 / 1000, coalesce(sum(w.memory_bytes),"
		" 0)::float8"
		" FROM hwsched.worker w WHERE w.pool = $1 AND w.state = 'active'"
		"  AND w.health IN ('healthy', 'probation')",
		{TEXTOID},
		IN_SETS};

	spi_plan_run(&statement, read_only, TEXT_VALUE(pool));
	return (TenantAmount){column_number(0, 1), column_number(0, 2), column_number(0, 3)};
}

/* Notes what ended assignments held, if the pool shares fairly; the pool is locked. */
void
tenant_usage_ended(const char *pool, const int64 *assignment_ids, int count)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.tenant_past AS t (pool, tenant, accelerators, cpu_cores,"
		" memory_bytes, updated_at)"
		" SELECT $1, e.tenant, sum(e.accelerators * e.part), sum(e.cores * e.part),"
		"  sum(e.memory * e.part), now()"
		" FROM (SELECT p.tenant, " ACCELERATORS " AS accelerators,"
		"   p.cpu_millicores / 1000.0::float8 AS cores, p.host_memory_bytes::float8 AS memory,"
		"   greatest(0, " SINCE("a.finished_at", "$3") " - " SINCE(
			"a.assigned_at", "$3") ") AS part"
								   "  FROM hwsched.assignment a JOIN hwsched.workload_profile p"
								   "   ON p.pool = a.pool AND p.profile_id = a.profile_id"
								   "  WHERE a.pool = $1 AND a.assignment_id = ANY ($2)) e"
								   " GROUP BY e.tenant ORDER BY e.tenant"
								   " ON CONFLICT (pool, tenant) DO UPDATE SET updated_at = now(),"
								   "  accelerators = t.accelerators * " SINCE(
									   "t.updated_at",
									   "$3") " + EXCLUDED.accelerators,"
											 "  cpu_cores = t.cpu_cores * " SINCE(
												 "t.updated_at",
												 "$3") " + EXCLUDED.cpu_cores,"
													   "  memory_bytes = t.memory_bytes * " SINCE(
														   "t.updated_at",
														   "$3") " + EXCLUDED.memory_bytes",
		{TEXTOID, INT8ARRAYOID, FLOAT8OID}};
	PoolSettings settings;
	Parameter ids;
	int64 *id;

	pool_settings_load(pool, false, &settings);
	if (settings.fair_share == 0 || count == 0)
		return;
	id = fixed_array(INT8OID, sizeof(*id), count, &ids);
	memcpy(id, assignment_ids, sizeof(*id) * count);
	spi_plan_run(&statement, false, TEXT_VALUE(pool), ids,
				 VALUE(Float8GetDatum(settings.fair_share)));
}
