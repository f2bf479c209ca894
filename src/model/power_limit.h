/*
 * power_limit.h
 *		The device model and power limit at which a job should run, from what
 *		other jobs took at every setting and this one at a few.
 */
#ifndef HWSCHED_MODEL_POWER_LIMIT_H
#define HWSCHED_MODEL_POWER_LIMIT_H

#include "model/energy.h"

extern int power_choose(const PowerHistory *history, const PowerJob *job, PowerGuess *guesses);
extern int power_next(const PowerHistory *history, const PowerJob *job, int device);

#endif /* HWSCHED_MODEL_POWER_LIMIT_H */
