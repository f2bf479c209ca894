/*
 * score_function.h
 *		Functions of users that score candidates.
 */
#ifndef HWSCHED_STORE_SCORE_FUNCTION_H
#define HWSCHED_STORE_SCORE_FUNCTION_H

#include "fmgr.h"

#include "place/placement.h"

/* A function of a user in a policy. */
typedef struct ScoreFunction
{
	const char *name; /* as the settings state it */
	FmgrInfo info;
	bool failed; /* in this decision, which goes on without it */
} ScoreFunction;

extern Oid score_function(const char *path, const char *name);
extern bool score_function_in_force(const char *path, const char *name, FmgrInfo *info);
extern void refuse_in_score_function(void);
extern double call_score_function(Search *search, WorkKind *kind, const Candidate *candidate,
								  int number);

#endif /* HWSCHED_STORE_SCORE_FUNCTION_H */
