/*
 * eviction_test.c
 *		The decisions of policy_test.c once more, with so little memory that
 *		rankings are thrown away all the time: nothing may change by it.
 */
#define MOST_RANKING_BYTES 600

#include "place/greedy.h"
#include "place/search_policy.c"

#define EVICTION
#define ROUNDS 500

#include "policy_test.c"

/* Whether all rankings of a search together keep to the limit, and how many there are. */
static bool
within_limit(const Run *run, int *nrankings)
{
	Size bytes = 0;

	*nrankings = 0;
	for (int k = 0; k < run->search.nkinds; k++)
		if (run->kinds[k].state->ranking != NULL)
		{
			bytes += run->kinds[k].state->ranking->bytes;
			(*nrankings)++;
		}
	return bytes == run->search.state->ranking_bytes &&
		   (bytes <= MOST_RANKING_BYTES || *nrankings == 1);
}

static void
test_limit(void)
{
	Traits traits = {.policies = true};
	bool within = true;
	int evictions = 0;

	for (int round = 0; round < ROUNDS; round++)
	{
		static World world;
		Run run;

		random_world(&world, &traits);
		begin_policy_run(&run, &world);
		for (int i = 0; i < world.nitems; i++)
		{
			int before;
			int after;
			bool is_new = run.kinds[run.items[i].kind].state->ranking == NULL &&
						  !policy_is_hardware_aware(run.kinds[run.items[i].kind].policy);

			within = within && within_limit(&run, &before);
			place_item(&run.search, run.items, i);
			within = within && within_limit(&run, &after);
			evictions += is_new && after <= before;
		}
	}
	ok(within, "rankings keep to their limit");
	ok(evictions > ROUNDS, "they had to: %d were thrown away", evictions);
}

int
main(void)
{
	test_policies("evicted, slots", (Traits){.host_devices = true});
	test_policies("evicted, everything",
				  (Traits){.whole = true, .shares = true, .host_devices = true, .min_score = true});
	test_limit();
	return done_testing();
}
