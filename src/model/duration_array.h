/*
 * duration_array.h
 *		The records of model/duration.h as arrays of numbers, as tables keep them: how
 *		long they are, and what is wrong with one that comes from elsewhere.
 */
#ifndef HWSCHED_MODEL_DURATION_ARRAY_H
#define HWSCHED_MODEL_DURATION_ARRAY_H

#include "model/duration.h"

extern int duration_record_size(DurationKind kind);
extern int duration_record_used(DurationKind kind, const double *record);
extern int duration_record_fault(DurationKind kind, const double *numbers, int count);

#endif /* HWSCHED_MODEL_DURATION_ARRAY_H */
