/*
 * arena.h
 *		Memory that the pure modules give back as a whole.
 */
#ifndef HWSCHED_SUPPORT_ARENA_H
#define HWSCHED_SUPPORT_ARENA_H

#include "support/standalone.h"

#ifndef HWSCHED_STANDALONE

/* What is allocated between the first two is freed as a whole by the third. */
extern void *arena_begin(const char *name);
extern void arena_leave(void *scope);
extern void arena_free(void *scope);
/* Allocates what lasts as long as something else that was allocated, whatever the scope. */
extern void *palloc_beside(const void *other, Size size);

#else

#define arena_begin(name) NULL
#define arena_leave(scope) ((void) (scope))
#define arena_free(scope) ((void) (scope))
#define palloc_beside(other, size) malloc(size)

#endif /* HWSCHED_STANDALONE */

#endif /* HWSCHED_SUPPORT_ARENA_H */
