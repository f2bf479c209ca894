/*
 * hardware.h
 *		Kinds of worker: what workers with the same hardware and software share.
 */
#ifndef HWSCHED_STORE_HARDWARE_H
#define HWSCHED_STORE_HARDWARE_H

#include "document/infer.h"

/* What a worker offers, as its row has it. */
typedef struct Offer
{
	int64 cpu_millicores;
	int64 memory_bytes;
	Jsonb *capabilities; /* the document, for the software */
	int ndevices; /* in the order of their device_no */
	int32 *device_nos;
	const DeviceSpec *specs;
	Datum *profile_ids; /* as specs */
} Offer;

extern int64 device_profile_id(const char *pool, const DeviceProfile *profile);
extern int64 hardware_id_of(const char *pool, const Offer *offer);
extern int64 greatest_memory_below(const char *pool, int64 bytes, bool read_only);
extern void hardware_assign(const char *pool, const char *worker_id, int64 hardware_id);

#endif /* HWSCHED_STORE_HARDWARE_H */
