/*
 * heat_store.h
 *		The thermal models of devices: model/heat.h's, one row of hwsched.device_heat
 *		each.
 */
#ifndef HWSCHED_LEARN_HEAT_STORE_H
#define HWSCHED_LEARN_HEAT_STORE_H

#include "model/heat.h"
#include "store/device_state.h"

extern bool read_heat(Datum model, bool isnull, Heat *heat);
extern double seconds_of(TimestampTz at);
extern void heat_store_report(const char *pool, const char *worker_id, const Hardware *hardware,
							  DeviceStates *condition);
extern void heat_store_lock(const char *pool, const char *worker_id);
extern char *heat_store_lock_free(const char *pool, const char *worker_id);
extern int64 heat_store_forget(const char *pool, const char *worker_id);

#endif /* HWSCHED_LEARN_HEAT_STORE_H */
