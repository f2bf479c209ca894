/*
 * reservation.c
 *		Places kept for work that has to wait, and what may use them meanwhile.
 *
 * The first workload of the queue that fits the fleet but not what is free gets
 * a reservation: the workers and devices where it can start first, by the expected
 * ends of what runs there.  Small work would never leave it so much at once.
 *
 * What is wanted there, less what is held now and ends by then, is booked as if it were
 * in use already: what stands behind finds what is left beside it, without knowing of
 * reservations.  (Where u is used, w wanted and e ends by then, work that goes on for longer has to
 * fit now, beside u, and then, beside u - e + w; so beside u + max(0, w - e).)  What is over before
 * the time that was promised first may use the place meanwhile: backfill.  That time is never put
 * off, so that no chain of late backfills puts off what is reserved for good.
 */
#include "place/booking.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/group.h"
#include "place/reservation.h"
#include "place/search_policy.h"

/*
 * Live assignments that are looked at to find where one can start first.  The least of so many
 * ends is hardly later than that of all.
 */
#define MOST_RUNNING 10000

/* --- amounts --- */

static Amount
no_amount(int ndevices)
{
	return (Amount){.devices = palloc0(sizeof(DeviceAmount) * (ndevices + 1))};
}

static Amount
copy_amount(const Amount *amount, int ndevices)
{
	Amount copy = *amount;

	copy.devices = palloc(sizeof(DeviceAmount) * (ndevices + 1));
	memcpy(copy.devices, amount->devices, sizeof(DeviceAmount) * (ndevices + 1));
	return copy;
}

/* Books an amount on its worker in memory; times -1 takes it back. */
static void
book_amount(Fleet *fleet, int worker_index, const Amount *amount, int times)
{
	Worker *worker = &fleet->workers[worker_index];

	worker->assignments += times * amount->assignments;
	worker->cpu_used += times * amount->cpu;
	worker->memory_used += times * amount->memory;
	for (int d = 0; d < worker->ndevices; d++)
	{
		Device *device = &fleet->devices[worker->first_device + d];

		device->slots += times * amount->devices[d].slots;
		device->share += times * amount->devices[d].share;
		device->memory_used += times * amount->devices[d].memory;
	}
}

/* Adds what an assignment holds of its worker to an amount. */
static void
add_running(const Fleet *fleet, Amount *amount, const Running *running)
{
	const Worker *worker = &fleet->workers[running->worker];

	amount->assignments++;
	amount->cpu += running->cpu_millicores;
	amount->memory += running->host_memory_bytes;
	for (int i = 0; i < running->ndevices; i++)
	{
		int d = running->devices[i] - worker->first_device;

		amount->devices[d].slots += running->slots;
		amount->devices[d].share += running->share;
		amount->devices[d].memory += running->device_memory_bytes;
		if (fleet->devices[running->devices[i]].uses_host_memory)
			amount->memory += running->device_memory_bytes;
	}
}

/* Returns what a workload holds of a worker and its devices. */
static Running
running_of(const WorkKind *kind, int worker, const int32 *devices, int ndevices)
{
	return (Running){.worker = worker,
					 .cpu_millicores = kind->demand.cpu_millicores,
					 .host_memory_bytes = kind->demand.host_memory_bytes,
					 .ndevices = ndevices,
					 .devices = devices,
					 .slots = demanded_slots(&kind->demand),
					 .share = demanded_share(&kind->demand),
					 .device_memory_bytes = kind->profile.min_memory_bytes};
}

/* --- places --- */

/* Returns the place of a reservation on a worker; NULL: it has none there. */
static ReservedPlace *
place_on(const Reservation *reservation, int worker)
{
	for (int p = 0; p < reservation->nplaces; p++)
		if (reservation->places[p].worker == worker)
			return &reservation->places[p];
	return NULL;
}

/*
 * Adds to a reservation what its work, or the next part of a gang, is to hold.  There is room
 * for members and places.
 */
void
reservation_add_member(const Fleet *fleet, Reservation *reservation, const Running *wanted)
{
	ReservedPlace *place = place_on(reservation, wanted->worker);
	Running *member = &reservation->members[reservation->nmembers++];
	int32 *devices = palloc(sizeof(int32) * (wanted->ndevices + 1));

	*member = *wanted;
	memcpy(devices, wanted->devices, sizeof(int32) * wanted->ndevices);
	member->devices = devices;
	if (place == NULL)
	{
		int n = fleet->workers[wanted->worker].ndevices;

		place = &reservation->places[reservation->nplaces++];
		*place = (ReservedPlace){wanted->worker, no_amount(n), no_amount(n), no_amount(n)};
	}
	add_running(fleet, &place->wanted, wanted);
}

/*
 * Tells a reservation of something that ends before it starts.  Returns whether that is where it
 * has a place.
 */
bool
reservation_ends(const Fleet *fleet, Reservation *reservation, const Running *running)
{
	ReservedPlace *place = place_on(reservation, running->worker);

	if (place != NULL)
		add_running(fleet, &place->ends, running);
	return place != NULL;
}

/* Returns what is booked for a place: what is wanted, less what ends. */
static Amount
booked_amount(const Search *search, const ReservedPlace *place)
{
	int n = search->fleet->workers[place->worker].ndevices;
	int64 slots = search->settings.max_concurrent;
	Amount amount = no_amount(n);

	amount.assignments = Max(0, place->wanted.assignments - place->ends.assignments);
	amount.cpu = Max(0, place->wanted.cpu - place->ends.cpu);
	amount.memory = Max(0, place->wanted.memory - place->ends.memory);
	for (int d = 0; d < n; d++)
	{
		const DeviceAmount *wanted = &place->wanted.devices[d];
		const DeviceAmount *ends = &place->ends.devices[d];
		/* as device_room() counts; a remainder is too little for anything */
		int64 held = (wanted->slots - ends->slots) * (int64) WHOLE_SHARE +
					 (wanted->share - ends->share) * slots;

		amount.devices[d].share = (int32) (Max(0, held) / slots);
		amount.devices[d].memory = Max(0, wanted->memory - ends->memory);
	}
	return amount;
}

/* Books what is kept at a place, or takes that back, without telling the search. */
static void
book_place(Search *search, Reservation *reservation, ReservedPlace *place, bool book)
{
	if (book)
		place->booked = booked_amount(search, place);
	book_amount(search->fleet, place->worker, &place->booked, book ? 1 : -1);
	if (reservation->alone)
		search->fleet->workers[place->worker].cordoned = book;
}

/* Keeps a reservation's places from what comes now. */
static void
book_reservation(Search *search, Reservation *reservation)
{
	reservation->booked = true;
	if (!reservation->keys_taken)
		take_keys(search->key_rooms, &reservation->keys);
	reservation->keys_taken = true;
	for (int p = 0; p < reservation->nplaces; p++)
	{
		ReservedPlace *place = &reservation->places[p];

		search->fleet->workers[place->worker].reserved = true;
		book_place(search, reservation, place, true);
		worker_changed(search, place->worker);
	}
}

/*
 * Books the reservations that stand before items[index], are not booked so far, and whose work has
 * got no place.
 */
void
reservations_book(Search *search, const QueueItem *items, int index)
{
	for (int r = 0; r < search->nreservations; r++)
	{
		Reservation *reservation = &search->reservations[r];

		if (!reservation->booked && reservation->from <= index &&
			(reservation->item < 0 || items == NULL || items[reservation->item].nplacements == 0))
			book_reservation(search, reservation);
	}
}

/*
 * Takes all back that is booked for reservations, so that the fleet has what was decided only;
 * the search is over.
 */
void
reservations_give_back(Search *search)
{
	for (int r = 0; r < search->nreservations; r++)
	{
		Reservation *reservation = &search->reservations[r];

		for (int p = 0; p < reservation->nplaces && reservation->booked; p++)
			book_place(search, reservation, &reservation->places[p], false);
		reservation->booked = false;
	}
}

/* Gives a copy of a search reservations of its own. */
void
reservations_copy(Search *search)
{
	Reservation *copy = palloc(sizeof(Reservation) * (search->nreservations + 1));

	for (int r = 0; r < search->nreservations; r++)
	{
		const Reservation *reservation = &search->reservations[r];

		copy[r] = *reservation;
		copy[r].places = palloc(sizeof(ReservedPlace) * (reservation->nplaces + 1));
		for (int p = 0; p < reservation->nplaces; p++)
		{
			const ReservedPlace *place = &reservation->places[p];
			int n = search->fleet->workers[place->worker].ndevices;

			copy[r].places[p] =
				(ReservedPlace){place->worker, copy_amount(&place->wanted, n),
								copy_amount(&place->ends, n), copy_amount(&place->booked, n)};
		}
	}
	search->reservations = copy;
	search->reservations_allocated = search->nreservations;
}

/* Returns the first item after first, up to last, that stands behind a reservation not booked. */
int
reservation_boundary(const Search *search, int first, int last)
{
	for (int r = 0; r < search->nreservations; r++)
		if (!search->reservations[r].booked && search->reservations[r].from > first)
			last = Min(last, search->reservations[r].from);
	return last;
}

/* --- one reservation --- */

/* Returns whether a place is reserved for an item. */
bool
is_reserved_for(const Search *search, int item)
{
	for (int r = 0; r < search->nreservations; r++)
		if (search->reservations[r].item == item)
			return true;
	return false;
}

/*
 * Takes back for a moment what is booked for an item, so that it can be looked at what room it
 * has; NULL if nothing is.
 */
Reservation *
reservation_lift(Search *search, int item)
{
	for (int r = 0; r < search->nreservations; r++)
	{
		Reservation *reservation = &search->reservations[r];

		if (reservation->item != item || !reservation->booked)
			continue;
		for (int p = 0; p < reservation->nplaces; p++)
			book_place(search, reservation, &reservation->places[p], false);
		reservation->booked = false;
		return reservation;
	}
	return NULL;
}

/* Books what was lifted again. */
void
reservation_restore(Search *search, Reservation *reservation)
{
	if (reservation != NULL)
		book_reservation(search, reservation);
}

/* Drops a reservation that was lifted: who it was for has a place. */
void
reservation_drop(Search *search, Reservation *reservation)
{
	if (reservation == NULL)
		return;
	for (int p = 0; p < reservation->nplaces; p++)
	{
		search->fleet->workers[reservation->places[p].worker].reserved = false;
		worker_changed(search, reservation->places[p].worker);
	}
	*reservation = search->reservations[--search->nreservations];
}

/* --- what runs --- */

static int
compare_running(const void *a, const void *b)
{
	const Running *x = a;
	const Running *y = b;

	if (x->worker != y->worker)
		return x->worker - y->worker;
	if (x->ends_in != y->ends_in)
		return x->ends_in < y->ends_in ? -1 : 1;
	return (x->assignment_id > y->assignment_id) - (x->assignment_id < y->assignment_id);
}

/* Returns what was promised to an item; NULL: nothing. */
static const Promise *
promise_to(const Search *search, int item)
{
	for (int i = 0; i < search->npromises; i++)
		if (search->promises[i].item == item)
			return &search->promises[i];
	return NULL;
}

static bool
was_promised(const Promise *promise, int worker)
{
	bool promised = false;

	for (int i = 0; promise != NULL && i < promise->nworkers; i++)
		promised = promised || promise->workers[i] == worker;
	return promised;
}

/* Returns whether a worker can be reserved for an item at all. */
static bool
may_be_reserved(Search *search, const QueueItem *item, int worker_index)
{
	const Worker *worker = &search->fleet->workers[worker_index];

	if (!worker->accepting || worker->cordoned || worker->reserved ||
		worker_unsuitable(search, &search->kinds[item->kind], worker) != FITS ||
		keeps_apart(search, item, worker_index))
		return false;
	for (int i = 0; i < item->navoided; i++)
		if (item->avoided[i] == worker_index)
			return false;
	return true;
}

/* A worker, and how much runs there. */
typedef struct Busy
{
	int32 assignments;
	int32 worker;
} Busy;

static int
compare_busy(const void *a, const void *b)
{
	const Busy *x = a;
	const Busy *y = b;

	return x->assignments != y->assignments ? x->assignments - y->assignments :
											  x->worker - y->worker;
}

/*
 * Returns, by worker, of whom it is to be known what runs there, if items[index] is the first
 * to wait; NULL: of all.  Where more than MOST_RUNNING are live, these are those that could be
 * reserved for it and have the least to end, and those where it was promised a place.
 */
static const bool *
choose_told(Search *search, const QueueItem *items, int index)
{
	const Fleet *fleet = search->fleet;
	const WorkKind *kind = &search->kinds[items[index].kind];
	const Promise *promise = promise_to(search, index);
	int least = is_gang(kind) ? gang_least(&kind->profile, &kind->demand) : 1;
	int64 live = 0;
	int n = 0;
	Busy *busy;
	bool *told;

	for (int w = 0; w < fleet->nworkers; w++)
		live += fleet->workers[w].assignments;
	if (live <= MOST_RUNNING)
		return NULL;
	busy = palloc_huge(sizeof(Busy) * (fleet->nworkers + 1));
	told = palloc_huge(sizeof(bool) * (fleet->nworkers + 1));
	for (int w = 0; w < fleet->nworkers; w++)
	{
		told[w] = was_promised(promise, w);
		if (may_be_reserved(search, &items[index], w))
			busy[n++] = (Busy){fleet->workers[w].assignments, w};
	}
	qsort(busy, n, sizeof(Busy), compare_busy);
	live = 0;
	for (int i = 0; i < n && (i < least || live + busy[i].assignments <= MOST_RUNNING); i++)
	{
		live += busy[i].assignments;
		told[busy[i].worker] = true;
	}
	pfree(busy);
	return told;
}

/* Reads what runs where items[index] could wait for a place, unless anything was read before. */
void
running_prepare(Search *search, const QueueItem *items, int index)
{
	if (search->running_known)
		return;
	search->running_known = true;
	if (search->read_running == NULL)
		return;
	search->told = choose_told(search, items, index);
	search->read_running(search);
}

/* Notes that an assignment has ended since. */
void
running_ended(Search *search, int64 assignment_id)
{
	int kept = 0;

	for (int i = 0; i < search->nrunning; i++)
		if (search->running[i].assignment_id != assignment_id)
			search->running[kept++] = search->running[i];
	search->nrunning = kept;
}

/* What runs and what was decided, by worker and expected end. */
typedef struct Ends
{
	int count;
	Running *running;
	int *first; /* by worker, one more than there are */
} Ends;

/* Returns a decision as something that runs. */
static Running
running_of_placement(const Search *search, const QueueItem *items, int number)
{
	const Placement *placement = &search->placements[number];
	Running running = running_of(&search->kinds[items[placement->item].kind], placement->worker,
								 &search->chosen[placement->first_device], placement->ndevices);

	running.ends_in = placement->p90_seconds;
	return running;
}

static Ends
collect_ends(Search *search, const QueueItem *items, int index)
{
	int nworkers = search->fleet->nworkers;
	Ends ends;

	ends.first = palloc_huge(sizeof(int) * (nworkers + 2));
	if (search->running_of != NULL)
	{
		ends.count = 0;
		ends.running = NULL;
		return ends;
	}
	running_prepare(search, items, index);
	ends.running = palloc_huge(sizeof(Running) * (search->nrunning + search->nplacements + 1));
	if (search->nrunning > 0)
		memcpy(ends.running, search->running, sizeof(Running) * search->nrunning);
	ends.count = search->nrunning;
	for (int i = 0; i < search->nplacements; i++)
		ends.running[ends.count++] = running_of_placement(search, items, i);
	qsort(ends.running, ends.count, sizeof(Running), compare_running);
	for (int w = 0, i = 0; w <= nworkers; w++)
	{
		while (i < ends.count && ends.running[i].worker < w)
			i++;
		ends.first[w] = i;
	}
	return ends;
}

/* Looks at a worker: where what runs is told by worker, its ends are all there are then. */
static void
look_at_ends(Search *search, const QueueItem *items, int worker, Ends *ends)
{
	Running *running;
	int n;

	if (search->running_of == NULL)
		return;
	n = search->running_of(search, worker, &running);
	if (ends->running != NULL)
		pfree(ends->running);
	ends->running = palloc_huge(sizeof(Running) * (n + search->nplacements + 1));
	if (n > 0)
		memcpy(ends->running, running, sizeof(Running) * n);
	pfree(running);
	ends->count = n;
	for (int i = 0; i < search->nplacements; i++)
		if (search->placements[i].worker == worker)
			ends->running[ends->count++] = running_of_placement(search, items, i);
	qsort(ends->running, ends->count, sizeof(Running), compare_running);
	ends->first[worker] = 0;
	ends->first[worker + 1] = ends->count;
}

/* --- where who waits can start --- */

/* A worker as it was before it was looked at in the future. */
typedef struct SavedWorker
{
	Worker worker;
	Device *devices;
} SavedWorker;

static SavedWorker
save_worker(const Fleet *fleet, int worker)
{
	SavedWorker saved = {.worker = fleet->workers[worker]};

	saved.devices = palloc(sizeof(Device) * (saved.worker.ndevices + 1));
	memcpy(saved.devices, &fleet->devices[saved.worker.first_device],
		   sizeof(Device) * saved.worker.ndevices);
	return saved;
}

static void
restore_worker(Fleet *fleet, int worker, SavedWorker *saved)
{
	fleet->workers[worker] = saved->worker;
	memcpy(&fleet->devices[saved->worker.first_device], saved->devices,
		   sizeof(Device) * saved->worker.ndevices);
	pfree(saved->devices);
}

/* Takes from a worker what an assignment holds of it. */
static void
end_running(Fleet *fleet, const Running *running)
{
	Amount amount = no_amount(fleet->workers[running->worker].ndevices);

	add_running(fleet, &amount, running);
	book_amount(fleet, running->worker, &amount, -1);
	pfree(amount.devices);
}

/* Takes everything from a worker. */
static void
empty_worker(Fleet *fleet, int worker_index)
{
	Worker *worker = &fleet->workers[worker_index];

	worker->assignments = 0;
	worker->runs_alone = false;
	worker->cpu_used = worker->memory_used = 0;
	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
	{
		fleet->devices[d].slots = fleet->devices[d].share = 0;
		fleet->devices[d].memory_used = 0;
	}
}

/* Returns whether an item, or its next member, fits on a worker as it is. */
static bool
fits_there(Search *search, const QueueItem *item, int worker, Candidate *candidate)
{
	return (!item->alone || search->fleet->workers[worker].assignments == 0) &&
		   search_candidate(search, &search->kinds[item->kind], worker, candidate) == FITS;
}

/*
 * Lets a worker go on, from the next of what runs there, until what ends by then has
 * ended; INFINITY: until it is empty.  Returns what is next then.  What loads it may be what it
 * does for us.
 */
static int
wait_until(Search *search, int worker, const Ends *ends, int next, double then)
{
	Fleet *fleet = search->fleet;
	Worker *w = &fleet->workers[worker];

	if (w->assignments > 0)
		for (int d = w->first_device; d < w->first_device + w->ndevices; d++)
			fleet->devices[d].load = 0;
	for (; next < ends->first[worker + 1] && ends->running[next].ends_in <= then; next++)
		end_running(fleet, &ends->running[next]);
	if (isinf(then))
		empty_worker(fleet, worker);
	else if (w->assignments == 0)
		w->runs_alone = false;
	return next;
}

/* Where, and when, who waits could start. */
typedef struct Prospect
{
	int32 worker;
	int32 members; /* of a gang */
	int32 assignments; /* that have to end first; 0: it could take one now */
	double starts_in;
	bool promised; /* it was reserved before */
} Prospect;

/*
 * Finds out when an item, or a member of it, can start on a worker, and how many of most members
 * it takes then; with whole, when all of the worker is free.  Does not look beyond latest.
 */
static bool
find_start(Search *search, const QueueItem *item, int worker, const Ends *ends, int most,
		   bool whole, double latest, Prospect *prospect)
{
	Fleet *fleet = search->fleet;
	WorkKind *kind = &search->kinds[item->kind];
	const Running *running = ends->running;
	int next = ends->first[worker];
	int last = ends->first[worker + 1];
	double then = 0;
	Candidate candidate;
	FilterReason reason = search_candidate(search, kind, worker, &candidate);
	bool fits = reason == FITS && fits_there(search, item, worker, &candidate);
	SavedWorker saved;

	*prospect = (Prospect){.worker = worker,
						   .assignments = fits ? 0 : Max(fleet->workers[worker].assignments, 1)};
	if (reason <= FILTERED_NEVER)
		return false;
	saved = save_worker(fleet, worker);
	if (whole && next < last)
	{
		then = Max(0, running[last - 1].ends_in);
		next = wait_until(search, worker, ends, next, then);
	}
	if (whole && fleet->workers[worker].assignments > 0)
	{
		then = INFINITY;
		next = wait_until(search, worker, ends, next, then);
	}
	if (whole)
		fits = fits_there(search, item, worker, &candidate);
	while (!fits && then <= latest && !isinf(then))
	{
		/* several members wait for the whole worker; nobody may know when all of it ends */
		if (next == last)
			then = INFINITY;
		else
			then = Max(0, running[most > 1 ? last - 1 : next].ends_in);
		next = wait_until(search, worker, ends, next, then);
		fits = fits_there(search, item, worker, &candidate);
	}
	while (fits && then <= latest && prospect->members < most)
	{
		fleet_occupy(fleet, kind, worker, candidate.devices, candidate.ndevices, 1);
		prospect->members++;
		fits = fits_there(search, item, worker, &candidate);
	}
	prospect->starts_in = then;
	restore_worker(fleet, worker, &saved);
	return prospect->members > 0;
}

static int
compare_prospects(const void *a, const void *b)
{
	const Prospect *x = a;
	const Prospect *y = b;

	if (x->starts_in != y->starts_in)
		return x->starts_in < y->starts_in ? -1 : 1;
	if (x->promised != y->promised)
		return y->promised - x->promised;
	return x->assignments != y->assignments ? x->assignments - y->assignments :
											  x->worker - y->worker;
}

/*
 * Finds the workers where an item could start, or a part of it: as soon as a part can, or with
 * whole once all of a worker is free.  Returns how many parts they could take together.
 */
static int64
find_prospects(Search *search, const QueueItem *items, int index, Ends *ends, bool whole,
			   Prospect *prospects, int *count)
{
	const QueueItem *item = &items[index];
	WorkKind *kind = &search->kinds[item->kind];
	const Promise *promise = promise_to(search, index);
	int least = is_gang(kind) ? gang_least(&kind->profile, &kind->demand) : 1;
	int most_here = is_gang(kind) && may_share_worker(kind) ? least : 1;
	double latest = INFINITY;
	int64 members = 0;

	*count = 0;
	for (int w = 0; w < search->fleet->nworkers; w++)
	{
		Prospect *prospect = &prospects[*count];
		bool promised;

		CHECK_FOR_INTERRUPTS();
		if ((search->told != NULL && !search->told[w]) || !may_be_reserved(search, item, w))
			continue;
		promised = was_promised(promise, w);
		look_at_ends(search, items, w, ends);
		if (!find_start(search, item, w, ends, most_here, whole, promised ? INFINITY : latest,
						prospect))
			continue;
		prospect->promised = promised;
		/* what is late where it was promised makes no other place better */
		if (prospect->promised)
			prospect->starts_in = Min(prospect->starts_in, Max(0, promise->backfill_in));
		if (least == 1)
			latest = Min(latest, prospect->starts_in);
		members += prospect->members;
		(*count)++;
	}
	return members;
}

/* What is known of when a kind of work can start on a worker. */
typedef struct Outlook
{
	uint32 version; /* of the worker, of which this holds; 0: not known */
	bool ever;
	bool now;
	int64 at; /* by Search.clock; INT64_MAX: nobody knows */
} Outlook;

/*
 * Does the same as find_prospects() for work of one part, where the search goes on over many
 * decisions: of workers that have not changed it knows the answer.
 */
static int64
recall_prospects(Search *search, const QueueItem *items, int index, Ends *ends, Prospect *prospects,
				 int *count)
{
	const QueueItem *item = &items[index];
	KindState *state = search->kinds[item->kind].state;
	const Promise *promise = promise_to(search, index);

	if (state->outlook == NULL)
	{
		Size size = sizeof(Outlook) * (search->fleet->nworkers + 1);

		state->outlook = palloc_huge(size);
		memset(state->outlook, 0, size);
	}
	*count = 0;
	for (int w = 0; w < search->fleet->nworkers; w++)
	{
		const Worker *worker = &search->fleet->workers[w];
		uint32 version = search->state->versions[w] + 1;
		Outlook *outlook = &state->outlook[w];
		Prospect *prospect = &prospects[*count];

		if (!worker->accepting || worker->cordoned || worker->reserved)
			continue;
		if (outlook->version != version)
		{
			*outlook = (Outlook){.version = version};
			if (may_be_reserved(search, item, w))
			{
				look_at_ends(search, items, w, ends);
				outlook->ever = find_start(search, item, w, ends, 1, false, INFINITY, prospect);
				outlook->now = prospect->assignments == 0;
				outlook->at = isinf(prospect->starts_in) ?
								  INT64_MAX :
								  search->clock + llrint(prospect->starts_in * 1e6);
			}
		}
		if (!outlook->ever)
			continue;
		*prospect = (Prospect){.worker = w,
							   .members = 1,
							   .assignments = outlook->now ? 0 : Max(worker->assignments, 1),
							   .promised = was_promised(promise, w)};
		prospect->starts_in =
			outlook->at == INT64_MAX ? INFINITY : Max(0, (outlook->at - search->clock) / 1e6);
		if (prospect->promised)
			prospect->starts_in = Min(prospect->starts_in, Max(0, promise->backfill_in));
		(*count)++;
	}
	return *count;
}

/* Puts the prospects that come first, as many as so many parts can need, into their order. */
static void
order_prospects(Prospect *prospects, int count, int least)
{
	int best = 0;

	if (least > 1)
	{
		qsort(prospects, count, sizeof(Prospect), compare_prospects);
		return;
	}
	for (int i = 1; i < count; i++)
		if (compare_prospects(&prospects[i], &prospects[best]) < 0)
			best = i;
	if (count > 0)
	{
		Prospect first = prospects[best];

		prospects[best] = prospects[0];
		prospects[0] = first;
	}
}

/* Reserves the place on a worker at some time: what is wanted there, and what ends by then. */
static void
take_place(Search *search, const QueueItem *items, const QueueItem *item, Ends *ends,
		   const Prospect *prospect, double then, Reservation *reservation)
{
	Fleet *fleet = search->fleet;
	WorkKind *kind = &search->kinds[item->kind];
	int worker = prospect->worker;
	int next;
	SavedWorker saved = save_worker(fleet, worker);
	Candidate candidate;
	ReservedPlace *place;

	look_at_ends(search, items, worker, ends);
	next = ends->first[worker];
	(void) wait_until(search, worker, ends, next, then);
	for (int m = 0; m < prospect->members && fits_there(search, item, worker, &candidate); m++)
	{
		Running wanted = running_of(kind, worker, candidate.devices, candidate.ndevices);

		reservation_add_member(fleet, reservation, &wanted);
		fleet_occupy(fleet, kind, worker, candidate.devices, candidate.ndevices, 1);
	}
	restore_worker(fleet, worker, &saved);
	for (; !isinf(then) && next < ends->first[worker + 1] && ends->running[next].ends_in <= then;
		 next++)
		(void) reservation_ends(fleet, reservation, &ends->running[next]);
	place = place_on(reservation, worker);
	if (!isinf(then) || place == NULL)
		return;
	/* all of it has to end */
	place->ends.assignments = fleet->workers[worker].assignments;
	place->ends.cpu = fleet->workers[worker].cpu_used;
	place->ends.memory = fleet->workers[worker].memory_used;
	for (int d = 0; d < fleet->workers[worker].ndevices; d++)
	{
		const Device *device = &fleet->devices[fleet->workers[worker].first_device + d];

		place->ends.devices[d] = (DeviceAmount){device->slots, device->share, device->memory_used};
	}
}

/* Adds a reservation and books it. */
static void
add_reservation(Search *search, Reservation reservation)
{
	if (search->nreservations == search->reservations_allocated)
	{
		int n = search->reservations_allocated = Max(4, 2 * search->reservations_allocated);

		search->reservations = search->reservations == NULL ?
								   palloc(sizeof(Reservation) * n) :
								   repalloc_huge(search->reservations, sizeof(Reservation) * n);
	}
	search->reservations[search->nreservations] = reservation;
	book_reservation(search, &search->reservations[search->nreservations++]);
}

/* Returns whether an item, which has to wait, is one of those that get a place reserved. */
static bool
deserves_reservation(const Search *search, const QueueItem *item)
{
	const WorkKind *kind = &search->kinds[item->kind];

	if (!search->reserves || search->nreservations >= Max(search->most_reservations, 1))
		return false;
	if (kind->state->never_starts && !is_choosy(item))
		return false;
	return search->most_reservations > 0 || is_gang(kind) || item->alone;
}

/*
 * Reserves places for items[index], which has to wait, if it is one of the first
 * that do: where it can start first, all of a gang together.  Work that would not even fit into an
 * empty fleet gets none.
 */
void
reserve_place(Search *search, const QueueItem *items, int index)
{
	const QueueItem *item = &items[index];
	WorkKind *kind = &search->kinds[item->kind];
	const Promise *promise = promise_to(search, index);
	int least = is_gang(kind) ? gang_least(&kind->profile, &kind->demand) : 1;
	Prospect *prospects;
	Ends ends;
	int count;
	bool whole = false;
	bool enough;

	if (!deserves_reservation(search, item))
		return;
	ends = collect_ends(search, items, index);
	prospects = palloc_huge(sizeof(Prospect) * (search->fleet->nworkers + 1));
	if (search->refills && !is_gang(kind) && !is_choosy(item))
		enough = recall_prospects(search, items, index, &ends, prospects, &count) >= least;
	else
		enough = find_prospects(search, items, index, &ends, false, prospects, &count) >= least;
	/* parts that share a worker may have to wait for more than the first of them */
	if (!enough && least > 1)
	{
		whole = true;
		enough = find_prospects(search, items, index, &ends, true, prospects, &count) >= least;
	}
	if (enough)
	{
		Reservation reservation = {
			.item = index, .from = index + 1, .keys = item->keys, .alone = item->alone};
		int64 members = 0;
		int chosen = 0;

		order_prospects(prospects, count, least);
		for (; chosen < count && members < least; chosen++)
		{
			Prospect *prospect = &prospects[chosen];

			/* a promise that is late is no time to start at */
			if (prospect->promised)
			{
				look_at_ends(search, items, prospect->worker, &ends);
				(void) find_start(search, item, prospect->worker, &ends, prospect->members, whole,
								  INFINITY, prospect);
			}
			members += prospect->members;
			reservation.starts_in = Max(reservation.starts_in, prospect->starts_in);
		}
		reservation.backfill_in = isinf(reservation.starts_in) ? 0 : reservation.starts_in;
		if (promise != NULL)
			reservation.backfill_in = Min(reservation.backfill_in, promise->backfill_in);
		reservation.members = palloc(sizeof(Running) * (members + 1));
		reservation.places = palloc(sizeof(ReservedPlace) * (chosen + 1));
		for (int i = 0; i < chosen; i++)
			take_place(search, items, item, &ends, &prospects[i], reservation.starts_in,
					   &reservation);
		add_reservation(search, reservation);
	}
	else if (!is_choosy(item) && !is_gang(kind))
		kind->state->never_starts = true;
	pfree(prospects);
	if (ends.running != NULL)
		pfree(ends.running);
	pfree(ends.first);
}

/* --- backfill --- */

/* Opens a reserved place to what is over in time, as if nothing were booked there. */
static void
open_place(Search *search, Reservation *reservation, ReservedPlace *place)
{
	book_place(search, reservation, place, false);
	worker_changed(search, place->worker);
}

/* Closes it again, after a candidate has got it. */
static void
close_place(Search *search, Reservation *reservation, ReservedPlace *place, int item_kind,
			const Candidate *candidate)
{
	if (candidate != NULL)
	{
		Running running = running_of(&search->kinds[item_kind], place->worker, candidate->devices,
									 candidate->ndevices);

		add_running(search->fleet, &place->ends, &running);
		search->placements[search->nplacements - 1].backfill = true;
	}
	book_place(search, reservation, place, true);
	worker_changed(search, place->worker);
}

/*
 * Returns whether an item could use a reserved place and be over in time; sets *fits to whether
 * there is room for it.
 */
static bool
is_over_in_time(Search *search, const QueueItem *item, Reservation *reservation,
				ReservedPlace *place, bool *fits)
{
	WorkKind *kind = &search->kinds[item->kind];
	Candidate candidate;
	double seconds;

	book_place(search, reservation, place, false);
	*fits = search_candidate(search, kind, place->worker, &candidate) == FITS;
	book_place(search, reservation, place, true);
	if (!*fits || keeps_apart(search, item, place->worker))
		return false;
	for (int i = 0; i < item->navoided; i++)
		if (item->avoided[i] == place->worker)
			return false;
	seconds = candidate_seconds(search, kind, &candidate, item->expected_seconds, item->subject);
	return candidate_p90(search, &candidate, seconds, item->subject) <= reservation->backfill_in;
}

/*
 * Places items[index], which fits nowhere else, where a place is reserved for who
 * stands before it, if it is over in time.  Returns whether it was.
 */
bool
backfill(Search *search, const QueueItem *items, int index)
{
	const QueueItem *item = &items[index];
	WorkKind *kind = &search->kinds[item->kind];
	bool room = false;

	/* what has found no room there finds none later */
	if (search->nreservations == 0 || kind->state->found_no_place == search->nreservations)
		return false;
	for (int r = 0; r < search->nreservations; r++)
	{
		Reservation *reservation = &search->reservations[r];

		for (int p = 0; p < reservation->nplaces && reservation->booked; p++)
		{
			ReservedPlace *place = &reservation->places[p];
			Candidate candidate;
			double score;
			bool fits;
			bool found;

			if (!is_over_in_time(search, item, reservation, place, &fits))
			{
				room = room || fits;
				continue;
			}
			open_place(search, reservation, place);
			found = policy_search_best(search, kind, &candidate, &score) &&
					candidate.worker == place->worker;
			if (found)
			{
				reserve_item(search, items, index, &candidate, score);
				note_place(search, item, candidate.worker, candidate.devices[0]);
			}
			close_place(search, reservation, place, item->kind, found ? &candidate : NULL);
			if (found)
				return true;
			room = true;
		}
	}
	if (!room && !is_choosy(item))
		kind->state->found_no_place = search->nreservations;
	return false;
}

/* Books a candidate that was decided on as backfill. */
Placement *
backfill_reserve(Search *search, WorkKind *kind, int item, const Candidate *candidate, double score)
{
	for (int r = 0; r < search->nreservations; r++)
	{
		Reservation *reservation = &search->reservations[r];

		for (int p = 0; p < reservation->nplaces && reservation->booked; p++)
		{
			ReservedPlace *place = &reservation->places[p];

			if (place->worker != candidate->worker)
				continue;
			open_place(search, reservation, place);
			(void) reserve_candidate(search, kind, item, candidate, score);
			close_place(search, reservation, place, kind - search->kinds, candidate);
			return &search->placements[search->nplacements - 1];
		}
	}
	return reserve_candidate(search, kind, item, candidate, score);
}
