/*
 * json.h
 *		Reads JSON documents into structs.  The only file that knows cJSON.
 */
#ifndef HWSCHED_DOCUMENT_JSON_H
#define HWSCHED_DOCUMENT_JSON_H

#include "document/document.h"

extern void document_read(const Document *document, Jsonb *jsonb, const char *path,
						  bool check_names, void *values);
extern const char *document_path(const char *path, const char *key);
extern void document_overlay(const Document *document, Jsonb *jsonb, const char *path,
							 bool check_names, void *values);
extern Jsonb *document_write(const Document *document, const void *values);
extern void push_document(JsonbParseState **state, const Document *document, const void *values);
extern void append_document_key(StringInfo key, const Document *document, const void *values);

#endif /* HWSCHED_DOCUMENT_JSON_H */
