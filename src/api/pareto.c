/*
 * pareto.c
 *		What a workload takes wherever it can run: the trade of time, energy and
 *		money.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "api/explain.h"
#include "place/candidate.h"
#include "place/reservation.h"
#include "store/workload.h"

PG_FUNCTION_INFO_V1(hwsched_pareto);

/* One device, or as many like it as the work asks for. */
typedef struct ParetoOption
{
	int worker;
	int device;
	FilterReason reason;
	EnergyUse use;
	bool on_front;
	double score; /* by the pool's objective */
} ParetoOption;

/* Finds where the only kind of work could run, now or some day; returns how many there are. */
static int
find_options(PoolSnapshot *snapshot, ParetoOption *options)
{
	Search *search = &snapshot->search;
	const Fleet *fleet = &snapshot->fleet;
	const QueueItem *item = &snapshot->items[0];
	WorkKind *kind = &search->kinds[item->kind];
	int count = 0;

	for (int w = 0; w < fleet->nworkers; w++)
		for (int d = fleet->workers[w].first_device;
			 d < fleet->workers[w].first_device + fleet->workers[w].ndevices; d++)
		{
			Candidate candidate;
			FilterReason reason = search_device(search, kind, w, d, &candidate);

			CHECK_FOR_INTERRUPTS();
			if (reason > FILTERED_NEVER)
				options[count++] = (ParetoOption){
					w, d, reason,
					device_use(search, kind, w, d, item->expected_seconds, item->subject)};
		}
	return count;
}

/* Compares the options with each other: which are on the front, and how they score. */
static void
compare_options(const PoolSnapshot *snapshot, ParetoOption *options, int count)
{
	EnergyWeights weights = energy_weights(
		snapshot->settings.objective,
		snapshot->search.kinds[snapshot->items[0].kind].profile.metrics.energy_sensitivity);
	EnergyUse *uses = palloc_huge(sizeof(EnergyUse) * (count + 1));
	double *values = palloc_huge(sizeof(double) * 3 * (count + 1));
	bool *front = palloc_huge(sizeof(bool) * (count + 1));
	EnergyUse least;

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
	const ParetoOption *x = a;
	const ParetoOption *y = b;

	if (x->on_front != y->on_front)
		return x->on_front ? -1 : 1;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->device - y->device;
}

/* pareto(workload_id text, pool text) RETURNS TABLE */
Datum
hwsched_pareto(PG_FUNCTION_ARGS)
{
	char *workload_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *pool = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PoolSnapshot snapshot;
	ParetoOption *options;
	int count;
	Caller caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	workload_check_seen(&caller, pool, workload_id);
	snapshot_candidates(&snapshot, pool, workload_id);
	reservations_book(&snapshot.search, snapshot.items, 0);
	options = palloc_huge(sizeof(ParetoOption) * (snapshot.fleet.ndevices + 1));
	count = find_options(&snapshot, options);
	compare_options(&snapshot, options, count);
	qsort(options, count, sizeof(ParetoOption), option_order);
	for (int i = 0; i < count; i++)
	{
		const ParetoOption *option = &options[i];
		const Device *device = &snapshot.fleet.devices[option->device];
		const DeviceProfile *profile = &snapshot.fleet.profiles[device->profile];
		Datum values[12];
		bool nulls[12] = {0};
		int c = 0;

		values[c++] = CStringGetTextDatum(snapshot.fleet.workers[option->worker].worker_id);
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
		nulls[c] = option->reason == FITS;
		values[c++] = CStringGetTextDatum(filter_reason_text(option->reason));
		Assert(c == lengthof(values));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	call_end(&caller);
	return (Datum) 0;
}
