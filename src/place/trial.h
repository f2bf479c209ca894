/*
 * trial.h
 *		Copies of a search, on which something is tried.
 */
#ifndef HWSCHED_PLACE_TRIAL_H
#define HWSCHED_PLACE_TRIAL_H

#include "place/placement.h"

extern void *copy_array(const void *source, Size size);
extern Search *search_copy(const Search *search);

#endif /* HWSCHED_PLACE_TRIAL_H */
