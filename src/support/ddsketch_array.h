/*
 * ddsketch_array.h
 *		Sketches (support/ddsketch.h) as tables keep them: a bigint[] with the bucket that
 *		its counts begin with, and the counts; empty for none.
 */
#ifndef HWSCHED_SUPPORT_DDSKETCH_ARRAY_H
#define HWSCHED_SUPPORT_DDSKETCH_ARRAY_H

#include "support/compat.h"
#include "support/ddsketch.h"
#include "support/spi_plan.h"

extern bool sketch_read_any(Datum array, Sketch *sketch);
extern void sketch_read(Datum array, bool isnull, Sketch *sketch);

/*
 * Sketches as parameters: one array with all numbers, and where each one's begin and end (from
 * 1).
 */
typedef struct SketchArrays
{
	Parameter numbers;
	Parameter first;
	Parameter last;
} SketchArrays;

extern SketchArrays sketch_arrays(const Sketch *const *sketches, int count);

#endif /* HWSCHED_SUPPORT_DDSKETCH_ARRAY_H */
