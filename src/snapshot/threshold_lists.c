/*
 * threshold_lists.c
 *		Reads the ordered lists of workers, a few keys at a time.
 *
 * Each list goes on behind the last key that was read of it, and is kept by an
 * index whose columns are its order: worker_load_cpu and
 * worker_load_accelerator by readiness, the same with _of_all for the whole
 * pool, worker_usage_least by usage, and preference_best.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"

#include "snapshot/threshold_lists.h"
#include "support/spi_plan.h"

/* How many keys of the whole pool are read at once after some reads. */
#define AT_ONCE_OF_ALL(reads) (8 << (2 * (reads)))

/* Returns whether somebody of that usage comes before a worker. */
bool
less_used_than(int32 assignments, int64 total_assignments, const char *worker_id,
			   const Worker *worker)
{
	if (assignments != worker->assignments)
		return assignments < worker->assignments;
	if (total_assignments != worker->total_assignments)
		return total_assignments < worker->total_assignments;
	return strcmp(worker_id, worker->worker_id) < 0;
}

/* Returns where a worker's key is, or would be. */
SeenWorker **
seen_worker(const ThresholdSearch *seek, const char *worker_id)
{
	uint64 hash =
		DatumGetUInt64(hash_any_extended((const unsigned char *) worker_id, strlen(worker_id), 0));
	SeenEntry *entry;
	bool found;

	for (;; hash++)
	{
		entry = hash_search(seek->seen, &hash, HASH_ENTER, &found);
		if (!found)
			entry->key = NULL;
		if (entry->key == NULL || strcmp(entry->key->worker_id, worker_id) == 0)
			return &entry->key;
	}
}

/* The columns of a key; read_key() knows their order. */
#define KEY_COLUMNS(ord, worker_id, preference) \
	"SELECT " ord "::int, " worker_id \
	", l.hardware_id, l.cpu_readiness, l.accelerator_readiness, l.state_hash," \
	" u.assignments, u.total_assignments, u.is_full, " preference ".preference," \
	" extract(epoch FROM now() - " preference ".updated_at)::float8"
/* OFFSET 0: whatever the planner believes of the tables, it can only probe them */
#define PROBE(join, table, alias, condition) \
	join " LATERAL (SELECT * FROM hwsched." table " x WHERE x.pool = $1 AND " condition \
		 " OFFSET 0) " alias " ON true"
#define BY_READINESS(readiness) \
	KEY_COLUMNS("e.ord", "l.worker_id", "p") \
	" FROM unnest($3, $4, $5, $6) WITH ORDINALITY e(hardware_id, readiness, state_hash," \
	" worker_id, ord)" \
	" CROSS JOIN LATERAL (SELECT * FROM hwsched.worker_load x WHERE x.pool = $1" \
	" AND x.hardware_id = e.hardware_id" \
	"  AND x." readiness " IS NOT NULL" \
	"  AND (x." readiness \
	", x.state_hash, x.worker_id) < (e.readiness, e.state_hash, e.worker_id)" \
	"  ORDER BY x." readiness " DESC, x.state_hash DESC, x.worker_id DESC LIMIT $7) l" PROBE( \
		" JOIN", "worker_usage", "u", "x.worker_id = l.worker_id") \
		PROBE(" LEFT JOIN", "track_record", "p", \
			  "x.workload_type = $2 AND x.worker_id = l.worker_id")
#define BY_READINESS_TYPES \
	{ \
		TEXTOID, TEXTOID, INT8ARRAYOID, FLOAT8ARRAYOID, INT8ARRAYOID, TEXTARRAYOID, INT8OID \
	}

/* Returns the key in a row of the last statement, added if it is new; NULL if it is of no use. */
static SeenWorker *
read_key(ThresholdSearch *seek, uint64 row)
{
	char *worker_id = column_text(row, 2);
	int64 hardware_id = column_bigint(row, 3);
	const WorkerClassEntry *worker_class =
		hash_search(seek->worker_class_numbers, &hardware_id, HASH_FIND, NULL);
	double preference = column_number(row, 10);
	SeenWorker **seen;
	SeenWorker *key;

	if (worker_class == NULL)
		return NULL;
	seen = seen_worker(seek, worker_id);
	if (*seen != NULL)
		return *seen;
	key = palloc0(sizeof(SeenWorker));
	key->worker_id = worker_id;
	key->worker_class = worker_class->worker_class;
	key->readiness[CLASS_CPU] = column_number(row, 4);
	key->readiness[CLASS_ACCELERATOR] = column_number(row, 5);
	key->state_hash = column_bigint(row, 6);
	key->assignments = column_int(row, 7);
	key->total_assignments = column_bigint(row, 8);
	key->is_full = column_bool(row, 9);
	key->preference = isnan(preference) ?
						  NEUTRAL_PREFERENCE :
						  preference_aged(preference, column_number(row, 11),
										  seek->snapshot->settings.preference_half_life);
	if (seek->nseen_workers == seek->seen_allocated)
	{
		seek->seen_allocated = Max(256, seek->seen_allocated * 2);
		seek->keys = seek->keys == NULL ?
						 palloc(sizeof(SeenWorker *) * seek->seen_allocated) :
						 repalloc(seek->keys, sizeof(SeenWorker *) * seek->seen_allocated);
	}
	seek->keys[seek->nseen_workers++] = key;
	*seen = key;
	return key;
}

/* Returns whether what was learned of workers counts. */
bool
prefers(const ThresholdSearch *seek)
{
	const PoolSettings *settings = &seek->snapshot->settings;

	return settings->learning && settings->preference_weight > 0;
}

/* Returns the type of work, if what was learned of workers counts, else NULL. */
static Parameter
workload_type(const ThresholdSearch *seek)
{
	return prefers(seek) ? TEXT_OR_NULL(seek->kind->profile.workload_type) : NULL_VALUE;
}

/* Moves a line's end to a row that was read, if that comes later. */
static void
extend_line(ReadinessList *list, uint64 row, DeviceClass device_class)
{
	double readiness = column_number(row, device_class == CLASS_CPU ? 4 : 5);
	int64 state_hash = column_bigint(row, 6);
	char *worker_id = column_text(row, 2);

	if (readiness > list->readiness)
		return;
	if (readiness == list->readiness &&
		(state_hash > list->state_hash ||
		 (state_hash == list->state_hash && strcmp(worker_id, list->worker_id) >= 0)))
		return;
	list->readiness = readiness;
	list->state_hash = state_hash;
	list->worker_id = worker_id;
}

/* Moves a kin's end in the order of usage to a row that was read, if that comes later. */
static void
extend_kin(WorkerClass *worker_class, uint64 row)
{
	Worker last = {.worker_id = column_text(row, 2),
				   .assignments = column_int(row, 7),
				   .total_assignments = column_bigint(row, 8)};

	if (!less_used_than(worker_class->assignments, worker_class->total_assignments,
						worker_class->worker_id, &last))
		return;
	worker_class->assignments = last.assignments;
	worker_class->total_assignments = last.total_assignments;
	worker_class->worker_id = last.worker_id;
}

/* Reads the next keys, most of each, of some kins' lines of a class. */
void
read_readiness_lists(ThresholdSearch *seek, DeviceClass device_class, const int *worker_classes,
					 int count, int most)
{
	static SpiPlan statements[] = {
		[CLASS_CPU] = {BY_READINESS("cpu_readiness"), BY_READINESS_TYPES, ALONG_INDEX},
		[CLASS_ACCELERATOR] = {BY_READINESS("accelerator_readiness"), BY_READINESS_TYPES,
							   ALONG_INDEX},
	};
	Datum *columns[4];
	int *read = palloc0(sizeof(int) * (count + 1));
	uint64 n;

	for (int c = 0; c < lengthof(columns); c++)
		columns[c] = palloc(sizeof(Datum) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		const ReadinessList *list = &seek->worker_class[worker_classes[i]].lists[device_class];

		columns[0][i] = Int64GetDatum(seek->worker_class[worker_classes[i]].hardware_id);
		columns[1][i] = Float8GetDatum(list->readiness);
		columns[2][i] = Int64GetDatum(list->state_hash);
		columns[3][i] = CStringGetTextDatum(list->worker_id);
	}
	n = spi_plan_run(&statements[device_class], true, TEXT_VALUE(seek->pool), workload_type(seek),
					 array_value(INT8OID, columns[0], NULL, count),
					 array_value(FLOAT8OID, columns[1], NULL, count),
					 array_value(INT8OID, columns[2], NULL, count),
					 array_value(TEXTOID, columns[3], NULL, count), BIGINT_VALUE(most));
	for (uint64 row = 0; row < n; row++)
	{
		int i = column_int(row, 1) - 1;

		read[i]++;
		(void) read_key(seek, row);
		extend_line(&seek->worker_class[worker_classes[i]].lists[device_class], row, device_class);
	}
	for (int i = 0; i < count; i++)
	{
		seek->worker_class[worker_classes[i]].lists[device_class].reads++;
		seek->worker_class[worker_classes[i]].lists[device_class].ended = read[i] < most;
	}
}

/* Reads the next least used workers, most of each, of some kins. */
void
read_least_used(ThresholdSearch *seek, const int *worker_classes, int count, int most)
{
	static SpiPlan statement = {
		KEY_COLUMNS(
			"e.ord", "u.worker_id",
			"p") " FROM unnest($3, $4, $5, $6) WITH ORDINALITY e(hardware_id, assignments,"
				 " total_assignments, worker_id, ord)"
				 " CROSS JOIN LATERAL (SELECT * FROM hwsched.worker_usage x WHERE x.pool = $1"
				 " AND x.hardware_id = e.hardware_id"
				 "  AND NOT x.is_full"
				 "  AND (x.assignments, x.total_assignments, x.worker_id) > (e.assignments,"
				 " e.total_assignments, e.worker_id)"
				 "  ORDER BY x.assignments, x.total_assignments, x.worker_id LIMIT $7) u" PROBE(
					 " JOIN", "worker_load", "l", "x.worker_id = u.worker_id")
					 PROBE(" LEFT JOIN", "track_record", "p",
						   "x.workload_type = $2 AND x.worker_id = u.worker_id"),
		{TEXTOID, TEXTOID, INT8ARRAYOID, INT4ARRAYOID, INT8ARRAYOID, TEXTARRAYOID, INT8OID},
		ALONG_INDEX};
	Datum *columns[4];
	int *read = palloc0(sizeof(int) * (count + 1));
	uint64 n;

	for (int c = 0; c < lengthof(columns); c++)
		columns[c] = palloc(sizeof(Datum) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		const WorkerClass *worker_class = &seek->worker_class[worker_classes[i]];

		columns[0][i] = Int64GetDatum(worker_class->hardware_id);
		columns[1][i] = Int32GetDatum(worker_class->assignments);
		columns[2][i] = Int64GetDatum(worker_class->total_assignments);
		columns[3][i] = CStringGetTextDatum(worker_class->worker_id);
	}
	n = spi_plan_run(&statement, true, TEXT_VALUE(seek->pool), workload_type(seek),
					 array_value(INT8OID, columns[0], NULL, count),
					 array_value(INT4OID, columns[1], NULL, count),
					 array_value(INT8OID, columns[2], NULL, count),
					 array_value(TEXTOID, columns[3], NULL, count), BIGINT_VALUE(most));
	for (uint64 row = 0; row < n; row++)
	{
		int i = column_int(row, 1) - 1;

		read[i]++;
		(void) read_key(seek, row);
		extend_kin(&seek->worker_class[worker_classes[i]], row);
	}
	for (int i = 0; i < count; i++)
	{
		seek->worker_class[worker_classes[i]].reads++;
		seek->worker_class[worker_classes[i]].ended = read[i] < most;
	}
}

/* Reads the next readiest workers of the whole pool. */
void
read_readiness_list_of_all(ThresholdSearch *seek, DeviceClass device_class)
{
#define READIEST(readiness) \
	KEY_COLUMNS("1", "l.worker_id", "p") \
	" FROM (SELECT * FROM hwsched.worker_load x WHERE x.pool = $1 AND x." readiness " IS NOT NULL" \
	"  AND (x." readiness ", x.worker_id) < ($3, $4)" \
	"  ORDER BY x." readiness " DESC, x.worker_id DESC LIMIT $5) l" PROBE( \
		" JOIN", "worker_usage", "u", "x.worker_id = l.worker_id") \
		PROBE(" LEFT JOIN", "track_record", "p", \
			  "x.workload_type = $2 AND x.worker_id = l.worker_id")
	static SpiPlan statements[] = {
		[CLASS_CPU] = {READIEST("cpu_readiness"),
					   {TEXTOID, TEXTOID, FLOAT8OID, TEXTOID, INT8OID},
					   ALONG_INDEX},
		[CLASS_ACCELERATOR] = {READIEST("accelerator_readiness"),
							   {TEXTOID, TEXTOID, FLOAT8OID, TEXTOID, INT8OID},
							   ALONG_INDEX},
	};
	ReadinessList *list = &seek->all.lists[device_class];
	double before = list->readiness;
	int most = AT_ONCE_OF_ALL(list->reads);
	uint64 n = spi_plan_run(&statements[device_class], true, TEXT_VALUE(seek->pool),
							workload_type(seek), VALUE(Float8GetDatum(list->readiness)),
							TEXT_VALUE(list->worker_id), BIGINT_VALUE(most));

	for (uint64 row = 0; row < n; row++)
	{
		double readiness = column_number(row, device_class == CLASS_CPU ? 4 : 5);
		char *worker_id = column_text(row, 2);

		(void) read_key(seek, row);
		if (readiness < list->readiness ||
			(readiness == list->readiness && strcmp(worker_id, list->worker_id) < 0))
		{
			list->readiness = readiness;
			list->worker_id = worker_id;
		}
	}
	list->reads++;
	list->ended = n < most;
	/* so many are equally ready that only the states in each kind of hardware tell them apart */
	list->alike = !list->ended && list->reads > 1 && list->readiness == before;
}

/*
 * Reads the next most preferred workers; below the neutral preference it ends.
 * The order is that of preferences as they were learned: those above neutral
 * are less by now, so it bounds them.
 */
void
read_preferred(ThresholdSearch *seek, int most)
{
	static SpiPlan statement = {
		KEY_COLUMNS("1", "p.worker_id",
					"p") " FROM (SELECT * FROM hwsched.track_record x WHERE x.pool = $1"
						 " AND x.workload_type = $2"
						 "  AND x.preference > 0.5 AND (x.preference, x.worker_id) < ($3, $4)"
						 "  ORDER BY x.preference DESC, x.worker_id DESC LIMIT $5) p" PROBE(
							 " LEFT JOIN", "worker_load", "l", "x.worker_id = p.worker_id")
							 PROBE(" LEFT JOIN", "worker_usage", "u", "x.worker_id = p.worker_id"),
		{TEXTOID, TEXTOID, FLOAT8OID, TEXTOID, INT8OID},
		ALONG_INDEX};
	uint64 n = spi_plan_run(&statement, true, TEXT_VALUE(seek->pool), workload_type(seek),
							VALUE(Float8GetDatum(seek->preference)), TEXT_VALUE(seek->preferred_id),
							BIGINT_VALUE(most));

	for (uint64 row = 0; row < n; row++)
	{
		double preference = column_number(row, 10);
		char *worker_id = column_text(row, 2);

		if (preference < seek->preference ||
			(preference == seek->preference && strcmp(worker_id, seek->preferred_id) < 0))
		{
			seek->preference = preference;
			seek->preferred_id = worker_id;
		}
		(void) read_key(seek, row);
	}
	seek->preference_reads++;
	seek->preferences_ended = n < most;
}
