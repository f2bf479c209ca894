/*
 * error_class.c
 *		What kind of error ended an attempt, from what its worker says of it.
 */
#include <ctype.h>

#include "document/error_class.h"

typedef struct ErrorWord
{
	const char *class; /* as hwsched.error_class spells it */
	const char *words; /* in lower case; one space stands for anything that is no letter or digit */
} ErrorWord;

/*
 * What allocators, runtimes, shells and sockets say.  The first that is found
 * counts: a "timeout while connecting" is a matter of time.
 */
static const ErrorWord error_words[] = {
	{"memory", "out of memory"},
	{"memory", "outofmemory"},
	{"memory", "outofmemoryerror"},
	{"memory", "oom"},
	{"memory", "oomkilled"},
	{"memory", "oom killed"},
	{"memory", "memoryerror"},
	{"memory", "bad alloc"},
	{"memory", "enomem"},
	{"memory", "cannot allocate memory"},
	{"memory", "memory exhausted"},
	{"memory", "insufficient memory"},
	{"memory", "resource exhausted"},
	{"memory", "exit 137"},
	{"memory", "exit code 137"},
	{"memory", "exit status 137"},
	{"timeout", "timeout"},
	{"timeout", "timeouterror"},
	{"timeout", "timeoutexpired"},
	{"timeout", "timed out"},
	{"timeout", "time limit"},
	{"timeout", "deadline exceeded"},
	{"timeout", "etimedout"},
	{"timeout", "exit 124"},
	{"timeout", "exit code 124"},
	{"timeout", "exit status 124"},
	{"connection", "connection refused"},
	{"connection", "connection reset"},
	{"connection", "connection closed"},
	{"connection", "connection aborted"},
	{"connection", "connection lost"},
	{"connection", "connectionerror"},
	{"connection", "connectionreseterror"},
	{"connection", "connectionrefusederror"},
	{"connection", "broken pipe"},
	{"connection", "unreachable"},
	{"connection", "no route to host"},
	{"connection", "name resolution"},
	{"connection", "econnrefused"},
	{"connection", "econnreset"},
	{"connection", "econnaborted"},
	{"connection", "ehostunreach"},
	{"connection", "enetunreach"},
	{"connection", "epipe"},
};

/* Returns whether whole words begin at a place of a text. */
static bool
words_begin(const char *text, const char *words)
{
	for (; *words != '\0'; words++)
	{
		if (*words == ' ')
		{
			if (*text == '\0' || isalnum((unsigned char) *text))
				return false;
			while (*text != '\0' && !isalnum((unsigned char) *text))
				text++;
		}
		else if (tolower((unsigned char) *text++) != *words)
			return false;
	}
	return !isalnum((unsigned char) *text);
}

static bool
has_words(const char *text, const char *words)
{
	for (const char *at = text; *at != '\0'; at++)
		if ((at == text || !isalnum((unsigned char) at[-1])) && words_begin(at, words))
			return true;
	return false;
}

/* Returns the class of an error, as hwsched.error_class spells it; "other" for NULL. */
const char *
error_class_of(const char *error)
{
	for (int i = 0; error != NULL && i < (int) lengthof(error_words); i++)
		if (has_words(error, error_words[i].words))
			return error_words[i].class;
	return "other";
}
