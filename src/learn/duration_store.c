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

#include "support/strtab.h"
#include "learn/duration_store.h"
#include "support/spi_plan.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* So many runs of one model on one device profile teach at a time. */
#define RUNS_AT_ONCE 16

/* Up to so many workers are asked for one by one. */
#define SOME_WORKERS 100

/* A record in memory. */
typedef struct Record
{
	DurationKind kind;
	const char *scope;
	const char *name;
	double	   *numbers;		/* the whole record */
	double	   *before;			/* as it was read */
} Record;

typedef struct Experience
{
	const char *pool;
	HTAB	   *numbers;		/* of records, by kind, scope and name */
	StringInfoData key;
	int			count;
	int			allocated;
	Record	   *records;
	int			nasked;			/* those before this one have been asked for */
	int			ndevices;
	int			devices_allocated;
	DurationDevice **devices;	/* by their numbers, from 1 */
} Experience;

static const char *const kind_names[] = {"pool", "workload_type", "family", "model", "device", "worker"};

/* --- records --- */

static Experience *
experience_begin(const char *pool)
{
	Experience *experience = palloc0(sizeof(Experience));

	experience->pool = pool;
	experience->numbers = bytes_table("hwsched experience");
	initStringInfo(&experience->key);
	experience->allocated = 64;
	experience->records = palloc(sizeof(Record) * experience->allocated);
	return experience;
}

/* Writes the key of a record in memory; it lasts until the next. */
static StringInfo
record_key(Experience *experience, DurationKind kind, const char *scope, const char *name)
{
	resetStringInfo(&experience->key);
	appendStringInfoChar(&experience->key, 'a' + kind);
	appendStringInfoString(&experience->key, scope);
	appendStringInfoChar(&experience->key, '\0');
	appendStringInfoString(&experience->key, name);
	return &experience->key;
}

/* Returns the number of a record in memory, or -1. */
static int
find_record(Experience *experience, DurationKind kind, const char *scope, const char *name)
{
	StringInfo	key = record_key(experience, kind, scope, name);
	BytesEntry *entry = bytes_find(experience->numbers, key->data, key->len);

	return entry == NULL ? -1 : entry->number;
}

/* Returns the number of a record, added as one that knows nothing if it is new. */
static int
record_number(Experience *experience, DurationKind kind, const char *scope, const char *name)
{
	Size		size = duration_record_size(kind) * sizeof(double);
	StringInfo	key = record_key(experience, kind, scope, name);
	bool		found;
	BytesEntry *entry = bytes_enter(experience->numbers, key->data, key->len, &found);
	Record	   *record;

	if (found)
		return entry->number;
	if (experience->count == experience->allocated)
	{
		experience->allocated *= 2;
		experience->records = repalloc_huge(experience->records, sizeof(Record) * experience->allocated);
	}
	entry->number = experience->count;
	record = &experience->records[experience->count++];
	record->kind = kind;
	record->scope = pstrdup(scope);
	record->name = pstrdup(name);
	record->numbers = palloc0(size);
	record->before = palloc0(size);
	return entry->number;
}

/* Lets the others find a device profile by its number. */
static void
number_device(Experience *experience, DurationDevice *device)
{
	int			number = (int) device->number;

	if (number == 0)
		return;
	if (number > experience->devices_allocated)
	{
		int			allocated = Max(64, number + experience->devices_allocated);
		DurationDevice **devices = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(DurationDevice *) * allocated,
															  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

		if (experience->ndevices > 0)
			memcpy(devices, experience->devices, sizeof(DurationDevice *) * experience->ndevices);
		experience->devices = devices;
		experience->devices_allocated = allocated;
	}
	experience->devices[number - 1] = device;
	experience->ndevices = Max(experience->ndevices, number);
}

/* Fills a record from a row of the table; what is not sane begins anew. */
static void
fill_record(Experience *experience, int number, uint64 row, int column_number)
{
	Record	   *record = &experience->records[number];
	bool		isnull;
	ArrayType  *array = DatumGetArrayTypeP(column(row, column_number, &isnull));
	const double *numbers = (const double *) ARR_DATA_PTR(array);
	int			count = ARR_NDIM(array) == 1 ? ARR_DIMS(array)[0] : 0;

	if (ARR_HASNULL(array) || !duration_record_is_sane(record->kind, numbers, count))
		return;
	memcpy(record->numbers, numbers, sizeof(double) * count);
	memcpy(record->before, numbers, sizeof(double) * count);
	if (record->kind == DURATION_DEVICE)
		number_device(experience, (DurationDevice *) record->numbers);
}

/* Reads the records that were added since the last time. */
static void
read_added(Experience *experience, bool read_only)
{
	static Statement statement = {
		"SELECT k.ord::int, r.numbers FROM unnest($2, $3, $4) WITH ORDINALITY k(kind, scope, name, ord)"
		" JOIN hwsched.duration_record r ON r.pool = $1 AND r.kind = k.kind::hwsched.duration_kind"
		"  AND r.scope = k.scope AND r.name = k.name",
		{TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}
	};
	int			first = experience->nasked;
	int			n = experience->count - first;
	const char **columns[3];

	if (n == 0)
		return;
	for (int c = 0; c < lengthof(columns); c++)
		columns[c] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(char *) * n);
	for (int i = 0; i < n; i++)
	{
		const Record *record = &experience->records[first + i];

		columns[0][i] = kind_names[record->kind];
		columns[1][i] = record->scope;
		columns[2][i] = record->name;
	}
	statement_run(&statement, read_only, TEXT_VALUE(experience->pool), text_array(columns[0], n), text_array(columns[1], n),
				  text_array(columns[2], n));
	for (uint64 row = 0; row < SPI_processed; row++)
		fill_record(experience, first + column_int(row, 1) - 1, row, 2);
	experience->nasked = experience->count;
}

/* Notes the number of a device profile that is named and not known so far. */
static void
note_device(const Experience *experience, double number, Datum *missing, int *nmissing)
{
	if (number <= experience->ndevices && experience->devices[(int) number - 1] != NULL)
		return;
	for (int i = 0; i < *nmissing; i++)
		if (DatumGetInt32(missing[i]) == (int32) number)
			return;
	missing[(*nmissing)++] = Int32GetDatum((int32) number);
}

/* Reads the device profiles that models and families name by their numbers. */
static void
read_named_devices(Experience *experience, bool read_only)
{
	static Statement statement = {
		"SELECT r.scope, r.numbers FROM unnest($2) n JOIN hwsched.duration_record r ON r.pool = $1 AND r.number = n",
		{TEXTOID, INT4ARRAYOID}
	};
	Datum	   *missing = NULL;
	int			nmissing = 0;
	int			allocated = 0;

	for (int i = 0; i < experience->count; i++)
	{
		const Record *record = &experience->records[i];
		const DurationFamily *family = (const DurationFamily *) record->numbers;
		const DurationModel *model = (const DurationModel *) record->numbers;
		int			most = nmissing + Max(DURATION_SAMPLES, DURATION_PAIRS);

		if (record->kind != DURATION_FAMILY && record->kind != DURATION_MODEL)
			continue;
		if (most > allocated)
		{
			allocated = most * 2;
			missing = missing == NULL ? palloc(sizeof(Datum) * allocated) : repalloc_huge(missing, sizeof(Datum) * allocated);
		}
		if (record->kind == DURATION_FAMILY)
			for (int s = 0; s < family->nsamples; s++)
				note_device(experience, family->samples[s].device, missing, &nmissing);
		else
			for (int p = 0; p < model->npairs; p++)
				note_device(experience, model->pairs[p].device, missing, &nmissing);
	}
	if (nmissing == 0)
		return;
	statement_run(&statement, read_only, TEXT_VALUE(experience->pool), array_value(INT4OID, missing, NULL, nmissing));
	for (uint64 row = 0; row < SPI_processed; row++)
		fill_record(experience, record_number(experience, DURATION_DEVICE, column_text(row, 1), ""), row, 2);
	experience->nasked = experience->count;
}

/* --- learning --- */

/*
 * Sees to it that the next number of a device profile is free, whatever the
 * pool's record says: that may be one that began anew, or comes from elsewhere.
 */
static void
skip_numbers(Experience *experience, DurationPool *pool, bool read_only)
{
	static Statement statement = {
		"SELECT number FROM hwsched.duration_record WHERE pool = $1 AND number IS NOT NULL ORDER BY number DESC LIMIT 1",
		{TEXTOID}, ALONG_INDEX
	};

	if (statement_run(&statement, read_only, TEXT_VALUE(experience->pool)) > 0)
		pool->numbers = Max(pool->numbers, column_int(0, 1));
}

/* The records of one run, by their numbers. */
typedef struct RunRecords
{
	int			pool;
	int			type;
	int			family;
	int			model;
	int			device;
	int			worker;
	double		size;
} RunRecords;

/* Adds the records of a model; what has no model is one that is named after its family, or nothing. */
static void
add_model(Experience *experience, const char *workload_type, const char *model_id, const char *model_family,
		  RunRecords *run)
{
	const char *model = model_id != NULL ? model_id : model_family != NULL ? model_family : "";
	char	   *family = palloc(strlen(model) + 2);

	run->size = duration_family(model, family, strlen(model) + 2);
	run->pool = record_number(experience, DURATION_POOL, "", "");
	run->type = record_number(experience, DURATION_TYPE, workload_type, "");
	run->family = record_number(experience, DURATION_FAMILY, workload_type, model_family != NULL ? model_family : family);
	run->model = record_number(experience, DURATION_MODEL, workload_type, model);
	pfree(family);
}

#define NUMBERS(experience, number) ((void *) (experience)->records[number].numbers)

/* Returns the records of a run; without a worker (-1) they are for duration_usual() only. */
static DurationRecords
duration_records(const Experience *experience, const RunRecords *run)
{
	DurationRecords records = {
		NUMBERS(experience, run->pool), NUMBERS(experience, run->type), NUMBERS(experience, run->family),
		NUMBERS(experience, run->model), NUMBERS(experience, run->device),
		run->worker < 0 ? NULL : NUMBERS(experience, run->worker), experience->devices, experience->ndevices, run->size
	};

	return records;
}

/* Runs of one model on one device profile. */
typedef struct RunPair
{
	RunRecords	records;		/* but the worker's */
	int			count;
	int64		known;			/* how many runs had taught when usual was worked out */
	double		usual;			/* what such runs usually take, over the formula */
} RunPair;

/* Returns the pair that a run is of; its records are added if it is new. */
static RunPair *
pair_of_run(Experience *experience, HTAB *numbers, RunPair *pairs, int *npairs, StringInfo key, const EndedAssignment *ended)
{
	char		profile_id[MAXINT8LEN + 1];
	BytesEntry *entry;
	RunPair	   *pair;
	bool		found;

	pg_lltoa(ended->device_profile_id, profile_id);
	resetStringInfo(key);
	appendStringInfoString(key, profile_id);
	appendStringInfoChar(key, '\0');
	appendStringInfoString(key, ended->workload_type);
	appendStringInfoChar(key, '\0');
	appendStringInfoString(key, ended->model_id != NULL ? ended->model_id : "");
	appendStringInfoChar(key, '\0');
	appendStringInfoString(key, ended->model_family != NULL ? ended->model_family : "");
	entry = bytes_enter(numbers, key->data, key->len, &found);
	if (found)
		return &pairs[entry->number];
	entry->number = (*npairs)++;
	pair = &pairs[entry->number];
	*pair = (RunPair) {.known = -1};
	add_model(experience, ended->workload_type, ended->model_id, ended->model_family, &pair->records);
	pair->records.device = record_number(experience, DURATION_DEVICE, profile_id, "");
	return pair;
}

/* Returns the number of the record of a run's worker, added if it is new. */
static int
worker_record(Experience *experience, const EndedAssignment *ended)
{
	char		profile_id[MAXINT8LEN + 1];

	pg_lltoa(ended->device_profile_id, profile_id);
	return record_number(experience, DURATION_WORKER, ended->worker_id, profile_id);
}

/*
 * Learns from completed runs, in their order, in memory, and sets what such runs
 * usually took before each.  The last ones of each pair teach; whatever is the
 * same for all of a pair is worked out once, as there may be many of few.
 */
static void
learn_runs(Experience *experience, EndedAssignment *ended, int count, bool read_only)
{
	HTAB	   *numbers = bytes_table("hwsched runs");
	RunPair	   *pairs = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RunPair) * (count + 1));
	RunPair	  **of_run = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RunPair *) * (count + 1));
	int		   *workers = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * (count + 1));	/* -1: does not teach */
	StringInfoData key;
	int			npairs = 0;
	int64		taught = 0;
	bool		any_new = false;

	initStringInfo(&key);
	for (int i = count - 1; i >= 0; i--)
	{
		of_run[i] = NULL;
		if (!(ended[i].actual_seconds > 0))
			continue;
		of_run[i] = pair_of_run(experience, numbers, pairs, &npairs, &key, &ended[i]);
		workers[i] = of_run[i]->count++ < RUNS_AT_ONCE ? worker_record(experience, &ended[i]) : -1;
	}
	read_added(experience, read_only);
	read_named_devices(experience, read_only);
	for (int i = 0; i < count; i++)
	{
		RunPair	   *pair = of_run[i];
		DurationRecords records;

		if (pair == NULL)
			continue;
		CHECK_FOR_INTERRUPTS();
		pair->records.worker = workers[i];
		if (pair->known < taught || workers[i] >= 0)
			records = duration_records(experience, &pair->records);
		if (pair->known < taught)
		{
			pair->usual = duration_usual(&records, 1.0);
			pair->known = taught;
		}
		ended[i].usual_seconds = ended[i].formula_seconds * pair->usual;
		if (workers[i] < 0)
			continue;
		if (records.device->number == 0 && !any_new)
			skip_numbers(experience, records.pool, read_only);
		any_new = any_new || records.device->number == 0;
		duration_learn(&records, ended[i].formula_seconds, ended[i].actual_seconds);
		number_device(experience, records.device);
		taught++;
	}
	hash_destroy(numbers);
}

/* Returns whether runs have changed a record. */
static bool
has_changed(const Record *record)
{
	return memcmp(record->numbers, record->before, sizeof(double) * duration_record_size(record->kind)) != 0;
}

/* Writes the records that have changed. */
static void
write_changed(const Experience *experience)
{
	static Statement statement = {
		"INSERT INTO hwsched.duration_record AS r (pool, kind, scope, name, number, numbers)"
		" SELECT $1, k.kind::hwsched.duration_kind, k.scope, k.name, k.number, ($6)[k.first:k.last]"
		" FROM unnest($2, $3, $4, $5, $7, $8) k(kind, scope, name, number, first, last)"
		" ON CONFLICT (pool, kind, scope, name) DO UPDATE SET number = EXCLUDED.number, numbers = EXCLUDED.numbers,"
		"  updated_at = EXCLUDED.updated_at",
		{TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID, FLOAT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID}
	};
	const char **texts[3];
	Datum	   *integers[3];
	bool	   *no_number = palloc0(sizeof(bool) * (experience->count + 1));
	Parameter	numbers;
	float8	   *next;
	int			total = 0;
	int			n = 0;

	for (int c = 0; c < 3; c++)
	{
		texts[c] = palloc(sizeof(char *) * (experience->count + 1));
		integers[c] = palloc(sizeof(Datum) * (experience->count + 1));
	}
	for (int i = 0; i < experience->count; i++)
		if (has_changed(&experience->records[i]))
			total += duration_record_used(experience->records[i].kind, experience->records[i].numbers);
	next = fixed_array(FLOAT8OID, sizeof(float8), total, &numbers);
	total = 0;
	for (int i = 0; i < experience->count; i++)
	{
		const Record *record = &experience->records[i];
		int			used = duration_record_used(record->kind, record->numbers);

		if (!has_changed(record))
			continue;
		memcpy(&next[total], record->numbers, sizeof(double) * used);
		total += used;
		texts[0][n] = kind_names[record->kind];
		texts[1][n] = record->scope;
		texts[2][n] = record->name;
		no_number[n] = record->kind != DURATION_DEVICE;
		integers[0][n] = Int32GetDatum(no_number[n] ? 0 : (int32) ((DurationDevice *) record->numbers)->number);
		integers[1][n] = Int32GetDatum(total - used + 1);
		integers[2][n++] = Int32GetDatum(total);
	}
	if (n > 0)
		statement_run(&statement, false, TEXT_VALUE(experience->pool), text_array(texts[0], n), text_array(texts[1], n),
					  text_array(texts[2], n), array_value(INT4OID, integers[0], no_number, n), numbers,
					  array_value(INT4OID, integers[1], NULL, n), array_value(INT4OID, integers[2], NULL, n));
}

/* Learns from completed runs; the pool is locked, unless nothing is to be written. */
void
learn_durations(const char *pool, EndedAssignment *ended, int count, bool read_only)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hwsched experience", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Experience *experience = experience_begin(pool);

	learn_runs(experience, ended, count, read_only);
	if (!read_only)
		write_changed(experience);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/* --- forecasts --- */

/* Returns whether anything has been learned in a pool. */
static bool
has_experience(const char *pool, bool read_only)
{
	static Statement statement = {
		"SELECT FROM hwsched.duration_record WHERE pool = $1 AND kind = 'pool' AND scope = '' AND name = ''", {TEXTOID}
	};

	return statement_run(&statement, read_only, TEXT_VALUE(pool)) > 0;
}

/* What subjects are told apart by. */
typedef struct SubjectKey
{
	int32		type;			/* the first kind of work of that type */
	int32		model;			/* in Picture.models; -1: none */
	int32		family;
} SubjectKey;

typedef struct SubjectEntry
{
	SubjectKey	key;
	int32		subject;
} SubjectEntry;

typedef struct SubjectReader
{
	Picture    *picture;
	Experience *experience;
	HTAB	   *entries;
	int32	   *types;			/* by kind of work */
	int			count;
	int			allocated;
	RunRecords *records;		/* by subject */
} SubjectReader;

/* Returns the number of a subject, after adding it if it is new. */
static int32
subject_number(SubjectReader *reader, int kind, int32 model, int32 family)
{
	const Model *models = reader->picture->models;
	SubjectKey	key = {reader->types[kind], model, family};
	bool		found;
	SubjectEntry *entry = hash_search(reader->entries, &key, HASH_ENTER, &found);

	if (found)
		return entry->subject;
	if (reader->count == reader->allocated)
	{
		reader->allocated = Max(64, reader->allocated * 2);
		reader->records = reader->records == NULL ? palloc(sizeof(RunRecords) * reader->allocated) :
			repalloc_huge(reader->records, sizeof(RunRecords) * reader->allocated);
	}
	add_model(reader->experience, reader->picture->search.kinds[kind].profile.workload_type,
			  model < 0 ? NULL : models[model].name, family < 0 ? NULL : models[family].name,
			  &reader->records[reader->count]);
	return entry->subject = reader->count++;
}

/* Finds what the queue's work, and the kinds of work where policies look at models, are as subjects. */
static SubjectReader
find_subjects(Picture *picture, Experience *experience)
{
	HASHCTL		control = {.keysize = sizeof(SubjectKey), .entrysize = sizeof(SubjectEntry), .hcxt = CurrentMemoryContext};
	Search	   *search = &picture->search;
	SubjectReader reader = {picture, experience};
	HTAB	   *types = bytes_table("hwsched types");

	reader.entries = hash_create("hwsched subjects", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	reader.types = palloc(sizeof(int32) * (search->nkinds + 1));
	for (int k = 0; k < search->nkinds; k++)
	{
		const char *type = search->kinds[k].profile.workload_type;
		bool		found;
		BytesEntry *entry = bytes_enter(types, type, strlen(type), &found);

		if (!found)
			entry->number = k;
		reader.types[k] = entry->number;
	}
	for (int i = 0; i < picture->nitems; i++)
		picture->items[i].subject = subject_number(&reader, picture->items[i].kind, picture->rows[i].model,
												   picture->rows[i].family);
	for (int k = 0; k < search->nkinds; k++)
		search->kinds[k].subject = (policy_uses(search->kinds[k].policy) & USES_MODEL) == 0 ? -1 :
			subject_number(&reader, k, search->kinds[k].model, search->kinds[k].family);
	return reader;
}

/* Adds the device profiles of the fleet; returns their records' numbers. */
static int *
add_profiles(const Picture *picture, Experience *experience)
{
	int		   *numbers = palloc(sizeof(int) * (picture->fleet.nprofiles + 1));

	for (int p = 0; p < picture->fleet.nprofiles; p++)
	{
		char		profile_id[MAXINT8LEN + 1];

		pg_lltoa(picture->device_profile_ids[p], profile_id);
		numbers[p] = record_number(experience, DURATION_DEVICE, profile_id, "");
	}
	return numbers;
}

/* Adds what is known of workers: of all, as they are few beside the fleet, or of one. */
static void
add_workers(const Picture *picture, Experience *experience, bool read_only)
{
#define WORKERS_SQL \
	"SELECT scope, name, numbers FROM hwsched.duration_record WHERE pool = $1 AND kind = 'worker'"
	static Statement all = {WORKERS_SQL, {TEXTOID}, IN_SETS};
	static Statement some = {WORKERS_SQL " AND scope = ANY ($2)", {TEXTOID, TEXTARRAYOID}};
	const Fleet *fleet = &picture->fleet;
	const char **worker_ids;
	int			first;

	if (fleet->nworkers > SOME_WORKERS)
		statement_run(&all, read_only, TEXT_VALUE(experience->pool));
	else
	{
		worker_ids = palloc(sizeof(char *) * (fleet->nworkers + 1));
		for (int w = 0; w < fleet->nworkers; w++)
			worker_ids[w] = fleet->workers[w].worker_id;
		statement_run(&some, read_only, TEXT_VALUE(experience->pool), text_array(worker_ids, fleet->nworkers));
	}
	first = experience->count;
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		int			number = record_number(experience, DURATION_WORKER, column_text(row, 1), column_text(row, 2));

		/* one that unsettled runs have moved on is newer than the table's */
		if (number >= first)
			fill_record(experience, number, row, 3);
	}
	experience->nasked = experience->count;
}

/* Finds what is known of the worker of each device of the fleet. */
static DurationWorker **
workers_of_devices(const Picture *picture, Experience *experience)
{
	static DurationWorker nobody;
	const Fleet *fleet = &picture->fleet;
	DurationWorker **workers = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(DurationWorker *) * (fleet->ndevices + 1));

	for (int w = 0; w < fleet->nworkers; w++)
	{
		const Worker *worker = &fleet->workers[w];

		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		{
			char		profile_id[MAXINT8LEN + 1];
			int			number;

			if (d > worker->first_device && fleet->devices[d].profile == fleet->devices[d - 1].profile)
			{
				workers[d] = workers[d - 1];
				continue;
			}
			pg_lltoa(picture->device_profile_ids[fleet->devices[d].profile], profile_id);
			number = find_record(experience, DURATION_WORKER, worker->worker_id, profile_id);
			workers[d] = number < 0 ? &nobody : NUMBERS(experience, number);
		}
	}
	return workers;
}

/*
 * Gives the decisions on a picture what is known of durations, if anything is;
 * the fleet and the queue have been read before.
 */
void
load_forecast(Picture *picture, const char *pool, EndedAssignment *unsettled, int nunsettled, bool read_only)
{
	Experience *experience;
	SubjectReader subjects;
	Forecast   *forecast;
	int		   *profiles;

	if (!picture->settings.learning || (nunsettled == 0 && !has_experience(pool, read_only)))
		return;
	experience = experience_begin(pool);
	subjects = find_subjects(picture, experience);
	profiles = add_profiles(picture, experience);
	read_added(experience, read_only);
	learn_runs(experience, unsettled, nunsettled, read_only);
	read_named_devices(experience, read_only);
	add_workers(picture, experience, read_only);

	forecast = palloc0(sizeof(Forecast));
	forecast->pool = NUMBERS(experience, record_number(experience, DURATION_POOL, "", ""));
	forecast->ndevices = experience->ndevices;
	forecast->devices = experience->devices;
	forecast->nprofiles = picture->fleet.nprofiles;
	forecast->profiles = palloc(sizeof(DurationDevice *) * (forecast->nprofiles + 1));
	for (int p = 0; p < forecast->nprofiles; p++)
		forecast->profiles[p] = NUMBERS(experience, profiles[p]);
	forecast->workers = workers_of_devices(picture, experience);
	forecast->nsubjects = subjects.count;
	forecast->subjects = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(ForecastSubject) * (subjects.count + 1),
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < subjects.count; i++)
	{
		const RunRecords *records = &subjects.records[i];

		forecast->subjects[i].type = NUMBERS(experience, records->type);
		forecast->subjects[i].family = NUMBERS(experience, records->family);
		forecast->subjects[i].model = NUMBERS(experience, records->model);
		forecast->subjects[i].size = records->size;
	}
	picture->search.forecast = forecast;
}
