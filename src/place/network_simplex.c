/*
 * network_simplex.c
 *		The best batch: a transportation problem, solved to the optimum.
 *
 * Units of work flow from kinds over lanes and groups to the root; what is left
 * over flows from its kind to the root at once.  The network simplex method
 * finds the cheapest flow (Ahuja, Magnanti & Orlin, Network Flows, 1993,
 * chapter 11): a tree of arcs carries the flow, prices make the arcs of the
 * tree cost nothing, and an arc that would still save something comes into the
 * tree for one that gets empty or full.  The trees are strongly feasible: every
 * node could send more to the root.  The choice of the leaving arc keeps them
 * so; then no tree comes twice, and the method ends (Cunningham 1976).
 *
 * Costs are whole numbers, so that prices and sums of them are exact: a score
 * becomes its distance from the greatest score, and to be left over costs more
 * than any change of the other places can save.  The cheapest flow is then
 * the one that places the most and, after that, has the greatest score.
 *
 * Shortest augmenting paths (Jonker & Volgenant 1987) are faster where each
 * kind has favourites of its own.  But here work is mostly of one mind about
 * which hardware is good: then each path passes all that is placed already,
 * and moves few units.
 *
 * Arcs are looked at in turn, and the first of those that save most comes in:
 * the result depends on the problem alone.
 */
#include "place/network_simplex.h"

/* The greatest score becomes 2^52 at most: no double tells more apart. */
#define MOST_SCORE_BITS 52

/* To be left over costs less than 2^60, prices stay between -2^60 and 2^61. */
#define LEFT_OVER_BITS 60

/* The price of a lane or group without capacity, which is not in the tree. */
#define CLOSED (INT64_C(1) << 61)

/*
 * The arcs towards the root are few, but much follows from each.  So they are
 * looked at again after so many times as many others, few at a time.
 */
#define OTHERS_BETWEEN 8
#define BLOCK_TOWARDS_ROOT 64
#define LEAST_BLOCK 50

/*
 * A node of the tree: kinds come first, then lanes, groups and the root.  The
 * flow of the tree arc between a node and its parent, whichever way it points,
 * is kept with the node.  Of the arcs outside the tree, only that of a lane or
 * group towards the root can carry anything; then it is full.
 */
typedef struct TreeNode
{
	int32 parent;
	int32 depth;
	int32 first_child;
	int32 next; /* child of the same parent */
	int32 previous;
	bool is_full; /* the arc towards the root, outside the tree */
	int64 flow;
	int64 capacity; /* of a lane's or group's arc towards the root */
} TreeNode;

typedef struct Solver
{
	const TransportProblem *problem;
	TransportPlan *plan;
	double scale; /* cost of a score of 1 */
	int64 worst; /* cost of a score of 0 */
	int64 left_over; /* cost of not being placed */
	int32 first_lane; /* nodes */
	int32 first_group;
	int32 root;
	TreeNode *nodes;
	int64 *prices; /* of nodes: what it costs to bring a unit from there to the root */
	/* where the search for the next entering arc goes on */
	int32 row;
	int32 lane;
	int32 node; /* whose arc towards the root; -1: in a row */
	int64 rows_at_once; /* before the arcs towards the root */
	int64 block; /* arcs of rows that are looked at together */
	int64 circle; /* arcs until all have been looked at */
	/* the entering arc: a unit of flow from .. to saves so much */
	int64 saving;
	int32 from;
	int32 to;
	int32 owner; /* the lane or group whose arc it is; -1: a kind's */
} Solver;

/* --- costs --- */

/*
 * Sets what scores cost.  A path goes through a kind and a lane at most once,
 * so placing a unit in another way costs at most one worst score for each kind
 * (or lane, if there are fewer) on it; being left over costs more.  Prices are
 * sums along such a path, and none is beyond LEFT_OVER_BITS' bounds.
 */
static void
set_costs(Solver *solver)
{
	const TransportProblem *problem = solver->problem;
	int64 steps = Min(problem->nkinds, problem->nlanes);
	int bits = MOST_SCORE_BITS;
	int exponent;
	double greatest = 0;

	for (int32 k = 0; k < problem->nkinds; k++)
	{
		const double *row = &problem->score[(size_t) k * problem->nlanes];

		CHECK_FOR_INTERRUPTS();
		for (int32 l = 0; l < problem->nlanes; l++)
		{
			Assert(isnan(row[l]) || (isfinite(row[l]) && row[l] >= 0));
			if (row[l] > greatest)
				greatest = row[l];
		}
	}
	while ((steps >> (LEFT_OVER_BITS - bits)) > 0)
		bits--;
	solver->worst = INT64_C(1) << bits;
	solver->left_over = steps * solver->worst + 1;
	/* A power of two, so that to scale does not round; tiny scores must not make it infinite. */
	if (frexp(greatest, &exponent) == 0.5)
		exponent--;
	solver->scale = ldexp(1, bits - Max(exponent, -900));
}

/* Returns what a score costs, 0 to worst. */
static inline int64
cost_of(const Solver *solver, double score)
{
	return solver->worst - (int64) (score * solver->scale + 0.5);
}

/* --- the tree --- */

/* Returns where the arc of a lane or group towards the root leads. */
static inline int32
towards_root(const Solver *solver, int32 node)
{
	if (node >= solver->first_group || solver->problem->group == NULL)
		return solver->root;
	return solver->first_group + solver->problem->group[node - solver->first_lane];
}

/* Returns whether the arc between a node and its parent points to the parent. */
static inline bool
points_up(const Solver *solver, int32 node)
{
	/* from kinds to lanes to groups to the root, as the nodes are numbered */
	return node < solver->nodes[node].parent;
}

/* Returns the lane or group that owns the arc to a node's parent; -1: a kind. */
static inline int32
arc_owner(const Solver *solver, int32 node)
{
	int32 owner = Min(node, solver->nodes[node].parent);

	return owner < solver->first_lane ? -1 : owner;
}

/* Returns how much more the arc between a node and its parent takes upwards or downwards. */
static inline int64
room_on_arc(const Solver *solver, int32 node, bool upwards)
{
	int32 owner;

	if (points_up(solver, node) != upwards)
		return solver->nodes[node].flow;
	owner = arc_owner(solver, node);
	return owner < 0 ? INT64_MAX : solver->nodes[owner].capacity - solver->nodes[node].flow;
}

static void
add_child(Solver *solver, int32 parent, int32 child)
{
	TreeNode *node = &solver->nodes[child];
	int32 *first = &solver->nodes[parent].first_child;

	node->parent = parent;
	node->previous = -1;
	node->next = *first;
	if (*first >= 0)
		solver->nodes[*first].previous = child;
	*first = child;
}

static void
remove_child(Solver *solver, int32 child)
{
	const TreeNode *node = &solver->nodes[child];

	if (node->previous >= 0)
		solver->nodes[node->previous].next = node->next;
	else
		solver->nodes[node->parent].first_child = node->next;
	if (node->next >= 0)
		solver->nodes[node->next].previous = node->previous;
}

/* Adds a lane or group, empty, to the first tree, if it takes anything. */
static void
add_place(Solver *solver, int32 place, int64 capacity)
{
	TreeNode *node = &solver->nodes[place];
	int32 parent = towards_root(solver, place);

	Assert(capacity >= 0);
	node->capacity =
		parent == solver->root ? capacity : Min(capacity, solver->nodes[parent].capacity);
	if (node->capacity == 0)
	{
		solver->prices[place] = CLOSED;
		return;
	}
	node->depth = solver->nodes[parent].depth + 1;
	add_child(solver, parent, place);
}

/* Sets up the first tree: all is left over. */
static void
set_up(Solver *solver)
{
	const TransportProblem *problem = solver->problem;
	int64 arcs = (int64) problem->nkinds * problem->nlanes;
	int64 supply = 0;

	set_costs(solver);
	for (int32 i = 0; i <= solver->root; i++)
	{
		solver->nodes[i] = (TreeNode){.parent = -1, .first_child = -1, .next = -1, .previous = -1};
		solver->prices[i] = 0;
	}
	for (int32 k = 0; k < problem->nkinds; k++)
	{
		Assert(problem->supply[k] >= 0 && problem->supply[k] <= INT64_MAX - supply);
		supply += problem->supply[k];
		solver->nodes[k].flow = problem->supply[k];
		solver->nodes[k].depth = 1;
		solver->prices[k] = solver->left_over;
		add_child(solver, solver->root, k);
	}
	for (int32 g = 0; g < problem->ngroups; g++)
		add_place(solver, solver->first_group + g, Min(problem->group_capacity[g], supply));
	for (int32 l = 0; l < problem->nlanes; l++)
		add_place(solver, solver->first_lane + l, Min(problem->capacity[l], supply));

	solver->node = -1;
	solver->block = Max(LEAST_BLOCK, (int64) sqrt((double) arcs));
	solver->rows_at_once = (int64) OTHERS_BETWEEN * solver->root / Max(problem->nlanes, 1) + 1;
	solver->circle = arcs + (problem->nkinds / solver->rows_at_once + 2) * solver->root;
}

/* --- the arc that enters --- */

/* Offers an arc; the first of those that save most is taken. */
static inline void
offer_arc(Solver *solver, int64 saving, int32 from, int32 to, int32 owner)
{
	if (saving <= solver->saving)
		return;
	solver->saving = saving;
	solver->from = from;
	solver->to = to;
	solver->owner = owner;
}

/* Looks at the next arcs towards the root; returns at how many. */
static int64
look_towards_root(Solver *solver)
{
	int32 begin = solver->node;
	int32 end = Min(solver->root, begin + BLOCK_TOWARDS_ROOT);

	for (int32 i = begin; i < end; i++)
	{
		int32 to;

		if (i < solver->first_lane)
		{
			offer_arc(solver, solver->prices[i] - solver->left_over, i, solver->root, -1);
			continue;
		}
		if (solver->nodes[i].capacity == 0)
			continue;
		to = towards_root(solver, i);
		if (solver->nodes[i].is_full)
			offer_arc(solver, solver->prices[to] - solver->prices[i], to, i, i);
		else
			offer_arc(solver, solver->prices[i] - solver->prices[to], i, to, i);
	}
	solver->node = end < solver->root ? end : -1;
	return end - begin;
}

/* Looks at the next arcs of a row, so many at most; returns at how many. */
static int64
look_at_row(Solver *solver, int64 most)
{
	int32 nlanes = solver->problem->nlanes;
	const double *row = &solver->problem->score[(size_t) solver->row * nlanes];
	const int64 *prices = &solver->prices[solver->first_lane];
	int64 price = solver->prices[solver->row];
	int32 begin = solver->lane;
	int32 end = (int32) Min(nlanes, begin + most);
	int64 best = solver->saving;
	int32 found = -1;

	for (int32 l = begin; l < end; l++)
	{
		int64 saving;

		if (isnan(row[l]))
			continue;
		saving = price - prices[l] - cost_of(solver, row[l]);
		if (saving > best)
		{
			best = saving;
			found = l;
		}
	}
	if (found >= 0)
		offer_arc(solver, best, solver->row, solver->first_lane + found, -1);
	solver->lane = end;
	if (end == nlanes)
	{
		solver->lane = 0;
		solver->row++;
		if (solver->row == solver->problem->nkinds)
			solver->row = 0;
		if (solver->row % solver->rows_at_once == 0)
			solver->node = 0;
	}
	return end - begin;
}

/*
 * Finds an arc that saves something; returns false if none does, which proves
 * that the flow is the cheapest.
 */
static bool
find_entering(Solver *solver)
{
	int64 seen = 0;

	solver->saving = 0;
	while (solver->saving == 0 && seen < solver->circle)
	{
		int64 block = 0;

		CHECK_FOR_INTERRUPTS();
		if (solver->node >= 0)
			block = look_towards_root(solver);
		else
			while (block < solver->block && solver->node < 0)
				block += look_at_row(solver, solver->block - block);
		seen += block;
	}
	solver->plan->arcs_seen += seen;
	return solver->saving > 0;
}

/* --- the arc that leaves --- */

/* Returns the node where the tree paths from both ends of the entering arc meet. */
static int32
find_join(const Solver *solver)
{
	const TreeNode *nodes = solver->nodes;
	int32 a = solver->from;
	int32 b = solver->to;

	while (a != b)
	{
		if (nodes[a].depth >= nodes[b].depth)
			a = nodes[a].parent;
		else
			b = nodes[b].parent;
	}
	return a;
}

/*
 * Finds the tree arc that bounds what can flow around: over the entering arc,
 * up to the join and down to where it began.  Of several, the last one from the
 * join on: that keeps the tree strongly feasible.  Returns the lower node of
 * the arc, -1 for the entering arc itself; *below_from says on which side.
 */
static int32
find_leaving(const Solver *solver, int32 join, int64 *amount, bool *below_from)
{
	int32 leaving = -1;

	*amount = solver->owner < 0 ? INT64_MAX : solver->nodes[solver->owner].capacity;
	for (int32 i = solver->from; i != join; i = solver->nodes[i].parent)
	{
		int64 room = room_on_arc(solver, i, false);

		if (room < *amount)
		{
			*amount = room;
			*below_from = true;
			leaving = i;
		}
	}
	for (int32 i = solver->to; i != join; i = solver->nodes[i].parent)
	{
		int64 room = room_on_arc(solver, i, true);

		if (room <= *amount)
		{
			*amount = room;
			*below_from = false;
			leaving = i;
		}
	}
	Assert(*amount < INT64_MAX);
	return leaving;
}

/* Lets units flow around the circle that the entering arc closes. */
static void
send_around(Solver *solver, int32 join, int64 amount)
{
	for (int32 i = solver->from; i != join; i = solver->nodes[i].parent)
		solver->nodes[i].flow += points_up(solver, i) ? -amount : amount;
	for (int32 i = solver->to; i != join; i = solver->nodes[i].parent)
		solver->nodes[i].flow += points_up(solver, i) ? amount : -amount;
}

/* Brings depths and prices below a node up to date after it was moved. */
static void
update_below(Solver *solver, int32 top, int64 change)
{
	const TreeNode *nodes = solver->nodes;
	int32 i = top;

	for (;;)
	{
		solver->prices[i] += change;
		solver->nodes[i].depth = nodes[nodes[i].parent].depth + 1;
		if (nodes[i].first_child >= 0)
		{
			i = nodes[i].first_child;
			continue;
		}
		while (i != top && nodes[i].next < 0)
			i = nodes[i].parent;
		if (i == top)
			return;
		i = nodes[i].next;
	}
}

/*
 * Moves what hangs below the leaving arc to the other end of the entering one:
 * on the path between them, parents become children.
 */
static void
move_branch(Solver *solver, int32 leaving, bool below_from, int64 flow)
{
	TreeNode *nodes = solver->nodes;
	int32 top = below_from ? solver->from : solver->to;
	int32 parent = below_from ? solver->to : solver->from;

	for (int32 i = top;;)
	{
		int32 old_parent = nodes[i].parent;
		int64 old_flow = nodes[i].flow;

		remove_child(solver, i);
		add_child(solver, parent, i);
		nodes[i].flow = flow;
		if (i == leaving)
			break;
		parent = i;
		i = old_parent;
		flow = old_flow;
	}
	update_below(solver, top, below_from ? -solver->saving : solver->saving);
}

/* Brings the entering arc into the tree, and the leaving one out of it. */
static void
pivot(Solver *solver)
{
	TreeNode *nodes = solver->nodes;
	int32 join = find_join(solver);
	int64 amount;
	bool below_from = false;
	int32 leaving = find_leaving(solver, join, &amount, &below_from);
	int64 flow = amount;
	int32 owner;

	solver->plan->pivots++;
	if (amount > 0)
		send_around(solver, join, amount);
	if (leaving < 0)
	{
		nodes[solver->owner].is_full = !nodes[solver->owner].is_full;
		return;
	}
	owner = arc_owner(solver, leaving);
	if (owner >= 0)
		nodes[owner].is_full = nodes[leaving].flow > 0;
	if (solver->owner >= 0 && nodes[solver->owner].is_full)
	{
		flow = nodes[solver->owner].capacity - amount;
		nodes[solver->owner].is_full = false;
	}
	move_branch(solver, leaving, below_from, flow);
}

/* --- the result --- */

/* Returns whether the arc between a node and its parent is one from a kind to a lane. */
static bool
is_flow(const Solver *solver, int32 node)
{
	int32 parent = solver->nodes[node].parent;

	return parent >= 0 && Min(node, parent) < solver->first_lane &&
		   Max(node, parent) >= solver->first_lane && Max(node, parent) < solver->first_group;
}

#if defined(USE_ASSERT_CHECKING) || (defined(HWSCHED_STANDALONE) && !defined(NDEBUG))

/* Proves that the flow is within the capacities and that none is cheaper. */
static void
check_solution(const Solver *solver)
{
	const TransportProblem *problem = solver->problem;
	const int64 *prices = solver->prices;
	int64 *excess = palloc0(sizeof(int64) * (solver->root + 1));

	for (int32 k = 0; k < problem->nkinds; k++)
	{
		const double *row = &problem->score[(size_t) k * problem->nlanes];

		excess[k] = problem->supply[k];
		Assert(prices[k] <= solver->left_over);
		for (int32 l = 0; l < problem->nlanes; l++)
			Assert(isnan(row[l]) ||
				   prices[k] <= cost_of(solver, row[l]) + prices[solver->first_lane + l]);
	}
	for (int32 i = 0; i < solver->root; i++)
	{
		const TreeNode *node = &solver->nodes[i];
		int32 lower = Min(i, node->parent);
		int32 upper = Max(i, node->parent);

		if (node->is_full)
		{
			Assert(prices[towards_root(solver, i)] <= prices[i]);
			excess[i] -= node->capacity;
			excess[towards_root(solver, i)] += node->capacity;
		}
		if (node->parent < 0)
		{
			Assert(node->capacity == 0);
			continue;
		}
		Assert(node->flow >= 0 && room_on_arc(solver, i, true) > 0);
		excess[lower] -= node->flow;
		excess[upper] += node->flow;
		if (is_flow(solver, i))
			Assert(prices[lower] ==
				   prices[upper] + cost_of(solver, problem->score[(size_t) lower * problem->nlanes +
																  upper - solver->first_lane]));
		else
			Assert(prices[lower] ==
				   prices[upper] + (lower < solver->first_lane ? solver->left_over : 0));
	}
	for (int32 i = solver->first_lane; i < solver->root; i++)
		Assert(solver->nodes[i].capacity == 0 || solver->nodes[i].is_full ||
			   prices[i] <= prices[towards_root(solver, i)]);
	for (int32 i = 0; i < solver->root; i++)
		Assert(excess[i] == 0);
	pfree(excess);
}

#endif

static int
compare_flows(const void *a, const void *b)
{
	const TransportFlow *x = a;
	const TransportFlow *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->lane < y->lane ? -1 : x->lane > y->lane;
}

/* Writes the flows and their sums. */
static void
make_plan(const Solver *solver)
{
	const TransportProblem *problem = solver->problem;
	TransportPlan *plan = solver->plan;
	double lost = 0;

	plan->flows = palloc(((size_t) problem->nkinds + problem->nlanes + 1) * sizeof(TransportFlow));
	for (int32 i = 0; i < solver->first_group; i++)
	{
		int32 parent = solver->nodes[i].parent;

		if (is_flow(solver, i) && solver->nodes[i].flow > 0)
			plan->flows[plan->nflows++] = (TransportFlow){
				Min(i, parent), Max(i, parent) - solver->first_lane, solver->nodes[i].flow};
	}
	qsort(plan->flows, plan->nflows, sizeof(TransportFlow), compare_flows);
	for (int32 i = 0; i < plan->nflows; i++)
	{
		const TransportFlow *flow = &plan->flows[i];
		double part =
			flow->amount * problem->score[(size_t) flow->kind * problem->nlanes + flow->lane];
		double sum = plan->score + part;

		/* The smaller one loses its last bits: keep them (Neumaier 1974). */
		lost += plan->score >= part ? (plan->score - sum) + part : (part - sum) + plan->score;
		plan->score = sum;
		plan->placed += flow->amount;
	}
	plan->score += lost;
}

/*
 * Returns how many bytes network_simplex_solve asks for at most, the plan's flows
 * included: about 60 bytes a kind or lane, and 50 a group.  The matrix of
 * scores, 8 bytes for each kind and lane, is the caller's and not counted.  The
 * server refuses a single allocation of 1 GB or more, be it the matrix (2^27
 * pairs) or the nodes here, so a caller should ask before it begins.
 */
size_t
network_simplex_memory(int32 nkinds, int32 nlanes, int32 ngroups)
{
	size_t nodes = (size_t) nkinds + nlanes + ngroups + 1;

	return nodes * (sizeof(TreeNode) + sizeof(int64)) +
		   ((size_t) nkinds + nlanes + 1) * sizeof(TransportFlow);
}

/*
 * Solves a problem to the optimum: of all ways to place at most the supply of
 * each kind, on lanes it is compatible with, within the capacities of lanes and
 * groups, one that places the most units, and among those has the greatest sum
 * of amount * score.  Equal problems give equal plans.
 *
 * Exact in fixed point: scores count in steps of 2^-52 of the greatest one
 * (rounded up to a power of two), or coarser, of 2^-59 times the number of
 * kinds or lanes, whichever is less, where that is more than 2^7.  The sum is
 * below the true optimum by at most one step a unit.
 *
 * The flows are palloc'd; nothing else is left.  kinds, lanes, groups and 1 sum
 * up to less than 2^31.  Raises no error of its own: it ends early only where
 * memory is short or the query is cancelled.
 */
void
network_simplex_solve(const TransportProblem *problem, TransportPlan *plan)
{
	Solver solver = {.problem = problem, .plan = plan};
	size_t nodes = (size_t) problem->nkinds + problem->nlanes + problem->ngroups + 1;

	Assert(nodes <= INT32_MAX);
	solver.first_lane = problem->nkinds;
	solver.first_group = problem->nkinds + problem->nlanes;
	solver.root = (int32) nodes - 1;
	solver.nodes = palloc(nodes * sizeof(TreeNode));
	solver.prices = palloc(nodes * sizeof(int64));
	memset(plan, 0, sizeof(*plan));

	set_up(&solver);
	/* without a kind or lane there are no rows to look at */
	if (problem->nkinds > 0 && problem->nlanes > 0)
		while (find_entering(&solver))
			pivot(&solver);
#if defined(USE_ASSERT_CHECKING) || (defined(HWSCHED_STANDALONE) && !defined(NDEBUG))
	check_solution(&solver);
#endif
	make_plan(&solver);
	pfree(solver.nodes);
	pfree(solver.prices);
}
