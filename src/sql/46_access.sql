-- Who sees and acts in a pool. One that nobody was granted access to is open to all.

CREATE FUNCTION hwsched.grant_pool(role name, right text, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_grant_pool';
COMMENT ON FUNCTION hwsched.grant_pool(name, text, text) IS
  'Lets a role view a pool, or coordinate it, and closes the pool to all who were not granted '
  'anything there, but administrators.';

CREATE FUNCTION hwsched.revoke_pool(role name, right text, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_revoke_pool';
COMMENT ON FUNCTION hwsched.revoke_pool(name, text, text) IS
  'Takes back what grant_pool() granted. The pool stays closed to others.';

CREATE FUNCTION hwsched.grant_tenant(tenant text, role name, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_grant_tenant';
COMMENT ON FUNCTION hwsched.grant_tenant(text, name, text) IS
  'Lets a role submit, see and cancel the work of a tenant in a pool, and closes the pool to all '
  'who were not granted anything there, but administrators.';

CREATE FUNCTION hwsched.revoke_tenant(tenant text, role name, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_revoke_tenant';
COMMENT ON FUNCTION hwsched.revoke_tenant(text, name, text) IS
  'Takes back what grant_tenant() granted. The pool stays closed to others.';

-- What the policies of tables ask, for who reads.

CREATE FUNCTION hwsched_internal.sees_support(internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hwsched_sees_support';
COMMENT ON FUNCTION hwsched_internal.sees_support(internal) IS
  'Tells the planner that rows usually pass policies.';

CREATE FUNCTION hwsched_internal.sees_pool(pool text) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE SUPPORT hwsched_internal.sees_support
    AS 'MODULE_PATHNAME', 'hwsched_sees_pool';
COMMENT ON FUNCTION hwsched_internal.sees_pool(text) IS
  'Whether the caller sees anything of a pool, and so its fleet.';

CREATE FUNCTION hwsched_internal.sees_all(pool text) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE SUPPORT hwsched_internal.sees_support
    AS 'MODULE_PATHNAME', 'hwsched_sees_all';
COMMENT ON FUNCTION hwsched_internal.sees_all(text) IS 'Whether the caller sees all of a pool.';

CREATE FUNCTION hwsched_internal.sees_tenant(pool text, tenant text) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE SUPPORT hwsched_internal.sees_support
    AS 'MODULE_PATHNAME', 'hwsched_sees_tenant';
COMMENT ON FUNCTION hwsched_internal.sees_tenant(text, text) IS
  'Whether the caller sees the work of a tenant.';

CREATE FUNCTION hwsched_internal.sees_profile(pool text, profile_id bigint) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE SUPPORT hwsched_internal.sees_support
    AS 'MODULE_PATHNAME', 'hwsched_sees_profile';
COMMENT ON FUNCTION hwsched_internal.sees_profile(text, bigint) IS
  'Whether the caller sees work of a workload profile.';

CREATE FUNCTION hwsched_internal.sees_workload(pool text, workload_id text) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE SUPPORT hwsched_internal.sees_support
    AS 'MODULE_PATHNAME', 'hwsched_sees_workload';
COMMENT ON FUNCTION hwsched_internal.sees_workload(text, text) IS
  'Whether the caller sees a workload.';

CREATE FUNCTION hwsched_internal.sees_assignment(pool text, assignment_id bigint) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE SUPPORT hwsched_internal.sees_support
    AS 'MODULE_PATHNAME', 'hwsched_sees_assignment';
COMMENT ON FUNCTION hwsched_internal.sees_assignment(text, bigint) IS
  'Whether the caller sees an assignment.';
