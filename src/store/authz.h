/*
 * authz.h
 *		Who calls, and for which worker they may act.
 */
#ifndef HWSCHED_STORE_AUTHZ_H
#define HWSCHED_STORE_AUTHZ_H

#include "fmgr.h"

#include "support/compat.h"

/* Who called a function of ours, while it runs as the extension's owner. */
typedef struct Caller
{
	Oid user;
	int sec_context;
} Caller;

extern Caller call_begin(FunctionCallInfo fcinfo);
extern void call_end(const Caller *caller);
extern bool authz_is_limited(const Caller *caller);
extern void authz_check_worker(const Caller *caller, const char *pool, const char *worker_id);

#endif /* HWSCHED_STORE_AUTHZ_H */
