/*
 * dependency.c
 *		Workloads that wait for others to complete.
 *
 * hwsched.dependency holds what is not met yet, and hwsched.pending has
 * ready_at = 'infinity' for those that wait.  Whoever submits what depends on
 * others has locked the pool, and so has whoever completes workloads: one of
 * the two comes first, and the other sees what it did.  An old snapshot
 * (REPEATABLE READ) would not, so what decides is read with a new one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "document/json.h"
#include "store/dependency.h"
#include "store/wakeup.h"
#include "support/spi_plan.h"
#include "support/strtab.h"

/* Reads what is committed by now, and what this transaction has done. */
#define run_latest(statement, ...) \
	(PushActiveSnapshot(GetLatestSnapshot()), spi_plan_run(statement, true, __VA_ARGS__))

/* --- what is submitted --- */

/* Notes that a workload of the call depends on another. */
void
dependencies_note(Dependencies *dependencies, int waiting, const char *depends_on)
{
	int n = dependencies->count;

	if (n == dependencies->allocated)
	{
		Size size;

		dependencies->allocated = Max(64, n * 2);
		size = dependencies->allocated;
		dependencies->waiting = n == 0 ? palloc(sizeof(int32) * size) :
										 repalloc_huge(dependencies->waiting, sizeof(int32) * size);
		dependencies->depends_on =
			n == 0 ? palloc(sizeof(char *) * size) :
					 repalloc_huge(dependencies->depends_on, sizeof(char *) * size);
	}
	dependencies->waiting[n] = waiting;
	dependencies->depends_on[n] = pstrdup(depends_on);
	dependencies->count++;
}

/* A workload in the graph of what waits for what. */
typedef struct GraphNode
{
	const char *id;
	bool known; /* it is in the call, or has been submitted */
	bool completed;
	const char *failed; /* dead or cancelled; NULL: neither */
	int32 first_edge; /* in Graph.targets */
	int32 next_edge; /* while it is on the path */
	enum
	{
		NOT_VISITED,
		ON_PATH,
		VISITED
	} visit;
} GraphNode;

typedef struct Graph
{
	int ncall; /* of the call; they come first */
	HTAB *call; /* their numbers */
	HTAB *others; /* those of the others */
	int nworkloads;
	int allocated;
	GraphNode *workloads;
	int nedges;
	int edges_allocated;
	int32 *sources;
	int32 *ends;
	int32 *targets; /* the ends, by source */
} Graph;

/* Begins a graph of the workloads of a call, whose numbers are in a table. */
static Graph
graph_begin(HTAB *call, int ncall)
{
	Graph graph = {.ncall = ncall, .nworkloads = ncall, .allocated = ncall + 64, .call = call};
	HASH_SEQ_STATUS scan;
	StrtabEntry *entry;

	graph.others = strtab_create("hwsched dependencies");
	graph.workloads =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(GraphNode) * graph.allocated);
	hash_seq_init(&scan, call);
	while ((entry = hash_seq_search(&scan)) != NULL)
		graph.workloads[entry->number] = (GraphNode){.id = entry->key.data, .known = true};
	return graph;
}

/* Returns the number of a workload, after adding it if it is new. */
static int32
graph_workload(Graph *graph, const char *id)
{
	StrtabEntry *entry = strtab_find(graph->call, id, strlen(id));
	bool found = entry != NULL;

	if (!found)
		entry = strtab_enter(graph->others, id, strlen(id), &found);
	if (!found)
	{
		if (graph->nworkloads == graph->allocated)
		{
			graph->allocated *= 2;
			graph->workloads =
				repalloc_huge(graph->workloads, sizeof(GraphNode) * graph->allocated);
		}
		graph->workloads[graph->nworkloads] = (GraphNode){.id = entry->key.data};
		entry->number = graph->nworkloads++;
	}
	return entry->number;
}

/* Adds that one workload waits for another. */
static void
graph_edge(Graph *graph, int32 source, int32 end)
{
	if (graph->nedges == graph->edges_allocated)
	{
		graph->edges_allocated = Max(64, graph->edges_allocated * 2);
		graph->sources = graph->nedges == 0 ?
							 palloc(sizeof(int32) * graph->edges_allocated) :
							 repalloc_huge(graph->sources, sizeof(int32) * graph->edges_allocated);
		graph->ends = graph->nedges == 0 ?
						  palloc(sizeof(int32) * graph->edges_allocated) :
						  repalloc_huge(graph->ends, sizeof(int32) * graph->edges_allocated);
	}
	graph->sources[graph->nedges] = source;
	graph->ends[graph->nedges++] = end;
}

/* Puts the edges from each workload behind one another. */
static void
sort_edges(Graph *graph)
{
	int32 *next = palloc0(sizeof(int32) * (graph->nworkloads + 1));
	int32 at = 0;

	graph->targets =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32) * (graph->nedges + 1));
	for (int e = 0; e < graph->nedges; e++)
		next[graph->sources[e]]++;
	for (int i = 0; i < graph->nworkloads; i++)
	{
		int32 count = next[i];

		graph->workloads[i].first_edge = graph->workloads[i].next_edge = next[i] = at;
		at += count;
	}
	for (int e = 0; e < graph->nedges; e++)
		graph->targets[next[graph->sources[e]]++] = graph->ends[e];
	pfree(next);
}

/* Names a key of a workload of the call. */
static const char *
key_path(int item, bool in_array)
{
	return in_array ? document_path(psprintf("[%d]", item), "depends_on") : "depends_on";
}

/* Raises that the end of a path leads back to where it was before. */
pg_noreturn static void
refuse_cycle(const Graph *graph, const int32 *path, int length, int32 back, bool in_array)
{
	StringInfoData cycle;
	int start = 0;
	int first;

	while (path[start] != back)
		start++;
	/* begin with a workload of the call: there is one, as what was there before had no cycle */
	for (first = start; path[first] >= graph->ncall; first++)
		Assert(first < length);
	initStringInfo(&cycle);
	for (int i = 0; i <= length - start; i++)
		appendStringInfo(&cycle, "%s%s", i == 0 ? "" : " -> ",
						 graph->workloads[path[start + (first - start + i) % (length - start)]].id);
	ereport(
		ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
		 errmsg("invalid value for \"%s\": cycle %s", key_path(path[first], in_array), cycle.data),
		 errdetail("Each of these workloads would wait for the next, and none could ever run.")));
}

/* Raises an error if a workload waits for itself, by way of others or not. */
static void
check_cycles(Graph *graph, bool in_array)
{
	int32 *path =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32) * (graph->nworkloads + 1));

	sort_edges(graph);
	for (int i = 0; i < graph->ncall; i++)
	{
		int length = 0;

		if (graph->workloads[i].visit == NOT_VISITED)
			path[length++] = i;
		while (length > 0)
		{
			int32 top = path[length - 1];
			GraphNode *workload = &graph->workloads[top];
			int32 last =
				top + 1 < graph->nworkloads ? graph->workloads[top + 1].first_edge : graph->nedges;
			int32 target;

			CHECK_FOR_INTERRUPTS();
			workload->visit = ON_PATH;
			if (workload->next_edge == last)
			{
				workload->visit = VISITED;
				length--;
				continue;
			}
			target = graph->targets[workload->next_edge++];
			if (graph->workloads[target].visit == ON_PATH)
				refuse_cycle(graph, path, length, target, in_array);
			if (graph->workloads[target].visit == NOT_VISITED)
				path[length++] = target;
		}
	}
}

/* Finds out which of the other workloads the caller knows of, and which have completed. */
static void
read_others(Graph *graph, const char *pool, const Scope *scope)
{
	static SpiPlan statement = {
		"SELECT e.ord::int, s.outcome IS NOT DISTINCT FROM 'completed' OR (s.outcome IS NULL"
		" AND EXISTS ("
		"   SELECT FROM hwsched.assignment a JOIN hwsched.unsettled u ON u.pool = a.pool"
		" AND u.assignment_id = a.assignment_id"
		"   WHERE a.pool = s.pool AND a.workload_id = s.workload_id AND a.run = s.run"
		" AND a.state = 'completed' AND NOT a.is_gang)),"
		" CASE WHEN s.outcome IN ('dead', 'cancelled') THEN s.outcome::text END"
		" FROM unnest($2) WITH ORDINALITY e(id, ord) JOIN hwsched.submission s ON s.pool = $1"
		" AND s.workload_id = e.id"
		" WHERE $3 IS NULL OR EXISTS (SELECT FROM hwsched.workload_profile p"
		"  WHERE p.pool = s.pool AND p.profile_id = s.profile_id AND p.tenant = ANY ($3))",
		{TEXTOID, TEXTARRAYOID, TEXTARRAYOID}};
	int n = graph->nworkloads - graph->ncall;
	const char **ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(char *) * (n + 1));

	if (n == 0)
		return;
	for (int i = 0; i < n; i++)
		ids[i] = graph->workloads[graph->ncall + i].id;
	run_latest(&statement, TEXT_VALUE(pool), text_array(ids, n), scope_tenants(scope));
	PopActiveSnapshot();
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		GraphNode *workload = &graph->workloads[graph->ncall + column_int(i, 1) - 1];

		workload->known = true;
		workload->completed = column_bool(i, 2);
		workload->failed = column_text(i, 3);
	}
}

/*
 * Adds what the other workloads wait for, if that may lead back to the call: if
 * somebody waits for a workload of it, which was closed and is submitted again.
 */
static void
read_waits(Graph *graph, const char *pool)
{
	static SpiPlan probe = {
		"SELECT FROM hwsched.dependency WHERE pool = $1 AND depends_on = ANY ($2) LIMIT 1",
		{TEXTOID, TEXTARRAYOID}};
	static SpiPlan statement = {
		"WITH RECURSIVE reached(id) AS (SELECT unnest($2) COLLATE \"C\" UNION SELECT d.depends_on"
		" FROM reached r"
		"  CROSS JOIN LATERAL (SELECT depends_on FROM hwsched.dependency WHERE pool = $1"
		" AND workload_id = r.id OFFSET 0) d)"
		" SELECT r.id, d.depends_on FROM reached r"
		" CROSS JOIN LATERAL (SELECT depends_on FROM hwsched.dependency WHERE pool = $1"
		" AND workload_id = r.id OFFSET 0) d",
		{TEXTOID, TEXTARRAYOID}};
	int n = graph->nworkloads;
	const char **ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(char *) * (n + 1));

	for (int i = 0; i < n; i++)
		ids[i] = graph->workloads[i].id;
	run_latest(&probe, TEXT_VALUE(pool), text_array(ids, graph->ncall));
	if (SPI_processed > 0 && n > graph->ncall)
	{
		spi_plan_run(&statement, true, TEXT_VALUE(pool),
					 text_array(ids + graph->ncall, n - graph->ncall));
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			int32 source = graph_workload(graph, column_text(i, 1));

			graph_edge(graph, source, graph_workload(graph, column_text(i, 2)));
		}
	}
	PopActiveSnapshot();
}

/*
 * Checks what the workloads of a call, whose numbers are in a table, depend on,
 * and keeps what is not met yet.  goes_on tells of each workload whether it knows
 * what to do if that is dead; with the others comes a WARNING then.
 * Raises ERRCODE_NO_DATA_FOUND for an unknown workload, and
 * ERRCODE_INVALID_PARAMETER_VALUE for a cycle.
 */
void
dependencies_resolve(Dependencies *dependencies, const char *pool, const Scope *scope,
					 HTAB *workload_ids, int count, const bool *goes_on, bool in_array)
{
	Graph graph = graph_begin(workload_ids, count);
	int kept = 0;

	for (int d = 0; d < dependencies->count; d++)
		graph_edge(&graph, dependencies->waiting[d],
				   graph_workload(&graph, dependencies->depends_on[d]));
	read_others(&graph, pool, scope);
	for (int d = 0; d < dependencies->count; d++)
	{
		const GraphNode *workload = &graph.workloads[graph.ends[d]];

		if (!workload->known)
			ereport(ERROR,
					(errcode(ERRCODE_NO_DATA_FOUND),
					 errmsg("unknown workload \"%s\" in \"%s\"", workload->id,
							key_path(dependencies->waiting[d], in_array)),
					 errdetail("It was never submitted to pool \"%s\", nor is it in this call.",
							   pool)));
		if (workload->completed)
			continue;
		if (workload->failed != NULL)
			dependencies->failed = lappend(dependencies->failed, (void *) workload->id);
		if (workload->failed != NULL && !goes_on[dependencies->waiting[d]])
			ereport(WARNING,
					(errmsg("workload \"%s\" depends on workload \"%s\", which is %s",
							graph.workloads[dependencies->waiting[d]].id, workload->id,
							workload->failed),
					 errdetail("It waits until that is tried again and completed."),
					 errhint("%s that again, or say \"on_failed_dependency\": \"cancel\" or"
							 " \"run\".",
							 strcmp(workload->failed, "dead") == 0 ?
								 "Call hwsched.retry_dead() or submit" :
								 "Submit")));
		dependencies->waiting[kept] = dependencies->waiting[d];
		dependencies->depends_on[kept++] = dependencies->depends_on[d];
	}
	dependencies->count = kept;
	if (kept == 0)
		return;
	read_waits(&graph, pool);
	check_cycles(&graph, in_array);
}

/* Writes down what the workloads of a call wait for. */
void
dependencies_write(const Dependencies *dependencies, const char *pool, const Datum *workload_ids)
{
	/* a workload may name another twice */
	static SpiPlan statement = {
		"INSERT INTO hwsched.dependency (pool, workload_id, depends_on)"
		" SELECT $1, d.workload_id, d.depends_on FROM unnest($2, $3) d(workload_id, depends_on)"
		" ON CONFLICT DO NOTHING",
		{TEXTOID, TEXTARRAYOID, TEXTARRAYOID}};
	int n = dependencies->count;
	Datum *ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (n + 1));

	for (int d = 0; d < n; d++)
		ids[d] = workload_ids[dependencies->waiting[d]];
	spi_plan_run(&statement, false, TEXT_VALUE(pool), array_value(TEXTOID, ids, NULL, n),
				 text_array(dependencies->depends_on, n));
}

/* --- what has ended --- */

/* Lets those of some workloads be placed that have come to wait for nothing any more. */
void
dependencies_dropped(const char *pool, const char *const *workload_ids, int count)
{
	static SpiPlan find_free = {
		"SELECT DISTINCT e.id FROM unnest($2) e(id)"
		" WHERE NOT EXISTS (SELECT FROM hwsched.dependency d WHERE d.pool = $1"
		" AND d.workload_id = e.id)",
		{TEXTOID, TEXTARRAYOID}};
	static SpiPlan set_ready = {
		"UPDATE hwsched.pending p SET ready_at = coalesce(p.run_at, '-infinity')"
		" FROM hwsched.submission s"
		" WHERE s.pool = $1 AND s.workload_id = ANY ($2) AND p.ready_at = 'infinity'"
		"  AND p.pool = s.pool AND p.priority = s.priority AND p.deadline = s.deadline"
		" AND p.queue_no = s.queue_no",
		{TEXTOID, TEXTARRAYOID}};
	const char **ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(char *) * (count + 1));
	int n;

	if (count == 0)
		return;
	n = (int) run_latest(&find_free, TEXT_VALUE(pool), text_array(workload_ids, count));
	PopActiveSnapshot();
	for (int i = 0; i < n; i++)
		ids[i] = column_text(i, 1);
	if (n == 0)
		return;
	spi_plan_run(&set_ready, false, TEXT_VALUE(pool), text_array(ids, n));
	wake_for_work(pool);
}

/*
 * Meets the dependencies on workloads that have completed: what waits for
 * nothing else becomes ready.
 */
void
dependencies_met(const char *pool, const char *const *workload_ids, int count)
{
	/* most pools have none, which takes one look */
	static SpiPlan find = {"SELECT d.workload_id FROM hwsched.dependency d WHERE EXISTS (SELECT"
						   " FROM hwsched.dependency WHERE pool = $1)"
						   " AND d.pool = $1 AND d.depends_on = ANY ($2)",
						   {TEXTOID, TEXTARRAYOID}};
	static SpiPlan meet = {
		"DELETE FROM hwsched.dependency WHERE pool = $1 AND depends_on = ANY ($2)",
		{TEXTOID, TEXTARRAYOID}};
	Parameter completed = text_array(workload_ids, count);
	const char **ids;
	int n = (int) run_latest(&find, TEXT_VALUE(pool), completed);

	PopActiveSnapshot();
	if (n == 0)
		return;
	ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(char *) * n);
	for (int i = 0; i < n; i++)
		ids[i] = column_text(i, 1);
	if (spi_plan_run(&meet, false, TEXT_VALUE(pool), completed) < n)
		ereport(
			ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to a workload that was submitted at the same"
					" time")));
	dependencies_dropped(pool, ids, n);
}

/* Forgets what workloads wait for, as they are closed. */
void
dependencies_forget(const char *pool, const char *const *workload_ids, int count)
{
	static SpiPlan statement = {
		"DELETE FROM hwsched.dependency WHERE pool = $1 AND workload_id = ANY ($2)",
		{TEXTOID, TEXTARRAYOID}};

	spi_plan_run(&statement, false, TEXT_VALUE(pool), text_array(workload_ids, count));
}
