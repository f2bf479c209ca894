/*
 * compat.h
 *		The only file that knows PG_VERSION_NUM.
 */
#ifndef HWSCHED_COMPAT_H
#define HWSCHED_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "hwsched needs PostgreSQL 15 or newer"
#endif

/* PostgreSQL 16 moved VARSIZE and its like out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#endif							/* HWSCHED_COMPAT_H */
