/*
 * taxonomy.c
 *		A session's copy of the taxonomy tables.
 */
#include "postgres.h"

#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "document/taxonomy.h"
#include "support/session_copy.h"
#include "support/spi_plan.h"

typedef struct Similarity
{
	const char *a;
	const char *b;
	double similarity;
} Similarity;

typedef struct Taxonomy
{
	MemoryContext context;
	NameSet names[NAME_STRATEGY + 1];
	int nwords;
	TypeWord *words;
	int ndevices;
	ImpliedDevice *devices;
	int nsimilarities;
	Similarity *similarities;
} Taxonomy;

/* SQL spelling of the kinds that are rows of hwsched.taxonomy. */
static const char *const kind_names[] = {
	NULL,		 "hardware_class", "architecture",	"vendor", "backend",
	"precision", "feature",		   "workload_type", NULL,	  "allocation_strategy"};

static NameSet
names_of_array(Datum datum)
{
	Datum *elements;
	bool *nulls;
	int count;
	NameSet set = {0, NULL};

	deconstruct_array(DatumGetArrayTypeP(datum), TEXTOID, -1, false, TYPALIGN_INT, &elements,
					  &nulls, &count);
	set.names = palloc(sizeof(char *) * (count + 1));
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			set.names[set.count++] = TextDatumGetCString(elements[i]);
	return set;
}

static void
load_names(Taxonomy *taxonomy)
{
	static SpiPlan statement = {
		"SELECT pg_catalog.array_agg(name ORDER BY name COLLATE \"C\") FROM hwsched.taxonomy"
		" WHERE kind::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1)",
		{TEXTARRAYOID}};

	for (int kind = NAME_HARDWARE_CLASS; kind <= NAME_STRATEGY; kind++)
	{
		const char *wanted[2] = {kind_names[kind], NULL};
		int n = 1;
		bool isnull;
		Datum names;

		if (kind == NAME_BACKEND_OR_CLASS)
		{
			wanted[0] = kind_names[NAME_BACKEND];
			wanted[n++] = kind_names[NAME_HARDWARE_CLASS];
		}
		spi_plan_run(&statement, true, text_array(wanted, n));
		names = column(0, 1, &isnull);
		if (!isnull)
		{
			MemoryContext old = MemoryContextSwitchTo(taxonomy->context);

			taxonomy->names[kind] = names_of_array(names);
			MemoryContextSwitchTo(old);
		}
	}
}

static void
load_words(Taxonomy *taxonomy)
{
	static SpiPlan statement = {
		"SELECT w.word, w.workload_type FROM hwsched.type_word w JOIN hwsched.taxonomy t"
		" ON t.kind = 'workload_type' AND t.name = w.workload_type"
		" ORDER BY w.position, w.word COLLATE \"C\"",
		{0}};
	int n = (int) spi_plan_execute(&statement, true, NULL, 0);
	MemoryContext old = MemoryContextSwitchTo(taxonomy->context);

	taxonomy->words = palloc(sizeof(TypeWord) * (n + 1));
	for (int i = 0; i < n; i++)
		taxonomy->words[i] = (TypeWord){column_text(i, 1), column_text(i, 2)};
	taxonomy->nwords = n;
	MemoryContextSwitchTo(old);
}

static void
load_devices(Taxonomy *taxonomy)
{
	static SpiPlan statement = {
		"SELECT name, words, absorbs, only_listed, profile FROM hwsched.implied_device"
		" ORDER BY position, name COLLATE \"C\"",
		{0}};
	int n = (int) spi_plan_execute(&statement, true, NULL, 0);
	MemoryContext old = MemoryContextSwitchTo(taxonomy->context);

	taxonomy->devices = palloc0(sizeof(ImpliedDevice) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		ImpliedDevice *device = &taxonomy->devices[i];
		bool isnull;

		device->name = column_text(i, 1);
		device->words = names_of_array(column(i, 2, &isnull));
		device->absorbs = names_of_array(column(i, 3, &isnull));
		device->only_listed = column_bool(i, 4);
		device->profile = column_jsonb(i, 5);
	}
	taxonomy->ndevices = n;
	MemoryContextSwitchTo(old);
}

static void
load_similarities(Taxonomy *taxonomy)
{
	static SpiPlan statement = {"SELECT class_1, class_2, similarity FROM hwsched.class_similarity",
								{0}};
	int n = (int) spi_plan_execute(&statement, true, NULL, 0);
	MemoryContext old = MemoryContextSwitchTo(taxonomy->context);

	taxonomy->similarities = palloc(sizeof(Similarity) * (n + 1));
	for (int i = 0; i < n; i++)
		taxonomy->similarities[i] =
			(Similarity){column_text(i, 1), column_text(i, 2), column_number(i, 3)};
	taxonomy->nsimilarities = n;
	MemoryContextSwitchTo(old);
}

static void
load(void *kept, MemoryContext context)
{
	Taxonomy *taxonomy = kept;

	taxonomy->context = context;
	load_names(taxonomy);
	load_words(taxonomy);
	load_devices(taxonomy);
	load_similarities(taxonomy);
}

static SessionCopy copy = {"taxonomy",
						   {"taxonomy", "type_word", "implied_device", "class_similarity"},
						   sizeof(Taxonomy),
						   load};

/* Returns the session's copy, read anew if there is none or it is stale. */
static const Taxonomy *
taxonomy_get(void)
{
	return session_copy_is_fresh(&copy) ? copy.current : session_copy_read(&copy);
}

/* Returns whether the taxonomy has a name of this kind. */
bool
taxonomy_knows(TaxonomyKind kind, const char *name)
{
	return names_contain(&taxonomy_get()->names[kind], name);
}

/* Returns the known names of a kind. */
const NameSet *
taxonomy_names(TaxonomyKind kind)
{
	return &taxonomy_get()->names[kind];
}

/* Returns the known names of a kind, for a hint: "cpu, gpu, tpu". */
const char *
taxonomy_list(TaxonomyKind kind)
{
	const NameSet *set = &taxonomy_get()->names[kind];
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < set->count; i++)
		appendStringInfo(&list, "%s%s", i ? ", " : "", set->names[i]);
	return list.data;
}

/* Returns the words that tell the type of a test, in order of trial. */
const TypeWord *
taxonomy_type_words(int *count)
{
	const Taxonomy *taxonomy = taxonomy_get();

	*count = taxonomy->nwords;
	return taxonomy->words;
}

/* Returns the kinds of device that words imply, in order. */
const ImpliedDevice *
taxonomy_implied_devices(int *count)
{
	const Taxonomy *taxonomy = taxonomy_get();

	*count = taxonomy->ndevices;
	return taxonomy->devices;
}

/*
 * Returns how well one hardware class stands in for another, 0..1: the row of
 * the pair in either order, else 1 for a class with itself and 0 for others.
 */
double
taxonomy_class_similarity(const char *a, const char *b)
{
	const Taxonomy *taxonomy = taxonomy_get();

	for (int i = 0; i < taxonomy->nsimilarities; i++)
	{
		const Similarity *row = &taxonomy->similarities[i];

		if ((same_name(row->a, a) && same_name(row->b, b)) ||
			(same_name(row->a, b) && same_name(row->b, a)))
			return row->similarity;
	}
	return same_name(a, b) ? 1.0 : 0.0;
}
