/*
 * ddsketch.h
 *		Quantiles of many numbers in little memory.  Pure.
 */
#ifndef HWSCHED_SUPPORT_DDSKETCH_H
#define HWSCHED_SUPPORT_DDSKETCH_H

#include "support/standalone.h"

/* Quantiles are within this share of the truth. */
#define SKETCH_ACCURACY 0.02
/*
 * That suffices for numbers that differ by a factor of 25,000; of more, the least are put
 * together.
 */
#define SKETCH_BUCKETS 256

typedef struct Sketch
{
	int32 first; /* bucket that counts[0] is of */
	int32 n; /* of counts; 0: empty */
	int64 counts[SKETCH_BUCKETS];
} Sketch;

extern void sketch_add(Sketch *sketch, double value);
extern void sketch_merge(Sketch *sketch, const Sketch *other);
extern double sketch_quantile(const Sketch *sketch, double q);
extern bool sketch_is_sane(const Sketch *sketch);

#endif /* HWSCHED_SUPPORT_DDSKETCH_H */
