/*
 * threshold_lists.h
 *		The ordered lists of workers that snapshot/threshold_search.c reads; nobody else needs it.
 */
#ifndef HWSCHED_SNAPSHOT_THRESHOLD_LISTS_H
#define HWSCHED_SNAPSHOT_THRESHOLD_LISTS_H

#include "utils/hsearch.h"

#include "snapshot/snapshot.h"

/* The preference of who has not been learned of. */
#define NEUTRAL_PREFERENCE 0.5

typedef enum DeviceClass
{
	CLASS_CPU,
	CLASS_ACCELERATOR,
	NCLASSES
} DeviceClass;

/* One class of device of a kind of hardware: its workers, the readiest first. */
typedef struct ReadinessList
{
	double ideal; /* what an idle and cool one is worth; -1: no use */
	int reads;
	/* the last key that was read; worker_id "": with all others of its state */
	double readiness;
	int64 state_hash;
	const char *worker_id;
	bool ended;
	bool alike; /* of the whole pool: the last read did not get past a readiness */
	double passed_over; /* what unread ones in such states are worth at most; or -1 */
	int sparing; /* of such devices; see place/spare.h */
} ReadinessList;

/* A kind of hardware: its workers that are not full, the least used first. */
typedef struct WorkerClass
{
	int64 hardware_id;
	ReadinessList lists[NCLASSES];
	int reads;
	/* the last key that was read */
	int32 assignments;
	int64 total_assignments;
	const char *worker_id;
	bool ended;
} WorkerClass;

/* What the lists say of a worker. */
typedef struct SeenWorker
{
	const char *worker_id;
	int worker_class;
	double readiness[NCLASSES]; /* NAN: it has no such device */
	int64 state_hash;
	int32 assignments;
	int64 total_assignments;
	double preference;
	bool is_full;
	bool resolved;
	double bound; /* what it is worth at most */
	int sparing; /* and what that spares */
} SeenWorker;

typedef struct SeenEntry
{
	uint64 hash; /* key */
	SeenWorker *key;
} SeenEntry;

typedef struct WorkerClassEntry
{
	int64 hardware_id; /* key */
	int worker_class;
} WorkerClassEntry;

/* What workers of one kind of hardware in one state are worth at most. */
typedef struct StateKey
{
	int64 worker_class;
	int64 state_hash;
} StateKey;

typedef struct StateEntry
{
	StateKey key;
	double values[NCLASSES];
} StateEntry;

typedef struct ThresholdSearch
{
	PoolSnapshot *snapshot; /* with the workload, and no fleet */
	const char *pool;
	WorkKind *kind;
	bool of_slot; /* a CPU will do */
	double least; /* nobody is worth less, preference apart */
	int nworker_classes;
	WorkerClass *worker_class;
	HTAB *worker_class_numbers;
	WorkerClass all; /* the lists of the whole pool */
	HTAB *states;
	/* keys */
	HTAB *seen;
	int nseen_workers;
	int seen_allocated;
	SeenWorker **keys;
	int nrandom_accesses;
	/* the list of preferences */
	bool preferences_ended;
	double preference;
	const char *preferred_id;
	int preference_reads;
	/* the best so far, in the snapshot that holds it */
	PoolSnapshot *best_snapshot;
	Candidate best;
	bool best_opens; /* it is an accelerator that is not in use, for work that is to spare it */
} ThresholdSearch;

extern bool prefers(const ThresholdSearch *seek);
extern bool less_used_than(int32 assignments, int64 total_assignments, const char *worker_id,
						   const Worker *worker);
extern SeenWorker **seen_worker(const ThresholdSearch *seek, const char *worker_id);

/* Each adds the keys it reads to those of the seek. */
extern void read_readiness_lists(ThresholdSearch *seek, DeviceClass device_class,
								 const int *worker_classes, int count, int most);
extern void read_readiness_list_of_all(ThresholdSearch *seek, DeviceClass device_class);
extern void read_least_used(ThresholdSearch *seek, const int *worker_classes, int count, int most);
extern void read_preferred(ThresholdSearch *seek, int most);

#endif /* HWSCHED_SNAPSHOT_THRESHOLD_LISTS_H */
