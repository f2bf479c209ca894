/*
 * bin_packing.h
 *		What bins, of several types and costs, hold many requests at the least cost.  Pure.
 */
#ifndef HWSCHED_PLACE_BIN_PACKING_H
#define HWSCHED_PLACE_BIN_PACKING_H

#include "support/standalone.h"

/* What is to be packed. */
typedef struct PackingProblem
{
	int ntypes;
	const double *costs; /* of a bin of each type; above 0 */
	const int32 *dims; /* by type: the first of its dimensions; ntypes + 1 of them */
	int nrequests;
	const int32 *counts; /* so many are alike */
	/* by request, then by dimension: the share of a bin that it takes; above 1: it does not fit */
	const float *shares;
} PackingProblem;

/* Some of the same request in a bin. */
typedef struct PackedRequest
{
	int32 request;
	int32 next; /* in Packing.packed, of the same bin; -1: none */
} PackedRequest;

typedef struct PackedBin
{
	int32 type;
	int32 first; /* in Packing.packed; -1: it is empty */
} PackedBin;

typedef struct Packing
{
	int nbins;
	PackedBin *bins;
	PackedRequest *packed;
	double cost; /* of all bins */
	double bound; /* no packing costs less, not even of parts of requests */
	int64 left; /* requests that fit into no type */
} Packing;

extern void bin_packing(const PackingProblem *problem, Packing *packing);

#endif /* HWSCHED_PLACE_BIN_PACKING_H */
