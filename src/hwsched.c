/*
 * hwsched.c
 *		The extension's library: what PostgreSQL asks of every one.
 */
#include "postgres.h"

#include "fmgr.h"

#include "dispatch/launcher.h"
#include "store/wakeup.h"
#include "support/spi_plan.h"

PG_MODULE_MAGIC;

extern void _PG_init(void);

void
_PG_init(void)
{
	spi_plan_init();
	dispatchers_init();
	launcher_init();
}
