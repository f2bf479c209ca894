/*
 * transport_fuzz.c
 *		The solver of batches on any problem: within the limits, with the memory
 *		it announced.  Built with assertions, it proves each plan the best.
 */
#include "fuzz.h"
#include "place/network_simplex.h"

#define MOST 24 /* kinds, lanes or groups */

static int64
any_amount(void)
{
	switch (random_below(8))
	{
		case 0:
			return 0;
		case 1:
			return random_bits() >> 8;
		case 2:
			return random_bits() >> 36;
		default:
			return random_below(40);
	}
}

static int64
any_capacity(void)
{
	return random_below(8) == 0 ? TRANSPORT_UNLIMITED : any_amount();
}

static double
any_score(void)
{
	double score;
	uint64_t bits;

	switch (random_below(8))
	{
		case 0:
			return NAN;
		case 1:
			return 0;
		case 2:
			bits = random_bits() >> 1;
			memcpy(&score, &bits, sizeof(score));
			/* sums of scores are the caller's business: weights end at 1e6 */
			return isfinite(score) && score <= 1e9 ? score : 1;
		case 3:
			return random_unit();
		default:
			return random_below(5) / 4.0;
	}
}

static void
check_plan(const TransportProblem *problem, const TransportPlan *plan)
{
	int64 *supply = palloc0(sizeof(int64) * (problem->nkinds + 1));
	int64 *used = palloc0(sizeof(int64) * (problem->nlanes + 1));
	int64 *group_used = palloc0(sizeof(int64) * (problem->ngroups + 1));
	int64 placed = 0;
	double score = 0;

	CHECK(plan->nflows >= 0 &&
			  (plan->nflows == 0 || plan->nflows < problem->nkinds + problem->nlanes),
		  "%d flows", plan->nflows);
	for (int i = 0; i < plan->nflows; i++)
	{
		const TransportFlow *flow = &plan->flows[i];
		double of_flow;

		CHECK(flow->kind >= 0 && flow->kind < problem->nkinds && flow->lane >= 0 &&
				  flow->lane < problem->nlanes,
			  "a flow from nowhere");
		of_flow = problem->score[flow->kind * problem->nlanes + flow->lane];
		CHECK(flow->amount > 0 && !isnan(of_flow), "kind %d does not go on lane %d", flow->kind,
			  flow->lane);
		supply[flow->kind] += flow->amount;
		used[flow->lane] += flow->amount;
		if (problem->group != NULL)
			group_used[problem->group[flow->lane]] += flow->amount;
		placed += flow->amount;
		score += flow->amount * of_flow;
	}
	for (int k = 0; k < problem->nkinds; k++)
		CHECK(supply[k] <= problem->supply[k], "kind %d: %lld placed of %lld", k,
			  (long long) supply[k], (long long) problem->supply[k]);
	for (int l = 0; l < problem->nlanes; l++)
		CHECK(used[l] <= problem->capacity[l], "lane %d is too full", l);
	for (int g = 0; g < problem->ngroups; g++)
		CHECK(group_used[g] <= problem->group_capacity[g], "group %d is too full", g);
	CHECK(placed == plan->placed, "%lld units placed, %lld reported", (long long) placed,
		  (long long) plan->placed);
	CHECK(fabs(score - plan->score) <= 1e-9 * fmax(1, score), "worth %.17g, %.17g reported", score,
		  plan->score);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TransportProblem problem = {0};
	TransportPlan plan;
	int64 *supply;
	int64 *capacity;
	int64 *group_capacity;
	int32 *group;
	double *score;

	fuzz_begin(data, size);
	problem.nkinds = random_below(MOST + 1);
	problem.nlanes = random_below(MOST + 1);
	problem.ngroups = random_below(2) * (1 + random_below(MOST));
	problem.supply = supply = palloc(sizeof(int64) * problem.nkinds);
	problem.capacity = capacity = palloc(sizeof(int64) * problem.nlanes);
	problem.score = score = palloc(sizeof(double) * problem.nkinds * problem.nlanes);
	for (int k = 0; k < problem.nkinds; k++)
		supply[k] = any_amount();
	for (int l = 0; l < problem.nlanes; l++)
		capacity[l] = any_capacity();
	if (problem.ngroups > 0)
	{
		problem.group = group = palloc(sizeof(int32) * problem.nlanes);
		problem.group_capacity = group_capacity = palloc(sizeof(int64) * problem.ngroups);
		for (int l = 0; l < problem.nlanes; l++)
			group[l] = random_below(problem.ngroups);
		for (int g = 0; g < problem.ngroups; g++)
			group_capacity[g] = any_capacity();
	}
	for (int i = 0; i < problem.nkinds * problem.nlanes; i++)
		score[i] = any_score();

	network_simplex_solve(&problem, &plan);
	check_plan(&problem, &plan);
	return 0;
}
