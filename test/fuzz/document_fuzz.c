/*
 * document_fuzz.c
 *		The documents on any bytes: they are read or refused with a reason, and
 *		nothing else happens.  What was read obeys its limits, and is the same
 *		after it was written and read again.
 *
 * The first byte chooses the document.  In the server the text comes from a
 * jsonb, so it is better behaved than here.
 */
#include "document/json.h"
#include "model/score.h"
#include "document/document.h"
#include "fuzz.h"
#include "model/formula.h"
#include "document/infer.h"

/* document/document.c knows some structs only by their documents; none is larger. */
#define LARGEST 4096

static const Document *const documents[] = {
	&requirements_document, &gang_document,			  &workload_profile_document,
	&capabilities_document, &device_profile_document, &placement_profile_document,
	&demand_document,		&load_document,
};

/* Those without lists, times and tables, which are only read. */
static bool
is_written(const Document *document)
{
	return document == &workload_profile_document || document == &device_profile_document ||
		   document == &placement_profile_document || document == &demand_document;
}

static void
key_of(StringInfo key, const Document *document, const void *values)
{
	initStringInfo(key);
	append_document_key(key, document, values);
}

/* A document that was written is read as what it was. */
static void
check_written(const Document *document, const void *values)
{
	Jsonb *written = document_write(document, values);
	char *again = palloc(LARGEST);
	StringInfoData key;
	StringInfoData key_again;

	document_read(document, written, NULL, NULL, again);
	key_of(&key, document, values);
	key_of(&key_again, document, again);
	CHECK(key.len == key_again.len && memcmp(key.data, key_again.data, key.len) == 0,
		  "%s: not the same once written: %s", document->name, written->root.text);
}

/* --- limits of what was read --- */

static void check_values(const Document *document, const void *values);

static void
check_field(const Field *field, const void *value)
{
	bool limited = field->least != 0 || field->most != 0;
	double number;

	switch (field->kind)
	{
		case FIELD_INTEGER:
			number = *(const int32 *) value;
			break;
		case FIELD_BIGINT:
			number = *(const int64 *) value;
			break;
		case FIELD_NUMBER:
		case FIELD_SECONDS:
			number = *(const double *) value;
			CHECK(!isinf(number), "%s is infinite", field->key);
			break;
		case FIELD_NUMBERS:
		case FIELD_COUNTS:
			for (int i = 0; i < ((const NamedNumbers *) value)->count; i++)
			{
				const NamedNumber *item = &((const NamedNumbers *) value)->items[i];

				CHECK(isfinite(item->value) && item->value >= 0, "%s.%s is %g", field->key,
					  item->name, item->value);
			}
			return;
		case FIELD_NAMES:
			for (int i = 1; i < ((const NameSet *) value)->count; i++)
				CHECK(strcmp(((const NameSet *) value)->names[i - 1],
							 ((const NameSet *) value)->names[i]) < 0,
					  "%s is no set", field->key);
			return;
		case FIELD_OBJECT:
			check_values(field->child, value);
			return;
		case FIELD_LIST:
			for (int i = 0; i < ((const DocumentList *) value)->count; i++)
				check_values(field->child, (const char *) ((const DocumentList *) value)->items +
											   i * field->child->size);
			return;
		default:
			return;
	}
	/* 0, -1 and NaN also stand for what was not given */
	CHECK(isnan(number) || number == 0 || number == -1 ||
			  (limited ? number >= field->least && number <= field->most : number >= 0),
		  "%s is %g", field->key, number);
}

static void
check_values(const Document *document, const void *values)
{
	for (int i = 0; i < document->nfields; i++)
		check_field(&document->fields[i], (const char *) values + document->fields[i].offset);
}

/* --- the reading rules --- */

static void
check_requirements(Jsonb *jsonb, Inspection *inspection, WorkloadProfile *profile)
{
	Requirements read;
	Demand demand;

	infer_workload_profile(jsonb, NULL, inspection, &read, profile);
	infer_demand(jsonb, NULL, inspection, &read, profile, &demand);
	check_values(&workload_profile_document, profile);
	check_values(&demand_document, &demand);
	CHECK(profile->min_shards >= 1 && profile->max_shards >= profile->min_shards, "%d to %d shards",
		  profile->min_shards, profile->max_shards);
	CHECK(gang_least(profile, &demand) <= gang_most(profile, &demand),
		  "more members at least than at most");
	check_written(&placement_profile_document, profile);
	check_written(&demand_document, &demand);
	(void) workload_profile_jsonb(jsonb, &read, profile);
}

static void
check_capabilities(Jsonb *jsonb, Inspection *inspection)
{
	static const WorkloadProfile plain = {
		.metrics = {.compute_intensity = 1, .memory_intensity = 1}};
	Capabilities capabilities;
	DeviceSpec *specs;
	int count;

	document_read(&capabilities_document, jsonb, NULL, inspection, &capabilities);
	count = infer_devices(&capabilities, &specs);
	CHECK(count >= 0 && count <= 10000, "%d devices", count);
	for (int i = 0; i < count && i < 10; i++)
	{
		double efficiency = raw_efficiency(&plain, &specs[i].profile);

		CHECK(specs[i].memory_bytes >= -1 && specs[i].profile.hardware_class != NULL,
			  "a device that is none");
		CHECK(efficiency > 0 && efficiency <= 1.3, "efficiency %g", efficiency);
		CHECK(predict_seconds(&plain, &specs[i].profile, NAN) >= 1, "predicted duration below 1 s");
		check_values(&device_profile_document, &specs[i].profile);
		check_written(&device_profile_document, &specs[i].profile);
	}
}

static void
read_document(const Document *document, Jsonb *jsonb, Inspection *inspection)
{
	WorkloadProfile profile;
	void *values = palloc(LARGEST);

	CHECK(document->size <= LARGEST, "%s is larger than the fuzzer thinks", document->name);
	document_read(document, jsonb, NULL, inspection, values);
	check_values(document, values);
	if (is_written(document))
		check_written(document, values);
	if (document == &requirements_document)
		check_requirements(jsonb, inspection, &profile);
	if (document == &capabilities_document)
		check_capabilities(jsonb, inspection);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const Document *document;
	bool check_names;
	char *text;

	fuzz_begin(data, size);
	document = documents[random_below(256) % lengthof(documents)];
	check_names = size > 0 && (data[0] & 0x80) == 0;
	text = take_text();

	PG_TRY();
	{
		read_document(document, shim_jsonb(text), check_names ? inspect_names() : NULL);
	}
	PG_CATCH();
	{
		CHECK(shim_sqlstate == ERRCODE_INVALID_PARAMETER_VALUE, "refused with %06x: %s",
			  shim_sqlstate, shim_message);
		CHECK(shim_message[0] != '\0', "refused without a reason");
		/* what is no JSON at all, as no jsonb is, may be cut anywhere */
		CHECK(!shim_is_utf8(text, strlen(text)) || strncmp(shim_message, "cannot read", 11) == 0 ||
				  strlen(shim_message) > 60000 || shim_is_utf8(shim_message, strlen(shim_message)),
			  "a message cut within a character: %s", shim_message);
	}
	PG_END_TRY();
	return 0;
}
