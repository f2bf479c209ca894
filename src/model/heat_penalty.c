/*
 * heat_penalty.c
 *		What a decision makes of the temperature that work would cause.
 */
#include "model/heat_penalty.h"
#include "model/thermal.h"

/* The factor of a hot candidate: from so many degrees below throttling to above. */
#define FACTOR_MARGIN 5.0
#define FACTOR_BEYOND 10.0
#define FACTOR_THROTTLING 0.7
#define FACTOR_LEAST 0.5

/* Degrees that the whole power range of a device is worth, about. */
#define RANGE_DEGREES 50.0

/*
 * Returns whether a predicted temperature is past the throttling point (NAN or
 * 0: the default one).  One that is not known is not.
 */
bool
heat_overheats(double celsius, double throttle_celsius)
{
	return celsius >= (throttle_celsius > 0.0 ? throttle_celsius : DEFAULT_THROTTLE_CELSIUS);
}

/*
 * Returns the factor 0.5..1 by which the temperature that work would cause
 * makes a device less of a candidate, for work that draws a share of the
 * device's power range, by the share from which the device would throttle
 * (INFINITY: never).  It falls from 1 some degrees below the throttling point
 * to 0.7 at it, so that a cooler device which is nearly as good wins, and on to
 * 0.5 beyond; a device on its own is still used.  It does not fall when
 * throttles_at rises.
 */
double
heat_share_factor(double share, double throttles_at)
{
	double beyond = RANGE_DEGREES * (share - throttles_at);

	if (!(beyond > -FACTOR_MARGIN))
		return 1.0;
	if (beyond <= 0.0)
		return 1.0 - (1.0 - FACTOR_THROTTLING) * (1.0 + beyond / FACTOR_MARGIN);
	return FACTOR_THROTTLING -
		   (FACTOR_THROTTLING - FACTOR_LEAST) * Min(1.0, beyond / FACTOR_BEYOND);
}
