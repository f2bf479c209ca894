/*
 * submission.h
 *		One document of requirements, read and checked.
 */
#ifndef HWSCHED_API_SUBMISSION_H
#define HWSCHED_API_SUBMISSION_H

#include "postgres.h"

#include "document/infer.h"
#include "document/inspection.h"

/* What one document of requirements amounts to. */
typedef struct Submission
{
	Jsonb *requirements;
	const char *path;
	Inspection *inspection;
	Requirements read;
	WorkloadProfile profile;
	Demand demand;
} Submission;

extern void submission_read(void *submission);
extern void doubt_memory(const char *pool, int64 bytes, const char *path, Inspection *inspection);
extern void doubt_labels(const char *pool, Jsonb *requirements, const char *path,
						 Inspection *inspection);
extern void inspect_requirements(Jsonb *requirements, const char *pool, Inspection *inspection);
extern bool requirements_read(Jsonb *requirements, WorkloadProfile *profile, Demand *demand);

#endif /* HWSCHED_API_SUBMISSION_H */
