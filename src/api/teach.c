/*
 * teach.c
 *		Learning from runs that were not ours: what another scheduler, or none,
 *		has run before.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "api/settle.h"
#include "document/infer.h"
#include "document/json.h"
#include "learn/track_record.h"
#include "model/formula.h"
#include "store/authz.h"
#include "store/hardware.h"
#include "store/pool.h"
#include "store/profile_cache.h"
#include "support/args.h"
#include "support/strtab.h"

PG_FUNCTION_INFO_V1(hwsched_teach);

/* What took so many times as long as expected was probably measured in another unit. */
#define DOUBTFUL_RATIO 500

/* The runs of a call, and what was looked up for them. */
typedef struct Lesson
{
	const char *pool;
	Inspection inspection;
	MemoryContext keep;
	TimestampTz now;
	HTAB *devices; /* by model name, or the text of a profile: an index into profile_ids */
	HTAB *workers; /* that are registered */
	int ndevices;
	int64 *profile_ids;
	DeviceProfile *profiles;
	int count;
	EndedAssignment *runs;
} Lesson;

/* Refuses what a run does not say. */
static void
check_said(bool is_said, const char *path, const char *key)
{
	const char *place = document_path(path, key);

	if (!is_said)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"%s\" is missing", place), errpath(place)));
}

/* Refuses a name that is empty, or longer than an index takes. */
static void
check_name(const char *name, const char *path, const char *key)
{
	const char *place = document_path(path, key);

	if (name != NULL && (name[0] == '\0' || strlen(name) > MOST_NAME))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"%s\": \"%.80s\"", place, name),
						errdetail("Expected 1 to %d bytes.", MOST_NAME), errpath(place)));
}

/* --- devices and workers --- */

/* Raises ERRCODE_INVALID_PARAMETER_VALUE: no device profile of the pool has such a model name. */
pg_noreturn static void
unknown_model(const Lesson *lesson, const char *name, const char *place)
{
	static SpiPlan all = {"SELECT DISTINCT model_name FROM hwsched.device_profile WHERE pool = $1"
						  " AND model_name IS NOT NULL ORDER BY 1",
						  {TEXTOID},
						  IN_SETS};
	NearestName nearest = {.given = name};

	spi_plan_run(&all, false, TEXT_VALUE(lesson->pool));
	for (uint64 i = 0; i < SPI_processed; i++)
		nearest_consider(&nearest, column_text(i, 1));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown device model for \"%s\": \"%.80s\"", place, name),
			 nearest.name != NULL ?
				 errhint("Did you mean \"%s\"?", nearest.name) :
				 errhint("Register a worker with such a device first, or give a device profile."),
			 errpath(place)));
}

/* Returns the profile_id of the device model that is there most often, or was there last. */
static int64
profile_of_model(const Lesson *lesson, const char *name, const char *place)
{
	static SpiPlan find = {
		"SELECT p.profile_id FROM hwsched.device_profile p LEFT JOIN hwsched.device d"
		" ON d.pool = $1 AND d.profile_id = p.profile_id"
		" WHERE p.pool = $1 AND p.model_name = $2"
		" GROUP BY p.profile_id ORDER BY count(d.worker_id) DESC, p.profile_id DESC LIMIT 1",
		{TEXTOID, TEXTOID},
		IN_SETS};

	if (spi_plan_run(&find, false, TEXT_VALUE(lesson->pool), TEXT_VALUE(name)) == 0)
		unknown_model(lesson, name, place);
	return column_bigint(0, 1);
}

/* Returns the profile_id of a device profile that a run gives. */
static int64
profile_of_document(Lesson *lesson, Jsonb *document, const char *place)
{
	DeviceProfile profile;

	document_read(&device_profile_document, document, place, &lesson->inspection, &profile);
	check_said(profile.hardware_class != NULL, place, "hardware_class");
	return device_profile_id(lesson->pool, &profile);
}

/* Returns the index of the device profile that a run was on, after looking it up if it is new. */
static int
device_of_run(Lesson *lesson, Jsonb *run, const char *path)
{
	const char *place = document_path(path, "device");
	JsonbValue value;
	const char *name = NULL;
	Jsonb *document = NULL;
	StrtabEntry *entry;
	MemoryContext caller;
	bool found;
	char *key;

	check_said(getKeyJsonValueFromContainer(&run->root, "device", strlen("device"), &value) != NULL,
			   path, "device");
	if (value.type == jbvString)
		name = pnstrdup(value.val.string.val, value.val.string.len);
	else if (value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
		document = JsonbValueToJsonb(&value);
	else
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"%s\": %.80s", place,
							   JsonbToCString(NULL, &JsonbValueToJsonb(&value)->root, 0)),
						errdetail("Expected the name of a device model, or a device profile."),
						errpath(place)));
	key = name != NULL ? psprintf("n%s", name) :
						 psprintf("p%s", JsonbToCString(NULL, &document->root, VARSIZE(document)));
	entry = strtab_enter(lesson->devices, key, strlen(key), &found);
	if (found)
		return entry->number;
	entry->number = lesson->ndevices++;
	lesson->profile_ids[entry->number] = name != NULL ?
											 profile_of_model(lesson, name, place) :
											 profile_of_document(lesson, document, place);
	caller = MemoryContextSwitchTo(lesson->keep);
	device_profiles_get(lesson->pool, &lesson->profile_ids[entry->number], 1, false,
						&lesson->profiles[entry->number]);
	MemoryContextSwitchTo(caller);
	return entry->number;
}

/* Raises ERRCODE_NO_DATA_FOUND for a worker that is not registered. */
static void
check_worker(Lesson *lesson, const char *worker_id, const char *path)
{
	static SpiPlan find = {"SELECT FROM hwsched.worker WHERE pool = $1 AND worker_id = $2",
						   {TEXTOID, TEXTOID}};
	bool found;

	(void) strtab_enter(lesson->workers, worker_id, strlen(worker_id), &found);
	if (!found && spi_plan_run(&find, false, TEXT_VALUE(lesson->pool), TEXT_VALUE(worker_id)) == 0)
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						errmsg("unknown worker \"%.80s\" in pool \"%s\"", worker_id, lesson->pool),
						errdetail("It stands in \"%s\".", document_path(path, "worker_id")),
						errhint("Leave \"worker_id\" out to teach how long work takes on its"
								" device, or register the worker first."),
						errpath(document_path(path, "worker_id"))));
}

/* --- runs --- */

/* Refuses a time before 1970, or in the future but for clocks that differ. */
static void
check_time(const Lesson *lesson, TimestampTz at, const char *path)
{
	const char *place = document_path(path, "at");

	if (TIMESTAMP_NOT_FINITE(at) ||
		at < (UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY ||
		at > lesson->now + USECS_PER_DAY)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"%s\": %s", place, timestamptz_to_str(at)),
						errdetail("Expected a time, not before 1970 and not in the future."),
						errpath(place)));
}

/* Refuses a completed run without a duration that can be learned from. */
static void
check_seconds(const TaughtRun *read, const char *path, Inspection *inspection)
{
	const char *place = document_path(path, "seconds");

	if (!read->ok)
		return;
	check_said(!isnan(read->seconds), path, "seconds");
	if (read->seconds <= 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"%s\": %g", place, read->seconds),
						errdetail("Expected more than 0: a run that took no time teaches nothing."),
						errhint("Of a run that failed say \"ok\": false."), errpath(place)));
	if (read->seconds > DOUBTFUL_RATIO * read->expected_duration)
		inspection_warn(inspection, place, "It is a number of seconds, not of milliseconds.",
						"\"%s\" is %g, and \"%s\" is %g", place, read->seconds,
						document_path(path, "expected_duration"), read->expected_duration);
}

/* Adds a run to a lesson. */
static void
add_run(Lesson *lesson, Jsonb *document, const char *path)
{
	TaughtRun read;
	WorkloadProfile workload;
	int device;

	document_read(&taught_run_document, document, path, &lesson->inspection, &read);
	check_said(read.workload_type != NULL, path, "workload_type");
	check_name(read.model_id, path, "model_id");
	check_name(read.model_family, path, "model_family");
	check_name(read.worker_id, path, "worker_id");
	if (!object_has_key(document, "at"))
		read.at = lesson->now;
	check_time(lesson, read.at, path);
	check_seconds(&read, path, &lesson->inspection);
	device = device_of_run(lesson, document, path);
	if (read.worker_id != NULL)
		check_worker(lesson, read.worker_id, path);
	infer_typical_profile(read.workload_type, read.expected_duration, &workload);
	lesson->runs[lesson->count] = (EndedAssignment){
		.assignment_id = lesson->count, /* its place in the document */
		.worker_id =
			read.worker_id == NULL ? NULL : MemoryContextStrdup(lesson->keep, read.worker_id),
		.workload_type = MemoryContextStrdup(lesson->keep, read.workload_type),
		.model_id = read.model_id == NULL ? NULL : MemoryContextStrdup(lesson->keep, read.model_id),
		.model_family =
			read.model_family == NULL ? NULL : MemoryContextStrdup(lesson->keep, read.model_family),
		.device_profile_id = lesson->profile_ids[device],
		.formula_seconds =
			base_seconds(&workload, &lesson->profiles[device], read.expected_duration),
		.actual_seconds = read.ok ? read.seconds : NAN,
		.usual_seconds = NAN,
		.age = Max(0, (double) (lesson->now - read.at) / USECS_PER_SEC),
		.failed = !read.ok};
	lesson->count++;
}

/* Orders runs by when they ended, the oldest first; those of the same time as they were given. */
static int
compare_ages(const void *a, const void *b)
{
	const EndedAssignment *x = a;
	const EndedAssignment *y = b;

	if (x->age != y->age)
		return x->age > y->age ? -1 : 1;
	return (x->assignment_id > y->assignment_id) - (x->assignment_id < y->assignment_id);
}

/* teach(runs jsonb, pool text) RETURNS bigint: how many have taught */
Datum
hwsched_teach(PG_FUNCTION_ARGS)
{
	Jsonb *runs = jsonb_argument(0);
	Lesson lesson = {.pool = text_argument(fcinfo, 1),
					 .now = GetCurrentTransactionStartTimestamp()};
	PoolSettings settings;
	MemoryContext work;
	JsonbIterator *iterator;
	JsonbValue value;
	int64 taught;
	int most;
	int n = 0;
	Caller caller;

	if (!JB_ROOT_IS_ARRAY(runs) || JB_ROOT_IS_SCALAR(runs))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"runs\": %.80s",
							   JsonbToCString(NULL, &runs->root, VARSIZE(runs))),
						errdetail("Expected an array of runs.")));
	caller = call_begin(fcinfo);
	authz_check_coordinate(&caller, lesson.pool);
	pool_check(lesson.pool, false);
	/* what is completed is learned from first: it ended before now */
	pool_lock(lesson.pool);
	pool_settings_load(lesson.pool, false, &settings);
	inspection_begin(&lesson.inspection, unknown_keys_of(&settings));
	lesson.keep = CurrentMemoryContext;
	lesson.devices = strtab_create("hwsched taught devices");
	lesson.workers = strtab_create("hwsched taught workers");
	most = JB_ROOT_COUNT(runs);
	lesson.profile_ids = MemoryContextAllocHuge(lesson.keep, sizeof(int64) * (most + 1));
	lesson.profiles = MemoryContextAllocHuge(lesson.keep, sizeof(DeviceProfile) * (most + 1));
	lesson.runs = MemoryContextAllocHuge(lesson.keep, sizeof(EndedAssignment) * (most + 1));
	work = AllocSetContextCreate(lesson.keep, "hwsched taught run", ALLOCSET_DEFAULT_SIZES);
	iterator = JsonbIteratorInit(&runs->root);
	(void) JsonbIteratorNext(&iterator, &value, true);
	while (JsonbIteratorNext(&iterator, &value, true) == WJB_ELEM)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(work);
		MemoryContextSwitchTo(work);
		add_run(&lesson, JsonbValueToJsonb(&value), psprintf("[%d]", n++));
		MemoryContextSwitchTo(lesson.keep);
	}
	inspection_end(&lesson.inspection);
	if (lesson.count > 1)
		qsort(lesson.runs, lesson.count, sizeof(EndedAssignment), compare_ages);
	taught = learn_from_elsewhere(lesson.pool, &settings, lesson.runs, lesson.count);
	if (taught < lesson.count)
		ereport(NOTICE, (errmsg("nothing is learned in pool \"%s\"", lesson.pool),
						 errhint("Its setting \"learning\" is off.")));
	call_end(&caller);
	PG_RETURN_INT64(taught);
}
