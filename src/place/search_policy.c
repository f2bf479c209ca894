/*
 * search_policy.c
 *		The search for the best candidate under any policy: the weighted sum of
 *		what its algorithms see in each candidate.
 *
 * What an algorithm sees in a candidate mostly changes only when the worker
 * gets something to do, so a kind of work keeps those values, and works out
 * anew those of the workers that have changed since it last looked.  What is
 * left for each workload is one pass that scales the values and adds them up.
 * Ranks of turns and the places of models move with every decision, and are
 * part of that pass.
 *
 * Work that takes one device, or less, has a candidate per device; work that
 * takes several one per worker, kept under its first device.
 */
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/fragmentation.h"
#include "place/search_policy.h"
#include "place/spare.h"

/*
 * What all rankings of a search may take; those not used for longest go first.
 * A test sets it lower.
 */
#ifndef MOST_RANKING_BYTES
#define MOST_RANKING_BYTES ((Size) 512 * 1024 * 1024)
#endif

typedef struct Ranking
{
	int64 seen; /* of SearchState.changes */
	int64 used; /* by SearchState.clock */
	Size bytes;
	int32 nworkers; /* that have a candidate */
	bool *fits; /* by device */
	double *loads; /* by device: of its candidate; NULL: breaks no ties */
	double **values; /* by part (NULL: not fixed), by device; NAN where nothing fits */
	double *extremes; /* by part: the greatest or least value */
	bool stale; /* an extreme value may have gone */
} Ranking;

/* --- turns --- */

static void
append_turn(SearchState *state, int32 worker)
{
	state->previous_turn[worker] = state->latest_turn;
	state->next_turn[worker] = -1;
	if (state->latest_turn >= 0)
		state->next_turn[state->latest_turn] = worker;
	else
		state->first_turn = worker;
	state->latest_turn = worker;
}

/* Notes that a worker has got something: it is now the last in turn. */
void
policy_search_took_turn(Search *search, int worker)
{
	SearchState *state = search->state;

	search->fleet->workers[worker].last_turn = ++search->last_turn;
	if (!state->has_rankings || state->latest_turn == worker)
		return;
	if (state->previous_turn[worker] >= 0)
		state->next_turn[state->previous_turn[worker]] = state->next_turn[worker];
	else
		state->first_turn = state->next_turn[worker];
	state->previous_turn[state->next_turn[worker]] = state->previous_turn[worker];
	append_turn(state, worker);
}

static const Fleet *sorting;

static int
compare_turns(const void *a, const void *b)
{
	int32 i = *(const int32 *) a;
	int32 j = *(const int32 *) b;
	int64 x = sorting->workers[i].last_turn;
	int64 y = sorting->workers[j].last_turn;

	return x != y ? (x < y ? -1 : 1) : i - j;
}

/* Prepares the search for rankings, when the first one is made. */
static void
begin_rankings(Search *search)
{
	Fleet *fleet = search->fleet;
	SearchState *state = search->state;
	int32 *order = palloc(sizeof(int32) * (fleet->nworkers + 1));

	state->device_workers = palloc(sizeof(int32) * (fleet->ndevices + 1));
	state->totals = palloc(sizeof(double) * (fleet->ndevices + 1));
	state->changes = palloc(sizeof(int32) * (fleet->nworkers + 1));
	state->next_turn = palloc(sizeof(int32) * (fleet->nworkers + 1));
	state->previous_turn = palloc(sizeof(int32) * (fleet->nworkers + 1));
	state->first_turn = state->latest_turn = -1;
	for (int w = 0; w < fleet->nworkers; w++)
	{
		const Worker *worker = &fleet->workers[w];

		order[w] = w;
		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
			state->device_workers[d] = w;
	}
	sorting = fleet;
	qsort(order, fleet->nworkers, sizeof(int32), compare_turns);
	for (int i = 0; i < fleet->nworkers; i++)
		append_turn(state, order[i]);
	pfree(order);
	state->has_rankings = true;
}

/* Notes that what a worker has free has changed. */
void
policy_search_changed(Search *search, int worker)
{
	SearchState *state = search->state;

	fragmentation_changed(search, worker);
	if (state->has_rankings)
		state->changes[state->nchanges++ % search->fleet->nworkers] = worker;
}

/* --- the values of one kind's candidates --- */

/* Returns whether two devices of a worker are the same to everybody. */
static bool
same_devices(const Device *a, const Device *b)
{
	return a->profile == b->profile && a->memory_bytes == b->memory_bytes &&
		   a->uses_host_memory == b->uses_host_memory && a->slots == b->slots &&
		   a->share == b->share && a->avoided == b->avoided && a->memory_used == b->memory_used &&
		   compare_state(a, b) == 0;
}

/* Keeps the value of one part for a device, and what it does to the extreme. */
static void
keep_value(Ranking *ranking, const Policy *policy, int part, int device, bool fits, double value)
{
	Scale scale = algorithm_traits[policy->parts[part].algorithm].scale;
	double old = ranking->values[part][device];
	double *extreme = &ranking->extremes[part];

	ranking->values[part][device] = fits ? value : NAN;
	if (scale == SCALE_NONE)
		return;
	if (old == *extreme && !(fits && value == old))
		ranking->stale = true;
	if (fits &&
		(isnan(*extreme) || (scale == SCALE_GREATEST ? value > *extreme : value < *extreme)))
		*extreme = value;
}

/* Works out what a worker's devices are worth to a kind of work. */
static void
rank_worker(Search *search, WorkKind *kind, Ranking *ranking, int worker_index)
{
	const Worker *worker = &search->fleet->workers[worker_index];
	const Device *devices = search->fleet->devices;
	const Policy *policy = kind->policy;
	bool several = demanded_devices(&kind->demand) > 1;
	bool any_function = policy_has(policy, ALGORITHM_FUNCTION);
	bool had = false;
	bool has = false;
	int ncandidates = several ? Min(worker->ndevices, 1) : worker->ndevices;

	for (int d = worker->first_device; d < worker->first_device + ncandidates; d++)
	{
		/* a function may tell by device_no what we cannot */
		bool same =
			d > worker->first_device && !any_function && same_devices(&devices[d - 1], &devices[d]);
		Candidate candidate;
		bool fits;

		if (same)
			fits = ranking->fits[d - 1];
		else if (several)
			fits = search_candidate(search, kind, worker_index, &candidate) == FITS;
		else
			fits = device_candidate(search, kind, worker_index, d, &candidate) == FITS;
		had = had || ranking->fits[d];
		has = has || fits;
		ranking->fits[d] = fits;
		if (ranking->loads != NULL && fits)
			ranking->loads[d] = same ? ranking->loads[d - 1] : candidate_load(search, &candidate);
		for (int p = 0; p < policy->nparts; p++)
			if (ranking->values[p] != NULL)
				keep_value(ranking, policy, p, d, fits,
						   !fits ? NAN :
						   same	 ? ranking->values[p][d - 1] :
								   part_value(search, kind, &policy->parts[p], &candidate));
	}
	ranking->nworkers += has - had;
}

/* Frees the ranking that was not used for longest. */
static void
forget_ranking(Search *search)
{
	WorkKind *oldest = NULL;

	for (int k = 0; k < search->nkinds; k++)
		if (search->kinds[k].state->ranking != NULL &&
			(oldest == NULL ||
			 search->kinds[k].state->ranking->used < oldest->state->ranking->used))
			oldest = &search->kinds[k];
	if (oldest == NULL)
		return;
	search->state->ranking_bytes -= oldest->state->ranking->bytes;
	for (int p = 0; p < oldest->policy->nparts; p++)
		if (oldest->state->ranking->values[p] != NULL)
			pfree(oldest->state->ranking->values[p]);
	pfree(oldest->state->ranking->values);
	pfree(oldest->state->ranking->extremes);
	pfree(oldest->state->ranking->fits);
	if (oldest->state->ranking->loads != NULL)
		pfree(oldest->state->ranking->loads);
	pfree(oldest->state->ranking);
	oldest->state->ranking = NULL;
}

static Ranking *
make_ranking(Search *search, WorkKind *kind)
{
	const Policy *policy = kind->policy;
	int ndevices = search->fleet->ndevices;
	Ranking *ranking = palloc0(sizeof(Ranking));

	ranking->values = palloc0(sizeof(double *) * policy->nparts);
	ranking->extremes = palloc(sizeof(double) * policy->nparts);
	ranking->fits = palloc0(sizeof(bool) * (ndevices + 1));
	ranking->bytes = sizeof(bool) * ndevices;
	if (policy_has(policy, ALGORITHM_AFFINITY))
	{
		ranking->loads = palloc_huge(sizeof(double) * (ndevices + 1));
		ranking->bytes += sizeof(double) * ndevices;
	}
	for (int p = 0; p < policy->nparts; p++)
	{
		ranking->extremes[p] = NAN;
		if (!algorithm_traits[policy->parts[p].algorithm].fixed)
			continue;
		ranking->values[p] = palloc_huge(sizeof(double) * (ndevices + 1));
		ranking->bytes += sizeof(double) * ndevices;
		for (int d = 0; d < ndevices; d++)
			ranking->values[p][d] = NAN;
	}
	search->state->ranking_bytes += ranking->bytes;
	return ranking;
}

/* Finds the extreme values anew. */
static void
find_extremes(const Search *search, const Policy *policy, Ranking *ranking)
{
	for (int p = 0; p < policy->nparts; p++)
	{
		Scale scale = algorithm_traits[policy->parts[p].algorithm].scale;
		const double *values = ranking->values[p];
		double extreme = NAN;

		if (scale == SCALE_NONE)
			continue;
		for (int d = 0; d < search->fleet->ndevices; d++)
			if (scale == SCALE_GREATEST ? !(values[d] <= extreme) : !(values[d] >= extreme))
				if (!isnan(values[d]))
					extreme = values[d];
		ranking->extremes[p] = extreme;
	}
	ranking->stale = false;
}

/* Returns the ranking of a kind of work, up to date. */
static Ranking *
ranking_of(Search *search, WorkKind *kind)
{
	SearchState *state = search->state;
	Ranking *ranking = kind->state->ranking;
	bool is_new = ranking == NULL;

	if (!state->has_rankings)
		begin_rankings(search);
	if (is_new)
	{
		ranking = make_ranking(search, kind);
		while (state->ranking_bytes > MOST_RANKING_BYTES && state->ranking_bytes > ranking->bytes)
			forget_ranking(search);
		kind->state->ranking = ranking;
	}
	ranking->used = ++state->clock;
	if (is_new || state->nchanges - ranking->seen > search->fleet->nworkers)
		for (int w = 0; w < search->fleet->nworkers; w++)
		{
			if (w % 1000 == 0)
				CHECK_FOR_INTERRUPTS();
			rank_worker(search, kind, ranking, w);
		}
	else
		for (int64 i = ranking->seen; i < state->nchanges; i++)
			rank_worker(search, kind, ranking, state->changes[i % search->fleet->nworkers]);
	ranking->seen = state->nchanges;
	if (ranking->stale)
		find_extremes(search, kind->policy, ranking);
	return ranking;
}

/* --- the weighted sums --- */

/* Adds the weighted scores of a fixed part to the totals; what does not fit is NAN. */
static void
add_fixed_part(const Search *search, const PolicyPart *part, const double *values, double extreme)
{
	double *totals = search->state->totals;
	double weight = part->weight;
	int ndevices = search->fleet->ndevices;

	/* one plain loop per scale: it is run for each workload and each device */
	switch (algorithm_traits[part->algorithm].scale)
	{
		case SCALE_NONE:
			for (int d = 0; d < ndevices; d++)
				totals[d] += weight * values[d];
			break;
		case SCALE_GREATEST:
			for (int d = 0; d < ndevices; d++)
				totals[d] += weight * (extreme > 0.0 ? values[d] / extreme : values[d] * 0.0);
			break;
		case SCALE_LEAST:
			for (int d = 0; d < ndevices; d++)
				totals[d] += weight * (values[d] > extreme	? extreme / values[d] :
									   values[d] <= extreme ? 1.0 :
															  NAN);
			break;
	}
}

/* Adds the weighted scores of round robin: who had its turn longest ago has 1. */
static void
add_turns(const Search *search, const PolicyPart *part, const Ranking *ranking)
{
	const Fleet *fleet = search->fleet;
	const SearchState *state = search->state;
	int64 previous = -1;
	int candidates = 0;
	int rank = 0;

	for (int w = state->first_turn; w >= 0; w = state->next_turn[w])
	{
		const Worker *worker = &fleet->workers[w];
		bool any = false;

		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		{
			if (!ranking->fits[d])
				continue;
			/* workers that never had a turn share one rank */
			if (!any && worker->last_turn != previous)
			{
				rank = candidates;
				previous = worker->last_turn;
			}
			any = true;
			state->totals[d] += part->weight * (1.0 - (double) rank / ranking->nworkers);
		}
		candidates += any;
	}
}

/* Adds the weighted scores of affinity, which only two workers can have. */
static void
add_affinity(Search *search, WorkKind *kind, const PolicyPart *part)
{
	const Fleet *fleet = search->fleet;
	int32 places[] = {-1, -1};

	if (kind->model >= 0)
		places[0] = search->model_workers[kind->model];
	if (kind->family >= 0 && search->model_workers[kind->family] != places[0])
		places[1] = search->model_workers[kind->family];
	for (int i = 0; i < (int) lengthof(places); i++)
	{
		Candidate candidate = {.worker = places[i]};

		if (places[i] < 0)
			continue;
		for (int d = fleet->workers[places[i]].first_device;
			 d < fleet->workers[places[i]].first_device + fleet->workers[places[i]].ndevices; d++)
			search->state->totals[d] += part->weight * part_value(search, kind, part, &candidate);
	}
}

/*
 * Adds up what each candidate is worth.  Returns the weighted sums by device,
 * NAN where there is no candidate; they stay valid until the next call.
 */
static const double *
add_up(Search *search, WorkKind *kind, const Ranking *ranking)
{
	const Policy *policy = kind->policy;
	double *totals = search->state->totals;

	for (int d = 0; d < search->fleet->ndevices; d++)
		totals[d] = ranking->fits[d] ? 0.0 : NAN;
	for (int p = 0; p < policy->nparts; p++)
	{
		const PolicyPart *part = &policy->parts[p];

		if (ranking->values[p] != NULL)
			add_fixed_part(search, part, ranking->values[p], ranking->extremes[p]);
		else if (part->algorithm == ALGORITHM_ROUND_ROBIN)
			add_turns(search, part, ranking);
		else
			add_affinity(search, kind, part);
	}
	return totals;
}

/*
 * Returns what ranks: the weighted sums or, where a policy has one fixed part
 * only, its values, which are free of the rounding of scaling.
 */
static const double *
ranks_by(Search *search, WorkKind *kind, const Ranking *ranking, double *sign)
{
	const Policy *policy = kind->policy;

	*sign = 1.0;
	if (policy->nparts > 1 || ranking->values[0] == NULL)
		return add_up(search, kind, ranking);
	if (algorithm_traits[policy->parts[0].algorithm].scale == SCALE_LEAST)
		*sign = -1.0;
	return ranking->values[0];
}

/*
 * Returns whether the candidate of device a comes before that of b among equal
 * scores; load_a and load_b are theirs.
 */
static bool
before_among_equals(Search *search, WorkKind *kind, int a, double load_a, int b, double load_b)
{
	const Fleet *fleet = search->fleet;
	int32 i = search->state->device_workers[a];
	int32 j = search->state->device_workers[b];
	const Worker *x = &fleet->workers[i];
	const Worker *y = &fleet->workers[j];

	if (load_a != load_b && policy_has(kind->policy, ALGORITHM_AFFINITY))
		return load_a < load_b;
	if (device_sparing(search, kind, a) != device_sparing(search, kind, b))
		return device_sparing(search, kind, a) > device_sparing(search, kind, b);
	if (i == j)
		return device_before(search, kind, a, b);
	if (policy_takes_first_worker(kind->policy))
		return i < j;
	return less_used(x->assignments, x->total_assignments, i, y->assignments, y->total_assignments,
					 j);
}

/* Returns whether device a, alone, comes before device b; they have been scored. */
bool
scored_before(Search *search, WorkKind *kind, int a, double score_a, int b, double score_b)
{
	const Device *devices = search->fleet->devices;

	return score_a != score_b ? score_a > score_b :
								before_among_equals(search, kind, a, devices[a].effective_load, b,
													devices[b].effective_load);
}

/* Returns whether a device is out of question for the decision that is made. */
static inline bool
is_masked(const Search *search, int device)
{
	return search->state->masked != NULL && search->state->masked[device];
}

/*
 * Writes down what each part of the policy gave a candidate, by its device; total is the weighted
 * sum of all.  What is left of that for ranks, which only all candidates together give, is theirs.
 */
static void
write_parts(Search *search, WorkKind *kind, const Ranking *ranking, int device, double total,
			PartScore *parts)
{
	const Policy *policy = kind->policy;
	double rest = total;
	int turns = -1;

	for (int p = 0; p < policy->nparts; p++)
	{
		const PolicyPart *part = &policy->parts[p];
		double value = NAN;
		double score = 0;

		if (ranking->values[p] != NULL)
		{
			value = ranking->values[p][device];
			score = part_score(part, value, ranking->extremes[p]);
		}
		else if (part->algorithm == ALGORITHM_AFFINITY)
			score = part_value(search, kind, part,
							   &(Candidate){.worker = search->state->device_workers[device]});
		else
			turns = p;
		parts[p] = (PartScore){(float) value, (float) score};
		rest -= part->weight * score;
	}
	if (turns >= 0)
		parts[turns].score = (float) clamp01(rest / policy->parts[turns].weight);
}

/* Returns the weighted sum of a candidate, by its device, given what ranks the candidates. */
static double
total_of(const Search *search, const WorkKind *kind, const Ranking *ranking, const double *ranks,
		 int device)
{
	return ranks == search->state->totals ?
			   ranks[device] :
			   kind->policy->parts[0].weight *
				   part_score(&kind->policy->parts[0], ranks[device], ranking->extremes[0]);
}

/* Keeps what a candidate's parts are, and those of the best of the others (-1: there is none). */
static void
keep_scores(Search *search, WorkKind *kind, const Ranking *ranking, const double *ranks, int best,
			int second)
{
	Scored *scored = &search->scored;
	int nparts = kind->policy->nparts;
	PartScore *parts = add_part_scores(search, 2 * nparts, &scored->parts);

	scored->second_worker = scored->second_device = -1;
	write_parts(search, kind, ranking, best, total_of(search, kind, ranking, ranks, best), parts);
	if (second < 0)
		return;
	scored->second_worker = search->state->device_workers[second];
	scored->second_device = second;
	scored->second_score = total_of(search, kind, ranking, ranks, second);
	write_parts(search, kind, ranking, second, scored->second_score, parts + nparts);
}

/* Returns the best of the candidates that are not masked, one apart, by what ranks them; or -1. */
static int
best_of_others(const Search *search, const double *ranks, double sign, int best)
{
	double greatest = -INFINITY;
	int second = -1;

	for (int d = 0; d < search->fleet->ndevices; d++)
		if (sign * ranks[d] > greatest && d != best && !is_masked(search, d))
		{
			greatest = sign * ranks[d];
			second = d;
		}
	return second;
}

/*
 * Finds the best candidate for a kind of work and its score; returns false if
 * none fits.
 */
bool
policy_search_best(Search *search, WorkKind *kind, Candidate *candidate, double *score)
{
	const Ranking *ranking = ranking_of(search, kind);
	const Device *devices = search->fleet->devices;
	const double *loads = ranking->loads;
	SpareMode mode = search->settings.spare_accelerators;
	bool spares = spares_accelerators(search, kind);
	double best_cpu = NAN;
	double sign;
	const double *ranks;
	double greatest = -INFINITY;
	int accelerator = -1; /* the best of them */
	int best_turn = 0;
	int best = -1;
	FilterReason reason;

	if (ranking->nworkers == 0)
		return false;
	ranks = ranks_by(search, kind, ranking, &sign);
	for (int d = 0; d < search->fleet->ndevices && spares; d++)
	{
		if (isnan(ranks[d]) || is_masked(search, d))
			continue;
		if (devices[d].sparing > 0)
			best_cpu = Max(best_cpu, sign * ranks[d]);
		else if (accelerator < 0 || sign * ranks[d] > sign * ranks[accelerator] ||
				 (ranks[d] == ranks[accelerator] &&
				  before_among_equals(search, kind, d, loads ? loads[d] : 0, accelerator,
									  loads ? loads[accelerator] : 0)))
			accelerator = d;
	}
	for (int d = 0; d < search->fleet->ndevices; d++)
	{
		double rank = sign * ranks[d];

		if (isnan(rank) || is_masked(search, d))
			continue;
		if (spares)
		{
			int turn = spare_turn(mode, &devices[d], rank, best_cpu,
								  accelerator < 0 ? -1 : devices[accelerator].profile);

			if (best >= 0 && turn > best_turn)
				continue;
			if (best < 0 || turn < best_turn)
			{
				best = d;
				best_turn = turn;
				greatest = rank;
				continue;
			}
		}
		/* the first of those that cost without end is as good as any */
		if (rank > greatest ||
			(rank == greatest &&
			 (best < 0 || before_among_equals(search, kind, d, loads ? loads[d] : 0, best,
											  loads ? loads[best] : 0))))
		{
			best = d;
			greatest = rank;
		}
	}
	if (best < 0)
		return false;
	*score = total_of(search, kind, ranking, ranks, best);
	if (search->keeps_scores)
		keep_scores(search, kind, ranking, ranks, best,
					search->keeps_second ? best_of_others(search, ranks, sign, best) : -1);
	if (demanded_devices(&kind->demand) > 1)
		reason = search_candidate(search, kind, search->state->device_workers[best], candidate);
	else
		reason =
			device_candidate(search, kind, search->state->device_workers[best], best, candidate);
	Assert(reason == FITS);
	return reason == FITS;
}

/*
 * Returns the score of every candidate of a kind of work, by device (of work
 * that takes several, by a worker's first device); NAN where there is none.
 * Valid until the next call.
 */
const double *
policy_search_scores(Search *search, WorkKind *kind)
{
	return add_up(search, kind, ranking_of(search, kind));
}

/* --- all candidates at once --- */

static int
compare_int64(const void *a, const void *b)
{
	int64 x = *(const int64 *) a;
	int64 y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* Returns the score of a turn among those of all candidates' workers, sorted. */
static double
turn_score(const int64 *turns, int count, int64 turn)
{
	int low = 0;
	int high = count;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (turns[middle] < turn)
			low = middle + 1;
		else
			high = middle;
	}
	return 1.0 - (double) low / count;
}

/*
 * Scores some candidates beside each other, all those that a kind of work has:
 * scores[i] is the weighted sum, and parts[i * nparts + p], if parts is given,
 * what each algorithm gives, 0..1.  Candidates of one worker stand together.
 */
void
score_candidates(Search *search, WorkKind *kind, const Candidate *candidates, int count,
				 double *scores, double *parts)
{
	const Policy *policy = kind->policy;
	double *values = palloc_huge(sizeof(double) * (count + 1));
	int64 *turns = palloc_huge(sizeof(int64) * (count + 1));
	int nturns = 0;

	if (!search->state->has_rankings)
		begin_rankings(search);
	for (int i = 0; i < count; i++)
	{
		scores[i] = 0;
		if (i == 0 || candidates[i].worker != candidates[i - 1].worker)
			turns[nturns++] = search->fleet->workers[candidates[i].worker].last_turn;
	}
	qsort(turns, nturns, sizeof(int64), compare_int64);
	for (int p = 0; p < policy->nparts; p++)
	{
		const PolicyPart *part = &policy->parts[p];
		Scale scale = algorithm_traits[part->algorithm].scale;
		double extreme = NAN;

		for (int i = 0; i < count; i++)
		{
			values[i] = part->algorithm == ALGORITHM_ROUND_ROBIN ?
							turn_score(turns, nturns,
									   search->fleet->workers[candidates[i].worker].last_turn) :
							part_value(search, kind, part, &candidates[i]);
			if (isnan(extreme) ||
				(scale == SCALE_LEAST ? values[i] < extreme : values[i] > extreme))
				extreme = values[i];
			if (i % 1000 == 0)
				CHECK_FOR_INTERRUPTS();
		}
		for (int i = 0; i < count; i++)
		{
			double score = part_score(part, values[i], extreme);

			scores[i] += part->weight * score;
			if (parts != NULL)
				parts[i * policy->nparts + p] = score;
		}
	}
	pfree(values);
	pfree(turns);
}
