/*
 * accelerators.h
 *		Which whole accelerators of one worker a workload takes.
 */
#ifndef HWSCHED_PLACE_ACCELERATORS_H
#define HWSCHED_PLACE_ACCELERATORS_H

#include "place/placement.h"

/* Of how many devices memory can be drawn from the worker, where nothing limits it. */
#define UNLIMITED_DRAWERS INT32_MAX

/* What is asked of one worker, and what stands in the way. */
typedef struct AcceleratorProblem
{
	const NamedNumbers *types; /* how many are asked for, by type; at least one type */
	bool alike; /* several of one type are of one device profile */
	int ndevices; /* of the worker */
	const int32 *profiles; /* by device */
	const FilterReason *reasons; /* by type, then by device */
	const double *values; /* by device: of those that fit; more is better */
	const bool *draws; /* by device: it draws on the worker's memory */
	int32 drawers_ever; /* of those the worker has memory for so many */
	int32 drawers_now;
} AcceleratorProblem;

extern FilterReason accelerators_choose(const AcceleratorProblem *problem, int32 *chosen,
										int32 *nchosen);

#endif /* HWSCHED_PLACE_ACCELERATORS_H */
