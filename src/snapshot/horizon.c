/*
 * horizon.c
 *		How far a batch looks into the queue.
 *
 * A batch need not look at what has no room.  It looks at the head of the queue, and at one
 * workload of each profile behind that, and decides.  Where that finds no room for a profile,
 * what waits of it further back is passed over; where others are behind, it decides anew on
 * more.  So the decision is the one on the whole queue, whatever stands at its head; and a fleet
 * that is nearly full costs what it takes in, however much waits.  (But for one thing: what could
 * backfill a reserved place, as it is short, is passed over with long work of its profile.)
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lib/qunique.h"
#include "utils/timestamp.h"

#include "place/placement.h"
#include "snapshot/horizon.h"
#include "snapshot/queue.h"
#include "support/args.h"
#include "support/spi_plan.h"
#include "support/standalone.h"

/* The fewest rows that a batch looks at, and how many it does for each that the last one placed. */
#define FEWEST_ROWS 1000
#define ROWS_PER_PLACED 2

/* By how much the next look is deeper. */
#define DEEPER 8

/* What the session's last batches placed, by the hash of the pool's name. */
static struct
{
	uint32 pool;
	int64 placed;
} last_batches[64];

static uint32
pool_hash(const char *pool)
{
	return hash_bytes((const unsigned char *) pool, strlen(pool));
}

/*
 * Returns whether the queue's order alone decides who comes first, so that who is behind can't
 * change what those before get.
 */
static bool
order_is_the_queues(const PoolSettings *settings)
{
	return !solver_is_optimal(settings) && settings->ageing == 0 && !settings->preemption &&
		   strcmp(settings->order, "submission") == 0;
}

/*
 * Begins with the head of the queue: most rows at most, or as many as the session's last batch
 * of the pool makes likely.  may_pass: what has no room may be passed over.
 */
void
horizon_begin(Horizon *horizon, const PoolSnapshot *snapshot, const char *pool, int64 most,
			  bool may_pass)
{
	uint32 hash = pool_hash(pool);
	const int64 *placed = &last_batches[hash % lengthof(last_batches)].placed;

	*horizon = (Horizon){.most = most, .may_pass = may_pass, .limit = most};
	if (may_pass && last_batches[hash % lengthof(last_batches)].pool == hash &&
		order_is_the_queues(&snapshot->settings))
		horizon->limit = Min(most, Max(FEWEST_ROWS, *placed * ROWS_PER_PLACED));
	horizon->depth = horizon->limit;
}

/* Remembers how many workloads a batch has placed that left some of the queue behind. */
void
horizon_end(const Horizon *horizon, const char *pool, int64 placed)
{
	uint32 hash = pool_hash(pool);

	last_batches[hash % lengthof(last_batches)].pool = hash;
	last_batches[hash % lengthof(last_batches)].placed = horizon->cut ? placed : horizon->most;
}

/* Returns whether an item found no place because there is none for its profile. */
static bool
has_no_room(const PoolSnapshot *snapshot, int i)
{
	const QueueItem *item = &snapshot->items[i];
	const Demand *demand = &snapshot->search.kinds[item->kind].demand;

	return item->nplacements == 0 && snapshot->rows[i].own_kind < 0 && item->keys.count == 0 &&
		   !item->held_back && item->navoided == 0 && item->navoided_devices == 0 &&
		   (!item->alone || demand->exclusive);
}

/* Adds the profiles that have no room to those that are passed over; returns whether any is new. */
static bool
pass_profiles(Horizon *horizon, const PoolSnapshot *snapshot)
{
	const Search *search = &snapshot->search;
	bool *full = palloc0(sizeof(bool) * (search->nkinds + 1));
	int64 *passed = palloc(sizeof(int64) * (horizon->npassed + search->nkinds + 1));
	int before = horizon->npassed;
	int n = 0;

	for (int i = 0; i < snapshot->nitems; i++)
		if (has_no_room(snapshot, i))
			full[snapshot->items[i].kind] = true;
		else if (snapshot->items[i].nplacements > 0)
			full[snapshot->items[i].kind] = false;
	if (before > 0)
		memcpy(passed, horizon->passed, sizeof(int64) * before);
	n = before;
	for (int k = 0; k < search->nkinds; k++)
		if (full[k])
			passed[n++] = search->kinds[k].profile_id;
	qsort(passed, n, sizeof(int64), compare_bigints);
	horizon->passed = passed;
	horizon->npassed = (int) qunique(passed, n, sizeof(int64), compare_bigints);
	return horizon->npassed > before;
}

/* Returns whether the profile of an item is passed over. */
static bool
is_passed(const Horizon *horizon, const PoolSnapshot *snapshot, int i)
{
	const WorkKind *kind = &snapshot->search.kinds[snapshot->items[i].kind];

	return bsearch(&kind->profile_id, horizon->passed, horizon->npassed, sizeof(int64),
				   compare_bigints) != NULL;
}

/*
 * Keeps what got a place, or may have had one reserved, though its profile is passed over now;
 * returns how many of the items seen are of other profiles.
 */
static int
keep_rows(Horizon *horizon, const PoolSnapshot *snapshot)
{
	ItemPointerData *kept = palloc_huge(sizeof(*kept) * (horizon->nseen + 1));
	int reserved = Max(1, snapshot->search.most_reservations);
	int others = 0;

	horizon->nkept = 0;
	horizon->kept = kept;
	for (int i = 0; i < horizon->nseen; i++)
	{
		bool waits = snapshot->items[i].nplacements == 0;

		if (!is_passed(horizon, snapshot, i))
			others++;
		else if (!waits || reserved > 0)
			kept[horizon->nkept++] = snapshot->rows[i].tid;
		reserved -= waits;
	}
	return others;
}

/*
 * Returns the last of the items seen: what may be placed and is before it was looked at, or its
 * profile is passed over; -1 if there are none.
 */
int
horizon_last(const Horizon *horizon, const PoolSnapshot *snapshot)
{
	int last = horizon->nseen - 1;

	if (horizon->nkept > 0)
		while (last > 0 && is_passed(horizon, snapshot, last))
			last--;
	return last;
}

/* Returns how many of the items got a place. */
static int64
count_placed(const PoolSnapshot *snapshot)
{
	int64 placed = 0;

	for (int i = 0; i < snapshot->nitems; i++)
		placed += snapshot->items[i].nplacements > 0;
	return placed;
}

/* Returns whether work that may be placed, of other profiles, is behind an item. */
static bool
others_are_behind(const Horizon *horizon, const PoolSnapshot *snapshot, int last, const char *pool,
				  bool read_only)
{
	static SpiPlan statement = {
		"SELECT FROM hwsched.pending p WHERE p.pool = $1 AND p.profile_id = ANY ($2)"
		" AND (" AGED_PRIORITY("$6") ", p.deadline, p.queue_no) > ($3, $4, $5)"
									 " AND " MAY_BE_PLACED("$7") " LIMIT 1",
		{TEXTOID, INT8ARRAYOID, INT4OID, TIMESTAMPTZOID, INT8OID, FLOAT8OID, BOOLOID}};
	int64 *waiting;
	int nwaiting = queue_profiles(pool, read_only, &waiting);
	Parameter others;
	int64 *other;
	int n = 0;

	for (int i = 0; i < nwaiting; i++)
		if (bsearch(&waiting[i], horizon->passed, horizon->npassed, sizeof(int64),
					compare_bigints) == NULL)
			waiting[n++] = waiting[i];
	if (n == 0)
		return false;
	other = fixed_array(INT8OID, sizeof(*other), n, &others);
	memcpy(other, waiting, sizeof(*other) * n);
	return spi_plan_run(&statement, read_only, TEXT_VALUE(pool), others,
						INT_VALUE(snapshot->items[last].priority),
						VALUE(TimestampTzGetDatum(snapshot->rows[last].deadline)),
						BIGINT_VALUE(snapshot->rows[last].queue_no),
						VALUE(Float8GetDatum(snapshot->settings.ageing)),
						VALUE(BoolGetDatum(read_only))) > 0;
}

/*
 * After a decision: returns whether it has to be made anew on more of the queue, and says on
 * what.  What it allocates stays in the current memory context.
 */
bool
horizon_extend(Horizon *horizon, const PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	int last = horizon_last(horizon, snapshot);
	int64 depth;
	bool any_new;

	if (!horizon->cut || !horizon->may_pass || last < 0)
		return false;
	any_new = pass_profiles(horizon, snapshot);
	depth = Min(horizon->most - count_placed(snapshot), horizon->depth * DEEPER);
	if (depth <= 0 || (!any_new && depth <= horizon->depth) ||
		!others_are_behind(horizon, snapshot, last, pool, read_only))
		return false;
	horizon->depth = depth;
	horizon->limit = keep_rows(horizon, snapshot) + depth;
	return true;
}
