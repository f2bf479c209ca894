/*
 * grants.c
 *		A session's copy of who sees and acts in which pools.
 *
 * Every call and every query of a viewer asks, so all grants of the database are
 * kept; most have none.  The tables are read as of now, not as of the running
 * statement, so that a change which commits while we read is either in the copy
 * or invalidates it.  A trigger on each of them sends the invalidation.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "store/grants.h"
#include "support/spi_plan.h"
#include "support/strtab.h"

PG_FUNCTION_INFO_V1(hwsched_grants_changed);

typedef struct GrantsCopy
{
	MemoryContext context;
	TimestampTz only_statement; /* not 0: do not use it in a later one */
	HTAB *numbers; /* of pools that are closed, in pools; NULL: none is */
	PoolGrants *pools;
} GrantsCopy;

static GrantsCopy *current = NULL;
static Oid tables[3]; /* whose change makes the copy stale */

/* Drops the copy when a table of ours, or everything, has changed. */
static void
forget(Datum arg, Oid relation)
{
	for (int i = 0; i < lengthof(tables); i++)
		if (relation == InvalidOid || relation == tables[i])
			/* who is reading it goes on: it lives until the next one is read */
			current = NULL;
}

/* Reads all grants into a copy. */
static void
read_grants(GrantsCopy *copy)
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
	MemoryContext caller;
	Grant *grants;
	const char *pool = NULL;
	int npools = 0;

	if (n == 0)
		return;
	caller = MemoryContextSwitchTo(copy->context);
	copy->numbers = strtab_create("hwsched closed pools");
	copy->pools = palloc(sizeof(PoolGrants) * n);
	grants = palloc(sizeof(Grant) * n);
	for (int i = 0; i < n; i++)
	{
		const char *next = column_text(i, 1);
		bool found;

		if (pool == NULL || strcmp(pool, next) != 0)
		{
			strtab_enter(copy->numbers, next, strlen(next), &found)->number = npools;
			copy->pools[npools++] = (PoolGrants){0, grants};
		}
		pool = next;
		*grants = (Grant){(Oid) column_bigint(i, 2), column_bool(i, 3), column_text(i, 4)};
		if (OidIsValid(grants->login))
		{
			grants++;
			copy->pools[npools - 1].count++;
		}
	}
	MemoryContextSwitchTo(caller);
}

/* Returns whether grants_in() can be called by any role, as it has nothing to read. */
bool
grants_are_read(void)
{
	return current != NULL && (current->only_statement == 0 ||
							   current->only_statement == GetCurrentStatementStartTimestamp());
}

/* Reads the grants; who calls is the extension's owner. */
static void
refresh(void)
{
	static const char *const names[] = {"closed_pool", "pool_login", "tenant_login"};
	static bool registered = false;
	static MemoryContext previous = NULL;
	MemoryContext context =
		AllocSetContextCreate(TopMemoryContext, "hwsched grants", ALLOCSET_SMALL_SIZES);
	GrantsCopy *copy = MemoryContextAllocZero(context, sizeof(GrantsCopy));
	Oid schema = get_namespace_oid("hwsched", false);

	if (!registered)
	{
		CacheRegisterRelcacheCallback(forget, (Datum) 0);
		registered = true;
	}
	for (int i = 0; i < lengthof(tables); i++)
		tables[i] = get_relname_relid(names[i], schema);
	copy->context = context;
	PG_TRY();
	{
		SPI_connect();
		if (IsInParallelMode())
		{
			/* no new snapshot may be taken here, so what we read may be old */
			PushActiveSnapshot(GetActiveSnapshot());
			copy->only_statement = GetCurrentStatementStartTimestamp();
		}
		else
			PushActiveSnapshot(GetLatestSnapshot());
		/* set first: a change that arrives while we read must still be seen */
		current = copy;
		read_grants(copy);
		PopActiveSnapshot();
		SPI_finish();
	}
	PG_CATCH();
	{
		current = NULL;
		MemoryContextDelete(context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (previous != NULL)
		MemoryContextDelete(previous);
	previous = context;
}

/*
 * Returns the grants in a pool, or NULL if nobody was granted anything there: it is open
 * to all.  They last until the next call.
 */
const PoolGrants *
grants_in(const char *pool)
{
	GrantsCopy *copy;
	StrtabEntry *entry;

	/* what is invalidated while it is read is read again */
	while (!grants_are_read())
		refresh();
	copy = current;
	entry = copy->numbers == NULL ? NULL : strtab_find(copy->numbers, pool, strlen(pool));
	return entry == NULL ? NULL : &copy->pools[entry->number];
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
