/*
 * formula.h
 *		Time and energy of a workload on a device, from their profiles alone.
 *		Pure; the guide's formulas.
 */
#ifndef HWSCHED_MODEL_FORMULA_H
#define HWSCHED_MODEL_FORMULA_H

#include "document/profile.h"

extern double predict_seconds(const WorkloadProfile *workload, const DeviceProfile *device,
							  double estimated_seconds);
extern double base_seconds(const WorkloadProfile *workload, const DeviceProfile *device,
						   double estimated_seconds);
extern double full_watts(const DeviceProfile *device);
extern double work_intensity(const WorkloadProfile *workload);
extern double predict_joules(const WorkloadProfile *workload, const DeviceProfile *device,
							 double seconds);

#endif /* HWSCHED_MODEL_FORMULA_H */
