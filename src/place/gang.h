/*
 * gang.h
 *		Work that takes several workers at once: all of its shards or replicas
 *		are placed, or none.
 */
#ifndef HWSCHED_PLACE_GANG_H
#define HWSCHED_PLACE_GANG_H

#include "place/placement.h"

extern int place_gang(Search *search, QueueItem *items, int index);

#endif /* HWSCHED_PLACE_GANG_H */
