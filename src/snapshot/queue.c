/*
 * queue.c
 *		Reads the queue into memory: items in its order, and the kinds of work
 *		they are of.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "place/booking.h"
#include "snapshot/keys.h"
#include "snapshot/queue.h"
#include "store/profile_cache.h"
#include "support/args.h"
#include "support/columns.h"
#include "support/strtab.h"

/*
 * What tells kinds of work apart: the profile, and what the pool's policies
 * look at beside it (0 and -1 where they do not).
 */
typedef struct KindKey
{
	int64 profile_id;
	double expected_seconds;
	int32 priority;
	int32 model;
	int32 family;
	int32 unused; /* no padding: keys are compared as bytes */
} KindKey;

typedef struct KindEntry
{
	KindKey key;
	int32 kind;
} KindEntry;

typedef struct ModelEntry
{
	Model model; /* key */
	int32 number;
} ModelEntry;

static uint32
model_hash(const void *key, Size keysize)
{
	const Model *model = key;

	return DatumGetUInt32(hash_any((const unsigned char *) model->name, strlen(model->name))) ^
		   model->is_family;
}

static int
model_compare(const void *a, const void *b, Size keysize)
{
	const Model *x = a;
	const Model *y = b;

	return x->is_family != y->is_family || strcmp(x->name, y->name) != 0;
}

/* Numbers a model or family; NULL has number -1. */
static int32
model_number(PoolSnapshot *snapshot, HTAB *numbers, const char *name, bool is_family)
{
	Model model = {name, is_family};
	ModelEntry *entry;
	bool found;

	if (name == NULL)
		return -1;
	entry = hash_search(numbers, &model, HASH_ENTER, &found);
	if (!found)
	{
		int n = snapshot->nmodels;

		if ((n & (n - 1)) == 0)
			snapshot->models = n == 0 ? palloc(sizeof(Model)) :
										repalloc_huge(snapshot->models, sizeof(Model) * n * 2);
		snapshot->models[n] = model;
		entry->number = snapshot->nmodels++;
	}
	return entry->number;
}

/* Reads the profiles of the kinds in the search, whose profile_id is set. */
static void
read_kinds(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	Search *search = &snapshot->search;

	work_kinds_get(pool, search->kinds, search->nkinds, read_only);
	for (int i = 0; i < search->nkinds; i++)
		search->kinds[i].policy = policy_for(&snapshot->policies, &search->kinds[i].profile);
}

/* Begins to collect kinds of work. */
static HTAB *
begin_kinds(Search *search)
{
	HASHCTL control = {
		.keysize = sizeof(KindKey), .entrysize = sizeof(KindEntry), .hcxt = CurrentMemoryContext};

	search->nkinds = 0;
	search->kinds = palloc0(sizeof(WorkKind));
	return hash_create("hwsched kinds", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Returns the number of the kind that a key means, after adding it if it is new. */
static int32
kind_number(Search *search, HTAB *kinds, const KindKey *key)
{
	bool found;
	KindEntry *entry = hash_search(kinds, key, HASH_ENTER, &found);

	if (!found)
	{
		int n = search->nkinds;
		WorkKind *kind;

		if (n > 0 && (n & (n - 1)) == 0)
			search->kinds = repalloc_huge(search->kinds, sizeof(WorkKind) * n * 2);
		kind = &search->kinds[n];
		memset(kind, 0, sizeof(*kind));
		kind->profile_id = key->profile_id;
		kind->priority = key->priority;
		kind->expected_seconds = key->expected_seconds < 0 ? NAN : key->expected_seconds;
		kind->model = key->model;
		kind->family = key->family;
		kind->subject = -1;
		entry->kind = search->nkinds++;
	}
	return entry->kind;
}

/* Returns the key of a kind, without what policies that look at uses do not see. */
static KindKey
kind_key(int uses, int64 profile_id, int32 priority, double expected_seconds, int32 model,
		 int32 family)
{
	KindKey key = {profile_id, -1, 0, -1, -1, 0};

	if ((uses & USES_EXPECTED) && !isnan(expected_seconds))
		key.expected_seconds = expected_seconds;
	if (uses & USES_PRIORITY)
		key.priority = priority;
	if (uses & USES_MODEL)
	{
		key.model = model;
		key.family = family;
	}
	return key;
}

/*
 * Returns the number of the kind that an item of some other kind is of, told apart by all that
 * its policy looks at.
 */
static int32
finer_kind(PoolSnapshot *snapshot, HTAB *finer, const WorkKind *kind, int item)
{
	const QueueRow *row = &snapshot->rows[item];
	KindKey key =
		kind_key(snapshot->policies.uses | policy_uses(kind->policy), kind->profile_id,
				 row->priority, snapshot->items[item].expected_seconds, row->model, row->family);
	int32 number = kind_number(&snapshot->search, finer, &key);
	WorkKind *result = &snapshot->search.kinds[number];

	result->profile = kind->profile;
	result->demand = kind->demand;
	result->policy = kind->policy;
	return number;
}

/*
 * Tells kinds apart by what policies in force look at and those of the pool do
 * not: energy, for work with an energy sensitivity.
 */
static void
split_kinds(PoolSnapshot *snapshot)
{
	Search *search = &snapshot->search;
	const WorkKind *kinds = search->kinds;
	HTAB *finer;
	int uses = 0;

	for (int i = 0; i < search->nkinds; i++)
		uses |= policy_uses(kinds[i].policy);
	if ((uses & ~snapshot->policies.uses) == 0)
		return;
	finer = begin_kinds(search);
	for (int i = 0; i < snapshot->nitems; i++)
	{
		if (snapshot->rows[i].own_kind >= 0)
			snapshot->rows[i].own_kind =
				finer_kind(snapshot, finer, &kinds[snapshot->rows[i].own_kind], i);
		snapshot->items[i].kind = finer_kind(snapshot, finer, &kinds[snapshot->items[i].kind], i);
	}
}

/*
 * Items that the session's last look at a queue has found.  The next most often finds
 * as many; making room for them one doubling after the other costs a tenth of a batch.
 */
static int last_found = 0;

/* The queue while it is read. */
typedef struct QueueReader
{
	PoolSnapshot *snapshot;
	int allocated; /* of items and rows */
	HTAB *kinds;
	HTAB *models;
	int64 most; /* items; < 0: no limit */
} QueueReader;

/* A row of the queue as it is read. */
typedef struct PendingRow
{
	QueueRow queued;
	QueueItem item;
	int64 profile_id;
	int16 now_priority;
	const char *model_id;
	const char *model_family;
	int64 retry_profile_id; /* 0: none */
	Datum concurrency_keys; /* a text[]; 0: none */
	Datum concurrency_units; /* as int[] */
} PendingRow;

static const Column pending_columns[] = {
	{"p.ctid", TIDOID, offsetof(PendingRow, queued.tid)},
	{"p.queue_no", INT8OID, offsetof(PendingRow, queued.queue_no)},
	{"p.profile_id", INT8OID, offsetof(PendingRow, profile_id)},
	{"aged.priority", INT2OID, offsetof(PendingRow, now_priority)},
	{"p.priority", INT2OID, offsetof(PendingRow, queued.priority)},
	{"p.deadline", TIMESTAMPTZOID, offsetof(PendingRow, queued.deadline)},
	{"coalesce(p.expires_at, 'infinity')", TIMESTAMPTZOID, offsetof(PendingRow, queued.expires_at)},
	{"p.timeout_seconds", FLOAT8OID, offsetof(PendingRow, queued.timeout_seconds)},
	{"p.start_timeout_seconds", FLOAT8OID, offsetof(PendingRow, queued.start_timeout_seconds)},
	{"p.submitted_at", TIMESTAMPTZOID, offsetof(PendingRow, queued.submitted_at)},
	{"p.run", INT4OID, offsetof(PendingRow, queued.run)},
	{"p.attempt", INT4OID, offsetof(PendingRow, queued.attempt)},
	{"p.workload_id", TEXTOID, offsetof(PendingRow, queued.workload_id)},
	{"p.concurrency_keys", TEXTARRAYOID, offsetof(PendingRow, concurrency_keys)},
	{"p.concurrency_units", INT4ARRAYOID, offsetof(PendingRow, concurrency_units)},
	{"p.avoid_workers", TEXTARRAYOID, offsetof(PendingRow, queued.avoided)},
	{"p.expected_seconds", FLOAT8OID, offsetof(PendingRow, item.expected_seconds)},
	{"p.alone", BOOLOID, offsetof(PendingRow, item.alone)},
	{"p.model_id", CSTRINGOID, offsetof(PendingRow, model_id)},
	{"p.model_family", CSTRINGOID, offsetof(PendingRow, model_family)},
	{"p.retry_profile_id", INT8OID, offsetof(PendingRow, retry_profile_id)},
};

static const RowType pending_row = ROW_TYPE(PendingRow, pending_columns);

/* Makes an item of a row of the queue, unless its keys have no room, and adds its kind. */
static bool
read_queue_row(void *arg, const Row *row)
{
	QueueReader *reader = arg;
	PoolSnapshot *snapshot = reader->snapshot;
	PendingRow read = {0};
	QueueItem *item = &read.item;
	QueueRow *queued = &read.queued;
	KindKey key;

	read_row(&pending_row, row, &read);
	item->keys = key_demand(snapshot, read.concurrency_keys, read.concurrency_units);
	if (!keys_have_room(snapshot->search.key_rooms, &item->keys))
		return true;
	queued->model = model_number(snapshot, reader->models, read.model_id, false);
	queued->family = model_number(snapshot, reader->models, read.model_family, true);
	item->priority = read.now_priority;
	/* the kind of work that it is does not change as it waits */
	key = kind_key(snapshot->policies.uses, read.profile_id, queued->priority,
				   item->expected_seconds, queued->model, queued->family);
	item->kind = kind_number(&snapshot->search, reader->kinds, &key);
	item->subject = -1;
	queued->own_kind = -1;
	if (read.retry_profile_id != 0)
	{
		key.profile_id = read.retry_profile_id;
		queued->own_kind = item->kind;
		item->kind = kind_number(&snapshot->search, reader->kinds, &key);
	}
	snapshot->nretries += queued->own_kind >= 0 || queued->avoided != (Datum) 0 || item->alone;
	if (snapshot->nitems == reader->allocated)
	{
		reader->allocated *= 2;
		snapshot->items = repalloc_huge(snapshot->items, sizeof(QueueItem) * reader->allocated);
		snapshot->rows = repalloc_huge(snapshot->rows, sizeof(QueueRow) * reader->allocated);
	}
	snapshot->items[snapshot->nitems] = *item;
	snapshot->rows[snapshot->nitems++] = *queued;
	return reader->most < 0 || snapshot->nitems < reader->most;
}

/* Begins to read the queue, most items of it; one workload of it, or NULL for any. */
static QueueReader
begin_queue(PoolSnapshot *snapshot, const char *pool, const char *workload_id, int64 most,
			bool read_only)
{
	HASHCTL control = {.keysize = sizeof(Model),
					   .entrysize = sizeof(ModelEntry),
					   .hash = model_hash,
					   .match = model_compare,
					   .hcxt = CurrentMemoryContext};
	QueueReader reader = {snapshot, Max(64, workload_id ? 0 : last_found), .most = most};

	reader.kinds = begin_kinds(&snapshot->search);
	reader.models = hash_create("hwsched models", 64, &control,
								HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	keys_load(snapshot, pool, workload_id, read_only);
	snapshot->nitems = snapshot->nretries = 0;
	snapshot->items = palloc_huge(sizeof(QueueItem) * reader.allocated);
	snapshot->rows = palloc_huge(sizeof(QueueRow) * reader.allocated);
	return reader;
}

/*
 * Returns the most rows that the statement has to find for so many items: all, if
 * some may be passed over for their keys.
 */
static Parameter
most_rows(const PoolSnapshot *snapshot, int64 most)
{
	return most < 0 || (most > 0 && snapshot->search.nkeys + snapshot->settings.limits.count > 0) ?
			   NULL_VALUE :
			   BIGINT_VALUE(most);
}

/* Ends reading: the kinds get their profiles. */
static void
end_queue(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	last_found = snapshot->nitems;
	read_kinds(snapshot, pool, read_only);
	split_kinds(snapshot);
	for (int i = 0; i < snapshot->nitems; i++)
	{
		QueueItem *item = &snapshot->items[i];
		const Demand *demand = &snapshot->search.kinds[item->kind].demand;

		item->alone = item->alone || demand->exclusive;
		item->grouped = demand->group_apart || demand->spread_by != NULL;
		snapshot->nretries += demand->exclusive || item->grouped;
	}
}

/* The rows p of the queue, or some of them, with the priority that they have by now. */
#define QUEUE_SQL(from, priority) \
	"SELECT " ROW_COLUMNS " FROM " from " CROSS JOIN LATERAL (SELECT " priority " AS priority) aged"
#define IN_AGED_ORDER " ORDER BY aged.priority, p.deadline, p.queue_no LIMIT $2"

/*
 * Reads one row of each profile that none of the items read so far is of, nor of those that are
 * passed over: whether it finds a place tells whether to look further.
 */
static void
read_first_of_others(QueueReader *reader, const char *pool, const Horizon *horizon, bool read_only)
{
	static SpiPlan statement = {
		QUEUE_SQL("unnest($2) e(profile_id) CROSS JOIN LATERAL (SELECT ctid, * FROM"
				  " hwsched.pending p WHERE p.pool = $1 AND p.profile_id = e.profile_id"
				  " AND " MAY_BE_PLACED("$3") " LIMIT 1) p",
				  AGED_PRIORITY("$4")) " ORDER BY aged.priority, p.deadline, p.queue_no",
		{TEXTOID, INT8ARRAYOID, BOOLOID, FLOAT8OID},
		.row = &pending_row};
	const PoolSnapshot *snapshot = reader->snapshot;
	const Search *search = &snapshot->search;
	int64 *known = palloc(sizeof(int64) * (search->nkinds + horizon->npassed + 1));
	int nknown = 0;
	int64 *waiting;
	int nwaiting = queue_profiles(pool, read_only, &waiting);
	Parameter others;
	int64 *ids;
	int n = 0;

	for (int k = 0; k < search->nkinds; k++)
		known[nknown++] = search->kinds[k].profile_id;
	for (int i = 0; i < horizon->npassed; i++)
		known[nknown++] = horizon->passed[i];
	qsort(known, nknown, sizeof(int64), compare_bigints);
	for (int i = 0; i < nwaiting; i++)
		if (bsearch(&waiting[i], known, nknown, sizeof(int64), compare_bigints) == NULL)
			waiting[n++] = waiting[i];
	ids = fixed_array(INT8OID, sizeof(*ids), n, &others);
	memcpy(ids, waiting, sizeof(*ids) * n);
	reader->most = -1;
	if (n > 0)
		spi_plan_each(&statement, read_only, read_queue_row, reader, TEXT_VALUE(pool), others,
					  VALUE(BoolGetDatum(read_only)),
					  VALUE(Float8GetDatum(snapshot->settings.ageing)));
}

/* The head of the queue without some profiles, but for some rows: all are rows p. */
#define HEAD_SQL(order) \
	"(SELECT * FROM (SELECT p.ctid, p.* FROM hwsched.pending p WHERE p.pool = $1" \
	"   AND p.profile_id <> ALL ($4) AND " MAY_BE_PLACED( \
		"$3") "   ORDER BY " order ", p.deadline, p.queue_no LIMIT $2) h" \
			  " UNION ALL SELECT p.ctid, p.* FROM hwsched.pending p WHERE p.pool = $1" \
			  "  AND p.ctid = ANY ($5)) p"

/*
 * Reads what may be placed of the queue without the profiles that the horizon passes over, but
 * for the rows that it keeps.
 */
static void
read_further(QueueReader *reader, const char *pool, const Horizon *horizon, Parameter most,
			 bool read_only)
{
	static SpiPlan statement = {
		QUEUE_SQL(HEAD_SQL("p.priority"), "p.priority") " ORDER BY p.priority, p.deadline,"
														" p.queue_no",
		{TEXTOID, INT8OID, BOOLOID, INT8ARRAYOID, TIDARRAYOID},
		ALONG_INDEX,
		&pending_row};
	static SpiPlan aged = {
		QUEUE_SQL(HEAD_SQL(AGED_PRIORITY("$6")),
				  AGED_PRIORITY("$6")) " ORDER BY aged.priority, p.deadline, p.queue_no",
		{TEXTOID, INT8OID, BOOLOID, INT8ARRAYOID, TIDARRAYOID, FLOAT8OID},
		.row = &pending_row};
	double ageing = reader->snapshot->settings.ageing;
	Parameter passed;
	Parameter kept;
	int64 *ids = fixed_array(INT8OID, sizeof(*ids), horizon->npassed, &passed);
	ItemPointerData *tids = fixed_array(TIDOID, sizeof(*tids), horizon->nkept, &kept);

	memcpy(ids, horizon->passed, sizeof(*ids) * horizon->npassed);
	memcpy(tids, horizon->kept, sizeof(*tids) * horizon->nkept);
	if (ageing > 0)
		spi_plan_each(&aged, read_only, read_queue_row, reader, TEXT_VALUE(pool), most,
					  VALUE(BoolGetDatum(read_only)), passed, kept, VALUE(Float8GetDatum(ageing)));
	else
		spi_plan_each(&statement, read_only, read_queue_row, reader, TEXT_VALUE(pool), most,
					  VALUE(BoolGetDatum(read_only)), passed, kept);
}

/*
 * Reads what may be placed of the queue, as far as the horizon goes.  Under the pool's lock all
 * is settled; who only reads takes into account what is not.
 */
void
snapshot_queue(PoolSnapshot *snapshot, const char *pool, Horizon *horizon, bool read_only)
{
	static SpiPlan statement = {
		QUEUE_SQL("hwsched.pending p", "p.priority") " WHERE p.pool = $1 AND " MAY_BE_PLACED(
			"$3") " ORDER BY p.priority, p.deadline, p.queue_no LIMIT $2",
		{TEXTOID, INT8OID, BOOLOID},
		ALONG_INDEX,
		&pending_row};
	static SpiPlan aged = {
		QUEUE_SQL("hwsched.pending p",
				  AGED_PRIORITY("$4")) " WHERE p.pool = $1 AND " MAY_BE_PLACED("$3") IN_AGED_ORDER,
		{TEXTOID, INT8OID, BOOLOID, FLOAT8OID},
		.row = &pending_row};
	QueueReader reader =
		begin_queue(snapshot, pool, NULL, horizon->limit + horizon->nkept, read_only);
	Parameter most = most_rows(snapshot, horizon->limit);
	double ageing = snapshot->settings.ageing;

	if (horizon->npassed > 0)
		read_further(&reader, pool, horizon, most, read_only);
	else if (ageing > 0)
		spi_plan_each(&aged, read_only, read_queue_row, &reader, TEXT_VALUE(pool), most,
					  VALUE(BoolGetDatum(read_only)), VALUE(Float8GetDatum(ageing)));
	else
		spi_plan_each(&statement, read_only, read_queue_row, &reader, TEXT_VALUE(pool), most,
					  VALUE(BoolGetDatum(read_only)));
	horizon->nseen = snapshot->nitems;
	horizon->cut = snapshot->nitems == horizon->limit + horizon->nkept;
	if (horizon->cut && horizon->may_pass && snapshot->nitems > 0)
		read_first_of_others(&reader, pool, horizon, read_only);
	end_queue(snapshot, pool, read_only);
}

/* Returns whether more than so many rows of the queue are of some profiles. */
static bool
more_than(const char *pool, Parameter profiles, int64 most, bool read_only)
{
	static SpiPlan statement = {
		"SELECT FROM hwsched.pending WHERE pool = $1 AND profile_id = ANY ($2) LIMIT $3",
		{TEXTOID, INT8ARRAYOID, INT8OID}};

	return spi_plan_run(&statement, read_only, TEXT_VALUE(pool), profiles, BIGINT_VALUE(most + 1)) >
		   most;
}

/*
 * Reads what may be placed of the queue's work of some profiles, or the first
 * limit rows of that (limit < 0: all).  What is of other profiles costs nothing,
 * unless there are more rows than the limit: then it is walked past.
 */
void
snapshot_queue_of(PoolSnapshot *snapshot, const char *pool, const int64 *profile_ids, int count,
				  int64 limit, bool read_only)
{
	static SpiPlan few = {QUEUE_SQL("(SELECT ctid, * FROM hwsched.pending"
									" WHERE pool = $1 AND profile_id = ANY ($4) OFFSET 0) p",
									AGED_PRIORITY("$5")) " WHERE " MAY_BE_PLACED("$3")
							  IN_AGED_ORDER,
						  {TEXTOID, INT8OID, BOOLOID, INT8ARRAYOID, FLOAT8OID},
						  .row = &pending_row};
	static SpiPlan many = {QUEUE_SQL("hwsched.pending p", "p.priority") " WHERE " MAY_BE_PLACED(
							   "$3") " AND p.pool = $1 AND p.profile_id = ANY ($4)"
									 " ORDER BY p.priority, p.deadline, p.queue_no LIMIT $2",
						   {TEXTOID, INT8OID, BOOLOID, INT8ARRAYOID},
						   ALONG_INDEX,
						   &pending_row};
	QueueReader reader = begin_queue(snapshot, pool, NULL, limit, read_only);
	Parameter profiles;
	Parameter most = most_rows(snapshot, limit);
	double ageing = snapshot->settings.ageing;
	int64 *ids = fixed_array(INT8OID, sizeof(*ids), count, &profiles);

	memcpy(ids, profile_ids, sizeof(*ids) * count);
	if (ageing == 0 && limit >= 0 && more_than(pool, profiles, limit, read_only))
		spi_plan_each(&many, read_only, read_queue_row, &reader, TEXT_VALUE(pool), most,
					  VALUE(BoolGetDatum(read_only)), profiles);
	else
		spi_plan_each(&few, read_only, read_queue_row, &reader, TEXT_VALUE(pool), most,
					  VALUE(BoolGetDatum(read_only)), profiles, VALUE(Float8GetDatum(ageing)));
	end_queue(snapshot, pool, read_only);
}

/*
 * Returns how many profiles the work of the queue is of, and sets *profile_ids:
 * one look into an index for each, however much work there is.
 */
int
queue_profiles(const char *pool, bool read_only, int64 **profile_ids)
{
	static SpiPlan statement = {
		"WITH RECURSIVE k AS ((SELECT profile_id FROM hwsched.pending WHERE pool = $1"
		"   ORDER BY profile_id LIMIT 1)"
		"  UNION ALL SELECT (SELECT p.profile_id FROM hwsched.pending p WHERE p.pool = $1"
		"    AND p.profile_id > k.profile_id ORDER BY p.profile_id LIMIT 1)"
		"  FROM k WHERE k.profile_id IS NOT NULL)"
		" SELECT profile_id FROM k WHERE profile_id IS NOT NULL",
		{TEXTOID},
		ALONG_INDEX};
	int n = (int) spi_plan_run(&statement, read_only, TEXT_VALUE(pool));

	*profile_ids = palloc(sizeof(int64) * (n + 1));
	for (int i = 0; i < n; i++)
		(*profile_ids)[i] = column_bigint(i, 1);
	return n;
}

/*
 * Reads one workload of the queue; returns false if it is not pending, or may
 * not be placed yet.  The pool is locked.
 */
bool
snapshot_queued(PoolSnapshot *snapshot, const char *pool, const char *workload_id, bool read_only)
{
	static SpiPlan statement = {
		QUEUE_SQL(
			"hwsched.submission s JOIN hwsched.pending p ON p.pool = s.pool"
			" AND p.priority = s.priority AND p.deadline = s.deadline"
			" AND p.queue_no = s.queue_no",
			AGED_PRIORITY(
				"$3")) " WHERE s.pool = $1 AND s.workload_id = $2 AND " MAY_BE_PLACED("false"),
		{TEXTOID, TEXTOID, FLOAT8OID},
		.row = &pending_row};
	QueueReader reader = begin_queue(snapshot, pool, workload_id, -1, read_only);

	spi_plan_each(&statement, read_only, read_queue_row, &reader, TEXT_VALUE(pool),
				  TEXT_VALUE(workload_id), VALUE(Float8GetDatum(snapshot->settings.ageing)));
	if (snapshot->nitems == 0)
		return false;
	end_queue(snapshot, pool, read_only);
	return true;
}

/*
 * Takes one workload as the whole queue, pending or not, whatever keys it waits for; raises
 * ERRCODE_NO_DATA_FOUND if there is none of that name.
 */
void
snapshot_submitted(PoolSnapshot *snapshot, const char *pool, const char *workload_id,
				   bool read_only)
{
	static SpiPlan statement = {
		QUEUE_SQL(
			"(SELECT coalesce(q.ctid, s.ctid) AS ctid, s.queue_no, s.profile_id, s.priority,"
			" s.deadline, s.run, coalesce(q.attempt, 0) AS attempt,"
			" s.workload_id, NULL::text[] AS concurrency_keys, NULL::int[] AS concurrency_units,"
			" q.avoid_workers, s.expected_seconds, coalesce(q.alone, false) AS alone,"
			" s.model_id, s.model_family, s.expires_at, s.timeout_seconds,"
			" s.start_timeout_seconds, s.submitted_at, q.retry_profile_id"
			" FROM hwsched.submission s LEFT JOIN hwsched.pending q ON q.pool = s.pool"
			" AND q.priority = s.priority AND q.deadline = s.deadline AND q.queue_no = s.queue_no"
			" WHERE s.pool = $1 AND s.workload_id = $2) p",
			AGED_PRIORITY("$3")),
		{TEXTOID, TEXTOID, FLOAT8OID},
		.row = &pending_row};
	QueueReader reader = begin_queue(snapshot, pool, workload_id, -1, read_only);

	if (spi_plan_each(&statement, read_only, read_queue_row, &reader, TEXT_VALUE(pool),
					  TEXT_VALUE(workload_id),
					  VALUE(Float8GetDatum(snapshot->settings.ageing))) == 0)
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						errmsg("unknown workload \"%s\" in pool \"%s\"", workload_id, pool)));
	end_queue(snapshot, pool, read_only);
}

/* Takes some workload profiles as the kinds of work, without a queue. */
void
snapshot_profiles(PoolSnapshot *snapshot, const char *pool, const int64 *profile_ids, int count,
				  bool read_only)
{
	HTAB *kinds = begin_kinds(&snapshot->search);

	for (int i = 0; i < count; i++)
	{
		KindKey key = kind_key(snapshot->policies.uses, profile_ids[i], 0, NAN, -1, -1);

		(void) kind_number(&snapshot->search, kinds, &key);
	}
	read_kinds(snapshot, pool, read_only);
}
