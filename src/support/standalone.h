/*
 * standalone.h
 *		What the pure modules (score, thermal, heat, energy, predict, placement,
 *		transport) may use of the outside world: memory, assertions and an
 *		interrupt check.
 *
 * The pure modules include this and no PostgreSQL header, so that the same
 * file is linked into the server, the unit tests and a fuzzer.
 */
#ifndef HWSCHED_SUPPORT_STANDALONE_H
#define HWSCHED_SUPPORT_STANDALONE_H

#ifndef HWSCHED_STANDALONE

#include "postgres.h"
#include "miscadmin.h"

#define palloc_huge(size) palloc_extended((size), MCXT_ALLOC_HUGE)
/* as utils/memutils.h has it, which would bring names that clash with ours */
extern void *repalloc_huge(void *pointer, Size size);

#else

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int16_t int16;
typedef int32_t int32;
typedef int64_t int64;
typedef uint16_t uint16;
typedef uint32_t uint32;
typedef uint64_t uint64;
typedef size_t Size;

#define palloc(size) malloc(size)
#define palloc0(size) calloc(1, (size))
#define palloc_huge(size) malloc(size)
#define repalloc_huge(pointer, size) realloc((pointer), (size))
#define repalloc(pointer, size) realloc((pointer), (size))
#define pfree(pointer) free(pointer)
#define Assert(condition) assert(condition)
#define CHECK_FOR_INTERRUPTS() ((void) 0)
#define Min(x, y) ((x) < (y) ? (x) : (y))
#define Max(x, y) ((x) > (y) ? (x) : (y))
#define lengthof(array) (sizeof(array) / sizeof((array)[0]))

#endif /* HWSCHED_STANDALONE */

#include <math.h>

#endif /* HWSCHED_SUPPORT_STANDALONE_H */
