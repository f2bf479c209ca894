/*
 * score.h
 *		The guide's scores: how well a device suits a workload, and what its
 *		load and temperature take away.  Pure arithmetic; every function gives
 *		the reference's values bit for bit (test/golden).
 */
#ifndef HWSCHED_MODEL_SCORE_H
#define HWSCHED_MODEL_SCORE_H

#include "document/profile.h"

/* Utilisation in percent. */
typedef struct Utilization
{
	double cpu;
	double memory;
	double gpu;
	double io;
	double network;
} Utilization;

/* The first demand of a workload that a device does not meet. */
typedef enum Mismatch
{
	MATCHES,
	MISMATCH_BACKEND,
	MISMATCH_MODEL,
	MISMATCH_PRECISION,
	MISMATCH_FEATURE,
	MISMATCH_UNITS,
	MISMATCH_MEMORY,
	MISMATCH_CLASS /* it was too slow there */
} Mismatch;

extern Mismatch device_mismatch(const WorkloadProfile *workload, const DeviceProfile *device);
extern double raw_efficiency(const WorkloadProfile *workload, const DeviceProfile *device);
extern double clamp01(double x);
extern double load_score(const Utilization *load);
extern double effective_load(double load, bool in_phase, double performance_level);
extern double adjusted_efficiency(double efficiency, double effective_load, bool warming,
								  bool cooling, double performance_level, double temperature);
extern double preference_after(double old, double observed, double alpha);
extern double preference_aged(double preference, double age_seconds, double half_life_seconds);
extern double stand_in_score(double class_similarity, const DeviceProfile *a,
							 const DeviceProfile *b);

#endif /* HWSCHED_MODEL_SCORE_H */
