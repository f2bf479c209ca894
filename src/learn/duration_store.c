/*
 * duration_store.c
 *		What completed runs have taught of durations: the records of model/duration.h
 *		in hwsched.duration_record, read for the work and the devices at hand,
 *		moved on by outcomes, and made into forecasts for decisions.
 *
 * A run changes a handful of records in constant time, however many came
 * before.  Of many alike in one batch only the last teach: the others would
 * say the same once more.
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "learn/duration_store.h"
#include "model/duration_array.h"
#include "support/strtab.h"

/* So many runs of one model on one device profile teach at a time. */
#define RUNS_AT_ONCE 16

/* In place of the number of a worker's record: of a run that does not teach, or of no worker. */
#define TEACHES_NOTHING (-1)
#define NO_WORKER (-2)

static const char *const kind_names[] = {"pool",  "workload_type", "family",
										 "model", "device",		   "worker"};

/* Returns the kind of a name; raises ERRCODE_INVALID_PARAMETER_VALUE for one that there is not. */
DurationKind
duration_kind(const char *name)
{
	for (int kind = 0; kind < lengthof(kind_names); kind++)
		if (strcmp(kind_names[kind], name) == 0)
			return kind;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("unknown kind of record of durations: \"%s\"", name)));
}

/* --- records --- */

DurationStore *
duration_store_begin(const char *pool)
{
	DurationStore *store = palloc0(sizeof(DurationStore));

	store->pool = pool;
	store->numbers = strtab_create("hwsched durations");
	initStringInfo(&store->key);
	store->allocated = 64;
	store->records = palloc(sizeof(StoredRecord) * store->allocated);
	return store;
}

/* Writes the key of a record in memory; it lasts until the next. */
static StringInfo
record_key(DurationStore *store, DurationKind kind, const char *scope, const char *name)
{
	resetStringInfo(&store->key);
	appendStringInfoChar(&store->key, 'a' + kind);
	appendStringInfoString(&store->key, scope);
	appendStringInfoChar(&store->key, '\0');
	appendStringInfoString(&store->key, name);
	return &store->key;
}

/* Returns the number of a record in memory, or -1. */
int
find_record(DurationStore *store, DurationKind kind, const char *scope, const char *name)
{
	StringInfo key = record_key(store, kind, scope, name);
	StrtabEntry *entry = strtab_find(store->numbers, key->data, key->len);

	return entry == NULL ? -1 : entry->number;
}

/* Returns the number of a record, added as one that knows nothing if it is new. */
int
record_number(DurationStore *store, DurationKind kind, const char *scope, const char *name)
{
	Size size = duration_record_size(kind) * sizeof(double);
	StringInfo key = record_key(store, kind, scope, name);
	bool found;
	StrtabEntry *entry = strtab_enter(store->numbers, key->data, key->len, &found);
	StoredRecord *record;

	if (found)
		return entry->number;
	if (store->count == store->allocated)
	{
		store->allocated *= 2;
		store->records = repalloc_huge(store->records, sizeof(StoredRecord) * store->allocated);
	}
	entry->number = store->count;
	record = &store->records[store->count++];
	record->kind = kind;
	record->scope = pstrdup(scope);
	record->name = pstrdup(name);
	record->numbers = palloc0(size);
	record->before = palloc0(size);
	return entry->number;
}

/* Lets the others find a device profile by its number. */
static void
number_device(DurationStore *store, DurationDevice *device)
{
	int number = (int) device->number;

	if (number == 0)
		return;
	if (number > store->devices_allocated)
	{
		int allocated = Max(64, number + store->devices_allocated);
		DurationDevice **devices =
			MemoryContextAllocExtended(CurrentMemoryContext, sizeof(DurationDevice *) * allocated,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

		if (store->ndevices > 0)
			memcpy(devices, store->devices, sizeof(DurationDevice *) * store->ndevices);
		store->devices = devices;
		store->devices_allocated = allocated;
	}
	store->devices[number - 1] = device;
	store->ndevices = Max(store->ndevices, number);
}

/* Fills a record from a row of the table; what is not sane begins anew. */
void
fill_record(DurationStore *store, int number, uint64 row, int column_number)
{
	StoredRecord *record = &store->records[number];
	bool isnull;
	ArrayType *array = DatumGetArrayTypeP(column(row, column_number, &isnull));
	const double *numbers = (const double *) ARR_DATA_PTR(array);
	int count = ARR_NDIM(array) == 1 ? ARR_DIMS(array)[0] : 0;

	if (ARR_HASNULL(array) || duration_record_fault(record->kind, numbers, count) >= 0)
		return;
	memcpy(record->numbers, numbers, sizeof(double) * count);
	memcpy(record->before, numbers, sizeof(double) * count);
	if (record->kind == DURATION_DEVICE)
		number_device(store, (DurationDevice *) record->numbers);
}

/* Reads the records that were added since the last time. */
void
read_added(DurationStore *store, bool read_only)
{
	static SpiPlan statement = {
		"SELECT k.ord::int, r.numbers FROM unnest($2, $3, $4) WITH ORDINALITY k(kind, scope, name,"
		" ord)"
		" JOIN hwsched.duration_record r ON r.pool = $1 AND r.kind = k.kind::hwsched.duration_kind"
		"  AND r.scope = k.scope AND r.name = k.name",
		{TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}};
	int first = store->nasked;
	int n = store->count - first;
	const char **columns[3];

	if (n == 0)
		return;
	for (int c = 0; c < lengthof(columns); c++)
		columns[c] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(char *) * n);
	for (int i = 0; i < n; i++)
	{
		const StoredRecord *record = &store->records[first + i];

		columns[0][i] = kind_names[record->kind];
		columns[1][i] = record->scope;
		columns[2][i] = record->name;
	}
	spi_plan_run(&statement, read_only, TEXT_VALUE(store->pool), text_array(columns[0], n),
				 text_array(columns[1], n), text_array(columns[2], n));
	for (uint64 row = 0; row < SPI_processed; row++)
		fill_record(store, first + column_int(row, 1) - 1, row, 2);
	store->nasked = store->count;
}

/* Notes the number of a device profile that is named and not known so far. */
static void
note_device(const DurationStore *store, double number, Datum *missing, int *nmissing)
{
	if (number <= store->ndevices && store->devices[(int) number - 1] != NULL)
		return;
	for (int i = 0; i < *nmissing; i++)
		if (DatumGetInt32(missing[i]) == (int32) number)
			return;
	missing[(*nmissing)++] = Int32GetDatum((int32) number);
}

/* Reads the device profiles that models and families name by their numbers. */
void
read_named_devices(DurationStore *store, bool read_only)
{
	static SpiPlan statement = {
		"SELECT r.scope, r.numbers FROM unnest($2) n JOIN hwsched.duration_record r ON r.pool = $1"
		" AND r.number = n",
		{TEXTOID, INT4ARRAYOID}};
	Datum *missing = NULL;
	int nmissing = 0;
	int allocated = 0;

	for (int i = 0; i < store->count; i++)
	{
		const StoredRecord *record = &store->records[i];
		const DurationFamily *family = (const DurationFamily *) record->numbers;
		const DurationModel *model = (const DurationModel *) record->numbers;
		int most = nmissing + Max(DURATION_SAMPLES, DURATION_PAIRS);

		if (record->kind != DURATION_FAMILY && record->kind != DURATION_MODEL)
			continue;
		if (most > allocated)
		{
			allocated = most * 2;
			missing = missing == NULL ? palloc(sizeof(Datum) * allocated) :
										repalloc_huge(missing, sizeof(Datum) * allocated);
		}
		if (record->kind == DURATION_FAMILY)
			for (int s = 0; s < family->nsamples; s++)
				note_device(store, family->samples[s].device, missing, &nmissing);
		else
			for (int p = 0; p < model->npairs; p++)
				note_device(store, model->pairs[p].device, missing, &nmissing);
	}
	if (nmissing == 0)
		return;
	spi_plan_run(&statement, read_only, TEXT_VALUE(store->pool),
				 array_value(INT4OID, missing, NULL, nmissing));
	for (uint64 row = 0; row < SPI_processed; row++)
		fill_record(store, record_number(store, DURATION_DEVICE, column_text(row, 1), ""), row, 2);
	store->nasked = store->count;
}

/* --- learning --- */

/*
 * Sees to it that the next number of a device profile is free, whatever the
 * pool's record says: that may be one that began anew, or comes from elsewhere.
 */
static void
skip_numbers(DurationStore *store, DurationPool *pool)
{
	static SpiPlan statement = {
		"SELECT number FROM hwsched.duration_record WHERE pool = $1 AND number IS NOT NULL"
		" ORDER BY number DESC LIMIT 1",
		{TEXTOID},
		ALONG_INDEX};

	if (spi_plan_run(&statement, false, TEXT_VALUE(store->pool)) > 0)
		pool->numbers = Max(pool->numbers, column_int(0, 1));
}

/*
 * Adds the records of a model; what has no model is one that is named after its family, or
 * nothing.
 */
void
add_model(DurationStore *store, const char *workload_type, const char *model_id,
		  const char *model_family, RunRecords *run)
{
	const char *model = model_id != NULL ? model_id : model_family != NULL ? model_family : "";
	char *family = palloc(strlen(model) + 2);

	run->size = duration_family(model, family, strlen(model) + 2);
	run->pool = record_number(store, DURATION_POOL, "", "");
	run->type = record_number(store, DURATION_TYPE, workload_type, "");
	run->family = record_number(store, DURATION_FAMILY, workload_type,
								model_family != NULL ? model_family : family);
	run->model = record_number(store, DURATION_MODEL, workload_type, model);
	pfree(family);
}

/*
 * Returns the records of a run.  Those of one that teaches nothing are for duration_usual() only;
 * what is learned of no worker is forgotten.
 */
static DurationRecords
duration_records(const DurationStore *store, const RunRecords *run)
{
	static DurationWorker nobody;
	DurationRecords records = {RECORD_NUMBERS(store, run->pool),
							   RECORD_NUMBERS(store, run->type),
							   RECORD_NUMBERS(store, run->family),
							   RECORD_NUMBERS(store, run->model),
							   RECORD_NUMBERS(store, run->device),
							   run->worker < 0 ? &nobody : RECORD_NUMBERS(store, run->worker),
							   store->devices,
							   store->ndevices,
							   run->size};

	memset(&nobody, 0, sizeof(nobody));
	return records;
}

/* Runs of one model on one device profile. */
typedef struct RunPair
{
	RunRecords records; /* but the worker's */
	int count;
	int64 known; /* how many runs had taught when usual was worked out */
	double usual; /* what such runs usually take, over the formula */
} RunPair;

/* Returns the pair that a run is of; its records are added if it is new. */
static RunPair *
pair_of_run(DurationStore *store, HTAB *numbers, RunPair *pairs, int *npairs, StringInfo key,
			const EndedAssignment *ended)
{
	char profile_id[MAXINT8LEN + 1];
	StrtabEntry *entry;
	RunPair *pair;
	bool found;

	pg_lltoa(ended->device_profile_id, profile_id);
	resetStringInfo(key);
	appendStringInfoString(key, profile_id);
	appendStringInfoChar(key, '\0');
	appendStringInfoString(key, ended->workload_type);
	appendStringInfoChar(key, '\0');
	appendStringInfoString(key, ended->model_id != NULL ? ended->model_id : "");
	appendStringInfoChar(key, '\0');
	appendStringInfoString(key, ended->model_family != NULL ? ended->model_family : "");
	entry = strtab_enter(numbers, key->data, key->len, &found);
	if (found)
		return &pairs[entry->number];
	entry->number = (*npairs)++;
	pair = &pairs[entry->number];
	*pair = (RunPair){.known = -1};
	add_model(store, ended->workload_type, ended->model_id, ended->model_family, &pair->records);
	pair->records.device = record_number(store, DURATION_DEVICE, profile_id, "");
	return pair;
}

/* Returns the number of the record of a run's worker, added if it is new; NO_WORKER of none. */
static int
worker_record(DurationStore *store, const EndedAssignment *ended)
{
	char profile_id[MAXINT8LEN + 1];

	if (ended->worker_id == NULL)
		return NO_WORKER;
	pg_lltoa(ended->device_profile_id, profile_id);
	return record_number(store, DURATION_WORKER, ended->worker_id, profile_id);
}

/*
 * Learns from completed runs, in their order, in memory, and sets what such runs
 * usually took before each.  The last ones of each pair teach; whatever is the
 * same for all of a pair is worked out once, as there may be many of few.
 */
static void
learn_runs(DurationStore *store, EndedAssignment *ended, int count)
{
	HTAB *numbers = strtab_create("hwsched runs");
	RunPair *pairs = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RunPair) * (count + 1));
	RunPair **of_run =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RunPair *) * (count + 1));
	int *workers = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * (count + 1));
	StringInfoData key;
	int npairs = 0;
	int64 taught = 0;
	bool any_new = false;

	initStringInfo(&key);
	for (int i = count - 1; i >= 0; i--)
	{
		of_run[i] = NULL;
		if (ended[i].failed || !(ended[i].actual_seconds > 0))
			continue;
		of_run[i] = pair_of_run(store, numbers, pairs, &npairs, &key, &ended[i]);
		workers[i] =
			of_run[i]->count++ < RUNS_AT_ONCE ? worker_record(store, &ended[i]) : TEACHES_NOTHING;
	}
	read_added(store, false);
	read_named_devices(store, false);
	for (int i = 0; i < count; i++)
	{
		RunPair *pair = of_run[i];
		DurationRecords records;

		if (pair == NULL)
			continue;
		CHECK_FOR_INTERRUPTS();
		pair->records.worker = workers[i];
		if (pair->known < taught || workers[i] != TEACHES_NOTHING)
			records = duration_records(store, &pair->records);
		if (pair->known < taught)
		{
			pair->usual = duration_usual(&records, 1.0);
			pair->known = taught;
		}
		ended[i].usual_seconds = ended[i].formula_seconds * pair->usual;
		if (workers[i] == TEACHES_NOTHING)
			continue;
		if (records.device->number == 0 && !any_new)
			skip_numbers(store, records.pool);
		any_new = any_new || records.device->number == 0;
		duration_learn(&records, ended[i].formula_seconds, ended[i].actual_seconds);
		number_device(store, records.device);
		taught++;
	}
	hash_destroy(numbers);
}

/* Returns whether runs have changed a record. */
static bool
has_changed(const StoredRecord *record)
{
	return memcmp(record->numbers, record->before,
				  sizeof(double) * duration_record_size(record->kind)) != 0;
}

/* Writes the records that have changed. */
static void
write_changed(const DurationStore *store)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.duration_record AS r (pool, kind, scope, name, number, numbers)"
		" SELECT $1, k.kind::hwsched.duration_kind, k.scope, k.name, k.number, ($6)[k.first:k.last]"
		" FROM unnest($2, $3, $4, $5, $7, $8) k(kind, scope, name, number, first, last)"
		" ON CONFLICT (pool, kind, scope, name) DO UPDATE SET number = EXCLUDED.number,"
		" numbers = EXCLUDED.numbers,"
		"  updated_at = EXCLUDED.updated_at",
		{TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID, FLOAT8ARRAYOID,
		 INT4ARRAYOID, INT4ARRAYOID}};
	const char **texts[3];
	Datum *integers[3];
	bool *no_number = palloc0(sizeof(bool) * (store->count + 1));
	Parameter numbers;
	float8 *next;
	int total = 0;
	int n = 0;

	for (int c = 0; c < 3; c++)
	{
		texts[c] = palloc(sizeof(char *) * (store->count + 1));
		integers[c] = palloc(sizeof(Datum) * (store->count + 1));
	}
	for (int i = 0; i < store->count; i++)
		if (has_changed(&store->records[i]))
			total += duration_record_used(store->records[i].kind, store->records[i].numbers);
	next = fixed_array(FLOAT8OID, sizeof(float8), total, &numbers);
	total = 0;
	for (int i = 0; i < store->count; i++)
	{
		const StoredRecord *record = &store->records[i];
		int used = duration_record_used(record->kind, record->numbers);

		if (!has_changed(record))
			continue;
		memcpy(&next[total], record->numbers, sizeof(double) * used);
		total += used;
		texts[0][n] = kind_names[record->kind];
		texts[1][n] = record->scope;
		texts[2][n] = record->name;
		no_number[n] = record->kind != DURATION_DEVICE;
		integers[0][n] =
			Int32GetDatum(no_number[n] ? 0 : (int32) ((DurationDevice *) record->numbers)->number);
		integers[1][n] = Int32GetDatum(total - used + 1);
		integers[2][n++] = Int32GetDatum(total);
	}
	if (n > 0)
		spi_plan_run(&statement, false, TEXT_VALUE(store->pool), text_array(texts[0], n),
					 text_array(texts[1], n), text_array(texts[2], n),
					 array_value(INT4OID, integers[0], no_number, n), numbers,
					 array_value(INT4OID, integers[1], NULL, n),
					 array_value(INT4OID, integers[2], NULL, n));
}

/*
 * Learns from completed runs, and sets what such runs usually took before each.
 * The pool is locked.
 */
void
learn_durations(const char *pool, EndedAssignment *ended, int count)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hwsched durations", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	DurationStore *store = duration_store_begin(pool);

	learn_runs(store, ended, count);
	write_changed(store);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/*
 * Sets what work of a type, of no model in particular, is expected to take on some device profiles
 * (by their profile_id) by the runs so far; without any it stays what it is.
 */
void
expect_typical(const char *pool, const char *workload_type, const int64 *profile_ids, int count,
			   const double *base_seconds, double *seconds)
{
	DurationStore *store = duration_store_begin(pool);
	RunRecords run = {.worker = NO_WORKER};
	int *devices = palloc(sizeof(int) * (count + 1));

	add_model(store, workload_type, NULL, NULL, &run);
	for (int i = 0; i < count; i++)
	{
		char profile_id[MAXINT8LEN + 1];

		pg_lltoa(profile_ids[i], profile_id);
		devices[i] = record_number(store, DURATION_DEVICE, profile_id, "");
	}
	read_added(store, true);
	read_named_devices(store, true);
	for (int i = 0; i < count; i++)
	{
		DurationRecords records;

		run.device = devices[i];
		records = duration_records(store, &run);
		if (records.pool->runs > 0)
			seconds[i] = duration_predict(&records, base_seconds[i]).p50;
	}
}
