/*
 * authz.c
 *		Who calls, and for which worker they may act.
 *
 * EXECUTE says who may call a function at all.  A role that is a worker, and
 * neither coordinator nor administrator, acts only for the workers it is bound
 * to by grant_worker().
 *
 * The functions that workers call have to know who called them, and SECURITY
 * DEFINER hides just that: all that is left then is the session's role, and a
 * worker's code that a superuser's ANALYZE runs would act for any worker.  So
 * these functions are SECURITY INVOKER, note their caller and then become the
 * extension's owner themselves.  An error puts the caller back, as it does for
 * SECURITY DEFINER, when the (sub)transaction is aborted.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/syscache.h"

#include "store/authz.h"
#include "support/spi_plan.h"

PG_FUNCTION_INFO_V1(hwsched_login_role_in);
PG_FUNCTION_INFO_V1(hwsched_login_role_out);
PG_FUNCTION_INFO_V1(hwsched_skip_row);

/* Begins a call: notes the caller, becomes the function's owner, connects SPI. */
Caller
call_begin(FunctionCallInfo fcinfo)
{
	Caller caller;
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(fcinfo->flinfo->fn_oid));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", fcinfo->flinfo->fn_oid);
	GetUserIdAndSecContext(&caller.user, &caller.sec_context);
	SetUserIdAndSecContext(((Form_pg_proc) GETSTRUCT(tuple))->proowner,
						   caller.sec_context | SECURITY_LOCAL_USERID_CHANGE);
	ReleaseSysCache(tuple);
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

/* Returns whether the caller may act for some workers only. */
bool
authz_is_limited(const Caller *caller)
{
	/* Who is neither got here by a coordinator's own function. */
	return !has_privs_of_role(caller->user, get_role_oid("hwsched_coordinator", false)) &&
		   has_privs_of_role(caller->user, get_role_oid("hwsched_worker", false));
}

/* Raises ERRCODE_INSUFFICIENT_PRIVILEGE unless the caller may act for a worker. */
void
authz_check_worker(const Caller *caller, const char *pool, const char *worker_id)
{
	static SpiPlan statement = {
		"SELECT FROM hwsched.worker_login l"
		" WHERE l.pool = $1 AND l.worker_id = $2 AND pg_catalog.pg_has_role($3, l.login::oid,"
		" 'USAGE')",
		{TEXTOID, TEXTOID, OIDOID}};

	if (!authz_is_limited(caller))
		return;
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
					 VALUE(ObjectIdGetDatum(caller->user))) == 0)
		ereport(
			ERROR,
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
				 errdetail("It is not bound to a worker any more."),
				 errhint("Create the role, and bind it with hwsched.grant_worker().")));
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
