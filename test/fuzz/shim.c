/*
 * shim.c
 *		The little of PostgreSQL that the modules under fuzzing use; see shim.h.
 */
#include "shim.h"

#include <cjson/cJSON.h>

#define MOST_MEMORY 0x3fffffff /* of one palloc, as in PostgreSQL */

/* What the process may hold at once: documents are small, so more is a leak or a mistake. */
#define MOST_HUGE ((Size) 1 << 31)

void
finding(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "FINDING: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	abort();
}

/* --- memory --- */

typedef struct Block
{
	struct Block *previous;
	struct Block *next;
	MemoryContext context;
	Size size;
	_Alignas(16) char data[];
} Block;

struct MemoryContextData
{
	MemoryContext parent;
	MemoryContext children;
	MemoryContext sibling;
	Block blocks; /* head of a ring */
};

MemoryContext CurrentMemoryContext = NULL;
static MemoryContext top = NULL;

MemoryContext
AllocSetContextCreate(MemoryContext parent, const char *name, int sizes)
{
	MemoryContext context = calloc(1, sizeof(*context));

	context->blocks.next = context->blocks.previous = &context->blocks;
	context->parent = parent;
	if (parent != NULL)
	{
		context->sibling = parent->children;
		parent->children = context;
	}
	return context;
}

MemoryContext
MemoryContextSwitchTo(MemoryContext context)
{
	MemoryContext before = CurrentMemoryContext;

	CurrentMemoryContext = context;
	return before;
}

static void
free_block(Block *block)
{
	block->next->previous = block->previous;
	block->previous->next = block->next;
	free(block);
}

void
MemoryContextDelete(MemoryContext context)
{
	while (context->children != NULL)
		MemoryContextDelete(context->children);
	if (context->parent != NULL)
	{
		MemoryContext *link = &context->parent->children;

		while (*link != context)
			link = &(*link)->sibling;
		*link = context->sibling;
	}
	while (context->blocks.next != &context->blocks)
		free_block(context->blocks.next);
	free(context);
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	Block *block;

	if (size > MOST_HUGE)
		finding("%zu bytes at once", size);
	block = malloc(sizeof(Block) + size);
	/* what is not set must not matter */
	memset(block->data, 0x7F, size);
	*block = (Block){context->blocks.previous, &context->blocks, context, size};
	block->previous->next = block->next->previous = block;
	return block->data;
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	if (size > MOST_MEMORY)
		finding("invalid memory alloc request size %zu", size);
	return MemoryContextAllocHuge(context, size);
}

char *
MemoryContextStrdup(MemoryContext context, const char *text)
{
	return strcpy(MemoryContextAlloc(context, strlen(text) + 1), text);
}

void *
palloc(Size size)
{
	return MemoryContextAlloc(CurrentMemoryContext, size);
}

void *
palloc0(Size size)
{
	return memset(palloc(size), 0, size);
}

void *
palloc_extended(Size size, int flags)
{
	return flags & MCXT_ALLOC_HUGE ? MemoryContextAllocHuge(CurrentMemoryContext, size) :
									 palloc(size);
}

static Block *
block_of(void *pointer)
{
	return (Block *) ((char *) pointer - offsetof(Block, data));
}

void *
repalloc_huge(void *pointer, Size size)
{
	Block *block = block_of(pointer);
	void *moved = MemoryContextAllocHuge(block->context, size);

	memcpy(moved, pointer, Min(size, block->size));
	free_block(block);
	return moved;
}

void *
repalloc(void *pointer, Size size)
{
	if (size > MOST_MEMORY)
		finding("invalid memory alloc request size %zu", size);
	return repalloc_huge(pointer, size);
}

void
pfree(void *pointer)
{
	free_block(block_of(pointer));
}

char *
pstrdup(const char *text)
{
	return MemoryContextStrdup(CurrentMemoryContext, text);
}

char *
psprintf(const char *format, ...)
{
	va_list args;
	va_list again;
	char *text;

	va_start(args, format);
	va_copy(again, args);
	text = palloc(vsnprintf(NULL, 0, format, args) + 1);
	vsprintf(text, format, again);
	va_end(again);
	va_end(args);
	return text;
}

void
shim_reset(void)
{
	if (top != NULL)
		MemoryContextDelete(top);
	CurrentMemoryContext = top = AllocSetContextCreate(NULL, "top", 0);
	PG_exception_stack = NULL;
}

/* As support/arena.c has them. */
void *
arena_begin(const char *name)
{
	return CurrentMemoryContext = AllocSetContextCreate(CurrentMemoryContext, name, 0);
}

void
arena_leave(void *scope)
{
	CurrentMemoryContext = ((MemoryContext) scope)->parent;
}

void
arena_free(void *scope)
{
	MemoryContextDelete(scope);
}

void *
palloc_beside(const void *other, Size size)
{
	return MemoryContextAllocHuge(block_of((void *) other)->context, size);
}

/* --- errors --- */

sigjmp_buf *PG_exception_stack = NULL;
int shim_sqlstate = 0;
char shim_message[65536];

void
shim_begin_error(void)
{
	shim_sqlstate = ERRCODE_INTERNAL_ERROR;
	shim_message[0] = '\0';
}

void
shim_throw(void)
{
	if (PG_exception_stack == NULL)
		finding("an error that nobody catches: %s", shim_message);
	siglongjmp(*PG_exception_stack, 1);
}

int
errcode(int sqlstate)
{
	return shim_sqlstate = sqlstate;
}

int
geterrcode(void)
{
	return shim_sqlstate;
}

static int
add_message(const char *format, va_list args)
{
	size_t length = strlen(shim_message);

	return vsnprintf(shim_message + length, sizeof(shim_message) - length, format, args);
}

#define MESSAGE_FUNCTION(name) \
	int name(const char *format, ...) \
	{ \
		va_list args; \
		int length; \
\
		va_start(args, format); \
		length = add_message(format, args); \
		va_end(args); \
		return length; \
	}

MESSAGE_FUNCTION(errmsg)
MESSAGE_FUNCTION(errdetail)
MESSAGE_FUNCTION(errhint)

/* --- texts --- */

void
initStringInfo(StringInfo string)
{
	*string = (StringInfoData){palloc(64), 0, 64};
	string->data[0] = '\0';
}

void
appendBinaryStringInfo(StringInfo string, const void *data, int length)
{
	if (string->len + length >= string->maxlen)
	{
		string->maxlen = 2 * (string->len + length + 1);
		string->data = repalloc(string->data, string->maxlen);
	}
	memcpy(string->data + string->len, data, length);
	string->data[string->len += length] = '\0';
}

void
appendStringInfoChar(StringInfo string, char c)
{
	appendBinaryStringInfo(string, &c, 1);
}

void
appendStringInfo(StringInfo string, const char *format, ...)
{
	va_list args;
	va_list again;
	char *text;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	text = palloc(length + 1);
	vsprintf(text, format, again);
	va_end(again);
	va_end(args);
	appendBinaryStringInfo(string, text, length);
	pfree(text);
}

/* Returns the length of the character that a byte begins, as PostgreSQL takes it. */
static int
utf8_length(unsigned char c)
{
	return c < 0x80			  ? 1 :
		   (c & 0xE0) == 0xC0 ? 2 :
		   (c & 0xF0) == 0xE0 ? 3 :
		   (c & 0xF8) == 0xF0 ? 4 :
								1;
}

int
pg_mbcliplen(const char *text, int length, int limit)
{
	int clipped = 0;

	while (clipped < length && text[clipped] != '\0')
	{
		int l = utf8_length(text[clipped]);

		if (clipped + l > limit)
			break;
		clipped += l;
	}
	return Min(clipped, length);
}

bool
shim_is_utf8(const char *text, size_t length)
{
	for (size_t i = 0; i < length;)
	{
		unsigned char c = text[i];
		int l = utf8_length(c);

		if (c == 0 || (l == 1 && c >= 0x80) || i + l > length || c == 0xC0 || c == 0xC1 || c > 0xF4)
			return false;
		for (int j = 1; j < l; j++)
			if (((unsigned char) text[i + j] & 0xC0) != 0x80)
				return false;
		i += l;
	}
	return true;
}

unsigned char
pg_ascii_tolower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

int
pg_strncasecmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		int x = pg_ascii_tolower(a[i]);
		int y = pg_ascii_tolower(b[i]);

		if (x != y || x == 0)
			return x - y;
	}
	return 0;
}

char *
asc_tolower(const char *text, size_t length)
{
	char *lower = palloc(length + 1);

	for (size_t i = 0; i < length; i++)
		lower[i] = pg_ascii_tolower(text[i]);
	lower[length] = '\0';
	return lower;
}

/* --- values by their input functions --- */

/* Reads "<number> <unit>", the extremes of an interval among them. */
Datum
interval_in(Datum datum)
{
	const char *text = (const char *) datum;
	char *end;
	double number = strtod(text, &end);
	Interval *interval = palloc0(sizeof(Interval));

	if (end == text || !(fabs(number) < 1e9))
		ereport(ERROR, (errcode(ERRCODE_INVALID_DATETIME_FORMAT),
						errmsg("invalid interval: \"%s\"", text)));
	end += *end == ' ';
	if (strncmp(end, "mon", 3) == 0)
		interval->month = (int32) number;
	else if (*end == 'd')
		interval->day = (int32) number;
	else
		interval->time = (int64) (number * (*end == 'h' ? 3600 : *end == 'm' ? 60 : 1) * 1e6);
	return (Datum) interval;
}

/* Reads a number of seconds, and "infinity". */
Datum
timestamptz_in(Datum datum)
{
	const char *text = (const char *) datum;
	char *end;
	double number = strtod(text, &end);

	if (strcmp(text, "infinity") == 0)
		return (Datum) DT_NOEND;
	if (end == text || !(fabs(number) < 1e12))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_DATETIME_FORMAT), errmsg("invalid time: \"%s\"", text)));
	return (Datum) (int64) (number * 1e6);
}

Datum
int8_numeric(Datum number)
{
	return (Datum) psprintf("%lld", (long long) number);
}

Datum
numeric_in(Datum text)
{
	char *end;

	(void) strtod((char *) text, &end);
	if (*end != '\0' || strpbrk((char *) text, "nN") != NULL)
		finding("written as a number: %s", (char *) text);
	return (Datum) pstrdup((char *) text);
}

int
double_to_shortest_decimal_buf(double number, char *text)
{
	int length = snprintf(text, DOUBLE_SHORTEST_DECIMAL_LEN, "%.15g", number);

	return strtod(text, NULL) == number ?
			   length :
			   snprintf(text, DOUBLE_SHORTEST_DECIMAL_LEN, "%.17g", number);
}

/* --- documents --- */

Jsonb *
shim_jsonb(const char *text)
{
	Jsonb *jsonb = palloc(sizeof(Jsonb));

	jsonb->root.text = text;
	return jsonb;
}

bool
JsonContainerIsObject(const JsonbContainer *container)
{
	return container->text[strspn(container->text, " \t\r\n")] == '{';
}

bool
JsonContainerIsArray(const JsonbContainer *container)
{
	return container->text[strspn(container->text, " \t\r\n")] == '[';
}

char *
JsonbToCString(StringInfo out, JsonbContainer *container, int estimated_length)
{
	return pstrdup(container->text);
}

static void
set_binary(JsonbValue *value, const cJSON *item)
{
	char *text = cJSON_PrintUnformatted(item);

	if (text == NULL)
		finding("a document that was read cannot be written");
	value->type = cJSON_IsNull(item) ? jbvNull : jbvBinary;
	value->val.binary.data = &shim_jsonb(pstrdup(text))->root;
	cJSON_free(text);
}

JsonbValue *
getKeyJsonValueFromContainer(JsonbContainer *container, const char *key, int length,
							 JsonbValue *result)
{
	cJSON *root = cJSON_Parse(container->text);
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, psprintf("%.*s", length, key));

	if (item != NULL)
		set_binary(result, item);
	cJSON_Delete(root);
	return item == NULL ? NULL : result;
}

struct JsonbParseState
{
	StringInfoData text;
	JsonbValue whole;
};

static void
append_text(StringInfo out, const JsonbValue *value)
{
	appendStringInfoChar(out, '"');
	for (int i = 0; i < value->val.string.len; i++)
	{
		unsigned char c = value->val.string.val[i];

		if (c < 0x20 || c == '"' || c == '\\')
			appendStringInfo(out, "\\u%04x", c);
		else
			appendStringInfoChar(out, c);
	}
	appendStringInfoChar(out, '"');
}

static void
append_value(StringInfo out, const JsonbValue *value)
{
	if (value->type == jbvString)
		append_text(out, value);
	else
		appendStringInfo(out, "%s",
						 value->type == jbvNumeric ? value->val.numeric :
						 value->type == jbvBinary || value->type == jbvNull ?
													 value->val.binary.data->text :
						 value->val.boolean ? "true" :
											  "false");
}

JsonbValue *
pushJsonbValue(JsonbParseState **state, JsonbIteratorToken token, JsonbValue *value)
{
	StringInfo text;
	char last;

	if (*state == NULL)
	{
		*state = palloc(sizeof(JsonbParseState));
		initStringInfo(&(*state)->text);
	}
	text = &(*state)->text;
	last = text->len == 0 ? ':' : text->data[text->len - 1];
	if (token != WJB_END_ARRAY && token != WJB_END_OBJECT && strchr("[{:", last) == NULL)
		appendStringInfoChar(text, ',');
	switch (token)
	{
		case WJB_BEGIN_OBJECT:
			appendStringInfoChar(text, '{');
			break;
		case WJB_BEGIN_ARRAY:
			appendStringInfoChar(text, '[');
			break;
		case WJB_END_OBJECT:
			appendStringInfoChar(text, '}');
			break;
		case WJB_END_ARRAY:
			appendStringInfoChar(text, ']');
			break;
		case WJB_KEY:
			append_text(text, value);
			appendStringInfoChar(text, ':');
			break;
		default:
			append_value(text, value);
	}
	(*state)->whole.type = jbvBinary;
	(*state)->whole.val.binary.data = &shim_jsonb(text->data)->root;
	return &(*state)->whole;
}

Jsonb *
JsonbValueToJsonb(JsonbValue *value)
{
	return shim_jsonb(pstrdup(value->val.binary.data->text));
}

/* An iterator over the keys of an object or the elements of an array: nobody asks for more. */
struct JsonbIterator
{
	bool is_array;
	int position;
	int count; /* of keys and values, or elements; then comes the end */
	JsonbValue *values;
};

JsonbIterator *
JsonbIteratorInit(JsonbContainer *container)
{
	JsonbIterator *iterator = palloc0(sizeof(JsonbIterator));
	cJSON *root = cJSON_Parse(container->text);
	const cJSON *item;

	iterator->is_array = JsonContainerIsArray(container);
	iterator->position = -1;
	iterator->values = palloc0(sizeof(JsonbValue) * 2 * (cJSON_GetArraySize(root) + 1));
	cJSON_ArrayForEach(item, root)
	{
		if (!iterator->is_array)
		{
			JsonbValue *key = &iterator->values[iterator->count++];

			key->type = jbvString;
			key->val.string.val = pstrdup(item->string);
			key->val.string.len = strlen(item->string);
		}
		set_binary(&iterator->values[iterator->count++], item);
	}
	cJSON_Delete(root);
	return iterator;
}

JsonbIteratorToken
JsonbIteratorNext(JsonbIterator **iterator, JsonbValue *value, bool skip_nested)
{
	JsonbIterator *i = *iterator;

	if (i->position < 0 || i->position >= i->count)
		return i->position++ < 0 ? (i->is_array ? WJB_BEGIN_ARRAY : WJB_BEGIN_OBJECT) :
								   (i->is_array ? WJB_END_ARRAY : WJB_END_OBJECT);
	*value = i->values[i->position];
	if (i->is_array)
	{
		i->position++;
		return WJB_ELEM;
	}
	return i->position++ % 2 == 0 ? WJB_KEY : WJB_VALUE;
}
