/*
 * thermal.h
 *		Temperature (0..1) and performance level as functions of time.  Pure.
 */
#ifndef HWSCHED_MODEL_THERMAL_H
#define HWSCHED_MODEL_THERMAL_H

#include "support/standalone.h"

typedef enum ThermalPhase
{
	PHASE_NORMAL,
	PHASE_WARMING,
	PHASE_COOLING
} ThermalPhase;

/* Where a device that does not say so is taken to idle and to throttle. */
#define DEFAULT_IDLE_CELSIUS 35.0
#define DEFAULT_THROTTLE_CELSIUS 90.0

/* What is known of a worker when it reports a load; in seconds. */
typedef struct PhaseCourse
{
	bool in_phase; /* one is running */
	bool was_idle; /* said so in its last report; false: there was none */
	double since_busy; /* since a report of a busy one; INFINITY: there was none */
	double high_for; /* since when all its reports are of a high load; 0: they are not */
} PhaseCourse;

extern double thermal_step(double temperature, double load, double dt_seconds);
extern double thermal_at(double temperature, double load, double dt_seconds);
extern double thermal_coldest(double temperature, double load);
extern bool load_is_idle(double load);
extern bool load_is_high(double load);
extern ThermalPhase phase_that_begins(const PhaseCourse *course, double load,
									  double warming_seconds, double cooling_seconds);
extern double phase_performance_level(ThermalPhase phase, double elapsed_seconds,
									  double duration_seconds);
extern double celsius_to_temperature(double celsius, double idle_celsius, double throttle_celsius);

#endif /* HWSCHED_MODEL_THERMAL_H */
