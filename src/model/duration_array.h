/*
 * duration_array.h
 *		The records of model/duration.h as arrays of numbers, as tables keep them: how
 *		long they are, and whether one that comes from elsewhere is any.
 */
#ifndef HWSCHED_MODEL_DURATION_ARRAY_H
#define HWSCHED_MODEL_DURATION_ARRAY_H

#include "model/duration.h"

extern int duration_record_size(DurationKind kind);
extern int duration_record_used(DurationKind kind, const double *record);
extern bool duration_record_is_sane(DurationKind kind, const double *numbers, int count);

#endif /* HWSCHED_MODEL_DURATION_ARRAY_H */
