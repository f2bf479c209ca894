/*
 * infer.c
 *		The reading rules: requirements become a workload profile and a demand,
 *		capabilities become device profiles.
 *
 * Names match whole words: "cuda:0" says cuda, "television" does not say
 * vision.
 */
#include "postgres.h"

#include <ctype.h>

#include "utils/builtins.h"
#include "utils/formatting.h"

#include "document/infer.h"
#include "document/json.h"
#include "document/jsonb_writer.h"
#include "document/version.h"

/* --- words --- */

/* Returns whether a text holds a word: letters and digits, whatever the case. */
static bool
text_has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	while (*text)
	{
		size_t n = 0;

		while (isalnum((unsigned char) text[n]) || IS_HIGHBIT_SET(text[n]))
			n++;
		if (n == length && pg_strncasecmp(text, word, n) == 0)
			return true;
		text += Max(n, 1);
	}
	return false;
}

/* Returns the first of some texts that holds a word, or NULL. */
static const char *
text_with_word(const NameSet *texts, const char *word)
{
	for (int i = 0; i < texts->count; i++)
		if (text_has_word(texts->names[i], word))
			return texts->names[i];
	return NULL;
}

/* Returns the workload type that the words of a test_type mean. */
static const char *
type_of_test(const char *test_type)
{
	int count;
	const TypeWord *words = taxonomy_type_words(&count);

	if (test_type != NULL)
		for (int i = 0; i < count; i++)
			if (text_has_word(test_type, words[i].word))
				return pstrdup(words[i].workload_type);
	return "mixed";
}

/* --- requirements --- */

static NameSet
one_name(const char *name)
{
	NameSet set = {0, NULL};

	if (name != NULL)
	{
		set.names = palloc(sizeof(char *));
		set.names[set.count++] = name;
	}
	return set;
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static int
compare_named_numbers(const void *a, const void *b)
{
	return strcmp(((const NamedNumber *) a)->name, ((const NamedNumber *) b)->name);
}

/* Sorts texts and takes out duplicates. */
static void
tidy_texts(NameSet *texts)
{
	int kept = 0;

	if (texts->count > 1)
		qsort(texts->names, texts->count, sizeof(char *), compare_texts);
	for (int i = 0; i < texts->count; i++)
		if (i == 0 || strcmp(texts->names[i], texts->names[kept - 1]) != 0)
			texts->names[kept++] = texts->names[i];
	texts->count = kept;
}

/* Takes out types of which nothing is asked, and sorts the rest. */
static void
tidy_counts(NamedNumbers *counts)
{
	int kept = 0;

	for (int i = 0; i < counts->count; i++)
		if (counts->items[i].value > 0)
			counts->items[kept++] = counts->items[i];
	counts->count = kept;
	if (kept > 1)
		qsort(counts->items, kept, sizeof(NamedNumber), compare_named_numbers);
}

/* The guide's inference; the formulas are those of test/golden (profile). */
static void
infer_profile(const Requirements *read, WorkloadProfile *profile)
{
	double seconds = read->expected_duration;

	profile->workload_type = type_of_test(read->test_type);
	profile->required_backends = one_name(read->required_backend);
	profile->preferred_backends = one_name(read->preferred_backend);
	profile->required_models = read->required_models;
	profile->min_memory_bytes = (int64) (read->minimum_memory * BYTES_PER_GB);
	profile->min_compute_units = INFERRED_COMPUTE_UNITS;
	profile->metrics.compute_intensity = seconds > 120 ? 0.8 : seconds < 10 ? 0.3 : 0.5;
	profile->metrics.memory_intensity = Min(1.0, read->minimum_memory / 16);
	profile->metrics.latency_sensitivity = 0.5;
	profile->metrics.throughput_sensitivity = 0.5;
	profile->estimated_duration_seconds = trunc(seconds);
	profile->priority = read->priority;
	profile->is_shardable = read->properties.is_shardable;
	profile->min_shards = read->properties.min_shards;
	profile->max_shards = read->properties.max_shards;
	profile->allocation_strategy = read->properties.allocation_strategy;
}

/*
 * Sets the profile of work of which nothing is known but its type and how long it is expected to
 * take (NAN: not even that).
 */
void
infer_typical_profile(const char *workload_type, double expected_seconds, WorkloadProfile *profile)
{
	Requirements nothing;

	memset(&nothing, 0, sizeof(nothing));
	requirements_document.preset(&nothing);
	nothing.expected_duration = expected_seconds;
	memset(profile, 0, sizeof(*profile));
	workload_profile_document.preset(profile);
	infer_profile(&nothing, profile);
	profile->workload_type = workload_type;
}

/* Returns an object within an object, NULL if there is none. */
Jsonb *
object_at(Jsonb *jsonb, const char *key)
{
	JsonbValue found;

	if (!JB_ROOT_IS_OBJECT(jsonb) ||
		getKeyJsonValueFromContainer(&jsonb->root, key, strlen(key), &found) == NULL ||
		found.type != jbvBinary || !JsonContainerIsObject(found.val.binary.data))
		return NULL;
	return JsonbValueToJsonb(&found);
}

/* Returns whether an object has a key that is not null; NULL has none. */
bool
object_has_key(Jsonb *object, const char *key)
{
	JsonbValue found;

	return object != NULL &&
		   getKeyJsonValueFromContainer(&object->root, key, strlen(key), &found) != NULL &&
		   found.type != jbvNull;
}

/* Returns the path of a key that may stand at the top level or among the custom properties. */
static const char *
property_path(Jsonb *requirements, const char *path, const char *key)
{
	return document_path(
		path, object_has_key(requirements, key) ? key : psprintf("custom_properties.%s", key));
}

/* Returns an amount in whole units, of which there are so many in one. */
static int64
units(double amount, double per_one)
{
	return amount > 0 ? (int64) Max(1, floor(amount * per_one + 1e-6)) : 0;
}

/* Takes over what a gang needs; the keys mean nothing to work that is none. */
static void
gang_demand_of(Jsonb *requirements, const Requirements *read, const WorkloadProfile *profile,
			   const char *path, Demand *demand)
{
	Strategy strategy = profile_strategy(profile);
	int32 quorum = Max(1, read->properties.quorum);

	demand->share_worker = strategy != STRATEGY_SINGLE && read->properties.share_worker;
	if (strategy != STRATEGY_REPLICATED)
		return;
	demand->quorum = quorum;
	if (quorum > Max(2, profile->max_shards))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"%s\": %d", property_path(requirements, path, "quorum"),
						quorum),
				 errdetail("Expected at most the number of replicas, which is %d.",
						   Max(2, profile->max_shards)),
				 errhint("Ask for more replicas with \"max_shards\", or for a smaller quorum."),
				 errpath(property_path(requirements, path, "quorum"))));
}

/* Refuses a version with an operator, and takes the text as one. */
static void
plain_version(const char *path, LabelValue *bound)
{
	const char *version = bound->text == NULL ? NULL : version_least(bound->text);

	if (bound->text != NULL && version == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"%s\": \"%s\"", path, bound->text),
				 errdetail("Expected the least version, such as \"3.11\"."),
				 errhint("A version means \"at least\", which \">=\" may say as well; for other"
						 " conditions write {\"min\": ..., \"max\": ..., \"not\": ...}."),
				 errpath(path)));
	bound->text = version;
}

/* Refuses what says anything else of a version than the least one, but in an object. */
static void
plain_versions(Conditions *software, const char *path)
{
	for (int i = 0; i < software->count; i++)
	{
		const char *place =
			document_path(document_path(path, "required_software"), software->items[i].name);

		plain_version(place, &software->items[i].least);
		plain_version(place, &software->items[i].most);
	}
}

/* Returns how many accelerators are asked for. */
static double
accelerators_wanted(const NamedNumbers *types)
{
	double wanted = 0;

	for (int t = 0; t < types->count; t++)
		wanted += types->items[t].value;
	return wanted;
}

static void
demand_of(Jsonb *requirements, const Requirements *read, const WorkloadProfile *profile,
		  const char *path, Demand *demand)
{
	memset(demand, 0, sizeof(*demand));
	/* Rounded down to the unit, so that three thirds fit; but never to nothing. */
	demand->cpu_millicores = units(read->cpu_cores, 1000);
	demand->host_memory_bytes = units(read->host_memory, BYTES_PER_GB);
	demand->share = (int32) units(read->accelerator_share, WHOLE_SHARE);
	demand->accelerators = read->required_accelerators;
	demand->software = read->required_software;
	if (read->tenant != NULL && read->tenant[0] != '\0')
		demand->tenant = read->tenant;
	plain_versions(&demand->software, path);
	demand->required_labels = read->required_labels;
	demand->preferred_labels = read->preferred_labels;
	demand->tolerations = read->tolerations;
	tidy_texts(&demand->tolerations);
	demand->exclusive = read->exclusive;
	demand->checkpointable = read->properties.checkpointable;
	demand->group_apart = read->group_apart && read->group != NULL;
	/* work that is no gang has only its group to be spread with */
	if (read->group != NULL || profile_strategy(profile) != STRATEGY_SINGLE)
		demand->spread_by = read->spread_by;
	tidy_counts(&demand->accelerators);
	/* it means nothing to work that takes one */
	demand->mixed_accelerators =
		read->properties.mixed_accelerators && accelerators_wanted(&demand->accelerators) > 1;
	gang_demand_of(requirements, read, profile, path, demand);

	if (demand->share > 0 &&
		(demand->accelerators.count > 1 ||
		 (demand->accelerators.count == 1 && demand->accelerators.items[0].value != 1)))
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for \"%s\": more than one accelerator together with"
					" \"accelerator_share\": %g",
					document_path(path, "required_accelerators"), read->accelerator_share),
			 errdetail("A share is a part of ONE accelerator."),
			 errhint("Name at most one type with count 1, or ask for whole accelerators without a"
					 " share."),
			 errpath(document_path(path, "required_accelerators"))));
}

/* Refuses a key that says one thing at the top level and another among the properties. */
static void
check_said_once(Jsonb *requirements, Jsonb *properties, const char *path)
{
	RequestedProperties top = {0};
	RequestedProperties among = {0};
	bool read = false;

	for (int i = 0; i < properties_document.nfields; i++)
	{
		const Field *field = &properties_document.fields[i];

		if (!object_has_key(requirements, field->key) || !object_has_key(properties, field->key))
			continue;
		if (!read)
		{
			document_overlay(&properties_document, requirements, path, NULL, &top);
			document_overlay(&properties_document, properties, path, NULL, &among);
			read = true;
		}
		if (document_field_differs(field, &top, &among))
			ereport(
				ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" and \"%s\" say different things", document_path(path, field->key),
						document_path(path, psprintf("custom_properties.%s", field->key))),
				 errhint("Say it in one place."), errpath(document_path(path, field->key))));
	}
}

/*
 * Reads requirements into what they say and the workload profile they amount to.
 *
 * path is where the document stands, for messages (NULL at the top).  A
 * ready-made profile in custom_properties.workload_profile is honoured
 * whole: each key it has replaces what would have been inferred.
 */
void
infer_workload_profile(Jsonb *requirements, const char *path, Inspection *inspection,
					   Requirements *read, WorkloadProfile *profile)
{
	Jsonb *properties;
	Jsonb *ready_made = NULL;

	memset(profile, 0, sizeof(*profile));
	workload_profile_document.preset(profile);
	document_read(&requirements_document, requirements, path, inspection, read);
	infer_profile(read, profile);

	properties = object_at(requirements, "custom_properties");
	check_said_once(requirements, properties, path);
	if (properties != NULL)
		ready_made = object_at(properties, "workload_profile");
	if (ready_made != NULL)
	{
		const char *place = document_path(path, "custom_properties.workload_profile");
		Jsonb *own = object_at(ready_made, "custom_properties");

		document_overlay(&workload_profile_document, ready_made, place, inspection, profile);
		if (own != NULL)
		{
			/* of custom properties, the requirements' own win, as in the profile's document */
			document_overlay(&gang_document, own, document_path(place, "custom_properties"),
							 inspection, &read->properties);
			document_overlay(&gang_document, properties, document_path(path, "custom_properties"),
							 inspection, &read->properties);
			document_overlay(&gang_document, requirements, path, inspection, &read->properties);
		}
	}

	tidy_texts(&profile->required_models);
	if (profile->allocation_strategy == NULL)
		profile->allocation_strategy = "single";
	if (profile->min_shards == 0)
		profile->min_shards = 1;
	if (profile->max_shards == 0)
		profile->max_shards = profile->min_shards;
	if (profile->max_shards < profile->min_shards)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"%s\": %d",
						property_path(requirements, path, "max_shards"), profile->max_shards),
				 errdetail("Expected a number that is not below min_shards, which is %d.",
						   profile->min_shards),
				 errpath(property_path(requirements, path, "max_shards"))));
}

/*
 * Makes a strategy the one in force: who asks for shards or replicas gets them,
 * unless he says that the work is not shardable.
 */
static void
settle_strategy(Jsonb *requirements, const char *path, Inspection *inspection,
				WorkloadProfile *profile)
{
	Jsonb *properties = object_at(requirements, "custom_properties");
	Jsonb *ready_made = properties != NULL ? object_at(properties, "workload_profile") : NULL;

	if (strcmp(profile->allocation_strategy, "single") == 0 || profile->is_shardable)
		return;
	if (object_has_key(requirements, "is_shardable") ||
		object_has_key(properties, "is_shardable") || object_has_key(ready_made, "is_shardable"))
	{
		inspection_warn(inspection, document_path(path, "allocation_strategy"),
						"Leave \"is_shardable\" out, or say true.",
						"\"%s\" is placed single, since \"is_shardable\" is false",
						profile->allocation_strategy);
		profile->allocation_strategy = "single";
	}
	else
		profile->is_shardable = true;
}

/* Warns of what says how to stand to a group where there is none. */
static void
doubt_group(const char *path, Inspection *inspection, const Requirements *read,
			const WorkloadProfile *profile)
{
	if (read->group != NULL)
		return;
	if (read->group_apart)
		inspection_warn(inspection, document_path(path, "group_apart"), "Name a \"group\".",
						"\"group_apart\" has no effect without a group");
	if (read->spread_by != NULL && profile_strategy(profile) == STRATEGY_SINGLE)
		inspection_warn(inspection, document_path(path, "spread_by"), "Name a \"group\".",
						"\"spread_by\" has no effect on work that is neither split nor of a"
						" group");
}

/*
 * Finds what a workload takes from its worker; profile becomes the one by which it
 * is placed.  The other arguments are those of infer_workload_profile.
 */
void
infer_demand(Jsonb *requirements, const char *path, Inspection *inspection,
			 const Requirements *read, WorkloadProfile *profile, Demand *demand)
{
	settle_strategy(requirements, path, inspection, profile);
	doubt_group(path, inspection, read, profile);
	demand_of(requirements, read, profile, path, demand);
}

static void push_keys(JsonbParseState **state, Jsonb *object, const Document *document, bool known,
					  const char *but);

/* Takes from the objects in the value of a field the keys that nothing reads. */
static void
drop_unknown_keys(const Field *field, JsonbValue *value)
{
	JsonbParseState *state = NULL;
	Jsonb *result;

	if (field->child == NULL || field->child->open || value->type != jbvBinary)
		return;
	result = JsonbValueToJsonb(value);
	if (field->kind == FIELD_LIST && JB_ROOT_IS_ARRAY(result))
	{
		JsonbIterator *iterator = JsonbIteratorInit(&result->root);
		JsonbValue element;
		/* as the element of a list would be, were it alone */
		Field single = *field;

		single.kind = FIELD_OBJECT;
		(void) JsonbIteratorNext(&iterator, &element, true);
		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		while (JsonbIteratorNext(&iterator, &element, true) == WJB_ELEM)
		{
			drop_unknown_keys(&single, &element);
			pushJsonbValue(&state, WJB_ELEM, &element);
		}
		result = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
	}
	else if ((field->kind == FIELD_OBJECT || field->kind == FIELD_OPTION) &&
			 JB_ROOT_IS_OBJECT(result))
	{
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		push_keys(&state, result, field->child, true, NULL);
		result = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	}
	else
		return;
	value->val.binary.data = &result->root;
	value->val.binary.len = VARSIZE(result) - VARHDRSZ;
}

/*
 * Pushes the keys of an object that a document knows, without what nothing reads
 * in them, or those that it does not know (NULL knows none), but one.
 */
static void
push_keys(JsonbParseState **state, Jsonb *object, const Document *document, bool known,
		  const char *but)
{
	JsonbIterator *iterator = JsonbIteratorInit(&object->root);
	JsonbIteratorToken token;
	JsonbValue key;

	token = JsonbIteratorNext(&iterator, &key, true);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) == WJB_KEY)
	{
		JsonbValue value;
		const Field *field = document == NULL ?
								 NULL :
								 document_field(document, key.val.string.val, key.val.string.len);

		JsonbIteratorNext(&iterator, &value, true);
		if ((field != NULL) != known || (but != NULL && strlen(but) == key.val.string.len &&
										 memcmp(but, key.val.string.val, key.val.string.len) == 0))
			continue;
		if (field != NULL)
			drop_unknown_keys(field, &value);
		pushJsonbValue(state, WJB_KEY, &key);
		pushJsonbValue(state, WJB_VALUE, &value);
	}
}

/* Returns whether an object has a key that a document does not know. */
static bool
has_unknown_key(const Document *document, Jsonb *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(&object->root);
	JsonbValue key;
	JsonbValue value;

	(void) JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		JsonbIteratorNext(&iterator, &value, true);
		if (document_field(document, key.val.string.val, key.val.string.len) == NULL)
			return true;
	}
	return false;
}

/*
 * Returns a document as it is kept: unknown keys stand among those of the user's
 * own, and are dropped where there is no place for these.
 */
Jsonb *
keep_unknown_keys(const Document *document, Jsonb *jsonb)
{
	JsonbParseState *state = NULL;
	Jsonb *own = document->own != NULL ? object_at(jsonb, document->own) : NULL;

	if (!JB_ROOT_IS_OBJECT(jsonb))
		return jsonb;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_keys(&state, jsonb, document, true, document->own);
	if (document->own != NULL && (own != NULL || has_unknown_key(document, jsonb)))
	{
		push_key(&state, document->own);
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		push_keys(&state, jsonb, document, false, NULL);
		/* the last of equal keys stays */
		if (own != NULL)
			push_keys(&state, own, NULL, false, NULL);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * Returns those keys of a document that are shown and not read, NULL if it has
 * none.
 */
Jsonb *
keys_to_show(const Document *document, Jsonb *jsonb)
{
	JsonbParseState *state = NULL;
	bool any = false;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < document->nfields; i++)
	{
		const char *key = document->fields[i].key;
		JsonbValue value;

		if (document->fields[i].kind != FIELD_ANY ||
			getKeyJsonValueFromContainer(&jsonb->root, key, strlen(key), &value) == NULL)
			continue;
		push_key(&state, key);
		pushJsonbValue(&state, WJB_VALUE, &value);
		any = true;
	}
	return any ? JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)) : NULL;
}

/*
 * Returns a workload profile as a document; custom_properties holds those of
 * the requirements, the keys of theirs that nothing else reads, and the model.
 */
Jsonb *
workload_profile_jsonb(Jsonb *requirements, const Requirements *read,
					   const WorkloadProfile *profile)
{
	JsonbParseState *state = NULL;
	Jsonb *properties = object_at(requirements, "custom_properties");

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (read->test_id != NULL)
	{
		push_key(&state, "workload_id");
		push_text(&state, WJB_VALUE, read->test_id);
	}
	push_document(&state, &workload_profile_document, profile);
	push_key(&state, "custom_properties");
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_keys(&state, requirements, &requirements_document, false, NULL);
	if (properties != NULL)
	{
		Jsonb *ready_made = object_at(properties, "workload_profile");
		Jsonb *own = ready_made != NULL ? object_at(ready_made, "custom_properties") : NULL;

		if (own != NULL)
			push_keys(&state, own, NULL, false, NULL);
		push_keys(&state, properties, NULL, false, "workload_profile");
	}
	if (read->model_id != NULL)
	{
		push_key(&state, "model_id");
		push_text(&state, WJB_VALUE, read->model_id);
	}
	if (read->model_family != NULL)
	{
		push_key(&state, "model_family");
		push_text(&state, WJB_VALUE, read->model_family);
	}
	pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* --- capabilities --- */

typedef struct SpecList
{
	int count;
	int allocated;
	DeviceSpec *items;
} SpecList;

/* More devices than this in one worker is taken for a mistake. */
#define MOST_DEVICES 10000

static void
add_spec(SpecList *list, const DeviceSpec *spec, int count)
{
	if (count > MOST_DEVICES - list->count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("too many devices in one worker: %lld", (long long) list->count + count),
				 errdetail("Expected at most %d.", MOST_DEVICES)));
	while (list->count + count > list->allocated)
	{
		list->allocated = Max(8, list->allocated * 2);
		list->items = list->items == NULL ?
						  palloc(sizeof(DeviceSpec) * list->allocated) :
						  repalloc(list->items, sizeof(DeviceSpec) * list->allocated);
	}
	while (count-- > 0)
		list->items[list->count++] = *spec;
}

/* A kind of device that can be implied, with its defaults read. */
typedef struct DeviceKind
{
	const ImpliedDevice *implied;
	DeviceProfile profile;
	const char *said; /* the worker's text that says it is there */
} DeviceKind;

/* Reads the kinds of device that can be implied, in order. */
static DeviceKind *
read_kinds(int *count)
{
	const ImpliedDevice *implied = taxonomy_implied_devices(count);
	DeviceKind *kinds = palloc0(sizeof(DeviceKind) * (*count + 1));

	for (int i = 0; i < *count; i++)
	{
		kinds[i].implied = &implied[i];
		document_read(&device_profile_document, implied[i].profile,
					  psprintf("implied_device.%s", implied[i].name), NULL, &kinds[i].profile);
	}
	return kinds;
}

static const DeviceKind *
kind_named(const char *name)
{
	int count;
	const DeviceKind *kinds = read_kinds(&count);

	for (int i = 0; i < count; i++)
		if (strcmp(kinds[i].implied->name, name) == 0)
			return &kinds[i];
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("hwsched.implied_device has no row \"%s\"", name),
					errhint("The extension's own rows are needed; restore this one.")));
}

static int64
worker_memory_bytes(const Capabilities *capabilities)
{
	return isnan(capabilities->available_memory) ?
			   0 :
			   (int64) (capabilities->available_memory * BYTES_PER_GB);
}

/* Starts a spec from an implied device's defaults, with the worker's memory. */
static DeviceSpec
spec_from(const DeviceKind *kind, const Capabilities *capabilities, const char *suffix)
{
	DeviceSpec spec = {.device_id = NULL, .entry = -1};
	DeviceProfile *profile = &spec.profile;

	*profile = kind->profile;
	profile->model_name = psprintf("%s%s", profile->model_name ? profile->model_name : "", suffix);
	if (profile->memory_total_bytes > 0)
	{
		spec.memory_bytes = profile->memory_total_bytes;
		spec.uses_host_memory = profile->memory_is_shared && !isnan(capabilities->available_memory);
	}
	else
	{
		double gb = isnan(capabilities->available_memory) ? 0 : capabilities->available_memory;

		profile->memory_total_bytes = worker_memory_bytes(capabilities);
		profile->memory_available_bytes = (int64) (gb * 0.9 * BYTES_PER_GB);
		spec.memory_bytes = -1;
		spec.uses_host_memory = true;
	}
	return spec;
}

static void
add_own_cpu(SpecList *list, const Capabilities *capabilities)
{
	int cores = (int) capabilities->cpu_cores;
	DeviceSpec spec;

	if (capabilities->cpu_cores <= 0)
		return;
	spec =
		spec_from(kind_named("cpu"), capabilities, psprintf("%.15gcores", capabilities->cpu_cores));
	spec.profile.compute_units = Max(1, cores);
	add_spec(list, &spec, 1);
}

/* A device that nothing tells more about than the worker's backends. */
static void
add_generic_cpu(SpecList *list, const Capabilities *capabilities)
{
	DeviceSpec spec = spec_from(kind_named("generic"), capabilities, "");
	NameSet *backends = &spec.profile.supported_backends;

	backends->names = palloc(sizeof(char *) * (capabilities->supported_backends.count + 1));
	backends->count = 0;
	for (int i = 0; i < capabilities->supported_backends.count; i++)
	{
		char *name = asc_tolower(capabilities->supported_backends.names[i],
								 strlen(capabilities->supported_backends.names[i]));

		if (taxonomy_knows(NAME_BACKEND, name))
			backends->names[backends->count++] = name;
	}
	tidy_texts(backends);
	spec.profile.compute_units = Max(1, (int) capabilities->cpu_cores);
	add_spec(list, &spec, 1);
}

/* Returns whether a text of supported_backends has a word that means anything. */
bool
says_a_backend(const char *text)
{
	int count;
	const ImpliedDevice *implied = taxonomy_implied_devices(&count);
	const NameSet *known = taxonomy_names(NAME_BACKEND_OR_CLASS);
	NameSet texts = {1, &text};

	for (int i = 0; i < known->count; i++)
		if (text_with_word(&texts, known->names[i]) != NULL)
			return true;
	for (int i = 0; i < count; i++)
	{
		for (int w = 0; w < implied[i].words.count; w++)
			if (text_with_word(&texts, implied[i].words.names[w]) != NULL)
				return true;
		for (int w = 0; w < implied[i].absorbs.count; w++)
			if (text_with_word(&texts, implied[i].absorbs.names[w]) != NULL)
				return true;
	}
	return false;
}

static const NamedNumber *
count_of_words(const NamedNumbers *counts, const NameSet *words, const char *except)
{
	for (int i = 0; i < counts->count; i++)
		if (names_contain(words, counts->items[i].name) &&
			!same_name(counts->items[i].name, except))
			return &counts->items[i];
	return NULL;
}

/*
 * Adds the devices that the words of supported_backends, and the types of
 * available_accelerators, imply: one for each kind whose word is said, or as
 * many as available_accelerators counts.  A class ("gpu": 3) that stands for
 * several kinds is shared out among them.
 */
static void
add_implied(SpecList *list, const Capabilities *capabilities)
{
	int nkinds;
	DeviceKind *kinds = read_kinds(&nkinds);
	const NamedNumbers *counts = &capabilities->available_accelerators;
	NameSet texts;
	NameSet absorbed = {0, NULL};

	/* Types that are counted are words said, too. */
	texts.count = 0;
	texts.names =
		palloc(sizeof(char *) * (capabilities->supported_backends.count + counts->count + 1));
	for (int i = 0; i < capabilities->supported_backends.count; i++)
		texts.names[texts.count++] = capabilities->supported_backends.names[i];
	for (int i = 0; i < counts->count; i++)
		if (counts->items[i].value > 0)
			texts.names[texts.count++] = counts->items[i].name;

	/* Which kinds are there, and which words are thereby taken? */
	for (int k = 0; k < nkinds; k++)
	{
		for (int w = 0; w < kinds[k].implied->words.count && kinds[k].said == NULL; w++)
			if (!names_contain(&absorbed, kinds[k].implied->words.names[w]))
				kinds[k].said = text_with_word(&texts, kinds[k].implied->words.names[w]);
		if (kinds[k].said != NULL)
		{
			NameSet more = absorbed;

			more.names =
				palloc(sizeof(char *) * (absorbed.count + kinds[k].implied->absorbs.count + 1));
			for (int i = 0; i < absorbed.count; i++)
				more.names[i] = absorbed.names[i];
			for (int i = 0; i < kinds[k].implied->absorbs.count; i++)
				more.names[more.count++] = kinds[k].implied->absorbs.names[i];
			absorbed = more;
		}
	}

	for (int i = 0; i < counts->count; i++)
	{
		bool implied = counts->items[i].value == 0 || strcmp(counts->items[i].name, "cpu") == 0;

		for (int k = 0; k < nkinds && !implied; k++)
			implied = kinds[k].said != NULL &&
					  (names_contain(&kinds[k].implied->words, counts->items[i].name) ||
					   names_contain(&kinds[k].implied->absorbs, counts->items[i].name) ||
					   same_name(kinds[k].profile.hardware_class, counts->items[i].name));
		if (!implied)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid value for \"available_accelerators.%s\": %g",
							counts->items[i].name, counts->items[i].value),
					 errdetail("Nothing tells what such a device is."),
					 errhint("Describe it in \"devices\", or add a row to hwsched.implied_device."),
					 errpath(document_path("available_accelerators", counts->items[i].name))));
	}

	for (int k = 0; k < nkinds; k++)
	{
		const char *class = kinds[k].profile.hardware_class;
		const NamedNumber *own;
		int count = 1;
		DeviceSpec spec;

		if (kinds[k].said == NULL)
			continue;

		own = count_of_words(counts, &kinds[k].implied->words, class);
		if (own == NULL)
			own = count_of_words(counts, &kinds[k].implied->absorbs, class);
		if (own != NULL)
			count = (int) own->value;
		else
			for (int i = 0; i < counts->count; i++)
				if (same_name(counts->items[i].name, class))
				{
					int kinds_of_class = 0;
					int before = 0;

					for (int j = 0; j < nkinds; j++)
						if (kinds[j].said != NULL &&
							same_name(kinds[j].profile.hardware_class, class))
						{
							before += j < k;
							kinds_of_class++;
						}
					count = (int) counts->items[i].value / kinds_of_class +
							(before < (int) counts->items[i].value % kinds_of_class);
				}

		spec = spec_from(&kinds[k], capabilities, kinds[k].said);
		if (kinds[k].implied->only_listed)
		{
			NameSet *backends = &spec.profile.supported_backends;
			NameSet listed = {0, palloc(sizeof(char *) * (backends->count + 1))};

			for (int i = 0; i < backends->count; i++)
				if (text_with_word(&texts, backends->names[i]) != NULL)
					listed.names[listed.count++] = backends->names[i];
			*backends = listed;
		}
		add_spec(list, &spec, count);
	}
}

/* Refuses an entry whose device_id does not identify one device. */
static void
check_device_id(const DeviceEntry *entries, int at)
{
	const char *id = entries[at].device_id;

	if (id == NULL)
		return;
	if (id[0] == '\0' || strlen(id) > 200)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"devices[%d].device_id\": \"%.80s\"", at, id),
						errdetail("Expected 1 to 200 bytes."),
						errpath(psprintf("devices[%d].device_id", at))));
	if (entries[at].count > 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"devices[%d].device_id\": \"%s\"", at, id),
						errdetail("It identifies one device, and count is %d.", entries[at].count),
						errhint("Give each device an entry of its own."),
						errpath(psprintf("devices[%d].device_id", at))));
	for (int i = 0; i < at; i++)
		if (entries[i].device_id != NULL && strcmp(entries[i].device_id, id) == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("invalid value for \"devices[%d].device_id\": \"%s\"", at, id),
							errdetail("\"devices[%d].device_id\" is the same.", i),
							errpath(psprintf("devices[%d].device_id", at))));
}

/* Adds the devices that a worker describes itself. */
static void
add_described(SpecList *list, const Capabilities *capabilities)
{
	const DeviceEntry *entries = capabilities->devices.items;
	bool has_cpu = false;

	for (int i = 0; i < capabilities->devices.count; i++)
		has_cpu = has_cpu || same_name(entries[i].profile.hardware_class, "cpu");
	if (!has_cpu)
		add_own_cpu(list, capabilities);

	for (int i = 0; i < capabilities->devices.count; i++)
	{
		DeviceSpec spec = {.device_id = entries[i].device_id, .entry = i};
		DeviceProfile *profile = &spec.profile;

		check_device_id(entries, i);
		*profile = entries[i].profile;
		if (profile->hardware_class == NULL)
			profile->hardware_class = "unknown";
		if (profile->memory_total_bytes > 0)
		{
			if (profile->memory_available_bytes > profile->memory_total_bytes)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("invalid value for \"devices[%d].memory_available_bytes\": %lld", i,
								(long long) profile->memory_available_bytes),
						 errdetail("Expected at most memory_total_bytes, which is %lld.",
								   (long long) profile->memory_total_bytes),
						 errpath(psprintf("devices[%d].memory_available_bytes", i))));
			spec.memory_bytes = profile->memory_available_bytes > 0 ?
									profile->memory_available_bytes :
									profile->memory_total_bytes;
			spec.uses_host_memory =
				profile->memory_is_shared && !isnan(capabilities->available_memory);
		}
		else
		{
			profile->memory_total_bytes = worker_memory_bytes(capabilities);
			profile->memory_available_bytes = profile->memory_total_bytes;
			spec.memory_bytes = -1;
			spec.uses_host_memory = true;
		}
		add_spec(list, &spec, entries[i].count);
	}
}

/*
 * Finds the devices of a worker, one entry for each piece of hardware, in the
 * order of their device_no.  Devices that the worker describes are believed;
 * else its words imply them.  Returns their number and sets *specs.
 */
int
infer_devices(const Capabilities *capabilities, DeviceSpec **specs)
{
	SpecList list = {0, 0, NULL};

	if (capabilities->devices.count > 0)
		add_described(&list, capabilities);
	else
	{
		add_own_cpu(&list, capabilities);
		add_implied(&list, capabilities);
		if (list.count == 0)
			add_generic_cpu(&list, capabilities);
	}
	*specs = list.items;
	return list.count;
}
