/*
 * change_point_test.c
 *		Changes of durations, by simulation: how often one is found where there is
 *		none, under noise of several kinds, how soon a real one is found, and
 *		whose it is said to be.
 */
#include "model/change_point.h"
#include "tap.h"

#define LIFE 2500 /* runs of a life without a change */
#define LIVES 24
#define WORLDS 200
#define BEFORE 60 /* runs of each worker before a change */
#define AFTER 20
#define KINDS 3 /* of work, each with a duration of its own */
#define WORKERS 8

/* How the logarithms of durations scatter, with about the same quartiles. */
typedef enum Noise
{
	NORMAL,
	STUDENT, /* with 3 degrees of freedom: heavy tails */
	OUTLIERS, /* one run in twenty takes up to five times as long */
	SKEWED, /* exponential */
	LASTING, /* each run has a fifth of the last one's */
	NOISES
} Noise;

static const char *const noise_names[] = {"normal", "Student's t, 3 degrees", "5 % outliers",
										  "exponential", "autocorrelated, 0.2"};

static double
normal(void)
{
	return sqrt(-2 * log(random_between(1e-12, 1))) * cos(2 * 3.141592653589793 * random_unit());
}

/* Returns noise of a deviation; last is that of the run before, on the same worker. */
static double
noise_of(Noise noise, double deviation, double last)
{
	double sum = 0;

	switch (noise)
	{
		case STUDENT:
			for (int i = 0; i < 3; i++)
				sum += pow(normal(), 2);
			return deviation * normal() / sqrt(sum / 3);
		case OUTLIERS:
			return deviation * normal() + (random_below(20) == 0 ? random_between(0, log(5)) : 0);
		case SKEWED:
			return deviation * -log(random_between(1e-12, 1));
		case LASTING:
			return 0.2 * last + deviation * normal();
		default:
			return deviation * normal();
	}
}

/* Runs of some workers, each next one's chosen by chance. */
typedef struct World
{
	int count;
	ChangeRun runs[LIFE];
	double last[WORKERS];
} World;

/* Adds a run of a worker that is so many times as slow as at first. */
static void
add_run(World *world, int worker, Noise noise, double deviation, double slower)
{
	int kind = (int) random_below(KINDS);
	double value;

	world->last[worker] = noise_of(noise, deviation, world->last[worker]);
	value = 0.7 * kind + 0.1 * worker + world->last[worker] + log(slower);
	world->runs[world->count++] =
		(ChangeRun){worker, worker * KINDS + kind, value, 30 * exp(value)};
}

/* Returns how many changes are found in lives without any, for each 1,000 runs. */
static double
false_alarms(Noise noise, double deviation, int nworkers)
{
	static World world;
	int found = 0;

	for (int life = 0; life < LIVES; life++)
	{
		ChangePoint *changes;

		memset(&world, 0, sizeof(world));
		while (world.count < LIFE)
			add_run(&world, (int) random_below(nworkers), noise, deviation, 1);
		found += find_change_points(world.runs, world.count, nworkers, nworkers * KINDS, &changes);
		free(changes);
	}
	return 1000.0 * found / (LIVES * LIFE);
}

static void
test_false_alarms(void)
{
	for (int noise = 0; noise < NOISES; noise++)
		for (int nworkers = 1; nworkers <= 4; nworkers += 3)
		{
			double rate = false_alarms(noise, 0.1, nworkers);

			ok(rate < 1, "fewer than one false alarm in 1,000 runs: %s, %d workers",
			   noise_names[noise], nworkers);
			diag("%.3f in 1,000 runs", rate);
		}
}

/* What became of a change in many worlds. */
typedef struct Outcome
{
	double in_time; /* share that was found within AFTER runs of what changed */
	double right; /* share of these that is said to be of what changed */
	double delay; /* mean runs until it was found */
	double began; /* mean runs by which the beginning is off */
	double ratio; /* mean of after_seconds / before_seconds */
} Outcome;

/*
 * Lets one worker (or all of them: -1) become so many times as slow, and sees whether and how
 * soon that is found.
 */
static Outcome
find_change(Noise noise, double deviation, int nworkers, int who, double slower)
{
	static World world;
	Outcome outcome = {0};

	for (int w = 0; w < WORLDS; w++)
	{
		ChangePoint *changes;
		const ChangePoint *first = NULL;
		int n;
		int began;
		int affected = 0;
		int found_after = 0;

		memset(&world, 0, sizeof(world));
		while (world.count < BEFORE * nworkers)
			add_run(&world, (int) random_below(nworkers), noise, deviation, 1);
		began = world.count;
		while (affected < AFTER)
		{
			int worker = (int) random_below(nworkers);
			bool is_affected = who < 0 || worker == who;

			add_run(&world, worker, noise, deviation, is_affected ? slower : 1);
			affected += is_affected;
		}
		n = find_change_points(world.runs, world.count, nworkers, nworkers * KINDS, &changes);
		for (int i = 0; i < n && first == NULL; i++)
			if (changes[i].found >= began)
				first = &changes[i];
		if (first != NULL)
		{
			for (int i = began; i <= first->found; i++)
				found_after += who < 0 || world.runs[i].worker == who;
			outcome.in_time++;
			outcome.right += first->worker == who;
			outcome.delay += found_after;
			outcome.began += fabs((double) first->run - began);
			outcome.ratio += first->after_seconds / first->before_seconds;
		}
		free(changes);
	}
	outcome.right /= outcome.in_time;
	outcome.delay /= outcome.in_time;
	outcome.began /= outcome.in_time;
	outcome.ratio /= outcome.in_time;
	outcome.in_time /= WORLDS;
	return outcome;
}

/* Checks that a change is found in time nearly always, and is the right one. */
static void
check_change(Noise noise, double deviation, int nworkers, int who, double slower, const char *what)
{
	/* of two workers the first is often found before the other says anything */
	double least_right = who < 0 && nworkers == 2 ? 0.75 : 0.9;
	Outcome outcome = find_change(noise, deviation, nworkers, who, slower);

	ok(outcome.in_time >= 0.95 && outcome.right >= least_right &&
		   fabs(log(outcome.ratio / slower)) < 0.05,
	   "%s, %.2f times as slow, %s of %.2f: found within %d runs", what, slower, noise_names[noise],
	   deviation, AFTER);
	diag("found in time: %.1f %%, of these rightly attributed: %.1f %%; after %.1f runs, its"
		 " beginning off by %.1f; %.3f times as slow",
		 100 * outcome.in_time, 100 * outcome.right, outcome.delay, outcome.began, outcome.ratio);
}

static void
test_changes(void)
{
	for (int noise = 0; noise < NOISES; noise++)
	{
		check_change(noise, 0.05, 1, 0, 1.2, "one worker");
		check_change(noise, 0.1, 1, 0, 1.3, "one worker");
		check_change(noise, 0.05, 1, 0, 1 / 1.2, "one worker");
		check_change(noise, 0.05, 4, 2, 1.25, "one of four workers");
		check_change(noise, 0.05, 4, -1, 1.2, "the device profile, four workers");
	}
	check_change(NORMAL, 0.05, 2, -1, 1.25, "the device profile, two workers");
	check_change(NORMAL, 0.05, 8, -1, 1.2, "the device profile, eight workers");
}

/* Two changes of one worker, and a long quiet time, are what is found. */
static void
test_history(void)
{
	static World world;
	ChangePoint *changes;
	int n;

	memset(&world, 0, sizeof(world));
	while (world.count < 300)
		add_run(&world, 0, NORMAL, 0.05, 1);
	while (world.count < 700)
		add_run(&world, 0, NORMAL, 0.05, 1.5);
	while (world.count < 1200)
		add_run(&world, 0, NORMAL, 0.05, 1);
	n = find_change_points(world.runs, world.count, 1, KINDS, &changes);
	is_int(n, 2, "slower and back again: two changes");
	if (n == 2)
	{
		is_near(changes[0].run, 300, 3, "when it became slower");
		is_near(changes[1].run, 700, 3, "when it was as before");
		is_near(changes[0].after_seconds / changes[0].before_seconds, 1.5, 0.05, "by how much");
		is_near(changes[1].after_seconds / changes[1].before_seconds, 1 / 1.5, 0.03, "and back");
	}
	free(changes);
	is_int(find_change_points(world.runs, 0, 1, KINDS, &changes), 0, "no runs, no changes");
	free(changes);
	/* durations that are always the same, and what has no duration */
	for (int i = 0; i < 200; i++)
		world.runs[i] = (ChangeRun){0, 0, i < 100 ? 0 : 1, 10};
	is_int(find_change_points(world.runs, 200, 1, 1, &changes), 1, "a step without noise");
	free(changes);
	for (int i = 0; i < 200; i++)
		world.runs[i] = (ChangeRun){0, i, 3.0 * i, 10};
	is_int(find_change_points(world.runs, 200, 1, 200, &changes), 0,
		   "runs that nothing is like tell nothing");
	free(changes);
}

int
main(void)
{
	test_false_alarms();
	test_changes();
	test_history();
	return done_testing();
}
