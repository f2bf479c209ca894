/*
 * labels.c
 *		Which conditions on labels, and which tolerations, each device of a fleet
 *		meets.
 *
 * The conditions of all kinds of work are numbered, and each is looked at once for
 * each set of labels that there is.  What a device meets is a set of bits;
 * devices that meet the same have the same selection, a small number, and are told
 * apart by nothing else.  So a decision tests a bit or two where the work has
 * conditions, and none where it has none.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "document/json.h"
#include "document/label.h"
#include "snapshot/labels.h"
#include "support/strtab.h"

/*
 * Conditions of some kind of work, all of which are to be met, or a set of
 * tolerations.  The fewer selectors, the more devices are alike, so what a kind
 * requires is one.
 */
typedef struct Selector
{
	Conditions all;
	const NameSet *tolerations; /* NULL: conditions */
} Selector;

typedef struct Selectors
{
	int count;
	int allocated;
	Selector *items;
	HTAB *numbers; /* by what tells them apart */
	bool of_worker; /* some ask for worker_id or hostname */
} Selectors;

/* --- reading --- */

/* Notes that a label of a name is looked at. */
static void
need_label(LabelReader *reader, const char *name)
{
	bool found;

	(void) strtab_enter(reader->known_names, name, strlen(name), &found);
	if (found)
		return;
	if ((reader->nnames & (reader->nnames - 1)) == 0)
		reader->names = reader->nnames == 0 ?
							palloc(sizeof(char *)) :
							repalloc(reader->names, sizeof(char *) * reader->nnames * 2);
	reader->names[reader->nnames++] = name;
}

/* Begins to read the labels of a fleet; the kinds of work have been read before. */
LabelReader *
labels_begin(PoolSnapshot *snapshot)
{
	const Search *search = &snapshot->search;
	LabelReader *reader = palloc0(sizeof(LabelReader));

	reader->snapshot = snapshot;
	snapshot->labels = reader;
	reader->known_names = strtab_create("hwsched needed labels");
	for (int k = 0; k < search->nkinds; k++)
	{
		const Demand *demand = &search->kinds[k].demand;

		for (int i = 0; i < demand->required_labels.count; i++)
			need_label(reader, demand->required_labels.items[i].name);
		for (int i = 0; i < demand->preferred_labels.count; i++)
			need_label(reader, demand->preferred_labels.items[i].name);
		if (demand->spread_by != NULL)
			need_label(reader, demand->spread_by);
	}
	reader->needed = reader->nnames > 0;
	reader->numbers = strtab_create("hwsched labels");
	reader->allocated = 16;
	reader->documents = palloc0(sizeof(Labels) * reader->allocated);
	reader->ndocuments = 1;
	initStringInfo(&reader->key);
	return reader;
}

/* Returns a value of a label that was checked when its worker registered. */
static LabelValue
label_value(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return (LabelValue){pnstrdup(value->val.string.val, value->val.string.len), NAN};
		case jbvNumeric:
		{
			double number = DatumGetFloat8(
				DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));

			return (LabelValue){psprintf("%.15g", number), number};
		}
		case jbvBool:
			return (LabelValue){value->val.boolean ? "true" : "false", NAN};
		default:
			return (LabelValue){NULL, NAN};
	}
}

/* Reads the value, or values, of a label. */
static LabelValues
label_values(const JsonbValue *value)
{
	LabelValues values = {0, NULL};
	JsonbIterator *iterator;
	JsonbValue element;

	if (value->type != jbvBinary)
	{
		values.items = palloc(sizeof(LabelValue));
		values.items[0] = label_value(value);
		values.count = values.items[0].text != NULL;
		return values;
	}
	values.items = palloc(sizeof(LabelValue) * (JsonContainerSize(value->val.binary.data) + 1));
	iterator = JsonbIteratorInit(value->val.binary.data);
	(void) JsonbIteratorNext(&iterator, &element, true);
	while (JsonbIteratorNext(&iterator, &element, true) == WJB_ELEM)
	{
		values.items[values.count] = label_value(&element);
		values.count += values.items[values.count].text != NULL;
	}
	return values;
}

/* Appends what tells a value from others. */
static void
append_value(StringInfo key, const JsonbValue *value)
{
	appendStringInfoChar(key, (char) ('a' + value->type));
	switch (value->type)
	{
		case jbvString:
			appendBinaryStringInfo(key, value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			appendBinaryStringInfo(key, (const char *) value->val.numeric,
								   VARSIZE_ANY(value->val.numeric));
			break;
		case jbvBool:
			appendStringInfoChar(key, value->val.boolean ? 't' : 'f');
			break;
		default:
			if (value->type == jbvBinary)
				appendBinaryStringInfo(key, (const char *) value->val.binary.data,
									   value->val.binary.len);
			break;
	}
	appendStringInfoChar(key, '\0');
}

/* Numbers some labels, found is their values in the order of names; equal ones are read once. */
static int32
labels_number(LabelReader *reader, const char *const *names, const JsonbValue *found, int count)
{
	StrtabEntry *entry;
	Labels *labels;
	bool known;

	if (count == 0)
		return 0;
	resetStringInfo(&reader->key);
	for (int i = 0; i < count; i++)
	{
		appendBinaryStringInfo(&reader->key, names[i], strlen(names[i]) + 1);
		append_value(&reader->key, &found[i]);
	}
	entry = strtab_enter(reader->numbers, reader->key.data, reader->key.len, &known);
	if (known)
		return entry->number;
	if (reader->ndocuments == reader->allocated)
	{
		reader->allocated *= 2;
		reader->documents = repalloc_huge(reader->documents, sizeof(Labels) * reader->allocated);
	}
	labels = &reader->documents[reader->ndocuments];
	*labels = (Labels){0, palloc(sizeof(Label) * count)};
	for (int i = 0; i < count; i++)
	{
		Label *label = &labels->items[labels->count];

		*label = (Label){names[i], label_values(&found[i])};
		labels->count += label->values.count > 0;
	}
	entry->number = reader->ndocuments++;
	return entry->number;
}

/* Numbers those labels of a document that are looked at; 0: there is none. */
static int32
document_number(LabelReader *reader, Datum document)
{
	Jsonb *labels;
	const char **names;
	JsonbValue *found;
	int32 number;
	int count = 0;

	if (document == (Datum) 0 || reader->nnames == 0)
		return 0;
	labels = DatumGetJsonbP(document);
	names = palloc(sizeof(char *) * reader->nnames);
	found = palloc(sizeof(JsonbValue) * reader->nnames);
	for (int i = 0; i < reader->nnames; i++)
		if (getKeyJsonValueFromContainer(&labels->root, reader->names[i], strlen(reader->names[i]),
										 &found[count]) != NULL)
			names[count++] = reader->names[i];
	number = labels_number(reader, names, found, count);
	pfree(names);
	pfree(found);
	return number;
}

/* Numbers all taints of a worker; 0: it has none. */
static int32
taints_number(LabelReader *reader, Datum document)
{
	Jsonb *taints;
	JsonbIterator *iterator;
	const char **names;
	JsonbValue *values;
	JsonbValue key;
	int count = 0;

	if (document == (Datum) 0)
		return 0;
	taints = DatumGetJsonbP(document);
	names = palloc(sizeof(char *) * (JB_ROOT_COUNT(taints) + 1));
	values = palloc(sizeof(JsonbValue) * (JB_ROOT_COUNT(taints) + 1));
	iterator = JsonbIteratorInit(&taints->root);
	(void) JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		names[count] = pnstrdup(key.val.string.val, key.val.string.len);
		(void) JsonbIteratorNext(&iterator, &values[count], true);
		/* null is as good as absent; that it has the name is all that counts */
		if (values[count].type != jbvNull)
			values[count++] = (JsonbValue){.type = jbvBool, .val.boolean = true};
	}
	return labels_number(reader, names, values, count);
}

/* Takes the labels and taints of a worker, 0: none; workers come in order. */
void
labels_of_worker(LabelReader *reader, int worker, Datum labels, Datum taints, const char *hostname)
{
	if (worker >= reader->workers_allocated)
	{
		int n = Max(64, reader->workers_allocated * 2);
		bool first = reader->workers_allocated == 0;

#define GROW(array, type, count) \
	(array) = first ? palloc(sizeof(type) * (count)) : repalloc_huge(array, sizeof(type) * (count))
		GROW(reader->of_workers, int32, n);
		GROW(reader->taints, int32, n);
		GROW(reader->hostnames, const char *, n);
		reader->workers_allocated = n;
	}
	reader->of_workers[worker] = document_number(reader, labels);
	reader->taints[worker] = taints_number(reader, taints);
	reader->hostnames[worker] = hostname;
	reader->any_taints = reader->any_taints || reader->taints[worker] > 0;
}

/* Takes the labels of a device, 0: none; devices come in order. */
void
labels_of_device(LabelReader *reader, int device, Datum labels)
{
	if (device >= reader->devices_allocated)
	{
		int n = Max(64, reader->devices_allocated * 2);
		bool first = reader->devices_allocated == 0;

		GROW(reader->of_devices, int32, n);
		reader->devices_allocated = n;
	}
	reader->of_devices[device] = document_number(reader, labels);
}

/* --- what is asked for --- */

/* Numbers a selector. */
static int32
selector_number(Selectors *selectors, StringInfo key, const Selector *selector)
{
	bool found;
	StrtabEntry *entry = strtab_enter(selectors->numbers, key->data, key->len, &found);

	if (!found)
	{
		if (selectors->count == selectors->allocated)
		{
			selectors->allocated = Max(16, selectors->allocated * 2);
			selectors->items =
				selectors->items == NULL ?
					palloc(sizeof(Selector) * selectors->allocated) :
					repalloc_huge(selectors->items, sizeof(Selector) * selectors->allocated);
		}
		entry->number = selectors->count;
		selectors->items[selectors->count++] = *selector;
	}
	return entry->number;
}

/* Numbers some conditions that are to be met together. */
static int32
number_conditions(Selectors *selectors, const Condition *conditions, int count)
{
	Selector selector = {{count, unconstify(Condition *, conditions)}, NULL};
	StringInfoData key;

	initStringInfo(&key);
	for (int i = 0; i < count; i++)
	{
		append_condition_key(&key, &conditions[i]);
		selectors->of_worker = selectors->of_worker ||
							   strcmp(conditions[i].name, "worker_id") == 0 ||
							   strcmp(conditions[i].name, "hostname") == 0;
	}
	return selector_number(selectors, &key, &selector);
}

static int32
number_tolerations(Selectors *selectors, const NameSet *tolerations)
{
	Selector selector = {{0, NULL}, tolerations};
	StringInfoData key;

	initStringInfo(&key);
	appendStringInfoChar(&key, '\0');
	for (int i = 0; i < tolerations->count; i++)
		appendBinaryStringInfo(&key, tolerations->names[i], strlen(tolerations->names[i]) + 1);
	return selector_number(selectors, &key, &selector);
}

static void
collect_selectors(const LabelReader *reader, Selectors *selectors)
{
	Search *search = &reader->snapshot->search;

	for (int k = 0; k < search->nkinds; k++)
	{
		WorkKind *kind = &search->kinds[k];
		const Conditions *required = &kind->demand.required_labels;
		const Conditions *preferred = &kind->demand.preferred_labels;

		kind->nrequired = required->count > 0;
		kind->required = palloc(sizeof(int32));
		if (required->count > 0)
			kind->required[0] = number_conditions(selectors, required->items, required->count);
		kind->npreferred = preferred->count;
		kind->preferred = palloc(sizeof(int32) * (preferred->count + 1));
		for (int i = 0; i < preferred->count; i++)
			kind->preferred[i] = number_conditions(selectors, &preferred->items[i], 1);
		kind->tolerates =
			reader->any_taints ? number_tolerations(selectors, &kind->demand.tolerations) : -1;
	}
}

/* --- what is met --- */

/* Everything that a device may be selected by. */
typedef struct Selectable
{
	const Worker *worker;
	const DeviceProfile *profile;
	const char *hostname;
	const Labels *of_worker;
	const Labels *of_device;
	const Labels *taints;
} Selectable;

/* Returns the values of a label: the device's own, else its worker's. */
static LabelValues
values_of(const Selectable *device, const char *name, LabelValue *space)
{
	const struct
	{
		const char *name;
		const char *of_device;
		const char *of_worker;
	} implicit[] = {
		{"hardware_class", device->profile->hardware_class, NULL},
		{"vendor", device->profile->vendor, NULL},
		{"model_name", device->profile->model_name, NULL},
		{"worker_id", NULL, device->worker->worker_id},
		{"hostname", NULL, device->hostname},
	};
	const Label *label = label_named(device->of_device, name);
	int i = 0;

	if (label != NULL)
		return label->values;
	while (i < lengthof(implicit) && strcmp(implicit[i].name, name) != 0)
		i++;
	*space = (LabelValue){NULL, NAN};
	if (i < lengthof(implicit))
		space->text = implicit[i].of_device;
	if (space->text == NULL && (label = label_named(device->of_worker, name)) != NULL)
		return label->values;
	if (space->text == NULL && i < lengthof(implicit))
		space->text = implicit[i].of_worker;
	return (LabelValues){space->text != NULL, space};
}

static bool
is_met(const Selector *selector, const Selectable *device)
{
	if (selector->tolerations != NULL)
		for (int i = 0; i < device->taints->count; i++)
			if (!names_contain(selector->tolerations, device->taints->items[i].name))
				return false;
	for (int i = 0; i < selector->all.count; i++)
	{
		const Condition *condition = &selector->all.items[i];
		LabelValue space;
		LabelValues values = values_of(device, condition->name, &space);

		if (!label_meets(&values, condition))
			return false;
	}
	return true;
}

/* What a selection depends on. */
typedef struct SelectionKey
{
	int32 of_worker;
	int32 of_device;
	int32 taints;
	int32 profile;
	int32 worker; /* -1: whichever it is */
} SelectionKey;

/* The sets of bits that there are. */
typedef struct Selections
{
	int count;
	int allocated;
	int words; /* of each */
	uint64 *bits;
	HTAB *numbers; /* by their bits */
	HTAB *known; /* by SelectionKey */
} Selections;

/* Returns the selection of what meets the selectors of some bits. */
static int32
selection_of(Selections *selections, const uint64 *bits)
{
	Size size = sizeof(uint64) * selections->words;
	bool found;
	StrtabEntry *entry = strtab_enter(selections->numbers, (const char *) bits, (int) size, &found);

	if (!found)
	{
		if (selections->count == selections->allocated)
		{
			selections->allocated *= 2;
			selections->bits = repalloc_huge(selections->bits, size * selections->allocated);
		}
		memcpy(&selections->bits[selections->words * selections->count], bits, size);
		entry->number = selections->count++;
	}
	return entry->number;
}

/* Returns the selection of a device. */
static int32
select_device(Selections *selections, const Selectors *selectors, const SelectionKey *key,
			  const Selectable *device, uint64 *space)
{
	bool found;
	StrtabEntry *entry = strtab_enter(selections->known, (const char *) key, sizeof(*key), &found);

	if (found)
		return entry->number;
	memset(space, 0, sizeof(uint64) * selections->words);
	for (int i = 0; i < selectors->count; i++)
		if (is_met(&selectors->items[i], device))
			space[i / 64] |= UINT64CONST(1) << (i % 64);
	CHECK_FOR_INTERRUPTS();
	entry->number = selection_of(selections, space);
	return entry->number;
}

/* --- what work is spread over --- */

static Selectable
selectable(const LabelReader *reader, int w, int d)
{
	const Fleet *fleet = &reader->snapshot->fleet;

	return (Selectable){&fleet->workers[w],
						&fleet->profiles[fleet->devices[d].profile],
						reader->hostnames[w],
						&reader->documents[reader->of_workers[w]],
						&reader->documents[reader->of_devices[d]],
						&reader->documents[reader->taints[w]]};
}

/* Numbers the values that the devices have of the label that a kind of work is spread over. */
static void
number_values(const LabelReader *reader, WorkKind *kind)
{
	const Fleet *fleet = &reader->snapshot->fleet;
	HTAB *numbers = strtab_create("hwsched label values");
	int32 *spread = palloc_huge(sizeof(int32) * (fleet->ndevices + 1));

	kind->nspread = 0;
	kind->spread = spread;
	for (int w = 0; w < fleet->nworkers; w++)
		for (int d = fleet->workers[w].first_device;
			 d < fleet->workers[w].first_device + fleet->workers[w].ndevices; d++)
		{
			Selectable device = selectable(reader, w, d);
			LabelValue space;
			LabelValues values = values_of(&device, kind->demand.spread_by, &space);
			StringInfoData text;
			StrtabEntry *entry;
			bool found;

			CHECK_FOR_INTERRUPTS();
			spread[d] = -1;
			if (values.count == 0)
				continue;
			initStringInfo(&text);
			for (int i = 0; i < values.count; i++)
				appendBinaryStringInfo(&text, values.items[i].text,
									   strlen(values.items[i].text) + 1);
			entry = strtab_enter(numbers, text.data, text.len, &found);
			if (!found)
				entry->number = kind->nspread++;
			spread[d] = entry->number;
			pfree(text.data);
		}
}

/* Numbers the values for each kind that is spread; kinds by the same label share them. */
static void
number_spreads(const LabelReader *reader)
{
	Search *search = &reader->snapshot->search;

	for (int k = 0; k < search->nkinds; k++)
	{
		WorkKind *kind = &search->kinds[k];

		kind->spread = NULL;
		for (int i = 0; i < k && kind->demand.spread_by != NULL && kind->spread == NULL; i++)
			if (same_name(search->kinds[i].demand.spread_by, kind->demand.spread_by))
			{
				kind->spread = search->kinds[i].spread;
				kind->nspread = search->kinds[i].nspread;
			}
		if (kind->demand.spread_by != NULL && kind->spread == NULL)
			number_values(reader, kind);
	}
}

/*
 * Tells, of each device of the fleet, which conditions it meets.  Where no kind of
 * work has any, and no worker a taint, all meet everything.
 */
void
labels_select(LabelReader *reader)
{
	Search *search = &reader->snapshot->search;
	Fleet *fleet = &reader->snapshot->fleet;
	Selectors selectors = {.numbers = strtab_create("hwsched selectors")};
	Selections selections = {.count = 1, .allocated = 16};
	uint64 *space;

	for (int k = 0; k < search->nkinds; k++)
	{
		search->kinds[k].nrequired = search->kinds[k].npreferred = 0;
		search->kinds[k].tolerates = -1;
	}
	number_spreads(reader);
	if (!reader->needed && !reader->any_taints)
		return;
	collect_selectors(reader, &selectors);
	selections.words = (selectors.count + 63) / 64;
	selections.numbers = strtab_create("hwsched selections");
	selections.known = strtab_create("hwsched selected");
	/* the first one, that meets everything, is never looked into */
	selections.bits = palloc0(sizeof(uint64) * selections.words * selections.allocated);
	space = palloc(sizeof(uint64) * (selections.words + 1));
	for (int w = 0; w < fleet->nworkers; w++)
	{
		const Worker *worker = &fleet->workers[w];

		for (int d = worker->first_device; d < worker->first_device + worker->ndevices; d++)
		{
			Device *device = &fleet->devices[d];
			SelectionKey key = {reader->of_workers[w], reader->of_devices[d], reader->taints[w],
								device->profile, selectors.of_worker ? w : -1};
			Selectable what = selectable(reader, w, d);

			device->selection = select_device(&selections, &selectors, &key, &what, space);
		}
	}
	fleet->selections = selections.bits;
	fleet->selection_words = selections.words;
}

/*
 * Returns whether a device meets a condition on one of the labels that are asked for, and sets
 * values to what it has of that label; space is room for one.
 */
bool
device_label(const PoolSnapshot *snapshot, int worker, int device, const Condition *condition,
			 LabelValue *space, LabelValues *values)
{
	Selectable what = selectable(snapshot->labels, worker, device);

	*values = values_of(&what, condition->name, space);
	return label_meets(values, condition);
}

/* Returns the taints of a worker, by their names. */
const Labels *
worker_taints(const PoolSnapshot *snapshot, int worker)
{
	return &snapshot->labels->documents[snapshot->labels->taints[worker]];
}
