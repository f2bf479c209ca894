/*
 * keys.c
 *		The concurrency keys of the queue: what their limits leave, and who holds
 *		them from now on.
 *
 * Who places work has locked the pool, so what is read under the lock is exact: of
 * two coordinators the second sees what the first has placed.  A minute is judged
 * back from the begin of the transaction, which is before it places anything, so
 * no 60 s that end with a placement have more than the limit.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "snapshot/keys.h"
#include "support/spi_plan.h"
#include "support/strtab.h"

/* What is known of a concurrency key, as key_use has it. */
typedef struct KeyUse
{
	int32 in_use;
	int32 used_last_minute;
} KeyUse;

struct KeyTable
{
	HTAB *numbers; /* of keys, in the arrays and in Search.key_rooms */
	int allocated;
	KeyUse *use;
	const char **names;
};

/* Returns a limit of a key of the pool: concurrent or per_minute. */
static int32
limit_of(const PoolSettings *settings, const char *key, const char *what)
{
	for (int i = 0; i < settings->limits.count; i++)
	{
		const NamedTable *limit = &settings->limits.items[i];

		if (strcmp(limit->name, key) != 0)
			continue;
		for (int j = 0; j < limit->numbers.count; j++)
			if (strcmp(limit->numbers.items[j].name, what) == 0)
				return (int32) limit->numbers.items[j].value;
		return PG_INT32_MAX;
	}
	return strcmp(what, "concurrent") == 0 ? 1 : PG_INT32_MAX;
}

/* Returns the number of a key, after adding it if it is new. */
static int32
key_number(PoolSnapshot *snapshot, const char *name, int length, KeyUse use)
{
	KeyTable *table = snapshot->keys;
	Search *search = &snapshot->search;
	bool found;
	StrtabEntry *entry = strtab_enter(table->numbers, name, length, &found);

	if (!found)
	{
		int n = search->nkeys;
		KeyRoom *room;
		int32 concurrent;
		int32 per_minute;

		if (n == table->allocated)
		{
			table->allocated *= 2;
			table->use = repalloc_huge(table->use, sizeof(KeyUse) * table->allocated);
			table->names = repalloc_huge(table->names, sizeof(char *) * table->allocated);
			search->key_rooms =
				repalloc_huge(search->key_rooms, sizeof(KeyRoom) * table->allocated);
		}
		entry->number = search->nkeys++;
		table->use[n] = use;
		table->names[n] = entry->key.data;
		concurrent = limit_of(&snapshot->settings, entry->key.data, "concurrent");
		per_minute = limit_of(&snapshot->settings, entry->key.data, "per_minute");
		room = &search->key_rooms[n];
		room->units = concurrent == PG_INT32_MAX ? concurrent : concurrent - use.in_use;
		room->placements =
			per_minute == PG_INT32_MAX ? per_minute : per_minute - use.used_last_minute;
	}
	return entry->number;
}

/* The use of some keys (a text[]), or of all those of a pool. */
static SpiPlan use_statement = {"SELECT u.key, u.in_use, u.used_last_minute FROM hwsched.key_use u"
								" WHERE u.pool = $1 AND ($2 IS NULL OR u.key = ANY ($2))",
								{TEXTOID, TEXTARRAYOID}};

/* Adds the keys that are in use, of some (a text[]) or of all, to those that are known. */
static void
read_use(PoolSnapshot *snapshot, const char *pool, Parameter keys, bool read_only)
{
	uint64 n = spi_plan_run(&use_statement, read_only, TEXT_VALUE(pool), keys);

	for (uint64 i = 0; i < n; i++)
	{
		char *key = column_text(i, 1);

		(void) key_number(snapshot, key, strlen(key), (KeyUse){column_int(i, 2), column_int(i, 3)});
	}
}

/* Begins without any keys: none is in use. */
void
keys_begin(PoolSnapshot *snapshot)
{
	KeyTable *table = palloc(sizeof(KeyTable));

	*table = (KeyTable){strtab_create("hwsched concurrency keys"), 16};
	table->use = palloc(sizeof(KeyUse) * table->allocated);
	table->names = palloc(sizeof(char *) * table->allocated);
	snapshot->keys = table;
	snapshot->search.nkeys = 0;
	snapshot->search.key_rooms = palloc(sizeof(KeyRoom) * table->allocated);
}

/*
 * Reads how the concurrency keys of a pool are used, or of one workload; most pools
 * have none, which takes one look.
 */
void
keys_load(PoolSnapshot *snapshot, const char *pool, const char *workload_id, bool read_only)
{
	static SpiPlan any = {"SELECT FROM hwsched.key_holder WHERE pool = $1 LIMIT 1", {TEXTOID}};
	static SpiPlan own = {"SELECT concurrency_keys FROM hwsched.submission WHERE pool = $1"
						  " AND workload_id = $2 AND concurrency_keys IS NOT NULL",
						  {TEXTOID, TEXTOID}};
	Parameter keys = NULL_VALUE;

	keys_begin(snapshot);
	if (spi_plan_run(&any, read_only, TEXT_VALUE(pool)) == 0)
		return;
	if (workload_id != NULL)
	{
		bool isnull;

		if (spi_plan_run(&own, read_only, TEXT_VALUE(pool), TEXT_VALUE(workload_id)) == 0)
			return;
		keys = VALUE(PointerGetDatum(DatumGetArrayTypePCopy(column(0, 1, &isnull))));
	}
	read_use(snapshot, pool, keys, read_only);
}

/* Returns what a row with these keys (text[]) and units (int[]) takes; none if they are 0. */
KeyDemand
key_demand(PoolSnapshot *snapshot, Datum keys, Datum units)
{
	Datum *names;
	Datum *numbers;
	int n;
	int nunits;
	KeyUnits *items;

	if (keys == (Datum) 0)
		return (KeyDemand){0, NULL};
	deconstruct_array(DatumGetArrayTypeP(keys), TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &n);
	deconstruct_array(DatumGetArrayTypeP(units), INT4OID, sizeof(int32), true, TYPALIGN_INT,
					  &numbers, NULL, &nunits);
	items = palloc(sizeof(KeyUnits) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		text *name = DatumGetTextPP(names[i]);

		items[i] = (KeyUnits){
			key_number(snapshot, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), (KeyUse){0, 0}),
			i < nunits ? DatumGetInt32(numbers[i]) : 1};
	}
	return (KeyDemand){n, items};
}

/* Returns the number of a key that is known, or -1. */
int32
key_named(const PoolSnapshot *snapshot, const char *name)
{
	StrtabEntry *entry = strtab_find(snapshot->keys->numbers, name, strlen(name));

	return entry == NULL ? -1 : entry->number;
}

/* Does so after reading how these keys are used, whichever were read before. */
KeyDemand
key_demand_now(PoolSnapshot *snapshot, const char *pool, Datum keys, Datum units, bool read_only)
{
	if (snapshot->keys == NULL)
		keys_load(snapshot, pool, NULL, read_only);
	else
		read_use(snapshot, pool, VALUE(keys), read_only);
	return key_demand(snapshot, keys, units);
}

/* Returns whether any item with keys was placed. */
static bool
any_placed(const PoolSnapshot *snapshot)
{
	for (int i = 0; i < snapshot->nitems && snapshot->search.nkeys > 0; i++)
		if (snapshot->items[i].nplacements > 0 && snapshot->items[i].keys.count > 0)
			return true;
	return false;
}

/*
 * Raises a serialization failure if a key of the placements is used more by now
 * than was known: an old snapshot (REPEATABLE READ) does not show who has taken it.
 */
void
keys_check_latest(const PoolSnapshot *snapshot, const char *pool)
{
	uint64 n;

	if (!IsolationUsesXactSnapshot() || !any_placed(snapshot))
		return;
	PushActiveSnapshot(GetLatestSnapshot());
	n = spi_plan_run(&use_statement, true, TEXT_VALUE(pool), NULL_VALUE);
	PopActiveSnapshot();
	for (uint64 i = 0; i < n; i++)
	{
		char *key = column_text(i, 1);
		StrtabEntry *entry = strtab_find(snapshot->keys->numbers, key, strlen(key));

		if (entry != NULL &&
			(snapshot->keys->use[entry->number].in_use < column_int(i, 2) ||
			 snapshot->keys->use[entry->number].used_last_minute < column_int(i, 3)))
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not serialize access due to work with the same concurrency_key"
							" \"%s\"",
							key)));
	}
}

/* Notes which placements hold keys, once they are written; forgets those that do not any more. */
void
keys_hold(const PoolSnapshot *snapshot, const char *pool)
{
	static SpiPlan hold = {
		"INSERT INTO hwsched.key_holder (pool, key, assignment_id, last_assignment_id,"
		"  workload_id, units, assigned_at)"
		" SELECT $1, k.key, a.first, a.last, w.workload_id, k.units, a.assigned_at"
		" FROM unnest($2, $3) w(workload_id, run)"
		" JOIN hwsched.submission s ON s.pool = $1 AND s.workload_id = w.workload_id"
		" CROSS JOIN LATERAL unnest(s.concurrency_keys, s.concurrency_units) k(key, units)"
		" CROSS JOIN LATERAL (SELECT min(assignment_id) AS first, max(assignment_id) AS last,"
		"   max(assigned_at) AS assigned_at FROM hwsched.assignment"
		"  WHERE pool = $1 AND workload_id = w.workload_id AND run = w.run"
		"   AND finished_at IS NULL) a",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID}};
	/* somebody may judge a minute from an earlier time than ours */
	static SpiPlan forget = {
		"DELETE FROM hwsched.key_holder h WHERE h.pool = $1 AND h.key = ANY ($2)"
		" AND h.assigned_at < now() - interval '10 min'"
		" AND NOT EXISTS (SELECT FROM hwsched.assignment a WHERE a.pool = h.pool"
		"  AND a.workload_id = h.workload_id"
		"  AND a.assignment_id BETWEEN h.assignment_id AND h.last_assignment_id"
		"  AND a.finished_at IS NULL)",
		{TEXTOID, TEXTARRAYOID}};
	Datum *workload_ids;
	Datum *runs;
	int n = 0;

	if (!any_placed(snapshot))
		return;
	workload_ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * snapshot->nitems);
	runs = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * snapshot->nitems);
	for (int i = 0; i < snapshot->nitems; i++)
		if (snapshot->items[i].nplacements > 0 && snapshot->items[i].keys.count > 0)
		{
			workload_ids[n] = snapshot->rows[i].workload_id;
			runs[n++] = Int32GetDatum(snapshot->rows[i].run);
		}
	spi_plan_run(&forget, false, TEXT_VALUE(pool),
				 text_array(snapshot->keys->names, snapshot->search.nkeys));
	spi_plan_run(&hold, false, TEXT_VALUE(pool), array_value(TEXTOID, workload_ids, NULL, n),
				 array_value(INT4OID, runs, NULL, n));
}
