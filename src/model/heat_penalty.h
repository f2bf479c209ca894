/*
 * heat_penalty.h
 *		What a decision makes of the temperature that work would cause.
 */
#ifndef HWSCHED_MODEL_HEAT_PENALTY_H
#define HWSCHED_MODEL_HEAT_PENALTY_H

#include "support/standalone.h"

extern bool heat_overheats(double celsius, double throttle_celsius);
extern double heat_share_factor(double share, double throttles_at);

#endif /* HWSCHED_MODEL_HEAT_PENALTY_H */
