/*
 * windows.c
 *		Maintenance windows of workers: what would reach into one is not placed there.
 *
 * A window that has begun is as good as draining (see fleet.c).  Before that, an
 * item avoids the worker if the P90 of what it would take there ends in the window.
 */
#include "postgres.h"

#include "place/candidate.h"
#include "place/policy.h"
#include "snapshot/windows.h"
#include "support/spi_plan.h"

/* Returns whether any worker of a pool has a window that is not over. */
bool
has_windows(const char *pool, bool read_only)
{
	/* in an index that is next to empty */
	static SpiPlan statement = {"SELECT FROM hwsched.worker WHERE pool = $1"
								" AND drain_until IS NOT NULL AND drain_until > now() LIMIT 1",
								{TEXTOID}};

	return spi_plan_run(&statement, read_only, TEXT_VALUE(pool)) > 0;
}

/* The workers that the last item of a kind had to avoid: the next one is often alike. */
typedef struct LastAvoided
{
	bool known;
	double expected_seconds;
	int32 subject;
	int32 count;
	int32 *workers;
} LastAvoided;

/*
 * Returns whether an item, placed on a worker now, would reach into its window: so it
 * does where it does not fit now, as then nobody knows.
 */
static bool
reaches_window(Search *search, const QueueItem *item, int worker)
{
	WorkKind *kind = &search->kinds[item->kind];
	Candidate candidate;
	double seconds;

	if (search_candidate(search, kind, worker, &candidate) != FITS)
		return true;
	seconds = candidate_seconds(search, kind, &candidate, item->expected_seconds, item->subject);
	return candidate_p90(search, &candidate, seconds, item->subject) >
		   search->fleet->workers[worker].window_in;
}

static bool
same_seconds(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* Adds workers to those that an item avoids. */
static void
avoid_workers(QueueItem *item, const int32 *workers, int count)
{
	int32 *all = palloc(sizeof(int32) * (item->navoided + count));

	if (item->navoided > 0)
		memcpy(all, item->avoided, sizeof(int32) * item->navoided);
	memcpy(all + item->navoided, workers, sizeof(int32) * count);
	item->avoided = all;
	item->navoided += count;
}

/* Lets each item avoid the workers into whose windows it would reach; the search has begun. */
void
consider_windows(PoolSnapshot *snapshot)
{
	Search *search = &snapshot->search;
	const Fleet *fleet = &snapshot->fleet;
	int32 *ahead = palloc(sizeof(int32) * (fleet->nworkers + 1));
	LastAvoided *last;
	int nahead = 0;

	for (int w = 0; w < fleet->nworkers; w++)
		if (fleet->workers[w].window_in < INFINITY && fleet->workers[w].accepting)
			ahead[nahead++] = w;
	if (nahead == 0)
		return;
	last = palloc0(sizeof(LastAvoided) * (search->nkinds + 1));
	for (int i = 0; i < snapshot->nitems; i++)
	{
		QueueItem *item = &snapshot->items[i];
		LastAvoided *of_kind = &last[item->kind];

		CHECK_FOR_INTERRUPTS();
		if (!of_kind->known || of_kind->subject != item->subject ||
			!same_seconds(of_kind->expected_seconds, item->expected_seconds))
		{
			if (of_kind->workers == NULL)
				of_kind->workers = palloc(sizeof(int32) * nahead);
			*of_kind =
				(LastAvoided){true, item->expected_seconds, item->subject, 0, of_kind->workers};
			for (int a = 0; a < nahead; a++)
				if (reaches_window(search, item, ahead[a]))
					of_kind->workers[of_kind->count++] = ahead[a];
		}
		if (of_kind->count > 0)
			avoid_workers(item, of_kind->workers, of_kind->count);
	}
}
