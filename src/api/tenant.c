/*
 * tenant.c
 *		What tenants use, as decisions see it, for a view.
 */
#include "postgres.h"

#include "funcapi.h"

#include "place/order.h"
#include "snapshot/fleet.h"
#include "snapshot/tenants.h"
#include "store/authz.h"
#include "support/args.h"

PG_FUNCTION_INFO_V1(hwsched_tenant_usage);

/* Returns a limit as a datum; NULL for none. */
static Datum
limit_datum(double limit, bool *isnull)
{
	*isnull = isinf(limit);
	return Float8GetDatum(limit);
}

/* tenant_usage(pool text) RETURNS TABLE */
Datum
hwsched_tenant_usage(PG_FUNCTION_ARGS)
{
	char *pool = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PoolSnapshot snapshot;
	const Search *search = &snapshot.search;
	Caller caller;
	Scope scope;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	scope = authz_seen(&caller, pool);
	snapshot_settings(&snapshot, pool, true);
	load_tenants(&snapshot, pool, true);
	for (int t = 0; t < search->ntenants; t++)
	{
		const Tenant *tenant = &search->tenants[t];
		Datum values[12];
		bool nulls[12] = {0};
		int c = 0;

		if (!scope_has(&scope, tenant->name))
			continue;
		values[c++] = CStringGetTextDatum(tenant->name);
		values[c++] = Float8GetDatum(tenant->weight);
		values[c++] = Int64GetDatum((int64) tenant->workloads);
		values[c] = limit_datum(tenant->most_workloads, &nulls[c]);
		c++;
		values[c++] = Float8GetDatum(tenant->accelerators);
		values[c] = limit_datum(tenant->most_accelerators, &nulls[c]);
		c++;
		values[c++] = Float8GetDatum(tenant->cores);
		values[c] = limit_datum(tenant->most_cores, &nulls[c]);
		c++;
		values[c++] = Int64GetDatum((int64) tenant->memory);
		values[c++] = Float8GetDatum(tenant_share(search, tenant));
		nulls[c] = !search->fair_share;
		values[c++] = Float8GetDatum(tenant->past);
		nulls[c] = !search->fair_share;
		values[c++] = Float8GetDatum(tenant_usage(search, tenant));
		Assert(c == lengthof(values));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	call_end(&caller);
	return (Datum) 0;
}
