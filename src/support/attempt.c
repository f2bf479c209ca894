/*
 * attempt.c
 *		Work in a subtransaction, as a block with EXCEPTION has it in PL/pgSQL.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/resowner.h"

#include "support/attempt.h"

/*
 * Returns whether an error is for whoever began the transaction: somebody wants
 * it to end, or all of it has to be done again.
 */
static bool
ends_transaction(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
		   error->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE ||
		   error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED;
}

/*
 * Does some work.  If it fails, all that it did is undone, and its error is
 * returned, in the caller's memory; else NULL.  A cancel, statement_timeout, a
 * deadlock and a serialization failure are raised, as nobody but the caller of
 * the transaction can answer them.
 */
ErrorData *
attempt(Work work, void *argument)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(argument);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error != NULL && ends_transaction(error))
		ReThrowError(error);
	return error;
}
