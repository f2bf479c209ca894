/*
 * preempt.c
 *		Lower priorities that give way: work that found no place takes that of
 *		less important work, if the pool's setting preemption says so.
 *
 * A victim is worth less than what it gives way to by at least one priority.
 * On each worker the least important ones go first, among equals those that
 * have run for the shortest time, and none that need not go.  Of the workers,
 * the one is taken whose most important victim is the least important; then
 * where the fewest are; then where the work does best.  Gangs neither give way,
 * as that would end the whole of them, nor make others do so.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "api/preempt.h"
#include "place/booking.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/order.h"
#include "place/reservation.h"
#include "snapshot/fleet.h"

/* So many workloads of a batch look for a place that way, at most. */
#define MOST_PREEMPTORS 100

/* A live assignment that may have to go. */
typedef struct Victim
{
	EndedAssignment holds;
	int32 priority;
	TimestampTz started_at; /* 0: it has not started */
	int worker; /* in the fleet */
	bool gone; /* evicted for good */
	bool goes; /* in the trial at hand */
} Victim;

/* The least important first, and then those that lose the least. */
static int
compare_victims(const void *a, const void *b)
{
	const Victim *x = a;
	const Victim *y = b;

	if (x->worker != y->worker)
		return x->worker - y->worker;
	if (x->priority != y->priority)
		return y->priority - x->priority;
	if ((x->started_at == 0) != (y->started_at == 0))
		return x->started_at == 0 ? -1 : 1;
	if (x->started_at != y->started_at)
		return x->started_at > y->started_at ? -1 : 1;
	return x->holds.assignment_id > y->holds.assignment_id ? -1 : 1;
}

/* Reads what might give way to a priority; returns how much and sets *victims, by worker. */
static int
read_victims(const PoolSnapshot *snapshot, const char *pool, int priority, bool read_only,
			 Victim **victims)
{
	static SpiPlan statement = {
		"SELECT " ROW_COLUMNS ", a.priority::int, a.started_at FROM hwsched.assignment a"
		" JOIN hwsched.workload_profile p ON p.pool = a.pool AND p.profile_id = a.profile_id"
		" WHERE a.pool = $1 AND a.finished_at IS NULL AND a.priority > $2 AND NOT a.is_gang"
		" ORDER BY a.assignment_id",
		{TEXTOID, INT4OID},
		.row = &ended_row};
	EndedAssignment *live;
	int kept = 0;
	int n;

	spi_plan_run(&statement, read_only, TEXT_VALUE(pool), INT_VALUE(priority));
	n = read_ended(&live);
	*victims = palloc0(sizeof(Victim) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		Victim *victim = &(*victims)[kept];
		bool isnull;
		Datum started = column(i, ended_row.count + 2, &isnull);

		victim->holds = live[i];
		victim->priority = column_int(i, ended_row.count + 1);
		victim->started_at = isnull ? 0 : DatumGetTimestampTz(started);
		victim->worker = fleet_worker(&snapshot->fleet, live[i].worker_id);
		kept += victim->worker >= 0;
	}
	qsort(*victims, kept, sizeof(Victim), compare_victims);
	return kept;
}

/* What evicting the victims of one worker would be worth. */
typedef struct Trial
{
	int most_important; /* priority of a victim */
	int nvictims;
	double value;
} Trial;

/*
 * Marks which of the victims, all of one worker, would have to go for a kind of
 * work of some priority.  Returns false if it would not fit there even so.  The
 * fleet is as it was.
 */
static bool
try_worker(PoolSnapshot *snapshot, WorkKind *kind, int priority, Victim *victims, int count,
		   Trial *trial)
{
	Search *search = &snapshot->search;
	Candidate candidate;
	int n = 0;
	bool fits = search_candidate(search, kind, victims[0].worker, &candidate) == FITS;

	for (int i = 0; i < count; i++)
		victims[i].goes = false;
	for (; n < count && victims[n].priority > priority && !fits; n++)
	{
		if (victims[n].gone)
			continue;
		fleet_give_back(&snapshot->fleet, &victims[n].holds, 1);
		victims[n].goes = true;
		fits = search_candidate(search, kind, victims[n].worker, &candidate) == FITS;
	}
	*trial = (Trial){PG_INT32_MAX, 0, 0};
	/* the most important first: who need not go stays */
	for (int i = n - 1; i >= 0; i--)
	{
		if (!victims[i].goes)
			continue;
		fleet_give_back(&snapshot->fleet, &victims[i].holds, -1);
		if (fits && search_candidate(search, kind, victims[i].worker, &candidate) != FITS)
			fleet_give_back(&snapshot->fleet, &victims[i].holds, 1);
		else
			victims[i].goes = false;
	}
	if (fits && search_candidate(search, kind, victims[0].worker, &candidate) == FITS)
		trial->value = candidate.value;
	for (int i = 0; i < n; i++)
		if (victims[i].goes)
		{
			trial->nvictims++;
			trial->most_important = Min(trial->most_important, victims[i].priority);
			fleet_give_back(&snapshot->fleet, &victims[i].holds, -1);
		}
	return fits;
}

static bool
better_trial(const Trial *a, const Trial *b)
{
	if (a->most_important != b->most_important)
		return a->most_important > b->most_important;
	if (a->nvictims != b->nvictims)
		return a->nvictims < b->nvictims;
	return a->value > b->value;
}

/* Finds a place for one item among the victims; returns whether there is one, and books it. */
static bool
make_room(PoolSnapshot *snapshot, int index, Victim *victims, int count)
{
	Search *search = &snapshot->search;
	QueueItem *item = &snapshot->items[index];
	WorkKind *kind = &search->kinds[item->kind];
	Candidate candidate;
	Trial best;
	Trial trial;
	int best_first = -1;
	int next;
	int worker;

	for (int first = 0; first < count; first = next)
	{
		bool avoided = false;

		worker = victims[first].worker;
		for (next = first + 1; next < count && victims[next].worker == worker; next++)
			;
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < item->navoided; i++)
			avoided = avoided || item->avoided[i] == worker;
		if (!avoided && search_candidate(search, kind, worker, &candidate) > FILTERED_NEVER &&
			try_worker(snapshot, kind, item->priority, &victims[first], next - first, &trial) &&
			(best_first < 0 || better_trial(&trial, &best)))
		{
			best = trial;
			best_first = first;
		}
	}
	if (best_first < 0)
		return false;
	worker = victims[best_first].worker;
	for (next = best_first + 1; next < count && victims[next].worker == worker; next++)
		;
	(void) try_worker(snapshot, kind, item->priority, &victims[best_first], next - best_first,
					  &trial);
	for (int i = best_first; i < next; i++)
		if (victims[i].goes)
		{
			victims[i].gone = true;
			running_ended(search, victims[i].holds.assignment_id);
			fleet_give_back(&snapshot->fleet, &victims[i].holds, 1);
		}
	if (spared_candidate(search, kind, worker, &candidate) != FITS)
		elog(ERROR, "no room was made for a workload");
	item->first_placement = search->nplacements;
	item->nplacements = 1;
	reserve_item(search, snapshot->items, index, &candidate, kind->policy->parts[0].weight);
	take_keys(search->key_rooms, &item->keys);
	tenant_takes(search, kind, 1, 1);
	return true;
}

/*
 * Places what found no place among some items, all of one priority, by evicting what is less
 * important.
 */
static void
preempt_band(Search *search, QueueItem *items, int first, int last)
{
	Preemption *preemption = search->band_context;

	for (int i = first; i < last && preemption->tried < MOST_PREEMPTORS; i++)
	{
		QueueItem *item = &items[i];
		Reservation *own;
		bool found;

		if (item->nplacements > 0 || item->alone || item->grouped ||
			quota_is_met(search, &search->kinds[item->kind]) ||
			is_gang(&search->kinds[item->kind]) ||
			(!keys_have_room(search->key_rooms, &item->keys) && !is_reserved_for(search, i)))
			continue;
		/* what comes first is the most important, so that is all there can be */
		if (preemption->nlive < 0)
			preemption->nlive = read_victims(preemption->snapshot, preemption->pool, item->priority,
											 preemption->read_only, &preemption->live);
		if (preemption->nlive == 0)
			break;
		preemption->tried++;
		/* before anybody is gone of it */
		running_prepare(search, items, i);
		own = reservation_lift(search, i);
		avoid_devices(search, item, true);
		found = make_room(preemption->snapshot, i, preemption->live, preemption->nlive);
		avoid_devices(search, item, false);
		if (found)
			reservation_drop(search, own);
		else
			reservation_restore(search, own);
	}
}

/*
 * Lets the decision on a snapshot evict, if the pool's settings say so: priority
 * by priority, so that no room is given to what would have to give way at once.
 */
void
preempt_begin(Preemption *preemption, PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	*preemption = (Preemption){snapshot, pool, read_only, -1, NULL, 0};
	if (!snapshot->settings.preemption)
		return;
	snapshot->search.band_decided = preempt_band;
	snapshot->search.band_context = preemption;
}

/*
 * Returns how many assignments have to go for what was decided, and sets
 * *victims to their ids in order; the caller evicts them before it writes the decisions.
 */
int
preempt_victims(const Preemption *preemption, int64 **victims)
{
	int n = 0;

	*victims = palloc(sizeof(int64) * (Max(preemption->nlive, 0) + 1));
	for (int i = 0; i < preemption->nlive; i++)
		if (preemption->live[i].gone)
			(*victims)[n++] = preemption->live[i].holds.assignment_id;
	return n;
}

/*
 * Takes back what gives way; it goes to its place in the queue, and no attempt counts.  What can
 * hand over how far it is waits there until it has, or its worker could have heard of it.
 */
void
evict(const char *pool, const int64 *victims, int count, Settled *settled)
{
	static SpiPlan wait = {"UPDATE hwsched.pending p SET ready_at = greatest(p.ready_at,"
						   "  clock_timestamp() + make_interval(secs => $3))"
						   " FROM hwsched.assignment a, " QUEUED_AGAIN(
							   "a", "p") " AND a.pool = $1"
										 " AND a.assignment_id = ANY ($2) AND " MAY_HAND_OVER("a"),
						   {TEXTOID, INT8ARRAYOID, FLOAT8OID}};
	PoolSettings settings;
	EndedAssignment *ended;
	int n;

	if (count == 0)
		return;
	n = end_assignments(pool, victims, count, NULL, "expired", PREEMPTED, NULL, NULL, &ended);
	requeue(pool, ended, n, false);
	pool_settings_load(pool, false, &settings);
	spi_plan_run(&wait, false, TEXT_VALUE(pool), bigint_array(victims, count),
				 VALUE(Float8GetDatum(settings.lease)));
	/* who was completed before we got at it has made room, too */
	settle(pool, settled);
}
