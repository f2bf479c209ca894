/*
 * predict.c
 *		What a workload will take on a device, for who asks.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"

#include "api/explain.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "snapshot/fleet.h"
#include "snapshot/queue.h"
#include "store/worker.h"
#include "store/workload.h"

PG_FUNCTION_INFO_V1(hwsched_predict);

/*
 * Returns the index of a worker's device in the fleet; raises ERRCODE_NO_DATA_FOUND if there is
 * none.
 */
static int
find_device(const Fleet *fleet, const char *pool, const char *worker_id, int32 device_no)
{
	int worker = fleet_worker(fleet, worker_id);

	if (worker < 0)
		unknown_worker(pool, worker_id);
	for (int d = fleet->workers[worker].first_device;
		 d < fleet->workers[worker].first_device + fleet->workers[worker].ndevices; d++)
		if (fleet->devices[d].device_no == device_no)
			return d;
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("worker \"%s\" in pool \"%s\" has no device %d", worker_id, pool, device_no),
			 errhint("See the table hwsched.device.")));
	return -1;
}

/* predict(workload_id text, worker_id text, device_no int, pool text) RETURNS record */
Datum
hwsched_predict(PG_FUNCTION_ARGS)
{
	char *workload_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *worker_id = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char *pool = text_to_cstring(PG_GETARG_TEXT_PP(3));
	TupleDesc description;
	PoolSnapshot snapshot;
	Search *search = &snapshot.search;
	WorkKind *kind;
	const QueueItem *item;
	int32 device;
	Candidate candidate;
	FilterReason reason;
	DurationEstimate seconds;
	EnergyUse use;
	double formula;
	Datum values[7] = {0};
	bool nulls[7] = {0};
	Caller caller;

	if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "predict must return a row");
	caller = call_begin(fcinfo);
	workload_check_seen(&caller, pool, workload_id);
	snapshot_settings(&snapshot, pool, true);
	snapshot_submitted(&snapshot, pool, workload_id, true);
	snapshot_fleet(&snapshot, pool, worker_id, true);
	device = find_device(&snapshot.fleet, pool, worker_id, PG_GETARG_INT32(2));
	kind = &search->kinds[0];
	item = &snapshot.items[0];
	reason = search_device(search, kind, 0, device, &candidate);
	candidate = (Candidate){.worker = 0, .ndevices = 1, .devices = &device};
	formula = candidate_seconds(search, kind, &candidate, item->expected_seconds, -1);
	seconds = (DurationEstimate){formula, formula};
	if (search->forecast != NULL)
		seconds = forecast_estimate(
			search->forecast, item->subject, snapshot.fleet.devices[device].profile, device,
			candidate_base_seconds(search, kind, &candidate, item->expected_seconds));
	for (int i = 0; i < 6; i++)
		nulls[i] = reason <= FILTERED_NEVER;
	use = device_use(search, kind, 0, device, item->expected_seconds, item->subject);
	nulls[4] = nulls[4] || isnan(use.carbon_g);
	nulls[6] = !nulls[0];
	call_end(&caller);
	values[0] = Float8GetDatum(seconds.p50);
	values[1] = Float8GetDatum(seconds.p90);
	values[2] = Float8GetDatum(use.joules);
	values[3] = Float8GetDatum(use.money);
	values[4] = Float8GetDatum(use.carbon_g);
	values[5] = Float8GetDatum(formula);
	if (nulls[0])
		values[6] = CStringGetTextDatum(filter_reason_text(reason));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}
