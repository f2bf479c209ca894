/*
 * order.c
 *		Which workload of a priority is decided next, and what tenants may hold.
 *
 * Within a priority workloads are decided as they stand in the queue, the shortest first, or
 * those first that have run least.  With fair shares the tenant is next that uses least for its
 * weight: its dominant share, of accelerators, cores or memory, whichever is the largest part of
 * what healthy workers have, now and in the past (dominant resource fairness); the order holds
 * among the work of each tenant.
 */
#include "place/candidate.h"
#include "place/order.h"
#include "place/spare.h"

/* So much of its weight's part of all there is a tenant may get ahead of others in one turn. */
#define TURN_AHEAD 0.05

/* --- tenants --- */

/* Returns what so many members of a kind of work hold. */
static Tenant
holding_of(const WorkKind *kind, int members)
{
	int devices = demanded_devices(&kind->demand);

	return (Tenant){.accelerators =
						members * devices * (double) demanded_share(&kind->demand) / WHOLE_SHARE,
					.cores = members * kind->demand.cpu_millicores / 1000.0,
					.memory = members * (double) kind->demand.host_memory_bytes};
}

/* Returns how many accelerators one member of a kind of work holds. */
double
demanded_accelerators(const WorkKind *kind)
{
	return holding_of(kind, 1).accelerators;
}

/* Returns the dominant share 0..1 that something holds of all there is. */
double
tenant_share(const Search *search, const Tenant *tenant)
{
	const Tenant *whole = &search->whole;
	double share = whole->accelerators > 0 ? tenant->accelerators / whole->accelerators : 0;

	if (whole->cores > 0)
		share = Max(share, tenant->cores / whole->cores);
	if (whole->memory > 0)
		share = Max(share, tenant->memory / whole->memory);
	return share;
}

/* Returns what a tenant uses for its weight: the least is next. */
double
tenant_usage(const Search *search, const Tenant *tenant)
{
	return (tenant_share(search, tenant) + tenant->past) / tenant->weight;
}

/* Returns the tenant of a kind of work; NULL: nobody counts it. */
const Tenant *
tenant_of(const Search *search, const WorkKind *kind)
{
	return search->ntenants == 0 || kind->tenant < 0 ? NULL : &search->tenants[kind->tenant];
}

/* Returns whether a tenant could hold so many members of a kind of work more. */
static bool
quota_admits(const Tenant *tenant, const WorkKind *kind, int members)
{
	Tenant more = holding_of(kind, members);

	return tenant->workloads + 1 <= tenant->most_workloads &&
		   tenant->accelerators + more.accelerators <= tenant->most_accelerators + 1e-9 &&
		   tenant->cores + more.cores <= tenant->most_cores + 1e-9;
}

/* Returns how many members of a kind of work, at most most, the quota of its tenant admits. */
int
quota_members(const Search *search, const WorkKind *kind, int most)
{
	const Tenant *tenant = tenant_of(search, kind);

	while (tenant != NULL && most > 0 && !quota_admits(tenant, kind, most))
		most--;
	return most;
}

/* Returns whether the quota of its tenant keeps a kind of work waiting. */
bool
quota_is_met(const Search *search, const WorkKind *kind)
{
	int least = is_gang(kind) ? gang_least(&kind->profile, &kind->demand) : 1;

	return quota_members(search, kind, least) < least;
}

/* Notes that a tenant's work was placed; members and workloads below 0 take it back. */
void
tenant_takes(Search *search, const WorkKind *kind, int members, int workloads)
{
	Tenant more;
	Tenant *tenant;

	if (search->ntenants == 0 || kind->tenant < 0)
		return;
	more = holding_of(kind, members);
	tenant = &search->tenants[kind->tenant];
	tenant->accelerators += more.accelerators;
	tenant->cores += more.cores;
	tenant->memory += more.memory;
	tenant->workloads += workloads;
}

/* --- the order of items --- */

/* Returns the least seconds that a workload is predicted to take on any device profile. */
static double
least_seconds(const Search *search, const QueueItem *item)
{
	const WorkKind *kind = &search->kinds[item->kind];
	double least = INFINITY;

	for (int p = 0; p < search->fleet->nprofiles; p++)
	{
		const DeviceProfile *device = &search->fleet->profiles[p];
		double seconds;

		if (device_mismatch(&kind->profile, device) != MATCHES)
			continue;
		seconds = search->forecast == NULL || item->subject < 0 ?
					  predict_seconds(&kind->profile, device, item->expected_seconds) :
					  base_seconds(&kind->profile, device, item->expected_seconds) *
						  forecast_usual(search->forecast, item->subject, p);
		least = Min(least, seconds);
	}
	return least;
}

typedef struct Keyed
{
	int32 item;
	int32 list;
	bool overdue;
	double key;
} Keyed;

static int
compare_keyed(const void *a, const void *b)
{
	const Keyed *x = a;
	const Keyed *y = b;

	if (x->list != y->list)
		return x->list - y->list;
	if (x->overdue != y->overdue)
		return y->overdue - x->overdue;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->item - y->item;
}

/* Returns the key of an item in the pool's order: the least comes first. */
static double
order_key(const Search *search, const QueueItem *item)
{
	switch (search->order)
	{
		case ORDER_SHORTEST:
			return item->overdue ? 0 : (1 - item->done) * least_seconds(search, item);
		case ORDER_LEAST_SERVED:
			return item->overdue ? 0 : item->served;
		case ORDER_SUBMISSION:
			break;
	}
	return 0;
}

/* Lists the items of a band by tenant, if that counts, in the pool's order. */
static int
list_items(const Search *search, const QueueItem *items, int first, int last, Keyed *keyed)
{
	int n = 0;

	for (int i = first; i < last; i++)
	{
		int tenant = search->kinds[items[i].kind].tenant;

		keyed[n++] = (Keyed){i,
							 !search->fair_share ? 0 :
							 tenant < 0			 ? search->ntenants :
												   tenant,
							 search->order != ORDER_SUBMISSION && items[i].overdue,
							 order_key(search, &items[i])};
	}
	qsort(keyed, n, sizeof(Keyed), compare_keyed);
	return n;
}

/*
 * Begins to decide the items of a band one after the other: those that spare accelerators
 * (later), or all others.
 */
ItemOrder
order_begin(const Search *search, const QueueItem *items, int first, int last, bool later)
{
	ItemOrder order = {.items = items, .later = later, .next = first, .last = last};
	Keyed *keyed;
	int n;

	order.plain = search->order == ORDER_SUBMISSION && !search->fair_share;
	if (order.plain)
		return order;
	keyed = palloc_huge(sizeof(Keyed) * (last - first + 1));
	n = list_items(search, items, first, last, keyed);
	order.nlists = search->fair_share ? search->ntenants + 1 : 1;
	order.ordered = palloc_huge(sizeof(int32) * (n + 1));
	order.at = palloc0(sizeof(int) * order.nlists);
	order.end = palloc0(sizeof(int) * order.nlists);
	for (int i = 0; i < n; i++)
	{
		order.ordered[i] = keyed[i].item;
		if (i == 0 || keyed[i].list != keyed[i - 1].list)
			order.at[keyed[i].list] = i;
		order.end[keyed[i].list] = i + 1;
	}
	pfree(keyed);
	return order;
}

/* Returns whether an item is one of those that an order is of. */
static bool
is_of_order(const Search *search, const ItemOrder *order, int item)
{
	return spares_accelerators(search, &search->kinds[order->items[item].kind]) == order->later;
}

/* Returns the next item, by what was placed meanwhile; -1: there is none left. */
int
order_next(const Search *search, ItemOrder *order)
{
	int best = -1;
	double least = INFINITY;

	if (order->plain)
	{
		while (order->next < order->last && !is_of_order(search, order, order->next))
			order->next++;
		return order->next < order->last ? order->next++ : -1;
	}
	for (int l = 0; l < order->nlists; l++)
	{
		double usage;

		while (order->at[l] < order->end[l] &&
			   !is_of_order(search, order, order->ordered[order->at[l]]))
			order->at[l]++;
		if (order->at[l] == order->end[l])
			continue;
		/* what nobody counts comes first */
		usage = search->fair_share && l < search->ntenants ?
					tenant_usage(search, &search->tenants[l]) :
					0;
		if (best < 0 || usage < least ||
			(usage == least && order->ordered[order->at[l]] < order->ordered[order->at[best]]))
		{
			best = l;
			least = usage;
		}
	}
	return best < 0 ? -1 : order->ordered[order->at[best]++];
}

/* --- turns --- */

/* Returns whether the optimal solver has to solve in turns. */
bool
order_has_turns(const Search *search)
{
	return search->ntenants > 0;
}

/*
 * Chooses what the optimal solver solves next of a band, of the items that were not tried:
 * with fair shares as many of the next tenant's as its share allows; and no more of anybody's than
 * its quota admits.  Returns how many, and sets turn, by item from first.
 */
int
order_turn(const Search *search, const QueueItem *items, int first, int last, const bool *tried,
		   bool *turn)
{
	Search trial = *search; /* in which all of the turn is placed */
	Keyed *keyed = palloc_huge(sizeof(Keyed) * (last - first + 1));
	int n = list_items(search, items, first, last, keyed);
	double *usage = palloc(sizeof(double) * (search->ntenants + 1));
	double allowed = INFINITY;
	double weights = 0;
	int next = -1;
	int count = 0;

	trial.tenants = palloc(sizeof(Tenant) * (search->ntenants + 1));
	memcpy(trial.tenants, search->tenants, sizeof(Tenant) * search->ntenants);
	memset(turn, 0, sizeof(bool) * (last - first));
	for (int t = 0; t <= search->ntenants; t++)
		usage[t] = INFINITY;
	for (int i = 0; i < n && search->fair_share; i++)
		if (!tried[keyed[i].item - first] && isinf(usage[keyed[i].list]) &&
			!quota_is_met(search, &search->kinds[items[keyed[i].item].kind]))
		{
			const Tenant *tenant =
				keyed[i].list < search->ntenants ? &search->tenants[keyed[i].list] : NULL;

			usage[keyed[i].list] = tenant == NULL ? 0 : tenant_usage(search, tenant);
			weights += tenant == NULL ? 0 : tenant->weight;
			if (next < 0 || usage[keyed[i].list] < usage[next])
				next = keyed[i].list;
		}
	for (int t = 0; t <= search->ntenants && search->fair_share; t++)
		if (t != next)
			allowed = Min(allowed, usage[t]);
	allowed += TURN_AHEAD / Max(weights, 1e-9);
	for (int i = 0; i < n; i++)
	{
		int item = keyed[i].item;
		const WorkKind *kind = &search->kinds[items[item].kind];
		int members = is_gang(kind) ? gang_most(&kind->profile, &kind->demand) : 1;

		if (tried[item - first] || (search->fair_share && keyed[i].list != next) ||
			quota_is_met(&trial, kind))
			continue;
		if (count > 0 && search->fair_share && next < search->ntenants &&
			tenant_usage(&trial, &trial.tenants[next]) > allowed)
			break;
		tenant_takes(&trial, kind, quota_members(&trial, kind, members), 1);
		turn[item - first] = true;
		count++;
	}
	pfree(trial.tenants);
	pfree(usage);
	pfree(keyed);
	return count;
}
