/*
 * strtab.c
 *		Hash tables of texts and other byte strings, each with a number.
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "support/strtab.h"

static uint32
bytes_hash(const void *key, Size keysize)
{
	const Bytes *bytes = key;

	return DatumGetUInt32(hash_any((const unsigned char *) bytes->data, bytes->length));
}

static int
bytes_compare(const void *a, const void *b, Size keysize)
{
	const Bytes *x = a;
	const Bytes *y = b;

	return x->length != y->length || memcmp(x->data, y->data, x->length) != 0;
}

/* Makes an empty table in the current memory context. */
HTAB *
strtab_create(const char *name)
{
	HASHCTL control = {.keysize = sizeof(Bytes),
					   .entrysize = sizeof(StrtabEntry),
					   .hash = bytes_hash,
					   .match = bytes_compare,
					   .hcxt = CurrentMemoryContext};

	return hash_create(name, 256, &control,
					   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

/* Returns the entry of a byte string, or NULL if there is none. */
StrtabEntry *
strtab_find(HTAB *table, const char *data, int length)
{
	Bytes key = {data, length};

	return hash_search(table, &key, HASH_FIND, NULL);
}

/* Returns the entry of a byte string; a new one has a copy of it, and no number yet. */
StrtabEntry *
strtab_enter(HTAB *table, const char *data, int length, bool *found)
{
	StrtabEntry *entry = strtab_find(table, data, length);

	*found = entry != NULL;
	if (entry == NULL)
	{
		char *copy = palloc(length + 1);
		Bytes key = {copy, length};

		memcpy(copy, data, length);
		copy[length] = '\0';
		entry = hash_search(table, &key, HASH_ENTER, NULL);
	}
	return entry;
}
