/*
 * hwsched.c
 *		The extension's library: what PostgreSQL asks of every one.
 */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;
