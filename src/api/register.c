/*
 * register.c
 *		How workers come: new ones, and those that register again.
 *
 * A device is known by its device_id, or else by its place in the list and what
 * it is.  One that is known keeps its device_no, and what is assigned to it
 * follows it; of one that is not there any more, what ran is lost.  A worker is
 * known by its worker_id, one start of it from another by its incarnation.
 */
#include "postgres.h"

#include "api/capacity.h"
#include "api/lost_runs.h"
#include "api/register.h"
#include "api/settle.h"
#include "api/worker.h"
#include "document/infer.h"
#include "document/json.h"
#include "document/plausible.h"
#include "store/device_state.h"
#include "store/hardware.h"
#include "store/health.h"
#include "store/pool.h"
#include "store/profile_cache.h"
#include "store/wakeup.h"
#include "store/worker.h"
#include "support/args.h"
#include "support/columns.h"

PG_FUNCTION_INFO_V1(hwsched_register_worker);

/* --- incarnations --- */

/* Returns what tells this start of a worker from others; NULL: nothing does. */
static const char *
incarnation_of(const Capabilities *capabilities)
{
	return capabilities->incarnation != NULL ? capabilities->incarnation : capabilities->hostname;
}

/*
 * Takes back what an earlier incarnation of a worker runs.  Raises
 * ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE if that was alive a moment ago on
 * another host.  The worker is locked.
 */
static void
end_other_incarnation(const char *pool, const PoolSettings *settings, const char *worker_id,
					  const Capabilities *capabilities)
{
	static SpiPlan known = {"SELECT w.hostname, extract(epoch FROM now() - l.last_seen_at)::float8"
							" FROM hwsched.worker w JOIN hwsched.worker_load l ON l.pool = w.pool"
							" AND l.worker_id = w.worker_id"
							" WHERE w.pool = $1 AND w.worker_id = $2 AND w.incarnation <> $3",
							{TEXTOID, TEXTOID, TEXTOID}};
	static SpiPlan running = {
		"SELECT assignment_id FROM hwsched.assignment WHERE pool = $1 AND worker_id = $2"
		" AND finished_at IS NULL AND state = 'running' ORDER BY assignment_id",
		{TEXTOID, TEXTOID}};
	char *hostname;
	double silent;
	int64 *ids;
	int n;

	if (spi_plan_run(&known, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
					 TEXT_OR_NULL(incarnation_of(capabilities))) == 0)
		return;
	hostname = column_text(0, 1);
	silent = column_number(0, 2);
	if (hostname != NULL && capabilities->hostname != NULL &&
		strcmp(hostname, capabilities->hostname) != 0 && silent < settings->offline_after)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("worker \"%s\" registers from host \"%s\" while it is alive on host"
							   " \"%s\"",
							   worker_id, capabilities->hostname, hostname),
						errdetail("The last sign of life from there is %.0f s old; offline_after is"
								  " %.0f s.",
								  Max(silent, 0), settings->offline_after),
						errhint("Give each host a worker_id of its own. A host that replaces"
								" another waits until that is silent for so long, or unregisters"
								" it first.")));
	n = (int) spi_plan_run(&running, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
	ids = palloc(sizeof(int64) * (n + 1));
	for (int i = 0; i < n; i++)
		ids[i] = column_bigint(i, 1);
	lose_runs(pool, settings, ids, n, "the worker has started again");
}

/* --- the worker --- */

/* Returns the profile_id of each of some devices, after adding those that are new. */
static Datum *
device_profile_ids(const char *pool, const DeviceSpec *specs, int count)
{
	Datum *ids = palloc(sizeof(Datum) * (count + 1));

	for (int i = 0; i < count; i++)
	{
		/* devices that an entry counts share its strings */
		bool same =
			i > 0 && memcmp(&specs[i].profile, &specs[i - 1].profile, sizeof(DeviceProfile)) == 0;

		ids[i] = same ? ids[i - 1] : Int64GetDatum(device_profile_id(pool, &specs[i].profile));
	}
	return ids;
}

/* Adds the rows of a new worker that others write: nothing assigned, nothing reported. */
static void
add_usage_and_load(const char *pool, const char *worker_id, int64 hardware_id)
{
	static SpiPlan usage = {
		"INSERT INTO hwsched.worker_usage (pool, worker_id, hardware_id) VALUES ($1, $2, $3)",
		{TEXTOID, TEXTOID, INT8OID}};
	static SpiPlan load = {
		"INSERT INTO hwsched.worker_load (pool, worker_id, hardware_id, cpu_readiness,"
		" accelerator_readiness, state_hash)"
		" VALUES ($1, $2, $3, $4, $5, $6)",
		{TEXTOID, TEXTOID, INT8OID, FLOAT8OID, FLOAT8OID, INT8OID}};
	const Hardware *hardware;
	DeviceStates nothing;
	Readiness readiness;

	hardware_get(pool, &hardware_id, 1, false, &hardware);
	device_states_begin(&nothing, hardware_id);
	readiness = device_states_readiness(hardware, &nothing);
	spi_plan_run(&usage, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id), BIGINT_VALUE(hardware_id));
	spi_plan_run(&load, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id), BIGINT_VALUE(hardware_id),
				 NUMBER_OR_NULL(readiness.cpu), NUMBER_OR_NULL(readiness.accelerator),
				 BIGINT_VALUE(readiness.state_hash));
}

/* Writes the worker's own row; returns whether it is a new worker. */
static bool
write_worker(const char *pool, const char *worker_id, const Offer *offer,
			 const Capabilities *capabilities)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.worker AS w (pool, worker_id, hostname, cpu_millicores, memory_bytes,"
		" max_concurrent,"
		"  software_versions, cost_per_hour, network_bandwidth, labels, capabilities, incarnation,"
		" taints)"
		" VALUES ($1, $2, $3, $4, $5, $6, coalesce(nullif($9 -> 'software_versions', 'null'),"
		" '{}'), $7, $8,"
		"  coalesce(nullif($9 -> 'labels', 'null'), '{}'), $9, $10,"
		"  nullif(nullif($9 -> 'taints', 'null'), '{}'))"
		" ON CONFLICT (pool, worker_id) DO UPDATE SET hostname = EXCLUDED.hostname,"
		"  cpu_millicores = EXCLUDED.cpu_millicores, memory_bytes = EXCLUDED.memory_bytes,"
		"  max_concurrent = EXCLUDED.max_concurrent, software_versions ="
		" EXCLUDED.software_versions,"
		"  cost_per_hour = EXCLUDED.cost_per_hour, network_bandwidth = EXCLUDED.network_bandwidth,"
		"  labels = EXCLUDED.labels, taints = EXCLUDED.taints,"
		"  capabilities = EXCLUDED.capabilities, updated_at = now(),"
		"  incarnation = coalesce(EXCLUDED.incarnation, w.incarnation)"
		" RETURNING xmax = 0",
		{TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID, INT4OID, FLOAT8OID, FLOAT8OID, JSONBOID,
		 TEXTOID}};

	spi_plan_run(
		&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
		TEXT_OR_NULL(capabilities->hostname), BIGINT_VALUE(offer->cpu_millicores),
		BIGINT_VALUE(offer->memory_bytes),
		capabilities->max_concurrent > 0 ? INT_VALUE(capabilities->max_concurrent) : NULL_VALUE,
		NUMBER_OR_NULL(capabilities->cost_per_hour),
		NUMBER_OR_NULL(capabilities->network_bandwidth), VALUE(JsonbPGetDatum(offer->capabilities)),
		TEXT_OR_NULL(incarnation_of(capabilities)));
	return column_bool(0, 1);
}

/* --- devices --- */

/* A device of a worker as it registered before. */
typedef struct KnownDevice
{
	int32 device_no;
	const char *device_id; /* NULL: none */
	int64 profile_id;
	DeviceProfile profile;
	int64 memory_bytes;
	bool uses_host_memory;
	bool is_there; /* among those that it registers with */
} KnownDevice;

static const Column known_columns[] = {
	{"device_no", INT4OID, offsetof(KnownDevice, device_no)},
	{"device_id", CSTRINGOID, offsetof(KnownDevice, device_id)},
	{"profile_id", INT8OID, offsetof(KnownDevice, profile_id)},
	{"coalesce(memory_bytes, -1)", INT8OID, offsetof(KnownDevice, memory_bytes)},
	{"uses_host_memory", BOOLOID, offsetof(KnownDevice, uses_host_memory)},
};

static const RowType known_row = ROW_TYPE(KnownDevice, known_columns);

/* Reads the devices of a worker; returns how many and sets *known. */
static int
known_devices(const char *pool, const char *worker_id, KnownDevice **known)
{
	static SpiPlan statement = {
		"SELECT " ROW_COLUMNS
		" FROM hwsched.device WHERE pool = $1 AND worker_id = $2 ORDER BY device_no",
		{TEXTOID, TEXTOID},
		.row = &known_row};
	int n = (int) spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
	int64 *ids = palloc(sizeof(int64) * (n + 1));
	DeviceProfile *profiles = palloc(sizeof(DeviceProfile) * (n + 1));

	*known = read_rows(&known_row, n);
	for (int i = 0; i < n; i++)
		ids[i] = (*known)[i].profile_id;
	device_profiles_get(pool, ids, n, false, profiles);
	for (int i = 0; i < n; i++)
		(*known)[i].profile = profiles[i];
	return n;
}

static bool
same_or_absent(const char *a, const char *b)
{
	return (a == NULL && b == NULL) || same_name(a, b);
}

/*
 * Returns whether a device is one of the same make as before, memory included
 * if it has its own: what software or its worker give it may change.  A CPU is
 * its worker's, however many cores that offers, and an inferred one is named
 * for them.
 */
static bool
same_make(const KnownDevice *known, const DeviceSpec *spec)
{
	const DeviceProfile *a = &known->profile;
	const DeviceProfile *b = &spec->profile;

	if (same_name(a->hardware_class, "cpu") && same_name(b->hardware_class, "cpu"))
		return true;
	return same_or_absent(a->hardware_class, b->hardware_class) &&
		   same_or_absent(a->architecture, b->architecture) &&
		   same_or_absent(a->vendor, b->vendor) && same_or_absent(a->model_name, b->model_name) &&
		   (known->memory_bytes < 0) == (spec->memory_bytes < 0) &&
		   (spec->memory_bytes < 0 || a->memory_total_bytes == b->memory_total_bytes);
}

/* Returns the known device that says to be the same one, or NULL. */
static KnownDevice *
find_by_id(KnownDevice *known, int nknown, const DeviceSpec *spec)
{
	for (int k = 0; k < nknown && spec->device_id != NULL; k++)
		if (known[k].device_id != NULL && strcmp(spec->device_id, known[k].device_id) == 0)
			return &known[k];
	return NULL;
}

/* Returns the known device that stood at a place of the list and is of the same make, or NULL. */
static KnownDevice *
find_by_place(KnownDevice *known, int nknown, const DeviceSpec *spec, int place)
{
	for (int k = 0; k < nknown && known[k].device_no <= place; k++)
		if (known[k].device_no == place && !known[k].is_there &&
			(spec->device_id == NULL || known[k].device_id == NULL) && same_make(&known[k], spec))
			return &known[k];
	return NULL;
}

/*
 * Numbers the devices that a worker registers with: known ones as before, new
 * ones by their place in the list, or with the next number that is free.
 */
static int32 *
number_devices(KnownDevice *known, int nknown, const DeviceSpec *specs, int count)
{
	int32 *numbers = palloc(sizeof(int32) * (count + 1));
	int most = count + (nknown == 0 ? 0 : known[nknown - 1].device_no + 1);
	bool *taken = palloc0(sizeof(bool) * (most + 1));
	int32 next = 0;

	for (int i = 0; i < count; i++)
		numbers[i] = -1;
	/* those that say which they are come before those that stand where they stood */
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < count; i++)
		{
			KnownDevice *device = NULL;

			if (numbers[i] < 0)
				device = pass == 0 ? find_by_id(known, nknown, &specs[i]) :
									 find_by_place(known, nknown, &specs[i], i);
			if (device == NULL)
				continue;
			device->is_there = true;
			numbers[i] = device->device_no;
			taken[device->device_no] = true;
		}
	for (int i = 0; i < count; i++)
		if (numbers[i] < 0 && !taken[i])
		{
			numbers[i] = i;
			taken[i] = true;
		}
	for (int i = 0; i < count; i++)
		if (numbers[i] < 0)
		{
			while (taken[next])
				next++;
			numbers[i] = next;
			taken[next] = true;
		}
	return numbers;
}

typedef struct NumberedSpec
{
	int32 device_no;
	DeviceSpec spec;
} NumberedSpec;

static int
compare_numbers(const void *a, const void *b)
{
	return ((const NumberedSpec *) a)->device_no - ((const NumberedSpec *) b)->device_no;
}

/* Puts the devices of an offer into the order of their numbers. */
static void
sort_offer(Offer *offer, DeviceSpec *specs)
{
	NumberedSpec *sorted = palloc(sizeof(NumberedSpec) * (offer->ndevices + 1));

	for (int i = 0; i < offer->ndevices; i++)
		sorted[i] = (NumberedSpec){offer->device_nos[i], specs[i]};
	qsort(sorted, offer->ndevices, sizeof(NumberedSpec), compare_numbers);
	for (int i = 0; i < offer->ndevices; i++)
	{
		offer->device_nos[i] = sorted[i].device_no;
		specs[i] = sorted[i].spec;
	}
}

/* Returns whether a device is there as it was: what it was assigned is not in question. */
static bool
is_unchanged(const KnownDevice *known, const Offer *offer)
{
	for (int i = 0; i < offer->ndevices; i++)
		if (offer->device_nos[i] == known->device_no)
			return known->profile_id == DatumGetInt64(offer->profile_ids[i]) &&
				   known->memory_bytes == offer->specs[i].memory_bytes &&
				   known->uses_host_memory == offer->specs[i].uses_host_memory;
	return false;
}

/*
 * Takes back what is on devices that are gone, and what has not started on
 * devices that are not what they were; forgets what was reported of them.
 */
static void
leave_devices(const char *pool, const PoolSettings *settings, const char *worker_id,
			  const KnownDevice *known, int nknown, const Offer *offer)
{
	static SpiPlan running = {
		"SELECT assignment_id FROM hwsched.assignment WHERE pool = $1 AND worker_id = $2"
		" AND finished_at IS NULL AND state = 'running' AND device_nos && $3"
		" ORDER BY assignment_id",
		{TEXTOID, TEXTOID, INT4ARRAYOID}};
	static SpiPlan forget = {"DELETE FROM hwsched.device_load WHERE pool = $1 AND worker_id = $2"
							 " AND device_no = ANY ($3)",
							 {TEXTOID, TEXTOID, INT4ARRAYOID}};
#define REMOVE_FROM(table) \
	{ \
		"DELETE FROM hwsched." table " WHERE pool = $1 AND worker_id = $2" \
		" AND device_no = ANY ($3)", \
		{ \
			TEXTOID, TEXTOID, INT4ARRAYOID \
		} \
	}
	static SpiPlan remove[] = {REMOVE_FROM("device_heat"), REMOVE_FROM("device_usage"),
							   REMOVE_FROM("device")};
	Datum *changed = palloc(sizeof(Datum) * (nknown + 1));
	Datum *gone = palloc(sizeof(Datum) * (nknown + 1));
	int nchanged = 0;
	int ngone = 0;
	int64 *ids;
	int n;

	for (int k = 0; k < nknown; k++)
	{
		if (!known[k].is_there)
			gone[ngone++] = Int32GetDatum(known[k].device_no);
		if (!known[k].is_there || !is_unchanged(&known[k], offer))
			changed[nchanged++] = Int32GetDatum(known[k].device_no);
	}
	if (nchanged == 0)
		return;
	requeue_assigned(pool, text_array(&worker_id, 1), array_value(INT4OID, changed, NULL, nchanged),
					 "the worker's hardware changed");
	spi_plan_run(&forget, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
				 array_value(INT4OID, changed, NULL, nchanged));
	if (ngone == 0)
		return;
	n = (int) spi_plan_run(&running, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
						   array_value(INT4OID, gone, NULL, ngone));
	ids = palloc(sizeof(int64) * (n + 1));
	for (int i = 0; i < n; i++)
		ids[i] = column_bigint(i, 1);
	lose_runs(pool, settings, ids, n, "its device is gone");
	for (int i = 0; i < lengthof(remove); i++)
		spi_plan_run(&remove[i], false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
					 array_value(INT4OID, gone, NULL, ngone));
}

/* Makes the device rows those of an offer; those that are gone have been removed. */
static void
write_devices(const char *pool, const char *worker_id, const Offer *offer)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.device AS d (pool, worker_id, device_no, profile_id, memory_bytes,"
		" uses_host_memory, device_id, labels)"
		" SELECT $1, $2, device_no, profile_id, nullif(memory_bytes, -1), uses_host_memory,"
		" device_id, nullif(nullif($9 -> 'devices' -> entry -> 'labels', 'null'), '{}')"
		" FROM unnest($3, $4, $5, $6, $7, $8) g(device_no, profile_id, memory_bytes,"
		" uses_host_memory, device_id, entry)"
		" ON CONFLICT (pool, worker_id, device_no) DO UPDATE SET profile_id = EXCLUDED.profile_id,"
		"  memory_bytes = EXCLUDED.memory_bytes, uses_host_memory = EXCLUDED.uses_host_memory,"
		"  device_id = EXCLUDED.device_id, labels = EXCLUDED.labels"
		" WHERE (d.profile_id, d.memory_bytes, d.uses_host_memory, d.device_id, d.labels)"
		"  IS DISTINCT FROM (EXCLUDED.profile_id, EXCLUDED.memory_bytes,"
		" EXCLUDED.uses_host_memory, EXCLUDED.device_id, EXCLUDED.labels)",
		{TEXTOID, TEXTOID, INT4ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, BOOLARRAYOID, TEXTARRAYOID,
		 INT4ARRAYOID, JSONBOID}};
	static SpiPlan usage = {
		"INSERT INTO hwsched.device_usage (pool, worker_id, device_no)"
		" SELECT pool, worker_id, device_no FROM hwsched.device WHERE pool = $1 AND worker_id = $2"
		" ON CONFLICT DO NOTHING",
		{TEXTOID, TEXTOID}};
	int count = offer->ndevices;
	Datum *numbers = palloc(sizeof(Datum) * (count + 1));
	Datum *memory = palloc(sizeof(Datum) * (count + 1));
	Datum *uses = palloc(sizeof(Datum) * (count + 1));
	Datum *ids = palloc(sizeof(Datum) * (count + 1));
	Datum *entries = palloc(sizeof(Datum) * (count + 1));
	bool *no_id = palloc(sizeof(bool) * (count + 1));
	bool *no_entry = palloc(sizeof(bool) * (count + 1));

	for (int i = 0; i < count; i++)
	{
		const DeviceSpec *spec = &offer->specs[i];

		numbers[i] = Int32GetDatum(offer->device_nos[i]);
		memory[i] = Int64GetDatum(spec->memory_bytes);
		uses[i] = BoolGetDatum(spec->uses_host_memory);
		no_id[i] = spec->device_id == NULL;
		ids[i] = no_id[i] ? (Datum) 0 : CStringGetTextDatum(spec->device_id);
		no_entry[i] = spec->entry < 0;
		entries[i] = Int32GetDatum(spec->entry);
	}
	spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
				 array_value(INT4OID, numbers, NULL, count),
				 array_value(INT8OID, offer->profile_ids, NULL, count),
				 array_value(INT8OID, memory, NULL, count), array_value(BOOLOID, uses, NULL, count),
				 array_value(TEXTOID, ids, no_id, count),
				 array_value(INT4OID, entries, no_entry, count),
				 VALUE(JsonbPGetDatum(offer->capabilities)));
	spi_plan_run(&usage, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id));
}

/* --- registering --- */

/* What a worker says of itself, and the devices that it amounts to. */
typedef struct Registration
{
	Jsonb *document;
	Inspection *inspection;
	Capabilities capabilities;
	DeviceSpec *specs;
	int ndevices;
} Registration;

/* Reads and checks the capabilities of a Registration. */
static void
read_registration(void *argument)
{
	Registration *registration = argument;

	document_read(&capabilities_document, registration->document, NULL, registration->inspection,
				  &registration->capabilities);
	registration->ndevices = infer_devices(&registration->capabilities, &registration->specs);
	doubt_capabilities(registration->document, &registration->capabilities,
					   registration->inspection);
}

/* Lists what register_worker() would find in capabilities, and what it would infer from them. */
void
inspect_capabilities(Jsonb *capabilities, const char *pool, Inspection *inspection)
{
	Registration registration = {capabilities, inspection};

	inspection_try(inspection, read_registration, &registration);
	for (int i = 0; i < registration.ndevices; i++)
	{
		const DeviceProfile *profile = &registration.specs[i].profile;

		inspection_inform(inspection, psprintf("devices[%d]", i), "%s %s, %.15g GB",
						  profile->hardware_class, profile->model_name ? profile->model_name : "",
						  profile->memory_total_bytes / BYTES_PER_GB);
	}
}

/* Refuses a document that says to be another worker's. */
static void
check_worker_id(const Capabilities *capabilities, const char *worker_id)
{
	if (capabilities->worker_id != NULL && strcmp(capabilities->worker_id, worker_id) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"worker_id\": \"%.80s\"", capabilities->worker_id),
				 errdetail("Expected \"%s\", which registers.", worker_id), errpath("worker_id")));
}

/* register_worker(worker_id text, capabilities jsonb, pool text) RETURNS void */
Datum
hwsched_register_worker(PG_FUNCTION_ARGS)
{
	char *worker_id = text_argument(fcinfo, 0);
	Jsonb *document = jsonb_argument(1);
	char *pool = text_argument(fcinfo, 2);
	PoolSettings settings;
	Inspection inspection;
	Registration registration = {document, &inspection};
	const Capabilities *capabilities = &registration.capabilities;
	KnownDevice *known;
	Offer offer;
	int64 hardware_id;
	int nknown;
	Settled settled = {0};
	Caller caller;

	if (worker_id[0] == '\0' || strlen(worker_id) > 1000)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"worker_id\": \"%.80s\"", worker_id),
						errdetail("Expected 1 to 1000 bytes.")));
	caller = call_begin(fcinfo);
	pool_settings_load(pool, false, &settings);
	authz_check_worker(&caller, pool, worker_id);
	inspection_begin(&inspection, unknown_keys_of(&settings));
	read_registration(&registration);
	check_worker_id(capabilities, worker_id);
	inspection_end(&inspection);
	offer.cpu_millicores = (int64) floor(capabilities->cpu_cores * 1000 + 1e-6);
	offer.memory_bytes = isnan(capabilities->available_memory) ?
							 0 :
							 (int64) (capabilities->available_memory * BYTES_PER_GB);
	offer.capabilities = keep_unknown_keys(&capabilities_document, document);
	offer.ndevices = registration.ndevices;
	offer.specs = registration.specs;

	pool_and_worker_lock(pool, worker_id);
	wake_for_room(pool);
	/* what was completed before we got at it */
	settle(pool, &settled);
	learn_settled(pool, &settled);
	end_other_incarnation(pool, &settings, worker_id, capabilities);
	nknown = known_devices(pool, worker_id, &known);
	offer.device_nos = number_devices(known, nknown, registration.specs, offer.ndevices);
	sort_offer(&offer, registration.specs);
	offer.profile_ids = device_profile_ids(pool, registration.specs, offer.ndevices);
	leave_devices(pool, &settings, worker_id, known, nknown, &offer);

	hardware_id = hardware_id_of(pool, &offer);
	if (write_worker(pool, worker_id, &offer, capabilities))
		add_usage_and_load(pool, worker_id, hardware_id);
	else
		worker_back(pool, worker_id);
	write_devices(pool, worker_id, &offer);
	hardware_assign(pool, worker_id, hardware_id);
	requeue_exceeding(pool, worker_id, "the worker's hardware changed");
	worker_seen(pool, worker_id, SAID_ALL);
	label_names_forget();
	call_end(&caller);
	PG_RETURN_VOID();
}
