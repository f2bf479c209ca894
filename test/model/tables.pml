/*
 * tables.pml
 *		The tables that work goes through: what a row of theirs may become, and
 *		what holds whenever a transaction commits.
 *
 * Two programs include it.  In protocol.pml sessions change the tables as the
 * functions in src/ do, in every order there is; replay.pml is told what a real
 * server has committed.  So what is proved of the one is asked of the other, in
 * the same words.
 *
 * Rows are numbered: A assignments, W workloads (each run of one counts), K
 * workers.  t is the set of tables that is meant.
 */
#ifndef NUMBER
#define NUMBER byte
#endif

/* States, by the letters that a trace has for them. */
#define NONE		0			/* there is no such row */
#define ASSIGNED	'a'
#define RUNNING		'r'
#define COMPLETED	'c'
#define FAILED		'f'
#define EXPIRED		'e'
#define CANCELLED	'x'
#define OPEN		'o'			/* a workload without an outcome; others are completed, cancelled */
#define DEAD		'd'

#define LIVE(s)		((s) == ASSIGNED || (s) == RUNNING)
#define LOST(s)		((s) == FAILED || (s) == EXPIRED || (s) == CANCELLED)
#define CLOSED(s)	((s) == COMPLETED || (s) == CANCELLED || (s) == DEAD)

typedef Tables
{
	/* assignment */
	byte		state[A];
	NUMBER		workload[A];
	NUMBER		worker[A];
	NUMBER		attempt[A];

	bit			unsettled[A];

	/* submission, pending: outcome is OPEN for NULL, queued 0 for no row */
	byte		outcome[W];
	NUMBER		attempts[W];	/* retries + 1 */
	bit			gang[W];
	NUMBER		queued[W];		/* the attempt that waits */

	/* worker, worker_usage */
	NUMBER		capacity[K];
	bit			offline[K];
	bit			gone[K];		/* unregistered */
	NUMBER		usage[K];

	/* what all that adds up to */
	NUMBER		live[W];
	NUMBER		noted[W];		/* unsettled */
	NUMBER		completions[W];
	NUMBER		tried[W];		/* the last attempt that was placed */
	NUMBER		failed[W];		/* the last attempt that failed */
	NUMBER		live_on[K];
	NUMBER		waiting_on[K];	/* of these, assigned */
	NUMBER		noted_on[K]
};

/* --- what a row may become --- */

/*
 * An assignment may also change and keep its state: a lease is extended, a loss described.
 * It does not start twice, which a trace tells as a state of its own.
 */
#define MAY_BECOME(from, to) \
	(((from) == NONE && (to) == ASSIGNED) || \
	 ((from) == ASSIGNED && ((to) == RUNNING || LOST(to))) || \
	 ((from) == RUNNING && ((to) == COMPLETED || LOST(to))) || \
	 ((LIVE(from) || LOST(from)) && (to) == (from)))

/* A dead workload may be tried again. */
#define OUTCOME_MAY_BECOME(from, to) \
	(((from) == NONE && (to) == OPEN) || \
	 ((from) == OPEN && ((to) == OPEN || CLOSED(to))) || \
	 ((from) == DEAD && (to) == OPEN))

inline assignment_is(t, id, item, on, nth, what)
{
	assert(MAY_BECOME(t.state[id], what));
	if
	:: t.state[id] == NONE ->
		/* what has failed is not placed again as the same attempt */
		assert(nth > t.failed[item] && nth >= t.tried[item]);
		t.workload[id] = item;
		t.worker[id] = on;
		t.attempt[id] = nth;
		t.tried[item] = nth
	:: else ->
		assert(t.workload[id] == item && t.worker[id] == on && t.attempt[id] == nth)
	fi;
	t.live[item] = t.live[item] + LIVE(what) - LIVE(t.state[id]);
	t.live_on[on] = t.live_on[on] + LIVE(what) - LIVE(t.state[id]);
	t.waiting_on[on] = t.waiting_on[on] + (what == ASSIGNED) - (t.state[id] == ASSIGNED);
	t.completions[item] = t.completions[item] + (what == COMPLETED);
	t.failed[item] = (what == FAILED -> nth : t.failed[item]);
	t.state[id] = what;
	assert(t.completions[item] <= 1 || t.gang[item])
}

/* History is forgotten, and nothing else. */
inline assignment_goes(t, id)
{
	assert((t.state[id] == COMPLETED || LOST(t.state[id])) && !t.unsettled[id]);
	t.state[id] = NONE
}

inline unsettled_is(t, id, there)
{
	assert((t.state[id] == COMPLETED || t.state[id] == FAILED || t.state[id] == EXPIRED)
		   && t.unsettled[id] != there);
	t.noted[t.workload[id]] = t.noted[t.workload[id]] + there - t.unsettled[id];
	t.noted_on[t.worker[id]] = t.noted_on[t.worker[id]] + there - t.unsettled[id];
	t.unsettled[id] = there
}

inline submission_is(t, item, what, most)
{
	assert(OUTCOME_MAY_BECOME(t.outcome[item], what));
	t.outcome[item] = what;
	t.attempts[item] = most
}

inline queued_is(t, item, nth)
{
	/* one that is queued is placed before it is queued again */
	assert(nth == 0 || t.queued[item] == 0 || t.queued[item] == nth);
	assert(nth > 0 || t.queued[item] > 0);
	t.queued[item] = nth
}

inline usage_is(t, on, used)
{
	t.usage[on] = used
}

inline worker_is(t, on, most, gone)
{
	t.capacity[on] = most;
	t.offline[on] = gone
}

inline worker_goes(t, on)
{
	t.gone[on] = true
}

/* --- what holds whenever a transaction commits --- */

/*
 * No workload is lost or done twice: an open one is in exactly one place, the
 * queue, an attempt, or an end of it that is not settled; a closed one in none.
 * Of a gang, members end one by one, some when it has been decided.
 */
inline workload_holds(t, item)
{
	assert((t.queued[item] > 0) + (t.live[item] > 0) + t.noted[item] == (t.outcome[item] == OPEN) ||
		(t.gang[item] && t.noted[item] > 0));
	assert(t.live[item] <= 1 || t.gang[item]);
	assert(t.outcome[item] != COMPLETED || t.completions[item] > 0);
	/* all attempts are made before it is dead, and no more */
	assert(t.queued[item] <= t.attempts[item] && t.tried[item] <= t.attempts[item]);
	assert(t.outcome[item] != DEAD || t.tried[item] == t.attempts[item])
}

/* Capacity that is booked is capacity that is held, and there is as much. */
inline worker_holds(t, on)
{
	assert(t.gone[on] || t.usage[on] == t.live_on[on] + t.noted_on[on]);
	/* what runs on when id worker becomes smaller may */
	assert(t.usage[on] <= t.capacity[on] || t.waiting_on[on] == 0);
	assert(!(t.offline[on] || t.gone[on]) || t.live_on[on] == 0)
}
