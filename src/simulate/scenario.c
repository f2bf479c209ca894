/*
 * scenario.c
 *		What is simulated, as a document says: a fleet, work that arrives, settings.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "document/infer.h"
#include "document/json.h"
#include "place/candidate.h"
#include "simulate/arrivals.h"
#include "simulate/durations.h"
#include "simulate/given_fleet.h"
#include "simulate/scenario.h"
#include "snapshot/fleet.h"
#include "snapshot/reservations.h"
#include "store/pool.h"

/* What of a scenario is read as it stands; the rest is looked at by what it is. */
typedef struct ScenarioKeys
{
	int64 seed;
	double failure_rate;
	double move_cost;
} ScenarioKeys;

static const Field scenario_fields[] = {
	{"fleet", FIELD_ANY},
	{"arrivals", FIELD_ANY},
	{"settings", FIELD_ANY_OBJECT},
	{"until", FIELD_ANY},
	{"seed", FIELD_BIGINT, offsetof(ScenarioKeys, seed)},
	{"failure_rate", FIELD_NUMBER, offsetof(ScenarioKeys, failure_rate), NAME_FREE, 0, 1},
	{"move_cost", FIELD_SECONDS, offsetof(ScenarioKeys, move_cost), NAME_FREE, 0, MOST_SECONDS},
};

static void
preset_scenario(void *values)
{
	ScenarioKeys *keys = values;

	keys->failure_rate = keys->move_cost = NAN;
}

static const Document scenario_document = {"scenario", sizeof(ScenarioKeys), scenario_fields,
										   lengthof(scenario_fields), preset_scenario};

/* Refuses a value of a scenario. */
pg_noreturn static void
refuse(const char *path, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid value for \"%s\"", path),
			 errdetail("Expected %s.", expected), errpath(path)));
}

/* Reads when the simulation ends: a time, or a number of seconds from its beginning. */
static int64
read_until(Jsonb *document, TimestampTz begins)
{
	JsonbValue until;

	if (getKeyJsonValueFromContainer(&document->root, "until", 5, &until) == NULL ||
		until.type == jbvNull)
		return PG_INT64_MAX;
	if (until.type == jbvNumeric)
	{
		double seconds = DatumGetFloat8(
			DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(until.val.numeric)));

		if (seconds >= 0 && seconds <= MOST_SECONDS)
			return (int64) rint(seconds * USECS_PER_SEC);
	}
	else if (until.type == jbvString)
	{
		TimestampTz at = DatumGetTimestampTz(DirectFunctionCall3(
			timestamptz_in, CStringGetDatum(pnstrdup(until.val.string.val, until.val.string.len)),
			ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));

		if (TIMESTAMP_IS_NOEND(at))
			return PG_INT64_MAX;
		if (!TIMESTAMP_IS_NOBEGIN(at))
			return Max(at - begins, 0);
	}
	refuse("until", "a time, or a number of seconds from the beginning");
}

/* Counts what tenants have shares of: what the workers of the fleet have. */
static void
count_whole(Search *search)
{
	const Fleet *fleet = search->fleet;

	search->whole = (Tenant){.accelerators = 0};
	for (int w = 0; w < fleet->nworkers; w++)
	{
		const Worker *worker = &fleet->workers[w];

		if (!worker->accepting)
			continue;
		search->whole.cores += worker->cpu_millicores / 1000.0;
		search->whole.memory += (double) worker->memory_bytes;
		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
			search->whole.accelerators += !is_cpu(&fleet->profiles[fleet->devices[d].profile]);
	}
}

/* Takes from tenants what they hold and held elsewhere. */
static void
empty_tenants(Search *search)
{
	for (int t = 0; t < search->ntenants; t++)
	{
		Tenant *tenant = &search->tenants[t];

		tenant->accelerators = tenant->cores = tenant->memory = tenant->workloads = 0;
		tenant->past = 0;
	}
}

/* Reads the fleet, and what decisions on it know. */
static void
read_fleet(Scenario *scenario, Jsonb *document)
{
	PoolSnapshot *snapshot = &scenario->snapshot;
	JsonbValue fleet;

	if (scenario->own_fleet)
	{
		(void) getKeyJsonValueFromContainer(&document->root, "fleet", 5, &fleet);
		scenario->entries = read_given_fleet(snapshot, scenario->pool, JsonbValueToJsonb(&fleet));
	}
	else
	{
		snapshot_fleet_alone(snapshot, scenario->pool, true);
		if (scenario->live)
			load_running(snapshot, scenario->pool, true);
		else
			empty_fleet(snapshot);
	}
	snapshot_knowledge(snapshot, scenario->pool, NULL, true);
	if (!scenario->live)
	{
		count_whole(&snapshot->search);
		empty_tenants(&snapshot->search);
	}
	know_durations(scenario);
}

/* Returns whether a scenario has workers of its own. */
static bool
has_own_fleet(Jsonb *document)
{
	JsonbValue fleet;

	if (getKeyJsonValueFromContainer(&document->root, "fleet", 5, &fleet) == NULL ||
		fleet.type == jbvNull ||
		(fleet.type == jbvString && fleet.val.string.len == 4 &&
		 memcmp(fleet.val.string.val, "pool", 4) == 0))
		return false;
	if (fleet.type != jbvBinary || !JsonContainerIsArray(fleet.val.binary.data))
		refuse("fleet", "\"pool\" or a list of capabilities");
	return true;
}

/*
 * Reads a scenario, for a caller whose rights and search_path hold for a table of arrivals; SPI is
 * connected.
 * Raises ERRCODE_INVALID_PARAMETER_VALUE with the path of what is wrong, and
 * ERRCODE_NO_DATA_FOUND if there is no such pool.
 */
void
scenario_read(const Caller *caller, const char *callers_path, Jsonb *document, const char *pool,
			  Scenario *scenario)
{
	ScenarioKeys keys;
	Inspection inspection;
	PoolSettings settings;
	Jsonb *changes;

	memset(scenario, 0, sizeof(*scenario));
	inspection_begin(&inspection, UNKNOWN_REFUSE);
	document_read(&scenario_document, document, NULL, &inspection, &keys);
	scenario->pool = pool;
	scenario->caller = caller;
	scenario->callers_path = callers_path;
	scenario->seen = authz_seen(caller, pool);
	scenario->seed = keys.seed;
	scenario->failure_rate = keys.failure_rate;
	scenario->move_cost = keys.move_cost;
	scenario->begins = GetCurrentTransactionStartTimestamp();
	scenario->own_fleet = has_own_fleet(document);
	changes = object_at(document, "settings");
	pool_settings_load(pool, true, &settings);
	if (changes != NULL)
		settings_tried(caller, pool, changes, "settings", &settings);
	snapshot_begin(&scenario->snapshot, &settings);
	read_arrivals(scenario, document);
	scenario->until = read_until(document, scenario->begins);
	read_fleet(scenario, document);
}
