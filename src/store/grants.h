/*
 * grants.h
 *		A session's copy of who sees and acts in which pools.
 */
#ifndef HWSCHED_STORE_GRANTS_H
#define HWSCHED_STORE_GRANTS_H

/* What a login may do in a pool, or for a tenant in it. */
typedef struct Grant
{
	Oid login;
	bool coordinates; /* or sees only; for a tenant: always */
	const char *tenant; /* NULL: all that is in the pool */
} Grant;

/* All grants in a pool that is closed to others. */
typedef struct PoolGrants
{
	int count;
	const Grant *grants;
} PoolGrants;

extern bool grants_are_read(void);
extern const PoolGrants *grants_in(const char *pool);

#endif /* HWSCHED_STORE_GRANTS_H */
