/*
 * search_hardware.h
 *		The search for the best candidate where only the hardware counts (the
 *		policy hardware_aware): equal values go to a CPU if the work asks for no
 *		accelerator, then to the least used worker, then to the lowest
 *		worker_id.
 */
#ifndef HWSCHED_PLACE_SEARCH_HARDWARE_H
#define HWSCHED_PLACE_SEARCH_HARDWARE_H

#include "place/placement.h"

extern int candidate_compare(const Search *search, const Candidate *a, const Candidate *b);
extern void hardware_search_begin(Search *search);
extern void hardware_search_changed(Search *search, int worker);
extern bool hardware_search_best(Search *search, WorkKind *kind, Candidate *candidate,
								 double *score);

#endif /* HWSCHED_PLACE_SEARCH_HARDWARE_H */
