/*
 * access.h
 *		Who may act for which worker.
 */
#ifndef HWSCHED_ACCESS_H
#define HWSCHED_ACCESS_H

#include "postgres.h"

extern void access_check_worker(const char *pool, const char *worker_id);

#endif							/* HWSCHED_ACCESS_H */
