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
#include "document/jsonb_writer.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/order.h"
#include "place/reservation.h"
#include "place/search_hardware.h"
#include "place/search_policy.h"
#include "place/spare.h"
#include "snapshot/policy_context.h"
#include "snapshot/fleet.h"
#include "snapshot/queue.h"
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

typedef struct Ranked
{
	Candidate candidate;
	FilterReason reason;
	int device;
	double score; /* of those that fit */
	int turn; /* of those that fit, before their score counts: see place/spare.h */
	double *parts; /* by algorithm of the policy */
} Ranked;

static Search *ranking;

/* What fits comes first, as the policy ranks it; then the rest by what it is worth. */
static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *x = a;
	const Ranked *y = b;
	int order;

	if ((x->reason == FITS) != (y->reason == FITS))
		return x->reason == FITS ? -1 : 1;
	if (x->reason == FITS && x->turn != y->turn)
		return x->turn - y->turn;
	if (x->reason == FITS)
		return scored_before(ranking, &ranking->kinds[0], x->device, x->score, y->device,
							 y->score) ?
				   -1 :
				   1;
	order = candidate_compare(ranking, &x->candidate, &y->candidate);
	if (order != 0)
		return order;
	return device_before(ranking, &ranking->kinds[0], x->device, y->device) ? -1 : 1;
}

/*
 * Finds how a device would take the only kind of work, and what keeps it from that: also that
 * its place is reserved for who stands before items[0].
 */
static FilterReason
look_at_device(Search *search, const QueueItem *items, int worker, int device, Candidate *candidate)
{
	WorkKind *kind = &search->kinds[0];
	FilterReason reason = search_device(search, kind, worker, device, candidate);

	if (reason != FITS || !search->fleet->workers[worker].reserved)
		return reason;
	reservations_book(search, items, 0);
	if (search_device(search, kind, worker, device, candidate) != FITS)
		reason = FILTERED_RESERVED;
	reservations_give_back(search);
	(void) search_device(search, kind, worker, device, candidate);
	return reason;
}

/* Ranks the devices for the only kind of work, those that it may have some day. */
static int
rank_devices(Search *search, const QueueItem *items, Ranked *ranked)
{
	const Fleet *fleet = search->fleet;
	WorkKind *kind = &search->kinds[0];
	int nparts = kind->policy->nparts;
	Candidate *candidates =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Candidate) * (fleet->ndevices + 1));
	double *scores =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * (fleet->ndevices + 1));
	double *parts = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(double) * (fleet->ndevices + 1) * nparts);
	double best_cpu = NAN;
	int accelerator = -1; /* the best of them */
	int count = 0;
	int nfit = 0;

	for (int w = 0; w < fleet->nworkers; w++)
		for (int d = fleet->workers[w].first_device;
			 d < fleet->workers[w].first_device + fleet->workers[w].ndevices; d++)
		{
			Ranked *row = &ranked[count];

			CHECK_FOR_INTERRUPTS();
			row->device = d;
			row->reason = look_at_device(search, items, w, d, &row->candidate);
			/* what would never take it is not compatible; what is busy is */
			if (row->reason <= FILTERED_NEVER)
				continue;
			count++;
			if (row->reason != FITS)
				continue;
			candidates[nfit] = row->candidate;
			candidates[nfit++].devices = &row->device;
		}
	score_candidates(search, kind, candidates, nfit, scores, parts);
	nfit = 0;
	for (int i = 0; i < count; i++)
		if (ranked[i].reason == FITS)
		{
			ranked[i].score = scores[nfit];
			ranked[i].parts = &parts[nfit++ * nparts];
			if (fleet->devices[ranked[i].device].sparing > 0)
				best_cpu = Max(best_cpu, ranked[i].score);
			else if (accelerator < 0 ||
					 scored_before(search, kind, ranked[i].device, ranked[i].score,
								   ranked[accelerator].device, ranked[accelerator].score))
				accelerator = i;
		}
	for (int i = 0; i < count; i++)
		ranked[i].turn =
			ranked[i].reason == FITS && spares_accelerators(search, kind) ?
				spare_turn(search->settings.spare_accelerators, &fleet->devices[ranked[i].device],
						   ranked[i].score, best_cpu,
						   accelerator < 0 ? -1 :
											 fleet->devices[ranked[accelerator].device].profile) :
				0;
	ranking = search;
	qsort(ranked, count, sizeof(Ranked), compare_ranked);
	return count;
}

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
 * What the queue of the pool $1 waits for of its concurrency keys, as SQL, for who sees the
 * work of tenants (NULL: all work).
 */
#define KEY_REASONS_SQL(tenants) \
	"SELECT DISTINCT ON (k.queue_no) k.queue_no, CASE" \
	"   WHEN k.units > u.concurrent_limit THEN" \
	"    format('needs %s of its concurrency_key \"%s\", whose limit is %s'," \
	"     k.units, u.key, u.concurrent_limit)" \
	"   WHEN u.concurrent_limit = 1 AND u.in_use > 0 THEN" \
	"    format('waits for its concurrency_key \"%s\", which %s has', u.key," \
	"     CASE WHEN " tenants " IS NULL THEN format('workload \"%s\"', u.held_by)" \
	"      ELSE 'other work' END)" \
	"   WHEN u.in_use + k.units > u.concurrent_limit THEN" \
	"    format('waits for %s of its concurrency_key \"%s\": %s of %s are in use'," \
	"     k.units, u.key, u.in_use, u.concurrent_limit)" \
	"   ELSE format('waits for its concurrency_key \"%s\": placed %s times in a minute," \
	" limit %s'," \
	"     u.key, u.used_last_minute, u.per_minute_limit)" \
	"   END AS reason" \
	"  FROM (SELECT q.queue_no, e.key, e.units FROM hwsched.pending q" \
	"    CROSS JOIN LATERAL unnest(q.concurrency_keys, q.concurrency_units) e(key, units)" \
	"    WHERE q.pool = $1 AND q.concurrency_keys IS NOT NULL) k" \
	"  JOIN hwsched.limit_usage u ON u.pool = $1 AND u.key = k.key" \
	"  WHERE k.units + u.in_use > u.concurrent_limit OR u.used_last_minute >= u.per_minute_limit" \
	"  ORDER BY k.queue_no, k.key"

/*
 * The queue of the pool $1, or the row of the workload $2, as SQL, as far as it is of
 * tenants (NULL: all of it); reason says
 * what a workload has to wait for whatever room there is, and is NULL for what
 * may be placed: the rule of MAY_BE_PLACED, which looks at one row, for a queue.
 * Each parent and each key is looked at once, however many wait.
 */
#define QUEUE_SQL(tenants) \
	"(SELECT p.*, CASE" \
	"   WHEN p.expires_at <= now() THEN format('expired at %s', p.expires_at)" \
	"   WHEN o.depends_on IS NOT NULL THEN format('waits for workload \"%s\", which is %s%s'," \
	"    o.depends_on, coalesce(o.state::text, 'not known any more')," \
	"    CASE o.state WHEN 'dead' THEN ': retry_dead() or submitting that again lets it go on'" \
	"     WHEN 'cancelled' THEN ': submitting that again lets it go on' END)" \
	"   WHEN p.run_at > now() THEN format('not before %s', p.run_at)" \
	"   WHEN p.ready_at > now() AND p.ready_at < 'infinity' THEN 'waits for its retry'" \
	"   ELSE h.reason" \
	"   END AS reason" \
	"  FROM hwsched.pending p" \
	"  LEFT JOIN (SELECT DISTINCT ON (d.workload_id) d.workload_id, d.depends_on, s.state" \
	"    FROM hwsched.dependency d LEFT JOIN hwsched.workload s" \
	"     ON s.pool = $1 AND s.workload_id = d.depends_on" \
	"    WHERE d.pool = $1 AND s.state IS DISTINCT FROM 'completed'" \
	"    ORDER BY d.workload_id, s.state DESC, d.depends_on) o" \
	"   ON p.ready_at = 'infinity' AND o.workload_id = p.workload_id" \
	"  LEFT JOIN (" KEY_REASONS_SQL( \
		tenants) ") h ON h.queue_no = p.queue_no" \
				 "  WHERE p.pool = $1 AND ($2 IS NULL OR p.workload_id = $2)" \
				 "   AND (" tenants " IS NULL OR EXISTS (SELECT FROM hwsched.workload_profile t" \
				 "    WHERE t.pool = $1 AND t.profile_id = p.profile_id AND t.tenant = ANY (" tenants \
				 "))))"

/* Returns what a workload has to wait for whatever room there is, or NULL. */
static const char *
waits_for(const Scope *scope, const char *pool, const char *workload_id)
{
	static SpiPlan statement = {
		"SELECT q.reason FROM " QUEUE_SQL("$3") " q", {TEXTOID, TEXTOID, TEXTARRAYOID}, IN_SETS};

	return spi_plan_run(&statement, true, TEXT_VALUE(pool), TEXT_VALUE(workload_id),
						scope_tenants(scope)) == 0 ?
			   NULL :
			   column_text(0, 1);
}

/* Returns whether a workload, which has not failed, avoids a worker: for its maintenance window. */
static bool
avoids(const QueueItem *item, int worker)
{
	for (int i = 0; i < item->navoided; i++)
		if (item->avoided[i] == worker)
			return true;
	return false;
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
	kind = &search->kinds[0];
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
		const char *why = waits != NULL ? waits :
						  avoids(&snapshot.items[0], candidate->worker) ?
										  "would reach into the maintenance window of its worker" :
										  NULL;
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

/*
 * Returns a refusal in words, of what is missing together with all else or by itself; reserved
 * says for whom places are.
 */
static const char *
pending_reason_text(FilterReason reason, bool both, const char *reserved)
{
	if (reason == FILTERED_RESERVED && reserved != NULL)
		return reserved;
	return both ? psprintf("%s and all else that it needs", filter_reason_text(reason)) :
				  filter_reason_text(reason);
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

/* Why the kinds of work that may be placed are refused. */
typedef struct KindReasons
{
	int count;
	int64 *profiles; /* in order */
	int64 *workloads; /* of each */
	FilterReason *reasons;
	const char **quotas; /* of which tenant, and how much of it, is used up; NULL: none */
	bool *lack_both; /* whether what is missing is so only together with all else */
	const char *reserved; /* for whom places are, in words; NULL: for nobody */
	const char *reserved_for; /* the first workload for which they are */
} KindReasons;

/*
 * Finds why each kind of work in the queue, of those in a scope, is refused that waits for
 * nothing else.
 */
static KindReasons
explain_kinds(const Scope *scope, const char *pool)
{
	static SpiPlan statement = {"SELECT q.profile_id, count(*) FROM " QUEUE_SQL(
									"$3") " q WHERE q.reason IS NULL"
										  " GROUP BY q.profile_id ORDER BY q.profile_id",
								{TEXTOID, TEXTOID, TEXTARRAYOID},
								IN_SETS};
	PoolSnapshot snapshot;
	Search *search = &snapshot.search;
	bool windows = has_windows(pool, true);
	int n;
	KindReasons kinds;

	snapshot_settings(&snapshot, pool, true);
	n = (int) spi_plan_run(&statement, true, TEXT_VALUE(pool), NULL_VALUE, scope_tenants(scope));
	kinds = (KindReasons){n,
						  palloc(sizeof(int64) * (n + 1)),
						  palloc(sizeof(int64) * (n + 1)),
						  palloc(sizeof(FilterReason) * (n + 1)),
						  palloc0(sizeof(char *) * (n + 1)),
						  palloc(sizeof(bool) * (n + 1)),
						  NULL,
						  NULL};
	for (int i = 0; i < n; i++)
	{
		kinds.profiles[i] = column_bigint(i, 1);
		kinds.workloads[i] = column_bigint(i, 2);
	}
	if (n > 0)
	{
		snapshot_profiles(&snapshot, pool, kinds.profiles, n, true);
		snapshot_fleet(&snapshot, pool, NULL, true);
		load_reservations(&snapshot, pool, true);
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

/* explain_pending(pool text) RETURNS TABLE (reason, workloads, profile_ids, ready) */
Datum
hwsched_explain_pending(PG_FUNCTION_ARGS)
{
	static SpiPlan waiting = {
		"SELECT q.reason, count(*), array_agg(DISTINCT q.profile_id ORDER BY q.profile_id), false"
		" FROM " QUEUE_SQL("$3") " q WHERE q.reason IS NOT NULL"
								 " GROUP BY q.reason ORDER BY q.reason COLLATE \"C\"",
		{TEXTOID, TEXTOID, TEXTARRAYOID},
		IN_SETS};
	char *pool = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	KindReasons kinds;
	Datum *profile_ids;
	Caller caller;
	Scope scope;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	scope = authz_seen(&caller, pool);
	kinds = explain_kinds(&scope, pool);
	profile_ids = palloc(sizeof(Datum) * (kinds.count + 1));
	for (int row = 2 * FILTERED_NO_WORKER; row <= 2 * FILTERED_QUOTA; row++)
	{
		FilterReason reason = (FilterReason) (row / 2);
		bool both = row % 2 == 1;
		Datum values[4];
		bool nulls[4] = {0};
		const char *quota = NULL;
		int64 workloads = 0;
		int nprofiles = 0;

		for (int i = 0; i < kinds.count; i++)
			if (kinds.reasons[i] == reason && kinds.lack_both[i] == both &&
				(quota == NULL || strcmp(quota, kinds.quotas[i]) == 0))
			{
				/* each quota has a row */
				if (reason == FILTERED_QUOTA)
				{
					quota = kinds.quotas[i];
					kinds.lack_both[i] = true;
				}
				workloads += kinds.workloads[i];
				profile_ids[nprofiles++] = Int64GetDatum(kinds.profiles[i]);
			}
		if (nprofiles == 0)
			continue;
		values[0] = CStringGetTextDatum(
			quota != NULL ? quota : pending_reason_text(reason, both, kinds.reserved));
		values[1] = Int64GetDatum(workloads);
		values[2] = array_value(INT8OID, profile_ids, NULL, nprofiles).value;
		values[3] = BoolGetDatum(true);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		if (quota != NULL)
			row--;
	}
	if (spi_plan_run(&waiting, true, TEXT_VALUE(pool), NULL_VALUE, scope_tenants(&scope)) > 0)
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

#define QUEUE_ROW_COLUMNS 13
#define QUEUE_ROW_PROFILE 1
#define QUEUE_ROW_REASON 12
#define QUEUE_ROW_ALONE 13 /* is not passed on */

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
		"  " AGED_PRIORITY(
			"$4") ", p.reason IS NULL, p.reason, p.alone"
				  " FROM " QUEUE_SQL(
					  "$3") " p"
							" JOIN hwsched.workload_profile w ON w.pool = $1 AND w.profile_id = p.profile_id",
		{TEXTOID, TEXTOID, TEXTARRAYOID, FLOAT8OID},
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
	spi_plan_each(&statement, true, pass_queue_row, &rows, TEXT_VALUE(pool), NULL_VALUE,
				  scope_tenants(&scope), VALUE(Float8GetDatum(settings.ageing)));
	call_end(&caller);
	return (Datum) 0;
}
