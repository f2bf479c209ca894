/*
 * assign.h
 *		Deciding and writing the decision down.
 */
#ifndef HWSCHED_ASSIGN_H
#define HWSCHED_ASSIGN_H

#include "fleet.h"

extern uint64 write_decisions(Picture *picture, const char *pool, bool returning);
extern const char *refusal_reason(Refusal refusal);

#endif							/* HWSCHED_ASSIGN_H */
