/*
 * usage_tree.c
 *		Workers in the order in which equal ones get work, with what they have free:
 *		a treap (a search tree by usage, and a heap by a random weight) of which each
 *		node knows the most that any below has free.
 *
 * As it is ordered by usage, the first node that suffices is the answer, and workers
 * that are full, or too small, are passed by whole subtrees, wherever they stand.
 */
#include "place/usage_tree.h"

/* Returns whether a comes before b: as less_used(), and one worker's lanes in their order. */
static inline bool
usage_before(const Usage *a, const Usage *b)
{
	if (a->assignments != b->assignments)
		return a->assignments < b->assignments;
	if (a->total_assignments != b->total_assignments)
		return a->total_assignments < b->total_assignments;
	return a->worker != b->worker ? a->worker < b->worker : a->lane < b->lane;
}

static int
compare_nodes(const void *a, const void *b)
{
	const UsageNode *x = a;
	const UsageNode *y = b;

	return usage_before(&x->usage, &y->usage) ? -1 : usage_before(&y->usage, &x->usage) ? 1 : 0;
}

static inline bool
suffices(const Free *free, const Free *need)
{
	return free->room >= need->room && free->memory >= need->memory &&
		   free->used_room >= need->used_room && free->used_memory >= need->used_memory &&
		   free->cpu >= need->cpu && free->host_memory >= need->host_memory &&
		   free->empty >= need->empty;
}

static inline void
raise_to(Free *most, const Free *free)
{
	most->room = Max(most->room, free->room);
	most->memory = Max(most->memory, free->memory);
	most->used_room = Max(most->used_room, free->used_room);
	most->used_memory = Max(most->used_memory, free->used_memory);
	most->cpu = Max(most->cpu, free->cpu);
	most->host_memory = Max(most->host_memory, free->host_memory);
	most->empty = Max(most->empty, free->empty);
}

/* Works out anew the most that is free below a node. */
static void
sum_up(UsageNode *node)
{
	node->most = node->free;
	if (node->left != NULL)
		raise_to(&node->most, &node->left->most);
	if (node->right != NULL)
		raise_to(&node->most, &node->right->most);
}

/* Makes the tree of its nodes, whose usage and what they have free is set; sorts them. */
void
usage_tree_build(UsageTree *tree)
{
	int n = tree->nnodes;
	UsageNode **spine =
		palloc_huge(sizeof(UsageNode *) * (n + 1)); /* the rightmost, from the root */
	int depth = 0;
	int sorted = 1;
	uint64 random = UINT64_C(0x9E3779B97F4A7C15);

	while (sorted < n && usage_before(&tree->nodes[sorted - 1].usage, &tree->nodes[sorted].usage))
		sorted++;
	if (sorted < n)
		qsort(tree->nodes, n, sizeof(UsageNode), compare_nodes);
	for (int i = 0; i < n; i++)
	{
		UsageNode *node = &tree->nodes[i];

		/* xorshift: the shape is the same every time */
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		node->weight = (uint32) (random >> 32);
		node->tree = tree;
		node->left = node->right = NULL;
		node->stale = false;
		while (depth > 0 && spine[depth - 1]->weight < node->weight)
		{
			node->left = spine[--depth];
			sum_up(node->left);
		}
		if (depth > 0)
			spine[depth - 1]->right = node;
		spine[depth++] = node;
	}
	tree->root = depth > 0 ? spine[0] : NULL;
	while (depth > 0)
		sum_up(spine[--depth]);
	pfree(spine);
}

/* Joins two trees, all of the first before all of the second. */
static UsageNode *
joined(UsageNode *a, UsageNode *b)
{
	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	if (a->weight >= b->weight)
	{
		a->right = joined(a->right, b);
		sum_up(a);
		return a;
	}
	b->left = joined(a, b->left);
	sum_up(b);
	return b;
}

/* Splits a tree into what comes before a place and what does not. */
static void
split(UsageNode *at, const Usage *place, UsageNode **before, UsageNode **behind)
{
	if (at == NULL)
	{
		*before = *behind = NULL;
		return;
	}
	if (usage_before(&at->usage, place))
	{
		*before = at;
		split(at->right, place, &at->right, behind);
	}
	else
	{
		*behind = at;
		split(at->left, place, before, &at->left);
	}
	sum_up(at);
}

/* Returns the tree without a node of it. */
static UsageNode *
without(UsageNode *at, UsageNode *node)
{
	if (at == node)
		return joined(node->left, node->right);
	if (usage_before(&node->usage, &at->usage))
		at->left = without(at->left, node);
	else
		at->right = without(at->right, node);
	sum_up(at);
	return at;
}

/* Returns the tree with one more node. */
static UsageNode *
with(UsageNode *at, UsageNode *node)
{
	if (at == NULL || at->weight < node->weight)
	{
		split(at, &node->usage, &node->left, &node->right);
		sum_up(node);
		return node;
	}
	if (usage_before(&node->usage, &at->usage))
		at->left = with(at->left, node);
	else
		at->right = with(at->right, node);
	sum_up(at);
	return at;
}

/* Returns whether a has more of anything than b that somebody may look for. */
static bool
has_more(const Free *a, const Free *b)
{
	return a->room > b->room || a->memory > b->memory || a->cpu > b->cpu ||
		   a->host_memory > b->host_memory || a->empty > b->empty;
}

/* Brings a node up to date. */
void
usage_tree_update(UsageNode *node, const Usage *usage, const Free *free)
{
	UsageTree *tree = node->tree;

	if (usage_before(usage, &node->usage) || has_more(free, &node->free))
		tree->given_back++;
	tree->root = without(tree->root, node);
	node->usage = *usage;
	node->free = *free;
	tree->root = with(tree->root, node);
}

/* Returns the first node below one, not before a place (NULL: any), that has what is needed. */
static const UsageNode *
first_below(Search *search, const UsageNode *at, const Usage *from, const Free *need)
{
	for (; at != NULL && suffices(&at->most, need); at = at->right)
	{
		search->steps++;
		if (from == NULL || !usage_before(&at->usage, from))
		{
			const UsageNode *found = first_below(search, at->left, from, need);

			if (found != NULL)
				return found;
			if (suffices(&at->free, need))
				return at;
			from = NULL;
		}
	}
	return NULL;
}

/*
 * Returns the least used worker of a tree, from a place on (NULL: from the first), that has
 * what is needed free; NULL if there is none.
 */
const UsageNode *
usage_tree_first(Search *search, const UsageTree *tree, const Usage *from, const Free *need)
{
	return first_below(search, tree->root, from, need);
}
