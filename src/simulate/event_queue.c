/*
 * event_queue.c
 *		What is to happen in a simulation, in the order of time: a binary heap.
 *
 * The order is total, so that a simulation depends on nothing but its scenario.
 */
#include "simulate/event_queue.h"

static bool
happens_before(const Event *a, const Event *b)
{
	if (a->at != b->at)
		return a->at < b->at;
	if (a->kind != b->kind)
		return a->kind < b->kind;
	return a->order < b->order;
}

/* Adds an event; it may be in the past of others, which then wait for it. */
void
event_queue_add(EventQueue *queue, int64 at, EventKind kind, int32 subject)
{
	Event event = {at, kind, subject, queue->queued++};
	int i = queue->count;

	if (queue->count == queue->allocated)
	{
		queue->allocated = Max(64, queue->allocated * 2);
		queue->events = queue->events == NULL ?
							palloc_huge(sizeof(Event) * queue->allocated) :
							repalloc_huge(queue->events, sizeof(Event) * queue->allocated);
	}
	queue->count++;
	for (; i > 0 && happens_before(&event, &queue->events[(i - 1) / 2]); i = (i - 1) / 2)
		queue->events[i] = queue->events[(i - 1) / 2];
	queue->events[i] = event;
}

/* Takes the next event out; there has to be one. */
Event
event_queue_next(EventQueue *queue)
{
	Event next = queue->events[0];
	Event last = queue->events[--queue->count];
	int i = 0;

	for (;;)
	{
		int child = 2 * i + 1;

		if (child >= queue->count)
			break;
		if (child + 1 < queue->count &&
			happens_before(&queue->events[child + 1], &queue->events[child]))
			child++;
		if (!happens_before(&queue->events[child], &last))
			break;
		queue->events[i] = queue->events[child];
		i = child;
	}
	if (queue->count > 0)
		queue->events[i] = last;
	return next;
}
