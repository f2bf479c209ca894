/*
 * grants.c
 *		A session's copy of who sees and acts in which pools.
 *
 * Every call and every query of a viewer asks, so all grants of the database are
 * kept; most have none.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "store/grants.h"
#include "support/session_copy.h"
#include "support/spi_plan.h"
#include "support/strtab.h"

PG_FUNCTION_INFO_V1(hwsched_grants_changed);

typedef struct Grants
{
	HTAB *numbers; /* of pools that are closed, in pools; NULL: none is */
	PoolGrants *pools;
} Grants;

static void
load(void *kept, MemoryContext context)
{
	static SpiPlan statement = {
		"SELECT c.pool, g.login::oid::bigint, g.coordinates, g.tenant FROM hwsched.closed_pool c"
		" LEFT JOIN (SELECT pool, login, may = 'coordinate', NULL FROM hwsched.pool_login"
		"  UNION ALL SELECT pool, login, true, tenant FROM hwsched.tenant_login)"
		"  g(pool, login, coordinates, tenant) ON g.pool = c.pool"
		" ORDER BY c.pool",
		{InvalidOid},
		IN_SETS};
	int n = (int) spi_plan_execute(&statement, true, NULL, 0);
	Grants *all = kept;
	MemoryContext caller;
	Grant *grants;
	const char *pool = NULL;
	int npools = 0;

	if (n == 0)
		return;
	caller = MemoryContextSwitchTo(context);
	all->numbers = strtab_create("hwsched closed pools");
	all->pools = palloc(sizeof(PoolGrants) * n);
	grants = palloc(sizeof(Grant) * n);
	for (int i = 0; i < n; i++)
	{
		const char *next = column_text(i, 1);
		bool found;

		if (pool == NULL || strcmp(pool, next) != 0)
		{
			strtab_enter(all->numbers, next, strlen(next), &found)->number = npools;
			all->pools[npools++] = (PoolGrants){0, grants};
		}
		pool = next;
		*grants = (Grant){(Oid) column_bigint(i, 2), column_bool(i, 3), column_text(i, 4)};
		if (OidIsValid(grants->login))
		{
			grants++;
			all->pools[npools - 1].count++;
		}
	}
	MemoryContextSwitchTo(caller);
}

static SessionCopy copy = {
	"grants", {"closed_pool", "pool_login", "tenant_login"}, sizeof(Grants), load};

/* Returns whether grants_in() can be called by any role, as it has nothing to read. */
bool
grants_are_read(void)
{
	return session_copy_is_fresh(&copy);
}

/*
 * Returns the grants in a pool, or NULL if nobody was granted anything there: it is open
 * to all.  They last until the next call.
 */
const PoolGrants *
grants_in(const char *pool)
{
	const Grants *all;
	StrtabEntry *entry;

	/* what is invalidated while it is read is read again */
	while (!grants_are_read())
		(void) session_copy_read(&copy);
	all = copy.current;
	entry = all->numbers == NULL ? NULL : strtab_find(all->numbers, pool, strlen(pool));
	return entry == NULL ? NULL : &all->pools[entry->number];
}

/* grants_changed() RETURNS trigger: copies are stale once this commits, ours at the next command */
Datum
hwsched_grants_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("grants_changed is a trigger function")));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	return PointerGetDatum(NULL);
}
