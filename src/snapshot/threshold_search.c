/*
 * threshold_search.c
 *		The best place for one workload, without reading the whole fleet.
 *
 * The choice is that of the search over all workers, only found with less:
 * workers are read in orders in which the best come early, until none that
 * has not been read can be better (Fagin, Lotem and Naor, "Optimal aggregation
 * algorithms for middleware", 2001: the threshold algorithm).
 *
 * For each kind of hardware, and there apart for CPUs and for other devices,
 * an ideal member says what an idle and cool worker is worth.  Three orders
 * bound what the others are worth, each kept by an index:
 *
 * - the readiest first (worker_load): what load and temperature leave, whatever
 *	 is assigned there.  A thermal phase only takes more away.
 * - the most preferred first (preference), for the type of work.
 * - the least used first (worker_usage): who wins among equals.  Full workers
 *	 are not in it, so its end is the end of all that may take anything.
 *
 * The first and the last order exist by kind of hardware, the first also for
 * the pool as a whole: where many kinds are worth about the same, its head is
 * found with one probe instead of one for each of them.  (An index for the last
 * one, too, would cost every batch more than it saves here.)
 *
 * Reading a worker's key costs three probes of indexes, reading the worker
 * with all its devices (looking at it) several times that; so only those are
 * looked at whose key promises enough.
 *
 * What is read is one state of the tables: the caller's snapshot.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "place/candidate.h"
#include "place/greedy.h"
#include "place/spare.h"
#include "snapshot/fleet.h"
#include "snapshot/forecast_reader.h"
#include "snapshot/threshold_lists.h"
#include "snapshot/threshold_search.h"
#include "store/profile_cache.h"

/* With more hardware, keys or looks than this, reading all costs little more. */
#define MOST_HARDWARE 4000
#define MOST_SORTED_ACCESSES 8000
#define MOST_RANDOM_ACCESSES 400

/* How far rounding may put a product above the same product in another order. */
#define ROUNDING_RATIO 1e-12

/* Only hardware that is nearly as good as the best is read in the first round. */
#define NEAR_BEST_RATIO 0.97

/* More kinds of hardware than this are read as one, so often. */
#define FEW_LISTS 8
#define READS_OF_ALL 4

static const WorkerClass unread = {
	0,	  {{-1, 0, INFINITY, 0, "", false, false, -1}, {-1, 0, INFINITY, 0, "", false, false, -1}},
	0,	  -1,
	-1,	  "",
	false};

/* --- what unread workers may be worth --- */

static const Worker *
best_worker(const ThresholdSearch *seek)
{
	return &seek->best_snapshot->fleet.workers[seek->best.worker];
}

/*
 * Returns whether a worker of that value and usage, or one that comes right
 * behind it in usage, would come before the best so far.
 */
static bool
comes_first(const ThresholdSearch *seek, double value, int sparing, int32 assignments,
			int64 total_assignments, const char *worker_id)
{
	if (value < 0)
		return false;
	if (seek->best_snapshot == NULL || value != seek->best.value)
		return seek->best_snapshot == NULL || value > seek->best.value;
	if (sparing != seek->best.sparing)
		return sparing > seek->best.sparing;
	return less_used_than(assignments, total_assignments, worker_id, best_worker(seek));
}

/* Returns what a worker of a line is worth at most, preference apart; or -1. */
static double
line_value(const ThresholdSearch *seek, const ReadinessList *list, double readiness)
{
	double value = list->ideal;

	/*
	 * idle and cool, it is the ideal; else the same factors in another order, and that of heat,
	 * at most 1
	 */
	if (readiness < 1.0)
		value *= readiness * (1.0 + ROUNDING_RATIO);
	return value < seek->least * (1.0 - ROUNDING_RATIO) ? -1 : value;
}

static StateEntry *
known_state(const ThresholdSearch *seek, int worker_class, int64 state_hash)
{
	StateKey key = {worker_class, state_hash};

	return hash_search(seek->states, &key, HASH_FIND, NULL);
}

static double
factor(const ThresholdSearch *seek, double preference)
{
	return factor_of_preference(&seek->snapshot->search.settings, preference);
}

/* Returns the greatest factor that an unread worker may have by preference. */
static double
greatest_factor(const ThresholdSearch *seek)
{
	return factor(seek, seek->preferences_ended ? NEUTRAL_PREFERENCE :
												  Max(seek->preference, NEUTRAL_PREFERENCE));
}

/* Sets what a key's worker is worth at most. */
static void
bound_key(const ThresholdSearch *seek, SeenWorker *key)
{
	const StateEntry *state = known_state(seek, key->worker_class, key->state_hash);
	const WorkerClass *worker_class = &seek->worker_class[key->worker_class];

	key->bound = -1;
	key->sparing = 0;
	for (int c = 0; c < NCLASSES; c++)
	{
		double value;

		if (isnan(key->readiness[c]) || worker_class->lists[c].ideal < 0)
			continue;
		value = state != NULL ? state->values[c] :
								line_value(seek, &worker_class->lists[c], key->readiness[c]);
		if (value < 0)
			continue;
		value *= factor(seek, key->preference);
		if (value > key->bound)
		{
			key->bound = value;
			key->sparing = worker_class->lists[c].sparing;
		}
	}
}

/* --- looking at workers --- */

static int
compare_keys(const void *a, const void *b)
{
	const SeenWorker *x = *(SeenWorker *const *) a;
	const SeenWorker *y = *(SeenWorker *const *) b;

	if (x->bound != y->bound)
		return x->bound > y->bound ? -1 : 1;
	if (x->sparing != y->sparing)
		return x->sparing > y->sparing ? -1 : 1;
	if (x->assignments != y->assignments)
		return x->assignments < y->assignments ? -1 : 1;
	if (x->total_assignments != y->total_assignments)
		return x->total_assignments < y->total_assignments ? -1 : 1;
	return strcmp(x->worker_id, y->worker_id);
}

/*
 * Returns whether a candidate is an accelerator that is not in use, for work that is
 * to spare it: then one that is in use may come before, and no list tells of it.
 */
static bool
opens_accelerator(const Search *search, const Candidate *candidate)
{
	const Device *device = &search->fleet->devices[candidate->devices[0]];

	return spares_accelerators(search, search->kinds) && device->sparing == 0 && !is_in_use(device);
}

/* Reads workers with all their devices and keeps the best of them. */
static void
random_access(ThresholdSearch *seek, SeenWorker **keys, int count)
{
	PoolSnapshot *snapshot = palloc(sizeof(PoolSnapshot));
	Search *search = &snapshot->search;
	const char **worker_ids = palloc(sizeof(char *) * count);
	double *preferences = palloc(sizeof(double) * (count + 1));
	WorkKind blind;

	for (int i = 0; i < count; i++)
	{
		keys[i]->resolved = true;
		worker_ids[i] = keys[i]->worker_id;
	}
	seek->nrandom_accesses += count;
	*snapshot = *seek->snapshot;
	search->fleet = &snapshot->fleet;
	search->kinds = palloc(sizeof(WorkKind));
	*search->kinds = *seek->kind;
	search->kinds->preference = preferences;
	snapshot_workers(snapshot, seek->pool, worker_ids, count, true);
	if (snapshot->fleet.nworkers != count)
		elog(ERROR, "pool \"%s\" has %d workers without all their rows", seek->pool,
			 count - snapshot->fleet.nworkers);
	search_prepare(search);
	/* the bound of a state holds for workers of any labels */
	blind = *search->kinds;
	blind.nrequired = blind.npreferred = 0;
	blind.tolerates = -1;
	for (int w = 0; w < count; w++)
	{
		const SeenWorker *key = *seen_worker(seek, snapshot->fleet.workers[w].worker_id);
		StateKey state_key = {key->worker_class, key->state_hash};
		StateEntry *state;
		Candidate candidate;
		bool found;

		preferences[w] = key->preference;
		state = hash_search(seek->states, &state_key, HASH_ENTER, &found);
		if (!found)
			for (int c = 0; c < NCLASSES; c++)
				state->values[c] = search_bound(search, &blind, w, c == CLASS_CPU);
		if (search_candidate(search, search->kinds, w, &candidate) == FITS &&
			comes_first(seek, candidate.value, candidate.sparing, key->assignments,
						key->total_assignments, key->worker_id))
		{
			seek->best = candidate;
			seek->best_opens = opens_accelerator(search, &candidate);
			seek->best_snapshot = snapshot;
		}
	}
}

/* Looks at those keys that promise to be better than the best, best first. */
static void
look_at_promising(ThresholdSearch *seek)
{
	SeenWorker **promising = palloc(sizeof(SeenWorker *) * (seek->nseen_workers + 1));

	for (int most = 4; seek->nrandom_accesses < MOST_RANDOM_ACCESSES; most *= 4)
	{
		int count = 0;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < seek->nseen_workers; i++)
		{
			SeenWorker *key = seek->keys[i];

			if (key->resolved || key->is_full)
				continue;
			bound_key(seek, key);
			if (comes_first(seek, key->bound, key->sparing, key->assignments,
							key->total_assignments, key->worker_id))
				promising[count++] = key;
		}
		if (count == 0)
			break;
		qsort(promising, count, sizeof(SeenWorker *), compare_keys);
		random_access(seek, promising, Min(count, most));
	}
	pfree(promising);
}

/* --- the race --- */

/*
 * Passes over the state that a line's end is in, if nobody in it can be worth
 * more than the best: what is known of the state is exact, so the keys behind
 * it are out of reach of the slack.
 */
static void
pass_over_state(ThresholdSearch *seek, int k, DeviceClass device_class)
{
	ReadinessList *list = &seek->worker_class[k].lists[device_class];
	const StateEntry *state;
	double value;

	if (list->ended || list->worker_id[0] == '\0' ||
		(state = known_state(seek, k, list->state_hash)) == NULL)
		return;
	value =
		state->values[device_class] < 0 ? -1 : state->values[device_class] * greatest_factor(seek);
	/* one more read tells whether there are others in it at all */
	if (value >= 0 && (seek->best_snapshot == NULL || value > seek->best.value ||
					   list->readiness >= 1.0 || list->reads < 2))
		return;
	list->worker_id = "";
	if (value < 0)
		return;
	if (value == seek->best.value)
		list->passed_over = Max(list->passed_over, state->values[device_class]);
}

/*
 * Returns whether a worker of that value that has not been read, if there is one, would come
 * before the best.
 */
static bool
unread_comes_first(const ThresholdSearch *seek, const WorkerClass *worker_class, double value,
				   int sparing)
{
	return comes_first(seek, value, sparing, worker_class->assignments,
					   worker_class->total_assignments, worker_class->worker_id);
}

/*
 * Finds out what has to be read on of a line: in the order of readiness if
 * somebody unread may be worth more than the best, in the order of usage if
 * somebody may be worth the same and is less used.
 */
static void
line_needs(const ThresholdSearch *seek, const WorkerClass *worker_class, DeviceClass device_class,
		   bool *by_readiness, bool *by_usage)
{
	const ReadinessList *list = &worker_class->lists[device_class];
	const ReadinessList *all = &seek->all.lists[device_class];
	double most = greatest_factor(seek);
	double rest = list->ended || all->ended ?
					  -1 :
					  line_value(seek, list, Min(list->readiness, all->readiness));
	int sparing = list->sparing;

	*by_readiness = *by_usage = false;
	/* all that are not full have been read */
	if (list->ideal < 0 || worker_class->ended)
		return;
	if (rest >= 0)
		rest *= most;
	if (rest >= 0 && (seek->best_snapshot == NULL || rest > seek->best.value))
	{
		*by_readiness = true;
		/* many before it are full, or worth less than they look */
		*by_usage = seek->best_snapshot == NULL ? list->reads + all->reads > 0 : list->reads > 1;
	}
	else if (unread_comes_first(seek, worker_class, rest, sparing))
	{
		*by_usage = true;
		*by_readiness = worker_class->reads > 1;
	}
	else if (list->passed_over >= 0)
		*by_usage = unread_comes_first(seek, worker_class, list->passed_over * most, sparing);
}

/* Returns how many keys of each list are read at once after some reads. */
static int
keys_at_once(int reads)
{
	return 1 << (2 * Min(reads, 5));
}

/* Reads on where somebody better may be; returns false if nobody can be. */
static bool
read_on(ThresholdSearch *seek, double at_least)
{
	int *lists[NCLASSES];
	int nlists[NCLASSES] = {0, 0};
	int *worker_classes = palloc(sizeof(int) * (seek->nworker_classes + 1));
	int nkins = 0;
	int reads = 0;
	int kin_reads = 0;

	for (int c = 0; c < NCLASSES; c++)
		lists[c] = palloc(sizeof(int) * (seek->nworker_classes + 1));
	for (int k = 0; k < seek->nworker_classes; k++)
	{
		bool needs_kin = false;

		for (int c = 0; c < NCLASSES; c++)
		{
			bool by_readiness;
			bool by_usage;

			pass_over_state(seek, k, c);
			line_needs(seek, &seek->worker_class[k], c, &by_readiness, &by_usage);
			if (seek->worker_class[k].lists[c].ideal < at_least)
				continue;
			needs_kin = needs_kin || by_usage;
			if (by_readiness)
			{
				reads = Max(reads, seek->worker_class[k].lists[c].reads);
				lists[c][nlists[c]++] = k;
			}
		}
		if (needs_kin)
		{
			kin_reads = Max(kin_reads, seek->worker_class[k].reads);
			worker_classes[nkins++] = k;
		}
	}
	if (nkins + nlists[CLASS_CPU] + nlists[CLASS_ACCELERATOR] == 0)
		return false;
	for (int c = 0; c < NCLASSES; c++)
	{
		if (nlists[c] > FEW_LISTS && seek->all.lists[c].reads < READS_OF_ALL &&
			!seek->all.lists[c].alike)
			read_readiness_list_of_all(seek, c);
		else if (nlists[c] > 0)
			read_readiness_lists(seek, c, lists[c], nlists[c], keys_at_once(reads));
	}
	if (nkins > 0)
		read_least_used(seek, worker_classes, nkins, keys_at_once(kin_reads));
	if (!seek->preferences_ended)
		read_preferred(seek, 4 * keys_at_once(seek->preference_reads));
	return true;
}

/* --- the beginning --- */

/* Makes a fleet of one ideal worker of each kind of hardware: idle, cool and empty. */
static void
make_ideals(Fleet *fleet, const Hardware *const *hardware, int count)
{
	typedef struct
	{
		const DeviceProfile *profile; /* key */
		int number;
	} ProfileEntry;
	HASHCTL control = {
		.keysize = sizeof(void *), .entrysize = sizeof(ProfileEntry), .hcxt = CurrentMemoryContext};
	HTAB *numbers =
		hash_create("hwsched ideals", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	int ndevices = 0;

	for (int h = 0; h < count; h++)
		ndevices += hardware[h]->ndevices;
	memset(fleet, 0, sizeof(*fleet));
	fleet->profiles = palloc(sizeof(DeviceProfile) * (ndevices + 1));
	fleet->software = palloc(sizeof(NamedTexts) * (count + 1));
	fleet->workers = palloc0(sizeof(Worker) * (count + 1));
	fleet->devices = palloc0(sizeof(Device) * (ndevices + 1));
	for (int h = 0; h < count; h++)
	{
		Worker *worker = &fleet->workers[fleet->nworkers++];

		worker->accepting = true;
		worker->cpu_millicores = hardware[h]->cpu_millicores;
		worker->memory_bytes = hardware[h]->memory_bytes;
		worker->software = fleet->nsoftware;
		fleet->software[fleet->nsoftware++] = hardware[h]->software;
		worker->first_device = fleet->ndevices;
		worker->ndevices = hardware[h]->ndevices;
		for (int d = 0; d < hardware[h]->ndevices; d++)
		{
			Device *device = &fleet->devices[fleet->ndevices++];
			bool found;
			ProfileEntry *entry =
				hash_search(numbers, &hardware[h]->profiles[d], HASH_ENTER, &found);

			if (!found)
			{
				entry->number = fleet->nprofiles;
				fleet->profiles[fleet->nprofiles++] = *hardware[h]->profiles[d];
			}
			device->device_no = hardware[h]->device_nos[d];
			device->profile = entry->number;
			device->memory_bytes = hardware[h]->device_memory_bytes[d];
			device->uses_host_memory = hardware[h]->uses_host_memory[d];
			device->performance_level = 1.0;
			device->throttles_at = INFINITY;
		}
	}
}

/* Returns how much it spares if a kind of work takes a device of a class in a worker. */
static int
class_sparing(const Search *search, const WorkKind *kind, int worker_index,
			  DeviceClass device_class)
{
	const Worker *worker = &search->fleet->workers[worker_index];
	int sparing = 0;

	for (int d = worker->first_device;
		 d < worker->first_device + worker->ndevices && device_class == CLASS_CPU; d++)
		sparing = Max(sparing, device_sparing(search, kind, d));
	return sparing;
}

/*
 * Begins the race with the hardware that is of use to the workload.  Returns
 * false if the lists do not bound what it is worth.
 */
static bool
begin_race(ThresholdSearch *seek, const Hardware *const *hardware, int count)
{
	HASHCTL control = {.keysize = sizeof(int64),
					   .entrysize = sizeof(WorkerClassEntry),
					   .hcxt = CurrentMemoryContext};
	Search search = seek->snapshot->search;
	Fleet ideals;

	make_ideals(&ideals, hardware, count);
	search.fleet = &ideals;
	search_prepare(&search);
	seek->worker_class = palloc(sizeof(WorkerClass) * (count + 1));
	seek->worker_class_numbers =
		hash_create("hwsched kins", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (int h = 0; h < count; h++)
	{
		WorkerClass *worker_class = &seek->worker_class[seek->nworker_classes];
		WorkerClassEntry *entry;

		*worker_class = unread;
		worker_class->hardware_id = hardware[h]->hardware_id;
		for (int c = 0; c < NCLASSES; c++)
		{
			worker_class->lists[c].ideal = search_bound(&search, seek->kind, h, c == CLASS_CPU);
			worker_class->lists[c].sparing = class_sparing(&search, seek->kind, h, c);
		}
		/* a CPU as an accelerator: a candidate may be of both classes */
		if (!seek->of_slot && worker_class->lists[CLASS_CPU].ideal >= 0)
			return false;
		if (Max(worker_class->lists[CLASS_CPU].ideal,
				worker_class->lists[CLASS_ACCELERATOR].ideal) < 0)
			continue;
		entry =
			hash_search(seek->worker_class_numbers, &worker_class->hardware_id, HASH_ENTER, NULL);
		entry->worker_class = seek->nworker_classes++;
	}
	return true;
}

/* Finds the kinds of hardware of a pool; returns their number, -1 for too many. */
static int
find_hardware(const char *pool, const Hardware ***hardware)
{
	static SpiPlan statement = {"SELECT hardware_id FROM hwsched.hardware WHERE pool = $1 LIMIT $2",
								{TEXTOID, INT8OID}};
	int n = (int) spi_plan_run(&statement, true, TEXT_VALUE(pool), BIGINT_VALUE(MOST_HARDWARE + 1));
	int64 *ids = palloc(sizeof(int64) * (n + 1));

	if (n > MOST_HARDWARE)
		return -1;
	for (int i = 0; i < n; i++)
		ids[i] = column_bigint(i, 1);
	*hardware = palloc(sizeof(Hardware *) * (n + 1));
	hardware_get(pool, ids, n, true, *hardware);
	return n;
}

/* Returns whether a workload is placed by what the lists bound, and by nothing else. */
static bool
is_bounded(const Search *search, const WorkKind *kind)
{
	return policy_is_hardware_aware(kind->policy) &&
		   profile_strategy(&kind->profile) == STRATEGY_SINGLE &&
		   !(search->settings.spare_accelerators == SPARE_STRICTLY &&
			 spares_accelerators(search, kind));
}

/*
 * Reads as much of the fleet as it takes to know the best place for the one
 * workload of a snapshot, and begins the search there.  A fleet without a
 * worker means that there is no place.  Returns false, with no fleet, if the
 * whole fleet has to be read.
 */
bool
seek_fleet(PoolSnapshot *snapshot, const char *pool)
{
	HASHCTL state_control = {
		.keysize = sizeof(StateKey), .entrysize = sizeof(StateEntry), .hcxt = CurrentMemoryContext};
	HASHCTL seen_control = {
		.keysize = sizeof(uint64), .entrysize = sizeof(SeenEntry), .hcxt = CurrentMemoryContext};
	ThresholdSearch seek = {.snapshot = snapshot,
							.pool = pool,
							.kind = &snapshot->search.kinds[0],
							.all = unread,
							.preference = INFINITY,
							.preferred_id = ""};
	const Hardware **hardware;
	double best_ideal = 0;
	int count;

	if (!is_bounded(&snapshot->search, seek.kind) || (count = find_hardware(pool, &hardware)) < 0)
		return false;
	seek.of_slot = demand_occupancy(&seek.kind->demand) == OCCUPY_SLOT;
	seek.least = least_value(&snapshot->search);
	seek.preferences_ended = !prefers(&seek);
	seek.states =
		hash_create("hwsched states", 256, &state_control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	seek.seen =
		hash_create("hwsched keys", 256, &seen_control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	if (!begin_race(&seek, hardware, count))
		return false;

	for (int k = 0; k < seek.nworker_classes; k++)
		for (int c = 0; c < NCLASSES; c++)
			best_ideal = Max(best_ideal, seek.worker_class[k].lists[c].ideal);
	if (read_on(&seek, best_ideal * NEAR_BEST_RATIO))
		do
		{
			look_at_promising(&seek);
			if (seek.nseen_workers > MOST_SORTED_ACCESSES ||
				seek.nrandom_accesses >= MOST_RANDOM_ACCESSES)
				return false;
		} while (read_on(&seek, 0));

	if (seek.best_snapshot != NULL && seek.best_opens)
		return false;
	if (seek.best_snapshot != NULL)
	{
		*snapshot = *seek.best_snapshot;
		snapshot->search.fleet = &snapshot->fleet;
	}
	else
		snapshot_workers(snapshot, pool, NULL, 0, true);
	/* the policy of other types of work may look at models */
	snapshot->search.kinds[0].model = snapshot->search.kinds[0].family = -1;
	snapshot->search.last_turn = GetCurrentTimestamp();
	load_forecast(snapshot, pool, true);
	search_begin(&snapshot->search);
	return true;
}
