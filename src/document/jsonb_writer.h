/*
 * jsonb_writer.h
 *		Pushes single values into a jsonb that is being built.
 */
#ifndef HWSCHED_DOCUMENT_JSONB_WRITER_H
#define HWSCHED_DOCUMENT_JSONB_WRITER_H

#include "utils/jsonb.h"

extern void push_text(JsonbParseState **state, JsonbIteratorToken token, const char *text);
extern void push_key(JsonbParseState **state, const char *key);
extern void push_bool(JsonbParseState **state, bool truth);
extern void push_integer(JsonbParseState **state, int64 number);
extern void push_double_as(JsonbParseState **state, JsonbIteratorToken token, double number);
extern void push_double(JsonbParseState **state, double number);

#endif /* HWSCHED_DOCUMENT_JSONB_WRITER_H */
