/*
 * energy_test.c
 *		Joules, money and carbon, their trade, and the Pareto front against
 *		comparing every pair.
 */
#include "model/energy.h"
#include "tap.h"

#define ROUNDS 2000

static const EnergyRates rates = {2.0, 0.25, 400.0};

static void
test_use(void)
{
	const EnergyRates none = {NAN, NAN, NAN};
	EnergyUse use = energy_use(250.0, 200.0, 1.0, 3600.0, &rates);

	is_exactly(energy_watts(50.0, 250.0, 0.5), 150.0,
			   "half a load draws half of what is above idle");
	is_exactly(energy_watts(50.0, 250.0, 7.0), 250.0, "and never more than the full power");
	is_exactly(energy_watts(50.0, 250.0, NAN), 50.0, "no load known, idle power");
	is_exactly(energy_watts(NAN, 250.0, 1.0), 250.0, "no idle power known");
	is_exactly(energy_watts(50.0, 20.0, 1.0), 50.0,
			   "a full power below the idle one is not believed");
	is_exactly(use.joules, 900000.0, "250 W for an hour");
	is_exactly(use.extra_joules, 720000.0, "200 W of them on account of the work");
	is_near(use.money, 2.0 + 0.25 * 0.25, 1e-12, "an hour's price and a quarter of a kWh");
	is_near(use.carbon_g, 100.0, 1e-9, "and its carbon");
	use = energy_use(250.0, 200.0, 0.25, 3600.0, &rates);
	is_exactly(use.joules, 225000.0, "a quarter of a device, a quarter of its energy");
	is_near(use.money, 0.25 * 2.0625, 1e-12, "and of its price");
	use = energy_use(250.0, NAN, 1.0, 3600.0, &none);
	is_exactly(use.money, 0.0, "what has no price costs nothing");
	ok(isnan(use.carbon_g), "and has no carbon where no intensity is given");
	use = energy_use(NAN, 50.0, NAN, -1.0, &rates);
	ok(use.joules == 0.0 && use.money == 0.0 && use.seconds == 0.0, "nothing known, nothing used");
	use = energy_use(1e308, 0.0, 1.0, 1e308, &(EnergyRates){0.0, 0.0, 0.0});
	ok(isinf(use.joules) && use.money == 0.0 && use.carbon_g == 0.0,
	   "energy without end and without a price costs nothing");
}

static void
test_weights(void)
{
	EnergyWeights pool = {3.0, 1.0, 0.0};
	EnergyWeights weights = energy_weights(pool, NAN);

	ok(weights.time == 3.0 && weights.energy == 1.0 && weights.cost == 0.0,
	   "without a sensitivity the pool's weights hold");
	weights = energy_weights(pool, 1.0);
	ok(weights.time == 0.0 && weights.energy == 4.0, "with all of it only energy counts");
	weights = energy_weights(pool, 0.5);
	ok(weights.time == 1.5 && weights.energy == 2.5,
	   "with a half, half of the rest goes to energy");
	weights = energy_weights((EnergyWeights){0.0, NAN, -1.0}, 0.0);
	ok(weights.time == 1.0 && weights.energy == 0.0, "no weights are those of time");
}

/* A worse candidate never scores higher, and sensitivity favours less energy. */
static void
test_score(void)
{
	bool in_range = true;
	bool monotone = true;
	bool saves = true;

	for (int i = 0; i < ROUNDS; i++)
	{
		EnergyUse uses[2];
		EnergyUse least;
		EnergyWeights pool = {random_unit(), random_unit(), random_unit()};
		EnergyWeights keen = energy_weights(pool, 0.9);
		double one;
		double other;

		for (int c = 0; c < 2; c++)
			uses[c] = energy_use(random_between(0, 60), random_between(0, 300), random_unit(),
								 random_between(0, 1000), &rates);
		least = energy_least(uses, 2);
		one = energy_score(&uses[0], &least, pool);
		other = energy_score(&uses[1], &least, pool);
		in_range = in_range && one >= 0.0 && one <= 1.0 && other >= 0.0 && other <= 1.0;
		if (uses[0].seconds <= uses[1].seconds && uses[0].extra_joules <= uses[1].extra_joules &&
			uses[0].money <= uses[1].money)
			monotone = monotone && one >= other - 1e-12;
		/* Where only energy speaks for the first, sensitivity must not hurt it. */
		if (uses[0].extra_joules < uses[1].extra_joules && uses[0].seconds >= uses[1].seconds &&
			uses[0].money >= uses[1].money)
			saves = saves &&
					energy_score(&uses[0], &least, keen) - energy_score(&uses[1], &least, keen) >=
						one - other - 1e-12;
	}
	ok(in_range, "a score is within 0..1");
	ok(monotone, "what is worse in everything scores no higher");
	ok(saves, "energy sensitivity speaks for the one that needs less energy");
	{
		EnergyUse idle = energy_use(0.0, 0.0, 1.0, 10.0, &rates);
		EnergyUse busy = energy_use(100.0, 100.0, 1.0, 10.0, &rates);
		EnergyUse both[] = {idle, busy};
		EnergyUse least = energy_least(both, 2);
		EnergyWeights energy = {0.0, 1.0, 0.0};

		is_exactly(energy_score(&idle, &least, energy), 1.0, "what needs nothing is the best");
		is_near(energy_score(&busy, &least, energy), 1.0 / 1001.0, 1e-15,
				"what wakes a device has a joule of a thousand and one");
	}
}

/* Returns whether the first is as good in all and better in something. */
static bool
beats(const double *one, const double *other, int criteria)
{
	bool better = false;

	for (int c = 0; c < criteria; c++)
	{
		double a = isnan(one[c]) ? INFINITY : one[c];
		double b = isnan(other[c]) ? INFINITY : other[c];

		if (a > b)
			return false;
		better = better || a < b;
	}
	return better;
}

static void
test_front(void)
{
	bool right = true;
	bool counted = true;
	bool front[64];
	double values[64 * 4];

	for (int i = 0; i < ROUNDS && right; i++)
	{
		int n = random_below(64);
		int criteria = 1 + random_below(4);
		int count = 0;
		int said;

		for (int v = 0; v < n * criteria; v++)
			values[v] = random_below(20) == 0 ? NAN : random_below(i % 2 ? 6 : 1000);
		said = pareto_front(values, n, criteria, front);
		for (int a = 0; a < n; a++)
		{
			bool expected = true;

			for (int b = 0; b < n; b++)
				expected =
					expected && !beats(values + b * criteria, values + a * criteria, criteria);
			if (expected != front[a])
				diag("case %d of %d, %d criteria, candidate %d", i, n, criteria, a);
			right = right && expected == front[a];
			count += front[a];
		}
		counted = counted && said == count;
	}
	ok(right, "the front is what no other one dominates");
	ok(counted, "and is counted");
	is_int(pareto_front(values, 0, 3, front), 0, "nothing has no front");
}

/* Where most are equal to another, comparing every pair would take hours. */
static void
test_large_front(void)
{
	enum
	{
		N = 1000000
	};
	double *values = malloc(sizeof(double) * 2 * N);
	bool *front = malloc(sizeof(bool) * N);

	for (int i = 0; i < N; i++)
	{
		values[2 * i] = i % 10;
		values[2 * i + 1] = i == N - 1 ? 0 : 10 - i % 10;
	}
	/* the last one, (9, 0), is better than those that cost the most of the first */
	is_int(pareto_front(values, N, 2, front), N / 10 * 9 + 1,
		   "a front of a million candidates, of which most are equal to another");
	free(values);
	free(front);
}

int
main(void)
{
	test_use();
	test_weights();
	test_score();
	test_front();
	test_large_front();
	return done_testing();
}
