/*
 * args.h
 *		Arguments of SQL functions.  A function that changes something is not
 *		STRICT: a NULL would silently do nothing.  These raise
 *		ERRCODE_NULL_VALUE_NOT_ALLOWED with the argument's name instead.
 */
#ifndef HWSCHED_SUPPORT_ARGS_H
#define HWSCHED_SUPPORT_ARGS_H

#include "fmgr.h"
#include "utils/jsonb.h"

#include "support/compat.h"

/* What a run reports or leaves has so many bytes at most: a result, a note, an error. */
#define MOST_REPORT (1024 * 1024)

/* Names have so many bytes at most. */
#define MOST_NAME 1000

extern Datum argument(FunctionCallInfo fcinfo, int number);
extern char *text_argument(FunctionCallInfo fcinfo, int number);
extern char *name_argument(FunctionCallInfo fcinfo, int number, const char *name);
extern double limited_argument(FunctionCallInfo fcinfo, int number, const char *name, double least,
							   double most);

extern void check_size(const char *name, Size bytes);

extern int compare_bigints(const void *a, const void *b);

#define jsonb_argument(number) DatumGetJsonbP(argument(fcinfo, (number)))
#define bigint_argument(number) DatumGetInt64(argument(fcinfo, (number)))
#define int_argument(number) DatumGetInt32(argument(fcinfo, (number)))

#endif /* HWSCHED_SUPPORT_ARGS_H */
