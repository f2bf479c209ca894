/*
 * group.h
 *		Work that looks at where others of its group are: apart from them, or spread
 *		with them over the values of a label.
 */
#ifndef HWSCHED_PLACE_GROUP_H
#define HWSCHED_PLACE_GROUP_H

#include "place/search.h"

extern void group_join(Search *search, const QueueItem *item, int32 worker, int32 device);
extern void note_place(Search *search, const QueueItem *item, int32 worker, int32 device);
extern bool keeps_apart(const Search *search, const QueueItem *item, int32 worker);
extern bool group_search_best(Search *search, WorkKind *kind, int32 group, const int32 *own,
							  int nown, Candidate *candidate, double *score);

#endif /* HWSCHED_PLACE_GROUP_H */
