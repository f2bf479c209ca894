/*
 * reservations.h
 *		What is reserved for work that waits, and what runs until then.
 */
#ifndef HWSCHED_SNAPSHOT_RESERVATIONS_H
#define HWSCHED_SNAPSHOT_RESERVATIONS_H

#include "snapshot/horizon.h"
#include "snapshot/snapshot.h"

extern bool has_reservations(const char *pool, bool read_only);
extern bool is_reserved(const char *pool, const char *worker_id);
extern void load_reservations(PoolSnapshot *snapshot, const char *pool, bool read_only);
extern void load_running(PoolSnapshot *snapshot, const char *pool, bool read_only);
extern void prepare_reservations(PoolSnapshot *snapshot, const char *pool, bool read_only);
extern void write_reservations(const PoolSnapshot *snapshot, const char *pool,
							   const Horizon *horizon);

#endif /* HWSCHED_SNAPSHOT_RESERVATIONS_H */
