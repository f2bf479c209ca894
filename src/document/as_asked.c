/*
 * as_asked.c
 *		The worker that work asks for, where no worker is like that.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

#include "document/as_asked.h"
#include "document/taxonomy.h"

/* Appends to an object what meets conditions: a value of each, as JSON. */
static void
append_met(StringInfo text, const char *key, const Conditions *conditions)
{
	appendStringInfo(text, ", \"%s\": {", key);
	for (int i = 0, n = 0; i < conditions->count; i++)
	{
		const Condition *condition = &conditions->items[i];
		const LabelValue *value = condition->any.count > 0		? &condition->any.items[0] :
								  condition->least.text != NULL ? &condition->least :
								  condition->most.text != NULL	? &condition->most :
																  NULL;

		if (condition->exists == 0 || (value == NULL && condition->exists < 0))
			continue;
		appendStringInfoString(text, n++ > 0 ? ", " : "");
		escape_json(text, condition->name);
		appendStringInfoString(text, ": ");
		if (value != NULL && !isnan(value->number))
			appendStringInfo(text, "%.15g", value->number);
		else
			escape_json(text, value == NULL ? "any" : value->text);
	}
	appendStringInfoChar(text, '}');
}

static void
append_list(StringInfo text, const char *key, const NameSet *names, const char *one_more)
{
	appendStringInfo(text, ", \"%s\": [", key);
	for (int i = 0; i < names->count; i++)
	{
		appendStringInfoString(text, i > 0 ? ", " : "");
		escape_json(text, names->names[i]);
	}
	if (one_more != NULL)
	{
		appendStringInfoString(text, names->count > 0 ? ", " : "");
		escape_json(text, one_more);
	}
	appendStringInfoChar(text, ']');
}

/* Returns the hardware class of a word that may also be a backend. */
static const char *
class_of_word(const char *word)
{
	int count;
	const ImpliedDevice *devices = taxonomy_implied_devices(&count);

	for (int i = 0; i < count; i++)
	{
		JsonbValue value;

		if (names_contain(&devices[i].words, word) &&
			getKeyJsonValueFromContainer(&devices[i].profile->root, "hardware_class",
										 strlen("hardware_class"), &value) != NULL &&
			value.type == jbvString)
			return pnstrdup(value.val.string.val, value.val.string.len);
	}
	return word;
}

/* Appends a device, or some, as the work asks for; word is its class or a backend of it. */
static void
append_device(StringInfo text, const WorkloadProfile *profile, const char *word, double count)
{
	const char *hardware_class = class_of_word(word);
	NameSet backends = {0, palloc(sizeof(char *) * (profile->required_backends.count + 2))};

	for (int i = 0; i < profile->required_backends.count; i++)
		if (taxonomy_knows(NAME_BACKEND, profile->required_backends.names[i]))
			backends.names[backends.count++] = profile->required_backends.names[i];
	appendStringInfoString(text, "{\"hardware_class\": ");
	escape_json(text, hardware_class);
	appendStringInfo(text, ", \"count\": %.0f, \"compute_units\": %d", count,
					 Max(profile->min_compute_units, INFERRED_COMPUTE_UNITS));
	append_list(text, "supported_backends", &backends,
				taxonomy_knows(NAME_BACKEND, word) && !names_contain(&backends, word) ? word :
																						NULL);
	append_list(text, "supported_precisions", &profile->required_precisions, NULL);
	append_list(text, "features", &profile->required_features, NULL);
	appendStringInfo(text, ", \"memory_total_bytes\": " INT64_FORMAT,
					 Max(profile->min_memory_bytes, (int64) BYTES_PER_GB));
	if (profile->required_models.count > 0)
	{
		appendStringInfoString(text, ", \"model_name\": ");
		escape_json(text, profile->required_models.names[0]);
	}
	appendStringInfoChar(text, '}');
}

/* Returns the capabilities of the least worker that has what work asks for. */
Jsonb *
capabilities_as_asked(const WorkloadProfile *profile, const Demand *demand)
{
	const NamedNumbers *types = &demand->accelerators;
	double memory = demand->host_memory_bytes / BYTES_PER_GB;
	bool needs_device =
		profile->required_backends.count > 0 || profile->required_models.count > 0 ||
		profile->required_precisions.count > 0 || profile->required_features.count > 0;
	StringInfoData text;

	initStringInfo(&text);
	if (types->count == 0 && !needs_device)
		memory += profile->min_memory_bytes / BYTES_PER_GB;
	appendStringInfo(&text, "{\"cpu_cores\": %.15g, \"available_memory\": %.15g",
					 Max(1, ceil(demand->cpu_millicores / 1000.0)), Max(1, ceil(memory)));
	append_met(&text, "software_versions", &demand->software);
	append_met(&text, "labels", &demand->required_labels);
	if (types->count > 0 || demand->share > 0 || needs_device)
	{
		appendStringInfoString(&text, ", \"devices\": [");
		for (int t = 0; t < types->count; t++)
		{
			appendStringInfoString(&text, t > 0 ? ", " : "");
			append_device(&text, profile, types->items[t].name, types->items[t].value);
		}
		if (types->count == 0)
			append_device(
				&text, profile,
				profile->required_backends.count > 0 ? profile->required_backends.names[0] : "gpu",
				1);
		appendStringInfoChar(&text, ']');
	}
	appendStringInfoChar(&text, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
}
