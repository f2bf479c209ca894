/*
 * transport_driver.c
 *		Solves the problems that transport_reference.py sends, each after the
 *		other, until its input ends.
 *
 * A problem is binary: three int64 (kinds, lanes, groups), then int64
 * supply[kinds], capacity[lanes], group[lanes] and group_capacity[groups]
 * (both absent without groups), and double score[kinds * lanes], NAN for what
 * is not compatible.  The answer is text: a line with the units placed, their
 * score, the seconds, the number of flows, pivots and arcs seen, then a line
 * with kind, lane and amount for each flow.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "place/network_simplex.h"

/* Reads an array, or ends the program if there is no more input. */
static void *
read_array(size_t count, size_t size)
{
	void	   *array = malloc(count * size + 1);

	if (array == NULL || fread(array, size, count, stdin) != count)
		exit(feof(stdin) ? 0 : 1);
	return array;
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static void
solve(const TransportProblem *problem)
{
	TransportPlan plan;
	double		start = now();

	network_simplex_solve(problem, &plan);
	printf("%" PRId64 " %.17g %.6f %d %" PRId64 " %" PRId64 "\n", plan.placed, plan.score,
		   now() - start, plan.nflows, plan.pivots, plan.arcs_seen);
	for (int32 i = 0; i < plan.nflows; i++)
		printf("%d %d %" PRId64 "\n", plan.flows[i].kind, plan.flows[i].lane, plan.flows[i].amount);
	fflush(stdout);
	free(plan.flows);
}

int
main(void)
{
	for (;;)
	{
		int64	   *sizes = read_array(3, sizeof(int64));
		int64	   *supply = read_array(sizes[0], sizeof(int64));
		int64	   *capacity = read_array(sizes[1], sizeof(int64));
		int64	   *group = sizes[2] > 0 ? read_array(sizes[1], sizeof(int64)) : NULL;
		int64	   *group_capacity = sizes[2] > 0 ? read_array(sizes[2], sizeof(int64)) : NULL;
		double	   *score = read_array(sizes[0] * sizes[1], sizeof(double));
		int32	   *group_of = malloc((sizes[1] + 1) * sizeof(int32));

		for (int64 l = 0; group != NULL && l < sizes[1]; l++)
			group_of[l] = (int32) group[l];
		solve(&(TransportProblem) {(int32) sizes[0], (int32) sizes[1], (int32) sizes[2], supply, capacity,
			  group != NULL ? group_of : NULL, group_capacity, score});
		free(sizes);
		free(supply);
		free(capacity);
		free(group);
		free(group_capacity);
		free(score);
		free(group_of);
	}
}
