/*
 * transport_test.c
 *		The solver of batches beside all plans there are (thousands of tiny
 *		problems), beside a plain solver by shortest paths (hundreds of larger
 *		ones), and where the best plan is known.  Most problems are made of few
 *		values, so that ties and full lanes are the rule.
 *
 * Built with assertions, the solver also proves of each plan that it is the
 * best: a wrong one stops the program.
 */
#include <inttypes.h>
#include <time.h>

#include "place/network_simplex.h"
#include "support/standalone.h"
#include "tap.h"

/* Builds the solver with a palloc that counts, under other names than the linked one. */
#undef palloc
#define palloc(size) counted_palloc(size)
#define network_simplex_solve counted_transport_solve
#define network_simplex_memory counted_transport_memory

static size_t allocated;

static void *
counted_palloc(size_t size)
{
	char *block = malloc(size);

	allocated += size;
	/* what is not set must not matter */
	memset(block, (int) random_bits() & 0xFF, size);
	return block;
}

#include "place/network_simplex.c"

#define ONE_OF(type, ...) \
	(((const type[]){__VA_ARGS__})[random_below(lengthof(((const type[]){__VA_ARGS__})))])

#define TINY_ROUNDS 10000
#define SMALL_ROUNDS 800
#define MOST 40 /* kinds, lanes or groups of random problems */

/* --- random problems --- */

typedef struct World
{
	TransportProblem problem;
	int64 supply[MOST];
	int64 capacity[MOST];
	int32 group[MOST];
	int64 group_capacity[MOST];
	double score[MOST * MOST];
} World;

/* Scores: all different, few different ones, equal ones, or products of qualities. */
static void
random_scores(World *world)
{
	const TransportProblem *problem = &world->problem;
	int sort = random_below(4);
	double missing = ONE_OF(double, 0, 0.3, 0.8);
	double kind_quality[MOST];
	double lane_quality[MOST];

	for (int i = 0; i < MOST; i++)
	{
		kind_quality[i] = random_unit();
		lane_quality[i] = random_unit();
	}
	for (int k = 0; k < problem->nkinds; k++)
		for (int l = 0; l < problem->nlanes; l++)
		{
			double *score = &world->score[k * problem->nlanes + l];

			*score = sort == 0 ? random_unit() :
					 sort == 1 ? random_below(4) / 3.0 :
					 sort == 2 ? 1 :
								 kind_quality[k] * lane_quality[l];
			if (random_unit() < missing)
				*score = NAN;
		}
}

/* Makes a problem of at most so many kinds and lanes, with at most so many units each. */
static void
random_problem(World *world, int nkinds, int nlanes, int units)
{
	TransportProblem *problem = &world->problem;

	memset(world, 0, sizeof(*world));
	*problem = (TransportProblem){.nkinds = 1 + random_below(nkinds),
								  .nlanes = 1 + random_below(nlanes),
								  .supply = world->supply,
								  .capacity = world->capacity,
								  .score = world->score};
	for (int k = 0; k < problem->nkinds; k++)
		world->supply[k] = random_below(units + 1);
	for (int l = 0; l < problem->nlanes; l++)
		world->capacity[l] = random_below(10) == 0 ? TRANSPORT_UNLIMITED : random_below(units + 1);
	random_scores(world);
	if (random_below(4) == 0)
		return;
	problem->ngroups = 1 + random_below(problem->nlanes);
	problem->group = world->group;
	problem->group_capacity = world->group_capacity;
	for (int l = 0; l < problem->nlanes; l++)
		world->group[l] = random_below(problem->ngroups);
	for (int g = 0; g < problem->ngroups; g++)
		world->group_capacity[g] =
			random_below(4) == 0 ? TRANSPORT_UNLIMITED : random_below(2 * units);
}

static double
score_of(const TransportProblem *problem, int kind, int lane)
{
	return problem->score[(size_t) kind * problem->nlanes + lane];
}

/* Returns whether a plan keeps all limits and its sums are those of its flows. */
static bool
is_valid(const TransportProblem *problem, const TransportPlan *plan)
{
	int64 *supply = calloc(problem->nkinds + 1, sizeof(int64));
	int64 *used = calloc(problem->nlanes + 1, sizeof(int64));
	int64 *group_used = calloc(problem->ngroups + 1, sizeof(int64));
	int64 placed = 0;
	double score = 0;
	bool valid = plan->nflows == 0 || plan->nflows < problem->nkinds + problem->nlanes;

	for (int i = 0; i < plan->nflows; i++)
	{
		const TransportFlow *flow = &plan->flows[i];

		valid &= flow->amount > 0 && !isnan(score_of(problem, flow->kind, flow->lane));
		valid &= i == 0 || flow[-1].kind < flow->kind ||
				 (flow[-1].kind == flow->kind && flow[-1].lane < flow->lane);
		supply[flow->kind] += flow->amount;
		used[flow->lane] += flow->amount;
		if (problem->group != NULL)
			group_used[problem->group[flow->lane]] += flow->amount;
		placed += flow->amount;
		score += flow->amount * score_of(problem, flow->kind, flow->lane);
	}
	for (int k = 0; k < problem->nkinds; k++)
		valid &= supply[k] <= problem->supply[k];
	for (int l = 0; l < problem->nlanes; l++)
		valid &= used[l] <= problem->capacity[l];
	for (int g = 0; g < problem->ngroups; g++)
		valid &= group_used[g] <= problem->group_capacity[g];
	free(supply);
	free(used);
	free(group_used);
	return valid && placed == plan->placed && fabs(score - plan->score) <= 1e-9 * fmax(1, score);
}

/* Solves a problem; the caller frees the plan's flows.  Returns whether it is valid. */
static bool
solve(const TransportProblem *problem, TransportPlan *plan)
{
	allocated = 0;
	network_simplex_solve(problem, plan);
	return is_valid(problem, plan) &&
		   allocated <= network_simplex_memory(problem->nkinds, problem->nlanes, problem->ngroups);
}

/* --- all plans there are --- */

typedef struct Enumeration
{
	const TransportProblem *problem;
	int64 room[MOST]; /* of lanes */
	int64 group_room[MOST];
	int64 placed;
	double score;
	int64 best_placed;
	double best_score;
} Enumeration;

/* Tries all numbers of units of a kind on a lane, then all that can follow. */
static void
enumerate(Enumeration *all, int kind, int lane, int64 left)
{
	const TransportProblem *problem = all->problem;
	int64 none = INT64_MAX;
	int64 *group_room = problem->group == NULL ? &none : &all->group_room[problem->group[lane]];

	if (kind == problem->nkinds)
	{
		if (all->placed > all->best_placed ||
			(all->placed == all->best_placed && all->score > all->best_score))
		{
			all->best_placed = all->placed;
			all->best_score = all->score;
		}
		return;
	}
	for (int64 amount = 0; amount <= left && amount <= all->room[lane] && amount <= *group_room;
		 amount++)
	{
		double score = amount == 0 ? 0 : amount * score_of(problem, kind, lane);

		if (isnan(score))
			break;
		all->room[lane] -= amount;
		*group_room -= amount;
		all->placed += amount;
		all->score += score;
		if (lane + 1 < problem->nlanes)
			enumerate(all, kind, lane + 1, left - amount);
		else
			enumerate(all, kind + 1, 0, kind + 1 < problem->nkinds ? problem->supply[kind + 1] : 0);
		all->room[lane] += amount;
		*group_room += amount;
		all->placed -= amount;
		all->score -= score;
	}
}

static void
test_tiny(void)
{
	int wrong = 0;

	for (int round = 0; round < TINY_ROUNDS; round++)
	{
		World world;
		TransportPlan plan;
		Enumeration all;
		bool wide = random_below(2) == 0;

		random_problem(&world, wide ? 3 : 4, wide ? 4 : 3, 1 + random_below(3));
		memset(&all, 0, sizeof(all));
		all.problem = &world.problem;
		memcpy(all.room, world.capacity, sizeof(all.room));
		memcpy(all.group_room, world.group_capacity, sizeof(all.group_room));
		enumerate(&all, 0, 0, world.supply[0]);
		if (!solve(&world.problem, &plan) || plan.placed != all.best_placed ||
			fabs(plan.score - all.best_score) > 1e-12)
		{
			if (wrong++ == 0)
				diag("round %d: %" PRId64 " placed with %.17g, can be %" PRId64 " with %.17g",
					 round, plan.placed, plan.score, all.best_placed, all.best_score);
		}
		free(plan.flows);
	}
	is_int(wrong, 0, "tiny problems: no plan is better, of all there are");
}

/* --- a plain solver --- */

#define NODES (3 * MOST + 2)

/* A network as matrices: what may still flow, and what that costs. */
typedef struct Network
{
	int nnodes;
	int64 room[NODES][NODES];
	double cost[NODES][NODES];
} Network;

static void
add_arc(Network *network, int from, int to, int64 room, double cost)
{
	network->room[from][to] = room;
	network->cost[from][to] = cost;
	network->cost[to][from] = -cost;
}

/* Sends units along the cheapest path from node 0 to 1 (Bellman & Ford); false if there is none. */
static bool
send_cheapest(Network *network, int64 *placed, double *cost)
{
	int from[NODES];
	double distance[NODES];
	int64 amount = INT64_MAX;
	bool nearer = true;

	for (int i = 0; i < network->nnodes; i++)
		distance[i] = i == 0 ? 0 : INFINITY;
	while (nearer)
	{
		nearer = false;
		for (int a = 0; a < network->nnodes; a++)
			for (int b = 0; b < network->nnodes; b++)
				if (network->room[a][b] > 0 &&
					distance[a] + network->cost[a][b] < distance[b] - 1e-12)
				{
					distance[b] = distance[a] + network->cost[a][b];
					from[b] = a;
					nearer = true;
				}
	}
	if (isinf(distance[1]))
		return false;
	for (int b = 1; b != 0; b = from[b])
		amount = Min(amount, network->room[from[b]][b]);
	for (int b = 1; b != 0; b = from[b])
	{
		network->room[from[b]][b] -= amount;
		network->room[b][from[b]] += amount;
	}
	*placed += amount;
	*cost += amount * distance[1];
	return true;
}

/* Solves a problem by cheapest paths: each number of units at the least cost, up to the most. */
static void
solve_plainly(const TransportProblem *problem, int64 *placed, double *score)
{
	static Network network;
	int64 supply = 0;
	double cost = 0;
	int first_lane = 2 + problem->nkinds;
	int first_group = first_lane + problem->nlanes;

	memset(&network, 0, sizeof(network));
	network.nnodes = first_group + problem->ngroups;
	for (int k = 0; k < problem->nkinds; k++)
	{
		supply += problem->supply[k];
		add_arc(&network, 0, 2 + k, problem->supply[k], 0);
		for (int l = 0; l < problem->nlanes; l++)
			if (!isnan(score_of(problem, k, l)))
				add_arc(&network, 2 + k, first_lane + l, problem->supply[k],
						-score_of(problem, k, l));
	}
	for (int l = 0; l < problem->nlanes; l++)
		add_arc(&network, first_lane + l,
				problem->group == NULL ? 1 : first_group + problem->group[l],
				Min(supply, problem->capacity[l]), 0);
	for (int g = 0; g < problem->ngroups; g++)
		add_arc(&network, first_group + g, 1, Min(supply, problem->group_capacity[g]), 0);
	*placed = 0;
	while (send_cheapest(&network, placed, &cost))
		;
	*score = -cost;
}

static void
test_small(void)
{
	int wrong = 0;

	for (int round = 0; round < SMALL_ROUNDS; round++)
	{
		World world;
		TransportPlan plan;
		int64 placed;
		double score;

		random_problem(&world, round % 4 == 0 ? MOST : 12, round % 4 == 0 ? MOST : 12,
					   ONE_OF(int, 1, 3, 20));
		solve_plainly(&world.problem, &placed, &score);
		if (!solve(&world.problem, &plan) || plan.placed != placed ||
			fabs(plan.score - score) > 1e-9)
		{
			if (wrong++ == 0)
				diag("round %d: %" PRId64 " placed with %.17g, expected %" PRId64 " with %.17g",
					 round, plan.placed, plan.score, placed, score);
		}
		free(plan.flows);
	}
	is_int(wrong, 0, "small problems: as good as by cheapest paths");
}

/* --- the same problem twice --- */

static bool
same_plan(const TransportPlan *a, const TransportPlan *b)
{
	if (a->nflows != b->nflows || a->placed != b->placed)
		return false;
	for (int i = 0; i < a->nflows; i++)
		if (compare_flows(&a->flows[i], &b->flows[i]) != 0 ||
			a->flows[i].amount != b->flows[i].amount)
			return false;
	return true;
}

static void
test_determinism(void)
{
	int different = 0;
	int scaled = 0;

	for (int round = 0; round < 300; round++)
	{
		World world;
		World *copy = malloc(sizeof(World));
		TransportPlan plan;
		TransportPlan again;
		double factor = ldexp(1, ONE_OF(int, -800, -50, -1, 3, 800));

		random_problem(&world, MOST, MOST, ONE_OF(int, 1, 3, 20));
		*copy = world;
		copy->problem.supply = copy->supply;
		copy->problem.capacity = copy->capacity;
		copy->problem.score = copy->score;
		if (world.problem.group != NULL)
		{
			copy->problem.group = copy->group;
			copy->problem.group_capacity = copy->group_capacity;
		}
		solve(&world.problem, &plan);
		solve(&copy->problem, &again);
		different += !same_plan(&plan, &again) || plan.score != again.score;
		free(again.flows);
		for (int i = 0; i < MOST * MOST; i++)
			copy->score[i] *= factor;
		solve(&copy->problem, &again);
		scaled += !same_plan(&plan, &again);
		free(again.flows);
		free(plan.flows);
		free(copy);
	}
	is_int(different, 0, "the same problem elsewhere in memory has the same plan");
	is_int(scaled, 0, "the plan does not depend on the unit of the scores");
}

/* --- where the best plan is known --- */

static void
check_case(const TransportProblem *problem, int64 placed, double score, const char *name)
{
	TransportPlan plan;
	bool valid = solve(problem, &plan);

	if (!ok(valid && plan.placed == placed && plan.score == score, "%s", name))
		diag("%" PRId64 " placed with %.17g", plan.placed, plan.score);
	free(plan.flows);
}

static void
test_cases(void)
{
	const int64 one[] = {1, 1, 1};
	const int64 two[] = {2, 2};
	const int64 zero[] = {0, 0};
	const int64 three[] = {3};
	const int64 huge[] = {INT64_C(1) << 61, INT64_C(1) << 61};
	const int64 unlimited[] = {TRANSPORT_UNLIMITED, TRANSPORT_UNLIMITED};
	const int32 together[] = {0, 0};
	const int32 apart[] = {1, 0};
	const double near_one[] = {1 - 0x1p-52, 1 - 0x1p-51, 1, 1 - 0x1p-51};
	const double mirrored[] = {1 - 0x1p-51, 1 - 0x1p-52, 1 - 0x1p-51, 1};
	const double tiny[] = {0x1p-1074, NAN, 0, 0};

	check_case(&(TransportProblem){0}, 0, 0, "nothing at all");
	check_case(&(TransportProblem){.nkinds = 2, .supply = one}, 0, 0, "no lanes");
	check_case(&(TransportProblem){.nlanes = 2, .capacity = one}, 0, 0, "no kinds");
	check_case(&(TransportProblem){2, 1, 0, two, three, .score = (double[]){0.5, 0.75}}, 3, 2,
			   "the better kind first");
	check_case(&(TransportProblem){1, 2, 0, three, two, .score = (double[]){0.25, 0.5}}, 3, 1.25,
			   "the better lane first");
	check_case(&(TransportProblem){2, 2, 0, one, one, .score = (double[]){1, 0.01, 0.01, NAN}}, 2,
			   0.02, "two at 0.01 rather than one at 1");
	check_case(&(TransportProblem){2, 2, 0, one, zero, .score = (double[]){1, 1, 1, 1}}, 0, 0,
			   "lanes without room");
	check_case(&(TransportProblem){2, 2, 0, zero, one, .score = (double[]){1, 1, 1, 1}}, 0, 0,
			   "kinds that have all");
	check_case(&(TransportProblem){1, 2, 0, one, one, .score = (double[]){NAN, NAN}}, 0, 0,
			   "nothing compatible");
	check_case(&(TransportProblem){1, 2, 0, one, one, .score = (double[]){0, NAN}}, 1, 0,
			   "compatible at 0 is placed");
	check_case(&(TransportProblem){2, 2, 1, two, two, together, three, (double[]){1, 0.5, 0.25, 1}},
			   3, 3, "a group holds back what its lanes could take");
	check_case(&(TransportProblem){1, 2, 2, three, two, apart, one, (double[]){1, 0.5}}, 2, 1.5,
			   "each group by its own limit");
	check_case(
		&(TransportProblem){2, 2, 1, two, two, together, unlimited, (double[]){1, 0.5, 0.25, 1}}, 4,
		4, "a group without limit");
	check_case(&(TransportProblem){2, 2, 1, two, two, together, zero, (double[]){1, 1, 1, 1}}, 0, 0,
			   "a group without room");
	check_case(&(TransportProblem){2, 2, 0, huge, unlimited, .score = (double[]){1, 0.5, NAN, 0.5}},
			   INT64_C(1) << 62, 0x1.8p61, "more units than can be counted one by one");
	check_case(&(TransportProblem){2, 2, 0, one, one, .score = near_one}, 2, 2 - 0x1p-51,
			   "scores that differ in the last bit");
	check_case(&(TransportProblem){2, 2, 0, one, one, .score = mirrored}, 2, 2 - 0x1p-51,
			   "scores that differ in the last bit, mirrored");
	check_case(&(TransportProblem){2, 2, 0, one, one, .score = tiny}, 2, 0x1p-1074,
			   "scores close to nothing");
	check_case(&(TransportProblem){2, 2, 0, one, one,
								   .score = (double[]){0x3p1000, 0x1p1000, 0x1p1000, 0x1p1000}},
			   2, 0x1p1002, "scores that are huge");
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/*
 * All kinds like the same lanes: the best plan brings the best together with
 * the best, and leaves over the rest.
 */
static void
test_one_mind(int nkinds, int nlanes, int64 supply, int64 capacity)
{
	double *kinds = malloc(sizeof(double) * nkinds);
	double *lanes = malloc(sizeof(double) * nlanes);
	double *score = malloc(sizeof(double) * nkinds * nlanes);
	int64 *supplies = malloc(sizeof(int64) * nkinds);
	int64 *capacities = malloc(sizeof(int64) * nlanes);
	TransportProblem problem = {nkinds, nlanes, 0, supplies, capacities, .score = score};
	TransportPlan plan;
	int64 placed = 0;
	double best = 0;
	clock_t start;
	char name[80];

	for (int k = 0; k < nkinds; k++)
	{
		kinds[k] = random_unit();
		supplies[k] = supply;
	}
	for (int l = 0; l < nlanes; l++)
	{
		lanes[l] = random_unit();
		capacities[l] = capacity;
	}
	for (int k = 0; k < nkinds; k++)
		for (int l = 0; l < nlanes; l++)
			score[(size_t) k * nlanes + l] = kinds[k] * lanes[l];
	qsort(kinds, nkinds, sizeof(double), compare_doubles);
	qsort(lanes, nlanes, sizeof(double), compare_doubles);
	for (placed = 0; placed < Min(nkinds * supply, nlanes * capacity); placed++)
		best += kinds[nkinds - 1 - placed / supply] * lanes[nlanes - 1 - placed / capacity];
	start = clock();
	snprintf(name, sizeof(name), "%d kinds of %d, %d lanes of %d, of one mind", nkinds,
			 (int) supply, nlanes, (int) capacity);
	ok(solve(&problem, &plan), "%s: valid", name);
	diag("%" PRId64 " pivots, %" PRId64 " arcs seen, %.2f s of CPU time (with sanitizers)",
		 plan.pivots, plan.arcs_seen, (double) (clock() - start) / CLOCKS_PER_SEC);
	is_int(plan.placed, placed, name);
	is_near(plan.score, best, 1e-9, name);
	free(plan.flows);
	free(kinds);
	free(lanes);
	free(score);
	free(supplies);
	free(capacities);
}

int
main(void)
{
	test_cases();
	test_tiny();
	test_small();
	test_determinism();
	test_one_mind(600, 600, 1, 1);
	test_one_mind(200, 600, 20, 7);
	test_one_mind(400, 50, 3, 5);
	test_one_mind(100, 1000, 3, 1);
	return done_testing();
}
