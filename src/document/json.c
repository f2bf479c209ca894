/*
 * json.c
 *		Reads JSON documents into structs, and writes and compares what they
 *		hold: one table says how, for each kind of field.  The only file that
 *		knows cJSON.
 *
 * cJSON's allocation hooks are global to the process, so they are ours only
 * while one document is read: its tree lives in a memory context of its own,
 * and whatever happens the hooks are put back and the context goes away.
 * Strings that outlive the reading are copied to the caller's context.
 *
 * cJSON is lax about syntax and about duplicate keys; the documents arrive as
 * jsonb, which is neither, so what is checked here is what jsonb leaves open:
 * types, ranges, finite numbers and names.
 */
#include "postgres.h"

#include <float.h>
#include <cjson/cJSON.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "document/json.h"
#include "document/jsonb_writer.h"

/* The largest whole number that a double and thus cJSON holds exactly. */
#define MAX_EXACT 9007199254740991.0

/* More entries than these in one place are taken for a mistake. */
#define MOST_NAMES 1000
#define MOST_ENTRIES 10000

/* How much of a bad value a message shows. */
#define SHOWN_VALUE 80

typedef struct Reader
{
	MemoryContext result; /* where what outlives the reading goes */
	Inspection *inspection; /* NULL: the document was inspected before */
} Reader;

static MemoryContext tree_context = NULL;

static void read_fields(const Reader *reader, const Document *document, const cJSON *object,
						const char *path, void *values);

static void *
tree_alloc(size_t size)
{
	return MemoryContextAlloc(tree_context, size);
}

/* cJSON frees NULL, too. */
static void
tree_free(void *pointer)
{
	if (pointer != NULL)
		pfree(pointer);
}

/*
 * Refuses a value: says where it stands, what it is and what was expected, with a
 * hint unless that is NULL.
 */
static void
refuse_with_hint(const char *path, const cJSON *item, const char *expected, const char *hint)
{
	char *value = cJSON_IsNumber(item) && !isfinite(item->valuedouble) ?
					  pstrdup("a number beyond double precision") :
					  cJSON_PrintUnformatted(item);

	if (value != NULL && strlen(value) > SHOWN_VALUE + 3)
		strcpy(value + pg_mbcliplen(value, strlen(value), SHOWN_VALUE), "...");
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid value for \"%s\": %s", path, value ? value : "?"),
					errdetail("Expected %s.", expected), hint != NULL ? errhint("%s", hint) : 0,
					errpath(path)));
}

static void
refuse(const char *path, const cJSON *item, const char *expected)
{
	refuse_with_hint(path, item, expected, NULL);
}

static char *
copy_text(const Reader *reader, const char *text)
{
	return MemoryContextStrdup(reader->result, text);
}

static double
read_number(const cJSON *item, const Field *field, const char *path, bool whole)
{
	double least = field->least;
	double most = field->most;
	double value = item->valuedouble;
	bool limited = least != 0 || most != 0;

	if (!limited)
		most = !whole ? DBL_MAX : field->kind == FIELD_BIGINT ? MAX_EXACT : PG_INT32_MAX;
	if (!cJSON_IsNumber(item) || !isfinite(value) || value < least || value > most ||
		(whole && value != floor(value)))
	{
		const char *of = field->unit != NULL ? psprintf(" of %s", field->unit) : "";

		refuse_with_hint(path, item,
						 limited ? psprintf("a %snumber%s from %.15g to %.15g",
											whole ? "whole " : "", of, least, most) :
						 whole	 ? psprintf("a whole number from 0 to %.0f", most) :
								   "a number that is not negative",
						 field->hint);
	}
	return value;
}

/*
 * Reads a text by a type's input function, so that its own rules hold; only
 * a refusal of the text itself is turned into ours.
 */
static Datum
read_datetime(PGFunction input, const cJSON *item, const char *path, const char *expected)
{
	Datum value = (Datum) 0;
	MemoryContext context = CurrentMemoryContext;

	if (!cJSON_IsString(item))
		refuse(path, item, expected);

	/* The input functions of date and time hold no resources but memory. */
	PG_TRY();
	{
		value = DirectFunctionCall3(input, CStringGetDatum(item->valuestring),
									ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	}
	PG_CATCH();
	{
		int category = ERRCODE_TO_CATEGORY(geterrcode());

		MemoryContextSwitchTo(context);
		if (category != ERRCODE_TO_CATEGORY(ERRCODE_DATA_EXCEPTION))
			PG_RE_THROW();
		FlushErrorState();
		refuse(path, item, expected);
	}
	PG_END_TRY();
	return value;
}

static double
read_seconds(const cJSON *item, const Field *field, const char *path)
{
	double most = field->most > 0 ? field->most : MOST_SECONDS;
	const char *expected =
		psprintf("seconds or an interval such as \"5 min\", %.15g to %.15g s", field->least, most);
	double seconds;

	if (cJSON_IsNumber(item) && isfinite(item->valuedouble))
		seconds = item->valuedouble;
	else
	{
		Interval *interval = DatumGetIntervalP(read_datetime(interval_in, item, path, expected));

		seconds = interval->time / (double) USECS_PER_SEC +
				  ((double) interval->month * DAYS_PER_MONTH + interval->day) * SECS_PER_DAY;
	}
	if (!isfinite(seconds) || seconds < field->least || seconds > most)
		refuse(path, item, expected);
	return seconds;
}

static const char *
read_name(const Reader *reader, const Field *field, const cJSON *item, const char *path)
{
	char *name;

	if (!cJSON_IsString(item))
		refuse(path, item, "a name");
	name = copy_text(reader, item->valuestring);
	for (char *c = name; *c; c++)
		*c = pg_ascii_tolower((unsigned char) *c);
	if (name[0] == '\0' || (reader->inspection != NULL && field->names != NAME_FREE &&
							!taxonomy_knows(field->names, name)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown name for \"%s\": \"%s\"", path, item->valuestring),
				 errhint("Known names are: %s.", taxonomy_list(field->names)), errpath(path)));
	return name;
}

static const char *
read_text(const Reader *reader, const cJSON *item, const char *path)
{
	if (!cJSON_IsString(item))
		refuse(path, item, "a text");
	return copy_text(reader, item->valuestring);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static NameSet
read_names(const Reader *reader, const Field *field, const cJSON *item, const char *path)
{
	bool as_given = field->kind == FIELD_TEXTS;
	NameSet set = {0, NULL};
	const cJSON *element;
	int n = 0;

	if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) > MOST_NAMES)
		refuse(path, item,
			   psprintf("an array of at most %d %s", MOST_NAMES, as_given ? "texts" : "names"));
	set.names =
		MemoryContextAllocHuge(reader->result, sizeof(char *) * (cJSON_GetArraySize(item) + 1));
	cJSON_ArrayForEach(element, item)
	{
		const char *element_path = psprintf("%s[%d]", path, n++);

		set.names[set.count++] = as_given ? read_text(reader, element, element_path) :
											read_name(reader, field, element, element_path);
	}
	if (!as_given && set.count > 1)
	{
		int kept = 1;

		qsort(set.names, set.count, sizeof(char *), compare_names);
		for (int i = 1; i < set.count; i++)
			if (strcmp(set.names[i], set.names[kept - 1]) != 0)
				set.names[kept++] = set.names[i];
		set.count = kept;
	}
	return set;
}

/* Reads {name: number}; counts of zero are as good as absent. */
static NamedNumbers
read_numbers(const Reader *reader, const Field *field, const cJSON *item, const char *path)
{
	NamedNumbers numbers = {0, NULL};
	const cJSON *element;

	if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) > MOST_NAMES)
		refuse(path, item,
			   psprintf("an object {%s} with at most %d keys",
						field->kind == FIELD_COUNTS ? "type: count" : "name: number", MOST_NAMES));
	numbers.items =
		MemoryContextAlloc(reader->result, sizeof(NamedNumber) * (cJSON_GetArraySize(item) + 1));
	cJSON_ArrayForEach(element, item)
	{
		const char *element_path = document_path(path, element->string);
		NamedNumber *number = &numbers.items[numbers.count++];
		cJSON key = {.type = cJSON_String, .valuestring = element->string};

		number->name = field->kind == FIELD_COUNTS ? read_name(reader, field, &key, element_path) :
													 copy_text(reader, element->string);
		number->value = read_number(element, field, element_path, field->kind == FIELD_COUNTS);
		for (int i = 0; i < numbers.count - 1 && field->kind == FIELD_COUNTS; i++)
			if (strcmp(numbers.items[i].name, number->name) == 0)
				refuse(element_path, element, "each name once, whatever its case");
	}
	return numbers;
}

static int
compare_named_numbers(const void *a, const void *b)
{
	return strcmp(((const NamedNumber *) a)->name, ((const NamedNumber *) b)->name);
}

/* Reads a text, an array of texts, each of which counts 1, or {text: whole number}. */
static NamedNumbers
read_units(const Reader *reader, const Field *field, const cJSON *item, const char *path)
{
	NamedNumbers units = {0, NULL};
	const cJSON *element;
	int n = 0;
	int kept = 0;

	if (!cJSON_IsString(item) && !cJSON_IsArray(item) && !cJSON_IsObject(item))
		refuse(path, item, "a text, an array of texts or an object {text: whole number}");
	if (cJSON_GetArraySize(item) > MOST_NAMES)
		refuse(path, item, psprintf("at most %d texts", MOST_NAMES));
	units.items =
		MemoryContextAlloc(reader->result, sizeof(NamedNumber) * (cJSON_GetArraySize(item) + 1));
	if (cJSON_IsString(item))
		units.items[units.count++] = (NamedNumber){read_text(reader, item, path), 1};
	cJSON_ArrayForEach(element, item)
	{
		NamedNumber *unit = &units.items[units.count++];

		if (cJSON_IsArray(item))
			*unit = (NamedNumber){read_text(reader, element, psprintf("%s[%d]", path, n++)), 1};
		else
		{
			unit->name = copy_text(reader, element->string);
			unit->value = read_number(element, field, document_path(path, element->string), true);
		}
	}
	qsort(units.items, units.count, sizeof(NamedNumber), compare_named_numbers);
	for (int i = 0; i < units.count; i++)
		if (i == 0 || strcmp(units.items[i].name, units.items[kept - 1].name) != 0)
			units.items[kept++] = units.items[i];
	units.count = kept;
	return units;
}

/* Reads {name: {name: number}}. */
static NamedTables
read_tables(const Reader *reader, const Field *field, const cJSON *item, const char *path)
{
	static const Field numbers = {.kind = FIELD_NUMBERS};
	NamedTables tables = {0, NULL};
	const cJSON *element;

	if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) > MOST_NAMES)
		refuse(path, item,
			   psprintf("an object {name: {name: number}} with at most %d keys", MOST_NAMES));
	tables.items =
		MemoryContextAlloc(reader->result, sizeof(NamedTable) * (cJSON_GetArraySize(item) + 1));
	cJSON_ArrayForEach(element, item)
	{
		const char *element_path = document_path(path, element->string);
		NamedTable *table = &tables.items[tables.count++];
		cJSON key = {.type = cJSON_String, .valuestring = element->string};

		table->name = field->names == NAME_FREE ? copy_text(reader, element->string) :
												  read_name(reader, field, &key, element_path);
		table->numbers = read_numbers(reader, &numbers, element, element_path);
		for (int i = 0; i < tables.count - 1; i++)
			if (strcmp(tables.items[i].name, table->name) == 0)
				refuse(element_path, element, "each name once, whatever its case");
	}
	return tables;
}

static NamedTexts
read_versions(const Reader *reader, const cJSON *item, const char *path)
{
	NamedTexts texts = {0, NULL};
	const cJSON *element;

	if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) > MOST_NAMES)
		refuse(path, item, psprintf("an object {name: version} with at most %d keys", MOST_NAMES));
	texts.items =
		MemoryContextAlloc(reader->result, sizeof(NamedText) * (cJSON_GetArraySize(item) + 1));
	cJSON_ArrayForEach(element, item)
	{
		if (!cJSON_IsString(element))
			refuse(document_path(path, element->string), element,
				   "a version as text, such as \"3.11\"");
		texts.items[texts.count].name = copy_text(reader, element->string);
		texts.items[texts.count++].value = copy_text(reader, element->valuestring);
	}
	return texts;
}

/* Reads a value of a label: a text, a number or a boolean. */
static LabelValue
read_label_value(const Reader *reader, const cJSON *item, const char *path)
{
	LabelValue value = {NULL, NAN};

	if (cJSON_IsString(item))
		value.text = copy_text(reader, item->valuestring);
	else if (cJSON_IsBool(item))
		value.text = cJSON_IsTrue(item) ? "true" : "false";
	else if (cJSON_IsNumber(item) && isfinite(item->valuedouble))
	{
		char text[32];

		snprintf(text, sizeof(text), "%.15g", item->valuedouble);
		value.text = copy_text(reader, text);
		value.number = item->valuedouble;
	}
	else
		refuse(path, item, "a text, a number or a boolean");
	return value;
}

/* Reads a value or an array of values. */
static LabelValues
read_label_values(const Reader *reader, const cJSON *item, const char *path)
{
	int count = cJSON_IsArray(item) ? cJSON_GetArraySize(item) : 1;
	LabelValues values = {0, NULL};
	const cJSON *element;

	if (count > MOST_NAMES)
		refuse(path, item, psprintf("at most %d values", MOST_NAMES));
	values.items = MemoryContextAlloc(reader->result, sizeof(LabelValue) * (count + 1));
	if (!cJSON_IsArray(item))
		values.items[values.count++] = read_label_value(reader, item, path);
	else
		cJSON_ArrayForEach(element, item)
		{
			values.items[values.count] =
				read_label_value(reader, element, psprintf("%s[%d]", path, values.count));
			values.count++;
		}
	return values;
}

static int
compare_labels(const void *a, const void *b)
{
	return strcmp(((const Label *) a)->name, ((const Label *) b)->name);
}

static Labels
read_labels(const Reader *reader, const cJSON *item, const char *path)
{
	Labels labels = {0, NULL};
	const cJSON *element;

	if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) > MOST_NAMES)
		refuse(path, item, psprintf("an object {name: value} with at most %d keys", MOST_NAMES));
	labels.items =
		MemoryContextAlloc(reader->result, sizeof(Label) * (cJSON_GetArraySize(item) + 1));
	cJSON_ArrayForEach(element, item)
	{
		Label *label = &labels.items[labels.count];

		if (cJSON_IsNull(element))
			continue;
		label->name = copy_text(reader, element->string);
		label->values = read_label_values(reader, element, document_path(path, element->string));
		/* an empty list is no label */
		labels.count += label->values.count > 0;
	}
	qsort(labels.items, labels.count, sizeof(Label), compare_labels);
	return labels;
}

static int
compare_conditions(const void *a, const void *b)
{
	return strcmp(((const Condition *) a)->name, ((const Condition *) b)->name);
}

/* Reads {min, max, not, exists}. */
static void
read_bounds(const Reader *reader, const cJSON *item, const char *path, Condition *condition)
{
	const cJSON *element;

	cJSON_ArrayForEach(element, item)
	{
		const char *place = document_path(path, element->string);

		if (strcmp(element->string, "min") == 0)
			condition->least = read_label_value(reader, element, place);
		else if (strcmp(element->string, "max") == 0)
			condition->most = read_label_value(reader, element, place);
		else if (strcmp(element->string, "not") == 0)
			condition->none = read_label_values(reader, element, place);
		else if (strcmp(element->string, "in") == 0)
			condition->any = read_label_values(reader, element, place);
		else if (strcmp(element->string, "exists") != 0)
			refuse_with_hint(path, item, "a value, a list of values or an object of conditions",
							 "The conditions are: min, max, not, in, exists.");
		else if (!cJSON_IsBool(element))
			refuse(place, element, "true or false");
		else
			condition->exists = cJSON_IsTrue(element);
	}
	if (condition->none.count + condition->any.count == 0 && condition->least.text == NULL &&
		condition->most.text == NULL && condition->exists < 0)
		refuse_with_hint(path, item, "a value, a list of values or an object of conditions",
						 "The conditions are: min, max, not, in, exists.");
}

static Conditions
read_conditions(const Reader *reader, const Field *field, const cJSON *item, const char *path)
{
	bool software = field->kind == FIELD_SOFTWARE;
	Conditions conditions = {0, NULL};
	const cJSON *element;

	if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) > MOST_NAMES)
		refuse(path, item,
			   psprintf("an object {name: %s} with at most %d keys",
						software ? "version" : "condition", MOST_NAMES));
	conditions.items =
		MemoryContextAlloc(reader->result, sizeof(Condition) * (cJSON_GetArraySize(item) + 1));
	cJSON_ArrayForEach(element, item)
	{
		const char *place = document_path(path, element->string);
		Condition *condition = &conditions.items[conditions.count];

		if (cJSON_IsNull(element))
			continue;
		conditions.count++;
		*condition = (Condition){.name = copy_text(reader, element->string),
								 .least = {NULL, NAN},
								 .most = {NULL, NAN},
								 .exists = -1};
		if (cJSON_IsObject(element))
			read_bounds(reader, element, place, condition);
		else if (!software)
			condition->any = read_label_values(reader, element, place);
		else if (cJSON_IsArray(element))
			condition->any = read_label_values(reader, element, place);
		else if (cJSON_IsString(element))
			condition->least.text = copy_text(reader, element->valuestring);
		else
			refuse(place, element, "a version as text, such as \"3.11\"");
		if (cJSON_IsArray(element) && condition->any.count == 0)
			refuse(place, element, "at least one value");
	}
	qsort(conditions.items, conditions.count, sizeof(Condition), compare_conditions);
	return conditions;
}

static DocumentList
read_list(const Reader *reader, const Field *field, const cJSON *item, const char *path)
{
	DocumentList list = {0, NULL};
	size_t size = field->child->size;
	const cJSON *element;

	if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) > MOST_ENTRIES)
		refuse(path, item,
			   psprintf("an array of at most %d %s objects", MOST_ENTRIES, field->child->name));
	list.items = MemoryContextAllocHuge(reader->result, size * (cJSON_GetArraySize(item) + 1));
	cJSON_ArrayForEach(element, item)
	{
		const char *element_path = psprintf("%s[%d]", path, list.count);
		char *values = (char *) list.items + size * list.count++;

		if (!cJSON_IsObject(element))
			refuse(element_path, element, psprintf("a %s object", field->child->name));
		memset(values, 0, size);
		if (field->child->preset)
			field->child->preset(values);
		read_fields(reader, field->child, element, element_path, values);
	}
	return list;
}

static DocumentMap
read_map(const Reader *reader, const Field *field, const cJSON *item, const char *path)
{
	DocumentMap map = {0, NULL, NULL};
	size_t size = field->child->size;
	const cJSON *element;

	if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) > MOST_ENTRIES)
		refuse(path, item,
			   psprintf("an object {name: %s} with at most %d names", field->child->name,
						MOST_ENTRIES));
	map.items = MemoryContextAllocHuge(reader->result, size * (cJSON_GetArraySize(item) + 1));
	map.names =
		MemoryContextAlloc(reader->result, sizeof(const char *) * (cJSON_GetArraySize(item) + 1));
	cJSON_ArrayForEach(element, item)
	{
		const char *element_path = document_path(path, element->string);
		char *values = (char *) map.items + size * map.count;

		if (!cJSON_IsObject(element))
			refuse(element_path, element, "an object");
		map.names[map.count++] = copy_text(reader, element->string);
		memset(values, 0, size);
		if (field->child->preset)
			field->child->preset(values);
		read_fields(reader, field->child, element, element_path, values);
	}
	return map;
}

/* --- the kinds of field --- */

/*
 * How a kind of field is read from JSON, written as jsonb and told apart.
 *
 * read raises what refuse() raises.  write pushes key and value, or nothing for
 * what is absent; key appends bytes that are equal exactly for equal values.
 * Documents with a kind that has neither are only read.
 */
typedef struct KindOfField
{
	void (*read)(const Reader *reader, const Field *field, const cJSON *item, const char *path,
				 void *target);
	void (*write)(JsonbParseState **state, const Field *field, const void *source);
	void (*key)(StringInfo key, const Field *field, const void *source);
} KindOfField;

static void
text_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
		  void *target)
{
	*(const char **) target = read_text(reader, item, path);
}

static void
word_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
		  void *target)
{
	*(const char **) target = !cJSON_IsBool(item) ? read_text(reader, item, path) :
							  cJSON_IsTrue(item)  ? "true" :
													"false";
}

static void
name_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
		  void *target)
{
	*(const char **) target = read_name(reader, field, item, path);
}

static void
text_write(JsonbParseState **state, const Field *field, const void *source)
{
	if (*(const char *const *) source == NULL)
		return;
	push_key(state, field->key);
	push_text(state, WJB_VALUE, *(const char *const *) source);
}

static void
append_text(StringInfo key, const char *text)
{
	if (text != NULL)
		appendBinaryStringInfo(key, text, strlen(text));
	appendStringInfoChar(key, text != NULL ? '\0' : '\1');
}

static void
text_key(StringInfo key, const Field *field, const void *source)
{
	append_text(key, *(const char *const *) source);
}

static void
names_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
		   void *target)
{
	*(NameSet *) target = read_names(reader, field, item, path);
}

static void
names_write(JsonbParseState **state, const Field *field, const void *source)
{
	const NameSet *set = source;

	if (field->sparse && set->count == 0)
		return;
	push_key(state, field->key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < set->count; i++)
		push_text(state, WJB_ELEM, set->names[i]);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
names_key(StringInfo key, const Field *field, const void *source)
{
	const NameSet *set = source;

	appendBinaryStringInfo(key, (const char *) &set->count, sizeof(int));
	for (int i = 0; i < set->count; i++)
		append_text(key, set->names[i]);
}

static void
boolean_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
			 void *target)
{
	if (!cJSON_IsBool(item))
		refuse(path, item, "true or false");
	*(bool *) target = cJSON_IsTrue(item);
}

static void
negation_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
			  void *target)
{
	boolean_read(reader, field, item, path, target);
	*(bool *) target = !*(bool *) target;
}

static void
negation_write(JsonbParseState **state, const Field *field, const void *source)
{
	if (field->sparse && !*(const bool *) source)
		return;
	push_key(state, field->key);
	push_bool(state, !*(const bool *) source);
}

static void
boolean_write(JsonbParseState **state, const Field *field, const void *source)
{
	if (field->sparse && !*(const bool *) source)
		return;
	push_key(state, field->key);
	push_bool(state, *(const bool *) source);
}

static void
boolean_key(StringInfo key, const Field *field, const void *source)
{
	appendStringInfoChar(key, *(const bool *) source ? 't' : 'f');
}

static void
integer_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
			 void *target)
{
	*(int32 *) target = (int32) read_number(item, field, path, true);
}

static void
integer_write(JsonbParseState **state, const Field *field, const void *source)
{
	if (field->sparse && *(const int32 *) source == 0)
		return;
	push_key(state, field->key);
	push_integer(state, *(const int32 *) source);
}

static void
integer_key(StringInfo key, const Field *field, const void *source)
{
	appendBinaryStringInfo(key, source, sizeof(int32));
}

static void
bigint_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
			void *target)
{
	*(int64 *) target = (int64) read_number(item, field, path, true);
}

static void
bigint_write(JsonbParseState **state, const Field *field, const void *source)
{
	push_key(state, field->key);
	push_integer(state, *(const int64 *) source);
}

static void
bigint_key(StringInfo key, const Field *field, const void *source)
{
	appendBinaryStringInfo(key, source, sizeof(int64));
}

static void
number_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
			void *target)
{
	*(double *) target = read_number(item, field, path, false);
}

static void
seconds_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
			 void *target)
{
	*(double *) target = read_seconds(item, field, path);
}

static void
number_write(JsonbParseState **state, const Field *field, const void *source)
{
	if (isnan(*(const double *) source))
		return;
	push_key(state, field->key);
	push_double(state, *(const double *) source);
}

static void
number_key(StringInfo key, const Field *field, const void *source)
{
	appendBinaryStringInfo(key, source, sizeof(double));
}

static void
time_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
		  void *target)
{
	*(int64 *) target = DatumGetTimestampTz(
		read_datetime(timestamptz_in, item, path, "a time such as \"2026-01-31 12:00:00+00\""));
}

static void
numbers_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
			 void *target)
{
	*(NamedNumbers *) target = read_numbers(reader, field, item, path);
}

static void
units_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
		   void *target)
{
	*(NamedNumbers *) target = read_units(reader, field, item, path);
}

static void
numbers_write(JsonbParseState **state, const Field *field, const void *source)
{
	const NamedNumbers *numbers = source;

	if (numbers->count == 0)
		return;
	push_key(state, field->key);
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < numbers->count; i++)
	{
		push_key(state, numbers->items[i].name);
		push_double(state, numbers->items[i].value);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
numbers_key(StringInfo key, const Field *field, const void *source)
{
	const NamedNumbers *numbers = source;

	appendBinaryStringInfo(key, (const char *) &numbers->count, sizeof(int));
	for (int i = 0; i < numbers->count; i++)
	{
		append_text(key, numbers->items[i].name);
		appendBinaryStringInfo(key, (const char *) &numbers->items[i].value, sizeof(double));
	}
}

static void
tables_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
			void *target)
{
	*(NamedTables *) target = read_tables(reader, field, item, path);
}

static void
versions_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
			  void *target)
{
	*(NamedTexts *) target = read_versions(reader, item, path);
}

static void
versions_write(JsonbParseState **state, const Field *field, const void *source)
{
	const NamedTexts *texts = source;

	if (texts->count == 0)
		return;
	push_key(state, field->key);
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < texts->count; i++)
	{
		push_key(state, texts->items[i].name);
		push_text(state, WJB_VALUE, texts->items[i].value);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
versions_key(StringInfo key, const Field *field, const void *source)
{
	const NamedTexts *texts = source;

	appendBinaryStringInfo(key, (const char *) &texts->count, sizeof(int));
	for (int i = 0; i < texts->count; i++)
	{
		append_text(key, texts->items[i].name);
		append_text(key, texts->items[i].value);
	}
}

/* --- labels and conditions --- */

static void
labels_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
			void *target)
{
	*(Labels *) target = read_labels(reader, item, path);
}

static void
conditions_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
				void *target)
{
	*(Conditions *) target = read_conditions(reader, field, item, path);
}

static void
push_label_value(JsonbParseState **state, JsonbIteratorToken token, const LabelValue *value)
{
	if (isnan(value->number))
		push_text(state, token, value->text);
	else
		push_double_as(state, token, value->number);
}

static void
push_label_values(JsonbParseState **state, const LabelValues *values)
{
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < values->count; i++)
		push_label_value(state, WJB_ELEM, &values->items[i]);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
conditions_write(JsonbParseState **state, const Field *field, const void *source)
{
	const Conditions *conditions = source;
	bool software = field->kind == FIELD_SOFTWARE;

	if (conditions->count == 0)
		return;
	push_key(state, field->key);
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < conditions->count; i++)
	{
		const Condition *condition = &conditions->items[i];

		push_key(state, condition->name);
		/* as it has always been written */
		if (software && condition->least.text != NULL && isnan(condition->least.number) &&
			condition->most.text == NULL && condition->any.count + condition->none.count == 0 &&
			condition->exists < 0)
		{
			push_text(state, WJB_VALUE, condition->least.text);
			continue;
		}
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		if (condition->least.text != NULL)
		{
			push_key(state, "min");
			push_label_value(state, WJB_VALUE, &condition->least);
		}
		if (condition->most.text != NULL)
		{
			push_key(state, "max");
			push_label_value(state, WJB_VALUE, &condition->most);
		}
		if (condition->none.count > 0)
		{
			push_key(state, "not");
			push_label_values(state, &condition->none);
		}
		if (condition->any.count > 0)
		{
			push_key(state, "in");
			push_label_values(state, &condition->any);
		}
		if (condition->exists >= 0)
		{
			push_key(state, "exists");
			push_bool(state, condition->exists == 1);
		}
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
append_label_value(StringInfo key, const LabelValue *value)
{
	append_text(key, value->text);
	appendStringInfoChar(key, isnan(value->number) ? 't' : 'n');
}

static void
append_label_values(StringInfo key, const LabelValues *values)
{
	appendBinaryStringInfo(key, (const char *) &values->count, sizeof(int));
	for (int i = 0; i < values->count; i++)
		append_label_value(key, &values->items[i]);
}

/* Appends what tells a condition from others. */
void
append_condition_key(StringInfo key, const Condition *condition)
{
	append_text(key, condition->name);
	append_label_values(key, &condition->any);
	append_label_values(key, &condition->none);
	append_label_value(key, &condition->least);
	append_label_value(key, &condition->most);
	appendStringInfoChar(key, (char) ('1' + condition->exists));
}

static void
conditions_key(StringInfo key, const Field *field, const void *source)
{
	const Conditions *conditions = source;

	appendBinaryStringInfo(key, (const char *) &conditions->count, sizeof(int));
	for (int i = 0; i < conditions->count; i++)
		append_condition_key(key, &conditions->items[i]);
}

static void
object_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
			void *target)
{
	if (!cJSON_IsObject(item))
		refuse(path, item, "an object");
	read_fields(reader, field->child, item, path, target);
}

static void
object_write(JsonbParseState **state, const Field *field, const void *source)
{
	push_key(state, field->key);
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_document(state, field->child, source);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
object_key(StringInfo key, const Field *field, const void *source)
{
	append_document_key(key, field->child, source);
}

static void
list_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
		  void *target)
{
	*(DocumentList *) target = read_list(reader, field, item, path);
}

static void
map_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
		 void *target)
{
	*(DocumentMap *) target = read_map(reader, field, item, path);
}

static void
option_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
			void *target)
{
	if (!cJSON_IsObject(item) && !cJSON_IsFalse(item))
		refuse(path, item, "an object, or false");
	memset(target, 0, field->child->size);
	if (cJSON_IsFalse(item))
		return;
	if (field->child->preset)
		field->child->preset(target);
	read_fields(reader, field->child, item, path, target);
}

static void
any_object_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
				void *target)
{
	if (!cJSON_IsObject(item))
		refuse(path, item, "an object");
}

static void
any_read(const Reader *reader, const Field *field, const cJSON *item, const char *path,
		 void *target)
{
}

static const KindOfField kinds[] = {
	[FIELD_TEXT] = {text_read, text_write, text_key},
	[FIELD_NAME] = {name_read, text_write, text_key},
	[FIELD_NAMES] = {names_read, names_write, names_key},
	[FIELD_TEXTS] = {names_read, names_write, names_key},
	[FIELD_BOOLEAN] = {boolean_read, boolean_write, boolean_key},
	[FIELD_NEGATION] = {negation_read, negation_write, boolean_key},
	[FIELD_INTEGER] = {integer_read, integer_write, integer_key},
	[FIELD_BIGINT] = {bigint_read, bigint_write, bigint_key},
	[FIELD_NUMBER] = {number_read, number_write, number_key},
	[FIELD_SECONDS] = {seconds_read, number_write, number_key},
	[FIELD_TIME] = {time_read, NULL, bigint_key},
	[FIELD_NUMBERS] = {numbers_read, numbers_write, numbers_key},
	[FIELD_UNITS] = {units_read, numbers_write, numbers_key},
	[FIELD_COUNTS] = {numbers_read, numbers_write, numbers_key},
	[FIELD_TABLES] = {tables_read},
	[FIELD_VERSIONS] = {versions_read, versions_write, versions_key},
	[FIELD_LABELS] = {labels_read},
	[FIELD_CONDITIONS] = {conditions_read, conditions_write, conditions_key},
	[FIELD_SOFTWARE] = {conditions_read, conditions_write, conditions_key},
	[FIELD_OBJECT] = {object_read, object_write, object_key},
	[FIELD_OPTION] = {option_read},
	[FIELD_LIST] = {list_read},
	[FIELD_MAP] = {map_read},
	[FIELD_WORD] = {word_read},
	[FIELD_ANY_OBJECT] = {any_object_read},
	[FIELD_ANY] = {any_read},
};

/* --- reading --- */

/* Reads the value of a key; while findings are listed, a bad one leaves what was there. */
static void
read_field(const Reader *reader, const Field *field, const cJSON *item, const char *path,
		   void *target)
{
	MemoryContext context = CurrentMemoryContext;

	if (reader->inspection == NULL || !reader->inspection->lists)
	{
		kinds[field->kind].read(reader, field, item, path, target);
		return;
	}
	PG_TRY();
	{
		kinds[field->kind].read(reader, field, item, path, target);
	}
	PG_CATCH();
	{
		inspection_catch(reader->inspection, path);
		MemoryContextSwitchTo(context);
	}
	PG_END_TRY();
}

/*
 * Reads the known keys of an object; null is as good as absent.  Unknown keys are
 * for the inspection.
 */
static void
read_fields(const Reader *reader, const Document *document, const cJSON *object, const char *path,
			void *values)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, object)
	{
		const Field *field = document_field(document, item->string, strlen(item->string));

		if (field == NULL)
		{
			if (reader->inspection != NULL && !document->open)
				inspection_unknown_key(reader->inspection, document, path, item->string);
		}
		else if (!cJSON_IsNull(item))
			read_field(reader, field, item, document_path(path, field->key),
					   (char *) values + field->offset);
	}
}

/* Parses a document with our hooks in place, and reads it. */
static void
parse(const Reader *reader, const Document *document, Jsonb *jsonb, const char *path, void *values)
{
	char *text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	const char *end;
	cJSON *root = cJSON_ParseWithOpts(text, &end, 1);

	if (root == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot read %s near \"%.*s\"", document->name,
						pg_mbcliplen(end, strlen(end), SHOWN_VALUE), end),
				 errhint("Numbers may have up to 63 characters, and objects may nest 1000 deep.")));
	if (!cJSON_IsObject(root))
		refuse(path[0] ? path : document->name, root, psprintf("a %s object", document->name));
	read_fields(reader, document, root, path, values);
}

/*
 * Reads a document over the values that a struct holds already.
 *
 * path is where the document stands, for messages (NULL at the top).  With an
 * inspection, names that the taxonomy does not know are refused, and unknown keys
 * are as it says.  Raises ERRCODE_INVALID_PARAMETER_VALUE with the path of the key
 * and its value.
 */
void
document_overlay(const Document *document, Jsonb *jsonb, const char *path, Inspection *inspection,
				 void *values)
{
	static cJSON_Hooks hooks = {tree_alloc, tree_free};
	MemoryContext outer_tree = tree_context;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext own = AllocSetContextCreate(caller, "hwsched document", ALLOCSET_DEFAULT_SIZES);
	Reader reader = {caller, inspection};

	PG_TRY();
	{
		MemoryContextSwitchTo(own);
		tree_context = own;
		cJSON_InitHooks(&hooks);
		parse(&reader, document, jsonb, path ? path : "", values);
	}
	PG_FINALLY();
	{
		tree_context = outer_tree;
		if (tree_context == NULL)
			cJSON_InitHooks(NULL);
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(own);
	}
	PG_END_TRY();
}

/*
 * Reads a document into a struct, after setting what absent keys mean.
 * Arguments and errors are those of document_overlay.
 */
void
document_read(const Document *document, Jsonb *jsonb, const char *path, Inspection *inspection,
			  void *values)
{
	memset(values, 0, document->size);
	if (document->preset)
		document->preset(values);
	document_overlay(document, jsonb, path, inspection, values);
}

/* --- writing and comparing --- */

/* Pushes a struct's keys and values into an object that is open in state. */
void
push_document(JsonbParseState **state, const Document *document, const void *values)
{
	for (int i = 0; i < document->nfields; i++)
	{
		const Field *field = &document->fields[i];

		if (kinds[field->kind].write == NULL)
			elog(ERROR, "documents with \"%s\" are only read", field->key);
		kinds[field->kind].write(state, field, (const char *) values + field->offset);
	}
}

/* Returns a struct as a document that document_read gives back unchanged. */
Jsonb *
document_write(const Document *document, const void *values)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_document(&state, document, values);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * Appends bytes that are equal exactly when two structs hold the same
 * document: what makes two workloads of one kind, without writing JSON.
 */
void
append_document_key(StringInfo key, const Document *document, const void *values)
{
	for (int i = 0; i < document->nfields; i++)
	{
		const Field *field = &document->fields[i];

		if (kinds[field->kind].key != NULL)
			kinds[field->kind].key(key, field, (const char *) values + field->offset);
	}
}

/* Returns whether two structs hold different values in a field, which has to have a key. */
bool
document_field_differs(const Field *field, const void *a, const void *b)
{
	StringInfoData keys[2];
	const void *values[] = {a, b};

	for (int i = 0; i < 2; i++)
	{
		initStringInfo(&keys[i]);
		if (kinds[field->kind].key != NULL)
			kinds[field->kind].key(&keys[i], field, (const char *) values[i] + field->offset);
	}
	return keys[0].len != keys[1].len || memcmp(keys[0].data, keys[1].data, keys[0].len) != 0;
}
