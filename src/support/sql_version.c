/*
 * sql_version.c
 *		Whether the database's objects are of this library's version.
 *
 * The library is a file of the server's, the objects are each database's.  An update of the
 * package brings the one, ALTER EXTENSION the other, and a session keeps the library that it
 * has loaded; in between, statements of the one would meet tables of the other.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_extension.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "support/sql_version.h"

/* An array, so that it stands in the library once, whatever else is spelled so. */
static const char library_version[] = HWSCHED_VERSION;

static bool agrees = false;

/* A function was made or changed: every update script makes one. */
static void
forget(Datum argument, int cache, uint32 hash)
{
	agrees = false;
}

/* Returns the version of the extension in this database, NULL where it is not. */
static char *
read_version(void)
{
	Relation table = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;
	char *version = NULL;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("hwsched"));
	scan = systable_beginscan(table, ExtensionNameIndexId, true, NULL, 1, &key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
	{
		bool isnull;
		Datum value =
			heap_getattr(row, Anum_pg_extension_extversion, RelationGetDescr(table), &isnull);

		version = TextDatumGetCString(value);
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return version;
}

void
require_sql_version(void)
{
	static bool registered = false;
	const char *version;

	if (likely(agrees))
		return;
	if (!registered)
	{
		CacheRegisterSyscacheCallback(PROCOID, forget, (Datum) 0);
		registered = true;
	}
	/* whatever changes from here on is looked at the next time */
	agrees = true;
	version = read_version();
	if (version == NULL || strcmp(version, library_version) == 0)
		return;
	agrees = false;
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("the library of hwsched is version %s, the extension in this database"
						   " is version %s",
						   library_version, version),
					errhint("If a new package was installed, run ALTER EXTENSION hwsched UPDATE; if"
							" that was done, connect anew, or restart a server that preloads the"
							" library.")));
}
