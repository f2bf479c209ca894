/*
 * event_test.c
 *		The queue of events: in the order of time, of kind, then as they came.
 */
#include <stdlib.h>

#include "simulate/event_queue.h"
#include "tap.h"

#define EVENTS 5000

static Event queued[EVENTS];

static int
compare_events(const void *a, const void *b)
{
	const Event *x = a;
	const Event *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->subject - y->subject;
}

int
main(void)
{
	EventQueue queue = {0};
	bool same = true;
	int64 before = -1;
	bool ordered = true;
	int taken = 0;

	ok(event_queue_at(&queue) == INT64_MAX, "nothing happens in an empty queue");
	srand(7);
	for (int i = 0; i < EVENTS; i++)
	{
		queued[i] = (Event){rand() % 100, (EventKind) (rand() % 3), i, 0};
		event_queue_add(&queue, queued[i].at, queued[i].kind, queued[i].subject);
	}
	qsort(queued, EVENTS, sizeof(Event), compare_events);
	for (int i = 0; i < EVENTS; i++)
	{
		Event next;

		same = same && event_queue_at(&queue) == queued[i].at;
		next = event_queue_next(&queue);
		same = same && next.subject == queued[i].subject && next.kind == queued[i].kind;
	}
	ok(same, "events come in the order of time, then of kind, then as they were queued");
	ok(queue.count == 0, "and then there are none left");

	/* as a simulation does it: each event queues others */
	for (int i = 0; i < 50; i++)
		event_queue_add(&queue, i, EVENT_ARRIVAL, i);
	while (queue.count > 0 && taken < EVENTS)
	{
		Event next = event_queue_next(&queue);

		ordered = ordered && next.at >= before;
		before = next.at;
		taken++;
		if (taken < EVENTS / 2)
			event_queue_add(&queue, next.at + rand() % 20, EVENT_END, taken);
	}
	ok(ordered && queue.count == 0, "time never goes back while events queue others");
	pfree(queue.events);
	return done_testing();
}
