/*
 * heat.h
 *		What a device's temperature will be: a thermal model per device that is
 *		learned from reports of power and temperature, one at a time.  Pure.
 *
 * The law is an RC circuit's.  At a power the temperature goes, with a time
 * constant, towards the settled one:
 *		settled = law(power) + offset
 * The law belongs to the device and its cooling: piecewise linear in the power
 * (fans speed up, firmware throttles), rising, and learned slowly.  The offset
 * is what the law does not explain (the room, the neighbours' heat, a fan):
 * it follows every report, fades over days, and much of it is forgotten when
 * the power changes.  All these and the temperature itself, of which a reading
 * only tells to a degree, are the state of one extended Kalman filter.
 *
 * A model is HEAT_SIZE doubles and nothing else, so that a table keeps it as
 * one float8[] beside the device's key.  One of another length, or with a fault
 * (heat_fault), is to be started again.  A report costs a constant time and no
 * memory.
 */
#ifndef HWSCHED_MODEL_HEAT_H
#define HWSCHED_MODEL_HEAT_H

#include "model/formula.h"

/* The filter's state: temperature, offset, law, logarithm of the time constant. */
#define HEAT_LAW_TERMS 5
#define HEAT_STATES (2 + HEAT_LAW_TERMS + 1)
#define HEAT_COVARIANCES (HEAT_STATES * (HEAT_STATES + 1) / 2)

/* Kinds of predicted change: hardly one, a rise, a fall. */
#define HEAT_CHANGES 3

/* Every member is a double: the order is the order in the array. */
typedef struct Heat
{
	double reports; /* how many were taken; 0 = nothing is known */
	double seconds; /* when the last one was, in any clock */
	double celsius; /* what it said; watts may have been derived */
	double watts;
	double utilisation; /* 0..1, NAN = it did not say */
	double full_watts; /* the power that the law is scaled by */
	double state[HEAT_STATES];
	double covariance[HEAT_COVARIANCES]; /* lower triangle, row by row */
	double came[HEAT_CHANGES]; /* of the predicted changes: what came, */
	double foretold[HEAT_CHANGES]; /* and what was foretold, fading sums */
	double mean_watts; /* power by utilisation: fading moments */
	double mean_utilisation;
	double covariance_watts;
	double variance_utilisation;
	double error; /* fading mean of |predicted - reported| */
	double error_persistence; /* the same of |reported before - reported| */
	double error_weight; /* how much both have seen, 0..1 */
} Heat;

#define HEAT_SIZE ((int) (sizeof(Heat) / sizeof(double)))

/* What a worker says of a device; NAN = it does not say. */
typedef struct HeatReport
{
	double seconds; /* when, in seconds of any one clock */
	double watts;
	double utilisation; /* 0..1 */
	double celsius;
} HeatReport;

/* A load to come; NAN = not known.  Watts count more than utilisation. */
typedef struct HeatLoad
{
	double watts;
	double utilisation; /* 0..1 */
} HeatLoad;

extern void heat_start(Heat *heat, double thermal_design_power_w);
extern void heat_adopt(Heat *heat, const Heat *elder);
extern int heat_fault(const Heat *heat);
extern bool heat_report(Heat *heat, HeatReport report, bool learn);
extern double heat_watts(const Heat *heat, double utilisation);
extern double heat_predict(const Heat *heat, HeatLoad load, double dt_seconds);
extern double heat_settled(const Heat *heat, double watts);
extern double heat_time_constant(const Heat *heat);
extern double heat_resistance(const Heat *heat);
extern double heat_error(const Heat *heat);
extern double heat_error_persistence(const Heat *heat);
extern double heat_throttles_at(const Heat *heat, double idle_watts, double full_watts,
								double throttle_celsius, double dt_seconds);

#endif /* HWSCHED_MODEL_HEAT_H */
