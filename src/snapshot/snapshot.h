/*
 * snapshot.h
 *		Pictures of the tables in memory, for decisions to be made on.
 */
#ifndef HWSCHED_SNAPSHOT_SNAPSHOT_H
#define HWSCHED_SNAPSHOT_SNAPSHOT_H

#include "storage/itemptr.h"

#include "store/policy_settings.h"
#include "store/settings.h"

/* A row of the queue, beside its QueueItem. */
typedef struct QueueRow
{
	ItemPointerData tid;
	TimestampTz deadline;
	TimestampTz submitted_at;
	int64 queue_no;
	Datum workload_id; /* a text */
	int32 run;
	int32 attempt;
	int32 model; /* in PoolSnapshot.models; -1: none */
	int32 family; /* the same */
	int16 priority; /* as it was submitted */
	TimestampTz expires_at; /* DT_NOEND: never */
	double timeout_seconds;
	double start_timeout_seconds; /* NAN: the pool's */
	int32 own_kind; /* of a retry that asks for more: what it is otherwise; -1: the same */
	Datum avoided; /* a text[] of workers on which it failed; 0: none */
} QueueRow;

/* A model, or a family of models, that work of the queue runs. */
typedef struct Model
{
	const char *name;
	bool is_family;
} Model;

/* What is known of concurrency keys: see keys.c. */
typedef struct KeyTable KeyTable;

/* A pool as it stands, ready to decide on. */
typedef struct PoolSnapshot
{
	PoolSettings settings;
	Policies policies;
	Fleet fleet;
	int64 *device_profile_ids; /* as fleet.profiles */
	Search search;
	bool settled; /* by who decides: what is noted as ended since then still holds its capacity */
	int nitems;
	QueueItem *items;
	QueueRow *rows; /* as items */
	int nretries; /* items with an own_kind, avoided workers, or that run alone */
	KeyTable *keys;
	int ntenant_uses;
	struct TenantUse *tenant_uses; /* as they were read */
	struct LabelReader *labels; /* what the fleet has of those that its work asks for */
	const char **absences; /* by worker: why it accepts nothing, in words; see checks.c */
	int nmodels;
	Model *models; /* as search.model_workers */
} PoolSnapshot;

/*
 * The priority that a row p of the queue has by now, as SQL: ageing is the
 * parameter that has the setting of that name.
 */
#define AGED_PRIORITY(ageing) \
	"hwsched_internal.aged_priority(p.priority, p.submitted_at, " ageing ")"

/*
 * Whether a row p of the queue may be placed, as SQL, if its concurrency keys have
 * room, which read_queue_row and limit_usage know; $1 is the pool.  Where
 * what is completed may not be settled yet, unsettled is true: then what waits
 * for nothing else is ready as well.  (OFFSET 0: each is looked for in an index.)
 */
#define MAY_BE_PLACED(unsettled) \
	"(p.expires_at IS NULL OR p.expires_at > now())" \
	" AND (p.ready_at <= now() OR (" unsettled " AND p.ready_at = 'infinity'" \
	"  AND (p.run_at IS NULL OR p.run_at <= now())" \
	"  AND EXISTS (SELECT FROM hwsched.unsettled u WHERE u.pool = $1)" \
	"  AND NOT EXISTS (SELECT FROM hwsched.dependency d WHERE d.pool = p.pool" \
	" AND d.workload_id = p.workload_id" \
	"   AND NOT EXISTS (SELECT FROM hwsched.assignment a" \
	"     JOIN hwsched.unsettled u ON u.pool = a.pool AND u.assignment_id = a.assignment_id" \
	"     WHERE a.pool = d.pool AND a.workload_id = d.depends_on AND a.state = 'completed'" \
	"      AND NOT a.is_gang OFFSET 0) OFFSET 0)))"

#endif /* HWSCHED_SNAPSHOT_SNAPSHOT_H */
