/*
 * trial.c
 *		Copies of a search, on which something is tried.
 */
#include "place/trial.h"
#include "support/arena.h"

/* Returns a copy of so many bytes. */
void *
copy_array(const void *source, Size size)
{
	void *copy = palloc_huge(size + 1);

	/* an empty array may be NULL */
	if (size > 0)
		memcpy(copy, source, size);
	return copy;
}

/*
 * Returns a copy of a search with a fleet of its own, to try something on; it has to be begun.
 * Reservations are still those of the other.
 */
Search *
search_copy(const Search *search)
{
	Search *copy = copy_array(search, sizeof(Search));
	const Fleet *fleet = search->fleet;
	int nmodels = 0;

	copy->fleet = copy_array(fleet, sizeof(Fleet));
	copy->fleet->workers = copy_array(fleet->workers, sizeof(Worker) * fleet->nworkers);
	copy->fleet->devices = copy_array(fleet->devices, sizeof(Device) * fleet->ndevices);
	copy->kinds = copy_array(search->kinds, sizeof(WorkKind) * search->nkinds);
	copy->shapes = copy_array(search->shapes, sizeof(Shape) * search->nshapes);
	for (int k = 0; k < search->nkinds; k++)
		nmodels = Max(nmodels, Max(search->kinds[k].model, search->kinds[k].family) + 1);
	copy->model_workers = copy_array(search->model_workers, sizeof(int32) * nmodels);
	if (search->nkeys > 0)
		copy->key_rooms = copy_array(search->key_rooms, sizeof(KeyRoom) * search->nkeys);
	if (search->ngroups > 0)
	{
		copy->groups = copy_array(search->groups, sizeof(WorkGroup) * (search->ngroups + 1));
		for (int g = 1; g <= search->ngroups; g++)
		{
			WorkGroup *group = &copy->groups[g];

			if (group->count > 0)
				group->members = copy_array(group->members, sizeof(GroupMember) * group->count);
			group->allocated = group->count;
		}
	}
	copy->keeps_scores = false;
	copy->tenants = copy_array(search->tenants, sizeof(Tenant) * search->ntenants);
	return copy;
}
