/*
 * settle.h
 *		What completed assignments leave to be done.
 */
#ifndef HWSCHED_SETTLE_H
#define HWSCHED_SETTLE_H

#include "outcome.h"

extern void settle(const char *pool);
extern int	read_unsettled(const char *pool, bool read_only, EndedAssignment **ended);

#endif							/* HWSCHED_SETTLE_H */
