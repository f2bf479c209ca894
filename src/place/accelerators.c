/*
 * accelerators.c
 *		Which whole accelerators of one worker a workload takes.
 *
 * The types that it names may overlap (a rocm device is a gpu, too), and devices
 * without memory of their own draw on that of their worker together.  So what is
 * looked for is a flow: from the types, each with as many units as are asked for,
 * to the devices of that type, one unit each, and on to their memory, of which
 * the worker's is enough for some of them.  Such a flow is found by augmenting
 * paths (Ford and Fulkerson, "Maximal flow through a network", 1956).
 *
 * A check that fails is found the same way: among the devices that got at least
 * as far as some check, there is a flow or there is none.
 */
#include "place/accelerators.h"

/* --- one type --- */

/* How many devices got how far: those with memory of their own, and those that draw. */
typedef struct Reached
{
	int32 owners[FITS + 1];
	int32 drawers[FITS + 1];
} Reached;

/* Returns how many devices may draw on the worker's memory once a check has been passed. */
static int32
most_drawers(const AcceleratorProblem *problem, int reason)
{
	return reason > FILTERED_HOST_MEMORY_BUSY ? problem->drawers_now :
		   reason > FILTERED_HOST_MEMORY	  ? problem->drawers_ever :
												UNLIMITED_DRAWERS;
}

/*
 * Returns the furthest check, above a least one, that so many devices of a profile reach
 * together (profile -1: of any); the least one if there is none.
 */
static FilterReason
furthest_together(const AcceleratorProblem *problem, int32 profile, int wanted, FilterReason least)
{
	Reached reached = {{0}, {0}};
	int owners = 0;
	int drawers = 0;

	for (int d = 0; d < problem->ndevices; d++)
		if (profile < 0 || problem->profiles[d] == profile)
		{
			if (problem->draws[d])
				reached.drawers[problem->reasons[d]]++;
			else
				reached.owners[problem->reasons[d]]++;
		}
	for (int reason = FITS; reason > (int) least; reason--)
	{
		owners += reached.owners[reason];
		drawers += reached.drawers[reason];
		if (owners + Min(drawers, most_drawers(problem, reason)) >= wanted)
			return (FilterReason) reason;
	}
	return least;
}

/* Returns whether a device is the first of its profile. */
static bool
is_first_of_profile(const AcceleratorProblem *problem, int device)
{
	for (int d = 0; d < device; d++)
		if (problem->profiles[d] == problem->profiles[device])
			return false;
	return true;
}

/* Returns the check that keeps a worker from giving so many devices of one type. */
static FilterReason
refusal_of_type(const AcceleratorProblem *problem, int wanted)
{
	FilterReason furthest = furthest_together(problem, -1, wanted, FILTERED_ACCELERATORS);

	if (!problem->alike || furthest <= FILTERED_ALIKE)
		return furthest;
	furthest = FILTERED_ALIKE;
	for (int d = 0; d < problem->ndevices; d++)
		if (is_first_of_profile(problem, d))
			furthest = furthest_together(problem, problem->profiles[d], wanted, furthest);
	return furthest;
}

/*
 * Chooses the most valuable devices of a profile (-1: of any) that fit one type,
 * equal ones by their number, and sets *value to what they are worth together.
 * Returns false, with nothing of use in chosen, if there are not so many.
 */
static bool
most_valuable(const AcceleratorProblem *problem, const FilterReason *reasons, int32 profile,
			  int wanted, int32 *chosen, double *value)
{
	int32 drawers = problem->drawers_now;
	int count = 0;

	/* a device that is worth more takes the place of the last one, or of the last that draws */
	for (int d = 0; d < problem->ndevices; d++)
	{
		bool draws = problem->draws[d];
		int at;

		if (reasons[d] != FITS || (profile >= 0 && problem->profiles[d] != profile))
			continue;
		if ((draws && drawers == 0) || count == wanted)
		{
			at = count - 1;
			while (at >= 0 && draws && drawers == 0 && !problem->draws[chosen[at]])
				at--;
			if (at < 0 || !(problem->values[d] > problem->values[chosen[at]]))
				continue;
			drawers += problem->draws[chosen[at]];
			for (count--; at < count; at++)
				chosen[at] = chosen[at + 1];
		}
		drawers -= draws;
		for (at = count++; at > 0 && problem->values[d] > problem->values[chosen[at - 1]]; at--)
			chosen[at] = chosen[at - 1];
		chosen[at] = d;
	}
	if (count < wanted)
		return false;
	/* in the order of the worker, as a candidate is valued */
	for (int i = 1; i < count; i++)
		for (int at = i; at > 0 && chosen[at] < chosen[at - 1]; at--)
		{
			int32 swapped = chosen[at];

			chosen[at] = chosen[at - 1];
			chosen[at - 1] = swapped;
		}
	*value = 0;
	for (int i = 0; i < count; i++)
		*value += problem->values[chosen[i]];
	return true;
}

/* A profile, and what its devices are worth together. */
typedef struct ProfileWorth
{
	double value;
	int32 first; /* the lowest of them */
	int32 profile;
} ProfileWorth;

/*
 * Finds the profile whose devices of a type are worth most together, equal ones
 * by the lowest device, of those that come behind another (NULL: of all).
 * Returns false if there is none.
 */
static bool
next_profile(const AcceleratorProblem *problem, const FilterReason *reasons, int wanted,
			 const ProfileWorth *behind, int32 *scratch, ProfileWorth *next)
{
	bool found = false;

	for (int d = 0; d < problem->ndevices; d++)
	{
		double worth;

		if (!is_first_of_profile(problem, d) ||
			!most_valuable(problem, reasons, problem->profiles[d], wanted, scratch, &worth))
			continue;
		if (behind != NULL &&
			(worth > behind->value || (worth == behind->value && scratch[0] <= behind->first)))
			continue;
		if (!found || worth > next->value || (worth == next->value && scratch[0] < next->first))
		{
			*next = (ProfileWorth){worth, scratch[0], problem->profiles[d]};
			found = true;
		}
	}
	return found;
}

/* Chooses devices of the only type that is asked for. */
static FilterReason
choose_of_one_type(const AcceleratorProblem *problem, int32 *chosen, int32 *nchosen)
{
	int wanted = (int) problem->types->items[0].value;
	ProfileWorth best = {0, 0, -1};

	*nchosen = wanted;
	if (wanted > problem->ndevices)
		return FILTERED_ACCELERATORS;
	if ((!problem->alike || wanted == 1 ||
		 next_profile(problem, problem->reasons, wanted, NULL, chosen, &best)) &&
		most_valuable(problem, problem->reasons, best.profile, wanted, chosen, &best.value))
		return FITS;
	return refusal_of_type(problem, wanted);
}

/* --- several types: a flow --- */

typedef struct Flow
{
	const AcceleratorProblem *problem;
	const bool *allowed; /* by type, then by device */
	int32 drawers; /* how many may draw on the worker's memory */
	int32 *type_of; /* by device: what it is taken for; -1: free */
	int32 *load; /* by type: devices that are taken for it */
	int32 drawing; /* of the devices taken */
	bool *fixed; /* by device: it stays taken */
	/* of the path that is looked for */
	bool *type_seen;
	bool memory_seen; /* the worker's */
} Flow;

static int
wanted_of(const Flow *flow, int type)
{
	return (int) flow->problem->types->items[type].value;
}

static bool
is_allowed(const Flow *flow, int type, int device)
{
	return flow->allowed[type * flow->problem->ndevices + device];
}

static bool find_device(Flow *flow, int type);

/* Has a type find another device for one of those that draw, which gives up the memory. */
static bool
give_up_memory(Flow *flow)
{
	flow->memory_seen = true;
	for (int d = 0; d < flow->problem->ndevices; d++)
	{
		int type = flow->type_of[d];

		if (type < 0 || !flow->problem->draws[d] || flow->fixed[d] || flow->type_seen[type])
			continue;
		/* while it looks, the device is neither its own nor free */
		if (find_device(flow, type))
		{
			flow->type_of[d] = -1;
			flow->load[type]--;
			flow->drawing--;
			return true;
		}
	}
	return false;
}

/*
 * Finds one more device for a type, at the end of an augmenting path; returns whether there is
 * one.
 */
static bool
find_device(Flow *flow, int type)
{
	const AcceleratorProblem *problem = flow->problem;

	flow->type_seen[type] = true;
	for (int pass = 0; pass < 3; pass++)
		for (int d = 0; d < problem->ndevices; d++)
		{
			int taken_for = flow->type_of[d];
			bool found;

			if (!is_allowed(flow, type, d) || taken_for == type)
				continue;
			/* free ones first, then those of other types, then those that lack memory */
			if (taken_for < 0 && (!problem->draws[d] || flow->drawing < flow->drawers))
				found = pass == 0;
			else if (taken_for >= 0)
				found = pass == 1 && !flow->type_seen[taken_for] && find_device(flow, taken_for);
			else
				found = pass == 2 && !flow->memory_seen && give_up_memory(flow);
			if (!found)
				continue;
			if (taken_for >= 0)
				flow->load[taken_for]--;
			else
				flow->drawing += problem->draws[d];
			flow->type_of[d] = type;
			flow->load[type]++;
			return true;
		}
	return false;
}

/* Finds a type for a device that has to be taken; those taken before may have to change theirs. */
static bool
place_device(Flow *flow, int device)
{
	int before = flow->type_of[device];

	for (int t = 0; t < flow->problem->types->count; t++)
	{
		bool has_place;

		if (!is_allowed(flow, t, device) || flow->type_seen[t])
			continue;
		flow->type_seen[t] = true;
		has_place = flow->load[t] < wanted_of(flow, t);
		for (int d = 0; d < flow->problem->ndevices && !has_place; d++)
			has_place = flow->type_of[d] == t && place_device(flow, d);
		if (!has_place)
			continue;
		if (before >= 0)
			flow->load[before]--;
		flow->type_of[device] = t;
		flow->load[t]++;
		return true;
	}
	return false;
}

static void
begin_path(Flow *flow)
{
	memset(flow->type_seen, 0, sizeof(bool) * flow->problem->types->count);
	flow->memory_seen = false;
}

/* Looks for devices for all that is asked for, those that are fixed among them. */
static bool
find_flow(Flow *flow)
{
	const AcceleratorProblem *problem = flow->problem;

	memset(flow->load, 0, sizeof(int32) * problem->types->count);
	flow->drawing = 0;
	for (int d = 0; d < problem->ndevices; d++)
		flow->type_of[d] = -1;
	for (int d = 0; d < problem->ndevices; d++)
	{
		if (!flow->fixed[d])
			continue;
		begin_path(flow);
		if (!place_device(flow, d))
			return false;
		flow->drawing += problem->draws[d];
	}
	if (flow->drawing > flow->drawers)
		return false;
	for (int t = 0; t < problem->types->count; t++)
		while (flow->load[t] < wanted_of(flow, t))
		{
			begin_path(flow);
			if (!find_device(flow, t))
				return false;
		}
	return true;
}

/* Finds a flow over the devices that get at least as far as a check. */
static bool
reaches_together(Flow *flow, bool *allowed, int reason)
{
	const AcceleratorProblem *problem = flow->problem;

	for (int i = 0; i < problem->types->count * problem->ndevices; i++)
		allowed[i] = (int) problem->reasons[i] >= reason;
	flow->drawers = most_drawers(problem, reason);
	return find_flow(flow);
}

/* Returns whether a check tells devices apart, or how many of them may draw on memory. */
static bool
makes_difference(const AcceleratorProblem *problem, int reason)
{
	if (reason == FILTERED_HOST_MEMORY || reason == FILTERED_HOST_MEMORY_BUSY)
		return true;
	for (int i = 0; i < problem->types->count * problem->ndevices; i++)
		if ((int) problem->reasons[i] == reason)
			return true;
	return false;
}

/*
 * Gives each type of which several are asked for, one after the other, to the
 * most valuable profile with which all can still be had; to any where there is none.
 */
static void
prefer_alike(Flow *flow, bool *allowed, int32 *scratch)
{
	const AcceleratorProblem *problem = flow->problem;

	for (int t = 0; t < problem->types->count; t++)
	{
		const FilterReason *reasons = &problem->reasons[t * problem->ndevices];
		bool *of_type = &allowed[t * problem->ndevices];
		int wanted = wanted_of(flow, t);
		ProfileWorth worth;
		ProfileWorth *behind = NULL;
		bool kept = false;

		if (wanted == 1)
			continue;
		while (!kept && next_profile(problem, reasons, wanted, behind, scratch, &worth))
		{
			for (int d = 0; d < problem->ndevices; d++)
				of_type[d] = reasons[d] == FITS && problem->profiles[d] == worth.profile;
			kept = find_flow(flow);
			behind = &worth;
		}
		for (int d = 0; d < problem->ndevices && !kept; d++)
			of_type[d] = reasons[d] == FITS;
	}
}

/*
 * Takes the most valuable device with which there is a flow, then the most
 * valuable beside it, until there are enough; equal ones by their number.
 */
static void
fix_most_valuable(Flow *flow, int wanted, int32 *order, int32 *chosen)
{
	const AcceleratorProblem *problem = flow->problem;
	int nordered = 0;
	int nfixed = 0;
	int n = 0;

	for (int d = 0; d < problem->ndevices; d++)
	{
		bool fits = false;
		int at;

		for (int t = 0; t < problem->types->count; t++)
			fits = fits || is_allowed(flow, t, d);
		if (!fits)
			continue;
		for (at = nordered++; at > 0 && problem->values[d] > problem->values[order[at - 1]]; at--)
			order[at] = order[at - 1];
		order[at] = d;
	}
	for (int i = 0; i < nordered && nfixed < wanted; i++)
	{
		flow->fixed[order[i]] = true;
		if (find_flow(flow))
			nfixed++;
		else
			flow->fixed[order[i]] = false;
	}
	for (int d = 0; d < problem->ndevices; d++)
		if (flow->fixed[d])
			chosen[n++] = d;
}

/* Chooses devices of several types. */
static FilterReason
choose_of_types(const AcceleratorProblem *problem, int32 *chosen, int32 *nchosen)
{
	int ntypes = problem->types->count;
	int ndevices = problem->ndevices;
	FilterReason result = FILTERED_ACCELERATORS;
	double wanted = 0;
	bool *allowed;
	int32 *order;
	Flow flow = {.problem = problem};

	for (int t = 0; t < ntypes; t++)
		wanted += problem->types->items[t].value;
	if (wanted > ndevices)
		return result;
	*nchosen = (int32) wanted;
	flow.allowed = allowed = palloc(sizeof(bool) * ntypes * ndevices);
	flow.type_of = palloc(sizeof(int32) * ndevices);
	flow.load = palloc(sizeof(int32) * ntypes);
	flow.fixed = palloc0(sizeof(bool) * ndevices);
	flow.type_seen = palloc(sizeof(bool) * ntypes);
	order = palloc(sizeof(int32) * ndevices);
	for (int reason = FITS; reason > FILTERED_ACCELERATORS && result == FILTERED_ACCELERATORS;
		 reason--)
		if (makes_difference(problem, reason) && reaches_together(&flow, allowed, reason))
			result = (FilterReason) reason;
	if (result == FITS)
	{
		if (problem->alike)
			prefer_alike(&flow, allowed, order);
		fix_most_valuable(&flow, (int) wanted, order, chosen);
	}
	pfree(allowed);
	pfree(flow.type_of);
	pfree(flow.load);
	pfree(flow.fixed);
	pfree(flow.type_seen);
	pfree(order);
	return result;
}

/*
 * Chooses as many devices as are asked for, of each type.  Returns FITS and the
 * numbers of *nchosen devices, in order, or the check that keeps the worker from
 * giving them all; chosen has room for all its devices.
 */
FilterReason
accelerators_choose(const AcceleratorProblem *problem, int32 *chosen, int32 *nchosen)
{
	return problem->types->count == 1 ? choose_of_one_type(problem, chosen, nchosen) :
										choose_of_types(problem, chosen, nchosen);
}
