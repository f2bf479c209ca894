/*
 * booking.h
 *		Writes decisions down in memory: what a placement reserves, who is cordoned,
 *		and which concurrency keys are taken.
 */
#ifndef HWSCHED_PLACE_BOOKING_H
#define HWSCHED_PLACE_BOOKING_H

#include "place/placement.h"

extern void search_cordon(Search *search, int worker);
extern void worker_changed(Search *search, int worker);
extern void cordon_worker(Search *search, int worker, bool cordoned);
extern int cordon_avoided(Search *search, const QueueItem *item, int32 *cordoned);
extern bool is_choosy(const QueueItem *item);
extern void avoid_devices(Search *search, const QueueItem *item, bool avoided);
extern bool keys_have_room(const KeyRoom *rooms, const KeyDemand *demand);
extern void take_keys(KeyRoom *rooms, const KeyDemand *demand);
extern int placement_compare(const void *a, const void *b);
extern void order_placements(Search *search, QueueItem *items);
extern void reserve_item(Search *search, const QueueItem *items, int index,
						 const Candidate *candidate, double score);
extern Placement *reserve_candidate(Search *search, WorkKind *kind, int item,
									const Candidate *candidate, double score);

#endif /* HWSCHED_PLACE_BOOKING_H */
