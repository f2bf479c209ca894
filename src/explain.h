/*
 * explain.h
 *		Decisions in words.
 */
#ifndef HWSCHED_EXPLAIN_H
#define HWSCHED_EXPLAIN_H

#include "placement.h"

extern const char *refusal_reason(Refusal refusal);

#endif							/* HWSCHED_EXPLAIN_H */
