/*
 * agenda.h
 *		The pools of a database, and when there is something to do in each.
 */
#ifndef HWSCHED_DISPATCH_AGENDA_H
#define HWSCHED_DISPATCH_AGENDA_H

#include "store/wakeup.h"

/* What is done for a pool, each in a transaction of its own. */
typedef enum Task
{
	RECOVER, /* the first half of maintain() */
	ASSIGN,
	KEEP_HISTORY, /* the second half */
	TASKS
} Task;

typedef struct AgendaPool
{
	char name[201];
	int bit;
	bool waiting; /* it has a queue */
	bool active; /* it has work or workers that may need something as time goes by */
	bool used; /* since its history was kept last */
	double ready_at; /* when more of the queue may be placed */
	double due_at[TASKS];
	double error_wait[TASKS]; /* seconds; 0: the last time went well */
} AgendaPool;

typedef struct Agenda
{
	int count;
	AgendaPool *pools; /* in the order of their names */
	double look_at;
	double check_at; /* the idle ones; with a look */
} Agenda;

extern double monotonic_seconds(void);
extern void agenda_look(Agenda *agenda);
extern void agenda_look_at(AgendaPool *pool);
extern void agenda_note_changes(Agenda *agenda);
extern void agenda_done(AgendaPool *pool, Task task, double seconds, bool more);
extern void agenda_failed(AgendaPool *pool, Task task);
extern double agenda_next(const Agenda *agenda);

#endif /* HWSCHED_DISPATCH_AGENDA_H */
