/*
 * given_fleet.c
 *		Fleets that scenarios describe: a list of capabilities, each of so many workers.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "document/infer.h"
#include "document/json.h"
#include "simulate/given_fleet.h"
#include "snapshot/labels.h"
#include "store/device_state.h"
#include "support/spi_plan.h"
#include "support/strtab.h"

/* A fleet has so many workers and devices at most. */
#define MOST_WORKERS 1000000
#define MOST_DEVICES 2000000

/* One entry of the list. */
typedef struct Entry
{
	Jsonb *document;
	const char *path;
	Capabilities capabilities;
	int count;
	int ndevices;
	DeviceSpec *specs;
	int32 *profiles; /* by device: in Fleet.profiles */
	int32 software; /* in Fleet.software */
} Entry;

/* A worker to be, before the fleet is in the order of names. */
typedef struct Named
{
	const char *worker_id;
	int entry;
} Named;

static int
compare_named(const void *a, const void *b)
{
	return strcmp(((const Named *) a)->worker_id, ((const Named *) b)->worker_id);
}

/* Returns how many workers an entry stands for. */
static int
entry_count(Jsonb *document, const char *path)
{
	JsonbValue value;
	double count = 1;

	if (getKeyJsonValueFromContainer(&document->root, "count", 5, &value) == NULL)
		return 1;
	if (value.type == jbvNumeric)
		count = DatumGetFloat8(
			DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value.val.numeric)));
	if (value.type != jbvNumeric || count != floor(count) || count < 0 || count > MOST_WORKERS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"%s\"", document_path(path, "count")),
						errdetail("Expected a whole number from 0 to %d.", MOST_WORKERS),
						errpath(document_path(path, "count"))));
	return (int) count;
}

/* Returns the profile_id of a device profile in the pool, so that what was learned counts; or 0. */
static int64
known_profile_id(const char *pool, const DeviceProfile *profile)
{
	static SpiPlan find = {
		"SELECT profile_id FROM hwsched.device_profile"
		" WHERE pool = $1 AND digest = hwsched_internal.profile_digest($2, NULL)",
		{TEXTOID, JSONBOID}};

	return spi_plan_run(&find, true, TEXT_VALUE(pool),
						VALUE(JsonbPGetDatum(document_write(&device_profile_document, profile)))) >
				   0 ?
			   column_bigint(0, 1) :
			   0;
}

/* Numbers a device profile; equal ones have one number. */
static int32
profile_number(PoolSnapshot *snapshot, const char *pool, HTAB *numbers,
			   const DeviceProfile *profile)
{
	Fleet *fleet = &snapshot->fleet;
	StringInfoData key;
	StrtabEntry *entry;
	bool found;
	int n;

	initStringInfo(&key);
	append_document_key(&key, &device_profile_document, profile);
	entry = strtab_enter(numbers, key.data, key.len, &found);
	pfree(key.data);
	if (found)
		return entry->number;
	n = fleet->nprofiles++;
	if ((n & (n - 1)) == 0)
	{
		int allocated = Max(n * 2, 1);

		fleet->profiles = n == 0 ? palloc(sizeof(DeviceProfile) * 2) :
								   repalloc(fleet->profiles, sizeof(DeviceProfile) * allocated);
		snapshot->device_profile_ids =
			n == 0 ? palloc(sizeof(int64) * 2) :
					 repalloc(snapshot->device_profile_ids, sizeof(int64) * allocated);
	}
	fleet->profiles[n] = *profile;
	snapshot->device_profile_ids[n] = known_profile_id(pool, profile);
	return entry->number = n;
}

/* Reads one entry, which stands at a path. */
static void
read_entry(PoolSnapshot *snapshot, const char *pool, HTAB *profiles, Entry *entry)
{
	Fleet *fleet = &snapshot->fleet;
	JsonbValue software;

	document_read(&capabilities_document, entry->document, entry->path, inspect_names(),
				  &entry->capabilities);
	entry->count = entry_count(entry->document, entry->path);
	entry->ndevices = infer_devices(&entry->capabilities, &entry->specs);
	entry->profiles = palloc(sizeof(int32) * (entry->ndevices + 1));
	for (int d = 0; d < entry->ndevices; d++)
		/* devices that an entry counts share its strings */
		entry->profiles[d] = d > 0 && memcmp(&entry->specs[d].profile, &entry->specs[d - 1].profile,
											 sizeof(DeviceProfile)) == 0 ?
								 entry->profiles[d - 1] :
								 profile_number(snapshot, pool, profiles, &entry->specs[d].profile);
	if (entry->capabilities.software_versions.count > 0 &&
		getKeyJsonValueFromContainer(&entry->document->root, "software_versions", 17, &software) !=
			NULL)
	{
		fleet->software = repalloc(fleet->software, sizeof(NamedTexts) * (fleet->nsoftware + 1));
		entry->software = fleet->nsoftware;
		fleet->software[fleet->nsoftware++] = read_software(JsonbValueToJsonb(&software));
	}
}

/* Names the workers of all entries, in the order of their names. */
static Named *
name_workers(const Entry *entries, int nentries, int nworkers)
{
	Named *named = palloc_huge(sizeof(Named) * (nworkers + 1));
	int n = 0;

	for (int e = 0; e < nentries; e++)
	{
		const Capabilities *capabilities = &entries[e].capabilities;
		const char *name = capabilities->worker_id != NULL ? capabilities->worker_id :
						   capabilities->hostname != NULL  ? capabilities->hostname :
															 psprintf("worker-%d", e + 1);
		int digits = (int) log10(Max(entries[e].count, 1)) + 1;

		for (int i = 1; i <= entries[e].count; i++)
			named[n++] =
				(Named){entries[e].count == 1 ? name : psprintf("%s-%0*d", name, digits, i), e};
	}
	qsort(named, n, sizeof(Named), compare_named);
	for (int i = 1; i < n; i++)
		if (strcmp(named[i].worker_id, named[i - 1].worker_id) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid value for \"fleet\": two workers are named \"%s\"",
							named[i].worker_id),
					 errhint("Give each entry a \"worker_id\" of its own."), errpath("fleet")));
	return named;
}

/* Returns an object in a document as a Datum; 0: there is none. */
static Datum
object_datum(Jsonb *document, const char *key)
{
	Jsonb *object = document == NULL ? NULL : object_at(document, key);

	return object == NULL ? (Datum) 0 : JsonbPGetDatum(object);
}

/* Returns the document of a worker's device, as its worker gave it; NULL: it is inferred. */
static Jsonb *
device_document(const Entry *entry, int device)
{
	JsonbValue devices;
	JsonbValue *one;

	if (entry->specs[device].entry < 0 ||
		getKeyJsonValueFromContainer(&entry->document->root, "devices", 7, &devices) == NULL ||
		devices.type != jbvBinary)
		return NULL;
	one = getIthJsonbValueFromContainer(devices.val.binary.data, entry->specs[device].entry);
	return one == NULL ? NULL : JsonbValueToJsonb(one);
}

static void
add_worker(PoolSnapshot *snapshot, LabelReader *labels, const Entry *entry, const char *worker_id)
{
	Fleet *fleet = &snapshot->fleet;
	const Capabilities *capabilities = &entry->capabilities;
	Worker *worker = &fleet->workers[fleet->nworkers];

	*worker = (Worker){.worker_id = worker_id,
					   .accepting = true,
					   .cpu_millicores = (int64) floor(capabilities->cpu_cores * 1000 + 1e-6),
					   .memory_bytes = isnan(capabilities->available_memory) ?
										   0 :
										   (int64) (capabilities->available_memory * BYTES_PER_GB),
					   .max_concurrent = capabilities->max_concurrent,
					   .software = entry->software,
					   .first_device = fleet->ndevices,
					   .ndevices = entry->ndevices,
					   .cost_per_hour =
						   isnan(capabilities->cost_per_hour) ? 0 : capabilities->cost_per_hour,
					   .window_in = INFINITY};
	labels_of_worker(labels, fleet->nworkers, object_datum(entry->document, "labels"),
					 object_datum(entry->document, "taints"), capabilities->hostname);
	for (int d = 0; d < entry->ndevices; d++)
	{
		Jsonb *given = labels->needed ? device_document(entry, d) : NULL;

		labels_of_device(labels, fleet->ndevices, object_datum(given, "labels"));
		fleet->devices[fleet->ndevices++] =
			(Device){.device_no = d,
					 .device_id = entry->specs[d].device_id,
					 .profile = entry->profiles[d],
					 .memory_bytes = entry->specs[d].memory_bytes,
					 .uses_host_memory = entry->specs[d].uses_host_memory};
	}
	fleet->nworkers++;
}

/*
 * Takes everything from the fleet that runs on it, and what was reported of it: it is idle and
 * cool.
 */
void
empty_fleet(PoolSnapshot *snapshot)
{
	static const Reported nothing = {
		.temperature = NAN, .celsius = NAN, .phase = PHASE_NORMAL, .performance_level = 1.0};
	Fleet *fleet = &snapshot->fleet;

	for (int w = 0; w < fleet->nworkers; w++)
	{
		Worker *worker = &fleet->workers[w];

		worker->assignments = 0;
		worker->cpu_used = worker->memory_used = 0;
		worker->runs_alone = worker->reported = false;
	}
	for (int d = 0; d < fleet->ndevices; d++)
	{
		Device *device = &fleet->devices[d];

		device->slots = device->share = 0;
		device->memory_used = 0;
		set_device_state(&fleet->profiles[device->profile], &nothing, NAN, NAN, device);
	}
}

/*
 * Makes a fleet of a list of capabilities, each with the count of such workers; the kinds of
 * work have been read before.  Returns, by worker, which of the list it is one of.  Raises
 * ERRCODE_INVALID_PARAMETER_VALUE with the path of what is wrong.
 */
const int32 *
read_given_fleet(PoolSnapshot *snapshot, const char *pool, Jsonb *list)
{
	Fleet *fleet = &snapshot->fleet;
	int nentries = JB_ROOT_COUNT(list);
	Entry *entries = palloc0(sizeof(Entry) * (nentries + 1));
	HTAB *profiles = strtab_create("hwsched given profiles");
	LabelReader *labels = labels_begin(snapshot);
	int64 nworkers = 0;
	int64 ndevices = 0;
	Named *named;
	int32 *entry_of;

	fleet->nsoftware = 1;
	fleet->software = palloc0(sizeof(NamedTexts));
	for (int e = 0; e < nentries; e++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(&list->root, e);

		entries[e].path = psprintf("fleet[%d]", e);
		if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid value for \"%s\"", entries[e].path),
					 errdetail("Expected a capabilities object."), errpath(entries[e].path)));
		entries[e].document = JsonbValueToJsonb(value);
		read_entry(snapshot, pool, profiles, &entries[e]);
		nworkers += entries[e].count;
		ndevices += (int64) entries[e].count * entries[e].ndevices;
	}
	if (nworkers > MOST_WORKERS || ndevices > MOST_DEVICES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"fleet\": it has " INT64_FORMAT
							   " workers with " INT64_FORMAT " devices",
							   nworkers, ndevices),
						errdetail("Expected at most %d workers and %d devices.", MOST_WORKERS,
								  MOST_DEVICES),
						errpath("fleet")));
	named = name_workers(entries, nentries, (int) nworkers);
	fleet->workers = palloc_huge(sizeof(Worker) * (nworkers + 1));
	fleet->devices = palloc_huge(sizeof(Device) * (ndevices + 1));
	if (fleet->nprofiles == 0)
	{
		fleet->profiles = palloc(sizeof(DeviceProfile));
		snapshot->device_profile_ids = palloc(sizeof(int64));
	}
	entry_of = palloc_huge(sizeof(int32) * (nworkers + 1));
	for (int w = 0; w < nworkers; w++)
	{
		entry_of[w] = named[w].entry;
		add_worker(snapshot, labels, &entries[named[w].entry], named[w].worker_id);
	}
	labels_select(labels);
	empty_fleet(snapshot);
	return entry_of;
}
