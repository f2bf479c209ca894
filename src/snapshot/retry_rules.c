/*
 * retry_rules.c
 *		What the next attempt of failed work avoids, where the fleet has something
 *		else to offer: the workers on which it failed; where no other could run it,
 *		the devices.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "place/booking.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "snapshot/retry_rules.h"
#include "support/spi_plan.h"

/* Returns whether a worker that an item does not avoid could ever run it. */
bool
others_could(Search *search, const QueueItem *item)
{
	WorkKind *kind = &search->kinds[item->kind];
	Candidate candidate;

	for (int w = 0; w < search->fleet->nworkers; w++)
	{
		bool avoided = false;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < item->navoided && !avoided; i++)
			avoided = item->avoided[i] == w;
		if (!avoided && search_candidate(search, kind, w, &candidate) > FILTERED_NEVER)
			return true;
	}
	return false;
}

/* Finds the workers of a text[] in the fleet. */
static void
find_avoided(const Fleet *fleet, QueueItem *item, Datum array)
{
	Datum *names;
	int n;
	int32 *workers;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &names, NULL,
					  &n);
	workers = palloc(sizeof(int32) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		int worker = fleet_worker(fleet, TextDatumGetCString(names[i]));

		if (worker >= 0)
			workers[item->navoided++] = worker;
	}
	item->avoided = workers;
}

/*
 * Lets items avoid the devices on which they have failed, where others could ever
 * run them: those whose workers all have been tried.
 */
static void
avoid_failed_devices(PoolSnapshot *snapshot, const char *pool, const int *items, int count,
					 bool read_only)
{
	static SpiPlan statement = {
		"SELECT DISTINCT n.ord::int, a.worker_id, d.device_no"
		" FROM unnest($2, $3) WITH ORDINALITY n(workload_id, run, ord)"
		" JOIN hwsched.assignment a ON a.pool = $1 AND a.workload_id = n.workload_id"
		"  AND a.run = n.run AND a.error_class IS NOT NULL AND NOT a.is_gang"
		" CROSS JOIN unnest(a.device_nos) d(device_no) ORDER BY 1",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID}};
	Search *search = &snapshot->search;
	Datum *workloads = palloc(sizeof(Datum) * count);
	Datum *runs = palloc(sizeof(Datum) * count);
	int32 *devices;
	int kept = 0;

	for (int i = 0; i < count; i++)
	{
		workloads[i] = snapshot->rows[items[i]].workload_id;
		runs[i] = Int32GetDatum(snapshot->rows[items[i]].run);
	}
	spi_plan_run(&statement, read_only, TEXT_VALUE(pool),
				 array_value(TEXTOID, workloads, NULL, count),
				 array_value(INT4OID, runs, NULL, count));
	devices = palloc_huge(sizeof(int32) * (SPI_processed + 1));
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		QueueItem *item = &snapshot->items[items[column_int(row, 1) - 1]];
		int device = fleet_device(search->fleet, column_text(row, 2), column_int(row, 3));

		if (device < 0)
			continue;
		/* those of an item are one behind the other */
		if (item->navoided_devices++ == 0)
			item->avoided_devices = &devices[kept];
		devices[kept++] = device;
	}
	for (int i = 0; i < count; i++)
	{
		QueueItem *item = &snapshot->items[items[i]];
		bool others;

		if (item->navoided_devices == 0)
			continue;
		avoid_devices(search, item, true);
		others = others_could(search, item);
		avoid_devices(search, item, false);
		if (!others)
			item->navoided_devices = 0;
	}
}

/*
 * Lets retries avoid workers, or devices of them, and ask for more than they did,
 * where the fleet has something else; it has been read as a whole.  A worker that
 * is busy, or offline, is something else, too: for that a retry waits.
 */
void
consider_retries(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	Search *search = &snapshot->search;
	int *tried = palloc_huge(sizeof(int) * (snapshot->nitems + 1));
	int ntried = 0;

	for (int i = 0; i < snapshot->nitems; i++)
	{
		QueueItem *item = &snapshot->items[i];
		const QueueRow *row = &snapshot->rows[i];

		if (row->own_kind >= 0 &&
			search_filter_reason(search, &search->kinds[item->kind]) <= FILTERED_NEVER)
			item->kind = row->own_kind;
		if (row->avoided != (Datum) 0)
		{
			find_avoided(&snapshot->fleet, item, row->avoided);
			if (item->navoided > 0 && !others_could(search, item))
			{
				item->navoided = 0;
				tried[ntried++] = i;
			}
		}
	}
	if (ntried > 0)
		avoid_failed_devices(snapshot, pool, tried, ntried, read_only);
	pfree(tried);
}
