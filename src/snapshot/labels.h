/*
 * labels.h
 *		Which conditions on labels, and which tolerations, each device of a fleet
 *		meets.
 */
#ifndef HWSCHED_SNAPSHOT_LABELS_H
#define HWSCHED_SNAPSHOT_LABELS_H

#include "lib/stringinfo.h"
#include "utils/hsearch.h"

#include "snapshot/snapshot.h"

/* The labels of a fleet while it is read. */
typedef struct LabelReader
{
	PoolSnapshot *snapshot;
	bool needed; /* some kind of work asks for labels */
	HTAB *known_names;
	int nnames; /* of the labels that are asked for; no other is read */
	const char **names;
	HTAB *numbers; /* of sets of labels, by what tells them apart */
	StringInfoData key;
	int ndocuments;
	int allocated;
	Labels *documents; /* the sets; number 0: no labels */
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
extern bool device_label(const PoolSnapshot *snapshot, int worker, int device,
						 const Condition *condition, LabelValue *space, LabelValues *values);
extern const Labels *worker_taints(const PoolSnapshot *snapshot, int worker);

#endif /* HWSCHED_SNAPSHOT_LABELS_H */
