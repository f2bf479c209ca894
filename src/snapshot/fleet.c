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
#include "snapshot/context.h"
#include "snapshot/fleet.h"
#include "snapshot/forecast_reader.h"
#include "snapshot/labels.h"
#include "snapshot/retry_rules.h"
#include "store/device_state.h"

/* Reads the pool's settings; raises ERRCODE_NO_DATA_FOUND if there is none. */
void
snapshot_settings(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	memset(snapshot, 0, sizeof(*snapshot));
	pool_settings_load(pool, read_only, &snapshot->settings);
	placement_settings(&snapshot->settings, &snapshot->search.settings);
	policies_read(&snapshot->settings.policy, &snapshot->settings.policies, &snapshot->policies);
	snapshot->policies.objective = snapshot->settings.objective;
	snapshot->search.fleet = &snapshot->fleet;
	snapshot->search.score_function = call_score_function;
	snapshot->search.score_context = &snapshot->policies;
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

/*
 * Two statements each: those of some workers probe the tables one by one, and
 * OFFSET 0 leaves the planner no other way, whatever it believes of them.
 */
#define WORKERS_SQL(from) \
	"SELECT w.worker_id, w.state = 'active' AND w.health IN ('healthy', 'probation')" \
	"  AND l.last_seen_at >= $3 - make_interval(secs => $5)," \
	" w.cpu_millicores, w.memory_bytes," \
	"  CASE w.health WHEN 'probation' THEN 1 ELSE w.max_concurrent END," \
	"  u.assignments, u.cpu_millicores, u.host_memory_bytes, u.total_assignments," \
	"  l.cpu_utilization, l.memory_utilization, l.gpu_utilization, l.io_utilization," \
	" l.network_utilization," \
	"  l.temperature, l.temperature_celsius," \
	"  CASE hwsched_internal.phase_now(l.phase, l.phase_since, l.phase_duration)" \
	"   WHEN 'warming' THEN 1 WHEN 'cooling' THEN 2 ELSE 0 END," \
	"  extract(epoch FROM $3 - l.phase_since)::float8, extract(epoch" \
	" FROM l.phase_duration)::float8," \
	"  CASE WHEN $2 AND w.software_versions <> '{}' THEN w.software_versions::text END," \
	"  u.last_turn, w.cost_per_hour, l.reported_at," \
	"  w.health IN ('offline', 'quarantined') OR l.last_seen_at < $3 - make_interval(secs => $5)," \
	"  l.temperatures, l.throttles_at," \
	"  w.worker_id = ANY (ARRAY(SELECT a.worker_id FROM hwsched.assignment a WHERE a.pool = $1" \
	"   AND a.alone AND a.finished_at IS NULL))," \
	"  CASE WHEN $6 THEN w.labels END, w.taints, CASE WHEN $6 THEN w.hostname END" \
	" FROM " from " ORDER BY w.worker_id"
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

#define DEVICES_SQL(from) \
	"SELECT d.worker_id, d.device_no, d.profile_id, coalesce(d.memory_bytes, -1)," \
	" d.uses_host_memory," \
	"  u.slots, u.share, u.memory_bytes, l.utilization, l.temperature_celsius, d.device_id," \
	"  d.state = 'draining', d.health = 'quarantined', d.health = 'probation'," \
	"  CASE WHEN $3 THEN d.labels END" \
	" FROM " from " ORDER BY d.worker_id, d.device_no"
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

static void
read_worker(void *arg, const Row *row)
{
	WorkerReader *reader = arg;
	Fleet *fleet = reader->fleet;
	double elapsed = zero_if_absent(row_number(row, 18));
	double duration = zero_if_absent(row_number(row, 19));
	Worker *worker;
	Reported *report;

	if (fleet->nworkers == reader->allocated)
	{
		reader->allocated *= 2;
		fleet->workers = repalloc_huge(fleet->workers, sizeof(Worker) * reader->allocated);
		reader->reported = repalloc_huge(reader->reported, sizeof(Reported) * reader->allocated);
	}
	worker = &fleet->workers[fleet->nworkers];
	report = &reader->reported[fleet->nworkers++];
	memset(worker, 0, sizeof(*worker));
	worker->worker_id = TextDatumGetCString(row->values[0]);
	worker->accepting = row_bool(row, 2);
	worker->cpu_millicores = row_bigint(row, 3);
	worker->memory_bytes = row_bigint(row, 4);
	worker->max_concurrent = row_int(row, 5);
	worker->assignments = row_int(row, 6);
	worker->cpu_used = row_bigint(row, 7);
	worker->memory_used = row_bigint(row, 8);
	worker->total_assignments = row_bigint(row, 9);
	worker->software = row->nulls[19] ? 0 :
										software_number(fleet, reader->software,
														TextDatumGetCString(row->values[19]));
	worker->last_turn = row_bigint(row, 21);
	worker->cost_per_hour = zero_if_absent(row_number(row, 22));
	worker->reported = !row->nulls[22];
	worker->unhealthy = row_bool(row, 24);
	worker->runs_alone = row_bool(row, 27);
	labels_of_worker(reader->labels, fleet->nworkers - 1, row->nulls[27] ? NULL : &row->values[27],
					 row->nulls[28] ? NULL : &row->values[28],
					 row->nulls[29] ? NULL : TextDatumGetCString(row->values[29]));
	report->is_stale =
		worker->reported &&
		(reader->now - row_bigint(row, 23)) / (double) USECS_PER_SEC > reader->load_ttl;
	report->utilization.cpu = zero_if_absent(row_number(row, 10));
	report->utilization.memory = zero_if_absent(row_number(row, 11));
	report->utilization.gpu = zero_if_absent(row_number(row, 12));
	report->utilization.io = zero_if_absent(row_number(row, 13));
	report->utilization.network = zero_if_absent(row_number(row, 14));
	report->temperature = row_number(row, 15);
	report->celsius = row_number(row, 16);
	report->phase = (ThermalPhase) row_int(row, 17);
	report->performance_level = phase_performance_level(report->phase, elapsed, duration);
	report->elapsed =
		worker->reported ? (reader->now - row_bigint(row, 23)) / (double) USECS_PER_SEC : 0;
	report->temperatures = device_numbers(row->values[24], row->nulls[24]);
	report->throttles_at = device_numbers(row->values[25], row->nulls[25] || !reader->learning);
	if (report->is_stale)
		forget_report(worker, report);
}

static Reported *
load_workers(PoolSnapshot *snapshot, const char *pool, Parameter only, LabelReader *labels,
			 bool read_only)
{
	static SpiPlan of_pool = {WORKERS_SQL(ALL_WORKERS), WORKERS_TYPES, IN_ORDER};
	static SpiPlan some = {WORKERS_SQL(SOME_WORKERS), WORKERS_TYPES};
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

static void
read_device(void *arg, const Row *row)
{
	DeviceReader *reader = arg;
	Fleet *fleet = &reader->snapshot->fleet;
	Worker *worker = device_worker(reader, DatumGetTextPP(row->values[0]));
	Device *device;

	if (fleet->ndevices == reader->allocated)
	{
		reader->allocated *= 2;
		fleet->devices = repalloc_huge(fleet->devices, sizeof(Device) * reader->allocated);
		reader->utilizations =
			repalloc_huge(reader->utilizations, sizeof(double) * reader->allocated);
		reader->celsius = repalloc_huge(reader->celsius, sizeof(double) * reader->allocated);
	}
	device = &fleet->devices[fleet->ndevices];
	memset(device, 0, sizeof(*device));
	device->device_no = row_int(row, 2);
	device->profile = profile_number(reader, row_bigint(row, 3));
	device->memory_bytes = row_bigint(row, 4);
	device->uses_host_memory = row_bool(row, 5);
	device->slots = row_int(row, 6);
	device->share = row_int(row, 7);
	device->memory_used = row_bigint(row, 8);
	device->draining = row_bool(row, 12);
	device->quarantined = row_bool(row, 13);
	device->on_probation = row_bool(row, 14);
	device->device_id = row->nulls[10] ? NULL : TextDatumGetCString(row->values[10]);
	if (device->uses_host_memory)
		worker->memory_used += device->memory_used;
	labels_of_device(reader->labels, fleet->ndevices, row->nulls[14] ? NULL : &row->values[14]);
	reader->utilizations[fleet->ndevices] = row_number(row, 9);
	reader->celsius[fleet->ndevices] = row_number(row, 10);
	worker->ndevices++;
	fleet->ndevices++;
}

static void
load_devices(PoolSnapshot *snapshot, const char *pool, Parameter only, const Reported *reported,
			 LabelReader *labels, bool read_only)
{
	static SpiPlan of_pool = {DEVICES_SQL(ALL_DEVICES), DEVICES_TYPES, IN_ORDER};
	static SpiPlan some = {DEVICES_SQL(SOME_DEVICES), DEVICES_TYPES};
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

/*
 * Reads the rows of what was learned of the workers that are in the table, by
 * workload type; returns how many there are.
 */
static uint64
read_records(const PoolSnapshot *snapshot, const char *pool, const char *only_worker,
			 bool read_only)
{
#define RECORDS_SQL \
	"SELECT workload_type, worker_id, preference, successes, failures, mean_seconds," \
	"  extract(epoch FROM now() - updated_at)::float8 FROM hwsched.track_record WHERE pool = $1"
	static SpiPlan all = {RECORDS_SQL " ORDER BY workload_type", {TEXTOID}};
	static SpiPlan of_worker = {
		RECORDS_SQL " AND worker_id = $2 AND workload_type = ANY ($3) ORDER BY workload_type",
		{TEXTOID, TEXTOID, TEXTARRAYOID}};
	const Search *search = &snapshot->search;
	const char **types;

	if (only_worker == NULL)
		return spi_plan_run(&all, read_only, TEXT_VALUE(pool));
	types = palloc(sizeof(char *) * (search->nkinds + 1));
	for (int k = 0; k < search->nkinds; k++)
		types[k] = search->kinds[k].profile.workload_type;
	return spi_plan_run(&of_worker, read_only, TEXT_VALUE(pool), TEXT_VALUE(only_worker),
						text_array(types, search->nkinds));
}

/* Gives each kind what was learned of the workers (or of one) for its workload type. */
static void
load_records(PoolSnapshot *snapshot, const char *pool, const char *only_worker, bool read_only)
{
	TypeRecord record = {NULL};
	uint64 n;

	if (!snapshot->settings.learning || (snapshot->settings.preference_weight == 0 &&
										 (snapshot->policies.uses & USES_PERFORMANCE) == 0))
		return;
	n = read_records(snapshot, pool, only_worker, read_only);
	for (uint64 i = 0; i < n; i++)
	{
		char *type = column_text(i, 1);
		int worker = fleet_worker(&snapshot->fleet, column_text(i, 2));

		if (i == 0 || !same_name(record.workload_type, type))
			record = begin_record(snapshot, type);
		if (worker < 0)
			continue;
		record.preference[worker] = preference_aged(column_number(i, 3), column_number(i, 7),
													snapshot->settings.preference_half_life);
		record.performance[worker] = (Performance){column_bigint(i, 4), column_bigint(i, 5),
												   zero_if_absent(column_number(i, 6))};
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
	nunsettled = read_only ? read_unsettled(pool, read_only, &unsettled) : 0;
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

/*
 * Reads the fleet (or one worker) and begins the search; the kinds of work
 * have been read before.
 */
void
snapshot_fleet(PoolSnapshot *snapshot, const char *pool, const char *only_worker, bool read_only)
{
	load_settled_fleet(snapshot, pool, only_worker, read_only);
	load_records(snapshot, pool, only_worker, read_only);
	load_context(snapshot, pool, read_only);
	load_forecast(snapshot, pool, read_only);
	snapshot->search.partial = only_worker != NULL;
	search_begin(&snapshot->search);
	if (snapshot->nretries > 0 && only_worker == NULL)
		consider_retries(snapshot, pool, read_only);
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
