/*
 * score.c
 *		How well a device suits a workload, and what load, phase and temperature
 *		take away from it.
 *
 * The order in which factors are multiplied and terms added is part of each
 * formula: with it IEEE doubles give the reference's values bit for bit
 * (test/golden).  For that reason nothing here is factored out or simplified,
 * and the file must be compiled without fused multiply-add.
 */
#include "model/score.h"

/* Above this a workload counts as intensive in computation or in memory. */
#define INTENSIVE 0.7

/* What gives an intensive workload a full mark. */
#define AMPLE_UNITS 100.0
#define AMPLE_MEMORY_GB 16.0

/* Returns whether each name of part is also in whole. */
static bool
names_within(const NameSet *part, const NameSet *whole)
{
	for (int i = 0; i < part->count; i++)
		if (!names_contain(whole, part->names[i]))
			return false;
	return true;
}

/*
 * Returns whether a device meets each required backend.  A word may also be a
 * hardware class ("gpu"), which a device of that class meets.
 */
static bool
backends_met(const NameSet *required, const DeviceProfile *device)
{
	for (int i = 0; i < required->count; i++)
		if (!names_contain(&device->supported_backends, required->names[i]) &&
			!same_name(required->names[i], device->hardware_class))
			return false;
	return true;
}

/*
 * Returns whether a device has the compute units a workload asks for.  What
 * an inferred profile asks by default must not make a single-core worker
 * useless, so up to that number any CPU will do.
 */
static bool
units_met(int32 least, const DeviceProfile *device)
{
	if (least <= INFERRED_COMPUTE_UNITS && same_name(device->hardware_class, "cpu"))
		return true;
	return least <= device->compute_units;
}

/*
 * Returns MATCHES, or the first demand of the workload that the device does
 * not meet, in the order of the tests below.
 *
 * Memory is compared with all the device has, not with what is free now: this
 * is about kinds of hardware.  Rules: test/golden/README.md, compatible.csv;
 * the model names are this project's own.
 */
Mismatch
device_mismatch(const WorkloadProfile *workload, const DeviceProfile *device)
{
	if (!backends_met(&workload->required_backends, device))
		return MISMATCH_BACKEND;
	if (workload->required_models.count > 0 &&
		!texts_contain(&workload->required_models, device->model_name))
		return MISMATCH_MODEL;
	if (!names_within(&workload->required_precisions, &device->supported_precisions))
		return MISMATCH_PRECISION;
	if (!names_within(&workload->required_features, &device->features))
		return MISMATCH_FEATURE;
	if (!units_met(workload->min_compute_units, device))
		return MISMATCH_UNITS;
	if (workload->min_memory_bytes > device->memory_total_bytes)
		return MISMATCH_MEMORY;
	return MATCHES;
}

/* Returns the factor for the kinds of work a class is made for, else 1. */
static double
speciality(const WorkloadProfile *workload, const DeviceProfile *device)
{
	const char *type = workload->workload_type;
	bool vision = same_name(type, "vision");
	bool nlp = same_name(type, "nlp");

	if (same_name(device->hardware_class, "gpu") &&
		(vision || (nlp && names_contain(&device->features, "tensor_cores"))))
		return 1.2;
	if (same_name(device->hardware_class, "tpu") && (vision || nlp))
		return 1.3;
	if (same_name(device->hardware_class, "npu") && same_name(type, "inference"))
		return 1.2;
	return 1.0;
}

/*
 * Returns how well a device suits a workload: more than 0, up to 1.3, and
 * above 1 where a class is made for that work.
 *
 * This is the product of efficiency.csv before its clamp to 1.  Ranking uses
 * it, since the clamp makes a CPU equal to the GPU that is better at the work.
 */
double
raw_efficiency(const WorkloadProfile *workload, const DeviceProfile *device)
{
	double score = 1.0;

	if (workload->preferred_hardware_class != NULL &&
		!same_name(workload->preferred_hardware_class, device->hardware_class))
		score *= 0.7;
	if (workload->preferred_architecture != NULL &&
		!same_name(workload->preferred_architecture, device->architecture))
		score *= 0.8;
	if (workload->preferred_vendors.count > 0 &&
		!names_contain(&workload->preferred_vendors, device->vendor))
		score *= 0.9;

	/* An absent metric is NAN and so never above the bound. */
	if (workload->metrics.compute_intensity > INTENSIVE)
	{
		double units = device->compute_units / AMPLE_UNITS;

		score *= 0.5 + 0.5 * Min(1.0, units);
	}
	if (workload->metrics.memory_intensity > INTENSIVE)
	{
		double memory = device->memory_total_bytes / BYTES_PER_GB / AMPLE_MEMORY_GB;

		score *= 0.5 + 0.5 * Min(1.0, memory);
	}

	return score * speciality(workload, device);
}

/* Returns x limited to 0..1; 0 for NAN, so that nonsense never ranks first. */
double
clamp01(double x)
{
	if (!(x > 0.0))
		return 0.0;
	return Min(x, 1.0);
}

/* Returns one term of the load score; 0 for what was not reported (NAN). */
static double
load_term(double weight, double percent)
{
	return isnan(percent) ? 0.0 : weight * percent / 100.0;
}

/*
 * Returns the load of a device, 0 (idle) to 1, from its utilisation in
 * percent: the guide's weighted sum (load.csv).
 */
double
load_score(const Utilization *load)
{
	return clamp01(load_term(0.3, load->cpu) + load_term(0.3, load->memory) +
				   load_term(0.2, load->gpu) + load_term(0.1, load->io) +
				   load_term(0.1, load->network));
}

/*
 * Returns the load 0..1 that a device warming up or cooling down presents: by
 * what its performance level lacks higher than its own (load.csv).  in_phase
 * means either phase; both at once count once.
 */
double
effective_load(double load, bool in_phase, double performance_level)
{
	if (!in_phase)
		return load;
	return clamp01(load + (1.0 - performance_level));
}

/*
 * Returns an efficiency less what load, phase and temperature take away, in
 * the unit of the efficiency and not clamped (adjusted.csv).  A temperature
 * that is not known is passed as 0.
 */
double
adjusted_efficiency(double efficiency, double effective_load, bool warming, bool cooling,
					double performance_level, double temperature)
{
	double adjusted = efficiency * (1.0 - 0.3 * effective_load);

	if (warming)
		adjusted *= performance_level;
	if (cooling)
		adjusted *= performance_level;
	return adjusted * (1.0 - 0.3 * temperature);
}

/*
 * Returns a learnt preference after one more observation: an exponential
 * moving average that gives the newest value the share alpha, 0..1
 * (preference.csv has alpha 0.3).
 */
double
preference_after(double old, double observed, double alpha)
{
	return (1.0 - alpha) * old + alpha * observed;
}

/* The share of its half-life after which a preference is stale. */
#define FRESH 0.01

/*
 * Returns what is left of a learnt preference after some time without an
 * outcome: as long as it is fresh, all of it; then half of its distance from
 * neutral (0.5) with each half-life.
 */
double
preference_aged(double preference, double age_seconds, double half_life_seconds)
{
	double half_lives = age_seconds / half_life_seconds - FRESH;

	return half_lives > 0.0 ? 0.5 + (preference - 0.5) * exp2(-half_lives) : preference;
}

/* Returns the Jaccard similarity of two sets, 0..1; 0 for two empty ones. */
static double
names_similarity(const NameSet *a, const NameSet *b)
{
	int common = 0;
	int all;

	for (int i = 0; i < a->count; i++)
		if (names_contain(b, a->names[i]))
			common++;
	all = a->count + b->count - common;
	return (double) common / Max(1, all);
}

/*
 * Returns how well one device stands in for another, 0..1 and symmetric, from
 * the similarity 0..1 of their classes, their backends and their precisions
 * (compatibility_score.csv).
 */
double
stand_in_score(double class_similarity, const DeviceProfile *a, const DeviceProfile *b)
{
	return clamp01(0.5 * class_similarity +
				   0.3 * names_similarity(&a->supported_backends, &b->supported_backends) +
				   0.2 * names_similarity(&a->supported_precisions, &b->supported_precisions));
}
