/*
 * learn.c
 *		How well a worker does on a type of work, from outcomes: preferences,
 *		successes, failures and durations.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "learn.h"
#include "score.h"
#include "statement.h"
#include "utils/hsearch.h"

/*
 * Returns what one outcome says, 0..1: 0.5 as predicted, more when faster,
 * less when slower, 0 for a failure.  Predictions are never below a second,
 * so neither is what they are compared with.
 */
static double
observed_quality(const EndedAssignment *ended, bool succeeded)
{
	double		actual;

	if (!succeeded)
		return 0;
	actual = isnan(ended->actual_seconds) ? 1 : Max(1, ended->actual_seconds);
	return ended->predicted_seconds / (ended->predicted_seconds + actual);
}

/* A worker and a type of work, and their place among what is learned. */
typedef struct Pair
{
	const char *worker_id;
	const char *workload_type;
	int			number;
} Pair;

static uint32
pair_hash(const void *key, Size keysize)
{
	const Pair *pair = key;

	return hash_combine(string_hash(pair->worker_id, INT_MAX), string_hash(pair->workload_type, INT_MAX));
}

static int
pair_compare(const void *a, const void *b, Size keysize)
{
	const Pair *x = a;
	const Pair *y = b;

	return strcmp(x->worker_id, y->worker_id) != 0 || strcmp(x->workload_type, y->workload_type) != 0;
}

static HTAB *
pair_table(void)
{
	HASHCTL		control = {
		.keysize = offsetof(Pair, number), .entrysize = sizeof(Pair),
		.hash = pair_hash, .match = pair_compare, .hcxt = CurrentMemoryContext
	};

	return hash_create("hwsched learned pairs", 256, &control, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

/*
 * Works out what is known of each worker and workload type after some more
 * outcomes, in their order.  Returns how many pairs there are and sets *learned.
 */
int
learn(const char *pool, const PoolSettings *settings, const EndedAssignment *ended, int count, bool succeeded,
	  bool read_only, Learned **learned)
{
	static Statement find = {
		"SELECT k.ord::int, p.preference, p.samples, p.successes, p.failures, p.mean_seconds FROM unnest($2, $3) WITH ORDINALITY k(workload_type, worker_id, ord)"
		" JOIN hwsched.track_record p ON p.pool = $1 AND p.workload_type = k.workload_type AND p.worker_id = k.worker_id",
		{TEXTOID, TEXTARRAYOID, TEXTARRAYOID}
	};
	const char **types = palloc(sizeof(char *) * (count + 1));
	const char **workers = palloc(sizeof(char *) * (count + 1));
	int		   *pairs = palloc(sizeof(int) * (count + 1));
	HTAB	   *table = pair_table();
	int			n = 0;

	*learned = palloc(sizeof(Learned) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		Pair		key = {ended[i].worker_id, ended[i].workload_type};
		bool		found;
		Pair	   *pair = hash_search(table, &key, HASH_ENTER, &found);

		if (!found)
		{
			pair->number = n;
			types[n] = ended[i].workload_type;
			workers[n] = ended[i].worker_id;
			(*learned)[n++] = (Learned) {ended[i].workload_type, ended[i].worker_id, 0.5, 0, 0, 0, NAN};
		}
		pairs[i] = pair->number;
	}
	statement_run(&find, read_only, TEXT_VALUE(pool), text_array(types, n), text_array(workers, n));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Learned    *known = &(*learned)[column_int(i, 1) - 1];

		known->preference = column_number(i, 2);
		known->samples = column_bigint(i, 3);
		known->successes = column_bigint(i, 4);
		known->failures = column_bigint(i, 5);
		known->mean_seconds = column_number(i, 6);
	}
	for (int i = 0; i < count; i++)
	{
		Learned    *known = &(*learned)[pairs[i]];

		known->preference = preference_after(known->preference, observed_quality(&ended[i], succeeded),
											 settings->preference_alpha);
		known->samples++;
		if (!succeeded)
			known->failures++;
		else if (!isnan(ended[i].actual_seconds))
		{
			/* the running mean of Welford (1962): no sum that grows */
			known->successes++;
			known->mean_seconds = known->successes == 1 || isnan(known->mean_seconds) ? ended[i].actual_seconds :
				known->mean_seconds + (ended[i].actual_seconds - known->mean_seconds) / known->successes;
		}
	}
	hash_destroy(table);
	return n;
}

/*
 * Moves the preference of each worker and workload type toward what was
 * observed.  The pool is locked, so nobody else learns of them
 * at the same time.
 */
void
learn_preferences(const char *pool, const PoolSettings *settings,
				  const EndedAssignment *ended, int count, bool succeeded)
{
	static Statement write = {
		"INSERT INTO hwsched.track_record AS p (pool, workload_type, worker_id, preference, samples, successes, failures,"
		"  mean_seconds, updated_at)"
		" SELECT $1, k.workload_type, k.worker_id, k.preference, k.samples, k.successes, k.failures, k.mean_seconds, now()"
		" FROM unnest($2, $3, $4, $5, $6, $7, $8) k(workload_type, worker_id, preference, samples, successes, failures, mean_seconds)"
		/* it may have left since */
		" JOIN hwsched.worker w ON w.pool = $1 AND w.worker_id = k.worker_id"
		" ON CONFLICT (pool, workload_type, worker_id) DO UPDATE SET preference = EXCLUDED.preference,"
		"  samples = EXCLUDED.samples, successes = EXCLUDED.successes, failures = EXCLUDED.failures,"
		"  mean_seconds = EXCLUDED.mean_seconds, updated_at = EXCLUDED.updated_at",
		{TEXTOID, TEXTARRAYOID, TEXTARRAYOID, FLOAT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, FLOAT8ARRAYOID}
	};
	Learned    *learned;
	int			n = learn(pool, settings, ended, count, succeeded, false, &learned);
	const char **types = palloc(sizeof(char *) * (n + 1));
	const char **workers = palloc(sizeof(char *) * (n + 1));
	Datum	   *preferences = palloc(sizeof(Datum) * (n + 1));
	Datum	   *samples = palloc(sizeof(Datum) * (n + 1));
	Datum	   *successes = palloc(sizeof(Datum) * (n + 1));
	Datum	   *failures = palloc(sizeof(Datum) * (n + 1));
	Datum	   *means = palloc(sizeof(Datum) * (n + 1));
	bool	   *no_mean = palloc(sizeof(bool) * (n + 1));

	if (n == 0)
		return;
	for (int i = 0; i < n; i++)
	{
		types[i] = learned[i].workload_type;
		workers[i] = learned[i].worker_id;
		preferences[i] = Float8GetDatum(learned[i].preference);
		samples[i] = Int64GetDatum(learned[i].samples);
		successes[i] = Int64GetDatum(learned[i].successes);
		failures[i] = Int64GetDatum(learned[i].failures);
		means[i] = Float8GetDatum(learned[i].mean_seconds);
		no_mean[i] = isnan(learned[i].mean_seconds);
	}
	statement_run(&write, false, TEXT_VALUE(pool), text_array(types, n), text_array(workers, n),
				  array_value(FLOAT8OID, preferences, NULL, n),
				  array_value(INT8OID, samples, NULL, n),
				  array_value(INT8OID, successes, NULL, n),
				  array_value(INT8OID, failures, NULL, n),
				  array_value(FLOAT8OID, means, no_mean, n));
}
