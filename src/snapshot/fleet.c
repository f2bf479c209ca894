/*
 * fleet.c
 *		Reads the fleet into memory, with what decisions on it need.
 *
 * Reading everything is nearly free beside writing a decision down, so a
 * batch reads the whole pool.  The caller says whether the statements may
 * write (a new snapshot each, under the pool's lock) or are read only (the
 * snapshot of the calling query).
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "place/fleet.h"
#include "place/greedy.h"
#include "snapshot/policy_context.h"
#include "snapshot/fleet.h"
#include "snapshot/forecast_reader.h"
#include "snapshot/groups.h"
#include "snapshot/labels.h"
#include "snapshot/retry_rules.h"
#include "snapshot/tenants.h"
#include "snapshot/windows.h"
#include "store/device_state.h"
#include "support/columns.h"

/* Begins a snapshot under some settings. */
void
snapshot_begin(PoolSnapshot *snapshot, const PoolSettings *settings)
{
	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->settings = *settings;
	placement_settings(&snapshot->settings, &snapshot->search.settings);
	policies_read(&snapshot->settings.policy, &snapshot->settings.policies, &snapshot->policies);
	snapshot->policies.objective = snapshot->settings.objective;
	snapshot->search.fleet = &snapshot->fleet;
	snapshot->search.keeps_second = strcmp(snapshot->settings.decision_detail, "second") == 0;
	snapshot->search.keeps_scores = strcmp(snapshot->settings.decision_detail, "none") != 0;
	snapshot->search.score_function = call_score_function;
	snapshot->search.score_context = &snapshot->policies;
}

/* Reads the pool's settings; raises ERRCODE_NO_DATA_FOUND if there is none. */
void
snapshot_settings(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	PoolSettings settings;

	pool_settings_load(pool, read_only, &settings);
	snapshot_begin(snapshot, &settings);
}

/* Numbers equal texts alike: what software a worker has, as one small number. */
static int
software_number(Fleet *fleet, HTAB *numbers, const char *text)
{
	typedef struct
	{
		uint64 hash; /* key */
		const char *text;
		int number;
	} SoftwareEntry;
	uint64 hash = DatumGetUInt64(hash_any_extended((const unsigned char *) text, strlen(text), 0));
	bool found;
	SoftwareEntry *entry = hash_search(numbers, &hash, HASH_ENTER, &found);

	while (found && strcmp(entry->text, text) != 0)
	{
		hash++;
		entry = hash_search(numbers, &hash, HASH_ENTER, &found);
	}
	if (!found)
	{
		entry->text = text;
		entry->number = fleet->nsoftware;
		fleet->software = repalloc(fleet->software, sizeof(NamedTexts) * (fleet->nsoftware + 1));
		fleet->software[fleet->nsoftware++] =
			read_software(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text))));
	}
	return entry->number;
}

/* A row of a worker: what is of the worker, and what it reported. */
typedef struct WorkerRow
{
	Worker worker;
	Reported report;
	const char *software; /* NULL: none, or not asked for */
	TimestampTz reported_at; /* 0: never */
	Datum temperatures;
	Datum throttles_at;
	Datum labels; /* a jsonb; 0: none, or not asked for */
	Datum taints; /* the same */
	const char *hostname;
	double phase_elapsed;
	double phase_duration;
} WorkerRow;

#define UTILIZATION(member) \
	{ \
		"coalesce(l." #member "_utilization, 0)", FLOAT8OID, \
			offsetof(WorkerRow, report.utilization.member) \
	}

static const Column worker_columns[] = {
	{"w.worker_id", CSTRINGOID, offsetof(WorkerRow, worker.worker_id)},
	{"w.state = 'active' AND w.health IN ('healthy', 'probation')"
	 " AND l.last_seen_at >= $3 - make_interval(secs => $5)"
	 " AND (w.drain_until > $3 AND w.drain_at <= $3) IS NOT TRUE",
	 BOOLOID, offsetof(WorkerRow, worker.accepting)},
	{"w.health IN ('offline', 'quarantined') OR l.last_seen_at < $3 - make_interval(secs => $5)",
	 BOOLOID, offsetof(WorkerRow, worker.unhealthy)},
	{"w.worker_id = ANY (ARRAY(SELECT a.worker_id FROM hwsched.assignment a WHERE a.pool = $1"
	 " AND a.alone AND a.finished_at IS NULL))",
	 BOOLOID, offsetof(WorkerRow, worker.runs_alone)},
	{"coalesce(CASE WHEN w.drain_until > $3 THEN extract(epoch FROM w.drain_at - $3)::float8 END,"
	 " 'infinity')",
	 FLOAT8OID, offsetof(WorkerRow, worker.window_in)},
	{"w.cpu_millicores", INT8OID, offsetof(WorkerRow, worker.cpu_millicores)},
	{"w.memory_bytes", INT8OID, offsetof(WorkerRow, worker.memory_bytes)},
	{"CASE w.health WHEN 'probation' THEN 1 ELSE w.max_concurrent END", INT4OID,
	 offsetof(WorkerRow, worker.max_concurrent)},
	{"coalesce(w.cost_per_hour, 0)", FLOAT8OID, offsetof(WorkerRow, worker.cost_per_hour)},
	{"u.assignments", INT4OID, offsetof(WorkerRow, worker.assignments)},
	{"u.cpu_millicores", INT8OID, offsetof(WorkerRow, worker.cpu_used)},
	{"u.host_memory_bytes", INT8OID, offsetof(WorkerRow, worker.memory_used)},
	{"u.total_assignments", INT8OID, offsetof(WorkerRow, worker.total_assignments)},
	{"u.last_turn", INT8OID, offsetof(WorkerRow, worker.last_turn)},
	{"CASE WHEN $2 AND w.software_versions <> '{}' THEN w.software_versions::text END", CSTRINGOID,
	 offsetof(WorkerRow, software)},
	{"CASE WHEN $6 THEN w.labels END", JSONBOID, offsetof(WorkerRow, labels)},
	{"w.taints", JSONBOID, offsetof(WorkerRow, taints)},
	{"CASE WHEN $6 THEN w.hostname END", CSTRINGOID, offsetof(WorkerRow, hostname)},
	UTILIZATION(cpu),
	UTILIZATION(memory),
	UTILIZATION(gpu),
	UTILIZATION(io),
	UTILIZATION(network),
	{"l.temperature", FLOAT8OID, offsetof(WorkerRow, report.temperature)},
	{"l.temperature_celsius", FLOAT8OID, offsetof(WorkerRow, report.celsius)},
	{"l.reported_at", TIMESTAMPTZOID, offsetof(WorkerRow, reported_at)},
	{"l.temperatures", FLOAT8ARRAYOID, offsetof(WorkerRow, temperatures)},
	{"l.throttles_at", FLOAT8ARRAYOID, offsetof(WorkerRow, throttles_at)},
	{"CASE hwsched_internal.phase_now(l.phase, l.phase_since, l.phase_duration)"
	 " WHEN 'warming' THEN 1 WHEN 'cooling' THEN 2 ELSE 0 END",
	 INT4OID, offsetof(WorkerRow, report.phase)},
	{"coalesce(extract(epoch FROM $3 - l.phase_since)::float8, 0)", FLOAT8OID,
	 offsetof(WorkerRow, phase_elapsed)},
	{"coalesce(extract(epoch FROM l.phase_duration)::float8, 0)", FLOAT8OID,
	 offsetof(WorkerRow, phase_duration)},
};

static const RowType worker_row = ROW_TYPE(WorkerRow, worker_columns);

/*
 * Two statements each: those of some workers probe the tables one by one, and
 * OFFSET 0 leaves the planner no other way, whatever it believes of them.
 */
#define WORKERS_SQL(from) "SELECT " ROW_COLUMNS " FROM " from " ORDER BY w.worker_id"
#define WORKERS_TYPES \
	{ \
		TEXTOID, BOOLOID, TIMESTAMPTZOID, TEXTARRAYOID, FLOAT8OID, BOOLOID \
	}
#define ALL_WORKERS \
	"hwsched.worker w" \
	" JOIN hwsched.worker_usage u ON u.pool = w.pool AND u.worker_id = w.worker_id" \
	" JOIN hwsched.worker_load l ON l.pool = w.pool AND l.worker_id = w.worker_id" \
	" WHERE w.pool = $1"
#define SOME_WORKERS \
	"unnest($4) e(worker_id)" \
	" CROSS JOIN LATERAL (SELECT * FROM hwsched.worker x WHERE x.pool = $1" \
	" AND x.worker_id = e.worker_id OFFSET 0) w" \
	" CROSS JOIN LATERAL (SELECT * FROM hwsched.worker_usage x WHERE x.pool = $1" \
	" AND x.worker_id = e.worker_id OFFSET 0) u" \
	" CROSS JOIN LATERAL (SELECT * FROM hwsched.worker_load x WHERE x.pool = $1" \
	" AND x.worker_id = e.worker_id OFFSET 0) l"

/* A row of a device. */
typedef struct DeviceRow
{
	Device device;
	Datum worker_id; /* a text */
	int64 profile_id;
	Datum labels; /* a jsonb; 0: none, or not asked for */
	double utilization; /* NAN: not reported, as below */
	double celsius;
} DeviceRow;

static const Column device_columns[] = {
	{"d.worker_id", TEXTOID, offsetof(DeviceRow, worker_id)},
	{"d.device_no", INT4OID, offsetof(DeviceRow, device.device_no)},
	{"d.device_id", CSTRINGOID, offsetof(DeviceRow, device.device_id)},
	{"d.profile_id", INT8OID, offsetof(DeviceRow, profile_id)},
	{"coalesce(d.memory_bytes, -1)", INT8OID, offsetof(DeviceRow, device.memory_bytes)},
	{"d.uses_host_memory", BOOLOID, offsetof(DeviceRow, device.uses_host_memory)},
	{"d.state = 'draining'", BOOLOID, offsetof(DeviceRow, device.draining)},
	{"d.health = 'quarantined'", BOOLOID, offsetof(DeviceRow, device.quarantined)},
	{"d.health = 'probation'", BOOLOID, offsetof(DeviceRow, device.on_probation)},
	{"CASE WHEN $3 THEN d.labels END", JSONBOID, offsetof(DeviceRow, labels)},
	{"u.slots", INT4OID, offsetof(DeviceRow, device.slots)},
	{"u.share", INT4OID, offsetof(DeviceRow, device.share)},
	{"u.memory_bytes", INT8OID, offsetof(DeviceRow, device.memory_used)},
	{"l.utilization", FLOAT8OID, offsetof(DeviceRow, utilization)},
	{"l.temperature_celsius", FLOAT8OID, offsetof(DeviceRow, celsius)},
};

static const RowType device_row = ROW_TYPE(DeviceRow, device_columns);

#define DEVICES_SQL(from) "SELECT " ROW_COLUMNS " FROM " from " ORDER BY d.worker_id, d.device_no"
#define DEVICES_TYPES \
	{ \
		TEXTOID, TEXTARRAYOID, BOOLOID \
	}
#define ALL_DEVICES \
	"hwsched.device d" \
	" JOIN hwsched.device_usage u ON u.pool = d.pool AND u.worker_id = d.worker_id" \
	" AND u.device_no = d.device_no" \
	" LEFT JOIN hwsched.device_load l ON l.pool = d.pool AND l.worker_id = d.worker_id" \
	" AND l.device_no = d.device_no" \
	" WHERE d.pool = $1"
#define SOME_DEVICES \
	"unnest($2) e(worker_id)" \
	" CROSS JOIN LATERAL (SELECT * FROM hwsched.device x WHERE x.pool = $1" \
	" AND x.worker_id = e.worker_id OFFSET 0) d" \
	" CROSS JOIN LATERAL (SELECT * FROM hwsched.device_usage x" \
	"  WHERE x.pool = $1 AND x.worker_id = d.worker_id AND x.device_no = d.device_no OFFSET 0) u" \
	" LEFT JOIN LATERAL (SELECT * FROM hwsched.device_load x" \
	"  WHERE x.pool = $1 AND x.worker_id = d.worker_id AND x.device_no = d.device_no OFFSET 0) l" \
	" ON true"

/* The workers while they are read. */
typedef struct WorkerReader
{
	Fleet *fleet;
	int allocated; /* of workers and reported */
	Reported *reported;
	HTAB *software;
	LabelReader *labels;
	TimestampTz now;
	bool learning; /* what was learned counts */
	double load_ttl;
} WorkerReader;

/* Takes a report that is too old for none; a thermal phase goes on. */
static void
forget_report(Worker *worker, Reported *report)
{
	worker->reported = false;
	memset(&report->utilization, 0, sizeof(report->utilization));
	report->temperature = report->celsius = NAN;
	report->elapsed = 0;
	report->temperatures = report->throttles_at = (DeviceNumbers){0, NULL};
}

static bool
read_worker(void *arg, const Row *row)
{
	WorkerReader *reader = arg;
	Fleet *fleet = reader->fleet;
	WorkerRow read = {0};
	Worker *worker = &read.worker;
	Reported *report = &read.report;

	read_row(&worker_row, row, &read);
	worker->software =
		read.software == NULL ? 0 : software_number(fleet, reader->software, read.software);
	worker->reported = read.reported_at != 0;
	report->elapsed =
		worker->reported ? (reader->now - read.reported_at) / (double) USECS_PER_SEC : 0;
	report->is_stale = report->elapsed > reader->load_ttl;
	report->performance_level =
		phase_performance_level(report->phase, read.phase_elapsed, read.phase_duration);
	if (report->is_stale)
		forget_report(worker, report);
	else
	{
		report->temperatures = device_numbers(read.temperatures);
		report->throttles_at = device_numbers(reader->learning ? read.throttles_at : (Datum) 0);
	}
	if (fleet->nworkers == reader->allocated)
	{
		reader->allocated *= 2;
		fleet->workers = repalloc_huge(fleet->workers, sizeof(Worker) * reader->allocated);
		reader->reported = repalloc_huge(reader->reported, sizeof(Reported) * reader->allocated);
	}
	labels_of_worker(reader->labels, fleet->nworkers, read.labels, read.taints, read.hostname);
	reader->reported[fleet->nworkers] = *report;
	fleet->workers[fleet->nworkers++] = *worker;
	return true;
}

static Reported *
load_workers(PoolSnapshot *snapshot, const char *pool, Parameter only, LabelReader *labels,
			 bool read_only)
{
	static SpiPlan of_pool = {WORKERS_SQL(ALL_WORKERS), WORKERS_TYPES, IN_ORDER, &worker_row};
	static SpiPlan some = {WORKERS_SQL(SOME_WORKERS), WORKERS_TYPES, .row = &worker_row};
	const Search *search = &snapshot->search;
	Fleet *fleet = &snapshot->fleet;
	HASHCTL control = {
		.keysize = sizeof(uint64), .entrysize = sizeof(uint64) * 3, .hcxt = CurrentMemoryContext};
	WorkerReader reader = {fleet,
						   64,
						   .labels = labels,
						   .now = GetCurrentTransactionStartTimestamp(),
						   .learning = snapshot->settings.learning,
						   .load_ttl = snapshot->settings.load_ttl};
	bool needs_software = false;

	reader.software =
		hash_create("hwsched software", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	reader.reported = palloc(sizeof(Reported) * reader.allocated);
	fleet->nworkers = 0;
	fleet->workers = palloc(sizeof(Worker) * reader.allocated);
	fleet->nsoftware = 1;
	fleet->software = palloc0(sizeof(NamedTexts));
	for (int i = 0; i < search->nkinds; i++)
		needs_software = needs_software || search->kinds[i].demand.software.count > 0;
	spi_plan_each(only.isnull ? &of_pool : &some, read_only, read_worker, &reader, TEXT_VALUE(pool),
				  VALUE(BoolGetDatum(needs_software)), VALUE(TimestampTzGetDatum(reader.now)), only,
				  VALUE(Float8GetDatum(snapshot->settings.offline_after)),
				  VALUE(BoolGetDatum(labels->needed)));
	return reader.reported;
}

/* A device profile and its number in the fleet. */
typedef struct ProfileEntry
{
	int64 profile_id; /* key */
	int32 number;
} ProfileEntry;

/* The devices while they are read. */
typedef struct DeviceReader
{
	PoolSnapshot *snapshot;
	const char *pool;
	LabelReader *labels;
	int allocated; /* of devices, utilizations and celsius */
	double *utilizations;
	double *celsius;
	int worker; /* of the last device */
	HTAB *profiles;
	int nprofiles;
} DeviceReader;

/* Returns the number of a device profile, a new one at its first device. */
static int
profile_number(DeviceReader *reader, int64 profile_id)
{
	PoolSnapshot *snapshot = reader->snapshot;
	bool found;
	ProfileEntry *entry = hash_search(reader->profiles, &profile_id, HASH_ENTER, &found);

	if (!found)
	{
		if ((reader->nprofiles & (reader->nprofiles - 1)) == 0)
			snapshot->device_profile_ids =
				reader->nprofiles == 0 ?
					palloc(sizeof(int64)) :
					repalloc(snapshot->device_profile_ids, sizeof(int64) * reader->nprofiles * 2);
		entry->number = reader->nprofiles;
		snapshot->device_profile_ids[reader->nprofiles++] = profile_id;
	}
	return entry->number;
}

/* Advances to the worker of a device: both are read in the order of worker_id. */
static Worker *
device_worker(DeviceReader *reader, text *worker_id)
{
	Fleet *fleet = &reader->snapshot->fleet;

	while (reader->worker < 0 ||
		   (reader->worker < fleet->nworkers &&
			(strlen(fleet->workers[reader->worker].worker_id) != VARSIZE_ANY_EXHDR(worker_id) ||
			 memcmp(fleet->workers[reader->worker].worker_id, VARDATA_ANY(worker_id),
					VARSIZE_ANY_EXHDR(worker_id)) != 0)))
	{
		reader->worker++;
		if (reader->worker < fleet->nworkers)
			fleet->workers[reader->worker].first_device = fleet->ndevices;
	}
	if (reader->worker >= fleet->nworkers)
		elog(ERROR, "pool \"%s\" has devices without a worker", reader->pool);
	return &fleet->workers[reader->worker];
}

static bool
read_device(void *arg, const Row *row)
{
	DeviceReader *reader = arg;
	Fleet *fleet = &reader->snapshot->fleet;
	DeviceRow read = {0};
	Worker *worker;

	read_row(&device_row, row, &read);
	worker = device_worker(reader, DatumGetTextPP(read.worker_id));
	pfree(DatumGetPointer(read.worker_id));
	read.device.profile = profile_number(reader, read.profile_id);
	if (read.device.uses_host_memory)
		worker->memory_used += read.device.memory_used;
	if (fleet->ndevices == reader->allocated)
	{
		reader->allocated *= 2;
		fleet->devices = repalloc_huge(fleet->devices, sizeof(Device) * reader->allocated);
		reader->utilizations =
			repalloc_huge(reader->utilizations, sizeof(double) * reader->allocated);
		reader->celsius = repalloc_huge(reader->celsius, sizeof(double) * reader->allocated);
	}
	labels_of_device(reader->labels, fleet->ndevices, read.labels);
	reader->utilizations[fleet->ndevices] = read.utilization;
	reader->celsius[fleet->ndevices] = read.celsius;
	worker->ndevices++;
	fleet->devices[fleet->ndevices++] = read.device;
	return true;
}

static void
load_devices(PoolSnapshot *snapshot, const char *pool, Parameter only, const Reported *reported,
			 LabelReader *labels, bool read_only)
{
	static SpiPlan of_pool = {DEVICES_SQL(ALL_DEVICES), DEVICES_TYPES, IN_ORDER, &device_row};
	static SpiPlan some = {DEVICES_SQL(SOME_DEVICES), DEVICES_TYPES, .row = &device_row};
	Fleet *fleet = &snapshot->fleet;
	HASHCTL control = {
		.keysize = sizeof(int64), .entrysize = sizeof(ProfileEntry), .hcxt = CurrentMemoryContext};
	DeviceReader reader = {snapshot, pool, labels, 64, .worker = -1};

	reader.profiles =
		hash_create("hwsched profiles", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	reader.utilizations = palloc(sizeof(double) * reader.allocated);
	reader.celsius = palloc(sizeof(double) * reader.allocated);
	fleet->ndevices = 0;
	fleet->devices = palloc(sizeof(Device) * reader.allocated);
	snapshot->device_profile_ids = NULL;
	spi_plan_each(only.isnull ? &of_pool : &some, read_only, read_device, &reader, TEXT_VALUE(pool),
				  only, VALUE(BoolGetDatum(labels->needed)));

	fleet->nprofiles = reader.nprofiles;
	fleet->profiles = palloc(sizeof(DeviceProfile) * (reader.nprofiles + 1));
	device_profiles_get(pool, snapshot->device_profile_ids, reader.nprofiles, read_only,
						fleet->profiles);
	for (int w = 0; w < fleet->nworkers; w++)
		for (int i = fleet->workers[w].first_device;
			 i < fleet->workers[w].first_device + fleet->workers[w].ndevices; i++)
			set_device_state(&fleet->profiles[fleet->devices[i].profile], &reported[w],
							 reported[w].is_stale ? NAN : reader.utilizations[i],
							 reported[w].is_stale ? NAN : reader.celsius[i], &fleet->devices[i]);
}

/* What was learned of the workers for one workload type, while it is read. */
typedef struct TypeRecord
{
	const char *workload_type;
	double *preference; /* by worker */
	Performance *performance; /* by worker */
} TypeRecord;

/* Returns the record of a workload type after giving it to the kinds of that type. */
static TypeRecord
begin_record(PoolSnapshot *snapshot, const char *workload_type)
{
	Search *search = &snapshot->search;
	int nworkers = snapshot->fleet.nworkers;
	TypeRecord record = {workload_type};

	record.preference =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * (nworkers + 1));
	for (int w = 0; w < nworkers; w++)
		record.preference[w] = 0.5;
	record.performance =
		MemoryContextAllocExtended(CurrentMemoryContext, sizeof(Performance) * (nworkers + 1),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int k = 0; k < search->nkinds; k++)
		if (same_name(search->kinds[k].profile.workload_type, workload_type))
		{
			search->kinds[k].preference =
				snapshot->settings.preference_weight != 0 ? record.preference : NULL;
			search->kinds[k].performance = record.performance;
		}
	return record;
}

/* A row of what was learned of a worker. */
typedef struct RecordRow
{
	const char *workload_type;
	const char *worker_id;
	double preference; /* as it was left */
	double age; /* seconds since then */
	Performance performance;
} RecordRow;

static const Column record_columns[] = {
	{"workload_type", CSTRINGOID, offsetof(RecordRow, workload_type)},
	{"worker_id", CSTRINGOID, offsetof(RecordRow, worker_id)},
	{"preference", FLOAT8OID, offsetof(RecordRow, preference)},
	{"extract(epoch FROM now() - updated_at)::float8", FLOAT8OID, offsetof(RecordRow, age)},
	{"successes", INT8OID, offsetof(RecordRow, performance.successes)},
	{"failures", INT8OID, offsetof(RecordRow, performance.failures)},
	{"coalesce(mean_seconds, 0)", FLOAT8OID, offsetof(RecordRow, performance.mean_seconds)},
};

static const RowType record_row = ROW_TYPE(RecordRow, record_columns);

/*
 * Reads the rows of what was learned of the workers that are in the table, by
 * workload type; returns how many there are.
 */
static int
read_records(const PoolSnapshot *snapshot, const char *pool, const char *only_worker,
			 bool read_only, RecordRow **records)
{
#define RECORDS_SQL "SELECT " ROW_COLUMNS " FROM hwsched.track_record WHERE pool = $1"
	static SpiPlan all = {RECORDS_SQL " ORDER BY workload_type", {TEXTOID}, .row = &record_row};
	static SpiPlan of_worker = {
		RECORDS_SQL " AND worker_id = $2 AND workload_type = ANY ($3) ORDER BY workload_type",
		{TEXTOID, TEXTOID, TEXTARRAYOID},
		.row = &record_row};
	const Search *search = &snapshot->search;
	int n;

	if (only_worker == NULL)
		n = (int) spi_plan_run(&all, read_only, TEXT_VALUE(pool));
	else
	{
		const char **types = palloc(sizeof(char *) * (search->nkinds + 1));

		for (int k = 0; k < search->nkinds; k++)
			types[k] = search->kinds[k].profile.workload_type;
		n = (int) spi_plan_run(&of_worker, read_only, TEXT_VALUE(pool), TEXT_VALUE(only_worker),
							   text_array(types, search->nkinds));
	}
	*records = read_rows(&record_row, n);
	return n;
}

/* Gives each kind what was learned of the workers (or of one) for its workload type. */
static void
load_records(PoolSnapshot *snapshot, const char *pool, const char *only_worker, bool read_only)
{
	TypeRecord record = {NULL};
	RecordRow *rows;
	int n;

	if (!snapshot->settings.learning || (snapshot->settings.preference_weight == 0 &&
										 (snapshot->policies.uses & USES_PERFORMANCE) == 0))
		return;
	n = read_records(snapshot, pool, only_worker, read_only, &rows);
	for (int i = 0; i < n; i++)
	{
		int worker = fleet_worker(&snapshot->fleet, rows[i].worker_id);

		if (i == 0 || !same_name(record.workload_type, rows[i].workload_type))
			record = begin_record(snapshot, rows[i].workload_type);
		if (worker < 0)
			continue;
		record.preference[worker] = preference_aged(rows[i].preference, rows[i].age,
													snapshot->settings.preference_half_life);
		record.performance[worker] = rows[i].performance;
	}
}

/* Gives back, in the snapshot, what an assignment holds; times is -1 to take it again. */
void
fleet_give_back(Fleet *fleet, const EndedAssignment *holds, int times)
{
	int index = fleet_worker(fleet, holds->worker_id);
	Worker *worker;

	if (index < 0)
		return;
	worker = &fleet->workers[index];
	worker->assignments -= times;
	worker->cpu_used -= times * holds->cpu_millicores;
	worker->memory_used -= times * holds->host_memory_bytes;
	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		for (int k = 0; k < holds->ndevices; k++)
			if (fleet->devices[d].device_no == holds->device_nos[k])
			{
				fleet->devices[d].slots -= times * holds->slots;
				fleet->devices[d].share -= times * holds->share;
				fleet->devices[d].memory_used -= times * holds->device_memory_bytes;
				if (fleet->devices[d].uses_host_memory)
					worker->memory_used -= times * holds->device_memory_bytes;
			}
}

/*
 * Reads some workers, or with NULL the whole fleet, without what was learned
 * of them; the kinds of work have been read before.
 */
static void
load_fleet(PoolSnapshot *snapshot, const char *pool, Parameter only, bool read_only)
{
	LabelReader *labels = labels_begin(snapshot);
	Reported *reported = load_workers(snapshot, pool, only, labels, read_only);

	load_devices(snapshot, pool, only, reported, labels, read_only);
	labels_select(labels);
}

/* Reads the fleet (or one worker) as it stands, what is completed and not settled counted in. */
static void
load_settled_fleet(PoolSnapshot *snapshot, const char *pool, const char *only_worker,
				   bool read_only)
{
	EndedAssignment *unsettled;
	int nunsettled;

	/* who has locked the pool has settled it; what came since can wait for the next */
	nunsettled = read_only && !snapshot->settled ? read_unsettled(pool, read_only, &unsettled) : 0;
	load_fleet(snapshot, pool, only_worker == NULL ? NULL_VALUE : text_array(&only_worker, 1),
			   read_only);
	for (int i = 0; i < nunsettled; i++)
		fleet_give_back(&snapshot->fleet, &unsettled[i], 1);
}

/*
 * Reads one worker, for whether kinds of work, which have been read before, fit
 * there at all: without what was learned, or what policies look at.
 */
void
snapshot_worker(PoolSnapshot *snapshot, const char *pool, const char *worker_id, bool read_only)
{
	load_settled_fleet(snapshot, pool, worker_id, read_only);
	search_prepare(&snapshot->search);
}

/* Reads the whole fleet and no more; the kinds of work have been read before. */
void
snapshot_fleet_alone(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	load_settled_fleet(snapshot, pool, NULL, read_only);
}

/* Reads what decisions on a fleet, or on one worker of it, know beside the fleet. */
void
snapshot_knowledge(PoolSnapshot *snapshot, const char *pool, const char *only_worker,
				   bool read_only)
{
	load_records(snapshot, pool, only_worker, read_only);
	load_context(snapshot, pool, read_only);
	load_groups(snapshot, pool, read_only);
	load_forecast(snapshot, pool, read_only);
	load_tenants(snapshot, pool, read_only);
	load_order(snapshot, pool, read_only);
}

/*
 * Reads the fleet (or one worker) and begins the search; the kinds of work
 * have been read before.
 */
void
snapshot_fleet(PoolSnapshot *snapshot, const char *pool, const char *only_worker, bool read_only)
{
	load_settled_fleet(snapshot, pool, only_worker, read_only);
	snapshot_knowledge(snapshot, pool, only_worker, read_only);
	snapshot->search.partial = only_worker != NULL;
	search_begin(&snapshot->search);
	if (snapshot->nretries > 0 && only_worker == NULL)
		consider_retries(snapshot, pool, read_only);
	consider_windows(snapshot);
}

/*
 * Reads some workers; what was learned of them, and the beginning of a search,
 * are left to the caller.
 */
void
snapshot_workers(PoolSnapshot *snapshot, const char *pool, const char *const *worker_ids, int count,
				 bool read_only)
{
	load_fleet(snapshot, pool, text_array(worker_ids, count), read_only);
}
