/*
 * thermal.h
 *		Temperature (0..1) and performance level as functions of time.  Pure.
 */
#ifndef HWSCHED_THERMAL_H
#define HWSCHED_THERMAL_H

#include "pure.h"

typedef enum ThermalPhase
{
	PHASE_NORMAL,
	PHASE_WARMING,
	PHASE_COOLING
} ThermalPhase;

/* Where a device that does not say so is taken to idle and to throttle. */
#define DEFAULT_IDLE_CELSIUS 35.0
#define DEFAULT_THROTTLE_CELSIUS 90.0

extern double thermal_step(double temperature, double load, double dt_seconds);
extern double thermal_at(double temperature, double load, double dt_seconds);
extern double phase_performance_level(ThermalPhase phase, double elapsed_seconds, double duration_seconds);
extern double celsius_to_temperature(double celsius, double idle_celsius, double throttle_celsius);

#endif							/* HWSCHED_THERMAL_H */
