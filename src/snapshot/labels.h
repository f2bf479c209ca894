/*
 * labels.h
 *		Which conditions on labels, and which tolerations, each device of a fleet
 *		meets.
 */
#ifndef HWSCHED_SNAPSHOT_LABELS_H
#define HWSCHED_SNAPSHOT_LABELS_H

#include "utils/hsearch.h"

#include "snapshot/snapshot.h"

/* The labels of a fleet while it is read. */
typedef struct LabelReader
{
	PoolSnapshot *snapshot;
	bool needed; /* some kind of work asks for labels */
	HTAB *numbers; /* of documents with labels, by their bytes */
	int ndocuments;
	int allocated;
	Labels *documents; /* number 0: no labels */
	int32 *of_workers; /* by worker */
	int32 *taints; /* by worker */
	const char **hostnames; /* by worker; NULL: none */
	int workers_allocated;
	int32 *of_devices; /* by device */
	int devices_allocated;
	bool any_taints;
} LabelReader;

extern LabelReader *labels_begin(PoolSnapshot *snapshot);
extern void labels_of_worker(LabelReader *reader, int worker, Datum labels, Datum taints,
							 const char *hostname);
extern void labels_of_device(LabelReader *reader, int device, Datum labels);
extern void labels_select(LabelReader *reader);

#endif /* HWSCHED_SNAPSHOT_LABELS_H */
