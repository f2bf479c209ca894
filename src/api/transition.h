/*
 * transition.h
 *		One assignment by its id, for who takes it from one state to the next.
 */
#ifndef HWSCHED_API_TRANSITION_H
#define HWSCHED_API_TRANSITION_H

#include "store/authz.h"

extern bool find_assignment(const Caller *caller, const char *pool, int64 assignment_id,
							char **state);
extern void lock_assignment(const char *pool, int64 assignment_id);
pg_noreturn extern void assignment_not_in_state(const Caller *caller, const char *pool,
												int64 assignment_id, const char *action,
												const char *needed);

#endif /* HWSCHED_API_TRANSITION_H */
