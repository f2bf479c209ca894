/*
 * group.c
 *		Work that looks at where others of its group are: apart from them, or spread
 *		with them over the values of a label.
 *
 * The devices that are out of question for one decision are masked, which costs
 * one pass over the fleet and leaves all that the search keeps as it is.
 */
#include "place/booking.h"
#include "place/candidate.h"
#include "place/group.h"
#include "place/search_policy.h"

/* Notes that an item got a place, of which device is the first one. */
void
group_join(Search *search, const QueueItem *item, int32 worker, int32 device)
{
	WorkGroup *group;

	if (item->group == 0)
		return;
	group = &search->groups[item->group];
	if (group->count == group->allocated)
	{
		int n = Max(8, group->count * 2);
		GroupMember *members = palloc(sizeof(GroupMember) * n);

		if (group->count > 0)
			memcpy(members, group->members, sizeof(GroupMember) * group->count);
		group->members = members;
		group->allocated = n;
	}
	group->members[group->count++] = (GroupMember){worker, device};
}

/*
 * Notes where an item got a place, of which device is the first one: for others of its group,
 * and for all if it has the worker for itself.
 */
void
note_place(Search *search, const QueueItem *item, int32 worker, int32 device)
{
	group_join(search, item, worker, device);
	if (!item->alone)
		return;
	search->fleet->workers[worker].runs_alone = true;
	worker_changed(search, worker);
}

/* Returns whether an item has to keep away from a worker, as one of its group is there. */
bool
keeps_apart(const Search *search, const QueueItem *item, int32 worker)
{
	const WorkGroup *group;

	if (item->group == 0 || !search->kinds[item->kind].demand.group_apart)
		return false;
	group = &search->groups[item->group];
	for (int i = 0; i < group->count; i++)
		if (group->members[i].worker == worker)
			return true;
	return false;
}

/* Masks the devices of all workers that have one of a group. */
static void
mask_workers(const Search *search, const WorkGroup *group, bool *masked)
{
	for (int i = 0; i < group->count; i++)
	{
		const Worker *worker = &search->fleet->workers[group->members[i].worker];

		memset(&masked[worker->first_device], true, sizeof(bool) * worker->ndevices);
	}
}

/* Returns whether a device takes a kind of work now or soon, whoever is asked. */
static bool
is_in_question(Search *search, WorkKind *kind, int worker_index, int device)
{
	const Worker *worker = &search->fleet->workers[worker_index];
	const NamedNumbers *types = &kind->demand.accelerators;

	return worker->accepting && !worker_is_full(search, worker_index) &&
		   worker_unsuitable(search, kind, worker) == FITS &&
		   device_unsuitable(search, kind, worker, &search->fleet->devices[device],
							 types->count > 0 ? types->items[0].name : NULL, 0) == FITS;
}

/*
 * Returns the least count of a value that is greater than some, of devices that are
 * not masked; INT32_MAX: there is none.  Devices without a value come last.
 */
static int32
next_level(Search *search, WorkKind *kind, const bool *masked, const int32 *counts, int32 above)
{
	const Fleet *fleet = search->fleet;
	int32 next = INT32_MAX;

	for (int w = 0; w < fleet->nworkers; w++)
		for (int d = fleet->workers[w].first_device;
			 d < fleet->workers[w].first_device + fleet->workers[w].ndevices; d++)
		{
			int32 count = counts[kind->spread[d] + 1];

			if (!masked[d] && count > above && count < next &&
				/* who asks for work sees only itself, and leaves it to who should have it */
				(search->claimant == 0 || is_in_question(search, kind, w, d)))
				next = count;
		}
	return next;
}

/* Returns how many of a group, and of a gang's own members, have each value of a label. */
static int32 *
count_values(const WorkKind *kind, const WorkGroup *group, const int32 *own, int nown)
{
	int32 *counts = palloc(sizeof(int32) * (kind->nspread + 2));

	memset(counts, 0, sizeof(int32) * (kind->nspread + 2));
	for (int i = 0; group != NULL && i < group->count; i++)
		counts[kind->spread[group->members[i].device] + 1]++;
	for (int i = 0; i < nown; i++)
		counts[kind->spread[own[i]] + 1]++;
	counts[0] = INT32_MAX - 1;
	return counts;
}

/*
 * Finds the best candidate for a kind of work of a group (0: of none) beside what
 * a gang already has, the first devices of its members: on no worker that has one
 * of the group, if the kind is to be apart; and on the values of the label that it
 * is spread over that have the fewest.
 */
bool
group_search_best(Search *search, WorkKind *kind, int32 group, const int32 *own, int nown,
				  Candidate *candidate, double *score)
{
	int ndevices = search->fleet->ndevices;
	const WorkGroup *others = group > 0 ? &search->groups[group] : NULL;
	bool apart = kind->demand.group_apart && others != NULL;
	bool *masked;
	bool *mask;
	int32 *counts;
	int32 level = -1;
	bool found = false;

	if (!apart && kind->spread == NULL)
		return policy_search_best(search, kind, candidate, score);
	masked = palloc_huge(sizeof(bool) * (ndevices + 1));
	memset(masked, false, sizeof(bool) * (ndevices + 1));
	if (apart)
		mask_workers(search, others, masked);
	if (kind->spread == NULL)
	{
		search->state->masked = masked;
		found = policy_search_best(search, kind, candidate, score);
		search->state->masked = NULL;
		pfree(masked);
		return found;
	}
	mask = palloc_huge(sizeof(bool) * (ndevices + 1));
	counts = count_values(kind, others, own, nown);
	while (!found && (level = next_level(search, kind, masked, counts, level)) < INT32_MAX)
	{
		CHECK_FOR_INTERRUPTS();
		for (int d = 0; d < ndevices; d++)
			mask[d] = masked[d] || counts[kind->spread[d] + 1] != level;
		search->state->masked = mask;
		found = policy_search_best(search, kind, candidate, score);
		search->state->masked = NULL;
		if (search->claimant > 0)
			break;
	}
	pfree(masked);
	pfree(mask);
	pfree(counts);
	return found;
}
