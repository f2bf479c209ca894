/*
 * document.c
 *		The fields of every document.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "document/document.h"

/* clang-format off */
#define TEXT(s, m) {#m, FIELD_TEXT, offsetof(s, m)}
#define NAME(s, m, k) {#m, FIELD_NAME, offsetof(s, m), k}
#define NAMES(s, m, k) {#m, FIELD_NAMES, offsetof(s, m), k}
#define TEXTS(s, m) {#m, FIELD_TEXTS, offsetof(s, m)}
#define BOOLEAN(s, m) {#m, FIELD_BOOLEAN, offsetof(s, m)}
#define INTEGER(s, m) {#m, FIELD_INTEGER, offsetof(s, m)}
#define RANGE(s, m, least, most) {#m, FIELD_INTEGER, offsetof(s, m), NAME_FREE, least, most}
#define BIGINT(s, m) {#m, FIELD_BIGINT, offsetof(s, m)}
#define NUMBER(s, m) {#m, FIELD_NUMBER, offsetof(s, m)}
#define LIMITED(s, m, least, most) {#m, FIELD_NUMBER, offsetof(s, m), NAME_FREE, least, most}
#define SECONDS(s, m) {#m, FIELD_SECONDS, offsetof(s, m)}
#define TIME(s, m) {#m, FIELD_TIME, offsetof(s, m)}
#define NUMBERS(s, m) {#m, FIELD_NUMBERS, offsetof(s, m)}
#define COUNTS(s, m) {#m, FIELD_COUNTS, offsetof(s, m), NAME_BACKEND_OR_CLASS, 0, 1000000}
#define VERSIONS(s, m) {#m, FIELD_VERSIONS, offsetof(s, m)}
#define LABELS(s, m) {#m, FIELD_LABELS, offsetof(s, m)}
#define CONDITIONS(s, m) {#m, FIELD_CONDITIONS, offsetof(s, m)}
#define OBJECT(s, m, d) {#m, FIELD_OBJECT, offsetof(s, m), NAME_FREE, 0, 0, d}
#define LIST(s, m, d) {#m, FIELD_LIST, offsetof(s, m), NAME_FREE, 0, 0, d}
#define ANY_OBJECT(key) {key, FIELD_ANY_OBJECT, 0}
#define ANY(key) {key, FIELD_ANY, 0}
#define GIGABYTES(s, m) \
	{#m, FIELD_NUMBER, offsetof(s, m), NAME_FREE, 0, MOST_GB, .unit = "GB"}

#define FIELDS(array) .fields = array, .nfields = lengthof(array)

/* Sizes in GB and numbers of cores beyond these are taken for mistakes. */
#define MOST_GB 1e6
#define MOST_CORES 1e6

/* As are numbers of shards or replicas, and watts, beyond these. */
#define MOST_SHARDS 10000
#define MOST_WATTS 1e9
/* clang-format on */

/* --- workload profile --- */

#define METRIC(m) LIMITED(Metrics, m, 0, 1)
static const Field metric_fields[] = {
	METRIC(compute_intensity),	 METRIC(memory_intensity),
	METRIC(io_intensity),		 METRIC(network_intensity),
	METRIC(model_size),			 METRIC(batch_size),
	METRIC(latency_sensitivity), METRIC(throughput_sensitivity),
	METRIC(parallelism),		 METRIC(temperature),
	METRIC(energy_sensitivity),
};
static const Document metrics_document = {"metrics", sizeof(Metrics), FIELDS(metric_fields),
										  .open = true};

/*
 * Duration and priority come last: they do not decide what hardware suits, so
 * the profile that workloads share goes without them.
 */
static const Field workload_profile_fields[] = {
	NAME(WorkloadProfile, workload_type, NAME_WORKLOAD_TYPE),
	NAMES(WorkloadProfile, required_backends, NAME_BACKEND_OR_CLASS),
	NAMES(WorkloadProfile, preferred_backends, NAME_BACKEND_OR_CLASS),
	NAMES(WorkloadProfile, required_precisions, NAME_PRECISION),
	NAMES(WorkloadProfile, required_features, NAME_FEATURE),
	TEXTS(WorkloadProfile, required_models),
	BIGINT(WorkloadProfile, min_memory_bytes),
	INTEGER(WorkloadProfile, min_compute_units),
	OBJECT(WorkloadProfile, metrics, &metrics_document),
	NAME(WorkloadProfile, preferred_hardware_class, NAME_HARDWARE_CLASS),
	NAME(WorkloadProfile, preferred_architecture, NAME_ARCHITECTURE),
	NAMES(WorkloadProfile, preferred_vendors, NAME_VENDOR),
	BOOLEAN(WorkloadProfile, is_shardable),
	RANGE(WorkloadProfile, min_shards, 1, MOST_SHARDS),
	RANGE(WorkloadProfile, max_shards, 1, MOST_SHARDS),
	NAME(WorkloadProfile, allocation_strategy, NAME_STRATEGY),
	NUMBER(WorkloadProfile, estimated_duration_seconds),
	RANGE(WorkloadProfile, priority, 1, 5),
};

static void
preset_workload_profile(void *values)
{
	WorkloadProfile *profile = values;
	double *metrics = (double *) &profile->metrics;

	for (size_t i = 0; i < sizeof(Metrics) / sizeof(double); i++)
		metrics[i] = NAN;
	profile->estimated_duration_seconds = NAN;
}

const Document workload_profile_document = {"workload profile", sizeof(WorkloadProfile),
											FIELDS(workload_profile_fields),
											preset_workload_profile, .open = true};

const Document placement_profile_document = {
	"workload profile", sizeof(WorkloadProfile), workload_profile_fields,
	lengthof(workload_profile_fields) - 2, preset_workload_profile};

/* --- what a workload takes from its worker, as stored with the profile --- */

static const Field demand_fields[] = {
	BIGINT(Demand, cpu_millicores),
	BIGINT(Demand, host_memory_bytes),
	RANGE(Demand, share, 0, WHOLE_SHARE),
	COUNTS(Demand, accelerators),
	{"software", FIELD_SOFTWARE, offsetof(Demand, software)},
	/* sparse: a demand that is not a gang's is written as if they did not exist */
	{"quorum", FIELD_INTEGER, offsetof(Demand, quorum), NAME_FREE, 0, MOST_SHARDS, .sparse = true},
	{"share_worker", FIELD_BOOLEAN, offsetof(Demand, share_worker), .sparse = true},
	{"avoid_class", FIELD_TEXT, offsetof(Demand, avoid_class), .sparse = true},
	{"tenant", FIELD_TEXT, offsetof(Demand, tenant), .sparse = true},
	{"mixed_accelerators", FIELD_BOOLEAN, offsetof(Demand, mixed_accelerators), .sparse = true},
	CONDITIONS(Demand, required_labels),
	CONDITIONS(Demand, preferred_labels),
	{"tolerations", FIELD_TEXTS, offsetof(Demand, tolerations), .sparse = true},
	{"exclusive", FIELD_BOOLEAN, offsetof(Demand, exclusive), .sparse = true},
	{"group_apart", FIELD_BOOLEAN, offsetof(Demand, group_apart), .sparse = true},
	TEXT(Demand, spread_by),
	{"checkpointable", FIELD_BOOLEAN, offsetof(Demand, checkpointable), .sparse = true},
};

const Document demand_document = {"demand", sizeof(Demand), FIELDS(demand_fields)};

/* --- requirements --- */

/*
 * What says how work is split, replicated and moved: beside the other keys, or among
 * the custom properties.  What is no part of a profile comes first: a ready-made
 * one may have it beside, too.
 */
#define GANG_FIELDS 4
#define STRATEGY_FIELDS(s, m) \
	{"quorum", FIELD_INTEGER, offsetof(s, m quorum), NAME_FREE, 1, MOST_SHARDS}, \
		{"share_worker", FIELD_BOOLEAN, offsetof(s, m share_worker)}, \
		{"checkpointable", FIELD_BOOLEAN, offsetof(s, m checkpointable)}, \
		{"mixed_accelerators", FIELD_BOOLEAN, offsetof(s, m mixed_accelerators)}, \
		{"is_shardable", FIELD_BOOLEAN, offsetof(s, m is_shardable)}, \
		{"min_shards", FIELD_INTEGER, offsetof(s, m min_shards), NAME_FREE, 1, MOST_SHARDS}, \
		{"max_shards", FIELD_INTEGER, offsetof(s, m max_shards), NAME_FREE, 1, MOST_SHARDS}, \
	{ \
		"allocation_strategy", FIELD_NAME, offsetof(s, m allocation_strategy), NAME_STRATEGY \
	}

static const Field property_fields[] = {
	STRATEGY_FIELDS(RequestedProperties, ),
	ANY_OBJECT("workload_profile"),
};

const Document properties_document = {"custom properties", sizeof(RequestedProperties),
									  FIELDS(property_fields), .open = true};

const Document gang_document = {"custom properties", sizeof(RequestedProperties), property_fields,
								GANG_FIELDS, .open = true};

static const Field requirement_fields[] = {
	TEXT(Requirements, test_id),
	TEXT(Requirements, test_type),
	TEXT(Requirements, model_id),
	TEXT(Requirements, model_family),
	GIGABYTES(Requirements, minimum_memory),
	NUMBER(Requirements, expected_duration),
	RANGE(Requirements, priority, 1, 5),
	NAME(Requirements, required_backend, NAME_BACKEND_OR_CLASS),
	NAME(Requirements, preferred_backend, NAME_BACKEND_OR_CLASS),
	COUNTS(Requirements, required_accelerators),
	LIMITED(Requirements, accelerator_share, 0, 1),
	LIMITED(Requirements, cpu_cores, 0, MOST_CORES),
	GIGABYTES(Requirements, host_memory),
	TEXTS(Requirements, required_models),
	{"required_software", FIELD_SOFTWARE, offsetof(Requirements, required_software)},
	CONDITIONS(Requirements, required_labels),
	CONDITIONS(Requirements, preferred_labels),
	TEXTS(Requirements, tolerations),
	BOOLEAN(Requirements, exclusive),
	TEXT(Requirements, group),
	BOOLEAN(Requirements, group_apart),
	TEXT(Requirements, spread_by),
	SECONDS(Requirements, timeout),
	{"start_timeout", FIELD_SECONDS, offsetof(Requirements, start_timeout), NAME_FREE, 1, 31536000},
	RANGE(Requirements, retries, 0, 1000),
	{"concurrency_key", FIELD_UNITS, offsetof(Requirements, concurrency_key), NAME_FREE, 1,
	 1000000},
	TEXT(Requirements, tenant),
	TIME(Requirements, deadline),
	TIME(Requirements, run_at),
	TIME(Requirements, expires_at),
	TEXTS(Requirements, depends_on),
	TEXT(Requirements, on_failed_dependency),
	ANY_OBJECT("labels"), /* of the work; they select nothing */
	STRATEGY_FIELDS(Requirements, properties.),
	{"custom_properties", FIELD_OBJECT, offsetof(Requirements, properties), NAME_FREE, 0, 0,
	 &properties_document},
};

static void
preset_requirements(void *values)
{
	Requirements *requirements = values;

	requirements->expected_duration = NAN;
	requirements->priority = 3;
	requirements->timeout = 3600;
	requirements->retries = DEFAULT_RETRIES;
	requirements->start_timeout = NAN;
	requirements->deadline = requirements->expires_at = DT_NOEND;
	requirements->run_at = DT_NOBEGIN;
}

const Document requirements_document = {"requirements", sizeof(Requirements),
										FIELDS(requirement_fields), preset_requirements,
										.own = "custom_properties"};

/* --- device profile --- */

static const Field device_fields[] = {
	NAME(DeviceProfile, hardware_class, NAME_HARDWARE_CLASS),
	NAME(DeviceProfile, architecture, NAME_ARCHITECTURE),
	NAME(DeviceProfile, vendor, NAME_VENDOR),
	TEXT(DeviceProfile, model_name),
	NAMES(DeviceProfile, supported_backends, NAME_BACKEND),
	NAMES(DeviceProfile, supported_precisions, NAME_PRECISION),
	NAMES(DeviceProfile, features, NAME_FEATURE),
	BIGINT(DeviceProfile, memory_total_bytes),
	BIGINT(DeviceProfile, memory_available_bytes),
	NUMBER(DeviceProfile, memory_bandwidth_gbps),
	BOOLEAN(DeviceProfile, memory_is_shared),
	TEXT(DeviceProfile, memory_type),
	INTEGER(DeviceProfile, memory_hierarchy_levels),
	BOOLEAN(DeviceProfile, memory_has_unified),
	INTEGER(DeviceProfile, compute_units),
	INTEGER(DeviceProfile, clock_speed_mhz),
	NUMBER(DeviceProfile, thermal_design_power_w),
	NUMBER(DeviceProfile, idle_power_w),
	{"power_is_binary", FIELD_NEGATION, offsetof(DeviceProfile, power_is_gradual), .sparse = true},
	{"sockets", FIELD_INTEGER, offsetof(DeviceProfile, sockets), NAME_FREE, 1, 1024,
	 .sparse = true},
	LIMITED(DeviceProfile, idle_celsius, -100, 1000),
	LIMITED(DeviceProfile, throttle_celsius, -100, 1000),
	NUMBERS(DeviceProfile, performance_profile),
};

static void
preset_device(void *values)
{
	DeviceProfile *device = values;

	device->memory_bandwidth_gbps = NAN;
	device->thermal_design_power_w = NAN;
	device->idle_power_w = NAN;
	device->idle_celsius = NAN;
	device->throttle_celsius = NAN;
}

const Document device_profile_document = {"device profile", sizeof(DeviceProfile),
										  FIELDS(device_fields), preset_device};

/* --- capabilities --- */

static const Field entry_fields[] = {
	RANGE(DeviceEntry, count, 1, 10000), TEXT(DeviceEntry, device_id), LABELS(DeviceEntry, labels),
	/* the device profile's fields follow; see document_field */
};

static void
preset_entry(void *values)
{
	preset_device(values);
	((DeviceEntry *) values)->count = 1;
}

static const Document device_entry_document = {"device profile", sizeof(DeviceEntry),
											   FIELDS(entry_fields), preset_entry};

static const Field capability_fields[] = {
	TEXT(Capabilities, worker_id),
	TEXT(Capabilities, hostname),
	TEXT(Capabilities, incarnation),
	LIMITED(Capabilities, cpu_cores, 0, MOST_CORES),
	INTEGER(Capabilities, cpu_threads),
	GIGABYTES(Capabilities, available_memory),
	TEXTS(Capabilities, supported_backends),
	COUNTS(Capabilities, available_accelerators),
	VERSIONS(Capabilities, software_versions),
	ANY_OBJECT("hardware_specs"),
	NUMBER(Capabilities, network_bandwidth),
	NUMBER(Capabilities, cost_per_hour),
	RANGE(Capabilities, max_concurrent, 1, 1000000),
	LABELS(Capabilities, labels),
	LABELS(Capabilities, taints),
	LIST(Capabilities, devices, &device_entry_document),
	/* the guide's, kept with the others */
	ANY("storage_capacity"),
	ANY("available_disk"),
};

static void
preset_capabilities(void *values)
{
	Capabilities *capabilities = values;

	capabilities->available_memory = NAN;
	capabilities->network_bandwidth = NAN;
	capabilities->cost_per_hour = NAN;
}

const Document capabilities_document = {"capabilities", sizeof(Capabilities),
										FIELDS(capability_fields), preset_capabilities,
										.own = "hardware_specs"};

/* --- load --- */

#define PERCENT(s, m) LIMITED(s, m, 0, 100)

static const Field device_load_fields[] = {
	INTEGER(DeviceLoadReport, device_no),
	PERCENT(DeviceLoadReport, utilization),
	LIMITED(DeviceLoadReport, temperature_celsius, -100, 1000),
	LIMITED(DeviceLoadReport, power_w, 0, MOST_WATTS),
};

static void
preset_device_load(void *values)
{
	DeviceLoadReport *load = values;

	load->device_no = -1;
	load->utilization = NAN;
	load->temperature_celsius = NAN;
	load->power_w = NAN;
}

static const Document device_load_document = {"device load", sizeof(DeviceLoadReport),
											  FIELDS(device_load_fields), preset_device_load};

static const Field load_fields[] = {
	PERCENT(LoadReport, cpu_utilization),
	PERCENT(LoadReport, memory_utilization),
	PERCENT(LoadReport, gpu_utilization),
	PERCENT(LoadReport, io_utilization),
	PERCENT(LoadReport, network_utilization),
	INTEGER(LoadReport, active_tests),
	INTEGER(LoadReport, queue_depth),
	{"temperature", FIELD_NUMBER, offsetof(LoadReport, temperature), NAME_FREE, 0, 1,
	 .hint = "Degrees go into \"temperature_celsius\"."},
	LIMITED(LoadReport, temperature_celsius, -100, 1000),
	LIMITED(LoadReport, power_w, 0, MOST_WATTS),
	LIST(LoadReport, devices, &device_load_document),
	/* the guide's, shown */
	ANY("warming_state"),
	ANY("cooling_state"),
	ANY("performance_level"),
	ANY("reserved_memory"),
	ANY("queued_tests"),
};

static void
preset_load(void *values)
{
	LoadReport *load = values;

	load->cpu_utilization = load->memory_utilization = load->gpu_utilization = NAN;
	load->io_utilization = load->network_utilization = NAN;
	load->active_tests = load->queue_depth = -1;
	load->temperature = load->temperature_celsius = load->power_w = NAN;
}

const Document load_document = {"load", sizeof(LoadReport), FIELDS(load_fields), preset_load};

/* --- a run elsewhere --- */

static const Field taught_run_fields[] = {
	NAME(TaughtRun, workload_type, NAME_WORKLOAD_TYPE),
	TEXT(TaughtRun, model_id),
	TEXT(TaughtRun, model_family),
	ANY("device"), /* a text or a device profile: who reads the run sees to that */
	TEXT(TaughtRun, worker_id),
	LIMITED(TaughtRun, expected_duration, 0, 1e10),
	LIMITED(TaughtRun, seconds, 0, 1e10),
	TIME(TaughtRun, at),
	BOOLEAN(TaughtRun, ok),
};

static void
preset_taught_run(void *values)
{
	TaughtRun *run = values;

	run->expected_duration = run->seconds = NAN;
	run->ok = true;
}

const Document taught_run_document = {"run", sizeof(TaughtRun), FIELDS(taught_run_fields),
									  preset_taught_run};

/* --- fields by key --- */

/* Returns the path of a key below a path (NULL or "": the top), for messages. */
const char *
document_path(const char *path, const char *key)
{
	return path == NULL || path[0] == '\0' ? key : psprintf("%s.%s", path, key);
}

/* Returns the field of a key, or NULL if the document does not know it. */
const Field *
document_field(const Document *document, const char *key, int keylen)
{
	for (int i = 0; i < document->nfields; i++)
	{
		const Field *field = &document->fields[i];

		if (strncmp(field->key, key, keylen) == 0 && field->key[keylen] == '\0')
			return field;
	}
	/* An entry of a worker's devices is a device profile with a count. */
	StaticAssertStmt(offsetof(DeviceEntry, profile) == 0, "a device entry begins with its profile");
	if (document == &device_entry_document)
		return document_field(&device_profile_document, key, keylen);
	return NULL;
}

/* Considers each key that a document knows for the one that was meant. */
void
document_nearest_field(const Document *document, NearestName *nearest)
{
	for (int i = 0; i < document->nfields; i++)
		nearest_consider(nearest, document->fields[i].key);
	if (document == &device_entry_document)
		document_nearest_field(&device_profile_document, nearest);
}

/* Appends the keys that a document knows. */
void
document_list_keys(const Document *document, StringInfo list)
{
	for (int i = 0; i < document->nfields; i++)
		appendStringInfo(list, "%s%s", i ? ", " : "", document->fields[i].key);
	if (document == &device_entry_document)
	{
		appendStringInfo(list, ", ");
		document_list_keys(&device_profile_document, list);
	}
}
