/*
 * transition.c
 *		One assignment by its id, for who takes it from one state to the next.
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "api/transition.h"
#include "store/pool.h"
#include "support/spi_plan.h"

/*
 * Finds the state of an assignment and checks that the caller may act for its
 * worker.  Returns whether it is a member of a gang.  Raises
 * ERRCODE_NO_DATA_FOUND for an unknown one.
 */
bool
find_assignment(const Caller *caller, const char *pool, int64 assignment_id, char **state)
{
	static SpiPlan statement = {
		"SELECT worker_id, state::text, is_gang FROM hwsched.assignment WHERE pool = $1"
		" AND assignment_id = $2",
		{TEXTOID, INT8OID}};
	char *worker_id;
	bool gang;

	authz_check_runs(caller, pool);
	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id)) == 0)
	{
		pool_check(pool, false);
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND), errmsg("unknown assignment %lld in pool \"%s\"",
														(long long) assignment_id, pool)));
	}
	worker_id = column_text(0, 1);
	*state = column_text(0, 2);
	gang = column_bool(0, 3);
	authz_check_worker(caller, pool, worker_id);
	return gang;
}

/*
 * Locks an assignment, waiting for who has it: so a statement that grants time
 * from its own clock does not wait any more once that was read.
 */
void
lock_assignment(const char *pool, int64 assignment_id)
{
	static SpiPlan statement = {
		"SELECT FROM hwsched.assignment WHERE pool = $1 AND assignment_id = $2 FOR NO KEY UPDATE",
		{TEXTOID, INT8OID}};

	spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(assignment_id));
}

/* Raises that an assignment is not in the state that a step starts from. */
void
assignment_not_in_state(const Caller *caller, const char *pool, int64 assignment_id,
						const char *action, const char *needed)
{
	char *state;

	(void) find_assignment(caller, pool, assignment_id, &state);
	if (strcmp(state, "expired") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("assignment %lld is expired: its lease is lost", (long long) assignment_id),
				 errdetail("The work was taken back and may run elsewhere."),
				 errhint("Drop the result and claim new work.")));
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("assignment %lld is %s", (long long) assignment_id, state),
					errdetail("Only an assignment that is %s can be %s.", needed, action)));
}
