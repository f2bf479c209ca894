/*
 * taxonomy.c
 *		The trigger that tells sessions of a change of the taxonomy.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "utils/inval.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(hwsched_taxonomy_changed);

/*
 * Trigger of the taxonomy tables: every session's copy is stale once the
 * change commits, our own at the next command.
 */
Datum
hwsched_taxonomy_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("taxonomy_changed is a trigger function")));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	return PointerGetDatum(NULL);
}
