/*
 * duration_store.h
 *		What completed runs have taught of durations: its records in the tables,
 *		moved on by outcomes, and the forecasts that decisions make of them.
 */
#ifndef HWSCHED_LEARN_DURATION_STORE_H
#define HWSCHED_LEARN_DURATION_STORE_H

#include "lib/stringinfo.h"
#include "utils/hsearch.h"

#include "model/duration.h"
#include "store/assignment.h"

/* A record in memory. */
typedef struct StoredRecord
{
	DurationKind kind;
	const char *scope;
	const char *name;
	double *numbers; /* the whole record */
	double *before; /* as it was read */
} StoredRecord;

typedef struct DurationStore
{
	const char *pool;
	HTAB *numbers; /* of records, by kind, scope and name */
	StringInfoData key;
	int count;
	int allocated;
	StoredRecord *records;
	int nasked; /* those before this one have been asked for */
	int ndevices;
	int devices_allocated;
	DurationDevice **devices; /* by their numbers, from 1 */
} DurationStore;

/* The records of one run, by their numbers. */
typedef struct RunRecords
{
	int pool;
	int type;
	int family;
	int model;
	int device;
	int worker;
	double size;
} RunRecords;

#define RECORD_NUMBERS(store, number) ((void *) (store)->records[number].numbers)

extern DurationKind duration_kind(const char *name);
extern DurationStore *duration_store_begin(const char *pool);
extern int find_record(DurationStore *store, DurationKind kind, const char *scope,
					   const char *name);
extern int record_number(DurationStore *store, DurationKind kind, const char *scope,
						 const char *name);
extern void fill_record(DurationStore *store, int number, uint64 row, int column_number);
extern void add_model(DurationStore *store, const char *workload_type, const char *model_id,
					  const char *model_family, RunRecords *run);
extern void read_added(DurationStore *store, bool read_only);
extern void read_named_devices(DurationStore *store, bool read_only);
extern void expect_typical(const char *pool, const char *workload_type, const int64 *profile_ids,
						   int count, const double *base_seconds, double *seconds);
extern void learn_durations(const char *pool, EndedAssignment *ended, int count);

#endif /* HWSCHED_LEARN_DURATION_STORE_H */
