/*
 * inspection.h
 *		What is looked for in documents that people write: keys that nothing
 *		reads, names that do not exist, and values that cannot be meant so.
 *
 * A document is read with an inspection, or with NULL if it was inspected
 * before, when it was submitted or registered.
 */
#ifndef HWSCHED_DOCUMENT_INSPECTION_H
#define HWSCHED_DOCUMENT_INSPECTION_H

#include "postgres.h"

#include "document/document.h"

/* Within ereport(): the path of the key, as the error's column name. */
#define errpath(path) err_generic_string(PG_DIAG_COLUMN_NAME, path)

typedef enum UnknownKeys
{
	UNKNOWN_KEEP,
	UNKNOWN_WARN,
	UNKNOWN_REFUSE
} UnknownKeys;

/* One thing found, as check_requirements() and check_capabilities() list it. */
typedef struct Finding
{
	const char *path;
	const char *severity; /* error, warning or info */
	const char *message;
	const char *hint; /* NULL: none */
} Finding;

/*
 * An inspection of the documents of one call.  It raises what it finds as errors
 * and warnings, or lists it.
 */
typedef struct Inspection
{
	UnknownKeys unknown_keys;
	bool names_only; /* names are looked at, and nothing is warned of */
	bool lists;
	int nwarnings; /* raised */
	int count;
	int allocated;
	Finding *findings;
	MemoryContext context; /* of the findings */
} Inspection;

/* How pure functions read documents: unknown names are errors, and nothing else is new. */
extern Inspection *inspect_names(void);

extern void inspection_begin(Inspection *inspection, UnknownKeys unknown_keys);
extern void inspection_list(Inspection *inspection);
extern void inspection_unknown_key(Inspection *inspection, const Document *document,
								   const char *path, const char *key);
extern void inspection_warn(Inspection *inspection, const char *path, const char *hint,
							const char *format, ...) pg_attribute_printf(4, 5);
extern void inspection_inform(Inspection *inspection, const char *path, const char *format, ...)
	pg_attribute_printf(3, 4);
extern void inspection_catch(Inspection *inspection, const char *path);
extern void inspection_try(Inspection *inspection, void (*step)(void *), void *argument);
extern void inspection_end(const Inspection *inspection);

#endif /* HWSCHED_DOCUMENT_INSPECTION_H */
