/*
 * fragmentation.c
 *		How much of a worker's free accelerators the pool's usual work cannot
 *		use, and what a placement does to it.
 *
 * The measure and the gradient, which look at accelerators and cores and not at
 * memory, are those of Weng et al., Beware of
 * Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient
 * Descent (USENIX ATC 2023).
 */
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/fragmentation.h"

/* A whole accelerator, in the unit of the gradient. */
#define WHOLE_MILLI 1000.0

/* How much filling looks at all the work that would fit, and not at the next only. */
#define LOOK_AHEAD 0.15

/* How finely filling tells candidates apart beside other algorithms. */
#define STEPS_BESIDE_OTHERS 200.0

/* Prepares what the search knows of shapes and workers. */
void
fragmentation_begin(Search *search)
{
	SearchState *state = search->state;
	const Fleet *fleet = search->fleet;

	if (search->nshapes == 0)
		return;
	state->fragments = palloc_huge(sizeof(double) * (fleet->nworkers + 1));
	state->unfilled = palloc_huge(sizeof(double) * (fleet->nworkers + 1));
	for (int w = 0; w < fleet->nworkers; w++)
		state->fragments[w] = state->unfilled[w] = NAN;
	state->shape_matches =
		palloc_huge(sizeof(bool) * ((Size) search->nshapes * fleet->nprofiles + 1));
	for (int s = 0; s < search->nshapes; s++)
	{
		WorkKind *kind = &search->shapes[s].kind;
		const NamedNumbers *types = &kind->demand.accelerators;

		kind_begin(search, kind);
		for (int p = 0; p < fleet->nprofiles; p++)
		{
			bool matches = false;

			for (int t = 0; t < Max(types->count, 1); t++)
				matches = matches || is_accelerator(&fleet->profiles[p],
													types->count > 0 ? types->items[t].name : NULL);
			state->shape_matches[s * fleet->nprofiles + p] =
				matches && demand_occupancy(&kind->demand) != OCCUPY_SLOT &&
				pair_of(search, kind, p)->mismatch == MATCHES;
		}
	}
}

/* Notes that what a worker has free has changed. */
void
fragmentation_changed(Search *search, int worker)
{
	if (search->state->fragments != NULL)
		search->state->fragments[worker] = search->state->unfilled[worker] = NAN;
}

/*
 * Returns how much of a worker's idle accelerators, in thousandths of one,
 * work of a shape can use now: all of those that have room for it, as long as
 * one more fits; with ahead > 0 that part of it counts by how much is used
 * when as many as fit are there.
 */
static double
usable_milli(const Search *search, int shape, const Worker *worker, double ahead)
{
	const WorkKind *kind = &search->shapes[shape].kind;
	const bool *matches = &search->state->shape_matches[shape * search->fleet->nprofiles];
	int64 max_concurrent = search->settings.max_concurrent;
	int64 whole = WHOLE_SHARE * max_concurrent;
	int64 needed = demanded_room(&kind->demand, max_concurrent);
	int64 cores = worker->cpu_millicores - worker->cpu_used;
	int devices = demanded_devices(&kind->demand);
	int64 roomy = 0;
	double usable;
	double filled;
	int64 places = 0;
	int count = 0;

	if (demand_occupancy(&kind->demand) == OCCUPY_SLOT || kind->demand.cpu_millicores > cores)
		return 0;
	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
	{
		const Device *device = &search->fleet->devices[d];
		int64 room = device_room(device, max_concurrent);

		if (!matches[device->profile] || room < needed)
			continue;
		roomy += room;
		places += room / needed;
		count++;
	}
	if (count < devices)
		return 0;
	/* summed up as integers: the order of alike devices must not matter */
	usable = WHOLE_MILLI * roomy / whole;
	if (ahead == 0)
		return usable;
	places /= devices;
	if (kind->demand.cpu_millicores > 0)
		places = Min(places, cores / kind->demand.cpu_millicores);
	filled = WHOLE_MILLI * (places * devices * needed) / whole;
	return (1.0 - ahead) * usable + ahead * filled;
}

/*
 * Returns the fragmentation of a worker: the part of its idle accelerators, in
 * thousandths of one, that the pool's usual work cannot use, mean over that
 * work.
 */
static double
worker_fragmentation(const Search *search, const Worker *worker, double ahead)
{
	int64 max_concurrent = search->settings.max_concurrent;
	int64 room = 0;
	double idle;
	double unusable = 0;

	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		if (!is_cpu(&search->fleet->profiles[search->fleet->devices[d].profile]))
			room += device_room(&search->fleet->devices[d], max_concurrent);
	idle = WHOLE_MILLI * room / (WHOLE_SHARE * max_concurrent);
	for (int s = 0; s < search->nshapes; s++)
		unusable += search->shapes[s].frequency * (idle - usable_milli(search, s, worker, ahead));
	return unusable;
}

/*
 * Returns by how much, 0..1, a candidate lowers its worker's fragmentation: the
 * logistic function of the drop in whole accelerators.  *before keeps what the
 * fragmentation is now.
 */
static double
drop_score(Search *search, const WorkKind *kind, const Candidate *candidate, double ahead,
		   double *before)
{
	const Worker *worker = &search->fleet->workers[candidate->worker];
	double after;

	if (isnan(*before))
		*before = worker_fragmentation(search, worker, ahead);
	fleet_occupy(search->fleet, kind, candidate->worker, candidate->devices, candidate->ndevices,
				 1);
	after = worker_fragmentation(search, worker, ahead);
	fleet_occupy(search->fleet, kind, candidate->worker, candidate->devices, candidate->ndevices,
				 -1);
	return 1.0 / (1.0 + exp((after - *before) / WHOLE_MILLI));
}

/*
 * Returns the score 0..1 of a candidate, in hundredths, rounded down.  The
 * rounding is part of the published policy: what differs by less is equal, and
 * without it the policy is much worse.
 */
double
fragmentation_score(Search *search, const WorkKind *kind, const Candidate *candidate)
{
	if (search->nshapes == 0)
		return 0.5;
	return floor(100.0 * drop_score(search, kind, candidate, 0,
									&search->state->fragments[candidate->worker])) /
		   100.0;
}

/*
 * Returns the same score, this project's own: it also looks at how far the
 * worker could be filled with each usual kind of work, by accelerators and by
 * cores, and so needs no rounding.  Beside other algorithms it is in two-hundredths,
 * rounded down: what it hardly tells apart is theirs to decide.  A solver that weighs
 * the work of a queue against each other needs the differences.
 */
double
filling_score(Search *search, const WorkKind *kind, const Candidate *candidate)
{
	double score;

	if (search->nshapes == 0)
		return 0.5;
	score = drop_score(search, kind, candidate, LOOK_AHEAD,
					   &search->state->unfilled[candidate->worker]);
	return search->settings.one_by_one && kind->policy->nparts > 1 ?
			   floor(STEPS_BESIDE_OTHERS * score) / STEPS_BESIDE_OTHERS :
			   score;
}
