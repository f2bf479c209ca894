/*
 * power_test.c
 *		The choice of a device and power limit, on jobs whose law is known.
 */
#include "model/power_limit.h"
#include "model/energy.h"
#include "tap.h"

#define JOBS 40
#define SETTINGS 16 /* two devices at eight limits */
#define ROUNDS 300

static int device[SETTINGS];
static double limit[SETTINGS];
static double seconds[JOBS][SETTINGS];
static double watts[JOBS][SETTINGS];

static const PowerHistory history = {JOBS, SETTINGS, device, limit, seconds[0], watts[0]};

/*
 * Makes a job that wants so many watts: below them it slows down, the more the
 * further.  The second device is faster for hungry jobs, and idles at more.
 */
static void
make_job(double *job_seconds, double *job_watts, double scale, double demand, double noise)
{
	for (int s = 0; s < SETTINGS; s++)
	{
		double wanted = device[s] == 0 ? demand : 30.0 + demand;
		double drawn = Min(wanted, limit[s]);
		double speed = pow(drawn / wanted, 0.7) * (device[s] == 0 ? 1.0 : 0.7 + demand / 400.0);

		job_seconds[s] = scale / speed * (1.0 + noise * (random_unit() - 0.5));
		job_watts[s] = drawn * (1.0 + noise * (random_unit() - 0.5));
	}
}

static void
make_history(void)
{
	for (int s = 0; s < SETTINGS; s++)
	{
		device[s] = s / 8;
		limit[s] = 100.0 + 25.0 * (s % 8);
	}
	for (int j = 0; j < JOBS; j++)
		make_job(seconds[j], watts[j], exp(random_between(0, 8)), random_between(40, 320), 0.01);
}

/* Returns the best setting by exhaustive search. */
static int
search(const double *job_seconds, const double *job_watts, double *slowest)
{
	double fastest = INFINITY;
	int best = -1;

	for (int s = 0; s < SETTINGS; s++)
		fastest = Min(fastest, job_seconds[s]);
	*slowest = fastest * (1.0 + POWER_SLOWDOWN);
	for (int s = 0; s < SETTINGS; s++)
		if (job_seconds[s] <= *slowest &&
			(best < 0 || job_seconds[s] * job_watts[s] < job_seconds[best] * job_watts[best]))
			best = s;
	return best;
}

/* Makes a question about a job that was measured at two settings, or fewer. */
static PowerJob
ask(double *said_seconds, double *said_watts, const double *job_seconds, const double *job_watts,
	int first, int second)
{
	PowerJob job = {said_seconds, said_watts, NULL, NULL, POWER_SLOWDOWN, POWER_CAUTION};

	for (int s = 0; s < SETTINGS; s++)
	{
		bool measured = s == first || s == second;

		said_seconds[s] = measured ? job_seconds[s] : NAN;
		said_watts[s] = measured ? job_watts[s] : NAN;
	}
	return job;
}

static void
test_choice(void)
{
	double energy = 0.0;
	int breaks = 0;
	bool scaled = true;
	bool measured = true;
	bool probable = true;

	for (int i = 0; i < ROUNDS; i++)
	{
		double real_seconds[SETTINGS];
		double real_watts[SETTINGS];
		double said_seconds[SETTINGS];
		double said_watts[SETTINGS];
		double slowest;
		PowerGuess guesses[SETTINGS];
		PowerJob job;
		int best;
		int chosen;

		make_job(real_seconds, real_watts, exp(random_between(0, 8)), random_between(45, 310),
				 0.01);
		best = search(real_seconds, real_watts, &slowest);
		job = ask(said_seconds, said_watts, real_seconds, real_watts, 3, 15);
		chosen = power_choose(&history, &job, guesses);
		energy +=
			real_seconds[chosen] * real_watts[chosen] / (real_seconds[best] * real_watts[best]) -
			1.0;
		breaks += real_seconds[chosen] > slowest;
		measured = measured && fabs(guesses[3].seconds / real_seconds[3] - 1.0) < 1e-9 &&
				   fabs(guesses[15].watts / real_watts[15] - 1.0) < 1e-9;
		for (int s = 0; s < SETTINGS; s++)
			probable = probable && guesses[s].risk >= 0.0 && guesses[s].risk <= 1.0 + 1e-9 &&
					   guesses[s].regret >= 0.0;

		/* A job ten times as long is the same job. */
		said_seconds[3] *= 10.0;
		said_seconds[15] *= 10.0;
		scaled = scaled && power_choose(&history, &job, guesses) == chosen;
	}
	if (!ok(energy / ROUNDS <= 0.009, "the choice costs less than 1 %% more than the best one"))
		diag("%.2f %%", 100.0 * energy / ROUNDS);
	if (!ok(breaks <= ROUNDS / 60, "and is hardly ever too slow"))
		diag("%d of %d", breaks, ROUNDS);
	ok(scaled, "how long an epoch is does not matter");
	ok(measured, "what was measured is expected");
	ok(probable, "a risk is a probability, and no regret is negative");
}

static void
test_limits(void)
{
	double said_seconds[SETTINGS];
	double said_watts[SETTINGS];
	bool allowed[SETTINGS] = {false};
	bool reference[SETTINGS] = {false};
	PowerGuess guesses[SETTINGS];
	PowerHistory nobody = {0, SETTINGS, device, limit, NULL, NULL};
	PowerJob job = ask(said_seconds, said_watts, seconds[0], watts[0], 2, 7);
	int free_choice;

	allowed[1] = allowed[9] = true;
	job.allowed = allowed;
	free_choice = power_choose(&history, &job, guesses);
	ok(free_choice == 1 || free_choice == 9, "only an allowed setting is chosen");
	is_int(power_next(&history, &job, device[1]), 1, "only an allowed one is to be measured");
	allowed[1] = allowed[9] = false;
	is_int(power_next(&history, &job, device[1]), -1, "none where none is allowed");
	is_int(power_choose(&history, &job, guesses), -1, "none where none is allowed");

	job = ask(said_seconds, said_watts, seconds[0], watts[0], 2, 7);
	said_seconds[2] = 130.0;
	said_seconds[7] = 100.0;
	said_watts[2] = 100.0;
	said_watts[7] = 200.0;
	is_int(power_choose(&nobody, &job, guesses), 7,
		   "without other jobs the best measured one within the slowdown");
	said_seconds[2] = 105.0;
	is_int(power_choose(&nobody, &job, guesses), 2, "which is the one of less energy");
	ok(isnan(guesses[5].seconds), "and nothing is said of the others");
	said_seconds[2] = 130.0;
	reference[2] = true;
	job.reference = reference;
	is_int(power_choose(&nobody, &job, guesses), 2, "a slower reference allows more");
	job = ask(said_seconds, said_watts, seconds[0], watts[0], -1, -1);
	is_int(power_choose(&nobody, &job, guesses), -1, "nothing known, nothing chosen");
	ok(power_choose(&history, &job, guesses) >= 0,
	   "of a job that was not measured the others tell");
}

/* Holes and nonsense in what was measured must do no harm. */
static void
test_nonsense(void)
{
	static const double odd[] = {NAN, 0.0, -1.0, INFINITY, 1e300, 1e-300};
	bool sane = true;

	for (int i = 0; i < ROUNDS; i++)
	{
		static double some_seconds[JOBS][SETTINGS];
		static double some_watts[JOBS][SETTINGS];
		double said_seconds[SETTINGS];
		double said_watts[SETTINGS];
		PowerHistory holes = {random_below(JOBS), SETTINGS,		device, limit,
							  some_seconds[0],	  some_watts[0]};
		PowerGuess guesses[SETTINGS];
		PowerJob job = ask(said_seconds, said_watts, seconds[i % JOBS], watts[i % JOBS],
						   random_below(SETTINGS), random_below(SETTINGS));
		int chosen;

		memcpy(some_seconds, seconds, sizeof(seconds));
		memcpy(some_watts, watts, sizeof(watts));
		for (int h = 0; h < JOBS * SETTINGS / 3; h++)
			(h % 2 ? some_seconds : some_watts)[random_below(JOBS)][random_below(SETTINGS)] =
				odd[random_below(lengthof(odd))];
		said_seconds[random_below(SETTINGS)] = odd[random_below(lengthof(odd))];
		chosen = power_choose(&holes, &job, guesses);
		sane = sane && chosen >= -1 && chosen < SETTINGS;
		for (int s = 0; s < SETTINGS; s++)
			sane = sane && !isnan(guesses[s].risk) && guesses[s].risk <= 1.0 + 1e-9 &&
				   guesses[s].regret >= 0.0 && !(guesses[s].seconds < 0.0);
	}
	ok(sane, "holes and nonsense do no harm");
}

int
main(void)
{
	make_history();
	test_choice();
	test_limits();
	test_nonsense();
	return done_testing();
}
