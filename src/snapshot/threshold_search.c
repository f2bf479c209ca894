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

#include "learn/duration_store.h"
#include "snapshot/threshold_lists.h"
#include "snapshot/threshold_search.h"
#include "support/spi_plan.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* With more hardware, keys or looks than this, reading all costs little more. */
#define MOST_HARDWARE 4000
#define MOST_KEYS 8000
#define MOST_LOOKS 400

/* How far rounding may put a product above the same product in another order. */
#define SLACK 1e-12

/* Only hardware that is nearly as good as the best is read in the first round. */
#define NEARLY 0.97

/* More kinds of hardware than this are read as one, so often. */
#define FEW 8
#define READS_OF_ALL 4

static const Kin unread = {
	0, {{-1, 0, INFINITY, 0, "", false, false, -1}, {-1, 0, INFINITY, 0, "", false, false, -1}}, 0, -1, -1, "", false
};

/* --- what unread workers may be worth --- */

static const Worker *
best_worker(const Seek *seek)
{
	return &seek->best_picture->fleet.workers[seek->best.worker];
}

/*
 * Returns whether a worker of that value and usage, or one that comes right
 * behind it in usage, would come before the best so far.
 */
static bool
comes_first(const Seek *seek, double value, bool spares,
			int32 assignments, int64 total_assignments, const char *worker_id)
{
	if (value < 0)
		return false;
	if (seek->best_picture == NULL || value != seek->best.value)
		return seek->best_picture == NULL || value > seek->best.value;
	if (spares != seek->best.spares_accelerators)
		return spares;
	return less_used_than(assignments, total_assignments, worker_id, best_worker(seek));
}

/* Returns what a worker of a line is worth at most, preference apart; or -1. */
static double
line_value(const Seek *seek, const Line *line, double readiness)
{
	double		value = line->ideal;

	/* idle and cool, it is the ideal; else the same factors in another order, and that of heat, at most 1 */
	if (readiness < 1.0)
		value *= readiness * (1.0 + SLACK);
	return value < seek->least * (1.0 - SLACK) ? -1 : value;
}

static StateEntry *
known_state(const Seek *seek, int kin, int64 state_hash)
{
	StateKey	key = {kin, state_hash};

	return hash_search(seek->states, &key, HASH_FIND, NULL);
}

static double
factor(const Seek *seek, double preference)
{
	return factor_of_preference(&seek->picture->search.settings, preference);
}

/* Returns the greatest factor that an unread worker may have by preference. */
static double
greatest_factor(const Seek *seek)
{
	return factor(seek, seek->preferences_ended ? NEUTRAL : Max(seek->preference, NEUTRAL));
}

/* Sets what a key's worker is worth at most. */
static void
bound_key(const Seek *seek, Key *key)
{
	const StateEntry *state = known_state(seek, key->kin, key->state_hash);
	const Kin  *kin = &seek->kin[key->kin];

	key->bound = -1;
	key->spares = false;
	for (int c = 0; c < NCLASSES; c++)
	{
		double		value;

		if (isnan(key->readiness[c]) || kin->lines[c].ideal < 0)
			continue;
		value = state != NULL ? state->values[c] : line_value(seek, &kin->lines[c], key->readiness[c]);
		if (value < 0)
			continue;
		value *= factor(seek, key->preference);
		if (value > key->bound)
		{
			key->bound = value;
			key->spares = seek->of_slot && c == OF_CPU;
		}
	}
}

/* --- looking at workers --- */

static int
compare_keys(const void *a, const void *b)
{
	const Key  *x = *(Key *const *) a;
	const Key  *y = *(Key *const *) b;

	if (x->bound != y->bound)
		return x->bound > y->bound ? -1 : 1;
	if (x->spares != y->spares)
		return x->spares ? -1 : 1;
	if (x->assignments != y->assignments)
		return x->assignments < y->assignments ? -1 : 1;
	if (x->total_assignments != y->total_assignments)
		return x->total_assignments < y->total_assignments ? -1 : 1;
	return strcmp(x->worker_id, y->worker_id);
}

/* Reads workers with all their devices and keeps the best of them. */
static void
look_at(Seek *seek, Key **keys, int count)
{
	Picture    *picture = palloc(sizeof(Picture));
	Search	   *search = &picture->search;
	const char **worker_ids = palloc(sizeof(char *) * count);
	double	   *preferences = palloc(sizeof(double) * (count + 1));

	for (int i = 0; i < count; i++)
	{
		keys[i]->looked_at = true;
		worker_ids[i] = keys[i]->worker_id;
	}
	seek->nlooks += count;
	*picture = *seek->picture;
	search->fleet = &picture->fleet;
	search->kinds = palloc(sizeof(WorkKind));
	*search->kinds = *seek->kind;
	search->kinds->preference = preferences;
	picture_workers(picture, seek->pool, worker_ids, count, true);
	if (picture->fleet.nworkers != count)
		elog(ERROR, "pool \"%s\" has %d workers without all their rows", seek->pool, count - picture->fleet.nworkers);
	search_prepare(search);
	for (int w = 0; w < count; w++)
	{
		const Key  *key = *seen_key(seek, picture->fleet.workers[w].worker_id);
		StateKey	state_key = {key->kin, key->state_hash};
		StateEntry *state;
		Candidate	candidate;
		bool		found;

		preferences[w] = key->preference;
		state = hash_search(seek->states, &state_key, HASH_ENTER, &found);
		if (!found)
			for (int c = 0; c < NCLASSES; c++)
				state->values[c] = search_bound(search, search->kinds, w, c == OF_CPU);
		if (search_candidate(search, search->kinds, w, &candidate) == FITS &&
			comes_first(seek, candidate.value, candidate.spares_accelerators, key->assignments,
						key->total_assignments, key->worker_id))
		{
			seek->best = candidate;
			seek->best_picture = picture;
		}
	}
}

/* Looks at those keys that promise to be better than the best, best first. */
static void
look_at_promising(Seek *seek)
{
	Key		  **promising = palloc(sizeof(Key *) * (seek->nkeys + 1));

	for (int most = 4; seek->nlooks < MOST_LOOKS; most *= 4)
	{
		int			count = 0;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < seek->nkeys; i++)
		{
			Key		   *key = seek->keys[i];

			if (key->looked_at || key->is_full)
				continue;
			bound_key(seek, key);
			if (comes_first(seek, key->bound, key->spares, key->assignments, key->total_assignments, key->worker_id))
				promising[count++] = key;
		}
		if (count == 0)
			break;
		qsort(promising, count, sizeof(Key *), compare_keys);
		look_at(seek, promising, Min(count, most));
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
pass_over_state(Seek *seek, int k, Class class)
{
	Line	   *line = &seek->kin[k].lines[class];
	const StateEntry *state;
	double		value;

	if (line->ended || line->worker_id[0] == '\0' || (state = known_state(seek, k, line->state_hash)) == NULL)
		return;
	value = state->values[class] < 0 ? -1 : state->values[class] * greatest_factor(seek);
	/* one more read tells whether there are others in it at all */
	if (value >= 0 && (seek->best_picture == NULL || value > seek->best.value || line->readiness >= 1.0 || line->reads < 2))
		return;
	line->worker_id = "";
	if (value < 0)
		return;
	if (value == seek->best.value)
		line->passed_over = Max(line->passed_over, state->values[class]);
}

/* Returns whether a worker of that value that has not been read, if there is one, would come before the best. */
static bool
unread_comes_first(const Seek *seek, const Kin *kin, double value, bool spares)
{
	return comes_first(seek, value, spares, kin->assignments, kin->total_assignments, kin->worker_id);
}

/*
 * Finds out what has to be read on of a line: in the order of readiness if
 * somebody unread may be worth more than the best, in the order of usage if
 * somebody may be worth the same and is less used.
 */
static void
line_needs(const Seek *seek, const Kin *kin, Class class, bool *by_readiness, bool *by_usage)
{
	const Line *line = &kin->lines[class];
	const Line *all = &seek->all.lines[class];
	double		most = greatest_factor(seek);
	double		rest = line->ended || all->ended ? -1 : line_value(seek, line, Min(line->readiness, all->readiness));
	bool		spares = seek->of_slot && class == OF_CPU;

	*by_readiness = *by_usage = false;
	/* all that are not full have been read */
	if (line->ideal < 0 || kin->ended)
		return;
	if (rest >= 0)
		rest *= most;
	if (rest >= 0 && (seek->best_picture == NULL || rest > seek->best.value))
	{
		*by_readiness = true;
		/* many before it are full, or worth less than they look */
		*by_usage = seek->best_picture == NULL ? line->reads + all->reads > 0 : line->reads > 1;
	}
	else if (unread_comes_first(seek, kin, rest, spares))
	{
		*by_usage = true;
		*by_readiness = kin->reads > 1;
	}
	else if (line->passed_over >= 0)
		*by_usage = unread_comes_first(seek, kin, line->passed_over * most, spares);
}

/* Returns how many keys of each list are read at once after some reads. */
static int
keys_at_once(int reads)
{
	return 1 << (2 * Min(reads, 5));
}

/* Reads on where somebody better may be; returns false if nobody can be. */
static bool
read_on(Seek *seek, double at_least)
{
	int		   *lines[NCLASSES];
	int			nlines[NCLASSES] = {0, 0};
	int		   *kins = palloc(sizeof(int) * (seek->nkin + 1));
	int			nkins = 0;
	int			reads = 0;
	int			kin_reads = 0;

	for (int c = 0; c < NCLASSES; c++)
		lines[c] = palloc(sizeof(int) * (seek->nkin + 1));
	for (int k = 0; k < seek->nkin; k++)
	{
		bool		needs_kin = false;

		for (int c = 0; c < NCLASSES; c++)
		{
			bool		by_readiness;
			bool		by_usage;

			pass_over_state(seek, k, c);
			line_needs(seek, &seek->kin[k], c, &by_readiness, &by_usage);
			if (seek->kin[k].lines[c].ideal < at_least)
				continue;
			needs_kin = needs_kin || by_usage;
			if (by_readiness)
			{
				reads = Max(reads, seek->kin[k].lines[c].reads);
				lines[c][nlines[c]++] = k;
			}
		}
		if (needs_kin)
		{
			kin_reads = Max(kin_reads, seek->kin[k].reads);
			kins[nkins++] = k;
		}
	}
	if (nkins + nlines[OF_CPU] + nlines[OF_ACCELERATOR] == 0)
		return false;
	for (int c = 0; c < NCLASSES; c++)
	{
		if (nlines[c] > FEW && seek->all.lines[c].reads < READS_OF_ALL && !seek->all.lines[c].alike)
			read_line_of_all(seek, c);
		else if (nlines[c] > 0)
			read_lines(seek, c, lines[c], nlines[c], keys_at_once(reads));
	}
	if (nkins > 0)
		read_least_used(seek, kins, nkins, keys_at_once(kin_reads));
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
		const DeviceProfile *profile;	/* key */
		int			number;
	} ProfileEntry;
	HASHCTL		control = {.keysize = sizeof(void *), .entrysize = sizeof(ProfileEntry), .hcxt = CurrentMemoryContext};
	HTAB	   *numbers = hash_create("hwsched ideals", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	int			ndevices = 0;

	for (int h = 0; h < count; h++)
		ndevices += hardware[h]->ndevices;
	memset(fleet, 0, sizeof(*fleet));
	fleet->profiles = palloc(sizeof(DeviceProfile) * (ndevices + 1));
	fleet->software = palloc(sizeof(NamedTexts) * (count + 1));
	fleet->workers = palloc0(sizeof(Worker) * (count + 1));
	fleet->devices = palloc0(sizeof(Device) * (ndevices + 1));
	for (int h = 0; h < count; h++)
	{
		Worker	   *worker = &fleet->workers[fleet->nworkers++];

		worker->accepting = true;
		worker->cpu_millicores = hardware[h]->cpu_millicores;
		worker->memory_bytes = hardware[h]->memory_bytes;
		worker->software = fleet->nsoftware;
		fleet->software[fleet->nsoftware++] = hardware[h]->software;
		worker->first_device = fleet->ndevices;
		worker->ndevices = hardware[h]->ndevices;
		for (int d = 0; d < hardware[h]->ndevices; d++)
		{
			Device	   *device = &fleet->devices[fleet->ndevices++];
			bool		found;
			ProfileEntry *entry = hash_search(numbers, &hardware[h]->profiles[d], HASH_ENTER, &found);

			if (!found)
			{
				entry->number = fleet->nprofiles;
				fleet->profiles[fleet->nprofiles++] = *hardware[h]->profiles[d];
			}
			device->device_no = d;
			device->profile = entry->number;
			device->memory_bytes = hardware[h]->device_memory_bytes[d];
			device->uses_host_memory = hardware[h]->uses_host_memory[d];
			device->performance_level = 1.0;
			device->throttles_at = INFINITY;
		}
	}
}

/*
 * Begins the race with the hardware that is of use to the workload.  Returns
 * false if the lists do not bound what it is worth.
 */
static bool
begin_race(Seek *seek, const Hardware *const *hardware, int count)
{
	HASHCTL		control = {.keysize = sizeof(int64), .entrysize = sizeof(KinEntry), .hcxt = CurrentMemoryContext};
	Search		search = seek->picture->search;
	Fleet		ideals;

	make_ideals(&ideals, hardware, count);
	search.fleet = &ideals;
	search_prepare(&search);
	seek->kin = palloc(sizeof(Kin) * (count + 1));
	seek->kin_numbers = hash_create("hwsched kins", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (int h = 0; h < count; h++)
	{
		Kin		   *kin = &seek->kin[seek->nkin];
		KinEntry   *entry;

		*kin = unread;
		kin->hardware_id = hardware[h]->hardware_id;
		for (int c = 0; c < NCLASSES; c++)
			kin->lines[c].ideal = search_bound(&search, seek->kind, h, c == OF_CPU);
		/* a CPU as an accelerator: a candidate may be of both classes */
		if (!seek->of_slot && kin->lines[OF_CPU].ideal >= 0)
			return false;
		if (Max(kin->lines[OF_CPU].ideal, kin->lines[OF_ACCELERATOR].ideal) < 0)
			continue;
		entry = hash_search(seek->kin_numbers, &kin->hardware_id, HASH_ENTER, NULL);
		entry->kin = seek->nkin++;
	}
	return true;
}

/* Finds the kinds of hardware of a pool; returns their number, -1 for too many. */
static int
find_hardware(const char *pool, const Hardware ***hardware)
{
	static Statement statement = {
		"SELECT hardware_id FROM hwsched.hardware WHERE pool = $1 LIMIT $2", {TEXTOID, INT8OID}
	};
	int			n = (int) statement_run(&statement, true, TEXT_VALUE(pool), BIGINT_VALUE(MOST_HARDWARE + 1));
	int64	   *ids = palloc(sizeof(int64) * (n + 1));

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
is_bounded(const WorkKind *kind)
{
	return policy_is_hardware_aware(kind->policy) && profile_strategy(&kind->profile) == STRATEGY_SINGLE;
}

/*
 * Reads as much of the fleet as it takes to know the best place for the one
 * workload of a picture, and begins the search there.  A fleet without a
 * worker means that there is no place.  Returns false, with no fleet, if the
 * whole fleet has to be read.
 */
bool
seek_fleet(Picture *picture, const char *pool)
{
	HASHCTL		state_control = {.keysize = sizeof(StateKey), .entrysize = sizeof(StateEntry), .hcxt = CurrentMemoryContext};
	HASHCTL		seen_control = {.keysize = sizeof(uint64), .entrysize = sizeof(SeenEntry), .hcxt = CurrentMemoryContext};
	Seek		seek = {.picture = picture, .pool = pool, .kind = &picture->search.kinds[0], .all = unread, .preference = INFINITY, .preferred_id = ""};
	const Hardware **hardware;
	double		best_ideal = 0;
	int			count;

	if (!is_bounded(seek.kind) || (count = find_hardware(pool, &hardware)) < 0)
		return false;
	seek.of_slot = demand_occupancy(&seek.kind->demand) == OCCUPY_SLOT;
	seek.least = least_value(&picture->search);
	seek.preferences_ended = !prefers(&seek);
	seek.states = hash_create("hwsched states", 256, &state_control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	seek.seen = hash_create("hwsched keys", 256, &seen_control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	if (!begin_race(&seek, hardware, count))
		return false;

	for (int k = 0; k < seek.nkin; k++)
		for (int c = 0; c < NCLASSES; c++)
			best_ideal = Max(best_ideal, seek.kin[k].lines[c].ideal);
	if (read_on(&seek, best_ideal * NEARLY))
		do
		{
			look_at_promising(&seek);
			if (seek.nkeys > MOST_KEYS || seek.nlooks >= MOST_LOOKS)
				return false;
		} while (read_on(&seek, 0));

	if (seek.best_picture != NULL)
	{
		*picture = *seek.best_picture;
		picture->search.fleet = &picture->fleet;
	}
	else
		picture_workers(picture, pool, NULL, 0, true);
	/* the policy of other types of work may look at models */
	picture->search.kinds[0].model = picture->search.kinds[0].family = -1;
	picture->search.last_turn = GetCurrentTimestamp();
	load_forecast(picture, pool, NULL, 0, true);
	search_begin(&picture->search);
	return true;
}
