/*
 * authz.c
 *		Who calls, what they see, and for whom they may act.
 *
 * EXECUTE says who may call a function at all.  A role that is a worker, and
 * neither coordinator nor administrator, acts only for the workers it is bound
 * to by grant_worker().  In a pool that is closed by grant_pool() or
 * grant_tenant(), others see and do what these have granted them.
 *
 * So functions have to know who called them, and SECURITY DEFINER hides just
 * that: all that is left then is the session's role, and code of a user's that a
 * superuser's ANALYZE runs would act with the superuser's rights.  So they are
 * SECURITY INVOKER, note their caller and then become the extension's owner
 * themselves.  An error puts the caller back, as it does for SECURITY DEFINER,
 * when the (sub)transaction is aborted.
 *
 * Tables and views are read with the rights of who reads; the tables' policies
 * (src/sql/88_policies.sql) ask the same questions.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/syscache.h"

#include "store/authz.h"
#include "store/grants.h"

PG_FUNCTION_INFO_V1(hwsched_login_role_in);
PG_FUNCTION_INFO_V1(hwsched_login_role_out);
PG_FUNCTION_INFO_V1(hwsched_skip_row);

/* --- calls --- */

/* Returns who calls a function. */
static Caller
caller_of(FunctionCallInfo fcinfo)
{
	Caller caller;
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(fcinfo->flinfo->fn_oid));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", fcinfo->flinfo->fn_oid);
	caller.owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	GetUserIdAndSecContext(&caller.user, &caller.sec_context);
	ReleaseSysCache(tuple);
	return caller;
}

/* Begins a call: notes the caller, becomes the function's owner, connects SPI. */
Caller
call_begin(FunctionCallInfo fcinfo)
{
	Caller caller = caller_of(fcinfo);

	SetUserIdAndSecContext(caller.owner, caller.sec_context | SECURITY_LOCAL_USERID_CHANGE);
	SPI_connect();
	return caller;
}

/* Ends a call: disconnects SPI and becomes the caller again. */
void
call_end(const Caller *caller)
{
	SPI_finish();
	SetUserIdAndSecContext(caller->user, caller->sec_context);
}

/* --- pools and tenants --- */

static bool
has_role(const Caller *caller, const char *role)
{
	return has_privs_of_role(caller->user, get_role_oid(role, false));
}

/* Returns whether no grant limits the caller: an administrator, or one of our own functions. */
static bool
is_admin(const Caller *caller)
{
	return caller->user == caller->owner || has_role(caller, "hwsched_admin");
}

/* Returns whose work a caller sees, or acts for, in a pool; it may be nobody's. */
static Scope
scope_of(const Caller *caller, const char *pool, bool to_act)
{
	const PoolGrants *grants = grants_in(pool);
	Scope scope = {.all = grants == NULL || is_admin(caller)};

	if (scope.all)
		return scope;
	scope.tenants = palloc(sizeof(char *) * (grants->count + 1));
	for (int i = 0; i < grants->count; i++)
	{
		const Grant *grant = &grants->grants[i];

		if ((to_act && !grant->coordinates) || !has_privs_of_role(caller->user, grant->login))
			continue;
		if (grant->tenant != NULL)
			scope.tenants[scope.count++] = pstrdup(grant->tenant);
		else
			scope.all = true;
	}
	return scope;
}

/* Returns whose work the caller of a function sees in a pool, for the policies of tables. */
Scope
authz_scope_of(FunctionCallInfo fcinfo, const char *pool)
{
	Caller caller;

	if (!grants_are_read())
	{
		caller = call_begin(fcinfo);
		(void) grants_in(pool);
		call_end(&caller);
	}
	caller = caller_of(fcinfo);
	return scope_of(&caller, pool, false);
}

/* Raises ERRCODE_INSUFFICIENT_PRIVILEGE: the caller has no right to do something in a pool. */
pg_noreturn static void
refuse(const Caller *caller, const char *may_not, const char *pool)
{
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					errmsg("role \"%s\" may not %s pool \"%s\"",
						   GetUserNameFromId(caller->user, false), may_not, pool),
					errhint("An administrator allows that with hwsched.grant_pool().")));
}

/* Returns whose work the caller sees in a pool; raises an error if it sees nothing of it. */
Scope
authz_seen(const Caller *caller, const char *pool)
{
	Scope scope = scope_of(caller, pool, false);

	if (!scope.all && scope.count == 0)
		refuse(caller, "see", pool);
	return scope;
}

/* Returns for whose work the caller acts in a pool; raises an error if for nobody's. */
Scope
authz_acts_for(const Caller *caller, const char *pool)
{
	Scope scope = scope_of(caller, pool, true);

	if (!scope.all && scope.count == 0)
		refuse(caller, "act in", pool);
	return scope;
}

/* Raises ERRCODE_INSUFFICIENT_PRIVILEGE unless the caller sees all of a pool. */
void
authz_check_view(const Caller *caller, const char *pool)
{
	if (!scope_of(caller, pool, false).all)
		refuse(caller, "see all of", pool);
}

/* Raises ERRCODE_INSUFFICIENT_PRIVILEGE unless the caller acts for all of a pool. */
void
authz_check_coordinate(const Caller *caller, const char *pool)
{
	if (!scope_of(caller, pool, true).all)
		refuse(caller, "act for all of", pool);
}

/* Returns whether the work of a tenant (NULL: of none) is in a scope. */
bool
scope_has(const Scope *scope, const char *tenant)
{
	if (scope->all)
		return true;
	for (int i = 0; i < scope->count; i++)
		if (strcmp(scope->tenants[i], tenant == NULL ? "" : tenant) == 0)
			return true;
	return false;
}

/* Returns the tenants of a scope as a text[]; NULL for all of the pool. */
Parameter
scope_tenants(const Scope *scope)
{
	return scope->all ? NULL_VALUE : text_array(scope->tenants, scope->count);
}

/* --- workers --- */

/* Returns whether the caller may act for all workers of a pool. */
bool
authz_coordinates(const Caller *caller, const char *pool)
{
	/* who is neither got here by a coordinator's own function */
	return (has_role(caller, "hwsched_coordinator") || !has_role(caller, "hwsched_worker")) &&
		   scope_of(caller, pool, true).all;
}

/* Returns whether the caller is bound to a worker, or with NULL to any one of a pool. */
static bool
is_bound(const Caller *caller, const char *pool, const char *worker_id)
{
	static SpiPlan statement = {"SELECT FROM hwsched.worker_login l WHERE l.pool = $1"
								" AND ($2 IS NULL OR l.worker_id = $2)"
								" AND pg_catalog.pg_has_role($3, l.login::oid, 'USAGE') LIMIT 1",
								{TEXTOID, TEXTOID, OIDOID}};

	return spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_OR_NULL(worker_id),
						VALUE(ObjectIdGetDatum(caller->user))) > 0;
}

/*
 * Raises ERRCODE_INSUFFICIENT_PRIVILEGE for a caller that may act for no worker of a
 * pool, and so is not told what runs there.
 */
void
authz_check_runs(const Caller *caller, const char *pool)
{
	if (grants_in(pool) != NULL && !authz_coordinates(caller, pool) &&
		!is_bound(caller, pool, NULL))
		refuse(caller, "act for all of", pool);
}

/* Raises ERRCODE_INSUFFICIENT_PRIVILEGE unless the caller may act for a worker. */
void
authz_check_worker(const Caller *caller, const char *pool, const char *worker_id)
{
	if (authz_coordinates(caller, pool) || is_bound(caller, pool, worker_id))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("role \"%s\" may not act for worker \"%s\"",
					GetUserNameFromId(caller->user, false), worker_id),
			 errhint("A coordinator binds a login to its worker with hwsched.grant_worker().")));
}

/* --- the logins that are bound --- */

/*
 * login_role_in(cstring) RETURNS login_role: 0 where there is no such role, with
 * a WARNING, so that a restored table keeps the others
 */
Datum
hwsched_login_role_in(PG_FUNCTION_ARGS)
{
	const char *name = PG_GETARG_CSTRING(0);
	Oid role = get_role_oid(name, true);

	if (!OidIsValid(role))
		ereport(WARNING,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("role \"%s\" does not exist", name),
				 errdetail("What it was granted is lost."),
				 errhint("Create the role, and grant it that again: see hwsched.grant_worker(),"
						 " grant_pool() and grant_tenant().")));
	PG_RETURN_OID(role);
}

/* login_role_out(login_role) RETURNS cstring: its name, its number if it was dropped */
Datum
hwsched_login_role_out(PG_FUNCTION_ARGS)
{
	Oid role = PG_GETARG_OID(0);
	char *name = GetUserNameFromId(role, true);

	PG_RETURN_CSTRING(name != NULL ? name : psprintf("%u", role));
}

/* skip_row() RETURNS trigger: of a row that is to be left out */
Datum
hwsched_skip_row(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("skip_row is a trigger function")));
	return PointerGetDatum(NULL);
}
