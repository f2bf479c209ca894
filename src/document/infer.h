/*
 * infer.h
 *		The reading rules: requirements become a workload profile and a demand,
 *		capabilities become device profiles.
 */
#ifndef HWSCHED_DOCUMENT_INFER_H
#define HWSCHED_DOCUMENT_INFER_H

#include "document/document.h"
#include "document/inspection.h"

/* A device as it is to be registered. */
typedef struct DeviceSpec
{
	DeviceProfile profile;
	int64 memory_bytes; /* of its own; -1: none, it has its worker's */
	bool uses_host_memory; /* what it uses is its worker's memory */
	const char *device_id; /* NULL: none */
	int entry; /* in the list of devices that the worker gave; -1: it is inferred */
} DeviceSpec;

extern void infer_workload_profile(Jsonb *requirements, const char *path, Inspection *inspection,
								   Requirements *read, WorkloadProfile *profile);
extern void infer_typical_profile(const char *workload_type, double expected_seconds,
								  WorkloadProfile *profile);
extern void infer_demand(Jsonb *requirements, const char *path, Inspection *inspection,
						 const Requirements *read, WorkloadProfile *profile, Demand *demand);
extern Jsonb *keep_unknown_keys(const Document *document, Jsonb *jsonb);
extern Jsonb *keys_to_show(const Document *document, Jsonb *jsonb);
extern Jsonb *workload_profile_jsonb(Jsonb *requirements, const Requirements *read,
									 const WorkloadProfile *profile);
extern Jsonb *object_at(Jsonb *jsonb, const char *key);
extern bool object_has_key(Jsonb *object, const char *key);
extern bool says_a_backend(const char *text);
extern int infer_devices(const Capabilities *capabilities, DeviceSpec **specs);

#endif /* HWSCHED_DOCUMENT_INFER_H */
