/*
 * jsonb_writer.c
 *		Pushes single values into a jsonb that is being built.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "document/jsonb_writer.h"

/* Pushes a text as token says: a key, an element or a value. */
void
push_text(JsonbParseState **state, JsonbIteratorToken token, const char *text)
{
	JsonbValue value;

	value.type = jbvString;
	value.val.string.val = (char *) text;
	value.val.string.len = strlen(text);
	pushJsonbValue(state, token, &value);
}

/* Pushes the key of the next value. */
void
push_key(JsonbParseState **state, const char *key)
{
	push_text(state, WJB_KEY, key);
}

/* Pushes a value. */
void
push_bool(JsonbParseState **state, bool truth)
{
	JsonbValue value;

	value.type = jbvBool;
	value.val.boolean = truth;
	pushJsonbValue(state, WJB_VALUE, &value);
}

static void
push_numeric(JsonbParseState **state, JsonbIteratorToken token, Datum numeric)
{
	JsonbValue value;

	value.type = jbvNumeric;
	value.val.numeric = DatumGetNumeric(numeric);
	pushJsonbValue(state, token, &value);
}

/* Pushes a value. */
void
push_integer(JsonbParseState **state, int64 number)
{
	push_numeric(state, WJB_VALUE, DirectFunctionCall1(int8_numeric, Int64GetDatum(number)));
}

/*
 * Pushes a value or an element.  It goes through the shortest exact text: the cast to numeric
 * would round, and so would a double's output function with the caller's extra_float_digits.
 */
void
push_double_as(JsonbParseState **state, JsonbIteratorToken token, double number)
{
	char text[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(number, text);
	push_numeric(state, token,
				 DirectFunctionCall3(numeric_in, CStringGetDatum(text),
									 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* Pushes a value. */
void
push_double(JsonbParseState **state, double number)
{
	push_double_as(state, WJB_VALUE, number);
}
