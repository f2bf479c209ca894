/*
 * infer.h
 *		The reading rules: requirements become a workload profile and a demand,
 *		capabilities become device profiles.
 */
#ifndef HWSCHED_DOCUMENT_INFER_H
#define HWSCHED_DOCUMENT_INFER_H

#include "document/document.h"

/* A device as it is to be registered. */
typedef struct DeviceSpec
{
	DeviceProfile profile;
	int64 memory_bytes; /* of its own; -1: none, it has its worker's */
	bool uses_host_memory; /* what it uses is its worker's memory */
	const char *device_id; /* NULL: none */
} DeviceSpec;

extern void infer_workload_profile(Jsonb *requirements, const char *path, bool check_names,
								   Requirements *read, WorkloadProfile *profile, Demand *demand);
extern Jsonb *workload_profile_jsonb(Jsonb *requirements, const Requirements *read,
									 const WorkloadProfile *profile);
extern int infer_devices(const Capabilities *capabilities, DeviceSpec **specs);

#endif /* HWSCHED_DOCUMENT_INFER_H */
