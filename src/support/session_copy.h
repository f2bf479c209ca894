/*
 * session_copy.h
 *		What a session keeps of small tables that every call asks.
 *
 * The tables are read as of now, not as of the running statement, so that a change
 * which commits while we read is either in the copy or makes it stale.  A trigger
 * on each table sends the invalidation of its relation: rows, unlike columns, send none
 * by themselves.
 */
#ifndef HWSCHED_SUPPORT_SESSION_COPY_H
#define HWSCHED_SUPPORT_SESSION_COPY_H

#include "postgres.h"

#include "utils/timestamp.h"

#define SESSION_COPY_TABLES 4

typedef struct SessionCopy
{
	const char *name; /* of its memory */
	const char *tables[SESSION_COPY_TABLES]; /* of hwsched; NULL: there are fewer */
	size_t size; /* of the struct that is kept */
	void (*read)(void *kept, MemoryContext context); /* fills it, by SPI */
	/* its own */
	void *current; /* NULL: there is none, or it is stale */
	TimestampTz only_statement; /* not 0: do not use it in a later one */
	MemoryContext context;
	Oid relations[SESSION_COPY_TABLES];
	bool registered;
} SessionCopy;

extern bool session_copy_is_fresh(const SessionCopy *copy);
extern void *session_copy_read(SessionCopy *copy);

#endif /* HWSCHED_SUPPORT_SESSION_COPY_H */
