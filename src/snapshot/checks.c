/*
 * checks.c
 *		Every check that keeps a device from taking a workload, with its numbers.
 *
 * A decision ends at the first check that fails (place/candidate.c); who asks why wants
 * all of them.  So each check stands here once more, as a row of one table: what it is
 * called, what of it is needed, free and there at all, and in which unit.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "document/label.h"
#include "document/version.h"
#include "model/score.h"
#include "place/candidate.h"
#include "place/fleet.h"
#include "place/reservation.h"
#include "place/spare.h"
#include "snapshot/checks.h"
#include "snapshot/labels.h"
#include "support/spi_plan.h"

/* --- words --- */

/* Returns a number as people write it: with two decimals, where it has any. */
const char *
number_text(double number)
{
	char *text;
	int64 hundredths;
	int length;

	if ((number != 0 && fabs(number) < 0.01) || !(fabs(number) < 1e15))
		return psprintf("%.3g", number);
	/* printf() of a double takes longer than all else that explain() does with it */
	text = palloc(32);
	hundredths = (int64) rint(fabs(number) * 100);
	length = 0;
	if (number < 0)
		text[length++] = '-';
	length += pg_lltoa(hundredths / 100, text + length);
	hundredths %= 100;
	if (hundredths > 0)
	{
		text[length++] = '.';
		text[length++] = (char) ('0' + hundredths / 10);
		if (hundredths % 10 > 0)
			text[length++] = (char) ('0' + hundredths % 10);
	}
	text[length] = '\0';
	return text;
}

/* Returns a number with its unit, NULL: none; what counts one loses its plural. */
const char *
amount_text(double number, const char *unit)
{
	int length;

	if (unit == NULL)
		return number_text(number);
	length = strlen(unit);
	return psprintf("%s %.*s", number_text(number),
					number == 1 && unit[length - 1] == 's' ? length - 1 : length, unit);
}

/* Returns a refusal in words. */
const char *
refusal_text(const Refusal *refusal)
{
	const char *needed;

	if (refusal->text != NULL)
		return refusal->text;
	needed = psprintf("needs %s", amount_text(refusal->needed, refusal->check->unit));
	if (isnan(refusal->total))
		return psprintf("%s, there are %s", needed, number_text(refusal->available));
	if (refusal->never)
		return psprintf("%s, has %s", needed, number_text(refusal->total));
	return psprintf("%s, %s free of %s", needed, number_text(refusal->available),
					number_text(refusal->total));
}

/* Appends names to a text, separated by a word. */
static void
append_names(StringInfo text, const char *const *names, int count, const char *separator)
{
	for (int i = 0; i < count; i++)
		appendStringInfo(text, "%s%s", i > 0 ? separator : "", names[i]);
	if (count == 0)
		appendStringInfoString(text, "none");
}

/* Says "needs a and b, has c". */
static void
say_names(Refusal *refusal, const NameSet *needed, const char *separator, const NameSet *has)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "needs ");
	append_names(&text, needed->names, needed->count, separator);
	refusal->wanted = pnstrdup(text.data, text.len);
	appendStringInfoString(&text, ", has ");
	append_names(&text, has->names, has->count, ", ");
	refusal->text = text.data;
}

static void
append_values(StringInfo text, const LabelValues *values, const char *separator)
{
	for (int i = 0; i < values->count; i++)
		appendStringInfo(text, "%s%s", i > 0 ? separator : "", values->items[i].text);
}

/* Adds "needs python >= 3.12, has 3.9" to what a refusal says. */
static void
say_condition(Refusal *refusal, const Condition *condition, const LabelValues *has)
{
	StringInfoData space;
	StringInfo text = &space;

	initStringInfo(text);
	appendStringInfo(text, "needs %s", condition->name);
	if (condition->any.count > 0)
	{
		appendStringInfoString(text, " = ");
		append_values(text, &condition->any, " or ");
	}
	if (condition->least.text != NULL)
		appendStringInfo(text, " >= %s", condition->least.text);
	if (condition->most.text != NULL)
		appendStringInfo(text, " <= %s", condition->most.text);
	if (condition->none.count > 0)
	{
		appendStringInfoString(text, " not ");
		append_values(text, &condition->none, " or ");
	}
	if (condition->exists == 0)
		appendStringInfoString(text, " not to exist");
	refusal->wanted = refusal->wanted == NULL ? pstrdup(text->data) :
												psprintf("%s; %s", refusal->wanted, text->data);
	appendStringInfoString(text, ", has ");
	if (has->count == 0)
		appendStringInfoString(text, "none");
	else
		append_values(text, has, ", ");
	refusal->text =
		refusal->text == NULL ? text->data : psprintf("%s; %s", refusal->text, text->data);
}

/* --- what is looked at --- */

static const Worker *
worker_of(const Place *place)
{
	return &place->snapshot->fleet.workers[place->worker];
}

static const Device *
device_of(const Place *place)
{
	return &place->snapshot->fleet.devices[place->device];
}

static const DeviceProfile *
profile_of(const Place *place)
{
	return &place->snapshot->fleet.profiles[device_of(place)->profile];
}

/* Sets the numbers of a refusal; returns whether less is free than is needed. */
static bool
lacks(Refusal *refusal, double needed, double available, double total)
{
	refusal->needed = needed;
	refusal->available = Max(0, available);
	refusal->total = Max(0, total);
	return needed > available;
}

/* --- the worker --- */

static bool
lacks_software(const Place *place, Refusal *refusal)
{
	const Conditions *software = &place->kind->demand.software;
	const NamedTexts *installed = &place->snapshot->fleet.software[worker_of(place)->software];

	if (software->count == 0 || software_suffices(installed, software))
		return false;
	for (int i = 0; i < software->count; i++)
	{
		Conditions one = {1, &software->items[i]};
		LabelValue version = {NULL, NAN};

		if (software_suffices(installed, &one))
			continue;
		for (int k = 0; k < installed->count; k++)
			if (same_text(installed->items[k].name, one.items->name))
				version.text = installed->items[k].value;
		say_condition(refusal, one.items, &(LabelValues){version.text != NULL, &version});
	}
	return true;
}

static bool
lacks_cores(const Place *place, Refusal *refusal)
{
	const Worker *worker = worker_of(place);
	int64 needed = place->kind->demand.cpu_millicores;

	return needed > 0 && lacks(refusal, needed, worker->cpu_millicores - worker->cpu_used,
							   worker->cpu_millicores);
}

static bool
lacks_host_memory(const Place *place, Refusal *refusal)
{
	const Worker *worker = worker_of(place);
	int64 needed = place->kind->demand.host_memory_bytes;

	return needed > 0 &&
		   lacks(refusal, needed, worker->memory_bytes - worker->memory_used, worker->memory_bytes);
}

static bool
is_unhealthy(const Place *place, Refusal *refusal)
{
	refusal->text = place->snapshot->absences[place->worker];
	return !worker_of(place)->accepting && worker_of(place)->unhealthy;
}

static bool
is_drained(const Place *place, Refusal *refusal)
{
	refusal->text = place->snapshot->absences[place->worker];
	return !worker_of(place)->accepting && !worker_of(place)->unhealthy;
}

static bool
has_one_alone(const Place *place, Refusal *refusal)
{
	refusal->text = "has something that runs alone";
	return worker_of(place)->runs_alone;
}

static bool
is_not_empty(const Place *place, Refusal *refusal)
{
	const Worker *worker = worker_of(place);

	if ((!place->kind->demand.exclusive && !place->item->alone) || worker->assignments == 0)
		return false;
	refusal->text =
		psprintf("needs a worker that has nothing else, this one has %d", worker->assignments);
	return true;
}

static bool
is_at_its_most(const Place *place, Refusal *refusal)
{
	const Worker *worker = worker_of(place);

	return worker->max_concurrent > 0 &&
		   lacks(refusal, 1, worker->max_concurrent - worker->assignments, worker->max_concurrent);
}

/* Returns whether an item avoids the worker of a place. */
static bool
avoids(const Place *place)
{
	for (int i = 0; i < place->item->navoided; i++)
		if (place->item->avoided[i] == place->worker)
			return true;
	return false;
}

static bool
reaches_window(const Place *place, Refusal *refusal)
{
	double seconds = worker_of(place)->window_in;

	if (isinf(seconds) || !avoids(place))
		return false;
	refusal->text = psprintf("would reach into the maintenance window of its worker, which begins"
							 " in %s s",
							 number_text(ceil(Max(0, seconds))));
	return true;
}

static bool
failed_there(const Place *place, Refusal *refusal)
{
	bool avoided = isinf(worker_of(place)->window_in) && avoids(place);

	for (int i = 0; i < place->item->navoided_devices && !avoided; i++)
		avoided = place->item->avoided_devices[i] == place->device;
	refusal->text = "failed there, and others could run it";
	return avoided;
}

static bool
has_one_of_group(const Place *place, Refusal *refusal)
{
	const WorkGroup *group = &place->snapshot->search.groups[place->item->group];

	if (!place->kind->demand.group_apart || place->item->group == 0)
		return false;
	refusal->text = "has one of its group";
	for (int i = 0; i < group->count; i++)
		if (group->members[i].worker == place->worker)
			return true;
	return false;
}

/* --- the device --- */

/* Returns whether a device is of a type that the work asks for. */
static bool
is_of_type(const Place *place)
{
	const NamedNumbers *types = &place->kind->demand.accelerators;
	bool any = types->count == 0 && is_accelerator(profile_of(place), NULL);

	for (int t = 0; t < types->count && !any; t++)
		any = is_accelerator(profile_of(place), types->items[t].name);
	return any;
}

static bool
is_no_accelerator(const Place *place, Refusal *refusal)
{
	const NamedNumbers *types = &place->kind->demand.accelerators;
	StringInfoData text;

	if (demand_occupancy(&place->kind->demand) == OCCUPY_SLOT || is_of_type(place))
		return false;
	initStringInfo(&text);
	appendStringInfoString(&text, "needs a device that is ");
	for (int t = 0; t < types->count; t++)
		appendStringInfo(&text, "%s%s", t > 0 ? " or " : "", types->items[t].name);
	if (types->count == 0)
		appendStringInfoString(&text, "an accelerator");
	refusal->wanted = pnstrdup(text.data, text.len);
	appendStringInfo(&text, ", this one is %s", profile_of(place)->hardware_class);
	refusal->text = text.data;
	return true;
}

static bool
lacks_labels(const Place *place, Refusal *refusal)
{
	const Conditions *required = &place->kind->demand.required_labels;

	for (int i = 0; i < required->count; i++)
	{
		LabelValue space;
		LabelValues values;

		if (!device_label(place->snapshot, place->worker, place->device, &required->items[i],
						  &space, &values))
			say_condition(refusal, &required->items[i], &values);
	}
	return refusal->text != NULL;
}

static bool
is_tainted(const Place *place, Refusal *refusal)
{
	const Labels *taints = worker_taints(place->snapshot, place->worker);
	StringInfoData text;

	if (taints->count == 0)
		return false;
	initStringInfo(&text);
	for (int i = 0; i < taints->count; i++)
		if (!names_contain(&place->kind->demand.tolerations, taints->items[i].name))
			appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "has the taint ",
							 taints->items[i].name);
	refusal->text = refusal->wanted = text.data;
	return text.len > 0;
}

static bool
lacks_backend(const Place *place, Refusal *refusal)
{
	const NameSet *required = &place->kind->profile.required_backends;
	WorkloadProfile only = {.required_backends = *required};

	if (required->count == 0 || device_mismatch(&only, profile_of(place)) == MATCHES)
		return false;
	say_names(refusal, required, " and ", &profile_of(place)->supported_backends);
	return true;
}

static bool
is_other_model(const Place *place, Refusal *refusal)
{
	const NameSet *required = &place->kind->profile.required_models;
	const char *model = profile_of(place)->model_name;
	const NameSet own = {model != NULL, &model};

	if (required->count == 0 || texts_contain(required, model))
		return false;
	say_names(refusal, required, " or ", &own);
	return true;
}

static bool
lacks_precisions(const Place *place, Refusal *refusal)
{
	const NameSet *required = &place->kind->profile.required_precisions;
	WorkloadProfile only = {.required_precisions = *required};

	if (required->count == 0 || device_mismatch(&only, profile_of(place)) == MATCHES)
		return false;
	say_names(refusal, required, " and ", &profile_of(place)->supported_precisions);
	return true;
}

static bool
lacks_features(const Place *place, Refusal *refusal)
{
	const NameSet *required = &place->kind->profile.required_features;
	WorkloadProfile only = {.required_features = *required};

	if (required->count == 0 || device_mismatch(&only, profile_of(place)) == MATCHES)
		return false;
	say_names(refusal, required, " and ", &profile_of(place)->features);
	return true;
}

static bool
lacks_units(const Place *place, Refusal *refusal)
{
	const DeviceProfile *profile = profile_of(place);
	int32 needed = place->kind->profile.min_compute_units;
	WorkloadProfile only = {.min_compute_units = needed};

	if (device_mismatch(&only, profile) == MATCHES ||
		(profile->compute_units == 0 && needed <= INFERRED_COMPUTE_UNITS))
		return false;
	return lacks(refusal, needed, profile->compute_units, profile->compute_units);
}

static bool
was_too_slow(const Place *place, Refusal *refusal)
{
	const char *avoided = place->kind->demand.avoid_class;

	if (!same_name(avoided, profile_of(place)->hardware_class))
		return false;
	refusal->text = psprintf("its last attempt on hardware of class %s timed out", avoided);
	return true;
}

/* A device without memory of its own has what its worker has beside host_memory. */
static bool
lacks_memory(const Place *place, Refusal *refusal)
{
	const Worker *worker = worker_of(place);
	const Device *device = device_of(place);
	int64 needed = place->kind->profile.min_memory_bytes;
	int64 total = profile_of(place)->memory_total_bytes;
	int64 available = total;

	if (needed == 0)
		return false;
	if (device->memory_bytes >= 0)
	{
		total = Min(total, device->memory_bytes);
		available = Min(total, device->memory_bytes - device->memory_used);
	}
	else if (device->uses_host_memory)
	{
		int64 rest = worker->memory_bytes - place->kind->demand.host_memory_bytes;

		if (needed <= total)
			refusal->reason = needed > rest ? FILTERED_HOST_MEMORY : FILTERED_HOST_MEMORY_BUSY;
		total = Min(total, rest);
		available = Min(total, rest - worker->memory_used);
	}
	return lacks(refusal, needed, available, total);
}

static bool
is_quarantined(const Place *place, Refusal *refusal)
{
	refusal->text = "the device is quarantined";
	return device_of(place)->quarantined;
}

static bool
is_draining(const Place *place, Refusal *refusal)
{
	refusal->text = "the device is draining until resume_device()";
	return device_of(place)->draining;
}

static bool
is_loaded(const Place *place, Refusal *refusal)
{
	double load = device_of(place)->load;
	double most = place->snapshot->search.settings.max_load;

	if (!(load > most))
		return false;
	lacks(refusal, NAN, load, most);
	refusal->text = psprintf("its load is %s, max_load %s", number_text(load), number_text(most));
	return true;
}

/* Returns what is free of a device, in the units of which max_concurrent is all of it. */
static bool
has_no_room(const Place *place, Occupancy occupancy, Refusal *refusal)
{
	const Device *device = device_of(place);
	const Demand *demand = &place->kind->demand;
	int64 most = place->snapshot->search.settings.max_concurrent;
	double unit = occupancy == OCCUPY_SLOT ? WHOLE_SHARE : WHOLE_SHARE * (double) most;
	double total = occupancy == OCCUPY_SLOT ? most : 1;
	double room = device_room(device, most) / unit;

	if (demand_occupancy(demand) != occupancy || device->draining || device->quarantined ||
		demanded_room(demand, most) <= device_room(device, most) ||
		(occupancy != OCCUPY_SLOT && !is_of_type(place)))
		return false;
	if (device->on_probation && is_in_use(device))
		refusal->text = "the device is on probation and takes one workload at a time";
	if (occupancy == OCCUPY_SLOT)
		room = floor(room);
	lacks(refusal, demanded_room(demand, most) / unit, room, total);
	if (occupancy == OCCUPY_WHOLE && refusal->text == NULL)
		refusal->text =
			psprintf("needs the whole device, %s%% of it is free", number_text(100 * Max(0, room)));
	if (occupancy == OCCUPY_SLOT && device->share == 0)
		refusal->reason = FILTERED_SLOTS_BUSY;
	return true;
}

static bool
has_no_slot(const Place *place, Refusal *refusal)
{
	return has_no_room(place, OCCUPY_SLOT, refusal);
}

static bool
has_no_share(const Place *place, Refusal *refusal)
{
	return has_no_room(place, OCCUPY_SHARE, refusal);
}

static bool
is_not_whole(const Place *place, Refusal *refusal)
{
	return has_no_room(place, OCCUPY_WHOLE, refusal);
}

static bool
scores_too_low(const Place *place, Refusal *refusal)
{
	Search *search = &place->snapshot->search;
	const Device *device = device_of(place);
	const ProfilePair *pair = pair_of(search, place->kind, device->profile);
	double score;

	if (pair->mismatch != MATCHES)
		return false;
	score = adjusted_efficiency(pair->raw_efficiency, device->effective_load, device->warming,
								device->cooling, device->performance_level, device->temperature);
	if (!(score < search->settings.min_score))
		return false;
	lacks(refusal, search->settings.min_score, score, NAN);
	refusal->text = psprintf("its adjusted efficiency is %s, min_score %s", number_text(score),
							 number_text(search->settings.min_score));
	return true;
}

/* Returns how many devices its worker has of a type that the work asks for. */
static int
devices_of_type(const Place *place)
{
	const Worker *worker = worker_of(place);
	Place other = *place;
	int count = 0;

	for (other.device = worker->first_device;
		 other.device < worker->first_device + worker->ndevices; other.device++)
		count += is_of_type(&other);
	return count;
}

static bool
has_too_few(const Place *place, Refusal *refusal)
{
	int total;

	if (demand_occupancy(&place->kind->demand) != OCCUPY_WHOLE || !is_of_type(place))
		return false;
	total = devices_of_type(place);
	return lacks(refusal, demanded_devices(&place->kind->demand), total, total);
}

/* --- all of it together: what else has been passed --- */

/* Several accelerators, each of which would do. */
static bool
lacks_accelerators(const Place *place, Refusal *refusal)
{
	Search *search = &place->snapshot->search;
	const Fleet *fleet = &place->snapshot->fleet;
	const Worker *worker = worker_of(place);
	int most_alike = 0;
	int fitting = 0;
	Candidate candidate;
	FilterReason reason;

	if (demand_occupancy(&place->kind->demand) != OCCUPY_WHOLE)
		return false;
	reason = search_candidate(search, place->kind, place->worker, &candidate);
	if (reason == FITS)
		return false;
	for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
	{
		Place other = *place;
		int alike = 0;

		other.device = d;
		if (!is_of_type(&other))
			continue;
		fitting += device_candidate(search, place->kind, place->worker, d, &candidate) == FITS;
		for (int e = worker->first_device; e < worker->first_device + worker->ndevices; e++)
			alike += fleet->devices[e].profile == fleet->devices[d].profile;
		most_alike = Max(most_alike, alike);
	}
	refusal->reason = reason;
	lacks(refusal, demanded_devices(&place->kind->demand), fitting, devices_of_type(place));
	if (reason == FILTERED_ALIKE)
	{
		lacks(refusal, refusal->needed, Min(fitting, most_alike), most_alike);
		refusal->text =
			psprintf("needs %s of one kind, has %d", number_text(refusal->needed), most_alike);
	}
	else if (refusal->needed <= refusal->available)
		refusal->text = psprintf("needs %s at once, of one kind and with memory for all",
								 number_text(refusal->needed));
	else
		refusal->text =
			psprintf("needs %s at once, %s of %s would do", number_text(refusal->needed),
					 number_text(refusal->available), number_text(refusal->total));
	return true;
}

/* A place that is kept for who stands before it in the queue. */
static bool
is_kept_for_others(const Place *place, Refusal *refusal)
{
	Search *search = &place->snapshot->search;
	const Reservation *first = NULL;
	Candidate candidate;
	bool fits;

	if (!worker_of(place)->reserved ||
		search_device(search, place->kind, place->worker, place->device, &candidate) != FITS)
		return false;
	reservations_book(search, place->snapshot->items, 0);
	fits = search_device(search, place->kind, place->worker, place->device, &candidate) == FITS;
	reservations_give_back(search);
	if (fits)
		return false;
	for (int r = 0; r < search->nreservations && first == NULL; r++)
		for (int p = 0; p < search->reservations[r].nplaces; p++)
			if (search->reservations[r].places[p].worker == place->worker &&
				search->reservations[r].item != 0)
				first = &search->reservations[r];
	refusal->text = first == NULL || first->workload_id == NULL ?
						"reserved for work that stands before it" :
					isinf(first->starts_in) ?
						psprintf("reserved for workload \"%s\"", first->workload_id) :
						psprintf("reserved for workload \"%s\", which can start there in %s s",
								 first->workload_id, number_text(ceil(Max(0, first->starts_in))));
	return true;
}

#define GIB ((double) (INT64_C(1) << 30))

static const Check checks[] = {
	{"required_labels", NULL, NULL, 1, FILTERED_LABELS, FILTERED_LABELS, lacks_labels},
	{"tolerations", NULL, NULL, 1, FILTERED_TAINTS, FILTERED_TAINTS, is_tainted},
	{"required_accelerators", NULL, NULL, 1, FILTERED_ACCELERATORS, FILTERED_ACCELERATORS,
	 is_no_accelerator},
	{"required_accelerators", "accelerators", "the largest worker", 1, FILTERED_ACCELERATORS,
	 FILTERED_ACCELERATORS, has_too_few},
	{"required_backend", NULL, NULL, 1, FILTERED_BACKEND, FILTERED_BACKEND, lacks_backend},
	{"required_models", NULL, NULL, 1, FILTERED_MODEL, FILTERED_MODEL, is_other_model},
	{"required_precisions", NULL, NULL, 1, FILTERED_PRECISION, FILTERED_PRECISION,
	 lacks_precisions},
	{"required_features", NULL, NULL, 1, FILTERED_FEATURE, FILTERED_FEATURE, lacks_features},
	{"min_compute_units", "compute units", "the largest device", 1, FILTERED_UNITS, FILTERED_UNITS,
	 lacks_units},
	{"minimum_memory", "GB", "the largest device", GIB, FILTERED_MEMORY,
	 FILTERED_DEVICE_MEMORY_BUSY, lacks_memory},
	{"timeout", NULL, NULL, 1, FILTERED_CLASS, FILTERED_CLASS, was_too_slow},
	{"required_software", NULL, NULL, 1, FILTERED_SOFTWARE, FILTERED_SOFTWARE, lacks_software},
	{"cpu_cores", "cores", "the largest worker", 1000, FILTERED_CPU_CORES, FILTERED_CPU_BUSY,
	 lacks_cores},
	{"host_memory", "GB", "the largest worker", GIB, FILTERED_HOST_MEMORY,
	 FILTERED_HOST_MEMORY_BUSY, lacks_host_memory},
	{"worker_health", NULL, NULL, 1, FILTERED_HEALTH, FILTERED_HEALTH, is_unhealthy},
	{"worker_drained", NULL, NULL, 1, FILTERED_DRAINING, FILTERED_DRAINING, is_drained},
	{"device_health", NULL, NULL, 1, FILTERED_DEVICE_HEALTH, FILTERED_DEVICE_HEALTH,
	 is_quarantined},
	{"device_drained", NULL, NULL, 1, FILTERED_DEVICE_DRAINING, FILTERED_DEVICE_DRAINING,
	 is_draining},
	{"runs_alone", NULL, NULL, 1, FILTERED_ALONE, FILTERED_ALONE, has_one_alone},
	{"exclusive", NULL, NULL, 1, FILTERED_EXCLUSIVE, FILTERED_EXCLUSIVE, is_not_empty},
	{"max_load", NULL, NULL, 1, FILTERED_LOAD, FILTERED_LOAD, is_loaded},
	{"max_concurrent", "workloads", "the largest worker", 1, FILTERED_CONCURRENT,
	 FILTERED_CONCURRENT, is_at_its_most},
	{"max_concurrent", "slots", "the largest device", 1, FILTERED_SLOTS_BUSY, FILTERED_DEVICE_BUSY,
	 has_no_slot},
	{"accelerator_share", "of a device", "the largest device", 1, FILTERED_DEVICE_BUSY,
	 FILTERED_DEVICE_BUSY, has_no_share},
	{"required_accelerators", "device", NULL, 1, FILTERED_DEVICE_BUSY, FILTERED_DEVICE_BUSY,
	 is_not_whole},
	{"min_score", NULL, NULL, 1, FILTERED_SCORE, FILTERED_SCORE, scores_too_low},
	{"group_apart", NULL, NULL, 1, FILTERED_GROUP, FILTERED_GROUP, has_one_of_group},
	{"maintenance_window", NULL, NULL, 1, FILTERED_WINDOW, FILTERED_WINDOW, reaches_window},
	{"retries", NULL, NULL, 1, FILTERED_GROUP, FILTERED_GROUP, failed_there},
};

/* Those that are of all devices of a worker, or of all work, and say nothing where others fail. */
static const Check last_checks[] = {
	{"required_accelerators", "accelerators", "the largest worker", 1, FILTERED_ACCELERATORS,
	 FILTERED_ALIKE, lacks_accelerators},
	{"reservation", NULL, NULL, 1, FILTERED_RESERVED, FILTERED_RESERVED, is_kept_for_others},
};

/* Applies a check; returns whether the place fails it and fills *refusal. */
static bool
apply_check(const Place *place, const Check *check, Refusal *refusal)
{
	*refusal =
		(Refusal){.check = check, .reason = FITS, .needed = NAN, .available = NAN, .total = NAN};
	if (!check->fails(place, refusal))
		return false;
	if (refusal->reason == FITS)
		refusal->reason = refusal->needed > refusal->total ? check->never : check->busy;
	refusal->never = refusal->reason <= FILTERED_NEVER;
	refusal->needed /= check->scale;
	refusal->available /= check->scale;
	refusal->total /= check->scale;
	return true;
}

/*
 * Finds all that keeps a place from taking its workload; returns how many checks fail, 0: it
 * fits.  refusals has room for MOST_REFUSALS.
 */
int
place_refusals(const Place *place, Refusal *refusals)
{
	int n = 0;

	for (int c = 0; c < lengthof(checks); c++)
		n += apply_check(place, &checks[c], &refusals[n]);
	for (int c = 0; c < lengthof(last_checks) && n == 0; c++)
		n += apply_check(place, &last_checks[c], &refusals[n]);
	return n;
}

/*
 * Finds the check for which a decision refuses a place, if that is for a reason; returns whether
 * it is.
 */
bool
refusal_of_reason(const Place *place, FilterReason reason, Refusal *refusal)
{
	Refusal refusals[MOST_REFUSALS];
	int n = place_refusals(place, refusals);
	int first = 0;

	for (int i = 1; i < n; i++)
		if (refusals[i].reason < refusals[first].reason)
			first = i;
	if (n == 0 || refusals[first].reason != reason)
		return false;
	*refusal = refusals[first];
	/* of several accelerators, how many are free tells more than what keeps one of them */
	if (reason == FILTERED_DEVICE_BUSY && apply_check(place, &last_checks[0], &refusals[0]))
		*refusal = refusals[0];
	return true;
}

/* Reads, in words, why workers are absent that accept nothing; the fleet has been read. */
void
load_absences(PoolSnapshot *snapshot, const char *pool)
{
	static SpiPlan statement = {
		"SELECT w.worker_id, CASE"
		"   WHEN w.health = 'quarantined' THEN format('quarantined after %s failures in a row',"
		"    w.failures_in_row)"
		"   WHEN w.health = 'offline' OR l.last_seen_at < now() - make_interval(secs => $3) THEN"
		"    format('silent for %s s, offline_after is %s s',"
		"     floor(extract(epoch FROM now() - l.last_seen_at)), $3)"
		"   WHEN w.drain_until > now() THEN format('in its maintenance window until %s',"
		"    w.drain_until)"
		"   ELSE 'draining until resume_worker()' END"
		" FROM unnest($2) e(worker_id)"
		" JOIN hwsched.worker w ON w.pool = $1 AND w.worker_id = e.worker_id"
		" JOIN hwsched.worker_load l ON l.pool = $1 AND l.worker_id = e.worker_id",
		{TEXTOID, TEXTARRAYOID, FLOAT8OID}};
	const Fleet *fleet = &snapshot->fleet;
	const char **workers = palloc(sizeof(char *) * (fleet->nworkers + 1));
	int n = 0;

	snapshot->absences = palloc0(sizeof(char *) * (fleet->nworkers + 1));
	for (int w = 0; w < fleet->nworkers; w++)
		if (!fleet->workers[w].accepting)
		{
			snapshot->absences[w] = "is not there";
			workers[n++] = fleet->workers[w].worker_id;
		}
	if (n == 0)
		return;
	spi_plan_run(&statement, true, TEXT_VALUE(pool), text_array(workers, n),
				 VALUE(Float8GetDatum(snapshot->settings.offline_after)));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		int worker = fleet_worker(fleet, column_text(i, 1));

		if (worker >= 0)
			snapshot->absences[worker] = column_text(i, 2);
	}
}
