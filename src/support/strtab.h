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
	int length;
} Bytes;

typedef struct StrtabEntry
{
	Bytes key; /* ends with a 0 byte that does not count */
	int number; /* the caller's */
} StrtabEntry;

extern HTAB *strtab_create(const char *name);
extern StrtabEntry *strtab_enter(HTAB *table, const char *data, int length, bool *found);
extern StrtabEntry *strtab_find(HTAB *table, const char *data, int length);

#endif /* HWSCHED_SUPPORT_STRTAB_H */
