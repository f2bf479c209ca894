/*
 * profile_cache.h
 *		A session's copy of rows that never change: device profiles, workload
 *		profiles and kinds of hardware.
 */
#ifndef HWSCHED_STORE_PROFILE_CACHE_H
#define HWSCHED_STORE_PROFILE_CACHE_H

#include "utils/jsonb.h"

#include "place/placement.h"
#include "support/compat.h"

/* A kind of worker: hwsched.hardware. */
typedef struct Hardware
{
	int64 hardware_id;
	int64 cpu_millicores;
	int64 memory_bytes;
	NamedTexts software;
	int ndevices;
	const int32 *device_nos; /* in order; the others are in the same order */
	const DeviceProfile **profiles;
	const int64 *device_memory_bytes; /* of its own, or -1 */
	const bool *uses_host_memory;
} Hardware;

/* Returns how long an array by device_no has to be for its devices. */
static inline int
hardware_numbers(const Hardware *hardware)
{
	return hardware->ndevices == 0 ? 0 : hardware->device_nos[hardware->ndevices - 1] + 1;
}

/*
 * What they return lives as long as the current memory context.  An unknown
 * id is an internal error.
 */
extern void device_profiles_get(const char *pool, const int64 *ids, int count, bool read_only,
								DeviceProfile *profiles);
extern void work_kinds_get(const char *pool, WorkKind *kinds, int count, bool read_only);
extern void hardware_get(const char *pool, const int64 *ids, int count, bool read_only,
						 const Hardware **hardware);
extern NamedTexts read_software(Jsonb *versions);

#endif /* HWSCHED_STORE_PROFILE_CACHE_H */
