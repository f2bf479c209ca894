/*
 * plausible.c
 *		What is allowed in a document and surely not meant so: a warning says
 *		what becomes of it.
 */
#include "postgres.h"

#include "document/infer.h"
#include "document/plausible.h"

/* --- capabilities --- */

/* Warns of texts of supported_backends in which no word means anything. */
static void
doubt_backends(const Capabilities *capabilities, Inspection *inspection)
{
	for (int i = 0; i < capabilities->supported_backends.count; i++)
	{
		const char *text = capabilities->supported_backends.names[i];

		if (!says_a_backend(text))
			inspection_warn(inspection, psprintf("supported_backends[%d]", i),
							psprintf("Known names are: %s.", taxonomy_list(NAME_BACKEND_OR_CLASS)),
							"\"%s\" in \"supported_backends\" is no known backend and implies no"
							" device",
							text);
	}
}

/* Warns of devices that have no memory, or have their worker's where none of them shares that. */
static void
doubt_memory(const Capabilities *capabilities, Inspection *inspection)
{
	const DeviceEntry *entries = capabilities->devices.items;

	for (int i = 0; i < capabilities->devices.count; i++)
	{
		const DeviceProfile *profile = &entries[i].profile;
		const char *path;

		if (profile->memory_total_bytes > 0)
			continue;
		path = psprintf("devices[%d].memory_total_bytes", i);
		if (isnan(capabilities->available_memory))
			inspection_warn(inspection, path,
							"Give the device \"memory_total_bytes\", or its worker"
							" \"available_memory\".",
							"\"%s\" is absent and so is \"available_memory\": the device has no"
							" memory",
							path);
		else if (!same_name(profile->hardware_class, "cpu") && !profile->memory_is_shared &&
				 !profile->memory_has_unified)
			inspection_warn(inspection, path,
							"Give the device \"memory_total_bytes\", or say \"memory_is_shared\":"
							" true.",
							"\"%s\" is absent: the device draws on its worker's"
							" \"available_memory\"",
							path);
	}
}

/* Warns of specifications that are read where they belong, and not where they are. */
static void
doubt_specs(Jsonb *document, Inspection *inspection)
{
	static const struct
	{
		const char *key;
		const char *hint;
	} misplaced[] = {
		{"gpu_memory", "Describe the device in \"devices\", with \"memory_total_bytes\"."},
		{"devices", "\"devices\" belongs beside \"hardware_specs\"."},
		{"labels", "\"labels\" belongs beside \"hardware_specs\"."},
	};

	for (int i = 0; i < lengthof(misplaced); i++)
		if (object_has_key(object_at(document, "hardware_specs"), misplaced[i].key))
			inspection_warn(inspection, psprintf("hardware_specs.%s", misplaced[i].key),
							misplaced[i].hint, "\"hardware_specs.%s\" has no effect",
							misplaced[i].key);
}

/* Warns of what a worker says of itself and is not meant so; document is what was read. */
void
doubt_capabilities(Jsonb *document, const Capabilities *capabilities, Inspection *inspection)
{
	doubt_backends(capabilities, inspection);
	doubt_memory(capabilities, inspection);
	doubt_specs(document, inspection);
}

/* --- load --- */

/* Returns whether a device's report says nothing of it. */
static bool
device_says_nothing(const DeviceLoadReport *device)
{
	return isnan(device->utilization) && isnan(device->temperature_celsius) &&
		   isnan(device->power_w);
}

/* Returns whether a report has nothing that is used. */
bool
load_says_nothing(const LoadReport *load)
{
	const DeviceLoadReport *devices = load->devices.items;

	for (int i = 0; i < load->devices.count; i++)
		if (!device_says_nothing(&devices[i]))
			return false;
	return isnan(load->cpu_utilization) && isnan(load->memory_utilization) &&
		   isnan(load->gpu_utilization) && isnan(load->io_utilization) &&
		   isnan(load->network_utilization) && load->active_tests < 0 && load->queue_depth < 0 &&
		   isnan(load->temperature) && isnan(load->temperature_celsius) && isnan(load->power_w);
}

typedef struct Range
{
	int given;
	double most;
	bool fractions;
} Range;

static void
take_into(Range *range, double value)
{
	if (isnan(value))
		return;
	range->given++;
	range->most = Max(range->most, value);
	range->fractions = range->fractions || value != floor(value);
}

/* Warns of a report whose numbers are probably shares of 1 instead of percent. */
void
doubt_load(const LoadReport *load, Inspection *inspection)
{
	const DeviceLoadReport *devices = load->devices.items;
	Range range = {0, 0, false};

	take_into(&range, load->cpu_utilization);
	take_into(&range, load->memory_utilization);
	take_into(&range, load->gpu_utilization);
	take_into(&range, load->io_utilization);
	take_into(&range, load->network_utilization);
	for (int i = 0; i < load->devices.count; i++)
		take_into(&range, devices[i].utilization);
	if (range.given > 0 && range.most <= 1 && range.fractions)
		inspection_warn(inspection, "", "Utilizations are percent: 0 to 100.",
						"all utilizations of the load are within 0 and 1: %.15g is taken for"
						" %.15g percent",
						range.most, range.most);
}
