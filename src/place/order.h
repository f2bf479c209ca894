/*
 * order.h
 *		Which workload of a priority is decided next, and what tenants may hold.
 */
#ifndef HWSCHED_PLACE_ORDER_H
#define HWSCHED_PLACE_ORDER_H

#include "place/placement.h"

/* The workloads of a priority while they are decided one after the other. */
typedef struct ItemOrder
{
	const QueueItem *items;
	bool plain; /* as they stand in the queue */
	bool later; /* those that spare accelerators, or the others */
	int next;
	int last;
	/* otherwise, by tenant (the last one is nobody) */
	int nlists;
	int32 *ordered; /* items, list by list */
	int *at; /* what is next of each list */
	int *end;
} ItemOrder;

extern ItemOrder order_begin(const Search *search, const QueueItem *items, int first, int last,
							 bool later);
extern int order_next(const Search *search, ItemOrder *order);
extern bool order_has_turns(const Search *search);
extern int order_turn(const Search *search, const QueueItem *items, int first, int last,
					  const bool *tried, bool *turn);
extern double tenant_share(const Search *search, const Tenant *tenant);
extern double tenant_usage(const Search *search, const Tenant *tenant);
extern int quota_members(const Search *search, const WorkKind *kind, int most);
extern const Tenant *tenant_of(const Search *search, const WorkKind *kind);
extern double demanded_accelerators(const WorkKind *kind);
extern bool quota_is_met(const Search *search, const WorkKind *kind);
extern void tenant_takes(Search *search, const WorkKind *kind, int members, int workloads);

#endif /* HWSCHED_PLACE_ORDER_H */
