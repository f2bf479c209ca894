/*
 * thermal.c
 *		Temperature (0 idle .. 1 throttling) and performance level as functions
 *		of time.
 *
 * There are two temperatures: thermal_step is the reference's step, capped
 * and so dependent on how often it is taken; thermal_at is the same law
 * integrated, where only the time that passed counts.
 */
#include "model/thermal.h"

/* Between these loads a device keeps its temperature; both bounds are strict. */
#define HEATING_LOAD 0.7
#define COOLING_LOAD 0.3

/* Per second: of the distance to 1 at full load, and of the distance to -1. */
#define HEATING_RATE 0.02
#define COOLING_RATE 0.01

/* The most one reference step can add. */
#define LARGEST_RISE 0.1

/* The performance level with which a phase starts; it ends at 1. */
#define WARMING_START 0.6
#define COOLING_START 0.7

/* Returns a temperature limited to 0..1; 0 (no thermal record) for NAN. */
static double
within_scale(double temperature)
{
	if (!(temperature > 0.0))
		return 0.0;
	return Min(temperature, 1.0);
}

/* Returns the seconds that passed: a clock that went back did not unheat. */
static double
passed(double dt_seconds)
{
	return dt_seconds > 0.0 ? dt_seconds : 0.0;
}

/*
 * Returns the temperature 0..1 one step of dt seconds at that load (0..1)
 * later, as the reference steps (thermal.csv).
 */
double
thermal_step(double temperature, double load, double dt_seconds)
{
	double t = within_scale(temperature);
	double dt = passed(dt_seconds);

	if (load > HEATING_LOAD)
	{
		double rise = HEATING_RATE * dt * (1.0 - t) * load;

		return Min(1.0, t + Min(rise, LARGEST_RISE));
	}
	if (load < COOLING_LOAD)
	{
		double cooled = t - COOLING_RATE * dt * (1.0 + t);

		return Max(0.0, cooled);
	}
	return t;
}

/*
 * Returns the temperature 0..1 after dt seconds at a constant load (0..1):
 * the exact solution of
 *		heating	dT/dt =  0.02 * load * (1 - T)
 *		cooling	dT/dt = -0.01 * (1 + T), down to 0
 * Advancing in two parts is advancing once.  expm1 keeps short spans exact
 * where 1 - exp(-x) would lose digits.
 */
double
thermal_at(double temperature, double load, double dt_seconds)
{
	double t = within_scale(temperature);
	double dt = passed(dt_seconds);

	if (load_is_high(load))
		return within_scale(t - (1.0 - t) * expm1(-HEATING_RATE * load * dt));
	if (load_is_idle(load))
		return within_scale(t + (1.0 + t) * expm1(-COOLING_RATE * dt));
	return t;
}

/*
 * Returns the least temperature 0..1 that a device can have at that load, from
 * one temperature on and for as long as the load is the same.
 */
double
thermal_coldest(double temperature, double load)
{
	return Min(within_scale(temperature), thermal_at(temperature, load, INFINITY));
}

/* Returns whether a load is so low that a device cools down. */
bool
load_is_idle(double load)
{
	return load < COOLING_LOAD;
}

/* Returns whether a load is so high that a device heats up. */
bool
load_is_high(double load)
{
	return load > HEATING_LOAD;
}

/*
 * Returns the phase that begins with a report of a load: a warm-up when a
 * worker turns busy that has been idle for as long as one takes, a cool-down
 * after a high load for as long as that takes.  One without a duration never
 * begins, and none while another is running.
 */
ThermalPhase
phase_that_begins(const PhaseCourse *course, double load, double warming_seconds,
				  double cooling_seconds)
{
	if (course->in_phase)
		return PHASE_NORMAL;
	if (load_is_high(load) && cooling_seconds > 0.0 && course->high_for >= cooling_seconds)
		return PHASE_COOLING;
	if (!load_is_idle(load) && warming_seconds > 0.0 && course->was_idle &&
		course->since_busy >= warming_seconds)
		return PHASE_WARMING;
	return PHASE_NORMAL;
}

/*
 * Returns the share 0..1 of its performance that a device has so long after a
 * phase began.  It rises linearly to 1, from 0.6 when warming and from 0.7
 * when cooling, and stays at 1; before the phase began it is where the phase
 * starts.  No phase, and one without a duration, take nothing away.
 *
 * The guide's intent: the reference's own curve starts too high and, when
 * cooling, falls before it jumps (defects in test/golden/README.md).
 */
double
phase_performance_level(ThermalPhase phase, double elapsed_seconds, double duration_seconds)
{
	double start;

	if (phase == PHASE_NORMAL || !(duration_seconds > 0.0) || elapsed_seconds >= duration_seconds)
		return 1.0;
	start = phase == PHASE_WARMING ? WARMING_START : COOLING_START;
	if (!(elapsed_seconds > 0.0))
		return start;
	return Min(1.0, start + (1.0 - start) * (elapsed_seconds / duration_seconds));
}

/*
 * Returns where a temperature in degrees lies between the idle point (0) and
 * the throttling point (1), limited to that range.
 *
 * A point that is not known (0 or NAN) has the default.  Where the points are
 * not in order, a device is either below its throttling point or at it.  A
 * temperature that was not measured (NAN) counts as none, 0.
 */
double
celsius_to_temperature(double celsius, double idle_celsius, double throttle_celsius)
{
	double idle = idle_celsius;
	double throttle = throttle_celsius;

	if (isnan(idle))
		idle = DEFAULT_IDLE_CELSIUS;
	if (isnan(throttle))
		throttle = DEFAULT_THROTTLE_CELSIUS;

	if (celsius >= throttle)
		return 1.0;
	if (throttle <= idle)
		return 0.0;
	return within_scale((celsius - idle) / (throttle - idle));
}
