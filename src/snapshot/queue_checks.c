/*
 * queue_checks.c
 *		What keeps a workload of the queue waiting whatever room there is.
 */
#include "postgres.h"

#include "snapshot/queue_checks.h"
#include "support/columns.h"
#include "support/spi_plan.h"

static const Column check_columns[] = {
	{"c.check_name", CSTRINGOID, offsetof(QueueCheck, name)},
	{"c.item", CSTRINGOID, offsetof(QueueCheck, item)},
	{"c.needed", FLOAT8OID, offsetof(QueueCheck, needed)},
	{"c.available", FLOAT8OID, offsetof(QueueCheck, available)},
	{"c.total", FLOAT8OID, offsetof(QueueCheck, total)},
	{"c.unit", CSTRINGOID, offsetof(QueueCheck, unit)},
	{"c.reason", CSTRINGOID, offsetof(QueueCheck, text)},
};

static const RowType check_row = ROW_TYPE(QueueCheck, check_columns);

/* The one workload, as a queue. */
#define ONE_WORKLOAD \
	"(SELECT p.* FROM hwsched.submission s JOIN hwsched.pending p ON p.pool = s.pool" \
	" AND p.priority = s.priority AND p.deadline = s.deadline AND p.queue_no = s.queue_no" \
	" WHERE s.pool = $1 AND s.workload_id = $2)"

/*
 * Finds the checks that a workload of the queue fails whatever room there is, the most telling
 * first; returns how many, 0: it may be placed, or does not wait.
 */
int
queue_checks(const Scope *scope, const char *pool, const char *workload_id, QueueCheck **found)
{
	static SpiPlan statement = {"SELECT " ROW_COLUMNS " FROM (" QUEUE_CHECKS_SQL(
									ONE_WORKLOAD, "$3") ") c"
														" ORDER BY c.ord, c.urgency DESC, c.item",
								{TEXTOID, TEXTOID, TEXTARRAYOID},
								.row = &check_row};
	int n = (int) spi_plan_run(&statement, true, TEXT_VALUE(pool), TEXT_VALUE(workload_id),
							   scope_tenants(scope));

	*found = read_rows(&check_row, n);
	return n;
}
