/*
 * policy_test.c
 *		The search under policies of several algorithms beside a brute force:
 *		the same decisions and, to the last bit, the same scores.
 */
#include <float.h>
#include <time.h>

#include "brute_policy.h"
#include "place/candidate.h"
#include "place/greedy.h"
#include "place/search_policy.h"
#include "place/search.h"

#ifndef ROUNDS
#define ROUNDS 4000
#endif

static const Policy *
policy_of(const World *world, const WorkKind *kind)
{
	return kind->policy != NULL ? kind->policy : &world->policy;
}

static void
begin_policy_run(Run *run, World *world)
{
	begin_run(run, world);
	run->search.score_function = run_function;
}

/* --- random worlds --- */

/* What score_candidates() says of all candidates beside brute force. */
static bool
same_scores(World *world, Run *run, int k)
{
	WorkKind *kind = &run->kinds[k];
	const Policy *policy = kind->policy;
	bool several = demanded_devices(&kind->demand) > 1;
	static ScoredChoice all[MOST_DEVICES];
	int expected = brute_scores(world, &world->kinds[k], policy, all);
	Candidate candidates[MOST_DEVICES];
	int32 devices[MOST_DEVICES][MOST_WORKER_DEVICES];
	double scores[MOST_DEVICES];
	double parts[MOST_DEVICES * MOST_PARTS];
	const double *ranked;
	double best_cpu = NAN;
	int accelerator = -1; /* the best */
	int count = 0;
	int best = 0;
	Candidate chosen;
	double score;

	for (int w = 0; w < run->fleet.nworkers; w++)
		for (int d = run->fleet.workers[w].first_device;
			 d < run->fleet.workers[w].first_device + run->fleet.workers[w].ndevices; d++)
		{
			Candidate *candidate = &candidates[count];

			if (several ? d > run->fleet.workers[w].first_device ||
							  search_candidate(&run->search, kind, w, candidate) != FITS :
						  device_candidate(&run->search, kind, w, d, candidate) != FITS)
				continue;
			memcpy(devices[count], candidate->devices, sizeof(int32) * candidate->ndevices);
			candidate->devices = devices[count++];
		}
	if (count != expected)
		return false;
	score_candidates(&run->search, kind, candidates, count, scores, parts);
	for (int i = 0; i < count; i++)
	{
		if (scores[i] != all[i].score || candidates[i].worker != all[i].choice.worker)
			return false;
		for (int p = 0; p < policy->nparts; p++)
			if (parts[i * policy->nparts + p] != all[i].parts[p])
				return false;
		if (brute_is_cpu(world, devices[i][0]))
			best_cpu = fmax(best_cpu, all[i].rank);
		else if (accelerator < 0 || brute_before(world, kind, policy, &all[i], &all[accelerator]))
			accelerator = i;
	}
	for (int i = 1; i < count; i++)
	{
		int turn = brute_turn_of(world, kind, devices[i][0], all[i].rank, best_cpu,
								 accelerator < 0 ? -1 : devices[accelerator][0]);
		int turn_of_best = brute_turn_of(world, kind, devices[best][0], all[best].rank, best_cpu,
										 accelerator < 0 ? -1 : devices[accelerator][0]);

		if (turn != turn_of_best ? turn < turn_of_best :
								   scored_before(&run->search, kind, devices[i][0], scores[i],
												 devices[best][0], scores[best]))
			best = i;
	}
	ranked = policy_search_scores(&run->search, kind);
	for (int i = 0; i < count; i++)
		if (ranked[several ? run->fleet.workers[candidates[i].worker].first_device :
							 devices[i][0]] != scores[i])
			return false;
	if (!policy_search_best(&run->search, kind, &chosen, &score))
		return count == 0;
	/* what scaling rounds to one score, such as any price beside none, a single algorithm still tells
	 * apart */
	return several ||
		   (score == scores[best] && (chosen.devices[0] == devices[best][0] ||
									  (policy->nparts == 1 && brute_spares(world, kind))));
}

static bool
same_placement(const Run *run, int i, bool found, const ScoredChoice *best)
{
	const Placement *placement = placement_of(run, i);

	if (placement == NULL || !found)
		return (placement == NULL) == !found;
	return placement->worker == best->choice.worker &&
		   placement->ndevices == best->choice.ndevices &&
		   memcmp(&run->search.chosen[placement->first_device], best->choice.devices,
				  sizeof(int32) * best->choice.ndevices) == 0 &&
		   placement->score == best->score &&
		   placement->adjusted_efficiency == best->choice.adjusted &&
		   placement->predicted_seconds == best->seconds;
}

static void
show_policy(const World *world, const Run *run, int round, int i, bool found,
			const ScoredChoice *best)
{
	const Policy *policy = policy_of(world, &world->kinds[world->items[i].kind]);
	const Placement *placement = placement_of(run, i);

	diag("round %d, item %d:", round, i);
	for (int p = 0; p < policy->nparts; p++)
		diag("%.3g x %s", policy->parts[p].weight,
			 policy->parts[p].algorithm == ALGORITHM_FUNCTION ?
				 "a function" :
				 algorithm_traits[policy->parts[p].algorithm].name);
	if (placement != NULL)
		diag("the search: worker %d, %d devices from %d, score %.17g, %.17g s", placement->worker,
			 placement->ndevices, run->search.chosen[placement->first_device], placement->score,
			 placement->predicted_seconds);
	if (found)
		diag("brute force: worker %d, %d devices from %d, score %.17g, %.17g s",
			 best->choice.worker, best->choice.ndevices, best->choice.devices[0], best->score,
			 best->seconds);
}

static void
test_policies(const char *name, Traits traits)
{
	int wins[ALGORITHM_FUNCTION + 1] = {0};
	bool decisions = true, scores = true, capacity = true, covered = true;
	int placed = 0, items = 0, unlike = 0;

	traits.policies = true;
	for (int round = 0; round < ROUNDS; round++)
	{
		static World before;
		static World world;
		Run run;
		int order[MOST_ITEMS];
		int k;

		random_world(&before, &traits);
		world = before;
		k = random_below(world.nkinds);
		begin_policy_run(&run, &world);
		if (scores && !same_scores(&world, &run, k))
		{
			scores = false;
			diag("round %d: candidates of kind %d are scored differently", round, k);
		}
		search_place(&run.search, run.items, world.nitems, -1);
		brute_order(&world, order);
		for (int n = 0; n < world.nitems && decisions; n++)
		{
			int i = order[n];
			WorkKind *kind = &world.kinds[world.items[i].kind];
			const Policy *policy = policy_of(&world, kind);
			ScoredChoice best = {0};
			Choice by_hardware;
			FilterReason reason;
			double greatest;
			bool found = brute_policy_best(&world, kind, policy, &best);

			items++;
			if (found)
			{
				best.seconds =
					brute_seconds(&world, kind, &best.choice, world.items[i].expected_seconds);
				brute_best(&world, kind, &by_hardware, &reason, &greatest);
				unlike += by_hardware.worker != best.choice.worker;
				wins[world.stated[world.items[i].kind].parts[0].algorithm]++;
				brute_decide(&world, kind, &best.choice);
				placed++;
			}
			if (!same_placement(&run, i, found, &best))
			{
				decisions = false;
				show_policy(&world, &run, round, i, found, &best);
			}
		}
		capacity = capacity && within_capacity(&before, &run);
		if (decisions && scores && !same_scores(&world, &run, k))
		{
			scores = false;
			diag("round %d: candidates of kind %d are scored differently after the batch", round,
				 k);
		}
	}
	for (int a = 0; a <= ALGORITHM_FUNCTION; a++)
		covered = covered && wins[a] > placed / 50;
	ok(decisions, "%s: the same decisions and scores as brute force", name);
	ok(scores, "%s: the same scores of all candidates, before and after", name);
	ok(capacity, "%s: nothing beyond its capacity", name);
	ok(covered && placed > items / 15 && unlike > placed / 5,
	   "%s: %d of %d placed, %d not where hardware alone says", name, placed, items, unlike);
}

#ifndef EVICTION

/* The two searches for hardware_aware: place/search_hardware.c and place/search_policy.c. */
static void
test_hardware_aware(void)
{
	Traits traits = {.whole = true, .shares = true, .host_devices = true, .min_score = true};
	bool same = true;
	int compared = 0;

	for (int round = 0; round < ROUNDS; round++)
	{
		static World world;
		Run run;

		random_world(&world, &traits);
		begin_run(&run, &world);
		for (int i = 0; i < world.nitems; i++)
		{
			Candidate candidate = {.devices = NULL};
			int32 devices[MOST_WORKER_DEVICES];
			double score;
			bool found =
				policy_search_best(&run.search, &run.kinds[run.items[i].kind], &candidate, &score);
			const Placement *placement;

			if (found)
				memcpy(devices, candidate.devices, sizeof(int32) * candidate.ndevices);
			place_item(&run.search, run.items, i);
			placement = placement_of(&run, i);
			compared += found;
			same = same && found == (placement != NULL) &&
				   (!found || (candidate.worker == placement->worker && score == placement->score &&
							   candidate.ndevices == placement->ndevices &&
							   memcmp(devices, &run.search.chosen[placement->first_device],
									  sizeof(int32) * candidate.ndevices) == 0));
		}
	}
	ok(same,
	   "{\"hardware_aware\": 1}: the search for any policy and the one for hardware agree,"
	   " %d times",
	   compared);
}

/* --- by hand --- */

/*
 * A policy with objective and a sensitivity, beside energy_score() of the
 * candidates and the share that energy gets.
 */
static void
test_in_force(void)
{
	bool adds_up = true;
	bool trades = true;
	bool once = true;
	PolicyPart parts[] = {
		{ALGORITHM_OBJECTIVE, 1, 0}, {ALGORITHM_COST, 1, 0}, {ALGORITHM_HARDWARE_AWARE, 1, 0}};
	const Policy plain = {1, &parts[2]};

	for (int round = 0; round < ROUNDS; round++)
	{
		EnergyWeights objective = {ONE_OF(double, 0, 1, 3), random_below(2) * random_between(0, 2),
								   ONE_OF(double, 0, 1, 0.2)};
		double sensitivity = ONE_OF(double, NAN, 0, 0.3, random_between(0, 1), 1);
		Policy stated = {1 + random_below(3), parts};
		EnergyUse uses[4];
		EnergyUse least;
		const Policy *policy;
		double sum = 0;
		double expected = 0;
		double score = 0;

		for (int i = 0; i < 4; i++)
			uses[i] = (EnergyUse){random_between(1, 100), 0, random_between(0, 100),
								  ONE_OF(double, 0, 1, 2), NAN};
		least = energy_least(uses, 4);
		for (int p = 0; p < stated.nparts; p++)
		{
			parts[p].weight = random_between(0.1, 2);
			expected += parts[p].weight;
		}
		policy = policy_in_force(&stated, objective, sensitivity);
		for (int p = 0; p < policy->nparts; p++)
		{
			const PolicyPart *part = &policy->parts[p];

			sum += part->weight;
			score += part->weight * (part->algorithm == ALGORITHM_PREDICTED_TIME ?
										 part_score(part, uses[0].seconds, least.seconds) :
									 part->algorithm == ALGORITHM_ENERGY ?
										 part_score(part, energy_compared(uses[0].extra_joules),
													energy_compared(least.extra_joules)) :
									 part->algorithm == ALGORITHM_COST ?
										 part_score(part, uses[0].money, least.money) :
										 0);
			once = once && part->weight > 0 && part->algorithm != ALGORITHM_OBJECTIVE;
			for (int q = 0; q < p; q++)
				once = once && policy->parts[q].algorithm != part->algorithm;
		}
		adds_up = adds_up && fabs(sum - expected) < 1e-12;
		if (stated.nparts == 1)
			trades = trades &&
					 fabs(score - expected * energy_score(&uses[0], &least,
														  energy_weights(objective, sensitivity))) <
						 1e-12;
	}
	ok(adds_up, "a policy in force has the weight of the one that is stated");
	ok(once, "each algorithm is there once, and none without weight");
	ok(trades, "objective scores as the pool's weights do, and a sensitivity shifts them");
	ok(policy_in_force(&plain, (EnergyWeights){0, 1, 0}, NAN) == &plain &&
		   policy_in_force(&plain, (EnergyWeights){0, 1, 0}, 0) == &plain,
	   "without a sensitivity a policy is what it was");
}

/* What a candidate takes, by hand. */
static void
test_use(void)
{
	static World world;
	Run run;
	EnergyUse use;
	int32 both[] = {0, 1};
	Candidate pair = {.worker = 0, .ndevices = 2, .devices = both};

	plain_world(&world, 1, 1, 2);
	world.profiles[1].idle_power_w = 50;
	world.profiles[1].thermal_design_power_w = 250;
	world.workers[0].cost_per_hour = 3.6;
	world.settings.energy_price_per_kwh = 0.36;
	world.settings.carbon_g_per_kwh = 360;
	begin_run(&run, &world);
	use = device_use(&run.search, &run.kinds[0], 0, 1, 100, -1);
	is_near(use.joules, use.seconds * (50 + 0.7 * 200), 1e-9,
			"a device draws what is between idle and full power");
	is_near(use.money, use.seconds * 0.001 + use.joules * 1e-7, 1e-12,
			"the worker's time and the energy cost money");
	is_near(use.carbon_g, use.joules * 1e-4, 1e-9, "and the energy carbon");
	run.kinds[0].demand.share = WHOLE_SHARE / 4;
	is_near(device_use(&run.search, &run.kinds[0], 0, 1, 100, -1).money, use.money / 4, 1e-12,
			"a share costs its part");
	run.kinds[0].demand.share = 0;
	run.kinds[0].demand.accelerators = (NamedNumbers){1, two_gpus};
	is_exactly(candidate_use(&run.search, &run.kinds[0], &pair, 100, -1).joules, 2 * use.joules,
			   "two devices draw twice as much");
	is_exactly(device_use(&run.search, &run.kinds[0], 0, 1, 100, -1).joules, 2 * use.joules,
			   "and one stands for the two that are asked for");
}

/* Two alike workers, of which the first has a bad record and the second a good one. */
static void
test_composite(void)
{
	static World world;
	Run run;
	PolicyPart composite[] = {{ALGORITHM_HARDWARE_AWARE, 0.7, 0},
							  {ALGORITHM_PRIORITY, 0.2, 0},
							  {ALGORITHM_ROUND_ROBIN, 0.1, 0}};
	Performance records[] = {{0, 10, 0}, {10, 0, 30}, {10, 0, 30}};

	plain_world(&world, 3, 1, 1);
	world.kinds[0].priority = 1;
	world.kinds[0].expected_seconds = 60;
	world.kinds[0].performance = records;
	world.nitems = 5;
	begin_run(&run, &world);
	search_place(&run.search, run.items, 3, -1);
	ok(worker_of(&run, 0) == 0 && worker_of(&run, 1) == 1 && worker_of(&run, 2) == 2,
	   "hardware_aware does not see what workers did before");

	world.policies[0] = (Policy){3, composite};
	world.kinds[0].policy = &world.policies[0];
	begin_run(&run, &world);
	search_place(&run.search, run.items, 5, -1);
	ok(worker_of(&run, 0) == 1 && worker_of(&run, 1) == 2 && worker_of(&run, 2) == 1 &&
		   worker_of(&run, 3) == 2,
	   "the composite avoids who only failed, and takes turns among the others");
	/* 0.7 x 1 + 0.2 x (0.8 x (0.2 + 0.6)) + 0.1 x 1, for workers that never reported: 0.8 */
	is_near(placement_of(&run, 0)->score, 0.7 + 0.2 * 0.8 + 0.1, 1e-12,
			"its score is the weighted sum");

	/* the guide's first defect of composites: nobody fits, yet somebody is chosen */
	world.kinds[0].profile.min_memory_bytes = 1000 * GB;
	begin_run(&run, &world);
	search_place(&run.search, run.items, 5, -1);
	is_int(run.search.nplacements, 0, "no candidate, no placement");
}

/*
 * Work that only one worker takes comes between work that all take: the others
 * still get the same number each.
 */
static void
test_fair_turns(void)
{
	static World world;
	Run run;
	PolicyPart turns[] = {{ALGORITHM_ROUND_ROBIN, 1, 0}};
	int of_all[4] = {0};
	const char *tpu[] = {"tpu"};

	plain_world(&world, 4, 0, 1);
	world.devices[0].profile = 3;
	world.nkinds = 2;
	world.kinds[1] = world.kinds[0];
	world.kinds[1].profile.required_backends = (NameSet){1, tpu};
	world.policies[0] = (Policy){1, turns};
	world.kinds[0].policy = world.kinds[1].policy = &world.policies[0];
	world.settings.max_concurrent = MOST_ITEMS;
	world.settings.spare_accelerators = SPARE_ACCELERATORS;
	world.nitems = 36;
	for (int i = 0; i < world.nitems; i++)
		world.items[i].kind = i % 2;
	begin_run(&run, &world);
	search_place(&run.search, run.items, world.nitems, -1);
	for (int i = 0; i < world.nitems; i += 2)
		of_all[worker_of(&run, i)]++;
	ok(of_all[1] == of_all[2] && of_all[2] == of_all[3] && of_all[0] <= 1,
	   "round robin is fair where kinds of work fit different workers: %d, %d, %d", of_all[1],
	   of_all[2], of_all[3]);
	for (int i = 1; i < world.nitems; i += 2)
		if (worker_of(&run, i) != 0)
			ok(false, "what only one worker takes goes there");
}

/*
 * Several accelerators: ties of affinity go by their load, not that of the worker's first
 * device.
 */
static void
test_affinity_load(void)
{
	static World world;
	Run run;
	PolicyPart affinity[] = {{ALGORITHM_AFFINITY, 1, 0}};

	plain_world(&world, 2, 1, 3);
	world.devices[0].profile = world.devices[3].profile = 0;
	world.devices[3].load = world.devices[3].effective_load = 0.8;
	for (int d = 1; d < 3; d++)
		world.devices[d].load = world.devices[d].effective_load = 0.4;
	world.kinds[0].demand.accelerators = (NamedNumbers){1, two_gpus};
	world.policies[0] = (Policy){1, affinity};
	world.kinds[0].policy = &world.policies[0];
	begin_run(&run, &world);
	search_place(&run.search, run.items, 1, -1);
	is_int(worker_of(&run, 0), 1, "affinity: of equals the one whose accelerators are less loaded");
}

/* --- a production-sized fleet --- */

/* What costs without end is still a candidate, alone or beside what does not. */
static void
test_endless(void)
{
	static World world;
	static PolicyPart parts[] = {
		{ALGORITHM_COST, 1, 0}, {ALGORITHM_ENERGY, 1, 0}, {ALGORITHM_PREDICTED_TIME, 1, 0}};
	Run run;

	for (int nparts = 1; nparts <= (int) lengthof(parts); nparts++)
		for (int endless = 1; endless <= 3; endless++)
		{
			plain_world(&world, 3, 0, 1);
			for (int w = 0; w < 3; w++)
				world.workers[w].cost_per_hour = w < endless ? 1e308 : 0;
			world.profiles[0].thermal_design_power_w = 1e308;
			world.kinds[0].profile.preferred_hardware_class = "tpu";
			world.kinds[0].expected_seconds = world.items[0].expected_seconds = DBL_MAX;
			world.policy = (Policy){nparts, parts};
			begin_policy_run(&run, &world);
			search_place(&run.search, run.items, 1, -1);
			ok(worker_of(&run, 0) == endless % 3 && placement_of(&run, 0)->score == nparts &&
				   isfinite(placement_of(&run, 0)->predicted_seconds),
			   "%d of 3 workers cost without end, %d algorithms: placed with its score", endless,
			   nparts);
		}
}

static void
test_large(void)
{
	enum
	{
		NWORKERS = 10000,
		NLARGE_PROFILES = 20,
		NITEMS = 4000,
		NLARGE_KINDS = 20
	};
	static DeviceProfile profiles[NLARGE_PROFILES];
	static WorkKind kinds[NLARGE_KINDS];
	PolicyPart parts[] = {{ALGORITHM_HARDWARE_AWARE, 0.7, 0},
						  {ALGORITHM_PRIORITY, 0.2, 0},
						  {ALGORITHM_ROUND_ROBIN, 0.1, 0}};
	Policy composite = {3, parts};
	QueueItem *items = calloc(NITEMS, sizeof(QueueItem));
	Fleet fleet = {.nprofiles = NLARGE_PROFILES,
				   .profiles = profiles,
				   .nsoftware = 1,
				   .software = software,
				   .nworkers = NWORKERS,
				   .ndevices = NWORKERS};
	Search search = {.fleet = &fleet,
					 .nkinds = NLARGE_KINDS,
					 .kinds = kinds,
					 .settings = {.preference_weight = 0.2,
								  .max_load = 0.9,
								  .max_concurrent = 5,
								  .solver_memory = 64 << 20}};
	int placed = 0;
	clock_t start;

	fleet.workers = calloc(NWORKERS, sizeof(Worker));
	fleet.devices = calloc(NWORKERS, sizeof(Device));
	for (int p = 0; p < NLARGE_PROFILES; p++)
		profiles[p] = (DeviceProfile){.hardware_class = p % 4 == 0 ? "cpu" :
														p % 4 == 3 ? "tpu" :
																	 "gpu",
									  .memory_total_bytes = (4 + 4 * (p % 5)) * GB,
									  .compute_units = 10 * (p + 1)};
	for (int w = 0; w < NWORKERS; w++)
	{
		fleet.workers[w] = (Worker){.worker_id = "w",
									.accepting = true,
									.cpu_millicores = 16000,
									.memory_bytes = 64 * GB,
									.first_device = w,
									.ndevices = 1,
									.reported = true};
		fleet.devices[w] =
			(Device){.profile = w % NLARGE_PROFILES,
					 .memory_bytes = profiles[w % NLARGE_PROFILES].memory_total_bytes,
					 .load = w % 7 / 10.0,
					 .effective_load = w % 7 / 10.0,
					 .performance_level = 1,
					 .throttles_at = INFINITY};
	}
	for (int k = 0; k < NLARGE_KINDS; k++)
	{
		for (size_t i = 0; i < sizeof(Metrics) / sizeof(double); i++)
			((double *) &kinds[k].profile.metrics)[i] = 0.3;
		kinds[k].profile_id = k + 1;
		kinds[k].policy = &composite;
		kinds[k].priority = 1 + k % 5;
		kinds[k].model = kinds[k].family = -1;
		kinds[k].expected_seconds = 60;
		kinds[k].profile.workload_type = ONE_OF(char *const, "vision", "nlp", "mixed", "training");
		kinds[k].profile.min_memory_bytes = (k % 5) * GB;
		kinds[k].profile.min_compute_units = 1 + k;
		kinds[k].demand.cpu_millicores = 1000 * (k % 4);
	}
	for (int i = 0; i < NITEMS; i++)
		items[i].kind = random_below(NLARGE_KINDS);
	start = clock();
	search_begin(&search);
	search_place(&search, items, NITEMS, -1);
	for (int i = 0; i < NITEMS; i++)
		placed += items[i].nplacements;
	diag("%d workers, %d items of %d kinds under a composite policy: %d placed in %.2f s of CPU"
		 " time (with sanitizers)",
		 NWORKERS, NITEMS, NLARGE_KINDS, placed, (double) (clock() - start) / CLOCKS_PER_SEC);
	diag("candidates scored: %lld, a %.0fth of brute force", (long long) search.candidates_scored,
		 (double) NITEMS * NWORKERS / search.candidates_scored);
	is_int(placed, NITEMS, "a large fleet takes all");
	ok((double) NITEMS * NWORKERS / search.candidates_scored >= 20,
	   "a composite policy: a twentieth of brute force's candidates is scored at most");
}

int
main(void)
{
	test_policies("slots", (Traits){.host_devices = true});
	test_policies("shares", (Traits){.shares = true});
	test_policies("whole accelerators", (Traits){.whole = true, .host_devices = true});
	test_policies("everything",
				  (Traits){.whole = true, .shares = true, .host_devices = true, .min_score = true});
	test_hardware_aware();
	test_in_force();
	test_use();
	test_composite();
	test_fair_turns();
	test_affinity_load();
	test_endless();
	test_large();
	return done_testing();
}

#endif /* EVICTION */
