/*
 * dispatcher.c
 *		The background worker that maintains and assigns the pools of a database.
 *
 * It sleeps until its latch is set by whoever changed something, or until the
 * agenda says so.  In each round every pool that has something to do gets one
 * batch and one part of its maintenance, each in a transaction of its own, with
 * the rights of hwsched_admin: no pool waits for all that another has.  What fails
 * is logged, noted and tried again later, and the next pool goes on.
 *
 * It connects as the superuser that initdb made, as roles that cannot log in
 * cannot connect; each transaction becomes hwsched_admin and cannot get back, as in a
 * function with SECURITY DEFINER: users' triggers and functions may run in it.
 *
 * Nobody can drop or copy a database that somebody is connected to.  Who wants to
 * has locked the database, so it is left as soon as a look finds that.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "dispatch/agenda.h"
#include "dispatch/dispatcher.h"
#include "support/spi_plan.h"

PGDLLEXPORT void hwsched_dispatcher_main(Datum database);

bool dispatcher_enabled = true;
char *dispatcher_databases;

#define ADMIN_ROLE "hwsched_admin"

/* Seconds between two looks whether the database is to be left. */
#define STAY_INTERVAL 1

/*
 * A round that took longer than this is followed by a pause as long as itself, but
 * for the longest: one worker that completes after the other must not make the
 * same batch run without end.
 */
#define ROUND_WITHOUT_PAUSE 0.005
#define LONGEST_PAUSE 1

/* --- warnings --- */

/* A warning is logged once in this many seconds for each kind and pool. */
#define WARN_EVERY 3600
#define WARNINGS 256

static emit_log_hook_type next_log_hook;
static const AgendaPool *current_pool;

/* Keeps a warning that a pool gives with each tick out of the log after the first. */
static void
warn_once(ErrorData *report)
{
	static struct
	{
		uint32 kind;
		double at;
	} warnings[WARNINGS];

	if (report->elevel == WARNING && report->output_to_server && report->message_id != NULL)
	{
		uint32 kind =
			hash_combine(string_hash(report->message_id, INT_MAX),
						 report->sqlerrcode + (current_pool ? pool_bit(current_pool->name) : 0));
		double now = monotonic_seconds();
		int i = kind % WARNINGS;

		if (warnings[i].kind == kind && now < warnings[i].at + WARN_EVERY)
			report->output_to_server = false;
		else
		{
			warnings[i].kind = kind;
			warnings[i].at = now;
		}
	}
	if (next_log_hook)
		next_log_hook(report);
}

/* --- transactions --- */

typedef void (*Work)(void *argument);

/*
 * Does some work in a transaction, with the rights of hwsched_admin.  If it fails, that is
 * undone and its error returned; else NULL.
 */
static ErrorData *
transact(Work work, void *argument)
{
	MemoryContext context = CurrentMemoryContext;
	ErrorData *volatile error = NULL;

	PG_TRY();
	{
		Oid user;
		int sec_context;

		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		GetUserIdAndSecContext(&user, &sec_context);
		SetUserIdAndSecContext(get_role_oid(ADMIN_ROLE, false),
							   sec_context | SECURITY_LOCAL_USERID_CHANGE);
		PushActiveSnapshot(GetTransactionSnapshot());
		SPI_connect();
		work(argument);
		SPI_finish();
		PopActiveSnapshot();
		/* with triggers that are deferred until now */
		CommitTransactionCommand();
		SetUserIdAndSecContext(user, sec_context);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		AbortCurrentTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	return error;
}

/* --- staying and leaving --- */

/*
 * Returns whether to stay: the extension is there, and nobody wants the database for
 * himself.  Raises no error.
 */
static bool
may_stay(void)
{
	LOCKTAG database;
	bool stays;

	SET_LOCKTAG_OBJECT(database, InvalidOid, DatabaseRelationId, MyDatabaseId, 0);
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	stays = LockAcquire(&database, RowExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
	if (stays)
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		stays = OidIsValid(get_extension_oid("hwsched", true));
		PopActiveSnapshot();
	}
	CommitTransactionCommand();
	return stays && dispatcher_enabled;
}

/* Leaves the database if that is wanted. */
static void
leave_if_wanted(void)
{
	static double look_at = 0;
	double now = monotonic_seconds();

	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
		look_at = now;
	}
	/* a cancel that came when there was nothing to cancel */
	QueryCancelPending = false;
	CHECK_FOR_INTERRUPTS();
	if (now < look_at)
		return;
	look_at = now + STAY_INTERVAL;
	if (!may_stay())
		proc_exit(0);
}

/* --- tasks --- */

typedef struct TaskRun
{
	AgendaPool *pool;
	Task task;
	bool more;
} TaskRun;

/* What a task is, and as what pool_summary shows its failures. */
typedef struct TaskKind
{
	const char *name;
	const char *activity;
	SpiPlan statement;
} TaskKind;

static TaskKind task_kinds[TASKS] = {
	[RECOVER] = {"recovery", "maintain", {"SELECT hwsched_internal.recover($1)", {TEXTOID}}},
	[ASSIGN] = {"a batch",
				"assign_pending",
				{"SELECT hwsched_internal.assign_batch($1)", {TEXTOID}}},
	[KEEP_HISTORY] = {"keeping history",
					  "maintain",
					  {"SELECT hwsched_internal.keep_history($1)", {TEXTOID}}},
};

static void
do_task(void *argument)
{
	TaskRun *run = argument;

	spi_plan_run(&task_kinds[run->task].statement, false, TEXT_VALUE(run->pool->name));
	run->more = column_bool(0, 1);
	if (run->task == ASSIGN)
		dispatcher_forget_own();
	agenda_look_at(run->pool);
}

typedef struct Failure
{
	const TaskRun *run;
	const char *error;
} Failure;

/* Notes a failure for pool_summary, unless the pool has been dropped. */
static void
note_failure(void *argument)
{
	static SpiPlan statement = {"SELECT hwsched_internal.note_failure($1, $2, $3)",
								{TEXTOID, TEXTOID, TEXTOID}};
	const Failure *failure = argument;

	spi_plan_run(&statement, false, TEXT_VALUE(task_kinds[failure->run->task].activity),
				 TEXT_VALUE(failure->error), TEXT_VALUE(failure->run->pool->name));
}

/* Logs an error of a task as a warning. */
static void
warn_of(const AgendaPool *pool, const TaskKind *kind, const ErrorData *error)
{
	ereport(WARNING, (errcode(error->sqlerrcode),
					  errmsg("pool \"%s\": %s failed: %s", pool->name, kind->name, error->message),
					  error->detail ? errdetail_internal("%s", error->detail) : 0,
					  errhint("The dispatcher tries this again and again, and warns once; see"
							  " hwsched.pool_summary.")));
}

/* Does a task of a pool; returns whether there is more of it. */
static void
run_task(AgendaPool *pool, Task task)
{
	TaskRun run = {pool, task};
	TaskKind *kind = &task_kinds[task];
	double began = monotonic_seconds();
	ErrorData *error;

	current_pool = pool;
	pgstat_report_activity(STATE_RUNNING, psprintf("%s of pool \"%s\"", kind->name, pool->name));
	/* before, so that nobody who completes meanwhile is missed */
	if (task == ASSIGN)
		dispatcher_waits(pool->bit, true);
	error = transact(do_task, &run);
	if (error == NULL)
	{
		agenda_done(pool, task, monotonic_seconds() - began, run.more);
		if (task == ASSIGN && !pool->waiting)
			dispatcher_waits(pool->bit, false);
	}
	else
	{
		Failure failure = {
			&run, psprintf("%s (%s)", error->message, unpack_sql_state(error->sqlerrcode))};

		/* the extension may just have been dropped */
		if (!may_stay())
			proc_exit(0);
		agenda_failed(pool, task);
		warn_of(pool, kind, error);
		error = transact(note_failure, &failure);
		if (error != NULL)
			warn_of(pool, kind, error);
	}
	current_pool = NULL;
}

/* --- rounds --- */

static void
look(void *agenda)
{
	agenda_look(agenda);
}

/* Gives each pool that has something to do one turn of each task. */
static void
run_round(Agenda *agenda)
{
	agenda_note_changes(agenda);
	if (agenda->look_at <= monotonic_seconds())
	{
		ErrorData *error;

		pgstat_report_activity(STATE_RUNNING, "looking for pools with something to do");
		error = transact(look, agenda);
		if (error != NULL)
		{
			if (!may_stay())
				proc_exit(0);
			agenda->look_at = monotonic_seconds() + STAY_INTERVAL;
			ereport(WARNING, (errcode(error->sqlerrcode),
							  errmsg("could not look at the pools: %s", error->message)));
		}
	}
	for (int i = 0; i < agenda->count; i++)
		for (int t = 0; t < TASKS; t++)
			if (agenda->pools[i].due_at[t] <= monotonic_seconds())
			{
				leave_if_wanted();
				run_task(&agenda->pools[i], t);
			}
}

/* Sleeps until a time; returns earlier if the latch is set. */
static void
sleep_until(double time)
{
	double seconds = time - monotonic_seconds();

	if (seconds <= 0)
		return;
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 (long) ceil(Min(seconds, STAY_INTERVAL) * 1000), PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}

/* Returns when the next round may begin, after one that began at a time. */
static double
pause_after(const Agenda *agenda, double began)
{
	double now = monotonic_seconds();

	if (now - began < ROUND_WITHOUT_PAUSE || agenda_next(agenda) <= now)
		return now;
	return now + Min(now - began, LONGEST_PAUSE);
}

/* What a database may have set for its sessions must not get in the way. */
static void
set_defaults(void)
{
	static const char *const values[][2] = {
		{"application_name", "hwsched dispatcher"},
		{"search_path", "pg_catalog, pg_temp"},
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_deferrable", "off"},
		{"lock_timeout", "0"},
		{"statement_timeout", "0"},
	};

	for (int i = 0; i < lengthof(values); i++)
		SetConfigOption(values[i][0], values[i][1], PGC_SUSET, PGC_S_OVERRIDE);
}

static void
say_hello(void)
{
	StartTransactionCommand();
	ereport(LOG, (errmsg("hwsched dispatches database \"%s\"", get_database_name(MyDatabaseId))));
	CommitTransactionCommand();
}

/* The dispatcher of a database. */
void
hwsched_dispatcher_main(Datum database)
{
	Agenda agenda = {0};
	MemoryContext round;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	if (!dispatcher_enter(DatumGetObjectId(database)))
		proc_exit(0);
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0);
	set_defaults();
	if (!may_stay())
		proc_exit(0);
	next_log_hook = emit_log_hook;
	emit_log_hook = warn_once;
	dispatcher_ready();
	say_hello();
	round = AllocSetContextCreate(TopMemoryContext, "hwsched round", ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		double began = monotonic_seconds();
		double rests_until;

		leave_if_wanted();
		MemoryContextSwitchTo(round);
		run_round(&agenda);
		MemoryContextReset(round);
		pgstat_report_stat(false);
		pgstat_report_activity(STATE_IDLE, NULL);
		rests_until = pause_after(&agenda, began);
		while (monotonic_seconds() < rests_until)
		{
			sleep_until(rests_until);
			leave_if_wanted();
		}
		/* the latch may have been reset since */
		agenda_note_changes(&agenda);
		sleep_until(agenda_next(&agenda));
	}
}

/* Registers a dispatcher of a database; returns false if no background worker is free. */
bool
dispatcher_register(Oid database, BackgroundWorkerHandle **handle)
{
	BackgroundWorker worker = {
		.bgw_name = "hwsched dispatcher",
		.bgw_type = "hwsched dispatcher",
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_library_name = "hwsched",
		.bgw_function_name = "hwsched_dispatcher_main",
		.bgw_main_arg = ObjectIdGetDatum(database),
		.bgw_notify_pid = MyProcPid,
	};

	return RegisterDynamicBackgroundWorker(&worker, handle);
}
