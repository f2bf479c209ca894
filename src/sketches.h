/*
 * sketches.h
 *		Sketches (sketch.h) as tables keep them: a bigint[] with the bucket that
 *		its counts begin with, and the counts; empty for none.
 */
#ifndef HWSCHED_SKETCHES_H
#define HWSCHED_SKETCHES_H

#include "compat.h"

#include "sketch.h"
#include "statement.h"

extern void sketch_read(Datum array, bool isnull, Sketch *sketch);

/* Sketches as parameters: one array with all numbers, and where each one's begin and end (from 1). */
typedef struct SketchArrays
{
	Parameter	numbers;
	Parameter	first;
	Parameter	last;
} SketchArrays;

extern SketchArrays sketch_arrays(const Sketch *const *sketches, int count);

#endif							/* HWSCHED_SKETCHES_H */
