/*
 * protocol.pml
 *		Sessions that submit, assign, claim, complete, fail, move, maintain and
 *		cancel at the same time, as the functions in src/ do.
 *
 * A statement is one step.  It sees what is committed when it begins.  Where it
 * changes a row that another transaction has changed, it waits for the end of
 * that transaction and looks at the row again (READ COMMITTED).  A transaction
 * commits, or is lost with its session or its server, in its last step: until
 * then nothing of it shows but its locks.
 *
 * Left out: gangs, dependencies and concurrency keys, and any session that
 * would find nothing to do.
 */
#define W 2						/* workloads, the first is more important */
#define K 2						/* workers */
#define A 4						/* assignments that some session knows of */
#ifndef CAPACITY
#define CAPACITY 1				/* of each worker */
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2				/* of each workload */
#endif
#ifndef LOSSES
#define LOSSES true				/* whether transactions are lost */
#endif
#ifndef SILENCES
#define SILENCES 0				/* how often a worker is found silent */
#endif
#ifndef WAITERS
#define WAITERS 1				/* 1: any waiter is next; all: the first */
#endif

#include "tables.pml"

/*
 * A mutant lacks one guard (-DMUTANT=SETTLE_TWICE).  The checks have to refute
 * each of them.
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#define LACKS(guard) (MUTANT == guard)
#define COMPLETE_UNCHECKED	1	/* complete() does not look at the state */
#define CLAIM_LOCKED		2	/* claim() starts what another session ends */
#define SETTLE_TWICE		3	/* settle() leaves the notes */
#define REQUEUE_HELD		4	/* what is queued again gives nothing back */
#define END_UNCHECKED		5	/* what completed meanwhile is ended */
#define CANCEL_UNSETTLED	6	/* cancel() does not settle what completed meanwhile */
#define EVICT_UNSETTLED		7	/* evict() does not */
#define SILENT_MISSED		8	/* what a silent worker starts meanwhile stays there */
#define EXCEEDING_ONCE		9	/* what starts meanwhile is not made up for */
#define LOCK_UNHELD			10	/* the pool's lock keeps nobody out */
#define LOCK_UNORDERED		11	/* complete_many() locks rows in any order */
#define LEASE_FOR_EVER		12	/* maintain() takes nothing back */
#define DEATH_EARLY			13	/* the last attempt is not made */
#define RETRY_FOR_EVER		14	/* failed attempts do not count */

Tables db;						/* as committed */
Tables own;						/* as the holder of the pool's lock sees them */
byte row[A];					/* the session that has locked an assignment */
byte known[A];					/* how many sessions know its id */
byte silences;
chan pool = [WAITERS] of { byte };	/* the pool's lock: its holder, then who waits */
hidden byte i, j;				/* within one step */

#define HAS(set, a) (((set) >> (a)) & 1)
#define ROOM(k) (!own.offline[k] && own.usage[k] < own.capacity[k])
#define ANY_QUEUED (db.queued[0] || db.queued[1])
#define ANY_ASSIGNED (db.waiting_on[0] || db.waiting_on[1])
#define ANY_LIVE (db.live_on[0] || db.live_on[1])
#define ANY_UNSETTLED (db.noted_on[0] || db.noted_on[1])

/* Sets set to the assignments i of which something is true. */
inline find(set, true_of_i)
{
	d_step {
		set = 0;
		for (i : 0 .. A - 1) {
			set = set + ((true_of_i) << i)
		}
		i = 0
	}
}

/* Sets a to the first assignment of which something is true, or A. */
inline find_first(a, true_of_a)
{
	a = 0;
	do
	:: a < A && !(true_of_a) -> a++
	:: else -> break
	od
}

inline change(t, a, what)
{
	assignment_is(t, a, t.workload[a], t.worker[a], t.attempt[a], what)
}

inline check_all()
{
	for (j : 0 .. W - 1) {
		workload_holds(db, j)
	}
	for (j : 0 .. K - 1) {
		worker_holds(db, j)
	}
	j = 0
}

/* --- without the pool's lock --- */

/*
 * The row is locked, so the holder of the pool's lock has not changed it.  It
 * sees the change from now on.
 */
inline commit_start(a)
{
	change(own, a, RUNNING);
	change(db, a, RUNNING);
	row[a] = 0
}

inline commit_end(a, what)
{
	change(own, a, what);
	change(db, a, what);
	unsettled_is(own, a, true);
	unsettled_is(db, a, true);
	row[a] = 0
}

/* --- the pool's lock: pool_lock_to_decide() --- */

/* Queues the workload of an ended assignment again; after the last attempt it is dead. */
inline queue_again(a, counts)
{
	j = own.attempt[a] + (counts && !LACKS(RETRY_FOR_EVER));
	if
	:: j + LACKS(DEATH_EARLY) <= own.attempts[own.workload[a]] ->
		queued_is(own, own.workload[a], j)
	:: else ->
		submission_is(own, own.workload[a], DEAD, own.attempts[own.workload[a]])
	fi;
	j = 0
}

/* settle(): closes or queues again what has ended, as far as that is committed */
inline settle()
{
	d_step {
		for (i : 0 .. A - 1) {
			if
			:: own.unsettled[i] ->
				if
				:: !LACKS(SETTLE_TWICE) -> unsettled_is(own, i, false)
				:: else
				fi;
				usage_is(own, own.worker[i], own.usage[own.worker[i]] - 1);
				if
				:: own.outcome[own.workload[i]] == OPEN && own.state[i] == COMPLETED ->
					submission_is(own, own.workload[i], COMPLETED, own.attempts[own.workload[i]])
				:: own.outcome[own.workload[i]] == OPEN && own.state[i] == FAILED ->
					queue_again(i, true)
				:: else
				fi
			:: else
			fi
		}
		i = 0
	}
}

inline lock_pool()
{
	atomic {
		if
		:: LACKS(LOCK_UNHELD)
		:: else -> pool ! _pid; pool ? [eval(_pid)]
		fi;
		settle()
	}
}

inline unlock_pool()
{
	if
	:: pool ?? [eval(_pid)] -> pool ?? eval(_pid)
	:: else
	fi
}

inline copy(from, into)
{
	for (j : 0 .. A - 1) {
		into.state[j] = from.state[j];
		into.workload[j] = from.workload[j];
		into.worker[j] = from.worker[j];
		into.attempt[j] = from.attempt[j];
		into.unsettled[j] = from.unsettled[j];
		row[j] = (row[j] == _pid -> 0 : row[j])
	}
	for (j : 0 .. W - 1) {
		into.outcome[j] = from.outcome[j];
		into.attempts[j] = from.attempts[j];
		into.queued[j] = from.queued[j];
		into.live[j] = from.live[j];
		into.noted[j] = from.noted[j];
		into.completions[j] = from.completions[j];
		into.tried[j] = from.tried[j];
		into.failed[j] = from.failed[j]
	}
	for (j : 0 .. K - 1) {
		into.capacity[j] = from.capacity[j];
		into.offline[j] = from.offline[j];
		into.usage[j] = from.usage[j];
		into.live_on[j] = from.live_on[j];
		into.waiting_on[j] = from.waiting_on[j];
		into.noted_on[j] = from.noted_on[j]
	}
	j = 0
}

/*
 * forget_work(): forgets what has ended and is settled, as soon as no session
 * knows it.  Until then only its state matters.
 */
inline forget_work()
{
	for (j : 0 .. A - 1) {
		if
		:: !LIVE(db.state[j]) && !db.unsettled[j] ->
			db.workload[j] = 0; own.workload[j] = 0;
			db.worker[j] = 0; own.worker[j] = 0;
			db.attempt[j] = 0; own.attempt[j] = 0;
			if
			:: db.state[j] != NONE && known[j] == 0 -> assignment_goes(db, j); assignment_goes(own, j)
			:: else
			fi
		:: else
		fi
	}
	j = 0
}

/*
 * Commits what was done with the pool's lock, and tells the session of an
 * assignment unless a is A.  Rolls it back if the call has failed, or the
 * transaction is lost.
 */
inline commit(a, done)
{
	if
	:: done ->
		d_step {
			copy(own, db);
			check_all();
			if
			:: a < A -> known[a]++
			:: else
			fi;
			forget_work();
			unlock_pool();
			set = 0
		}
	:: LOSSES || !(done) ->
		d_step {
			copy(db, own);
			unlock_pool();
			set = 0;
			a = A
		}
	fi
}

/* --- with the pool's lock --- */

#define EITHER 0
#define IS_IN(a, from) \
	(LACKS(END_UNCHECKED) || own.state[a] == from || (from == EITHER && LIVE(own.state[a])))

/*
 * end_assignments(): ends those of a set that are in a state by now, which stay
 * in the set.  The rows are locked in the order of their ids.
 */
inline end_assignments(set, from, what)
{
	atomic {
		n = 0;
		do
		:: n == A -> break
		:: n < A && !HAS(set, n) -> n++
		:: n < A && HAS(set, n) ->
			row[n] == 0 || row[n] == _pid;
			row[n] = _pid;
			n++
		od;
		n = 0;
		d_step {
			for (i : 0 .. A - 1) {
				if
				:: HAS(set, i) && IS_IN(i, from) ->
					change(own, i, what);
					if
					:: !LACKS(REQUEUE_HELD) ->
						usage_is(own, own.worker[i], own.usage[own.worker[i]] - 1)
					:: else
					fi
				:: HAS(set, i) && !IS_IN(i, from) -> set = set - (1 << i)
				:: else
				fi
			}
			i = 0
		}
	}
}

/* requeue(): queues the workload of each ended assignment again */
inline requeue(set, counts)
{
	d_step {
		for (i : 0 .. A - 1) {
			if
			:: HAS(set, i) && own.outcome[own.workload[i]] == OPEN -> queue_again(i, counts)
			:: else
			fi
		}
		i = 0
	}
}

/* write_decisions(): makes an assignment of what is queued */
inline assign(item, on)
{
	d_step {
		find_first(i, own.state[i] == NONE);
		assert(i < A);
		usage_is(own, on, own.usage[on] + 1);
		assignment_is(own, i, item, on, own.queued[item], ASSIGNED);
		queued_is(own, item, 0);
		i = 0
	}
}

/* --- claim(), complete(), fail() --- */

/* start_assigned(): locks the first of a worker's assigned work that is not locked; a: it, or A */
inline start_assigned(t, k, a)
{
	d_step {
		find_first(a, t.state[a] == ASSIGNED && t.worker[a] == k &&
			(row[a] == 0 || LACKS(CLAIM_LOCKED)));
		if
		:: a < A -> row[a] = _pid
		:: else
		fi
	}
}

/* finds_work(): whether some of the queue would fit, with what is completed given back */
#define FINDS_WORK(k) (ANY_QUEUED && db.usage[k] - db.noted_on[k] < db.capacity[k])

inline claim(k, a)
{
	d_step {
		if
		:: db.offline[k] -> back = true
		:: else -> start_assigned(db, k, a)
		fi
	}
	if
	:: a < A ->
		if
		:: d_step { commit_start(a); known[a]++; check_all() }
		:: LOSSES -> d_step { row[a] = 0; a = A }
		fi
	:: a == A && !back && !FINDS_WORK(k)
	:: a == A && (back || FINDS_WORK(k)) ->
		lock_pool();
		d_step {
			/* worker_back() */
			own.offline[k] = own.offline[k] && !back;
			back = false;
			start_assigned(own, k, a);
			/* pull() */
			if
			:: a == A && ROOM(k) && own.queued[0] ->
				assign(0, k);
				start_assigned(own, k, a)
			:: a == A && ROOM(k) && own.queued[1] && !own.queued[0] ->
				assign(1, k);
				start_assigned(own, k, a)
			:: else
			fi;
			if
			:: a < A -> change(own, a, RUNNING)
			:: else
			fi
		}
		commit(a, true)
	fi
}

inline forget(a)
{
	d_step {
		known[a]--;
		a = A
	}
}

inline complete(a)
{
	atomic {
		row[a] == 0;
		if
		:: db.state[a] == RUNNING || LACKS(COMPLETE_UNCHECKED) -> row[a] = _pid
		:: else -> forget(a)
		fi
	}
	if
	:: a < A ->
		if
		:: d_step { commit_end(a, COMPLETED); check_all(); known[a]--; a = A }
		:: LOSSES -> row[a] = 0
		fi
	:: else
	fi
}

/* fail(): notes it like what is completed, and settles it where the pool is free */
inline fail(a)
{
	atomic {
		row[a] == 0;
		if
		:: LIVE(db.state[a]) -> row[a] = _pid
		:: else -> forget(a)
		fi
	}
	if
	:: a < A ->
		if
		:: d_step { nempty(pool) -> commit_end(a, FAILED); check_all(); known[a]--; a = A }
		:: atomic { empty(pool) -> pool ! _pid }
			d_step {
				change(own, a, FAILED);
				unsettled_is(own, a, true);
				known[a]--; a = A
			}
			settle();
			commit(a, true)
		:: LOSSES -> row[a] = 0
		fi
	:: else
	fi
}

#ifdef CLAIMS
proctype claims(byte k)
{
	byte a = A, set, n;
	bool back;

end:
	do
	:: a == A && (db.waiting_on[k] || FINDS_WORK(k)) -> claim(k, a)
	:: a < A -> complete(a)
	:: a < A -> fail(a)
	:: a < A -> forget(a)		/* the program that runs it has died */
	od
}
#endif

#ifdef COMPLETES_MANY
/* complete_many(): completes all that runs on a worker, or nothing */
proctype completes_many(byte k)
{
	byte a, set, left;

end:
	do
	:: db.live_on[k] ->
		d_step {
			find(set, db.state[i] == RUNNING && db.worker[i] == k);
			for (i : 0 .. A - 1) {
				known[i] = known[i] + HAS(set, i)
			}
			i = 0;
			left = set
		}
		do
		:: left == 0 -> break
		:: left > 0 ->
			atomic {
				find_first(a, HAS(left, a) && (!LACKS(LOCK_UNORDERED) || left < 2 << a));
				row[a] == 0;
				if
				:: db.state[a] == RUNNING -> row[a] = _pid; left = left - (1 << a)
				:: else -> break
				fi
			}
		od;
		a = 0;
		if
		:: true
		:: LOSSES -> left = set
		fi;
		d_step {
			for (i : 0 .. A - 1) {
				if
				:: HAS(set, i) && left == 0 -> commit_end(i, COMPLETED)
				:: else -> row[i] = (row[i] == _pid -> 0 : row[i])
				fi;
				known[i] = known[i] - HAS(set, i)
			}
			i = 0; set = 0; left = 0;
			check_all()
		}
	od
}
#endif

/* --- assign_pending() --- */

/* preempt(), evict(): where the first workload finds no room, the other gives way */
inline preempt()
{
	d_step {
		find_first(a, LIVE(own.state[a]) && own.workload[a] == 1);
		if
		:: a < A && own.queued[0] && !ROOM(0) && !ROOM(1) -> set = 1 << a; k = own.worker[a]
		:: else
		fi;
		a = A
	}
	if
	:: set > 0 ->
		end_assignments(set, EITHER, EXPIRED);
		requeue(set, false);
		if
		:: !LACKS(EVICT_UNSETTLED) -> settle()
		:: LACKS(EVICT_UNSETTLED)
		fi;
		assign(0, k);
		k = 0
	:: else
	fi
}

#ifdef ASSIGNS
proctype assigns()
{
	byte a = A, set, n, k;

end:
	do
	:: atomic { (ANY_QUEUED || ANY_UNSETTLED) && empty(pool) -> pool ! _pid; settle() }
		preempt();
		atomic {
			do
			:: own.queued[0] && ROOM(0) -> assign(0, 0)
			:: own.queued[0] && ROOM(1) -> assign(0, 1)
			:: own.queued[1] && ROOM(0) -> assign(1, 0)
			:: own.queued[1] && ROOM(1) -> assign(1, 1)
			:: else -> break
			od
		}
		commit(a, true)
	od
}
#endif

/* --- maintain() --- */

/*
 * end_lost_leases(): what no session knows any more has lost its lease, and
 * other work may have.  Each loss counts; lose_runs() spares one in company
 * once, which is to the tables what evict() does.
 */
inline end_lost_leases()
{
	atomic {
		do
		:: n == A -> n = 0; break
		:: n < A && own.state[n] == RUNNING -> set = set + (1 << n); n++
		:: n < A && (own.state[n] != RUNNING || known[n] > 0) -> n++
		od
	}
	end_assignments(set, RUNNING, EXPIRED);
	requeue(set, true)
}

#define FIRST (LACKS(SILENT_MISSED) -> RUNNING : ASSIGNED)
#define THEN (LACKS(SILENT_MISSED) -> ASSIGNED : RUNNING)

inline take_back(k, from)
{
	find(set, own.state[i] == from && own.worker[i] == k);
	end_assignments(set, from, EXPIRED);
	requeue(set, from == RUNNING)
}

/* leave_silent(): takes back what has not started, and then what has */
inline leave_silent(k)
{
	own.offline[k] = true;
	take_back(k, FIRST);
	take_back(k, THEN)
}

#ifdef MAINTAINS
proctype maintains()
{
	byte a = A, set, n;

end:
	do
	:: (ANY_LIVE && !LACKS(LEASE_FOR_EVER)) || ANY_UNSETTLED || silences < SILENCES ->
		lock_pool();
		if
		:: !LACKS(LEASE_FOR_EVER) -> end_lost_leases()
		:: LACKS(LEASE_FOR_EVER)
		:: silences < SILENCES -> silences++; leave_silent(0)
		:: silences < SILENCES -> silences++; leave_silent(1)
		fi;
		commit(a, true)
	od
}
#endif

/* --- rebalance() --- */

#define ELSEWHERE(a) (1 - own.worker[a])
#define UNEVEN(a) (own.usage[own.worker[a]] > own.usage[ELSEWHERE(a)] + 1 && ROOM(ELSEWHERE(a)))

#ifdef MOVES
proctype moves()
{
	byte a = A, set, n;

end:
	do
	:: ANY_ASSIGNED ->
		lock_pool();
		d_step { find_first(a, own.state[a] == ASSIGNED && UNEVEN(a)) }
		/* move_to(): moves nothing that has started, or that another session has locked */
		atomic {
			if
			:: a < A && row[a] == 0 && own.state[a] == ASSIGNED ->
				set = 1 << a;
				end_assignments(set, EITHER, EXPIRED);
				requeue(set, false);
				assign(own.workload[a], ELSEWHERE(a))
			:: else
			fi;
			a = A
		}
		commit(a, true)
	od
}
#endif

/* --- register_worker(), alter_pool() --- */

#ifdef LOWERS
/* requeue_exceeding(): the first worker takes one workload from now on */
proctype lowers()
{
	byte a = A, set, n;

	lock_pool();
	own.capacity[0] = 1;
	do
	:: own.usage[0] > 1 && own.waiting_on[0] > 0 ->
		d_step {
			find_first(a, own.state[a] == ASSIGNED && own.worker[a] == 0 &&
				(own.workload[a] == 1 || own.waiting_on[0] == 1));
			set = 1 << a;
			a = A
		}
		end_assignments(set, ASSIGNED, EXPIRED);
		requeue(set, false);
		if
		:: LACKS(EXCEEDING_ONCE) -> break
		:: !LACKS(EXCEEDING_ONCE)
		fi
	:: else -> break
	od;
	commit(a, true)
}
#endif

/* --- submit(), cancel(), retry_dead() --- */

proctype submits()
{
	d_step {
		for (i : 0 .. W - 1) {
			submission_is(own, i, OPEN, ATTEMPTS);
			submission_is(db, i, OPEN, ATTEMPTS);
			queued_is(own, i, 1);
			queued_is(db, i, 1)
		}
		i = 0;
		check_all()
	}
}

#ifdef CANCELS
/* The first workload is cancelled, or tried again once it is dead. */
proctype cancels()
{
	byte a = A, set, n;
	bool done;

end:
	do
	:: db.outcome[0] == OPEN || (db.outcome[0] == DEAD && db.attempts[0] == ATTEMPTS) ->
		lock_pool();
		if
		:: own.outcome[0] == DEAD && own.attempts[0] == ATTEMPTS ->
			d_step {
				submission_is(own, 0, OPEN, own.attempts[0] + ATTEMPTS);
				queued_is(own, 0, own.attempts[0] - ATTEMPTS + 1);
				done = true
			}
		:: else ->
			find(set, LIVE(own.state[i]) && own.workload[i] == 0);
			end_assignments(set, EITHER, CANCELLED);
			if
			:: !LACKS(CANCEL_UNSETTLED) -> settle()
			:: LACKS(CANCEL_UNSETTLED)
			fi;
			d_step {
				done = own.outcome[0] == OPEN;
				if
				:: done -> submission_is(own, 0, CANCELLED, own.attempts[0])
				:: else
				fi;
				if
				:: done && own.queued[0] -> queued_is(own, 0, 0)
				:: else
				fi
			}
		fi;
		commit(a, done);
		done = false
	od
}
#endif

init
{
	atomic {
		for (i : 0 .. K - 1) {
			worker_is(db, i, CAPACITY, false);
			worker_is(own, i, CAPACITY, false)
		}
		i = 0;
		run submits();
#ifdef CLAIMS
		run claims(CLAIMS);
#endif
#ifdef ALSO_CLAIMS
		run claims(ALSO_CLAIMS);
#endif
#ifdef COMPLETES_MANY
		run completes_many(0);
#endif
#ifdef ASSIGNS
		run assigns();
#endif
#ifdef MAINTAINS
		run maintains();
#endif
#ifdef MOVES
		run moves();
#endif
#ifdef LOWERS
		run lowers();
#endif
#ifdef CANCELS
		run cancels();
#endif
	}
}

/* In a fair run every workload is closed in the end. */
#ifdef PROGRESS
ltl progress { <> (CLOSED(db.outcome[0]) && CLOSED(db.outcome[1])) }
#endif
