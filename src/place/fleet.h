/*
 * fleet.h
 *		The fleet in memory: finding a worker of it, and what work takes of one.
 */
#ifndef HWSCHED_PLACE_FLEET_H
#define HWSCHED_PLACE_FLEET_H

#include "place/placement.h"

extern int compare_state(const Device *a, const Device *b);
extern void kind_begin(const Search *search, WorkKind *kind);
extern void fleet_occupy(Fleet *fleet, const WorkKind *kind, int worker, const int32 *devices,
						 int ndevices, int times);
extern int fleet_worker(const Fleet *fleet, const char *worker_id);
extern int fleet_device(const Fleet *fleet, const char *worker_id, int device_no);
extern int worker_of_device(const Fleet *fleet, int device);

#endif /* HWSCHED_PLACE_FLEET_H */
