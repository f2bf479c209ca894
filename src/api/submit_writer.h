/*
 * submit_writer.h
 *		Writes what is submitted.
 */
#ifndef HWSCHED_API_SUBMIT_WRITER_H
#define HWSCHED_API_SUBMIT_WRITER_H

#include "api/submit_batch.h"

pg_noreturn extern void id_is_taken(const char *workload_id);
extern void submit_write(SubmitBatch *batch, const char *pool);

#endif /* HWSCHED_API_SUBMIT_WRITER_H */
