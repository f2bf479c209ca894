/*
 * pool.c
 *		Pools: creation, settings and the lock that orders decisions.
 */
#include "postgres.h"

#include "access.h"
#include "access/xact.h"
#include "arguments.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "policies.h"
#include "pool.h"
#include "statement.h"
#include "storage/lock.h"

/*
 * Our class of advisory locks.  Those that users take have class 1 or 2, so
 * theirs and ours never meet.
 */
#define LOCK_CLASS 0x6877

PG_FUNCTION_INFO_V1(create_pool);
PG_FUNCTION_INFO_V1(alter_pool);
PG_FUNCTION_INFO_V1(drop_pool);
PG_FUNCTION_INFO_V1(pool_settings);

/* --- settings --- */

#define SETTING(m, kind, least, most) {#m, kind, offsetof(PoolSettings, m), NAME_FREE, least, most}

typedef struct KeptSettings
{
	PoolSettings settings;
	double		number;
	const char *text;
} KeptSettings;

static const Field retention_fields[] = {
	{"history", FIELD_SECONDS, offsetof(PoolSettings, retention.history) - offsetof(PoolSettings, retention)},
	{"hourly", FIELD_SECONDS, offsetof(PoolSettings, retention.hourly) - offsetof(PoolSettings, retention)},
};

static const Document retention_document = {
	"retention", sizeof(double) * 2, retention_fields, lengthof(retention_fields), NULL, true
};

#define KEPT(key, kind, m, least, most) {key, kind, offsetof(KeptSettings, m), NAME_FREE, least, most}

static const Field setting_fields[] = {
	SETTING(policy, FIELD_NUMBERS, 0, 0),
	{"policies", FIELD_TABLES, offsetof(PoolSettings, policies), NAME_WORKLOAD_TYPE},
	SETTING(solver, FIELD_TEXT, 0, 0),
	SETTING(preference_alpha, FIELD_NUMBER, 0, 1),
	SETTING(preference_weight, FIELD_NUMBER, 0, 1),
	SETTING(min_score, FIELD_NUMBER, 0, 10),
	SETTING(max_load, FIELD_NUMBER, 0, 1),
	SETTING(max_concurrent, FIELD_INTEGER, 1, 1000000),
	SETTING(lease, FIELD_SECONDS, 1, 31536000),
	SETTING(warming, FIELD_SECONDS, 0, 86400),
	SETTING(cooling, FIELD_SECONDS, 0, 86400),
	SETTING(offline_after, FIELD_SECONDS, 1, 31536000),
	SETTING(retry_backoff, FIELD_SECONDS, 0, 86400),
	SETTING(notify, FIELD_BOOLEAN, 0, 0),
	{"retention", FIELD_OBJECT, offsetof(PoolSettings, retention), NAME_FREE, 0, 0, &retention_document},
	SETTING(quarantine_after, FIELD_INTEGER, 1, 1000000),
	SETTING(ageing, FIELD_NUMBER, 0, 1000),
	SETTING(preemption, FIELD_BOOLEAN, 0, 0),
	KEPT("carbon_g_per_kwh", FIELD_NUMBER, number, 0, 1e6),
	KEPT("wait_target", FIELD_SECONDS, number, 0, 31536000),
	KEPT("vega_url", FIELD_TEXT, text, 0, 0),
	KEPT("energy_price_per_kwh", FIELD_NUMBER, number, 0, 1e6),
};

static const Document settings_document = {
	"pool settings", sizeof(KeptSettings), setting_fields, lengthof(setting_fields), NULL, true
};

/* Returns whether batches are placed as a whole instead of one by one. */
bool
solver_is_optimal(const PoolSettings *settings)
{
	return strcmp(settings->solver, "optimal") == 0;
}

static void
read_settings(Jsonb *jsonb, PoolSettings *settings)
{
	KeptSettings kept;

	document_read(&settings_document, jsonb, NULL, true, &kept);
	*settings = kept.settings;
}

/* Refuses settings that are well-formed and mean nothing. */
static void
check_settings(const PoolSettings *settings, Oid setter)
{
	policies_check(&settings->policy, &settings->policies, setter);
	if (!solver_is_optimal(settings) && strcmp(settings->solver, "greedy") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"solver\": \"%s\"", settings->solver),
				 errhint("Known solvers are: greedy, optimal.")));
}

static void pg_attribute_noreturn()
unknown_pool(const char *pool)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("unknown pool \"%s\"", pool),
			 errhint("Create it with hwsched.create_pool(), or see the table hwsched.pool.")));
}

/* --- the lock --- */

static LockAcquireResult
lock_pool(const char *pool, LOCKMODE mode, bool dont_wait)
{
	uint64		key = DatumGetUInt64(hash_any_extended((const unsigned char *) pool, strlen(pool), 0));
	LOCKTAG		tag;

	if (mode >= ExclusiveLock)
		refuse_in_score_function();
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (key >> 32), (uint32) key, LOCK_CLASS);
	return LockAcquire(&tag, mode, false, dont_wait);
}

/*
 * Locks a pool until the end of the transaction.  Waits for who holds it: one
 * batch at most, if everybody commits after each call.
 */
void
pool_lock(const char *pool)
{
	(void) lock_pool(pool, ExclusiveLock, false);
}

/* Locks a pool unless another session has it; returns whether it did. */
bool
pool_try_lock(const char *pool)
{
	return lock_pool(pool, ExclusiveLock, true) != LOCKACQUIRE_NOT_AVAIL;
}

/*
 * Raises ERRCODE_NO_DATA_FOUND if there is no such pool.  Unless we only read,
 * the pool then stays until the end of the transaction: dropping it waits.
 */
void
pool_check(const char *pool, bool read_only)
{
	static Statement statement = {"SELECT FROM hwsched.pool WHERE pool = $1", {TEXTOID}};

	if (!read_only)
		(void) lock_pool(pool, AccessShareLock, false);
	if (statement_run(&statement, read_only, TEXT_VALUE(pool)) == 0)
		unknown_pool(pool);
}

/* --- settings in force --- */

/* The settings in force: the defaults, and over them the latest version's. */
static Statement settings_statement = {
	"SELECT (SELECT jsonb_object_agg(s.name, s.default_value) FROM hwsched.setting s)"
	" || coalesce((SELECT v.settings FROM hwsched.settings_version v WHERE v.pool = p.pool"
	"              ORDER BY v.version DESC LIMIT 1), '{}')"
	" FROM hwsched.pool p WHERE p.pool = $1",
	{TEXTOID}
};

/* Reads the settings of a pool; raises ERRCODE_NO_DATA_FOUND if there is none. */
void
pool_settings_load(const char *pool, bool read_only, PoolSettings *settings)
{
	if (!read_only)
		(void) lock_pool(pool, AccessShareLock, false);
	if (statement_run(&settings_statement, read_only, TEXT_VALUE(pool)) == 0)
		unknown_pool(pool);
	read_settings(column_jsonb(0, 1), settings);
}

/* Takes from a pool's settings what decides placements. */
void
placement_settings(const PoolSettings *settings, PlacementSettings *placement)
{
	memset(placement, 0, sizeof(*placement));
	placement->preference_weight = settings->preference_weight;
	placement->min_score = settings->min_score;
	placement->max_load = settings->max_load;
	placement->max_concurrent = settings->max_concurrent;
	placement->solver_memory = maintenance_work_mem * (Size) 1024;
}

/* --- SQL --- */

/*
 * Adds a version of a pool's settings: the one in force with some of them
 * changed, null for back to the default.  What is stored is checked, together
 * with the defaults of what is not.
 */
static void
change_settings(const Caller *caller, const char *pool, Jsonb *changes)
{
	static Statement merge = {
		"SELECT coalesce((SELECT jsonb_object_agg(e.key, e.value)"
		"  FROM jsonb_each(coalesce((SELECT settings FROM hwsched.settings_version WHERE pool = $1"
		"                            ORDER BY version DESC LIMIT 1), '{}') || $2) e"
		"  WHERE e.value <> 'null'), '{}')",
		{TEXTOID, JSONBOID}
	};
	static Statement add = {
		"INSERT INTO hwsched.settings_version (pool, version, settings)"
		" SELECT $1, coalesce(max(version), 0) + 1, $2 FROM hwsched.settings_version WHERE pool = $1",
		{TEXTOID, JSONBOID}
	};
	PoolSettings read;
	Jsonb	   *settings;

	/* also what a merge would hide: a document that is no object */
	read_settings(changes, &read);
	statement_run(&merge, false, TEXT_VALUE(pool), VALUE(JsonbPGetDatum(changes)));
	settings = column_jsonb(0, 1);
	statement_run(&add, false, TEXT_VALUE(pool), VALUE(JsonbPGetDatum(settings)));
	pool_settings_load(pool, false, &read);
	check_settings(&read, caller->user);
}

/* create_pool(pool text, settings jsonb) RETURNS void */
Datum
create_pool(PG_FUNCTION_ARGS)
{
	static Statement statement = {
		"INSERT INTO hwsched.pool (pool) VALUES ($1) ON CONFLICT DO NOTHING", {TEXTOID}
	};
	char	   *pool = text_argument(fcinfo, 0);
	Jsonb	   *settings = jsonb_argument(1);
	Caller		caller;

	if (pool[0] == '\0' || strlen(pool) > 200)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid name of a pool: \"%s\"", pool),
				 errdetail("Expected 1 to 200 bytes.")));
	caller = call_begin(fcinfo);
	if (statement_run(&statement, false, TEXT_VALUE(pool)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("pool \"%s\" already exists", pool),
				 errhint("Change its settings with hwsched.alter_pool().")));
	change_settings(&caller, pool, settings);
	call_end(&caller);
	PG_RETURN_VOID();
}

/* alter_pool(pool text, settings jsonb) RETURNS void; null resets a setting */
Datum
alter_pool(PG_FUNCTION_ARGS)
{
	/* an old snapshot does not see who has become full, so there it is any row */
	static Statement roomier = {
		"UPDATE hwsched.worker_usage SET is_full = false WHERE pool = $1 AND (is_full OR $2)", {TEXTOID, BOOLOID}
	};
	JsonbValue	found;
	char	   *pool = text_argument(fcinfo, 0);
	Jsonb	   *settings = jsonb_argument(1);
	Caller		caller = call_begin(fcinfo);

	pool_check(pool, false);
	pool_lock(pool);
	change_settings(&caller, pool, settings);
	/* devices may have more slots now */
	if (getKeyJsonValueFromContainer(&settings->root, "max_concurrent", strlen("max_concurrent"), &found) != NULL)
		statement_run(&roomier, false, TEXT_VALUE(pool), VALUE(BoolGetDatum(IsolationUsesXactSnapshot())));
	call_end(&caller);
	PG_RETURN_VOID();
}

/* drop_pool(pool text) RETURNS void: and all that is in it */
Datum
drop_pool(PG_FUNCTION_ARGS)
{
	/* assignments and devices before the profiles they refer to */
	static Statement statements[] = {
		{"DELETE FROM hwsched.reservation WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.pending WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.assignment WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.submission WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.load_history WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.worker WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.hardware WHERE pool = $1", {TEXTOID}},
		{"DELETE FROM hwsched.pool WHERE pool = $1", {TEXTOID}},
	};
	char	   *pool = text_argument(fcinfo, 0);

	if (strcmp(pool, "default") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pool \"default\" cannot be dropped"),
				 errhint("It is there as long as the extension is.")));
	SPI_connect();
	(void) lock_pool(pool, AccessExclusiveLock, false);
	pool_check(pool, false);
	for (int i = 0; i < lengthof(statements); i++)
		statement_run(&statements[i], false, TEXT_VALUE(pool));
	SPI_finish();
	PG_RETURN_VOID();
}

/* pool_settings(pool text) RETURNS TABLE (name, value, default_value, description) */
Datum
pool_settings(PG_FUNCTION_ARGS)
{
	static Statement statement = {
		"SELECT s.name, coalesce(v.settings -> s.name, s.default_value), s.default_value, s.description"
		" FROM hwsched.setting s LEFT JOIN LATERAL (SELECT settings FROM hwsched.settings_version"
		"  WHERE pool = $1 ORDER BY version DESC LIMIT 1) v ON true ORDER BY s.name",
		{TEXTOID}
	};
	char	   *pool = text_argument(fcinfo, 0);

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	pool_check(pool, true);
	statement_run(&statement, true, TEXT_VALUE(pool));
	return_rows(fcinfo);
	SPI_finish();
	return (Datum) 0;
}
