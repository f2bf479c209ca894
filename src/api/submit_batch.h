/*
 * submit_batch.h
 *		The workloads of one call of submit() or submit_many().
 */
#ifndef HWSCHED_API_SUBMIT_BATCH_H
#define HWSCHED_API_SUBMIT_BATCH_H

#include "postgres.h"

#include "document/inspection.h"
#include "store/authz.h"
#include "store/dependency.h"
#include "support/strtab.h"

/* The workloads of one call, column by column. */
typedef struct SubmitBatch
{
	int count;
	Datum *workload_id;
	int64 *queue_no;
	int32 *run;
	int *kind; /* in kinds */
	int16 *priority;
	int32 *retries;
	float8 *expected; /* NAN: unknown */
	float8 *timeout;
	TimestampTz *deadline;
	TimestampTz *run_at; /* DT_NOBEGIN: at once */
	TimestampTz *expires_at; /* DT_NOEND: never */
	float8 *start_timeout; /* NAN: the pool's */
	Datum *on_failed_dependency;
	bool *on_failed_dependency_null; /* it waits */
	Datum *model_id;
	bool *model_id_null;
	Datum *model_family;
	bool *model_family_null;
	Datum *requirements;
	Datum *concurrency_keys; /* an array as text, as the next one */
	Datum *concurrency_units;
	bool *concurrency_keys_null;
	Dependencies dependencies;
	int nkinds;
	int kinds_allocated;
	Datum *profile; /* jsonb, by kind */
	Datum *demand;
	int64 *profile_id;
	HTAB *kind_numbers;
	HTAB *ids;
	const char *pool;
	const Scope *scope; /* for whom the caller acts */
	Inspection inspection;
	int64 most_memory; /* the greatest minimum_memory, in bytes, and whose it is */
	const char *most_memory_path;
	bool skip_duplicates;
	HTAB *open; /* ids that are open, which are skipped then */
} SubmitBatch;

extern void batch_begin(SubmitBatch *batch, const char *pool, const Scope *scope, int most);
extern void batch_add(SubmitBatch *batch, Jsonb *requirements, const char *path,
					  MemoryContext keep);
extern void batch_submit(SubmitBatch *batch, const char *pool, bool in_array);

#endif /* HWSCHED_API_SUBMIT_BATCH_H */
