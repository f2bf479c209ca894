/*
 * notice.c
 *		What those who listen are told, once a transaction commits: the name of a
 *		pool, on a channel for each kind of news, unless its setting notify is off.
 *
 * Only hints: who is not connected misses them, so everybody asks without them,
 * too, just less often.  A transaction sends each at most once.
 */
#include "postgres.h"

#include "commands/async.h"

#include "store/notice.h"
#include "store/settings.h"

static bool
notifies(const char *pool)
{
	PoolSettings settings;

	pool_settings_load(pool, false, &settings);
	return settings.notify;
}

/* Tells that there are new assignments: workers claim. */
void
notify_assigned(const char *pool)
{
	if (notifies(pool))
		Async_Notify("hwsched_assigned", pool);
}

/* Tells that workloads are completed, cancelled or dead: who waits for them looks. */
void
notify_changed(const char *pool)
{
	if (notifies(pool))
		Async_Notify("hwsched_changed", pool);
}

/* Tells that scaling advice has changed: autoscalers ask for it. */
void
notify_scaling(const char *pool)
{
	if (notifies(pool))
		Async_Notify("hwsched_scaling", pool);
}
