/*
 * gang.c
 *		Work that takes several workers at once: all of its shards or replicas
 *		are placed, or none.
 */
#include "place/booking.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/gang.h"
#include "place/search_policy.h"

/* A member of a gang that is being put together. */
typedef struct Member
{
	Candidate candidate; /* with devices of its own */
	double score; /* beside all candidates that the gang has, those of other members too */
	double seconds;
	double formula_seconds;
} Member;

/* Scores the members of a gang, none of which has been placed so far. */
static void
score_members(Search *search, WorkKind *kind, Member *members, int count)
{
	bool several = demanded_devices(&kind->demand) > 1;
	const double *scores;

	if (count == 0)
		return;
	scores = policy_search_scores(search, kind);
	for (int i = 0; i < count; i++)
	{
		const Candidate *candidate = &members[i].candidate;

		members[i].score = scores[several ? search->fleet->workers[candidate->worker].first_device :
											candidate->devices[0]];
	}
}

/*
 * Finds members for a gang, one after the other the best that is left, most of
 * them at the most.  Returns their number; the fleet is as it was.
 */
static int
find_members(Search *search, WorkKind *kind, const QueueItem *item, Member *members, int most)
{
	bool share_worker = may_share_worker(kind);
	int count = 0;

	while (count < most)
	{
		Member *member = &members[count];
		int32 *devices;

		CHECK_FOR_INTERRUPTS();
		if (!policy_search_best(search, kind, &member->candidate, &member->score))
			break;
		devices = palloc(sizeof(int32) * member->candidate.ndevices);
		memcpy(devices, member->candidate.devices, sizeof(int32) * member->candidate.ndevices);
		member->candidate.devices = devices;
		member->seconds = candidate_seconds(search, kind, &member->candidate,
											item->expected_seconds, item->subject);
		member->formula_seconds =
			candidate_seconds(search, kind, &member->candidate, item->expected_seconds, -1);
		fleet_occupy(search->fleet, kind, member->candidate.worker, devices,
					 member->candidate.ndevices, 1);
		cordon_worker(search, member->candidate.worker, !share_worker);
		count++;
	}
	for (int i = count - 1; i >= 0; i--)
	{
		const Candidate *candidate = &members[i].candidate;

		fleet_occupy(search->fleet, kind, candidate->worker, candidate->devices,
					 candidate->ndevices, -1);
		cordon_worker(search, candidate->worker, false);
	}
	score_members(search, kind, members, count);
	return count;
}

/*
 * Returns how many of the members, at least least, give the least predicted
 * time, and sets *seconds to it: n devices need the time of the slowest / n,
 * and a tenth of that for each of them to work together.
 */
static int
quickest_count(const Member *members, int count, int least, double *seconds)
{
	double slowest = 0;
	int quickest = count;

	*seconds = INFINITY;
	for (int n = 1; n <= count; n++)
	{
		double time;

		slowest = Max(slowest, members[n - 1].seconds);
		time = slowest / n * (1.0 + 0.1 * n);
		if (n >= least && time < *seconds)
		{
			*seconds = time;
			quickest = n;
		}
	}
	return quickest;
}

/*
 * Places the gang at items[index], all of it or nothing.  Returns how many
 * shards or replicas it got.
 */
int
place_gang(Search *search, QueueItem *items, int index)
{
	QueueItem *item = &items[index];
	WorkKind *kind = &search->kinds[item->kind];
	int least = gang_least(&kind->profile, &kind->demand);
	int most = gang_most(&kind->profile, &kind->demand);
	bool sharded = profile_strategy(&kind->profile) == STRATEGY_SHARDED;
	Member *members = palloc(sizeof(Member) * most);
	int found = find_members(search, kind, item, members, most);

	if (found >= least)
	{
		double seconds = 0;
		int count = sharded ? quickest_count(members, found, least, &seconds) : found;

		for (int i = 0; i < count; i++)
		{
			Placement *placement =
				reserve_candidate(search, kind, index, &members[i].candidate, members[i].score);

			placement->shard_no = i;
			placement->predicted_seconds = sharded ? seconds : members[i].seconds;
			placement->formula_seconds = members[i].formula_seconds;
			/* a shard's run tells of its model what a whole one would */
			if (sharded)
				placement->formula_seconds *= seconds / members[i].seconds;
		}
		item->nplacements = count;
	}
	for (int i = 0; i < found; i++)
		pfree(members[i].candidate.devices);
	pfree(members);
	return item->nplacements;
}

/* --- workers kept for a gang that waits --- */

/* How near a worker is to taking its part of a gang. */
typedef struct Prospect
{
	int32 worker;
	int32 members; /* that it could take if it were empty */
	int32 assignments; /* that have to end first; 0: it could take one now */
} Prospect;

/* Returns how many members of a gang a worker could take if it were empty. */
static int
members_when_empty(Search *search, WorkKind *kind, int worker_index, int most)
{
	Worker *worker = &search->fleet->workers[worker_index];
	Device *devices = &search->fleet->devices[worker->first_device];
	Worker saved = *worker;
	Device *saved_devices = palloc(sizeof(Device) * (worker->ndevices + 1));
	Candidate candidate;
	int members = 0;

	memcpy(saved_devices, devices, sizeof(Device) * worker->ndevices);
	worker->assignments = 0;
	worker->cpu_used = worker->memory_used = 0;
	for (int d = 0; d < worker->ndevices; d++)
	{
		devices[d].slots = devices[d].share = 0;
		devices[d].memory_used = 0;
		/* what loads it may be what it does for us */
		if (saved.assignments > 0)
			devices[d].load = 0;
	}
	while (members < most && search_candidate(search, kind, worker_index, &candidate) == FITS)
	{
		fleet_occupy(search->fleet, kind, worker_index, candidate.devices, candidate.ndevices, 1);
		members++;
	}
	*worker = saved;
	memcpy(devices, saved_devices, sizeof(Device) * worker->ndevices);
	pfree(saved_devices);
	return members;
}

static int
compare_prospects(const void *a, const void *b)
{
	const Prospect *x = a;
	const Prospect *y = b;

	return x->assignments != y->assignments ? x->assignments - y->assignments :
											  x->worker - y->worker;
}

/*
 * Finds the workers that could take a part of a gang if they were empty.  Returns
 * how many parts they could take together.
 */
static int64
find_prospects(Search *search, const QueueItem *item, Prospect *prospects, int *count)
{
	WorkKind *kind = &search->kinds[item->kind];
	int least = gang_least(&kind->profile, &kind->demand);
	int most_here = may_share_worker(kind) ? least : 1;
	int64 members = 0;

	*count = 0;
	for (int w = 0; w < search->fleet->nworkers; w++)
	{
		Prospect *prospect = &prospects[*count];
		Candidate candidate;

		CHECK_FOR_INTERRUPTS();
		prospect->worker = w;
		prospect->members = members_when_empty(search, kind, w, most_here);
		if (prospect->members == 0)
			continue;
		prospect->assignments = search->fleet->workers[w].assignments;
		if (!item->alone)
			prospect->assignments = search_candidate(search, kind, w, &candidate) == FITS ?
										0 :
										Max(prospect->assignments, 1);
		members += prospect->members;
		(*count)++;
	}
	return members;
}

/*
 * Reserves workers for the gang, or what runs alone, at items[index], which has
 * to wait: those that are nearest to taking their part.  They get nothing more, so what they have
 * can only become less, and the gang's turn comes however much small work
 * there is.  A gang that would not even fit into an empty fleet gets none.
 */
void
reserve_for_gang(Search *search, const QueueItem *items, int index)
{
	WorkKind *kind = &search->kinds[items[index].kind];
	int least = gang_least(&kind->profile, &kind->demand);
	Prospect *prospects = palloc_huge(sizeof(Prospect) * (search->fleet->nworkers + 1));
	int count;

	if (find_prospects(search, &items[index], prospects, &count) >= least)
	{
		int64 members = 0;

		qsort(prospects, count, sizeof(Prospect), compare_prospects);
		for (int i = 0; i < count && members < least; i++)
		{
			members += prospects[i].members;
			search->fleet->workers[prospects[i].worker].reserved = true;
			cordon_worker(search, prospects[i].worker, true);
		}
		search->blocked_gang = index;
	}
	pfree(prospects);
}
