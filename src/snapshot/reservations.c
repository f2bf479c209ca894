/*
 * reservations.c
 *		What is reserved for work that waits, and what runs until then.
 *
 * A batch decides anew what is reserved, keeps what it promised, and writes it down; whoever else
 * places work reads that, and what has ended since is not there any more.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "place/booking.h"
#include "place/fleet.h"
#include "place/reservation.h"
#include "snapshot/forecast_reader.h"
#include "snapshot/keys.h"
#include "snapshot/reservations.h"
#include "store/assignment.h"
#include "support/columns.h"
#include "support/strtab.h"

/* Times are written down to the millisecond, and compared with this much room. */
#define SECONDS_ALIKE "0.01"

/* The reservations r that hold: those whose work p waits where it did. */
#define RESERVED_FROM \
	" FROM hwsched.reserved_place r" \
	" JOIN hwsched.pending p ON p.pool = r.pool AND p.priority = r.priority" \
	" AND p.deadline = r.deadline AND p.queue_no = r.queue_no" \
	" WHERE r.pool = $1 AND " MAY_BE_PLACED("false")

/* Returns whether anything is reserved for work that waits. */
bool
has_reservations(const char *pool, bool read_only)
{
	static SpiPlan statement = {"SELECT" RESERVED_FROM " LIMIT 1", {TEXTOID}, BY_KEY_ONLY};

	return spi_plan_run(&statement, read_only, TEXT_VALUE(pool)) > 0;
}

/* Returns whether a place on a worker is, or was, reserved. */
bool
is_reserved(const char *pool, const char *worker_id)
{
	static SpiPlan statement = {
		"SELECT FROM hwsched.reserved_place WHERE pool = $1 AND worker_id = $2",
		{TEXTOID, TEXTOID}};

	return spi_plan_run(&statement, true, TEXT_VALUE(pool), TEXT_VALUE(worker_id)) > 0;
}

/* --- what runs --- */

/* A live assignment as it is read. */
typedef struct LiveRow
{
	Running running;
	const char *worker_id;
	Datum device_nos; /* an int[] */
	const char *workload_type;
	const char *model_id; /* NULL: none */
	const char *model_family;
	TimestampTz began; /* or was to begin */
	double formula_seconds;
	double p90_seconds; /* as it was predicted when it was placed */
	double timeout_seconds;
} LiveRow;

static const Column live_columns[] = {
	{"a.assignment_id", INT8OID, offsetof(LiveRow, running.assignment_id)},
	{"p.cpu_millicores", INT8OID, offsetof(LiveRow, running.cpu_millicores)},
	{"p.host_memory_bytes", INT8OID, offsetof(LiveRow, running.host_memory_bytes)},
	{"p.device_slots", INT4OID, offsetof(LiveRow, running.slots)},
	{"p.device_share", INT4OID, offsetof(LiveRow, running.share)},
	{"p.device_memory_bytes", INT8OID, offsetof(LiveRow, running.device_memory_bytes)},
	{"a.worker_id", CSTRINGOID, offsetof(LiveRow, worker_id)},
	{"a.device_nos", INT4ARRAYOID, offsetof(LiveRow, device_nos)},
	{"p.workload_type", CSTRINGOID, offsetof(LiveRow, workload_type)},
	{"a.model_id", CSTRINGOID, offsetof(LiveRow, model_id)},
	{"a.model_family", CSTRINGOID, offsetof(LiveRow, model_family)},
	{"coalesce(a.started_at, a.assigned_at)", TIMESTAMPTZOID, offsetof(LiveRow, began)},
	{"coalesce(a.formula_seconds, a.predicted_seconds)", FLOAT8OID,
	 offsetof(LiveRow, formula_seconds)},
	{"coalesce(a.p90_seconds, a.predicted_seconds)", FLOAT8OID, offsetof(LiveRow, p90_seconds)},
	{"a.timeout_seconds", FLOAT8OID, offsetof(LiveRow, timeout_seconds)},
};

static const RowType live_row = ROW_TYPE(LiveRow, live_columns);

#define LIVE_SQL \
	"SELECT " ROW_COLUMNS " FROM hwsched.assignment a" \
	" JOIN hwsched.workload_profile p ON p.pool = a.pool AND p.profile_id = a.profile_id" \
	" WHERE a.pool = $1 AND a.finished_at IS NULL"

/* What is known of a live assignment until all have been read. */
typedef struct Live
{
	int subject; /* in LiveReader.subjects */
	double began; /* in seconds from now */
	double formula_seconds;
	double p90_seconds;
	double timeout_seconds;
} Live;

/* Live assignments while they are read. */
typedef struct LiveReader
{
	const PoolSnapshot *snapshot;
	int count;
	int allocated;
	Running *running;
	Live *live; /* as running */
	PoolSnapshot subjects; /* of durations: its items; unused if nothing is learned */
	int subjects_allocated;
	HTAB *numbers; /* of subjects, by their text */
} LiveReader;

/* Adds a model to those of the subjects; returns its number, -1 for none. */
static int
add_model(PoolSnapshot *subjects, const char *name, bool is_family)
{
	if (name == NULL)
		return -1;
	subjects->models[subjects->nmodels] = (Model){pstrdup(name), is_family};
	return subjects->nmodels++;
}

/* Returns the number of what a live assignment is, as far as durations go. */
static int
live_subject(LiveReader *reader, const LiveRow *row)
{
	PoolSnapshot *subjects = &reader->subjects;
	const char *text =
		psprintf("%s\x1f%s\x1f%s", row->workload_type, row->model_id ? row->model_id : "",
				 row->model_family ? row->model_family : "");
	int n = subjects->nitems;
	bool found;
	StrtabEntry *entry = strtab_enter(reader->numbers, text, strlen(text), &found);

	if (found)
		return entry->number;
	entry->number = n;
	if (n == reader->subjects_allocated)
	{
		int most = reader->subjects_allocated *= 2;

		subjects->search.kinds = repalloc_huge(subjects->search.kinds, sizeof(WorkKind) * most);
		subjects->items = repalloc_huge(subjects->items, sizeof(QueueItem) * most);
		subjects->rows = repalloc_huge(subjects->rows, sizeof(QueueRow) * most);
		subjects->models = repalloc_huge(subjects->models, sizeof(Model) * 2 * most);
	}
	memset(&subjects->search.kinds[n], 0, sizeof(WorkKind));
	memset(&subjects->items[n], 0, sizeof(QueueItem));
	memset(&subjects->rows[n], 0, sizeof(QueueRow));
	subjects->search.kinds[n].profile.workload_type = pstrdup(row->workload_type);
	subjects->search.kinds[n].policy = reader->snapshot->search.kinds[0].policy;
	subjects->search.kinds[n].model = subjects->search.kinds[n].family = -1;
	subjects->items[n].kind = n;
	subjects->rows[n].model = add_model(subjects, row->model_id, false);
	subjects->rows[n].family = add_model(subjects, row->model_family, true);
	subjects->search.nkinds = ++subjects->nitems;
	return n;
}

/* Finds the devices of a worker by their numbers; returns how many there still are. */
static int
find_devices(const Fleet *fleet, int worker_index, const int32 *device_nos, int count,
			 int32 *devices)
{
	const Worker *worker = &fleet->workers[worker_index];
	int n = 0;

	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		for (int k = 0; k < count; k++)
			if (fleet->devices[d].device_no == device_nos[k])
				devices[n++] = d;
	return n;
}

static LiveReader
begin_live(const PoolSnapshot *snapshot)
{
	LiveReader reader = {snapshot, .allocated = 64, .subjects_allocated = 16};
	PoolSnapshot *subjects = &reader.subjects;

	reader.running = palloc(sizeof(Running) * reader.allocated);
	reader.live = palloc(sizeof(Live) * reader.allocated);
	if (snapshot->search.forecast == NULL)
		return reader;
	reader.numbers = strtab_create("hwsched live subjects");
	subjects->settings = snapshot->settings;
	subjects->fleet = snapshot->fleet;
	subjects->device_profile_ids = snapshot->device_profile_ids;
	subjects->search.kinds = palloc(sizeof(WorkKind) * reader.subjects_allocated);
	subjects->items = palloc(sizeof(QueueItem) * reader.subjects_allocated);
	subjects->rows = palloc(sizeof(QueueRow) * reader.subjects_allocated);
	subjects->models = palloc(sizeof(Model) * 2 * reader.subjects_allocated);
	return reader;
}

/* Adds a live assignment, if its worker is one of the fleet. */
static bool
read_live_row(void *argument, const Row *row)
{
	LiveReader *reader = argument;
	const Fleet *fleet = &reader->snapshot->fleet;
	LiveRow read = {0};
	Running *running = &read.running;
	ArrayType *device_nos;
	int32 *devices;
	int count;

	read_row(&live_row, row, &read);
	running->worker = fleet_worker(fleet, read.worker_id);
	if (running->worker < 0)
		return true;
	device_nos = DatumGetArrayTypeP(read.device_nos);
	count = ARR_DIMS(device_nos)[0];
	devices = palloc(sizeof(int32) * (count + 1));
	running->devices = devices;
	running->ndevices =
		find_devices(fleet, running->worker, (int32 *) ARR_DATA_PTR(device_nos), count, devices);
	if (reader->count == reader->allocated)
	{
		reader->allocated *= 2;
		reader->running = repalloc_huge(reader->running, sizeof(Running) * reader->allocated);
		reader->live = repalloc_huge(reader->live, sizeof(Live) * reader->allocated);
	}
	reader->live[reader->count] =
		(Live){reader->numbers == NULL ? -1 : live_subject(reader, &read),
			   (read.began - GetCurrentTransactionStartTimestamp()) / (double) USECS_PER_SEC,
			   read.formula_seconds, read.p90_seconds, read.timeout_seconds};
	reader->running[reader->count++] = *running;
	return true;
}

/*
 * Ends reading: says when each ends, by what is known by now of how long such work
 * takes, not by what was when it was placed.  Returns their number and sets *running.
 */
static int
end_live(LiveReader *reader, const char *pool, bool read_only, Running **running)
{
	PoolSnapshot *subjects = &reader->subjects;
	Forecast *forecast = NULL;

	if (subjects->nitems > 0)
	{
		load_forecast(subjects, pool, read_only);
		forecast = subjects->search.forecast;
	}
	for (int i = 0; i < reader->count; i++)
	{
		const Live *live = &reader->live[i];
		double p90 = live->p90_seconds;

		if (forecast != NULL && reader->running[i].ndevices > 0)
		{
			int subject = subjects->items[live->subject].subject;
			int device = reader->running[i].devices[0];
			int profile = subjects->fleet.devices[device].profile;

			p90 = live->formula_seconds * forecast_factor(forecast, subject, profile, device) *
				  forecast_spread(forecast, subject, profile);
		}
		reader->running[i].ends_in = live->began + Min(p90, live->timeout_seconds);
	}
	*running = reader->running;
	return reader->count;
}

/* What a search that is to reserve places reads when it has to. */
typedef struct RunningReader
{
	const PoolSnapshot *snapshot;
	const char *pool;
	bool read_only;
} RunningReader;

/* Returns the ids of the workers of whom it is to be known what runs there. */
static Parameter
told_workers(const Search *search)
{
	const Fleet *fleet = search->fleet;
	const char **ids = palloc_huge(sizeof(char *) * (fleet->nworkers + 1));
	int n = 0;

	for (int w = 0; w < fleet->nworkers; w++)
		if (search->told[w])
			ids[n++] = fleet->workers[w].worker_id;
	return text_array(ids, n);
}

static void
read_running(Search *search)
{
	static SpiPlan all = {LIVE_SQL, {TEXTOID}, IN_SETS, &live_row};
	static SpiPlan some = {
		LIVE_SQL " AND a.worker_id = ANY ($2)", {TEXTOID, TEXTARRAYOID}, BY_KEY, &live_row};
	const RunningReader *context = search->running_context;
	LiveReader reader = begin_live(context->snapshot);

	if (search->told == NULL)
		spi_plan_each(&all, context->read_only, read_live_row, &reader, TEXT_VALUE(context->pool));
	else
		spi_plan_each(&some, context->read_only, read_live_row, &reader, TEXT_VALUE(context->pool),
					  told_workers(search));
	search->nrunning = end_live(&reader, context->pool, context->read_only, &search->running);
}

/* Reads what runs into the search. */
void
load_running(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	RunningReader reader = {snapshot, pool, read_only};
	Search *search = &snapshot->search;

	search->running_context = &reader;
	search->told = NULL;
	read_running(search);
	search->running_context = NULL;
}

/* --- reading --- */

/* Returns whether an item stands behind a place in the queue. */
static bool
stands_behind(const QueueItem *item, const QueueRow *row, int32 priority, TimestampTz deadline,
			  int64 queue_no)
{
	if (item->priority != priority)
		return item->priority > priority;
	if (row->deadline != deadline)
		return row->deadline > deadline;
	return row->queue_no > queue_no;
}

/* A row of what is reserved. */
typedef struct ReservedRow
{
	int16 priority; /* with ageing */
	TimestampTz deadline;
	int64 queue_no;
	Datum concurrency_keys; /* a text[]; 0: none */
	Datum concurrency_units; /* as int[] */
	bool alone;
	double starts_in; /* NAN: nobody knows */
	double backfill_in;
	const char *workload_id;
	const char *worker_id;
	Datum devices; /* an int[] of device numbers */
	int ndevices;
	const int32 *device_nos;
	Running wanted;
} ReservedRow;

static const Column reserved_columns[] = {
	{AGED_PRIORITY("$2") " AS now_priority", INT2OID, offsetof(ReservedRow, priority)},
	{"r.deadline", TIMESTAMPTZOID, offsetof(ReservedRow, deadline)},
	{"r.queue_no", INT8OID, offsetof(ReservedRow, queue_no)},
	{"p.concurrency_keys", TEXTARRAYOID, offsetof(ReservedRow, concurrency_keys)},
	{"p.concurrency_units", INT4ARRAYOID, offsetof(ReservedRow, concurrency_units)},
	{"p.alone", BOOLOID, offsetof(ReservedRow, alone)},
	{"extract(epoch FROM r.starts_at - now())::float8", FLOAT8OID,
	 offsetof(ReservedRow, starts_in)},
	{"extract(epoch FROM r.backfill_until - now())::float8", FLOAT8OID,
	 offsetof(ReservedRow, backfill_in)},
	{"r.workload_id", CSTRINGOID, offsetof(ReservedRow, workload_id)},
	{"r.worker_id", CSTRINGOID, offsetof(ReservedRow, worker_id)},
	{"r.device_nos", INT4ARRAYOID, offsetof(ReservedRow, devices)},
	{"k.cpu_millicores", INT8OID, offsetof(ReservedRow, wanted.cpu_millicores)},
	{"k.host_memory_bytes", INT8OID, offsetof(ReservedRow, wanted.host_memory_bytes)},
	{"k.device_slots", INT4OID, offsetof(ReservedRow, wanted.slots)},
	{"k.device_share", INT4OID, offsetof(ReservedRow, wanted.share)},
	{"k.device_memory_bytes", INT8OID, offsetof(ReservedRow, wanted.device_memory_bytes)},
};

static const RowType reserved_row = ROW_TYPE(ReservedRow, reserved_columns);

/* What is reserved, in the order of the queue. */
#define RESERVED_SQL \
	"SELECT " ROW_COLUMNS " FROM hwsched.reserved_place r" \
	" JOIN hwsched.pending p ON p.pool = r.pool AND p.priority = r.priority" \
	" AND p.deadline = r.deadline AND p.queue_no = r.queue_no" \
	" JOIN hwsched.workload_profile k ON k.pool = r.pool AND k.profile_id = r.profile_id" \
	" WHERE r.pool = $1 AND " MAY_BE_PLACED( \
		"false") " ORDER BY now_priority, r.deadline, r.queue_no, r.shard_no"

/* Reads what is reserved in a pool; returns the number of rows and sets *rows. */
static int
read_reserved(const PoolSnapshot *snapshot, const char *pool, bool read_only, ReservedRow **rows)
{
	static SpiPlan statement = {RESERVED_SQL, {TEXTOID, FLOAT8OID}, BY_KEY_ONLY, &reserved_row};
	int n = (int) spi_plan_run(&statement, read_only, TEXT_VALUE(pool),
							   VALUE(Float8GetDatum(snapshot->settings.ageing)));

	*rows = read_rows(&reserved_row, n);
	for (int i = 0; i < n; i++)
	{
		ArrayType *array = DatumGetArrayTypeP((*rows)[i].devices);

		(*rows)[i].ndevices = ARR_DIMS(array)[0];
		(*rows)[i].device_nos = (int32 *) ARR_DATA_PTR(array);
	}
	return n;
}

/* Returns the item at a place in the queue, or -1. */
static int
item_at(const PoolSnapshot *snapshot, const ReservedRow *row)
{
	for (int i = 0; i < snapshot->nitems; i++)
		if (snapshot->rows[i].queue_no == row->queue_no &&
			snapshot->rows[i].deadline == row->deadline)
			return i;
	return -1;
}

/* Finds where a reservation stands in the queue: who it is for, and who may not use it. */
static void
find_place_in_queue(const PoolSnapshot *snapshot, const ReservedRow *row, Reservation *reservation)
{
	int behind = 0;

	while (behind < snapshot->nitems &&
		   !stands_behind(&snapshot->items[behind], &snapshot->rows[behind], row->priority,
						  row->deadline, row->queue_no))
		behind++;
	reservation->from = behind;
	reservation->item = item_at(snapshot, row);
}

/* Tells the reservations what ends on their workers before they start. */
static void
load_ends(PoolSnapshot *snapshot, const char *pool, const ReservedRow *rows, int count,
		  bool read_only)
{
	static SpiPlan statement = {
		LIVE_SQL " AND a.worker_id = ANY ($2)", {TEXTOID, TEXTARRAYOID}, .row = &live_row};
	Search *search = &snapshot->search;
	const char **workers = palloc(sizeof(char *) * (count + 1));
	LiveReader reader;
	Running *running;
	int n = 0;

	for (int i = 0; i < count; i++)
		if (fleet_worker(&snapshot->fleet, rows[i].worker_id) >= 0)
			workers[n++] = rows[i].worker_id;
	if (n == 0)
		return;
	reader = begin_live(snapshot);
	spi_plan_each(&statement, read_only, read_live_row, &reader, TEXT_VALUE(pool),
				  text_array(workers, n));
	n = end_live(&reader, pool, read_only, &running);
	for (int r = 0; r < search->nreservations; r++)
	{
		Reservation *reservation = &search->reservations[r];
		double latest = 0;

		for (int i = 0; i < n; i++)
			if (running[i].ends_in <= reservation->starts_in + atof(SECONDS_ALIKE) &&
				reservation_ends(&snapshot->fleet, reservation, &running[i]))
				latest = Max(latest, running[i].ends_in);
		/* what was learned since may let it start earlier */
		reservation->backfill_in = Min(reservation->backfill_in, latest);
	}
}

/*
 * Reads what is reserved for work that waits, so that nothing that stands behind gets it.
 */
void
load_reservations(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	Search *search = &snapshot->search;
	KeyDemand keys = {0, NULL};
	ReservedRow *rows;
	int n = read_reserved(snapshot, pool, read_only, &rows);

	if (n == 0)
		return;
	search->reservations = palloc0(sizeof(Reservation) * n);
	search->reservations_allocated = n;
	for (int i = 0; i < n; i++)
	{
		ReservedRow *row = &rows[i];
		int worker = fleet_worker(&snapshot->fleet, row->worker_id);
		Reservation *reservation;
		int32 *devices = palloc(sizeof(int32) * (row->ndevices + 1));
		bool first = i == 0 || rows[i - 1].queue_no != row->queue_no;

		if (first)
			keys = row->concurrency_keys == (Datum) 0 ?
					   (KeyDemand){0, NULL} :
					   key_demand_now(snapshot, pool, row->concurrency_keys, row->concurrency_units,
									  read_only);
		/* who waits for its keys could not use its place */
		if (!keys_have_room(search->key_rooms, &keys))
			continue;
		if (first)
		{
			reservation = &search->reservations[search->nreservations++];
			reservation->workload_id = row->workload_id;
			reservation->alone = row->alone;
			reservation->starts_in = isnan(row->starts_in) ? INFINITY : row->starts_in;
			reservation->backfill_in = row->backfill_in;
			reservation->members = palloc(sizeof(Running) * n);
			reservation->places = palloc(sizeof(ReservedPlace) * n);
			reservation->keys = keys;
			find_place_in_queue(snapshot, row, reservation);
		}
		if (worker < 0)
			continue;
		reservation = &search->reservations[search->nreservations - 1];
		row->wanted.worker = worker;
		row->wanted.devices = devices;
		row->wanted.ndevices =
			find_devices(&snapshot->fleet, worker, row->device_nos, row->ndevices, devices);
		reservation_add_member(&snapshot->fleet, reservation, &row->wanted);
		snapshot->fleet.workers[worker].reserved = true;
	}
	load_ends(snapshot, pool, rows, n, read_only);
}

/*
 * Lets the decision on a snapshot reserve places for the first work that has to wait, as the
 * pool's settings say; what was promised before counts.
 */
void
prepare_reservations(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	Search *search = &snapshot->search;
	RunningReader *reader = palloc(sizeof(RunningReader));
	ReservedRow *rows;
	int n = read_reserved(snapshot, pool, read_only, &rows);
	Promise *promises = palloc0(sizeof(Promise) * (n + 1));

	*reader = (RunningReader){snapshot, pool, read_only};
	search->reserves = true;
	search->most_reservations = snapshot->settings.reservations;
	search->read_running = read_running;
	search->running_context = reader;
	search->promises = promises;
	for (int i = 0; i < n; i++)
	{
		int worker = fleet_worker(&snapshot->fleet, rows[i].worker_id);
		Promise *promise = &promises[search->npromises - 1];

		if (i == 0 || rows[i - 1].queue_no != rows[i].queue_no)
		{
			int item = item_at(snapshot, &rows[i]);

			promise = &promises[search->npromises++];
			*promise = (Promise){item, rows[i].backfill_in, 0, palloc(sizeof(int32) * n)};
		}
		if (worker >= 0)
			((int32 *) promise->workers)[promise->nworkers++] = worker;
	}
}

/* --- writing --- */

/* Writes one reservation down, unless it stands there already. */
static void
write_reservation(const PoolSnapshot *snapshot, const char *pool, const Reservation *reservation)
{
	static SpiPlan clear = {
		"DELETE FROM hwsched.reserved_place WHERE pool = $1 AND workload_id = $2"
		" AND shard_no >= $3",
		{TEXTOID, TEXTOID, INT4OID}};
	static SpiPlan write = {
		"INSERT INTO hwsched.reserved_place AS r (pool, workload_id, shard_no, priority, deadline,"
		" queue_no, profile_id, worker_id, device_nos, starts_at, backfill_until)"
		" SELECT $1, $2, m.shard_no - 1, $3, $4, $5, $6, m.worker_id, m.device_nos::int[],"
		"  date_trunc('milliseconds', now() + make_interval(secs => $7)),"
		"  date_trunc('milliseconds', now() + make_interval(secs => $8))"
		" FROM unnest($9, $10) WITH ORDINALITY m(worker_id, device_nos, shard_no)"
		" ON CONFLICT (pool, workload_id, shard_no) DO UPDATE SET priority = EXCLUDED.priority,"
		"  deadline = EXCLUDED.deadline, queue_no = EXCLUDED.queue_no,"
		"  profile_id = EXCLUDED.profile_id, worker_id = EXCLUDED.worker_id,"
		"  device_nos = EXCLUDED.device_nos, starts_at = EXCLUDED.starts_at,"
		"  backfill_until = EXCLUDED.backfill_until,"
		"  reserved_at = CASE WHEN r.queue_no = EXCLUDED.queue_no THEN r.reserved_at"
		" ELSE now() END"
		" WHERE (r.priority, r.deadline, r.queue_no, r.profile_id, r.worker_id, r.device_nos)"
		"  IS DISTINCT FROM (EXCLUDED.priority, EXCLUDED.deadline, EXCLUDED.queue_no,"
		"  EXCLUDED.profile_id, EXCLUDED.worker_id, EXCLUDED.device_nos)"
		"  OR coalesce(abs(extract(epoch FROM r.starts_at - EXCLUDED.starts_at)),"
		"   num_nonnulls(r.starts_at, EXCLUDED.starts_at)) > " SECONDS_ALIKE
		"  OR abs(extract(epoch FROM r.backfill_until - EXCLUDED.backfill_until)) > " SECONDS_ALIKE,
		{TEXTOID, TEXTOID, INT4OID, TIMESTAMPTZOID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID,
		 TEXTARRAYOID, TEXTARRAYOID}};
	const Fleet *fleet = &snapshot->fleet;
	const QueueRow *row = &snapshot->rows[reservation->item];
	int n = reservation->nmembers;
	const char **workers = palloc(sizeof(char *) * (n + 1));
	const char **devices = palloc(sizeof(char *) * (n + 1));

	for (int m = 0; m < n; m++)
	{
		const Running *member = &reservation->members[m];
		StringInfoData text;

		initStringInfo(&text);
		for (int d = 0; d < member->ndevices; d++)
			appendStringInfo(&text, "%c%d", d == 0 ? '{' : ',',
							 fleet->devices[member->devices[d]].device_no);
		appendStringInfoChar(&text, '}');
		workers[m] = fleet->workers[member->worker].worker_id;
		devices[m] = text.data;
	}
	spi_plan_run(&clear, false, TEXT_VALUE(pool), VALUE(row->workload_id), INT_VALUE(n));
	spi_plan_run(
		&write, false, TEXT_VALUE(pool), VALUE(row->workload_id), INT_VALUE(row->priority),
		VALUE(TimestampTzGetDatum(row->deadline)), BIGINT_VALUE(row->queue_no),
		BIGINT_VALUE(snapshot->search.kinds[snapshot->items[reservation->item].kind].profile_id),
		isinf(reservation->starts_in) ? NULL_VALUE : VALUE(Float8GetDatum(reservation->starts_in)),
		VALUE(Float8GetDatum(reservation->backfill_in)), text_array(workers, n),
		text_array(devices, n));
}

/*
 * Writes down what the batch has reserved, in place of what was reserved before.  A batch of the
 * head of the queue only leaves what is reserved for who stands further back.
 */
void
write_reservations(const PoolSnapshot *snapshot, const char *pool, const Horizon *horizon)
{
	static SpiPlan clear = {
		"DELETE FROM hwsched.reserved_place r WHERE r.pool = $1 AND r.workload_id <> ALL ($7)"
		" AND ($2 OR NOT EXISTS (SELECT FROM hwsched.pending p"
		"  WHERE p.pool = r.pool AND p.priority = r.priority AND p.deadline = r.deadline"
		" AND p.queue_no = r.queue_no"
		"   AND (" AGED_PRIORITY("$6") ", p.deadline, p.queue_no) > ($3, $4, $5)))",
		{TEXTOID, BOOLOID, INT4OID, TIMESTAMPTZOID, INT8OID, FLOAT8OID, TEXTARRAYOID}};
	const Search *search = &snapshot->search;
	int last = horizon_last(horizon, snapshot);
	const char **workloads = palloc(sizeof(char *) * (search->nreservations + 1));
	int n = 0;

	for (int r = 0; r < search->nreservations; r++)
	{
		const Reservation *reservation = &search->reservations[r];

		if (snapshot->items[reservation->item].nplacements == 0)
			workloads[n++] = TextDatumGetCString(snapshot->rows[reservation->item].workload_id);
	}
	spi_plan_run(&clear, false, TEXT_VALUE(pool), VALUE(BoolGetDatum(!horizon->cut || n > 0)),
				 INT_VALUE(last < 0 ? 0 : snapshot->items[last].priority),
				 VALUE(TimestampTzGetDatum(last < 0 ? 0 : snapshot->rows[last].deadline)),
				 BIGINT_VALUE(last < 0 ? 0 : snapshot->rows[last].queue_no),
				 VALUE(Float8GetDatum(snapshot->settings.ageing)), text_array(workloads, n));
	for (int r = 0; r < search->nreservations; r++)
		if (snapshot->items[search->reservations[r].item].nplacements == 0)
			write_reservation(snapshot, pool, &search->reservations[r]);
}
