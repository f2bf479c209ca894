/*
 * nearest.h
 *		The known name that an unknown one was probably meant to be.
 */
#ifndef HWSCHED_SUPPORT_NEAREST_H
#define HWSCHED_SUPPORT_NEAREST_H

#include "support/standalone.h"

/* The best candidate so far; begins as {given}. */
typedef struct NearestName
{
	const char *given;
	const char *name; /* NULL: none is near */
	int distance;
} NearestName;

extern void nearest_consider(NearestName *nearest, const char *candidate);

#endif /* HWSCHED_SUPPORT_NEAREST_H */
