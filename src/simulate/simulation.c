/*
 * simulation.c
 *		What becomes of a scenario: a discrete-event simulation.
 *
 * Whenever something has ended or arrived, the queue is decided on by the code that decides for
 * pools, on the fleet as it then is.  Of one instant what ends comes first, then what arrives,
 * then one decision, and what is placed runs at once.
 *
 * A decision costs what can have changed since the one before.  The search goes on from decision
 * to decision, told of who got or lost something.  A kind of work that found no place waits until
 * a worker that has lost something takes it: until then its work is not looked at, but for the
 * first that waits, for which a place is reserved.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "place/booking.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/greedy.h"
#include "place/optimal.h"
#include "place/order.h"
#include "place/reservation.h"
#include "simulate/durations.h"
#include "simulate/event_queue.h"
#include "simulate/simulation.h"
#include "snapshot/policy_context.h"
#include "snapshot/retry_rules.h"
#include "store/requeue.h"

/* So much may a search hold beside its rankings before it is begun anew. */
#define MOST_SEARCH_BYTES ((Size) 64 * 1024 * 1024)

/* A minute, in microseconds. */
#define MINUTE (60 * USECS_PER_SEC)

/* How many of a kind there may still be a place for: at any worker, or at none. */
#define ROOM_UNKNOWN PG_INT32_MAX
#define NO_ROOM 0

/* A run that has not ended. */
typedef struct LiveRun
{
	int32 arrival; /* -1: it ran when the simulation began; -2: free */
	int32 next; /* on the same worker, or that is free, too; -1: none */
	int32 previous; /* on the same worker; -1: none */
	int64 serial; /* the order of placement */
	int64 started; /* microseconds from the beginning */
	int64 ends;
	int64 p90_ends; /* expected, at most the timeout */
	bool fails;
	double whole; /* seconds that all of the work would take there */
	double joules;
	double cost;
	Running holds;
} LiveRun;

/* What has become of an arrival so far. */
typedef struct Progress
{
	int32 parts; /* that run */
	int32 done; /* parts that have ended */
	int32 attempt; /* from 1 */
	bool was_placed;
	int32 ntried;
	int32 *tried; /* workers on which it failed */
	bool avoids; /* others than these could run it */
} Progress;

/* Work that waits, in the order of the queue. */
typedef struct Waiting
{
	int32 arrival;
	int32 kind;
	int32 priority; /* with ageing */
	bool has_keys;
	bool special; /* not all that others of its kind may have, it may */
	TimestampTz deadline;
} Waiting;

/* A reservation of an earlier decision. */
typedef struct Promised
{
	int32 arrival;
	int64 backfill_until;
	int32 nworkers;
	int32 *workers;
} Promised;

typedef struct Simulation
{
	Scenario *scenario;
	Search *search;
	int64 now;
	EventQueue events;
	int32 next_arrival;
	Progress *progress; /* by arrival */
	int nlive; /* slots */
	int live_allocated;
	int32 free_live; /* -1: none */
	LiveRun *live;
	int64 serial;
	int32 *first_live; /* by worker; -1: none */
	int nwaiting;
	int waiting_allocated;
	Waiting *waiting;
	/* by kind of work */
	int32 *nwaiting_of;
	int32 *room; /* how many there may be a place for */
	int32 *offered; /* in this decision, of what waits for nothing but room */
	bool *is_offered; /* anything of it */
	/* workers that lost something since the last decision */
	int nchanged;
	int32 *changed;
	bool *is_changed;
	int32 *began_with; /* by worker: runs that it had when the simulation began */
	bool arrived; /* something has, since */
	/* of the decision */
	QueueItem *items;
	int32 *item_arrivals;
	int items_allocated;
	int npromised;
	Promised *promised;
	/* of the search */
	MemoryContext search_context;
	bool begun;
	bool begins_anew; /* for each decision */
	bool by_kind; /* what waits is offered by kind */
	/* for who asks */
	RunReader read;
	void *reader;
	int64 placed;
	instr_time told;
} Simulation;

/* --- what runs --- */

/* Returns a free slot for a run. */
static int
new_live(Simulation *simulation)
{
	int slot = simulation->free_live;

	if (slot >= 0)
		simulation->free_live = simulation->live[slot].next;
	else
	{
		if (simulation->nlive == simulation->live_allocated)
		{
			int n = simulation->live_allocated = Max(256, simulation->live_allocated * 2);

			simulation->live = simulation->live == NULL ?
								   palloc_huge(sizeof(LiveRun) * n) :
								   repalloc_huge(simulation->live, sizeof(LiveRun) * n);
		}
		slot = simulation->nlive++;
	}
	return slot;
}

/* Adds a run to those of its worker. */
static void
link_live(Simulation *simulation, int slot)
{
	LiveRun *live = &simulation->live[slot];
	int32 *first = &simulation->first_live[live->holds.worker];

	live->previous = -1;
	live->next = *first;
	if (*first >= 0)
		simulation->live[*first].previous = slot;
	*first = slot;
}

/* Takes a run from its worker; its slot is free. */
static void
unlink_live(Simulation *simulation, int slot)
{
	LiveRun *live = &simulation->live[slot];

	if (live->next >= 0)
		simulation->live[live->next].previous = live->previous;
	if (live->previous >= 0)
		simulation->live[live->previous].next = live->next;
	else
		simulation->first_live[live->holds.worker] = live->next;
	live->arrival = -2;
	live->next = simulation->free_live;
	simulation->free_live = slot;
}

/* Begins with what runs in the pool: until its P90 is over. */
static void
take_over_running(Simulation *simulation)
{
	Search *search = simulation->search;

	for (int i = 0; i < search->nrunning && simulation->scenario->live; i++)
	{
		int slot = new_live(simulation);
		LiveRun *live = &simulation->live[slot];
		double seconds = Min(Max(search->running[i].ends_in, 0), MOST_SECONDS);

		*live = (LiveRun){.arrival = -1,
						  .serial = simulation->serial++,
						  .ends = (int64) rint(seconds * USECS_PER_SEC),
						  .holds = search->running[i]};
		live->p90_ends = live->ends;
		simulation->began_with[live->holds.worker]++;
		link_live(simulation, slot);
		event_queue_add(&simulation->events, live->ends, EVENT_END, slot);
	}
	search->running = NULL;
	search->nrunning = 0;
}

/* Tells a decision what runs on a worker, and until when. */
static int
tell_running(Search *search, int worker, Running **running)
{
	Simulation *simulation = search->running_context;
	int n = 0;

	for (int i = simulation->first_live[worker]; i >= 0; i = simulation->live[i].next)
		n++;
	*running = palloc_huge(sizeof(Running) * (n + 1));
	n = 0;
	for (int i = simulation->first_live[worker]; i >= 0; i = simulation->live[i].next)
	{
		const LiveRun *live = &simulation->live[i];

		(*running)[n] = live->holds;
		(*running)[n].assignment_id = live->serial + 1;
		(*running)[n++].ends_in = (live->p90_ends - simulation->now) / (double) USECS_PER_SEC;
	}
	return n;
}

/* Notes that a worker has lost something. */
static void
note_change(Simulation *simulation, int worker)
{
	if (!simulation->is_changed[worker])
	{
		simulation->is_changed[worker] = true;
		simulation->changed[simulation->nchanged++] = worker;
	}
}

/* Takes from a worker what a run holds of it. */
static void
give_back(Simulation *simulation, const Running *holds)
{
	Fleet *fleet = simulation->search->fleet;
	Worker *worker = &fleet->workers[holds->worker];

	worker->assignments--;
	worker->cpu_used -= holds->cpu_millicores;
	worker->memory_used -= holds->host_memory_bytes;
	for (int i = 0; i < holds->ndevices; i++)
	{
		Device *device = &fleet->devices[holds->devices[i]];

		device->slots -= holds->slots;
		device->share -= holds->share;
		device->memory_used -= holds->device_memory_bytes;
		if (device->uses_host_memory)
			worker->memory_used -= holds->device_memory_bytes;
	}
	if (worker->assignments == 0)
		worker->runs_alone = false;
	note_change(simulation, holds->worker);
	if (simulation->begun)
		worker_changed(simulation->search, holds->worker);
}

/* Gives back what a workload took of its concurrency keys. */
static void
give_keys_back(Search *search, const KeyDemand *demand, bool placements)
{
	for (int i = 0; i < demand->count; i++)
	{
		KeyRoom *room = &search->key_rooms[demand->items[i].key];

		if (room->units < INT32_MAX)
			room->units += demand->items[i].units;
		if (placements && room->placements < INT32_MAX)
			room->placements++;
	}
}

/* --- the queue --- */

static int
compare_waiting(const void *a, const void *b)
{
	const Waiting *x = a;
	const Waiting *y = b;

	if (x->priority != y->priority)
		return x->priority - y->priority;
	if (x->deadline != y->deadline)
		return x->deadline < y->deadline ? -1 : 1;
	return x->arrival - y->arrival;
}

/* Puts an arrival into its place in the queue. */
static void
queue_arrival(Simulation *simulation, int32 number)
{
	const Scenario *scenario = simulation->scenario;
	const Arrival *arrival = &scenario->arrivals[number];
	const WorkTemplate *template = &scenario->templates[arrival->template];
	const WorkKind *kind = &simulation->search->kinds[arrival->kind];
	Waiting waiting = {.arrival = number,
					   .kind = arrival->kind,
					   .priority = template->priority,
					   .has_keys = template->keys.count > 0,
					   .special =
						   template->alone || is_gang(kind) || simulation->progress[number].avoids,
					   .deadline = template->deadline};
	int at = simulation->nwaiting;

	if (at == simulation->waiting_allocated)
	{
		int n = simulation->waiting_allocated = Max(256, at * 2);

		simulation->waiting = simulation->waiting == NULL ?
								  palloc_huge(sizeof(Waiting) * n) :
								  repalloc_huge(simulation->waiting, sizeof(Waiting) * n);
	}
	/* most come last */
	while (at > 0 && compare_waiting(&simulation->waiting[at - 1], &waiting) > 0)
		at--;
	memmove(&simulation->waiting[at + 1], &simulation->waiting[at],
			sizeof(Waiting) * (simulation->nwaiting - at));
	simulation->waiting[at] = waiting;
	simulation->nwaiting++;
	simulation->nwaiting_of[arrival->kind]++;
	simulation->arrived = true;
}

/* Lets what has waited come earlier, as the setting ageing says. */
static void
age_queue(Simulation *simulation)
{
	const Scenario *scenario = simulation->scenario;
	double ageing = scenario->snapshot.settings.ageing;
	bool aged = false;

	for (int i = 0; i < simulation->nwaiting && ageing > 0; i++)
	{
		Waiting *waiting = &simulation->waiting[i];
		const Arrival *arrival = &scenario->arrivals[waiting->arrival];
		int32 given = scenario->templates[arrival->template].priority;
		double hours =
			(scenario->begins + simulation->now - arrival->submitted_at) / (double) (60 * MINUTE);
		int32 now = Min(given, (int32) Max(1, given - floor(ageing * hours)));

		aged = aged || now != waiting->priority;
		waiting->priority = now;
	}
	if (aged)
		qsort(simulation->waiting, simulation->nwaiting, sizeof(Waiting), compare_waiting);
}

/* --- the end of runs --- */

/* Tells who asks of a run, unless it is of a tenant whose work that does not see. */
static void
tell(Simulation *simulation, const SimulatedRun *run)
{
	const Scenario *scenario = simulation->scenario;
	const Arrival *arrival = &scenario->arrivals[run->arrival];

	if (!scenario->own_work ||
		scope_has(&scenario->seen, simulation->search->kinds[arrival->kind].demand.tenant))
		simulation->read(simulation->reader, run);
}

/* Tells who asks of a run, as far as it has got. */
static void
tell_run(Simulation *simulation, const LiveRun *live, int64 finished, bool is_last, bool moved)
{
	int64 until = Min(finished, simulation->now);
	double ratio = live->ends > live->started ?
					   (double) (until - live->started) / (live->ends - live->started) :
					   1.0;
	SimulatedRun run = {.arrival = live->arrival,
						.worker = live->holds.worker,
						.ndevices = live->holds.ndevices,
						.devices = live->holds.devices,
						.started = live->started,
						.finished = finished,
						.joules = live->joules * ratio,
						.cost = live->cost * ratio,
						.is_last = is_last,
						.moved = moved};

	tell(simulation, &run);
}

/*
 * Returns after how many microseconds a failed attempt is repeated: retry_backoff, doubled with
 * each attempt, and less by a random part of up to a half.
 */
static int64
retry_wait(const Scenario *scenario, int32 arrival, int attempt)
{
	const PoolSettings *settings = &scenario->snapshot.settings;
	double wait =
		Min(settings->retry_backoff * pow(2, Min(Max(attempt - 2, 0), 30)), most_backoff(settings));

	return (int64) rint(wait * (1 - chance(scenario->seed, arrival, attempt, 4) / 2) *
						USECS_PER_SEC);
}

/* Repeats a failed attempt, unless it was the last. */
static void
retry(Simulation *simulation, const LiveRun *live)
{
	const Scenario *scenario = simulation->scenario;
	const Arrival *arrival = &scenario->arrivals[live->arrival];
	Progress *progress = &simulation->progress[live->arrival];
	QueueItem item = {.kind = arrival->kind};
	bool known = false;

	if (++progress->attempt > scenario->templates[arrival->template].retries + 1)
		return;
	for (int i = 0; i < progress->ntried; i++)
		known = known || progress->tried[i] == live->holds.worker;
	if (!known)
	{
		progress->tried = progress->tried == NULL ?
							  palloc(sizeof(int32)) :
							  repalloc(progress->tried, sizeof(int32) * (progress->ntried + 1));
		progress->tried[progress->ntried++] = live->holds.worker;
	}
	item.avoided = progress->tried;
	item.navoided = progress->ntried;
	progress->avoids = others_could(simulation->search, &item);
	event_queue_add(&simulation->events,
					simulation->now + retry_wait(scenario, live->arrival, progress->attempt),
					EVENT_ARRIVAL, live->arrival);
}

/* Ends a run: its worker has room again, and a failed one is repeated. */
static void
end_run(Simulation *simulation, int slot)
{
	Search *search = simulation->search;
	LiveRun live = simulation->live[slot];

	give_back(simulation, &live.holds);
	unlink_live(simulation, slot);
	if (live.arrival < 0)
	{
		Worker *worker = &search->fleet->workers[live.holds.worker];

		/* what loaded it is over */
		if (--simulation->began_with[live.holds.worker] == 0)
		{
			for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
				search->fleet->devices[d].load = search->fleet->devices[d].effective_load = 0;
			simulation->begun = false;
		}
		return;
	}
	else
	{
		const Arrival *arrival = &simulation->scenario->arrivals[live.arrival];
		const WorkTemplate *template = &simulation->scenario->templates[arrival->template];
		const WorkKind *kind = &search->kinds[arrival->kind];
		Progress *progress = &simulation->progress[live.arrival];
		int32 wanted =
			kind->demand.quorum > 0 && profile_strategy(&kind->profile) == STRATEGY_REPLICATED ?
				kind->demand.quorum :
				progress->done + progress->parts;

		progress->parts--;
		progress->done++;
		tenant_takes(search, kind, -1, progress->parts == 0 ? -1 : 0);
		if (progress->parts == 0)
			give_keys_back(search, &template->keys, false);
		tell_run(simulation, &live, simulation->now, !live.fails && progress->done == wanted,
				 false);
		if (live.fails)
			retry(simulation, &live);
		pfree(unconstify(int32 *, live.holds.devices));
	}
}

/* --- the beginning of runs --- */

/* Returns whether a run fails: as the scenario says, or as was learned of its worker. */
static bool
run_fails(const Simulation *simulation, int32 arrival, int attempt, int worker)
{
	const Scenario *scenario = simulation->scenario;
	const WorkKind *kind = &simulation->search->kinds[scenario->arrivals[arrival].kind];
	double rate = scenario->failure_rate;

	if (isnan(rate))
	{
		const Performance *performance =
			kind->performance == NULL ? NULL : &kind->performance[worker];
		int64 runs = performance == NULL ? 0 : performance->successes + performance->failures;

		rate = runs == 0 ? 0 : (double) performance->failures / runs;
	}
	return rate > 0 && chance(scenario->seed, arrival, attempt, 0) < rate;
}

/*
 * Lets a workload run on its devices from now on, for so many seconds; whole is what all of it
 * would take there, and p90 the most that is expected.
 */
static void
add_live(Simulation *simulation, int32 number, const Candidate *place, double seconds, double whole,
		 double p90, bool fails)
{
	const Arrival *arrival = &simulation->scenario->arrivals[number];
	Search *search = simulation->search;
	const WorkKind *kind = &search->kinds[arrival->kind];
	EnergyUse use = candidate_use(search, kind, place, arrival->expected_seconds, arrival->subject);
	int32 *devices = palloc(sizeof(int32) * (place->ndevices + 1));
	int slot = new_live(simulation);
	LiveRun *live = &simulation->live[slot];

	memcpy(devices, place->devices, sizeof(int32) * place->ndevices);
	seconds = Min(seconds, MOST_SECONDS);
	*live = (LiveRun){.arrival = number,
					  .serial = simulation->serial++,
					  .started = simulation->now,
					  .ends = simulation->now + Max((int64) rint(seconds * USECS_PER_SEC), 1),
					  .p90_ends =
						  simulation->now + (int64) rint(Min(p90, MOST_SECONDS) * USECS_PER_SEC),
					  .fails = fails,
					  .whole = whole,
					  .joules = use.joules / use.seconds * seconds,
					  .cost = use.money / use.seconds * seconds};
	live->holds = (Running){.worker = place->worker,
							.cpu_millicores = kind->demand.cpu_millicores,
							.host_memory_bytes = kind->demand.host_memory_bytes,
							.ndevices = place->ndevices,
							.devices = devices,
							.slots = demanded_slots(&kind->demand),
							.share = demanded_share(&kind->demand),
							.device_memory_bytes = kind->profile.min_memory_bytes};
	link_live(simulation, slot);
	event_queue_add(&simulation->events, live->ends, EVENT_END, slot);
}

/* Begins a run of what was placed. */
static void
begin_run(Simulation *simulation, const QueueItem *item, const Placement *placement)
{
	const Scenario *scenario = simulation->scenario;
	Search *search = simulation->search;
	int32 number = simulation->item_arrivals[placement->item];
	const Arrival *arrival = &scenario->arrivals[number];
	double timeout = scenario->templates[arrival->template].timeout;
	const WorkKind *kind = &search->kinds[item->kind];
	Progress *progress = &simulation->progress[number];
	Candidate place = {.worker = placement->worker,
					   .ndevices = placement->ndevices,
					   .devices = &search->chosen[placement->first_device]};
	double whole = run_seconds(scenario, number, &place, placement->predicted_seconds,
							   placement->p90_seconds, progress->attempt);
	double seconds = whole;
	bool fails =
		!is_gang(kind) && run_fails(simulation, number, progress->attempt, placement->worker);

	if (fails)
		seconds *= 1.0 - chance(scenario->seed, number, progress->attempt, 3);
	if (seconds > timeout)
	{
		seconds = timeout;
		fails = !is_gang(kind);
	}
	add_live(simulation, number, &place, seconds, whole, Min(placement->p90_seconds, timeout),
			 fails);
	progress->parts++;
	progress->was_placed = true;
	simulation->placed++;
}

/* Lets a key have another placement in a minute. */
static void
count_minute(Simulation *simulation, const KeyDemand *demand)
{
	for (int i = 0; i < demand->count; i++)
		if (simulation->search->key_rooms[demand->items[i].key].placements < INT32_MAX)
			event_queue_add(&simulation->events, simulation->now + MINUTE, EVENT_GIVE_BACK,
							demand->items[i].key);
}

/* --- moves --- */

/* Returns whether a run is of work that may be moved. */
static bool
may_move(const Simulation *simulation, const LiveRun *live)
{
	const Scenario *scenario = simulation->scenario;

	return live->arrival >= 0 &&
		   scenario->templates[scenario->arrivals[live->arrival].template].checkpointable &&
		   !is_gang(&simulation->search->kinds[scenario->arrivals[live->arrival].kind]);
}

/* Lets a run go on at another place, if it ends sooner there by more than the move costs. */
static void
move_run(Simulation *simulation, int slot, Candidate *place, double score, MemoryContext keep)
{
	const Scenario *scenario = simulation->scenario;
	Search *search = simulation->search;
	LiveRun live = simulation->live[slot];
	const Arrival *arrival = &scenario->arrivals[live.arrival];
	WorkKind *kind = &search->kinds[arrival->kind];
	double left = Min((live.ends - simulation->now) / (double) USECS_PER_SEC / live.whole, 1.0);
	Candidate here = {.worker = live.holds.worker,
					  .ndevices = live.holds.ndevices,
					  .devices = unconstify(int32 *, live.holds.devices)};
	double predicted_here =
		candidate_seconds(search, kind, &here, arrival->expected_seconds, arrival->subject);
	double predicted =
		candidate_seconds(search, kind, place, arrival->expected_seconds, arrival->subject);
	double p90 = candidate_p90(search, place, predicted, arrival->subject);
	double whole;
	MemoryContext caller;

	if (!(left * (predicted_here - predicted) > scenario->move_cost))
		return;
	caller = MemoryContextSwitchTo(keep);
	whole = run_seconds(scenario, live.arrival, place, predicted, p90,
						simulation->progress[live.arrival].attempt);
	tell_run(simulation, &live, simulation->now, false, true);
	unlink_live(simulation, slot);
	give_back(simulation, &live.holds);
	add_live(simulation, live.arrival, place, left * whole + scenario->move_cost, whole,
			 left * p90 + scenario->move_cost, live.fails);
	pfree(unconstify(int32 *, live.holds.devices));
	MemoryContextSwitchTo(caller);
	(void) reserve_candidate(search, kind, 0, place, score);
	search->nplacements = search->nchosen = 0;
}

static const Simulation *moving;

static int
compare_movable(const void *a, const void *b)
{
	return moving->live[*(const int *) a].arrival - moving->live[*(const int *) b].arrival;
}

/*
 * Moves running work to what has become free, where it ends sooner: what was submitted first
 * comes first, and leaves its place to the next.
 */
static void
move_runs(Simulation *simulation, MemoryContext keep)
{
	Search *search = simulation->search;
	int *slots;
	bool *closed;
	int n = 0;

	if (isnan(simulation->scenario->move_cost) || simulation->nchanged == 0)
		return;
	slots = palloc_huge(sizeof(int) * (simulation->nlive + 1));
	closed = palloc0(sizeof(bool) * (search->nkinds + 1));
	for (int i = 0; i < simulation->nlive; i++)
		if (may_move(simulation, &simulation->live[i]))
			slots[n++] = i;
	moving = simulation;
	qsort(slots, n, sizeof(int), compare_movable);
	for (int i = 0; i < n; i++)
	{
		int32 k = simulation->scenario->arrivals[simulation->live[slots[i]].arrival].kind;
		Candidate place;
		double score;

		if (closed[k])
			continue;
		if (find_place(search, &search->kinds[k], &place, &score))
		{
			int64 serial = simulation->serial;

			move_run(simulation, slots[i], &place, score, keep);
			if (simulation->serial != serial)
				memset(closed, false, sizeof(bool) * search->nkinds);
		}
		else
			closed[k] = true;
	}
	pfree(slots);
	pfree(closed);
}

/* --- deciding --- */

/* Tells policies what work there is, if they look at that. */
static void
tell_shapes(Simulation *simulation)
{
	Scenario *scenario = simulation->scenario;
	Search *search = simulation->search;
	int64 *counts = palloc0(sizeof(int64) * (search->nkinds + 1));
	Shape *shapes = palloc0(sizeof(Shape) * (search->nkinds + 1));
	int n = 0;

	for (int i = 0; i < simulation->nwaiting; i++)
		counts[simulation->waiting[i].kind]++;
	for (int i = 0; i < simulation->nlive; i++)
		if (simulation->live[i].arrival >= 0)
			counts[scenario->arrivals[simulation->live[i].arrival].kind]++;
	for (int k = 0; k < search->nkinds; k++)
		if (counts[k] > 0)
		{
			shapes[n].kind.profile_id = search->kinds[k].profile_id;
			shapes[n].kind.profile = search->kinds[k].profile;
			shapes[n].kind.demand = search->kinds[k].demand;
			shapes[n++].frequency = (double) counts[k];
		}
	set_shapes(search, shapes, n);
	pfree(counts);
}

/* Begins the search, unless one goes on that has not grown too much. */
static void
begin_search(Simulation *simulation)
{
	Search *search = simulation->search;

	if (simulation->begun && !simulation->begins_anew &&
		MemoryContextMemAllocated(simulation->search_context, true) <
			MOST_SEARCH_BYTES + 2 * search->state->ranking_bytes)
		return;
	MemoryContextReset(simulation->search_context);
	MemoryContextSwitchTo(simulation->search_context);
	if (simulation->begins_anew)
		tell_shapes(simulation);
	search->reservations = NULL;
	search->reservations_allocated = 0;
	search_begin(search);
	simulation->begun = true;
}

/* Returns how many of a kind of work a worker takes at the most, as it is. */
static int32
most_of_kind(const Search *search, const WorkKind *kind, const Worker *worker)
{
	const Demand *demand = &kind->demand;
	int64 most = worker->ndevices;

	switch (demand_occupancy(demand))
	{
		case OCCUPY_SLOT:
			most *= search->settings.max_concurrent;
			break;
		case OCCUPY_SHARE:
			most *= WHOLE_SHARE / demand->share;
			break;
		case OCCUPY_WHOLE:
			break;
	}
	if (demand->cpu_millicores > 0)
		most = Min(most, (worker->cpu_millicores - worker->cpu_used) / demand->cpu_millicores);
	if (demand->host_memory_bytes > 0)
		most = Min(most, (worker->memory_bytes - worker->memory_used) / demand->host_memory_bytes);
	return (int32) Min(Max(most, 1), ROOM_UNKNOWN / 2);
}

/* Finds out for which kinds of work there may be room at workers that have lost something. */
static void
look_for_room(Simulation *simulation)
{
	Search *search = simulation->search;

	for (int k = 0; k < search->nkinds && simulation->nchanged > 0; k++)
	{
		WorkKind *kind = &search->kinds[k];
		int64 room = simulation->room[k];

		if (simulation->nwaiting_of[k] == 0 || room == ROOM_UNKNOWN)
			continue;
		for (int i = 0; i < simulation->nchanged; i++)
		{
			Candidate candidate;

			if (search_candidate(search, kind, simulation->changed[i], &candidate) == FITS)
				room += most_of_kind(search, kind, &search->fleet->workers[simulation->changed[i]]);
		}
		simulation->room[k] = (int32) Min(room, ROOM_UNKNOWN - 1);
	}
	for (int i = 0; i < simulation->nchanged; i++)
		simulation->is_changed[simulation->changed[i]] = false;
	simulation->nchanged = 0;
}

/* Makes an item of what waits. */
static void
add_item(Simulation *simulation, const Waiting *waiting, int number)
{
	const Scenario *scenario = simulation->scenario;
	const Arrival *arrival = &scenario->arrivals[waiting->arrival];
	const WorkTemplate *template = &scenario->templates[arrival->template];
	const Progress *progress = &simulation->progress[waiting->arrival];
	double waited =
		(scenario->begins + simulation->now - arrival->submitted_at) / (double) USECS_PER_SEC;

	simulation->item_arrivals[number] = waiting->arrival;
	simulation->items[number] =
		(QueueItem){.kind = arrival->kind,
					.priority = waiting->priority,
					.keys = template->keys,
					.expected_seconds = arrival->expected_seconds,
					.overdue = waited > scenario->snapshot.settings.order_wait,
					.subject = arrival->subject,
					.alone = template->alone,
					.navoided = progress->avoids ? progress->ntried : 0,
					.avoided = progress->tried};
	simulation->search->kinds[arrival->kind].state->found_no_place = 0;
}

/* Returns whether what waits could take its concurrency keys. */
static bool
keys_are_free(const Simulation *simulation, const Waiting *waiting)
{
	const Scenario *scenario = simulation->scenario;

	return keys_have_room(simulation->search->key_rooms,
						  &scenario->templates[scenario->arrivals[waiting->arrival].template].keys);
}

/*
 * Makes the items of a decision of what may find a place, and of the first that waits for one;
 * returns how many, 0 if nothing would.
 */
static int
collect_items(Simulation *simulation)
{
	Search *search = simulation->search;
	int reservations = search->most_reservations;
	bool any = false;
	int n = 0;

	if (simulation->nwaiting > simulation->items_allocated)
	{
		int allocated = simulation->items_allocated = simulation->nwaiting * 2;
		MemoryContext keep = GetMemoryChunkContext(simulation->waiting);

		if (simulation->items != NULL)
		{
			pfree(simulation->items);
			pfree(simulation->item_arrivals);
		}
		simulation->items = MemoryContextAllocHuge(keep, sizeof(QueueItem) * allocated);
		simulation->item_arrivals = MemoryContextAllocHuge(keep, sizeof(int32) * allocated);
	}
	for (int i = 0; i < simulation->nwaiting; i++)
	{
		const Waiting *waiting = &simulation->waiting[i];
		int32 *offered = &simulation->offered[waiting->kind];

		/* as the queue is read: what waits for its keys takes no place from others of its kind */
		if (waiting->has_keys && !keys_are_free(simulation, waiting))
			continue;
		if (!simulation->by_kind || waiting->special || *offered < simulation->room[waiting->kind])
		{
			any = true;
			simulation->is_offered[waiting->kind] = true;
			/* what may not have it, or loses its keys to another, leaves the room to others */
			*offered += !waiting->has_keys && !waiting->special;
		}
		else if (reservations > 0 && !search->kinds[waiting->kind].state->never_starts)
			/* of what waits for its keys, too, the next one may get the place */
			reservations -= !waiting->has_keys;
		else
			continue;
		add_item(simulation, waiting, n++);
	}
	/* what is reserved is promised anew by each decision, whether it places anything or not */
	return any || search->most_reservations > 0 ? n : 0;
}

/* Keeps to what earlier decisions have promised. */
static void
keep_promises(Simulation *simulation, int nitems)
{
	Search *search = simulation->search;
	Promise *promises;

	search->npromises = 0;
	if (simulation->npromised == 0)
		return;
	search->promises = promises = palloc(sizeof(Promise) * simulation->npromised);
	for (int p = 0; p < simulation->npromised; p++)
		for (int i = 0; i < nitems; i++)
			if (simulation->item_arrivals[i] == simulation->promised[p].arrival)
			{
				const Promised *promised = &simulation->promised[p];

				promises[search->npromises++] = (Promise){
					i, (promised->backfill_until - simulation->now) / (double) USECS_PER_SEC,
					promised->nworkers, promised->workers};
				break;
			}
}

/* Remembers what a decision has reserved, and takes it back: the next one decides anew. */
static void
remember_reservations(Simulation *simulation, MemoryContext keep)
{
	Search *search = simulation->search;
	MemoryContext caller = MemoryContextSwitchTo(keep);

	for (int i = 0; i < simulation->npromised; i++)
		pfree(simulation->promised[i].workers);
	simulation->npromised = 0;
	if (simulation->promised != NULL)
		pfree(simulation->promised);
	simulation->promised = palloc(sizeof(Promised) * (search->nreservations + 1));
	for (int r = 0; r < search->nreservations; r++)
	{
		const Reservation *reservation = &search->reservations[r];
		Promised *promised = &simulation->promised[simulation->npromised];

		if (reservation->keys_taken)
			give_keys_back(search, &reservation->keys, true);
		for (int p = 0; p < reservation->nplaces; p++)
		{
			search->fleet->workers[reservation->places[p].worker].reserved = false;
			worker_changed(search, reservation->places[p].worker);
		}
		if (simulation->items[reservation->item].nplacements > 0)
			continue;
		*promised =
			(Promised){simulation->item_arrivals[reservation->item],
					   simulation->now + (int64) rint(reservation->backfill_in * USECS_PER_SEC),
					   reservation->nplaces, palloc(sizeof(int32) * (reservation->nplaces + 1))};
		for (int p = 0; p < reservation->nplaces; p++)
			promised->workers[p] = reservation->places[p].worker;
		simulation->npromised++;
	}
	search->nreservations = 0;
	MemoryContextSwitchTo(caller);
}

/* Takes what was placed out of the queue, and begins its runs. */
static void
begin_runs(Simulation *simulation, int nitems)
{
	const Scenario *scenario = simulation->scenario;
	Search *search = simulation->search;
	int kept = 0;
	int item = 0;

	for (int i = 0; i < nitems; i++)
	{
		const QueueItem *of = &simulation->items[i];
		int32 number = simulation->item_arrivals[i];
		Progress *progress = &simulation->progress[number];

		if (of->nplacements == 0)
			continue;
		progress->done = 0;
		progress->parts = 0;
		for (int p = of->first_placement; p < of->first_placement + of->nplacements; p++)
			begin_run(simulation, of, &search->placements[p]);
		count_minute(simulation, &scenario->templates[scenario->arrivals[number].template].keys);
	}
	/* items are in the order of the queue */
	for (int i = 0; i < simulation->nwaiting; i++)
	{
		const Waiting *waiting = &simulation->waiting[i];

		if (item < nitems && simulation->item_arrivals[item] == waiting->arrival &&
			simulation->items[item++].nplacements > 0)
			simulation->nwaiting_of[waiting->kind]--;
		else
			simulation->waiting[kept++] = *waiting;
	}
	simulation->nwaiting = kept;
}

/* Finds out which kinds of work that was offered may still find a place, now or later. */
static void
close_kinds(Simulation *simulation, int nitems)
{
	Search *search = simulation->search;

	for (int i = 0; i < nitems; i++)
	{
		int32 k = simulation->items[i].kind;
		Candidate place;
		double score;

		if (!simulation->is_offered[k])
			continue;
		simulation->is_offered[k] = false;
		simulation->offered[k] = 0;
		/* it may have been kept from a place by what was reserved, or its keys */
		simulation->room[k] = simulation->nwaiting_of[k] == 0 ||
									  find_place(search, &search->kinds[k], &place, &score) ?
								  ROOM_UNKNOWN :
								  NO_ROOM;
	}
}

/* Decides on the queue as it is, if anything in it could find a place. */
static void
decide(Simulation *simulation)
{
	const PoolSettings *settings = &simulation->scenario->snapshot.settings;
	Search *search = simulation->search;
	MemoryContext keep = CurrentMemoryContext;
	int nitems;

	if (settings->paused || (simulation->nwaiting == 0 && isnan(simulation->scenario->move_cost)))
		return;
	age_queue(simulation);
	begin_search(simulation);
	MemoryContextSwitchTo(simulation->search_context);
	move_runs(simulation, keep);
	if (simulation->by_kind)
		look_for_room(simulation);
	nitems = collect_items(simulation);
	if (nitems > 0)
	{
		keep_promises(simulation, nitems);
		search->nplacements = search->nchosen = 0;
		search->clock = simulation->now;
		if (solver_is_optimal(settings))
			search_solve(search, simulation->items, nitems);
		else
			search_place(search, simulation->items, nitems, -1);
		remember_reservations(simulation, keep);
		MemoryContextSwitchTo(keep);
		begin_runs(simulation, nitems);
		MemoryContextSwitchTo(simulation->search_context);
		if (simulation->by_kind)
			close_kinds(simulation, nitems);
	}
	MemoryContextSwitchTo(keep);
}

/* --- time --- */

/* Tells who waits for us how far we have got, each second. */
static void
tell_progress(Simulation *simulation)
{
	instr_time now;
	instr_time since;

	INSTR_TIME_SET_CURRENT(now);
	since = now;
	INSTR_TIME_SUBTRACT(since, simulation->told);
	if (INSTR_TIME_GET_DOUBLE(since) < 1.0)
		return;
	simulation->told = now;
	ereport(NOTICE, (errmsg("simulated until %s: " INT64_FORMAT " placements, %d of %d arrived, %d"
							" wait",
							timestamptz_to_str(simulation->scenario->begins + simulation->now),
							simulation->placed, simulation->next_arrival,
							simulation->scenario->narrivals, simulation->nwaiting)));
}

/* Does all that happens at one instant. */
static void
pass_instant(Simulation *simulation)
{
	const Scenario *scenario = simulation->scenario;

	while (event_queue_at(&simulation->events) == simulation->now)
	{
		Event event = event_queue_next(&simulation->events);
		KeyRoom *room;

		switch (event.kind)
		{
			case EVENT_END:
				/* what has moved since ends at another time */
				if (simulation->live[event.subject].arrival != -2 &&
					simulation->live[event.subject].ends == event.at)
					end_run(simulation, event.subject);
				break;
			case EVENT_GIVE_BACK:
				room = &simulation->search->key_rooms[event.subject];
				room->placements++;
				break;
			case EVENT_ARRIVAL:
				queue_arrival(simulation, event.subject);
				break;
		}
	}
	while (simulation->next_arrival < scenario->narrivals &&
		   scenario->arrivals[simulation->next_arrival].submitted == simulation->now)
	{
		int32 number = simulation->next_arrival++;

		if (scenario->arrivals[number].at > simulation->now)
			event_queue_add(&simulation->events, scenario->arrivals[number].at, EVENT_ARRIVAL,
							number);
		else
			queue_arrival(simulation, number);
	}
}

/* Returns when the next thing happens; INT64_MAX: nothing does any more. */
static int64
next_instant(const Simulation *simulation)
{
	const Scenario *scenario = simulation->scenario;
	int64 at = event_queue_at(&simulation->events);

	if (simulation->next_arrival < scenario->narrivals)
		at = Min(at, scenario->arrivals[simulation->next_arrival].submitted);
	return at;
}

/* Tells who asks of what still runs, and of what was never placed. */
static void
tell_rest(Simulation *simulation)
{
	const Scenario *scenario = simulation->scenario;

	for (int i = 0; i < simulation->nlive; i++)
		if (simulation->live[i].arrival >= 0)
			tell_run(simulation, &simulation->live[i], PG_INT64_MAX, false, false);
	for (int i = 0; i < simulation->next_arrival; i++)
		if (!simulation->progress[i].was_placed && scenario->arrivals[i].at <= simulation->now)
		{
			SimulatedRun run = {.arrival = i, .worker = -1, .finished = PG_INT64_MAX};

			tell(simulation, &run);
		}
}

/*
 * Simulates a scenario, and tells the reader of each run as it ends; then of those that have not
 * ended, and of what was never placed.  The scenario is used up.
 */
void
simulate(Scenario *scenario, RunReader read, void *reader)
{
	Simulation *simulation = palloc0(sizeof(Simulation));
	Search *search = &scenario->snapshot.search;
	const Policies *policies = &scenario->snapshot.policies;
	int uses = policies->uses;
	int64 at;

	simulation->scenario = scenario;
	simulation->search = search;
	simulation->read = read;
	simulation->reader = reader;
	simulation->free_live = -1;
	simulation->search_context = AllocSetContextCreate(
		CurrentMemoryContext, "hwsched simulated search", ALLOCSET_DEFAULT_SIZES);
	simulation->progress = MemoryContextAllocExtended(CurrentMemoryContext,
													  sizeof(Progress) * (scenario->narrivals + 1),
													  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < scenario->narrivals; i++)
		simulation->progress[i].attempt = 1;
	simulation->nwaiting_of = palloc0(sizeof(int32) * (search->nkinds + 1));
	simulation->offered = palloc0(sizeof(int32) * (search->nkinds + 1));
	simulation->is_offered = palloc0(sizeof(bool) * (search->nkinds + 1));
	simulation->room = palloc(sizeof(int32) * (search->nkinds + 1));
	for (int k = 0; k < search->nkinds; k++)
	{
		simulation->room[k] = ROOM_UNKNOWN;
		uses |= policy_uses(search->kinds[k].policy);
	}
	simulation->changed = palloc(sizeof(int32) * (search->fleet->nworkers + 1));
	simulation->is_changed = palloc0(sizeof(bool) * (search->fleet->nworkers + 1));
	simulation->began_with = palloc0(sizeof(int32) * (search->fleet->nworkers + 1));
	simulation->begins_anew =
		solver_is_optimal(&scenario->snapshot.settings) || (uses & USES_SHAPES) != 0;
	simulation->by_kind = !simulation->begins_anew && search->order == ORDER_SUBMISSION &&
						  !search->fair_share && search->ntenants == 0;
	search->refills = true;
	search->reserves = true;
	search->most_reservations = scenario->snapshot.settings.reservations;
	search->running_of = tell_running;
	search->running_context = simulation;
	INSTR_TIME_SET_CURRENT(simulation->told);
	simulation->first_live = palloc(sizeof(int32) * (search->fleet->nworkers + 1));
	for (int w = 0; w < search->fleet->nworkers; w++)
		simulation->first_live[w] = -1;
	take_over_running(simulation);

	while ((at = next_instant(simulation)) <= scenario->until && at != PG_INT64_MAX)
	{
		CHECK_FOR_INTERRUPTS();
		simulation->now = at;
		pass_instant(simulation);
		decide(simulation);
		tell_progress(simulation);
	}
	if (scenario->until != PG_INT64_MAX)
		simulation->now = Max(simulation->now, scenario->until);
	tell_rest(simulation);
	MemoryContextDelete(simulation->search_context);
}
