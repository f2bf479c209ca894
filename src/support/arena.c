/*
 * arena.c
 *		Memory that the pure modules give back as a whole: a memory context.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "support/arena.h"

/* Begins a scope: what is allocated from now on belongs to it. */
void *
arena_begin(const char *name)
{
	MemoryContext own =
		AllocSetContextCreateInternal(CurrentMemoryContext, name, ALLOCSET_DEFAULT_SIZES);

	MemoryContextSwitchTo(own);
	return own;
}

/* Leaves a scope: what it holds stays, what comes now does not belong to it. */
void
arena_leave(void *scope)
{
	MemoryContextSwitchTo(MemoryContextGetParent(scope));
}

/* Frees what belongs to a scope that was left. */
void
arena_free(void *scope)
{
	MemoryContextDelete(scope);
}

/* Allocates what lasts as long as something else that was allocated. */
void *
palloc_beside(const void *other, Size size)
{
	return MemoryContextAllocHuge(GetMemoryChunkContext(unconstify(void *, other)), size);
}
