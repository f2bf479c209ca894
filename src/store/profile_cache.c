/*
 * profile_cache.c
 *		A session's copy of rows that never change: device profiles, workload
 *		profiles and kinds of hardware.
 *
 * To read one costs a statement and a document, so each is read once.  As a
 * row never changes, all that can make the copy wrong is that its table is
 * emptied or made anew, which PostgreSQL tells everybody; then the next caller
 * begins another generation of it.  Whoever uses a generation pins it for as
 * long as its memory context lives, so nobody's definitions vanish in its
 * hands.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "document/json.h"
#include "document/jsonb_writer.h"
#include "store/profile_cache.h"
#include "support/spi_plan.h"

/* A generation with more definitions than this is not added to any more. */
#define MOST_DEFINITIONS 20000

typedef enum CacheTable
{
	DEVICE_PROFILE,
	WORKLOAD_PROFILE,
	HARDWARE,
	NTABLES
} CacheTable;

static const char *const table_names[] = {"device_profile", "workload_profile", "hardware"};

typedef struct CacheKey
{
	int64 id;
	uint32 pool; /* a hash */
	uint32 table;
} CacheKey;

typedef struct CachedRow
{
	CacheKey key;
	const char *pool;
	const void *value;
} CachedRow;

typedef struct Generation
{
	MemoryContext context;
	HTAB *definitions;
	int pins;
} Generation;

/* What a workload profile's row holds. */
typedef struct CachedKind
{
	WorkloadProfile profile;
	Demand demand;
} CachedKind;

static Generation *current = NULL;
static bool stale = true;
static Oid tables[NTABLES];

/* Notes that a table of ours, or everything, may have been emptied. */
static void
forget(Datum arg, Oid relation)
{
	for (int i = 0; i < NTABLES; i++)
		if (relation == InvalidOid || relation == tables[i])
			stale = true;
}

static void
drop_unused(Generation *generation)
{
	if (generation->pins == 0 && generation != current)
		MemoryContextDelete(generation->context);
}

static void
unpin(void *generation)
{
	((Generation *) generation)->pins--;
	drop_unused(generation);
}

/* Begins an empty generation. */
static void
begin_generation(void)
{
	static bool registered = false;
	HASHCTL control = {.keysize = sizeof(CacheKey), .entrysize = sizeof(CachedRow)};
	Generation *previous = current;
	Oid schema = get_namespace_oid("hwsched", false);
	MemoryContext context;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(forget, (Datum) 0);
		registered = true;
	}
	for (int i = 0; i < NTABLES; i++)
		tables[i] = get_relname_relid(table_names[i], schema);

	context =
		AllocSetContextCreate(TopMemoryContext, "hwsched definitions", ALLOCSET_DEFAULT_SIZES);
	control.hcxt = context;
	current = MemoryContextAllocZero(context, sizeof(Generation));
	current->context = context;
	current->definitions =
		hash_create("hwsched definitions", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	stale = false;
	if (previous != NULL)
		drop_unused(previous);
}

/* Returns the current generation, pinned for the current memory context. */
static Generation *
pin_generation(void)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	if (stale || hash_get_num_entries(current->definitions) > MOST_DEFINITIONS)
		begin_generation();
	callback->func = unpin;
	callback->arg = current;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	current->pins++;
	return current;
}

static CacheKey
key_of(CacheTable table, const char *pool, int64 id)
{
	return (CacheKey){id, DatumGetUInt32(hash_any((const unsigned char *) pool, strlen(pool))),
					  table};
}

/* Returns a definition, or NULL if it has not been read. */
static const void *
find(const Generation *generation, CacheTable table, const char *pool, int64 id)
{
	CacheKey key = key_of(table, pool, id);
	const CachedRow *definition = hash_search(generation->definitions, &key, HASH_FIND, NULL);

	return definition != NULL && strcmp(definition->pool, pool) == 0 ? definition->value : NULL;
}

static void
add(Generation *generation, CacheTable table, const char *pool, int64 id, const void *value)
{
	CacheKey key = key_of(table, pool, id);
	const char *copy = MemoryContextStrdup(generation->context, pool);
	CachedRow *definition = hash_search(generation->definitions, &key, HASH_ENTER, NULL);

	definition->pool = copy;
	definition->value = value;
}

/*
 * Runs a statement for those of ids that have not been read, if any.  Returns
 * the number of its rows, whose first column is the id.
 */
static uint64
read_missing(Generation *generation, SpiPlan *statement, CacheTable table, const char *pool,
			 const int64 *ids, int count, bool read_only)
{
	Datum *missing = palloc(sizeof(Datum) * (count + 1));
	int nmissing = 0;

	for (int i = 0; i < count; i++)
		if (find(generation, table, pool, ids[i]) == NULL)
			missing[nmissing++] = Int64GetDatum(ids[i]);
	if (nmissing == 0)
		return 0;
	return spi_plan_run(statement, read_only, TEXT_VALUE(pool),
						array_value(INT8OID, missing, NULL, nmissing));
}

/* Returns a definition that has been read. */
static const void *
get(const Generation *generation, CacheTable table, const char *pool, int64 id)
{
	const void *value = find(generation, table, pool, id);

	if (value == NULL)
		elog(ERROR, "pool \"%s\" has no %s " INT64_FORMAT, pool, table_names[table], id);
	return value;
}

/* Reads the missing ones of some device profiles. */
static void
read_device_profiles(Generation *generation, const char *pool, const int64 *ids, int count,
					 bool read_only)
{
	static SpiPlan statement = {
		"SELECT p.profile_id, p.profile FROM unnest($2) u(profile_id)"
		" JOIN hwsched.device_profile p ON p.pool = $1 AND p.profile_id = u.profile_id",
		{TEXTOID, INT8ARRAYOID}};
	uint64 n = read_missing(generation, &statement, DEVICE_PROFILE, pool, ids, count, read_only);

	for (uint64 i = 0; i < n; i++)
	{
		int64 id = column_bigint(i, 1);
		Jsonb *document = column_jsonb(i, 2);
		MemoryContext old;
		DeviceProfile *profile;

		/* it may have been asked for twice */
		if (find(generation, DEVICE_PROFILE, pool, id) != NULL)
			continue;
		old = MemoryContextSwitchTo(generation->context);
		profile = palloc(sizeof(DeviceProfile));
		document_read(&device_profile_document, document, "device_profile", NULL, profile);
		MemoryContextSwitchTo(old);
		add(generation, DEVICE_PROFILE, pool, id, profile);
	}
}

/* Sets profiles to some device profiles of a pool. */
void
device_profiles_get(const char *pool, const int64 *ids, int count, bool read_only,
					DeviceProfile *profiles)
{
	Generation *generation = pin_generation();

	read_device_profiles(generation, pool, ids, count, read_only);
	for (int i = 0; i < count; i++)
		profiles[i] = *(const DeviceProfile *) get(generation, DEVICE_PROFILE, pool, ids[i]);
}

/* Sets the profiles and demands of kinds of work, whose profile_id is set. */
void
work_kinds_get(const char *pool, WorkKind *kinds, int count, bool read_only)
{
	static SpiPlan statement = {
		"SELECT p.profile_id, p.profile, p.demand FROM unnest($2) u(profile_id)"
		" JOIN hwsched.workload_profile p ON p.pool = $1 AND p.profile_id = u.profile_id",
		{TEXTOID, INT8ARRAYOID}};
	Generation *generation = pin_generation();
	int64 *ids = palloc(sizeof(int64) * (count + 1));
	uint64 n;

	for (int i = 0; i < count; i++)
		ids[i] = kinds[i].profile_id;
	n = read_missing(generation, &statement, WORKLOAD_PROFILE, pool, ids, count, read_only);
	for (uint64 i = 0; i < n; i++)
	{
		Jsonb *profile = column_jsonb(i, 2);
		Jsonb *demand = column_jsonb(i, 3);
		MemoryContext old = MemoryContextSwitchTo(generation->context);
		CachedKind *kind = palloc(sizeof(CachedKind));

		document_read(&placement_profile_document, profile, "workload_profile", NULL,
					  &kind->profile);
		document_read(&demand_document, demand, "demand", NULL, &kind->demand);
		MemoryContextSwitchTo(old);
		add(generation, WORKLOAD_PROFILE, pool, column_bigint(i, 1), kind);
	}
	for (int i = 0; i < count; i++)
	{
		const CachedKind *kind = get(generation, WORKLOAD_PROFILE, pool, ids[i]);

		kinds[i].profile = kind->profile;
		kinds[i].demand = kind->demand;
	}
}

/* Reads a document as if it stood among capabilities under a key. */
static Capabilities
read_capability(const char *key, Jsonb *document)
{
	Capabilities read;
	JsonbParseState *state = NULL;
	JsonbValue value;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_key(&state, key);
	value.type = jbvBinary;
	value.val.binary.data = &document->root;
	value.val.binary.len = VARSIZE(document) - VARHDRSZ;
	pushJsonbValue(&state, WJB_VALUE, &value);
	document_read(&capabilities_document,
				  JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)), "worker", NULL,
				  &read);
	return read;
}

/* Reads what software a worker has: {name: version}. */
NamedTexts
read_software(Jsonb *versions)
{
	return JB_ROOT_COUNT(versions) == 0 ?
			   (NamedTexts){0, NULL} :
			   read_capability("software_versions", versions).software_versions;
}

/* Returns an array's elements, copied to the current context. */
static Datum *
elements(uint64 row, int number, Oid type, int *count)
{
	bool isnull;
	ArrayType *array = DatumGetArrayTypePCopy(column(row, number, &isnull));
	Datum *datums;
	int16 length;
	bool by_value;
	char alignment;

	get_typlenbyvalalign(type, &length, &by_value, &alignment);
	deconstruct_array(array, type, length, by_value, alignment, &datums, NULL, count);
	return datums;
}

/* Reads a row of hwsched.hardware into a generation. */
static void
read_hardware(Generation *generation, const char *pool, uint64 row, bool read_only)
{
	int count;
	Datum *profiles = elements(row, 5, INT8OID, &count);
	Datum *memory = elements(row, 6, INT8OID, &count);
	Datum *uses = elements(row, 7, BOOLOID, &count);
	Datum *numbers = elements(row, 8, INT4OID, &count);
	Jsonb *software = column_jsonb(row, 4);
	Hardware *hardware = MemoryContextAlloc(generation->context, sizeof(Hardware));
	const DeviceProfile **profile =
		MemoryContextAlloc(generation->context, sizeof(DeviceProfile *) * (count + 1));
	int64 *memory_bytes = MemoryContextAlloc(generation->context, sizeof(int64) * (count + 1));
	bool *uses_host_memory = MemoryContextAlloc(generation->context, sizeof(bool) * (count + 1));
	int32 *device_nos = MemoryContextAlloc(generation->context, sizeof(int32) * (count + 1));
	MemoryContext old;

	for (int i = 0; i < count; i++)
	{
		profile[i] = get(generation, DEVICE_PROFILE, pool, DatumGetInt64(profiles[i]));
		memory_bytes[i] = DatumGetInt64(memory[i]);
		uses_host_memory[i] = DatumGetBool(uses[i]);
		device_nos[i] = DatumGetInt32(numbers[i]);
	}
	*hardware = (Hardware){column_bigint(row, 1),
						   column_bigint(row, 2),
						   column_bigint(row, 3),
						   {0, NULL},
						   count,
						   device_nos,
						   profile,
						   memory_bytes,
						   uses_host_memory};
	old = MemoryContextSwitchTo(generation->context);
	hardware->software = read_software(software);
	MemoryContextSwitchTo(old);
	add(generation, HARDWARE, pool, hardware->hardware_id, hardware);
}

/* Sets hardware to some kinds of worker of a pool. */
void
hardware_get(const char *pool, const int64 *ids, int count, bool read_only,
			 const Hardware **hardware)
{
	static SpiPlan statement = {
		"SELECT h.hardware_id, h.cpu_millicores, h.memory_bytes, h.software_versions,"
		" h.device_profile_ids, h.device_memory_bytes, h.device_uses_host_memory, h.device_nos"
		" FROM unnest($2) u(hardware_id)"
		" JOIN hwsched.hardware h ON h.pool = $1 AND h.hardware_id = u.hardware_id",
		{TEXTOID, INT8ARRAYOID}};
	Generation *generation = pin_generation();
	uint64 n = read_missing(generation, &statement, HARDWARE, pool, ids, count, read_only);
	SPITupleTable *rows = SPI_tuptable;

	if (n > 0)
	{
		int64 *profile_ids = NULL;
		int nprofiles = 0;

		for (uint64 i = 0; i < n; i++)
		{
			int ndevices;
			Datum *profiles = elements(i, 5, INT8OID, &ndevices);

			profile_ids = profile_ids == NULL ?
							  palloc(sizeof(int64) * (ndevices + 1)) :
							  repalloc(profile_ids, sizeof(int64) * (nprofiles + ndevices + 1));
			for (int d = 0; d < ndevices; d++)
				profile_ids[nprofiles++] = DatumGetInt64(profiles[d]);
		}
		read_device_profiles(generation, pool, profile_ids, nprofiles, read_only);
		SPI_tuptable = rows;
		for (uint64 i = 0; i < n; i++)
			read_hardware(generation, pool, i, read_only);
	}
	for (int i = 0; i < count; i++)
		hardware[i] = get(generation, HARDWARE, pool, ids[i]);
}
