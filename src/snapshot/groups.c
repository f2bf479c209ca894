/*
 * groups.c
 *		Reads which groups the queue's work is of, and where others of them are.
 *
 * A group stands in the requirements only: most pools have none, and those that
 * have one pay where it counts.
 */
#include "postgres.h"

#include "place/fleet.h"
#include "place/group.h"
#include "snapshot/groups.h"
#include "support/spi_plan.h"
#include "support/strtab.h"

/* Returns the index of a worker's device of a number, or -1. */
static int32
device_at(const Fleet *fleet, int worker_index, int32 device_no)
{
	const Worker *worker = &fleet->workers[worker_index];

	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		if (fleet->devices[d].device_no == device_no)
			return d;
	return -1;
}

/* Numbers the groups of the items that look at theirs; returns the names. */
static HTAB *
number_groups(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	static SpiPlan statement = {
		"SELECT i.ord::int, s.requirements ->> 'group'"
		" FROM unnest($2, $3) i(workload_id, ord)"
		" JOIN hwsched.submission s ON s.pool = $1 AND s.workload_id = i.workload_id"
		" WHERE s.requirements ->> 'group' IS NOT NULL",
		{TEXTOID, TEXTARRAYOID, INT4ARRAYOID}};
	Search *search = &snapshot->search;
	HTAB *names = strtab_create("hwsched groups");
	Datum *ids =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (snapshot->nitems + 1));
	Datum *numbers =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (snapshot->nitems + 1));
	int n = 0;

	for (int i = 0; i < snapshot->nitems; i++)
		if (snapshot->items[i].grouped)
		{
			ids[n] = snapshot->rows[i].workload_id;
			numbers[n++] = Int32GetDatum(i);
		}
	if (n == 0)
		return names;
	spi_plan_run(&statement, read_only, TEXT_VALUE(pool), array_value(TEXTOID, ids, NULL, n),
				 array_value(INT4OID, numbers, NULL, n));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char *name = column_text(i, 2);
		bool found;
		StrtabEntry *entry = strtab_enter(names, name, strlen(name), &found);

		if (!found)
			entry->number = ++search->ngroups;
		snapshot->items[column_int(i, 1)].group = entry->number;
	}
	return names;
}

/*
 * Reads the groups of those items of the queue that look at theirs, and the live
 * assignments of others of them.  The fleet has been read before.
 */
void
load_groups(PoolSnapshot *snapshot, const char *pool, bool read_only)
{
	static SpiPlan statement = {
		"SELECT s.requirements ->> 'group', a.worker_id, a.device_nos[1]"
		" FROM hwsched.assignment a"
		" JOIN hwsched.submission s ON s.pool = a.pool AND s.workload_id = a.workload_id"
		" WHERE a.pool = $1 AND a.finished_at IS NULL"
		" AND s.requirements ->> 'group' IS NOT NULL ORDER BY a.assignment_id",
		{TEXTOID}};
	Search *search = &snapshot->search;
	HTAB *names;

	search->ngroups = 0;
	names = number_groups(snapshot, pool, read_only);
	search->groups = palloc0(sizeof(WorkGroup) * (search->ngroups + 1));
	if (search->ngroups == 0)
		return;
	spi_plan_run(&statement, read_only, TEXT_VALUE(pool));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char *name = column_text(i, 1);
		StrtabEntry *entry = strtab_find(names, name, strlen(name));
		int worker = fleet_worker(&snapshot->fleet, column_text(i, 2));
		QueueItem item = {.group = entry != NULL ? entry->number : 0};
		int32 device = worker < 0 ? -1 : device_at(&snapshot->fleet, worker, column_int(i, 3));

		if (device >= 0)
			group_join(search, &item, worker, device);
	}
}
