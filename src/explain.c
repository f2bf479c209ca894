/*
 * explain.c
 *		Why work goes where it goes, and why it waits: the same checks and
 *		scores as the decision, for people to read.
 */
#include "postgres.h"

#include "assign.h"
#include "fmgr.h"
#include "funcapi.h"
#include "predict.h"
#include "statement.h"

PG_FUNCTION_INFO_V1(compatible_hardware);
PG_FUNCTION_INFO_V1(explain_pending);

/* Returns a refusal in words. */
static const char *
refusal_reason(Refusal refusal)
{
	static const char *const reasons[] = {
		[REFUSED_NO_WORKER] = "no worker is registered",
		[REFUSED_BACKEND] = "no device has the required backend",
		[REFUSED_MODEL] = "no device is of a required model",
		[REFUSED_PRECISION] = "no device has the required precisions",
		[REFUSED_FEATURE] = "no device has the required features",
		[REFUSED_UNITS] = "no device has enough compute units",
		[REFUSED_MEMORY] = "no device has enough memory",
		[REFUSED_ACCELERATORS] = "no worker has the required accelerators",
		[REFUSED_SOFTWARE] = "no worker has the required software",
		[REFUSED_CPU_CORES] = "no worker has enough cores",
		[REFUSED_HOST_MEMORY] = "no worker has enough memory",
		[REFUSED_DRAINING] = "its workers are draining",
		[REFUSED_LOAD] = "its workers are loaded beyond max_load",
		[REFUSED_CONCURRENT] = "its workers are at their max_concurrent",
		[REFUSED_CPU_BUSY] = "its workers' cores are taken",
		[REFUSED_HOST_MEMORY_BUSY] = "its workers' memory is taken",
		[REFUSED_DEVICE_BUSY] = "its devices are taken",
		[REFUSED_DEVICE_MEMORY_BUSY] = "its devices' memory is taken",
		[REFUSED_SCORE] = "its devices score below min_score",
		[FITS] = "waits for the next assign_pending",
	};

	return reasons[refusal];
}

/* --- compatible_hardware --- */

typedef struct Ranked
{
	Candidate	candidate;
	Refusal		refusal;
	int			device;
} Ranked;

static Search *ranking;

/* What fits comes first; then as the search orders, then by device. */
static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *x = a;
	const Ranked *y = b;
	int			order;

	if ((x->refusal == FITS) != (y->refusal == FITS))
		return x->refusal == FITS ? -1 : 1;
	order = candidate_compare(ranking, &x->candidate, &y->candidate);
	if (order != 0)
		return order;
	return device_before(ranking, &ranking->kinds[0], x->device, y->device) ? -1 : 1;
}

static int64
workload_profile_id(const char *pool, const char *workload_id, double *expected_seconds)
{
	static Statement statement = {
		"SELECT profile_id, expected_seconds FROM hwsched.submission WHERE pool = $1 AND workload_id = $2",
		{TEXTOID, TEXTOID}
	};

	if (statement_run(&statement, true, TEXT_VALUE(pool), TEXT_VALUE(workload_id)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("unknown workload \"%s\" in pool \"%s\"", workload_id, pool)));
	*expected_seconds = column_number(0, 2);
	return column_bigint(0, 1);
}

/* compatible_hardware(workload_id text, pool text) RETURNS TABLE */
Datum
compatible_hardware(PG_FUNCTION_ARGS)
{
	char	   *workload_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *pool = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Picture		picture;
	Search	   *search = &picture.search;
	Fleet	   *fleet = &picture.fleet;
	WorkKind   *kind;
	Ranked	   *ranked;
	double		expected_seconds;
	double		best = 0;
	int			count = 0;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	picture_settings(&picture, pool, true);
	picture_kind(&picture, pool, workload_profile_id(pool, workload_id, &expected_seconds), true);
	picture_fleet(&picture, pool, NULL, true);
	kind = &search->kinds[0];

	ranked = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Ranked) * (fleet->ndevices + 1));
	for (int w = 0; w < fleet->nworkers; w++)
		for (int d = fleet->workers[w].first_device; d < fleet->workers[w].first_device + fleet->workers[w].ndevices; d++)
		{
			Ranked	   *row = &ranked[count];

			row->device = d;
			row->refusal = search_device(search, kind, w, d, &row->candidate);
			/* what would never take it is not compatible; what is busy is */
			if (row->refusal > REFUSED_HOST_MEMORY)
				count++;
			CHECK_FOR_INTERRUPTS();
		}
	ranking = search;
	qsort(ranked, count, sizeof(Ranked), compare_ranked);
	for (int i = 0; i < count; i++)
		if (ranked[i].refusal == FITS)
			best = Max(best, ranked[i].candidate.value);

	for (int i = 0; i < count; i++)
	{
		const Candidate *candidate = &ranked[i].candidate;
		const Worker *worker = &fleet->workers[candidate->worker];
		const Device *device = &fleet->devices[ranked[i].device];
		const DeviceProfile *profile = &fleet->profiles[device->profile];
		Datum		values[16];
		bool		nulls[16] = {0};
		int			c = 0;

		values[c++] = CStringGetTextDatum(worker->worker_id);
		values[c++] = Int32GetDatum(device->device_no);
		values[c++] = Int32GetDatum(i + 1);
		values[c++] = CStringGetTextDatum(profile->hardware_class);
		nulls[c] = profile->model_name == NULL;
		values[c++] = profile->model_name ? CStringGetTextDatum(profile->model_name) : (Datum) 0;
		values[c++] = Float8GetDatum(clamp01(candidate->raw_efficiency));
		values[c++] = Float8GetDatum(candidate->raw_efficiency);
		values[c++] = Float8GetDatum(device->load);
		values[c++] = Float8GetDatum(device->effective_load);
		values[c++] = Float8GetDatum(device->performance_level);
		values[c++] = Float8GetDatum(device->temperature);
		values[c++] = Float8GetDatum(kind->preference ? kind->preference[candidate->worker] : 0.5);
		values[c++] = Float8GetDatum(candidate->adjusted_efficiency);
		nulls[c] = ranked[i].refusal != FITS;
		values[c++] = Float8GetDatum(best > 0 ? search->settings.hardware_aware * candidate->value / best : 0);
		values[c++] = Float8GetDatum(predict_seconds(&kind->profile, profile, expected_seconds));
		nulls[c] = ranked[i].refusal == FITS;
		values[c++] = CStringGetTextDatum(refusal_reason(ranked[i].refusal));
		Assert(c == lengthof(values));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}

/* --- explain_pending --- */

/* explain_pending(pool text) RETURNS TABLE (reason, workloads, profile_ids) */
Datum
explain_pending(PG_FUNCTION_ARGS)
{
	static Statement statement = {
		"SELECT profile_id, count(*) FROM hwsched.pending WHERE pool = $1 GROUP BY profile_id ORDER BY profile_id",
		{TEXTOID}
	};
	char	   *pool = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Picture		picture;
	int64	   *counts;
	Refusal    *refusals;
	Datum	   *profile_ids;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	picture_settings(&picture, pool, true);
	n = (int) statement_run(&statement, true, TEXT_VALUE(pool));
	counts = palloc(sizeof(int64) * (n + 1));
	refusals = palloc(sizeof(Refusal) * (n + 1));
	profile_ids = palloc(sizeof(Datum) * (n + 1));
	picture.search.nkinds = n;
	picture.search.kinds = palloc0(sizeof(WorkKind) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		picture.search.kinds[i].profile_id = column_bigint(i, 1);
		counts[i] = column_bigint(i, 2);
	}
	if (n > 0)
	{
		work_kinds_get(pool, picture.search.kinds, n, true);
		picture_fleet(&picture, pool, NULL, true);
	}
	for (int i = 0; i < n; i++)
		refusals[i] = search_refusal(&picture.search, &picture.search.kinds[i]);

	for (int refusal = REFUSED_NO_WORKER; refusal <= FITS; refusal++)
	{
		Datum		values[3];
		bool		nulls[3] = {0};
		int64		workloads = 0;
		int			nprofiles = 0;

		for (int i = 0; i < n; i++)
			if (refusals[i] == refusal)
			{
				workloads += counts[i];
				profile_ids[nprofiles++] = Int64GetDatum(picture.search.kinds[i].profile_id);
			}
		if (nprofiles == 0)
			continue;
		values[0] = CStringGetTextDatum(refusal_reason((Refusal) refusal));
		values[1] = Int64GetDatum(workloads);
		values[2] = array_value(INT8OID, profile_ids, NULL, nprofiles).value;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}
