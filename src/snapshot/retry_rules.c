/*
 * retry_rules.c
 *		What the next attempt of failed work avoids, where the fleet has something
 *		else to offer.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "place/candidate.h"
#include "place/fleet.h"
#include "snapshot/retry_rules.h"

/* Returns whether a worker that an item does not avoid could ever run it. */
static bool
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
 * Lets retries avoid workers, and ask for more than they did, where the fleet
 * has something else; it has been read as a whole.  A worker that is busy, or
 * offline, is something else, too: for that a retry waits.
 */
void
consider_retries(PoolSnapshot *snapshot)
{
	Search *search = &snapshot->search;

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
				item->navoided = 0;
		}
	}
}
