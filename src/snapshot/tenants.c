/*
 * tenants.c
 *		What decisions look at of tenants, and of the order of work.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/hsearch.h"
#include "utils/snapmgr.h"

#include "place/order.h"
#include "snapshot/tenants.h"
#include "store/assignment.h"
#include "store/tenant_usage.h"
#include "support/spi_plan.h"
#include "support/strtab.h"

/* Returns the tenant of a name, after adding it with what tenants have by default. */
static int
tenant_number(Search *search, HTAB *numbers, const char *name)
{
	bool found;
	StrtabEntry *entry = strtab_enter(numbers, name, strlen(name), &found);

	if (!found)
	{
		int n = search->ntenants++;

		search->tenants[n] = (Tenant){.name = name,
									  .weight = 1,
									  .most_accelerators = INFINITY,
									  .most_cores = INFINITY,
									  .most_workloads = INFINITY};
		entry->number = n;
	}
	return entry->number;
}

/*
 * Reads what tenants hold, and may hold, if the pool's settings say anything of them; the kinds of
 * work have been read before.
 */
void
load_tenants(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	const PoolSettings *settings = &snapshot->settings;
	Search *search = &snapshot->search;
	TenantAmount whole;
	TenantUse *uses;
	HTAB *numbers;
	int n;

	search->ntenants = 0;
	if (settings->tenants.count == 0 && settings->fair_share == 0)
		return;
	search->fair_share = settings->fair_share > 0;
	whole = tenant_usage_whole(pool, read_only);
	search->whole =
		(Tenant){.accelerators = whole.accelerators, .cores = whole.cores, .memory = whole.memory};
	n = tenant_usage_read(pool, settings->fair_share, read_only, &uses);
	snapshot->ntenant_uses = n;
	snapshot->tenant_uses = uses;
	search->tenants = palloc0(sizeof(Tenant) * (settings->tenants.count + n + search->nkinds + 1));
	numbers = strtab_create("hwsched tenants");
	for (int t = 0; t < settings->tenants.count; t++)
	{
		const TenantSettings *given = (const TenantSettings *) settings->tenants.items + t;
		Tenant *tenant =
			&search->tenants[tenant_number(search, numbers, settings->tenants.names[t])];

		tenant->weight = given->weight;
		tenant->most_accelerators = given->quota.accelerators;
		tenant->most_cores = given->quota.cpu_cores;
		tenant->most_workloads = given->quota.workloads;
	}
	for (int i = 0; i < n; i++)
	{
		Tenant *tenant = &search->tenants[tenant_number(search, numbers, uses[i].name)];
		Tenant past = {.accelerators = uses[i].past.accelerators,
					   .cores = uses[i].past.cores,
					   .memory = uses[i].past.memory};

		tenant->accelerators = uses[i].held.accelerators;
		tenant->cores = uses[i].held.cores;
		tenant->memory = uses[i].held.memory;
		tenant->workloads = uses[i].workloads;
		tenant->past = tenant_share(search, &past);
	}
	for (int k = 0; k < search->nkinds; k++)
	{
		const char *name = search->kinds[k].demand.tenant;

		search->kinds[k].tenant = tenant_number(search, numbers, name == NULL ? "" : name);
	}
}

/* Returns what a tenant held when it was read; NULL: nothing. */
static const TenantUse *
use_of(const PoolSnapshot *snapshot, const char *name)
{
	for (int i = 0; i < snapshot->ntenant_uses; i++)
		if (strcmp(snapshot->tenant_uses[i].name, name) == 0)
			return &snapshot->tenant_uses[i];
	return NULL;
}

/*
 * Raises a serialization failure if a tenant with a quota holds more by now than a decision
 * was made on: an old snapshot (REPEATABLE READ) does not show what others have placed.
 */
void
check_tenants(const PoolSnapshot *snapshot, const char *pool)
{
	TenantUse *uses;
	int n;

	if (snapshot->settings.tenants.count == 0 || !IsolationUsesXactSnapshot())
		return;
	PushActiveSnapshot(GetLatestSnapshot());
	n = tenant_usage_read(pool, 0, true, &uses);
	PopActiveSnapshot();
	for (int i = 0; i < n; i++)
	{
		static const TenantUse nothing;
		const TenantUse *before = use_of(snapshot, uses[i].name);

		if (before == NULL)
			before = &nothing;
		if (uses[i].workloads > before->workloads ||
			uses[i].held.accelerators > before->held.accelerators ||
			uses[i].held.cores > before->held.cores)
			ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
							errmsg("could not serialize access due to work of tenant \"%s\" that"
								   " was placed at the same time",
								   uses[i].name)));
	}
}

/* --- the order --- */

typedef struct QueueNoEntry
{
	int64 queue_no; /* key */
	int32 item;
} QueueNoEntry;

/* Reads a number of workloads of the queue, by queue_no, into a member of their items. */
static void
read_numbers(PoolSnapshot *snapshot, SpiPlan *statement, const char *pool, bool read_only,
			 size_t member)
{
	HASHCTL control = {
		.keysize = sizeof(int64), .entrysize = sizeof(QueueNoEntry), .hcxt = CurrentMemoryContext};
	uint64 n = spi_plan_run(statement, read_only, TEXT_VALUE(pool));
	HTAB *items;

	if (n == 0)
		return;
	items =
		hash_create("hwsched queue numbers", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (int i = 0; i < snapshot->nitems; i++)
	{
		QueueNoEntry *entry = hash_search(items, &snapshot->rows[i].queue_no, HASH_ENTER, NULL);

		entry->item = i;
	}
	for (uint64 row = 0; row < n; row++)
	{
		int64 queue_no = column_bigint(row, 1);
		QueueNoEntry *entry = hash_search(items, &queue_no, HASH_FIND, NULL);

		if (entry != NULL)
			*(double *) ((char *) &snapshot->items[entry->item] + member) = column_number(row, 2);
	}
}

/* Reads for how long the work of the queue has run before. */
static void
load_served(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	static SpiPlan statement = {
		"SELECT p.queue_no, sum(greatest(extract(epoch FROM a.finished_at - a.started_at),"
		" 0))::float8"
		" FROM hwsched.pending p JOIN hwsched.assignment a"
		"  ON a.pool = p.pool AND a.workload_id = p.workload_id AND a.run = p.run"
		" WHERE p.pool = $1 AND a.started_at IS NOT NULL AND a.finished_at IS NOT NULL"
		" GROUP BY p.queue_no",
		{TEXTOID},
		IN_SETS};

	read_numbers(snapshot, &statement, pool, read_only, offsetof(QueueItem, served));
}

/* Reads how much of the queue's work was done when it was given back. */
static void
load_done(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	static SpiPlan statement = {
		"SELECT p.queue_no, max(g.ratio) FROM hwsched.progress g JOIN hwsched.assignment a"
		"  ON a.pool = g.pool AND a.assignment_id = g.assignment_id"
		" JOIN hwsched.pending p"
		"  ON p.pool = a.pool AND p.workload_id = a.workload_id AND p.run = a.run"
		" WHERE g.pool = $1 AND a.error = '" YIELDED "' GROUP BY p.queue_no",
		{TEXTOID},
		IN_SETS};

	read_numbers(snapshot, &statement, pool, read_only, offsetof(QueueItem, done));
}

/* Reads what the pool's order of work looks at; the queue has been read before. */
void
load_order(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	const PoolSettings *settings = &snapshot->settings;
	TimestampTz now = GetCurrentTransactionStartTimestamp();

	snapshot->search.order = strcmp(settings->order, "shortest") == 0	  ? ORDER_SHORTEST :
							 strcmp(settings->order, "least_served") == 0 ? ORDER_LEAST_SERVED :
																			ORDER_SUBMISSION;
	if (snapshot->search.order == ORDER_SUBMISSION)
		return;
	for (int i = 0; i < snapshot->nitems; i++)
		snapshot->items[i].overdue =
			(now - snapshot->rows[i].submitted_at) / (double) USECS_PER_SEC > settings->order_wait;
	if (snapshot->search.order == ORDER_LEAST_SERVED)
		load_served(snapshot, pool, read_only);
	else
		load_done(snapshot, pool, read_only);
}
