/*
 * score_function.c
 *		Functions of users that score candidates.
 *
 * A user's function runs with the privileges of hwsched_admin, whose members
 * are the only ones to set policies: so it can do no more than they can, and
 * no more because a superuser set it or calls assign_pending().
 */
#include "postgres.h"

#include <float.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#include "document/json.h"
#include "document/jsonb_writer.h"
#include "place/candidate.h"
#include "store/policy_settings.h"
#include "store/score_function.h"
#include "support/compat.h"

#define ADMIN_ROLE "hwsched_admin"

/* --- which they are --- */

pg_noreturn static void
unknown_algorithm(const char *path, const char *name)
{
	StringInfoData known;

	initStringInfo(&known);
	for (int i = 0; i < algorithm_count; i++)
		appendStringInfo(&known, "%s, ", algorithm_traits[i].name);
	ereport(
		ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
		 errmsg("unknown name for \"%s\": \"%s\"", path, name),
		 errhint("Known names are: %sor a function such as \"public.my_score(jsonb,jsonb,jsonb)\".",
				 known.data)));
}

/*
 * Returns the function that a name with arguments means; raises
 * ERRCODE_UNDEFINED_FUNCTION if there is none, and
 * ERRCODE_INVALID_PARAMETER_VALUE if it cannot score or is no function at all.
 */
Oid
score_function(const char *path, const char *name)
{
	Oid oid;
	HeapTuple tuple;
	Form_pg_proc form;
	bool fits;
	bool temporary;

	if (strchr(name, '(') == NULL)
		unknown_algorithm(path, name);
	oid = DatumGetObjectId(DirectFunctionCall1(regprocedurein, CStringGetDatum(name)));
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	if (!HeapTupleIsValid(tuple))
		unknown_algorithm(path, name);
	form = (Form_pg_proc) GETSTRUCT(tuple);
	fits = form->prokind == PROKIND_FUNCTION && !form->proretset && form->prorettype == FLOAT8OID &&
		   form->pronargs == 3 && form->proargtypes.values[0] == JSONBOID &&
		   form->proargtypes.values[1] == JSONBOID && form->proargtypes.values[2] == JSONBOID;
	temporary = isAnyTempNamespace(form->pronamespace);
	ReleaseSysCache(tuple);
	if (temporary)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid name for \"%s\": \"%s\"", path, name),
			 errdetail("The function is temporary, and other sessions have others of its name."),
			 errhint("Create it in a schema that stays.")));
	if (!fits)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid name for \"%s\": \"%s\"", path, name),
			 errdetail(
				 "Expected a function (workload jsonb, device jsonb, state jsonb) RETURNS double"
				 " precision.")));
	return oid;
}

/*
 * Passes an error of a user's function on if it is none of its own: a cancel, a
 * conflict with another transaction, a want of resources.  Otherwise returns it,
 * and the transaction goes on as before the subtransaction that it ended.
 */
static ErrorData *
take_error(MemoryContext context, ResourceOwner owner)
{
	ErrorData *error;
	int category;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
	FlushErrorState();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (category == ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES))
		ReThrowError(error);
	return error;
}

/* Warns that a decision goes without a function. */
static void
warn_without(const char *name, const ErrorData *error)
{
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("policy function \"%s\" is left out: %s", name, error->message),
			 errhint("Mend the function, or set other policies with hwsched.alter_pool().")));
}

/*
 * Finds the function of a policy in force; returns false, with a warning, if it
 * was dropped, renamed or changed since the policy was set.
 */
bool
score_function_in_force(const char *path, const char *name, FmgrInfo *info)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool found = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		fmgr_info(score_function(path, name), info);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		warn_without(name, take_error(context, owner));
		found = false;
	}
	PG_END_TRY();
	return found;
}

/* --- calling them --- */

/* The workload as the function sees it: its profile, duration and priority. */
static Datum
workload_argument(const WorkKind *kind)
{
	WorkloadProfile profile = kind->profile;

	profile.estimated_duration_seconds = kind->expected_seconds;
	profile.priority = kind->priority;
	return JsonbPGetDatum(document_write(&workload_profile_document, &profile));
}

static void
push_number(JsonbParseState **state, const char *key, double number)
{
	push_key(state, key);
	push_double(state, number);
}

/*
 * The state of a candidate's first device: columns of compatible_hardware(),
 * but those that only the comparison with others gives.
 */
static Datum
state_argument(Search *search, WorkKind *kind, const Candidate *candidate)
{
	const Worker *worker = &search->fleet->workers[candidate->worker];
	const Device *device = &search->fleet->devices[candidate->devices[0]];
	const DeviceProfile *profile = &search->fleet->profiles[device->profile];
	EnergyUse use = candidate_use(search, kind, candidate, kind->expected_seconds, kind->subject);
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_key(&state, "worker_id");
	push_text(&state, WJB_VALUE, worker->worker_id);
	push_number(&state, "device_no", device->device_no);
	push_key(&state, "hardware_class");
	push_text(&state, WJB_VALUE, profile->hardware_class);
	if (profile->model_name != NULL)
	{
		push_key(&state, "model_name");
		push_text(&state, WJB_VALUE, profile->model_name);
	}
	push_number(&state, "efficiency_ratio", clamp01(candidate->raw_efficiency));
	push_number(&state, "raw_efficiency_ratio", candidate->raw_efficiency);
	push_number(&state, "load_ratio", device->load);
	push_number(&state, "effective_load_ratio", device->effective_load);
	push_number(&state, "performance_level_ratio", device->performance_level);
	push_number(&state, "temperature_ratio", device->temperature);
	push_number(&state, "preference", kind->preference ? kind->preference[candidate->worker] : 0.5);
	push_number(&state, "adjusted_efficiency_ratio", candidate->adjusted_efficiency);
	push_number(&state, "predicted_seconds",
				candidate_seconds(search, kind, candidate, kind->expected_seconds, kind->subject));
	push_number(&state, "joules", Min(use.joules, DBL_MAX));
	push_number(&state, "cost", Min(use.money, DBL_MAX));
	push_number(&state, "heat_factor", device_heat_factor(kind, device));
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* How many functions of policies are running: they may call each other by way of others. */
static int running = 0;

/*
 * Raises ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE within a function of a
 * policy: the decision that called it stands on what the pool is like.
 */
void
refuse_in_score_function(void)
{
	if (running > 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("a function of a policy cannot change or place anything in a pool"),
						errhint("Let it return a score from what it is given.")));
}

/*
 * Runs a function with the rights of hwsched_admin, and of those to read only:
 * whoever decides may be one who only reads.
 */
static Datum
invoke_read_only(FunctionCallInfo fcinfo)
{
	Oid user;
	int sec_context;
	int settings;
	bool read_only = XactReadOnly;
	Datum result;

	/* an error puts the user, the settings and the mode back when the subtransaction is aborted */
	GetUserIdAndSecContext(&user, &sec_context);
	SetUserIdAndSecContext(get_role_oid(ADMIN_ROLE, false), sec_context |
																SECURITY_LOCAL_USERID_CHANGE |
																SECURITY_RESTRICTED_OPERATION);
	/* what it sets (search_path!) must not outlive it in a session of more rights */
	settings = NewGUCNestLevel();
	/* not as a setting: since PostgreSQL 16 that one cannot be set for a function */
	XactReadOnly = true;
	result = FunctionCallInvoke(fcinfo);
	XactReadOnly = read_only;
	AtEOXact_GUC(false, settings);
	SetUserIdAndSecContext(user, sec_context);
	return result;
}

/*
 * Calls a function of a policy; NULL and NaN count 0.  search->score_context
 * is the pool's Policies.  A function that fails costs a warning and counts 0
 * for the rest of the decision; only errors that are not its own are passed on.
 */
double
call_score_function(Search *search, WorkKind *kind, const Candidate *candidate, int number)
{
	Policies *policies = search->score_context;
	ScoreFunction *function = &policies->functions[number];
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	MemoryContext own;
	LOCAL_FCINFO(fcinfo, 3);
	volatile double score = 0;

	if (function->failed)
		return 0;
	CHECK_FOR_INTERRUPTS();
	own = AllocSetContextCreate(caller, "hwsched score function", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(own);
	InitFunctionCallInfoData(*fcinfo, &function->info, 3, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = workload_argument(kind);
	fcinfo->args[1].value = JsonbPGetDatum(document_write(
		&device_profile_document,
		&search->fleet->profiles[search->fleet->devices[candidate->devices[0]].profile]));
	fcinfo->args[2].value = state_argument(search, kind, candidate);
	fcinfo->args[0].isnull = fcinfo->args[1].isnull = fcinfo->args[2].isnull = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(own);
	running++;
	PG_TRY();
	{
		Datum result = invoke_read_only(fcinfo);

		if (!fcinfo->isnull)
			score = DatumGetFloat8(result);
		ReleaseCurrentSubTransaction();
		CurrentResourceOwner = owner;
		running--;
	}
	PG_CATCH();
	{
		running--;
		warn_without(function->name, take_error(own, owner));
		function->failed = true;
		score = 0;
	}
	PG_END_TRY();

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(own);
	return score;
}
