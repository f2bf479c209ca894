/*
 * fragmentation.h
 *		How much of a worker's free accelerators the pool's usual work cannot
 *		use, and what a placement does to it.
 */
#ifndef HWSCHED_PLACE_FRAGMENTATION_H
#define HWSCHED_PLACE_FRAGMENTATION_H

#include "place/placement.h"

extern void fragmentation_begin(Search *search);
extern void fragmentation_changed(Search *search, int worker);
extern double fragmentation_score(Search *search, const WorkKind *kind, const Candidate *candidate);
extern double filling_score(Search *search, const WorkKind *kind, const Candidate *candidate);

#endif /* HWSCHED_PLACE_FRAGMENTATION_H */
