/*
 * formula.c
 *		Time and energy of a workload on a device, from their profiles alone;
 *		what was learnt from earlier runs is added elsewhere.
 *
 * As in model/score.c the order of the operations is part of the formulas.
 */
#include <float.h>

#include "model/formula.h"
#include "model/score.h"

/* What holds where the workload or the device does not say. */
#define DEFAULT_SECONDS 60.0
#define DEFAULT_WATTS 100.0

/* What durations are learned relative to is at least this. */
#define LEAST_BASE_SECONDS 1e-3

/*
 * Returns by how much a workload takes longer on a device that has this
 * amount of something it asks for: demanded / available within the limits, 1
 * where nothing is demanded.  An amount that is not known (0) counts as the
 * worst: the prediction should not flatter hardware that keeps silent, and the
 * reference's division by zero has no answer.
 */
static double
shortage_factor(double available, double demanded, double least, double most)
{
	double factor;

	if (!(demanded > 0.0))
		return 1.0;
	if (!(available > 0.0))
		return most;
	/* Not demanded / available: that rounds differently. */
	factor = 1.0 / (available / demanded);
	return Max(least, Min(most, factor));
}

/* Returns what a workload's estimate makes of a device: predict_seconds(), however short. */
static double
formula_seconds(const WorkloadProfile *workload, const DeviceProfile *device,
				double estimated_seconds)
{
	double base = estimated_seconds > 0.0 ? estimated_seconds : DEFAULT_SECONDS;
	double compute = shortage_factor(device->compute_units, workload->min_compute_units, 0.5, 1.5);
	double memory =
		shortage_factor(device->memory_total_bytes, workload->min_memory_bytes, 0.7, 1.3);
	double efficiency = 1.5 - clamp01(raw_efficiency(workload, device));
	return base * compute * memory * efficiency;
}

/*
 * Returns the seconds, at least 1, that a workload is expected to take on a
 * device: its estimate (60 s where it has none: 0 or NAN) times what scarce
 * units, scarce memory and lack of efficiency cost (predict.csv).
 */
double
predict_seconds(const WorkloadProfile *workload, const DeviceProfile *device,
				double estimated_seconds)
{
	double seconds = formula_seconds(workload, device, estimated_seconds);

	/* a number that JSON knows, and that is 0 times nothing */
	return Max(1.0, Min(seconds, DBL_MAX));
}

/*
 * Returns the seconds that durations are learned relative to: the formula's, but in proportion to
 * the estimate.  Otherwise work that is expected to take longer than two minutes counts as
 * compute-intensive, which takes up to twice as long where units are few; what was learned of
 * short work would then say something wrong of long work.
 */
double
base_seconds(const WorkloadProfile *workload, const DeviceProfile *device, double estimated_seconds)
{
	WorkloadProfile plain = *workload;

	plain.metrics.compute_intensity = NAN;
	return Max(LEAST_BASE_SECONDS,
			   Min(formula_seconds(&plain, device, estimated_seconds), DBL_MAX));
}

/*
 * Returns the watts of a device at full load: its thermal design power, 100 W where it is not
 * known.
 */
double
full_watts(const DeviceProfile *device)
{
	return device->thermal_design_power_w > 0.0 ? device->thermal_design_power_w : DEFAULT_WATTS;
}

/* Returns how much of a device's power a workload draws, at least 0.7 (predict.csv). */
double
work_intensity(const WorkloadProfile *workload)
{
	double intensity = 0.7;

	/* fmax passes over an absent metric, which is NAN. */
	intensity = fmax(intensity, 0.3 + 0.7 * workload->metrics.compute_intensity);
	return fmax(intensity, 0.3 + 0.7 * workload->metrics.memory_intensity);
}

/*
 * Returns the joules that a workload is expected to use in so many seconds on
 * a device: the share of its thermal design power that the workload's intensity
 * draws (predict.csv).  Decisions also know of idle power: see candidate_use.
 *
 * The reference also multiplies by the workload's energy sensitivity; that is
 * a wish and not a property of the work, so it is left out.
 */
double
predict_joules(const WorkloadProfile *workload, const DeviceProfile *device, double seconds)
{
	return full_watts(device) * seconds * work_intensity(workload);
}
