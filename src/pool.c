/*
 * pool.c
 *		Pools: creation, settings and the lock that orders decisions.
 */
#include "postgres.h"

#include "access/xact.h"
#include "arguments.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
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
/* accepted and kept; the features they are for read them themselves */
#define KEPT_OBJECT(key) {key, FIELD_ANY_OBJECT, 0}

typedef struct KeptSettings
{
	PoolSettings settings;
	double		number;
	int32		integer;
	bool		boolean;
	const char *text;
	struct
	{
		double		history;
		double		hourly;
	}			retention;
} KeptSettings;

static const Field retention_fields[] = {
	{"history", FIELD_SECONDS, offsetof(KeptSettings, retention.history) - offsetof(KeptSettings, retention)},
	{"hourly", FIELD_SECONDS, offsetof(KeptSettings, retention.hourly) - offsetof(KeptSettings, retention)},
};

static const Document retention_document = {
	"retention", sizeof(double) * 2, retention_fields, lengthof(retention_fields), NULL, true
};

#define KEPT(key, kind, m, least, most) {key, kind, offsetof(KeptSettings, m), NAME_FREE, least, most}

static const Field setting_fields[] = {
	SETTING(policy, FIELD_NUMBERS, 0, 0),
	KEPT_OBJECT("policies"),
	SETTING(solver, FIELD_TEXT, 0, 0),
	SETTING(preference_alpha, FIELD_NUMBER, 0, 1),
	SETTING(preference_weight, FIELD_NUMBER, 0, 1),
	SETTING(min_score, FIELD_NUMBER, 0, 10),
	SETTING(max_load, FIELD_NUMBER, 0, 1),
	SETTING(max_concurrent, FIELD_INTEGER, 1, 1000000),
	SETTING(lease, FIELD_SECONDS, 1, 31536000),
	SETTING(warming, FIELD_SECONDS, 0, 86400),
	SETTING(cooling, FIELD_SECONDS, 0, 86400),
	KEPT("offline_after", FIELD_SECONDS, number, 1, 31536000),
	KEPT("retry_backoff", FIELD_SECONDS, number, 0, 86400),
	KEPT("notify", FIELD_BOOLEAN, boolean, 0, 0),
	{"retention", FIELD_OBJECT, offsetof(KeptSettings, retention), NAME_FREE, 0, 0, &retention_document},
	KEPT("quarantine_after", FIELD_INTEGER, integer, 1, 1000000),
	KEPT("ageing", FIELD_NUMBER, number, 0, 1000),
	KEPT("preemption", FIELD_BOOLEAN, boolean, 0, 0),
	KEPT("carbon_g_per_kwh", FIELD_NUMBER, number, 0, 1e6),
	KEPT("wait_target", FIELD_SECONDS, number, 0, 31536000),
	KEPT("vega_url", FIELD_TEXT, text, 0, 0),
	KEPT("energy_price_per_kwh", FIELD_NUMBER, number, 0, 1e6),
};

static const Document settings_document = {
	"pool settings", sizeof(KeptSettings), setting_fields, lengthof(setting_fields), NULL, true
};

/* Refuses settings that are well-formed and mean nothing, or nothing yet. */
static void
check_settings(const PoolSettings *settings, Jsonb *jsonb)
{
	JsonbValue	found;
	double		total = 0;

	for (int i = 0; i < settings->policy.count; i++)
	{
		static const char *const later[] = {
			"priority", "round_robin", "weighted_round_robin", "performance", "affinity",
			"packing", "fragmentation", "energy", "cost", "predicted_time"
		};
		const char *name = settings->policy.items[i].name;

		total += settings->policy.items[i].value;
		if (strcmp(name, "hardware_aware") == 0)
			continue;
		for (int j = 0; j < lengthof(later); j++)
			if (strcmp(name, later[j]) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("policy algorithm \"%s\" is not supported in this version", name),
						 errhint("Use {\"hardware_aware\": 1}.")));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown name for \"policy\": \"%s\"", name),
				 errhint("Known names are: hardware_aware.")));
	}
	if (getKeyJsonValueFromContainer(&jsonb->root, "policy", strlen("policy"), &found) != NULL &&
		found.type != jbvNull && !(total > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"policy\": the weights add up to %g", total),
				 errdetail("Expected at least one weight above 0.")));
	if (getKeyJsonValueFromContainer(&jsonb->root, "policies", strlen("policies"), &found) != NULL &&
		found.type == jbvBinary && JsonContainerSize(found.val.binary.data) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("policies by workload type are not supported in this version"),
				 errhint("Set \"policy\" for the whole pool.")));
	if (settings->solver != NULL && strcmp(settings->solver, "greedy") != 0)
		ereport(ERROR,
				(errcode(strcmp(settings->solver, "optimal") == 0 ? ERRCODE_FEATURE_NOT_SUPPORTED :
						 ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("solver \"%s\" is not supported", settings->solver),
				 errhint("Use \"greedy\".")));
}

static void
read_settings(Jsonb *jsonb, PoolSettings *settings)
{
	KeptSettings kept;

	document_read(&settings_document, jsonb, NULL, true, &kept);
	check_settings(&kept.settings, jsonb);
	*settings = kept.settings;
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
	for (int i = 0; i < settings->policy.count; i++)
		if (strcmp(settings->policy.items[i].name, "hardware_aware") == 0)
			placement->hardware_aware = settings->policy.items[i].value;
	placement->preference_weight = settings->preference_weight;
	placement->min_score = settings->min_score;
	placement->max_load = settings->max_load;
	placement->max_concurrent = settings->max_concurrent;
}

/* --- SQL --- */

/*
 * Adds a version of a pool's settings: the one in force with some of them
 * changed, null for back to the default.  What is stored is checked.
 */
static void
change_settings(const char *pool, Jsonb *changes)
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
	read_settings(settings, &read);
	statement_run(&add, false, TEXT_VALUE(pool), VALUE(JsonbPGetDatum(settings)));
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

	if (pool[0] == '\0' || strlen(pool) > 200)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid name of a pool: \"%s\"", pool),
				 errdetail("Expected 1 to 200 bytes.")));
	SPI_connect();
	if (statement_run(&statement, false, TEXT_VALUE(pool)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("pool \"%s\" already exists", pool),
				 errhint("Change its settings with hwsched.alter_pool().")));
	change_settings(pool, settings);
	SPI_finish();
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

	SPI_connect();
	pool_check(pool, false);
	pool_lock(pool);
	change_settings(pool, settings);
	/* devices may have more slots now */
	if (getKeyJsonValueFromContainer(&settings->root, "max_concurrent", strlen("max_concurrent"), &found) != NULL)
		statement_run(&roomier, false, TEXT_VALUE(pool), VALUE(BoolGetDatum(IsolationUsesXactSnapshot())));
	SPI_finish();
	PG_RETURN_VOID();
}

/* drop_pool(pool text) RETURNS void: and all that is in it */
Datum
drop_pool(PG_FUNCTION_ARGS)
{
	/* assignments and devices before the profiles they refer to */
	static Statement statements[] = {
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
