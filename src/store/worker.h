/*
 * worker.h
 *		Workers in their table: whether one is there, its lock, its signs of life.
 */
#ifndef HWSCHED_STORE_WORKER_H
#define HWSCHED_STORE_WORKER_H

#include "support/compat.h"

/* What a sign of life says of the worker's runs. */
typedef enum RunsSaid
{
	SAID_NOTHING,
	SAID_ALL, /* all that run there are alive */
	SAID_SOME /* those are that are named beside */
} RunsSaid;

pg_noreturn extern void unknown_worker(const char *pool, const char *worker_id);
extern void worker_check(const char *pool, const char *worker_id);
extern void worker_await(const char *pool, const char *worker_id);
extern void worker_lock(const char *pool, const char *worker_id);
extern bool worker_try_lock(const char *pool, const char *worker_id);
extern void worker_seen(const char *pool, const char *worker_id, RunsSaid said);
extern void label_names_forget(void);
extern bool is_label_name(const char *pool, const char *name, bool read_only);

#endif /* HWSCHED_STORE_WORKER_H */
