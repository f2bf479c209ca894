/*
 * access.c
 *		Who may act for which worker.
 *
 * EXECUTE says who may call a function at all.  A login that is a worker, and
 * neither coordinator nor administrator, acts only for the workers it is bound
 * to by grant_worker().  Our functions run as the extension's owner, so the
 * caller is the role outside of them.
 */
#include "postgres.h"

#include "access.h"
#include "miscadmin.h"
#include "statement.h"
#include "utils/acl.h"

/* Raises ERRCODE_INSUFFICIENT_PRIVILEGE unless the caller may act for a worker. */
void
access_check_worker(const char *pool, const char *worker_id)
{
	static Statement statement = {
		"SELECT FROM hwsched.worker_login l"
		" WHERE l.pool = $1 AND l.worker_id = $2 AND pg_catalog.pg_has_role($3, l.login::oid, 'USAGE')",
		{TEXTOID, TEXTOID, OIDOID}
	};
	Oid			caller = GetOuterUserId();

	if (has_privs_of_role(caller, get_role_oid("hwsched_coordinator", false)) ||
		!has_privs_of_role(caller, get_role_oid("hwsched_worker", false)))
		return;
	if (statement_run(&statement, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
					  VALUE(ObjectIdGetDatum(caller))) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not act for worker \"%s\"",
						GetUserNameFromId(caller, false), worker_id),
				 errhint("A coordinator binds a login to its worker with hwsched.grant_worker().")));
}
