/*
 * accuracy.h
 *		How well durations were foretold.
 */
#ifndef HWSCHED_ACCURACY_H
#define HWSCHED_ACCURACY_H

#include "outcome.h"

extern void note_errors(const char *pool, const EndedAssignment *ended, int count);

#endif							/* HWSCHED_ACCURACY_H */
