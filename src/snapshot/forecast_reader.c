/*
 * forecast_reader.c
 *		Reads what is known of durations for the decisions on a snapshot.
 */
#include "postgres.h"

#include "learn/duration_store.h"
#include "snapshot/forecast_reader.h"
#include "support/strtab.h"

/* Up to so many workers are asked for one by one. */
#define SOME_WORKERS 100

/* Returns whether anything has been learned in a pool. */
static bool
has_experience(const char *pool, bool read_only)
{
	static SpiPlan statement = {
		"SELECT FROM hwsched.duration_record WHERE pool = $1 AND kind = 'pool' AND scope = ''"
		" AND name = ''",
		{TEXTOID}};

	return spi_plan_run(&statement, read_only, TEXT_VALUE(pool)) > 0;
}

/* What subjects are told apart by. */
typedef struct SubjectKey
{
	int32 type; /* the first kind of work of that type */
	int32 model; /* in PoolSnapshot.models; -1: none */
	int32 family;
} SubjectKey;

typedef struct SubjectEntry
{
	SubjectKey key;
	int32 subject;
} SubjectEntry;

typedef struct SubjectReader
{
	PoolSnapshot *snapshot;
	DurationStore *store;
	HTAB *entries;
	int32 *types; /* by kind of work */
	int count;
	int allocated;
	RunRecords *records; /* by subject */
} SubjectReader;

/* Returns the number of a subject, after adding it if it is new. */
static int32
subject_number(SubjectReader *reader, int kind, int32 model, int32 family)
{
	const Model *models = reader->snapshot->models;
	SubjectKey key = {reader->types[kind], model, family};
	bool found;
	SubjectEntry *entry = hash_search(reader->entries, &key, HASH_ENTER, &found);

	if (found)
		return entry->subject;
	if (reader->count == reader->allocated)
	{
		reader->allocated = Max(64, reader->allocated * 2);
		reader->records =
			reader->records == NULL ?
				palloc(sizeof(RunRecords) * reader->allocated) :
				repalloc_huge(reader->records, sizeof(RunRecords) * reader->allocated);
	}
	add_model(reader->store, reader->snapshot->search.kinds[kind].profile.workload_type,
			  model < 0 ? NULL : models[model].name, family < 0 ? NULL : models[family].name,
			  &reader->records[reader->count]);
	return entry->subject = reader->count++;
}

/*
 * Finds what the queue's work, and the kinds of work where policies look at models, are as
 * subjects.
 */
static SubjectReader
find_subjects(PoolSnapshot *snapshot, DurationStore *store)
{
	HASHCTL control = {.keysize = sizeof(SubjectKey),
					   .entrysize = sizeof(SubjectEntry),
					   .hcxt = CurrentMemoryContext};
	Search *search = &snapshot->search;
	SubjectReader reader = {snapshot, store};
	HTAB *types = strtab_create("hwsched types");

	reader.entries =
		hash_create("hwsched subjects", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	reader.types = palloc(sizeof(int32) * (search->nkinds + 1));
	for (int k = 0; k < search->nkinds; k++)
	{
		const char *type = search->kinds[k].profile.workload_type;
		bool found;
		StrtabEntry *entry = strtab_enter(types, type, strlen(type), &found);

		if (!found)
			entry->number = k;
		reader.types[k] = entry->number;
	}
	for (int i = 0; i < snapshot->nitems; i++)
		snapshot->items[i].subject = subject_number(
			&reader, snapshot->items[i].kind, snapshot->rows[i].model, snapshot->rows[i].family);
	for (int k = 0; k < search->nkinds; k++)
		search->kinds[k].subject =
			(policy_uses(search->kinds[k].policy) & USES_MODEL) == 0 ?
				-1 :
				subject_number(&reader, k, search->kinds[k].model, search->kinds[k].family);
	return reader;
}

/* Adds the device profiles of the fleet; returns their records' numbers. */
static int *
add_profiles(const PoolSnapshot *snapshot, DurationStore *store)
{
	int *numbers = palloc(sizeof(int) * (snapshot->fleet.nprofiles + 1));

	for (int p = 0; p < snapshot->fleet.nprofiles; p++)
	{
		char profile_id[MAXINT8LEN + 1];

		pg_lltoa(snapshot->device_profile_ids[p], profile_id);
		numbers[p] = record_number(store, DURATION_DEVICE, profile_id, "");
	}
	return numbers;
}

/* Adds what is known of workers: of all, as they are few beside the fleet, or of one. */
static void
add_workers(const PoolSnapshot *snapshot, DurationStore *store, bool read_only)
{
#define WORKERS_SQL \
	"SELECT scope, name, numbers FROM hwsched.duration_record WHERE pool = $1 AND kind = 'worker'"
	static SpiPlan all = {WORKERS_SQL, {TEXTOID}, IN_SETS};
	static SpiPlan some = {WORKERS_SQL " AND scope = ANY ($2)", {TEXTOID, TEXTARRAYOID}};
	const Fleet *fleet = &snapshot->fleet;
	const char **worker_ids;

	if (fleet->nworkers > SOME_WORKERS)
		spi_plan_run(&all, read_only, TEXT_VALUE(store->pool));
	else
	{
		worker_ids = palloc(sizeof(char *) * (fleet->nworkers + 1));
		for (int w = 0; w < fleet->nworkers; w++)
			worker_ids[w] = fleet->workers[w].worker_id;
		spi_plan_run(&some, read_only, TEXT_VALUE(store->pool),
					 text_array(worker_ids, fleet->nworkers));
	}
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		int number =
			record_number(store, DURATION_WORKER, column_text(row, 1), column_text(row, 2));

		fill_record(store, number, row, 3);
	}
	store->nasked = store->count;
}

/* Finds what is known of the worker of each device of the fleet. */
static DurationWorker **
workers_of_devices(const PoolSnapshot *snapshot, DurationStore *store)
{
	static DurationWorker nobody;
	const Fleet *fleet = &snapshot->fleet;
	DurationWorker **workers = MemoryContextAllocHuge(
		CurrentMemoryContext, sizeof(DurationWorker *) * (fleet->ndevices + 1));

	for (int w = 0; w < fleet->nworkers; w++)
	{
		const Worker *worker = &fleet->workers[w];

		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		{
			char profile_id[MAXINT8LEN + 1];
			int number;

			if (d > worker->first_device &&
				fleet->devices[d].profile == fleet->devices[d - 1].profile)
			{
				workers[d] = workers[d - 1];
				continue;
			}
			pg_lltoa(snapshot->device_profile_ids[fleet->devices[d].profile], profile_id);
			number = find_record(store, DURATION_WORKER, worker->worker_id, profile_id);
			workers[d] = number < 0 ? &nobody : RECORD_NUMBERS(store, number);
		}
	}
	return workers;
}

/*
 * Gives the decisions on a snapshot what is known of durations, if anything is;
 * the fleet and the queue have been read before.
 */
void
load_forecast(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	DurationStore *store;
	SubjectReader subjects;
	Forecast *forecast;
	int *profiles;

	if (!snapshot->settings.learning || !has_experience(pool, read_only))
		return;
	store = duration_store_begin(pool);
	subjects = find_subjects(snapshot, store);
	profiles = add_profiles(snapshot, store);
	read_added(store, read_only);
	read_named_devices(store, read_only);
	add_workers(snapshot, store, read_only);

	forecast = palloc0(sizeof(Forecast));
	forecast->pool = RECORD_NUMBERS(store, record_number(store, DURATION_POOL, "", ""));
	forecast->ndevices = store->ndevices;
	forecast->devices = store->devices;
	forecast->nprofiles = snapshot->fleet.nprofiles;
	forecast->profiles = palloc(sizeof(DurationDevice *) * (forecast->nprofiles + 1));
	for (int p = 0; p < forecast->nprofiles; p++)
		forecast->profiles[p] = RECORD_NUMBERS(store, profiles[p]);
	forecast->workers = workers_of_devices(snapshot, store);
	forecast->nsubjects = subjects.count;
	forecast->subjects = MemoryContextAllocExtended(CurrentMemoryContext,
													sizeof(ForecastSubject) * (subjects.count + 1),
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < subjects.count; i++)
	{
		const RunRecords *records = &subjects.records[i];

		forecast->subjects[i].type = RECORD_NUMBERS(store, records->type);
		forecast->subjects[i].family = RECORD_NUMBERS(store, records->family);
		forecast->subjects[i].model = RECORD_NUMBERS(store, records->model);
		forecast->subjects[i].size = records->size;
	}
	snapshot->search.forecast = forecast;
}
