/*
 * simulate.h
 *		Calls that simulate.
 */
#ifndef HWSCHED_API_SIMULATE_H
#define HWSCHED_API_SIMULATE_H

#include "store/authz.h"

extern int begin_simulating(FunctionCallInfo fcinfo, Caller *caller, const char **callers_path);
extern void end_simulating(const Caller *caller, int level);

#endif /* HWSCHED_API_SIMULATE_H */
