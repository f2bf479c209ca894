/*
 * policy_settings.h
 *		Policies as a pool's settings state them.
 */
#ifndef HWSCHED_STORE_POLICY_SETTINGS_H
#define HWSCHED_STORE_POLICY_SETTINGS_H

#include "place/placement.h"
#include "store/score_function.h"

/* The policies in force in a pool. */
typedef struct Policies
{
	Policy policy; /* where none is for the workload's type */
	int count;
	const char **types;
	Policy *of_types;
	EnergyWeights objective; /* what objective stands for in them */
	int uses; /* what any of them looks at, USES_ bits */
	int nfunctions;
	ScoreFunction *functions; /* PolicyPart.function is an index */
} Policies;

extern void policies_read(const NamedNumbers *policy, const NamedTables *of_types,
						  Policies *policies);
extern void policies_check(const NamedNumbers *policy, const NamedTables *of_types, Oid setter);
extern bool policies_have_functions(const NamedNumbers *policy, const NamedTables *of_types);
extern const Policy *policy_for(const Policies *policies, const WorkloadProfile *profile);

#endif /* HWSCHED_STORE_POLICY_SETTINGS_H */
