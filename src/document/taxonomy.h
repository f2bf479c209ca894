/*
 * taxonomy.h
 *		The names that documents may use, and what the words in them mean.  All
 *		of it is rows of tables that an administrator can add to; a session
 *		keeps a copy until one of these tables changes.
 */
#ifndef HWSCHED_DOCUMENT_TAXONOMY_H
#define HWSCHED_DOCUMENT_TAXONOMY_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "document/profile.h"

typedef enum TaxonomyKind
{
	NAME_FREE, /* any name */
	NAME_HARDWARE_CLASS,
	NAME_ARCHITECTURE,
	NAME_VENDOR,
	NAME_BACKEND,
	NAME_PRECISION,
	NAME_FEATURE,
	NAME_WORKLOAD_TYPE,
	NAME_BACKEND_OR_CLASS, /* what may be required or counted */
	NAME_STRATEGY
} TaxonomyKind;

/* A word of a test_type and the workload type it means, in order of trial. */
typedef struct TypeWord
{
	const char *word;
	const char *workload_type;
} TypeWord;

/*
 * A kind of device that words of supported_backends imply.  Any of words says
 * that it is there; absorbs are further words that then mean the same device.
 */
typedef struct ImpliedDevice
{
	const char *name;
	NameSet words; /* in order of preference */
	NameSet absorbs;
	bool only_listed; /* supports only those backends its worker lists */
	Jsonb *profile; /* a device profile; model_name is a prefix */
} ImpliedDevice;

extern bool taxonomy_knows(TaxonomyKind kind, const char *name);
extern const NameSet *taxonomy_names(TaxonomyKind kind);
extern const char *taxonomy_list(TaxonomyKind kind);
extern const TypeWord *taxonomy_type_words(int *count);
extern const ImpliedDevice *taxonomy_implied_devices(int *count);
extern double taxonomy_class_similarity(const char *a, const char *b);

#endif /* HWSCHED_DOCUMENT_TAXONOMY_H */
