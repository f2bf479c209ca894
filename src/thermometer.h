/*
 * thermometer.h
 *		The thermal models of devices: heat.h's, one row of hwsched.device_heat
 *		each.
 */
#ifndef HWSCHED_THERMOMETER_H
#define HWSCHED_THERMOMETER_H

#include "condition.h"

extern void thermometer_report(const char *pool, const char *worker_id, const Hardware *hardware,
							   Condition *condition);
extern int64 thermometer_forget(const char *pool, const char *worker_id);

#endif							/* HWSCHED_THERMOMETER_H */
