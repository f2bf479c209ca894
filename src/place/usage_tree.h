/*
 * usage_tree.h
 *		Workers in the order in which equal ones get work, with what they have free.
 */
#ifndef HWSCHED_PLACE_USAGE_TREE_H
#define HWSCHED_PLACE_USAGE_TREE_H

#include "place/search.h"

/* What a worker has free in a lane, what several have at most, or what some work needs. */
typedef struct Free
{
	int64 room; /* of one device, as device_room */
	int64 memory; /* of one device that has room */
	int64 used_room; /* of one device that is in use */
	int64 used_memory; /* of one device that is in use and has room */
	int64 cpu;
	int64 host_memory;
	int32 empty; /* empty devices of one worker */
} Free;

/* A worker in a tree, with one of its lanes. */
typedef struct UsageNode
{
	Usage usage;
	Free free;
	Free most; /* of this node and all below */
	uint32 weight; /* no less than that of any node below */
	struct UsageNode *left;
	struct UsageNode *right;
	struct UsageTree *tree;
	struct UsageNode *next; /* for the owner: of the same worker, in another tree */
	struct UsageNode *next_stale; /* for the owner, as the next: of the same tree */
	bool stale; /* the worker has changed since */
} UsageNode;

typedef struct UsageTree
{
	int nnodes;
	UsageNode *nodes;
	UsageNode *root;
	UsageNode *stale; /* those that are, one after the other */
	int64 given_back; /* times that a node came to have more free, or moved ahead */
} UsageTree;

extern void usage_tree_build(UsageTree *tree);
extern void usage_tree_update(UsageNode *node, const Usage *usage, const Free *free);
extern const UsageNode *usage_tree_first(Search *search, const UsageTree *tree, const Usage *from,
										 const Free *need);

#endif /* HWSCHED_PLACE_USAGE_TREE_H */
