/*
 * strtab.h
 *		Hash tables of texts and other byte strings, each with a number.
 */
#ifndef HWSCHED_SUPPORT_STRTAB_H
#define HWSCHED_SUPPORT_STRTAB_H

#include "postgres.h"

#include "utils/hsearch.h"

/* Keys are compared as a whole, not by hash only. */
typedef struct Bytes
{
	const char *data;
	int			length;
} Bytes;

typedef struct BytesEntry
{
	Bytes		key;			/* ends with a 0 byte that does not count */
	int			number;			/* the caller's */
} BytesEntry;

extern HTAB *bytes_table(const char *name);
extern BytesEntry *bytes_enter(HTAB *table, const char *data, int length, bool *found);
extern BytesEntry *bytes_find(HTAB *table, const char *data, int length);

#endif							/* HWSCHED_SUPPORT_STRTAB_H */
