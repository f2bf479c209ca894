/*
 * policy_settings.c
 *		Policies as a pool's settings state them.
 */
#include "postgres.h"

#include "utils/acl.h"
#include "utils/regproc.h"

#include "document/json.h"
#include "store/policy_settings.h"
#include "support/compat.h"

/*
 * Weights count beside each other, so there is no use for greater ones, and lesser ones are
 * none.
 */
#define MOST_WEIGHT 1e6
#define LEAST_WEIGHT 1e-100

/* --- reading --- */

/*
 * Reads one policy; its functions are added to those of policies.  In force, it
 * goes on without functions that are not there any more, and is the default
 * where nothing else is left of it.
 */
static Policy
read_policy(const NamedNumbers *weights, const char *path, bool in_force, Policies *policies)
{
	Policy policy = {0, palloc(sizeof(PolicyPart) * (weights->count + 1))};
	bool left_out = false;

	for (int i = 0; i < weights->count; i++)
	{
		const char *name = weights->items[i].name;
		PolicyPart part = {ALGORITHM_FUNCTION, weights->items[i].value, -1};

		for (int a = 0; a < algorithm_count; a++)
			if (strcmp(name, algorithm_traits[a].name) == 0)
				part.algorithm = (Algorithm) a;
		if (part.algorithm == ALGORITHM_FUNCTION)
		{
			ScoreFunction function = {name};

			if (!in_force)
				fmgr_info(score_function(path, name), &function.info);
			else if (!score_function_in_force(path, name, &function.info))
			{
				left_out = true;
				continue;
			}
			part.function = policies->nfunctions++;
			policies->functions =
				policies->functions == NULL ?
					palloc(sizeof(ScoreFunction) * policies->nfunctions) :
					repalloc(policies->functions, sizeof(ScoreFunction) * policies->nfunctions);
			policies->functions[part.function] = function;
		}
		if (part.weight > MOST_WEIGHT)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid value for \"%s\": %g", document_path(path, name), part.weight),
					 errdetail("Expected a number from 0 to %g.", MOST_WEIGHT)));
		if (part.weight >= LEAST_WEIGHT)
			policy.parts[policy.nparts++] = part;
	}
	if (policy.nparts == 0 && left_out)
		policy.parts[policy.nparts++] = (PolicyPart){ALGORITHM_HARDWARE_AWARE, 1, -1};
	if (policy.nparts == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"%s\": the weights add up to 0", path),
						errdetail("Expected at least one weight above 0.")));
	policies->uses |= policy_uses(&policy);
	return policy;
}

static void
read_policies(const NamedNumbers *policy, const NamedTables *of_types, bool in_force,
			  Policies *policies)
{
	memset(policies, 0, sizeof(*policies));
	policies->policy = read_policy(policy, "policy", in_force, policies);
	policies->count = of_types->count;
	policies->types = palloc(sizeof(char *) * (of_types->count + 1));
	policies->of_types = palloc(sizeof(Policy) * (of_types->count + 1));
	for (int i = 0; i < of_types->count; i++)
	{
		policies->types[i] = of_types->items[i].name;
		policies->of_types[i] =
			read_policy(&of_types->items[i].numbers,
						document_path("policies", of_types->items[i].name), in_force, policies);
	}
}

/*
 * Reads the policies in force in a pool.  A function that is not there any more
 * costs a warning and its share: no decision, view or other pool fails for it.
 */
void
policies_read(const NamedNumbers *policy, const NamedTables *of_types, Policies *policies)
{
	read_policies(policy, of_types, true, policies);
}

/*
 * Reads policies that are to be set.  Raises ERRCODE_INVALID_PARAMETER_VALUE for
 * names and weights that mean nothing, ERRCODE_UNDEFINED_FUNCTION for functions
 * that are not there, and ERRCODE_INSUFFICIENT_PRIVILEGE for those that their
 * setter may not call.
 */
void
policies_check(const NamedNumbers *policy, const NamedTables *of_types, Oid setter)
{
	Policies policies;

	read_policies(policy, of_types, false, &policies);
	for (int i = 0; i < policies.nfunctions; i++)
	{
		Oid oid = policies.functions[i].info.fn_oid;
		AclResult result = function_aclcheck(oid, setter, ACL_EXECUTE);

		if (result != ACLCHECK_OK)
			aclcheck_error(result, OBJECT_FUNCTION, format_procedure(oid));
	}
}

/* Returns whether weights name something that is no algorithm of ours. */
static bool
names_function(const NamedNumbers *weights)
{
	for (int i = 0; i < weights->count; i++)
	{
		bool ours = false;

		for (int a = 0; a < algorithm_count; a++)
			ours = ours || strcmp(weights->items[i].name, algorithm_traits[a].name) == 0;
		if (!ours)
			return true;
	}
	return false;
}

/* Returns whether users' functions are among the algorithms of policies. */
bool
policies_have_functions(const NamedNumbers *policy, const NamedTables *of_types)
{
	bool any = names_function(policy);

	for (int i = 0; i < of_types->count; i++)
		any = any || names_function(&of_types->items[i].numbers);
	return any;
}

/*
 * Returns the policy for work of a profile: that of its type, as the work's energy sensitivity
 * changes it.
 */
const Policy *
policy_for(const Policies *policies, const WorkloadProfile *profile)
{
	const Policy *stated = &policies->policy;

	for (int i = 0; i < policies->count; i++)
		if (same_name(policies->types[i], profile->workload_type))
			stated = &policies->of_types[i];
	return policy_in_force(stated, policies->objective, profile->metrics.energy_sensitivity);
}
