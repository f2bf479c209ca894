/*
 * shim.h
 *		The little of PostgreSQL that the modules under fuzzing use, on plain
 *		malloc: memory contexts, errors, texts and documents.  The Makefile puts
 *		it in the place of all PostgreSQL headers.
 *
 * Every block is one of malloc's, so the sanitizers see each step beyond it
 * and each use after its context has gone.  A jsonb is the text of a document.
 */
#ifndef HWSCHED_SHIM_H
#define HWSCHED_SHIM_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int16_t int16;
typedef uint16_t uint16;
typedef int32_t int32;
typedef int64_t int64;
typedef uint8_t uint8;
typedef uint32_t uint32;
typedef uint64_t uint64;
typedef size_t Size;
typedef uintptr_t Datum;
typedef int64 TimestampTz;

#define PG_VERSION_NUM 150000
#define INT64CONST(x) INT64_C(x)
#define PG_INT32_MAX INT32_MAX
#define FLEXIBLE_ARRAY_MEMBER
#define Min(x, y) ((x) < (y) ? (x) : (y))
#define Max(x, y) ((x) > (y) ? (x) : (y))
#define lengthof(array) (sizeof(array) / sizeof((array)[0]))
#define IS_HIGHBIT_SET(c) ((unsigned char) (c) &0x80)
#define StaticAssertStmt(condition, message) _Static_assert(condition, message)
#define CHECK_FOR_INTERRUPTS() ((void) 0)
#define Assert(condition) \
	((condition) ? (void) 0 : \
				   finding("assertion failed: %s, %s:%d", #condition, __FILE__, __LINE__))

/* Ends the run: the fuzzer keeps the input. */
extern void finding(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* --- memory --- */

typedef struct MemoryContextData *MemoryContext;

extern MemoryContext CurrentMemoryContext;

#define ALLOCSET_DEFAULT_SIZES 0
#define MCXT_ALLOC_HUGE 1

extern MemoryContext AllocSetContextCreate(MemoryContext parent, const char *name, int sizes);
extern MemoryContext MemoryContextSwitchTo(MemoryContext context);
extern void MemoryContextDelete(MemoryContext context);
extern void *MemoryContextAlloc(MemoryContext context, Size size);
extern void *MemoryContextAllocHuge(MemoryContext context, Size size);
extern char *MemoryContextStrdup(MemoryContext context, const char *text);
extern void *palloc(Size size);
extern void *palloc0(Size size);
extern void *palloc_extended(Size size, int flags);
extern void *repalloc(void *pointer, Size size);
extern void *repalloc_huge(void *pointer, Size size);
extern void pfree(void *pointer);
extern char *pstrdup(const char *text);
extern char *psprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Gives back all memory; CurrentMemoryContext is a fresh one. */
extern void shim_reset(void);

/* --- errors --- */

#define MAKE_SQLSTATE(a, b, c, d, e) \
	((((a) - '0') & 0x3F) + ((((b) - '0') & 0x3F) << 6) + ((((c) - '0') & 0x3F) << 12) + \
	 ((((d) - '0') & 0x3F) << 18) + ((((e) - '0') & 0x3F) << 24))
#define ERRCODE_TO_CATEGORY(code) ((code) & ((1 << 12) - 1))
#define ERRCODE_DATA_EXCEPTION MAKE_SQLSTATE('2', '2', '0', '0', '0')
#define ERRCODE_INVALID_PARAMETER_VALUE MAKE_SQLSTATE('2', '2', '0', '2', '3')
#define ERRCODE_INVALID_DATETIME_FORMAT MAKE_SQLSTATE('2', '2', '0', '0', '7')
#define ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE MAKE_SQLSTATE('5', '5', '0', '0', '0')
#define ERRCODE_INTERNAL_ERROR MAKE_SQLSTATE('X', 'X', '0', '0', '0')
#define ERROR 21

#define ereport(level, ...) (shim_begin_error(), __VA_ARGS__, shim_throw())
#define elog(level, ...) finding(__VA_ARGS__)

extern sigjmp_buf *PG_exception_stack;
/* The last error: its state, and message, detail and hint one behind the other. */
extern int shim_sqlstate;
extern char shim_message[];

extern void shim_begin_error(void);
extern void shim_throw(void) __attribute__((noreturn));
extern int errcode(int sqlstate);
extern int errmsg(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern int errdetail(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern int errhint(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern int geterrcode(void);
/* what a client finds in the error's fields is not looked at */
#define PG_DIAG_COLUMN_NAME 'c'
#define err_generic_string(field, text) ((void) (text), 0)
#define pg_attribute_printf(f, a) __attribute__((format(printf, f, a)))

#define FlushErrorState() shim_begin_error()
#define PG_RE_THROW() shim_throw()
#define PG_TRY() \
	do \
	{ \
		sigjmp_buf *save_exception_stack = PG_exception_stack; \
		sigjmp_buf local_sigjmp_buf; \
		bool do_rethrow = false; \
		if (sigsetjmp(local_sigjmp_buf, 0) == 0) \
		{ \
			PG_exception_stack = &local_sigjmp_buf
#define PG_CATCH() \
	} \
	else \
	{ \
		PG_exception_stack = save_exception_stack
#define PG_FINALLY() \
	} \
	else do_rethrow = true; \
	{ \
		PG_exception_stack = save_exception_stack
#define PG_END_TRY() \
	} \
	if (do_rethrow) \
		PG_RE_THROW(); \
	PG_exception_stack = save_exception_stack; \
	} \
	while (0)

/* --- texts --- */

typedef struct StringInfoData
{
	char *data;
	int len;
	int maxlen;
} StringInfoData;
typedef StringInfoData *StringInfo;

extern void initStringInfo(StringInfo string);
extern void appendStringInfo(StringInfo string, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
extern void appendBinaryStringInfo(StringInfo string, const void *data, int length);
extern void appendStringInfoChar(StringInfo string, char c);
extern int pg_mbcliplen(const char *text, int length, int limit);
extern int pg_strncasecmp(const char *a, const char *b, size_t n);
extern unsigned char pg_ascii_tolower(unsigned char c);
extern char *asc_tolower(const char *text, size_t length);

/* Returns whether a text is UTF-8 throughout, as PostgreSQL demands it. */
extern bool shim_is_utf8(const char *text, size_t length);

/* --- values by their input functions --- */

typedef Datum (*PGFunction)(Datum);

typedef struct Interval
{
	int64 time;
	int32 day;
	int32 month;
} Interval;

#define InvalidOid 0
#define USECS_PER_SEC INT64_C(1000000)
#define SECS_PER_DAY 86400
#define DAYS_PER_MONTH 30
#define DT_NOEND INT64_MAX
#define DT_NOBEGIN INT64_MIN
#define CStringGetDatum(text) ((Datum) (text))
#define Int32GetDatum(n) ((Datum) (n))
#define Int64GetDatum(n) ((Datum) (n))
#define ObjectIdGetDatum(oid) ((Datum) (oid))
#define DatumGetIntervalP(datum) ((Interval *) (datum))
#define DatumGetTimestampTz(datum) ((TimestampTz) (datum))
#define DatumGetNumeric(datum) ((char *) (datum))
#define DirectFunctionCall1(function, a) (function)(a)
#define DirectFunctionCall3(function, a, b, c) (function)(a)

extern Datum interval_in(Datum text);
extern Datum timestamptz_in(Datum text);
extern Datum int8_numeric(Datum number);
extern Datum numeric_in(Datum text);

#define DOUBLE_SHORTEST_DECIMAL_LEN 25
extern int double_to_shortest_decimal_buf(double number, char *text);

/* --- documents --- */

/* As it stands in text: of a length, with a zero behind it. */
typedef struct JsonbContainer
{
	const char *text;
} JsonbContainer;

typedef struct Jsonb
{
	JsonbContainer root;
} Jsonb;

typedef enum JsonbIteratorToken
{
	WJB_DONE,
	WJB_KEY,
	WJB_VALUE,
	WJB_ELEM,
	WJB_BEGIN_ARRAY,
	WJB_END_ARRAY,
	WJB_BEGIN_OBJECT,
	WJB_END_OBJECT
} JsonbIteratorToken;

typedef struct JsonbValue
{
	enum
	{
		jbvNull,
		jbvString,
		jbvNumeric,
		jbvBool,
		jbvBinary
	} type;
	struct
	{
		struct
		{
			char *val;
			int len;
		} string;
		char *numeric;
		bool boolean;
		struct
		{
			int len;
			JsonbContainer *data;
		} binary;
	} val;
} JsonbValue;

typedef struct JsonbParseState JsonbParseState;
typedef struct JsonbIterator JsonbIterator;

#define VARSIZE(jsonb) ((int) strlen((jsonb)->root.text))
#define VARHDRSZ 0
#define JB_ROOT_IS_OBJECT(jsonb) JsonContainerIsObject(&(jsonb)->root)
#define JB_ROOT_IS_ARRAY(jsonb) JsonContainerIsArray(&(jsonb)->root)

extern Jsonb *shim_jsonb(const char *text);
extern bool JsonContainerIsObject(const JsonbContainer *container);
extern bool JsonContainerIsArray(const JsonbContainer *container);
extern char *JsonbToCString(StringInfo out, JsonbContainer *container, int estimated_length);
extern JsonbValue *getKeyJsonValueFromContainer(JsonbContainer *container, const char *key,
												int length, JsonbValue *result);
extern JsonbValue *pushJsonbValue(JsonbParseState **state, JsonbIteratorToken token,
								  JsonbValue *value);
extern Jsonb *JsonbValueToJsonb(JsonbValue *value);
extern JsonbIterator *JsonbIteratorInit(JsonbContainer *container);
extern JsonbIteratorToken JsonbIteratorNext(JsonbIterator **iterator, JsonbValue *value,
											bool skip_nested);

#endif /* HWSCHED_SHIM_H */
