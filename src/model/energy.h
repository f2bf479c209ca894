/*
 * energy.h
 *		What work costs: joules, money and carbon from power and time, their
 *		trade, and the power limit at which a job should run.  Pure.
 *
 * A table of what was measured (job, device model, power limit, seconds of one
 * epoch or other unit of work, mean watts) is all there is to store; the rows
 * of one pool, put into the arrays of PowerHistory, are enough to choose for a
 * job that was measured at a setting or two.  Nothing is fitted beforehand, so
 * a measurement counts from the moment it is written.
 */
#ifndef HWSCHED_MODEL_ENERGY_H
#define HWSCHED_MODEL_ENERGY_H

#include "model/formula.h"

/* What is paid for; NAN or less than 0 = not known, which costs nothing. */
typedef struct EnergyRates
{
	double price_per_hour; /* of the worker or device */
	double energy_price_per_kwh;
	double carbon_g_per_kwh;
} EnergyRates;

/* What work takes on a candidate. */
typedef struct EnergyUse
{
	double seconds;
	double joules; /* all that is drawn meanwhile, idle power too */
	double extra_joules; /* that the cluster draws more than without the work */
	double money;
	double carbon_g; /* NAN where no intensity is given */
} EnergyUse;

/* How much time, energy and cost count; only their proportions matter. */
typedef struct EnergyWeights
{
	double time;
	double energy;
	double cost;
} EnergyWeights;

extern double energy_watts(double idle_watts, double full_watts, double intensity);
extern double energy_range(double idle_watts, double full_watts);
extern double energy_compared(double extra_joules);
extern EnergyUse energy_use(double load_watts, double extra_watts, double share, double seconds,
							const EnergyRates *rates);
extern EnergyWeights energy_weights(EnergyWeights pool, double energy_sensitivity);
extern double energy_score(const EnergyUse *use, const EnergyUse *least, EnergyWeights weights);
extern EnergyUse energy_least(const EnergyUse *uses, int n);
extern int pareto_front(const double *values, int n, int criteria, bool *front);

/*
 * What other jobs took at each setting.  A setting is a device model at a
 * power limit; job j at setting s is at j * settings + s, NAN where it was not
 * measured there.
 */
typedef struct PowerHistory
{
	int jobs;
	int settings;
	const int *device; /* by setting: number of its device model */
	const double *limit_watts; /* by setting */
	const double *seconds; /* by job and setting, of one unit of work */
	const double *watts;
} PowerHistory;

/* The job to choose for, by setting. */
typedef struct PowerJob
{
	const double *seconds; /* NAN = not measured there */
	const double *watts;
	const bool *allowed; /* NULL = every setting is */
	const bool *reference; /* settings of which the fastest one is compared
								 * with; NULL = all that are allowed */
	double slowdown; /* over the fastest, e.g. 0.1 */
	double caution; /* price of breaking that limit: see model/power_limit.c */
} PowerJob;

#define POWER_SLOWDOWN 0.10
#define POWER_CAUTION 0.4

/* What is expected of a setting. */
typedef struct PowerGuess
{
	double seconds;
	double watts;
	double risk; /* probability 0..1 that it is too slow */
	double regret; /* expected joules beyond the best, as a share */
} PowerGuess;

#endif /* HWSCHED_MODEL_ENERGY_H */
