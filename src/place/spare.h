/*
 * spare.h
 *		Keeping accelerators for the work that asks for them (the setting
 *		spare_accelerators): which of the devices that fit gets work that asks for
 *		none.
 *
 * Among equal scores, a CPU comes before an accelerator, and one of a worker
 * without accelerators before others.  Where an accelerator scores higher than every
 * CPU, those like it that are in use already come first, so that as many as can be
 * stay whole.  Strictly, every CPU comes before every accelerator.
 */
#ifndef HWSCHED_PLACE_SPARE_H
#define HWSCHED_PLACE_SPARE_H

#include "place/placement.h"

/* Returns whether it counts for a kind of work which accelerators it takes a slot of. */
static inline bool
spares_accelerators(const Search *search, const WorkKind *kind)
{
	return search->settings.spare_accelerators != SPARE_NOTHING &&
		   demand_occupancy(&kind->demand) == OCCUPY_SLOT;
}

/* Returns how much it spares if a kind of work takes a device: what decides among equals. */
static inline int
device_sparing(const Search *search, const WorkKind *kind, int device)
{
	return spares_accelerators(search, kind) ? search->fleet->devices[device].sparing : 0;
}

/* Returns whether a device is in use, so that work that takes a slot leaves no fewer whole ones. */
static inline bool
is_in_use(const Device *device)
{
	return device->slots > 0 || device->share > 0;
}

/*
 * Returns the turn of a device for work that spares accelerators, before its score
 * counts: the lowest comes first.  best_cpu is the best score of any CPU, NAN if
 * none fits; like is the profile of the accelerator with the best score.
 */
static inline int
spare_turn(SpareMode mode, const Device *device, double score, double best_cpu, int like)
{
	bool shares = device->sparing == 0 && device->profile == like && is_in_use(device);

	if (mode == SPARE_STRICTLY)
		return device->sparing > 0 ? 0 : shares ? 1 : 2;
	return shares && !(score <= best_cpu) ? 0 : 1;
}

#endif /* HWSCHED_PLACE_SPARE_H */
