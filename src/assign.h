/*
 * assign.h
 *		Deciding and writing the decision down.
 */
#ifndef HWSCHED_ASSIGN_H
#define HWSCHED_ASSIGN_H

#include "fleet.h"

extern double predicted_seconds(const Picture *picture, int i);
extern uint64 write_decisions(Picture *picture, const char *pool, bool returning);

#endif							/* HWSCHED_ASSIGN_H */
