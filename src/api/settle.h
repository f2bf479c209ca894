/*
 * settle.h
 *		What completed assignments leave to be done.
 */
#ifndef HWSCHED_API_SETTLE_H
#define HWSCHED_API_SETTLE_H

#include "store/assignment.h"

extern void settle(const char *pool);
extern int	read_unsettled(const char *pool, bool read_only, EndedAssignment **ended);

#endif							/* HWSCHED_API_SETTLE_H */
