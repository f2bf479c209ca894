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
#include "context.h"
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
	policies_read(&picture->settings.policy, &picture->settings.policies, &picture->policies);
	picture->search.fleet = &picture->fleet;
	picture->search.score_function = call_score_function;
	picture->search.score_context = &picture->policies;
	picture->search.reserved_from = picture->search.blocked_gang = -1;
}

/* --- the queue --- */

/*
 * What tells kinds of work apart: the profile, and what the pool's policies
 * look at beside it (0 and -1 where they do not).
 */
typedef struct KindKey
{
	int64		profile_id;
	double		expected_seconds;
	int32		priority;
	int32		model;
	int32		family;
	int32		unused;			/* no padding: keys are compared as bytes */
} KindKey;

typedef struct KindEntry
{
	KindKey		key;
	int32		kind;
} KindEntry;

typedef struct ProfileEntry
{
	int64		profile_id;		/* key */
	int32		number;
} ProfileEntry;

typedef struct ModelEntry
{
	Model		model;			/* key */
	int32		number;
} ModelEntry;

static uint32
model_hash(const void *key, Size keysize)
{
	const Model *model = key;

	return DatumGetUInt32(hash_any((const unsigned char *) model->name, strlen(model->name))) ^ model->is_family;
}

static int
model_compare(const void *a, const void *b, Size keysize)
{
	const Model *x = a;
	const Model *y = b;

	return x->is_family != y->is_family || strcmp(x->name, y->name) != 0;
}

/* Numbers a model or family; NULL has number -1. */
static int32
model_number(Picture *picture, HTAB *numbers, const char *name, bool is_family)
{
	Model		model = {name, is_family};
	ModelEntry *entry;
	bool		found;

	if (name == NULL)
		return -1;
	entry = hash_search(numbers, &model, HASH_ENTER, &found);
	if (!found)
	{
		int			n = picture->nmodels;

		if ((n & (n - 1)) == 0)
			picture->models = n == 0 ? palloc(sizeof(Model)) :
				repalloc_huge(picture->models, sizeof(Model) * n * 2);
		picture->models[n] = model;
		entry->number = picture->nmodels++;
	}
	return entry->number;
}

/* Reads the profiles of the kinds in the search, whose profile_id is set. */
void
picture_kinds(Picture *picture, const char *pool, bool read_only)
{
	static Statement statement = {
		"SELECT u.ord::int, p.profile, p.demand FROM unnest($2) WITH ORDINALITY u(profile_id, ord)"
		" JOIN hwsched.workload_profile p ON p.pool = $1 AND p.profile_id = u.profile_id",
		{TEXTOID, INT8ARRAYOID}
	};
	Search	   *search = &picture->search;
	HASHCTL		control = {.keysize = sizeof(int64), .entrysize = sizeof(ProfileEntry), .hcxt = CurrentMemoryContext};
	HTAB	   *numbers = hash_create("hwsched workload profiles", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	Datum	   *ids = palloc(sizeof(Datum) * (search->nkinds + 1));
	int32	   *firsts = palloc(sizeof(int32) * (search->nkinds + 1));	/* by profile: a kind that has it */
	int			nprofiles = 0;
	uint64		n;

	for (int i = 0; i < search->nkinds; i++)
	{
		bool		found;
		ProfileEntry *entry = hash_search(numbers, &search->kinds[i].profile_id, HASH_ENTER, &found);

		if (!found)
		{
			entry->number = nprofiles;
			firsts[nprofiles] = i;
			ids[nprofiles++] = Int64GetDatum(search->kinds[i].profile_id);
		}
	}
	n = statement_run(&statement, read_only, TEXT_VALUE(pool), array_value(INT8OID, ids, NULL, nprofiles));
	if (n != nprofiles)
		elog(ERROR, "pool \"%s\" has %d kinds of workload without a profile", pool, (int) (nprofiles - n));
	for (uint64 i = 0; i < n; i++)
	{
		WorkKind   *kind = &search->kinds[firsts[column_int(i, 1) - 1]];

		document_read(&placement_profile_document, column_jsonb(i, 2), "workload_profile", false, &kind->profile);
		document_read(&demand_document, column_jsonb(i, 3), "demand", false, &kind->demand);
	}
	for (int i = 0; i < search->nkinds; i++)
	{
		const ProfileEntry *entry = hash_search(numbers, &search->kinds[i].profile_id, HASH_FIND, NULL);

		search->kinds[i].profile = search->kinds[firsts[entry->number]].profile;
		search->kinds[i].demand = search->kinds[firsts[entry->number]].demand;
		search->kinds[i].policy = policy_for(&picture->policies, search->kinds[i].profile.workload_type);
	}
}

/* Begins to collect kinds of work. */
static HTAB *
begin_kinds(Search *search)
{
	HASHCTL		control = {.keysize = sizeof(KindKey), .entrysize = sizeof(KindEntry), .hcxt = CurrentMemoryContext};

	search->nkinds = 0;
	search->kinds = palloc0(sizeof(WorkKind));
	return hash_create("hwsched kinds", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Returns the number of the kind that a key means, after adding it if it is new. */
static int32
kind_number(Search *search, HTAB *kinds, const KindKey *key)
{
	bool		found;
	KindEntry  *entry = hash_search(kinds, key, HASH_ENTER, &found);

	if (!found)
	{
		int			n = search->nkinds;
		WorkKind   *kind;

		if (n > 0 && (n & (n - 1)) == 0)
			search->kinds = repalloc_huge(search->kinds, sizeof(WorkKind) * n * 2);
		kind = &search->kinds[n];
		memset(kind, 0, sizeof(*kind));
		kind->profile_id = key->profile_id;
		kind->priority = key->priority;
		kind->expected_seconds = key->expected_seconds < 0 ? NAN : key->expected_seconds;
		kind->model = key->model;
		kind->family = key->family;
		entry->kind = search->nkinds++;
	}
	return entry->kind;
}

/* Returns the key of a kind, without what the pool's policies do not look at. */
static KindKey
kind_key(const Picture *picture, int64 profile_id, int32 priority, double expected_seconds, int32 model, int32 family)
{
	int			uses = picture->policies.uses;
	KindKey		key = {profile_id, -1, 0, -1, -1, 0};

	if ((uses & USES_EXPECTED) && !isnan(expected_seconds))
		key.expected_seconds = expected_seconds;
	if (uses & USES_PRIORITY)
		key.priority = priority;
	if (uses & USES_MODEL)
	{
		key.model = model;
		key.family = family;
	}
	return key;
}

/* Makes items of the rows of the queue, and collects their kinds. */
static void
read_queue(Picture *picture, const char *pool, uint64 nrows, bool read_only)
{
	Search	   *search = &picture->search;
	HASHCTL		control = {
		.keysize = sizeof(Model), .entrysize = sizeof(ModelEntry),
		.hash = model_hash, .match = model_compare, .hcxt = CurrentMemoryContext
	};
	HTAB	   *models = hash_create("hwsched models", 64, &control, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	HTAB	   *kinds = begin_kinds(search);

	picture->nitems = (int) nrows;
	picture->items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(QueueItem) * (nrows + 1));
	picture->rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(QueueRow) * (nrows + 1));
	for (uint64 i = 0; i < nrows; i++)
	{
		QueueRow   *row = &picture->rows[i];
		QueueItem  *item = &picture->items[i];
		KindKey		key;
		bool		isnull;

		row->tid = *(ItemPointer) DatumGetPointer(column(i, 1, &isnull));
		row->queue_no = column_bigint(i, 2);
		row->workload = column(i, 5, &isnull);
		row->run = column_int(i, 9);
		row->attempt = column_int(i, 10);
		row->model = model_number(picture, models, column_text(i, 7), false);
		row->family = model_number(picture, models, column_text(i, 8), true);
		item->priority = column_int(i, 6);
		item->expected_seconds = column_number(i, 4);
		key = kind_key(picture, column_bigint(i, 3), item->priority, item->expected_seconds, row->model, row->family);
		item->kind = kind_number(search, kinds, &key);
	}
	picture_kinds(picture, pool, read_only);
}

/* Reads the queue, or its first limit rows (limit < 0: all). */
void
picture_queue(Picture *picture, const char *pool, int64 limit, bool read_only)
{
	static Statement statement = {
		"SELECT ctid, queue_no, profile_id, expected_seconds, workload_id, priority, model_id, model_family, run, attempt"
		" FROM hwsched.pending"
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
		"SELECT p.ctid, p.queue_no, p.profile_id, p.expected_seconds, p.workload_id, p.priority, p.model_id, p.model_family,"
		"  p.run, p.attempt FROM hwsched.submission s"
		" JOIN hwsched.pending p ON p.pool = s.pool AND p.priority = s.priority AND p.queue_no = s.queue_no"
		" WHERE s.pool = $1 AND s.workload_id = $2",
		{TEXTOID, TEXTOID}
	};

	if (statement_run(&statement, read_only, TEXT_VALUE(pool), TEXT_VALUE(workload_id)) == 0)
		return false;
	read_queue(picture, pool, 1, read_only);
	return true;
}

/*
 * Takes one workload as the whole queue, pending or not; raises
 * ERRCODE_NO_DATA_FOUND if there is none of that name.
 */
void
picture_submitted(Picture *picture, const char *pool, const char *workload_id, bool read_only)
{
	static Statement statement = {
		"SELECT ctid, queue_no, profile_id, expected_seconds, workload_id, priority, model_id, model_family, run, 0"
		" FROM hwsched.submission WHERE pool = $1 AND workload_id = $2",
		{TEXTOID, TEXTOID}
	};

	if (statement_run(&statement, read_only, TEXT_VALUE(pool), TEXT_VALUE(workload_id)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("unknown workload \"%s\" in pool \"%s\"", workload_id, pool)));
	read_queue(picture, pool, 1, read_only);
}

/* Takes some workload profiles as the kinds of work, without a queue. */
void
picture_profiles(Picture *picture, const char *pool, const int64 *profile_ids, int count, bool read_only)
{
	HTAB	   *kinds = begin_kinds(&picture->search);

	for (int i = 0; i < count; i++)
	{
		KindKey		key = kind_key(picture, profile_ids[i], 0, NAN, -1, -1);

		(void) kind_number(&picture->search, kinds, &key);
	}
	picture_kinds(picture, pool, read_only);
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
		Demand		read;
		JsonbParseState *state = NULL;
		Jsonb	   *wrapped;
		JsonbValue	value;
		Jsonb	   *software = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));

		/* read it as the demand's key of the same form */
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		push_key(&state, "software");
		value.type = jbvBinary;
		value.val.binary.data = &software->root;
		value.val.binary.len = VARSIZE(software) - VARHDRSZ;
		pushJsonbValue(&state, WJB_VALUE, &value);
		wrapped = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
		document_read(&demand_document, wrapped, "worker", false, &read);

		entry->text = text;
		entry->number = fleet->nsoftware;
		fleet->software = repalloc(fleet->software, sizeof(NamedTexts) * (fleet->nsoftware + 1));
		fleet->software[fleet->nsoftware++] = read.software;
	}
	return entry->number;
}

/* Two statements each, as the plan for a pool is a bad one for a worker. */
#define WORKERS_SQL(which) \
	"SELECT w.worker_id, w.state = 'active', w.cpu_millicores, w.memory_bytes, w.max_concurrent," \
	"  u.assignments, u.cpu_millicores, u.host_memory_bytes, u.total_assignments," \
	"  l.cpu_utilization, l.memory_utilization, l.gpu_utilization, l.io_utilization, l.network_utilization," \
	"  l.temperature, l.temperature_celsius," \
	"  CASE l.phase WHEN 'warming' THEN 1 WHEN 'cooling' THEN 2 ELSE 0 END," \
	"  extract(epoch FROM $3 - l.phase_since)::float8, extract(epoch FROM l.phase_duration)::float8," \
	"  CASE WHEN $2 AND w.software_versions <> '{}' THEN w.software_versions::text END," \
	"  u.last_turn, w.cost_per_hour, l.reported_at IS NOT NULL" \
	" FROM hwsched.worker w" \
	" JOIN hwsched.worker_usage u ON u.pool = w.pool AND u.worker_id = w.worker_id" \
	" JOIN hwsched.worker_load l ON l.pool = w.pool AND l.worker_id = w.worker_id" \
	" WHERE " which " ORDER BY w.worker_id"
#define WORKERS_TYPES {TEXTOID, BOOLOID, TIMESTAMPTZOID, TEXTOID}

#define DEVICES_SQL(which) \
	"SELECT d.worker_id, d.device_no, d.profile_id, coalesce(d.memory_bytes, -1), d.uses_host_memory," \
	"  u.slots, u.share, u.memory_bytes, l.utilization, l.temperature_celsius" \
	" FROM hwsched.device d" \
	" JOIN hwsched.device_usage u ON u.pool = d.pool AND u.worker_id = d.worker_id AND u.device_no = d.device_no" \
	" LEFT JOIN hwsched.device_load l ON l.pool = d.pool AND l.worker_id = d.worker_id AND l.device_no = d.device_no" \
	" WHERE " which " ORDER BY d.worker_id, d.device_no"
#define DEVICES_TYPES {TEXTOID, TEXTOID}

static Reported *
load_workers(Picture *picture, const char *pool, const char *only_worker, bool read_only)
{
	static Statement of_pool = {WORKERS_SQL("w.pool = $1"), WORKERS_TYPES};
	static Statement of_worker = {WORKERS_SQL("w.pool = $1 AND w.worker_id = $4"), WORKERS_TYPES};
	Search	   *search = &picture->search;
	Fleet	   *fleet = &picture->fleet;
	HASHCTL		control = {.keysize = sizeof(uint64), .entrysize = sizeof(uint64) * 3, .hcxt = CurrentMemoryContext};
	HTAB	   *numbers = hash_create("hwsched software", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	bool		needs_software = false;
	Reported   *reported;
	int			n;

	for (int i = 0; i < search->nkinds; i++)
		needs_software = needs_software || search->kinds[i].demand.software.count > 0;
	n = (int) statement_run(only_worker ? &of_worker : &of_pool, read_only, TEXT_VALUE(pool),
							VALUE(BoolGetDatum(needs_software)),
							VALUE(TimestampTzGetDatum(GetCurrentTransactionStartTimestamp())),
							TEXT_OR_NULL(only_worker));

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
		worker->last_turn = column_bigint(i, 21);
		worker->cost_per_hour = zero_if_absent(column_number(i, 22));
		worker->reported = column_bool(i, 23);
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
load_profiles(Fleet *fleet, const char *pool, const int64 *ids, int count, bool read_only)
{
	static Statement statement = {
		"SELECT u.ord::int, p.profile FROM unnest($2) WITH ORDINALITY u(profile_id, ord)"
		" JOIN hwsched.device_profile p ON p.pool = $1 AND p.profile_id = u.profile_id",
		{TEXTOID, INT8ARRAYOID}
	};
	Datum	   *datums = palloc(sizeof(Datum) * (count + 1));

	for (int i = 0; i < count; i++)
		datums[i] = Int64GetDatum(ids[i]);
	fleet->nprofiles = count;
	fleet->profiles = palloc0(sizeof(DeviceProfile) * (count + 1));
	if (statement_run(&statement, read_only, TEXT_VALUE(pool), array_value(INT8OID, datums, NULL, count)) != count)
		elog(ERROR, "pool \"%s\" has devices without a profile", pool);
	for (int i = 0; i < count; i++)
		document_read(&device_profile_document, column_jsonb(i, 2), "device_profile", false,
					  &fleet->profiles[column_int(i, 1) - 1]);
}

static void
load_devices(Picture *picture, const char *pool, const char *only_worker,
			 const Reported *reported, bool read_only)
{
	static Statement of_pool = {DEVICES_SQL("d.pool = $1"), DEVICES_TYPES};
	static Statement of_worker = {DEVICES_SQL("d.pool = $1 AND d.worker_id = $2"), DEVICES_TYPES, true};
	Fleet	   *fleet = &picture->fleet;
	HASHCTL		control = {.keysize = sizeof(int64), .entrysize = sizeof(ProfileEntry), .hcxt = CurrentMemoryContext};
	HTAB	   *numbers = hash_create("hwsched profiles", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	int			n = (int) statement_run(only_worker ? &of_worker : &of_pool, read_only,
										TEXT_VALUE(pool), TEXT_OR_NULL(only_worker));
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
		ProfileEntry *entry;
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
			entry->number = nprofiles;
			profile_ids[nprofiles++] = profile_id;
		}
		memset(device, 0, sizeof(*device));
		device->device_no = column_int(i, 2);
		device->profile = entry->number;
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

	load_profiles(fleet, pool, profile_ids, nprofiles, read_only);
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

/* Returns the index of a worker in the fleet, or -1. */
int
fleet_worker(const Fleet *fleet, const char *worker_id)
{
	const Worker *worker = bsearch(worker_id, fleet->workers, fleet->nworkers, sizeof(Worker), compare_worker_id);

	return worker == NULL ? -1 : worker - fleet->workers;
}

/* Gives each kind what was learned of the workers for its workload type. */
static void
load_records(Picture *picture, const char *pool, bool read_only)
{
	static Statement statement = {
		"SELECT workload_type, worker_id, preference, successes, failures, mean_seconds FROM hwsched.preference"
		" WHERE pool = $1 ORDER BY workload_type",
		{TEXTOID}
	};
	Search	   *search = &picture->search;
	Fleet	   *fleet = &picture->fleet;
	bool		uses_preference = picture->settings.preference_weight != 0;
	bool		uses_performance = (picture->policies.uses & USES_PERFORMANCE) != 0;
	uint64		n;
	const char *type = NULL;
	double	   *preference = NULL;
	Performance *performance = NULL;

	if (!uses_preference && !uses_performance)
		return;
	n = statement_run(&statement, read_only, TEXT_VALUE(pool));
	for (uint64 i = 0; i < n; i++)
	{
		char	   *row_type = column_text(i, 1);
		int			worker = fleet_worker(fleet, column_text(i, 2));

		if (!same_name(type, row_type))
		{
			type = row_type;
			preference = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * (fleet->nworkers + 1));
			for (int w = 0; w < fleet->nworkers; w++)
				preference[w] = 0.5;
			performance = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(Performance) * (fleet->nworkers + 1),
													 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
			for (int k = 0; k < search->nkinds; k++)
				if (same_name(search->kinds[k].profile.workload_type, type))
				{
					search->kinds[k].preference = uses_preference ? preference : NULL;
					search->kinds[k].performance = performance;
				}
		}
		if (worker < 0)
			continue;
		preference[worker] = column_number(i, 3);
		performance[worker] = (Performance) {
			column_bigint(i, 4), column_bigint(i, 5), zero_if_absent(column_number(i, 6))
		};
	}
}

/*
 * Reads the fleet (or one worker) and begins the search; the kinds of work
 * have been read before.
 */
void
picture_fleet(Picture *picture, const char *pool, const char *only_worker, bool read_only)
{
	Reported   *reported = load_workers(picture, pool, only_worker, read_only);

	load_devices(picture, pool, only_worker, reported, read_only);
	load_records(picture, pool, read_only);
	load_context(picture, pool, read_only);
	picture->search.partial = only_worker != NULL;
	search_begin(&picture->search);
}
