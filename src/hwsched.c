/*
 * hwsched.c
 *		The extension's library: what PostgreSQL asks of every one.
 */
#include "postgres.h"

#include "fmgr.h"

#include "support/spi_plan.h"

PG_MODULE_MAGIC;

extern void _PG_init(void);

void
_PG_init(void)
{
	spi_plan_init();
}
