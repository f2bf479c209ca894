/*
 * suggest.c
 *		What would place a workload that waits, now: the least changes of its requirements, of the
 *		pool's settings or fleet, or what to wait for.
 *
 * The checks that places fail (snapshot/checks.c) say what might help; what is suggested was
 * tried by the decision itself on a changed copy of what was read (snapshot/what_if.c).
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/json.h"

#include "api/explain.h"
#include "api/submission.h"
#include "document/as_asked.h"
#include "document/label.h"
#include "document/taxonomy.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/order.h"
#include "snapshot/checks.h"
#include "snapshot/keys.h"
#include "snapshot/labels.h"
#include "snapshot/queue_checks.h"
#include "snapshot/what_if.h"
#include "store/workload.h"
#include "support/strtab.h"

PG_FUNCTION_INFO_V1(hwsched_suggest);

/* So many changes of a kind are suggested, and tried, at most. */
#define MOST_SUGGESTED 3
#define MOST_TRIED 40

/* A change that might help: keys and their values, as JSON texts. */
typedef struct Change
{
	int nkeys;
	struct
	{
		const char *key;
		const char *value;
	} keys[8];
	double severity; /* how much it takes away */
	SettingsIf settings;
} Change;

/* One call. */
typedef struct Suggesting
{
	ReturnSetInfo *result;
	const char *pool;
	const char *workload_id;
	Scope scope; /* who sees some work only is not told whose else there is */
	PoolSnapshot snapshot;
	const QueueItem *item;
	WorkKind *kind;
	Jsonb *requirements;
	int nchecks; /* what keeps it waiting wherever there is room */
	QueueCheck *checks;
	bool paused;
	bool over_quota;
	const char *ahead; /* a remark on the work that stands before it; empty: there is none */
	int nlive;
	LiveAssignment *live; /* what ends first comes first */
} Suggesting;

/* --- changes --- */

/* Adds a key to a change, unless it is there; returns false if there are too many. */
static bool
add_key(Change *change, const char *key, const char *value, double severity)
{
	for (int i = 0; i < change->nkeys; i++)
		if (strcmp(change->keys[i].key, key) == 0)
			return true;
	if (change->nkeys == lengthof(change->keys))
		return false;
	change->keys[change->nkeys].key = key;
	change->keys[change->nkeys++].value = value;
	change->severity += severity;
	return true;
}

/* Returns {key: value} of a change as JSON. */
static char *
change_json(const Change *change)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoChar(&text, '{');
	for (int i = 0; i < change->nkeys; i++)
		appendStringInfo(&text, "%s\"%s\": %s", i > 0 ? ", " : "", change->keys[i].key,
						 change->keys[i].value);
	appendStringInfoChar(&text, '}');
	return text.data;
}

static Jsonb *
jsonb_of(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* Returns whether a change has all keys of another. */
static bool
has_keys_of(const Change *change, const Change *other)
{
	for (int i = 0; i < other->nkeys; i++)
	{
		bool found = false;

		for (int j = 0; j < change->nkeys && !found; j++)
			found = strcmp(other->keys[i].key, change->keys[j].key) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* The fewest keys first, then what takes away the least. */
static int
compare_changes(const void *a, const void *b)
{
	const Change *x = a;
	const Change *y = b;

	if (x->nkeys != y->nkeys)
		return x->nkeys - y->nkeys;
	if (x->severity != y->severity)
		return x->severity < y->severity ? -1 : 1;
	return strcmp(change_json(x), change_json(y));
}

/* Changes that differ. */
typedef struct Changes
{
	HTAB *known;
	int count;
	int allocated;
	Change *items;
} Changes;

static void
keep_change(Changes *changes, const Change *change)
{
	const char *text = change_json(change);
	bool known;

	if (change->nkeys == 0)
		return;
	(void) strtab_enter(changes->known, text, strlen(text), &known);
	if (known)
		return;
	if (changes->count == changes->allocated)
	{
		changes->allocated *= 2;
		changes->items = repalloc_huge(changes->items, sizeof(Change) * changes->allocated);
	}
	changes->items[changes->count++] = *change;
}

static void
put_suggestion(Suggesting *suggesting, const char *kind, const char *change, const char *effect,
			   double cost)
{
	Datum values[] = {JsonbPGetDatum(jsonb_of(psprintf("{\"%s\": %s}", kind, change))),
					  CStringGetTextDatum(effect), Float8GetDatum(cost)};
	bool nulls[] = {false, false, false};

	tuplestore_putvalues(suggesting->result->setResult, suggesting->result->setDesc, values, nulls);
}

/* --- requirements --- */

/* Returns a number rounded down to so many decimals, as JSON; NULL if nothing is left. */
static const char *
rounded_down(double number, int decimals)
{
	double scale = pow(10, decimals);
	double rounded = floor(number * scale + 1e-9) / scale;

	return rounded > 0 ? psprintf("%.15g", rounded) : NULL;
}

/* Returns the names of an object of conditions that are not to stay, without them, as JSON. */
static const char *
conditions_without(const Suggesting *suggesting, const char *key, const char *const *names,
				   int count)
{
	static SpiPlan statement = {
		"SELECT coalesce(nullif(($1 -> $2) - $3, '{}'), 'null')::text WHERE $1 -> $2 IS NOT NULL",
		{JSONBOID, TEXTOID, TEXTARRAYOID}};

	if (spi_plan_run(&statement, true, VALUE(JsonbPGetDatum(suggesting->requirements)),
					 TEXT_VALUE(key), text_array(names, count)) == 0)
		return "null";
	return column_text(0, 1);
}

/* Adds to a change what lets a place pass a check on labels; the others' names stay. */
static bool
without_labels(const Suggesting *suggesting, const Place *place, Change *change)
{
	const Conditions *required = &place->kind->demand.required_labels;
	const char **names = palloc(sizeof(char *) * (required->count + 1));
	int n = 0;

	for (int i = 0; i < required->count; i++)
	{
		LabelValue space;
		LabelValues values;

		if (!device_label(place->snapshot, place->worker, place->device, &required->items[i],
						  &space, &values))
			names[n++] = required->items[i].name;
	}
	return add_key(change, "required_labels",
				   conditions_without(suggesting, "required_labels", names, n), n);
}

static bool
without_software(const Suggesting *suggesting, const Place *place, Change *change)
{
	const Conditions *required = &place->kind->demand.software;
	const Fleet *fleet = &place->snapshot->fleet;
	const char **names = palloc(sizeof(char *) * (required->count + 1));
	int n = 0;

	for (int i = 0; i < required->count; i++)
		if (!software_suffices(&fleet->software[fleet->workers[place->worker].software],
							   &(Conditions){1, &required->items[i]}))
			names[n++] = required->items[i].name;
	return add_key(change, "required_software",
				   conditions_without(suggesting, "required_software", names, n), n);
}

static bool
with_tolerations(const Place *place, Change *change)
{
	const Labels *taints = worker_taints(place->snapshot, place->worker);
	const NameSet *tolerated = &place->kind->demand.tolerations;
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < tolerated->count; i++)
	{
		appendStringInfo(&text, "%s", text.len > 0 ? ", " : "");
		escape_json(&text, tolerated->names[i]);
	}
	for (int i = 0; i < taints->count; i++)
		if (!names_contain(tolerated, taints->items[i].name))
		{
			appendStringInfo(&text, "%s", text.len > 0 ? ", " : "");
			escape_json(&text, taints->items[i].name);
		}
	return add_key(change, "tolerations", psprintf("[%s]", text.data), 1);
}

/* Adds to a change that fewer accelerators are asked for, of the only type. */
static bool
with_fewer_accelerators(const Place *place, double available, Change *change)
{
	const NamedNumbers *types = &place->kind->demand.accelerators;
	StringInfoData name;

	if (types->count != 1 || available < 1)
		return false;
	initStringInfo(&name);
	escape_json(&name, types->items[0].name);
	return add_key(change, "required_accelerators",
				   psprintf("{%s: %.0f}", name.data, floor(available)),
				   1 - available / types->items[0].value);
}

/*
 * How requirements are changed so that a check is passed: a number becomes what is available, or
 * the key goes.
 */
typedef struct Remedy
{
	const char *check;
	int decimals; /* of what is available; -1: the key goes */
	double severity;
} Remedy;

static const Remedy remedies[] = {
	{"minimum_memory", 2, 0},	 {"cpu_cores", 3, 0},		 {"host_memory", 2, 0},
	{"accelerator_share", 4, 0}, {"exclusive", -1, 1},		 {"group_apart", -1, 1},
	{"required_backend", -1, 2}, {"required_models", -1, 1},
};

/* Adds to a change of the requirements what lets a place pass a check; false: nothing does. */
static bool
remedy_check(const Suggesting *suggesting, const Place *place, const Refusal *refusal,
			 Change *change)
{
	const char *name = refusal->check->name;

	if (strcmp(name, "required_labels") == 0)
		return without_labels(suggesting, place, change);
	if (strcmp(name, "required_software") == 0)
		return without_software(suggesting, place, change);
	if (strcmp(name, "tolerations") == 0)
		return with_tolerations(place, change);
	if (strcmp(name, "required_accelerators") == 0)
	{
		if (!isnan(refusal->needed))
			return refusal->needed > 1 &&
				   with_fewer_accelerators(place, refusal->available, change);
		/* what is no accelerator may do, too */
		return add_key(change, "required_accelerators", "null", 3) &&
			   (place->kind->demand.share == 0 || add_key(change, "accelerator_share", "null", 1));
	}
	for (int r = 0; r < lengthof(remedies); r++)
	{
		const char *value = "null";

		if (strcmp(name, remedies[r].check) != 0)
			continue;
		if (remedies[r].decimals >= 0)
			value = rounded_down(refusal->available, remedies[r].decimals);
		return value != NULL &&
			   add_key(change, name, value,
					   remedies[r].decimals < 0 ? remedies[r].severity :
												  1 - refusal->available / refusal->needed);
	}
	return false;
}

/* Adds to a change what lets the workload go on wherever there is room; false: nothing does. */
static bool
remedy_queue(const Suggesting *suggesting, Change *change)
{
	if (suggesting->paused || suggesting->over_quota)
		return false;
	for (int i = 0; i < suggesting->nchecks; i++)
	{
		const char *name = suggesting->checks[i].name;

		if (strcmp(name, "retry_backoff") == 0 || strcmp(name, "yield") == 0 ||
			!add_key(change, name, "null", 1))
			return false;
	}
	return true;
}

/* Returns the requirements with a change. */
static Jsonb *
changed_requirements(const Suggesting *suggesting, const Change *change)
{
	static SpiPlan statement = {
		"SELECT coalesce(jsonb_object_agg(e.key, e.value) FILTER (WHERE e.value <> 'null'), '{}')"
		" FROM jsonb_each($1 || $2) e",
		{JSONBOID, JSONBOID}};

	spi_plan_run(&statement, true, VALUE(JsonbPGetDatum(suggesting->requirements)),
				 VALUE(JsonbPGetDatum(jsonb_of(change_json(change)))));
	return column_jsonb(0, 1);
}

/* Tries a change of the requirements. */
static bool
try_requirements(Suggesting *suggesting, const Change *change, WouldBe *where)
{
	WhatIf what = nothing_else();
	WorkloadProfile profile;
	Demand demand;

	if (!requirements_read(changed_requirements(suggesting, change), &profile, &demand))
		return false;
	what.profile = &profile;
	what.demand = &demand;
	for (int i = 0; i < change->nkeys; i++)
		what.without_keys =
			what.without_keys || strcmp(change->keys[i].key, "concurrency_key") == 0;
	return would_place(&suggesting->snapshot, suggesting->pool, &what, where);
}

/* Tries a change of the settings. */
static bool
try_settings(Suggesting *suggesting, const Change *change, WouldBe *where)
{
	WhatIf what = nothing_else();

	what.settings = change->settings;
	return would_place(&suggesting->snapshot, suggesting->pool, &what, where);
}

/*
 * Tries changes, the least first, and suggests those that help: none
 * with all the keys of a lesser one.
 */
static void
suggest_changes(Suggesting *suggesting, const char *kind, Changes *changes,
				bool (*try)(Suggesting *, const Change *, WouldBe *))
{
	const Change *suggested[MOST_SUGGESTED];
	int n = 0;

	qsort(changes->items, changes->count, sizeof(Change), compare_changes);
	for (int i = 0, tried = 0; i < changes->count && n < MOST_SUGGESTED && tried < MOST_TRIED; i++)
	{
		const Change *change = &changes->items[i];
		bool known = false;
		WouldBe where;

		for (int k = 0; k < n && !known; k++)
			known = has_keys_of(change, suggested[k]);
		if (known)
			continue;
		tried++;
		if (!try(suggesting, change, &where))
			continue;
		suggested[n++] = change;
		put_suggestion(suggesting, kind, change_json(change),
					   psprintf("would be placed on worker \"%s\"%s", where.worker_id,
								try == try_requirements ? "" : suggesting->ahead),
					   0);
	}
}

/* Collects, for each place, the change that would let it pass all checks. */
static void
collect_changes(Suggesting *suggesting, Changes *changes,
				bool (*remedy)(const Suggesting *, const Place *, const Refusal *, Change *),
				const Change *begin)
{
	const Fleet *fleet = &suggesting->snapshot.fleet;
	Place place = {&suggesting->snapshot, suggesting->kind, suggesting->item};
	Refusal refusals[MOST_REFUSALS];

	*changes = (Changes){strtab_create("hwsched changes"), 0, 64};
	changes->items = palloc(sizeof(Change) * changes->allocated);
	for (place.worker = 0; place.worker < fleet->nworkers; place.worker++)
	{
		const Worker *worker = &fleet->workers[place.worker];

		CHECK_FOR_INTERRUPTS();
		for (place.device = worker->first_device;
			 place.device < worker->first_device + worker->ndevices; place.device++)
		{
			int n = place_refusals(&place, refusals);
			Change change = *begin;
			bool helps = true;

			for (int i = 0; i < n && helps; i++)
				helps = remedy(suggesting, &place, &refusals[i], &change);
			if (helps)
				keep_change(changes, &change);
		}
	}
}

/* Adds changes that let a gang take fewer workers. */
static void
collect_gang_changes(Suggesting *suggesting, Changes *changes, const Change *begin)
{
	Search *search = &suggesting->snapshot.search;
	WorkKind *kind = suggesting->kind;
	Candidate candidate;
	int fit = 0;

	if (!is_gang(kind))
		return;
	for (int w = 0; w < search->fleet->nworkers; w++)
		fit += search_candidate(search, kind, w, &candidate) == FITS;
	for (int n = Min(fit, workers_needed(kind) - 1); n >= 1; n /= 2)
	{
		Change change = *begin;

		if (add_key(&change, "min_shards", psprintf("%d", n),
					1 - (double) n / workers_needed(kind)))
			keep_change(changes, &change);
	}
	if (!kind->demand.share_worker && profile_strategy(&kind->profile) == STRATEGY_SHARDED)
	{
		Change change = *begin;

		if (add_key(&change, "share_worker", "true", 0))
			keep_change(changes, &change);
	}
}

static void
suggest_requirements(Suggesting *suggesting)
{
	Change begin = {0};
	Changes changes;

	if (!remedy_queue(suggesting, &begin))
		return;
	collect_changes(suggesting, &changes, remedy_check, &begin);
	collect_gang_changes(suggesting, &changes, &begin);
	suggest_changes(suggesting, "requirements", &changes, try_requirements);
}

/* --- settings --- */

/* Adds to a change of the settings what lets a place pass a check; false: nothing does. */
static bool
remedy_by_setting(const Suggesting *suggesting, const Place *place, const Refusal *refusal,
				  Change *change)
{
	const PlacementSettings *settings = &suggesting->snapshot.search.settings;
	const Device *device = &suggesting->snapshot.fleet.devices[place->device];

	if (refusal->reason == FILTERED_LOAD)
	{
		double load = Min(1, ceil(device->load * 1000) / 1000);

		change->settings.max_load = load;
		return add_key(change, "max_load", psprintf("%.15g", load), load - settings->max_load);
	}
	if (refusal->reason == FILTERED_SCORE)
	{
		double score = floor(refusal->available * 10000) / 10000;

		change->settings.min_score = score;
		return add_key(change, "min_score", psprintf("%.15g", score), settings->min_score - score);
	}
	if (refusal->reason == FILTERED_SLOTS_BUSY && !device->on_probation)
	{
		int most = device->slots + 1;

		change->settings.max_concurrent = most;
		return add_key(change, "max_concurrent", psprintf("%d", most),
					   (double) most / settings->max_concurrent - 1);
	}
	return false;
}

/* Returns a setting that is an object, with one key of it changed, as JSON. */
static const char *
setting_with(const char *pool, const char *setting, const char *key, const char *value)
{
	static SpiPlan statement = {
		"SELECT (coalesce((SELECT v.settings -> $2 FROM hwsched.settings_version v"
		"   WHERE v.pool = $1 ORDER BY v.version DESC LIMIT 1), '{}')"
		"  || jsonb_build_object($3, $4))::text",
		{TEXTOID, TEXTOID, TEXTOID, JSONBOID}};

	spi_plan_run(&statement, true, TEXT_VALUE(pool), TEXT_VALUE(setting), TEXT_VALUE(key),
				 VALUE(JsonbPGetDatum(jsonb_of(value))));
	return column_text(0, 1);
}

/* Adds to a change the quota that the tenant of the workload needs. */
static bool
more_quota(const Suggesting *suggesting, Change *change)
{
	static SpiPlan statement = {
		"SELECT v.settings -> 'tenants' -> $2 FROM hwsched.settings_version v"
		" WHERE v.pool = $1 ORDER BY v.version DESC LIMIT 1",
		{TEXTOID, TEXTOID}};
	static SpiPlan merge = {"SELECT jsonb_set(coalesce($1, '{}'), '{quota}',"
							" coalesce($1 -> 'quota', '{}') || $2)::text",
							{JSONBOID, JSONBOID}};
	const Search *search = &suggesting->snapshot.search;
	const WorkKind *kind = suggesting->kind;
	const Tenant *tenant = tenant_of(search, kind);
	int members = is_gang(kind) ? gang_least(&kind->profile, &kind->demand) : 1;
	Change quota = {0};
	Jsonb *now;

	if (tenant->workloads + 1 > tenant->most_workloads)
		add_key(&quota, "workloads", psprintf("%.15g", tenant->workloads + 1), 0);
	if (tenant->accelerators + members * demanded_accelerators(kind) >
		tenant->most_accelerators + 1e-9)
		add_key(&quota, "accelerators",
				psprintf("%.15g", tenant->accelerators + members * demanded_accelerators(kind)), 0);
	if (tenant->cores + members * kind->demand.cpu_millicores / 1000.0 > tenant->most_cores + 1e-9)
		add_key(&quota, "cpu_cores",
				psprintf("%.15g", tenant->cores + members * kind->demand.cpu_millicores / 1000.0),
				0);
	if (spi_plan_run(&statement, true, TEXT_VALUE(suggesting->pool), TEXT_VALUE(tenant->name)) == 0)
		return false;
	now = column_jsonb(0, 1);
	spi_plan_run(&merge, true, now ? VALUE(JsonbPGetDatum(now)) : NULL_VALUE,
				 VALUE(JsonbPGetDatum(jsonb_of(change_json(&quota)))));
	change->settings.more_quota = true;
	return add_key(change, "tenants",
				   setting_with(suggesting->pool, "tenants", tenant->name, column_text(0, 1)), 1);
}

/* Adds to a change the limits that the keys of the workload need; false: something else, too. */
static bool
more_units(const Suggesting *suggesting, Change *change)
{
	static SpiPlan statement = {
		"SELECT u.concurrent_limit, u.in_use, u.per_minute_limit, u.used_last_minute, e.units"
		" FROM hwsched.submission s"
		" CROSS JOIN LATERAL unnest(s.concurrency_keys, s.concurrency_units) e(key, units)"
		" JOIN hwsched.limit_usage u ON u.pool = s.pool AND u.key = e.key"
		" WHERE s.pool = $1 AND s.workload_id = $2 AND e.key = $3",
		{TEXTOID, TEXTOID, TEXTOID}};
	int found = 0;
	const char *limits = NULL;

	for (int i = 0; i < suggesting->nchecks; i++)
	{
		const QueueCheck *check = &suggesting->checks[i];
		StringInfoData limit;
		int concurrent;
		int per_minute;
		bool isnull;

		if (strcmp(check->name, "concurrency_key") != 0)
			return false;
		/* a change of several limits would have to merge them */
		if (found++ > 0)
			return false;
		if (spi_plan_run(&statement, true, TEXT_VALUE(suggesting->pool),
						 TEXT_VALUE(suggesting->workload_id), TEXT_VALUE(check->item)) == 0)
			return false;
		concurrent = Max(column_int(0, 1), column_int(0, 2) + column_int(0, 5));
		per_minute = Max(column_int(0, 3), column_int(0, 4) + 1);
		initStringInfo(&limit);
		(void) column(0, 1, &isnull);
		appendStringInfoChar(&limit, '{');
		if (!isnull)
			appendStringInfo(&limit, "\"concurrent\": %d", concurrent);
		(void) column(0, 3, &isnull);
		if (!isnull)
			appendStringInfo(&limit, "%s\"per_minute\": %d", limit.len > 1 ? ", " : "", per_minute);
		appendStringInfoChar(&limit, '}');
		limits = setting_with(suggesting->pool, "limits", check->item, limit.data);
	}
	if (limits == NULL)
		return true;
	change->settings.more_units = true;
	return add_key(change, "limits", limits, 1);
}

static void
suggest_settings(Suggesting *suggesting)
{
	Change begin = {.settings = nothing_else().settings};
	Changes changes;

	if (!more_units(suggesting, &begin) ||
		(suggesting->over_quota && !more_quota(suggesting, &begin)))
		return;
	if (suggesting->paused)
	{
		begin.settings.resumed = true;
		add_key(&begin, "paused", "false", 1);
	}
	collect_changes(suggesting, &changes, remedy_by_setting, &begin);
	suggest_changes(suggesting, "settings", &changes, try_settings);
}

/* --- waiting --- */

/* Reads what is live, and when it is expected to end. */
static void
read_live(Suggesting *suggesting)
{
	static SpiPlan statement = {
		"SELECT " ROW_COLUMNS
		", greatest(0, extract(epoch FROM coalesce(a.started_at, a.assigned_at) - now())::float8"
		"   + least(coalesce(a.p90_seconds, a.predicted_seconds), a.timeout_seconds)) AS ends_in,"
		" p.demand ->> 'tenant', a.alone,"
		" coalesce(s.requirements ->> 'group' = $3, false),"
		" EXISTS (SELECT FROM hwsched.dependency d WHERE d.pool = $1 AND d.workload_id = $2"
		"  AND d.depends_on = a.workload_id),"
		" h.key, h.units, (count(*) OVER (PARTITION BY a.workload_id))::int"
		" FROM hwsched.assignment a"
		" JOIN hwsched.workload_profile p ON p.pool = a.pool AND p.profile_id = a.profile_id"
		" JOIN hwsched.submission s ON s.pool = a.pool AND s.workload_id = a.workload_id"
		" LEFT JOIN LATERAL (SELECT k.key, k.units FROM hwsched.key_holder k WHERE k.pool = $1"
		"  AND k.key = ANY ($4) AND k.workload_id = a.workload_id"
		"  AND a.assignment_id BETWEEN k.assignment_id AND k.last_assignment_id"
		"  ORDER BY k.key LIMIT 1) h ON $4 IS NOT NULL"
		" WHERE a.pool = $1 AND a.finished_at IS NULL ORDER BY ends_in, a.assignment_id",
		{TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID},
		IN_SETS,
		&ended_row};
	static SpiPlan own = {"SELECT requirements, requirements ->> 'group', concurrency_keys,"
						  " concurrency_units FROM hwsched.submission WHERE pool = $1"
						  " AND workload_id = $2",
						  {TEXTOID, TEXTOID}};
	PoolSnapshot *snapshot = &suggesting->snapshot;
	EndedAssignment *holds;
	const char *group;
	Parameter keys = NULL_VALUE;
	Datum array;
	Datum units;
	bool isnull;
	int c = ended_row.count;

	spi_plan_run(&own, true, TEXT_VALUE(suggesting->pool), TEXT_VALUE(suggesting->workload_id));
	suggesting->requirements = column_jsonb(0, 1);
	group = column_text(0, 2);
	array = column(0, 3, &isnull);
	if (!isnull)
	{
		array = PointerGetDatum(DatumGetArrayTypePCopy(array));
		units = PointerGetDatum(DatumGetArrayTypePCopy(column(0, 4, &isnull)));
		keys = VALUE(array);
		snapshot->items[0].keys = key_demand_now(snapshot, suggesting->pool, array, units, true);
	}
	spi_plan_run(&statement, true, TEXT_VALUE(suggesting->pool),
				 TEXT_VALUE(suggesting->workload_id), TEXT_OR_NULL(group), keys);
	suggesting->nlive = (int) SPI_processed;
	suggesting->live = MemoryContextAllocExtended(CurrentMemoryContext,
												  sizeof(LiveAssignment) * (SPI_processed + 1),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		LiveAssignment *live = &suggesting->live[i];
		const char *key = column_text(i, c + 6);

		live->ends_in = column_number(i, c + 1);
		live->tenant = column_text(i, c + 2);
		live->alone = column_bool(i, c + 3);
		live->of_group = column_bool(i, c + 4);
		live->of_parent = column_bool(i, c + 5);
		live->key = key == NULL ? -1 : key_named(snapshot, key);
		live->key_units = column_int(i, c + 7);
		live->members = column_int(i, c + 8);
	}
	(void) read_ended(&holds);
	for (int i = 0; i < suggesting->nlive; i++)
		suggesting->live[i].holds = holds[i];
}

/* Returns whether the end of some assignments lets the workload go on wherever there is room. */
static bool
lets_go_on(const Suggesting *suggesting, const LiveAssignment *const *ended, int count)
{
	if (suggesting->paused)
		return false;
	for (int i = 0; i < suggesting->nchecks; i++)
	{
		const QueueCheck *check = &suggesting->checks[i];
		int live = 0;
		int over = 0;

		/* whether its keys have room the decision tells */
		if (strcmp(check->name, "concurrency_key") == 0)
			continue;
		if (strcmp(check->name, "depends_on") != 0)
			return false;
		for (int k = 0; k < suggesting->nlive; k++)
			live += strcmp(suggesting->live[k].holds.workload_id, check->item) == 0;
		for (int k = 0; k < count; k++)
			over += strcmp(ended[k]->holds.workload_id, check->item) == 0;
		/* a parent that waits itself has nothing that could end */
		if (live == 0 || over < live)
			return false;
	}
	return true;
}

static bool
helps_to_end(Suggesting *suggesting, const LiveAssignment *const *ended, int count, WouldBe *where)
{
	WhatIf what = nothing_else();

	if (!lets_go_on(suggesting, ended, count))
		return false;
	what.nended = count;
	what.ended = ended;
	return would_place(&suggesting->snapshot, suggesting->pool, &what, where);
}

/* Suggests to wait for the assignments that have to end: those that end first, and no more. */
static void
suggest_waiting(Suggesting *suggesting)
{
	int n = suggesting->nlive;
	const LiveAssignment **all = palloc_extended(sizeof(*all) * (n + 1), MCXT_ALLOC_HUGE);
	const LiveAssignment **few = palloc_extended(sizeof(*few) * (n + 1), MCXT_ALLOC_HUGE);
	StringInfoData ids;
	WouldBe where;
	int low = 1;
	int high = n;
	int count = 0;
	double seconds = 0;

	for (int i = 0; i < n; i++)
		all[i] = &suggesting->live[i];
	if (n == 0 || !helps_to_end(suggesting, all, n, &where))
		return;
	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (helps_to_end(suggesting, all, middle, &where))
			high = middle;
		else
			low = middle + 1;
	}
	if (!helps_to_end(suggesting, all, low, &where))
		return;
	/* of those, what is where it would be placed, or counts wherever it is */
	for (int i = 0; i < low; i++)
	{
		const LiveAssignment *live = all[i];
		bool there =
			live->key >= 0 || live->of_parent || live->of_group ||
			(suggesting->over_quota &&
			 strcmp(live->tenant ? live->tenant : "",
					suggesting->kind->demand.tenant ? suggesting->kind->demand.tenant : "") == 0);

		for (int w = 0; w < where.nworkers && !there; w++)
			there = fleet_worker(&suggesting->snapshot.fleet, live->holds.worker_id) ==
					where.workers[w];
		if (there)
			few[count++] = live;
	}
	if (!helps_to_end(suggesting, few, count, &where))
	{
		memcpy(few, all, sizeof(*few) * low);
		count = low;
	}
	/* one after the other, the last to end first: what need not end goes on */
	for (int i = count - 1, tried = 0; i >= 0 && tried < 4 * MOST_TRIED; i--, tried++)
	{
		const LiveAssignment *spared = few[i];

		memmove(&few[i], &few[i + 1], sizeof(*few) * (count - 1 - i));
		if (helps_to_end(suggesting, few, count - 1, &where))
			count--;
		else
		{
			memmove(&few[i + 1], &few[i], sizeof(*few) * (count - 1 - i));
			few[i] = spared;
		}
	}
	if (count == 0 || !helps_to_end(suggesting, few, count, &where))
		return;
	initStringInfo(&ids);
	for (int i = 0; i < count; i++)
	{
		appendStringInfo(&ids, "%s" INT64_FORMAT, i > 0 ? ", " : "[", few[i]->holds.assignment_id);
		seconds = Max(seconds, few[i]->ends_in);
	}
	appendStringInfoChar(&ids, ']');
	put_suggestion(
		suggesting, "wait_for", ids.data,
		psprintf("would be placed on worker \"%s\" when %s ended, in %s s as predicted%s",
				 where.worker_id,
				 count == 1 && suggesting->scope.all ?
					 psprintf("\"%s\" has", few[0]->holds.workload_id) :
					 psprintf("%d %s", count, count == 1 ? "assignment has" : "assignments have"),
				 number_text(ceil(seconds)), suggesting->ahead),
		seconds);
}

/* --- one more worker --- */

/* Suggests one more worker of some capabilities, if it would help; returns whether it would. */
static bool
suggest_capabilities(Suggesting *suggesting, Jsonb *capabilities, int number, const char *like,
					 double cost)
{
	WhatIf what = nothing_else();
	WouldBe where;
	char *text;

	what.capabilities = capabilities;
	if (!would_place(&suggesting->snapshot, suggesting->pool, &what, &where))
		return false;
	text = JsonbToCString(NULL, &capabilities->root, VARSIZE(capabilities));
	put_suggestion(suggesting, "register_worker",
				   psprintf("{\"worker_id\": \"suggested-%d\"%s%s", number,
							JB_ROOT_COUNT(capabilities) > 0 ? ", " : "", text + 1),
				   psprintf("would be placed with one more worker, %s%s", like, suggesting->ahead),
				   cost);
	return true;
}

/* Suggests a worker like one that there is, the cheapest first. */
static void
suggest_worker(Suggesting *suggesting)
{
	static SpiPlan statement = {
		"SELECT DISTINCT ON (cost, capabilities) e.cost, e.capabilities, e.worker_id FROM ("
		"  SELECT DISTINCT ON (l.hardware_id, w.cost_per_hour)"
		"   coalesce(w.cost_per_hour, 0) AS cost,"
		"   w.worker_id,"
		"   w.capabilities - '{hostname,incarnation,worker_id,taints}'::text[]"
		"   || CASE WHEN jsonb_typeof(w.capabilities -> 'devices') = 'array' THEN"
		"    jsonb_build_object('devices', (SELECT jsonb_agg(d - '{device_id,labels}'::text[])"
		"     FROM jsonb_array_elements(w.capabilities -> 'devices') d)) ELSE '{}' END"
		"   AS capabilities"
		"  FROM hwsched.worker w"
		"  JOIN hwsched.worker_load l ON l.pool = w.pool AND l.worker_id = w.worker_id"
		"  WHERE w.pool = $1 ORDER BY l.hardware_id, w.cost_per_hour, w.worker_id) e"
		" ORDER BY cost, capabilities, worker_id LIMIT 40",
		{TEXTOID}};
	Jsonb *capabilities[MOST_TRIED];
	const char *models[MOST_TRIED];
	double costs[MOST_TRIED];
	int n;
	int suggested = 0;
	int number = 1;

	if (!lets_go_on(suggesting, NULL, 0) || suggesting->over_quota)
		return;
	while (fleet_worker(&suggesting->snapshot.fleet, psprintf("suggested-%d", number)) >= 0)
		number++;
	n = (int) spi_plan_run(&statement, true, TEXT_VALUE(suggesting->pool));
	for (int i = 0; i < n; i++)
	{
		costs[i] = column_number(i, 1);
		capabilities[i] = column_jsonb(i, 2);
		models[i] = column_text(i, 3);
	}
	for (int i = 0; i < n && suggested < MOST_SUGGESTED; i++)
		suggested += suggest_capabilities(suggesting, capabilities[i], number,
										  psprintf("like \"%s\"", models[i]), costs[i]);
	if (suggested == 0)
		(void) suggest_capabilities(
			suggesting,
			capabilities_as_asked(&suggesting->kind->profile, &suggesting->kind->demand), number,
			"as the work asks for", 0);
}

/* Returns a remark on how much work stands before a workload, which may take a place first. */
static const char *
ahead_text(const char *pool, const char *workload_id)
{
	static SpiPlan statement = {
		"SELECT count(*) FROM hwsched.submission s JOIN hwsched.pending p ON p.pool = s.pool"
		" AND (p.priority, p.deadline, p.queue_no) < (s.priority, s.deadline, s.queue_no)"
		" WHERE s.pool = $1 AND s.workload_id = $2",
		{TEXTOID, TEXTOID}};
	int64 ahead;

	spi_plan_run(&statement, true, TEXT_VALUE(pool), TEXT_VALUE(workload_id));
	ahead = column_bigint(0, 1);
	return ahead == 0 ? "" :
						psprintf("; " INT64_FORMAT " in the queue before it may be first", ahead);
}

/* suggest(workload_id text, pool text) RETURNS TABLE (change, effect, cost) */
Datum
hwsched_suggest(PG_FUNCTION_ARGS)
{
	char *workload_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *pool = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Suggesting suggesting = {(ReturnSetInfo *) fcinfo->resultinfo, pool, workload_id};
	PoolSnapshot *snapshot = &suggesting.snapshot;
	WhatIf what = nothing_else();
	WouldBe where;
	char *state;
	Caller caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	suggesting.scope = authz_seen(&caller, pool);
	workload_check_scope(&suggesting.scope, pool, workload_id);
	snapshot_candidates(snapshot, pool, workload_id);
	state = workload_state(pool, workload_id, true);
	if (state != NULL && strcmp(state, "pending") == 0)
	{
		load_absences(snapshot, pool);
		suggesting.item = &snapshot->items[0];
		suggesting.kind = &snapshot->search.kinds[suggesting.item->kind];
		suggesting.nchecks = queue_checks(&suggesting.scope, pool, workload_id, &suggesting.checks);
		suggesting.paused = snapshot->settings.paused;
		suggesting.over_quota = quota_is_met(&snapshot->search, suggesting.kind);
		suggesting.ahead = ahead_text(pool, workload_id);
		read_live(&suggesting);
		/* what the next decision places needs no suggestion */
		if (suggesting.nchecks > 0 || !would_place(snapshot, pool, &what, &where))
		{
			suggest_requirements(&suggesting);
			suggest_waiting(&suggesting);
			suggest_settings(&suggesting);
			suggest_worker(&suggesting);
		}
	}
	call_end(&caller);
	return (Datum) 0;
}
