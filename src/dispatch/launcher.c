/*
 * launcher.c
 *		Starts a dispatcher in each database that has the extension, and starts and
 *		stops one by hand.
 *
 * Which extensions a database has is only known within it.  So the launcher, a
 * background worker of shared_preload_libraries that is connected to no database,
 * starts a dispatcher in one after the other, and where the extension is not, that
 * leaves at once.
 */
#include "postgres.h"

#include <signal.h>

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "dispatch/dispatcher.h"
#include "dispatch/launcher.h"
#include "store/wakeup.h"

PGDLLEXPORT void hwsched_launcher_main(Datum unused);

PG_FUNCTION_INFO_V1(hwsched_start_dispatcher);
PG_FUNCTION_INFO_V1(hwsched_stop_dispatcher);
PG_FUNCTION_INFO_V1(hwsched_wake_launcher);

/* Milliseconds between two looks at all databases, and until one where a dispatcher has died. */
#define LOOK_EVERY_MS 60000
#define LOOK_AFTER_DEATH_MS 5000

/* How long a dispatcher may take to find out whether it is needed. */
#define STARTS_WITHIN_MS 20000

/* --- starting one --- */

typedef enum Start
{
	STARTED,
	NOT_NEEDED, /* there is one, or there is no extension, or it could not connect */
	NO_SLOT
} Start;

/* Starts a dispatcher of a database, and waits until it works or has left. */
static Start
start_dispatcher(Oid database)
{
	BackgroundWorkerHandle *handle;
	pid_t pid;

	if (!dispatcher_register(database, &handle))
		return NO_SLOT;
	for (int waited = 0; waited < STARTS_WITHIN_MS; waited += 20)
	{
		BgwHandleStatus status = GetBackgroundWorkerPid(handle, &pid);
		bool ready;

		if (status == BGWH_STOPPED || status == BGWH_POSTMASTER_DIED)
			return NOT_NEEDED;
		if (status == BGWH_STARTED && dispatcher_pid(database, &ready) == pid && ready)
			return STARTED;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 20,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	return NOT_NEEDED;
}

/* --- the launcher --- */

typedef struct Database
{
	Oid oid;
	char *name;
} Database;

/* Returns whether a database is named by hwsched.database, or that names none. */
static bool
is_wanted(const char *name, List *names)
{
	ListCell *cell;

	if (names == NIL)
		return true;
	foreach (cell, names)
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	return false;
}

/* Returns the databases that may have a dispatcher, and sets *count. */
static Database *
list_databases(int *count)
{
	MemoryContext context = CurrentMemoryContext;
	Database *databases = palloc(sizeof(Database));
	char *list = pstrdup(dispatcher_databases);
	List *names;
	Relation relation;
	TableScanDesc scan;
	HeapTuple tuple;

	*count = 0;
	(void) SplitIdentifierString(list, ',', &names);
	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	relation = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(relation, 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);

		if (!form->datallowconn || !is_wanted(NameStr(form->datname), names))
			continue;
		databases = repalloc(databases, sizeof(Database) * (*count + 2));
		databases[*count].oid = form->oid;
		databases[*count].name = MemoryContextStrdup(context, NameStr(form->datname));
		++*count;
	}
	table_endscan(scan);
	table_close(relation, AccessShareLock);
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
	return databases;
}

/* Starts what is missing. */
static void
launch(void)
{
	static Oid without_slot = InvalidOid;
	int count;
	Database *databases = list_databases(&count);

	for (int i = 0; i < count; i++)
	{
		Oid database = databases[i].oid;
		bool ready;

		CHECK_FOR_INTERRUPTS();
		if (!dispatcher_is_allowed(database) || dispatcher_pid(database, &ready) != 0)
			continue;
		if (start_dispatcher(database) != NO_SLOT)
			continue;
		/* the others would have none either; said once for each database */
		if (without_slot != database)
			ereport(LOG, (errmsg("no background worker is free to dispatch database \"%s\"",
								 databases[i].name),
						  errhint("Raise max_worker_processes, or name the databases that have"
								  " hwsched in hwsched.database.")));
		without_slot = database;
		return;
	}
	without_slot = InvalidOid;
}

/* Sleeps until it is time for the next look, or somebody wants one. */
static void
wait_for_work(void)
{
	TimestampTz began = GetCurrentTimestamp();
	long timeout = LOOK_EVERY_MS;
	long passed = 0;
	bool died;

	while (passed < timeout && !launcher_is_wanted(&died))
	{
		if (died)
			timeout = Min(timeout, passed + LOOK_AFTER_DEATH_MS);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, timeout - passed,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			return;
		}
		/* where the clock was set back, that counts as a look that is due */
		passed = TimestampDifferenceMilliseconds(began, GetCurrentTimestamp());
		if (GetCurrentTimestamp() < began)
			return;
	}
}

void
hwsched_launcher_main(Datum unused)
{
	MemoryContext context;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	if (!dispatchers_attach())
		proc_exit(0);
	launcher_enter();
	SetConfigOption("application_name", "hwsched launcher", PGC_USERSET, PGC_S_OVERRIDE);
	context = AllocSetContextCreate(TopMemoryContext, "hwsched launcher", ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		MemoryContextSwitchTo(context);
		if (dispatcher_enabled)
			launch();
		MemoryContextReset(context);
		pgstat_report_activity(STATE_IDLE, NULL);
		wait_for_work();
	}
}

/* --- SQL --- */

static void
need_slots(void)
{
	if (!dispatchers_attach())
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
						errmsg("no shared memory is left for the dispatcher"),
						errhint("Add hwsched to shared_preload_libraries.")));
}

/* start_dispatcher() RETURNS boolean: false: there is one */
Datum
hwsched_start_dispatcher(PG_FUNCTION_ARGS)
{
	bool ready;

	PreventCommandDuringRecovery("hwsched.start_dispatcher()");
	need_slots();
	if (!dispatcher_enabled)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the setting hwsched.dispatcher is off"),
						errhint("Set it to on in postgresql.conf, and reload that.")));
	dispatcher_allow(MyDatabaseId, true);
	if (dispatcher_pid(MyDatabaseId, &ready) != 0)
		PG_RETURN_BOOL(false);
	switch (start_dispatcher(MyDatabaseId))
	{
		case STARTED:
			PG_RETURN_BOOL(true);
		case NO_SLOT:
			ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
							errmsg("no background worker is free"),
							errhint("Raise max_worker_processes.")));
		case NOT_NEEDED:
			break;
	}
	/* somebody else has started one meanwhile */
	if (dispatcher_pid(MyDatabaseId, &ready) != 0)
		PG_RETURN_BOOL(false);
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("the dispatcher has ended at once"),
					errdetail("It needs the extension, created by a transaction that has"
							  " committed, and a database that nobody is about to drop or copy."),
					errhint("See the log of the server.")));
}

/* stop_dispatcher() RETURNS boolean: whether there was one */
Datum
hwsched_stop_dispatcher(PG_FUNCTION_ARGS)
{
	need_slots();
	dispatcher_allow(MyDatabaseId, false);
	PG_RETURN_BOOL(dispatcher_end(MyDatabaseId));
}

/* wake_launcher() RETURNS void: there may be one more database with the extension */
Datum
hwsched_wake_launcher(PG_FUNCTION_ARGS)
{
	wake_launcher();
	PG_RETURN_VOID();
}

/* --- what others do to databases and to the extension --- */

static object_access_hook_type next_object_access;

/*
 * Who drops a database has locked it and may drop it, when this is called, and then
 * waits for some seconds until nobody is connected to it.
 */
static void
object_access(ObjectAccessType access, Oid class, Oid object, int subobject, void *argument)
{
	if (next_object_access)
		next_object_access(access, class, object, subobject, argument);
	if (access != OAT_DROP)
		return;
	if (class == DatabaseRelationId && dispatchers_attach())
		(void) dispatcher_end(object);
	else if (class == ExtensionRelationId && object == get_extension_oid("hwsched", true))
		wake_for_pools();
}

/* --- settings --- */

static bool
check_databases(char **value, void **extra, GucSource source)
{
	char *list = pstrdup(*value);
	List *names;
	bool fine = SplitIdentifierString(list, ',', &names);

	if (!fine)
		GUC_check_errdetail("Expected names of databases with commas between them.");
	list_free(names);
	pfree(list);
	return fine;
}

/* Defines the settings, and registers the launcher; to be called when the library is loaded. */
void
launcher_init(void)
{
	BackgroundWorker launcher = {
		.bgw_name = "hwsched launcher",
		.bgw_type = "hwsched launcher",
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = LOOK_AFTER_DEATH_MS / 1000,
		.bgw_library_name = "hwsched",
		.bgw_function_name = "hwsched_launcher_main",
	};

	DefineCustomBoolVariable("hwsched.dispatcher",
							 "Whether databases with hwsched have a dispatcher.", NULL,
							 &dispatcher_enabled, true, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("hwsched.database",
							   "The databases in which the launcher looks for hwsched.",
							   "Empty: all that allow connections.", &dispatcher_databases, "",
							   PGC_SIGHUP, GUC_LIST_INPUT, check_databases, NULL, NULL);
	MarkGUCPrefixReserved("hwsched");
	next_object_access = object_access_hook;
	object_access_hook = object_access;
	if (process_shared_preload_libraries_in_progress)
		RegisterBackgroundWorker(&launcher);
}
