/*
 * search.h
 *		What candidate.c and placement.c share; nobody else needs it.
 */
#ifndef HWSCHED_SEARCH_H
#define HWSCHED_SEARCH_H

#include "placement.h"

/* What is known of a kind of work on a device profile. */
typedef struct Pair
{
	bool		known;
	Mismatch	mismatch;
	double		raw_efficiency;
} Pair;

/* A candidate, or several, of a kind of work: see placement.c. */
typedef enum EntryType
{
	ENTRY_HARDWARE,				/* a group of workers, not yet looked into */
	ENTRY_LANE,
	ENTRY_WORKER
} EntryType;

typedef struct Entry
{
	double		value;			/* at most this; of a lane, exactly */
	EntryType	type;
	bool		spares_accelerators;
	int32		index;			/* of the group, lane or worker */
	int32		assignments;	/* of a worker */
	int64		total_assignments;
} Entry;

typedef struct KindState
{
	Pair	   *pairs;			/* by device profile */
	bool		prepared;
	bool		mixed;			/* its candidates are workers, not lanes */
	int			nentries;
	int			allocated;
	Entry	   *entries;		/* a heap, best first */
	struct Band *band;			/* where it looks now, or NULL */
	double		band_value;
	bool		band_spares;
} KindState;

typedef struct SearchState
{
	/* what was learned, by workload type: arrays by worker */
	int			npreferences;
	const double **preferences;
	/* workers with the same hardware; ideal members stand behind the workers */
	int			nhardware;
	int		   *hardware_start;	/* in groups; nhardware + 1 of them */
	/* of those, workers in the same state */
	int			ngroups;
	int		   *group_start;	/* in members; ngroups + 1 of them */
	int32	   *members;		/* workers, by hardware, group and index */
	/* alike devices of a group's workers */
	int			nlanes;
	struct Lane *lanes;
	int		   *lane_start;		/* by group, in lanes; ngroups + 1 of them */
	int32	   *positions;		/* of devices in their worker, by lane */
	/* trees over the workers of lanes that are worth the same to somebody */
	int			nbuckets;
	struct Band **buckets;
	struct Leaf **leaves;		/* by worker: its places in those trees */
	int32	   *scratch;		/* device indices, as many as any worker has */
	double	   *scratch_values;
	int32	   *scratch_fitting;
	Refusal    *scratch_refusals;
} SearchState;

/* candidate.c */
extern bool is_accelerator(const DeviceProfile *profile, const char *type);
extern const Pair *pair_of(Search *search, WorkKind *kind, int profile);
extern int64 device_room(const Device *device, int64 max_concurrent);
extern int64 demanded_room(const Demand *demand, int64 max_concurrent);
extern Refusal device_unsuitable(Search *search, WorkKind *kind, const Worker *worker,
								 const Device *device, const char *type, int others);
extern Refusal worker_unsuitable(Search *search, WorkKind *kind, const Worker *worker);
extern double preference_factor(const Search *search, const WorkKind *kind, int worker);
extern void value_candidate(Search *search, WorkKind *kind, Candidate *candidate);

#endif							/* HWSCHED_SEARCH_H */
