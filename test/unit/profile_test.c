/*
 * profile_test.c
 *		Gangs: the strategy in force, and how many members a placement may have.
 */
#include "document/profile.h"
#include "tap.h"

typedef struct Case
{
	const char *strategy;
	bool shardable;
	int32 min_shards;
	int32 max_shards;
	int32 quorum;
	Strategy in_force;
	int32 least;
	int32 most;
} Case;

static const Case cases[] = {
	{NULL, false, 0, 0, 0, STRATEGY_SINGLE, 1, 1},
	{"single", true, 3, 8, 0, STRATEGY_SINGLE, 1, 1},
	{"scattered", true, 3, 8, 0, STRATEGY_SINGLE, 1, 1},
	{"sharded", false, 3, 8, 0, STRATEGY_SINGLE, 1, 1},
	{"sharded", true, 0, 0, 0, STRATEGY_SHARDED, 1, 1},
	{"sharded", true, 1, 1, 0, STRATEGY_SHARDED, 1, 1},
	{"sharded", true, 1, 4, 0, STRATEGY_SHARDED, 1, 4},
	{"sharded", true, 3, 3, 0, STRATEGY_SHARDED, 3, 3},
	{"sharded", true, 3, 8, 0, STRATEGY_SHARDED, 3, 8},
	{"replicated", false, 0, 0, 1, STRATEGY_REPLICATED, 2, 2},
	{"replicated", true, 1, 1, 1, STRATEGY_REPLICATED, 2, 2},
	{"replicated", false, 1, 1, 2, STRATEGY_REPLICATED, 2, 2},
	{"replicated", false, 1, 5, 1, STRATEGY_REPLICATED, 2, 5},
	{"replicated", false, 1, 5, 3, STRATEGY_REPLICATED, 3, 5},
	{"replicated", false, 4, 5, 3, STRATEGY_REPLICATED, 4, 5},
	{"replicated", false, 4, 5, 5, STRATEGY_REPLICATED, 5, 5},
};

int
main(void)
{
	for (size_t i = 0; i < lengthof(cases); i++)
	{
		const Case *c = &cases[i];
		WorkloadProfile profile = {.allocation_strategy = c->strategy,
								   .is_shardable = c->shardable,
								   .min_shards = c->min_shards,
								   .max_shards = c->max_shards};
		Demand demand = {.quorum = c->quorum};
		int32 least = gang_least(&profile, &demand);
		int32 most = gang_most(&profile, &demand);

		if (!ok(profile_strategy(&profile) == c->in_force && least == c->least && most == c->most,
				"%s%s, %d to %d, quorum %d: %d to %d members",
				c->strategy ? c->strategy : "no strategy", c->shardable ? ", shardable" : "",
				c->min_shards, c->max_shards, c->quorum, c->least, c->most))
			diag("got strategy %d, %d to %d", profile_strategy(&profile), least, most);
	}
	return done_testing();
}
