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
#include "support/columns.h"
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

/* A row of a worker, as all lists have it. */
typedef struct KeyRow
{
	int32 ord; /* of the list, from 1 */
	char *worker_id;
	int64 hardware_id; /* 0: the worker has left, or is about to come */
	double readiness[NCLASSES];
	int64 state_hash;
	int32 assignments;
	int64 total_assignments;
	bool is_full;
	double preference; /* as it was left; NAN: there is none */
	double age; /* seconds since then */
} KeyRow;

static const Column key_columns[] = {
	{"k.ord", INT4OID, offsetof(KeyRow, ord)},
	{"k.worker_id", CSTRINGOID, offsetof(KeyRow, worker_id)},
	{"l.hardware_id", INT8OID, offsetof(KeyRow, hardware_id)},
	{"l.cpu_readiness", FLOAT8OID, offsetof(KeyRow, readiness[CLASS_CPU])},
	{"l.accelerator_readiness", FLOAT8OID, offsetof(KeyRow, readiness[CLASS_ACCELERATOR])},
	{"l.state_hash", INT8OID, offsetof(KeyRow, state_hash)},
	{"u.assignments", INT4OID, offsetof(KeyRow, assignments)},
	{"u.total_assignments", INT8OID, offsetof(KeyRow, total_assignments)},
	{"u.is_full", BOOLOID, offsetof(KeyRow, is_full)},
	{"p.preference", FLOAT8OID, offsetof(KeyRow, preference)},
	{"extract(epoch FROM now() - p.updated_at)::float8", FLOAT8OID, offsetof(KeyRow, age)},
};

static const RowType key_row = ROW_TYPE(KeyRow, key_columns);

#define KEYS_FROM "SELECT " ROW_COLUMNS " FROM "
#define KEYED(ord, worker_id) \
	" CROSS JOIN LATERAL (SELECT " ord "::int AS ord, " worker_id " AS worker_id) k"
/* OFFSET 0: whatever the planner believes of the tables, it can only probe them */
#define PROBE(join, table, alias, condition) \
	join " LATERAL (SELECT * FROM hwsched." table " x WHERE x.pool = $1 AND " condition \
		 " OFFSET 0) " alias " ON true"
#define BY_READINESS(readiness) \
	KEYS_FROM \
	"unnest($3, $4, $5, $6) WITH ORDINALITY e(hardware_id, readiness, state_hash," \
	" worker_id, ord)" \
	" CROSS JOIN LATERAL (SELECT * FROM hwsched.worker_load x WHERE x.pool = $1" \
	" AND x.hardware_id = e.hardware_id" \
	"  AND x." readiness " IS NOT NULL" \
	"  AND (x." readiness \
	", x.state_hash, x.worker_id) < (e.readiness, e.state_hash, e.worker_id)" \
	"  ORDER BY x." readiness " DESC, x.state_hash DESC, x.worker_id DESC LIMIT $7) l" PROBE( \
		" JOIN", "worker_usage", "u", "x.worker_id = l.worker_id") \
		PROBE(" LEFT JOIN", "track_record", "p", \
			  "x.workload_type = $2 AND x.worker_id = l.worker_id") KEYED("e.ord", "l.worker_id")
#define BY_READINESS_TYPES \
	{ \
		TEXTOID, TEXTOID, INT8ARRAYOID, FLOAT8ARRAYOID, INT8ARRAYOID, TEXTARRAYOID, INT8OID \
	}

/* Keeps the key in a row, if it is new and of any use. */
static void
keep_key(ThresholdSearch *seek, const KeyRow *row)
{
	const WorkerClassEntry *worker_class =
		hash_search(seek->worker_class_numbers, &row->hardware_id, HASH_FIND, NULL);
	SeenWorker **seen;
	SeenWorker *key;

	if (worker_class == NULL)
		return;
	seen = seen_worker(seek, row->worker_id);
	if (*seen != NULL)
		return;
	key = palloc0(sizeof(SeenWorker));
	key->worker_id = row->worker_id;
	key->worker_class = worker_class->worker_class;
	key->readiness[CLASS_CPU] = row->readiness[CLASS_CPU];
	key->readiness[CLASS_ACCELERATOR] = row->readiness[CLASS_ACCELERATOR];
	key->state_hash = row->state_hash;
	key->assignments = row->assignments;
	key->total_assignments = row->total_assignments;
	key->is_full = row->is_full;
	key->preference = isnan(row->preference) ?
						  NEUTRAL_PREFERENCE :
						  preference_aged(row->preference, row->age,
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
extend_line(ReadinessList *list, const KeyRow *row, DeviceClass device_class)
{
	double readiness = row->readiness[device_class];

	if (readiness > list->readiness)
		return;
	if (readiness == list->readiness &&
		(row->state_hash > list->state_hash ||
		 (row->state_hash == list->state_hash && strcmp(row->worker_id, list->worker_id) >= 0)))
		return;
	list->readiness = readiness;
	list->state_hash = row->state_hash;
	list->worker_id = row->worker_id;
}

/* Moves a kin's end in the order of usage to a row that was read, if that comes later. */
static void
extend_kin(WorkerClass *worker_class, const KeyRow *row)
{
	Worker last = {.worker_id = row->worker_id,
				   .assignments = row->assignments,
				   .total_assignments = row->total_assignments};

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
		[CLASS_CPU] = {BY_READINESS("cpu_readiness"), BY_READINESS_TYPES, ALONG_INDEX, &key_row},
		[CLASS_ACCELERATOR] = {BY_READINESS("accelerator_readiness"), BY_READINESS_TYPES,
							   ALONG_INDEX, &key_row},
	};
	Datum *columns[4];
	int *read = palloc0(sizeof(int) * (count + 1));
	const KeyRow *rows;
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
	rows = read_rows(&key_row, n);
	for (const KeyRow *row = rows; row < rows + n; row++)
	{
		int i = row->ord - 1;

		read[i]++;
		keep_key(seek, row);
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
		KEYS_FROM "unnest($3, $4, $5, $6) WITH ORDINALITY e(hardware_id, assignments,"
				  " total_assignments, worker_id, ord)"
				  " CROSS JOIN LATERAL (SELECT * FROM hwsched.worker_usage x WHERE x.pool = $1"
				  " AND x.hardware_id = e.hardware_id"
				  "  AND NOT x.is_full"
				  "  AND (x.assignments, x.total_assignments, x.worker_id) > (e.assignments,"
				  " e.total_assignments, e.worker_id)"
				  "  ORDER BY x.assignments, x.total_assignments, x.worker_id LIMIT $7) u" PROBE(
					  " JOIN", "worker_load", "l", "x.worker_id = u.worker_id")
					  PROBE(" LEFT JOIN", "track_record", "p",
							"x.workload_type = $2 AND x.worker_id = u.worker_id")
						  KEYED("e.ord", "u.worker_id"),
		{TEXTOID, TEXTOID, INT8ARRAYOID, INT4ARRAYOID, INT8ARRAYOID, TEXTARRAYOID, INT8OID},
		ALONG_INDEX,
		&key_row};
	Datum *columns[4];
	int *read = palloc0(sizeof(int) * (count + 1));
	const KeyRow *rows;
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
	rows = read_rows(&key_row, n);
	for (const KeyRow *row = rows; row < rows + n; row++)
	{
		int i = row->ord - 1;

		read[i]++;
		keep_key(seek, row);
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
	KEYS_FROM \
	"(SELECT * FROM hwsched.worker_load x WHERE x.pool = $1 AND x." readiness " IS NOT NULL" \
	"  AND (x." readiness ", x.worker_id) < ($3, $4)" \
	"  ORDER BY x." readiness " DESC, x.worker_id DESC LIMIT $5) l" PROBE( \
		" JOIN", "worker_usage", "u", "x.worker_id = l.worker_id") \
		PROBE(" LEFT JOIN", "track_record", "p", \
			  "x.workload_type = $2 AND x.worker_id = l.worker_id") KEYED("1", "l.worker_id")
	static SpiPlan statements[] = {
		[CLASS_CPU] = {READIEST("cpu_readiness"),
					   {TEXTOID, TEXTOID, FLOAT8OID, TEXTOID, INT8OID},
					   ALONG_INDEX,
					   &key_row},
		[CLASS_ACCELERATOR] = {READIEST("accelerator_readiness"),
							   {TEXTOID, TEXTOID, FLOAT8OID, TEXTOID, INT8OID},
							   ALONG_INDEX,
							   &key_row},
	};
	ReadinessList *list = &seek->all.lists[device_class];
	double before = list->readiness;
	int most = AT_ONCE_OF_ALL(list->reads);
	uint64 n = spi_plan_run(&statements[device_class], true, TEXT_VALUE(seek->pool),
							workload_type(seek), VALUE(Float8GetDatum(list->readiness)),
							TEXT_VALUE(list->worker_id), BIGINT_VALUE(most));

	const KeyRow *rows = read_rows(&key_row, n);

	for (const KeyRow *row = rows; row < rows + n; row++)
	{
		double readiness = row->readiness[device_class];

		keep_key(seek, row);
		if (readiness < list->readiness ||
			(readiness == list->readiness && strcmp(row->worker_id, list->worker_id) < 0))
		{
			list->readiness = readiness;
			list->worker_id = row->worker_id;
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
		KEYS_FROM "(SELECT * FROM hwsched.track_record x WHERE x.pool = $1"
				  " AND x.workload_type = $2"
				  "  AND x.preference > 0.5 AND (x.preference, x.worker_id) < ($3, $4)"
				  "  ORDER BY x.preference DESC, x.worker_id DESC LIMIT $5) p" PROBE(
					  " LEFT JOIN", "worker_load", "l", "x.worker_id = p.worker_id")
					  PROBE(" LEFT JOIN", "worker_usage", "u", "x.worker_id = p.worker_id")
						  KEYED("1", "p.worker_id"),
		{TEXTOID, TEXTOID, FLOAT8OID, TEXTOID, INT8OID},
		ALONG_INDEX,
		&key_row};
	uint64 n = spi_plan_run(&statement, true, TEXT_VALUE(seek->pool), workload_type(seek),
							VALUE(Float8GetDatum(seek->preference)), TEXT_VALUE(seek->preferred_id),
							BIGINT_VALUE(most));

	const KeyRow *rows = read_rows(&key_row, n);

	for (const KeyRow *row = rows; row < rows + n; row++)
	{
		if (row->preference < seek->preference ||
			(row->preference == seek->preference && strcmp(row->worker_id, seek->preferred_id) < 0))
		{
			seek->preference = row->preference;
			seek->preferred_id = row->worker_id;
		}
		keep_key(seek, row);
	}
	seek->preference_reads++;
	seek->preferences_ended = n < most;
}
