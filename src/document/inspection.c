/*
 * inspection.c
 *		What is looked for in documents that people write.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "document/inspection.h"
#include "support/nearest.h"

/* A call raises at most so many warnings, and says how many there are more. */
#define MOST_WARNINGS 10

/* Returns an inspection of names only. */
Inspection *
inspect_names(void)
{
	static Inspection names = {.names_only = true};

	return &names;
}

/* Begins an inspection that raises what it finds. */
void
inspection_begin(Inspection *inspection, UnknownKeys unknown_keys)
{
	memset(inspection, 0, sizeof(*inspection));
	inspection->unknown_keys = unknown_keys;
	inspection->context = CurrentMemoryContext;
}

/* Makes an inspection list what it finds from now on. */
void
inspection_list(Inspection *inspection)
{
	inspection->lists = true;
}

static void
add_finding(Inspection *inspection, const char *path, const char *severity, const char *message,
			const char *hint)
{
	MemoryContext caller = MemoryContextSwitchTo(inspection->context);

	if (inspection->count == inspection->allocated)
	{
		inspection->allocated = Max(16, inspection->allocated * 2);
		inspection->findings =
			inspection->findings == NULL ?
				palloc(sizeof(Finding) * inspection->allocated) :
				repalloc(inspection->findings, sizeof(Finding) * inspection->allocated);
	}
	inspection->findings[inspection->count++] =
		(Finding){pstrdup(path), severity, pstrdup(message), hint != NULL ? pstrdup(hint) : NULL};
	MemoryContextSwitchTo(caller);
}

/* Finds a warning. */
static void
warn(Inspection *inspection, const char *path, const char *message, const char *hint)
{
	if (inspection->lists)
		add_finding(inspection, path, "warning", message, hint);
	else if (inspection->nwarnings++ < MOST_WARNINGS)
		ereport(WARNING, (errcode(ERRCODE_WARNING), errmsg("%s", message),
						  hint != NULL ? errhint("%s", hint) : 0, errpath(path)));
}

/*
 * Warns of what is allowed and probably not meant so; path is the key's, hint may
 * be NULL.  Nothing is inspected with NULL.
 */
void
inspection_warn(Inspection *inspection, const char *path, const char *hint, const char *format, ...)
{
	StringInfoData message;
	int needed;

	if (inspection == NULL || inspection->names_only)
		return;
	initStringInfo(&message);
	do
	{
		va_list arguments;

		va_start(arguments, format);
		needed = appendStringInfoVA(&message, format, arguments);
		va_end(arguments);
		if (needed > 0)
			enlargeStringInfo(&message, needed);
	} while (needed > 0);
	warn(inspection, path, message.data, hint);
}

/* Tells in a list what is inferred from a document. */
void
inspection_inform(Inspection *inspection, const char *path, const char *format, ...)
{
	StringInfoData message;
	int needed;

	if (inspection == NULL || !inspection->lists)
		return;
	initStringInfo(&message);
	do
	{
		va_list arguments;

		va_start(arguments, format);
		needed = appendStringInfoVA(&message, format, arguments);
		va_end(arguments);
		if (needed > 0)
			enlargeStringInfo(&message, needed);
	} while (needed > 0);
	add_finding(inspection, path, "info", message.data, NULL);
}

/* Returns what may have been meant by a key that a document does not know. */
static const char *
hint_for(const Document *document, const char *key)
{
	NearestName nearest = {key};
	StringInfoData hint;

	document_nearest_field(document, &nearest);
	initStringInfo(&hint);
	if (nearest.name != NULL)
		appendStringInfo(&hint, "Did you mean \"%s\"?", nearest.name);
	else
	{
		appendStringInfoString(&hint, "Known keys are: ");
		document_list_keys(document, &hint);
		appendStringInfoChar(&hint, '.');
	}
	if (document->own != NULL)
		appendStringInfo(&hint, " What is your own goes into \"%s\".", document->own);
	return hint.data;
}

/*
 * Finds a key that a document does not know; path is the document's, NULL or ""
 * at the top.  Raises ERRCODE_INVALID_PARAMETER_VALUE where such are refused.
 */
void
inspection_unknown_key(Inspection *inspection, const Document *document, const char *path,
					   const char *key)
{
	const char *place = document_path(path, key);
	const char *message;
	const char *hint;

	if (inspection->names_only || inspection->unknown_keys == UNKNOWN_KEEP)
		return;
	message = psprintf("unknown key in %s: \"%s\"", document->name, place);
	hint = hint_for(document, key);
	if (inspection->unknown_keys == UNKNOWN_WARN)
		warn(inspection, place, message, hint);
	else if (inspection->lists)
		add_finding(inspection, place, "error", message, hint);
	else
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", message),
						errhint("%s", hint), errpath(place)));
}

/*
 * Lists the error that is being handled, if it is of the document; path is its
 * place if the error does not say.  Goes on with any other error, and with all if
 * nothing is listed.
 */
void
inspection_catch(Inspection *inspection, const char *path)
{
	ErrorData *error;

	if (inspection == NULL || !inspection->lists ||
		(geterrcode() != ERRCODE_INVALID_PARAMETER_VALUE &&
		 geterrcode() != ERRCODE_FEATURE_NOT_SUPPORTED))
		PG_RE_THROW();
	MemoryContextSwitchTo(inspection->context);
	error = CopyErrorData();
	FlushErrorState();
	add_finding(inspection, error->column_name != NULL ? error->column_name : path, "error",
				error->detail == NULL ? error->message :
										psprintf("%s: %s", error->message, error->detail),
				error->hint);
	FreeErrorData(error);
}

/*
 * Takes a step of an inspection; what it raises of the document is listed if
 * findings are.  A step holds no resources but memory.
 */
void
inspection_try(Inspection *inspection, void (*step)(void *), void *argument)
{
	MemoryContext caller = CurrentMemoryContext;

	if (inspection == NULL || !inspection->lists)
	{
		step(argument);
		return;
	}
	PG_TRY();
	{
		step(argument);
	}
	PG_CATCH();
	{
		inspection_catch(inspection, "");
		MemoryContextSwitchTo(caller);
	}
	PG_END_TRY();
}

/* Ends a call's inspection: says how many warnings it did not raise. */
void
inspection_end(const Inspection *inspection)
{
	if (inspection->nwarnings > MOST_WARNINGS)
		ereport(WARNING, (errcode(ERRCODE_WARNING),
						  errmsg("%d more warnings", inspection->nwarnings - MOST_WARNINGS),
						  errhint("hwsched.check_requirements() lists those of one document.")));
}
