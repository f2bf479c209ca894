/*
 * settings.c
 *		The settings of pools: their document, and a session's copy of those in
 *		force.
 */
#include "postgres.h"

#include <ctype.h>

#include "access/xact.h"
#include "catalog/namespace.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "document/infer.h"
#include "document/json.h"
#include "store/policy_settings.h"
#include "store/pool.h"
#include "store/settings.h"
#include "store/wakeup.h"
#include "support/spi_plan.h"

/* --- the document --- */

#define SETTING(m, kind, least, most) \
	{ \
#m, kind, offsetof(PoolSettings, m), NAME_FREE, least, most \
	}

typedef struct Retention
{
	double history;
	double hourly;
} Retention;

/* The whole document; what only views look at is read to be checked. */
typedef struct KeptSettings
{
	PoolSettings settings;
	double number;
	Retention retention; /* see the view retention */
} KeptSettings;

static const Field retention_fields[] = {
	{"history", FIELD_SECONDS, offsetof(Retention, history)},
	{"hourly", FIELD_SECONDS, offsetof(Retention, hourly)},
};

static const Document retention_document = {"retention", sizeof(Retention), retention_fields,
											lengthof(retention_fields)};

#define WEIGHT(m) \
	{ \
#m, FIELD_NUMBER, offsetof(EnergyWeights, m), NAME_FREE, 0, 1e6 \
	}

static const Field objective_fields[] = {WEIGHT(time), WEIGHT(energy), WEIGHT(cost)};

static const Document objective_document = {"objective", sizeof(EnergyWeights), objective_fields,
											lengthof(objective_fields)};

static const Field quota_fields[] = {
	{"accelerators", FIELD_NUMBER, offsetof(TenantQuota, accelerators), NAME_FREE, 0, 1e9},
	{"cpu_cores", FIELD_NUMBER, offsetof(TenantQuota, cpu_cores), NAME_FREE, 0, 1e9},
	{"workloads", FIELD_NUMBER, offsetof(TenantQuota, workloads), NAME_FREE, 0, 1e9},
};

static const Document quota_document = {"quota", sizeof(TenantQuota), quota_fields,
										lengthof(quota_fields)};

static const Field tenant_fields[] = {
	{"weight", FIELD_NUMBER, offsetof(TenantSettings, weight), NAME_FREE, 1e-6, 1e6},
	{"quota", FIELD_OBJECT, offsetof(TenantSettings, quota), NAME_FREE, 0, 0, &quota_document},
};

static void
preset_tenant(void *values)
{
	TenantSettings *tenant = values;

	*tenant = (TenantSettings){1, {INFINITY, INFINITY, INFINITY}};
}

static const Document tenant_document = {"tenant", sizeof(TenantSettings), tenant_fields,
										 lengthof(tenant_fields), preset_tenant};

static const Field fair_share_fields[] = {
	{"half_life", FIELD_SECONDS, 0, NAME_FREE, 1, MOST_SECONDS}};

static void
preset_fair_share(void *values)
{
	*(double *) values = 3600;
}

static const Document fair_share_document = {"fair_share", sizeof(double), fair_share_fields,
											 lengthof(fair_share_fields), preset_fair_share};

#define KEPT(key, kind, m, least, most) \
	{ \
		key, kind, offsetof(KeptSettings, m), NAME_FREE, least, most \
	}

static const Field setting_fields[] = {
	SETTING(policy, FIELD_NUMBERS, 0, 0),
	{"policies", FIELD_TABLES, offsetof(PoolSettings, policies), NAME_WORKLOAD_TYPE},
	{"objective", FIELD_OBJECT, offsetof(PoolSettings, objective), NAME_FREE, 0, 0,
	 &objective_document},
	SETTING(solver, FIELD_TEXT, 0, 0),
	SETTING(preference_alpha, FIELD_NUMBER, 0, 1),
	SETTING(preference_weight, FIELD_NUMBER, 0, 1),
	SETTING(preference_half_life, FIELD_SECONDS, 1, MOST_SECONDS),
	SETTING(learning, FIELD_BOOLEAN, 0, 0),
	SETTING(min_score, FIELD_NUMBER, 0, 10),
	SETTING(max_load, FIELD_NUMBER, 0, 1),
	SETTING(max_concurrent, FIELD_INTEGER, 1, 1000000),
	SETTING(limits, FIELD_TABLES, 0, 0),
	SETTING(lease, FIELD_SECONDS, 1, 31536000),
	SETTING(warming, FIELD_SECONDS, 0, 86400),
	SETTING(cooling, FIELD_SECONDS, 0, 86400),
	SETTING(offline_after, FIELD_SECONDS, 1, 31536000),
	SETTING(load_ttl, FIELD_SECONDS, 1, 31536000),
	SETTING(start_timeout, FIELD_SECONDS, 1, 31536000),
	SETTING(retry_backoff, FIELD_SECONDS, 0, 86400),
	SETTING(notify, FIELD_BOOLEAN, 0, 0),
	SETTING(decision_detail, FIELD_TEXT, 0, 0),
	{"retention", FIELD_OBJECT, offsetof(KeptSettings, retention), NAME_FREE, 0, 0,
	 &retention_document},
	SETTING(quarantine_after, FIELD_INTEGER, 1, 1000000),
	SETTING(ageing, FIELD_NUMBER, 0, 1000),
	SETTING(preemption, FIELD_BOOLEAN, 0, 0),
	SETTING(paused, FIELD_BOOLEAN, 0, 0),
	SETTING(order, FIELD_TEXT, 0, 0),
	SETTING(order_wait, FIELD_SECONDS, 0, MOST_SECONDS),
	{"tenants", FIELD_MAP, offsetof(PoolSettings, tenants), NAME_FREE, 0, 0, &tenant_document},
	{"fair_share", FIELD_OPTION, offsetof(PoolSettings, fair_share), NAME_FREE, 0, 0,
	 &fair_share_document},
	SETTING(reservations, FIELD_INTEGER, 0, 1000),
	SETTING(spare_accelerators, FIELD_WORD, 0, 0),
	SETTING(carbon_g_per_kwh, FIELD_NUMBER, 0, 1e6),
	SETTING(energy_price_per_kwh, FIELD_NUMBER, 0, 1e6),
	SETTING(wait_target, FIELD_SECONDS, 0, 31536000),
	SETTING(stop_idle_after, FIELD_SECONDS, 0, 31536000),
	SETTING(scaling_every, FIELD_SECONDS, 0, 31536000),
	SETTING(vega_url, FIELD_TEXT, 0, 0),
	SETTING(unknown_keys, FIELD_TEXT, 0, 0),
	SETTING(batch_window, FIELD_INTEGER, 1, 10000000),
	SETTING(maintain_batch, FIELD_INTEGER, 1, 10000000),
};

static void
preset_settings(void *values)
{
	KeptSettings *kept = values;

	kept->settings.carbon_g_per_kwh = kept->settings.energy_price_per_kwh = NAN;
}

static const Document settings_document = {"pool settings", sizeof(KeptSettings), setting_fields,
										   lengthof(setting_fields), preset_settings};

/* Returns whether batches are placed as a whole instead of one by one. */
bool
solver_is_optimal(const PoolSettings *settings)
{
	return strcmp(settings->solver, "optimal") == 0;
}

/* Returns what a pool does with unknown keys of documents. */
UnknownKeys
unknown_keys_of(const PoolSettings *settings)
{
	return strcmp(settings->unknown_keys, "keep") == 0 ? UNKNOWN_KEEP :
		   strcmp(settings->unknown_keys, "warn") == 0 ? UNKNOWN_WARN :
														 UNKNOWN_REFUSE;
}

static void
read_settings(Jsonb *jsonb, Inspection *inspection, PoolSettings *settings)
{
	KeptSettings kept;

	document_read(&settings_document, jsonb, NULL, inspection, &kept);
	*settings = kept.settings;
}

/*
 * Returns whether a text is a URL that can stand in a content security policy:
 * one of https, of plain characters, without a query.
 */
static bool
is_https_url(const char *text)
{
	if (strncmp(text, "https://", 8) != 0)
		return false;
	text += 8;
	return isalnum((unsigned char) *text) &&
		   text[strspn(
			   text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/@%+")] ==
			   '\0';
}

static bool
has_key(Jsonb *document, const char *key)
{
	JsonbValue value;

	return getKeyJsonValueFromContainer(&document->root, key, strlen(key), &value) != NULL;
}

/* Refuses limits of concurrency keys that say nothing, or what is no limit. */
static void
check_limits(const NamedTables *limits)
{
	for (int i = 0; i < limits->count; i++)
	{
		const NamedTable *limit = &limits->items[i];
		const char *path = document_path("limits", limit->name);

		if (limit->name[0] == '\0' || strlen(limit->name) > 1000)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("invalid key in \"limits\": \"%.80s\"", limit->name),
							errdetail("Expected 1 to 1000 bytes.")));
		for (int j = 0; j < limit->numbers.count; j++)
		{
			const NamedNumber *number = &limit->numbers.items[j];

			if (strcmp(number->name, "concurrent") != 0 && strcmp(number->name, "per_minute") != 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("unknown key in \"%s\": \"%s\"", path, number->name),
						 errhint("A limit is {\"concurrent\": n}, {\"per_minute\": n} or both.")));
			if (number->value != floor(number->value) || number->value > 1000000)
				ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
								errmsg("invalid value for \"%s\": %.15g",
									   document_path(path, number->name), number->value),
								errdetail("Expected a whole number from 0 to 1000000.")));
		}
	}
}

/*
 * Refuses settings that are well-formed and mean nothing.  Policies are looked
 * at where they change: a function that was dropped since must not keep other
 * settings from being changed.
 */
static void
check_settings(const PoolSettings *settings, bool new_policies, Oid setter)
{
	if (new_policies)
		policies_check(&settings->policy, &settings->policies, setter);
	check_limits(&settings->limits);
	if (settings->objective.time + settings->objective.energy + settings->objective.cost == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"objective\": the weights add up to 0"),
						errdetail("Expected at least one of time, energy and cost above 0.")));
	if (!solver_is_optimal(settings) && strcmp(settings->solver, "greedy") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"solver\": \"%s\"", settings->solver),
						errhint("Known solvers are: greedy, optimal.")));
	if (strcmp(settings->order, "submission") != 0 && strcmp(settings->order, "shortest") != 0 &&
		strcmp(settings->order, "least_served") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"order\": \"%s\"", settings->order),
						errhint("Known orders are: submission, shortest, least_served.")));
	if (strcmp(settings->spare_accelerators, "true") != 0 &&
		strcmp(settings->spare_accelerators, "false") != 0 &&
		strcmp(settings->spare_accelerators, "strict") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"spare_accelerators\": \"%s\"",
							   settings->spare_accelerators),
						errdetail("Expected true, false or \"strict\".")));
	if (unknown_keys_of(settings) == UNKNOWN_REFUSE &&
		strcmp(settings->unknown_keys, "refuse") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"unknown_keys\": \"%s\"", settings->unknown_keys),
				 errdetail("Expected \"refuse\", \"warn\" or \"keep\".")));
	if (strcmp(settings->decision_detail, "none") != 0 &&
		strcmp(settings->decision_detail, "winner") != 0 &&
		strcmp(settings->decision_detail, "second") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"decision_detail\": \"%s\"", settings->decision_detail),
				 errdetail("Expected \"none\", \"winner\" or \"second\".")));
	if (settings->vega_url != NULL && !is_https_url(settings->vega_url))
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for \"vega_url\": \"%s\"", settings->vega_url),
			 errhint("It is a URL such as https://cdn.jsdelivr.net/npm, below which packages of npm"
					 " are found.")));
}

/* --- in force --- */

/* The settings in force: the defaults, and over them the latest version's. */
static SpiPlan settings_statement = {
	"SELECT (SELECT jsonb_object_agg(s.name, s.default_value) FROM hwsched_internal.setting s)"
	" || coalesce((SELECT v.settings FROM hwsched.settings_version v WHERE v.pool = p.pool"
	"              ORDER BY v.version DESC LIMIT 1), '{}')"
	" FROM hwsched.pool p WHERE p.pool = $1",
	{TEXTOID}};

/*
 * The settings that the session used last.  Reading them anew costs more than
 * all else that a heartbeat or a claim does.
 *
 * Who changes settings through our functions sends an invalidation; a change
 * that comes another way (a restore, another node) counts a second later.
 * Transactions that see the past read them anew each time.
 */
typedef struct SettingsCopy
{
	MemoryContext context;
	char *pool;
	TimestampTz read_at;
	PoolSettings settings;
} SettingsCopy;

static SettingsCopy *copy = NULL;
static Oid versions = InvalidOid; /* hwsched.settings_version, once we have a copy */
static uint64 invalidations = 0;

#define COPY_LASTS_MS 1000

/* Drops the copy; what was handed out lasts until the end of the transaction. */
static void
drop_copy(void)
{
	if (copy == NULL)
		return;
	if (IsTransactionState())
		MemoryContextSetParent(copy->context, TopTransactionContext);
	else
		MemoryContextDelete(copy->context);
	copy = NULL;
}

static void
settings_invalidated(Datum arg, Oid relation)
{
	if (relation == InvalidOid || relation == versions)
	{
		invalidations++;
		drop_copy();
	}
}

/* Makes every session read the settings anew once this transaction commits, and ours at once. */
void
settings_forget(void)
{
	CacheInvalidateRelcacheByRelid(
		get_relname_relid("settings_version", get_namespace_oid("hwsched", false)));
	drop_copy();
}

/* Begins a copy that the settings are read into. */
static SettingsCopy *
begin_copy(const char *pool)
{
	static bool registered = false;
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hwsched settings", ALLOCSET_SMALL_SIZES);
	SettingsCopy *next = MemoryContextAlloc(context, sizeof(SettingsCopy));

	if (!registered)
	{
		CacheRegisterRelcacheCallback(settings_invalidated, (Datum) 0);
		registered = true;
	}
	next->context = context;
	next->pool = MemoryContextStrdup(context, pool);
	next->read_at = GetCurrentTransactionStartTimestamp();
	return next;
}

static bool
copy_is_good(const char *pool)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();

	return copy != NULL && strcmp(copy->pool, pool) == 0 && !IsolationUsesXactSnapshot() &&
		   now >= copy->read_at && !TimestampDifferenceExceeds(copy->read_at, now, COPY_LASTS_MS);
}

/*
 * Reads the settings of a pool; raises ERRCODE_NO_DATA_FOUND if there is none.
 * Unless we only read, the pool then stays until the end of the transaction.
 * They last as long as the transaction.
 */
void
pool_settings_load(const char *pool, bool read_only, PoolSettings *settings)
{
	if (!read_only)
		pool_keep(pool);
	if (!copy_is_good(pool))
	{
		SettingsCopy *next = begin_copy(pool);
		uint64 before = invalidations;
		MemoryContext caller;

		versions = get_relname_relid("settings_version", get_namespace_oid("hwsched", false));
		if (spi_plan_run(&settings_statement, read_only, TEXT_VALUE(pool)) == 0)
			unknown_pool(pool);
		caller = MemoryContextSwitchTo(next->context);
		read_settings(column_jsonb(0, 1), NULL, &next->settings);
		MemoryContextSwitchTo(caller);
		drop_copy();
		MemoryContextSetParent(next->context, TopMemoryContext);
		copy = next;
		/* what changed while we read may be missing */
		if (invalidations != before)
			copy->read_at = 0;
	}
	*settings = copy->settings;
}

static SpareMode
spare_mode(const char *word)
{
	return strcmp(word, "strict") == 0 ? SPARE_STRICTLY :
		   strcmp(word, "true") == 0   ? SPARE_ACCELERATORS :
										 SPARE_NOTHING;
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
	placement->spare_accelerators = spare_mode(settings->spare_accelerators);
	placement->one_by_one = !solver_is_optimal(settings);
	placement->solver_memory = maintenance_work_mem * (Size) 1024;
	placement->energy_price_per_kwh = settings->energy_price_per_kwh;
	placement->carbon_g_per_kwh = settings->carbon_g_per_kwh;
}

/* --- changing --- */

/*
 * Returns the changes that make a pool's settings what they were after a version; 0 is before the
 * first, when all had their defaults.  Whether the pool is paused stays as it is: that is what
 * somebody does now, not how the pool is set up.  Raises ERRCODE_NO_DATA_FOUND for a version that
 * is not there.
 */
Jsonb *
settings_changes_back(const char *pool, int64 version)
{
	static SpiPlan statement = {
		"SELECT coalesce((SELECT jsonb_object_agg(k.key, t.settings -> k.key)"
		"  FROM jsonb_object_keys(n.settings || t.settings) k (key) WHERE k.key <> 'paused'"
		"   AND t.settings -> k.key IS DISTINCT FROM n.settings -> k.key), '{}')"
		" FROM (SELECT settings FROM hwsched.settings_version WHERE pool = $1 AND version = $2"
		"  UNION ALL SELECT '{}' WHERE $2 = 0) t,"
		" (SELECT coalesce((SELECT settings FROM hwsched.settings_version WHERE pool = $1"
		"   ORDER BY version DESC LIMIT 1), '{}')) n (settings)",
		{TEXTOID, INT8OID}};

	if (spi_plan_run(&statement, false, TEXT_VALUE(pool), BIGINT_VALUE(version)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("the settings of pool \"%s\" have no version " INT64_FORMAT, pool, version),
				 errhint("See hwsched.settings_history().")));
	return column_jsonb(0, 1);
}

/*
 * Returns what the settings of a pool would be with some of them changed, for a caller who only
 * asks: unknown keys are refused whatever the pool does with them.  A function in a policy runs
 * with our rights, so only an administrator may try one.
 */
void
settings_tried(const Caller *caller, const char *pool, Jsonb *changes, const char *path,
			   PoolSettings *settings)
{
	static SpiPlan merge = {
		"SELECT (SELECT jsonb_object_agg(s.name, s.default_value) FROM hwsched_internal.setting s)"
		" || coalesce((SELECT jsonb_object_agg(e.key, e.value)"
		"  FROM jsonb_each(coalesce((SELECT settings FROM hwsched.settings_version WHERE pool = $1"
		"                            ORDER BY version DESC LIMIT 1), '{}') || $2) e"
		"  WHERE e.value <> 'null'), '{}')",
		{TEXTOID, JSONBOID}};
	KeptSettings kept;
	Inspection inspection;
	bool new_policies = has_key(changes, "policy") || has_key(changes, "policies");

	inspection_begin(&inspection, UNKNOWN_REFUSE);
	document_read(&settings_document, changes, path, &inspection, &kept);
	spi_plan_run(&merge, true, TEXT_VALUE(pool), VALUE(JsonbPGetDatum(changes)));
	read_settings(column_jsonb(0, 1), NULL, settings);
	check_settings(settings, new_policies, caller->user);
	if (new_policies && policies_have_functions(&settings->policy, &settings->policies) &&
		!has_privs_of_role(caller->user, get_role_oid("hwsched_admin", false)))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("only hwsched_admin may try functions in policies")));
}

/*
 * Adds a version of a pool's settings: the one in force with some of them
 * changed, null for back to the default.  What is stored is checked, together
 * with the defaults of what is not.  Returns its number; reason may be NULL.
 */
int64
settings_change(const Caller *caller, const char *pool, Jsonb *changes, const char *reason)
{
	static SpiPlan merge = {
		"SELECT coalesce((SELECT jsonb_object_agg(e.key, e.value)"
		"  FROM jsonb_each(coalesce((SELECT settings FROM hwsched.settings_version WHERE pool = $1"
		"                            ORDER BY version DESC LIMIT 1), '{}') || $2) e"
		"  WHERE e.value <> 'null'), '{}')",
		{TEXTOID, JSONBOID}};
	/* an old snapshot does not see a version that has come since; this fails with 40001 then */
	static SpiPlan add = {
		"INSERT INTO hwsched.settings_version (pool, version, settings, reason)"
		" SELECT $1, coalesce(max(version), 0) + 1, $2, $3 FROM hwsched.settings_version"
		" WHERE pool = $1 ON CONFLICT DO NOTHING RETURNING version",
		{TEXTOID, JSONBOID, TEXTOID}};
	PoolSettings read;
	PoolSettings changed;
	Inspection inspection;
	Jsonb *settings;
	int64 version;

	/* also what a merge would hide: a document that is no object */
	read_settings(changes, NULL, &changed);
	pool_settings_load(pool, false, &read);
	/* what it says of unknown keys holds for itself */
	if (has_key(changes, "unknown_keys"))
		read.unknown_keys = changed.unknown_keys != NULL ? changed.unknown_keys : "refuse";
	inspection_begin(&inspection, unknown_keys_of(&read));
	read_settings(changes, &inspection, &changed);
	inspection_end(&inspection);
	changes = keep_unknown_keys(&settings_document, changes);
	spi_plan_run(&merge, false, TEXT_VALUE(pool), VALUE(JsonbPGetDatum(changes)));
	settings = column_jsonb(0, 1);
	if (spi_plan_run(&add, false, TEXT_VALUE(pool), VALUE(JsonbPGetDatum(settings)),
					 TEXT_OR_NULL(reason)) == 0)
		elog(ERROR, "pool \"%s\" has got settings while it was locked", pool);
	version = column_bigint(0, 1);
	settings_forget();
	wake_for_room(pool);
	pool_settings_load(pool, false, &read);
	check_settings(&read, has_key(changes, "policy") || has_key(changes, "policies"), caller->user);
	return version;
}
