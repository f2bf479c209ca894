/*
 * access.c
 *		Who sees and acts in a pool: granting and revoking that, and asking for it
 *		in the policies of tables.
 */
#include "postgres.h"

#include "nodes/supportnodes.h"
#include "utils/acl.h"

#include "store/authz.h"
#include "store/pool.h"
#include "support/args.h"

PG_FUNCTION_INFO_V1(hwsched_grant_pool);
PG_FUNCTION_INFO_V1(hwsched_revoke_pool);
PG_FUNCTION_INFO_V1(hwsched_grant_tenant);
PG_FUNCTION_INFO_V1(hwsched_revoke_tenant);
PG_FUNCTION_INFO_V1(hwsched_sees_pool);
PG_FUNCTION_INFO_V1(hwsched_sees_all);
PG_FUNCTION_INFO_V1(hwsched_sees_tenant);
PG_FUNCTION_INFO_V1(hwsched_sees_profile);
PG_FUNCTION_INFO_V1(hwsched_sees_workload);
PG_FUNCTION_INFO_V1(hwsched_sees_assignment);
PG_FUNCTION_INFO_V1(hwsched_sees_support);

/* --- granting --- */

/* The right that an argument names; raises ERRCODE_INVALID_PARAMETER_VALUE. */
static char *
right_argument(FunctionCallInfo fcinfo, int number)
{
	char *right = text_argument(fcinfo, number);

	if (strcmp(right, "view") != 0 && strcmp(right, "coordinate") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown name for \"right\": \"%s\"", right),
						errhint("Known names are: view, coordinate.")));
	return right;
}

/* The tenant that an argument names, empty for work of none. */
static char *
tenant_argument(FunctionCallInfo fcinfo, int number)
{
	char *tenant = text_argument(fcinfo, number);

	if (strlen(tenant) > MOST_NAME)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"tenant\": \"%.80s\"", tenant),
						errdetail("Expected %d bytes at most.", MOST_NAME)));
	return tenant;
}

/* Makes a role a member of the group that may call what it was granted. */
static void
join_group(const char *role, Oid role_id, const char *group)
{
	if (is_member_of_role(role_id, get_role_oid(group, false)))
		return;
	SPI_execute(psprintf("GRANT %s TO %s", group, quote_identifier(role)), false, 0);
	ereport(NOTICE, (errmsg("role \"%s\" is now a member of \"%s\"", role, group),
					 errdetail("That holds in all pools that nobody was granted access to, too.")));
}

/* Grants something in a pool by a statement, which closes it to others. */
static void
give(FunctionCallInfo fcinfo, SpiPlan *statement, const char *pool, const char *name,
	 const char *role, const char *group)
{
	static SpiPlan close = {
		"INSERT INTO hwsched.closed_pool (pool) VALUES ($1) ON CONFLICT DO NOTHING", {TEXTOID}};
	Oid role_id = get_role_oid(role, false);
	Caller caller = call_begin(fcinfo);

	pool_check(pool, false);
	spi_plan_run(&close, false, TEXT_VALUE(pool));
	spi_plan_run(statement, false, TEXT_VALUE(pool), TEXT_VALUE(name),
				 VALUE(ObjectIdGetDatum(role_id)));
	join_group(role, role_id, group);
	call_end(&caller);
}

/*
 * Takes back by a statement what was granted in a pool; it stays closed.  Raises
 * ERRCODE_UNDEFINED_OBJECT if that was not granted.
 */
static void
take_back(FunctionCallInfo fcinfo, SpiPlan *statement, const char *pool, const char *name,
		  const char *role)
{
	Oid role_id = get_role_oid(role, false);
	Caller caller = call_begin(fcinfo);

	pool_check(pool, false);
	if (spi_plan_run(statement, false, TEXT_VALUE(pool), TEXT_VALUE(name),
					 VALUE(ObjectIdGetDatum(role_id))) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" was not granted \"%s\" in pool \"%s\"", role, name, pool),
				 errhint("See the tables hwsched.pool_login and hwsched.tenant_login.")));
	call_end(&caller);
}

/* grant_pool(role name, right text, pool text) RETURNS void */
Datum
hwsched_grant_pool(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {"INSERT INTO hwsched.pool_login (pool, may, login)"
								" VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
								{TEXTOID, TEXTOID, OIDOID}};
	Name role = DatumGetName(argument(fcinfo, 0));
	char *right = right_argument(fcinfo, 1);

	give(fcinfo, &statement, text_argument(fcinfo, 2), right, NameStr(*role),
		 strcmp(right, "view") == 0 ? "hwsched_viewer" : "hwsched_coordinator");
	PG_RETURN_VOID();
}

/* revoke_pool(role name, right text, pool text) RETURNS void */
Datum
hwsched_revoke_pool(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"DELETE FROM hwsched.pool_login WHERE pool = $1 AND may = $2 AND login::oid = $3",
		{TEXTOID, TEXTOID, OIDOID}};
	Name role = DatumGetName(argument(fcinfo, 0));
	char *right = right_argument(fcinfo, 1);

	take_back(fcinfo, &statement, text_argument(fcinfo, 2), right, NameStr(*role));
	PG_RETURN_VOID();
}

/* grant_tenant(tenant text, role name, pool text) RETURNS void */
Datum
hwsched_grant_tenant(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {"INSERT INTO hwsched.tenant_login (pool, tenant, login)"
								" VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
								{TEXTOID, TEXTOID, OIDOID}};
	char *tenant = tenant_argument(fcinfo, 0);
	Name role = DatumGetName(argument(fcinfo, 1));

	give(fcinfo, &statement, text_argument(fcinfo, 2), tenant, NameStr(*role),
		 "hwsched_coordinator");
	PG_RETURN_VOID();
}

/* revoke_tenant(tenant text, role name, pool text) RETURNS void */
Datum
hwsched_revoke_tenant(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"DELETE FROM hwsched.tenant_login WHERE pool = $1 AND tenant = $2 AND login::oid = $3",
		{TEXTOID, TEXTOID, OIDOID}};
	char *tenant = tenant_argument(fcinfo, 0);
	Name role = DatumGetName(argument(fcinfo, 1));

	take_back(fcinfo, &statement, text_argument(fcinfo, 2), tenant, NameStr(*role));
	PG_RETURN_VOID();
}

/* --- policies --- */

/* What the caller sees in the pool that a query's rows are of, one after the other. */
typedef struct SeenPool
{
	int length;
	char *pool;
	Scope scope;
} SeenPool;

/* Returns whose work the caller sees in the pool of a row; it is kept for the next row. */
static const Scope *
seen_in_pool(FunctionCallInfo fcinfo)
{
	text *pool = PG_GETARG_TEXT_PP(0);
	SeenPool *seen = fcinfo->flinfo->fn_extra;
	MemoryContext caller;

	if (seen != NULL && seen->length == (int) VARSIZE_ANY_EXHDR(pool) &&
		memcmp(seen->pool, VARDATA_ANY(pool), seen->length) == 0)
		return &seen->scope;
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	if (seen == NULL)
		seen = palloc0(sizeof(SeenPool));
	/* until all of it is read it is no pool's */
	fcinfo->flinfo->fn_extra = NULL;
	seen->pool = text_to_cstring(pool);
	seen->length = strlen(seen->pool);
	seen->scope = authz_scope_of(fcinfo, seen->pool);
	fcinfo->flinfo->fn_extra = seen;
	MemoryContextSwitchTo(caller);
	return &seen->scope;
}

/*
 * Returns whether the caller sees a row, whose tenant a statement tells that takes the pool
 * and what the row says.
 */
static Datum
sees_by(FunctionCallInfo fcinfo, SpiPlan *statement)
{
	const Scope *scope = seen_in_pool(fcinfo);
	bool sees = scope->all;
	Caller caller;

	if (!sees && scope->count > 0)
	{
		caller = call_begin(fcinfo);
		sees = spi_plan_run(statement, true, VALUE(PG_GETARG_DATUM(0)), VALUE(PG_GETARG_DATUM(1)),
							scope_tenants(scope)) > 0;
		call_end(&caller);
	}
	PG_RETURN_BOOL(sees);
}

/* sees_pool(pool text) RETURNS boolean: anything of it */
Datum
hwsched_sees_pool(PG_FUNCTION_ARGS)
{
	const Scope *scope = seen_in_pool(fcinfo);

	PG_RETURN_BOOL(scope->all || scope->count > 0);
}

/* sees_all(pool text) RETURNS boolean */
Datum
hwsched_sees_all(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(seen_in_pool(fcinfo)->all);
}

/* sees_tenant(pool text, tenant text) RETURNS boolean */
Datum
hwsched_sees_tenant(PG_FUNCTION_ARGS)
{
	const Scope *scope = seen_in_pool(fcinfo);

	PG_RETURN_BOOL(scope->all || scope_has(scope, text_to_cstring(PG_GETARG_TEXT_PP(1))));
}

/* sees_profile(pool text, profile_id bigint) RETURNS boolean */
Datum
hwsched_sees_profile(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {"SELECT FROM hwsched.workload_profile WHERE pool = $1"
								" AND profile_id = $2 AND tenant = ANY ($3)",
								{TEXTOID, INT8OID, TEXTARRAYOID}};

	return sees_by(fcinfo, &statement);
}

/* sees_workload(pool text, workload_id text) RETURNS boolean */
Datum
hwsched_sees_workload(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {"SELECT FROM hwsched.submission s JOIN hwsched.workload_profile p"
								"  ON p.pool = s.pool AND p.profile_id = s.profile_id"
								" WHERE s.pool = $1 AND s.workload_id = $2 AND p.tenant = ANY ($3)",
								{TEXTOID, TEXTOID, TEXTARRAYOID}};

	return sees_by(fcinfo, &statement);
}

/* sees_assignment(pool text, assignment_id bigint) RETURNS boolean */
Datum
hwsched_sees_assignment(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"SELECT FROM hwsched.assignment a JOIN hwsched.workload_profile p"
		"  ON p.pool = a.pool AND p.profile_id = a.profile_id"
		" WHERE a.pool = $1 AND a.assignment_id = $2 AND p.tenant = ANY ($3)",
		{TEXTOID, INT8OID, TEXTARRAYOID}};

	return sees_by(fcinfo, &statement);
}

/*
 * sees_support(internal) RETURNS internal: tells the planner that all rows pass, as they do
 * wherever nobody was granted anything, so that queries are planned as without policies
 */
Datum
hwsched_sees_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);

	if (!IsA(request, SupportRequestSelectivity))
		PG_RETURN_POINTER(NULL);
	((SupportRequestSelectivity *) request)->selectivity = 1;
	PG_RETURN_POINTER(request);
}
