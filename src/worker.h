/*
 * worker.h
 *		Workers as they register and report.
 */
#ifndef HWSCHED_WORKER_H
#define HWSCHED_WORKER_H

#include "postgres.h"

extern void worker_check(const char *pool, const char *worker_id);
extern void worker_seen(const char *pool, const char *worker_id);

#endif							/* HWSCHED_WORKER_H */
