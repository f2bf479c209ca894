/*
 * worker.h
 *		Workers as they register and report.
 */
#ifndef HWSCHED_API_WORKER_H
#define HWSCHED_API_WORKER_H

#include "postgres.h"

#include "support/spi_plan.h"

extern void unknown_worker(const char *pool, const char *worker_id) pg_attribute_noreturn();
extern void worker_check(const char *pool, const char *worker_id);
extern void worker_seen(const char *pool, const char *worker_id);
extern void worker_back(const char *pool, const char *worker_id);
extern void requeue_assigned(const char *pool, const char *worker_id, Parameter changed, const char *reason);

#endif							/* HWSCHED_API_WORKER_H */
