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
less_used_than(int32 assignments, int64 total_assignments, const char *worker_id, const Worker *worker)
{
	if (assignments != worker->assignments)
		return assignments < worker->assignments;
	if (total_assignments != worker->total_assignments)
		return total_assignments < worker->total_assignments;
	return strcmp(worker_id, worker->worker_id) < 0;
}

/* Returns where a worker's key is, or would be. */
Key **
seen_key(const Seek *seek, const char *worker_id)
{
	uint64		hash = DatumGetUInt64(hash_any_extended((const unsigned char *) worker_id, strlen(worker_id), 0));
	SeenEntry  *entry;
	bool		found;

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
	"SELECT " ord "::int, " worker_id ", l.hardware_id, l.cpu_readiness, l.accelerator_readiness, l.state_hash," \
	" u.assignments, u.total_assignments, u.is_full, " preference ".preference," \
	" extract(epoch FROM now() - " preference ".updated_at)::float8"
/* OFFSET 0: whatever the planner believes of the tables, it can only probe them */
#define PROBE(join, table, alias, condition) \
	join " LATERAL (SELECT * FROM hwsched." table " x WHERE x.pool = $1 AND " condition " OFFSET 0) " alias " ON true"
#define BY_READINESS(readiness) \
	KEY_COLUMNS("e.ord", "l.worker_id", "p") \
	" FROM unnest($3, $4, $5, $6) WITH ORDINALITY e(hardware_id, readiness, state_hash, worker_id, ord)" \
	" CROSS JOIN LATERAL (SELECT * FROM hwsched.worker_load x WHERE x.pool = $1 AND x.hardware_id = e.hardware_id" \
	"  AND x." readiness " IS NOT NULL" \
	"  AND (x." readiness ", x.state_hash, x.worker_id) < (e.readiness, e.state_hash, e.worker_id)" \
	"  ORDER BY x." readiness " DESC, x.state_hash DESC, x.worker_id DESC LIMIT $7) l" \
	PROBE(" JOIN", "worker_usage", "u", "x.worker_id = l.worker_id") \
	PROBE(" LEFT JOIN", "track_record", "p", "x.workload_type = $2 AND x.worker_id = l.worker_id")
#define BY_READINESS_TYPES {TEXTOID, TEXTOID, INT8ARRAYOID, FLOAT8ARRAYOID, INT8ARRAYOID, TEXTARRAYOID, INT8OID}

/* Returns the key in a row of the last statement, added if it is new; NULL if it is of no use. */
static Key *
read_key(Seek *seek, uint64 row)
{
	char	   *worker_id = column_text(row, 2);
	int64		hardware_id = column_bigint(row, 3);
	const KinEntry *kin = hash_search(seek->kin_numbers, &hardware_id, HASH_FIND, NULL);
	double		preference = column_number(row, 10);
	Key		  **seen;
	Key		   *key;

	if (kin == NULL)
		return NULL;
	seen = seen_key(seek, worker_id);
	if (*seen != NULL)
		return *seen;
	key = palloc0(sizeof(Key));
	key->worker_id = worker_id;
	key->kin = kin->kin;
	key->readiness[OF_CPU] = column_number(row, 4);
	key->readiness[OF_ACCELERATOR] = column_number(row, 5);
	key->state_hash = column_bigint(row, 6);
	key->assignments = column_int(row, 7);
	key->total_assignments = column_bigint(row, 8);
	key->is_full = column_bool(row, 9);
	key->preference = isnan(preference) ? NEUTRAL :
		preference_aged(preference, column_number(row, 11), seek->picture->settings.preference_half_life);
	if (seek->nkeys == seek->keys_allocated)
	{
		seek->keys_allocated = Max(256, seek->keys_allocated * 2);
		seek->keys = seek->keys == NULL ? palloc(sizeof(Key *) * seek->keys_allocated) :
			repalloc(seek->keys, sizeof(Key *) * seek->keys_allocated);
	}
	seek->keys[seek->nkeys++] = key;
	*seen = key;
	return key;
}

/* Returns whether what was learned of workers counts. */
bool
prefers(const Seek *seek)
{
	const PoolSettings *settings = &seek->picture->settings;

	return settings->learning && settings->preference_weight > 0;
}

/* Returns the type of work, if what was learned of workers counts, else NULL. */
static Parameter
workload_type(const Seek *seek)
{
	return prefers(seek) ? TEXT_OR_NULL(seek->kind->profile.workload_type) : NULL_VALUE;
}

/* Moves a line's end to a row that was read, if that comes later. */
static void
extend_line(Line *line, uint64 row, Class class)
{
	double		readiness = column_number(row, class == OF_CPU ? 4 : 5);
	int64		state_hash = column_bigint(row, 6);
	char	   *worker_id = column_text(row, 2);

	if (readiness > line->readiness)
		return;
	if (readiness == line->readiness &&
		(state_hash > line->state_hash || (state_hash == line->state_hash && strcmp(worker_id, line->worker_id) >= 0)))
		return;
	line->readiness = readiness;
	line->state_hash = state_hash;
	line->worker_id = worker_id;
}

/* Moves a kin's end in the order of usage to a row that was read, if that comes later. */
static void
extend_kin(Kin *kin, uint64 row)
{
	Worker		last = {.worker_id = column_text(row, 2), .assignments = column_int(row, 7), .total_assignments = column_bigint(row, 8)};

	if (!less_used_than(kin->assignments, kin->total_assignments, kin->worker_id, &last))
		return;
	kin->assignments = last.assignments;
	kin->total_assignments = last.total_assignments;
	kin->worker_id = last.worker_id;
}

/* Reads the next keys, most of each, of some kins' lines of a class. */
void
read_lines(Seek *seek, Class class, const int *kins, int count, int most)
{
	static Statement statements[] = {
		[OF_CPU] = {BY_READINESS("cpu_readiness"), BY_READINESS_TYPES, ALONG_INDEX},
		[OF_ACCELERATOR] = {BY_READINESS("accelerator_readiness"), BY_READINESS_TYPES, ALONG_INDEX},
	};
	Datum	   *columns[4];
	int		   *read = palloc0(sizeof(int) * (count + 1));
	uint64		n;

	for (int c = 0; c < lengthof(columns); c++)
		columns[c] = palloc(sizeof(Datum) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		const Line *line = &seek->kin[kins[i]].lines[class];

		columns[0][i] = Int64GetDatum(seek->kin[kins[i]].hardware_id);
		columns[1][i] = Float8GetDatum(line->readiness);
		columns[2][i] = Int64GetDatum(line->state_hash);
		columns[3][i] = CStringGetTextDatum(line->worker_id);
	}
	n = statement_run(&statements[class], true, TEXT_VALUE(seek->pool), workload_type(seek),
					  array_value(INT8OID, columns[0], NULL, count), array_value(FLOAT8OID, columns[1], NULL, count),
					  array_value(INT8OID, columns[2], NULL, count), array_value(TEXTOID, columns[3], NULL, count),
					  BIGINT_VALUE(most));
	for (uint64 row = 0; row < n; row++)
	{
		int			i = column_int(row, 1) - 1;

		read[i]++;
		(void) read_key(seek, row);
		extend_line(&seek->kin[kins[i]].lines[class], row, class);
	}
	for (int i = 0; i < count; i++)
	{
		seek->kin[kins[i]].lines[class].reads++;
		seek->kin[kins[i]].lines[class].ended = read[i] < most;
	}
}

/* Reads the next least used workers, most of each, of some kins. */
void
read_least_used(Seek *seek, const int *kins, int count, int most)
{
	static Statement statement = {
		KEY_COLUMNS("e.ord", "u.worker_id", "p")
		" FROM unnest($3, $4, $5, $6) WITH ORDINALITY e(hardware_id, assignments, total_assignments, worker_id, ord)"
		" CROSS JOIN LATERAL (SELECT * FROM hwsched.worker_usage x WHERE x.pool = $1 AND x.hardware_id = e.hardware_id"
		"  AND NOT x.is_full"
		"  AND (x.assignments, x.total_assignments, x.worker_id) > (e.assignments, e.total_assignments, e.worker_id)"
		"  ORDER BY x.assignments, x.total_assignments, x.worker_id LIMIT $7) u"
		PROBE(" JOIN", "worker_load", "l", "x.worker_id = u.worker_id")
		PROBE(" LEFT JOIN", "track_record", "p", "x.workload_type = $2 AND x.worker_id = u.worker_id"),
		{TEXTOID, TEXTOID, INT8ARRAYOID, INT4ARRAYOID, INT8ARRAYOID, TEXTARRAYOID, INT8OID}, ALONG_INDEX
	};
	Datum	   *columns[4];
	int		   *read = palloc0(sizeof(int) * (count + 1));
	uint64		n;

	for (int c = 0; c < lengthof(columns); c++)
		columns[c] = palloc(sizeof(Datum) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		const Kin  *kin = &seek->kin[kins[i]];

		columns[0][i] = Int64GetDatum(kin->hardware_id);
		columns[1][i] = Int32GetDatum(kin->assignments);
		columns[2][i] = Int64GetDatum(kin->total_assignments);
		columns[3][i] = CStringGetTextDatum(kin->worker_id);
	}
	n = statement_run(&statement, true, TEXT_VALUE(seek->pool), workload_type(seek),
					  array_value(INT8OID, columns[0], NULL, count), array_value(INT4OID, columns[1], NULL, count),
					  array_value(INT8OID, columns[2], NULL, count), array_value(TEXTOID, columns[3], NULL, count),
					  BIGINT_VALUE(most));
	for (uint64 row = 0; row < n; row++)
	{
		int			i = column_int(row, 1) - 1;

		read[i]++;
		(void) read_key(seek, row);
		extend_kin(&seek->kin[kins[i]], row);
	}
	for (int i = 0; i < count; i++)
	{
		seek->kin[kins[i]].reads++;
		seek->kin[kins[i]].ended = read[i] < most;
	}
}

/* Reads the next readiest workers of the whole pool. */
void
read_line_of_all(Seek *seek, Class class)
{
#define READIEST(readiness) \
	KEY_COLUMNS("1", "l.worker_id", "p") \
	" FROM (SELECT * FROM hwsched.worker_load x WHERE x.pool = $1 AND x." readiness " IS NOT NULL" \
	"  AND (x." readiness ", x.worker_id) < ($3, $4)" \
	"  ORDER BY x." readiness " DESC, x.worker_id DESC LIMIT $5) l" \
	PROBE(" JOIN", "worker_usage", "u", "x.worker_id = l.worker_id") \
	PROBE(" LEFT JOIN", "track_record", "p", "x.workload_type = $2 AND x.worker_id = l.worker_id")
	static Statement statements[] = {
		[OF_CPU] = {READIEST("cpu_readiness"), {TEXTOID, TEXTOID, FLOAT8OID, TEXTOID, INT8OID}, ALONG_INDEX},
		[OF_ACCELERATOR] = {READIEST("accelerator_readiness"), {TEXTOID, TEXTOID, FLOAT8OID, TEXTOID, INT8OID}, ALONG_INDEX},
	};
	Line	   *line = &seek->all.lines[class];
	double		before = line->readiness;
	int			most = AT_ONCE_OF_ALL(line->reads);
	uint64		n = statement_run(&statements[class], true, TEXT_VALUE(seek->pool), workload_type(seek),
								  VALUE(Float8GetDatum(line->readiness)), TEXT_VALUE(line->worker_id), BIGINT_VALUE(most));

	for (uint64 row = 0; row < n; row++)
	{
		double		readiness = column_number(row, class == OF_CPU ? 4 : 5);
		char	   *worker_id = column_text(row, 2);

		(void) read_key(seek, row);
		if (readiness < line->readiness || (readiness == line->readiness && strcmp(worker_id, line->worker_id) < 0))
		{
			line->readiness = readiness;
			line->worker_id = worker_id;
		}
	}
	line->reads++;
	line->ended = n < most;
	/* so many are equally ready that only the states in each kind of hardware tell them apart */
	line->alike = !line->ended && line->reads > 1 && line->readiness == before;
}

/*
 * Reads the next most preferred workers; below the neutral preference it ends.
 * The order is that of preferences as they were learned: those above neutral
 * are less by now, so it bounds them.
 */
void
read_preferred(Seek *seek, int most)
{
	static Statement statement = {
		KEY_COLUMNS("1", "p.worker_id", "p")
		" FROM (SELECT * FROM hwsched.track_record x WHERE x.pool = $1 AND x.workload_type = $2"
		"  AND x.preference > 0.5 AND (x.preference, x.worker_id) < ($3, $4)"
		"  ORDER BY x.preference DESC, x.worker_id DESC LIMIT $5) p"
		PROBE(" LEFT JOIN", "worker_load", "l", "x.worker_id = p.worker_id")
		PROBE(" LEFT JOIN", "worker_usage", "u", "x.worker_id = p.worker_id"),
		{TEXTOID, TEXTOID, FLOAT8OID, TEXTOID, INT8OID}, ALONG_INDEX
	};
	uint64		n = statement_run(&statement, true, TEXT_VALUE(seek->pool), workload_type(seek),
								  VALUE(Float8GetDatum(seek->preference)), TEXT_VALUE(seek->preferred_id),
								  BIGINT_VALUE(most));

	for (uint64 row = 0; row < n; row++)
	{
		double		preference = column_number(row, 10);
		char	   *worker_id = column_text(row, 2);

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
