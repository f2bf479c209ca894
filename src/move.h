/*
 * move.h
 *		Work that changes its place before it has started.
 */
#ifndef HWSCHED_MOVE_H
#define HWSCHED_MOVE_H

#include "fleet.h"

extern int64 steal(const char *pool, const char *worker_id, int n);

#endif							/* HWSCHED_MOVE_H */
