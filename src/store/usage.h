/*
 * usage.h
 *		What live assignments hold of workers and devices, in the tables.
 */
#ifndef HWSCHED_STORE_USAGE_H
#define HWSCHED_STORE_USAGE_H

#include "postgres.h"

typedef struct WorkerChange
{
	const char *worker_id;
	int32 assignments;
	int64 cpu_millicores;
	int64 host_memory_bytes;
	int32 made; /* new assignments, for total_assignments */
	int64 last_turn; /* of the newest; 0: none */
	bool ran; /* something that it ran has ended */
	int32 full_from; /* it is full now, if it had so many assignments before; or -1 */
} WorkerChange;

typedef struct DeviceChange
{
	const char *worker_id;
	int32 device_no;
	int32 slots;
	int32 share;
	int64 memory_bytes;
} DeviceChange;

extern void usage_change(const char *pool, const WorkerChange *workers, int nworkers,
						 const DeviceChange *devices, int ndevices);
extern int usage_exceeding(const char *pool, const char *worker_id, int32 max_concurrent,
						   const char ***worker_ids);

#endif /* HWSCHED_STORE_USAGE_H */
