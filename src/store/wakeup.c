/*
 * wakeup.c
 *		The dispatcher of each database, and what wakes it: a slot in shared memory.
 *
 * Whoever changes something notes the pool, and sets the dispatcher's latch once
 * the transaction commits, unless the note is there already: many changes are one
 * wake-up.  A note is a bit of the hash of the pool's name, so two pools may
 * share one, and cost each other a look.  What was not noted (a prepared
 * transaction, a statement on the tables themselves) the dispatcher finds by a
 * look now and then.
 *
 * Room is news only where work waits for it, which the dispatcher says in the
 * slot: elsewhere a completion wakes nobody.
 *
 * The slots are a few kilobytes.  Without shared_preload_libraries they come out
 * of what PostgreSQL has to spare, as those of pg_prewarm do.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/wait_event.h"

#include "store/wakeup.h"
#include "support/subtransaction.h"

/* So many databases of a server have a dispatcher at most. */
#define DATABASES 64

/* How long somebody waits for a dispatcher that was told to leave. */
#define LEAVES_WITHIN_MS 5000

/* --- the slots --- */

typedef struct SharedPoolSet
{
	pg_atomic_uint64 words[POOL_WORDS];
} SharedPoolSet;

typedef struct Slot
{
	Oid database; /* InvalidOid: it was never used */
	int pid; /* 0: nobody dispatches the database */
	Latch *latch;
	bool ready; /* it has found the extension */
	bool forbidden; /* by stop_dispatcher() */
	SharedPoolSet changed;
	SharedPoolSet waiting;
} Slot;

typedef struct Slots
{
	slock_t mutex; /* for all but the sets */
	Latch *launcher; /* NULL: there is none */
	bool wanted; /* a look of the launcher */
	bool died; /* a dispatcher */
	Slot slots[DATABASES];
} Slots;

static Slots *shared;
static Slot *own_slot; /* of a dispatcher */

static void
set_clear(SharedPoolSet *set)
{
	for (int i = 0; i < POOL_WORDS; i++)
		pg_atomic_write_u64(&set->words[i], 0);
}

/* Finds the slots, or makes them. */
static void
attach(void *unused)
{
	bool found;
	Slots *slots;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	slots = ShmemInitStruct("hwsched dispatchers", sizeof(Slots), &found);
	if (!found)
	{
		memset(slots, 0, sizeof(Slots));
		SpinLockInit(&slots->mutex);
		for (int i = 0; i < DATABASES; i++)
			for (int w = 0; w < POOL_WORDS; w++)
			{
				pg_atomic_init_u64(&slots->slots[i].changed.words[w], 0);
				pg_atomic_init_u64(&slots->slots[i].waiting.words[w], 0);
			}
	}
	LWLockRelease(AddinShmemInitLock);
	shared = slots;
}

/* Returns whether there are slots: not where shared memory has no room for them. */
bool
dispatchers_attach(void)
{
	static bool failed = false;

	if (shared == NULL && !failed)
	{
		if (IsTransactionState())
			failed = attempt(attach, NULL) != NULL;
		else
			attach(NULL);
	}
	return shared != NULL;
}

/* Returns the slot of a database, or NULL. */
static Slot *
find_slot(Oid database)
{
	static Slot *last = NULL;

	if (last != NULL && last->database == database)
		return last;
	for (int i = 0; i < DATABASES && OidIsValid(shared->slots[i].database); i++)
		if (shared->slots[i].database == database)
			return last = &shared->slots[i];
	return NULL;
}

/*
 * Returns the slot of a database, be it a new one, or NULL if all are in use; the
 * mutex is held.
 */
static Slot *
make_slot(Oid database)
{
	Slot *slot = find_slot(database);

	for (int i = 0; i < DATABASES && slot == NULL; i++)
		if (shared->slots[i].pid == 0 && !shared->slots[i].forbidden)
			slot = &shared->slots[i];
	if (slot != NULL)
		slot->database = database;
	return slot;
}

/* --- those who change something --- */

/* What this transaction has changed: pools with new work, and pools with more room. */
static PoolSet work;
static PoolSet room;
static bool for_launcher;
static bool noted;

int
pool_bit(const char *pool)
{
	return 1 +
		   DatumGetUInt32(hash_any((const unsigned char *) pool, strlen(pool))) % (POOL_BITS - 1);
}

bool
pool_set_has(const PoolSet *set, int bit)
{
	return (set->words[bit / 64] >> bit % 64 & 1) != 0;
}

static void
note(PoolSet *set, int bit)
{
	if (!dispatchers_attach())
		return;
	set->words[bit / 64] |= UINT64CONST(1) << bit % 64;
	noted = true;
}

/* Notes that a pool has new work, or that something else is to be decided anew. */
void
wake_for_work(const char *pool)
{
	note(&work, pool_bit(pool));
}

/* Notes that what waits in a pool may have a place now. */
void
wake_for_room(const char *pool)
{
	note(&room, pool_bit(pool));
}

/* Notes that a pool came or went, or that all of them did. */
void
wake_for_pools(void)
{
	note(&work, LIST_OF_POOLS);
}

/* Has the launcher look for databases with the extension once this transaction commits. */
void
wake_launcher(void)
{
	for_launcher = noted = dispatchers_attach();
}

static void
set_latch_of_launcher(bool wanted)
{
	Latch *latch;

	SpinLockAcquire(&shared->mutex);
	latch = shared->launcher;
	shared->wanted |= wanted;
	SpinLockRelease(&shared->mutex);
	if (latch != NULL)
		SetLatch(latch);
}

/* Passes what was noted on to the dispatcher of the database. */
static void
wake_dispatcher(void)
{
	Slot *slot = find_slot(MyDatabaseId);
	bool is_news = false;

	if (slot == NULL || slot->pid == 0)
		return;
	for (int i = 0; i < POOL_WORDS; i++)
	{
		uint64 bits = work.words[i];

		if (room.words[i] != 0)
			bits |= room.words[i] & pg_atomic_read_u64(&slot->waiting.words[i]);
		if (bits != 0 && (bits & ~pg_atomic_read_u64(&slot->changed.words[i])) != 0)
			is_news |= (bits & ~pg_atomic_fetch_or_u64(&slot->changed.words[i], bits)) != 0;
	}
	if (is_news)
	{
		Latch *latch = slot->latch;

		if (latch != NULL)
			SetLatch(latch);
	}
}

static void
at_transaction_end(XactEvent event, void *unused)
{
	if (!noted || event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
		return;
	if (event == XACT_EVENT_COMMIT)
		wake_dispatcher();
	if (event == XACT_EVENT_COMMIT && for_launcher)
		set_latch_of_launcher(true);
	dispatcher_forget_own();
}

/* Forgets what this transaction has changed so far: who decides needs not be told of it. */
void
dispatcher_forget_own(void)
{
	work = (PoolSet){0};
	room = (PoolSet){0};
	for_launcher = noted = false;
}

/* --- the dispatcher of a database --- */

static void
leave(int code, Datum unused)
{
	SpinLockAcquire(&shared->mutex);
	own_slot->pid = 0;
	own_slot->latch = NULL;
	own_slot->ready = false;
	shared->died |= code != 0;
	SpinLockRelease(&shared->mutex);
	if (code != 0)
		set_latch_of_launcher(false);
}

/*
 * Makes this process the dispatcher of a database, until it ends; returns false if
 * there is one, none is wanted, or there are too many.  To be called before the
 * process connects: then it has left the database when it gives its slot back.
 */
bool
dispatcher_enter(Oid database)
{
	Slot *slot;

	if (!dispatchers_attach())
		return false;
	SpinLockAcquire(&shared->mutex);
	slot = make_slot(database);
	if (slot != NULL && (slot->pid != 0 || slot->forbidden))
		slot = NULL;
	if (slot != NULL)
	{
		slot->pid = MyProcPid;
		slot->latch = MyLatch;
		slot->ready = false;
		set_clear(&slot->changed);
		set_clear(&slot->waiting);
	}
	SpinLockRelease(&shared->mutex);
	own_slot = slot;
	if (slot != NULL)
		on_shmem_exit(leave, (Datum) 0);
	return slot != NULL;
}

/* Tells who waits for it that this dispatcher works. */
void
dispatcher_ready(void)
{
	own_slot->ready = true;
}

/* Takes what was changed since the last time. */
void
dispatcher_take(PoolSet *changed)
{
	for (int i = 0; i < POOL_WORDS; i++)
		changed->words[i] = pg_atomic_exchange_u64(&own_slot->changed.words[i], 0);
}

/* Says whether there is work in pools of a bit that waits for room. */
void
dispatcher_waits(int bit, bool waits)
{
	uint64 mask = UINT64CONST(1) << bit % 64;

	if (waits)
		pg_atomic_fetch_or_u64(&own_slot->waiting.words[bit / 64], mask);
	else
		pg_atomic_fetch_and_u64(&own_slot->waiting.words[bit / 64], ~mask);
}

/* --- those who start and stop dispatchers --- */

/* Returns the process that dispatches a database, or 0, and whether it works already. */
int
dispatcher_pid(Oid database, bool *ready)
{
	Slot *slot;
	int pid = 0;

	SpinLockAcquire(&shared->mutex);
	slot = find_slot(database);
	*ready = slot != NULL && slot->ready;
	pid = slot == NULL ? 0 : slot->pid;
	SpinLockRelease(&shared->mutex);
	return pid;
}

/* Says whether a database may have a dispatcher; it may until that is forbidden. */
void
dispatcher_allow(Oid database, bool allowed)
{
	Slot *slot;

	SpinLockAcquire(&shared->mutex);
	slot = allowed ? find_slot(database) : make_slot(database);
	if (slot != NULL)
		slot->forbidden = !allowed;
	SpinLockRelease(&shared->mutex);
}

bool
dispatcher_is_allowed(Oid database)
{
	Slot *slot;
	bool forbidden;

	SpinLockAcquire(&shared->mutex);
	slot = find_slot(database);
	forbidden = slot != NULL && slot->forbidden;
	SpinLockRelease(&shared->mutex);
	return !forbidden;
}

/*
 * Ends the dispatcher of a database and waits until it has left, for some seconds
 * at most; returns whether there was one.
 */
bool
dispatcher_end(Oid database)
{
	bool ready;
	int pid = dispatcher_pid(database, &ready);

	if (pid == 0)
		return false;
	kill(pid, SIGTERM);
	for (int waited = 0; waited < LEAVES_WITHIN_MS; waited += 10)
	{
		if (dispatcher_pid(database, &ready) != pid)
			break;
		(void) WaitLatch(MyLatch, WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 10, PG_WAIT_EXTENSION);
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

static void
launcher_leave(int code, Datum unused)
{
	SpinLockAcquire(&shared->mutex);
	shared->launcher = NULL;
	SpinLockRelease(&shared->mutex);
}

/* Makes this process the launcher, until it ends. */
void
launcher_enter(void)
{
	SpinLockAcquire(&shared->mutex);
	shared->launcher = MyLatch;
	SpinLockRelease(&shared->mutex);
	on_shmem_exit(launcher_leave, (Datum) 0);
}

/* Returns whether somebody woke the launcher since the last time, and whether a dispatcher died. */
bool
launcher_is_wanted(bool *died)
{
	bool wanted;

	SpinLockAcquire(&shared->mutex);
	wanted = shared->wanted;
	*died = shared->died;
	shared->wanted = shared->died = false;
	SpinLockRelease(&shared->mutex);
	return wanted;
}

/* --- */

static shmem_request_hook_type next_request;
static shmem_startup_hook_type next_startup;

static void
request(void)
{
	if (next_request)
		next_request();
	RequestAddinShmemSpace(MAXALIGN(sizeof(Slots)));
}

static void
startup(void)
{
	if (next_startup)
		next_startup();
	/* after a crash, shared memory is made anew */
	shared = NULL;
	attach(NULL);
}

/* Installs the hooks; to be called once, when the library is loaded. */
void
dispatchers_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	if (!process_shared_preload_libraries_in_progress)
		return;
	next_request = shmem_request_hook;
	shmem_request_hook = request;
	next_startup = shmem_startup_hook;
	shmem_startup_hook = startup;
}
