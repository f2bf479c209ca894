/*
 * optimal_flow.c
 *		The exact part of the optimal batch: work that takes one slot of a
 *		device, or one whole device, as a transportation problem between kinds
 *		of work and lanes of alike devices (place/network_simplex.c), and the decisions of
 *		its solution.
 */
#include "place/booking.h"
#include "place/candidate.h"
#include "place/network_simplex.h"
#include "place/optimal_flow.h"
#include "place/search_policy.h"
#include "place/spare.h"

/* A lane: alike devices of alike workers. */
typedef struct SolverLane
{
	int32 workers; /* class of its workers */
	int32 devices; /* class of its devices */
	int32 example; /* one of the devices */
} SolverLane;

typedef struct Flow
{
	Search *search; /* the trial */
	Occupancy occupancy; /* of the work it places */
	int nkinds; /* numbers of the kinds, in search->kinds */
	int32 *kinds;
	int64 *supply; /* by kind */
	int32 *device_class; /* by device; -1: of no use */
	int nworker_classes;
	int32 *worker_class; /* by worker */
	int nlanes;
	SolverLane *lanes;
	int64 *capacity; /* by lane */
	int32 *group; /* by lane: the class of its workers */
	int64 *group_capacity;
} Flow;

/*
 * What it is worth to spare accelerators, for each step: less than any difference
 * of scores that means something, so that it decides among equal ones.
 */
#define SPARING_WORTH 1e-9

/* Returns whether the flow is of work that spares accelerators. */
static bool
flow_spares(const Flow *flow)
{
	return flow->nkinds > 0 &&
		   spares_accelerators(flow->search, &flow->search->kinds[flow->kinds[0]]);
}

/* Returns how many units of the flow's work a device takes. */
static int64
device_units(const Flow *flow, int device)
{
	int64 max_concurrent = flow->search->settings.max_concurrent;
	int64 room = device_room(&flow->search->fleet->devices[device], max_concurrent);

	return flow->occupancy == OCCUPY_SLOT ? room / WHOLE_SHARE :
											room == WHOLE_SHARE * max_concurrent;
}

/* Returns how many more assignments a worker may have. */
static int64
worker_units(const Flow *flow, int worker_index)
{
	const Worker *worker = &flow->search->fleet->workers[worker_index];

	return worker->max_concurrent == 0 ? TRANSPORT_UNLIMITED :
										 Max(0, worker->max_concurrent - worker->assignments);
}

/* A device with what it is told from others by. */
typedef struct Keyed
{
	int32 index;
	int32 before; /* its class so far */
	double value; /* NAN: none */
} Keyed;

static int
compare_keyed(const void *a, const void *b)
{
	const Keyed *x = a;
	const Keyed *y = b;

	if (x->before != y->before)
		return x->before - y->before;
	if (isnan(x->value) || isnan(y->value))
		return isnan(x->value) != isnan(y->value) ? (isnan(x->value) ? 1 : -1) :
													x->index - y->index;
	return x->value != y->value ? (x->value < y->value ? -1 : 1) : x->index - y->index;
}

/* Splits classes by a value: what is alike in both stays together. */
static int
split_classes(Keyed *keyed, int count, int32 *classes)
{
	int n = 0;

	qsort(keyed, count, sizeof(Keyed), compare_keyed);
	for (int i = 0; i < count; i++)
	{
		if (i == 0 || keyed[i].before != keyed[i - 1].before ||
			!(keyed[i].value == keyed[i - 1].value ||
			  (isnan(keyed[i].value) && isnan(keyed[i - 1].value))))
			n++;
		classes[keyed[i].index] = n - 1;
	}
	return n;
}

/* Sorts the devices into classes: alike in room and in score to every kind. */
static void
classify_devices(Flow *flow)
{
	Search *search = flow->search;
	const Device *devices = search->fleet->devices;
	int ndevices = search->fleet->ndevices;
	bool spares = flow_spares(flow);
	bool strictly = spares && search->settings.spare_accelerators == SPARE_STRICTLY;
	Keyed *keyed = palloc_huge(sizeof(Keyed) * (ndevices + 1));
	bool *useful = palloc_huge(sizeof(bool) * (ndevices + 1));

	flow->device_class = palloc_huge(sizeof(int32) * (ndevices + 1));
	for (int d = 0; d < ndevices; d++)
	{
		keyed[d] = (Keyed){d, 0, device_units(flow, d)};
		useful[d] = false;
	}
	split_classes(keyed, ndevices, flow->device_class);
	if (spares)
	{
		for (int d = 0; d < ndevices; d++)
			keyed[d] = (Keyed){d, flow->device_class[d], devices[d].sparing};
		split_classes(keyed, ndevices, flow->device_class);
	}
	for (int k = 0; k < flow->nkinds; k++)
	{
		const double *scores = policy_search_scores(search, &search->kinds[flow->kinds[k]]);

		CHECK_FOR_INTERRUPTS();
		for (int d = 0; d < ndevices; d++)
		{
			keyed[d] = (Keyed){d, flow->device_class[d], scores[d]};
			/* what CPUs do not take is placed one by one, on accelerators, too */
			useful[d] = useful[d] || (!isnan(scores[d]) && !(strictly && devices[d].sparing == 0));
		}
		split_classes(keyed, ndevices, flow->device_class);
	}
	for (int d = 0; d < ndevices; d++)
		if (!useful[d])
			flow->device_class[d] = -1;
	pfree(keyed);
	pfree(useful);
}

/* Sorts the workers into classes: alike in the classes of their devices and in their limit. */
static void
classify_workers(Flow *flow)
{
	const Fleet *fleet = flow->search->fleet;
	Keyed *keyed = palloc_huge(sizeof(Keyed) * (fleet->nworkers + 1));
	int most_devices = 0;

	flow->worker_class = palloc_huge(sizeof(int32) * (fleet->nworkers + 1));
	for (int w = 0; w < fleet->nworkers; w++)
	{
		keyed[w] = (Keyed){w, fleet->workers[w].ndevices, worker_units(flow, w)};
		most_devices = Max(most_devices, fleet->workers[w].ndevices);
	}
	flow->nworker_classes = split_classes(keyed, fleet->nworkers, flow->worker_class);
	for (int d = 0; d < most_devices; d++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int w = 0; w < fleet->nworkers; w++)
			keyed[w] = (Keyed){w, flow->worker_class[w],
							   d < fleet->workers[w].ndevices ?
								   flow->device_class[fleet->workers[w].first_device + d] :
								   NAN};
		flow->nworker_classes = split_classes(keyed, fleet->nworkers, flow->worker_class);
	}
	pfree(keyed);
}

/* Makes the lanes, from one worker of each class, with their capacities. */
static void
make_flow_lanes(Flow *flow)
{
	const Fleet *fleet = flow->search->fleet;
	int nclasses = flow->nworker_classes;
	int32 *examples = palloc_huge(sizeof(int32) * (nclasses + 1));
	int64 *members = palloc_huge(sizeof(int64) * (nclasses + 1));
	int most = 0;

	for (int c = 0; c < nclasses; c++)
		members[c] = 0;
	for (int w = 0; w < fleet->nworkers; w++)
		if (members[flow->worker_class[w]]++ == 0)
		{
			examples[flow->worker_class[w]] = w;
			most += fleet->workers[w].ndevices;
		}
	flow->lanes = palloc_huge(sizeof(SolverLane) * (most + 1));
	flow->capacity = palloc_huge(sizeof(int64) * (most + 1));
	flow->group = palloc_huge(sizeof(int32) * (most + 1));
	flow->group_capacity = palloc_huge(sizeof(int64) * (nclasses + 1));
	flow->nlanes = 0;
	for (int c = 0; c < nclasses; c++)
	{
		const Worker *worker = &fleet->workers[examples[c]];
		int64 units = worker_units(flow, examples[c]);
		int first = flow->nlanes;

		flow->group_capacity[c] = units == TRANSPORT_UNLIMITED ? units : units * members[c];
		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		{
			int lane = first;

			if (flow->device_class[d] < 0)
				continue;
			while (lane < flow->nlanes && flow->lanes[lane].devices != flow->device_class[d])
				lane++;
			if (lane == flow->nlanes)
			{
				flow->lanes[lane] = (SolverLane){c, flow->device_class[d], d};
				flow->group[lane] = c;
				flow->capacity[lane] = 0;
				flow->nlanes++;
			}
			flow->capacity[lane] += device_units(flow, d) * members[c];
		}
		/* a lane never takes more than its workers may have */
		for (int lane = first; lane < flow->nlanes && units != TRANSPORT_UNLIMITED; lane++)
			flow->capacity[lane] = Min(flow->capacity[lane], flow->group_capacity[c]);
	}
	pfree(examples);
	pfree(members);
}

/*
 * Solves the flow.  Returns false, without having done anything, if that would
 * take more memory than the settings allow.
 */
static bool
solve_flow(Flow *flow, TransportPlan *solution)
{
	Search *search = flow->search;
	Size size = sizeof(double) * (Size) flow->nkinds * flow->nlanes;
	TransportProblem problem = {
		.nkinds = flow->nkinds, .nlanes = flow->nlanes, .ngroups = flow->nworker_classes};
	double *score;

	if (size + network_simplex_memory(flow->nkinds, flow->nlanes, flow->nworker_classes) >
		search->settings.solver_memory)
		return false;
	score = palloc_huge(size + 1);
	for (int k = 0; k < flow->nkinds; k++)
	{
		const double *scores = policy_search_scores(search, &search->kinds[flow->kinds[k]]);

		for (int l = 0; l < flow->nlanes; l++)
			score[(Size) k * flow->nlanes + l] =
				scores[flow->lanes[l].example] +
				SPARING_WORTH *
					device_sparing(search, &search->kinds[flow->kinds[k]], flow->lanes[l].example);
	}
	problem.supply = flow->supply;
	problem.capacity = flow->capacity;
	problem.group = flow->group;
	problem.group_capacity = flow->group_capacity;
	problem.score = score;
	network_simplex_solve(&problem, solution);
	pfree(score);
	return true;
}

/* --- making decisions of a flow --- */

/* A worker of a lane, with how used it was when it was last looked at. */
typedef struct LaneWorker
{
	int32 worker;
	int64 units; /* assignments that it may still get */
	int32 assignments;
	int64 total_assignments;
} LaneWorker;

/*
 * The workers of a lane: a heap, first who may have most more assignments, then
 * the least used.  If lanes are filled in this order, one after the other, what
 * their workers may have together is enough for each of them.
 */
typedef struct LaneHeap
{
	int count;
	LaneWorker *workers;
} LaneHeap;

static bool
lane_worker_before(const LaneWorker *a, const LaneWorker *b)
{
	if (a->units != b->units)
		return a->units > b->units;
	return less_used(a->assignments, a->total_assignments, a->worker, b->assignments,
					 b->total_assignments, b->worker);
}

static LaneWorker
lane_worker(const Flow *flow, int worker_index)
{
	const Worker *worker = &flow->search->fleet->workers[worker_index];

	return (LaneWorker){worker_index, worker_units(flow, worker_index), worker->assignments,
						worker->total_assignments};
}

static void
sift_lane_worker(LaneHeap *heap, int at)
{
	LaneWorker moved = heap->workers[at];

	for (;;)
	{
		int child = 2 * at + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count &&
			lane_worker_before(&heap->workers[child + 1], &heap->workers[child]))
			child++;
		if (!lane_worker_before(&heap->workers[child], &moved))
			break;
		heap->workers[at] = heap->workers[child];
		at = child;
	}
	heap->workers[at] = moved;
}

/* Returns whether a worker's key was up to date; if not, puts it where it belongs. */
static bool
refresh_first(const Flow *flow, LaneHeap *heap)
{
	LaneWorker *first = &heap->workers[0];
	const Worker *worker = &flow->search->fleet->workers[first->worker];

	if (first->assignments == worker->assignments &&
		first->total_assignments == worker->total_assignments)
		return true;
	*first = lane_worker(flow, first->worker);
	sift_lane_worker(heap, 0);
	return false;
}

/* Makes one heap per lane, of the workers of the lane's class. */
static LaneHeap *
make_lane_heaps(const Flow *flow)
{
	const Fleet *fleet = flow->search->fleet;
	LaneHeap *heaps = palloc_huge(sizeof(LaneHeap) * (flow->nlanes + 1));
	int32 *first_lane = palloc_huge(sizeof(int32) * (flow->nworker_classes + 1));
	int64 *members = palloc_huge(sizeof(int64) * (flow->nworker_classes + 1));

	for (int c = 0; c < flow->nworker_classes; c++)
	{
		first_lane[c] = -1;
		members[c] = 0;
	}
	for (int w = 0; w < fleet->nworkers; w++)
		members[flow->worker_class[w]]++;
	for (int l = flow->nlanes - 1; l >= 0; l--)
	{
		first_lane[flow->group[l]] = l;
		heaps[l].count = 0;
		heaps[l].workers = palloc_huge(sizeof(LaneWorker) * (members[flow->group[l]] + 1));
	}
	for (int w = 0; w < fleet->nworkers; w++)
		for (int l = first_lane[flow->worker_class[w]];
			 l >= 0 && l < flow->nlanes && flow->group[l] == flow->worker_class[w]; l++)
			heaps[l].workers[heaps[l].count++] = lane_worker(flow, w);
	for (int l = 0; l < flow->nlanes; l++)
		for (int at = heaps[l].count / 2 - 1; at >= 0; at--)
			sift_lane_worker(&heaps[l], at);
	pfree(first_lane);
	pfree(members);
	return heaps;
}

/* Finds the device of a worker, of a lane, that a kind of work takes. */
static bool
lane_candidate(const Flow *flow, WorkKind *kind, int lane, int worker_index, Candidate *candidate)
{
	Search *search = flow->search;
	const Worker *worker = &search->fleet->workers[worker_index];
	int best = -1;

	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		if (flow->device_class[d] == flow->lanes[lane].devices &&
			device_candidate(search, kind, worker_index, d, candidate) == FITS &&
			(best < 0 || device_before(search, kind, d, best)))
			best = d;
	return best >= 0 && device_candidate(search, kind, worker_index, best, candidate) == FITS;
}

/* Places workloads of one kind in a lane, the items from *next on, amount of them at the most. */
static void
fill_lane(const Flow *flow, QueueItem *items, int kind_number, int lane, LaneHeap *heap,
		  int64 amount, const int32 *waiting, int32 *next)
{
	Search *search = flow->search;
	WorkKind *kind = &search->kinds[kind_number];
	int all = heap->count;
	int64 placed = 0;

	while (placed < amount && heap->count > 0)
	{
		LaneWorker first;
		Candidate candidate;

		CHECK_FOR_INTERRUPTS();
		if (!refresh_first(flow, heap))
			continue;
		first = heap->workers[0];
		if (lane_candidate(flow, kind, lane, first.worker, &candidate))
		{
			int item = waiting[(*next)++];

			reserve_item(search, items, item, &candidate, 0);
			items[item].nplacements = 1;
			take_keys(search->key_rooms, &items[item].keys);
			placed++;
			continue;
		}
		/* what is behind the heap's end waits there for the other kinds */
		heap->workers[0] = heap->workers[--heap->count];
		heap->workers[heap->count] = first;
		if (heap->count > 0)
			sift_lane_worker(heap, 0);
	}
	if (heap->count < all)
	{
		heap->count = all;
		for (int at = all / 2 - 1; at >= 0; at--)
			sift_lane_worker(heap, at);
	}
}

static int
compare_flows(const void *a, const void *b)
{
	const TransportFlow *x = a;
	const TransportFlow *y = b;

	return x->lane != y->lane ? x->lane - y->lane : x->kind - y->kind;
}

/*
 * Finds the items of a band that compete in a flow: those of one occupancy, and
 * of those with the same concurrency keys the first that its limits leave room for.
 */
static bool *
competing_items(Search *search, const QueueItem *items, int first, int last, Occupancy occupancy)
{
	bool *competes = palloc_huge(sizeof(bool) * (last - first + 1));
	KeyRoom *rooms = palloc_huge(sizeof(KeyRoom) * (search->nkeys + 1));

	if (search->nkeys > 0)
		memcpy(rooms, search->key_rooms, sizeof(KeyRoom) * search->nkeys);
	for (int i = first; i < last; i++)
	{
		const WorkKind *kind = &search->kinds[items[i].kind];

		competes[i - first] = !items[i].held_back && !is_gang(kind) && !is_choosy(&items[i]) &&
							  demand_occupancy(&kind->demand) == occupancy &&
							  demanded_devices(&kind->demand) <= 1 &&
							  keys_have_room(rooms, &items[i].keys);
		if (competes[i - first])
			take_keys(rooms, &items[i].keys);
	}
	pfree(rooms);
	return competes;
}

/*
 * Places the band's work of one occupancy as the best flow does; false: no memory.  Work that is
 * to spare accelerators, and that the flow gives to some, is left to be placed one by one.
 */
bool
place_flow(Search *search, QueueItem *items, int first, int last, Occupancy occupancy)
{
	Flow flow = {.search = search, .occupancy = occupancy};
	TransportPlan solution;
	LaneHeap *heaps;
	int32 *number = palloc_huge(sizeof(int32) * (search->nkinds + 1)); /* in the flow, by kind */
	int32 *start;
	int32 *waiting =
		palloc_huge(sizeof(int32) * (last - first + 1)); /* items by kind of the flow */
	bool *competes = competing_items(search, items, first, last, occupancy);

	flow.kinds = palloc_huge(sizeof(int32) * (search->nkinds + 1));
	flow.supply = palloc_huge(sizeof(int64) * (search->nkinds + 1));
	for (int k = 0; k < search->nkinds; k++)
		number[k] = -1;
	for (int i = first; i < last; i++)
	{
		if (!competes[i - first])
			continue;
		if (number[items[i].kind] < 0)
		{
			number[items[i].kind] = flow.nkinds;
			flow.kinds[flow.nkinds] = items[i].kind;
			flow.supply[flow.nkinds++] = 0;
		}
		flow.supply[number[items[i].kind]]++;
	}
	if (flow.nkinds == 0)
		return true;
	start = palloc_huge(sizeof(int32) * (flow.nkinds + 2));
	memset(start, 0, sizeof(int32) * (flow.nkinds + 2));
	for (int k = 0; k < flow.nkinds; k++)
		start[k + 2] = start[k + 1] + (int32) flow.supply[k];
	for (int i = first; i < last; i++)
		if (competes[i - first])
			waiting[start[number[items[i].kind] + 1]++] = i;

	classify_devices(&flow);
	classify_workers(&flow);
	make_flow_lanes(&flow);
	if (!solve_flow(&flow, &solution))
		return false;
	heaps = make_lane_heaps(&flow);
	if (solution.nflows > 0)
		qsort(solution.flows, solution.nflows, sizeof(TransportFlow), compare_flows);
	for (int f = 0; f < solution.nflows; f++)
	{
		const TransportFlow *one = &solution.flows[f];

		/* which accelerators are opened, and how few, is for place/spare.h to say */
		if (flow_spares(&flow) &&
			search->fleet->devices[flow.lanes[one->lane].example].sparing == 0)
			continue;
		fill_lane(&flow, items, flow.kinds[one->kind], one->lane, &heaps[one->lane], one->amount,
				  waiting, &start[one->kind]);
	}
	return true;
}
