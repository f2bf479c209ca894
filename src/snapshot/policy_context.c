/*
 * policy_context.c
 *		What decisions look at beside workers and their state, and leave for the
 *		next: where models ran, and what the pool's work looks like.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/timestamp.h"

#include "document/json.h"
#include "place/fleet.h"
#include "snapshot/policy_context.h"
#include "support/spi_plan.h"

/* How much of all work the most frequent shapes make up that count as usual. */
#define USUAL_WORK 0.95

/* --- models --- */

/* Reads where the models and families of the queue were placed last. */
static void
load_models(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	static SpiPlan statement = {
		"SELECT m.ord::int, p.worker_id FROM unnest($2, $3) WITH ORDINALITY m(model, is_family,"
		" ord)"
		" JOIN hwsched.model_placement p ON p.pool = $1 AND p.model = m.model"
		" AND p.is_family = m.is_family",
		{TEXTOID, TEXTARRAYOID, BOOLARRAYOID}};
	int n = snapshot->nmodels;
	Datum *names = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (n + 1));
	Datum *families = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (n + 1));
	int32 *workers = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32) * (n + 1));

	snapshot->search.model_workers = workers;
	for (int i = 0; i < n; i++)
	{
		names[i] = CStringGetTextDatum(snapshot->models[i].name);
		families[i] = BoolGetDatum(snapshot->models[i].is_family);
		workers[i] = -1;
	}
	if (n == 0 || (snapshot->policies.uses & USES_MODEL) == 0)
		return;
	spi_plan_run(&statement, read_only, TEXT_VALUE(pool), array_value(TEXTOID, names, NULL, n),
				 array_value(BOOLOID, families, NULL, n));
	for (uint64 i = 0; i < SPI_processed; i++)
		workers[column_int(i, 1) - 1] = fleet_worker(&snapshot->fleet, column_text(i, 2));
}

/* Writes down where the models of the placed work went, whatever the policy. */
void
write_models(const PoolSnapshot *snapshot, const char *pool)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.model_placement AS p (pool, model, is_family, worker_id)"
		" SELECT $1, m.model, m.is_family, m.worker_id FROM unnest($2, $3, $4) m(model, is_family,"
		" worker_id)"
		" ORDER BY m.model COLLATE \"C\", m.is_family"
		" ON CONFLICT (pool, model, is_family) DO UPDATE SET worker_id = EXCLUDED.worker_id,"
		" placed_at = EXCLUDED.placed_at",
		{TEXTOID, TEXTARRAYOID, BOOLARRAYOID, TEXTARRAYOID}};
	const Search *search = &snapshot->search;
	int32 *workers;
	Datum *columns[3];
	int n = 0;

	if (snapshot->nmodels == 0)
		return;
	workers = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32) * snapshot->nmodels);
	for (int c = 0; c < lengthof(columns); c++)
		columns[c] =
			MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * snapshot->nmodels);
	for (int i = 0; i < snapshot->nmodels; i++)
		workers[i] = -1;
	for (int i = 0; i < search->nplacements; i++)
	{
		const QueueRow *row = &snapshot->rows[search->placements[i].item];

		if (row->model >= 0)
			workers[row->model] = search->placements[i].worker;
		if (row->family >= 0)
			workers[row->family] = search->placements[i].worker;
	}
	for (int i = 0; i < snapshot->nmodels; i++)
		if (workers[i] >= 0)
		{
			columns[0][n] = CStringGetTextDatum(snapshot->models[i].name);
			columns[1][n] = BoolGetDatum(snapshot->models[i].is_family);
			columns[2][n++] = CStringGetTextDatum(snapshot->fleet.workers[workers[i]].worker_id);
		}
	if (n > 0)
		spi_plan_run(&statement, false, TEXT_VALUE(pool), array_value(TEXTOID, columns[0], NULL, n),
					 array_value(BOOLOID, columns[1], NULL, n),
					 array_value(TEXTOID, columns[2], NULL, n));
}

/* --- what the pool's work looks like --- */

/* Orders kinds of work by what fragmentation sees of them; 0: they are the same to it. */
static int
compare_kinds(const WorkKind *a, const WorkKind *b)
{
	const NamedNumbers *x = &a->demand.accelerators;
	const NamedNumbers *y = &b->demand.accelerators;
	const NameSet *models_x = &a->profile.required_models;
	const NameSet *models_y = &b->profile.required_models;
	int order = 0;

#define COMPARE(m, n) \
	if ((m) != (n)) \
	return (m) < (n) ? -1 : 1
	COMPARE(a->demand.cpu_millicores, b->demand.cpu_millicores);
	COMPARE(a->demand.share, b->demand.share);
	COMPARE(x->count, y->count);
	COMPARE(models_x->count, models_y->count);
	for (int i = 0; i < x->count && order == 0; i++)
	{
		COMPARE(x->items[i].value, y->items[i].value);
		order = strcmp(x->items[i].name, y->items[i].name);
	}
	for (int i = 0; i < models_x->count && order == 0; i++)
		order = strcmp(models_x->names[i], models_y->names[i]);
	return order;
}

/* Orders shapes by how frequent they are; equals by what they are, whoever numbered them. */
static int
compare_shapes(const void *a, const void *b)
{
	const Shape *x = a;
	const Shape *y = b;

	if (x->frequency != y->frequency)
		return x->frequency > y->frequency ? -1 : 1;
	return compare_kinds(&x->kind, &y->kind);
}

/*
 * Makes the shapes of some work, of which frequency is how much there is, what policies look at:
 * the most frequent ones that together make up most of it.
 */
void
set_shapes(Search *search, Shape *work, int n)
{
	double total = 0;
	double usual = 0;
	int count = 0;
	int kept = 0;

	for (int i = 0; i < n; i++)
	{
		int same = 0;

		CHECK_FOR_INTERRUPTS();
		total += work[i].frequency;
		while (same < count && compare_kinds(&work[same].kind, &work[i].kind) != 0)
			same++;
		if (same == count)
			work[count++] = work[i];
		else
			work[same].frequency += work[i].frequency;
	}
	qsort(work, count, sizeof(Shape), compare_shapes);
	while (kept < count && usual < USUAL_WORK * total)
		usual += work[kept++].frequency;
	for (int i = 0; i < kept; i++)
		work[i].frequency /= usual;
	search->nshapes = kept;
	search->shapes = work;
}

/* Reads the shapes of the pool's pending and live work. */
static void
load_shapes(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	static SpiPlan statement = {
		"SELECT n.profile_id, n.workloads, p.profile, p.demand FROM (SELECT profile_id,"
		" count(*) AS workloads"
		"  FROM (SELECT profile_id FROM hwsched.pending WHERE pool = $1"
		"        UNION ALL SELECT profile_id FROM hwsched.assignment WHERE pool = $1"
		" AND finished_at IS NULL) w"
		"  GROUP BY profile_id) n"
		" JOIN hwsched.workload_profile p ON p.pool = $1 AND p.profile_id = n.profile_id"
		" ORDER BY n.profile_id",
		{TEXTOID}};
	int n = (int) spi_plan_run(&statement, read_only, TEXT_VALUE(pool));
	Shape *shapes = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(Shape) * (n + 1),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int i = 0; i < n; i++)
	{
		Shape *shape = &shapes[i];

		shape->kind.profile_id = column_bigint(i, 1);
		shape->frequency = column_bigint(i, 2);
		document_read(&placement_profile_document, column_jsonb(i, 3), "workload_profile", NULL,
					  &shape->kind.profile);
		document_read(&demand_document, column_jsonb(i, 4), "demand", NULL, &shape->kind.demand);
	}
	set_shapes(&snapshot->search, shapes, n);
}

/* Reads what the policies in force look at. */
void
load_context(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	load_models(snapshot, pool, read_only);
	if (snapshot->policies.uses & USES_SHAPES)
		load_shapes(snapshot, pool, read_only);
	/* turns are in the order of time, whichever batch gave them */
	snapshot->search.last_turn = GetCurrentTimestamp();
}
