/*
 * subtransaction.c
 *		Work in a subtransaction, as a block with EXCEPTION has it in PL/pgSQL.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/resowner.h"

#include "support/subtransaction.h"

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

/*
 * Does some work, and undoes it, locks and all, if it says that it is not to be kept.  Returns
 * what it said.  Its errors are raised once it is undone.
 */
bool
keep_if(Trial trial, void *argument)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool kept = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		kept = trial(argument);
		if (kept)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return kept;
}
