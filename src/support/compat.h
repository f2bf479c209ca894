/*
 * compat.h
 *		The only file that knows PG_VERSION_NUM.
 */
#ifndef HWSCHED_SUPPORT_COMPAT_H
#define HWSCHED_SUPPORT_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "hwsched needs PostgreSQL 15 or newer"
#endif

/* PostgreSQL 16 moved VARSIZE and its like out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* PostgreSQL 18 says before a declaration that a function does not return. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

/* PostgreSQL 16 checks privileges on all kinds of object by one function. */
#if PG_VERSION_NUM >= 160000
#include "catalog/pg_proc.h"
#define function_aclcheck(oid, role, mode) \
	object_aclcheck(ProcedureRelationId, (oid), (role), (mode))
#else
#define function_aclcheck(oid, role, mode) pg_proc_aclcheck((oid), (role), (mode))
#endif

/* And it names the functions that list sessions for what they are told. */
#if PG_VERSION_NUM >= 160000
#define LOCAL_BACKEND_STATUS(index) pgstat_get_local_beentry_by_index(index)
#else
#define LOCAL_BACKEND_STATUS(index) pgstat_fetch_stat_local_beentry(index)
#endif

#endif /* HWSCHED_SUPPORT_COMPAT_H */
