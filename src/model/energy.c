/*
 * energy.c
 *		Joules, money and carbon of work on a candidate, and how they are
 *		traded for time.
 */
#include "model/energy.h"

#define JOULES_PER_KWH 3.6e6
#define SECONDS_PER_HOUR 3600.0

/* Returns a number that counts, 0 for one that is not known or negative. */
static double
known(double value)
{
	return value > 0.0 ? value : 0.0;
}

/* Returns what an amount costs: nothing without a price, be it without end. */
static double
paid(double price, double amount)
{
	return price > 0.0 ? price * amount : 0.0;
}

/*
 * Returns the watts that a device draws at an intensity 0..1 of its load: in
 * between its idle power (0 where not known) and its full one.
 */
double
energy_watts(double idle_watts, double full_watts, double intensity)
{
	double idle = known(idle_watts);

	return idle + Min(1.0, known(intensity)) * known(full_watts - idle);
}

/* Returns the watts from a device's idle power (0 where not known) to its full one. */
double
energy_range(double idle_watts, double full_watts)
{
	return known(full_watts - known(idle_watts));
}

/*
 * Returns what work of so many seconds takes at a share 0..1 of a device that
 * draws these watts meanwhile, extra_watts of the cluster's on account of the work.
 * The share pays its part of all: of the power, the idle power and the price of the
 * hour; what the cluster draws more is all the work's.
 */
EnergyUse
energy_use(double load_watts, double extra_watts, double share, double seconds,
		   const EnergyRates *rates)
{
	double time = known(seconds);
	double part = Min(1.0, known(share));
	double watts = known(load_watts);
	double kwh;
	EnergyUse use;

	use.seconds = time;
	use.joules = part * watts * time;
	use.extra_joules = known(extra_watts) * time;
	kwh = use.joules / JOULES_PER_KWH;
	use.money = part * known(rates->price_per_hour) * time / SECONDS_PER_HOUR +
				paid(rates->energy_price_per_kwh, kwh);
	use.carbon_g = rates->carbon_g_per_kwh >= 0.0 ? paid(rates->carbon_g_per_kwh, kwh) : NAN;
	return use;
}

/*
 * Returns a pool's weights as a workload wants them: its energy sensitivity
 * 0..1 is the share of the weight of time and cost that energy has instead.
 * Weights of nothing at all are those of time.
 */
EnergyWeights
energy_weights(EnergyWeights pool, double energy_sensitivity)
{
	double sensitivity = Min(1.0, known(energy_sensitivity));
	EnergyWeights weights = {known(pool.time), known(pool.energy), known(pool.cost)};

	if (weights.time + weights.energy + weights.cost <= 0.0)
		weights.time = 1.0;
	weights.energy += sensitivity * (weights.time + weights.cost);
	weights.time *= 1.0 - sensitivity;
	weights.cost *= 1.0 - sensitivity;
	return weights;
}

/* Returns the least of each measure among candidates; 0 of none. */
EnergyUse
energy_least(const EnergyUse *uses, int n)
{
	EnergyUse least = {0.0, 0.0, 0.0, 0.0, NAN};

	for (int i = 0; i < n; i++)
	{
		if (i == 0)
		{
			least = uses[0];
			continue;
		}
		least.seconds = Min(least.seconds, uses[i].seconds);
		least.joules = Min(least.joules, uses[i].joules);
		least.extra_joules = Min(least.extra_joules, uses[i].extra_joules);
		least.money = Min(least.money, uses[i].money);
		/* fmin passes over what is not known. */
		least.carbon_g = fmin(least.carbon_g, uses[i].carbon_g);
	}
	return least;
}

/* Returns how near 0..1 a measure is to the least one: 1 = it is. */
static double
nearness(double value, double least)
{
	if (!(value > least))
		return 1.0;
	return least > 0.0 ? least / value : 0.0;
}

/* Returns extra joules as they are compared: one more, so that none at all has a place, too. */
double
energy_compared(double extra_joules)
{
	return extra_joules + 1.0;
}

/*
 * Returns the score 0..1 of a candidate among those with these least measures:
 * the weighted mean of least / its own.  What is no better in anything scores
 * no higher.
 */
double
energy_score(const EnergyUse *use, const EnergyUse *least, EnergyWeights weights)
{
	double sum = weights.time + weights.energy + weights.cost;

	if (!(sum > 0.0))
		return 0.0;
	return (weights.time * nearness(use->seconds, least->seconds) +
			weights.energy *
				nearness(energy_compared(use->extra_joules), energy_compared(least->extra_joules)) +
			weights.cost * nearness(use->money, least->money)) /
		   sum;
}

/* Returns whether no candidate of the two is better in anything. */
static bool
equals(const double *one, const double *other, int criteria)
{
	for (int c = 0; c < criteria; c++)
		if (one[c] != other[c] && !(isnan(one[c]) && isnan(other[c])))
			return false;
	return true;
}

/* Returns whether one candidate is as good in all and better in something. */
static bool
dominates(const double *one, const double *other, int criteria)
{
	bool better = false;

	for (int c = 0; c < criteria; c++)
	{
		/* What is not known (NAN) is worse than anything that is. */
		if (one[c] < other[c] || (isnan(other[c]) && !isnan(one[c])))
			better = true;
		else if (one[c] > other[c] || (isnan(one[c]) && !isnan(other[c])))
			return false;
	}
	return better;
}

/*
 * Marks the candidates that no other one dominates, less being better, and
 * returns how many they are.  Candidate i has its values at i * criteria.
 * Equal ones are all marked or none.
 *
 * Each candidate is compared with the different ones of the front so far: in a
 * fleet most are equal to another.
 */
int
pareto_front(const double *values, int n, int criteria, bool *front)
{
	int *members = palloc_huge(sizeof(int) * Max(n, 1));
	int *alike = palloc_huge(sizeof(int) * Max(n, 1)); /* the first that is equal */
	int nmembers = 0;
	int count = 0;

	for (int i = 0; i < n; i++)
	{
		const double *candidate = values + (Size) i * criteria;
		int kept = 0;

		CHECK_FOR_INTERRUPTS();
		front[i] = true;
		alike[i] = i;
		for (int m = 0; m < nmembers && front[i] && alike[i] == i; m++)
		{
			const double *member = values + (Size) members[m] * criteria;

			if (equals(member, candidate, criteria))
				alike[i] = members[m];
			else
				front[i] = !dominates(member, candidate, criteria);
		}
		if (!front[i] || alike[i] != i)
			continue;
		for (int m = 0; m < nmembers; m++)
		{
			front[members[m]] =
				!dominates(candidate, values + (Size) members[m] * criteria, criteria);
			if (front[members[m]])
				members[kept++] = members[m];
		}
		members[kept++] = i;
		nmembers = kept;
	}
	for (int i = 0; i < n; i++)
	{
		front[i] = front[alike[i]];
		count += front[i];
	}
	pfree(members);
	pfree(alike);
	return count;
}
