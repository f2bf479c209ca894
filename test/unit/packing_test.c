/*
 * packing_test.c
 *		Bin packing: what is packed fits, nothing is lost, the bound holds, and where requests are
 *		small beside bins the cost is near it.
 */
#include <stdlib.h>

#include "place/bin_packing.h"
#include "tap.h"

#define ROUNDS 300
#define MOST_TYPES 6
#define DIMS 3
#define MOST_REQUESTS 60
#define MANY 3000

static double costs[MOST_TYPES];
static int32 dims[MOST_TYPES + 1];
static int32 counts[MANY];
static float shares[MANY * MOST_TYPES * DIMS];

/* Makes a problem of bins with some capacity, and requests of which some fit into few types. */
static PackingProblem
random_problem(int ntypes, int nrequests, double largest)
{
	double has[MOST_TYPES][DIMS];

	for (int t = 0; t < ntypes; t++)
	{
		dims[t] = t * DIMS;
		costs[t] = random_between(0.5, 4);
		for (int d = 0; d < DIMS; d++)
			has[t][d] = random_below(4) == 0 ? 0 : random_between(1, 10);
	}
	dims[ntypes] = ntypes * DIMS;
	for (int r = 0; r < nrequests; r++)
	{
		double needs[DIMS];

		counts[r] = 1 + random_below(3);
		for (int d = 0; d < DIMS; d++)
			needs[d] = random_below(3) == 0 ? 0 : random_between(0, largest);
		for (int t = 0; t < ntypes; t++)
			for (int d = 0; d < DIMS; d++)
				shares[(r * ntypes + t) * DIMS + d] =
					(float) (needs[d] == 0	? 0 :
							 has[t][d] == 0 ? 2 :
											  needs[d] / has[t][d]);
	}
	return (PackingProblem){ntypes, costs, dims, nrequests, counts, shares};
}

/* Returns whether a request fits into an empty bin of some type. */
static bool
fits_somewhere(const PackingProblem *problem, int request)
{
	for (int t = 0; t < problem->ntypes; t++)
	{
		bool fits = true;

		for (int d = 0; d < DIMS; d++)
			fits = fits && shares[(request * problem->ntypes + t) * DIMS + d] <= 1;
		if (fits)
			return true;
	}
	return false;
}

/* Returns what is wrong with a packing; NULL: nothing. */
static const char *
fault_of(const PackingProblem *problem, const Packing *packing)
{
	static int32 packed[MANY];
	double cost = 0;
	int64 left = 0;

	memset(packed, 0, sizeof(packed));
	for (int b = 0; b < packing->nbins; b++)
	{
		const PackedBin *bin = &packing->bins[b];
		double sums[DIMS] = {0};

		cost += costs[bin->type];
		if (bin->first < 0)
			return "a bin is empty";
		for (int i = bin->first; i >= 0; i = packing->packed[i].next)
		{
			int32 r = packing->packed[i].request;

			packed[r]++;
			for (int d = 0; d < DIMS; d++)
				sums[d] += shares[(r * problem->ntypes + bin->type) * DIMS + d];
		}
		for (int d = 0; d < DIMS; d++)
			if (sums[d] > 1 + 1e-4)
				return "a bin holds more than it has";
	}
	for (int r = 0; r < problem->nrequests; r++)
	{
		if (packed[r] != (fits_somewhere(problem, r) ? counts[r] : 0))
			return "a request is lost, or packed twice";
		left += fits_somewhere(problem, r) ? 0 : counts[r];
	}
	if (left != packing->left)
		return "what fits nowhere is not counted";
	if (fabs(cost - packing->cost) > 1e-6 * (1 + cost))
		return "the cost is wrong";
	if (packing->cost < packing->bound * (1 - 1e-6))
		return "the bound is above the cost";
	return NULL;
}

static void
give_back(Packing *packing)
{
	free(packing->bins);
	free(packing->packed);
}

static void
test_packings(void)
{
	int faults = 0;
	double worst = 0;

	for (int i = 0; i < ROUNDS; i++)
	{
		PackingProblem problem =
			random_problem(1 + random_below(MOST_TYPES), random_below(MOST_REQUESTS), 4);
		Packing packing;
		Packing again;
		const char *fault;

		bin_packing(&problem, &packing);
		bin_packing(&problem, &again);
		fault = fault_of(&problem, &packing);
		if (fault == NULL && (packing.nbins != again.nbins || packing.cost != again.cost))
			fault = "the same problem has another packing";
		if (fault != NULL && faults++ == 0)
			diag("round %d: %s", i, fault);
		give_back(&packing);
		give_back(&again);
	}
	ok(faults == 0, "%d random problems are packed as they have to be", ROUNDS);

	/* small requests: a hundred bins, of some types, of which each one more costs a percent */
	for (int i = 0; i < 5; i++)
	{
		PackingProblem problem = random_problem(4, MANY, 0.3);
		Packing packing;
		const char *fault;

		bin_packing(&problem, &packing);
		fault = fault_of(&problem, &packing);
		if (fault != NULL)
		{
			worst = INFINITY;
			diag("%s", fault);
		}
		worst = fmax(worst, packing.bound > 0 ? packing.cost / packing.bound : 1);
		give_back(&packing);
	}
	if (!ok(worst <= 1.04, "small requests cost no more than 1.04 times the bound"))
		diag("%.4f times", worst);
}

/* Thousands of requests for cores, memory and 0 to 4 GPUs: the cost is within 2 % of the bound. */
static void
test_servers(void)
{
	static const double has[4][DIMS] = {{16, 64, 0}, {16, 128, 0}, {48, 192, 4}, {96, 768, 8}};
	PackingProblem problem = {4, (double[]){0.8, 1.1, 4.2, 12}, dims, MANY, counts, shares};
	Packing packing;

	for (int t = 0; t <= 4; t++)
		dims[t] = t * DIMS;
	for (int r = 0; r < MANY; r++)
	{
		double needs[DIMS] = {1 + random_below(16), random_between(1, 64),
							  random_below(3) == 0 ? 1 + random_below(4) : 0};

		counts[r] = 1;
		for (int t = 0; t < 4; t++)
			for (int d = 0; d < DIMS; d++)
				shares[(r * 4 + t) * DIMS + d] = (float) (needs[d] == 0	 ? 0 :
														  has[t][d] == 0 ? 2 :
																		   needs[d] / has[t][d]);
	}
	bin_packing(&problem, &packing);
	is_int(packing.left, 0, "all of 3,000 requests are packed");
	if (!ok(packing.cost <= 1.02 * packing.bound, "... within 2 %% of the bound"))
		diag("%g, the bound is %g", packing.cost, packing.bound);
	give_back(&packing);
}

/* What takes whole parts of a bin: 1 to 8 of 8, as many of each; 4.5 bins' worth of each pair. */
static void
test_whole_parts(void)
{
	PackingProblem problem = {1, costs, dims, 8, counts, shares};
	Packing packing;

	costs[0] = 2;
	dims[0] = 0;
	dims[1] = 1;
	for (int r = 0; r < 8; r++)
	{
		counts[r] = 10;
		shares[r] = (r + 1) / 8.0F;
	}
	bin_packing(&problem, &packing);
	is_int(packing.nbins, 45, "1 to 8 of 8 fill each bin to the last");
	is_near(packing.bound, 90, 1e-6, "... which is what the bound says");
	is_near(packing.cost, 90, 1e-9, "... and cost what they cost");
	give_back(&packing);
}

/* Two dimensions, each the bottleneck of one type: the dual prices say which is for what. */
static void
test_prices(void)
{
	PackingProblem problem = {2, costs, dims, 2, counts, shares};
	Packing packing;

	costs[0] = 1;
	costs[1] = 1.5;
	dims[0] = 0;
	dims[1] = 2;
	dims[2] = 4;
	counts[0] = counts[1] = 100;
	/* the first takes half of the one and a tenth of the other; in the dear type 0.3 and 0.1 */
	memcpy(shares, (float[]){0.5F, 0.1F, 0.3F, 0.1F, 0.1F, 0.5F, 0.2F, 0.5F}, sizeof(float) * 8);
	bin_packing(&problem, &packing);
	ok(packing.bound > 59 && packing.bound <= 60 + 1e-6, "the bound is that of the linear program");
	is_near(packing.cost, 100, 1e-9, "... and whole requests cost what they have to");
	give_back(&packing);
}

int
main(void)
{
	Packing nothing;

	test_packings();
	test_servers();
	test_whole_parts();
	test_prices();
	dims[0] = 0;
	bin_packing(&(PackingProblem){0, costs, dims, 0, counts, shares}, &nothing);
	is_int(nothing.nbins, 0, "nothing needs no bin");
	give_back(&nothing);
	return done_testing();
}
