/*
 * explain.c
 *		Why work goes where it goes, and why it waits: the same checks and
 *		scores as the decision, for people to read.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/regproc.h"
#include "utils/timestamp.h"

#include "api/explain.h"
#include "api/places.h"
#include "document/jsonb_writer.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/order.h"
#include "place/reservation.h"
#include "place/search_hardware.h"
#include "place/search_policy.h"
#include "place/spare.h"
#include "snapshot/policy_context.h"
#include "snapshot/checks.h"
#include "snapshot/fleet.h"
#include "snapshot/queue.h"
#include "snapshot/queue_checks.h"
#include "snapshot/reservations.h"
#include "snapshot/windows.h"
#include "store/workload.h"

PG_FUNCTION_INFO_V1(hwsched_compatible_hardware);
PG_FUNCTION_INFO_V1(hwsched_explain_pending);
PG_FUNCTION_INFO_V1(hwsched_queue_reasons);

/* Returns a refusal in words. */
const char *
filter_reason_text(FilterReason reason)
{
	static const char *const reasons[] = {
		[FILTERED_NO_WORKER] = "no worker is registered",
		[FILTERED_LABELS] = "no device has the required labels",
		[FILTERED_TAINTS] = "its workers have taints that it does not tolerate",
		[FILTERED_BACKEND] = "no device has the required backend",
		[FILTERED_MODEL] = "no device is of a required model",
		[FILTERED_PRECISION] = "no device has the required precisions",
		[FILTERED_FEATURE] = "no device has the required features",
		[FILTERED_UNITS] = "no device has enough compute units",
		[FILTERED_CLASS] = "it was too slow on that class of hardware",
		[FILTERED_MEMORY] = "no device has enough memory",
		[FILTERED_ACCELERATORS] = "no worker has the required accelerators",
		[FILTERED_SOFTWARE] = "no worker has the required software",
		[FILTERED_CPU_CORES] = "no worker has enough cores",
		[FILTERED_HOST_MEMORY] = "no worker has enough memory",
		[FILTERED_ALIKE] = "no worker has so many accelerators of one kind",
		[FILTERED_WORKERS] = "too few workers could take a part of it",
		[FILTERED_HEALTH] = "its workers are offline or quarantined",
		[FILTERED_DRAINING] = "its workers are draining",
		[FILTERED_DEVICE_HEALTH] = "its devices are quarantined",
		[FILTERED_DEVICE_DRAINING] = "its devices are draining",
		[FILTERED_RESERVED] = "its place is reserved for work that stands before it",
		[FILTERED_ALONE] = "its workers have something that runs alone",
		[FILTERED_EXCLUSIVE] = "it is exclusive, and its workers have something",
		[FILTERED_LOAD] = "its workers are loaded beyond max_load",
		[FILTERED_CONCURRENT] = "its workers are at their max_concurrent",
		[FILTERED_CPU_BUSY] = "its workers' cores are taken",
		[FILTERED_HOST_MEMORY_BUSY] = "its workers' memory is taken",
		[FILTERED_DEVICE_BUSY] = "its devices are taken",
		[FILTERED_SLOTS_BUSY] = "its devices have max_concurrent workloads",
		[FILTERED_DEVICE_MEMORY_BUSY] = "its devices' memory is taken",
		[FILTERED_SCORE] = "its devices score below min_score",
		[FILTERED_WINDOW] = "the workers that have room have a maintenance window ahead",
		[FILTERED_PAUSED] = "the pool is paused until resume_pool() is called",
		[FILTERED_GROUP] = "waits for a worker that has none of its group",
		[FILTERED_QUOTA] = "the quota of its tenant is used up",
		[FITS] = "waits for the next assign_pending",
	};

	return reasons[reason];
}

/* --- compatible_hardware --- */

/* Returns the scores of a candidate by algorithm. */
static Datum
scores_by_algorithm(const Policies *policies, const Policy *policy, const double *scores)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int p = 0; p < policy->nparts; p++)
	{
		const PolicyPart *part = &policy->parts[p];

		push_key(&state, part->algorithm == ALGORITHM_FUNCTION ?
							 format_procedure(policies->functions[part->function].info.fn_oid) :
							 algorithm_traits[part->algorithm].name);
		push_double(&state, scores[p]);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* Reads one workload and the fleet, as a decision on it would see them. */
void
snapshot_candidates(PoolSnapshot *snapshot, const char *pool, const char *workload_id)
{
	snapshot_settings(snapshot, pool, true);
	snapshot_submitted(snapshot, pool, workload_id, true);
	snapshot_fleet(snapshot, pool, NULL, true);
	load_reservations(snapshot, pool, true);
}

/*
 * The queue of the pool $1 as SQL, with the setting ageing as $2, as far as it is of the tenants $3
 * (NULL: all of it): position counts from the first of all; reason says what a workload has to
 * wait for whatever room there is, and is NULL for what may be placed.
 */
#define QUEUE_SQL \
	"(SELECT q.* FROM (SELECT p.*," \
	"    row_number() OVER (ORDER BY a.aged_priority, p.deadline, p.queue_no) AS position," \
	"    a.aged_priority, c.reason" \
	"   FROM hwsched.pending p" \
	"   CROSS JOIN LATERAL (SELECT " AGED_PRIORITY( \
		"$2") " AS aged_priority) a" \
			  "   LEFT JOIN (SELECT DISTINCT ON (c.queue_no) c.queue_no, c.reason" \
			  "     FROM (" QUEUE_CHECKS_SQL( \
				  "(SELECT * FROM hwsched.pending WHERE pool = $1)", \
				  "$3") ") c" \
						"     ORDER BY c.queue_no, c.ord, c.urgency DESC, c.item) c" \
						"    ON c.queue_no = p.queue_no" \
						"   WHERE p.pool = $1) q" \
						"  WHERE $3 IS NULL OR EXISTS (SELECT FROM hwsched.workload_profile t" \
						"   WHERE t.pool = $1 AND t.profile_id = q.profile_id" \
						"    AND t.tenant = ANY ($3)))"

/* Returns what a workload has to wait for whatever room there is, or NULL. */
static const char *
waits_for(const Scope *scope, const char *pool, const char *workload_id)
{
	QueueCheck *found;

	return queue_checks(scope, pool, workload_id, &found) == 0 ? NULL : found[0].text;
}

/* Returns in words why a workload avoids a worker, or NULL. */
static const char *
avoids_for(const QueueItem *item, const Fleet *fleet, int worker)
{
	for (int i = 0; i < item->navoided; i++)
		if (item->avoided[i] == worker)
			return isinf(fleet->workers[worker].window_in) ?
					   "failed there, and others could run it" :
					   "would reach into the maintenance window of its worker";
	return NULL;
}

/* compatible_hardware(workload_id text, pool text) RETURNS TABLE */
Datum
hwsched_compatible_hardware(PG_FUNCTION_ARGS)
{
	char *workload_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *pool = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PoolSnapshot snapshot;
	Search *search = &snapshot.search;
	Fleet *fleet = &snapshot.fleet;
	WorkKind *kind;
	Ranked *ranked;
	const char *waits;
	int count;
	Caller caller;
	Scope scope;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	scope = authz_seen(&caller, pool);
	workload_check_scope(&scope, pool, workload_id);
	snapshot_candidates(&snapshot, pool, workload_id);
	waits = waits_for(&scope, pool, workload_id);
	if (waits == NULL && snapshot.settings.paused)
		waits = filter_reason_text(FILTERED_PAUSED);
	kind = &search->kinds[snapshot.items[0].kind];
	ranked = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Ranked) * (fleet->ndevices + 1));
	count = rank_devices(search, snapshot.items, ranked);

	for (int i = 0; i < count; i++)
	{
		const Candidate *candidate = &ranked[i].candidate;
		const Worker *worker = &fleet->workers[candidate->worker];
		const Device *device = &fleet->devices[ranked[i].device];
		const DeviceProfile *profile = &fleet->profiles[device->profile];
		Candidate shown = {
			.worker = candidate->worker, .ndevices = 1, .devices = &ranked[i].device};
		Datum values[20];
		bool nulls[20] = {0};
		EnergyUse use = device_use(search, kind, candidate->worker, ranked[i].device,
								   snapshot.items[0].expected_seconds, snapshot.items[0].subject);
		const char *why =
			waits != NULL ? waits : avoids_for(&snapshot.items[0], fleet, candidate->worker);
		int c = 0;

		values[c++] = CStringGetTextDatum(worker->worker_id);
		values[c++] = Int32GetDatum(device->device_no);
		values[c++] = Int32GetDatum(i + 1);
		values[c++] = CStringGetTextDatum(profile->hardware_class);
		nulls[c] = profile->model_name == NULL;
		values[c++] = profile->model_name ? CStringGetTextDatum(profile->model_name) : (Datum) 0;
		values[c++] = Float8GetDatum(clamp01(candidate->raw_efficiency));
		values[c++] = Float8GetDatum(candidate->raw_efficiency);
		values[c++] = Float8GetDatum(device->load);
		values[c++] = Float8GetDatum(device->effective_load);
		values[c++] = Float8GetDatum(device->performance_level);
		values[c++] = Float8GetDatum(device->temperature);
		values[c++] = Float8GetDatum(kind->preference ? kind->preference[candidate->worker] : 0.5);
		values[c++] = Float8GetDatum(candidate->adjusted_efficiency);
		nulls[c] = ranked[i].reason != FITS;
		values[c] = Float8GetDatum(nulls[c] ? 0 : ranked[i].score);
		c++;
		values[c++] = Float8GetDatum(candidate_seconds(
			search, kind, &shown, snapshot.items[0].expected_seconds, snapshot.items[0].subject));
		nulls[c] = ranked[i].reason == FITS && why == NULL;
		values[c++] = CStringGetTextDatum(
			ranked[i].reason == FITS && why != NULL ? why : filter_reason_text(ranked[i].reason));
		nulls[c] = ranked[i].reason != FITS;
		values[c] = nulls[c] ?
						(Datum) 0 :
						scores_by_algorithm(&snapshot.policies, kind->policy, ranked[i].parts);
		c++;
		values[c++] = Float8GetDatum(use.joules);
		values[c++] = Float8GetDatum(use.money);
		values[c++] = Float8GetDatum(device_heat_factor(kind, device));
		Assert(c == lengthof(values));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	call_end(&caller);
	return (Datum) 0;
}

/* --- the queue --- */

/*
 * Returns whether what no worker has for a kind of work some do have, if nothing else
 * is asked of them: then what is missing is both in one worker.
 */
static bool
lacks_both(Search *search, const WorkKind *kind, FilterReason reason)
{
	WorkKind only = *kind; /* that asks for nothing but what the check is about */
	Demand *demand = &only.demand;

	if ((reason != FILTERED_SOFTWARE && reason != FILTERED_CPU_CORES &&
		 reason != FILTERED_HOST_MEMORY) ||
		is_gang(kind))
		return false;
	kind_begin(search, &only);
	memset(&only.profile.required_backends, 0, sizeof(NameSet));
	memset(&only.profile.required_models, 0, sizeof(NameSet));
	memset(&only.profile.required_precisions, 0, sizeof(NameSet));
	memset(&only.profile.required_features, 0, sizeof(NameSet));
	only.profile.min_compute_units = 0;
	demand->avoid_class = NULL;
	if (reason != FILTERED_SOFTWARE)
		demand->software.count = 0;
	if (reason != FILTERED_CPU_CORES)
		demand->cpu_millicores = 0;
	/* devices draw on their worker's memory, each for itself */
	if (reason != FILTERED_HOST_MEMORY)
	{
		only.profile.min_memory_bytes = demand->host_memory_bytes = 0;
		demand->accelerators.count = 0;
		demand->share = 0;
	}
	return search_filter_reason(search, &only) > FILTERED_NEVER;
}

/* Returns why a kind of work is not placed: in a pool that is paused, whatever fits is not. */
static FilterReason
unless_paused(const PoolSettings *settings, FilterReason reason)
{
	return settings->paused && reason > FILTERED_NEVER ? FILTERED_PAUSED : reason;
}

/* Takes workers with a maintenance window ahead out of the search, or puts them back. */
static void
cordon_windows(Search *search, bool cordoned)
{
	for (int w = 0; w < search->fleet->nworkers; w++)
		if (search->fleet->workers[w].window_in < INFINITY)
			search->fleet->workers[w].cordoned = cordoned;
}

/* Returns the time that it is in some seconds as text, to the second. */
static const char *
text_of_time(double seconds)
{
	TimestampTz time =
		GetCurrentTransactionStartTimestamp() + (TimestampTz) (seconds * USECS_PER_SEC);

	return TextDatumGetCString(DirectFunctionCall2(timestamptz_to_char, TimestampTzGetDatum(time),
												   CStringGetTextDatum("YYYY-MM-DD HH24:MI:SSOF")));
}

/* Returns in words for whom, and until when, places are reserved; NULL: for nobody. */
static const char *
reserved_text(const Search *search)
{
	const Reservation *first = search->nreservations > 0 ? &search->reservations[0] : NULL;

	if (first == NULL)
		return NULL;
	if (isinf(first->starts_in))
		return psprintf("its place is reserved for workload \"%s\"", first->workload_id);
	return psprintf("its place is reserved for workload \"%s\", which can start there at %s",
					first->workload_id, text_of_time(first->starts_in));
}

/* Returns in words what a tenant has of its quota, where that keeps a kind of work waiting. */
static const char *
quota_text(const Search *search, const WorkKind *kind)
{
	const Tenant *tenant = tenant_of(search, kind);
	const char *name =
		tenant->name[0] == '\0' ? "no tenant" : psprintf("tenant \"%s\"", tenant->name);

	if (tenant->workloads + 1 > tenant->most_workloads)
		return psprintf("quota of %s: %.15g of %.15g workloads", name, tenant->workloads,
						tenant->most_workloads);
	if (tenant->accelerators + demanded_accelerators(kind) > tenant->most_accelerators + 1e-9)
		return psprintf("quota of %s: %.15g of %.15g accelerators", name, tenant->accelerators,
						tenant->most_accelerators);
	return psprintf("quota of %s: %.15g of %.15g cpu_cores", name, tenant->cores,
					tenant->most_cores);
}

/* What is refused for a reason, in numbers: how much is asked for, and the most that there is. */
typedef struct Shortage
{
	const Check *check; /* NULL: it has no numbers */
	bool never;
	double least_needed;
	double most_needed;
	double available; /* at the place that has the most */
	double total;
	const char *place; /* the worker of it */
	const char *wanted; /* where words say it; NULL: none */
} Shortage;

/* Why the kinds of work that may be placed are refused. */
typedef struct KindReasons
{
	int count;
	int64 *profiles; /* in order */
	int64 *workloads; /* of each */
	int64 *positions; /* in the queue, of the first of each */
	FilterReason *reasons;
	const char **quotas; /* of which tenant, and how much of it, is used up; NULL: none */
	bool *lack_both; /* whether what is missing is so only together with all else */
	Shortage *shortages;
	const char *reserved; /* for whom places are, in words; NULL: for nobody */
	const char *reserved_for; /* the first workload for which they are */
} KindReasons;

/* Takes a refusal into account of a place that is as close to fitting as any. */
static void
note_refusal(Shortage *shortage, const Refusal *refusal, const char *worker_id)
{
	double most = refusal->never ? refusal->total : refusal->available;

	if (isnan(refusal->needed) || refusal->check->holder == NULL)
	{
		if (shortage->check == NULL && shortage->wanted == NULL)
			shortage->wanted = refusal->wanted;
		return;
	}
	if (shortage->check == NULL)
		*shortage = (Shortage){.check = refusal->check,
							   .never = refusal->never,
							   .least_needed = refusal->needed,
							   .most_needed = refusal->needed,
							   .available = -1};
	if (shortage->check != refusal->check ||
		most <= (shortage->never ? shortage->total : shortage->available))
		return;
	shortage->available = refusal->available;
	shortage->total = refusal->total;
	shortage->place = worker_id;
}

/* Finds what a kind of work lacks on the workers that are closest to taking it. */
static Shortage
find_shortage(PoolSnapshot *snapshot, WorkKind *kind, FilterReason reason)
{
	static const QueueItem nobody;
	const Fleet *fleet = &snapshot->fleet;
	Shortage shortage = {.total = -1};
	Place place = {snapshot, kind, &nobody};
	Candidate candidate;
	Refusal refusal;

	if (reason == FILTERED_NO_WORKER || reason >= FITS || reason == FILTERED_WORKERS)
		return shortage;
	for (place.worker = 0; place.worker < fleet->nworkers; place.worker++)
	{
		const Worker *worker = &fleet->workers[place.worker];

		CHECK_FOR_INTERRUPTS();
		if (search_candidate(&snapshot->search, kind, place.worker, &candidate) != reason)
			continue;
		for (place.device = worker->first_device;
			 place.device < worker->first_device + worker->ndevices; place.device++)
			if (refusal_of_reason(&place, reason, &refusal))
				note_refusal(&shortage, &refusal, worker->worker_id);
	}
	return shortage;
}

/* Returns a shortage in words, as "needs 200 GB, the largest device has 64 (gpu-1)", or NULL. */
static const char *
shortage_text(const Shortage *shortage)
{
	const Check *check = shortage->check;
	const char *needed;

	if (check == NULL || shortage->place == NULL)
		return shortage->wanted;
	needed = amount_text(shortage->most_needed, check->unit);
	if (shortage->least_needed < shortage->most_needed)
		needed = psprintf("%s to %s", number_text(shortage->least_needed), needed);
	if (shortage->never)
		return psprintf("needs %s, %s has %s (%s)", needed, check->holder,
						number_text(shortage->total), shortage->place);
	return psprintf("needs %s, at most %s free of %s (%s)", needed,
					number_text(shortage->available), number_text(shortage->total),
					shortage->place);
}

/* Returns whether two kinds of work lack the same, whatever amounts of it. */
static bool
same_shortage(const Shortage *a, const Shortage *b)
{
	return a->check == b->check && a->never == b->never &&
		   (a->wanted == b->wanted ||
			(a->wanted != NULL && b->wanted != NULL && strcmp(a->wanted, b->wanted) == 0));
}

/* Adds to a shortage what another kind of work lacks of the same. */
static void
add_shortage(Shortage *sum, const Shortage *shortage)
{
	sum->least_needed = Min(sum->least_needed, shortage->least_needed);
	sum->most_needed = Max(sum->most_needed, shortage->most_needed);
	if (shortage->never ? shortage->total > sum->total : shortage->available > sum->available)
	{
		sum->available = shortage->available;
		sum->total = shortage->total;
		sum->place = shortage->place;
	}
}

/*
 * Returns a refusal in words, of what is missing together with all else or by itself; reserved
 * says for whom places are.
 */
static const char *
pending_reason_text(FilterReason reason, bool both, const Shortage *shortage, const char *reserved)
{
	const char *text = filter_reason_text(reason);
	const char *numbers = shortage == NULL ? NULL : shortage_text(shortage);

	if (reason == FILTERED_RESERVED && reserved != NULL)
		return reserved;
	if (both)
		return psprintf("%s and all else that it needs", text);
	return numbers == NULL ? text : psprintf("%s: %s", text, numbers);
}

/*
 * Finds why each kind of work in the queue, of those in a scope, is refused that waits for nothing
 * else.
 */
static KindReasons
explain_kinds(const Scope *scope, const char *pool)
{
	static SpiPlan statement = {"SELECT q.profile_id, count(*), min(q.position) FROM " QUEUE_SQL
								" q WHERE q.reason IS NULL"
								" GROUP BY q.profile_id ORDER BY q.profile_id",
								{TEXTOID, FLOAT8OID, TEXTARRAYOID},
								IN_SETS};
	PoolSnapshot snapshot;
	Search *search = &snapshot.search;
	bool windows = has_windows(pool, true);
	int n;
	KindReasons kinds;

	snapshot_settings(&snapshot, pool, true);
	n = (int) spi_plan_run(&statement, true, TEXT_VALUE(pool),
						   VALUE(Float8GetDatum(snapshot.settings.ageing)), scope_tenants(scope));
	kinds = (KindReasons){.count = n,
						  .profiles = palloc(sizeof(int64) * (n + 1)),
						  .workloads = palloc(sizeof(int64) * (n + 1)),
						  .positions = palloc(sizeof(int64) * (n + 1)),
						  .reasons = palloc(sizeof(FilterReason) * (n + 1)),
						  .quotas = palloc0(sizeof(char *) * (n + 1)),
						  .lack_both = palloc(sizeof(bool) * (n + 1)),
						  .shortages = palloc0(sizeof(Shortage) * (n + 1))};
	for (int i = 0; i < n; i++)
	{
		kinds.profiles[i] = column_bigint(i, 1);
		kinds.workloads[i] = column_bigint(i, 2);
		kinds.positions[i] = column_bigint(i, 3);
	}
	if (n > 0)
	{
		snapshot_profiles(&snapshot, pool, kinds.profiles, n, true);
		snapshot_fleet(&snapshot, pool, NULL, true);
		load_reservations(&snapshot, pool, true);
		load_absences(&snapshot, pool);
		/* who sees some work only is not told whose else there is */
		kinds.reserved = search->nreservations == 0 ? NULL :
						 scope->all					? reserved_text(search) :
													  filter_reason_text(FILTERED_RESERVED);
		if (search->nreservations > 0)
			kinds.reserved_for = search->reservations[0].workload_id;
	}
	for (int i = 0; i < n; i++)
	{
		WorkKind *kind = &search->kinds[i];

		Assert(kind->profile_id == kinds.profiles[i]);
		kinds.reasons[i] = unless_paused(&snapshot.settings, search_filter_reason(search, kind));
		kinds.lack_both[i] =
			kinds.reasons[i] <= FILTERED_NEVER && lacks_both(search, kind, kinds.reasons[i]);
		kinds.shortages[i] = find_shortage(&snapshot, kind, kinds.reasons[i]);
		if (kinds.reasons[i] == FITS && windows)
		{
			cordon_windows(search, true);
			if (search_filter_reason(search, kind) != FITS)
				kinds.reasons[i] = FILTERED_WINDOW;
			cordon_windows(search, false);
		}
		if (kinds.reasons[i] == FITS && kind->demand.group_apart)
			kinds.reasons[i] = FILTERED_GROUP;
		if (kinds.reasons[i] > FILTERED_NEVER && kinds.reasons[i] != FILTERED_PAUSED &&
			quota_is_met(search, kind))
		{
			kinds.reasons[i] = FILTERED_QUOTA;
			kinds.quotas[i] = quota_text(search, kind);
		}
		if (kinds.reasons[i] != FITS || kinds.reserved == NULL)
			continue;
		/* whether it stands behind, each workload of the kind may tell for itself */
		reservations_book(search, NULL, PG_INT32_MAX);
		if (search_filter_reason(search, kind) != FITS)
			kinds.reasons[i] = FILTERED_RESERVED;
		reservations_give_back(search);
	}
	return kinds;
}

/* A row of explain_pending(): kinds of work that lack the same. */
typedef struct PendingReason
{
	int first; /* of the kinds */
	const char *quota; /* NULL: none */
	Shortage shortage; /* of all together */
	int64 workloads;
	int64 position;
	int nprofiles;
	Datum *profiles;
} PendingReason;

/* Returns whether a kind of work belongs into a row. */
static bool
is_alike(const KindReasons *kinds, int kind, const PendingReason *row)
{
	return kinds->reasons[kind] == kinds->reasons[row->first] &&
		   kinds->lack_both[kind] == kinds->lack_both[row->first] &&
		   (row->quota == NULL || strcmp(kinds->quotas[kind], row->quota) == 0) &&
		   same_shortage(&kinds->shortages[kind], &row->shortage);
}

/* Sums up the kinds of work by what they lack; returns the number of rows. */
static int
sum_up(const KindReasons *kinds, PendingReason **rows)
{
	int n = 0;

	*rows = palloc(sizeof(PendingReason) * (kinds->count + 1));
	for (int i = 0; i < kinds->count; i++)
	{
		PendingReason *row;
		int r = 0;

		CHECK_FOR_INTERRUPTS();
		while (r < n && !is_alike(kinds, i, &(*rows)[r]))
			r++;
		row = &(*rows)[r];
		if (r == n)
		{
			*row = (PendingReason){i, kinds->quotas[i], kinds->shortages[i], 0, PG_INT64_MAX};
			row->profiles = palloc(sizeof(Datum));
			n++;
		}
		else if ((row->nprofiles & (row->nprofiles - 1)) == 0)
			row->profiles = repalloc(row->profiles, sizeof(Datum) * row->nprofiles * 2);
		add_shortage(&row->shortage, &kinds->shortages[i]);
		row->workloads += kinds->workloads[i];
		row->position = Min(row->position, kinds->positions[i]);
		row->profiles[row->nprofiles++] = Int64GetDatum(kinds->profiles[i]);
	}
	return n;
}

static const KindReasons *sorting;

/* What never fits comes first, and what lacks something by itself before what lacks all at once. */
static int
compare_reasons(const void *a, const void *b)
{
	int x = ((const PendingReason *) a)->first;
	int y = ((const PendingReason *) b)->first;

	if (sorting->reasons[x] != sorting->reasons[y])
		return (int) sorting->reasons[x] - (int) sorting->reasons[y];
	if (sorting->lack_both[x] != sorting->lack_both[y])
		return sorting->lack_both[x] - sorting->lack_both[y];
	return x - y;
}

/* explain_pending(pool text) RETURNS TABLE (reason, workloads, first_position, ...) */
Datum
hwsched_explain_pending(PG_FUNCTION_ARGS)
{
	static SpiPlan waiting = {"SELECT q.reason, count(*), min(q.position),"
							  " array_agg(DISTINCT q.profile_id ORDER BY q.profile_id), false"
							  " FROM " QUEUE_SQL " q WHERE q.reason IS NOT NULL"
							  " GROUP BY q.reason ORDER BY q.reason COLLATE \"C\"",
							  {TEXTOID, FLOAT8OID, TEXTARRAYOID},
							  IN_SETS};
	char *pool = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PoolSettings settings;
	KindReasons kinds;
	PendingReason *rows;
	int n;
	Caller caller;
	Scope scope;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	scope = authz_seen(&caller, pool);
	pool_settings_load(pool, true, &settings);
	kinds = explain_kinds(&scope, pool);
	n = sum_up(&kinds, &rows);
	sorting = &kinds;
	qsort(rows, n, sizeof(PendingReason), compare_reasons);
	for (int r = 0; r < n; r++)
	{
		const PendingReason *row = &rows[r];
		Datum values[5];
		bool nulls[5] = {0};

		values[0] = CStringGetTextDatum(row->quota != NULL ?
											row->quota :
											pending_reason_text(kinds.reasons[row->first],
																kinds.lack_both[row->first],
																&row->shortage, kinds.reserved));
		values[1] = Int64GetDatum(row->workloads);
		values[2] = Int64GetDatum(row->position);
		values[3] = array_value(INT8OID, row->profiles, NULL, row->nprofiles).value;
		values[4] = BoolGetDatum(true);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	if (spi_plan_run(&waiting, true, TEXT_VALUE(pool), VALUE(Float8GetDatum(settings.ageing)),
					 scope_tenants(&scope)) > 0)
		return_rows(fcinfo);
	call_end(&caller);
	return (Datum) 0;
}

/* Rows of the queue that are on their way to the caller. */
typedef struct QueueRows
{
	ReturnSetInfo *result;
	KindReasons kinds;
} QueueRows;

static int
compare_profiles(const void *a, const void *b)
{
	int64 x = *(const int64 *) a;
	int64 y = *(const int64 *) b;

	return (x > y) - (x < y);
}

#define QUEUE_ROW_COLUMNS 14
#define QUEUE_ROW_PROFILE 1
#define QUEUE_ROW_REASON 12
#define QUEUE_ROW_ALONE 14 /* is not passed on */

/* Passes a row on; what waits for nothing else has the reason of its kind. */
static bool
pass_queue_row(void *to, const Row *row)
{
	QueueRows *rows = to;
	Datum values[QUEUE_ROW_COLUMNS];
	bool nulls[QUEUE_ROW_COLUMNS];

	memcpy(values, row->values, sizeof(values));
	memcpy(nulls, row->nulls, sizeof(nulls));
	if (nulls[QUEUE_ROW_REASON])
	{
		int64 profile_id = DatumGetInt64(values[QUEUE_ROW_PROFILE]);
		const int64 *found = bsearch(&profile_id, rows->kinds.profiles, rows->kinds.count,
									 sizeof(int64), compare_profiles);
		int64 kind = found == NULL ? 0 : found - rows->kinds.profiles;
		FilterReason reason = found == NULL ? FITS : rows->kinds.reasons[kind];

		/* from itself nothing is kept */
		if (reason == FILTERED_RESERVED &&
			strcmp(TextDatumGetCString(values[0]), rows->kinds.reserved_for) == 0)
			reason = FITS;

		values[QUEUE_ROW_REASON] = CStringGetTextDatum(
			reason == FITS && DatumGetBool(row->values[QUEUE_ROW_ALONE]) ?
				"runs alone: waits for a worker that has nothing else" :
			found && rows->kinds.quotas[kind] != NULL ?
				rows->kinds.quotas[kind] :
				pending_reason_text(reason, found && rows->kinds.lack_both[kind],
									reason == FITS ? NULL : &rows->kinds.shortages[kind],
									rows->kinds.reserved));
		nulls[QUEUE_ROW_REASON] = false;
	}
	tuplestore_putvalues(rows->result->setResult, rows->result->setDesc, values, nulls);
	return true;
}

/* queue_reasons(pool text) RETURNS TABLE */
Datum
hwsched_queue_reasons(PG_FUNCTION_ARGS)
{
	static SpiPlan statement = {
		"SELECT p.workload_id, p.profile_id, p.priority, w.workload_type,"
		"  nullif(p.deadline, 'infinity'), p.queue_no, p.attempt, p.submitted_at,"
		"  p.expected_seconds,"
		"  CASE WHEN p.ready_at > now() AND p.ready_at < 'infinity' THEN p.ready_at END,"
		"  p.aged_priority, p.reason IS NULL, p.reason, p.position, p.alone"
		" FROM " QUEUE_SQL " p"
		" JOIN hwsched.workload_profile w ON w.pool = $1 AND w.profile_id = p.profile_id",
		{TEXTOID, FLOAT8OID, TEXTARRAYOID},
		IN_SETS};
	char *pool = text_to_cstring(PG_GETARG_TEXT_PP(0));
	QueueRows rows = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	PoolSettings settings;
	Caller caller;
	Scope scope;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	scope = authz_seen(&caller, pool);
	pool_settings_load(pool, true, &settings);
	rows.kinds = explain_kinds(&scope, pool);
	spi_plan_each(&statement, true, pass_queue_row, &rows, TEXT_VALUE(pool),
				  VALUE(Float8GetDatum(settings.ageing)), scope_tenants(&scope));
	call_end(&caller);
	return (Datum) 0;
}
