/*
 * accuracy.h
 *		How well durations were foretold.
 */
#ifndef HWSCHED_LEARN_ACCURACY_H
#define HWSCHED_LEARN_ACCURACY_H

#include "store/assignment.h"

extern void note_errors(const char *pool, const EndedAssignment *ended, int count);

#endif /* HWSCHED_LEARN_ACCURACY_H */
