/*
 * track_record.c
 *		How well a worker does on a type of work, from outcomes: preferences,
 *		successes, failures and durations.  And what else outcomes teach.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "common/hashfn.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "learn/accuracy.h"
#include "learn/duration_store.h"
#include "learn/track_record.h"
#include "support/columns.h"
#include "support/ddsketch_array.h"

/*
 * A run that took as long as such runs usually do counts as this much slower
 * than expected: then who has not run any yet is tried, where all else is equal.
 */
#define OPTIMISTIC_PRIOR 0.9

/*
 * Returns what one outcome says, 0..1: 0.5 as expected, more when faster, less
 * when slower, 0 for a failure.  Expected is what runs of that model usually
 * take in the pool, whoever ran them, and of the first what the profiles say.
 * (Were it always the latter, which may be far off, whoever ran first would be
 * preferred for good, or all slow ones would be as bad as each other.  Were it
 * what was learned of the worker, one known to be fast would not be preferred.)
 * Less than a second makes no difference, as in predictions.
 */
static double
observed_quality(const EndedAssignment *ended)
{
	double expected = ended->formula_seconds;
	double actual;

	if (ended->failed)
		return 0;
	actual = isnan(ended->actual_seconds) ? 1 : Max(1, ended->actual_seconds);
	if (isfinite(ended->usual_seconds))
		expected = OPTIMISTIC_PRIOR * Max(1, ended->usual_seconds);
	return expected / (expected + actual);
}

/* What is known of how a worker does on a type of work. */
typedef struct Learned
{
	const char *workload_type;
	const char *worker_id;
	double age; /* seconds for which nothing was learned */
	double preference;
	int64 samples;
	int64 successes;
	int64 failures;
	/* of the successes; NAN: none */
	double mean_seconds;
	double squares; /* of the differences from the mean, added up */
	double min_seconds;
	double max_seconds;
	Sketch *durations;
} Learned;

/* A row of what is known. */
typedef struct LearnedRow
{
	Learned learned; /* at first, so that its columns are those of this, too */
	int32 ord; /* among what is asked for, from 1 */
	Datum durations;
} LearnedRow;

/* What is read and written; then what is read besides. */
#define LEARNED_COLUMNS 8

static const Column learned_columns[] = {
	{"preference", FLOAT8OID, offsetof(Learned, preference)},
	{"samples", INT8OID, offsetof(Learned, samples)},
	{"successes", INT8OID, offsetof(Learned, successes)},
	{"failures", INT8OID, offsetof(Learned, failures)},
	{"mean_seconds", FLOAT8OID, offsetof(Learned, mean_seconds)},
	{"squares", FLOAT8OID, offsetof(Learned, squares)},
	{"min_seconds", FLOAT8OID, offsetof(Learned, min_seconds)},
	{"max_seconds", FLOAT8OID, offsetof(Learned, max_seconds)},
	{"durations", INT8ARRAYOID, offsetof(LearnedRow, durations)},
	{"extract(epoch FROM now() - updated_at)::float8", FLOAT8OID,
	 offsetof(LearnedRow, learned.age)},
	{"k.ord::int", INT4OID, offsetof(LearnedRow, ord)},
};

static const RowType learned_row = ROW_TYPE(LearnedRow, learned_columns);

/* A worker and a type of work, and their place among what is learned. */
typedef struct RecordKey
{
	const char *worker_id;
	const char *workload_type;
	int number;
} RecordKey;

static uint32
record_hash(const void *key, Size keysize)
{
	const RecordKey *pair = key;

	return hash_combine(string_hash(pair->worker_id, INT_MAX),
						string_hash(pair->workload_type, INT_MAX));
}

static int
record_compare(const void *a, const void *b, Size keysize)
{
	const RecordKey *x = a;
	const RecordKey *y = b;

	return strcmp(x->worker_id, y->worker_id) != 0 ||
		   strcmp(x->workload_type, y->workload_type) != 0;
}

static HTAB *
record_table(void)
{
	HASHCTL control = {.keysize = offsetof(RecordKey, number),
					   .entrysize = sizeof(RecordKey),
					   .hash = record_hash,
					   .match = record_compare,
					   .hcxt = CurrentMemoryContext};

	return hash_create("hwsched learned pairs", 256, &control,
					   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

/*
 * Counts a success and its duration (NAN: it is not known), by the running mean
 * and squares of Welford (1962): no sum that grows, no difference of two.
 */
static void
add_success(Learned *known, double seconds)
{
	double before = known->mean_seconds;

	known->successes++;
	if (isnan(seconds))
		return;
	if (isnan(before))
	{
		known->mean_seconds = known->min_seconds = known->max_seconds = seconds;
		known->squares = 0;
	}
	else
	{
		known->mean_seconds += (seconds - before) / known->successes;
		known->squares += (seconds - before) * (seconds - known->mean_seconds);
		known->min_seconds = Min(known->min_seconds, seconds);
		known->max_seconds = Max(known->max_seconds, seconds);
	}
	sketch_add(known->durations, seconds);
}

/* Lets what is known be forgotten by and by, until it is so many seconds old. */
static void
grow_old(Learned *known, double age, double half_life)
{
	if (age < known->age)
	{
		known->preference = preference_aged(known->preference, known->age - age, half_life);
		known->age = age;
	}
}

/*
 * Works out what is known of each worker and workload type after some more
 * outcomes, in their order.  Returns how many pairs there are and sets *learned.
 */
static int
learn_outcomes(const char *pool, const PoolSettings *settings, const EndedAssignment *ended,
			   int count, Learned **learned)
{
	static SpiPlan find = {
		"SELECT " ROW_COLUMNS
		" FROM unnest($2, $3) WITH ORDINALITY k(workload_type, worker_id, ord)"
		" JOIN hwsched.track_record p ON p.pool = $1 AND p.workload_type = k.workload_type"
		" AND p.worker_id = k.worker_id",
		{TEXTOID, TEXTARRAYOID, TEXTARRAYOID},
		.row = &learned_row};
	const LearnedRow *rows;
	const char **types = palloc(sizeof(char *) * (count + 1));
	const char **workers = palloc(sizeof(char *) * (count + 1));
	int *pairs = palloc(sizeof(int) * (count + 1));
	HTAB *table = record_table();
	int n = 0;

	*learned = palloc(sizeof(Learned) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		RecordKey key = {ended[i].worker_id, ended[i].workload_type};
		bool found;
		RecordKey *pair;

		if (ended[i].worker_id == NULL)
			continue;
		pair = hash_search(table, &key, HASH_ENTER, &found);
		if (!found)
		{
			pair->number = n;
			types[n] = ended[i].workload_type;
			workers[n] = ended[i].worker_id;
			(*learned)[n++] = (Learned){ended[i].workload_type,
										ended[i].worker_id,
										INFINITY,
										0.5,
										0,
										0,
										0,
										NAN,
										NAN,
										NAN,
										NAN,
										palloc0(sizeof(Sketch))};
		}
		pairs[i] = pair->number;
	}
	spi_plan_run(&find, false, TEXT_VALUE(pool), text_array(types, n), text_array(workers, n));
	rows = read_rows(&learned_row, SPI_processed);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Learned *known = &(*learned)[rows[i].ord - 1];
		Learned before = *known;

		*known = rows[i].learned;
		known->workload_type = before.workload_type;
		known->worker_id = before.worker_id;
		known->durations = before.durations;
		sketch_read(rows[i].durations, rows[i].durations == (Datum) 0, known->durations);
	}
	for (int i = 0; i < count; i++)
	{
		Learned *known;

		if (ended[i].worker_id == NULL)
			continue;
		known = &(*learned)[pairs[i]];
		grow_old(known, ended[i].age, settings->preference_half_life);
		known->preference = preference_after(known->preference, observed_quality(&ended[i]),
											 settings->preference_alpha);
		known->samples++;
		if (ended[i].failed)
			known->failures++;
		else
			add_success(known, ended[i].actual_seconds);
	}
	for (int i = 0; i < n; i++)
		grow_old(&(*learned)[i], 0, settings->preference_half_life);
	hash_destroy(table);
	return n;
}

/* Writes what is known of each worker and workload type after some outcomes. */
static void
write_records(const char *pool, const Learned *learned, int n)
{
	static SpiPlan write = {
		"INSERT INTO hwsched.track_record AS p (pool, workload_type, worker_id, preference,"
		" samples, successes, failures,"
		"  mean_seconds, squares, min_seconds, max_seconds, durations, updated_at)"
		" SELECT $1, k.workload_type, k.worker_id, k.preference, k.samples, k.successes,"
		" k.failures, k.mean_seconds, k.squares,"
		"  k.min_seconds, k.max_seconds, ($12)[k.first:k.last], now()"
		" FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $13, $14) k(workload_type,"
		" worker_id, preference, samples, successes,"
		"  failures, mean_seconds, squares, min_seconds, max_seconds, first, last)"
		/* it may have left since */
		" JOIN hwsched.worker w ON w.pool = $1 AND w.worker_id = k.worker_id"
		" ON CONFLICT (pool, workload_type, worker_id) DO UPDATE"
		" SET preference = EXCLUDED.preference,"
		"  samples = EXCLUDED.samples, successes = EXCLUDED.successes,"
		" failures = EXCLUDED.failures,"
		"  mean_seconds = EXCLUDED.mean_seconds, squares = EXCLUDED.squares, min_seconds ="
		" EXCLUDED.min_seconds,"
		"  max_seconds = EXCLUDED.max_seconds, durations = EXCLUDED.durations, updated_at ="
		" EXCLUDED.updated_at",
		{TEXTOID, TEXTARRAYOID, TEXTARRAYOID, FLOAT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
		 INT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, INT8ARRAYOID,
		 INT4ARRAYOID, INT4ARRAYOID}};
	const char **types = palloc(sizeof(char *) * (n + 1));
	const char **workers = palloc(sizeof(char *) * (n + 1));
	const Sketch **durations = palloc(sizeof(Sketch *) * (n + 1));
	Parameter columns[LEARNED_COLUMNS];
	SketchArrays sketches;

	for (int i = 0; i < n; i++)
	{
		types[i] = learned[i].workload_type;
		workers[i] = learned[i].worker_id;
		durations[i] = learned[i].durations;
	}
	for (int c = 0; c < lengthof(columns); c++)
		columns[c] = column_array(&learned_columns[c], learned, sizeof(Learned), n);
	sketches = sketch_arrays(durations, n);
	spi_plan_run(&write, false, TEXT_VALUE(pool), text_array(types, n), text_array(workers, n),
				 columns[0], columns[1], columns[2], columns[3], columns[4], columns[5], columns[6],
				 columns[7], sketches.numbers, sketches.first, sketches.last);
}

/* Learns from outcomes, in their order: how long work takes, and how workers do on its types. */
static void
learn(const char *pool, const PoolSettings *settings, EndedAssignment *ended, int count)
{
	Learned *learned;
	int n;

	/* sets what such runs usually take, which the records look at */
	learn_durations(pool, ended, count);
	n = learn_outcomes(pool, settings, ended, count, &learned);
	write_records(pool, learned, n);
}

/*
 * Learns from outcomes, in their order: how workers do on types of work, how
 * long it takes, and how well that was foretold.  The pool is locked, so
 * nobody else learns of them at the same time.
 */
void
learn_from(const char *pool, const PoolSettings *settings, EndedAssignment *ended, int count,
		   bool succeeded)
{
	if (!settings->learning || count == 0)
		return;
	for (int i = 0; i < count; i++)
		ended[i].failed = !succeeded;
	learn(pool, settings, ended, count);
	if (succeeded)
		note_errors(pool, ended, count);
}

/*
 * Learns from runs that were not ours, in their order; those without a worker (NULL) teach how
 * long work takes and nothing else.  Nobody has foretold them.  Returns how many have taught.
 */
int
learn_from_elsewhere(const char *pool, const PoolSettings *settings, EndedAssignment *runs,
					 int count)
{
	if (!settings->learning || count == 0)
		return 0;
	learn(pool, settings, runs, count);
	return count;
}
