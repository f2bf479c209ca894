/*
 * gang.c
 *		Work that takes several workers at once: all of its shards or replicas
 *		are placed, or none.
 */
#include "place/booking.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/gang.h"
#include "place/group.h"
#include "place/order.h"
#include "place/search_policy.h"

/* A member of a gang that is being put together. */
typedef struct Member
{
	Candidate candidate; /* with devices of its own */
	double score; /* beside all candidates that the gang has, those of other members too */
	double seconds;
	double spread; /* of the P90 over that */
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
	int32 *own = palloc(sizeof(int32) * (most + 1));
	int count = 0;

	while (count < most)
	{
		Member *member = &members[count];
		int32 *devices;

		CHECK_FOR_INTERRUPTS();
		if (!group_search_best(search, kind, item->group, own, count, &member->candidate,
							   &member->score))
			break;
		own[count] = member->candidate.devices[0];
		devices = palloc(sizeof(int32) * member->candidate.ndevices);
		memcpy(devices, member->candidate.devices, sizeof(int32) * member->candidate.ndevices);
		member->candidate.devices = devices;
		member->seconds = candidate_seconds(search, kind, &member->candidate,
											item->expected_seconds, item->subject);
		member->spread = candidate_p90(search, &member->candidate, 1.0, item->subject);
		member->formula_seconds =
			candidate_base_seconds(search, kind, &member->candidate, item->expected_seconds);
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
	pfree(own);
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
	int most = quota_members(search, kind, gang_most(&kind->profile, &kind->demand));
	bool sharded = profile_strategy(&kind->profile) == STRATEGY_SHARDED;
	Member *members = palloc(sizeof(Member) * most);
	int32 *cordoned = palloc(sizeof(int32) * (item->navoided + 1));
	int ncordoned = cordon_avoided(search, item, cordoned);
	int found = find_members(search, kind, item, members, most);

	for (int i = 0; i < ncordoned; i++)
		cordon_worker(search, cordoned[i], false);
	pfree(cordoned);
	if (found >= least)
	{
		double seconds = 0;
		int count = sharded ? quickest_count(members, found, least, &seconds) : found;

		for (int i = 0; i < count; i++)
		{
			Placement *placement =
				reserve_candidate(search, kind, index, &members[i].candidate, members[i].score);

			note_place(search, item, members[i].candidate.worker, members[i].candidate.devices[0]);
			placement->shard_no = i;
			placement->predicted_seconds = sharded ? seconds : members[i].seconds;
			placement->p90_seconds = placement->predicted_seconds * members[i].spread;
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
