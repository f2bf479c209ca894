/*
 * fleet.c
 *		Reads the fleet and the queue into memory.
 *
 * Reading everything is nearly free beside writing a decision down, so a
 * batch reads the whole pool.  The caller says whether the statements may
 * write (a new snapshot each, under the pool's lock) or are read only (the
 * snapshot of the calling query).
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "definitions.h"
#include "fleet.h"
#include "statement.h"
#include "thermal.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Reads the pool's settings; raises ERRCODE_NO_DATA_FOUND if there is none. */
void
picture_settings(Picture *picture, const char *pool, bool read_only)
{
	memset(picture, 0, sizeof(*picture));
	pool_settings_load(pool, read_only, &picture->settings);
	placement_settings(&picture->settings, &picture->search.settings);
	picture->search.fleet = &picture->fleet;
}

/* --- the queue --- */

/* Numbers the profiles of the queue, and gives each item its kind. */
typedef struct KindEntry
{
	int64		profile_id;		/* key */
	int32		kind;
} KindEntry;

static void
read_queue(Picture *picture, const char *pool, uint64 nrows, bool read_only)
{
	Search	   *search = &picture->search;
	HASHCTL		control = {.keysize = sizeof(int64), .entrysize = sizeof(KindEntry), .hcxt = CurrentMemoryContext};
	HTAB	   *numbers = hash_create("hwsched kinds", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	int			allocated = 64;

	picture->nitems = (int) nrows;
	picture->items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(QueueItem) * (nrows + 1));
	picture->rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(QueueRow) * (nrows + 1));
	search->nkinds = 0;
	search->kinds = palloc0(sizeof(WorkKind) * allocated);

	for (uint64 i = 0; i < nrows; i++)
	{
		int64		profile_id = column_bigint(i, 3);
		QueueRow   *row = &picture->rows[i];
		bool		found;
		bool		isnull;
		KindEntry  *entry = hash_search(numbers, &profile_id, HASH_ENTER, &found);

		if (!found)
		{
			if (search->nkinds == allocated)
			{
				search->kinds = repalloc(search->kinds, sizeof(WorkKind) * allocated * 2);
				memset(search->kinds + allocated, 0, sizeof(WorkKind) * allocated);
				allocated *= 2;
			}
			entry->kind = search->nkinds;
			search->kinds[search->nkinds++].profile_id = profile_id;
		}
		picture->items[i].kind = entry->kind;
		row->tid = *(ItemPointer) DatumGetPointer(column(i, 1, &isnull));
		row->queue_no = column_bigint(i, 2);
		row->expected_seconds = column_number(i, 4);
		row->workload_id = column_text(i, 5);
	}
	work_kinds_get(pool, picture->search.kinds, picture->search.nkinds, read_only);
}

/* Reads the queue, or its first limit rows (limit < 0: all). */
void
picture_queue(Picture *picture, const char *pool, int64 limit, bool read_only)
{
	static Statement statement = {
		"SELECT ctid, queue_no, profile_id, expected_seconds, workload_id FROM hwsched.pending"
		" WHERE pool = $1 ORDER BY priority, queue_no LIMIT $2",
		{TEXTOID, INT8OID}
	};
	uint64		n = statement_run(&statement, read_only, TEXT_VALUE(pool),
								  limit < 0 ? NULL_VALUE : BIGINT_VALUE(limit));

	read_queue(picture, pool, n, read_only);
}

/* Reads one workload of the queue; returns false if it is not pending. */
bool
picture_queued(Picture *picture, const char *pool, const char *workload_id, bool read_only)
{
	static Statement statement = {
		"SELECT p.ctid, p.queue_no, p.profile_id, p.expected_seconds, p.workload_id FROM hwsched.submission s"
		" JOIN hwsched.pending p ON p.pool = s.pool AND p.priority = s.priority AND p.queue_no = s.queue_no"
		" WHERE s.pool = $1 AND s.workload_id = $2",
		{TEXTOID, TEXTOID}
	};

	if (statement_run(&statement, read_only, TEXT_VALUE(pool), TEXT_VALUE(workload_id)) == 0)
		return false;
	read_queue(picture, pool, 1, read_only);
	return true;
}

/* Takes one workload profile as the only kind, without a queue. */
void
picture_kind(Picture *picture, const char *pool, int64 profile_id, bool read_only)
{
	picture->search.nkinds = 1;
	picture->search.kinds = palloc0(sizeof(WorkKind));
	picture->search.kinds[0].profile_id = profile_id;
	work_kinds_get(pool, picture->search.kinds, picture->search.nkinds, read_only);
}

/* --- the fleet --- */

/* What a worker reported, until its devices are read. */
typedef struct Reported
{
	Utilization utilization;
	double		temperature;	/* NAN: none */
	double		celsius;		/* NAN: none */
	ThermalPhase phase;
	double		performance_level;
} Reported;

static double
zero_if_absent(double x)
{
	return isnan(x) ? 0 : x;
}

/* Numbers equal texts alike: what software a worker has, as one small number. */
static int
software_number(Fleet *fleet, HTAB *numbers, const char *text)
{
	typedef struct
	{
		uint64		hash;			/* key */
		const char *text;
		int			number;
	} SoftwareEntry;
	uint64		hash = DatumGetUInt64(hash_any_extended((const unsigned char *) text, strlen(text), 0));
	bool		found;
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
		fleet->software[fleet->nsoftware++] = read_software(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text))));
	}
	return entry->number;
}

/*
 * Two statements each: those of some workers probe the tables one by one, and
 * OFFSET 0 leaves the planner no other way, whatever it believes of them.
 */
#define WORKERS_SQL(from) \
	"SELECT w.worker_id, w.state = 'active', w.cpu_millicores, w.memory_bytes, w.max_concurrent," \
	"  u.assignments, u.cpu_millicores, u.host_memory_bytes, u.total_assignments," \
	"  l.cpu_utilization, l.memory_utilization, l.gpu_utilization, l.io_utilization, l.network_utilization," \
	"  l.temperature, l.temperature_celsius," \
	"  CASE l.phase WHEN 'warming' THEN 1 WHEN 'cooling' THEN 2 ELSE 0 END," \
	"  extract(epoch FROM $3 - l.phase_since)::float8, extract(epoch FROM l.phase_duration)::float8," \
	"  CASE WHEN $2 AND w.software_versions <> '{}' THEN w.software_versions::text END" \
	" FROM " from " ORDER BY w.worker_id"
#define WORKERS_TYPES {TEXTOID, BOOLOID, TIMESTAMPTZOID, TEXTARRAYOID}
#define ALL_WORKERS \
	"hwsched.worker w" \
	" JOIN hwsched.worker_usage u ON u.pool = w.pool AND u.worker_id = w.worker_id" \
	" JOIN hwsched.worker_load l ON l.pool = w.pool AND l.worker_id = w.worker_id" \
	" WHERE w.pool = $1"
#define SOME_WORKERS \
	"unnest($4) e(worker_id)" \
	" CROSS JOIN LATERAL (SELECT * FROM hwsched.worker x WHERE x.pool = $1 AND x.worker_id = e.worker_id OFFSET 0) w" \
	" CROSS JOIN LATERAL (SELECT * FROM hwsched.worker_usage x WHERE x.pool = $1 AND x.worker_id = e.worker_id OFFSET 0) u" \
	" CROSS JOIN LATERAL (SELECT * FROM hwsched.worker_load x WHERE x.pool = $1 AND x.worker_id = e.worker_id OFFSET 0) l"

#define DEVICES_SQL(from) \
	"SELECT d.worker_id, d.device_no, d.profile_id, coalesce(d.memory_bytes, -1), d.uses_host_memory," \
	"  u.slots, u.share, u.memory_bytes, l.utilization, l.temperature_celsius" \
	" FROM " from " ORDER BY d.worker_id, d.device_no"
#define DEVICES_TYPES {TEXTOID, TEXTARRAYOID}
#define ALL_DEVICES \
	"hwsched.device d" \
	" JOIN hwsched.device_usage u ON u.pool = d.pool AND u.worker_id = d.worker_id AND u.device_no = d.device_no" \
	" LEFT JOIN hwsched.device_load l ON l.pool = d.pool AND l.worker_id = d.worker_id AND l.device_no = d.device_no" \
	" WHERE d.pool = $1"
#define SOME_DEVICES \
	"unnest($2) e(worker_id)" \
	" CROSS JOIN LATERAL (SELECT * FROM hwsched.device x WHERE x.pool = $1 AND x.worker_id = e.worker_id OFFSET 0) d" \
	" CROSS JOIN LATERAL (SELECT * FROM hwsched.device_usage x" \
	"  WHERE x.pool = $1 AND x.worker_id = d.worker_id AND x.device_no = d.device_no OFFSET 0) u" \
	" LEFT JOIN LATERAL (SELECT * FROM hwsched.device_load x" \
	"  WHERE x.pool = $1 AND x.worker_id = d.worker_id AND x.device_no = d.device_no OFFSET 0) l ON true"

static Reported *
load_workers(Picture *picture, const char *pool, Parameter only, bool read_only)
{
	static Statement of_pool = {WORKERS_SQL(ALL_WORKERS), WORKERS_TYPES};
	static Statement some = {WORKERS_SQL(SOME_WORKERS), WORKERS_TYPES};
	Search	   *search = &picture->search;
	Fleet	   *fleet = &picture->fleet;
	HASHCTL		control = {.keysize = sizeof(uint64), .entrysize = sizeof(uint64) * 3, .hcxt = CurrentMemoryContext};
	HTAB	   *numbers = hash_create("hwsched software", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	bool		needs_software = false;
	Reported   *reported;
	int			n;

	for (int i = 0; i < search->nkinds; i++)
		needs_software = needs_software || search->kinds[i].demand.software.count > 0;
	n = (int) statement_run(only.isnull ? &of_pool : &some, read_only, TEXT_VALUE(pool),
							VALUE(BoolGetDatum(needs_software)),
							VALUE(TimestampTzGetDatum(GetCurrentTransactionStartTimestamp())), only);

	fleet->nworkers = n;
	fleet->workers = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Worker) * (n + 1));
	fleet->nsoftware = 1;
	fleet->software = palloc0(sizeof(NamedTexts));
	reported = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Reported) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		Worker	   *worker = &fleet->workers[i];
		Reported   *report = &reported[i];
		char	   *software = column_text(i, 20);
		double		elapsed = zero_if_absent(column_number(i, 18));
		double		duration = zero_if_absent(column_number(i, 19));

		memset(worker, 0, sizeof(*worker));
		worker->worker_id = column_text(i, 1);
		worker->accepting = column_bool(i, 2);
		worker->cpu_millicores = column_bigint(i, 3);
		worker->memory_bytes = column_bigint(i, 4);
		worker->max_concurrent = column_int(i, 5);
		worker->assignments = column_int(i, 6);
		worker->cpu_used = column_bigint(i, 7);
		worker->memory_used = column_bigint(i, 8);
		worker->total_assignments = column_bigint(i, 9);
		worker->software = software == NULL ? 0 : software_number(fleet, numbers, software);
		report->utilization.cpu = zero_if_absent(column_number(i, 10));
		report->utilization.memory = zero_if_absent(column_number(i, 11));
		report->utilization.gpu = zero_if_absent(column_number(i, 12));
		report->utilization.io = zero_if_absent(column_number(i, 13));
		report->utilization.network = zero_if_absent(column_number(i, 14));
		report->temperature = column_number(i, 15);
		report->celsius = column_number(i, 16);
		report->phase = (ThermalPhase) column_int(i, 17);
		if (elapsed >= duration)
			report->phase = PHASE_NORMAL;
		report->performance_level = phase_performance_level(report->phase, elapsed, duration);
	}
	return reported;
}

/* Sets a device's state from what its worker reported, and it itself. */
static void
set_device_state(const Fleet *fleet, Device *device, const Reported *report,
				 double utilization, double celsius)
{
	const DeviceProfile *profile = &fleet->profiles[device->profile];
	Utilization load = report->utilization;

	if (!isnan(utilization))
	{
		if (same_name(profile->hardware_class, "cpu"))
			load.cpu = utilization;
		else
			load.gpu = utilization;
	}
	device->load = load_score(&load);
	device->warming = report->phase == PHASE_WARMING;
	device->cooling = report->phase == PHASE_COOLING;
	device->performance_level = report->performance_level;
	device->effective_load = effective_load(device->load, device->warming || device->cooling,
											device->performance_level);
	if (!isnan(celsius))
		device->temperature = celsius_to_temperature(celsius, profile->idle_celsius, profile->throttle_celsius);
	else if (!isnan(report->temperature))
		device->temperature = report->temperature;
	else if (!isnan(report->celsius))
		device->temperature = celsius_to_temperature(report->celsius, profile->idle_celsius, profile->throttle_celsius);
	else
		device->temperature = 0;
}

static void
load_devices(Picture *picture, const char *pool, Parameter only,
			 const Reported *reported, bool read_only)
{
	static Statement of_pool = {DEVICES_SQL(ALL_DEVICES), DEVICES_TYPES};
	static Statement some = {DEVICES_SQL(SOME_DEVICES), DEVICES_TYPES};
	Fleet	   *fleet = &picture->fleet;
	HASHCTL		control = {.keysize = sizeof(int64), .entrysize = sizeof(KindEntry), .hcxt = CurrentMemoryContext};
	HTAB	   *numbers = hash_create("hwsched profiles", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	int			n = (int) statement_run(only.isnull ? &of_pool : &some, read_only, TEXT_VALUE(pool), only);
	double	   *utilizations = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * (n + 1));
	double	   *celsius = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * (n + 1));
	int64	   *profile_ids = NULL;
	int			nprofiles = 0;
	int			worker = -1;

	fleet->ndevices = 0;
	fleet->devices = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Device) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		Device	   *device = &fleet->devices[fleet->ndevices];
		int64		profile_id = column_bigint(i, 3);
		bool		isnull;
		text	   *worker_id = DatumGetTextPP(column(i, 1, &isnull));
		KindEntry  *entry;
		bool		found;

		/* both are in the order of worker_id */
		while (worker < 0 ||
			   (worker < fleet->nworkers &&
				(strlen(fleet->workers[worker].worker_id) != VARSIZE_ANY_EXHDR(worker_id) ||
				 memcmp(fleet->workers[worker].worker_id, VARDATA_ANY(worker_id), VARSIZE_ANY_EXHDR(worker_id)) != 0)))
		{
			worker++;
			if (worker < fleet->nworkers)
				fleet->workers[worker].first_device = fleet->ndevices;
		}
		if (worker >= fleet->nworkers)
			elog(ERROR, "pool \"%s\" has devices without a worker", pool);

		entry = hash_search(numbers, &profile_id, HASH_ENTER, &found);
		if (!found)
		{
			if ((nprofiles & (nprofiles - 1)) == 0)
				profile_ids = nprofiles == 0 ? palloc(sizeof(int64)) :
					repalloc(profile_ids, sizeof(int64) * nprofiles * 2);
			entry->kind = nprofiles;
			profile_ids[nprofiles++] = profile_id;
		}
		memset(device, 0, sizeof(*device));
		device->device_no = column_int(i, 2);
		device->profile = entry->kind;
		device->memory_bytes = column_bigint(i, 4);
		device->uses_host_memory = column_bool(i, 5);
		device->slots = column_int(i, 6);
		device->share = column_int(i, 7);
		device->memory_used = column_bigint(i, 8);
		if (device->uses_host_memory)
			fleet->workers[worker].memory_used += device->memory_used;
		utilizations[fleet->ndevices] = column_number(i, 9);
		celsius[fleet->ndevices] = column_number(i, 10);
		fleet->workers[worker].ndevices++;
		fleet->ndevices++;
	}

	fleet->nprofiles = nprofiles;
	fleet->profiles = palloc(sizeof(DeviceProfile) * (nprofiles + 1));
	device_profiles_get(pool, profile_ids, nprofiles, read_only, fleet->profiles);
	picture->device_profile_ids = profile_ids;
	for (int w = 0; w < fleet->nworkers; w++)
		for (int i = fleet->workers[w].first_device; i < fleet->workers[w].first_device + fleet->workers[w].ndevices; i++)
			set_device_state(fleet, &fleet->devices[i], &reported[w], utilizations[i], celsius[i]);
}

static int
compare_worker_id(const void *key, const void *worker)
{
	return strcmp(key, ((const Worker *) worker)->worker_id);
}

/* Gives each kind what was learned of the workers for its workload type. */
static void
load_preferences(Picture *picture, const char *pool, bool read_only)
{
	static Statement statement = {
		"SELECT workload_type, worker_id, preference FROM hwsched.preference WHERE pool = $1"
		" ORDER BY workload_type",
		{TEXTOID}
	};
	Search	   *search = &picture->search;
	Fleet	   *fleet = &picture->fleet;
	uint64		n;
	const char *type = NULL;
	double	   *preference = NULL;

	if (picture->settings.preference_weight == 0)
		return;
	n = statement_run(&statement, read_only, TEXT_VALUE(pool));
	for (uint64 i = 0; i < n; i++)
	{
		char	   *row_type = column_text(i, 1);
		char	   *worker_id = column_text(i, 2);
		Worker	   *worker;

		if (!same_name(type, row_type))
		{
			type = row_type;
			preference = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * (fleet->nworkers + 1));
			for (int w = 0; w < fleet->nworkers; w++)
				preference[w] = 0.5;
			for (int k = 0; k < search->nkinds; k++)
				if (same_name(search->kinds[k].profile.workload_type, type))
					search->kinds[k].preference = preference;
		}
		worker = bsearch(worker_id, fleet->workers, fleet->nworkers, sizeof(Worker), compare_worker_id);
		if (worker != NULL)
			preference[worker - fleet->workers] = column_number(i, 3);
	}
}

/*
 * Reads some workers, or with NULL the whole fleet, without what was learned
 * of them; the kinds of work have been read before.
 */
static void
load_fleet(Picture *picture, const char *pool, Parameter only, bool read_only)
{
	Reported   *reported = load_workers(picture, pool, only, read_only);

	load_devices(picture, pool, only, reported, read_only);
}

/*
 * Reads the fleet (or one worker) and begins the search; the kinds of work
 * have been read before.
 */
void
picture_fleet(Picture *picture, const char *pool, const char *only_worker, bool read_only)
{
	load_fleet(picture, pool, only_worker == NULL ? NULL_VALUE : text_array(&only_worker, 1), read_only);
	load_preferences(picture, pool, read_only);
	search_begin(&picture->search);
}

/*
 * Reads some workers; what was learned of them, and the beginning of a search,
 * are left to the caller.
 */
void
picture_workers(Picture *picture, const char *pool, const char *const *worker_ids, int count, bool read_only)
{
	load_fleet(picture, pool, text_array(worker_ids, count), read_only);
}

/* --- readiness --- */

/*
 * Returns what load and temperature leave of the efficiency of a worker's
 * devices, whatever is assigned to it and apart from its thermal phase.
 *
 * A phase takes more away, until it is over; so this is a bound for as long as
 * the worker reports nothing else.
 */
static Readiness
readiness_of(const Fleet *fleet, const Worker *worker)
{
	Readiness	readiness = {NAN, NAN, 0};
	double	   *states = palloc(sizeof(double) * (worker->ndevices * 2 + 1));
	int			nstates = 0;

	for (int i = worker->first_device; i < worker->first_device + worker->ndevices; i++)
	{
		const Device *device = &fleet->devices[i];
		bool		cpu = same_name(fleet->profiles[device->profile].hardware_class, "cpu");
		double	   *best = cpu ? &readiness.cpu : &readiness.accelerator;
		double		left = adjusted_efficiency(1.0, device->load, false, false, 1.0, device->temperature);

		if (isnan(*best) || left > *best)
			*best = left;
		/* adding 0 makes -0 the same as 0 */
		states[nstates++] = device->load + 0.0;
		states[nstates++] = device->temperature + 0.0;
	}
	readiness.state_hash = (int64) DatumGetUInt64(hash_any_extended((const unsigned char *) states,
																	sizeof(double) * nstates, 0));
	pfree(states);
	return readiness;
}

/* Returns the readiness of a worker as it stands in the tables. */
Readiness
readiness_stored(const char *pool, const char *worker_id)
{
	Picture		picture = {0};

	picture_workers(&picture, pool, &worker_id, 1, false);
	if (picture.fleet.nworkers == 0)
		elog(ERROR, "pool \"%s\" lost worker \"%s\" while it was locked", pool, worker_id);
	return readiness_of(&picture.fleet, &picture.fleet.workers[0]);
}

/* Returns the readiness of a worker of some hardware after a load report. */
Readiness
readiness_reported(const Hardware *hardware, const LoadReport *load)
{
	Worker		worker = {.ndevices = hardware->ndevices};
	Fleet		fleet = {.nprofiles = hardware->ndevices, .nworkers = 1, .workers = &worker, .ndevices = hardware->ndevices};
	Reported	report = {
		{zero_if_absent(load->cpu_utilization), zero_if_absent(load->memory_utilization),
			zero_if_absent(load->gpu_utilization), zero_if_absent(load->io_utilization),
			zero_if_absent(load->network_utilization)},
		load->temperature, load->temperature_celsius, PHASE_NORMAL, 1.0
	};
	const DeviceLoadReport *of_devices = load->devices.items;

	fleet.profiles = palloc(sizeof(DeviceProfile) * (hardware->ndevices + 1));
	fleet.devices = palloc0(sizeof(Device) * (hardware->ndevices + 1));
	for (int i = 0; i < hardware->ndevices; i++)
	{
		double		utilization = NAN;
		double		celsius = NAN;

		fleet.profiles[i] = *hardware->profiles[i];
		fleet.devices[i].profile = i;
		for (int d = 0; d < load->devices.count; d++)
			if (of_devices[d].device_no == i)
			{
				utilization = of_devices[d].utilization;
				celsius = of_devices[d].temperature_celsius;
			}
		set_device_state(&fleet, &fleet.devices[i], &report, utilization, celsius);
	}
	return readiness_of(&fleet, &worker);
}
