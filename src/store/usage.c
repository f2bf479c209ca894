/*
 * usage.c
 *		Keeps what live assignments hold of workers and devices.
 *
 * Whoever changes it holds the pool's lock, so that two never wait for each
 * other.  Changes are relative: releasing needs no snapshot of the whole.
 */
#include "postgres.h"

#include "store/usage.h"
#include "support/spi_plan.h"

/*
 * So many changes, each found in the index; more are worth a scan of the table.
 * Two statements, as a session keeps one plan that fits all of either.
 */
#define FEW_CHANGES 3000

static void
change_workers(const char *pool, const WorkerChange *changes, int count)
{
#define CHANGE_WORKERS \
	"UPDATE hwsched.worker_usage u SET assignments = u.assignments + ($3)[i]," \
	"  cpu_millicores = u.cpu_millicores + ($4)[i], host_memory_bytes = u.host_memory_bytes +" \
	" ($5)[i]," \
	"  total_assignments = u.total_assignments + ($6)[i], last_turn = greatest(u.last_turn," \
	" ($7)[i])," \
	"  is_full = CASE WHEN ($3)[i] < 0 THEN false ELSE u.is_full OR u.assignments = ($8)[i] END," \
	"  ran_at = CASE WHEN ($9)[i] THEN now() ELSE u.ran_at END" \
	" FROM (SELECT unnest($2) AS worker_id, generate_subscripts($2, 1) AS i) c" \
	" WHERE u.pool = $1 AND u.worker_id = c.worker_id", \
	{ \
		TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID, \
			INT8ARRAYOID, INT4ARRAYOID, BOOLARRAYOID \
	}
	static SpiPlan few = {CHANGE_WORKERS, BY_KEY_ONLY};
	static SpiPlan many = {CHANGE_WORKERS, IN_SETS};
	Datum *worker_ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (count + 1));
	Parameter parameters[9] = {TEXT_VALUE(pool)};
	int32 *assignments = fixed_array(INT4OID, sizeof(*assignments), count, &parameters[2]);
	int64 *cpu = fixed_array(INT8OID, sizeof(*cpu), count, &parameters[3]);
	int64 *host_memory = fixed_array(INT8OID, sizeof(*host_memory), count, &parameters[4]);
	int32 *made = fixed_array(INT4OID, sizeof(*made), count, &parameters[5]);
	int64 *last_turn = fixed_array(INT8OID, sizeof(*last_turn), count, &parameters[6]);
	int32 *full_from = fixed_array(INT4OID, sizeof(*full_from), count, &parameters[7]);
	bool *ran = fixed_array(BOOLOID, sizeof(*ran), count, &parameters[8]);

	for (int i = 0; i < count; i++)
	{
		worker_ids[i] = CStringGetTextDatum(changes[i].worker_id);
		assignments[i] = changes[i].assignments;
		cpu[i] = changes[i].cpu_millicores;
		host_memory[i] = changes[i].host_memory_bytes;
		made[i] = changes[i].made;
		last_turn[i] = changes[i].last_turn;
		full_from[i] = changes[i].full_from;
		ran[i] = changes[i].ran;
	}
	parameters[1] = array_value(TEXTOID, worker_ids, NULL, count);
	spi_plan_execute(count <= FEW_CHANGES ? &few : &many, false, parameters, lengthof(parameters));
}

static void
change_devices(const char *pool, const DeviceChange *changes, int count)
{
#define CHANGE_DEVICES \
	"UPDATE hwsched.device_usage u SET slots = u.slots + ($4)[i], share = u.share + ($5)[i]," \
	"  memory_bytes = u.memory_bytes + ($6)[i]" \
	" FROM (SELECT unnest($2) AS worker_id, unnest($3) AS device_no, generate_subscripts($2," \
	" 1) AS i) c" \
	" WHERE u.pool = $1 AND u.worker_id = c.worker_id AND u.device_no = c.device_no", \
	{ \
		TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT8ARRAYOID \
	}
	static SpiPlan few = {CHANGE_DEVICES, BY_KEY_ONLY};
	static SpiPlan many = {CHANGE_DEVICES, IN_SETS};
	Datum *worker_ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (count + 1));
	Parameter parameters[6] = {TEXT_VALUE(pool)};
	int32 *device_no = fixed_array(INT4OID, sizeof(*device_no), count, &parameters[2]);
	int32 *slots = fixed_array(INT4OID, sizeof(*slots), count, &parameters[3]);
	int32 *share = fixed_array(INT4OID, sizeof(*share), count, &parameters[4]);
	int64 *memory = fixed_array(INT8OID, sizeof(*memory), count, &parameters[5]);

	for (int i = 0; i < count; i++)
	{
		worker_ids[i] = CStringGetTextDatum(changes[i].worker_id);
		device_no[i] = changes[i].device_no;
		slots[i] = changes[i].slots;
		share[i] = changes[i].share;
		memory[i] = changes[i].memory_bytes;
	}
	parameters[1] = array_value(TEXTOID, worker_ids, NULL, count);
	spi_plan_execute(count <= FEW_CHANGES ? &few : &many, false, parameters, lengthof(parameters));
}

/* Adds changes, one per worker and one per device, to the usage. */
void
usage_change(const char *pool, const WorkerChange *workers, int nworkers,
			 const DeviceChange *devices, int ndevices)
{
	if (nworkers > 0)
		change_workers(pool, workers, nworkers);
	if (ndevices > 0)
		change_devices(pool, devices, ndevices);
}

/*
 * Finds the workers on which live assignments hold more than there is, of the
 * worker or of one of its devices, with max_concurrent slots on each: one
 * worker, or with NULL any of the pool.  Returns their number and sets
 * *worker_ids.
 */
int
usage_exceeding(const char *pool, const char *worker_id, int32 max_concurrent,
				const char ***worker_ids)
{
#define EXCEEDING(condition) \
	"SELECT w.worker_id FROM hwsched.worker w" \
	" JOIN hwsched.worker_usage u ON u.pool = w.pool AND u.worker_id = w.worker_id" \
	" LEFT JOIN hwsched.device d ON d.pool = w.pool AND d.worker_id = w.worker_id" \
	" LEFT JOIN hwsched.device_usage du ON du.pool = d.pool AND du.worker_id = d.worker_id" \
	" AND du.device_no = d.device_no" \
	" WHERE w.pool = $1 AND u.assignments > 0 AND " condition \
	" GROUP BY w.worker_id, u.assignments, w.max_concurrent, u.cpu_millicores, w.cpu_millicores," \
	"  u.host_memory_bytes, w.memory_bytes" \
	" HAVING u.assignments > w.max_concurrent OR u.cpu_millicores > w.cpu_millicores" \
	"  OR u.host_memory_bytes > w.memory_bytes" \
	"   - coalesce(sum(du.memory_bytes) FILTER (WHERE d.uses_host_memory), 0)" \
	"  OR bool_or(du.memory_bytes > d.memory_bytes" \
	"     OR du.slots * 1000000::bigint + du.share * $3::bigint > 1000000 * $3::bigint)" \
	" ORDER BY w.worker_id", \
	{ \
		TEXTOID, TEXTOID, INT4OID \
	}
	static SpiPlan of_worker = {EXCEEDING("w.worker_id = $2"), BY_KEY_ONLY};
	static SpiPlan of_pool = {EXCEEDING("$2 IS NULL"), IN_SETS};
	int n = (int) spi_plan_run(worker_id != NULL ? &of_worker : &of_pool, false, TEXT_VALUE(pool),
							   TEXT_OR_NULL(worker_id), INT_VALUE(max_concurrent));

	*worker_ids = palloc(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		(*worker_ids)[i] = column_text(i, 1);
	return n;
}
