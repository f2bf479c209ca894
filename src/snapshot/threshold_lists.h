/*
 * threshold_lists.h
 *		The ordered lists of workers that snapshot/threshold_search.c reads; nobody else needs it.
 */
#ifndef HWSCHED_SNAPSHOT_THRESHOLD_LISTS_H
#define HWSCHED_SNAPSHOT_THRESHOLD_LISTS_H

#include "snapshot/snapshot.h"
#include "utils/hsearch.h"

/* The preference of who has not been learned of. */
#define NEUTRAL 0.5

typedef enum Class
{
	OF_CPU, OF_ACCELERATOR, NCLASSES
} Class;

/* One class of device of a kind of hardware: its workers, the readiest first. */
typedef struct Line
{
	double		ideal;			/* what an idle and cool one is worth; -1: no use */
	int			reads;
	/* the last key that was read; worker_id "": with all others of its state */
	double		readiness;
	int64		state_hash;
	const char *worker_id;
	bool		ended;
	bool		alike;			/* of the whole pool: the last read did not get past a readiness */
	double		passed_over;	/* what unread ones in such states are worth at most; or -1 */
} Line;

/* A kind of hardware: its workers that are not full, the least used first. */
typedef struct Kin
{
	int64		hardware_id;
	Line		lines[NCLASSES];
	int			reads;
	/* the last key that was read */
	int32		assignments;
	int64		total_assignments;
	const char *worker_id;
	bool		ended;
} Kin;

/* What the lists say of a worker. */
typedef struct Key
{
	const char *worker_id;
	int			kin;
	double		readiness[NCLASSES];	/* NAN: it has no such device */
	int64		state_hash;
	int32		assignments;
	int64		total_assignments;
	double		preference;
	bool		is_full;
	bool		looked_at;
	double		bound;			/* what it is worth at most */
	bool		spares;			/* and whether that is on a CPU, for work that needs no more */
} Key;

typedef struct SeenEntry
{
	uint64		hash;			/* key */
	Key		   *key;
} SeenEntry;

typedef struct KinEntry
{
	int64		hardware_id;	/* key */
	int			kin;
} KinEntry;

/* What workers of one kind of hardware in one state are worth at most. */
typedef struct StateKey
{
	int64		kin;
	int64		state_hash;
} StateKey;

typedef struct StateEntry
{
	StateKey	key;
	double		values[NCLASSES];
} StateEntry;

typedef struct Seek
{
	Picture    *picture;		/* with the workload, and no fleet */
	const char *pool;
	WorkKind   *kind;
	bool		of_slot;		/* a CPU will do, and spares accelerators */
	double		least;			/* nobody is worth less, preference apart */
	int			nkin;
	Kin		   *kin;
	HTAB	   *kin_numbers;
	Kin			all;			/* the lists of the whole pool */
	HTAB	   *states;
	/* keys */
	HTAB	   *seen;
	int			nkeys;
	int			keys_allocated;
	Key		  **keys;
	int			nlooks;
	/* the list of preferences */
	bool		preferences_ended;
	double		preference;
	const char *preferred_id;
	int			preference_reads;
	/* the best so far, in the picture that holds it */
	Picture    *best_picture;
	Candidate	best;
} Seek;

extern bool prefers(const Seek *seek);
extern bool less_used_than(int32 assignments, int64 total_assignments, const char *worker_id, const Worker *worker);
extern Key **seen_key(const Seek *seek, const char *worker_id);

/* Each adds the keys it reads to those of the seek. */
extern void read_lines(Seek *seek, Class class, const int *kins, int count, int most);
extern void read_line_of_all(Seek *seek, Class class);
extern void read_least_used(Seek *seek, const int *kins, int count, int most);
extern void read_preferred(Seek *seek, int most);

#endif							/* HWSCHED_SNAPSHOT_THRESHOLD_LISTS_H */
