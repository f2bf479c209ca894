/*
 * scaling.c
 *		Which workers a fleet lacks, and which it could spare.
 *
 * A simulation tells which work would wait longer than the setting wait_target, and which workers
 * would have nothing to do.  What is late is packed into workers of the types that there are, at
 * the least cost (place/bin_packing.c): as the decision itself would use an idle one of each, with
 * as many turns, one after the other, as begin before the target.  What waits for something that
 * no worker gives is left out: concurrency keys, quotas, other work.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "document/as_asked.h"
#include "document/json.h"
#include "place/bin_packing.h"
#include "place/booking.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/greedy.h"
#include "place/order.h"
#include "simulate/scaling.h"
#include "simulate/simulation.h"

/* So many types of worker are considered. */
#define MOST_TYPES 40

/* So many of a type are named. */
#define MOST_NAMED 5

/* What a worker has beside its groups of alike devices. */
enum
{
	DIM_CPU,
	DIM_MEMORY,
	DIM_CONCURRENT,
	HOST_DIMS
};

/* Workers that are alike. */
typedef struct WorkerType
{
	Jsonb *capabilities;
	double cost; /* per hour; NAN: not known */
	StringInfoData off; /* names of those that are there, and offline or drained */
	int64 noff;
	StringInfoData idle; /* names of those that could be spared, or how many there are */
	int64 nidle;
} WorkerType;

/* Some late arrivals that are alike. */
typedef struct Late
{
	int32 arrival; /* the first of them */
	int32 count; /* members of gangs count each */
	int32 workers; /* that each needs at once */
} Late;

/* A worker is busy with one more run, or with one less. */
typedef struct Busy
{
	int64 at;
	int32 worker;
	int32 by;
} Busy;

typedef struct Scaling
{
	const char *pool;
	Scenario fleet; /* as it is */
	double target; /* seconds */
	int64 *started; /* by arrival; PG_INT64_MAX: never */
	bool *used; /* by worker of the fleet */
	int64 nbusy;
	int64 busy_allocated;
	Busy *busy; /* of a scenario's own workers */
	double longest; /* wait of what is not late */
	int64 nlate; /* workloads */
	int nlates;
	Late *lates;
	int ntypes;
	WorkerType types[MOST_TYPES];
	int nadvice;
	Advice *advice;
} Scaling;

static Advice *
add_advice(Scaling *scaling)
{
	return &scaling->advice[scaling->nadvice++];
}

/* --- what is late --- */

/* Remembers when a worker begins or ends a run. */
static void
note_busy(Scaling *scaling, int64 at, int32 worker, int32 by)
{
	if (scaling->nbusy == scaling->busy_allocated)
	{
		scaling->busy_allocated = Max(1024, scaling->busy_allocated * 2);
		scaling->busy = scaling->busy == NULL ?
							palloc_huge(sizeof(Busy) * scaling->busy_allocated) :
							repalloc_huge(scaling->busy, sizeof(Busy) * scaling->busy_allocated);
	}
	scaling->busy[scaling->nbusy++] = (Busy){at, worker, by};
}

static void
note_run(void *reader, const SimulatedRun *run)
{
	Scaling *scaling = reader;

	if (run->worker < 0)
		return;
	scaling->used[run->worker] = true;
	if (scaling->fleet.own_fleet)
	{
		note_busy(scaling, run->started, run->worker, 1);
		note_busy(scaling, run->finished, run->worker, -1);
	}
	scaling->started[run->arrival] = Min(scaling->started[run->arrival], run->started);
}

/* Returns since when an arrival is late; PG_INT64_MAX: it is not. */
static int64
late_since(const Scaling *scaling, int number)
{
	const Arrival *arrival = &scaling->fleet.arrivals[number];
	int64 due = Max(arrival->at, 0) + (int64) (scaling->target * USECS_PER_SEC);
	int64 end = scaling->fleet.until == PG_INT64_MAX ? due : scaling->fleet.until;

	if (scaling->started[number] != PG_INT64_MAX)
		return scaling->started[number] > due ? due : PG_INT64_MAX;
	return due <= end ? due : PG_INT64_MAX;
}

static const Scenario *compared;

/* What is alike stands together: of the same kind, and expected to take as long. */
static int
compare_late(const void *a, const void *b)
{
	const Arrival *x = &compared->arrivals[((const Late *) a)->arrival];
	const Arrival *y = &compared->arrivals[((const Late *) b)->arrival];

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->subject != y->subject)
		return x->subject < y->subject ? -1 : 1;
	if (x->expected_seconds != y->expected_seconds && !isnan(x->expected_seconds) &&
		!isnan(y->expected_seconds))
		return x->expected_seconds < y->expected_seconds ? -1 : 1;
	if (isnan(x->expected_seconds) != isnan(y->expected_seconds))
		return isnan(x->expected_seconds) ? 1 : -1;
	return ((const Late *) a)->arrival - ((const Late *) b)->arrival;
}

static bool
alike(const Late *a, const Late *b)
{
	const Arrival *x = &compared->arrivals[a->arrival];
	const Arrival *y = &compared->arrivals[b->arrival];

	return x->kind == y->kind && x->subject == y->subject &&
		   (x->expected_seconds == y->expected_seconds ||
			(isnan(x->expected_seconds) && isnan(y->expected_seconds)));
}

/* A moment from which on one workload more, or less, is late. */
typedef struct Change
{
	int64 at;
	int by;
} Change;

static int
compare_changes(const void *a, const void *b)
{
	const Change *x = a;
	const Change *y = b;

	return x->at != y->at ? (x->at < y->at ? -1 : 1) : x->by - y->by;
}

/* Returns when most of some work, each for its time, would have to run at once. */
static int64
busiest_moment(Change *changes, int count)
{
	int64 best = 0;
	int running = 0;
	int most = 0;

	qsort(changes, count, sizeof(Change), compare_changes);
	for (int i = 0; i < count; i++)
	{
		running += changes[i].by;
		if (running > most)
		{
			most = running;
			best = changes[i].at;
		}
	}
	return best;
}

/* Returns for how long an arrival runs, in microseconds, as far as is known of it alone. */
static int64
lasts(const Arrival *arrival)
{
	return isnan(arrival->expected_seconds) ?
			   USECS_PER_HOUR :
			   (int64) (Min(arrival->expected_seconds, MOST_SECONDS) * USECS_PER_SEC);
}

/*
 * Collects what is late: of the queue all of it, of work that arrives over time what would have
 * to run at the busiest moment.
 */
static void
collect_late(Scaling *scaling)
{
	const Scenario *scenario = &scaling->fleet;
	Search *search = &scaling->fleet.snapshot.search;
	Change *changes = palloc_huge(sizeof(Change) * 2 * (scenario->narrivals + 1));
	Late *all = palloc_huge(sizeof(Late) * (scenario->narrivals + 1));
	int64 moment;
	int n = 0;

	for (int i = 0; i < scenario->narrivals; i++)
	{
		int64 since = late_since(scaling, i);

		if (since == PG_INT64_MAX)
			continue;
		changes[n++] = (Change){since, 1};
		changes[n++] = (Change){since + lasts(&scenario->arrivals[i]), -1};
	}
	moment = scenario->live ? -1 : busiest_moment(changes, n);
	n = 0;
	for (int i = 0; i < scenario->narrivals; i++)
	{
		const Arrival *arrival = &scenario->arrivals[i];
		const KeyDemand *keys = &scenario->templates[arrival->template].keys;
		const WorkKind *kind = &search->kinds[arrival->kind];
		int64 since = late_since(scaling, i);
		int workers = is_gang(kind) ? gang_least(&kind->profile, &kind->demand) : 1;

		if (scaling->started[i] != PG_INT64_MAX && since == PG_INT64_MAX)
			scaling->longest = fmax(scaling->longest, (scaling->started[i] - Max(arrival->at, 0)) /
														  (double) USECS_PER_SEC);
		if (since == PG_INT64_MAX ||
			(moment >= 0 && (since > moment || since + lasts(arrival) <= moment)) ||
			!keys_have_room(search->key_rooms, keys) || quota_is_met(search, kind))
			continue;
		take_keys(search->key_rooms, keys);
		tenant_takes(search, kind, workers, 1);
		all[n++] = (Late){i, workers, workers};
	}
	scaling->nlate = n;
	compared = scenario;
	qsort(all, n, sizeof(Late), compare_late);
	for (int i = 0; i < n; i++)
		if (scaling->nlates > 0 && alike(&all[scaling->nlates - 1], &all[i]))
			all[scaling->nlates - 1].count += all[i].count;
		else
			all[scaling->nlates++] = all[i];
	scaling->lates = all;
	pfree(changes);
}

/* --- types of worker --- */

static void
append_name(StringInfo text, int64 number, const char *name)
{
	if (number < MOST_NAMED)
		appendStringInfo(text, "%s\"%s\"", number > 0 ? ", " : "", name);
	else if (number == MOST_NAMED)
		appendStringInfoString(text, ", ...");
}

static WorkerType *
add_type(Scaling *scaling, Jsonb *capabilities, double cost)
{
	WorkerType *type = &scaling->types[scaling->ntypes++];

	*type = (WorkerType){capabilities, cost};
	initStringInfo(&type->off);
	initStringInfo(&type->idle);
	return type;
}

/* Reads the types of a pool's workers, which of those are off, and which could be spared. */
static void
read_pool_types(Scaling *scaling)
{
	static SpiPlan statement = {
		"SELECT t.cost, w.capabilities - '{hostname,incarnation,worker_id}'::text[], t.off, t.idle"
		" FROM (SELECT min(w.worker_id) AS worker_id, w.cost_per_hour AS cost,"
		"   array_agg(w.worker_id ORDER BY w.worker_id)"
		"    FILTER (WHERE w.state <> 'active' OR w.health = 'offline') AS off,"
		"   array_agg(w.worker_id ORDER BY w.worker_id)"
		"    FILTER (WHERE w.state = 'active' AND w.health = 'healthy' AND w.cost_per_hour > 0"
		"     AND u.assignments = 0 AND greatest(w.registered_at, u.ran_at, l.busy_at)"
		"      <= now() - make_interval(secs => $2)) AS idle"
		"  FROM hwsched.worker w"
		"  JOIN hwsched.worker_load l ON l.pool = w.pool AND l.worker_id = w.worker_id"
		"  JOIN hwsched.worker_usage u ON u.pool = w.pool AND u.worker_id = w.worker_id"
		"  WHERE w.pool = $1 GROUP BY l.hardware_id, w.cost_per_hour, w.labels, w.taints,"
		"   w.max_concurrent ORDER BY 1 LIMIT 40) t"
		" JOIN hwsched.worker w ON w.pool = $1 AND w.worker_id = t.worker_id ORDER BY t.worker_id",
		{TEXTOID, FLOAT8OID}};
	const PoolSnapshot *snapshot = &scaling->fleet.snapshot;
	uint64 n = spi_plan_run(&statement, true, TEXT_VALUE(scaling->pool),
							VALUE(Float8GetDatum(snapshot->settings.stop_idle_after)));

	for (uint64 i = 0; i < n; i++)
	{
		double cost = column_number(i, 1);
		WorkerType *type = add_type(scaling, column_jsonb(i, 2), cost > 0 ? cost : NAN);

		for (int idle = 0; idle < 2; idle++)
		{
			bool isnull;
			Datum names = column(i, 3 + idle, &isnull);
			Datum *elements;
			int count = 0;

			if (!isnull)
				deconstruct_array(DatumGetArrayTypeP(names), TEXTOID, -1, false, TYPALIGN_INT,
								  &elements, NULL, &count);
			for (int k = 0; k < count; k++)
			{
				const char *name = TextDatumGetCString(elements[k]);
				int worker = fleet_worker(&snapshot->fleet, name);

				if (idle == 0)
					append_name(&type->off, type->noff++, name);
				else if (worker >= 0 && !scaling->used[worker])
					append_name(&type->idle, type->nidle++, name);
			}
		}
	}
}

/* What ends comes before what begins at the same time. */
static int
compare_busy(const void *a, const void *b)
{
	const Busy *x = a;
	const Busy *y = b;

	return x->at != y->at ? (x->at < y->at ? -1 : 1) : x->by - y->by;
}

/* Sets most, by type, to how many workers of a scenario's own are busy at once at the most. */
static void
most_busy(Scaling *scaling, int64 *most)
{
	const int32 *entries = scaling->fleet.entries;
	int32 *runs = palloc0(sizeof(int32) * (scaling->fleet.snapshot.fleet.nworkers + 1));
	int64 busy[MOST_TYPES] = {0};

	qsort(scaling->busy, scaling->nbusy, sizeof(Busy), compare_busy);
	for (int64 i = 0; i < scaling->nbusy; i++)
	{
		const Busy *change = &scaling->busy[i];
		int type = entries[change->worker];
		bool was = runs[change->worker] > 0;

		runs[change->worker] += change->by;
		if (type >= scaling->ntypes)
			continue;
		busy[type] += (runs[change->worker] > 0) - was;
		most[type] = Max(most[type], busy[type]);
	}
	pfree(runs);
}

/* Reads the types of the workers that a scenario describes. */
static void
read_given_types(Scaling *scaling, Jsonb *document)
{
	static SpiPlan statement = {
		"SELECT (e.value ->> 'cost_per_hour')::float8,"
		" e.value - '{hostname,incarnation,worker_id,count}'::text[]"
		" FROM jsonb_array_elements($1 -> 'fleet') WITH ORDINALITY e (value, no)"
		" ORDER BY e.no LIMIT 40",
		{JSONBOID}};
	const Fleet *fleet = &scaling->fleet.snapshot.fleet;
	uint64 n = spi_plan_run(&statement, true, VALUE(JsonbPGetDatum(document)));
	int64 there[MOST_TYPES] = {0};
	int64 most[MOST_TYPES] = {0};

	for (uint64 i = 0; i < n; i++)
	{
		double cost = column_number(i, 1);

		(void) add_type(scaling, column_jsonb(i, 2), cost > 0 ? cost : NAN);
	}
	for (int w = 0; w < fleet->nworkers; w++)
		if (scaling->fleet.entries[w] < scaling->ntypes)
			there[scaling->fleet.entries[w]]++;
	most_busy(scaling, most);
	for (int t = 0; t < scaling->ntypes; t++)
	{
		WorkerType *type = &scaling->types[t];

		if (isnan(type->cost))
			continue;
		type->nidle = there[t] - most[t];
		appendStringInfo(&type->idle, INT64_FORMAT " of " INT64_FORMAT, most[t], there[t]);
	}
}

/* --- packing --- */

/* Returns what part of one a workload takes of which so many fit; 1: the whole. */
static double
part_of(double taken, double whole)
{
	double times = whole > 0 ? floor(whole / taken + 1e-9) : 0;

	return taken <= 0 ? 0 : times < 1 ? 2 : 1 / times;
}

/* Returns what part of a device a workload takes. */
static double
part_of_device(const Search *search, const WorkKind *kind, const Device *device)
{
	double part = part_of(demanded_room(&kind->demand, search->settings.max_concurrent),
						  (double) WHOLE_SHARE * search->settings.max_concurrent);

	if (device->memory_bytes >= 0)
		part = fmax(part, part_of(kind->profile.min_memory_bytes, device->memory_bytes));
	return part;
}

/* Returns in which group of alike devices of its worker a device is, and how many are in it. */
static int
group_of_device(const Fleet *fleet, const Worker *worker, int device, int *members)
{
	int group = 0;
	int of_device = 0;

	*members = 0;
	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
	{
		bool first = true;

		for (int e = worker->first_device; e < d && first; e++)
			first = fleet->devices[e].profile != fleet->devices[d].profile;
		if (first)
		{
			if (fleet->devices[d].profile == fleet->devices[device].profile)
				of_device = group;
			group++;
		}
		*members += fleet->devices[d].profile == fleet->devices[device].profile;
	}
	return of_device;
}

static int
count_groups(const Fleet *fleet, const Worker *worker)
{
	int groups = 0;

	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
	{
		bool first = true;

		for (int e = worker->first_device; e < d && first; e++)
			first = fleet->devices[e].profile != fleet->devices[d].profile;
		groups += first;
	}
	return groups;
}

/*
 * Sets the shares of a worker that one of a kind takes, in its first turn; returns whether the
 * worker takes it.
 */
static bool
set_shares(Search *search, WorkKind *kind, bool alone, int worker_index, int ndims, float *shares,
		   Candidate *candidate)
{
	const Fleet *fleet = search->fleet;
	const Worker *worker = &fleet->workers[worker_index];
	double memory = kind->demand.host_memory_bytes;

	for (int d = 0; d < ndims; d++)
		shares[d] = 0;
	if (spared_candidate(search, kind, worker_index, candidate) != FITS &&
		search_candidate(search, kind, worker_index, candidate) != FITS)
	{
		shares[0] = NAN;
		return false;
	}
	for (int i = 0; i < candidate->ndevices; i++)
	{
		const Device *device = &fleet->devices[candidate->devices[i]];
		int members;
		int group = group_of_device(fleet, worker, candidate->devices[i], &members);

		shares[HOST_DIMS + group] += (float) (part_of_device(search, kind, device) / members);
		if (device->uses_host_memory)
			memory += kind->profile.min_memory_bytes;
	}
	if (worker->cpu_millicores > 0)
		shares[DIM_CPU] = (float) (kind->demand.cpu_millicores / (double) worker->cpu_millicores);
	if (worker->memory_bytes > 0)
		shares[DIM_MEMORY] = (float) (memory / worker->memory_bytes);
	if (worker->max_concurrent > 0)
		shares[DIM_CONCURRENT] = 1.0F / worker->max_concurrent;
	for (int d = 0; d < ndims && alone; d++)
		shares[d] = 1;
	return true;
}

/* Returns the scenario of the same work on one worker of each type. */
static Jsonb *
catalogue(const Scaling *scaling, Jsonb *document)
{
	static SpiPlan statement = {"SELECT $1 || jsonb_build_object('fleet', to_jsonb($2))",
								{JSONBOID, JSONBARRAYOID}};
	Datum *types = palloc(sizeof(Datum) * (scaling->ntypes + 1));

	for (int t = 0; t < scaling->ntypes; t++)
		types[t] = JsonbPGetDatum(scaling->types[t].capabilities);
	spi_plan_run(&statement, true, VALUE(JsonbPGetDatum(document)),
				 array_value(JSONBOID, types, NULL, scaling->ntypes));
	return column_jsonb(0, 1);
}

/* Advises workers for what fits on none of the types: as it asks. */
static void
advise_as_asked(Scaling *scaling, const Search *search, const Late *const *none, int count)
{
	for (int i = 0; i < count; i++)
	{
		const WorkKind *kind = &search->kinds[scaling->fleet.arrivals[none[i]->arrival].kind];
		Jsonb *capabilities = capabilities_as_asked(&kind->profile, &kind->demand);
		Advice *advice = NULL;

		for (int a = 0; a < scaling->nadvice && advice == NULL; a++)
			if (scaling->advice[a].capabilities != NULL &&
				compareJsonbContainers(&scaling->advice[a].capabilities->root,
									   &capabilities->root) == 0)
				advice = &scaling->advice[a];
		if (advice == NULL)
		{
			if (scaling->nadvice == 2 * MOST_TYPES)
				return;
			advice = add_advice(scaling);
			*advice = (Advice){capabilities, 0, NULL, NAN, 0};
		}
		advice->change += none[i]->count;
		advice->why = psprintf(INT64_FORMAT " %s no worker of those that there are", advice->change,
							   advice->change == 1 ? "workload fits" : "workloads fit");
	}
}

/*
 * What is late, as a problem of packing.  A worker is a bin for what runs longer than the target,
 * or for what runs shorter, in turns: bins of its type, and of its type + ntypes.
 */
typedef struct Purchase
{
	Scaling *scaling;
	Scenario *offer; /* the same work on one worker of each type */
	int32 *worker_of; /* by type */
	double *costs;
	int32 *dims;
	int32 *counts;
	float *shares;
	double *waits; /* by request and type: seconds, at the most */
	int nnone;
	const Late **none; /* what fits into no type */
} Purchase;

/* Tells what bins there are. */
static void
describe_bins(Purchase *purchase)
{
	const Scaling *scaling = purchase->scaling;
	const Fleet *fleet = &purchase->offer->snapshot.fleet;
	int n = scaling->ntypes;
	double dearest = 0;

	purchase->worker_of = palloc(sizeof(int32) * (n + 1));
	purchase->costs = palloc(sizeof(double) * (2 * n + 1));
	purchase->dims = palloc0(sizeof(int32) * (2 * n + 1));
	for (int w = 0; w < fleet->nworkers; w++)
		purchase->worker_of[purchase->offer->entries[w]] = w;
	for (int t = 0; t < n; t++)
		dearest = fmax(dearest, isnan(scaling->types[t].cost) ? 0 : scaling->types[t].cost);
	for (int b = 0; b < 2 * n; b++)
	{
		double cost = scaling->types[b % n].cost;

		/* what is not known to be cheap is taken to be dear */
		purchase->costs[b] = !isnan(cost) ? cost : dearest > 0 ? dearest : 1;
		purchase->dims[b + 1] = purchase->dims[b] + HOST_DIMS +
								count_groups(fleet, &fleet->workers[purchase->worker_of[b % n]]);
	}
}

/* Tells what a request takes of the bins of a type; returns whether it fits into one. */
static bool
describe_request(Purchase *purchase, int request, int type)
{
	const Scaling *scaling = purchase->scaling;
	Search *search = &purchase->offer->snapshot.search;
	const Late *late = &scaling->lates[request];
	const Arrival *arrival = &purchase->offer->arrivals[late->arrival];
	WorkKind *kind = &search->kinds[arrival->kind];
	int n = scaling->ntypes;
	const int32 *dims = purchase->dims;
	int ndims = dims[type + 1] - dims[type];
	float *shares = &purchase->shares[(Size) request * dims[2 * n]];
	Candidate candidate;
	double seconds;
	double turns;

	shares[dims[type]] = shares[dims[type + n]] = NAN;
	if (!set_shares(search, kind, purchase->offer->templates[arrival->template].alone,
					purchase->worker_of[type], ndims, &shares[dims[type]], &candidate))
		return false;
	seconds =
		candidate_seconds(search, kind, &candidate, arrival->expected_seconds, arrival->subject);
	/* members of a gang begin together */
	turns =
		late->workers > 1 || !(seconds > 0) ? 1 : Min(floor(scaling->target / seconds) + 1, 1000);
	purchase->waits[(Size) request * n + type] = (Min(turns, scaling->nlate) - 1) * seconds;
	if (turns > 1)
	{
		for (int d = 0; d < ndims; d++)
			shares[dims[type + n] + d] = shares[dims[type] + d] / (float) turns;
		shares[dims[type]] = NAN;
	}
	return true;
}

/* Makes a row of the bins of a type, if there are any. */
static void
advise_type(Purchase *purchase, const Packing *packing, int type)
{
	Scaling *scaling = purchase->scaling;
	WorkerType *of = &scaling->types[type];
	const WorkKind *kinds = purchase->offer->snapshot.search.kinds;
	int64 bins = 0;
	int64 holds = 0;
	int32 least = 0; /* workers that members of one gang need */
	double wait = 0;
	StringInfoData why;

	for (int b = 0; b < packing->nbins; b++)
	{
		if (packing->bins[b].type % scaling->ntypes != type)
			continue;
		bins++;
		for (int i = packing->bins[b].first; i >= 0; i = packing->packed[i].next)
		{
			int32 request = packing->packed[i].request;
			const Late *late = &scaling->lates[request];

			holds++;
			wait = fmax(wait, purchase->waits[(Size) request * scaling->ntypes + type]);
			if (!may_share_worker(&kinds[purchase->offer->arrivals[late->arrival].kind]))
				least = Max(least, late->workers);
		}
	}
	if (bins == 0)
		return;
	bins = Max(bins, least);
	initStringInfo(&why);
	appendStringInfo(&why, "hold " INT64_FORMAT " of what would wait longer than %.15g s", holds,
					 scaling->target);
	if (of->noff > 0)
		appendStringInfo(&why, "; " INT64_FORMAT " of them %s there, and off: %s", of->noff,
						 of->noff == 1 ? "is" : "are", of->off.data);
	*add_advice(scaling) =
		(Advice){of->capabilities, bins, why.data, isnan(of->cost) ? NAN : bins * of->cost, wait};
	of->nidle = 0;
}

/* Advises workers that hold what is late. */
static void
advise_more(Scaling *scaling, Scenario *offer)
{
	Purchase purchase = {.scaling = scaling, .offer = offer};
	int n = scaling->ntypes;
	PackingProblem problem;
	Packing packing;

	describe_bins(&purchase);
	purchase.counts = palloc_huge(sizeof(int32) * (scaling->nlates + 1));
	purchase.none = palloc_huge(sizeof(Late *) * (scaling->nlates + 1));
	purchase.shares =
		palloc_huge(sizeof(float) * ((Size) scaling->nlates * purchase.dims[2 * n] + 1));
	purchase.waits = palloc_huge(sizeof(double) * ((Size) scaling->nlates * n + 1));
	search_begin(&offer->snapshot.search);
	for (int i = 0; i < scaling->nlates; i++)
	{
		bool fits = false;

		CHECK_FOR_INTERRUPTS();
		purchase.counts[i] = scaling->lates[i].count;
		for (int t = 0; t < n; t++)
			fits |= describe_request(&purchase, i, t);
		if (!fits)
			purchase.none[purchase.nnone++] = &scaling->lates[i];
	}
	problem = (PackingProblem){2 * n,			purchase.costs,	 purchase.dims,
							   scaling->nlates, purchase.counts, purchase.shares};
	bin_packing(&problem, &packing);
	for (int t = 0; t < n; t++)
		advise_type(&purchase, &packing, t);
	advise_as_asked(scaling, &offer->snapshot.search, purchase.none, purchase.nnone);
}

/* Advises to stop what nothing needs. */
static void
advise_less(Scaling *scaling)
{
	for (int t = 0; t < scaling->ntypes; t++)
	{
		const WorkerType *type = &scaling->types[t];

		if (type->nidle > 0)
			*add_advice(scaling) = (Advice){
				type->capabilities, -type->nidle,
				scaling->fleet.own_fleet ?
					psprintf("at most %s are busy at once", type->idle.data) :
					psprintf("idle for %.15g s or longer, and nothing that waits needs them: %s",
							 scaling->fleet.snapshot.settings.stop_idle_after, type->idle.data),
				-type->nidle * type->cost, scaling->longest};
	}
}

/*
 * Returns which workers a scenario's fleet lacks for nothing to wait longer than the setting
 * wait_target, and which it could spare; SPI is connected.  Raises the errors of scenario_read().
 */
Advice *
scaling_advice(const Caller *caller, const char *callers_path, Jsonb *document, const char *pool,
			   int *count)
{
	Scaling *scaling = palloc0(sizeof(Scaling));
	Scenario *fleet = &scaling->fleet;
	Scenario offer;

	scaling->pool = pool;
	scaling->advice = palloc(sizeof(Advice) * 3 * MOST_TYPES);
	scenario_read(caller, callers_path, document, pool, fleet);
	scaling->target = fleet->snapshot.settings.wait_target;
	if (fleet->live)
		fleet->until = Min(fleet->until, (int64) (scaling->target * USECS_PER_SEC));
	scaling->started = palloc_huge(sizeof(int64) * (fleet->narrivals + 1));
	for (int i = 0; i < fleet->narrivals; i++)
		scaling->started[i] = PG_INT64_MAX;
	scaling->used = palloc0(sizeof(bool) * (fleet->snapshot.fleet.nworkers + 1));
	simulate(fleet, note_run, scaling);
	collect_late(scaling);
	if (fleet->own_fleet)
		read_given_types(scaling, document);
	else
		read_pool_types(scaling);
	if (scaling->nlates > 0 && !fleet->snapshot.settings.paused)
	{
		scenario_read(caller, callers_path, catalogue(scaling, document), pool, &offer);
		advise_more(scaling, &offer);
	}
	advise_less(scaling);
	*count = scaling->nadvice;
	return scaling->advice;
}
