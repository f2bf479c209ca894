/*
 * candidate.h
 *		How one worker would take a workload: what keeps it from it, which of
 *		its devices it would use, and what that is worth.
 */
#ifndef HWSCHED_PLACE_CANDIDATE_H
#define HWSCHED_PLACE_CANDIDATE_H

#include "place/search.h"

extern FilterReason search_candidate(Search *search, WorkKind *kind, int worker,
									 Candidate *candidate);
extern FilterReason spared_candidate(Search *search, WorkKind *kind, int worker,
									 Candidate *candidate);
extern FilterReason search_device(Search *search, WorkKind *kind, int worker, int device,
								  Candidate *candidate);
extern double factor_of_preference(const PlacementSettings *settings, double preference);
extern double device_heat_factor(const WorkKind *kind, const Device *device);
extern double least_value(const Search *search);
extern double search_bound(Search *search, WorkKind *kind, int worker, bool cpu);
extern bool worker_is_full(const Search *search, int worker);
extern FilterReason search_filter_reason(Search *search, WorkKind *kind);
extern bool device_before(Search *search, WorkKind *kind, int a, int b);
extern bool is_cpu(const DeviceProfile *profile);
extern bool is_accelerator(const DeviceProfile *profile, const char *type);
extern const ProfilePair *pair_of(Search *search, WorkKind *kind, int profile);
extern int64 device_held(const Device *device, int64 max_concurrent);
extern int64 device_room(const Device *device, int64 max_concurrent);
extern int demanded_devices(const Demand *demand);
extern int64 demanded_room(const Demand *demand, int64 max_concurrent);
extern FilterReason device_unsuitable(Search *search, WorkKind *kind, const Worker *worker,
									  const Device *device, const char *type, int others);
extern FilterReason worker_unsuitable(Search *search, WorkKind *kind, const Worker *worker);
extern double preference_factor(const Search *search, const WorkKind *kind, int worker);
extern void value_candidate(Search *search, WorkKind *kind, Candidate *candidate);
extern FilterReason device_candidate(Search *search, WorkKind *kind, int worker, int device,
									 Candidate *candidate);
extern bool may_share_worker(const WorkKind *kind);
extern bool is_gang(const WorkKind *kind);
extern int workers_needed(const WorkKind *kind);

#endif /* HWSCHED_PLACE_CANDIDATE_H */
