/*
 * authz.h
 *		Who calls, what they see, and for whom they may act.
 */
#ifndef HWSCHED_STORE_AUTHZ_H
#define HWSCHED_STORE_AUTHZ_H

#include "fmgr.h"

#include "support/spi_plan.h"

/* Who called a function of ours, while it runs as the extension's owner. */
typedef struct Caller
{
	Oid user;
	Oid owner;
	int sec_context;
} Caller;

/* Whose work somebody sees, or acts for. */
typedef struct Scope
{
	bool all; /* that is in the pool */
	int count;
	const char **tenants; /* else theirs */
} Scope;

extern Caller call_begin(FunctionCallInfo fcinfo);
extern void call_end(const Caller *caller);

extern Scope authz_scope_of(FunctionCallInfo fcinfo, const char *pool);
extern Scope authz_seen(const Caller *caller, const char *pool);
extern Scope authz_acts_for(const Caller *caller, const char *pool);
extern void authz_check_view(const Caller *caller, const char *pool);
extern void authz_check_coordinate(const Caller *caller, const char *pool);
extern bool authz_coordinates(const Caller *caller, const char *pool);
extern void authz_check_runs(const Caller *caller, const char *pool);
extern void authz_check_worker(const Caller *caller, const char *pool, const char *worker_id);

extern bool scope_has(const Scope *scope, const char *tenant);
extern Parameter scope_tenants(const Scope *scope);

#endif /* HWSCHED_STORE_AUTHZ_H */
