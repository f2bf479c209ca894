/*
 * explain_workload.c
 *		Why one workload waits: every check that each device fails, with its numbers.  Of
 *		placed work: why it went where it is, as it was decided.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"

#include "api/explain.h"
#include "api/places.h"
#include "document/jsonb_writer.h"
#include "place/candidate.h"
#include "place/order.h"
#include "place/reservation.h"
#include "snapshot/checks.h"
#include "snapshot/decision_detail.h"
#include "snapshot/queue_checks.h"
#include "store/workload.h"
#include "support/spi_plan.h"
#include "support/strtab.h"

PG_FUNCTION_INFO_V1(hwsched_explain);

/* --- documents, each of which is made once --- */

/* Documents by what they are made of: most devices of a fleet have the same to say. */
typedef struct Documents
{
	HTAB *numbers;
	int count;
	int allocated;
	Datum *values;
	StringInfoData key;
	MemoryContext scratch; /* in which one is made */
	MemoryContext kept;
} Documents;

static void
documents_begin(Documents *documents)
{
	documents->numbers = strtab_create("hwsched explanations");
	documents->count = 0;
	documents->allocated = 64;
	documents->values = palloc(sizeof(Datum) * documents->allocated);
	initStringInfo(&documents->key);
	documents->kept = CurrentMemoryContext;
	documents->scratch =
		AllocSetContextCreate(CurrentMemoryContext, "hwsched explanation", ALLOCSET_DEFAULT_SIZES);
}

/* Keeps a document, which was made in the scratch context, as the one of a number. */
static void
keep_document(Documents *documents, int number, JsonbValue *value)
{
	Jsonb *made = JsonbValueToJsonb(value);
	Jsonb *copy = MemoryContextAlloc(documents->kept, VARSIZE(made));

	memcpy(copy, made, VARSIZE(made));
	documents->values[number] = JsonbPGetDatum(copy);
	MemoryContextReset(documents->scratch);
}

/* Returns where the document of the key is; sets *known to whether it has been made. */
static int
document_number(Documents *documents, bool *known)
{
	StrtabEntry *entry =
		strtab_enter(documents->numbers, documents->key.data, documents->key.len, known);

	if (*known)
		return entry->number;
	if (documents->count == documents->allocated)
	{
		documents->allocated *= 2;
		documents->values = repalloc_huge(documents->values, sizeof(Datum) * documents->allocated);
	}
	entry->number = documents->count++;
	return entry->number;
}

/*
 * Returns a number as numeric.  The same ones come again and again, and to make one takes as long
 * as a whole row.
 */
static Numeric
numeric_of(double number)
{
	static struct
	{
		double number;
		int length;
		char numeric[64];
	} known[256];
	uint64 bits;
	int at;
	Numeric made;

	memcpy(&bits, &number, sizeof(bits));
	at = (int) ((bits * UINT64CONST(0x9E3779B97F4A7C15)) >> 56);
	if (known[at].length > 0 && memcmp(&known[at].number, &number, sizeof(number)) == 0)
	{
		made = palloc(known[at].length);
		memcpy(made, known[at].numeric, known[at].length);
		return made;
	}
	made = DatumGetNumeric(DirectFunctionCall1(float8_numeric, Float8GetDatum(number)));
	if (VARSIZE(made) <= sizeof(known[at].numeric))
	{
		known[at].number = number;
		known[at].length = VARSIZE(made);
		memcpy(known[at].numeric, made, VARSIZE(made));
	}
	return made;
}

static void
push_number(JsonbParseState **state, const char *key, double number)
{
	if (isnan(number))
		return;
	push_key(state, key);
	pushJsonbValue(state, WJB_VALUE,
				   &(JsonbValue){.type = jbvNumeric, .val.numeric = numeric_of(number)});
}

static void
push_named_text(JsonbParseState **state, const char *key, const char *text)
{
	if (text == NULL)
		return;
	push_key(state, key);
	push_text(state, WJB_VALUE, text);
}

/* Pushes a reason as {check, needed, available, total, unit, text}, without what it has not. */
static void
push_reason(JsonbParseState **state, const char *check, double needed, double available,
			double total, const char *unit, const char *text)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_named_text(state, "check", check);
	push_number(state, "needed", needed);
	push_number(state, "available", available);
	push_number(state, "total", total);
	push_named_text(state, "unit", unit);
	push_named_text(state, "text", text);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Returns the number of the document that lists refusals. */
static int
refusals_document(Documents *documents, const Refusal *refusals, int count)
{
	StringInfo key = &documents->key;
	MemoryContext caller = CurrentMemoryContext;
	JsonbParseState *state = NULL;
	bool known;
	int number;

	resetStringInfo(key);
	for (int i = 0; i < count; i++)
	{
		const Refusal *refusal = &refusals[i];

		appendBinaryStringInfo(key, (const char *) &refusal->check, sizeof(refusal->check));
		appendBinaryStringInfo(key, (const char *) &refusal->needed, 3 * sizeof(double));
		if (refusal->text != NULL)
			appendBinaryStringInfo(key, refusal->text, strlen(refusal->text) + 1);
	}
	number = document_number(documents, &known);
	if (known)
		return number;
	MemoryContextSwitchTo(documents->scratch);
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
		push_reason(&state, refusals[i].check->name, refusals[i].needed, refusals[i].available,
					refusals[i].total, refusals[i].check->unit, refusal_text(&refusals[i]));
	keep_document(documents, number, pushJsonbValue(&state, WJB_END_ARRAY, NULL));
	MemoryContextSwitchTo(caller);
	return number;
}

/* Returns {algorithm: {weight, score, why}}. */
static Datum
factors_document(const Factor *factors, int count)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < count; i++)
	{
		push_key(&state, factor_name(&factors[i]));
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		push_number(&state, "weight", factors[i].weight);
		push_number(&state, "score", factors[i].score);
		push_named_text(&state, "why", factor_text(&factors[i]));
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* Returns the number of the document of a place's factors, as the policy sees it now. */
static int
ranked_document(Documents *documents, PoolSnapshot *snapshot, WorkKind *kind, Ranked *place)
{
	const Policy *policy = kind->policy;
	Candidate candidate = place->candidate;
	Factor *factors = palloc0(sizeof(Factor) * policy->nparts);
	bool known;
	int number;

	if (candidate.ndevices == 1)
		candidate.devices = &place->device;
	resetStringInfo(&documents->key);
	for (int p = 0; p < policy->nparts; p++)
	{
		const PolicyPart *part = &policy->parts[p];

		factors[p].algorithm = part->algorithm;
		factors[p].weight = part->weight;
		factors[p].score = place->parts[p];
		factors[p].value = NAN;
		if (part->algorithm == ALGORITHM_FUNCTION)
			factors[p].function = snapshot->policies.functions[part->function].info.fn_oid;
		else if (part->algorithm != ALGORITHM_ROUND_ROBIN)
			factors[p].value = part_value(&snapshot->search, kind, part, &candidate);
		appendBinaryStringInfo(&documents->key, (const char *) &factors[p].score,
							   2 * sizeof(double));
	}
	number = document_number(documents, &known);
	if (!known)
		documents->values[number] = factors_document(factors, policy->nparts);
	pfree(factors);
	return number;
}

/* --- rows --- */

/* A row of explain(); 0 and NAN: NULL. */
typedef struct Answer
{
	Datum worker_id;
	Datum device_nos;
	const char *verdict;
	int rank;
	double score;
	Datum factors;
	Datum reasons;
} Answer;

static void
put_answer(ReturnSetInfo *result, const Answer *answer)
{
	Datum values[] = {answer->worker_id,
					  answer->device_nos,
					  CStringGetTextDatum(answer->verdict),
					  Int32GetDatum(answer->rank),
					  Float8GetDatum(answer->score),
					  answer->factors,
					  answer->reasons};
	bool nulls[] = {answer->worker_id == (Datum) 0,
					answer->device_nos == (Datum) 0,
					false,
					answer->rank == 0,
					isnan(answer->score),
					answer->factors == (Datum) 0,
					answer->reasons == (Datum) 0};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Adds a row without worker: what keeps the workload waiting wherever there is room. */
static void
put_queue_reason(ReturnSetInfo *result, bool never, const char *check, double needed,
				 double available, double total, const char *unit, const char *text)
{
	JsonbParseState *state = NULL;
	Answer answer = {.verdict = never ? "never" : "busy", .score = NAN};

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	push_reason(&state, check, needed, available, total, unit, text);
	answer.reasons = JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
	put_answer(result, &answer);
}

/* --- work that waits --- */

/* Returns the device numbers of some devices as an int[]. */
static Datum
device_numbers(const Fleet *fleet, const int32 *devices, int count)
{
	Datum *numbers = palloc(sizeof(Datum) * (count + 1));
	Datum array;

	for (int i = 0; i < count; i++)
		numbers[i] = Int32GetDatum(fleet->devices[devices[i]].device_no);
	array = array_value(INT4OID, numbers, NULL, count).value;
	pfree(numbers);
	return array;
}

/* Devices of a worker that the same checks keep from the work. */
typedef struct Refused
{
	int32 worker;
	int32 first_device; /* in Refusals.devices */
	int32 ndevices;
	bool never;
	int document;
} Refused;

/* All places while they are looked at. */
typedef struct Places
{
	PoolSnapshot *snapshot;
	WorkKind *kind;
	Documents reasons;
	Ranked *fitting;
	int nfitting;
	Refused *refused;
	int nrefused;
	int32 *devices; /* of refused ones */
	int ndevices;
} Places;

/* Notes what keeps a device from the work; its neighbour may have the same. */
static void
note_refused(Places *places, const Place *place, const Refusal *refusals, int count)
{
	const Device *devices = places->snapshot->fleet.devices;
	Refused *last = places->nrefused > 0 ? &places->refused[places->nrefused - 1] : NULL;
	int document = refusals_document(&places->reasons, refusals, count);
	bool never = false;

	for (int i = 0; i < count; i++)
		never = never || refusals[i].never;
	if (last == NULL || last->worker != place->worker || last->document != document ||
		devices[places->devices[places->ndevices - 1]].profile != devices[place->device].profile)
	{
		last = &places->refused[places->nrefused++];
		*last = (Refused){place->worker, places->ndevices, 0, never, document};
	}
	places->devices[places->ndevices++] = place->device;
	last->ndevices++;
}

/* Notes that a candidate fits. */
static void
note_fitting(Places *places, const Candidate *candidate)
{
	Ranked *ranked = &places->fitting[places->nfitting++];

	*ranked = (Ranked){
		.candidate = *candidate, .reason = FITS, .device = candidate->devices[0], .turn = 0};
	if (candidate->ndevices > 1)
	{
		int32 *devices =
			MemoryContextAlloc(places->reasons.kept, sizeof(int32) * candidate->ndevices);

		memcpy(devices, candidate->devices, sizeof(int32) * candidate->ndevices);
		ranked->candidate.devices = devices;
	}
}

/*
 * Looks at a worker: at each of its devices, or, for work that takes several, at those that it
 * would take.
 */
static void
look_at_worker(Places *places, Place *place)
{
	Search *search = &places->snapshot->search;
	const Worker *worker = &places->snapshot->fleet.workers[place->worker];
	bool several = demanded_devices(&places->kind->demand) > 1;
	Refusal refusals[MOST_REFUSALS];
	Candidate candidate;
	int count;

	if (several && search_candidate(search, places->kind, place->worker, &candidate) == FITS)
	{
		Candidate kept = candidate;

		place->device = candidate.devices[0];
		kept.devices = palloc(sizeof(int32) * candidate.ndevices);
		memcpy(kept.devices, candidate.devices, sizeof(int32) * candidate.ndevices);
		count = place_refusals(place, refusals);
		if (count == 0)
			note_fitting(places, &kept);
		for (int i = 0; i < kept.ndevices && count > 0; i++)
		{
			place->device = kept.devices[i];
			note_refused(places, place, refusals, count);
		}
		return;
	}
	for (place->device = worker->first_device;
		 place->device < worker->first_device + worker->ndevices; place->device++)
	{
		FilterReason reason = FITS;

		count = place_refusals(place, refusals);
		if (count == 0)
			reason = search_device(search, places->kind, place->worker, place->device, &candidate);
		/* the table of checks knows all that a decision does */
		Assert(reason == FITS);
		if (count == 0 && reason == FITS)
			note_fitting(places, &candidate);
		else
			note_refused(places, place, refusals, count);
	}
}

/* Adds a row for each place: what fits, best first; what is busy; what never fits. */
static void
put_places(ReturnSetInfo *result, Places *places)
{
	PoolSnapshot *snapshot = places->snapshot;
	const Fleet *fleet = &snapshot->fleet;
	Datum *worker_ids = palloc0(sizeof(Datum) * (fleet->nworkers + 1));
	Documents factors;

	documents_begin(&factors);
	for (int w = 0; w < fleet->nworkers; w++)
		worker_ids[w] = CStringGetTextDatum(fleet->workers[w].worker_id);
	rank_fitting(&snapshot->search, places->kind, places->fitting, places->nfitting);
	for (int i = 0; i < places->nfitting; i++)
	{
		Ranked *place = &places->fitting[i];
		bool several = place->candidate.ndevices > 1;
		int number = ranked_document(&factors, snapshot, places->kind, place);
		Answer answer = {
			.worker_id = worker_ids[place->candidate.worker],
			.device_nos = device_numbers(fleet, several ? place->candidate.devices : &place->device,
										 place->candidate.ndevices),
			.verdict = "fits",
			.rank = i + 1,
			.score = place->score,
			.factors = factors.values[number]};

		put_answer(result, &answer);
	}
	for (int never = 0; never < 2; never++)
		for (int i = 0; i < places->nrefused; i++)
		{
			const Refused *refused = &places->refused[i];
			Answer answer = {.worker_id = worker_ids[refused->worker],
							 .verdict = never ? "never" : "busy",
							 .score = NAN,
							 .reasons = places->reasons.values[refused->document]};

			if (refused->never != (never == 1))
				continue;
			answer.device_nos =
				device_numbers(fleet, &places->devices[refused->first_device], refused->ndevices);
			put_answer(result, &answer);
		}
}

/* Adds a row for each quota of its tenant that the work would exceed. */
static void
put_quotas(ReturnSetInfo *result, const Search *search, const WorkKind *kind)
{
	const Tenant *tenant = tenant_of(search, kind);
	int members = is_gang(kind) ? gang_least(&kind->profile, &kind->demand) : 1;
	const struct
	{
		const char *unit;
		double needed;
		double held;
		double most;
	} quotas[] = {
		{"workloads", 1, tenant ? tenant->workloads : 0, tenant ? tenant->most_workloads : 0},
		{"accelerators", members * demanded_accelerators(kind), tenant ? tenant->accelerators : 0,
		 tenant ? tenant->most_accelerators : 0},
		{"cpu_cores", members * kind->demand.cpu_millicores / 1000.0, tenant ? tenant->cores : 0,
		 tenant ? tenant->most_cores : 0},
	};

	for (int i = 0; i < lengthof(quotas) && tenant != NULL; i++)
		if (quotas[i].held + quotas[i].needed > quotas[i].most + 1e-9)
			put_queue_reason(
				result, quotas[i].needed > quotas[i].most, "quota", quotas[i].needed,
				Max(0, quotas[i].most - quotas[i].held), quotas[i].most, quotas[i].unit,
				psprintf("quota of %s: %s of %s %s, needs %s",
						 tenant->name[0] == '\0' ? "no tenant" :
												   psprintf("tenant \"%s\"", tenant->name),
						 number_text(quotas[i].held), number_text(quotas[i].most), quotas[i].unit,
						 number_text(quotas[i].needed)));
}

/* Adds a row for a gang that too few workers could take a part of. */
static void
put_gang(ReturnSetInfo *result, Search *search, WorkKind *kind)
{
	Candidate candidate;
	int needed = workers_needed(kind);
	int fit = 0;
	int total = 0;

	if (!is_gang(kind))
		return;
	for (int w = 0; w < search->fleet->nworkers; w++)
	{
		FilterReason reason = search_candidate(search, kind, w, &candidate);

		CHECK_FOR_INTERRUPTS();
		fit += reason == FITS;
		total += reason > FILTERED_NEVER;
	}
	if (fit < needed)
		put_queue_reason(result, total < needed, "min_shards", needed, fit, total, "workers",
						 psprintf("needs a part on each of %d workers at once, %d fit now of %d",
								  needed, fit, total));
}

static void
explain_waiting(ReturnSetInfo *result, const Scope *scope, const char *pool,
				const char *workload_id)
{
	PoolSnapshot snapshot;
	QueueCheck *found;
	Place place = {&snapshot};
	Places places = {&snapshot};
	const Fleet *fleet = &snapshot.fleet;
	MemoryContext looking;
	int n;

	snapshot_candidates(&snapshot, pool, workload_id);
	/* who sees some work only is not told whose else there is */
	for (int r = 0; r < snapshot.search.nreservations && !scope->all; r++)
		snapshot.search.reservations[r].workload_id = NULL;
	load_absences(&snapshot, pool);
	place.item = &snapshot.items[0];
	places.kind = place.kind = &snapshot.search.kinds[place.item->kind];
	if (snapshot.settings.paused)
		put_queue_reason(result, false, "paused", NAN, NAN, NAN, NULL,
						 filter_reason_text(FILTERED_PAUSED));
	n = queue_checks(scope, pool, workload_id, &found);
	for (int i = 0; i < n; i++)
		put_queue_reason(result, found[i].needed > found[i].total, found[i].name, found[i].needed,
						 found[i].available, found[i].total, found[i].unit, found[i].text);
	put_quotas(result, &snapshot.search, place.kind);
	put_gang(result, &snapshot.search, place.kind);
	if (fleet->nworkers == 0)
		put_queue_reason(result, true, "workers", 1, 0, 0, "workers",
						 filter_reason_text(FILTERED_NO_WORKER));

	documents_begin(&places.reasons);
	places.fitting =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Ranked) * (fleet->ndevices + 1));
	places.refused =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Refused) * (fleet->ndevices + 1));
	places.devices =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32) * (fleet->ndevices + 1));
	looking = AllocSetContextCreate(CurrentMemoryContext, "hwsched places", ALLOCSET_DEFAULT_SIZES);
	for (place.worker = 0; place.worker < fleet->nworkers; place.worker++)
	{
		MemoryContext caller = MemoryContextSwitchTo(looking);

		CHECK_FOR_INTERRUPTS();
		look_at_worker(&places, &place);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(looking);
	}
	put_places(result, &places);
}

/* --- work that is, or was, placed --- */

/* Adds the rows of the latest assignments of a workload; returns whether there are any. */
static bool
explain_placed(ReturnSetInfo *result, const char *pool, const char *workload_id)
{
	static SpiPlan statement = {
		"SELECT a.worker_id, a.device_nos, a.score, a.decision FROM hwsched.submission s"
		" JOIN hwsched.assignment a ON a.pool = s.pool AND a.workload_id = s.workload_id"
		"  AND a.run = s.run"
		" WHERE s.pool = $1 AND s.workload_id = $2 AND a.attempt = (SELECT max(l.attempt)"
		"  FROM hwsched.assignment l WHERE l.pool = $1 AND l.workload_id = $2 AND l.run = s.run)"
		" ORDER BY a.shard_no, a.assignment_id",
		{TEXTOID, TEXTOID}};
	uint64 n = spi_plan_run(&statement, true, TEXT_VALUE(pool), TEXT_VALUE(workload_id));

	for (uint64 i = 0; i < n; i++)
	{
		bool isnull;
		Answer chosen = {.worker_id = column(i, 1, &isnull),
						 .device_nos = column(i, 2, &isnull),
						 .verdict = "placed",
						 .rank = 1,
						 .score = column_number(i, 3)};
		Datum stored = column(i, 4, &isnull);
		DecisionDetail detail = {0};

		if (!isnull)
		{
			detail = decision_detail_read(DatumGetByteaP(stored));
			chosen.factors = factors_document(detail.chosen, detail.nfactors);
		}
		put_answer(result, &chosen);
		if (detail.second != NULL)
		{
			Datum *numbers = palloc(sizeof(Datum) * (detail.second_ndevices + 1));
			Answer second = {.worker_id = CStringGetTextDatum(detail.second_worker),
							 .verdict = "fits",
							 .rank = 2,
							 .score = detail.second_score,
							 .factors = factors_document(detail.second, detail.nfactors)};

			for (int d = 0; d < detail.second_ndevices; d++)
				numbers[d] = Int32GetDatum(detail.second_device_nos[d]);
			second.device_nos = array_value(INT4OID, numbers, NULL, detail.second_ndevices).value;
			put_answer(result, &second);
		}
	}
	return n > 0;
}

/* explain(workload_id text, pool text) RETURNS TABLE */
Datum
hwsched_explain(PG_FUNCTION_ARGS)
{
	char *workload_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *pool = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PoolSettings settings;
	char *state;
	Caller caller;
	Scope scope;

	InitMaterializedSRF(fcinfo, 0);
	caller = call_begin(fcinfo);
	scope = authz_seen(&caller, pool);
	workload_check_scope(&scope, pool, workload_id);
	pool_settings_load(pool, true, &settings);
	state = workload_state(pool, workload_id, true);
	if (state == NULL)
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						errmsg("unknown workload \"%s\" in pool \"%s\"", workload_id, pool)));
	if (strcmp(state, "pending") == 0)
		explain_waiting(result, &scope, pool, workload_id);
	else if (!explain_placed(result, pool, workload_id))
		put_queue_reason(result, true, "state", NAN, NAN, NAN, NULL,
						 psprintf("is %s, and was never placed", state));
	call_end(&caller);
	return (Datum) 0;
}
