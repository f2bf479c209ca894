/*
 * heat_store.h
 *		The thermal models of devices: model/heat.h's, one row of hwsched.device_heat
 *		each.
 */
#ifndef HWSCHED_LEARN_HEAT_STORE_H
#define HWSCHED_LEARN_HEAT_STORE_H

#include "store/device_state.h"

extern void thermometer_report(const char *pool, const char *worker_id, const Hardware *hardware,
							   Condition *condition);
extern int64 thermometer_forget(const char *pool, const char *worker_id);

#endif							/* HWSCHED_LEARN_HEAT_STORE_H */
