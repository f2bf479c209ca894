/*
 * arrivals.h
 *		The work of a scenario: what arrives, and when.
 */
#ifndef HWSCHED_SIMULATE_ARRIVALS_H
#define HWSCHED_SIMULATE_ARRIVALS_H

#include "simulate/scenario.h"

extern void read_arrivals(Scenario *scenario, Jsonb *document);

#endif /* HWSCHED_SIMULATE_ARRIVALS_H */
