/*
 * session_copy.c
 *		What a session keeps of small tables that every call asks.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "support/session_copy.h"

/* Drops a copy when a table of it, or everything, has changed. */
static void
forget(Datum argument, Oid relation)
{
	SessionCopy *copy = (SessionCopy *) DatumGetPointer(argument);

	for (int i = 0; i < lengthof(copy->relations); i++)
		if (relation == InvalidOid || relation == copy->relations[i])
			/* who is reading it goes on: it lives until the next one is read */
			copy->current = NULL;
}

/* Returns whether a copy can be used as it is. */
bool
session_copy_is_fresh(const SessionCopy *copy)
{
	return copy->current != NULL && (copy->only_statement == 0 ||
									 copy->only_statement == GetCurrentStatementStartTimestamp());
}

/*
 * Reads a copy anew and returns what is kept, which lasts until the next time.  It may be
 * stale by then already.
 */
void *
session_copy_read(SessionCopy *copy)
{
	MemoryContext previous = copy->context;
	MemoryContext context =
		AllocSetContextCreate(TopMemoryContext, "hwsched session copy", ALLOCSET_DEFAULT_SIZES);
	Oid schema = get_namespace_oid("hwsched", false);
	void *kept = MemoryContextAllocZero(context, copy->size);

	MemoryContextSetIdentifier(context, copy->name);
	if (!copy->registered)
	{
		CacheRegisterRelcacheCallback(forget, PointerGetDatum(copy));
		copy->registered = true;
	}
	for (int i = 0; i < lengthof(copy->tables) && copy->tables[i] != NULL; i++)
		copy->relations[i] = get_relname_relid(copy->tables[i], schema);
	PG_TRY();
	{
		SPI_connect();
		copy->only_statement = 0;
		if (IsInParallelMode())
		{
			/* no new snapshot may be taken here, so what we read may be old */
			PushActiveSnapshot(GetActiveSnapshot());
			copy->only_statement = GetCurrentStatementStartTimestamp();
		}
		else
			PushActiveSnapshot(GetLatestSnapshot());
		/* set first: a change that arrives while we read must still be seen */
		copy->current = kept;
		copy->read(kept, context);
		PopActiveSnapshot();
		SPI_finish();
	}
	PG_CATCH();
	{
		copy->current = NULL;
		MemoryContextDelete(context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	copy->context = context;
	if (previous != NULL)
		MemoryContextDelete(previous);
	return kept;
}
