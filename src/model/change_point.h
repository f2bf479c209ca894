/*
 * change_point.h
 *		Whether, and since when, runs take longer or shorter than they did.  Pure.
 *
 * The runs are of one type of work on one device profile, in the order in which they ended.  Each
 * is compared only with runs of the same stratum: the same kind of work on the same worker, whose
 * durations are alike as long as nothing changes.
 *
 * For each moment at which something may have changed, the runs since then are ranked among those
 * of their stratum: van Elteren's test (1960), which adds up the rank tests of Wilcoxon over
 * strata.  The greatest of these statistics over all moments is followed from run to run, and a
 * change is found where it exceeds a threshold, as in the change-point model of Hawkins and Deng
 * ("A nonparametric change-point control chart", Journal of Quality Technology 42, 2010).  Ranks
 * make the rate of false alarms the same whatever the distribution: neither outliers nor heavy
 * tails raise it.  test/unit/change_point_test.c measures it, and how soon changes are found.
 */
#ifndef HWSCHED_MODEL_CHANGE_POINT_H
#define HWSCHED_MODEL_CHANGE_POINT_H

#include "support/standalone.h"

typedef struct ChangeRun
{
	int worker; /* from 0 */
	int stratum; /* from 0; runs of one stratum are of one worker */
	double value; /* log of how many times as long it took as it was thought to take at first */
	double seconds;
} ChangeRun;

typedef struct ChangePoint
{
	int worker; /* -1: the device profile, that is several workers at once */
	int run; /* the first after the change, as an index */
	int found; /* the run that made it certain */
	double before_seconds; /* median of runs before */
	double after_seconds; /* the same runs, as long as they take since then */
} ChangePoint;

extern int find_change_points(const ChangeRun *runs, int count, int nworkers, int nstrata,
							  ChangePoint **changes);

#endif /* HWSCHED_MODEL_CHANGE_POINT_H */
