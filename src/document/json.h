/*
 * json.h
 *		Reads JSON documents into structs.  The only file that knows cJSON.
 */
#ifndef HWSCHED_DOCUMENT_JSON_H
#define HWSCHED_DOCUMENT_JSON_H

#include "document/document.h"
#include "document/inspection.h"

extern void document_read(const Document *document, Jsonb *jsonb, const char *path,
						  Inspection *inspection, void *values);
extern void document_overlay(const Document *document, Jsonb *jsonb, const char *path,
							 Inspection *inspection, void *values);
extern Jsonb *document_write(const Document *document, const void *values);
extern void push_document(JsonbParseState **state, const Document *document, const void *values);
extern void append_condition_key(StringInfo key, const Condition *condition);
extern bool document_field_differs(const Field *field, const void *a, const void *b);
extern void append_document_key(StringInfo key, const Document *document, const void *values);

#endif /* HWSCHED_DOCUMENT_JSON_H */
