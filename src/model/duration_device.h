/*
 * duration_device.h
 *		A device profile's loadings on the factors of models.  Pure.
 */
#ifndef HWSCHED_MODEL_DURATION_DEVICE_H
#define HWSCHED_MODEL_DURATION_DEVICE_H

#include "model/duration.h"

extern void duration_device_fit(const DurationPool *pool, DurationDevice *device);
extern void duration_device_enter(DurationPool *pool, DurationDevice *device);
extern void duration_device_observe(DurationPool *pool, DurationDevice *device,
									const double *factors, double value, double weight, bool again);
extern void duration_device_doubt(DurationPool *pool, DurationDevice *device);

#endif /* HWSCHED_MODEL_DURATION_DEVICE_H */
