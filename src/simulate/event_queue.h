/*
 * event_queue.h
 *		What is to happen in a simulation, in the order of time.  Pure.
 */
#ifndef HWSCHED_SIMULATE_EVENT_QUEUE_H
#define HWSCHED_SIMULATE_EVENT_QUEUE_H

#include "support/standalone.h"

/* What happens; of one instant, what comes first here happens first. */
typedef enum EventKind
{
	EVENT_END, /* a run ends */
	EVENT_GIVE_BACK, /* a minute after a placement, its key may have another */
	EVENT_ARRIVAL /* work may be placed from now on */
} EventKind;

typedef struct Event
{
	int64 at; /* microseconds from the beginning */
	EventKind kind;
	int32 subject; /* which run, key or arrival */
	int64 order; /* of being queued: what was first is first among equals */
} Event;

/* A heap, the next event on top. */
typedef struct EventQueue
{
	int count;
	int allocated;
	Event *events;
	int64 queued; /* ever */
} EventQueue;

extern void event_queue_add(EventQueue *queue, int64 at, EventKind kind, int32 subject);
extern Event event_queue_next(EventQueue *queue);

/* Returns when the next event is; INT64_MAX: there is none. */
static inline int64
event_queue_at(const EventQueue *queue)
{
	return queue->count == 0 ? INT64_MAX : queue->events[0].at;
}

#endif /* HWSCHED_SIMULATE_EVENT_QUEUE_H */
