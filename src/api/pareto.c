/*
 * pareto.c
 *		What a workload takes wherever it can run: the trade of time, energy and
 *		money.
 */
#include "postgres.h"

#include "api/explain.h"
#include "funcapi.h"
#include "place/search.h"
#include "support/spi_plan.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(pareto);

/* One device, or as many like it as the work asks for. */
typedef struct Option
{
	int			worker;
	int			device;
	Refusal		refusal;
	EnergyUse	use;
	bool		on_front;
	double		score;			/* by the pool's objective */
} Option;

/* Finds where the only kind of work could run, now or some day; returns how many there are. */
static int
find_options(Picture *picture, Option *options)
{
	Search	   *search = &picture->search;
	const Fleet *fleet = &picture->fleet;
	const QueueItem *item = &picture->items[0];
	WorkKind   *kind = &search->kinds[item->kind];
	int			count = 0;

	for (int w = 0; w < fleet->nworkers; w++)
		for (int d = fleet->workers[w].first_device; d < fleet->workers[w].first_device + fleet->workers[w].ndevices; d++)
		{
			Candidate	candidate;
			Refusal		refusal = search_device(search, kind, w, d, &candidate);

			CHECK_FOR_INTERRUPTS();
			if (refusal > REFUSED_NEVER)
				options[count++] = (Option) {w, d, refusal, device_use(search, kind, w, d, item->expected_seconds, item->subject)};
		}
	return count;
}

/* Compares the options with each other: which are on the front, and how they score. */
static void
compare_options(const Picture *picture, Option *options, int count)
{
	EnergyWeights weights = energy_weights(picture->settings.objective,
										   picture->search.kinds[picture->items[0].kind].profile.metrics.energy_sensitivity);
	EnergyUse  *uses = palloc_huge(sizeof(EnergyUse) * (count + 1));
	double	   *values = palloc_huge(sizeof(double) * 3 * (count + 1));
	bool	   *front = palloc_huge(sizeof(bool) * (count + 1));
	EnergyUse	least;

	for (int i = 0; i < count; i++)
	{
		uses[i] = options[i].use;
		values[3 * i] = uses[i].seconds;
		values[3 * i + 1] = uses[i].joules;
		values[3 * i + 2] = uses[i].money;
	}
	least = energy_least(uses, count);
	(void) pareto_front(values, count, 3, front);
	for (int i = 0; i < count; i++)
	{
		options[i].on_front = front[i];
		options[i].score = energy_score(&uses[i], &least, weights);
	}
}

/* The front comes first, and what the pool's objective prefers; then the order of the fleet. */
static int
option_order(const void *a, const void *b)
{
	const Option *x = a;
	const Option *y = b;

	if (x->on_front != y->on_front)
		return x->on_front ? -1 : 1;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->device - y->device;
}

/* pareto(workload_id text, pool text) RETURNS TABLE */
Datum
pareto(PG_FUNCTION_ARGS)
{
	char	   *workload_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *pool = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Picture		picture;
	Option	   *options;
	int			count;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	picture_candidates(&picture, pool, workload_id);
	options = palloc_huge(sizeof(Option) * (picture.fleet.ndevices + 1));
	count = find_options(&picture, options);
	compare_options(&picture, options, count);
	qsort(options, count, sizeof(Option), option_order);
	for (int i = 0; i < count; i++)
	{
		const Option *option = &options[i];
		const Device *device = &picture.fleet.devices[option->device];
		const DeviceProfile *profile = &picture.fleet.profiles[device->profile];
		Datum		values[12];
		bool		nulls[12] = {0};
		int			c = 0;

		values[c++] = CStringGetTextDatum(picture.fleet.workers[option->worker].worker_id);
		values[c++] = Int32GetDatum(device->device_no);
		values[c++] = Float8GetDatum(option->use.seconds);
		values[c++] = Float8GetDatum(option->use.joules);
		values[c++] = Float8GetDatum(option->use.money);
		nulls[c] = isnan(option->use.carbon_g);
		values[c++] = Float8GetDatum(option->use.carbon_g);
		values[c++] = BoolGetDatum(option->on_front);
		values[c++] = Int32GetDatum(i + 1);
		values[c++] = Float8GetDatum(option->score);
		values[c++] = CStringGetTextDatum(profile->hardware_class);
		nulls[c] = profile->model_name == NULL;
		values[c++] = profile->model_name ? CStringGetTextDatum(profile->model_name) : (Datum) 0;
		nulls[c] = option->refusal == FITS;
		values[c++] = CStringGetTextDatum(refusal_reason(option->refusal));
		Assert(c == lengthof(values));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}
